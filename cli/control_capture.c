/* net.capture: frames of a virtual switch to a socket of the client's in the run-time folder, which
 * is its owner's alone. The client waits there; it ends the capture by closing. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/control_internal.h"

/* A name in the run-time folder, not a path. */
static int reader_open(const char *name, struct cause *cause)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char folder[RUNDIR_PATH_BYTES];
    if (rundir_path(folder, cause))
        return -1;
    int n = snprintf(un.sun_path, sizeof un.sun_path, "%s/%s", folder, name);
    if (strchr(name, '/') || n >= (int)sizeof un.sun_path) {
        cause_set(cause, ST_INVAL, "socket: a name in the run-time folder is needed");
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof un) == 0)
        return fd;
    cause_set(cause, ST_IO, "%s: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* {vswitch, socket[, port][, userid][, mac]}: all texts. */
void control_capture(struct control_call *call)
{
    struct cause cause;
    const char *name = control_string(call, "socket");
    const struct cp_capture what = {
        control_string(call, "vswitch"), control_string(call, "port"),
        control_string(call, "userid"), control_string(call, "mac")};
    if (!name || !what.vswitch) {
        control_fail(call, ST_INVAL, "vswitch and socket are needed");
        return;
    }
    int fd = reader_open(name, &cause);
    if (fd < 0 || cp_capture(call->member->cp, &what, fd, &cause))
        control_fail(call, cause.status, "%s", cause.text);
    else
        control_reply(call, json_pack("{s:s, s:s}", "member", call->member->config->member,
                                      "vswitch", what.vswitch));
}
