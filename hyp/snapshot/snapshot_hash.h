/* The checksum of snapshot files: 64 bits in four lanes, against damage, not against an enemy. Each
 * step is a bijection of its lane, so that no change within eight bytes goes unseen. */
#ifndef ENDICOTT_HYP_SNAPSHOT_SNAPSHOT_HASH_H
#define ENDICOTT_HYP_SNAPSHOT_SNAPSHOT_HASH_H

#include "mem/base/bytes.h"

struct snapshot_hash {
    u64 lane[4];
    u64 bytes;
};

void snapshot_hash_init(struct snapshot_hash *h);
/** `len` is a multiple of 32, but for the last piece. */
void snapshot_hash_add(struct snapshot_hash *h, const u8 *p, size_t len);
u64 snapshot_hash_end(const struct snapshot_hash *h);
/** Of one piece. */
u64 snapshot_hash_of(const u8 *p, size_t len);

#endif
