#!/bin/bash
# Debian's kernel to userland under the translator and in lockstep, where each stretch of translated code is compared
# with the interpreter: the same checksums of gbench, which the interpreter's run gives. Each translation is compared 500
# times, then one time of sixteen (lockstep-some); all of it is by make soak-lockstep, in minutes.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
cd "$TEST_TMP"

# Lockstep tells the first difference and then both states: the head names the instruction. As many lines as a run shows.
told() { # engine
    echo "$1.messages begins:"
    head -n 14 "$1.messages"
    echo "... and the console's log ends:"
    tail -n 6 "$1.out"
}

boot() { # engine, gbench's size, kernel
    "$ENDICOTT" ipl --kernel "$guest/$3" --initrd "$guest/initramfs.cpio.lz4" --engine "$1" --stats "$1.json" \
        --append "$QUICK_BOOT endicott.run=\"gbench -s $2\"" --timeout 1700 <&- >"$1.out" 2>"$1.messages" ||
        fail "$1: status $?: $(told "$1")"
    tr -d '\r' <"$1.out" | awk '$1 == "BENCH" {print $2, $4}' >"$1.sums"
    [ -s "$1.sums" ] || fail "$1: no checksum of gbench: $(tail -n 30 "$1.out")"
}

boot interp 1 kernel.quick
boot jit 1 kernel.quick
cmp interp.sums jit.sums || fail "jit computes something else than the interpreter"
boot lockstep-some 1 kernel # which unpacks itself: the work of a second
cmp interp.sums lockstep-some.sums || fail "lockstep computes something else than the interpreter"
python3 - <<'PYTHON'
import json
s = json.load(open("jit.json"))["jit"]
assert s["regions"] > 1000 and s["host_bytes"] > 100000, s
assert s["code_bytes"] < 64 << 20, s
s = json.load(open("lockstep-some.json"))["jit"]
compared, alone, unseen = (s["lockstep_instructions_" + how] for how in ("compared", "alone", "unseen"))
print(f"lockstep: {s['lockstep_stretches']} stretches, {compared} instructions compared, {unseen} not")
assert s["lockstep_stretches"] > 1000000 and compared > unseen / 50 and alone < compared / 10, s
PYTHON
