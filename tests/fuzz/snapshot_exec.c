/* libFuzzer's entry to the reader of snapshot files: rows and chunks of any bytes, under checksums
 * that are right, are refused with a message or come into storage. `make fuzz`. */
#include "tests/fuzz/budget.h"
#include "tests/fuzz/file.h"
#include "tests/lib/snapshot_exec.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    snapshot_exec(data, size, fuzz_file(data, 0));
    budget_count();
    return 0;
}
