/* Images of what was sent: for frames that are sent again and again, a few per cent of storage.
 * An image is always what the other side has: whoever sends a frame puts or drops its image. */
#include "lgr/lgr_encode.h"

#include <stdlib.h>

#define TRIES 8 /* slots looked at for one that may be given up */

struct slot {
    u32 frame;
    u16 pass; /* when it was used last */
    bool used;
};

struct lgr_images {
    u64 frames;
    u32 slots, taken, hand;
    u32 *slot_of; /* of each frame, + 1 */
    struct slot *slot;
    u8 *bytes;
};

struct lgr_images *lgr_images_create(u64 frames, u64 bytes)
{
    struct lgr_images *all = calloc(1, sizeof *all);
    u64 slots = bytes / FRAME_BYTES < frames ? bytes / FRAME_BYTES : frames;
    if (!all || !slots || slots >= 0xffffffffu) {
        free(all);
        return NULL;
    }
    all->frames = frames;
    all->slots = (u32)slots;
    all->slot_of = storage_lazy_alloc(frames * sizeof *all->slot_of);
    all->slot = storage_lazy_alloc(slots * sizeof *all->slot);
    all->bytes = storage_lazy_alloc(slots * FRAME_BYTES);
    if (all->slot_of && all->slot && all->bytes)
        return all;
    lgr_images_destroy(all);
    return NULL;
}

void lgr_images_destroy(struct lgr_images *all)
{
    if (!all)
        return;
    if (all->slot_of)
        storage_lazy_free(all->slot_of, all->frames * sizeof *all->slot_of);
    if (all->slot)
        storage_lazy_free(all->slot, all->slots * sizeof *all->slot);
    if (all->bytes)
        storage_lazy_free(all->bytes, (u64)all->slots * FRAME_BYTES);
    free(all);
}

static u8 *bytes_of(struct lgr_images *all, u32 i)
{
    return all->bytes + (u64)i * FRAME_BYTES;
}

u8 *lgr_image_find(struct lgr_images *all, u64 frame, u16 pass)
{
    u32 at = all->slot_of[frame];
    if (!at)
        return NULL;
    all->slot[at - 1].pass = pass;
    return bytes_of(all, at - 1);
}

void lgr_image_drop(struct lgr_images *all, u64 frame)
{
    u32 at = all->slot_of[frame];
    if (!at)
        return;
    all->slot_of[frame] = 0;
    all->slot[at - 1].used = false;
}

/* A slot that is free, or that nobody has used in this pass or the last; `slots`: none found. */
static u32 slot_take(struct lgr_images *all, u16 pass)
{
    if (all->taken < all->slots)
        return all->taken++;
    for (unsigned i = 0; i < TRIES; i++) {
        u32 at = all->hand++ % all->slots;
        if (!all->slot[at].used || all->slot[at].pass + 1u < pass)
            return at;
    }
    return all->slots;
}

void lgr_image_put(struct lgr_images *all, u64 frame, const u8 *bytes, u16 pass)
{
    u32 at = all->slot_of[frame] ? all->slot_of[frame] - 1 : slot_take(all, pass);
    if (at == all->slots)
        return;
    struct slot *s = &all->slot[at];
    if (s->used)
        all->slot_of[s->frame] = 0;
    *s = (struct slot){(u32)frame, pass, true};
    all->slot_of[frame] = at + 1;
    memcpy(bytes_of(all, at), bytes, FRAME_BYTES);
}
