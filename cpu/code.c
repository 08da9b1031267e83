/* Decoded instructions: one slot per halfword of an absolute frame, filled when first executed.
 * Guarantees: [C1] a slot never outlives the bytes it was made from: every store into a frame
 * with decoded slots reaches code_invalidate before the next instruction of this CPU, and
 * before the next serialisation of any other; [C2] the page that is executing is reset in place
 * but never given to another frame. A CPU's slots belong to its own thread. */
#include <stdlib.h>
#include <sys/mman.h>

#include "cpu/insn/insn.h"
#include "cpu/jit/jit.h"
#include "mem/base/large.h"

#define STORES_BEFORE_DROP 64 /* stores without a decode: the frame has become data */
#define STEP_TEXTS 64         /* a power of two */
#define MIXED_FRAMES_MAX 8    /* frames of data with a few instructions (Linux: prefix area) */
#define MIXED_SLOTS_MAX 6     /* more different instructions than this: it is code after all */

/* Behind the decoded frames: the step page, then pages of mixed frames. */
#define WARM_PAGES 128u /* of frames that a CPU decodes when it goes on elsewhere, at once */
#define POOL_STEP CODE_PAGES_MAX
#define POOL_MIXED (POOL_STEP + 1)
#define POOL_BYTES ((POOL_MIXED + MIXED_FRAMES_MAX) * sizeof(struct code_page))

struct code_cache {
    struct code_page **by_frame; /* demand-zero map of all frames */
    u64 frames;
    struct code_page *pool; /* demand-zero, in large host pages if possible */
    unsigned used;
    unsigned next_victim;
    struct code_page *step; /* of the pool, like those of mixed frames */
    unsigned step_used;     /* the one slot of `step` that is decoded */
    struct step_text {      /* what was decoded there before, by its text */
        u8 text[6];
        bool used;
        struct dinsn d;
    } step_text[STEP_TEXTS];
    struct mixed_frame {
        struct code_page *page; /* all slots lead to code_run_mixed; the frame is not guarded */
        u16 slot[MIXED_SLOTS_MAX];
        unsigned slots;
    } mixed[MIXED_FRAMES_MAX];
    unsigned mixed_count;
    _Atomic pthread_t owner;
    _Atomic u32 owned; /* owner is valid */
};

static void slots_reset(struct code_page *page, insn_run *handler)
{
    for (unsigned i = 0; i < CODE_SLOTS; i++)
        page->slot[i].run = handler;
    for (unsigned i = CODE_SLOTS; i < CODE_SLOTS_ALL; i++)
        page->slot[i].run = code_run_page_end;
}

/* Does this CPU hold anything decoded of these bytes? Asked by other threads. */
static bool holds_code(const struct code_cache *cc, u64 abs, u64 len)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (len > FRAME_BYTES)
        return true;
    u64 last = (abs + len - 1) >> FRAME_SHIFT;
    return __atomic_load_n(&cc->by_frame[abs >> FRAME_SHIFT], __ATOMIC_RELAXED) ||
           __atomic_load_n(&cc->by_frame[last], __ATOMIC_RELAXED);
}

static bool code_owned_here(struct code_cache *cc)
{
    return atomic_load(&cc->owned) && pthread_equal(atomic_load(&cc->owner), pthread_self());
}

static void code_stored_cb(void *ctx, u64 abs, u64 len)
{
    struct cpu *c = ctx;
    struct code_cache *cc = c->code;
    if (code_owned_here(cc))
        code_invalidate(c, abs, len);
    else if (holds_code(cc, abs, len)) /* [C1]: asked for after the bytes are in place */
        cpu_mail_put(c, MAIL_CODE_STORED, abs, len);
}

/* Addresses below 2 GiB are constants of one instruction in translated code. Aligned, so that what
 * goes by a slot's address (jit_heat) is the same in every run. */
