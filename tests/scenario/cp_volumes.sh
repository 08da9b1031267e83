#!/bin/bash
# Volumes of the system on real members: T-disks of Linux on a CP-owned volume, which show nothing of their last user; a volume that
# is attached later; two members that take T-disks of one volume; a member that is killed has given its T-disks back.
# And the minidisk cache.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
disk_cluster ' MDISK 0200 3390 T-DISK 20
 MDISK 0210 3390 1 10 LATE01 MR' ' MDISK 0200 3390 T-DISK 20'
sed -i 's/PDR_VOLUME COM001/PDR_VOLUME VOL001/' "$cluster/system.config"
sed -i 's/^USER_VOLUME_LIST/CP_OWNED SLOT 10 TMP001 SHARED\n&/' "$cluster/system.config"
for member in MEMBERA MEMBERB; do
    cat >>"$cluster/hardware/$member.cnf" <<'CNF'
0210 3390 volumes/tmp001.ckd
0211 3390 volumes/late01.cckd
CNF
done
endicott dasd init "$cluster/volumes/tmp001.ckd" --cylinders 60 --volume TMP001 --format ckd
endicott dasd init "$cluster/volumes/late01.cckd" --cylinders 20 --volume LATE01
expect 2 'TDSK 0-20: the label is there' endicott dasd alloc "$cluster/volumes/tmp001.ckd" TDSK 0-20
expect 0 'TDSK 10-END|TDSK 10-59' endicott dasd alloc "$cluster/volumes/tmp001.ckd" PERM 1-9 TDSK 10-END
expect 0 'CP volume, cylinders' endicott dasd alloc "$cluster/volumes/tmp001.ckd"
disk_guest_files
for member in MEMBERA MEMBERB; do
    expect 0 "$member is ready" endicott start "$cluster" "$member"
done
expect 0 'PDR\) device: VOL001 on 0200$' cp_on MEMBERA QUERY SSI
expect 0 '10  TMP001 0210  Share  Online and attached$' cp_on MEMBERA QUERY CPOWNED
boot_with_disks MEMBERA LINUX1
expect 0 'HCPLNM108E' endicott wait -u LINUX1 --match 'HCPLNM108E LINUX1 0210 not linked; volid LATE01 not mounted' --since-start --timeout "$WAIT_SECONDS"
expect 0 'DASD 0200 3390 TMP001 R/W +20 CYL ON DASD  0210' as LINUX1 QUERY VIRTUAL 200
expect 0 'TMP001 0210 +10 +59 +50 +20 +30 +40%' cp_on MEMBERA QUERY ALLOC TDISK

# --- Linux uses it; what is there is gone with it
runs LINUX1 'online 0200; format -d ldl -l SECRET /dev/dasda; part /dev/dasda1; filesystem dasda1 && fill dasda1 && whole dasda1'
runs LINUX1 'umount /mnt/dasda1; echo 0 >/sys/bus/ccw/devices/0.0.0200/online'
expect 0 'DASD 0200 DETACHED' as LINUX1 DETACH 200
runs LINUX1 'until_gone /sys/bus/ccw/devices/0.0.0200'
expect 0 'DASD 0300 DEFINED' as LINUX1 DEFINE T3390 300 20
expect 0 'TMP001 0210 +10 +20' as LINUX1 QUERY MDISK 300
grep -q SECRET <(iconv -f IBM037 -t UTF-8 "$cluster/volumes/tmp001.ckd" 2>/dev/null | tr -c 'A-Z' '\n') || fail "the volume does not have it any more: nothing is shown by what follows"
runs LINUX1 'until_there /sys/bus/ccw/devices/0.0.0300/online && online 0300; d lsdasd | grep "0.0.0300  n/f  *dasdb"' # not formatted
runs LINUX1 'format -d ldl /dev/dasdb; part /dev/dasdb1; filesystem dasdb1 && fill dasdb1 && whole dasdb1'

# --- another member, the same volume
boot_with_disks MEMBERB LINUX2
expect 0 'TMP001 0210 +30 +20' endicott cp -m MEMBERB -u LINUX2 QUERY MDISK 200
runs LINUX2 'online 0200; format -d ldl /dev/dasda; part /dev/dasda1; filesystem dasda1 && fill dasda1 && whole dasda1'
runs LINUX1 'echo 3 >/proc/sys/vm/drop_caches; whole dasdb1'
expect 1 'HCPDEF091E Device 0400 not defined; temporary space not available' as LINUX1 DEFINE T3390 400 20
expect 0 'DASD 0400 DEFINED' as LINUX1 DEFINE T3390 400 10

# --- a volume that comes later
expect 1 'HCPLNM108E' as LINUX1 LINK '*' 210 210 MR
expect 0 'DASD 0211 ATTACHED TO SYSTEM LATE01' cp_on MEMBERA ATTACH 211 TO SYSTEM
expect 0 '^$' as LINUX1 LINK '*' 210 210 MR
runs LINUX1 'until_there /sys/bus/ccw/devices/0.0.0210/online && online 0210'

# --- what is read again is in the minidisk cache, until it is written
runs LINUX1 'D=/dev/$(ls /sys/bus/ccw/devices/0.0.0210/block); format -d ldl $D'
runs LINUX1 'dd if=/dev/urandom of=$D bs=48k count=100 seek=1 oflag=direct 2>/dev/null'
runs LINUX1 'sum() { dd if=$D bs=48k skip=1 count=100 iflag=direct 2>/dev/null | md5sum; }; sum >/tmp/a'
expect 0 'Minidisk cache ON for LINUX1 0210' cp_on MEMBERA QUERY MDCACHE MDISK LINUX1 210
expect 0 'MDC READS-[0-9]+/SEC WRITES-[0-9]+/SEC HIT RATIO' cp_on MEMBERA INDICATE LOAD # the ratio is of what comes after this
runs LINUX1 'for i in 1 2 3 4 5 6 7 8 9; do sum; done | sort -u | cmp - /tmp/a'
expect 0 'MDC READS-0*[1-9][0-9]*/SEC WRITES-[0-9]*/SEC HIT RATIO-(0[5-9][0-9]|100)%' cp_on MEMBERA INDICATE LOAD
runs LINUX1 'dd if=/dev/urandom of=$D bs=48k count=1 seek=50 oflag=direct 2>/dev/null; sum >/tmp/b; ! cmp -s /tmp/a /tmp/b'
expect 0 'Minidisk cache OFF for system' cp_on MEMBERA SET MDCACHE SYSTEM OFF
runs LINUX1 'sum | cmp - /tmp/b'
expect 1 'HCPATR124E DASD 0211 in use by 1 users' cp_on MEMBERA DETACH 211 FROM SYSTEM
expect 1 'HCPATR124E DASD 0210 in use by 2 users' cp_on MEMBERA DETACH 210 FROM SYSTEM

# --- a member that is killed has no T-disks any more
kills MEMBERA
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
expect 0 'TMP001 0210 +10 +59 +50 +0 +0 +0%' cp_on MEMBERA QUERY ALLOC TDISK
runs LINUX2 'echo 3 >/proc/sys/vm/drop_caches; whole dasda1'
endicott dasd check "$cluster/volumes/late01.cckd" || fail "the volume is damaged"
echo "cp_volumes: passed"
