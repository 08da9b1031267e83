/* Service DOMAIN: members tell one another, at a join and when a lost link heals, what they offer
 * guests and which domains DEFINE RELODOMAIN has made or changed.
 * Invariants:
 *   [R1] What a member offers counts from the moment that it is joined: it is kept from the vote
 *        on, so that no guest is logged on with what it said when it was another machine.
 *   [R2] Members that have met know the same domains: of each name the newest counts on both sides
 *        (cp_domain_merge), whatever the order in which messages come. A domain that is defined
 *        while somebody joins goes with the list that each sends again once the link is ready.
 * What arrives is decoded as hostile; a member of an older release says nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_domain.h"
#include "ssi/ssi.h"

enum { TYPE_TELL = 1 };
enum { ROW_ARCH = 1, ROW_DOMAIN = 2 };
#define NAME_CHARS 8u
#define DOMAIN_HEAD_BYTES (8 + 2 * NAME_CHARS) /* stamp, name, origin; then names of members */

/* What a member has said. */
struct told {
    bool has_arch;
    struct arch arch;
    struct config_domain domain[CONFIG_DOMAINS_MAX];
    unsigned domains;
};

struct cp_domain_ssi {
    struct cp *cp;
    struct ssi *ssi;
    struct told *voted[CONFIG_SLOTS_MAX]; /* by slot, between vote and join */
};

/* --- on the wire ------------------------------------------------------------------------------ */

static void put_name(u8 *p, const char *name)
{
    memcpy(p, name, strnlen(name, NAME_CHARS));
}

static void put_domain(struct codec_out *out, const struct config_domain *d)
{
    u8 p[DOMAIN_HEAD_BYTES + CONFIG_SLOTS_MAX * NAME_CHARS] = {0};
    be64_store(p, d->stamp);
    put_name(p + 8, d->name);
    put_name(p + 8 + NAME_CHARS, d->origin);
    for (unsigned i = 0; i < d->member_count; i++)
        put_name(p + DOMAIN_HEAD_BYTES + i * NAME_CHARS, d->members[i]);
    codec_put_bytes(out, ROW_DOMAIN, p, DOMAIN_HEAD_BYTES + d->member_count * NAME_CHARS);
}

static void put_all(const struct cp *cp, struct codec_out *out)
{
    const struct config_domain_list *list = cp->config->defined_domains;
    struct arch own;
    cp_own_arch(cp, &own);
    arch_put(out, ROW_ARCH, &own);
    for (unsigned i = 0; list && i < list->count; i++)
        put_domain(out, &list->domain[i]);
}

static bool get_name(const u8 *p, char out[CONFIG_NAME_BYTES])
{
    char text[NAME_CHARS + 1] = "";
    memcpy(text, p, NAME_CHARS);
    return scan_name(text, out, NAME_CHARS);
}

static bool get_domain(const struct codec_row *row, struct told *t)
{
    u32 members = row->len < DOMAIN_HEAD_BYTES ? 0 : row->len - DOMAIN_HEAD_BYTES;
    if (!members || members % NAME_CHARS || members / NAME_CHARS > CONFIG_SLOTS_MAX ||
        t->domains == CONFIG_DOMAINS_MAX)
        return false;
    struct config_domain *d = &t->domain[t->domains++];
    *d = (struct config_domain){.stamp = be64_load(row->p),
                                .member_count = members / NAME_CHARS};
    bool good = d->stamp && get_name(row->p + 8, d->name) &&
                get_name(row->p + 8 + NAME_CHARS, d->origin);
    for (unsigned i = 0; good && i < d->member_count; i++)
        good = get_name(row->p + DOMAIN_HEAD_BYTES + i * NAME_CHARS, d->members[i]);
    return good;
}

/* The model is told by name; one that is not known here is taken for the newest. */
static bool get_all(const void *data, size_t len, struct told *t)
{
    struct codec_in in;
    struct codec_row row;
    *t = (struct told){0};
    codec_in_init(&in, data, len);
    while (codec_next(&in, &row)) {
        bool good = !(row.tag & CODEC_MANDATORY);
        if (row.tag == ROW_ARCH)
            good = t->has_arch = arch_get(&row, cpu_model_find("max"), &t->arch);
        else if (row.tag == ROW_DOMAIN)
            good = get_domain(&row, t);
        if (!good)
            return false;
    }
    return !in.failed;
}

