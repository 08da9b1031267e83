/* Two networks that are joined by a port on each: what the one hears the other says. Each learns
 * the stations behind its port from the frames that come, so that frames for them, and what
 * nobody has told of, go there. */
#include <stdlib.h>

#include "io/net/lan_internal.h"

#define LEARNING_S 600u

/** Located by its owner; `side` is each port's arg. */
struct lan_join {
    struct join_side {
        struct lan_port *port;
        struct join_side *other;
    } side[2];
};

static bool deliver_of(void *arg, enum lan_role of, const u8 *frame, size_t len)
{
    const struct join_side *side = arg;
    lan_send_of(side->other->port, of, frame, len);
    return true;
}

static const struct lan_port_ops join_ops = {.deliver_of = deliver_of};

/** Its port, which is silent until both are there. NULL: no room. */
static struct lan_port *side_port(struct join_side *side, struct lan *lan)
{
    /* A station that tells of an address here is not behind the port any more. */
    const struct lan_traits traits = {.flooding = true,
                                      .learning = true,
                                      .learning_s = LEARNING_S,
                                      .yields_set = true,
                                      .yields_learning = true};
    struct lan_rules rules = {.type = LAN_TRUNK, .promiscuous = true};
    memset(&rules.allowed, 0xff, sizeof rules.allowed);
    struct lan_port *port = lan_port_add_muted(lan, LAN_STATION, &join_ops, side);
    if (!port)
        return NULL;
    lan_port_rules(port, &rules);
    lan_port_traits(port, &traits);
    lan_port_label(port, "BRIDGE");
    return port;
}

struct lan_join *lan_join(struct lan *a, struct lan *b)
{
    struct lan_join *join = calloc(1, sizeof *join);
    if (!join)
        return NULL;
    join->side[0].other = &join->side[1];
    join->side[1].other = &join->side[0];
    join->side[0].port = side_port(&join->side[0], a);
    join->side[1].port = side_port(&join->side[1], b);
    if (!join->side[0].port || !join->side[1].port) {
        lan_part(join);
        return NULL;
    }
    lan_port_mute(join->side[0].port, false);
    lan_port_mute(join->side[1].port, false);
    return join;
}

void lan_part(struct lan_join *join)
{
    if (!join)
        return;
    /* Neither says anything any more, then both may go. */
    for (unsigned i = 0; i < 2; i++)
        lan_port_leave(join->side[i].port);
    for (unsigned i = 0; i < 2; i++)
        lan_port_remove(join->side[i].port);
    free(join);
}
