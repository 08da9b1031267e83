/* The uplink through libslirp: DHCP, DNS and connections of the guests as connections of this
 * process. The library is not safe for threads: only the uplink's own thread calls it. */
#include "io/net/uplink_internal.h"

#ifdef HAVE_SLIRP
#include <arpa/inet.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FORWARDS_MAX 64u
#define TIMERS_MAX 8u
#define NET_DEFAULT 0x0a000200u /* 10.0.2.0/24, as QEMU has it */
#define HOST_NUMBER 2u          /* of the network: the host, and who answers DHCP */
#define NAMESERVER_NUMBER 3u
#define FIRST_GUEST_NUMBER 15u
#define SLIRP_MAC_0 0x52
#define SLIRP_MAC_1 0x55
#define SLIRP_MAC_1_V6 0x56

struct forward {
    bool udp;
    struct in_addr host, guest; /* guest 0: whoever was given the first address */
    u16 host_port, guest_port;
};

struct timer {
    SlirpTimerCb call;
    void *arg;
    s64 at_ns; /* 0: not set */
    bool used;
};

/** Located by up->own; the uplink's thread has it. */
struct stack {
    Slirp *slirp;
    u32 net, bits; /* host byte order */
    bool restricted;
    struct forward forward[FORWARDS_MAX];
    unsigned forwards;
    struct timer timer[TIMERS_MAX];
};

/* --- what libslirp asks of us ---------------------------------------------------------------- */

static ssize_t send_packet(const void *buf, size_t len, void *arg)
{
    struct uplink *up = arg;
    lan_send(up->port, buf, len);
    return (ssize_t)len;
}

static void guest_error(const char *msg, void *arg)
{
    (void)msg; /* what a guest does wrong is its own affair */
    (void)arg;
}

