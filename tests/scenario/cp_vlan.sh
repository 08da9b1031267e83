#!/bin/bash
# A VLAN-aware virtual switch with two Linux guests and Debian's qeth and 8021q: LINUX1 on an access port, LINUX2 on a trunk with
# VLAN interfaces. Which VLAN reaches which, a VLAN that is changed while traffic runs, isolation, the native VLAN and the uplink,
# promiscuous mode, a protected address; a HiperSockets guest LAN in layer 3; the wrong layer; what the other member lacks, and a
# relocation with a VLAN.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/nic_guest.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/system.config" <<'CNF'
MEMBERA: VMLAN MACPREFIX 021111
MEMBERB: VMLAN MACPREFIX 021112
VMLAN USERPREFIX 02AAAA
DEFINE VSWITCH VSW1 ETHERNET VLAN AWARE NATIVE 1 UPLINK slirp,net=10.7.0.0/24
MODIFY VSWITCH VSW1 GRANT LINUX1 PORTTYPE ACCESS VLAN 10
DEFINE LAN HIP TYPE HIPERSOCKETS MFS 24K
CNF
sed -i 's/^USER LINUX1 .*/&\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1 MACID 000001\n NICDEF 0800 TYPE HIPERS LAN SYSTEM HIP/
    s/^USER LINUX2 .*/&\n NICDEF 0600 LAN SYSTEM VSW1 MACID 000002 PORTTYPE TRUNK VLAN 10 20\n NICDEF 0800 TYPE HIPERS LAN SYSTEM HIP/' \
    "$cluster/user.direct"
cd "$TEST_TMP"
nic_files
endicott up "$cluster" >/dev/null
starts LINUX1
starts LINUX2
started LINUX1
started LINUX2
expect 0 'User: LINUX1 +Porttype: Access +VLAN: 0010' cp_on MEMBERA QUERY VSWITCH VSW1 ACCESSLIST
expect 0 'VLAN: 0010 0020' as LINUX2 QUERY VIRTUAL NIC 0600 DETAILS

# --- VLANs: access port in 10, trunk with 10 and 20
runs LINUX2 'nic 0600 10.1.0.2; vlan 10 10.10.0.2; vlan 20 10.20.0.2'
runs LINUX1 'nic 0600 10.10.0.1; for i in 1 20; do ip addr add 10.$i.0.1/24 dev eth0; done; reaches 10.10.0.2'
runs LINUX1 'silent 10.20.0.2; silent 10.1.0.2'
runs LINUX2 'reaches 10.10.0.1; silent 10.20.0.1'
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 GRANT LINUX1 VLAN 20
runs LINUX1 'reaches 10.20.0.2; silent 10.10.0.2'
# what a guest tags itself does not leave an access port
runs LINUX1 'vlan 10 10.10.0.3; ! ping -c 1 -W 1 -q -I eth0.10 10.10.0.2 >/dev/null; ip link del eth0.10'
expect 0 'TX Packets: [1-9][0-9]* +Discarded: [1-9]' as LINUX1 QUERY VIRTUAL NIC 0600 DETAILS

# --- isolation
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 ISOLATION ON
runs LINUX1 'silent 10.20.0.2'
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 ISOLATION OFF
runs LINUX1 'reaches 10.20.0.2'

# --- the native VLAN: that of the uplink, which knows no tags
runs LINUX2 'ip addr add 10.7.0.20/24 dev eth0; silent 10.7.0.2'
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 NATIVE 20
runs LINUX2 'silent 10.20.0.1; reaches 10.7.0.2'
expect 0 'RX Packets: [1-9]' cp_on MEMBERA QUERY VSWITCH VSW1 DETAILS
for m in MEMBERB MEMBERA; do expect 0 'Command complete' cp_on $m SET VSWITCH VSW1 DISCONNECT; done
runs LINUX2 'silent 10.7.0.2'
for m in MEMBERA MEMBERB; do expect 0 'Command complete' cp_on $m SET VSWITCH VSW1 CONNECT; done
runs LINUX2 'reaches 10.7.0.2'
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 NATIVE 1
runs LINUX2 'silent 10.7.0.2; reaches 10.20.0.1'

