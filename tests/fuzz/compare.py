"""Comparing the two machines: which step of an image differs first, whether a waiver covers it, and reducing
an image to what is needed for the difference."""
import os
import re

import machines
from image import FLAG_LAST, FLAG_STATE, FLAG_STEPS, HERE

STORAGE_ONLY = "storage"
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
            return any(bool(eval(self.code, diff.names(code))) for name, code in instructions(diff.step)
                       if "*" in self.names or name in self.names)
        except (AttributeError, TypeError, IndexError):
            return False


def read_waivers():
    with open(os.path.join(HERE, "waivers"), encoding="utf-8") as file:
        return [Waiver(line) for line in file if line.strip() and line[0] != "#"]


def register_before(image, index, before):
    """A function of the number of a general register: what it held when the step began."""
    values = list(before.gr if before else image.gr)
    for name, value in image.steps[index].patches:
        if name[:2] == "gr":
            values[int(name[2:])] = value
    return values.__getitem__


def instructions(step):
    """(mnemonic, bytes) of each instruction of a step; of a target of EX, which lies in a patch, those of EX."""
    first, *more = step.note.split("+")
    yield first, step.code
    at = EXRL_TARGET if first == "exrl" else LENGTHS[step.code[0] >> 6]
    for name in more:
        code = step.code if first == "ex" else step.code[at:]
        yield name, code
        at += LENGTHS[code[0] >> 6] if code else 0


def relative(step):
    """The address that a RELATIVE LONG operand designates."""
    return step.addr + 2 * int.from_bytes(step.code[2:6], "big", signed=True)


class Difference:
    """The first step of an image after which the machines differ."""

    def __init__(self, image, index, ours, theirs, storage=(), before=None):
        self.image, self.index, self.step = image, index, image.steps[index]
        self.ours, self.theirs, self.storage, self.before = ours, theirs, storage, before
        self.fields = machines.differences(ours, theirs) if ours and theirs else []
        self.before_gr = register_before(image, index, before)
        if not self.fields:
            self.fields = [STORAGE_ONLY]

    def names(self, code):
        """What the condition of a waiver sees; `code` is the instruction that the waiver names."""
        plain = {f if f == "cr" else f.rstrip("0123456789") for f in self.fields}
        return {"high_only": self.high_only(), "keys_only": self.keys_only(), "o": self.ours, "q": self.theirs, "d": plain, "insn": code,
                "step": self.step, "storage": self.storage, "b_gr": self.before_gr, "rel": relative,
                "changed": self.changed(), "gr_only": self.gr_only}

    def changed(self):
        """Bytes of storage that differ: (ours, QEMU's)."""
        pairs = (re.findall("[0-9a-f]{16}", line) for line in self.storage)
        return [(x, y) for ours, theirs in pairs for x, y in zip(bytes.fromhex(ours), bytes.fromhex(theirs)) if x != y]

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
                    lines.append(f"{name}: endicott {show(x)}, qemu {show(y)}")
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


def differ(batches, images):
    """Which of the images differ (or hang): a list of bool."""
    if not images:
        return []
    ours, theirs = run_some(batches, images)
    return [a is None or b is None or a.digest != b.digest for a, b in zip(ours, theirs)]


def with_steps(image, indexes, flags=0):
    other = image.copy()
    other.steps = [image.steps[i].copy() for i in indexes]
    other.flags = flags
    return other


def locate(batches, images):
    """First differing step of each image that is known to differ."""
    traced = [with_steps(i, range(len(i.steps)), FLAG_STEPS | FLAG_STATE) for i in images]
    ours, theirs = run_some(batches, traced)
    found, hidden = [], []
    for image, a, b in zip(images, ours, theirs):
        if a is None or b is None:
            found.append(None)
            continue
        index = next((n for n, (x, y) in enumerate(zip(a.steps, b.steps)) if x != y), None)
        if index is None:
            hidden.append(len(found))
            found.append(None)
        else:
            before = a.states[index - 1] if index else None
            found.append(Difference(image, index, a.states[index], b.states[index], before=before))
    for n in hidden:
        found[n] = locate_storage(batches, images[n])
    return found


def locate_storage(batches, image):
    """The first step after which only storage differs, or a later state does not show it."""
    every = [with_steps(image, range(n + 1), FLAG_STEPS | FLAG_STATE | FLAG_LAST)
             for n in range(len(image.steps))]
    ours, theirs = run_some(batches, every)
    for n, (a, b) in enumerate(zip(ours, theirs)):
        if a is None or b is None:
            return None
        if a.digest != b.digest:
            where = [f"{addr + i:x}: endicott {x[i:i + 8].hex()}, qemu {b.storage[addr][i:i + 8].hex()}"
                     for addr, x in sorted(a.storage.items()) for i in range(0, len(x), 8)
                     if x[i:i + 8] != b.storage[addr][i:i + 8]]
            before = a.states[n - 1] if n else None
            return Difference(image, n, a.states[n], b.states[n], where, before)
    return None


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
    for start in range(0, len(candidates), 64):
        part = candidates[start:start + 64]
        wrong = [c for c, d in zip(part, differ(batches, part)) if d]
        if kind is None and wrong:
            return wrong[0]
        for candidate, diff in zip(wrong, locate(batches, wrong) if wrong else []):
            if diff and diff.kind() == kind:
                return candidate
    return None


def reduce_steps(batches, image, kind):
    order = list(range(len(image.steps)))
    while len(order) > 1:
        candidates = [c for c in shorter_lists(order) if c]
        images = [with_steps(image, c) for c in candidates]
        best = same_kind(batches, images, kind)
        if best is None:
            break
        order = candidates[next(n for n, i in enumerate(images) if i is best)]
    return with_steps(image, order)


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
        for p in range(len(step.patches)):
            variant(lambda i, s=s, p=p: i.steps[s].patches.pop(p))
    return out


def minimise(batches, image, kind):
    """Fewer steps, then less state, as long as the same difference remains."""
    image = reduce_steps(batches, image, kind)
    for _ in range(40):
        best = same_kind(batches, simpler(image), kind)
        if best is None:
            break
        image = best
    image.flags = 0
    return image
