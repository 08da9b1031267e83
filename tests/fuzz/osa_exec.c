/* libFuzzer's entry to tests/lib/osa_exec.c; `make fuzz`. */
#include "tests/fuzz/budget.h"
#include "tests/lib/osa_exec.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    osa_exec_run(data, size);
    budget_count();
    return 0;
}
