/* Statements of configuration files as tokens with their places.
 * Guarantees: no statement is cut silently, every word knows its line and column. */
#include "hyp/config/config_scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void scan_init(struct scan *s, const char *name, const char *text, unsigned flags)
{
    memset(s, 0, offsetof(struct scan, tok));
    s->raw_len = 0;
    s->name = name;
    s->p = text;
    s->flags = flags;
    s->line = s->col = 1;
}

static void step(struct scan *s)
{
    if (*s->p++ == '\n') {
        s->line++;
        s->col = 1;
    } else {
        s->col++;
    }
}

static int fail_here(const struct scan *s, unsigned line, unsigned col, struct cause *cause,
                     const char *text)
{
    return cause_set(cause, ST_CONFIG, "%s:%u:%u: %s", s->name, line, col, text);
}

/* Skips blanks and comments within a line. 0, or ST_CONFIG for an endless comment. */
static int skip_blank(struct scan *s, bool line_start, struct cause *cause)
{
    for (;;) {
        while (*s->p == ' ' || *s->p == '\t' || *s->p == '\r')
            step(s);
        if ((s->flags & SCAN_SLASH_COMMENTS) && s->p[0] == '/' && s->p[1] == '*') {
            unsigned line = s->line, col = s->col;
            step(s), step(s);
            while (*s->p && !(s->p[0] == '*' && s->p[1] == '/'))
                step(s);
            if (!*s->p)
                return fail_here(s, line, col, cause, "expected */, found end of file");
            step(s), step(s);
            continue;
        }
        if (((s->flags & SCAN_STAR_COMMENTS) && line_start && *s->p == '*') ||
            ((s->flags & SCAN_HASH_COMMENTS) && *s->p == '#')) {
            while (*s->p && *s->p != '\n')
                step(s);
        }
        return 0;
    }
}

static bool word_ends(const struct scan *s)
{
    char c = *s->p;
    if (!c || c == ' ' || c == '\t' || c == '\r' || c == '\n')
        return true;
    return (s->flags & SCAN_SLASH_COMMENTS) && c == '/' && s->p[1] == '*';
}

static int take_word(struct scan *s, struct cause *cause)
{
    if (s->count == SCAN_TOKENS_MAX)
        return fail_here(s, s->line, s->col, cause, "expected a shorter statement");
    struct scan_token *t = &s->tok[s->count++];
    *t = (struct scan_token){.at = s->raw_len, .line = s->line, .col = s->col};
    while (!word_ends(s)) {
        if (s->raw_len + 2 >= SCAN_STATEMENT_BYTES_MAX)
            return fail_here(s, s->line, s->col, cause, "expected a shorter statement");
        s->raw[s->raw_len] = *s->p;
        s->upper[s->raw_len++] = (char)toupper((unsigned char)*s->p);
        step(s);
    }
    s->end_line = s->line;
    s->end_col = s->col;
    return 0;
}

/* Keeps the blanks between words of one line, for statements whose rest is free text. */
static void take_gap(struct scan *s, const char *from)
{
    size_t gap = (size_t)(s->p - from);
    bool plain = strspn(from, " \t") >= gap;
    size_t n = plain && gap ? gap : 1;
    if (s->raw_len + n + 2 >= SCAN_STATEMENT_BYTES_MAX)
        n = 1;
    memset(s->raw + s->raw_len, ' ', n);
    memset(s->upper + s->raw_len, 0, n);
    s->raw_len += (unsigned)n;
}

/* A comma that ends the line is no part of the last word. */
static bool continues(struct scan *s)
{
    if (!(s->flags & SCAN_CONTINUE) || !s->count || !s->raw_len)
        return false;
    unsigned end = s->raw_len;
    while (end && s->raw[end - 1] == ' ')
        end--;
    if (!end || s->raw[end - 1] != ',')
        return false;
    s->raw[end - 1] = ' ';
    s->upper[end - 1] = 0;
    s->raw_len = end;
    if (s->tok[s->count - 1].at == end - 1)
        s->count--;
    return true;
}

static void finish(struct scan *s)
{
    while (s->raw_len && s->raw[s->raw_len - 1] == ' ')
        s->raw_len--;
    s->raw[s->raw_len] = s->upper[s->raw_len] = 0;
    for (unsigned i = 0; i < s->count; i++)
        s->tok[i].word = s->upper + s->tok[i].at;
}

