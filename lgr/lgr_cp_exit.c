/* CP exits of relocations as CP has them: programs, whose environment are the facts. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>
#include <stdlib.h>

#include "hyp/exit/exit.h"
#include "lgr/lgr_cmd.h"
#include "mem/base/ergo.h"

static const enum exit_point points[] = {
    [LGR_EXIT_ELIGIBLE] = EXIT_LGR_ELIGIBLE, [LGR_EXIT_RESTART] = EXIT_LGR_RESTART};

/* Who waits for one. Created by lgr_exit_begin, freed when it has answered or is forgotten. */
struct wait {
    struct exit_run *run;
    void (*done)(void *arg, enum lgr_code code, const char *text);
    void *arg;
};

bool lgr_exit_active(void *ctx, enum lgr_exit point)
{
    const struct lgr_cmd *c = ctx;
    struct exits *x = cp_exits(c->cp);
    return x && exits_active(x, points[point]);
}

static void answered(void *arg, const struct exit_result *result)
{
    static const enum lgr_code codes[] = {[EXIT_GO_ON] = LGR_COMPLETED,
                                          [EXIT_REJECTED] = LGR_EXIT_REJECTED,
                                          [EXIT_FAILED] = LGR_EXIT_INVALID};
    struct wait w = *(struct wait *)arg;
    free(arg);
    w.done(w.arg, codes[result->verdict], result->text);
}

struct facts {
    char fact[EXIT_FACTS_MAX][EXIT_FACT_BYTES];
    unsigned count;
};

static void fact(struct facts *to, const char *name, const char *value)
{
    PRE(to->count < EXIT_FACTS_MAX);
    snprintf(to->fact[to->count++], EXIT_FACT_BYTES, "EXIT_%s=%s", name, value);
}

static void fact_number(struct facts *to, const char *name, u64 value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    fact(to, name, text);
}

static void gather(struct facts *to, enum lgr_exit point, const struct lgr_exit_facts *f)
{
    char force[40];
    snprintf(force, sizeof force, "%s%s%s",
             f->force & LGR_FORCE_ARCHITECTURE ? "ARCHITECTURE " : "",
             f->force & LGR_FORCE_DOMAIN ? "DOMAIN " : "",
             f->force & LGR_FORCE_STORAGE ? "STORAGE " : "");
    fact(to, "POINT", point == LGR_EXIT_ELIGIBLE ? "1230" : "1231");
    fact(to, "SIDE", f->source ? "SOURCE" : "DESTINATION");
    fact(to, "ACTION", f->test ? "TEST" : "MOVE");
    fact(to, "USER", f->info->user);
    fact(to, "FROM", f->from);
    fact(to, "TO", f->to);
    fact(to, "BY", f->by);
    fact(to, "DOMAIN", f->info->domain);
    force[strlen(force) - (*force != 0)] = 0;
    fact(to, "FORCE", force);
    fact_number(to, "CPUS", f->info->cpus);
    fact_number(to, "STORAGE_MB", f->info->storage_bytes >> 20);
    fact_number(to, "TOUCHED_MB", f->info->touched_bytes >> 20);
    fact_number(to, "DISKS", f->info->disks);
    fact_number(to, "NICS", f->info->nics);
}

void *lgr_exit_begin(void *ctx, enum lgr_exit point, const struct lgr_exit_facts *f,
                     void (*done)(void *arg, enum lgr_code code, const char *text), void *arg)
{
    const struct lgr_cmd *c = ctx;
    struct facts facts = {.count = 0};
    struct wait *w = malloc(sizeof *w);
    if (!w)
        return NULL;
    gather(&facts, point, f);
    *w = (struct wait){.done = done, .arg = arg};
    w->run = exits_run(cp_exits(c->cp), points[point], facts.fact, facts.count, answered, w);
    if (w->run)
        return w;
    free(w);
    return NULL;
}

void lgr_exit_forget(void *ctx, void *run)
{
    struct wait *w = run;
    (void)ctx;
    exits_forget(w->run);
    free(w);
}
