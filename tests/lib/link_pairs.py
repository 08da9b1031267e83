#!/usr/bin/env python3
"""link_pairs.py PAIRS SOCKET USER [SOCKET USER ...]: each user, all at the same time, links minidisks 200 to 203 of OWNER in every mode
and detaches them, until PAIRS links were given in all; one that is refused is tried in the next mode. Then nobody has one: each
user gets each minidisk exclusively. Prints how many a second."""
import sys
import threading
import time

from member import Member

MODES = "R RR W WR M MR MW SR SW SM ER EW".split()
DISKS = (0x200, 0x201, 0x202, 0x203)
FORCED = range(101, 104)
REFUSED = range(104, 107)


class User(threading.Thread):
    """Links and detaches, until there have been `pairs`."""

    def __init__(self, path, user, pairs, seed):
        super().__init__()
        self.member, self.user, self.pairs, self.seed = Member(path), user, pairs, seed
        self.given = self.refused = 0
        self.failure = None

    def command(self, command):
        """Return code of a command of the user's."""
        answer = self.member.call("cp", user=self.user, command=command)
        return answer["rc"], answer["lines"]

    def link(self, disk, mode):
        """Link and detach; false: refused."""
        rc, lines = self.command(f"LINK OWNER {disk:03X} 300 {mode}")
        if rc in REFUSED:
            return False
        if rc and rc not in FORCED:
            raise RuntimeError(f"{self.user}: LINK {disk:03X} {mode}: {lines}")
        rc, lines = self.command("DETACH 300")
        if rc:
            raise RuntimeError(f"{self.user}: DETACH: {lines}")
        return True

    def run(self):
        step = self.seed
        try:
            while self.given < self.pairs:
                if self.link(DISKS[step % len(DISKS)], MODES[step // 3 % len(MODES)]):
                    self.given += 1
                else:
                    self.refused += 1
                step += 1
        except (RuntimeError, OSError, KeyError, ValueError, SystemExit) as error:
            self.failure = error


def main():
    pairs, rest = int(sys.argv[1]), sys.argv[2:]
    users = [User(path, name, pairs * 2 // len(rest), 5 * i)
             for i, (path, name) in enumerate(zip(rest[::2], rest[1::2]))]
    began = time.monotonic()
    for user in users:
        user.start()
    for user in users:
        user.join()
    took = time.monotonic() - began
    for user in users:
        if user.failure:
            sys.exit(f"{user.user}: {user.failure}")
    for user in users:
        for disk in DISKS:
            if not user.link(disk, "EW"):
                sys.exit(f"{user.user}: somebody still has {disk:03X}")
    given, refused = sum(u.given for u in users), sum(u.refused for u in users)
    print(f"{given} LINK and DETACH over {len(users)} users, {refused} LINKs refused: {took:.1f} s, "
          f"{given / took:.0f} pairs a second, {(2 * given + refused) / took:.0f} commands a second")


main()
