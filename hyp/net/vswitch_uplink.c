/* What is outside of a virtual switch: an uplink by its specification, up to three OSAs of the
 * member of which one is in use, or the adapter of a user. Guarantees: [U1] of the ports of OSAs
 * all but that of the one in use are muted. */
#include <stdio.h>
#include <string.h>

#include "hyp/net/vswitch.h"

/* --- real OSAs ------------------------------------------------------------------------------- */

/* All three devices of an OSA become this; false: they are not its, or not all are `was`. */
static bool osa_becomes(struct rdevs *r, u16 rdev, enum rdev_state was, enum rdev_state state)
{
    struct rdev *d[CONFIG_OSA_DEVICES];
    for (unsigned i = 0; i < CONFIG_OSA_DEVICES; i++) {
        d[i] = rdev_find(r, (u16)(rdev + i));
        if (!d[i] || d[i]->klass != RDEV_OSA || d[i]->state != was ||
            d[i]->config->line != d[0]->config->line)
            return false;
    }
    for (unsigned i = 0; i < CONFIG_OSA_DEVICES; i++)
        d[i]->state = state;
    return true;
}

static void link_open(struct vswitches *all, struct vswitch *sw, struct vswitch_link *link)
{
    struct rdevs *r = vswitches_real(all);
    struct cause cause = {0};
    const struct rdev *d = r ? rdev_find(r, link->rdev) : NULL;
    if (!d || d->klass != RDEV_OSA)
        cause_set(&cause, ST_NOENT, "there is no such OSA");
    else if (d->state == RDEV_SYSTEM)
        cause_set(&cause, ST_BUSY, "it is in use");
    else if (!osa_becomes(r, link->rdev, RDEV_FREE, RDEV_SYSTEM))
        cause_set(&cause, ST_REFUSED, "not three that are online");
    else if (uplink_open(sw->lan, d->config->file, vswitches_events(all), &link->uplink,
                         &cause))
        osa_becomes(r, link->rdev, RDEV_SYSTEM, RDEV_FREE);
    snprintf(link->why, sizeof link->why, "%.*s", VSWITCH_WHY_BYTES - 1, cause.text);
    if (link->uplink)
        lan_port_mute(uplink_port(link->uplink), true); /* [U1] */
}

/* --- which one ------------------------------------------------------------------------------- */

static bool leads(const struct uplink *up)
{
    return up && uplink_is_up(up);
}

/** The OSA that is to be in use: as it is while that leads somewhere, else the first that does. */
static struct uplink *wanted(const struct vswitch *sw)
{
    struct uplink *any = sw->uplink;
    if (!sw->outside.rdevs || leads(sw->uplink))
        return sw->uplink;
    for (unsigned i = 0; i < sw->outside.rdevs; i++) {
        if (leads(sw->link[i].uplink))
            return sw->link[i].uplink;
        any = any ? any : sw->link[i].uplink;
    }
    return any;
}

static void use(struct vswitch *sw, struct uplink *up)
{
    sw->uplink = up;
    for (unsigned i = 0; i < sw->outside.rdevs; i++)
        if (sw->link[i].uplink)
            lan_port_mute(uplink_port(sw->link[i].uplink), sw->link[i].uplink != up);
}

bool vswitch_uplink_stale(const struct vswitch *sw)
{
    return !*sw->outside.nic_user &&
           (wanted(sw) != sw->uplink || leads(sw->uplink) != sw->uplink_up);
}

void vswitch_uplink_changed(struct vswitch *sw)
{
    use(sw, wanted(sw));
    sw->uplink_up = leads(sw->uplink);
    if (sw->ivl)
        ivl_uplink(sw->ivl, sw->uplink_up);
}

bool vswitch_switch_over(struct vswitch *sw)
{
    unsigned n = sw->outside.rdevs, at = 0;
    while (at < n && sw->link[at].uplink != sw->uplink)
        at++;
    for (unsigned i = 1; i < n; i++) {
        struct uplink *up = sw->link[(at + i) % n].uplink;
        if (!leads(up) || up == sw->uplink)
            continue;
        use(sw, up);
        vswitch_uplink_changed(sw);
        return true;
    }
    return false;
}

const char *vswitch_uplink_words(const struct vswitch *sw, char out[UPLINK_WORDS_MAX])
{
    const struct vswitch_outside *o = &sw->outside;
    char words[UPLINK_WORDS_MAX];
    snprintf(out, UPLINK_WORDS_MAX, "guests among themselves");
    if (*o->nic_user)
        snprintf(out, UPLINK_WORDS_MAX, "NIC %s %04X", o->nic_user, o->nic_vdev);
    else if (sw->uplink)
        uplink_words(sw->uplink, out);
    else if (o->rdevs && !sw->disconnected)
        snprintf(out, UPLINK_WORDS_MAX, "OSA %04X: %s", o->rdev[0], sw->link[0].why);
    for (unsigned i = 0; i < o->rdevs && sw->uplink; i++) {
        if (sw->link[i].uplink != sw->uplink)
            continue;
        snprintf(words, sizeof words, "%s", out);
        snprintf(out, UPLINK_WORDS_MAX, "OSA %04X, %.300s", o->rdev[i], words);
    }
    return out;
}

/* --- adapters -------------------------------------------------------------------------------- */

bool vswitch_is_uplink(const struct vswitch *sw, const char *userid, u16 vdev)
{
    const struct vswitch_outside *o = &sw->outside;
    return *o->nic_user && !sw->disconnected && o->nic_vdev == vdev &&
           !strcmp(o->nic_user, userid);
}

void vswitch_nic_uplink(struct vswitch *sw, bool coupled)
{
    sw->uplink_up = coupled;
    if (sw->ivl)
        ivl_uplink(sw->ivl, coupled);
}

/* --- on and off ------------------------------------------------------------------------------ */

void vswitch_uplinks_close(struct vswitches *all, struct vswitch *sw)
{
    struct uplink *alone = sw->uplink;
    for (unsigned i = 0; i < VSWITCH_RDEVS_MAX; i++) {
        struct vswitch_link *link = &sw->link[i];
        if (!link->uplink)
            continue;
        alone = NULL;
        uplink_close(link->uplink);
        osa_becomes(vswitches_real(all), link->rdev, RDEV_SYSTEM, RDEV_FREE);
    }
    uplink_close(alone);
    sw->uplink = NULL;
    memset(sw->link, 0, sizeof sw->link);
}

int vswitch_uplink(struct vswitches *all, struct vswitch *sw, bool connect, struct cause *cause)
{
    const struct vswitch_outside *o = &sw->outside;
    vswitch_uplinks_close(all, sw);
    sw->disconnected = !connect;
    int rc = connect && *o->spec
                 ? uplink_open(sw->lan, o->spec, vswitches_events(all), &sw->uplink, cause)
                 : ST_OK;
    for (unsigned i = 0; i < o->rdevs; i++) {
        sw->link[i].rdev = o->rdev[i];
        if (connect)
            link_open(all, sw, &sw->link[i]);
    }
    vswitch_uplink_changed(sw);
    return rc;
}
