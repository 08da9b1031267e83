#!/bin/bash
# Long work shows a bar on a terminal and nowhere else: dasd check and convert, tape convert.
set -euo pipefail
. "$(dirname "$0")/../lib/failure.sh"
cd "$TEST_TMP"
"$ENDICOTT" dasd init a.cckd --model 3390-9
python3 -c 'import sys
for i in range(3000):
    sys.stdout.buffer.write((1000).to_bytes(2, "little") + (1000 if i else 0).to_bytes(2, "little") + b"\xa0\0" + bytes(1000))' >a.aws

on_terminal() { # arguments: what a terminal shows
    python3 -c 'import pty, sys
sys.exit(pty.spawn(sys.argv[1:]))' "$ENDICOTT" "$@" </dev/null
}

for work in 'dasd check a.cckd' 'dasd convert a.cckd b.cckd' 'tape convert a.aws b.het'; do
    rm -f b.cckd b.het
    # shellcheck disable=SC2086 # words
    "$ENDICOTT" $work >out 2>&1
    ! grep -q '%' out || fail "$work shows a bar where no terminal is: $(cat out)"
    rm -f b.cckd b.het
    # shellcheck disable=SC2086
    on_terminal $work >out
    grep -aq '100 %' out || fail "$work shows no bar on a terminal: $(cat out)"
done
echo "progress: passed"
