#!/bin/bash
# Network adapters in layers 2 and 3, OSA and HiperSockets, in one Debian guest with unmodified qeth: adapters on networks in
# memory, one end of each in a network namespace, and two with a slirp uplink. Ping, IPv6, files by TCP both ways with digests, VLAN
# interfaces, promiscuous mode, isolation, checksum and segmentation offload, the ARP table; recovery, interfaces down and up and
# devices off and on in traffic, the modules out and in. NET_MEGABYTES: of each file; NET_ROUNDS: how often of each.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
modules="ccwgroup llc stp bridge qeth qeth_l2 qeth_l3 mrp garp 8021q"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge drivers/s390/net/qeth \
    drivers/s390/net/qeth_l2 drivers/s390/net/qeth_l3 net/802/mrp net/802/garp net/8021q/8021q
cd "$TEST_TMP"
megabytes=${NET_MEGABYTES:-8} rounds=${NET_ROUNDS:-3}

# --- what cannot be
refused() { # text, options of ipl...
    local text=$1 status=0
    shift
    "$ENDICOTT" ipl --kernel "$guest/kernel.quick" "$@" >out 2>&1 </dev/null || status=$?
    [ $status = 2 ] && grep -q -- "$text" out || { cat out >&2; fail "$*: status $status, not: $text"; }
}
refused 'type= takes' --net 600=lan:a,type=iqd
refused 'mfs= takes' --net 600=lan:a,type=hipersockets,mfs=17K
refused 'mfs= takes' --net 600=lan:a,mfs=16K
refused 'a name of 1 to' --net 600=lan:

