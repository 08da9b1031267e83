#!/usr/bin/env python3
"""relocate_soak.py RUNDIR USER MOVES SEED: VMRELOCATE MOVE of the user so often, with random options, from one member to the other, one
in six canceled at a random moment. After each the user is on one member, the one that the answer says; the guest's last line
(tests/guest/src/lgrsoak.c) says bad=0 and goes on; without moves that only. Prints what there was, and the times that the guest stood still."""
import glob
import os
import random
import re
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from member import LIMIT_S, Member  # noqa: E402

LOOK_EVERY = 10  # moves between two looks at the guest's console
run, user, moves, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
dice = random.Random(seed)
members = {os.path.basename(path)[:-5]: Member(path, LIMIT_S) for path in glob.glob(os.path.join(run, "MEMBER*.sock"))}
second = {name: Member(os.path.join(run, name + ".sock"), LIMIT_S) for name in members}
print(f"relocate_soak: seed {seed}", flush=True)


def where():
    return [name for name, m in members.items() if any(u["user"] == user for u in m.call("vm.list")["users"])]


def options():
    words = []
    if dice.random() < 0.3:
        words.append("IMMEDIATE")
    if dice.random() < 0.3:
        words.append(f"MAXTOTAL {dice.choice([5, 30, 60])} SEC")
    if dice.random() < 0.5:
        words.append(dice.choice(["MAXQUIESCE 2 SEC", "MAXQUIESCE 10 SEC", "MAXQUIESCE NOLIMIT"]))
    return " ".join(words)


def canceled(src, dst, text, wait_s):
    """The answer of a MOVE into which a CANCEL comes after so long."""
    answer = {}
    mover = threading.Thread(target=lambda: answer.update(members[src].call("cp", command=text)))
    mover.start()
    time.sleep(wait_s)  # a moment by chance, not a wait for anything
    second[src].call("cp", command=f"VMRELOCATE CANCEL {user}")
    mover.join(LIMIT_S)
    if not answer:
        sys.exit(f"no answer to {text} in {LIMIT_S} s, with a CANCEL after {wait_s:.3f} s")
    return answer


def heartbeat(at):
    """The number of the last whole line, which has no fault in it."""
    info = members[at].call("console.info", user=user)
    lines = members[at].call("console.read", user=user, **{"from": max(1, info["next"] - 400)})["lines"]
    bad = [line["text"] for line in lines if "SOAK BAD" in line["text"] or re.search(r"SOAK HB .* bad=[1-9]", line["text"])]
    if bad:
        sys.exit("the guest found: " + "; ".join(bad))
    found = [int(m.group(1)) for line in lines if (m := re.search(r"SOAK HB n=(\d+) .* bad=0", line["text"]))]
    return found[-1] if found else 0


def goes_on(at):
    first, end = heartbeat(at), time.monotonic() + LIMIT_S
    while heartbeat(at) <= first:
        if time.monotonic() > end:
            doing = members[at].call("vm.report", user=user)["lines"]
            sys.exit(f"{user} stands still on {at}: n={first}\n" + "\n".join(doing))
        time.sleep(0.05)


counts, quiesce = {"moved": 0, "canceled": 0, "not in time": 0}, []
at = where()[0]
for move in range(moves):
    src, dst = at, next(name for name in members if name != at)
    text = f"VMRELOCATE MOVE {user} {dst} {options()}"
    if dice.random() < 0.25:
        members[src].call("cp", command=f"VMRELOCATE TEST {user} {dst}")
    cancel = dice.random() < 1 / 6
    answer = canceled(src, dst, text, dice.random() * 0.15) if cancel else members[src].call("cp", command=text)
    lines = " ".join(answer["lines"])
    went = answer["rc"] == 0
    if not went and not (cancel and "RC=0000-01" in lines) and "RC=0000-05" not in lines and "RC=0000-04" not in lines:
        sys.exit(f"move {move}: {text}: {lines}")
    counts["moved" if went else "canceled" if cancel else "not in time"] += 1
    at = dst if went else src
    if (here := where()) != [at]:
        sys.exit(f"move {move}: {text}: {lines}: {user} is on {here}, not on {at}")
    row = next(r for r in members[src].call("stats.get")["relocations"] if r["user"] == user)
    if went:
        quiesce.append(row["quiesce_ms"])
    if move % LOOK_EVERY == LOOK_EVERY - 1 or move == moves - 1:
        goes_on(at)
if not moves:
    goes_on(at)
quiesce.sort()
n = len(quiesce)
print(f"relocate_soak: {moves} tries, " + ", ".join(f"{n} {what}" for what, n in counts.items()) +
      (f"; quiesce p50 {quiesce[n // 2]:.1f} p99 {quiesce[n * 99 // 100]:.1f} max {quiesce[-1]:.1f} ms" if n else ""))
if moves and not counts["moved"] or (moves >= 30 and not counts["canceled"]):
    sys.exit("too few were moved, or none was canceled")
