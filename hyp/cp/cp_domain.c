/* Relocation domains: SSI (all members), one of each member, those of RELOCATION_DOMAIN statements
 * and of DEFINE RELODOMAIN. What a domain offers is the maximal common subset of what its members
 * do (hyp/arch.h), worked out whenever it is asked for, so that it is that of the members as they
 * are: who is down counts too, as its hardware file says, since guests are to be able to go there.
 * A user keeps what it was given until it logs off, is set to a domain, or loses something by FORCE
 * ARCHITECTURE; what it has may then be a variant of its domain's.
 * Source: z/VM "CP Planning and Administration", relocation domains; answers, the numbers of HCPDFR
 * and HCPRLD, and the operand ARCHITECTURE are ours. */
#include "hyp/cp/cp_domain.h"

#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"

#define DOMAINS_MAX (1 + CONFIG_SLOTS_MAX + 2 * CONFIG_DOMAINS_MAX)
#define LIST_BYTES 60 /* of a list of facilities on one line */

/* --- members --------------------------------------------------------------------------------- */

void cp_own_arch(const struct cp *cp, struct arch *out)
{
    arch_of(cp->config->hardware.model, cp->config->features.cp_level, out);
}

static struct cp_told_arch *told_by(const struct cp *cp, const char *member)
{
    u16 slot = config_slot_of(cp->config, member);
    const struct cp_told_arch *t = slot ? &cp->told[slot - 1] : NULL;
    return t && !strcasecmp(t->member, member) ? (struct cp_told_arch *)(uintptr_t)t : NULL;
}

/* `seen`: what it offered when it was last here, whatever it may be now. */
static bool member_arch(const struct cp *cp, const char *member, bool seen, struct arch *out)
{
    if (!strcasecmp(member, cp->config->member))
        return cp_own_arch(cp, out), true;
    const struct cp_told_arch *t = told_by(cp, member);
    if (t && (t->joined || seen))
        return *out = t->arch, true;
    const struct cpu_model *model = config_member_model(cp->config, member);
    if (t && (!model || model == t->arch.model)) /* the same machine, as far as is known */
        return *out = t->arch, true;
    if (model)
        arch_of(model, CP_LEVEL, out);
    return model != NULL;
}

bool cp_member_arch(const struct cp *cp, const char *member, struct arch *out)
{
    return member_arch(cp, member, false, out);
}

void cp_member_told(struct cp *cp, const char *member, const struct arch *arch)
{
    u16 slot = config_slot_of(cp->config, member);
    if (!slot)
        return;
    struct cp_told_arch *t = &cp->told[slot - 1];
    memset(t, 0, sizeof *t);
    if (!arch)
        return;
    *t = (struct cp_told_arch){.joined = true, .arch = *arch};
    snprintf(t->member, sizeof t->member, "%s", member);
}

void cp_member_gone(struct cp *cp, const char *member)
{
    struct cp_told_arch *t = told_by(cp, member);
    if (t)
        t->joined = false;
}

/* --- domains --------------------------------------------------------------------------------- */

bool cp_domain_get(const struct cp *cp, const char *name, struct config_domain *out)
{
    struct config_domain scratch;
    const struct config_domain *d = config_domain_find(cp->config, name, &scratch);
    if (!d)
        return false;
    *out = *d;
    out->member_count = 0;
    for (unsigned i = 0; i < d->member_count; i++)
        if (config_slot_of(cp->config, d->members[i]))
            memcpy(out->members[out->member_count++], d->members[i], CONFIG_NAME_BYTES);
    return out->member_count;
}

/* The name of the i-th that was ever defined; NULL: not so many. */
static const char *domain_name(const struct system_config *config, unsigned i)
{
    const struct config_domain_list *more = config->defined_domains;
    if (!i--)
        return "SSI";
    if (i < CONFIG_SLOTS_MAX)
        return config->slots[i].member;
    i -= CONFIG_SLOTS_MAX;
    if (i < config->domain_count)
        return config_slot_of(config, config->domains[i].name) ? "" : config->domains[i].name;
    i -= config->domain_count;
    if (!more || i >= more->count)
        return NULL;
    if (config_slot_of(config, more->domain[i].name))
        return ""; /* a member has the name now */
    for (unsigned k = 0; k < config->domain_count;
         k++) /* it has been told as the statement's */
        if (!strcmp(config->domains[k].name, more->domain[i].name))
            return "";
    return more->domain[i].name;
}

