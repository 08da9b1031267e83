/* The stream of events: a ring, and readers that stand somewhere in it. Nothing is kept for a
 * reader but its place. Source of records: z/VM's *VMEVENT as SMAPI's Event_Subscribe relays it. */
#include "hyp/event.h"

#include <stdlib.h>

#include "io/ebcdic.h"

enum data { DATA_USER, DATA_SYSTEM, DATA_REASON, DATA_MODE, DATA_STATE };

static const struct {
    u16 type, classes;
    enum data data;
    const char *name;
} rows[] = {
#define V(id, type, classes, data, name, what)                                                 \
    [EVENT_##id] = {type, classes, DATA_##data, name},
#include "hyp/event.def"
#undef V
};

struct event_reader {
    struct event_reader *next;
    struct events *events; /* NULL: they have ended */
    u64 number;            /* of what it reads next */
    void (*news)(void *ctx);
    void *ctx;
};

struct events {
    u64 (*wall_ns)(void *ctx);
    void *ctx;
    u64 last; /* number of the latest one; 0: none yet */
    struct event_reader *readers;
    struct event kept[EVENTS_KEPT]; /* number n at n % EVENTS_KEPT */
};

struct events *events_create(u64 (*wall_ns)(void *ctx), void *ctx)
{
    struct events *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->wall_ns = wall_ns;
    e->ctx = ctx;
    return e;
}

void events_destroy(struct events *e)
{
    if (!e)
        return;
    for (struct event_reader *r = e->readers; r; r = r->next)
        r->events = NULL;
    free(e);
}

void events_post(struct events *e, const struct event *what)
{
    if (!e)
        return;
    struct event *kept = &e->kept[++e->last % EVENTS_KEPT];
    *kept = *what;
    kept->number = e->last;
    kept->wall_ns = e->wall_ns(e->ctx);
    for (struct event_reader *r = e->readers; r; r = r->next)
        r->news(r->ctx);
}

struct event_reader *events_subscribe(struct events *e, u64 from, void (*news)(void *ctx),
                                      void *ctx)
{
    struct event_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct event_reader){.next = e->readers,
                               .events = e,
                               .number = from && from <= e->last ? from : e->last + 1,
                               .news = news,
                               .ctx = ctx};
    e->readers = r;
    return r;
}

void events_unsubscribe(struct event_reader *r)
{
    if (!r)
        return;
    struct event_reader **link = r->events ? &r->events->readers : NULL;
    while (link && *link != r)
        link = &(*link)->next;
    if (link)
        *link = r->next;
    free(r);
}

bool events_read(struct event_reader *r, struct event *out, u64 *missed)
{
    const struct events *e = r->events;
    *missed = 0;
    if (!e || r->number > e->last)
        return false;
    u64 first = e->last < EVENTS_KEPT ? 1 : e->last - EVENTS_KEPT + 1;
    if (r->number < first) {
        *missed = first - r->number;
        r->number = first;
    }
    *out = e->kept[r->number++ % EVENTS_KEPT];
    return true;
}

const char *event_name(enum event_id id)
{
    return rows[id].name;
}

u16 event_type(enum event_id id)
{
    return rows[id].type;
}

bool event_in_class(enum event_id id, unsigned klass)
{
    return klass < 16 && rows[id].classes >> klass & 1;
}

size_t event_record(const struct event *event, u16 klass, u8 out[EVENT_RECORD_BYTES_MAX])
{
    enum data data = rows[event->id].data;
    u8 *at = out + 4;
    be16_store(out, klass);
    be16_store(out + 2, rows[event->id].type);
    ebcdic_pad(data == DATA_MODE || data == DATA_STATE ? event->cluster : event->user, 8, at);
    at += 8;
    if (data == DATA_SYSTEM || data == DATA_STATE) {
        ebcdic_pad(event->system, 8, at);
        at += 8;
    }
    if (data == DATA_REASON)
        *at++ = event->code;
    if (data == DATA_MODE || data == DATA_STATE) {
        *at++ = event->before;
        *at++ = event->now;
    }
    return (size_t)(at - out);
}
