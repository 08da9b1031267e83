# Sourced by tests/scenario/relocate_*.sh: two members, and LINUX1 with Debian's kernel on MEMBERA.
# The source compares all of storage with what it has sent before every hand-over.

. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
export ENDICOTT_LGR_VERIFY=1
GUEST_FILES=${GUEST_FILES:-$ROOT/${ENDICOTT_BUILD:-build}/guest}
LOGGED_ON_HERE='LINUX1 +- DSC' # elsewhere it would be "- SSI"
frozen=

thaw() {
    [ -z "$frozen" ] || kill -CONT "$frozen" 2>/dev/null || true
    frozen=
}
before_cleanup() { thaw; }

pid_of() { # member
    endicott status --json | python3 -c "
import json, sys
print(next(m['pid'] for m in json.load(sys.stdin) if m['member'] == '$1'))"
}

# When it returns, the member is gone: a process that was killed has its locks until its storage is released, and who
# starts it again before that is told that it is running.
kills() { # member
    kill -KILL "$(pid_of "$1")"
    until ! endicott status --json | grep -q "\"member\": \"$1\""; do moment; done
}

freeze() { # member
    frozen=$(pid_of "$1")
    kill -STOP "$frozen"
}

on_guest() { # regex: a new or old line of LINUX1's console, wherever it is; prints it
    endicott wait -u LINUX1 --match "$1" --since-start --timeout "$WAIT_SECONDS" | tail -n 1
}

boot_guest() { # wants $cluster
    echo "console=ttyS0 $QUICK_BOOT" >"$TEST_TMP/parmfile"
    endicott up "$cluster" >/dev/null
    endicott punch -m MEMBERA -u LINUX1 "$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" \
        "$GUEST_FILES/initramfs.cpio.lz4" >/dev/null
    expect 0 'Command accepted' cp_on MEMBERA XAUTOLOG LINUX1
    on_guest ENDICOTT-GUEST-READY >/dev/null
}

memspin() { # MiB, 64
    endicott send -u LINUX1 "memspin -m ${1:-64}"
    on_guest 'HB n=3 ' >/dev/null
}

# The heartbeat number of the last line so far; fails when the guest found its memory damaged.
heartbeat() { # member
    local line
    line=$(endicott wait -m "$1" -u LINUX1 --match 'HB n=[0-9]+ .* bad=' --timeout "$WAIT_SECONDS" |
        grep -o 'HB n=.*' | tail -n 1)
    grep -q 'bad=0' <<<"$line" || fail "the guest's memory is damaged: $line"
    sed 's/HB n=\([0-9]*\) .*/\1/' <<<"$line"
}

# The guest is logged on at the first member, not at the second, and its program goes on.
lives_on() { # here elsewhere
    local first second
    expect 0 "$LOGGED_ON_HERE" cp_on "$1" QUERY NAMES
    if [ "$2" != - ]; then
        ! grep -Eq "$LOGGED_ON_HERE" <<<"$(cp_on "$2" QUERY NAMES)" || fail "$2 has LINUX1 too"
    fi
    first=$(heartbeat "$1")
    second=$first
    for _ in {1..1000}; do # a line that has not ended yet counts, and is told again
        [ "$second" = "$first" ] || break
        second=$(heartbeat "$1")
    done
    [ "$second" -gt "$first" ] || fail "LINUX1 stands still on $1"
}

# Start MOVE in the background and return when STATUS shows storage being moved.
move_under_way() { # options of MOVE...
    local tries=0
    endicott cp -m MEMBERA VMRELOCATE MOVE LINUX1 MEMBERB "$@" >"$TEST_TMP/move" 2>&1 &
    mover=$!
    until grep -q 'Moving memory' <<<"$(cp_on MEMBERA VMRELOCATE STATUS USER LINUX1 2>/dev/null)"; do
        kill -0 $mover 2>/dev/null || return 1
        tries=$((tries + 1))
        [ $tries -lt 20000 ] || fail "STATUS never shows the relocation"
    done
}