/* --- what is done with it ------------------------------------------------------------------- */

static void take(struct cp_domain_ssi *s, const char *member, const struct told *t)
{
    struct cp *cp = s->cp;
    char line[MSG_LINE_BYTES];
    struct cp_domains_before *before = cp_domains_remember(cp);
    if (t->has_arch)
        cp_member_told(cp, member, &t->arch);
    for (unsigned i = 0; i < t->domains; i++) {
        int status = cp_domain_merge(cp, &t->domain[i]);
        if (status == ST_EXIST)
            continue;
        msg_format(line, sizeof line, status ? MSG_RLD1827E : MSG_RLD1826I, t->domain[i].name,
                   member);
        cp_operator_tell(cp, "%s", line);
    }
    cp_domains_tell(cp, before);
}

static void send(const struct cp_domain_ssi *s, const char *member)
{
    struct codec_out out;
    codec_out_init(&out);
    put_all(s->cp, &out);
    if (!out.failed)
        ssi_send(s->ssi, member, DOMAIN_SSI_SERVICE, TYPE_TELL, out.data, out.len);
    codec_out_fini(&out);
}

static struct told **voted_by(struct cp_domain_ssi *s, const char *member)
{
    u16 slot = config_slot_of(s->cp->config, member);
    return slot ? &s->voted[slot - 1] : NULL;
}

static void forget_vote(struct cp_domain_ssi *s, const char *member)
{
    struct told **at = voted_by(s, member);
    if (at) {
        free(*at);
        *at = NULL;
    }
}

/* --- service DOMAIN ------------------------------------------------------------------------- */

static void service_export(void *ctx, struct codec_out *out)
{
    const struct cp_domain_ssi *s = ctx;
    put_all(s->cp, out);
}

static int service_check(void *ctx, const char *member, const void *data, size_t len,
                         struct cause *cause)
{
    struct cp_domain_ssi *s = ctx;
    struct told **at = voted_by(s, member);
    forget_vote(s, member);
    if (!at || !len)
        return ST_OK;
    struct told *t = malloc(sizeof *t);
    if (!t)
        return cause_set(cause, ST_NOMEM, "out of memory");
    if (!get_all(data, len, t)) {
        free(t);
        return cause_set(cause, ST_PROTO, "what %s sends of relocation domains is damaged",
                         member);
    }
    *at = t;
    return ST_OK;
}

static void service_joined(void *ctx, const char *member)
{
    struct cp_domain_ssi *s = ctx;
    struct told **at = voted_by(s, member);
    if (at && *at)
        take(s, member, *at);
    else
        cp_member_told(s->cp, member, NULL);
    forget_vote(s, member);
    send(s, member);
}

static void service_left(void *ctx, const char *member, enum ssi_left how)
{
    struct cp_domain_ssi *s = ctx;
    forget_vote(s, member);
    if (how != SSI_LEFT_LOST) /* one that is lost runs on as it is */
        cp_member_gone(s->cp, member);
}

static void service_receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct cp_domain_ssi *s = ctx;
    struct told *t = type == TYPE_TELL ? malloc(sizeof *t) : NULL;
    if (t && get_all(data, len, t))
        take(s, from, t);
    free(t);
}

static const struct ssi_service service = {
    .id = DOMAIN_SSI_SERVICE,
    .name = "DOMAIN",
    .export_join = service_export,
    .check_join = service_check,
    .member_joined = service_joined,
    .member_left = service_left,
    .receive = service_receive,
};

struct cp_domain_ssi *cp_domain_ssi_create(struct cp *cp, struct ssi *ssi, struct cause *cause)
{
    struct cp_domain_ssi *s = calloc(1, sizeof *s);
    int rc = s ? ssi_register_service(ssi, &service, s) : ST_NOMEM;
    if (rc) {
        cause_set(cause, rc, "service DOMAIN: %s", status_name(rc));
        free(s);
        return NULL;
    }
    *s = (struct cp_domain_ssi){.cp = cp, .ssi = ssi};
    return s;
}

void cp_domain_ssi_destroy(struct cp_domain_ssi *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < CONFIG_SLOTS_MAX; i++)
        free(s->voted[i]);
    free(s);
}
