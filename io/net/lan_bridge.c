/* Bridge ports of a network: stations behind which there are others that it does not know. One of
 * them is active: it gets what is for addresses that nobody has told of, as an uplink does.
 * Guarantees: one is primary at most; it is the active one while it is there, else the one that has
 * been secondary longest; each that becomes active, or is no more, hears of it: at once, or when a
 * port went where nothing may be told, with the next frame. */
#include "io/net/lan_internal.h"

/** Would `a` be active rather than `b` (NULL: nobody yet)? */
static bool before(const struct lan_port *a, const struct lan_port *b)
{
    if (!b || a->bridge != b->bridge)
        return !b || a->bridge == LAN_BRIDGE_PRIMARY;
    return a->bridge_since < b->bridge_since;
}

void lan_bridge_elect_locked(struct lan *lan)
{
    struct lan_port *best = NULL, *was = lan->bridge;
    for (struct lan_port *p = lan->port; p; p = p->next)
        if (p->bridge != LAN_BRIDGE_NONE && p->rules.promiscuous && !p->leaving &&
            before(p, best))
            best = p;
    lan->bridge = best;
    if (was == best)
        return;
    if (was)
        was->bridge_news = true;
    if (best)
        best->bridge_news = true;
    lan->bridge_news = true;
}

/** How many ports but this one have a role. */
static unsigned others(const struct lan_port *port, enum lan_bridge role)
{
    unsigned n = 0;
    for (const struct lan_port *p = port->lan->port; p; p = p->next)
        n += p != port && p->bridge == role && !p->leaving;
    return n;
}

int lan_port_bridge(struct lan_port *port, enum lan_bridge role)
{
    struct lan *lan = port->lan;
    int rc = ST_OK;
    lock_take(&lan->lock);
    if (role != LAN_BRIDGE_NONE && role != port->bridge && !port->rules.promiscuous)
        rc = ST_REFUSED;
    else if (role == LAN_BRIDGE_PRIMARY && others(port, role))
        rc = ST_EXIST;
    else if (role == LAN_BRIDGE_SECONDARY && others(port, role) == LAN_BRIDGE_SECONDARIES_MAX)
        rc = ST_LIMIT;
    else if (port->bridge != role) {
        port->bridge = role;
        port->bridge_since = ++lan->last_bridge;
        lan_bridge_elect_locked(lan);
    }
    lock_drop(&lan->lock);
    lan_stations_changed(port);
    return rc;
}

bool lan_port_bridge_active(struct lan_port *port)
{
    lock_take(&port->lan->lock);
    bool active = port->lan->bridge == port;
    lock_drop(&port->lan->lock);
    return active;
}

/** The next port that has news, pinned; NULL: none. */
static struct lan_port *news_take(struct lan *lan)
{
    lock_take(&lan->lock);
    struct lan_port *p = lan->port;
    while (p && !(p->bridge_news && !p->leaving))
        p = p->next;
    if (p) {
        p->bridge_news = false;
        p->pins++;
    }
    lock_drop(&lan->lock);
    return p;
}

void lan_bridge_tell(struct lan *lan)
{
    lan->bridge_news = false;
    for (struct lan_port *p; (p = news_take(lan)) != NULL;) {
        if (p->ops->bridge_changed)
            p->ops->bridge_changed(p->arg);
        lock_take(&lan->lock);
        if (--p->pins == 0 && p->leaving)
            pthread_cond_broadcast(&lan->unpinned);
        lock_drop(&lan->lock);
    }
}

void lan_port_bridge_tell(struct lan_port *port)
{
    lan_bridge_tell(port->lan);
}
