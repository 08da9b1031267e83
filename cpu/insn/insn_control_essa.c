/* EXTRACT AND SET STORAGE ATTRIBUTES, of the collaborative-memory-management facility: the state of
 * each block as the program uses it (stable, unused, volatile) and what became of its content. The
 * manual does not describe it; sources: Linux (arch/s390/mm/page-states.c, KVM) and its unit tests.
 * A block is resident, or logically zero while it has never been stored into. What an unused block
 * holds is not kept by relocation: it is zeros at the destination, and may be what it was as long
 * as it stays here. So it is dirty when it becomes anything else: nobody may see both.
 * Volatile blocks are never discarded and cause no discard faults. */
#include "cpu/insn/control.h"
#include "mem/dat.h"

enum essa_order {
    ESSA_EXTRACT,
    ESSA_STABLE,
    ESSA_UNUSED,
    ESSA_VOLATILE,
    ESSA_POTENTIALLY_VOLATILE,
    ESSA_STABLE_RESIDENT,
    ESSA_STABLE_IF_RESIDENT,
    ESSA_STABLE_NO_DAT, /* with the no-translate enhancement */
};

/* Register R1: bit 58 no-translate, bits 60-61 usage, bits 62-63 content. */
#define STATE_NO_DAT 0x20u
#define STATE_USAGE_SHIFT 2
#define CONTENT_RESIDENT 0u
#define CONTENT_ZERO 3u

static u8 usage_of(u8 state)
{
    return state & STORAGE_USAGE;
}

/* What becomes of the state `old` by an order; `resident`: the block has content. */
static u8 state_next(enum essa_order order, u8 old, bool resident)
{
    u8 rest = old & ~STORAGE_USAGE;
    switch (order) {
    case ESSA_STABLE: return STORAGE_STABLE;
    case ESSA_UNUSED: return rest | STORAGE_UNUSED;
    case ESSA_VOLATILE: return rest | STORAGE_VOLATILE;
    case ESSA_POTENTIALLY_VOLATILE:
        return rest | (resident ? STORAGE_POTENTIALLY_VOLATILE : STORAGE_VOLATILE);
    case ESSA_STABLE_RESIDENT: return rest | STORAGE_STABLE;
    case ESSA_STABLE_IF_RESIDENT: return resident ? rest | STORAGE_STABLE : old;
    case ESSA_STABLE_NO_DAT: return STORAGE_STABLE | STORAGE_NO_DAT;
    default: return old;
    }
}

int storage_attributes(struct cpu *c, const struct dinsn *d)
{
    enum essa_order order = (enum essa_order)d->r3;
    enum essa_order last =
        has_facility(c, FAC_CMMNT) ? ESSA_STABLE_NO_DAT : ESSA_STABLE_IF_RESIDENT;
    u64 abs = dat_real_to_abs(reg_addr(c, d->r2) & ~(u64)(FRAME_BYTES - 1), c->prefix);
    if (order > last)
        return PGM_SPECIFICATION;
    if (!storage_holds(c->st, abs, FRAME_BYTES))
        return PGM_ADDRESSING;
    bool resident = storage_frame_touched(c->st, abs >> FRAME_SHIFT);
    u8 old = storage_usage_get(c->st, abs), now = state_next(order, old, resident);
    if (now != old)
        storage_usage_set(c->st, abs, now);
    bool again = usage_of(old) == STORAGE_UNUSED && usage_of(now) != STORAGE_UNUSED;
    if (resident ? again : order == ESSA_STABLE_RESIDENT)
        storage_make_resident(c->st, abs);
    c->gr[d->r1] = (old & STORAGE_NO_DAT ? STATE_NO_DAT : 0) |
                   (u64)(old & STORAGE_USAGE) << STATE_USAGE_SHIFT |
                   (resident ? CONTENT_RESIDENT : CONTENT_ZERO);
    return 0;
}
