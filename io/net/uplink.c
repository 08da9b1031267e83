/* What uplinks of all kinds have in common: a bounded queue of frames that leave, a thread that
 * sends them and waits for the outside, and whether the link is there. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "io/net/uplink_internal.h"

struct kind_row {
    const char *name;
    const struct uplink_kind *kind;
};

static const struct kind_row kinds[] = {
#define UPLINK(kind, name) {name, &uplink_##kind},
#include "io/net/uplink.def"
#undef UPLINK
};

u64 uplink_now_ms(const struct uplink *up)
{
    struct timespec ts;
    if (up->now_ms)
        return up->now_ms();
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (u64)ts.tv_sec * 1000u + (u64)ts.tv_nsec / 1000000u;
}

/* --- the thread ------------------------------------------------------------------------------ */

int uplink_poll(struct uplink *up, int fd, short events)
{
    if (up->fds == up->fd_room) {
        struct pollfd *more = realloc(up->fd, sizeof(*more) * up->fd_room * 2);
        if (!more)
            return -1; /* it waits for the next round */
        up->fd = more;
        up->fd_room *= 2;
    }
    up->fd[up->fds] = (struct pollfd){.fd = fd, .events = events};
    return (int)up->fds++;
}

/** All that is queued, behind what is in hand; false: the end is asked for. */
static bool queue_take(struct uplink *up)
{
    lock_take(&up->lock);
    if (!up->in_hand) {
        up->in_hand = up->first;
        up->first = NULL;
        up->last = &up->first;
        up->frames = up->bytes = 0;
    }
    bool go_on = !up->stop;
    lock_drop(&up->lock);
    return go_on;
}

static void in_hand_drop(struct uplink *up)
{
    while (up->in_hand) {
        struct uplink_frame *next = up->in_hand->next;
        free(up->in_hand);
        up->in_hand = next;
    }
}

static void send_all(struct uplink *up)
{
    while (up->in_hand) {
        struct uplink_frame *f = up->in_hand;
        enum uplink_sent sent = up->kind->output(up, f->bytes, f->len);
        if (sent == UPLINK_AGAIN)
            return;
        up->lost += sent == UPLINK_DROPPED;
        up->in_hand = f->next;
        free(f);
    }
}

bool uplink_turn(struct uplink *up, u32 wait_max_ms)
{
    bool kept = up->in_hand != NULL;
    if (!queue_take(up))
        return false;
    send_all(up);
    up->fds = 0;
    uplink_poll(up, up->event, POLLIN);
    u32 wait = up->kind->fill(up);
    if (kept && !up->in_hand)
        wait = 0; /* the queue was not looked at */
    int rc = poll(up->fd, up->fds, (int)(wait < wait_max_ms ? wait : wait_max_ms));
    u64 n;
    if (rc > 0 && up->fd[0].revents && read(up->event, &n, sizeof n) < 0)
        n = 0; /* somebody else's signal: the queue is looked at anyway */
    up->kind->work(up, rc < 0);
    return true;
}

static void *run(void *arg)
{
    while (uplink_turn(arg, UPLINK_WAIT_MAX_MS))
        ;
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
    struct uplink_frame *f = up->up ? malloc(sizeof *f + len) : NULL;
    if (!f)
        return false;
    f->next = NULL;
    f->len = (u32)len;
    memcpy(f->bytes, frame, len);
    lock_take(&up->lock);
    bool room = up->frames < UPLINK_QUEUE_FRAMES && up->bytes + len <= UPLINK_QUEUE_BYTES,
         first = !up->first;
    if (room) {
        *up->last = f;
        up->last = &f->next;
        up->frames++;
        up->bytes += (u32)len;
    }
    lock_drop(&up->lock);
    if (!room)
        free(f);
    else if (first)
        wake(up);
    return room;
}

static const struct lan_port_ops port_ops = {.deliver = deliver};

void uplink_link(struct uplink *up, bool is_up, const char *peer)
{
    lock_take(&up->lock);
    snprintf(up->peer, sizeof up->peer, "%s", peer);
    lock_drop(&up->lock);
    if (atomic_exchange(&up->up, is_up) != is_up && up->runs && up->events.changed)
        up->events.changed(up->events.ctx);
}

/* --- life ------------------------------------------------------------------------------------ */