# --- another address than its own, protected and not
runs LINUX1 'hardware 02:00:00:00:77:77; reaches 10.20.0.2'
expect 0 '02-00-00-00-77-77' as LINUX1 QUERY VIRTUAL NIC 0600 DETAILS
expect 0 'Command complete' cp_on MEMBERA SET VSWITCH VSW1 MACPROTECT ON
runs LINUX1 'silent 10.20.0.2; ! hardware 02:00:00:00:77:78; hardware 02:aa:aa:00:00:01; reaches 10.20.0.2'

# --- a guest LAN of HiperSockets, in layer 3
runs LINUX1 'nic 0800 10.9.0.1 0 hsi0'
runs LINUX2 'nic 0800 10.9.0.2 0 hsi0; reaches 10.9.0.1; grep -qx 16384 /sys/class/net/hsi0/mtu'
expect 0 '10.9.0.1 +MAC: 02-11-11' as LINUX1 QUERY VIRTUAL NIC 0800 DETAILS
expect 0 'LAN SYSTEM HIP +Type: HIPERS +Connected: 2 .*' cp_on MEMBERA QUERY LAN
expect 0 'LAN SYSTEM HIP is destroyed' cp_on MEMBERB DETACH LAN HIP OWNERID SYSTEM
expect 1 'HCPRLE1956E .*0800 .LAN SYSTEM HIP..*MEMBERB' cp_on MEMBERA VMRELOCATE TEST LINUX1 MEMBERB
runs LINUX1 'echo 0 >/sys/bus/ccwgroup/drivers/qeth/0.0.0800/online'
expect 0 'disconnected from LAN SYSTEM HIP' as LINUX1 UNCOUPLE 0800

# --- Linux asks which layer a network takes (DIAGNOSE X'26C'); when that changes behind its back it gets no connection
expect 0 'LAN LINUX2 IPNET is created' as LINUX2 DEFINE LAN IPNET TYPE QDIO IP
expect 0 'LAN LINUX2 ETHER is created' as LINUX2 DEFINE LAN ETHER TYPE QDIO ETHERNET
expect 0 'created' as LINUX2 DEFINE NIC 0900
expect 0 'connected to LAN LINUX2 ETHER' as LINUX2 COUPLE 0900 TO '*' ETHER
runs LINUX2 'cd /sys/bus/ccwgroup/drivers/qeth; group 0900; grep -qx 1 0.0.0900/layer2'
expect 0 'disconnected' as LINUX2 UNCOUPLE 0900
expect 0 'connected to LAN LINUX2 IPNET' as LINUX2 COUPLE 0900 TO '*' IPNET
runs LINUX2 '! online 0900 1 2>/dev/null; dmesg | grep -q "does not support the configured transport mode"'
runs LINUX2 'echo 1 >0.0.0900/ungroup; group 0900; grep -qx 0 0.0.0900/layer2; online 0900 0; cd /'

# --- the other member: what it lacks, and with it
expect 1 'HCPRLE1956E .*0600 .VSWITCH SYSTEM VSW1: VLAN 0020.*MEMBERB' cp_on MEMBERA VMRELOCATE TEST LINUX1 MEMBERB
expect 0 'Command complete' cp_on MEMBERB SET VSWITCH VSW1 GRANT LINUX1 VLAN 20
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
expect 0 'VLAN: 0020' endicott cp -m MEMBERB -u LINUX1 QUERY VIRTUAL NIC 0600 DETAILS
expect 0 'MAC: 02-AA-AA-00-00-01 ' endicott cp -m MEMBERB -u LINUX1 QUERY VIRTUAL NIC 0600
expect 0 'created' as LINUX2 DEFINE NIC 0A00
expect 1 'HCPNIC2783E .*02-AA-AA-00-00-01 is in use on MEMBERB' as LINUX2 SET NIC 0A00 MACID 000001
expect 0 'has been relocated' cp_on MEMBERB VMRELOCATE MOVE USER LINUX1 TO MEMBERA
runs LINUX1 'reaches 10.20.0.2; grep -q 02:aa:aa:00:00:01 /sys/class/net/eth0/address'
expect 0 'has ended' endicott stop "$cluster"
echo "cp_vlan: passed"
