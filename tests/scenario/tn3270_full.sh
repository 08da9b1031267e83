#!/bin/bash
# A 3270 terminal whose guest does not read: when as many lines wait as its console holds, one more is NOT ACCEPTED and
# stays in the input area, as often as it is entered.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"
. "$ROOT/tests/lib/s3270.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
echo 'CNSLPORT 127.0.0.1:0' >>"$cluster/hardware/MEMBERA.cnf"
endicott up "$cluster" >/dev/null
port=$(endicott status --json | python3 -c "
import json, sys
print(next(m['console_port'] for m in json.load(sys.stdin) if m['member'] == 'MEMBERA'))")

deck "$TEST_TMP/deaf" <<TEXT
        larl %r1,wait
        lpswe 0(%r1)
        .balign 8
wait:   .quad 0x0102000180000000,0x1234
TEXT
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/deaf"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
terminal one 3278-2
logon LINUX1 LINUX1
see 'RUNNING   MEMBERA *$'
t 'Clear()'

# --- as many lines as there is room for: the 3215's, and those that wait for it
most() { sed -n "s/^#define $2 \([0-9]*\)$/\1/p" "$ROOT/$1"; }
room=$(($(most io/con3215.h CON3215_LINES_QUEUED_MAX) + $(most hyp/console.h CONSOLE_INPUTS_MAX)))
python3 - "$ENDICOTT_RUN/MEMBERA.sock" "$room" <<'PYTHON'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
answers = s.makefile()
taken = 0
while taken < int(sys.argv[2]):
    s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"console.write","params":{"user":"LINUX1","text":"waits"}}\n')
    answer = json.loads(answers.readline())
    if "error" in answer and "too much waits" not in answer["error"]["message"]:
        sys.exit(str(answer))
    taken += "result" in answer
PYTHON
expect 3 'too much waits to be read' endicott send -u LINUX1 'one too many'
enter 'one#two'
see 'NOT ACCEPTED MEMBERA *$'
see '^ one#two'
t 'Enter()'
see 'NOT ACCEPTED MEMBERA *$'
see '^ one#two'

hang_up one
expect 0 'has ended' endicott stop "$cluster"
echo "tn3270_full: passed"
