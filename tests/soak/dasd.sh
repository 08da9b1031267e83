#!/bin/bash
# 200 MB of random writes by Debian's fio on a 3390 and on a 9336, each read back and compared; power off; a second start
# finds both file systems clean and every block as it was written. Then 200 SIGKILLs in the middle of writes.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$ROOT/tests/lib/disk_guest.sh"
"$ROOT/tests/guest/fetch.sh" --fio || fail "the packages cannot be fetched"
cd "$TEST_TMP"
mbytes=${ENDICOTT_MBYTES:-200} kills=${ENDICOTT_KILLS:-200}

# fio with blocks of many sizes in random order, each with its place and a checksum in it.
cat >fio.sh <<SH
job() { # directory, options...
    dir=\$1
    shift
    d fio --name=soak --directory=\$dir --filename=soak --size=${mbytes}M --rw=randwrite --bsrange=4k-64k --randseed=5 \
        --ioengine=psync --verify=crc32c --verify_fatal=1 --minimal "\$@" >/tmp/fio.log 2>&1
    status=\$?
    [ \$status = 0 ] || tail -n 20 /tmp/fio.log
    return \$status
}
SH
initrd first < <(cat fio.sh - <<'SH'
online 0200
online 0300
d dasdfmt -b 4096 -y -l ENDI01 /dev/dasda >/dev/null && echo "dasdfmt $?"
d fdasd -a -k /dev/dasda >/dev/null && echo "fdasd $?"
part /dev/dasda1
for disk in dasda1 dasdb1; do
    part /dev/$disk
    mkdir -p /debian/mnt/$disk
    d mkfs.ext4 -F -q /dev/$disk && mount -t ext4 /dev/$disk /debian/mnt/$disk && echo "mount $disk $?"
    job /mnt/$disk --end_fsync=1 && echo "written $disk $?"
    umount /debian/mnt/$disk && echo "umount $disk $?"
done
dmesg | grep -iE 'dasd.*(error|fail|sense|unsolicited)' && echo "dasd messages"
echo "the end"
SH
)
initrd second < <(cat fio.sh - <<'SH'
online 0200
online 0300
for disk in dasda1 dasdb1; do
    part /dev/$disk
    mkdir -p /debian/mnt/$disk
    d e2fsck -f -n /dev/$disk && echo "fsck $disk $?"
    mount -t ext4 /dev/$disk /debian/mnt/$disk && ls -l /debian/mnt/$disk/soak
    job /mnt/$disk --verify_only=1 && echo "verified $disk $?"
    umount /debian/mnt/$disk
done
echo "the end"
SH
)
for name in first second; do # what fio is linked to lies beside what s390-tools are
    cat "$guest/fio.cpio.lz4" >>$name.initrd
done

"$ENDICOTT" dasd init eckd.cckd --cylinders 500
"$ENDICOTT" dasd init fba.raw --blocks 700000
boot first --disk 0200=eckd.cckd --disk 0300=fba.raw --timeout 1500
for disk in dasda1 dasdb1; do
    saw first "^written $disk 0\$"
    saw first "^umount $disk 0\$"
done
! grep -q 'dasd messages' first || fail "the driver complains: $(grep -i dasd first)"
"$ENDICOTT" dasd check eckd.cckd || fail "eckd.cckd is damaged"
boot second --disk 0200=eckd.cckd --disk 0300=fba.raw --timeout 1500
for disk in dasda1 dasdb1; do
    saw second "^fsck $disk 0\$"
    saw second "^verified $disk 0\$"
    saw second " $((mbytes << 20)) .* /debian/mnt/$disk/soak\$"
done
echo "dasd: $mbytes MB on each disk written, read back and found again"

mkdir kill
TEST_TMP=$PWD/kill ENDICOTT_KILLS=$kills ROOT=$ROOT ENDICOTT=$ENDICOTT "$ROOT/tests/scenario/dasd_kill.sh"
echo "dasd: passed"
