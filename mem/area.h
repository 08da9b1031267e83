/* Bytes of a virtual machine beside its storage, as of a virtual disk, that go with it when it is
 * relocated. Every store is marked, by 4 KiB, so that they can be sent while the machine runs.
 * Serialised by: bytes by who uses them; marks and references are atomic. Demand-zero. */
#ifndef ENDICOTT_MEM_AREA_H
#define ENDICOTT_MEM_AREA_H

#include <stdatomic.h>

#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define AREA_FRAMES_UNIT 64u /* `frames` is a multiple: whole words of marks */

/* Located by: an image (io/image/vdisk.c), and a relocation while it sends or receives. */
struct area {
    atomic_uint refs;
    u8 *base;
    u64 bytes, frames;    /* what is used, and what there is */
    _Atomic u64 *dirty;   /* one bit per frame: stored into in this epoch */
    _Atomic u64 *touched; /* ... ever */
};

/** All zeros; one reference. ST_NOMEM. */
int area_create(u64 bytes, struct area **out, struct cause *cause);
struct area *area_ref(struct area *a);
void area_unref(struct area *a);

/** `len` bytes at `at` have been stored into. Behind the store: who has taken the marks before that
 *  and copies the frame, now or in the middle of the store, finds it marked in the next epoch. */
void area_mark(struct area *a, u64 at, u64 len);
/** Move the marks of this epoch into `set` (frames / 64 words, OR-ed in) and clear them. */
void area_epoch(struct area *a, u64 *set);
/** Replace `set` by the frames ever stored into. */
void area_touched_set(const struct area *a, u64 *set);
u64 area_touched_bytes(const struct area *a);

#endif
