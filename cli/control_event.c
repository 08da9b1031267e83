/* Events as JSON. Every row of hyp/event.def has type, number, time and the type of its *VMEVENT
 * record; the rest depends on what it is about. */
#include "cli/control_internal.h"
#include "hyp/event.h"

static void add(json_t *to, const char *name, const char *text)
{
    json_object_set_new(to, name, json_string(text));
}

static void add_relocation(json_t *to, const struct event *e)
{
    bool incoming = event_type(e->id) % 2 == 0;
    add(to, "user", e->user);
    add(to, "direction", incoming ? "in" : "out");
    add(to, incoming ? "from" : "to", e->system);
    if (e->id == EVENT_OUT_ENDED || e->id == EVENT_IN_ENDED)
        json_object_set_new(to, "code", json_integer(e->code));
}

static void add_change(json_t *to, const struct event *e, const char *before, const char *now)
{
    add(to, "cluster", e->cluster);
    if (e->id == EVENT_STATE)
        add(to, "member", e->system);
    add(to, "before", before);
    add(to, "now", now);
}

json_t *control_event(const struct event *e)
{
    json_t *to = json_pack("{s:s, s:I, s:f, s:i}", "type", event_name(e->id), "number",
                           (json_int_t)e->number, "time", (double)e->wall_ns / 1e9, "vmevent",
                           (int)event_type(e->id));
    if (e->id == EVENT_MODE)
        add_change(to, e, ssi_mode_name((enum ssi_mode)e->before),
                   ssi_mode_name((enum ssi_mode)e->now));
    else if (e->id == EVENT_STATE)
        add_change(to, e, ssi_state_name((enum ssi_state)e->before),
                   ssi_state_name((enum ssi_state)e->now));
    else if (e->id == EVENT_LOGON || e->id == EVENT_LOGOFF)
        add(to, "user", e->user);
    else
        add_relocation(to, e);
    return to;
}
