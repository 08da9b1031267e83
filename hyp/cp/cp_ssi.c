/* CP over struct ssi: the cluster operations that commands use, and service CP (id 1).
 * Members compare what must be the same everywhere before they join (ssi_check.def). When a lost
 * link heals they do so again, and tell what has become different; it heals all the same. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_directory.h"
#include "hyp/cp/cp_domain.h"
#include "hyp/cp/cp_link_ssi.h"
#include "hyp/cp/cp_net.h"
#include "hyp/cp/cp_spool.h"
#include "hyp/cp/cp_ssi_check.h"
#include "hyp/spool/spool_ssi.h"
#include "mem/base/log.h"
#include "ssi/ssi.h"

struct cp_ssi {
    struct cp *cp;
    struct ssi *ssi;
    bool known[CONFIG_SLOTS_MAX + 1]; /* by slot: it has joined, and has not left */
    u64 told[CONFIG_SLOTS_MAX + 1];   /* differences, as ssi_check_compare has them */
};

static const char *op_mode(void *ctx)
{
    const struct cp_ssi *s = ctx;
    return ssi_mode_name(ssi_mode(s->ssi));
}

static void member_link(const struct ssi *ssi, unsigned slot, struct cp_cluster_member *out)
{
    struct ssi_link_view v;
    ssi_link_query(ssi, slot, &v);
    out->link = v.state;
    out->protocol = v.version;
    for (unsigned i = 0; i < v.streams && i < CP_CLUSTER_STREAMS_MAX; i++) {
        struct cp_cluster_stream *s = &out->stream[out->streams++];
        snprintf(s->address, sizeof s->address, "%s", v.stream[i].peer);
        snprintf(s->cipher, sizeof s->cipher, "%s", v.stream[i].cipher);
        s->sent = v.stream[i].sent;
        s->received = v.stream[i].received;
        s->waiting = v.stream[i].waiting;
        s->silent_ms = v.stream[i].silent_ms;
    }
}

static bool op_member(void *ctx, unsigned i, struct cp_cluster_member *out)
{
    const struct cp_ssi *s = ctx;
    struct ssi_view v;
    unsigned slots = s->cp->config->slot_count < 4 ? 4 : s->cp->config->slot_count;
    if (i >= slots || i >= SSI_SLOTS_MAX)
        return false;
    ssi_query(s->ssi, &v);
    const struct ssi_slot_view *slot = &v.slots[i];
    memset(out, 0, sizeof *out);
    out->slot = i + 1;
    snprintf(out->name, sizeof out->name, "%s", slot->name);
    snprintf(out->state, sizeof out->state, "%s", ssi_state_name(slot->state));
    out->pdr_heartbeat_ns = slot->pdr_heartbeat_ms * 1000000u;
    out->received_heartbeat_ns = slot->received_heartbeat_ms * 1000000u;
    out->local = i == v.own_slot;
    out->reachable =
        slot->connected && (slot->state == SSI_JOINED || slot->state == SSI_SUSPENDED);
    out->inactive = slot->inactive;
    member_link(s->ssi, i, out);
    return true;
}

static int op_claim(void *ctx, const char *userid, u64 *generation,
                    char owner[CONFIG_NAME_BYTES], struct cause *cause)
{
    const struct cp_ssi *s = ctx;
    u64 have;
    owner[0] = 0;
    int status = ssi_claim(s->ssi, CP_CLAIM_USERID, userid, generation, cause);
    if (status == ST_EXIST &&
        ssi_claim_find(s->ssi, CP_CLAIM_USERID, userid, owner, &have) != ST_OK)
        strcpy(owner, "SSI");
    return status;
}

static void op_release(void *ctx, const char *userid, u64 generation)
{
    const struct cp_ssi *s = ctx;
    ssi_release_soon(s->ssi, CP_CLAIM_USERID, userid, generation);
}

static bool op_locate(void *ctx, const char *userid, char member[CONFIG_NAME_BYTES])
{
    const struct cp_ssi *s = ctx;
    u64 generation;
    return ssi_claim_find(s->ssi, CP_CLAIM_USERID, userid, member, &generation) == ST_OK;
}

/* A name that is ours already, and that nobody here has, is left from before. */
static int op_mac_claim(void *ctx, const char *mac, char owner[CONFIG_NAME_BYTES],
                        struct cause *cause)
{
    const struct cp_ssi *s = ctx;
    u64 generation;
    int status = ssi_claim(s->ssi, CP_CLAIM_MAC, mac, &generation, cause);
    if (status != ST_EXIST)
        return status;
    if (ssi_claim_find(s->ssi, CP_CLAIM_MAC, mac, owner, &generation) != ST_OK)
        strcpy(owner, "SSI");
    return strcmp(owner, ssi_member_name(s->ssi)) ? ST_EXIST : ST_OK;
}

