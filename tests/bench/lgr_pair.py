"""The two places between which tests/bench/lgr moves a guest: two members of a cluster, or two processes of QEMU. Both
give the same: boot(), gap() (microseconds of the longest gap since the last time it was asked, and the latest ones as begin and
length, microseconds of the guest's TOD clock), move() (a dictionary), stop()."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from machines import ENDICOTT, KERNEL, ROOT  # noqa: E402
from member import Member  # noqa: E402

QUICK_BOOT = "cryptomgr.notests initcall_blacklist=crypto_kdf108_init,init_kprobe_trace"
BOOT_S, ANSWER_S, TAIL_S, POLL_S = 300, 60, 0.05, 0.002
MEMBERS = "MEMBERA", "MEMBERB"
UNLIMITED = 1 << 40
GAP = re.compile(r"GAP (\d+) (?P<work>\d+)(?P<gaps>(?: \d+ \d+)*)\s*$")
TOD_1970_US = 2208988800 * 10**6


def gaps_of(found):
    numbers = [int(n) for n in found.group("gaps").split()]
    return int(found.group(1)), list(zip(numbers[::2], numbers[1::2]))


class NoEnd(Exception):
    """It did not come to an end in the time that it was given."""


def run(*arguments):
    done = subprocess.run([ENDICOTT, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"endicott {' '.join(arguments)}: {done.stdout}{done.stderr}")


class Cluster:
    """Two members on this host, with a user for each size of storage."""

    def __init__(self, folder, sizes_mb, keys):
        self.folder, self.run = os.path.join(folder, "two"), os.path.join(folder, "run")
        shutil.copytree(os.path.join(ROOT, "docs", "samples", "two"), self.folder)
        with open(os.path.join(self.folder, "user.direct"), "a", encoding="ascii") as out:
            for mb in sizes_mb:
                out.write(f"\nUSER SIZE{mb} SIZE{mb} {mb}M {mb}M G\n  INCLUDE LINUX\n  VMRELOCATE ON\n")
        self.parmfile = os.path.join(folder, "parmfile")
        with open(self.parmfile, "w", encoding="ascii") as out:
            out.write(f"console=ttyS0 {QUICK_BOOT}\n")
        os.environ["ENDICOTT_RUN"] = self.run
        if keys:
            run("cluster", "keys", self.folder)
        run("up", self.folder, "--while", str(os.getpid()))
        self.members = {name: Member(os.path.join(self.run, name + ".sock"), BOOT_S) for name in MEMBERS}

    def stop(self):
        subprocess.run([ENDICOTT, "stop", self.folder, "--immediate"], capture_output=True, check=False)


class EndicottGuest:
    """A guest of a cluster."""

    def __init__(self, cluster, mb, initrd, work):
        self.cluster, self.user, self.initrd, self.work = cluster, f"SIZE{mb}", initrd, work
        self.here, self.there = MEMBERS

    def member(self, name=None):
        return self.cluster.members[name or self.here]

    def next_line(self):
        return self.member().call("console.info", user=self.user)["next"]

    def wait(self, regex, first):
        answer = self.member().call("console.wait", user=self.user, match=regex, timeout=ANSWER_S, **{"from": first})
        if "line" not in answer:
            raise RuntimeError(f"{self.user} does not answer: {answer}")
        return answer["line"]

    def boot(self):
        member = self.member()
        for path in KERNEL, self.cluster.parmfile, self.initrd:
            member.call("spool.punch", user=self.user, path=os.path.realpath(path))
        member.command(f"XAUTOLOG {self.user}")
        member.call("console.wait", user=self.user, match="ENDICOTT-GUEST-READY", since_start=True, timeout=BOOT_S)
        first = self.next_line()
        member.call("console.write", user=self.user, text=f"/bench/work {self.work}")
        self.wait("WORK-BEGINS", first)

    def ask(self):
        first = self.next_line()
        self.member().call("console.write", user=self.user, text="gap")
        return GAP.search(self.wait(r"GAP [0-9]+ [0-9]+.*$", first))

    def gap(self):
        found = self.ask()
        time.sleep(TAIL_S)  # its console's work ends, what is measured begins anew
        return gaps_of(found)

    def work_done(self):
        """How much it has done since it began: looks at the clock, each after the same work."""
        return int(self.ask().group("work"))

    def row(self, name, relocation, direction):
        rows = self.member(name).call("stats.get")["relocations"]
        return next(r for r in rows if r["id"] == relocation and r["direction"] == direction)

    def move(self):
        answer = self.member().call("cp", command=f"VMRELOCATE MOVE {self.user} {self.there}")
        if answer["rc"]:
            raise RuntimeError(f"VMRELOCATE: {answer['lines']}")
        relocation = max(r["id"] for r in answer["relocations"] if r["direction"] == "out")
        source, destination = self.row(self.here, relocation, "out"), self.row(self.there, relocation, "in")
        self.here, self.there = self.there, self.here
        began, ended = source["start_us"] + source["at_us"]["stopping"], destination["start_us"] + destination["at_us"]["runs"]
        passes, to_tod = source["passes"], (time.time() - time.monotonic()) * 1e6 + TOD_1970_US
        return {"quiesce_ms": (ended - began) / 1000, "total_ms": (ended - source["start_us"]) / 1000,
                "bytes": source["bytes"], "pages": sum(p["pages"] for p in passes), "passes": len(passes),
                "slowed_ms": source["governed"]["ms"],
                "stood_us": (began + to_tod, ended + to_tod), "source": source, "destination": destination}

    def stop(self):
        self.member().command(f"FORCE {self.user}")


class Socket:
    """Lines from and to a Unix socket that QEMU makes."""

    def __init__(self, path):
        self.rest, self.socket = b"", socket.socket(socket.AF_UNIX)
        until = time.monotonic() + ANSWER_S
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(POLL_S)

    def write(self, text):
        self.socket.sendall(text.encode())

    def line(self, limit_s):
        self.socket.settimeout(limit_s)
        while b"\n" not in self.rest:
            data = self.socket.recv(65536)
            if not data:
                raise RuntimeError("QEMU has ended")
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode("utf-8", "replace").rstrip("\r")


class Qemu:
    """One process: its monitor and its console."""

    count = 0

    def __init__(self, folder, mb, initrd, incoming):
        Qemu.count += 1
        self.monitor_path, self.console_path = (os.path.join(folder, f"q{Qemu.count}.{kind}") for kind in ("qmp", "con"))
        self.incoming, self.events, self.console = incoming, [], None
        command = ["qemu-system-s390x", "-M", "s390-ccw-virtio", "-cpu", "max", "-m", str(mb), "-display", "none", "-nodefaults",
                   "-kernel", KERNEL, "-initrd", initrd, "-append", QUICK_BOOT,
                   "-chardev", f"socket,id=c,path={self.console_path},server=on,wait=off", "-device", "sclpconsole,chardev=c",
                   "-qmp", f"unix:{self.monitor_path},server=on,wait=off"] + (["-incoming", "defer"] if incoming else [])
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.monitor = Socket(self.monitor_path)
        self.monitor.line(ANSWER_S)
        self.do("qmp_capabilities")

    def open_console(self):
        self.console = Socket(self.console_path)
        return self.console

    def do(self, command, **arguments):
        self.monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        while True:
            answer = json.loads(self.monitor.line(ANSWER_S))
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"QEMU: {command}: {answer['error']['desc']}")
            else:
                return answer["return"]

    def event(self, name):
        """Host's time of an event, in seconds; waits for it."""
        while True:
            for e in reversed(self.events):
                if e["event"] == name:
                    return e["timestamp"]["seconds"] + e["timestamp"]["microseconds"] / 1e6
            answer = json.loads(self.monitor.line(ANSWER_S))
            if "event" in answer:
                self.events.append(answer)

    def stop(self):
        self.process.kill()
        self.process.wait()


