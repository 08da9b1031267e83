"""Which files the lints look at: every source file of the program and of its tests."""
import os

PROGRAM = "mem cpu io hyp ssi lgr cli".split()
TESTS = "tests/unit tests/lib tests/insn tests/guest/src tests/programs".split()
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def sources(endings, tops):
    """Files below `tops` that end in one of `endings` (with the dot), in order."""
    return [os.path.join(room, name) for top in tops for room, folders, names in os.walk(top)
            for name in sorted(names) if name.endswith(tuple(endings)) and not folders.sort()]