static bool pool_map(struct code_cache *cc)
{
    cc->pool = large_map(POOL_BYTES, true);
    if (cc->pool)
        cc->step = &cc->pool[POOL_STEP];
    return cc->pool != NULL;
}

void code_observe(struct cpu *c)
{
    storage_observe_code(c->st, code_stored_cb, c);
}

void *code_frames_create(u64 frames)
{
    void *p = mmap(NULL, frames * sizeof *((struct code_cache *)0)->by_frame,
                   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void code_frames_destroy(void *frames_map, u64 frames)
{
    if (frames_map)
        munmap(frames_map, frames * sizeof *((struct code_cache *)0)->by_frame);
}

void code_frames_take(struct cpu *c, void *frames_map, u64 frames)
{
    code_frames_destroy(c->code->by_frame, c->code->frames);
    c->code->by_frame = frames_map;
    c->code->frames = frames;
}

int code_cache_create(struct cpu *c)
{
    struct code_cache *cc = calloc(1, sizeof *cc);
    if (!cc)
        return ST_NOMEM;
    cc->frames = c->st->reach / FRAME_BYTES;
    cc->by_frame = code_frames_create(cc->frames);
    if (!cc->by_frame) {
        free(cc);
        return ST_NOMEM;
    }
    if (!pool_map(cc)) {
        code_frames_destroy(cc->by_frame, cc->frames);
        free(cc);
        return ST_NOMEM;
    }
    slots_reset(cc->step, code_run_resync);
    cc->step->abs = CODE_ABS_NONE;
    c->code = cc;
    code_observe(c);
    return ST_OK;
}

void code_cache_warm(struct cpu *c)
{
    struct code_cache *cc = c->code;
    if (!cc->used)
        large_touch(cc->pool, WARM_PAGES * sizeof *cc->pool);
}

void code_cache_destroy(struct cpu *c)
{
    if (!c->code)
        return;
    large_unmap(c->code->pool, POOL_BYTES);
    code_frames_destroy(c->code->by_frame, c->code->frames);
    free(c->code);
    c->code = NULL;
}

/** The calling thread owns this CPU until it says otherwise (cpu_run entry). */
void code_set_owner(struct cpu *c)
{
    if (code_owned_here(c->code))
        return;
    atomic_store(&c->code->owned, 0);
    atomic_store(&c->code->owner, pthread_self());
    atomic_store(&c->code->owned, 1);
}

/** Nobody runs this CPU now: stores by other threads leave a request (cpu_run exit). */
void code_clear_owner(struct cpu *c)
{
    atomic_store(&c->code->owned, 0);
}

static bool page_executing(const struct cpu *c, const struct code_page *page)
{
    return c->code_base == (const char *)page->slot;
}

/* Take the page away from its frame; stores to the frame may be fast again. */
static void page_detach(struct cpu *c, struct code_page *page)
{
    if (page->abs == CODE_ABS_NONE)
        return;
    __atomic_store_n(&c->code->by_frame[page->abs >> FRAME_SHIFT], NULL, __ATOMIC_RELAXED);
    atomic_fetch_sub(&c->st->code[page->abs >> FRAME_SHIFT], 1);
    jit_forget_page(c, page);
    tlb_drop_code(c->tlb, page);
    page->abs = CODE_ABS_NONE;
}

/* ---- frames of data that hold a few instructions ----
 * Guarding such a frame would make every store into it slow, so its instructions are decoded
 * anew each time they are executed instead. */

/* A page of the pool that no mixed frame has; there is one. */
static struct code_page *mixed_page(const struct code_cache *cc)
{
    for (unsigned i = 0; i < MIXED_FRAMES_MAX; i++) {
        bool taken = false;
        for (unsigned k = 0; k < cc->mixed_count; k++)
            taken |= cc->mixed[k].page == &cc->pool[POOL_MIXED + i];
        if (!taken)
            return &cc->pool[POOL_MIXED + i];
    }
    ERGO(false);
    return NULL;
}

static void mixed_add(struct cpu *c, u64 abs)
{
    struct code_cache *cc = c->code;
    if (cc->mixed_count == MIXED_FRAMES_MAX)
        return;
    struct code_page *page = mixed_page(cc);
    slots_reset(page, code_run_mixed);
    page->abs = abs;
    page->stores = page->decoded = 0;
    page->jit = NULL;
    cc->mixed[cc->mixed_count++] = (struct mixed_frame){.page = page};
    __atomic_store_n(&cc->by_frame[abs >> FRAME_SHIFT], page, __ATOMIC_RELAXED);
}

static struct mixed_frame *mixed_find(struct cpu *c, const struct code_page *page)
{
    for (unsigned i = 0; i < c->code->mixed_count; i++)
        if (c->code->mixed[i].page == page)
            return &c->code->mixed[i];
    return NULL;
}

static void mixed_remove(struct cpu *c, struct mixed_frame *m)
{
    struct code_page *page = m->page;
    __atomic_store_n(&c->code->by_frame[page->abs >> FRAME_SHIFT], NULL, __ATOMIC_RELAXED);
    tlb_drop_code(c->tlb, page);
    *m = c->code->mixed[--c->code->mixed_count];
    if (page_executing(c, page))
        cpu_set_code_page(c, c->code->step, c->ia_page);
}

/* Note an execution at `slot`; true when the frame turns out to be code. */
static bool mixed_is_code(struct mixed_frame *m, unsigned slot)
{
    for (unsigned i = 0; i < m->slots; i++)
        if (m->slot[i] == slot)
            return false;
    if (m->slots == MIXED_SLOTS_MAX)
        return true;
    m->slot[m->slots++] = (u16)slot;
    return false;
}

static struct code_page *page_take(struct cpu *c)
{
    struct code_cache *cc = c->code;
    struct code_page *page;
    if (cc->used < CODE_PAGES_MAX) {
        page = &cc->pool[cc->used++];
        page->abs = CODE_ABS_NONE;
        return page;
    }
    do {
        page = &cc->pool[cc->next_victim];
        cc->next_victim = (cc->next_victim + 1) % cc->used;
    } while (page_executing(c, page));
    page_detach(c, page);
    return page;
}

/* From now on no CPU may store into the frame behind our back. */
static void frame_guard(struct cpu *c, u64 abs)
{
    if (atomic_fetch_add(&c->st->code[abs >> FRAME_SHIFT], 1) == 0 && c->set->count > 1)
        cpu_mail_broadcast(c, MAIL_GUARD_FRAME, abs, 0);
    cpu_guard_frame(c, abs);
}

struct code_page *code_page_get(struct cpu *c, u64 abs)
{
    abs &= ~(u64)(FRAME_BYTES - 1);
    struct code_page *page = c->code->by_frame[abs >> FRAME_SHIFT];
    if (page)
        return page;
    page = page_take(c);
    slots_reset(page, code_run_decode);
    page->stores = page->decoded = 0;
    frame_guard(c, abs);
    page->abs = abs;
    __atomic_store_n(&c->code->by_frame[abs >> FRAME_SHIFT], page, __ATOMIC_SEQ_CST);
    atomic_thread_fence(memory_order_seq_cst); /* before the first byte is decoded */
    return page;
}

static void page_invalidate(struct cpu *c, struct code_page *page, unsigned from, unsigned len)
{
    unsigned first = from >= 4 ? (from - 4) / 2 : 0;
    unsigned last = (from + len - 1) / 2;
    if (page->jit)
        jit_invalidate(c, page, from, len);
    for (unsigned i = first; i <= last && i < CODE_SLOTS; i++)
        page->slot[i].run = code_run_decode;
    if (++page->stores <= STORES_BEFORE_DROP || page_executing(c, page))
        return;
    u64 abs = page->abs;
    bool mixed = page->decoded <= MIXED_SLOTS_MAX;
    page_detach(c, page);
    if (mixed)
        mixed_add(c, abs);
}

void code_invalidate(struct cpu *c, u64 abs, u64 len)
{
    if (len > FRAME_BYTES * 4) {
        code_flush(c);
        return;
    }
    while (len) {
        u64 room = FRAME_BYTES - (abs & (FRAME_BYTES - 1));
        u64 n = len < room ? len : room;
        struct code_page *page = c->code->by_frame[abs >> FRAME_SHIFT];
        if (page && !mixed_find(c, page))
            page_invalidate(c, page, abs & (FRAME_BYTES - 1), (unsigned)n);
        abs += n;
        len -= n;
    }
}

void code_flush(struct cpu *c)
{
    while (c->code->mixed_count)
        mixed_remove(c, &c->code->mixed[0]);
    for (unsigned i = 0; i < c->code->used; i++) {
        struct code_page *page = &c->code->pool[i];
        if (page->abs == CODE_ABS_NONE)
            continue;
        jit_forget_page(c, page);
        if (page_executing(c, page))
            slots_reset(page, code_run_decode);
        else
            page_detach(c, page);
    }
}

void code_forget(struct cpu *c)
{
    cpu_set_code_page(c, c->code->step, 0); /* no frame's page is executing */
    code_flush(c);
    memset(c->code->step_text, 0, sizeof c->code->step_text);
}

void code_trim(struct cpu *c)
{
    struct code_cache *cc = c->code;
    large_give_back(cc->pool, cc->used * sizeof *cc->pool);
    cc->used = cc->next_victim = 0;
}

struct dinsn *code_step_slot(struct cpu *c, unsigned slot)
{
    struct code_page *step = c->code->step;
    step->slot[c->code->step_used].run = code_run_resync;
    c->code->step_used = slot;
    return &step->slot[slot];
}

struct code_page *code_step_page(struct cpu *c)
{
    return c->code->step;
}

/* ---- handlers of slots without an instruction ---- */

static int run_operation_2(struct cpu *c, const struct dinsn *d, long n)
{
    return cpu_stop(c, d, n - 1, PGM_OPERATION, 2);
}

static int run_operation_4(struct cpu *c, const struct dinsn *d, long n)
{
    return cpu_stop(c, d, n - 1, PGM_OPERATION, 4);
}

static int run_operation_6(struct cpu *c, const struct dinsn *d, long n)
{
    return cpu_stop(c, d, n - 1, PGM_OPERATION, 6);
}

static void decode_into(struct cpu *c, struct dinsn *d, const u8 *insn)
{
    static insn_run *const operation[7] = {
        [2] = run_operation_2, [4] = run_operation_4, [6] = run_operation_6};
    const struct isa_entry *e = isa_find(insn);
    if (!e || !facility_has(c->set->facilities, e->facility)) {
        d->run = operation[isa_length(insn[0])];
        return;
    }
    isa_decode(d, e->format, insn);
    d->run = e->run;
}

/* Into the step page, where the same few instructions come again and again: those that cross into
 * another page, and those of frames of data. */
static void decode_step(struct cpu *c, struct dinsn *d, const u8 *insn)
{
    u32 h =
        (be16_load(insn) * 7u + be16_load(insn + 2) * 31u + be16_load(insn + 4)) * 0x9e3779b1u;
    struct step_text *t = &c->code->step_text[h >> 26 & (STEP_TEXTS - 1)];
    if (t->used && memcmp(t->text, insn, sizeof t->text) == 0) {
        *d = t->d;
        return;
    }
    decode_into(c, d, insn);
    memcpy(t->text, insn, sizeof t->text);
    t->d = *d;
    t->used = true;
}

void code_decode_slot(struct cpu *c, struct code_page *page, unsigned slot)
{
    const u8 *insn = c->st->base + page->abs + slot * 2;
    unsigned left = FRAME_BYTES - slot * 2;
    page->stores = 0;
    page->decoded++;
    u8 copy[6] = {0}; /* looked at once: another CPU may be storing here */
    memcpy(copy, insn, left < sizeof copy ? left : sizeof copy);
    if (isa_length(copy[0]) > left) {
        page->slot[slot].run = code_run_cross;
        page->cross.slot = 0;
        return;
    }
    memset(copy + isa_length(copy[0]), 0, sizeof copy - isa_length(copy[0]));
    decode_into(c, &page->slot[slot], copy);
}

static u64 slot_ia(const struct cpu *c, const struct dinsn *d)
{
    return (cpu_slot_address(c, d)) & c->amask;
}

int code_run_decode(struct cpu *c, const struct dinsn *d, long n)
{
    struct code_page *page = (struct code_page *)(void *)c->code_base;
    unsigned slot = (unsigned)(d - page->slot);
    code_decode_slot(c, page, slot);
    return page->slot[slot].run(c, &page->slot[slot], n);
}

int code_run_page_end(struct cpu *c, const struct dinsn *d, long n)
{
    c->psw.addr = slot_ia(c, d);
    return cpu_branch_slow(c, n);
}

int code_run_resync(struct cpu *c, const struct dinsn *d, long n)
{
    c->psw.addr = slot_ia(c, d);
    return cpu_branch_slow(c, n);
}

/* c->scratch = absolute address of what is at `ia`, to be executed. */
static int page_known_or_translated(struct cpu *c, u64 ia)
{
    const struct tlb_code_entry *e = &c->ispace->code[tlb_code_index(ia)];
    if (e->tag != (ia & ~(u64)(FRAME_BYTES - 1)))
        return cpu_translate(c, c->ispace, ia, TLB_INSTRUCTION);
    c->scratch = ((const struct code_page *)e->page)->abs | (ia & (FRAME_BYTES - 1));
    return 0;
}

/* In the step page, when it was fetched and decoded for this once. */
static int run_in_step(struct cpu *c, unsigned slot, const u8 *insn, long n)
{
    struct dinsn *s = code_step_slot(c, slot);
    decode_step(c, s, insn);
    cpu_set_code_page(c, code_step_page(c), c->ia_page);
    return s->run(c, s, n);
}

/* The instruction at `d`, whose first bytes are the last of this page, from storage: `more` bytes
 * are in the next page. 0, or a program-interruption code. */
static int cross_fetch(struct cpu *c, const struct dinsn *d, u8 insn[6], unsigned *more)
{
    const struct code_page *page = (const struct code_page *)(const void *)c->code_base;
    unsigned slot = (unsigned)(d - page->slot), have = FRAME_BYTES - slot * 2;
    memset(insn, 0, 6);
    memcpy(insn, c->st->base + page->abs + slot * 2, have < 6 ? have : 6);
    unsigned length = isa_length(insn[0]);
    *more = length > have ? length - have : 0;
    if (*more) {
        TRY(page_known_or_translated(c, (slot_ia(c, d) + have) & c->amask));
        memcpy(insn + have, c->st->base + c->scratch, *more);
    }
    memset(insn + length, 0, 6 - length);
    return 0;
}

/* Decode it into its slot, which keeps its handler, and note what was found in the next page. */
static void cross_enter(struct cpu *c, struct code_page *page, unsigned slot, const u8 *insn,
                        unsigned more)
{
    struct dinsn decoded;
    u8 behind[4] = {0};
    decode_into(c, &decoded, insn);
    memcpy(behind, insn + FRAME_BYTES - slot * 2, more);
    page->cross = (struct code_cross){.run = decoded.run,
                                      .slot = (u16)slot,
                                      .behind = be32_load(behind),
                                      .mask = more == 2 ? 0xffff0000 : ~0u};
    decoded.run = code_run_cross;
    page->slot[slot] = decoded;
}

/* Not as it was noted, or the next page is not known. It need not cross any more: another CPU may
 * have stored a shorter one and not told us yet. */
static int cross_anew(struct cpu *c, const struct dinsn *d, long n)
{
    struct code_page *page = (struct code_page *)(void *)c->code_base;
    unsigned slot = (unsigned)(d - page->slot), more;
    u8 insn[6];
    int rc = cross_fetch(c, d, insn, &more);
    if (rc)
        return cpu_stop(c, d, n, rc, isa_length(insn[0]));
    if (more == 0 || d->run == code_run_mixed)
        return run_in_step(c, slot, insn, n);
    cross_enter(c, page, slot, insn, more);
    return page->cross.run(c, d, n);
}

/* An instruction that crosses into the next page. Its part in this page is like all that is decoded
 * [C1]; of the other, nobody tells: which page it is in and what stands there is looked at each
 * time. */
int code_run_cross(struct cpu *c, const struct dinsn *d, long n)
{
    const struct code_page *page = (const struct code_page *)(const void *)c->code_base;
    const struct code_cross *cross = &page->cross;
    u64 next = (c->ia_page + FRAME_BYTES) & c->amask;
    const struct tlb_code_entry *e = &c->ispace->code[tlb_code_index(next)];
    if (unlikely(cross->slot != d - page->slot || e->tag != next))
        return cross_anew(c, d, n);
    u64 abs = ((const struct code_page *)e->page)->abs;
    if (unlikely((be32_load(c->st->base + abs) & cross->mask) != cross->behind))
        return cross_anew(c, d, n);
    return cross->run(c, d, n);
}

int code_step_fetch(struct cpu *c, u8 insn[6], const struct dinsn **d)
{
    u64 ia = c->psw.addr;
    unsigned have = FRAME_BYTES - (ia & (FRAME_BYTES - 1));
    int rc = ia & 1 ? PGM_SPECIFICATION : page_known_or_translated(c, ia);
    c->ilc = 2; /* unpredictable; the address for suppression follows it */
    if (rc) {
        c->psw.addr = (ia + 2) & c->amask;
        return rc;
    }
    memset(insn, 0, 6);
    memcpy(insn, c->st->base + c->scratch, have < 6 ? have : 6);
    unsigned length = isa_length(insn[0]);
    if (length > have) {
        rc = cpu_translate(c, c->ispace, (ia + have) & c->amask, TLB_INSTRUCTION);
        if (rc) {
            c->ilc = (u8)length;
            c->psw.addr = (ia + length) & c->amask;
            return rc;
        }
        memcpy(insn + have, c->st->base + c->scratch, length - have);
    } else if (unlikely(ia < FRAME_BYTES) && cpu_override_page(c, 0)) {
        rc = cpu_translate(c, c->ispace, ia + length - 1, TLB_INSTRUCTION);
        if (rc) {
            c->ilc = (u8)length;
            c->psw.addr = (ia + length) & c->amask;
            return rc;
        }
    }
    struct dinsn *s = code_step_slot(c, (unsigned)(ia & (FRAME_BYTES - 1)) >> 1);
    decode_into(c, s, insn);
    cpu_set_code_page(c, code_step_page(c), ia & ~(u64)(FRAME_BYTES - 1));
    *d = s;
    return 0;
}

int code_run_mixed(struct cpu *c, const struct dinsn *d, long n)
{
    struct code_page *page = (struct code_page *)(void *)c->code_base;
    unsigned slot = (unsigned)(d - page->slot);
    struct mixed_frame *m = mixed_find(c, page);
    u8 insn[6] = {0};
    ERGO(m != NULL);
    if (mixed_is_code(m, slot)) {
        c->psw.addr = slot_ia(c, d);
        mixed_remove(c, m);
        return cpu_branch_slow(c, n);
    }
    memcpy(insn, c->st->base + page->abs + slot * 2, 2);
    unsigned length = isa_length(insn[0]);
    if (length > FRAME_BYTES - slot * 2)
        return cross_anew(c, d, n);
    memcpy(insn, c->st->base + page->abs + slot * 2, length);
    return run_in_step(c, slot, insn, n);
}
