#!/bin/bash
# DEACTIVATE ISLINK on one member: both see the other as Unknown, nobody can log on, the guest that runs goes on and
# cannot be logged on a second time; ACTIVATE ISLINK: all is well again. SEND types at a console of the other member.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^SSIPORT.*/SSIPORT [::1]:0/' "$cluster/hardware/MEMBERB.cnf"
expect 0 'MEMBERB is ready' endicott up "$cluster"
deck "$TEST_TMP/spin" <<'TEXT'
        j .
TEXT
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/spin"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1

mode() { # member, regex: until QUERY SSI shows it
    local end=$((SECONDS + WAIT_SECONDS))
    until grep -Eq "$2" <<<"$(cp_on "$1" QUERY SSI)"; do
        [ $SECONDS -lt $end ] || fail "QUERY SSI of $1 shows no $2: $(cp_on "$1" QUERY SSI)"
        moment
    done
}

# --- SEND from the other member: CP takes it there
expect 0 '' cp_on MEMBERB SEND CP LINUX1 QUERY USERID
expect 0 'LINUX1   AT MEMBERA' endicott wait -m MEMBERA -u LINUX1 --match 'LINUX1   AT MEMBERA' --since-start --timeout "$WAIT_SECONDS"
expect 1 'HCPCMD045E' cp_on MEMBERB SEND CP LINUX2 QUERY USERID

# --- what a link is: one connection for control, two for data
expect 0 'Node MEMBERB  Link TCP 127.0.0.1:[0-9]+  State: Up' cp_on MEMBERA QUERY ISLINK
expect 0 'Protocol: 3  TLS: No' cp_on MEMBERA QUERY ISLINK
expect 0 'Control 127.0.0.1:[0-9]+  not encrypted' cp_on MEMBERB QUERY ISLINK NODE MEMBERA
expect 0 'Bulk 2  127.0.0.1:[0-9]+  not encrypted' cp_on MEMBERB QUERY ISLINK MEMBERA
expect 0 'Sent: [1-9][0-9]*  Received: [1-9][0-9]*  Waiting: 0  Last Received: [0-9]{1,4} ms ago' cp_on MEMBERB QUERY ISLINK
expect 1 'HCPLNK600E' cp_on MEMBERB QUERY ISLINK MEMBERX

# --- the link goes
expect 1 'HCPLNK600E' cp_on MEMBERA DEACTIVATE ISLINK NODE MOON
expect 0 'Link to MEMBERB: deactivated' cp_on MEMBERA DEACTIVATE ISLINK NODE MEMBERB
expect 1 'HCPLNK602E' cp_on MEMBERA DEACTIVATE ISLINK NODE MEMBERB
mode MEMBERA 'SSI Mode: Safe'
mode MEMBERB 'SSI Mode: Safe'
expect 0 'State: Inactive' cp_on MEMBERA QUERY ISLINK
expect 1 'HCPAUT059E .*Safe mode' cp_on MEMBERB XAUTOLOG LINUX2
expect 1 'HCPAUT059E .*Safe mode' cp_on MEMBERB XAUTOLOG LINUX1
expect 0 'LINUX1 +- DSC' cp_on MEMBERA QUERY LINUX1
expect 0 'USERID=LINUX1' cp_on MEMBERA INDICATE USER LINUX1

# --- and comes back; the guest has run all the time
expect 0 'activation is under way' cp_on MEMBERA ACTIVATE ISLINK NODE MEMBERB
mode MEMBERA 'SSI Mode: Stable'
mode MEMBERB 'SSI Mode: Stable'
expect 0 'Node MEMBERB  Link TCP \[::1\]:[0-9]+  State: Up' cp_on MEMBERA QUERY ISLINK # A has called
expect 0 'Bulk 1  \[::1\]:[0-9]+ ' cp_on MEMBERB QUERY ISLINK
expect 0 'LINUX1 +- SSI' cp_on MEMBERB QUERY LINUX1
expect 1 'HCPAUT054E .*MEMBERA' cp_on MEMBERB XAUTOLOG LINUX1
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2
expect 0 'FORCED' cp_on MEMBERA FORCE LINUX1
expect 0 'has ended' endicott stop "$cluster"
echo "cluster_islink: passed"
