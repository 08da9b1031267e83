#!/bin/bash
# Saved systems: a program of our own that has CP define and save it while it runs, IPLed by name by two users who have the same
# pages of the host: its registers, PSW, storage keys; PARM; read-only, private and common pages; MINSIZE, MACHMODE, NAMESAVE;
# a relocation; on the other member, after a restart, by the IPL statement of the directory; purged.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$(dirname "$0")/../lib/program.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
sed -i -e 's/^\(USER LINUX1 .*\) G$/\1 EG\n  NAMESAVE DEMO SECRET/' "$cluster/user.direct"
grep -q '^USER LINUX1 .* EG$' "$cluster/user.direct" || fail "the sample's directory is another one"
cat >>"$cluster/user.direct" <<'USER'

USER BYNAME BYNAME 512M 2G G
  MACHINE ESA
  IPL DEMO PARM HELLO
  CONSOLE 0009 3215 T
USER

ebcdic() { printf '%s' "$1" | iconv -t IBM037 | od -An -v -tu1 | xargs | tr ' ' ,; }
as() { # userid, command...
    endicott cp -u "$@"
}
until_register() { # userid, register, value
    local tries=0
    until grep -q "GPR *$2 = *$3" <<<"$(endicott cp -u "$1" DISPLAY "G$2")"; do
        tries=$((tries + 1))
        [ $tries -lt 6000 ] || fail "$1: register $2 is not $3: $(endicott cp -u "$1" DISPLAY "G$2")"
        moment
    done
}

# Pages 100: read-only, 101: private, 102: common. It saves itself, then counts in the private page, tries to store into the
# read-only one, and shows in registers what there was.
define='DEFSYS DEMO 0-3F EW 100 SR 101 EW 102 SW MINSIZE=256K PARMREGS=10-11 MACHMODE ESA'
deck "$TEST_TMP/demo" <<TEXT
        larl %r15,caught
        lghi %r14,0
        larl %r13,pgmnew
        mvc 0x1d0(16,%r14),0(%r13)
        llilh %r4,0x10
        mvc 0(8,%r4),text-pgmnew(%r13)
        lghi %r5,0x58
        sske %r5,%r4
        larl %r6,text
        lg %r7,0(%r6)
        larl %r2,define
        lghi %r3,defend-define
        .long 0x83230008
        larl %r2,save
        lghi %r3,12
        .long 0x83230008
        asi 0x1000(%r4),1
        ly %r8,0x1000(%r4)
        lghi %r9,0
        iske %r9,%r4
        lghi %r12,0
        mvi 7(%r4),1
        lghi %r12,1
caught: lg %r1,0(%r4)
        lghi %r14,0x77
        j .
        .balign 8
pgmnew: .quad 0x0000000180000000,caught
text:   .ascii "ENDICOTT"
define: .byte $(ebcdic "$define")
defend: .balign 2
save:   .byte $(ebcdic 'SAVESYS DEMO')
TEXT

expect 0 'MEMBERB is ready' endicott up "$cluster"
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/demo"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
expect 0 '' endicott wait -u LINUX1 --match 'HCPNSS440I .*DEMO was successfully saved in fileid 0001.' --since-start --timeout "$WAIT_SECONDS"
until_register LINUX1 14 0000000000000077
expect 0 'GPR *12 = *0000000000000001' as LINUX1 DISPLAY G12 # it has no segment: its own page 100
expect 0 'DEMO +NSS +0000256K 00000 +0003F +EW +A +00000 +10-11 +NO' as LINUX1 QUERY NSS MAP
expect 0 '00102 +00102 +SW' as LINUX1 QUERY NSS MAP