int scan_next(struct scan *s, struct cause *cause)
{
    bool line_start = true, more = false;
    s->count = s->raw_len = 0;
    while (*s->p) {
        const char *from = s->p;
        if (skip_blank(s, line_start, cause))
            return ST_CONFIG;
        if (*s->p == '\n' || !*s->p) {
            if (!line_start) /* empty lines and comments do not end a continuation */
                more = continues(s);
            if (*s->p)
                step(s);
            if (s->count && !more)
                break;
            line_start = true;
            continue;
        }
        if (s->raw_len)
            take_gap(s, from);
        if (take_word(s, cause))
            return ST_CONFIG;
        line_start = false;
    }
    finish(s);
    return s->count ? 1 : 0;
}

const char *scan_word(const struct scan *s, unsigned i)
{
    return i < s->count ? s->tok[i].word : "";
}

const char *scan_rest(const struct scan *s, unsigned i)
{
    return i < s->count ? s->raw + s->tok[i].at : "";
}

bool scan_written(const struct scan *s, unsigned i, size_t skip, char *out, size_t room)
{
    const char *word = scan_word(s, i), *from = scan_rest(s, i);
    size_t n = strlen(word); /* the same length in capitals */
    if (n <= skip || n - skip >= room)
        return false;
    memcpy(out, from + skip, n - skip);
    out[n - skip] = 0;
    return true;
}

int scan_bad(const struct scan *s, unsigned i, struct cause *cause, const char *fmt, ...)
{
    char expected[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(expected, sizeof expected, fmt, ap);
    va_end(ap);
    if (i >= s->count)
        return cause_set(cause, ST_CONFIG, "%s:%u:%u: expected %s, found end of %s", s->name,
                         s->count ? s->end_line : s->line, s->count ? s->end_col : s->col,
                         expected, s->count ? "statement" : "file");
    return cause_set(cause, ST_CONFIG, "%s:%u:%u: expected %s, found %.40s", s->name,
                     s->tok[i].line, s->tok[i].col, expected, s->tok[i].word);
}

int scan_refuse(const struct scan *s, unsigned i, struct cause *cause, const char *what)
{
    return cause_set(cause, ST_CONFIG, "%s:%u:%u: statement %s not available yet", s->name,
                     s->tok[i].line, s->tok[i].col, what);
}

int scan_end(const struct scan *s, unsigned i, struct cause *cause)
{
    return i >= s->count ? ST_OK : scan_bad(s, i, cause, "end of statement");
}

bool scan_abbrev(const char *word, const char *name)
{
    size_t min = 0, len = strlen(word);
    while (name[min] && !islower((unsigned char)name[min]))
        min++;
    if (len < min || len > strlen(name))
        return false;
    for (size_t i = 0; i < len; i++)
        if (toupper((unsigned char)word[i]) != toupper((unsigned char)name[i]))
            return false;
    return true;
}

bool scan_name(const char *word, char *out, size_t max)
{
    size_t n = strlen(word);
    if (!n || n > max || strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@#$_+-") != n)
        return false;
    memcpy(out, word, n + 1);
    return true;
}

bool scan_hex(const char *word, u64 max, u64 *out)
{
    size_t n = strlen(word);
    if (!n || n > 16 || strspn(word, "0123456789ABCDEFabcdef") != n)
        return false;
    *out = strtoull(word, NULL, 16);
    return *out <= max;
}

bool scan_number(const char *word, u64 min, u64 max, u64 *out)
{
    size_t n = strlen(word);
    if (!n || n > 19 || strspn(word, "0123456789") != n)
        return false;
    *out = strtoull(word, NULL, 10);
    return *out >= min && *out <= max;
}

bool scan_size(const char *word, u64 unit, u64 *out)
{
    static const char letters[] = "KMGTPE";
    size_t digits = strspn(word, "0123456789");
    if (!digits || digits > 12)
        return false;
    u64 v = strtoull(word, NULL, 10);
    if (word[digits]) {
        const char *l = strchr(letters, toupper((unsigned char)word[digits]));
        if (!l || word[digits + 1])
            return false;
        unit = 1024ull << (10 * (l - letters));
    }
    if (!unit || !v || v > UINT64_MAX / unit)
        return false;
    *out = v * unit;
    return true;
}

char *scan_file(const char *path, struct cause *cause)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
        return NULL;
    }
    size_t room = 65536, len = 0, n;
    char *text = malloc(room);
    while (text && (n = fread(text + len, 1, room - len - 1, f)) > 0) {
        len += n;
        if (len + 1 < room)
            continue;
        char *more = room < SCAN_FILE_BYTES_MAX ? realloc(text, room *= 2) : NULL;
        if (!more)
            free(text);
        text = more;
    }
    bool bad = ferror(f);
    fclose(f);
    if (!text || bad || memchr(text, 0, len)) {
        cause_set(cause, bad ? ST_IO : ST_CONFIG, "%s: not a text file of at most %u MB", path,
                  SCAN_FILE_BYTES_MAX >> 20);
        free(text);
        return NULL;
    }
    text[len] = 0;
    return text;
}
