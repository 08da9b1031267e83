# Sourced by tests/scenario/cp_links.sh and tests/soak/links.sh: two members whose users link OWNER's minidisks. The volume is
# a file of its own on each, with one EQID, as if it were seen on two hosts: locks on files keep nobody away.

. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"

link_cluster() { # makes $cluster
    local member
    cluster=$TEST_TMP/two
    sample two "$cluster"
    for member in MEMBERA MEMBERB; do
        endicott dasd init "$cluster/volumes/lnk001-$member.ckd" --cylinders 10 --volume LNK001 --format ckd
        printf '0300 3390 volumes/lnk001-%s.ckd\n' "$member" >>"$cluster/hardware/$member.cnf"
    done
    sed -i 's/^USER_VOLUME_LIST/& LNK001/' "$cluster/system.config"
    echo 'EQID LINKS RDEV 0300' >>"$cluster/system.config"
    cat >>"$cluster/user.direct" <<'DIRECT'
USER OWNER NOLOG
 MDISK 200 3390 1 1 LNK001 MR ALL ALL ALL
 MDISK 201 3390 2 1 LNK001 MR ALL ALL ALL
 MDISK 202 3390 3 1 LNK001 MR ALL ALL ALL
 MDISK 203 3390 4 1 LNK001 MR ALL ALL ALL
DIRECT
    for user in LINKA LINKB LINKC LINKD; do
        printf 'USER %s NOPASS 32M 32M G\n CONSOLE 9 3215\n OPTION LNKNOPAS LNKSTABL LNKEXCLU\n' "$user"
    done >>"$cluster/user.direct"
    expect 0 'MEMBERB is ready' endicott up "$cluster"
    for user in LINKA LINKB; do expect 0 'accepted' cp_on MEMBERA XAUTOLOG $user; done
    for user in LINKC LINKD; do expect 0 'accepted' cp_on MEMBERB XAUTOLOG $user; done
}

# userA: MEMBERA's LINKA; userB: MEMBERB's LINKC
a() { endicott cp -m MEMBERA -u LINKA "$@"; }
b() { endicott cp -m MEMBERB -u LINKC "$@"; }

link_pairs() { # pairs
    timeout "${2:-600}" "$ROOT/tests/lib/link_pairs.py" "$1" "$ENDICOTT_RUN/MEMBERA.sock" LINKA "$ENDICOTT_RUN/MEMBERB.sock" LINKC \
        "$ENDICOTT_RUN/MEMBERA.sock" LINKB "$ENDICOTT_RUN/MEMBERB.sock" LINKD
}
