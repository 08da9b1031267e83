#!/usr/bin/env python3
"""What the decimal instructions do, said once more with Python's integers.

`decimal_model.py SEED COUNT` writes COUNT lines: an instruction, program mask, where its window of storage
lies, the window before, then interruption code, condition code, general registers 3 and 1 (EDMK: as
an offset into the window) and window after it. Both operands lie anywhere in the window, so they overlap and cross its middle, which is a page
boundary or the end of storage. tests/unit/cpu/cpu_decimal_model_test.c executes them.
"""
import random
import sys

import tables

WINDOW, HALF, BASE = 96, 48, 5
SPECIFICATION, ADDRESSING, DATA, FIXED_DIVIDE, DECIMAL_OVERFLOW, DECIMAL_DIVIDE = 6, 5, 7, 9, 10, 11
PLUS, MINUS = (0xa, 0xc, 0xe, 0xf), (0xb, 0xd)
OVERFLOW_MASK = 4
NO_MARK = 0x7777


class Interruption(Exception):
    """Suppresses the instruction."""


class Window:
    """Bytes around the boundary; beyond it there is nothing when `ends`."""

    def __init__(self, content, ends):
        self.bytes, self.ends = bytearray(content), ends

    def check(self, at, length):
        if self.ends and at + length > HALF:
            raise Interruption(ADDRESSING)

    def get(self, at, length):
        self.check(at, length)
        return bytes(self.bytes[at:at + length])

    def put(self, at, content):
        self.check(at, len(content))
        self.bytes[at:at + len(content)] = content


def number(packed):
    """The value of packed bytes, with -0 told from 0 as (magnitude, negative)."""
    text = packed.hex()
    digits, sign = text[:-1], int(text[-1], 16)
    if any(d > "9" for d in digits) or sign < 10:
        raise Interruption(DATA)
    return int(digits), sign in MINUS


def packed(magnitude, negative, length):
    digits = str(magnitude).zfill(2 * length - 1)[-(2 * length - 1):]
    return bytes.fromhex(digits + ("d" if negative else "c"))


