#!/bin/bash
# A program that writes and reads a 3390 all the time is relocated every few hundred instructions, channel programs in
# flight; what it wrote is in the image, which is sound. In the interpreter and as translated code, and on a shadow file.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$TEST_TMP"

. "$ROOT/tests/lib/failure.sh"

${S390X_CC:-s390x-linux-gnu-gcc} -nostdlib -static -fno-pic -no-pie -Wl,-Ttext=0x10000 -Wl,--build-id=none \
    -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -I "$ROOT/tests/insn" -o eckd.elf "$ROOT/tests/programs/disk/eckd.S"

for options in "" "--relocate-every 211,1500" "--relocate-every 37,1500" "--relocate-every 523,800 --engine interp"; do
    rm -f disk.cckd
    "$ENDICOTT" dasd init disk.cckd --cylinders 4 --linux
    # shellcheck disable=SC2086
    timeout 900 "$ENDICOTT" ipl --kernel eckd.elf --memory 4M --disk 0200=disk.cckd --timeout 600 $options >out 2>&1 ||
        fail "$options: status $?: $(cat out)"
    "$ENDICOTT" dasd check disk.cckd >out || fail "$options: $(cat out)"
    "$ENDICOTT" dasd convert disk.cckd disk.raw --format raw
    cksum <disk.raw >>raws
    rm disk.raw
done

# --- the same on a shadow file: what is below it does not change, and Hercules reads both as we do
rm -f disk.cckd
"$ENDICOTT" dasd init disk.cckd --cylinders 4 --linux
cp disk.cckd as_it_was
"$ENDICOTT" dasd init top_1.cckd --shadow-of disk.cckd
layers=disk.cckd,shadow=top_1.cckd
timeout 900 "$ENDICOTT" ipl --kernel eckd.elf --memory 4M --disk 0200=$layers --timeout 600 >out 2>&1 ||
    fail "shadow: status $?: $(cat out)"
cmp disk.cckd as_it_was || fail "the image below a shadow was written to"
"$ENDICOTT" dasd check $layers >out || fail "$(cat out)"
"$ENDICOTT" dasd convert $layers disk.raw --format raw
cksum <disk.raw >>raws
cckdcdsk -3 top_1.cckd >out 2>&1 || fail "cckdcdsk: $(cat out)"
. "$ROOT/tests/lib/hercules.sh"
copies -o ckd disk.cckd sf=top_1.cckd theirs.ckd
"$ENDICOTT" dasd convert theirs.ckd theirs.raw --format raw
cmp theirs.raw disk.raw || fail "Hercules reads something else"

# --- and merged into what it shadows
"$ENDICOTT" dasd merge $layers >out || fail "merge: $(cat out)"
grep -q 'tracks merged' out || fail "$(cat out)"
[ ! -e top_1.cckd ] || fail "the shadow is still there"
"$ENDICOTT" dasd check disk.cckd >out || fail "$(cat out)"
cckdcdsk -3 disk.cckd >out 2>&1 || fail "cckdcdsk: $(cat out)"
"$ENDICOTT" dasd convert disk.cckd merged.raw --format raw
cmp merged.raw disk.raw || fail "what was merged is something else"
! "$ENDICOTT" dasd merge disk.cckd 2>out || fail "an image without a shadow was merged"
grep -q 'no shadow' out || fail "$(cat out)"
[ "$(sort -u raws | wc -l)" = 1 ] || fail "the disks differ: $(cat raws)"
echo "dasd_relocate: passed"
