#!/bin/bash
# DIAL from the logon screen to a display of a guest that is logged on: Linux runs a shell there; a second terminal
# gets none; the guest is relocated, its terminals stay; the display goes by DETACH and the terminal is back at the logon screen.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/s3270.sh"
before_cleanup() { kill "${S_PID[@]}" 2>/dev/null || true; }

cluster=$TEST_TMP/two
sample two "$cluster"
echo 'CNSLPORT 127.0.0.1:0' >>"$cluster/hardware/MEMBERA.cnf"
sed -i 's/^USER LINUX1.*/&\n  SPECIAL 0020 3270/' "$cluster/user.direct"
boot_guest
expect 0 'GRAF 0020 3270 SUBCHANNEL = ' endicott cp -m MEMBERA -u LINUX1 QUERY VIRTUAL GRAF
port=$(endicott status --json | python3 -c "
import json, sys
print(next(m['console_port'] for m in json.load(sys.stdin) if m['member'] == 'MEMBERA'))")

dial() { # operands of DIAL
    see 'Fill in your USERID and PASSWORD and press ENTER|HCPDIA|DROPPED'
    t 'Tab()' && t 'Tab()' && enter "DIAL $1"
}

echo '--- who and what cannot be dialed'
terminal one 3279-2-E -codepage cp037
dial LINUX2
see 'HCPDIA045E LINUX2 not logged on'
dial 'LINUX1 21'
see 'HCPDIA055E Line\(s\) not available on LINUX1'
dial 'LINUX1 XYZ'
see 'HCPDIA022E'
dial LINUX1
endicott send -u LINUX1 'echo 1 >/sys/bus/ccw/devices/0.0.0020/online; ls /dev/3270; echo ONLINE-$?'
on_guest 'ONLINE-0' >/dev/null
endicott send -u LINUX1 '(setsid sh -c "exec sh -i <>/dev/3270/tty1 >&0 2>&1" &)'
see '[$#] *$'
enter 'echo DIALED-$((6 * 7))'
see 'DIALED-42'

echo '--- a second terminal finds no line; another display is defined for it'
terminal two 3279-3-E -codepage cp037
dial LINUX1
see 'HCPDIA055E'
dial 'LINUX1 20'
see 'HCPDIA056E Line 0020 busy on LINUX1'
expect 0 'GRAF 0021 DEFINED' endicott cp -m MEMBERA -u LINUX1 DEFINE GRAF 21
dial LINUX1
now=one
enter 'echo STILL-$((6 * 8))'
see 'STILL-48'

echo '--- the guest is relocated: they stay'
expect 0 'User LINUX1 has been relocated' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB
enter 'echo THERE-$((6 * 9))'
see 'THERE-54'
see 'STILL-48'
terminal three 3279-2-E -codepage cp037
dial LINUX1
see 'HCPDIA045E LINUX1 not logged on'
now=one

echo '--- the display goes'
expect 0 'GRAF 0020 DETACHED' endicott cp -m MEMBERB -u LINUX1 DETACH 20
see 'DROPPED FROM LINUX1 0020'
expect 0 '' cp_on MEMBERB FORCE LINUX1
now=two
see 'DROPPED FROM LINUX1 0021'
echo "tn3270_dial: passed"
