"""Random images from a seed. What an instruction is and how it is encoded comes from the rows of cpu/isa/*.def
(rows.c prints them); this file adds only where the fields of a format lie and which registers hold addresses."""
import os
import random
import re
import shlex
import struct
import subprocess

import blocks
from image import (ASCE_HOME, ASCE_PRIMARY, ASCE_SECONDARY, BUILD, CODE, DUCT, FLAG_ALL, HERE, PRIMARY_ASTE, PT, ROOT,
                   SCRATCH, ST, Image, Step)

# (name, first bit, width) of each format of cpu/isa.h.
FIELDS = {
    "E": "", "I": "i1:8:8", "RR": "r1:8:4 r2:12:4", "RR_M": "m1:8:4 r2:12:4",
    "RRE": "r1:24:4 r2:28:4", "RRE_0": "", "RRE_1": "r1:24:4",
    "RRF": "r3:16:4 m4:20:4 r1:24:4 r2:28:4", "RRD": "r1:16:4 r3:24:4 r2:28:4",
    "RX": "r1:8:4 x2:12:4 b2:16:4 d2:20:12", "RX_M": "m1:8:4 x2:12:4 b2:16:4 d2:20:12",
    "RXE": "r1:8:4 x2:12:4 b2:16:4 d2:20:12 m3:32:4",
    "RXF": "r3:8:4 x2:12:4 b2:16:4 d2:20:12 r1:32:4",
    "RXY": "r1:8:4 x2:12:4 b2:16:4 dl2:20:12 dh2:32:8",
    "RXY_M": "m1:8:4 x2:12:4 b2:16:4 dl2:20:12 dh2:32:8",
    "RS": "r1:8:4 r3:12:4 b2:16:4 d2:20:12", "RS_M": "r1:8:4 m3:12:4 b2:16:4 d2:20:12",
    "RSI": "r1:8:4 r3:12:4 rel:16:16", "RSY": "r1:8:4 r3:12:4 b2:16:4 dl2:20:12 dh2:32:8",
    "RSY_M": "r1:8:4 m3:12:4 b2:16:4 dl2:20:12 dh2:32:8", "RSL": "l1:8:4 b1:16:4 d1:20:12",
    "RI": "r1:8:4 i2:16:16", "RI_M": "m1:8:4 rel:16:16", "RI_REL": "r1:8:4 rel:16:16",
    "RIL": "r1:8:4 i2:16:32", "RIL_M": "m1:8:4 rel:16:32", "RIL_REL": "r1:8:4 rel:16:32",
    "RIE_A": "r1:8:4 i2:16:16 m3:32:4", "RIE_B": "r1:8:4 r2:12:4 rel:16:16 m3:32:4",
    "RIE_C": "r1:8:4 m3:12:4 rel:16:16 i2:32:8", "RIE_D": "r1:8:4 r3:12:4 i2:16:16",
    "RIE_E": "r1:8:4 r3:12:4 rel:16:16", "RIE_F": "r1:8:4 r2:12:4 i3:16:8 i4:24:8 i5:32:8",
    "RIE_G": "r1:8:4 m3:12:4 i2:16:16", "RIS": "r1:8:4 m3:12:4 b4:16:4 d4:20:12 i2:32:8",
    "RRS": "r1:8:4 r2:12:4 b4:16:4 d4:20:12 m3:32:4", "S": "b2:16:4 d2:20:12",
    "SI": "i2:8:8 b1:16:4 d1:20:12", "SIY": "i2:8:8 b1:16:4 dl1:20:12 dh1:32:8",
    "SIY_D": "b1:16:4 dl1:20:12 dh1:32:8",
    "SIL": "b1:16:4 d1:20:12 i2:32:16", "SS_L": "l1:8:8 b1:16:4 d1:20:12 b2:32:4 d2:36:12",
    "SS_LL": "l1:8:4 l2:12:4 b1:16:4 d1:20:12 b2:32:4 d2:36:12",
    "SS_LI": "l1:8:4 i3:12:4 b1:16:4 d1:20:12 b2:32:4 d2:36:12",
    "SS_RR": "r1:8:4 r3:12:4 b1:16:4 d1:20:12 b2:32:4 d2:36:12",
    "SSE": "b1:16:4 d1:20:12 b2:32:4 d2:36:12",
    "SSF": "r3:8:4 b1:16:4 d1:20:12 b2:32:4 d2:36:12", "IE": "i1:24:4 i2:28:4",
    "MII": "m1:8:4 i2:12:12 i3:24:24", "SMI": "m1:8:4 b3:16:4 d3:20:12 i2:32:16",
}
FIELDS = {k: [(n, int(a), int(w)) for n, a, w in (f.split(":") for f in v.split())]
          for k, v in FIELDS.items()}

