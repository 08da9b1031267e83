#!/bin/bash
# Disk images and Hercules' tools: what dasdinit and dasdcopy make is read, what is written here passes cckdcdsk and
# comes out of dasdcopy as it went in; damage is told track by track, a file in use is not touched.
set -euo pipefail
cd "$TEST_TMP"

. "$ROOT/tests/lib/failure.sh"

dasd() {
    "$ENDICOTT" dasd "$@" || fail "dasd $*: status $?"
}

refuses() { # status regex, arguments
    local status=$1 regex=$2 got=0
    shift 2
    "$ENDICOTT" dasd "$@" >out 2>&1 || got=$?
    [ $got = "$status" ] || fail "dasd $*: status $got, not $status: $(cat out)"
    grep -Eq -- "$regex" out || fail "dasd $*: says not $regex: $(cat out)"
}

. "$ROOT/tests/lib/hercules.sh"

checks() { # file: Hercules finds nothing to say about it
    cckdcdsk -3 "$1" >out 2>&1 || fail "cckdcdsk $1: $(cat out)"
    ! grep -E 'HHCCU[0-9]+[EW]' out || fail "cckdcdsk $1: $(cat out)"
}

# --- 30 cylinders of records that pack, that do not, with keys, none, and ends of file
python3 - <<'PY'
import random, struct
random.seed(42)
with open("given.raw", "wb") as out:
    for track in range(30 * 15):
        cchh = struct.pack(">HH", track // 15, track % 15)
        image = cchh + bytes([0, 0]) + struct.pack(">H", 8) + bytes(8)
        for record in range(1, track % 12 + 1):
            key = bytes([record] * 44) if track % 7 == 0 else b""
            data = [bytes(4096), random.randbytes(3000), b"record %d " % record * 300, b""][(track + record) % 4]
            image += cchh + bytes([record, len(key)]) + struct.pack(">H", len(data)) + key + data
        image += bytes([255] * 8)
        out.write(image + bytes(65536 - len(image)))
PY
dasd check given.raw >/dev/null
dasd convert given.raw ours.cckd
dasd convert given.raw plain.cckd --compress none
dasd convert given.raw ours.ckd --format ckd
for file in ours.cckd plain.cckd; do
    checks $file
    copies -o ckd $file theirs.ckd
    dasd convert theirs.ckd back.raw --format raw # dasdcopy leaves old bytes behind the tracks' ends
    cmp back.raw given.raw || fail "$file comes out of dasdcopy as something else"
    rm theirs.ckd back.raw
done

# --- theirs, in each compression, read here; then cckdcomp, which moves tracks about
for compression in 0 z bz2; do
    copies -$compression ours.ckd theirs.cckd
    dasd check theirs.cckd >out
    grep -q '^theirs.cckd: 450 tracks read, 0 faults$' out || fail "$(cat out)"
    dasd convert theirs.cckd back.raw --format raw
    cmp back.raw given.raw || fail "theirs, -$compression, is read as something else"
    rm theirs.cckd back.raw
done
dasdinit -z init.cckd 3390-2 HERC01 >out 2>&1 || fail "dasdinit: $(cat out)"
dasd info --json init.cckd >out
python3 -c 'import json; i = json.load(open("out")); assert (i["volume"], i["model"], i["cylinders"]) == ("HERC01", "3390-2", 2226), i'
dasdinit init.ckd 3390 HERC02 20 >out 2>&1 || fail "dasdinit: $(cat out)"
dasd info init.ckd >out
grep -q 'ckd, 3390-1, 20 cylinders of 15 tracks, volume HERC02' out || fail "$(cat out)"

# --- made here: labels, sizes, a Linux volume that takes no space
dasd init a.cckd --model 3390-9 --volume ENDI01
checks a.cckd
dasd info a.cckd >out
grep -q 'cckd, 3390-9, 10017 cylinders of 15 tracks, volume ENDI01' out || fail "$(cat out)"
dasd init b.cckd --cylinders 100 --linux
checks b.cckd
[ "$(stat -c %s b.cckd)" -lt 4096 ] || fail "b.cckd is large"
dasd init c.raw --blocks 2048
[ "$(stat -c %s c.raw)" = 1048576 ] || fail "c.raw"
refuses 3 'File exists' init a.cckd
refuses 2 'not a number of cylinders' init d --cylinders 300000
refuses 2 'no such model' init d --model 3390-4
refuses 2 'No such file' info d

# --- damage: the header, a level-2 table, one track
cp ours.cckd bad.cckd
printf '\x07' | dd of=bad.cckd bs=1 seek=516 conv=notrunc status=none
refuses 1 'damaged compressed header: entries of the level-1 table 7' check bad.cckd
cp ours.cckd bad.cckd
table=$(od -A n -t u4 -j 1024 -N 4 ours.cckd)
printf '\xff\xff\xff\x7f' | dd of=bad.cckd bs=1 seek=$((table + 8 * 5)) conv=notrunc status=none
refuses 1 'track 5 lies at 2147483647, outside the file' check bad.cckd
refuses 1 'outside the file' info bad.cckd
cp ours.cckd bad.cckd
track=$(od -A n -t u4 -j $((table + 8 * 9)) -N 4 ours.cckd)
printf 'damage' | dd of=bad.cckd bs=1 seek=$((track + 20)) conv=notrunc status=none
refuses 1 '^bad.cckd: track 9: damaged zlib data' check bad.cckd
refuses 1 '449 tracks read, 1 faults' check bad.cckd
refuses 1 'track 9: damaged zlib data' convert bad.cckd x.ckd
[ ! -e x.ckd ] || fail "a failed conversion leaves a file"
head -c 5000 ours.cckd >bad.cckd
refuses 1 'outside the file' info bad.cckd
head -c 1000 /dev/urandom >bad.cckd
refuses 1 'no disk image' info bad.cckd
refuses 2 "no such format .raw: the image is of blocks" convert c.raw x.cckd --format cckd

# --- a host that loses what was written says so when it is asked to flush
echo 'int fdatasync(int fd) { (void)fd; *__errno_location() = 5; return -1; }' |
    ${CC:-gcc} -shared -fPIC -include errno.h -x c -o lost.so -
export LD_PRELOAD=$PWD/lost.so
refuses 1 'lost.cckd: Input/output error' convert ours.cckd lost.cckd
refuses 1 'lost.raw: Input/output error' convert c.raw lost.raw
unset LD_PRELOAD
[ ! -e lost.cckd ] && [ ! -e lost.raw ] || fail "a conversion that was lost leaves a file"

# --- compressed FBA: what Hercules packs is read block by block, and is raw again; it is not written
{
    head -c $((1000 * 512)) /dev/urandom
    head -c $((3000 * 512)) /dev/zero
    head -c $((777 * 512)) /dev/zero | tr '\0' x
} >blocks.raw
fba2cfba blocks.raw packed.cfba >out 2>&1 || fail "fba2cfba: $(cat out)"
dasd info packed.cfba >out
grep -q '^packed.cfba: cfba, 9336, 4777 blocks' out || fail "$(cat out)"
dasd check packed.cfba >out
grep -q '4777 blocks read, 0 faults' out || fail "$(cat out)"
dasd convert packed.cfba unpacked.raw
cmp blocks.raw unpacked.raw || fail "a compressed FBA image holds something else"
dasdinit -z empty.cfba 9336 EMPTY1 100000 >out 2>&1 || fail "dasdinit: $(cat out)"
dasd convert empty.cfba empty.raw
[ "$(stat -c %s empty.raw)" = 51200000 ] || fail "an empty image has $(stat -c %s empty.raw) bytes"
refuses 3 'compressed FBA images are only read' import packed.cfba NAME blocks.raw
table=$(od -A n -t u4 -j 1024 -N 4 packed.cfba)
group=$(od -A n -t u4 -j $((table + 8 * 3)) -N 4 packed.cfba)
cp packed.cfba bad.cfba
printf 'damage' | dd of=bad.cfba bs=1 seek=$((group + 1)) conv=notrunc status=none
refuses 1 'blocks 360 to 479: others are there' check bad.cfba
refuses 1 '4657 blocks read, 1 faults' check bad.cfba
printf '\xff\xff\xff\x7f' | dd of=bad.cfba bs=1 seek=$((table + 8 * 5)) conv=notrunc status=none
refuses 1 'blocks 600 to 719: the level-2 entry is damaged' info bad.cfba
{
    printf 'CKD_C064'
    head -c 4000 /dev/zero
} >wide.cckd
refuses 1 'a 64-bit CCKD image' info wide.cckd
echo "images: read and written as Hercules does"
