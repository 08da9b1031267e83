/* Finished relocations outlive their member: what a file gives back, of a bounded size, torn
 * anywhere, with any bit of it wrong, of another kind, not to be written.
 * Members and guests as in tests/lib/lgr_world.h. Run alone: tests/run unit/lgr_keep_test */
#include "tests/lib/lgr_world.h"

#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1u << 20)

static struct world *w;
static char folder[] = "/tmp/keep.XXXXXX", path[64];
static u8 bytes[FILE_BYTES_MAX];

static struct lgr *lgr(void)
{
    return w->actors[0].lgr;
}

/* Two members, the first one's history in the file. */
static void begin(void)
{
    struct cause cause;
    w = world_create(11, 2);
    w->smooth = true;
    for (unsigned s = 0; s < 2; s++) {
        actor_start(&w->actors[s]);
        while (!w->actors[s].joined)
            world_step(w);
    }
    ck_assert_msg(lgr_keep_history(lgr(), path, &cause) == ST_OK, "%s", cause.text);
    for (unsigned i = 0; i < 200; i++) /* they know each other */
        world_step(w);
    user_logon(&w->actors[0], 0);
}

static void end(void)
{
    lgr_keep_close(lgr()); /* as lgr_core_destroy does */
    world_destroy(w);
}

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/MEMBERA", folder);
    begin();
}