# Registers that hold addresses or lengths, by mnemonic: a = address, l = length behind it (register + 1),
# e = address of the end in general register r1, t = table in register 1, r = real address of a frame.
ROLES = {
    "mvcl": "r1al r2al", "clcl": "r1al r2al", "mvcle": "r1al r3al", "clcle": "r1al r3al",
    "mvclu": "r1al r3al", "clclu": "r1al r3al", "clst": "r1a r2a", "mvst": "r1a r2a",
    "srst": "r1e r2a", "srstu": "r1e r2a", "cuse": "r1al r2al", "mvpg": "r1a r2a",
    "cksm": "r2al", "tre": "r1al r2a", "troo": "r1al r2a t", "trot": "r1al r2a t",
    "trto": "r1al r2a t", "trtt": "r1al r2a t", "trte": "r1al t", "trtre": "r1al t",
    "cu21": "r1al r2al", "cu12": "r1al r2al", "cu14": "r1al r2al", "cu24": "r1al r2al",
    "cu41": "r1al r2al", "cu42": "r1al r2al", "lura": "r2r", "lurag": "r2r", "stura": "r2r",
    "sturg": "r2r", "iske": "r2r", "sske": "r2r", "rrbe": "r2r", "rrbm": "r2r", "ivsk": "r2a",
    "pfmf": "r2r", "tb": "r2r", "csp": "r2m", "cspg": "r2m",
}
LOOPED = {"mvcle", "clcle", "mvclu", "clclu", "clst", "mvst", "srst", "srstu", "cuse", "cksm",
          "tre", "troo", "trot", "trto", "trtt", "trte", "trtre", "cu21", "cu12", "cu14", "cu24",
          "cu41", "cu42"}
REAL_OPERAND1 = {"strag"}
PCI = {(0xb9, 0xa0), (0xb9, 0xa1), (0xb9, 0xd0), (0xb9, 0xd1), (0xb9, 0xd2), (0xb9, 0xd3), (0xb9, 0xd4), (0xe3, 0xd0),
       (0xe3, 0xd4), (0xeb, 0xd0), (0xeb, 0xd1), (0xeb, 0xd4)}  # QEMU has it; not in the Principles of Operation
KEY_SETTERS = {"sske", "pfmf", "spka", "rrbe", "rrbm"}

EDGES = [0, 1, 2, 7, 8, 9, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
         0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
         0x8000000000000000, 0x8000000000000001, 0xfffffffffffffffe, 0xffffffffffffffff,
         0xffffffff00000000, 0xffffffff80000000, 0xffffffff7fffffff, 0x00000000ffff0000, 10, 100, 64,
         63, 31, 32, 33]
FLOATS = [0, 0x80000000, 0x3f800000, 0xbf800000, 0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff,
          0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffbfffff, 0x4f000000,
          0xcf000000, 0x5f000000, 0xdf000000, 0x4effffff, 0x3f000000, 0x3fc00000, 0x40200000,
          0x33800000, 0x5effffff]
DOUBLES = [0, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000, 1, 0x800fffffffffffff,
           0x0010000000000000, 0x7fefffffffffffff, 0xffefffffffffffff, 0x7ff0000000000000,
           0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0xfff7ffffffffffff,
           0x41dfffffffc00000, 0xc1e0000000000000, 0x43e0000000000000, 0xc3e0000000000000,
           0x41efffffffe00000, 0x3fe0000000000000, 0x3ff8000000000000, 0x4004000000000000,
           0x36a0000000000000, 0x380fffffe0000000, 0x47efffffe0000000, 0x47effffff0000000,
           0x3ca0000000000000, 0x43f0000000000000, 0x3690000000000000]
QUADS = [0x0000, 0x8000, 0x3fff, 0xbfff, 0x7fff, 0xffff, 0x7ffe, 0x0001, 0x4000, 0x403e, 0xc03e,
         0x401e, 0x3f81, 0x3c01, 0x407e, 0x43fe, 0x3fc7]


class Row:
    def __init__(self, line):
        op, sub, kind, fmt, self.mn, fac, flags = line.split()
        self.op, self.sub, self.kind, self.fmt = int(op, 16), int(sub, 16), int(kind), fmt
        self.facility, flags = int(fac), int(flags)
        self.branch, self.priv, self.bfp = flags & 1, flags & 2, flags & 4
        self.length = 2 if self.op < 0x40 else 4 if self.op < 0xc0 else 6
        self.fields = FIELDS.get(fmt, [])
        self.names = {n for n, _, _ in self.fields}
        self.roles = ROLES.get(self.mn, "").split()

    def encode(self, values, junk=0):
        word = junk & ~(0xff << 40)
        mask = 0
        for name, at, width in self.fields:
            shift = 48 - at - width
            bits = ((1 << width) - 1) << shift
            mask |= bits
            word = word & ~bits | (values[name] << shift & bits)
        word |= self.op << 40
        if self.kind == 1:
            word = word & ~(0xf << 32) | self.sub << 32
        elif self.kind == 2:
            word = word & ~(0xff << 32) | self.sub << 32
        elif self.kind == 3:
            word = word & ~0xff | self.sub
        return word.to_bytes(6, "big")[:self.length]


def read_rows():
    """All rows, as the compiler sees the tables."""
    os.makedirs(BUILD, exist_ok=True)
    tool = os.path.join(BUILD, f"rows.{os.getpid()}")
    subprocess.run([*shlex.split(os.environ.get("CC", "gcc")), "-std=gnu17", "-I" + ROOT, "-o", tool,
                    os.path.join(HERE, "rows.c")], check=True)
    text = subprocess.run([tool], check=True, capture_output=True, text=True).stdout
    os.unlink(tool)
    return [Row(line) for line in text.splitlines()]


