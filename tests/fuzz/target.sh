#!/bin/bash
# Runs build-fuzz/fuzz-NAME for so many seconds of processor time, from what earlier runs kept in build-fuzz/corpus.NAME
# and, for images, some that are right. FUZZ_SEED (1) makes it the same again. Crashes go to build-fuzz/found; executions
# per second come last.
set -euo pipefail
name=${1:?name of a target}
cd "$(dirname "$0")/../.."
corpus=build-fuzz/corpus.$name
mkdir -p "$corpus" build-fuzz/found
length=4096
if [ "$name" = image ]; then
    length=65536
    for options in "--format cckd" "--format cckd --linux --volume FUZZ01" "--format cckd --compress none" "--format ckd"; do
        file=$corpus/seed.$(echo "$options" | tr -d ' -')
        # shellcheck disable=SC2086
        [ -e "$file" ] || build/endicott dasd init "$file" --cylinders 1 $options
        truncate -s "<$length" "$file"
    done
fi
FUZZ_SECONDS=${2:-600} nice -n 19 "build-fuzz/fuzz-$name" -seed="${FUZZ_SEED:-1}" -max_len=$length -len_control=20 -timeout=60 \
    -close_fd_mask=2 -artifact_prefix="build-fuzz/found/$name-" -verbosity=0 -print_funcs=0 "$corpus"
