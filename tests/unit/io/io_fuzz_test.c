/* Noise as what a guest does to its channel subsystem: nothing may end in an assertion or touch
 * what is not its own (make asan). `make fuzz` looks for inputs that go deeper. */
#include "tests/unit/io/io_fixture.h"

#include "tests/lib/channel_exec.h"
#include "tests/lib/model.h"

#define INPUTS 100
#define INPUT_BYTES 3000

START_TEST(noise)
{
    noise_run(INPUTS, INPUT_BYTES, channel_exec_run);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_fuzz");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, noise);
    return run_suite(suite);
}
