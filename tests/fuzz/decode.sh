#!/bin/bash
# Runs build-fuzz/fuzz-decode for so many seconds of processor time (one process), from seeds/ and what earlier runs
# kept. FUZZ_SEED (1) makes it the same again. Crashes go to build-fuzz/found; executions per second come last.
set -euo pipefail
seconds=${1:-1800}
cd "$(dirname "$0")/../.."
mkdir -p build-fuzz/corpus build-fuzz/found
python3 tests/fuzz/seeds.py build-fuzz/seeds 20
DECODE_SECONDS=$seconds nice -n 19 build-fuzz/fuzz-decode -seed="${FUZZ_SEED:-1}" -max_len=1200 \
    -timeout=600 -artifact_prefix=build-fuzz/found/ -verbosity=0 \
    build-fuzz/corpus build-fuzz/seeds || {
    status=$?
    for crash in build-fuzz/found/*; do
        [ -f "$crash" ] && echo "keep it with: tests/fuzz/seeds.py --hex $crash > tests/fuzz/corpus/NAME.hex"
    done
    exit "$status"
}
