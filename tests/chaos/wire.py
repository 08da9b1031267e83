"""The network of `make chaos`: a network namespace for each member with one tap device, and a switch between them that loses,
delays, reorders and cuts, in one direction or both. Kernels without netem can do it, too; whatever a member's TCP does about it is real."""
import ctypes
import fcntl
import heapq
import os
import random
import selectors
import struct
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
FRAME_BYTES = 2048
QUEUE_MAX = 20000  # frames under way


class Wire:
    """Ports 0 to n-1; `cut`, `loss` (0 to 1) and `delay` (seconds, jitter) are for frames from one port to another."""

    def __init__(self, prefix, names, seed):
        self.names = [f"{prefix}{name}" for name in names]
        self.random = random.Random(seed)
        self.taps, self.cut, self.loss, self.delay = [], set(), {}, {}
        self.frames = self.lost = self.number = 0
        self.queue, self.lock = [], threading.Lock()
        self.wake, self.waker = os.pipe()
        os.set_blocking(self.waker, False)
        self.stopping = False
        for i in range(len(names)):
            self.taps.append(self.namespace(i))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @staticmethod
    def address(i, v6=False):
        return f"fd99::{i + 1}" if v6 else f"10.99.0.{i + 1}"

    def namespace(self, i):
        """A namespace with a tap that this process holds the other end of."""
        name = self.names[i]
        subprocess.run(["ip", "netns", "add", name], check=True)
        own, there = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{name}", os.O_RDONLY)
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            if libc.setns(there, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TAP | IFF_NO_PI))
        finally:
            libc.setns(own, CLONE_NEWNET)
            os.close(own)
            os.close(there)
        for command in (f"link set lo up", f"link set wire address 02:00:00:00:00:0{i + 1}", "link set wire up",
                        f"addr add {self.address(i)}/24 dev wire", f"addr add {self.address(i, True)}/64 dev wire nodad"):
            subprocess.run(["ip", "-n", name, *command.split()], check=True)
        return tap

    # --- rules, from the main thread
    def heal(self):
        with self.lock:
            self.cut, self.loss, self.delay = set(), {}, {}

    def split(self, *groups):
        """Only members of one group reach each other."""
        pairs = {(a, b) for g in groups for a in g for b in g}
        everybody = range(len(self.taps))
        with self.lock:
            self.cut = {(a, b) for a in everybody for b in everybody if a != b and (a, b) not in pairs}

    def cut_one_way(self, a, b):
        with self.lock:
            self.cut = {(a, b)}

    def disturb(self, loss, delay, jitter):
        pairs = [(a, b) for a in range(len(self.taps)) for b in range(len(self.taps)) if a != b]
        with self.lock:
            self.loss = {p: loss for p in pairs}
            self.delay = {p: (delay, jitter) for p in pairs}

    # --- frames, on a thread of their own
    def forward(self, a, frame):
        to = [b for b in range(len(self.taps)) if b != a]
        if not frame[0] & 1:  # not for a group: the last byte of the address is the port
            to = [frame[5] - 1] if frame[5] - 1 in to else []
        for b in to:
            self.frames += 1
            if (a, b) in self.cut or self.random.random() < self.loss.get((a, b), 0) or len(self.queue) > QUEUE_MAX:
                self.lost += 1
                continue
            delay, jitter = self.delay.get((a, b), (0, 0))
            if not delay:
                self.write(b, frame)
                continue
            self.number += 1
            due = time.monotonic() + delay + self.random.uniform(-jitter, jitter)
            heapq.heappush(self.queue, (due, self.number, b, frame))

    def write(self, b, frame):
        try:
            os.write(self.taps[b], frame)
        except OSError:
            self.lost += 1

    def run(self):
        selector = selectors.DefaultSelector()
        for i, tap in enumerate(self.taps):
            selector.register(tap, selectors.EVENT_READ, i)
        selector.register(self.wake, selectors.EVENT_READ, None)
        while not self.stopping:
            due = self.queue[0][0] - time.monotonic() if self.queue else None
            events = selector.select(max(due, 0) if due is not None else None)
            with self.lock:
                for key, _ in events:
                    if key.data is None:
                        continue
                    try:
                        self.forward(key.data, os.read(key.fd, FRAME_BYTES))
                    except BlockingIOError:
                        pass
                while self.queue and self.queue[0][0] <= time.monotonic():
                    _, _, b, frame = heapq.heappop(self.queue)
                    self.write(b, frame)

    def close(self):
        self.stopping = True
        os.write(self.waker, b"x")
        self.thread.join()
        for tap in self.taps:
            os.close(tap)
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False)
