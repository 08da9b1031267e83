/* I/O interruptions: the queues of pending ones, TPI, TSCH, unsolicited status, CRWs.
 * Principles of Operation chapter 16 (I/O interruptions) and chapter 14 (TSCH, TPI, STCRW). */
#include "io/css_internal.h"

void css_notify_locked(struct css *css)
{
    u8 mask = css->s.adapter;
    for (unsigned isc = 0; isc < 8; isc++)
        if (css->head[isc])
            mask |= 0x80 >> isc;
    css->pending = mask;
    if (css->ports->io_pending)
        css->ports->io_pending(css->ctx, mask);
}

void css_enqueue_locked(struct subchannel *sub)
{
    struct css *css = sub->css;
    if (sub->s.queue_order || !sub_enabled(sub) || sub->foreign)
        return;
    unsigned isc = sub->s.isc;
    sub->s.queue_order = ++css->queue_order;
    sub->next = NULL;
    if (css->tail[isc])
        css->tail[isc]->next = sub;
    else
        css->head[isc] = sub;
    css->tail[isc] = sub;
    css_notify_locked(css);
}

void css_dequeue_locked(struct subchannel *sub)
{
    struct css *css = sub->css;
    if (!sub->s.queue_order)
        return;
    unsigned isc = sub->s.isc;
    struct subchannel *before = NULL;
    for (struct subchannel *at = css->head[isc]; at != sub; at = at->next)
        before = at;
    if (before)
        before->next = sub->next;
    else
        css->head[isc] = sub->next;
    if (css->tail[isc] == sub)
        css->tail[isc] = before;
    sub->next = NULL;
    sub->s.queue_order = 0;
}

static bool take_locked(struct css *css, u8 isc_mask, struct io_interruption *out)
{
    u8 mask = css->pending & isc_mask;
    if (!mask)
        return false;
    unsigned isc = (unsigned)__builtin_clz(mask) - 24;
    struct subchannel *sub = css->head[isc];
    u8 bit = (u8)(0x80 >> isc);
    bool turn = !(css->adapter_had & bit) || !sub; /* one of an adapter, one of a subchannel */
    css->adapter_had &= (u8)~bit;
    if (css->s.adapter & bit && turn) {
        css->adapter_had |= bit;
        css->s.adapter &= (u8)~bit;
        *out = (struct io_interruption){.int_word = IO_INT_ADAPTER | isc << 27};
        css_notify_locked(css);
        return true;
    }
    *out = (struct io_interruption){
        .schid = sub_schid(sub), .parm = sub->s.intparm, .int_word = isc << 27};
    css_dequeue_locked(sub);
    css_notify_locked(css);
    return true;
}

bool css_take_interruption(struct css *css, u8 isc_mask, struct io_interruption *out)
{
    lock_take(&css->lock);
    bool taken = take_locked(css, isc_mask, out);
    lock_drop(&css->lock);
    return taken;
}

int css_tpi(struct css *css, u8 isc_mask, struct io_interruption *out)
{
    return css_take_interruption(css, isc_mask, out) ? 1 : 0;
}

u8 css_pending(struct css *css)
{
    lock_take(&css->lock);
    u8 mask = css->pending;
    lock_drop(&css->lock);
    return mask;
}

void css_present_locked(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    if (!s->unsolicited || !sub_enabled(sub) || s->scsw0 & (FC_ANY | AC_ANY | SC_PENDING))
        return;
    s->scsw0 = SC_ALERT | SC_PENDING;
    s->scsw_ccw = 0;
    s->scsw_count = 0;
    s->scsw_ds = s->unsolicited;
    s->scsw_ss = 0;
    s->unsolicited = 0;
    s->ecw_bytes = 0;
    s->lpum = 0x80;
    css_enqueue_locked(sub);
}

void css_attention(struct css *css, u32 schid, u8 unit_status)
{
    lock_take(&css->lock);
    struct subchannel *sub = css_sub_locked(css, schid);
    bool ends = false; /* a start function that the device has kept pending */
    if (sub_has_device(sub)) {
        sub->s.unsolicited |= unit_status;
        css_present_locked(sub);
        ends = sub->ops->status_first && sub->s.waiting && sub->s.scsw0 & AC_START;
        sub->kicked |= ends;
    }
    lock_drop(&css->lock);
    if (ends)
        chan_schedule(sub);
}

