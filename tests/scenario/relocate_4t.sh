#!/bin/bash
# A machine of 4T moves when that is forced: its Linux uses 512M of it (mem=), and both members stay as small, but it could need more
# than there is. What is verified is all that was ever touched; going through 2^30 frames would show in the time.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i -E 's/^(USER|IDENTITY) LINUX1 .*/USER LINUX1 LINUX1 4T 4T G/' "$cluster/user.direct"

echo "console=ttyS0 mem=512M $QUICK_BOOT" >"$TEST_TMP/parmfile"
endicott up "$cluster" >/dev/null
endicott punch -m MEMBERA -u LINUX1 "$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" \
    "$GUEST_FILES/initramfs.cpio.lz4" >/dev/null
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
on_guest ENDICOTT-GUEST-READY >/dev/null
expect 0 '4T' cp_on MEMBERA FOR LINUX1 CMD QUERY VIRTUAL STORAGE
endicott send -u LINUX1 'memspin -m 16'
on_guest 'HB n=3 ' >/dev/null

expect 1 'HCPRLE1975E LINUX1: MEMBERB has [0-9]+M of storage available, the guest needs 42[0-9]+M at most; FORCE STORAGE' \
    cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
expect 0 'User LINUX1 has been relocated from MEMBERA to MEMBERB' \
    cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB FORCE STORAGE
lives_on MEMBERB MEMBERA

for member in MEMBERA MEMBERB; do
    kib=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$(pid_of $member)/status")
    [ "$kib" -lt 524288 ] || fail "$member has used $kib KiB of host memory"
done
