#!/bin/bash
# endicott formssi: a PDR made, shown while members use it and behind them, replaced only when nobody uses it; the holder of
# its lock is named, and a stopped one does not keep the others from their guests.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"

cluster=$TEST_TMP/two
sample two "$cluster"

expect 2 'No such file' endicott formssi display "$cluster"
expect 0 'an empty PDR for SSI cluster' endicott formssi create "$cluster"
expect 0 'Lock: free' endicott formssi display "$cluster"
pdr=$(endicott formssi display "$cluster" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["path"])')
expect 3 '--force replaces it' endicott formssi create "$cluster"
expect 2 'usage|wanted' endicott formssi display
expect 2 '' endicott formssi break "$cluster"

expect 0 'MEMBERB is ready' endicott up "$cluster"
endicott formssi display "$cluster" --json >"$TEST_TMP/json"
python3 - "$TEST_TMP/json" <<'PYTHON'
import json, os, sys
pdr = json.load(open(sys.argv[1]))
assert pdr["version"] == 2 and not pdr["gap"] and min(pdr["checkpoints"]) > 0, pdr
assert [m["member"] for m in pdr["members"]] == ["MEMBERA", "MEMBERB"], pdr
for m in pdr["members"]:
    assert m["state"] == "Joined" and m["heartbeat_ms"] > 0 and m["claims"] >= 0, m
    os.kill(m["pid"], 0)
PYTHON
expect 0 'MEMBERA +Joined' endicott formssi display "$cluster"
expect 1 'slot 1 runs \(process [0-9]+\)' endicott formssi create "$cluster" --force
expect 0 'not locked' endicott formssi unlock "$cluster"

# --- a process that has the lock and is stopped
python3 - "$pdr" <<'PYTHON' &
import fcntl, os, signal, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR)
while True:
    try:
        fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 1 << 40, 1, 0))  # F_OFD_SETLK
        break
    except OSError:
        pass
os.kill(os.getpid(), signal.SIGSTOP)
PYTHON
holder=$!
until [ "$(awk '{print $3}' "/proc/$holder/stat")" = T ]; do moment; done
expect 1 "process $holder holds the lock and is stopped" endicott formssi unlock "$cluster"
expect 0 "held by process $holder" endicott formssi display "$cluster"
expect 1 'locked by another system' endicott cp -m MEMBERA XAUTOLOG LINUX1
expect 0 'OPERATOR' endicott cp -m MEMBERA QUERY NAMES
kill -CONT "$holder"
wait "$holder"
expect 0 'not locked' endicott formssi unlock "$cluster"
expect 0 'has ended' endicott stop "$cluster"

expect 0 'MEMBERA +Down .*left' endicott formssi display "$cluster"
echo "formssi: passed"
