/* Reader spool files: a list in order of arrival, descriptions for QUERY RDR.
 * Bytes stay here only while nobody is logged on to read them; then the file is in the virtual
 * reader, under a number of its own, and its description moves with it. */
#include "hyp/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SPOOL_ID_MAX 9999
#define SPOOL_FILES_PER_USER_MAX 9900

struct spool_item {
    struct spool_item *next;
    char userid[VM_NAME_BYTES];
    struct vm_spool_file desc;
    u8 *bytes; /* NULL: in the virtual reader */
    size_t len;
    u32 number; /* there */
    bool seen;
};

struct spool {
    struct spool_item *first, **last;
    u16 next_id;
};

struct spool *spool_create(void)
{
    struct spool *spool = calloc(1, sizeof *spool);
    if (spool)
        spool->last = &spool->first;
    return spool;
}

static void item_free(struct spool_item *item)
{
    free(item->bytes);
    free(item);
}

static void item_unlink(struct spool *spool, struct spool_item **at)
{
    struct spool_item *item = *at;
    *at = item->next;
    if (!*at)
        spool->last = at;
    item_free(item);
}

void spool_destroy(struct spool *spool)
{
    if (!spool)
        return;
    while (spool->first)
        item_unlink(spool, &spool->first);
    free(spool);
}

static u64 wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (u64)t.tv_sec * 1000000000ull + (u64)t.tv_nsec;
}

static bool is_of(const struct spool_item *item, const char *userid)
{
    return strcmp(item->userid, userid) == 0;
}

static struct spool_item *find_id(const struct spool *spool, const char *userid, u16 id)
{
    struct spool_item *i = spool->first;
    while (i && !(i->desc.id == id && is_of(i, userid)))
        i = i->next;
    return i;
}

static struct spool_item *find_number(const struct spool *spool, const char *userid, u32 number)
{
    struct spool_item *i = spool->first;
    while (i && !(!i->bytes && i->number == number && is_of(i, userid)))
        i = i->next;
    return i;
}

/* There are more ids than files of a user. */
static u16 free_id(struct spool *spool, const char *userid)
{
    do
        spool->next_id = (u16)(spool->next_id % SPOOL_ID_MAX + 1);
    while (find_id(spool, userid, spool->next_id));
    return spool->next_id;
}

static void append(struct spool *spool, struct spool_item *item)
{
    *spool->last = item;
    spool->last = &item->next;
}

static struct spool_item *item_new(struct spool *spool, const char *userid, const char *origin,
                                   const char *name, const char *type, size_t len)
{
    struct spool_item *item = calloc(1, sizeof *item);
    if (!item)
        return NULL;
    snprintf(item->userid, sizeof item->userid, "%s", userid);
    item->desc = (struct vm_spool_file){.id = free_id(spool, userid),
                                        .class_ = 'A',
                                        .device = "PUN",
                                        .records = (len + 79) / 80,
                                        .copies = 1,
                                        .created_ns = wall_ns()};
    snprintf(item->desc.origin, sizeof item->desc.origin, "%s", origin);
    snprintf(item->desc.name, sizeof item->desc.name, "%s", name);
    snprintf(item->desc.type, sizeof item->desc.type, "%s", type);
    snprintf(item->desc.dist, sizeof item->desc.dist, "%s", userid);
    item->len = len;
    return item;
}

int spool_add(struct spool *spool, const char *userid, struct vm *vm, const char *origin,
              const char *name, const char *type, const void *bytes, size_t len, u16 *id,
              struct cause *cause)
{
    if (spool_count(spool, userid) >= SPOOL_FILES_PER_USER_MAX)
        return cause_set(cause, ST_LIMIT, "%s has %d spool files", userid,
                         SPOOL_FILES_PER_USER_MAX);
    struct spool_item *item = item_new(spool, userid, origin, name, type, len);
    int rc = item ? ST_OK : ST_NOMEM;
    if (item && vm) {
        rc = vm_reader_add(vm, bytes, len, &item->number, cause);
    } else if (item) {
        item->bytes = malloc(len ? len : 1);
        if (item->bytes)
            memcpy(item->bytes, bytes, len);
        else
            rc = ST_NOMEM;
    }
    if (rc) {
        if (item)
            item_free(item);
        return rc == ST_NOMEM ? cause_set(cause, rc, "no memory for a spool file") : rc;
    }
    append(spool, item);
    if (id)
        *id = item->desc.id;
    return ST_OK;
}

void spool_deliver(struct spool *spool, const char *userid, struct vm *vm)
{
    struct cause cause;
    for (struct spool_item *i = spool->first; i; i = i->next) {
        if (!i->bytes || !is_of(i, userid))
            continue;
        if (vm_reader_add(vm, i->bytes, i->len, &i->number, &cause))
            return; /* the rest waits */
        free(i->bytes);
        i->bytes = NULL;
    }
}

/* Drop descriptions of files that are, or were, in the reader. */
static void drop_unseen(struct spool *spool, const char *userid)
{
    for (struct spool_item **at = &spool->first; *at;) {
        if (!(*at)->bytes && !(*at)->seen && is_of(*at, userid))
            item_unlink(spool, at);
        else
            at = &(*at)->next;
    }
}

static void unsee(struct spool *spool)
{
    for (struct spool_item *i = spool->first; i; i = i->next)
        i->seen = false;
}

