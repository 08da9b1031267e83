#!/bin/bash
# Every instruction test that expects to pass also passes on QEMU, an independent implementation.
# A source that says `qemu: no, REASON` in its first comment tests what QEMU 7.2 lacks; it is named.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$ROOT"

"$ROOT/tests/run" --assemble
images=()
for source in tests/insn/*/*.S; do
    [ -e "$source" ] || { echo "no instruction tests"; exit 1; }
    reason=$(head -c 4000 "$source" | sed -n 's/.*\bqemu:[[:space:]]*no,*[[:space:]]*\([^*]*\).*/\1/p' | head -n 1)
    if [ -n "$reason" ]; then
        echo "left out: $source: $reason"
    elif grep -qE '\bstatus:[[:space:]]*[1-9]' <<<"$(head -c 4000 "$source")"; then
        echo "left out: $source: it means to end otherwise"
    else
        images+=("${ENDICOTT_BUILD:-build}/tests/insn/$(basename "$source" .S).elf")
    fi
done
python3 tests/lib/qemu_insn.py "${images[@]}"
