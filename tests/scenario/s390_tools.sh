#!/bin/bash
# Debian's s390-tools, unmodified, in a Linux guest under CP: vmcp's five exit statuses; every command that dbginfo.sh
# issues under z/VM, in its way (a buffer that grows until it is large enough, a time limit), answered or refused by
# number; hyptop on DIAGNOSE X'204', X'2FC' and X'0C'; lsdasd and lszdev on minidisks; znetconf, chzdev and lsqeth
# on an adapter. The guest has all privilege classes; a second one of class G alone is refused what is not its own.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
guest=$GUEST_FILES
"$ROOT/tests/guest/fetch.sh" --spool || fail 'the packages cannot be fetched'
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/block/dasd_mod drivers/s390/block/dasd_eckd_mod \
    drivers/s390/block/dasd_fba_mod drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge drivers/s390/net/qeth \
    drivers/s390/net/qeth_l2
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^USER LINUX1 LINUX1 512M 2G G/USER LINUX1 LINUX1 768M 2G ABCDEFG/; s/^USER LINUX2 LINUX2 512M/USER LINUX2 LINUX2 768M/' \
    "$cluster/user.direct"
sed -i '/^USER LINUX1/,/^$/s/^  VMRELOCATE ON/  MDISK 0200 3390 T-DISK 20\n  MDISK 0201 FB-512 V-DISK 20000 MR\n&/' \
    "$cluster/user.direct"
sed -i 's/^USER LINUX1 .*/&\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1/' "$cluster/user.direct"
cat >>"$cluster/system.config" <<'CNF'
DEFINE VSWITCH VSW1 ETHERNET VLAN 5
MODIFY VSWITCH VSW1 GRANT LINUX1 VLAN 10
CNF

mkdir "$TEST_TMP/overlay"
cp "$guest"/modules/{dasd_{mod,eckd_mod,fba_mod},ccwgroup,llc,stp,bridge,qeth,qeth_l2}.ko "$TEST_TMP/overlay/"
cat >"$TEST_TMP/overlay/tools.sh" <<'SH'
for module in dasd_mod dasd_eckd_mod dasd_fba_mod ccwgroup llc stp bridge qeth qeth_l2; do insmod /$module.ko; done
mount -t devtmpfs dev /debian/dev
mount -t proc proc /debian/proc
mount -t sysfs sys /debian/sys
mount -t debugfs debug /debian/sys/kernel/debug
ln -sf /proc/mounts /debian/etc/mtab
ln -s bash /debian/bin/sh # by which lszdev runs vmcp
d() { PATH=/sbin:/bin:/usr/sbin:/usr/bin LC_ALL=C TERM=dumb chroot /debian "$@"; }
expect() { # status, command...: vmcp's exit status
    wanted=$1
    shift
    d vmcp "$@" >/debian/tmp/out 2>&1
    echo "VMCP $wanted = $? $(tail -n 1 /debian/tmp/out)"
}
expect 0 query userid
expect 0 -k query userid
expect 1 frobnicate
expect 2 -b 4096 display r0.1000
mv /debian/dev/vmcp /debian/dev/vmcp.away
expect 3 query userid
mv /debian/dev/vmcp.away /debian/dev/vmcp
expect 4 --frobnicate

# As dbginfo.sh does it: buffers of 4K, 8K ... up to 1M until vmcp no longer says that one is too small; ten times its 15 seconds each.
size=2
status=2
while read -r command; do
    while [ $status = 2 ] && [ $size -lt 1024 ]; do
        size=$((size * 2))
        d vmcp -b ${size}k $command >/dev/null 2>&1
        status=$?
    done
    timeout 150 chroot /debian /sbin/vmcp -b ${size}k $command >/debian/tmp/out 2>&1
    echo "CP <$command> $? $(grep -c . /debian/tmp/out) $(grep -o 'HCP[A-Z]*[0-9]*E' /debian/tmp/out | head -n 1)"
