/* The interpreter of what the outside does to an uplink. Sockets are Unix ones in a folder of their
 * own; a tap is one end of a pair of sockets; slirp is restricted, and hears no IPv6. */
#include "tests/lib/uplink_exec.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/net/uplink_internal.h"
#include "mem/base/ergo.h"

#define OPERATIONS_MAX 1500
#define SPEC_BYTES 200
#define LENGTH_BYTES 4u
#define SEQUENCE_AT                                                                            \
    ETHER_HEADER_BYTES /* in frames of the station: number, length, bytes of it */
#define MARKED_BYTES_MIN (SEQUENCE_AT + 8u)
#define BURST_MAX 64u

enum kind { SERVER, CLIENT, DATAGRAM, TAP, SLIRP, SPECIFICATION, KINDS };

struct world {
    enum kind kind;
    struct lan *lan;
    struct lan_port *station;
    struct uplink *up;
    int peer, listener; /* -1: none */
    u32 sent, got;      /* numbers of frames: last sent, last that left */
    size_t have;        /* in rx */
    u8 rx[2 * (LENGTH_BYTES + LAN_FRAME_MAX)];
};

struct input {
    const u8 *p, *end;
};

static int tap_end = -1;
static u64 clock_ms;
static char folder[64], path[80], path2[80];

int uplink_exec_tap(void)
{
    return tap_end;
}

static u64 test_clock(void)
{
    return clock_ms;
}

