/* The list of CP-owned volumes: slots of system.config, and those of DEFINE CPOWNED, which last
 * until the member ends. */
#include <stdio.h>

#include "hyp/rdev/rdev_internal.h"

void owned_init(struct rdevs *r)
{
    const struct system_config *config = r->config;
    for (unsigned i = 0; i < config->volume_count; i++) {
        const struct config_volume *v = &config->volumes[i];
        if (!v->slot || v->slot > CPOWNED_SLOTS_MAX)
            continue;
        snprintf(r->owned[v->slot].volid, sizeof r->owned[0].volid, "%s", v->volid);
        r->owned[v->slot].shared = v->shared;
    }
}

bool owned_find(const struct rdevs *r, const char *volid)
{
    bool found = false;
    for (unsigned i = 1; i <= CPOWNED_SLOTS_MAX && *volid; i++)
        found |= !strcmp(r->owned[i].volid, volid);
    return found;
}

unsigned rdev_slot(const struct rdevs *r, const struct rdev *d)
{
    unsigned slot = 0;
    for (unsigned i = CPOWNED_SLOTS_MAX; i && d->volid[0]; i--)
        if (!strcmp(r->owned[i].volid, d->volid))
            slot = i;
    return slot;
}

const char *rdev_owned_slot(const struct rdevs *r, unsigned slot, bool *shared)
{
    *shared = r->owned[slot].shared;
    return r->owned[slot].volid;
}

unsigned rdev_own(struct rdevs *r, unsigned slot, const char *volid, bool shared)
{
    const char *was = r->owned[slot].volid;
    const struct rdev *d = was[0] ? rdev_volume(r, was) : NULL;
    for (unsigned i = 1; i <= CPOWNED_SLOTS_MAX && *volid; i++)
        if (i != slot && !strcmp(r->owned[i].volid, volid))
            return i;
    if (d && d->cp_owned && strcmp(was, volid) != 0)
        return slot; /* it is in use as what the slot says */
    snprintf(r->owned[slot].volid, sizeof r->owned[slot].volid, "%s", volid);
    r->owned[slot].shared = shared;
    return 0;
}