void spool_sync(struct spool *spool, const char *userid, struct reader *reader)
{
    struct reader_file info;
    unsee(spool);
    for (unsigned k = 0; reader_file_info(reader, k, &info); k++) {
        struct spool_item *i = find_number(spool, userid, info.number);
        if (!i)
            continue;
        i->seen = true;
        i->desc.hold = info.held;
    }
    drop_unseen(spool, userid);
}

void spool_forget(struct spool *spool, const char *userid)
{
    unsee(spool);
    drop_unseen(spool, userid);
}

unsigned spool_count(struct spool *spool, const char *userid)
{
    unsigned n = 0;
    for (struct spool_item *i = spool->first; i; i = i->next)
        n += is_of(i, userid);
    return n;
}

bool spool_file(struct spool *spool, const char *userid, unsigned k, struct vm_spool_file *out)
{
    for (struct spool_item *i = spool->first; i; i = i->next)
        if (is_of(i, userid) && k-- == 0) {
            *out = i->desc;
            return true;
        }
    return false;
}

int spool_purge(struct spool *spool, const char *userid, u16 id, struct vm *vm)
{
    int n = 0;
    for (struct spool_item **at = &spool->first; *at;) {
        bool mine = is_of(*at, userid) && (!id || (*at)->desc.id == id);
        if (mine && ((*at)->bytes || !id)) {
            item_unlink(spool, at);
            n++;
        } else {
            at = &(*at)->next;
        }
    }
    if (vm && !id)
        vm_reader_purge(vm);
    return n;
}

/* --- relocation: one block for each file, every member of its description a row ------------- */

#define TAG_FILE 1
#define FILE_VERSION 1
#define ROW_NUMBER 1
#define NUMBER_ROWS(R)                                                                         \
    R(2, id) R(3, class_) R(4, records) R(5, copies) R(6, hold) R(7, created_ns)
#define TEXT_ROWS(R) R(16, origin) R(17, name) R(18, type) R(19, dist) R(20, device)

void spool_save(const struct spool *spool, const char *userid, struct codec_out *out)
{
    for (const struct spool_item *i = spool->first; i; i = i->next) {
        if (i->bytes || !is_of(i, userid))
            continue;
        codec_begin(out, TAG_FILE, FILE_VERSION);
        codec_put_u32(out, ROW_NUMBER, i->number);
#define R(tag, member) codec_put_u64(out, tag, (u64)i->desc.member);
        NUMBER_ROWS(R)
#undef R
#define R(tag, member) codec_put_bytes(out, tag, i->desc.member, strlen(i->desc.member));
        TEXT_ROWS(R)
#undef R
        codec_end(out);
    }
}

/* Words that come out on consoles: printing characters only. */
static bool take_text(const struct codec_row *row, char *out, size_t room)
{
    if (row->len >= room)
        return false;
    for (size_t i = 0; i < row->len; i++)
        if (row->p[i] < 0x20 || row->p[i] > 0x7e)
            return false;
    memcpy(out, row->p, row->len);
    out[row->len] = 0;
    return true;
}

static bool take_row(const struct codec_row *row, struct spool_item *item)
{
    u64 v = 0;
    switch (row->tag) {
    case ROW_NUMBER: return codec_get_u32(row, &item->number);
#define R(tag, member)                                                                         \
    case tag:                                                                                  \
        if (!codec_get_u64(row, &v))                                                           \
            return false;                                                                      \
        item->desc.member = (__typeof__(item->desc.member))v;                                  \
        return (u64)item->desc.member == v;
        NUMBER_ROWS(R)
#undef R
#define R(tag, member)                                                                         \
    case tag: return take_text(row, item->desc.member, sizeof item->desc.member);
        TEXT_ROWS(R)
#undef R
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

static bool item_valid(const struct spool *spool, const char *userid,
                       const struct spool_item *item)
{
    const struct spool_item *same = find_id(spool, userid, item->desc.id);
    u8 class_ = (u8)item->desc.class_;
    return item->number && !find_number(spool, userid, item->number) && item->desc.id &&
           item->desc.id <= SPOOL_ID_MAX && (!same || same->bytes) && class_ >= 0x20 &&
           class_ <= 0x7e;
}

static bool take_file(struct spool *spool, const char *userid, struct codec_in *in)
{
    struct codec_row row;
    struct spool_item *item = calloc(1, sizeof *item);
    bool good = item != NULL;
    while (good && codec_next(in, &row))
        good = take_row(&row, item);
    if (!good || in->failed || !item_valid(spool, userid, item)) {
        free(item);
        return false;
    }
    snprintf(item->userid, sizeof item->userid, "%s", userid);
    struct spool_item *waiting = find_id(spool, userid, item->desc.id);
    if (waiting) /* it was spooled here, before the user came */
        waiting->desc.id = free_id(spool, userid);
    append(spool, item);
    return true;
}

bool spool_restore(struct spool *spool, const char *userid, struct codec_in *in)
{
    struct codec_row row;
    struct codec_in file;
    while (codec_next(in, &row)) {
        if (row.tag != TAG_FILE) {
            if (row.tag & CODEC_MANDATORY)
                return false;
            continue;
        }
        if (!codec_open(&row, &file) || file.version != FILE_VERSION ||
            spool_count(spool, userid) >= SPOOL_FILES_PER_USER_MAX ||
            !take_file(spool, userid, &file))
            return false;
    }
    return !in->failed;
}
