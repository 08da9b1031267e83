/* Relocation domains: who is in them, what they have in common, and what users are given of it.
 * Internal to hyp/cp; what lgr needs of them is in hyp/cp_move.h. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_DOMAIN_H
#define ENDICOTT_HYP_CP_CP_DOMAIN_H

#include "hyp/arch.h"
#include "hyp/cp/cp_internal.h"
#include "hyp/cp_move.h"

struct ssi;
struct cp_domain_ssi;

/** What another member said it offers. Located by cp->told, by slot; "" = it has said nothing. */
struct cp_told_arch {
    char member[CONFIG_NAME_BYTES];
    bool joined; /* else it may come back as something else */
    struct arch arch;
};

/** What a member offers: of one that is joined as it says, of another one as its hardware file
 *  says now. False: nothing is known of it. */
bool cp_member_arch(const struct cp *cp, const char *member, struct arch *out);
/** What all members of a domain have of which anything is known; false: there is none. */
bool cp_domain_common(const struct cp *cp, const char *domain, struct arch *out);
/** The domain as it is now: without members that have no slot any more; false when it has none. */
bool cp_domain_get(const struct cp *cp, const char *name, struct config_domain *out);
/** The i-th domain: SSI, one of each member, statements, then others; false: not so many. */
bool cp_domain_at(const struct cp *cp, unsigned i, struct config_domain *out);

/** Fence a user that logs on: what its domain has, and this member. */
void cp_user_fence(struct cp_user *user);

/** Take over a domain that another member knows of: ST_OK, it is new here or different; ST_EXIST,
 *  what is known here is newer or the same; ST_LIMIT. */
int cp_domain_merge(struct cp *cp, const struct config_domain *d);
/** A member is joined, and offers that (NULL: it has not said; then its files count). */
void cp_member_told(struct cp *cp, const char *member, const struct arch *arch);
void cp_member_gone(struct cp *cp, const char *member);
/** What each domain offered when its members were last seen; HCPRLD1824I for each one that offers
 *  other things now. Frees `before`, which may be NULL. */
struct cp_domains_before;
struct cp_domains_before *cp_domains_remember(const struct cp *cp);
void cp_domains_tell(struct cp *cp, struct cp_domains_before *before);

/* --- cp_domain_ssi.c ------------------------------------------------------------------------ */
#define DOMAIN_SSI_SERVICE 10
/** Service DOMAIN; before ssi_join. NULL with a cause. */
struct cp_domain_ssi *cp_domain_ssi_create(struct cp *cp, struct ssi *ssi, struct cause *cause);
void cp_domain_ssi_destroy(struct cp_domain_ssi *s);

#endif
