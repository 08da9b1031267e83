# Sourced by tests/scenarios/*.sh: steps are said as they are done; what was checked is a table at the end, and so are the figures of the
# relocations that there were (`figures` remembers those that members know of, before one of them ends).

table=()
scenario_begun=$SECONDS

step() { # text
    printf '\n=== %s\n' "$*"
}

checked() { # what, value
    table+=("$1|$2|$((SECONDS - scenario_begun)) s")
}

figures() { "$ROOT/tests/lib/figures.py" "$ENDICOTT_RUN" "$TEST_TMP/figures"; }

# The tables; the last line of a scenario that has passed.
closing() { # name: title
    printf '\n%s\n' "$1"
    {
        echo 'checked|found|after'
        printf '%s\n' "${table[@]}"
    } | column -t -s '|'
    [ ! -s "$TEST_TMP/figures" ] || { echo && "$ROOT/tests/lib/figures.py" --show "$TEST_TMP/figures"; }
    echo "$(basename "$0" .sh): passed"
}
