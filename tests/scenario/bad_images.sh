#!/bin/bash
# Files that cannot be loaded: each is named, with what is wrong; the exit status is 2.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"
cd "$TEST_TMP"
kernel=$ROOT/build/guest/kernel
initrd=$ROOT/build/guest/initramfs.cpio.gz

ipl() {
    "$ENDICOTT" ipl --timeout 400 "$@" </dev/null
}

# --- what is no kernel
expect 2 'nowhere: No such file' ipl --kernel nowhere
expect 2 '/tmp.*: not a regular file' ipl --kernel "$TEST_TMP"
expect 2 '/dev/zero: not a regular file' ipl --kernel /dev/zero
: >empty
expect 2 'empty: neither a Linux for s390x image nor an ELF64-s390 program' ipl --kernel empty
head -c 3000000 /dev/urandom >noise
expect 2 'noise: neither a Linux' ipl --kernel noise
expect 2 'noise|initrd' ipl --kernel noise --initrd "$initrd"
expect 2 'bash: an ELF file, but not ELF64 for s390' ipl --kernel /bin/bash
touch secret
chmod 0 secret
[ "$(id -u)" = 0 ] || expect 2 'secret: Permission denied' ipl --kernel secret

# --- Linux images: cut anywhere, and parts that do not fit
for bytes in 100 65544 66000 100000 5000000 $(($(stat -c %s "$kernel") - 1)); do
    head -c "$bytes" "$kernel" >cut
    expect 2 'cut: (neither a Linux|truncated)' ipl --kernel cut --initrd "$initrd"
done
truncate -s 600M huge
expect 2 'huge: 629145600 bytes do not fit above .* into 512M of storage' \
    ipl --kernel "$kernel" --initrd huge
expect 2 'initramfs.cpio.gz: [0-9]+ bytes do not fit above .* into 6M' \
    ipl --kernel "$kernel" --initrd "$initrd" --memory 6M
expect 2 'kernel: [0-9]+ bytes do not fit into 4M' ipl --kernel "$kernel" --memory 4M
expect 2 'nowhere: No such file' ipl --kernel "$kernel" --initrd nowhere
expect 2 'the kernel command line has 70000 bytes' \
    ipl --kernel "$kernel" --append "$(printf '%70000s' x)"

# --- ELF images: cut anywhere, segments beyond storage
elf good <<'TEXT'
        .globl _start
_start: larl %r1,psw
        lpswe 0(%r1)
        .balign 8
psw:    .quad 0x0002000180000000,0
        .data
        .fill 3000,1,7
TEXT
expect 0 '^$' ipl --kernel good --memory 16M
python3 - <<'PYTHON'
import struct
e = bytearray(open("good", "rb").read())
phoff, = struct.unpack_from(">Q", e, 32)
phnum, = struct.unpack_from(">H", e, 56)
loads = [phoff + 56 * i for i in range(phnum) if struct.unpack_from(">I", e, phoff + 56 * i)[0] == 1]
end = max(sum(struct.unpack_from(">QQQQ", e, p + 8)[k] for k in (0, 3)) for p in loads)
open("headcut", "wb").write(e[:70])
open("datacut", "wb").write(e[:end - 1])
def patched(name, at, fmt, value):
    b = bytearray(e)
    struct.pack_into(fmt, b, at, value)
    open(name, "wb").write(b)
patched("high", loads[0] + 24, ">Q", 1 << 40)
patched("wrap", loads[0] + 40, ">Q", (1 << 64) - 1)
patched("manyph", 56, ">H", 65535)
patched("phfar", 32, ">Q", (1 << 64) - 32)
patched("i386", 18, ">H", 3)
for n in range(0, len(e), 97):
    open("cuts.%05d" % n, "wb").write(e[:n])
PYTHON
expect 2 'headcut: truncated' ipl --kernel headcut --memory 16M
expect 2 'datacut: truncated: segment [0-9] ends behind the file' ipl --kernel datacut --memory 16M
expect 2 'high: segment 0 at .* does not fit into 16M' ipl --kernel high --memory 16M
expect 2 'wrap: segment 0 .* does not fit' ipl --kernel wrap --memory 16M
expect 2 'manyph: truncated: program headers' ipl --kernel manyph --memory 16M
expect 2 'phfar: truncated: program headers' ipl --kernel phfar --memory 16M
expect 2 'i386: an ELF file, but not ELF64 for s390' ipl --kernel i386 --memory 16M
for file in cuts.*; do
    status=0
    ipl --kernel "$file" --memory 16M >out 2>&1 || status=$?
    [ $status = 2 ] || [ $status = 0 ] || fail "$file: status $status: $(cat out)"
done

# --- raw images
expect 2 'empty: truncated: no PSW at 0' ipl --image empty --memory 16M
printf '\0\0\0\0\0\0\0\0' >zeros
expect 2 'zeros: .*PSW' ipl --image zeros --memory 16M
expect 2 'noise: [0-9]+ bytes do not fit' ipl --image noise --memory 1M
echo "bad_images: passed"
