/* VMRELOCATE on two members, for tests that include this once: CP with fake machines (cp_world.h)
 * over relocation with fake guests (lgr_world.h); MEMBERA is M0. */
#ifndef ENDICOTT_TESTS_LIB_LGR_CMD_WORLD_H
#define ENDICOTT_TESTS_LIB_LGR_CMD_WORLD_H

#include "tests/lib/lgr_world.h"

#include "lgr/lgr_cmd.h"
#include "tests/lib/cp_world.h"

static struct world *w;
static struct lgr_cmd cmds[2];

/* LINUX1 is on the second member; the operator is on the first, and there, too, if wanted. */
static inline void relocations_setup(bool operator_there)
{
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    if (operator_there)
        on(1, "", "LOGON OPERATOR OPER");
    on(1, "", "LOGON LINUX1 SECRET");
    w = world_create(7, 2);
    w->smooth = true;
    w->guest_bytes = GUEST_BYTES;
    for (unsigned s = 0; s < 2; s++) {
        actor_start(&w->actors[s]);
        while (!w->actors[s].joined)
            world_step(w);
        cmds[s] = (struct lgr_cmd){.cp = cps[s], .lgr = w->actors[s].lgr};
        w->actors[s].lgr->events = cp_events(cps[s]);
        ck_assert_int_eq(lgr_cmd_register(&cmds[s]), ST_OK);
    }
    user_logon(&w->actors[1], 0);
    for (unsigned i = 0; i < 100; i++)
        world_step(w);
}

static inline void teardown(void)
{
    world_destroy(w);
    cp_world_teardown();
}

static struct cp_response move;

static inline void begin(int member, const char *command)
{
    cp_response_init(&move);
    ck_assert_int_eq(cp_command(cps[member], "OPERATOR", command, &move), CP_PENDING);
}

/* Its lines with | between them; the response is gone. */
static inline const char *text_of_move(void)
{
    static char text[4096];
    text[0] = 0;
    for (unsigned i = 0; i < move.line_count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "|" : "",
                 move.lines[i]);
    cp_response_fini(&move);
    return text;
}

static inline const char *ended(void)
{
    for (unsigned i = 0; !move.done && i < 100000; i++)
        world_step(w);
    ck_assert(move.done);
    return text_of_move();
}

#endif
