/* Buffers of IUCV: one piece of storage, or a list of addresses and lengths, 8 bytes each; with the
 * key of the program that has named it. Addresses are absolute, of 31 bits.
 * Guarantee: all of it is checked before any byte is stored. */
#include "hyp/iucv/iucv_internal.h"

#define ENTRY_BYTES 8

int iucv_storage_check(struct vm *vm, u64 at, u32 length, u8 key, bool store)
{
    const struct storage *st = vm->st;
    if (!length)
        return 0;
    if (!storage_holds(st, at, length))
        return PGM_ADDRESSING_CODE;
    if (store && !storage_storable(st, at, length))
        return PGM_PROTECTION_CODE;
    for (u64 f = at >> FRAME_SHIFT; key && f <= (at + length - 1) >> FRAME_SHIFT; f++) {
        u8 skey = storage_key_get(st, f << FRAME_SHIFT);
        if ((skey & 0xf0) != key && (store || (skey & SKEY_F)))
            return PGM_PROTECTION_CODE;
    }
    return 0;
}

/* One piece: bytes out of it or into it; neither: only checked. */
static int piece(const struct iucv_area *area, u64 at, u32 length, void *out, const void *in,
                 bool store)
{
    int pgm = iucv_storage_check(area->vm, at, length, area->key, store);
    if (pgm || !length)
        return pgm;
    bool done = (!out || storage_read(area->vm->st, at, out, length)) &&
                (!in || storage_write(area->vm->st, at, in, length));
    return done ? 0 : PGM_ADDRESSING_CODE;
}

/* Walks the list; of its bytes those from `from` on count. */
static int pieces(const struct iucv_area *area, u32 from, u32 length, u8 *out, const u8 *in,
                  bool store)
{
    u32 done = 0;
    for (unsigned i = 0; done < length; i++) {
        u8 entry[ENTRY_BYTES];
        if (i == IUCV_LIST_ENTRIES_MAX)
            return PGM_ADDRESSING_CODE;
        int pgm = piece(area, area->at + (u64)i * ENTRY_BYTES, ENTRY_BYTES, entry, NULL, false);
        if (pgm)
            return pgm;
        u64 at = be32_load(entry) & 0x7fffffff;
        u32 room = be32_load(entry + 4) & 0x7fffffff;
        u32 skip = from < room ? from : room;
        u32 n = room - skip < length - done ? room - skip : length - done;
        from -= skip;
        pgm = piece(area, at + skip, n, out ? out + done : NULL, in ? in + done : NULL, store);
        if (pgm)
            return pgm;
        done += n;
    }
    return 0;
}

int iucv_area_load(const struct iucv_area *area, u32 from, void *out, u32 length)
{
    return area->list ? pieces(area, from, length, out, NULL, false)
                      : piece(area, (u64)area->at + from, length, out, NULL, false);
}

int iucv_area_store(const struct iucv_area *area, const void *in, u32 length)
{
    if (!area->list)
        return piece(area, area->at, length, NULL, in, true);
    int pgm = pieces(area, 0, length, NULL, NULL, true);
    return pgm ? pgm : pieces(area, 0, length, NULL, in, true);
}
