/* What lockstep remembers of a stretch. For cpu/jit only. */
#ifndef ENDICOTT_CPU_LOCKSTEP_INTERNAL_H
#define ENDICOTT_CPU_LOCKSTEP_INTERNAL_H

#include <stddef.h>

#include "cpu/jit/jit_internal.h"
#include "cpu/jit/lockstep.h"

#define LOCKSTEP_FRAMES_MAX 8192   /* stored into in one stretch */
#define LOCKSTEP_ENTRIES_MAX 2048  /* store translations that are entered */
#define LOCKSTEP_FRAMES_KEPT 8     /* from one stretch to the next */
#define LOCKSTEP_COLD_EVERY 8      /* stretches: the first of so many begins with none */
#define LOCKSTEP_CLOCKS_MAX 1024   /* values of the clock that a stretch sees */
#define LOCKSTEP_TRACE_INSNS 64    /* of the interpreter, shown with a difference */
#define LOCKSTEP_STRETCH_INSNS 256 /* budget of a stretch */

/* The CPU's own words: they lie before those that others see. */
#define LOCKSTEP_CPU_BYTES offsetof(struct cpu, state)

/* With CPU_ENGINE_LOCKSTEP_SOME: */
#define LOCKSTEP_SEEN 4096u     /* translations whose comparisons are counted */
#define LOCKSTEP_SURE_TIMES 500 /* were equal: after that ... */
#define LOCKSTEP_SURE_EVERY 16  /* ... one entry of so many is compared */

/** How an engine left the CPU at the end of the stretch. */
struct lockstep_outcome {
    _Alignas(64) u8 cpu[LOCKSTEP_CPU_BYTES];
    int rc;
    long insns;
};

/* Its bytes before the stretch, and behind translated code; both are those of storage between
 * stretches. They differ in [first, end). */
struct lockstep_frame {
    u64 abs;
    u8 *before, *after;
    unsigned first, end;
};

struct lockstep {
    struct cpu *c;
    const struct cpu_ports *real; /* ports of the CPU; it has `ports` instead */
    void *real_ctx;
    struct cpu_ports ports;
    struct lockstep_outcome start, translated, interp;
    u64 tod_last;
    struct lockstep_frame *frame;
    unsigned frames;
    u8 *bytes;
    struct tlb_entry *entry[LOCKSTEP_ENTRIES_MAX];
    unsigned entries;
    u64 clock[LOCKSTEP_CLOCKS_MAX]; /* as the first engine saw it */
    unsigned clocks, clock_next;
    struct {
        u64 ia;
        u8 text[6];
    } trace[LOCKSTEP_TRACE_INSNS];
    unsigned slot; /* where the stretch began */
    u64 tlb_drops; /* and what was purged until then */
    struct code_page *page;
    struct jit_region region; /* what was entered there */
    bool some;                /* of what is executed often not all is compared */
    bool loose; /* translated code has run that nobody looked at: [L1] does not hold */
    struct {
        insn_run *code;
        u32 times;
    } seen[LOCKSTEP_SEEN];
    struct lockstep_stats stats;
};

/** A state row. */
struct lockstep_row {
    u32 at, width, count;
    const char *name, *title;
};
extern const struct lockstep_row lockstep_rows[];
extern const unsigned lockstep_row_count;
/** Is it the CPU's own? The others belong to several threads, or to the run loop. */
static inline bool lockstep_row_own(const struct lockstep_row *row)
{
    return row->at < LOCKSTEP_CPU_BYTES;
}
/** Do these rows differ? */
static inline bool lockstep_row_differs(const struct lockstep_row *row, const u8 *a,
                                        const u8 *b)
{
    return memcmp(a + row->at, b + row->at, (size_t)row->width * row->count) != 0;
}

/** Print everything about a difference, and end the program. */
void lockstep_report(struct lockstep *ls, const char *what) __attribute__((noreturn));

#endif
