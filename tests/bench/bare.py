"""Programs without an operating system on Endicott and Hercules: built from one source, they end in a disabled wait at 0."""
import os
import re
import resource
import selectors
import shutil
import statistics
import subprocess
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
ENDICOTT = os.environ.get("ENDICOTT", os.path.join(ROOT, "build", "endicott"))
LIMIT_S = 300
HERCULES_CONF = ("CPUMODEL 2097\nCPUVERID FD\nMAINSIZE 16\nNUMCPU 1\nARCHMODE ESAME\n"
                 "OSTAILOR QUIET\nPANRATE SLOW\nDIAG8CMD DISABLE\n")
TRACK_JOBS = {"read tracks": [], "write tracks": ["-DWRITES"], "read a record": ["-DRECORDS=1"],
              "write a record": ["-DRECORDS=1", "-DWRITES"]}
# Each touches all tracks, so that both have the same to bring to the host's disk at the end.
TRACK_CYLINDERS, FEW_ROUNDS, MANY_ROUNDS = 40, 700, 20700


def build(folder, source, name, defines):
    """The ELF image and the same bytes raw from 0."""
    elf = os.path.join(folder, name)
    subprocess.run(["s390x-linux-gnu-gcc", "-nostdlib", "-static", "-Wl,-Ttext=0", "-Wl,--build-id=none", *defines,
                    "-o", elf, source], check=True)
    subprocess.run(["s390x-linux-gnu-objcopy", "-O", "binary", elf, elf + ".raw"], check=True)
    return elf


def hercules(elf, folder, devices="0009 3215-C\n"):
    """Loads the raw image as an .ins file names it; its log tells the disabled wait."""
    for name, text in (("h.cnf", HERCULES_CONF + devices), ("h.rc", f"ipl {folder}/h.ins\n"),
                       ("h.ins", f"{os.path.basename(elf)}.raw 0x00000000\n")):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)
    began = time.monotonic()
    process = subprocess.Popen(["hercules", "-d", "-f", f"{folder}/h.cnf"],
                               env=dict(os.environ, HERCULES_RC=f"{folder}/h.rc"), cwd=folder,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        return await_wait(process, began)
    finally:
        process.kill()
        process.wait()


def await_wait(process, began):
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    seen = b""
    while time.monotonic() - began < LIMIT_S:
        if not selector.select(1):
            continue
        data = os.read(process.stdout.fileno(), 65536)
        seen += data
        found = re.search(rb"Disabled wait state\s+PSW=\w{8} \w{8} (\w{16})", seen)
        if found and int(found.group(1), 16) == 0:
            return time.monotonic() - began
        if not data:
            break
    raise RuntimeError("no disabled wait: " + seen[-200:].decode("latin-1"))


def endicott(elf, options):
    began = time.monotonic()
    subprocess.run([ENDICOTT, "ipl", "--kernel", elf, "--memory", "16M", *options], check=True, timeout=LIMIT_S,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def processor_time(run):
    """The same in processor time of the emulator, which has ended by then: for a host that others use."""
    def timed(*arguments):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(*arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return timed


# --- tracks of a 3390 -----------------------------------------------------------------------------

def tracks_table(folder, runs, cpu, asked):
    """Channel programs a second (of processor time with `cpu`); a long run less a short one has no start-up in it."""
    source = os.path.join(HERE, "disk.S")
    disk = os.path.join(folder, "tracks.ckd")
    subprocess.run([ENDICOTT, "dasd", "init", disk, "--cylinders", str(TRACK_CYLINDERS), "--linux", "--format", "ckd"],
                   check=True)
    machines = {"endicott": lambda elf: endicott(elf, ["--disk", f"0200={disk}"])}
    if shutil.which("hercules"):
        machines["hercules"] = lambda elf: hercules(elf, folder, f"0200 3390 {disk}\n")
    if cpu:
        machines = {name: processor_time(run) for name, run in machines.items()}
    print(f"\n{'programs/s':16}" + "".join(f"{n:>12}" for n in machines) + "   endicott : hercules")
    for job, defines in TRACK_JOBS.items():
        few, many = (build(folder, source, f"{job.replace(' ', '-')}-{n}", [*defines, f"-DROUNDS={n}"])
                     for n in (FEW_ROUNDS, MANY_ROUNDS))
        rates = {}
        for name, run in machines.items():
            took = [run(many) - run(few) for _ in range(runs)]
            rates[name] = (MANY_ROUNDS - FEW_ROUNDS) / max(statistics.median(took), 1e-3)
        ratio = rates["endicott"] / rates["hercules"] if "hercules" in rates else None
        print(f"{job:16}" + "".join(f"{r:12.0f}" for r in rates.values()) + (f"{ratio:22.1f}" if ratio else "") +
              ("   not reached" if ratio and ratio < asked else ""))
