/* Lockstep execution.
 * A stretch is what translated code executes from one entry to the way out. It is executed twice
 * from the same state: by translated code, then by the interpreter, instruction by instruction,
 * each decoded anew. Registers, storage and outcome are compared; what the interpreter did stays.
 * [L1] A store translation exists only for frames whose bytes have been kept: every first store
 * passes storage_mark_frame, which tells us. Frames stay from one stretch to the next, so that
 * stores take the fast path, until something else than a stretch may have stored into them; and
 * now and then all are dropped, so that stores take the slow path.
 * [L2] One CPU of a set at a time is inside, and others store for the guest only when none is
 * (lockstep_take, storage_write): nothing comes between two executions of a stretch.
 * [L3] The clock is read once; later executions see what the first saw.
 * LOCKSTEP_SOME lets what was equal LOCKSTEP_SURE_TIMES times pass, but for one entry of
 * LOCKSTEP_SURE_EVERY: ten times as fast, and each translation is compared all the same. */
#include "cpu/jit/lockstep_internal.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

struct cpu_lockstep {
    _Atomic u32 next, serving; /* tickets: who waits is served in turn */
    _Atomic u32 held;
    _Atomic pthread_t holder;
    struct lockstep *stretch; /* under way; of the holder */
    struct storage_watch watch;
};

