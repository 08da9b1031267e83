/* Lines of a model, inputs of noise. */
#include "tests/lib/model.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define REPORTS_MAX 20
#define LINE_BYTES 1000

static const char *setting(const char *prefix, const char *name, const char *otherwise)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s_%s", prefix, name);
    const char *value = getenv(whole);
    return value ? value : otherwise;
}

void model_compare(const char *script, const char *prefix, const char *seed, const char *count,
                   bool (*agrees)(const char *line))
{
    char command[200], line[LINE_BYTES];
    unsigned lines = 0, wrong = 0;
    snprintf(command, sizeof command, "python3 tests/lib/%s %s %s", script,
             setting(prefix, "SEED", seed), setting(prefix, "COUNT", count));
    FILE *pipe = popen(command, "r");
    while (fgets(line, sizeof line, pipe) && wrong < REPORTS_MAX) {
        lines++;
        wrong += !agrees(line);
    }
    ck_assert_msg(wrong == 0, "%u of %u wrong; %s", wrong, lines, command);
    ck_assert_int_eq(pclose(pipe), 0);
    ck_assert_uint_gt(lines, 0);
}

void noise_run(unsigned inputs, size_t bytes, void (*run)(const u8 *data, size_t len))
{
    static u8 data[NOISE_BYTES_MAX];
    u64 state = 1;
    ck_assert_uint_le(bytes, sizeof data);
    for (unsigned i = 0; i < inputs; i++) {
        for (size_t k = 0; k < bytes; k++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            data[k] = (u8)(state >> 56);
        }
        run(data, bytes);
    }
}
