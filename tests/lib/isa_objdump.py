"""The instructions that GNU objdump knows, by opcode: the yardstick for the tables of cpu/isa.

Nothing is kept here by hand. Where the second part of an opcode lies is read from `isa_sub_kind` in
cpu/isa.h; every opcode there can be is written out with several fillings of its operand fields, and
objdump says what it sees. Extended mnemonics make several names of one opcode.
"""
import os
import random
import re
import shutil
import subprocess
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
OBJDUMP = os.environ.get("S390X_OBJDUMP", "s390x-linux-gnu-objdump")
STRIDE = 8
RANDOM_FILLINGS = 24
NO_INSTRUCTION = (".long", ".short", ".byte")


def sub_kinds():
    """First byte -> "NIBBLE", "BYTE1" or "BYTE5"; other first bytes are the whole opcode."""
    with open(os.path.join(ROOT, "cpu/isa.h"), encoding="utf-8") as file:
        body = file.read().split("isa_sub_kind(u8 op)", 1)[1].split("default:", 1)[0]
    kinds, waiting = {}, []
    for op, kind in re.findall(r"case (0x[0-9a-f]{2}):|return ISA_SUB_(\w+);", body):
        if op:
            waiting.append(int(op, 16))
        else:
            kinds.update(dict.fromkeys(waiting, kind))
            waiting = []
    return kinds


def opcodes(kinds):
    """All (first byte, rest of the opcode) that there can be."""
    rest = {"NIBBLE": 16, "BYTE1": 256, "BYTE5": 256}
    return [(op, sub) for op in range(256) for sub in range(rest.get(kinds.get(op), 1))]


def fillings():
    """Operand fields: none set, one field set, anything. Unused fields must be zero for objdump."""
    yield bytes(6)
    for at in range(1, 6):
        for value in (0x01, 0x02, 0x0f, 0x10, 0x30, 0xf0, 0xff):
            yield bytes(value if i == at else 0 for i in range(6))
    chance = random.Random(1)
    for _ in range(RANDOM_FILLINGS):
        yield bytes(chance.randrange(256) for _ in range(6))


def filled(op, sub, kind, filling):
    insn = bytearray(filling)
    insn[0] = op
    if kind == "BYTE1":
        insn[1] = sub
    elif kind == "BYTE5":
        insn[5] = sub
    elif kind == "NIBBLE":
        insn[1] = insn[1] & 0xf0 | sub
    length = (2, 4, 4, 6)[op >> 6]
    return bytes(insn[:length]) + b"\x07\x00" * ((STRIDE - length) // 2)


def disassembled(image):
    """(address, mnemonic) of each instruction at a multiple of STRIDE."""
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(image)
        file.flush()
        done = subprocess.run([OBJDUMP, "-D", "-z", "-b", "binary", "-m", "s390:64-bit", "-M", "zarch",
                               "--no-show-raw-insn", file.name],
                              capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        found = re.match(r" *([0-9a-f]+):\t(\S+)", line)
        if found and int(found.group(1), 16) % STRIDE == 0:
            yield int(found.group(1), 16), found.group(2)


def there():
    return shutil.which(OBJDUMP) is not None


def known():
    """(first byte, rest) -> the names objdump has for it, for every opcode it knows."""
    kinds = sub_kinds()
    asked = [(op, sub, filling) for op, sub in opcodes(kinds) for filling in fillings()]
    image = b"".join(filled(op, sub, kinds.get(op), f) for op, sub, f in asked)
    names = {}
    for address, name in disassembled(image):
        if name not in NO_INSTRUCTION:
            op, sub, _ = asked[address // STRIDE]
            names.setdefault((op, sub), set()).add(name)
    return names
