/* A page without its zeros: the words that are others, then a bit for each word of the page, the
 * first one lowest. Pages of a kernel mix both without order, so that a branch for each word would
 * be guessed wrong all the time (XOR runs against zeros took ten times as long): all loops here are
 * over bits. */
#include "lgr/lgr_encode.h"

#define GROUPS (FRAME_BYTES / 8 / 64)
#define MAP_BYTES (8 * GROUPS)

static inline u64 word_at(const u8 *p, unsigned i)
{
    u64 v;
    memcpy(&v, p + 8 * (size_t)i, sizeof v);
    return v;
}

/* Which of 64 words are not zero. */
static u64 group_map(const u8 *p)
{
    u64 map = 0;
    for (unsigned i = 0; i < 64; i++)
        map |= (u64)(word_at(p, i) != 0) << i;
    return map;
}

size_t lgr_sparse_pack(u8 *page, size_t room)
{
    u64 map[GROUPS];
    unsigned words = 0, n = 0;
    for (unsigned g = 0; g < GROUPS; g++) {
        map[g] = group_map(page + 512 * (size_t)g);
        words += (unsigned)__builtin_popcountll(map[g]);
    }
    if (8 * (size_t)words + MAP_BYTES > room)
        return 0;
    for (unsigned g = 0; g < GROUPS; g++)
        for (u64 left = map[g]; left; left &= left - 1, n++)
            memmove(page + 8 * (size_t)n,
                    page + 512 * (size_t)g + 8 * (size_t)__builtin_ctzll(left), 8);
    for (unsigned g = 0; g < GROUPS; g++)
        be64_store(page + 8 * (size_t)(words + g), map[g]);
    return 8 * (size_t)words + MAP_BYTES;
}

bool lgr_sparse_unpack(const u8 *p, size_t len, u8 *page)
{
    unsigned words = 0, n = 0;
    u64 map[GROUPS];
    if (len < MAP_BYTES || len >= FRAME_BYTES || len % 8)
        return false;
    for (unsigned g = 0; g < GROUPS; g++) {
        map[g] = be64_load(p + len - MAP_BYTES + 8 * (size_t)g);
        words += (unsigned)__builtin_popcountll(map[g]);
    }
    if (8 * (size_t)words + MAP_BYTES != len)
        return false;
    memset(page, 0, FRAME_BYTES);
    for (unsigned g = 0; g < GROUPS; g++)
        for (u64 left = map[g]; left; left &= left - 1, n++)
            memcpy(page + 512 * (size_t)g + 8 * (size_t)__builtin_ctzll(left),
                   p + 8 * (size_t)n, 8);
    return true;
}
