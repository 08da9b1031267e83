/* Translation-lookaside buffer: clearing, purging, and choosing a table set for a space.
 * Owned by the thread that runs the CPU; nobody else touches it. */
#include "mem/tlb.h"

#include "mem/base/ergo.h"

#define ENTRY_GROUP (TLB_ENTRIES / TLB_GROUPS)
#define CODE_GROUP (TLB_CODE_ENTRIES / TLB_GROUPS)
#define INDEX_STEP 0x100u /* pages with one page index follow each other at this distance */

_Static_assert(TLB_GROUPS == 64, "one bit each in a u64");
_Static_assert(TLB_CODE_ENTRIES >= INDEX_STEP && TLB_ENTRIES >= INDEX_STEP, "tlb_drop_index");

/* The next group of *groups, which loses its bit. */
static unsigned group_take(u64 *groups)
{
    unsigned g = (unsigned)__builtin_ctzll(*groups);
    *groups &= *groups - 1;
    return g;
}

static void entries_clear(struct tlb_entry *entry, u64 *groups)
{
    while (*groups) {
        struct tlb_entry *e = &entry[group_take(groups) * ENTRY_GROUP];
        for (unsigned i = 0; i < ENTRY_GROUP; i++)
            e[i].tag = TLB_NONE;
    }
}

static void code_clear(struct tlb_space *sp)
{
    while (sp->code_groups) {
        struct tlb_code_entry *e = &sp->code[group_take(&sp->code_groups) * CODE_GROUP];
        for (unsigned i = 0; i < CODE_GROUP; i++)
            e[i].tag = TLB_NONE;
    }
}

void tlb_space_clear(struct tlb_space *sp)
{
    /* Zero elsewhere matches no page: page 0 is looked for in the first entry, and in the last one
     * by an operand that wraps. */
    if (!sp->prepared)
        sp->fetch_groups = sp->store_groups = sp->code_groups = 1 | 1ull << (TLB_GROUPS - 1);
    sp->prepared = true;
    entries_clear(sp->fetch, &sp->fetch_groups);
    code_clear(sp);
    tlb_space_clear_stores(sp);
    sp->stale = false;
}

/* Epochs of spaces differ by what is less than a step. */
#define EPOCH_STEP 32u
_Static_assert(TLB_SPACES < EPOCH_STEP, "epochs");

static void epoch_end(struct tlb_space *sp)
{
    if (sp->epoch) /* it has been used */
        sp->epoch += EPOCH_STEP;
}

void tlb_epochs_end(struct tlb *tlb)
{
    for (unsigned i = 0; i < TLB_SPACES; i++)
        epoch_end(&tlb->space[i]);
}

void tlb_space_clear_stores(struct tlb_space *sp)
{
    epoch_end(sp);
    entries_clear(sp->store, &sp->store_groups);
    sp->low[0].tag = sp->low[1].tag = TLB_NONE;
}

static void entry_drop(struct tlb_entry *e, u64 host)
{
    if (e->tag != TLB_NONE && e->addend + (e->tag & ~TLB_PREFIXED) == host)
        e->tag = TLB_NONE;
}

void tlb_drop_stores(struct tlb *tlb, u64 host)
{
    tlb_epochs_end(tlb);
    for (unsigned i = 0; i < TLB_SPACES; i++) {
        struct tlb_space *sp = &tlb->space[i];
        u64 groups = sp->store_groups;
        while (groups) {
            struct tlb_entry *e = &sp->store[group_take(&groups) * ENTRY_GROUP];
            for (unsigned k = 0; k < ENTRY_GROUP; k++)
                entry_drop(&e[k], host);
        }
        for (unsigned k = 0; k < ARRAY_LEN(sp->low); k++)
            entry_drop(&sp->low[k], host);
    }
}

void tlb_drop_code(struct tlb *tlb, const void *page)
{
    for (unsigned i = 0; i < TLB_SPACES; i++) {
        struct tlb_space *sp = &tlb->space[i];
        u64 groups = sp->code_groups;
        while (groups) {
            struct tlb_code_entry *e = &sp->code[group_take(&groups) * CODE_GROUP];
            for (unsigned k = 0; k < CODE_GROUP; k++)
                if (e[k].page == page)
                    e[k].tag = TLB_NONE;
        }
    }
}

void tlb_drop_index(struct tlb *tlb, u64 va)
{
    unsigned index = (va >> FRAME_SHIFT) & (INDEX_STEP - 1);
    tlb->drops++;
    tlb_epochs_end(tlb);
    for (unsigned i = 0; i < TLB_SPACES; i++) {
        struct tlb_space *sp = &tlb->space[i];
        if (!sp->prepared)
            continue;
        for (unsigned k = index; k < TLB_ENTRIES; k += INDEX_STEP)
            sp->fetch[k].tag = sp->store[k].tag = TLB_NONE;
        for (unsigned k = index; k < TLB_CODE_ENTRIES; k += INDEX_STEP)
            sp->code[k].tag = TLB_NONE;
        if (index < ARRAY_LEN(sp->low))
            sp->low[index].tag = TLB_NONE;
    }
}

void tlb_purge(struct tlb *tlb)
{
    tlb->drops++;
    tlb_epochs_end(tlb);
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

static struct tlb_space *space_use(struct tlb *tlb, struct tlb_space *sp)
{
    if (sp->stale)
        tlb_space_clear(sp);
    sp->stamp = ++tlb->clock;
    return sp;
}

struct tlb_space *tlb_space_find(struct tlb *tlb, u64 asce, bool dat, u8 key, u8 watched,
                                 bool fetch_only)
{
    u64 attributes = tlb_attributes(dat, key, watched, fetch_only);
    asce = dat ? asce : 0;
    for (unsigned i = 0; i < TLB_SPACES; i++)
        if (tlb->name[i].asce == asce && tlb->name[i].attributes == attributes)
            return space_use(tlb, &tlb->space[i]);
    return NULL;
}

struct tlb_space *tlb_space_get(struct tlb *tlb, u64 asce, bool dat, u8 key, u8 watched,
                                bool fetch_only, struct tlb_space *const *pinned,
                                unsigned pinned_count)
{
    struct tlb_space *sp = tlb_space_find(tlb, asce, dat, key, watched, fetch_only);
    if (sp)
        return sp;
    sp = tlb_space_victim(tlb, pinned, pinned_count);
    if (sp->epoch == 0)
        sp->epoch = (u64)(sp - tlb->space) + 1;
    sp->used = true;
    sp->asce = asce;
    sp->dat = dat;
    sp->fetch_only = fetch_only;
    sp->key = key;
    sp->watched = watched;
    sp->stale = true;
    tlb->name[sp - tlb->space] =
        (struct tlb_name){dat ? asce : 0, tlb_attributes(dat, key, watched, fetch_only)};
    return space_use(tlb, sp);
}
