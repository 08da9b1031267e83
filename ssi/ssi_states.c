/* The state machine of members and modes: looks rows of ssi_states.def up and carries them out.
 * Guarantees: a state changes here and nowhere else, each change is told, and an event that has no
 * row in a state is told as an internal error and changes nothing. Reasons for events: ssi_member.c
 * (rows of the PDR), ssi_hello.c and ssi_link.c (messages), ssi_join.c, ssi_leave.c (own life). */
#include "ssi/ssi_internal.h"

#include <stdio.h>

enum state_at {
#define S(id, code, text) AT_##id,
#include "ssi/ssi_states.def"
    STATES
};

enum whose { OWN, PEER };

/* What an action may look at; the state has changed already. */
typedef void (*action)(struct ssi *ssi, unsigned slot, const char *why);

static void act_none(struct ssi *ssi, unsigned slot, const char *why)
{
    (void)ssi, (void)slot, (void)why;
}

/* The others learn the own state at once. */
static void act_beat(struct ssi *ssi, unsigned slot, const char *why)
{
    (void)slot, (void)why;
    ssi_beat_send(ssi);
}

static void act_expel(struct ssi *ssi, unsigned slot, const char *why)
{
    (void)slot;
    ssi_expelled(ssi, why);
}

/* Contact is lost: it may run all the same, and is called again soon. */
static void act_lose(struct ssi *ssi, unsigned slot, const char *why)
{
    struct ssi_member *m = &ssi->members[slot];
    ssi_say(ssi, MSG_PLM1701W, m->name, why);
    m->next_heal_ms = ssi_now(ssi) + SSI_RETRY_MS;
    ssi_member_gone(ssi, slot, SSI_LEFT_LOST);
}

static void act_cut(struct ssi *ssi, unsigned slot, const char *why)
{
    (void)why;
    ssi_member_gone(ssi, slot, SSI_LEFT_LOST);
}

static void act_meet(struct ssi *ssi, unsigned slot, const char *why)
{
    struct ssi_member *m = &ssi->members[slot];
    (void)why;
    m->told = TOLD_JOINED;
    for (unsigned i = 0; i < ssi->n_services && m->told == TOLD_JOINED; i++)
        if (ssi->services[i].svc->member_joined)
            ssi->services[i].svc->member_joined(ssi->services[i].ctx, m->name);
}

static void act_part(struct ssi *ssi, unsigned slot, const char *why)
{
    (void)why;
    ssi_member_gone(ssi, slot, SSI_LEFT_ORDERLY);
}

/* The life that services know of is over: in order, if the row says so of that life. */
static void act_bury(struct ssi *ssi, unsigned slot, const char *why)
{
    struct ssi_member *m = &ssi->members[slot];
    const struct pdr_row *row = &ssi->rows[slot];
    bool orderly = m->incarnation == row->incarnation && row->down_reason == DOWN_LEFT;
    (void)why;
    if (m->told == TOLD_NOTHING)
        return;
    if (m->link && m->link->peer_incarnation == m->incarnation)
        ssi_link_drop(ssi, m->link, false);
    ssi_member_gone(ssi, slot, orderly ? SSI_LEFT_ORDERLY : SSI_LEFT_DOWN);
}

struct transition {
    bool known;
    u8 next; /* enum ssi_state */
    action act;
};

