#!/bin/bash
# A 3390 on an image of a Ceph cluster, whose libraries a double takes the place of (tests/programs/disk/rbd_double.c): a
# program that writes and compares runs on it and leaves what it leaves in a file; names, namespaces, snapshots, users and
# options go where they belong; what is wrong is told. Without the libraries it is refused.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
cd "$TEST_TMP"
${S390X_CC:-s390x-linux-gnu-gcc} -nostdlib -static -fno-pic -no-pie -Wl,-Ttext=0x10000 -Wl,--build-id=none \
    -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -I "$ROOT/tests/insn" -o eckd.elf "$ROOT/tests/programs/disk/eckd.S"
mkdir -p lib none ceph/vol ceph/vol.space
for soname in librados.so.2 librbd.so.1; do
    ${CC:-cc} -shared -fPIC -Wl,-soname,$soname -o lib/$soname "$ROOT/tests/programs/disk/rbd_double.c"
    : >none/$soname
done
export RBD_DOUBLE=$PWD/ceph

refused() { # status text, arguments of `endicott dasd`
    local status=$1 text=$2 got=0
    shift 2
    "$ENDICOTT" dasd "$@" >out 2>&1 || got=$?
    [ $got = "$status" ] && grep -qF -- "$text" out || fail "dasd $*: status $got: $(cat out)"
}

LD_LIBRARY_PATH=$PWD/none refused 2 'rbd:vol/disk: ' info rbd:vol/disk
export LD_LIBRARY_PATH=$PWD/lib

"$ENDICOTT" dasd init local.ckd --cylinders 4 --linux --format ckd
cp local.ckd ceph/vol/disk
"$ENDICOTT" ipl --kernel eckd.elf --memory 4M --disk 0200=rbd:vol/disk --timeout 400 </dev/null || fail "on rbd: status $?"
"$ENDICOTT" ipl --kernel eckd.elf --memory 4M --disk 0200=local.ckd --timeout 400 </dev/null || fail "on the file: status $?"
cmp local.ckd ceph/vol/disk || fail "the image has something else than the file"
"$ENDICOTT" dasd check rbd:vol/disk >out || fail "check: $(cat out)"
cp local.ckd ceph/vol.space/disk@monday
"$ENDICOTT" dasd convert rbd:vol/space/disk@monday:mon_host=1.2.3.4:id=admin copy.raw --format raw
"$ENDICOTT" dasd convert local.ckd wanted.raw --format raw
cmp copy.raw wanted.raw || fail "the snapshot in a namespace is something else"

refused 2 'not rbd:POOL/IMAGE' info rbd:vol
refused 2 'the pool: No such file' info rbd:none/disk
refused 2 'the image: No such file' info rbd:vol/none
refused 2 'an option is not NAME=VALUE' info rbd:vol/disk:word
refused 2 'the cluster has no option colour=red' info rbd:vol/disk:colour=red
refused 2 'the configuration of the cluster: No such file' info rbd:vol/disk:conf=nowhere
refused 2 'the cluster cannot be reached: Permission denied' info rbd:vol/disk:id=mallory
refused 3 'a snapshot is read-only' repair rbd:vol/space/disk@monday
head -c 5000 local.ckd >ceph/vol/disk
refused 1 'rbd:vol/disk' check rbd:vol/disk
echo "rbd: passed"
