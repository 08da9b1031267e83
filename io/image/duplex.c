/* Two images that are one volume (duplex.h). Beside each half stands PATH.duplex: which two belong
 * together, how often one of them was severed while this one had all (`count`), whether the volume
 * was closed, whether this one is alone.
 * [M1] A half with the smaller count lacks something.
 * [M2] The count of the one that goes on is on the host's disk before a write that the other lacks
 * is answered.
 * [M3] After a crash the two may differ in what was being written: the second is copied anew.
 * [M4] A half is not opened without the other, unless it is noted to be alone: it could be the one
 * that lacks something.
 * [M5] One that is opened by itself to be written is alone from then on; where both are, nobody
 * knows which is right. */
#include "io/image/duplex.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "io/image/image_internal.h"
#include "mem/base/log.h"

#define STATE_BYTES 128
#define HALF_PATH_BYTES 4096
#define COPY_BLOCKS 128u
#define YIELDS_MAX 100u /* between two pieces that are copied */

/* What stands beside a half. No file: all zeros. */
struct state {
    unsigned long long pair, count;
    unsigned closed, alone, suspended;
};

/* Serialised by `lock`, but what open and close do. */
struct duplex {
    struct image *half[2]; /* NULL: not open */
    char path[2][HALF_PATH_BYTES];
    bool good[2], copying, suspended, write;
    u64 pair, count, at; /* units of geometry that are copied */
    struct lock lock;
    atomic_uint movers; /* that have or want the lock: the copier lets them */
    pthread_t copier;
    bool copier_runs, stop;
    u8 *track; /* of the copier */
};

static const char *state_path(const char *half, char out[HALF_PATH_BYTES + 16])
{
    for (const char *next; (next = strstr(half, IMAGE_LAYER_MARK)) != NULL;)
        half = next + sizeof IMAGE_LAYER_MARK - 1;
    snprintf(out, HALF_PATH_BYTES + 16, "%s.duplex", half);
    return out;
}

static int state_get(const char *half, struct state *s, struct cause *cause)
{
    char path[HALF_PATH_BYTES + 16], text[STATE_BYTES] = "";
    *s = (struct state){.count = 0};
    FILE *f = fopen(state_path(half, path), "re");
    if (!f)
        return errno == ENOENT ? ST_OK
                               : cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    if (n &&
        sscanf(text, "duplex %llx %llu closed %1u alone %1u suspended %1u", &s->pair, &s->count,
               &s->closed, &s->alone, &s->suspended) == 5 &&
        strstr(text, " end\n"))
        return ST_OK;
    return cause_set(cause, ST_PROTO, "%s: damaged", path);
}

/* The folder of a file, which knows it by its name. */
static bool sync_folder(const char *path)
{
    char folder[HALF_PATH_BYTES + 16] = ".";
    const char *slash = strrchr(path, '/');
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && !fsync(fd);
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return good;
}

/* On the host's disk when this returns ST_OK. */
static int state_put(const char *half, const struct state *s, struct cause *cause)
{
    char path[HALF_PATH_BYTES + 16], fresh[HALF_PATH_BYTES + 24], text[STATE_BYTES];
    int n =
        snprintf(text, sizeof text, "duplex %llx %llu closed %u alone %u suspended %u end\n",
                 s->pair, s->count, s->closed, s->alone, s->suspended);
    snprintf(fresh, sizeof fresh, "%s.new", state_path(half, path));
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text, (size_t)n) == n && !fsync(fd);
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (good && !rename(fresh, path) && sync_folder(path))
        return ST_OK;
    why = good ? errno : why;
    unlink(fresh);
    return cause_set(cause, ST_IO, "%s: %s", path, strerror(why ? why : ENOSPC));
}

int duplex_used_alone(const char *half, struct cause *cause)
{
    char path[HALF_PATH_BYTES + 16];
    struct state s;
    if (strlen(half) >= HALF_PATH_BYTES || access(state_path(half, path), F_OK))
        return ST_OK;
    int rc = state_get(half, &s, cause);
    s.count++;
    s.alone = 1;
    s.closed = 0;
    return rc ? rc : state_put(half, &s, cause);
}

int duplex_repairable(const char *half, struct cause *cause)
{
    struct state s = {.count = 0};
    int rc = strlen(half) < HALF_PATH_BYTES ? state_get(half, &s, cause) : ST_OK;
    if (rc || !s.pair || s.alone)
        return rc;
    return cause_set(cause, ST_INVAL,
                     "%s: one of two files of a volume: it is made anew, and copied from the "
                     "other",
                     half);
}

