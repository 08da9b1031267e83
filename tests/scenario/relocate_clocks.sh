#!/bin/bash
# Members on hosts whose clocks differ by hours: a guest that moves there, from there to one that is behind, and back sees the time
# that has passed. Its program ends when its clock steps back; that it does not jump is seen from outside. Its time of day is an hour
# off the clock of that member from then on, and is not when it is back. No Linux.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$ROOT/tests/lib/ticker.sh"
cluster=$TEST_TMP/four
HOURS=7200000 # milliseconds of two hours
UNITS=$((3600 * 1000000 * 4096)) # of the TOD clock, in one
sample four "$cluster"
sed -i 's/^CPUMODEL .*/CPUMODEL   2817/' "$cluster"/hardware/*.cnf
sed -i 's/ DOMAIN ALPHA//' "$cluster/user.direct"

begins() { # member milliseconds: as on a host of its own, whose clock is so much ahead
    ENDICOTT_TEST_HOST=$1 ENDICOTT_TEST_CLOCK_MS=$2 expect 0 "$1 is ready" endicott start "$cluster" "$1"
}
begins MEMBERA 0
begins MEMBERB $HOURS
begins MEMBERC -$HOURS
ticker MEMBERA LINUX1

goes() { # from to: less than an hour later by its own clock, as by that of this host
    local before after begun=$SECONDS
    before=$(word "$1" LINUX1 810)
    moved LINUX1 "$1" "$2"
    after=$(word "$2" LINUX1 810)
    [ $((SECONDS - begun)) -lt 1800 ] || fail 'this host has no time for it'
    [ $((after - before)) -gt 0 ] && [ $((after - before)) -lt $UNITS ] ||
        fail "from $1 to $2 its clock went on by $(((after - before) / 4096)) microseconds"
}
goes MEMBERA MEMBERB
goes MEMBERB MEMBERC
goes MEMBERC MEMBERA
goes MEMBERA MEMBERC
# one that is logged on there goes by that member's clock
ticker MEMBERB LINUX2
apart=$(($(word MEMBERB LINUX2 810) - $(word MEMBERC LINUX1 810)))
[ "$apart" -gt "$UNITS" ] && [ "$apart" -lt $((3 * UNITS)) ] || fail "they are $((apart / 4096)) microseconds apart"
echo "relocate_clocks: passed"
