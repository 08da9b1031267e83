"""The emulators that tests/bench/run compares: how each is started with a job (kernel, initrd, CPUs, memory), and a
started one, whose console is read line by line."""
import os
import re
import selectors
import shutil
import subprocess
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
GUEST = os.environ.get("GUEST_FILES", os.path.join(ROOT, "build", "guest"))
KERNEL, INITRD = os.path.join(GUEST, "kernel"), os.path.join(GUEST, "initramfs.cpio.gz")
ENDICOTT = os.environ.get("ENDICOTT", os.path.join(ROOT, "build", "endicott"))
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Machine:
    """start(job, kernel command line, folder for files of its own) gives an argument list."""

    def __init__(self, name, start):
        self.name, self.start = name, start


class Run:
    """One started guest, its console read line by line with the time of each line."""

    def __init__(self, arguments):
        self.began = time.monotonic()
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, cwd=ROOT)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.rest = b""
        self.rss_kb = 0

    def lines(self, limit_s):
        """(seconds since start, line) until the end of the output or the limit."""
        end = self.began + limit_s
        while time.monotonic() < end:
            if not self.selector.select(0.5):
                self.sample()
                continue
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return
            self.sample()
            *whole, self.rest = (self.rest + data).split(b"\n")
            for line in whole:
                yield time.monotonic() - self.began, line.decode("utf-8", "replace").rstrip("\r")

    def sample(self):
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
                found = re.search(r"VmHWM:\s+(\d+)", file.read())
            self.rss_kb = max(self.rss_kb, int(found.group(1)) if found else 0)
        except OSError:
            pass

    def cpu_seconds(self):
        """Of all its threads; the scheduler's figures where the host has them, since ticks are coarse."""
        try:
            used = 0
            for task in os.listdir(f"/proc/{self.process.pid}/task"):
                with open(f"/proc/{self.process.pid}/task/{task}/schedstat", encoding="ascii") as file:
                    used += int(file.read().split()[0])
            return used / 1e9
        except OSError:
            with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def watch(self, seconds):
        """Per cent of one host CPU that it uses in the next `seconds`."""
        from_cpu, from_time = self.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        self.sample()
        return 100 * (self.cpu_seconds() - from_cpu) / (time.monotonic() - from_time)

    def stop(self):
        self.process.kill()
        self.process.wait()


def endicott(engine):
    def start(job, append, _folder):
        command = [ENDICOTT, "ipl", "--kernel", KERNEL, "--initrd", job.initrd, "--memory", f"{job.memory_mb}M",
                   "--cpus", str(job.cpus), "--console", "stdio", "--append", append]
        return command + (["--engine", engine] if engine else [])
    return Machine("endicott" + (f"/{engine}" if engine else ""), start)


def qemu():
    def start(job, append, _folder):
        return ["qemu-system-s390x", "-M", "s390-ccw-virtio", "-cpu", "max", "-m", str(job.memory_mb),
                "-smp", str(job.cpus), "-nographic", "-kernel", KERNEL, "-initrd", job.initrd, "-append", append]
    return Machine("qemu", start)


def linux_machines(engines, only):
    """Those that are there and were asked for."""
    found = []
    if os.path.exists(ENDICOTT):
        found += [endicott(e) for e in (engines.split(",") if engines else [None])]
    else:
        print("endicott is not built: run make")
    if shutil.which("qemu-system-s390x"):
        found.append(qemu())
    else:
        print("qemu is not installed; left out")
    return [m for m in found if not only or m.name.split("/")[0] in only.split(",")]
