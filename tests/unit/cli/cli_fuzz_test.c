/* Noise as a terminal and as a guest that writes to it: nothing may end in an assertion or touch
 * what is not its own (make asan). `make fuzz` looks for inputs that go deeper. */
#include <check.h>
#include <stdlib.h>

#include "tests/lib/model.h"
#include "tests/lib/terminal_exec.h"

#define INPUTS 300
#define INPUT_BYTES 2000

START_TEST(noise)
{
    noise_run(INPUTS, INPUT_BYTES, terminal_exec_run);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_fuzz");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, noise);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
