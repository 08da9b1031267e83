#!/bin/bash
# Linux on the SCLP line-mode console, the SCLP ASCII console and a 3215: what stty sets, a key that interrupts, and a paste
# of 5000 lines, of which no line is lost, doubled or out of order. A line that a console cannot take is refused, with the reason.
set -euo pipefail
. "$(dirname "$0")/../lib/relocate.sh"
GUEST_FILES=${GUEST_FILES:-$ROOT/${ENDICOTT_BUILD:-build}/guest}

cat >"$TEST_TMP/typist.py" <<'PY'
"""typist.py INTERRUPT COMMAND...: COMMAND shows a guest's console at a shell's prompt; what is typed goes to its input."""
import hashlib, os, random, re, subprocess, sys, threading

interrupt, command = sys.argv[1].encode().decode("unicode_escape"), sys.argv[2:]
process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
seen = b""


def see(regex):
    global seen
    while not (found := re.search(regex, seen)):
        more = os.read(process.stdout.fileno(), 65536)
        if not more:
            sys.exit(f"never {regex}: {seen[-2000:]!r}")
        seen += more
    seen = seen[found.end():]
    return found


def enter(line):
    process.stdin.write(line.encode() + b"\n")
    process.stdin.flush()


if "AT_PROMPT" in os.environ:
    enter("")
see(rb"guest# ")
enter("stty -echo icanon; stty rows 40 cols 120; echo SIZE-$(stty size)-")
see(rb"SIZE-40 120-")
enter("(echo STAR''TED; exec cat); echo EN''DED")
see(rb"STARTED")
enter(interrupt)
see(rb"guest# ")
random.seed(5)
# Linux reads 160 characters of a line from a 3215.
paste = "".join(f"{n:06} " + "x" * random.randrange(150) + "\n" for n in range(5000))
enter("echo REA''DY; head -n 5000 | md5sum | sed 's/^/SUM-/'")
see(rb"READY")
typing = threading.Thread(target=lambda: (process.stdin.write(paste.encode()), process.stdin.flush()))
typing.start()
came = see(rb"SUM-(\w+)").group(1).decode()
typing.join()
if came != hashlib.md5(paste.encode()).hexdigest():
    sys.exit("what was pasted is not what came")
see(rb"guest# ")
enter("stty sane; poweroff -f")
process.stdin.close()
for _ in process.stdout:
    pass
sys.exit(process.wait())
PY

ipl() { # what interrupts, words of the kernel's command line, options...
    python3 "$TEST_TMP/typist.py" "$1" "$ENDICOTT" ipl --kernel "$GUEST_FILES/kernel.quick" \
        --initrd "$GUEST_FILES/initramfs.cpio.lz4" --timeout 900 --append "$QUICK_BOOT $2" "${@:3}"
}

echo '--- SCLP, line mode; then with relocations in the middle of the paste'
ipl '^c' ''
ipl '^c' '' --relocate-every 5000000
echo '--- SCLP, ASCII'
ipl '\x03' console=ttysclp0
echo '--- 3215, by endicott attach'
cluster=$TEST_TMP/two
sample two "$cluster"
boot_guest
! endicott send -u LINUX1 "$(printf '%0256d' 1)" 2>"$TEST_TMP/long" || fail 'a line of 256 characters is taken'
grep -q 'longer than the 255 characters' "$TEST_TMP/long" || fail "$(cat "$TEST_TMP/long")"
AT_PROMPT=1 python3 "$TEST_TMP/typist.py" '^c' "$ENDICOTT" attach -m MEMBERA LINUX1
echo "consoles: passed"
