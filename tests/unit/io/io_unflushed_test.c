/* What a block server has answered and not flushed, against a model of bytes: each byte has the
 * newest write that did not fail, until a flush that began after its answer. */
#include <check.h>
#include <stdlib.h>

#include "io/image/unflushed.h"

#define BYTES 200000u /* more than three chunks */
#define WRITE_MAX 70000u
#define UNDER_WAY_MAX 4u
#define STEPS 4000u

static struct unflushed u;
static struct {
    u64 number, answer; /* number 0: none; answer 0: none yet */
    u8 byte;
} model[BYTES];
static struct {
    u64 at, number;
    u32 len;
} under_way[UNDER_WAY_MAX];
static u8 buf[WRITE_MAX];
static u64 answers, seed;

static u32 below(u32 n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(seed >> 33) % n;
}

static bool meets_another(u64 at, u32 len)
{
    for (u32 i = 0; i < UNDER_WAY_MAX; i++)
        if (under_way[i].number && at < under_way[i].at + under_way[i].len &&
            under_way[i].at < at + len)
            return true;
    return false;
}

static void begin(u32 i)
{
    u32 len = 1 + below(below(3) ? 3000 : WRITE_MAX), at = below(BYTES - len);
    if (meets_another(at, len))
        return;
    for (u32 k = 0; k < len; k++)
        buf[k] = (u8)below(256);
    under_way[i].at = at;
    under_way[i].len = len;
    under_way[i].number = unflushed_put(&u, at, buf, len);
    ck_assert_uint_ne(under_way[i].number, 0);
    for (u32 k = 0; k < len; k++) {
        model[at + k].number = under_way[i].number;
        model[at + k].answer = 0;
        model[at + k].byte = buf[k];
    }
}

static void end(u32 i, bool good)
{
    u64 at = under_way[i].at, number = under_way[i].number;
    u32 len = under_way[i].len;
    unflushed_answered(&u, at, len, number, good);
    answers += good;
    for (u32 k = 0; k < len; k++) {
        model[at + k].answer = answers;
        if (!good)
            model[at + k].number = 0;
    }
    under_way[i].number = 0;
}

static void flush(u64 mark)
{
    unflushed_done(&u, mark);
    for (u32 k = 0; k < BYTES; k++)
        if (model[k].answer && model[k].answer <= mark)
            model[k].number = 0;
}

static u8 seen[BYTES];

static int look(void *arg, u64 at, const u8 *bytes, u32 len)
{
    bool good = true;
    for (u32 k = 0; k < len; k++)
        good &= seen[at + k]++ == 0 && model[at + k].number && model[at + k].byte == bytes[k];
    ck_assert_msg(good, "bytes from %llu on", (unsigned long long)at);
    *(u64 *)arg += len;
    return 0;
}

static void compare(void)
{
    u64 bytes = 0, wanted = 0;
    memset(seen, 0, sizeof seen);
    ck_assert_int_eq(unflushed_each(&u, look, &bytes), 0);
    for (u32 k = 0; k < BYTES; k++)
        wanted += model[k].number != 0;
    ck_assert_uint_eq(bytes, wanted);
    ck_assert_uint_eq(u.bytes, wanted);
}

START_TEST(as_the_model_says)
{
    u64 mark = 0;
    seed = (u64)_i;
    for (u32 step = 0; step < STEPS; step++) {
        u32 i = below(UNDER_WAY_MAX);
        if (!under_way[i].number)
            begin(i);
        else
            end(i, below(10) != 0);
        if (below(200) == 0)
            mark = u.answered;
        if (below(200) == 0)
            flush(mark);
        if (step % 50 == 0)
            compare();
    }
    compare();
    unflushed_free(&u);
    ck_assert_uint_eq(u.bytes, 0);
}
END_TEST

static int fails(void *arg, u64 at, const u8 *bytes, u32 len)
{
    (void)at, (void)bytes, (void)len;
    return ++*(int *)arg == 2 ? -7 : 0;
}

START_TEST(the_first_failure_ends_it)
{
    int calls = 0;
    for (u32 i = 0; i < 5; i++)
        ck_assert_uint_eq(unflushed_put(&u, i * 100000, buf, 10), i + 1);
    ck_assert_int_eq(unflushed_each(&u, fails, &calls), -7);
    ck_assert_int_eq(calls, 2);
    unflushed_free(&u);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("unflushed");
    TCase *tc = tcase_create("unflushed");
    tcase_add_loop_test(tc, as_the_model_says, 0, 8);
    tcase_add_test(tc, the_first_failure_ends_it);
    tcase_set_timeout(tc, 30); /* a limit for hangs, not a measure */
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
