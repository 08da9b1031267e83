/* Saved segments in absolute storage: pages of a file, mapped where the segment is, behind storage
 * or in it. Loaded and purged while no CPU runs and no device works; CPUs purge translations after.
 * Guarantees: what a guest may not store into it cannot (cpu/access.c and storage_write look), and
 * bytes that get there by whatever way are the guest's own copy; a segment that goes leaves zeros
 * with zero keys where storage is, and nothing behind it. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "mem/base/ergo.h"
#include "mem/storage_source.h"

static const struct storage_segment *covering(const struct storage *st, u64 abs)
{
    for (unsigned i = 0; i < STORAGE_SEGMENTS_MAX; i++)
        if (st->segment[i].len && abs - st->segment[i].start < st->segment[i].len)
            return &st->segment[i];
    return NULL;
}

bool storage_in_segments(const struct storage *st, u64 abs, u64 len)
{
    for (;;) { /* never past the end of all addresses: none of them is in a segment */
        const struct storage_segment *s = covering(st, abs);
        if (!s)
            return false;
        u64 left = s->start + s->len - abs;
        if (len <= left)
            return true;
        abs += left;
        len -= left;
    }
}

bool storage_protected(const struct storage *st, u64 abs, u64 len)
{
    for (unsigned i = 0; i < STORAGE_SEGMENTS_MAX; i++) {
        const struct storage_segment *s = &st->segment[i];
        if (s->len && s->read_only && abs < s->start + s->len && s->start < abs + len)
            return true;
    }
    return false;
}

bool storage_segments_at(const struct storage *st, u64 abs, u64 len)
{
    for (unsigned i = 0; i < STORAGE_SEGMENTS_MAX; i++) {
        const struct storage_segment *s = &st->segment[i];
        if (s->len && abs < s->start + s->len && s->start < abs + len)
            return true;
    }
    return false;
}

/* Keys, marks and decoded code of what was there. */
static void forget(struct storage *st, u64 start, u64 len)
{
    for (u64 abs = start; abs < start + len; abs += FRAME_BYTES) {
        storage_make_resident(st, abs);
        storage_key_set(st, abs, 0);
        storage_usage_set(st, abs, STORAGE_STABLE);
    }
    storage_code_stored(st, start, len);
}

/* What has been mapped anew is not locked as what was there. */
static void lock_again(struct storage *st, u64 start)
{
    if (start < st->reserved)
        storage_reserve_again(st);
}

/* Room for one more in the table, and for its addresses. */
static int place_find(struct storage *st, const struct storage_segment *what,
                      struct storage_segment **place, struct cause *cause)
{
    PRE(what->start % FRAME_BYTES == 0 && what->len % FRAME_BYTES == 0 && what->len);
    *place = NULL;
    for (unsigned i = 0; i < STORAGE_SEGMENTS_MAX; i++) {
        const struct storage_segment *s = &st->segment[i];
        if (!s->len)
            *place = &st->segment[i];
        else if (what->start < s->start + s->len && s->start < what->start + what->len)
            return cause_set(cause, ST_EXIST, "another segment is loaded there");
    }
    if (!*place || what->start >= st->reach || what->len > st->reach - what->start)
        return cause_set(cause, ST_LIMIT, "there is no room for it");
    return ST_OK;
}

int storage_segment_load(struct storage *st, const struct storage_segment *what, int fd,
                         u64 offset, struct cause *cause)
{
    struct storage_segment *place;
    int rc = place_find(st, what, &place, cause);
    if (rc)
        return rc;
    storage_need(st, what->start, what->len);
    int flags = MAP_FIXED | MAP_NORESERVE | (what->shared ? MAP_SHARED : MAP_PRIVATE);
    if (mmap(st->base + what->start, what->len, PROT_READ | PROT_WRITE,
             fd < 0 ? flags | MAP_ANONYMOUS : flags, fd, (off_t)offset) == MAP_FAILED)
        return cause_set(cause, ST_IO, "%s", strerror(errno));
    *place = *what;
    atomic_fetch_add(&st->segment_count, 1);
    lock_again(st, what->start);
    forget(st, what->start, what->len);
    return ST_OK;
}

int storage_segment_adopt(struct storage *st, const struct storage_segment *what,
                          struct cause *cause)
{
    struct storage_segment *place;
    int rc = place_find(st, what, &place, cause);
    if (rc == ST_OK) {
        *place = *what;
        atomic_fetch_add(&st->segment_count, 1);
    }
    return rc;
}

void storage_segment_purge(struct storage *st, u64 start)
{
    for (unsigned i = 0; i < STORAGE_SEGMENTS_MAX; i++) {
        struct storage_segment *s = &st->segment[i];
        if (!s->len || s->start != start)
            continue;
        void *p = mmap(st->base + s->start, s->len, PROT_READ | PROT_WRITE,
                       MAP_FIXED | MAP_NORESERVE | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ERGO(p != MAP_FAILED);
        lock_again(st, s->start);
        forget(st, s->start, s->len);
        *s = (struct storage_segment){0};
        atomic_fetch_sub(&st->segment_count, 1);
    }
}
