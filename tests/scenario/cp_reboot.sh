#!/bin/bash
# `reboot` in a guest of CP: Linux finds its IPL parameter block (DIAGNOSE X'308'), sets it, and CP IPLs the
# machine again from its reader, where new files wait. Also after a relocation: the block moves along.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^  CPU 00 BASE/&\n  CPU 01\n  CPU 02/' "$cluster/user.direct"

# How many CPUs the kernel takes says which boot it is.
boot() { # member, number: the guest's reader gets what it boots from
    printf 'console=ttyS0 maxcpus=%d\n' "$2" >"$TEST_TMP/parmfile"
    endicott punch -m "$1" -u LINUX1 "$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" \
        "$GUEST_FILES/initramfs.cpio.lz4" >/dev/null
}

reboots() { # member, number
    boot "$1" "$2"
    endicott send -m "$1" -u LINUX1 'reboot -f'
    on_guest "ENDICOTT-GUEST-READY .* $2 cpu" >/dev/null
}

runs() { # member, command for the guest's shell, the line it prints at last (maybe behind the prompt)
    endicott send -m "$1" -u LINUX1 "$2"
    on_guest "^(guest# )*$3" >/dev/null
}

endicott up "$cluster" >/dev/null
boot MEMBERA 1
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
on_guest 'ENDICOTT-GUEST-READY .* 1 cpu' >/dev/null
runs MEMBERA 'cd /sys/firmware/ipl; echo T-$(cat ipl_type device)' 'T-ccw 0.0.000c'
reboots MEMBERA 2
runs MEMBERA 'cd /sys/firmware/reipl; echo R-$(cat reipl_type ccw/device)' 'R-ccw 0.0.000c'
expect 0 '' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
reboots MEMBERB 3
echo "cp_reboot: passed"
