#!/bin/bash
# No guest reaches another's storage: a program stores and fetches from the end of its storage on, up to the highest addresses; each
# try is an addressing exception, and what another guest of the member has in storage stays. Nor does a command reach it, of a user
# who may not: DISPLAY and STORE end with one's own storage, and those about others are of other classes.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/user.direct" <<'DIRECT'
USER REACHES NOPASS 64M 64M G
 CONSOLE 0009 3215 T
 SPOOL 000C 2540 READER *
USER OWNS NOPASS 64M 64M G
 CONSOLE 0009 3215 T
DIRECT
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
as() { # userid, command...
    endicott cp -m MEMBERA -u "$@"
}
places='0 1000 2FF8 3FFFFF8'
expect 0 'accepted' cp_on MEMBERA XAUTOLOG OWNS
for at in $places; do
    expect 0 'STORE COMPLETE' as OWNS STORE "$at" C1C2C3C4
done

deck "$TEST_TMP/reach" <<TEXT
        larl %r1,new
        lg %r3,0(%r1)
        stg %r3,464
        lg %r3,8(%r1)
        stg %r3,472
        lghi %r10,0             # addressing exceptions
        lghi %r11,0             # what was let through
        larl %r7,places
        lghi %r8,(end-places)/8
        lghi %r5,-1
loop:   lg %r2,0(%r7)
        larl %r9,1f
        stg %r5,0(%r2)
        aghi %r11,1
1:      larl %r9,2f
        lg %r6,0(%r2)
        aghi %r11,1
2:      aghi %r7,8
        brctg %r8,loop
        larl %r2,hello
        lghi %r3,12
        .long 0x83230008
        larl %r1,end
        lpswe 0(%r1)
pgm:    llgh %r3,142
        chi %r3,5
        jne 3f
        aghi %r10,1
3:      br %r9
        .balign 8
new:    .quad 0x0000000180000000,pgm
places: .quad 0x4000000,0x4001000,0x5000000,0x8000000,0x3ffffff8,0x40000000,0x7ffffff8,0x80000000
        .quad 0x400000000,0x10000000000,0x7ffffffffffffff8,0xfffffffffffffff8
end:    .quad 0x0002000180000000,0
hello:  .byte $(printf 'QUERY USERID' | iconv -t IBM037 | od -An -v -tu1 | xargs | tr ' ' ,)
TEXT
expect 0 'accepted' cp_on MEMBERA XAUTOLOG REACHES
expect 0 '' endicott punch -m MEMBERA -u REACHES "$TEST_TMP/reach"
expect 0 '' as REACHES IPL C
expect 0 'HCPGIR450W' endicott wait -m MEMBERA -u REACHES --match 'HCPGIR450W' --since-start --timeout "$WAIT_SECONDS"
expect 0 '^GPR 10 =  0000000000000018  0000000000000000' as REACHES DISPLAY G10-11 # 24 tries, none let through

# --- commands
expect 1 'HCPDIS160E' as REACHES DISPLAY 4000000.10
expect 1 'HCPDIS160E' as REACHES DISPLAY H4000000.10
expect 1 'HCPDIS160E' as REACHES STORE 4000000 0
for command in 'FOR OWNS CMD DISPLAY 0' 'LOCK OWNS 0 0' 'SEND CP OWNS DISPLAY 0' 'AT MEMBERA CMD FOR OWNS CMD STORE 0 0'; do
    # shellcheck disable=SC2086
    expect 1 'HCP' as REACHES $command
done
for at in $places; do
    expect 0 'C1C2C3C4' as OWNS DISPLAY "$at.4"
done
expect 0 'has ended' endicott stop "$cluster"
echo "cp_isolated: passed"
