/* Of cp_world: the cluster of its two members, whose claims are in one list and whose messages
 * arrive at once. */
#include "tests/lib/cp_world.h"
#include "tests/lib/cp_world_net.h"

#include <stdio.h>

static int other(void *ctx)
{
    return 1 - (int)(intptr_t)ctx;
}

static const char *c_mode(void *ctx)
{
    return cluster_mode[(int)(intptr_t)ctx];
}

static void c_streams(struct cp_cluster_member *out)
{
    if (!link_up)
        return;
    out->protocol = 2;
    out->streams = 2;
    out->stream[0] =
        (struct cp_cluster_stream){"[::1]:4711", "TLS_AES_256_GCM_SHA384", 10, 20, 0, 300};
    out->stream[1] =
        (struct cp_cluster_stream){"[::1]:4712", "TLS_AES_256_GCM_SHA384", 1000, 2000, 500, 7};
}

static bool c_member(void *ctx, unsigned i, struct cp_cluster_member *out)
{
    memset(out, 0, sizeof *out);
    out->slot = i + 1;
    if (i < 2) {
        snprintf(out->name, sizeof out->name, "MEMBER%c", 'A' + i);
        strcpy(out->state, "Joined");
        out->pdr_heartbeat_ns = out->received_heartbeat_ns = cp_world_wall_ns(NULL);
        out->local = (int)i == (int)(intptr_t)ctx;
        out->reachable = link_up;
        out->inactive = link_inactive;
        out->link = link_up ? "Up" : link_inactive ? "Inactive" : "Down";
        c_streams(out);
    }
    return i < 3;
}

static int c_claim(void *ctx, const char *userid, u64 *generation,
                   char owner[CONFIG_NAME_BYTES], struct cause *cause)
{
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        if (claims[i].generation && !strcmp(claims[i].userid, userid)) {
            snprintf(owner, CONFIG_NAME_BYTES, "MEMBER%c", 'A' + claims[i].owner);
            return cause_set(cause, ST_EXIST, "owned");
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        if (claims[i].generation)
            continue;
        strcpy(claims[i].userid, userid);
        claims[i].owner = (int)(intptr_t)ctx;
        claims[i].generation = *generation = ++generations;
        return ST_OK;
    }
    return cause_set(cause, ST_LIMIT, "full");
}

static void c_release(void *ctx, const char *userid, u64 generation)
{
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(claims); i++)
        if (claims[i].generation == generation && !strcmp(claims[i].userid, userid))
            claims[i].generation = 0;
}

static bool c_locate(void *ctx, const char *userid, char member[CONFIG_NAME_BYTES])
{
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(claims); i++)
        if (claims[i].generation && !strcmp(claims[i].userid, userid)) {
            snprintf(member, CONFIG_NAME_BYTES, "MEMBER%c", 'A' + claims[i].owner);
            return true;
        }
    return false;
}

static void c_each(void *ctx, void (*fn)(void *arg, const char *userid, const char *member),
                   void *arg)
{
    char member[CONFIG_NAME_BYTES];
    for (size_t i = 0; i < ARRAY_LEN(claims); i++)
        if (claims[i].generation && c_locate(ctx, claims[i].userid, member))
            fn(arg, claims[i].userid, member);
}

static int c_send(void *ctx, const char *member, u16 type, const void *data, size_t len)
{
    if (!link_up)
        return ST_LOST;
    ck_assert_str_eq(member, other(ctx) ? "MEMBERB" : "MEMBERA");
    if (!link_deaf)
        cp_remote_receive(cps[other(ctx)], other(ctx) ? "MEMBERA" : "MEMBERB", type, data, len);
    return ST_OK;
}

static int c_link(void *ctx, const char *member, bool active, struct cause *cause)
{
    (void)ctx;
    if (link_inactive == !active)
        return cause_set(cause, ST_EXIST, "that of %s is so", member);
    link_inactive = !active;
    link_up = active;
    return ST_OK;
}

const struct cp_cluster_ops fake_cluster = {.mode = c_mode,
                                            .member = c_member,
                                            .claim = c_claim,
                                            .release = c_release,
                                            .locate = c_locate,
                                            .mac_claim = fake_mac_claim,
                                            .mac_release = fake_mac_release,
                                            .mac_follow = fake_mac_follow,
                                            .each = c_each,
                                            .send = c_send,
                                            .link = c_link};
