#!/bin/bash
# Shares, limits and processors under CP, by the work that guests get done on one processor; what INDICATE
# says of it; and the time that Linux finds stolen while another guest competes.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$(dirname "$0")/../lib/program.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^NUMCPU .*/NUMCPU     1/' "$cluster/hardware/MEMBERA.cnf"

counts() { # instructions of LINUX2 and LINUX1 on MEMBERA, of one moment
    python3 - "$ENDICOTT_RUN/MEMBERA.sock" <<'PYTHON'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"stats.get"}\n')
users = {u["user"]: u["instructions"] for u in json.loads(s.makefile().readline())["result"]["users"]}
print(users.get("LINUX2", 0), users.get("LINUX1", 0))
PYTHON
}

# A host that is busy itself takes the processor away in the middle of a guest's slice: one stretch of several must show what
# is wanted. None does when the dispatcher is wrong.
STRETCHES=12

percent() { # of what both execute from now on that is LINUX2's: between $1 and $2
    local one two now_one now_two part
    for ((i = 0; i < STRETCHES; i++)); do
        read -r one two <<<"$(counts)"
        while read -r now_one now_two <<<"$(counts)" && [ $((now_one + now_two - one - two)) -lt 1000000000 ]; do moment; done
        part=$((100 * (now_one - one) / (now_one + now_two - one - two)))
        echo "LINUX2 got $part per cent"
        [ $part -lt "$1" ] || [ $part -gt "$2" ] || return 0
    done
    fail "LINUX2 got $part per cent, not $1 to $2"
}

stolen() { # least and most per cent of the ticks that it uses
    local i used ticks
    for ((i = 0; i < STRETCHES; i++)); do
        looks=$((${looks:-0} + 1))
        read -r _ _ used ticks _ <<<"$(runs "b L$looks" "L$looks [0-9]+ [0-9]+ end" | sed 's/^\(guest# \)*/x /')"
        echo "used $used, stolen $ticks"
        [ $((100 * ticks)) -lt $(($1 * used)) ] || [ $((100 * ticks)) -gt $(($2 * used)) ] || return 0
    done
    fail "$ticks ticks were stolen while $used were used"
}

runs() { # command for the guest's shell, the line it prints at last (maybe behind the prompt)
    endicott send -u LINUX1 "$1"
    on_guest "^(guest# )*$2"
}

# --- one guest alone: hardly anything is stolen; with another one that spins, about half of the time
boot_guest
runs 'l() { read -r _ u n s i w q f t _ </proc/stat; U=$((u + n + s)); }; echo a' a >/dev/null
runs 'b() { l; A=$U; T=$t; while l; [ $((U - A)) -lt 100 ]; do :; done; g $1; }; echo b' b >/dev/null
runs 'g() { echo $1 $((U - A)) $((t - T)) end; }; echo c' c >/dev/null
stolen 0 25
deck "$TEST_TMP/spin" <<'TEXT'
        j .
TEXT
expect 0 '' endicott punch -m MEMBERA -u LINUX2 "$TEST_TMP/spin"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX2
stolen 50 200
expect 0 'CPU 00: CTIME=[0-9:]+ VTIME=[0-9:]+ TTIME=' cp_on MEMBERA INDICATE USER LINUX1
expect 0 'FORCED' cp_on MEMBERA FORCE LINUX1

# --- shares and limits
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/spin"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
percent 45 55
expect 0 'RELATIVE SHARE = 300' cp_on MEMBERA SET SHARE LINUX2 RELATIVE 300
percent 72 78
expect 0 'LIMITHARD ABSOLUTE 10%' cp_on MEMBERA SET SHARE LINUX2 RELATIVE 300 ABSOLUTE 10% LIMITHARD
percent 8 12
expect 0 'LINUX[12] +Q3 R00 ' cp_on MEMBERA INDICATE QUEUES
expect 0 '^AVGPROC-[0-9]{3}% 01$' cp_on MEMBERA INDICATE
expect 0 'PROCESSOR 00 MASTER CP' cp_on MEMBERA QUERY PROCESSORS
expect 1 'HCPSYS416E VARY not performed' cp_on MEMBERA VARY OFFLINE PROCESSOR 00
expect 0 'has ended' endicott stop "$cluster"
echo "cp_dispatch: passed"
