#!/bin/bash
# One network over two members: LINUX1 and LINUX2 on the switch VSW1 of MEMBERA and of MEMBERB. They reach each other and the outside;
# a stream of numbered blocks between them, one to the outside, and a session of lines that are answered go on while LINUX1 is
# relocated again and again (NET_MOVES, 8): nothing is lost, doubled or reset. Then the member whose uplink is used leaves, and the
# other's takes over.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$(dirname "$0")/../lib/guest_shell.sh"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge drivers/s390/net/qeth \
    drivers/s390/net/qeth_l2
moves=${NET_MOVES:-8}
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/system.config" <<'CNF'
DEFINE VSWITCH VSW1 ETHERNET UPLINK slirp,net=10.7.0.0/24
MODIFY VSWITCH VSW1 GRANT LINUX1
MODIFY VSWITCH VSW1 GRANT LINUX2
CNF
sed -i 's/^USER LINUX\([12]\) .*/&\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1/' "$cluster/user.direct"
cd "$TEST_TMP"
mkdir overlay
for m in ccwgroup llc stp bridge qeth qeth_l2; do cp "$GUEST_FILES/modules/$m.ko" overlay/; done
cat >overlay/lib.sh <<'SH'
nic() {
    for m in ccwgroup llc stp bridge qeth qeth_l2; do insmod /$m.ko; done
    echo 0.0.0600,0.0.0601,0.0.0602 >/sys/bus/ccwgroup/drivers/qeth/group
    echo 1 >/sys/bus/ccwgroup/drivers/qeth/0.0.0600/layer2
    echo 1 >/sys/bus/ccwgroup/drivers/qeth/0.0.0600/online
    ip addr add $1/24 dev eth0
    ip link set eth0 up
}
reaches() { n=0; until ping -c 1 -W 1 -q $1 >/dev/null; do n=$((n + 1)); test $n -lt 300 || return 1; done; }
SH
# stream ADDRESS PORT: numbered blocks until there is /tmp/end, and how many those were
cat >overlay/stream <<'SH'
numbers() {
    n=0
    while test ! -e /tmp/end; do
        echo block $n
        n=$((n + 1))
        test $((n % 64)) != 0 || usleep 20000
    done
    echo $n >/tmp/sent$1
}
numbers $1 | nc $1 $2
echo $? >/tmp/done$1
SH
echo 'sleep 100000 | nc -l -p 5000 >/tmp/got' >overlay/taker # whose end of input would end the other's session
# session ADDRESS PORT: lines of /tmp/in go there, answers come to /tmp/out
echo 'sleep 100000 >/tmp/in & nc $1 $2 </tmp/in >/tmp/out' >overlay/session
echo 'echo line $1 >/tmp/in; sh /until "grep -q \"answer line $1\$\" /tmp/out"' >overlay/say
echo 'n=0; until eval "$1"; do n=$((n + 1)); test $n -lt 6000 || exit 1; usleep 50000; done' >overlay/until
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$GUEST_FILES/initramfs.cpio.lz4" overlay.cpio.gz >shell.initrd
echo "console=ttyS0 $QUICK_BOOT" >parmfile

booted() { # user, address
    started "$1"
    runs "$1" "nic $2"
}

# --- what the guests talk with outside: numbered blocks from one, lines that are answered
cat >server.py <<'PY'
import socket, threading
def serve(what):
    s = socket.create_server(('127.0.0.1', 0))
    def run():
        while True:
            c, _ = s.accept()
            threading.Thread(target=what, args=(c,), daemon=True).start()
    threading.Thread(target=run, daemon=True).start()
    return s.getsockname()[1]
def blocks(c):
    data = b''
    n = 0
    good = True
    while got := c.recv(65536):
        data += got
        while (end := data.find(b'\n')) >= 0:
            good &= data[:end] == b'block %d' % n
            n += 1
            data = data[end + 1:]
    c.close()
    open('outside.new', 'w').write(f'{n} {"in order" if good and not data else "damaged"}\n')
    import os
    os.rename('outside.new', 'outside')
def answer(c):
    f = c.makefile('rwb')
    for line in f:
        f.write(b'answer ' + line)
        f.flush()
import os
open('ports.new', 'w').write(f'{serve(blocks)} {serve(answer)}\n')
os.rename('ports.new', 'ports')
threading.Event().wait()
PY
python3 server.py &
server=$!
before_cleanup() { kill $server 2>/dev/null || true; }
until [ -s ports ]; do kill -0 $server || fail "the server has ended"; done
read -r blocks answers <ports

endicott up "$cluster" >/dev/null
expect 0 'HCPSWU2830I VSWITCH SYSTEM VSW1 is ready: slirp 10.7.0.0/24' endicott wait -m MEMBERA -u OPERATOR --match 'HCPSWU2830I.*' --since-start
starts LINUX1 MEMBERA
starts LINUX2 MEMBERB
booted LINUX1 10.7.0.20
booted LINUX2 10.7.0.21

# --- each reaches the other and the outside; one uplink is used
expect 0 'with 1 other member; uplink in use: MEMBERA' cp_on MEMBERA QUERY VSWITCH VSW1
expect 0 'with 1 other member; uplink in use: MEMBERA' cp_on MEMBERB QUERY VSWITCH VSW1
"$ENDICOTT" capture -m MEMBERA -w here.pcapng VSW1 2>here.says &
capture=$!
expect 0 'captures-MEMBERB/linux2.pcapng' cp_on MEMBERB SET VSWITCH VSW1 CAPTURE LINUX2.pcapng USERID LINUX2
expect 1 'HCPCMD003E' cp_on MEMBERB SET VSWITCH VSW1 CAPTURE ../there
expect 1 'HCPCMD003E' cp_on MEMBERB SET VSWITCH VSW1 CAPTURE x PORT 99
expect 1 'VSWITCH SYSTEM NOWHERE does not exist' "$ENDICOTT" capture -m MEMBERB -w nowhere.pcapng nowhere
until [ -s here.pcapng ]; do kill -0 $capture || fail "$(cat here.says)"; done
runs LINUX1 'reaches 10.7.0.21; reaches 10.7.0.2'
runs LINUX2 'reaches 10.7.0.20; reaches 10.7.0.2; grep -v 00:00:00:00 /proc/net/arp'

