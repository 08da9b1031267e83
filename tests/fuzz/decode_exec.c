/* libFuzzer's entry to tests/lib/decode_exec.c; `make fuzz-decode`. */
#include "tests/lib/decode_exec.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static struct decode_exec *x;
    if (x == NULL)
        x = decode_exec_create();
    decode_exec_run(x, data, size);
    return 0;
}
