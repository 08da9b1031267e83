#!/bin/bash
# Terminals stay with a user that is relocated: from the terminal's member to another one, on to a
# third and back, with what is half typed, the page at MORE..., and what RETRIEVE brings back; LOGOFF, LOGON HERE,
# hanging up, and the loss of either member on the way. Rules: docs/tn3270.md.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$ROOT/tests/lib/s3270.sh"

cluster=$TEST_TMP/four
sample four "$cluster"
for member in MEMBERA MEMBERB; do
    echo 'CNSLPORT 127.0.0.1:0' >>"$cluster/hardware/$member.cnf"
done
endicott up "$cluster" >/dev/null
port_of() { # member
    endicott status --json | python3 -c "
import json, sys
print(next(m['console_port'] for m in json.load(sys.stdin) if m['member'] == '$1'))"
}
port=$(port_of MEMBERA)

moves() { # from to
    expect 0 "User LINUX3 has been relocated from $1 to $2" cp_on "$1" VMRELOCATE MOVE LINUX3 "$2"
    see "LINUX3 has been relocated from $1 to $2"
}
all_read() { # page by page
    t 'Clear()'
    t 'Ascii()'
    while grep -q 'MORE' <<<"$screen"; do
        t 'Clear()'
        t 'Ascii()'
    done
}
told_user() { # regex
    endicott wait -u LINUX3 --match "$1" --since-start --timeout "$WAIT_SECONDS" >/dev/null
}
told() { # member regex: what its operator is told
    expect 0 "$2" endicott wait -m "$1" --match "$2" --since-start --timeout "$WAIT_SECONDS"
}

echo '--- from its member to another one: what is half typed stays where it is'
terminal op 3279-2
see 'z/VM ONLINE'
t 'Clear()' && enter 'LOGON LINUX3 LINUX3 NOIPL'
see 'CP READ   MEMBERA *$'
enter 'QUERY USERID'
see 'LINUX3 +AT MEMBERA'
t 'String("QUERY USE")'
moves MEMBERA MEMBERB
see 'CP READ   MEMBERB *$'
see '^ QUERY USE *$'
t 'String("RID")' && t 'Enter()'
see 'LINUX3 +AT MEMBERB'
see 'LINUX3 +AT MEMBERA' # the page is the same
[ "$(grep -c 'has been relocated' <<<"$screen")" = 1 ] || fail "told more than once: $screen"
expect 0 'LINUX3 +- L[0-9A-F]{4}' cp_on MEMBERB QUERY NAMES
t 'PF(12)'
see '^ QUERY USERID'
t 'EraseInput()' && t 'Clear()'

echo '--- on to a third one, while a full screen waits'
enter 'HELP#QUERY TIME#HELP#QUERY TIME#HELP'
see 'MORE\.\.\.   MEMBERB *$'
t 'Enter()'
see 'HOLDING   MEMBERB *$'
page=${screen%HOLDING*}
expect 0 'User LINUX3 has been relocated' cp_on MEMBERB VMRELOCATE MOVE LINUX3 MEMBERC
see 'HOLDING   MEMBERC *$'
[ "$page" = "${screen%HOLDING*}" ] || fail "the page was"$'\n'"$page"$'\n'"and is"$'\n'"$screen"
until grep -q 'CP READ' <<<"$screen"; do
    t 'Clear()'
    see '(MORE\.\.\.|CP READ)   MEMBERC *$'
done
see 'has been relocated from MEMBERB to MEMBERC'
t 'Clear()'

echo '--- what a full screen, PA1 and PF keys do, two members away'
enter 'SET PF1 IMMED QUERY USERID'
t 'PF(1)'
see 'LINUX3 +AT MEMBERC'
t 'Clear()'

echo '--- home again: nothing goes over the links any more'
t 'String("QUERY US")'
moves MEMBERC MEMBERA
see 'CP READ   MEMBERA *$'
t 'String("ERID")' && t 'Enter()'
see 'LINUX3 +AT MEMBERA'
cp_on MEMBERB SHUTDOWN IMMEDIATE >/dev/null || true # a chain of proxies would end here
told MEMBERA 'Member MEMBERB has left'
t 'Clear()'
enter 'QUERY TIME'
see 'TIME IS'
expect 0 '' endicott start "$cluster" MEMBERB
told MEMBERA 'Member MEMBERB has joined'

echo '--- typed while it moves: once, in order, wherever it is'
t 'Clear()'
enter 'SET MSG ON'
for i in 1 2 3 4 5 6; do
    here=MEMBERA there=MEMBERC
    [ $((i % 2)) = 1 ] || here=MEMBERC there=MEMBERA
    cp_on $here VMRELOCATE MOVE LINUX3 $there >"$TEST_TMP/move" 2>&1 &
    mover=$!
    t 'Clear()'
    for k in 1 2 3 4; do
        enter "ECHO line-$i-$k"
    done
    wait $mover || fail "$(cat "$TEST_TMP/move")"
    see "line-$i-4"
    all_read
