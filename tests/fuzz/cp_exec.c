/* libFuzzer's entry to tests/lib/cp_exec.c; `make fuzz`. */
#include "tests/fuzz/budget.h"
#include "tests/lib/member_world.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    cp_exec_run(data, size);
    budget_count();
    return 0;
}
