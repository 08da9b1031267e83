/* For unit tests of the translator: two machines alike, one interprets, the other translates. */
#include "tests/lib/jit_twins.h"

#include <stdio.h>
#include <stdlib.h>

#define BUDGET 3000
#define LC_SVC_NEW 0x1c0 /* and behind it the program new PSW */
#define WAIT_MASK (HARNESS_PSW64 | PSW_WAIT)

static const u32 pages[] = {0, TWIN_CODE, TWIN_DATA, TWIN_DATA + FRAME_BYTES, TWIN_PROTECTED};

u64 twins_random(struct twins *t)
{
    t->seed ^= t->seed >> 12;
    t->seed ^= t->seed << 25;
    t->seed ^= t->seed >> 27;
    return t->seed * 0x2545f4914f6cdd1dull;
}

u64 twins_below(struct twins *t, u64 limit)
{
    return (twins_random(t) >> 16) % limit;
}

bool twins_percent(struct twins *t, unsigned percent)
{
    return twins_below(t, 100) < percent;
}

static void both_write(struct twins *t, u64 abs, const void *bytes, u64 len)
{
    if (!storage_write(t->a.st, abs, bytes, len) || !storage_write(t->b.st, abs, bytes, len))
        abort();
}

/* Interruptions end in disabled waits: supervisor calls at 0, program interruptions at 2. Wild
 * branches end in a page of supervisor calls. Guests may have stored into either. */
static void ends_put(struct twins *t)
{
    u8 psws[32], landing[FRAME_BYTES];
    be64_store(psws, WAIT_MASK);
    be64_store(psws + 8, 0);
    be64_store(psws + 16, WAIT_MASK);
    be64_store(psws + 24, 2);
    for (unsigned i = 0; i < FRAME_BYTES; i += 2)
        landing[i] = 0x0a, landing[i + 1] = 1;
    if (memcmp(t->a.st->base + LC_SVC_NEW, psws, sizeof psws) != 0)
        both_write(t, LC_SVC_NEW, psws, sizeof psws);
    if (memcmp(t->a.st->base + TWIN_LANDING, landing, sizeof landing) != 0)
        both_write(t, TWIN_LANDING, landing, sizeof landing);
}

static void one_init(struct cpu_harness *h, unsigned cpus)
{
    harness_init(h, "max", cpus);
    storage_key_set(h->st, TWIN_CODE, 0x30);
    storage_key_set(h->st, TWIN_DATA, 0x30);
    storage_key_set(h->st, TWIN_DATA + FRAME_BYTES, 0x30);
    storage_key_set(h->st, TWIN_PROTECTED, 0x40);
}

void twins_init(struct twins *t, enum cpu_engine engine, unsigned cpus)
{
    memset(t, 0, sizeof *t);
    t->seed = 0x9e3779b97f4a7c15ull;
    one_init(&t->a, cpus);
    one_init(&t->b, cpus);
    if (cpu_set_engine(t->b.set, engine, NULL) != ST_OK)
        abort();
    ends_put(t);
    twins_data(t);
}

void twins_fini(struct twins *t)
{
    harness_fini(&t->a);
    harness_fini(&t->b);
}

void twins_data(struct twins *t)
{
    u64 bytes[FRAME_BYTES / 8];
    for (unsigned p = 2; p < ARRAY_LEN(pages); p++) {
        for (unsigned i = 0; i < ARRAY_LEN(bytes); i++)
            bytes[i] = twins_percent(t, 15) ? 0 - twins_below(t, 2) : twins_random(t);
        both_write(t, pages[p], bytes, sizeof bytes);
    }
}

void twins_code(struct twins *t, const struct twin_code *code)
{
    both_write(t, code->at, code->text, code->bytes);
}

void twins_purge(struct twins *t)
{
    cpu_purge_tlb(t->a.cpu);
    cpu_purge_tlb(t->b.cpu);
}

static enum cpu_exit one_run(struct cpu_harness *h, const struct twin_code *code,
                             const struct twin_state *s)
{
    struct cpu *c = h->cpu;
    memcpy(cpu_gr(c), s->gr, sizeof s->gr);
    memcpy(cpu_ar(c), s->ar, sizeof s->ar);
    for (unsigned i = 0; i < 16; i++)
        *cpu_fpr(c, i) = s->fpr[i];
    c->fpc = s->fpc;
    c->bear = 0;
    cpu_psw_set(c, s->psw_mask, code->at);
    return cpu_run(c, BUDGET);
}

/* ---- reports ---- */

