/* The uplink through libslirp: DHCP, DNS and connections of the guests as connections of this
 * process. The library is not safe for threads: only the uplink's own thread calls it. */
#include "io/net/uplink.h"

#ifdef HAVE_SLIRP
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "mem/base/lock.h"

#define QUEUE_FRAMES 512u
#define QUEUE_BYTES (4u << 20)
#define FORWARDS_MAX 64u
#define TIMERS_MAX 8u
#define WAIT_MAX_MS 1000u
#define NET_DEFAULT 0x0a000200u /* 10.0.2.0/24, as QEMU has it */
#define HOST_NUMBER 2u          /* of the network: the host, and who answers DHCP */
#define NAMESERVER_NUMBER 3u
#define FIRST_GUEST_NUMBER 15u

struct queued {
    struct queued *next;
    u32 len;
    u8 bytes[];
};

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

/** Located by its owner; `lock` guards the queue and `stop`, the thread has the rest. */
struct uplink {
    struct lan_port *port;
    struct lock lock;
    struct queued *first, **last;
    u32 frames, bytes;
    bool stop;
    int event; /* eventfd: something is queued, or stop */
    pthread_t thread;
    Slirp *slirp;
    u32 net, bits; /* host byte order */
    bool restricted;
    struct forward forward[FORWARDS_MAX];
    unsigned forwards;
    struct timer timer[TIMERS_MAX];
    struct pollfd *fd;
    unsigned fds, fd_room;
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
    for (unsigned i = 0; i < TIMERS_MAX; i++)
        if (!up->timer[i].used) {
            up->timer[i] = (struct timer){call, call_arg, 0, true};
            return &up->timer[i];
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
    struct uplink *up = arg;
    if (up->fds == up->fd_room) {
        struct pollfd *more = realloc(up->fd, sizeof(*more) * up->fd_room * 2);
        if (!more)
            return -1; /* this connection waits for the next round */
        up->fd = more;
        up->fd_room *= 2;
    }
    up->fd[up->fds] = (struct pollfd){.fd = fd, .events = poll_of_slirp(events)};
    return (int)up->fds++;
}

static int get_revents(int i, void *arg)
{
    const struct uplink *up = arg;
    return i < 0 ? 0 : slirp_of_poll(up->fd[i].revents);
}

/** All that is queued; false: the end is asked for. */
static bool queue_take(struct uplink *up, struct queued **out)
{
    lock_take(&up->lock);
    *out = up->first;
    up->first = NULL;
    up->last = &up->first;
    up->frames = up->bytes = 0;
    bool go_on = !up->stop;
    lock_drop(&up->lock);
    return go_on;
}

static void timers_run(struct uplink *up)
{
    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        struct timer *t = &up->timer[i];
        if (!t->used || !t->at_ns || t->at_ns > clock_get_ns(up))
            continue;
        t->at_ns = 0;
        t->call(t->arg);
    }
}

/** Milliseconds until the first timer, `most` at most. */
static u32 timers_next(const struct uplink *up, u32 most)
{
    s64 now = clock_get_ns(NULL);
    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        const struct timer *t = &up->timer[i];
        s64 left = t->used && t->at_ns ? (t->at_ns - now) / 1000000 + 1 : (s64)most;
        if (left < (s64)most)
            most = left < 0 ? 0 : (u32)left;
    }
    return most;
}

static void wait_and_work(struct uplink *up)
{
    u32 timeout = WAIT_MAX_MS;
    up->fds = 0;
    up->fd[up->fds++] = (struct pollfd){.fd = up->event, .events = POLLIN};
    slirp_pollfds_fill(up->slirp, &timeout, add_poll, up);
    int rc = poll(up->fd, up->fds, (int)timers_next(up, timeout));
    if (rc > 0 && up->fd[0].revents) {
        u64 n;
        if (read(up->event, &n, sizeof n) < 0)
            rc = 0; /* somebody else's signal: the queue is looked at anyway */
    }
    slirp_pollfds_poll(up->slirp, rc < 0, get_revents, up);
    timers_run(up);
}

