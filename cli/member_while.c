/* --while PID: members that end with the process they belong to, a script, however it ends.
 * What is watched is a pidfd, so a number that another process gets later does no harm. Loop
 * thread. */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/member_internal.h"

static void on_end(uv_poll_t *handle, int status, int events)
{
    struct member *m = handle->data;
    char by[48];
    (void)status;
    (void)events;
    uv_poll_stop(handle);
    snprintf(by, sizeof by, "the end of process %ld", m->opt.while_pid);
    member_shutdown(m, false, by);
}

int member_while_open(struct member *m, struct cause *cause)
{
    m->while_fd = -1;
    if (!m->opt.while_pid)
        return ST_OK;
    m->while_fd = (int)syscall(SYS_pidfd_open, m->opt.while_pid, 0);
    if (m->while_fd < 0)
        return cause_set(cause, ST_NOENT, "--while: process %ld: %s", m->opt.while_pid,
                         strerror(errno));
    uv_poll_init(&m->loop, &m->while_poll, m->while_fd);
    m->while_poll.data = m;
    uv_poll_start(&m->while_poll, UV_READABLE, on_end);
    return ST_OK;
}

static void closed(uv_handle_t *handle)
{
    struct member *m = handle->data;
    close(m->while_fd);
}

void member_while_close(struct member *m)
{
    if (m->while_fd >= 0)
        uv_close((uv_handle_t *)&m->while_poll, closed);
}
