/* Patterns of operands, matched from left to right: an alternative that fits is taken, and what
 * may be left out is taken when it fits. Depth follows the pattern, never the file. */
#include "hyp/config/syntax.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/net/port_option.h"

#define PART_BYTES 256

static bool is_hex(const char *w, size_t max)
{
    u64 v;
    return strlen(w) <= max && scan_hex(w, ~0ull, &v);
}

static bool kind_vdev(const char *w)
{
    return is_hex(w, 4);
}

static bool kind_hex(const char *w)
{
    return is_hex(w, 16);
}

static bool kind_number(const char *w)
{
    u64 v;
    return scan_number(w, 0, ~0ull, &v);
}

static bool kind_name(const char *w)
{
    char out[9];
    return scan_name(w, out, 8);
}

static bool kind_volid(const char *w)
{
    char out[7];
    return scan_name(w, out, 6);
}

static bool kind_size(const char *w)
{
    u64 v;
    return scan_size(w, 0, &v);
}

/* "10" or "20-30" */
static bool kind_vlans(const char *w)
{
    struct vlan_set set = {0};
    return vlan_words(&set, &w, 1, 0) == 1;
}

static bool kind_word(const char *w)
{
    return *w;
}

static const struct {
    const char *name, *what, *example;
    bool (*fits)(const char *word);
} kinds[] = {
    {"vdev", "a virtual device number", "0500", kind_vdev},
    {"rdev", "a real device number", "0A00", kind_vdev},
    {"hex", "a hexadecimal number", "0A", kind_hex},
    {"number", "a number", "8", kind_number},
    {"name", "a name of 1-8 characters", "NAME1", kind_name},
    {"userid", "a user id of 1-8 characters", "USER1", kind_name},
    {"member", "a member name of 1-8 characters", "MEMBERA", kind_name},
    {"volid", "a volume identifier of 1-6 characters", "VOL001", kind_volid},
    {"size", "a storage size (512M, 2G)", "1M", kind_size},
    {"vlans", "a VLAN from 1 to 4094, or a range", "10", kind_vlans},
    {"word", "a word", "WORD", kind_word},
    {"text", "text", "TEXT", kind_word}, /* to the end of the statement */
};

static void wanted(struct syntax *x, const char *what)
{
    size_t n = strlen(x->want);
    if (x->at < x->furthest)
        return;
    if (x->at > x->furthest || !n)
        snprintf(x->want, sizeof x->want, "%s", what);
    else if (!strstr(x->want, what) && n + strlen(what) + 5 < sizeof x->want)
        snprintf(x->want + n, sizeof x->want - n, " or %s", what);
    x->furthest = x->at;
}

static bool match_word(struct syntax *x, const char *part)
{
    const char *w = scan_word(x->s, x->at);
    char capitals[PART_BYTES];
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(part, kinds[i].name))
            continue;
        if (!kinds[i].fits(w))
            return wanted(x, kinds[i].what), false;
        x->at = strcmp(part, "text") ? x->at + 1 : x->s->count;
        return true;
    }
    if (*w && scan_abbrev(w, part))
        return x->at++, true;
    for (size_t i = 0; i <= strlen(part); i++)
        capitals[i] = (char)toupper((unsigned char)part[i]);
    return wanted(x, capitals), false;
}

/* The end of the bracket that opens at p, or of the word. */
static const char *part_end(const char *p)
{
    unsigned depth = 0;
    if (*p != '[' && *p != '{')
        return p + strcspn(p, " []{}|");
    do {
        depth += *p == '[' || *p == '{';
        depth -= *p == ']' || *p == '}';
        p++;
    } while (depth && *p);
    return p;
}

static bool match_choice(struct syntax *x, const char *p, const char *end);

static bool match_part(struct syntax *x, const char *p, const char *end)
{
    char part[PART_BYTES];
    if (*p == '{')
        return match_choice(x, p + 1, end - 1);
    if (*p == '[') {
        match_choice(x, p + 1, end - 1);
        return true;
    }
    snprintf(part, sizeof part, "%.*s", (int)(end - p), p);
    return match_word(x, part);
}

/* A part, `again` and again as long as it fits. */
static bool match_item(struct syntax *x, const char *p, const char *end, bool again)
{
    unsigned before = x->at;
    if (!match_part(x, p, end))
        return false;
    while (again && x->at > before && x->at < x->s->count) {
        before = x->at;
        if (!match_part(x, p, end))
            break;
    }
    return true;
}

static bool match_sequence(struct syntax *x, const char *p, const char *end)
{
    unsigned from = x->at;
    for (p += strspn(p, " "); p < end; p += strspn(p, " ")) {
        const char *next = part_end(p), *after = next + strspn(next, " ");
        bool again = after < end && !strncmp(after, "...", 3);
        if (!match_item(x, p, next, again))
            return x->at = from, false;
        p = again ? after + 3 : next;
    }
    return true;
}

/* Alternatives between p and end, divided by | outside of brackets. */
static bool match_choice(struct syntax *x, const char *p, const char *end)
{
    unsigned depth = 0;
    const char *begin = p;
    for (; p <= end; p++) {
        if (p == end || (*p == '|' && !depth)) {
            if (match_sequence(x, begin, p))
                return true;
            begin = p + 1;
            continue;
        }
        depth += *p == '[' || *p == '{';
        depth -= *p == ']' || *p == '}';
    }
    return false;
}

bool syntax_match(struct syntax *x, const char *pattern)
{
    return match_choice(x, pattern, pattern + strlen(pattern));
}

void syntax_keyword(const char *pattern, char out[32])
{
    size_t n = strcspn(pattern, " []{}|");
    n = n < 31 && isupper((unsigned char)*pattern) ? n : 0;
    memcpy(out, pattern, n);
    out[n] = 0;
}

/* To the end of the alternatives that p is among. */
static const char *skip_others(const char *p)
{
    unsigned depth = 0;
    for (; *p && (depth || (*p != ']' && *p != '}')); p++) {
        depth += *p == '[' || *p == '{';
        depth -= *p == ']' || *p == '}';
    }
    return p;
}

void syntax_example(const char *pattern, char *out, size_t room)
{
    size_t n = 0;
    out[0] = 0;
    for (const char *p = pattern; *p;) {
        if (*p == '|') {
            p = skip_others(p);
            continue;
        }
        size_t len = strspn(p, " []{}.");
        if (len) {
            p += len;
            continue;
        }
        char part[PART_BYTES];
        snprintf(part, sizeof part, "%.*s", (int)(part_end(p) - p), p);
        p = part_end(p);
        const char *text = part;
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
            if (!strcmp(part, kinds[i].name))
                text = kinds[i].example;
        n += (size_t)snprintf(out + n, room - n, "%s%s", n ? " " : "", text);
    }
}
