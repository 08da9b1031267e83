#!/bin/bash
# Random instructions and blocks with loops do under each way of translating what they do under the interpreter: registers,
# interruptions, the whole TEID, breaking-event address, storage and its keys. Host: x86-64 with AVX2 (jit_supported).
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$ROOT"
python3 tests/fuzz/fuzz.py run --engine jit --seed 1 --images 40
python3 tests/fuzz/fuzz.py run --engine jit-first --repeat 4 --seed 1001 --images 40
python3 tests/fuzz/fuzz.py run --engine jit-single --repeat 4 --seed 2001 --images 40
