#!/bin/bash
# 1000 disks in one machine: Linux finds them all, and the last one can be used.
set -euo pipefail
. "$ROOT/tests/lib/disk_guest.sh"
cd "$TEST_TMP"

disks=()
for n in $(seq 0 999); do
    devno=$(printf %04x $((0x1000 + n)))
    truncate -s 64K "$devno.img"
    disks+=(--disk "$devno=$devno.img")
done
initrd many <<'SH'
echo "devices: $(ls /sys/bus/ccw/devices | grep -c '^0\.0\.1')"
online 13e7
part /dev/dasda
dd if=/dev/urandom of=/dev/dasda bs=4096 count=16 conv=fsync 2>/dev/null && echo "written $?"
md5sum </dev/dasda
SH
boot many "${disks[@]}"
saw many '^devices: 1000$'
saw many '^written 0$'
saw many "^$(md5sum <13e7.img | cut -d ' ' -f 1) "
for other in 1000 13e6; do
    cmp -s "$other.img" <(head -c 64K /dev/zero) || fail "$other.img was written to"
done
echo "dasd_many: passed"
