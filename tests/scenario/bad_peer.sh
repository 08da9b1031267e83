#!/bin/bash
# Peers on the SSI port that are not what they say: garbage, another cluster, a member name of no slot or of
# somebody who is joined, another SSI statement, an incarnation made up, frames out of turn and cut. Each is
# refused with HCPPLM1705W or 1706W at the operator's console; the cluster and its guests see nothing of it.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
expect 0 'MEMBERB is ready' endicott up "$cluster"
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2
port=$(grep -aoE '127\.0\.0\.1:[0-9]+' "$cluster/volumes/COM001.pdr" | sed -n 1p)

cat >"$TEST_TMP/peer.py" <<'PYTHON'
import socket, struct, sys, zlib

host, port = sys.argv[1].split(":")
HELLO, REFUSE, DATA, VOTE, MESSAGE, LEAVING = 1, 2, 3, 5, 8, 9

def frame(kind, payload=b"", length=None, version=1, magic=b"ESSI", crc=None):
    head = magic + struct.pack(">HHHHII", version, kind, 0, 0,
                               len(payload) if length is None else length, 0)
    return head + struct.pack(">I", zlib.crc32(head) if crc is None else crc) + payload

def row(tag, value):
    return struct.pack(">HI", tag, len(value)) + value

def hello(cluster=b"TWO", member=b"MEMBERB", slot=1, purpose=1, digest=0, incarnation=1, expected=1):
    return (row(0x8001, cluster) + row(0x8002, member) + row(0x8003, bytes([slot])) +
            row(0x8004, bytes([purpose])) + row(0x8005, struct.pack(">I", digest)) +
            row(0x8006, struct.pack(">Q", incarnation)) + row(0x8007, struct.pack(">Q", expected)))

def talk(data):
    """Sends, and reads to the end: the member must close. Returns the reason of a REFUSE, or 0."""
    s = socket.create_connection((host, int(port)))
    s.settimeout(60)
    answer = b""
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        while part := s.recv(65536):
            answer += part
    except TimeoutError:
        raise
    except OSError:
        pass
    if not answer:
        return 0
    assert answer[:4] == b"ESSI", answer
    kind, = struct.unpack(">H", answer[6:8])
    return struct.unpack(">H", answer[24:26])[0] if kind == REFUSE else -kind

def check(what, data, reasons):
    got = talk(data)
    print(what, "->", got)
    assert got in reasons, (what, got, reasons)

cases = {
    "garbage": lambda: check("garbage", b"GET / HTTP/1.1\r\n\r\n" + bytes(4096), [0]),
    "wrong-magic": lambda: check("wrong-magic", frame(HELLO, hello(), magic=b"ESSJ"), [0]),
    "bad-crc": lambda: check("bad-crc", frame(HELLO, hello(), crc=1), [0]),
    "too-long": lambda: check("too-long", frame(HELLO, b"", length=0x7fffffff), [0]),
    "out-of-turn": lambda: check("out-of-turn", frame(MESSAGE, b"x"), [0]),
    "leaving": lambda: check("leaving", frame(LEAVING), [0]),
    "unknown": lambda: check("unknown", frame(4711), [0]),
    "version": lambda: check("version", frame(HELLO, hello(), version=99), [0, 1]),
    "empty-hello": lambda: check("empty-hello", frame(HELLO, b"\0"), [0]),
    "long-name": lambda: check("long-name", frame(HELLO, hello(member=b"M" * 200)), [0]),
    "twice": lambda: check("twice", frame(HELLO, hello() + row(0x8001, b"TWO")), [0]),
    "cluster": lambda: check("cluster", frame(HELLO, hello(cluster=b"OTHER")), [2]),
    "name": lambda: check("name", frame(HELLO, hello(member=b"MEMBERX")), [3]),
    "own-name": lambda: check("own-name", frame(HELLO, hello(member=b"MEMBERA", slot=0)), [3]),
    "slot": lambda: check("slot", frame(HELLO, hello(slot=200)), [3]),
    "digest": lambda: check("digest", frame(HELLO, hello(digest=0xdeadbeef)), [4]),
    "imposter": lambda: check("imposter", frame(HELLO, hello(digest=int(sys.argv[3], 0))), [5, 7]),
    "silence": lambda: check("silence", b"", [0]),
    "half": lambda: check("half", frame(HELLO, hello())[:30], [0]),
}
cases[sys.argv[2]]()
PYTHON

peer() {
    python3 "$TEST_TMP/peer.py" "$port" "$@"
}

operator() { # regex
    expect 0 "$1" endicott wait -m MEMBERA --match "$1" --since-start --timeout "$WAIT_SECONDS"
}

undisturbed() {
    local member
    for member in MEMBERA MEMBERB; do
        expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI
        expect 0 '1 MEMBERA  Joined' cp_on $member QUERY SSI
        expect 0 '2 MEMBERB  Joined' cp_on $member QUERY SSI
    done
    expect 0 'LINUX2' cp_on MEMBERA QUERY NAMES AT ALL
}

expect 0 'garbage -> 0' peer garbage
operator 'HCPPLM170[56]W SSI connection from 127.0.0.1:[0-9]+ .*does not speak the SSI protocol'
expect 0 'cluster -> 2' peer cluster
operator 'HCPPLM1705W .*another SSI cluster \(OTHER.MEMBERB\)'
expect 0 'name -> 3' peer name
operator 'HCPPLM1705W .*not in that slot of the SSI statement \(TWO.MEMBERX\)'
expect 0 'digest -> 4' peer digest
operator 'HCPPLM1705W .*SSI statement differs'
# the name of a member that is joined, with everything right that anybody can know: still refused
digest=$(python3 -c "
import zlib
print(zlib.crc32(b''.join(n + b'\\0' for n in [b'MEMBERA', b'MEMBERB'] + 6 * [b'']), zlib.crc32(b'TWO')))")
expect 0 'imposter -> 5' peer imposter "$digest"
operator 'HCPPLM1705W .*already joined \(TWO.MEMBERB\)'
undisturbed

for case in wrong-magic bad-crc too-long out-of-turn leaving unknown version empty-hello long-name twice \
    own-name slot silence half; do
    expect 0 "$case -> " peer $case
done
undisturbed

expect 1 'HCPLGA054E Already logged on AT MEMBERB' cp_on MEMBERA LOGON LINUX2 LINUX2
undisturbed

# messages come in moderation: a flood of garbage does not flood the console
for i in $(seq 50); do
    peer garbage >/dev/null
done
undisturbed
lines=$(endicott wait -m MEMBERA --match 'SSI connection from' --since-start --timeout 60 | wc -l)
[ "$lines" -lt 50 ] || fail "$lines lines about refused connections"
expect 0 'has ended' endicott stop "$cluster"
echo "bad_peer: passed"
