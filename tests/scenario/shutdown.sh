#!/bin/bash
# Linux guests are asked to shut down: SIGNAL SHUTDOWN, SHUTDOWN, SIGTERM to the member. A guest that
# listens sees the signal (its init gets it) and powers off; one that ignores it has its time and no more.
# Rules: SIGNAL and SHUTDOWN of z/VM's CP; DESIGN.md section 6: SIGTERM signals, waits, exits 0.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
echo 'SET SIGNAL SHUTDOWNTIME 600' >>"$cluster/system.config"
sed -n '/^USER LINUX1/,/^$/p' "$cluster/user.direct" | sed 's/LINUX1/LINUX3/g' >"$TEST_TMP/user"
(echo && cat "$TEST_TMP/user") >>"$cluster/user.direct"
process=()
declare -A attached
echo "console=ttyS0 $QUICK_BOOT" >"$TEST_TMP/parmfile"

boot() { # member, userid
    endicott punch -m "$1" -u "$2" "$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" \
        "$GUEST_FILES/initramfs.cpio.lz4" >/dev/null
    expect 0 'Command accepted' cp_on "$1" XAUTOLOG "$2"
}

says() { # userid, regex: a line of its console, old or new
    endicott wait -u "$1" --match "$2" --since-start --timeout "$WAIT_SECONDS" >/dev/null
}

operator_of() { # member, regex
    expect 0 "$2" endicott wait -m "$1" --match "$2" --since-start --timeout "$WAIT_SECONDS"
}

# The console of a user from here on, in a file of its name: what is typed at $typing shows that it is read.
watch() { # userid
    mkfifo "$TEST_TMP/typing.$1"
    "$ENDICOTT" attach "$1" <"$TEST_TMP/typing.$1" >"$TEST_TMP/$1" 2>&1 &
    attached[$1]=$!
    exec {typing}>"$TEST_TMP/typing.$1"
}

# Ctrl-Alt-Del, which is what Linux makes of the signal, goes to process 1 and not to the kernel: to a
# shell that takes it, or to one that does not.
listens() { # userid
    watch "$1"
    cat >&$typing <<'SH'
trap 'echo quiesce-$((40 + 2)); poweroff -f' INT
echo 0 >/proc/sys/kernel/ctrl-alt-del; echo $$ >/proc/sys/kernel/cad_pid; echo ears-$((1 + 1))
while :; do usleep 100000; done
SH
    says "$1" '(^|# )ears-2'
}

saw_signal() { # userid, which has logged off
    wait "${attached[$1]}" || true
    grep -q 'quiesce-42' "$TEST_TMP/$1" || fail "$1 did not see the signal: $(tail "$TEST_TMP/$1")"
}

ignores() { # userid
    endicott send -u "$1" 'echo 0 >/proc/sys/kernel/ctrl-alt-del; echo no-ears-$((1 + 1))'
    says "$1" '(^|# )no-ears-2'
}

ends() { # which of the two, seconds that it takes at least: it exits with 0
    local status=0
    wait "${process[$1]}" || status=$?
    [ $status = 0 ] || fail "member $1 has ended with status $status"
    [ $((${EPOCHREALTIME/./} - began)) -ge $(($2 * 1000000)) ] || fail 'it did not wait for its guests'
}

for member in MEMBERA MEMBERB; do
    "$ENDICOTT" start "$cluster" $member --foreground >"$TEST_TMP/$member" 2>&1 &
    process[${#process[@]}]=$!
    until grep -q "$member  Joined" <<<"$(cp_on $member QUERY SSI 2>/dev/null)"; do
        kill -0 ${process[-1]} || fail "$(cat "$TEST_TMP/$member")"
        moment
    done
done
boot MEMBERA LINUX1
boot MEMBERA LINUX2
boot MEMBERB LINUX3
for user in LINUX1 LINUX2 LINUX3; do
    says $user '^guest# '
done
listens LINUX1
ignores LINUX2
listens LINUX3

# --- SIGNAL SHUTDOWN
expect 1 'HCPSIG2112E User OPERATOR' cp_on MEMBERA SIGNAL SHUTDOWN OPERATOR
expect 1 'HCPCMD045E LINUX3' cp_on MEMBERA SIGNAL SHUTDOWN LINUX3
expect 0 '' cp_on MEMBERA SIGNAL SHUTDOWN LINUX2 WITHIN 600
expect 1 'HCPSIG2115E .*LINUX2' cp_on MEMBERA SIGNAL SHUTDOWN LINUX2
expect 0 '' cp_on MEMBERA SIGNAL SHUTDOWN USER LINUX1 WITHIN 600
operator_of MEMBERA 'HCPSIG2113I User LINUX1 has reported successful termination'
! grep -q LINUX1 <<<"$(cp_on MEMBERA QUERY NAMES)" || fail 'LINUX1 is logged on'
saw_signal LINUX1
endicott send -u LINUX2 'echo alive-$((40 + 2))'
says LINUX2 '(^|# )alive-42'

# --- SHUTDOWN: LINUX2 has its time, which is shorter now, and is ended
began=${EPOCHREALTIME/./}
expect 0 'SYSTEM SHUTDOWN STARTED' cp_on MEMBERA SHUTDOWN WITHIN 3
ends 0 3
grep -q 'HCPSIG2114I User LINUX2 did not terminate within 3 seconds' "$TEST_TMP/MEMBERA" ||
    fail "SHUTDOWN: $(tail "$TEST_TMP/MEMBERA")"

# --- SIGTERM: LINUX3 ends itself, long before the SHUTDOWNTIME of system.config is over
began=${EPOCHREALTIME/./}
kill -TERM "${process[1]}"
ends 1 0
for line in 'shutdown by SIGTERM' 'HCPSIG2113I User LINUX3' \
    'SYSTEM SHUTDOWN COMPLETE' 'has left SSI cluster' 'MEMBERB has ended'; do
    grep -Eq "$line" "$TEST_TMP/MEMBERB" || fail "SIGTERM: no line like $line: $(tail "$TEST_TMP/MEMBERB")"
done
saw_signal LINUX3
echo "shutdown: passed"
