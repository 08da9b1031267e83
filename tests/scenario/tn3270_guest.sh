#!/bin/bash
# A guest under CP whose console is a 3270 display: CP's screen and the guest's own on one terminal, PA1 and
# Clear between them, DISCONNECT and reconnection, relocation with its terminal and without, TERMINAL CONMODE, TLS.
# Rules: z/VM's full-screen mode (CONMODE 3270, BRKKEY PA1); Linux asks CP for the conmode and sets it.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/s3270.sh"
before_cleanup() { kill "${S_PID[@]}" 2>/dev/null || true; }

cluster=$TEST_TMP/two
sample two "$cluster"
certificate "$cluster/console.pem"
printf 'CNSLCERT console.pem\nCNSLPORT 0.0.0.0:0\n' >>"$cluster/hardware/MEMBERA.cnf"
sed -i 's|CONSOLE 0009 3215 T OPERATOR|CONSOLE 0009 3270 T OPERATOR|' "$cluster/user.direct"
grep -q 'CONSOLE 0009 3270' "$cluster/user.direct" || fail 'the sample has no console to change'
echo "$QUICK_BOOT" >"$TEST_TMP/parmfile"
endicott up "$cluster" >/dev/null
endicott punch -m MEMBERA -u LINUX1 "$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" \
    "$GUEST_FILES/initramfs.cpio.lz4" >/dev/null
port=$(endicott status --json | python3 -c "
import json, sys
print(next(m['console_port'] for m in json.load(sys.stdin) if m['member'] == 'MEMBERA'))")

echo '--- logged on: CP reads; IPL, then the screen is the guest'\''s'
to="L:127.0.0.1:$port"
terminal one 3279-2-E -codepage cp037 -noverifycert
logon LINUX1 LINUX1
see '(CP READ|RUNNING|MORE\.\.\.) +MEMBERA *$'
see 'console view +Running'
see 'Run /init as init process'
t 'PF(3)'
see 'guest# *$'
enter 'stty size; echo SHELL-$((6 * 7))'
see 'SHELL-42'
echo '--- PA1: CP; Clear after BEGIN: the guest'
t 'PA(1)'
see 'CP READ +MEMBERA *$'
enter 'QUERY TERMINAL'
see 'CONMODE 3270'
enter 'BEGIN'
see '(MORE\.\.\.) +MEMBERA *$'
sees_not 'SHELL-42'
t 'Clear()'
see 'SHELL-42'
echo '--- CP writes: its screen breaks in'
expect 0 '' cp_on MEMBERA MESSAGE LINUX1 HELLO THERE
see 'HELLO THERE'
see 'MORE\.\.\. +MEMBERA *$'
t 'PA(2)'
see 'SHELL-42'
echo '--- relocated with its terminal: the screen, what is half typed, and CP behind PA1'
t 'String("echo THERE-$((6 *")'
expect 0 'User LINUX1 has been relocated' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB
t 'String(" 9))")' && t 'Enter()' || fail "the keyboard is locked: $screen"
see 'THERE-54'
see 'SHELL-42'
sees_not 'has been relocated' # the guest's screen is not disturbed; CP's has it
t 'PA(1)'
see 'CP READ +MEMBERB *$'
enter 'QUERY USERID'
see 'LINUX1 +AT MEMBERB'
enter 'BEGIN'
t 'Clear()'
see 'THERE-54'
expect 0 'User LINUX1 has been relocated' cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
enter 'echo HERE-$((6 * 10))'
see 'HERE-60'
see 'THERE-54'
echo '--- disconnected, relocated and back: the screen is as it was'
t 'PA(1)'
see 'CP READ +MEMBERA *$'
enter 'BEGIN#DISC HOLD'
see 'DISCONNECT AT'
expect 0 'User LINUX1 has been relocated' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB
expect 0 'User LINUX1 has been relocated' cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
logon LINUX1 LINUX1
see 'SHELL-42'
enter 'echo BACK-$((6 * 8))'
see 'BACK-48'
echo '--- TERMINAL CONMODE 3215 takes the display away'
t 'PA(1)'
see 'CP READ +MEMBERA *$'
t 'Clear()'
enter 'SYSTEM RESET'
enter 'TERMINAL CONMODE 3215'
t 'Clear()'
enter 'QUERY TERMINAL'
see 'CONMODE 3215'
enter 'LOGOFF HOLD'
see 'LOGOFF AT'
hang_up one
expect 0 'MEMBERA has ended' endicott stop "$cluster"
echo "tn3270_guest: passed"
