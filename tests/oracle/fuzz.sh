#!/bin/bash
# Random instructions: every case found so far, and 200 images of fixed seeds, do the same on QEMU as here; 40 of
# others, with blocks and loops, as translated code.
# Differences that are QEMU's errors stand in tests/fuzz/waivers; docs/fuzzing.md tells how to read a case.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$ROOT"
python3 tests/fuzz/fuzz.py replay
python3 tests/fuzz/fuzz.py run --seed 1 --images 200 --steps 24 --jobs 2
python3 tests/fuzz/fuzz.py run --engine jit-first --qemu --seed 1001 --images 40 --jobs 2
