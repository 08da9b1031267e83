/* Figures of the engines, summed over the CPUs of a set, where they write about regions, and how
 * often translated code called the body of which row: one table per CPU, written by its own
 * thread, found by the row's address. */
#include "cpu/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu/jit/jit_internal.h"
#include "cpu/jit/lockstep.h"

#define BODIES_MAX 2048 /* more than there are rows; a power of two */

struct jit_bodies {
    struct {
        const struct isa_entry *row;
        u64 calls;
    } at[BODIES_MAX];
};

const char *cpu_refusal_name(enum jit_refusal why)
{
    static const char *const names[] = {
        "",
#define R(id, name, title) name,
#include "cpu/jit/refusal.def"
#undef R
    };
    return names[why];
}

const char *cpu_refusal_title(enum jit_refusal why)
{
    static const char *const titles[] = {
        "",
#define R(id, name, title) title,
#include "cpu/jit/refusal.def"
#undef R
    };
    return titles[why];
}

static void add_lockstep(struct cpu_engine_stats *out, const struct cpu *c)
{
    struct lockstep_stats s = lockstep_stats(c);
    out->stretches += s.stretches;
    out->stretches_cold += s.cold;
    out->insns_compared += s.insns;
    out->insns_alone += s.alone;
    out->insns_unseen += s.unseen;
    out->frames_compared += s.frames;
}

static void add_translator(struct cpu_engine_stats *out, const struct jit *j)
{
    out->regions += j->stats.regions;
    out->deep += j->stats.deep;
    out->links += j->stats.links;
    out->ways_in += j->stats.ways_in;
    out->region_insns += j->stats.region_insns;
    out->host_bytes += j->stats.host_bytes;
    out->code_bytes += j->used + j->cold_used - j->hot_end;
    out->code_bytes_max += j->bytes;
    out->invalidated += j->stats.invalidated;
    out->flushes += j->stats.flushes;
    out->translate_ns += j->stats.translate_ns;
    for (unsigned i = 0; i < JIT_REFUSALS; i++) {
        out->refused[i] += j->stats.refused[i];
        out->ends[i] += j->stats.ends[i];
    }
    for (unsigned i = 0; i < j->region_count; i++)
        out->live_regions +=
            j->regions[i].page != NULL && j->regions[i].whole == &j->regions[i];
}

void cpu_engine_stats(const struct cpu_set *set, struct cpu_engine_stats *out)
{
    *out = (struct cpu_engine_stats){0};
    for (unsigned i = 0; i < set->count; i++) {
        if (set->cpus[i]->jit)
            add_translator(out, set->cpus[i]->jit);
        add_lockstep(out, set->cpus[i]);
    }
}

void cpu_engine_trace(struct cpu_set *set, FILE *out)
{
    if (out)
        jit_dump_legend(out);
    for (unsigned i = 0; i < set->count; i++)
        if (set->cpus[i]->jit)
            set->cpus[i]->jit->trace = out;
}

int cpu_engine_perf_map(struct cpu_set *set, struct cause *cause)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
    for (unsigned i = 0; i < set->count; i++) {
        struct jit *j = set->cpus[i]->jit;
        if (!j || j->perf_map)
            continue;
        j->perf_map = fopen(path, "ae");
        if (!j->perf_map)
            return cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
        setvbuf(j->perf_map, NULL, _IOLBF, 0);
    }
    return ST_OK;
}

/* ---- calls of bodies ---- */

int jit_bodies_create(struct cpu *c)
{
    if (c->jit && !c->jit->bodies) {
        c->jit->bodies = calloc(1, sizeof *c->jit->bodies);
        jit_forget(c);
    }
    return c->jit && !c->jit->bodies ? ST_NOMEM : ST_OK;
}

u64 *jit_bodies_count(struct jit *j, const struct isa_entry *row)
{
    unsigned k = (unsigned)((uintptr_t)row / sizeof *row) & (BODIES_MAX - 1);
    while (j->bodies->at[k].row && j->bodies->at[k].row != row)
        k = (k + 1) & (BODIES_MAX - 1);
    j->bodies->at[k].row = row;
    return &j->bodies->at[k].calls;
}

int cpu_set_count_bodies(struct cpu_set *set)
{
    int rc = ST_OK;
    for (unsigned i = 0; i < set->count && rc == ST_OK; i++)
        rc = jit_bodies_create(set->cpus[i]);
    return rc;
}

void cpu_set_bodies(const struct cpu_set *set, cpu_bodies_cb *cb, void *ctx)
{
    for (unsigned i = 0; i < set->count; i++) {
        const struct jit *j = set->cpus[i]->jit;
        for (unsigned k = 0; j && j->bodies && k < BODIES_MAX; k++)
            if (j->bodies->at[k].calls)
                cb(ctx, j->bodies->at[k].row->mnemonic, j->bodies->at[k].calls);
    }
}
