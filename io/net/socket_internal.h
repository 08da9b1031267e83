/* Inside of socket uplinks: addresses, and what socket.c has read of the options. */
#ifndef ENDICOTT_IO_NET_SOCKET_INTERNAL_H
#define ENDICOTT_IO_NET_SOCKET_INTERNAL_H

#include <sys/socket.h>
#include <sys/un.h>

#include "io/net/uplink_internal.h"

#define SOCKET_RECONNECT_S 1u
#define SOCKET_RECONNECT_S_MAX 3600u

/** [HOST:]PORT, [V6]:PORT or unix:PATH; len 0: none was given. */
struct socket_address {
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_storage storage;
    } at;
    socklen_t len;
    char text[sizeof((struct sockaddr_un *)0)->sun_path + 8]; /* as it was typed */
};

/** What the options say. */
struct socket_options {
    struct socket_address listen, connect, dgram, mcast, local;
    unsigned reconnect_s;
};

/** Each takes what the options say, and up->own is its own from then on. */
int socket_stream_open(struct uplink *up, const struct socket_options *o, struct cause *cause);
int socket_dgram_open(struct uplink *up, const struct socket_options *o, struct cause *cause);
/** A socket that does not wait; -1 with cause. */
int socket_new(const struct socket_address *a, int type, struct cause *cause);
/** Bind it; a path that nobody listens at any more is taken. */
int socket_bind(int fd, const struct socket_address *a, struct cause *cause);
/** The path of an address of ours goes. */
void socket_unlink(const struct socket_address *a);

#endif
