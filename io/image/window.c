/* Shares and windows (window.h). The lock of a share is a leaf, but for `turn`, which one writer of
 * tracks that others write too holds from the read of a track to its write.
 * [W2] What overlaps with an active window, one of the two for writing, moves with the share's
 * lock: a track or range of blocks is seen before or after a write, never in between. Other windows
 * (apart) move at the same time; who is active changes when none of them moves anything.
 * [W3] The minidisk cache has tracks of extents only that this program has locked, or that nobody
 * of its cluster writes (window_others), or of a file
 * that it has open and no other can write; they are dropped with the lock. Writes of any window
 * drop the track behind them. */
#include "io/image/window.h"

#include <stdlib.h>
#include <unistd.h>

#include "io/image/erase.h"
#include "io/image/fresh.h"
#include "io/image/hold.h"
#include "io/image/image_internal.h"
#include "io/image/mdc.h"
#include "mem/base/ergo.h"
#include "mem/base/lock.h"
#include "mem/base/log.h"

struct window {
    struct share *share;
    struct window *next;
    struct image *img; /* whose `format` this is */
    struct window_extent extent;
    struct hold *hold;
    struct fresh *fresh; /* NULL: it is as it is on the volume */
    bool write, active;
    bool guard;            /* it reads, and its extent is locked against writers */
    bool let_go;           /* not active any more; the file may be open for it still */
    atomic_bool contended; /* another active window writes what this one writes */
    atomic_bool apart;     /* [W2] no other active window has what one of the two writes */
    atomic_ullong changes; /* by others, in its extent */
    bool to_cache;
    enum window_others others;
    bool shut;          /* window_gate */
    atomic_bool cached; /* [W3] */
};

struct share {
    struct lock lock, turn;
    pthread_cond_t still; /* nothing moves any more without the lock */
    u32 moving;           /* how many do */
    bool changing;        /* somebody waits for that: no others begin */
    atomic_uint refs;
    char *path;
    unsigned flags;
    bool kept;    /* the image is open from the start to the end */
    bool ranges;  /* locks by extent */
    bool writing; /* how `img` is open */
    bool wanted;  /* share_keep_open */
    u64 blocked;  /* share_blocked */
    bool lost;    /* the host lost writes: nothing is written through this share any more */
    struct image *img; /* NULL: not open */
    struct image_geometry geometry;
    struct window *windows;
    struct hold_group *holds; /* who has reserved what; a member for each window */
    struct mdc *mdc;          /* NULL: none */
};

/* ---- shares ---- */

static struct share *share_alloc(const char *path, unsigned flags)
{
    struct share *s = calloc(1, sizeof *s);
    char *copy = strdup(path);
    struct hold_group *holds = hold_group_create();
    if (!s || !copy || !holds) {
        free(s);
        free(copy);
        hold_group_destroy(holds);
        return NULL;
    }
    s->holds = holds;
    s->path = copy;
    s->flags = flags;
    atomic_init(&s->refs, 1);
    lock_init(&s->lock, LOCK_VOLUME);
    lock_init(&s->turn, LOCK_TURN);
    pthread_cond_init(&s->still, NULL);
    return s;
}

static void share_free(struct share *s)
{
    if (s->mdc)
        mdc_drop_range(s->mdc, s, 0, s->geometry.tracks);
    image_unref(s->img);
    pthread_cond_destroy(&s->still);
    lock_fini(&s->lock);
    lock_fini(&s->turn);
    hold_group_destroy(s->holds);
    free(s->path);
    free(s);
}

int share_create(const char *path, unsigned flags, struct share **out, struct cause *cause)
{
    struct image *img;
    int rc = window_peek(path, &img, cause);
    if (rc)
        return rc;
    struct share *s = share_alloc(path, flags);
    if (s) {
        s->geometry = *image_geometry(img);
        s->ranges = image_format(img) != IMAGE_CCKD && image_format(img) != IMAGE_DUPLEX;
    }
    image_unref(img);
    if (!s)
        return cause_set(cause, ST_NOMEM, "%s: no memory", path);
    *out = s;
    return ST_OK;
}

