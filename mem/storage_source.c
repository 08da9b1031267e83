/* Storage whose bytes are elsewhere at first, in a snapshot: a chunk comes when it is first needed,
 * or when the thread that brings all of them gets there.
 * Guarantees: nobody sees a byte of a chunk before all of it is in its place: until then the host
 * lets nobody at its addresses (who forgets to ask ends, and reads no zeros), and it is moved
 * there as a whole. A chunk that cannot be had is outside storage from then on (storage_holds), and
 * whoever keeps the machine is told. A chunk that was wanted is told of once. Assumes: who uses
 * addresses has asked storage_holds, or storage_need. Any thread may bring a chunk and wait for
 * one, with whatever locks: bringing takes none; only the thread that brings all tells of them. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "mem/base/ergo.h"
#include "mem/base/large.h"
#include "mem/storage_source.h"

#define LOOK_AGAIN_NS 20000
#define THREAD_NICE 10

enum chunk { HERE, AWAITED, COMING, LOST };

/** Located by: storage->awaited. Created by storage_source_begin, destroyed by storage_source_end.
 *  Serialised by: atomic words; creation and destruction while nothing of the machine works. */
struct storage_awaited {
    struct storage *st;
    struct storage_source from;
    pthread_t thread;
    _Atomic bool has_thread; /* and it still looks at what is wanted */
    bool created;
    _Atomic bool stop, lost;
    storage_came_cb *came; /* set before there is a thread */
    void *came_ctx;
    _Atomic bool *wanted; /* of each chunk */
    _Atomic unsigned wants;
    _Atomic u64 left; /* chunks that are not HERE */
    u64 chunks;
    _Atomic u8 state[]; /* enum chunk, of each */
};

static u64 chunk_bytes(const struct storage *st, u64 chunk)
{
    u64 at = chunk * STORAGE_CHUNK_BYTES;
    return st->size - at < STORAGE_CHUNK_BYTES ? st->size - at : STORAGE_CHUNK_BYTES;
}

/* The last that comes: from here on storage is as any other. */
static void came(struct storage_awaited *a)
{
    if (atomic_fetch_sub(&a->left, 1) != 1)
        return;
    storage_reserve_again(a->st);
    atomic_fetch_sub(&a->st->absent_count, 1);
    a->from.end(a->from.ctx);
}

static void *pages(u64 len)
{
    u8 *p = large_map(len, false);
    if (p)
        storage_advise(p, len);
    return p;
}

static bool bring(struct storage_awaited *a, u64 chunk)
{
    u8 *place = a->st->base + chunk * STORAGE_CHUNK_BYTES;
    u64 len = chunk_bytes(a->st, chunk);
    u8 *p = pages(len);
    bool good = p && a->from.fill(a->from.ctx, chunk * STORAGE_CHUNK_BYTES, len, p) &&
                mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, place) != MAP_FAILED;
    if (good) {
        atomic_store(&a->state[chunk], HERE);
        came(a);
        return true;
    }
    large_unmap(p, len);
    mprotect(place, len, PROT_READ | PROT_WRITE); /* for those who do not ask: zeros */
    atomic_store(&a->state[chunk], LOST);
    if (!atomic_exchange(&a->lost, true))
        a->from.lost(a->from.ctx);
    return false;
}

static void look_later(void)
{
    const struct timespec while_ = {.tv_nsec = LOOK_AGAIN_NS};
    nanosleep(&while_, NULL);
}

static bool chunk_need(struct storage_awaited *a, u64 chunk)
{
    for (;;) {
        u8 state = atomic_load(&a->state[chunk]);
        if (state == HERE || state == LOST)
            return state == HERE;
        u8 awaited = AWAITED;
        if (state == AWAITED &&
            atomic_compare_exchange_strong(&a->state[chunk], &awaited, COMING))
            return bring(a, chunk);
        if (state == COMING)
            look_later();
    }
}

bool storage_awaited_need(struct storage *st, u64 abs, u64 len)
{
    struct storage_awaited *a = st->awaited;
    u64 chunk = abs / STORAGE_CHUNK_BYTES;
    u64 last = len ? (abs + len - 1) / STORAGE_CHUNK_BYTES : chunk;
    bool good = true;
    for (; chunk <= last && chunk < a->chunks; chunk++)
        good &= chunk_need(a, chunk);
    return good;
}

/* ---- all of them ---- */

static bool bring_all(struct storage_awaited *a)
{
    bool good = true;
    for (u64 i = 0; i < a->chunks; i++)
        good &= chunk_need(a, i);
    return good;
}

/* What is wanted comes before the rest. */
static void bring_wanted(struct storage_awaited *a)
{
    for (u64 i = 0; atomic_load(&a->wants) && i < a->chunks && !atomic_load(&a->stop); i++)
        if (atomic_exchange(&a->wanted[i], false)) {
            chunk_need(a, i);
            atomic_fetch_sub(&a->wants, 1);
            a->came(a->came_ctx, i * STORAGE_CHUNK_BYTES);
        }
}

