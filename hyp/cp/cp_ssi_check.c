/* Cross-checks of two members, at a join and when a lost link heals: lists of keys and values go
 * both ways and are compared by the rows of ssi_check.def. Nothing is changed. What arrives is
 * decoded as hostile; rows that this release does not know are passed over, as are those that the
 * other one does not send. */
#include "hyp/cp/cp_ssi_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROW_ITEM = 1 }; /* marked 1, key, NUL, value */

const struct ssi_check_row ssi_checks[SSI_CHECKS] = {
#define CHECK(name, tag, kind, severity, message, list)                                        \
    {#name, tag, SSI_CHECK_##kind, SSI_CHECK_##severity, MSG_##message, list},
#include "hyp/cp/ssi_check.def"
#undef CHECK
};

/* --- lists ----------------------------------------------------------------------------------- */

static struct ssi_check_item *list_new(struct ssi_check_list *list)
{
    if (list->count == list->room && !list->failed) {
        unsigned room = list->room ? 2 * list->room : 16;
        struct ssi_check_item *more =
            room <= SSI_CHECK_ITEMS_MAX ? realloc(list->item, room * sizeof *more) : NULL;
        list->failed = !more;
        list->item = more ? more : list->item;
        list->room = more ? room : list->room;
    }
    if (list->failed)
        return NULL;
    struct ssi_check_item *item = &list->item[list->count++];
    memset(item, 0, sizeof *item);
    return item;
}

void ssi_check_add(struct ssi_check_list *list, bool marked, const char *key, const char *fmt,
                   ...)
{
    struct ssi_check_item *item = list_new(list);
    va_list ap;
    if (!item)
        return;
    va_start(ap, fmt);
    vsnprintf(item->value, sizeof item->value, fmt, ap);
    va_end(ap);
    snprintf(item->key, sizeof item->key, "%s", key);
    item->marked = marked;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct ssi_check_item *)a)->key,
                  ((const struct ssi_check_item *)b)->key);
}

static void list_sort(struct ssi_check_list *list)
{
    if (list->count)
        qsort(list->item, list->count, sizeof list->item[0], by_key);
}

static void list_own(struct cp *cp, const struct ssi_check_row *row, struct ssi_check_list *out)
{
    *out = (struct ssi_check_list){0};
    row->list(cp, out);
    list_sort(out);
}

/* --- on the wire ------------------------------------------------------------------------------ */

static void put_item(struct codec_out *out, const struct ssi_check_item *item)
{
    u8 p[1 + SSI_CHECK_KEY_BYTES + SSI_CHECK_VALUE_BYTES] = {item->marked};
    size_t key = strlen(item->key), value = strlen(item->value);
    memcpy(p + 1, item->key, key);
    memcpy(p + 2 + key, item->value, value);
    codec_put_bytes(out, ROW_ITEM, p, 2 + key + value);
}

void ssi_check_export(struct cp *cp, struct codec_out *out)
{
    for (unsigned i = 0; i < SSI_CHECKS; i++) {
        struct ssi_check_list list;
        list_own(cp, &ssi_checks[i], &list);
        if (!list.failed) {
            codec_begin(out, ssi_checks[i].tag, 1);
            for (unsigned k = 0; k < list.count; k++)
                put_item(out, &list.item[k]);
            codec_end(out);
        }
        free(list.item);
    }
}

/* Text that is shown to an operator: what is no printable character is a question mark. */
static bool take_text(const u8 *p, size_t len, char *out, size_t room)
{
    if (len >= room)
        return false;
    for (size_t i = 0; i < len; i++)
        out[i] = p[i] >= ' ' && p[i] <= '~' ? (char)p[i] : '?';
    out[len] = 0;
    return true;
}

