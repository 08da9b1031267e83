#!/usr/bin/env python3
"""hundred_guests.py SOCKET COUNT SECONDS FILE...: log on GUEST001 to GUEST<COUNT>, each with FILEs in its reader, a few
at a time until they are up; then each is to answer a command at its console. Prints what the member uses for SECONDS
while they idle, and once more how soon they answer."""
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from member import Member, processor_seconds, used

LIMIT_S = 600
BOOTS_AT_ONCE = os.cpu_count() or 1
MIB = 1 << 20


class Guests:
    """Members' connections, one a thread."""

    def __init__(self, path, users):
        self.path, self.users, self.of_thread = path, users, threading.local()

    def member(self):
        if not hasattr(self.of_thread, "member"):
            self.of_thread.member = Member(self.path, LIMIT_S)
        return self.of_thread.member

    def boot(self, user, files):
        member = self.member()
        for path in files:
            member.call("spool.punch", user=user, path=os.path.realpath(path))
        member.command(f"XAUTOLOG {user}")
        member.call("console.wait", user=user, match="ENDICOTT-GUEST-READY", since_start=True, timeout=LIMIT_S)

    def ask(self, user, word):
        """Milliseconds until the guest's shell has said it."""
        member = self.member()
        first = member.call("console.info", user=user)["next"]
        began = time.monotonic()
        member.call("console.write", user=user, text=f"echo {word}-$((6 * 7))")
        answer = member.call("console.wait", user=user, match=f"{word}-42", timeout=LIMIT_S, **{"from": first})
        if "line" not in answer:
            sys.exit(f"{user} does not answer: {answer}")
        return (time.monotonic() - began) * 1000

    def ask_all(self, word):
        times = sorted(self.ask(user, word) for user in self.users)
        print(f"{len(times)} guests answered, each within {times[-1]:.0f} ms, half of them within "
              f"{times[len(times) // 2]:.1f} ms", flush=True)


def storage(pid):
    """Kilobytes of the process by kind."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return {line.split(":")[0]: int(line.split()[1]) for line in file.readlines()[1:]}


def merging():
    """What the host does about identical pages."""
    try:
        with open("/sys/kernel/mm/ksm/run", encoding="ascii") as file:
            return {"0": "off", "1": "on", "2": "undone"}.get(file.read().strip(), "unknown")
    except OSError:
        return "not there"


def tell_storage(pid, guests, before):
    now = storage(pid)
    each = (now["Rss"] - before["Rss"]) / 1024 / guests
    merged = now.get("KSM", 0) / 1024
    print(f"resident {now['Rss'] / 1024:.0f} MiB (PSS {now['Pss'] / 1024:.0f}), of these {now['AnonHugePages'] / 1024:.0f} "
          f"in large pages, {merged:.0f} merged (host's merging: {merging()}); {each:.1f} MiB a guest", flush=True)


def idle(pid, seconds):
    began, had = time.monotonic(), processor_seconds(pid)
    time.sleep(seconds)  # what is measured
    took = (processor_seconds(pid) - had) / (time.monotonic() - began)
    print(f"idle: {100 * took:.1f} % of a core", flush=True)


def main():
    path, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    guests = Guests(path, [f"GUEST{n + 1:03}" for n in range(count)])
    pid = guests.member().call("member.status")["pid"]
    before = storage(pid)
    began, had = time.monotonic(), processor_seconds(pid)
    with ThreadPoolExecutor(BOOTS_AT_ONCE) as pool:
        for _ in pool.map(lambda user: guests.boot(user, sys.argv[4:]), guests.users):
            pass
    print(f"{count} guests are up after {time.monotonic() - began:.0f} s, {(processor_seconds(pid) - had) / count:.2f} s "
          "of processor time each", flush=True)
    guests.ask_all("FIRST")
    tell_storage(pid, count, before)
    idle(pid, seconds)
    idle(pid, seconds)
    tell_storage(pid, count, before)
    guests.ask_all("AGAIN")
    _, descriptors, threads = used(pid)
    print(f"{descriptors} descriptors, {threads} threads")


main()
