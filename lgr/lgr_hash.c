/* Hashes that compare storage and state of both sides: against loss and mix-ups, not against
 * an enemy (members are authenticated by ssi). Four lanes, so that a frame costs about 0.3 us. */
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

u64 lgr_frame_hash(u64 frame, const u8 *bytes)
{
    u64 lane[4] = {K1 ^ frame, K2 ^ frame, K1 + K2, K1 - K2}, any = 0;
    for (unsigned i = 0; i < FRAME_BYTES; i += 32)
        for (unsigned k = 0; k < 4; k++) {
            u64 w = word(bytes + i + 8 * k);
            any |= w;
            lane[k] = rotl(lane[k] ^ w, 29) * K1;
        }
    if (!any)
        return 0;
    u64 h = finish(lane[0] + rotl(lane[1], 17) + rotl(lane[2], 31) + rotl(lane[3], 47) + frame);
    return h ? h : 1;
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
