#!/bin/bash
# Debian's own lscpu, chcpu, lsmem and chmem (util-linux for s390x) drive CPUs and storage off and on in a running
# guest: what they say, and what the kernel counts afterwards.
set -euo pipefail
. "$(dirname "$0")/../lib/oracle.sh"

"$ROOT/tests/guest/fetch.sh" --programs || fail "the packages cannot be fetched"
cd "$TEST_TMP"
cat "$guest/initramfs.cpio.lz4" "$guest/debian.cpio.lz4" >initrd
cat >in_guest.sh <<'GUEST'
mount -t proc proc /debian/proc
mkdir -p /debian/sys
mount -t sysfs sysfs /debian/sys
in_debian() { PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot /debian "$@"; }
in_debian lscpu -e=CPU,ONLINE,CONFIGURED,POLARIZATION
in_debian chcpu -d 1-2
in_debian chcpu -g 2
in_debian chcpu -e 2 2>&1
in_debian lscpu -a -e=CPU,ONLINE,CONFIGURED
nproc
in_debian chcpu -c 2
in_debian chcpu -e 1,2
in_debian chcpu -p vertical
in_debian chcpu -r
nproc
in_debian lsmem -b --summary=only
in_debian chmem -e 256M
in_debian chmem -d 256M
in_debian chmem -e 512M
in_debian lsmem -b --summary=only
GUEST
command=$(gzip -9n <in_guest.sh | base64 -w 0)
"$ENDICOTT" ipl --kernel "$guest/kernel.quick" --initrd initrd --cpus 3 --memory 512M --standby 512M --timeout 900 \
    --append "endicott.run=\"echo $command | base64 -d | gunzip | sh\"" >log 2>messages </dev/null ||
    fail "status $?: $(tail -n 20 log messages)"
between log | sed 's/ *$//' >said || fail "the guest ended otherwise: $(tail -n 20 log)"
diff - said <<'SAID' || fail "the programs say something else"
CPU ONLINE CONFIGURED POLARIZATION
  0    yes yes        horizontal
  1    yes yes        horizontal
  2    yes yes        horizontal
CPU 1 disabled
CPU 2 disabled
CPU 2 deconfigured
chcpu: CPU 2 enable failed (CPU is deconfigured): Input/output error
CPU ONLINE CONFIGURED
  0    yes yes
  1     no yes
  2     no no
1
CPU 2 configured
CPU 1 enabled
CPU 2 enabled
Successfully set vertical dispatching mode
Triggered rescan of CPUs
3
Memory block size:            268435456
Total online memory:          536870912
Total offline memory:         536870912
Memory block size:            268435456
Total online memory:         1073741824
Total offline memory:                 0
SAID
echo "chcpu: passed"
