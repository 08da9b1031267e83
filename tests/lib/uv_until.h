/* A libuv loop turns until something is so; a watchdog ends a test that hangs. */
#ifndef ENDICOTT_TESTS_LIB_UV_UNTIL_H
#define ENDICOTT_TESTS_LIB_UV_UNTIL_H

#include <check.h>
#include <stdlib.h>
#include <uv.h>

#define UV_UNTIL_MS 300000 /* a limit for hangs, not a measure */

static inline void uv_until_late(uv_timer_t *timer)
{
    ck_abort_msg("nothing happened in time, waiting for %s", (const char *)timer->data);
}

/** Start the watchdog of a wait for `what`. */
static inline void uv_until_watch(uv_loop_t *loop, uv_timer_t *watchdog, const char *what)
{
    const char *factor = getenv("CK_TIMEOUT_MULTIPLIER");
    uv_timer_init(loop, watchdog);
    watchdog->data = (void *)(uintptr_t)what;
    uv_timer_start(watchdog, uv_until_late, UV_UNTIL_MS * (uint64_t)(factor ? atoi(factor) : 1),
                   0);
}

/** Until `cond`, do `turn`, which waits for events of `loop`. */
#define UV_UNTIL(loop, turn, cond)                                                             \
    do {                                                                                       \
        uv_timer_t watchdog_;                                                                  \
        uv_until_watch(loop, &watchdog_, #cond);                                               \
        while (!(cond))                                                                        \
            turn;                                                                              \
        uv_close((uv_handle_t *)&watchdog_, NULL);                                             \
        uv_run(loop, UV_RUN_NOWAIT);                                                           \
    } while (0)

#endif
