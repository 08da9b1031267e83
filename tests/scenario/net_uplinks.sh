#!/bin/bash
# Uplinks other than slirp, three Linux guests at once, each of which reaches the others: two of `endicott ipl` on a socket and on a
# VDE switch, and a QEMU with virtio-net on the same sockets (-netdev stream and dgram). Then one of them goes, and the link with it;
# so does the switch, which comes back.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
modules="ccwgroup llc stp bridge qeth qeth_l2 failover net_failover virtio_net"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge drivers/s390/net/qeth \
    drivers/s390/net/qeth_l2 net/core/failover drivers/net/net_failover drivers/net/virtio_net
cd "$TEST_TMP"
sockets=$(mktemp -d /tmp/uplinks-XXXXXX) # names of sockets are short
switch=
pids=
end() {
    local status=$?
    kill -KILL $pids $switch 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$sockets"
    exit $status
}
trap end EXIT

# --- what each guest does
mkdir overlay
for m in $modules; do cp "$guest/modules/$m.ko" overlay/; done
cat >overlay/lib.sh <<SH
for m in $modules; do insmod /\$m.ko; done
driver=/sys/bus/ccwgroup/drivers/qeth
n=0
nic() { # device, address
    d=\$((0x\$1))
    echo 0.0.\$1,0.0.\$(printf %04x \$((d + 1))),0.0.\$(printf %04x \$((d + 2))) >\$driver/group
    echo 1 >\$driver/0.0.\$1/layer2
    echo 1 >\$driver/0.0.\$1/online
    address eth\$n \$2
    n=\$((n + 1))
}
address() { # interface, address
    ip addr add \$2/24 dev \$1
    ip link set \$1 up
}
virtio() { # end of its MAC, address: devices come in any order, each when it has been set online
    until grep -ls ":\$1\$" /sys/class/net/eth*/address >/found; do usleep 50000; done
    address \$(cut -d/ -f5 /found) \$2
}
reaches() { until ping -c 1 -W 1 -q \$1 >/dev/null; do usleep 50000; done; ping -c 3 -i 0.01 -s 1400 -q \$1 | grep packet; }
carrier() { until test "\$(cat /sys/class/net/\$1/carrier)" = \$2; do usleep 50000; done; }
SH
cat >overlay/one.sh <<'SH'
. /lib.sh
nic 0600 10.1.0.1; nic 0700 10.2.0.1; nic 0800 10.3.0.1
reaches 10.1.0.2; reaches 10.2.0.3; reaches 10.3.0.2
echo ALL-REACHED
carrier eth0 0; echo PEER-GONE
carrier eth2 0; echo SWITCH-GONE
carrier eth2 1; echo SWITCH-BACK
SH
cat >overlay/two.sh <<'SH'
. /lib.sh
nic 0600 10.1.0.2; nic 0800 10.3.0.2; nic 0900 10.4.0.2
reaches 10.1.0.1; reaches 10.3.0.1; reaches 10.4.0.3
echo ALL-REACHED
read forever
SH
cat >overlay/qemu.sh <<'SH'
. /lib.sh
virtio 07 10.2.0.3; virtio 09 10.4.0.3
reaches 10.2.0.1; reaches 10.4.0.2
echo ALL-REACHED
while :; do sleep 1000; done
SH
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$guest/initramfs.cpio.lz4" overlay.cpio.gz >net.initrd

