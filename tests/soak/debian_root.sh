#!/bin/bash
# A Debian system on a 3390: Debian's packages are installed in the guest by its own dpkg (their scripts run there, the
# initramfs is made and zipl is run there), then the machine is loaded from that disk: systemd comes up, somebody logs in
# at the prompt, the files are there, and a second start finds what the first one left.
set -euo pipefail
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$ROOT/tests/lib/disk_guest.sh"
"$ROOT/tests/guest/fetch.sh" --root || fail "the packages cannot be fetched"
cd "$TEST_TMP"

"$ENDICOTT" dasd init root.cckd --cylinders 3339
initrd install <"$ROOT/tests/guest/debian_install.sh"
# Of the two consoles the line-mode one has a prompt: both would take what is typed.
echo "$QUICK_BOOT systemd.mask=serial-getty@ttysclp0.service" >parm
truncate -s %512 install.initrd # what is not compressed begins at a word
(cat "$guest/root.cpio" && echo parm | cpio --quiet -o -H newc -R 0:0) >>install.initrd
boot install --disk 0200=root.cckd --memory 3G --timeout 3000
saw install '^zipl 0$'
saw install '^packages: ([0-9]+) of \1$'
saw install '^fsck 0$'
"$ENDICOTT" dasd check root.cckd || fail "root.cckd is damaged"

cat >login.py <<'PY'
"""Loads the machine from its disk, logs in at the prompt, runs a few commands, powers off; all by what the console says."""
import os, pty, re, select, subprocess, sys, time

endicott, limit_s = sys.argv[1], 900
master, slave = pty.openpty()
machine = subprocess.Popen([endicott, "ipl", "--load", "0200", "--disk", "0200=root.cckd", "--memory", "1G", "--cpus", "2",
                            "--timeout", str(limit_s)], stdin=slave, stdout=slave, stderr=sys.stderr)
os.close(slave)
raw, said, seen, began = "", "", 0, time.monotonic()


def await_text(regex):
    """Until the console says it, behind what was awaited before."""
    global raw, said, seen
    while not (found := re.compile(regex, re.M).search(said, seen)):
        ready = select.select([master], [], [], began + limit_s - time.monotonic())[0]
        try:
            data = os.read(master, 65536) if ready else b""
        except OSError:
            data = b""
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        if not data:
            sys.exit(f"login: the console never said {regex!r}")
        raw += data.decode("latin-1")
        said = re.sub(r"\r|\x1b\[[?\d;]*[A-Za-z]", "", raw)
    seen = found.end()
    return found


def send(text):
    os.write(master, (text + "\n").encode())


await_text(r"Debian GNU/Linux 12 endicott \S+")
await_text(r"endicott login:")
print(f"\nlogin: the prompt came after {time.monotonic() - began:.0f} s", file=sys.stderr)
send("root")
await_text(r"Password:")
send("endicott")
await_text(r"root@endicott:")
send("systemctl is-system-running; echo state $?")
state = await_text(r"^(\w+)\n+state (\d)").group(1)
send("systemctl --failed --no-legend --plain | cat; echo boots $(wc -l </var/boots) $(findmnt -no SOURCE /)")
boots = int(await_text(r"^boots (\d+) /dev/dasda1").group(1))
send("lsdasd; dpkg --audit; dpkg -l | grep -c ^ii; echo listed")
await_text(r"^0\.0\.0200 +active +dasda +94:0 +ECKD +4096")
await_text(r"^listed")
send("echo again >>/var/boots; poweroff")
while machine.poll() is None:
    if select.select([master], [], [], 1)[0]:
        try:
            sys.stdout.buffer.write(os.read(master, 65536))
        except OSError:
            break
status = machine.wait()
print(f"login: state {state}, boots {boots}, exit status {status}", file=sys.stderr)
sys.exit(0 if status == 0 and state == "running" and boots == int(sys.argv[2]) else 1)
PY
for boots in 1 2; do
    python3 login.py "$ENDICOTT" $boots >login 2>messages || {
        tail -n 60 login messages >&2
        fail "start $boots of the system"
    }
    cat messages
    "$ENDICOTT" dasd check root.cckd || fail "root.cckd is damaged after start $boots"
done
echo "debian_root: passed"
