#!/usr/bin/env python3
"""Frames of a pcapng file, one a line: interface, direction (in, out), receiver, sender, type, length, comment. Fails when a block
is not whole; the last may be cut off with --cut (the file is being written)."""
import struct
import sys


def options(data):
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from("=HH", data, at)
        if not code:
            return
        yield code, data[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


def blocks(data, cut):
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at) if at + 12 <= len(data) else (0, 0)
        if length < 12 or length % 4 or at + length > len(data):
            if cut:
                return
            sys.exit(f"a block at {at} is not whole")
        if struct.unpack_from("=I", data, at + length - 4)[0] != length:
            sys.exit(f"the lengths of the block at {at} differ")
        yield kind, data[at + 8:at + length - 4]
        at += length


def mac(data):
    return ":".join(f"{b:02x}" for b in data)


def main():
    names = []
    with open(sys.argv[-1], "rb") as file:
        data = file.read()
    for kind, body in blocks(data, "--cut" in sys.argv):
        if kind == 1:
            names.append(dict(options(body[8:]))[2].decode())
        if kind != 6:
            continue
        interface, _, _, length, whole = struct.unpack_from("=IIIII", body)
        assert length == whole
        frame, told = body[20:20 + length], dict(options(body[20 + (length + 3) // 4 * 4:]))
        direction = ("", "in", "out")[struct.unpack("=I", told[2])[0] & 3]
        print(names[interface], direction, mac(frame[:6]), mac(frame[6:12]), frame[12:14].hex(), length,
              told.get(1, b"").decode())


main()
