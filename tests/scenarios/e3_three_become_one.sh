#!/bin/bash
# E3, three systems become one cluster: SYSA, SYSB and SYSC each have a directory, volumes and guests of their own. SYSA is a
# cluster of one, whose guest never stops. The entries of SYSB's and SYSC's users are added to its directory while it runs (one
# user id that two systems have is found out, and gets another name), the two join, and their guests have what they had; each
# user is logged on once, minidisks are linked from any member, guests move between the three.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
. "$ROOT/tests/lib/scenario_table.sh"
. "$ROOT/tests/lib/ticker.sh"
. "$ROOT/tests/lib/worker.sh"
mkdir "$TEST_TMP/dasd" # both machines are cabled to the volumes of all
endicott dasd init "$TEST_TMP/dasd/vola.raw" --blocks 8192
endicott dasd init "$TEST_TMP/dasd/volb.raw" --blocks 98304
profile=$(sed -n '/^PROFILE LINUX/,/^$/p' "$ROOT/docs/samples/two/user.direct")
system() { # NAME: a folder with an operator
    local folder=$TEST_TMP/$1
    mkdir -p "$folder/hardware" "$folder/volumes"
    sed "s/0A0001/0A000$(tr A-C 1-3 <<<"${1: -1}")/" "$ROOT/docs/samples/two/hardware/MEMBERA.cnf" >"$folder/hardware/$1.cnf"
    printf '0300 9336 %s/dasd/vola.raw volid=VOLA\n0301 9336 %s/dasd/volb.raw volid=VOLB\n' "$TEST_TMP" "$TEST_TMP" >>"$folder/hardware/$1.cnf"
    printf '%s\n\nIDENTITY OPERATOR OPERATOR 32M 64M ABCDEFG\n  BUILD ON * USING SUBCONFIG OPER-1\n  CONSOLE 0009 3215 T\n  SPOOL 000C 2540 READER *\nSUBCONFIG OPER-1\n  ACCOUNT ALL\n\n' \
        "$profile" >"$folder/user.direct"
}
user() { # userid, statement...: an entry
    printf 'USER %s %s 512M 2G G\n  INCLUDE LINUX\n  VMRELOCATE ON\n' "$1" "$1"
    shift
    [ $# = 0 ] || printf '  %s\n' "$@"
}
for name in SYSA SYSB SYSC; do system $name; done
user LINUX1 'MDISK 0202 FB-512 64 4000 VOLA MR' >>"$TEST_TMP/SYSA/user.direct"
user LINUX2 'MDISK 0202 FB-512 64 65536 VOLB MR' >>"$TEST_TMP/SYSB/user.direct"
user TEST >>"$TEST_TMP/SYSA/user.direct"
user TEST >>"$TEST_TMP/SYSC/user.direct"
cat >"$TEST_TMP/SYSA/system.config" <<'TEXT'
SYSTEM_IDENTIFIER LPAR LPARA SYSA
SYSTEM_IDENTIFIER LPAR LPARB SYSB
SYSTEM_IDENTIFIER LPAR LPARC SYSC
SSI ONE PDR_VOLUME VOLA SLOT 1 SYSA
USER_VOLUME_LIST VOLA VOLB
TEXT
printf 'SYSTEM_IDENTIFIER LPAR LPARB SYSB\nUSER_VOLUME_LIST VOLB\n' >"$TEST_TMP/SYSB/system.config"
printf 'SYSTEM_IDENTIFIER LPAR LPARC SYSC\n' >"$TEST_TMP/SYSC/system.config"
worker_config "$TEST_TMP/SYSA"

step 'three systems, each by itself'
for name in SYSA SYSB SYSC; do expect 0 "$name is ready" endicott start "$TEST_TMP/$name" $name; done
expect 0 'SSI Name: ONE' cp_on SYSA QUERY SSI
expect 0 'not a member of an SSI cluster' cp_on SYSB QUERY SSI
ticker SYSA LINUX1 TEST
ticker SYSC TEST
worker_begins SYSA
rm -r "$TEST_TMP/overlay" # other files for LINUX2
disk_guest_files
boot_with_disks SYSB LINUX2
runs LINUX2 'online 0202; part /dev/dasda1; filesystem dasda1 && fill dasda1'
checked 'TEST' 'logged on at SYSA and at SYSC: two users of one name'

step 'one directory, while SYSA runs'
user LINUX2 'MDISK 0202 FB-512 64 65536 VOLB MR' >"$TEST_TMP/linux2.direct"
user TEST >"$TEST_TMP/test.direct"
user TESTC >"$TEST_TMP/testc.direct"
for name in linux2 test testc; do endicott punch -m SYSA -u OPERATOR "$TEST_TMP/$name.direct" >/dev/null; done
expect 0 'DVHREQ2289I' cp_on SYSA DIRM ADD LINUX2
expect 1 'HCPDRM054E TEST is in the CP directory already' cp_on SYSA DIRM ADD TEST
expect 0 'DVHREQ2289I' cp_on SYSA DIRM ADD TESTC
checked 'users of SYSB and SYSC' 'LINUX2; TEST of SYSC is TESTC'
goes_on SYSA LINUX1
before=$count

step 'SYSB and SYSC get slots, and join'
slot=2
runs LINUX2 'umount /mnt/dasda1; sync'
for name in SYSB SYSC; do
    expect 0 'has ended' endicott stop $name
    mv "$TEST_TMP/$name/hardware/$name.cnf" "$TEST_TMP/SYSA/hardware/"
    echo '03F1 9336 volumes/work01.raw volid=WORK01' >>"$TEST_TMP/SYSA/hardware/$name.cnf"
    expect 0 "Slot $slot is $name" cp_on SYSA SET SSI SLOT $slot $name
    sed -i "s/^SSI ONE.*/& SLOT $slot $name/" "$TEST_TMP/SYSA/system.config"
    expect 0 "$name is ready" endicott start "$TEST_TMP/SYSA" $name
    slot=$((slot + 1))
done
for name in SYSA SYSB SYSC; do
    expect 0 'SSI Mode: Stable' cp_on $name QUERY SSI
    for slot in '1 SYSA' '2 SYSB' '3 SYSC'; do expect 0 "$slot +Joined" cp_on $name QUERY SSI; done
done
checked 'cluster ONE' 'SYSA, SYSB, SYSC Joined, Stable'
worker_goes_on
worker_checked 'at SYSA, never stopped'
goes_on SYSA LINUX1 "$before"
checked 'LINUX1 at SYSA' "never stopped: $before, $count"
ticker SYSC TESTC
boot_with_disks SYSB LINUX2
runs LINUX2 'online 0202; part /dev/dasda1; mounted dasda1 && whole dasda1'
checked 'LINUX2 at SYSB' 'its files are what they were'

step 'it is one system'
expect 1 'HCPAUT054E TEST already logged on SYSA' cp_on SYSC XAUTOLOG TEST
checked 'TEST at SYSC' 'refused: it is logged on at SYSA'
expect 1 'SYSB +: LINUX2 +- DSC' cp_on SYSC QUERY LINUX2 AT ALL
expect 0 '' cp_on SYSC MESSAGE LINUX2 hello from SYSC
expect 0 'hello from SYSC' endicott wait -m SYSB -u LINUX2 --match 'hello from SYSC' --since-start --timeout "$WAIT_SECONDS"
runs LINUX2 'vmcp at all cmd query userid | tee /tmp/all; grep "^SYSC *: LINUX2 *AT SYSC" /tmp/all'
checked 'AT ALL CMD, from the guest LINUX2' 'answered by all three'
expect 0 'DVHREQ2289I' cp_on SYSC DIRM FOR TEST STORAGE 64M
expect 0 'HCPDRM606I Generation 3' endicott wait -m SYSB --match 'HCPDRM606I Generation 3' --since-start --timeout "$WAIT_SECONDS"
checked 'directory, changed at SYSC' 'online at all, generation 3'
runs LINUX2 'umount /mnt/dasda1'
expect 0 'has been relocated' cp_on SYSB VMRELOCATE MOVE USER LINUX2 TO SYSA
runs LINUX2 'mounted dasda1 && whole dasda1'
checked 'LINUX2, moved to SYSA' 'its files are what they were'
moved LINUX1 SYSA SYSC
checked 'LINUX1, moved to SYSC' "counts on: $count"
worker_moved SYSA SYSB FRIEND
worker_moved SYSA SYSC WORKER
worker_checked 'at SYSC, its connection to SYSB'
worker_ends
expect 0 'has ended' endicott stop "$TEST_TMP/SYSA"
closing 'E3: three systems become one cluster'
