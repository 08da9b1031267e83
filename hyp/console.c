/* A console: ring of numbered lines, the unterminated line, typed input, waits and observers.
 * One mutex guards text and input; waits and observers belong to the loop thread. Wakeup and
 * input callbacks are called without the mutex. */
#include "hyp/console_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "mem/base/ergo.h"

struct console *console_create(const struct console_ports *ports)
{
    struct console *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->ports = *ports;
    c->next = 1;
    c->echo = true;
    lock_init(&c->lock, LOCK_CONSOLE);
    return c;
}

void console_destroy(struct console *c)
{
    if (!c)
        return;
    console_end_watchers(c);
    for (unsigned i = 0; i < CONSOLE_LINES_MAX; i++)
        free(c->ring[i].text);
    while (c->input_count)
        free(c->inputs[(c->input_first + --c->input_count) % CONSOLE_INPUTS_MAX].text);
    lock_fini(&c->lock);
    free(c);
}

static u64 now(struct console *c)
{
    return c->ports.wall_ns ? c->ports.wall_ns(c->ports.ctx) : 0;
}

/* The unterminated line becomes a numbered one. */
static void end_line_locked(struct console *c)
{
    struct stored_line *l = &c->ring[c->next % CONSOLE_LINES_MAX];
    free(l->text);
    c->partial[c->partial_len] = 0;
    l->text = malloc(c->partial_len + 1);
    l->len = l->text ? c->partial_len : 0;
    if (l->text)
        memcpy(l->text, c->partial, c->partial_len + 1);
    l->wall_ns = now(c);
    l->relayed = false;
    c->next++;
    c->partial_len = 0;
    c->partial_chars = 0;
}

/* Length of the text that may be cut off as a line without splitting a UTF-8 character. */
static size_t whole_characters(const char *text, size_t len)
{
    size_t n = len;
    while (n && len - n < 4 && ((u8)text[n - 1] & 0xc0) == 0x80)
        n--;
    if (!n || (u8)text[n - 1] < 0xc0)
        return len;
    u8 lead = (u8)text[n - 1];
    size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    return n - 1 + need <= len ? len : n - 1;
}

/* "17:13:22 " in front, if so wanted. */
static void begin_line_locked(struct console *c)
{
    c->partial_ns = now(c);
    if (!c->timestamp)
        return;
    unsigned s = (unsigned)(c->partial_ns / 1000000000u % 86400);
    c->partial_len = (size_t)snprintf(c->partial, sizeof c->partial, "%02u:%02u:%02u ",
                                      s / 3600, s / 60 % 60, s % 60);
}

void console_set_form(struct console *c, unsigned linesize, bool timestamp)
{
    lock_take(&c->lock);
    c->linesize = linesize;
    c->timestamp = timestamp;
    lock_drop(&c->lock);
}

static void put_char_locked(struct console *c, char ch)
{
    if (c->partial_len == CONSOLE_LINE_BYTES_MAX) {
        char tail[4];
        size_t keep = whole_characters(c->partial, c->partial_len);
        size_t rest = c->partial_len - keep;
        memcpy(tail, c->partial + keep, rest);
        c->partial_len = keep;
        end_line_locked(c);
        memcpy(c->partial, tail, rest);
        c->partial_len = rest;
    }
    bool begins = ((u8)ch & 0xc0) != 0x80; /* a character */
    if (c->linesize && begins && c->partial_chars == c->linesize)
        end_line_locked(c);
    if (!c->partial_len)
        begin_line_locked(c);
    c->partial_chars += begins;
    c->partial[c->partial_len++] = ch ? ch : ' ';
}

static void write_locked(struct console *c, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            c->cr = false;
            end_line_locked(c);
            continue;
        }
        if (c->cr) /* a lone carriage return stays in the line */
            put_char_locked(c, '\r');
        c->cr = text[i] == '\r';
        if (!c->cr)
            put_char_locked(c, text[i]);
    }
}

static void woken(struct console *c, bool tell)
{
    if (tell && c->ports.wakeup)
        c->ports.wakeup(c->ports.ctx, c);
}

static bool mark_news_locked(struct console *c)
{
    bool first = !c->news;
    c->news = true;
    return first;
}

void console_write(struct console *c, const char *text, size_t len)
{
    if (!len)
        return;
    lock_take(&c->lock);
    write_locked(c, text, len);
    bool tell = mark_news_locked(c);
    lock_drop(&c->lock);
    woken(c, tell);
}

static void write_line_locked(struct console *c, const char *text, size_t len)
{
    c->cr = false;
    if (c->partial_len)
        end_line_locked(c);
    write_locked(c, text, len);
    write_locked(c, "\n", 1);
}

