#!/bin/bash
# VMDUMP of a guest that runs: the file is a dump for Debian's zgetdump, in Linux on s390x, with the guest's storage and its
# CPU's registers; the guest goes on, a second dump is another file, a third has what was asked for only, and what is no operand is refused.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"
. "$ROOT/tests/lib/disk_guest.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^USER LINUX2 LINUX2 512M/USER LINUX2 LINUX2 16M/' "$cluster/user.direct"
cd "$TEST_TMP"
deck spin <<'TEXT'
        larl %r7,mark
        lg %r6,0(%r7)
        j .
        .balign 8
mark:   .ascii "ENDICOTT-MARKED-PAGE"
TEXT
endicott up "$cluster" >/dev/null
expect 0 '' endicott punch -m MEMBERA -u LINUX2 spin
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX2
until grep -q 'GPR *6 = *454E4449434F5454' <<<"$(endicott cp -u LINUX2 DISPLAY G6)"; do moment; done
expect 1 'HCPCMD003E .*WHAT' endicott cp -u LINUX2 VMDUMP WHAT
expect 0 'LINUX2 dumped to .*dumps-MEMBERA/LINUX2.0001' endicott cp -u LINUX2 VMDUMP HOSTFILE
expect 0 'LINUX2 dumped to .*dumps-MEMBERA/LINUX2.0002' endicott cp -u LINUX2 VMDUMP HOSTFILE
expect 0 'LINUX2 dumped to .*dumps-MEMBERA/LINUX2.0003.LINUX1' endicott cp -u LINUX2 VMDUMP 300000-END TO LINUX1 DSS HOSTFILE '*Without the mark'
expect 1 'HCPVMD160E 0-1000000 exceeds storage' endicott cp -u LINUX2 VMDUMP 0-1000000
expect 1 'HCPVMD053E NOBODY' endicott cp -u LINUX2 VMDUMP TO NOBODY
expect 0 'GPR *6 = *454E4449434F5454' endicott cp -u LINUX2 DISPLAY G6
expect 0 'has ended' endicott stop "$cluster"
dump=$cluster/dumps-MEMBERA/LINUX2.0001
grep -qa 'TO LINUX1 FORMAT - \*Without the mark' "$cluster/dumps-MEMBERA/LINUX2.0003.LINUX1" ||
    fail "the third dump does not have its text"
! grep -qa ENDICOTT-MARKED-PAGE "$cluster/dumps-MEMBERA/LINUX2.0003.LINUX1" || fail "the third dump has what was not asked for"
[ "$(du -k "$dump" | cut -f 1)" -lt 1000 ] || fail "the dump takes more than was stored into: $(du -k "$dump")"

initrd read <<'SH'
d zgetdump -i /dump
echo "info $?"
d zgetdump -f elf /dump >/tmp/elf
echo "converted $?"
grep -c ENDICOTT-MARKED-PAGE /tmp/elf
d readelf -n /tmp/elf 2>/dev/null
od -An -v -tx1 /tmp/elf | tr -d ' \n' | head -c 4096 | grep -c 454e4449434f5454
echo "the end"
SH
mkdir -p more/debian
cp "$dump" more/debian/dump
(cd more && find debian/dump | cpio --quiet -o -H newc -R 0:0) | gzip -1 >>read.initrd
boot read
for line in 'info 0' 'converted 0' 'the end'; do
    saw read "^$line\$"
done
for line in 'Dump format\.+: s390' 'System arch\.+: s390x \(64 bit\)' 'CPU count \(online\)\.+: 1' 'Dump memory range\.+: 16 MB'; do
    saw read "$line"
done
[ "$(grep -cx 1 read)" = 2 ] || fail "the mark is not in storage, or not in register 6 of the notes: $(cat read)"
echo "cp_vmdump: passed"
