#!/usr/bin/env python3
"""First inputs for tests/fuzz/decode_exec: one file a step of seeded images. `seeds.py FOLDER [IMAGES]`; or, from
a crash, `seeds.py --hex FILE` prints the text of a file of tests/fuzz/corpus."""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import generate

WITH_GR, WITH_FPR, TRANSLATED = 1, 8, 64


def encode(image, step, flags):
    """The layout that tests/lib/decode_exec.c reads."""
    gr, fpr, storage = image.gr[:], image.fpr[:], [(step.at, step.code)]
    for name, value in step.patches:
        if name[0] in "0123456789":
            storage.append((int(name, 16), struct.pack(">Q", value)))
        elif name[:2] == "gr":
            gr[int(name[2:])] = value
        elif name[:3] == "fpr":
            fpr[int(name[3:])] = value
    data = bytes([WITH_GR | WITH_FPR | flags]) + struct.pack(">2Q32Q", step.mask, step.addr, *gr, *fpr)
    for addr, piece in storage:
        data += addr.to_bytes(3, "big") + bytes([len(piece) - 1]) + piece
    return data


def main():
    if sys.argv[1] == "--hex":
        with open(sys.argv[2], "rb") as file:
            text = file.read().hex()
        print("\n".join(text[i:i + 96] for i in range(0, len(text), 96)))
        return
    generator = generate.Generator(same=True, times=1)  # blocks with loops too
    os.makedirs(sys.argv[1], exist_ok=True)
    for seed in range(int(sys.argv[2]) if len(sys.argv) > 2 else 40):
        image = generator.image(seed, 64)
        for number, step in enumerate(image.steps):
            with open(os.path.join(sys.argv[1], f"seed-{seed}-{number}"), "wb") as file:
                file.write(encode(image, step, TRANSLATED if number % 2 else 0))


if __name__ == "__main__":
    main()
