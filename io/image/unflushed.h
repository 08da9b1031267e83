/* What a block server has answered and its disk may not have yet (unflushed.c): the newest bytes of
 * each place, to be written again when the server may have lost them. A write is in it before it is
 * sent (it may get there without an answer) and counts as answered from unflushed_answered on.
 * Threads: one at a time. */
#ifndef ENDICOTT_IO_IMAGE_UNFLUSHED_H
#define ENDICOTT_IO_IMAGE_UNFLUSHED_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define UNFLUSHED_BUCKETS 1024u
#define UNFLUSHED_BYTES_MAX (64u << 20) /* then it is time for a flush */

struct unflushed_piece;

/** All zeros: nothing. */
struct unflushed {
    struct unflushed_piece *bucket[UNFLUSHED_BUCKETS];
    u64 bytes;
    u64 writes;   /* that were ever put */
    u64 answered; /* of them, in the order of the answers */
};

/** A write of `len` bytes is sent: its number, or 0 without memory. */
u64 unflushed_put(struct unflushed *u, u64 at, const u8 *buf, u32 len);
/** It was answered; or it failed: its bytes are what the server has. */
void unflushed_answered(struct unflushed *u, u64 at, u32 len, u64 number, bool good);
/** A flush that began when `answered` was `mark` went well. */
void unflushed_done(struct unflushed *u, u64 mark);
/** Each piece, until one fails: its status. */
int unflushed_each(const struct unflushed *u,
                   int (*fn)(void *arg, u64 at, const u8 *buf, u32 len), void *arg);
void unflushed_free(struct unflushed *u);

#endif
