#!/bin/bash
# A disk of the host that fails under a guest of CP: the operator hears of it, with the guest's name, and hears that it goes
# on. A double of pread and pwrite fails while a file is there.
set -euo pipefail
. "$(dirname "$0")/../lib/cp_disks.sh"
flag=$TEST_TMP/fails
${CC:-cc} -shared -fPIC -O2 -o "$TEST_TMP/failing.so" "$ROOT/tests/programs/disk/failing.c"
disk_cluster ' MDISK 0200 3390 0 END VOL001 MR' ''
export FAILING_WHILE=$flag FAILING_FILE=vol001.cckd
LD_PRELOAD=$TEST_TMP/failing.so expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
touch "$flag"
as LINUX1 IPL 200 >/dev/null 2>&1 || true
endicott wait -m MEMBERA --match 'HCPIOF001E disk 0200 of LINUX1, reading: .*vol001.cckd: Input/output error' \
    --since-start --timeout "$WAIT_SECONDS" >/dev/null
rm "$flag"
as LINUX1 IPL 200 >/dev/null 2>&1 || true
endicott wait -m MEMBERA --match 'HCPIOF002I disk 0200 of LINUX1, reading: goes on' --since-start --timeout "$WAIT_SECONDS" >/dev/null
