# Sourced by scenarios that type into the shells of CP's guests; wants tests/lib/cluster.sh.

# A line of the console is cut behind some 150 characters. What goes on in the background stands in parentheses: the shell
# takes the end of a child of its own, while it reads, for the end of its input.
runs() { # user, command for the guest's shell, which must end well; what it printed is $TEST_TMP/step
    step=$((${step:-0} + 1))
    endicott send -u "$1" "$2; echo S$step-\$?"
    endicott wait -u "$1" --match "(^|# )S$step-[0-9]" --since-start --timeout "$WAIT_SECONDS" >"$TEST_TMP/step"
    grep -q "S$step-0" "$TEST_TMP/step" || fail "$1: $2: $(tail -n 5 "$TEST_TMP/step")"
}

starts() { # user, member: it is IPLed from $TEST_TMP/shell.initrd, and its shell is asked for nothing yet
    endicott punch -m "${2:-MEMBERA}" -u "$1" "$GUEST_FILES/kernel.quick" "$TEST_TMP/parmfile" "$TEST_TMP/shell.initrd" >/dev/null
    expect 0 'Command accepted' cp_on "${2:-MEMBERA}" XAUTOLOG "$1"
}

started() { # user: its shell is there
    endicott wait -u "$1" --match ENDICOTT-GUEST-READY --since-start --timeout "$WAIT_SECONDS" >/dev/null
    runs "$1" '. /lib.sh'
}
