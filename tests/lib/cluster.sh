# Sourced by tests/scenario/cluster_*.sh: a copy of a sample cluster, with a run folder of its own.
# Uses ROOT, ENDICOTT, TEST_TMP and ENDICOTT_RUN from tests/run, and sensible ones without it.

ROOT=${ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
ENDICOTT=${ENDICOTT:-$ROOT/build/endicott}
. "$ROOT/tests/lib/guest.sh"
own_tmp=
if [ -z "${TEST_TMP-}" ]; then
    TEST_TMP=$(mktemp -d)
    own_tmp=$TEST_TMP
    export ENDICOTT_RUN=$TEST_TMP/run
fi
WAIT_SECONDS=${WAIT_SECONDS:-600} # a limit for hangs, not a measure
. "$ROOT/tests/lib/failure.sh"

endicott() {
    "$ENDICOTT" "$@"
}

# A scenario's own part of the cleanup, whatever its exit status is ($1).
before_cleanup() { :; }

# What the consoles of the users of a member show, each line behind the userid; all users', unless some are named.
console_tail() { # member, userid...
    "$ROOT/tests/lib/consoles.py" "$ENDICOTT_RUN/$1.sock" "${@:2}"
}

# What is there to look at when a test has failed, while the members still run.
show_consoles() {
    local socket member
    for socket in "$ENDICOTT_RUN"/*.sock; do
        [ -S "$socket" ] || continue
        member=$(basename "$socket" .sock)
        echo "--- consoles on $member"
        console_tail "$member" 2>&1
    done
}

# Processes of the program that carry this test's run folder, whoever started them.
members_left() {
    local environ pid program
    program=$(readlink -f "$ENDICOTT")
    for environ in $(grep -lzxF "ENDICOTT_RUN=$ENDICOTT_RUN" /proc/[0-9]*/environ); do
        pid=$(basename "${environ%/environ}")
        [ "$(readlink "/proc/$pid/exe")" = "$program" ] && echo "$pid"
    done 2>/dev/null
    true
}

# Runs once, at every end but SIGKILL (tests/run sees to that one); nothing in it can stop it.
cleanup() {
    local status=$? member pid
    trap - EXIT ERR
    trap '' INT TERM HUP
    set +e
    exec >&2 # what ended it may have had its output elsewhere
    before_cleanup "$status"
    for pid in $(members_left); do
        kill -CONT "$pid" 2>/dev/null
    done
    [ "$status" = 0 ] || show_consoles
    for member in $(timeout 60 "$ENDICOTT" status --json 2>/dev/null | sed -n 's/.*"member": "\(.*\)".*/\1/p'); do
        timeout 60 "$ENDICOTT" stop "$member" --immediate >/dev/null 2>&1
    done
    for pid in $(members_left); do
        kill -KILL "$pid" 2>/dev/null
    done
    if [ "$status" != 0 ]; then
        tail -n 40 "$ENDICOTT_RUN"/*.log 2>/dev/null
    fi
    say_failure "$status"
    [ -z "$own_tmp" ] || rm -rf "$own_tmp"
    exit "$status"
}
trap cleanup EXIT

# sample NAME FOLDER: a copy of docs/samples/NAME
sample() {
    cp -R "$ROOT/docs/samples/$1" "$2"
    rm -f "$2"/volumes/*.pdr
    # A busy host may hold a member up for longer than the ten seconds after which one that is silent is lost.
    echo 'SSI_LINKS SILENCE 60 JOIN 300' >>"$2/system.config"
}

# expect STATUS REGEX COMMAND...: exit status, and what it prints (both streams)
expect() {
    local status=$1 regex=$2 out got=0
    shift 2
    printf '$ %s\n' "$*" # before it runs: it may be the one that hangs
    out=$("$@" 2>&1) || got=$?
    printf '%s\n' "$out"
    [ "$got" = "$status" ] || fail "$*: exit status $got, not $status:"$'\n'"$(tail -n 10 <<<"$out")"
    grep -Eq -- "$regex" <<<"$out" || fail "$*: no line matches $regex:"$'\n'"$(tail -n 10 <<<"$out")"
}

cp_on() { # member, command...
    endicott cp -m "$@"
}
