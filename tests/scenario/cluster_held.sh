#!/bin/bash
# A member joins and cannot get on, because another one stands still: requests for users wait, are shown, and go on when the join
# has ended. Then that one stands still until it is lost: requests are refused with its name, and it heals by itself.
# waits: for the time after which a silent member is lost
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
cluster=$TEST_TMP/four
sample four "$cluster"
echo 'SSI_LINKS SILENCE 10' >>"$cluster/system.config"
pid_of() { endicott status --json | python3 -c 'import json, sys
print(next(m["pid"] for m in json.load(sys.stdin) if m["member"] == sys.argv[1]))' "$1"; }
shows() { # member, regex, operand of QUERY
    local end=$((SECONDS + WAIT_SECONDS))
    until grep -Eq "$2" <<<"$(cp_on "$1" QUERY SSI ${3-})"; do
        [ $SECONDS -lt $end ] || fail "QUERY SSI $3 of $1 shows no $2: $(cp_on "$1" QUERY SSI ${3-})"
        moment
    done
}
for member in MEMBERA MEMBERC; do
    expect 0 'ready' endicott start "$cluster" $member
done
shows MEMBERA '3 MEMBERC  Joined'
c=$(pid_of MEMBERC)

# --- held while MEMBERB joins, which needs MEMBERC
kill -STOP "$c"
endicott start "$cluster" MEMBERB >"$TEST_TMP/start" 2>&1 &
start=$!
shows MEMBERA 'SSI Mode: In-flux'
for user in LINUX1 LINUX2; do
    cp_on MEMBERA XAUTOLOG $user >"$TEST_TMP/$user" 2>&1 &
done
shows MEMBERA '^2 held: MEMBERB is joining' HELD
shows MEMBERA '^OPERATOR +XAUTOLOG' HELD
expect 0 'HCPPLM1602I XAUTOLOG is held: MEMBERB is joining' endicott wait -m MEMBERA --match 'HCPPLM1602I' --since-start \
    --timeout "$WAIT_SECONDS"
expect 0 'OPERATOR' cp_on MEMBERA QUERY NAMES
kill -CONT "$c"
wait "$start" || fail "MEMBERB did not start: $(cat "$TEST_TMP/start")"
wait || fail 'a request that was held failed'
grep -q 'Command accepted' "$TEST_TMP/LINUX1" || fail "LINUX1: $(cat "$TEST_TMP/LINUX1")"
grep -q 'Command accepted' "$TEST_TMP/LINUX2" || fail "LINUX2: $(cat "$TEST_TMP/LINUX2")"
expect 0 'LINUX1 .*LINUX2|LINUX2 .*LINUX1' cp_on MEMBERA QUERY NAMES
expect 0 'No requests are held' cp_on MEMBERA QUERY SSI HELD
shows MEMBERB 'SSI Mode: Stable'

# --- MEMBERC is silent for too long
kill -STOP "$c"
shows MEMBERA 'SSI Mode: Safe'
shows MEMBERA '1 MEMBERA  Suspended'
shows MEMBERA '3 MEMBERC  Unknown'
expect 1 'HCPAUT059E .*Safe mode: contact with MEMBERC is lost' cp_on MEMBERA XAUTOLOG LINUX3
kill -CONT "$c"
for member in MEMBERA MEMBERB MEMBERC; do
    shows $member 'SSI Mode: Stable'
done
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX3
expect 0 'has ended' endicott stop "$cluster"
echo "cluster_held: passed"
