#!/bin/bash
# A 3590 under Debian's unmodified kernel (tape_3590): files written and read back, spacing both ways, seek and tell, a
# full volume, a damaged block (which the driver reads backward, too), and a folder as a library of volumes: tape390_display
# asks for the next volume and for one by its name.
set -euo pipefail
. "$ROOT/tests/lib/disk_guest.sh"
cd "$TEST_TMP"

modules="tape_class tape tape_3590"
"$ROOT/tests/guest/fetch.sh" --modules $(printf 'drivers/s390/char/%s ' $modules)
mkdir -p tapes/tapes
for module in $modules; do
    cp "$guest/modules/$module.ko" tapes/tapes/
done
(cd tapes && find tapes | cpio --quiet -o -H newc -R 0:0) | gzip -1 >tapes.cpio.gz

"$ENDICOTT" tape init one.aws
"$ENDICOTT" tape init small.aws
mkdir library
for name in ARC001.aws ARC002.het ARC003.aws; do
    "$ENDICOTT" tape init "library/$name"
done
# A block whose compressed data is none, then one that is right.
printf '\003\000\000\000\241\000bad\004\000\003\000\240\000good' >damaged.het

{
    echo 'for module in tape_class tape tape_3590; do insmod /tapes/$module.ko; done'
    cat
} <<'SH' | initrd first
for n in 0590 0591 0592 0593; do online $n; done
tape=/dev/ntibm0
n=1
while [ $n -le 3 ]; do
    dd if=/dev/urandom of=/tmp/f$n bs=$((n * 100000)) count=1 2>/dev/null
    dd if=/tmp/f$n of=$tape bs=10000 2>/dev/null && echo "written $n"
    n=$((n + 1))
done
mt -f $tape rewind
n=1
while [ $n -le 3 ]; do
    dd if=$tape of=/tmp/g$n bs=65535 2>/dev/null
    cmp /tmp/f$n /tmp/g$n && echo "same $n"
    n=$((n + 1))
done
block() { dd if=$tape of=/tmp/b bs=65535 count=1 2>/dev/null; dd if=/tmp/f$1 bs=10000 skip=$2 count=1 2>/dev/null | cmp - /tmp/b && echo "file $1 block $2"; }
mt -f $tape rewind; mt -f $tape fsf 1; mt -f $tape fsr 3; block 2 3
mt -f $tape bsr 2; block 2 2
mt -f $tape bsfm 1; mt -f $tape bsr 1; block 1 9
mt -f $tape seek 32; block 3 0
echo "tell $(mt -f $tape tell)"
mt -f $tape seek 63; dd if=/tmp/f1 of=$tape bs=10000 2>/dev/null
mt -f $tape rewind; mt -f $tape fsf 3; block 1 0; mt -f $tape seek 74
tar -cf - -C /debian bin | dd of=$tape obs=30000 2>/dev/null
mt -f $tape bsfm 1; mt -f $tape bsf 1 ; dd if=$tape bs=65535 2>/dev/null | tar -tf - | wc -l >/tmp/count
[ $(cat /tmp/count) -gt 1 ] && echo listed

dd if=/dev/zero of=/dev/ntibm1 bs=20000 count=100 2>&1 | grep -o 'No space left on device'
mt -f /dev/ntibm1 rewind; dd if=/dev/ntibm1 bs=65535 2>/dev/null | wc -c >/tmp/count
[ $(cat /tmp/count) -gt 800000 ] && [ $(cat /tmp/count) -lt 1000000 ] && echo "full volume"

dd if=/dev/ntibm2 of=/dev/null bs=65535 count=1 2>&1 | grep -o 'Input/output error'
mt -f /dev/ntibm2 rewind; mt -f /dev/ntibm2 fsr 1; dd if=/dev/ntibm2 bs=65535 count=1 2>/dev/null | grep good

echo volume1 | dd of=/dev/ntibm3 2>/dev/null
mt -f /dev/ntibm3 offline && echo unloaded
dd if=/dev/ntibm3 of=/dev/null 2>&1 | grep -o 'No medium found'
d tape390_display -l NEXT /dev/ntibm3
mt -f /dev/ntibm3 load
echo volume2 | dd of=/dev/ntibm3 2>/dev/null && echo "second volume"
d tape390_display -t reload DARC002 MARC001 /dev/ntibm3
mt -f /dev/ntibm3 offline
mt -f /dev/ntibm3 load
dd if=/dev/ntibm3 2>/dev/null
dmesg | grep -iE 'tape' | grep -v 'sense message Read Error'
echo "the end"
SH
cat tapes.cpio.gz >>first.initrd
boot first --tape 0590=one.aws,3590 --tape 0591=small.aws,size=1M,3590 --tape 0592=damaged.het,3590 --tape 0593=library,3590
for line in 'written 3' 'same 1' 'same 2' 'same 3' 'file 2 block 3' 'file 2 block 2' 'file 1 block 9' 'file 3 block 0' \
    'tell At block 33' 'file 1 block 0' listed 'No space left on device' 'full volume' 'Input/output error' good unloaded \
    'No medium found' 'second volume' volume1 'the end'; do
    saw first "^$line\$"
done
grep -iE '^\[.*tape.*(error|fail|unexpected|unknown)' first && fail 'the driver complains'
[ "$(grep -c '0.0.0593: A tape cartridge has been mounted' first)" -ge 2 ] || fail "the volumes were not mounted: $(cat first)"
[ "$(grep -c "damaged.het: byte 0: the block's compressed data is damaged" first.messages)" = 2 ] ||
    fail "the damaged block was not read both ways: $(cat first.messages)"
[ "$(stat -c %s small.aws)" -le $((1024 * 1024)) ] || fail 'the volume is larger than it may be'
"$ENDICOTT" tape ls --json library/ARC002.het | python3 -c 'import json, sys
assert json.load(sys.stdin)[0]["bytes"] == 8'
"$ENDICOTT" tape info one.aws | grep -c 'tape marks' >/dev/null || fail "$("$ENDICOTT" tape info one.aws)"
echo "tape_3590: passed"
