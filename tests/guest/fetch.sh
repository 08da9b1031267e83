#!/bin/bash
# Fetches Debian's s390x kernel and static busybox with apt, into build/cache/ and build/guest/.
# Needs no root and leaves the host's apt state alone; `fetch.sh --refresh` looks for newer ones.
# `fetch.sh --programs` fetches gzip, perl, python3, openssl, sqlite3 and util-linux with all they need into
# build/guest/debian.cpio.lz4, a root below /debian to be put behind the initramfs; `fetch.sh --disks` s390-tools, e2fsprogs
# and the modules for disks and ext4 into build/guest/disks.cpio.lz4, `fetch.sh --compiler` gcc into build/guest/compiler.cpio.lz4,
# likewise, `fetch.sh --fio` fio into build/guest/fio.cpio.lz4, `fetch.sh --spool` s390-tools with the EBCDIC character set
# into build/guest/spool.cpio.lz4.
# `fetch.sh --root` fetches the packages of a whole system (systemd, apt, kernel, zipl) as they are, into build/guest/root.cpio.
# `fetch.sh --modules NAME...` (drivers/s390/char/tape) puts modules of that kernel into build/guest/modules.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
guest=$root/build/guest
cache=$root/build/cache
apt=$cache/apt

die() {
    echo "fetch: $*" >&2
    exit 3
}

# Tests that run at the same time share the cache: one fetches, the others wait and find it done.
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

# Unpacks the package of that name, which is in the cache, below $cache/unpacked.
unpack() { # package
    local deb
    deb=$(find "$cache/" -maxdepth 1 -name "${1}_*_s390x.deb" | sort -V | tail -n 1)
    [ -n "$deb" ] || die "no package file of $1 in $cache"
    rm -rf "$cache/unpacked/$1"
    mkdir -p "$cache/unpacked/$1"
    dpkg-deb -x "$deb" "$cache/unpacked/$1"
}

# Keeps the modules of the kernel's package that is unpacked, and no others: to unpack it takes seconds, and tests ask for
# modules many times.
keep_modules() { # kernel's package
    rm -rf "$cache/modules"
    mkdir -p "$cache/modules"
    mv "$cache/unpacked/$1"/lib/modules/*/kernel "$cache/modules/$1"
    rm -rf "$cache/unpacked/$1"
}

# The folder of the modules of the kernel that was fetched, out of its package in the cache; nothing is downloaded.
modules_of_kernel() {
    local kernel
    kernel=$(cat "$guest/kernel.name")
    if [ ! -d "$cache/modules/$kernel" ]; then
        unpack "$kernel"
        keep_modules "$kernel"
    fi
    echo "$cache/modules/$kernel"
}

fetch_modules() { # names
    local name from
    mkdir -p "$guest/modules"
    for name in "$@"; do
        [ ! -s "$guest/modules/${name##*/}.ko" ] || continue
        from=${from:-$(modules_of_kernel)}
        [ -s "$from/$name.ko" ] || die "the kernel's package holds no $name.ko"
        cp "$from/$name.ko" "$guest/modules/.${name##*/}.new"
        mv "$guest/modules/.${name##*/}.new" "$guest/modules/${name##*/}.ko"
    done
}

set=
case ${1-} in
--programs) set=debian programs="gzip perl python3 openssl sqlite3 util-linux" ;;
--disks) set=disks programs="s390-tools e2fsprogs bash coreutils findutils grep sed" ;;
--spool) set=spool programs="s390-tools bash coreutils findutils grep sed" ;;
--compiler) set=compiler programs="gcc libc6-dev" ;;
--fio) set=fio programs="fio" ;;
--root)
    set=root
    essential="?essential"
    programs="?essential systemd systemd-sysv udev kmod e2fsprogs s390-tools initramfs-tools linux-image-s390x apt"
    ;;
esac
case ${1-} in
--programs | --disks | --spool | --compiler | --fio | --root)
    archive=$set.cpio.lz4
    [ $set != root ] || archive=root.cpio
    [ ! -s "$guest/$archive" ] || [ "$(cat "$guest/$set.names" 2>/dev/null)" != "$programs" ] || exit 0
    ;;
