#!/bin/bash
# Disks of CP's guests under Linux: minidisks of a 3390 and of a 9336, a virtual and a temporary disk; formatting, files,
# IPL from the minidisk; a disk detached and linked again while Linux runs; read-only links; two guests and one volume.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
disk_cluster ' MDISK 0200 3390 1 150 VOL001 MR ALL WRITEPW MULTPW
 MDISK 0201 FB-512 64 65536 FBA001 MR READPW
 MDISK 0202 FB-512 V-DISK 20000 MR
 MDISK 0203 3390 T-DISK 20 MR' ' MDISK 0300 3390 151 100 VOL001 MR
 LINK LINUX1 0200 0200 MR
 DEDICATE 0580 0580'
(
    cd "$TEST_TMP"
    initrd count <<'SH'
online 0200
part /dev/dasda1
mount -t ext4 /dev/dasda1 /mnt
echo boot >>/mnt/boots
echo "loadparm: $(cat /sys/firmware/reipl/ccw/loadparm)"
echo "boots: $(wc -l </mnt/boots) $(cat /proc/cmdline)"
umount /mnt
SH
    echo "console=ttyS0 $QUICK_BOOT endicott.run=sh /count.sh" >parm
)
disk_guest_files
expect 0 'users' endicott directory check "$cluster/user.direct"
sed 's/^ MDISK 0300 3390 151/ MDISK 0300 3390 150/' "$cluster/user.direct" >"$TEST_TMP/overlaps"
expect 1 'overlaps:[0-9]+:2: warning: minidisk 0300 of LINUX2 overlaps 0200 of LINUX1' endicott directory check "$TEST_TMP/overlaps"
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
expect 0 'DASD 0200 CP SYSTEM +VOL001 +0' cp_on MEMBERA QUERY DASD
boot_with_disks MEMBERA LINUX1
expect 0 'DASD 0200 3390 VOL001 R/W +150 CYL ON DASD  0200 SUBCHANNEL = 0004' as LINUX1 QUERY VIRTUAL DASD
expect 0 'DASD 0201 9336 FBA001 R/W +65536 BLK ON DASD  0300 SUBCHANNEL = 0005' as LINUX1 QUERY VIRTUAL 201
expect 0 'LINUX1 +0200 LINUX1 +0200 3390  VOL001 0200 +1 +150' as LINUX1 QUERY MDISK 200 LOCATION

# --- Linux formats and uses them all
runs LINUX1 'for n in 0200 0201 0202 0203; do online $n; done; d lsdasd'
runs LINUX1 'format -l MINI01 /dev/dasda'
runs LINUX1 'd fdasd -a -k /dev/dasda >/dev/null && part /dev/dasda1'
runs LINUX1 'format -d ldl /dev/dasdd; part /dev/dasdd1'
for part in dasda1 dasdb1 dasdc1 dasdd1; do
    runs LINUX1 "filesystem $part && fill $part && whole $part"
done
runs LINUX1 'd lsdasd | grep "0.0.0200.*dasda.*ECKD.*4096"'


# --- a disk goes while Linux runs, and comes back; the guest is told by channel reports
runs LINUX1 'umount /mnt/dasdb1; echo 0 >/sys/bus/ccw/devices/0.0.0201/online'
expect 0 'DASD 0201 DETACHED' as LINUX1 DETACH 201
runs LINUX1 'until_gone /sys/bus/ccw/devices/0.0.0201'
runs LINUX1 '! d lsdasd | grep 0201'
expect 1 'HCPQVD040E' as LINUX1 QUERY VIRTUAL 201
expect 0 '^$' as LINUX1 LINK '*' 201 201 MR
runs LINUX1 'until_there /sys/bus/ccw/devices/0.0.0201/online && online 0201 && part /dev/dasdb1'
runs LINUX1 'mounted dasdb1 && whole dasdb1'
expect 1 'HCPLNM110E LINUX1 0201 not linked; 0202 already defined' as LINUX1 LINK '*' 201 202 RR
expect 0 'DASD 0400 DEFINED' as LINUX1 DEFINE T3390 400 5
runs LINUX1 'until_there /sys/bus/ccw/devices/0.0.0400/online && online 0400'

