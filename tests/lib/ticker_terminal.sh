# Sourced by tests/scenarios/*.sh behind ticker.sh: a terminal by which a user is logged on. Its connection (TCP) stays open while the
# user's machine goes from member to member.

. "$ROOT/tests/lib/s3270.sh"

terminals() { # CLUSTER MEMBER: that one listens for terminals
    echo 'CNSLPORT 127.0.0.1:0' >>"$1/hardware/$2.cnf"
}

ticker_terminal() { # member user: as `ticker`, by way of a terminal
    port=$(endicott status --json | python3 -c "
import json, sys
print(next(m['console_port'] for m in json.load(sys.stdin) if m['member'] == '$1'))")
    endicott punch -m "$1" -u "$2" "$TEST_TMP/ticker" >/dev/null
    terminal "$2" 3279-2
    see 'z/VM ONLINE'
    t 'Clear()' && enter "LOGON $2 $2"
    connected "$1" "$2"
    goes_on "$1" "$2"
}

connected() { # member user: where CP answers at the terminal, which was never connected anew
    now=$2
    t 'Clear()' && enter '#CP QUERY USERID'
    see "^$2 +AT $1"
}
