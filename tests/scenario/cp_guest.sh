#!/bin/bash
# CP under a real guest with four CPUs: what Linux sees of its machine (STSI 3.2.2), commands from inside
# (DIAGNOSE X'08' by /dev/vmcp), operator functions on it from outside while it runs, its end.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^  CPU 00 BASE/&\n  CPU 01\n  CPU 02\n  CPU 03/' "$cluster/user.direct"

as() { # userid, command...
    endicott cp -m MEMBERA -u "$@"
}

runs() { # command for the guest's shell, the line it prints at last (maybe behind the prompt)
    endicott send -u LINUX1 "$1"
    on_guest "^(guest# )*$2" >/dev/null
}

instructions() { # user
    python3 - "$ENDICOTT_RUN/MEMBERA.sock" "$1" <<'PYTHON'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"stats.get"}\n')
answer = json.loads(s.makefile().readline())["result"]
print(next(g["instructions"] for g in answer["users"] if g["user"] == sys.argv[2]))
PYTHON
}

on_guest_saw_sigp() { # console.read, not a wait: it must not be there
    grep -q HCPGSP2629I <<<"$(console_tail MEMBERA LINUX1)"
}

boot_guest

# --- the machine that Linux sees
expect 0 'ENDICOTT-GUEST-READY .* 4 cpu' on_guest ENDICOTT-GUEST-READY
runs 'grep VM00 /proc/sysinfo; uname -m; echo SYSINFO-DONE' SYSINFO-DONE
for line in 'VM00 Name: +LINUX1' 'VM00 Control Program: +z/VM' 'VM00 CPUs Total: +4' \
    'VM00 CPUs Configured: +4'; do
    expect 0 "$line" on_guest "$line"
done

# --- SIGP: a CPU is taken off and brought back by the guest
runs 'cd /sys/devices/system/cpu; echo 0 >cpu3/online; echo cpus-$(nproc)' 'cpus-3'
runs 'echo 1 >cpu3/online; echo again-$(nproc); cd /' 'again-4'

# --- the channel subsystem: all subchannel sets, measurement of the console's channel programs (cmf), a path varied
runs 'cd /sys/bus/ccw/devices/0.0.0009; cat cmb_enable; echo 1 >cmb_enable; echo cmb-$(cat cmb_enable)' 'cmb-1'
runs 'echo one; echo two; cat cmf/sample_count >/dev/null; n=$(cat cmf/sample_count); echo measured-$((n > 1 && n <= $(cat cmf/ssch_rsch_count)))' \
    'measured-1'
runs 'cat cmf/avg_device_connect_time >/dev/null && echo 0 >cmb_enable; echo cmb-$(cat cmb_enable); cd /' 'cmb-0'
runs 'cd /sys/devices/css0/chp0.11; echo off >status; echo path-$(cat status); echo on >status; echo path-$(cat status)' 'path-offline'
runs 'cd /' 'path-online'

# --- commands from inside: responses and return codes
runs 'vmcp QUERY USERID; echo V1-$?' 'V1-0'
expect 0 'LINUX1   AT MEMBERA' on_guest 'LINUX1   AT MEMBERA'
expect 0 'VMCP-RC 0 [0-9]+' on_guest 'VMCP-RC 0'
runs 'vmcp QUERY TIME; echo V2-$?' 'V2-0'
expect 0 'CONNECT=' on_guest 'CONNECT='
runs 'vmcp FROBNICATE; echo V3-$?' 'V3-1'
expect 0 'HCPCMD001E' on_guest 'HCPCMD001E'
expect 0 'VMCP-RC 1 ' on_guest 'VMCP-RC 1 '
runs 'vmcp SHUTDOWN; echo V4-$?' 'V4-1' # class A: not for LINUX1
runs 'vmcp MESSAGE NOBODY hello; echo V5-$?' 'V5-1'
expect 0 'VMCP-RC 45 ' on_guest 'VMCP-RC 45 '
runs 'vmcp MESSAGE OPERATOR from inside; echo V6-$?' 'V6-0'
expect 0 'from inside' endicott wait -m MEMBERA --match 'FROM LINUX1 *: from inside' --since-start \
    --timeout "$WAIT_SECONDS"
