/* Translation-lookaside buffer: per CPU, one set of tables per address space and access key.
 * An entry exists only when every check has passed: DAT, keys, low-address protection, no code
 * in a frame to be stored into, change recorded. So the fast path is one compare and one add. */
#ifndef ENDICOTT_MEM_TLB_H
#define ENDICOTT_MEM_TLB_H

#include "mem/base/bytes.h"
#include "mem/storage.h"

#define TLB_ENTRIES 4096 /* per kind and space; a power of two */
#define TLB_CODE_ENTRIES 1024
#define TLB_GROUPS                                                                             \
    64 /* entries are cleared and searched by groups, those that were entered into */
#define TLB_SPACES 20 /* address spaces kept per CPU: 16 access registers and some more */
#define TLB_NONE 4ull /* a tag that no page has, and none with the last bit of an odd address */
/* In the tag of a real page: it is prefixed, so the host address is not that of real storage plus
 * the address. Translated code for DAT off adds the constant, and does not match such a tag. */
#define TLB_PREFIXED 2ull

#define TLB_WATCHED_STORES 1u
#define TLB_WATCHED_FETCHES 2u

enum tlb_kind { TLB_FETCH, TLB_STORE, TLB_INSTRUCTION };

struct tlb_entry {
    u64 tag;    /* logical page address, with TLB_PREFIXED perhaps; or TLB_NONE */
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
    bool prepared;           /* was cleared at all: what no group bit names matches nothing */
    u8 key;                  /* access key in bits 0-3 */
    u8 watched;      /* TLB_WATCHED_*: what is looked at each time is not entered (PER) */
    bool fetch_only; /* access-list-controlled protection: no store */
    u64 stamp;       /* for replacement */
    u64 epoch;       /* another one, of all spaces, when translations may be void; never 0 */
    /* one bit a group in which an entry may be: of `fetch`, `store`, `code` */
    u64 fetch_groups, store_groups, code_groups;
};

/** What a space is found by, kept together so that looking for one touches little. */
struct tlb_name {
    u64 asce;       /* 0 without DAT */
    u64 attributes; /* 0: no space; else see tlb_attributes */
};

struct tlb {
    struct tlb_name name[TLB_SPACES];
    struct tlb_space space[TLB_SPACES];
    struct tlb_space unresolved; /* holds nothing: stands for an ALET not yet translated */
    u64 clock;
    u64 drops; /* how often entries were dropped because what they were made from changed */
};

static inline unsigned tlb_index(u64 va)
{
    return (va >> FRAME_SHIFT) & (TLB_ENTRIES - 1);
}

static inline unsigned tlb_code_index(u64 va)
{
    return (va >> FRAME_SHIFT) & (TLB_CODE_ENTRIES - 1);
}

/** Where an entry for va is to be entered. */
static inline struct tlb_entry *tlb_fetch_slot(struct tlb_space *sp, u64 va)
{
    sp->fetch_groups |= 1ull << tlb_index(va) / (TLB_ENTRIES / TLB_GROUPS);
    return &sp->fetch[tlb_index(va)];
}

static inline struct tlb_entry *tlb_store_slot(struct tlb_space *sp, u64 va)
{
    sp->store_groups |= 1ull << tlb_index(va) / (TLB_ENTRIES / TLB_GROUPS);
    return &sp->store[tlb_index(va)];
}

static inline struct tlb_code_entry *tlb_code_slot(struct tlb_space *sp, u64 va)
{
    sp->code_groups |= 1ull << tlb_code_index(va) / (TLB_CODE_ENTRIES / TLB_GROUPS);
    return &sp->code[tlb_code_index(va)];
}

/** Is the entry one for the logical page address? */
static inline bool tlb_has(const struct tlb_entry *e, u64 page)
{
    return (e->tag & ~TLB_PREFIXED) == page;
}

/** Host address for a fetch of len bytes at va, or NULL: ask the slow path. */
static inline u8 *tlb_fetch(const struct tlb_space *sp, u64 va, unsigned len)
{
    const struct tlb_entry *e = &sp->fetch[tlb_index(va)];
    if (likely(tlb_has(e, (va + len - 1) & ~(u64)(FRAME_BYTES - 1))))
        return (u8 *)(uintptr_t)(e->addend + va);
    return NULL;
}

/** Host address for a store of len bytes at va, or NULL: ask the slow path. */
static inline u8 *tlb_store(const struct tlb_space *sp, u64 va, unsigned len)
{
    const struct tlb_entry *e = &sp->store[tlb_index(va)];
    if (likely(tlb_has(e, (va + len - 1) & ~(u64)(FRAME_BYTES - 1))))
        return (u8 *)(uintptr_t)(e->addend + va);
    return NULL;
}

void tlb_space_clear(struct tlb_space *sp);
void tlb_space_clear_stores(struct tlb_space *sp);
/** Drop store entries that lead to the frame at `host`; entries that lead to a page of code. */
void tlb_drop_stores(struct tlb *tlb, u64 host);
void tlb_drop_code(struct tlb *tlb, const void *page);
/** Drop all entries of pages whose page index (bits 44-51 of the address) is that of va. */
void tlb_drop_index(struct tlb *tlb, u64 va);
/** What was taken from entries of data must not be used any more: a new epoch for every space. */
void tlb_epochs_end(struct tlb *tlb);
/** Mark every space stale; those in use must be cleared by the caller before the next access. */
void tlb_purge(struct tlb *tlb);
static inline u64 tlb_attributes(bool dat, u8 key, u8 watched, bool fetch_only)
{
    return 1u | dat << 1 | fetch_only << 2 | (unsigned)key << 8 | (unsigned)watched << 16;
}

/** Find the space (asce, dat, key, watched, fetch_only), or NULL; a stale one is cleared. */
struct tlb_space *tlb_space_find(struct tlb *tlb, u64 asce, bool dat, u8 key, u8 watched,
                                 bool fetch_only);
/** Find or make the space (asce, dat, key, watched, fetch_only); clears a recycled one, never
 *  one of `pinned`. */
struct tlb_space *tlb_space_get(struct tlb *tlb, u64 asce, bool dat, u8 key, u8 watched,
                                bool fetch_only, struct tlb_space *const *pinned,
                                unsigned pinned_count);

#endif
