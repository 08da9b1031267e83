#!/bin/bash
# E1, planned outage: a member is emptied, ended for service, and comes back; its guests are elsewhere meanwhile, run all the
# time, and come home. What cannot be elsewhere (an IDENTITY's machine) is logged on again. Then by hand, as an operator does.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/scenario_table.sh"
. "$ROOT/tests/lib/ticker.sh"
. "$ROOT/tests/lib/worker.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/user.direct" <<'TEXT'

IDENTITY LOCAL LOCAL 16M 16M G
  BUILD ON * USING SUBCONFIG LOCAL-1
  CONSOLE 0009 3215
SUBCONFIG LOCAL-1
  ACCOUNT LOCAL
TEXT
worker_config "$cluster"
ticker_disks "$cluster" LINUX1 LINUX2
expect 0 'MEMBERB is ready' endicott up "$cluster"
ticker MEMBERA LINUX1 LINUX2
worker_begins MEMBERA
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LOCAL

step 'MEMBERA is served'
goes_on MEMBERA LINUX1
one=$count
goes_on MEMBERA LINUX2
two=$count
disk_goes_on MEMBERA LINUX1
looked=$blocks
expect 0 'done +1 of 1 members' endicott service apply "$cluster" --only MEMBERA \
    --command "'$ENDICOTT' cp -m MEMBERB QUERY NAMES >'$TEST_TMP/meanwhile'"
grep -q 'LINUX1   - DSC' "$TEST_TMP/meanwhile" || fail "meanwhile: $(cat "$TEST_TMP/meanwhile")"
checked 'during the outage, at MEMBERB' "$(tr -s ' ' <"$TEST_TMP/meanwhile")"
for user in LINUX1:$one LINUX2:$two; do
    goes_on MEMBERA ${user%:*} ${user#*:}
    checked "${user%:*} at MEMBERA again" "counts on: ${user#*:}, $count"
done
disk_goes_on MEMBERA LINUX1 "$looked"
checked 'disk of LINUX1' "what it was: $looked times, $blocks"
worker_goes_on
worker_checked 'at MEMBERA again'
figures
expect 0 'LOCAL    - DSC' cp_on MEMBERA QUERY LOCAL AT MEMBERA
checked 'LOCAL at MEMBERA' 'logged on again'

step 'by hand'
moved LINUX1 MEMBERA MEMBERB
moved LINUX2 MEMBERA MEMBERB
worker_moved MEMBERA MEMBERB
expect 0 'has ended' endicott stop MEMBERA
expect 0 'SSI Mode: Stable' cp_on MEMBERB QUERY SSI
expect 0 '1 MEMBERA  Down' cp_on MEMBERB QUERY SSI
goes_on MEMBERB LINUX1
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
moved LINUX1 MEMBERB MEMBERA
checked 'LINUX1, moved by hand' "counts on: $count"
worker_moved MEMBERB MEMBERA FRIEND
goes_on MEMBERB LINUX2
checked 'LINUX2, stays at MEMBERB' "counts on: $count"
worker_ends
expect 0 'has ended' endicott stop "$cluster"
closing 'E1: planned outage'