static void *run(void *arg)
{
    struct uplink *up = arg;
    struct queued *q;
    while (queue_take(up, &q)) {
        while (q) {
            struct queued *next = q->next;
            slirp_input(up->slirp, q->bytes, (int)q->len);
            free(q);
            q = next;
        }
        wait_and_work(up);
    }
    while (q) {
        struct queued *next = q->next;
        free(q);
        q = next;
    }
    return NULL;
}

static void wake(struct uplink *up)
{
    u64 one = 1;
    ssize_t n = write(up->event, &one, sizeof one);
    (void)n; /* full: it is awake */
}

static bool deliver(void *arg, const u8 *frame, size_t len)
{
    struct uplink *up = arg;
    struct queued *q = malloc(sizeof *q + len);
    if (!q)
        return false;
    q->next = NULL;
    q->len = (u32)len;
    memcpy(q->bytes, frame, len);
    lock_take(&up->lock);
    bool room = up->frames < QUEUE_FRAMES && up->bytes + len <= QUEUE_BYTES, first = !up->first;
    if (room) {
        *up->last = q;
        up->last = &q->next;
        up->frames++;
        up->bytes += (u32)len;
    }
    lock_drop(&up->lock);
    if (!room)
        free(q);
    else if (first)
        wake(up);
    return room;
}

static const struct lan_port_ops uplink_ops = {.deliver = deliver};

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

static int read_forward(struct uplink *up, const char *text, struct cause *cause)
{
    struct forward *f = &up->forward[up->forwards];
    const char *at = text;
    if (up->forwards == FORWARDS_MAX)
        return cause_set(cause, ST_LIMIT, "hostfwd=%s: %u are possible", text, FORWARDS_MAX);
    *f = (struct forward){.host.s_addr = htonl(INADDR_LOOPBACK)};
    if (!strncmp(at, "tcp:", 4) || !strncmp(at, "udp:", 4)) {
        f->udp = at[0] == 'u';
        at += 4;
    }
    if (!read_ports(at, f))
        return cause_set(cause, ST_INVAL, "hostfwd=%s: not [tcp|udp:][HOSTADDR:]PORT:GUESTPORT",
                         text);
    up->forwards++;
    return ST_OK;
}

static int read_net(struct uplink *up, const char *text, struct cause *cause)
{
    struct in_addr net;
    unsigned long bits;
    const char *at = text;
    if (!read_address(&at, '/', &net) || !read_number(&at, 26, &bits) || *at || bits < 8)
        return cause_set(cause, ST_INVAL, "net=%s: not A.B.C.D/N with N from 8 to 26", text);
    up->bits = (u32)bits;
    up->net = ntohl(net.s_addr) & ~(0xffffffffu >> bits);
    return ST_OK;
}

static int read_option(struct uplink *up, const char *option, struct cause *cause)
{
    if (!strncmp(option, "hostfwd=", 8))
        return read_forward(up, option + 8, cause);
    if (!strncmp(option, "net=", 4))
        return read_net(up, option + 4, cause);
    if (strcmp(option, "restrict") != 0)
        return cause_set(cause, ST_INVAL, "%s: slirp knows net=, hostfwd= and restrict",
                         option);
    up->restricted = true;
    return ST_OK;
}

static int read_spec(struct uplink *up, const char *spec, struct cause *cause)
{
    int rc = ST_OK;
    char *copy = strdup(spec), *rest = NULL;
    if (!copy)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    strtok_r(copy, ",", &rest); /* "slirp" */
    for (char *o; rc == ST_OK && (o = strtok_r(NULL, ",", &rest)) != NULL;)
        rc = read_option(up, o, cause);
    free(copy);
    return rc;
}

/* --- life ------------------------------------------------------------------------------------ */

static struct in_addr host_of(const struct uplink *up, u32 number)
{
    return (struct in_addr){htonl(up->net | number)};
}

static int forwards_open(struct uplink *up, struct cause *cause)
{
    for (unsigned i = 0; i < up->forwards; i++) {
        const struct forward *f = &up->forward[i];
        char host[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &f->host, host, sizeof host);
        errno = 0;
        if (slirp_add_hostfwd(up->slirp, f->udp, f->host, f->host_port, f->guest,
                              f->guest_port) < 0)
            return cause_set(cause, errno == EADDRINUSE ? ST_BUSY : ST_IO,
                             "host port %s:%u (hostfwd): %s", host, f->host_port,
                             errno ? strerror(errno) : "refused");
    }
    return ST_OK;
}

