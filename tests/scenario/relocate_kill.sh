#!/bin/bash
# SIGKILL of either member during a relocation: never two copies of the guest, and none only if
# the member that owned it was killed. At 1 MB/s a relocation that is seen under way lasts until the kill.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
export ENDICOTT_LGR_MB_S=1
cluster=$TEST_TMP/two
sample two "$cluster"
boot_guest
memspin

# the destination dies: the guest goes on at the source
move_under_way || fail "it was over before it could be seen"
freeze MEMBERB
kill -KILL "$frozen"
frozen=
wait $mover && fail "it was over before MEMBERB was stopped: $(cat "$TEST_TMP/move")"
grep -q 'RC=0000-03' "$TEST_TMP/move" || fail "MOVE said: $(cat "$TEST_TMP/move")"
lives_on MEMBERA -
expect 0 'MEMBERB is ready' endicott start "$cluster" MEMBERB
expect 0 "$LOGGED_ON_HERE" cp_on MEMBERA QUERY NAMES

# the source dies, as the owner: the destination must not run what it has of the guest
move_under_way || fail "it was over before it could be seen"
freeze MEMBERA
kill -KILL "$frozen"
frozen=
wait $mover && fail "it was over before MEMBERA was stopped: $(cat "$TEST_TMP/move")"
until grep -q '1 MEMBERA  Down' <<<"$(cp_on MEMBERB QUERY SSI)"; do moment; done
! grep -Eq "$LOGGED_ON_HERE" <<<"$(cp_on MEMBERB QUERY NAMES)" || fail "MEMBERB runs a guest it does not own"
expect 0 'has kept the guest, or is gone|connection with MEMBERA is lost' \
    cp_on MEMBERB VMRELOCATE STATUS DETAILS
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX1
echo "relocate_kill: passed"
