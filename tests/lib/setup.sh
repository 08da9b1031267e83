#!/bin/sh
# Installs the Debian packages that the named groups (build guest test lint) need.
# Silent and quick when nothing is missing; apt runs only when something is.
set -eu

build="gcc libc6-dev pkg-config libuv1-dev libjansson-dev zlib1g-dev
       libedit-dev libbz2-dev libssl-dev liblz4-dev libnbd0 libslirp-dev libglib2.0-dev libvdeplug-dev"
guest="python3 gcc-s390x-linux-gnu libc6-dev-s390x-cross binutils-s390x-linux-gnu cpio gzip lz4"
test="check qemu-system-misc python3 time s3270 c3270 openssl sqlite3 perl hercules nbdkit qemu-utils e2fsprogs groff-base vde2 iproute2 spin"
lint="clang-format clang-tidy cppcheck universal-ctags python3"

wanted=""
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    guest) wanted="$wanted $guest" ;;
    test) wanted="$wanted $test" ;;
    lint) wanted="$wanted $lint" ;;
    *) echo "setup: unknown group '$group' (build guest test lint)" >&2; exit 2 ;;
    esac
done

if ! command -v dpkg >/dev/null 2>&1; then
    echo "setup: no dpkg here; this needs the equivalents of:" $wanted >&2
    exit 0
fi

missing=""
for package in $wanted; do
    case " $missing " in *" $package "*) continue ;; esac
    dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "setup: not root and no sudo; as root, run: apt-get install$missing" >&2
        exit 3
    fi
    sudo=sudo
fi

echo "setup: installing$missing"
options="-q -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install_missing() {
    $sudo apt-get -q update -o DPkg::Lock::Timeout=300 &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get $options install $missing
}
# Somebody else's apt-get may hold a lock, and an archive be away for a moment: four times.
for pause in 10 30 60 ""; do
    ! install_missing >"$log" 2>&1 </dev/null || break
    tail -n 30 "$log" >&2
    [ -n "$pause" ] || {
        echo "setup: apt-get failed; the lines above are its last" >&2
        exit 3
    }
    echo "setup: once more in $pause s" >&2
    sleep "$pause"
done
echo "setup: done"
