#!/usr/bin/env python3
"""figures.py RUNDIR FILE: adds to FILE what the members that run know of finished relocations, each once, as its source tells it if that
one is there. figures.py --show FILE: a table of them."""
import glob
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from member import Member  # noqa: E402

ACTIVE = 255


def known(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="ascii") as file:
        return json.load(file)


def gather(run, path):
    rows = known(path)
    for socket in sorted(glob.glob(os.path.join(run, "*.sock"))):
        try:
            seen = Member(socket).call("stats.get").get("relocations", [])
        except OSError:
            continue  # it has ended
        for row in seen:
            key = f"{row['from']} {row['id']}"
            if row["code"] != ACTIVE and (key not in rows or row["direction"] == "out"):
                rows[key] = row
    with open(path + ".new", "w", encoding="ascii") as file:
        json.dump(rows, file)
    os.rename(path + ".new", path)


def show(path):
    rows = sorted(known(path).values(), key=lambda row: row["start_us"])
    lines = ["user|from|to|passes|MB sent|total ms|stood still ms|outcome"]
    for row in rows:
        lines.append("|".join((row["user"], row["from"], row["to"], str(len(row["passes"])), f"{row['bytes'] / 1e6:.2f}",
                               f"{row['total_ms']:.1f}", f"{row['quiesce_ms']:.1f}", row["reason"] or "completed")))
    widths = [max(len(line.split("|")[i]) for line in lines) for i in range(8)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line.split("|"), widths)).rstrip())


if sys.argv[1] == "--show":
    show(sys.argv[2])
else:
    gather(sys.argv[1], sys.argv[2])
