#!/bin/bash
# E2, a new level member by member: one member runs another build of the program, beside the old ones in the same cluster; a
# test guest moves onto it and back, production guests do not notice; it is given up and the old one is back; then all have
# it. Each member tells its level.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$ROOT/tests/lib/scenario_table.sh"
. "$ROOT/tests/lib/ticker.sh"
cluster=$TEST_TMP/four
sample four "$cluster"
rm "$cluster/hardware/MEMBERD.cnf" # three members are enough
sed -i 's/^CPUMODEL .*/CPUMODEL   2817/' "$cluster"/hardware/*.cnf
cp "$(readlink -f "$ENDICOTT")" "$TEST_TMP/level2"
touch -d '2001-02-03 04:05:06 UTC' "$TEST_TMP/level2" # QUERY CPLEVEL tells when it was made
level() { # member: is it of the new level?
    grep -q 'Generated at 02/03/01 04:05:06' <<<"$(cp_on "$1" QUERY CPLEVEL)"
}
expect 0 'MEMBERC is ready' endicott up "$cluster"
ticker MEMBERA LINUX1
ticker MEMBERB LINUX3
production=$count

step 'MEMBERC gets the new level'
expect 0 'done +1 of 1' endicott service apply "$cluster" --only MEMBERC --to "$TEST_TMP/level2"
level MEMBERC || fail 'MEMBERC has the old level'
! level MEMBERA || fail 'MEMBERA has the new level'
expect 0 'MEMBERC : Generated at 02/03/01 04:05:06' cp_on MEMBERA AT ALL CMD QUERY CPLEVEL
for member in MEMBERA MEMBERB MEMBERC; do expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI; done
checked 'levels in one cluster' 'MEMBERC new, MEMBERA and MEMBERB old, Stable'

step 'a test guest on it, and back'
ticker MEMBERA LINUX4
moved LINUX4 MEMBERA MEMBERC
moved LINUX4 MEMBERC MEMBERB
checked 'LINUX4: old, new, old level' "counts on: $count"
expect 1 'HCPAUT054E' cp_on MEMBERC XAUTOLOG LINUX1
checked 'single logon across levels' 'held'

step 'it is given up'
expect 0 'done +1 of 1' endicott service apply "$cluster" --only MEMBERC
! level MEMBERC || fail 'MEMBERC has the new level still'
checked 'MEMBERC' 'back on the old level'

step 'all get it'
expect 0 'done +3 of 3' endicott service apply "$cluster" --to "$TEST_TMP/level2"
for member in MEMBERA MEMBERB MEMBERC; do level $member || fail "$member has the old level"; done
goes_on MEMBERA LINUX1
checked 'LINUX1 at MEMBERA' "counts on: $count"
goes_on MEMBERB LINUX3 "$production"
checked 'LINUX3 at MEMBERB' "counts on: $production, $count"
goes_on MEMBERB LINUX4
checked 'LINUX4 at MEMBERB' "counts on: $count"
expect 0 'has ended' endicott stop "$cluster"
closing 'E2: a new level, member by member'
