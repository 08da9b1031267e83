/* A member's command lines, its control socket and a guest's DIAGNOSE X'08' with what `make fuzz`
 * takes bytes for: lines that mean something, cut off and altered, and noise. Nothing may end in an
 * assertion. */
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/diag8_exec.h"
#include "tests/lib/member_world.h"

#define INPUTS 40
#define INPUT_BYTES 8192

static u64 state;

static u8 noise(void)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (u8)(state >> 56);
}

static void altered(void (*run)(const u8 *data, size_t size), const char *text, size_t size)
{
    static u8 bytes[INPUT_BYTES];
    ck_assert_uint_le(size, sizeof bytes);
    state = 1;
    run((const u8 *)text, size);
    for (unsigned i = 0; i < INPUTS; i++) {
        memcpy(bytes, text, size);
        for (unsigned k = noise() % 8; k > 0; k--)
            bytes[(noise() << 8 | noise()) % size] = noise();
        run(bytes, 1 + (noise() << 8 | noise()) % size);
    }
    for (size_t k = 0; k < size; k++)
        bytes[k] = noise();
    run(bytes, size);
}

/* Each file of tests/fuzz/corpus that matches. */
static void corpus(void (*run)(const u8 *data, size_t size), const char *pattern)
{
    static char bytes[INPUT_BYTES];
    glob_t found;
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *f = fopen(found.gl_pathv[i], "r");
        ck_assert_ptr_nonnull(f);
        size_t size = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        ck_assert_uint_gt(size, 0);
        altered(run, bytes, size);
    }
    globfree(&found);
}

START_TEST(commands)
{
    corpus(cp_exec_run, "tests/fuzz/corpus/cp/*");
}
END_TEST

START_TEST(control_socket)
{
    corpus(control_exec_run, "tests/fuzz/corpus/control/*");
}
END_TEST

/* A response, in line ends and blanks of EBCDIC, of two registers that are even. */
START_TEST(diagnose_8)
{
    static const char text[] =
        "\x03\x24\0\0\0\1\0\3\x14\xd8\xe4\xc5\xd9\xe8\x40\x15\xd8\x15\x15";
    altered(diag8_exec_run, text, sizeof text - 1);
}
END_TEST

/* Commands that are answered at once: diag8_exec sees to it that the loop has its turn between. */
START_TEST(diagnose_8_command_by_command)
{
    u8 bytes[9 + 80] = {1, 0x24, 0, 0, 0, 1, 0, 3, 3};
    for (unsigned i = 9; i < sizeof bytes; i++)
        bytes[i] = i % 2 ? 0xd8 : 0x15; /* Q, a line end */
    diag8_exec_run(bytes, sizeof bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_exec");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, commands);
    tcase_add_test(t, control_socket);
    tcase_add_test(t, diagnose_8);
    tcase_add_test(t, diagnose_8_command_by_command);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
