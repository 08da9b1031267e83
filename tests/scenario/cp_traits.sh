#!/bin/bash
# What adapters of CP do for guests with others behind them, two Linux guests with unmodified qeth: a Linux bridge in LINUX1 with a
# host behind it that LINUX2 reaches by a bridge port's role, by flooding, or by what the adapter has learnt, as far as the grant
# permits; all of it goes along to the other member. HiperSockets in layer 2, and at the bridge port of a virtual switch.
set -euo pipefail
WAIT_SECONDS=${WAIT_SECONDS:-240}
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/nic_guest.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/system.config" <<'CNF'
DEFINE VSWITCH VSW1 ETHERNET BRIDGEPORT LAN SYSTEM HSI
MODIFY VSWITCH VSW1 GRANT LINUX1
MODIFY VSWITCH VSW1 GRANT LINUX2
DEFINE LAN HSI OWNERID SYSTEM TYPE HIPERSOCKETS MFS 24K ETHERNET
CNF
sed -i 's/^USER LINUX1 .*/&\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1/
    s/^USER LINUX2 .*/&\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1\n NICDEF 0800 TYPE HIPERS LAN SYSTEM HSI/' "$cluster/user.direct"
cd "$TEST_TMP"
nic_files drivers/net/veth
endicott up "$cluster" >/dev/null
starts LINUX1
starts LINUX2
started LINUX1
started LINUX2

# --- LINUX1: br0 with eth0, and a host behind it, 10.1.0.3 in a namespace
runs LINUX1 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; modules; group 0600; online 0600 1; d=/sys/bus/ccwgroup/drivers/qeth/0.0.0600'
runs LINUX1 'mkfifo /tmp/r; (unshare -n sh -c "echo \$\$ >/tmp/r; exec sleep 100000" &); read far </tmp/r; test -n "$far"'
runs LINUX1 'brctl addbr br0; ip link add port0 type veth; ip link set veth0 netns $far; brctl addif br0 port0; brctl addif br0 eth0'
runs LINUX1 'far() { nsenter -t $far -n "$@"; }; far ip link set veth0 up; far ip addr add 10.1.0.3/24 dev veth0'
runs LINUX1 'for i in port0 eth0 br0; do ip link set $i up; done; ip addr add 10.1.0.1/24 dev br0; cat $d/bridge_state $d/vnicc/rx_bcast'
runs LINUX2 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; nic 0600 10.1.0.2'
runs LINUX2 'asks() { ip neigh flush all >/dev/null; ping -c 1 -W 1 -q $1 >/dev/null; }; ! asks 10.1.0.3'

# --- without PROMISCUOUS no role, and flooding has no effect; with it they count
runs LINUX1 '! echo primary 2>/dev/null >$d/bridge_role; grep -qx none $d/bridge_role'
runs LINUX1 'echo 1 >$d/vnicc/flooding; grep -qx 1 $d/vnicc/flooding'
runs LINUX2 '! asks 10.1.0.3'
runs LINUX1 'echo 0 >$d/vnicc/flooding'
for m in MEMBERA MEMBERB; do expect 0 'Command complete' cp_on $m SET VSWITCH VSW1 GRANT LINUX1 PROMISCUOUS; done
runs LINUX1 'echo primary >$d/bridge_role; grep -qx primary $d/bridge_role && grep -qx active $d/bridge_state'
runs LINUX2 'asks 10.1.0.3'

# --- the role goes along, and frames for strangers go to that member
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
runs LINUX1 'grep -qx primary $d/bridge_role && grep -qx active $d/bridge_state'
runs LINUX2 'asks 10.1.0.3 && asks 10.1.0.3'
expect 0 'Command complete' cp_on MEMBERB SET VSWITCH VSW1 GRANT LINUX1 NOPROMISCUOUS
runs LINUX2 '! asks 10.1.0.3'
runs LINUX1 'grep -qx standby $d/bridge_state'
expect 0 'Command complete' cp_on MEMBERB SET VSWITCH VSW1 GRANT LINUX1 PROMISCUOUS
runs LINUX2 'reaches 10.1.0.3'

# --- characteristics instead, with a timeout of their own, there and back; learning needs no permission to be promiscuous, which
# a bridge makes its interfaces
for m in MEMBERA MEMBERB; do expect 0 'Command complete' cp_on $m SET VSWITCH VSW1 GRANT LINUX1 NOPROMISCUOUS; done
runs LINUX1 'echo none >$d/bridge_role; echo 120 >$d/vnicc/learning_timeout; echo 1 >$d/vnicc/learning'
runs LINUX1 'far ping -c 1 -W 5 -q 10.1.0.2 >/dev/null'
runs LINUX2 'asks 10.1.0.3'
expect 0 'has been relocated' cp_on MEMBERB VMRELOCATE MOVE USER LINUX1 TO MEMBERA
runs LINUX1 'test "$(cat $d/vnicc/learning $d/vnicc/learning_timeout | tr "\n" " ")" = "1 120 "'
runs LINUX1 'far ping -c 1 -W 5 -q 10.1.0.2 >/dev/null'
runs LINUX2 'asks 10.1.0.3'
runs LINUX1 'echo 0 >$d/vnicc/learning'
runs LINUX2 '! asks 10.1.0.3'

# --- HiperSockets in layer 2, one network with the switch by its bridge port, over members
expect 0 'Bridge Port: LAN SYSTEM HSI +State: Connected' cp_on MEMBERA QUERY VSWITCH VSW1
runs LINUX2 'ip addr del 10.1.0.2/24 dev eth0; ip link set eth0 down; nic 0800 10.1.0.4 1 hsi0; grep -qx 1 /sys/bus/ccwgroup/drivers/qeth/0.0.0800/layer2'
runs LINUX2 'reaches 10.1.0.1'
runs LINUX1 'ip neigh flush all >/dev/null; reaches 10.1.0.4; ping -c 2 -s 1400 -q 10.1.0.4 | grep " 0% packet loss"'
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
runs LINUX1 'reaches 10.1.0.4'
runs LINUX2 'ping -c 2 -q 10.1.0.1 | grep " 0% packet loss"'
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX2 TO MEMBERB
runs LINUX1 'ping -c 3 -W 5 -q 10.1.0.4 | grep " 0% packet loss"'
expect 0 'has been relocated' cp_on MEMBERB VMRELOCATE MOVE USER LINUX2 TO MEMBERA
runs LINUX1 'ping -c 3 -W 5 -q 10.1.0.4 | grep " 0% packet loss"'
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 BRIDGEPORT DISCONNECT
expect 1 'HCPRLE1996E .*0800 .on a guest LAN' cp_on MEMBERA VMRELOCATE TEST LINUX2 MEMBERB
runs LINUX2 'silent 10.1.0.1'
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 BRIDGEPORT CONNECT
runs LINUX2 'reaches 10.1.0.1'
expect 0 'has ended' endicott stop "$cluster"
echo "cp_traits: passed"
