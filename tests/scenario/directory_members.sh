#!/bin/bash
# One directory for all members, which have folders of their own: a change made on either is online on both at once; a
# member killed between two changes has both when it is back; none is made while a member is Unknown; a copy that was
# edited apart is refused at the join.
# waits: for members that notice
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
first=$TEST_TMP/first second=$TEST_TMP/second
sample two "$first"
cp -R "$first" "$second"
rm -rf "$second/volumes"
ln -s "$first/volumes" "$second/volumes" # what is shared is the PDR's volume
says() { # member regex
    expect 0 "$2" endicott wait -m "$1" --match "$2" --since-start --timeout "$WAIT_SECONDS"
}
mode() { # member regex: until QUERY SSI shows it
    local tries=0
    until grep -Eq "$2" <<<"$(cp_on "$1" QUERY SSI)"; do
        tries=$((tries + 1))
        [ $tries -lt 6000 ] || fail "$1 never shows $2: $(cp_on "$1" QUERY SSI)"
        moment
    done
}
storage() { # member size: with which LINUX1 logs on there
    expect 0 'Command accepted' cp_on "$1" XAUTOLOG LINUX1
    expect 0 "STORAGE = $2" endicott cp -m "$1" -u LINUX1 QUERY VIRTUAL STORAGE
    expect 0 '' endicott cp -m "$1" -u LINUX1 LOGOFF
}

expect 0 'MEMBERA is ready' endicott start "$first" MEMBERA
expect 0 'MEMBERB is ready' endicott start "$second" MEMBERB
expect 0 'DVHREQ2289I' cp_on MEMBERA DIRM FOR LINUX1 STORAGE 600M
says MEMBERB 'HCPDRM606I Generation 1 of the directory is online, as at MEMBERA'
storage MEMBERB 600M
grep -q '^USER LINUX1 LINUX1 512M' "$second/user.direct" || fail "MEMBERB's own file has changed"

# --- MEMBERB has not the file of what is online: MEMBERA makes the change
expect 0 'DIRMAINT at MEMBERA' cp_on MEMBERB DIRM FOR LINUX1 STORAGE 700M
says MEMBERB 'HCPDRM606I Generation 2'
storage MEMBERA 700M
storage MEMBERB 700M
grep -q '^USER LINUX1 LINUX1 700M' "$first/user.direct" || fail "MEMBERA's file has not changed"

# --- killed between two changes
pid=$(endicott status --json | python3 -c 'import json,sys; print([m["pid"] for m in json.load(sys.stdin) if m["member"]=="MEMBERB"][0])')
expect 0 'DVHREQ2289I' cp_on MEMBERA DIRM FOR LINUX1 STORAGE 800M
kill -KILL "$pid"
mode MEMBERA 'MEMBERB  Down'
expect 0 'DVHREQ2289I' cp_on MEMBERA DIRM FOR LINUX1 STORAGE 900M
expect 0 'MEMBERB is ready' endicott start "$second" MEMBERB
says MEMBERB 'HCPDRM606I Generation 4'
storage MEMBERB 900M

# --- Unknown: nothing is changed, on either side; then it is
expect 0 '' cp_on MEMBERA DEACTIVATE ISLINK NODE MEMBERB
mode MEMBERA 'SSI Mode: Safe'
mode MEMBERB 'SSI Mode: Safe'
expect 1 'HCPDRM600E Directory not changed--SSI cluster TWO is in Safe mode' cp_on MEMBERA DIRM FOR LINUX1 STORAGE 1G
expect 1 'HCPATC1851E No answer from MEMBERA' cp_on MEMBERB DIRM FOR LINUX1 STORAGE 1G
expect 1 'HCPDRM600E' cp_on MEMBERA DIRMAINT DIRECT
expect 0 '' cp_on MEMBERA ACTIVATE ISLINK NODE MEMBERB
mode MEMBERA 'SSI Mode: Stable'
mode MEMBERB 'SSI Mode: Stable'
expect 0 'DVHREQ2289I' cp_on MEMBERB DIRM FOR LINUX1 STORAGE 1G
storage MEMBERB 1G

# --- by hand: DIRECT; and a copy that somebody has edited apart
expect 0 'has ended' endicott stop MEMBERB
sed -i 's/^USER LINUX2 LINUX2 512M/USER LINUX2 LINUX2 100M/' "$second/user.direct"
expect 0 'MEMBERB is ready' endicott start "$second" MEMBERB # its edited file is not the directory
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2
expect 0 'STORAGE = 512M' endicott cp -m MEMBERB -u LINUX2 QUERY VIRTUAL STORAGE
expect 0 'has ended' endicott stop MEMBERB
expect 0 'has ended' endicott stop MEMBERA # put online there while MEMBERA is down: made apart
expect 0 'MEMBERB is ready' endicott start "$second" MEMBERB
expect 0 'ON LINE' cp_on MEMBERB DIRECTXA
expect 0 'has ended' endicott stop MEMBERB
expect 0 'MEMBERA is ready' endicott start "$first" MEMBERA
expect 7 'nor one that was' endicott start "$second" MEMBERB
sed -i 's/^USER LINUX1 LINUX1 1G/USER LINUX1 LINUX1 1100M/' "$first/user.direct"
expect 0 'EOJ DIRECTORY UPDATED AND ON LINE' cp_on MEMBERA DIRECTXA
cp "$first"/user.direct* "$second/"
expect 0 'MEMBERB is ready' endicott start "$second" MEMBERB
storage MEMBERB 1100M
expect 0 'DVHREQ2289I' cp_on MEMBERA DIRM FOR LINUX1 STORAGE 600M
says MEMBERB 'HCPDRM606I Generation 7'
expect 0 'has ended' endicott stop MEMBERB
expect 0 'has ended' endicott stop MEMBERA
echo "directory_members: passed"
