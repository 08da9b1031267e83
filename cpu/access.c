/* Slow paths of storage access: translation, every protection check, TLB entries, purging.
 * Guarantees: an entry made here means that no check is left to do for that page and kind; a
 * frame that may be stored into through an entry is marked dirty in the current epoch.
 * Sources: PoP chapter 3, "Protection", "Translation-Lookaside Buffer", "Access Exceptions". */
#include <sched.h>

#include "cpu/linkage/art.h"
#include "cpu/insn/control.h"
#include "cpu/event/per.h"
#include "cpu/jit/lockstep.h"
#include "mem/dat.h"
#include "mem/storage_source.h"

#define LAP_BYTES 512u /* at effective 0 and 4096 */
#define ASCE_PRIVATE 0x100u

/* TEID (PoP chapter 3, "Assigned Storage Locations", real 168-175): bits 52-53 tell fetch from
 * store, 56, 60 and 61 the kind of protection. */
#define TEID_FETCH 0x800u
#define TEID_STORE 0x400u
#define TEID_LOW_ADDRESS 0x80u
#define TEID_KEY 8u
#define TEID_DAT 4u
#define TEID_LIST 0xcu /* access-list-controlled */
#define TEID_EXECUTE 0x84u
#define PARTS_MAX 4
#define OVERRIDE_BYTES 2048u /* how far fetch-protection override reaches */

static struct tlb_space *space_make(struct cpu *c, u64 asce, bool dat, bool fetch_only, u8 key,
                                    u8 watched)
{
    struct tlb_space *pinned[18];
    unsigned n = 0;
    _Static_assert(TLB_SPACES >= 20, "all pinned, and three of one instruction besides");
    for (unsigned i = 0; i < 17; i++)
        if (c->space[i] && (n == 0 || pinned[n - 1] != c->space[i]))
            pinned[n++] = c->space[i];
    if (c->ispace)
        pinned[n++] = c->ispace;
    return tlb_space_get(c->tlb, asce, dat, key, watched, fetch_only, pinned, n);
}

static struct tlb_space *space_get(struct cpu *c, u64 asce, bool dat, bool fetch_only, u8 key)
{
    u8 watched = c->watch & WATCH_ZERO     ? TLB_WATCHED_STORES | TLB_WATCHED_FETCHES
                 : c->watch & WATCH_STORES ? TLB_WATCHED_STORES
                                           : 0;
    struct tlb_space *sp = tlb_space_find(c->tlb, asce, dat, key, watched, fetch_only);
    return likely(sp != NULL) ? sp : space_make(c, asce, dat, fetch_only, key, watched);
}

struct tlb_space *cpu_space_of(struct cpu *c, u64 asce, u8 key)
{
    return space_get(c, asce, true, false, key & SKEY_ACC);
}

struct tlb_space *cpu_space_fetch_only(struct cpu *c, u64 asce, u8 key)
{
    return space_get(c, asce, true, true, key & SKEY_ACC);
}

struct tlb_space *cpu_space_real(struct cpu *c)
{
    return space_get(c, 0, false, false, c->access_key);
}

/* An access register is translated when it is first used: what stands in those that are not
 * used does no harm. */
static struct tlb_space *space_unresolved(struct cpu *c)
{
    struct tlb_space *sp = &c->tlb->unresolved;
    if (!sp->used)
        tlb_space_clear(sp);
    sp->used = true;
    return sp;
}

