#!/bin/bash
# A relocation that a limit or the PDR forbids leaves the guest running at the source, its memory
# whole: a guest that rewrites 64 MB over a slow link, MAXQUIESCE 1 SEC (predicted, and while it
# stands still), MAXTOTAL, a PDR that cannot be written or locked when ownership is to move.
# Rules: VMRELOCATE MAXQUIESCE and MAXTOTAL of z/VM, completion codes 04 and 05; one owner always.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
export ENDICOTT_LGR_MB_S=50 # 64 MB take 1.3 s
cluster=$TEST_TMP/two
sample two "$cluster"
echo 'SSI_LINKS SILENCE 300' >>"$cluster/system.config" # who is held still is not lost, however long commands take

# Hold the lock of the PDR, as a system that hangs in its update does, until end_lock.
hold_lock() {
    coproc LOCK { python3 -c '
import fcntl, struct, sys
pdr = open(sys.argv[1], "r+b")
F_OFD_SETLKW = 38
fcntl.fcntl(pdr, F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 1 << 40, 1, 0))
print("locked", flush=True)
sys.stdin.read()' "$cluster/volumes/COM001.pdr"; }
    read -r -u "${LOCK[0]}"
}

end_lock() {
    local holder=$LOCK_PID
    exec {LOCK[1]}>&-
    wait "$holder"
}

stays() { # code and text, options of MOVE...
    local why=$1
    shift
    expect 1 "HCPRLX1937E .* RC=0000-$why" cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB "$@"
    lives_on MEMBERA MEMBERB
}

boot_guest
memspin
echo waiting >"$TEST_TMP/late.txt"
endicott punch -m MEMBERB -u LINUX1 "$TEST_TMP/late.txt" >/dev/null

echo '--- nobody can write the PDR when ownership is to move: it has not moved'
member=$(pid_of MEMBERA)
prlimit --pid "$member" --fsize=1:unlimited
stays '08: ownership cannot be moved' IMMEDIATE
prlimit --pid "$member" --fsize=unlimited:unlimited

echo '--- somebody holds the lock of the PDR for as long as it is waited for: neither'
hold_lock
stays '08: ownership cannot be moved: .* is locked' IMMEDIATE MAXQUIESCE NOLIMIT
end_lock

echo '--- the guest rewrites 64 MB: after the one pass of IMMEDIATE it is not stopped'
too_much() { # a busy host may not have let it rewrite as much
    local said
    for _ in {1..20}; do
        if said=$(cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB IMMEDIATE MAXQUIESCE 1 SEC 2>&1); then
            expect 0 'has been relocated' cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA IMMEDIATE
        elif grep -Eq 'RC=0000-05: LINUX1 would stand still for [0-9.]+ s, MAXQUIESCE is 1 SEC' <<<"$said"; then
            return 0
        else
            grep -q 'RC=0000-05: MAXQUIESCE of 1 SEC is exceeded' <<<"$said" || fail "MOVE said: $said"
        fi
    done
    fail "it never would stand still for too long, $said"
}
too_much
lives_on MEMBERA MEMBERB
expect 0 'quiesce time 0.0 ms, 1 passes' cp_on MEMBERA VMRELOCATE STATUS USER LINUX1 DETAILS

echo '--- it stands still already when the limit is exceeded'
frozen=$(pid_of MEMBERB)
endicott cp -m MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB IMMEDIATE >"$TEST_TMP/move" 2>&1 &
mover=$!
until grep -q 'Moving state' <<<"$(cp_on MEMBERA VMRELOCATE STATUS 2>/dev/null)"; do
    kill -0 $mover 2>/dev/null || fail "it never stood still: $(cat "$TEST_TMP/move")"
done
kill -STOP "$frozen" # the rest takes over a second; now it takes as long as it must
cp_on MEMBERA VMRELOCATE MODIFY LINUX1 MAXQUIESCE 1 SEC
wait $mover && fail 'it was relocated all the same'
thaw
grep -q 'RC=0000-05: MAXQUIESCE of 1 SEC is exceeded' "$TEST_TMP/move" ||
    fail "MOVE said: $(cat "$TEST_TMP/move")"
lives_on MEMBERA MEMBERB

echo '--- MAXTOTAL, shorter than the first pass'
stays '04: MAXTOTAL of 1 SEC is exceeded' MAXTOTAL 1 SEC

expect 0 ' NONE .* LATE' cp_on MEMBERB QUERY RDR LINUX1 ALL # not lost with the skeleton

echo '--- and without limits it moves, once whoever locks the PDR is done'
hold_lock
endicott cp -m MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB IMMEDIATE MAXQUIESCE NOLIMIT >"$TEST_TMP/move" 2>&1 &
mover=$!
until grep -q Verifying <<<"$(cp_on MEMBERA VMRELOCATE STATUS 2>/dev/null)"; do
    kill -0 $mover 2>/dev/null || fail "it did not wait: $(cat "$TEST_TMP/move")"
done
end_lock
wait $mover || fail "MOVE said: $(cat "$TEST_TMP/move")"
grep -q 'has been relocated' "$TEST_TMP/move" || fail "MOVE said: $(cat "$TEST_TMP/move")"
lives_on MEMBERB MEMBERA
endicott send -u LINUX1 'stop'
on_guest 'MEMSPIN DONE .* bad=0'
echo "relocate_limits: passed"
