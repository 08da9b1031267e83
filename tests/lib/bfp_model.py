#!/usr/bin/env python3
"""What binary floating-point instructions do, said once more with exact fractions.

`bfp_model.py SEED COUNT` writes COUNT lines, each an instruction, the state before it and the state
that the Principles of Operation (chapters 9 and 19) want after it; tests/unit/cpu/cpu_bfp_model_test.c executes
them. Nothing here is taken from cpu/bfp: a value is a Fraction, rounding a floor division.
"""
import random
import sys
from fractions import Fraction

import tables

INVALID, DIVZERO, OVERFLOW, UNDERFLOW, INEXACT, INCREMENTED = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04
RNE, RZ, RP, RM, RNA, RFS = 0, 1, 2, 3, 4, 7
M_FIELD = {1: RNA, 3: RFS, 4: RNE, 5: RZ, 6: RP, 7: RM}
PGM_SPECIFICATION, PGM_DATA = 6, 7


class Format:
    """Bits, precision with the implicit bit, largest exponent, exponent adjustments of traps."""

    def __init__(self, bits, precision, emax, alpha, alpha_rounded):
        self.bits, self.precision, self.emax = bits, precision, emax
        self.alpha, self.alpha_rounded = alpha, alpha_rounded
        self.emin = 1 - emax
        self.sign = 1 << bits - 1
        self.infinity = (2 * emax + 1) << precision - 1
        self.quiet = 1 << precision - 2
        self.fraction = (1 << precision - 1) - 1

    def is_nan(self, bits):
        return bits & ~self.sign > self.infinity

    def is_snan(self, bits):
        return self.is_nan(bits) and not bits & self.quiet

    def is_inf(self, bits):
        return bits & ~self.sign == self.infinity

    def is_zero(self, bits):
        return bits & ~self.sign == 0

    def negative(self, bits):
        return bits & self.sign != 0

    def value(self, bits):
        field = bits >> self.precision - 1 & 2 * self.emax + 1
        digits = bits & self.fraction | (self.fraction + 1 if field else 0)
        number = digits * Fraction(2) ** (max(field, 1) - self.emax - self.precision + 1)
        return -number if self.negative(bits) else number

    def encode(self, negative, magnitude):
        """Bits of a magnitude that the format holds exactly."""
        exponent = max(log2(magnitude), self.emin) if magnitude else self.emin
        digits = magnitude / Fraction(2) ** (exponent - self.precision + 1)
        assert digits.denominator == 1 and digits < 2 << self.precision
        field = exponent + self.emax if digits > self.fraction else 0
        bits = field << self.precision - 1 | int(digits) & self.fraction
        return bits | self.sign if negative else bits


SHORT = Format(32, 24, 127, 192, 0)
LONG = Format(64, 53, 1023, 1536, 512)
EXTENDED = Format(128, 113, 16383, 24576, 8192)
FORMATS = {"e": SHORT, "d": LONG, "x": EXTENDED}


def log2(magnitude):
    """Floor of the binary logarithm of a positive Fraction."""
    e = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    return e if Fraction(2) ** e <= magnitude else e - 1


def round_to(magnitude, quantum, mode, negative):
    """The multiple of quantum, and whether it is larger than the precise magnitude."""
    digits, rest = divmod(magnitude, quantum)
    digits = int(digits)
    twice = 2 * rest - quantum
    up = {RNE: twice > 0 or (twice == 0 and digits & 1), RNA: twice >= 0, RZ: False,
          RP: not negative, RM: negative, RFS: not digits & 1}[mode]
    up = bool(up) and rest != 0
    return (digits + up) * quantum, up


class Suppressed(Exception):
    """A trap that leaves everything as it was."""


