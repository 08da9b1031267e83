#!/bin/bash
# Channel-to-channel adapters: two Linux guests with Debian's ctcm, a pair of adapters for each direction, SPECIAL and DEFINE CTCA,
# COUPLE and what is refused, QUERY; ping and 20 MB with their digest both ways, by protocol 0 within a member; a guest that is
# coupled is not relocated, alone it is, with its adapters; then protocol 3 over two members; a link that is lost, and who is told.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$(dirname "$0")/../lib/guest_shell.sh"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup drivers/s390/net/fsm drivers/s390/net/ctcm
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^USER LINUX1 .*/&\n SPECIAL 0500 CTCA LINUX2\n SPECIAL 0501 3088/' "$cluster/user.direct"
cd "$TEST_TMP"
mkdir overlay
for m in ccwgroup fsm ctcm; do cp "$GUEST_FILES/modules/$m.ko" overlay/; done
cat >overlay/lib.sh <<'SH'
for m in ccwgroup fsm ctcm; do insmod /$m.ko; done
group=/sys/bus/ccwgroup/drivers/ctcm
ctc() { # read device, write device, own address, the other's
    echo 0.0.$1,0.0.$2 >$group/group
    own=$3 other=$4 dev=$group/0.0.$1
}
up() { # protocol
    echo $1 >$dev/protocol
    echo 1 >$dev/online
    ip addr add $own peer $other dev ctc0
    ip link set ctc0 up
}
down() {
    ip link set ctc0 down
    echo 0 >$dev/online
}
reaches() { n=0; until ping -c 1 -W 1 -q $other >/dev/null; do n=$((n + 1)); test $n -lt 90 || return 1; done; }
fetch() { cd /tmp/got && rm -f file sum && wget -q http://$other:5000/file && wget -q http://$other:5000/sum && md5sum -c sum; }
serve() { mkdir -p /tmp/w /tmp/got && cd /tmp/w && head -c 20000000 /dev/urandom >file && md5sum file >sum && httpd -p 5000 -h /tmp/w; }
SH
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$GUEST_FILES/initramfs.cpio.lz4" overlay.cpio.gz >shell.initrd
echo "console=ttyS0 $QUICK_BOOT" >parmfile

as() { endicott cp -m MEMBERA -u "$@"; }
both() { # command for each guest's shell
    runs LINUX1 "$1"
    runs LINUX2 "$1"
}

endicott up "$cluster" >/dev/null
starts LINUX1
starts LINUX2

# --- what is defined, what is refused
expect 0 'CTCA 0600 DEFINED' as LINUX2 DEFINE CTCA 600 USER LINUX1
expect 0 'CTCA 0601 DEFINED' as LINUX2 DEFINE 3088 AS 601
expect 0 'SCTC 0602 DEFINED' as LINUX2 DEFINE SCTC 602
expect 1 'HCPDEF092E' as LINUX2 DEFINE CTCA 601
expect 1 'HCPDEF022E' as LINUX2 DEFINE CTCA 12345
expect 0 'CTCA 0500 NOT COUPLED 3088 SUBCHANNEL = ' as LINUX1 QUERY VIRTUAL CTCA
expect 1 'HCPCPL045E NOBODY not logged on' as LINUX1 COUPLE 501 TO NOBODY 601
expect 1 'HCPCPL047E LINUX2 0777 does not exist' as LINUX1 COUPLE 501 LINUX2 777
expect 1 'HCPCPL011E .*LINUX2 0009' as LINUX1 COUPLE 501 LINUX2 9
expect 1 'HCPCPL022E' as LINUX1 COUPLE 501 LINUX2
expect 1 'HCPCPL2794E CTCA 0501 and CTCA LINUX2 0602' as LINUX1 COUPLE 501 LINUX2 602
expect 1 'HCPCPL2793E CTCA LINUX1 0500 is not for LINUX1' as LINUX1 COUPLE 500 '*' 501
expect 1 'HCPCPL2796E' as LINUX1 UNCOUPLE 500
expect 0 'CTCA 0602 DETACHED' as LINUX2 DETACH 602
expect 0 'CTCA 0500 COUPLED TO LINUX2 0601' as LINUX1 COUPLE 500 TO LINUX2 601
expect 0 'CTCA 0600 COUPLED TO LINUX1 0501' as LINUX2 COUPLE 600 LINUX1 501
expect 0 'COUPLED BY LINUX2 0600' endicott wait -m MEMBERA -u LINUX1 --match 'COUPLED BY' --since-start
expect 1 'HCPCPL2795E CTCA LINUX1 0500 is coupled already' as LINUX2 COUPLE 600 LINUX1 500
expect 0 'CTCA 0600 COUPLED TO LINUX1 0501' as LINUX2 COUPLE 600 LINUX1 501
expect 0 'CTCA 0501 COUPLED TO LINUX2   0600 3088' as LINUX1 QUERY VIRTUAL ALL
expect 0 'CTCA 0600 COUPLED TO LINUX1   0501' as LINUX2 QUERY VIRTUAL 600

# --- within a member
started LINUX1
started LINUX2
both serve
runs LINUX1 'ctc 0500 0501 10.9.0.1 10.9.0.2; up 0'
runs LINUX2 'ctc 0600 0601 10.9.0.2 10.9.0.1; up 0'
both reaches
both fetch
both down

# --- relocation: not coupled; uncoupled it takes its adapters along
expect 1 'HCPRLE1996E .*060[01].*coupled CTCA' cp_on MEMBERA VMRELOCATE TEST LINUX2 MEMBERB
expect 0 'CTCA 0500 DROP FROM LINUX2 0601' as LINUX1 UNCOUPLE 500
expect 0 'CTCA 0600 DROP FROM LINUX1 0501' as LINUX2 UNCOUPLE 600
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX2 TO MEMBERB
expect 0 'CTCA 0601 NOT COUPLED' endicott cp -m MEMBERB -u LINUX2 QUERY VIRTUAL CTCA

# --- over two members; what is refused is the same
expect 1 'HCPCPL047E LINUX2 0777 does not exist' as LINUX1 COUPLE 501 LINUX2 777
expect 1 'HCPCPL011E .*LINUX2 0009' as LINUX1 COUPLE 501 LINUX2 9
expect 0 'CTCA 0500 COUPLED TO LINUX2 0601' as LINUX1 COUPLE 500 TO LINUX2 601
expect 0 'CTCA 0600 COUPLED TO LINUX1 0501' endicott cp -m MEMBERB -u LINUX2 COUPLE 600 LINUX1 501
expect 1 'HCPCPL2795E CTCA LINUX2 0600 is coupled already' as LINUX1 COUPLE 500 LINUX2 600
expect 0 'CTCA 0600 COUPLED TO LINUX1   0501' endicott cp -m MEMBERB -u LINUX2 QUERY VIRTUAL 600
expect 0 'CTCA 0500 COUPLED TO LINUX2 0601' as LINUX1 COUPLE 500 LINUX2 601
both 'up 3'
both reaches
both fetch
expect 1 'HCPRLE1996E .*coupled CTCA' cp_on MEMBERB VMRELOCATE TEST LINUX2 MEMBERA

# --- the link is lost
expect 0 '' cp_on MEMBERA DEACTIVATE ISLINK MEMBERB
expect 0 'HCPCPL2798I CTCA 050[01] of LINUX1' endicott wait -m MEMBERA -u OPERATOR --match 'HCPCPL2798I' --since-start
expect 0 'CTCA 0500 NOT COUPLED' as LINUX1 QUERY VIRTUAL 500
expect 0 'CTCA 0600 NOT COUPLED' endicott cp -m MEMBERB -u LINUX2 QUERY VIRTUAL 600
runs LINUX1 '! ping -c 1 -W 1 -q $other >/dev/null'
echo "cp_ctca: passed"