# --- by name: where it was saved, on two machines, with the same pages
resumed() { # userid
    until_register "$1" 14 0000000000000077
    expect 0 'GPR *7 = *454E4449434F5454' as "$1" DISPLAY G7
    expect 0 'GPR *8 = *0000000000000001' as "$1" DISPLAY G8
    expect 0 'GPR *9 = *0000000000000058' as "$1" DISPLAY G9
    expect 0 'GPR *12 = *0000000000000000' as "$1" DISPLAY G12
    expect 0 'GPR *1 = *454E4449434F5454' as "$1" DISPLAY G1
    expect 0 'GPR *3 = *000000000000000C' as "$1" DISPLAY G3 # of the DIAGNOSE that saved it: no return code yet
}
expect 0 'FORCED' cp_on MEMBERA FORCE LINUX1
expect 0 'LOGON' cp_on MEMBERA LOGON LINUX1 LINUX1 NOIPL
expect 0 '' as LINUX1 IPL DEMO PARM 2nd run
resumed LINUX1
expect 0 'GPR *10 = *00000000F2958440' as LINUX1 DISPLAY G10
expect 0 'GPR *11 = *0000000099A49500' as LINUX1 DISPLAY G11
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG BYNAME
resumed BYNAME
expect 0 'GPR *10 = *00000000C8C5D3D3' as BYNAME DISPLAY G10
expect 0 'GPR *11 = *00000000D6000000' as BYNAME DISPLAY G11
expect 0 'DEMO .* 00002 ' as LINUX1 QUERY NSS
expect 0 'IPLSYS=DEMO' as BYNAME INDICATE USER
shared=$(awk '/^[0-9a-f]+-[0-9a-f]+ / { ours = /DEMO.dcss/; maps += ours; ro = $3 == "00041000" }
    ours && /^Private_Dirty:/ { dirty[ro] += $2 } END { print maps + 0, dirty[1] + 0, (dirty[0] > 0) }' "/proc/$(pid_of MEMBERA)/smaps")
[ "$shared" = "4 0 1" ] || fail "two machines: mappings of the file, KB of their own in the read-only page, some elsewhere: $shared"
expect 0 '' as LINUX1 STORE HR102000 C1C2C3C4
expect 0 'C1C2C3C4' as BYNAME DISPLAY HR102000
expect 0 '' as LINUX1 STORE HR101004 C1C2C3C4
expect 0 '00000001 00000000' as BYNAME DISPLAY HR101000.8

# --- saved and IPLed by one DIAGNOSE, as Linux does it: register 3 has the length of the commands then
deck "$TEST_TMP/twice" <<TEXT
        lghi %r5,0
        larl %r2,define
        lghi %r3,defend-define
        .long 0x83230008
        larl %r2,both
        lghi %r3,bothend-both
        .long 0x83230008
        lghi %r5,0x77
        j .
define: .byte $(ebcdic 'DEFSYS TWICE 0-3F EW MINSIZE=512K')
defend: .balign 2
both:   .byte $(ebcdic 'SAVESYS TWICE'),0x15,$(ebcdic 'IPL TWICE')
bothend:
TEXT
expect 0 '' endicott punch -m MEMBERA -u LINUX1 "$TEST_TMP/twice"
expect 0 '' as LINUX1 IPL 00C CLEAR
until_register LINUX1 5 0000000000000077
expect 0 'GPR *3 = *0000000000000017' as LINUX1 DISPLAY G3
expect 0 'TWICE +NSS .* A +00001' as LINUX1 QUERY NSS
expect 0 '' as LINUX1 IPL DEMO
resumed LINUX1

# --- refused
expect 0 'NSD440I' as LINUX1 DEFSYS BIG 0-3F EW MINSIZE=1G
expect 0 'NSS440I' as LINUX1 SAVESYS BIG
expect 1 'HCPIPL454E .*BIG needs 1G of storage, the virtual machine has 512M' as LINUX1 IPL BIG
expect 0 'NSD440I' as LINUX1 DEFSYS OLD 0-3F EW MACHMODE XA
expect 1 'HCPNSS453E .*OLD is not for ESA' as LINUX1 SAVESYS OLD
expect 0 'NSD440I' as LINUX1 DEFSYS SECRET 0-3F EW 100 SR RSTD
expect 0 'NSS440I' as LINUX1 SAVESYS SECRET
expect 0 'SECRET .* R +00000' as LINUX1 QUERY NSS
expect 1 'HCPIPL449E .*SECRET' as BYNAME IPL SECRET
expect 1 'HCPIPL455E A PARM of 1 character' as LINUX1 IPL SECRET PARM X
expect 1 'HCPIPL455E A PARM of 9 characters .* takes 8' as LINUX1 IPL DEMO PARM 123456789
expect 1 'HCPCMD001E' as BYNAME SAVESYS SECRET
expect 1 'HCPIPL440E Named saved system NOTTHERE' as LINUX1 IPL NOTTHERE
expect 0 'GPR *7 = *454E4449434F5454' as LINUX1 DISPLAY G7 # what is refused disturbs nobody
expect 0 '' as LINUX1 IPL SECRET
expect 0 'DEMO .* 00001 ' as LINUX1 QUERY NSS

# --- relocation: not with pages that several store into; else with its own pages, and the other member's of the others
expect 1 'HCPRLE1954E BYNAME: saved segment or system DEMO has pages that several guests store into' \
    cp_on MEMBERA VMRELOCATE TEST BYNAME MEMBERB
expect 0 'NSD440I' as LINUX1 DEFSYS MOVER 0-3F EW 100 SR 101 EW
expect 0 '' as LINUX1 STORE G7 4040404040404040
expect 0 'NSS440I' as LINUX1 SAVESYS MOVER
expect 0 '' as BYNAME IPL MOVER
expect 0 '' as BYNAME STORE HR101008 C5E5D6D4
expect 0 'has been relocated' cp_on MEMBERA VMRELOCATE MOVE USER BYNAME TO MEMBERB
expect 0 'GPR *7 = *4040404040404040' as BYNAME DISPLAY G7
expect 0 '454E4449' as BYNAME DISPLAY HR100000
expect 0 'C5E5D6D4' as BYNAME DISPLAY HR101008
expect 1 'HCP' as BYNAME STORE HR100008 00000000
expect 0 'MOVER .* 00001 ' cp_on MEMBERB QUERY NSS NAME MOVER
expect 0 'MOVER .* 00000 ' cp_on MEMBERA QUERY NSS NAME MOVER
dirty=$(awk '/^[0-9a-f]+-[0-9a-f]+ / { ours = /MOVER.dcss/; maps += ours } ours && /^Private_Dirty:/ { dirty += $2 }
    END { print maps + 0, dirty + 0 }' "/proc/$(pid_of MEMBERB)/smaps")
[ "$dirty" = "1 0" ] || fail "moved: mappings of the file, KB of its own of the read-only page: $dirty"
expect 0 'NSD440I' as LINUX1 DEFSYS MOVER 0-3F EW 100 SR 101 EW
expect 0 'NSS440I' as LINUX1 SAVESYS MOVER # another one: not what BYNAME has
expect 1 'HCPRLE1955E BYNAME: saved segment or system MOVER is not the same on MEMBERA' cp_on MEMBERB VMRELOCATE TEST BYNAME MEMBERA

# --- the other member, and after a restart
expect 0 'FORCED' cp_on MEMBERB FORCE BYNAME
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG BYNAME
resumed BYNAME
expect 0 'has ended' endicott stop "$cluster"
expect 0 'MEMBERB is ready' endicott up "$cluster"
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG BYNAME
resumed BYNAME
expect 0 'LOGON' cp_on MEMBERB LOGON LINUX1 LINUX1 NOIPL
expect 0 'FILE +PURGED' as LINUX1 PURGE NSS NAME DEMO
expect 1 'HCPIPL440E' as BYNAME IPL DEMO
expect 0 'DEMO +NSS .* P +00001' cp_on MEMBERA QUERY NSS
expect 0 'GPR *7 = *454E4449434F5454' as BYNAME DISPLAY G7
expect 0 'has ended' endicott stop "$cluster"
echo "cp_saved_systems: passed"
