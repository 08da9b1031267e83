/* Translated code of one CPU: memory, entries, invalidation.
 * struct jit - Located by: struct cpu. Created by jit_create, destroyed by jit_destroy.
 * Serialised by: the thread that runs the CPU.
 * [J1] A slot leads into translated code only while every byte that code was made from is as it
 * was: jit_invalidate takes the entry away before the slots themselves are reset.
 * [J2] Code memory is given out once; all of it becomes free at a time, when none of it is
 * executing (jit_hot is called by slot handlers only, translated code jumps there).
 * [J3] The executable mapping is never writable. */
#include "cpu/jit/emit_internal.h"

#include <stdlib.h>
#include <time.h>

#include "mem/base/large.h"

#define JIT_CODE_BYTES (192u << 20)
#define JIT_HOT_BYTES (128u << 20) /* of them; what is rarely executed has the rest */
#define JIT_REGIONS_MAX 262144u
#define JIT_HEAT_FIRST 100 /* executions before a branch target is translated */
#define JIT_HEAT_AGAIN 255
#define JIT_LOOKS 4              /* one in so many times JIT_HEAT_AGAIN a region is looked at */
#define JIT_BUSY_MAX 10          /* JIT_LOOKS * JIT_HEAT_AGAIN executions each, ... */
#define JIT_BUSY_INSNS 4096u     /* ... one at least in so many instructions */
#define JIT_MISSED_MAX 64        /* anchors not set by a way in, ... */
#define JIT_MISSED_INSNS 100000u /* ... one at least in so many instructions */
#define DEEP_SHARE 8             /* one slot of so many, when all are translated at once */
#define NO_SLOT 0xffff
/* One shallow translation of so many is timed, and counts for all: the clock is a call of the
 * host's kernel. Deep ones, and memory for code, are few and large: those are timed themselves. */
#define TIMED_SHARE 16

bool jit_supported(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("bmi");
#else
    return false;
#endif
}

/* ---- memory ---- */

/* Of this thread, so that others on the host do not count as translation. */
static u64 now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

static int memory_map(struct jit *j)
{
    void *rw, *rx;
    if (!large_map_code(JIT_CODE_BYTES, &rw, &rx))
        return ST_NOMEM;
    j->rw = rw;
    j->rx = rx;
    j->bytes = JIT_CODE_BYTES;
    return ST_OK;
}

/* Before [from, from + room) of the code memory is written: large host pages, so that code which
 * is spread widely finds its way in few translations of the host. A CPU that never fills its
 * first one need not have it. `large` is how far that has come. */
static void memory_ready(struct jit *j, size_t from, size_t room, size_t *large)
{
    size_t to = (from + room + LARGE_PAGE_BYTES - 1) & ~(LARGE_PAGE_BYTES - 1);
    if (to - *large <= LARGE_PAGE_BYTES && (*large == 0 || *large == JIT_HOT_BYTES))
        return;
    if (*large >= to)
        return;
    u64 start = now_ns();
    for (; *large < to; *large += LARGE_PAGE_BYTES)
        large_collapse(j->rw + *large, j->rx + *large);
    j->memory_ns += now_ns() - start;
}

static struct x64 assembler_at(struct jit *j, size_t from, size_t to)
{
    return (struct x64){
        .start = j->rw + from, .at = j->rw + from, .end = j->rw + to, .run = j->rx + from};
}

static void common_code(struct jit *j)
{
    struct x64 a = assembler_at(j, 0, j->bytes);
    j->leave_page = a.run;
    emit_leave_page(&a);
    for (unsigned k = 0; k < COMMON_COUNT; k++) {
        j->common[k] = a.run + x64_used(&a);
        emit_common(&a, (enum jit_common)k);
    }
    j->used += (x64_used(&a) + 63) & ~(size_t)63;
    j->floor = j->used;
    anchor_cells_forget(j);
    j->hot_end = j->cold_used = j->cold_large = JIT_HOT_BYTES;
}

static bool tables_create(struct jit *j)
{
    j->cx = calloc(1, sizeof *j->cx);
    j->regions = large_map_sparse(JIT_REGIONS_MAX * sizeof *j->regions);
    j->way_in = large_map_sparse(JIT_WAYS_IN_MAX * sizeof *j->way_in);
    j->way_anchor = large_map_sparse(JIT_WAY_ANCHORS_MAX * sizeof *j->way_anchor);
    return j->cx && j->regions && j->way_in && j->way_anchor;
}

