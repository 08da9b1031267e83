/* Inside of uplinks: what all kinds have, and what a kind is. For uplink.c and the kinds. */
#ifndef ENDICOTT_IO_NET_UPLINK_INTERNAL_H
#define ENDICOTT_IO_NET_UPLINK_INTERNAL_H

#include <poll.h>
#include <pthread.h>

#include "io/net/uplink.h"
#include "mem/base/lock.h"

#define UPLINK_QUEUE_FRAMES 512u
#define UPLINK_QUEUE_BYTES (4u << 20)
#define UPLINK_WAIT_MAX_MS 1000u
#define UPLINK_ROUND_FRAMES 64u /* taken in one go before the queue is looked at */

struct uplink_frame {
    struct uplink_frame *next;
    u32 len;
    u8 bytes[];
};

enum uplink_sent { UPLINK_SENT, UPLINK_DROPPED, UPLINK_AGAIN /* later: it is kept */ };

/** A kind. But for `open`, `words` and `close` all run on the uplink's thread; `words` with
 *  up->lock held. */
struct uplink_kind {
    /** `rest` is what stands behind the name. Makes up->own; `close` follows also when it fails. */
    int (*open)(struct uplink *up, const char *rest, struct cause *cause);
    enum uplink_sent (*output)(struct uplink *up, const u8 *frame, size_t len);
    /** Name descriptors to wait for (uplink_poll) and how long at most, in ms. */
    u32 (*fill)(struct uplink *up);
    /** The wait is over; `failed`: nothing is known of the descriptors. */
    void (*work)(struct uplink *up, bool failed);
    void (*words)(const struct uplink *up, char out[UPLINK_WORDS_MAX]);
    void (*close)(struct uplink *up);
};

/** Located by its owner; `lock` guards the queue, `stop` and `peer`, the thread has the rest. */
struct uplink {
    const struct uplink_kind *kind;
    void *own; /* the kind's */
    struct lan_port *port;
    struct uplink_events events;
    struct lock lock;
    struct uplink_frame *first, **last;
    u32 frames, bytes;
    bool stop;
    char peer[128];               /* what it is connected with now, in words */
    struct uplink_frame *in_hand; /* taken from the queue and not sent yet */
    _Atomic bool up;
    _Atomic u64 lost; /* taken from the queue, and not sent */
    int event;        /* eventfd: something is queued, or stop */
    pthread_t thread;
    bool runs;
    struct pollfd *fd;
    unsigned fds, fd_room;
    u64 (*now_ms)(void); /* NULL: the host's clock */
};

#define UPLINK(kind, name) extern const struct uplink_kind uplink_##kind;
#include "io/net/uplink.def"
#undef UPLINK

/** Wait for this; its place in up->fd, -1 without memory. */
int uplink_poll(struct uplink *up, int fd, short events);
/** The link is there (`peer` says with whom, "" nobody in particular), or gone. */
void uplink_link(struct uplink *up, bool is_up, const char *peer);
/** Monotonic. */
u64 uplink_now_ms(const struct uplink *up);
/** uplink_open without a thread: whoever makes it takes its turns. And its end. */
int uplink_make(struct lan *lan, const char *spec, const struct uplink_events *events,
                struct uplink **out, struct cause *cause);
void uplink_free(struct uplink *up);
/** Send what is queued, wait for the outside at most so long, and take what comes. False: it is to
 *  end. */
bool uplink_turn(struct uplink *up, u32 wait_max_ms);
/** Call `one` for each part between commas of `rest` (",a=1,b"); stops at the first that fails. */
int uplink_options(struct uplink *up, const char *rest,
                   int (*one)(struct uplink *up, const char *option, struct cause *cause),
                   struct cause *cause);

#endif
