/* Noise as what a guest and its network do to adapters: nothing may end in an assertion or touch
 * what is not its own (make asan). `make fuzz` looks for inputs that go deeper. */
#include "tests/unit/io/io_fixture.h"

#include "tests/lib/model.h"
#include "tests/lib/osa_exec.h"

#define INPUTS 60
#define INPUT_BYTES 3000

START_TEST(noise)
{
    noise_run(INPUTS, INPUT_BYTES, osa_exec_run);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_osa_fuzz");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, noise);
    return run_suite(suite);
}
