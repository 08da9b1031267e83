/* The uplink through a socket, with what QEMU's `-netdev stream` and `-netdev dgram` speak on the
 * other end: options and addresses. socket_stream.c and socket_dgram.c have the rest. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/net/socket_internal.h"

#define HOST_BYTES 128
#define HOST_DEFAULT "127.0.0.1"

static int unix_address(const char *path, struct socket_address *out, struct cause *cause)
{
    out->at.un = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!*path || strlen(path) >= sizeof out->at.un.sun_path)
        return cause_set(cause, ST_INVAL, "unix:%s: a path of 1 to %zu characters is needed",
                         path, sizeof out->at.un.sun_path - 1);
    strcpy(out->at.un.sun_path, path);
    out->len = sizeof out->at.un;
    return ST_OK;
}

static int address_read(const char *text, struct socket_address *out, struct cause *cause)
{
    char host[HOST_BYTES] = HOST_DEFAULT;
    const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    if (strlen(text) >= sizeof out->text)
        return cause_set(cause, ST_INVAL, "%s: too long for an address", text);
    strcpy(out->text, text);
    if (!strncmp(text, "unix:", 5))
        return unix_address(text + 5, out, cause);
    if (colon && colon != text) {
        bool bracket = *text == '[' && colon[-1] == ']';
        snprintf(host, sizeof host, "%.*s", (int)(colon - text) - 2 * bracket, text + bracket);
    }
    if (!*port || strspn(port, "0123456789") != strlen(port) || strlen(port) > 5 ||
        atoi(port) > 65535)
        return cause_set(cause, ST_INVAL, "%s: not [HOST:]PORT or unix:PATH", text);
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc)
        return cause_set(cause, ST_INVAL, "%s: %s", text, gai_strerror(rc));
    memcpy(&out->at, found->ai_addr, found->ai_addrlen);
    out->len = found->ai_addrlen;
    freeaddrinfo(found);
    return ST_OK;
}

/** A host alone; port 0. */
static int host_read(const char *text, struct socket_address *out, struct cause *cause)
{
    char with_port[sizeof out->text];
    snprintf(with_port, sizeof with_port, strchr(text, ':') ? "[%s]:0" : "%s:0", text);
    return address_read(with_port, out, cause);
}

static int seconds_read(const char *text, unsigned *out, struct cause *cause)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || !n || n > SOCKET_RECONNECT_S_MAX)
        return cause_set(cause, ST_INVAL, "reconnect=%s: 1 to %u seconds", text,
                         SOCKET_RECONNECT_S_MAX);
    *out = (unsigned)n;
    return ST_OK;
}

static int read_option(struct uplink *up, const char *option, struct cause *cause)
{
    struct socket_options *o = up->own;
    struct socket_address *const to[] = {&o->listen, &o->connect, &o->dgram, &o->mcast,
                                         &o->local};
    static const char *const name[] = {"listen=", "connect=", "dgram=", "mcast=", "local="};
    for (size_t i = 0; i < ARRAY_LEN(name); i++) {
        if (strncmp(option, name[i], strlen(name[i])) != 0)
            continue;
        const char *value = option + strlen(name[i]);
        if (to[i]->len)
            return cause_set(cause, ST_INVAL, "%s: the second of its kind", option);
        bool host = to[i] == &o->local && o->mcast.len;
        return (host ? host_read : address_read)(value, to[i], cause);
    }
    if (!strncmp(option, "reconnect=", 10))
        return seconds_read(option + 10, &o->reconnect_s, cause);
    return cause_set(
        cause, ST_INVAL,
        "%s: socket knows listen=, connect=, reconnect=, dgram=, mcast= and local=", option);
}

static bool is_group(const struct socket_address *a)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a->at;
    return a->at.any.sa_family == AF_INET && IN_MULTICAST(ntohl(in->sin_addr.s_addr));
}

static int options_check(const struct socket_options *o, struct cause *cause)
{
    int ways = !!o->listen.len + !!o->connect.len + !!o->dgram.len + !!o->mcast.len;
    if (ways != 1)
        return cause_set(cause, ST_INVAL,
                         "socket: one of listen=, connect=, dgram= and mcast= is needed");
    if (o->dgram.len && !o->local.len)
        return cause_set(cause, ST_INVAL, "socket: dgram= needs local=, where answers come to");
    if (o->dgram.len && o->dgram.at.any.sa_family != o->local.at.any.sa_family)
        return cause_set(cause, ST_INVAL, "socket: dgram= and local= are not of one family");
    if (o->local.len && !o->dgram.len && !o->mcast.len)
        return cause_set(cause, ST_INVAL, "socket: local= is for dgram= and mcast=");
    if (o->mcast.len && !is_group(&o->mcast))
        return cause_set(cause, ST_INVAL, "mcast=%s: not a multicast address of IPv4",
                         o->mcast.text);
    if (o->reconnect_s && !o->connect.len)
        return cause_set(cause, ST_INVAL, "socket: reconnect= is for connect=");
    return ST_OK;
}

static int socket_open(struct uplink *up, const char *rest, struct cause *cause)
{
    struct socket_options *o = calloc(1, sizeof *o);
    if (!o)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    up->own = o;
    int rc = *rest == ':' ? cause_set(cause, ST_INVAL, "socket%s: not socket,OPTION...", rest)
                          : uplink_options(up, rest, read_option, cause);
    rc = rc ? rc : options_check(o, cause);
    up->own = NULL;
    if (rc == ST_OK)
        rc = o->dgram.len || o->mcast.len ? socket_dgram_open(up, o, cause)
                                          : socket_stream_open(up, o, cause);
    free(o);
    return rc;
}

/** Nothing was opened. */
static void socket_close(struct uplink *up)
{
    (void)up;
}

const struct uplink_kind uplink_socket = {.open = socket_open, .close = socket_close};

/* --- sockets --------------------------------------------------------------------------------- */

int socket_new(const struct socket_address *a, int type, struct cause *cause)
{
    int fd = socket(a->at.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        cause_set(cause, ST_IO, "%s: %s", a->text, strerror(errno));
    return fd;
}

/** Is there a socket at the path that nobody has open? Then it goes. */
static bool left_over(const struct socket_address *a)
{
    int type[] = {SOCK_STREAM, SOCK_DGRAM};
    for (size_t i = 0; i < ARRAY_LEN(type); i++) {
        int fd = socket(AF_UNIX, type[i] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int rc = fd < 0 ? 0 : connect(fd, &a->at.any, a->len), error = errno;
        if (fd >= 0)
            close(fd);
        if (rc == 0 || (error != ECONNREFUSED && error != EPROTOTYPE))
            return false;
        if (error == ECONNREFUSED)
            return unlink(a->at.un.sun_path) == 0;
    }
    return false;
}

int socket_bind(int fd, const struct socket_address *a, struct cause *cause)
{
    int on = 1;
    if (a->at.any.sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, &a->at.any, a->len) == 0)
        return ST_OK;
    int error = errno;
    if (error == EADDRINUSE && a->at.any.sa_family == AF_UNIX && left_over(a) &&
        bind(fd, &a->at.any, a->len) == 0)
        return ST_OK;
    return cause_set(cause,
                     error == EADDRINUSE ? ST_BUSY
                     : error == EACCES   ? ST_PERM
                                         : ST_IO,
                     "%s: %s", a->text, strerror(error));
}

void socket_unlink(const struct socket_address *a)
{
    if (a->len && a->at.any.sa_family == AF_UNIX)
        unlink(a->at.un.sun_path);
}