struct share *share_of_image(struct image *img)
{
    struct share *s = share_alloc(image_path(img), img->flags);
    if (!s)
        return NULL;
    s->kept = s->writing = true;
    s->img = img;
    s->geometry = *image_geometry(img);
    return s;
}

struct share *share_ref(struct share *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void share_unref(struct share *s)
{
    if (s && atomic_fetch_sub(&s->refs, 1) == 1)
        share_free(s);
}

const struct image_geometry *share_geometry(const struct share *s)
{
    return &s->geometry;
}

bool share_by_extent(const struct share *s)
{
    return s->ranges;
}

u64 share_blocked(struct share *s)
{
    lock_take(&s->lock);
    u64 behind = s->blocked;
    lock_drop(&s->lock);
    return behind;
}

bool share_read_only(const struct share *s)
{
    return s->flags & IMAGE_READ_ONLY;
}

const char *share_path(const struct share *s)
{
    return s->path;
}

/* ---- what is open, and how ---- */

static void drop_cached(struct share *s, u64 first, u64 count)
{
    if (s->mdc && s->geometry.tracks)
        mdc_drop_range(s->mdc, s, first * s->geometry.heads, count * s->geometry.heads);
}

static void close_file(struct share *s)
{
    drop_cached(s, 0, s->geometry.cylinders);
    s->lost |= !image_unref(s->img);
    s->img = NULL;
}

/** It was closed meanwhile, but nobody has looked after what the host lost. */
static void remember_lost(struct share *s)
{
    struct cause why = {0};
    cause_set(&why, ST_IO, "%s: the host failed to write it", s->path);
    if (s->lost)
        image_lose(s->img, &why);
}

static int open_as(struct share *s, bool write, struct cause *cause)
{
    unsigned flags = (s->flags & IMAGE_SYNC) | IMAGE_LIVE;
    close_file(s); /* and its locks, which would be in the way */
    flags |= (write ? 0 : IMAGE_READ_ONLY) | (s->ranges ? IMAGE_RANGES : 0);
    int rc = image_open(s->path, flags, &s->img, cause);
    if (rc)
        return rc;
    s->writing = write;
    remember_lost(s);
    return ST_OK;
}

static bool same_size(const struct share *s)
{
    const struct image_geometry *g = image_geometry(s->img);
    return g->tracks == s->geometry.tracks && g->blocks == s->geometry.blocks;
}

/** Open the file as its active windows need it, or close it. */
static int settle_locked(struct share *s, struct cause *cause)
{
    bool any = s->wanted, write = any;
    for (const struct window *w = s->windows; w; w = w->next) {
        any |= w->active;
        write |= w->active && (w->write || (w->guard && s->ranges && !share_read_only(s)));
    }
    if (s->kept || (any && s->img && write == s->writing))
        return ST_OK;
    if (any && s->img && s->writing && s->ranges)
        return ST_OK;
    if (any) {
        struct cause again;
        bool was = s->img, wrote = s->writing;
        int rc = open_as(s, write, cause);
        if (rc == ST_OK && !same_size(s))
            rc = cause_set(cause, ST_PROTO, "%s: has another size than before", s->path);
        if (rc && was && !wrote)
            (void)open_as(s, false, &again); /* readers go on, if they can */
        return rc;
    }
    close_file(s);
    s->writing = false;
    return ST_OK;
}

static bool overlap(const struct window *a, const struct window *b)
{
    return a->extent.first < b->extent.first + b->extent.count &&
           b->extent.first < a->extent.first + a->extent.count;
}

/** [W3] */
static bool may_cache(const struct share *s, const struct window *w)
{
    bool kept = !s->ranges || w->others == WINDOW_NOBODY_WRITES;
    if (w->others == WINDOW_SOMEBODY_WRITES)
        return false;
    for (const struct window *v = s->windows; v; v = v->next)
        kept |= v->active && (v->write || v->guard) && v->extent.first <= w->extent.first &&
                v->extent.first + v->extent.count >= w->extent.first + w->extent.count;
    return kept && w->to_cache && w->active && s->mdc && s->geometry.tracks && s->img &&
           !s->kept && !w->fresh && !s->img->file[0].remote;
}

static void contention_locked(struct share *s)
{
    for (struct window *w = s->windows; w; w = w->next) {
        bool contended = false, apart = true;
        for (const struct window *v = s->windows; v && w->active; v = v->next) {
            bool both = v != w && v->active && overlap(v, w);
            contended |= both && v->write && w->write;
            apart &= !(both && (v->write || w->write));
        }
        atomic_store(&w->contended, contended);
        atomic_store(&w->apart, apart);
        atomic_store(&w->cached, may_cache(s, w));
    }
}

/** Before it changes who is active, or what is open: [W2]. */
static void change_begin(struct share *s)
{
    lock_take(&s->lock);
    s->changing = true;
    while (s->moving)
        lock_wait(&s->still, &s->lock);
}

static void change_end(struct share *s)
{
    contention_locked(s);
    s->changing = false;
    lock_drop(&s->lock);
}

int share_with_image(struct share *s, bool write,
                     int (*fn)(struct image *img, void *arg, struct cause *cause), void *arg,
                     struct cause *cause)
{
    struct image *img = NULL;
    change_begin(s);
    bool there = s->img && (s->writing || !write);
    int rc = there ? ST_OK : image_open(s->path, write ? 0 : IMAGE_READ_ONLY, &img, cause);
    if (rc == ST_OK)
        rc = fn(there ? s->img : img, arg, cause);
    image_unref(img);
    if (write)
        drop_cached(s, 0, s->geometry.cylinders);
    change_end(s);
    return rc;
}

int share_keep_open(struct share *s, bool on, struct cause *cause)
{
    change_begin(s);
    s->wanted = on;
    int rc = settle_locked(s, cause);
    s->wanted &= rc == ST_OK;
    change_end(s);
    return rc;
}

/** Does an active window that locks have unit `at`, and up to where do all stay as they are? */
static bool held_by_others(const struct share *s, u64 at, u64 *end)
{
    bool held = false;
    for (const struct window *w = s->windows; w; w = w->next) {
        u64 first = w->extent.first, behind = first + w->extent.count;
        if (!w->active || !(w->write || w->guard))
            continue;
        held |= at >= first && at < behind;
        if (first > at && first < *end)
            *end = first;
        if (behind > at && behind < *end)
            *end = behind;
    }
    return held;
}

/** The window is not active any more: its extent is unlocked where no other needs it. */
static void unlock_locked(struct share *s, const struct window *w)
{
    u64 last = w->extent.first + w->extent.count;
    for (u64 at = w->extent.first, end;
         s->img && s->ranges && (w->write || w->guard) && at < last; at = end) {
        end = last;
        if (held_by_others(s, at, &end))
            continue;
        drop_cached(s, at, end - at);
        (void)image_range_lock(s->img, at, end - at, IMAGE_RANGE_FREE, NULL);
    }
}

void share_cache(struct share *s, struct mdc *m)
{
    s->mdc = m;
}

void share_flush_cache(struct share *s, u64 first, u64 count)
{
    drop_cached(s, first, count);
}

void window_cache(struct image *img, bool wanted)
{
    struct window *w = img->format;
    change_begin(w->share);
    w->to_cache = wanted;
    change_end(w->share);
}

void window_others(struct image *img, enum window_others others)
{
    struct window *w = img->format;
    struct share *s = w->share;
    change_begin(s);
    if (others != w->others && w->others == WINDOW_NOBODY_WRITES)
        drop_cached(s, w->extent.first, w->extent.count);
    w->others = others;
    change_end(s);
}

void window_gate(struct image *img, bool shut)
{
    struct window *w = img->format;
    change_begin(w->share);
    w->shut = shut;
    change_end(w->share);
    hold_gate(w->hold, shut);
}

bool window_is_cached(const struct image *img)
{
    const struct window *w = img->format;
    return atomic_load(&w->cached);
}

void window_guard(struct image *img)
{
    ((struct window *)img->format)->guard = true;
}

int window_fresh(struct image *img, struct cause *cause)
{
    struct window *w = img->format;
    const struct image_geometry *g = &img->geometry;
    w->fresh = fresh_create(g->tracks ? g->tracks : g->blocks);
    return w->fresh ? ST_OK : cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
}

int window_activate(struct image *img, struct cause *cause)
{
    struct window *w = img->format;
    struct share *s = w->share;
    change_begin(s);
    if (w->active) {
        change_end(s);
        return ST_OK;
    }
    w->active = true;
    w->let_go = false;
    s->blocked = UINT64_MAX;
    int rc = settle_locked(s, cause);
    if (rc == ST_OK && (w->write || w->guard) && s->ranges) {
        rc = image_range_lock(s->img, w->extent.first, w->extent.count,
                              w->write ? IMAGE_RANGE_ALONE : IMAGE_RANGE_SHARED, cause);
        if (rc == ST_BUSY)
            s->blocked = image_range_behind(s->img, w->extent.first, w->extent.count);
    }
    if (rc) {
        struct cause ignored;
        w->active = false;
        (void)settle_locked(s, &ignored);
    }
    atomic_fetch_add(&w->changes, 1); /* what its device remembers is old */
    change_end(s);
    if (rc == ST_OK && s->flags & IMAGE_MEMBERS)
        hold_open(w->hold, s->path);
    return rc;
}

/* With `keep` a file that is locked by extent stays open: closing it ends a thread of its own. */
static void deactivate(struct window *w, bool keep)
{
    struct share *s = w->share;
    struct cause cause = {0};
    change_begin(s);
    bool was = w->active;
    w->active = false;
    if (was && w->write && s->img && image_sync(s->img, &cause))
        log_line("%s", cause.text);
    if (was)
        unlock_locked(s, w);
    keep = keep && s->ranges;
    if ((was || w->let_go) && !keep && settle_locked(s, &cause))
        log_line("%s", cause.text);
    w->let_go = keep && (was || w->let_go);
    change_end(s);
    hold_close(w->hold);
}

void window_deactivate(struct image *img)
{
    deactivate(img->format, false);
}

void window_let_go(struct image *img)
{
    deactivate(img->format, true);
}

void window_flush_soon(struct image *img)
{
    struct share *s = ((struct window *)img->format)->share;
    lock_take(&s->lock);
    if (s->img)
        image_flush_soon(s->img);
    lock_drop(&s->lock);
}

/* ---- the image ---- */

static int gone(const struct window *w, struct cause *cause)
{
    return cause_set(cause, ST_BUSY, "%s: is not to be used now", w->share->path);
}

/** Give a track the address of another: its home address, and record 0 if it names the track. */
static void readdress(u8 *buf, u32 from, u32 to, u32 heads)
{
    u8 old[4], new[4];
    track_cchh(from, heads, old);
    track_cchh(to, heads, new);
    memcpy(buf + 1, new, sizeof new);
    if (memcmp(buf + TRACK_HA_BYTES, old, sizeof old) == 0)
        memcpy(buf + TRACK_HA_BYTES, new, sizeof new);
}

static u32 whole_track(const struct window *w, u32 track)
{
    return (u32)w->extent.first * w->share->geometry.heads + track;
}

/** Something of the window is to be moved: with the lock, or apart from others. */
static int move_begin(struct window *w, bool *apart, struct cause *cause)
{
    struct share *s = w->share;
    lock_take(&s->lock);
    if (!w->active || !s->img || w->shut) {
        lock_drop(&s->lock);
        return gone(w, cause);
    }
    *apart = atomic_load(&w->apart) && !s->changing;
    if (*apart) {
        s->moving++;
        lock_drop(&s->lock);
    }
    return ST_OK;
}

/** Tell the others that something in their extents changed. */
static void changed_locked(struct share *s, const struct window *by)
{
    for (struct window *w = s->windows; w; w = w->next)
        if (w != by && overlap(w, by))
            atomic_fetch_add(&w->changes, 1);
}

static void move_end(struct window *w, bool apart, bool wrote)
{
    struct share *s = w->share;
    if (apart)
        lock_take(&s->lock);
    if (wrote)
        changed_locked(s, w);
    if (apart && --s->moving == 0)
        pthread_cond_broadcast(&s->still);
    lock_drop(&s->lock);
}

/** A track of the volume, by the cache if it may have it. */
static int read_cached(const struct window *w, u32 track, u8 *buf, u32 *len,
                       struct cause *cause)
{
    struct share *s = w->share;
    bool cached = atomic_load(&w->cached);
    u64 ticket;
    if (cached && mdc_get(s->mdc, s, track, buf, len, &ticket))
        return ST_OK;
    int rc = image_read_track(s->img, track, buf, len, cause);
    if (cached && rc == ST_OK)
        mdc_fill(s->mdc, s, track, ticket, buf, *len);
    return rc;
}

/** A part of a track of the volume. Who reads records of one again and again has it whole then. */
static int read_part_cached(const struct window *w, u32 track, u32 from, u8 *buf, u32 len,
                            struct cause *cause)
{
    struct share *s = w->share;
    bool fill = false;
    u64 ticket;
    if (atomic_load(&w->cached) &&
        mdc_get_part(s->mdc, s, track, from, buf, len, &fill, &ticket))
        return ST_OK;
    u8 *all = fill ? malloc(IMAGE_TRACK_BYTES_MAX) : NULL;
    u32 bytes = 0;
    int rc = all ? image_read_track(s->img, track, all, &bytes, cause) : ST_OK;
    bool there = all && rc == ST_OK && from <= bytes && len <= bytes - from;
    if (there) {
        memcpy(buf, all + from, len);
        mdc_fill(s->mdc, s, track, ticket, all, bytes);
    }
    free(all);
    return there ? ST_OK : image_read_part(s->img, track, from, buf, len, cause);
}

/** [W3] */
static void wrote(const struct window *w, u32 track)
{
    if (w->share->mdc)
        mdc_drop(w->share->mdc, w->share, track, atomic_load(&w->cached));
}

static int window_read(struct image *img, u32 track, u8 *buf, u32 *len, struct cause *cause)
{
    struct window *w = img->format;
    bool apart;
    int rc = move_begin(w, &apart, cause);
    if (rc)
        return rc;
    if (fresh_is_written(w->fresh, track))
        rc = read_cached(w, whole_track(w, track), buf, len, cause);
    else
        *len = track_make_null(TRACK_NULL_EMPTY, whole_track(w, track),
                               w->share->geometry.heads, buf);
    move_end(w, apart, false);
    if (rc == ST_OK)
        readdress(buf, whole_track(w, track), track, w->share->geometry.heads);
    return rc;
}

static int window_write(struct image *img, u32 track, const u8 *buf, u32 len,
                        struct cause *cause)
{
    struct window *w = img->format;
    struct share *s = w->share;
    bool apart;
    u8 *copy = malloc(len);
    if (!copy)
        return cause_set(cause, ST_NOMEM, "%s: no memory", s->path);
    memcpy(copy, buf, len);
    readdress(copy, track, whole_track(w, track), s->geometry.heads);
    int rc = move_begin(w, &apart, cause);
    if (rc == ST_OK) {
        rc = image_write_track(s->img, whole_track(w, track), copy, len, cause);
        if (rc == ST_OK)
            fresh_written(w->fresh, track, 1);
        wrote(w, whole_track(w, track));
        move_end(w, apart, true);
    }
    free(copy);
    return rc;
}

/** Of what comes behind the count field of record 0, which has the track's address, too. */
static int window_part(struct image *img, bool write, u32 track, u32 from, u8 *buf, u32 len,
                       struct cause *cause)
{
    struct window *w = img->format;
    bool apart;
    if (from < TRACK_HA_BYTES + TRACK_COUNT_BYTES || !fresh_is_written(w->fresh, track))
        return cause_set(cause, ST_INVAL, "%s: no part of a track", w->share->path);
    int rc = move_begin(w, &apart, cause);
    if (rc)
        return rc;
    track = whole_track(w, track);
    rc = write ? image_write_part(w->share->img, track, from, buf, len, cause)
               : read_part_cached(w, track, from, buf, len, cause);
    if (write)
        wrote(w, track);
    move_end(w, apart, write);
    return rc;
}

/** [W1] and [W2]: what it writes nobody else has. */
static bool window_parts(const struct image *img, u32 track)
{
    struct window *w = img->format;
    bool apart, has;
    if (!fresh_is_written(w->fresh, track))
        return false;
    if (!w->write || !atomic_load(&w->apart) || w->share->ranges)
        return w->write && atomic_load(&w->apart);
    if (move_begin(w, &apart, NULL))
        return false;
    has = image_has_parts(w->share->img, whole_track(w, track));
    move_end(w, apart, false);
    return has;
}

/** With the share's lock held from when it returns true, if nobody else has that. */
static bool try_begin(struct window *w)
{
    struct share *s = w->share;
    if (!lock_try(&s->lock))
        return false;
    if (w->active && s->img && !w->shut && atomic_load(&w->apart) && !s->changing)
        return true;
    lock_drop(&s->lock);
    return false;
}

static bool window_try_part(struct image *img, u32 track, u32 from, u8 *buf, u32 len)
{
    struct window *w = img->format;
    struct share *s = w->share;
    bool fill = false, cached = atomic_load(&w->cached);
    u64 ticket;
    if (from < TRACK_HA_BYTES + TRACK_COUNT_BYTES || !fresh_is_written(w->fresh, track) ||
        !try_begin(w))
        return false;
    track = whole_track(w, track);
    bool got = (cached && mdc_get_part(s->mdc, s, track, from, buf, len, &fill, &ticket)) ||
               (!fill && image_try_part(s->img, track, from, buf, len));
    lock_drop(&s->lock);
    return got;
}

/** Blocks that were read and that the device had not written. */
static void blank(const struct window *w, u64 block, u32 count, u8 *buf)
{
    for (u32 i = 0; w->fresh && i < count; i++)
        if (!fresh_is_written(w->fresh, block + i))
            memset(buf + (size_t)i * IMAGE_BLOCK_BYTES, 0, IMAGE_BLOCK_BYTES);
}

static int window_blocks(struct image *img, bool write, u64 block, u32 count, u8 *buf,
                         struct cause *cause)
{
    struct window *w = img->format;
    u64 at = w->extent.first + block;
    bool apart;
    int rc = move_begin(w, &apart, cause);
    if (rc)
        return rc;
    rc = write ? image_write_blocks(w->share->img, at, count, buf, cause)
               : image_read_blocks(w->share->img, at, count, buf, cause);
    if (rc == ST_OK && write)
        fresh_written(w->fresh, block, count);
    else if (rc == ST_OK)
        blank(w, block, count, buf);
    move_end(w, apart, write);
    return rc;
}

static bool window_try_blocks(struct image *img, u64 block, u32 count, u8 *buf)
{
    struct window *w = img->format;
    if (!try_begin(w))
        return false;
    bool got = image_try_blocks(w->share->img, w->extent.first + block, count, buf);
    lock_drop(&w->share->lock);
    if (got)
        blank(w, block, count, buf);
    return got;
}

/** A file whose layout is fixed, and that no other window has which writes or is written; nor do
 *  other programs take part in reservations, whose locks are the host's. */
static bool window_may_try(const struct image *img)
{
    const struct window *w = img->format;
    return w->share->ranges && atomic_load(&w->apart) && !hold_has_file(w->hold);
}

int window_erase(struct image *img, atomic_bool *stop, struct cause *cause)
{
    const struct window *w = img->format;
    if (w->fresh)
        fresh_written(w->fresh, 0, w->fresh->units); /* what is there is seen as it is */
    return image_erase(img, stop, cause);
}

/** Nobody waits for the host but who asks: what others write meanwhile is not meant. */
static int window_sync(struct image *img, struct cause *cause)
{
    struct window *w = img->format;
    struct share *s = w->share;
    lock_take(&s->lock);
    struct image *open = s->img;
    bool apart = open && !s->changing;
    if (apart) {
        s->moving++;
        lock_drop(&s->lock);
    }
    int rc = open ? image_sync(open, cause) : ST_OK;
    move_end(w, apart, false);
    return rc;
}

static int gone_sync(struct image *img, struct cause *cause)
{
    (void)img, (void)cause;
    return ST_OK;
}

static const struct image_ops closed_window = {.format = IMAGE_CKD, .sync = gone_sync};

static int window_close(struct image *img, struct cause *cause)
{
    struct window *w = img->format;
    struct share *s = w->share;
    (void)cause;
    window_deactivate(img);
    lock_take(&s->lock);
    struct window **link = &s->windows;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    lock_drop(&s->lock);
    hold_leave(w->hold);
    share_unref(s);
    free(w->fresh);
    img->ops = &closed_window;
    return ST_OK;
}

static bool window_offline(const struct image *img)
{
    const struct window *w = img->format;
    return !w->active;
}

static u64 window_changes(const struct image *img)
{
    struct window *w = img->format;
    return atomic_load(&w->changes);
}

static bool window_turn(struct image *img, bool take)
{
    struct window *w = img->format;
    if (take && !atomic_load(&w->contended))
        return false;
    if (take)
        lock_take(&w->share->turn);
    else
        lock_drop(&w->share->turn);
    return true;
}

static struct hold *window_hold(const struct image *img)
{
    const struct window *w = img->format;
    return w->hold;
}

static const struct image_ops ckd_window = {.format = IMAGE_CKD,
                                            .read = window_read,
                                            .write = window_write,
                                            .part = window_part,
                                            .parts = window_parts,
                                            .try_part = window_try_part,
                                            .may_try = window_may_try,
                                            .sync = window_sync,
                                            .close = window_close,
                                            .offline = window_offline,
                                            .changes = window_changes,
                                            .turn = window_turn,
                                            .hold = window_hold};
static const struct image_ops fba_window = {.format = IMAGE_FBA_RAW,
                                            .blocks = window_blocks,
                                            .try_blocks = window_try_blocks,
                                            .may_try = window_may_try,
                                            .sync = window_sync,
                                            .close = window_close,
                                            .offline = window_offline,
                                            .changes = window_changes,
                                            .turn = window_turn,
                                            .hold = window_hold};

static struct image *window_image(struct share *s, struct window_extent extent, bool write)
{
    unsigned flags = s->flags & IMAGE_SYNC;
    struct image *img = image_alloc(s->path, write ? flags : flags | IMAGE_READ_ONLY);
    struct window *w = calloc(1, sizeof *w);
    struct hold *hold = hold_join(s->holds, extent.first, extent.count);
    if (!img || !w || !hold) {
        hold_leave(hold);
        free(w);
        if (img)
            image_free(img);
        return NULL;
    }
    *w = (struct window){
        .share = share_ref(s), .img = img, .extent = extent, .hold = hold, .write = write};
    img->geometry = s->geometry;
    if (s->geometry.tracks) {
        img->geometry.cylinders = (u32)extent.count;
        img->geometry.tracks = (u32)extent.count * s->geometry.heads;
    } else {
        img->geometry.blocks = extent.count;
    }
    img->ops = s->geometry.tracks ? &ckd_window : &fba_window;
    img->format = w;
    return img;
}

int window_create(struct share *s, struct window_extent extent, bool write, struct image **out,
                  struct cause *cause)
{
    const struct image_geometry *g = &s->geometry;
    u64 units = g->tracks ? g->cylinders : g->blocks;
    if (!extent.count || extent.first >= units || extent.count > units - extent.first)
        return cause_set(cause, ST_LIMIT, "%s: ends at %llu, the extent at %llu", s->path,
                         (unsigned long long)units,
                         (unsigned long long)(extent.first + extent.count));
    struct image *img = window_image(s, extent, write && !share_read_only(s));
    if (!img)
        return cause_set(cause, ST_NOMEM, "%s: no memory", s->path);
    struct window *w = img->format;
    lock_take(&s->lock);
    w->next = s->windows;
    s->windows = w;
    lock_drop(&s->lock);
    *out = img;
    return ST_OK;
}
