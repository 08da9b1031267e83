#!/bin/bash
# Runs build-fuzz/fuzz-NAME for so many seconds of processor time, from what earlier runs kept in build-fuzz/corpus.NAME.
# FUZZ_SEED (1) makes it the same again. Crashes go to build-fuzz/found; executions per second come last.
set -euo pipefail
name=${1:?name of a target}
cd "$(dirname "$0")/../.."
mkdir -p "build-fuzz/corpus.$name" build-fuzz/found
FUZZ_SECONDS=${2:-600} nice -n 19 "build-fuzz/fuzz-$name" -seed="${FUZZ_SEED:-1}" -max_len=4096 -len_control=20 -timeout=60 \
    -artifact_prefix="build-fuzz/found/$name-" -verbosity=0 -print_funcs=0 "build-fuzz/corpus.$name"
