#!/bin/bash
# A guest that rewrites 64 MB over a link of 50 MB a second would stand still for longer than MAXQUIESCE however often
# it were sent: it is slowed down at the source until passes shrink, and moves. CANCEL gives the time back.
# Rule: throttling as VMRELOCATE STATUS DETAILS shows it; MAXQUIESCE of z/VM holds for the guest that was slowed down, too.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
export ENDICOTT_LGR_MB_S=50
cluster=$TEST_TMP/two
sample two "$cluster"

# MOVE with MAXQUIESCE 1 SEC from the first member to the second in the background; returns when the guest is slowed down.
throttled_move() {
    local text
    endicott cp -m "$1" --json VMRELOCATE MOVE LINUX1 "$2" MAXQUIESCE 1 SEC >"$TEST_TMP/move" 2>&1 &
    mover=$!
    until text=$(cp_on "$1" VMRELOCATE STATUS USER LINUX1 DETAILS 2>/dev/null) &&
        grep -q 'the guest lacks [0-9]*% of its processor time' <<<"$text"; do
        kill -0 $mover 2>/dev/null || fail "it was never slowed down: $(cat "$TEST_TMP/move")"
    done
    echo "$text"
    grep -q 'slowed by 20%' <<<"$text" || grep -q 'lacks 20%' <<<"$text" || fail "the first step is not 20 %"
}

# On a busy host all may stand still for longer than MAXQUIESCE, or CANCEL come when the guest has moved. Neither says
# anything of throttling: the guest stays where it is or is brought back, and this is done again.
tries=0
another_try() { # why
    tries=$((tries + 1))
    echo "try $tries was too slow: $1"
    [ $tries -lt 5 ] || fail "the host is too slow: $1"
    grep -q '"code": 0,' "$TEST_TMP/move" || return 0
    expect 0 . cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
}

boot_guest
memspin

echo '--- not slowed down it would not move'
expect 1 'RC=0000-05: LINUX1 would stand still for [0-9.]+ s, MAXQUIESCE is 1 s' \
    cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB IMMEDIATE MAXQUIESCE 1 SEC
lives_on MEMBERA MEMBERB

echo '--- canceled while it is slowed down'
until throttled_move MEMBERA MEMBERB && said=$(cp_on MEMBERA VMRELOCATE CANCEL LINUX1 2>&1); do
    wait $mover || true
    another_try "CANCEL said: $said"
done
grep -q 'LINUX1 has been canceled' <<<"$said" || fail "CANCEL said: $said"
wait $mover && fail 'it was relocated all the same'
lives_on MEMBERA MEMBERB
expect 0 'the guest lacked up to [0-9]+%' cp_on MEMBERA VMRELOCATE STATUS USER LINUX1 DETAILS

echo '--- slowed down it moves, and stands still for less than MAXQUIESCE'
until throttled_move MEMBERA MEMBERB && wait $mover; do
    grep -Eq 'MAXQUIESCE (of|is) 1 s' "$TEST_TMP/move" || fail "MOVE said: $(cat "$TEST_TMP/move")"
    lives_on MEMBERA MEMBERB
    another_try "$(grep -Eo 'LINUX1 would.*|MAXQUIESCE of.*' "$TEST_TMP/move")"
done
cp_on MEMBERA VMRELOCATE STATUS USER LINUX1 DETAILS
python3 - "$TEST_TMP/move" <<'CHECK' || fail "MOVE said: $(cat "$TEST_TMP/move")"
import json, sys
move = json.load(open(sys.argv[1], encoding="utf-8"))["relocations"][0]
slowed = [p["throttle"] for p in move["passes"] if not p["quiesced"]]
assert move["code"] == 0 and move["quiesce_ms"] < 1000, move
assert slowed[0] == 0 and slowed == sorted(slowed) and slowed[-1] == move["throttle"] > 0, slowed
CHECK
lives_on MEMBERB MEMBERA
endicott send -u LINUX1 'stop'
on_guest 'MEMSPIN DONE .* bad=0'
echo "relocate_throttled: passed"
