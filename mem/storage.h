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
#define STORAGE_BLOCK_FRAMES 4096u /* frames that one byte of `used` stands for: 16 MiB */
#define STORAGE_SEGMENTS_MAX 64
#define STORAGE_UNIT_BYTES (1u << 20)
#define STORAGE_INCREMENTS_MAX 1020 /* as many fit into one SCCB */

/* Storage-key bits (Principles of Operation, "Storage Key"). */
#define SKEY_ACC 0xf0u
#define SKEY_F 0x08u
#define SKEY_R 0x04u
#define SKEY_C 0x02u

/* What a program has said of its use of a frame (ESSA); a byte of these per frame. */
#define STORAGE_USAGE 3u
#define STORAGE_STABLE 0u
#define STORAGE_UNUSED 1u
#define STORAGE_POTENTIALLY_VOLATILE 2u
#define STORAGE_VOLATILE 3u
#define STORAGE_NO_DAT 4u /* no translation table is there */

/** Told when bytes of a frame that holds decoded instructions are stored into (any thread). */
typedef void storage_code_cb(void *ctx, u64 abs, u64 len);

/** Somebody who must see every store before it happens (lockstep); NULL in struct storage: nobody.
 *  marked: the calling thread is going to store into this frame. write_begin: the same for
 *  storage_write; when true write_end is called behind it. */
struct storage_watch {
    void (*marked)(void *ctx, u64 abs);
    bool (*write_begin)(void *ctx, u64 abs, u64 len);
    void (*write_end)(void *ctx);
    void *ctx;
};

/** A piece of a saved segment that is loaded (storage_segment.c). */
struct storage_segment {
    u64 start, len; /* len 0: none */
    bool read_only; /* for the guest */
    bool shared;    /* what it stores is seen by others who have it */
};

struct storage_awaited;
/** Rationing of first stores (storage_ration.c). Any thread. */
struct storage_ration {
    _Atomic bool on;
    _Atomic s64 tokens;    /* below zero: stores that could not be made to wait */
    _Atomic u64 taken;     /* frames stored into for the first time meanwhile */
    _Atomic u64 refused;   /* stores that have to wait */
    _Atomic u64 waited_ns; /* what they waited, told by who made them wait */
};

struct storage {
    u8 *base;             /* host address of absolute 0 */
    u64 size;             /* bytes, a multiple of 1 MiB */
    u64 reach;            /* addresses that there is room for: `size`, or more for segments */
    u64 frames;           /* size / FRAME_BYTES */
    _Atomic u8 *skey;     /* one key per frame: ACC(4) F R C 0 */
    _Atomic u8 *usage;    /* one byte per frame: STORAGE_USAGE, STORAGE_NO_DAT */
    _Atomic u64 *dirty;   /* one bit per frame: stored into in this epoch */
    _Atomic u64 *touched; /* one bit per frame: ever stored into, never cleared but by clear */
    _Atomic u8 *code;     /* one byte per frame: some CPU holds decoded instructions of it */
    _Atomic u8 *used;     /* one byte per block: key, usage, dirty or touched not zero */
    struct {
        storage_code_cb *cb;
        void *ctx;
    } observers[STORAGE_OBSERVERS_MAX];
    unsigned observer_count;
    const struct storage_watch *watch;
    struct storage_segment segment[STORAGE_SEGMENTS_MAX]; /* change while nothing runs */
    _Atomic u32 segment_count;
    u64 reserved;             /* so many from 0 on stay in the host's memory */
    u64 increment_bytes;      /* unit of coming and going, a power of two */
    _Atomic u32 absent_count; /* increments that are not there now; 1 more while chunks come */
    _Atomic u64 absent[(STORAGE_INCREMENTS_MAX + 63) / 64];
    /* Chunks that come when they are needed (storage_source.h); NULL: none do. */
    struct storage_awaited *awaited;
    struct storage_ration ration;
};

