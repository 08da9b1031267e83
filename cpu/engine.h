/* Figures of the execution engines, and what they can write about translated code.
 * The CPUs must not be in cpu_run: the words belong to the threads that run them. */
#ifndef ENDICOTT_CPU_ENGINE_H
#define ENDICOTT_CPU_ENGINE_H

#include <stdio.h>

#include "cpu/cpu.h"

/** Why something was not translated (cpu/jit/refusal.def). */
enum jit_refusal {
    JIT_WELL,
#define R(id, name, title) JIT_##id,
#include "cpu/jit/refusal.def"
#undef R
    JIT_REFUSALS
};

struct cpu_engine_stats {
    u64 regions, region_insns, host_bytes; /* translated, ever */
    u64 code_bytes, code_bytes_max;        /* of code memory: now, and what there is */
    u64 live_regions;
    u64 ways_in;     /* entries into the middle of regions, made so far */
    u64 links;       /* ways out of regions that lead straight into others, made so far */
    u64 deep;        /* of those translated, the ones that follow calls */
    u64 invalidated; /* regions void because storage changed */
    u64 flushes;     /* all code memory given up, because it was full */
    u64 translate_ns;
    u64 refused[JIT_REFUSALS]; /* regions */
    u64 ends[JIT_REFUSALS];    /* paths that end a region */
    /* lockstep */
    u64 stretches, stretches_cold, insns_compared, insns_alone, insns_unseen, frames_compared;
};

/** Sum over all CPUs. */
void cpu_engine_stats(const struct cpu_set *set, struct cpu_engine_stats *out);
/** Name of a refusal ("crosses-page"), and what it means. */
const char *cpu_refusal_name(enum jit_refusal why);
const char *cpu_refusal_title(enum jit_refusal why);
/** Guest and host code of each region as it is translated, as text; NULL: no more. The file is the
 *  caller's and outlives the CPUs. No effect without a translator. */
void cpu_engine_trace(struct cpu_set *set, FILE *out);
/** Write where each region is for `perf`, to /tmp/perf-PID.map. ST_IO. */
int cpu_engine_perf_map(struct cpu_set *set, struct cause *cause);

#endif