# --- the files of the guest
mkdir overlay
for m in $modules; do cp "$guest/modules/$m.ko" overlay/; done
"${S390X_CC:-s390x-linux-gnu-gcc}" -O2 -Wall -Werror -static -march=z10 -o overlay/qethctl "$ROOT/tests/programs/net/qethctl.c"
cat >overlay/net.sh <<SH
set -e
. /lib.sh
for m in $modules; do insmod /\$m.ko; done
megabytes=$megabytes rounds=$rounds
SH
cat >overlay/lib.sh <<'SH'
driver=/sys/bus/ccwgroup/drivers/qeth
# device, layer2, more attributes as NAME=VALUE: the interface's name is in $if
adapter() {
    local n=$((0x$1)) d=$driver/0.0.$1 a
    echo 0.0.$1,0.0.$(printf %04x $((n + 1))),0.0.$(printf %04x $((n + 2))) >$driver/group
    echo $2 >$d/layer2
    echo 1 >$d/online
    if=$(ls $d/net)
}
far() { nsenter -t $far -n "$@"; }
# near interface, its address, far interface, its address
pair() {
    ip link set $3 netns $far
    ip link set $1 up
    far ip link set $3 up
    ip addr add $2/24 dev $1
    far ip addr add $4/24 dev $3
    # Without neighbours of their own they must be found by the adapters, however they are.
    ping -c 2 -q $4 | grep -q ' 0% packet loss'
    far ping -c 1 -q -s 1400 $2 | grep -q ' 0% packet loss'
}
same() { # what: address, address: a file each way
    test "$(timeout 120 wget -q -O - http://$3:5000/file | md5sum)" = "$sum"
    test "$(far timeout 120 wget -q -O - http://$2:5000/file | md5sum)" = "$sum"
    echo "well: $1"
}
state_of() { # what the driver knows, for whoever looks for the reason
    dmesg | tail -n 20
    for d in /sys/kernel/debug/s390dbf/qeth_card_*; do echo "== $d"; tail -n 30 $d/hex_ascii; done
    for d in /sys/kernel/debug/qdio/*; do echo "== $d"; cat $d/*; done
}
answers() { # address, tries
    local n=0
    until ping -c 1 -W 1 -q $1 >/dev/null; do n=$((n + 1)); test $n -lt $2 || return 1; done
}
reaches() { answers $1 100 || { state_of >&2; return 1; }; } # address
SH
cat >>overlay/net.sh <<'SH'
mount -t debugfs debug /sys/kernel/debug 2>/dev/null || true
mkdir /tmp/w
dd if=/dev/urandom of=/tmp/w/file bs=1M count=$megabytes 2>/dev/null
sum=$(md5sum </tmp/w/file)
mkfifo /tmp/ready
unshare -n sh -c 'ip link set lo up; echo $$ >/tmp/ready; exec sleep 100000' &
read far </tmp/ready
adapter 0700 0; near=$if; adapter 0710 1; other=$if
adapter 0720 1; third=$if
adapter 0800 0; hs=$if; adapter 0810 0; hs_far=$if
adapter 0900 1; hs2=$if; adapter 0910 1; hs2_far=$if
adapter 0600 0; out3=$if; adapter 0610 1; out2=$if
for d in 0700 0710 0800 0900; do cat $driver/0.0.$d/card_type; done
! dmesg | grep QEBSM | grep -v QEBSM:0 && dmesg | grep -q QEBSM:0 && echo "well: no queues by EQBS and SQBS"
far httpd -p 5000 -h /tmp/w
httpd -p 5000 -h /tmp/w

# Layer 3 and layer 2 on one network; IPv6, a VLAN, the ARP table
pair $near 10.1.0.1 $other 10.1.0.2
same "layers 3 and 2" 10.1.0.1 10.1.0.2
/qethctl table $near
/qethctl table $third
/qethctl neighbours $near | grep "10.1.0.2 at $(far cat /sys/class/net/$other/address 2>/dev/null)"
ip addr add fd01::1/64 dev $near; far ip addr add fd01::2/64 dev $other
ping -c 2 -q fd01::2 | grep -q ' 0% packet loss' && echo "well: IPv6"
ip link add link $near name v7 type vlan id 7; ip link set v7 up; ip addr add 10.7.0.1/24 dev v7
far ip link add link $other name v7 type vlan id 7; far ip link set v7 up; far ip addr add 10.7.0.2/24 dev v7
ping -c 2 -q 10.7.0.2 | grep -q ' 0% packet loss'
far ping -c 2 -q 10.7.0.1 | grep -q ' 0% packet loss'
echo "well: VLAN"

# A third adapter sees what is for the others; then nothing passes between stations that are isolated
ip link set $third up
: >/tmp/watched
/qethctl watch $third $(far ip link show $other | sed -n 's/.*ether \([^ ]*\).*/\1/p') 5 >/tmp/watched &
watcher=$!
n=0; until grep -q watches /tmp/watched; do n=$((n + 1)); test $n -lt 1000; done
ping -c 8 -i 0.01 -q 10.1.0.2 >/dev/null
wait $watcher
grep saw /tmp/watched
for how in drop forward; do
    echo $how >$driver/0.0.0700/isolation
    ping -c 1 -W 1 -q 10.1.0.2 >/dev/null && exit 1
    echo none >$driver/0.0.0700/isolation
    ping -c 1 -q 10.1.0.2 >/dev/null
    echo "well: isolation $how"
done

# In the middle of traffic: recovery, devices off and on, interfaces down and up
floods() { # address, the command's prefix: its pings end when the interface they leave by goes down
    $2 ping -c 1000000 -i 0.001 -s 1200 -q $1 >/dev/null & pingers="$pingers $!"
}
calm() { for p in $pingers; do kill $p || true; wait $p || true; done; pingers=; } 2>/dev/null
is_up() { # device
    local n=0
    until test "$(cat $driver/0.0.$1/state)" = "UP (LAN ONLINE)"; do usleep 10000; n=$((n + 1)); test $n -lt 30000; done
}
recovers() { # device
    local n=0
    echo 1 >$driver/0.0.$1/recover
    until test "$(cat $driver/0.0.$1/state)" != "UP (LAN ONLINE)" -o $n = 200; do n=$((n + 1)); done
    is_up $1
}
deaf() { # 1: nobody answers a ping; 0: they do
    echo $1 >/proc/sys/net/ipv4/icmp_echo_ignore_all
    far sh -c "echo $1 >/proc/sys/net/ipv4/icmp_echo_ignore_all"
}
# An adapter that is reset is sent to, but sends nothing itself: Linux 6.1's qeth stops its queues for that, and the completion
# of a buffer under way starts them again; what is sent in the middle stays in buffers that no reset clears (from then on no
# frame leaves any more, or the kernel stops in dql_completed). When the interface goes down, all have left before.
raced() { # near device, far device: a frame of the program's own (a neighbour it looks for) was enough; its log says so
    cat /sys/kernel/debug/s390dbf/qeth_card_0.0.$1/hex_ascii /sys/kernel/debug/s390dbf/qeth_card_0.0.$2/hex_ascii | grep flushbuf || return 0
    echo "the driver has lost frames of $1 or $2 in a reset: again without traffic"
    calm
    recovers $1
    recovers $2
}
shake() { # near device, interface, address; far device, address
    n=0 pingers=
    while [ $n -lt $rounds ]; do
        deaf 1
        floods $3 "nsenter -t $far -n"
        recovers $1
        echo 0 >$driver/0.0.$1/online; echo 1 >$driver/0.0.$1/online
        ip link set $2 up
        is_up $1
        calm
        floods $5
        recovers $4
        calm
        deaf 0
        floods $3 "nsenter -t $far -n"
        floods $5
        ip link set $2 down; ip link set $2 up
        answers $5 30 || raced $1 $4
        reaches $5
        calm
        n=$((n + 1))
    done
    same "$1 after $rounds rounds" $3 $5
}
shake 0700 $near 10.1.0.1 0710 10.1.0.2

# HiperSockets
pair $hs 10.8.0.1 $hs_far 10.8.0.2
cat /sys/class/net/$hs/mtu
same "HiperSockets in layer 3" 10.8.0.1 10.8.0.2
ip addr add fd08::1/64 dev $hs; far ip addr add fd08::2/64 dev $hs_far
ping -c 2 -q -s 7000 fd08::2 | grep -q ' 0% packet loss' && echo "well: IPv6 on HiperSockets"
pair $hs2 10.9.0.1 $hs2_far 10.9.0.2
cat /sys/class/net/$hs2/mtu
same "HiperSockets in layer 2" 10.9.0.1 10.9.0.2
ping -c 2 -q -s 57000 10.9.0.2 | grep -q ' 0% packet loss' && echo "well: 57000 bytes"
shake 0800 $hs 10.8.0.1 0810 10.8.0.2
shake 0900 $hs2 10.9.0.1 0910 10.9.0.2
for d in 0710 0900; do
    a=$driver/0.0.$d
    echo "$d: bridge role $(cat $a/bridge_role), $(cat $a/bridge_state), learning $(cat $a/vnicc/learning)"
    echo primary >$a/bridge_role
    echo "$d: then $(cat $a/bridge_role), $(cat $a/bridge_state), learning $(cat $a/vnicc/learning)"
    echo none >$a/bridge_role
    echo "$d: again $(cat $a/bridge_role)"
done

# The outside, with the adapter's arithmetic and without
outside() { # address of the host
    test "$(timeout 120 wget -q -O - http://$1:$(cut -d' ' -f1 /ports)/file | md5sum)" = "$(cat /file.sum)"
    dd if=/dev/zero bs=1M count=$megabytes 2>/dev/null | nc $1 $(cut -d' ' -f2 /ports)
}
ip link set $out3 up; ip addr add 10.0.2.15/24 dev $out3
ip link set $out2 up; ip addr add 10.0.3.15/24 dev $out2
outside 10.0.2.2
for i in $out3 $out2; do
    for what in tx rx tso; do /qethctl offload $i $what on; done
done
outside 10.0.2.2
outside 10.0.3.2
echo "well: outside"

# The modules out and in again
for d in 0600 0610 0700 0710 0720 0800 0810 0900 0910; do
    echo 0 >$driver/0.0.$d/online
    echo 1 >$driver/0.0.$d/ungroup
done
for m in qeth_l2 qeth_l3 qeth; do rmmod $m; done
for m in qeth qeth_l2 qeth_l3; do insmod /$m.ko; done
adapter 0600 0
ip link set $if up; ip addr add 10.0.2.15/24 dev $if
reaches 10.0.2.2
echo "well: modules"
SH
head -c "${megabytes}M" /dev/urandom >file
md5sum <file >overlay/file.sum
python3 "$ROOT/tests/lib/net_server.py" &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
until [ -s ports ]; do kill -0 $server || fail "the server has ended"; moment; done
cp ports overlay/ports
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$guest/initramfs.cpio.lz4" overlay.cpio.gz >net.initrd

status=0
"$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd net.initrd --memory "${NET_MEMORY:-512M}" --cpus 2 --timeout "${NET_SECONDS:-1100}" --net 0600=slirp \
    --net 0610=slirp,net=10.0.3.0/24 --net 0700=lan:a --net 0710=lan:a --net 0720=lan:a \
    --net 0800=lan:b,type=hipersockets --net 0810=lan:b,type=hipersockets \
    --net 0900=lan:c,type=hipersockets,mfs=64K --net 0910=lan:c,type=hipersockets,mfs=64K \
    --append "$QUICK_BOOT endicott.run=\"sh /net.sh\"" >console 2>messages </dev/null || status=$?
tr -d '\r' <console >lines
[ $status = 0 ] && grep -q '^ENDICOTT-EXIT 0' lines || { tail -n 1000 lines messages >&2; fail "the guest: status $status"; }
has() { grep -q -- "$1" "${2:-lines}" || { cat "${2:-lines}" >&2; fail "not there: $1"; }; }
has 'guest 0800: HiperSockets, MAC 02-00-00-00-08-00, network b' messages
has '^OSD_1000'
has '^HiperSockets'
has '^neighbour 10.1.0.2 at'
for d in 0710 0900; do
    has "^$d: bridge role none, inactive, learning 0"
    has "^$d: then primary, active, learning n/a (BridgePort)"
    has "^$d: again none"
done
for what in 'no queues by EQBS and SQBS' 'layers 3 and 2' IPv6 VLAN 'isolation drop' 'isolation forward' "0700 after $rounds rounds" "0800 after $rounds rounds" "0900 after $rounds rounds" 'HiperSockets in layer 3' \
    'IPv6 on HiperSockets' 'HiperSockets in layer 2' '57000 bytes' outside modules; do
    has "^well: $what"
done
has '^eth2 saw them'
has '^table: descriptor 1, 1'
has '^table: descriptor 100, 1'
has '^8192$'
has '^57344$'
for what in tx rx tso; do [ "$(grep -c "^eth[0-9] $what 1" lines)" = 2 ] || fail "$what was not switched on"; done
sunk="$((megabytes << 20)) $(head -c "${megabytes}M" /dev/zero | md5sum | cut -d' ' -f1)"
[ "$(grep -c "^$sunk" sunk)" = 3 ] || { cat sunk >&2; fail "what was sent did not arrive as it was"; }
echo "net_layers: passed"
