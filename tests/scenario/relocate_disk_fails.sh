#!/bin/bash
# A disk of the host that does not take the last writes of a guest that is to be relocated: the relocation fails with the
# guest's disk and the file in its message, the guest goes on where it is, and moves when the disk is well again.
set -euo pipefail
WAIT_SECONDS=${WAIT_SECONDS:-240}
. "$(dirname "$0")/../lib/cp_disks.sh"
flag=$TEST_TMP/fails
${CC:-cc} -shared -fPIC -O2 -o "$TEST_TMP/failing.so" "$ROOT/tests/programs/disk/failing.c"
disk_cluster ' MDISK 0202 FB-512 64 65536 FBA001 MR' ''
disk_guest_files
export FAILING_WHILE=$flag FAILING_FILE=fba001.raw FAILING_CALLS=sync
LD_PRELOAD=$TEST_TMP/failing.so expect 0 'ready' endicott up "$cluster"
boot_with_disks MEMBERA LINUX1
runs LINUX1 'online 0202'
touch "$flag"
runs LINUX1 'dd if=/dev/urandom of=/tmp/data bs=4096 count=100 && dd if=/tmp/data of=/dev/dasda bs=4096 oflag=direct'
expect 1 'HCPRLX1937E .*disk 0202 of LINUX1: .*fba001.raw: Input/output error' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
expect 0 "$LOGGED_ON_HERE" cp_on MEMBERA QUERY NAMES
runs LINUX1 'dd if=/tmp/data of=/dev/dasda bs=4096 oflag=direct'
rm "$flag"
expect 0 'has been relocated|relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
expect 0 "$LOGGED_ON_HERE" cp_on MEMBERB QUERY NAMES
runs LINUX1 'dd if=/dev/dasda of=/tmp/back bs=4096 count=100 iflag=direct && cmp /tmp/data /tmp/back'
echo "relocate_disk_fails: passed"
