#!/bin/bash
# A Linux guest moves to the other member and back, idle and while it rewrites 64 MB; its memory,
# console and shell go with it. Rules: VMRELOCATE TEST, MOVE, STATUS of z/VM's CP.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i '0,/ SPOOL 000E 1403 A/s//&\n SPOOL 001C 2540 READER B\n SPOOL 001E 3211 B/' "$cluster/user.direct"
boot_guest

# readers, punches and printers that the directory does not know
for what in 'READER 002C' 'PUNCH 001D' '3203 002E'; do
    expect 0 "${what#* } DEFINED" cp_on MEMBERA FOR LINUX1 CMD DEFINE $what
done
cp_on MEMBERA FOR LINUX1 CMD SPOOL 02C CLASS C HOLD
cp_on MEMBERA FOR LINUX1 CMD SPOOL CONSOLE START
units() { # member
    cp_on "$1" FOR LINUX1 CMD QUERY VIRTUAL UR
}
had=$(units MEMBERA)
grep -Eq 'RDR +001C CL B NOCONT NOHOLD' <<<"$had" || fail "QUERY VIRTUAL UR: $had"
grep -Eq 'RDR +002C CL C NOCONT +HOLD' <<<"$had" || fail "QUERY VIRTUAL UR: $had"

expect 0 'User LINUX1 is eligible for relocation to MEMBERB' cp_on MEMBERA VMRELOCATE LINUX1 MEMBERB
expect 1 'HCPRLU045E LINUX2 not logged on' cp_on MEMBERA VMRELOCATE TEST LINUX2 MEMBERB
expect 1 'HCPRLH1940E' cp_on MEMBERA VMRELOCATE TEST USER OPERATOR TO MEMBERB
expect 1 'HCPRLE1823E' cp_on MEMBERA VMRELOCATE TEST USER OPERATOR TO MEMBERB
expect 1 'HCPRLE1951E LINUX1: NOWHERE' cp_on MEMBERA VMRELOCATE MOVE LINUX1 NOWHERE
expect 1 'HCPRLU1926E' cp_on MEMBERA VMRELOCATE CANCEL LINUX1
expect 1 'HCPCMD026E' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB MAXTOTAL 5
expect 1 'HCPCMD003E .*SIDEWAYS' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB SIDEWAYS

# reader files are the user's on every member: those of each member are there before and after a move
seq 1 100 >"$TEST_TMP/notes.txt"
endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/notes.txt" >/dev/null
expect 0 'FILES? CHANGED' cp_on MEMBERA FOR LINUX1 CMD CHANGE READER ALL HOLD
files=$(cp_on MEMBERA QUERY RDR LINUX1 ALL | tail -n +2)
grep -q '^OPERATOR [0-9]\{4\} A PUN 00000004 001 USER .* NOTES' <<<"$files" || fail "QUERY RDR: $files"
[ "$(wc -l <<<"$files")" = 1 ] || fail "files that the guest has read are still there: $files"
echo waiting >"$TEST_TMP/late.txt"
for i in 1 2 3 4; do
    endicott punch -m MEMBERB -u LINUX1 "$TEST_TMP/late.txt" >/dev/null
done

# SET VMRELOCATE; it goes with the user
expect 0 'Relocation disabled in Domain SSI' cp_on MEMBERA SET VMRELOCATE LINUX1 OFF
expect 1 'HCPRLE1942E LINUX1: relocation is set off' cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB
expect 0 'Relocation enabled in Domain MEMBERA' cp_on MEMBERA SET VMRELOCATE LINUX1 ON DOMAIN MEMBERA
expect 1 'HCPRLE1822E LINUX1: relocation domain MEMBERA does not include MEMBERB' \
    cp_on MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB
expect 0 'Relocation enabled in Domain MEMBERB' cp_on MEMBERA SET VMRELOCATE LINUX1 DOMAIN MEMBERB

expect 0 'User LINUX1 has been relocated from MEMBERA to MEMBERB' \
    cp_on MEMBERB VMRELOCATE MOVE USER LINUX1 TO MEMBERB # typed where it is not
[ "$had" = "$(units MEMBERB)" ] || fail "the devices were $had"$'\n'"and are $(units MEMBERB)"
there=$(cp_on MEMBERB QUERY RDR LINUX1 ALL | tail -n +2)
[ "$files" = "$(grep -v LATE <<<"$there")" ] || fail "the files were $files"$'\n'"and are $there"
grep -q ' NONE .* LATE' <<<"$there" || fail "the file that waited at MEMBERB is not there: $there"
[ "$(cut -c10-13 <<<"$there" | sort -u | wc -l)" = 5 ] || fail "a spool id occurs twice: $there"
[ "$there" = "$(cp_on MEMBERA QUERY RDR LINUX1 ALL | tail -n +2)" ] || fail "MEMBERA shows other files than MEMBERB: $there"
endicott send -u LINUX1 'echo THERE-$((6 * 7))'
on_guest THERE-42
expect 0 'Running on member MEMBERB' cp_on MEMBERB QUERY VMRELOCATE USER LINUX1
expect 0 'Relocation enabled in Domain MEMBERB' cp_on MEMBERB QUERY VMRELOCATE USER LINUX1
cp_on MEMBERB SET VMRELOCATE LINUX1 DOMAIN SSI
memspin
lives_on MEMBERB MEMBERA
expect 0 'User LINUX1 has been relocated from MEMBERB to MEMBERA' \
    cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
