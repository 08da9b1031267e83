/* Frames over a stream: a length of four bytes, big-endian, before each. A server has one peer at a
 * time; a client connects again when it has lost its own. What a peer sends that is no frame ends
 * the connection; what it sends faster than adapters take is dropped there, and counted. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/net/socket_internal.h"

#define LENGTH_BYTES 4u
#define RX_BYTES (2u * (LENGTH_BYTES + LAN_FRAME_MAX))
#define PEER_PAUSE_MS 200u /* from the end of a peer to the next one */

/** Located by up->own; the uplink's thread has it. */
struct stream {
    struct socket_address address;
    bool server, bound, connecting;
    unsigned reconnect_ms;
    int listener, fd;  /* -1: none */
    u64 not_before_ms; /* for the next peer */
    int at, listen_at; /* their places in up->fd */
    size_t sent;       /* of the frame in hand, with its length */
    size_t have;       /* in rx */
    u8 rx[RX_BYTES];
};

static void peer_lost(struct uplink *up)
{
    struct stream *s = up->own;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->connecting = false;
    s->sent = s->have = 0;
    s->not_before_ms = uplink_now_ms(up) + (s->server ? PEER_PAUSE_MS : s->reconnect_ms);
    uplink_link(up, false, "");
}

static void peer_words(int fd, char out[sizeof((struct uplink *)0)->peer])
{
    struct socket_address a = {.len = sizeof a.at};
    char host[INET6_ADDRSTRLEN] = "";
    strcpy(out, "a peer on this host");
    if (getpeername(fd, &a.at.any, &a.len) < 0)
        return;
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a.at;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a.at;
    bool v6 = a.at.any.sa_family == AF_INET6;
    if (a.at.any.sa_family != AF_UNIX &&
        inet_ntop(a.at.any.sa_family, v6 ? (const void *)&in6->sin6_addr : &in->sin_addr, host,
                  sizeof host))
        sprintf(out, v6 ? "[%s]:%u" : "%s:%u", host, ntohs(in->sin_port));
}

static void peer_there(struct uplink *up)
{
    struct stream *s = up->own;
    char words[sizeof up->peer];
    int on = 1;
    if (s->address.at.any.sa_family != AF_UNIX)
        setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    s->connecting = false;
    peer_words(s->fd, words);
    uplink_link(up, true, words);
}

static void start_connect(struct uplink *up)
{
    struct stream *s = up->own;
    struct cause ignored;
    s->fd = socket_new(&s->address, SOCK_STREAM, &ignored);
    if (s->fd >= 0 && connect(s->fd, &s->address.at.any, s->address.len) == 0)
        peer_there(up);
    else if (s->fd >= 0 && errno == EINPROGRESS)
        s->connecting = true;
    else
        peer_lost(up);
}

static void end_connect(struct uplink *up)
{
    const struct stream *s = up->own;
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error)
        peer_lost(up);
    else
        peer_there(up);
}

static void take_peer(struct uplink *up)
{
    struct stream *s = up->own;
    s->fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (s->fd >= 0)
        peer_there(up);
}

/* --- frames ---------------------------------------------------------------------------------- */

