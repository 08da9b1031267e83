#!/bin/bash
# A virtual switch with VEPA over two members: guests on one member and on the other reach each other by what is behind the uplink in
# use, which sends everything back (reflective relay), and only by that; broadcasts, too, and while a guest is relocated.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/nic_guest.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sockets=$(mktemp -d /tmp/vepa-XXXXXX) # names of sockets are short
cat >"$TEST_TMP/relay.py" <<'PY'
# Send back each frame of a stream (a length of four bytes before each) unless there is the file "dumb".
import os, socket, sys, threading
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + '.new')
s.listen()
os.rename(sys.argv[1] + '.new', sys.argv[1])
def take(c, n):
    data = b''
    while len(data) < n:
        got = c.recv(n - len(data))
        if not got:
            raise EOFError
        data += got
    return data
def relay(c):
    try:
        while True:
            head = take(c, 4)
            frame = take(c, int.from_bytes(head, 'big'))
            if not os.path.exists('dumb'):
                c.sendall(head + frame)
    except (EOFError, ConnectionError):
        c.close()
while True:
    threading.Thread(target=relay, args=(s.accept()[0],), daemon=True).start()
PY
cat >>"$cluster/system.config" <<CNF
DEFINE VSWITCH VSW1 ETHERNET VEPA ON UPLINK socket,connect=unix:$sockets/relay
MODIFY VSWITCH VSW1 GRANT LINUX1
MODIFY VSWITCH VSW1 GRANT LINUX2
CNF
sed -i 's/^USER LINUX\([12]\) .*/&\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1/' "$cluster/user.direct"
cd "$TEST_TMP"
python3 relay.py "$sockets/relay" &
relay=$!
before_cleanup() { kill $relay 2>/dev/null || true; rm -rf "$sockets"; }
until [ -S "$sockets/relay" ]; do kill -0 $relay || fail "the relay has ended"; done
nic_files
endicott up "$cluster" >/dev/null
expect 0 VSW1 endicott wait -m MEMBERA -u OPERATOR --match 'HCPSWU2830I VSWITCH SYSTEM VSW1 is ready' --since-start
starts LINUX1
starts LINUX2
for i in 1 2; do
    started LINUX$i
    runs LINUX$i "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; nic 0600 10.1.0.$i"
done
expect 0 'VEPA Status: ON' cp_on MEMBERB QUERY VSWITCH VSW1
both_reach
touch dumb
runs LINUX1 'silent 10.1.0.2'
rm dumb
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX1 TO MEMBERB
both_reach
touch dumb
runs LINUX2 'silent 10.1.0.1'
rm dumb
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER LINUX2 TO MEMBERB
both_reach
expect 0 'has ended' endicott stop "$cluster"
echo "net_vepa: passed"
