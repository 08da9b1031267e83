#!/bin/bash
# C programs (sorting, big integers, hashing, floating point, printf, setjmp, signals, threads) built for
# z10, z196 and zEC12 at -O0 to -O3 say in a guest what they say on the host: tests/programs.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
cd "$TEST_TMP"

"$ROOT/tests/programs/build.sh" || fail "the programs do not build"
cat "$guest/initramfs.cpio.lz4" "$guest/programs.cpio.lz4" >initrd
cat >each.sh <<'GUEST'
for p in /programs/z*; do
    $p >/tmp/said 2>&1
    echo "status $? $(cmp -s /tmp/said /programs/wanted && echo same || echo DIFFERENT) ${p#/programs/}"
    diff /programs/wanted /tmp/said | head -n 10
done
GUEST
command=$(gzip -9n <each.sh | base64 -w 0)
"$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd initrd --model max --cpus 2 --memory 512M --timeout 900 \
    --append "$QUICK_BOOT endicott.run=\"echo $command | base64 -d | gunzip | sh\"" >log 2>messages </dev/null ||
    fail "status $?: $(tail -n 20 log messages)"
count=$(tr -d '\r' <log | grep -c '^status 0 same z' || true)
[ "$count" = 12 ] || fail "$count of 12 said what the host says: $(tr -d '\r' <log | tail -n 60)"
echo "programs: passed, $count builds"
