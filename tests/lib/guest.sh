# Sourced by tests/lib/oracle.sh and cluster.sh: how a test boots its Linux.

# Leaves out what half of a boot goes into and no test looks at: the self-tests of the kernel's ciphers and a
# list of all its functions. scenario/ipl_linux and `make demo` boot without it.
QUICK_BOOT='cryptomgr.notests initcall_blacklist=crypto_kdf108_init,init_kprobe_trace'
