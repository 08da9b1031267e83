#!/bin/bash
# The process is killed in the middle of writes, many times: the image is sound each time, and every write that the
# guest was told of is there. The guest notes each round of its writes on a second disk when it was told.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$TEST_TMP"
kills=${ENDICOTT_KILLS:-40}

${S390X_CC:-s390x-linux-gnu-gcc} -DFOREVER -nostdlib -static -fno-pic -no-pie -Wl,-Ttext=0x10000 -Wl,--build-id=none \
    -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -I "$ROOT/tests/insn" -o eckd.elf "$ROOT/tests/programs/disk/eckd.S"

cat >run.py <<'PY'
"""Starts the machine, kills it when it has written for a while, looks at what it left; again and again."""
import os, random, struct, subprocess, sys, time

endicott, kills = sys.argv[1], int(sys.argv[2])
TRACKS, PER_TRACK = 59, 65536


def noted():
    with open("note.raw", "rb") as file:
        return struct.unpack(">Q", file.read(8))[0]


def record(raw, track, number):
    """The first 8 bytes of a record's data: the round that wrote it."""
    raw.seek(track * PER_TRACK + 16 + (number - 1) * 4104 + 8)
    return struct.unpack(">Q", raw.read(8))[0]


def look(last):
    check = subprocess.run([endicott, "dasd", "check", "disk.cckd"], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr
    if os.path.exists("disk.raw"):
        os.remove("disk.raw")
    subprocess.run([endicott, "dasd", "convert", "disk.cckd", "disk.raw", "--format", "raw"], check=True)
    with open("disk.raw", "rb") as raw:
        for number in range(max(1, last - TRACKS + 1), last + 1):
            track = number * 7 % TRACKS
            for at, which in ((track, 11), (track, 12), (track + 1, 1)):
                found = record(raw, at, which)
                assert found in (number, number + TRACKS), f"round {number}: track {at} record {which}: {found}; {last} noted"
    return "did not close" in check.stdout


random.seed(4)
rounds, unclosed = 0, 0
for kill in range(kills):
    if kill % 10 == 0:
        for name in ("disk.cckd", "note.raw"):
            if os.path.exists(name):
                os.remove(name)
        subprocess.run([endicott, "dasd", "init", "disk.cckd", "--cylinders", "4", "--linux"], check=True)
        subprocess.run([endicott, "dasd", "init", "note.raw", "--blocks", "8"], check=True)
    machine = subprocess.Popen([endicott, "ipl", "--kernel", "eckd.elf", "--memory", "4M", "--disk", "0200=disk.cckd",
                                "--disk", "0300=note.raw", "--timeout", "900"], stdin=subprocess.DEVNULL)
    before = noted()
    wanted = random.randrange(1, 150)  # notes to wait for, counted from 1 in each run
    while machine.poll() is None and not (noted() != before and noted() >= wanted):
        time.sleep(random.random() / 200)
    machine.kill()
    status = machine.wait()
    assert status == -9, f"the machine ended with {status}"
    last = noted()
    unclosed += look(last)
    rounds += last
print(f"{kills} kills, {rounds} rounds, {unclosed} files not closed")
assert unclosed > kills // 2
PY
python3 run.py "$ENDICOTT" "$kills"