--modules)
    shift
    fetch_modules "$@"
    exit 0
    ;;
--refresh) ;;
*) [ ! -s "$guest/kernel" ] || [ ! -s "$guest/busybox" ] || exit 0 ;;
esac
for tool in apt-get apt-cache dpkg-deb; do
    command -v $tool >/dev/null || die "$tool is needed (a Debian host)"
done

# An archive may be away for a moment, or its index be replaced while it is read.
again() { # command..., which dies when it fails: in four times
    local pause
    for pause in 5 15 45; do
        if ("$@"); then return 0; fi
        echo "fetch: once more in $pause s" >&2
        sleep $pause
    done
    "$@"
}

# The host's own sources, with any limit to its own architecture taken out, in both formats.
copy_sources() {
    local from name count=0
    mkdir -p "$apt/sources.list.d"
    rm -f "$apt"/sources.list "$apt"/sources.list.d/*
    for from in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
        /etc/apt/sources.list.d/*.sources; do
        [ -s "$from" ] || continue
        name=$(basename "$from")
        case $name in
        *.sources)
            sed -E '/^[Aa]rchitectures(-[A-Za-z]+)?:/d' "$from" >"$apt/sources.list.d/$name"
            ;;
        *)
            sed -E -e '/^[[:space:]]*deb-src/d' \
                -e 's/arch[-+]?=[^] ]*[[:space:]]*//; s/\[[[:space:]]*\]//' \
                "$from" >"$apt/sources.list.d/$name"
            ;;
        esac
        count=$((count + 1))
    done
    [ $count -gt 0 ] || die "the host has no package sources in /etc/apt"
}

# Read with -c, hence after the host's configuration: a proxy set there still counts.
write_conf() {
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
    : >"$apt/state/status"
    cat >"$apt/apt.conf" <<CONF
#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
APT::Architecture "s390x";
APT::Architectures { "s390x"; };
APT::Sandbox::User "$(id -un)";
APT::Get::List-Cleanup "true";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
Dir::Log "$apt/log";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources.list.d";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::trusted "/etc/apt/trusted.gpg";
Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";
CONF
}

apt() {
    local tool=$1
    shift
    "$tool" -c "$apt/apt.conf" "$@"
}

update() {
    local log=$cache/update.log
    apt apt-get -q update >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        die "apt-get update for s390x failed (the lines above; all of them in $log)"
    }
}

# linux-image-s390x only depends on the newest versioned package: that one is wanted.
kernel_package() {
    apt apt-cache show --no-all-versions linux-image-s390x 2>/dev/null |
        sed -n 's/^Depends: *\(linux-image-[^ ,]*\).*/\1/p' | head -n 1
}

# apt-get update ends well without an index that it did not get.
update_kernel() {
    update
    [ -n "$(kernel_package)" ] || die "the sources in /etc/apt offer no linux-image-s390x (is Debian among them?)"
}

download() {
    (cd "$cache" && apt apt-get -q download "$@") >"$cache/download.log" 2>&1 || {
        tail -n 20 "$cache/download.log" >&2
        die "could not download $*"
    }
}

place() { # file, name
    [ -s "$1" ] || die "the package holds no $1"
    cp "$1" "$guest/.$2.new"
    mv "$guest/.$2.new" "$guest/$2"
}