static bool take_item(const struct codec_row *row, struct ssi_check_list *list)
{
    const u8 *nul = row->len > 1 ? memchr(row->p + 1, 0, row->len - 1) : NULL;
    struct ssi_check_item *item = nul && row->p[0] <= 1 ? list_new(list) : NULL;
    if (!item)
        return false;
    size_t key = (size_t)(nul - row->p) - 1;
    item->marked = row->p[0];
    return take_text(row->p + 1, key, item->key, sizeof item->key) &&
           take_text(nul + 1, row->len - key - 2, item->value, sizeof item->value);
}

static bool take_list(const struct codec_row *block, struct ssi_check_list *list)
{
    struct codec_in in;
    struct codec_row row;
    if (!codec_open(block, &in))
        return false;
    while (codec_next(&in, &row))
        if (row.tag == ROW_ITEM ? !take_item(&row, list) : row.tag & CODEC_MANDATORY)
            return false;
    list_sort(list);
    return !in.failed;
}

/* --- comparing -------------------------------------------------------------------------------- */

/* What came of it. */
struct outcome {
    struct cp *cp;
    const char *member;
    const struct ssi_check_row *row;
    unsigned errors, count;
    u64 digest;
    char first[MSG_LINE_BYTES]; /* error */
    char line[SSI_CHECK_TOLD_MAX][MSG_LINE_BYTES];
};

static void differ(struct outcome *o, const char *key, const char *own, const char *theirs)
{
    char line[MSG_LINE_BYTES];
    msg_format(line, sizeof line, o->row->message, key, own, o->cp->config->member, theirs,
               o->member);
    for (const char *p = line; *p; p++)
        o->digest = (o->digest ^ (u8)*p) * 0x100000001b3u; /* FNV-1a */
    if (o->row->severity == SSI_CHECK_ERROR && !o->errors++)
        strcpy(o->first, line);
    if (o->count < SSI_CHECK_TOLD_MAX)
        strcpy(o->line[o->count], line);
    o->count++;
}

static bool not_near(const char *a, const char *b)
{
    u64 x = strtoull(a, NULL, 10), y = strtoull(b, NULL, 10);
    return (x > y ? x - y : y - x) > SSI_CHECK_NEAR_MS;
}

static bool differs(enum ssi_check_kind kind, const struct ssi_check_item *a,
                    const struct ssi_check_item *b)
{
    if (kind == SSI_CHECK_COMMON && (!a || !b))
        return false;
    if (kind == SSI_CHECK_NEAR)
        return a && b && not_near(a->value, b->value);
    if (kind == SSI_CHECK_LATEST && ((a && a->marked) || (b && b->marked)))
        return false;
    if (kind == SSI_CHECK_MARKED && !(a && a->marked) && !(b && b->marked))
        return false;
    return !a || !b || strcmp(a->value, b->value) != 0;
}

/* "LINUX1 LINUX2 and 3 more" */
static void add_name(char *names, size_t room, const char *key, unsigned *left)
{
    size_t len = strlen(names), more = strlen(key);
    if (len + more + 2 >= room) {
        ++*left;
        return;
    }
    if (len)
        names[len++] = ' ';
    memcpy(names + len, key, more + 1);
}

static const char *entries_text(const struct ssi_check_list *list, char out[24])
{
    snprintf(out, 24, "%u entries", list->count);
    return out;
}

static void compare_keys(struct outcome *o, const struct ssi_check_list *own,
                         const struct ssi_check_list *theirs)
{
    char names[SSI_CHECK_KEY_BYTES + 24] = "", a_text[24], b_text[24];
    unsigned i = 0, j = 0, left = 0;
    while (i < own->count || j < theirs->count) {
        const struct ssi_check_item *a = i < own->count ? &own->item[i] : NULL;
        const struct ssi_check_item *b = j < theirs->count ? &theirs->item[j] : NULL;
        int order = !a ? 1 : !b ? -1 : strcmp(a->key, b->key);
        a = order <= 0 ? a : NULL;
        b = order >= 0 ? b : NULL;
        i += a != NULL;
        j += b != NULL;
        if (!differs(o->row->kind, a, b))
            continue;
        if (o->row->kind == SSI_CHECK_NAMES)
            add_name(names, SSI_CHECK_KEY_BYTES, a ? a->key : b->key, &left);
        else
            differ(o, a ? a->key : b->key, a ? a->value : "none", b ? b->value : "none");
    }
    if (left)
        snprintf(names + strlen(names), sizeof names - strlen(names), " and %u more", left);
    if (names[0])
        differ(o, names, entries_text(own, a_text), entries_text(theirs, b_text));
}

