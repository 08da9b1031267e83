# Sourced by tests/scenarios/*.sh: a guest that costs next to nothing and shows whether it has run on, and as itself. It counts at
# X'800' some hundred times a second, with the complement at X'808', and ends in a disabled wait when the two do not agree.

. "$ROOT/tests/lib/program.sh"

deck "$TEST_TMP/ticker" <<'TEXT'
        larl %r1,new
        mvc 0x1b0(16,%r0),0(%r1)
        larl %r1,cr0
        lctlg %c0,%c0,0(%r1)
tick:   lghi %r1,0x800
        lg %r2,0(%r1)
        lcgr %r3,%r2
        cg %r3,8(%r1)
        jne bad
        aghi %r2,1
        lcgr %r3,%r2
        stg %r2,0(%r1)
        stg %r3,8(%r1)
        stck 16(%r1)
        lg %r2,16(%r1)
        larl %r3,later
        alg %r2,0(%r3)
        stg %r2,24(%r1)
        sckc 24(%r1)
        larl %r3,wait
        lpswe 0(%r3)
bad:    larl %r3,end
        lpswe 0(%r3)
        .balign 8
cr0:    .quad 0x800
later:  .quad 10000 << 12
wait:   .quad 0x0102000180000000,tick
new:    .quad 0x0000000180000000,tick
end:    .quad 0x0002000180000000,0xbad
TEXT

ticker() { # member user...: logged on there, each with the program
    local member=$1 user
    shift
    for user in "$@"; do
        endicott punch -m "$member" -u "$user" "$TEST_TMP/ticker" >/dev/null
        expect 0 'Command accepted' cp_on "$member" XAUTOLOG "$user"
        goes_on "$member" "$user"
    done
}

ticks() { # member user: how many so far
    local line
    line=$(cp_on "$1" FOR "$2" CMD DISPLAY 800.8) || fail "$2 at $1: $line"
    [[ $line =~ [[:space:]]([0-9A-F]{8})[[:space:]]([0-9A-F]{8})[[:space:]] ]] || fail "$2 at $1 shows $line"
    echo $((16#${BASH_REMATCH[1]}${BASH_REMATCH[2]}))
}

# It runs there, has not begun anew (its count is not less than $3), and counts.
goes_on() { # member user [count]: prints nothing; the count is in $count
    local tries=0 from
    from=$(ticks "$1" "$2")
    [ "$from" -ge "${3:-0}" ] || fail "$2 at $1 has counted to $from, and was at $3"
    count=$from
    until [ "$count" -gt "$from" ]; do
        tries=$((tries + 1))
        [ $tries -lt 400 ] || fail "$2 at $1 stands at $count"
        moment
        count=$(ticks "$1" "$2")
    done
}

moved() { # user from to: by VMRELOCATE, and it counts on there
    goes_on "$2" "$1"
    expect 0 "User $1 has been relocated from $2 to $3" cp_on "$2" VMRELOCATE MOVE USER "$1" TO "$3"
    goes_on "$3" "$1" "$count"
}
