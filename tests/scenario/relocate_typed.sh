#!/bin/bash
# Commands typed at consoles while a relocation is under way: three members, MOVE is typed at the one that neither has the guest nor
# gets it, and so are CPHX and CANCEL. CP exit 1230 of MEMBERA, as system.config has it, makes the relocation wait until its file
# `say` tells it how to end: by then what was typed has been done, or the exit rejects it, or lets it go on. And a guest that issues
# MOVE for itself is told that it cannot wait for that. No Linux.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$ROOT/tests/lib/ticker.sh"
cluster=$TEST_TMP/four
sample four "$cluster"
sed -i 's/^CPUMODEL .*/CPUMODEL   2817/' "$cluster"/hardware/*.cnf
sed -i 's/ DOMAIN ALPHA//; /^USER LINUX2 /s/ G$/ AG/' "$cluster/user.direct"
grep -q '^USER LINUX2 .* AG$' "$cluster/user.direct" || fail "LINUX2: $(grep LINUX2 "$cluster/user.direct")"
mkdir "$cluster/exits"
cat >"$cluster/exits/HOLD" <<'SH'
#!/bin/sh
[ "$EXIT_ACTION" = MOVE ] || exit 0
while [ ! -s "$0.say" ]; do sleep 0.02; done
. "$0.say"
SH
chmod +x "$cluster/exits/HOLD"
echo 'MEMBERA: ASSOCIATE EXIT 1230 ENABLE EPNAME HOLD' >>"$cluster/system.config"
for member in MEMBERA MEMBERB MEMBERC; do expect 0 "$member is ready" endicott start "$cluster" "$member"; done
expect 0 'EXIT 1230 ENABLED' cp_on MEMBERA QUERY EXITS ALL
expect 0 'EXIT 1230 DISABLED' cp_on MEMBERC QUERY EXITS ALL
ticker MEMBERA LINUX1

mkfifo "$TEST_TMP/keys"
console() { # member: what is typed goes there
    endicott console -m "$1" <"$TEST_TMP/keys" >"$TEST_TMP/screen" 2>&1 &
    screen=$!
    exec 9>"$TEST_TMP/keys"
}
types() { printf '%s\n' "$*" >&9; }
sees() { # regex, in what came since the last one
    local end=$((SECONDS + WAIT_SECONDS))
    until tail -n "+$seen" "$TEST_TMP/screen" | grep -Eq -- "$1"; do
        [ "$SECONDS" -lt "$end" ] || fail "never $1: $(cat "$TEST_TMP/screen")"
        sleep 0.05
    done
    seen=$(($(wc -l <"$TEST_TMP/screen") + 1))
}
leaves() {
    exec 9>&-
    wait "$screen" || true
}
waits() { # it is the exit that it waits for
    until grep -q '^LINUX1 .* CP exit' <<<"$(cp_on MEMBERA VMRELOCATE STATUS)"; do sleep 0.05; done
}

for member in MEMBERC MEMBERA; do
    seen=1
    console "$member"
    types VMRELOCATE MOVE LINUX1 MEMBERB SYNCHRONOUS
    waits
    types CPHX
    sees '1 command\(s\) of OPERATOR halted'
    grep -q 'RC=0000-02: halted by CPHX' "$TEST_TMP/screen" || sees 'RC=0000-02: halted by CPHX'
    goes_on MEMBERA LINUX1 "$count"
    types VMRELOCATE MOVE LINUX1 MEMBERB
    waits
    types VMRELOCATE CANCEL LINUX1
    sees 'Relocation of LINUX1 has been canceled'
    grep -q 'RC=0000-01: canceled by OPERATOR' "$TEST_TMP/screen" || sees 'RC=0000-01: canceled by OPERATOR'
    goes_on MEMBERA LINUX1 "$count"
    leaves
done
expect 0 'CALLS 4 REJECTED 0 FAILED 0' cp_on MEMBERA QUERY EXITS 1230

# the exit says no, cannot be called, says yes
echo 'echo not to $EXIT_TO; exit 4' >"$cluster/exits/HOLD.say"
expect 1 'HCPRLE1973E LINUX1: CP exit 1230 on MEMBERA has rejected it: HOLD: not to MEMBERB' cp_on MEMBERC VMRELOCATE MOVE LINUX1 MEMBERB
chmod -x "$cluster/exits/HOLD"
expect 1 'HCPRLE1974E .* does not work: HOLD: Permission denied' cp_on MEMBERC VMRELOCATE MOVE LINUX1 MEMBERB
chmod +x "$cluster/exits/HOLD"
echo 'exit 0' >"$cluster/exits/HOLD.say"
moved LINUX1 MEMBERA MEMBERB

# a guest that asks for its own: the return code of DIAGNOSE X'08' is the address of its disabled wait
deck "$TEST_TMP/asks" <<'TEXT'
        larl %r2,command
        lghi %r4,31
        .long 0x83240008
        larl %r3,end
        st %r4,12(%r3)
        lpswe 0(%r3)
        .balign 8
end:    .quad 0x0002000180000000,0
command: .byte 0xe5,0xd4,0xd9,0xc5,0xd3,0xd6,0xc3,0xc1,0xe3,0xc5,0x40,0xd4,0xd6,0xe5,0xc5,0x40
        .byte 0xd3,0xc9,0xd5,0xe4,0xe7,0xf2,0x40,0xd4,0xc5,0xd4,0xc2,0xc5,0xd9,0xc3,0x40
TEXT
endicott punch -m MEMBERA -u LINUX2 "$TEST_TMP/asks" >/dev/null
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX2
endicott wait -m MEMBERA -u LINUX2 --match 'PSW 00020001 80000000 00000000 00000792' --since-start --timeout "$WAIT_SECONDS" >/dev/null ||
    fail "$(cp_on MEMBERA FOR LINUX2 CMD DISPLAY PSW)"

# but who types it at its console may wait: the answer comes there, on the other member
endicott send -m MEMBERA -u LINUX2 '#CP VMRELOCATE MOVE LINUX2 MEMBERC'
endicott wait -u LINUX2 --match 'User LINUX2 has been relocated from MEMBERA to MEMBERC' --since-start --timeout "$WAIT_SECONDS" >/dev/null ||
    fail "$(cp_on MEMBERC QUERY NAMES)"

# what has ended is known to the members when they start again
expect 0 'LINUX1 +MEMBERA +MEMBERB .* Out .* 00$' cp_on MEMBERA QUERY RELOCATION HISTORY
cp_on MEMBERB FORCE LINUX1 >/dev/null
expect 0 'has ended' endicott stop "$cluster"
[ -s "$cluster/relocations/MEMBERA" ] && [ -s "$cluster/relocations/MEMBERB" ] || fail "$(ls -lR "$cluster/relocations")"
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
expect 0 'LINUX1 +MEMBERA +MEMBERB .* Out .* 00$' cp_on MEMBERA QUERY RELOCATION HISTORY
expect 0 'LINUX1 +MEMBERA +MEMBERB .* Out .* 09$' cp_on MEMBERA QUERY RELOCATION HISTORY USER LINUX1
expect 0 'has ended' endicott stop "$cluster"
echo "relocate_typed: passed"