class Case:
    """One instruction over a window."""

    def __init__(self, chance, opcodes):
        self.chance, self.opcodes = chance, opcodes
        self.length1, self.length2 = chance.randrange(1, 17), chance.randrange(1, 17)
        ends = chance.randrange(8) == 0
        room = HALF - 16 if ends and chance.randrange(2) else WINDOW - 16
        self.at1, self.at2 = chance.randrange(room), chance.randrange(room)
        if chance.randrange(3) == 0:
            self.at2 = max(0, min(room, self.at1 + chance.randrange(-16, 17)))
        content = chance.randbytes(WINDOW)
        self.window = Window(content, ends)
        self.mask = chance.randrange(16)
        self.cc, self.g3, self.mark = chance.randrange(4), chance.getrandbits(64), NO_MARK

    def put_number(self, at, length, digits=None):
        """A number, mostly valid, of at most `digits` digits."""
        c = self.chance
        most = 2 * length - 1
        count = c.choice((most, c.randrange(most + 1))) if digits is None else min(digits, most)
        text = "".join(c.choice("0123456789999") for _ in range(count)).zfill(most)[-most:]
        if c.randrange(12) == 0:
            text = "0" * most
        sign = c.choice(PLUS + MINUS)
        if c.randrange(25) == 0:
            sign = c.randrange(10)
        if c.randrange(25) == 0:
            where = c.randrange(most)
            text = text[:where] + c.choice("abcdef") + text[where + 1:]
        self.window.bytes[at:at + length] = bytes.fromhex(text + f"{sign:x}")

    def ss(self, name, first=None, second=None, displacement2=None):
        first = self.length1 - 1 if first is None else first
        second = self.length2 - 1 if second is None else second
        if displacement2 is None:
            end = f"{BASE:x}{self.at2:03x}"
        else:
            end = f"0{displacement2:03x}"
        return f"{int(self.opcodes[name][0], 0):02x}{first:x}{second:x}{BASE:x}{self.at1:03x}{end}"

    def rx(self, name):
        op, sub = (int(x, 0) for x in self.opcodes[name][:2])
        start = f"{op:02x}30{BASE:x}{self.at1:03x}"
        return start + f"00{sub:02x}" if op == 0xe3 else start

    # -- operations: the text of the instruction, and a function that does it

    def sum(self, name):
        self.put_number(self.at1, self.length1)
        self.put_number(self.at2, self.length2)

        def work():
            self.window.check(self.at1, self.length1)
            b, b_minus = number(self.window.get(self.at2, self.length2))
            a, a_minus = (0, False) if name == "zap" else number(self.window.get(self.at1, self.length1))
            if name in ("sp", "cp"):
                b_minus = not b_minus
            total = (-a if a_minus else a) + (-b if b_minus else b)
            if name == "cp":
                self.cc = 0 if total == 0 else 1 if total < 0 else 2
                return 0
            return self.stored(abs(total), total < 0)
        return self.ss(name), work

    def stored(self, magnitude, negative, lost=False):
        """A result that may overflow."""
        fits = magnitude < 10 ** (2 * self.length1 - 1) and not lost
        if fits and magnitude == 0:
            negative = False
        self.window.put(self.at1, packed(magnitude, negative, self.length1))
        self.cc = 3 if not fits else 0 if magnitude == 0 else 1 if negative else 2
        return DECIMAL_OVERFLOW if not fits and self.mask & OVERFLOW_MASK else 0

    def product(self, name):
        if self.chance.randrange(4):
            self.length2 = min(self.length2, 8)
            self.length1 = max(self.length1, min(self.length2 + 1, 16))
        short = max(self.length1 - self.length2, 1)
        self.put_number(self.at2, self.length2)
        self.put_number(self.at1, self.length1, digits=2 * short - 1 if self.chance.randrange(8) else None)

        def work():
            if self.length2 > 8 or self.length2 >= self.length1:
                raise Interruption(SPECIFICATION)
            first = self.window.get(self.at1, self.length1)
            b, b_minus = number(self.window.get(self.at2, self.length2))
            a, a_minus = number(first)
            if name == "dp":
                return self.quotient(a, a_minus, b, b_minus)
            if any(first[:self.length2]):
                raise Interruption(DATA)
            self.window.put(self.at1, packed(a * b, a_minus != b_minus, self.length1))
            return 0
        return self.ss(name), work

    def quotient(self, a, a_minus, b, b_minus):
        length = self.length1 - self.length2
        if b == 0 or a // b >= 10 ** (2 * length - 1):
            raise Interruption(DECIMAL_DIVIDE)
        self.window.put(self.at1, packed(a // b, a_minus != b_minus, length) + packed(a % b, a_minus, self.length2))
        return 0

    def shift(self, name):
        self.put_number(self.at1, self.length1)
        amount = self.chance.choice((self.chance.randrange(64), self.chance.choice((0, 1, 2, 61, 62, 63))))
        rounding = self.chance.randrange(10) if self.chance.randrange(12) else self.chance.randrange(16)

        def work():
            a, minus = number(self.window.get(self.at1, self.length1))
            if rounding > 9:
                raise Interruption(DATA)
            if amount < 32:
                return self.stored(a * 10 ** amount, minus)
            right = 64 - amount
            return self.stored((a + rounding * 10 ** (right - 1)) // 10 ** right, minus)
        return self.ss(name, second=rounding, displacement2=amount | self.chance.randrange(4) << 6), work

    def test(self, name):
        self.put_number(self.at1, self.length1)

        def work():
            text = self.window.get(self.at1, self.length1).hex()
            self.cc = 2 * any(d > "9" for d in text[:-1]) + (text[-1] <= "9")
            return 0
        return f"eb{self.length1 - 1:x}0{BASE:x}{self.at1:03x}00c0", work

    def to_binary(self, name):
        length, bits = (16, 64) if name == "cvbg" else (8, 32)
        limit = 1 << bits - 1
        self.put_number(self.at1, length, digits=self.chance.choice((None, 9, 10, 11, 18, 19, 20)))
        if self.chance.randrange(3) == 0:
            self.window.bytes[self.at1:self.at1 + length] = packed(
                limit + self.chance.randrange(-2, 3), self.chance.getrandbits(1), length)

        def work():
            a, minus = number(self.window.get(self.at1, length))
            value = -a if minus else a
            fits = -limit <= value < limit
            if not fits and bits == 64:
                raise Interruption(FIXED_DIVIDE)
            ones = (1 << bits) - 1
            self.g3 = self.g3 & ~ones | value & ones
            return 0 if fits else FIXED_DIVIDE
        return self.rx(name), work

    def from_binary(self, name):
        length, bits = (16, 64) if name == "cvdg" else (8, 32)
        edges = (0, -1, 1 << bits - 1, (1 << bits - 1) - 1, self.chance.getrandbits(64))
        if self.chance.randrange(2):
            self.g3 = self.chance.choice(edges) & (1 << 64) - 1

        def work():
            value = self.g3 & (1 << bits) - 1
            value -= (value >> bits - 1) << bits
            self.window.put(self.at1, packed(abs(value), value < 0, length))
            return 0
        return self.rx(name), work

    def repack(self, name):
        """PACK, UNPK, MVO: right to left, a byte at a time."""
        def work():
            self.window.check(self.at1, self.length1)
            self.window.check(self.at2, self.length2)
            w = self.window.bytes
            left1, left2 = self.length1, self.length2

            def fetch():
                nonlocal left2
                left2 -= 1
                return w[self.at2 + left2] if left2 >= 0 else 0

            def store(byte):
                nonlocal left1
                left1 -= 1
                if left1 >= 0:
                    w[self.at1 + left1] = byte
            low = w[self.at1 + left1 - 1] & 15
            if name != "mvo":
                byte = fetch()
                store(byte << 4 & 0xf0 | byte >> 4)
            while left1 > 0:
                byte = fetch()
                if name == "mvo":
                    store(byte << 4 & 0xf0 | low)
                    low = byte >> 4
                elif name == "pack":
                    store(byte & 15 | fetch() << 4 & 0xf0)
                else:
                    store(0xf0 | byte & 15)
                    store(0xf0 | byte >> 4)
            return 0
        return self.ss(name), work

    def ss_l(self, name, length):
        op = int(self.opcodes[name][0], 0)
        return f"{op:02x}{length - 1:02x}{BASE:x}{self.at1:03x}{BASE:x}{self.at2:03x}"

    def edit(self, name):
        """ED and EDMK; the pattern and the source are apart."""
        c = self.chance
        length = c.randrange(1, 33)
        self.at1, self.at2 = c.randrange(HALF - length + 1) if c.randrange(4) else 0, HALF + c.randrange(-12, 8)
        if self.at1 + length > self.at2:
            self.at1 = 0
        pattern = [c.choice((0x20, 0x20, 0x20, 0x21, 0x22, 0x40, 0x5c, 0x6b, 0xc1)) for _ in range(length)]
        digits = [c.choice((0, 0, c.randrange(10))) * 16 + c.choice((0, c.randrange(10), 12, 13, c.randrange(16)))
                  for _ in range(20)]
        if c.randrange(20) == 0:
            digits[c.randrange(4)] |= 0xf0
        self.window.bytes[self.at1:self.at1 + length] = bytes(pattern)
        self.window.bytes[self.at2:self.at2 + 20] = bytes(digits)

        def work():
            result, mark = bytearray(self.window.get(self.at1, length)), NO_MARK
            fill, source, waiting = result[0], self.at2, None
            significant = nonzero = False
            for i, byte in enumerate(result):
                if byte == 0x22:
                    result[i], significant, nonzero = fill, False, False
                elif byte not in (0x20, 0x21):
                    result[i] = byte if significant else fill
                else:
                    positive = False
                    if waiting is not None:
                        digit, waiting = waiting, None
                    else:
                        digit, right = divmod(self.window.get(source, 1)[0], 16)
                        source += 1
                        if digit > 9:
                            raise Interruption(DATA)
                        waiting = right if right <= 9 else None
                        positive = right in PLUS
                    if digit and not significant:
                        mark = self.at1 + i
                    result[i] = 0xf0 + digit if digit or significant else fill
                    significant = (significant or digit > 0 or byte == 0x21) and not positive
                    nonzero = nonzero or digit > 0
            self.window.put(self.at1, result)
            self.cc = 0 if not nonzero else 1 if significant else 2
            self.mark = mark if name == "edmk" else NO_MARK
            return 0
        return self.ss_l(name, length), work

    def characters(self, name):
        """PKA, PKU, UNPKA, UNPKU: 16 bytes packed, characters of one or two bytes."""
        c = self.chance
        size = 2 if name.endswith("u") else 1
        length = size * c.randrange(1, 33) if c.randrange(10) else c.randrange(1, 65)
        packing = name.startswith("p")
        few, many = c.randrange(16), 32
        self.at1, self.at2 = (few, many) if packing else (many, few)
        if self.window.ends:
            self.at1, self.at2 = self.at1 + c.randrange(17), self.at2

        def work():
            if length % size or length // size > 32:
                raise Interruption(SPECIFICATION)
            if packing:
                text = self.window.get(self.at2, length)[size - 1::size]
                digits = "".join(f"{b & 15:x}" for b in text)[-31:].zfill(31)
                self.window.put(self.at1, bytes.fromhex(digits + "c"))
                return 0
            nibbles = self.window.get(self.at2, 16).hex()
            text = ("0" * 32 + nibbles[:-1])[-(length // size):]
            pad = b"\0" * (size - 1)
            self.window.put(self.at1, b"".join(pad + bytes((0x30 | int(d, 16),)) for d in text))
            sign = int(nibbles[-1], 16)
            self.cc = 3 if sign < 10 else 1 if sign in MINUS else 0
            return 0
        return self.ss_l(name, length), work

    KINDS = {"ap": sum, "sp": sum, "zap": sum, "cp": sum, "mp": product, "dp": product, "srp": shift, "tp": test,
             "cvb": to_binary, "cvby": to_binary, "cvbg": to_binary, "cvd": from_binary, "cvdy": from_binary,
             "cvdg": from_binary, "pack": repack, "unpk": repack, "mvo": repack,
             "ed": edit, "edmk": edit, "pka": characters, "pku": characters, "unpka": characters, "unpku": characters}

    def line(self, name):
        text, work = self.KINDS[name](self, name)
        before = f"{self.mask:x} {int(self.window.ends)} {self.cc} {self.g3:x} {self.window.bytes.hex()}"
        try:
            code = work()
        except Interruption as interruption:
            code = interruption.args[0]
        return f"{text} {before} {code} {self.cc} {self.g3:x} {self.mark:x} {self.window.bytes.hex()}"


def main():
    chance = random.Random(int(sys.argv[1], 0))
    opcodes = {row[3]: row for _, found in tables.chapters() for row in found}
    names = list(Case.KINDS)
    for i in range(int(sys.argv[2])):
        print(Case(chance, opcodes).line(names[i % len(names)]))


if __name__ == "__main__":
    main()
