#!/bin/bash
# Privilege classes over the whole table of commands on every way to CP between processes: control socket, AT another member,
# console (#CP), DIAGNOSE X'08' (vmcp in a Linux guest). A user whose class no command has gets each of them refused by its
# message; nothing has happened to the members or to other users.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
cluster=$TEST_TMP/two
sample two "$cluster"
sed -i 's/^\(USER LINUX1 .*\) G *$/\1 H/' "$cluster/user.direct"
grep -q '^USER LINUX1 .* H$' "$cluster/user.direct" || fail 'LINUX1 is not of class H'

# --- every command, QUERY and SET that is for some classes
python3 - "$ROOT/hyp/cp/cp_cmd.def" >"$TEST_TMP/commands" <<'PYTHON'
import re, sys
for prefix, name, classes in re.findall(r'^RH?\("(\w*)",\s*"(\w+)",\s*"([^"]*)"', open(sys.argv[1]).read(), re.M):
    if classes and classes != "*":
        print(f"{prefix} {name.upper().replace('NN', '01') if name.endswith('nn') else name.upper()}".strip())
PYTHON
wanted=$(wc -l <"$TEST_TMP/commands")
[ "$wanted" -gt 100 ] || fail "only $wanted commands"

# --- DIAGNOSE X'08': the guest's own vmcp
mkdir "$TEST_TMP/overlay"
cp "$TEST_TMP/commands" "$TEST_TMP/overlay/commands"
cat >"$TEST_TMP/overlay/classes.sh" <<'SH'
while read -r command; do
    message=$(vmcp "$command" 2>&1 | sed -n 's/.*\(HCP[A-Z]*[0-9]*E\).*/\1/p' | head -n 1)
    echo "D8 <$command> $message"
done </commands
echo CLASSES-$((6 * 7))
SH
(cd "$TEST_TMP/overlay" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$TEST_TMP/overlay.cpio.gz"
cat "$GUEST_FILES/initramfs.cpio.lz4" "$TEST_TMP/overlay.cpio.gz" >"$TEST_TMP/initrd"
echo "console=ttyS0 $QUICK_BOOT endicott.run=\"sh /classes.sh\"" >"$TEST_TMP/parmfile"
all() { # what LINUX1's console shows
    python3 - "$ENDICOTT_RUN/MEMBERA.sock" <<'PYTHON'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"console.read","params":{"user":"LINUX1","from":0}}\n')
for line in json.loads(s.makefile().readline())["result"]["lines"]:
    print(line["text"])
PYTHON
}
endicott up "$cluster" >/dev/null
endicott punch -m MEMBERA -u LINUX1 "$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" "$TEST_TMP/initrd" >/dev/null
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
expect 0 'Command accepted' cp_on MEMBERB XAUTOLOG LINUX2

# --- control socket, alone and for another member
refused='HCPCMD001E|HCPCQV003E|HCPCSE003E'
while read -r command; do
    expect 1 "$refused" endicott cp -m MEMBERA -u LINUX1 $command </dev/null
    expect 1 "$refused" endicott cp -m MEMBERA -u LINUX1 AT MEMBERB CMD $command </dev/null
done <"$TEST_TMP/commands"

# --- console
endicott wait -u LINUX1 --match CLASSES-42 --since-start --timeout "$WAIT_SECONDS" >/dev/null
all >"$TEST_TMP/guest"
while read -r command; do
    endicott send -u LINUX1 "#CP $command" </dev/null
done <"$TEST_TMP/commands"
expect 0 '' endicott send -u LINUX1 '#CP QUERY USERID'
endicott wait -u LINUX1 --match 'LINUX1   AT MEMBERA' --since-start --timeout "$WAIT_SECONDS" >/dev/null
found=$(all | sed '1,/CLASSES-42/d' | grep -Ec "^(00: )?($refused)") || true
[ "$found" = "$wanted" ] || fail "console: $found of $wanted refused"
found=$(grep -Ec "D8 <.*> ($refused)" "$TEST_TMP/guest") || true
[ "$found" = "$wanted" ] || fail "X'08': $found of $wanted: $(grep 'D8 <' "$TEST_TMP/guest" | grep -Ev "$refused")"

# --- and all is as it was
expect 0 'LINUX1 +- DSC' cp_on MEMBERA QUERY NAMES
expect 0 'LINUX2 +- DSC' cp_on MEMBERB QUERY NAMES
expect 0 'SSI Mode: Stable' cp_on MEMBERB QUERY SSI
expect 0 'has ended' endicott stop "$cluster"
echo "cp_classes: passed: $wanted commands on four ways"
