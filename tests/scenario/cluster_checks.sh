#!/bin/bash
# A member whose configuration does not go with the others' is refused: for each thing that is compared (hyp/cp/ssi_check.def) both
# consoles name it, both values and what to do, start ends with 7, and the cluster stands. All differences are told, not the first one.
# A directory that was changed by hand, and that of the cluster. What may differ.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
endicott dasd init "$cluster/volumes/spl001.ckd" --cylinders 2 --volume SPL001 --format ckd
expect 0 'SPOL 1-1' endicott dasd alloc "$cluster/volumes/spl001.ckd" SPOL 1-END
endicott dasd init "$cluster/volumes/usr001.ckd" --cylinders 3 --volume USR001 --format ckd
endicott dasd init "$cluster/volumes/usr002.ckd" --cylinders 4 --volume USR002 --format ckd
for member in MEMBERA MEMBERB; do
    printf '0300 3390 volumes/%s.ckd\n0301 3390 volumes/%s.ckd\n0302 3390 volumes/%s.ckd\n' spl001 usr001 usr002 >>"$cluster/hardware/$member.cnf"
done
cat >>"$cluster/system.config" <<'CNF'
CP_OWNED SLOT 10 SPL001 SHARED
MEMBERA: CP_OWNED SLOT 255 PAGA01
MEMBERB: CP_OWNED SLOT 255 PAGB01
EQID USERDISK RDEV 0301
DEFINE VSWITCH VSW1 ETHERNET
MEMBERA: DEFINE VSWITCH OWN1 IP
RELOCATION_DOMAIN BOTH MEMBERS MEMBERA MEMBERB
CNF
# --- marks of CP volumes: shown, set, and heeded at the start
mark() { endicott dasd owner "$@"; }
expect 0 'spl001.ckd: CP volume of no certain system' mark "$cluster/volumes/spl001.ckd"
expect 0 'CP volume of TWO.MEMBERB' mark "$cluster/volumes/spl001.ckd" --ssi two --system memberb
expect 0 '"cluster": "TWO"' mark "$cluster/volumes/spl001.ckd" --json
expect 2 'no CP volume: endicott dasd alloc makes it one' mark "$cluster/volumes/usr001.ckd" --system MEMBERB
expect 2 'a name has 1 to 8 characters' mark "$cluster/volumes/spl001.ckd" --system TOOLONGAN
expect 0 'SPOL 1-1' endicott dasd alloc "$cluster/volumes/spl001.ckd"
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
grep -q 'HCPOWN6740W CP-owned volume SPL001 on 0300 is marked for TWO.MEMBERB: nothing is allocated there' "$ENDICOTT_RUN/MEMBERA.log" || fail "MEMBERA tells nothing"
expect 0 'SPL001 0300 +Share  Online and attached, of another system' cp_on MEMBERA QUERY CPOWNED
expect 0 'has ended' endicott stop MEMBERA
expect 0 'CP volume of NOSSI.MEMBERA' mark "$cluster/volumes/spl001.ckd" --ssi NOSSI --system MEMBERA
expect 0 'CP volume of TWO.\*' mark "$cluster/volumes/spl001.ckd" --ssi TWO --system '*'

expect 0 'MEMBERB is ready' endicott up "$cluster"
expect 0 'SPL001 0300 +Share  Online and attached$' cp_on MEMBERA QUERY CPOWNED
expect 0 'has ended' endicott stop MEMBERB

# refused ID KEY B A: MEMBERB, which has B, does not join from $other, and both say why; MEMBERA has A
refused() {
    expect 7 "difference.* between MEMBERB and MEMBERA|MEMBERA refuses this system" endicott start "$other" MEMBERB
    grep -Eq "$1 .*$2: $3 on MEMBERB, $4 on MEMBERA; " "$ENDICOTT_RUN/MEMBERB.log" || fail "MEMBERB does not tell $1 $2"
    expect 0 "$1" endicott wait --match "$1 .*$2: $4 on MEMBERA, $3 on MEMBERB; " --since-start --timeout "$WAIT_SECONDS"
    rm "$ENDICOTT_RUN/MEMBERB.log"
}
# differs NAME: another folder with the cluster's volumes, in $other
differs() {
    other=$TEST_TMP/$1
    cp -R "$cluster" "$other"
    rm -r "$other/volumes"
    ln -s "$cluster/volumes" "$other/volumes"
}
rm "$ENDICOTT_RUN/MEMBERB.log"

differs volumes
sed -i 's/^CP_OWNED SLOT 10/CP_OWNED SLOT 11/' "$other/system.config"
refused HCPPLM1744E 'SLOT 11' SPL001 none
differs macprefix
echo 'VMLAN MACPREFIX 020001' >>"$other/system.config"
refused HCPPLM1745E MACPREFIX 020001 020001
differs userprefix
echo 'VMLAN USERPREFIX 02BBBB' >>"$other/system.config"
refused HCPPLM1746E USERPREFIX 02BBBB 020000
differs vswitch
sed -i 's/^DEFINE VSWITCH VSW1 ETHERNET/& VLAN 7 NATIVE 3 VEPA ON/' "$other/system.config"
refused HCPPLM1747E VSW1 'ETHERNET VLAN 7 NATIVE 3 PORTTYPE ACCESS VEPA' 'ETHERNET VLAN UNAWARE'
differs domain
sed -i 's/^\(RELOCATION_DOMAIN .*\) MEMBERB/\1/' "$other/system.config"
refused HCPPLM1748E BOTH MEMBERA 'MEMBERA MEMBERB'
differs eqid
sed -i 's/^EQID USERDISK RDEV 0301/EQID USERDISK RDEV 0302/' "$other/system.config"
refused HCPPLM1749E USERDISK '3390 4 USR002' '3390 3 USR001'

# --- several at once
differs all
sed -i 's/^EQID USERDISK RDEV 0301/EQID USERDISK RDEV 0302/; s/^CP_OWNED SLOT 10/CP_OWNED SLOT 11/' "$other/system.config"
echo 'VMLAN USERPREFIX 02BBBB' >>"$other/system.config"
expect 7 '4 differences between MEMBERB and MEMBERA: HCPPLM174.E' endicott start "$other" MEMBERB
for id in HCPPLM1744E HCPPLM1746E HCPPLM1749E; do
    grep -q "$id" "$ENDICOTT_RUN/MEMBERB.log" || fail "MEMBERB does not tell $id"
done
rm "$ENDICOTT_RUN/MEMBERB.log"

# --- the directory: changed by hand and not put online, it is not what the cluster has; MEMBERB takes that, and both name the entry
sed -i 's/^USER LINUX1 .*/&\n* by hand\n ACCOUNT 4711/' "$cluster/user.direct"
expect 0 'MEMBERB is ready' endicott start "$cluster" MEMBERB
grep -Eq 'HCPPLM1743W .*LINUX1: [0-9]+ entries on MEMBERB, [0-9]+ entries on MEMBERA; ' "$ENDICOTT_RUN/MEMBERB.log" || fail "MEMBERB does not name LINUX1"
expect 0 'HCPPLM1743W' endicott wait --match 'HCPPLM1743W .*LINUX1: [0-9]+ entries on MEMBERA' --since-start --timeout "$WAIT_SECONDS"
for member in MEMBERA MEMBERB; do
    expect 0 '2 MEMBERB  Joined' cp_on "$member" QUERY SSI
done
expect 0 'has ended' endicott stop "$cluster"
echo "cluster_checks: passed"
