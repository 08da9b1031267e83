#!/bin/bash
# DIAGNOSE X'250' under Debian's unmodified dasd_diag: file systems on a 3390 and a 9336 minidisk that are used by block I/O
# and by channel programs in turn; the guest is relocated while it writes by block I/O; a read-only link is a read-only
# disk; a disk that is formatted as z/OS would is refused.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/block/dasd_diag_mod
disk_cluster ' MDISK 0200 3390 1 100 VOL001 MR
 MDISK 0201 3390 1 60 VOL002 MR
 MDISK 0202 FB-512 64 65536 FBA001 MR
 LINK LINUX1 0200 0210 RR' ''
disk_guest_files
cd "$TEST_TMP"
mkdir -p more
cp "$GUEST_FILES/modules/dasd_diag_mod.ko" more/
cat >more/diag.sh <<'SH'
disk() { echo /sys/bus/ccw/devices/0.0.$1; }
offline() { echo 0 >$(disk $1)/online; }
by_diag() { offline $1; echo 1 >$(disk $1)/use_diag && online $1 && test "$(cat $(disk $1)/discipline)" = DIAG; }
by_ccw() { offline $1; echo 0 >$(disk $1)/use_diag && online $1 && test "$(cat $(disk $1)/discipline)" != DIAG; }
calls() { mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null; awk '/diag 250/ { print $3 }' /sys/kernel/debug/diag_stat; }
SH
(cd more && find . -type f | cpio --quiet -o -H newc -R 0:0) | gzip -1 >>shell.initrd

endicott up "$cluster" >/dev/null
boot_with_disks MEMBERA LINUX1
runs LINUX1 'insmod /dasd_diag_mod.ko && . /diag.sh'
runs LINUX1 'for n in 0200 0201 0202; do online $n; done; format -d ldl /dev/dasda; format /dev/dasdb'

# --- block I/O makes the file system, channel programs read it; then the other way round
runs LINUX1 'offline 0201; by_diag 0200 && part /dev/dasda1 && filesystem dasda1 && fill dasda1 && whole dasda1'
runs LINUX1 'umount /mnt/dasda1; test $(calls) -gt 100'
runs LINUX1 'by_ccw 0200 && part /dev/dasda1 && d e2fsck -f -n /dev/dasda1 && mounted dasda1 && whole dasda1'
runs LINUX1 'fill dasda1; umount /mnt/dasda1; by_diag 0200 && part /dev/dasda1 && mounted dasda1 && whole dasda1'
runs LINUX1 'by_diag 0202 && part /dev/dasdc1; ls /dev/dasd*'
fba=dasdc1
runs LINUX1 "filesystem $fba && fill $fba && whole $fba"

# --- on its way to the other member while it writes, and back
runs LINUX1 "writer dasda1 & writer $fba & begun dasda1; begun $fba"
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
runs LINUX1 "goes_on dasda1; goes_on $fba"
expect 0 'has been relocated' cp_on MEMBERB VMRELOCATE MOVE USER LINUX1 TO MEMBERA
runs LINUX1 "goes_on dasda1; goes_on $fba; rm /tmp/go; wait; written dasda1 && written $fba"
runs LINUX1 "umount /mnt/dasda1 /mnt/$fba; by_ccw 0200 && by_ccw 0202 && part /dev/dasda1 && part /dev/$fba"
runs LINUX1 "d e2fsck -f -n /dev/dasda1 && d e2fsck -f -n /dev/$fba"
runs LINUX1 "mounted dasda1 && mounted $fba && written dasda1 && written $fba; umount /mnt/dasda1 /mnt/$fba"

# --- read-only; and a format with records of different lengths on a track
runs LINUX1 'by_diag 0210; test "$(cat $(disk 0210)/readonly)" = 1'
runs LINUX1 'echo 1 >$(disk 0201)/use_diag; ! online 0201 | grep "not come online" >/dev/null; test "$(cat $(disk 0201)/online)" = 0'
expect 0 'has ended' endicott stop "$cluster"
echo "dasd_diag: passed"
