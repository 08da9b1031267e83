#!/bin/bash
# `ipl --relocate-every` with network adapters: Linux is relocated every four million instructions while unmodified qeth sends and
# receives: an OSA adapter in layer 2 with a slirp uplink, two in layer 3 and two of HiperSockets on networks in memory with a far end
# in a network namespace. Ping, files by TCP both ways with digests, an uplink that goes and comes. And what is deterministic: two runs
# of one seed on networks in memory say the same, with --ration-stores too; uplinks are refused.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
modules="ccwgroup llc stp bridge qeth qeth_l2 qeth_l3"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge drivers/s390/net/qeth \
    drivers/s390/net/qeth_l2 drivers/s390/net/qeth_l3
cd "$TEST_TMP"
kilobytes=${NET_KILOBYTES:-1024}
every=${NET_EVERY:-4000000}

# --- time that is not the host's has no outside
for options in --deterministic "--ration-stores 1"; do
    status=0
    # shellcheck disable=SC2086
    "$ENDICOTT" ipl --kernel "$guest/kernel.quick" $options --net 600=slirp >out 2>&1 </dev/null || status=$?
    [ $status = 2 ] && grep -q '600=slirp: .*lan:NAME only' out || fail "$options: status $status: $(cat out)"
done

# --- the guest's files
mkdir overlay
for m in $modules; do cp "$guest/modules/$m.ko" overlay/; done
cat >overlay/lib.sh <<SH
set -e
for m in $modules; do insmod /\$m.ko; done
kilobytes=$kilobytes
SH
cat >>overlay/lib.sh <<'SH'
driver=/sys/bus/ccwgroup/drivers/qeth
mkfifo /tmp/ready
unshare -n sh -c 'ip link set lo up; echo $$ >/tmp/ready; exec sleep 100000' &
read far </tmp/ready
far() { nsenter -t $far -n "$@"; }
adapter() { # device, layer2: the interface's name is in $if
    n=$((0x$1))
    echo 0.0.$1,0.0.$(printf %04x $((n + 1))),0.0.$(printf %04x $((n + 2))) >$driver/group
    echo $2 >$driver/0.0.$1/layer2
    echo 1 >$driver/0.0.$1/online
    if=$(ls $driver/0.0.$1/net)
}
reaches() { n=0; until ping -c 1 -W 1 -q $1 >/dev/null; do n=$((n + 1)); test $n -lt 300 || return 1; done; }
pair() { # near device, its address, far device, its address, layer2
    adapter $1 $5
    ip link set $if up
    ip addr add $2/24 dev $if
    adapter $3 $5
    ip link set $if netns $far
    far ip link set $if up
    far ip addr add $4/24 dev $if
    reaches $4
}
same() { # what, near address, far address: a file each way
    test "$(wget -q -O - http://$3:5000/file | md5sum)" = "$sum"
    test "$(far wget -q -O - http://$2:5000/file | md5sum)" = "$sum"
    echo "well: $1"
}
files() {
    mkdir /tmp/files
    dd if=/dev/urandom of=/tmp/files/file bs=1k count=$kilobytes 2>/dev/null
    sum=$(md5sum </tmp/files/file)
    far httpd -p 5000 -h /tmp/files
    httpd -p 5000 -h /tmp/files
}
SH
cat >overlay/every.sh <<'SH'
. /lib.sh
files
pair 0700 10.1.0.1 0710 10.1.0.2 0
same "OSA in layer 3" 10.1.0.1 10.1.0.2
pair 0800 10.2.0.1 0810 10.2.0.2 0
same HiperSockets 10.2.0.1 10.2.0.2
read http sink free </ports
adapter 0600 1
ip link set $if up
ip addr add 10.0.2.15/24 dev $if
reaches 10.0.2.2
ping -c 20 -i 0.05 -s 1400 -q 10.0.2.2 | grep packet
wget -q -O - http://10.0.2.2:$http/file | md5sum
dd if=/dev/zero bs=1k count=$kilobytes 2>/dev/null | nc 10.0.2.2 $sink
echo sent
carrier() { until test "$(cat /sys/class/net/$if/carrier)" = $1; do usleep 100000; done; }
adapter 0680 1
ip link set $if up
carrier 0
echo WAITS
carrier 1
echo "well: the link came"
carrier 0
echo "well: the link went"
SH
cat >overlay/same.sh <<'SH'
. /lib.sh
pair 0700 10.1.0.1 0710 10.1.0.2 1
ping -c 3 -i 0.2 10.1.0.2
dmesg | tail -n 20
SH
head -c ${kilobytes}k /dev/urandom >file
python3 "$ROOT/tests/lib/net_server.py" &
server=$!
peer=
sockets=$(mktemp -d /tmp/every-XXXXXX) # names of sockets are short
trap 'kill $server $peer 2>/dev/null || true; rm -rf "$sockets"' EXIT
until [ -s ports ]; do kill -0 $server || fail "the server has ended"; moment; done
cp ports overlay/ports
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$guest/initramfs.cpio.lz4" overlay.cpio.gz >net.initrd
has() { grep -q -- "$1" "${2:-lines}" || { tail -n 40 "${2:-lines}" >&2; fail "not there: $1"; }; }

# --- relocated all the time
"$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd net.initrd --memory 96M --timeout "${NET_SECONDS:-1500}" --relocate-every "$every" \
    --net 0600=slirp --net 0680=socket,connect=unix:"$sockets/peer",reconnect=1 --net 0700=lan:a --net 0710=lan:a \
    --net 0800=lan:b,type=hipersockets --net 0810=lan:b,type=hipersockets \
    --append "$QUICK_BOOT endicott.run=\"sh /every.sh\"" >console 2>messages </dev/null &
ipl=$!
says() { until grep -q "$1" console; do kill -0 $ipl || break; moment; done; }
says WAITS
mkfifo hold
python3 - "$sockets/peer" hold <<'PY' &
# A peer that goes when nobody holds it.
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
c = s.accept()[0]
open(sys.argv[2]).read()
PY
peer=$!
exec 9>hold
says 'link came'
exec 9>&-
status=0
wait $ipl || status=$?
tr -d '\r' <console >lines
[ $status = 0 ] && grep -q '^ENDICOTT-EXIT 0' lines || { tail -n 40 lines messages >&2; fail "the guest: status $status"; }
has '^well: OSA in layer 3'
has '^well: HiperSockets'
has "^$(md5sum <file | cut -d' ' -f1)"
has "$((kilobytes << 10)) $(head -c ${kilobytes}k /dev/zero | md5sum | cut -d' ' -f1)" sunk
has '^well: the link came'
has '^well: the link went'
has 'guest 0680: link up' messages
has 'guest 0680: link down' messages

# --- one seed, one log
for run in 1 2; do
    "$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd net.initrd --memory 96M --timeout "${NET_SECONDS:-1500}" --deterministic=3 \
        --net 0700=lan:a --net 0710=lan:a --append "$QUICK_BOOT endicott.run=\"sh /same.sh\"" >same$run 2>messages </dev/null ||
        fail "deterministic: status $?: $(tail -n 20 same$run messages)"
done
has '3 packets received' same1
cmp same1 same2 || fail "two runs differ: $(diff same1 same2 | head)"
"$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd net.initrd --memory 96M --timeout "${NET_SECONDS:-1500}" --ration-stores 1,5000 \
    --net 0700=lan:a --net 0710=lan:a --append "$QUICK_BOOT endicott.run=\"sh /same.sh\"" >rationed 2>&1 </dev/null ||
    fail "rationed: status $?: $(tail -n 20 rationed)"
has '3 packets received' rationed
echo "net_every: passed"
