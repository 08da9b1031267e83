/* Eligibility: the rules of eligible.def, evaluated on the side that knows. Every violated rule
 * gives one message line, or one for each of what violates it; a relocation goes on only when
 * there is none. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define ARGS(...) __VA_ARGS__
#define ADD(message, args) add(out, MSG_##message, ARGS args)
#define add(out, id, ...)                                                                      \
    do {                                                                                       \
        char line_[MSG_LINE_BYTES];                                                            \
        int number_ = msg_format(line_, sizeof line_, id, __VA_ARGS__);                        \
        lgr_reason_add(out, number_, line_);                                                   \
    } while (0)

#define SIDE_SOURCE_SOURCE(x) x
#define SIDE_SOURCE_HERE(x)
#define SIDE_SOURCE_FIT(x)
#define SIDE_HERE_HERE(x) x
#define SIDE_HERE_SOURCE(x)
#define SIDE_HERE_FIT(x)
#define SIDE_FIT_FIT(x) x
#define SIDE_FIT_HERE(x)
#define SIDE_FIT_SOURCE(x)
#define MB(bytes) ((unsigned long long)((bytes) >> 20))

#define LGR_FORCE_NONE 0u
#define RULE(force_class, message, times, args)                                                \
    for (unsigned i = 0, n_ = force & LGR_FORCE_##force_class ? 0 : (times); i < n_; i++)      \
        ADD(message, args);

void lgr_obstacle(struct lgr_obstacles *to, const char *fmt, ...)
{
    va_list ap;
    if (to->count == LGR_OBSTACLES_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(to->text[to->count++], LGR_OBSTACLE_BYTES, fmt, ap);
    va_end(ap);
}

void lgr_eligible_source(struct rlobk *r, struct lgr_reasons *out)
{
    const struct lgr_guest_info *g = &r->info;
    unsigned force = r->v.force;
#define E(side, force_class, message, times, args, test)                                       \
    SIDE_SOURCE_##side(RULE(force_class, message, times, args))
#include "lgr/eligible.def"
#undef E
}

/* Another relocation of the same user touches this member. */
static bool user_busy(const struct lgr *lgr, const char *user, u64 id, const char *from)
{
    for (const struct rlobk *r = lgr->active; r; r = r->next)
        if (!strcmp(r->v.user, user) &&
            (r->v.id != id || !r->v.incoming || strcmp(r->v.from, from)))
            return true;
    return false;
}

/* What the guest has and this member has not, as many lines as it takes. */
static void find_lacking(const struct lgr_guest_info *g, const struct lgr_here *h,
                         struct lgr_obstacles *out)
{
    char text[LGR_OBSTACLE_BYTES];
    unsigned next = 0;
    do {
        arch_beyond_text(&g->arch, &h->arch, &next, text, sizeof text);
        if (*text)
            lgr_obstacle(out, "%s", text);
    } while (next && out->count < LGR_OBSTACLES_MAX);
}

bool lgr_link_encrypted(const struct lgr *lgr, const char *peer)
{
    struct ssi_view view;
    struct ssi_link_view link;
    if (!lgr->ssi)
        return false;
    ssi_query(lgr->ssi, &view);
    for (unsigned slot = 0; slot < SSI_SLOTS_MAX; slot++) {
        if (strcmp(view.slots[slot].name, peer))
            continue;
        ssi_link_query(lgr->ssi, slot, &link);
        bool plain = !link.streams;
        for (unsigned i = 0; i < link.streams; i++)
            plain = plain || !link.stream[i].cipher[0];
        return !plain;
    }
    return false;
}

bool lgr_link_refused(const struct lgr *lgr, const char *peer)
{
    return lgr->encrypt_required && lgr->ssi && !lgr_link_encrypted(lgr, peer);
}

static struct rlobk *block_of(struct lgr *lgr, u64 id, const char *from)
{
    struct rlobk *r = lgr->active;
    while (r && (r->v.id != id || !r->v.incoming || strcmp(r->v.from, from)))
        r = r->next;
    return r;
}

void lgr_eligible_fit(struct lgr *lgr, const struct lgr_guest_info *info, unsigned force,
                      const struct lgr_fit *fit, struct lgr_reasons *out)
{
    const struct lgr_guest_info *g = info;
    const char *self = ssi_member_name(lgr->ssi);
#define E(side, force_class, message, times, args, test)                                       \
    SIDE_FIT_##side(RULE(force_class, message, times, args))
#include "lgr/eligible.def"
#undef E
}

void lgr_eligible_here(struct lgr *lgr, const struct lgr_guest_info *info, u64 id,
                       const char *from, unsigned force, bool again, struct lgr_fit *fit,
                       struct lgr_reasons *out)
{
    const struct lgr_guest_info *g = info;
    struct lgr_here here = {0}, *h = &here;
    const char *self = lgr->ssi ? ssi_member_name(lgr->ssi) : "this system";
    bool busy = user_busy(lgr, g->user, id, from), plain = lgr_link_refused(lgr, from);
    struct lgr_obstacles lacking = {.count = 0};
    lgr->guests->here(lgr->guests_ctx, g, h);
    find_lacking(g, h, &lacking);
#define E(side, force_class, message, times, args, test)                                       \
    SIDE_HERE_##side(RULE(force_class, message, times, args))
#include "lgr/eligible.def"
#undef E
    lgr_fit_here(lgr, g, block_of(lgr, id, from), force, fit);
    lgr_eligible_fit(lgr, g, force, fit, out);
}