int jit_create(struct cpu *c, enum cpu_engine engine, struct cause *cause)
{
    if (!jit_supported())
        return cause_set(cause, ST_INVAL, "this host's processor lacks what the JIT needs");
    struct jit *j = calloc(1, sizeof *j);
    c->jit = j;
    if (!j || !tables_create(j) || !links_create(j) || memory_map(j) != ST_OK) {
        jit_destroy(c);
        return cause_set(cause, ST_NOMEM, "no memory for translated code");
    }
    c->jit_reverse[0] = 0x0001020304050607;
    c->jit_reverse[1] = ~0ull; /* zeros */
    j->eager = engine != CPU_ENGINE_JIT;
    j->heat = j->eager ? 1 : JIT_HEAT_FIRST;
    j->lockstep = engine >= CPU_ENGINE_LOCKSTEP;
    j->insns_max = engine == CPU_ENGINE_JIT_SINGLE ? 1 : REGION_INSNS_MAX;
    common_code(j);
    memset(c->heat, j->heat, JIT_HEAT_ENTRIES);
    return ST_OK;
}

void jit_destroy(struct cpu *c)
{
    struct jit *j = c->jit;
    if (!j)
        return;
    large_unmap(j->rw, j->bytes);
    large_unmap(j->rx, j->bytes);
    free(j->bodies);
    if (j->perf_map)
        fclose(j->perf_map);
    links_destroy(j);
    large_unmap(j->regions, JIT_REGIONS_MAX * sizeof *j->regions);
    large_unmap(j->way_in, JIT_WAYS_IN_MAX * sizeof *j->way_in);
    large_unmap(j->way_anchor, JIT_WAY_ANCHORS_MAX * sizeof *j->way_anchor);
    free(j->cx);
    free(j);
    c->jit = NULL;
}

bool jit_is_code(const struct cpu *c, insn_run *run)
{
    const struct jit *j = c->jit;
    uintptr_t at = (uintptr_t)run;
    return j && at >= (uintptr_t)j->rx && at < (uintptr_t)j->rx + j->bytes;
}

/* ---- entries ---- */

/* In front of a region's code stands which one it is, and whether it stays as it is: asked so often
 * that the record itself, which nothing else needs then, would be a miss of the host's cache. */
#define REGION_HEAD_BYTES sizeof(uintptr_t)
#define HEAD_SETTLED 1u
#define HEAD_FPC 2u /* unless the FPC turns out well */

static u8 *head_of(const struct jit *j, insn_run *run)
{
    const u8 *code = (const u8 *)(uintptr_t)run;
    return j->rw + (code - j->rx) - REGION_HEAD_BYTES;
}

static uintptr_t head(const struct jit *j, insn_run *run)
{
    uintptr_t h;
    memcpy(&h, head_of(j, run), sizeof h);
    return h;
}

static void head_set(struct jit *j, const struct jit_region *r)
{
    uintptr_t h = (uintptr_t)r | (r->settled ? HEAD_SETTLED : 0); /* once is enough */
    h |= r->fpc_waits ? HEAD_FPC : 0;
    memcpy(head_of(j, r->code), &h, sizeof h);
}

struct jit_region *jit_region_of(const struct jit *j, insn_run *run)
{
    return (struct jit_region *)(void *)(head(j, run) & ~(uintptr_t)(HEAD_SETTLED | HEAD_FPC));
}

static void entry_take(struct jit_region *r)
{
    struct dinsn *d = &r->page->slot[r->entry];
    if (d->run == r->code)
        d->run = r->before;
}

/* No region can be entered there any more. */
static void page_closed(struct code_page *page)
{
    memset(page->open, 0, sizeof page->open);
}

static void record_unlink(struct jit_region *r)
{
    struct jit_region **at = &r->page->jit;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (!r->page->jit)
        page_closed(r->page);
    r->page = NULL;
}

/* It is entered there no more. */
static void way_drop(struct jit *j, struct jit_region *r)
{
    links_out_of(j, &r->page->slot[r->entry], r);
    entry_take(r);
    record_unlink(r);
}