static void add_line(struct console *c, const char *text, bool relayed)
{
    lock_take(&c->lock);
    if (c->partial_len)
        end_line_locked(c);
    u64 first = c->next;
    write_line_locked(c, text, strlen(text));
    for (u64 n = first; relayed && n < c->next; n++)
        c->ring[n % CONSOLE_LINES_MAX].relayed = true;
    bool tell = mark_news_locked(c);
    lock_drop(&c->lock);
    woken(c, tell);
}

void console_write_line(struct console *c, const char *text)
{
    add_line(c, text, false);
}

void console_relay_line(struct console *c, const char *text)
{
    add_line(c, text, true);
}

u64 console_next_number(struct console *c)
{
    lock_take(&c->lock);
    u64 n = c->next;
    lock_drop(&c->lock);
    return n;
}

static u64 first_locked(const struct console *c)
{
    u64 first = c->next > CONSOLE_LINES_MAX ? c->next - CONSOLE_LINES_MAX : 1;
    return first > c->lost ? first : c->lost + 1;
}

u64 console_first_number(struct console *c)
{
    lock_take(&c->lock);
    u64 n = first_locked(c);
    lock_drop(&c->lock);
    return n;
}

bool console_read(struct console *c, u64 *cursor, struct console_line *out)
{
    lock_take(&c->lock);
    u64 n = *cursor < first_locked(c) ? first_locked(c) : *cursor;
    bool there = n < c->next;
    if (there) {
        const struct stored_line *l = &c->ring[n % CONSOLE_LINES_MAX];
        out->number = n;
        out->wall_ns = l->wall_ns;
        out->partial = false;
        out->relayed = l->relayed;
        out->len = l->len;
        memcpy(out->text, l->text ? l->text : "", l->len + 1);
        *cursor = n + 1;
    }
    lock_drop(&c->lock);
    return there;
}

bool console_partial(struct console *c, struct console_line *out)
{
    lock_take(&c->lock);
    out->number = c->next;
    out->wall_ns = c->partial_ns;
    out->partial = true;
    out->relayed = false;
    out->len = c->partial_len;
    memcpy(out->text, c->partial, c->partial_len);
    out->text[out->len] = 0;
    lock_drop(&c->lock);
    return out->len > 0;
}

void console_hold_line(struct console *c, bool hold)
{
    c->held = hold;
}

bool console_line_held(const struct console *c)
{
    return c->held;
}

void console_set_echo(struct console *c, bool on)
{
    lock_take(&c->lock);
    c->echo = on;
    lock_drop(&c->lock);
}

static int push_input_locked(struct console *c, const char *text, size_t len)
{
    if (c->input_count == CONSOLE_INPUTS_MAX || len > CONSOLE_INPUT_BYTES_MAX)
        return ST_LIMIT;
    char *copy = malloc(len + 1);
    if (!copy)
        return ST_NOMEM;
    memcpy(copy, text, len);
    copy[len] = 0;
    unsigned at = (c->input_first + c->input_count++) % CONSOLE_INPUTS_MAX;
    c->inputs[at] = (struct typed_line){.text = copy, .len = len};
    return ST_OK;
}

int console_input_put(struct console *c, const char *text, size_t len)
{
    bool tell = false;
    lock_take(&c->lock);
    int status = push_input_locked(c, text, len);
    if (!status && c->echo) {
        write_locked(c, text, len);
        write_locked(c, "\n", 1);
        tell = mark_news_locked(c);
    }
    void (*notify)(void *) = !status || status == ST_LIMIT ? c->notify : NULL;
    void *ctx = c->notify_ctx;
    lock_drop(&c->lock);
    woken(c, tell);
    if (notify)
        notify(ctx);
    return status;
}

int console_input_take(struct console *c, char *out, size_t room)
{
    PRE(room > 0);
    lock_take(&c->lock);
    int n = -1;
    if (c->input_count) {
        struct typed_line *t = &c->inputs[c->input_first];
        size_t len = t->len < room ? t->len : room - 1;
        memcpy(out, t->text, len);
        out[len] = 0;
        n = (int)len;
        free(t->text);
        c->input_first = (c->input_first + 1) % CONSOLE_INPUTS_MAX;
        c->input_count--;
    }
    lock_drop(&c->lock);
    return n;
}

unsigned console_input_count(struct console *c)
{
    lock_take(&c->lock);
    unsigned n = c->input_count;
    lock_drop(&c->lock);
    return n;
}

void console_set_input_notify(struct console *c, void (*notify)(void *ctx), void *ctx)
{
    lock_take(&c->lock);
    c->notify = notify;
    c->notify_ctx = ctx;
    lock_drop(&c->lock);
}