static int state_now(const struct duplex *d, unsigned i, bool closed, struct cause *cause)
{
    const struct state s = {.pair = d->pair,
                            .count = d->count,
                            .closed = closed,
                            .alone = !d->good[!i],
                            .suspended = d->suspended};
    return state_put(d->path[i], &s, cause);
}

/* ---- one half less ---- */

/* Half i lacks something from now on: [M2]. When that cannot be noted nothing is severed. */
static int sever_locked(struct duplex *d, unsigned i, const char *why, struct cause *cause)
{
    d->good[i] = false;
    d->copying = false;
    d->count++;
    int rc = d->write ? state_now(d, !i, false, cause) : ST_OK;
    if (rc) {
        d->good[i] = true;
        d->count--;
        return rc;
    }
    log_operator('E', "disk image %s: severed from %s: %s", d->path[i], d->path[!i], why);
    return ST_OK;
}

/* Something was done to both; `rc` of each that was good. What the caller gets. */
static int outcome_locked(struct duplex *d, const int rc[2], const struct cause why[2],
                          struct cause *cause)
{
    unsigned bad = rc[0] ? 0 : 1;
    if (!(d->good[0] && rc[0]) && !(d->good[1] && rc[1]))
        return ST_OK;
    if (!d->good[!bad] || rc[!bad]) /* the only one, or both */
        return cause_set(cause, rc[bad], "%s", why[bad].text);
    return sever_locked(d, bad, why[bad].text, cause);
}

/* The thread of half i could not bring to the host's disk what was written. */
static void half_failed(struct duplex *d, unsigned i, const struct cause *why)
{
    struct cause cause;
    lock_take(&d->lock);
    if (d->good[i] && d->good[!i] && sever_locked(d, i, why->text, &cause))
        log_operator('E', "disk image %s: is not severed: %s", d->path[i], cause.text);
    lock_drop(&d->lock);
}

static void first_failed(void *arg, const struct cause *why)
{
    half_failed(arg, 0, why);
}

static void second_failed(void *arg, const struct cause *why)
{
    half_failed(arg, 1, why);
}

/* ---- tracks and blocks ---- */

struct move {
    bool write;
    u64 at; /* track, or block */
    u32 count;
    u8 *buf;
    u32 *len;
};

static int move_half(struct image *half, const struct move *m, struct cause *cause)
{
    if (half->geometry.tracks && m->write)
        return image_write_track(half, (u32)m->at, m->buf, *m->len, cause);
    if (half->geometry.tracks)
        return image_read_track(half, (u32)m->at, m->buf, m->len, cause);
    return m->write ? image_write_blocks(half, m->at, m->count, m->buf, cause)
                    : image_read_blocks(half, m->at, m->count, m->buf, cause);
}

static int write_locked(struct duplex *d, const struct move *m, struct cause *cause)
{
    struct cause why[2] = {{0}, {0}};
    int rc[2] = {ST_OK, ST_OK};
    for (unsigned i = 0; i < 2; i++)
        if (d->good[i] || (d->copying && d->half[i]))
            rc[i] = move_half(d->half[i], m, &why[i]);
    for (unsigned i = 0; i < 2; i++)
        if (rc[i] && !d->good[i]) { /* it was being copied to */
            d->copying = false;
            log_operator('E', "disk image %s: copying ends: %s", d->path[i], why[i].text);
            rc[i] = ST_OK;
        }
    return outcome_locked(d, rc, why, cause);
}

/* One whose writes the host has lost may still give what was there before them. */
static int read_half(struct image *half, const struct move *m, struct cause *cause)
{
    int rc = image_lost(half, cause);
    return rc ? rc : move_half(half, m, cause);
}

static int read_locked(struct duplex *d, const struct move *m, struct cause *cause)
{
    unsigned first = d->good[0] ? 0 : 1;
    struct cause why = {0}, ignored;
    bool only = !d->good[!first];
    int rc = (only ? move_half : read_half)(d->half[first], m, &why);
    if (rc == ST_OK)
        return ST_OK;
    if (only || read_half(d->half[!first], m, &ignored))
        return cause_set(cause, rc, "%s", why.text);
    (void)sever_locked(d, first, why.text, cause); /* it was read all the same */
    return ST_OK;
}

