#!/bin/bash
# Two guests with one minidisk: what one reserves by tunedasd of s390-tools the other cannot read until the release, and it
# goes on by itself then; both see who has it; it can be taken away; and it is free when its guest has gone.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
disk_cluster ' MDISK 0200 3390 1 20 VOL001 MW ALL WRITEPW MULTPW' ' LINK LINUX1 0200 0200 MW'
disk_guest_files
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
for user in LINUX1 LINUX2; do
    boot_with_disks MEMBERA $user
    runs $user 'online 0200'
done
runs LINUX1 'format -l SHARE1 /dev/dasda'
runs LINUX2 'echo 0 >/sys/bus/ccw/devices/0.0.0200/online; online 0200'
read='sh /read.sh'
for user in LINUX1 LINUX2; do
    runs $user 'echo "dd if=/dev/dasda of=/tmp/block bs=4096 count=1 skip=30 iflag=direct" >/read.sh'
    runs $user 'echo "sh /read.sh; touch /tmp/done" >/later.sh'
done
runs LINUX1 "d tunedasd -Q /dev/dasda | tee /tmp/q; grep '^none' /tmp/q"
runs LINUX1 'd tunedasd --reserve /dev/dasda'
runs LINUX1 'd tunedasd -Q /dev/dasda | tee /tmp/q; grep "^implicit\|^reserved" /tmp/q'
runs LINUX2 'd tunedasd -Q /dev/dasda | tee /tmp/q; grep "^other" /tmp/q'
runs LINUX1 "$read"
runs LINUX2 'rm -f /tmp/done; (setsid sh /later.sh </dev/null >/dev/null 2>&1 &)'
runs LINUX2 'd tunedasd -Q /dev/dasda >/dev/null; d tunedasd -Q /dev/dasda >/dev/null; [ ! -e /tmp/done ]'

# --- a device end comes while its start function is pending: it ends with deferred condition code 1, an interruption that
# ends nothing for Linux, which starts it again
runs LINUX2 'grep DAS /proc/interrupts >/tmp/before'
as LINUX2 READY 0200
runs LINUX2 'while grep DAS /proc/interrupts | cmp -s - /tmp/before; do usleep 50000; done; [ ! -e /tmp/done ]'
runs LINUX1 'd tunedasd --release /dev/dasda'
runs LINUX2 'until_there /tmp/done'

# --- taken away
runs LINUX1 'd tunedasd --reserve /dev/dasda'
runs LINUX2 'd tunedasd --slock /dev/dasda'
runs LINUX2 "$read"
runs LINUX1 'd tunedasd -Q /dev/dasda | grep "^other"'

# --- its guest goes
runs LINUX1 'rm -f /tmp/done; (setsid sh /later.sh </dev/null >/dev/null 2>&1 &)'
expect 0 '' cp_on MEMBERA FORCE LINUX2
runs LINUX1 'until_there /tmp/done'
runs LINUX1 'd tunedasd -Q /dev/dasda | grep "^none"'
expect 0 '' cp_on MEMBERA FORCE LINUX1
echo "cp_reserve: passed"
