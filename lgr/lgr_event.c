/* What relocations tell the event stream of their member: started, completed, ended without that;
 * each side for itself (*VMEVENT types 9 to 14 of z/VM). */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>

#include "lgr/lgr_internal.h"

static void post(const struct rlobk *r, enum event_id out, enum event_id in)
{
    struct event what = {.id = r->v.incoming ? in : out, .code = r->v.code};
    snprintf(what.user, sizeof what.user, "%s", r->v.user);
    snprintf(what.system, sizeof what.system, "%s", rlo_peer(r));
    events_post(r->lgr->events, &what);
}

void rlo_event_started(struct rlobk *r)
{
    r->announced = true;
    post(r, EVENT_OUT_STARTED, EVENT_IN_STARTED);
}

void rlo_event_ended(const struct rlobk *r)
{
    if (!r->announced)
        return;
    if (r->v.code == LGR_COMPLETED)
        post(r, EVENT_OUT_DONE, EVENT_IN_DONE);
    else
        post(r, EVENT_OUT_ENDED, EVENT_IN_ENDED);
}
