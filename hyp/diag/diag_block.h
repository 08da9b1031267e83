/* Inside hyp: block I/O environments of a machine (DIAGNOSE X'250').
 * Located by struct vm; lock: block->lock, for a few moves of pointers. */
#ifndef ENDICOTT_HYP_DIAG_DIAG_BLOCK_H
#define ENDICOTT_HYP_DIAG_DIAG_BLOCK_H

#include <pthread.h>

#include "mem/base/codec.h"
#include "mem/base/lock.h"

#define BLOCK_ENVIRONMENTS_MAX 1024
#define BLOCK_DONE_MAX 4096 /* requests that have ended and were not told of yet */

struct vm;

/** What INIT established; rows in vm_state.c. */
struct block_environment {
    u16 devno; /* 0: none */
    u32 block_bytes;
    u64 offset; /* added to block numbers of requests */
};

/** The external interruption that an asynchronous request ends with. */
struct block_done {
    u64 parm;
    u8 status;
    bool wide; /* a 64-bit parameter list: X'07', else X'03' */
};

struct block_io {
    struct lock lock;
    pthread_cond_t quiet;
    struct block_environment
        *environment;        /* of BLOCK_ENVIRONMENTS_MAX; NULL: none was ever made */
    struct block_done *done; /* a ring of BLOCK_DONE_MAX; likewise */
    unsigned first, count;
    unsigned under_way; /* asynchronous requests */
};

void block_io_init(struct block_io *b);
void block_io_fini(struct block_io *b);
/** Until no request is under way: the CPUs are held, so that none comes. `by_hand`: this thread is
 *  the one that does device work. */
struct io_worker;
void block_io_settle(struct block_io *b, struct io_worker *worker, bool by_hand);
/** System reset: no environments, nothing to be told. Settled. */
void block_io_reset(struct block_io *b);
/** The next interruption; false: none. `more`: there is another one behind it. */
bool block_io_take(struct block_io *b, struct block_done *out, bool *more);
void block_io_save(const struct block_io *b, u16 tag_environment, u16 tag_done,
                   struct codec_out *out);
bool block_io_restore_environment(struct block_io *b, const struct codec_row *row);
bool block_io_restore_done(struct block_io *b, const struct codec_row *row);

#endif