/** Create storage of `size` bytes, all zero, keys zero. ST_INVAL for a bad size, ST_NOMEM. */
int storage_create(struct storage **out, u64 size, struct cause *cause);
/** The same with room for saved segments below address `reach`, if the host has it. */
int storage_create_reach(struct storage **out, u64 size, u64 reach, struct cause *cause);
void storage_destroy(struct storage *st);

/** Zero all bytes, keys, usage and touched marks, as clear reset does. CPUs must not be running. */
void storage_clear(struct storage *st);

/** Register for stores into code frames; before CPUs run. */
void storage_observe_code(struct storage *st, storage_code_cb *cb, void *ctx);

/** Forget them all; CPUs must not be running. */
void storage_forget_observers(struct storage *st);

/** Another size; bytes, keys and marks are as after storage_clear. CPUs must not be running and
 *  make their derived state anew. Nothing has changed when it fails. */
int storage_resize(struct storage *st, u64 size, struct cause *cause);

/* -- what stays in the host's memory (storage_reserve.c) -- */
/** The first `bytes` of storage, a multiple of FRAME_BYTES, are not paged out by the host once they
 *  are touched; the rest may be. ST_LIMIT: the host refuses, and nothing has changed. */
int storage_reserve(struct storage *st, u64 bytes, struct cause *cause);
/** They may be for a moment, in which whoever calls gives pages back; and no longer. */
void storage_reserve_pause(struct storage *st);
void storage_reserve_again(struct storage *st);

/* -- increments that come and go (storage_increment.c); all there after creation -- */
u64 storage_increments(const struct storage *st);
bool storage_increment_present(const struct storage *st, u64 increment);
/** Bring one in, cleared, or take it out. CPUs may run; they purge their translations after. */
void storage_increment_set(struct storage *st, u64 increment, bool present);
/** Are all increments of [abs, abs + len) there? What is awaited comes. */
bool storage_present(const struct storage *st, u64 abs, u64 len);

/** How the host is to keep guest storage. */
void storage_advise(void *p, u64 len);
/** Has the child of a fork its bytes, too? At first it has not. */
void storage_forks(struct storage *st, bool yes);

/* -- saved segments (storage_segment.c) -- */
/** Is all of it in segments that are loaded; may some of it not be stored into; is any there? */
bool storage_in_segments(const struct storage *st, u64 abs, u64 len);
bool storage_protected(const struct storage *st, u64 abs, u64 len);
bool storage_segments_at(const struct storage *st, u64 abs, u64 len);
/** Load one from a file at `offset` (fd < 0: zeros), or take the one that starts there out; CPUs
 *  are not running, no device works, translations are purged after. ST_EXIST, ST_LIMIT, ST_IO. */
int storage_segment_load(struct storage *st, const struct storage_segment *what, int fd,
                         u64 offset, struct cause *cause);
void storage_segment_purge(struct storage *st, u64 start);
/** It is one from now on, with the bytes that are there or come; as of a machine that arrives. */
int storage_segment_adopt(struct storage *st, const struct storage_segment *what,
                          struct cause *cause);

static inline bool storage_has_segments(const struct storage *st)
{
    return __builtin_expect(atomic_load_explicit(&st->segment_count, memory_order_relaxed) != 0,
                            0);
}

/** True when [abs, abs + len) lies inside storage, or in segments. */
static inline bool storage_holds(const struct storage *st, u64 abs, u64 len)
{
    return (abs < st->size && len <= st->size - abs &&
            (!atomic_load_explicit(&st->absent_count, memory_order_relaxed) ||
             storage_present(st, abs, len))) ||
           (storage_has_segments(st) && storage_in_segments(st, abs, len));
}

