# Sourced by tests/scenario/tn3270_*.sh, behind cluster.sh: 3270 terminals, driven through s3270.
# Wants $port. No sleep anywhere: the terminal tells when there is output.

declare -A S_IN S_OUT S_PID
screen=
before_cleanup() { kill "${S_PID[@]}" 2>/dev/null; }

certificate() { # file: for 127.0.0.1 and ::1, with its key
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$1" -out "$1.cert" 2>/dev/null
    cat "$1.cert" >>"$1"
}

# terminal NAME MODEL [OPTION...]: an s3270 of its own, connected to $to (127.0.0.1:$port); NAME is what t
# and see talk to from here on. try_terminal: false when it gets no connection, or no device
terminal() {
    try_terminal "$@" || fail "$1: no connection: $screen"
}
try_terminal() {
    local in out name=$1 model=$2
    shift 2
    rm -f "$TEST_TMP/$name.in" "$TEST_TMP/$name.out"
    mkfifo "$TEST_TMP/$name.in" "$TEST_TMP/$name.out"
    s3270 -model "$model" "$@" <"$TEST_TMP/$name.in" >"$TEST_TMP/$name.out" 2>&1 &
    S_PID[$name]=$!
    exec {in}>"$TEST_TMP/$name.in" {out}<"$TEST_TMP/$name.out"
    S_IN[$name]=$in S_OUT[$name]=$out
    now=$name
    t "Connect(${to:-127.0.0.1:$port})"
}

# t ACTION: carried out at the terminal $now; its data lines are left in $screen
t() {
    local line
    screen=
    printf '%s\n' "$1" >&"${S_IN[$now]}"
    while IFS= read -r -t "$WAIT_SECONDS" line <&"${S_OUT[$now]}"; do
        case $line in
        ok) return 0 ;;
        error) return 1 ;;
        data:*) screen+="${line#data: }"$'\n' ;;
        esac
    done
    fail "$now: s3270 gives no answer to $1"
}

# see REGEX: wait until the screen shows it
see() {
    local end=$((SECONDS + WAIT_SECONDS))
    while t 'Ascii()' && ! grep -Eq -- "$1" <<<"$screen"; do
        [ $SECONDS -lt $end ] || fail "$now never shows $1:"$'\n'"$screen"
        t 'Wait(1,Output)' || true
    done
}

sees_not() { # regex: on the screen as it is
    t 'Ascii()'
    ! grep -Eq -- "$1" <<<"$screen" || fail "$now shows $1:"$'\n'"$screen"
}

enter() { # text
    t "String(\"$1\")" && t 'Enter()' || fail "$now: the keyboard is locked: $screen"
}

logon() { # userid password
    see 'Fill in your USERID and PASSWORD and press ENTER'
    t "String(\"$1\")" || fail "$now: the keyboard is locked"
    [ ${#1} = 8 ] || t 'Tab()' # a full field is left by itself
    enter "$2"
}

hang_up() { # name
    now=$1
    t 'Quit()' || true
    wait "${S_PID[$1]}" 2>/dev/null || true
}
