#!/bin/bash
# SET MCHECK: what Linux does about machine checks of each kind and events of channel paths, and a bare program that is
# disabled for them. A warning and a channel report are counted and the guest goes on; system damage stops it.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$(dirname "$0")/../lib/program.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^  CPU 00 BASE/&\n  CPU 01/' "$cluster/user.direct"

as() { # userid, command...
    endicott cp -m MEMBERA -u "$@"
}

runs() { # command for the guest's shell, the line it prints at last (maybe behind the prompt)
    endicott send -u LINUX1 "$1"
    on_guest "^(guest# )*$2" >/dev/null
}

boot_guest
# Lines are short: a 3215 takes no long ones.
runs "n() { awk '/^ *NMI/{print \$2+\$3}' /proc/interrupts; }; echo nmi-\$(n)" 'nmi-0'
runs 'w() { until [ $(n) = $1 ]; do usleep 50000; done; echo nmi-$1; }; echo def-$((1 + 1))' 'def-2'

# --- from outside; the guest takes it when it likes
expect 0 '' as LINUX1 SET MCHECK WARNING
runs 'w 1' 'nmi-1'
expect 0 '' as LINUX1 SET MCHECK CPU 01 RECOVERY AT 5000
runs 'w 2' 'nmi-2'
expect 0 '' as LINUX1 SET MCHECK CHANNEL
runs 'w 3' 'nmi-3'
# --- from inside; one that Linux does not enable waits for ever
runs 'vmcp SET MCHECK DEGRADATION; echo D-$?' 'D-0'
runs 'vmcp SET MCHECK EXTERNAL CODE 0; w 4' 'nmi-4'
# --- events of channel paths: Linux tells of links, loses the reader with its path and finds it again
runs 'k() { until dmesg | grep -q "$1"; do usleep 50000; done; echo k-$2; }; echo def-$((2 + 2))' 'def-4'
expect 0 '' as LINUX1 SET MCHECK LINK 11 DEGRADED
runs 'k "Link degraded: RS=04 RSID=0011 IC=02" 1' 'k-1'
expect 0 '' as LINUX1 SET MCHECK LINK 11 STOPPED
runs 'k "Link stopped: RS=04 RSID=0011 IC=03" 2' 'k-2'
expect 0 '' as LINUX1 SET MCHECK PATH 11 DECONFIGURE
runs 'k "Processing deconfigure for channel path 0.11" 3' 'k-3'
runs 'r() { [ -e /sys/bus/ccw/devices/0.0.000c ]; }; r && echo r-1' 'r-1'
expect 0 '' as LINUX1 SET MCHECK PATH 11 LOST
runs 'while r; do :; done; echo r-2' 'r-2'
expect 0 '' as LINUX1 SET MCHECK PATH 11 BACK
runs 'until r; do :; done; echo r-3' 'r-3'
expect 1 'HCPCMD002E' as LINUX1 SET MCHECK PATH EE LOST
# --- system damage: Linux stops (this kernel without a word)
endicott send -u LINUX1 'vmcp SET MCHECK SYSTEM'
on_guest 'HCPGIR450W|HCPGSP2629I' >/dev/null
expect 0 'FORCED' cp_on MEMBERA FORCE LINUX1

# --- a program disabled for machine checks: repressible ones wait, an exigent one is check-stop
deck "$TEST_TMP/spin" <<'TEXT'
        j .
TEXT
expect 0 '' endicott punch -m MEMBERA -u LINUX2 "$TEST_TMP/spin"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX2
expect 0 '' as LINUX2 SET MCHECK WARNING
expect 0 '' as LINUX2 SET MCHECK RECOVERY
expect 0 '' as LINUX2 DISPLAY PSW
expect 0 '' as LINUX2 SET MCHECK PROCESSING
endicott wait -u LINUX2 --match 'HCPGIR451W' --since-start --timeout "$WAIT_SECONDS" >/dev/null
expect 1 'HCPDIS163E' as LINUX2 SET MCHECK CPU 05 WARNING
echo "cp_machine_check: passed"
