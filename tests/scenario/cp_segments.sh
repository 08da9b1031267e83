#!/bin/bash
# Saved segments under Debian's unmodified dcssblk: DEFSEG, SAVESEG, loaded exclusively, an ext4 made in one and saved by the
# driver, then as a read-only one loaded by two guests that have the same pages of the host; there after the member was
# stopped; purged; a guest is relocated with a read-only segment, not with one of its own.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/block/dcssblk
disk_cluster '' ''
sed -i 's/^\(USER LINUX[12] .*\) G$/\1 EG/' "$cluster/user.direct"
[ "$(grep -c '^USER LINUX[12] .* EG$' "$cluster/user.direct")" = 2 ] || fail "the sample's directory is another one"
disk_guest_files
cd "$TEST_TMP"
mkdir more
cp "$GUEST_FILES/modules/dcssblk.ko" more/
cat >more/dcss.sh <<'SH'
add() { echo $1 >/sys/devices/dcssblk/add; }
remove() { echo $1 >/sys/devices/dcssblk/remove; }
readable() { mkdir -p /mnt/dcssblk0; mount -t ext4 -o ro,noload /dev/dcssblk0 /mnt/dcssblk0 && whole dcssblk0; }
SH
(cd more && find . -type f | cpio --quiet -o -H newc -R 0:0) | gzip -1 >>shell.initrd

endicott up "$cluster" >/dev/null
boot_with_disks MEMBERA LINUX1
expect 0 'NO NSS FILES' as LINUX1 QUERY NSS
expect 1 'HCPNSS435E' as LINUX1 SAVESEG NOTTHERE
expect 1 'HCPNSD454E' as LINUX1 DEFSEG BAD 40010-40000 EW
expect 1 'HCPCMD002E .*XX' as LINUX1 DEFSEG BAD 40000-40010 XX
expect 0 'HCPNSD440I .*TOOLS' as LINUX1 DEFSEG TOOLS 40000-40FFF EW
expect 0 'TOOLS +DCSS +N/A +40000 +40FFF +EW +S +00000' as LINUX1 QUERY NSS MAP
expect 0 'HCPNSS440I .*TOOLS' as LINUX1 SAVESEG TOOLS

# --- exclusively: a file system, saved by the driver
runs LINUX1 'insmod /dcssblk.ko && . /dcss.sh; ! add NONE 2>/dev/null && add TOOLS'
expect 0 'TOOLS .* EW +A +00001' as LINUX1 QUERY NSS
runs LINUX1 'filesystem dcssblk0 && fill dcssblk0 && whole dcssblk0'
expect 1 'HCPRLE1954E .*TOOLS has pages of its own behind storage' cp_on MEMBERA VMRELOCATE TEST LINUX1 MEMBERB
runs LINUX1 'umount /mnt/dcssblk0 && echo 1 >/sys/devices/dcssblk/TOOLS/save && sync'
expect 0 'TOOLS .* EW +A ' as LINUX1 QUERY NSS
expect 0 'NSD440I' as LINUX1 DEFSEG TOOLS 40000-40FFF SR
expect 0 'NSS440I' as LINUX1 SAVESEG TOOLS
runs LINUX1 'remove TOOLS; add TOOLS && readable'

# --- two guests, the same pages
boot_with_disks MEMBERA LINUX2
runs LINUX2 'insmod /dcssblk.ko && . /dcss.sh; add TOOLS && readable'
expect 0 'TOOLS .* SR +A +00002' as LINUX1 QUERY NSS
shared=$(awk '/^[0-9a-f]+-[0-9a-f]+ / { ours = /TOOLS.dcss/; maps += ours } ours && /^Private_Dirty:/ { dirty += $2 }
    END { print maps + 0, dirty + 0 }' "/proc/$(pid_of MEMBERA)/smaps")
[ "$shared" = "2 0" ] || fail "two guests: mappings of the segment's file and KB of their own: $shared"
runs LINUX2 '! dd if=/dev/zero of=/dev/dcssblk0 bs=4096 count=1 conv=fsync 2>/dev/null; whole dcssblk0'

# --- LINUX2 moves with it: it has the pages there; what was saved is there when the member comes again
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX2 TO MEMBERB
runs LINUX2 'echo 3 >/proc/sys/vm/drop_caches; whole dcssblk0'
expect 0 'TOOLS .* SR +A +00001' cp_on MEMBERB QUERY NSS
shared=$(awk '/^[0-9a-f]+-[0-9a-f]+ / { ours = /TOOLS.dcss/; maps += ours } ours && /^Private_Dirty:/ { dirty += $2 }
    END { print maps + 0, dirty + 0 }' "/proc/$(pid_of MEMBERB)/smaps")
[ "$shared" = "1 0" ] || fail "moved: mappings of the segment's file and KB of its own: $shared"
runs LINUX2 'umount /mnt/dcssblk0; remove TOOLS; ! dd if=/dev/dcssblk0 of=/dev/null count=1 2>/dev/null'
expect 0 'has ended' endicott stop "$cluster"
endicott up "$cluster" >/dev/null
boot_with_disks MEMBERA LINUX1
runs LINUX1 'insmod /dcssblk.ko && . /dcss.sh; add TOOLS && readable; umount /mnt/dcssblk0; remove TOOLS'
expect 0 'FILE +PURGED' as LINUX1 PURGE NSS NAME TOOLS
expect 0 'NO NSS FILES' as LINUX1 QUERY NSS
runs LINUX1 '! add TOOLS 2>/dev/null'
expect 0 'has ended' endicott stop "$cluster"
echo "cp_segments: passed"
