/* The minidisk cache (mdc.h): a hash of tracks, a list in order of use. A ticket is how often
 * something of the bucket, or of a range, was dropped: if that is the same when a track comes, none
 * of it was written since before the track was read. */
#include "io/image/mdc.h"

#include <stdlib.h>

#include "mem/base/lock.h"

#define BUCKETS 4096u

struct mdc_track {
    struct mdc_track *chain;         /* of its bucket */
    struct mdc_track *newer, *older; /* in order of use */
    const void *volume;
    u32 track, len;
    u8 bytes[];
};

struct mdc {
    struct lock lock;
    struct mdc_track *bucket[BUCKETS];
    u64 dropped[BUCKETS]; /* how often, of each bucket; */
    u64 ranges_dropped;   /* of all */
    struct {
        const void *volume;
        u32 track;
    } missed[BUCKETS]; /* the last track of each of which a part was not here */
    struct mdc_track *newest, *oldest;
    struct mdc_figures f;
};

struct mdc *mdc_create(void)
{
    struct mdc *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    lock_init(&m->lock, LOCK_MDC);
    m->f.on = true;
    m->f.bytes_max = MDC_BYTES_DEFAULT;
    return m;
}

static u32 bucket_of(const void *volume, u32 track)
{
    u64 h =
        ((u64)(uintptr_t)volume >> 4) * 0x9e3779b97f4a7c15ull + track * 0xff51afd7ed558ccdull;
    return (u32)(h >> 40) % BUCKETS;
}

static struct mdc_track **find_locked(struct mdc *m, const void *volume, u32 track)
{
    struct mdc_track **at = &m->bucket[bucket_of(volume, track)];
    while (*at && ((*at)->volume != volume || (*at)->track != track))
        at = &(*at)->chain;
    return at;
}

static void unlist_locked(struct mdc *m, struct mdc_track *t)
{
    *(t->newer ? &t->newer->older : &m->newest) = t->older;
    *(t->older ? &t->older->newer : &m->oldest) = t->newer;
}

static void list_locked(struct mdc *m, struct mdc_track *t)
{
    t->newer = NULL;
    t->older = m->newest;
    *(m->newest ? &m->newest->newer : &m->oldest) = t;
    m->newest = t;
}

static u64 room_of(const struct mdc_track *t)
{
    return sizeof *t + t->len;
}

static void remove_locked(struct mdc *m, struct mdc_track **at)
{
    struct mdc_track *t = *at;
    *at = t->chain;
    unlist_locked(m, t);
    m->f.bytes -= room_of(t);
    m->f.tracks--;
    free(t);
}

static void shrink_locked(struct mdc *m, u64 bytes)
{
    while (m->oldest && m->f.bytes > bytes)
        remove_locked(m, find_locked(m, m->oldest->volume, m->oldest->track));
}

void mdc_destroy(struct mdc *m)
{
    if (!m)
        return;
    shrink_locked(m, 0);
    lock_fini(&m->lock);
    free(m);
}

void mdc_switch(struct mdc *m, bool on)
{
    lock_take(&m->lock);
    m->f.on = on;
    if (!on)
        shrink_locked(m, 0);
    lock_drop(&m->lock);
}

void mdc_limit(struct mdc *m, u64 min, u64 max)
{
    lock_take(&m->lock);
    m->f.bytes_min = min;
    m->f.bytes_max = max;
    shrink_locked(m, max);
    lock_drop(&m->lock);
}

void mdc_figures(struct mdc *m, struct mdc_figures *out)
{
    lock_take(&m->lock);
    *out = m->f;
    lock_drop(&m->lock);
}

/** The track, counted and the newest now, or NULL. */
static struct mdc_track *used_locked(struct mdc *m, const void *volume, u32 track)
{
    struct mdc_track *t = m->f.on ? *find_locked(m, volume, track) : NULL;
    m->f.reads += m->f.on;
    if (!t)
        return NULL;
    m->f.hits++;
    unlist_locked(m, t);
    list_locked(m, t);
    return t;
}

bool mdc_get(struct mdc *m, const void *volume, u32 track, u8 *buf, u32 *len, u64 *ticket)
{
    lock_take(&m->lock);
    const struct mdc_track *t = used_locked(m, volume, track);
    if (t) {
        memcpy(buf, t->bytes, t->len);
        *len = t->len;
    }
    *ticket = m->dropped[bucket_of(volume, track)] + m->ranges_dropped;
    lock_drop(&m->lock);
    return t;
}

bool mdc_get_part(struct mdc *m, const void *volume, u32 track, u32 from, u8 *buf, u32 len,
                  bool *fill, u64 *ticket)
{
    u32 b = bucket_of(volume, track);
    lock_take(&m->lock);
    const struct mdc_track *t = used_locked(m, volume, track);
    bool here = t && from <= t->len && len <= t->len - from;
    if (here)
        memcpy(buf, t->bytes + from, len);
    *fill = !t && m->f.on && m->missed[b].volume == volume && m->missed[b].track == track;
    *ticket = m->dropped[b] + m->ranges_dropped;
    if (!t) {
        m->missed[b].volume = volume;
        m->missed[b].track = track;
    }
    lock_drop(&m->lock);
    return here;
}

static struct mdc_track *track_of(const void *volume, u32 track, const u8 *buf, u32 len)
{
    struct mdc_track *t = malloc(sizeof *t + len);
    if (!t)
        return NULL;
    t->volume = volume;
    t->track = track;
    t->len = len;
    memcpy(t->bytes, buf, len);
    return t;
}

void mdc_fill(struct mdc *m, const void *volume, u32 track, u64 ticket, const u8 *buf, u32 len)
{
    struct mdc_track *t = track_of(volume, track, buf, len);
    if (!t)
        return;
    lock_take(&m->lock);
    struct mdc_track **at = find_locked(m, volume, track);
    bool current = ticket == m->dropped[bucket_of(volume, track)] + m->ranges_dropped;
    if (!current || *at || !m->f.on || room_of(t) > m->f.bytes_max) {
        free(t);
    } else {
        t->chain = NULL;
        *at = t;
        list_locked(m, t);
        m->f.bytes += room_of(t);
        m->f.tracks++;
        shrink_locked(m, m->f.bytes_max);
    }
    lock_drop(&m->lock);
}

void mdc_drop(struct mdc *m, const void *volume, u32 track, bool counted)
{
    lock_take(&m->lock);
    struct mdc_track **at = find_locked(m, volume, track);
    if (*at)
        remove_locked(m, at);
    u32 b = bucket_of(volume, track);
    m->dropped[b]++;
    if (m->missed[b].volume == volume && m->missed[b].track == track)
        m->missed[b].volume = NULL;
    m->f.writes += counted && m->f.on;
    lock_drop(&m->lock);
}

void mdc_drop_range(struct mdc *m, const void *volume, u64 first, u64 count)
{
    lock_take(&m->lock);
    m->ranges_dropped++;
    for (struct mdc_track *t = m->newest, *next; t; t = next) {
        next = t->older;
        if (t->volume == volume && t->track >= first && t->track - first < count)
            remove_locked(m, find_locked(m, volume, t->track));
    }
    lock_drop(&m->lock);
}
