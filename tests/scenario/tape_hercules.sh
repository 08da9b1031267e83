#!/bin/bash
# endicott tape against Hercules' tools (Debian's package hercules): a volume that hetinit made is read, one written
# here in HET is read by hetget and hetmap, one that hetupd has cut in pieces, packed by zlib or bzip2 or
# unpacked converts back to the same bytes. Damaged and foreign files are refused by name and place.
set -euo pipefail
cd "$TEST_TMP"

. "$ROOT/tests/lib/failure.sh"

tape() {
    "$ENDICOTT" tape "$@"
}

refused() { # text, arguments of endicott tape
    local text=$1 status=0
    shift
    tape "$@" >out 2>&1 || status=$?
    [ $status != 0 ] && grep -qF -- "$text" out || fail "tape $*: status $status: $(cat out)"
}

# --- theirs
hetinit theirs.het TAPE01 OWNER >/dev/null 2>&1
grep -q '^theirs.het: HET, volume TAPE01, 2 blocks of 80 to 80 bytes, 1 tape marks$' <<<"$(tape info theirs.het)" || fail "$(tape info theirs.het)"
hetinit -d plain.aws TAPE02 OWNER >/dev/null 2>&1
tape info --json plain.aws | python3 -c 'import json, sys
i = json.load(sys.stdin)
assert i["format"] == "AWSTAPE" and i["volume"] == "TAPE02" and i["bytes"] == 160, i'

# --- ours: three files of blocks of many lengths, some that do not compress
python3 - <<'PYTHON'
import random, struct
random.seed(7)
before, out = 0, open("soft.aws", "wb") # hetupd -b ends where a block grows
def piece(flags, data):
    global before
    out.write(struct.pack("<HHBB", len(data), before, flags, 0) + data)
    before = len(data)
for i in range(20):
    piece(0xa0, bytes([i]) * 3000 * (i + 1))
before, out = 0, open("ours.aws", "wb")
for number in range(3):
    with open(f"file{number + 1}", "wb") as whole:
        for i in range(60):
            length = random.choice([1, 80, 4096, 32760, 65535])
            data = random.randbytes(length) if i % 3 else bytes([i]) * length
            whole.write(data)
            piece(0xa0, data)
    piece(0x40, b"")
piece(0x40, b"")
PYTHON
tape convert ours.aws ours.het
[ "$(stat -c %s ours.het)" -lt "$(stat -c %s ours.aws)" ] || fail "ours.het is not smaller"
for number in 1 2 3; do
    hetget -n ours.het got $number U 0 65535 >/dev/null 2>hetget.messages || hetget ours.het got $number U 0 65535 >hetget.messages 2>&1 ||
        fail "hetget: $(cat hetget.messages)"
    cmp got file$number || fail "file $number is not what hetget read"
    rm got
done
hetmap ours.het 2>/dev/null >map
[ "$(grep -c '^Blocks *: 60$' map)" = 3 ] || fail "hetmap: $(cat map)"
tape ls --json ours.het | python3 -c 'import json, os, sys
files = json.load(sys.stdin)
assert [f["blocks"] for f in files[:3]] == [60, 60, 60], files
assert [f["bytes"] for f in files[:3]] == [os.path.getsize(f"file{n}") for n in (1, 2, 3)], files'

# --- through their hands
for how in "ours -d" "ours -z -9" "soft -b" "ours -d -c 5000 -r" "ours -z -c 4097 -r"; do
    read -r from options <<<"$how"
    hetupd $options $from.aws updated >/dev/null 2>&1 || fail "hetupd $how"
    tape convert updated back.aws
    cmp back.aws $from.aws || fail "hetupd $how: not what it was"
    rm -f updated back.aws
done

# --- bad input
refused 'File exists' convert ours.aws ours.het
refused 'No such file' info nowhere
head -c 1000000 ours.aws >cut.aws
refused 'cut.aws: byte ' info cut.aws
refused 'a block is cut off' info cut.aws
refused 'cut.aws: byte ' convert cut.aws half.aws
[ ! -e half.aws ] || fail "half a conversion was left"
refused "not an AWSTAPE or HET file" info "$ENDICOTT"
refused 'not a file' info .
refused 'one file is needed' info
echo "tape_hercules: passed"
