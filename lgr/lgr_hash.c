/* Hashes that compare storage and state of both sides: against loss and mix-ups, not against
 * an enemy (members are authenticated by ssi). Eight lanes: a frame costs about 0.3 us. */
#include "lgr/lgr_wire.h"

#define K1 0x9e3779b97f4a7c15ull
#define K2 0xc2b2ae3d27d4eb4full

static inline u64 rotl(u64 v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static inline u64 word(const u8 *p)
{
    u64 v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline u64 finish(u64 h)
{
    h = (h ^ h >> 33) * K2;
    return h ^ h >> 29;
}

/* In variables of their own: lanes of an array go through memory in each round. */
u64 lgr_frame_hash(u64 frame, const u8 *bytes)
{
    u64 a = K1 ^ frame, b = K2 ^ frame, c = K1 + K2, d = K1 - K2, any = 0;
    u64 e = a + K2, f = b + K1, g = c + frame, h = d - frame;
    for (const u8 *p = bytes, *end = bytes + FRAME_BYTES; p != end; p += 64) {
        u64 w0 = word(p), w1 = word(p + 8), w2 = word(p + 16), w3 = word(p + 24);
        u64 w4 = word(p + 32), w5 = word(p + 40), w6 = word(p + 48), w7 = word(p + 56);
        any |= w0 | w1 | w2 | w3 | w4 | w5 | w6 | w7;
        a = rotl(a ^ w0, 29) * K1;
        b = rotl(b ^ w1, 29) * K1;
        c = rotl(c ^ w2, 29) * K1;
        d = rotl(d ^ w3, 29) * K1;
        e = rotl(e ^ w4, 29) * K1;
        f = rotl(f ^ w5, 29) * K1;
        g = rotl(g ^ w6, 29) * K1;
        h = rotl(h ^ w7, 29) * K1;
    }
    if (!any)
        return 0;
    u64 left = finish(a + rotl(b, 17) + rotl(c, 31) + rotl(d, 47) + frame);
    u64 right = finish(e + rotl(f, 13) + rotl(g, 37) + rotl(h, 53));
    u64 sum = finish(left * K1 + right);
    return sum ? sum : 1;
}

u64 lgr_bytes_hash(const u8 *p, size_t len)
{
    u64 h = K1 ^ len;
    for (; len >= 8; p += 8, len -= 8)
        h = rotl(h ^ word(p), 29) * K2;
    for (; len; p++, len--)
        h = rotl(h ^ *p, 29) * K2;
    return finish(h);
}

static u64 block_digest(const struct storage *st, u64 from, u64 count)
{
    const u8 *keys = (const u8 *)st->skey + from;
    u64 any = 0, i = 0;
    for (; i + 8 <= count; i += 8)
        any |= word(keys + i);
    for (; i < count; i++)
        any |= keys[i];
    return any ? finish(lgr_bytes_hash(keys, count) + from * K1) : 0;
}

u64 lgr_keys_digest(const struct storage *st)
{
    u64 sum = 0;
    for (u64 f = storage_frame_next(st, 0); f < st->frames;
         f = storage_frame_next(st, f + STORAGE_BLOCK_FRAMES)) {
        u64 from = f / STORAGE_BLOCK_FRAMES * STORAGE_BLOCK_FRAMES, left = st->frames - from;
        sum +=
            block_digest(st, from, left < STORAGE_BLOCK_FRAMES ? left : STORAGE_BLOCK_FRAMES);
    }
    return sum;
}