done
told_user 'line-6-4'
lines=$("$ROOT/tests/lib/consoles.py" "$ENDICOTT_RUN/MEMBERA.sock" LINUX3 | grep -oE '(ECHO )?line-[0-9]-[0-9]$' || true)
want=$(for i in 1 2 3 4 5 6; do for k in 1 2 3 4; do printf 'ECHO line-%s\nline-%s\n' "$i-$k" "$i-$k"; done; done)
[ "$lines" = "$want" ] || fail "typed were"$'\n'"$want"$'\n'"and shown"$'\n'"$lines"

echo '--- the same at a terminal of the host: endicott attach'
mkfifo "$TEST_TMP/typed"
endicott attach LINUX3 <"$TEST_TMP/typed" >"$TEST_TMP/attached" 2>"$TEST_TMP/attached.err" &
attached=$!
exec {typed}>"$TEST_TMP/typed"
echo '#CP ECHO at-the-host' >&$typed
told_user 'at-the-host'
for i in 1 2 3 4; do
    here=MEMBERA there=MEMBERC
    [ $((i % 2)) = 1 ] || here=MEMBERC there=MEMBERA
    cp_on $here VMRELOCATE MOVE LINUX3 $there >"$TEST_TMP/move" 2>&1 &
    mover=$!
    for k in 1 2 3 4 5 6; do
        echo "#CP ECHO host-$i-$k" >&$typed
    done
    wait $mover || fail "$(cat "$TEST_TMP/move")"
done
echo '#CP ECHO the-end' >&$typed # where it is by then: all before it has been shown
exec {typed}>&- # what was typed is taken before it ends
wait $attached || fail "endicott attach: $(cat "$TEST_TMP/attached.err")"
want=$(for i in 1 2 3 4; do for k in 1 2 3 4 5 6; do echo "host-$i-$k"; done; done)
lines=$(grep -x 'host-[0-9]-[0-9]' "$TEST_TMP/attached" || true)
[ "$lines" = "$want" ] || fail "endicott attach shows"$'\n'"$(cat "$TEST_TMP/attached" "$TEST_TMP/attached.err")"
[ "$(grep -c 'HCPRLX1939I LINUX3 has been relocated' "$TEST_TMP/attached")" = 4 ] ||
    fail "endicott attach does not tell of each relocation once: $(cat "$TEST_TMP/attached")"

all_read

echo '--- LOGON HERE at another member, and back by another relocation'
moves MEMBERA MEMBERB
port=$(port_of MEMBERB)
terminal other 3278-4
see 'z/VM ONLINE'
t 'Clear()' && enter 'LOGON LINUX3 LINUX3 HERE'
see 'RECONNECTED AT'
now=op
see 'LINUX3 was disconnected from here'
now=other
moves MEMBERB MEMBERA
see 'CP READ   MEMBERA *$'
hang_up other
told MEMBERA 'GRAF L[0-9A-F]+ DISCONNECT LINUX3 .* FORCED BY SYSTEM'

echo '--- LOGOFF HOLD and FORCE, far away'
now=op
t 'Clear()' && enter 'LOGON LINUX3 LINUX3'
see 'RECONNECTED AT'
moves MEMBERA MEMBERB
enter 'LOGOFF HOLD'
see 'LOGOFF AT'
see 'Enter one of the following commands|USERID   ===>'
t 'Clear()' && enter 'LOGON LINUX3 LINUX3 NOIPL'
see 'LOGON AT'
moves MEMBERA MEMBERC
expect 0 'FORCED BY OPERATOR' cp_on MEMBERC FORCE LINUX3
t 'Wait(20,Disconnect)' || fail 'FORCE does not hang up'
hang_up op

echo '--- the member of the user dies; then that of the terminal'
port=$(port_of MEMBERA)
terminal last 3278-2
see 'z/VM ONLINE'
t 'Clear()' && enter 'LOGON LINUX3 LINUX3 NOIPL'
see 'CP READ   MEMBERA'
moves MEMBERA MEMBERC
pid_of() { # member
    endicott status --json | python3 -c "
import json, sys
print(next(m['pid'] for m in json.load(sys.stdin) if m['member'] == '$1'))"
}
kill -KILL "$(pid_of MEMBERC)"
see 'LINUX3 was on MEMBERC, which cannot be reached'
end=$((SECONDS + WAIT_SECONDS))
until grep -q 'LOGON AT' <<<"$screen"; do # refused until all members know that it is down
    [ $SECONDS -lt $end ] || fail "no LOGON after the loss of MEMBERC: $screen"
    t 'Clear()' && enter 'LOGON LINUX3 LINUX3 NOIPL'
    see 'LOGON AT|HCPLGA092E'
done
moves MEMBERA MEMBERB
kill -KILL "$(pid_of MEMBERA)"
told MEMBERB 'GRAF L[0-9A-F]+ DISCONNECT LINUX3 .* FORCED BY SYSTEM'
expect 0 'LINUX3 +- DSC' cp_on MEMBERB QUERY NAMES
echo "tn3270_moves: passed"
