#!/bin/bash
# docs/samples/four: four members of three models. All join; a guest of relocation domain ALPHA (a z10 and a
# z196) has a z10's facilities on the z196 too, proved by STFLE and by an instruction that is there or not.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"

cluster=$TEST_TMP/four
sample four "$cluster"
# somebody outside of every domain: sees all of the machine
cat >>"$cluster/user.direct" <<'TEXT'

USER LOCAL LOCAL 16M 16M G
  INCLUDE LINUX
  VMRELOCATE OFF

USER PINNED PINNED 16M 16M G
  INCLUDE LINUX
  COMMAND SET VMRELOCATE * ON DOMAIN ALPHA
TEXT

# Ends in a disabled wait at the second word of the facility list (bits 32-63; z196: 45), the program-
# interruption code of ARK in its upper half.
deck "$TEST_TMP/probe" <<'TEXT'
        larl %r1,new
        mvc 0x1d0(16,%r0),0(%r1)
        lghi %r0,0
        larl %r2,list
        .insn s,0xb2b00000,0(%r2)    # stfle
        lghi %r5,0
        .insn rrf,0xb9f80000,%r6,%r7,%r8,0  # ark: distinct operands
        j done
caught: llgh %r5,0x8e(%r0)
done:   larl %r2,list
        llgf %r3,4(%r2)
        sllg %r5,%r5,32
        ogr %r3,%r5
        larl %r1,end
        stg %r3,8(%r1)
        lpswe 0(%r1)
        .balign 8
list:   .quad 0
end:    .quad 0x0002000180000000,0
new:    .quad 0x0000000180000000,caught
TEXT

expect 0 'MEMBERD is ready' endicott up "$cluster"
for member in MEMBERA MEMBERB MEMBERC MEMBERD; do
    expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI
    for slot in '1 MEMBERA' '2 MEMBERB' '3 MEMBERC' '4 MEMBERD'; do
        expect 0 "$slot  Joined" cp_on $member QUERY SSI
    done
done
[ "$(endicott status | grep -c 'FOUR *Joined *Stable')" = 4 ] || fail "status: $(endicott status)"

probe() { # member user: PSW address it ends at, 16 digits
    local line
    endicott punch -m "$1" -u "$2" "$TEST_TMP/probe" >/dev/null
    cp_on "$1" XAUTOLOG "$2" >/dev/null
    line=$(endicott wait -m "$1" -u "$2" --match 'HCPGIR450W' --since-start --timeout "$WAIT_SECONDS" | tail -n 1)
    cp_on "$1" FORCE "$2" >/dev/null
    grep -oE '[0-9A-F]{8} [0-9A-F]{8}$' <<<"${line%.}" | tr -d ' '
}

has_45() { # 16 digits: is facility 45 in it?
    [ $((0x${1:8:8} >> 18 & 1)) = 1 ]
}

for where in 'MEMBERA LINUX1' 'MEMBERB LINUX1' 'MEMBERB LINUX2' 'MEMBERD LINUX3' 'MEMBERA LOCAL'; do
    # shellcheck disable=SC2086
    got=$(probe $where)
    echo "$where: $got"
    ! has_45 "$got" || fail "$where sees the z196's facility 45: $got"
    [ "${got:0:8}" = 00000001 ] || fail "$where: ARK ended with $got, not an operation exception"
done
for where in 'MEMBERB LOCAL' 'MEMBERC LOCAL' 'MEMBERD LOCAL'; do
    # shellcheck disable=SC2086
    got=$(probe $where)
    echo "$where: $got"
    has_45 "$got" || fail "$where does not see facility 45: $got"
    [ "${got:0:8}" = 00000000 ] || fail "$where: ARK ended with $got"
done

# SET VMRELOCATE: a domain must have what the guest has; COMMAND statements may use any class
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LOCAL
expect 0 'Relocation disabled in Domain SSI' cp_on MEMBERB QUERY VMRELOCATE USER LOCAL
expect 1 'HCPRLS1822E LOCAL .* ALPHA' cp_on MEMBERB SET VMRELOCATE LOCAL ON DOMAIN ALPHA
expect 1 'HCPRLS1821E .* NOWHERE does not exist' cp_on MEMBERB SET VMRELOCATE LOCAL DOMAIN NOWHERE
expect 0 'Relocation disabled in Domain SSI' cp_on MEMBERB QUERY VMRELOCATE USER LOCAL
expect 0 'Relocation enabled in Domain ALPHA' \
    cp_on MEMBERB SET VMRELOCATE LOCAL ON DOMAIN ALPHA FORCE ARCHITECTURE
expect 1 'HCPRLE1944E LOCAL: MEMBERA lacks facilities' cp_on MEMBERB VMRELOCATE TEST LOCAL MEMBERA
expect 1 'HCPRLE1822E LOCAL: .* ALPHA' cp_on MEMBERB VMRELOCATE TEST LOCAL MEMBERD
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG PINNED
expect 0 'Relocation enabled in Domain ALPHA' cp_on MEMBERB QUERY VMRELOCATE USER PINNED
expect 1 'HCPRLE1823E OPERATOR' cp_on MEMBERB SET VMRELOCATE '*' ON
expect 1 'HCPRLU045E NOBODY' cp_on MEMBERB SET VMRELOCATE NOBODY OFF
expect 1 'HCPCMD026E' cp_on MEMBERB SET VMRELOCATE LOCAL
expect 0 'MEMBERD has ended' endicott stop "$cluster"
expect 0 'no member is running' endicott status
echo "cp_four: passed"
