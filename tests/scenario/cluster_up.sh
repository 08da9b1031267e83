#!/bin/bash
# Two members come up, see one another, share users and messages, refuse a second logon, and stop.
# Rules: DESIGN.md section 6; QUERY SSI, QUERY NAMES, MESSAGE, LOGON of z/VM's CP.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"

cluster=$TEST_TMP/two
sample two "$cluster"

expect 0 'no member is running' endicott status
expect 0 'MEMBERB is ready' endicott up "$cluster"
expect 0 'MEMBERA is running already' endicott up "$cluster"
expect 0 'MEMBERB +running +TWO +Joined +Stable' endicott status
expect 0 '"folder": ".*/two"' endicott status --json

for member in MEMBERA MEMBERB; do
    expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI
    expect 0 '1 MEMBERA  Joined' cp_on $member QUERY SSI
    expect 0 '2 MEMBERB  Joined' cp_on $member QUERY SSI
done

# users of both, from either side; a command without -m must not guess
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2
expect 0 'LINUX2' cp_on MEMBERA QUERY NAMES AT ALL
expect 0 'MEMBERB' cp_on MEMBERA QUERY NAMES AT ALL
expect 2 'several members run \(MEMBERA MEMBERB\)' endicott cp QUERY NAMES
expect 0 'LINUX2' endicott cp -u LINUX2 QUERY USERID

# on all members, and on one of them
expect 0 'MEMBERA : OPERATOR AT MEMBERA' cp_on MEMBERB AT ALL CMD QUERY USERID
expect 0 'MEMBERB : AVGPROC-' cp_on MEMBERA INDICATE LOAD AT ALL
expect 1 'MEMBERB : HCPCMD001E .*FROB' cp_on MEMBERA AT ALL CMD FROB
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX1 AT MEMBERA
expect 0 'LINUX1   - DSC' cp_on MEMBERB QUERY LINUX1 AT MEMBERA
expect 1 'HCPFOR045E' cp_on MEMBERA FORCE LINUX1 AT MEMBERB
expect 0 'FORCED BY OPERATOR' cp_on MEMBERB FORCE LINUX1 AT MEMBERA
expect 0 '' cp_on MEMBERB MESSAGE OPERATOR AT ALL to everyone
for member in MEMBERA MEMBERB; do
    expect 0 'FROM OPERATOR: to everyone' endicott wait -m $member --match 'to everyone' --since-start --timeout "$WAIT_SECONDS"
done

# a message crosses over, to a member by name and to a user wherever it is
expect 0 '' cp_on MEMBERA MESSAGE OPERATOR AT MEMBERB first word
expect 0 'FROM OPERATOR: first word' endicott wait -m MEMBERB --match 'first word' \
    --since-start --timeout "$WAIT_SECONDS"
expect 0 '' cp_on MEMBERA MESSAGE LINUX2 second word
expect 0 'second word' endicott wait -u LINUX2 --match 'second word' --since-start \
    --timeout "$WAIT_SECONDS"

# single logon in the whole cluster
expect 1 'HCPLGA054E Already logged on AT MEMBERB' cp_on MEMBERA LOGON LINUX2 LINUX2
expect 1 'HCPAUT054E' cp_on MEMBERA XAUTOLOG LINUX2
expect 1 'HCPLGA050E' cp_on MEMBERA LOGON LINUX1 WRONG
expect 1 'HCPCMD001E .*FROBNICATE' cp_on MEMBERA FROBNICATE
expect 1 '"rc": 1,' endicott cp --json -m MEMBERA FROBNICATE

# waiting: time limit, bad expressions, a user that logs on and off during the wait
expect 8 'in time' endicott wait -m MEMBERA --match 'never said' --timeout 0.2
expect 2 'regular expression' endicott wait -m MEMBERA --match '(' --timeout 5
expect 1 'not in the CP directory' endicott wait -u NOBODY --match x --timeout 5
endicott wait -u LINUX1 --match 'LOGOFF AT' --timeout "$WAIT_SECONDS" >"$TEST_TMP/waited" &
waiter=$!
while kill -0 $waiter 2>/dev/null; do # until it was there in time to see it
    expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
    expect 0 'FORCED BY OPERATOR' cp_on MEMBERB FORCE LINUX1
done
wait $waiter || fail "the wait for LINUX1 ended with status $?"
grep -q 'LOGOFF AT' "$TEST_TMP/waited" || fail "the wait printed $(cat "$TEST_TMP/waited")"

# the claim is free again
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX1

# typing at a console in CP READ is a command; attach shows it and ends with its input
expect 0 '' endicott send -u LINUX1 '#CP QUERY USERID'
expect 0 'LINUX1 +AT MEMBERB' endicott wait -u LINUX1 --match 'LINUX1 +AT MEMBERB' \
    --since-start --timeout "$WAIT_SECONDS"
mkfifo "$TEST_TMP/typing"
endicott attach LINUX1 <"$TEST_TMP/typing" >"$TEST_TMP/attached" &
attached=$!
exec 5>"$TEST_TMP/typing"
printf '#CP MESSAGE * by hand\n' >&5
expect 0 'by hand' endicott wait -u LINUX1 --match 'FROM LINUX1 .*by hand' --since-start \
    --timeout "$WAIT_SECONDS"
exec 5>&-
wait $attached || fail "attach ended with status $?"
expect 0 'LINUX1' cp_on MEMBERB QUERY NAMES

# the operator's console takes commands from a pipe, and shows every response before it ends
expect 0 'LINUX1   - SSI' bash -c "printf 'QUERY NAMES' | '$ENDICOTT' console -m MEMBERA"

# files for a reader, logged on or not
printf 'hello\n' >"$TEST_TMP/hello.txt"
expect 0 'for LINUX1 at MEMBERB, 6 bytes' endicott punch -u LINUX1 "$TEST_TMP/hello.txt"
expect 0 'HELLO +TXT' cp_on MEMBERB QUERY RDR LINUX1 ALL
# one that is not there: the others are not punched either
expect 2 'nothing.here.*nothing is punched' endicott punch -u LINUX1 "$TEST_TMP/hello.txt" "$TEST_TMP/nothing.here"
[ "$(cp_on MEMBERB QUERY RDR LINUX1 ALL | grep -c 'HELLO ')" = 1 ] || fail 'one of two files was punched'

expect 0 'MEMBERA has ended' endicott stop "$cluster"
expect 0 'no member is running' endicott status
expect 1 'is not running' endicott stop MEMBERA
echo "cluster_up: passed"
