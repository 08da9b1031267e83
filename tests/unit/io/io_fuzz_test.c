/* Noise as what a guest does to its channel subsystem: nothing may end in an assertion or touch
 * what is not its own (make asan). `make fuzz` looks for inputs that go deeper. */
#include "tests/unit/io/io_fixture.h"

#include "tests/lib/channel_exec.h"

#define INPUTS 100
#define INPUT_BYTES 3000

START_TEST(noise)
{
    static u8 bytes[INPUT_BYTES];
    u64 state = 1;
    for (unsigned i = 0; i < INPUTS; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            bytes[k] = (u8)(state >> 56);
        }
        channel_exec_run(bytes, sizeof bytes);
    }
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_fuzz");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, noise);
    return run_suite(suite);
}
