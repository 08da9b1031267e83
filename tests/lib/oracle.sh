# Sourced by tests/oracle/*.sh: runs a command in a Linux guest, here and on QEMU.
# Uses ROOT, ENDICOTT and TEST_TMP from tests/run, and sensible ones without it.

ROOT=${ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
ENDICOTT=${ENDICOTT:-$ROOT/build/endicott}
if [ -z "${TEST_TMP-}" ]; then
    TEST_TMP=$(mktemp -d)
    own_tmp=$TEST_TMP
fi
guest=$ROOT/build/guest
. "$ROOT/tests/lib/guest.sh"
. "$ROOT/tests/lib/failure.sh"

for file in "$guest/kernel.quick" "$guest/initramfs.cpio.lz4"; do
    [ -s "$file" ] || fail "$file is missing: run make guest"
done

# Sends a command's output through the console unharmed, however short the console's lines are.
packed() { # command
    echo "$1 | gzip -9 | base64"
}

unpacked() { # file with the console's lines
    base64 -d <"$1" | gunzip
}

# What the guest printed between its first line and the exit status, which must be 0.
between() { # console log
    tr -d '\r' <"$1" | sed -n '/ENDICOTT-GUEST-READY/,/ENDICOTT-EXIT/p' | sed '1d;$d'
    grep -q $'^ENDICOTT-EXIT 0\r*$' "$1"
}

on_endicott() { # output file, guest command, more options of `endicott ipl`
    local out=$1 command=$2
    shift 2
    "$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd "$guest/initramfs.cpio.lz4" --memory 512M \
        --console stdio --timeout 900 --append "$QUICK_BOOT endicott.run=\"$command\"" "$@" \
        >"$out.console" 2>"$out.messages" </dev/null || {
        local status=$?
        tail -n 30 "$out.console" "$out.messages" >&2
        fail "endicott ipl: exit status $status"
    }
    between "$out.console" >"$out" || {
        tail -n 30 "$out.console" "$out.messages" >&2
        fail "the command failed in the guest"
    }
}

on_qemu() { # output file, guest command
    timeout 900 qemu-system-s390x -M s390-ccw-virtio -cpu max -m 512 -nographic \
        -kernel "$guest/kernel.quick" -initrd "$guest/initramfs.cpio.lz4" \
        -append "$QUICK_BOOT endicott.run=\"$2\"" >"$1.console" 2>&1 </dev/null || {
        tail -n 30 "$1.console" >&2
        fail "QEMU did not end well"
    }
    between "$1.console" >"$1" || {
        tail -n 30 "$1.console" >&2
        fail "the command failed in QEMU's guest"
    }
}

same() { # what, expected file, actual file
    cmp -s "$2" "$3" || {
        diff -u "$2" "$3" | head -n 40 >&2
        fail "$1 differs (- expected, + here)"
    }
}
