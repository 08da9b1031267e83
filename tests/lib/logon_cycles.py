#!/usr/bin/env python3
"""logon_cycles.py SOCKET USER DECK CYCLES: log USER on, with DECK in its reader, until its program has said who it is;
log it off; so many times. Fails when resident storage, descriptors or threads of the member go on growing after the
first tenth."""
import json
import os
import statistics
import sys
import time

from member import LIMIT_S, Member, used

GROWTH_BYTES = 2 << 20
GROWTH_THREADS = 8  # the pool makes them when it needs them


def cycle(member, events, user, deck):
    """Milliseconds from XAUTOLOG to the program's first line."""
    member.call("spool.punch", user=user, path=deck)
    began = time.monotonic()
    member.command(f"XAUTOLOG {user}")
    member.call("console.wait", user=user, match=f"{user} +AT ", since_start=True, timeout=LIMIT_S)
    ended = time.monotonic()
    member.command(f"FORCE {user}")
    while True:
        event = json.loads(events.answers.readline()).get("params", {})
        if event.get("type") == "logoff" and event.get("user") == user:
            return (ended - began) * 1000


def main():
    path, user, deck, cycles = sys.argv[1], sys.argv[2], os.path.realpath(sys.argv[3]), int(sys.argv[4])
    member, events = Member(path), Member(path)
    events.call("events.subscribe")
    pid = member.call("member.status")["pid"]
    times = [cycle(member, events, user, deck) for _ in range(max(cycles // 10, 1))]
    first = used(pid)
    times += [cycle(member, events, user, deck) for _ in range(cycles - len(times))]
    last = used(pid)
    times.sort()
    print(f"{len(times)} times: XAUTOLOG to the program's first line {statistics.median(times):.1f} ms (median), "
          f"{times[len(times) * 99 // 100]:.1f} ms (99 of 100); resident {first[0]} to {last[0]} bytes, "
          f"descriptors {first[1]} to {last[1]}, threads {first[2]} to {last[2]}")
    if last[0] > first[0] + GROWTH_BYTES or last[1] > first[1] or last[2] > first[2] + GROWTH_THREADS:
        sys.exit("the member has grown")


main()
