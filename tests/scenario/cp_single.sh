#!/bin/bash
# What there is once in a cluster: a USER is logged on at one member, an IDENTITY once on each; an address of a network adapter
# is one adapter's, whichever member it is on, until that is gone or its member ends.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/user.direct" <<'DIRECT'
USER ONE NOPASS 32M 32M BG
 NICDEF 0600 TYPE QDIO MACID 000001
USER TWO NOPASS 32M 32M BG
 NICDEF 0600 TYPE QDIO MACID 000001
 NICDEF 0700 TYPE QDIO
IDENTITY BOTH NOPASS 32M 32M G
 BUILD ON * USING SUBCONFIG BOTH-1
 NICDEF 0600 TYPE QDIO
SUBCONFIG BOTH-1
 ACCOUNT 1
DIRECT
expect 0 'MEMBERB is ready' endicott up "$cluster"

# --- users
expect 0 'accepted' cp_on MEMBERA XAUTOLOG ONE
expect 1 'HCPAUT054E .*MEMBERA' cp_on MEMBERB XAUTOLOG ONE
for member in MEMBERA MEMBERB; do
    expect 0 'accepted' cp_on $member XAUTOLOG BOTH
    expect 1 'HCPAUT054E' cp_on $member XAUTOLOG BOTH
    expect 0 'BOTH +- DSC' cp_on $member QUERY NAMES
done

# --- addresses: of USERPREFIX and a number that somebody names, and those that members give
expect 0 'accepted' cp_on MEMBERB XAUTOLOG TWO
expect 0 '02-00-00-00-00-01 is in use on MEMBERA' endicott wait -m MEMBERB -u TWO --match '02-00-00-00-00-01 is in use on MEMBERA' --since-start --timeout "$WAIT_SECONDS"
expect 0 'MAC: 02-00-00-00-00-01' endicott cp -m MEMBERA -u ONE QUERY NIC 600
mac() { # member user vdev
    grep -oE 'MAC: [0-9A-F-]+' <<<"$(endicott cp -m "$1" -u "$2" QUERY NIC "$3")"
}
a=$(mac MEMBERA BOTH 600) b=$(mac MEMBERB BOTH 600) t=$(mac MEMBERB TWO 700)
[ "$a" != "$b" ] && [ "$b" != "$t" ] && [ "$a" != "$t" ] || fail "one address twice: $a $b $t"
expect 1 'in use on MEMBERA' endicott cp -m MEMBERB -u TWO SET NIC 700 MACID 000001
expect 0 '' cp_on MEMBERA FORCE ONE
for _ in {1..3000}; do
    endicott cp -m MEMBERB -u TWO DEFINE NIC 600 TYPE QDIO >/dev/null 2>&1 || true
    ! endicott cp -m MEMBERB -u TWO SET NIC 600 MACID 000001 >/dev/null 2>&1 || break
    read -rt 0.1 <> <(:) || true
done
expect 0 'MAC: 02-00-00-00-00-01' endicott cp -m MEMBERB -u TWO QUERY NIC 600

# --- a member that ends without a word has neither any more
kill -KILL "$(endicott status --json | python3 -c 'import json, sys; print(next(m["pid"] for m in json.load(sys.stdin) if m["member"] == "MEMBERB"))')"
expect 0 'HCPPLM1703W' endicott wait -m MEMBERA --match 'HCPPLM1703W' --since-start --timeout "$WAIT_SECONDS"
expect 0 'accepted' cp_on MEMBERA XAUTOLOG TWO
expect 0 'MAC: 02-00-00-00-00-01' endicott cp -m MEMBERA -u TWO QUERY NIC 600
expect 0 'has ended' endicott stop "$cluster"
echo "cp_single: passed"