static void compare_values(struct outcome *o, const struct ssi_check_list *own,
                           const struct ssi_check_list *theirs)
{
    for (unsigned i = 0; i < own->count; i++)
        for (unsigned j = 0; j < theirs->count; j++) {
            const struct ssi_check_item *a = &own->item[i], *b = &theirs->item[j];
            char what[2 * SSI_CHECK_KEY_BYTES + 8];
            if (!(a->marked || b->marked) || strcmp(a->value, b->value) != 0)
                continue;
            snprintf(what, sizeof what, "%s", a->key);
            if (strcmp(a->key, b->key) != 0)
                snprintf(what, sizeof what, "%s and %s", a->key, b->key);
            differ(o, what, a->value, b->value);
        }
}

static void compare_row(struct outcome *o, const struct ssi_check_list *theirs)
{
    struct ssi_check_list own;
    list_own(o->cp, o->row, &own);
    if (!own.failed && o->row->kind == SSI_CHECK_APART)
        compare_values(o, &own, theirs);
    else if (!own.failed)
        compare_keys(o, &own, theirs);
    free(own.item);
}

static int compare(struct outcome *o, const void *data, size_t len, struct cause *cause)
{
    struct codec_in in;
    struct codec_row block;
    codec_in_init(&in, data, len);
    while (len && codec_next(&in, &block)) {
        struct ssi_check_list theirs = {0};
        unsigned i = 0;
        while (i < SSI_CHECKS && ssi_checks[i].tag != block.tag)
            i++;
        bool known = i < SSI_CHECKS;
        bool good = known ? take_list(&block, &theirs) : !(block.tag & CODEC_MANDATORY);
        if (good && known) {
            o->row = &ssi_checks[i];
            compare_row(o, &theirs);
        }
        free(theirs.item);
        if (!good)
            return cause_set(cause, ST_PROTO, "%s sends something that is not known here",
                             o->member);
    }
    return in.failed ? cause_set(cause, ST_PROTO, "what %s sends is damaged", o->member)
                     : ST_OK;
}

/* --- telling ---------------------------------------------------------------------------------- */

static void tell_all(const struct outcome *o)
{
    char line[MSG_LINE_BYTES];
    for (unsigned i = 0; i < o->count && i < SSI_CHECK_TOLD_MAX; i++)
        cp_operator_tell(o->cp, "%s", o->line[i]);
    if (o->count <= SSI_CHECK_TOLD_MAX)
        return;
    msg_format(line, sizeof line, MSG_PLM1759I, o->count - SSI_CHECK_TOLD_MAX, o->member);
    cp_operator_tell(o->cp, "%s", line);
}

int ssi_check_compare(struct cp *cp, const char *member, const void *data, size_t len,
                      u64 *told, struct cause *cause)
{
    struct outcome *o = calloc(1, sizeof *o);
    if (!o)
        return cause_set(cause, ST_NOMEM, "out of memory");
    o->cp = cp;
    o->member = member;
    int status = compare(o, data, len, cause);
    if (status == ST_OK && o->count && o->digest != *told)
        tell_all(o);
    *told = o->digest;
    if (status == ST_OK && o->errors)
        status =
            cause_set(cause, ST_REFUSED, "%u difference%s between %s and %s: %s", o->errors,
                      o->errors == 1 ? "" : "s", cp->config->member, member, o->first);
    free(o);
    return status;
}