# --- what has been captured: each frame once here, all of one guest there
expect 0 'Capture: to a reader, [1-9][0-9]* frames, 0 missed' cp_on MEMBERA QUERY VSWITCH VSW1
kill -INT $capture
wait $capture || fail "$(cat here.says)"
tests=$ROOT/tests/lib
"$tests/pcapng.py" here.pcapng >here
grep -q '^LINUX1.0600 in .* 0800 98 ' here && grep -q '^SSI in .* 0800 98 ' here && grep -q '^slirp in .* 0800 98 ' here ||
    fail "the capture lacks frames: $(cat here)"
! grep -q ' out ' here || fail "more than each frame once: $(cat here)"
expect 0 'Capture to .*/linux2.pcapng, [1-9][0-9]* frames, 0 missed has ended' cp_on MEMBERB SET VSWITCH VSW1 CAPTURE OFF
"$tests/pcapng.py" "$cluster/captures-MEMBERB/linux2.pcapng" >there
grep -q '^LINUX2.0600 in .* 0800 98 ' there && grep -q '^LINUX2.0600 out .* 0800 98 ' there && ! grep -qv '^LINUX2.0600 ' there ||
    fail "the capture of one guest: $(cat there)"
if command -v tshark >/dev/null; then
    tshark -r here.pcapng -Y 'icmp.type == 8' -T fields -e frame.interface_name -e ip.dst 2>tshark.says >tshark.tells
    grep -q '^LINUX1.0600	10.7.0.21' tshark.tells || fail "tshark: $(cat tshark.says tshark.tells)"
fi
macs=$(for m in MEMBERA MEMBERB; do cp_on $m QUERY VSWITCH VSW1 DETAILS; done | grep 'Adapter Owner' | sed 's/.*MAC: //' | sort -u | wc -l)
[ "$macs" = 2 ] || fail "two members gave one address"

# --- streams that last; a session
runs LINUX2 '(setsid sh /taker >/dev/null 2>&1 </dev/null &); sh /until "netstat -ltn | grep -q :5000"'
runs LINUX1 "(setsid sh /stream 10.7.0.21 5000 >/dev/null 2>&1 </dev/null &)"
runs LINUX1 "(setsid sh /stream 10.7.0.2 $blocks >/dev/null 2>&1 </dev/null &)"
runs LINUX1 "mkfifo /tmp/in; (setsid sh /session 10.7.0.2 $answers >/dev/null 2>&1 </dev/null &)"
at=MEMBERA
to=MEMBERB
for ((i = 1; i <= moves; i++)); do
    expect 0 'has been relocated' cp_on $at VMRELOCATE MOVE USER LINUX1 TO $to
    runs LINUX1 "sh /say $i"
    read -r at to <<<"$to $at"
done
runs LINUX1 'touch /tmp/end; sh /until "test -e /tmp/done10.7.0.21 && test -e /tmp/done10.7.0.2"'
runs LINUX1 'tail /tmp/done* /tmp/out; test $(cat /tmp/done* | tr -d "\n") = 00'
runs LINUX1 'test $(wc -l </tmp/out) = '"$moves"
endicott send -u LINUX1 'echo sent $(cat /tmp/sent10.7.0.21) and $(cat /tmp/sent10.7.0.2).'
endicott wait -u LINUX1 --match '(^|# )sent [0-9]+ and [0-9]+\.' --since-start --timeout "$WAIT_SECONDS" >step
read -r sent out < <(tail -n 1 step | sed 's/.*sent \([0-9]*\) and \([0-9]*\)\..*/\1 \2/')
[ "$sent" -gt $((moves * 64)) ] && [ "$out" -gt $((moves * 64)) ] || fail "only $sent and $out blocks were sent"
runs LINUX2 "sh /until 'test \$(wc -l </tmp/got) = $sent'; awk '\$0 != \"block \" (NR - 1) { bad = 1 } END { exit bad || NR != $sent }' /tmp/got"
until [ -s outside ]; do kill -0 $server || fail "the server has ended"; read -r -t 0.1 _ <>/dev/null || true; done
grep -qx "$out in order" outside || fail "what came outside: $(cat outside), of $out"

# --- the member whose uplink was used goes
[ $at = MEMBERB ] || expect 0 'has been relocated' cp_on $at VMRELOCATE MOVE USER LINUX1 TO MEMBERB
expect 0 'has ended' endicott stop MEMBERA
expect 0 HCPSWU2835I endicott wait -m MEMBERB -u OPERATOR --match 'HCPSWU2835I VSWITCH SYSTEM VSW1: the uplink of MEMBERB is in use' --since-start
runs LINUX1 '. /lib.sh; reaches 10.7.0.21; reaches 10.7.0.2'
runs LINUX2 '. /lib.sh; reaches 10.7.0.2'
expect 0 'with 0 other members; uplink in use: MEMBERB' cp_on MEMBERB QUERY VSWITCH VSW1
expect 0 'has ended' endicott stop "$cluster"
echo "net_members: $moves relocations, $sent blocks between guests, $(cat outside) outside"