static bool own_mac(const struct cp_ssi *s, const char *mac, u64 *generation)
{
    char owner[SSI_NAME_BYTES];
    return ssi_claim_find(s->ssi, CP_CLAIM_MAC, mac, owner, generation) == ST_OK &&
           !strcmp(owner, ssi_member_name(s->ssi));
}

static void op_mac_release(void *ctx, const char *mac)
{
    const struct cp_ssi *s = ctx;
    u64 generation;
    if (own_mac(s, mac, &generation))
        ssi_release(s->ssi, CP_CLAIM_MAC, mac, generation);
}

/* If that fails, the address stays claimed here until this member leaves: nobody else gets it. */
static void op_mac_follow(void *ctx, const char *mac, const char *userid)
{
    const struct cp_ssi *s = ctx;
    char member[SSI_NAME_BYTES];
    u64 generation, user_generation;
    struct cause ignored;
    if (own_mac(s, mac, &generation) &&
        ssi_claim_find(s->ssi, CP_CLAIM_USERID, userid, member, &user_generation) == ST_OK &&
        strcmp(member, ssi_member_name(s->ssi)) != 0)
        ssi_move_claim(s->ssi, CP_CLAIM_MAC, mac, generation, member, &generation, &ignored);
}

struct each_arg {
    void (*fn)(void *arg, const char *userid, const char *member);
    void *arg;
};

static void each_one(void *ctx, const char *name, const char *owner, u64 generation)
{
    const struct each_arg *e = ctx;
    (void)generation;
    e->fn(e->arg, name, owner);
}

static void op_each(void *ctx, void (*fn)(void *arg, const char *userid, const char *member),
                    void *arg)
{
    const struct cp_ssi *s = ctx;
    struct each_arg e = {fn, arg};
    ssi_claim_each(s->ssi, CP_CLAIM_USERID, each_one, &e);
}

static int op_send(void *ctx, const char *member, u16 type, const void *data, size_t len)
{
    const struct cp_ssi *s = ctx;
    return ssi_send(s->ssi, member, CP_SSI_SERVICE, type, data, len);
}

static int op_declare_down(void *ctx, const char *member, struct cause *cause)
{
    const struct cp_ssi *s = ctx;
    return ssi_set_down(s->ssi, member, cause);
}

static void *op_ask(void *ctx, const struct ssi_want *wants, unsigned n,
                    void (*done)(void *arg), void *arg)
{
    const struct cp_ssi *s = ctx;
    return done ? ssi_ask(s->ssi, wants, n, done, arg) : ssi_ask_now(s->ssi, wants, n);
}

static void op_ask_end(void *ctx, void *asked)
{
    const struct cp_ssi *s = ctx;
    ssi_asked_end(s->ssi, asked);
}

static bool op_owes(void *ctx)
{
    const struct cp_ssi *s = ctx;
    return ssi_owes(s->ssi);
}

static int op_hold(void *ctx, struct ssi_held *held)
{
    const struct cp_ssi *s = ctx;
    return ssi_hold(s->ssi, held);
}

static void op_drop(void *ctx, struct ssi_held *held)
{
    const struct cp_ssi *s = ctx;
    ssi_hold_drop(s->ssi, held);
}

_Static_assert(CP_HOLDER_BYTES == SSI_HOLDER_BYTES, "one text");

static void op_holder(void *ctx, char out[CP_HOLDER_BYTES])
{
    const struct cp_ssi *s = ctx;
    ssi_holder(s->ssi, out);
}

static int op_slot(void *ctx, unsigned slot, const char *name, struct cause *cause)
{
    const struct cp_ssi *s = ctx;
    return ssi_slot_set(s->ssi, slot - 1, name, cause);
}

static int op_link(void *ctx, const char *member, bool active, struct cause *cause)
{
    const struct cp_ssi *s = ctx;
    return (active ? ssi_link_activate : ssi_link_deactivate)(s->ssi, member, cause);
}

static const struct cp_cluster_ops ssi_ops = {
    .mode = op_mode,
    .member = op_member,
    .claim = op_claim,
    .release = op_release,
    .locate = op_locate,
    .mac_claim = op_mac_claim,
    .mac_release = op_mac_release,
    .mac_follow = op_mac_follow,
    .each = op_each,
    .send = op_send,
    .hold = op_hold,
    .drop = op_drop,
    .ask = op_ask,
    .ask_end = op_ask_end,
    .owes = op_owes,
    .holder = op_holder,
    .slot = op_slot,
    .declare_down = op_declare_down,
    .link = op_link,
};

/* --- service CP -------------------------------------------------------------------------- */

