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
options=()
if [ "$name" = config ]; then # first byte: P, Q directory, R system.config, S hardware file
    for file in docs/samples/*/user.direct docs/samples/*/system.config docs/samples/*/hardware/*.cnf; do
        case $file in *.direct) kind=P ;; *.config) kind=R ;; *) kind=S ;; esac
        { printf $kind && head -c 4000 "$file"; } >"$corpus/seed.$(echo "$file" | tr / .)"
    done
    # every word of the tables, as a dictionary
    grep -ohE '[A-Z][A-Za-z0-9_-]+' hyp/config/directory_stmt.def hyp/config/config_stmt.def | tr a-z A-Z | sort -u |
        sed 's/.*/"&"/' >build-fuzz/config.dict
    options=(-dict=build-fuzz/config.dict)
fi
FUZZ_SECONDS=${2:-600} nice -n 19 "build-fuzz/fuzz-$name" -seed="${FUZZ_SEED:-1}" -max_len=$length -len_control=20 -timeout=60 \
    -close_fd_mask=2 -artifact_prefix="build-fuzz/found/$name-" -verbosity=0 -print_funcs=0 "${options[@]}" "$corpus"
