/* Areas (area.h). */
#include "mem/area.h"

#include <stdlib.h>

#include "mem/storage.h"

static u64 words(const struct area *a)
{
    return a->frames / AREA_FRAMES_UNIT;
}

int area_create(u64 bytes, struct area **out, struct cause *cause)
{
    u64 unit = (u64)AREA_FRAMES_UNIT * FRAME_BYTES;
    struct area *a = calloc(1, sizeof *a);
    if (!a)
        return cause_set(cause, ST_NOMEM, "no memory");
    atomic_init(&a->refs, 1);
    a->bytes = bytes;
    a->frames = (bytes + unit - 1) / unit * AREA_FRAMES_UNIT;
    a->base = storage_lazy_alloc(a->frames * FRAME_BYTES);
    a->dirty = storage_lazy_alloc(words(a) * sizeof *a->dirty);
    a->touched = storage_lazy_alloc(words(a) * sizeof *a->touched);
    if (a->base && a->dirty && a->touched) {
        storage_advise(a->base, a->frames * FRAME_BYTES);
        *out = a;
        return ST_OK;
    }
    area_unref(a);
    return cause_set(cause, ST_NOMEM, "the host refuses %llu MiB",
                     (unsigned long long)(bytes >> 20));
}

struct area *area_ref(struct area *a)
{
    atomic_fetch_add(&a->refs, 1);
    return a;
}

void area_unref(struct area *a)
{
    if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
        return;
    storage_lazy_free(a->base, a->frames * FRAME_BYTES);
    storage_lazy_free((void *)a->dirty, words(a) * sizeof *a->dirty);
    storage_lazy_free((void *)a->touched, words(a) * sizeof *a->touched);
    free(a);
}

void area_mark(struct area *a, u64 at, u64 len)
{
    for (u64 f = at / FRAME_BYTES; len && f <= (at + len - 1) / FRAME_BYTES; f++) {
        atomic_fetch_or(&a->touched[f / 64], 1ull << f % 64);
        atomic_fetch_or(&a->dirty[f / 64], 1ull << f % 64);
    }
}

void area_epoch(struct area *a, u64 *set)
{
    for (u64 i = 0; i < words(a); i++)
        if (atomic_load_explicit(&a->dirty[i], memory_order_relaxed))
            set[i] |= atomic_exchange(&a->dirty[i], 0);
}

void area_touched_set(const struct area *a, u64 *set)
{
    for (u64 i = 0; i < words(a); i++)
        set[i] = atomic_load(&a->touched[i]);
}

u64 area_touched_bytes(const struct area *a)
{
    u64 n = 0;
    for (u64 i = 0; i < words(a); i++)
        n += (u64)__builtin_popcountll(
            atomic_load_explicit(&a->touched[i], memory_order_relaxed));
    return n * FRAME_BYTES;
}