bool cp_domain_at(const struct cp *cp, unsigned n, struct config_domain *out)
{
    const char *name;
    for (unsigned i = 0; (name = domain_name(cp->config, i)); i++)
        if (*name && cp_domain_get(cp, name, out) && !n--)
            return true;
    return false;
}

bool cp_domain_known(const struct cp *cp, const char *domain)
{
    struct config_domain d;
    return cp_domain_get(cp, domain, &d);
}

bool cp_domain_has(const struct cp *cp, const char *domain, const char *member)
{
    struct config_domain d;
    if (!cp_domain_get(cp, domain, &d))
        return false;
    for (unsigned i = 0; i < d.member_count; i++)
        if (!strcasecmp(d.members[i], member))
            return true;
    return false;
}

static bool common_of(const struct cp *cp, const struct config_domain *d, bool seen,
                      struct arch *out)
{
    struct arch one;
    bool any = false;
    for (unsigned i = 0; i < d->member_count; i++) {
        if (!member_arch(cp, d->members[i], seen, &one))
            continue;
        if (any)
            arch_common(out, &one);
        else
            *out = one;
        any = true;
    }
    return any;
}

bool cp_domain_common(const struct cp *cp, const char *domain, struct arch *out)
{
    struct config_domain d;
    return cp_domain_get(cp, domain, &d) && common_of(cp, &d, false, out);
}

void cp_domain_arch(const struct cp *cp, const char *domain, struct arch *out)
{
    struct arch common;
    cp_own_arch(cp, out);
    if (cp_domain_common(cp, domain, &common))
        arch_common(out, &common);
}

/* --- users ----------------------------------------------------------------------------------- */

void cp_user_fence(struct cp_user *user)
{
    struct arch arch;
    if (!user->cp->config->in_ssi)
        cp_own_arch(user->cp, &arch);
    else
        cp_domain_arch(user->cp, user->domain, &arch);
    user->cp->ports.vm->set_arch(user->vm, &arch);
}

bool cp_user_forced(const struct cp_user *user)
{
    return user->forced;
}

void cp_user_set_forced(struct cp_user *user, bool forced)
{
    user->forced = forced;
}

/* As many lines as it takes. */
static void beyond_lines(struct cp_request *req, const char *what, const struct arch *a,
                         const struct arch *b)
{
    char text[LIST_BYTES];
    unsigned next = 0;
    do {
        arch_beyond_text(a, b, &next, text, sizeof text);
        if (*text)
            cp_line(req, "%s %s", what, text);
    } while (next);
}

/* Members of its domain that the user cannot be relocated to without FORCE ARCHITECTURE. */
static void excluded_line(struct cp_request *req, const struct config_domain *d,
                          const struct arch *has)
{
    char names[CONFIG_SLOTS_MAX * CONFIG_NAME_BYTES + 1] = "";
    struct arch one;
    for (unsigned i = 0; i < d->member_count; i++)
        if (cp_member_arch(req->cp, d->members[i], &one) && !arch_within(has, &one))
            snprintf(names + strlen(names), sizeof names - strlen(names), " %s", d->members[i]);
    if (*names)
        cp_line(req, "Excluded members:%s", names);
}

void cp_user_variant_lines(struct cp_request *req, const struct cp_user *user)
{
    const struct arch *has = req->cp->ports.vm->arch(user->vm);
    struct config_domain d;
    struct arch common;
    if (!cp_domain_get(req->cp, user->domain, &d) ||
        !cp_domain_common(req->cp, user->domain, &common))
        return;
    if (!cp_domain_has(req->cp, user->domain, req->cp->config->member))
        cp_line(req, "Out of Domain %s", user->domain);
    if (arch_same(has, &common) && !user->forced)
        return;
    cp_line(req, "Virtual architecture is a variant%s", user->forced ? ", forced" : "");
    beyond_lines(req, "Lacks of the domain:", &common, has);
    beyond_lines(req, "Beyond the domain:", has, &common);
    excluded_line(req, &d, has);
}

/* Users here that have something that their domain has not (any more). */
static unsigned users_beyond(const struct cp *cp, const char *domain)
{
    unsigned n = 0;
    struct arch common;
    if (!cp_domain_common(cp, domain, &common))
        return 0;
    for (const struct cp_user *u = cp->users; u; u = u->next)
        if (!strcmp(u->domain, domain) && !arch_within(cp->ports.vm->arch(u->vm), &common))
            n++;
    return n;
}

/* --- what changed ---------------------------------------------------------------------------- */

