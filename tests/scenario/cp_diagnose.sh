#!/bin/bash
# waits: for the watchdog, 30 seconds
# DIAGNOSE codes as Debian's unmodified kernel uses them under CP: CMM gives pages back (X'10') and takes them again, PFAULT's
# handshake (X'258'), the watchdog diag288_wdt (X'288') that is put off, cancelled, and goes off on the member to which the
# guest has been relocated meanwhile, with the pages that were given back.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
"$ROOT/tests/guest/fetch.sh" --modules drivers/watchdog/watchdog drivers/watchdog/diag288_wdt
cluster=$TEST_TMP/two
sample two "$cluster"
cd "$TEST_TMP"

mkdir overlay
cp "$GUEST_FILES/modules/watchdog.ko" "$GUEST_FILES/modules/diag288_wdt.ko" overlay/
cat >overlay/lib.sh <<'SH'
told() { mount -t debugfs debugfs /sys/kernel/debug; grep "diag $1: *$2 " /sys/kernel/debug/diag_stat; }
fill() { dd if=/dev/zero of=/tmp/fill bs=1M count=220 2>/dev/null; rm /tmp/fill; }
keep() { dd if=/dev/urandom of=/tmp/keep bs=1M count=8 2>/dev/null; md5sum </tmp/keep >/sum; }
kept() { md5sum </tmp/keep | cmp - /sum; }
cmm() { echo $1 >/proc/sys/vm/cmm_pages; until [ "$(cat /proc/sys/vm/cmm_pages)" = $1 ]; do usleep 10000; done; }
bomb() { insmod /watchdog.ko && insmod /diag288_wdt.ko 'cmd="MSG * THE BOMB WENT OFF"'; }
SH
(cd overlay && find . -type f | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$GUEST_FILES/initramfs.cpio.lz4" overlay.cpio.gz >initrd
echo "console=ttyS0 $QUICK_BOOT" >parmfile
endicott up "$cluster" >/dev/null
endicott punch -m MEMBERA -u LINUX1 "$GUEST_FILES/kernel.quick" parmfile initrd >/dev/null
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
on_guest ENDICOTT-GUEST-READY >/dev/null

runs() { # command for the guest's shell, the line it prints at last
    endicott send -u LINUX1 "$1"
    on_guest "^(guest# )*$2" >/dev/null
}
resident() { # member: pages of LINUX1 that the host holds
    cp_on "$1" INDICATE USER LINUX1 | sed -n 's/.*PAGES: RES=\([0-9]*\) .*/\1/p'
}

# --- X'258', once for each CPU at boot
runs '. /lib.sh; told 258 1 && echo TOKEN-$((6 * 7))' TOKEN-42

# --- X'10': 200 MB that were written to; the host has them back, and what Linux keeps is what it was
runs 'keep; fill; echo FILLED-$((6 * 7))' FILLED-42
before=$(resident MEMBERA)
runs 'cmm 51200; echo GIVEN-$((6 * 7))' GIVEN-42
after=$(resident MEMBERA)
echo "resident pages: $before, then $after"
[ $((before - after)) -gt 40000 ] || fail "the host has no more than $((before - after)) of 51200 pages back"
runs 'kept && echo KEPT-$((6 * 7))' KEPT-42

# --- X'288': set, put off, cancelled by the driver's orderly close
runs 'bomb && echo LOADED-$((6 * 7))' LOADED-42
runs 'exec 9>/dev/watchdog0; echo >&9; echo V >&9; exec 9>&-; echo CLOSED-$((6 * 7))' CLOSED-42

# --- set, and then it moves: the bomb goes off there, once, and the pages given back are taken again there
runs 'exec 9>/dev/watchdog0; echo SET-$((6 * 7))' SET-42
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB
runs 'cmm 0; kept && echo THERE-$((6 * 7))' THERE-42
expect 0 'THE BOMB WENT OFF' endicott wait -m MEMBERB -u LINUX1 --match 'MSG FROM LINUX1.*THE BOMB WENT OFF' \
    --since-start --timeout "$WAIT_SECONDS"
runs 'vmcp QUERY USERID; echo LAST-$((6 * 7))' LAST-42
[ "$(console_tail MEMBERB LINUX1 | grep -c 'FROM LINUX1.*WENT OFF')" = 1 ] || fail "it went off more than once"
expect 0 'has ended' endicott stop "$cluster"
echo "cp_diagnose: passed"
