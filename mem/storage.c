/* Guest absolute storage: creation, marking of stores, epochs of change recording.
 * A bit in `dirty` is set before the byte it stands for changes; see storage_epoch. */
#include "mem/storage_source.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mem/base/ergo.h"
#include "mem/base/large.h"

/* Where storage begins when nothing is there: translated code can add that to an address as a
 * displacement (cpu/jit/emit_mem.c), and 1008 MiB below it are left for such code. */
#define STORAGE_NEAR 0x7f000000u

void *storage_lazy_alloc(u64 bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void storage_lazy_free(void *p, u64 bytes)
{
    if (p)
        munmap(p, bytes);
}

static u64 reach_frames(const struct storage *st)
{
    return st->reach / FRAME_BYTES;
}

static u64 reach_bitmap_bytes(const struct storage *st)
{
    return (reach_frames(st) + 63) / 64 * sizeof(u64);
}

static u64 reach_blocks(const struct storage *st)
{
    return (reach_frames(st) + STORAGE_BLOCK_FRAMES - 1) / STORAGE_BLOCK_FRAMES;
}

static u64 block_count(const struct storage *st)
{
    return (st->frames + STORAGE_BLOCK_FRAMES - 1) / STORAGE_BLOCK_FRAMES;
}

static void unmap_all(struct storage *st)
{
    storage_lazy_free(st->base, st->reach);
    storage_lazy_free((void *)st->skey, reach_frames(st));
    storage_lazy_free((void *)st->usage, reach_frames(st));
    storage_lazy_free((void *)st->code, reach_frames(st));
    storage_lazy_free((void *)st->dirty, reach_bitmap_bytes(st));
    storage_lazy_free((void *)st->touched, reach_bitmap_bytes(st));
    storage_lazy_free((void *)st->used, reach_blocks(st));
}

static int map_all(struct storage *st, u64 size, u64 reach, struct cause *cause)
{
    if (size == 0 || size % STORAGE_UNIT_BYTES || size > STORAGE_BYTES_MAX)
        return cause_set(cause, ST_INVAL, "storage size %llu is not 1M to 4T in units of 1M",
                         (unsigned long long)size);
    st->size = size;
    st->frames = size / FRAME_BYTES;
    st->increment_bytes = STORAGE_UNIT_BYTES;
    while (size / st->increment_bytes > STORAGE_INCREMENTS_MAX)
        st->increment_bytes *= 2;
    st->reach = reach > size ? reach : size;
    st->base = large_map_at(st->reach, STORAGE_NEAR);
    if (!st->base && st->reach > size) { /* without room for segments, then */
        st->reach = size;
        st->base = large_map_at(size, STORAGE_NEAR);
    }
    st->skey = storage_lazy_alloc(reach_frames(st));
    st->usage = storage_lazy_alloc(reach_frames(st));
    st->code = storage_lazy_alloc(reach_frames(st));
    st->dirty = storage_lazy_alloc(reach_bitmap_bytes(st));
    st->touched = storage_lazy_alloc(reach_bitmap_bytes(st));
    st->used = storage_lazy_alloc(reach_blocks(st));
    if (!st->base || !st->skey || !st->usage || !st->code || !st->dirty || !st->touched ||
        !st->used) {
        unmap_all(st);
        return cause_set(cause, ST_NOMEM, "the host refuses %llu MiB of guest storage: %s",
                         (unsigned long long)(size >> 20), strerror(errno));
    }
    storage_advise(st->base, st->reach);
    return ST_OK;
}

void storage_advise(void *p, u64 len)
{
    madvise(p, len, MADV_MERGEABLE); /* by the host, if it is told to */
    madvise(p, len, MADV_DONTFORK);  /* see storage_forks */
}

void storage_forks(struct storage *st, bool yes)
{
    madvise(st->base, st->reach, yes ? MADV_DOFORK : MADV_DONTFORK);
}

int storage_create(struct storage **out, u64 size, struct cause *cause)
{
    return storage_create_reach(out, size, size, cause);
}

int storage_create_reach(struct storage **out, u64 size, u64 reach, struct cause *cause)
{
    struct storage *st = calloc(1, sizeof *st);
    if (!st)
        return cause_set(cause, ST_NOMEM, "no memory for a storage block");
    int rc = map_all(st, size, reach, cause);
    if (rc) {
        free(st);
        return rc;
    }
    *out = st;
    return ST_OK;
}

int storage_resize(struct storage *st, u64 size, struct cause *cause)
{
    struct storage fresh = {0};
    int rc = map_all(&fresh, size, st->reach > st->size ? st->reach : size, cause);
    if (rc)
        return rc;
    storage_source_end(st);
    unmap_all(st);
    memcpy(fresh.observers, st->observers, sizeof fresh.observers);
    fresh.observer_count = st->observer_count;
    fresh.reserved = st->reserved < size ? st->reserved : size;
    *st = fresh;
    storage_reserve_again(st);
    return ST_OK;
}

void storage_forget_observers(struct storage *st)
{
    st->observer_count = 0;
}

void storage_destroy(struct storage *st)
{
    if (!st)
        return;
    storage_source_end(st);
    unmap_all(st);
    free(st);
}

u64 storage_frame_next(const struct storage *st, u64 frame)
{
    u64 block = frame / STORAGE_BLOCK_FRAMES, blocks = block_count(st);
    if (frame < st->frames && atomic_load_explicit(&st->used[block], memory_order_acquire))
        return frame;
    while (++block < blocks)
        if (atomic_load_explicit(&st->used[block], memory_order_acquire))
            return block * STORAGE_BLOCK_FRAMES;
    return st->frames;
}

/** Index of the first word of the bitmaps at or behind `word` that may have a bit. */
static u64 word_next(const struct storage *st, u64 word)
{
    return word % (STORAGE_BLOCK_FRAMES / 64) ? word : storage_frame_next(st, word * 64) / 64;
}

/* The host does not take the pages back: somebody has locked them. */
static void clear_touched(struct storage *st)
{
    for (u64 f = storage_frame_next(st, 0); f < st->frames; f = storage_frame_next(st, f + 1))
        if (storage_frame_touched(st, f))
            memset(st->base + (f << FRAME_SHIFT), 0, FRAME_BYTES);
}

/* What held anything before now holds zeros: that is a change as well. */
void storage_clear(struct storage *st)
{
    u64 words = storage_bitmap_bytes(st) / sizeof(u64);
    for (u64 i = word_next(st, 0); i < words; i = word_next(st, i + 1)) {
        u64 bits = atomic_load_explicit(&st->touched[i], memory_order_relaxed);
        if (bits)
            atomic_fetch_or_explicit(&st->dirty[i], bits, memory_order_relaxed);
    }
    storage_source_end(st);
    storage_reserve_pause(st); /* locked pages do not go */
    if (madvise(st->base, st->size, MADV_DONTNEED))
        clear_touched(st);
    storage_reserve_again(st);
    madvise((void *)st->skey, st->frames, MADV_DONTNEED);
    madvise((void *)st->touched, storage_bitmap_bytes(st), MADV_DONTNEED);
    storage_usage_reset(st);
    storage_code_stored(st, 0, st->size);
}

/* What is not unused any more has content that counts (insn_control_essa.c). */
void storage_usage_reset(struct storage *st)
{
    for (u64 f = storage_frame_next(st, 0); f < st->frames; f = storage_frame_next(st, f + 1))
        if ((storage_usage_get(st, f << FRAME_SHIFT) & STORAGE_USAGE) == STORAGE_UNUSED &&
            storage_frame_touched(st, f))
            storage_make_resident(st, f << FRAME_SHIFT);
    madvise((void *)st->usage, st->frames, MADV_DONTNEED);
}

void storage_observe_code(struct storage *st, storage_code_cb *cb, void *ctx)
{
    PRE(st->observer_count < STORAGE_OBSERVERS_MAX);
    st->observers[st->observer_count].cb = cb;
    st->observers[st->observer_count++].ctx = ctx;
}

/* True when it was not set. */
static bool bit_set(_Atomic u64 *map, u64 i)
{
    u64 bit = 1ull << (i & 63);
    return !(atomic_load_explicit(&map[i >> 6], memory_order_relaxed) & bit) &&
           !(atomic_fetch_or_explicit(&map[i >> 6], bit, memory_order_seq_cst) & bit);
}

/* True for the first store into the frame in this epoch. */
static bool content_marked(struct storage *st, u64 frame)
{
    storage_use(st, frame);
    bit_set(st->touched, frame);
    return bit_set(st->dirty, frame);
}

static bool marked(struct storage *st, u64 abs)
{
    u64 frame = abs >> FRAME_SHIFT;
    PRE(frame < reach_frames(st));
    if (unlikely(st->watch != NULL))
        st->watch->marked(st->watch->ctx, abs);
    bool first = content_marked(st, frame);
    u8 key = atomic_load_explicit(&st->skey[frame], memory_order_relaxed);
    if ((key & (SKEY_R | SKEY_C)) != (SKEY_R | SKEY_C))
        atomic_fetch_or_explicit(&st->skey[frame], SKEY_R | SKEY_C, memory_order_relaxed);
    return first;
}

void storage_mark_frame(struct storage *st, u64 abs)
{
    if (marked(st, abs) && storage_rationed(st))
        storage_ration_owe(st);
}

bool storage_mark_frame_rationed(struct storage *st, u64 abs)
{
    u64 frame = abs >> FRAME_SHIFT;
    bool takes =
        storage_rationed(st) && !(atomic_load(&st->dirty[frame >> 6]) >> (frame & 63) & 1);
    if (takes && !storage_ration_take(st))
        return false;
    if (!marked(st, abs) && takes) /* another CPU was faster */
        storage_ration_return(st);
    return true;
}

void storage_make_resident(struct storage *st, u64 abs)
{
    u64 frame = abs >> FRAME_SHIFT;
    PRE(frame < reach_frames(st));
    if (content_marked(st, frame) && storage_rationed(st))
        storage_ration_owe(st);
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
        storage_key_reference(st, f << FRAME_SHIFT);
    return true;
}

bool storage_write(struct storage *st, u64 abs, const void *src, u64 len)
{
    if (!storage_holds(st, abs, len) || !storage_storable(st, abs, len))
        return false;
    if (!len)
        return true;
    bool told = st->watch && st->watch->write_begin(st->watch->ctx, abs, len);
    memcpy(st->base + abs, src, len);
    bool code = false; /* marked after the bytes: a pass that read too early sends it again */
    for (u64 f = abs >> FRAME_SHIFT; f <= (abs + len - 1) >> FRAME_SHIFT; f++) {
        storage_mark_frame(st, f << FRAME_SHIFT);
        code |= atomic_load_explicit(&st->code[f], memory_order_relaxed);
    }
    if (code)
        storage_code_stored(st, abs, len);
    if (told)
        st->watch->write_end(st->watch->ctx);
    return true;
}

u64 storage_epoch(struct storage *st, u64 *set)
{
    u64 moved = 0, words = storage_bitmap_bytes(st) / sizeof *set;
    for (u64 i = word_next(st, 0); i < words; i = word_next(st, i + 1)) {
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
    u64 words = storage_bitmap_bytes(st) / sizeof *set;
    for (u64 i = word_next(st, 0); i < words; i = word_next(st, i + 1))
        set[i] = atomic_load_explicit(&st->touched[i], memory_order_relaxed);
    return storage_set_count(st, set);
}

u64 storage_set_count(const struct storage *st, const u64 *set)
{
    u64 n = 0, words = storage_bitmap_bytes(st) / sizeof *set;
    for (u64 i = word_next(st, 0); i < words; i = word_next(st, i + 1))
        n += (u64)__builtin_popcountll(
            set ? set[i] : atomic_load_explicit(&st->touched[i], memory_order_relaxed));
    return n;
}

bool storage_frame_zero(const struct storage *st, u64 frame)
{
    storage_need((struct storage *)st, frame << FRAME_SHIFT, FRAME_BYTES);
    const u64 *p = (const u64 *)(st->base + (frame << FRAME_SHIFT));
    for (unsigned i = 0; i < FRAME_BYTES / sizeof *p; i += 8)
        if (p[i] | p[i + 1] | p[i + 2] | p[i + 3] | p[i + 4] | p[i + 5] | p[i + 6] | p[i + 7])
            return false;
    return true;
}
