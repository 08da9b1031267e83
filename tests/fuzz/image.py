"""Fuzz images: what one holds, its bytes for runner.S, its text in tests/fuzz/cases, and batches of them as ELF files."""
import copy
import functools
import os
import struct
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "tests", "fuzz")
BUILD = os.path.join(ROOT, os.environ.get("ENDICOTT_BUILD", "build"), "tests", "fuzz")
CROSS_CC = os.environ.get("S390X_CC", "s390x-linux-gnu-gcc")

# As in runner.S.
SCRATCH, SCRATCH_LEN = 0x100000, 0x8000
CODE, CODE_LEN = 0x110000, 0x2000
TABLES, TABLES_LEN = 0x120000, 0x21000
TEXT_AT, DATA_AT, TABLES_AT, BATCH_AT = 0x3000000, 0x3010000, 0x3080000, 0x3100000
STORAGE_MIB = 128
STEPS_MAX = 470
FLAG_LAST, FLAG_EACH, FLAG_ALL = 1, 2, 4
STATE_LEN = 632
FILLER = bytes.fromhex("0a77")

# Page tables: primary, secondary and home space. Name: address.
PT = {"p1": 0x120000, "p0": 0x120800, "p24": 0x121000, "p31": 0x121800, "top": 0x122000,
      "s1": 0x122800, "s0": 0x123000, "h1": 0x123800}
ST = {"p": 0x124000, "s": 0x128000, "h": 0x12c000, "top": 0x130000}
R1, R2, R3 = 0x134000, 0x138000, 0x13c000
DUCT, ACCESS_LIST, PRIMARY_ASTE, HOME_ASTE, SECONDARY_ASTE = 0x140000, 0x140080, 0x140100, 0x140140, 0x140180
ASCE_PRIMARY = {"segment": ST["p"] | 3, "region3": R3 | 7, "region2": R2 | 11, "region1": R1 | 15}
ASCE_SECONDARY, ASCE_HOME = ST["s"] | 3, ST["h"] | 3
PTE_I, PTE_P, PTE_BAD, STE_P, INVALID = 0x400, 0x200, 0x800, 0x200, 0x20


def tables():
    """Page tables as described in docs/fuzzing.md."""
    image = bytearray(TABLES_LEN)

    def put(addr, value):
        struct.pack_into(">Q", image, addr - TABLES, value)

    for origin in PT.values():
        for i in range(256):
            put(origin + 8 * i, PTE_I)
    for origin in list(ST.values()) + [R1, R2, R3]:
        for i in range(2048):
            kind = {R1: 12, R2: 8, R3: 4}.get(origin, 0)
            put(origin + 8 * i, INVALID | kind)

    def page(table, index, frame, bits=0):
        put(PT[table] + 8 * index, frame | bits)

    for i in range(8):
        page("p1", i, SCRATCH + 0x1000 * i)
        page("s1", i, SCRATCH + 0x1000 * ((i + 3) % 8), PTE_P if i == 6 else 0)
        page("h1", i, SCRATCH + 0x1000 * ((i + 5) % 8), PTE_I if i == 2 else 0)
    page("p1", 9, SCRATCH + 0x1000, PTE_P)
    page("p1", 11, SCRATCH, PTE_BAD)
    page("p1", 12, 0xfff000000)
    page("p1", 13, SCRATCH + 0x2000)
    page("p1", 14, SCRATCH + 0x3000)
    for table in ("p1", "s1", "h1"):
        for i in (16, 17):
            page(table, i, CODE + 0x1000 * (i - 16), PTE_P)
    for i in (0, 1):
        page("p0", i, SCRATCH + 0x1000 * i)
        page("s0", i, SCRATCH + 0x1000 * (7 - i))
    page("p24", 255, SCRATCH + 0x5000)
    page("p31", 255, SCRATCH + 0x7000)
    page("top", 255, SCRATCH + 0x6000)
    for space, segment, table in (("p", 0, "p0"), ("p", 1, "p1"), ("p", 15, "p24"),
                                  ("p", 2047, "p31"), ("s", 0, "s0"), ("s", 1, "s1"),
                                  ("h", 1, "h1"), ("top", 2047, "top")):
        put(ST[space] + 8 * segment, PT[table])
    put(ST["p"] + 8 * 2, PT["p1"] | STE_P)          # 0x200000: as 0x100000, protected
    put(ST["p"] + 8 * 3, PT["p1"] | 0xc)            # 0x300000: a segment entry of wrong type
    put(R3, ST["p"] | 0x4 | 3)
    put(R3 + 8 * 2047, ST["top"] | 0x4 | 3)
    put(R3 + 8 * 5, ST["p"] | 0x4 | 0)              # table length: first quarter only
    for i in (0, 2047):
        put(R2 + 8 * i, R3 | 0x8 | 3)
        put(R1 + 8 * i, R2 | 0xc | 3)
    access_list(lambda addr, value: struct.pack_into(">I", image, addr - TABLES, value))
    return bytes(image)