def read_excluded():
    """Mnemonic: reason, from tests/fuzz/excluded."""
    out = {}
    with open(os.path.join(HERE, "excluded"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and line[0] != "#":
                names, _, reason = line.partition(":")
                out.update({n: reason.strip() for n in names.split()})
    return out


def read_opcodes():
    """(opcode, subcode) of what the architecture has and the tables refuse; QEMU may have it."""
    with open(os.path.join(ROOT, "cpu", "isa", "isa_refused.def"), encoding="utf-8") as file:
        return {(int(op, 16), int(sub, 16)) for op, sub in re.findall(r"^R\((0x\w+), (0x\w+)", file.read(), re.M)}


def read_lowered():
    """Mnemonics that the JIT makes host code of, not calls."""
    with open(os.path.join(ROOT, "cpu", "jit", "lower.def"), encoding="utf-8") as file:
        return set(re.findall(r"^L\w*\((\w+),", file.read(), re.M))


class Generator:
    """What images are made from. `same`: both machines are Endicott, so that what QEMU lacks is made too; `times`: how
    often blocks and, at most, other steps are run; `waived`: mnemonics that blocks leave out; `translated`: all steps
    are run so often, and some are blocks although the other machine is QEMU."""

    def __init__(self, only=(), lacking=(), same=False, times=1, waived=(), translated=False):
        self.only, self.same, self.times = only, same, times
        self.often = [times] * 3 if translated else [1, 1, times]
        self.all_rows = read_rows()
        self.excluded = {mn: reason for mn, reason in read_excluded().items() if not (same and "QEMU" in reason)}
        self.excluded.update({mn: "QEMU does not have it" for mn in lacking})
        self.excluded.update({r.mn: f"format {r.fmt} is new here: FIELDS" for r in self.all_rows
                              if r.fmt not in FIELDS})
        self.rows = [r for r in self.all_rows
                     if r.mn not in self.excluded and (not only or r.mn in only)]
        self.inner = [r for r in self.all_rows if (r.mn not in self.excluded or r.mn == "svc")
                      and r.mn not in ("lpsw", "lpswe", "lpswey", "bic")]
        self.block_rows = blocks.block_rows(self, waived)
        lowered = read_lowered()
        self.lowered_rows = [r for r in self.block_rows if r.mn in lowered]
        self.block_share = 0 if only else 0.6 if same else 0.3 if translated else 0
        self.known = {(r.op, r.sub if r.kind else None) for r in self.all_rows} | {
            x for op, sub in read_opcodes() for x in ((op, sub), (op, None))} | PCI
        self.kinds = {r.op: r.kind for r in self.all_rows}

    def image(self, seed, steps):
        return Maker(self, seed).image(steps)

    def probe(self, row):
        """An image of one instruction with registers that suit most."""
        im = Image()
        im.cr[0], im.cr[3], im.cr[14] = 0x1c040000, 0xffff0000, 0xc2000000
        im.cr[1], im.cr[7] = ASCE_PRIMARY["segment"], ASCE_SECONDARY
        im.gr[4], im.gr[6], im.gr[8] = SCRATCH + 0x200, SCRATCH + 0x100, SCRATCH + 0x300
        values = {n: 0 for n in row.names}
        values.update({n: 6 for n in row.names if n[0] == "b"})
        values.update({n: 8 if n == "r2" else 4 for n in row.names if n in ("r1", "r2", "r3")})
        if "rel" in values:
            values["rel"] = 0x80
        im.steps = [Step(0x180000000, CODE + 0x10, row.encode(values), note=row.mn)]
        im.shown = (0,)
        return im


class Maker:
    """One image. Each step is made on its own, so that dropping others leaves it meaningful."""

    def __init__(self, generator, seed):
        self.g, self.rnd = generator, random.Random(f"endicott {seed}")
        self.im = Image(seed)

    # --- values ---

    def value(self):
        r = self.rnd
        kind = r.random()
        if kind < 0.5:
            v = r.choice(EDGES)
        elif kind < 0.6:
            v = r.choice(EDGES) + r.randrange(-2, 3)
        elif kind < 0.7:
            v = r.getrandbits(r.randrange(1, 65))
        elif kind < 0.8:
            v = r.getrandbits(64) << 32 | r.choice(EDGES)
        elif kind < 0.9:
            v = r.choice(EDGES) << 32 | r.choice(EDGES) & 0xffffffff
        else:
            v = r.getrandbits(64)
        return v & 0xffffffffffffffff

    def float(self, short):
        r = self.rnd
        if short:
            v = r.choice(FLOATS) if r.random() < 0.7 else r.getrandbits(32)
            if r.random() < 0.2:
                v ^= r.getrandbits(3)
            return (v & 0xffffffff) << 32 | (r.getrandbits(32) if r.random() < 0.3 else 0)
        v = r.choice(DOUBLES) if r.random() < 0.7 else r.getrandbits(64)
        return v ^ r.getrandbits(3) if r.random() < 0.2 else v

    def quad(self):
        r = self.rnd
        high = r.choice(QUADS) << 48 if r.random() < 0.8 else r.getrandbits(16) << 48
        low = r.choice([0, 1, 0xffffffffffffffff, 1 << 63, r.getrandbits(64), 1 << 59, 1 << 60])
        frac = r.choice([0, 0, 1, 1 << 47, 0xffffffffffff, r.getrandbits(48), 0xffffff << 24])
        return high | frac, low

    def packed(self, length):
        r = self.rnd
        digits = r.choice(["0" * 31, "9" * 31, "".join(r.choice("0123456789") for _ in range(31)),
                           "0" * 20 + "".join(r.choice("0123456789") for _ in range(11))])
        sign = r.choice("cdcdfabe") if r.random() < 0.95 else "5"
        text = digits[-(2 * length - 1):] + sign
        if r.random() < 0.04:
            text = text[:-2] + r.choice("abf") + text[-1:]
        return bytes.fromhex(text)

    def target(self, length=8):
        """An address that makes sense in the step's addressing mode and space."""
        r = self.rnd
        if self.dat:
            page = r.choice(self.pages)
        else:
            page = SCRATCH + 0x1000 * r.randrange(8)
            if r.random() < 0.04:
                return r.choice([0x0, 0x10, 0x1f8, 0x1fe, 0x8000000, 0x7ffffff8, 0x8001000, 0xfffffffff00000])
        kind = r.random()
        if kind < 0.15:
            off = -r.randrange(0, length + 2)
        elif kind < 0.3:
            off = 4096 - r.randrange(0, length + 2)
        elif kind < 0.8:
            off = r.randrange(0, 4096) & ~15
        else:
            off = r.randrange(0, 4096)
        if not self.dat:
            off = max(0, min(off, 4088)) if page in (SCRATCH, SCRATCH + 0x7000) else off
        return page + off & 0xffffffffffffffff

    def dirty(self, addr):
        """An address as a register may hold it: bits left of the addressing mode do not count."""
        r = self.rnd
        if self.amode == 64 or r.random() < 0.5:
            return addr
        if self.amode == 31:
            return addr & 0x7fffffff | r.getrandbits(33) << 31
        return addr & 0xffffff | r.getrandbits(40) << 24

    def high(self, addr):
        """Only the left half is anything: bits 32 to 39 may change in the 24-bit mode, or not."""
        return addr if self.amode == 64 else addr & 0xffffffff | self.rnd.getrandbits(32) << 32

    def code_target(self):
        r = self.rnd
        if r.random() < 0.01:
            return r.randrange(CODE + 0x80, CODE + 0x1f00) | 1
        if r.random() < 0.08:
            return r.choice([0x10a000, 0x112000] + [0x7ff0000000, 0xffffffffff000000] * (self.amode == 64)) \
                if self.dat else 0x8000000
        while True:                                     # not into the step's own instructions
            target = r.randrange(CODE + 0x80, CODE + 0x1f00) & ~1
            if not self.at - 8 <= target < self.at + 40:
                return target

    # --- one step ---

    def set(self, name, value):
        self.patches[name] = value & 0xffffffffffffffff

    def psw(self):
        r = self.rnd
        self.dat = r.random() < 0.75
        self.amode = r.choice([64, 64, 64, 31, 24])
        mask = {64: 0x180000000, 31: 0x80000000, 24: 0}[self.amode]
        mask |= r.randrange(4) << 44
        if r.random() < 0.15:
            mask |= r.randrange(16) << 40
        self.problem = r.random() < 0.15
        if self.problem:
            mask |= 1 << 48
        self.space = 0
        if self.dat:
            mask |= 1 << 58
            self.space = r.choice([0, 0, 0, 0, 0, 2, 3] + [1, 1] * self.g.same)
            mask |= self.space << 46
        if r.random() < 0.5:
            mask |= self.im.key >> 4 << 52
        elif self.g.same and r.random() < 0.1:
            mask |= r.randrange(16) << 52
        self.pages = self.page_pool()
        return mask

    def page_pool(self):
        good = [SCRATCH + 0x1000 * i for i in range(8)] * 3
        if self.space == 2:
            return good + [0, 0x1000, 0x108000]
        if self.space == 3:
            return good + [0x108000, 0x1000]
        pages = good + [0x109000, 0x109000, 0x10a000, 0x10b000, 0x10c000, 0x10d000, 0x10e000,
                        0x200000, 0x300000, CODE, 0, 0x1000]
        pages += {64: [0xfffffffffffff000, 0x7ffff000, 0x80000000, 0x280000000, 1 << 40],
                  31: [0x7ffff000], 24: [0xfff000]}[self.amode]
        return pages

    def operand(self, v, base, disp, index=None, length=8, target=None):
        """Gives base (and index) registers values so that the operand lies at a chosen place."""
        r = self.rnd
        target = self.target(length) if target is None else target
        if f"dl{disp}" in v:
            offset = v[f"dl{disp}"] | (v[f"dh{disp}"] << 12)
            offset -= (1 << 20) if offset & 1 << 19 else 0
        else:
            offset = v[f"d{disp}"]
        x = v[index] if index else 0
        if x and x != v[base]:
            xv = r.choice([0, 1, 8, -8, 4096, r.getrandbits(20)])
            self.set(f"gr{x}", xv)
            offset += xv
        if v[base]:
            self.set(f"gr{v[base]}", self.dirty(target - offset & 0xffffffffffffffff))
        elif x:
            self.set(f"gr{x}", self.dirty(target - v.get(f"d{disp}", 0) & 0xffffffffffffffff)
                     if f"d{disp}" in v else target - offset + (xv if x != v[base] else 0))
        return target

    def fields_of(self, row):
        r = self.rnd
        v = {n: r.getrandbits(w) for n, _, w in row.fields}
        for name in v:
            if name[0] in "bx" and name[1:] in "1234" and not v[name] and r.random() < 0.8:
                v[name] = r.randrange(1, 16)
            if name in ("r1", "r2", "r3") and r.random() < 0.5 and (
                    row.mn in PAIRS or row.mn in ROLES):
                v[name] &= ~1
            if name[0] == "d" and name[1] in "1234h" and r.random() < 0.5:
                v[name] = 0
        if row.roles and row.mn not in ("lura", "lurag", "stura", "sturg", "iske", "sske", "rrbe",
                                        "ivsk", "pfmf", "tb", "csp", "cspg", "mvpg"):
            pairs = r.sample([2, 4, 6, 8, 10, 12, 14], 3)
            for name in ("r1", "r2", "r3"):
                if name in v and (row.fmt != "RRF" or name != "r3"):
                    v[name] = pairs.pop()
            if "b2" in v:                                 # the pad must not change in the loop
                v["b2"] = 0
        if row.branch:                                  # a branch goes where we say
            v["x2"] = 0 if "x2" in v else None
            for name in ("b2", "b4"):
                if name in v and not v[name]:
                    v[name] = 7
            v = {n: x for n, x in v.items() if x is not None}
        if row.bfp and row.mn[1:2] == "x" and r.random() < 0.85:
            for name in ("r1", "r2", "r3"):
                if name in v and row.fmt in ("RRE", "RXE", "RRF", "RRE_1"):
                    v[name] &= ~2
        if row.fmt == "RRF" and r.random() < 0.7:
            v["m4"] = 0
            if row.bfp:
                v["r3"] = r.choice([0, 1, 3, 4, 5, 6, 7])
        return v

    def registers(self, row, v):
        r = self.rnd
        for name in ("r1", "r2", "r3"):
            if name in v and r.random() < 0.7:
                if row.bfp:
                    self.float_register(row, v[name])
                else:
                    self.set(f"gr{v[name]}", self.value())
                    if r.random() < 0.5:
                        self.set(f"gr{(v[name] + 1) & 15}", self.value())
        if row.bfp and r.random() < 0.5:
            mode = r.choice([0, 0, 1, 2, 3, 7])
            masks = r.choice([0, 0, 0, 0x80, 0x40, 0x20, 0x10, 0x08, 0xf8])
            self.set("fpc", (masks << 24 | r.choice([0, 0xf8, 0x10]) << 16 | mode) << 32)

    def float_register(self, row, n):
        r = self.rnd
        if "x" in row.mn[:3]:
            high, low = self.quad()
            self.set(f"fpr{n & 13}", high)
            self.set(f"fpr{n & 13 | 2}", low)
        else:
            self.set(f"fpr{n}", self.float("e" in row.mn[1:4] and r.random() < 0.9))
        if row.mn.startswith("c") and row.mn[2] in "fgl":
            self.set(f"gr{n}", self.value())

    def storage_operands(self, row, v):
        """Every base register, before roles; returns the targets by operand."""
        targets = {}
        for n in "1234":
            base = "b" + n
            if base not in v:
                continue
            if self.dat and not row.branch and self.rnd.random() < 0.04:
                continue                                # whatever the registers hold
            length = v.get("l1", 15) + 1
            target = self.branch_operand(row, v, n)
            if target is None and row.mn in REAL_OPERAND1 and n == "1":
                target = SCRATCH + self.rnd.randrange(0x7f00)
            targets[n] = self.operand(v, base, n, "x2" if n == "2" and "x2" in v else None,
                                      min(length, 256), target)
        return targets

    def branch_operand(self, row, v, n):
        if not row.branch:
            return None
        if row.mn in ("lpsw", "lpswe", "bic"):
            return None
        return self.code_target() if n in "24" else None

    def roles(self, row, v):
        r = self.rnd
        size = r.choice([0, 1, 2, 3, 8, 60, 255, 256, 300])
        good = [SCRATCH + 0x1000 * i for i in {2: range(5), 3: range(3, 6)}.get(self.space, range(7))]
        pages = r.sample(good[:-1:2], len(good[:-1:2])) if row.mn in LOOPED else []
        for role in row.roles:
            what = role[2:]
            page = pages.pop() if pages and what in ("a", "al") else r.choice(good)
            addr = page + r.choice([0, 0, 1, 8, 0xff0, r.randrange(4096)])
            addr = min(addr, good[-1] + 0xc00)
            if role == "t":
                self.set("gr1", self.high(r.choice(good[:-1]) + r.choice([0, 0, 8, 1024])))
                continue
            n = v[role[:2]]
            if what[0] in "rm":
                addr = r.choice(good) + (r.randrange(4096) & ~15 if what == "m" else r.randrange(4096))
                self.set(f"gr{n}", self.high(addr) if what == "r" else
                         self.high(addr) & ~7 | r.choice([0, 1]))
                continue
            if what == "e":
                end = max(addr, good[0] + 0x200)
                self.set(f"gr{n}", self.high(end))
                self.set(f"gr{v['r2']}", self.high(end - size - 8 & ~1))
                break
            self.set(f"gr{n}", self.high(addr))
            if "l" in what:
                length = size + r.choice([0, 0, 0, 1, 2, 20])
                if row.mn in ("mvcl", "clcl"):
                    length |= r.getrandbits(8) << 24 | r.getrandbits(32) << 32
                elif self.amode != 64:
                    left = r.getrandbits(32)                    # QEMU's CHECKSUM would go on for hours
                    length |= 0 if row.mn == "cksm" else left << 32
                self.set(f"gr{n + 1 & 15}", length)
        if row.mn in ("clst", "mvst", "srst", "cuse", "tre") or row.mn.startswith("tr"):
            self.set("gr0", r.choice([0, 0x40, 0xff, 0x20, 3]))
        if row.mn == "srstu":
            self.set("gr0", r.choice([0, 0x4040, 0x20]))

    def instruction(self, row, at):
        """Bytes of one instruction at `at`, its patches made."""
        r = self.rnd
        v = self.fields_of(row)
        self.registers(row, v)
        targets = self.storage_operands(row, v)
        if row.roles:
            self.roles(row, v)
        if "rel" in v:
            wide = dict((n, w) for n, _, w in row.fields)["rel"]
            span = 1 << wide
            v["rel"] = ((self.relative_target(row, wide) - at) >> 1) % span
        if row.branch and row.fmt in ("RR", "RR_M", "RRE") and v["r2"]:
            self.set(f"gr{v['r2']}", self.dirty(self.code_target()) | (
                r.choice([0, 1, 0x80000000]) if row.mn in ("bsm", "bassm") else 0))
        special = getattr(self, "special_" + row.mn, None)
        if special:
            special(v, targets)
        if row.fmt in ("SS_LL", "SS_LI", "RSL") or row.mn in ("cvb", "cvby", "cvbg", "unpk", "zap"):
            self.decimal_operands(row, v, targets)
        elif row.bfp and "2" in targets and r.random() < 0.7:
            self.float_operand(row, targets["2"])
        junk = r.getrandbits(48) if r.random() < 0.03 and row.fmt != "S" else 0
        return row.encode(v, junk)

    def relative_target(self, row, wide):
        r = self.rnd
        if row.branch:
            target = self.code_target()
            return target if CODE <= target < CODE + 0x2000 else CODE + 0x800
        if r.random() < 0.6 or wide == 16 or not self.dat:
            return SCRATCH + (r.randrange(0x7f00) & r.choice([~1, ~3, ~7]))
        return r.choice([0x10a000, 0x109008, 0x100fff - 1, 0x200010, 0x7ffff0, 0x10a000 - 4])

    def frame_of(self, addr):
        """Where a logical address of the step's space lies in storage, for operands to be set; or None."""
        addr &= {64: ~0, 31: 0x7fffffff, 24: 0xffffff}[self.amode]
        page, low = addr >> 12, addr & 0xfff
        if not SCRATCH >> 12 <= page < (SCRATCH >> 12) + 8 or low > 0xfc0:
            return None
        moved = {0: 0, 1: 0, 2: 3, 3: 5}[self.space] if self.dat else 0
        return SCRATCH + ((page + moved) % 8 << 12) + low

    def put_bytes(self, addr, data):
        """Doublewords that hold `data` at `addr` in storage, zeros around."""
        real = self.frame_of(addr)
        if real is None:
            return
        first = real & ~7
        whole = bytearray((real - first + len(data) + 7) & ~7)
        whole[real - first:real - first + len(data)] = data
        for i in range(0, len(whole), 8):
            self.set(f"{first + i:x}", struct.unpack_from(">Q", whole, i)[0])

    def decimal_operands(self, row, v, targets):
        r = self.rnd
        for n, target in targets.items():
            if target is None or r.random() < 0.1:
                continue
            length = v.get("l" + n, 7) + 1
            if row.mn in ("cvb", "cvby"):
                length = 8
            elif row.mn == "cvbg":
                length = 16
            if row.mn in ("cvb", "cvby", "cvbg") and r.random() < 0.8:
                number = r.choice([0, 1, 2147483647, 2147483648, 9223372036854775807, 5,
                                   r.getrandbits(31)])
                text = str(number)[-(2 * length - 1):].rjust(2 * length - 1, "0") + r.choice("cd")
                self.put_bytes(target, bytes.fromhex(text))
            else:
                self.put_bytes(target, self.packed(length))

    def float_operand(self, row, target):
        if "x" in row.mn[:2]:
            high, low = self.quad()
            self.put_bytes(target, struct.pack(">QQ", high, low))
        else:
            self.put_bytes(target, struct.pack(">Q", self.float("e" in row.mn[1:])))

    # --- instructions that need more ---

    def special_ex(self, v, targets):
        r = self.rnd
        at = SCRATCH + 0x1000 * r.choice([0, 1, 3, 4, 5, 6, 7]) + (r.randrange(0xfc0) & ~1)
        saved = dict(self.patches)
        row = r.choice(self.g.inner)
        while row.mn in LOOPED:                         # they might change what is executed: EXRL
            row = r.choice(self.g.inner)
        inner = self.instruction(row, at)
        self.inner_note, self.target_code = "+" + row.mn, (inner, at)
        keep = self.patches
        self.patches = saved
        if r.random() < 0.05:
            at |= 1
        self.patches.update(keep)
        if v["x2"] and v["x2"] != v["b2"] or not v["b2"]:
            v["x2"], v["b2"] = 0, v["b2"] or 9
        self.set(f"gr{v['b2']}", at - v["d2"])
        if v["r1"] == v["b2"]:
            v["r1"] = 0
        bits = 0xf0 if row.kind == 1 or row.branch else row.sub if row.kind == 2 else 0xff     # the opcode remains
        self.set(f"gr{v['r1']}", r.choice([0, 1, 0x0f, 0xff, 0x10, r.getrandbits(8)]) & bits)
        space, self.space = self.space, 3 if self.space == 3 else 0     # where instructions are
        self.put_bytes(at & ~1, inner)
        self.space = space

    def special_exrl(self, v, targets):
        self.special_target = True

    def psw_operand(self, v, targets, short):
        r = self.rnd
        page = r.choice([0, 1, 3, 4, 5, 6, 7])
        v["b2"] = v["b2"] or 7
        targets["2"] = self.operand(v, "b2", "2", target=SCRATCH + (page << 12) + (r.randrange(0xfc0) & ~7))
        mask = r.choice([0, 0x180000000, 0x80000000]) | r.randrange(4) << 44
        for bit in (58, 48, 47, 40, 41, 42, 43):
            if r.random() < 0.3:
                mask |= 1 << bit
        if mask >> 47 & 1 and r.random() < 0.5:
            mask |= 1 << 46
        if r.random() < 0.1:
            mask |= 1 << r.choice([63, 61, 60, 59, 39, 35, 31, 30, 3, 24, 0, 32, 52])
        if mask >> 46 & 3 == 1:
            mask &= ~(1 << 46)
        addr = self.code_target()
        if short:
            word = mask & 0xffffffff00000000 ^ (1 << 51 if r.random() < 0.95 else 0)
            word |= mask & 0x80000000 | addr & 0x7fffffff
            if mask & 0x100000000:
                word |= 0x80000000
            self.put_bytes(targets["2"], struct.pack(">Q", word))
        else:
            self.put_bytes(targets["2"], struct.pack(">QQ", mask, addr))

    def special_lpsw(self, v, targets):
        self.psw_operand(v, targets, True)

    def special_lpswe(self, v, targets):
        self.psw_operand(v, targets, False)

    def special_bic(self, v, targets):
        r = self.rnd
        page = r.choice([0, 1, 3, 4, 5, 6, 7])
        v["b2"] = v["b2"] or 7
        at = SCRATCH + (page << 12) + r.randrange(0xfc0)
        self.operand(v, "b2", "2", "x2", target=at)
        self.put_bytes(at, struct.pack(">Q", self.dirty(self.code_target())))

    def special_mvcrl(self, v, targets):
        self.set("gr0", self.rnd.randrange(256))

    def special_sac(self, v, targets):
        r = self.rnd
        code = r.choice([0, 0x100, 0x300, 0x400, 0x500, 0x700, 0x800])
        junk = r.choice([0, r.getrandbits(8), r.getrandbits(40) << 12])
        if v["b2"]:
            self.set(f"gr{v['b2']}", code + junk - v["d2"])
        else:
            v["d2"] = code

    special_sacf = special_sac

    def special_spka(self, v, targets):
        if v["b2"]:
            self.set(f"gr{v['b2']}", self.rnd.choice([0, self.im.key]) - v["d2"])
        else:
            v["d2"] = 0

    def key_register(self, n):
        self.set(f"gr{n}", self.rnd.getrandbits(32) << 8 | self.rnd.choice([0, self.im.key]))

    def special_mvck(self, v, targets):
        self.key_register(v["r3"])
        self.set(f"gr{v['r1']}", self.rnd.choice([0, 1, 5, 255, 256, 257, 1 << 32, 1 << 31])) \
            if v["r1"] not in (v["r3"], v["b1"], v["b2"]) else None

    special_mvcp = special_mvcs = special_mvck

    def special_mvcsk(self, v, targets):
        self.set("gr0", self.rnd.getrandbits(64))
        self.key_register(1)

    special_mvcdk = special_mvcsk

    def special_mvcos(self, v, targets):
        r = self.rnd
        word = 0
        for shift in (16, 0):
            half = r.choice([0, 0x0001, 0x0001 | r.choice([0, 2, 3]) << 6, 0x0002, 0x0003])
            word |= (half | self.im.key << 8) << shift
        self.set("gr0", word)
        if v["r3"] not in (0, v["b1"], v["b2"]):
            self.set(f"gr{v['r3']}", r.choice([0, 1, 8, 255, 256, 257, 4096, 4097]))

    def special_d(self, v, targets):
        """QEMU dies of the least dividend and minus one."""
        if self.value_of(v["r1"]) & 0xffffffff == 0x80000000 and not self.value_of(v["r1"] + 1 & 15) & 0xffffffff:
            self.set(f"gr{v['r1']}", 0x80000001)

    special_dr = special_d

    def value_of(self, n):
        return self.patches.get(f"gr{n}", self.im.gr[n])

    def special_tprot(self, v, targets):
        if v["b2"] and v["b2"] != v["b1"]:
            self.set(f"gr{v['b2']}", self.rnd.choice([0, self.im.key]) - v["d2"])

    def special_mvpg(self, v, targets):
        self.set("gr0", self.rnd.choice([0, 0, 0, 0x100, 0x800, 0x400, self.im.key]))
        for n in (v["r1"], v["r2"]):                    # without DAT not onto the code
            self.set(f"gr{n}", self.dirty(self.rnd.choice(self.pages if self.dat else self.pages[:24]) + self.rnd.choice([0, 5])))

    def special_pfmf(self, v, targets):
        r = self.rnd
        self.set(f"gr{v['r1']}", r.choice([0, 0x8000, 0x10000, 0x18000, 0x4000]) | r.getrandbits(3) << 8
                 | r.randrange(256))

    def special_ipte(self, v, targets):
        r = self.rnd
        page = r.choice([1, 3, 5, 9, 13])
        self.set(f"gr{v['r1']}", PT["p1"])
        self.set(f"gr{v['r2']}", SCRATCH + 0x1000 * page + r.randrange(4096))
        v["r3"] = 0

    def special_idte(self, v, targets):
        r = self.rnd
        if v["r1"] == v["r2"]:
            v["r1"] ^= 1
        self.set(f"gr{v['r1']}", r.choice([ST["p"] | 0, ST["s"]]))
        self.set(f"gr{v['r2']}", r.choice([0x200000, 0x300000, 0x800000]) | r.choice([0, 0x800, 1]))
        v["r3"] = 0

    def special_lctl(self, v, targets):
        if "2" in targets and self.rnd.random() < 0.95:
            self.operand(v, "b2", "2", target=SCRATCH + (self.rnd.randrange(0x7e00) & ~7))

    special_lctlg = special_lctl

    def special_plo(self, v, targets):
        r = self.rnd
        self.set("gr0", r.choice(list(range(24)) * 4 + [24, 255, 0x100, 0x108, 0x117, 0x118]))
        for n in ("2", "4"):
            self.operand(v, "b1" if n == "2" else "b2", "1" if n == "2" else "2",
                         target=SCRATCH + (r.randrange(0x7e00) & ~15))

    # --- steps and images ---

    def unassigned(self):
        """An operation code that no instruction of the architecture has."""
        r = self.rnd
        while True:
            op, sub = r.randrange(256), r.randrange(256)
            kind = self.g.kinds.get(op, 0)
            sub &= 15 if kind == 1 else 255
            if (op, sub if kind else None) not in self.g.known:
                break
        word = r.getrandbits(48) & ~(0xff << 40) | op << 40
        shift = {0: 0, 1: 32, 2: 32, 3: 0}[kind]
        if kind:
            word = word & ~((15 if kind == 1 else 255) << shift) | sub << shift
        return word.to_bytes(6, "big")[:2 if op < 0x40 else 4 if op < 0xc0 else 6]

    def step(self):
        r = self.rnd
        if r.random() < self.g.block_share:
            return blocks.make_block(self, self.g.times)
        mask = self.psw()
        self.patches = {}
        self.special_target = False
        kind = r.random()
        at = CODE + r.choice([0x10, 0x10, 0x100, 0xffa, 0xffc, 0xffe, 0x1000, 0x20])
        self.at, self.inner_note, self.target_code = at, "", None
        row = r.choice(self.g.rows)
        while self.im.key and row.mn in KEY_SETTERS:
            row = r.choice(self.g.rows)
        note = row.mn
        if kind > 0.995 and not self.g.only:
            note, code, row = "?", self.unassigned(), self.g.inner[0]
        else:
            code = self.instruction(row, at)
        if note == "?":
            pass
        elif row.mn in LOOPED:
            code += bytes.fromhex("a714") + struct.pack(">h", -(len(code) // 2))
        elif self.special_target:                       # EXRL: its target lies behind the SVC
            inner_row = r.choice(self.g.inner)
            inner = self.instruction(inner_row, at + 16)
            note += "+" + inner_row.mn
            r1 = bytes([code[1] & 15 if inner_row.kind in (1, 2) or inner_row.branch else code[1]])
            code = bytes.fromhex("c6") + r1 + struct.pack(">i", 8)
            code += bytes.fromhex("a714fffd" if inner_row.mn in LOOPED else "0a770a77") + bytes.fromhex("0a77") * 3 + inner
        elif kind < 0.15 and not row.branch:            # a few that only touch registers
            for _ in range(r.randrange(1, 4)):
                more = r.choice(self.g.rows)
                if not more.branch and not more.priv and not more.bfp and more.fmt in ("RR", "RRE", "RI", "RIL", "RIE_D", "RIE_F") \
                        and more.mn not in ROLES and len(code) < 20:
                    code += more.encode(self.fields_of(more))
                    note += "+" + more.mn
        note += self.inner_note
        self.control(row)
        times = r.choice(self.g.often)
        step = Step(mask, at, code, list(self.patches.items()), at, note, times)
        step.target = self.target_code
        return step

    def control(self, row):
        r = self.rnd
        cr0 = self.cr0
        if r.random() < (0.05 if row.bfp else 0.02):
            cr0 ^= 0x40000
        if not self.dat:
            cr0 |= 0x10000000
        elif r.random() < 0.1:
            cr0 |= 0x10000000
        for bit in (0x40000000, 0x08000000, 0x04000000):
            if r.random() < 0.2:
                cr0 ^= bit
        if cr0 != self.im.cr[0]:
            self.set("cr0", cr0)

    def image(self, steps):
        r, im = self.rnd, self.im
        im.fill = r.getrandbits(64) | 1
        im.key = r.choice([0, 0, 0x10, 0x90, 0xf0])
        im.gr = [self.value() for _ in range(16)]
        im.fpr = [self.float(r.random() < 0.5) for _ in range(16)]
        im.ar = [r.choice([0, 1, 2, r.getrandbits(32)] + [0, 0, 0, 1, 2, 3, 4, 5, 6, 0x1000002] * self.g.same) for _ in range(16)]
        if self.g.same:
            im.flags, im.cr[2], im.cr[5] = FLAG_ALL, DUCT, PRIMARY_ASTE
        self.cr0 = 0x40000 | r.choice([0, 0x00800000]) | 0x04000000
        im.cr[0] = self.cr0
        im.cr[1] = ASCE_PRIMARY[r.choice(["segment", "region3", "region2", "region1"])]
        im.cr[7], im.cr[13] = ASCE_SECONDARY, ASCE_HOME
        im.cr[3] = r.choice([0xffff, 0x8000, 0]) << 16 | r.choice([0, 5])
        im.cr[4] = r.getrandbits(16) << 16 | r.choice([0, 7])
        im.cr[8] = r.getrandbits(16)
        im.cr[14] = 0xc2000000
        im.steps = [self.step() for _ in range(steps)]
        return im


# Instructions whose registers come in even-odd pairs.
PAIRS = {"mr", "m", "mfy", "dr", "d", "mlr", "ml", "mlgr", "mlg", "dlr", "dl", "dlgr", "dlg", "dsgr",
         "dsg", "dsgfr", "dsgf", "srda", "slda", "srdl", "sldl", "cds", "cdsy", "cdsg", "lpq", "stpq",
         "mgrk", "mg", "csp", "cspg", "plo", "lpd", "lpdg"}
