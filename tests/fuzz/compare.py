"""Comparing the two machines: which step of an image differs first, whether a waiver covers it, and reducing
an image to what is needed for the difference."""
import os
import re

import machines
from image import FLAG_EACH, FLAG_LAST, HERE

COUNTS = ("gr12", "gr13")                               # blocks.OUTER, blocks.INNER
MINIMISE_LIMIT_S = 2                                    # what loops for ever is no candidate
STORAGE_ONLY, STOPPED = "storage", "stopped"
TRANSLATION = (0x10, 0x11, 0x38, 0x39, 0x3a, 0x3b)      # program-interruption codes
ACCESS = (4, 5, 0x12) + TRANSLATION
NOPS = [bytes.fromhex(h) for h in ("0707", "47000000", "47000000", "c00400000000")]
LENGTHS = (2, 4, 4, 6)                                  # by the first two bits of the operation code
EXRL_TARGET = 16                                        # generate.py puts it so far behind EXECUTE RELATIVE LONG


class Waiver:
    def __init__(self, line):
        names, condition, self.paragraph = (p.strip() for p in line.split("|", 2))
        self.names = set(names.split())
        self.code = compile(condition, names, "eval")
        self.used = 0

    def covers(self, diff):
        try:
            return any(bool(eval(self.code, diff.names(name, code, at))) for name, code, at in instructions(diff.step)
                       if "*" in self.names or name in self.names)
        except (AttributeError, TypeError, IndexError):
            return False


def read_waivers():
    with open(os.path.join(HERE, "waivers"), encoding="utf-8") as file:
        return [Waiver(line) for line in file if line.strip() and line[0] != "#"]


def register_before(image, index):
    """A function of the number of a general register: what it held when the step began."""
    values = list(image.gr)
    for name, value in image.steps[index].patches:
        if name[:2] == "gr":
            values[int(name[2:])] = value
    return values.__getitem__


def instructions(step):
    """(mnemonic, bytes, address) of each instruction of a step; of a target of EX in a case those of EX itself."""
    first, *more = step.note.split("+")
    yield first, step.code[:LENGTHS[step.code[0] >> 6]], step.at
    at = EXRL_TARGET if first == "exrl" else LENGTHS[step.code[0] >> 6]
    for name in more:
        if first == "ex":
            yield (name, *(step.target or (step.code, step.at)))
            return
        code = step.code[at:]
        yield name, code[:LENGTHS[code[0] >> 6]] if code else b"", step.at + at
        at += LENGTHS[code[0] >> 6] if code else 0


def relative(code, at):
    """The address that a RELATIVE LONG operand designates."""
    return at + 2 * int.from_bytes(code[2:6], "big", signed=True)


