#!/bin/bash
# E6, a consistent test bed for stress tests: guests of a relocation domain see the same machine on whichever of its members they
# are, though those are a z10 and a z196; they cannot leave it; a pinned one cannot leave its member. The same run gives the
# same result on each, under stress from beside.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/scenario_table.sh"
. "$ROOT/tests/lib/ticker.sh"
. "$ROOT/tests/lib/worker.sh"
. "$ROOT/tests/lib/ticker_terminal.sh"
cluster=$TEST_TMP/four
sample four "$cluster"
sed -i '/^USER LINUX3 /,/^USER LINUX4 /s/VMRELOCATE ON/VMRELOCATE ON DOMAIN MEMBERC/' "$cluster/user.direct"
# What the test finds: the facility list's second word, and the sum of a million numbers, in its PSW's address.
deck "$TEST_TMP/test" <<'TEXT'
        lghi %r0,0
        lghi %r1,0x900
        .insn s,0xb2b00000,0(%r1)
        llgf %r2,0x904(%r0)
        lghi %r3,0
        lgfi %r4,1000000
more:   agr %r3,%r4
        brctg %r4,more
        sllg %r3,%r3,32
        ogr %r2,%r3
        larl %r1,end
        stg %r2,8(%r1)
        lpswe 0(%r1)
        .balign 8
end:    .quad 0x0002000180000000,0
TEXT
deck "$TEST_TMP/spin" <<'TEXT'
        j .
TEXT
found() { # member user: how the test ends there
    local line
    endicott punch -m "$1" -u "$2" "$TEST_TMP/test" >/dev/null
    expect 0 'Command accepted' cp_on "$1" XAUTOLOG "$2" >/dev/null
    line=$(endicott wait -m "$1" -u "$2" --match 'HCPGIR450W' --since-start --timeout "$WAIT_SECONDS" | tail -n 1)
    cp_on "$1" FORCE "$2" >/dev/null
    grep -oE '[0-9A-F]{8} [0-9A-F]{8}\.?$' <<<"$line" | tr -d ' .'
}
terminals "$cluster" MEMBERA
sed -i 's/^RELOCATION_DOMAIN.*/&\nRELOCATION_DOMAIN BETA MEMBERS MEMBERB MEMBERD/' "$cluster/system.config"
worker_config "$cluster" 'DOMAIN BETA'
ticker_disks "$cluster" LINUX1 LINUX3
expect 0 'MEMBERD is ready' endicott up "$cluster"

step 'the same result on each member of the domain'
first=$(found MEMBERA LINUX1)
checked 'domain ALPHA, on the z10 (MEMBERA)' "$first"
second=$(found MEMBERB LINUX1)
checked 'domain ALPHA, on the z196 (MEMBERB)' "$second"
[ -n "$first" ] && [ "$first" = "$second" ] || fail "LINUX1: $first at MEMBERA, $second at MEMBERB"

step 'under stress'
endicott punch -m MEMBERB -u LINUX4 "$TEST_TMP/spin" >/dev/null
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX4
third=$(found MEMBERB LINUX2)
[ "$third" = "$first" ] || fail "LINUX2: $third under stress, $first without"
checked 'beside a guest that spins (MEMBERB)' "$third"
cp_on MEMBERB FORCE LINUX4 >/dev/null

step 'another bed, of two z196, with Linux'
worker_begins MEMBERB
worker_moved MEMBERB MEMBERD
expect 1 'HCPRLE1822E WORKER: .* BETA' cp_on MEMBERD VMRELOCATE MOVE WORKER MEMBERA
worker_checked 'within BETA; to MEMBERA refused'

step 'nobody leaves the bed'
ticker_terminal MEMBERA LINUX1
expect 1 'HCPRLE1822E LINUX1: .* ALPHA' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERD
moved LINUX1 MEMBERA MEMBERB
checked 'LINUX1 within ALPHA; to MEMBERD' "counts on: $count; refused"
connected MEMBERB LINUX1
checked 'terminal of LINUX1, at MEMBERA' 'connected still'
disk_goes_on MEMBERB LINUX1
checked 'disk of LINUX1' "what it was: $blocks times"
ticker MEMBERC LINUX3
expect 0 'Relocation enabled in Domain MEMBERC' cp_on MEMBERC QUERY VMRELOCATE USER LINUX3
expect 1 'HCPRLE1822E LINUX3: .* MEMBERC' cp_on MEMBERC VMRELOCATE MOVE LINUX3 MEMBERD
goes_on MEMBERC LINUX3
checked 'LINUX3, pinned; to MEMBERD' 'refused'
worker_moved MEMBERD MEMBERB WORKER
worker_ends
expect 0 'has ended' endicott stop "$cluster"
closing 'E6: a consistent test bed'