static int64_t clock_get_ns(void *arg)
{
    struct timespec ts;
    (void)arg;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void *timer_new(SlirpTimerCb call, void *call_arg, void *arg)
{
    struct uplink *up = arg;
    struct stack *k = up->own;
    for (unsigned i = 0; i < TIMERS_MAX; i++)
        if (!k->timer[i].used) {
            k->timer[i] = (struct timer){call, call_arg, 0, true};
            return &k->timer[i];
        }
    return NULL;
}

static void timer_free(void *timer, void *arg)
{
    (void)arg;
    if (timer)
        *(struct timer *)timer = (struct timer){0};
}

static void timer_mod(void *timer, int64_t at_ms, void *arg)
{
    (void)arg;
    if (timer)
        ((struct timer *)timer)->at_ns = at_ms * 1000000;
}

static void poll_fd_nothing(int fd, void *arg)
{
    (void)fd; /* each wait asks for all of them */
    (void)arg;
}

static void notify(void *arg)
{
    (void)arg; /* only the thread that calls the library makes room */
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = poll_fd_nothing,
    .unregister_poll_fd = poll_fd_nothing,
    .notify = notify,
};

/* --- the thread ------------------------------------------------------------------------------ */

static short poll_of_slirp(int events)
{
    return (short)((events & SLIRP_POLL_IN ? POLLIN : 0) |
                   (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                   (events & SLIRP_POLL_PRI ? POLLPRI : 0));
}

static int slirp_of_poll(short events)
{
    return (events & POLLIN ? SLIRP_POLL_IN : 0) | (events & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (events & POLLPRI ? SLIRP_POLL_PRI : 0) | (events & POLLERR ? SLIRP_POLL_ERR : 0) |
           (events & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static int add_poll(int fd, int events, void *arg)
{
    return uplink_poll(arg, fd, poll_of_slirp(events));
}

static int get_revents(int i, void *arg)
{
    const struct uplink *up = arg;
    return i < 0 ? 0 : slirp_of_poll(up->fd[i].revents);
}

static void timers_run(struct stack *k)
{
    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        struct timer *t = &k->timer[i];
        if (!t->used || !t->at_ns || t->at_ns > clock_get_ns(NULL))
            continue;
        t->at_ns = 0;
        t->call(t->arg);
    }
}

/** Milliseconds until the first timer, `most` at most. */
static u32 timers_next(const struct stack *k, u32 most)
{
    s64 now = clock_get_ns(NULL);
    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        const struct timer *t = &k->timer[i];
        s64 left = t->used && t->at_ns ? (t->at_ns - now) / 1000000 + 1 : (s64)most;
        if (left < (s64)most)
            most = left < 0 ? 0 : (u32)left;
    }
    return most;
}

static u32 slirp_fill(struct uplink *up)
{
    struct stack *k = up->own;
    u32 timeout = UPLINK_WAIT_MAX_MS;
    slirp_pollfds_fill(k->slirp, &timeout, add_poll, up);
    return timers_next(k, timeout);
}

static void slirp_work(struct uplink *up, bool failed)
{
    struct stack *k = up->own;
    slirp_pollfds_poll(k->slirp, failed, get_revents, up);
    timers_run(k);
}

/** The library's own addresses begin so. It looks at no receiver itself, and would refuse (by a
 *  reset) what is for a guest that nobody has at the moment, because it is being relocated. */
static bool for_slirp(const u8 *frame)
{
    return mac_is_group(frame) ||
           (frame[0] == SLIRP_MAC_0 && (frame[1] == SLIRP_MAC_1 || frame[1] == SLIRP_MAC_1_V6));
}

static enum uplink_sent slirp_output_frame(struct uplink *up, const u8 *frame, size_t len)
{
    const struct stack *k = up->own;
    if (!for_slirp(frame))
        return UPLINK_SENT;
    slirp_input(k->slirp, frame, (int)len);
    return UPLINK_SENT;
}

/* --- the specification ----------------------------------------------------------------------- */

static bool read_number(const char **at, unsigned long max, unsigned long *out)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *out = strtoul(*at, &end, 10);
    *at = end;
    return !errno && *out <= max;
}

/** An address and the character behind it; an empty address leaves `out` as it is. */
static bool read_address(const char **at, char behind, struct in_addr *out)
{
    const char *end = strchr(*at, behind);
    char text[INET_ADDRSTRLEN];
    if (!end || (size_t)(end - *at) >= sizeof text)
        return false;
    memcpy(text, *at, (size_t)(end - *at));
    text[end - *at] = 0;
    *at = end + 1;
    return !text[0] || inet_pton(AF_INET, text, out) == 1;
}

/** The two ports, the host's behind an address if there is one. */
static bool read_ports(const char *at, struct forward *f)
{
    unsigned long port;
    const char *dash = strchr(at, '-');
    unsigned colons = 0;
    for (const char *p = at; *p && (!dash || p < dash); p++)
        colons += *p == ':';
    if (colons == (dash ? 1u : 2u) && !read_address(&at, ':', &f->host))
        return false;
    if (!read_number(&at, 65535, &port) || !port || *at++ != (dash ? '-' : ':'))
        return false;
    f->host_port = (u16)port;
    if (dash && !read_address(&at, ':', &f->guest))
        return false;
    if (!read_number(&at, 65535, &port) || !port)
        return false;
    f->guest_port = (u16)port;
    return !*at;
}

static int read_forward(struct stack *k, const char *text, struct cause *cause)
{
    struct forward *f = &k->forward[k->forwards];
    const char *at = text;
    if (k->forwards == FORWARDS_MAX)
        return cause_set(cause, ST_LIMIT, "hostfwd=%s: %u are possible", text, FORWARDS_MAX);
    *f = (struct forward){.host.s_addr = htonl(INADDR_LOOPBACK)};
    if (!strncmp(at, "tcp:", 4) || !strncmp(at, "udp:", 4)) {
        f->udp = at[0] == 'u';
        at += 4;
    }
    if (!read_ports(at, f))
        return cause_set(cause, ST_INVAL, "hostfwd=%s: not [tcp|udp:][HOSTADDR:]PORT:GUESTPORT",
                         text);
    k->forwards++;
    return ST_OK;
}

static int read_net(struct stack *k, const char *text, struct cause *cause)
{
    struct in_addr net;
    unsigned long bits;
    const char *at = text;
    if (!read_address(&at, '/', &net) || !read_number(&at, 26, &bits) || *at || bits < 8)
        return cause_set(cause, ST_INVAL, "net=%s: not A.B.C.D/N with N from 8 to 26", text);
    k->bits = (u32)bits;
    k->net = ntohl(net.s_addr) & ~(0xffffffffu >> bits);
    return ST_OK;
}

static int read_option(struct uplink *up, const char *option, struct cause *cause)
{
    struct stack *k = up->own;
    if (!strncmp(option, "hostfwd=", 8))
        return read_forward(k, option + 8, cause);
    if (!strncmp(option, "net=", 4))
        return read_net(k, option + 4, cause);
    if (strcmp(option, "restrict") != 0)
        return cause_set(cause, ST_INVAL, "%s: slirp knows net=, hostfwd= and restrict",
                         option);
    k->restricted = true;
    return ST_OK;
}

/* --- life ------------------------------------------------------------------------------------ */

static struct in_addr host_of(const struct stack *k, u32 number)
{
    return (struct in_addr){htonl(k->net | number)};
}

static int forwards_open(struct stack *k, struct cause *cause)
{
    for (unsigned i = 0; i < k->forwards; i++) {
        const struct forward *f = &k->forward[i];
        char host[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &f->host, host, sizeof host);
        errno = 0;
        if (slirp_add_hostfwd(k->slirp, f->udp, f->host, f->host_port, f->guest,
                              f->guest_port) < 0)
            return cause_set(cause, errno == EADDRINUSE ? ST_BUSY : ST_IO,
                             "host port %s:%u (hostfwd): %s", host, f->host_port,
                             errno ? strerror(errno) : "refused");
    }
    return ST_OK;
}

static int stack_open(struct uplink *up, struct cause *cause)
{
    struct stack *k = up->own;
    SlirpConfig config = {
        .version = 1,
        .restricted = k->restricted,
        .in_enabled = true,
        .vnetwork = host_of(k, 0),
        .vnetmask = {htonl(~(0xffffffffu >> k->bits))},
        .vhost = host_of(k, HOST_NUMBER),
        .vdhcp_start = host_of(k, FIRST_GUEST_NUMBER),
        .vnameserver = host_of(k, NAMESERVER_NUMBER),
        .in6_enabled = true,
        .vprefix_len = 64,
        .vhostname = "endicott",
    };
    inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
    inet_pton(AF_INET6, "fec0::2", &config.vhost6);
    inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
    k->slirp = slirp_new(&config, &callbacks, up);
    if (!k->slirp)
        return cause_set(cause, ST_NOMEM, "libslirp gives no network");
    return forwards_open(k, cause);
}

static int slirp_open(struct uplink *up, const char *rest, struct cause *cause)
{
    struct stack *k = calloc(1, sizeof *k);
    if (!k)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    up->own = k;
    k->net = NET_DEFAULT;
    k->bits = 24;
    if (*rest == ':')
        return cause_set(cause, ST_INVAL, "slirp%s: not slirp[,OPTION...]", rest);
    int rc = uplink_options(up, rest, read_option, cause);
    up->up = true;
    return rc ? rc : stack_open(up, cause);
}

static void slirp_words(const struct uplink *up, char out[UPLINK_WORDS_MAX])
{
    char net[INET_ADDRSTRLEN];
    const struct stack *k = up->own;
    struct in_addr a = host_of(k, 0);
    inet_ntop(AF_INET, &a, net, sizeof net);
    int n = snprintf(out, UPLINK_WORDS_MAX, "slirp %s/%u", net, k->bits);
    for (unsigned i = 0; i < k->forwards && n > 0 && n < (int)UPLINK_WORDS_MAX; i++)
        n += snprintf(out + n, (size_t)((int)UPLINK_WORDS_MAX - n),
                      ", host port %u to guest %u%s", k->forward[i].host_port,
                      k->forward[i].guest_port, k->forward[i].udp ? " (udp)" : "");
}

static void slirp_close(struct uplink *up)
{
    struct stack *k = up->own;
    if (k && k->slirp)
        slirp_cleanup(k->slirp);
    free(k);
}

const struct uplink_kind uplink_slirp = {slirp_open, slirp_output_frame, slirp_fill,
                                         slirp_work, slirp_words,        slirp_close};

#else

static int absent_open(struct uplink *up, const char *rest, struct cause *cause)
{
    (void)up;
    return cause_set(cause, ST_REFUSED, "slirp%s: this program was built without libslirp",
                     rest);
}

static void absent_close(struct uplink *up)
{
    (void)up;
}

const struct uplink_kind uplink_slirp = {.open = absent_open, .close = absent_close};
#endif