class Difference:
    """The first step of an image after which the machines differ."""

    def __init__(self, image, index, ours, theirs, storage=()):
        self.image, self.index, self.step = image, index, image.steps[index]
        self.ours, self.theirs, self.storage = ours, theirs, storage
        self.fields = machines.differences(ours, theirs) if ours and theirs else []
        self.before_gr = register_before(image, index)
        if not self.fields:
            self.fields = [STORAGE_ONLY]

    def names(self, name, code, at):
        """What the condition of a waiver sees; `name`, `code` and `at` are of the instruction that the waiver names."""
        plain = {f if f == "cr" else f.rstrip("0123456789") for f in self.fields}
        return {"high_only": self.high_only(), "keys_only": self.keys_only(), "unchanged": self.unchanged(),
                "o": self.ours, "q": self.theirs, "d": plain, "insn": code, "ACCESS": ACCESS, "TRANSLATION": TRANSLATION,
                "step": self.step, "storage": self.storage, "b_gr": self.before_gr, "rel": relative(code, at),
                "name": name, "overlap": self.overlap(code), "aliased": 256 <= self.apart(code) < (1 << 24) - 256,
                "changed": self.changed(), "gr_only": self.gr_only}

    def changed(self):
        """Bytes of storage that differ: (ours, QEMU's)."""
        pairs = (re.findall("[0-9a-f]{16}", line) for line in self.storage)
        return [(x, y) for ours, theirs in pairs for x, y in zip(bytes.fromhex(ours), bytes.fromhex(theirs)) if x != y]

    def apart(self, code):
        """From the second operand of an SS instruction to the first."""
        first, second = (self.before_gr(code[n] >> 4) * (code[n] > 15) + int.from_bytes(code[n:n + 2], "big") % 4096
                         for n in (2, 4)) if len(code) == 6 else (0, 2048)
        return (first - second) % (1 << 24)

    def overlap(self, code):
        """The same within a page: several pages may share a frame."""
        return (self.apart(code) + 2048) % 4096 - 2048

    def unchanged(self):
        """Endicott left general, access and control registers as they were."""
        control = list(self.image.cr)
        for name, value in self.step.patches:
            if name[:2] == "cr":
                control[int(name[2:])] = value
        return (list(self.ours.gr) == [self.before_gr(n) for n in range(16)] and
                list(self.ours.ar) == self.image.ar and list(self.ours.cr) == control)

    def gr_only(self, *numbers):
        """Of general registers none but these differ."""
        return all(x == y for n, (x, y) in enumerate(zip(self.ours.gr, self.theirs.gr)) if n not in numbers)

    def high_only(self):
        """Of general registers only bits 0-31 differ."""
        return all(x & 0xffffffff == y & 0xffffffff for x, y in zip(self.ours.gr, self.theirs.gr))

    def keys_only(self):
        """Of storage only the keys (which the runner prints in its own data) differ."""
        return bool(self.storage) and all(line.startswith("30") for line in self.storage)

    def kind(self):
        """Differences of one kind are reported once."""
        fields = sorted({f.rstrip("0123456789") for f in self.fields})
        o, q = self.ours, self.theirs
        ends = f"{o.CLASSES[o.kind]}{o.pgm:x}/{q.CLASSES[q.kind]}{q.pgm:x}" if o and q else "?"
        return f"{self.step.note.split('+')[0]} {ends} {','.join(fields)}"

    def text(self):
        lines = [f"step {self.step.note} {self.step.code.hex()}"]
        if self.ours and self.theirs:
            a, b = self.ours.fields(), self.theirs.fields()
            for name in self.fields:
                if name != STORAGE_ONLY:
                    x, y = a[name], b[name]
                    show = (lambda v: f"{v:x}" if isinstance(v, int) else v)
                    lines.append(f"{name}: {machines.PAIR[0]} {show(x)}, {machines.PAIR[1]} {show(y)}")
        lines += list(self.storage)[:6]
        return lines


def run_some(batches, images):
    """Results of both for each image; None for images at which a machine stopped."""
    try:
        return machines.run(batches, images)
    except machines.BatchError as error:
        ours, theirs = error.outcome
        done = min(len(ours), len(theirs))
        if done == len(images):
            raise
        rest = run_some(batches, images[done + 1:]) if done + 1 < len(images) else ([], [])
        return (ours[:done] + [None] + rest[0], theirs[:done] + [None] + rest[1])


def wrong_steps(ours, theirs):
    return [n for n, (x, y) in enumerate(zip(ours.steps, theirs.steps)) if x != y]


def examine(batches, images):
    """For each image None when both machines agree, STOPPED, or a list of differences by step. Those that only
    storage shows come alone: the first one."""
    ours, theirs = run_some(batches, images) if images else ([], [])
    found, where, hidden = [None] * len(images), {}, []
    for n, (a, b) in enumerate(zip(ours, theirs)):
        if a is None or b is None:
            found[n] = STOPPED
        elif a.steps != b.steps:
            where[n] = wrong_steps(a, b)
        elif a.digest != b.digest:
            hidden.append(n)
    parts = [images[n].with_steps(range(indexes[-1] + 1), 0, indexes) for n, indexes in where.items()]
    for (n, indexes), a, b in zip(where.items(), *(run_some(batches, parts) if parts else ([], []))):
        found[n] = [Difference(images[n], *x) for x in zip(indexes, a.states, b.states)] if a and b else STOPPED
    for n, diff in zip(hidden, examine_storage(batches, [images[n] for n in hidden])):
        found[n] = diff
    return found


