/* SET and QUERY VMRELOCATE: whether a user may be relocated, and within which relocation domain.
 * The setting is the session's and moves with it; the directory's VMRELOCATE statement begins it.
 * Source: z/VM "CP Commands and Utilities Reference"; messages 1821 to 1823. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>

#include "hyp/cp_move.h"
#include "hyp/vm.h"
#include "lgr/lgr_cmd.h"
#include "lgr/lgr_internal.h"

static void setting_lines(struct cp_request *req, const struct lgr_cmd *c,
                          const struct cp_user *user)
{
    cp_line(req, "Running on member %s", cp_system_name(c->cp));
    cp_line(req, "Relocation %s in Domain %s",
            cp_user_relocatable(user) ? "enabled" : "disabled", cp_user_domain(user));
    cp_user_variant_lines(req, user);
}

/* QUERY VMRELOCATE [USER] [userid] */
int lgr_query_vmrelocate(struct cp_request *req, void *ctx)
{
    const struct lgr_cmd *c = ctx;
    char user[LGR_NAME_BYTES];
    if (!cp_operand_peek(req))
        snprintf(user, sizeof user, "%s", cp_request_userid(req));
    else if (!(cp_request_classes(req) & CP_CLASS('A')) || !lgr_take_name(req, "USER", user))
        return cp_fail(req, MSG_CMD026E);
    const struct cp_user *u = cp_user_find(c->cp, user);
    if (!u)
        return cp_fail(req, MSG_RLU045E, user);
    setting_lines(req, c, u);
    return 0;
}

struct setting {
    bool relocate, force;
    char domain[LGR_NAME_BYTES]; /* "" = as it was */
};

/* [ON | OFF] [DOMAIN name [FORCE ARCHITECTURE]]: 0, or the number of the message. */
static int take_setting(struct cp_request *req, struct setting *s)
{
    const char *word = cp_operand_peek(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "ON") || !strcmp(word, "OFF")) {
        s->relocate = word[1] == 'N';
        cp_operand(req);
    }
    if (!(word = cp_operand(req)))
        return 0;
    if (!cp_abbrev(word, "DOMain"))
        return cp_fail(req, MSG_CMD003E, word);
    if (!lgr_take_name(req, "", s->domain))
        return cp_fail(req, MSG_CMD026E);
    if (!(word = cp_operand(req)))
        return 0;
    const char *what = cp_operand(req);
    if (strcmp(word, "FORCE") || !what || !cp_abbrev(what, "ARCHitecture"))
        return cp_fail(req, MSG_CMD003E, word);
    s->force = true;
    word = cp_operand(req);
    return word ? cp_fail(req, MSG_CMD003E, word) : 0;
}

/* What it was given goes with the relocation that is under way. */
static bool being_relocated(const struct lgr_cmd *c, const char *userid)
{
    for (const struct rlobk *r = c->lgr->active; r; r = r->next)
        if (!strcmp(r->v.user, userid))
            return true;
    return false;
}

/* `arch`: what the user will have. */
static int check_setting(struct cp_request *req, const struct lgr_cmd *c,
                         const struct cp_user *user, const struct setting *s, struct arch *arch)
{
    const struct arch *has = vm_arch(cp_user_vm(user));
    *arch = *has;
    if (cp_user_entry(user)->kind == DIR_IDENTITY)
        return cp_fail(req, MSG_RLE1823E, cp_user_id(user));
    if (!s->domain[0])
        return 0;
    if (!cp_domain_known(c->cp, s->domain))
        return cp_fail(req, MSG_RLS1821E, s->domain);
    if (being_relocated(c, cp_user_id(user)))
        return cp_fail(req, MSG_RLU1925E, cp_user_id(user));
    cp_domain_arch(c->cp, s->domain, arch);
    if (!s->force && !arch_within(has, arch))
        return cp_fail(req, MSG_RLS1822E, cp_user_id(user), s->domain);
    return 0;
}

/* The domain's architecture is the user's from now on, be it more or less than it has. */
static void assign(struct cp_user *user, const struct setting *s, const struct arch *arch)
{
    struct vm *vm = cp_user_vm(user);
    cp_user_set_relocation(user, s->relocate, s->domain[0] ? s->domain : NULL);
    if (!s->domain[0])
        return;
    cp_user_set_forced(user, !arch_within(vm_arch(vm), arch));
    if (!arch_same(vm_arch(vm), arch))
        vm_set_arch(vm, arch);
}

/* SET VMRELOCATE {userid | *} [ON | OFF] [DOMAIN name [FORCE ARCHITECTURE]] */
int lgr_set_vmrelocate(struct cp_request *req, void *ctx)
{
    const struct lgr_cmd *c = ctx;
    char name[LGR_NAME_BYTES];
    if (!lgr_take_name(req, "USER", name))
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(name, "*"))
        snprintf(name, sizeof name, "%s", cp_request_userid(req));
    struct cp_user *user = cp_user_find(c->cp, name);
    if (!user)
        return cp_fail(req, MSG_RLU045E, name);
    struct setting s = {.relocate = cp_user_relocatable(user)};
    struct arch arch;
    int rc = take_setting(req, &s);
    if (!rc)
        rc = check_setting(req, c, user, &s, &arch);
    if (rc)
        return rc;
    assign(user, &s, &arch);
    setting_lines(req, c, user);
    return 0;
}
