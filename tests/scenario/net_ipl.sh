#!/bin/bash
# `ipl --net DEVNO=slirp`: Debian's unmodified qeth on an OSA adapter in layer 2. DHCP, ping, a file each way by TCP checked by
# digest, a forwarded port, the interface down and up ten times (NET_UPS), the modules out and in again, a VLAN, the guest
# reset in the middle of traffic. And what is wrong with options.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
modules="ccwgroup llc stp bridge qeth qeth_l2 mrp garp 8021q"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge drivers/s390/net/qeth \
    drivers/s390/net/qeth_l2 net/802/mrp net/802/garp net/8021q/8021q
cd "$TEST_TMP"
megabytes=${NET_MEGABYTES:-8}
ups=${NET_UPS:-10}

# --- what cannot be
refused() { # text, options of ipl...
    local text=$1 status=0
    shift
    "$ENDICOTT" ipl --kernel "$guest/kernel.quick" "$@" >out 2>&1 </dev/null || status=$?
    [ $status = 2 ] && grep -q -- "$text" out || { cat out >&2; fail "$*: status $status, not: $text"; }
}
refused "600=slirp,what: slirp knows\|what: slirp knows" --net 600=slirp,what
refused 'not slirp' --net 600=warp
refused 'not DEVNO=UPLINK' --net slirp
refused 'mac= takes' --net 600=slirp,mac=01-00-00-00-00-01
refused 'device 0602 is there already' --net 600=slirp --net 602=slirp
refused 'hostfwd=22: not' --net 600=slirp,hostfwd=22
refused 'N from 8 to 26' --net 600=slirp,net=10.1.0.0/31

# --- the files of the guest
mkdir overlay
for m in $modules; do cp "$guest/modules/$m.ko" overlay/; done
cat >overlay/lib.sh <<SH
modules="$modules"
load() { for m in \$modules; do insmod /\$m.ko || echo "no module \$m"; done; }
driver=/sys/bus/ccwgroup/drivers/qeth
group() { echo 0.0.\$1,0.0.\$2,0.0.\$3 >\$driver/group && echo 1 >\$driver/0.0.\$1/layer2; }
online() { echo 1 >\$driver/0.0.\$1/online; }
SH
cat >overlay/lease <<'SH'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr flush dev $interface
ip addr add $ip/24 dev $interface
ip route add default via $router
echo "lease $ip $router $dns"
SH
chmod 755 overlay/lease
cat >overlay/net.sh <<SH
set -e
. /lib.sh
load
group 0600 0601 0602
online 0600
cat /sys/class/net/eth0/address \$driver/0.0.0600/card_type
ip link set eth0 up
udhcpc -i eth0 -n -q -s /lease
ping -c 2 -q 10.0.2.2 | grep packet
boot=\$(wget -q -O - http://10.0.2.2:\$(cat /ports | cut -d' ' -f1)/boot)
echo boot \$boot
[ "\$boot" = 1 ] || exit 0
wget -q -O - http://10.0.2.2:\$(cat /ports | cut -d' ' -f1)/file | md5sum
dd if=/dev/zero bs=1M count=$megabytes 2>/dev/null | nc 10.0.2.2 \$(cat /ports | cut -d' ' -f2)
echo sent
nc -l -p 22 </ports >/tmp/got & echo LISTENS
wait
cat /tmp/got
n=0
while [ \$n -lt $ups ]; do ip link set eth0 down; ip link set eth0 up; n=\$((n + 1)); done
ip route add default via 10.0.2.2
ping -c 1 -q 10.0.2.2 | grep packet
ip link add link eth0 name eth0.7 type vlan id 7 && ip link set eth0.7 up && ip link del eth0.7 && echo vlan well
echo 0 >\$driver/0.0.0600/online
echo 1 >\$driver/0.0.0600/ungroup
for m in qeth_l2 qeth; do rmmod \$m; done
insmod /qeth.ko && insmod /qeth_l2.ko
group 0600 0601 0602
online 0600
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ping -c 1 -q 10.0.2.2 >/dev/null # its line might wait in the guest when it is reset
ping -c 100000 -i 0.001 -s 1400 -q 10.0.2.2 >/dev/null &
wget -q -O /dev/null http://10.0.2.2:\$(cat /ports | cut -d' ' -f1)/endless &
n=0
while [ \$n -lt 2000 ]; do n=\$(cat /sys/class/net/eth0/statistics/rx_packets); done
reboot -f
SH
head -c ${megabytes}M /dev/urandom >file

# --- a server of files and one that counts what comes, on ports of their own
python3 "$ROOT/tests/lib/net_server.py" &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
until [ -s ports ]; do kill -0 $server || fail "the server has ended"; moment; done
cp ports overlay/ports
read -r _ _ forward <ports
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$guest/initramfs.cpio.lz4" overlay.cpio.gz >net.initrd

# --- all of it in one guest; meanwhile somebody connects to the forwarded port
"$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd net.initrd --memory 512M --timeout "${NET_SECONDS:-1100}" \
    --net "0600=slirp,hostfwd=$forward:22,mac=02-00-00-00-12-34" --append "$QUICK_BOOT endicott.run=\"sh /net.sh\"" \
    >console 2>messages </dev/null &
ipl=$!
until grep -q LISTENS console; do kill -0 $ipl || break; moment; done
python3 - "$forward" <<'PY' >received || fail "nobody answers at the forwarded port"
import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
s.sendall(b'from outside\n')
s.shutdown(socket.SHUT_WR)
while b := s.recv(4096): sys.stdout.write(b.decode())
PY
status=0
wait $ipl || status=$?
tr -d '\r' <console >lines
[ $status = 0 ] && grep -q '^ENDICOTT-EXIT 0' lines || { tail -n 40 console messages >&2; fail "the guest: status $status"; }
has() { grep -q -- "$1" "${2:-lines}" || { cat "${2:-lines}" >&2; fail "not there: $1"; }; }
has "guest 0600: OSA, MAC 02-00-00-00-12-34, slirp 10.0.2.0/24, host port $forward to guest 22" messages
has '^02:00:00:00:12:34'
has '^OSD_1000'
has '^lease 10.0.2.15 10.0.2.2 10.0.2.3'
has "^$(md5sum <file | cut -d' ' -f1)"
has "$((megabytes << 20)) $(head -c ${megabytes}M /dev/zero | md5sum | cut -d' ' -f1)" sunk
has '^from outside'
cmp received ports
has '^vlan well'
has '^boot 2' # the guest was reset in the middle of traffic, and came up again
[ "$(grep -c " 0% packet loss" lines)" = 3 ] || { grep "packet\|boot" lines >&2; fail "packets were lost"; }
echo "net_ipl: passed"
