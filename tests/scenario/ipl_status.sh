#!/bin/bash
# endicott ipl with tiny programs: ELF64-s390 and raw images, and every exit status of DESIGN.md section 6
# that one machine can end with.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"
cd "$TEST_TMP"

ipl() {
    "$ENDICOTT" ipl --memory 16M --timeout 400 "$@" </dev/null
}

# --- 0: a disabled wait at 0; ELF and raw
elf well <<'TEXT'
        .globl _start
_start: larl %r1,psw
        lpswe 0(%r1)
        .balign 8
psw:    .quad 0x0002000180000000,0
TEXT
expect 0 '^$' ipl --kernel well
expect 0 '^$' ipl --kernel=well --cpus 64
expect 0 '^$' ipl --kernel well --model z10 --engine interp --console none
raw rawwell <<'TEXT'
        .quad 0x0008000080000200
        .org 0x200
        larl %r1,psw
        lpswe 0(%r1)
        .balign 8
psw:    .quad 0x0002000180000000,0
TEXT
expect 0 '^$' ipl --image rawwell

# --- 0: the last CPU stops itself (SIGP STOP AND STORE STATUS is how some programs end)
elf stopself <<'TEXT'
        .globl _start
_start: lghi %r1,0
        lghi %r2,0
        sigp %r1,%r2,5
        j .
TEXT
expect 0 '^$' ipl --kernel stopself

# --- 4: any other disabled wait; the PSW is shown
elf lost <<'TEXT'
        .globl _start
_start: larl %r1,psw
        lpswe 0(%r1)
        .balign 8
psw:    .quad 0x0002000180000000,0xDEAD
TEXT
expect 4 'disabled wait: PSW 0002000180000000 000000000000DEAD' ipl --kernel lost
raw rawlost <<'TEXT'
        .long 0x000a0000,0x80000777
TEXT
expect 4 'disabled wait: PSW 0002000080000000 0000000000000777' ipl --image rawlost

# --- 5: a program interruption whose new PSW leads to the next one
elf loop <<'TEXT'
        .globl _start
_start: .long 0
TEXT
expect 5 'program interruption loop: PSW ' ipl --kernel loop

elf stop <<'TEXT'
        .globl _start
_start: lghi %r2,-1
        stg %r2,0x1d0(%r0)
        .long 0
TEXT
expect 5 '(check-stop|program interruption loop): PSW ' ipl --kernel stop

# --- 8: time limit, running and waiting
elf spin <<'TEXT'
        .globl _start
_start: j .
TEXT
expect 8 'time limit of 1 seconds' ipl --kernel spin --timeout 1
# ... with what the machine was doing: where each CPU is, its PSW, what waits for it
expect 8 'CPU 00 (runs|is ready to run), [0-9.]+ s of processor time' ipl --kernel spin --timeout 1
expect 8 'CPU 00 PSW 0000000180000000 [0-9A-F]{16}, GR14 ' ipl --kernel spin --timeout 1
expect 8 'CPU 01 is stopped, 0.000 s ' ipl --kernel spin --timeout 1 --cpus 2
elf sleep <<'TEXT'
        .globl _start
_start: larl %r1,psw
        lpswe 0(%r1)
        .balign 8
psw:    .quad 0x0302000180000000,0
TEXT
expect 8 'time limit of 1 seconds' ipl --kernel sleep --timeout 1
expect 8 'CPU 00 is in an enabled wait for [0-9.]+ s, no clock wakes it' ipl --kernel sleep --timeout 1
expect 8 'CPU 00 masks CR0 00000000000000E0 CR6 00000000 CR14 C2000000, pending: nothing$' ipl --kernel sleep --timeout 1
elf masked <<'TEXT' # an external call that CR0 holds back; the clock comparator is far away
        .globl _start
_start: lghi %r1,0
        lghi %r2,0
        sigp %r1,%r2,2
        larl %r1,cr0
        lctlg %c0,%c0,0(%r1)
        stck 8(%r1)
        lg %r2,8(%r1)
        ag %r2,16(%r1)
        stg %r2,8(%r1)
        sckc 8(%r1)
        larl %r1,psw
        lpswe 0(%r1)
        .balign 8