def examine_storage(batches, images):
    """The first difference of each image, storage compared after every step."""
    each = [i.with_steps(range(len(i.steps)), FLAG_EACH) for i in images]
    firsts = [(wrong_steps(a, b) or [-1])[0] if a and b else -1
              for a, b in zip(*(run_some(batches, each) if each else ([], [])))]
    parts = [i.with_steps(range(n % len(i.steps) + 1), FLAG_LAST, (n % len(i.steps),)) for i, n in zip(images, firsts)]
    return [[Difference(i, n % len(i.steps), a.states[0], b.states[0], lines(a, b))] if a and b and n >= 0 else STOPPED
            for i, n, a, b in zip(images, firsts, *(run_some(batches, parts) if parts else ([], [])))]


def lines(ours, theirs):
    """Doublewords of storage that differ, as text."""
    return [f"{addr + i:x}: {x[i:i + 8].hex()}, {theirs.storage[addr][i:i + 8].hex()}"
            for addr, x in sorted(ours.storage.items()) for i in range(0, len(x), 8)
            if x[i:i + 8] != theirs.storage[addr][i:i + 8]]


# --- reducing -----------------------------------------------------------------------------------------

def shorter_lists(items):
    """Index lists with a part left out, big parts first."""
    size = max(1, len(items) // 2)
    out = []
    while True:
        for start in range(0, len(items), size):
            out.append(items[:start] + items[start + size:])
        if size == 1:
            return out
        size //= 2


def same_kind(batches, candidates, kind):
    """The first candidate that still differs in the same way, or None."""
    for start in range(0, len(candidates), 256):
        part = candidates[start:start + 256]
        for candidate, found in zip(part, examine(batches, part)):
            if found and found is not STOPPED and any(diff.kind() == kind for diff in found):
                return candidate
    return None


def reduce_steps(batches, image, index, kind):
    alone = image.with_steps([index])
    if same_kind(batches, [alone], kind):
        return alone
    order = list(range(index + 1))
    while len(order) > 1:
        candidates = [c for c in shorter_lists(order) if c]
        images = [image.with_steps(c) for c in candidates]
        best = same_kind(batches, images, kind)
        if best is None:
            break
        order = candidates[next(n for n, i in enumerate(images) if i is best)]
    return image.with_steps(order)


def simpler(image):
    """Images with one thing less in the state."""
    out = []

    def variant(change):
        other = image.copy()
        change(other)
        out.append(other)

    if image.fill:
        variant(lambda i: setattr(i, "fill", 0))
    if image.key:
        variant(lambda i: setattr(i, "key", 0))
    for name in ("gr", "fpr", "ar"):
        if any(getattr(image, name)):
            variant(lambda i, n=name: setattr(i, n, [0] * 16))
            for at in range(16):
                if getattr(image, name)[at]:
                    variant(lambda i, n=name, a=at: getattr(i, n).__setitem__(a, 0))
    for s, step in enumerate(image.steps):
        for at in block_parts(step):
            variant(lambda i, s=s, at=at: put_nop(i.steps[s], at))
        for p in (p for p in range(len(step.patches)) if not (block_parts(step) and step.patches[p][0] in COUNTS)):
            variant(lambda i, s=s, p=p: i.steps[s].patches.pop(p))
    return out


def block_parts(step):
    """Offsets of instructions of a block that are not no-operations yet; without those that count its loops."""
    if not step.note.startswith("brc+"):
        return []
    offsets = [at - step.at for name, code, at in instructions(step) if code and name not in ("lhi", "brct", "brctg")]
    return [at for at in offsets[1:] if step.code[at:at + len(NOPS[step.code[at] >> 6])] != NOPS[step.code[at] >> 6]]


def put_nop(step, at):
    nop = NOPS[step.code[at] >> 6]
    step.code = step.code[:at] + nop + step.code[at + len(nop):]


def minimise(batches, image, index, kind):
    """Fewer steps, then less state, as long as the same difference remains."""
    machines.limit_s = MINIMISE_LIMIT_S
    image = reduce_steps(batches, image, index, kind)
    for _ in range(40):
        best = same_kind(batches, simpler(image), kind)
        if best is None:
            break
        image = best
    return image
