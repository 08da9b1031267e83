#!/bin/bash
# A Linux guest whose memory is checked all the time is saved, goes on, is logged off and comes back from the file, on
# either member: its processes, its memory and its clock go on from where they were saved. Suspended, it is not there
# meanwhile. What cannot be is refused with the file, and nothing is left of it. docs/snapshots.md.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
boot_guest
memspin
snap=$TEST_TMP/linux1.snap

snapshot() { endicott snapshot "$@" 2>&1; }
gone() { # from every member
    ! grep -q 'LINUX1' <<<"$(cp_on MEMBERA QUERY NAMES)" || fail "LINUX1 is logged on still"
}
# Its program finds its memory right, goes on counting from $1 on, and its clock does not step back.
goes_on() { # member, heartbeat at least
    lives_on "$1" -
    [ "$(heartbeat "$1")" -ge "$2" ] || fail "LINUX1 is older than its snapshot"
}

# saved while it runs; it goes on
expect 0 'HCPSNP1968I User LINUX1 has been saved in .*linux1.snap' snapshot save -m MEMBERA LINUX1 "$snap"
expect 0 'user LINUX1 of MEMBERA, saved 20' snapshot info "$snap"
expect 0 '"packing": "stored"' snapshot info --json --verify "$snap"
expect 0 'All checksums are right' cp_on MEMBERA SNAPSHOT VERIFY "$snap"
before=$(heartbeat MEMBERA)
goes_on MEMBERA "$before"

# what is refused, and leaves nothing
expect 1 'HCPSNP1961E User LINUX1 has not been saved--.*linux1.snap: it exists already' snapshot save LINUX1 "$snap"
expect 1 'HCPRLU045E LINUX2 not logged on' snapshot save -m MEMBERA LINUX2 "$TEST_TMP/no"
expect 1 'HCPSNP1961E .*/nowhere/x.part: No such file' snapshot save LINUX1 "$TEST_TMP/nowhere/x"
echo text >"$TEST_TMP/text"
expect 1 'HCPSNP1961E .*text: it is not a snapshot' snapshot save --replace LINUX1 "$TEST_TMP/text"
expect 1 'HCPSNP1962E .*/no: No such file' snapshot restore -m MEMBERA LINUX1 "$TEST_TMP/no"
expect 1 'HCPSNP1962E .*text: offset 0: this is not a snapshot' snapshot restore -m MEMBERA LINUX1 "$TEST_TMP/text"
expect 1 'HCPSNP1971E .*linux1.snap is a snapshot of LINUX1, not of LINUX2' snapshot restore -m MEMBERA LINUX2 "$snap"
expect 1 'HCPRLE1948E LINUX1: user is logged on' snapshot restore -m MEMBERA LINUX1 "$snap"
expect 1 'HCPSNP1962E .*logged on or arriving at MEMBERA' snapshot restore -m MEMBERB LINUX1 "$snap"
expect 2 'usage: endicott snapshot save' snapshot save LINUX1
expect 1 'text: offset 0: this is not a snapshot' snapshot info "$TEST_TMP/text"
[ ! -e "$TEST_TMP/no" ] && [ ! -e "$snap.part" ] || fail "something is left"

# back from the file, here; then from there on again, compressed, while chunks still come
cp_on MEMBERA FORCE LINUX1 >/dev/null
expect 0 'HCPSNP1969I User LINUX1 has been restored from' snapshot restore -m MEMBERA LINUX1 "$snap"
rm "$snap"
goes_on MEMBERA 1
endicott send -u LINUX1 stop
on_guest 'MEMSPIN DONE .* bad=0' >/dev/null
memspin
expect 0 'stored|has been saved' snapshot save --compress LINUX1 "$snap"
expect 0 '"packing": "lz4"' snapshot info --json --verify "$snap"

# a host that has no room for it: the guest goes on, nothing is left
prlimit --pid "$(pid_of MEMBERA)" --fsize=20000000:
expect 1 'HCPSNP1961E User LINUX1 has not been saved--.*: File too large' snapshot save LINUX1 "$TEST_TMP/no"
prlimit --pid "$(pid_of MEMBERA)" --fsize=unlimited:
[ ! -e "$TEST_TMP/no" ] && [ ! -e "$TEST_TMP/no.part" ] || fail "something is left"
goes_on MEMBERA 1

# damage where its program's memory is: found before it goes on, or it does not go on
cp_on MEMBERA FORCE LINUX1 >/dev/null
cp "$snap" "$TEST_TMP/bad"
printf 'damage' | dd of="$TEST_TMP/bad" bs=1 seek=$(($(stat -c %s "$snap") / 2)) conv=notrunc status=none
expect 1 'HCPSNP1962E .*bad: offset [0-9]+: a chunk' snapshot restore -m MEMBERA --verify LINUX1 "$TEST_TMP/bad"
expect 0 'has been restored' snapshot restore -m MEMBERA LINUX1 "$TEST_TMP/bad"
endicott wait -m MEMBERA --match 'HCPSNP1970E User LINUX1 cannot go on--.*bad: offset [0-9]+: a chunk' --since-start \
    --timeout "$WAIT_SECONDS" >/dev/null
gone
expect 0 'has been restored' snapshot restore -m MEMBERA LINUX1 "$snap"
goes_on MEMBERA 1

# suspended on one member, resumed on the other, relocated back at once
expect 0 'has been saved' snapshot save --suspend --replace LINUX1 "$snap"
gone
expect 0 'has been restored' snapshot restore -m MEMBERB --verify LINUX1 "$snap"
expect 0 'has been relocated from MEMBERB to MEMBERA' cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
lives_on MEMBERA MEMBERB
endicott send -u LINUX1 stop
on_guest 'MEMSPIN DONE .* bad=0' >/dev/null
echo "snapshot: passed"
