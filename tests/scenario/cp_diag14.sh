#!/bin/bash
# DIAGNOSE X'14' by a program of its own, IPLed from the reader: pages of the deck it came from, restart, backspace,
# positions; descriptions of the files, one behind the other; another file is put first; devices and subcodes that
# are not there.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
endicott up "$cluster" >/dev/null

# r12 counts the steps; the last PSW tells the one that failed, or X'D14'.
deck "$TEST_TMP/diag14" <<'TEXT'
        .macro d14 subcode, wrong
        aghi %r12,1
        lghi %r5,\subcode
        .long 0x83240014
        brc \wrong,bad
        .endm
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
bad:    larl %r1,lost
        stg %r12,8(%r1)
        lpswe 0(%r1)
        .balign 8
well:   .quad 0x0002000180000000,0xd14
lost:   .quad 0x0002000180000000,0
TEXT
head -c 7000 /dev/zero >"$TEST_TMP/other"
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/diag14" "$TEST_TMP/other"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
expect 0 'HCPGIR450W .*00000000 00000D14' endicott wait -u LINUX1 --match 'HCPGIR450W' --since-start --timeout "$WAIT_SECONDS"
expect 0 'has ended' endicott stop "$cluster"
echo "cp_diag14: passed"
