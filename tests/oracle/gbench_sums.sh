#!/bin/bash
# The benchmarks' checksums are the same on this host, in a Linux guest here and in QEMU's.
# Times are not looked at: that is `make bench`.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"

sums() {
    sed -n 's/^BENCH \([a-z]*\) [0-9.]* \([0-9a-f]*\)$/\1 \2/p' "$1"
}

{ "$guest/native/gbench" -s 1 && "$guest/native/mixed" -s 1 -t 2 &&
    "$guest/native/timed" shell "$ROOT/tests/guest/shellsteps" 20; } >"$TEST_TMP/host"
work='gbench -s 1 && mixed -s 1 -t 2 && timed shell shellsteps 20'
sums "$TEST_TMP/host" >"$TEST_TMP/host.sums"
[ "$(wc -l <"$TEST_TMP/host.sums")" -ge 17 ] || fail "this host ran $(wc -l <"$TEST_TMP/host.sums") benchmarks"
on_endicott "$TEST_TMP/here" "$work" --cpus 2
on_qemu "$TEST_TMP/qemu" "$work"
sums "$TEST_TMP/here" >"$TEST_TMP/here.sums"
sums "$TEST_TMP/qemu" >"$TEST_TMP/qemu.sums"
same "QEMU's list of checksums" "$TEST_TMP/host.sums" "$TEST_TMP/qemu.sums"
same "the list of checksums" "$TEST_TMP/host.sums" "$TEST_TMP/here.sums"
