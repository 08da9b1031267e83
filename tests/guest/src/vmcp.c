/* vmcp: issue a CP command from the guest through the kernel's /dev/vmcp (DIAGNOSE X'08'), print
 * its response, then `VMCP-RC code length`. Exit status 0 when CP's return code is 0.
 *   vmcp [-b BYTES] [-n TIMES] COMMAND...      -n: so often, response printed once at the end
 * Interface: Linux drivers/s390/char/vmcp.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VMCP_GETCODE _IOR(0x10, 1, int)
#define VMCP_SETBUF _IOW(0x10, 2, int)
#define VMCP_GETSIZE _IOR(0x10, 3, int)
#define COMMAND_BYTES 240
#define RESPONSE_BYTES 65536

static void die(const char *what)
{
    printf("vmcp: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void issue(int fd, const char *command)
{
    if (write(fd, command, strlen(command)) < 0)
        die("write");
}

static int answer(int fd)
{
    static char text[RESPONSE_BYTES];
    int code = -1, size = -1;
    if (ioctl(fd, VMCP_GETCODE, &code) || ioctl(fd, VMCP_GETSIZE, &size))
        die("ioctl");
    ssize_t n = read(fd, text, sizeof text);
    if (n < 0)
        die("read");
    fwrite(text, 1, (size_t)n, stdout);
    printf("VMCP-RC %d %d\n", code, size);
    return code != 0;
}

int main(int argc, char **argv)
{
    char command[COMMAND_BYTES + 1] = "";
    int option, bytes = 0;
    long times = 1;
    while ((option = getopt(argc, argv, "+b:n:")) != -1)
        if (option == 'b')
            bytes = atoi(optarg);
        else if (option == 'n')
            times = atol(optarg);
    for (int i = optind; i < argc; i++) {
        size_t at = strlen(command);
        snprintf(command + at, sizeof command - at, "%s%s", at ? " " : "", argv[i]);
    }
    int fd = open("/dev/vmcp", O_RDWR);
    if (fd < 0)
        die("/dev/vmcp");
    if (bytes && ioctl(fd, VMCP_SETBUF, &bytes))
        die("VMCP_SETBUF");
    for (long i = 0; i < times; i++)
        issue(fd, command);
    return answer(fd);
}
