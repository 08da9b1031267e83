#!/bin/bash
# endicott console and attach on a terminal: a line is completed by Tab from CP's own table, one typed before comes back, and
# ctrl-D ends it. Needs a program built with libedit.
set -euo pipefail
. "$(dirname "$0")/../lib/cluster.sh"
"$ENDICOTT" --version | grep libedit >/dev/null || exit 77
cluster=$TEST_TMP/two
sample two "$cluster"
endicott up "$cluster" >/dev/null
expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
python3 - "$ENDICOTT" "$WAIT_SECONDS" <<'PYTHON'
import os, pty, re, select, sys, time


class Terminal:
    """A program of ours on a terminal of its own."""

    def __init__(self, *words):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ["TERM"] = "vt100"
            os.execv(sys.argv[1], [sys.argv[1], *words])

    def see(self, regex):
        end = time.monotonic() + float(sys.argv[2])
        while not re.search(regex, self.seen):
            ready = select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]
            try:
                more = os.read(self.fd, 4096) if ready else b""
            except OSError:
                more = b""
            if not more:
                sys.exit(f"never {regex}: {self.seen!r}")
            self.seen += more
        self.seen = self.seen[re.search(regex, self.seen).end():]

    def type(self, text):
        os.write(self.fd, text)

    def ends(self):
        self.type(b"\x04")
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


t = Terminal("console", "-m", "MEMBERA")
t.see(rb"ctrl-D ends this")
t.type(b"q userid\n")
t.see(rb"OPERATOR AT MEMBERA")
t.type(b"QUERY CPLE\t")
t.see(rb"VEL")
t.type(b"\n")
t.see(rb"Endicott CP Version")
t.type(b"\x10\x10")  # ctrl-P: the line before the last
t.type(b"\n")
t.see(rb"OPERATOR AT MEMBERA")
assert t.ends() == 0

t = Terminal("attach", "-m", "MEMBERA", "LINUX1")
t.see(rb"ctrl-D ends this")
t.type(b"#CP QUERY USER\t")
t.type(b"ID\n")
t.see(rb"LINUX1 +AT MEMBERA")
t.type(b"#CP QUERY SE\t")
t.type(b"\x10\n")  # ctrl-P: in place of what is half typed
t.see(rb"LINUX1 +AT MEMBERA")
assert t.ends() == 0
PYTHON
expect 0 'LINUX1 +- DSC' cp_on MEMBERA QUERY NAMES
expect 0 'has ended' endicott stop "$cluster"
echo "console_edit: passed"
