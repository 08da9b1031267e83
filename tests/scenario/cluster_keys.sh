#!/bin/bash
# Members with keys (TLS), and peers on the SSI port that are not what they say: without certificate, with one that has
# expired, of another authority, of another member or cluster, with the right one and an identification recorded from another
# connection, in plain text, in an older TLS. Each is refused with HCPPLM1705W or 1706W; the cluster and its guests see
# nothing of it. A relocation in TLS. What `endicott cluster keys` refuses; a member whose keys are gone, or may be read by others.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
. "$(dirname "$0")/../lib/ssi_peer.sh"

# --- members with keys
expect 0 '2 members of cluster TWO have new keys' endicott cluster keys "$cluster"
expect 2 'all members have keys' endicott cluster keys "$cluster"
expect 3 'MEMBERB.pem is there: --force' endicott cluster keys "$cluster" MEMBERB
expect 2 'MEMBERX is not in the SSI statement' endicott cluster keys "$cluster" MEMBERX
[ "$(stat -c %a "$cluster/keys" "$cluster/keys/MEMBERA.key" "$cluster/keys/ca.key" | tr '\n' ' ')" = '700 600 600 ' ] ||
    fail "modes of keys: $(ls -la "$cluster/keys")"
chmod g+r "$cluster/keys/MEMBERA.key"
expect 3 'others may read .*MEMBERA.key: chmod go=' endicott start "$cluster" MEMBERA
chmod g= "$cluster/keys/MEMBERA.key"
expect 0 'MEMBERB is ready' endicott up "$cluster"
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2
undisturbed
expect 0 'Protocol: 3  TLS: Yes' cp_on MEMBERA QUERY ISLINK
expect 0 'Control 127.0.0.1:[0-9]+  TLS_' cp_on MEMBERA QUERY ISLINK
expect 0 'Bulk 2  127.0.0.1:[0-9]+  TLS_' cp_on MEMBERA QUERY ISLINK

# --- a guest moves in TLS
deck "$TEST_TMP/spin" <<'TEXT'
        j .
TEXT
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/spin"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB
expect 0 'LINUX1 +- DSC' cp_on MEMBERB QUERY LINUX1
expect 0 'FORCED' cp_on MEMBERB FORCE LINUX1

certificate() { # name, subject, authority's folder, days
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$TEST_TMP/$1.key" \
        -out "$TEST_TMP/$1.csr" 2>/dev/null
    openssl x509 -req -in "$TEST_TMP/$1.csr" -CA "$3/ca.pem" -CAkey "$3/ca.key" -days "$4" \
        -out "$TEST_TMP/$1.pem" 2>/dev/null
}
tls_peer() { # certificate, case
    CERTIFICATE=$1 peer "$2"
}

certificate expired /O=TWO/CN=MEMBERB "$cluster/keys" -1
certificate member /O=TWO/CN=MEMBERA "$cluster/keys" 1
certificate cluster /O=OTHER/CN=MEMBERB "$cluster/keys" 1
mkdir "$TEST_TMP/authority"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/O=TWO/CN=SSI authority' -days 1 \
    -keyout "$TEST_TMP/authority/ca.key" -out "$TEST_TMP/authority/ca.pem" 2>/dev/null
certificate authority /O=TWO/CN=MEMBERB "$TEST_TMP/authority" 1

expect 0 'good -> 12' peer good
operator 'HCPPLM1705W .*it does not use TLS .*endicott cluster keys\) \(TWO.MEMBERB\)'
expect 0 'garbage -> 0' peer garbage
expect 0 'good -> 0' tls_peer '' good
operator 'HCPPLM1706W .*it shows no certificate'
expect 0 'good -> 0' tls_peer "$TEST_TMP/expired" good
operator 'HCPPLM1706W .*its certificate \(TWO.MEMBERB\) has expired'
expect 0 'good -> 0' tls_peer "$TEST_TMP/authority" good
operator "HCPPLM1706W .*its certificate \\(TWO.MEMBERB\\) is not of this cluster's authority"
expect 0 'good -> 13' tls_peer "$TEST_TMP/member" good
operator 'HCPPLM1705W .*that of another system \(TWO.MEMBERB, certificate of TWO.MEMBERA\)'
expect 0 'good -> 13' tls_peer "$TEST_TMP/cluster" good
expect 0 'good -> 14' tls_peer "$cluster/keys/MEMBERB" good
TLS=1.2 expect 0 'good -> 0' tls_peer "$cluster/keys/MEMBERB" good
for case in wrong-magic bad-crc too-long out-of-turn unknown empty-hello long-name twice half; do
    expect 0 "$case -> " tls_peer "$cluster/keys/MEMBERB" $case
done
undisturbed
expect 1 'HCPLGA054E Already logged on AT MEMBERB' cp_on MEMBERA LOGON LINUX2 LINUX2

# --- a member whose keys go cannot join; with keys of its own again it can
expect 0 'has ended' endicott stop MEMBERB
mv "$cluster/keys" "$cluster/hidden"
expect 7 'MEMBERA refuses the connection: it does not use TLS' endicott start "$cluster" MEMBERB
mv "$cluster/hidden" "$cluster/keys"
expect 0 'MEMBERB.pem' endicott cluster keys "$cluster" MEMBERB --force --days 30
expect 0 'MEMBERB is ready' endicott start "$cluster" MEMBERB
expect 0 'SSI Mode: Stable' cp_on MEMBERB QUERY SSI

# --- and one whose certificate is revoked, until it has another
expect 2 'takes the names of members' endicott cluster keys "$cluster" --revoke
expect 2 'no certificate of MEMBERX was made' endicott cluster keys "$cluster" MEMBERX --revoke
expect 0 '2 certificates of MEMBERB are revoked' endicott cluster keys "$cluster" MEMBERB --revoke
operator 'HCPPLM1701W .*MEMBERB: its certificate \(TWO.MEMBERB\) has been revoked'
expect 0 'MEMBERB.pem' endicott cluster keys "$cluster" MEMBERB --force
expect 0 'has ended' endicott stop "$cluster"
mv "$cluster/keys" "$cluster/hidden"
echo 'SSI_LINKS TLS HEARTBEAT 2' >>"$cluster/system.config"
expect 2 'SSI_LINKS TLS: .*/keys is not there: endicott cluster keys' endicott start "$cluster" MEMBERA
echo "cluster_keys: passed"
