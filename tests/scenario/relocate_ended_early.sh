#!/bin/bash
# A relocation that is canceled, or takes longer than MAXTOTAL, leaves the guest where it is.
# The destination is held still (SIGSTOP), so that the relocation is certain to wait; a slow link makes it last until then.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
export ENDICOTT_LGR_MB_S=20
cluster=$TEST_TMP/two
sample two "$cluster"
echo 'SSI_LINKS SILENCE 300' >>"$cluster/system.config" # who is held still is not lost, however long commands take
boot_guest
memspin 16

# MAXTOTAL
freeze MEMBERB
expect 1 'HCPRLX1937E .* RC=0000-04' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB MAXTOTAL 1 SEC
thaw
lives_on MEMBERA MEMBERB

# CANCEL while storage is being moved
move_under_way || fail "it was over before it could be seen: $(cat "$TEST_TMP/move")"
freeze MEMBERB
expect 0 'LINUX1 has been canceled' cp_on MEMBERA VMRELOCATE CANCEL LINUX1
thaw
wait "$mover" && fail 'it was relocated all the same'
grep -q 'HCPRLX1937E .* RC=0000-01: canceled by OPERATOR' "$TEST_TMP/move" ||
    fail "MOVE said: $(cat "$TEST_TMP/move")"
lives_on MEMBERA MEMBERB

# limits are changed on the way; the user cannot be relocated twice
freeze MEMBERB
endicott cp -m MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB >"$TEST_TMP/move" 2>&1 &
mover=$!
until grep -q '^LINUX1' <<<"$(cp_on MEMBERA VMRELOCATE STATUS 2>/dev/null)"; do
    kill -0 $mover 2>/dev/null || fail "it was over before it could be seen: $(cat "$TEST_TMP/move")"
done
expect 1 'HCPRLU1925E' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB
expect 0 'have been changed' cp_on MEMBERA VMRELOCATE MODIFY LINUX1 MAXTOTAL 1 SEC
wait $mover && fail "the relocation did not end"
thaw
grep -q 'RC=0000-04' "$TEST_TMP/move" || fail "MOVE said: $(cat "$TEST_TMP/move")"
lives_on MEMBERA MEMBERB

# and after all that it still moves
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB IMMEDIATE
lives_on MEMBERB MEMBERA
echo "relocate_ended_early: passed"
