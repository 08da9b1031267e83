#!/bin/bash
# Builds build/guest/initramfs.cpio.gz: busybox, init, and tests/guest/src/*.c for s390x at the z10 level; and what tests
# boot that do not look at the boot: initramfs.cpio.lz4, which has the same in it, and kernel.quick (quick_kernel.py).
# The same input gives the same bytes; programs for this host go to build/guest/native/.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
guest=$root/build/guest
tree=$guest/tree
image=$guest/initramfs.cpio.gz
quick=$guest/initramfs.cpio.lz4
cross=${S390X_CC:-s390x-linux-gnu-gcc}
flags="-std=gnu17 -D_GNU_SOURCE -O2 -ffp-contract=off -Wall -Wextra -Wshadow -Werror -static -pthread"
# The programs' own code stays at the z10 level (the library's depends on the distribution).
cross_flags="-march=z10"

[ -s "$guest/busybox" ] || { echo "mkinitramfs: no build/guest/busybox; run tests/guest/fetch.sh" >&2; exit 1; }
for tool in cpio gzip lz4 python3 "$cross"; do
    command -v "$tool" >/dev/null || { echo "mkinitramfs: $tool is needed; run 'make setup'" >&2; exit 1; }
done

newer() { # target, sources...: is one of the sources newer (or the target missing)?
    local target=$1 source
    shift
    [ -e "$target" ] || return 0
    for source in "$@"; do
        [ ! "$source" -nt "$target" ] || return 0
    done
    return 1
}

compile() { # compiler, output, source, flags...
    local cc=$1 out=$2 source=$3
    shift 3
    newer "$out" "$source" "$here/mkinitramfs.sh" || return 0
    "$cc" $flags "$@" -o "$out" "$source" -lm
}

mkdir -p "$guest/bin" "$guest/native"
for source in "$here"/src/*.c; do
    name=$(basename "$source" .c)
    compile "$cross" "$guest/bin/$name" "$source" $cross_flags
    compile "${HOST_CC:-gcc}" "$guest/native/$name" "$source"
done

if newer "$guest/kernel.quick" "$guest/kernel" "$here/quick_kernel.py"; then
    "$here/quick_kernel.py" "$guest/kernel" "$guest/kernel.quick"
fi

[ -e "$quick" ] || rm -f "$image"
newer "$image" "$guest/busybox" "$here/init" "$here/shellsteps" "$here/mkinitramfs.sh" "$here/pack" "$guest"/bin/* || exit 0
rm -rf "$tree"
mkdir -p "$tree"/bin "$tree"/dev "$tree"/proc "$tree"/sys "$tree"/tmp "$tree"/root
install -m 755 "$guest/busybox" "$tree/bin/busybox"
install -m 755 "$here/init" "$tree/init"
install -m 755 "$here/shellsteps" "$tree/bin/shellsteps"
for program in "$guest"/bin/*; do
    s390x-linux-gnu-strip -o "$tree/bin/$(basename "$program")" "$program" 2>/dev/null ||
        cp "$program" "$tree/bin/"
done
chmod 755 "$tree"/bin/*
ln -s busybox "$tree/bin/sh"
find "$tree" -exec touch -h -d @0 {} +
# Device nodes need root, so the kernel's devtmpfs makes them; /dev/console the kernel opens itself.
(cd "$tree" && find . -mindepth 1 | LC_ALL=C sort |
    cpio --quiet -o -H newc -R 0:0 --reproducible) >"$image.plain"
"$here/pack" <"$image.plain" >"$quick.new"
mv "$quick.new" "$quick"
gzip -9n <"$image.plain" >"$image.new"
mv "$image.new" "$image"
rm -f "$image.plain"
rm -rf "$tree"
echo "mkinitramfs: build/guest/initramfs.cpio.gz, $(stat -c %s "$image") bytes"
