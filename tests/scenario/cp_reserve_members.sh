#!/bin/bash
# A guest of one member reserves a minidisk that a guest of another member has for reading: that one's reads wait until the
# release and go on by themselves; it sees who has it, takes it away, and has it when the other guest has gone.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
disk_cluster ' MDISK 0200 3390 1 20 VOL002 MW ALL WRITEPW MULTPW' ' LINK LINUX1 0200 0200 RR'
disk_guest_files
expect 0 'ready' endicott up "$cluster"
boot_with_disks MEMBERA LINUX1
boot_with_disks MEMBERB LINUX2
runs LINUX1 'online 0200'
runs LINUX1 'format -l SHARE1 /dev/dasda'
runs LINUX2 'online 0200'
for user in LINUX1 LINUX2; do
    runs $user 'echo "dd if=/dev/dasda of=/tmp/block bs=4096 count=1 skip=30 iflag=direct" >/read.sh'
    runs $user 'echo "sh /read.sh; touch /tmp/done" >/later.sh'
done
runs LINUX2 'sh /read.sh'
runs LINUX2 "d tunedasd -Q /dev/dasda | tee /tmp/q; grep '^none' /tmp/q"
runs LINUX1 'd tunedasd --reserve /dev/dasda'
runs LINUX2 'd tunedasd -Q /dev/dasda | tee /tmp/q; grep "^other" /tmp/q'
runs LINUX1 'sh /read.sh'
runs LINUX2 'rm -f /tmp/done; (setsid sh /later.sh </dev/null >/dev/null 2>&1 &)'
runs LINUX2 'd tunedasd -Q /dev/dasda >/dev/null; d tunedasd -Q /dev/dasda >/dev/null; [ ! -e /tmp/done ]'
runs LINUX1 'd tunedasd --release /dev/dasda'
runs LINUX2 'until_there /tmp/done'

# --- the reader takes the reservation away: the writer is told that it has lost it, and waits
runs LINUX1 'd tunedasd --reserve /dev/dasda'
runs LINUX2 'd tunedasd --slock /dev/dasda'
runs LINUX2 'sh /read.sh'
runs LINUX2 'd tunedasd -Q /dev/dasda | grep "^reserved"'
runs LINUX1 'rm -f /tmp/done; (setsid sh /later.sh </dev/null >/dev/null 2>&1 &)'
runs LINUX1 'until dmesg | grep "device reservation was lost" >/tmp/lost; do usleep 50000; done; cat /tmp/lost'
runs LINUX1 'd tunedasd -Q /dev/dasda | grep "^other"; [ ! -e /tmp/done ]'
runs LINUX2 'd tunedasd --release /dev/dasda'
runs LINUX1 'until_there /tmp/done'

# --- the reader reserves: the writer waits, until the reader's guest goes
runs LINUX2 'd tunedasd --reserve /dev/dasda'
runs LINUX1 'd tunedasd -Q /dev/dasda | grep "^other"'
runs LINUX1 'rm -f /tmp/done; (setsid sh /later.sh </dev/null >/dev/null 2>&1 &)'
runs LINUX1 'd tunedasd -Q /dev/dasda >/dev/null; [ ! -e /tmp/done ]'
expect 0 '' cp_on MEMBERB FORCE LINUX2
runs LINUX1 'until_there /tmp/done'
runs LINUX1 'd tunedasd -Q /dev/dasda | grep "^none"'
echo "cp_reserve_members: passed"
