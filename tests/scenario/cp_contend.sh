#!/bin/bash
# Linux in contention for its locks: eight processes open, duplicate and close one file, with one CPU and with four, each
# time on one processor. The same work takes at most 15 per cent more instructions with four: who spins for a lock yields
# (DIAGNOSE X'9C') to whom it waits for. Prints processor time, too, which does not fail it.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
GUEST_FILES=${GUEST_FILES:-$ROOT/${ENDICOTT_BUILD:-build}/guest}
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^NUMCPU .*/NUMCPU     1/' "$cluster/hardware/MEMBERA.cnf"
sed -i 's/^USER LINUX2 .*/&\n  CPU 01\n  CPU 02\n  CPU 03/' "$cluster/user.direct"

used() { # userid: instructions and microseconds of processor time
    python3 - "$ENDICOTT_RUN/MEMBERA.sock" "$1" <<'PYTHON'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"stats.get"}\n')
answer = json.loads(s.makefile().readline())["result"]
user = next(u for u in answer["users"] if u["user"] == sys.argv[2])
print(user["instructions"], int(user["total_seconds"] * 1e6))
PYTHON
}

says() { # userid regex
    endicott wait -m MEMBERA -u "$1" --match "$2" --since-start --timeout "$WAIT_SECONDS" | tail -n 1
}

runs() { # userid command last line
    endicott send -m MEMBERA -u "$1" "$2"
    says "$1" "^(guest# )*$3"
}

contend() { # userid, a number of its own: sets insns and time
    local before_insns before_time
    runs "$1" 'c() { i=0; while [ $i -lt 4000 ]; do : <f 3<f 4<&3; i=$((i+1)); done; }; cd /tmp; echo >f; echo defined-$?'"-$2" "defined-0-$2" >/dev/null
    read -r before_insns before_time <<<"$(used "$1")"
    runs "$1" 'for p in 1 2 3 4 5 6 7 8; do c & done; wait; echo contended-$?'"-$2" "contended-0-$2" >/dev/null
    read -r insns time <<<"$(used "$1")"
    insns=$((insns - before_insns))
    time=$((time - before_time))
    echo "$1: $((insns / 1000000)) million instructions, $((time / 1000)) ms"
}

boot() { # userid cpus
    endicott punch -m MEMBERA -u "$1" "$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" "$GUEST_FILES/initramfs.cpio.lz4" >/dev/null
    expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG "$1"
    expect 0 "ENDICOTT-GUEST-READY .* $2 cpu" says "$1" ENDICOTT-GUEST-READY
}

echo "console=ttyS0 $QUICK_BOOT" >"$TEST_TMP/parmfile"
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
boot LINUX1 1
contend LINUX1 1
one_insns=$insns one_time=$time
expect 0 'FORCED' cp_on MEMBERA FORCE LINUX1
boot LINUX2 4
# A busy host takes the processor from whoever has it: one of several times must show it.
for n in {1..6}; do
    contend LINUX2 $n
    [ $((100 * insns)) -gt $((115 * one_insns)) ] || break
done
echo "four CPUs: $((100 * insns / one_insns)) per cent of one CPU's instructions, $((100 * time / one_time)) of its processor time"
[ $((100 * insns)) -le $((115 * one_insns)) ] || fail "four CPUs took $insns instructions, one $one_insns"
expect 0 'has ended' endicott stop "$cluster" --immediate
echo "cp_contend: passed"