lives_on MEMBERA MEMBERB
[ "$there" = "$(cp_on MEMBERA QUERY RDR LINUX1 ALL | tail -n +2)" ] || fail "files are lost on the way back"
[ "$there" = "$(cp_on MEMBERB QUERY RDR LINUX1 ALL | tail -n +2)" ] || fail "MEMBERB shows other files than MEMBERA: $there"
expect 0 'Ended with code 00' cp_on MEMBERB VMRELOCATE STATUS USER LINUX1 DETAILS
expect 0 '"quiesce_ms"' endicott cp -m MEMBERB --json VMRELOCATE STATUS USER LINUX1 DETAILS
expect 0 'LINUX1 +MEMBERB +MEMBERA +OPERATOR +In .* 00$' cp_on MEMBERA QUERY RELOCATION HISTORY
expect 0 'ms  READY has come' cp_on MEMBERB QUERY RELOCATION HISTORY USER LINUX1 DETAILS
expect 0 '"maxquiesce_ms": 10000' endicott cp -m MEMBERA --json QUERY RELOCATION HISTORY

expect 0 'Z ssi.state MEMBER. [A-Z][a-z]+ to Joined$' endicott events -m MEMBERB --since 1 --count 5
python3 - "$ENDICOTT_RUN/MEMBERB.sock" "$ROOT/tests/lib" <<'END'
import json, sys
sys.path.insert(0, sys.argv[2])
from member import Member
member = Member(sys.argv[1]) # where LINUX1 is not
events = Member(sys.argv[1])
events.call("events.subscribe", lines=False)
answer = member.call("vm.relocate", user="LINUX1", to="MEMBERB", verb="TEST", options="")
assert answer["rc"] == 0, answer
answer = member.call("vm.relocate", user="LINUX1", to="MEMBERB", synchronous=False, immediate=True,
                     maxtotal_ms=None, maxquiesce_ms=99000, force=["STORAGE"])
assert answer["rc"] == 0 and "started" in answer["lines"][0], answer
rows = Member(sys.argv[1].replace("MEMBERB", "MEMBERA")).call("vm.relocations", user="LINUX1")
row = rows["relocations"][0]
assert (row["immediate"], row["force"], row["maxtotal_ms"], row["maxquiesce_ms"]) == \
    (True, ["STORAGE"], None, 99000), row
for what in "started", "completed":
    event = json.loads(events.answers.readline())["params"]
    assert (event["type"], event["user"], event["direction"], event["from"]) == \
        (f"relocation.{what}", "LINUX1", "in", "MEMBERA"), event
END
endicott wait -m MEMBERB --match 'LINUX1 has been relocated' --since-start \
    --timeout "$WAIT_SECONDS" >/dev/null # the news come to where it was typed
lives_on MEMBERB MEMBERA
endicott send -u LINUX1 'stop'
on_guest 'MEMSPIN DONE .* bad=0'
endicott send -u LINUX1 'echo STILL-$((6 * 7))'
on_guest STILL-42

# its console file has come along three times: each line is in it once
endicott cp -m MEMBERB -u LINUX1 SPOOL CONSOLE STOP >/dev/null
endicott cp -m MEMBERB -u LINUX1 CLOSE CONSOLE >/dev/null
python3 - "$cluster"/spool/MEMBERB/*.data <<'END'
import sys
text = "".join(open(name, "rb").read().decode("cp037") for name in sys.argv[1:])
for line in "THERE-42", "STILL-42", "MEMSPIN DONE":
    assert text.count(line) == 1, (line, text.count(line))
END
[ -z "$(find "$cluster/spool" -name '*.open.*')" ] || fail "files are open still: $(find "$cluster/spool")"

# a guest that is to shut down is not relocated; it is stopped, so that it does not just yet
cp_on MEMBERB FOR LINUX1 CMD STOP
expect 0 '' cp_on MEMBERB SIGNAL SHUTDOWN LINUX1 WITHIN 60
expect 1 'HCPRLE1943E LINUX1: logoff is pending' cp_on MEMBERB VMRELOCATE MOVE LINUX1 MEMBERA
echo "relocate_there_and_back: passed"
