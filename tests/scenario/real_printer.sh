#!/bin/bash
# Real printers of the hardware file: the console's spool file of the operator is printed into a folder, a program has it then;
# killed many times while files are printed, no file is lost, and none is half in the folder.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
kills=${ENDICOTT_KILLS:-12}
cluster=$TEST_TMP/two
sample two "$cluster"
cat >>"$cluster/hardware/MEMBERA.cnf" <<'CNF'
000E 1403 lists/ class=AT program=printed
000D 3525 decks
CNF
mkdir "$cluster/lists"
printf '#!/bin/sh\necho "$SPOOL_OWNER $SPOOL_ID $1" >>"%s/told"\n' "$cluster" >"$cluster/printed"
chmod +x "$cluster/printed"
oper() { cp_on MEMBERA "$@"; }
until_there() { # file, regex
    local tries=0
    until grep -Eqs "$2" "$1"; do
        tries=$((tries + 1))
        [ $tries -lt 6000 ] || fail "no line like $2 in $1"
        moment
    done
}

endicott start "$cluster" MEMBERA >/dev/null
expect 0 'PRT  000E STARTED CLASS AT       FORM STANDARD IDLE' oper QUERY UR
expect 0 'PUN  000D STARTED' oper QUERY 00D
oper SPOOL CONSOLE START CLASS T
oper MSG OPERATOR hello >/dev/null
oper CLOSE CONSOLE NAME first list >/dev/null
until_there "$cluster/told" '^OPERATOR [0-9]{4} .*lists/OPERATOR-[0-9]{4}-first.list$'
expect 0 'NO PRT FILES' oper QUERY PRT
grep -q hello "$cluster"/lists/OPERATOR-*-first.list || fail 'the console is not in the list'

# Files come as fast as they can, and the member is killed in between: each that CP took is out, or in the spool.
closed=0
for ((kill = 0; kill < kills; kill++)); do
    (
        n=0
        while oper MSG OPERATOR "line $kill $n" >/dev/null 2>&1 &&
            oper CLOSE CONSOLE NAME "k$kill" "n$n" >"$TEST_TMP/close" 2>/dev/null; do
            [ -s "$TEST_TMP/close" ] && echo "k$kill.n$n" >>"$TEST_TMP/closed"
            n=$((n + 1))
        done
    ) &
    files=$!
    until [ "$(grep -c "^k$kill\." "$TEST_TMP/closed" 2>/dev/null)" -gt $((kill % 4)) ]; do
        kill -0 $files 2>/dev/null || fail 'no files are closed'
    done
    kills MEMBERA
    wait $files || true
    endicott start "$cluster" MEMBERA >/dev/null
    oper SPOOL CONSOLE START CLASS T
done
oper SPOOL CONSOLE STOP
tries=0
while ! grep -q 'PRT  000E STARTED .* IDLE' <<<"$(oper QUERY UR)" ||
    ! grep -Eq 'NO PRT|A CON .* USER' <<<"$(oper QUERY PRT)"; do
    tries=$((tries + 1))
    [ $tries -lt 6000 ] || fail "the printer does not come to an end: $(oper QUERY UR)"
    sleep 0.1
done
while read -r name; do
    closed=$((closed + 1))
    compgen -G "$cluster/lists/OPERATOR-*-$name" >/dev/null || fail "$name was closed and is not printed"
done <"$TEST_TMP/closed"
[ $closed -ge $kills ] || fail "only $closed files were closed"
for list in "$cluster"/lists/OPERATOR-*-k*; do
    [ -s "$list" ] || fail "$list is empty"
done
expect 0 'has ended' endicott stop MEMBERA
[ -z "$(find "$cluster/lists" -name '.*' -type f)" ] || echo "halves of killed printing stay: $(ls -A "$cluster/lists" | grep -c '^\.')"
echo "real_printer: $closed files, $kills kills"