# With an empty state of apt's, installing means all dependencies.
download_programs() {
    rm -f "$apt"/cache/archives/*.deb
    # shellcheck disable=SC2086
    apt apt-get -q -y --no-install-recommends -o Debug::NoLocking=1 --download-only \
        install $programs >"$cache/download.log" 2>&1 || {
        tail -n 20 "$cache/download.log" >&2
        die "could not download $programs"
    }
}

# The index that was there is older than the archive.
download_anew() {
    update_kernel
    download_programs
}

# The modules that disks need, in the order in which they are loaded, from the kernel's package in the cache.
pack_disks() { # root
    local root=$1 from name number=10
    from=$(modules_of_kernel)
    mkdir -p "$root/modules"
    for name in drivers/s390/block/dasd_mod drivers/s390/block/dasd_eckd_mod drivers/s390/block/dasd_fba_mod \
        crypto/crc32c_generic lib/libcrc32c lib/crc16 fs/mbcache fs/jbd2/jbd2 fs/ext4/ext4; do
        cp "$from/$name.ko" "$root/modules/$number-$(basename $name).ko"
        number=$((number + 1))
    done
    cp "$guest/kernel" "$root/boot/"
    rm -rf "$root"/usr/lib/python3* "$root"/usr/share/perl* "$root"/usr/lib/s390x-linux-gnu/perl*
}

# Takes out what no test runs (perl, dpkg, tar), then every library that nothing left asks for: each boot unpacks the rest, and
# under CP reads it as cards.
prune() { # root
    local root=$1 needed gone=1 file
    rm -rf "$root"/usr/bin/{*perl*,cpan*,dpkg*,x86_64*} "$root"/bin/tar "$root"/usr/sbin/dpkg* "$root"/usr/share/{common-licenses,perl*} \
        "$root"/usr/lib/s390x-linux-gnu/{perl*,engines-3,sasl2,krb5,gawk,ossl-modules,pkcs11} "$root"/usr/lib/{dpkg,apt} "$root"/var/lib/dpkg
    { grep -lrIs '^#! */usr/bin/perl' "$root"/{bin,sbin,usr/bin,usr/sbin} || true; } | xargs -r rm -f
    while [ "$gone" -gt 0 ]; do
        # most files are no programs, of which readelf complains
        needed=" $({ find "$root" -type f -size +4k -exec readelf -d {} + 2>/dev/null || true; } |
            sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u | tr '\n' ' ') libgcc_s.so.1 "
        gone=0
        while read -r file; do
            case $needed in
            *" $(readelf -d "$file" 2>/dev/null | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p') "*) ;;
            *) rm -f "$file" && gone=$((gone + 1)) ;;
            esac
        done < <(find "$root"/lib/s390x-linux-gnu "$root"/usr/lib/s390x-linux-gnu -maxdepth 1 -type f -name 'lib*.so*')
        find "$root"/lib/s390x-linux-gnu "$root"/usr/lib/s390x-linux-gnu -xtype l -delete
    done
}

