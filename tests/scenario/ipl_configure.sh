#!/bin/bash
# Linux takes CPUs and storage out of its configuration and brings them in, by the SCLP: a CPU in standby is
# not operational; it asks for vertical polarization and sees it (PTF, SYSIB 15.1.x). Standby storage is there once it has been assigned, and gone when it is unassigned.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
cd "$TEST_TMP"

inside() { # options of `endicott ipl`... : the guest runs the commands of standard input
    local commands
    commands=$(tr '\n' ';')
    "$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd "$guest/initramfs.cpio.lz4" --timeout 900 "$@" \
        --append "$QUICK_BOOT endicott.run=\"$commands\"" >out 2>messages </dev/null || fail "status $?: $(tail -n 20 out messages)"
    sed -n '/ENDICOTT-GUEST-READY/,$p' out | tr -d '\r' | tail -n +2 >said
}

says() { # the lines, in this order
    printf '%s\n' "$@" ENDICOTT-EXIT\ 0 | diff - said || fail "the guest said something else"
}

inside --cpus 3 <<'SH'
cd /sys/devices/system/cpu
cat possible
cat cpu1/topology/core_siblings_list cpu1/polarization dispatching
echo 1 >dispatching
until grep -q vertical:high cpu1/polarization; do usleep 50000; done
cat dispatching
cat cpu1/configure
echo 0 >cpu1/online
echo 0 >cpu1/configure
cat cpu1/configure
echo 1 2>/dev/null >cpu1/online || echo no
sed -n 's/^CPUs Standby: */standby /p' /proc/sysinfo
nproc
echo 1 >cpu1/configure
echo 1 >cpu1/online
nproc
sed -n 's/^CPUs \([A-Z][a-z]*\): */\1 /p' /proc/sysinfo
SH
says 0-2 0-2 horizontal 0 1 1 0 no 'standby 1' 2 3 'Total 3' 'Configured 3' 'Standby 0' 'Reserved 0'

inside --memory 512M --standby 512M <<'SH'
total() { awk '/MemTotal/{print int($2/250000+0.5)}' /proc/meminfo; }
cd /sys/devices/system/memory
echo memory? $(cat memory?/online)
total
echo 1 >memory2/online
echo 1 >memory3/online
cat memory3/state
total
mount -o remount,size=800m /tmp
dd if=/dev/zero of=/tmp/big bs=1M count=600 2>/dev/null
dd if=/tmp/big of=/dev/null bs=1M 2>&1 | sed -n 's/ records out//p'
rm /tmp/big
until echo 0 2>/dev/null >memory3/online; do usleep 50000; done
cat memory3/state
total
echo 1 >memory3/online
total
SH
says 'memory0 memory1 memory2 memory3 1 1 0 0' 2 online 4 600+0 offline 3 4
expect_refused=0
"$ENDICOTT" ipl --kernel "$guest/kernel.quick" --memory 2G --standby 3M 2>refused </dev/null || expect_refused=$?
[ $expect_refused != 0 ] && grep -q 'multiples of' refused || fail "3M in standby: $(cat refused)"
echo "ipl_configure: passed"
