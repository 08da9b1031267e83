#!/bin/bash
# The benchmarks' checksums are the same in a Linux guest here and in QEMU's.
# Times are not looked at: that is `make bench`.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"

sums() {
    sed -n 's/^BENCH \([a-z]*\) [0-9.]* \([0-9a-f]*\)$/\1 \2/p' "$1"
}

on_endicott "$TEST_TMP/here" "gbench -s 1"
on_qemu "$TEST_TMP/qemu" "gbench -s 1"
sums "$TEST_TMP/here" >"$TEST_TMP/here.sums"
sums "$TEST_TMP/qemu" >"$TEST_TMP/qemu.sums"
[ "$(wc -l <"$TEST_TMP/qemu.sums")" -eq 10 ] || fail "QEMU ran $(wc -l <"$TEST_TMP/qemu.sums") benchmarks"
same "the checksums" "$TEST_TMP/qemu.sums" "$TEST_TMP/here.sums"
