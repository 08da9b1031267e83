#!/bin/bash
# 1,000 virtual machines, one after the other: logged on, IPLed from the reader, heard on the console, logged off. After
# the first tenth the member's resident storage, descriptors and threads stay what they are. Says how long it was from
# XAUTOLOG to the first line that a guest's program wrote.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$ROOT/tests/lib/cluster.sh"
. "$ROOT/tests/lib/program.sh"
cycles=${ENDICOTT_CYCLES:-1000}

cluster=$TEST_TMP/two
sample two "$cluster"
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA

deck "$TEST_TMP/hello" <<TEXT
        larl %r2,hello
        lghi %r3,12
        .long 0x83230008
        larl %r1,end
        lpswe 0(%r1)
        .balign 8
end:    .quad 0x0002000180000000,0
hello:  .byte $(printf 'QUERY USERID' | iconv -t IBM037 | od -An -v -tu1 | xargs | tr ' ' ,)
TEXT
"$ROOT/tests/lib/logon_cycles.py" "$ENDICOTT_RUN/MEMBERA.sock" LINUX1 "$TEST_TMP/hello" "$cycles"
expect 0 'MEMBERA' endicott stop "$cluster"
