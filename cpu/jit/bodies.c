/* How often translated code called the body of which row (--stats): what is worth lowering next.
 * One table per CPU, written by its own thread, found by the row's address. */
#include <stdlib.h>

#include "cpu/jit/jit_internal.h"

#define BODIES_MAX 2048 /* more than there are rows; a power of two */

struct jit_bodies {
    struct {
        const struct isa_entry *row;
        u64 calls;
    } at[BODIES_MAX];
};

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
