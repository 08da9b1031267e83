#!/bin/bash
# The TN3270 port under abuse: a terminal that is none, noise, records without end, hang-ups in
# mid-word, more connections than there are terminals. The member serves on and uses no time for it.
# Rules: RFC 854, RFC 1576; limits in cli/tn3270/tn3270.h.
# waits: for terminals that are hung up on
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
printf 'CNSLPORT 0.0.0.0:3270\n' >>"$cluster/hardware/MEMBERA.cnf"
expect 2 'expected a TCP port .*found 0.0.0.0:3270' endicott start "$cluster" MEMBERA
sed -i 's/CNSLPORT .*/CNSLPORT 127.0.0.1:0/' "$cluster/hardware/MEMBERA.cnf"
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
endicott status --json >"$TEST_TMP/status"
python3 - "$TEST_TMP/status" <<'PY'
import json, os, random, socket, sys

member = json.load(open(sys.argv[1]))[0]
IAC, EOR = b"\xff", b"\xff\xef"
LIMIT, EXTRA = 64, 8


def connect():
    s = socket.create_connection(("127.0.0.1", member["console_port"]))
    s.settimeout(300)
    return s


def read_until(s, end):
    data = b""
    while end not in data:
        more = s.recv(65536)
        if not more:
            break
        data += more
    return data


def terminal():
    """A connection that is an IBM-3278-2, and its first screen."""
    s = connect()
    s.sendall(b"\xff\xfb\x18")
    read_until(s, b"\xff\xf0")
    s.sendall(b"\xff\xfa\x18\0IBM-3278-2\xff\xf0\xff\xfb\x19\xff\xfd\x19\xff\xfb\0\xff\xfd\0")
    return s, read_until(s, EOR).decode("cp037", "replace")


def field(row, text):
    return b"\x11" + (80 * row + 16).to_bytes(2, "big") + text.encode("cp037")


def gone(s):
    try:
        while s.recv(65536):
            pass
    except ConnectionError:
        pass
    s.close()


def seconds():
    with open(f"/proc/{member['pid']}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


random.seed(3270)
s = connect()  # no 3270: told so, hung up on
s.sendall(b"\xff\xfc\x18")
assert b"3270 terminals only" in read_until(s, b"\n")
gone(s)

s, _ = terminal()  # a record without end
try:
    for _ in range(100):
        s.sendall(b"x" * 1000)
except ConnectionError:
    pass
gone(s)

for number in range(200):  # noise, before and behind the negotiation
    s = terminal()[0] if number % 2 else connect()
    try:
        s.sendall(random.randbytes(random.randrange(3000)) + EOR + b"\x7d\x5d\x7f\x11" + EOR)
    except ConnectionError:
        pass
    s.close()

s, screen = terminal()  # five wrong passwords
for number in range(5):
    assert "Fill in your USERID" in screen, screen
    s.sendall(b"\x7d\0\0" + field(19, "OPERATOR") + field(20, "WRONG") + EOR)
    screen = read_until(s, EOR).decode("cp037", "replace")
    assert "HCPLGA050E" in screen, screen
gone(s)

held = []
while len(held) < LIMIT:
    s, screen = terminal()
    if "Fill in your USERID" in screen:
        held.append(s)
    else:
        s.close()  # those from before are still being closed
away = [terminal() for _ in range(EXTRA)]
assert all("No terminal address is free" in screen for _, screen in away)
gone(connect())  # one more: hung up on at once
away[0][0].sendall(b"\x6d" + EOR)  # any key ends the notice
gone(away[0][0])
before = seconds()
for s, _ in away[1:]:
    gone(s)  # 10 s later, all by itself
assert seconds() - before < 1, "idle terminals use processor time"
for s in held:
    s.close()
s, screen = "", ""
while "Fill in your USERID" not in screen:
    s, screen = terminal()
print("served again")
PY
expect 0 'OPERATOR - DSC' endicott cp -m MEMBERA QUERY NAMES
expect 0 'MEMBERA has ended' endicott stop "$cluster"
echo "tn3270_hostile: passed"