static void report_code(const struct twin_code *code, const struct twin_state *s)
{
    char text[128];
    for (unsigned i = 0; i < code->insns; i++) {
        const u8 *p = code->text + code->offset[i];
        isa_disassemble(p, code->at + code->offset[i], text, sizeof text);
        fprintf(stderr, "%c %05x  %02x%02x%02x%02x%02x%02x  %s\n", i == code->test ? '>' : ' ',
                code->at + code->offset[i], p[0], p[1], p[2], p[3], p[4], p[5], text);
    }
    fprintf(stderr, "  psw mask %016llx\n", (unsigned long long)s->psw_mask);
    for (unsigned i = 0; i < 16; i++)
        fprintf(stderr, "  r%-2u %016llx%s", i, (unsigned long long)s->gr[i],
                i % 4 == 3 ? "\n" : "");
}

static bool differs(bool report, const char *what, u64 a, u64 b)
{
    if (a == b)
        return false;
    if (report)
        fprintf(stderr, "  %s: interpreter %016llx, translated %016llx\n", what,
                (unsigned long long)a, (unsigned long long)b);
    return true;
}

static bool register_differs(bool report, char kind, unsigned number, u64 a, u64 b)
{
    char name[16];
    if (a == b)
        return false;
    snprintf(name, sizeof name, "%c%u", kind, number);
    return differs(report, name, a, b);
}

static bool registers_differ(const struct cpu *a, const struct cpu *b, bool report)
{
    bool bad = false;
    for (unsigned i = 0; i < 16; i++) {
        bad |= register_differs(report, 'r', i, a->gr[i], b->gr[i]);
        bad |= register_differs(report, 'f', i, a->vr[i][0], b->vr[i][0]);
        bad |= register_differs(report, 'a', i, a->ar[i], b->ar[i]);
    }
    return bad;
}

static bool storage_differs(struct twins *t, bool report)
{
    bool bad = false;
    for (unsigned p = 0; p < ARRAY_LEN(pages); p++) {
        const u8 *x = t->a.st->base + pages[p], *y = t->b.st->base + pages[p];
        if (memcmp(x, y, FRAME_BYTES) == 0)
            continue;
        bad = true;
        for (unsigned i = 0, told = 0; i < FRAME_BYTES && told < 8 && report; i++)
            if (x[i] != y[i])
                fprintf(stderr, "  storage %05x: interpreter %02x, translated %02x\n",
                        pages[p] + i, x[i], y[i]),
                    told++;
        u8 copy[FRAME_BYTES];
        memcpy(copy, x, sizeof copy);
        if (!storage_write(t->b.st, pages[p], copy, sizeof copy))
            abort();
    }
    return bad;
}

static bool cpus_differ(struct twins *t, bool report)
{
    const struct cpu *a = t->a.cpu, *b = t->b.cpu;
    bool bad = registers_differ(a, b, report);
    bad |= differs(report, "condition code", a->cc, b->cc);
    bad |= differs(report, "psw mask", a->psw.mask, b->psw.mask);
    bad |= differs(report, "psw address (0: ended well)", a->psw.addr, b->psw.addr);
    bad |= differs(report, "fpc", a->fpc, b->fpc);
    bad |= differs(report, "breaking-event address", a->bear, b->bear);
    return bad;
}

/* A budget that is spent ends where the engine likes; nothing is compared then. */
static void resynchronise(struct twins *t)
{
    t->spent++;
    storage_differs(t, false);
}

bool twins_run(struct twins *t, const struct twin_code *code, const struct twin_state *s,
               bool report)
{
    if (t->a.cpu->state != CPU_STATE_OPERATING || t->b.cpu->state != CPU_STATE_OPERATING) {
        harness_reset(&t->a); /* one has stored into its lowcore, and went astray */
        harness_reset(&t->b);
    }
    ends_put(t);
    u64 insns_a = cpu_instructions(t->a.cpu), insns_b = cpu_instructions(t->b.cpu);
    enum cpu_exit ea = one_run(&t->a, code, s), eb = one_run(&t->b, code, s);
    if (ea == CPU_EXIT_BUDGET || eb == CPU_EXIT_BUDGET) {
        resynchronise(t);
        return true;
    }
    t->ran++;
    bool bad = differs(report, "exit", ea, eb);
    bad |= differs(report, "instructions", cpu_instructions(t->a.cpu) - insns_a,
                   cpu_instructions(t->b.cpu) - insns_b);
    bad |= cpus_differ(t, report);
    bad |= storage_differs(t, report);
    if (bad && report)
        report_code(code, s);
    if (t->a.cpu->state != CPU_STATE_OPERATING)
        t->stopped++;
    if (memcmp(t->a.st->base + code->at, code->text, code->bytes) != 0)
        twins_code(t, code);
    return !bad;
}
