# Sourced by tests/scenario/dasd_*.sh: Linux with Debian's s390-tools, e2fsprogs and the modules for disks.

. "$ROOT/tests/lib/oracle.sh"
"$ROOT/tests/guest/fetch.sh" --disks || fail "the packages cannot be fetched"

# What every script in the guest begins with: `d COMMAND` runs one of Debian's, `nodes` makes the links that udev would.
cat >"$TEST_TMP/prelude.sh" <<'SH'
for module in /debian/modules/*.ko; do insmod $module || echo "no module $module"; done
mount -t devtmpfs dev /debian/dev
mount -t proc proc /debian/proc
mount -t sysfs sys /debian/sys
mkdir -p /mnt /debian/dev/block /debian/mnt
d() { PATH=/sbin:/bin:/usr/sbin:/usr/bin LC_ALL=C chroot /debian "$@"; }
nodes() { for b in /sys/class/block/*; do ln -sf ../${b##*/} /debian/dev/block/$(cat $b/dev); done; }
# A device is in sysfs before it has its driver, and refuses (EAGAIN) while the kernel has not done with it.
online() {
    n=0
    until [ -e /sys/bus/ccw/devices/0.0.$1/driver ] || [ $n = 3000 ]; do n=$((n + 1)); sleep 0.1; done
    until echo 1 2>/tmp/online >/sys/bus/ccw/devices/0.0.$1/online; do
        grep -q 'temporarily' /tmp/online && [ $n -lt 3000 ] || { cat /tmp/online; echo "$1 does not come online"; break; }
        n=$((n + 1))
        sleep 0.1
    done
    nodes
}
part() { n=0; until [ -b "$1" ] || [ $n = 30000 ]; do nodes; n=$((n + 1)); done; nodes; }
SH

# Makes initrd NAME of the guest's files and a script (standard input) that is /NAME.sh there.
initrd() { # name
    rm -rf overlay
    mkdir overlay
    cat "$TEST_TMP/prelude.sh" - >"overlay/$1.sh"
    (cd overlay && echo "$1.sh" | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
    cat "$guest/initramfs.cpio.lz4" "$guest/disks.cpio.lz4" overlay.cpio.gz >"$1.initrd"
}

# Boots with the initrd NAME and runs its script; the console is in NAME.console, what it printed in NAME.
boot() { # name, options of `endicott ipl`...
    local name=$1 status=0
    shift
    "$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd "$name.initrd" --memory 1G --timeout 900 \
        --append "$QUICK_BOOT endicott.run=\"sh /$name.sh\"" "$@" \
        >"$name.console" 2>"$name.messages" </dev/null || status=$?
    [ $status = 0 ] && between "$name.console" >"$name" && return
    tail -n 60 "$name.console" "$name.messages" >&2
    fail "$name: exit status $status"
}

saw() { # file regex
    grep -Eq -- "$2" "$1" || {
        cat "$1" >&2
        fail "$1 has no line like $2"
    }
}
