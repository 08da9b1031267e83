/* Giving storage back to the host while CPUs run: what was there reads as zeros from then on.
 * The bytes go first and the marks are set behind them, as in storage_write: a pass of a relocation
 * that read too early sends the frames again. */
#include <sys/mman.h>

#include "mem/base/ergo.h"
#include "mem/storage_source.h"

void storage_release(struct storage *st, u64 abs, u64 len)
{
    PRE(abs % FRAME_BYTES == 0 && len % FRAME_BYTES == 0); /* of an increment that comes, too */
    PRE(abs < st->reach && len <= st->reach - abs);        /* or of a segment */
    storage_need(st, abs, len);                            /* what comes later comes over it */
    bool told = st->watch && st->watch->write_begin(st->watch->ctx, abs, len);
    if (storage_has_segments(st) && storage_segments_at(st, abs, len)) {
        if (storage_storable(st, abs, len)) /* its pages come from a file */
            memset(st->base + abs, 0, len);
    } else if (madvise(st->base + abs, len, MADV_DONTNEED))
        memset(st->base + abs, 0, len);
    bool code = false;
    for (u64 f = abs >> FRAME_SHIFT; f < (abs + len) >> FRAME_SHIFT; f++) {
        if (storage_frame_touched(st, f))
            storage_make_resident(st, f << FRAME_SHIFT);
        code |= atomic_load_explicit(&st->code[f], memory_order_relaxed);
    }
    if (code)
        storage_code_stored(st, abs, len);
    if (told)
        st->watch->write_end(st->watch->ctx);
}