static const struct transition transitions[2][STATES][SSI_EVENTS] = {
#define T(which, state, event, next, act)                                                      \
    [which][AT_##state][SSI_EV_##event] = {true, SSI_##next, act_##act},
#include "ssi/ssi_states.def"
};

static const struct {
    enum ssi_state state;
    const char *text;
} state_rows[] = {
#define S(id, code, text) {SSI_##id, text},
#include "ssi/ssi_states.def"
};

static enum state_at at_of(enum ssi_state state)
{
    unsigned at = 0;
    while (at + 1 < STATES && state_rows[at].state != state)
        at++;
    return (enum state_at)at;
}

bool ssi_transition(bool own, enum ssi_state state, enum ssi_event event, enum ssi_state *next)
{
    const struct transition *t = &transitions[own ? OWN : PEER][at_of(state)][event];
    if (t->known)
        *next = (enum ssi_state)t->next;
    return t->known;
}

const char *ssi_state_name(enum ssi_state state)
{
    return state_rows[at_of(state)].text;
}

const char *ssi_event_text(enum ssi_event event)
{
    static const char *const texts[] = {
#define V(id, text) text,
#include "ssi/ssi_states.def"
    };
    return texts[event];
}

/* `quiet`: nobody needs to be told, this member has nothing to do with the others any more. */
static void state_put(struct ssi *ssi, unsigned slot, enum ssi_state state, bool quiet)
{
    struct ssi_member *m = &ssi->members[slot];
    enum ssi_state old = m->state;
    m->state = state;
    if (slot == ssi->cfg.slot)
        ssi->own_state = state;
    if (old == state)
        return;
    m->since_ms = ssi->ports->wall_ms(ssi->ports->ctx);
    if (ssi->events && ssi->events->state_changed)
        ssi->events->state_changed(ssi->events_ctx, m->name, old, state);
    if (!quiet)
        ssi_say(ssi, MSG_PLM1697I, m->name, ssi_state_name(old), ssi_state_name(state));
}

void ssi_event(struct ssi *ssi, unsigned slot, enum ssi_event event, const char *why)
{
    struct ssi_member *m = &ssi->members[slot];
    enum whose whose = slot == ssi->cfg.slot ? OWN : PEER;
    const struct transition *t = &transitions[whose][at_of(m->state)][event];
    if (!t->known) {
        ssi_say(ssi, MSG_PLM1717E, m->name, ssi_state_name(m->state), ssi_event_text(event));
        return;
    }
    m->events++;
    state_put(ssi, slot, (enum ssi_state)t->next, event == SSI_EV_APART);
    if (event != SSI_EV_LIFE_OVER) /* the row's own event follows */
        ssi_mode_update(ssi);
    t->act(ssi, slot, why);
}

/* --- modes --- */

enum condition {
#define C(id, text) CONDITION_##id,
#include "ssi/ssi_states.def"
    CONDITIONS
};

static void mode_none(struct ssi *ssi)
{
    (void)ssi;
}

/* What is held goes on, from the next tick. */
static void mode_let_go(struct ssi *ssi)
{
    ssi->let_go = true;
}

static const struct {
    bool known;
    enum ssi_mode next;
    void (*act)(struct ssi *ssi);
} mode_rows[SSI_MODES][CONDITIONS] = {
#define M(mode, condition, next, act)                                                          \
    [SSI_MODE_##mode][CONDITION_##condition] = {true, SSI_MODE_##next, mode_##act},
#include "ssi/ssi_states.def"
};

const char *ssi_mode_name(enum ssi_mode mode)
{
    static const char *const names[] = {
#define N(id, text) [SSI_MODE_##id] = text,
#include "ssi/ssi_states.def"
    };
    return names[mode];
}

static bool any_other(const struct ssi *ssi, enum ssi_state a, enum ssi_state b)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (i != ssi->cfg.slot && (ssi->members[i].state == a || ssi->members[i].state == b))
            return true;
    return false;
}

static enum condition condition_of(const struct ssi *ssi)
{
    if (!ssi_active(ssi))
        return CONDITION_OUTSIDE;
    if (any_other(ssi, SSI_UNKNOWN, SSI_SUSPENDED))
        return CONDITION_BROKEN;
    if (ssi->own_state == SSI_LEAVING || any_other(ssi, SSI_JOINING, SSI_LEAVING))
        return CONDITION_MOVING;
    return CONDITION_WHOLE;
}

void ssi_mode_update(struct ssi *ssi)
{
    const unsigned own = ssi->cfg.slot;
    bool apart = any_other(ssi, SSI_UNKNOWN, SSI_UNKNOWN);
    if (ssi->own_state == SSI_JOINED &&
        apart) /* each comes back here once, and finds nothing */
        ssi_event(ssi, own, SSI_EV_OUT_OF_TOUCH, "");
    else if (ssi->own_state == SSI_SUSPENDED && !apart)
        ssi_event(ssi, own, SSI_EV_IN_TOUCH, "");
    enum condition condition = condition_of(ssi);
    enum ssi_mode old = ssi->mode, mode = mode_rows[old][condition].next;
    ERGO(mode_rows[old][condition].known);
    ssi->mode = mode;
    mode_rows[old][condition].act(ssi);
    if (mode == old)
        return;
    ssi_say(ssi, MSG_PLM1698I, ssi->cfg.cluster, ssi_mode_name(mode));
    if (ssi->events && ssi->events->mode_changed)
        ssi->events->mode_changed(ssi->events_ctx, old, mode);
}

void ssi_holder(const struct ssi *ssi, char out[SSI_HOLDER_BYTES])
{
    static const struct {
        enum ssi_state state;
        const char *text;
    } reasons[] = {{SSI_UNKNOWN, "contact with %s is lost"},
                   {SSI_SUSPENDED, "%s has lost contact with another system"},
                   {SSI_JOINING, "%s is joining"},
                   {SSI_LEAVING, "%s is leaving"}};
    out[0] = 0;
    for (unsigned k = 0; k < sizeof reasons / sizeof reasons[0]; k++)
        for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
            if (i == ssi->cfg.slot || ssi->members[i].state != reasons[k].state)
                continue;
            snprintf(out, SSI_HOLDER_BYTES, reasons[k].text, ssi->members[i].name);
            return;
        }
}