/** May a guest store there (of what storage_holds)? */
static inline bool storage_storable(const struct storage *st, u64 abs, u64 len)
{
    return !storage_has_segments(st) || !storage_protected(st, abs, len);
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
/** The same, of a store that can wait: false, and nothing is recorded, when first stores into
 *  frames are rationed and this one finds no token. */
bool storage_mark_frame_rationed(struct storage *st, u64 abs);
/** The frame has content from now on, zeros; R and C stay. */
void storage_make_resident(struct storage *st, u64 abs);
/** Whole frames become zeros and cost the host nothing any more (storage_release.c); keys stay. */
void storage_release(struct storage *st, u64 abs, u64 len);

/** A key, dirty or touched bit of this frame is about to be set: its block is in use. Whoever
 *  goes through all frames goes through the blocks in use instead (storage_frame_next). */
static inline void storage_use(struct storage *st, u64 frame)
{
    _Atomic u8 *used = &st->used[frame / STORAGE_BLOCK_FRAMES];
    if (!atomic_load_explicit(used, memory_order_relaxed))
        atomic_store(used, 1);
}

/** `frame` if its block is in use, else the first frame of the next block that is, or
 *  st->frames: for (f = storage_frame_next(st, 0); f < st->frames; f = ...(st, f + 1)). */
u64 storage_frame_next(const struct storage *st, u64 frame);

/* -- rationing (storage_ration.c): while it is on, the first store into a frame in an epoch takes
 *    a token; all other stores, and fetches, are free. So no more frames become dirty than there
 *    were tokens, but for stores that cannot wait (of devices, interruptions), which are owed. */
#define STORAGE_RATION_LEAST 8 /* tokens that who waits waits for: of one instruction */
/** Ration from now on, with so many tokens for this epoch, or with another number of them. */
void storage_ration_start(struct storage *st, u64 tokens);
void storage_ration_add(struct storage *st, u64 tokens);
/** Everybody may store again. Who waits is to be told by the caller. */
void storage_ration_stop(struct storage *st);
static inline bool storage_rationed(const struct storage *st)
{
    return __builtin_expect(atomic_load_explicit(&st->ration.on, memory_order_relaxed), 0);
}
/** Is who waits to go on waiting? */
bool storage_ration_short(const struct storage *st);
/** Is more owed than there is? */
bool storage_ration_owed(const struct storage *st);
/** What a first store takes; false: there is none. And its return. */
bool storage_ration_take(struct storage *st);
void storage_ration_return(struct storage *st);
/** What one takes that cannot wait. */
void storage_ration_owe(struct storage *st);

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
    if (key)
        storage_use(st, abs >> FRAME_SHIFT);
    atomic_store_explicit(&st->skey[abs >> FRAME_SHIFT], key & 0xfe, memory_order_relaxed);
}

static inline u8 storage_usage_get(const struct storage *st, u64 abs)
{
    return atomic_load_explicit(&st->usage[abs >> FRAME_SHIFT], memory_order_relaxed);
}

static inline void storage_usage_set(struct storage *st, u64 abs, u8 usage)
{
    storage_use(st, abs >> FRAME_SHIFT);
    atomic_store_explicit(&st->usage[abs >> FRAME_SHIFT], usage, memory_order_relaxed);
}

/** Make all frames stable, as subsystem reset does. */
void storage_usage_reset(struct storage *st);

/** Record a reference; what was there before is of no interest. */
static inline void storage_key_reference(struct storage *st, u64 abs)
{
    if (storage_key_get(st, abs) & SKEY_R)
        return;
    storage_use(st, abs >> FRAME_SHIFT);
    atomic_fetch_or_explicit(&st->skey[abs >> FRAME_SHIFT], SKEY_R, memory_order_relaxed);
}

/** Reset the reference bit; the key as it was. */
static inline u8 storage_key_unreference(struct storage *st, u64 abs)
{
    return atomic_fetch_and(&st->skey[abs >> FRAME_SHIFT], (u8)~SKEY_R);
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
/** Replace `set`, zero or made by storage_epoch, by the touched frames; the number of bits. */
u64 storage_touched_set(const struct storage *st, u64 *set);
/** Number of frames in such a set; of touched frames when `set` is NULL. */
u64 storage_set_count(const struct storage *st, const u64 *set);

/** Zeros that cost host memory only where they are stored into; NULL when the host refuses. */
void *storage_lazy_alloc(u64 bytes);
void storage_lazy_free(void *p, u64 bytes);

/** True when the frame holds only zero bytes. */
bool storage_frame_zero(const struct storage *st, u64 frame);

#endif
