#!/bin/bash
# A 3270 terminal whose guest does not read: when as many lines wait as its console holds, one more is NOT ACCEPTED and
# stays in the input area; it is taken when the guest has read. Of several lines typed as one those that were taken do not stay.
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

# Waits with its eyes shut. SYSTEM RESTART makes it read one line, say so, and wait again.
deck "$TEST_TMP/deaf" <<TEXT
        larl %r7,new
        mvc 0x1a0(16,%r0),0(%r7)
        larl %r8,schib
        lgfi %r1,0x10000
scan:   stsch 0(%r8)
        jnz bad
        clc 6(2,%r8),console-schib(%r8)
        je found
        aghi %r1,1
        j scan
found:  oi 5(%r8),0x80
        msch 0(%r8)
        jnz bad
        j rest
read:   larl %r8,schib
        tsch irb-schib(%r8)
        ssch orb-schib(%r8)
        jnz read
ends:   tsch irb-schib(%r8)
        jnz ends
        tm irb-schib+8(%r8),4
        jz ends
        larl %r2,got
        llc %r3,12(%r2)
        ahi %r3,1
        stc %r3,12(%r2)
        lghi %r3,13
        .long 0x83230008
rest:   larl %r9,wait
        lpswe 0(%r9)
bad:    larl %r1,lost
        lpswe 0(%r1)
        .balign 8
new:    .quad 0x0000000180000000,read
wait:   .quad 0x0102000180000000,0x1234
lost:   .quad 0x0002000180000000,0
ccw:    .long 0x0a2000ff,0x3000
schib:  .fill 64,1,0
irb:    .fill 96,1,0
orb:    .long 0,0x0080ff00,ccw
console: .byte 0,9
got:    .byte 0xd4,0xe2,0xc7,0x40,0x5c,0x40,0xc7,0xd6,0xe3,0x40,0xd6,0xc6,0xf0 # MSG * GOT OF0
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

# --- room for one line, and for one more
got() { endicott wait -u LINUX1 --match "GOT OF$1" --since-start --timeout "$WAIT_SECONDS" >/dev/null; }
expect 0 '' endicott cp -u LINUX1 SYSTEM RESTART
got 1
t 'Enter()'
see '^ two'
see 'NOT ACCEPTED MEMBERA *$'
expect 0 '' endicott cp -u LINUX1 SYSTEM RESTART
got 2
t 'Enter()'
see '(HOLDING|MORE\.\.\.) +MEMBERA *$' # the lines that were typed fill the screen
sees_not '^ two'
hang_up one
expect 0 'has ended' endicott stop "$cluster"
echo "tn3270_full: passed"