struct cp_domains_before {
    struct before {
        char name[CONFIG_NAME_BYTES];
        struct arch common;
    } domain[DOMAINS_MAX];
    unsigned count;
};

struct cp_domains_before *cp_domains_remember(const struct cp *cp)
{
    struct cp_domains_before *b = calloc(1, sizeof *b);
    struct config_domain d;
    for (unsigned i = 0; b && cp_domain_at(cp, i, &d) && b->count < DOMAINS_MAX; i++) {
        struct before *one = &b->domain[b->count];
        memcpy(one->name, d.name, sizeof one->name);
        b->count += common_of(cp, &d, true, &one->common);
    }
    return b;
}

static void changed_lines(struct cp *cp, const char *name, const char *what,
                          const struct arch *a, const struct arch *b)
{
    char text[LIST_BYTES], line[MSG_LINE_BYTES];
    unsigned next = 0;
    do {
        arch_beyond_text(a, b, &next, text, sizeof text);
        msg_format(line, sizeof line, MSG_RLD1824I, name, what, text);
        if (*text)
            cp_operator_tell(cp, "%s", line);
    } while (next);
}

void cp_domains_tell(struct cp *cp, struct cp_domains_before *before)
{
    struct arch now;
    char line[MSG_LINE_BYTES];
    for (unsigned i = 0; before && i < before->count; i++) {
        const struct before *b = &before->domain[i];
        if (!cp_domain_common(cp, b->name, &now))
            continue;
        changed_lines(cp, b->name, "has gained", &now, &b->common);
        changed_lines(cp, b->name, "has lost", &b->common, &now);
        unsigned n = arch_within(&b->common, &now) ? 0 : users_beyond(cp, b->name);
        msg_format(line, sizeof line, MSG_RLD1825I, n, b->name);
        if (n)
            cp_operator_tell(cp, "%s", line);
    }
    free(before);
}

/* --- DEFINE RELODOMAIN ----------------------------------------------------------------------- */

static u64 greatest_stamp(const struct cp *cp)
{
    const struct config_domain_list *list = cp->config->defined_domains;
    u64 stamp = 0;
    for (unsigned i = 0; list && i < list->count; i++)
        if (list->domain[i].stamp > stamp)
            stamp = list->domain[i].stamp;
    return stamp;
}

static struct config_domain *defined(const struct cp *cp, const char *name)
{
    struct config_domain_list *list = cp->config->defined_domains;
    for (unsigned i = 0; list && i < list->count; i++)
        if (!strcmp(list->domain[i].name, name))
            return &list->domain[i];
    return NULL;
}

/* Where another one goes; one that nobody is left in gives way. */
static struct config_domain *defined_room(const struct cp *cp)
{
    struct config_domain_list *list = cp->config->defined_domains;
    if (list && list->count < CONFIG_DOMAINS_MAX)
        return &list->domain[list->count++];
    for (unsigned i = 0; list && i < list->count; i++)
        if (!cp_domain_known(cp, list->domain[i].name))
            return &list->domain[i];
    return NULL;
}

static bool built_in(const struct cp *cp, const char *name)
{
    return !strcmp(name, "SSI") || config_slot_of(cp->config, name);
}

static bool newer(const struct config_domain *d, const struct config_domain *have)
{
    return d->stamp > have->stamp ||
           (d->stamp == have->stamp && strcmp(d->origin, have->origin) > 0);
}

int cp_domain_merge(struct cp *cp, const struct config_domain *d)
{
    struct config_domain *to = defined(cp, d->name);
    if (built_in(cp, d->name) || (to && !newer(d, to)))
        return ST_EXIST;
    if (!to && !(to = defined_room(cp)))
        return ST_LIMIT;
    *to = *d;
    return ST_OK;
}

/* MEMBERS sysname ... */
static int take_members(struct cp_request *req, struct config_domain *d)
{
    const char *word = cp_operand(req);
    if (!word || !cp_abbrev(word, "MEMBERs"))
        return word ? cp_fail(req, MSG_CMD003E, word) : cp_fail(req, MSG_CMD026E);
    while ((word = cp_operand(req))) {
        if (!config_slot_of(req->cp->config, word))
            return cp_fail(req, MSG_DFR601E, word);
        for (unsigned i = 0; i < d->member_count; i++)
            if (!strcmp(d->members[i], word))
                return cp_fail(req, MSG_CMD002E, word);
        strcpy(d->members[d->member_count++], word);
    }
    return d->member_count ? 0 : cp_fail(req, MSG_CMD026E);
}