done </commands
d hyptop -b -d 1 -n 2 -f '#,c,m,C:s,M:s,o' -S c
echo 1 >/sys/bus/ccw/devices/0.0.0200/online
echo 1 >/sys/bus/ccw/devices/0.0.0201/online
d lsdasd
d lszdev
d lszdev --online
if [ -e /sys/bus/ccw/devices/0.0.0600 ]; then
    ln -sf gawk /debian/usr/bin/awk # znetconf runs it, and getopt
    cp /bin/busybox /debian/bin/getopt
    d znetconf --unconfigured
    d znetconf --non-interactive --add 0600
    d znetconf --configured
    echo "znetconf: layer2 $(cat /sys/bus/ccwgroup/drivers/qeth/0.0.0600/layer2)"
    d znetconf --non-interactive --remove 0600
    echo "znetconf: left $(ls /sys/bus/ccwgroup/devices | wc -l)"
    for asked in 'query virtual nic' 'query vswitch'; do # chzdev asks them; of no answer it says nothing
        d vmcp $asked 2>&1 | sed "s/^/vmcp $asked: /"
    done
    # On a slow host the timer of its progress display may interrupt it while it reads what vmcp says; it seldom says so, and goes on without.
    for n in 1 2 3 4 5; do
        d chzdev -e 0600 --no-settle >/tmp/chzdev 2>&1
        d lszdev qeth --columns ATTR:layer2 | grep -q 1/1 && break
        echo "chzdev: not told of the layer, try $n"
        d chzdev -d 0600 --no-settle
    done
    cat /tmp/chzdev
    ls /debian/etc/udev/rules.d
    d lsqeth
fi
d lszdev qeth --columns ID,ON,ATTR:layer2,ATTR:if_name
echo TOOLS-$((40 + 2))
while :; do sleep 1000; done
SH
# The z/VM commands of dbginfo.sh 2.19 (s390-tools, MIT), which Debian's package does not contain.
cat >"$TEST_TMP/overlay/commands" <<'CP'
q userid
q users
q privclass
q cplevel
q cpservice
q cpprot user
q specex
q ssi
q cpus
q srm
q vtod
q time full
q timezone
q loaddev
q v osa
q v dasd
q v crypto
q v fcp
q v pav
q v sw
q v st
q v nic
q st
q xstore
q xstore user system
q sxspages
q vmlan
q vswitch
q vswitch details
q vswitch access
q vswitch active
q vswitch accesslist
q vswitch promiscuous
q vswitch controller
q port group all active details
q set
q comm
q controller all
q fcp
q frames
q lan
q lan all details
q lan all access
q memassist
q nic
q pav
q proc
q proc topology
q mt
q qioass
q spaces
q swch all
q trace
q mdcache
q alloc page
q alloc spool
q dump
q dumpdev
q reorder LINUX1
q quickdsp LINUX1
q pcifunction
q vmrelocate
q syscontrol
ind load
ind sp
ind user
q cpowned
q relodomain all
CP
(cd "$TEST_TMP/overlay" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$TEST_TMP/overlay.cpio.gz"
cat "$guest/initramfs.cpio.lz4" "$guest/spool.cpio.lz4" "$TEST_TMP/overlay.cpio.gz" >"$TEST_TMP/initrd"
echo "console=ttyS0 $QUICK_BOOT endicott.run=\"sh /tools.sh\"" >"$TEST_TMP/parmfile"

endicott up "$cluster" >/dev/null
for user in LINUX1 LINUX2; do
    endicott punch -m MEMBERA -u $user "$guest/kernel.quick" "$TEST_TMP/parmfile" "$TEST_TMP/initrd" >/dev/null
    expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG $user
done

all() { # user: its console
    python3 - "$ENDICOTT_RUN/MEMBERA.sock" "$1" <<'PYTHON'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "console.read", "params": {"user": sys.argv[2], "from": 0}}).encode() + b"\n")
for line in json.loads(s.makefile().readline())["result"]["lines"]:
    print(line["text"])
PYTHON
}
before_cleanup() { [ "$1" = 0 ] || all LINUX1 | tail -n 140 >&2 || true; }
saw() { # user regex
    grep -Eq -- "$2" <<<"$(all "$1")" || fail "$1 shows no line like $2"
}
for user in LINUX1 LINUX2; do
    endicott wait -u $user --match TOOLS-42 --since-start --timeout "$WAIT_SECONDS" >/dev/null
done

# --- vmcp: each status that it was to have
[ "$(all LINUX1 | grep -c '^VMCP \([0-4]\) = \1 ')" = 6 ] || fail "vmcp: $(all LINUX1 | grep '^VMCP')"
saw LINUX1 '^VMCP 1 = 1 .*#1$'
saw LINUX1 '^VMCP 2 = 2 '

