/* Translation-lookaside buffer: clearing, purging, and choosing a table set for a space.
 * Owned by the thread that runs the CPU; nobody else touches it. */
#include "mem/tlb.h"

#include "mem/base/ergo.h"

void tlb_space_clear(struct tlb_space *sp)
{
    for (unsigned i = 0; i < TLB_ENTRIES; i++)
        sp->fetch[i].tag = sp->store[i].tag = TLB_NONE;
    for (unsigned i = 0; i < TLB_CODE_ENTRIES; i++)
        sp->code[i].tag = TLB_NONE;
    sp->low[0].tag = sp->low[1].tag = TLB_NONE;
    sp->stale = false;
}

void tlb_space_clear_stores(struct tlb_space *sp)
{
    for (unsigned i = 0; i < TLB_ENTRIES; i++)
        sp->store[i].tag = TLB_NONE;
    sp->low[0].tag = sp->low[1].tag = TLB_NONE;
}

void tlb_purge(struct tlb *tlb)
{
    for (unsigned i = 0; i < TLB_SPACES; i++)
        tlb->space[i].stale = true;
}

static bool is_pinned(const struct tlb_space *sp, struct tlb_space *const *pinned, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (pinned[i] == sp)
            return true;
    return false;
}

static struct tlb_space *tlb_space_victim(struct tlb *tlb, struct tlb_space *const *pinned,
                                          unsigned n)
{
    struct tlb_space *victim = NULL;
    for (unsigned i = 0; i < TLB_SPACES; i++) {
        struct tlb_space *sp = &tlb->space[i];
        if (!sp->used)
            return sp;
        if (!is_pinned(sp, pinned, n) && (!victim || sp->stamp < victim->stamp))
            victim = sp;
    }
    ERGO(victim != NULL);
    return victim;
}

struct tlb_space *tlb_space_get(struct tlb *tlb, u64 asce, bool dat, u8 key, u8 watched,
                                bool fetch_only, struct tlb_space *const *pinned,
                                unsigned pinned_count)
{
    struct tlb_space *sp = NULL;
    for (unsigned i = 0; i < TLB_SPACES && !sp; i++) {
        struct tlb_space *s = &tlb->space[i];
        if (s->used && s->dat == dat && s->key == key && s->watched == watched &&
            s->fetch_only == fetch_only && (!dat || s->asce == asce))
            sp = s;
    }
    if (!sp) {
        sp = tlb_space_victim(tlb, pinned, pinned_count);
        sp->used = true;
        sp->asce = asce;
        sp->dat = dat;
        sp->fetch_only = fetch_only;
        sp->key = key;
        sp->watched = watched;
        sp->stale = true;
    }
    if (sp->stale)
        tlb_space_clear(sp);
    sp->stamp = ++tlb->clock;
    return sp;
}