awaits() { # file, pattern, pid
    until grep -aq -- "$2" "$1" 2>/dev/null; do
        kill -0 "$3" 2>/dev/null || { tail -n 20 "$1" >&2; fail "$1 ends without $2"; }
        moment
    done
}
ipl() { # name, options...
    local name=$1
    shift
    "$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd net.initrd --memory 512M --timeout 900 \
        --append "$QUICK_BOOT endicott.run=\"sh /$name.sh\"" "$@" >"$name.console" 2>"$name.messages" </dev/null &
    pids="$pids $!"
}
vde() {
    vde_switch -d -s "$sockets/switch" -p "$sockets/switch.pid" -m 666
    until [ -s "$sockets/switch.pid" ]; do moment; done
    switch=$(cat "$sockets/switch.pid")
}
read -r p1 p2 < <(python3 -c "
import socket
s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
[x.bind(('127.0.0.1', 0)) for x in s]
print(*(x.getsockname()[1] for x in s))")

vde
ipl one --net "0600=socket,listen=unix:$sockets/one,mac=02-00-00-00-01-06" --net "0700=socket,listen=unix:$sockets/qemu,mac=02-00-00-00-01-07" \
    --net "0800=vde:vde://$sockets/switch,mac=02-00-00-00-01-08"
one=$!
awaits one.messages 'guest 0800: OSA' $one
ipl two --net "0600=socket,connect=unix:$sockets/one,mac=02-00-00-00-02-06" --net "0800=vde:vde://$sockets/switch,mac=02-00-00-00-02-08" \
    --net "0900=socket,local=$p1,dgram=$p2,mac=02-00-00-00-02-09,capture=two.pcapng"
two=$!
qemu-system-s390x -M s390-ccw-virtio -cpu max -m 512 -nographic -kernel "$guest/kernel.quick" -initrd net.initrd \
    -append "$QUICK_BOOT endicott.run=\"sh /qemu.sh\"" \
    -netdev "stream,id=s,server=off,addr.type=unix,addr.path=$sockets/qemu" -device virtio-net-ccw,netdev=s,mac=02:00:00:00:03:07 \
    -netdev "dgram,id=d,local.type=inet,local.host=127.0.0.1,local.port=$p2,remote.type=inet,remote.host=127.0.0.1,remote.port=$p1" \
    -device virtio-net-ccw,netdev=d,mac=02:00:00:00:03:09 >qemu.console 2>&1 </dev/null &
qemu=$!
pids="$pids $qemu"

# --- each reaches all that it shares a network with
awaits one.console ALL-REACHED $one
awaits two.console ALL-REACHED $two
awaits qemu.console ALL-REACHED $qemu
for name in one two qemu; do
    ! grep -a packet $name.console | grep -v ' 0% packet loss' || fail "$name: packets were lost"
done
has() { grep -q -- "$1" "$2" || { cat "$2" >&2; fail "$2 has no $1"; }; }
has "guest 0600: OSA, MAC 02-00-00-00-01-06, socket listening at unix:$sockets/one, not connected" one.messages
has "guest 0600: link up: socket listening at unix:$sockets/one, connected with a peer on this host" one.messages
has "guest 0800: OSA, MAC 02-00-00-00-01-08, VDE switch vde://$sockets/switch" one.messages
has "socket to unix:$sockets/one, connected" two.messages
has "socket, datagrams from $p1 to $p2" two.messages

"$ROOT/tests/lib/pcapng.py" --cut two.pcapng >two.frames
grep -q '^0900 in 02:00:00:00:03:09 02:00:00:00:02:09 0800 1442 ' two.frames && grep -q '^socket in 02:00:00:00:02:09 02:00:00:00:03:09 0800 1442 ' two.frames ||
    fail "captured: $(cat two.frames)"
has 'guest 0900: captured to two.pcapng' two.messages

# --- a peer goes, a switch goes and comes back
kill -KILL $two
awaits one.console PEER-GONE $one
has "guest 0600: link down: socket listening" one.messages
kill $switch
awaits one.console SWITCH-GONE $one
until ! kill -0 $switch 2>/dev/null; do moment; done
rm -rf "$sockets/switch"*
vde
awaits one.console SWITCH-BACK $one
has "guest 0800: link up: VDE switch" one.messages
status=0
wait $one || status=$?
[ $status = 0 ] || { tail -n 20 one.console one.messages >&2; fail "the guest: status $status"; }
echo "net_uplinks: passed"
