#!/bin/bash
# docs/samples/four: four members of three models, then of four. All join; a guest of relocation domain ALPHA (a z10 and a
# z196) has a z10's facilities on the z196 too, proved by STFLE and by instructions that are there or not, before and after it is
# relocated; FORCE ARCHITECTURE takes facilities from one; domains are the same on all members, and on one that joins later.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$ROOT/tests/lib/looker.sh"

cluster=$TEST_TMP/four
sample four "$cluster"
# somebody whose domain is its member alone: sees all of the machine; and who may not move, but is of a domain
cat >>"$cluster/user.direct" <<'TEXT'

IDENTITY LOCAL LOCAL 16M 16M G
  BUILD ON MEMBERA USING SUBCONFIG LOCAL-1
  BUILD ON MEMBERB USING SUBCONFIG LOCAL-2
  BUILD ON MEMBERC USING SUBCONFIG LOCAL-3
  BUILD ON MEMBERD USING SUBCONFIG LOCAL-4
  INCLUDE LINUX

SUBCONFIG LOCAL-1
  ACCOUNT MEMBERA

SUBCONFIG LOCAL-2
  ACCOUNT MEMBERB

SUBCONFIG LOCAL-3
  ACCOUNT MEMBERC

SUBCONFIG LOCAL-4
  ACCOUNT MEMBERD

USER BIG BIG 16M 16M G
  INCLUDE LINUX
  VMRELOCATE OFF DOMAIN MEMBERB

USER STAYS STAYS 16M 16M G
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

for where in 'MEMBERA LINUX1' 'MEMBERB LINUX1' 'MEMBERB LINUX2' 'MEMBERD LINUX3' 'MEMBERA LOCAL' 'MEMBERC STAYS'; do
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
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG BIG
expect 0 'Relocation disabled in Domain MEMBERB' cp_on MEMBERB QUERY VMRELOCATE USER BIG
expect 1 'HCPRLS1822E BIG .* ALPHA' cp_on MEMBERB SET VMRELOCATE BIG ON DOMAIN ALPHA
expect 1 'HCPRLS1821E .* NOWHERE does not exist' cp_on MEMBERB SET VMRELOCATE BIG DOMAIN NOWHERE
expect 0 'Relocation enabled in Domain MEMBERB' cp_on MEMBERB SET VMRELOCATE BIG ON
expect 1 'HCPRLE1822E BIG: .* MEMBERB' cp_on MEMBERB VMRELOCATE TEST BIG MEMBERA
expect 1 'HCPRLE1944E BIG: MEMBERA lacks .*: 13-14, 36-37, 45, 47, 52, 66, 75' cp_on MEMBERB VMRELOCATE TEST BIG MEMBERA
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG PINNED
expect 0 'Relocation enabled in Domain ALPHA' cp_on MEMBERB QUERY VMRELOCATE USER PINNED
expect 1 'HCPRLE1823E OPERATOR' cp_on MEMBERB SET VMRELOCATE '*' ON
expect 1 'HCPRLU045E NOBODY' cp_on MEMBERB SET VMRELOCATE NOBODY OFF
expect 1 'HCPCMD026E' cp_on MEMBERB SET VMRELOCATE BIG

# On each member of its domain a guest finds the machine it began on. Outside, by FORCE DOMAIN, too.
looker MEMBERA LINUX1
sees MEMBERA LINUX1 2097 00000101 0 0A0001
moved LINUX1 MEMBERA MEMBERB
sees MEMBERB LINUX1 2097 00000101 0 0A0001
expect 0 'ID  FF0A000120978000' cp_on MEMBERB FOR LINUX1 CMD QUERY VIRTUAL CPUS
expect 0 'CPUID = FF0A000120978000' cp_on MEMBERB FOR LINUX1 CMD QUERY CPUID
expect 1 'HCPRLE1822E LINUX1: relocation domain ALPHA does not include MEMBERC' cp_on MEMBERB VMRELOCATE TEST LINUX1 MEMBERC
expect 0 'has been relocated' cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERC FORCE DOMAIN
sees MEMBERC LINUX1 2097 00000101 0 0A0001
expect 0 'Out of Domain ALPHA' cp_on MEMBERC QUERY VMRELOCATE USER LINUX1
moved LINUX1 MEMBERC MEMBERA
sees MEMBERA LINUX1 2097 00000101 0 0A0001

