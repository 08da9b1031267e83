#!/bin/bash
# CP with small programs IPLed from a reader: DIAGNOSE X'08' without a response buffer answers on the console,
# two spinning guests share the processor about equally, an idle guest executes nothing, IPL of what is not
# there, a guest on MEMBERA that ends badly disturbs nobody.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^NUMCPU .*/NUMCPU     1/' "$cluster/hardware/MEMBERA.cnf"
expect 0 'MEMBERB is ready' endicott up "$cluster"

console() { # user regex
    expect 0 "$2" endicott wait -u "$1" --match "$2" --since-start --timeout "$WAIT_SECONDS"
}

counts() { # instructions of LINUX1 and LINUX2 on MEMBERA, of one moment
    python3 - "$ENDICOTT_RUN/MEMBERA.sock" <<'PYTHON'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"stats.get"}\n')
users = {u["user"]: u["instructions"] for u in json.loads(s.makefile().readline())["result"]["users"]}
print(users.get("LINUX1", 0), users.get("LINUX2", 0))
PYTHON
}

start() { # user, deck
    expect 0 '' endicott punch -m MEMBERA -u "$1" "$2"
    expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG "$1"
}

# --- an empty reader, and devices that do not exist
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
console LINUX1 'HCPIPL408E IPL failed--.*(reader|file|00C|000C)'
expect 1 'HCPIPL408E' endicott cp -u LINUX1 IPL 00C
expect 1 'HCPQVD040E Device 0999 does not exist|HCPQVD040E Device 999 does not exist' endicott cp -u LINUX1 IPL 999
expect 1 'HCPIPL408E' endicott cp -u LINUX1 IPL 009
expect 1 'HCPIPL408E' endicott cp -u LINUX1 IPL 00D
expect 1 'HCPIPL440E Named saved system CMS' endicott cp -u LINUX1 IPL CMS
expect 1 'HCPIPL022E' endicott cp -u LINUX1 IPL
expect 1 'HCPCMD003E' endicott cp -u LINUX1 IPL 00C FROB
expect 0 'FORCED' cp_on MEMBERA FORCE LINUX1

# --- DIAGNOSE X'08' without a buffer: a good command, then a bad one; the return code ends up in the PSW
cat >"$TEST_TMP/diag8.inc" <<'TEXT'
        larl %r2,good
        lghi %r3,12
        .long 0x83230008
        lgr %r4,%r3
        larl %r2,bad
        lghi %r3,10
        .long 0x83230008
        sllg %r4,%r4,32
        ogr %r4,%r3
        larl %r1,end
        stg %r4,8(%r1)
        lpswe 0(%r1)
        .balign 8
end:    .quad 0x0002000180000000,0
TEXT
printf 'good:   .byte %s\nbad:    .byte %s\n' \
    "$(printf 'QUERY USERID' | iconv -t IBM037 | od -An -v -tu1 | xargs | tr ' ' ,)" \
    "$(printf 'FROBNICATE' | iconv -t IBM037 | od -An -v -tu1 | xargs | tr ' ' ,)" >>"$TEST_TMP/diag8.inc"
deck "$TEST_TMP/diag8" <"$TEST_TMP/diag8.inc"
start LINUX1 "$TEST_TMP/diag8"
console LINUX1 'LINUX1   AT MEMBERA'
console LINUX1 'HCPCMD001E .*FROBNICATE'
console LINUX1 'HCPGIR450W .*00000000 00000001'
# what a scenario that fails shows of each machine beside its console
expect 0 'LINUX1 now: CPU 00 is in a disabled wait' "$ROOT/tests/lib/consoles.py" "$ENDICOTT_RUN/MEMBERA.sock"
expect 1 'vm.report: HCPCQU045E LINUX2 not logged on' python3 -c "
import sys; sys.path.insert(0, '$ROOT/tests/lib')
from member import Member; Member('$ENDICOTT_RUN/MEMBERA.sock').call('vm.report', user='LINUX2')"
expect 0 'FORCED' cp_on MEMBERA FORCE LINUX1

# --- a guest that resets itself that way: it is reset, and CP lives
deck "$TEST_TMP/reset" <<TEXT
        larl %r2,clear
        lghi %r3,12
        .long 0x83230008
        j .
