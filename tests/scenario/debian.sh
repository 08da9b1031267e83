#!/bin/bash
# Debian's own s390x programs in a guest: python3, perl, sqlite3, gzip and openssl say what the host's say,
# line by line (tests/programs/debian: digests, ciphers, big numbers, floats as text, threads, SQL).
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
checks=$ROOT/tests/programs/debian

"$ROOT/tests/guest/fetch.sh" --programs || fail "the packages cannot be fetched"
cd "$TEST_TMP"
cp -R "$checks" wanted.folder
sh "$checks/check.sh" wanted.folder >wanted || fail "the host's programs: status $?"
mkdir -p tree/debian
cp -R "$checks" tree/debian/check
(cd tree && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >check.cpio.gz
cat "$guest/initramfs.cpio.lz4" "$guest/debian.cpio.lz4" check.cpio.gz >initrd
cat >in_guest.sh <<'GUEST'
cp /bin/busybox /debian/bin/busybox
for name in sh od cmp sed cat; do
    ln -sf busybox /debian/bin/$name
done
mount -t proc proc /debian/proc
mount -t devtmpfs devtmpfs /debian/dev
chroot /debian /bin/sh /check/check.sh /check
GUEST
command=$(gzip -9n <in_guest.sh | base64 -w 0)
"$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd initrd --cpus 2 --memory 1G --timeout 900 \
    --append "$QUICK_BOOT endicott.run=\"echo $command | base64 -d | gunzip | sh\"" >log 2>messages </dev/null ||
    fail "status $?: $(tail -n 20 log messages)"
between log >said || fail "the guest ended otherwise: $(tail -n 20 log)"
cmp -s wanted said || fail "the guest says something else: $(diff wanted said | head -n 40)"
echo "debian: passed, $(wc -l <said) lines"
