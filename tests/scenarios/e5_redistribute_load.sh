#!/bin/bash
# E5, redistribute load: all guests are on one member, which INDICATE shows; half of them move to members that have nothing to
# do, one of them while it works as hard as it can; each member has its part then, and every guest has run on.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$ROOT/tests/lib/scenario_table.sh"
. "$ROOT/tests/lib/ticker.sh"
cluster=$TEST_TMP/four
sample four "$cluster"
sed -i 's/^CPUMODEL .*/CPUMODEL   2817/' "$cluster"/hardware/*.cnf
sed -i 's/ DOMAIN ALPHA//' "$cluster/user.direct"
deck "$TEST_TMP/spin" <<'TEXT'
        lghi %r1,0x800
more:   lg %r2,0(%r1)
        aghi %r2,1
        stg %r2,0(%r1)
        j more
TEXT
expect 0 'MEMBERD is ready' endicott up "$cluster"

step 'everything on MEMBERA'
ticker MEMBERA LINUX1 LINUX2 LINUX3
endicott punch -m MEMBERA -u LINUX4 "$TEST_TMP/spin" >/dev/null
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX4
goes_on MEMBERA LINUX4
users() { # member: how many, the operator not counted
    cp_on MEMBERB QUERY NAMES AT ALL | sed -n "s/^$1 *: //p" | tr , '\n' | grep -c LINUX || true
}
[ "$(users MEMBERA)" = 4 ] || fail "$(cp_on MEMBERB QUERY NAMES AT ALL)"
expect 0 'MEMBERD : AVGPROC-' cp_on MEMBERB INDICATE LOAD AT ALL
checked 'guests of MEMBERA' 'LINUX1 to LINUX4'

step 'one to each other member, the busy one too'
for move in LINUX2:MEMBERB LINUX3:MEMBERC LINUX4:MEMBERD; do
    moved ${move%:*} MEMBERA ${move#*:}
    checked "${move%:*} to ${move#*:}" "counts on: $count"
done
for member in MEMBERA MEMBERB MEMBERC MEMBERD; do
    [ "$(users $member)" = 1 ] || fail "$member: $(cp_on MEMBERB QUERY NAMES AT ALL)"
done
checked 'guests of each member' 'one'
goes_on MEMBERA LINUX1
checked 'LINUX1, stays at MEMBERA' "counts on: $count"
expect 0 'LINUX4' cp_on MEMBERA INDICATE USER LINUX4 AT MEMBERD
cp_on MEMBERA FORCE LINUX4 AT MEMBERD >/dev/null
expect 0 'has ended' endicott stop "$cluster"
closing 'E5: redistribute load'
