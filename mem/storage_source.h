/* Storage whose bytes come from elsewhere when they are needed: a snapshot that is restored. */
#ifndef ENDICOTT_MEM_STORAGE_SOURCE_H
#define ENDICOTT_MEM_STORAGE_SOURCE_H

#include "mem/storage.h"

#define STORAGE_CHUNK_BYTES (2u << 20) /* that come at once */

/** Where the bytes of storage come from that are not there yet (storage_source.c). */
struct storage_source {
    /* The bytes from `abs` on, `len` of them: a chunk. `to` holds zeros. False: they cannot be had.
     * Any thread, several at once. */
    bool (*fill)(void *ctx, u64 abs, u64 len, u8 *to);
    void (*lost)(void *ctx); /* the first that cannot be had; any thread */
    void (*end)(void *ctx);  /* no more are asked for; any thread */
    void *ctx;
};
enum storage_whole {
    STORAGE_WHOLE,
    STORAGE_COMING,
    STORAGE_LOST /* not all of it can be had */
};
/** Storage is all zero. Chunks with a bit in `chunks` come from there; keys and marks are the
 *  caller's. Nothing of the machine works. ST_NOMEM: nothing has changed. */
int storage_source_begin(struct storage *st, const struct storage_source *from,
                         const u64 *chunks, struct cause *cause);
/** The chunk at `abs` that somebody wanted is there, or cannot be had. The thread that brings
 *  storage; it may take locks. */
typedef void storage_came_cb(void *ctx, u64 abs);
/** A thread brings what is awaited from now on. `came` may be NULL: nobody will want chunks. */
void storage_source_go(struct storage *st, storage_came_cb *came, void *ctx);
/** Is the chunk at `abs` awaited, by that thread, too? Any thread; it may come at once. */
bool storage_source_awaits(const struct storage *st, u64 abs);
/** Have it brought before others; `came` will be called. False: it is there already, or nobody
 *  brings it, and nothing is called. Any thread. */
bool storage_source_want(struct storage *st, u64 abs);
/** All of it is there when this returns; false: not all can be had. Any thread. */
bool storage_source_all(struct storage *st);
/** That thread ends, and nobody is told any more; what is needed still comes. */
void storage_source_alone(struct storage *st);
enum storage_whole storage_source_state(const struct storage *st);
/** What has not come is zeros; nothing of the machine works. */
void storage_source_end(struct storage *st);
bool storage_awaited_need(struct storage *st, u64 abs, u64 len);

/** Have [abs, abs + len) there before it is used by who has not asked storage_holds. */
static inline bool storage_need(struct storage *st, u64 abs, u64 len)
{
    return !st->awaited || storage_awaited_need(st, abs, len);
}

#endif
