#!/bin/bash
# HiperSockets over two members: LINUX1 and LINUX2 on the LAN HSI of MEMBERA and of MEMBERB in layer 3, and on HS2 in layer 2. They
# reach each other with the largest packets; a stream of numbered blocks goes on while LINUX1 is relocated again and again (NET_MOVES,
# 4): nothing is lost, doubled or reset. Without the LAN on the other member, with one of another frame size, or with one at a bridge
# port LINUX1 stays.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/nic_guest.sh"
moves=${NET_MOVES:-4}
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/system.config" <<'CNF'
DEFINE LAN HSI OWNERID SYSTEM TYPE HIPERSOCKETS MFS 40K
DEFINE LAN HS2 OWNERID SYSTEM TYPE HIPERSOCKETS ETHERNET
CNF
sed -i 's/^USER LINUX\([12]\) .*/&\n NICDEF 0800 TYPE HIPERS LAN SYSTEM HSI\n NICDEF 0900 TYPE HIPERS LAN SYSTEM HS2/' "$cluster/user.direct"
cd "$TEST_TMP"
nic_files
endicott up "$cluster" >/dev/null
starts LINUX1 MEMBERA
starts LINUX2 MEMBERB
for i in 1 2; do
    started LINUX$i
    runs LINUX$i "nic 0800 10.8.0.$i 0 hsi0; nic 0900 10.9.0.$i 1 hsi1"
done

# --- one network
expect 0 'SSI: with 1 other member' cp_on MEMBERA QUERY LAN HSI OWNERID SYSTEM
runs LINUX1 'reaches 10.8.0.2; ping -c 2 -W 5 -s 32000 -q 10.8.0.2 | grep " 0% packet loss"'
runs LINUX2 'ping -c 2 -W 5 -s 32000 -q 10.8.0.1 | grep " 0% packet loss"'
runs LINUX1 'reaches 10.9.0.2; ping -c 2 -W 5 -s 8000 -q 10.9.0.2 | grep " 0% packet loss"'

# --- what keeps LINUX1 where it is
refused() { # what is wrong with the LAN there
    expect 1 "HCPRLE1956E .*0800 .LAN SYSTEM HSI$1.*MEMBERB" cp_on MEMBERA VMRELOCATE TEST LINUX1 MEMBERB
}
expect 0 'LAN SYSTEM HSI is destroyed' cp_on MEMBERB DETACH LAN HSI OWNERID SYSTEM
refused '\)'
expect 0 'SSI: with 0 other members' cp_on MEMBERA QUERY LAN HSI OWNERID SYSTEM
expect 0 'is created' cp_on MEMBERB DEFINE LAN HSI OWNERID SYSTEM TYPE HIPERSOCKETS MFS 16K
refused ': MFS'
expect 0 'is destroyed' cp_on MEMBERB DETACH LAN HSI OWNERID SYSTEM
expect 0 'is created' cp_on MEMBERB DEFINE LAN HSI OWNERID SYSTEM TYPE HIPERSOCKETS MFS 40K
expect 0 'is created' cp_on MEMBERB DEFINE VSWITCH VSW1 ETHERNET BRIDGEPORT LAN SYSTEM HSI
refused ": BRIDGEPORT"
expect 0 'is destroyed' cp_on MEMBERB DETACH VSWITCH VSW1
expect 0 'is connected to LAN SYSTEM HSI' endicott cp -m MEMBERB -u LINUX2 COUPLE 0800 TO SYSTEM HSI
runs LINUX1 'reaches 10.8.0.2'

# --- a stream that lasts
runs LINUX2 '(sleep 100000 | nc -l -p 5000 >/tmp/got &); until netstat -ltn | grep -q :5000; do usleep 50000; done'
runs LINUX1 'pace() { test $(($1 % 64)) != 0 || usleep 20000; }'
runs LINUX1 'numbers() { n=0; until test -e /tmp/end; do echo block $n; n=$((n + 1)); pace $n; done; echo $n >/tmp/sent; }'
runs LINUX1 '((numbers | nc 10.8.0.2 5000; echo $? >/tmp/done) >/dev/null 2>&1 &); dmesg -c >/dev/null'
at=MEMBERA
to=MEMBERB
for ((i = 1; i <= moves; i++)); do
    lines=$((i * 200))
    runs LINUX2 "until test \$(wc -l </tmp/got) -gt $lines; do usleep 50000; done"
    expect 0 'has been relocated' cp_on $at VMRELOCATE MOVE USER LINUX1 TO $to
    runs LINUX1 'ping -c 2 -W 5 -s 32000 -q 10.8.0.2 | grep " 0% packet loss"'
    runs LINUX2 'ping -c 2 -W 5 -s 8000 -q 10.9.0.1 | grep " 0% packet loss"'
    read -r at to <<<"$to $at"
done
runs LINUX1 'touch /tmp/end; until test -e /tmp/done; do usleep 50000; done; grep -qx 0 /tmp/done; ! dmesg | grep -i recover'
endicott send -u LINUX1 'echo sent $(cat /tmp/sent).'
sent=$(endicott wait -u LINUX1 --match '(^|# )sent [0-9]+\.' --since-start --timeout "$WAIT_SECONDS" | tail -n 1 |
    sed 's/.*sent \([0-9]*\)\..*/\1/')
runs LINUX2 "until test \$(wc -l </tmp/got) -ge $sent; do usleep 50000; done"
runs LINUX2 "awk '\$0 != \"block \" (NR - 1) { bad = 1 } END { exit bad || NR != $sent }' /tmp/got"
expect 0 'has ended' endicott stop "$cluster"
echo "net_hipersockets: $moves relocations, $sent blocks"
