#!/bin/bash
# DIRMAINT on a cluster: a change is online on both members at the next logon; an entry punched into a reader; what is
# edited by hand waits for DIRECT; a member killed while it changes the file leaves a whole one; no password in a log.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
direct=$cluster/user.direct
before=$(grep -v '^USER LINUX1' "$direct")
expect 0 'MEMBERB is ready' endicott up "$cluster"

# --- on A; B has it at the next logon, and nothing else in the file is another
expect 0 'DVHREQ2289I Your STORAGE request for LINUX1 at \* has completed' cp_on MEMBERA DIRM FOR LINUX1 STORAGE 1G
[ "$(grep -v '^USER LINUX1' "$direct")" = "$before" ] || fail "more than the entry has changed"
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX1
expect 0 'STORAGE = 1G' endicott cp -m MEMBERB -u LINUX1 QUERY VIRTUAL STORAGE
expect 0 '' endicott cp -m MEMBERB -u LINUX1 LOGOFF

# --- an entry from the reader, hashed password, LOGON with it on the other member
hash=$(echo sesame | endicott directory hash)
printf '* punched\nUSER NEWONE %s 64M 64M G\n CONSOLE 9 3215\n' "$hash" >"$TEST_TMP/newone.direct"
expect 0 'file [0-9]+ for OPERATOR' endicott punch -m MEMBERB -u OPERATOR "$TEST_TMP/newone.direct"
expect 0 'Changes made to directory entry NEWONE' cp_on MEMBERB DIRM ADD NEWONE
tail -n 3 "$direct" | cmp - "$TEST_TMP/newone.direct" || fail "the entry is not as it was punched"
expect 1 'HCPLGA050E' cp_on MEMBERA LOGON NEWONE WRONG
expect 0 'LOGON AT' cp_on MEMBERA LOGON NEWONE sesame
expect 0 '' endicott cp -m MEMBERA -u NEWONE LOGOFF
expect 0 '^USER NEWONE \*\*\*\*\*\*\*\* 64M 64M G' cp_on MEMBERA DIRM FOR NEWONE REVIEW
expect 0 'with RC' cp_on MEMBERA DIRM FOR NEWONE PW Mellon
expect 0 'LOGON AT' cp_on MEMBERB LOGON NEWONE mellon
! grep -ril -e mellon -e sesame "$ENDICOTT_RUN" "$cluster" || fail "a password is in a file"

# --- an entry in place of the one that GET keeps for its user, as punched; nothing else in the file is another
others() { grep -av -e NEWONE -e '^ CONSOLE 9 3215' -e '^\* .*nder' "$direct"; }
others_before=$(others)
expect 0 'with RC' cp_on MEMBERA DIRM FOR NEWONE GET
printf '* \303\244ndert\nUSER NEWONE mellon 96M 96M G\n CONSOLE 9 3215\n' >"$TEST_TMP/newone.direct"
expect 0 'file [0-9]+ for OPERATOR' endicott punch -m MEMBERA -u OPERATOR "$TEST_TMP/newone.direct"
expect 0 'Changes made to directory entry NEWONE' cp_on MEMBERA DIRM FOR NEWONE REPLACE
[ "$(others)" = "$others_before" ] || fail "more than the entry has changed"
grep -aqF "$(head -n 1 "$TEST_TMP/newone.direct")" "$direct" || fail 'the comment is not as it was punched'
expect 0 '' endicott cp -m MEMBERB -u NEWONE LOGOFF
expect 0 'LOGON AT' cp_on MEMBERB LOGON NEWONE mellon
expect 0 'STORAGE = 96M' endicott cp -m MEMBERB -u NEWONE QUERY VIRTUAL STORAGE
expect 0 '' endicott cp -m MEMBERB -u NEWONE LOGOFF

# --- by hand: online after DIRECT
printf '\nUSER HANDMADE X\n' >>"$direct"
expect 1 'HCPLGA050E' cp_on MEMBERB LOGON HANDMADE X
expect 0 'online' cp_on MEMBERA DIRMAINT DIRECT
expect 0 'LOGON AT' cp_on MEMBERB LOGON HANDMADE X
expect 0 'MEMBERA OPERATOR FOR NEWONE PW' cp_on MEMBERB DIRMAINT HISTORY

# --- with an editor under the lock: online at once, or refused and kept
cat >"$TEST_TMP/editor" <<'S'
#!/bin/sh
"$ENDICOTT" cp -m MEMBERA DIRM FOR HANDMADE STORAGE 2M >"$TEST_TMP/meanwhile" 2>&1
sed -i "$EDIT" "$1"
S
chmod +x "$TEST_TMP/editor"
export TEST_TMP ENDICOTT VISUAL="$TEST_TMP/editor"
EDIT='s/^USER HANDMADE X/USER HANDMADE Y/'
export EDIT
expect 0 'note' endicott directory edit "$direct"
grep -q 'HCPDRM600E Directory not changed--it is being changed' "$TEST_TMP/meanwhile" || fail "$(cat "$TEST_TMP/meanwhile")"
expect 0 '' endicott cp -m MEMBERB -u HANDMADE LOGOFF
expect 0 'LOGON AT' cp_on MEMBERA LOGON HANDMADE Y
EDIT='$a FROB'
export EDIT
expect 2 'found FROB' endicott directory edit "$direct"
grep -q FROB "$direct".?????? || fail "what was edited is gone"
! grep -q FROB "$direct" || fail "errors are in the directory"

# --- two members change it, one is killed: whatever is there is whole, and the other goes on
pid=$(endicott status --json | python3 -c 'import json,sys; print([m["pid"] for m in json.load(sys.stdin) if m["member"]=="MEMBERA"][0])')
(while [ ! -e "$TEST_TMP/killed" ]; do
    for size in 600M 700M; do cp_on MEMBERA DIRM FOR LINUX2 STORAGE $size || true; done # the lock may be B's
done) >"$TEST_TMP/a" 2>&1 &
loop=$!
changed() { grep -c "$1 OPERATOR FOR LINUX2" "$direct.history" || true; }
while [ "$(changed MEMBERA)" -lt 8 ] || [ "$(changed MEMBERB)" -lt 1 ]; do # each has had the lock
    cp_on MEMBERB DIRM FOR LINUX2 MAXSTOR 3G >>"$TEST_TMP/b" 2>&1 || grep -q 'HCPDRM600E Directory not changed--it is being' "$TEST_TMP/b"
done
kill -KILL "$pid"
touch "$TEST_TMP/killed"
wait "$loop" || true
endicott directory check "$direct" >"$TEST_TMP/check" 2>&1 || fail "$(cat "$TEST_TMP/check")"
until grep -q 'SSI Mode: Stable' <<<"$(cp_on MEMBERB QUERY SSI)"; do moment; done # until MEMBERA is Down nothing is changed
expect 0 'with RC' cp_on MEMBERB DIRM FOR LINUX2 STORAGE 800M
grep -q '^USER LINUX2 LINUX2 800M 3G G$' "$direct" || fail "$(grep LINUX2 "$direct")"
echo "dirmaint: passed"
