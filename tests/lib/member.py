"""A client of a member's control socket, for tests."""
import json
import os
import socket
import sys


LIMIT_S = int(os.environ.get("WAIT_SECONDS", "600"))  # against hanging, as in cluster.sh


class Member:
    """One connection; a request that is refused, or not answered in `limit_s`, ends the program."""

    def __init__(self, path, limit_s=LIMIT_S):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(limit_s)
        self.socket.connect(path)
        self.answers = self.socket.makefile()

    def call(self, method, **params):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = json.loads(self.answers.readline())
            if answer.get("id") == 1:
                break
        if "error" in answer:
            sys.exit(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def command(self, text):
        answer = self.call("cp", command=text)
        if answer["rc"]:
            sys.exit(f"{text}: {answer}")
        return answer["lines"]


def used(pid):
    """Bytes resident, descriptors, threads."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident, len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


def processor_seconds(pid):
    """Processor time that it has had, user's and kernel's."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