int uplink_options(struct uplink *up, const char *rest,
                   int (*one)(struct uplink *up, const char *option, struct cause *cause),
                   struct cause *cause)
{
    int rc = ST_OK;
    char *copy = strdup(rest), *more = NULL;
    if (!copy)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    for (char *o = strtok_r(copy, ",", &more); rc == ST_OK && o; o = strtok_r(NULL, ",", &more))
        rc = one(up, o, cause);
    free(copy);
    return rc;
}

static const struct kind_row *kind_find(const char *spec, struct cause *cause)
{
    char names[128] = "";
    size_t n = 0, len = strcspn(spec, ":,");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strlen(kinds[i].name) == len && !strncmp(spec, kinds[i].name, len))
            return &kinds[i];
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s",
                              !i                         ? ""
                              : i + 1 < ARRAY_LEN(kinds) ? ", "
                                                         : " or ",
                              kinds[i].name);
    }
    cause_set(cause, ST_INVAL, "%s: not %s", spec, names);
    return NULL;
}

int uplink_check(const char *spec, struct cause *cause)
{
    return kind_find(spec, cause) ? ST_OK : ST_INVAL;
}

static int thread_start(struct uplink *up, struct cause *cause)
{
    sigset_t all, was;
    sigfillset(&all);
    up->runs = true;
    pthread_sigmask(SIG_BLOCK, &all, &was);
    int rc = pthread_create(&up->thread, NULL, run, up);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    if (!rc)
        return ST_OK;
    up->runs = false;
    return cause_set(cause, ST_NOMEM, "no thread for a network: %s", strerror(rc));
}

void uplink_free(struct uplink *up)
{
    lan_port_remove(up->port);
    in_hand_drop(up);
    queue_take(up);
    in_hand_drop(up);
    up->kind->close(up);
    if (up->event >= 0)
        close(up->event);
    lock_fini(&up->lock);
    free(up->fd);
    free(up);
}

int uplink_make(struct lan *lan, const char *spec, const struct uplink_events *events,
                struct uplink **out, struct cause *cause)
{
    const struct kind_row *row = kind_find(spec, cause);
    if (!row)
        return ST_INVAL;
    struct uplink *up = calloc(1, sizeof *up);
    if (!up)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    lock_init(&up->lock, LOCK_UPLINK);
    up->kind = row->kind;
    up->events = events ? *events : (struct uplink_events){0};
    up->last = &up->first;
    up->fd_room = 64;
    up->fd = malloc(sizeof *up->fd * up->fd_room);
    up->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    up->port = lan_port_add(lan, LAN_UPLINK, &port_ops, up);
    int rc = up->fd && up->event >= 0 && up->port
                 ? row->kind->open(up, spec + strlen(row->name), cause)
                 : cause_set(cause, ST_NOMEM, "no memory for a network");
    if (rc == ST_OK)
        lan_port_label(up->port, row->name);
    else
        uplink_free(up);
    *out = rc == ST_OK ? up : NULL;
    return rc;
}

int uplink_open(struct lan *lan, const char *spec, const struct uplink_events *events,
                struct uplink **out, struct cause *cause)
{
    struct uplink *up;
    int rc = uplink_make(lan, spec, events, &up, cause);
    if (rc)
        return rc;
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

bool uplink_is_up(const struct uplink *up)
{
    return up->up;
}

void uplink_words(struct uplink *up, char out[UPLINK_WORDS_MAX])
{
    lock_take(&up->lock);
    up->kind->words(up, out);
    lock_drop(&up->lock);
}

struct lan_port *uplink_port(struct uplink *up)
{
    return up->port;
}

/* --- none ------------------------------------------------------------------------------------ */

static int none_open(struct uplink *up, const char *rest, struct cause *cause)
{
    up->up = true; /* the network is there, with nobody outside */
    return *rest ? cause_set(cause, ST_INVAL, "none%s: none takes no options", rest) : ST_OK;
}

static enum uplink_sent none_output(struct uplink *up, const u8 *frame, size_t len)
{
    (void)up;
    (void)frame;
    (void)len;
    return UPLINK_SENT;
}

static u32 none_fill(struct uplink *up)
{
    (void)up;
    return UPLINK_WAIT_MAX_MS;
}

static void none_work(struct uplink *up, bool failed)
{
    (void)up;
    (void)failed;
}

static void none_words(const struct uplink *up, char out[UPLINK_WORDS_MAX])
{
    (void)up;
    strcpy(out, "no connection with the outside");
}

static void none_close(struct uplink *up)
{
    (void)up;
}

const struct uplink_kind uplink_none = {none_open, none_output, none_fill,
                                        none_work, none_words,  none_close};
