/* For unit tests of the translator: two machines alike, one interprets, the other translates.
 * Both get the same code, storage and registers, run it to its end, and must agree in all.
 * Pages: code, two of data, one that is protected, nothing, one where wild branches end. */
#ifndef ENDICOTT_TESTS_LIB_JIT_TWINS_H
#define ENDICOTT_TESTS_LIB_JIT_TWINS_H

#include "tests/lib/cpu_harness.h"

#define TWIN_CODE 0x10000u
#define TWIN_DATA 0x20000u      /* two pages */
#define TWIN_PROTECTED 0x22000u /* and behind them one of another key */
#define TWIN_LANDING 0x30000u   /* SUPERVISOR CALL everywhere */
#define TWIN_MISSING HARNESS_STORAGE
#define TWIN_CODE_MAX 200
#define TWIN_INSNS_MAX 24

/** One sequence of instructions; the last is SUPERVISOR CALL. */
struct twin_code {
    u8 text[TWIN_CODE_MAX];
    unsigned bytes;
    unsigned at;                     /* address */
    unsigned insns, test;            /* index of the instruction under test */
    unsigned offset[TWIN_INSNS_MAX]; /* of each instruction */
    const struct isa_entry *row[TWIN_INSNS_MAX];
};

/** What both machines begin with. */
struct twin_state {
    u64 gr[16], fpr[16];
    u32 ar[16], fpc;
    u64 psw_mask; /* with condition code */
};

struct twins {
    struct cpu_harness a, b; /* interpreter, translator */
    u64 seed;
    u64 ran, spent; /* executions compared; given up because the budget was spent */
    u64 stopped;    /* executions that ended in the check-stop state */
};

void twins_init(struct twins *t, enum cpu_engine engine, unsigned cpus);
void twins_fini(struct twins *t);
u64 twins_random(struct twins *t);
u64 twins_below(struct twins *t, u64 limit);
/** Is it a percentage of cases? */
bool twins_percent(struct twins *t, unsigned percent);
/** Put the code into both. */
void twins_code(struct twins *t, const struct twin_code *code);
/** New contents of the data pages. */
void twins_data(struct twins *t);
/** Forget translations of addresses, as a purge does. */
void twins_purge(struct twins *t);
/** Run both; false, with a report on stderr when `report`, when they differ. */
bool twins_run(struct twins *t, const struct twin_code *code, const struct twin_state *s,
               bool report);

#endif
