#!/bin/bash
# E2, a new level member by member: one member runs another build of the program, beside the old ones in the same cluster; a
# test guest moves onto it and back, production guests do not notice; it is given up and the old one is back; then all have
# it. Each member tells its level.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/scenario_table.sh"
. "$ROOT/tests/lib/ticker.sh"
. "$ROOT/tests/lib/worker.sh"
. "$ROOT/tests/lib/ticker_terminal.sh"
cluster=$TEST_TMP/four
sample four "$cluster"
rm "$cluster/hardware/MEMBERD.cnf" # three members are enough
sed -i 's/^CPUMODEL .*/CPUMODEL   2817/' "$cluster"/hardware/*.cnf
cp "$(readlink -f "$ENDICOTT")" "$TEST_TMP/level2"
touch -d '2001-02-03 04:05:06 UTC' "$TEST_TMP/level2" # QUERY CPLEVEL tells when it was made
level() { # member: is it of the new level?
    grep -q 'Generated at 02/03/01 04:05:06' <<<"$(cp_on "$1" QUERY CPLEVEL)"
}
terminals "$cluster" MEMBERA
worker_config "$cluster"
ticker_disks "$cluster" LINUX1 LINUX3 LINUX4
expect 0 'MEMBERC is ready' endicott up "$cluster"
ticker MEMBERA LINUX1
ticker MEMBERB LINUX3
production=$count
worker_begins MEMBERA

step 'MEMBERC gets the new level'
expect 0 'done +1 of 1' endicott service apply "$cluster" --only MEMBERC --to "$TEST_TMP/level2"
level MEMBERC || fail 'MEMBERC has the old level'
! level MEMBERA || fail 'MEMBERA has the new level'
expect 0 'MEMBERC : Generated at 02/03/01 04:05:06' cp_on MEMBERA AT ALL CMD QUERY CPLEVEL
for member in MEMBERA MEMBERB MEMBERC; do expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI; done
checked 'levels in one cluster' 'MEMBERC new, MEMBERA and MEMBERB old, Stable'

step 'a test guest on it, and back'
ticker_terminal MEMBERA LINUX4
moved LINUX4 MEMBERA MEMBERC
connected MEMBERC LINUX4
moved LINUX4 MEMBERC MEMBERB
connected MEMBERB LINUX4
checked 'terminal of LINUX4, at MEMBERA' 'connected still'
checked 'LINUX4: old, new, old level' "counts on: $count"
expect 1 'HCPAUT054E' cp_on MEMBERC XAUTOLOG LINUX1
worker_moved MEMBERA MEMBERC
worker_checked 'on the new level'
worker_moved MEMBERC MEMBERA FRIEND
worker_moved MEMBERC MEMBERB WORKER
checked 'single logon across levels' 'held'

step 'it is given up'
expect 0 'done +1 of 1' endicott service apply "$cluster" --only MEMBERC
! level MEMBERC || fail 'MEMBERC has the new level still'
checked 'MEMBERC' 'back on the old level'

step 'all get it'
expect 0 'done +3 of 3' endicott service apply "$cluster" --to "$TEST_TMP/level2"
for member in MEMBERA MEMBERB MEMBERC; do level $member || fail "$member has the old level"; done
worker_goes_on
worker_checked 'at MEMBERB, all served'
goes_on MEMBERA LINUX1
checked 'LINUX1 at MEMBERA' "counts on: $count"
goes_on MEMBERB LINUX3 "$production"
checked 'LINUX3 at MEMBERB' "counts on: $production, $count"
goes_on MEMBERB LINUX4
checked 'LINUX4 at MEMBERB' "counts on: $count"
for user in MEMBERA:LINUX1 MEMBERB:LINUX3 MEMBERB:LINUX4; do
    disk_goes_on ${user%:*} ${user#*:}
    checked "disk of ${user#*:}" "what it was: $blocks times"
done
figures
worker_ends
expect 0 'has ended' endicott stop "$cluster"
closing 'E2: a new level, member by member'
