/* The text of a directory: finding entries and statements in it, new texts with some changed. */
#include "hyp/config/directory_edit.h"

#include <stdlib.h>

struct walk {
    const char *text, *line_at; /* where line `line` begins */
    unsigned line;
    struct scan *s;
};

static bool walk_begin(struct walk *w, const char *text, size_t from)
{
    w->s = malloc(sizeof *w->s);
    if (!w->s)
        return false;
    w->text = text;
    w->line_at = text + from;
    w->line = 1;
    scan_init(w->s, "", text + from, SCAN_STAR_COMMENTS | SCAN_CONTINUE);
    return true;
}

/* The next statement and its lines; false at the end, or at what cannot be read. */
static bool walk_next(struct walk *w, struct dir_span *out)
{
    struct cause ignored;
    if (scan_next(w->s, &ignored) <= 0)
        return false;
    for (; w->line < w->s->tok[0].line; w->line++)
        w->line_at = strchr(w->line_at, '\n') + 1;
    *out = (struct dir_span){(size_t)(w->line_at - w->text), (size_t)(w->s->p - w->text)};
    return true;
}

bool dir_text_entry(const char *text, const char *name, struct dir_span *out)
{
    struct walk w;
    struct dir_span at;
    bool found = false;
    if (!walk_begin(&w, text, 0))
        return false;
    while (walk_next(&w, &at)) {
        bool head = dir_begins_block(scan_word(w.s, 0));
        if (head && found)
            break;
        if (head && !strcasecmp(scan_word(w.s, 1), name)) {
            *out = at;
            found = true;
        }
        if (found)
            out->to = at.to;
    }
    free(w.s);
    return found;
}

bool dir_text_walk(const char *text, struct dir_span entry,
                   bool (*visit)(void *arg, const struct dir_found *found), void *arg)
{
    struct walk w;
    struct dir_found found;
    bool end = false;
    if (!walk_begin(&w, text, entry.from))
        return false;
    found.s = w.s;
    while (!end && walk_next(&w, &found.span) && found.span.from < entry.to)
        end = visit(arg, &found);
    free(w.s);
    return end;
}

struct search {
    enum dir_stmt stmt;
    unsigned key_at;
    const char *key;
    struct dir_span *out;
};

static bool same_key(const char *a, const char *b)
{
    u64 x, y;
    return scan_hex(a, ~0ull, &x) && scan_hex(b, ~0ull, &y) ? x == y : !strcasecmp(a, b);
}

static bool compare(void *arg, const struct dir_found *found)
{
    struct search *k = arg;
    const struct stmt_row *row = stmt_find(&dir_statements, scan_word(found->s, 0));
    unsigned last = found->s->count - 1; /* LINK owner vdev: the number is both */
    if (!row || row->stmt != (int)k->stmt)
        return false;
    if (k->key && !same_key(scan_word(found->s, k->key_at < last ? k->key_at : last), k->key))
        return false;
    *k->out = found->span;
    return true;
}

bool dir_text_find(const char *text, struct dir_span entry, enum dir_stmt stmt, unsigned key_at,
                   const char *key, struct dir_span *out)
{
    struct search k = {stmt, key_at, key, out};
    return dir_text_walk(text, entry, compare, &k);
}

char *dir_text_replace(const char *text, struct dir_span span, const char *with)
{
    size_t len = strlen(text), n = strlen(with);
    bool open = span.from && text[span.from - 1] != '\n' && n; /* the last line had no end */
    char *out = malloc(len - (span.to - span.from) + n + open + 1);
    if (!out)
        return NULL;
    memcpy(out, text, span.from);
    if (open)
        out[span.from] = '\n';
    memcpy(out + span.from + open, with, n);
    strcpy(out + span.from + open + n, text + span.to);
    return out;
}

static bool keep_last(void *arg, const struct dir_found *found)
{
    *(struct dir_span *)arg = found->span;
    return false;
}

void dir_text_indent(const char *text, struct dir_span entry, char out[32])
{
    struct dir_span last = entry;
    dir_text_walk(text, entry, keep_last, &last);
    size_t n = strspn(text + last.from, " \t");
    n = n < 31 ? n : 31;
    memcpy(out, text + last.from, n);
    out[n] = 0;
    if (!n && last.from == entry.from) /* the one that begins the entry */
        strcpy(out, " ");
}