/* STAMP n member: of another member only, so that all have the same. */
static int take_stamp(struct cp_request *req, struct config_domain *d)
{
    const char *word = req->remote ? cp_operand_peek(req) : NULL;
    d->stamp = greatest_stamp(req->cp) + 1;
    strcpy(d->origin, req->cp->config->member);
    if (!word || strcmp(word, "STAMP") != 0)
        return 0;
    cp_operand(req);
    word = cp_operand(req);
    if (!word || !scan_number(word, 1, INT64_MAX, &d->stamp))
        return cp_fail(req, MSG_CMD002E, word ? word : "STAMP");
    word = cp_operand(req);
    if (!word || !scan_name(word, d->origin, 8))
        return cp_fail(req, MSG_CMD002E, word ? word : "STAMP");
    return 0;
}

static int define_here(struct cp_request *req, const struct config_domain *d)
{
    struct cp *cp = req->cp;
    bool known = cp_domain_known(cp, d->name);
    struct cp_domains_before *before = cp_domains_remember(cp);
    if (cp_domain_merge(cp, d) == ST_LIMIT) {
        free(before);
        return cp_fail(req, MSG_DFR602E, d->name);
    }
    cp_line(req, "Relocation domain %s %s", d->name, known ? "redefined" : "defined");
    cp_domains_tell(cp, before);
    unsigned n = users_beyond(cp, d->name);
    if (n)
        cp_line(req, "%u user(s) of it keep a variant architecture", n);
    return 0;
}

/* DEFINE RELODOMAIN name MEMBERS sysname ...; on all members, which then know the same. */
int cp_define_relodomain(struct cp_request *req)
{
    struct config_domain d = {{0}, {{0}}, 0, 0, {0}};
    const char *name = cp_operand(req);
    char command[CP_COMMAND_BYTES_MAX];
    if (!req->cp->config->in_ssi)
        return cp_fail(req, MSG_PLM1600I);
    if (!name || !cp_userid_ok(name))
        return name ? cp_fail(req, MSG_CMD002E, name) : cp_fail(req, MSG_CMD026E);
    if (built_in(req->cp, name))
        return cp_fail(req, MSG_DFR600E, name);
    strcpy(d.name, name);
    int rc = take_stamp(req, &d);
    rc = rc ? rc : take_members(req, &d);
    if (rc || req->remote)
        return rc ? rc : define_here(req, &d);
    int n = snprintf(command, sizeof command, "DEFINE RELODOMAIN %s STAMP %llu %s MEMBERS",
                     d.name, (unsigned long long)d.stamp, d.origin);
    for (unsigned i = 0; i < d.member_count; i++)
        n += snprintf(command + n, sizeof command - (size_t)n, " %s", d.members[i]);
    return cp_remote_all(req, &(struct cp_remote_text){.head = command}, CP_REMOTE_TIMEOUT_MS);
}

/* --- QUERY RELODOMAIN ------------------------------------------------------------------------ */

static void domain_row(struct cp_request *req, const struct config_domain *d, bool detail)
{
    char line[128];
    const struct arch none = {0};
    struct arch common;
    size_t at = (size_t)snprintf(line, sizeof line, "DOMAIN %-8s MEMBERS:", d->name);
    for (unsigned i = 0; i < d->member_count; i++)
        at += (size_t)snprintf(line + at, sizeof line - at, " %s", d->members[i]);
    cp_line_text(req, line);
    if (!detail || !cp_domain_common(req->cp, d->name, &common))
        return;
    cp_line(req, "  Model: %s (%04X)", common.model->name, common.model->machine_type);
    beyond_lines(req, "  Facilities:", &common, &none);
}

/* QUERY RELODOMAIN [{ALL | name} [ARCHITECTURE]]: with what they offer */
int cp_query_relodomain(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req), *more = cp_operand(req);
    struct config_domain d;
    (void)ctx;
    if (more && !cp_abbrev(more, "ARCHitecture"))
        return cp_fail(req, MSG_CMD003E, more);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (word && strcmp(word, "ALL") != 0) {
        if (!cp_domain_get(req->cp, word, &d))
            return cp_fail(req, MSG_RLS1821E, word);
        return domain_row(req, &d, more != NULL), 0;
    }
    for (unsigned i = 0; cp_domain_at(req->cp, i, &d); i++)
        domain_row(req, &d, more != NULL);
    return 0;
}
