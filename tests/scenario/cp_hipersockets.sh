#!/bin/bash
# HiperSockets between two Linux guests on a guest LAN, in layer 3: NICDEF and DEFINE NIC, ping, a file each way by TCP. And
# an OSA adapter in layer 3 that goes to the other member and back with its addresses and neighbours, without its driver noticing.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$(dirname "$0")/../lib/guest_shell.sh"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge drivers/s390/net/qeth \
    drivers/s390/net/qeth_l2 drivers/s390/net/qeth_l3
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/system.config" <<'CNF'
DEFINE LAN HSI OWNERID SYSTEM TYPE HIPERSOCKETS MFS 40K
DEFINE VSWITCH VSW1 IP UPLINK slirp,net=10.7.0.0/24
MODIFY VSWITCH VSW1 GRANT LINUX1
CNF
sed -i 's/^USER LINUX1 .*/&\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1\n NICDEF 0800 TYPE HIPERSOCKETS LAN SYSTEM HSI/' "$cluster/user.direct"
cd "$TEST_TMP"
mkdir overlay
for m in ccwgroup llc stp bridge qeth qeth_l2 qeth_l3; do cp "$GUEST_FILES/modules/$m.ko" overlay/; done
cat >overlay/lib.sh <<'SH'
driver=/sys/bus/ccwgroup/drivers/qeth
nic() { # device, layer2, address
    test -e $driver || for m in ccwgroup llc stp bridge qeth qeth_l2 qeth_l3; do insmod /$m.ko; done
    n=$((0x$1))
    echo 0.0.$1,0.0.$(printf %04x $((n + 1))),0.0.$(printf %04x $((n + 2))) >$driver/group
    echo $2 >$driver/0.0.$1/layer2
    echo 1 >$driver/0.0.$1/online
    if=$(ls $driver/0.0.$1/net)
    ip addr add $3/24 dev $if
    ip link set $if up
    cat $driver/0.0.$1/card_type /sys/class/net/$if/mtu
}
files() { # to be fetched, with their digest
    mkdir /tmp/w
    cd /tmp/w
    head -c 8000000 /dev/urandom >file
    echo "$(md5sum <file | cut -d' ' -f1)  got" >sum
    httpd -p 5000 -h /tmp/w
    cd /tmp
}
fetch() { wget -q -O got http://$1:5000/file && wget -q -O - http://$1:5000/sum | md5sum -c && rm got; }
pings() { ping -c 2 -W 2 -q "$@" | grep ' 0% packet loss'; }
reaches() { n=0; until ping -c 1 -W 1 -q $1 >/dev/null; do n=$((n + 1)); test $n -lt 60 || return 1; done; }
SH
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$GUEST_FILES/initramfs.cpio.lz4" overlay.cpio.gz >shell.initrd
echo "console=ttyS0 $QUICK_BOOT" >parmfile

as() { endicott cp -m MEMBERA -u "$@"; }
both() { # a file each way: addresses of LINUX1, LINUX2
    runs LINUX1 "fetch $2"
    runs LINUX2 "fetch $1"
}

endicott up "$cluster" >/dev/null
starts LINUX1
starts LINUX2
for u in LINUX1 LINUX2; do
    started $u
    runs $u files
done
expect 0 'NIC 0800 is created; devices 0800-0802 defined' as LINUX2 DEFINE NIC 800 TYPE HIPERSOCKETS
expect 0 'NIC 0800 is connected to LAN SYSTEM HSI' as LINUX2 COUPLE 0800 TO SYSTEM HSI
expect 0 'Type: HIPERS' as LINUX2 QUERY NIC 0800

# --- layer 3, which is what a LAN of HiperSockets has
runs LINUX1 'nic 0800 0 10.8.0.1'
runs LINUX2 'nic 0800 0 10.8.0.2'
expect 0 'Virt.NIC Hiper' endicott wait -u LINUX1 --match '^Virt.NIC Hiper' --since-start --timeout "$WAIT_SECONDS"
expect 0 '32768' endicott wait -u LINUX2 --match '^32768' --since-start --timeout "$WAIT_SECONDS"
runs LINUX1 'reaches 10.8.0.2 && pings -s 32000 10.8.0.2'
both 10.8.0.1 10.8.0.2
expect 0 'Connected: 2' cp_on MEMBERA QUERY LAN HSI DETAILS

# --- layer 3 goes to the other member and back
runs LINUX1 'echo 0 >$driver/0.0.0800/online; echo 1 >$driver/0.0.0800/ungroup'
runs LINUX1 'nic 0600 0 10.7.0.20 && reaches 10.7.0.2'
expect 0 'is destroyed' as LINUX1 DETACH NIC 0800
runs LINUX1 'ping -c 10000 -i 0.05 -q 10.7.0.2 >/tmp/pings & dmesg -c >/dev/null'
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
runs LINUX1 'reaches 10.7.0.2; pings 10.7.0.2'
expect 0 'has been relocated' cp_on MEMBERB VMRELOCATE MOVE USER LINUX1 TO MEMBERA
runs LINUX1 'pings 10.7.0.2'
runs LINUX1 'kill %1; ! dmesg | grep -i recover'
expect 0 'has ended' endicott stop "$cluster"
echo "cp_hipersockets: passed"
