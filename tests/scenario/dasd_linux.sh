#!/bin/bash
# A 3390 and a 9336 under Debian's unmodified kernel and s390-tools: dasdfmt, fdasd, dasdview, lsdasd, mkfs.ext4, files;
# power off, boot again, everything there and fsck clean; the images are sound, for us and for Hercules.
set -euo pipefail
. "$ROOT/tests/lib/disk_guest.sh"
cd "$TEST_TMP"

"$ENDICOTT" dasd init eckd.cckd --cylinders 150
"$ENDICOTT" dasd init small.ckd --cylinders 20 --format ckd
"$ENDICOTT" dasd init fba.raw --blocks 65536

initrd first <<'SH'
online 0200
online 0300
online 0201
d dasdfmt -b 4096 -y -l ENDI01 /dev/dasda >/dev/null && echo "dasdfmt $?"
d dasdfmt --check /dev/dasda </dev/null >/dev/null && echo "format check $?"
echo "hosts $(cat /sys/bus/ccw/devices/0.0.0200/host_access_count)"
d fdasd -a -k /dev/dasda >/dev/null && echo "fdasd $?"
part /dev/dasda1
d lsdasd
d dasdview -i -x -l /dev/dasda
for disk in dasda1 dasdb1; do
    d mkfs.ext4 -F -q /dev/$disk && echo "mkfs $disk $?"
    mkdir -p /mnt/$disk
    mount -t ext4 /dev/$disk /mnt/$disk && echo "mount $disk $?"
done
n=0
while [ $n -lt 60 ]; do
    disk=dasda1
    [ $((n % 5)) != 0 ] || disk=dasdb1
    dd if=/dev/urandom of=/mnt/$disk/f$n bs=$((1000 + n * 3571)) count=1 2>/dev/null
    n=$((n + 1))
done
cp -r /debian/sbin /debian/lib /mnt/dasda1/
rm /mnt/dasda1/f2[1-4]
sync
(cd /mnt && find . -type f -exec md5sum {} + | sort -k 2) >/tmp/sums
wc -l </tmp/sums
cp /tmp/sums /mnt/dasda1/sums
umount /mnt/dasda1 /mnt/dasdb1
dd if=/dev/urandom of=/tmp/raw bs=4096 count=1 2>/dev/null
d dasdfmt -b 512 -d ldl -y /dev/dasdc >/dev/null && echo "ldl $?"
dmesg | grep -iE 'dasd.*(error|fail|sense|unsolicited)' && echo "dasd messages"
echo "the end"
SH
boot first --disk 0200=eckd.cckd --disk 0300=fba.raw --disk 0201=small.ckd
for line in 'dasdfmt 0' 'format check 0' 'hosts 1' 'fdasd 0' 'mkfs dasda1 0' 'mount dasda1 0' 'mkfs dasdb1 0' 'mount dasdb1 0' 'ldl 0' 'the end'; do
    saw first "^$line\$"
done
! grep -q 'dasd messages' first || fail "the driver complains: $(grep -i dasd first)"
saw first '^0\.0\.0200 +active +dasda +94:0 +ECKD +4096 +[0-9]+MB'
saw first '^0\.0\.0300 +active +dasdb +94:4 +FBA +512 +32MB'
saw first "ebcdic 'ENDI01'"
saw first '^format +: hex 2 +dec 2 +CDL formatted'

for image in eckd.cckd small.ckd; do
    "$ENDICOTT" dasd check $image || fail "$image is damaged"
done
cckdcdsk -3 eckd.cckd >out 2>&1 || fail "cckdcdsk: $(cat out)"
! grep -E 'HHCCU[0-9]+[EW]' out || fail "cckdcdsk has something to say"
"$ENDICOTT" dasd ls eckd.cckd >out
saw out '^LINUX\.VENDI01\.PART0001\.NATIVE +0\.2-149\.14$'

# --- a file system made here goes into the partition, through a shadow, and the two are merged
name=LINUX.VENDI01.PART0001.NATIVE
"$ENDICOTT" dasd export eckd.cckd $name part.ext4
e2fsck -f -n part.ext4 >out 2>&1 || fail "the exported file system: $(cat out)"
mkdir made
head -c 3000000 /dev/urandom >made/file
mke2fs -q -t ext4 -b 4096 -d made made.ext4 "$(($(stat -c %s part.ext4) / 4096))"
"$ENDICOTT" dasd init top.cckd --shadow-of eckd.cckd
"$ENDICOTT" dasd import eckd.cckd,shadow=top.cckd $name made.ext4
"$ENDICOTT" dasd convert eckd.cckd,shadow=top.cckd made.ckd --format ckd
"$ENDICOTT" dasd export made.ckd $name back.ext4
cmp made.ext4 back.ext4 || fail "what was imported does not come back"
"$ENDICOTT" dasd export eckd.cckd $name part.again
cmp part.ext4 part.again || fail "an import into a shadow changed what is below it"
head -c 200000000 /dev/zero >large
! "$ENDICOTT" dasd import made.ckd $name large 2>out || fail "more than there is room for was imported"
saw out 'room for'
! "$ENDICOTT" dasd export made.ckd NO.SUCH.NAME none 2>out || fail "a data set that is not there was exported"
saw out 'has no NO.SUCH.NAME'
[ ! -e none ] || fail "a file is left of a failed export"
"$ENDICOTT" dasd import made.ckd $name made.ext4 --json >out
saw out '"bytes": [0-9]{8,}'

# --- again, one disk read-only: the files are there
"$ENDICOTT" dasd convert eckd.cckd again.raw --format raw
initrd second <<'SH'
online 0200
online 0300
for disk in dasda1 dasdb1; do
    part /dev/$disk
    d e2fsck -f -n /dev/$disk && echo "fsck $disk $?"
    mkdir -p /mnt/$disk
done
mount -t ext4 -o ro,noload /dev/dasda1 /mnt/dasda1 && mount -t ext4 /dev/dasdb1 /mnt/dasdb1
(cd /mnt && md5sum -c dasda1/sums 2>&1 | grep -v ': OK$')
echo "sums ${PIPESTATUS:-} $(wc -l </mnt/dasda1/sums)"
dd if=/dev/zero of=/dev/dasda bs=4096 count=1 seek=200 conv=fsync 2>&1 | grep -v records
umount /mnt/dasda1 /mnt/dasdb1
online 0202
part /dev/dasdc1
mount -t ext4 -o ro /dev/dasdc1 /mnt && md5sum </mnt/file
echo "the end"
SH
boot second --disk 0200=again.raw,ro --disk 0300=fba.raw --disk 0202=made.ckd
saw second "^$(md5sum <made/file | cut -d ' ' -f 1) "
saw second '^fsck dasda1 0$'
saw second '^fsck dasdb1 0$'
saw second '^the end$'
! grep -E 'FAILED|No such file|cannot open|WARNING' second || fail "files are not what they were"
"$ENDICOTT" dasd convert eckd.cckd copy.raw --format raw
cmp again.raw copy.raw || fail "a read-only disk was written to"
echo "dasd_linux: passed"
