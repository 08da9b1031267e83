#!/bin/bash
# A hundred Linux guests of 512 MiB on one member (ENDICOTT_GUESTS): each is IPLed from its reader and answers a command
# at its console, then all idle. Fails when one does not answer. Says what the member uses meanwhile: processor time, and
# storage a guest, for so many seconds (ENDICOTT_IDLE_SECONDS); no figure makes it fail.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$ROOT/tests/lib/cluster.sh"
guests=${ENDICOTT_GUESTS:-100}
GUEST_FILES=${GUEST_FILES:-$ROOT/${ENDICOTT_BUILD:-build}/guest}

cluster=$TEST_TMP/two
sample two "$cluster"
# LINUX1's entry, so many times
for ((n = 1; n <= guests; n++)); do
    printf 'USER GUEST%03d GUEST 512M 2G G\n  INCLUDE LINUX\n\n' "$n"
done >>"$cluster/user.direct"
echo "console=ttyS0 $QUICK_BOOT" >"$TEST_TMP/parmfile"
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
"$ROOT/tests/lib/hundred_guests.py" "$ENDICOTT_RUN/MEMBERA.sock" "$guests" "${ENDICOTT_IDLE_SECONDS:-30}" \
    "$GUEST_FILES/kernel" "$TEST_TMP/parmfile" "$GUEST_FILES/initramfs.cpio.gz"
expect 0 'MEMBERA' endicott stop "$cluster" --immediate
