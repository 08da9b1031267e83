#!/bin/bash
# Aliases of 3390s as Linux's dasd_eckd sees them: one of a base on control unit 02, two of HyperPAV on 03; four processes
# write at once on each base, by way of the aliases too; what they wrote is there and the driver has no complaint.
set -euo pipefail
. "$ROOT/tests/lib/disk_guest.sh"
cd "$TEST_TMP"

for disk in pav hyper other; do
    "$ENDICOTT" dasd init $disk.cckd --cylinders 60 --linux
done
initrd pav <<'SH'
for devno in 0200 0300 0301 02f0 03f0 03f1; do
    online $devno
    echo "$devno alias $(cat /sys/bus/ccw/devices/0.0.$devno/alias) $(cat /sys/bus/ccw/devices/0.0.$devno/uid)"
done
d lsdasd -u
for devno in 02f0 03f0 03f1; do
    echo 1 >/sys/bus/ccw/devices/0.0.$devno/cmb_enable
done
for disk in dasda dasdb dasdc; do
    part /dev/$disk
    for job in 0 1 2 3; do
        dd if=/dev/urandom of=/tmp/raw.$disk.$job bs=65536 count=60 2>/dev/null
        md5sum </tmp/raw.$disk.$job >/tmp/$disk.$job
    done
    for job in 0 1 2 3; do
        dd if=/tmp/raw.$disk.$job of=/dev/$disk bs=4096 seek=$((job * 1000)) oflag=direct 2>/dev/null &
    done
done
wait
for disk in dasda dasdb dasdc; do
    echo 3 >/proc/sys/vm/drop_caches
    for job in 0 1 2 3; do
        dd if=/dev/$disk bs=4096 skip=$((job * 1000)) count=960 2>/dev/null | md5sum | cmp - /tmp/$disk.$job && echo "same $disk $job"
    done
done
for devno in 02f0 03f0 03f1; do
    echo "$devno $(cat /sys/bus/ccw/devices/0.0.$devno/status) starts $(cat /sys/bus/ccw/devices/0.0.$devno/cmf/ssch_rsch_count)"
done
dmesg | grep -iE 'dasd.*(error|fail|sense|unsolicited|bad)' && echo "dasd messages"
echo "the end"
SH
boot pav --cpus 2 --disk 0200=pav.cckd --disk 0300=hyper.cckd --disk 0301=other.cckd \
    --alias 02f0=0200 --alias 03f0 --alias 03f1
for line in '0200 alias 0 .*\.00$' '02f0 alias 1 .*\.00$' '03f0 alias 1 .*\.xx$' '03f1 alias 1 .*\.xx$' '0301 alias 0 ' 'the end'; do
    saw pav "^$line"
done
for devno in 02f0 03f0 03f1; do
    saw pav "^$devno online starts [1-9]" # channel programs went by way of it
done
[ "$(grep -c '^same dasd[abc] [0-3]$' pav)" = 12 ] || fail "what was written is not there: $(cat pav)"
! grep -q 'dasd messages' pav || fail "the driver complains: $(grep -i dasd pav)"
for disk in pav hyper other; do
    "$ENDICOTT" dasd check $disk.cckd || fail "$disk.cckd is damaged"
done

refuses() { # regex options...
    ! timeout 400 "$ENDICOTT" ipl --load 0200 --timeout 300 --disk 0200=pav.cckd "${@:2}" >out 2>&1 </dev/null ||
        fail "ipl ${*:2}: taken"
    grep -Eq -- "$1" out || fail "ipl ${*:2}: $(cat out)"
}
refuses 'no 3390' --alias 02f0=0205
refuses 'another control unit' --alias 03f0=0200
refuses 'is there already' --alias 0200
refuses 'not DEVNO' --alias 02f0=xyz
echo "dasd_pav: passed"
