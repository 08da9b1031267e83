#!/bin/bash
# Bad input gets a clear message and disturbs nothing: garbage on the SSI port and on the control
# socket, a wrong cluster name, unknown statements, a second instance of a member.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"

cluster=$TEST_TMP/two
sample two "$cluster"

# --- files: file:line:column, what was expected; nothing is started
sample two "$TEST_TMP/bad"
printf 'FROBNICATE ALL\n' >>"$TEST_TMP/bad/user.direct"
line=$(wc -l <"$TEST_TMP/bad/user.direct")
expect 2 "user\.direct:$line:1: .*FROBNICATE" endicott start "$TEST_TMP/bad" MEMBERA
expect 2 "user\.direct:$line:1: " endicott directory check "$TEST_TMP/bad/user.direct"
expect 2 "user\.direct:$line:1: " endicott config check "$TEST_TMP/bad"
sample two "$TEST_TMP/worse"
sed -i '1i\  WOBBLE 3' "$TEST_TMP/worse/system.config"
expect 2 'system\.config:1:3: .*WOBBLE' endicott up "$TEST_TMP/worse"
expect 2 'not a cluster' endicott up "$TEST_TMP"
expect 2 'No such file' endicott up "$TEST_TMP/nowhere"
expect 2 '' endicott start "$cluster" MEMBERX
expect 2 'a folder and a member' endicott start "$cluster"
expect 0 'no member is running' endicott status
expect 0 'MEMBERB: z196' endicott config check "$cluster"
expect 0 'users' endicott directory check "$cluster/user.direct"
expect 1 'no member is running' endicott cp QUERY TIME
expect 1 'not available yet' endicott top

# --- one instance of a member, whatever the folder
expect 0 'MEMBERB is ready' endicott up "$cluster"
sample two "$TEST_TMP/twin"
expect 3 'MEMBERA is running already: process [0-9]+, folder .*/two' \
    endicott start "$cluster" MEMBERA
expect 3 'MEMBERA is running already: process [0-9]+, folder .*/two' endicott up "$TEST_TMP/twin"

# --- another cluster on the same PDR: refused, with the cause
expect 0 '' endicott stop MEMBERB
sample two "$TEST_TMP/other"
sed -i 's/^SSI TWO /SSI OTHER /' "$TEST_TMP/other/system.config"
rmdir "$TEST_TMP/other/volumes" 2>/dev/null || rm -r "$TEST_TMP/other/volumes"
ln -s "$cluster/volumes" "$TEST_TMP/other/volumes"
expect 7 'PDR of SSI cluster TWO, not of OTHER' endicott start "$TEST_TMP/other" MEMBERB
expect 0 'SSI Mode: Stable' cp_on MEMBERA QUERY SSI
expect 0 'MEMBERB is ready' endicott start "$cluster" MEMBERB

# --- garbage on the SSI port: the connection goes, the operator is told, the cluster stands
port=$(grep -aoE '127\.0\.0\.1:[0-9]+' "$cluster/volumes/COM001.pdr" | sed -n 1p)
exec 6<>"/dev/tcp/${port%:*}/${port#*:}"
(printf 'GET / HTTP/1.0\r\n\r\n%4096s' '' >&6) || true
cat <&6 >/dev/null || true
exec 6>&-
expect 0 'HCPPLM170[56]W SSI connection' endicott wait \
    --match 'HCPPLM170[56]W SSI connection from' --since-start --timeout "$WAIT_SECONDS"

# --- garbage on the control socket
python3 - "$ENDICOTT_RUN/MEMBERA.sock" <<'PYTHON'
import json, socket, sys

def talk(data, answers=1):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(300)
    s.connect(sys.argv[1])
    try:
        s.sendall(data)
    except OSError:
        pass
    file = s.makefile("rb")
    return [json.loads(file.readline()) for _ in range(answers)]

def code(data):
    return talk(data)[0]["error"]["code"]

assert code(b"\xff\xfe garbage\n") == -32700
assert code(b"[1, 2]\n") == -32600
assert code(b'{"jsonrpc":"2.0","id":1,"method":"no.such"}\n') == -32601
assert code(b'{"jsonrpc":"2.0","id":1,"method":"cp","params":{"user":5}}\n') < -32000
assert code(b'{"jsonrpc":"2.0","id":1,"method":"cp","params":{"user":"../x","command":"Q T"}}\n') < -32000
assert code(b'{"jsonrpc":"2.0","id":1,"method":"spool.punch","params":{"user":"LINUX1","path":"/dev/zero"}}\n') < -32000
assert code(b"x" * (1 << 20)) == -32600
talk(b'{"jsonrpc":"2.0","id":1,"method":"console.wait","params":{"match":"never"}}\n' * 100, 36)
print("control socket: sound")
PYTHON
expect 1 'HCPCMD002E|too long' cp_on MEMBERA "MESSAGE * $(printf '%3000s' x)"

for member in MEMBERA MEMBERB; do
    expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI
    expect 0 '2 MEMBERB  Joined' cp_on $member QUERY SSI
done
expect 0 'has ended' endicott stop "$cluster"
echo "cluster_bad: passed"