def access_list(put):
    """For the access-register mode: ALETs 2 (home), 3 (secondary, fetch only), 4 (invalid), 5 (private), 6 (old); with
    X'01000000' added the same of the primary space's list, which is the same."""
    put(DUCT + 16, ACCESS_LIST)
    put(PRIMARY_ASTE + 16, ACCESS_LIST)
    for aste, asce in ((HOME_ASTE, ASCE_HOME), (SECONDARY_ASTE, ASCE_SECONDARY)):
        put(aste + 12, asce)
        put(aste + 20, 1)
    invalid, fetch_only, private = 1 << 31, 1 << 25, 1 << 24
    for alen, word, aste, sequence in ((0, invalid, 0, 0), (1, invalid, 0, 0), (2, 0, HOME_ASTE, 1),
                                       (3, fetch_only, SECONDARY_ASTE, 1), (4, invalid, HOME_ASTE, 1),
                                       (5, private | 7, HOME_ASTE, 1), (6, 0, HOME_ASTE, 2)):
        put(ACCESS_LIST + 16 * alen, word)
        put(ACCESS_LIST + 16 * alen + 8, aste)
        put(ACCESS_LIST + 16 * alen + 12, sequence)


class Step:
    """One or a few instructions: PSW, code, doublewords stored before ((name, value) pairs), how often."""

    def __init__(self, mask, addr, code, patches=(), at=None, note="", times=1):
        self.mask, self.addr, self.code, self.patches = mask, addr, code, list(patches)
        self.at = addr if at is None else at
        self.note, self.times = note, times
        self.body = None                                # code and patches as bytes
        self.target = None                              # of EXECUTE: (bytes, address)

    def copy(self):
        other = Step(self.mask, self.addr, self.code, self.patches, self.at, self.note, self.times)
        other.target = self.target
        return other

    def pack(self, shown):
        if self.body is None:
            code = self.code + FILLER * (-len(self.code) // 2 % 4)
            flat = [word for name, value in self.patches for word in (place(name), value)]
            self.body = code + struct.pack(f">{len(flat)}Q", *flat)
        words = (len(self.body) >> 3) - 2 * len(self.patches)
        return struct.pack(">HHIQQHHI", 32 + len(self.body), len(self.patches), self.at, self.mask, self.addr,
                           self.times, shown, words) + self.body


class Image:
    """A state and steps, each of which begins with it; `shown`: the indexes of steps that print their results."""

    def __init__(self, ident=0):
        self.ident, self.flags, self.shown, self.fill, self.key = ident, 0, (), 0, 0
        self.gr, self.fpr, self.ar, self.fpc = [0] * 16, [0] * 16, [0] * 16, 0
        self.cr = [0] * 16
        self.steps = []

    def copy(self):
        other = self.with_steps(range(len(self.steps)), shown=self.shown)
        other.gr, other.fpr, other.ar, other.cr = self.gr[:], self.fpr[:], self.ar[:], self.cr[:]
        other.steps = [s.copy() for s in self.steps]
        return other

    def with_steps(self, indexes, flags=0, shown=()):
        """Of the same state, with some of the steps; shares both."""
        other = copy.copy(self)
        other.steps = [self.steps[i] for i in indexes]
        other.flags, other.shown = self.flags | flags, shown
        return other

    def pack(self):
        if len(self.steps) > STEPS_MAX:
            raise ValueError(f"an image has at most {STEPS_MAX} steps")
        head = struct.pack(">5Q16Q16Q16III16Q", len(self.steps), self.flags, self.fill, self.key,
                           self.ident, *self.gr, *self.fpr, *self.ar, self.fpc, 0, *self.cr)
        return head + b"".join(s.pack(n in self.shown) for n, s in enumerate(self.steps))

    def text(self):
        lines = [f"fill {self.fill:x}", f"key {self.key:02x}", f"fpc {self.fpc:08x}"]
        for name, values in (("gr", self.gr), ("fpr", self.fpr), ("ar", self.ar), ("cr", self.cr)):
            lines += [f"{name}{i} {v:x}" for i, v in enumerate(values) if v]
        for step in self.steps:
            at = "" if step.at == step.addr else f" at {step.at:x}"
            times = "" if step.times == 1 else f" times {step.times}"
            lines.append(f"step {step.mask:016x} {step.addr:x}{at}{times} {step.code.hex()}"
                         + (f"    # {step.note}" if step.note else ""))
            lines += [f"  {name} {value:016x}" for name, value in step.patches]
        return "\n".join(lines) + "\n"


def parse(text, ident=0):
    """The image of a case file."""
    image = Image(ident)
    for line in text.splitlines():
        line, _, note = line.partition("#")
        words = line.split()
        if not words:
            continue
        if line[0] == " ":
            image.steps[-1].patches.append((words[0], int(words[1], 16)))
        elif words[0] == "step":
            mask, addr = int(words[1], 16), int(words[2], 16)
            more = dict(zip(words[3:-1:2], words[4:-1:2]))
            image.steps.append(Step(mask, addr, bytes.fromhex(words[-1]), at=int(more.get("at", words[2]), 16),
                                    note=note.strip(), times=int(more.get("times", 1))))
        elif words[0] in ("fill", "key", "fpc"):
            setattr(image, words[0], int(words[1], 16))
        else:
            kind = words[0].rstrip("0123456789")
            getattr(image, kind)[int(words[0][len(kind):])] = int(words[1], 16)
    return image


# --- the runner, and batches --------------------------------------------------------------------------

SYMBOLS = {}


@functools.lru_cache(4096)
def place(name):
    """Where a patch goes: gr3, fpr4, cr0, fpc, ar2 (with ar3), or an address in hexadecimal."""
    if name[0] in "0123456789":
        return int(name, 16)
    kind = name.rstrip("0123456789")
    index = int(name[len(kind):] or 0)
    if kind == "cr":
        return SYMBOLS["set_cr"] + 8 * index
    return SYMBOLS["state"] + {"gr": 8 * index, "fpr": 128 + 8 * index, "ar": 256 + 4 * index,
                               "fpc": 320}[kind]


def build_runner():
    """The runner's segments: [(address, bytes)]; fills SYMBOLS."""
    os.makedirs(BUILD, exist_ok=True)
    elf = os.path.join(BUILD, "runner.elf")
    source = os.path.join(HERE, "runner.S")
    if not os.path.exists(elf) or os.path.getmtime(elf) < os.path.getmtime(source):
        part = f"{elf}.{os.getpid()}"
        subprocess.run([CROSS_CC, "-nostdlib", "-static", "-fno-pic", "-no-pie",
                        f"-Wl,-Ttext={TEXT_AT:#x}", f"-Wl,-Tdata={DATA_AT:#x}",
                        f"-Wl,--defsym=tables_image={TABLES_AT:#x}",
                        f"-Wl,--defsym=batch={BATCH_AT:#x}", "-Wl,--build-id=none",
                        "-Wl,-z,noexecstack", "-Wl,--no-warn-rwx-segments", "-o", part, source],
                       check=True)
        os.replace(part, elf)
    with open(elf, "rb") as file:
        data = file.read()
    return elf_segments(data)


def elf_segments(data):
    phoff, shoff = struct.unpack_from(">QQ", data, 32)
    phnum, shnum = struct.unpack_from(">H", data, 56)[0], struct.unpack_from(">H", data, 60)[0]
    sections = [struct.unpack_from(">IIQQQQIIQQ", data, shoff + 64 * i) for i in range(shnum)]
    for section in sections:
        if section[1] == 2:
            names = sections[section[6]]
            for at in range(section[4], section[4] + section[5], 24):
                name, value = struct.unpack_from(">I", data, at)[0], struct.unpack_from(">Q", data, at + 8)[0]
                start = names[4] + name
                SYMBOLS[data[start:data.index(b"\0", start)].decode()] = value
    segments = []
    for i in range(phnum):
        kind, _, offset, _, paddr, size, _, _ = struct.unpack_from(">IIQQQQQQ", data, phoff + 56 * i)
        if kind == 1:
            segments.append((paddr, data[offset:offset + size]))
    return segments


class Batches:
    """Writes batches; the runner and the tables are made once."""

    def __init__(self):
        self.segments = build_runner() + [(TABLES_AT, tables())]

    def write(self, path, images):
        payload = struct.pack(">Q", len(images)) + b"".join(i.pack() for i in images)
        segments = self.segments + [(BATCH_AT, payload)]
        head = struct.pack(">4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 2, 1, 0, 0, 2, 22, 1,
                           SYMBOLS["_start"], 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
        offset = 64 + 56 * len(segments)
        for addr, data in segments:
            head += struct.pack(">IIQQQQQQ", 1, 7, offset, addr, addr, len(data), len(data), 8)
            offset += len(data)
        with open(path, "wb") as file:
            file.write(head + b"".join(d for _, d in segments))
