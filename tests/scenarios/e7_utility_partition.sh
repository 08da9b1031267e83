#!/bin/bash
# E7, utility partition: A1 has a twin, A2, on the same machine, which is down as a rule. When A1 needs service, A2 comes up and
# joins, takes all guests of A1, A1 is served; they go home and A2 leaves. B1, on another machine, has nothing to do with it:
# the twins are a relocation domain of their own.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/scenario_table.sh"
. "$ROOT/tests/lib/ticker.sh"
. "$ROOT/tests/lib/worker.sh"
cluster=$TEST_TMP/twins
sample four "$cluster"
cat >"$cluster/system.config" <<'TEXT'
SYSTEM_IDENTIFIER LPAR LPARA1 A1
SYSTEM_IDENTIFIER LPAR LPARA2 A2
SYSTEM_IDENTIFIER LPAR LPARB1 B1
SSI TWINS PDR_VOLUME COM001 SLOT 1 A1 SLOT 2 B1 SLOT 3 A2
USER_VOLUME_LIST COM001
RELOCATION_DOMAIN ALPHA MEMBERS A1 A2
TEXT
mv "$cluster/hardware/MEMBERB.cnf" "$cluster/hardware/A1.cnf"
cp "$cluster/hardware/A1.cnf" "$cluster/hardware/A2.cnf"
mv "$cluster/hardware/MEMBERA.cnf" "$cluster/hardware/B1.cnf" # a z10
rm "$cluster"/hardware/MEMBER*
sed -i '/BUILD ON MEMBER/d; /^SUBCONFIG/,/^  ACCOUNT/d; s/^IDENTITY OPERATOR.*/&\n  BUILD ON * USING SUBCONFIG OPER-1/' "$cluster/user.direct"
printf 'SUBCONFIG OPER-1\n  ACCOUNT ALL\n' >>"$cluster/user.direct"
worker_config "$cluster" "DOMAIN ALPHA"
ticker_disks "$cluster" LINUX1 LINUX2 LINUX3
expect 0 'A1 is ready' endicott start "$cluster" A1
expect 0 'B1 is ready' endicott start "$cluster" B1
ticker A1 LINUX1 LINUX2
ticker B1 LINUX3
other=$count
worker_begins A1
expect 1 'HCPRLE1822E LINUX1: .* ALPHA' cp_on A1 VMRELOCATE TEST LINUX1 B1
checked 'LINUX1 to B1' 'refused: not in domain ALPHA'

step 'A2 comes up'
expect 0 'A2 is ready' endicott start "$cluster" A2
for member in A1 A2 B1; do expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI; done
checked 'A2' 'joined'

step 'it takes over from A1, which is served'
for user in LINUX1 LINUX2; do
    moved $user A1 A2
    checked "$user to A2" "counts on: $count"
done
worker_moved A1 A2
expect 0 'A1 has ended' endicott stop A1
expect 0 'SSI Mode: Stable' cp_on B1 QUERY SSI
goes_on A2 LINUX1
sed -i 's/^MAINSIZE .*/MAINSIZE   8192/' "$cluster/hardware/A1.cnf" # the service
expect 0 'A1 is ready' endicott start "$cluster" A1
expect 0 'STORAGE = 8G' cp_on A1 QUERY STORAGE
checked 'A1' 'served: STORAGE = 8G'

step 'everybody goes home'
for user in LINUX1 LINUX2; do
    moved $user A2 A1
    checked "$user to A1" "counts on: $count"
done
worker_moved A2 A1
worker_checked 'home again'
expect 0 'A2 has ended' endicott stop A2
expect 0 '3 A2       Down' cp_on A1 QUERY SSI
expect 0 'SSI Mode: Stable' cp_on A1 QUERY SSI
goes_on B1 LINUX3 "$other"
for user in A1:LINUX1 A1:LINUX2 B1:LINUX3; do
    disk_goes_on ${user%:*} ${user#*:}
    checked "disk of ${user#*:}" "what it was: $blocks times"
done
checked 'LINUX3 at B1' "never noticed: $other, $count"
worker_ends
expect 0 'has ended' endicott stop "$cluster"
closing 'E7: utility partition'
