#!/bin/bash
# Linux on 3270 displays of `endicott ipl`: console and shell, full-screen programs, sizes, LU names, a
# terminal that vanishes and comes back, no free terminal, TLS, classic TN3270 and TN3270E, IPv6.
# Rules: RFC 1576, RFC 2355, RFC 1646; Linux's drivers raw3270, con3270, tty3270, fs3270
# unmodified; clients s3270 and c3270.
# waits: for connections that are given up, 30 s twice
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
. "$ROOT/tests/lib/s3270.sh"
GUEST_FILES=${GUEST_FILES:-$ROOT/${ENDICOTT_BUILD:-build}/guest}
guest=

before_cleanup() { kill -9 $guest "${S_PID[@]}" 2>/dev/null || true; }

# A form of its own on the display, a key, and what was typed in it.
"$ROOT/tests/guest/fetch.sh" --modules drivers/s390/char/fs3270
mkdir "$TEST_TMP/full"
cp "$GUEST_FILES/modules/fs3270.ko" "$TEST_TMP/full/"
cat >"$TEST_TMP/full/full.sh" <<'SH'
insmod /full/fs3270.ko
exec 5<>/dev/3270/tub1
printf '\303\021\100\100\310\305\323\323\326\035\100\023' >&5
dd bs=4096 count=1 <&5 >/tmp/in 2>/dev/null
exec 5>&-
echo FULL-$(od -An -tx1 -N 13 /tmp/in)
SH
(cd "$TEST_TMP" && find full | cpio --quiet -o -H newc -R 0:0 | gzip -1 | cat "$GUEST_FILES/initramfs.cpio.lz4" - >initrd)