static int move(struct image *img, const struct move *m, struct cause *cause)
{
    struct duplex *d = img->format;
    atomic_fetch_add(&d->movers, 1);
    lock_take(&d->lock);
    int rc = m->write ? write_locked(d, m, cause) : read_locked(d, m, cause);
    lock_drop(&d->lock);
    atomic_fetch_sub(&d->movers, 1);
    return rc;
}

static int duplex_read(struct image *img, u32 track, u8 *buf, u32 *len, struct cause *cause)
{
    const struct move m = {.at = track, .buf = buf, .len = len};
    return move(img, &m, cause);
}

static int duplex_write(struct image *img, u32 track, const u8 *buf, u32 len,
                        struct cause *cause)
{
    const struct move m = {
        .write = true, .at = track, .buf = (u8 *)(uintptr_t)buf, .len = &len};
    return move(img, &m, cause);
}

static int duplex_blocks(struct image *img, bool write, u64 block, u32 count, u8 *buf,
                         struct cause *cause)
{
    const struct move m = {.write = write, .at = block, .count = count, .buf = buf};
    return move(img, &m, cause);
}

static int sync_locked(struct duplex *d, struct cause *cause)
{
    struct cause why[2] = {{0}, {0}};
    int rc[2] = {ST_OK, ST_OK};
    for (unsigned i = 0; i < 2; i++)
        if (d->good[i])
            rc[i] = image_sync(d->half[i], &why[i]);
    return outcome_locked(d, rc, why, cause);
}

static int duplex_sync(struct image *img, struct cause *cause)
{
    struct duplex *d = img->format;
    lock_take(&d->lock);
    int rc = sync_locked(d, cause);
    lock_drop(&d->lock);
    return rc;
}

/* ---- copying ---- */

static u64 units(const struct image_geometry *g)
{
    return g->tracks ? g->tracks : g->blocks;
}

/* The next track, or some blocks. */
static int copy_locked(struct duplex *d, struct cause *cause)
{
    unsigned from = d->good[0] ? 0 : 1;
    const struct image_geometry *g = &d->half[from]->geometry;
    u64 left = units(g) - d->at;
    u32 len = 0;
    struct move m = {.at = d->at,
                     .count = left < COPY_BLOCKS ? (u32)left : COPY_BLOCKS,
                     .buf = d->track,
                     .len = &len};
    int rc = read_half(d->half[from], &m, cause);
    m.write = true;
    if (rc == ST_OK)
        rc = move_half(d->half[!from], &m, cause);
    d->at += g->tracks ? 1 : m.count;
    return rc;
}

/* All is there: both are good when both have been noted to be. The source first: until the copy has
 * its count it lacks something. */
static int copied_locked(struct duplex *d, struct cause *cause)
{
    unsigned from = d->good[0] ? 0 : 1;
    int rc = image_sync(d->half[!from], cause);
    if (rc)
        return rc;
    d->good[!from] = true;
    for (unsigned k = 0; k < 2 && rc == ST_OK; k++)
        rc = state_now(d, k ? !from : from, false, cause);
    d->good[!from] = rc == ST_OK;
    return rc;
}

static void *copy(void *arg)
{
    struct duplex *d = arg;
    struct cause cause = {0};
    int rc = ST_OK;
    lock_take(&d->lock);
    while (d->copying && !d->stop && rc == ST_OK) {
        const struct image *half = d->half[d->good[0] ? 0 : 1];
        bool all = d->at >= units(&half->geometry);
        rc = all ? copied_locked(d, &cause) : copy_locked(d, &cause);
        if (all && rc == ST_OK) {
            log_operator('I', "disk image %s: on both files again", d->path[0]);
            d->copying = false;
        }
        lock_drop(&d->lock);
        for (unsigned i = 0; i < YIELDS_MAX && atomic_load(&d->movers); i++)
            sched_yield();
        lock_take(&d->lock);
    }
    if (rc)
        log_operator('E', "disk image %s: copying ends: %s", d->path[0], cause.text);
    d->copying = false;
    lock_drop(&d->lock);
    return NULL;
}

static void copier_end(struct duplex *d)
{
    if (!d->copier_runs)
        return;
    lock_take(&d->lock);
    d->stop = true;
    lock_drop(&d->lock);
    pthread_join(d->copier, NULL);
    d->copier_runs = d->stop = false;
}

