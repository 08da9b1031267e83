/* Which entry points are associated with which exit, and runs of them, each on a thread of its
 * own: programs of the installation may take their time, and the member goes on meanwhile. */
#include "hyp/exit/exit_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem/base/ergo.h"

static const struct {
    u16 number;
    const char *what;
} points[EXIT_POINTS] = {
#define X(id, number, what) [EXIT_##id] = {number, what},
#include "hyp/exit/exit.def"
#undef X
};

struct exits *exits_create(const char *folder, const struct exit_ports *ports)
{
    struct exits *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->ports = *ports;
    x->limit_ms = EXIT_SECONDS_MAX * 1000;
    snprintf(x->folder, sizeof x->folder, "%s", folder);
    return x;
}

/* Its thread has ended, or is about to. The note that it posts frees the run. */
static void run_end(struct exit_run *run)
{
    atomic_store(&run->stop, true);
    pthread_join(run->thread, NULL);
    run->exits = NULL;
    run->done = NULL;
}

void exits_destroy(struct exits *x)
{
    if (!x)
        return;
    for (struct exit_run *run = x->runs, *next; run; run = next) {
        next = run->next;
        run_end(run);
    }
    free(x);
}

/* ---- which ones ---- */

enum exit_point exit_find(u64 number)
{
    unsigned i = 0;
    while (i < EXIT_POINTS && points[i].number != number)
        i++;
    return (enum exit_point)i;
}

u16 exit_number(enum exit_point point)
{
    return points[point].number;
}

const char *exit_what(enum exit_point point)
{
    return points[point].what;
}

int exits_associate(struct exits *x, enum exit_point point, enum exit_where where,
                    const char names[][EXIT_NAME_BYTES], unsigned count)
{
    struct exit_info *p = &x->point[point];
    unsigned kept = where == EXIT_REPLACE ? 0 : p->count;
    if (kept && where == EXIT_ONLY_ENTRIES)
        return ST_EXIST;
    if (kept + count > EXIT_ENTRIES_MAX)
        return ST_LIMIT;
    unsigned at = where == EXIT_PRECEDING ? 0 : kept;
    if (where == EXIT_PRECEDING)
        memmove(p->name + count, p->name, kept * sizeof *p->name);
    memcpy(p->name + at, names, count * sizeof *p->name);
    p->count = kept + count;
    return ST_OK;
}

void exits_disassociate(struct exits *x, enum exit_point point)
{
    x->point[point].count = 0;
}

void exits_enable(struct exits *x, enum exit_point point, bool enabled)
{
    x->point[point].enabled = enabled;
}

int exits_program(const struct exits *x, const char *name, struct cause *cause)
{
    char path[EXIT_FOLDER_BYTES + EXIT_NAME_BYTES];
    snprintf(path, sizeof path, "%s/%s", x->folder, name);
    if (access(path, X_OK) == 0)
        return ST_OK;
    return cause_set(cause, ST_NOENT, "%s", strerror(errno));
}

void exits_info(const struct exits *x, enum exit_point point, struct exit_info *out)
{
    *out = x->point[point];
    for (const struct exit_run *run = x->runs; run; run = run->next)
        out->running += run->point == point;
}

bool exits_active(const struct exits *x, enum exit_point point)
{
    return x->point[point].enabled && x->point[point].count;
}

/* ---- runs ---- */

static void count(struct exit_info *p, enum exit_verdict verdict)
{
    p->rejected += verdict == EXIT_REJECTED;
    p->failed += verdict == EXIT_FAILED;
}

/* On the loop: the thread has nothing more to do. */
static void run_note(void *arg)
{
    struct exit_run *run = arg;
    struct exits *x = run->exits;
    if (x) {
        struct exit_run **link = &x->runs;
        while (*link != run)
            link = &(*link)->next;
        *link = run->next;
        pthread_join(run->thread, NULL);
        if (run->done)
            count(&x->point[run->point], run->result.verdict);
    }
    if (run->done)
        run->done(run->arg, &run->result);
    free(run);
}

static void *run_main(void *arg)
{
    struct exit_run *run = arg;
    exit_run_programs(run);
    run->ports.post(run->ports.ctx, run_note, run);
    return NULL;
}

struct exit_run *exits_run(struct exits *x, enum exit_point point,
                           const char facts[][EXIT_FACT_BYTES], unsigned fact_count,
                           void (*done)(void *arg, const struct exit_result *result), void *arg)
{
    struct exit_info *p = &x->point[point];
    struct exit_run *run = calloc(1, sizeof *run);
    PRE(fact_count <= EXIT_FACTS_MAX && done);
    if (!run)
        return NULL;
    run->exits = x;
    run->point = point;
    run->ports = x->ports;
    run->limit_ms = x->limit_ms;
    memcpy(run->folder, x->folder, sizeof run->folder);
    memcpy(run->name, p->name, sizeof run->name);
    run->count = p->count;
    memcpy(run->facts, facts, fact_count * sizeof *run->facts);
    run->fact_count = fact_count;
    run->done = done;
    run->arg = arg;
    if (pthread_create(&run->thread, NULL, run_main, run)) {
        free(run);
        return NULL;
    }
    p->calls++;
    run->next = x->runs;
    x->runs = run;
    return run;
}

void exits_forget(struct exit_run *run)
{
    run->done = NULL;
    atomic_store(&run->stop, true);
}