static enum uplink_sent stream_output(struct uplink *up, const u8 *frame, size_t len)
{
    struct stream *s = up->own;
    u8 length[LENGTH_BYTES];
    if (s->fd < 0 || s->connecting)
        return UPLINK_DROPPED;
    be32_store(length, (u32)len);
    while (s->sent < LENGTH_BYTES + len) {
        size_t head = s->sent < LENGTH_BYTES ? LENGTH_BYTES - s->sent : 0;
        size_t from = head ? 0 : s->sent - LENGTH_BYTES;
        struct iovec iov[] = {{length + LENGTH_BYTES - head, head},
                              {(u8 *)(uintptr_t)frame + from, len - from}};
        const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
        ssize_t n = sendmsg(s->fd, &msg, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return UPLINK_AGAIN;
        if (n < 0) {
            s->sent = 0;
            peer_lost(up);
            return UPLINK_DROPPED;
        }
        s->sent += (size_t)n;
    }
    s->sent = 0;
    return UPLINK_SENT;
}

/** Hand over what has come as a whole. False: what comes is no frame. */
static bool frames_take(struct uplink *up)
{
    struct stream *s = up->own;
    size_t at = 0;
    while (s->have - at >= LENGTH_BYTES) {
        size_t len = be32_load(s->rx + at);
        if (len > LAN_FRAME_MAX)
            return false;
        if (s->have - at < LENGTH_BYTES + len)
            break;
        lan_send(up->port, s->rx + at + LENGTH_BYTES, len);
        at += LENGTH_BYTES + len;
    }
    s->have -= at;
    memmove(s->rx, s->rx + at, s->have);
    return true;
}

static void input(struct uplink *up)
{
    struct stream *s = up->own;
    ssize_t n = recv(s->fd, s->rx + s->have, sizeof s->rx - s->have, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        s->have += (size_t)n;
    if (n <= 0 || !frames_take(up))
        peer_lost(up);
}

static u32 stream_fill(struct uplink *up)
{
    struct stream *s = up->own;
    u64 now = uplink_now_ms(up);
    s->at = s->listen_at = -1;
    if (s->fd >= 0) {
        s->at = uplink_poll(up, s->fd,
                            (short)((s->connecting ? 0 : POLLIN) |
                                    (s->connecting || up->in_hand ? POLLOUT : 0)));
        return UPLINK_WAIT_MAX_MS;
    }
    if (now < s->not_before_ms)
        return (u32)(s->not_before_ms - now);
    if (s->server)
        s->listen_at = uplink_poll(up, s->listener, POLLIN);
    return s->server ? UPLINK_WAIT_MAX_MS : 0;
}

static void stream_work(struct uplink *up, bool failed)
{
    struct stream *s = up->own;
    short events = !failed && s->at >= 0 ? up->fd[s->at].revents : 0;
    if (events && s->connecting)
        end_connect(up);
    else if (events & (POLLIN | POLLHUP | POLLERR))
        input(up);
    else if (!failed && s->listen_at >= 0 && up->fd[s->listen_at].revents)
        take_peer(up);
    else if (s->fd < 0 && !s->server && uplink_now_ms(up) >= s->not_before_ms)
        start_connect(up);
}

/* --- life ------------------------------------------------------------------------------------ */

static void stream_words(const struct uplink *up, char out[UPLINK_WORDS_MAX])
{
    const struct stream *s = up->own;
    snprintf(out, UPLINK_WORDS_MAX, "socket %s %s, %s%s", s->server ? "listening at" : "to",
             s->address.text,
             up->up && s->server ? "connected with "
             : up->up            ? "connected"
                                 : "not connected",
             up->up && s->server ? up->peer : "");
}

static void stream_close(struct uplink *up)
{
    struct stream *s = up->own;
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    if (s->listener >= 0)
        close(s->listener);
    if (s->bound)
        socket_unlink(&s->address);
    free(s);
}

static const struct uplink_kind stream_kind = {.output = stream_output,
                                               .fill = stream_fill,
                                               .work = stream_work,
                                               .words = stream_words,
                                               .close = stream_close};

static int server_open(struct stream *s, struct cause *cause)
{
    s->listener = socket_new(&s->address, SOCK_STREAM, cause);
    int rc = s->listener < 0 ? ST_IO : socket_bind(s->listener, &s->address, cause);
    s->bound = rc == ST_OK;
    if (rc == ST_OK && listen(s->listener, 1) < 0)
        rc = cause_set(cause, ST_BUSY, "%s: %s", s->address.text, strerror(errno));
    return rc;
}

int socket_stream_open(struct uplink *up, const struct socket_options *o, struct cause *cause)
{
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    s->listener = s->fd = -1;
    s->server = o->listen.len != 0;
    s->address = s->server ? o->listen : o->connect;
    s->reconnect_ms = (o->reconnect_s ? o->reconnect_s : SOCKET_RECONNECT_S) * 1000u;
    up->own = s;
    up->kind = &stream_kind;
    if (s->server)
        return server_open(s, cause);
    start_connect(up); /* often it is there at once */
    return ST_OK;
}
