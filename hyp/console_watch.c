/* Waits and observers of a console. They live on the loop thread; a callback may add or remove
 * any of them, so each walk restarts from ids, never from remembered pointers. */
#include <regex.h>
#include <stdlib.h>

#include "hyp/console_internal.h"

struct console_watch {
    struct console_watch *next;
    u64 id;
    u64 cursor;    /* next complete line to look at */
    size_t offset; /* observer: bytes of line `cursor` that were delivered already */
    u64 piece_line;
    size_t piece_at; /* where what is delivered just now begins */
    bool is_wait;
    bool own; /* observer: not what was relayed here from other consoles */
    regex_t regex;
    console_wait_cb wait_cb;
    console_observer_cb observer_cb;
    void *ctx;
};

static struct console_watch *find_watch(struct console *c, u64 id)
{
    struct console_watch *w = c->watches;
    while (w && w->id != id)
        w = w->next;
    return w;
}

static struct console_watch *take_watch(struct console *c, u64 id)
{
    struct console_watch **link = &c->watches;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    struct console_watch *w = *link;
    if (w)
        *link = w->next;
    return w;
}

static void free_watch(struct console *c, struct console_watch *w)
{
    if (w->is_wait)
        regfree(&w->regex);
    else
        atomic_fetch_sub(&c->observers, 1);
    free(w);
}

static struct console_watch *new_watch(struct console *c, u64 from, void *ctx)
{
    struct console_watch *w = calloc(1, sizeof *w), **link = &c->watches;
    if (!w)
        return NULL;
    w->id = ++c->last_id;
    w->cursor = from;
    w->ctx = ctx;
    while (*link)
        link = &(*link)->next;
    *link = w;
    return w;
}

/* True when the wait matched: it is gone then. */
static bool check_wait(struct console *c, struct console_watch *w, struct console_line *line)
{
    bool hit = false;
    while (!hit && console_read(c, &w->cursor, line))
        hit = !regexec(&w->regex, line->text, 0, NULL, 0);
    if (!hit && console_partial(c, line))
        hit = line->number >= w->cursor && !regexec(&w->regex, line->text, 0, NULL, 0);
    if (!hit)
        return false;
    take_watch(c, w->id);
    w->wait_cb(w->ctx, line);
    free_watch(c, w);
    return true;
}

int console_wait_start(struct console *c, const char *regex, u64 from, console_wait_cb cb,
                       void *ctx, u64 *id, struct cause *cause)
{
    struct console_line line;
    u64 dummy;
    id = id ? id : &dummy;
    *id = 0;
    if (strlen(regex) > CONSOLE_REGEX_BYTES_MAX)
        return cause_set(cause, ST_INVAL, "regular expression longer than %d bytes",
                         CONSOLE_REGEX_BYTES_MAX);
    struct console_watch *w = new_watch(c, from, ctx);
    if (!w)
        return cause_set(cause, ST_NOMEM, "out of memory");
    int error = regcomp(&w->regex, regex, REG_EXTENDED | REG_NOSUB);
    if (error) {
        char text[128];
        regerror(error, &w->regex, text, sizeof text);
        free(take_watch(c, w->id));
        return cause_set(cause, ST_INVAL, "regular expression: %s", text);
    }
    w->is_wait = true;
    w->wait_cb = cb;
    u64 own = w->id;
    if (!check_wait(c, w, &line))
        *id = own;
    return ST_OK;
}

void console_wait_cancel(struct console *c, u64 id)
{
    struct console_watch *w = take_watch(c, id);
    if (w)
        free_watch(c, w);
}

u64 console_observe(struct console *c, u64 from, console_observer_cb cb, void *ctx)
{
    struct console_watch *w = new_watch(c, from, ctx);
    if (!w)
        return 0;
    w->observer_cb = cb;
    atomic_fetch_add(&c->observers, 1);
    u64 id = w->id;
    lock_take(&c->lock);
    bool tell = !c->news;
    c->news = true;
    lock_drop(&c->lock);
    if (tell && c->ports.wakeup)
        c->ports.wakeup(c->ports.ctx, c);
    return id;
}

u64 console_observe_at(struct console *c, u64 from, size_t at, console_observer_cb cb,
                       void *ctx)
{
    u64 id = console_observe(c, from, cb, ctx);
    struct console_watch *w = find_watch(c, id);
    if (w)
        w->offset = at;
    return id;
}

u64 console_observe_own(struct console *c, u64 from, console_observer_cb cb, void *ctx)
{
    u64 id = console_observe(c, from, cb, ctx);
    struct console_watch *w = find_watch(c, id);
    if (w)
        w->own = true;
    return id;
}

u64 console_observed_line(struct console *c, u64 id, size_t *at)
{
    const struct console_watch *w = find_watch(c, id);
    *at = w ? w->piece_at : 0;
    return w ? w->piece_line : 0;
}

void console_unobserve(struct console *c, u64 id)
{
    console_wait_cancel(c, id);
}

bool console_attached(struct console *c)
{
    return atomic_load(&c->observers) > 0;
}

/* Deliver one piece; false when there is nothing new. The observer may be gone afterwards. */
static bool feed_observer(struct console *c, struct console_watch *w, struct console_line *line)
{
    u64 before = w->cursor;
    bool whole = console_read(c, &w->cursor, line);
    if (!whole && !console_partial(c, line))
        return false;
    if (line->number != before || w->offset > line->len)
        w->offset = 0;
    if (w->own && line->relayed)
        return whole;
    w->piece_line = line->number;
    w->piece_at = w->offset;
    const char *text = line->text + w->offset;
    size_t len = line->len - w->offset;
    if (!whole) {
        w->cursor = line->number;
        w->offset = line->len;
    } else {
        line->text[line->len] = '\n'; /* in place of the NUL */
        len++;
        w->offset = 0;
    }
    if (len)
        w->observer_cb(w->ctx, text, len);
    return whole;
}

static void poll_watch(struct console *c, u64 id, struct console_line *line)
{
    struct console_watch *w = find_watch(c, id);
    if (w && w->is_wait) {
        check_wait(c, w, line);
        return;
    }
    while (w && feed_observer(c, w, line))
        w = find_watch(c, id);
}

void console_poll(struct console *c)
{
    struct console_line line;
    lock_take(&c->lock);
    c->news = false;
    lock_drop(&c->lock);
    u64 last = c->last_id, done = 0;
    for (;;) { /* ids grow along the list; those made by callbacks wait for the next poll */
        struct console_watch *w = c->watches;
        while (w && w->id <= done)
            w = w->next;
        if (!w || w->id > last)
            return;
        done = w->id;
        poll_watch(c, done, &line);
    }
}

void console_end_watchers(struct console *c)
{
    while (c->watches) {
        struct console_watch *w = take_watch(c, c->watches->id);
        if (w->is_wait)
            w->wait_cb(w->ctx, NULL);
        else
            w->observer_cb(w->ctx, "", 0);
        free_watch(c, w);
    }
}
