/* libFuzzer's entry to tests/lib/control_exec.c; `make fuzz`. */
#include "tests/fuzz/budget.h"
#include "tests/lib/member_world.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    control_exec_run(data, size);
    budget_count();
    return 0;
}
