/* What every libFuzzer target here shares: libFuzzer knows the wall clock only, so a target ends
 * itself when it has used FUZZ_SECONDS of processor time, and says what it came to. */
#ifndef ENDICOTT_TESTS_FUZZ_BUDGET_H
#define ENDICOTT_TESTS_FUZZ_BUDGET_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BUDGET_LOOKS 256 /* executions between two looks at the clock */

/** Counts one execution; does not return when the time is used up. */
static inline void budget_count(void)
{
    static unsigned long executions;
    if (++executions % BUDGET_LOOKS)
        return;
    const char *text = getenv("FUZZ_SECONDS");
    double limit = text ? strtod(text, NULL) : 0;
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    double used = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
    if (limit <= 0 || used < limit)
        return;
    printf("%lu executions in %.0f s of processor time, %.0f a second\n", executions, used,
            (double)executions / used);
    fflush(stdout);
    _exit(0); /* libFuzzer takes exit for a crash */
}

#endif