/* Not while another copier is there. */
static void copier_begin(struct duplex *d, struct image *img)
{
    if (!d->track)
        d->track = malloc(img->geometry.tracks ? IMAGE_TRACK_BYTES_MAX
                                               : COPY_BLOCKS * IMAGE_BLOCK_BYTES);
    lock_take(&d->lock); /* the copier begins when it has it */
    d->at = 0;
    d->copying = d->track != NULL;
    bool runs = d->copying && pthread_create(&d->copier, NULL, copy, d) == 0;
    d->copying = d->copier_runs = runs;
    lock_drop(&d->lock);
    log_operator(runs ? 'I' : 'E', "disk image %s: %s", d->path[0],
                 runs ? "the other file is copied" : "no memory to copy the other file");
}

/* ---- the operator ---- */

static const struct image_ops duplex_ops;

bool duplex_status(struct image *img, struct duplex_status *out)
{
    if (img->ops != &duplex_ops)
        return false;
    struct duplex *d = img->format;
    lock_take(&d->lock);
    *out = (struct duplex_status){.good = {d->good[0], d->good[1]},
                                  .copying = d->copying,
                                  .suspended = d->suspended,
                                  .done = d->at,
                                  .total = units(&img->geometry)};
    lock_drop(&d->lock);
    return true;
}

int duplex_suspend(struct image *img, unsigned half, struct cause *cause)
{
    struct duplex *d = img->format;
    if (img->ops != &duplex_ops || !d->write)
        return cause_set(cause, ST_INVAL, "it is not on two files");
    lock_take(&d->lock);
    int rc = ST_OK;
    if (!d->good[!half]) {
        rc = cause_set(cause, ST_INVAL, "the other has not all that was written");
    } else {
        d->suspended = true;
        if (d->good[half])
            rc = sever_locked(d, half, "by the operator", cause);
        else
            rc = state_now(d, !half, false, cause);
        d->copying &= rc != ST_OK;
        d->suspended = rc == ST_OK;
    }
    lock_drop(&d->lock);
    return rc;
}

int duplex_resume(struct image *img, struct cause *cause)
{
    struct duplex *d = img->format;
    if (img->ops != &duplex_ops || !d->write)
        return cause_set(cause, ST_INVAL, "it is not on two files");
    lock_take(&d->lock);
    bool may = d->half[0] && d->half[1] && !(d->good[0] && d->good[1]) && !d->copying;
    d->suspended &= !may;
    lock_drop(&d->lock);
    if (!may)
        return cause_set(cause, ST_INVAL, "there is nothing to copy");
    copier_end(d);
    copier_begin(d, img);
    return d->copier_runs ? ST_OK : cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
}

/* ---- open and close ---- */

static int duplex_close(struct image *img, struct cause *cause)
{
    struct duplex *d = img->format;
    struct cause why = {0};
    copier_end(d);
    for (unsigned i = 0; i < 2; i++)
        if (d->half[i])
            image_keeper_stop(d->half[i]); /* nobody severs one from here on but this thread */
    int rc = d->write ? sync_locked(d, cause) : ST_OK;
    for (unsigned i = 0; i < 2; i++) {
        if (d->half[i] && !image_unref(d->half[i]) && d->good[i]) {
            cause_set(&why, ST_IO, "closing failed");
            if (!d->good[!i] || sever_locked(d, i, why.text, &why))
                rc = cause_set(cause, ST_IO, "%s: %s", d->path[i], why.text);
        }
        d->half[i] = NULL;
    }
    for (unsigned i = 0; i < 2 && d->write && rc == ST_OK; i++)
        if (d->good[i])
            rc = state_now(d, i, true, cause);
    lock_fini(&d->lock);
    free(d->track);
    return rc;
}

static const struct image_ops duplex_ops = {
    .format = IMAGE_DUPLEX,
    .read = duplex_read,
    .write = duplex_write,
    .blocks = duplex_blocks,
    .sync = duplex_sync,
    .close = duplex_close,
};

static bool same_geometry(const struct image *a, const struct image *b)
{
    return a->geometry.tracks == b->geometry.tracks &&
           a->geometry.blocks == b->geometry.blocks && a->geometry.type == b->geometry.type &&
           a->geometry.track_bytes == b->geometry.track_bytes;
}

