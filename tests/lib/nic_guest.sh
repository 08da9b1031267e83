# Sourced by scenarios with Linux guests on virtual networks: the guests' files, commands in their shells. Wants $cluster and
# that tests/lib/relocate.sh has been sourced.

. "$(dirname "${BASH_SOURCE[0]}")/guest_shell.sh"

nic_modules="ccwgroup llc stp bridge qeth qeth_l2 qeth_l3 mrp garp 8021q"

# Kernel modules and functions for the guests' shells, behind the initramfs: $TEST_TMP/shell.initrd, $TEST_TMP/parmfile.
nic_files() { # more modules by their paths below the kernel's, in the order in which they are loaded
    "$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge \
        drivers/s390/net/qeth drivers/s390/net/qeth_l2 drivers/s390/net/qeth_l3 net/802/mrp net/802/garp net/8021q/8021q "$@"
    for m in "$@"; do nic_modules+=" ${m##*/}"; done
    mkdir "$TEST_TMP/overlay"
    for m in $nic_modules; do cp "$GUEST_FILES/modules/$m.ko" "$TEST_TMP/overlay/"; done
    cat >"$TEST_TMP/overlay/lib.sh" <<SH2
modules() { for m in $nic_modules; do insmod /\$m.ko; done; }
SH2
    cat >>"$TEST_TMP/overlay/lib.sh" <<'SH2'
group() { # device: its ccwgroup device, when the channel reports of its devices have been looked at
    n=0
    until test -e /sys/bus/ccw/devices/0.0.$(printf %04x $((0x$1 + 2))); do
        usleep 100000
        n=$((n + 1))
        test $n -lt 3000 || return 1
    done
    n=$((0x$1))
    echo 0.0.$1,0.0.$(printf %04x $((n + 1))),0.0.$(printf %04x $((n + 2))) >/sys/bus/ccwgroup/drivers/qeth/group
}
nic() { # device, address, 1 for layer 2, interface: online and up
    test -e /sys/bus/ccwgroup/drivers/qeth || modules
    group $1
    online $1 ${3:-1}
    ip link set ${4:-eth0} up
    ip addr add $2/24 dev ${4:-eth0}
}
vlan() { # number, address: an interface of eth0
    ip link add link eth0 name eth0.$1 type vlan id $1
    ip addr add $2/24 dev eth0.$1
    ip link set eth0.$1 up
}
hardware() { # address
    ip link set eth0 down
    ip link set eth0 address $1
    status=$?
    ip link set eth0 up
    return $status
}
online() { # device, 1 for layer 2
    echo $2 >/sys/bus/ccwgroup/drivers/qeth/0.0.$1/layer2
    echo 1 >/sys/bus/ccwgroup/drivers/qeth/0.0.$1/online
}
reaches() { n=0; until ping -c 1 -W 1 -q $1 >/dev/null; do n=$((n + 1)); test $n -lt 300 || return 1; done; }
silent() { ip neigh flush all >/dev/null; ! ping -c 1 -W 1 -q $1 >/dev/null; }
carrier() { n=0; until test "$(cat /sys/class/net/${2:-eth0}/carrier)" = $1; do usleep 100000; n=$((n + 1)); test $n -lt 3000 || return 1; done; }
SH2
    (cd "$TEST_TMP/overlay" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$TEST_TMP/overlay.cpio.gz"
    cat "$GUEST_FILES/initramfs.cpio.lz4" "$TEST_TMP/overlay.cpio.gz" >"$TEST_TMP/shell.initrd"
    echo "console=ttyS0 $QUICK_BOOT" >"$TEST_TMP/parmfile"
}

as() { endicott cp -m MEMBERA -u "$@"; }

# LINUX1 and LINUX2 (10.1.0.1 and 10.1.0.2) reach each other, and these addresses, and nothing comes twice.
both_reach() {
    local n others=
    for n in "$@"; do others+=" reaches $n;"; done
    runs LINUX1 "ip neigh flush all >/dev/null; reaches 10.1.0.2;$others ping -c 3 -s 1400 -q 10.1.0.2 | grep ' 0% packet loss'"
    runs LINUX2 "ip neigh flush all >/dev/null; reaches 10.1.0.1;$others ping -c 3 -q 10.1.0.1 | grep ' 0% packet loss'"
    ! grep -iq dup step || fail "frames came twice: $(cat step)"
}