cr0:    .quad 0x8e0,0,1 << 44
psw:    .quad 0x0302000180000000,0
TEXT
expect 8 'CPU 00 is in an enabled wait for [0-9.]+ s, a clock wakes it in [0-9]{4}\.' ipl --kernel masked --timeout 1
expect 8 'CPU 00 masks CR0 00000000000008E0 .*, pending: external 1202$' ipl --kernel masked --timeout 1

# --- SIGTERM: a guest that does not listen is ended, status 0
"$ENDICOTT" ipl --kernel spin --memory 16M --timeout 400 --stats spin.json >out 2>&1 </dev/null &
pid=$!
until [ "$(awk '{print $14}' /proc/$pid/stat 2>/dev/null || echo 100)" -gt 5 ]; do moment; done
kill -TERM $pid
wait $pid || fail "SIGTERM: status $?"
grep -q 'signal 15: the guest does not listen' out || fail "SIGTERM: $(cat out)"
python3 - <<'PYTHON'
import json
s = json.load(open("spin.json"))
assert s["instructions"]["interp"] > 1000, s
assert s["cpu_seconds"] > 0 and s["wall_seconds"] > 0, s
PYTHON

# --- 2: usage
expect 2 'no such option' ipl --kernel well --kernle x
expect 2 'no such option' ipl --kern well
expect 2 'one of --kernel, --image and --load' ipl
expect 2 'one of --kernel, --image and --load' ipl --kernel well --image rawwell
expect 2 'one of --kernel, --image and --load' ipl --kernel well --load 0200
expect 2 'not a device number' ipl --load disk
expect 2 'needs a value' "$ENDICOTT" ipl --kernel
expect 2 '12Q: not a storage size' ipl --kernel well --memory 12Q
expect 2 '0: not a storage size' ipl --kernel well --memory 0
expect 2 'z8: no such processor model' ipl --kernel well --model z8
expect 2 'z10 .* z114 ' ipl --kernel well --model z8
expect 0 '^zEC12 +2827-H20' endicott models
expect 0 '"default": true' endicott models --json
expect 2 'usage: endicott models' endicott models z10
expect 2 '0: 1 to 64 CPUs' ipl --kernel well --cpus 0
expect 2 '65: 1 to 64 CPUs' ipl --kernel well --cpus 65
expect 2 'nonsense: no such console' ipl --kernel well --console nonsense
expect 2 'warp: no such engine' ipl --kernel well --engine warp
expect 2 'soon: not a number' ipl --kernel well --timeout soon
expect 2 'no operand is expected' ipl --kernel well more
expect 2 '--initrd: goes with --kernel' ipl --image rawwell --initrd well
expect 2 '--append: goes with --kernel' ipl --image rawwell --append text
expect 2 'well: an ELF program takes no --initrd' ipl --kernel well --initrd well
expect 2 'nowhere/at/all.json: No such file' ipl --kernel well --stats nowhere/at/all.json
expect 1 'not available yet' ipl --kernel well --gdb 1234
expect 0 '--memory' ipl --help
expect 0 '^built with: libuv [0-9.]+, jansson [0-9.]+, zlib [0-9.]+' "$ENDICOTT" --version

# --- 3: host resources
expect 3 'storage' bash -c "ulimit -v 4000000; exec '$ENDICOTT' ipl --kernel well --memory 16G"

# --- facilities: an instruction outside the model's list is an operation exception
elf ark <<'TEXT'
        .globl _start
_start: larl %r1,new
        lg %r2,0(%r1)
        lg %r3,8(%r1)
        stmg %r2,%r3,0x1d0(%r0)
        ark %r4,%r5,%r6
        larl %r1,well
        lpswe 0(%r1)
caught: lgh %r2,0x8e(%r0)
        larl %r1,code
        stg %r2,8(%r1)
        lpswe 0(%r1)
        .balign 8
new:    .quad 0x0000000180000000,caught
well:   .quad 0x0002000180000000,0
code:   .quad 0x0002000180000000,0
TEXT
expect 0 '^$' ipl --kernel ark --model z196
expect 4 'PSW 0002000180000000 0000000000000001' ipl --kernel ark --model z10
echo "ipl_status: passed"
