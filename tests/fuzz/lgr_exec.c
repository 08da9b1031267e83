/* libFuzzer's entry to the incoming side of a relocation: tests/lib/lgr_exec.h.
 * FUZZ_RECORD=FILE writes a relocation that comes about, to begin with, and ends. `make fuzz-
 * lgr`. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/budget.h"
#include "tests/lib/lgr_exec.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The library of assertions is not linked; what fails is a crash. */
void _ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...);
void _mark_point(const char *file, int line);

void _ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
    fprintf(stderr, "%s:%d: %s%s\n", file, line, expr, msg ? msg : "");
    abort();
}

void _mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static u8 bytes[LGR_EXEC_BYTES_MAX];
    const char *path = getenv("FUZZ_RECORD");
    (void)argc;
    (void)argv;
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return 0;
    size_t len = lgr_exec_record(bytes);
    fwrite(bytes, 1, len, file);
    fclose(file);
    exit(0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    lgr_exec_run(data, size);
    budget_count();
    return 0;
}
