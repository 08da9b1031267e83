#!/bin/bash
# A tape drive of a member under Linux guests of CP: attached to one, which writes an archive, detached while it
# runs, attached to another one read-only, which reads the same; the volume is then what endicott tape says.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
modules="tape_class tape tape_34xx"
"$ROOT/tests/guest/fetch.sh" --modules $(printf 'drivers/s390/char/%s ' $modules)
disk_cluster '' ''
endicott tape init "$cluster/volumes/backup.het"
echo '0581 3490 volumes/backup.het' >>"$cluster/hardware/MEMBERA.cnf"
(
    cd "$TEST_TMP"
    mkdir -p overlay
    for module in $modules; do
        cp "$ROOT/build/guest/modules/$module.ko" overlay/
    done
)
disk_guest_files
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
expect 0 'TAPE 0580 FREE +, TAPE 0581 FREE' cp_on MEMBERA QUERY TAPES FREE

for user in LINUX1 LINUX2; do
    boot_with_disks MEMBERA $user
    runs $user 'for m in tape_class tape tape_34xx; do insmod /$m.ko; done'
done
expect 0 'TAPE 0581 ATTACHED TO LINUX1 0181' cp_on MEMBERA ATTACH 581 TO LINUX1 AS 181
expect 1 'HCPATR122E TAPE 0581 already attached to LINUX1' cp_on MEMBERA ATTACH 581 LINUX2
runs LINUX1 'until_there /sys/bus/ccw/devices/0.0.0181/online && online 0181'
runs LINUX1 'until_there /dev/ntibm0; tar -cf - -C /debian sbin | dd of=/dev/ntibm0 obs=20000'
runs LINUX1 'mt -f /dev/ntibm0 rewind && dd if=/dev/ntibm0 bs=65535 | md5sum >/tmp/sum; cat /tmp/sum'
sum=$(endicott wait -u LINUX1 --match '^[0-9a-f]{32}  -' --since-start --timeout "$WAIT_SECONDS" | tail -n 1)
runs LINUX1 'echo 0 >/sys/bus/ccw/devices/0.0.0181/online'
expect 0 'TAPE 0581 DETACHED LINUX1 0181' cp_on MEMBERA DETACH 581 LINUX1
runs LINUX1 'until_gone /sys/bus/ccw/devices/0.0.0181'

expect 0 'TAPE 0581 ATTACHED TO LINUX2 0181 R/O' cp_on MEMBERA ATTACH 581 LINUX2 181 R/O
expect 0 'TAPE 0181 ON DEV  0581 3490 R/O' as LINUX2 QUERY VIRTUAL TAPES
runs LINUX2 'until_there /sys/bus/ccw/devices/0.0.0181/online && online 0181 && until_there /dev/ntibm0'
runs LINUX2 "dd if=/dev/ntibm0 bs=65535 | md5sum | grep '${sum%  -}'"
runs LINUX2 'mt -f /dev/ntibm0 rewind; ! dd if=/dev/zero of=/dev/ntibm0 bs=1000 count=1'
expect 0 '' cp_on MEMBERA FORCE LINUX2
expect 0 'TAPE 0580 FREE +, TAPE 0581 FREE' cp_on MEMBERA QUERY TAPES FREE
expect 0 'file 1: [0-9]+ blocks|blocks' endicott tape ls "$cluster/volumes/backup.het"
echo "cp_tapes: passed"