/* The translation is gone, from all of its pages. */
static void region_drop(struct cpu *c, struct jit_region *r)
{
    struct jit *j = c->jit;
    r = r->whole;
    anchor_cells_give(c, r->cells, r->anchors);
    links_leave(j, r);
    for (struct jit_region *in = r; in; in = in->in)
        way_drop(j, in);
    for (unsigned p = 0; p < ARRAY_LEN(r->part) && r->part[p]; p++)
        record_unlink(r->part[p]);
}

/* The same, to be made again as soon as control comes to where it is entered. */
static void region_renew(struct cpu *c, struct jit_region *r)
{
    const struct jit_region *in = r->whole;
    for (region_drop(c, r); in; in = in->in)
        *jit_heat(c, &in->entered->slot[in->entry]) = 1;
}

/* All code memory becomes free. */
static void flush(struct cpu *c)
{
    struct jit *j = c->jit;
    for (unsigned k = 0; k < j->region_count; k++) {
        struct jit_region *r = &j->regions[k];
        if (!r->page)
            continue;
        r->page->jit = NULL;
        page_closed(r->page);
        if (r->code)
            entry_take(r);
        r->page = NULL;
    }
    j->region_count = j->way_count = j->way_anchors = 0;
    j->used = j->floor;
    j->cold_used = j->hot_end;
    links_forget(j);
    anchor_cells_forget(j);
    j->stats.flushes++;
    memset(c->heat, j->heat, JIT_HEAT_ENTRIES);
}

void jit_forget(struct cpu *c)
{
    if (c->jit)
        flush(c);
}

/* The common code stays. */
void jit_trim(struct cpu *c)
{
    struct jit *j = c->jit;
    if (!j)
        return;
    size_t used = j->used, cold = j->cold_used;
    flush(c);
    large_give_back_shared(j->rw + j->floor, used - j->floor);
    large_give_back_shared(j->rw + j->hot_end, cold - j->hot_end);
    j->hot_large = 0;
    j->cold_large = j->hot_end;
}

/* ---- translation ---- */

const struct jit_region *jit_region_at(const struct cpu *c, const struct dinsn *d)
{
    if (!jit_is_code(c, d->run))
        return NULL;
    const struct jit_region *r = jit_region_of(c->jit, d->run);
    return r->mode == c->jit_mode ? r : NULL;
}

static void record_enter(struct jit_region *r, const struct jit_page *p)
{
    r->page = p->page;
    r->granules = p->granules;
    r->next = p->page->jit;
    p->page->jit = r;
}

/* What has been emitted is entered at a slot from now on. */
static struct jit_region *entry_new(struct jit_cx *x, unsigned slot)
{
    struct jit *j = x->jit;
    struct jit_region *r = &j->regions[j->region_count++];
    *r = (struct jit_region){.whole = r,
                             .entered = x->page,
                             .deep = x->deep,
                             .settled = x->whole,
                             .fpc_sure = x->fpc_sure,
                             .fpc_waits = x->fpc_waits,
                             .entry = (u16)slot,
                             .mode = x->mode,
                             .bytes = (u32)x64_used(&x->a),
                             .cold = x->cold.run,
                             .cold_bytes = (u32)x64_used(&x->cold),
                             .linked = (u32)(x->linked - x->a.start),
                             .before = x->page->slot[slot].run,
                             .code = (insn_run *)(uintptr_t)x->a.run};
    j->used += (REGION_HEAD_BYTES + x64_used(&x->a) + 15) & ~(size_t)15;
    j->cold_used += x64_used(&x->cold);
    j->stats.host_bytes += x64_used(&x->a) + x64_used(&x->cold);
    return r;
}

static void entry_give(struct jit_cx *x, struct jit_region *r)
{
    struct dinsn *d = &x->page->slot[r->entry];
    head_set(x->jit, r);
    d->run = r->code;
    links_into(x->jit, d, r);
}

