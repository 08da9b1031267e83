/* Translation-lookaside buffer: per CPU, one set of tables per address space and access key.
 * An entry exists only when every check has passed: DAT, keys, low-address protection, no code
 * in a frame to be stored into, change recorded. So the fast path is one compare and one add. */
#ifndef ENDICOTT_MEM_TLB_H
#define ENDICOTT_MEM_TLB_H

#include "mem/base/bytes.h"
#include "mem/storage.h"

#define TLB_ENTRIES 512 /* per kind and space; a power of two */
#define TLB_CODE_ENTRIES 128
#define TLB_SPACES 20 /* address spaces kept per CPU: 16 access registers and some more */
#define TLB_NONE 1ull /* a tag that no page has */

#define TLB_WATCHED_STORES 1u
#define TLB_WATCHED_FETCHES 2u

enum tlb_kind { TLB_FETCH, TLB_STORE, TLB_INSTRUCTION };

struct tlb_entry {
    u64 tag;    /* logical page address, or TLB_NONE */
    u64 addend; /* host address = addend + logical address */
};

struct tlb_code_entry {
    u64 tag;
    void *page; /* struct code_page */
};

/** One address space as seen with one access key. `asce` is all there is to know of it. */
struct tlb_space {
    struct tlb_entry fetch[TLB_ENTRIES];
    struct tlb_entry store[TLB_ENTRIES];
    struct tlb_code_entry code[TLB_CODE_ENTRIES];
    struct tlb_entry low[2]; /* stores into pages 0 and 1 under low-address protection, which is
                                finer than a page: asked by the slow path after its check */
    u64 asce;                /* when dat */
    bool dat;                /* false: real addresses */
    bool used;               /* holds a space at all */
    bool stale;              /* must be cleared before it is used again */
    u8 key;                  /* access key in bits 0-3 */
    u8 watched;      /* TLB_WATCHED_*: what is looked at each time is not entered (PER) */
    bool fetch_only; /* access-list-controlled protection: no store */
    u64 stamp;       /* for replacement */
};

struct tlb {
    struct tlb_space space[TLB_SPACES];
    struct tlb_space unresolved; /* holds nothing: stands for an ALET not yet translated */
    u64 clock;
};

static inline unsigned tlb_index(u64 va)
{
    return (va >> FRAME_SHIFT) & (TLB_ENTRIES - 1);
}

/** Host address for a fetch of len bytes at va, or NULL: ask the slow path. */
static inline u8 *tlb_fetch(const struct tlb_space *sp, u64 va, unsigned len)
{
    const struct tlb_entry *e = &sp->fetch[tlb_index(va)];
    if (likely(e->tag == ((va + len - 1) & ~(u64)(FRAME_BYTES - 1))))
        return (u8 *)(uintptr_t)(e->addend + va);
    return NULL;
}

/** Host address for a store of len bytes at va, or NULL: ask the slow path. */
static inline u8 *tlb_store(const struct tlb_space *sp, u64 va, unsigned len)
{
    const struct tlb_entry *e = &sp->store[tlb_index(va)];
    if (likely(e->tag == ((va + len - 1) & ~(u64)(FRAME_BYTES - 1))))
        return (u8 *)(uintptr_t)(e->addend + va);
    return NULL;
}

void tlb_space_clear(struct tlb_space *sp);
void tlb_space_clear_stores(struct tlb_space *sp);
/** Mark every space stale; those in use must be cleared by the caller before the next access. */
void tlb_purge(struct tlb *tlb);
/** Find or make the space (asce, dat, key, watched, fetch_only); clears a recycled one, never
 *  one of `pinned`. */
struct tlb_space *tlb_space_get(struct tlb *tlb, u64 asce, bool dat, u8 key, u8 watched,
                                bool fetch_only, struct tlb_space *const *pinned,
                                unsigned pinned_count);

#endif
