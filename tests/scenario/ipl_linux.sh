#!/bin/bash
# endicott ipl with Debian's kernel: an LPAR-like machine, several CPUs, the model's facilities, no console,
# closed input, SIGTERM as a request to shut down, the same log twice in deterministic mode.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
cd "$TEST_TMP"

ipl() { # output file, options of `endicott ipl`...; packed=1: kernel and initramfs as Debian has them
    local out=$1 files=("$guest/kernel.quick" "$guest/initramfs.cpio.lz4")
    shift
    [ -z "${packed-}" ] || files=("$guest/kernel" "$guest/initramfs.cpio.gz")
    "$ENDICOTT" ipl --kernel "${files[0]}" --initrd "${files[1]}" --timeout 900 \
        "$@" >"$out" 2>"$out.messages"
}

saw() { # file regex
    grep -Eq -- "$2" <<<"$(tr -d '\r' <"$1")" || fail "$1 has no line like $2: $(tail -n 20 "$1" "$1.messages")"
}

comes() { # regex: waits until process $pid has written such a line to term, or has ended
    grep -Eq -m 1 -- "$1" < <(tail -n +1 -F --pid=$pid term 2>/dev/null) ||
        fail "no line like $1: $(tail -n 20 term term.messages)"
}

# --- two CPUs, statistics; standard input closed from the start
packed=1 ipl two --cpus 2 --stats two.json --append 'endicott.run="cat /proc/sysinfo; nproc; vmcp Q T"' <&- ||
    fail "two CPUs: status $?"
saw two '^ENDICOTT-GUEST-READY .* 2 cpu$'
saw two '^2$'
saw two '^LPAR '
default=$("$ENDICOTT" models --json | python3 -c 'import json, sys
print(*(m["type"] for m in json.load(sys.stdin) if m["default"]))')
saw two "^Type: +$default\$"
! grep -q '^VM00' two || fail "ipl shows a z/VM machine"
saw two 'vmcp: /dev/vmcp: No such (file|device)'
python3 - <<'PYTHON'
import json
s = json.load(open("two.json"))
assert s["instructions"]["interp"] > 10000000, s
assert 0 < s["resident_bytes"] < 512 << 20, s
for key in "wall_seconds cpu_seconds guest_seconds".split():
    assert s[key] > 0, s
PYTHON

# --- no console: nothing on standard output, the end is seen all the same
ipl none --console none --append "$QUICK_BOOT endicott.run=true" </dev/null || fail "no console: status $?"
[ ! -s none ] || fail "--console none printed $(head -c 200 none)"

# --- nobody reads standard output: the guest goes on to its end
("$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd "$guest/initramfs.cpio.lz4" --timeout 900 \
    --append "$QUICK_BOOT endicott.run=true" 2>deaf.messages </dev/null; echo $? >deaf.status) | head -n 1 >deaf
[ "$(cat deaf.status)" = 0 ] || fail "without a reader: status $(cat deaf.status)"

# --- a line typed arrives; SIGTERM asks the guest to shut down: its init gets the signal
mkfifo typing
"$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd "$guest/initramfs.cpio.lz4" --timeout 900 \
    --append "$QUICK_BOOT" <typing >term 2>term.messages &
pid=$!
exec 5>typing
comes '^guest# ' # the shell reads: what is typed before it starts may be flushed
printf 'trap "" INT; echo typed-$((40 + 2))\n' >&5
comes 'typed-42'
kill -TERM $pid
status=0
wait $pid || status=$?
exec 5>&-
[ $status = 0 ] || fail "SIGTERM: status $status: $(cat term.messages)"
grep -q 'signal 15: the guest is asked to shut down' term.messages || fail "SIGTERM: $(cat term.messages)"
! grep -q 'did not shut down' term.messages || fail "the guest did not shut down: $(tail -n 5 term)"

# --- a z10: Debian's kernel boots; its userland needs a z196 and is stopped at an instruction of that
packed=1 ipl z10 --model z10 --append "$QUICK_BOOT endicott.run=true" </dev/null && status=0 || status=$?
[ $status = 4 ] || fail "z10: status $status, not 4 (panic)"
saw z10 'Hardware name: Endicott 2097'
saw z10 'Attempted to kill init! exitcode=0x00000004'

# --- deterministic: the same inputs, the same log, byte for byte
for run in 1 2; do
    ipl det$run --deterministic=7 --append "$QUICK_BOOT endicott.run=\"selftest; cat /proc/interrupts; date; dmesg\"" \
        </dev/null || fail "deterministic run $run: status $?"
done
cmp det1 det2 || fail "two deterministic runs differ: $(diff det1 det2 | head)"
saw det1 '^ENDICOTT-EXIT 0'
echo "ipl_linux: passed"