# --- another guest: its own minidisk of the volume, and LINUX1's, which it may only read now
boot_with_disks MEMBERA LINUX2
expect 0 'HCPLNM102E' endicott wait -u LINUX2 --match 'HCPLNM102E DASD 0200 forced R/O; R/W by LINUX1' --since-start --timeout "$WAIT_SECONDS"
expect 0 'LINUX1 +0200 R/W, LINUX2 +0200 R/O' as LINUX1 QUERY LINKS 200
expect 0 'DASD 0200 CP SYSTEM +VOL001 +3' cp_on MEMBERA QUERY DASD
expect 0 'TAPE 0580 ATTACHED TO LINUX2 +0580 R/W' cp_on MEMBERA QUERY 580
runs LINUX2 'online 0200; online 0300; part /dev/dasda1'
runs LINUX2 'mkdir /mnt/dasda1 && mount -t ext4 -o ro,noload /dev/dasda1 /mnt/dasda1 && whole dasda1'
runs LINUX2 '! dd if=/dev/zero of=/dev/dasda bs=4096 count=1 seek=300 conv=fsync'
runs LINUX2 'cat /sys/block/dasda/ro | grep 1'
runs LINUX2 'format -d ldl -l MINI02 /dev/dasdb; part /dev/dasdb1; filesystem dasdb1 && fill dasdb1 && whole dasdb1'
runs LINUX1 'echo 3 >/proc/sys/vm/drop_caches; whole dasda1 && whole dasdd1'

# --- modes and passwords
expect 1 'HCPLNM114E LINUX1 0200 not linked; mode or password incorrect' as LINUX2 LINK LINUX1 200 210 M WRONG
expect 1 'HCPLNM106E LINUX1 0200 not linked; R/W by LINUX1; R/O by LINUX2' as LINUX2 LINK LINUX1 200 210 R
expect 1 'HCPLNM106E LINUX1 0200 not linked; R/W by LINUX1; R/O by LINUX2' as LINUX2 LINK LINUX1 200 210 M MULTPW
expect 0 'DASD 0210 LINKED R/O; R/W BY LINUX1; R/O BY LINUX2' as LINUX2 LINK LINUX1 200 210 RR
expect 1 'HCPLNM112E LINUX1 0201 not linked; no write password' as LINUX2 LINK LINUX1 201 211 W
expect 1 'HCPLNM107E LINUX1 0999 not linked; not in CP directory' as LINUX2 LINK LINUX1 999 999
expect 1 'HCPLNM053E NOBODY not in CP directory' as LINUX2 LINK NOBODY 191 191
! grep -rn 'MULTPW\|WRITEPW' "$ENDICOTT_RUN"/*.log || fail "a password is in a log"

# --- real devices
expect 1 'HCPATR123E DASD 0200 belongs to the system' cp_on MEMBERA ATTACH 200 LINUX2
expect 1 'HCPATR124E DASD 0200 in use by 4 users' cp_on MEMBERA DETACH 200 SYSTEM
expect 0 'TAPE 0580 DETACHED LINUX2 0580' cp_on MEMBERA DETACH 580 FROM LINUX2
expect 0 '0580 varied offline' cp_on MEMBERA VARY OFF 580
expect 1 'HCPATR046E TAPE 0580 is offline' cp_on MEMBERA ATTACH 580 LINUX1
expect 0 '0580 varied online' cp_on MEMBERA VARY ON 580
expect 0 'TAPE 0580 ATTACHED TO LINUX1 0181' cp_on MEMBERA ATTACH 580 LINUX1 181
expect 1 'HCPCMD001E' as LINUX1 VARY OFF 300
runs LINUX1 'until_there /sys/bus/ccw/devices/0.0.0181'

# --- IPL from the minidisk, with a parameter of the command; the system is one for CP and for tools
runs LINUX1 'bootable && umount /mnt/*'
expect 0 '' as LINUX1 IPL 200 CLEAR LOADPARM 7 # the loader is told: there is no such entry
on_guest 'undefined configuration' >/dev/null
expect 0 '' as LINUX1 IPL 200 CLEAR LOADPARM 0 PARM cp.says=hello
expect 0 'boots: 1 .*cp.says=hello' on_guest '^boots: 1'
expect 0 'loadparm: 0$' on_guest '^loadparm:'
expect 0 '' cp_on MEMBERA FORCE LINUX2
expect 0 '' cp_on MEMBERA FORCE LINUX1
expect 0 'DASD 0200 CP SYSTEM +VOL001 +0' cp_on MEMBERA QUERY DASD
endicott dasd check "$cluster/volumes/vol001.cckd" || fail "the volume is damaged"
echo "cp_disks: passed"
