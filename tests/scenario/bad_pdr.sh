#!/bin/bash
# A full or unwritable disk under the PDR: running guests go on, new logons are refused with a message, and all
# is well when writing works again. The disk is a small tmpfs of a private mount namespace; write errors
# come from a file size limit put on the running member.
set -euo pipefail
if [ -z "${BAD_PDR_INSIDE-}" ]; then
    export BAD_PDR_INSIDE=1
    [ "$(id -u)" = 0 ] || exec unshare --user --map-root-user --mount -- "$0" "$@"
    exec unshare --mount -- "$0" "$@"
fi
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
disk=$cluster/volumes

operator() { # regex
    expect 0 "$1" endicott wait -m MEMBERA --match "$1" --since-start --timeout "$WAIT_SECONDS"
}

instructions() { # user
    python3 - "$ENDICOTT_RUN/MEMBERA.sock" "$1" <<'PYTHON'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"stats.get"}\n')
answer = json.loads(s.makefile().readline())["result"]
print(next(u["instructions"] for u in answer["users"] if u["user"] == sys.argv[2]))
PYTHON
}

goes_on() { # the guest executes instructions
    local now
    now=$(instructions LINUX1)
    until [ "$(instructions LINUX1)" -gt "$now" ]; do moment; done
}

# --- no room for a new PDR: the member does not start, and says why
mount -t tmpfs -o size=4k none "$disk"
expect 3 'COM001.pdr.*No space left' endicott start "$cluster" MEMBERA
expect 0 'no member is running' endicott status
umount "$disk"

# --- a disk that fills up later: the PDR has its room, so everything goes on
mount -t tmpfs -o size=12M none "$disk"
expect 0 'MEMBERB is ready' endicott up "$cluster"
deck "$TEST_TMP/spin" <<'TEXT'
        j .
TEXT
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/spin"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
head -c 20M /dev/zero >"$disk/filler" 2>/dev/null || true
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2
expect 0 'FORCED' cp_on MEMBERA FORCE LINUX2
goes_on
rm "$disk/filler"

# --- nothing can be written any more
pid=$(endicott status --json | python3 -c "
import json, sys
print(next(m['pid'] for m in json.load(sys.stdin) if m['member'] == 'MEMBERA'))")
prlimit --pid "$pid" --fsize=0:unlimited
operator 'HCPPLM1707E PDR fails, running guests go on, new claims fail: .*COM001.pdr: .*'
expect 1 'HCP.*(PDR|COM001.pdr)' cp_on MEMBERA XAUTOLOG LINUX2
expect 1 'HCP.*(PDR|COM001.pdr)' cp_on MEMBERA LOGON LINUX2 LINUX2
goes_on
expect 0 'LINUX1' cp_on MEMBERA QUERY NAMES
! grep -q LINUX2 <<<"$(cp_on MEMBERA QUERY NAMES)" || fail "LINUX2 is logged on without a claim"
expect 0 'SSI Mode: Stable' cp_on MEMBERA QUERY SSI
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2 # the other member can write
expect 0 'FORCED' cp_on MEMBERB FORCE LINUX2

# --- room again
prlimit --pid "$pid" --fsize=unlimited:unlimited
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX2
operator 'HCPPLM1708I PDR .* can be used again'
goes_on
expect 1 'HCPAUT054E' cp_on MEMBERB XAUTOLOG LINUX1
expect 0 'FORCED' cp_on MEMBERB FORCE LINUX1
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX1
expect 0 'has ended' endicott stop "$cluster"

# --- a folder that cannot be written to
mount -o remount,ro "$disk"
expect 3 'volumes.*: Read-only file system' endicott start "$cluster" MEMBERA
expect 0 'no member is running' endicott status
umount "$disk"
echo "bad_pdr: passed"
