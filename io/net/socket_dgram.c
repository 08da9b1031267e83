/* Frames as datagrams: one frame each, to one peer (UDP or a Unix socket) or to a multicast group.
 * Frames of one's own that a group gives back are known by the address they come from. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/net/socket_internal.h"

/** Located by up->own; the uplink's thread has it. */
struct dgram {
    struct socket_address to, local;
    int fd;  /* that frames come in by */
    int out; /* that they leave by: `fd`, or another one for a group */
    bool bound, group;
    struct sockaddr_in own; /* where frames to a group leave from */
    int at;                 /* its place in up->fd */
    u8 frame[LAN_FRAME_MAX];
};

static enum uplink_sent dgram_output(struct uplink *up, const u8 *frame, size_t len)
{
    const struct dgram *d = up->own;
    ssize_t n = sendto(d->out, frame, len, MSG_NOSIGNAL, &d->to.at.any, d->to.len);
    return n == (ssize_t)len ? UPLINK_SENT
                             : UPLINK_DROPPED; /* nobody there, too long, no room */
}

static u32 dgram_fill(struct uplink *up)
{
    struct dgram *d = up->own;
    d->at = uplink_poll(up, d->fd, POLLIN);
    return UPLINK_WAIT_MAX_MS;
}

static bool is_own(const struct dgram *d, const struct socket_address *from)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&from->at;
    return d->group && in->sin_family == AF_INET && in->sin_port == d->own.sin_port &&
           in->sin_addr.s_addr == d->own.sin_addr.s_addr;
}

static void dgram_work(struct uplink *up, bool failed)
{
    struct dgram *d = up->own;
    if (failed || d->at < 0 || !up->fd[d->at].revents)
        return;
    for (unsigned i = 0; i < UPLINK_ROUND_FRAMES; i++) {
        struct socket_address from = {.len = sizeof from.at};
        ssize_t n = recvfrom(d->fd, d->frame, sizeof d->frame, 0, &from.at.any, &from.len);
        if (n < 0)
            return; /* no more; or that the peer is not there, which it may be soon */
        if (!is_own(d, &from))
            lan_send(up->port, d->frame, (size_t)n);
    }
}

static void dgram_words(const struct uplink *up, char out[UPLINK_WORDS_MAX])
{
    const struct dgram *d = up->own;
    if (d->group)
        snprintf(out, UPLINK_WORDS_MAX, "socket, multicast group %s", d->to.text);
    else
        snprintf(out, UPLINK_WORDS_MAX, "socket, datagrams from %s to %s", d->local.text,
                 d->to.text);
}

static void dgram_close(struct uplink *up)
{
    struct dgram *d = up->own;
    if (!d)
        return;
    if (d->out >= 0 && d->out != d->fd)
        close(d->out);
    if (d->fd >= 0)
        close(d->fd);
    if (d->bound)
        socket_unlink(&d->local);
    free(d);
}

static const struct uplink_kind dgram_kind = {.output = dgram_output,
                                              .fill = dgram_fill,
                                              .work = dgram_work,
                                              .words = dgram_words,
                                              .close = dgram_close};

/** Frames leave by a socket of their own, connected to learn its address. */
static int group_out(struct dgram *d, struct in_addr via, struct cause *cause)
{
    unsigned char on = 1;
    socklen_t len = sizeof d->own;
    d->out = socket_new(&d->to, SOCK_DGRAM, cause);
    if (d->out < 0)
        return ST_IO;
    if (setsockopt(d->out, IPPROTO_IP, IP_MULTICAST_IF, &via, sizeof via) < 0 ||
        setsockopt(d->out, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof on) < 0 ||
        connect(d->out, &d->to.at.any, d->to.len) < 0 ||
        getsockname(d->out, (struct sockaddr *)&d->own, &len) < 0)
        return cause_set(cause, ST_IO, "mcast=%s: %s", d->to.text, strerror(errno));
    return ST_OK;
}

static int group_open(struct dgram *d, const struct socket_options *o, struct cause *cause)
{
    const struct sockaddr_in *local = (const struct sockaddr_in *)&o->local.at;
    const struct sockaddr_in *group = (const struct sockaddr_in *)&o->mcast.at;
    struct in_addr via = {o->local.len ? local->sin_addr.s_addr : htonl(INADDR_ANY)};
    const struct ip_mreq join = {group->sin_addr, via};
    if (o->local.len && o->local.at.any.sa_family != AF_INET)
        return cause_set(cause, ST_INVAL, "local=%s: not an address of IPv4", o->local.text);
    d->group = true;
    int rc = socket_bind(d->fd, &d->to, cause);
    if (rc)
        return rc;
    if (setsockopt(d->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) < 0)
        return cause_set(cause, ST_IO, "mcast=%s: %s", d->to.text, strerror(errno));
    return group_out(d, via, cause);
}

int socket_dgram_open(struct uplink *up, const struct socket_options *o, struct cause *cause)
{
    struct dgram *d = calloc(1, sizeof *d);
    if (!d)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    up->own = d;
    up->kind = &dgram_kind;
    up->up = true; /* nobody can tell */
    d->out = -1;
    d->to = o->mcast.len ? o->mcast : o->dgram;
    d->local = o->local;
    d->fd = socket_new(&d->to, SOCK_DGRAM, cause);
    if (d->fd < 0)
        return ST_IO;
    if (o->mcast.len)
        return group_open(d, o, cause);
    d->out = d->fd;
    int rc = socket_bind(d->fd, &d->local, cause);
    d->bound = rc == ST_OK;
    return rc;
}
