"""Blocks: steps of many instructions with branches and loops, so that an engine that translates what is executed often
has something to translate. `Maker` of generate.py gives the instructions; where they may go is decided here."""
import struct

from image import CODE, SCRATCH, Step

BLOCK_BYTES, BLOCK_PARTS = 180, 18
ADDRESSES = (8, 9, 10, 11)              # registers that hold addresses; 12 and 13 count the loops
OUTER, INNER = 12, 13
VALUES = (0, 1, 2, 3, 4, 5, 6, 7, 14, 15)
RANGES = {"lm", "lmy", "lmg", "lmh", "stm", "stmy", "stmg", "stmh", "lctl", "lctlg", "stctl", "stctg"}
NEVER = {"ex", "exrl", "svc", "lpsw", "lpswe", "lpswey", "lctl", "lctlg", "lfpc", "sfpc", "lfas", "sfasr",
         "lmd", "pr", "bakr", "ereg", "eregg", "lasp"}
PRIVILEGED = {"ipk", "spka", "sac", "sacf", "stosm", "stnsm", "ssm", "epar", "esar", "iske", "ivsk", "lra", "lray", "lrag",
              "tprot", "ptlb", "palb", "stctl", "stctg", "lura", "lurag", "epsw", "mvcp", "mvcs", "stap"}
NEVER_ON_QEMU = {"mvcrl"}               # takes all of general register 0 for the length, and aborts
OVERFLOW_MASK = 8 << 40                 # QEMU knows no fixed-point-overflow interruption
JUMP = bytes.fromhex("a7f40002")


def block_rows(generator, waived):
    """Rows for blocks: what needs more than registers and one place in storage is left to the other steps."""
    never = NEVER if generator.same else NEVER | NEVER_ON_QEMU
    return [r for r in generator.rows if r.mn not in never and r.mn not in waived and not r.roles
            and (not r.branch or "rel" in r.names) and (not r.priv or r.mn in PRIVILEGED and not waived)]


class Block:
    """One block in the making; `maker` is the image's."""

    def __init__(self, maker):
        self.maker, self.rnd = maker, maker.rnd
        self.parts = []                 # [row or None, bytes], a branch's target is set last
        self.targets = {}               # part: part that it branches to
        self.patched = {}               # part that stores: part whose immediate it changes

    def registers(self, row, v):
        r = self.rnd
        for name in ("r1", "r2", "r3"):
            if name not in v:
                continue
            v[name] = r.choice(VALUES) if r.random() < 0.93 or row.branch else r.choice(ADDRESSES)
            if self.pairs(row) and r.random() < 0.97:
                v[name] = v[name] & ~1 if not row.bfp else v[name] & 5
        if row.mn in RANGES:
            v["r1"], v["r3"] = sorted((v["r1"] & 7, v["r3"] & 7))

    @staticmethod
    def pairs(row):
        from generate import PAIRS
        return row.mn in PAIRS or row.bfp and "x" in row.mn[1:3]

    def operands(self, v):
        r = self.rnd
        for name in v:
            if name[0] == "b" and name[1:] in "1234":
                v[name] = r.choice(ADDRESSES)
            elif name[0] == "x" and name[1:] == "2":
                v[name] = 0 if r.random() < 0.7 else r.choice(ADDRESSES[:1] + (7,))
            elif name[0] == "d" and name[1] in "1234l":
                v[name] = r.randrange(0x300) & (~15 if r.random() < 0.9 else ~0)
            elif name[0] == "d" and name[1] == "h":
                v[name] = 0 if r.random() < 0.95 else 0xff

    def part(self, number, count):
        """One instruction."""
        m, r = self.maker, self.rnd
        row = r.choice(m.g.lowered_rows if r.random() < 0.5 else m.g.block_rows)
        v = {n: r.getrandbits(w) for n, _, w in row.fields}
        self.registers(row, v)
        self.operands(v)
        if row.fmt == "RRF" and r.random() < 0.7:
            v["m4"] = 0
            if row.bfp:
                v["r3"] = r.choice([0, 1, 3, 4, 5, 6, 7])
        if row.branch:
            self.targets[number] = r.randrange(number + 1, max(count, number + 1) + 1)
            v["rel"] = 0
        elif "rel" in v:
            wide = dict((n, w) for n, _, w in row.fields)["rel"]
            place = SCRATCH + (r.randrange(0x7f00) & ~7) if wide == 32 else CODE + 0x80
            v["rel"] = (place - m.at >> 1) % (1 << wide)    # near enough: how far into the block does not matter
        self.parts.append([row, row.encode(v)])
        if r.random() < 0.15:                               # what the condition code is
            self.insert_program_mask()

    def insert_program_mask(self):
        row = next(x for x in self.maker.g.all_rows if x.mn == "ipm")
        self.parts.append([row, row.encode({"r1": self.rnd.choice(VALUES)})])

    def change_code(self):
        """A store into the immediate of an instruction of this block, before or behind it."""
        rows = {x.mn: x for x in self.maker.g.all_rows if x.mn in ("sthrl", "aghi", "lhi", "ahi", "tmll")}
        store = rows.pop("sthrl"), struct.pack(">BBi", 0xc4, self.rnd.choice(VALUES) << 4 | 7, 0)
        row = rows[self.rnd.choice(sorted(rows))]
        target = row, row.encode({"r1": self.rnd.choice(VALUES), "i2": self.rnd.getrandbits(16)})
        number = len(self.parts)
        self.parts += [list(x) for x in self.rnd.sample([store, target], 2)]
        stores = number if self.parts[number][0].mn == "sthrl" else number + 1
        self.patched[stores] = 2 * number + 1 - stores

    def loop(self, first, last, register, wide):
        """A BRANCH RELATIVE ON COUNT behind the part `last`, to `first`."""
        code = bytes([0xa7, register << 4 | (7 if wide else 6), 0, 0])
        self.parts[last][1] += code
        self.targets[last, "loop"] = first

    def link(self):
        """Where parts lie, and the branches between them."""
        where, at = [], len(JUMP)
        for _, code in self.parts:
            where.append(at)
            at += len(code)
        where.append(at)
        for key, target in self.targets.items():
            number = key if isinstance(key, int) else key[0]
            code = bytearray(self.parts[number][1])
            from_end = not isinstance(key, int)
            start = len(code) - 4 if from_end else 0
            distance = where[target] - where[number] - start >> 1
            wide = code[start] >= 0xc0 and (from_end or "RIL" in self.parts[number][0].fmt)
            struct.pack_into(">i" if wide else ">h", code, start + 2, distance)
            self.parts[number][1] = bytes(code)
        for number, target in self.patched.items():
            code = self.parts[number][1]
            distance = where[target] + 2 - where[number] >> 1
            self.parts[number][1] = code[:2] + struct.pack(">i", distance) + code[6:]
        return JUMP + b"".join(code for _, code in self.parts)

    def notes(self):
        out = ["brc"]
        for number, (row, _) in enumerate(self.parts):
            out.append(row.mn if row else "lhi")
            if (number, "loop") in self.targets:
                out.append("brctg" if self.parts[number][1][-3] & 1 else "brct")
        return "+".join(out)