clear:  .byte $(printf 'SYSTEM CLEAR' | iconv -t IBM037 | od -An -v -tu1 | xargs | tr ' ' ,)
TEXT
start LINUX1 "$TEST_TMP/reset"
until grep -q 'PSW = 00000000 00000000 00000000 00000000' <<<"$(endicott cp -u LINUX1 DISPLAY PSW)"; do moment; done
expect 0 '00000000' endicott cp -u LINUX1 DISPLAY HR200
expect 0 'FORCED' cp_on MEMBERA FORCE LINUX1

# --- fair: one processor, two guests that spin (in one stretch of several: a busy host takes slices away)
deck "$TEST_TMP/spin" <<'TEXT'
        j .
TEXT
start LINUX1 "$TEST_TMP/spin"
start LINUX2 "$TEST_TMP/spin"
fair=
for _ in {1..12}; do
    read -r one two <<<"$(counts)"
    while read -r now_one now_two <<<"$(counts)" && [ $((now_one + now_two - one - two)) -lt 1000000000 ]; do moment; done
    ran_one=$((now_one - one)) ran_two=$((now_two - two))
    echo "LINUX1 $ran_one LINUX2 $ran_two"
    [ $ran_one -ge $((2 * ran_two)) ] || [ $ran_two -ge $((2 * ran_one)) ] || fair=yes
    [ -z "$fair" ] || break
done
[ "$fair" ] || fail "two equal guests got $ran_one and $ran_two instructions"

# --- an idle guest: while the other one runs on, it executes nothing at all
expect 0 'FORCED' cp_on MEMBERA FORCE LINUX2
deck "$TEST_TMP/idle" <<'TEXT'
        larl %r1,wait
        lpswe 0(%r1)
        .balign 8
wait:   .quad 0x0302000180000000,0
TEXT
start LINUX2 "$TEST_TMP/idle"
until [ "$(counts | cut -d' ' -f2)" -gt 0 ]; do moment; done
read -r one two <<<"$(counts)"
while read -r now_one now_two <<<"$(counts)" && [ $((now_one - one)) -lt 100000000 ]; do moment; done
[ $((now_two - two)) -lt 10 ] || fail "an idle guest executed $((now_two - two)) instructions"

# --- stopped, looked at, changed, reset
expect 0 '' endicott cp -u LINUX1 STOP
read -r one two <<<"$(counts)"
expect 0 'PSW' endicott cp -u LINUX1 DISPLAY PSW
expect 0 '' endicott cp -u LINUX1 STORE G5 12345678
expect 0 '12345678' endicott cp -u LINUX1 DISPLAY G5
expect 0 '' endicott cp -u LINUX1 STORE HR1000 C1C2C3C4
expect 0 'C1C2C3C4' endicott cp -u LINUX1 DISPLAY HR1000
expect 1 'HCP' endicott cp -u LINUX1 DISPLAY HR7FFFFFFF0
[ "$(counts)" = "$one $two" ] || fail "a stopped guest executed something"
expect 0 '' endicott cp -u LINUX1 BEGIN
while read -r now_one now_two <<<"$(counts)" && [ "$now_one" = "$one" ]; do moment; done
expect 0 'System reset' endicott cp -u LINUX1 SYSTEM RESET
expect 0 '12345678|00000000' endicott cp -u LINUX1 DISPLAY G5
expect 0 'C1C2C3C4' endicott cp -u LINUX1 DISPLAY HR1000
expect 0 'Storage cleared' endicott cp -u LINUX1 SYSTEM CLEAR
expect 0 '00000000' endicott cp -u LINUX1 DISPLAY HR1000

# --- loops and waits of one guest are its own affair
deck "$TEST_TMP/loop" <<'TEXT'
        .long 0
TEXT
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/loop"
expect 0 '' endicott cp -u LINUX1 IPL 00C CLEAR
console LINUX1 'HCPGIR45[13]W'
expect 0 'LINUX2' cp_on MEMBERA QUERY NAMES

# --- users: wrong password, unknown command, what is not allowed
expect 1 'HCPLGA050E' cp_on MEMBERA LOGON LINUX1 SECRET
expect 1 'HCPCMD001E' endicott cp -u LINUX2 FROBNICATE
expect 1 'HCPCMD0|HCP' endicott cp -u LINUX2 FORCE LINUX1
expect 1 'HCPMFS045E NOBODY' cp_on MEMBERA MESSAGE NOBODY hello
expect 1 'HCP' cp_on MEMBERA FORCE NOBODY
expect 0 'LOGOFF AT' endicott cp -u LINUX2 LOGOFF
expect 0 'has ended' endicott stop "$cluster"
echo "cp_small: passed"
