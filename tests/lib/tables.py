"""The tables of the program as tests and generators read them: rows through the C preprocessor, the
instruction set, and which tests name which instruction."""
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import isa_objdump

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def preprocess(text, *flags):
    """The text after the preprocessor, without line markers."""
    compiler = shlex.split(os.environ.get("CC") or "") or [shutil.which("gcc") or "cc"]
    done = subprocess.run([*compiler, "-E", "-P", "-x", "c", "-I.", *flags, "-"], input=text,
                          capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        sys.exit(f"{sys.argv[0]}: the preprocessor failed:\n{done.stderr}")
    return done.stdout


def fields(text):
    """Operands of one row: strings unquoted and joined, the rest as written."""
    found, word, at = [], "", 0
    while at < len(text):
        if text[at] == ",":
            found.append(word.strip())
            word, at = "", at + 1
            continue
        match = STRING.match(text, at)
        if match:
            word = word.strip() + json.loads(f'"{match.group(1)}"')
            at = match.end()
        else:
            word += text[at]
            at += 1
    return found + [word.strip()]


def rows(text, mark):
    """Rows `mark(...)` of preprocessed text; a parenthesis inside a string does not count."""
    row = re.compile(mark + r'\(((?:"(?:[^"\\]|\\.)*"|[^()"])*)\)')
    return [fields(match.group(1)) for match in row.finditer(text)]


CONDITIONS = "o h nle l nhe lh ne e nlh he nl le nh no z nz m nm p np".split()
# What the assembler makes of its extended mnemonics, where tests use them.
EXTENDED = {**{"j" + c: "brc" for c in ["", *CONDITIONS]}, **{"b" + c: "bc" for c in CONDITIONS},
            **{"jg" + c: "brcl" for c in ["", *CONDITIONS]}, "b": "bc", "br": "bcr", "jxh": "brxh", "jxle": "brxle",
            "jct": "brct", "jctg": "brctg", "jas": "bras", "jasl": "brasl", "nopr": "bcr"}


SUB_KINDS = isa_objdump.sub_kinds()


def opcode(op, sub, base=0):
    """As the Principles of Operation writes it: A7A, B904, E304, 5A."""
    op, sub = int(op, base), int(sub, base)
    kind = SUB_KINDS.get(op)
    return f"{op:02X}" + (f"{sub:X}" if kind == "NIBBLE" else f"{sub:02X}" if kind else "")


def chapters():
    """(chapter, rows) in the order of isa.def."""
    text = preprocess("#define CHAPTER(name) @CHAPTER name\n#include \"cpu/isa/isa.def\"\n")
    for part in text.split("@CHAPTER ")[1:]:
        yield part.split(None, 1)[0], rows(part, r"\bI")


def operands():
    """Mnemonic -> operands, registers, set-up and rules of the instruction matrix."""
    found = rows(preprocess('#include "tests/lib/operand.def"\n'), r"\bO")
    return {mnemonic: rest for mnemonic, *rest in found}


def refused():
    """Instructions without a row: (op, sub, format, mnemonic, STFLE bit, reason)."""
    return rows(preprocess('#include "cpu/isa/isa_refused.def"\n'), r"\bR")


def read_all(pattern):
    texts = []
    for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
        with open(path, encoding="utf-8") as file:
            texts.append(re.sub(r"/\*.*?\*/", " ", file.read(), flags=re.S))
    return "\n".join(texts)


def opcode_of(text):
    """The opcode, as opcode() writes it, of an instruction written in hexadecimal ("b219 0100")."""
    digits = text.replace(" ", "").ljust(4, "0")
    kind = SUB_KINDS.get(int(digits[:2], 16))
    rest = {"NIBBLE": digits[3:4], "BYTE1": digits[2:4], "BYTE5": digits[10:12] or digits[2:4]}
    return (digits[:2] + rest.get(kind, "")).upper()


def tested(mnemonics):
    """Mnemonic -> names of the tests that say it: tests/insn as an operation, extended mnemonics
    included; the unit tests of cpu as a body, a quoted word, a macro's operand, or in hexadecimal.
    `mnemonics` gives them by opcode."""
    found = {}
    for source in sorted(glob.glob(os.path.join(ROOT, "tests/insn/*/*.S"))):
        name = "insn/" + os.path.basename(source)[:-2]
        for word in set(re.findall(r"\b[a-z][a-z0-9]+\b|\b[a-z]\b(?= +%)", read_all(source))):
            found.setdefault(EXTENDED.get(word, word), {})[name] = True
    for source in sorted(glob.glob(os.path.join(ROOT, "tests/unit/cpu/*_test.c"))):
        name = "unit/" + os.path.basename(source)[:-2]
        for words in re.findall(r'"([a-z0-9]+)"|\b(?:insn|run)_([a-z0-9]+)\b|\b[A-Z_]+\(([a-z0-9]+)[,)]',
                                read_all(source)):
            found.setdefault("".join(words), {})[name] = True
        for code in re.findall(r'"((?:[0-9a-f]{4} ?){1,3})[" ]', read_all(source)):
            found.setdefault(mnemonics.get(opcode_of(code)), {})[name] = True
    return {word: sorted(names) for word, names in found.items()}
