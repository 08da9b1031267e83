# Sourced by scenarios, behind cluster.sh: a guest as in ticker.sh that looks at its machine each time it counts. It executes an
# instruction of the z9 (LGFI), z10 (AGSI), z196 (ARK) and zEC12 (NIAI), and keeps the program-interruption codes at X'880' (0: the
# instruction is there); STFLE at X'900', STIDP at X'940', SYSIB 1.1.1 at X'1000'. Sets TEST_TMP/looker.

. "$ROOT/tests/lib/ticker.sh"

looking() { # the program: that of the ticker, which looks before it counts
    sed -n '1,/^tick:/p' "$TEST_TMP/ticker.text" | sed '$d'
    cat <<'TEXT'
tick:   larl %r1,pgm
        mvc 0x1d0(16,%r0),0(%r1)
        mvc 0x880(4,%r0),16(%r1)
        lghi %r9,0
        larl %r10,.L1
        .insn ril,0xc00100000000,%r2,5          # lgfi
.L1:    lghi %r9,1
        larl %r10,.L2
        .insn siy,0xeb000000007a,0x7f8(%r0),1   # agsi
.L2:    lghi %r9,2
        larl %r10,.L3
        .insn rrf,0xb9f80000,%r6,%r7,%r8,0      # ark
.L3:    lghi %r9,3
        larl %r10,.L4
        .insn rre,0xb2fa0000,%r1,%r1            # niai
.L4:    lghi %r0,3
        lghi %r1,0x900
        .insn s,0xb2b00000,0(%r1)               # stfle
        stidp 0x40(%r1)
        larl %r1,pgm
        l %r0,20(%r1)
        l %r1,24(%r1)
        lghi %r8,0x1000
        .insn s,0xb27d0000,0(%r8)               # stsi
        lghi %r1,0x800
TEXT
    sed -n '/^tick:/,$p' "$TEST_TMP/ticker.text" | sed '1d'
    cat <<'TEXT'
pgm:    .quad 0x0000000180000000,caught
        .long 0,0x10000001,1
caught: llgh %r8,0x8e(%r0)
        stc %r8,0x880(%r9)
        br %r10
TEXT
}
looking >"$TEST_TMP/looker.asm"
cp "$TEST_TMP/ticker" "$TEST_TMP/ticker.plain"
deck "$TEST_TMP/looker" <"$TEST_TMP/looker.asm"

looker() { # member user...: logged on there, each with the program
    cp "$TEST_TMP/looker" "$TEST_TMP/ticker"
    ticker "$@"
    cp "$TEST_TMP/ticker.plain" "$TEST_TMP/ticker"
}

displayed() { # member user address: eight bytes there, 16 digits
    local line
    line=$(cp_on "$1" FOR "$2" CMD DISPLAY "$3.8") || fail "$2 at $1: $line"
    [[ $line =~ [[:space:]]([0-9A-F]{8})[[:space:]]([0-9A-F]{8})[[:space:]] ]] || fail "$2 at $1 shows $line"
    echo "${BASH_REMATCH[1]}${BASH_REMATCH[2]}"
}

# It runs there, on a machine of that type (by STIDP and STSI), with these program-interruption codes, and facility 45 or not. What
# it began to look at before it came is not counted.
sees() { # member user type codes facility-45 [serial]
    local id codes list type
    goes_on "$1" "$2"
    goes_on "$1" "$2"
    id=$(displayed "$1" "$2" 940)
    codes=$(displayed "$1" "$2" 880)
    list=$(displayed "$1" "$2" 900)
    type=$(displayed "$1" "$2" 1030 | sed 's/^F\(.\)F\(.\)F\(.\)F\(.\).*/\1\2\3\4/')
    [ "${id:8:4}" = "$3" ] || fail "$2 at $1: STIDP says $id, not $3"
    [ -z "${6-}" ] || [ "${id:2:6}" = "$6" ] || fail "$2 at $1: STIDP says $id, not serial $6"
    [ "$type" = "$3" ] || fail "$2 at $1: STSI says $type, not $3"
    [ "${codes:0:8}" = "$4" ] || fail "$2 at $1: instructions ended with $codes, not $4"
    [ $((0x${list:8:8} >> 18 & 1)) = "$5" ] || fail "$2 at $1: STFLE says $list"
}