# Leaves of a root one program and the libraries that it is linked to; the rest of what fio's package asks for is 100 MB.
only_program() { # root, program
    local root=$1 kept=$1.kept name file
    local -a files=("$1/lib/ld64.so.1" "$1/$2")
    while [ ${#files[@]} -gt 0 ]; do
        file=${files[0]}
        files=("${files[@]:1}")
        [ ! -e "$kept/${file#"$root"/}" ] || continue
        mkdir -p "$kept/$(dirname "${file#"$root"/}")"
        cp -L "$file" "$kept/${file#"$root"/}"
        for name in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
            mapfile -O ${#files[@]} -t files < <(find "$root" -name "$name" | head -n 1)
        done
    done
    rm -rf "$root"
    mv "$kept" "$root"
}

# s390-tools, what they need, and the character sets of vmur and hyptop.
pack_spool() { # root
    local root=$1 from=$1/usr/lib/s390x-linux-gnu/gconv
    mkdir -p "$root/gconv"
    cp "$from"/IBM037.so "$from"/ISO8859-1.so "$from"/EBCDIC-US.so "$root/gconv/"
    printf 'module IBM037// INTERNAL IBM037 1\nmodule INTERNAL IBM037// IBM037 1\n%s\n' \
        'module ISO-8859-1// INTERNAL ISO8859-1 1' >"$root/gconv/gconv-modules"
    printf 'module EBCDIC-US// INTERNAL EBCDIC-US 1\nmodule INTERNAL EBCDIC-US// EBCDIC-US 1\n' \
        >>"$root/gconv/gconv-modules"
    echo 'module INTERNAL ISO-8859-1// ISO8859-1 1' >>"$root/gconv/gconv-modules"
    rm -rf "$root"/usr/lib/python3* "$root"/usr/share/perl* "$root"/usr/lib/s390x-linux-gnu/perl*
}

# Without documentation, character sets, and what is large and not used here.
pack_programs() {
    local root=$cache/unpacked/programs/debian deb
    rm -rf "$cache/unpacked"
    mkdir -p "$root"/{tmp,dev,proc,sys,boot}
    for deb in "$apt"/cache/archives/*.deb; do
        dpkg-deb -x "$deb" "$root"
    done
    [ $set != spool ] || pack_spool "$root"
    rm -rf "$root"/usr/share/{doc,man,locale,info,lintian} "$root"/usr/lib/s390x-linux-gnu/gconv \
        "$root"/usr/lib/s390x-linux-gnu/perl/*/CORE "$root"/usr/share/perl/*/{Unicode,CPAN} \
        "$root"/usr/lib/gcc/s390x-linux-gnu/*/{lto1,lib{asan,ubsan,gomp,itm,atomic}*,plugin} \
        "$root"/usr/lib/s390x-linux-gnu/lib{asan,ubsan,gomp,itm}* \
        "$root"/usr/lib/s390x-linux-gnu/lib{c,m,crypt,g,nsl,tirpc}.a \
        "$root"/usr/bin/*{-lto-dump-*,-gold,-dwp}
    [ $set != disks ] || pack_disks "$root"
    [ $set != fio ] || only_program "$root" usr/bin/fio
    case $set in disks | spool) prune "$root" ;; esac
    [ $set != spool ] || mv "$root/gconv" "$root/usr/lib/s390x-linux-gnu/gconv"
    (cd "$cache/unpacked/programs" && find . -mindepth 1 | LC_ALL=C sort |
        cpio --quiet -o -H newc -R 0:0) | "$here/pack" >"$guest/$set.cpio.lz4.new"
    mv "$guest/$set.cpio.lz4.new" "$guest/$set.cpio.lz4"
    echo "$programs" >"$guest/$set.names"
    rm -rf "$cache/unpacked" "$apt"/cache/archives/*.deb
    echo "fetch: build/guest/$set.cpio.lz4, $(stat -c %s "$guest/$set.cpio.lz4") bytes"
}

# The packages themselves below /debs, and in /debs/essential the names of those that a first unpacking needs.
pack_root() {
    local tree=$cache/unpacked/root
    rm -rf "$cache/unpacked"
    mkdir -p "$tree/debs"
    cp "$apt"/cache/archives/*.deb "$tree/debs/"
    apt apt-get -q -y --no-install-recommends -o Debug::NoLocking=1 -o Dir::Cache::archives="$tree" --print-uris \
        install "$essential" | sed -n "s/^'[^']*' \([^ ]*\.deb\) .*/\1/p" >"$tree/debs/essential"
    [ -s "$tree/debs/essential" ] || die "apt names no essential packages"
    (cd "$tree" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$guest/root.cpio.new"
    mv "$guest/root.cpio.new" "$guest/root.cpio"
    echo "$programs" >"$guest/root.names"
    rm -rf "$cache/unpacked" "$apt"/cache/archives/*.deb
    echo "fetch: build/guest/root.cpio, $(stat -c %s "$guest/root.cpio") bytes"
}

mkdir -p "$guest" "$cache"
copy_sources
write_conf
if [ -n "$set" ]; then
    echo "fetch: downloading $programs and what they need"
    (download_programs) || again download_anew
    if [ $set = root ]; then pack_root; else pack_programs; fi
    exit 0
fi
echo "fetch: reading the s390x package index"
again update_kernel
kernel=$(kernel_package)
echo "fetch: downloading $kernel and busybox-static"
again download "$kernel" busybox-static
unpack "$kernel"
unpack busybox-static
place "$(find "$cache/unpacked/$kernel/boot" -name 'vmlinuz-*' | head -n 1)" kernel
place "$(find "$cache/unpacked/busybox-static" -path "*/bin/busybox" | head -n 1)" busybox
echo "$kernel" >"$guest/kernel.name"
keep_modules "$kernel"
rm -rf "$cache/unpacked"
echo "fetch: build/guest/kernel is $kernel"