class Machine:
    """Rounding mode and masks of one instruction; its flags and DXC."""

    def __init__(self, fpc, mode=None, no_inexact=False):
        self.mode = fpc & 7 if mode is None else mode
        self.masks, self.no_inexact = fpc >> 24, no_inexact
        self.flags = self.dxc = 0

    def signal(self, exception):
        """Invalid operation or division by zero."""
        if self.masks & exception:
            self.dxc = exception
            raise Suppressed
        self.flags |= exception

    def inexact(self, up):
        if self.no_inexact:
            return
        if self.masks & INEXACT:
            self.dxc = INEXACT | (INCREMENTED if up else 0)
        else:
            self.flags |= INEXACT

    def quieted(self, form, bits):
        if form.is_snan(bits):
            self.signal(INVALID)
        return bits | form.quiet

    def nan_of(self, form, *operands):
        """Signalling before quiet NaNs, then in order; None when there is none."""
        for wanted in (form.is_snan, form.is_nan):
            for bits in operands:
                if wanted(bits):
                    return self.quieted(form, bits)
        return None

    def default_nan(self, form):
        self.signal(INVALID)
        return form.infinity | form.quiet

    def result(self, form, number, wide=None):
        """Bits of a nonzero number; (bits, format) of a trapped LOAD ROUNDED from `wide`."""
        negative, magnitude = number < 0, abs(number)
        exponent = log2(magnitude)
        rounded, up = round_to(magnitude, Fraction(2) ** (exponent - form.precision + 1), self.mode, negative)
        tiny, huge = exponent < form.emin, rounded >= Fraction(2) ** (form.emax + 1)
        trap = UNDERFLOW if tiny and self.masks & UNDERFLOW else OVERFLOW if huge and self.masks & OVERFLOW else 0
        if trap:
            self.dxc = trap | (INEXACT if rounded != magnitude else 0) | (INCREMENTED if up else 0)
            into, alpha = (wide, wide.alpha_rounded) if wide else (form, form.alpha)
            scaled = rounded * Fraction(2) ** (alpha if tiny else -alpha)
            bits = into.encode(negative, scaled)
            return (bits, into) if wide else bits
        if huge:
            return self.overflowed(form, negative)
        if tiny:
            rounded, up = round_to(magnitude, Fraction(2) ** (form.emin - form.precision + 1), self.mode, negative)
        if rounded != magnitude:
            self.flags |= UNDERFLOW if tiny else 0
            self.inexact(up)
        return form.encode(negative, rounded)

    def overflowed(self, form, negative):
        infinite = self.mode in (RNE, RNA, RM if negative else RP)
        self.flags |= OVERFLOW
        self.inexact(infinite)
        bits = form.infinity if infinite else form.infinity - 1
        return bits | form.sign if negative else bits

    def number_or_zero(self, form, number, zero_negative, wide=None):
        if number:
            return self.result(form, number, wide)
        return form.sign if zero_negative else 0


# --- operations -----------------------------------------------------------------------------------

def add(m, form, a, b, nans=None):
    nan = m.nan_of(form, *(nans or (a, b)))
    if nan is not None:
        return nan
    if form.is_inf(a) and form.is_inf(b) and a != b:
        return m.default_nan(form)
    for bits in (a, b):
        if form.is_inf(bits):
            return bits
    if form.is_zero(a) and form.is_zero(b) and form.negative(a) == form.negative(b):
        return a
    return m.number_or_zero(form, form.value(a) + form.value(b), m.mode == RM)


def subtract(m, form, a, b):
    return add(m, form, a, b ^ form.sign, nans=(a, b))


def multiply(m, form, a, b, into=None):
    into = into or form
    nan = m.nan_of(form, a, b)
    if nan is not None:
        return lengthened(form, into, nan)
    if form.is_inf(a) and form.is_zero(b) or form.is_zero(a) and form.is_inf(b):
        return m.default_nan(into)
    negative = form.negative(a) != form.negative(b)
    if form.is_inf(a) or form.is_inf(b):
        return into.infinity | (into.sign if negative else 0)
    return m.number_or_zero(into, form.value(a) * form.value(b), negative)


def divide(m, form, a, b):
    nan = m.nan_of(form, a, b)
    if nan is not None:
        return nan
    if form.is_inf(a) and form.is_inf(b) or form.is_zero(a) and form.is_zero(b):
        return m.default_nan(form)
    negative = form.negative(a) != form.negative(b)
    sign = form.sign if negative else 0
    if form.is_inf(a):
        return form.infinity | sign
    if form.is_inf(b):
        return sign
    if form.is_zero(b):
        m.signal(DIVZERO)
        return form.infinity | sign
    return m.number_or_zero(form, form.value(a) / form.value(b), negative)


