#!/bin/bash
# The self-test program prints the same in a Linux guest here, in QEMU's guest, and on this host.
# It covers integers, floating point, strings, signals, faults, threads (tests/guest/src/selftest.c).
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"

"$guest/native/selftest" >"$TEST_TMP/native"
on_endicott "$TEST_TMP/here" "$(packed selftest)"
unpacked "$TEST_TMP/here" >"$TEST_TMP/here.text" || fail "the guest's output does not unpack"
same "selftest, this host's : endicott" "$TEST_TMP/native" "$TEST_TMP/here.text"
on_qemu "$TEST_TMP/qemu" "$(packed selftest)"
unpacked "$TEST_TMP/qemu" >"$TEST_TMP/qemu.text"
same "selftest, QEMU : endicott" "$TEST_TMP/qemu.text" "$TEST_TMP/here.text"