static void *bring_all_thread(void *arg)
{
    struct storage_awaited *a = arg;
    setpriority(PRIO_PROCESS, 0, THREAD_NICE); /* on Linux: of this thread */
    for (u64 i = 0; i < a->chunks && !atomic_load(&a->stop); i++) {
        bring_wanted(a);
        chunk_need(a, i);
    }
    atomic_store(&a->has_thread, false);
    bring_wanted(a); /* what storage_source_want has not taken back */
    return NULL;
}

void storage_source_go(struct storage *st, storage_came_cb *then, void *ctx)
{
    struct storage_awaited *a = st->awaited;
    if (!a || a->created)
        return;
    a->came = then;
    a->came_ctx = ctx;
    atomic_store(&a->has_thread, true);
    a->created = pthread_create(&a->thread, NULL, bring_all_thread, a) == 0;
    if (!a->created)
        atomic_store(&a->has_thread, false);
}

bool storage_source_awaits(const struct storage *st, u64 abs)
{
    const struct storage_awaited *a = st->awaited;
    u64 chunk = abs / STORAGE_CHUNK_BYTES;
    if (!a || !a->came || chunk >= a->chunks || !atomic_load(&a->has_thread))
        return false;
    u8 state = atomic_load(&a->state[chunk]);
    return state == AWAITED || state == COMING;
}

bool storage_source_want(struct storage *st, u64 abs)
{
    struct storage_awaited *a = st->awaited;
    u64 chunk = abs / STORAGE_CHUNK_BYTES;
    if (!storage_source_awaits(st, abs))
        return false;
    atomic_fetch_add(&a->wants, 1);
    if (atomic_exchange(&a->wanted[chunk], true))
        atomic_fetch_sub(&a->wants, 1); /* somebody else's is served for both */
    if (atomic_load(&a->has_thread) || !atomic_exchange(&a->wanted[chunk], false))
        return true;
    atomic_fetch_sub(&a->wants, 1);
    return false;
}

bool storage_source_all(struct storage *st)
{
    return !st->awaited || bring_all(st->awaited);
}

enum storage_whole storage_source_state(const struct storage *st)
{
    const struct storage_awaited *a = st->awaited;
    if (!a)
        return STORAGE_WHOLE;
    if (atomic_load(&a->lost))
        return STORAGE_LOST;
    return atomic_load(&a->left) ? STORAGE_COMING : STORAGE_WHOLE;
}

/* ---- life ---- */

/* Nobody gets at addresses of chunks that are awaited. */
static int shut(struct storage_awaited *a)
{
    for (u64 i = 0, n; i < a->chunks; i += n) {
        for (n = 1; a->state[i] == AWAITED && i + n < a->chunks && a->state[i + n] == AWAITED;)
            n++;
        u64 at = i * STORAGE_CHUNK_BYTES, end = (i + n) * STORAGE_CHUNK_BYTES;
        end = end < a->st->size ? end : a->st->size;
        if (a->state[i] == AWAITED && mprotect(a->st->base + at, end - at, PROT_NONE))
            return errno;
    }
    return 0;
}

/* And they do again; zeros are there. */
static void open_again(struct storage_awaited *a)
{
    for (u64 i = 0; i < a->chunks; i++)
        if (atomic_load(&a->state[i]) == AWAITED)
            mprotect(a->st->base + i * STORAGE_CHUNK_BYTES, chunk_bytes(a->st, i),
                     PROT_READ | PROT_WRITE);
}

int storage_source_begin(struct storage *st, const struct storage_source *from,
                         const u64 *chunks, struct cause *cause)
{
    PRE(!st->awaited && st->base);
    u64 n = (st->size + STORAGE_CHUNK_BYTES - 1) / STORAGE_CHUNK_BYTES;
    struct storage_awaited *a = calloc(1, sizeof *a + n);
    if (a)
        a->wanted = calloc(n, sizeof *a->wanted);
    if (!a || !a->wanted) {
        free(a);
        return cause_set(cause, ST_NOMEM, "no memory for a table of storage that comes");
    }
    a->st = st;
    a->from = *from;
    a->chunks = n;
    u64 left = 0;
    for (u64 i = 0; i < n; i++)
        if (chunks[i / 64] >> i % 64 & 1) {
            a->state[i] = AWAITED;
            left++;
        }
    atomic_store(&a->left, left + 1); /* itself, until all is in place */
    int err = shut(a);
    if (err) {
        open_again(a);
        free((void *)a->wanted);
        free(a);
        return cause_set(cause, ST_NOMEM, "the host's addresses: %s", strerror(err));
    }
    st->awaited = a;
    atomic_fetch_add(&st->absent_count, 1);
    came(a);
    return ST_OK;
}

void storage_source_alone(struct storage *st)
{
    struct storage_awaited *a = st->awaited;
    if (!a || !a->created)
        return;
    atomic_store(&a->stop, true);
    pthread_join(a->thread, NULL);
    a->created = false;
}

void storage_source_end(struct storage *st)
{
    struct storage_awaited *a = st->awaited;
    if (!a)
        return;
    storage_source_alone(st);
    open_again(a);
    if (atomic_load(&a->left)) {
        atomic_fetch_sub(&st->absent_count, 1);
        a->from.end(a->from.ctx);
    }
    st->awaited = NULL;
    free((void *)a->wanted);
    free(a);
}
