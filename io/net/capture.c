/* Captures: a bounded queue of frames, and a thread that writes them. */
#include "io/net/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "io/net/pcapng.h"
#include "mem/base/lock.h"

#define BUFFER_BYTES (256u << 10)
#define END_MS 2000 /* so long a reader may keep the end waiting */
#define WHERE_BYTES 256

struct captured {
    struct captured *next;
    u64 ns, port, missed;
    u32 len;
    enum lan_way way;
    char label[LAN_LABEL_BYTES];
    u8 bytes[];
};

/** Located by its owner; `lock` guards the queue, `stop` and `why`, the thread has the rest. */
struct capture {
    struct lock lock;
    struct lan_watch *watch;
    struct capture_filter filter;
    struct capture_events events;
    struct captured *first, **last;
    u32 frames, bytes;
    u64 missed; /* since the last that was taken */
    bool stop;
    char why[CAPTURE_WORDS_MAX], where[WHERE_BYTES];
    _Atomic bool ended;
    _Atomic u64 written, missed_all;
    int fd, event;
    pthread_t thread;
    u64 *port; /* of each interface, in their order */
    u32 ports;
    size_t have;
    u8 buffer[BUFFER_BYTES];
};

/* --- on the senders' threads ----------------------------------------------------------------- */

static bool label_fits(const struct capture_filter *f, const char *label)
{
    size_t len = strlen(f->label);
    bool owner = len && f->label[len - 1] == '.';
    return owner ? !strncmp(f->label, label, len) : !strcmp(f->label, label);
}

static bool wanted(const struct capture_filter *f, const struct lan_sight *s)
{
    if (f->has_mac && memcmp(s->frame, f->mac, MAC_BYTES) != 0 &&
        memcmp(s->frame + MAC_BYTES, f->mac, MAC_BYTES) != 0)
        return false;
    if (f->label[0])
        return label_fits(f, s->label);
    /* A group that an adapter's program has not asked for is not taken, and not lost. */
    return s->way == LAN_FROM_PORT || (s->way == LAN_NO_ROOM && !mac_is_group(s->frame));
}

