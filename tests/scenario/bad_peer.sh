#!/bin/bash
# Peers on the SSI port that are not what they say, garbage, another cluster, a member name of no slot or of
# somebody who is joined, another SSI statement, an incarnation made up, frames out of turn and cut. Each is
# refused with HCPPLM1705W or 1706W at the operator's console; the cluster and its guests see nothing of it.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
expect 0 'MEMBERB is ready' endicott up "$cluster"
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2

. "$(dirname "$0")/../lib/ssi_peer.sh"

expect 0 'garbage -> 0' peer garbage
operator 'HCPPLM170[56]W SSI connection from 127.0.0.1:[0-9]+ .*does not speak the SSI protocol'
expect 0 'cluster -> 2' peer cluster
operator 'HCPPLM1705W .*another SSI cluster \(OTHER.MEMBERB\)'
expect 0 'name -> 3' peer name
operator 'HCPPLM1705W .*not in that slot of the SSI statement \(TWO.MEMBERX\)'
expect 0 'digest -> 4' peer digest
operator 'HCPPLM1705W .*SSI statement differs'
# the name of a member that is joined, with everything right that anybody can know: still refused
digest=$(python3 -c "
import zlib
print(zlib.crc32(b'TWO'))")
expect 0 'imposter -> 5' peer imposter "$digest"
operator 'HCPPLM1705W .*already joined \(TWO.MEMBERB\)'
undisturbed

for case in wrong-magic bad-crc too-long out-of-turn leaving unknown version empty-hello long-name twice \
    own-name slot silence half; do
    expect 0 "$case -> " peer $case
done
undisturbed

expect 1 'HCPLGA054E Already logged on AT MEMBERB' cp_on MEMBERA LOGON LINUX2 LINUX2
undisturbed

# messages come in moderation: a flood of garbage does not flood the console
for i in $(seq 50); do
    peer garbage >/dev/null
done
undisturbed
lines=$(endicott wait -m MEMBERA --match 'SSI connection from' --since-start --timeout "$WAIT_SECONDS" | wc -l)
[ "$lines" -lt 50 ] || fail "$lines lines about refused connections"
expect 0 'has ended' endicott stop "$cluster"

echo "bad_peer: passed"
