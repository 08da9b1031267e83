#!/bin/bash
# A cluster of one member grows to four, one is replaced and one taken out (SET SSI SLOT), while a guest runs: the PDR has the
# say over slots, and who starts must agree. Then REPAIR: one member alone and Isolated, never beside another.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"
cluster=$TEST_TMP/four
sample four "$cluster"
sed -i '/^RELOCATION_DOMAIN/d; s/^SYSTEM_IDENTIFIER LPAR LPARD MEMBERD/&\nSYSTEM_IDENTIFIER LPAR LPARE MEMBERE/' "$cluster/system.config"
sed -i 's/ DOMAIN ALPHA//; s/\(BUILD ON MEMBER\)D USING SUBCONFIG OPER-4/&\n  \1E USING SUBCONFIG OPER-5/' "$cluster/user.direct"
printf 'SUBCONFIG OPER-5\n  ACCOUNT MEMBERE\n' >>"$cluster/user.direct"
cp "$cluster/hardware/MEMBERD.cnf" "$cluster/hardware/MEMBERE.cnf"

slots() { # member or AVAILABLE for each slot: the SSI statement of system.config
    local n=0 name text='SSI FOUR PDR_VOLUME COM001'
    for name; do text+=" SLOT $((++n)) $name"; done
    sed -i "s/^SSI FOUR.*/$text/; /^    SLOT /d" "$cluster/system.config"
}
shows() { # member, regex: until QUERY SSI shows it
    local end=$((SECONDS + WAIT_SECONDS))
    until grep -Eq "$2" <<<"$(cp_on "$1" QUERY SSI)"; do
        [ $SECONDS -lt $end ] || fail "QUERY SSI of $1 shows no $2: $(cp_on "$1" QUERY SSI)"
        moment
    done
}
used() { # processor time of the guest: it runs, and was never logged off
    cp_on MEMBERA INDICATE USER LINUX1 | sed -n 's/.*VTIME= *\([0-9:.]*\).*/\1/p'
}

# --- one member, with a guest that runs
slots MEMBERA
expect 0 'MEMBERA is ready' endicott up "$cluster"
deck "$TEST_TMP/spin" <<'TEXT'
        j .
TEXT
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/spin"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
expect 0 '2 -------- Available' cp_on MEMBERA QUERY SSI

# --- it grows to four: the slot first, then the member, whose SSI statement must say the same
slots MEMBERA MEMBERB
expect 7 'slot 2 is AVAILABLE in the cluster and MEMBERB in the SSI statement' endicott start "$cluster" MEMBERB
expect 1 'HCPPLM1601E .*in that slot' cp_on MEMBERA SET SSI SLOT 1 MEMBERB
expect 0 'HCPPLM1605I Slot 2 is MEMBERB' cp_on MEMBERA SET SSI SLOT 2 MEMBERB
expect 1 'HCPPLM1601E .*MEMBERB is in slot 2' cp_on MEMBERA SET SSI SLOT 3 MEMBERB
expect 0 'ready' endicott start "$cluster" MEMBERB
expect 0 'Slot 3 is MEMBERC' cp_on MEMBERB SET SSI SLOT 3 MEMBERC
expect 0 'Slot 4 is MEMBERD' cp_on MEMBERA SET SSI SLOT 4 MEMBERD
slots MEMBERA MEMBERB MEMBERC MEMBERD
for member in MEMBERC MEMBERD; do
    expect 0 'ready' endicott start "$cluster" $member
done
for member in MEMBERA MEMBERB MEMBERC MEMBERD; do
    shows $member 'SSI Mode: Stable'
    shows $member '4 MEMBERD  Joined'
done
expect 0 'DOMAIN SSI +MEMBERS: MEMBERA MEMBERB MEMBERC MEMBERD' cp_on MEMBERA QUERY RELODOMAIN SSI
expect 1 'HCPAUT054E .*MEMBERA' cp_on MEMBERD XAUTOLOG LINUX1

# --- one is replaced, one is taken out
expect 1 'HCPPLM1601E .*slot 4 holds MEMBERD, which is Joined' cp_on MEMBERA SET SSI SLOT 4 MEMBERE
expect 0 'has ended' endicott stop MEMBERD
expect 0 'Slot 4 is MEMBERE' cp_on MEMBERB SET SSI SLOT 4 MEMBERE
slots MEMBERA MEMBERB MEMBERC MEMBERE
expect 0 'ready' endicott start "$cluster" MEMBERE
shows MEMBERA '4 MEMBERE  Joined'
expect 0 'HCPPLM1718I Slot 4 of SSI cluster FOUR is MEMBERE' endicott wait -m MEMBERC \
    --match 'HCPPLM1718I Slot 4 of SSI cluster FOUR is MEMBERE' --since-start --timeout "$WAIT_SECONDS"
expect 0 'has ended' endicott stop MEMBERC
expect 0 'Slot 3 is AVAILABLE' cp_on MEMBERA SET SSI SLOT 3 AVAILABLE
slots MEMBERA MEMBERB AVAILABLE MEMBERE
shows MEMBERE '3 -------- Available'

# --- the guest has run all the time
before=$(used)
[ -n "$before" ] || fail "no processor time of LINUX1: $(cp_on MEMBERA INDICATE USER LINUX1)"
until [ "$(used)" != "$before" ]; do moment; done
[ "$(cp_on MEMBERA QUERY NAMES | grep -c LINUX1)" = 1 ] || fail 'LINUX1 has gone'
grep -q 'LINUX1   USERS' "$ENDICOTT_RUN/MEMBERA.log" || fail 'the log of MEMBERA knows nothing of LINUX1'
! grep -q 'LOGOFF AS  LINUX1' "$ENDICOTT_RUN/MEMBERA.log" || fail 'LINUX1 was logged off'

# --- REPAIR: not while another is up; then alone, and nobody beside
expect 0 'has ended' endicott stop MEMBERE
expect 7 'REPAIR is for when no other system is up' endicott start "$cluster" MEMBERE --repair
expect 0 'has ended' endicott stop "$cluster"
expect 0 'ready' endicott start "$cluster" MEMBERB --repair
shows MEMBERB 'SSI Mode: Isolated'
shows MEMBERB '2 MEMBERB  Isolated'
expect 7 'MEMBERB is up by REPAIR' endicott start "$cluster" MEMBERA
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2
expect 0 'has ended' endicott stop MEMBERB
expect 0 'MEMBERE is ready' endicott up "$cluster"
shows MEMBERA 'SSI Mode: Stable'
expect 0 'has ended' endicott stop "$cluster"
echo "cluster_grow: passed"