void cpu_select_spaces(struct cpu *c)
{
    struct tlb_space *data;
    unsigned as = (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
    if (!(c->psw.mask & PSW_DAT)) {
        data = c->ispace = cpu_space_real(c);
    } else {
        static const u8 cr_of[4] = {1, 1, 7, 13};
        data = cpu_space_of(c, c->cr[cr_of[as]], c->access_key);
        c->ispace = as == AS_SECONDARY ? cpu_space_of(c, c->cr[1], c->access_key) : data;
    }
    for (unsigned i = 0; i < 17; i++)
        c->space[i] = data;
    if ((c->psw.mask & PSW_DAT) && as == AS_AR)
        for (unsigned i = 1; i < 16; i++)
            if (c->ar[i])
                c->space[i] = space_unresolved(c);
}

int cpu_operand_space(struct cpu *c, unsigned b)
{
    if (likely(c->space[b] != &c->tlb->unresolved))
        return 0;
    struct tlb_space *sp;
    TRY(art_space(c, b, c->access_key, &sp));
    c->space[b] = sp;
    return 0;
}

int cpu_operand_blame(struct cpu *c, unsigned b, int rc)
{
    if (likely(rc == 0) || !cpu_ar_mode(c))
        return rc;
    c->exc_ar = b & 15;
    c->teid = (c->teid & ~3ull) | AS_AR;
    return rc;
}

static u32 alet_of(const struct cpu *c, unsigned b)
{
    return b & 15 ? c->ar[b & 15] : 0;
}

/* In the access-register mode the registers are compared (PoP chapter 7, "MOVE LONG"), translated
 * or not: an instruction that goes on finds what it found when it began. */
bool cpu_same_space(const struct cpu *c, unsigned b1, unsigned b2)
{
    return cpu_ar_mode(c) ? alet_of(c, b1) == alet_of(c, b2) : c->space[b1] == c->space[b2];
}

/** Address-space identification of TEID bits 62-63. */
static unsigned teid_space(const struct cpu *c, const struct tlb_space *sp)
{
    unsigned as = (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
    static const u8 cr_of[4] = {1, 1, 7, 13};
    if (!sp->dat)
        return 0;
    if (as != AS_AR && sp->asce == c->cr[cr_of[as]])
        return as;
    if (as == AS_AR && sp == c->space[0])
        return AS_PRIMARY;
    return sp->asce == c->cr[1]    ? 0u
           : sp->asce == c->cr[7]  ? 2u
           : sp->asce == c->cr[13] ? 3u
                                   : 1u;
}

unsigned access_space_id(const struct cpu *c, const struct tlb_space *sp)
{
    return teid_space(c, sp);
}

static bool low_address_protected(const struct cpu *c, const struct tlb_space *sp, u64 va)
{
    if (!(c->cr[0] & CR0_LAP) || (va & ~0x11ffull))
        return false;
    return !(sp->dat && (sp->asce & ASCE_PRIVATE));
}

/* `skey` as in a storage key: of the frame, or of the table entry that designates it. */
static bool key_allows(const struct cpu *c, const struct tlb_space *sp, u64 va, u8 skey,
                       enum tlb_kind kind)
{
    if (sp->key == 0 || (skey & SKEY_ACC) == sp->key)
        return true;
    if ((c->cr[0] & CR0_STORAGE_OVERRIDE) && (skey & SKEY_ACC) == 0x90)
        return true;
    if (kind == TLB_STORE)
        return false;
    if (!(skey & SKEY_F))
        return true;
    return (c->cr[0] & CR0_FETCH_OVERRIDE) && va < OVERRIDE_BYTES &&
           !(sp->dat && (sp->asce & ASCE_PRIVATE));
}

/* Fetch-protection override ends inside this page. */
static bool override_page(const struct cpu *c, const struct tlb_space *sp, u64 page)
{
    return page == 0 && sp->key && (c->cr[0] & CR0_FETCH_OVERRIDE);
}

/* Bytes from `ea` on for which one look at the page is enough. */
static u64 checked_bytes(const struct cpu *c, const struct tlb_space *sp, u64 ea)
{
    if (ea < OVERRIDE_BYTES && override_page(c, sp, 0))
        return OVERRIDE_BYTES - ea;
    return FRAME_BYTES - (ea & (FRAME_BYTES - 1));
}

/* A protection exception, with what the TEID says about it. */
static int protected(struct cpu *c, unsigned how)
{
    c->teid |= how;
    return PGM_PROTECTION;
}

/* Instructions wait when they may be seen to be begun and not ended: who sees what one does step by
 * step (PER, lockstep) would see it twice. */
static bool can_wait(const struct cpu *c)
{
    return !c->watch && !c->lockstep && !c->cannot_wait && atomic_load(&c->in_run);
}

/* Is it on its way, and does somebody want to be told? */
static bool absent(struct cpu *c, u64 abs, enum tlb_kind kind)
{
    c->absent_at = abs;
    return kind != TLB_INSTRUCTION && can_wait(c) &&
           (psw_mask(c) & c->absence.select) == c->absence.compare &&
           external_service_enabled(c) && storage_source_awaits(c->st, abs);
}

/** Logical to absolute with every protection; 0 or a program-interruption code. */
static int logical_to_abs(struct cpu *c, const struct tlb_space *sp, u64 va, enum tlb_kind kind,
                          u64 *abs)
{
    struct dat_result found = {.real = va};
    if (sp->dat) {
        struct dat_walk walk;
        control_walk(c, sp->asce, &walk);
        TRY(dat_translate(c->st, &walk, va, &found));
        if (kind == TLB_STORE && sp->fetch_only)
            return protected(c, TEID_LIST);
        if (kind == TLB_STORE && found.protect)
            return protected(c, TEID_DAT);
        if (kind == TLB_INSTRUCTION && found.no_execute)
            return protected(c, TEID_EXECUTE);
    }
    *abs = dat_real_to_abs(found.real, c->prefix);
    if (unlikely(c->absence.on && c->st->awaited) && absent(c, *abs, kind))
        return CPU_ABSENT;
    if (!storage_holds(c->st, *abs, 1))
        return PGM_ADDRESSING;
    if (kind == TLB_STORE && unlikely(!storage_storable(c->st, *abs, 1)))
        return protected(c, TEID_DAT);
    u8 skey = found.has_acc ? found.acc : storage_key_get(c->st, *abs);
    return key_allows(c, sp, va, skey, kind) ? 0 : protected(c, TEID_KEY);
}

/* What the TEID says of any access exception. */
static u64 teid_of(const struct cpu *c, const struct tlb_space *sp, u64 va, enum tlb_kind kind)
{
    u64 teid = (va & ~(u64)(FRAME_BYTES - 1)) | teid_space(c, sp);
    if (has_facility(c, FAC_AEFSI))
        teid |= kind == TLB_STORE ? TEID_STORE : TEID_FETCH;
    return teid;
}

bool cpu_override_page(const struct cpu *c, u64 page)
{
    return override_page(c, c->ispace, page);
}

/* Of a real page that prefixing leads elsewhere. */
static u64 prefixed(const struct tlb_space *sp, u64 page, u64 abs)
{
    return !sp->dat && (page ^ abs) >> FRAME_SHIFT ? TLB_PREFIXED : 0;
}

static void tlb_enter(struct cpu *c, struct tlb_space *sp, u64 va, u64 abs, enum tlb_kind kind)
{
    u64 page = va & ~(u64)(FRAME_BYTES - 1);
    struct tlb_entry *e;
    if (kind == TLB_STORE) {
        if (sp->watched ||
            atomic_load_explicit(&c->st->code[abs >> FRAME_SHIFT], memory_order_relaxed))
            return; /* stores must reach storage_code_stored */
        if (page <= FRAME_BYTES && (c->cr[0] & CR0_LAP))
            e = &sp->low[page >> FRAME_SHIFT];
        else
            e = tlb_store_slot(sp, va);
    } else if ((sp->watched & TLB_WATCHED_FETCHES) || override_page(c, sp, page)) {
        return;
    } else {
        e = tlb_fetch_slot(sp, va);
    }
    e->tag = page | prefixed(sp, page, abs);
    e->addend = (u64)(uintptr_t)(c->st->base + (abs & ~(u64)(FRAME_BYTES - 1))) - page;
    if (kind == TLB_STORE && unlikely(c->lockstep != NULL))
        lockstep_store_entry(c, e);
}

void cpu_absence_set(struct cpu *c, const struct cpu_absence *when)
{
    c->absence = *when;
}

u64 cpu_absent_at(const struct cpu *c)
{
    return c->absent_at;
}

/* A rationed store that cannot wait owes the token, and the CPU waits behind the instruction. */
int cpu_store_begins(struct cpu *c, u64 abs)
{
    if (storage_rationed(c->st) && can_wait(c))
        return storage_mark_frame_rationed(c->st, abs) ? 0 : CPU_RATIONED;
    storage_mark_frame(c->st, abs);
    return 0;
}

int cpu_translate(struct cpu *c, struct tlb_space *sp, u64 va, enum tlb_kind kind)
{
    u64 abs = 0, page = va & ~(u64)(FRAME_BYTES - 1);
    if (kind == TLB_STORE && page <= FRAME_BYTES &&
        tlb_has(&sp->low[page >> FRAME_SHIFT], page) && !low_address_protected(c, sp, va)) {
        c->scratch = sp->low[page >> FRAME_SHIFT].addend + va - (u64)(uintptr_t)c->st->base;
        return 0;
    }
    c->teid = teid_of(c, sp, va, kind);
    c->exc_ar = c->op_access_id = 0;
    if (kind == TLB_STORE && low_address_protected(c, sp, va))
        return protected(c, TEID_LOW_ADDRESS);
    TRY(logical_to_abs(c, sp, va, kind, &abs));
    if (kind == TLB_STORE)
        TRY(cpu_store_begins(c, abs));
    else
        storage_key_reference(c->st, abs);
    if (kind != TLB_INSTRUCTION)
        tlb_enter(c, sp, va, abs, kind);
    c->scratch = abs;
    return 0;
}

/* ---- operands that may cross pages ---- */

struct part {
    u64 abs;
    u64 len;
};

/* Absolute address of a stretch in one page: what the TLB has needs no other look. */
static int translate_part(struct cpu *c, struct tlb_space *sp, u64 ea, u64 len,
                          enum tlb_kind kind, u64 *abs)
{
    const u8 *p = NULL;
    if (kind != TLB_INSTRUCTION)
        p = kind == TLB_STORE ? tlb_store(sp, ea, (unsigned)len)
                              : tlb_fetch(sp, ea, (unsigned)len);
    if (!p)
        TRY(cpu_translate(c, sp, ea, kind));
    *abs = p ? (u64)(p - c->st->base) : c->scratch;
    return 0;
}

/** Translate [ea, ea+len) page by page; `parts` gets at most PARTS_MAX stretches. */
static int translate_parts(struct cpu *c, struct tlb_space *sp, u64 ea, u64 len,
                           enum tlb_kind kind, struct part *parts, unsigned *count)
{
    *count = 0;
    while (len) {
        u64 room = checked_bytes(c, sp, ea);
        u64 n = len < room ? len : room;
        ERGO(*count < PARTS_MAX);
        parts[*count].len = n;
        TRY(translate_part(c, sp, ea, n, kind, &parts[*count].abs));
        ++*count;
        len -= n;
        ea = (ea + n) & c->amask;
    }
    return 0;
}

static bool frame_has_code(const struct cpu *c, u64 abs)
{
    return atomic_load_explicit(&c->st->code[abs >> FRAME_SHIFT], memory_order_relaxed) != 0;
}

int access_fetch_space(struct cpu *c, struct tlb_space *sp, u64 ea, void *dst, u64 len)
{
    struct part parts[PARTS_MAX];
    unsigned n;
    TRY(translate_parts(c, sp, ea, len, TLB_FETCH, parts, &n));
    u8 *d = dst;
    for (unsigned i = 0; i < n; d += parts[i++].len)
        memcpy(d, c->st->base + parts[i].abs, parts[i].len);
    return 0;
}

int access_fetch_insn(struct cpu *c, u64 ea, void *dst, u64 len)
{
    struct part parts[PARTS_MAX];
    unsigned n;
    if (c->cr[0] &
        CR0_IEP) /* asked apart: what is entered for fetching is asked this no more */
        TRY(translate_parts(c, c->ispace, ea, len, TLB_INSTRUCTION, parts, &n));
    return access_fetch_space(c, c->ispace, ea, dst, len);
}

/* PER looks at a store. */
static void operand_watched(struct cpu *c, const struct tlb_space *sp, unsigned b, u64 ea,
                            u64 len, bool certain)
{
    per_stored(c, sp, b, ea, len, certain);
    per_addressed(c, sp, b);
}

/* Store through base register b, 16 when there is none. */
static int operand_put(struct cpu *c, struct tlb_space *sp, unsigned b, u64 ea, const void *src,
                       u64 len)
{
    struct part parts[PARTS_MAX];
    unsigned n;
    TRY(translate_parts(c, sp, ea, len, TLB_STORE, parts, &n));
    if (unlikely(sp->watched) && len)
        operand_watched(c, sp, b, ea, len, true);
    const u8 *s = src;
    for (unsigned i = 0; i < n; s += parts[i++].len) {
        memcpy(c->st->base + parts[i].abs, s, parts[i].len);
        if (frame_has_code(c, parts[i].abs))
            storage_code_stored(c->st, parts[i].abs, parts[i].len);
    }
    return 0;
}

int access_put_space(struct cpu *c, struct tlb_space *sp, u64 ea, const void *src, u64 len)
{
    return operand_put(c, sp, 16, ea, src, len);
}

int access_fetch(struct cpu *c, u64 ea, unsigned b, void *dst, u64 len)
{
    const u8 *p = len ? tlb_fetch(c->space[b], ea, (unsigned)len) : NULL;
    if (p && len <= FRAME_BYTES) {
        memcpy(dst, p, len);
        return 0;
    }
    TRY(cpu_operand_space(c, b));
    TRY(cpu_operand_blame(c, b, access_fetch_space(c, c->space[b], ea, dst, len)));
    if (unlikely(c->space[b]->watched) && len)
        per_addressed(c, c->space[b], b);
    return 0;
}

int access_put(struct cpu *c, u64 ea, unsigned b, const void *src, u64 len)
{
    TRY(cpu_operand_space(c, b));
    return cpu_operand_blame(c, b, operand_put(c, c->space[b], b, ea, src, len));
}

int access_probe_space(struct cpu *c, struct tlb_space *sp, u64 ea, u64 len, enum tlb_kind kind)
{
    struct part parts[PARTS_MAX];
    unsigned n;
    return translate_parts(c, sp, ea, len, kind, parts, &n);
}

int access_probe(struct cpu *c, u64 ea, unsigned b, u64 len, enum tlb_kind kind)
{
    TRY(cpu_operand_space(c, b));
    return cpu_operand_blame(c, b, access_probe_space(c, c->space[b], ea, len, kind));
}

int access_load_slow(struct cpu *c, u64 ea, unsigned b, unsigned len)
{
    u8 buf[8] = {0};
    TRY(access_fetch(c, ea, b, buf + 8 - len, len));
    c->scratch = be64_load(buf);
    return 0;
}

int access_store_slow(struct cpu *c, u64 ea, unsigned b, unsigned len, u64 v)
{
    u8 buf[8];
    be64_store(buf, v);
    return access_put(c, ea, b, buf + 8 - len, len);
}

static int operand_translate(struct cpu *c, unsigned b, u64 ea, enum tlb_kind kind)
{
    TRY(cpu_operand_space(c, b));
    return cpu_operand_blame(c, b, cpu_translate(c, c->space[b], ea, kind));
}

int access_host_fetch(struct cpu *c, u64 ea, unsigned b, unsigned len, const u8 **p)
{
    *p = tlb_fetch(c->space[b], ea, len);
    if (*p)
        return 0;
    PRE((ea & (FRAME_BYTES - 1)) + len <= FRAME_BYTES);
    TRY(cpu_operand_space(c, b));
    if (len && checked_bytes(c, c->space[b], ea) < len)
        TRY(operand_translate(c, b, OVERRIDE_BYTES, TLB_FETCH));
    TRY(operand_translate(c, b, ea, TLB_FETCH));
    *p = c->st->base + c->scratch;
    if (unlikely(c->space[b]->watched) && len)
        per_addressed(c, c->space[b], b);
    return 0;
}

int access_host_store(struct cpu *c, u64 ea, unsigned b, unsigned len, u8 **p)
{
    *p = tlb_store(c->space[b], ea, len);
    if (*p)
        return 0;
    PRE((ea & (FRAME_BYTES - 1)) + len <= FRAME_BYTES);
    TRY(operand_translate(c, b, ea, TLB_STORE));
    *p = frame_has_code(c, c->scratch) ? NULL : c->st->base + c->scratch;
    if (unlikely(c->space[b]->watched) && len)
        operand_watched(c, c->space[b], b, ea, len, true);
    return 0;
}

int access_interlocked(struct cpu *c, u64 ea, unsigned b, unsigned len, u8 **p)
{
    *p = tlb_store(c->space[b], ea, len);
    if (*p)
        return 0;
    TRY(operand_translate(c, b, ea, TLB_STORE));
    *p = c->st->base + c->scratch;
    if (unlikely(c->space[b]->watched))
        operand_watched(c, c->space[b], b, ea, len, false);
    return 0;
}

void access_interlocked_done(struct cpu *c, u8 *p, unsigned len)
{
    u64 abs = (u64)(p - c->st->base);
    if (unlikely(frame_has_code(c, abs)))
        storage_code_stored(c->st, abs, len);
}

/* ---- purging ---- */

void cpu_purge_tlb(struct cpu *c)
{
    tlb_purge(c->tlb);
    if (c->space[0])
        cpu_select_spaces(c);
}

/* IPTE names a page by its page index alone (bits 44-51); whatever may come from an entry with
 * that index goes, in every space. */
void cpu_purge_page(struct cpu *c, u64 va)
{
    tlb_drop_index(c->tlb, va);
}

void cpu_purge_asce(struct cpu *c, u64 asce)
{
    c->tlb->drops++;
    tlb_epochs_end(c->tlb);
    for (unsigned i = 0; i < TLB_SPACES; i++)
        if (c->tlb->space[i].dat && (c->tlb->space[i].asce & ~0xfffull) == (asce & ~0xfffull))
            c->tlb->space[i].stale = true;
    if (c->space[0])
        cpu_select_spaces(c);
}

void cpu_guard_frame(struct cpu *c, u64 abs)
{
    tlb_drop_stores(c->tlb, (u64)(uintptr_t)(c->st->base + abs));
}

/* ---- what CPUs ask of one another ---- */

static void mail_read(struct cpu *c)
{
    struct cpu_mail mail[MAIL_ENTRIES_MAX];
    lock_take(&c->mail_lock);
    unsigned n = c->mail_count;
    memcpy(mail, c->mail, n * sizeof *mail);
    c->mail_count = 0;
    lock_drop(&c->mail_lock);
    for (unsigned i = 0; i < n; i++)
        switch (mail[i].kind) {
        case MAIL_PURGE_PAGE: cpu_purge_page(c, mail[i].addr); break;
        case MAIL_GUARD_FRAME: cpu_guard_frame(c, mail[i].addr); break;
        case MAIL_CODE_STORED: code_invalidate(c, mail[i].addr, mail[i].len); break;
        }
}

void cpu_mail_put(struct cpu *target, enum cpu_mail_kind kind, u64 addr, u64 len)
{
    static const u32 whole[] = {REQ_FLUSH_TLB, REQ_FLUSH_STORES, REQ_FLUSH_CODE};
    u32 request = REQ_MAIL;
    lock_take(&target->mail_lock);
    if (target->mail_count == MAIL_ENTRIES_MAX)
        request = whole[kind];
    else
        target->mail[target->mail_count++] = (struct cpu_mail){kind, addr, len};
    lock_drop(&target->mail_lock);
    atomic_fetch_or(&target->requests, request);
}

void cpu_do_flushes(struct cpu *c, u32 requests)
{
    if (requests & REQ_MAIL)
        mail_read(c);
    if (requests & REQ_FLUSH_TLB)
        cpu_purge_tlb(c);
    if (requests & REQ_FLUSH_STORES)
        for (unsigned i = 0; i < TLB_SPACES; i++)
            tlb_space_clear_stores(&c->tlb->space[i]);
    if (requests & REQ_FLUSH_CODE)
        code_flush(c);
}

/* A CPU that is in cpu_run and has taken its requests executes nothing before it has carried
 * them out: so an empty request word is as good as an answer. */
static void wait_for_others(struct cpu *c)
{
    for (unsigned i = 0; i < c->set->count; i++) {
        struct cpu *other = c->set->cpus[i];
        if (other == c)
            continue;
        while ((atomic_load(&other->requests) & REQ_FLUSHES) && atomic_load(&other->in_run)) {
            u32 mine = atomic_fetch_and(&c->requests, ~REQ_FLUSHES) & REQ_FLUSHES;
            if (mine)
                cpu_do_flushes(c, mine);
            sched_yield();
        }
    }
}

void cpu_mail_broadcast(struct cpu *c, enum cpu_mail_kind kind, u64 addr, u64 len)
{
    for (unsigned i = 0; i < c->set->count; i++)
        if (c->set->cpus[i] != c)
            cpu_mail_put(c->set->cpus[i], kind, addr, len);
    wait_for_others(c);
}

void cpu_broadcast_purge_page(struct cpu *c, u64 va)
{
    if (c->set->count > 1)
        cpu_mail_broadcast(c, MAIL_PURGE_PAGE, va, 0);
}

void cpu_broadcast_purge(struct cpu *c)
{
    if (c->set->count == 1)
        return;
    for (unsigned i = 0; i < c->set->count; i++)
        if (c->set->cpus[i] != c)
            atomic_fetch_or(&c->set->cpus[i]->requests, REQ_FLUSH_TLB);
    wait_for_others(c);
}