static struct captured *copy(const struct lan_sight *s)
{
    struct timespec now;
    struct captured *k = malloc(sizeof *k + s->len);
    if (!k)
        return NULL;
    clock_gettime(CLOCK_REALTIME, &now);
    *k = (struct captured){.ns = (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec,
                           .port = s->port,
                           .len = (u32)s->len,
                           .way = s->way};
    snprintf(k->label, sizeof k->label, "%s", s->label);
    memcpy(k->bytes, s->frame, s->len);
    return k;
}

static void wake(struct capture *c)
{
    u64 one = 1;
    ssize_t n = write(c->event, &one, sizeof one);
    (void)n; /* full: it is awake */
}

static void see(void *arg, const struct lan_sight *s)
{
    struct capture *c = arg;
    if (c->ended || !wanted(&c->filter, s))
        return;
    lock_take(&c->lock);
    bool room = c->frames < CAPTURE_QUEUE_FRAMES && c->bytes + s->len <= CAPTURE_QUEUE_BYTES,
         first = !c->first;
    struct captured *k = room ? copy(s) : NULL;
    if (k) {
        k->missed = c->missed;
        c->missed = 0;
        *c->last = k;
        c->last = &k->next;
        c->frames++;
        c->bytes += k->len;
    } else {
        c->missed++;
        c->missed_all++;
    }
    lock_drop(&c->lock);
    if (k && first)
        wake(c);
}

/* --- the writer ------------------------------------------------------------------------------ */

static void end_because(struct capture *c, const char *why)
{
    lock_take(&c->lock);
    snprintf(c->why, sizeof c->why, "%s", why);
    lock_drop(&c->lock);
    c->ended = true;
}

static bool stop_asked(struct capture *c)
{
    lock_take(&c->lock);
    bool stop = c->stop;
    lock_drop(&c->lock);
    return stop;
}

/** The reader is slow: wait for it, but not for ever when the end is asked for. */
static bool wait_for_reader(struct capture *c)
{
    struct pollfd fd[] = {{.fd = c->fd, .events = POLLOUT}, {.fd = c->event, .events = POLLIN}};
    bool stop = stop_asked(c);
    int n = poll(fd, stop ? 1 : 2, stop ? END_MS : -1);
    u64 drained;
    if (fd[1].revents && read(c->event, &drained, sizeof drained) < 0)
        drained = 0;
    return n != 0;
}

static bool flush(struct capture *c)
{
    size_t at = 0;
    while (at < c->have && !c->ended) {
        ssize_t n = write(c->fd, c->buffer + at, c->have - at);
        if (n > 0)
            at += (size_t)n;
        else if (n < 0 && errno == EAGAIN && !wait_for_reader(c))
            end_because(c, "");
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            end_because(c, errno == EPIPE || errno == ECONNRESET ? "" : strerror(errno));
    }
    c->have = 0;
    return !c->ended;
}

static bool room_for(struct capture *c, size_t bytes)
{
    return c->have + bytes <= sizeof c->buffer || flush(c);
}

/** The number of a port's interface, which is told of when it is a new one. */
static u32 interface_of(struct capture *c, const struct captured *k)
{
    for (u32 i = 0; i < c->ports; i++)
        if (c->port[i] == k->port)
            return i;
    u64 *more = c->ports < CAPTURE_PORTS_MAX
                    ? realloc(c->port, sizeof *c->port * (c->ports + 1))
                    : NULL;
    if (!more)
        return c->ports - 1; /* more ports than a capture tells apart: with the last one */
    c->port = more;
    c->port[c->ports] = k->port;
    c->have += pcapng_interface(c->buffer + c->have, k->label);
    return c->ports++;
}

static void put(struct capture *c, const struct captured *k)
{
    if (!room_for(c, PCAPNG_HEADER_BYTES_MAX + PCAPNG_PACKET_EXTRA_BYTES + k->len))
        return;
    const struct pcapng_packet p = {
        .interface = interface_of(c, k),
        .ns = k->ns,
        .frame = k->bytes,
        .len = k->len,
        .direction = k->way == LAN_FROM_PORT ? PCAPNG_IN : PCAPNG_OUT,
        .missed = k->missed,
        .say = k->way == LAN_NO_ROOM ? "dropped: the port did not take it" : NULL};
    c->have += pcapng_packet(c->buffer + c->have, &p);
    c->written++;
}

static struct captured *take(struct capture *c, bool *stop)
{
    lock_take(&c->lock);
    struct captured *first = c->first;
    c->first = NULL;
    c->last = &c->first;
    c->frames = c->bytes = 0;
    *stop = c->stop;
    lock_drop(&c->lock);
    return first;
}

static void put_all(struct capture *c, struct captured *k)
{
    while (k) {
        struct captured *next = k->next;
        if (!c->ended)
            put(c, k);
        free(k);
        k = next;
    }
    flush(c);
}

/** Until something is to be done, or the reader has gone. */
static void rest(struct capture *c)
{
    struct pollfd fd[] = {{.fd = c->event, .events = POLLIN}, {.fd = c->fd}};
    u64 n;
    if (poll(fd, 2, -1) > 0 && fd[1].revents & (POLLERR | POLLHUP))
        end_because(c, "");
    else if (fd[0].revents && read(c->event, &n, sizeof n) < 0)
        n = 0;
}

static void *run(void *arg)
{
    struct capture *c = arg;
    bool stop = false;
    c->have = pcapng_section(c->buffer);
    flush(c);
    while (!c->ended && !stop) {
        struct captured *k = take(c, &stop);
        if (k)
            put_all(c, k);
        else if (!stop)
            rest(c);
    }
    put_all(c, take(c, &stop));
    if (c->ended && !stop && c->events.ended)
        c->events.ended(c->events.ctx);
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------ */

static void capture_free(struct capture *c)
{
    bool stop;
    lan_watch_remove(c->watch);
    c->ended = true;
    put_all(c, take(c, &stop));
    if (c->event >= 0)
        close(c->event);
    close(c->fd);
    lock_fini(&c->lock);
    free(c->port);
    free(c);
}

static int thread_start(struct capture *c)
{
    sigset_t all, was;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &was);
    int rc = pthread_create(&c->thread, NULL, run, c);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return rc;
}

int capture_open(struct lan *lan, const struct capture_filter *filter, int fd,
                 const char *where, const struct capture_events *events, struct capture **out,
                 struct cause *cause)
{
    struct capture *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return cause_set(cause, ST_NOMEM, "no memory for a capture");
    }
    lock_init(&c->lock, LOCK_CAPTURE);
    c->filter = *filter;
    c->events = events ? *events : (struct capture_events){0};
    c->last = &c->first;
    c->fd = fd;
    snprintf(c->where, sizeof c->where, "%s", where);
    c->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->watch = c->event >= 0 ? lan_watch_add(lan, see, c) : NULL;
    if (!c->watch || thread_start(c)) {
        capture_free(c);
        return cause_set(cause, ST_NOMEM, "no memory for a capture");
    }
    *out = c;
    return ST_OK;
}

int capture_open_file(struct lan *lan, const struct capture_filter *filter, const char *path,
                      const struct capture_events *events, struct capture **out,
                      struct cause *cause)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return cause_set(cause, errno == EACCES ? ST_PERM : ST_IO, "%s: %s", path,
                         strerror(errno));
    return capture_open(lan, filter, fd, path, events, out, cause);
}

void capture_close(struct capture *c)
{
    if (!c)
        return;
    lan_watch_remove(c->watch);
    c->watch = NULL;
    lock_take(&c->lock);
    c->stop = true;
    lock_drop(&c->lock);
    wake(c);
    pthread_join(c->thread, NULL);
    capture_free(c);
}

bool capture_has_ended(struct capture *c, char why[CAPTURE_WORDS_MAX])
{
    if (!c->ended)
        return false;
    lock_take(&c->lock);
    strcpy(why, c->why);
    lock_drop(&c->lock);
    return true;
}

void capture_words(struct capture *c, char out[CAPTURE_WORDS_MAX])
{
    snprintf(out, CAPTURE_WORDS_MAX, "to %s, %llu frames, %llu missed", c->where,
             (unsigned long long)c->written, (unsigned long long)c->missed_all);
}
