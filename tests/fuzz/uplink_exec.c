/* libFuzzer's entry to tests/lib/uplink_exec.c; `make fuzz`. One end of a pair of sockets passes for
 * a tap device. */
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "tests/fuzz/budget.h"
#include "tests/lib/uplink_exec.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Instead of the C library's: the program asks what kind of device a descriptor is. */
int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    va_start(ap, request);
    void *arg = va_arg(ap, void *);
    va_end(ap);
    if (request != TUNGETIFF || fd != uplink_exec_tap())
        return (int)syscall(SYS_ioctl, fd, request, arg);
    struct ifreq *r = arg;
    memset(r, 0, sizeof *r);
    strcpy(r->ifr_name, "tap0");
    r->ifr_flags = IFF_TAP | IFF_NO_PI;
    return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    uplink_exec_run(data, size);
    budget_count();
    return 0;
}
