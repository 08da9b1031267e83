#!/bin/bash
# `make demo` that is ended from outside leaves no member behind: SIGTERM, SIGINT, SIGKILL of the script, SIGKILL of what
# has started it (make), before and after the guest's IPL. So does whatever says `up --while PID`, `start --while PID`.
# Rule: members that belong to a process end with it, as by SIGTERM, however it ends.
# waits: for members that notice
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
export TMPDIR=$TEST_TMP

# Until a line of the story matches; prints the first that does.
line_of() { # file, regex
    timeout "$WAIT_SECONDS" sed "/$2/q" <(timeout "$WAIT_SECONDS" tail -n +1 -f --pid=$$ "$1") | grep -m1 -- "$2" ||
        fail "no line matches $2: $(tail "$1")"
}

gone() { # pid...
    local pid
    for pid; do
        timeout "$WAIT_SECONDS" tail -f /dev/null --pid="$pid" || fail "process $pid is still there"
    done
}

members_of() { # story
    local name
    for name in MEMBERA MEMBERB; do
        line_of "$1" "$name is ready (process" | sed 's/.*(process \([0-9]*\)).*/\1/'
    done
}

# ended NAME MOMENT SIGNAL PROCESS...: that command, in a session of its own, is the demo or its parent; gets the signal
# when the story shows MOMENT.
ended() {
    local story=$TEST_TMP/$1.story moment=$2 signal=$3 pid members status=0
    shift 3
    : >"$story" # before somebody looks for it
    setsid "$@" >"$story" 2>&1 &
    pid=$!
    mapfile -t members < <(members_of "$story")
    line_of "$story" "$moment" >/dev/null
    kill -"$signal" "$pid"
    wait "$pid" || status=$?
    [ "$status" != 0 ] || fail "the demo says it went well: $(tail "$story")"
    gone "${members[@]}"
    tail -n 3 "$story"
}

demo=$ROOT/tests/demo/run
ended term 'MEMBERB is ready' TERM "$demo"
ended int 'endicott cp -m MEMBERA XAUTOLOG' INT "$demo"
ended kill 'MEMBERB is ready' KILL "$demo"
ended kill_guest 'endicott wait -m MEMBERA -u LINUX1' KILL "$demo"
make -n -C "$ROOT" demo | grep '^tests/demo/run --end-with-parent$' || fail "make demo runs the script otherwise"
ended parent 'MEMBERB is ready' KILL bash -c '"$0" --end-with-parent; true' "$demo"
! ls -d "$TEST_TMP"/endicott-demo-*/run/*.sock 2>/dev/null || fail "a control socket is left"

# by hand, with a process that is none
sample two "$TEST_TMP/two"
expect 2 'not a process number' endicott up "$TEST_TMP/two" --while me
true &
none=$!
wait $none
expect 2 "--while: process $none: No such process" endicott start "$TEST_TMP/two" MEMBERA --while $none
sleep infinity &
owner=$!
expect 0 'MEMBERB is ready' endicott up "$TEST_TMP/two" --while $owner
mapfile -t members < <(members_left)
[ "${#members[@]}" = 2 ] || fail "members: ${members[*]}"
kill $owner
gone "${members[@]}"
grep -q "shutdown by the end of process $owner" "$ENDICOTT_RUN/MEMBERA.log" || fail "the log does not tell why"
echo "demo_ended: passed"
