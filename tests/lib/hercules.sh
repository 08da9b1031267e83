# Sourced by tests that ask Hercules' disk tools (Debian's package hercules); needs `fail`.

# dasdcopy OPTIONS FROM TO. Version 3.13 now and then dies of a double free of its own: it is asked again then.
copies() { # options, from, to
    local status
    for _ in 1 2 3 4 5; do
        status=0
        dasdcopy -q "$@" >out 2>&1 || status=$?
        [ $status != 0 ] || return 0
        [ $status -ge 128 ] || break
        rm -f "${@: -1}"
    done
    fail "dasdcopy $*: status $status: $(cat out)"
}
