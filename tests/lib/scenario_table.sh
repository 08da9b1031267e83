# Sourced by tests/scenarios/*.sh: steps are said as they are done, what was checked is a table at the end.

table=()
scenario_begun=$SECONDS

step() { # text
    printf '\n=== %s\n' "$*"
}

checked() { # what, value
    table+=("$1|$2|$((SECONDS - scenario_begun)) s")
}

# The table; the last line of a scenario that has passed.
closing() { # name: title
    printf '\n%s\n' "$1"
    {
        echo 'checked|found|after'
        printf '%s\n' "${table[@]}"
    } | column -t -s '|'
    echo "$(basename "$0" .sh): passed"
}