/* [M4] */
static int open_halves(struct duplex *d, unsigned flags, struct state state[2],
                       struct cause *cause)
{
    struct cause why[2] = {{0}, {0}};
    int rc[2];
    for (unsigned i = 0; i < 2; i++) {
        rc[i] = image_open(d->path[i], flags | IMAGE_HALF, &d->half[i], &why[i]);
        if (rc[i] == ST_OK)
            rc[i] = state_get(d->path[i], &state[i], &why[i]);
        if (rc[i] == ST_BUSY)
            return cause_set(cause, ST_BUSY, "%s", why[i].text);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (!rc[i])
            continue;
        if (rc[!i] || !state[!i].alone)
            return cause_set(cause, rc[i], "%s", why[i].text);
        image_unref(d->half[i]);
        d->half[i] = NULL;
    }
    if (d->half[0] && d->half[1] && !same_geometry(d->half[0], d->half[1]))
        return cause_set(cause, ST_CONFIG, "%s and %s are of different sizes", d->path[0],
                         d->path[1]);
    bool two = d->half[0] && d->half[1] && state[0].pair && state[1].pair;
    if (two && state[0].pair != state[1].pair)
        return cause_set(cause, ST_CONFIG, "%s was the mirror of another file, not of %s",
                         d->path[1], d->path[0]);
    if (two && state[0].alone && state[1].alone)
        return cause_set(cause, ST_CONFIG, "%s and %s were both written by themselves",
                         d->path[0], d->path[1]);
    return ST_OK;
}

/* Which have all: [M1], [M3]. */
static void judge(struct duplex *d, const struct state state[2])
{
    unsigned more = state[1].count > state[0].count;
    bool same = d->half[0] && d->half[1] && state[0].count == state[1].count;
    if (!d->half[0] || !d->half[1])
        more = d->half[1] != NULL;
    d->good[more] = true;
    d->good[!more] = same && state[0].closed && state[1].closed;
    d->count = state[more].count;
    d->pair = state[more].pair;
    d->suspended = state[more].suspended;
}

/* Before the first write. One that was never noted is not one that was closed well. */
static int note_open(struct duplex *d, struct cause *cause)
{
    int rc = ST_OK;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!d->pair)
        d->pair = ((u64)now.tv_sec << 30 | (u64)now.tv_nsec) ^ (u64)getpid() << 48;
    if (!d->good[0] || !d->good[1])
        d->count++;
    for (unsigned i = 0; i < 2 && rc == ST_OK; i++)
        if (d->good[i])
            rc = state_now(d, i, false, cause);
    return rc;
}

static int open_both(struct image *img, struct duplex *d, unsigned flags, struct cause *cause)
{
    struct state state[2];
    d->write = !(flags & IMAGE_READ_ONLY);
    int rc = open_halves(d, flags & ~IMAGE_RANGES, state, cause);
    if (rc)
        return rc;
    judge(d, state);
    img->geometry = d->half[d->good[0] ? 0 : 1]->geometry;
    for (unsigned i = 0; i < 2; i++)
        if (d->half[i])
            image_on_failure(d->half[i], i ? second_failed : first_failed, d);
    if (d->write)
        rc = note_open(d, cause);
    if (rc == ST_OK && d->write && d->half[0] && d->half[1] && !d->suspended &&
        !(d->good[0] && d->good[1]))
        copier_begin(d, img);
    return rc;
}

int duplex_open(const char *path, unsigned flags, struct image **out, struct cause *cause)
{
    const char *mark = strstr(path, IMAGE_MIRROR_MARK);
    const char *second = mark + sizeof IMAGE_MIRROR_MARK - 1;
    if ((size_t)(mark - path) >= HALF_PATH_BYTES || strlen(second) >= HALF_PATH_BYTES ||
        strstr(second, IMAGE_MIRROR_MARK))
        return cause_set(cause, ST_INVAL, "%.40s...: two file names of a volume", path);
    struct image *img = image_alloc(path, flags);
    struct duplex *d = img ? calloc(1, sizeof *d) : NULL;
    if (!d) {
        if (img)
            image_free(img);
        return cause_set(cause, ST_NOMEM, "%s: no memory", path);
    }
    snprintf(d->path[0], HALF_PATH_BYTES, "%.*s", (int)(mark - path), path);
    snprintf(d->path[1], HALF_PATH_BYTES, "%s", second);
    lock_init(&d->lock, LOCK_DUPLEX);
    img->format = d;
    int rc = open_both(img, d, flags, cause);
    img->ops = &duplex_ops;
    if (rc == ST_OK) {
        *out = img;
        return ST_OK;
    }
    for (unsigned i = 0; i < 2; i++)
        image_unref(d->half[i]);
    lock_fini(&d->lock);
    image_free(img);
    return rc;
}
