#!/bin/bash
# A 3390 behind a network block device server: a program that writes and compares runs on it, what it leaves is byte for byte
# what it leaves in a file; the tools work on it; a server that is not there is told of.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
cd "$TEST_TMP"
"$ENDICOTT" dasd info nbd+unix:///?socket=none 2>out || true
! grep -q 'cannot open shared object' out || fail "libnbd is missing"

${S390X_CC:-s390x-linux-gnu-gcc} -nostdlib -static -fno-pic -no-pie -Wl,-Ttext=0x10000 -Wl,--build-id=none \
    -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -I "$ROOT/tests/insn" -o eckd.elf "$ROOT/tests/programs/disk/eckd.S"
uri="nbd+unix:///?socket=$PWD/socket"

serve() { # file, options
    nbdkit -U socket -P server.pid "${@:2}" file "$1"
}
serve_qemu() { # file, options
    qemu-nbd -f raw -t --fork -k "$PWD/socket" --pid-file "$PWD/server.pid" "${@:2}" "$1"
}
leave() {
    kill "$(cat server.pid)"
    while [ -e /proc/"$(cat server.pid)" ]; do moment; done
    rm -f socket server.pid
}
before_cleanup() { [ ! -e server.pid ] || kill "$(cat server.pid)"; }

"$ENDICOTT" dasd init local.ckd --cylinders 4 --linux --format ckd
cp local.ckd fresh.ckd
cp local.ckd remote.ckd
serve remote.ckd
"$ENDICOTT" ipl --kernel eckd.elf --memory 4M --disk "0200=$uri" --timeout 400 </dev/null || fail "on the export: status $?"
"$ENDICOTT" ipl --kernel eckd.elf --memory 4M --disk 0200=local.ckd --timeout 400 </dev/null || fail "on the file: status $?"
cmp local.ckd remote.ckd || fail "the export has something else than the file"
"$ENDICOTT" dasd check "$uri" >out || fail "check: $(cat out)"
"$ENDICOTT" dasd convert "$uri" copy.raw --format raw
"$ENDICOTT" dasd convert local.ckd wanted.raw --format raw
cmp copy.raw wanted.raw || fail "converted from the export: something else"
leave

# --- the same by qemu-nbd, with one connection and with several
for connections in 1 4; do
    cp fresh.ckd remote.ckd
    serve_qemu remote.ckd -e "$connections"
    "$ENDICOTT" ipl --kernel eckd.elf --memory 4M --disk "0200=$uri" --timeout 400 </dev/null || fail "qemu-nbd: status $?"
    "$ENDICOTT" dasd check "$uri" >out || fail "check: $(cat out)"
    leave
    cmp local.ckd remote.ckd || fail "qemu-nbd has something else than the file"
done
serve remote.ckd -r
! "$ENDICOTT" dasd repair "$uri" 2>out || fail "a read-only export is written"
grep -q 'read-only' out || fail "$(cat out)"
"$ENDICOTT" dasd info "$uri" >out
leave

# --- a volume of a member of a cluster: its name is no file's, and members need an EQID to know that they have the same one
sample two cluster
"$ENDICOTT" dasd init volume.ckd --cylinders 4 --volume NBD001 --format ckd
echo "0B00 3390 $uri" >>cluster/hardware/MEMBERA.cnf
printf '%s\n' 'USER_VOLUME_LIST NBD001' >>cluster/system.config
serve volume.ckd
expect 0 'MEMBERA is ready' "$ENDICOTT" start cluster MEMBERA
expect 0 'HCPOWN6741W Volume NBD001 on 0B00 has no EQID' "$ENDICOTT" wait -m MEMBERA -u OPERATOR --match HCPOWN6741W --since-start --timeout "$WAIT_SECONDS"
expect 0 'DASD 0B00 CP SYSTEM +NBD001' "$ENDICOTT" cp -m MEMBERA QUERY DASD 0B00
expect 0 'has ended' "$ENDICOTT" stop MEMBERA
leave
! "$ENDICOTT" dasd info "$uri" 2>out || fail "there is a server"
grep -qi 'connect\|no such file' out || fail "what is wrong is not told: $(cat out)"
echo "nbd: passed"
