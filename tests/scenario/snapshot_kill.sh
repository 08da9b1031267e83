#!/bin/bash
# A member is killed (SIGKILL) just before each step of saving a snapshot that changes something (tests/chaos/kill_at.c). The file is
# whole or not there, with REPLACE always there; what is left beside it is told to be none, or is whole; no process is left; the member
# starts again, its guest is logged on nowhere, comes back from the file where there is one, counts on, and is saved under the same name.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$ROOT/tests/lib/ticker.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^USER LINUX1 .*/USER LINUX1 LINUX1 16M 16M G/' "$cluster/user.direct"
${CC:-cc} -O1 -shared -fPIC -o "$TEST_TMP/kill_at.so" "$ROOT/tests/chaos/kill_at.c" -ldl || fail "kill_at.c"
export KILL_AT=$TEST_TMP/kill_at
snap=$TEST_TMP/linux1.snap

begin() { # the member, alone
    LD_PRELOAD=$TEST_TMP/kill_at.so expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
    ! grep -q LINUX1 <<<"$(cp_on MEMBERA QUERY NAMES)" || fail "LINUX1 is logged on"
}
save() { expect 0 'HCPSNP1968I User LINUX1 has been saved' endicott snapshot save "$@" -m MEMBERA LINUX1 "$snap"; }
is_whole() { expect 0 'user LINUX1 of MEMBERA' endicott snapshot info --verify "$1"; }

# killed WHO N WORD...: SAVE, in which the member dies before that step
killed() {
    local step="$1 $2" replace= left=$snap.part
    shift 2
    [[ " $* " != *" --replace "* ]] || replace=yes
    [ -z "$replace" ] || save
    goes_on MEMBERA LINUX1
    echo "$step" >"$KILL_AT"
    ! endicott snapshot save "$@" -m MEMBERA LINUX1 "$snap" >"$TEST_TMP/said" 2>&1 || fail "SAVE has ended well, before $step"
    [ ! -e "$KILL_AT" ] || fail "SAVE has failed before $step: $(cat "$TEST_TMP/said")"
    until [ -z "$(members_left)" ]; do moment; done
    [ ! -e "$snap" ] || is_whole "$snap"
    [ -z "$replace" ] || [ -e "$snap" ] || fail "what was to be replaced is lost before $step"
    if [ -e "$left" ] && ! endicott snapshot info --verify "$left" >"$TEST_TMP/said" 2>&1; then
        grep -q 'offset 0: this is not a snapshot' "$TEST_TMP/said" || fail "$left before $step: $(cat "$TEST_TMP/said")"
    fi
    begin
    if [ -e "$snap" ]; then
        expect 0 'has been restored' endicott snapshot restore -m MEMBERA LINUX1 "$snap"
        goes_on MEMBERA LINUX1 1
        save --replace
    else
        ticker MEMBERA LINUX1
        save
    fi
    is_whole "$snap"
    [ ! -e "$left" ] || fail "$left is left"
    echo "killed before $step $*"
    rm "$snap"
}

begin
ticker MEMBERA LINUX1
killed child 1 # nothing is written
killed child 2 # storage is
killed child 3 # the head is, too: without the prologue it is none
killed child 4 --suspend
killed member 1 # before the file left behind is emptied
killed member 2 # it is whole, and has no name
killed member 3 # it has its name, and the other one
killed child 3 --replace
killed member 2 --replace
killed member 2 --suspend --compress
echo "snapshot_kill: passed"
