/* Two engines have come to different results: everything about it, then the end of the program.
 * Whoever reads this wants to know which instruction is wrong; the interpreter's last
 * instructions, the region and the first differing row usually tell. */
#include <stdlib.h>
#include <unistd.h>

#include "cpu/jit/lockstep_internal.h"

#define EXIT_DIFFERENCE 1
#define BYTES_SHOWN_MAX 256

static u64 element(const struct lockstep_row *row, const u8 *cpu, u32 i)
{
    const u8 *p = cpu + row->at + (size_t)row->width * i;
    u64 v = 0;
    memcpy(&v, p, row->width); /* little-endian host */
    return v;
}

/* General registers, and what changed or differs (then marked). */
static void rows_print(const struct lockstep *ls, const struct lockstep_outcome *a,
                       const struct lockstep_outcome *b)
{
    fprintf(stderr, "%-22s %-18s %-18s interpreter\n", "state", "before", "translated");
    for (unsigned r = 0; r < lockstep_row_count; r++) {
        const struct lockstep_row *row = &lockstep_rows[r];
        for (u32 i = 0; lockstep_row_own(row) && i < row->count; i++) {
            u64 was = element(row, ls->start.cpu, i), va = element(row, a->cpu, i),
                vb = element(row, b->cpu, i);
            if (was == va && was == vb && row->at != offsetof(struct cpu, gr))
                continue;
            fprintf(stderr, "%-18s %-3u %016llx   %016llx   %016llx%s\n", row->name, i,
                    (unsigned long long)was, (unsigned long long)va, (unsigned long long)vb,
                    va == vb ? "" : "   <-- differs");
        }
    }
}

static void frame_print(const struct lockstep *ls, const struct lockstep_frame *f,
                        const u8 *after, unsigned *left)
{
    const u8 *now = ls->c->st->base + f->abs;
    for (unsigned i = 0; i < FRAME_BYTES && *left; i++) {
        if (f->before[i] == after[i] && after[i] == now[i])
            continue;
        fprintf(stderr, "absolute %010llx: %02x -> translated %02x, interpreter %02x%s\n",
                (unsigned long long)(f->abs + i), f->before[i], after[i], now[i],
                after[i] == now[i] ? "" : "   <-- differs");
        --*left;
    }
}

static void storage_print(const struct lockstep *ls)
{
    unsigned left = BYTES_SHOWN_MAX;
    for (unsigned i = 0; i < ls->frames; i++)
        frame_print(ls, &ls->frame[i], ls->frame[i].after, &left);
}

static void outcome_print(const char *name, const struct lockstep_outcome *o)
{
    const struct cpu *c = (const void *)o->cpu;
    fprintf(stderr,
            "%-18s result %d after %ld instructions; ilc %u teid %016llx ar %u dxc %02x\n",
            name, o->rc, o->insns, c->ilc, (unsigned long long)c->teid, c->exc_ar, c->dxc);
}

static void trace_print(const struct lockstep *ls, long insns)
{
    long from = insns > LOCKSTEP_TRACE_INSNS ? insns - LOCKSTEP_TRACE_INSNS : 0;
    fputs("the interpreter's last instructions:\n", stderr);
    for (long i = from; i < insns; i++) {
        char line[96];
        unsigned at = (unsigned)i % LOCKSTEP_TRACE_INSNS;
        isa_disassemble(ls->trace[at].text, ls->trace[at].ia, line, sizeof line);
        fprintf(stderr, "  %012llx  %s\n", (unsigned long long)ls->trace[at].ia, line);
    }
}

/* The region once more, from the bytes as they were: storage and CPU are put back for it. */
static void region_print(struct lockstep *ls)
{
    struct cpu *c = ls->c;
    struct jit_cx *x = c->jit->cx;
    memcpy((void *)c, ls->start.cpu, sizeof ls->start.cpu);
    for (unsigned i = 0; i < ls->frames; i++)
        memcpy(c->st->base + ls->frame[i].abs, ls->frame[i].before, FRAME_BYTES);
    x->c = c;
    x->jit = c->jit;
    x->page = ls->page;
    x->mode = ls->region.mode;
    x->deep = ls->region.deep;
    if (region_find(x, ls->slot)) {
        region_analyse(x);
        x->entry_block = (unsigned)x->slot_block[x->entry_slot];
        jit_dump(stderr, x, &ls->region);
    }
}

void lockstep_report(struct lockstep *ls, const char *what)
{
    fprintf(stderr, "lockstep: CPU %u: translated code and interpreter differ: %s\n",
            ls->c->addr, what);
    outcome_print("translated", &ls->translated);
    outcome_print("interpreter", &ls->interp);
    rows_print(ls, &ls->translated, &ls->interp);
    storage_print(ls);
    trace_print(ls, ls->interp.insns);
    region_print(ls);
    fflush(stderr);
    _exit(EXIT_DIFFERENCE);
}
