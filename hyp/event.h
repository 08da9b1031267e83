/* What happens on a member, as one numbered stream that any number of readers follow: the control
 * socket now, *VMEVENT, SMAPI and monitor by the same functions. The latest EVENTS_KEPT are kept; a
 * reader that is slower is told how many it has missed, and costs nothing. [loop] */
#ifndef ENDICOTT_HYP_EVENT_H
#define ENDICOTT_HYP_EVENT_H

#include "mem/base/bytes.h"

#define EVENTS_KEPT 512
#define EVENT_NAME_BYTES 9
#define EVENT_RECORD_BYTES_MAX 24 /* class(2) type(2) data */

enum event_id {
#define V(id, type, classes, data, name, what) EVENT_##id,
#include "hyp/event.def"
#undef V
    EVENT_IDS
};

/** One event. Which members it has is said by `data` of its row in event.def. */
struct event {
    enum event_id id;
    u64 number;                    /* from 1, for as long as the member runs */
    u64 wall_ns;                   /* since 1970 */
    char user[EVENT_NAME_BYTES];   /* USER, SYSTEM, REASON */
    char system[EVENT_NAME_BYTES]; /* SYSTEM and REASON: the other side; STATE: the member */
    char cluster[EVENT_NAME_BYTES];
    u8 code;        /* REASON: completion code of the relocation */
    u8 before, now; /* MODE: enum ssi_mode; STATE: enum ssi_state, which are z/VM's codes */
};

struct events;
struct event_reader;

/** NULL: no memory. `wall_ns` and ctx outlive it. */
struct events *events_create(u64 (*wall_ns)(void *ctx), void *ctx);
/** Readers stay their subscribers', and read nothing any more. NULL is nothing. */
void events_destroy(struct events *e);
/** `what` without number and time. `e` NULL: nobody is interested. */
void events_post(struct events *e, const struct event *what);

/** Read from event number `from` on, 0: from the next one. `news` is called when there is something
 *  to read, from inside events_post; it may read, and must not unsubscribe. NULL: no memory. */
struct event_reader *events_subscribe(struct events *e, u64 from, void (*news)(void *ctx),
                                      void *ctx);
void events_unsubscribe(struct event_reader *r);
/** The next one; false: not yet. `*missed` events before it are not kept any more. */
bool events_read(struct event_reader *r, struct event *out, u64 *missed);

/** "relocation.started"; the type of the *VMEVENT record; is it one of that class (0 to 15)? */
const char *event_name(enum event_id id);
u16 event_type(enum event_id id);
bool event_in_class(enum event_id id, unsigned klass);
/** The *VMEVENT record: class, type, data. Returns its length. */
size_t event_record(const struct event *event, u16 klass, u8 out[EVENT_RECORD_BYTES_MAX]);

#endif
