#!/bin/bash
# DIAGNOSE X'14' by a program of its own, IPLed from the reader: pages of the deck it came from, restart, backspace,
# positions; descriptions of the files, one behind the other; another file is put first; devices and subcodes that
# are not there. A second program: descriptions by kind, copies of the file that is read.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
endicott up "$cluster" >/dev/null

# r12 counts the steps; the last PSW tells the one that failed, or X'D14'.
macro=$(cat <<'TEXT'
        .macro d14 subcode, wrong
        aghi %r12,1
        lghi %r5,\subcode
        .long 0x83240014
        brc \wrong,bad
        .endm
TEXT
)
end=$(cat <<'TEXT'
bad:    larl %r1,lost
        stg %r12,8(%r1)
        lpswe 0(%r1)
        .balign 8
well:   .quad 0x0002000180000000,0xd14
lost:   .quad 0x0002000180000000,0
TEXT
)
deck "$TEST_TMP/diag14" <<TEXT
$macro
        lghi %r12,0
        lghi %r10,0x2000
        lghi %r11,0x3000
        lghi %r2,0x2000
        lghi %r4,0xc
        d14 0x000,7             # 1: the page of the deck
        lt %r6,12(%r10)      # its records
        jz bad
        llgh %r7,0xff8(%r10)    # its spool id
        d14 0x000,11            # 2: the end of it
        d14 0x014,7             # 3: again
        d14 0x000,11            # 4
        d14 0x018,7             # 5: the last page once more
        c %r6,12(%r10)
        jne bad
        lghi %r2,1
        d14 0x028,7             # 6: page 1 comes next
        lghi %r2,2
        d14 0x028,14            # 7: there is no second one
        lghi %r2,0x3000
        lghi %r4,0
        d14 0xfff,7             # 8: the first file is the deck, open
        llgh %r8,30(%r11)
        cgr %r7,%r8
        jne bad
        llgc %r9,32(%r11)
        chi %r9,0x88
        jne bad
        lgr %r4,%r8
        d14 0xfff,7             # 9: the other one
        llgh %r8,30(%r11)
        cgr %r7,%r8
        je bad
        lgr %r4,%r8
        d14 0xfff,11            # 10: no more
        lghi %r4,1234
        d14 0xfff,13            # 11: no such file
        lgr %r2,%r8
        lghi %r4,0xc
        d14 0x00c,7             # 12: it becomes the first
        lghi %r2,0x3000
        lghi %r4,0
        d14 0xfff,7             # 13
        llgh %r9,30(%r11)
        cgr %r9,%r8
        jne bad
        lghi %r4,0xe
        d14 0x000,14            # 14: a printer
        chi %r5,8
        jne bad
        lghi %r4,0x999
        d14 0x000,14            # 15: nothing
        chi %r5,4
        jne bad
        lghi %r4,0xc
        larl %r1,well
        mvc 0x1d0(16,%r0),0(%r1)
        d14 0x030,15            # 16: a specification exception
$end
TEXT
deck "$TEST_TMP/copies" <<TEXT
$macro
        lghi %r12,0
        lghi %r10,0x2000
        lghi %r11,0x3000
        lghi %r2,0x2000
        lghi %r4,0xc
        d14 0x000,7             # 1: the page of the deck
        llgh %r7,0xff8(%r10)
        lghi %r2,0x3000
        d14 0x008,7             # 2: the first punched file is the deck
        llgh %r9,30(%r11)
        cgr %r9,%r7
        jne bad
        d14 0x008,7             # 3: the next
        llgh %r8,30(%r11)
        cgr %r8,%r7
        je bad
        d14 0x008,11            # 4: no more
        d14 0x004,13            # 5: no printed one
        d14 0x01c,13            # 6: no monitor files
        d14 0x020,13            # 7
        lghi %r2,3
        d14 0x010,7             # 8: the deck has three copies
        lghi %r2,0x3000
        d14 0x008,7             # 9: the first again
        llgh %r9,84(%r11)
        chi %r9,3
        jne bad
        larl %r2,cont
        lghi %r3,12
        .long 0x83230008
        lghi %r2,0x2000
        d14 0x014,7             # 10: its page, and twice again
        d14 0x000,7             # 11
        d14 0x000,7             # 12
        llgh %r9,0xff8(%r10)
        cgr %r9,%r7
        jne bad
        d14 0x000,7             # 13: the next file, and the deck is gone
        llgh %r9,0xff8(%r10)
        cgr %r9,%r8
        jne bad
        larl %r1,well
        lpswe 0(%r1)
cont:   .byte 0xe2,0xd7,0xd6,0xd6,0xd3,0x40,0xc3,0x40,0xc3,0xd6,0xd5,0xe3 # SPOOL C CONT
$end
TEXT
head -c 7000 /dev/zero >"$TEST_TMP/other"
for program in diag14:LINUX1 copies:LINUX2; do
    expect 0 '' endicott punch -m MEMBERA -u "${program#*:}" "$TEST_TMP/${program%:*}" "$TEST_TMP/other"
    expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG "${program#*:}"
    expect 0 'HCPGIR450W .*00000000 00000D14' endicott wait -u "${program#*:}" --match 'HCPGIR450W' --since-start --timeout "$WAIT_SECONDS"
done
expect 0 'has ended' endicott stop "$cluster"
echo "cp_diag14: passed"
