#!/bin/bash
# E5, redistribute load: all guests are on one member, which INDICATE shows; half of them move to members that have nothing to
# do, one of them while it works as hard as it can; each member has its part then, and every guest has run on.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/scenario_table.sh"
. "$ROOT/tests/lib/ticker.sh"
. "$ROOT/tests/lib/worker.sh"
. "$ROOT/tests/lib/ticker_terminal.sh"
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
terminals "$cluster" MEMBERA
worker_config "$cluster"
ticker_disks "$cluster" LINUX1 LINUX2 LINUX3
expect 0 'MEMBERD is ready' endicott up "$cluster"

step 'everything on MEMBERA'
ticker MEMBERA LINUX1 LINUX3
ticker_terminal MEMBERA LINUX2
endicott punch -m MEMBERA -u LINUX4 "$TEST_TMP/spin" >/dev/null
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX4
goes_on MEMBERA LINUX4
worker_begins MEMBERA
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
worker_moved MEMBERA MEMBERC WORKER
worker_checked 'to MEMBERC, its connection to MEMBERA'
connected MEMBERB LINUX2
checked 'terminal of LINUX2, at MEMBERA' 'connected still'
for member in MEMBERA MEMBERB MEMBERC MEMBERD; do
    [ "$(users $member)" = 1 ] || fail "$member: $(cp_on MEMBERB QUERY NAMES AT ALL)"
done
checked 'guests of each member' 'one'
goes_on MEMBERA LINUX1
checked 'LINUX1, stays at MEMBERA' "counts on: $count"
for user in MEMBERA:LINUX1 MEMBERB:LINUX2 MEMBERC:LINUX3; do
    disk_goes_on ${user%:*} ${user#*:}
    checked "disk of ${user#*:}" "what it was: $blocks times"
done
expect 0 'LINUX4' cp_on MEMBERA INDICATE USER LINUX4 AT MEMBERD
cp_on MEMBERA FORCE LINUX4 AT MEMBERD >/dev/null
worker_ends
expect 0 'has ended' endicott stop "$cluster"
closing 'E5: redistribute load'
