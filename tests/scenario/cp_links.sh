#!/bin/bash
# LINK over two members, whose files of the volume nobody can lock for the other: who has a minidisk is told by name and member,
# modes that exclude each other are refused, QUERY LINKS shows both; Safe mode refuses with the member that holds it up, and gives
# back; a member that is killed leaves nothing; some hundred links and detaches, with none left.
set -euo pipefail
. "$(dirname "$0")/../lib/links.sh"
link_cluster

# --- modes
expect 0 '' a LINK OWNER 200 300 MR
expect 1 'HCPLNM105E OWNER 0200 not linked; R/W by LINKA AT MEMBERA' b LINK OWNER 200 300 M
expect 1 'HCPLNM102E DASD 0300 forced R/O; R/W by LINKA AT MEMBERA' b LINK OWNER 200 300 MR
expect 0 'DASD 0300 3390 LNK001 R/O' b QUERY VIRTUAL 300
expect 0 'LINKA +0300 R/W AT MEMBERA' b QUERY LINKS 300
expect 0 'LINKC +0300 R/O AT MEMBERB' a QUERY LINKS 300
expect 0 'DASD 0300 DETACHED' a DETACH 300
expect 1 'HCPLNM104E OWNER 0200 not linked; R/O by LINKC AT MEMBERB' a LINK OWNER 200 300 W
expect 0 'DASD 0301 LINKED R/W; R/O BY LINKC' b LINK OWNER 200 301 M
expect 1 'HCPLNM106E OWNER 0200 not linked; R/W by LINKC AT MEMBERB; R/O by LINKC AT MEMBERB' a LINK OWNER 200 300 M
expect 0 'DETACHED' b DETACH 300-301
expect 0 '' a LINK OWNER 200 300 SR
expect 1 'HCPLNM104E OWNER 0200 not linked; R/O by LINKA AT MEMBERA' b LINK OWNER 200 300 MW
expect 0 'LINKED R/O; R/O BY LINKA' b LINK OWNER 200 300 RR
expect 0 'DETACHED' a DETACH 300
expect 0 'DETACHED' b DETACH 300

# --- the minidisk cache: off while a link of the other member writes, on when it goes; off while a member is out of touch
# cache STATE: of LINKA's 300, soon
cache() {
    local state
    for _ in {1..3000}; do
        state=$(a QUERY MDCACHE MDISK 300)
        ! grep -q "cache $1 for LINKA 0300" <<<"$state" || return 0
        read -rt 0.1 <> <(:) || true
    done
    fail "LINKA's 0300 is not $1 in the cache: $state"
}
expect 0 '' a LINK OWNER 200 300 RR
cache ON
expect 0 'LINKED R/W; R/O BY LINKA AT MEMBERA' b LINK OWNER 200 300 MR
cache INELIGIBLE
expect 0 'Minidisk cache ON for LINKC 0300' b QUERY MDCACHE MDISK 300
expect 0 'DETACHED' b DETACH 300
cache ON

# --- Safe mode
expect 0 '' a LINK OWNER 201 301 MR
expect 0 '' b LINK OWNER 202 302 MR
expect 0 'deactivated' cp_on MEMBERA DEACTIVATE ISLINK MEMBERB
for member in MEMBERA MEMBERB; do
    expect 0 'is Safe' endicott wait -m $member --match 'The mode of SSI cluster TWO is Safe' --since-start --timeout "$WAIT_SECONDS"
done
expect 1 'HCPLNM119E OWNER 0200 not linked; .*(Safe mode|MEMBERB)' a LINK OWNER 200 310 R
expect 1 'HCPLNM119E OWNER 0200 not linked; .*(Safe mode|MEMBERA)' b LINK OWNER 200 300 RR
expect 0 'cache INELIGIBLE for LINKA 0300' a QUERY MDCACHE MDISK 300
expect 0 'DASD 0301 3390 LNK001 R/W' a QUERY VIRTUAL 301
expect 0 'DEFINED' a DEFINE VFB-512 AS 400 BLK 64
expect 0 'DASD 0301 DETACHED' a DETACH 301
expect 0 'activation is under way' cp_on MEMBERA ACTIVATE ISLINK MEMBERB
for member in MEMBERA MEMBERB; do
    expect 0 'is restored' endicott wait -m $member --match 'Contact with SSI system MEMBER. is restored' --since-start --timeout "$WAIT_SECONDS"
done
cache ON
expect 0 'DETACHED' a DETACH 300
expect 0 '' b LINK OWNER 201 301 EW
expect 1 'HCPLNM105E OWNER 0202 not linked; R/W by LINKC AT MEMBERB' a LINK OWNER 202 300 M

# --- a member that ends without a word has nothing any more
kill -KILL "$(endicott status --json | python3 -c 'import json, sys; print(next(m["pid"] for m in json.load(sys.stdin) if m["member"] == "MEMBERB"))')"
expect 0 'ended without leaving|HCPPLM1703W' endicott wait -m MEMBERA --match 'HCPPLM1703W' --since-start --timeout "$WAIT_SECONDS"
expect 0 '' a LINK OWNER 201 301 EW
expect 0 '' a LINK OWNER 202 302 EW
expect 0 'DETACHED' a DETACH 301-302
expect 0 'MEMBERB is ready' endicott start "$cluster" MEMBERB
for user in LINKC LINKD; do expect 0 'accepted' cp_on MEMBERB XAUTOLOG $user; done

# --- and many
link_pairs "${ENDICOTT_PAIRS:-400}" 60
expect 0 'has ended' endicott stop "$cluster"
echo "cp_links: passed"
