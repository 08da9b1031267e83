#!/usr/bin/env python3
"""Runs bare-metal test images on QEMU: passes when the guest loads a disabled wait at address 0.

`qemu_insn.py IMAGE.elf...`; of the options behind `ipl:` in the test's source --cpus counts. QEMU is the independent oracle for tests/insn/*.S: a test that fails
there either tests a thing QEMU lacks (say so in its source: `qemu: no, REASON`) or is wrong itself.
"""
import json
import glob
import os
import re
import selectors
import subprocess
import sys
import time

LIMIT_S = 300


def command(image, options):
    cpus = options[options.index("--cpus") + 1] if "--cpus" in options else "1"
    # One thread: with a thread per CPU, 7.2 shows a CPU stopped before it has stored its status.
    return ["qemu-system-s390x", "-M", "s390-ccw-virtio", "-accel", "tcg,thread=single",
            "-cpu", "max", "-m", "512", "-smp", cpus,
            "-display", "none", "-serial", "none", "-nodefaults", "-qmp", "stdio", "-no-reboot",
            "-action", "panic=pause", "-S", "-kernel", image]


def events(process):
    """QMP messages, line by line, until the time limit or the end."""
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    end, rest = time.monotonic() + LIMIT_S, b""
    while time.monotonic() < end:
        if not selector.select(0.5):
            continue
        data = os.read(process.stdout.fileno(), 65536)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield json.loads(line)


def verdict(image, options=()):
    """None when it passed, else why not."""
    process = subprocess.Popen(command(image, list(options)), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        # Started stopped (-S): an event before the capabilities are negotiated would be lost.
        process.stdin.write(b'{"execute":"qmp_capabilities"}\n{"execute":"cont"}\n')
        process.stdin.flush()
        for message in events(process):
            if message.get("event") == "GUEST_PANICKED":
                info = message["data"].get("info", {})
                address, reason = info.get("psw-addr", -1), info.get("reason", "?")
                if reason == "disabled-wait" and address == 0:
                    return None
                return f"{reason}, PSW {info.get('psw-mask', 0):016x} {address:016x}"
            if message.get("event") == "SHUTDOWN":
                return f"QEMU shut down ({message['data'].get('reason')})"
        return f"no disabled wait within {LIMIT_S} s"
    finally:
        process.kill()
        process.wait()


def ipl_options(image):
    """What the first comment of the test's source says behind `ipl:`."""
    source, = glob.glob("tests/insn/*/" + os.path.basename(image)[:-len("elf")] + "S")
    with open(source, encoding="utf-8") as file:
        found = re.search(r"\bipl:[ \t]*([^\n*]*)", file.read(4000))
    return found.group(1).split() if found else []


def main():
    failed = 0
    for image in sys.argv[1:]:
        why = verdict(image, ipl_options(image))
        failed += why is not None
        print(f"{image}: {why or 'passed'}", flush=True)
    return 1 if failed or len(sys.argv) == 1 else 0


if __name__ == "__main__":
    sys.exit(main())