const struct lockstep_row lockstep_rows[] = {
#define S(tag, type, count, member, title)                                                     \
    {(u32)offsetof(struct cpu, member), sizeof(type), count, #member, title},
#include "cpu/cpu_state.def"
#undef S
};
const unsigned lockstep_row_count = ARRAY_LEN(lockstep_rows);

/* ---- one at a time ---- */

static bool held_here(struct cpu_lockstep *s)
{
    return atomic_load(&s->held) && pthread_equal(atomic_load(&s->holder), pthread_self());
}

/* `c`: the CPU whose requests are carried out meanwhile, or NULL. */
static void turn_take(struct cpu_lockstep *s, struct cpu *c)
{
    u32 mine = atomic_fetch_add(&s->next, 1);
    while (atomic_load(&s->serving) != mine) {
        u32 flushes = c ? atomic_fetch_and(&c->requests, ~REQ_FLUSHES) & REQ_FLUSHES : 0;
        if (flushes)
            cpu_do_flushes(c, flushes);
        sched_yield();
    }
    atomic_store(&s->holder, pthread_self());
    atomic_store(&s->held, 1);
}

static void turn_give(struct cpu_lockstep *s)
{
    atomic_store(&s->held, 0);
    atomic_fetch_add(&s->serving, 1);
}

/* ---- storage ---- */

static void frame_keep(struct lockstep *ls, u64 abs)
{
    abs &= ~(u64)(FRAME_BYTES - 1);
    for (unsigned i = ls->frames; i-- > 0;)
        if (ls->frame[i].abs == abs)
            return;
    if (ls->frames == LOCKSTEP_FRAMES_MAX)
        lockstep_report(ls, "too many frames stored into to compare them");
    struct lockstep_frame *f = &ls->frame[ls->frames];
    f->before = ls->bytes + (size_t)ls->frames++ * 2 * FRAME_BYTES;
    f->after = f->before + FRAME_BYTES;
    f->abs = abs;
    f->first = f->end = 0;
    memcpy(f->before, ls->c->st->base + abs, FRAME_BYTES);
    memcpy(f->after, f->before, FRAME_BYTES);
}

static void marked_cb(void *ctx, u64 abs)
{
    struct cpu_lockstep *s = ctx;
    if (held_here(s) && s->stretch)
        frame_keep(s->stretch, abs);
}

/* Bytes are about to be stored without a mark before them; true: say when they are in place. */
static bool write_begin_cb(void *ctx, u64 abs, u64 len)
{
    struct cpu_lockstep *s = ctx;
    if (!held_here(s)) {
        turn_take(s, NULL);
        return true;
    }
    for (u64 f = abs >> FRAME_SHIFT; s->stretch && f <= (abs + len - 1) >> FRAME_SHIFT; f++)
        frame_keep(s->stretch, f << FRAME_SHIFT);
    return false;
}

static void write_end_cb(void *ctx)
{
    turn_give(ctx);
}

/* Keep nothing: every store is a first one again. */
static void frames_drop(struct lockstep *ls)
{
    for (unsigned i = 0; i < ls->entries; i++)
        ls->entry[i]->tag = TLB_NONE;
    ls->entries = ls->frames = 0;
    tlb_epochs_end(ls->c->tlb);
}

void lockstep_store_entry(struct cpu *c, struct tlb_entry *e)
{
    struct lockstep *ls = c->lockstep;
    if (ls->entries == LOCKSTEP_ENTRIES_MAX)
        e->tag = TLB_NONE;
    else
        ls->entry[ls->entries++] = e;
}

/* What differs from `before`, in units of FRAME_PIECE bytes. */
#define FRAME_PIECE 64u
static void frame_after(struct lockstep_frame *f, const u8 *now)
{
    unsigned first = 0, end = FRAME_BYTES;
    while (first < end && memcmp(now + first, f->before + first, FRAME_PIECE) == 0)
        first += FRAME_PIECE;
    while (end > first &&
           memcmp(now + end - FRAME_PIECE, f->before + end - FRAME_PIECE, FRAME_PIECE) == 0)
        end -= FRAME_PIECE;
    f->first = first;
    f->end = end;
    memcpy(f->after + first, now + first, end - first);
}

/* Bytes as they were before the stretch. What was decoded of them goes, of those bytes only. */
static void frame_rewind(struct storage *st, const struct lockstep_frame *f)
{
    u8 *now = st->base + f->abs;
    unsigned first = f->first, end = f->end;
    if (first == end)
        return;
    if (atomic_load(&st->code[f->abs >> FRAME_SHIFT])) {
        while (now[first] == f->before[first])
            first++;
        while (now[end - 1] == f->before[end - 1])
            end--;
    }
    memcpy(now + first, f->before + first, end - first);
    if (atomic_load(&st->code[f->abs >> FRAME_SHIFT]))
        storage_code_stored(st, f->abs + first, end - first);
}

/* Both engines agree: the next stretch begins here. */
static void frame_settle(struct lockstep_frame *f)
{
    memcpy(f->before + f->first, f->after + f->first, f->end - f->first);
    f->first = f->end = 0;
}

void lockstep_take(struct cpu *c)
{
    turn_take(c->set->lockstep, c);
    frames_drop(c->lockstep); /* others may have stored */
}

void lockstep_release(struct cpu *c)
{
    turn_give(c->set->lockstep);
}

/* ---- the clock ---- */

static u64 clock_cb(void *ctx)
{
    struct lockstep *ls = ctx;
    struct cpu_lockstep *s = ls->c->set->lockstep;
    if (!held_here(s) || s->stretch != ls)
        return ls->real->tod(ls->real_ctx);
    if (ls->clock_next < ls->clocks)
        return ls->clock[ls->clock_next++];
    u64 now = ls->real->tod(ls->real_ctx);
    if (ls->clocks < LOCKSTEP_CLOCKS_MAX)
        ls->clock[ls->clocks++] = now;
    ls->clock_next = ls->clocks;
    return now;
}

static void wake_cb(void *ctx, unsigned address)
{
    struct lockstep *ls = ctx;
    ls->real->wake(ls->real_ctx, address);
}

static bool take_io_cb(void *ctx, u8 isc_mask, struct cpu_io_interruption *out)
{
    struct lockstep *ls = ctx;
    return ls->real->take_io(ls->real_ctx, isc_mask, out);
}

static bool take_service_cb(void *ctx, struct cpu_service *out)
{
    struct lockstep *ls = ctx;
    return ls->real->take_service(ls->real_ctx, out);
}

static bool take_message_cb(void *ctx, unsigned address, u16 code)
{
    struct lockstep *ls = ctx;
    return !ls->real->take_message || ls->real->take_message(ls->real_ctx, address, code);
}

/* ---- the executions ---- */

/* Those that act on what is not the CPU's own or not rewound: other CPUs, keys, the epoch,
 * states of frames, topology. */
bool lockstep_repeatable(const struct isa_entry *row)
{
    static const char *const names[] = {"sigp", "sske", "iske", "rrbe", "rrbm", "irbm", "pfmf",
                                        "tb",   "sck",  "ptff", "ivsk", "essa", "ptf"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(row->mnemonic, names[i]) == 0)
            return false;
    return !(row->flags & IF_ICPT);
}

static void outcome_take(struct lockstep *ls, struct lockstep_outcome *o, int rc, long insns)
{
    cpu_bear_settle(ls->c);
    memcpy(o->cpu, ls->c, sizeof o->cpu);
    o->rc = rc;
    o->insns = insns;
}

/* Keep what translated code did, and make everything as it was. */
static void rewind_all(struct lockstep *ls)
{
    struct cpu *c = ls->c;
    memcpy((void *)c, ls->start.cpu, sizeof ls->start.cpu);
    cpu_mode_changed(c); /* spaces may have been given to others */
    atomic_store(&c->set->clock.last, ls->tod_last);
    for (unsigned i = 0; i < ls->frames; i++) {
        frame_after(&ls->frame[i], c->st->base + ls->frame[i].abs);
        frame_rewind(c->st, &ls->frame[i]);
    }
    if (c->tlb->drops != ls->tlb_drops) /* what came afterwards is of tables rewound */
        cpu_purge_tlb(c);
    ls->clock_next = 0;
}

/* From slot d; c->n: what is left of n. */
static int call_translated(struct cpu *c, const struct dinsn *d, long n)
{
    c->jit_stops = true;
    int rc = jit_call(c, d, n, d->run);
    c->jit_stops = false;
    if (rc == CPU_JIT_STOPPED || rc == 0) {
        c->psw.addr = (cpu_slot_address(c, c->stop)) & c->amask;
        rc = CPU_BUDGET;
    }
    return rc;
}

static void run_translated(struct lockstep *ls, long n)
{
    int rc = call_translated(ls->c, &ls->page->slot[ls->slot], n);
    outcome_take(ls, &ls->translated, rc, n - ls->c->n);
}

static int step(struct lockstep *ls, unsigned i)
{
    struct cpu *c = ls->c;
    unsigned at = i % LOCKSTEP_TRACE_INSNS;
    ls->trace[at].ia = c->psw.addr;
    int rc = cpu_step(c, ls->trace[at].text);
    cpu_bear_settle(c);
    return rc;
}

/* Exactly as many instructions; interruptions that they cause in between are taken. */
static void run_interpreted(struct lockstep *ls, long insns)
{
    struct cpu *c = ls->c;
    int rc = CPU_BUDGET;
    for (long i = 0; i < insns; i++) {
        if (rc > 0)
            cpu_program_interruption(c, (unsigned)rc);
        rc = step(ls, (unsigned)i);
    }
    outcome_take(ls, &ls->interp, rc, insns);
}

/* ---- comparing ---- */

/* Is there nothing left to do but to go on at psw.addr? */
static bool completed(int rc)
{
    return rc == CPU_BUDGET || rc == CPU_RESYNC || rc == CPU_PSW_LOADED;
}

static bool access_exception(int rc)
{
    return rc == PGM_PROTECTION || rc == PGM_SEGMENT_TRANSLATION ||
           rc == PGM_PAGE_TRANSLATION || (rc >= 0x38 && rc <= 0x3b);
}

#define SAME(a, b, member)                                                                     \
    (memcmp((a)->cpu + offsetof(struct cpu, member), (b)->cpu + offsetof(struct cpu, member),  \
            sizeof(((struct cpu *)0)->member)) == 0)

/* What the interruption would store, beyond the registers. */
static const char *interruption_differs(const struct lockstep_outcome *a,
                                        const struct lockstep_outcome *b)
{
    if (!SAME(a, b, ilc))
        return "instruction-length code";
    if (access_exception(b->rc) && !SAME(a, b, teid))
        return "translation-exception identification";
    if (access_exception(b->rc) && !SAME(a, b, exc_ar))
        return "exception access identification";
    if (b->rc == PGM_DATA && !SAME(a, b, dxc))
        return "data-exception code";
    if (b->rc == PGM_MONITOR && (!SAME(a, b, monitor_class) || !SAME(a, b, monitor_code)))
        return "monitor class or code";
    return NULL;
}

static const char *cpu_differs(const struct lockstep_outcome *a,
                               const struct lockstep_outcome *b)
{
    if (a->insns != b->insns)
        return "number of instructions";
    if (a->rc != b->rc && !(completed(a->rc) && completed(b->rc)))
        return "outcome";
    for (unsigned i = 0; i < lockstep_row_count; i++)
        if (lockstep_row_own(&lockstep_rows[i]) &&
            lockstep_row_differs(&lockstep_rows[i], a->cpu, b->cpu))
            return lockstep_rows[i].title;
    return b->rc > 0 ? interruption_differs(a, b) : NULL;
}

/* Storage now, and behind translated code. */
static bool storage_differs(const struct lockstep *ls)
{
    for (unsigned i = 0; i < ls->frames; i++)
        if (memcmp(ls->c->st->base + ls->frame[i].abs, ls->frame[i].after, FRAME_BYTES))
            return true;
    return false;
}

static void compare(struct lockstep *ls)
{
    const char *what = cpu_differs(&ls->translated, &ls->interp);
    if (!what && storage_differs(ls))
        what = "storage";
    if (what)
        lockstep_report(ls, what);
    for (unsigned i = 0; i < ls->frames; i++)
        frame_settle(&ls->frame[i]);
}

/* ---- a stretch ---- */

static void stretch_begin(struct lockstep *ls, const struct dinsn *d,
                          const struct jit_region *r)
{
    struct cpu *c = ls->c;
    if (ls->loose || ls->stats.stretches % LOCKSTEP_COLD_EVERY == 0 ||
        ls->frames > LOCKSTEP_FRAMES_KEPT)
        frames_drop(ls);
    ls->loose = false;
    ls->stats.cold += ls->frames == 0;
    ls->clocks = ls->clock_next = 0;
    ls->page = r->page;
    ls->region = *r->whole;
    ls->slot = (unsigned)(d - r->page->slot);
    c->psw.addr = (cpu_slot_address(c, d)) & c->amask;
    c->jit_broken = false;
    ls->tod_last = atomic_load(&c->set->clock.last);
    ls->tlb_drops = c->tlb->drops;
    outcome_take(ls, &ls->start, 0, 0);
    c->set->lockstep->stretch = ls;
}

static int stretch(struct lockstep *ls, const struct dinsn *d, const struct jit_region *r,
                   long *n)
{
    stretch_begin(ls, d, r);
    run_translated(ls, *n < LOCKSTEP_STRETCH_INSNS ? *n : LOCKSTEP_STRETCH_INSNS);
    rewind_all(ls);
    run_interpreted(ls, ls->translated.insns);
    compare(ls);
    ls->c->set->lockstep->stretch = NULL;
    ls->stats.stretches++;
    ls->stats.insns += (u64)ls->interp.insns;
    ls->stats.frames += ls->frames;
    *n -= ls->interp.insns;
    return ls->interp.rc;
}

static int alone(struct lockstep *ls, long *n)
{
    ls->stats.alone++;
    --*n;
    int rc = step(ls, 0);
    frames_drop(ls); /* no stretch has kept what it stored into */
    return rc;
}

/* Has it been equal often enough, and is this not the entry that is looked at all the same? */
static bool sure(struct lockstep *ls, const struct jit_region *r)
{
    unsigned at = (unsigned)((uintptr_t)r->code >> 4) % LOCKSTEP_SEEN;
    if (!ls->some)
        return false;
    if (ls->seen[at].code != r->code) {
        ls->seen[at].code = r->code;
        ls->seen[at].times = 0;
    }
    u32 times = ls->seen[at].times++;
    return times >= LOCKSTEP_SURE_TIMES && times % LOCKSTEP_SURE_EVERY != 0;
}

/* Translated code as without lockstep, but for its way out. */
static int unseen(struct lockstep *ls, const struct dinsn *d, long *n)
{
    struct cpu *c = ls->c;
    if (!ls->loose)
        frames_drop(ls);
    ls->loose = true;
    c->psw.addr = (cpu_slot_address(c, d)) & c->amask;
    c->jit_broken = false;
    int rc = call_translated(c, d, *n);
    ls->stats.unseen += (u64)(*n - c->n);
    *n = c->n;
    return rc;
}

int lockstep_slice(struct cpu *c, long n)
{
    struct lockstep *ls = c->lockstep;
    int rc = CPU_BUDGET;
    while (n > 0 && rc == CPU_BUDGET) {
        const struct dinsn *d = cpu_find_slot(c, &rc);
        if (!d)
            break;
        jit_hot(c, d);
        const struct jit_region *r = jit_region_at(c, d);
        long before = n;
        rc = !r ? alone(ls, &n) : sure(ls, r) ? unseen(ls, d, &n) : stretch(ls, d, r, &n);
        if (n == before) /* it would rather not translate what comes now */
            rc = alone(ls, &n);
    }
    c->n = n;
    return rc;
}

/* ---- life ---- */

static struct cpu_lockstep *shared_create(struct cpu_set *set)
{
    struct cpu_lockstep *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->watch = (struct storage_watch){marked_cb, write_begin_cb, write_end_cb, s};
    set->st->watch = &s->watch;
    return s;
}

int lockstep_create(struct cpu *c, bool some)
{
    struct lockstep *ls = aligned_alloc(64, (sizeof *ls + 63) & ~(size_t)63);
    if (ls)
        memset(ls, 0, sizeof *ls);
    if (!c->set->lockstep)
        c->set->lockstep = shared_create(c->set);
    if (ls)
        ls->frame = calloc(LOCKSTEP_FRAMES_MAX, sizeof *ls->frame);
    if (ls)
        ls->bytes = storage_lazy_alloc(2ull * LOCKSTEP_FRAMES_MAX * FRAME_BYTES);
    if (!ls || !ls->frame || !ls->bytes || !c->set->lockstep) {
        if (ls)
            free(ls->frame);
        free(ls);
        return ST_NOMEM;
    }
    ls->c = c;
    ls->some = some;
    ls->real = c->ports;
    ls->real_ctx = c->ports_ctx;
    ls->ports =
        (struct cpu_ports){clock_cb, wake_cb, take_io_cb, take_service_cb, take_message_cb};
    c->ports = &ls->ports;
    c->ports_ctx = ls;
    c->lockstep = ls;
    return ST_OK;
}

void lockstep_destroy(struct cpu *c)
{
    struct lockstep *ls = c->lockstep;
    if (!ls)
        return;
    c->ports = ls->real;
    c->ports_ctx = ls->real_ctx;
    storage_lazy_free(ls->bytes, 2ull * LOCKSTEP_FRAMES_MAX * FRAME_BYTES);
    free(ls->frame);
    free(ls);
    c->lockstep = NULL;
}

void lockstep_set_destroy(struct cpu_set *set)
{
    if (set->lockstep)
        set->st->watch = NULL;
    free(set->lockstep);
    set->lockstep = NULL;
}

struct lockstep_stats lockstep_stats(const struct cpu *c)
{
    return c->lockstep ? c->lockstep->stats : (struct lockstep_stats){0};
}
