#!/bin/bash
# `ipl --net DEVNO=tap:NAME` and `tap:fd=N`, in a network namespace of its own: a guest and its host reach each other; a device that
# is deleted takes the link with it, and gives it back when it is made again. Needs root, for the namespace alone.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
skip() { echo "$1"; exit 77; }
[ "$(id -u)" = 0 ] || skip "only root makes network namespaces"
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
ns=endicott-$$
ip netns add $ns 2>/dev/null || skip "no network namespaces here"
pid=
end() {
    local status=$?
    [ -z "$pid" ] || { kill -KILL $pid; wait $pid; } 2>/dev/null || true
    ip netns del $ns
    exit $status
}
trap end EXIT
inside() { ip netns exec $ns "$@"; }
device() { inside ip tuntap add dev tap7 mode tap user nobody && inside ip addr add 10.9.0.1/24 dev tap7 && inside ip link set tap7 up; }
inside ip link set lo up
device || skip "no tap devices here"

modules="ccwgroup llc stp bridge qeth qeth_l2"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge drivers/s390/net/qeth \
    drivers/s390/net/qeth_l2
cd "$TEST_TMP"
mkdir overlay
for m in $modules; do cp "$guest/modules/$m.ko" overlay/; done
cat >overlay/tap.sh <<SH
for m in $modules; do insmod /\$m.ko; done
driver=/sys/bus/ccwgroup/drivers/qeth
carrier() { until test "\$(cat /sys/class/net/\$1/carrier)" = \$2; do usleep 50000; done; }
reaches() { until ping -c 1 -W 1 -q \$1 >/dev/null; do usleep 50000; done; }
for d in 060 070; do
    echo 0.0.\${d}0,0.0.\${d}1,0.0.\${d}2 >\$driver/group
    echo 1 >\$driver/0.0.\${d}0/layer2
    echo 1 >\$driver/0.0.\${d}0/online
done
ip addr add 10.9.0.2/24 dev eth0; ip link set eth0 up
ip addr add 10.8.0.2/24 dev eth1; ip link set eth1 up
reaches 10.9.0.1; reaches 10.8.0.1
ping -c 5 -i 0.01 -s 1400 -q 10.9.0.1 | grep packet
echo REACHED
carrier eth0 0; echo TAP-GONE
carrier eth0 1; reaches 10.9.0.1; echo TAP-BACK
read forever
SH
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$guest/initramfs.cpio.lz4" overlay.cpio.gz >net.initrd

# --- what is not a tap device, or somebody has already
refused() { # text, option
    local status=0
    inside "$ENDICOTT" ipl --kernel "$guest/kernel.quick" --net "$2" >out 2>&1 </dev/null || status=$?
    [ $status != 0 ] && grep -q -- "$1" out || { cat out >&2; fail "$2: status $status, not: $1"; }
}
refused 'tap:lo: ' 600=tap:lo
refused 'tap:tap8: there is no such device' 600=tap:tap8

# --- a device by its name, and one that a script has opened
cat >opened.py <<'PY'
import fcntl, os, struct, subprocess, sys
tun = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack('16sH22x', b'tap9', 0x1002)) # TUNSETIFF: IFF_TAP | IFF_NO_PI
subprocess.run(['ip', 'addr', 'add', '10.8.0.1/24', 'dev', 'tap9'], check=True)
subprocess.run(['ip', 'link', 'set', 'tap9', 'up'], check=True)
os.set_inheritable(tun, True)
os.execv(sys.argv[1], [a.replace('fd=N', f'fd={tun}') for a in sys.argv[1:]])
PY
ip netns exec $ns python3 opened.py "$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd net.initrd --memory 512M --timeout 900 --net 0600=tap:tap7 \
    --net 0700=tap:fd=N --append "$QUICK_BOOT endicott.run=\"sh /tap.sh\"" >console 2>messages </dev/null &
pid=$!
awaits() { # pattern
    until grep -aq -- "$1" console; do
        kill -0 $pid || { tail -n 20 console messages >&2; fail "it ends without $1"; }
        moment
    done
}
has() { grep -q -- "$1" messages || { cat messages >&2; fail "no $1"; }; }
awaits REACHED
has 'guest 0600: OSA, MAC 02-00-00-00-06-00, tap device tap7$'
has 'guest 0700: .* tap device tap9 (passed descriptor)'
grep -aq ' 0% packet loss' console || fail "packets were lost"
refused 'tap:tap7: Device or resource busy' 600=tap:tap7
inside python3 -c "import socket
try: socket.create_connection(('10.9.0.2', 9), timeout=300)
except ConnectionRefusedError: pass" || fail "the host does not reach the guest"
inside ip link del tap7
awaits TAP-GONE
has 'guest 0600: link down: tap device tap7, which has gone'
device
awaits TAP-BACK
has 'guest 0600: link up: tap device tap7$'
echo "net_tap: passed"
