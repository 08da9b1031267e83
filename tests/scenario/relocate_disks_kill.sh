#!/bin/bash
# SIGKILL of either member while a guest that writes files is relocated, at any moment of the hand-over, ENDICOTT_KILLS times (3):
# afterwards the guest runs on one member or on none, its file system is recovered, and each file that was
# written to the disk before is what it was; the image is sound.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
disk_cluster ' MDISK 0200 3390 1 60 VOL001 MR
 MDISK 0201 3390 1 60 VOL002 MR' ''
disk_guest_files
endicott up "$cluster" >/dev/null

# Boot on a member; the file systems are made the first time, recovered and looked at the other times.
begin() { # member
    boot_with_disks "$1" LINUX1
    runs LINUX1 'online 0200; online 0201'
    if [ -z "${made-}" ]; then
        made=yes
        for disk in a b; do
            runs LINUX1 "format -d ldl /dev/dasd$disk; part /dev/dasd${disk}1; filesystem dasd${disk}1 && fill dasd${disk}1"
        done
    else
        for disk in a b; do
            runs LINUX1 "part /dev/dasd${disk}1; mounted dasd${disk}1 && whole dasd${disk}1 && kept dasd${disk}1"
            runs LINUX1 "umount /mnt/dasd${disk}1 && d e2fsck -f -n /dev/dasd${disk}1 && mounted dasd${disk}1"
        done
    fi
    runs LINUX1 'writer dasda1 & writer dasdb1 & begun dasda1; begun dasdb1'
}

alive() { # the member that has LINUX1 now, or nothing
    local member
    for member in MEMBERA MEMBERB; do
        ! grep -Eq "$LOGGED_ON_HERE" <<<"$(cp_on $member QUERY NAMES 2>/dev/null)" || echo $member
    done
}

kills=${ENDICOTT_KILLS:-3}
moments=('Moving state|Final pass' 'Verifying|In doubt' 'Resuming|Verifying' 'Quiescing|Moving state')
for ((round = 0; round < kills; round++)); do
    [ -n "$(alive)" ] || begin MEMBERA
    [ "$(alive)" = MEMBERA ] || fail "LINUX1 is on $(alive)"
    # the moment: the state is sent, verified, and the claim moved within some hundred milliseconds
    endicott cp -m MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB MAXQUIESCE 60 >"$TEST_TMP/move" 2>&1 &
    mover=$!
    until grep -Eq "${moments[round % 4]}" <<<"$(cp_on MEMBERA VMRELOCATE STATUS USER LINUX1 2>/dev/null)"; do
        kill -0 $mover 2>/dev/null || break
    done
    victim=$([ $((round % 3)) != 1 ] && echo MEMBERA || echo MEMBERB)
    kill -KILL "$(pid_of $victim)"
    wait $mover || true
    other=$([ $victim = MEMBERA ] && echo MEMBERB || echo MEMBERA)
    until grep -q "$victim  Down" <<<"$(cp_on $other QUERY SSI)"; do moment; done
    echo "round $round: $victim killed, LINUX1 on '$(alive)'"
    case $(alive) in
    "$other") runs LINUX1 'goes_on dasda1' ;;
    '') [ $victim = MEMBERA ] || grep -q 'has been relocated' "$TEST_TMP/move" || fail "MEMBERA had the guest and lost it" ;;
    *) fail "LINUX1 is on $(alive)" ;;
    esac
    # as if the power had failed: what is on the disks must do
    [ -z "$(alive)" ] || expect 0 '' cp_on "$other" FORCE LINUX1
    expect 0 "$victim is ready" endicott start "$cluster" "$victim"
done
begin MEMBERB
for image in vol001.cckd vol002.ckd; do
    endicott stop MEMBERA --immediate >/dev/null 2>&1 || true
    endicott stop MEMBERB --immediate >/dev/null 2>&1 || true
    endicott dasd check "$cluster/volumes/$image" || fail "$image is damaged"
done
echo "relocate_disks_kill: passed"
