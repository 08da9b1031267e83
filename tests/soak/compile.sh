#!/bin/bash
# Debian's gcc compiles the same program again and again in one guest: processes whose stacks and libraries lie elsewhere
# each time share translated code. Every run must end well and print what the first one did.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$ROOT/tests/lib/oracle.sh"
"$ROOT/tests/guest/fetch.sh" --compiler || fail "the packages cannot be fetched"
cd "$TEST_TMP"
runs=${ENDICOTT_RUNS:-60}

mkdir -p tree/debian/job
cp "$ROOT/tests/guest/src/mixed.c" tree/debian/job
cat >tree/debian/job/compile.sh <<SH
cd /job
n=0
while [ \$n -lt $runs ]; do
    n=\$((n + 1))
    if gcc -O2 -std=gnu17 -D_GNU_SOURCE -S -o mixed.s mixed.c 2>err; then
        [ -f first.s ] || cp mixed.s first.s
        /bin/busybox cmp first.s mixed.s && echo "run \$n is well"
    else
        echo "run \$n ended with \$?"
        /bin/busybox head -n 5 err
    fi
done
SH
cat >tree/debian/job/chroot.sh <<'SH'
mkdir -p /debian/bin /debian/tmp
cp /bin/busybox /debian/bin/
ln -s busybox /debian/bin/sh
ln -s busybox /debian/bin/cp
mount -t proc proc /debian/proc
mount -t devtmpfs devtmpfs /debian/dev
PATH=/usr/bin:/bin chroot /debian /bin/sh /job/compile.sh
SH
(cd tree && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >job.cpio.gz
cat "$guest/initramfs.cpio.gz" "$guest/compiler.cpio.lz4" job.cpio.gz >initrd

"$ENDICOTT" ipl --kernel "$guest/kernel" --initrd initrd --memory 1G --engine "${ENDICOTT_ENGINE:-jit}" --timeout $(((runs * 60 + 120) * ${TEST_TIME_FACTOR:-1})) \
    --append "$QUICK_BOOT endicott.run=\"sh /debian/job/chroot.sh\"" >console 2>messages </dev/null ||
    { tail -n 40 console messages >&2; fail "exit status $?"; }
well=$(grep -c 'is well' console || true)
echo "$well of $runs runs are well"
[ "$well" = "$runs" ] || { grep -A5 'ended with\|differ' console >&2; fail "$((runs - well)) of $runs runs"; }
