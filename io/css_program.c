/* Channel programs that CP runs for a guest (DIAGNOSE X'20', A8, 250). The thread that asks runs
 * them; the guest sees no interruption, and of the subchannel nothing but that it is busy.
 * Guarantee: what the guest has set and what waits to be told to it is afterwards as it was before;
 * but when it clears or halts the subchannel meanwhile the program ends, and the status is that of
 * the clear or halt function. */
#include "io/css_internal.h"

#define STEPS_MAX 1000000ul /* CCWs; more of them never end */

/* Nobody is in the subchannel; false: its device is gone, or it has a program of the guest's that
 * waits for something. */
static bool free_locked(struct css *css, u32 device, struct subchannel **out)
{
    for (;;) {
        struct subchannel *sub = css_device_locked(css, device);
        if (!sub_has_device(sub))
            return false;
        if (!sub->executing && !sub->foreign && !css->quiesced) {
            *out = sub;
            return true;
        }
        lock_wait(&css->idle, &css->lock);
    }
}

static void begin_locked(struct subchannel *sub, const struct css_program *p)
{
    struct sub_state *s = &sub->s;
    sub->foreign = p;
    s->orb_flags = p->orb_flags | ORB_LPM;
    s->next_ccw = p->ccw;
    s->scsw0 = FC_START | AC_START;
    s->scsw_ds = s->scsw_ss = s->unsolicited = 0;
    s->scsw_count = 0;
    s->chained = s->previous = s->accepted = s->marks = 0;
    s->sense_bytes = s->ecw_bytes = 0;
    s->pmcw_mode &= (u8)~PMCW_MM; /* not the guest's to be measured */
    s->pmcw_chars &= (u8)~PMCW_S;
}

static void end_locked(struct subchannel *sub, const struct sub_state *before,
                       struct css_program *p)
{
    const struct sub_state now = sub->s;
    bool taken = now.scsw0 & (FC_CLEAR | FC_HALT);
    p->unit_status = now.scsw_ds;
    p->channel_status = now.scsw_ss;
    p->residual = now.scsw_count;
    p->ccw_end = now.scsw_ccw;
    p->sense_bytes = now.sense_bytes;
    memcpy(p->sense, now.sense, sizeof p->sense);
    sub->s = *before;
    sub->s.unsolicited |= now.unsolicited;
    if ((now.scsw0 & SCSW_CC) == SCSW_CC_STATUS) /* for the guest to hear */
        sub->s.unsolicited |= now.scsw_ds & (u8)~DS_BUSY;
    sub->foreign = NULL;
    if (taken) {
        sub->s.scsw0 = now.scsw0;
        sub->s.scsw_ds = now.scsw_ds;
        sub->s.scsw_ss = sub->s.pnom = 0;
    }
    if (taken && now.scsw0 & SC_PENDING)
        css_enqueue_locked(sub);
    css_present_locked(sub);
}

/* The program is over, or given up when the device waits for something. Nobody else has a turn
 * meanwhile: one that the device wakes would go on with it. */
static enum css_run over(struct subchannel *sub, const struct sub_state *before,
                         struct css_program *p)
{
    struct css *css = sub->css;
    lock_take(&css->lock);
    while (sub->executing)
        lock_wait(&css->idle, &css->lock);
    chan_turn_begin_locked(sub);
    u32 scsw0 = sub->s.scsw0;
    bool ended = scsw0 & SC_SECONDARY && !(scsw0 & (FC_CLEAR | FC_HALT | SCSW_CC));
    if (sub->s.active && sub->ops->cancel) {
        lock_drop(&css->lock);
        sub->ops->cancel(sub->dev);
        lock_take(&css->lock);
    }
    end_locked(sub, before, p);
    bool again = chan_turn_end_locked(sub);
    lock_drop(&css->lock);
    if (again)
        chan_schedule(sub);
    if (ended)
        return CSS_RUN_DONE;
    return (scsw0 & SCSW_CC) == SCSW_CC ? CSS_RUN_NO_DEVICE : CSS_RUN_BUSY;
}

enum css_run css_run(struct css *css, u32 device, struct css_program *p)
{
    struct subchannel *sub;
    lock_take(&css->lock);
    if (!free_locked(css, device, &sub)) {
        lock_drop(&css->lock);
        return CSS_RUN_NO_DEVICE;
    }
    if (sub->s.active || sub->s.scsw0 & (FC_ANY | AC_ANY | SC_ANY)) {
        lock_drop(&css->lock);
        return CSS_RUN_BUSY;
    }
    const struct sub_state before = sub->s;
    begin_locked(sub, p);
    lock_drop(&css->lock);
    chan_execute(sub, STEPS_MAX);
    return over(sub, &before, p);
}
