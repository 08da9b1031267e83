#!/bin/bash
# What adapters in layer 2 do for a program with others behind it, in one Debian guest with unmodified qeth: a Linux bridge on
# HiperSockets, and a host behind it that another one reaches by a bridge port's role, by flooding or by what the adapter has
# learnt, and else not; VLANs that were not named are not heard; a trap; Debian's lsqeth and qetharp.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
modules="ccwgroup llc stp bridge veth qeth qeth_l2 qeth_l3 mrp garp 8021q"
"$ROOT/tests/guest/fetch.sh" --spool || fail 'the packages cannot be fetched'
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge drivers/net/veth \
    drivers/s390/net/qeth drivers/s390/net/qeth_l2 drivers/s390/net/qeth_l3 net/802/mrp net/802/garp net/8021q/8021q
cd "$TEST_TMP"

mkdir overlay
for m in $modules; do cp "$guest/modules/$m.ko" overlay/; done
echo "modules='$modules'" >overlay/net.sh
cat >>overlay/net.sh <<'SH'
set -e
for m in $modules; do insmod /$m.ko; done
driver=/sys/bus/ccwgroup/drivers/qeth
# device, layer2: the interface's name is in $if
adapter() {
    local n=$((0x$1)) d=$driver/0.0.$1
    echo 0.0.$1,0.0.$(printf %04x $((n + 1))),0.0.$(printf %04x $((n + 2))) >$driver/group
    echo $2 >$d/layer2
    echo 1 >$d/online
    if=$(ls $d/net)
}
space() { # its first process is in $space
    mkfifo /tmp/ready
    unshare -n sh -c 'ip link set lo up; echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; echo $$ >/tmp/ready; exec sleep 100000' &
    read space </tmp/ready
    rm /tmp/ready
}
far() { nsenter -t $far -n "$@"; }
behind() { nsenter -t $behind -n "$@"; }
into() { # process, interface, address
    ip link set $2 netns $1
    nsenter -t $1 -n ip link set $2 up
    nsenter -t $1 -n ip addr add $3/24 dev $2
}
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
space; far=$space
space; behind=$space
adapter 0800 1; hs=$if
adapter 0810 1; into $far $if 10.8.0.2
adapter 0700 1; near=$if
adapter 0710 1; into $far $if 10.7.0.2; other=$if
adapter 0720 0; third=$if
a=$driver/0.0.0800

# --- a bridge, and a host behind it
brctl addbr br0
ip link add port0 type veth # the other end is veth0
into $behind veth0 10.8.0.3
brctl addif br0 port0
for i in port0 br0; do ip link set $i up; done
join() { ip link set $hs up; brctl addif br0 $hs; }
leave() { brctl delif br0 $hs; }
reaches() { # it has to be asked who has the address, each time
    far ip neigh flush all >/dev/null 2>&1
    far ping -c 1 -W 1 -q 10.8.0.3 >/dev/null
}
told() { reaches && echo "$1: reached" || echo "$1: not reached"; }
join
told "nothing"
echo primary >$a/bridge_role
told "bridge role $(cat $a/bridge_role), $(cat $a/bridge_state), flooding $(cat $a/vnicc/flooding)"
echo none >$a/bridge_role
told "bridge role $(cat $a/bridge_role)"
echo 1 >$a/vnicc/flooding
told "flooding $(cat $a/vnicc/flooding), bridge role $(cat $a/bridge_role)"
echo 0 >$a/vnicc/flooding
told "flooding $(cat $a/vnicc/flooding)"
echo 120 >$a/vnicc/learning_timeout
echo 1 >$a/vnicc/learning
behind ping -c 1 -W 1 -q 10.8.0.2 >/dev/null && echo "behind: reaches"
told "learning $(cat $a/vnicc/learning) for $(cat $a/vnicc/learning_timeout)"
echo 0 >$a/vnicc/learning
told "learning $(cat $a/vnicc/learning)"
leave
echo secondary >$a/bridge_reflect_promisc
join
n=0; until [ "$(cat $a/bridge_role)" = secondary ]; do usleep 10000; n=$((n + 1)); test $n -lt 30000; done
told "reflected $(cat $a/bridge_role), $(cat $a/bridge_state)"
leave
for c in flooding mcast_flooding learning takeover_setvmac takeover_learning bridge_invisible; do
    echo 0 >$driver/0.0.0710/vnicc/$c
    echo 1 >$driver/0.0.0710/vnicc/$c
