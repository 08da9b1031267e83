#!/bin/bash
# A disk of the host that does not take the last writes of a guest that is to be relocated: the relocation fails with the
# guest's disk and the file in its message, and the guest goes on where it is. What the host has lost it has lost, though its
# next flush goes well: the guest's writes fail and it is not relocated until the volume was varied offline and online.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
flag=$TEST_TMP/fails
${CC:-cc} -shared -fPIC -O2 -o "$TEST_TMP/failing.so" "$ROOT/tests/programs/disk/failing.c"
disk_cluster ' MDISK 0202 FB-512 64 65536 FBA001 MR' ''
disk_guest_files
export FAILING_WHILE=$flag FAILING_FILE=fba001.raw FAILING_CALLS=sync
LD_PRELOAD=$TEST_TMP/failing.so expect 0 'ready' endicott up "$cluster"
boot_with_disks MEMBERA LINUX1
runs LINUX1 'online 0202'
runs LINUX1 'dd if=/dev/urandom of=/tmp/data bs=4096 count=100'
touch "$flag"
runs LINUX1 'dd if=/tmp/data of=/dev/dasda bs=4096 oflag=direct; true' # in half a second it fails
expect 1 'HCPRLX1937E .*disk 0202 of LINUX1: .*fba001.raw: Input/output error' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
expect 0 "$LOGGED_ON_HERE" cp_on MEMBERA QUERY NAMES
endicott wait -m MEMBERA --match 'HCPIOF001E .*fba001.raw: Input/output error: writes were lost' --since-start --timeout "$WAIT_SECONDS" >/dev/null
rm "$flag"
runs LINUX1 '! dd if=/tmp/data of=/dev/dasda bs=4096 oflag=direct'
expect 1 'HCPRLX1937E .*disk 0202 of LINUX1: .*fba001.raw' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB

# --- the operator looks after it
runs LINUX1 'echo 0 >/sys/bus/ccw/devices/0.0.0202/online'
as LINUX1 DETACH 202
cp_on MEMBERA DETACH 300 SYSTEM
cp_on MEMBERA VARY OFF 300
cp_on MEMBERA VARY ON 300
expect 0 '0300' cp_on MEMBERA QUERY DASD
as LINUX1 LINK '*' 202 202 MR
runs LINUX1 'until_there /sys/bus/ccw/devices/0.0.0202/online; online 0202'
runs LINUX1 'dd if=/tmp/data of=/dev/dasda bs=4096 oflag=direct'
expect 0 'has been relocated|relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
expect 0 "$LOGGED_ON_HERE" cp_on MEMBERB QUERY NAMES
runs LINUX1 'dd if=/dev/dasda of=/tmp/back bs=4096 count=100 iflag=direct && cmp /tmp/data /tmp/back'
echo "relocate_disk_fails: passed"