# FORCE ARCHITECTURE: it loses what the z10 has not, and says so; back on the z196 it has that only when it is set to a domain.
cp_on MEMBERB FORCE BIG >/dev/null
looker MEMBERB BIG
sees MEMBERB BIG 2817 00000001 1
expect 0 'Relocation enabled' cp_on MEMBERB SET VMRELOCATE BIG ON
expect 1 'HCPRLE1944E BIG' cp_on MEMBERB VMRELOCATE MOVE BIG MEMBERA FORCE DOMAIN
sees MEMBERB BIG 2817 00000001 1
expect 0 'has been relocated' cp_on MEMBERB VMRELOCATE MOVE BIG MEMBERA FORCE DOMAIN ARCHITECTURE
sees MEMBERA BIG 2097 00000101 0 0A0002
expect 0 'Virtual architecture is a variant, forced' cp_on MEMBERA QUERY VMRELOCATE USER BIG
expect 0 'Lacks of the domain: 13-14, 36-37, 45' cp_on MEMBERA QUERY VMRELOCATE USER BIG
moved BIG MEMBERA MEMBERB
sees MEMBERB BIG 2097 00000101 0 0A0002
expect 0 'Virtual architecture is a variant, forced' cp_on MEMBERB QUERY VMRELOCATE USER BIG
[ "$(cp_on MEMBERB SET VMRELOCATE BIG DOMAIN MEMBERB | wc -l)" = 2 ] || fail 'BIG is a variant still'
sees MEMBERB BIG 2817 00000001 1

# A domain defined, and one redefined, while MEMBERD is down; it comes back as a zEC12 and knows them. Its guests are fenced to what
# the domain has by then; others are told that domains have changed.
expect 0 'MEMBERD has ended' endicott stop MEMBERD
expect 0 'MEMBERC : Relocation domain BETA defined' cp_on MEMBERA DEFINE RELODOMAIN BETA MEMBERS MEMBERB MEMBERD
expect 0 'MEMBERA : Relocation domain ALPHA redefined' cp_on MEMBERC DEFINE RELODOMAIN ALPHA MEMBERS MEMBERA MEMBERB MEMBERD
sed -i 's/^CPUMODEL .*/CPUMODEL   2827/' "$cluster/hardware/MEMBERD.cnf"
expect 0 'MEMBERD is ready' endicott start "$cluster" MEMBERD
for member in MEMBERA MEMBERB MEMBERC MEMBERD; do
    expect 0 'DOMAIN BETA     MEMBERS: MEMBERB MEMBERD' cp_on $member QUERY RELODOMAIN
    expect 0 'DOMAIN ALPHA    MEMBERS: MEMBERA MEMBERB MEMBERD' cp_on $member QUERY RELODOMAIN ALPHA
    expect 0 'Model: zEC12 .2827.' cp_on $member QUERY RELODOMAIN MEMBERD ARCHITECTURE
done
endicott wait -m MEMBERC -u OPERATOR --match 'HCPRLD1824I Relocation domain MEMBERD has gained: 49' --since-start \
    --timeout "$WAIT_SECONDS" >/dev/null
moved LINUX1 MEMBERA MEMBERD
sees MEMBERD LINUX1 2097 00000101 0 0A0001
expect 0 'Relocation enabled in Domain BETA' cp_on MEMBERB SET VMRELOCATE BIG ON DOMAIN BETA
moved BIG MEMBERB MEMBERD
sees MEMBERD BIG 2817 00000001 1 0A0002
looker MEMBERD LINUX3
sees MEMBERD LINUX3 2097 00000101 0 0A0004
expect 0 'Relocation enabled in Domain MEMBERD' cp_on MEMBERD SET VMRELOCATE LINUX3 DOMAIN MEMBERD
sees MEMBERD LINUX3 2827 00000000 1 0A0004
moved LINUX1 MEMBERD MEMBERA
expect 1 'HCPRLE1944E LINUX3: MEMBERC lacks facilities that the guest has: 49' cp_on MEMBERD VMRELOCATE TEST LINUX3 MEMBERC

# It comes back with an older level of CP: whose guest has more than that is told all of it.
expect 0 'MEMBERD has ended' endicott stop MEMBERD
echo 'MEMBERD: FEATURES CP_LEVEL 1' >>"$cluster/system.config"
expect 0 'MEMBERD is ready' endicott start "$cluster" MEMBERD
expect 1 "HCPRLE1944E LINUX1: MEMBERD lacks facilities that the guest has: 249; CP: " cp_on MEMBERA VMRELOCATE TEST LINUX1 MEMBERD
expect 1 "HCPRLE1944E LINUX1: .*DIAGNOSE X'288'" cp_on MEMBERA VMRELOCATE TEST LINUX1 MEMBERD
sees MEMBERA LINUX1 2097 00000101 0 0A0001
expect 0 'MEMBERD has ended' endicott stop "$cluster"
expect 0 'no member is running' endicott status
echo "cp_four: passed"
