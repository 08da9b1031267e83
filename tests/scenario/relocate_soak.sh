#!/bin/bash
# A Linux guest with two CPUs is relocated again and again (LGR_MOVES, 50) with random options, some of them canceled, some on
# others' initiative twice at a time, while it checks its memory, a minidisk, a TCP connection to the outside and its clocks
# (tests/guest/src/lgrsoak.c): nothing may be lost, doubled or wrong, and the guest is on one member always. SEED repeats the choices.
# Then it is suspended into a snapshot and restored on the other member. On a host that has no time for a member the link must not be
# lost: that ends a relocation, rightly.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$(dirname "$0")/../lib/nic_guest.sh"
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/block/dasd_mod drivers/s390/block/dasd_fba_mod
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/system.config" <<'CNF'
DEFINE VSWITCH VSW1 ETHERNET UPLINK slirp,net=10.7.0.0/24
MODIFY VSWITCH VSW1 GRANT LINUX1
SSI_LINKS SILENCE 120
CNF
sed -i 's/^USER_VOLUME_LIST COM001/& FBA001/' "$cluster/system.config"
sed -i 's/^USER LINUX1 .*/&\n CPU 01\n NICDEF 0600 TYPE QDIO LAN SYSTEM VSW1\n MDISK 0200 FB-512 64 16384 FBA001 MR/' "$cluster/user.direct"
endicott dasd init "$cluster/volumes/fba001.raw" --blocks 20000 >/dev/null
for member in MEMBERA MEMBERB; do
    echo '0300 9336 volumes/fba001.raw volid=FBA001' >>"$cluster/hardware/$member.cnf"
done
nic_modules="ccwgroup llc stp bridge qeth qeth_l2 dasd_mod dasd_fba_mod"
nic_files

# What the guest's lines are answered by: they come back.
python3 - "$TEST_TMP/port" <<'PY' &
import os, socket, sys, threading
server = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w") as file:
    file.write(f"{server.getsockname()[1]}\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
def echo(c):
    while data := c.recv(65536):
        c.sendall(data)
while True:
    threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
PY
server=$!
before_cleanup() {
    kill $server 2>/dev/null || true
    thaw
}
until [ -s "$TEST_TMP/port" ]; do kill -0 $server || fail "the server has ended"; done

endicott up "$cluster" >/dev/null
starts LINUX1 MEMBERA
started LINUX1
runs LINUX1 'nic 0600 10.7.0.20 && reaches 10.7.0.2'
runs LINUX1 'echo 1 >/sys/bus/ccw/devices/0.0.0200/online; n=0; until test -b /dev/dasda || test $n = 6000; do usleep 50000; n=$((n + 1)); done'
endicott send -u LINUX1 "lgrsoak -m ${LGR_SOAK_MB:-8} -d /dev/dasda -n 10.7.0.2:$(cat "$TEST_TMP/port")"
on_guest 'SOAK HB n=2 .* net=[1-9]' >/dev/null
"$ROOT/tests/lib/relocate_soak.py" "$ENDICOTT_RUN" LINUX1 "${LGR_MOVES:-50}" "${SEED:-$RANDOM}"

# it goes into a file, and comes back on the other member: with its adapter, on which its connection goes on
here=MEMBERA
grep -Eq "$LOGGED_ON_HERE" <<<"$(cp_on MEMBERA QUERY NAMES)" || here=MEMBERB
there=$([ $here = MEMBERA ] && echo MEMBERB || echo MEMBERA)
expect 0 'has been saved' endicott snapshot save --suspend LINUX1 "$TEST_TMP/linux1.snap"
expect 0 'has been restored' endicott snapshot restore -m $there LINUX1 "$TEST_TMP/linux1.snap"
expect 0 'VSWITCH: SYSTEM VSW1' cp_on $there FOR LINUX1 CMD QUERY VIRTUAL NIC
on_guest 'SOAK HB n=' >/dev/null # its console has come, too
"$ROOT/tests/lib/relocate_soak.py" "$ENDICOTT_RUN" LINUX1 0 0
endicott send -u LINUX1 stop
done=$(on_guest 'SOAK DONE .*')
grep -Eq 'mem=[1-9].* disk=[1-9].* net=[1-9].* clock=[1-9].* bad=0' <<<"$done" || fail "$done"
echo "relocate_soak: passed: ${done#*SOAK DONE }"
