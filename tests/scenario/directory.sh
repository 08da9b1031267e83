#!/bin/bash
# endicott directory and config: all faults with their places, as JSON too, the exit statuses; hashed passwords.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
cd "$TEST_TMP"
sample two two

expect 0 'note: the password of LINUX1 is its user id' endicott config check two
expect 0 'user.direct: 3 users' endicott directory check two/user.direct
expect 0 'users at MEMBERA' endicott directory check two/user.direct -m MEMBERA

# --- warnings: 1; the parts that two members have of an IDENTITY are compared
sed -i 's/^  ACCOUNT MEMBERA/  MDISK 191 3390 1 10 VOL001/; s/^  ACCOUNT MEMBERB/  MDISK 191 3390 10 10 VOL001/' two/user.direct
line=$(grep -n 'MDISK 191 3390 10 10' two/user.direct | cut -d: -f1)
expect 1 "user.direct:$line:3: warning: minidisk 0191 of OPERATOR at MEMBERB overlaps 0191 of OPERATOR at MEMBERA" endicott directory check two/user.direct
expect 0 'users' endicott directory check two/user.direct -m MEMBERA
expect 1 "user.direct:$line:3: warning: minidisk 0191 of OPERATOR: volume VOL001 is in no volume list of MEMBERB" endicott config check two
endicott directory check two/user.direct --json >json || true
python3 - "$line" <<'P'
import json, sys
found = json.load(open("json"))
assert (found["errors"], found["warnings"], found["users"]) == (0, 1, 3), found
fault = [f for f in found["faults"] if f["severity"] == "warning"][0]
assert (fault["line"], fault["column"]) == (int(sys.argv[1]), 3), fault
assert fault["file"] == "two/user.direct" and "overlaps" in fault["text"], fault
P

# --- errors: 2, all of them
printf ' FROB\nUSER A B 1G 1M\n SPECIAL 500 TIMER\n WOBBLE\n' >>two/user.direct
printf 'FROB\nEQID\n' >>two/system.config
for words in 'found FROB' 'found 1M' 'found WOBBLE' 'overlaps 0191'; do
    expect 2 "user.direct:[0-9]+:[0-9]+: .*$words" endicott directory check two/user.direct
done
expect 2 'note: SPECIAL TIMER is accepted and has no effect yet' endicott directory check two/user.direct
for words in 'system.config:[0-9]+:1: .*found FROB' 'system.config:[0-9]+:5: .*found end of' 'user.direct:[0-9]+:2: .*found WOBBLE'; do
    expect 2 "$words" endicott config check two
done
expect 2 'No such file' endicott directory check two/none
expect 2 'directory check FILE' endicott directory frob

# --- files of disks and tapes that are not there, each where it is named
sample two files
printf '0200 3390 volumes/none.cckd SF=volumes/shadow.cckd\n0201 9336 volumes/there MIRROR=volumes/other\n0480 3490 tapes\n' \
    >>files/hardware/MEMBERA.cnf
mkdir -p files/volumes
touch files/volumes/there
line=$(grep -n '^0200' files/hardware/MEMBERA.cnf | cut -d: -f1)
for words in "$line:11: warning: device 0200: .*volumes/none.cckd: No such file or directory; the member does not start without it" \
    "$line:32: warning: device 0200: .*shadow.cckd" "$((line + 1)):32: warning: device 0201: .*other" "$((line + 2)):11: warning: device 0480: .*tapes: No such"; do
    expect 1 "hardware/MEMBERA.cnf:$words" endicott config check files
done
[ "$(endicott config check files 2>&1 | grep -c 'warning: device')" -eq 4 ] || fail 'files that are there are told'

# --- hashes: another one each time, of the method asked for; nothing of the password is told
one=$(echo sesame | endicott directory hash)
two=$(echo sesame | endicott directory hash)
[ "${one:0:3}" = '$y$' ] && [ "$one" != "$two" ] || fail "hashes $one, $two"
six=$(echo sesame | endicott directory hash --method sha512)
[ "${six:0:3}" = '$6$' ] || fail "hash $six"
expect 2 '1-8 characters' endicott directory hash <<<sesamesesame
expect 2 'yescrypt and sha512' endicott directory hash --method md5 <<<sesame
sample two clean
sed -i "s|^USER LINUX1 LINUX1|USER LINUX1 $one|; s|^USER LINUX2 LINUX2|USER LINUX2 $six|; s|^IDENTITY OPERATOR OPERATOR|IDENTITY OPERATOR NOLOG|" clean/user.direct
endicott config check clean >out 2>&1 || fail "hashes are refused: $(cat out)"
! grep 'note:.*passw' out || fail "notes: $(cat out)"
echo "directory: passed"