/** Device-connect time of the start function that ended, for ESW format 2. */
static u16 connect_time(const struct css *css, const struct sub_state *s)
{
    if (!(css->s.schm & 1) || !(s->pmcw_mode & PMCW_MM_CONNECT) || !(s->scsw0 & SC_PRIMARY))
        return 0;
    return (u16)(s->emw[0] < 0xffff ? s->emw[0] : 0xffff);
}

static void irb_store(const struct css *css, const struct sub_state *s, u8 *irb)
{
    memset(irb, 0, IRB_BYTES);
    be32_store(irb, s->scsw0);
    be32_store(irb + 4, s->scsw_ccw);
    irb[8] = s->scsw_ds;
    irb[9] = s->scsw_ss;
    be16_store(irb + 10, s->scsw_count);
    irb[13] = s->lpum; /* ESW format 1: the last-path-used mask; 2: and the connect time */
    be16_store(irb + 14, connect_time(css, s));
    if (s->scsw0 & SCSW_L)
        be32_store(irb + 12, s->logout | (u32)s->lpum << 16); /* format 0 */
    if (s->pmcw_chars & PMCW_X)
        for (unsigned i = 0; i < EMW_WORDS; i++)
            be32_store(irb + 64 + i * 4u, s->emw[i]);
    if (s->ecw_bytes) {
        irb[16] = 0x01; /* ERW: concurrent sense, with its count in bits 10-15 */
        irb[17] = s->ecw_bytes;
        memcpy(irb + 32, s->sense, s->ecw_bytes);
    }
}

/** What TSCH clears when status was pending ("TSCH: fields cleared"). */
static void tsch_clear_locked(struct sub_state *s)
{
    u32 was = s->scsw0;
    bool intermediate_only = (was & SC_ANY) == (SC_INTERMEDIATE | SC_PENDING);
    s->scsw0 &= ~SC_ANY;
    if (!intermediate_only || (was & FC_HALT && was & AC_SUSPENDED))
        s->scsw0 &= ~FC_ANY;
    if (!intermediate_only) {
        s->scsw0 &= ~(SCSW_N | AC_RESUME | AC_START | AC_HALT | AC_CLEAR | AC_SUSPENDED);
    } else if (was & AC_SUSPENDED && was & FC_START) {
        s->scsw0 &= ~SCSW_N;
        s->scsw0 &= was & FC_HALT ? ~(AC_RESUME | AC_START | AC_HALT | AC_CLEAR | AC_SUSPENDED)
                                  : ~AC_RESUME;
    }
    s->scsw0 &= ~(SCSW_L | SCSW_Z);
    s->scsw_ss &= intermediate_only ? (u8)~SS_PCI : s->scsw_ss;
    if (s->ecw_bytes) {
        s->scsw0 &= ~SCSW_E;
        s->ecw_bytes = 0;
        memset(s->sense, 0, sizeof s->sense);
    }
}

int css_tsch(struct css *css, u32 schid, u8 irb[IRB_BYTES], size_t *len)
{
    lock_take(&css->lock);
    struct subchannel *sub = css_sub_locked(css, schid);
    if (!sub_has_device(sub) || !sub_enabled(sub)) {
        lock_drop(&css->lock);
        return 3;
    }
    irb_store(css, &sub->s, irb);
    *len = sub->s.pmcw_chars & PMCW_X ? IRB_BYTES : 64;
    bool of_cp = sub->foreign && !(sub->s.scsw0 & (FC_CLEAR | FC_HALT));
    if (of_cp)
        be32_store(irb, sub->s.scsw0 & ~SC_ANY);
    int cc = sub->s.scsw0 & SC_PENDING && !of_cp ? 0 : 1;
    if (cc == 0) {
        if (sub->s.queue_order) {
            css_dequeue_locked(sub);
            css_notify_locked(css);
        }
        tsch_clear_locked(&sub->s);
        css_present_locked(sub);
    }
    lock_drop(&css->lock);
    return cc;
}

int css_stcrw(struct css *css, u8 crw[CRW_BYTES])
{
    lock_take(&css->lock);
    int cc = css->crw_count ? 0 : 1;
    be32_store(crw, cc ? 0 : css->crw[0]);
    if (!cc) {
        css->crw_count--;
        memmove(css->crw, css->crw + 1, css->crw_count * sizeof css->crw[0]);
        if (!css->crw_count && css->ports->mchk_crw)
            css->ports->mchk_crw(css->ctx, false);
    }
    lock_drop(&css->lock);
    return cc;
}