static struct jit_region *region_enter(struct cpu *c, unsigned slot)
{
    struct jit *j = c->jit;
    struct jit_cx *x = j->cx;
    struct jit_region *r = entry_new(x, slot);
    r->cells = (u16)x->cells;
    r->anchors = (u8)x->anchors;
    record_enter(r, &x->pages[0]);
    x->page->profiled = true;
    for (unsigned p = 1, n = 0; p < x->page_count; p++) {
        if (!x->pages[p].granules)
            continue;
        struct jit_region *part = &j->regions[j->region_count++];
        *part = (struct jit_region){.whole = r, .entry = NO_SLOT, .addr = x->pages[p].addr};
        record_enter(part, &x->pages[p]);
        r->part[n++] = part;
    }
    ways_in_note(x, r);
    entry_give(x, r);
    links_enter(x, r);
    j->stats.regions++;
    j->stats.region_insns += x->insns;
    j->stats.deep += r->deep;
    return r;
}

/* The region can be entered at one more slot. */
static void way_in_enter(struct jit_cx *x, struct jit_region *whole, unsigned slot)
{
    struct jit_region *r = entry_new(x, slot);
    r->whole = whole;
    r->deep = whole->deep;
    r->settled = whole->settled;
    r->in = whole->in;
    whole->in = r;
    record_enter(r, &(struct jit_page){.page = x->page});
    entry_give(x, r);
    x->jit->stats.ways_in++;
}

/* For those who look on: the trace, and `perf`. */
static void region_tell(const struct jit_cx *x, const struct jit_region *r)
{
    unsigned long long at = x->c->ia_page + x->entry_slot * 2u;
    if (x->jit->trace)
        jit_dump(x->jit->trace, x, r);
    if (x->jit->perf_map)
        fprintf(x->jit->perf_map, "%lx %x guest_%llx\n%lx %x guest_%llx_rare\n",
                (unsigned long)(uintptr_t)r->code, r->bytes, at,
                (unsigned long)(uintptr_t)r->cold, r->cold_bytes, at);
}

static void emission_begin(struct jit_cx *x)
{
    struct jit *j = x->jit;
    memory_ready(j, j->used, JIT_REGION_BYTES_MAX, &j->hot_large);
    memory_ready(j, j->cold_used, JIT_REGION_BYTES_MAX, &j->cold_large);
    x->a = assembler_at(j, j->used + REGION_HEAD_BYTES, j->hot_end);
    x->cold = assembler_at(j, j->cold_used, j->bytes);
}

static void way_in_tell(const struct jit *j, const struct jit_region *r)
{
    if (j->perf_map)
        fprintf(j->perf_map, "%lx %x guest_way_in\n", (unsigned long)(uintptr_t)r->code,
                r->bytes);
}

/* Enter a region that is there already in its middle, when there is one for it. */
static bool way_in(struct jit_cx *x, unsigned slot)
{
    const struct jit_way_in *way;
    struct jit_region *r = way_in_find(x->jit, x->page, slot, x->mode, x->whole, &way);
    if (!r)
        return false;
    emission_begin(x);
    way_in_emit(x, r, way, slot);
    if (x->a.full || x->cold.full)
        return false;
    way_in_enter(x, r, slot);
    way_in_tell(x->jit, r->in);
    return true;
}

/* Translate from `slot` of the executing page. */
static enum jit_refusal translate(struct cpu *c, struct code_page *page, unsigned slot,
                                  bool deep)
{
    struct jit *j = c->jit;
    struct jit_cx *x = j->cx;
    if (j->region_count + REGION_PAGES_MAX > JIT_REGIONS_MAX ||
        j->hot_end - j->used < JIT_REGION_BYTES_MAX ||
        j->bytes - j->cold_used < JIT_REGION_BYTES_MAX)
        flush(c);
    x->c = c;
    x->jit = j;
    x->page = page;
    x->mode = c->jit_mode;
    x->deep = x->whole = deep;
    x->refused = JIT_WELL;
    if (!jit_unfit(j, &page->slot[slot])->own && way_in(x, slot))
        return JIT_WELL;
    x->keeps = deep && anchors_keep(c);
    if (!region_find(x, slot))
        return x->refused;
    region_analyse(x);
    if (deep && !j->eager && !x->calls_followed && !x->select_temps) {
        x->deep = false; /* nothing to gain: more to load and to store */
        if (!region_find(x, slot))
            return x->refused;
        region_analyse(x);
    }
    fpc_decide(x);
    emission_begin(x);
    if (!anchor_cells_take(x))
        return JIT_CODE_FULL;
    emit_region(x, page->slot[slot].run);
    if (x->a.full || x->cold.full) {
        anchor_cells_give(c, x->cells, x->anchors);
        return JIT_CODE_FULL;
    }
    struct jit_region *r = region_enter(c, slot);
    region_tell(x, r);
    return JIT_WELL;
}

