/* Block I/O environments: established, removed, saved; requests that have ended and wait to be
 * told. */
#include <stdlib.h>

#include "hyp/diag/diag_block_internal.h"
#include "hyp/io_worker.h"
#include "mem/base/ergo.h"

#define ROW_WORDS 3

void block_io_init(struct block_io *b)
{
    lock_init(&b->lock, LOCK_BLOCK_IO);
    pthread_cond_init(&b->quiet, NULL);
}

void block_io_fini(struct block_io *b)
{
    free(b->environment);
    free(b->done);
    pthread_cond_destroy(&b->quiet);
    lock_fini(&b->lock);
}

void block_io_reset(struct block_io *b)
{
    lock_take(&b->lock);
    b->first = b->count = 0;
    if (b->environment)
        memset(b->environment, 0, BLOCK_ENVIRONMENTS_MAX * sizeof *b->environment);
    lock_drop(&b->lock);
}

void block_io_settle(struct block_io *b, struct io_worker *worker, bool by_hand)
{
    lock_take(&b->lock);
    while (b->under_way) {
        if (!by_hand) {
            lock_wait(&b->quiet, &b->lock);
            continue;
        }
        lock_drop(&b->lock);
        io_worker_poll(worker, 1);
        lock_take(&b->lock);
    }
    lock_drop(&b->lock);
}

/* With devno 0 a free place. */
static struct block_environment *find_locked(struct block_io *b, u16 devno)
{
    for (unsigned i = 0; b->environment && i < BLOCK_ENVIRONMENTS_MAX; i++)
        if (b->environment[i].devno == devno)
            return &b->environment[i];
    return NULL;
}

bool block_environment_find(struct block_io *b, u16 devno, struct block_environment *out)
{
    lock_take(&b->lock);
    const struct block_environment *found = devno ? find_locked(b, devno) : NULL;
    if (found)
        *out = *found;
    lock_drop(&b->lock);
    return found;
}

bool block_environment_add(struct block_io *b, const struct block_environment *what)
{
    lock_take(&b->lock);
    if (!b->environment)
        b->environment = calloc(BLOCK_ENVIRONMENTS_MAX, sizeof *b->environment);
    struct block_environment *place = find_locked(b, 0);
    if (place)
        *place = *what;
    lock_drop(&b->lock);
    return place;
}

bool block_environment_remove(struct block_io *b, u16 devno)
{
    lock_take(&b->lock);
    struct block_environment *found = devno ? find_locked(b, devno) : NULL;
    if (found)
        *found = (struct block_environment){0};
    lock_drop(&b->lock);
    return found;
}

/* ---- what has ended ---- */

bool block_request_begin(struct block_io *b)
{
    lock_take(&b->lock);
    if (!b->done)
        b->done = calloc(BLOCK_DONE_MAX, sizeof *b->done);
    bool room = b->done && b->under_way + b->count < BLOCK_DONE_MAX;
    b->under_way += room;
    lock_drop(&b->lock);
    return room;
}

static void append_locked(struct block_io *b, const struct block_done *what)
{
    ERGO(b->count < BLOCK_DONE_MAX);
    b->done[(b->first + b->count++) % BLOCK_DONE_MAX] = *what;
}

void block_request_end(struct block_io *b, const struct block_done *what)
{
    lock_take(&b->lock);
    if (what)
        append_locked(b, what);
    b->under_way--;
    pthread_cond_broadcast(&b->quiet);
    lock_drop(&b->lock);
}

bool block_io_take(struct block_io *b, struct block_done *out, bool *more)
{
    lock_take(&b->lock);
    bool any = b->count;
    if (any) {
        *out = b->done[b->first];
        b->first = (b->first + 1) % BLOCK_DONE_MAX;
        b->count--;
    }
    *more = b->count;
    lock_drop(&b->lock);
    return any;
}

/* ---- rows ---- */

void block_io_save(const struct block_io *b, u16 tag_environment, u16 tag_done,
                   struct codec_out *out)
{
    for (unsigned i = 0; b->environment && i < BLOCK_ENVIRONMENTS_MAX; i++) {
        const struct block_environment *e = &b->environment[i];
        const u64 row[ROW_WORDS] = {e->devno, e->block_bytes, e->offset};
        if (e->devno)
            codec_put_array(out, tag_environment, row, 8, ROW_WORDS);
    }
    for (unsigned i = 0; i < b->count; i++) {
        const struct block_done *d = &b->done[(b->first + i) % BLOCK_DONE_MAX];
        const u64 row[ROW_WORDS] = {d->parm, d->status, d->wide};
        codec_put_array(out, tag_done, row, 8, ROW_WORDS);
    }
}

bool block_io_restore_environment(struct block_io *b, const struct codec_row *row)
{
    u64 v[ROW_WORDS];
    struct block_environment e;
    if (!codec_get_array(row, v, 8, ROW_WORDS) || !v[0] || v[0] > 0xffff ||
        !block_bytes_valid(v[1]) || block_environment_find(b, (u16)v[0], &e))
        return false;
    return block_environment_add(b, &(struct block_environment){(u16)v[0], (u32)v[1], v[2]});
}

bool block_io_restore_done(struct block_io *b, const struct codec_row *row)
{
    u64 v[ROW_WORDS];
    if (!codec_get_array(row, v, 8, ROW_WORDS) || v[1] > 0xff || v[2] > 1 ||
        !block_request_begin(b))
        return false;
    block_request_end(b, &(struct block_done){v[0], (u8)v[1], v[2]});
    return true;
}
