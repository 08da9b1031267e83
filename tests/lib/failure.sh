# Sourced by cluster.sh, oracle.sh and scenarios that need neither: what a test that fails says at last. Of a long log
# people see the end, so that the assertion that failed and the lines of the scripts that led to it stand there, whatever
# is shown before. Uses TEST_TMP; with $own_tmp, a folder to remove at the end.

if [ -z "${failures-}" ]; then
    failures=$TEST_TMP/failures # subshells write there, too
    : >"$failures"
    set -E # functions and subshells have the trap of errors
fi

# The lines that led to the caller's caller, the script's own first: cp_disks.sh:61 cp_disks.sh:49
led_here() {
    local i out=
    for ((i = ${#BASH_SOURCE[@]} - 1; i > 1; i--)); do
        out+="${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]} "
    done
    echo "${out% }"
}

fail() {
    echo "FAIL: $*" >&2
    printf 'FAIL: %s: %s\n' "$(led_here)" "$*" >>"$failures"
    exit 1
}

# What the caller's caller was called with, if it is a function.
operands() {
    [ "${FUNCNAME[2]}" = main ] || printf '%.200s' "${*:+ [$*]}"
}

# A command ended with a status that nobody looks at. That of what contains it is no news.
errs() { # status, command, operands of the function it is in...
    local here last
    here=$(led_here) last=$(tail -n 1 "$failures")
    [[ $last = "FAIL: $here"[\ :]* ]] ||
        printf 'FAIL: %s: exit status %s: %s%s\n' "$here" "$1" "$2" "$(operands "${@:3}")" >>"$failures"
}
trap 'errs $? "$BASH_COMMAND" "$@"' ERR

# A signal ends the test. In its trap the shell does not know the line it is on.
stopped() { # signal, status, operands of the function that was under way...
    local here
    here=$(led_here)
    printf 'FAIL: %s: stopped by SIG%s in %s%s\n' "${here% *}" "$1" "${FUNCNAME[1]}" "$(operands "${@:3}")" >>"$failures"
    exit "$2"
}
trap 'stopped HUP 129 "$@"' HUP
trap 'stopped INT 130 "$@"' INT
trap 'stopped TERM 143 "$@"' TERM

# Between two looks for what is awaited: without it the loop takes a processor from what it waits for.
moment() { sleep 0.05; }

FAILURE_LINES=16
say_failure() { # exit status of the test
    [ "$1" != 0 ] || return 0
    [ -s "$failures" ] || echo "FAIL: exit status $1" >>"$failures"
    echo "--- exit status $1; what failed:"
    tail -n "$FAILURE_LINES" "$failures"
}

ends() { # exit status
    trap - ERR
    exec >&2 # what ended it may have had its output elsewhere
    say_failure "$1"
    [ -z "${own_tmp-}" ] || rm -rf "$own_tmp"
}
[ -n "$(trap -p EXIT)" ] || trap 'ends $?' EXIT # cluster.sh has more to do
