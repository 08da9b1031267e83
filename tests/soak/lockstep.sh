#!/bin/bash
# Debian's kernel to userland and gbench in lockstep, every stretch of translated code compared with the interpreter
# (scenario/ipl_engines compares what is executed often now and then only): the checksums are the interpreter's.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$ROOT/tests/lib/oracle.sh"
cd "$TEST_TMP"

boot() { # engine
    "$ENDICOTT" ipl --kernel "$guest/kernel" --initrd "$guest/initramfs.cpio.gz" --engine "$1" --stats "$1.json" \
        --append "endicott.run=\"gbench -s ${ENDICOTT_SCALE:-2}\"" --timeout 3000 <&- >"$1.out" 2>"$1.messages" ||
        fail "$1: status $?: $(head -n 14 "$1.messages"; tail -n 6 "$1.out")"
    tr -d '\r' <"$1.out" | awk '$1 == "BENCH" {print $2, $4}' >"$1.sums"
    [ -s "$1.sums" ] || fail "$1: no checksum of gbench: $(tail -n 30 "$1.out")"
}

boot interp
boot lockstep
cmp interp.sums lockstep.sums || fail "lockstep computes something else than the interpreter"
python3 - <<'PYTHON'
import json
s = json.load(open("lockstep.json"))["jit"]
share = s["lockstep_instructions_compared"] / (s["lockstep_instructions_compared"] + s["lockstep_instructions_alone"])
print(f"lockstep: {s['lockstep_stretches']} stretches, {100 * share:.2f} % of the instructions compared")
assert share > 0.9 and s.get("lockstep_instructions_unseen", 0) == 0, s
PYTHON