# a response longer than the buffer: Linux learns the length, CP stays in its bounds
runs 'vmcp -b 4096 HELP >/tmp/help; tail -n 1 /tmp/help; wc -c </tmp/help | sed s/^/bytes-/; echo V7' 'V7'
# all four CPUs at once: the CPU may run again before its processor has seen that it was blocked
runs 'for i in 1 2 3 4; do vmcp -n 1000 QUERY USERID >/tmp/v$i & done; wait; cat /tmp/v? | grep -c "VMCP-RC 0" | sed s/^/all-/' \
    'all-[0-9]'
expect 0 'all-4' on_guest '(^|# )all-[0-9]'

# --- STOP and BEGIN; nothing is executed in between
runs '(while :; do :; done) & echo SPIN' 'SPIN'
expect 0 '' as LINUX1 STOP
before=$(instructions LINUX1)
expect 0 'PSW' as LINUX1 DISPLAY PSW
expect 0 'GPR  0 =' as LINUX1 DISPLAY G
after=$(instructions LINUX1)
[ "$before" = "$after" ] || fail "a stopped guest executed $((after - before)) instructions"
# STORE what was there, and something else where Linux does not look any more
line=$(as LINUX1 DISPLAY G7 | tail -n 1)
expect 0 '' as LINUX1 STORE HR10480 C5D5C4C9
expect 0 'R0*10480 +C5D5C4C9' as LINUX1 DISPLAY HR10480.4
[ "$line" = "$(as LINUX1 DISPLAY G7 | tail -n 1)" ] || fail "G7 has changed"
expect 1 'HCP' as LINUX1 DISPLAY HRFFFFFFFF0.10
expect 1 'HCP' as LINUX1 STORE HR10480 ZZZZ
! on_guest_saw_sigp || fail 'STOP was reported as a SIGP'
expect 0 '' as LINUX1 BEGIN
until [ "$(instructions LINUX1)" -gt "$after" ]; do moment; done
runs 'kill $!; echo UNSPUN' 'UNSPUN'

# --- the console: #CP, SET RUN, MESSAGE, SEND
endicott send -u LINUX1 '#CP MESSAGE * escaped'
on_guest 'FROM LINUX1 *: escaped' >/dev/null
endicott send -u LINUX1 '#CP SET RUN OFF'
endicott send -u LINUX1 '#CP'
on_guest '^00: CP$' >/dev/null
expect 0 'RUN OFF' as LINUX1 QUERY SET
before=$(instructions LINUX1)
endicott send -u LINUX1 'QUERY USERID' # CP READ: a command, not Linux's
endicott send -u LINUX1 'BEGIN'
runs 'echo after-$((1 + 1))-begin' 'after-2-begin'
endicott send -u LINUX1 '#CP SET RUN ON'
expect 0 '' cp_on MEMBERA MESSAGE LINUX1 first word
on_guest 'FROM OPERATOR: first word' >/dev/null
expect 0 '' as LINUX1 SET MSG OFF
expect 1 'HCP' cp_on MEMBERA MESSAGE LINUX1 second word
expect 0 '' as LINUX1 SET MSG ON
expect 0 '' cp_on MEMBERA SEND LINUX1 'echo sent-$((40 + 2))'
on_guest '(^|# )sent-42' >/dev/null
expect 0 '' cp_on MEMBERA SEND CP LINUX1 MESSAGE '*' sent to CP
on_guest 'FROM LINUX1 *: sent to CP' >/dev/null

# --- a reset while a CPU waits for CP: it waits no longer, nothing is answered into the new life
runs 'echo sleep-$((1 + 1)); vmcp SLEEP 90 MIN' 'sleep-2'
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$GUEST_FILES/kernel" "$TEST_TMP/parmfile" \
    "$GUEST_FILES/initramfs.cpio.gz"
expect 0 '' as LINUX1 IPL 00C CLEAR
endicott wait -u LINUX1 --match ENDICOTT-GUEST-READY --timeout "$WAIT_SECONDS" >/dev/null
runs 'echo second-$((1 + 1))-life' 'second-2-life'

# --- the guest ends by a command of its own
endicott send -u LINUX1 'vmcp LOGOFF'
expect 0 'LOGOFF AS +LINUX1' endicott wait -m MEMBERA --match 'LOGOFF AS +LINUX1' --since-start \
    --timeout "$WAIT_SECONDS"
expect 0 'MEMBERA' cp_on MEMBERA QUERY USERID
echo "cp_guest: passed"
