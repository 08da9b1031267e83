#!/bin/bash
# Unit record devices of endicott ipl with host files: a program copies its deck to the punch and to the printer,
# which write ASCII or EBCDIC with each carriage control; a full disk is seen by the program, which tries
# again until there is room; bad options are refused.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$(dirname "$0")/../lib/program.sh"
cd "$TEST_TMP"

ipl() {
    "$ENDICOTT" ipl --memory 16M --timeout 400 "$@" </dev/null
}

# Reads cards from 000C until the deck ends; punches each on 000D, prints it on 000E and spaces a line. What was
# not taken is written again. Ends in a disabled wait at 0; anything unforeseen in another.
elf copy <<'TEXT'
        .globl _start
_start: larl %r3,irb
        larl %r4,schib
        lghi %r6,0xc
        brasl %r14,find
        lgr %r7,%r1
        lghi %r6,0xd
        brasl %r14,find
        lgr %r8,%r1
        lghi %r6,0xe
        brasl %r14,find
        lgr %r9,%r1
next:   lgr %r1,%r7
        larl %r2,orbr
        brasl %r14,start
        tm 8(%r3),0x01
        jo done
        cli 8(%r3),0x0c
        jne bad
punch:  lgr %r1,%r8
        larl %r2,orbp
        brasl %r14,start
        tm 8(%r3),0x02
        jo punch
        cli 8(%r3),0x0c
        jne bad
print:  lgr %r1,%r9
        larl %r2,orbl
        brasl %r14,start
        tm 8(%r3),0x02
        jo print
        cli 8(%r3),0x0c
        jne bad
        j next
done:   larl %r1,well
        lpswe 0(%r1)
bad:    larl %r1,lost
        lpswe 0(%r1)

find:   llilh %r1,1             # the subchannel of the device in r6, enabled
2:      stsch 0(%r4)
        jnz bad
        llgh %r0,6(%r4)
        cgr %r0,%r6
        je 3f
        aghi %r1,1
        j 2b
3:      oi 5(%r4),0x80
        msch 0(%r4)
        jnz bad
        br %r14

start:  ssch 0(%r2)
        jnz bad
1:      tsch 0(%r3)
        brc 4,1b
        br %r14

        .balign 8
well:   .quad 0x0002000180000000,0
lost:   .quad 0x0002000180000000,0xbad
        .balign 8
orbr:   .long 0,0x0080ff00,ccwr
orbp:   .long 0,0x0080ff00,ccwp
orbl:   .long 0,0x0080ff00,ccwl
        .balign 8
ccwr:   .long 0x02000050,card
ccwp:   .long 0x41000050,card
ccwl:   .long 0x09000050,card
        .balign 8
irb:    .space 96
schib:  .space 52
card:   .space 80
TEXT

printf 'first card\n\nthird: [\xc3\xa4]\n' >deck
same() { # file, what it is to hold
    cmp "$1" "$2" || fail "$1 is not as it should be: $(od -c "$1" | head)"
}

# --- ASCII both ways
expect 0 '^$' ipl --kernel copy --reader 000C=deck,ascii --punch d=cards --printer 000E=list
same cards deck
same list deck

# --- EBCDIC: what is punched is a deck again; two decks of one reader end one by one, so only the first is read
expect 0 '^$' ipl --kernel copy --reader 000C=deck,ascii --punch 000D=cards.ebc,ebcdic --printer 000E=list.asa,asa
[ "$(stat -c %s cards.ebc)" = 240 ] || fail "three cards are $(stat -c %s cards.ebc) bytes"
sed 's/^/ /; 1s/^ /+/' deck >expected
same list.asa expected
expect 0 '^$' ipl --kernel copy --reader 000C=cards.ebc --reader 000C=deck --punch 000D=cards \
    --printer 000E=list.machine,machine
same cards deck
[ "$(stat -c %s list.machine)" = 399 ] || fail "three lines with machine code are $(stat -c %s list.machine) bytes"
[ "$(od -An -tx1 -N3 list.machine)" = ' 09 86 89' ] || fail "$(od -tx1 -N3 list.machine)"
expect 0 '^$' ipl --kernel copy --reader 000C=deck,ascii --punch 000D=cards,append --printer 000E=list.ebc,asa,ebcdic
cat deck deck >expected
same cards expected
[ "$(stat -c %s list.ebc)" = 399 ] || fail "$(stat -c %s list.ebc) bytes"

# --- the same while the machine is taken apart and made anew all the time
expect 0 '^$' ipl --kernel copy --relocate-every 100 --reader 000C=deck,ascii --punch 000D=cards --printer 000E=list
same cards deck
same list deck

# --- the disk is full: the guest sees it, the operator is told once, it goes on when there is room
for n in $(seq 60); do echo "card $n"; done >long
mkfifo told
cat told >messages &
reader=$!
(ulimit -S -f 0 && exec "$ENDICOTT" ipl --memory 16M --timeout 400 --kernel copy --engine interp --reader 000C=long,ascii \
    --punch 000D=cards --printer 000E=list </dev/null 2>told) &
pid=$!
until grep -q 'punch 000D: cards: File too large' messages 2>/dev/null; do kill -0 $pid || fail "$(cat messages)"; moment; done
[ ! -s cards ] || fail "half a record was written"
prlimit --pid $pid --fsize=200: || fail 'no room can be made'
until grep -q 'printer 000E: list: File too large\|cards: goes on' messages; do kill -0 $pid || fail "$(cat messages)"; moment; done
prlimit --pid $pid --fsize=unlimited:
status=0
wait $pid || status=$?
wait $reader
[ $status = 0 ] || fail "status $status: $(cat messages)"
same cards long
same list long

# --- bad options
expect 2 'nowhere/cards: No such file' ipl --kernel copy --punch 000D=nowhere/cards
for bad in '--reader 000C=deck,text' '--punch 000D=cards,asa' '--printer 000E=list,asa,machine' '--reader 000C=absent' \
    '--reader 000C' '--punch 4x=cards' '--printer 000E=list,text,ebcdic' '--printer 000E=list,machine,ascii' \
    '--punch 000D=a --printer 000D=b' '--reader 000C=deck,ascii --punch 000C=a'; do
    # shellcheck disable=SC2086
    expect 2 'endicott ipl: .*(absent|not several|not DEVNO|ASCII|EBCDIC|there already|No such file)' ipl --kernel copy $bad
done
echo ipl_unitrec: passed
