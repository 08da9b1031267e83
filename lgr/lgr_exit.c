/* CP exits of a relocation. 1230, on either side, when the rules of eligibility have been looked
 * at: the source asks its own in S_EXIT, the destination before it answers the first OFFER. 1231,
 * on the destination, when everything is there and READY has not been said: D_EXIT. The member
 * goes on meanwhile, and so do limits, CANCEL and a lost link: they end the waiting as they end
 * any other. An exit that does not work keeps the guest where it is. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define CANNOT "it cannot be asked"

/* An offer that waits. Created by dest_exit_asked, freed when the exit has answered, or when
 * nobody waits for that any more. */
struct lgr_asked {
    struct lgr_asked *next;
    struct lgr *lgr;
    void *exit;
    u64 id;
    char from[LGR_NAME_BYTES], user[LGR_NAME_BYTES];
    struct lgr_values verdict;
    struct lgr_reasons reasons;
};

static bool active(const struct lgr *lgr, enum lgr_exit point)
{
    return lgr->guests->exit_active && lgr->guests->exit_active(lgr->guests_ctx, point);
}

void lgr_exit_reason(struct lgr_reasons *to, const char *user, enum lgr_exit point,
                     const char *member, enum lgr_code code, const char *text)
{
    char line[MSG_LINE_BYTES];
    unsigned number = point == LGR_EXIT_ELIGIBLE ? 0x1230 : 0x1231;
    enum msg_id id = code == LGR_EXIT_REJECTED ? MSG_RLE1973E : MSG_RLE1974E;
    msg_format(line, sizeof line, id, user, number, member, text);
    lgr_reason_add(to, msg_number(id), line);
}

/* ---- of a relocation ---- */

static void rlo_answered(void *arg, enum lgr_code code, const char *text)
{
    struct rlobk *r = arg;
    struct lgr *lgr = r->lgr;
    struct lgr_values v = {.code = (u8)code};
    snprintf(v.text, sizeof v.text, "%s", text);
    lgr_enter(lgr);
    r->exit = NULL;
    rlo_event(r, LGR_MSG_EXIT, &v, NULL, 0);
    lgr_leave(lgr);
}

bool rlo_exit_asked(struct rlobk *r, enum lgr_exit point, enum rlo_state state)
{
    struct lgr *lgr = r->lgr;
    const struct lgr_exit_facts facts = {.info = &r->info,
                                         .from = r->v.from,
                                         .to = r->v.to,
                                         .by = r->v.by,
                                         .source = !r->v.incoming,
                                         .test = r->test,
                                         .force = r->v.force};
    if (!active(lgr, point))
        return false;
    rlo_go(r, state);
    r->exit = lgr->guests->exit_begin(lgr->guests_ctx, point, &facts, rlo_answered, r);
    if (!r->exit)
        rlo_answered(r, LGR_EXIT_INVALID, CANNOT);
    return true;
}

void rlo_exit_forget(struct rlobk *r)
{
    if (r->exit)
        r->lgr->guests->exit_forget(r->lgr->guests_ctx, r->exit);
    r->exit = NULL;
}

/* ---- of an offer ---- */

/* The verdict goes, with what the exit has against it. */
static void say(struct lgr_asked *a, enum lgr_code code, const char *text)
{
    const char *self = ssi_member_name(a->lgr->ssi);
    if (code != LGR_COMPLETED) {
        a->verdict.veto = a->reasons.count ? 0 : (u8)code;
        lgr_exit_reason(&a->reasons, a->user, LGR_EXIT_ELIGIBLE, self, code, text);
    }
    dest_reply(a->lgr, a->from, a->id, LGR_MSG_VERDICT, &a->verdict);
}

static void asked_answered(void *arg, enum lgr_code code, const char *text)
{
    struct lgr_asked *a = arg, **link = &a->lgr->asked;
    while (*link != a)
        link = &(*link)->next;
    *link = a->next;
    say(a, code, text);
    free(a);
}

static unsigned waiting(const struct lgr *lgr)
{
    unsigned n = 0;
    for (const struct lgr_asked *a = lgr->asked; a; a = a->next)
        n++;
    return n;
}

static struct lgr_asked *asked_create(struct lgr *lgr, const char *from, u64 id,
                                      const struct lgr_values *offer,
                                      const struct lgr_values *verdict)
{
    struct lgr_asked *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->lgr = lgr;
    a->id = id;
    snprintf(a->from, sizeof a->from, "%s", from);
    snprintf(a->user, sizeof a->user, "%s", offer->info.user);
    a->verdict = *verdict;
    a->reasons = *verdict->reasons;
    a->verdict.reasons = &a->reasons;
    a->next = lgr->asked;
    lgr->asked = a;
    return a;
}

bool dest_exit_asked(struct lgr *lgr, const char *from, u64 id, const struct lgr_values *offer,
                     const struct lgr_values *verdict)
{
    const struct lgr_exit_facts facts = {.info = &offer->info,
                                         .from = from,
                                         .to = ssi_member_name(lgr->ssi),
                                         .by = offer->by,
                                         .test = offer->test,
                                         .force = offer->force};
    if (!active(lgr, LGR_EXIT_ELIGIBLE))
        return false;
    bool room = waiting(lgr) < LGR_ACTIVE_MAX;
    struct lgr_asked *a = room ? asked_create(lgr, from, id, offer, verdict) : NULL;
    if (!a) {
        struct lgr_values refused = *verdict;
        refused.veto = refused.reasons->count ? 0 : LGR_EXIT_INVALID;
        lgr_exit_reason(refused.reasons, offer->info.user, LGR_EXIT_ELIGIBLE, facts.to,
                        LGR_EXIT_INVALID, room ? "no memory" : "too many are asked");
        dest_reply(lgr, from, id, LGR_MSG_VERDICT, &refused);
        return true;
    }
    a->exit =
        lgr->guests->exit_begin(lgr->guests_ctx, LGR_EXIT_ELIGIBLE, &facts, asked_answered, a);
    if (!a->exit)
        asked_answered(a, LGR_EXIT_INVALID, CANNOT);
    return true;
}

void dest_exits_forget(struct lgr *lgr, const char *from)
{
    for (struct lgr_asked **link = &lgr->asked, *a; (a = *link) != NULL;) {
        if (from && strcmp(a->from, from)) {
            link = &a->next;
            continue;
        }
        *link = a->next;
        lgr->guests->exit_forget(lgr->guests_ctx, a->exit);
        free(a);
    }
}
