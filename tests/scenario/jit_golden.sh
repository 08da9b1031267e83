#!/bin/bash
# The host code that is emitted for short pieces of guest code (tests/golden/jit.S) is what
# tests/golden/jit.txt says, so that a change of the translator is a diff to read. After an intended
# one: tests/scenario/jit_golden.sh --update
set -euo pipefail
root=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
work=${TEST_TMP:-$(mktemp -d)}
cd "$root"

"${S390X_CC:-s390x-linux-gnu-gcc}" -nostdlib -static -fno-pic -no-pie -Wl,-Ttext=0x10000 -Wl,--build-id=none \
    -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -I. -o "$work/jit.elf" tests/golden/jit.S
"${ENDICOTT:-build/endicott}" ipl --kernel "$work/jit.elf" --engine jit-first --trace "jit:$work/trace" \
    --timeout 400 </dev/null
address() { s390x-linux-gnu-nm "$work/jit.elf" | awk -v name="$1" '$3 == name {print $1}'; }
tests/lib/jit_text.py --from "$(address golden_start)" --to "$(address golden_end)" "$work/trace" >"$work/now"
count=$(grep -c '^region' "$work/now")
[ "$count" -ge 60 ] || { echo "only $count regions"; exit 1; }
if [ "${1:-}" = --update ]; then
    cp "$work/now" tests/golden/jit.txt
else
    diff -u tests/golden/jit.txt "$work/now"
fi
