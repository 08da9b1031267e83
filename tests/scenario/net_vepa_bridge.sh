#!/bin/bash
# A virtual switch with VEPA whose OSA is a tap device at a port of Linux's own bridge: in hairpin mode that port sends back what comes
# from it (reflective relay), so guests reach each other, also when one is on a member that has no such OSA; without it they do not.
# Needs root, for the namespace alone.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/nic_guest.sh"
skip() { echo "$1"; exit 77; }
[ "$(id -u)" = 0 ] || skip "only root makes network namespaces"
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
ns=endicott-vepa-$$
ip netns add $ns 2>/dev/null || skip "no network namespaces here"
before_cleanup() { ip netns del $ns 2>/dev/null || true; } # members that run keep it
ip -n $ns link set lo up
ip -n $ns link add br0 type bridge 2>/dev/null || skip "no bridges here"
ip -n $ns tuntap add dev vepa0 mode tap || skip "no tap devices here"
ip -n $ns link set vepa0 master br0
ip -n $ns addr add 10.1.0.9/24 dev br0
ip -n $ns link set br0 up
ip -n $ns link set vepa0 up
hairpin() { ip -n $ns link set dev vepa0 type bridge_slave hairpin "$1"; }
hairpin on

cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/system.config" <<'CNF'
DEFINE VSWITCH VSW1 ETHERNET VEPA ON RDEV 0A00
MODIFY VSWITCH VSW1 GRANT LINUX1
MODIFY VSWITCH VSW1 GRANT LINUX2
CNF
echo '0A00 OSA tap:vepa0' >>"$cluster/hardware/MEMBERA.cnf"
sed -i 's/^USER LINUX\([12]\) .*/&\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1/' "$cluster/user.direct"
cd "$TEST_TMP"
nic_files
ip netns exec $ns "$ENDICOTT" up "$cluster" >/dev/null
expect 0 'RDEV: 0A00.P00 .* ACTIVE' cp_on MEMBERA QUERY VSWITCH VSW1
expect 0 'Error: there is no such OSA' cp_on MEMBERB QUERY VSWITCH VSW1
starts LINUX1
starts LINUX2
for i in 1 2; do
    started LINUX$i
    runs LINUX$i "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; nic 0600 10.1.0.$i"
done
both_reach 10.1.0.9
hairpin off
runs LINUX1 'silent 10.1.0.2; reaches 10.1.0.9'
hairpin on
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
both_reach 10.1.0.9
hairpin off
runs LINUX2 'silent 10.1.0.1; reaches 10.1.0.9'
expect 0 'has ended' endicott stop "$cluster"
echo "net_vepa_bridge: passed"
