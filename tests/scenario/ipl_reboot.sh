#!/bin/bash
# `reboot` in the guest of `endicott ipl` boots it again from the same files (DIAGNOSE X'308'), and so does a
# panic that is to load again; the panic says so on the console. The third boot powers off: exit status 0.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"
cd "$TEST_TMP"

coproc MACHINE {
    "$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd "$guest/initramfs.cpio.lz4" --cpus 2 --timeout 900 \
        2>messages
}
machine=$MACHINE_PID
exec 4<&"${MACHINE[0]}" 5>&"${MACHINE[1]}"

boots=0
while IFS= read -r line <&4; do
    printf '%s\n' "$line" >>out
    case $line in
    *ENDICOTT-GUEST-READY*)
        boots=$((boots + 1))
        case $boots in
        1) echo 'reboot -f' >&5 ;;
        2) echo 'echo reipl >/sys/firmware/shutdown_actions/on_panic; echo c >/proc/sysrq-trigger' >&5 ;;
        *) echo 'poweroff -f' >&5 ;;
        esac
        ;;
    esac
done
status=0
wait "$machine" || status=$?
[ $status = 0 ] || fail "exit status $status: $(tail -n 20 out messages)"
[ $boots = 3 ] || fail "$boots boots: $(tail -n 20 out messages)"
grep -q 'Kernel panic - not syncing' out || fail "no word of the panic: $(tail -n 40 out)"
echo "ipl_reboot: passed"