/* Why nothing is translated from `d` on whatever the instructions are. */
static enum jit_refusal slot_refused(const struct cpu *c, const struct code_page *page,
                                     const struct dinsn *d)
{
    u8 mode = c->jit_mode;
    if (d->run == code_run_mixed)
        return JIT_MIXED_FRAME;
    if (page->abs == CODE_ABS_NONE)
        return JIT_NO_FRAME;
    if (d < page->slot || d >= page->slot + CODE_SLOTS || d->run == code_run_cross)
        return JIT_CROSSES_PAGE;
    if (d->run == code_run_decode)
        return JIT_NOT_DECODED;
    if (mode & JIT_MODE_AR)
        return JIT_AR_MODE;
    return mode & JIT_MODE_OVERFLOW ? JIT_OVERFLOW_MASK : JIT_WELL;
}

static size_t unfit_index(const struct dinsn *slot)
{
    return ((uintptr_t)slot / sizeof *slot) % JIT_UNFITS;
}

const struct jit_unfit *jit_unfit(const struct jit *j, const struct dinsn *slot)
{
    static const struct jit_unfit none = {0};
    const struct jit_unfit *u = &j->unfits[unfit_index(slot)];
    return u->slot == slot ? u : &none;
}

/* The same, to be written. */
static struct jit_unfit *unfit_for(struct jit *j, const struct dinsn *slot)
{
    struct jit_unfit *u = &j->unfits[unfit_index(slot)];
    if (u->slot != slot)
        *u = (struct jit_unfit){.slot = slot};
    return u;
}

/* ---- what is no longer what it was ---- */

/* What was learnt of the program that was in these granules says nothing of another one there. */
static void profile_forget(struct jit *j, const struct code_page *page, u64 granules)
{
    for (unsigned s = 0; s < CODE_SLOTS; s++) {
        const struct dinsn *d = &page->slot[s];
        if (!(granules >> (s / GRANULE_SLOTS) & 1))
            continue;
        if (jit_unfit(j, d)->slot)
            j->unfits[unfit_index(d)] = (struct jit_unfit){.slot = NULL};
        struct jit_ways *w = &j->ways[(uintptr_t)d / sizeof *d % JIT_WAYS];
        if (w->slot == d)
            *w = (struct jit_ways){.slot = NULL};
        jit_guess_forget(j, d);
    }
}

void jit_forget_page(struct cpu *c, struct code_page *page)
{
    while (page->jit) {
        if (c->code_base == (char *)page->slot || page->jit->whole->part[0])
            c->jit_broken = true; /* it may be executing */
        region_drop(c, page->jit);
    }
    if (page->profiled)
        profile_forget(c->jit, page, ~0ull);
    page->profiled = false;
}

static u64 granules_of(unsigned from, unsigned len)
{
    unsigned first = from / 64, last = (from + len - 1) / 64;
    return (~0ull << first) & (~0ull >> (63 - last));
}

void jit_invalidate(struct cpu *c, struct code_page *page, unsigned from, unsigned len)
{
    u64 hit = granules_of(from, len);
    struct jit_region **at = &page->jit;
    u64 dropped = 0;
    while (*at) {
        struct jit_region *r = *at;
        if (!(r->granules & hit)) {
            at = &r->next;
            continue;
        }
        dropped = hit;
        region_drop(c, r);
        at = &page->jit; /* its ways in were in the list, too */
        c->jit->stats.invalidated++;
        c->jit_broken = true; /* it may be executing */
    }
    if (dropped)
        profile_forget(c->jit, page, dropped);
}

/* The region that begins at `entry`: no slot has two. */
static struct jit_region *region_of(const struct cpu *c, const struct dinsn *entry)
{
    return jit_is_code(c, entry->run) ? jit_region_of(c->jit, entry->run) : NULL;
}

