#!/bin/bash
# Every fuzz target of the Makefile is built and takes what it begins with (tests/fuzz/seeds.sh) and nothing at all; none is left out
# by a source that its list has not. `make fuzz` goes on from there.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$ROOT/tests/lib/failure.sh"
targets=$(sed -n 's/^FUZZ_TARGETS *[:+]= *//p' "$ROOT/Makefile")
[ -n "$targets" ] || fail 'the Makefile names no target'
for name in $targets; do
    program=$ROOT/${ENDICOTT_BUILD:-build}/tests/fuzz/$name
    [ -x "$program" ] || fail "$name has not been built"
    "$ROOT/tests/fuzz/seeds.sh" "$name" "$TEST_TMP/$name" "$program" "$TEST_TMP/$name.dict"
    mapfile -t inputs < <(find "$TEST_TMP/$name" -type f | sort)
    "$program" "${inputs[@]}" >"$TEST_TMP/$name.out" 2>"$TEST_TMP/$name.err" || fail "$name: exit status $?: $(tail -n 20 "$TEST_TMP/$name.err")"
    [ "$(cat "$TEST_TMP/$name.out")" = "$((${#inputs[@]} + 1)) inputs" ] || fail "$name: $(tail -n 3 "$TEST_TMP/$name.out")"
done
echo "fuzz_replay: passed: $(wc -w <<<"$targets") targets"
