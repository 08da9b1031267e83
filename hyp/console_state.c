/* A console moves with its guest: lines with numbers and stamps, the partial line, typed input.
 * Restoring is all or nothing: everything is decoded before anything is replaced. */
#include <stdlib.h>

#include "hyp/console_internal.h"
#include "mem/base/ergo.h"

enum {
    ROW_NEXT = CODEC_MANDATORY | 1,
    ROW_LINE = CODEC_MANDATORY | 2, /* stamp(8) text */
    ROW_PARTIAL = CODEC_MANDATORY | 3,
    ROW_INPUT = CODEC_MANDATORY | 4,
    ROW_ECHO = 5,
};

static void put_stamped(struct codec_out *out, u16 tag, u64 ns, const char *text, size_t len)
{
    u8 row[8 + CONSOLE_LINE_BYTES_MAX];
    be64_store(row, ns);
    memcpy(row + 8, text, len);
    codec_put_bytes(out, tag, row, 8 + len);
}

void console_save(struct console *c, struct codec_out *out)
{
    lock_take(&c->lock);
    u64 first = c->next > CONSOLE_LINES_MAX ? c->next - CONSOLE_LINES_MAX : 1;
    first = first > c->lost ? first : c->lost + 1;
    codec_put_u64(out, ROW_NEXT, c->next);
    codec_put_u8(out, ROW_ECHO, c->echo);
    for (u64 n = first; n < c->next; n++) {
        const struct stored_line *l = &c->ring[n % CONSOLE_LINES_MAX];
        put_stamped(out, ROW_LINE, l->wall_ns, l->text ? l->text : "", l->len);
    }
    if (c->partial_len)
        put_stamped(out, ROW_PARTIAL, c->partial_ns, c->partial, c->partial_len);
    for (unsigned i = 0; i < c->input_count; i++) {
        const struct typed_line *t = &c->inputs[(c->input_first + i) % CONSOLE_INPUTS_MAX];
        codec_put_bytes(out, ROW_INPUT, t->text, t->len);
    }
    lock_drop(&c->lock);
}

static char *copy_text(const u8 *p, size_t len)
{
    char *text = malloc(len + 1);
    if (!text)
        return NULL;
    for (size_t i = 0; i < len; i++)
        text[i] = p[i] ? (char)p[i] : ' ';
    text[len] = 0;
    return text;
}

/* Lines come oldest first and end before `next`; their numbers follow when all are known. */
static bool take_line(struct console *t, const struct codec_row *row, u64 count)
{
    if (row->len < 8 || row->len > 8 + CONSOLE_LINE_BYTES_MAX || count >= CONSOLE_LINES_MAX)
        return false;
    struct stored_line *l = &t->ring[count];
    l->wall_ns = be64_load(row->p);
    l->len = row->len - 8;
    l->text = copy_text(row->p + 8, l->len);
    return l->text != NULL;
}

static bool take_input(struct console *t, const struct codec_row *row)
{
    if (t->input_count == CONSOLE_INPUTS_MAX || row->len > CONSOLE_INPUT_BYTES_MAX)
        return false;
    char *text = copy_text(row->p, row->len);
    if (text)
        t->inputs[t->input_count++] = (struct typed_line){.text = text, .len = row->len};
    return text != NULL;
}

static bool take_row(struct console *t, const struct codec_row *row, u64 *lines)
{
    u8 echo;
    switch (row->tag) {
    case ROW_NEXT:
        return codec_get_u64(row, &t->next) && t->next >= 1 && t->next < UINT64_MAX / 2;
    case ROW_LINE: return take_line(t, row, (*lines)++);
    case ROW_PARTIAL:
        if (row->len < 8 || row->len > 8 + CONSOLE_LINE_BYTES_MAX)
            return false;
        t->partial_ns = be64_load(row->p);
        t->partial_len = row->len - 8;
        memcpy(t->partial, row->p + 8, t->partial_len);
        return true;
    case ROW_INPUT: return take_input(t, row);
    case ROW_ECHO:
        if (codec_get_u8(row, &echo))
            t->echo = echo != 0;
        return true;
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

/* Everything decoded is in `t`; `c` has been emptied. Ring slots of `c` are by number, those of
 * `t` by order. */
static void swap_locked(struct console *c, struct console *t, u64 lines)
{
    for (u64 i = 0; i < lines; i++) {
        c->ring[(t->next - lines + i) % CONSOLE_LINES_MAX] = t->ring[i];
        t->ring[i] = (struct stored_line){0};
    }
    c->next = t->next;
    c->lost = t->next - lines - 1;
    memcpy(c->partial, t->partial, sizeof c->partial);
    c->partial_len = t->partial_len;
    c->partial_ns = t->partial_ns;
    c->echo = t->echo;
    c->cr = false;
    memcpy(c->inputs, t->inputs, sizeof c->inputs);
    c->input_first = 0;
    c->input_count = t->input_count;
    t->input_count = 0;
}

static void free_texts(struct console *c)
{
    for (unsigned i = 0; i < CONSOLE_LINES_MAX; i++) {
        free(c->ring[i].text);
        c->ring[i].text = NULL;
    }
    while (c->input_count) {
        unsigned at = (c->input_first + --c->input_count) % CONSOLE_INPUTS_MAX;
        free(c->inputs[at].text);
    }
}

int console_restore(struct console *c, struct codec_in *in, struct cause *cause)
{
    struct console *t = calloc(1, sizeof *t);
    struct codec_row row;
    u64 lines = 0;
    bool good = t != NULL;
    if (t)
        t->echo = true;
    while (good && codec_next(in, &row))
        good = take_row(t, &row, &lines);
    good = good && !in->failed && t->next > lines;
    if (good) {
        lock_take(&c->lock);
        free_texts(c);
        swap_locked(c, t, lines);
        lock_drop(&c->lock);
    }
    if (t)
        free_texts(t);
    free(t);
    return good ? ST_OK : cause_set(cause, ST_PROTO, "console: rows are damaged");
}