void jit_anchor_unfit(struct cpu *c, const struct dinsn *entry, unsigned which,
                      enum jit_unfit_kind kind)
{
    struct jit_unfit *u = unfit_for(c->jit, entry);
    struct jit_region *r = region_of(c, entry);
    u->of[kind] |= 1ull << which;
    if (!r)
        return; /* gone already */
    u->deep = r->deep;
    region_renew(c, r);
}

static u32 instruction_now(const struct cpu *c, long n)
{
    return (u32)(cpu_instructions(c) + (u64)(c->slice - n));
}

/* Something that a region or a way into it asks for was not so. Is that so too often? */
static bool missed_often(const struct cpu *c, struct jit_region *r, long n)
{
    u32 now = instruction_now(c, n);
    r->missed = now - r->missed_at > JIT_MISSED_INSNS ? 1 : (u8)(r->missed + 1);
    r->missed_at = now;
    return r->missed >= JIT_MISSED_MAX;
}

int jit_fpc_missed(struct cpu *c, const struct dinsn *d, long n)
{
    struct jit_region *r = region_of(c, d);
    if (r && missed_often(c, r->whole, n)) {
        const struct jit_region *whole = r->whole;
        struct jit_unfit *u = unfit_for(c->jit, &whole->entered->slot[whole->entry]);
        u->fpc = true;
        u->deep = whole->settled;
        region_renew(c, r);
    }
    return jit_interpret(c, d, n);
}

void jit_way_count(struct cpu *c, const struct dinsn *d, long n)
{
    struct jit_region *r = region_of(c, d), **at;
    if (!r || r->whole == r || !missed_often(c, r, n))
        return;
    for (at = &r->whole->in; *at != r;)
        at = &(*at)->in;
    *at = r->in;
    unfit_for(c->jit, d)->own = true;
    unfit_for(c->jit, d)->deep = r->settled;
    way_drop(c->jit, r);
    *jit_heat(c, d) = 1;
}

void jit_remake_deep(struct cpu *c, struct code_page *page, unsigned at)
{
    u64 hit = granules_of(at, 2);
    struct jit_region **from = &page->jit;
    while (*from) {
        struct jit_region *r = *from, *whole = r->whole;
        if (!(r->granules & hit) || !whole->deep) {
            from = &r->next;
            continue;
        }
        const struct dinsn *entry = &whole->page->slot[whole->entry];
        struct jit_unfit *u = unfit_for(c->jit, entry);
        u->deep = true;
        region_renew(c, r);
        from = &page->jit; /* its ways in were in the list, too */
    }
}

static void try_translation(struct cpu *c, struct code_page *page, const struct dinsn *d,
                            bool deep)
{
    struct jit *j = c->jit;
    enum jit_refusal why = slot_refused(c, page, d);
    if (why == JIT_WELL) {
        u64 share = deep ? 1 : j->tries++ % TIMED_SHARE ? 0 : TIMED_SHARE;
        u64 start = share ? now_ns() : 0, memory = j->memory_ns;
        why = translate(c, page, (unsigned)(d - page->slot), deep);
        memory = j->memory_ns - memory;
        if (share)
            j->stats.translate_ns += (now_ns() - start - memory) * share;
        j->stats.translate_ns += memory;
    }
    if (why)
        j->stats.refused[why]++;
}

/* Eager engines try both kinds, but not so that code memory is full all the time. */
static bool deep_at_once(const struct jit *j, const struct dinsn *d)
{
    bool room = j->used - j->floor < j->hot_end / DEEP_SHARE;
    return j->eager && j->insns_max > 1 && (room || (uintptr_t)d / sizeof *d % DEEP_SHARE == 0);
}

/* A translation that is entered again and again is made anew, deep; one that waits for the FPC,
 * once that is well. */
static void busy(struct cpu *c, struct code_page *page, const struct dinsn *d)
{
    uintptr_t h = head(c->jit, d->run);
    bool better = (h & HEAD_FPC) && fpc_well(c);
    if (((h & HEAD_SETTLED) || c->jit->eager) && !better)
        return;
    struct jit_region *r = jit_region_of(c->jit, d->run);
    u32 now = instruction_now(c, c->n), since = now - r->busy_at;
    r->busy_at = now;
    if (r->mode != c->jit_mode)
        return;
    if (!better && since > JIT_LOOKS * JIT_HEAT_AGAIN * JIT_BUSY_INSNS) {
        r->busy -= r->busy > 0;
        return;
    }
    if (!better && ++r->busy < JIT_BUSY_MAX)
        return;
    region_renew(c, r);
    try_translation(c, page, d, true);
}

