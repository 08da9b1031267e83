#!/usr/bin/env python3
"""The last lines of the consoles of users who are logged on at a member: consoles.py SOCKET [USERID...], all of them
unless named, and then also what their machines are doing. A line that is not complete yet is the last one."""
import json
import socket
import sys

LINES = 120
SECONDS = 60


class Member:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS)
        self.socket.connect(path)
        self.answers = self.socket.makefile()

    def call(self, method, **params):
        """The result; nothing, when it is refused."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(self.answers.readline()).get("result", {})


def main():
    member = Member(sys.argv[1])
    users = sys.argv[2:] or [u["user"] for u in member.call("vm.list").get("users", [])]
    for user in users:
        console = member.call("console.read", user=user, **{"from": 0})
        texts = [line["text"] for line in console.get("lines", [])[-LINES:]]
        for text in texts + [console["partial"]] * bool(console.get("partial")):
            print(f"{user}: {text}")
    for user in [] if sys.argv[2:] else users:
        for text in member.call("vm.report", user=user).get("lines", []):
            print(f"{user} now: {text}")


main()
