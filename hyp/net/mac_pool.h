/* The addresses of network adapters that a member gives: prefixes and ranges of VMLAN, and which
 * are in use here. That nobody else of the cluster has one is seen to by claims (hyp/net/nic.c).
 * Loop thread. */
#ifndef ENDICOTT_HYP_NET_MAC_POOL_H
#define ENDICOTT_HYP_NET_MAC_POOL_H

#include "io/net/lan.h"

#define MACS_MAX 16384u /* in use on one member */
#define MAC_ID_MAX 0xffffffu

/** Second halves of addresses. */
struct mac_range {
    u32 first, last; /* last 0: empty */
};

struct mac_pool;

/** First halves of addresses that this member gives, and of those whose second half somebody
 *  names. NULL without host memory. */
struct mac_pool *mac_pool_create(u32 prefix, u32 user_prefix);
void mac_pool_destroy(struct mac_pool *pool);
u32 mac_pool_prefix(const struct mac_pool *pool);
u32 mac_pool_user_prefix(const struct mac_pool *pool);
/** What is in use stays. */
void mac_pool_set_prefixes(struct mac_pool *pool, u32 prefix, u32 user_prefix);
/** Second halves that this member gives: those of `system` that are not of `user`. False: `user` is
 *  not within `system`. */
bool mac_pool_set_ranges(struct mac_pool *pool, struct mac_range system, struct mac_range user);
void mac_pool_ranges(const struct mac_pool *pool, struct mac_range *system,
                     struct mac_range *user);

/** The next address that nobody here has; the caller gives it back. False: none is left. */
bool mac_pool_take(struct mac_pool *pool, u8 mac[MAC_BYTES]);
/** A certain address. False: it is in use here, or MACS_MAX are. */
bool mac_pool_take_this(struct mac_pool *pool, const u8 mac[MAC_BYTES]);
void mac_pool_give(struct mac_pool *pool, const u8 mac[MAC_BYTES]);
/** The address of MACPREFIX and this second half. */
void mac_pool_numbered(const struct mac_pool *pool, u32 id, u8 mac[MAC_BYTES]);
/** The address of USERPREFIX and this second half. */
void mac_pool_named(const struct mac_pool *pool, u32 id, u8 mac[MAC_BYTES]);

#define MAC_TEXT_BYTES 18
/** "02-00-00-00-00-01". Returns out. */
const char *mac_text(const u8 mac[MAC_BYTES], char out[MAC_TEXT_BYTES]);

#endif
