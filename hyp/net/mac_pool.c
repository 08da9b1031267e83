/* Addresses that a member gives. Given in turn, so that one that was given back is not taken again
 * soon: neighbours may remember whose it was. */
#include "hyp/net/mac_pool.h"

#include <stdio.h>
#include <stdlib.h>

/** Located by vswitches; made and ended with it. */
struct mac_pool {
    u32 prefix, user_prefix;
    struct mac_range system, user;
    u32 last; /* second half of the last one given */
    u8 (*mac)[MAC_BYTES];
    unsigned macs;
};

struct mac_pool *mac_pool_create(u32 prefix, u32 user_prefix)
{
    struct mac_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->prefix = prefix;
    pool->user_prefix = user_prefix;
    pool->system = (struct mac_range){1, MAC_ID_MAX};
    pool->mac = calloc(MACS_MAX, sizeof *pool->mac);
    if (pool->mac)
        return pool;
    free(pool);
    return NULL;
}

void mac_pool_destroy(struct mac_pool *pool)
{
    if (!pool)
        return;
    free(pool->mac);
    free(pool);
}

u32 mac_pool_prefix(const struct mac_pool *pool)
{
    return pool->prefix;
}

u32 mac_pool_user_prefix(const struct mac_pool *pool)
{
    return pool->user_prefix;
}

void mac_pool_set_prefixes(struct mac_pool *pool, u32 prefix, u32 user_prefix)
{
    pool->prefix = prefix;
    pool->user_prefix = user_prefix;
}

static bool inside(const struct mac_range *r, u32 id)
{
    return r->last && id >= r->first && id <= r->last;
}

bool mac_pool_set_ranges(struct mac_pool *pool, struct mac_range system, struct mac_range user)
{
    if (user.last && (!inside(&system, user.first) || !inside(&system, user.last)))
        return false;
    pool->system = system;
    pool->user = user;
    return true;
}

void mac_pool_ranges(const struct mac_pool *pool, struct mac_range *system,
                     struct mac_range *user)
{
    *system = pool->system;
    *user = pool->user;
}

static unsigned mac_find(const struct mac_pool *pool, const u8 *mac)
{
    unsigned i = 0;
    while (i < pool->macs && memcmp(pool->mac[i], mac, MAC_BYTES) != 0)
        i++;
    return i;
}

bool mac_pool_take_this(struct mac_pool *pool, const u8 mac[MAC_BYTES])
{
    if (pool->macs == MACS_MAX || mac_find(pool, mac) < pool->macs)
        return false;
    memcpy(pool->mac[pool->macs++], mac, MAC_BYTES);
    return true;
}

static void address(u32 prefix, u32 id, u8 mac[MAC_BYTES])
{
    u8 raw[8];
    be64_store(raw, (u64)prefix << 24 | id);
    memcpy(mac, raw + 2, MAC_BYTES);
}

bool mac_pool_take(struct mac_pool *pool, u8 mac[MAC_BYTES])
{
    for (unsigned tries = 0; tries <= MACS_MAX; tries++) {
        u32 id = pool->last + 1;
        if (!inside(&pool->system, id))
            id = pool->system.first;
        if (inside(&pool->user, id))
            id = pool->user.last + 1;
        if (!inside(&pool->system, id))
            id = pool->system.first;
        pool->last = id;
        address(pool->prefix, id, mac);
        if (!inside(&pool->user, id) && mac_pool_take_this(pool, mac))
            return true;
    }
    return false;
}

void mac_pool_give(struct mac_pool *pool, const u8 mac[MAC_BYTES])
{
    unsigned i = mac_find(pool, mac);
    if (i == pool->macs)
        return;
    memcpy(pool->mac[i], pool->mac[pool->macs - 1], MAC_BYTES);
    pool->macs--;
}

void mac_pool_numbered(const struct mac_pool *pool, u32 id, u8 mac[MAC_BYTES])
{
    address(pool->prefix, id, mac);
}

void mac_pool_named(const struct mac_pool *pool, u32 id, u8 mac[MAC_BYTES])
{
    address(pool->user_prefix, id, mac);
}

const char *mac_text(const u8 mac[MAC_BYTES], char out[MAC_TEXT_BYTES])
{
    snprintf(out, MAC_TEXT_BYTES, "%02X-%02X-%02X-%02X-%02X-%02X", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
    return out;
}
