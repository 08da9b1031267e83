#!/bin/bash
# A cluster whose PDR is on an NBD export, in TLS: made by formssi, used by two members with single logon, a member that is killed
# is buried and joins again, a server that ends and comes again, one that is stopped; exports that will not do.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"

cd "$TEST_TMP"
cluster=$TEST_TMP/two
uri="nbds+unix://cluster@/?socket=$TEST_TMP/socket&tls-psk-file=$TEST_TMP/psk"
echo cluster:00112233445566778899aabbccddeeff >psk
sample two "$cluster"
sed -i "s#PDR_VOLUME COM001,#PDR_VOLUME COM001 PDR_EXPORT ${uri/&/\\&},#" "$cluster/system.config"
grep -q "PDR_EXPORT nbds" "$cluster/system.config" || fail "the sample has another SSI statement"

serve() { # options
    nbdkit --tls=require --tls-psk=psk -U socket -P server.pid "$@"
}
leave() { # signal
    local pid
    pid=$(cat server.pid)
    kill "-$1" "$pid"
    while [ -e "/proc/$pid" ]; do moment; done
    rm -f socket server.pid
}
before_cleanup() { [ ! -e server.pid ] || kill -KILL "$(cat server.pid)"; }
pid_of() { # member
    endicott status --json | python3 -c "
import json, sys
print(next(m['pid'] for m in json.load(sys.stdin) if m['member'] == sys.argv[1]))" "$1"
}
operator() { # member regex
    expect 0 "$2" endicott wait -m "$1" --match "$2" --since-start --timeout "$WAIT_SECONDS"
}
until_says() { # regex command...
    local regex=$1
    shift
    until grep -Eq "$regex" <<<"$("$@" 2>&1 || true)"; do moment; done
}

# --- exports that cannot hold one
serve -r memory 100M
expect 3 'read-only' endicott formssi create "$cluster"
leave TERM
serve memory 1M
expect 2 "$TEST_TMP/psk: the export has 1048576 bytes, and a PDR there needs" endicott formssi create "$cluster"
leave TERM
serve --filter=multi-conn memory 100M multi-conn-mode=disable
expect 2 'multi-conn' endicott formssi create "$cluster"
leave TERM

truncate -s 100M pdr.img
serve file pdr.img
expect 2 'there is no PDR on it; endicott formssi create' endicott formssi display "$cluster"
expect 7 'there is no PDR on it; endicott formssi create' endicott start "$cluster" MEMBERA
printf disk | dd of=pdr.img bs=1 seek=50000000 conv=notrunc status=none
expect 3 'there is something in it; --force' endicott formssi create "$cluster"
expect 0 'an empty PDR for SSI cluster' endicott formssi create "$cluster" --force
expect 3 '--force replaces it' endicott formssi create "$cluster"

# --- two members, single logon
expect 0 'MEMBERB is ready' endicott up "$cluster"
expect 0 'MEMBERA +Joined' endicott formssi display "$cluster"
expect 0 'MEMBERB +Joined' endicott formssi display "$cluster"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2
expect 1 'HCPAUT054E' cp_on MEMBERB XAUTOLOG LINUX1
expect 1 'HCPLGA054E Already logged on AT MEMBERB' cp_on MEMBERA LOGON LINUX2 LINUX2
expect 0 "MEMBERA +Joined.* $(pid_of MEMBERA)\$" endicott formssi display "$cluster"
expect 1 'the system in slot 1 runs \(process' endicott formssi create "$cluster" --force
expect 3 'is running already' endicott start "$cluster" MEMBERA

# --- a member that is killed is gone at once, for its process is of this host; it comes back when its slot has come to rest
kill -KILL "$(pid_of MEMBERA)"
operator MEMBERB 'HCPPLM1703W'
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX1
expect 0 'MEMBERA +Down' endicott formssi display "$cluster"
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
expect 1 'HCPAUT054E' cp_on MEMBERA XAUTOLOG LINUX1

# --- the server ends in the middle, and comes again: guests go on, claims wait for it
leave KILL
expect 1 "HCP.*(PDR|socket)" cp_on MEMBERA XAUTOLOG LINUX1
operator MEMBERA "HCPPLM1707E PDR fails, running guests go on, new claims fail: .*/psk: .*"
expect 0 'LINUX1' cp_on MEMBERB QUERY NAMES
expect 0 'SSI Mode: Stable' cp_on MEMBERB QUERY SSI
serve file pdr.img
until_says 'HCPAUT054E' cp_on MEMBERA XAUTOLOG LINUX1
expect 1 'HCPAUT054E' cp_on MEMBERA XAUTOLOG LINUX2

# --- a server that hangs: nobody waits for it on the consoles
kill -STOP "$(cat server.pid)"
expect 1 'HCP.*(PDR|socket)' cp_on MEMBERA XAUTOLOG LINUX1
expect 0 'LINUX1' cp_on MEMBERB QUERY NAMES
kill -CONT "$(cat server.pid)"
expect 0 'FORCED' cp_on MEMBERB FORCE LINUX1
until_says 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1

expect 0 'has ended' endicott stop "$cluster"
expect 0 'MEMBERA +Down .*left' endicott formssi display "$cluster"
leave TERM
echo "pdr_nbd: passed"