static int stack_open(struct uplink *up, struct cause *cause)
{
    SlirpConfig config = {
        .version = 1,
        .restricted = up->restricted,
        .in_enabled = true,
        .vnetwork = host_of(up, 0),
        .vnetmask = {htonl(~(0xffffffffu >> up->bits))},
        .vhost = host_of(up, HOST_NUMBER),
        .vdhcp_start = host_of(up, FIRST_GUEST_NUMBER),
        .vnameserver = host_of(up, NAMESERVER_NUMBER),
        .in6_enabled = true,
        .vprefix_len = 64,
        .vhostname = "endicott",
    };
    inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
    inet_pton(AF_INET6, "fec0::2", &config.vhost6);
    inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
    up->slirp = slirp_new(&config, &callbacks, up);
    if (!up->slirp)
        return cause_set(cause, ST_NOMEM, "libslirp gives no network");
    return forwards_open(up, cause);
}

static int thread_start(struct uplink *up, struct cause *cause)
{
    sigset_t all, was;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &was);
    int rc = pthread_create(&up->thread, NULL, run, up);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return rc ? cause_set(cause, ST_NOMEM, "no thread for a network: %s", strerror(rc)) : ST_OK;
}

static void uplink_free(struct uplink *up)
{
    struct queued *left;
    lan_port_remove(up->port);
    queue_take(up, &left);
    while (left) {
        struct queued *next = left->next;
        free(left);
        left = next;
    }
    if (up->slirp)
        slirp_cleanup(up->slirp);
    if (up->event >= 0)
        close(up->event);
    lock_fini(&up->lock);
    free(up->fd);
    free(up);
}

int uplink_open(struct lan *lan, const char *spec, struct uplink **out, struct cause *cause)
{
    if (strncmp(spec, "slirp", 5) != 0 || (spec[5] && spec[5] != ','))
        return cause_set(cause, ST_INVAL, "%s: not slirp[,OPTION...]", spec);
    struct uplink *up = calloc(1, sizeof *up);
    if (!up)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    lock_init(&up->lock, LOCK_UPLINK);
    up->last = &up->first;
    up->net = NET_DEFAULT;
    up->bits = 24;
    up->fd_room = 64;
    up->fd = malloc(sizeof *up->fd * up->fd_room);
    up->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    up->port = lan_port_add(lan, LAN_UPLINK, &uplink_ops, up);
    int rc = up->fd && up->event >= 0 && up->port
                 ? read_spec(up, spec, cause)
                 : cause_set(cause, ST_NOMEM, "no memory for a network");
    if (rc == ST_OK)
        rc = stack_open(up, cause);
    if (rc == ST_OK)
        rc = thread_start(up, cause);
    if (rc)
        uplink_free(up);
    else
        *out = up;
    return rc;
}

void uplink_close(struct uplink *up)
{
    if (!up)
        return;
    lock_take(&up->lock);
    up->stop = true;
    lock_drop(&up->lock);
    wake(up);
    pthread_join(up->thread, NULL);
    uplink_free(up);
}

void uplink_words(const struct uplink *up, char out[UPLINK_WORDS_MAX])
{
    char net[INET_ADDRSTRLEN];
    struct in_addr a = host_of(up, 0);
    inet_ntop(AF_INET, &a, net, sizeof net);
    int n = snprintf(out, UPLINK_WORDS_MAX, "slirp %s/%u", net, up->bits);
    for (unsigned i = 0; i < up->forwards && n > 0 && n < UPLINK_WORDS_MAX; i++)
        n += snprintf(out + n, (size_t)(UPLINK_WORDS_MAX - n), ", host port %u to guest %u%s",
                      up->forward[i].host_port, up->forward[i].guest_port,
                      up->forward[i].udp ? " (udp)" : "");
}

#else

int uplink_open(struct lan *lan, const char *spec, struct uplink **out, struct cause *cause)
{
    (void)lan;
    (void)out;
    return cause_set(cause, ST_REFUSED, "%s: this program was built without libslirp", spec);
}

void uplink_close(struct uplink *up)
{
    (void)up;
}

void uplink_words(const struct uplink *up, char out[UPLINK_WORDS_MAX])
{
    (void)up;
    out[0] = 0;
}
#endif