done
echo 0 >$driver/0.0.0710/vnicc/rx_bcast
echo "characteristics: $(cat $driver/0.0.0710/vnicc/*)" | tr '\n' ' '; echo
for c in flooding mcast_flooding learning takeover_setvmac takeover_learning bridge_invisible; do echo 0 >$driver/0.0.0710/vnicc/$c; done
echo 1 >$driver/0.0.0710/vnicc/rx_bcast

# --- VLANs
ip link set $near up; ip addr add 10.7.0.1/24 dev $near
ping -c 1 -q 10.7.0.2 >/dev/null
far ip link add link $other name v9 type vlan id 9; far ip link set v9 up; far ip addr add 10.9.0.2/24 dev v9
ip link add link $near name v8 type vlan id 8; ip link set v8 up
before=$(cat /sys/class/net/$near/statistics/rx_packets)
far ping -c 1 -W 1 -q 10.9.0.1 >/dev/null || true # asks all of VLAN 9
echo "VLAN 9: $(($(cat /sys/class/net/$near/statistics/rx_packets) - before)) heard before it is named"
ip link add link $near name v9 type vlan id 9; ip link set v9 up; ip addr add 10.9.0.1/24 dev v9
far ping -c 1 -q 10.9.0.1 >/dev/null && echo "VLAN 9: reached"

# --- a trap, and Debian's tools
echo arm >$driver/0.0.0700/hw_trap
echo trap >$driver/0.0.0700/hw_trap
echo "trap $(cat $driver/0.0.0700/hw_trap)"
ip link set $third up; ip addr add 10.7.0.3/24 dev $third; ping -c 1 -q 10.7.0.2 -I $third >/dev/null
mount -t proc proc /debian/proc
mount -t sysfs sys /debian/sys
mount -t devtmpfs dev /debian/dev
d() { PATH=/sbin:/bin:/usr/sbin:/usr/bin LC_ALL=C TERM=dumb chroot /debian "$@"; }
d lsqeth $hs | grep -E 'vnicc/|bridge_'
d qetharp -n -q $third
SH
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$guest/initramfs.cpio.lz4" "$guest/spool.cpio.lz4" overlay.cpio.gz >net.initrd

status=0
"$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd net.initrd --memory 768M --timeout "${NET_SECONDS:-1100}" \
    --net 0700=lan:a --net 0710=lan:a --net 0720=lan:a --net 0800=lan:b,type=hipersockets --net 0810=lan:b,type=hipersockets \
    --append "$QUICK_BOOT endicott.run=\"sh /net.sh\"" >console 2>messages </dev/null || status=$?
tr -d '\r' <console >lines
[ $status = 0 ] && grep -q '^ENDICOTT-EXIT 0' lines || { tail -n 60 lines messages >&2; fail "the guest: status $status"; }
has() { grep -q -- "$1" "${2:-lines}" || { cat "${2:-lines}" >&2; fail "not there: $1"; }; }
for line in 'nothing: not reached' 'bridge role primary, active, flooding n/a (BridgePort): reached' 'bridge role none: not reached' \
    'flooding 1, bridge role n/a (VNIC characteristics): reached' 'flooding 0: not reached' 'behind: reaches' \
    'learning 1 for 120: reached' 'learning 0: not reached' 'reflected secondary, active: reached' \
    'characteristics: 1 1 1 600 1 0 1 1 ' 'VLAN 9: 0 heard before it is named' 'VLAN 9: reached' 'trap arm'; do
    has "^$line"
done
has '^ *bridge_role *: none'
has '^ *vnicc/flooding *: n/a (BridgePort)' # which follows promiscuous mode, says bridge_reflect_promisc
has '^10\.7\.0\.2  *02:00:00:00:07:10  *ether'
has 'network adapter 0700: trap of its program: layer 2, LAN started' messages
echo "net_traits: passed"