static u8 take8(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

static u16 take16(struct input *in)
{
    u8 high = take8(in);
    return (u16)(high << 8 | take8(in));
}

static void folder_remove(void)
{
    rmdir(folder);
}

static void folder_make(void)
{
    const char *tmp = getenv("TMPDIR");
    if (folder[0])
        return;
    snprintf(folder, sizeof folder, "%s/uplink-XXXXXX",
             tmp && strlen(tmp) < sizeof folder - 20 ? tmp : "/tmp");
    POST(mkdtemp(folder));
    atexit(folder_remove);
    snprintf(path, sizeof path, "%s/a", folder);
    snprintf(path2, sizeof path2, "%s/b", folder);
}

/* ---- the station ---- */

static bool station_deliver(void *arg, const u8 *frame, size_t len)
{
    (void)arg;
    (void)frame;
    POST(len >= ETHER_HEADER_BYTES && len <= LAN_FRAME_MAX);
    return true;
}

static const struct lan_port_ops station_ops = {.deliver = station_deliver};

/** What its frame number `n` has at `at`. */
static u8 filling(u32 n, size_t at)
{
    return (u8)(n * 7 + at);
}

/** A frame of the station's that has left: it is as it was sent, and behind the one before. */
static void check_frame(struct world *w, const u8 *f, size_t len)
{
    POST(len >= MARKED_BYTES_MIN && be32_load(f + SEQUENCE_AT + 4) == len);
    u32 n = be32_load(f + SEQUENCE_AT);
    POST(n > w->got && n <= w->sent);
    w->got = n;
    for (size_t i = MARKED_BYTES_MIN; i < len; i++)
        POST(f[i] == filling(n, i));
}

static void station_sends(struct world *w, size_t len)
{
    static u8 f[LAN_FRAME_MAX];
    if (len < MARKED_BYTES_MIN || len > LAN_FRAME_MAX)
        len = MARKED_BYTES_MIN;
    memcpy(f, "\2\0\0\0\0\7\2\0\0\0\0\1\x88\xb5", ETHER_HEADER_BYTES);
    be32_store(f + SEQUENCE_AT, ++w->sent);
    be32_store(f + SEQUENCE_AT + 4, (u32)len);
    for (size_t i = MARKED_BYTES_MIN; i < len; i++)
        f[i] = filling(w->sent, i);
    lan_send(w->station, f, len);
}

/* ---- the peer ---- */

static bool is_stream(const struct world *w)
{
    return w->kind == SERVER || w->kind == CLIENT;
}

/** A turn of the uplink. What it waits for has little room from then on: frames leave in parts. */
static void turn(struct world *w)
{
    int small = 1;
    POST(uplink_turn(w->up, 0));
    for (unsigned i = 1; is_stream(w) && i < w->up->fds; i++)
        setsockopt(w->up->fd[i].fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
}

static void peer_close(struct world *w)
{
    if (w->peer >= 0)
        close(w->peer);
    w->peer = -1;
    w->have = 0;
}

static struct sockaddr_un address(const char *at)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", at);
    return a;
}

static int bound(int type, const char *at)
{
    struct sockaddr_un a = address(at);
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    unlink(at);
    POST(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    return fd;
}

/** It comes, if it is not there and the uplink takes it. */
static void peer_comes(struct world *w)
{
    struct sockaddr_un a = address(path);
    if (w->peer >= 0)
        return;
    if (w->kind == CLIENT)
        w->peer = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    else if (w->kind == SERVER)
        w->peer = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    else if (w->kind == DATAGRAM)
        w->peer = bound(SOCK_DGRAM, path2);
    if (w->peer < 0)
        return;
    if (w->kind != CLIENT && connect(w->peer, (struct sockaddr *)&a, sizeof a) < 0)
        peer_close(w);
}

static void peer_sends(struct world *w, const u8 *bytes, size_t len)
{
    if (w->peer >= 0 && len)
        (void)!send(w->peer, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/** Whole frames at the front of what has come over a stream. */
static void stream_check(struct world *w)
{
    size_t at = 0, len;
    while (w->have - at >= LENGTH_BYTES &&
           w->have - at - LENGTH_BYTES >= (len = be32_load(w->rx + at))) {
        check_frame(w, w->rx + at + LENGTH_BYTES, len);
        at += LENGTH_BYTES + len;
    }
    POST(w->have - at < LENGTH_BYTES || be32_load(w->rx + at) <= LAN_FRAME_MAX);
    w->have -= at;
    memmove(w->rx, w->rx + at, w->have);
}

static void peer_reads(struct world *w, size_t most)
{
    bool stream = is_stream(w);
    size_t room = sizeof w->rx - w->have;
    if (w->peer < 0)
        return;
    ssize_t n =
        recv(w->peer, w->rx + w->have, stream && most < room ? most : room, MSG_DONTWAIT);
    if (n == 0 && stream)
        peer_close(w);
    if (n <= 0)
        return;
    if (stream) {
        w->have += (size_t)n;
        stream_check(w);
    } else {
        check_frame(w, w->rx, (size_t)n);
    }
}

/* ---- operations ---- */

static void op_bytes(struct world *w, struct input *in)
{
    u8 bytes[256];
    size_t n = take8(in) % sizeof bytes;
    for (size_t i = 0; i < n; i++)
        bytes[i] = take8(in);
    peer_sends(w, bytes, n);
}

/** A frame with its length before it where there is one, which may be another. */
static void op_frame(struct world *w, struct input *in)
{
    static u8 bytes[LENGTH_BYTES + LAN_FRAME_MAX + 300];
    u8 how = take8(in);
    size_t len = how & 1 ? take16(in) : take8(in), n = len < 64 ? len : 64;
    size_t head = is_stream(w) ? LENGTH_BYTES : 0;
    len += how & 2 ? 200 : 0;
    memset(bytes, how, sizeof bytes);
    be32_store(bytes, (u32)len + (how & 4 ? take8(in) : 0));
    if (how & 8)
        bytes[0] = take8(in);
    for (size_t i = 0; i < n; i++)
        bytes[head + i] = take8(in);
    if (how & 16 && n >= 12)
        memcpy(bytes + head, "\2\0\0\0\0\1", MAC_BYTES);
    size_t all = head + len, part = how & 32 ? take16(in) % (all + 1) : all;
    peer_sends(w, bytes, part);
    if (how & 64) {
        turn(w);
        peer_sends(w, bytes + part, all - part);
    }
}

/** Bytes of a packet from the station, for slirp: DHCP, ARP, TCP and UDP of IPv4. */
static void op_packet(struct world *w, struct input *in)
{
    static const u16 types[] = {0x0806, 0x0800, 0x8100, 0x88b5};
    u8 f[600] = {0x52, 0x55, 10, 0, 2, 2, 2, 0, 0, 0, 0, 1}, how = take8(in);
    size_t len = ETHER_HEADER_BYTES + (how & 0x80 ? take16(in) % 500 : take8(in));
    be16_store(f + 12, types[how & 3]);
    for (size_t i = ETHER_HEADER_BYTES; i < len; i++)
        f[i] = i < ETHER_HEADER_BYTES + 100u ? take8(in) : how;
    if (how & 4)
        memset(f, 0xff, MAC_BYTES);
    if (how & 8 && len >= 34) { /* an IPv4 header that is one */
        f[14] = 0x45;
        be16_store(f + 16, (u16)(len - ETHER_HEADER_BYTES));
        memcpy(f + 26, how & 16 ? "\0\0\0\0\xff\xff\xff\xff" : "\x0a\0\2\x0f\x0a\0\2\2", 8);
    }
    if (w->kind == SLIRP)
        lan_send(w->station, f, len);
}

static void op_send(struct world *w, struct input *in)
{
    u8 how = take8(in);
    size_t len = how & 0x80 ? take16(in) : take8(in);
    for (unsigned n = how & 0x40 ? BURST_MAX : how & 3; n; n--)
        station_sends(w, len);
}

static void op_peer(struct world *w, struct input *in)
{
    u8 how = take8(in);
    if (how & 1 && w->kind != TAP)
        peer_close(w);
    else if (how & 2 && w->peer >= 0)
        shutdown(w->peer, how & 4 ? SHUT_WR : SHUT_RD);
    else if (w->kind != TAP)
        peer_comes(w);
}

static void operation(struct world *w, struct input *in)
{
    char words[UPLINK_WORDS_MAX];
    u8 what = take8(in);
    switch (what & 7) {
    case 0: op_bytes(w, in); break;
    case 1:
    case 2: op_frame(w, in); break;
    case 3: op_send(w, in); break;
    case 4: peer_reads(w, what & 8 ? sizeof w->rx : take8(in)); break;
    case 5: op_peer(w, in); break;
    case 6: op_packet(w, in); break;
    default: clock_ms += take16(in);
    }
    if (!(what & 0x80))
        turn(w);
    POST(w->up->frames <= UPLINK_QUEUE_FRAMES && w->up->bytes <= UPLINK_QUEUE_BYTES);
    uplink_words(w->up, words);
    POST(strlen(words) < sizeof words);
}

/* ---- life ---- */

static bool make(struct world *w)
{
    char spec[SPEC_BYTES];
    struct cause cause = {0};
    int pair[2];
    switch (w->kind) {
    case SERVER: snprintf(spec, sizeof spec, "socket,listen=unix:%s", path); break;
    case CLIENT:
        w->listener = bound(SOCK_STREAM, path);
        POST(listen(w->listener, 4) == 0);
        snprintf(spec, sizeof spec, "socket,connect=unix:%s", path);
        break;
    case DATAGRAM:
        snprintf(spec, sizeof spec, "socket,dgram=unix:%s,local=unix:%s", path2, path);
        break;
    case TAP:
        POST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
        w->peer = pair[0];
        tap_end = pair[1];
        snprintf(spec, sizeof spec, "tap:fd=%d", tap_end);
        break;
    default: strcpy(spec, "slirp,restrict"); break;
    }
    int rc = uplink_make(w->lan, spec, NULL, &w->up, &cause);
    POST(rc == ST_OK || w->kind == TAP || w->kind == SLIRP); /* which may not be there */
    if (rc && w->kind == TAP)
        close(tap_end);
    tap_end = rc ? -1 : tap_end;
    return rc == ST_OK;
}

/** A specification: refused with a cause, or an uplink. None that would reach a network, or be a
 *  descriptor that is somebody's. */
static void specification(struct world *w, struct input *in)
{
    static const char *const not [] = {"listen", "connect", "dgram", "mcast",
                                       "fwd",    "vde:",    "fd="};
    static const char *const begins[] = {"socket,", "slirp,", "tap:", "none", ""};
    char spec[SPEC_BYTES];
    struct cause cause = {0};
    size_t n = (size_t)snprintf(spec, sizeof spec, "%s", begins[take8(in) % ARRAY_LEN(begins)]);
    while (in->p < in->end && n + 1 < sizeof spec)
        spec[n++] = (char)take8(in);
    spec[n] = 0;
    for (size_t i = 0; i < ARRAY_LEN(not ); i++)
        if (strstr(spec, not [i]))
            return;
    if (uplink_make(w->lan, spec, NULL, &w->up, &cause) != ST_OK)
        POST(cause.text[0]);
}

void uplink_exec_run(const u8 *data, size_t size)
{
    static struct world w;
    struct input in = {data, data + size};
    static const u8 mac[MAC_BYTES] = {2, 0, 0, 0, 0, 1};
    folder_make();
    w = (struct world){.kind = take8(&in) % KINDS, .peer = -1, .listener = -1};
    clock_ms = 1ull << 40;
    w.lan = lan_create();
    POST(w.lan && (w.station = lan_port_add(w.lan, LAN_STATION, &station_ops, &w)));
    POST(lan_mac_add(w.station, mac) == ST_OK);
    if (w.kind == SPECIFICATION) {
        specification(&w, &in);
    } else if (make(&w)) {
        w.up->now_ms = test_clock;
        peer_comes(&w);
        for (unsigned n = 0; in.p < in.end && n < OPERATIONS_MAX; n++)
            operation(&w, &in);
    }
    if (w.up)
        uplink_free(w.up);
    peer_close(&w);
    if (w.listener >= 0)
        close(w.listener);
    if (w.kind == CLIENT)
        unlink(path);
    unlink(path2);
    POST(access(path, F_OK) < 0); /* it leaves no socket behind */
    lan_port_remove(w.station);
    lan_destroy(w.lan);
    tap_end = -1;
}
