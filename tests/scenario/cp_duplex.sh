#!/bin/bash
# A volume on two files under Linux: one file fails and the guest goes on without an error; the member is killed then, and the
# one that lacks something is not what the next start reads; it is copied while the guest writes, and the two are equal.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
flag=$TEST_TMP/fails
${CC:-cc} -shared -fPIC -O2 -o "$TEST_TMP/failing.so" "$ROOT/tests/programs/disk/failing.c"
disk_cluster ' MDISK 0202 FB-512 64 65536 FBA001 MR' ''
sed -i 's/^0300 .*/& mirror=volumes\/copy.raw/' "$cluster"/hardware/*.cnf
endicott dasd init "$cluster/volumes/copy.raw" --blocks 98304
disk_guest_files
export FAILING_WHILE=$flag FAILING_FILE=fba001.raw
duplex() { # regex
    local tries=0
    until grep -Eq "$1" <<<"$(cp_on MEMBERA QUERY DUPLEX)"; do
        tries=$((tries + 1))
        [ $tries -lt 6000 ] || fail "QUERY DUPLEX never says $1: $(cp_on MEMBERA QUERY DUPLEX)"
        moment
    done
}

LD_PRELOAD=$TEST_TMP/failing.so expect 0 'ready' endicott up "$cluster"
boot_with_disks MEMBERA LINUX1
runs LINUX1 'online 0202'
runs LINUX1 'dd if=/dev/urandom of=/tmp/data bs=4096 count=2000'
runs LINUX1 'dd if=/tmp/data of=/dev/dasda bs=4096 oflag=direct'
duplex 'DASD 0300 FBA001 DUPLEX'
touch "$flag"
runs LINUX1 'dd if=/dev/urandom of=/tmp/more bs=4096 count=1000'
runs LINUX1 'dd if=/tmp/more of=/dev/dasda bs=4096 oflag=direct'
duplex 'DASD 0300 FBA001 SIMPLEX PRIMARY FAILED'
runs LINUX1 'dd if=/dev/dasda of=/tmp/back bs=4096 count=1000 iflag=direct && cmp /tmp/more /tmp/back'
endicott wait -m MEMBERA --match 'HCPIOF001E disk image .*fba001.raw: severed from .*copy.raw: .*Input/output error' \
    --since-start --timeout "$WAIT_SECONDS" >/dev/null
runs LINUX1 'md5sum /tmp/more; dd if=/dev/dasda bs=4096 count=2000 iflag=direct 2>/dev/null | md5sum | sed "s/ .*/ =SUM/"'
sum=$(endicott wait -u LINUX1 --match '^[0-9a-f]{32} =SUM' --since-start --timeout "$WAIT_SECONDS" | tail -n 1 | grep -o '[0-9a-f]\{32\}')

# --- killed; the file that failed works again
kills MEMBERA
rm "$flag"
endicott start "$cluster" MEMBERA >/dev/null
expect 0 'DASD 0300 FBA001 SIMPLEX PRIMARY FAILED' cp_on MEMBERA QUERY DUPLEX
boot_with_disks MEMBERA LINUX1
runs LINUX1 'online 0202'
runs LINUX1 "dd if=/dev/dasda bs=4096 count=2000 iflag=direct 2>/dev/null | md5sum | grep $sum"
runs LINUX1 'dd if=/dev/urandom of=/dev/dasda bs=4096 seek=3000 count=2000 oflag=direct'
duplex 'DASD 0300 FBA001 DUPLEX'
expect 0 'has ended' endicott stop "$cluster"
cmp "$cluster/volumes/fba001.raw" "$cluster/volumes/copy.raw" || fail 'the two files differ'
echo "cp_duplex: passed"
