#!/usr/bin/env python3
"""A peer on the SSI port that is not what it says: `ssi_peer.py HOST:PORT CASE [DIGEST]`. Prints `CASE -> N`: the reason of a
REFUSE, or 0. With CERTIFICATE in the environment it speaks TLS, with CERTIFICATE.pem and .key unless that is empty; TLS=1.2 keeps
it to that version."""
import os, socket, ssl, struct, sys, zlib

host, port = sys.argv[1].rsplit(":", 1)
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
    s.settimeout(300)
    answer = b""
    try:
        if tls is not None:
            s = tls.wrap_socket(s)
        s.sendall(data)
        if tls is None:
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

tls = None
if "CERTIFICATE" in os.environ:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    if os.environ.get("TLS") == "1.2":
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
    if os.environ["CERTIFICATE"]:
        tls.load_cert_chain(os.environ["CERTIFICATE"] + ".pem", os.environ["CERTIFICATE"] + ".key")

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
    "good": lambda: check("good", frame(HELLO, hello()), [0, 12, 13, 14]),
    "half": lambda: check("half", frame(HELLO, hello())[:30], [0]),
}
cases[sys.argv[2]]()
