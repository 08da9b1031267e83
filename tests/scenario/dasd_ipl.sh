#!/bin/bash
# zipl writes Debian's kernel, an initramfs and a command line to a 3390; the machine is IPLed from it by --load, finds its
# disk again, and `reboot` IPLs it once more (DIAGNOSE X'308' with the block of that device). Bad loads are refused.
set -euo pipefail
. "$ROOT/tests/lib/disk_guest.sh"
. "$ROOT/tests/lib/program.sh"
cd "$TEST_TMP"

"$ENDICOTT" dasd init root.cckd --cylinders 200

# What boots from the disk counts its boots there.
initrd count <<'SH'
online 0200
part /dev/dasda1
mount -t ext4 /dev/dasda1 /mnt
echo boot >>/mnt/boots
boots=$(wc -l </mnt/boots)
echo "boots: $boots"
umount /mnt
[ "$boots" -ge 3 ] || reboot -f
d e2fsck -f -n /dev/dasda1 && echo "fsck $?"
SH
initrd install <<'SH'
online 0200
d dasdfmt -b 4096 -y -l ENDI01 /dev/dasda >/dev/null && echo "dasdfmt $?"
d fdasd -a -k /dev/dasda >/dev/null && echo "fdasd $?"
part /dev/dasda1
d mkfs.ext4 -F -q /dev/dasda1 && echo "mkfs $?"
mount -t ext4 /dev/dasda1 /debian/mnt && echo "mount $?"
mkdir /debian/mnt/boot
cp /debian/boot/kernel /debian/mnt/boot/
cp /count.initrd /debian/mnt/boot/initrd
d zipl -t /mnt/boot -i /mnt/boot/kernel -r /mnt/boot/initrd -P "$(cat /parm)" && echo "zipl $?"
umount /debian/mnt
echo "the end"
SH
echo "$QUICK_BOOT endicott.run=sh /count.sh" >parm
printf '%s\n' count.initrd parm | cpio --quiet -o -H newc -R 0:0 | gzip -1 >>install.initrd
boot install --disk 0200=root.cckd
for line in 'dasdfmt 0' 'fdasd 0' 'mount 0' 'zipl 0' 'the end'; do
    saw install "^$line\$"
done

status=0
"$ENDICOTT" ipl --load 0200 --disk 0200=root.cckd --memory 1G --cpus 2 --timeout 900 >console 2>messages </dev/null || status=$?
[ $status = 0 ] || fail "from the disk: status $status: $(tail -n 30 console messages)"
tr -d '\r' <console >booted
# The count is kept on the disk; `reboot -f` may take a line with it that the terminal has not sent yet.
for line in 'boots: 3' 'fsck 0' 'ENDICOTT-EXIT 0'; do
    saw booted "^$line\$"
done
"$ENDICOTT" dasd check root.cckd || fail "root.cckd is damaged"

# --- disks that cannot be loaded, options that are wrong
refuses() { # status regex options...
    local status=$1 regex=$2 got=0
    shift 2
    timeout 400 "$ENDICOTT" ipl --timeout 300 "$@" >out 2>&1 </dev/null || got=$?
    [ $got = "$status" ] && grep -Eq -- "$regex" out || fail "ipl $*: status $got: $(cat out)"
}
"$ENDICOTT" dasd init empty.cckd --cylinders 2
"$ENDICOTT" dasd init label.cckd --cylinders 2 --volume NOIPL1
"$ENDICOTT" dasd init fba.raw --blocks 100
refuses 1 'IPL 0200: unit status 0E' --load 0200 --disk 0200=empty.cckd
refuses 4 'disabled wait: PSW .* 0*F$' --load 0200 --disk 0200=label.cckd
refuses 2 'device 0201 does not exist' --load 0201 --disk 0200=empty.cckd
refuses 2 'not a device number' --load 02000 --disk 0200=empty.cckd
refuses 2 'not DEVNO=FILE' --load 0200 --disk empty.cckd
refuses 2 'device 0200 is there already' --load 0200 --disk 0200=empty.cckd --disk 200=fba.raw
refuses 2 'nothing.cckd: No such file' --load 0200 --disk 0200=nothing.cckd
refuses 1 'no disk image' --load 0200 --disk 0200=parm
refuses 1 'in use' --load 0200 --disk 0200=empty.cckd --disk 0201=empty.cckd

# --- who has an image: nobody, then a machine that waits
elf idle <<'TEXT'
        .globl _start
_start: larl %r1,psw
        lpswe 0(%r1)
        .balign 8
psw:    .quad 0x0202000180000000,0
TEXT
"$ENDICOTT" dasd owner empty.cckd >out
saw out '^empty.cckd: nobody$'
"$ENDICOTT" ipl --kernel idle --console none --disk 0200=empty.cckd --disk 0201=label.cckd,ro --timeout 900 >/dev/null 2>&1 </dev/null &
machine=$!
until grep -q "by process" <<<"$("$ENDICOTT" dasd owner label.cckd)"; do
    kill -0 $machine || fail "the machine ended"
    moment
done
"$ENDICOTT" dasd owner empty.cckd >out
saw out "^empty.cckd: written by process $machine: .*endicott ipl"
"$ENDICOTT" dasd owner label.cckd --json >out
saw out '"writes": false'
kill $machine
wait $machine || true
echo "dasd_ipl: passed"
