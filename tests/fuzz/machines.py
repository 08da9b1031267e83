"""Runs a batch on Endicott and on QEMU, and reads what the runner printed."""
import os
import re
import struct
import subprocess
import tempfile
import time

from image import BUILD, ROOT, STATE_LEN, STORAGE_MIB

ENDICOTT = os.environ.get("ENDICOTT", os.path.join(ROOT, os.environ.get("ENDICOTT_BUILD", "build"), "endicott"))
QEMU = os.environ.get("QEMU", "qemu-system-s390x")
PAIR = ["endicott", "qemu"]             # or two engines of Endicott
limit_s = 10                            # processor seconds without a line of output: it hangs
IDLE_LIMIT_S = 120                      # the same by the clock, for one that waits


class Result:
    """Of one image: its digest, what it was after each step, states of the last steps, storage at the end."""

    def __init__(self):
        self.digest, self.steps, self.states, self.storage = None, [], [], {}


class State:
    """Everything a step leaves: registers, interruption class and parameters, old PSWs."""
    CLASSES = ("restart", "ext", "svc", "pgm", "mck", "io")
    OLD = {0: 0, 1: 16, 2: 32, 3: 48, 4: 64, 5: 80}

    def __init__(self, raw):
        self.raw = raw
        self.gr = struct.unpack_from(">16Q", raw, 0)
        self.fpr = struct.unpack_from(">16Q", raw, 128)
        self.ar = struct.unpack_from(">16I", raw, 256)
        self.fpc = struct.unpack_from(">I", raw, 320)[0]
        self.cr = struct.unpack_from(">16Q", raw, 328)
        self.kind = struct.unpack_from(">Q", raw, 456)[0]
        self.info = raw[464:528]
        self.mask, self.addr = struct.unpack_from(">QQ", raw, 528 + self.OLD[self.kind])
        self.pgm = struct.unpack_from(">H", self.info, 14)[0] if self.kind == 3 else 0
        self.ilc = struct.unpack_from(">H", self.info, 12)[0]
        self.dxc = self.info[19]
        self.teid = struct.unpack_from(">Q", self.info, 0x28)[0]
        self.cc = self.mask >> 44 & 3
        self.bear = struct.unpack_from(">Q", raw, 624)[0]

    def fields(self):
        """Name: value, for comparing and showing."""
        out = {"class": self.CLASSES[self.kind], "pgm": self.pgm, "ilc": self.ilc, "dxc": self.dxc,
               "teid": self.teid, "mask": self.mask & ~(3 << 44), "cc": self.cc, "addr": self.addr,
               "fpc": self.fpc, "bear": self.bear, "info": self.info.hex()}
        for name, values in (("gr", self.gr), ("fpr", self.fpr), ("ar", self.ar), ("cr", self.cr)):
            out.update({f"{name}{i}": v for i, v in enumerate(values)})
        return out


def differences(ours, theirs):
    """Names of what differs between two states."""
    a, b = ours.fields(), theirs.fields()
    return [k for k in a if a[k] != b[k] and k != "info"] or [k for k in a if a[k] != b[k]]


def command(machine, elf):
    if machine != "qemu":
        engine = [] if machine == "endicott" else ["--engine", machine]
        return [ENDICOTT, "ipl", "--kernel", elf, "--console", "stdio", "--model", "max",
                "--memory", f"{STORAGE_MIB}M"] + engine
    return [QEMU, "-M", "s390-ccw-virtio", "-accel", "tcg,thread=single", "-cpu", "max,vx=off",
            "-m", str(STORAGE_MIB), "-display", "none", "-serial", "none", "-nodefaults",
            "-chardev", "stdio,id=c", "-device", "sclpconsole,chardev=c", "-no-reboot",
            "-action", "panic=exit-failure", "-kernel", elf]


class BatchError(Exception):
    """The batch did not come to its end."""

    def __init__(self, machine, done, text):
        super().__init__(f"{machine}: ended after {done} images: {text}")
        self.machine, self.done = machine, done


def start(machine, elf):
    """A process whose output `collect` reads."""
    out = tempfile.TemporaryFile(dir=BUILD)
    process = subprocess.Popen(["nice", "-n", "5"] + command(machine, elf), stdin=subprocess.DEVNULL, stdout=out,
                               stderr=subprocess.STDOUT)
    return process, out


def used_s(process):
    """Processor seconds of a running process."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def finish(process, out):
    """Waits for the end of a process; kills it when nothing more comes out."""
    size, used, since = -1, 0, time.monotonic()
    while True:
        try:
            process.wait(0.25)
            return
        except subprocess.TimeoutExpired:
            grown = os.fstat(out.fileno()).st_size
            if grown != size:
                size, used, since = grown, used_s(process), time.monotonic()
            elif used_s(process) - used > limit_s or time.monotonic() - since > IDLE_LIMIT_S:
                process.kill()
                process.wait()
                return


def collect(machine, process, out):
    finish(process, out)
    out.seek(0)
    text = out.read().decode("ascii", "replace").replace("\r", "")
    out.close()
    return parse(machine, text)


def parse(machine, text):
    results, current = [], Result()
    for line in text.split("\n"):
        if line[:1] == "S":
            current.states.append(State(bytes.fromhex(line[2:])))
        elif line[:1] == "M":
            addr, _, data = line[1:].partition(" ")
            current.storage[int(addr, 16)] = bytes.fromhex(data)
        elif line[:1] == "I" and len(line) >= 35:
            current.digest, current.steps = line[18:34], re.findall("[0-9a-f]{8}", line[35:])
            current.ident = int(line[1:17], 16)
            results.append(current)
            current = Result()
        elif line == "E":
            return results
    error = BatchError(machine, len(results), text[-300:])
    error.results, error.partial = results, current
    raise error


def run(batches, images):
    """Both machines at once; two lists of results."""
    handle, elf = tempfile.mkstemp(suffix=".elf", dir=BUILD)
    os.close(handle)
    try:
        batches.write(elf, images)
        running = [(m, *start(m, elf)) for m in PAIR]
        outcome, error = [], None
        for machine, process, out in running:
            try:
                outcome.append(collect(machine, process, out))
            except BatchError as e:
                error = error or e
                outcome.append(e.results)
        if error:
            error.outcome = outcome
            raise error
        return outcome
    finally:
        os.unlink(elf)
