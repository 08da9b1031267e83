#!/bin/bash
# A guest that rewrites 64 MB over a link of 50 MB a second would stand still for longer than MAXQUIESCE however often
# it were sent: first stores into pages are rationed at the source until passes shrink, and it moves. CANCEL ends that.
# Rule: governing as VMRELOCATE STATUS DETAILS shows it; a governed pass leaves at most what was allowed.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
export ENDICOTT_LGR_MB_S=50 ENDICOTT_LGR_VERIFY=1
cluster=$TEST_TMP/two
sample two "$cluster"

boot_guest
memspin

echo '--- not governed it would not move'
expect 1 'RC=0000-05: LINUX1 would stand still for [0-9.]+ s, MAXQUIESCE is 200 MSEC' \
    cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB IMMEDIATE MAXQUIESCE 200 MSEC
lives_on MEMBERA MEMBERB

echo '--- canceled while it is governed'
governing() { # it is under way, as $mover
    for _ in {1..20}; do
        endicott cp -m MEMBERA --json VMRELOCATE MOVE LINUX1 MEMBERB MAXQUIESCE 1 SEC >"$TEST_TMP/move" 2>&1 &
        mover=$!
        while kill -0 $mover 2>/dev/null; do
            ! grep -q 'Governed for' <<<"$(cp_on MEMBERA VMRELOCATE STATUS USER LINUX1 DETAILS 2>/dev/null)" || return 0
        done
        # A busy host may not have let it rewrite so much, or have held it up for longer than the limit.
        if wait $mover; then
            expect 0 . cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
        else
            grep -q 'RC=0000-05: ' "$TEST_TMP/move" || fail "MOVE said: $(cat "$TEST_TMP/move")"
        fi
    done
    fail "it was never governed: $(cat "$TEST_TMP/move")"
}
governing
# On a busy host it may have moved by now.
if said=$(cp_on MEMBERA VMRELOCATE CANCEL LINUX1 2>&1); then
    wait $mover && fail 'it was relocated all the same'
    grep -q 'LINUX1 has been canceled' <<<"$said" || fail "CANCEL said: $said"
else
    wait $mover || fail "CANCEL said: $said; MOVE said: $(cat "$TEST_TMP/move")"
    expect 0 . cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
fi
lives_on MEMBERA MEMBERB
expect 0 'Governed for [0-9.]+ ms: [0-9]+ stores waited' cp_on MEMBERA VMRELOCATE STATUS USER LINUX1 DETAILS

echo '--- governed it moves, and stands still for less than MAXQUIESCE'
cat >"$TEST_TMP/check.py" <<'CHECK'
import json, sys
move = json.load(open(sys.argv[1], encoding="utf-8"))["relocations"][0]
assert move["code"] == 0 and move["quiesce_ms"] < 1000, move
running = [p for p in move["passes"] if not p["quiesced"]]
governed = [p for p in running if p["governed"]]
for p in governed:  # stores of devices and interruptions cannot wait
    assert p["dirtied"] <= p["allowed"] + 64, p
if not governed:
    sys.exit(7)
assert not running[0]["governed"] and running[-1]["governed"], running
assert governed[-1]["dirtied"] < running[0]["dirtied"] / 4, running
assert move["governed"]["ms"] > 0 and move["governed"]["waits"] > 0, move
CHECK
# A busy host may not let it rewrite so much that it must be governed, or hold up what follows for longer than the limit.
governed() {
    local status
    for _ in {1..20}; do
        if endicott cp -m MEMBERA --json VMRELOCATE MOVE LINUX1 MEMBERB MAXQUIESCE 1 SEC >"$TEST_TMP/move"; then
            cp_on MEMBERA VMRELOCATE STATUS USER LINUX1 DETAILS
            status=0
            python3 "$TEST_TMP/check.py" "$TEST_TMP/move" || status=$?
            [ $status != 0 ] || return 0
            [ $status = 7 ] || fail "MOVE said: $(cat "$TEST_TMP/move")"
            expect 0 . cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
        else
            grep -q 'RC=0000-05: ' "$TEST_TMP/move" || fail "MOVE said: $(cat "$TEST_TMP/move")"
        fi
    done
    fail "it is not relocated while it is governed: $(cat "$TEST_TMP/move")"
}
governed
lives_on MEMBERB MEMBERA
endicott send -u LINUX1 'stop'
on_guest 'MEMSPIN DONE .* bad=0'
echo "relocate_throttled: passed"
