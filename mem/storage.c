/* Guest absolute storage: creation, marking of stores, epochs of change recording.
 * A bit in `dirty` is set before the byte it stands for changes; see storage_epoch. */
#include "mem/storage.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mem/base/ergo.h"

#define STORAGE_UNIT_BYTES (1u << 20)

static void *storage_map(u64 bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

int storage_create(struct storage **out, u64 size, struct cause *cause)
{
    if (size == 0 || size % STORAGE_UNIT_BYTES || size > STORAGE_BYTES_MAX)
        return cause_set(cause, ST_INVAL, "storage size %llu is not 1M to 4T in units of 1M",
                         (unsigned long long)size);
    struct storage *st = calloc(1, sizeof *st);
    if (!st)
        return cause_set(cause, ST_NOMEM, "no memory for a storage block");
    st->size = size;
    st->frames = size / FRAME_BYTES;
    st->base = storage_map(size);
    st->skey = storage_map(st->frames);
    st->code = storage_map(st->frames);
    st->dirty = storage_map(storage_bitmap_bytes(st));
    st->touched = storage_map(storage_bitmap_bytes(st));
    if (!st->base || !st->skey || !st->code || !st->dirty || !st->touched) {
        storage_destroy(st);
        return cause_set(cause, ST_NOMEM, "the host refuses %llu MiB of guest storage: %s",
                         (unsigned long long)(size >> 20), strerror(errno));
    }
    *out = st;
    return ST_OK;
}

void storage_destroy(struct storage *st)
{
    if (!st)
        return;
    struct {
        void *p;
        u64 bytes;
    } maps[] = {
        {st->base, st->size},
        {(void *)st->skey, st->frames},
        {(void *)st->code, st->frames},
        {(void *)st->dirty, storage_bitmap_bytes(st)},
        {(void *)st->touched, storage_bitmap_bytes(st)},
    };
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        if (maps[i].p)
            munmap(maps[i].p, maps[i].bytes);
    free(st);
}

void storage_clear(struct storage *st)
{
    madvise(st->base, st->size, MADV_DONTNEED);
    madvise((void *)st->skey, st->frames, MADV_DONTNEED);
    madvise((void *)st->touched, storage_bitmap_bytes(st), MADV_DONTNEED);
    memset((void *)st->dirty, 0xff, storage_bitmap_bytes(st));
    storage_code_stored(st, 0, st->size);
}

void storage_observe_code(struct storage *st, storage_code_cb *cb, void *ctx)
{
    PRE(st->observer_count < STORAGE_OBSERVERS_MAX);
    st->observers[st->observer_count].cb = cb;
    st->observers[st->observer_count++].ctx = ctx;
}

static void bit_set(_Atomic u64 *map, u64 i)
{
    u64 bit = 1ull << (i & 63);
    if (!(atomic_load_explicit(&map[i >> 6], memory_order_relaxed) & bit))
        atomic_fetch_or_explicit(&map[i >> 6], bit, memory_order_seq_cst);
}

void storage_mark_frame(struct storage *st, u64 abs)
{
    u64 frame = abs >> FRAME_SHIFT;
    PRE(frame < st->frames);
    bit_set(st->touched, frame);
    bit_set(st->dirty, frame);
    u8 key = atomic_load_explicit(&st->skey[frame], memory_order_relaxed);
    if ((key & (SKEY_R | SKEY_C)) != (SKEY_R | SKEY_C))
        atomic_fetch_or_explicit(&st->skey[frame], SKEY_R | SKEY_C, memory_order_relaxed);
}

void storage_code_stored(struct storage *st, u64 abs, u64 len)
{
    for (unsigned i = 0; i < st->observer_count; i++)
        st->observers[i].cb(st->observers[i].ctx, abs, len);
}

bool storage_read(struct storage *st, u64 abs, void *dst, u64 len)
{
    if (!storage_holds(st, abs, len))
        return false;
    memcpy(dst, st->base + abs, len);
    for (u64 f = abs >> FRAME_SHIFT; len && f <= (abs + len - 1) >> FRAME_SHIFT; f++)
        if (!(atomic_load_explicit(&st->skey[f], memory_order_relaxed) & SKEY_R))
            atomic_fetch_or_explicit(&st->skey[f], SKEY_R, memory_order_relaxed);
    return true;
}

bool storage_write(struct storage *st, u64 abs, const void *src, u64 len)
{
    if (!storage_holds(st, abs, len))
        return false;
    if (!len)
        return true;
    memcpy(st->base + abs, src, len);
    bool code = false; /* marked after the bytes: a pass that read too early sends it again */
    for (u64 f = abs >> FRAME_SHIFT; f <= (abs + len - 1) >> FRAME_SHIFT; f++) {
        storage_mark_frame(st, f << FRAME_SHIFT);
        code |= atomic_load_explicit(&st->code[f], memory_order_relaxed);
    }
    if (code)
        storage_code_stored(st, abs, len);
    return true;
}

u64 storage_epoch(struct storage *st, u64 *set)
{
    u64 moved = 0;
    for (u64 i = 0; i < (st->frames + 63) / 64; i++) {
        if (!atomic_load_explicit(&st->dirty[i], memory_order_relaxed))
            continue;
        u64 bits = atomic_exchange_explicit(&st->dirty[i], 0, memory_order_seq_cst);
        moved += (u64)__builtin_popcountll(bits);
        set[i] |= bits;
    }
    return moved;
}

u64 storage_touched_set(const struct storage *st, u64 *set)
{
    u64 n = 0;
    for (u64 i = 0; i < (st->frames + 63) / 64; i++) {
        set[i] = atomic_load_explicit(&st->touched[i], memory_order_relaxed);
        n += (u64)__builtin_popcountll(set[i]);
    }
    return n;
}

bool storage_frame_zero(const struct storage *st, u64 frame)
{
    const u64 *p = (const u64 *)(st->base + (frame << FRAME_SHIFT));
    for (unsigned i = 0; i < FRAME_BYTES / sizeof *p; i += 8)
        if (p[i] | p[i + 1] | p[i + 2] | p[i + 3] | p[i + 4] | p[i + 5] | p[i + 6] | p[i + 7])
            return false;
    return true;
}
