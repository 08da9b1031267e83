/* Channel paths: which a device has, which are configured, the choice of one, channel path reset.
 * All devices of a class have the same paths; Principles of Operation chapter 13, path management,
 * and chapter 14, RESET CHANNEL PATH. */
#include "io/css_internal.h"

u8 path_chpid(const struct subchannel *sub, unsigned path)
{
    return (u8)(sub->ops->chpid + path);
}

u8 path_installed(const struct subchannel *sub)
{
    unsigned paths = sub->ops && sub->ops->paths ? sub->ops->paths : 1;
    return (u8)(0xff00 >> paths);
}

static bool standby_locked(const struct css *css, u8 chpid)
{
    return css->s.standby[chpid / 8] & 0x80 >> chpid % 8;
}

u8 path_available_locked(const struct subchannel *sub)
{
    u8 mask = path_installed(sub);
    for (unsigned path = 0; path < 8; path++)
        if (mask & 0x80 >> path && standby_locked(sub->css, path_chpid(sub, path)))
            mask &= (u8) ~(0x80 >> path);
    return mask;
}

bool path_choose_locked(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    u8 usable = s->lpm & s->pom & path_available_locked(sub);
    if (!usable)
        return false;
    u8 next = s->lpum; /* one after the other, so that all are used */
    do
        next = next > 1 ? next >> 1 : 0x80;
    while (!(usable & next));
    s->lpum = next;
    return true;
}

static bool uses(const struct subchannel *sub, u8 chpid)
{
    if (!sub_has_device(sub))
        return false;
    u8 mask = path_installed(sub);
    for (unsigned path = 0; path < 8; path++)
        if (mask & 0x80 >> path && path_chpid(sub, path) == chpid)
            return true;
    return false;
}

static enum css_chp state_locked(struct css *css, u8 chpid)
{
    u32 at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;)
        if (uses(sub, chpid))
            return standby_locked(css, chpid) ? CSS_CHP_STANDBY : CSS_CHP_CONFIGURED;
    return CSS_CHP_ABSENT;
}

enum css_chp css_chp_state(struct css *css, u8 chpid)
{
    lock_take(&css->lock);
    enum css_chp state = state_locked(css, chpid);
    lock_drop(&css->lock);
    return state;
}

bool css_chp_configure(struct css *css, u8 chpid, bool on, bool announce)
{
    lock_take(&css->lock);
    bool changes = state_locked(css, chpid) == (on ? CSS_CHP_STANDBY : CSS_CHP_CONFIGURED);
    if (changes) {
        css->s.standby[chpid / 8] ^= (u8)(0x80 >> chpid % 8);
        if (announce)
            css_crw_locked(css, CRW_RSC_PATH | (on ? CRW_ERC_INIT : CRW_ERC_ERROR) | chpid);
    }
    u32 at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;) {
        if (!changes || !uses(sub, chpid))
            continue;
        if (on)
            sub->s.pnom = 0;
        sub->kicked = true; /* a command that waits looks whether its path is still there */
        lock_drop(&css->lock);
        chan_schedule(sub);
        lock_take(&css->lock);
    }
    lock_drop(&css->lock);
    return changes;
}

/** For store event information: what of it (css_internal.h), about a channel path. */
static void event_add(struct css *css, u32 content, u32 operation, u8 chpid)
{
    lock_take(&css->lock);
    if (css->event_count == EVENTS_MAX)
        css->s.lost_events = 1;
    else
        css->event[css->event_count++] = content << 24 | operation << 16 | chpid;
    css_crw_locked(css, CRW_RSC_CSS);
    lock_drop(&css->lock);
}

void css_chp_request(struct css *css, u8 chpid, bool on)
{
    event_add(css, EVENT_CHP_CONFIG, on ? EVENT_CONFIGURE : EVENT_DECONFIGURE, chpid);
}

void css_link_incident(struct css *css, u8 chpid, bool stopped)
{
    event_add(css, EVENT_LINK, stopped ? LINK_STOPPED : LINK_DEGRADED, chpid);
}

/** Programs that are under way over a path whose devices are reset. */
static void programs_reset(struct css *css, u8 chpid)
{
    u32 at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;) {
        struct sub_state *s = &sub->s;
        bool active = s->scsw0 & (AC_SUBCHANNEL | AC_DEVICE);
        if (!uses(sub, chpid) || !active || s->lpum != 0x80 >> (u8)(chpid - path_chpid(sub, 0)))
            continue;
        s->marks |= MARK_RESET;
        sub->kicked = true;
        lock_drop(&css->lock);
        chan_schedule(sub);
        lock_take(&css->lock);
    }
}

int css_rchp(struct css *css, u64 gr1)
{
    if (gr1 & 0xffffff00u)
        return CSS_PGM_OPERAND;
    u8 chpid = (u8)gr1;
    lock_take(&css->lock);
    int cc = state_locked(css, chpid) == CSS_CHP_CONFIGURED ? 0 : 3;
    if (cc == 0) {
        programs_reset(css, chpid);
        css_crw_locked(css, CRW_SOLICITED | CRW_RSC_PATH | CRW_ERC_INIT | chpid);
    }
    lock_drop(&css->lock);
    return cc;
}
