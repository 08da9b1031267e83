# Sourced by tests/scenario/cluster_*.sh: a copy of a sample cluster, with a run folder of its own.
# Uses ROOT, ENDICOTT, TEST_TMP and ENDICOTT_RUN from tests/run, and sensible ones without it.

ROOT=${ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
ENDICOTT=${ENDICOTT:-$ROOT/build/endicott}
own_tmp=
if [ -z "${TEST_TMP-}" ]; then
    TEST_TMP=$(mktemp -d)
    own_tmp=$TEST_TMP
    export ENDICOTT_RUN=$TEST_TMP/run
fi
WAIT_SECONDS=${WAIT_SECONDS:-60}

endicott() {
    "$ENDICOTT" "$@"
}

cleanup() {
    local status=$? member
    trap - EXIT
    for member in $(endicott status --json 2>/dev/null | sed -n 's/.*"member": "\(.*\)".*/\1/p'); do
        endicott stop "$member" --immediate >/dev/null 2>&1 || true
    done
    if [ "$status" != 0 ]; then
        tail -n 40 "$ENDICOTT_RUN"/*.log 2>/dev/null || true
    fi
    [ -z "$own_tmp" ] || rm -rf "$own_tmp"
    exit "$status"
}
trap cleanup EXIT

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# sample NAME FOLDER: a copy of docs/samples/NAME
sample() {
    cp -R "$ROOT/docs/samples/$1" "$2"
    rm -f "$2"/volumes/*.pdr
}

# expect STATUS REGEX COMMAND...: exit status, and what it prints (both streams)
expect() {
    local status=$1 regex=$2 out got=0
    shift 2
    out=$("$@" 2>&1) || got=$?
    printf '$ %s\n%s\n' "$*" "$out"
    [ "$got" = "$status" ] || fail "$*: exit status $got, not $status"
    grep -Eq -- "$regex" <<<"$out" || fail "$*: no line matches $regex"
}

cp_on() { # member, command...
    endicott cp -m "$@"
}
