#!/bin/bash
# The status of a terminal when nothing is written: a program stored by hand and begun without an IPL reads the console (VM READ)
# and goes on (RUNNING) when it has its line.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$ROOT/tests/lib/s3270.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
echo 'CNSLPORT 127.0.0.1:0' >>"$cluster/hardware/MEMBERA.cnf"
endicott start "$cluster" MEMBERA >/dev/null
port=$(endicott status --json | python3 -c "
import json, sys
print(next(m['console_port'] for m in json.load(sys.stdin) if m['member'] == 'MEMBERA'))")
terminal one 3279-2
see 'z/VM ONLINE'
t 'Tab()' && t 'Tab()' && enter 'LOGON LINUX1 NOIPL'
see 'Enter your password'
enter LINUX1
see 'CP READ   MEMBERA *$'
t 'Clear()'
# STSCH, OI, MSCH, SSCH of a read at subchannel 0; branch to itself
enter 'STORE G1 00010000'
enter 'STORE 200 B2340300 96800305 B2320300 B2330340 A7F40000'
enter 'STORE 340 00000000 0080FF00 00000380'
enter 'STORE 380 0A200050 00000400'
enter 'STORE PSW 00000001 80000000 00000000 00000200'
t 'Clear()'
enter 'BEGIN'
see 'VM READ   MEMBERA *$'
enter 'first'
see 'RUNNING   MEMBERA *$'
expect 0 'V00000400 +868999A2 A3' endicott cp -u LINUX1 DISPLAY 400.10

expect 0 'has ended' endicott stop "$cluster"
echo "tn3270_status: passed"
