# Sourced by tests/scenarios/*.sh, behind relocate.sh and scenario_table.sh: two guests with Debian's kernel that must not notice what
# the cluster does. WORKER checks its memory and its clocks, writes files on ext4 and keeps their digests, and has one TCP connection to
# FRIEND all the time, by the switch WORK of their members (tests/guest/src/lgrsoak.c). Needs a z196 or newer.

. "$ROOT/tests/lib/nic_guest.sh"
nic_modules="ccwgroup llc stp bridge qeth qeth_l2 dasd_mod dasd_fba_mod crc32c_generic crc16 mbcache jbd2 ext4"

worker_at=64 # blocks, of its volume
worker_blocks=32768

# Before the members start: users, switch, and a volume with a file system.
worker_config() { # cluster [VMRELOCATE operands]
    local cluster=$1 file volume=$1/volumes/work01.raw user
    "$ROOT/tests/guest/fetch.sh" --modules drivers/s390/block/dasd_mod drivers/s390/block/dasd_fba_mod crypto/crc32c_generic \
        lib/crc16 fs/mbcache fs/jbd2/jbd2 fs/ext4/ext4
    nic_files
    endicott dasd init "$volume" --blocks 40000 >/dev/null
    mke2fs -q -t ext4 -E offset=$((worker_at * 512)) "$volume" $((worker_blocks / 2))k
    worker_volume=$volume
    sed -i 's/^USER_VOLUME_LIST.*/& WORK01/' "$cluster/system.config"
    for file in "$cluster"/hardware/*.cnf; do echo '03F1 9336 volumes/work01.raw volid=WORK01' >>"$file"; done
    {
        echo 'DEFINE VSWITCH WORK ETHERNET'
        for user in WORKER FRIEND; do echo "MODIFY VSWITCH WORK GRANT $user"; done
    } >>"$cluster/system.config"
    for user in WORKER FRIEND; do
        printf '\nUSER %s %s 96M 96M G\n  INCLUDE LINUX\n  VMRELOCATE ON %s\n' $user $user "${2-}"
        echo '  NICDEF 0600 TYPE QDIO LAN SYSTEM WORK'
        [ $user = FRIEND ] || echo "  MDISK 0200 FB-512 $worker_at $worker_blocks WORK01 MR"
    done >>"$cluster/user.direct"
}

worker_begins() { # member
    starts FRIEND "$1"
    starts WORKER "$1"
    started FRIEND
    runs FRIEND 'nic 0600 10.8.0.2'
    endicott send -u FRIEND 'lgrsoak -s 7'
    endicott wait -u FRIEND --match 'SOAK SERVES' --since-start --timeout "$WAIT_SECONDS" >/dev/null
    started WORKER
    runs WORKER 'nic 0600 10.8.0.1 && reaches 10.8.0.2 && echo 1 >/sys/bus/ccw/devices/0.0.0200/online'
    runs WORKER 'n=0; until test -b /dev/dasda || test $n = 6000; do usleep 50000; n=$((n + 1)); done; mkdir /mnt; mount -t ext4 /dev/dasda /mnt'
    worker_done=(0 0 0 0 0)
    endicott send -u WORKER 'lgrsoak -m 1 -w 50 -f /mnt -n 10.8.0.2:7'
    worker_here=$1
    worker_goes_on
}

# What its last line says, in worker_said: beats, passes of memory, files, lines answered, looks at clocks. None of them bad.
worker_says() {
    local line
    line=$(endicott wait -m "$worker_here" -u WORKER --match 'SOAK HB n=[0-9]+ .* bad=[0-9]' --timeout "$WAIT_SECONDS" | grep -o 'SOAK HB .*' | tail -n 1)
    [[ $line =~ n=([0-9]+)\ mem=([0-9]+)\ disk=([0-9]+)\ net=([0-9]+)\ clock=([0-9]+)\ bad=0 ]] || fail "WORKER at $worker_here: $line"
    worker_said=("${BASH_REMATCH[@]:1}")
}

# It is there and all it does goes on, from where it was; prints nothing.
worker_goes_on() {
    local tries=0 i=0
    while [ $i -lt 5 ]; do
        worker_says
        for ((i = 0; i < 5; i++)); do [ "${worker_said[i]}" -gt "${worker_done[i]}" ] || break; done
        tries=$((tries + 1))
        [ $tries -lt 1000 ] || fail "WORKER at $worker_here stands: ${worker_said[*]}, before ${worker_done[*]}"
        [ $i = 5 ] || moment
    done
    worker_done=("${worker_said[@]}")
}

worker_checked() { # where
    checked "WORKER $1" "files ${worker_done[2]}, lines of its connection ${worker_done[3]}, clock ${worker_done[4]}: none wrong"
}

worker_moved() { # from to [user]: by VMRELOCATE, FRIEND and WORKER unless one is named
    local user
    for user in ${3:-FRIEND WORKER}; do
        expect 0 "User $user has been relocated from $1 to $2" cp_on "$1" VMRELOCATE MOVE USER "$user" TO "$2"
        [ "$user" = FRIEND ] || worker_here=$2
    done
    worker_goes_on
    figures
}

# It ends; its file system is looked at by the host, its files have been by itself.
worker_ends() {
    local line
    endicott send -u WORKER stop
    line=$(endicott wait -u WORKER --match 'SOAK DONE .*' --since-start --timeout "$WAIT_SECONDS" | grep -o 'SOAK DONE .*' | tail -n 1)
    grep -q 'bad=0' <<<"$line" || fail "WORKER: $line"
    runs WORKER 'umount /mnt'
    dd if="$worker_volume" of="$TEST_TMP/work.fs" bs=512 skip=$worker_at count=$worker_blocks status=none
    e2fsck -fn "$TEST_TMP/work.fs" >"$TEST_TMP/work.fsck" 2>&1 || fail "WORKER's file system: $(cat "$TEST_TMP/work.fsck")"
    checked 'WORKER, at its end' "${line#*n=* }"
    checked "its file system, by e2fsck" "clean"
}