def multiply_add(m, form, first, second, third, minus):
    """third * second +- first; the NaN of a product comes before that of the sum."""
    zero_inf = form.is_zero(second) and form.is_inf(third) or form.is_inf(second) and form.is_zero(third)
    if zero_inf:
        return m.default_nan(form)
    nan = m.nan_of(form, second, third, first)
    if nan is not None:
        return nan
    negative = form.negative(second) != form.negative(third)
    first ^= form.sign if minus else 0
    if form.is_inf(second) or form.is_inf(third):
        if form.is_inf(first) and form.negative(first) != negative:
            return m.default_nan(form)
        return form.infinity | (form.sign if negative else 0)
    if form.is_inf(first):
        return first
    product = form.value(second) * form.value(third)
    same_zero = not product and form.is_zero(first) and form.negative(first) == negative
    return m.number_or_zero(form, product + form.value(first), negative if same_zero else m.mode == RM)


def square_root(m, form, a):
    nan = m.nan_of(form, a)
    if nan is not None:
        return nan
    if form.is_zero(a) or a == form.infinity:
        return a
    if form.negative(a):
        return m.default_nan(form)
    value = form.value(a)
    shift = 300 + value.denominator.bit_length() // 2
    scaled = value * 4 ** shift
    low = integer_root(int(scaled))
    exact = low * low == scaled
    # far below the last place of any result, one more half digit stands for the rest
    return m.result(form, Fraction(2 * low + (0 if exact else 1), 2 << shift))


