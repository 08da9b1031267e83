# Sourced by tests/scenario/*_disks.sh: a cluster whose guests have minidisks, and Linux with Debian's disk tools.

. "$(dirname "${BASH_SOURCE[0]}")/relocate.sh"
. "$ROOT/tests/lib/disk_guest.sh"

as() { # userid, command...
    endicott cp -m MEMBERA -u "$@"
}

. "$(dirname "${BASH_SOURCE[0]}")/guest_shell.sh"

# cluster NAME: two members that share volumes; statements of user.direct for LINUX1 and LINUX2 follow.
disk_cluster() { # LINUX1's statements, LINUX2's statements
    cluster=$TEST_TMP/two
    sample two "$cluster"
    sed -i "s/^USER_VOLUME_LIST COM001/& VOL001 VOL002 FBA001/" "$cluster/system.config"
    awk -v one="$1" -v two="$2" '{ print }
        /^USER LINUX1/ { print one }
        /^USER LINUX2/ { print two }' "$cluster/user.direct" >"$cluster/new"
    mv "$cluster/new" "$cluster/user.direct"
    for member in MEMBERA MEMBERB; do
        cat >>"$cluster/hardware/$member.cnf" <<'CNF'
0200 3390 volumes/vol001.cckd
0201 3390 volumes/vol002.ckd
0300 9336 volumes/fba001.raw volid=FBA001
0580 3490 *
CNF
    done
    endicott dasd init "$cluster/volumes/vol001.cckd" --cylinders 300 --volume VOL001
    endicott dasd init "$cluster/volumes/vol002.ckd" --cylinders 120 --volume VOL002 --format ckd
    endicott dasd init "$cluster/volumes/fba001.raw" --blocks 98304
}

# Files for a guest's reader: an interactive shell with the prelude of disk_guest.sh as /lib.sh.
disk_guest_files() {
    (
        cd "$TEST_TMP"
        mkdir -p overlay
        cat prelude.sh - >overlay/lib.sh <<'SH'
# Files onto a file system at /mnt/$1, their sums beside them; and are they still what they were?
fill() { cp -r /debian/sbin /mnt/$1/ 2>/dev/null; (cd /mnt/$1 && find sbin -type f -exec md5sum {} + >sums); sync; }
whole() { (cd /mnt/$1 && md5sum -c sums >/tmp/whole 2>&1); test $? = 0 -a "$(grep -c OK$ /tmp/whole)" -gt 5; }
mounted() { mkdir -p /mnt/$1; mount -t ext4 /dev/$1 /mnt/$1; }
filesystem() { d mkfs.ext4 -F -q /dev/$1 && mounted $1; }
format() { d dasdfmt -b 4096 -y "$@" >/dev/null && echo formatted; }
# Files f0, f1 ... and their sums until /tmp/go is gone; how many there are in /tmp/$1.n. And are they all what they were?
writer() {
    touch /tmp/go
    rm -f /mnt/$1/f[0-9]* /mnt/$1/written
    sync
    n=0
    while [ -e /tmp/go ]; do
        dd if=/dev/urandom of=/mnt/$1/f$n bs=$((1000 + n * 271 % 60000)) count=2 conv=fsync 2>/dev/null || return
        (cd /mnt/$1 && md5sum f$n | dd of=written oflag=append conv=notrunc,fsync 2>/dev/null) || return
        n=$((n + 1))
        echo $n >/tmp/$1.n
        [ $n -lt 300 ] || rm -f /mnt/$1/f$((n - 300))
    done
}
# It has written a file; it writes another one.
begun() { until [ -s /tmp/$1.n ]; do usleep 50000; done; }
count() { c=; until [ "$c" ]; do c=$(cat /tmp/$1.n); done; echo $c; }
goes_on() { n=$(count $1); until [ $(count $1) -gt $n ]; do usleep 50000; done; }
written() { (cd /mnt/$1 && tail -n 250 written | md5sum -c >/tmp/written 2>&1); test $? = 0 -a "$(grep -c OK$ /tmp/written)" -gt 5; }
# After a crash: every file whose sum is on the disk was there before it.
kept() {
    (
        cd /mnt/$1
        grep -E '^[0-9a-f]{32}  f[0-9]+$' written | while read -r sum f; do [ ! -e $f ] || echo "$sum  $f"; done >/tmp/kept
        echo "kept $(wc -l </tmp/kept)"
        test -s /tmp/kept && md5sum -c /tmp/kept >/tmp/kept.out 2>&1 || { grep -v OK$ /tmp/kept.out; false; }
    )
}
# A kernel that counts its boots on /dev/dasda1, onto the file system there.
bootable() {
    mkdir -p /mnt/dasda1/boot /debian/mnt
    mount --bind /mnt/dasda1 /debian/mnt
    cp /debian/boot/kernel /debian/mnt/boot/
    cp /count.initrd /debian/mnt/boot/initrd
    d zipl -t /mnt/boot -i /mnt/boot/kernel -r /mnt/boot/initrd -P "$(cat /parm)" && umount /debian/mnt && sync
}
until_gone() { n=0; while [ -e $1 ] && [ $n -lt 3000 ]; do n=$((n + 1)); sleep 0.1; done; [ ! -e $1 ]; }
until_there() { n=0; until [ -e $1 ] || [ $n -ge 3000 ]; do n=$((n + 1)); sleep 0.1; done; [ -e $1 ]; }
SH
        [ ! -e count.initrd ] || cp count.initrd parm overlay/
        (cd overlay && find . -type f | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
        cat "$GUEST_FILES/initramfs.cpio.lz4" "$GUEST_FILES/disks.cpio.lz4" overlay.cpio.gz >shell.initrd
        echo "console=ttyS0 $QUICK_BOOT" >parmfile
    )
}

boot_with_disks() { # member, user
    endicott punch -m "$1" -u "$2" "$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" "$TEST_TMP/shell.initrd" >/dev/null
    expect 0 'Command accepted' cp_on "$1" XAUTOLOG "$2"
    endicott wait -u "$2" --match ENDICOTT-GUEST-READY --since-start --timeout "$WAIT_SECONDS" >/dev/null
    runs "$2" '. /lib.sh'
}
