#!/bin/bash
# Channel-to-channel adapters of two `endicott ipl`: Linux with ctcm in both, a pair for each direction over Unix sockets, ping and
# files with their digests both ways; a program that ends while the other goes on; options that make no sense; bytes that are none of
# the protocol.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
ENDICOTT=${ENDICOTT:-$ROOT/build/endicott}
TEST_TMP=${TEST_TMP:-$(mktemp -d)}
. "$ROOT/tests/lib/guest.sh"
. "$ROOT/tests/lib/failure.sh"
guest=${GUEST_FILES:-$ROOT/${ENDICOTT_BUILD:-build}/guest}
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/cio/ccwgroup drivers/s390/net/fsm drivers/s390/net/ctcm
cd "$TEST_TMP"
mkdir overlay
for m in ccwgroup fsm ctcm; do cp "$guest/modules/$m.ko" overlay/; done
cat >overlay/run.sh <<'SH'
mkdir -p /tmp/w && cd /tmp/w && head -c 5000000 /dev/urandom >file && md5sum file >sum && httpd -p 5000 -h /tmp/w
for m in ccwgroup fsm ctcm; do insmod /$m.ko; done
echo 0.0.0500,0.0.0501 >/sys/bus/ccwgroup/drivers/ctcm/group
echo 1 >/sys/bus/ccwgroup/drivers/ctcm/0.0.0500/online
ip addr add $1 peer $2 dev ctc0
ip link set ctc0 up
n=0
until ping -c 1 -W 1 -q $2 >/dev/null; do n=$((n + 1)); test $n -lt 300 || exit 1; done
cd /root && wget -q http://$2:5000/file && wget -q http://$2:5000/sum && md5sum -c sum || exit 1
echo WELL
touch /tmp/w/well
until timeout 10 wget -q http://$2:5000/well; do # it has all, or has gone; wget -T of this busybox crashes
    ping -c 1 -W 5 -q $2 >/dev/null || break
    usleep 100000
done
SH
(cd overlay && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) | gzip -1 >overlay.cpio.gz
cat "$guest/initramfs.cpio.lz4" overlay.cpio.gz >initrd

like() { # own address, the other's: what `ipl` is called with, in args
    args=(ipl --kernel "$guest/kernel.quick" --initrd initrd --memory 256M --timeout 600
        --append "console=ttyS0 $QUICK_BOOT endicott.run=\"sh /run.sh $1 $2\"")
}
sockets=$(mktemp -d) # paths of sockets are short
trap 'rm -rf "$sockets"' EXIT
like 10.9.1.1 10.9.1.2
"$ENDICOTT" "${args[@]}" --ctc 0500=listen:"$sockets/a" --ctc 0501=listen:"$sockets/b",type=CTCA >one.log 2>&1 &
one=$!
like 10.9.1.2 10.9.1.1
"$ENDICOTT" "${args[@]}" --ctc 0500=connect:"$sockets/b" --ctc 0501=connect:"$sockets/a" >two.log 2>&1 || fail "the second ends with status $?: $(tail -n 5 two.log)"
wait $one || fail "the first ends with status $?: $(tail -n 5 one.log)"
for log in one.log two.log; do
    grep -q '^WELL' $log || fail "$log: $(tail -n 20 $log)"
    grep -q 'ENDICOTT-EXIT 0' $log || fail "$log: no good end"
done
grep -q "CTCA 0500: coupled over $sockets/b" two.log || fail "two.log does not tell of the coupling"
grep -q 'CTCA 050[01]: not coupled any more: the other program has gone' one.log two.log || fail "nobody tells that the other has gone"

# --- options, a file that is no socket, a socket that is in use
refused() { # status, regex, options...
    local status=$1 regex=$2 got=0
    shift 2
    timeout 300 "$ENDICOTT" ipl --kernel "$guest/kernel.quick" "$@" >refused.log 2>&1 || got=$?
    [ $got = "$status" ] || fail "$*: status $got, not $status: $(tail -n 3 refused.log)"
    grep -Eq "$regex" refused.log || fail "$*: $(tail -n 3 refused.log)"
}
refused 2 'not DEVNO=listen:ADDR' --ctc 0500
refused 2 'not DEVNO=listen:ADDR' --ctc 0500=listen:
refused 2 'not DEVNO=listen:ADDR' --ctc 0500=call:9
refused 2 'not DEVNO=listen:ADDR' --ctc 0500=listen:9,type=X
refused 2 'not a path' --ctc 0500=listen:there
refused 2 'not a path' --ctc 0500=connect:999999
refused 2 'there already' --ctc 0500=listen:5999 --ctc 0500=listen:5998
touch "$sockets/file"
refused 3 'address already in use' --ctc 0500=listen:"$sockets/file"
[ -f "$sockets/file" ] || fail "a file is gone"

# --- a peer that speaks something else
"$ENDICOTT" "${args[@]}" --ctc 0500=listen:"$sockets/c" >three.log 2>&1 &
three=$!
python3 - "$sockets/c" <<'P'
import os, random, socket, sys, time
random.seed(1)
hello = b"\0\0\0\6ECTC1\0"
for i in range(60):
    for _ in range(600):
        try:
            s = socket.socket(socket.AF_UNIX)
            s.connect(sys.argv[1])
            break
        except OSError:
            time.sleep(0.1)
    body = b"".join(len(m).to_bytes(4, "big") + m for m in (random.randbytes(random.randrange(1, 40)) for _ in range(20)))
    try:
        s.sendall((hello if i % 3 else b"") + (body if i % 2 else random.randbytes(300)))
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass
    except OSError:
        pass
    s.close()
P
kill -0 $three || fail "the program ended: $(tail -n 5 three.log)"
kill -KILL $three
wait $three 2>/dev/null || true
echo "ipl_ctc: passed"
