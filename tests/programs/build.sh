#!/bin/bash
# Builds tests/programs for s390x at several levels and optimisations and for this host, whose output
# is what is wanted, and packs them into build/guest/programs.cpio.lz4, to be put behind the initramfs.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/programs
image=$root/build/guest/programs.cpio.lz4
cross=${S390X_CC:-s390x-linux-gnu-gcc}
flags="-std=gnu17 -D_GNU_SOURCE -ffp-contract=off -frounding-math -Wall -Wextra -Wshadow -Werror -pthread"
levels="z10 z196 zEC12"
optimisations="O0 O1 O2 O3"

# Nothing to do when the image is newer than all sources.
if [ -s "$image" ] && [ -z "$(find "$here" -newer "$image" -type f)" ]; then
    exit 0
fi
rm -rf "$out"
mkdir -p "$out/tree/programs" "$root/build/guest"
# shellcheck disable=SC2086
"${HOST_CC:-gcc}" $flags -O1 -o "$out/host" "$here"/*.c -lm
"$out/host" >"$out/tree/programs/wanted"
for level in $levels; do
    for optimisation in $optimisations; do
        # shellcheck disable=SC2086
        "$cross" $flags -march="$level" -"$optimisation" -static -s \
            -o "$out/tree/programs/$level-$optimisation" "$here"/*.c -lm
    done
done
find "$out/tree" -exec touch -h -d @0 {} +
(cd "$out/tree" && find . -mindepth 1 | LC_ALL=C sort |
    cpio --quiet -o -H newc -R 0:0 --reproducible) | "$root/tests/guest/pack" >"$image.new"
mv "$image.new" "$image"