static void teardown(void)
{
    char command[64];
    end();
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* There and back, so many times in all; each is one of the first member's. */
static void moves(unsigned n)
{
    const struct lgr_options o = {.maxquiesce_ms = 7000, .force = LGR_FORCE_STORAGE};
    for (unsigned i = 0; i < n; i++) {
        unsigned here = running(w, 0, 0) ? 0 : 1;
        CHECK(w, user_move(&w->actors[here], 0, !here, &o) == ST_OK);
        if (i % 5 == 4)
            lgr_cancel(w->actors[here].lgr, users[0], LGR_CANCELLED, "canceled by OPERATOR");
        while (w->actors[0].lgr->active || w->actors[1].lgr->active)
            world_step(w);
    }
}

static size_t file_bytes(void)
{
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    return n;
}

static void put_file(const u8 *p, size_t n)
{
    FILE *file = fopen(path, "w");
    ck_assert(file && fwrite(p, 1, n, file) == n && fclose(file) == 0);
}

/* As if it had started again: the engine does not know more than the file. */
static void reload(void)
{
    struct cause cause;
    lgr_keep_close(lgr());
    lgr()->history_count = lgr()->history_next = 0;
    ck_assert_msg(lgr_keep_history(lgr(), path, &cause) == ST_OK, "%s", cause.text);
}

static struct lgr_view kept[LGR_HISTORY_MAX];

static unsigned take(void)
{
    unsigned n = 0;
    while (n < LGR_HISTORY_MAX && lgr_core_status(lgr(), n, &kept[n]))
        n++;
    struct lgr_view more;
    ck_assert(!lgr_core_status(lgr(), n, &more));
    return n;
}

static void same_passes(const struct lgr_view *a, const struct lgr_view *b)
{
    ck_assert_uint_eq(a->pass_count, b->pass_count);
    for (unsigned i = 0; i < a->pass_count; i++) {
        const struct lgr_pass *x = &a->passes[i], *y = &b->passes[i];
        ck_assert(x->pages == y->pages && x->zeros == y->zeros && x->equals == y->equals &&
                  x->raws == y->raws && x->bytes == y->bytes && x->ns == y->ns &&
                  x->quiesced == y->quiesced && x->governed == y->governed &&
                  x->dirtied == y->dirtied && x->waits == y->waits);
    }
    ck_assert_uint_eq(a->fit_count, b->fit_count);
    for (unsigned i = 0; i < a->fit_count && i < LGR_FITS_MAX; i++)
        ck_assert(a->fit[i].pass == b->fit[i].pass && a->fit[i].now == b->fit[i].now &&
                  a->fit[i].available == b->fit[i].available &&
                  a->fit[i].paging == b->fit[i].paging && a->fit[i].bits == b->fit[i].bits);
}

/* Everything but when it began, which is told by another clock. */
static void same(const struct lgr_view *a, const struct lgr_view *b)
{
    ck_assert_str_eq(a->status, b->status);
    ck_assert_str_eq(a->user, b->user);
    ck_assert_str_eq(a->from, b->from);
    ck_assert_str_eq(a->to, b->to);
    ck_assert_str_eq(a->by, b->by);
    ck_assert_str_eq(a->text, b->text);
    ck_assert(a->id == b->id && a->code == b->code && a->incoming == b->incoming &&
              a->stage == b->stage && a->force == b->force);
    ck_assert(a->elapsed_ns == b->elapsed_ns && a->quiesce_ns == b->quiesce_ns &&
              a->bytes == b->bytes && a->state_bytes == b->state_bytes &&
              a->maxquiesce_ms == b->maxquiesce_ms && a->maxtotal_ms == b->maxtotal_ms &&
              a->predicted_ns == b->predicted_ns && a->fit_bits == b->fit_bits);
    ck_assert_mem_eq(a->at_ns, b->at_ns, sizeof a->at_ns);
    same_passes(a, b);
}

START_TEST(it_outlives_the_member)
{
    static struct lgr_view before[LGR_HISTORY_MAX];
    moves(7);
    ck_assert_uint_eq(take(), 7);
    memcpy(before, kept, sizeof before);
    u64 ago_ns = lgr_now(lgr()) - before[0].start_ns - before[0].elapsed_ns;
    ck_assert(before[1].pass_count && before[1].fit_count && before[1].bytes);
    end();
    begin();
    ck_assert_uint_eq(take(), 7);
    for (unsigned i = 0; i < 7; i++)
        same(&kept[i], &before[i]);
    ck_assert_uint_eq(kept[2].code, LGR_CANCELLED);
    ck_assert_str_eq(kept[2].text, "canceled by OPERATOR");
    u64 later_ns = lgr_now(lgr()) - kept[0].start_ns - kept[0].elapsed_ns;
    ck_assert(later_ns < 3600u * 1000000000ull && ago_ns < 3600u * 1000000000ull);
    moves(1); /* and those of this life behind it */
    ck_assert_uint_eq(take(), 8);
    same(&kept[1], &before[0]);
    end();
    begin();
    ck_assert_uint_eq(take(), 8);
    same(&kept[7], &before[6]);
}
END_TEST

START_TEST(it_has_a_size)
{
    size_t most = 0;
    for (unsigned i = 0; i < 5; i++) {
        moves(30);
        most = file_bytes() > most ? file_bytes() : most;
        unsigned n = take(); /* one that is cancelled at once is the source's alone */
        ck_assert(i ? n == LGR_HISTORY_MAX : n > 20 && n <= 30);
    }
    ck_assert_uint_lt(most, LGR_KEEP_BYTES_MAX);
    u64 id = kept[0].id;
    end();
    begin();
    ck_assert_uint_eq(take(), LGR_HISTORY_MAX);
    ck_assert_uint_eq(kept[0].id, id);
}
END_TEST

/* It ends anywhere: what is whole in front of that is there, and one more can be added. */
START_TEST(torn)
{
    static u8 whole[FILE_BYTES_MAX];
    size_t before[5];
    before[0] = 8;
    for (unsigned i = 1; i < 5; i++) {
        moves(1);
        before[i] = file_bytes();
    }
    size_t n = file_bytes();
    memcpy(whole, bytes, n);
    for (size_t len = 0; len <= n; len += len > before[3] ? 1 : 97) {
        unsigned records = 0;
        while (records < 4 && before[records + 1] <= len)
            records++;
        put_file(whole, len);
        reload();
        ck_assert_uint_eq(take(), records);
        if (len % 31)
            continue;
        moves(1);
        reload();
        ck_assert_msg(take() == records + 1, "cut at %zu of %zu", len, n);
    }
}
END_TEST

/* One that is damaged is left out, the others are there. */
START_TEST(a_bit_is_wrong)
{
    moves(4);
    size_t n = file_bytes(), first = 12 + be32_load(bytes + 8);
    for (size_t at = 8 + 4; at < 8 + first; at += 41) {
        bytes[at] ^= 0x10;
        put_file(bytes, n);
        reload();
        ck_assert_msg(take() == 3, "byte %zu", at);
        bytes[at] ^= 0x10;
    }
}
END_TEST

/* Any bytes: nothing but what is right is shown. Whose length is wrong hides those behind it. */
START_TEST(any_bytes)
{
    u64 value = 1;
    moves(2);
    size_t n = file_bytes();
    for (unsigned i = 0; i < 200; i++) {
        static u8 spoilt[FILE_BYTES_MAX];
        memcpy(spoilt, bytes, n);
        for (unsigned k = 0; k < 1 + i % 8; k++) {
            value = value * 6364136223846793005ull + 1442695040888963407ull;
            spoilt[8 + (value >> 33) % (n - 8)] = (u8)(value >> 20);
        }
        put_file(spoilt, n);
        reload();
        ck_assert_uint_le(take(), 2);
    }
}
END_TEST

START_TEST(another_kind_of_file)
{
    static const u8 text[] = "somebody else's\n";
    struct cause cause = {0};
    end();
    put_file(text, sizeof text);
    w = world_create(11, 2);
    w->smooth = true;
    actor_start(&w->actors[0]);
    while (!w->actors[0].joined)
        world_step(w);
    ck_assert_int_eq(lgr_keep_history(lgr(), path, &cause), ST_PROTO);
    ck_assert_ptr_nonnull(strstr(cause.text, "no history of relocations"));
    ck_assert_uint_eq(file_bytes(), sizeof text);
    ck_assert_mem_eq(bytes, text, sizeof text);
}
END_TEST

/* Relocations go on as well, and are written when that works again. */
START_TEST(it_cannot_be_written)
{
    moves(2);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    moves(3);
    ck_assert_uint_eq(take(), 5);
    ck_assert_int_eq(rmdir(path), 0);
    end();
    begin();
    ck_assert_uint_eq(take(), 0);
    moves(1);
    end();
    begin();
    ck_assert_uint_eq(take(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_keep");
    TCase *tc = tcase_create("keep");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, it_outlives_the_member);
    tcase_add_test(tc, it_has_a_size);
    tcase_add_test(tc, torn);
    tcase_add_test(tc, a_bit_is_wrong);
    tcase_add_test(tc, any_bytes);
    tcase_add_test(tc, another_kind_of_file);
    tcase_add_test(tc, it_cannot_be_written);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