static void service_export(void *ctx, struct codec_out *out)
{
    const struct cp_ssi *s = ctx;
    cp_directory_refresh(s->cp);
    ssi_check_export(s->cp, out);
}

static int service_check(void *ctx, const char *member, const void *data, size_t len,
                         struct cause *cause)
{
    struct cp_ssi *s = ctx;
    u16 slot = config_slot_of(s->cp->config, member);
    cp_directory_refresh(s->cp);
    int status = ssi_check_compare(s->cp, member, data, len, &s->told[slot], cause);
    return status == ST_REFUSED && s->known[slot] ? ST_OK : status;
}

static void service_joined(void *ctx, const char *member)
{
    struct cp_ssi *s = ctx;
    s->known[config_slot_of(s->cp->config, member)] = true;
    cp_operator_tell(s->cp, "HCPPLM1669I Member %s has joined SSI cluster %s", member,
                     s->cp->config->ssi_name);
}

static void service_left(void *ctx, const char *member, enum ssi_left how)
{
    static const char *const words[] = {[SSI_LEFT_ORDERLY] = "has left",
                                        [SSI_LEFT_LOST] = "is lost to",
                                        [SSI_LEFT_DOWN] = "is down in"};
    struct cp_ssi *s = ctx;
    cp_remote_lost(s->cp, member);
    if (how != SSI_LEFT_LOST) {
        s->known[config_slot_of(s->cp->config, member)] = false;
        s->told[config_slot_of(s->cp->config, member)] = 0;
        cp_nics_reclaim(s->cp);
    }
    cp_operator_tell(s->cp, "HCPPLM1670I Member %s %s SSI cluster %s", member, words[how],
                     s->cp->config->ssi_name);
}

static void service_receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    const struct cp_ssi *s = ctx;
    cp_remote_receive(s->cp, from, type, data, len);
}

static const struct ssi_service service = {
    .id = CP_SSI_SERVICE,
    .name = "CP",
    .export_join = service_export,
    .check_join = service_check,
    .member_joined = service_joined,
    .member_left = service_left,
    .receive = service_receive,
};

/* --- the spool ---------------------------------------------------------------------------- */

static bool spool_per_member(void *ctx, const char *userid)
{
    const struct cp *cp = ctx;
    const struct dir_entry *entry = directory_find(cp->directory, userid);
    return entry && entry->kind == DIR_IDENTITY;
}

static void spool_arrived(void *ctx, const struct spool_desc *desc, enum spool_queue from,
                          u16 was)
{
    cp_spool_arrived(ctx, desc, from, was);
}

static void spool_unseen(void *ctx, const char *member)
{
    (void)ctx;
    log_operator('E',
                 "spool files of %s cannot be used: its folder is not beside this member's",
                 member);
}

int cp_attach_ssi(struct cp *cp, struct ssi *ssi, struct cause *cause)
{
    struct cp_ssi *s = calloc(1, sizeof *s);
    if (!s)
        return cause_set(cause, ST_NOMEM, "out of memory");
    s->cp = cp;
    s->ssi = ssi;
    int status = ssi_register_service(ssi, &service, s);
    status = status ? status : cp_directory_register(cp, ssi);
    if (status)
        cause_set(cause, status, "service CP: %s", status_name(status));
    cp->ivls = status ? NULL : ivl_ssi_create(ssi, cp_net_news, cp, cause);
    const struct spool_ssi_ports ports = {cp, spool_per_member, spool_arrived, spool_unseen};
    if (cp->ivls && !(cp->spool_ssi = spool_ssi_create(ssi, cp_spool(cp), &ports, cause))) {
        ivl_ssi_destroy(cp->ivls);
        cp->ivls = NULL;
    }
    if (!cp->ivls) {
        free(s);
        return cause->status;
    }
    cp->ssi = s;
    cp_set_cluster(cp, &ssi_ops, s);
    cp->link_ssi = cp_link_ssi_create(cp, ssi, cause);
    cp->domain_ssi = cp->link_ssi ? cp_domain_ssi_create(cp, ssi, cause) : NULL;
    return cp->domain_ssi ? ST_OK : cause->status;
}

void cp_detach_ssi(struct cp *cp)
{
    if (!cp->ssi)
        return;
    cp_domain_ssi_destroy(cp->domain_ssi);
    cp->domain_ssi = NULL;
    cp_link_ssi_destroy(cp->link_ssi);
    cp->link_ssi = NULL;
    ivl_ssi_destroy(cp->ivls);
    cp->ivls = NULL;
    spool_ssi_destroy(cp->spool_ssi);
    cp->spool_ssi = NULL;
    free(cp->ssi);
    cp->ssi = NULL;
    cp_set_cluster(cp, NULL, NULL);
}
