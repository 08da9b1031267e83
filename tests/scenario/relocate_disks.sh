#!/bin/bash
# A guest with minidisks is relocated while it writes files: there and back, with a CCKD volume of its own, one of two members that
# write different minidisks of a CKD volume, and a virtual disk in storage; then the file systems are clean and the files what they were. What
# cannot move is refused by name.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
disk_cluster ' MDISK 0200 3390 1 200 VOL001 MR
 MDISK 0201 3390 1 60 VOL002 MR
 MDISK 0202 FB-512 64 65536 FBA001 MR
 MDISK 0203 FB-512 V-DISK 65536 MR' ' MDISK 0300 3390 61 59 VOL002 MR'
disk_guest_files
endicott up "$cluster" >/dev/null
boot_with_disks MEMBERA LINUX1
boot_with_disks MEMBERB LINUX2 # whose disk is on the other half of VOL002
runs LINUX2 'online 0300; format -d ldl /dev/dasda; part /dev/dasda1; filesystem dasda1 && fill dasda1'
runs LINUX1 'for n in 0200 0201 0202 0203; do online $n; done; format /dev/dasda; format -d ldl /dev/dasdb'
runs LINUX1 'd fdasd -a -k /dev/dasda >/dev/null && part /dev/dasda1 && part /dev/dasdb1'
for part in dasda1 dasdb1 dasdc1 dasdd1; do
    runs LINUX1 "filesystem $part && fill $part"
done

# --- moves under I/O: one file after another on all four, each with its sum
runs LINUX1 'for d in a b c d; do writer dasd${d}1 & done; for d in a b c d; do begun dasd${d}1; done'
moved() { # from to
    expect 0 'has been relocated|relocated' cp_on "$1" VMRELOCATE MOVE USER LINUX1 TO "$2"
    expect 0 "$LOGGED_ON_HERE" cp_on "$2" QUERY NAMES
    runs LINUX1 'goes_on dasda1'
}
cp_on MEMBERA VMRELOCATE TEST LINUX1 MEMBERB
moved MEMBERA MEMBERB
expect 0 'DASD 0200 3390 VOL001 R/W +200 CYL' endicott cp -m MEMBERB -u LINUX1 QUERY VIRTUAL DASD
expect 0 'DASD 0200 CP SYSTEM +VOL001 +0' cp_on MEMBERA QUERY DASD
moved MEMBERB MEMBERA
moved MEMBERA MEMBERB
runs LINUX1 'rm /tmp/go; wait; cat /tmp/*.n'
for part in dasda1 dasdb1 dasdc1 dasdd1; do
    runs LINUX1 "umount /mnt/$part && d e2fsck -f -n /dev/$part && mounted $part && whole $part && written $part"
done
runs LINUX2 'umount /mnt/dasda1 && d e2fsck -f -n /dev/dasda1 && mounted dasda1 && whole dasda1'

expect 1 'HCPRLE1996E LINUX1: device 0203 \(virtual disk in storage\)' endicott snapshot save LINUX1 "$TEST_TMP/none.snap"
runs LINUX1 'umount /mnt/dasdd1'
expect 0 'DASD 0203 DETACHED' endicott cp -m MEMBERB -u LINUX1 DETACH 203

# --- suspended, it finds its disks as they were, which nobody has to force; a snapshot whose disks have been written to since is refused
runs LINUX2 'umount /mnt/dasda1'
snap=$TEST_TMP/linux1.snap
expect 0 'has been saved' endicott snapshot save --suspend LINUX1 "$snap"
expect 0 'has been restored' endicott snapshot restore -m MEMBERB LINUX1 "$snap"
runs LINUX1 'whole dasda1 && whole dasdb1 && whole dasdc1'
expect 0 'has been saved' endicott snapshot save --suspend --replace LINUX1 "$snap"
touch "$cluster"/volumes/fba001*
expect 1 'HCPSNP1966E LINUX1: minidisk 0202 \(FBA001\) has been written to since' endicott snapshot restore -m MEMBERB LINUX1 "$snap"
expect 0 'has been restored' endicott snapshot restore -m MEMBERB --force DISKS LINUX1 "$snap"
runs LINUX1 'whole dasda1 && whole dasdb1 && whole dasdc1'

# --- what cannot move: a T-disk, a volume that another guest here has, one that is not the same there
expect 0 'DEFINED' endicott cp -m MEMBERB -u LINUX1 DEFINE T9336 400 1000
expect 1 'HCPRLE1996E LINUX1: device 0400 \(T-disk\) cannot be relocated' cp_on MEMBERB VMRELOCATE TEST LINUX1 MEMBERA
expect 0 'DETACHED' endicott cp -m MEMBERB -u LINUX1 DETACH 400
expect 0 'DETACHED SYSTEM VOL002' cp_on MEMBERA DETACH 201 SYSTEM
cp_on MEMBERA VARY OFF 201
expect 1 'HCPRLE1982E LINUX1: device 0201 \(VOL002\) has no equivalent volume on MEMBERA' cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
cp_on MEMBERA VARY ON 201
expect 0 'LINUX1' cp_on MEMBERB VMRELOCATE TEST LINUX1 MEMBERA
for image in vol001.cckd vol002.ckd; do
    endicott stop MEMBERA --immediate >/dev/null 2>&1 || true
    endicott stop MEMBERB --immediate >/dev/null 2>&1 || true
    endicott dasd check "$cluster/volumes/$image" || fail "$image is damaged"
done
echo "relocate_disks: passed"
