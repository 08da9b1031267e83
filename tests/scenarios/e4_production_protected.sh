#!/bin/bash
# E4, production with protection: MEMBERC is for what is not yet production. Its guests are held down by their share; production
# guests cannot get there (relocation domain); it is lost with everything on it, and production goes on; what was tested there
# moves into production when it is ready.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/scenario_table.sh"
. "$ROOT/tests/lib/ticker.sh"
. "$ROOT/tests/lib/worker.sh"
cluster=$TEST_TMP/four
sample four "$cluster"
rm "$cluster/hardware/MEMBERD.cnf"
sed -i 's/^CPUMODEL .*/CPUMODEL   2817/' "$cluster"/hardware/*.cnf
sed -i 's/^NUMCPU .*/NUMCPU     1/; s/^MAINSIZE .*/MAINSIZE   1024/' "$cluster/hardware/MEMBERC.cnf"
sed -i '/^USER LINUX4 /a\  SHARE ABSOLUTE 2% ABSOLUTE 5% LIMITHARD' "$cluster/user.direct"
deck "$TEST_TMP/spin" <<'TEXT'
        j .
TEXT
worker_config "$cluster"
ticker_disks "$cluster" LINUX1 LINUX2 LINUX3
expect 0 'MEMBERC is ready' endicott up "$cluster"

step 'production at MEMBERA and MEMBERB, of domain ALPHA; a test at MEMBERC that would take all it gets'
ticker MEMBERA LINUX1
ticker MEMBERB LINUX2
ticker MEMBERC LINUX3
worker_begins MEMBERC
endicott punch -m MEMBERC -u LINUX4 "$TEST_TMP/spin" >/dev/null
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX4 AT MEMBERC
expect 0 'ABSOLUTE.*5%|5%.*ABSOLUTE|LIMITHARD|MAXIMUM' cp_on MEMBERA AT MEMBERC CMD QUERY SHARE LINUX4
checked 'LINUX4 at MEMBERC' "$(cp_on MEMBERC QUERY SHARE LINUX4 | tail -n 1 | tr -s ' ')"
expect 1 'HCPRLE1822E LINUX1: .* ALPHA' cp_on MEMBERA VMRELOCATE TEST LINUX1 MEMBERC
checked 'LINUX1 to MEMBERC' 'refused: not in domain ALPHA'

step 'what was tested goes into production'
moved LINUX3 MEMBERC MEMBERA
checked 'LINUX3, from MEMBERC to MEMBERA' "counts on: $count"
ready=$count
worker_moved MEMBERC MEMBERA FRIEND
worker_moved MEMBERC MEMBERB WORKER
worker_checked 'from MEMBERC to MEMBERB'

step 'MEMBERC is lost'
kill -KILL "$(endicott status --json | python3 -c 'import json,sys; print([m["pid"] for m in json.load(sys.stdin) if m["member"]=="MEMBERC"][0])')"
tries=0
until grep -q '3 MEMBERC  Down' <<<"$(cp_on MEMBERA QUERY SSI)" && grep -q 'SSI Mode: Stable' <<<"$(cp_on MEMBERB QUERY SSI)"; do
    tries=$((tries + 1))
    [ $tries -lt 6000 ] || fail "QUERY SSI: $(cp_on MEMBERA QUERY SSI)"
    moment
done
checked 'cluster FOUR' 'Stable without MEMBERC'
goes_on MEMBERA LINUX1
checked 'LINUX1 at MEMBERA' "counts on: $count"
goes_on MEMBERB LINUX2
checked 'LINUX2 at MEMBERB' "counts on: $count"
worker_goes_on
worker_checked 'at MEMBERB, without MEMBERC'
goes_on MEMBERA LINUX3 "$ready"
checked 'LINUX3 at MEMBERA' "counts on: $ready, $count"
for user in MEMBERA:LINUX1 MEMBERB:LINUX2 MEMBERA:LINUX3; do
    disk_goes_on ${user%:*} ${user#*:}
    checked "disk of ${user#*:}" "what it was: $blocks times"
done
expect 1 'HCPCQU045E LINUX4' cp_on MEMBERA QUERY LINUX4
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX4
checked 'LINUX4, ended with MEMBERC' 'may be logged on again elsewhere'
worker_ends
expect 0 'has ended' endicott stop "$cluster"
closing 'E4: production with protection'
