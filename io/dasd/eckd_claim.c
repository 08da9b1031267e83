/* Extents of channel programs that run at the same time: a base and its aliases work side by side,
 * but where one may write no other touches a track until it is over, as the control unit of a
 * parallel access volume has it. Who comes first goes first; who has to wait keeps no thread.
 * Guarantee: a program sees each track as it is between other programs, never in between. */
#include "io/dasd/eckd_internal.h"

static bool conflict(const struct eckd_claim *a, const struct eckd_claim *b)
{
    return (a->write || b->write) && a->first <= b->last && b->first <= a->last;
}

/** Nothing that came before is in its way. */
static bool grantable_locked(const struct eckd_volume *v, const struct eckd_claim *claim)
{
    for (const struct eckd_claim *c = v->claims; c && c != claim; c = c->next)
        if (conflict(c, claim))
            return false;
    return true;
}

static void append_locked(struct eckd_volume *v, struct eckd_claim *claim)
{
    struct eckd_claim **at = &v->claims;
    while (*at)
        at = &(*at)->next;
    claim->next = NULL;
    *at = claim;
}

static void remove_locked(struct eckd_volume *v, struct eckd_claim *claim)
{
    struct eckd_claim **at = &v->claims;
    while (*at != claim)
        at = &(*at)->next;
    *at = claim->next;
}

/** The tracks that others have written since this device last looked are not in its cache. */
static void catch_up_locked(struct eckd *d)
{
    struct eckd_volume *v = d->v;
    if (d->cached != v->identity || v->writes - d->seen > ECKD_WRITES_NOTED) {
        eckd_forget(d);
        d->cached = v->identity;
        d->seen = v->writes;
    }
    for (; d->seen < v->writes; d->seen++)
        if (v->written[d->seen % ECKD_WRITES_NOTED].by != d)
            eckd_forget_track(d, v->written[d->seen % ECKD_WRITES_NOTED].track);
}

static void fill(struct eckd *d, bool granted)
{
    const struct eckd_state *s = &d->s;
    d->claim.of = d;
    d->claim.first = s->extent ? s->extent_first : 0;
    d->claim.last = s->extent ? s->extent_last : d->v->tracks - 1;
    d->claim.write = !s->extent || (s->file_mask & MASK_WRITE) != MASK_WRITE_NONE;
    d->claim.granted = granted;
    d->claiming = true;
}

bool eckd_claim(struct eckd *d)
{
    if (d->s.claimed)
        return true;
    struct eckd_volume *v = d->v;
    lock_take(&v->lock);
    if (!d->claiming) {
        fill(d, false);
        append_locked(v, &d->claim);
    }
    bool granted = grantable_locked(v, &d->claim);
    d->claim.granted = granted;
    if (granted)
        catch_up_locked(d);
    lock_drop(&v->lock);
    d->s.claimed = granted;
    return granted;
}

/** Those whose turn it is now; the device numbers. */
static u32 next_locked(const struct eckd_volume *v, u16 ready[ECKD_UNITS])
{
    u32 n = 0;
    for (const struct eckd_claim *c = v->claims; c && n < ECKD_UNITS; c = c->next)
        if (!c->granted && grantable_locked(v, c))
            ready[n++] = c->of->devno;
    return n;
}

static u32 take_back(struct eckd *d, u16 ready[ECKD_UNITS])
{
    if (!d->claiming)
        return 0;
    lock_take(&d->v->lock);
    remove_locked(d->v, &d->claim);
    u32 n = next_locked(d->v, ready);
    lock_drop(&d->v->lock);
    d->claiming = false;
    d->s.claimed = 0;
    return n;
}

void eckd_unclaim(struct eckd *d)
{
    u16 ready[ECKD_UNITS];
    u32 n = take_back(d, ready);
    for (u32 i = 0; i < n; i++)
        css_device_ready(d->css, css_find_devno(d->css, ready[i]));
}

void eckd_claim_restore(struct eckd *d, bool granted)
{
    u16 ready[ECKD_UNITS];
    take_back(d, ready);
    if (!granted)
        return;
    lock_take(&d->v->lock);
    fill(d, true);
    append_locked(d->v, &d->claim);
    catch_up_locked(d);
    lock_drop(&d->v->lock);
    d->s.claimed = 1;
}

void eckd_wrote(struct eckd *d, u32 track)
{
    struct eckd_volume *v = d->v;
    lock_take(&v->lock);
    v->written[v->writes % ECKD_WRITES_NOTED].track = track;
    v->written[v->writes++ % ECKD_WRITES_NOTED].by = d;
    lock_drop(&v->lock);
}
