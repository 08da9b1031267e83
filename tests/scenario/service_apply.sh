#!/bin/bash
# endicott service apply: two members are started anew one after the other, with another program, while their guests run on:
# a Linux guest that checks its memory all the time, and a program. What cannot be moved is refused before anything is done;
# a program that does not start ends it with the guests elsewhere; hooks.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$(dirname "$0")/../lib/program.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
deck "$TEST_TMP/spin" <<'TEXT'
        j .
TEXT
boot_guest
endicott punch -m MEMBERB -u LINUX2 "$TEST_TMP/spin" >/dev/null
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2
memspin 32
at() { # user member
    expect 0 "$1 +- DSC" cp_on "$2" QUERY "$1" AT "$2"
}
program_of() { readlink "/proc/$(pid_of "$1")/exe"; }
everybody_home() {
    at LINUX1 MEMBERA
    at LINUX2 MEMBERB
    lives_on MEMBERA MEMBERB
}

# --- what cannot be moved: nothing is done
pids=$(pid_of MEMBERA):$(pid_of MEMBERB)
cp_on MEMBERA SET VMRELOCATE LINUX1 OFF >/dev/null
expect 6 'nothing of MEMBERA has been moved' endicott service apply "$cluster"
[ "$pids" = "$(pid_of MEMBERA):$(pid_of MEMBERB)" ] || fail 'a member has been started anew'
everybody_home
cp_on MEMBERA SET VMRELOCATE LINUX1 ON >/dev/null
expect 2 'no-such: No such file' endicott service apply "$cluster" --to "$TEST_TMP/no-such"
expect 2 'NOWHERE: not a member' endicott service apply "$cluster" --only NOWHERE
expect 2 'usage' endicott service apply
expect 2 'expected apply' endicott service frob "$cluster"

# --- another program, on both
cp "$(readlink -f "$ENDICOTT")" "$TEST_TMP/level2"
expect 0 'done +2 of 2 members' endicott service apply "$cluster" --to "$TEST_TMP/level2"
for member in MEMBERA MEMBERB; do
    [ "$(program_of $member)" = "$TEST_TMP/level2" ] || fail "$member runs $(program_of $member)"
    expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI
done
everybody_home

# --- a command, one member only, JSON; who was moved stays
expect 0 '"step":"done"' endicott service apply "$cluster" --only membera --stay --json \
    --command "echo \$ENDICOTT_STEP \$ENDICOTT_MEMBER >>'$TEST_TMP/commands'"
[ "$(cat "$TEST_TMP/commands")" = 'command MEMBERA' ] || fail "$(cat "$TEST_TMP/commands")"
[ "$(program_of MEMBERA)" != "$TEST_TMP/level2" ] || fail 'MEMBERA has the old program'
at LINUX1 MEMBERB
lives_on MEMBERB MEMBERA

# --- a hook instead of VMRELOCATE; one that leaves a guest behind
cat >"$TEST_TMP/hook" <<'S'
#!/bin/bash
echo "$ENDICOTT_STEP $ENDICOTT_MEMBER" >>"$TEST_TMP/hooks"
[ "$ENDICOTT_STEP" = evacuate ] || exit 0
for user in LINUX1 LINUX2; do "$ENDICOTT" cp -m MEMBERB VMRELOCATE MOVE $user MEMBERA; done
S
chmod +x "$TEST_TMP/hook"
export TEST_TMP ENDICOTT
expect 6 'LINUX. is still logged on after: true' endicott service apply "$cluster" --only MEMBERB --evacuate true
expect 0 'done +1 of 1 members' endicott service apply "$cluster" --only MEMBERB --evacuate "$TEST_TMP/hook"
[ "$(tr '\n' , <"$TEST_TMP/hooks")" = 'evacuate MEMBERB,return MEMBERB,' ] || fail "$(cat "$TEST_TMP/hooks")"
at LINUX1 MEMBERA
at LINUX2 MEMBERA

# --- a program that does not start: no further
expect 1 'MEMBERA +failed +it does not start' endicott service apply "$cluster" --to /bin/false
at LINUX1 MEMBERB
at LINUX2 MEMBERB
lives_on MEMBERB -
expect 0 'SSI Mode: Stable' cp_on MEMBERB QUERY SSI
expect 0 'skipped +it is not joined' endicott service apply "$cluster" --only MEMBERA
expect 0 'MEMBERA is ready' endicott start "$cluster" MEMBERA
endicott send -u LINUX1 stop
on_guest 'MEMSPIN DONE .* bad=0' >/dev/null
[ "$(endicott wait -u LINUX1 --match ENDICOTT-GUEST-READY --since-start --timeout "$WAIT_SECONDS" | grep -c ENDICOTT-GUEST-READY)" = 1 ] ||
    fail 'LINUX1 has been booted again'
echo "service_apply: passed"
