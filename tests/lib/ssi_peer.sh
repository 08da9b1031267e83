# Sourced by scenarios of cluster two: peers that are not what they say, and that nothing comes of them.

# The address of the first member in a PDR that is new.
ssi_port() {
    grep -aoE '127\.0\.0\.1:[0-9]+' "$cluster/volumes/COM001.pdr" | sed -n 1p
}

peer() { # case, digest
    python3 "$ROOT/tests/lib/ssi_peer.py" "$(ssi_port)" "$@"
}

operator() { # regex
    expect 0 "$1" endicott wait -m MEMBERA --match "$1" --since-start --timeout "$WAIT_SECONDS"
}

undisturbed() {
    local member
    for member in MEMBERA MEMBERB; do
        expect 0 'SSI Mode: Stable' cp_on $member QUERY SSI
        expect 0 '1 MEMBERA  Joined' cp_on $member QUERY SSI
        expect 0 '2 MEMBERB  Joined' cp_on $member QUERY SSI
    done
    expect 0 'LINUX2' cp_on MEMBERA QUERY NAMES AT ALL
}