def integer_root(n):
    x = 1 << (n.bit_length() + 1) // 2
    while True:
        y = (x + n // x) // 2
        if y >= x:
            return x
        x = y


def lengthened(form, into, bits):
    """A quiet NaN in another format: the payload keeps its leftmost bits."""
    shift = into.precision - form.precision
    fraction = bits & form.fraction
    fraction = fraction << shift if shift >= 0 else fraction >> -shift
    return into.infinity | fraction | (into.sign if form.negative(bits) else 0)


def converted(m, form, into, bits, wide=None):
    if form.is_nan(bits):
        return lengthened(form, into, m.quieted(form, bits))
    sign = into.sign if form.negative(bits) else 0
    if form.is_inf(bits):
        return into.infinity | sign
    return m.number_or_zero(into, form.value(bits), bool(sign), wide)


def integral(m, form, bits):
    if form.is_nan(bits):
        return m.quieted(form, bits)
    if form.is_inf(bits) or form.is_zero(bits):
        return bits
    number = form.value(bits)
    rounded, up = round_to(abs(number), Fraction(1), m.mode, number < 0)
    if rounded != abs(number):
        m.inexact(up)
    return form.encode(number < 0, rounded)


def to_fixed(m, form, bits, width, signed):
    """(integer, condition code)"""
    low, high = (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)
    if not form.is_nan(bits) and not form.is_inf(bits):
        number = form.value(bits)
        rounded, up = round_to(abs(number), Fraction(1), m.mode, number < 0)
        whole = -int(rounded) if number < 0 else int(rounded)
        if low <= whole <= high:
            if rounded != abs(number):
                m.inexact(up)
            return whole, 0 if not number else 1 if number < 0 else 2
    m.signal(INVALID)
    m.inexact(False)
    return low if form.is_nan(bits) or form.negative(bits) else high, 3


def divide_to_integer(m, form, a, b, mode):
    """(remainder, quotient, condition code)"""
    nan = m.nan_of(form, a, b)
    if nan is not None:
        return nan, nan, 1
    if form.is_inf(a) or form.is_zero(b):
        nan = m.default_nan(form)
        return nan, nan, 1
    negative = form.negative(a) != form.negative(b)
    sign = form.sign if negative else 0
    if form.is_zero(a) or form.is_inf(b):
        return a, sign, 0
    x, y = form.value(a), form.value(b)
    ratio = abs(x / y)
    places = max(log2(ratio) - form.precision + 1, 0)
    whole = int(ratio / 2 ** places) * 2 ** places
    partial = places > 0 and whole != ratio
    if not partial:
        whole, _ = round_to(ratio, Fraction(2) ** places, mode, negative)
    rest = x - y * (-whole if negative else whole)
    overflow = whole >= Fraction(2) ** (form.emax + 1)
    quotient = Fraction(whole) / (Fraction(2) ** form.alpha if overflow else 1)
    return (m.number_or_zero(form, rest, form.negative(a)), form.encode(negative, quotient),
            2 * partial + overflow)


# --- one instruction ------------------------------------------------------------------------------

def sign_code(form, bits):
    if form.is_nan(bits):
        return 3
    return 0 if form.is_zero(bits) else 1 if form.negative(bits) else 2


def compared(m, form, a, b, signalling):
    if form.is_nan(a) or form.is_nan(b):
        if signalling or form.is_snan(a) or form.is_snan(b):
            m.signal(INVALID)
        return 3
    def key(bits):
        if form.is_inf(bits):
            return Fraction(-4 if form.negative(bits) else 4) ** (form.emax | 1)
        return form.value(bits)
    x, y = key(a), key(b)
    return 0 if x == y else 1 if x < y else 2


def data_class(form, bits):
    magnitude = bits & ~form.sign
    if form.is_nan(bits):
        pair = 5 if form.is_snan(bits) else 4
    elif form.is_inf(bits):
        pair = 3
    else:
        pair = 0 if magnitude == 0 else 2 if magnitude <= form.fraction else 1
    return 0x800 >> 2 * pair + form.negative(bits)


class State:
    """What a vector sets and compares: FPC, condition code, some registers, storage."""
    NAMES = ("fpc", "cc", "f0", "f1", "f2", "f4", "f6", "g3")

    def __init__(self, chance):
        self.cc = chance.randrange(4)
        self.f0, self.f1, self.f2, self.f4, self.f6, self.g2, self.g3 = (
            chance.getrandbits(64) for _ in range(7))
        self.fpc = chance.choice((0, 0, 1, 2, 3, 7)) | chance.choice((0, 0, chance.randrange(32))) << 27
        self.fpc |= chance.choice((0, 0, chance.randrange(32))) << 19
        self.memory = chance.getrandbits(128)

    def put(self, form, number, bits):
        """Into floating-point register 0, 1 or 4; a pair for extended."""
        name = f"f{number}"
        if form is SHORT:
            setattr(self, name, getattr(self, name) & 0xffffffff | bits << 32)
        elif form is LONG:
            setattr(self, name, bits)
        else:
            setattr(self, name, bits >> 64)
            setattr(self, f"f{number + 2}", bits & (1 << 64) - 1)

    def text(self, *more):
        return " ".join(f"{getattr(self, n):x}" for n in (*self.NAMES, *more))


class Vectors:
    """Writes random instructions."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.opcodes = {row[3]: row for _, found in tables.chapters() for row in found}
        self.kinds = list(self.catalogue())

    def catalogue(self):
        """(mnemonic, method, arguments)"""
        four = {"a": (add, True), "s": (subtract, True), "m": (multiply, False), "d": (divide, False)}
        for letter, (operation, sets_cc) in four.items():
            for size, form in FORMATS.items():
                name = "mee" if letter + size == "me" else letter + size
                yield name + "br", self.two, (operation, form, sets_cc, False)
                if form is not EXTENDED:
                    yield name + "b", self.two, (operation, form, sets_cc, True)
        for name, form, into in (("mde", SHORT, LONG), ("mxd", LONG, EXTENDED)):
            yield name + "br", self.longer_product, (form, into, False)
            yield name + "b", self.longer_product, (form, into, True)
        for size, form in FORMATS.items():
            yield f"sq{size}br", self.root, (form, False)
            yield f"c{size}br", self.compare, (form, False, False)
            yield f"k{size}br", self.compare, (form, True, False)
            yield f"tc{size}b", self.test_class, (form,)
            for letter in "tcnp":
                yield f"l{letter}{size}br", self.load_sign, (form, letter)
            yield f"fi{size}br", self.integer_part, (form,)
            for width, letter in ((32, "f"), (64, "g")):
                yield f"c{size}{letter}br", self.from_integer, (form, width, True)
                yield f"c{size}l{letter}br", self.from_integer, (form, width, False)
                yield f"c{letter}{size}br", self.to_integer, (form, width, True)
                yield f"cl{letter}{size}br", self.to_integer, (form, width, False)
            if form is EXTENDED:
                continue
            yield f"sq{size}b", self.root, (form, True)
            yield f"c{size}b", self.compare, (form, False, True)
            yield f"k{size}b", self.compare, (form, True, True)
            yield f"di{size}br", self.integer_division, (form,)
            for letter in "as":
                yield f"m{letter}{size}br", self.fused, (form, letter == "s", False)
                yield f"m{letter}{size}b", self.fused, (form, letter == "s", True)
        for name, form, into in (("lde", SHORT, LONG), ("lxd", LONG, EXTENDED), ("lxe", SHORT, EXTENDED)):
            yield name + "br", self.lengthen, (form, into, False)
            yield name + "b", self.lengthen, (form, into, True)
        for name, form, into in (("led", LONG, SHORT), ("ldx", EXTENDED, LONG), ("lex", EXTENDED, SHORT)):
            yield name + "br", self.shorten, (form, into)

    # -- operands

    def operand(self, form, near=None):
        """Bits: special values, limits, anything; or not far from the number `near`."""
        c, sign = self.chance, self.chance.getrandbits(1) * form.sign
        kind = c.randrange(12)
        if kind == 0:
            return sign | c.choice((0, 1, form.fraction, form.fraction + 1, form.infinity - 1, form.infinity,
                                    form.infinity | form.quiet, form.infinity | 1,
                                    form.infinity | c.randrange(1, form.fraction + 1)))
        if kind == 1:
            return c.getrandbits(form.bits)
        if kind == 2:
            return sign | c.getrandbits(form.precision - 1 - c.randrange(form.precision - 1))
        exponent = c.randrange(-4, 5) if kind < 8 else c.randrange(form.emin, form.emax + 1)
        if near is not None and kind > 4:
            exponent = near + c.randrange(-form.precision - 3, form.precision + 4)
        exponent = min(max(exponent, form.emin), form.emax)
        digits = c.getrandbits(form.precision - 1)
        if c.randrange(2):
            digits &= -1 << c.randrange(form.precision)
        elif c.randrange(3) == 0:
            digits |= (1 << c.randrange(form.precision)) - 1
        return sign | exponent + form.emax << form.precision - 1 | digits & form.fraction

    def exponent_of(self, form, bits):
        return (bits >> form.precision - 1 & 2 * form.emax + 1) - form.emax

    def around(self, form, targets):
        """Near one of the powers of two in `targets`."""
        c = self.chance
        if c.randrange(3) == 0:
            return self.operand(form)
        power = Fraction(2) ** c.choice(targets)
        step = Fraction(c.randrange(-9, 10), c.choice((1, 2, 4, 8)))
        number = abs(power + step)
        if not number:
            return 0
        exponent = log2(number)
        rounded, _ = round_to(number, Fraction(2) ** (exponent - form.precision + 1), RZ, False)
        return form.encode(c.getrandbits(1), rounded)

    # -- instructions as hexadecimal text

    def rre(self, name, r1, r2, m3=0, m4=0):
        row = self.opcodes[name]
        return f"{int(row[0], 0):02x}{int(row[1], 0):02x}{m3:x}{m4:x}{r1:x}{r2:x}"

    def rxe(self, name, r1, third=None, displacement=None):
        row, d = self.opcodes[name], "0000" if displacement is None else f"0{displacement:03x}"
        base = "5" + d[1:] if displacement is None else d
        first, extra = (r1, 0) if third is None else (third, r1)
        return f"{int(row[0], 0):02x}{first:x}0{base}{extra:x}0{int(row[1], 0):02x}"

    def second(self, s, form, bits, memory):
        if memory:
            s.memory = bits << 128 - form.bits
        else:
            s.put(form, 4, bits)

    def emit(self, s, text, work):
        """State before, then `work(state)` applied; it may raise Suppressed after setting m."""
        before = s.text("g2") + f" {s.memory:032x}"
        m = work(s)
        pgm = 0
        if isinstance(m, int):
            pgm = m
        elif m is not None:
            s.fpc |= 0 if m.dxc & (INVALID | DIVZERO) else m.flags << 16
            if m.dxc:
                pgm = PGM_DATA
                s.fpc = s.fpc & ~0xff00 | m.dxc << 8
        print(text, before, pgm, s.text())

    def guarded(self, s, text, m, action):
        """action(m) gives nothing; a suppressed operation leaves the state as it is."""
        def work(_):
            try:
                action()
            except Suppressed:
                pass
            return m
        self.emit(s, text, work)

    def modifiers(self, s):
        """(m3, m4, machine or None when the mode is not valid)"""
        m3 = self.chance.choice((0, 0, 1, 3, 4, 5, 6, 7, 2, 8 + self.chance.randrange(8)))
        m4 = self.chance.choice((0, 4, 0, self.chance.randrange(16)))
        if m3 and m3 not in M_FIELD:
            return m3, m4, None
        return m3, m4, Machine(s.fpc, M_FIELD.get(m3), bool(m4 & 4))

    # -- kinds of instruction

    def two(self, name, operation, form, sets_cc, memory):
        s = State(self.chance)
        a = self.operand(form)
        b = self.operand(form, self.exponent_of(form, a))
        s.put(form, 0, a)
        self.second(s, form, b, memory)
        m = Machine(s.fpc)

        def action():
            bits = operation(m, form, a, b)
            s.put(form, 0, bits)
            if sets_cc:
                s.cc = sign_code(form, bits)
        self.guarded(s, self.rxe(name, 0) if memory else self.rre(name, 0, 4), m, action)

    def longer_product(self, name, form, into, memory):
        s, a, b = State(self.chance), self.operand(form), self.operand(form)
        s.put(form, 0, a)
        self.second(s, form, b, memory)
        m = Machine(s.fpc)
        self.guarded(s, self.rxe(name, 0) if memory else self.rre(name, 0, 4), m,
                     lambda: s.put(into, 0, multiply(m, form, a, b, into)))

    def fused(self, name, form, minus, memory):
        s = State(self.chance)
        b, c = self.operand(form), self.operand(form)
        a = self.operand(form, self.exponent_of(form, b) + self.exponent_of(form, c))
        s.put(form, 0, a)
        s.put(form, 1, c)
        self.second(s, form, b, memory)
        m = Machine(s.fpc)
        row = self.opcodes[name]
        text = (self.rxe(name, 0, third=1) if memory else
                f"{int(row[0], 0):02x}{int(row[1], 0):02x}0014")
        self.guarded(s, text, m, lambda: s.put(form, 0, multiply_add(m, form, a, b, c, minus)))

    def root(self, name, form, memory):
        s, b = State(self.chance), self.operand(form)
        if self.chance.randrange(4):
            b &= ~form.sign
        self.second(s, form, b, memory)
        m = Machine(s.fpc)
        self.guarded(s, self.rxe(name, 0) if memory else self.rre(name, 0, 4), m,
                     lambda: s.put(form, 0, square_root(m, form, b)))

    def compare(self, name, form, signalling, memory):
        s, a = State(self.chance), self.operand(form)
        b = a ^ self.chance.choice((0, 0, 1, form.sign)) if self.chance.randrange(2) else self.operand(form)
        s.put(form, 0, a)
        self.second(s, form, b, memory)
        m = Machine(s.fpc)

        def action():
            s.cc = compared(m, form, a, b, signalling)
        self.guarded(s, self.rxe(name, 0) if memory else self.rre(name, 0, 4), m, action)

    def test_class(self, name, form):
        s, a = State(self.chance), self.operand(form)
        s.put(form, 0, a)
        classes = self.chance.choice((self.chance.getrandbits(12), data_class(form, a), 0xfff & ~data_class(form, a)))

        def action():
            s.cc = int(classes & data_class(form, a) != 0)
        self.guarded(s, self.rxe(name, 0, displacement=classes), Machine(s.fpc), action)

    def load_sign(self, name, form, letter):
        s, b = State(self.chance), self.operand(form)
        s.put(form, 4, b)
        m = Machine(s.fpc)

        def action():
            bits = {"t": lambda: m.quieted(form, b) if form.is_nan(b) else b, "c": lambda: b ^ form.sign,
                    "n": lambda: b | form.sign, "p": lambda: b & ~form.sign}[letter]()
            s.put(form, 0, bits)
            s.cc = sign_code(form, bits)
        self.guarded(s, self.rre(name, 0, 4), m, action)

    def integer_part(self, name, form):
        s = State(self.chance)
        b = self.around(form, (0, 1, 3, form.precision - 2, form.precision - 1, form.precision))
        s.put(form, 4, b)
        m3, m4, m = self.modifiers(s)
        text = self.rre(name, 0, 4, m3, m4)
        if m is None:
            self.emit(s, text, lambda _: PGM_SPECIFICATION)
        else:
            self.guarded(s, text, m, lambda: s.put(form, 0, integral(m, form, b)))

    def from_integer(self, name, form, width, signed):
        s = State(self.chance)
        c = self.chance
        s.g2 = c.choice((c.getrandbits(64), c.getrandbits(c.randrange(1, 65)), -c.getrandbits(c.randrange(1, 64)),
                         (1 << c.randrange(64)) + c.randrange(-2, 3), 0, 1 << 63, 1 << 31)) & (1 << 64) - 1
        number = s.g2 & (1 << width) - 1
        if signed and number >> width - 1:
            number -= 1 << width
        m3, m4, m = self.modifiers(s)
        text = self.rre(name, 0, 2, m3, m4)
        if m is None:
            self.emit(s, text, lambda _: PGM_SPECIFICATION)
        else:
            self.guarded(s, text, m, lambda: s.put(form, 0, m.number_or_zero(form, Fraction(number), False)))

    def to_integer(self, name, form, width, signed):
        s = State(self.chance)
        b = self.around(form, (width, width - 1, 0, 1, form.precision - 1))
        s.put(form, 4, b)
        m3, m4, m = self.modifiers(s)
        text = self.rre(name, 3, 4, m3, m4)

        def action():
            number, cc = to_fixed(m, form, b, width, signed)
            mask = (1 << width) - 1
            s.g3, s.cc = s.g3 & ~mask | number & mask, cc
        if m is None:
            self.emit(s, text, lambda _: PGM_SPECIFICATION)
        else:
            self.guarded(s, text, m, action)

    def integer_division(self, name, form):
        s, a = State(self.chance), self.operand(form)
        b = self.operand(form, self.exponent_of(form, a))
        s.put(form, 0, a)
        s.put(form, 4, b)
        m4 = self.chance.choice((0, 1, 3, 4, 5, 6, 7, 2, 8))
        m = Machine(s.fpc)
        text = self.rre(name, 0, 4, 1, m4)
        if m4 and m4 not in M_FIELD:
            self.emit(s, text, lambda _: PGM_SPECIFICATION)
            return

        def action():
            rest, quotient, cc = divide_to_integer(m, form, a, b, M_FIELD.get(m4, m.mode))
            s.put(form, 0, rest)
            s.put(form, 1, quotient)
            s.cc = cc
        self.guarded(s, text, m, action)

    def lengthen(self, name, form, into, memory):
        s, b = State(self.chance), self.operand(form)
        self.second(s, form, b, memory)
        m = Machine(s.fpc)
        self.guarded(s, self.rxe(name, 0) if memory else self.rre(name, 0, 4), m,
                     lambda: s.put(into, 0, converted(m, form, into, b)))

    def shorten(self, name, form, into):
        s = State(self.chance)
        limits = (into.emax, into.emin, into.emin - into.precision, 0)
        b = self.operand(form, self.chance.choice(limits))
        s.put(form, 4, b)
        m3, m4, m = self.modifiers(s)

        def action():
            bits = converted(m, form, into, b, wide=form)
            s.put(*((bits[1], 0, bits[0]) if isinstance(bits, tuple) else (into, 0, bits)))
        text = self.rre(name, 0, 4, m3, m4)
        if m is None:
            self.emit(s, text, lambda _: PGM_SPECIFICATION)
        else:
            self.guarded(s, text, m, action)

    def write(self, count):
        for i in range(count):
            name, method, arguments = self.kinds[i % len(self.kinds)]
            method(name, *arguments)


if __name__ == "__main__":
    Vectors(int(sys.argv[1], 0)).write(int(sys.argv[2]))
