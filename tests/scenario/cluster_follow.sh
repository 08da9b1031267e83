#!/bin/bash
# A Linux guest boots from its reader and is relocated: waits and attached consoles follow it, no
# line is lost or seen twice, and a member that is told to end shuts its guest down first.
# waits: for members that notice
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"

guest=$ROOT/build/guest
[ -s "$guest/kernel.quick" ] || fail "$guest/kernel.quick is missing: run make guest"
cluster=$TEST_TMP/two
sample two "$cluster"
echo "console=ttyS0 $QUICK_BOOT" >"$TEST_TMP/parmfile"

expect 0 'MEMBERB is ready' endicott up "$cluster"
expect 0 'for LINUX1 at MEMBERA' endicott punch -u LINUX1 "$guest/kernel.quick" "$TEST_TMP/parmfile" \
    "$guest/initramfs.cpio.lz4"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
expect 0 'READY' endicott wait -u LINUX1 --match ENDICOTT-GUEST-READY --since-start --timeout "$WAIT_SECONDS"

# one line in the middle of a long output is waited for on one member and seen on the other
mkfifo "$TEST_TMP/typing"
endicott attach LINUX1 <"$TEST_TMP/typing" >"$TEST_TMP/attached" &
attached=$!
exec 5>"$TEST_TMP/typing"
endicott wait -u LINUX1 --match '^TICK 40$' --since-start --timeout "$WAIT_SECONDS" >"$TEST_TMP/waited" &
waiter=$!
echo 'i=0; while [ $i -lt 60 ]; do i=$((i + 1)); echo TICK $i; usleep 100000; done' >&5
expect 0 'TICK 5' endicott wait -u LINUX1 --match '^TICK 5$' --since-start --timeout "$WAIT_SECONDS"
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
wait $waiter || fail "the wait for TICK 40 ended with status $?"
expect 0 'TICK 60' endicott wait -u LINUX1 --match '^TICK 60$' --since-start \
    --timeout "$WAIT_SECONDS"
echo 'echo typed on $((6 * 7))' >&5
expect 0 'typed on 42' endicott wait -m MEMBERB -u LINUX1 --match 'typed on 42' --since-start \
    --timeout "$WAIT_SECONDS"
exec 5>&-
wait $attached || fail "attach ended with status $?"
grep -aoE 'TICK [0-9]+$' "$TEST_TMP/attached" >"$TEST_TMP/ticks" || true
seq 60 | sed 's/^/TICK /' | diff - "$TEST_TMP/ticks" >&2 ||
    fail "attach lost or repeated lines"
expect 0 'LINUX1 +- SSI' cp_on MEMBERA QUERY NAMES

# SIGTERM to the member: an orderly end
expect 0 'MEMBERB has ended' endicott stop MEMBERB
expect 0 'HCPPLM1670I Member MEMBERB has left' endicott wait -m MEMBERA \
    --match 'MEMBERB has left' --since-start --timeout "$WAIT_SECONDS"
expect 0 'MEMBERA has ended' endicott stop "$cluster"
echo "cluster_follow: passed"
