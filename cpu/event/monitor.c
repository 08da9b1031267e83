/* MONITOR CALL: interruption or, with the enhanced-monitor facility, counting (PoP chapter 7,
 * "Monitor Call", chapter 6, "Monitor Event").
 * The counting array lies in the home address space: a halfword counter for each monitor code, and
 * behind them all a word for each that takes the carries. Both are updated or neither is; what
 * cannot be counted there is counted at real 268, and nothing is ever interrupted. */
#include "cpu/event/monitor.h"

#include "cpu/event/per.h"
#include "cpu/access.h"

#define LC_ARRAY_ORIGIN 0x100
#define LC_ARRAY_SIZE 0x108
#define LC_EXCEPTION_COUNT 0x10c
#define KEY_ZERO 0

static int home_fetch(struct cpu *c, struct tlb_space *home, u64 va, u8 *p, u64 len)
{
    return access_fetch_space(c, home, va, p, len);
}

/* Count in the array; false when that is not possible. */
static bool array_count(struct cpu *c, u64 code)
{
    const u8 *lc = c->st->base + c->prefix;
    u64 origin = be64_load(lc + LC_ARRAY_ORIGIN) & ~7ull, size = be32_load(lc + LC_ARRAY_SIZE);
    struct tlb_space *home = cpu_space_of(c, c->cr[13], KEY_ZERO);
    u64 low_at = origin + 2 * code, high_at = origin + 2 * size + 4 * code;
    u8 low[2], high[4];
    if (code >= size || home_fetch(c, home, low_at, low, sizeof low))
        return false;
    be16_store(low, (u16)(be16_load(low) + 1));
    if (be16_load(low) == 0) {
        if (home_fetch(c, home, high_at, high, sizeof high) ||
            cpu_translate(c, home, low_at, TLB_STORE))
            return false;
        be32_store(high, be32_load(high) + 1);
        if (per_put_unwatched(c, home, high_at, high, sizeof high))
            return false;
    }
    return per_put_unwatched(c, home, low_at, low, sizeof low) == 0;
}

static void exception_count(struct cpu *c)
{
    u8 count[4];
    storage_read(c->st, c->prefix + LC_EXCEPTION_COUNT, count, sizeof count);
    be32_store(count, be32_load(count) + 1);
    storage_write(c->st, c->prefix + LC_EXCEPTION_COUNT, count, sizeof count);
}

int monitor_call(struct cpu *c, unsigned monitor_class, u64 code)
{
    u64 mask = 0x8000u >> monitor_class;
    if (!(c->cr[8] & mask))
        return 0;
    if ((c->cr[8] & mask << 16) && facility_has(c->set->facilities, FAC_EMON)) {
        c->cannot_wait = true;
        if (!array_count(c, code))
            exception_count(c);
        c->cannot_wait = false;
        return 0;
    }
    c->monitor_class = (u16)monitor_class;
    c->monitor_code = code;
    return PGM_MONITOR;
}
