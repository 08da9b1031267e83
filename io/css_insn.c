/* The I/O instructions on subchannels, but for TSCH and TPI (css_int.c) and CHSC (chsc.c).
 * Principles of Operation chapter 14. Condition codes are decided under the lock. */
#include "io/css_internal.h"

static int finish(struct css *css, int cc)
{
    lock_drop(&css->lock);
    return cc;
}

static struct subchannel *enter(struct css *css, u32 schid)
{
    lock_take(&css->lock);
    return css_sub_locked(css, schid);
}

bool css_schid_valid(struct css *css, u32 schid)
{
    lock_take(&css->lock);
    u32 sets = css->s.sets ? (CSS_SETS - 1) << SCHID_SET_SHIFT : 0;
    lock_drop(&css->lock);
    return (schid & 0xffff0000u & ~sets) == SCHID_ONE;
}

/* For instructions that want a device and an enabled subchannel: NULL, and what the instruction
 * answers, if they are not there; else the lock is held. */
static struct subchannel *enter_enabled(struct css *css, u32 schid, int *answer)
{
    *answer = CSS_PGM_OPERAND;
    if (!css_schid_valid(css, schid))
        return NULL;
    struct subchannel *sub = enter(css, schid);
    if (sub_has_device(sub) && sub_enabled(sub))
        return sub;
    *answer = finish(css, 3);
    return NULL;
}

bool css_orb_extended(const u8 orb[ORB_SHORT_BYTES])
{
    return be32_load(orb + 4) & ORB_X;
}

static bool orb_valid(const u8 *orb)
{
    u32 flags = be32_load(orb + 4);
    if (flags & (ORB_RESERVED | ORB_B) || be32_load(orb + 8) & 0x80000000u)
        return false;
    if (!css_orb_extended(orb))
        return true;
    return !(be32_load(orb + 12) & ORB_PRIORITY_RESERVED) && !be32_load(orb + 16) &&
           !be32_load(orb + 20) && !be32_load(orb + 24) && !be32_load(orb + 28);
}

int css_ssch(struct css *css, u32 schid, const u8 orb[ORB_BYTES])
{
    struct subchannel *left;
    int cc = css_ssch_left(css, schid, orb, &left);
    if (left)
        css_attempt_not(left);
    return cc;
}

int css_ssch_left(struct css *css, u32 schid, const u8 orb[ORB_BYTES], struct subchannel **left)
{
    *left = NULL;
    if (!css_schid_valid(css, schid) || !orb_valid(orb))
        return CSS_PGM_OPERAND;
    struct subchannel *sub = enter(css, schid);
    if (!sub_has_device(sub) || !sub_enabled(sub))
        return finish(css, 3);
    struct sub_state *s = &sub->s;
    if (s->scsw0 & SC_PENDING)
        return finish(css, 1);
    if (s->scsw0 & FC_ANY)
        return finish(css, 2);
    u32 flags = be32_load(orb + 4);
    if (!((flags & ORB_LPM) >> 8 & s->pom & path_available_locked(sub)))
        return finish(css, 3);
    s->intparm = be32_load(orb);
    s->orb_flags = flags;
    s->lpm = (u8)(flags >> 8);
    s->next_ccw = be32_load(orb + 8);
    s->scsw0 = (flags & SCSW_ORB) | FC_START | AC_START;
    s->scsw_ccw = s->next_ccw;
    s->scsw_ds = s->scsw_ss = 0;
    s->scsw_count = 0;
    s->chained = s->previous = s->accepted = s->marks = 0;
    measure_start_locked(sub);
    bool pays = chan_attempt_pays_locked(sub);
    if (pays && chan_claim_locked(sub))
        *left = sub;
    finish(css, 0);
    if (!pays)
        chan_schedule(sub);
    return 0;
}

int css_hsch(struct css *css, u32 schid)
{
    int cc;
    struct subchannel *sub = enter_enabled(css, schid, &cc);
    if (!sub)
        return cc;
    struct sub_state *s = &sub->s;
    u32 sc = s->scsw0 & SC_ANY;
    if (sc == SC_PENDING || sc & (SC_ALERT | SC_PRIMARY | SC_SECONDARY))
        return finish(css, 1);
    if (s->scsw0 & (FC_HALT | FC_CLEAR))
        return finish(css, 2);
    s->scsw0 &= ~(SC_INTERMEDIATE | SC_PENDING);
    css_dequeue_locked(sub);
    css_notify_locked(css);
    s->scsw0 |= FC_HALT | AC_HALT;
    finish(css, 0);
    chan_schedule(sub);
    return 0;
}

int css_csch(struct css *css, u32 schid)
{
    int cc;
    struct subchannel *sub = enter_enabled(css, schid, &cc);
    if (!sub)
        return cc;
    css_dequeue_locked(sub);
    css_notify_locked(css);
    sub->s.scsw0 &= ~(FC_ANY | AC_ANY | SC_ANY);
    sub->s.scsw0 |= FC_CLEAR | AC_CLEAR;
    finish(css, 0);
    chan_schedule(sub);
    return 0;
}

