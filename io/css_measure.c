/* Channel-subsystem monitoring: measurement blocks of both formats, device-connect times, the
 * extended-measurement word. Principles of Operation chapter 17, channel-subsystem monitoring.
 * Times are taken from the guest's TOD clock; all calls are made with the css lock held. */
#include "io/css_internal.h"

#define UNIT_SHIFT 19 /* TOD units to units of 128 microseconds */
#define BLOCK0_BYTES 32u
#define BLOCK1_BYTES 64u

/* Words of the extended-measurement word, and behind the two counts of a format-1 block. */
enum { CONNECT, PENDING, DISCONNECT, QUEUING, ACTIVE_ONLY, BUSY, RESPONSE };

u64 css_tod(const struct css *css)
{
    return css->ports->tod ? css->ports->tod(css->ctx) : 0;
}

static bool block_wanted(const struct subchannel *sub)
{
    return sub->css->s.schm & 2 && sub->s.pmcw_mode & PMCW_MM_BLOCK;
}

static u64 block_address(const struct subchannel *sub)
{
    if (sub->s.pmcw_chars & PMCW_F)
        return sub->s.mba;
    return sub->css->s.mb_origin + sub->s.mbi * (u64)BLOCK0_BYTES;
}

/* The block can be updated; else a check is logged and the subchannel measured no more. */
static bool block_reachable(struct subchannel *sub)
{
    struct css *css = sub->css;
    u32 bytes = sub->s.pmcw_chars & PMCW_F ? BLOCK1_BYTES : BLOCK0_BYTES;
    u64 abs = block_address(sub);
    if (!storage_host(css->storage, abs, bytes)) {
        sub->s.logout = LOGOUT_MB_PROGRAM;
    } else {
        u8 key = css->s.mb_key;
        if (!key || (storage_key_get(css->storage, abs) & SKEY_ACC) == key)
            return true;
        sub->s.logout = LOGOUT_MB_PROTECTION;
    }
    sub->s.pmcw_mode &= (u8)~PMCW_MM_BLOCK;
    return false;
}

static void add16(struct css *css, u64 abs)
{
    u8 raw[2];
    storage_read(css->storage, abs, raw, sizeof raw);
    be16_store(raw, (u16)(be16_load(raw) + 1));
    storage_write(css->storage, abs, raw, sizeof raw);
}

static void add32(struct css *css, u64 abs, u32 more)
{
    u8 raw[4];
    storage_read(css->storage, abs, raw, sizeof raw);
    be32_store(raw, be32_load(raw) + more);
    storage_write(css->storage, abs, raw, sizeof raw);
}

void measure_start_locked(struct subchannel *sub)
{
    sub->s.tod_start = css_tod(sub->css);
    sub->s.tod_begin = sub->s.tod_wait = sub->s.waited = 0;
    sub->s.logout = 0;
    memset(sub->s.emw, 0, sizeof sub->s.emw);
    if (!block_wanted(sub) || !block_reachable(sub))
        return;
    if (sub->s.pmcw_chars & PMCW_F)
        add32(sub->css, block_address(sub), 1);
    else
        add16(sub->css, block_address(sub));
}

void measure_begin_locked(struct subchannel *sub)
{
    sub->s.tod_begin = css_tod(sub->css);
}

void measure_wait_locked(struct subchannel *sub, bool waits)
{
    struct sub_state *s = &sub->s;
    u64 tod = css_tod(sub->css);
    if (s->tod_wait)
        s->waited += tod - s->tod_wait;
    s->tod_wait = waits ? tod : 0;
}

static void block_update(struct subchannel *sub)
{
    struct css *css = sub->css;
    u64 abs = block_address(sub);
    if (sub->s.pmcw_chars & PMCW_F) {
        add32(css, abs + 4, 1);
        for (unsigned i = CONNECT; i <= RESPONSE; i++)
            add32(css, abs + 8 + i * 4u, sub->s.emw[i]);
        return;
    }
    add16(css, abs + 2);
    for (unsigned i = CONNECT; i <= ACTIVE_ONLY; i++)
        add32(css, abs + 4 + i * 4u, sub->s.emw[i]);
}

void measure_end_locked(struct subchannel *sub)
{
    struct sub_state *s = &sub->s;
    measure_wait_locked(sub, false);
    if (!s->tod_begin)
        return; /* it never began */
    u64 all = css_tod(sub->css) - s->tod_begin;
    bool times = sub->css->s.schm & 1 && s->pmcw_mode & PMCW_MM_CONNECT;
    s->emw[PENDING] = (u32)((s->tod_begin - s->tod_start) >> UNIT_SHIFT);
    s->emw[DISCONNECT] = (u32)(s->waited >> UNIT_SHIFT);
    s->emw[CONNECT] = times ? (u32)((all - s->waited) >> UNIT_SHIFT) : 0;
    if (block_wanted(sub) && block_reachable(sub))
        block_update(sub);
}

int css_schm(struct css *css, u64 gr1, u64 gr2)
{
    if (gr1 & 0x0ffffffcu || (gr1 & 2 && gr2 & 0x1f))
        return CSS_PGM_OPERAND;
    lock_take(&css->lock);
    css->s.schm = gr1 & 3;
    if (gr1 & 2) {
        css->s.mb_origin = gr2;
        css->s.mb_key = (u8)(gr1 >> 28 << 4);
    }
    lock_drop(&css->lock);
    return 0;
}
