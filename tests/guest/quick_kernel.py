#!/usr/bin/env python3
"""quick_kernel.py KERNEL QUICK: the same Linux for s390x with its payload stored instead of packed.

To unpack itself (XZ) takes a kernel two thirds of what its boot costs here. QUICK has the same startup code and the same
payload, but as chunks that its decoder only copies; what packs ten to one stays packed. The payload is longer for that:
the words that tell its end and that of the image are moved in the startup code. An image that is not understood is copied
as it is, and said so: tests then take longer, no more.
"""
import lzma
import shutil
import struct
import sys
import zlib

MAGIC, END = b"\xfd7zXZ\0", b"YZ"
STARTUP = 0x10000           # where the startup code and its constants begin
HEAP_MAX = 4 << 20          # constants up to so much above the image's end are of the room behind it
PAGE, TRAILER = 4096, 32    # the end of an image is a page's, and there is what tells it
CHUNK, PACKS = 65536, 10    # bytes, and how many to one is worth unpacking
LARL = 0xC0                 # LOAD ADDRESS RELATIVE LONG: C0r0, then halfwords to the operand
CHECK_NONE = b"\0\0"
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}]


class NotUnderstood(Exception):
    """Why the image is left as it is."""


def payload_of(image):
    """Where the payload begins, where it ends (its size, 4 bytes, included), and what is in it."""
    at = image.find(MAGIC)
    while at >= 0:
        unpacker = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
        try:
            contents = unpacker.decompress(image[at:])
        except lzma.LZMAError:  # the decoder's own constant
            contents = b""
        if unpacker.eof and contents:
            end = len(image) - len(unpacker.unused_data)
            if image[end:end + 4] != struct.pack("<I", len(contents)):
                raise NotUnderstood("the payload's size does not follow it")
            return at, end + 4, contents
        at = image.find(MAGIC, at + 1)
    raise NotUnderstood("no XZ payload")


def number(value):
    """As XZ has it: seven bits a byte, the lowest first."""
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes(digits) + bytes([value])


def with_crc(data):
    return data + struct.pack("<I", zlib.crc32(data))


def padded(data):
    return data + bytes(-len(data) % 4)


def chunk(data):
    """LZMA2 chunks of these bytes: each resets the dictionary. DEFLATE, which is quick, tells whether they pack well."""
    if len(zlib.compress(data, 1)) * PACKS <= len(data):
        return lzma.compress(data, format=lzma.FORMAT_RAW, filters=FILTERS)[:-1]
    return b"\1" + struct.pack(">H", len(data) - 1) + data


def stored(contents):
    """An XZ stream of one block, without a check."""
    header = with_crc(bytes([2, 0, 0x21, 1, 22, 0, 0, 0]))
    block = b"".join(chunk(contents[at:at + CHUNK]) for at in range(0, len(contents), CHUNK)) + b"\0"
    index = with_crc(padded(b"\0" + number(1) + number(len(header) + len(block)) + number(len(contents))))
    footer = struct.pack("<I", len(index) // 4 - 1) + CHECK_NONE
    stream = (MAGIC + with_crc(CHECK_NONE) + header + padded(block) + index + struct.pack("<I", zlib.crc32(footer)) + footer + END)
    if lzma.decompress(stream) != contents:
        raise NotUnderstood("what is stored is not what was packed")
    return stream


def moved(startup, old_payload_end, payload_end, old_end, end):
    """The startup code with these two ends in its constants, and in the instructions that load the image's."""
    ends = images = 0
    for at in range(STARTUP, len(startup) - 7, 8):
        word, = struct.unpack_from(">Q", startup, at)
        if word == old_payload_end:
            struct.pack_into(">Q", startup, at, payload_end)
            ends += 1
        elif old_end <= word < old_end + HEAP_MAX:
            struct.pack_into(">Q", startup, at, word - old_end + end)
            images += 1
    for at in range(0, len(startup) - 5, 2):
        code, halfwords = struct.unpack_from(">Hi", startup, at)
        if code >> 8 == LARL and not code & 15 and at + 2 * halfwords == old_end:
            struct.pack_into(">i", startup, at + 2, (end - at) // 2)
    if ends != 1 or not images:
        raise NotUnderstood(f"the payload's end is told {ends} times, the image's {images} times")


def quick(image):
    start, payload_end, contents = payload_of(image)
    if len(image) % PAGE or not any(image[-8:]):
        raise NotUnderstood("no trailer at a page's end")
    payload = stored(contents) + struct.pack("<I", len(contents))
    end = -(-(start + len(payload) + TRAILER) // PAGE) * PAGE
    startup = bytearray(image[:start])
    moved(startup, payload_end, start + len(payload), len(image), end)
    trailer = image[-TRAILER:]
    return bytes(startup) + payload + bytes(end - start - len(payload) - TRAILER) + trailer


def main():
    source, target = sys.argv[1:]
    with open(source, "rb") as file:
        image = file.read()
    try:
        image = quick(image)
    except NotUnderstood as why:
        print(f"quick_kernel: {source} is used as it is: {why}")
    with open(target + ".new", "wb") as file:
        file.write(image)
    shutil.move(target + ".new", target)


if __name__ == "__main__":
    main()
