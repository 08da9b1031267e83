#!/bin/bash
# No password in any log: right and wrong ones of LOGON, LINK, AUTOLOG and DIRMAINT are given by the control socket, on the
# console (#CP, with the console spooled), by DIAGNOSE X'08' and for another member (AT), well-formed and not. Then they are
# looked for, as text and as EBCDIC, in all files of the cluster and of the run-time folder, in every user's console on both
# members, and in all answers. Only minidisk passwords stand somewhere: in user.direct.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
hash=$(echo KEEPLOGN | endicott directory hash)
cat >>"$cluster/user.direct" <<TEXT

USER KEEPER $hash 64M 64M G
  CONSOLE 0009 3215 T
  MDISK 0200 FB-512 V-DISK 100 MR KEEPREAD KEEPWRIT KEEPMULT
TEXT
secrets='KEEPLOGN WRONGLOG KEEPREAD KEEPWRIT KEEPMULT WRONGLNK NEWSECRT ADDSECRT AUTOSECR DISKSECR'
expect 0 'MEMBERB is ready' endicott up "$cluster"

answers=$TEST_TMP/answers
mkdir "$TEST_TMP/elsewhere"
cp_says() { # command of the control socket, whatever its status: what it answers is kept
    endicott cp "$@" >>"$answers" 2>&1 || true
}

# --- control socket, for this member and for another
cp_says -m MEMBERA LOGON KEEPER WRONGLOG
cp_says -m MEMBERA LOGON KEEPER KEEPLOGN
cp_says -m MEMBERA AT MEMBERB CMD LOGON KEEPER KEEPLOGN
cp_says -m MEMBERA LOGON LINUX1 BY KEEPER KEEPLOGN FROB
cp_says -m MEMBERA AUTOLOG LINUX2 AUTOSECR
cp_says -m MEMBERA AUTOLOG NOBODY AUTOSECR
cp_says -m MEMBERA DIRM FOR LINUX2 PW NEWSECRT
cp_says -m MEMBERA DIRM FOR LINUX2 PW NEWSECRT MORE
cp_says -m MEMBERA DIRM FOR NOBODY SETPW NEWSECRT
cp_says -m MEMBERA DIRM ADD NEWONE LIKE LINUX2 PW ADDSECRT
cp_says -m MEMBERA DIRM FOR NEWONE AMDISK 0300 FB-512 V-DISK 100 MR PW DISKSECR DISKSECR DISKSECR
cp_says -m MEMBERA DIRM FOR NEWONE AMDISK 0301 FROB V-DISK 100 MR PW DISKSECR
cp_says -m MEMBERA DIRM FOR NEWONE REVIEW
cp_says -m MEMBERA DIRMAINT HISTORY
cp_says -m MEMBERB AT MEMBERA CMD DIRM FOR LINUX2 PW NEWSECRT

# --- DIAGNOSE X'08': good, then bad
deck "$TEST_TMP/guest" < <(
    cat <<'TEXT'
        larl %r2,line
        larl %r4,mask
        xc 0(last-line,%r2),0(%r4)
        lghi %r3,last-line
        .long 0x83230008
        lghi %r4,0xfff
        larl %r1,end
        lpswe 0(%r1)
        .balign 8
end:    .quad 0x0002000180000000,0xe0d
TEXT
    python3 -c '
text = "LINK KEEPER 200 400 RR KEEPREAD\nLINK KEEPER 200 401 RR WRONGLNK".encode("cp037").replace(b"\x25", b"\x15")
print("line: .byte", ",".join(str(b ^ 0xff) for b in text)) # so that the deck in the spool does not have it
print("last:\n .balign 2\nmask: .fill last-line,1,255")'
)
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/guest"
cp_says -m MEMBERA XAUTOLOG LINUX1
endicott wait -m MEMBERA -u LINUX1 --match 'HCPGIR450W' --since-start --timeout "$WAIT_SECONDS" >>"$answers"
console_tail MEMBERA LINUX1 >>"$answers"
grep -q 'DASD 0400 LINKED R/O' "$answers" || fail "X'08' has linked nothing"
grep -q 'HCPLNM114E\|HCPLNM' "$answers" || fail "X'08' was not refused"

# --- console, which is spooled
cp_says -m MEMBERA -u LINUX1 SPOOL CONSOLE START
for line in 'LINK KEEPER 200 500 MR KEEPMULT' 'LINK KEEPER 200 501 W WRONGLNK' 'link keeper 200 502 w keepwrit' \
    'CP LINK KEEPER 200 503 RR WRONGLNK FROB' 'AT MEMBERB CMD LINK KEEPER 200 504 RR KEEPREAD' 'DIRM PW NEWSECRT' \
    'DIRMAINT FOR LINUX2 PW NEWSECRT' 'LOGON KEEPER WRONGLOG' 'AUTOLOG LINUX2 AUTOSECR' 'SILENTLY LINK KEEPER 200 505 RR WRONGLNK' \
    'SEND CP LINUX1 LINK KEEPER 200 506 RR WRONGLNK' 'FOR LINUX1 CMD LINK KEEPER 200 507 RR WRONGLNK' 'QUERY USERID'; do
    endicott send -m MEMBERA -u LINUX1 "#CP $line"
done
endicott wait -m MEMBERA -u LINUX1 --match 'LINUX1   AT MEMBERA' --since-start --timeout "$WAIT_SECONDS" >>"$answers"
cp_says -m MEMBERA -u LINUX1 SPOOL CONSOLE STOP CLOSE
for member in MEMBERA MEMBERB; do
    cp_says -m $member QUERY NAMES
    console_tail $member >>"$answers"
done
[ -n "$(find "$cluster/spool" -type f -size +0)" ] || fail 'nothing is in the spool'

# --- where are they?
look() { # files and folders
    python3 - "$secrets" "$cluster/user.direct" "$@" <<'PYTHON'
import os, sys
secrets, directory, places = sys.argv[1].split(), os.path.realpath(sys.argv[2]), sys.argv[3:]
minidisk = {"KEEPREAD", "KEEPWRIT", "KEEPMULT", "DISKSECR"}
files = [p for p in places if os.path.isfile(p)] + [os.path.join(d, f) for p in places for d, _, names in os.walk(p) for f in names]
looked = found = 0
for name in files:
    if not os.path.isfile(name):
        continue
    data = open(name, "rb").read()
    looked += 1
    for secret in secrets:
        if os.path.realpath(name) == directory and secret in minidisk:
            continue
        for how in (secret.encode(), secret.lower().encode(), secret.encode("cp037"), secret.lower().encode("cp037")):
            if how in data:
                print(f"{secret} is in {name}: {data[max(0, data.find(how) - 60):][:120]!r}")
                found += 1
print(f"looked into {looked} files")
sys.exit(found > 0 or looked < 5)
PYTHON
}
look "$cluster" "$ENDICOTT_RUN" "$answers" || fail 'a password is somewhere'
expect 0 'has ended' endicott stop "$cluster"
look "$cluster" "$ENDICOTT_RUN" || fail 'a password is somewhere after the end'
grep -q NEWONE "$cluster/user.direct" || fail 'the directory is not as it was to be'

# --- the search finds what is there
echo "x keeplogn x" >"$TEST_TMP/elsewhere/one"
! look "$TEST_TMP/elsewhere" >/dev/null || fail 'the search finds nothing'
echo "cp_secrets: passed"
