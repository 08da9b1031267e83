#!/bin/bash
# IUCV with Debian's kernel: SMSG reaches it from the operator, from the other member and from a guest (smsgiucv to *MSG: CMM takes
# pages, smsgiucv_app makes uevents); sockets of af_iucv between two guests, refused without authorization; a guest with a path to
# another is not relocated, one with *MSG alone is, and gets SMSG there and out of a snapshot; sockets over two members, until the
# link is lost.
set -euo pipefail
WAIT_SECONDS=${WAIT_SECONDS:-240}
. "$(dirname "$0")/../lib/relocate.sh"
. "$(dirname "$0")/../lib/guest_shell.sh"
"$ROOT/tests/guest/fetch.sh" --modules net/iucv/af_iucv drivers/s390/net/smsgiucv_app
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^USER LINUX2 .*/&\n IUCV ALLOW MSGLIMIT 100/' "$cluster/user.direct"
cd "$TEST_TMP"
mkdir -p overlay/bin
for m in af_iucv smsgiucv_app; do cp "$GUEST_FILES/modules/$m.ko" overlay/; done
"${S390X_CC:-s390x-linux-gnu-gcc}" -O2 -march=z10 -static -o overlay/bin/iucvsocket "$ROOT/tests/scenario/cp_iucv_socket.c"
cat >overlay/lib.sh <<'SH'
for m in af_iucv smsgiucv_app; do insmod /$m.ko; done
(uevent sh -c 'test -z "$SMSG_TEXT" || echo "$SMSG_SENDER: $SMSG_TEXT" >>/tmp/app' &)
comes() { n=0; until grep -q "$1" /tmp/app 2>/dev/null; do n=$((n + 1)); test $n -lt 300 || return 1; usleep 200000; done; }
pages() { n=0; until test $(cat /proc/sys/vm/cmm_pages) = $1; do n=$((n + 1)); test $n -lt 300 || return 1; usleep 200000; done; }
SH
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$GUEST_FILES/initramfs.cpio.lz4" overlay.cpio.gz >shell.initrd
echo "console=ttyS0 cmm.sender=OPERATOR $QUICK_BOOT" >parmfile

endicott up "$cluster" >/dev/null
starts LINUX1
starts LINUX2
started LINUX1
started LINUX2
runs LINUX1 '! dmesg | grep "Defining an interrupt buffer"'

# --- SMSG: its driver has connected with *MSG and said SET SMSG IUCV
expect 0 'SMSG IUCV' endicott cp -m MEMBERA -u LINUX1 QUERY SET
expect 0 '' cp_on MEMBERA SMSG LINUX1 CMM SHRINK 100
runs LINUX1 'pages 100'
expect 0 '' cp_on MEMBERB SMSG LINUX1 CMM SHRINK 50
runs LINUX1 'pages 50'
expect 0 '' cp_on MEMBERA SMSG LINUX1 APP from the operator
expect 0 '' cp_on MEMBERB SMSG LINUX1 APP from afar
expect 0 '' endicott cp -m MEMBERA -u LINUX2 SMSG LINUX1 APP from a guest
runs LINUX1 'comes "OPERATOR: from the operator"'
runs LINUX1 'comes "OPERATOR: from afar"'
runs LINUX1 'comes "LINUX2: from a guest"'

# --- sockets: LINUX2 allows everybody, LINUX1 nobody
runs LINUX2 'rm -f /tmp/echo; (iucvsocket listen ECHO >/tmp/echo &); until grep LISTENING /tmp/echo; do usleep 100000; done'
runs LINUX1 'iucvsocket connect LINUX2 ECHO 500 | grep "CAME BACK"'
runs LINUX2 'until grep ECHOED /tmp/echo; do usleep 100000; done'
runs LINUX2 '! iucvsocket connect LINUX1 ECHO 1 2>/tmp/err && grep -i denied /tmp/err'
runs LINUX1 '! iucvsocket connect NOBODY ECHO 1 2>/tmp/err && grep -i unreachable /tmp/err'

# --- a path to another guest keeps one from being relocated
runs LINUX2 'rm -f /tmp/echo; (iucvsocket listen ECHO >/tmp/echo &); until grep LISTENING /tmp/echo; do usleep 100000; done'
runs LINUX1 '(iucvsocket connect LINUX2 ECHO 100000000 >/tmp/back 2>&1 &)'
while endicott cp -m MEMBERA VMRELOCATE TEST LINUX1 MEMBERB >test.out; do :; done # until it has connected
expect 1 'HCPRLE1961E LINUX1: IUCV path to LINUX2' cp_on MEMBERA VMRELOCATE TEST LINUX1 MEMBERB
runs LINUX1 'killall iucvsocket'
runs LINUX2 'until grep ECHOED /tmp/echo; do usleep 100000; done'

# --- with *MSG alone it is relocated, and is reached there
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
expect 0 '' cp_on MEMBERA SMSG LINUX1 CMM SHRINK 25
runs LINUX1 'pages 25'
expect 0 '' cp_on MEMBERB SMSG LINUX1 APP behind the relocation
runs LINUX1 'comes "OPERATOR: behind the relocation"'

# --- and so does one that comes back from a snapshot
expect 0 'has been saved' endicott snapshot save -m MEMBERB LINUX1 "$TEST_TMP/linux1.snap"
cp_on MEMBERB FORCE LINUX1 >/dev/null
expect 0 'has been restored' endicott snapshot restore -m MEMBERB LINUX1 "$TEST_TMP/linux1.snap"
expect 0 '' cp_on MEMBERA SMSG LINUX1 CMM SHRINK 10
runs LINUX1 'pages 10'

# --- sockets over two members; who is not allowed is told; a link that is lost ends them
runs LINUX2 'rm -f /tmp/echo; (iucvsocket listen ECHO >/tmp/echo &); until grep LISTENING /tmp/echo; do usleep 100000; done'
runs LINUX1 'iucvsocket connect LINUX2 ECHO 500 | grep "CAME BACK"'
runs LINUX2 'until grep ECHOED /tmp/echo; do usleep 100000; done'
runs LINUX2 '! iucvsocket connect LINUX1 ECHO 1 2>/tmp/err && grep connect: /tmp/err'
runs LINUX2 'rm -f /tmp/echo; (iucvsocket listen ECHO >/tmp/echo &); until grep LISTENING /tmp/echo; do usleep 100000; done'
runs LINUX1 'rm -f /tmp/back; ( (iucvsocket connect LINUX2 ECHO 100000000; echo ended >/tmp/back) &)'
while endicott cp -m MEMBERA VMRELOCATE TEST LINUX2 MEMBERB >test.out; do :; done # until it has connected
expect 1 'HCPRLE1961E LINUX2: IUCV path to LINUX1' cp_on MEMBERA VMRELOCATE TEST LINUX2 MEMBERB
expect 0 '' cp_on MEMBERA DEACTIVATE ISLINK MEMBERB
runs LINUX1 'until test -s /tmp/back; do usleep 100000; done'
runs LINUX2 'until grep ECHOED /tmp/echo; do usleep 100000; done'
echo "cp_iucv: passed"
