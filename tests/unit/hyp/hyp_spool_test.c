/* Reader spool files by user id: descriptions that move with a reader come out as they went in,
 * ids stay unique for a user, and a damaged stream is refused without harm. */
#include <check.h>

#include "hyp/spool.h"

#define USERID "LINUX1"

static struct spool *spool;

static void begin(void)
{
    spool = spool_create();
    ck_assert(spool != NULL);
}

static void end(void)
{
    spool_destroy(spool);
}

/* A file's description as another member sends it; `omit`: leave a row out. */
static void put_file(struct codec_out *out, u32 number, u64 id, const char *name, u16 omit)
{
    const u64 values[] = {id, 'K', 12, 2, 1, 1700000000000000000ull};
    const char *texts[] = {"OPERATOR", name, "EXEC", "LINUX1", "PUN"};
    codec_begin(out, 1, 1);
    if (omit != 1)
        codec_put_u32(out, 1, number);
    for (u16 i = 0; i < ARRAY_LEN(values); i++)
        if (omit != 2 + i)
            codec_put_u64(out, (u16)(2 + i), values[i]);
    for (u16 i = 0; i < ARRAY_LEN(texts); i++)
        codec_put_bytes(out, (u16)(16 + i), texts[i], strlen(texts[i]));
    codec_end(out);
}

static bool take(const struct codec_out *out, size_t len)
{
    struct codec_in in;
    codec_in_init(&in, out->data, len);
    return spool_restore(spool, USERID, &in);
}

static bool take_one(u32 number, u64 id, const char *name, u16 omit)
{
    struct codec_out out;
    codec_out_init(&out);
    put_file(&out, number, id, name, omit);
    bool good = take(&out, out.len);
    codec_out_fini(&out);
    return good;
}

START_TEST(descriptions_come_out_as_they_went_in)
{
    struct codec_out out, again;
    struct vm_spool_file f;
    codec_out_init(&out);
    codec_out_init(&again);
    put_file(&out, 7, 4, "PROFILE", 0);
    put_file(&out, 9, 12, "NOTES", 0);
    ck_assert(take(&out, out.len));
    ck_assert(spool_file(spool, USERID, 0, &f));
    ck_assert(f.id == 4 && f.class_ == 'K' && f.records == 12 && f.copies == 2 && f.hold);
    ck_assert(f.created_ns == 1700000000000000000ull);
    ck_assert_str_eq(f.origin, "OPERATOR");
    ck_assert_str_eq(f.name, "PROFILE");
    ck_assert_str_eq(f.type, "EXEC");
    ck_assert_str_eq(f.dist, "LINUX1");
    ck_assert_str_eq(f.device, "PUN");
    spool_save(spool, USERID, &again);
    ck_assert_uint_eq(again.len, out.len);
    ck_assert_mem_eq(again.data, out.data, out.len);
    spool_forget(spool, USERID);
    ck_assert_uint_eq(spool_count(spool, USERID), 0);
    codec_out_fini(&out);
    codec_out_fini(&again);
}
END_TEST

/* A file that waits here gives way when one with its id arrives; files of others do not. */
START_TEST(ids_stay_unique_for_a_user)
{
    struct vm_spool_file f, g;
    u16 id, other;
    ck_assert_int_eq(spool_add(spool, USERID, NULL, "MAINT", "A", "B", "card", 4, &id, NULL),
                     ST_OK);
    ck_assert_int_eq(
        spool_add(spool, "LINUX2", NULL, "MAINT", "A", "B", "card", 4, &other, NULL), ST_OK);
    ck_assert(take_one(3, id, "MOVED", 0));
    ck_assert(spool_file(spool, USERID, 0, &f) && spool_file(spool, USERID, 1, &g));
    ck_assert(f.id != g.id && g.id == id);
    ck_assert_str_eq(g.name, "MOVED");
    spool_forget(spool, USERID); /* the reader goes; what waits stays */
    ck_assert_uint_eq(spool_count(spool, USERID), 1);
    ck_assert_uint_eq(spool_count(spool, "LINUX2"), 1);
}
END_TEST

START_TEST(damaged_descriptions_are_refused)
{
    ck_assert(!take_one(0, 4, "NAME", 0));
    ck_assert(!take_one(1, 0, "NAME", 0));
    ck_assert(!take_one(1, 10000, "NAME", 0));
    ck_assert(!take_one(1, 65540, "NAME", 0)); /* 4, were it cut to 16 bits */
    ck_assert(!take_one(1, 4, "\x1b[2J", 0));
    ck_assert(!take_one(1, 4, "THIRTEENBYTES", 0));
    ck_assert(!take_one(1, 4, "NAME", 1)); /* no number */
    ck_assert(!take_one(1, 4, "NAME", 3)); /* no class */
    ck_assert(take_one(1, 4, "NAME", 0));
    ck_assert(!take_one(1, 5, "NAME", 0)); /* the same file of the reader */
    ck_assert(!take_one(2, 4, "NAME", 0)); /* the same id */
    ck_assert_uint_eq(spool_count(spool, USERID), 1);
}
END_TEST

START_TEST(cut_streams_do_no_harm)
{
    struct codec_out out;
    codec_out_init(&out);
    put_file(&out, 1, 1, "NAME", 0);
    for (size_t len = 0; len < out.len; len++) {
        bool good = take(&out, len);
        ck_assert(!good || !len);
        spool_forget(spool, USERID);
    }
    codec_out_fini(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_spool");
    TCase *tc = tcase_create("spool");
    tcase_add_checked_fixture(tc, begin, end);
    tcase_add_test(tc, descriptions_come_out_as_they_went_in);
    tcase_add_test(tc, ids_stay_unique_for_a_user);
    tcase_add_test(tc, damaged_descriptions_are_refused);
    tcase_add_test(tc, cut_streams_do_no_harm);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
