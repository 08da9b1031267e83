/* Eligibility: the rules of eligible.def, evaluated on the side that knows. Every violated rule
 * gives one message line; a relocation goes on only when there is none. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

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
#define SIDE_HERE_HERE(x) x
#define SIDE_HERE_SOURCE(x)

void lgr_eligible_source(struct rlobk *r, struct lgr_reasons *out)
{
    const struct lgr_guest_info *g = &r->info;
#define E(side, message, violated, args)                                                       \
    SIDE_SOURCE_##side(if (violated) { ADD(message, args); })
#include "lgr/eligible.def"
#undef E
}

/* "17, 45": facilities of the guest that this member's machine does not have; "" = none. */
static const char *lacking_text(const u8 *guest, const u8 *here, char *out, size_t room)
{
    size_t at = 0;
    out[0] = 0;
    for (unsigned bit = 0; bit < LGR_FACILITY_BYTES * 8 && at < room - 8; bit++) {
        u8 mask = (u8)(0x80u >> (bit % 8));
        if (guest[bit / 8] & mask && !(here[bit / 8] & mask))
            at += (size_t)snprintf(out + at, room - at, "%s%u", at ? ", " : "", bit);
    }
    return out;
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

void lgr_eligible_here(struct lgr *lgr, const struct lgr_guest_info *info, u64 id,
                       const char *from, unsigned force, bool again, struct lgr_reasons *out)
{
    const struct lgr_guest_info *g = info;
    struct lgr_here here = {0}, *h = &here;
    const char *self = ssi_member_name(lgr->ssi);
    bool busy = user_busy(lgr, g->user, id, from);
    char text[96];
    lgr->guests->here(lgr->guests_ctx, g, h);
    const char *lacking = lacking_text(g->facilities, h->facilities, text, sizeof text);
#define E(side, message, violated, args) SIDE_HERE_##side(if (violated) { ADD(message, args); })
#include "lgr/eligible.def"
#undef E
}
