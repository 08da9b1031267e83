#!/bin/bash
# A program that writes and reads a 3390 all the time is relocated every few hundred instructions, channel programs in
# flight; what it wrote is in the image, which is sound. In the interpreter and as translated code.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$TEST_TMP"

fail() {
    echo "$*"
    exit 1
}

${S390X_CC:-s390x-linux-gnu-gcc} -nostdlib -static -fno-pic -no-pie -Wl,-Ttext=0x10000 -Wl,--build-id=none \
    -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -I "$ROOT/tests/insn" -o eckd.elf "$ROOT/tests/programs/disk/eckd.S"

for options in "" "--relocate-every 211,1500" "--relocate-every 37,1500" "--relocate-every 523,800 --engine interp"; do
    rm -f disk.cckd
    "$ENDICOTT" dasd init disk.cckd --cylinders 4 --linux
    # shellcheck disable=SC2086
    timeout 100 "$ENDICOTT" ipl --kernel eckd.elf --memory 4M --disk 0200=disk.cckd --timeout 90 $options >out 2>&1 ||
        fail "$options: status $?: $(cat out)"
    "$ENDICOTT" dasd check disk.cckd >out || fail "$options: $(cat out)"
    "$ENDICOTT" dasd convert disk.cckd disk.raw --format raw
    cksum <disk.raw >>raws
    rm disk.raw
done
[ "$(sort -u raws | wc -l)" = 1 ] || fail "the disks differ: $(cat raws)"
echo "dasd_relocate: passed"
