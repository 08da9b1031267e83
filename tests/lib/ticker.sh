# Sourced by tests/scenarios/*.sh: a guest that costs next to nothing and shows whether it has run on, and as itself. It counts at
# X'800' some hundred times a second, with the complement at X'808'; the clock at X'810' never steps back. With a disk of blocks at
# 0200 (ticker_disks) each 16th time a block must be what it wrote there last, and is written anew, which X'820' counts. It ends in a
# disabled wait when anything is not as it should be, whose address says which: X'BAD1' its count, 2 its clock, 3 its disk, 4 an answer
# of the disk.

. "$ROOT/tests/lib/program.sh"

deck "$TEST_TMP/ticker" <<'TEXT'
        larl %r1,new
        mvc 0x1b0(16,%r0),0(%r1)
        larl %r1,cr0
        lctlg %c0,%c0,0(%r1)
        lghi %r11,0 # its disk's subchannel
        llilh %r1,1
        larl %r2,disk
find:   stsch 0xa00(%r0)
        jo tick
        la %r3,0xa06(%r0)
        clc 0(2,%r3),0(%r2)
        je found
        aghi %r1,1
        j find
found:  oi 0xa05(%r0),0x80
        msch 0xa00(%r0)
        lr %r11,%r1
tick:   lghi %r1,0x800
        llill %r4,0xbad1
        lg %r2,0(%r1)
        lcgr %r3,%r2
        cg %r3,8(%r1)
        jne bad
        aghi %r2,1
        lcgr %r3,%r2
        stg %r2,0(%r1)
        stg %r3,8(%r1)
        ltr %r11,%r11
        je clock
        tmll %r2,15
        jne clock
        lghi %r7,0x2000
        cghi %r2,16
        je first
        larl %r8,reads
        brasl %r14,io
        llill %r4,0xbad3
        clc 0(256,%r7),512(%r7)
        jne bad
        clc 256(256,%r7),768(%r7)
        jne bad
        lghi %r1,0x800
        lg %r3,32(%r1)
        aghi %r3,1
        stg %r3,32(%r1)
first:  stg %r2,0(%r7)
        mvc 8(248,%r7),0(%r7)
        mvc 256(256,%r7),0(%r7)
        larl %r8,writes
        brasl %r14,io
clock:  lghi %r1,0x800
        llill %r4,0xbad2
        lg %r5,16(%r1)
        stck 16(%r1)
        lg %r2,16(%r1)
        clgr %r2,%r5
        jl bad
        larl %r3,later
        alg %r2,0(%r3)
        stg %r2,24(%r1)
        sckc 24(%r1)
        larl %r3,wait
        lpswe 0(%r3)
io:     lr %r1,%r11
        llill %r4,0xbad4
        larl %r6,orb
        st %r8,8(%r6)
        ssch 0(%r6)
        jne bad
poll:   tsch 0xa00(%r0)
        jl poll
        jne bad
        clc 0xa08(2,%r0),14(%r6)
        jne bad
        br %r14
bad:    larl %r3,end
        stg %r4,8(%r3)
        lpswe 0(%r3)
        .balign 8
cr0:    .quad 0x800
later:  .quad 10000 << 12
wait:   .quad 0x0102000180000000,tick
new:    .quad 0x0000000180000000,tick
end:    .quad 0x0002000180000000,0xbad
orb:    .long 0,0x0080ff00,0,0x0c00
reads:  .long 0x63400010,define,0x43400008,locread,0x42000200,0x2200
writes: .long 0x63400010,define,0x43400008,locwrite,0x41000200,0x2000
define: .long 0x00000200,0,0,63
locread: .long 0x06000001,7
locwrite: .long 0x05000001,7
disk:   .short 0x0200
TEXT

# ticker_disks CLUSTER USER...: a volume of the cluster, which its members share, and a minidisk on it for each.
ticker_disks() {
    local cluster=$1 user at=64 file
    shift
    endicott dasd init "$cluster/volumes/tick01.raw" --blocks 2048 >/dev/null
    sed -i 's/^USER_VOLUME_LIST.*/& TICK01/' "$cluster/system.config"
    for file in "$cluster"/hardware/*.cnf; do echo '03F0 9336 volumes/tick01.raw volid=TICK01' >>"$file"; done
    for user in "$@"; do
        sed -i "/^USER $user /,/^  INCLUDE/s/^  INCLUDE.*/&\n  MDISK 0200 FB-512 $at 64 TICK01 MR/" "$cluster/user.direct"
        at=$((at + 64))
    done
}

ticker() { # member user...: logged on there, each with the program
    local member=$1 user
    shift
    for user in "$@"; do
        endicott punch -m "$member" -u "$user" "$TEST_TMP/ticker" >/dev/null
        expect 0 'Command accepted' cp_on "$member" XAUTOLOG "$user"
        goes_on "$member" "$user"
    done
}

word() { # member user address: what it has there
    local line
    line=$(cp_on "$1" FOR "$2" CMD DISPLAY "$3.8") || fail "$2 at $1: $line"
    [[ $line =~ [[:space:]]([0-9A-F]{8})[[:space:]]([0-9A-F]{8})[[:space:]] ]] || fail "$2 at $1 shows $line"
    echo $((16#${BASH_REMATCH[1]}${BASH_REMATCH[2]}))
}

ticks() { word "$1" "$2" 800; } # member user: how many so far

# It runs there, has not begun anew (its count is not less than $3), and counts.
goes_on() { # member user [count]: prints nothing; the count is in $count
    local tries=0 from
    from=$(ticks "$1" "$2")
    [ "$from" -ge "${3:-0}" ] || fail "$2 at $1 has counted to $from, and was at $3"
    count=$from
    until [ "$count" -gt "$from" ]; do
        tries=$((tries + 1))
        [ $tries -lt 6000 ] || fail "$2 at $1 stands at $count"
        moment
        count=$(ticks "$1" "$2")
    done
}

# It has a disk: it has found its last block right so many times, and does so again.
disk_goes_on() { # member user [times]: prints nothing; how often is in $blocks
    local tries=0 from
    from=$(word "$1" "$2" 820)
    [ "$from" -ge "${3:-0}" ] || fail "$2 at $1 has looked at its disk $from times, and had $3 times"
    blocks=$from
    until [ "$blocks" -gt "$from" ]; do
        tries=$((tries + 1))
        [ $tries -lt 6000 ] || fail "$2 at $1 does not look at its disk: $(ticks "$1" "$2"), $blocks"
        moment
        blocks=$(word "$1" "$2" 820)
    done
}

moved() { # user from to: by VMRELOCATE, and it counts on there, with its disk if it has one
    local looked
    goes_on "$2" "$1"
    looked=$(word "$2" "$1" 820)
    expect 0 "User $1 has been relocated from $2 to $3" cp_on "$2" VMRELOCATE MOVE USER "$1" TO "$3"
    goes_on "$3" "$1" "$count"
    [ "$looked" = 0 ] || disk_goes_on "$3" "$1" "$looked"
    ! declare -F figures >/dev/null || figures
}
