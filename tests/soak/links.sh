#!/bin/bash
# 24,000 LINK and DETACH over two members, in every mode, four users at a time: none leaves anything behind. Says how many a second.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$ROOT/tests/lib/links.sh"
link_cluster
link_pairs "${ENDICOTT_PAIRS:-24000}" 3600
for member in MEMBERA MEMBERB; do
    expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI
done
expect 0 'has ended' endicott stop "$cluster"
