#!/bin/bash
# Programs on a real member: DIAGNOSE X'A4' writes a block of a minidisk and reads it back, X'E4' says where a minidisk is, X'08'
# issues two commands; the dates of answers are as SET DATEFORMAT has it. Each program ends in a wait that says how far it came.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^USER LINUX1 .*/&\n  MDISK 0200 FB-512 V-DISK 100 MR\n  DATEFORMAT ISODATE/' "$cluster/user.direct"
endicott up "$cluster" >/dev/null

ebcdic() { # text: as bytes for .byte; | is X'15'
    python3 -c 'import sys; print(",".join(str(b) for b in sys.argv[1].encode("cp037").replace(b"\x4f", b"\x15")))' "$1"
}

deck "$TEST_TMP/a4" <<TEXT
        larl %r1,bad            # 1: the block is written
        larl %r2,list
        larl %r3,pair
        st %r3,8(%r2)
        larl %r4,out
        st %r4,4(%r3)
        .long 0x832000a4
        jnz over
        lghi %r5,2              # 2: and read into another place
        mvi 3(%r2),2
        larl %r6,in
        st %r6,4(%r3)
        .long 0x832000a4
        jnz step
        lghi %r5,3              # 3: it is the same
        clc 0(64,%r4),0(%r6)
        jne step
        lghi %r5,4              # 4: a block that there is not
        mvhi 0(%r3),101
        .long 0x832000a4
        jno four
        j step
four:   chi %r15,4
        jne step
        lghi %r5,5              # 5: a virtual disk is on no volume
        larl %r7,e4
        .long 0x837800e4
        chi %r8,16
        jne step
        larl %r2,line
        lghi %r3,last-line
        .long 0x83230008
        lgr %r5,%r3
        la %r5,0x600(%r5)
step:   stg %r5,8(%r1)
over:   lpswe 0(%r1)
        .balign 8
bad:    .quad 0x0002000180000000,1
list:   .short 0x0200
        .byte 0,1
        .long 512,0,1
        .fill 72,1,0
pair:   .long 7,0
e4:     .short 0xe4
        .byte 0,48
        .short 0x0200,0
        .fill 40,1,0x40
line:   .byte $(ebcdic 'QUERY TIME|Q DATEF|FROB|QUERY USERID')
last:   .balign 8
out:    .fill 64,1,0xe7
in:     .fill 64,1,0
TEXT
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/a4"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
expect 0 'HCPGIR450W .*00000000 00000601' endicott wait -m MEMBERA -u LINUX1 --match 'HCPGIR450W' --since-start --timeout "$WAIT_SECONDS"
shown=$(console_tail MEMBERA LINUX1)
grep -Eq 'TIME IS .* UTC [A-Z]+ 20[0-9]{2}-[0-9]{2}-[0-9]{2}' <<<"$shown" || fail "no ISO date: $shown"
grep -q 'USER DATE FORMAT: ISODATE' <<<"$shown" || fail "the second command is not answered: $shown"
grep -q 'HCPCMD001E .*FROB' <<<"$shown" || fail "the third command is not answered: $shown"
! grep -q 'LINUX1   AT MEMBERA' <<<"$shown" || fail "a command behind one that failed: $shown"
expect 0 '' endicott cp -m MEMBERA -u LINUX1 SET DATEFORMAT FULLDATE
expect 0 'TIME IS .* [0-9]{2}/[0-9]{2}/20[0-9]{2}' endicott cp -m MEMBERA -u LINUX1 QUERY TIME
expect 0 'has ended' endicott stop "$cluster"
echo "cp_diag_disk: passed"
