#!/bin/bash
# Man pages: one for each command that is there, installed with the program, without a complaint of groff; they have the
# options, verbs and examples, and examples name verbs and options that there are.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
cd "$TEST_TMP"

"$ROOT/docs/man/generate" "$ENDICOTT" man >out
plain() { # page: as text, without bold
    groff -man -Tascii -ww "$1" | sed 's/\x1b\[[0-9;]*m//g; s/.\x08//g'
}
while read -r command _; do
    page=man/endicott-$command.1
    [ -s "$page" ] || fail "no page of $command"
    plain "$page" >text 2>complaints || fail "groff fails at $page"
    [ ! -s complaints ] || fail "$page: $(head -n 3 complaints)"
    for option in $("$ENDICOTT" "$command" --help | sed -n 's/^  \(--[a-z-]*\) .*/\1/p'); do
        grep -q -- "$option" text || fail "$page lacks $option"
    done
done < <("$ENDICOTT" --help | sed -n 's/^  //p' | grep -v 'not available')
plain man/endicott-dasd.1 >text
for words in 'endicott dasd owner FILE' 'EXAMPLES' 'EXIT STATUS' 'dasd import FILE NAME FROM' '--shadow-of'; do
    grep -q -- "$words" text || fail "the page of dasd lacks: $words"
done
for verb in $(sed -n 's/^    endicott dasd \([a-z]*\) .*/\1/p' "$ROOT/docs/man/endicott-dasd.text"); do
    "$ENDICOTT" dasd --help | grep "endicott dasd $verb " >/dev/null || fail "an example of no verb: $verb"
done
make -s -C "$ROOT" DESTDIR="$PWD/root" PREFIX=/usr PROGRAM="$(realpath "$ROOT/$ENDICOTT" 2>/dev/null || realpath "$ENDICOTT")" install-man >/dev/null
[ -s root/usr/share/man/man1/endicott-dasd.1 ] || fail "make install-man installs no page"
echo "man: passed"
