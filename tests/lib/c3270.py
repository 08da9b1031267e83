#!/usr/bin/env python3
"""Drives c3270 in a terminal of its own: c3270.py HOST SECONDS STEP..., a step being see:REGEX or type:TEXT (Enter is \\r)."""
import os
import pty
import re
import select
import signal
import sys
import time


def main():
    host, limit, steps = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execvp("c3270", ["c3270", "-model", "3279-2-E", "-codepage", "cp037", "-noprompt", host])
    seen = b""
    try:
        for step in steps:
            what, _, text = step.partition(":")
            if what == "type":
                os.write(terminal, text.encode().decode("unicode_escape").encode())
                continue
            end = time.monotonic() + limit
            while not (found := re.search(text.encode(), seen)):
                if time.monotonic() > end:
                    sys.exit(f"c3270 never shows {text}: {seen[-2000:]!r}")
                if select.select([terminal], [], [], 1)[0]:
                    seen += os.read(terminal, 65536)
            seen = seen[found.end():]  # the next may be there already
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


main()
