/* For tests of failures at every step: a member that stops itself, as by SIGSTOP, when a
 * relocation enters a state. ENDICOTT_LGR_HOLD names a file; whoever wants a stop writes the
 * name of a state of lgr_states.def into it. The file goes before the stop, so that it is one
 * stop. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const names[] = {
#define ST(id, stage, status, cancel) [RLO_##id] = #id,
#include "lgr/lgr_states.def"
#undef ST
};

void lgr_hold(enum rlo_state state)
{
    const char *path = getenv("ENDICOTT_LGR_HOLD");
    char wanted[32] = "";
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        return;
    bool met = fscanf(file, "%31s", wanted) == 1 && !strcmp(wanted, names[state]);
    fclose(file);
    if (met && unlink(path) == 0)
        raise(SIGSTOP);
}
