#!/bin/bash
# SET PRIVCLASS and the DIAGNOSE codes that are for certain classes: a program of class G issues X'3C' (class A, B or C)
# again and again. It is a privileged operation, then it is carried out, and then it is not, also on another member.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^FEATURES ENABLE PASSWORDS_ON_CMDS/& SET_PRIVCLASS/' "$cluster/system.config"
grep -q SET_PRIVCLASS "$cluster/system.config" || fail 'SET PRIVCLASS is not enabled'
endicott up "$cluster" >/dev/null

message() { # label, text: a command that says it, in EBCDIC
    printf '%s: .byte %s\n' "$1" "$(printf 'MSG * %s' "$2" | iconv -f ASCII -t IBM037 | od -An -v -w99 -tx1 | sed 's/^ /0x/; s/ /,0x/g')"
}
# r12: 0 not refused yet, 1 refused, 2 carried out, which it tells again each X'4000' times; the last PSW has X'D3C', or 0.
deck "$TEST_TMP/classes" <<TEXT
        larl %r1,new
        mvc 0x1d0(16,%r0),0(%r1)
        lghi %r12,0
again:  lghi %r2,0
        lghi %r4,0
        .long 0x8324003c
        cghi %r12,1
        jl bad
        je taken
        brctg %r11,again
taken:  lghi %r12,2
        lghi %r11,0x4000
        larl %r2,well
        lghi %r3,12
        .long 0x83230008
        j again
no:     llgh %r9,0x8e(%r0)
        cghi %r9,2
        jne bad
        cghi %r12,1
        je again
        jh done
        lghi %r12,1
        larl %r2,none
        lghi %r3,13
        .long 0x83230008
        j again
done:   larl %r1,end
        lpswe 0(%r1)
bad:    larl %r1,lost
        lpswe 0(%r1)
$(message well CANDO.)
$(message none REFUSED)
        .balign 8
new:    .quad 0x0000000180000000,no
end:    .quad 0x0002000180000000,0xd3c
lost:   .quad 0x0002000180000000,0
TEXT
told() { # member, regex, option...
    expect 0 '' endicott wait -m "$1" -u LINUX1 --match "$2" --timeout "$WAIT_SECONDS" "${@:3}"
}
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/classes"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
told MEMBERA 'REFUSED$' --since-start
expect 0 'Currently: CG' cp_on MEMBERA SET PRIVCLASS LINUX1 +C
told MEMBERA 'CANDO\.$' --since-start
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB
told MEMBERB 'CANDO\.$' # another one
expect 0 'Currently: G$' cp_on MEMBERB SET PRIVCLASS LINUX1 -C
told MEMBERB 'HCPGIR450W .*00000000 00000D3C' --since-start
expect 0 'has ended' endicott stop "$cluster"
echo "cp_diag_class: passed"
