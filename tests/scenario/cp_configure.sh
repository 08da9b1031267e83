#!/bin/bash
# DEFINE STORAGE with standby storage, DEFINE CPU while Linux runs (it is told, and takes the CPU), DETACH CPU;
# what the guest has configured goes with it to another member.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
cluster=$TEST_TMP/two
sample two "$cluster"

as() { # userid, command...
    endicott cp -m MEMBERA -u "$@"
}

runs() { # command for the guest's shell, the line it prints at last (maybe behind the prompt)
    endicott send -u LINUX1 "$1"
    on_guest "^(guest# )*$2" >/dev/null
}

echo "console=ttyS0 $QUICK_BOOT" >"$TEST_TMP/parmfile"
files=("$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" "$GUEST_FILES/initramfs.cpio.lz4")
endicott up "$cluster" >/dev/null
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
expect 0 'STORAGE = 512M' as LINUX1 DEFINE STORAGE 512M STANDBY 512M RESERVED 1G
expect 0 'STORAGE = 512M  MAX = 2G  INC = 2M  STANDBY = 512M  RESERVED = 1G' as LINUX1 QUERY VIRTUAL STORAGE
expect 1 'HCPDST094E .*maximum' as LINUX1 DEFINE STORAGE 2G STANDBY 512M
expect 0 'CPU 01 defined' as LINUX1 DEFINE CPU 01
endicott punch -m MEMBERA -u LINUX1 "${files[@]}" >/dev/null
expect 0 '' as LINUX1 IPL 00C CLEAR
expect 0 'ENDICOTT-GUEST-READY .* 2 cpu' on_guest ENDICOTT-GUEST-READY

# --- a CPU comes while Linux runs; without a reset
expect 0 'CPU 02 defined' as LINUX1 DEFINE CPU 02
runs 'c=/sys/devices/system/cpu/cpu2; until [ -e $c ]; do usleep 50000; done; echo seen-$((1 + 1))' 'seen-2'
runs 'echo 1 >$c/online; echo cpus-$(nproc)' 'cpus-3'
# --- one goes into standby, storage comes in
runs 'c=/sys/devices/system/cpu/cpu1; echo 0 >$c/online; echo 0 >$c/configure; echo off-$(nproc)' 'off-2'
runs 'm=/sys/devices/system/memory/memory2; echo 1 >$m/online; echo mem-$(cat $m/state)' 'mem-online'

# --- frames that the host does not page out
locked() { awk '/^VmLck:/ { print $2 }' "/proc/$(pid_of "$1")/status"; }
expect 0 'USER LINUX1  : RESERVED = 1024  RESIDENT = [0-9]+' cp_on MEMBERA SET RESERVED LINUX1 4M
[ "$(locked MEMBERA)" = 4096 ] || fail "locked: $(locked MEMBERA) kB"
expect 0 'RESVD=1024' as LINUX1 INDICATE USER
expect 1 'HCPRSV600E Frames of LINUX1 not reserved' cp_on MEMBERA SET RESERVED LINUX1 1T

# --- all of that is so on the other member
expect 0 'has been relocated from MEMBERA to MEMBERB' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
[ "$(locked MEMBERA) $(locked MEMBERB)" = "0 4096" ] || fail "locked: $(locked MEMBERA), $(locked MEMBERB) kB"
expect 0 'USER LINUX1  : RESERVED = 1024 ' cp_on MEMBERB QUERY RESERVED
runs 'echo there-$(nproc)-$(cat $c/configure)-$(cat $m/state)' 'there-2-0-online'
runs 'echo 1 2>/dev/null >$c/online || echo no-$((1 + 1))' 'no-2'
runs 'echo 1 >$c/configure; echo 1 >$c/online; echo back-$(nproc)' 'back-3'
runs 'm=/sys/devices/system/memory/memory3; echo 1 >$m/online; echo three-$(cat $m/state)' 'three-online'
expect 0 'STANDBY = 512M  RESERVED = 1G' endicott cp -m MEMBERB -u LINUX1 QUERY VIRTUAL STORAGE

# --- detaching resets
expect 0 'CPU 02 detached' endicott cp -m MEMBERB -u LINUX1 DETACH CPU 02
expect 0 'CPU 01 detached' endicott cp -m MEMBERB -u LINUX1 DETACH CPU ALL
expect 1 'HCPCPU1456E' endicott cp -m MEMBERB -u LINUX1 DETACH CPU 00
expect 0 'STORAGE = 256M' endicott cp -m MEMBERB -u LINUX1 DEFINE STORAGE 256M
endicott punch -m MEMBERB -u LINUX1 "${files[@]}" >/dev/null
expect 0 '' endicott cp -m MEMBERB -u LINUX1 IPL 00C CLEAR
endicott wait -m MEMBERB -u LINUX1 --match 'ENDICOTT-GUEST-READY .* 1 cpu' --timeout "$WAIT_SECONDS" >/dev/null
echo "cp_configure: passed"