class QemuGuest:
    """A guest that goes from one process of QEMU to the next."""

    def __init__(self, folder, mb, initrd, work):
        self.folder, self.mb, self.initrd, self.work = folder, mb, initrd, work
        self.how, self.limit_s, self.began = {}, ANSWER_S, 0
        self.here = self.there = None

    def wait(self, regex, limit_s):
        while True:
            line = self.here.console.line(limit_s)
            if found := re.search(regex, line):
                return found

    def boot(self):
        self.here = Qemu(self.folder, self.mb, self.initrd, False)
        self.here.open_console()
        self.wait("ENDICOTT-GUEST-READY", BOOT_S)
        self.here.console.write(f"/bench/work {self.work}\n")
        self.wait("WORK-BEGINS", BOOT_S)

    def gap(self):
        self.here.console.write("gap\n")
        found = self.wait(GAP.pattern, ANSWER_S)
        time.sleep(TAIL_S)
        return gaps_of(found)

    def prepare(self, channels):
        for machine in self.here, self.there:
            on = bool(channels)
            machine.do("migrate-set-capabilities", capabilities=[{"capability": "multifd", "state": on},
                                                                {"capability": "events", "state": True}])
            if channels:
                machine.do("migrate-set-parameters", **{"multifd-channels": channels})

    def move(self):
        """As self.how says: channels (0 = no multifd), and parameters of the migration."""
        how = dict(self.how)
        channels = how.pop("channels", 0)
        path = os.path.join(self.folder, f"m{Qemu.count}")
        self.there = Qemu(self.folder, self.mb, self.initrd, True)
        self.prepare(channels)
        if how:
            self.here.do("migrate-set-parameters", **how)
        self.there.do("migrate-incoming", uri=f"unix:{path}")
        self.there.open_console()
        self.here.events.clear()
        self.began, wall = time.monotonic(), time.time()
        self.here.do("migrate", uri=f"unix:{path}")
        info = self.follow()
        stopped, resumed = self.here.event("STOP"), self.there.event("RESUME")
        self.here.stop()
        self.here, self.there = self.there, None
        ram = info["ram"]
        return {"quiesce_ms": 1000 * (resumed - stopped), "reported_ms": info["downtime"], "total_ms": 1000 * (resumed - wall),
                "bytes": ram["transferred"], "pages": ram["normal"], "passes": ram["dirty-sync-count"], "slowed_ms": 0}

    def follow(self):
        while True:
            info = self.here.do("query-migrate")
            if info["status"] == "completed":
                return info
            late = time.monotonic() - self.began > self.limit_s
            if late:
                self.here.do("migrate_cancel")
            if late or info["status"] in ("failed", "cancelled"):
                self.there.stop()
                self.there = None
                raise NoEnd(info["status"])
            time.sleep(POLL_S)

    def stop(self):
        for machine in self.here, self.there:
            if machine:
                machine.stop()
