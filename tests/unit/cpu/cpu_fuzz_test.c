/* Every input kept in tests/fuzz/corpus is executed: none may end in an assertion or touch what is
 * not its own (make asan). One file an input, hexadecimal digits, # begins a comment. */
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"
#include "tests/lib/decode_exec.h"

#define INPUT_BYTES_MAX 65536
#define LONG_INSNS 20000

static size_t input_read(const char *path, u8 *out)
{
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    size_t digits = 0;
    for (int ch; (ch = fgetc(f)) != EOF;) {
        if (ch == '#')
            while (ch != '\n' && ch != EOF)
                ch = fgetc(f);
        int v = ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
        if (v < 0)
            continue;
        ck_assert_uint_lt(digits / 2, INPUT_BYTES_MAX);
        out[digits / 2] = (u8)(digits & 1 ? out[digits / 2] << 4 | v : v);
        digits++;
    }
    fclose(f);
    return digits / 2;
}

START_TEST(corpus)
{
    static u8 bytes[INPUT_BYTES_MAX];
    glob_t found;
    ck_assert_int_eq(glob("tests/fuzz/corpus/*.hex", 0, NULL, &found), 0);
    struct decode_exec *x = decode_exec_create();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t n = input_read(found.gl_pathv[i], bytes);
        ck_assert_uint_gt(n, 0);
        decode_exec_run(x, bytes, n);
    }
    decode_exec_destroy(x);
    globfree(&found);
}
END_TEST

/* Seeded noise, so that the harness itself is exercised even when the corpus is small. */
START_TEST(noise)
{
    static const u8 code[] = {96, [4] = 1, [5] = 0x80, [17] = 1, [20] = 0xff};
    u8 bytes[600];
    u64 state = 1;
    struct decode_exec *x = decode_exec_create();
    for (unsigned i = 0; i < 2000; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            bytes[k] = (u8)(state >> 56);
        }
        if (i % 2) /* translated, and what is executed is noise too */
            memcpy(bytes, code, sizeof code);
        decode_exec_run(x, bytes, sizeof bytes);
    }
    struct cpu_engine_stats stats;
    decode_exec_stats(x, &stats);
    if (cpu_engine_default() != CPU_ENGINE_INTERP)
        ck_assert_uint_gt(stats.regions, 100);
    decode_exec_destroy(x);
}
END_TEST

/* Enough at a time that decoded slots are used; register 15 counts the loop. */
static void run_long(struct cpu_harness *h, u64 addr)
{
    cpu_gr(h->cpu)[15] = LONG_INSNS;
    cpu_psw_set(h->cpu, HARNESS_PSW64, addr);
    cpu_run(h->cpu, LONG_INSNS);
}

/* An instruction across a page boundary was decoded, then another CPU stores a shorter one there;
 * until the word of it arrives nothing but the old or the new instruction may happen. */
START_TEST(shorter_instruction_at_page_end)
{
    struct cpu_harness h;
    harness_init(&h, "max", 1);
    harness_put(&h, 0x10ffc, "e31020000004 a7f6fffd"); /* LG 1,0(2); BRCT 15,*-6 */
    cpu_gr(h.cpu)[2] = HARNESS_DATA;
    run_long(&h, 0x10ffc);
    ck_assert_uint_eq(cpu_gr(h.cpu)[1], 0);
    memcpy(h.st->base + 0x10ffc, "\x18\x12\xa7\xf6\xff\xff", 6); /* LR 1,2; BRCT, untold */
    run_long(&h, 0x10ffc);
    ck_assert_uint_eq((u32)cpu_gr(h.cpu)[1], HARNESS_DATA);
    harness_fini(&h);
}
END_TEST

/* A reset does not lose the word of a store into decoded instructions. */
START_TEST(reset_keeps_flushes)
{
    struct cpu_harness h;
    harness_init(&h, "max", 1);
    harness_put(&h, HARNESS_CODE, "a7180001 a7f6fffe"); /* LHI 1,1; BRCT 15,*-4 */
    run_long(&h, HARNESS_CODE);
    ck_assert_uint_eq((u32)cpu_gr(h.cpu)[1], 1);
    harness_put(&h, HARNESS_CODE, "a7180002");
    harness_reset(&h);
    run_long(&h, HARNESS_CODE);
    ck_assert_uint_eq((u32)cpu_gr(h.cpu)[1], 2);
    harness_fini(&h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_fuzz");
    TCase *t = tcase_create("corpus");
    tcase_add_test(t, corpus);
    tcase_add_test(t, noise);
    tcase_add_test(t, shorter_instruction_at_page_end);
    tcase_add_test(t, reset_keeps_flushes);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