def make_block(maker, times):
    """A step: `times` runs of a block with an outer and perhaps an inner loop."""
    r = maker.rnd
    mask = maker.psw() & ~(0 if maker.g.same else OVERFLOW_MASK)
    maker.patches = {}
    maker.at = CODE + r.choice([0x10, 0x100, 0x200, 0xf80, 0xff0, 0x1000, 0x1800])
    count = r.randrange(3, BLOCK_PARTS)
    block = Block(maker)
    block.parts.append([None, struct.pack(">BBh", 0xa7, INNER << 4 | 8, r.randrange(1, 7))])
    while len(block.parts) < count and sum(len(code) for _, code in block.parts) < BLOCK_BYTES:
        if not maker.dat and r.random() < 0.1 and maker.g.same:     # QEMU goes on with what it has translated
            block.change_code()
        block.part(len(block.parts), count)
    block.insert_program_mask()
    last = len(block.parts) - 1
    block.targets = {k: min(t, last + 1) for k, t in block.targets.items()}
    if last > 2 and r.random() < 0.6:
        first = r.randrange(1, last)
        block.loop(first, r.randrange(first, last), INNER, r.random() < 0.5)
    block.loop(0, last, OUTER, r.random() < 0.5)
    for n in VALUES:
        if r.random() < 0.4:
            maker.set(f"gr{n}", maker.value())
    for n in ADDRESSES:
        maker.set(f"gr{n}", maker.dirty(maker.target() if r.random() < 0.04 else
                                        SCRATCH + 0x1000 * r.randrange(5) + (r.randrange(0x1000) & ~15)))
    if not maker.dat and r.random() < 0.2 and maker.g.same: # stores into the frame of the block, beside it
        maker.set(f"gr{ADDRESSES[0]}", (maker.at & ~0xfff) + 0x400 + (r.randrange(0x500) & ~15))
    maker.set(f"gr{OUTER}", r.choice([1, 3, 40, 70]))
    maker.set(f"gr{INNER}", r.randrange(1, 7))
    maker.set("gr7", r.choice([0, 8, 64]))
    maker.set("fpc", r.choice([0, 0, 1, 3, 0x80000000]) << 32)
    for _ in range(3):
        maker.set(f"fpr{r.randrange(16)}", maker.float(r.random() < 0.5))
    if maker.dat and r.random() < 0.02 or not maker.dat:
        maker.set("cr0", maker.cr0 | 0x10000000)
    return Step(mask, maker.at, block.link(), list(maker.patches.items()), maker.at, block.notes(), times)