/* Is control at a region that is not to be looked at this time? Its record, and the branch that led
 * here, are in none of the host's caches. */
static bool passes_by(struct jit *j, const struct cpu *c, const struct dinsn *d)
{
    return !j->eager && jit_is_code(c, d->run) && ++j->arrivals % JIT_LOOKS;
}

const struct dinsn *jit_hot(struct cpu *c, const struct dinsn *d)
{
    struct code_page *page = (struct code_page *)(void *)c->code_base;
    *jit_heat(c, d) = JIT_HEAT_AGAIN;
    if (!c->jit || passes_by(c->jit, c, d))
        return d;
    if (c->jit->eager)
        *jit_heat(c, d) = 1;
    if (d->run == code_run_decode && d >= page->slot && d < page->slot + CODE_SLOTS) {
        *jit_heat(c, d) = 1; /* decode it first */
        if (!c->jit->eager || page->abs == CODE_ABS_NONE)
            return d;
        code_decode_slot(c, page, (unsigned)(d - page->slot));
    }
    jit_guess_saw(c, d);
    if (!jit_is_code(c, d->run))
        try_translation(c, page, d, deep_at_once(c->jit, d) || jit_unfit(c->jit, d)->deep);
    else
        busy(c, page, d);
    return d;
}

int jit_stop(struct cpu *c, const struct dinsn *d, long n)
{
    c->stop = d;
    c->n = n;
    return CPU_JIT_STOPPED;
}

/* Go on at d, which may be translated: never called from here, since translated code keeps no
 * registers. Builds without sibling calls return to their loop (run.c). */
static inline int go_on(struct cpu *c, const struct dinsn *d, long n)
{
#ifdef ENDICOTT_LOOP_DISPATCH
    c->stop = d;
    c->n = n;
    return 0;
#else
    return d->run(c, d, n);
#endif
}

int jit_hot_go(struct cpu *c, const struct dinsn *d, long n)
{
    if (unlikely(c->jit_stops))
        return jit_stop(c, d, n);
    c->n = n;
    d = jit_hot(c, d);
    return go_on(c, d, n);
}

/* ---- called by translated code ---- */

int jit_body_result(struct cpu *c, const struct dinsn *d, long n, int rc, unsigned length)
{
    if (rc != CPU_TAKEN)
        return cpu_stop(c, d, n, rc, length);
    c->bear_slot = d;
    return cpu_branch_slow(c, n);
}

/* The instruction at d by the interpreter, also where a region begins. */
int jit_interpret(struct cpu *c, const struct dinsn *d, long n)
{
    if (unlikely(c->jit_stops))
        return jit_stop(c, d, n);
    insn_run *run = d->run;
    if (jit_is_code(c, run))
        run = jit_region_of(c->jit, run)->before;
    return run(c, d, n);
}

/* The budget is spent at d: no more is executed, so that control comes back to here, where a loop
 * has its region, and not to wherever the next branch would have led. */
int jit_spent(struct cpu *c, const struct dinsn *d, long n)
{
    if (unlikely(c->jit_stops))
        return jit_stop(c, d, n);
    c->n = n;
    c->psw.addr = cpu_slot_address(c, d) & c->amask;
    return CPU_BUDGET;
}

int jit_broken(struct cpu *c, const struct dinsn *d, long n)
{
    if (unlikely(c->jit_stops))
        return jit_stop(c, d, n); /* jit_broken stays and tells why */
    c->jit_broken = false;
    return go_on(c, d, n);
}

#ifdef __x86_64__
__attribute__((naked)) int jit_call(struct cpu *c __attribute__((unused)),
                                    const struct dinsn *d __attribute__((unused)),
                                    long n __attribute__((unused)),
                                    insn_run *run __attribute__((unused)))
{
    __asm__("push %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
            "sub $8,%rsp\n\tcall *%rcx\n\tadd $8,%rsp\n\t"
            "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbp\n\tpop %rbx\n\tret");
}
#else
int jit_call(struct cpu *c, const struct dinsn *d, long n, insn_run *run)
{
    return run(c, d, n);
}
#endif
