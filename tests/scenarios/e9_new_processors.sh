#!/bin/bash
# E9, new processors: a guest begun on a z10 moves to a z196, the z10 is replaced by a zEC12, which joins under the same name, and
# the guest moves on to that; it never stops, and sees a z10's facilities to its end. One that is logged on afterwards sees more.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/scenario_table.sh"
. "$ROOT/tests/lib/ticker.sh"
. "$ROOT/tests/lib/worker.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^CPUMODEL .*/CPUMODEL   2097/' "$cluster/hardware/MEMBERA.cnf"
sed -i 's/^CPUMODEL .*/CPUMODEL   2817/' "$cluster/hardware/MEMBERB.cnf"
cat >>"$cluster/user.direct" <<'TEXT'

USER PROBE PROBE 16M 16M G
  INCLUDE LINUX
TEXT
# The facility list is stored at X'900' each time it counts.
sed 's/^tick:.*/tick:   lghi %r0,0\n        lghi %r1,0x900\n        .insn s,0xb2b00000,0(%r1)\n        lghi %r1,0x800/' \
    "$TEST_TMP/ticker.text" >"$TEST_TMP/looking.text"
deck "$TEST_TMP/ticker" <"$TEST_TMP/looking.text"
facility_45() { # member user
    local line
    line=$(cp_on "$1" FOR "$2" CMD DISPLAY 900.8)
    [[ $line =~ [[:space:]]([0-9A-F]{8})[[:space:]]([0-9A-F]{8})[[:space:]] ]] || fail "$line"
    echo $((16#${BASH_REMATCH[2]} >> 18 & 1))
}
worker_config "$cluster"
ticker_disks "$cluster" LINUX1
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
ticker MEMBERA LINUX1
[ "$(facility_45 MEMBERA LINUX1)" = 0 ] || fail 'a z10 has facility 45'
checked 'LINUX1 on the z10 (MEMBERA)' "counts: $count"

step 'the z196 joins, the guest moves to it'
expect 0 'MEMBERB is ready' endicott start "$cluster" MEMBERB
moved LINUX1 MEMBERA MEMBERB
[ "$(facility_45 MEMBERB LINUX1)" = 0 ] || fail 'LINUX1 sees facility 45 of the z196'
checked 'LINUX1 on the z196 (MEMBERB)' "counts on: $count, sees a z10"

step 'the z10 goes, a zEC12 comes'
expect 0 'MEMBERA has ended' endicott stop MEMBERA
sed -i 's/^CPUMODEL .*/CPUMODEL   2827/' "$cluster/hardware/MEMBERA.cnf"
goes_on MEMBERB LINUX1
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
moved LINUX1 MEMBERB MEMBERA
[ "$(facility_45 MEMBERA LINUX1)" = 0 ] || fail 'LINUX1 sees facility 45 of the zEC12'
checked 'LINUX1 on the zEC12 (MEMBERA)' "counts on: $count, sees a z10"
last=$count

step 'what is logged on now'
ticker MEMBERA PROBE
[ "$(facility_45 MEMBERA PROBE)" = 1 ] || fail 'PROBE does not see facility 45'
checked 'PROBE, begun on the zEC12' 'sees facility 45, which z196 and zEC12 have'
moved PROBE MEMBERA MEMBERB
checked 'PROBE to the z196' "counts on: $count"
worker_begins MEMBERA
worker_moved MEMBERA MEMBERB WORKER
worker_moved MEMBERB MEMBERA WORKER
worker_checked 'zEC12, z196, zEC12'
goes_on MEMBERA LINUX1 "$last"
checked 'LINUX1' "has never stopped: $last, $count"
disk_goes_on MEMBERA LINUX1
checked 'disk of LINUX1' "what it was: $blocks times"
worker_ends
expect 0 'has ended' endicott stop "$cluster"
closing 'E9: new processors'
