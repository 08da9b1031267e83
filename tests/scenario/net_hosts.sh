#!/bin/bash
# Members on two hosts: each in a network namespace of its own, with a wire between them and keys for their links. LINUX1 on the one
# and LINUX2 on the other are on one network by the link, and on another one by VXLAN (vde:vxvde). LINUX1 keeps its address and its
# TCP connection when it moves to the other host, and back. Needs root (namespaces), and says so.
set -euo pipefail
WAIT_SECONDS=${WAIT_SECONDS:-240}
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/nic_guest.sh"
[ "$(id -u)" = 0 ] || fail "network namespaces need root"
cluster=$TEST_TMP/two
a=endt-a-$$
b=endt-b-$$
before_cleanup() { for n in $a $b; do ip netns del $n 2>/dev/null || true; done; } # members that run keep theirs
ip netns add $a
ip netns add $b
ip -n $a link add wire type veth peer name wire netns $b
host() { # namespace, address
    ip -n "$1" link set lo up
    ip -n "$1" addr add "$2/24" dev wire
    ip -n "$1" link set wire up
    ip -n "$1" route add 224.0.0.0/4 dev wire
}
host $a 10.99.0.1
host $b 10.99.0.2

sample two "$cluster"
sed -i 's/^SSIPORT .*/SSIPORT 10.99.0.1:0/' "$cluster/hardware/MEMBERA.cnf"
sed -i 's/^SSIPORT .*/SSIPORT 10.99.0.2:0/' "$cluster/hardware/MEMBERB.cnf"
cat >>"$cluster/system.config" <<'CNF'
SSI_LINKS TLS
DEFINE VSWITCH VSW1 ETHERNET
MODIFY VSWITCH VSW1 GRANT LINUX1
MODIFY VSWITCH VSW1 GRANT LINUX2
MEMBERA: DEFINE VSWITCH VXA ETHERNET UPLINK vde:vxvde://239.1.2.3
MEMBERA: MODIFY VSWITCH VXA GRANT LINUX1
MEMBERB: DEFINE VSWITCH VXB ETHERNET UPLINK vde:vxvde://239.1.2.3
MEMBERB: MODIFY VSWITCH VXB GRANT LINUX2
CNF
sed -i 's/^USER LINUX\([12]\) .*/&\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1/' "$cluster/user.direct"
cd "$TEST_TMP"
nic_files
endicott cluster keys "$cluster" >/dev/null
on_host() { # namespace, member
    expect 0 "$2 is ready" env ENDICOTT_TEST_HOST="$2" ip netns exec "$1" "$ENDICOTT" start "$cluster" "$2"
}
on_host $a MEMBERA
on_host $b MEMBERB
starts LINUX1 MEMBERA
starts LINUX2 MEMBERB
started LINUX1
started LINUX2

# --- one network by the link of the members
runs LINUX1 'nic 0600 10.1.0.1'
runs LINUX2 'nic 0600 10.1.0.2; reaches 10.1.0.1'
runs LINUX1 'reaches 10.1.0.2'
expect 0 'with 1 other member' cp_on MEMBERA QUERY VSWITCH VSW1

# --- and one by VXLAN, of switches that are none of each other's
expect 0 'created' endicott cp -m MEMBERA -u LINUX1 DEFINE NIC 0700
expect 0 'connected' endicott cp -m MEMBERA -u LINUX1 COUPLE 0700 TO SYSTEM VXA
expect 0 'created' endicott cp -m MEMBERB -u LINUX2 DEFINE NIC 0700
expect 0 'connected' endicott cp -m MEMBERB -u LINUX2 COUPLE 0700 TO SYSTEM VXB
runs LINUX1 'nic 0700 10.2.0.1 1 eth1'
runs LINUX2 'nic 0700 10.2.0.2 1 eth1; reaches 10.2.0.1'
runs LINUX1 'ping -c 3 -i 0.1 -s 1400 -q 10.2.0.2 | grep " 0% packet loss"'
runs LINUX1 'echo 0 >/sys/bus/ccwgroup/drivers/qeth/0.0.0700/online; echo 1 >/sys/bus/ccwgroup/drivers/qeth/0.0.0700/ungroup'
expect 0 'destroyed' endicott cp -m MEMBERA -u LINUX1 DETACH NIC 0700

# --- a TCP connection of numbered lines while LINUX1 moves to the other host and back
runs LINUX2 '(sleep 100000 | nc -l -p 5000 >/tmp/got 2>&1 &); n=0; until netstat -ltn | grep -q :5000; do usleep 50000; done'
runs LINUX1 'echo "n=0; while test ! -e /tmp/end; do echo line \$n; n=\$((n + 1)); usleep 10000; done; echo \$n >/tmp/sent" >/lines'
runs LINUX1 '(sh -c "sh /lines | nc 10.1.0.2 5000; echo \$? >/tmp/done" >/dev/null 2>&1 </dev/null &)'
runs LINUX2 'until test -s /tmp/got; do usleep 50000; done'
for to in MEMBERB MEMBERA; do
    from=MEMBERA
    [ $to = MEMBERA ] && from=MEMBERB
    expect 0 'has been relocated' cp_on $from VMRELOCATE MOVE USER LINUX1 TO $to
    runs LINUX2 'was=$(wc -l </tmp/got); until test $(wc -l </tmp/got) -gt $((was + 20)); do usleep 50000; done'
    runs LINUX1 'ip addr show dev eth0 | grep -q 10.1.0.1; reaches 10.1.0.2; netstat -tn | grep -q "10.1.0.2:5000 *ESTABLISHED"'
done
runs LINUX1 'touch /tmp/end; until test -e /tmp/done; do usleep 50000; done; grep -qx 0 /tmp/done'
endicott send -u LINUX1 'echo sent $(cat /tmp/sent).'
sent=$(endicott wait -u LINUX1 --match '(^|# )sent [0-9]+\.' --since-start --timeout "$WAIT_SECONDS" | tail -n 1 | sed 's/.*sent \([0-9]*\)\..*/\1/')
runs LINUX2 "until test \$(wc -l </tmp/got) -ge $sent; do usleep 50000; done"
runs LINUX2 "awk '\$0 != \"line \" (NR - 1) { bad = 1 } END { exit bad || NR != $sent }' /tmp/got"
expect 0 'has ended' endicott stop MEMBERA
expect 0 'has ended' endicott stop MEMBERB
echo "net_hosts: $sent lines over two relocations between hosts"
