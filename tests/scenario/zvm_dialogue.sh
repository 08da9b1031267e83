#!/bin/bash
# The dialogues that two programs for testing Linux hold with z/VM over s3270, played as they hold them:
# os-autoinst (logon screen with USERID and PASSWORD, MORE..., LOGOFF hangs up) on a guest, and tessia (Clear, the
# command form, LOGON HERE NOIPL, DETACH CPU, DEFINE, IPL) on the same one. What each looks for on the screen is here what
# it looks for: places, words, expressions.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
. "$ROOT/tests/lib/s3270.sh"

cluster=$TEST_TMP/two
sample two "$cluster"
echo 'CNSLPORT 127.0.0.1:0' >>"$cluster/hardware/MEMBERA.cnf"
# eight characters: os-autoinst types userid and password in one go, the cursor has to move on by itself
printf '\nUSER LINUX151 NICEPASS 512M 1G G\n  INCLUDE LINUX\n  CPU 01\n' >>"$cluster/user.direct"
endicott up "$cluster" >/dev/null
port=$(endicott status --json | python3 -c "
import json, sys
print(next(m['console_port'] for m in json.load(sys.stdin) if m['member'] == 'MEMBERA'))")
echo "console=ttyS0 $QUICK_BOOT" >"$TEST_TMP/parmfile"
files() { # a kernel in the reader of LINUX151
    expect 0 '' endicott punch -m MEMBERA -u LINUX151 "$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" \
        "$GUEST_FILES/initramfs.cpio.lz4"
}

# --- os-autoinst: output but the last two lines, status in the last one; it waits for output, takes a snapshot, clears
# the screen at MORE..., and goes on until the status is the expected one
said=
settle() { # status regex
    local end=$((SECONDS + WAIT_SECONDS)) state
    said=
    while :; do
        t 'Wait(1,Output)' || true
        t 'Snap()' && t 'Snap(Ascii)'
        said+=$(head -n -2 <<<"${screen%$'\n'}" | grep -v '^ *$' || true)$'\n'
        state=$(tail -n 1 <<<"${screen%$'\n'}")
        if grep -Eq 'MORE\.\.\.' <<<"$state"; then
            t 'Clear()'
        elif grep -Eq "$1" <<<"$state"; then
            return 0
        fi
        [ $SECONDS -lt $end ] || fail "the status is never $1: $state"$'\n'"$said"
    done
}
heard() { # regex: in what was said
    grep -Eq -- "$1" <<<"$said" || fail "not heard: $1"$'\n'"$said"
}
os_autoinst_logon() { # terminal
    terminal "$1" 3279-4-E
    t 'Wait(InputField)'
    settle RUNNING
    heard 'Fill in your USERID and PASSWORD and press ENTER'
    t 'String(LINUX151)' && t 'String(NICEPASS)' && t 'ENTER' && t 'Wait(InputField)'
    settle '(CP|VM) READ|RUNNING'
}
os_autoinst_hangs_up() { # command
    t "String(\"$1\")" && t 'ENTER'
    t 'Wait(30,Disconnect)' || fail "$1 does not hang up: $screen"
}

echo '--- os-autoinst: a guest that is in use is logged off first'
files
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX151
endicott wait -u LINUX151 --match ENDICOTT-GUEST-READY --since-start --timeout "$WAIT_SECONDS" >/dev/null
os_autoinst_logon first
heard 'RECONNECT'
os_autoinst_hangs_up '#cp logoff'
endicott wait -m MEMBERA --match 'LOGOFF AS +LINUX151' --since-start --timeout "$WAIT_SECONDS" >/dev/null
os_autoinst_logon second # the reader is empty: CP READ
heard 'LOGON AT [0-9:]{8} UTC [A-Z]+ '
! grep -Eq 'RECONNECT|HCPLGA' <<<"$said" || fail "in use still: $said"
heard 'HCPIPL408E'
t 'String("DEFINE STORAGE 600M") ' && t 'ENTER'
settle 'CP READ'
heard 'STORAGE = 600M'
files
t 'String("#cp i 00c")' && t 'ENTER'
end=$((SECONDS + WAIT_SECONDS))
until settle RUNNING && grep -q ENDICOTT-GUEST-READY <<<"$said"; do
    [ $SECONDS -lt $end ] || fail "the guest is never ready: $said"
done
os_autoinst_hangs_up '#cp disconnect'
expect 0 'LINUX151 - DSC' cp_on MEMBERA QUERY LINUX151

echo '--- tessia: 43 lines; seven characters of status at line 42, column 60'
status_is() { # word
    t 'Ascii(42,60,7)'
    [ "$(sed 's/ *$//' <<<"${screen%$'\n'}")" = "$1" ]
}
error='HCP[a-zA-Z]{0,8}[0-9]{1,4}E'
tessia_logon() { # terminal
    terminal "$1" 3278-4
    t 'Clear()'
    t 'String("l LINUX151 here noipl")' && t 'Enter()'
    tessia_waits 'enter (your )?password'
    t 'String(NICEPASS)' && t 'Enter()'
    tessia_waits '(logon|reconnected) at'
    if status_is 'CP READ'; then t 'String(begin)' && t 'Enter()'; fi
    t 'String("#cp term more 50 10")' && t 'Enter()'
    t 'Clear()'
}
tessia_waits() { # regex, any case: on the screen, without an error there
    local end=$((SECONDS + WAIT_SECONDS))
    while t 'Ascii()' && ! grep -Eiq "$1" <<<"$screen"; do
        ! grep -Eq "$error" <<<"$screen" || fail "waiting for $1: $screen"
        [ $SECONDS -lt $end ] || fail "never $1: $screen"
        t 'Wait(1,Output)' || true
    done
}
# each line behind a blank, as s3270 writes them behind "data:"
tessia() { # command, regex: cleared at MORE... and HOLDING, Enter at VM READ
    local end=$((SECONDS + WAIT_SECONDS)) last
    t 'Clear()' && t "String(\"$1\")" && t 'Enter()'
    until t 'Ascii()' && grep -Eiq "$2" <<<" ${screen//$'\n'/$'\n' }"; do
        [ $SECONDS -lt $end ] || fail "$1: never $2: $screen"
        last=$(tail -n 1 <<<"${screen%$'\n'}")
        case ${last:60:7} in # of the screen that was looked at: what comes meanwhile waits
        MORE... | HOLDING) t 'Clear()' ;;
        'VM READ') t 'Enter()' ;;
        *) t 'Wait(1,Output)' || true ;;
        esac
    done
}
tessia_logon third
tessia '#cp system clear' 'storage cleared - system reset'
t 'Clear()' && t 'String("#cp logoff")' && t 'Enter()'
t 'Wait(30,Disconnect)' || fail "LOGOFF does not hang up: $screen"
tessia_logon fourth
t 'PA(1)' # begin has let an empty machine run
tessia 'detach cpu all' 'storage cleared - system reset'
tessia 'detach cpu all' 'HCPCPU1456E'
tessia 'define storage 512M' 'STORAGE = [0-9]+'
tessia 'q v cpus' ' CPU [0-9A-F]+'
tessia 'define cpu 1-2' 'cpu [0-9A-F]+ defined'
tessia 'q v ffff' "$error"
tessia 'define vfb-512 as ffff blk 200000' 'ffff defined'
tessia 'q v  ffff' ' ffff '
tessia 'detach ffff' 'ffff detached'
tessia 'att  0300 *' "$error"
files
tessia 'i 00c clear' 'Kernel command line: '
t 'Clear()' && t 'String("#cp disconnect")' && t 'Enter()'
t 'Wait(30,Disconnect)' || fail "DISCONNECT does not hang up: $screen"
expect 0 'LINUX151 - DSC' cp_on MEMBERA QUERY LINUX151
endicott wait -u LINUX151 --match 'ENDICOTT-GUEST-READY .* 3 cpu' --since-start --timeout "$WAIT_SECONDS" >/dev/null
for name in first second third fourth; do
    hang_up $name
done
expect 0 'MEMBERA has ended' endicott stop "$cluster"
echo "zvm_dialogue: passed"
