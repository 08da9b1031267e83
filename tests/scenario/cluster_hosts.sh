#!/bin/bash
# The four members of docs/samples/four as on four hosts: each in a network namespace with an address of its own, two by IPv4 and two by
# IPv6, in TLS; a partition, and a member that is killed (tests/chaos, which has more of it). Needs root, for the namespaces alone.
# waits: for the time after which a silent member is lost
set -uo pipefail
status=0
"${ROOT:-$(dirname "$0")/../..}/tests/chaos/run" --seed 1 --faults split_2_2,kill || status=$?
[ $status != 77 ] || exit 77
[ $status = 0 ] || exit 1
