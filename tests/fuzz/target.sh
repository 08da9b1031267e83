#!/bin/bash
# Runs build-fuzz/fuzz-NAME for so many seconds of processor time, from what earlier runs kept in build-fuzz/corpus.NAME
# and what seeds.sh has for it. FUZZ_SEED (1) makes it the same again. Crashes go to build-fuzz/found; executions
# per second come last.
set -euo pipefail
name=${1:?name of a target}
cd "$(dirname "$0")/../.."
corpus=build-fuzz/corpus.$name
mkdir -p build-fuzz/found
tests/fuzz/seeds.sh "$name" "$corpus" "build-fuzz/fuzz-$name -runs=0" build-fuzz/$name.dict
case $name in
image) length=65536 ;;
snapshot) length=8192 ;;
lgr) length=16384 ;;
*) length=4096 ;;
esac
options=()
[ ! -s build-fuzz/$name.dict ] || options=(-dict=build-fuzz/$name.dict)
FUZZ_SECONDS=${2:-600} nice -n 19 "build-fuzz/fuzz-$name" -seed="${FUZZ_SEED:-1}" -max_len=$length -len_control=20 -timeout=60 \
    -close_fd_mask=2 -artifact_prefix="build-fuzz/found/$name-" -verbosity=0 -print_funcs=0 "${options[@]}" "$corpus"
