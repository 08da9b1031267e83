/* libFuzzer's entry to tests/lib/decode_exec.c; `make fuzz-decode`. libFuzzer knows the wall clock only: the run ends
 * here, when it has used DECODE_SECONDS of processor time, and says what it came to. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/decode_exec.h"

#define CLOCK_LOOKS 256 /* executions between two looks at the clock */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static double used_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(struct decode_exec *x, unsigned long executions, double seconds)
{
    struct cpu_engine_stats s;
    decode_exec_stats(x, &s);
    fprintf(stderr, "%lu executions in %.0f s of processor time, %.0f a second; ", executions,
            seconds, (double)executions / seconds);
    fprintf(stderr, "%llu regions of %llu instructions translated\n",
            (unsigned long long)s.regions, (unsigned long long)s.region_insns);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static struct decode_exec *x;
    static unsigned long executions;
    static double limit;
    if (x == NULL) {
        const char *text = getenv("DECODE_SECONDS");
        limit = text ? strtod(text, NULL) : 0;
        x = decode_exec_create();
    }
    decode_exec_run(x, data, size);
    if (++executions % CLOCK_LOOKS == 0 && limit > 0 && used_seconds() > limit) {
        tell(x, executions, used_seconds());
        _exit(0); /* libFuzzer takes exit for a crash */
    }
    return 0;
}
