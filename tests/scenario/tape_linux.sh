#!/bin/bash
# Tapes under Debian's unmodified kernel: files written and read back, tape marks, mt, an archive; the volumes
# are then what endicott tape and Hercules say; a second boot reads them from a protected drive; unload, no volume.
set -euo pipefail
. "$ROOT/tests/lib/disk_guest.sh"
cd "$TEST_TMP"

modules="tape_class tape tape_34xx"
"$ROOT/tests/guest/fetch.sh" --modules $(printf 'drivers/s390/char/%s ' $modules)
mkdir -p tapes/tapes
for module in $modules; do
    cp "$guest/modules/$module.ko" tapes/tapes/
done
(cd tapes && find tapes | cpio --quiet -o -H newc -R 0:0) | gzip -1 >tapes.cpio.gz

# The guest's script NAME with the modules for tapes.
tape_initrd() { # name
    { echo 'for module in tape_class tape tape_34xx; do insmod /tapes/$module.ko; done'; cat; } | initrd "$1"
    cat tapes.cpio.gz >>"$1.initrd"
}

"$ENDICOTT" tape init one.aws
"$ENDICOTT" tape init two.het

tape_initrd first <<'SH'
online 0480
online 0481
tape=/dev/ntibm0
n=1
while [ $n -le 3 ]; do
    dd if=/dev/urandom of=/tmp/f$n bs=$((n * 100000)) count=1 2>/dev/null
    dd if=/tmp/f$n of=$tape bs=32760 2>/dev/null && echo "written $n"
    n=$((n + 1))
done
mt -f $tape rewind
n=1
while [ $n -le 3 ]; do
    dd if=$tape of=/tmp/g$n bs=65535 2>/dev/null
    cmp /tmp/f$n /tmp/g$n && echo "same $n"
    n=$((n + 1))
done
mt -f $tape rewind
mt -f $tape fsf 2
dd if=$tape bs=65535 2>/dev/null | cmp - /tmp/f3 && echo "third file"
tar -cf - -C /debian bin lib | gzip -1 | dd of=/dev/ntibm1 obs=20000 2>/dev/null && echo archived
mt -f /dev/ntibm1 rewind
dd if=/dev/ntibm1 bs=65535 2>/dev/null | gzip -dc | tar -tf - | wc -l >/tmp/count
[ $(cat /tmp/count) -gt 5 ] && echo listed
mt -f /dev/ntibm1 offline && echo unloaded
dd if=/dev/ntibm1 of=/dev/null bs=65535 2>&1 | grep -o 'No medium found'
dmesg | grep -iE 'tape.*(error|fail|unexpected)' && echo "tape messages"
echo "the end"
SH
boot first --tape 0480=one.aws --tape 0481=two.het,3480
for line in 'written 3' 'same 1' 'same 2' 'same 3' 'third file' archived listed unloaded 'No medium found' 'the end'; do
    saw first "^$line\$"
done
! grep -q 'tape messages' first || fail "the driver complains: $(grep -i tape first)"
"$ENDICOTT" tape ls --json one.aws | python3 -c 'import json, sys
files = json.load(sys.stdin)
assert [f["bytes"] for f in files[:3]] == [100000, 200000, 300000], files
assert all(f["longestBlock"] == 32760 for f in files[:3]), files'
"$ENDICOTT" tape info two.het | grep -c ': HET, .*blocks of [0-9]* to 20000 bytes' >/dev/null || fail "$("$ENDICOTT" tape info two.het)"
hetmap one.aws >map 2>/dev/null
saw map '^Uncompressed bytes *: 300000$'

# --- again: protected, and a drive without a volume
cp one.aws before.aws
tape_initrd second <<'SH'
online 0480
online 0482
mt -f /dev/ntibm0 fsf 1
dd if=/dev/ntibm0 bs=65535 2>/dev/null | wc -c
dd if=/dev/zero of=/dev/ntibm0 bs=1000 count=1 2>&1 | grep -oE 'Permission denied|Read-only file system'
dd if=/dev/ntibm1 of=/dev/null bs=65535 2>&1 | grep -o 'No medium found'
echo "the end"
SH
boot second --tape 0480=one.aws,ro --tape 0482
for line in 200000 'Permission denied|Read-only file system' 'No medium found' 'the end'; do
    saw second "^($line)\$"
done
cmp one.aws before.aws || fail 'a protected volume was written to'

# --- bad input
refused() { # text, options of endicott ipl
    local text=$1 status=0
    shift
    "$ENDICOTT" ipl --kernel "$guest/kernel.quick" "$@" >out 2>&1 || status=$?
    [ $status = 2 ] && grep -qF -- "$text" out || fail "$*: status $status: $(cat out)"
}
refused 'nowhere: No such file' --tape 0480=nowhere
refused 'not DEVNO' --tape 4x80=one.aws
refused 'device 0480 is there already' --tape 0480=one.aws --tape 480=two.het
head -c 1000 one.aws >cut.aws
refused 'cut.aws: byte ' --tape 0480=cut.aws
echo "tape_linux: passed"
