#!/bin/bash
# What the log of a failed scenario ends with: the assertion, the command and the lines that led to it, behind whatever
# else is shown; also when a command fails that nobody looks at, in a subshell, and when time is up.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
mkdir "$TEST_TMP/inner"
log=$TEST_TMP/log

cat >"$TEST_TMP/inner.sh" <<'SH'
#!/bin/bash
set -euo pipefail
. "$ROOT/tests/lib/cluster.sh"
before_cleanup() { seq 100; }
version() { expect 0 "$1" endicott --version; }
asks() { endicott cp -m NOBODY QUERY "$1"; }
takes() { answer=$(asks "$1" | tail -n 1); }
hangs() { echo hanging && sleep 1000; }
"$@"
SH
chmod +x "$TEST_TMP/inner.sh"

# The shell of a test that is to fail; the last lines of its log are $told then.
inner() {
    TEST_TMP=$TEST_TMP/inner exec setsid "$TEST_TMP/inner.sh" "$@" >"$log" 2>&1
}
tells() { # status, its number of last lines, regular expression for all of them
    [ "$got" = "$1" ] || fail "exit status $got, not $1: $(cat "$log")"
    told=$(tail -n "$2" "$log" | tr '\n' '|')
    [[ $told =~ ^$3\|$ ]] || fail "its log ends with $told"
}

got=0 && (inner version endicott) || got=$?
[ "$got" = 0 ] || fail "the inner test fails: $(cat "$log")"
got=0 && (inner version 'no[t]hing') || got=$?
tells 1 4 '--- exit status 1; what failed:\|FAIL: inner.sh:9 inner.sh:5 cluster.sh:[0-9]+: endicott --version: no line matches no\[t\]hing:\|endicott [^|]*\|built with[^|]*'

# --- a command that nobody looks at, alone and in subshells
asked='FAIL: inner.sh:9( inner.sh:7)? inner.sh:6 cluster.sh:[0-9]+: exit status 1: "\$ENDICOTT" "\$@" \[cp -m NOBODY QUERY NAMES\]'
got=0 && (inner asks NAMES) || got=$?
tells 1 2 "--- exit status 1; what failed:\|$asked"
got=0 && (inner takes NAMES) || got=$?
tells 1 2 "--- exit status 1; what failed:\|$asked"

# --- time is up
inner hangs &
until grep -q '^hanging' "$log"; do kill -0 $! || fail "it does not hang: $(cat "$log")"; done
kill -TERM -- -$! # setsid of a child that leads no group becomes the program
got=0 && wait $! || got=$?
tells 143 2 '--- exit status 143; what failed:\|FAIL: inner.sh:9: stopped by SIGTERM in hangs'
echo "failure_told: passed"
