#!/usr/bin/env python3
"""Makes assembly text of what `endicott ipl --trace jit:FILE` wrote: host bytes by objdump, and
names instead of offsets and addresses (the trace's legend), so that two runs can be compared.

usage: jit_text.py [--from ADDR --to ADDR] [FILE]     regions that begin at guest addresses in between
"""
import argparse
import re
import subprocess
import sys
import tempfile

FRAME_SLOTS_BYTES = 16 * 2051
ENTRY_BITS = 47


class Legend:
    """What numbers mean: offsets in the CPU, functions, the page's slots."""

    def __init__(self):
        self.fields, self.functions = [], {}
        self.slots = None
        self.bias = 0
        self.sites = range(0)

    def add(self, words):
        if words[0] == "field":
            self.fields.append((int(words[2]), int(words[3]), words[1]))
        elif words[0] == "function":
            self.functions[int(words[2], 16)] = words[1]
        elif words[0] == "bias":  # where in the CPU rbp points
            self.bias = int(words[1])
        elif words[0] == "slots":
            self.slots = int(words[1], 16)
        elif words[0] == "sites":  # which one hangs on where the slots are
            self.sites = range(int(words[1], 16), int(words[1], 16) + int(words[2]))

    def field(self, offset):
        for at, size, name in self.fields:
            if at <= offset < at + size:
                if name == "heat":  # whose is of no interest
                    return name
                unit = 8 if size >= 64 or size == 8 else size
                index, rest = divmod(offset - at, unit)
                text = f"{name}[{index}]" if size > 8 else name
                return text + (f"+{rest}" if rest else "")
        return None

    def address(self, value):
        if value in self.functions:
            return self.functions[value]
        if self.slots is not None and 0 <= value - self.slots < FRAME_SLOTS_BYTES:
            return f"slot+{(value - self.slots) // 16}"
        if value in self.sites:
            return "site"
        if value >> ENTRY_BITS:  # of anchors: a slot, and above it how long the loop is
            name = self.address(value & ((1 << ENTRY_BITS) - 1))
            return name and f"{name}|{value >> ENTRY_BITS}<<{ENTRY_BITS}"
        return None


def operands(text, legend, pieces):
    """One line of objdump with names put in."""

    def field(match):
        offset = int(match.group(1), 16)
        name = legend.field(offset + (legend.bias if match.group(2) == "rbp" else 0))
        return f"cpu.{name}(%rdi)" if name and match.group(2) == "rdi" else \
               f"cpu.{name}" if name else match.group(0)

    def constant(match):
        value = int(match.group(1), 16)
        name = legend.address(value)
        return f"${name}" if name else match.group(0)

    def target(match):
        value = int(match.group(2), 16)
        for name, (at, code) in pieces.items():
            if at <= value < at + len(code):
                return f"{match.group(1)}{name}+{value - at:x}"
        return match.group(1) + (legend.address(value) or "elsewhere")

    text = re.sub(r"(?<![\w-])(-?0x[0-9a-f]+)\(%(rbp|rdi)\)", field, text)
    text = re.sub(r"\$0x([0-9a-f]+)", constant, text)
    return re.sub(r"^((?:j\w+|call)\s+)(?:0x)?([0-9a-f]+)$", target, text)


def disassemble(code, at, legend, pieces):
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(code)
        file.flush()
        out = subprocess.run(["objdump", "-D", "-b", "binary", "-m", "i386:x86-64", "-w",
                              "--no-show-raw-insn", f"--adjust-vma={at:#x}", file.name],
                             check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        found = re.match(r"\s*([0-9a-f]+):\s+(.*\S)", line)
        if found:
            text = re.sub(r"\s+#.*", "", found.group(2))
            offset = int(found.group(1), 16) - at
            yield f"    {offset:4x}  " + operands(re.sub(r"\s+", " ", text), legend, pieces)


class Region:
    def __init__(self, title):
        self.title, self.guest = title, []
        self.pieces = {}  # "host" and "rare": [address, bytes]

    def lines(self, legend):
        yield self.title
        yield from self.guest
        for name, (at, code) in self.pieces.items():
            yield f" {name}"
            yield from disassemble(code, at, legend, self.pieces)
        yield ""


def regions(file, legend):
    region = None
    for line in file:
        line = line.rstrip("\n")
        words = line.split()
        if not words:
            if region:
                yield region
            region = None
        elif words[0] == "legend":
            legend.add(words[1:])
        elif words[0] == "region":
            region = Region(line)
        elif words[0] in ("host", "rare") and region:
            piece = region.pieces.setdefault(words[0], [int(words[1], 16), b""])
            piece[1] += bytes.fromhex(words[2])
        elif region:
            region.guest.append(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="first", type=lambda t: int(t, 16), default=0)
    parser.add_argument("--to", dest="end", type=lambda t: int(t, 16), default=1 << 64)
    parser.add_argument("file", nargs="?", default="/dev/stdin")
    options = parser.parse_args()
    legend = Legend()
    with open(options.file, encoding="ascii") as file:
        for region in regions(file, legend):
            at = int(region.title.split()[2].rstrip(":"), 16)
            if options.first <= at < options.end:
                print("\n".join(region.lines(legend)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
