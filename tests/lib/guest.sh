# Sourced by tests/lib/oracle.sh and cluster.sh: how a test boots its Linux.

# Leaves out what half of a boot goes into and no test looks at: the self-tests of the kernel's ciphers, a list of
# all its functions, the files of its tracing. With it goes kernel.quick, the same kernel stored instead of packed, and
# initramfs.cpio.lz4: a boot takes a third of the processor time. scenario/ipl_linux and `make demo` boot without all that,
# scenario/cp_guest and lockstep boot the kernel as Debian packs it.
QUICK_BOOT='cryptomgr.notests initcall_blacklist=crypto_kdf108_init,init_kprobe_trace,tracer_init_tracefs'
