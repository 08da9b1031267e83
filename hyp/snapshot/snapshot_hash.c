/* The checksum of snapshot files; about 10 GB/s. The same on hosts of either byte order. */
#include "hyp/snapshot/snapshot_hash.h"

#define K1 0x9fb21c651e98df25ull
#define K2 0xd6e8feb86659fd93ull

static inline u64 rotl(u64 v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static inline u64 step(u64 lane, u64 word)
{
    return rotl(lane ^ word, 27) * K1;
}

void snapshot_hash_init(struct snapshot_hash *h)
{
    *h = (struct snapshot_hash){.lane = {K1, K2, ~K1, ~K2}};
}

void snapshot_hash_add(struct snapshot_hash *h, const u8 *p, size_t len)
{
    u64 a = h->lane[0], b = h->lane[1], c = h->lane[2], d = h->lane[3];
    h->bytes += len;
    for (; len >= 32; p += 32, len -= 32) {
        a = step(a, be64_load(p));
        b = step(b, be64_load(p + 8));
        c = step(c, be64_load(p + 16));
        d = step(d, be64_load(p + 24));
    }
    for (; len; p++, len--)
        a = step(a, *p);
    h->lane[0] = a, h->lane[1] = b, h->lane[2] = c, h->lane[3] = d;
}

u64 snapshot_hash_end(const struct snapshot_hash *h)
{
    u64 v = h->bytes;
    for (unsigned i = 0; i < 4; i++)
        v = step(v, h->lane[i] ^ h->lane[i] >> 32) ^ v >> 29;
    return (v ^ v >> 31) * K2;
}

u64 snapshot_hash_of(const u8 *p, size_t len)
{
    struct snapshot_hash h;
    snapshot_hash_init(&h);
    snapshot_hash_add(&h, p, len);
    return snapshot_hash_end(&h);
}
