/* Figures of the engines, summed over the CPUs of a set, and where they write about regions. */
#include "cpu/engine.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cpu/jit/jit_internal.h"
#include "cpu/jit/lockstep.h"

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
    out->frames_compared += s.frames;
}

static void add_translator(struct cpu_engine_stats *out, const struct jit *j)
{
    out->regions += j->stats.regions;
    out->deep += j->stats.deep;
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
