/* Guest absolute storage of one virtual machine: bytes, storage keys, change recording.
 * Located by struct vm and every struct cpu; created at logon, destroyed at logoff.
 * Serialised by: bytes as the architecture says; keys and bitmaps are atomic words.
 * Storage is demand-zero host memory: a frame never touched costs nothing and is never sent. */
#ifndef ENDICOTT_MEM_STORAGE_H
#define ENDICOTT_MEM_STORAGE_H

#include <stdatomic.h>

#include "mem/base/bytes.h"
#include "mem/base/codec.h"
#include "mem/base/status.h"

#define FRAME_BYTES 4096u
#define FRAME_SHIFT 12
#define STORAGE_BYTES_MAX (1ull << 42)
#define STORAGE_OBSERVERS_MAX 64

/* Storage-key bits (Principles of Operation, "Storage Key"). */
#define SKEY_ACC 0xf0u
#define SKEY_F 0x08u
#define SKEY_R 0x04u
#define SKEY_C 0x02u

/** Told when bytes of a frame that holds decoded instructions are stored into (any thread). */
typedef void storage_code_cb(void *ctx, u64 abs, u64 len);

struct storage {
    u8 *base;             /* host address of absolute 0 */
    u64 size;             /* bytes, a multiple of 1 MiB */
    u64 frames;           /* size / FRAME_BYTES */
    _Atomic u8 *skey;     /* one key per frame: ACC(4) F R C 0 */
    _Atomic u64 *dirty;   /* one bit per frame: stored into in this epoch */
    _Atomic u64 *touched; /* one bit per frame: ever stored into, never cleared but by clear */
    _Atomic u8 *code;     /* one byte per frame: some CPU holds decoded instructions of it */
    struct {
        storage_code_cb *cb;
        void *ctx;
    } observers[STORAGE_OBSERVERS_MAX];
    unsigned observer_count;
};

/** Create storage of `size` bytes, all zero, keys zero. ST_INVAL for a bad size, ST_NOMEM. */
int storage_create(struct storage **out, u64 size, struct cause *cause);
void storage_destroy(struct storage *st);

/** Zero all bytes, keys and touched marks, as clear reset does. CPUs must not be running. */
void storage_clear(struct storage *st);

/** Register for stores into code frames; before CPUs run. */
void storage_observe_code(struct storage *st, storage_code_cb *cb, void *ctx);

/** True when [abs, abs + len) lies inside storage. */
static inline bool storage_holds(const struct storage *st, u64 abs, u64 len)
{
    return abs < st->size && len <= st->size - abs;
}

/** Host address of [abs, abs + len), or NULL when outside. Stores through it must be marked. */
static inline u8 *storage_host(struct storage *st, u64 abs, u64 len)
{
    return storage_holds(st, abs, len) ? st->base + abs : NULL;
}

/**
 * Record a store to be made into one frame: touched, dirty, R and C.
 * Must come before the store in program order; a relocation pass relies on it.
 */
void storage_mark_frame(struct storage *st, u64 abs);

/** Tell the holders of decoded instructions about a store; after the bytes are in place. */
void storage_code_stored(struct storage *st, u64 abs, u64 len);

/** Copy out of / into absolute storage with marking; false when any byte lies outside. */
bool storage_read(struct storage *st, u64 abs, void *dst, u64 len);
bool storage_write(struct storage *st, u64 abs, const void *src, u64 len);

static inline u8 storage_key_get(const struct storage *st, u64 abs)
{
    return atomic_load_explicit(&st->skey[abs >> FRAME_SHIFT], memory_order_relaxed);
}

static inline void storage_key_set(struct storage *st, u64 abs, u8 key)
{
    atomic_store_explicit(&st->skey[abs >> FRAME_SHIFT], key & 0xfe, memory_order_relaxed);
}

static inline bool storage_frame_touched(const struct storage *st, u64 frame)
{
    return atomic_load_explicit(&st->touched[frame >> 6], memory_order_relaxed) >>
               (frame & 63) &
           1;
}

/** Bytes of the bitmap of one bit per frame. */
static inline u64 storage_bitmap_bytes(const struct storage *st)
{
    return (st->frames + 63) / 64 * sizeof(u64);
}

/**
 * Start a new change-recording epoch: move the dirty bits into `set` (storage_bitmap_bytes
 * long, OR-ed in) and clear them. Returns the number of bits moved. The caller must make every
 * CPU drop its store translations before it reads the bytes of the frames in `set`.
 */
u64 storage_epoch(struct storage *st, u64 *set);
/** Copy the touched bitmap into `set`; returns the number of bits. */
u64 storage_touched_set(const struct storage *st, u64 *set);

/** True when the frame holds only zero bytes. */
bool storage_frame_zero(const struct storage *st, u64 frame);

#endif