int css_rsch(struct css *css, u32 schid)
{
    int cc;
    struct subchannel *sub = enter_enabled(css, schid, &cc);
    if (!sub)
        return cc;
    struct sub_state *s = &sub->s;
    if (s->scsw0 & SC_PENDING)
        return finish(css, 1);
    if ((s->scsw0 & FC_ANY) != FC_START || s->scsw0 & AC_RESUME || !(s->orb_flags & ORB_S))
        return finish(css, 2);
    s->scsw0 |= AC_RESUME;
    measure_start_locked(sub);
    finish(css, 0);
    chan_schedule(sub);
    return 0;
}

int css_xsch(struct css *css, u32 schid)
{
    int cc;
    struct subchannel *sub = enter_enabled(css, schid, &cc);
    if (!sub)
        return cc;
    struct sub_state *s = &sub->s;
    if (s->scsw0 & SC_PENDING)
        return finish(css, 1);
    bool waits = s->scsw0 & (AC_START | AC_RESUME | AC_SUSPENDED);
    if ((s->scsw0 & FC_ANY) != FC_START || !waits || s->scsw0 & (AC_SUBCHANNEL | AC_DEVICE) ||
        sub->executing)
        return finish(css, 2);
    s->scsw0 &= ~(FC_ANY | AC_ANY);
    s->waiting = 0;
    bool under_way = s->active; /* the device gives up what it holds on a thread of its own */
    finish(css, 0);
    if (under_way)
        chan_schedule(sub);
    return 0;
}

int css_stsch(struct css *css, u32 schid, u8 schib[SCHIB_BYTES])
{
    if (!css_schid_valid(css, schid))
        return CSS_PGM_OPERAND;
    struct subchannel *sub = enter(css, schid);
    if (!sub)
        return finish(css, 3);
    memset(schib, 0, SCHIB_BYTES);
    if (!sub_has_device(sub))
        return finish(css, 0);
    const struct sub_state *s = &sub->s;
    be32_store(schib, s->intparm);
    schib[4] = (u8)(s->isc << 3);
    schib[5] = s->pmcw_mode | PMCW_V;
    be16_store(schib + 6, s->devno);
    schib[8] = s->lpm;
    schib[9] = s->pnom;
    schib[10] = s->lpum;
    schib[11] = path_installed(sub);
    be16_store(schib + 12, s->mbi);
    schib[14] = s->pom;
    schib[15] = path_available_locked(sub);
    for (unsigned path = 0; path < 8; path++)
        if (schib[11] & 0x80 >> path)
            schib[16 + path] = path_chpid(sub, path);
    schib[27] = s->pmcw_chars;
    be32_store(schib + 28, s->scsw0);
    be32_store(schib + 32, s->scsw_ccw);
    schib[36] = s->scsw_ds;
    schib[37] = s->scsw_ss;
    be16_store(schib + 38, s->scsw_count);
    be64_store(schib + 40, s->mba);
    return finish(css, 0);
}

static bool schib_valid(const u8 *schib)
{
    u8 chars = schib[27];
    return !(schib[4] & ~PMCW_ISC) && (schib[5] & PMCW_LM) != PMCW_LM && !schib[24] &&
           !schib[25] && !schib[26] && !(chars & ~(PMCW_F | PMCW_X | PMCW_S)) &&
           !(chars & PMCW_F && schib[47] & 0x3f);
}

int css_msch(struct css *css, u32 schid, const u8 schib[SCHIB_BYTES])
{
    if (!css_schid_valid(css, schid) || !schib_valid(schib))
        return CSS_PGM_OPERAND;
    struct subchannel *sub = enter(css, schid);
    if (!sub)
        return finish(css, 3);
    if (!sub_has_device(sub))
        return finish(css, 0);
    struct sub_state *s = &sub->s;
    if (s->scsw0 & SC_PENDING)
        return finish(css, 1);
    if (s->scsw0 & FC_ANY)
        return finish(css, 2);
    s->intparm = be32_load(schib);
    s->isc = schib[4] >> 3;
    s->pmcw_mode = schib[5] & (PMCW_E | PMCW_LM | PMCW_MM | PMCW_D);
    s->lpm = schib[8];
    s->mbi = be16_load(schib + 12);
    s->pom = schib[14];
    s->pmcw_chars = schib[27];
    s->mba = schib[27] & PMCW_F ? be64_load(schib + 40) : 0;
    css_present_locked(sub);
    return finish(css, 0);
}

int css_sal(struct css *css, u64 gr1)
{
    if (gr1 & 0x8000ffffu)
        return CSS_PGM_OPERAND;
    lock_take(&css->lock);
    css->s.limit = (u32)gr1;
    lock_drop(&css->lock);
    return 0;
}

int css_stcps(struct css *css, u8 status[32])
{
    (void)css;
    memset(status, 0, 32);
    return 0;
}
