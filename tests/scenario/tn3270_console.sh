#!/bin/bash
# Consoles on 3270 terminals, driven through s3270: logon screen, refusals, OPERATOR, MORE... and its
# keys and timer, DISCONNECT and reconnection, a running Linux guest, all screen sizes, classic TN3270 and TN3270E.
# Rules: RFC 1576; screen discipline of z/VM's CP (status at the lower right, TERMINAL MORE).
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"

. "$ROOT/tests/lib/s3270.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
echo 'CNSLPORT 127.0.0.1:0' >>"$cluster/hardware/MEMBERA.cnf"
boot_guest
port=$(endicott status --json | python3 -c "
import json, sys
print(next(m['console_port'] for m in json.load(sys.stdin) if m['member'] == 'MEMBERA'))")
grep -q "TN3270 consoles: 127.0.0.1:$port" "$ENDICOTT_RUN/MEMBERA.log" || fail 'the log has no port'

echo '--- the logon screen, and who does not get past it'
terminal op 3279-2
see 'z/VM ONLINE'
see 'USERID   ===>'
see 'RUNNING   MEMBERA *$'
logon NOBODY WRONG
see 'HCPLGA050E'
logon OPERATOR WRONG
see 'HCPLGA050E'
t 'Ascii()'
! grep -q WRONG <<<"$screen" || fail 'a password is shown'
t 'Tab()' && t 'Tab()' && enter 'FROB LINUX1'
see 'HCPCFC015E Command not valid before LOGON'
t 'Tab()' && t 'Tab()' && enter 'LOGON OPERATOR'
see 'Enter your password'
enter OPERATOR
see 'RECONNECTED AT'
see 'CP READ   MEMBERA *$'

echo '--- a command, a full screen, its keys'
enter 'QUERY NAMES'
see 'OPERATOR +- L[0-9A-F]{4}'
t 'Clear()'
sees_not 'RECONNECTED'
enter 'HELP#QUERY TIME#HELP#QUERY TIME#HELP#HELP' # pages that differ, however long HELP is
see 'MORE\.\.\.   MEMBERA *$'
before=$screen
t 'Enter()'
see 'HOLDING   MEMBERA *$'
[ "${before%MORE*}" = "${screen%HOLDING*}" ] || fail 'the output area moved'
t 'Clear()'
see '(MORE\.\.\.|CP READ)   MEMBERA *$'
[ "${before%MORE*}" != "${screen%%MORE*}" ] || fail 'Clear shows the same page'
until grep -q 'CP READ' <<<"$screen"; do
    t 'PA(2)'
    see '(MORE\.\.\.|CP READ)   MEMBERA *$'
done
enter 'TERMINAL MORE 1 0'
t 'Clear()'
enter 'HELP#HELP#HELP#HELP'
see 'MORE\.\.\.'
see 'CP READ   MEMBERA *$' # by its own time, page after page
t 'PF(12)'
see '^ HELP#HELP' # retrieved
t 'PF(1)'
see 'PF01 UNDEFINED'
t 'EraseInput()' && t 'Clear()'
enter 'SET PF1 IMMED QUERY USERID'
enter 'SET PF2 DELAYED MSG OP '
enter 'SET PF11 RETRIEVE FORWARD'
t 'Clear()'
t 'PF(1)'
see 'OPERATOR AT MEMBERA'
t 'PF(2)'
see '^ MSG OP'
t 'EraseInput()' && t 'PF(12)' && t 'PF(12)'
see '^ SET PF2 DELAYED MSG OP'
t 'PF(11)'
see '^ SET PF11 RETRIEVE FORWARD'
t 'EraseInput()' && t 'Clear()'

echo '--- line editing, HOLD OFF'
enter 'QUERY NAMEX@S'
see 'OPERATOR +- L[0-9A-F]{4}'
t 'Clear()'
enter 'TERM HOLD OFF MORE 50 10'
enter 'HELP#HELP#HELP#HELP'
see 'MORE\.\.\.   MEMBERA *$'
t 'Enter()'
see 'MORE\.\.\.   MEMBERA *$'
sees_not HOLDING
until grep -q 'CP READ' <<<"$screen"; do
    t 'Clear()'
    see '(MORE\.\.\.|CP READ)   MEMBERA *$'
done
t 'Clear()'

echo '--- Clear at the logon screen: a screen that asks for commands'
terminal form 3278-2
see 'z/VM ONLINE'
t 'Clear()'
see 'Enter one of the following commands:'
see 'CP READ   MEMBERA *$'
enter 'FROB'
see 'HCPCFC015E'
enter 'L LINUX2 NOIPL'
see 'Enter your password'
enter 'WRONG'
see 'HCPLGA050E'
t 'Ascii()'
! grep -q WRONG <<<"$screen" || fail 'a password is shown'
enter 'L LINUX2 BY NOBODY'
enter 'LINUX2'
see 'HCPLGA050E'
enter 'LOGOFF'
t 'Wait(20,Disconnect)' || fail 'LOGOFF before a logon does not hang up'
hang_up form
now=op

echo '--- a second terminal'
terminal second 3278-4-E
see 'z/VM ONLINE'
[ "$(wc -l <<<"$screen")" = 44 ] || fail "model 4 has $(wc -l <<<"$screen") lines"
logon OPERATOR OPERATOR
see 'HCPLGA054E Already logged on L'
t 'Tab()' && t 'Tab()' && enter 'LOGON OPERATOR OPERATOR HERE'
see 'RECONNECTED AT'
now=op
see 'OPERATOR was disconnected from here'
now=second
enter 'DISC HOLD'
see 'DISCONNECT AT'
see 'z/VM ONLINE'

echo '--- the guest: its shell, its history, its life without a terminal'
logon LINUX1 LINUX1
see 'ENDICOTT-GUEST-READY'
see 'RUNNING   MEMBERA *$'
t 'Clear()'
enter "echo SHELL-\$((6 * 7)) '{a|b}'"
see 'SHELL-42 \{a\|b\}'
enter "[ 1 = 1 ] && echo BRACKETS-'[a]'^ | tr '[a-z]' '[A-Z]'" # typed, taken by the guest, shown
see 'BRACKETS-\[A\]\^'
enter "echo BYTES-\$(echo '[]' | od -An -tx1)" # as ASCII in the guest
see 'BYTES- ?5b 5d'
t 'Clear()'
enter '#CP QUERY USERID'
see 'LINUX1 +AT MEMBERA'
t 'PA(1)'
see 'CP READ   MEMBERA *$'
enter 'BEGIN'
see 'RUNNING   MEMBERA *$'
t 'Clear()'
enter 'for i in 1 2 3 4 5 6 7 8 9; do seq 1 10; done; echo SEQ-$((1+1))-DONE'
see 'MORE\.\.\.   MEMBERA *$'
sees_not 'SEQ-2-DONE'
hang_up second
expect 0 'SEQ-2-DONE' endicott wait -u LINUX1 --match 'SEQ-2-DONE' --since-start --timeout "$WAIT_SECONDS"
expect 0 'GRAF L[0-9A-F]+ DISCONNECT LINUX1' endicott wait -m MEMBERA \
    --match 'GRAF .* DISCONNECT LINUX1' --since-start --timeout "$WAIT_SECONDS"

echo '--- reconnected: the last lines, then a relocation; the terminal stays'
terminal wide 3278-5
logon LINUX1 LINUX1
see 'SEQ-2-DONE'
see 'RECONNECTED AT'
[ "$(wc -l <<<"$screen")" = 28 ] || fail "model 5 has $(wc -l <<<"$screen") lines"
t 'Clear()'
enter 'read -p NAME? name; echo IT-IS-$name'
see '^ ?NAME\?'
t 'String("Mis")'
expect 0 'User LINUX1 has been relocated' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB
see 'RUNNING   MEMBERB *$'
t 'String("ter X")' && t 'Enter()' || fail "the keyboard is locked: $screen"
see 'IT-IS-Mister X'
enter '#CP DISCONN HOLD'
see 'DISCONNECT AT'
logon LINUX1 LINUX1
see 'HCPLGA054E Already logged on AT MEMBERB'
expect 0 'User LINUX1 has been relocated' cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
logon LINUX1 LINUX1
see 'RECONNECTED AT'
t 'Clear()'
enter 'echo BACK-$((6 * 7))'
see 'BACK-42'

echo '--- LOGOFF, and the end of the member'
enter '#CP LOGOFF HOLD'
see 'LOGOFF AT'
see 'Fill in your USERID'
expect 0 '' endicott cp -m MEMBERA QUERY NAMES
! grep -q LINUX1 <<<"$(endicott cp -m MEMBERA QUERY NAMES)" || fail 'LINUX1 is still logged on'
logon LINUX2 LINUX2
see 'LOGON AT'
expect 0 'MEMBERA has ended' endicott stop "$cluster"
t 'Wait(20,Disconnect)' || fail 'the terminal is still connected'
for terminal in op wide; do
    hang_up $terminal
done
echo "tn3270_console: passed"
