# Sourced by scenarios whose Linux guests use Debian's vmur: cluster two in $cluster, the driver and the packages fetched.

. "$(dirname "${BASH_SOURCE[0]}")/relocate.sh"
guest=$GUEST_FILES
"$ROOT/tests/guest/fetch.sh" --spool || fail 'the packages cannot be fetched'
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/char/vmur
cluster=$TEST_TMP/two
sample two "$cluster"

# /vmur.sh of the guests: vmur's driver, the devices 000$1 online, Debian's tools as `d`; what follows on standard input.
vmur_overlay() { # last digits of devices
    mkdir overlay
    cp "$guest/modules/vmur.ko" overlay/
    {
        cat <<'SH'
insmod /vmur.ko
mount -t devtmpfs dev /debian/dev
mount -t proc proc /debian/proc
mount -t sysfs sys /debian/sys
SH
        echo "for dev in $*; do echo 1 >/sys/bus/ccw/devices/0.0.000\$dev/online || echo \"no device \$dev\"; done"
        cat <<'SH'
d() { PATH=/sbin:/bin:/usr/sbin:/usr/bin LC_ALL=C chroot /debian "$@"; }
cd /debian/tmp
seq 1 3000 | while read n; do printf '%08d' $((n * 7919 % 99999999)); done | head -c 24000 >binary
SH
        cat
    } >overlay/vmur.sh
}