# --- dbginfo.sh: no command was cut short (2, 124), each that was refused says why by a message of the number it returned
wanted=$(wc -l <"$TEST_TMP/overlay/commands")
for user in LINUX1 LINUX2; do
    found=$(all $user | grep -c '^CP <.*> \(0 [0-9]*\|1 [1-9][0-9]* HCP[A-Z]\{3\}[0-9]*E\) *$') || true
    [ "$found" = "$wanted" ] || fail "$user: $found of $wanted: $(all $user | grep '^CP <' | grep -v '> [01] ')"
done
for answered in 'q users' 'q privclass' 'q cplevel' 'q ssi' 'q cpus' 'q time full' 'q loaddev' 'q timezone' 'q v dasd' 'q v st' 'q st' 'q set' \
    'q comm' 'q proc' 'q quickdsp LINUX1' 'q vmrelocate' 'ind load' 'ind user' 'q cpowned' 'q relodomain all'; do
    saw LINUX1 "^CP <$answered> 0 [1-9]"
done
# what there is none of is told, not refused; these alone are
refused=$(all LINUX1 | sed -n 's/^CP <\(.*\)> 1 [0-9]* HCPCQV003E *$/\1/p' | sort | tr '\n' ,)
[ "$refused" = 'q cpprot user,q cpservice,q specex,q sxspages,q syscontrol,' ] || fail "refused: $refused"
saw LINUX1 '^CP <q v nic> 0 [1-9]'
saw LINUX2 '^CP <q v nic> 1 [0-9]+ HCPQVD040E'
saw LINUX2 '^CP <q ssi> 1 [0-9]+ HCPCQV003E'

# --- hyptop: class B sees both guests and the operator, class G itself
saw LINUX1 '^LINUX1 +[0-9]'
saw LINUX1 '^LINUX2 +[0-9]'
saw LINUX1 '^OPERATOR +[0-9]'
saw LINUX2 '^LINUX2 +[0-9]'
! grep -Eq '^(LINUX1|OPERATOR) +[0-9]+ ' <<<"$(all LINUX2)" || fail 'class G sees other guests'

# --- disks by name and by device
saw LINUX1 '^(0\.0\.)?0200 '
saw LINUX1 "^dasd-eckd +0\.0\.0200 +yes"
saw LINUX1 "^dasd-fba +0\.0\.0201 +yes"
# --- adapters: znetconf finds one, takes its layer from the switch by vmcp, and gives it back
adapter='0\.0\.0600,0\.0\.0601,0\.0\.0602 1731/01'
saw LINUX1 "^$adapter OSA \(QDIO\) +[0-9a-f]{2} qeth *$"
saw LINUX1 '^Successfully configured device 0\.0\.0600 \(eth0\)'
saw LINUX1 "^$adapter Virt\.NIC QDIO +[0-9a-f]{2} qeth eth0 +online"
saw LINUX1 '^znetconf: layer2 1'
saw LINUX1 '^Successfully removed device 0\.0\.0600 \(eth0\)'
saw LINUX1 '^znetconf: left 0'
# --- the layer is that of the switch, which vmcp told; lsqeth names the switch; the next system of this disk would have it as well
saw LINUX1 '^QETH device 0\.0\.0600:0\.0\.0601:0\.0\.0602 configured'
saw LINUX1 '41-qeth-0\.0\.0600\.rules'
saw LINUX1 'card_type +: VSWITCH: SYSTEM VSW1 \(Type: QDIO\)'
saw LINUX1 'layer2 +: 1'
saw LINUX1 '^0\.0\.0600:0\.0\.0601:0\.0\.0602 +yes +1/1 +eth0'
# Feilong takes user, type and VLAN from the last three fields of a grant, and both defaults from theirs
expect 0 'LINUX1 Access 0010' awk -F: '/User:/ { split($(NF-2), u, " "); split($(NF-1), t, " "); print u[1], t[1], $NF + 0 == 10 ? "0010" : "no" }' \
    <<<"$(cp_on MEMBERA QUERY VSWITCH VSW1 ACCESS)"
expect 0 '0005 Access' awk -F: '/Default VLAN/ { split($(NF-1), v, " "); print v[1], $NF }' <<<"$(cp_on MEMBERA QUERY VSWITCH VSW1 ACCESS | sed 's/: /:/g')"
expect 0 'has ended' endicott stop "$cluster"
echo "s390_tools: passed"
