#!/bin/bash
# E8, local disaster recovery: MEMBERA and MEMBERB have their volumes on both sites (mirror=). Site 1 goes: both members are
# killed and its files removed while guests write. The standby members C and D start on what site 2 has; the guests are
# logged on there, and every file that they had made sure of is there, whole; they go on writing.
# long: Linux is booted four times, with the disk tools of Debian
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
. "$ROOT/tests/lib/scenario_table.sh"
cluster=$TEST_TMP/four
sample four "$cluster"
sed -i 's/^CPUMODEL .*/CPUMODEL   2817/' "$cluster"/hardware/*.cnf
sed -i 's/^USER_VOLUME_LIST COM001/& FBA001 FBA002/' "$cluster/system.config"
sed -i '/^USER LINUX1 /a\  MDISK 0202 FB-512 64 65536 FBA001 MR' "$cluster/user.direct"
sed -i '/^USER LINUX2 /a\  MDISK 0202 FB-512 64 65536 FBA002 MR' "$cluster/user.direct"
mkdir "$cluster/site1" "$cluster/site2"
for n in 1 2; do
    for site in 1 2; do endicott dasd init "$cluster/site$site/fba00$n.raw" --blocks 98304; done
    for member in MEMBERA MEMBERB; do
        echo "030$n 9336 site1/fba00$n.raw volid=FBA00$n mirror=site2/fba00$n.raw" >>"$cluster/hardware/$member.cnf"
    done
    for member in MEMBERC MEMBERD; do
        echo "030$n 9336 site2/fba00$n.raw volid=FBA00$n" >>"$cluster/hardware/$member.cnf"
    done
done
disk_guest_files

step 'site 1: two members, two guests that write'
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
expect 0 'MEMBERB is ready' endicott start "$cluster" MEMBERB
boot_with_disks MEMBERA LINUX1
boot_with_disks MEMBERB LINUX2
for user in LINUX1 LINUX2; do
    runs $user 'online 0202; part /dev/dasda1; filesystem dasda1 && fill dasda1'
    runs $user 'writer dasda1 & begun dasda1'
done
expect 0 'DASD 0301 FBA001 DUPLEX' cp_on MEMBERA QUERY DUPLEX
expect 0 'DASD 0302 FBA002 DUPLEX' cp_on MEMBERB QUERY DUPLEX
checked 'volumes of site 1' 'FBA001 and FBA002 DUPLEX'
for user in LINUX1 LINUX2; do
    runs $user 'goes_on dasda1'
done

step 'site 1 goes, in the middle of writing'
for member in MEMBERA MEMBERB; do kill -KILL "$(pid_of $member)"; done
rm -rf "$cluster/site1"
until ! endicott status --json | grep -q MEMBER; do moment; done
checked 'MEMBERA, MEMBERB' 'killed, their files gone'

step 'site 2: the standby members start'
expect 0 'MEMBERC is ready' endicott start "$cluster" MEMBERC
expect 0 'MEMBERD is ready' endicott start "$cluster" MEMBERD
for member in MEMBERC MEMBERD; do
    expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI
    expect 0 '1 MEMBERA  Down' cp_on $member QUERY SSI
    expect 0 '2 MEMBERB  Down' cp_on $member QUERY SSI
done
checked 'cluster FOUR' 'Stable: MEMBERC, MEMBERD Joined, MEMBERA, MEMBERB Down'

step 'the guests are logged on there'
boot_with_disks MEMBERC LINUX1
boot_with_disks MEMBERD LINUX2
expect 1 'HCPAUT054E LINUX1 already logged on MEMBERC' cp_on MEMBERD XAUTOLOG LINUX1
for user in LINUX1 LINUX2; do
    runs $user 'online 0202; part /dev/dasda1; mounted dasda1 && whole dasda1 && kept dasda1'
    kept=$(endicott wait -u $user --match '^kept [0-9]+' --since-start --timeout "$WAIT_SECONDS" | tail -n 1 | grep -o '[0-9]*$')
    [ "$kept" -gt 0 ] || fail "$user had written nothing"
    checked "$user: files it had made sure of" "all $kept, with their sums"
    runs $user 'writer dasda1 & begun dasda1; for i in 1 2 3 4 5 6 7 8; do goes_on dasda1; done; rm /tmp/go; wait; written dasda1'
    runs $user 'umount /mnt/dasda1 && d e2fsck -f -n /dev/dasda1'
    checked "$user: goes on writing, file system" 'clean'
done
expect 0 'MEMBERC : LINUX1|MEMBERC : OPERATOR' cp_on MEMBERD QUERY NAMES AT ALL
expect 0 'has ended' endicott stop "$cluster"
closing 'E8: local disaster recovery'