boot() { # address, options...: a guest whose console is the display 0009; sets $guest and $port
    local address=$1 line err
    shift
    rm -f "$TEST_TMP/err"
    mkfifo "$TEST_TMP/err"
    "$ENDICOTT" ipl --kernel "$GUEST_FILES/kernel.quick" --initrd "$TEST_TMP/initrd" \
        --console "tn3270:$address" --append "conmode=3270 condev=0x0009 $QUICK_BOOT" "$@" \
        >"$TEST_TMP/guest.out" 2>"$TEST_TMP/err" </dev/null &
    guest=$!
    exec {err}<"$TEST_TMP/err"
    IFS= read -r -t "$WAIT_SECONDS" line <&"$err" || fail 'it says nothing'
    port=${line##*:}
    [[ $line == *'TN3270 consoles'* ]] || fail "no port: $line"
    cat <&"$err" >"$TEST_TMP/guest.err" &
}

# Linux unlocks the keyboard some milliseconds before it empties the input line; what is typed between the two
# is lost or gets behind the last command. A terminal shows what it will send.
shell() { # command, regex that its output shows
    local end=$((SECONDS + WAIT_SECONDS)) shown=${1:0:60}
    t 'Ascii()'
    while ! grep -qF ">$shown" <<<"${screen//> />}"; do
        [ $SECONDS -lt $end ] || fail "$now: the input line stays wrong: $screen"
        t 'EraseInput()' && t "String(\"$1\")" || true
        t 'Ascii()'
    done
    t 'Enter()'
    see "$2"
}

# Out of the console view, to the shell on it.
to_the_shell() {
    see 'Run /init as init process'
    t 'PF(3)'
    see 'guest# *$'
    enter 'stty echo; echo ECHO-$((1 + 1))' # without echo Linux does not show the input line either
    see 'ECHO-2'
}

echo '--- model 2, TN3270E: the console, its shell'
boot 127.0.0.1:0 --display 0009=CONSOLE,00C0
terminal one 3279-2-E -codepage cp037
t 'Query(LuName)'
[ "$screen" = $'CONSOLE\n' ] || fail "the LU name is $screen"
see 'console view +Running'
to_the_shell
shell 'echo SHELL-$((6 * 7)) [a]' '^SHELL-42 \[a\]'
shell 'stty size' '^22 80'
shell 'cat /sys/bus/ccw/devices/0.0.0009/cutype /sys/bus/ccw/devices/0.0.00c0/online' '^3274/1d'
echo '--- a full-screen program'
shell 'for i in 1 2 3; do echo LINE $i; done >/tmp/file; vi /tmp/file' 'file.* 1/3 33%'
see '^LINE 3'
see '^~'
shell 'G' 'file.* 3/3 100%'
shell ':q!' 'guest# *$'
shell 'sh /full/full.sh' '^HELLO'
enter 'yes'
see 'FULL- 7d 40 c9 00 00 00 00 00 1d c1 a8 85 a2'
echo '--- a second terminal has a display of its own, a third none, and a name is somebody else'\''s'
terminal two 3278-2-E
t 'Query(LuName)'
[ "$screen" = $'00C0\n' ] || fail "the second LU name is $screen"
terminal three 3278-2
see 'No terminal address is free'
hang_up three
to=CONSOLE@127.0.0.1:$port
! try_terminal four 3278-2-E || fail 'a display in use is given out twice'
to=
hang_up four
hang_up two
echo '--- it vanishes, and the guest goes on; another one finds the screen as it is'
now=one
shell 'clear; echo $((999 + 1)) gone; cat' '^1000 gone'
kill -9 "${S_PID[one]}"
to=CONSOLE@127.0.0.1:$port
until try_terminal back 3278-4-E -codepage cp037; do
    hang_up back # the end of the other one has not been noticed yet
done
see '^1000 gone'
to=
[ "$(wc -l <<<"$screen")" = 25 ] || fail "model 4 shows $(wc -l <<<"$screen") lines of a model 2 screen"
shell 'still here' '^still here'
t 'Attn()'
hang_up back
echo '--- and one that knows neither TN3270E nor extended attributes'
terminal plain 3278-3 -xrm 's3270.tn3270e: false' -codepage cp037
see 'still here'
shell 'and here' '^and here'
t 'Clear()'
see 'and here'
echo '--- ^c interrupts, ^d ends, ^z stops'
shell '^c' 'guest# *$'
shell 'echo STATUS-$?; cat; echo ENDED-$?' 'STATUS-130'
shell '^d' 'ENDED-0'
shell 'cat' .
shell '^z' 'Stopped'
shell 'kill %1; cat' .
hang_up plain
"$ROOT/tests/lib/c3270.py" "127.0.0.1:$port" "$WAIT_SECONDS" 'see:and here' 'type:by c3270\r' 'see:by c3270' 'see:by c3270'
kill -TERM $guest
wait $guest && status=0 || status=$?
[ $status = 0 ] || fail "SIGTERM: status $status: $(cat "$TEST_TMP/guest.err")"

echo '--- a big screen of its own size, on IPv6, by TLS, without TN3270E'
certificate "$TEST_TMP/console.pem"
boot '[::1]:0' --certificate "$TEST_TMP/console.pem"
to="L:[::1]:$port"
terminal big 3279-4-E -oversize 132x60 -noverifycert -xrm 's3270.tn3270e: false' -codepage cp037
to_the_shell
[ "$(wc -l <<<"$screen")" = 61 ] || fail "132 by 60 shows $(wc -l <<<"$screen") lines"
shell 'stty size' '^58 132'
exec {clear}<>"/dev/tcp/::1/$port" # in clear: nobody is served
printf '\xff\xfb\x18' >&"$clear"
! timeout "$WAIT_SECONDS" grep -aq $'\xff' <&"$clear" || fail 'a terminal without TLS is served'
exec {clear}>&-
shell 'seq 1 57 | xargs; echo END-$((1+1))' 'END-2'
shell 'poweroff -f' . || true
wait $guest && status=0 || status=$?
[ $status = 0 ] || fail "poweroff: status $status: $(cat "$TEST_TMP/guest.err")"
t 'Wait(20,Disconnect)' || fail 'the terminal is still connected'
expect 2 'no such console' endicott ipl --image /dev/null --console tn3270:x
expect 2 'no certificate with its private key' endicott ipl --image /dev/null --console tn3270:0 --certificate /dev/null
expect 2 'not DEVNO' endicott ipl --image /dev/null --console tn3270:0 --display 9=A,9=B
echo "tn3270_display: passed"
