/* Every row of lgr/eligible.def is violated once, by the function that the row names, and gives its
 * message and no other; FORCE with its word overrides it and no other word does; when all are
 * violated at once all are told. A row whose function is missing does not compile.
 * Run alone: tests/run unit/lgr_eligible_test */
#include "tests/lib/lgr_world.h"

/* A guest that may move, the source's block of it, and a destination that takes it. */
struct scene {
    struct rlobk r;
    struct lgr_here here;
    struct lgr_room room;
    unsigned others; /* relocations under way there */
    bool encrypted;  /* it requires that */
};

static struct world *w;
static struct lgr *there;
static struct scene *shown; /* what fake_here tells */

static void fake_here(void *ctx, const struct lgr_guest_info *info, struct lgr_here *out)
{
    (void)ctx;
    (void)info;
    *out = shown->here;
}

static void fake_room(void *ctx, struct lgr_room *out)
{
    (void)ctx;
    *out = shown->room;
}

static const struct lgr_guests fakes = {.here = fake_here, .room = fake_room};

static struct scene eligible(void)
{
    struct scene s = {.r = {.claim = 1, .reachable = true},
                      .here = {.known = true, .entry_digest = 5, .storage_max_bytes = 1u << 30},
                      .room = {.real_free_bytes = 1u << 30}};
    strcpy(s.r.v.to, "M1");
    strcpy(s.r.info.user, "LINUX1");
    strcpy(s.r.info.domain, "ALPHA");
    s.r.info.storage_bytes = 512u << 20;
    s.r.info.touched_bytes = 256u << 20;
    s.r.info.entry_digest = 5;
    s.r.info.relocatable = s.r.info.in_domain = true;
    return s;
}

/* --- one for each row ---------------------------------------------------------------------- */

static void set_off(struct scene *s)
{
    s->r.info.relocatable = false;
}

static void multiconfiguration(struct scene *s)
{
    s->r.info.identity = true;
}

static void system_operator(struct scene *s)
{
    s->r.info.is_operator = true;
}

static void logoff_pending(struct scene *s)
{
    s->r.info.ending = true;
}

static void not_owner(struct scene *s)
{
    s->r.claim = 0;
}

static void not_joined(struct scene *s)
{
    s->r.reachable = false;
}

static void link_is_plain(struct scene *s)
{
    s->r.plain = true;
}

static void link_is_plain_there(struct scene *s)
{
    s->encrypted = true;
}

static void outside_domain(struct scene *s)
{
    s->r.info.in_domain = false;
}

static void cpus_that_stay(struct scene *s)
{
    lgr_obstacle(&s->r.info.bad_cpu, "01 (dedicated)");
}

static void segments_that_stay(struct scene *s)
{
    lgr_obstacle(&s->r.info.bad_segment, "TOOLS is restricted");
}

static void paths_that_stay(struct scene *s)
{
    lgr_obstacle(&s->r.info.bad_path, "LINUX2");
}

static void devices_that_stay(struct scene *s)
{
    lgr_obstacle(&s->r.info.bad_device, "0400 (T-disk)");
}

static void ending_there(struct scene *s)
{
    s->here.ending = true;
}

static void vdisks_that_stay(struct scene *s)
{
    lgr_obstacle(&s->r.info.bad_vdisk, "0204 is linked by TWO, too");
}

static void vdisks_changed(struct scene *s)
{
    s->r.vdisks_changed = true;
}

static void vdisks_there(struct scene *s)
{
    lgr_obstacle(&s->here.bad_vdisk, "0204 is as one that TWO has of LINUX1 0204");
}

static void not_in_directory(struct scene *s)
{
    s->here.known = false;
}

static void other_entry(struct scene *s)
{
    s->here.entry_digest++;
}

static void logged_on_there(struct scene *s)
{
    s->here.logged_on = true;
}

static void too_many(struct scene *s)
{
    s->others = LGR_ACTIVE_MAX;
}

static void segments_not_there(struct scene *s)
{
    lgr_obstacle(&s->here.no_segment, "CMSSEG");
}

static void terminals_not_reached(struct scene *s)
{
    lgr_obstacle(&s->here.no_terminal, "MEMBERC");
}

static void adapters_not_there(struct scene *s)
{
    lgr_obstacle(&s->here.bad_nic, "0600 (VSWITCH SYSTEM VSW1)");
}

static void disks_not_there(struct scene *s)
{
    lgr_obstacle(&s->here.bad_disk, "0200 (VOL001)");
}

static void lacks_facilities(struct scene *s)
{
    s->r.info.arch.facilities[2] = 0x40; /* 17 */
}

static void more_than_directory(struct scene *s)
{
    s->here.storage_max_bytes = 256u << 20;
}

static void no_storage(struct scene *s)
{
    s->r.info.touched_bytes = 2ull << 30;
}

static void no_storage_for_all(struct scene *s)
{
    s->room.real_free_bytes = 512u << 20;
}

static void no_paging_space(struct scene *s)
{
    s->room.paging_bytes = 512u << 20; /* all of it is used */
}

static const struct row {
    enum msg_id message;
    const char *force;
    unsigned force_bit;
    void (*violate)(struct scene *s);
} rows[] = {
#define LGR_FORCE_NONE 0u
#define E(side, force, message, times, args, test)                                             \
    {MSG_##message, #force, LGR_FORCE_##force, test},
#include "lgr/eligible.def"
#undef E
};

/* --- what is told -------------------------------------------------------------------------- */

static void evaluate(struct scene *s, unsigned force, bool again, struct lgr_reasons *out)
{
    *out = (struct lgr_reasons){0};
    s->r.v.force = force;
    shown = s;
    there->active_count = s->others;
    there->encrypt_required = s->encrypted;
    lgr_eligible_source(&s->r, out);
    struct lgr_fit fit;
    lgr_eligible_here(there, &s->r.info, 7, "M0", force, again, &fit, out);
    there->active_count = 0;
}

static bool tells(const struct lgr_reasons *reasons, enum msg_id message)
{
    for (unsigned i = 0; i < reasons->count; i++) {
        const char *number = reasons->line[i] + strlen("HCPRLE");
        if (!strncmp(reasons->line[i], "HCPRL", 5) && atoi(number) == msg_number(message))
            return true;
    }
    return false;
}

static void setup(void)
{
    w = world_create(3, 2);
    w->smooth = true;
    w->guest_bytes = GUEST_BYTES;
    for (unsigned s = 0; s < 2; s++) {
        actor_start(&w->actors[s]);
        while (!w->actors[s].joined)
            world_step(w);
    }
    there = w->actors[1].lgr;
    there->guests = &fakes;
}

static void teardown(void)
{
    world_destroy(w);
}

START_TEST(nothing_is_in_the_way)
{
    struct scene s = eligible();
    struct lgr_reasons reasons;
    evaluate(&s, 0, false, &reasons);
    ck_assert_msg(!reasons.count, "%s", reasons.line[0]);
}
END_TEST

START_TEST(each_row_gives_its_message)
{
    const struct row *row = &rows[_i];
    struct scene s = eligible();
    struct lgr_reasons reasons;
    row->violate(&s);
    evaluate(&s, 0, false, &reasons);
    ck_assert_msg(tells(&reasons, row->message), "not told: %d", msg_number(row->message));
    ck_assert_msg(reasons.count == 1, "%s, and %s", reasons.line[0], reasons.line[1]);
    ck_assert_ptr_nonnull(strstr(reasons.line[0], "E LINUX1: "));
    ck_assert_int_eq(reasons.number, msg_number(row->message));
}
END_TEST

START_TEST(force_overrides_its_own_rows)
{
    const struct row *row = &rows[_i];
    struct lgr_reasons reasons;
    for (unsigned force = 0; force < 8; force++) {
        struct scene s = eligible();
        row->violate(&s);
        evaluate(&s, force, false, &reasons);
        ck_assert_msg(reasons.count == !(force & row->force_bit), "FORCE %u, row %s", force,
                      row->force);
    }
}
END_TEST

START_TEST(all_are_told_at_once)
{
    struct scene s = eligible();
    struct lgr_reasons reasons;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        rows[i].violate(&s);
    s.here.known = true; /* what a directory says is compared only when it says something */
    evaluate(&s, 0, false, &reasons);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].violate == not_in_directory || rows[i].violate == not_owner)
            continue; /* an IDENTITY has no claim */
        ck_assert_msg(tells(&reasons, rows[i].message), "not told: %d",
                      msg_number(rows[i].message));
    }
    ck_assert_uint_eq(reasons.count, ARRAY_LEN(rows) - 2);
}
END_TEST

/* One kind of obstacle may be there several times: each is told. */
START_TEST(each_device_is_told)
{
    struct scene s = eligible();
    struct lgr_reasons reasons;
    for (unsigned i = 0; i < LGR_OBSTACLES_MAX + 3; i++)
        lgr_obstacle(&s.r.info.bad_device, "%04X (T-disk)", 0x400 + i);
    lgr_obstacle(&s.here.bad_nic, "0600 (VSWITCH SYSTEM VSW1)");
    lgr_obstacle(&s.here.bad_nic, "0700 (VSWITCH SYSTEM VSW2)");
    evaluate(&s, 0, false, &reasons);
    ck_assert_uint_eq(reasons.count, LGR_OBSTACLES_MAX + 2);
    ck_assert_str_eq(reasons.line[0],
                     "HCPRLE1996E LINUX1: device 0400 (T-disk) cannot be relocated");
    ck_assert_str_eq(reasons.line[LGR_OBSTACLES_MAX + 1],
                     "HCPRLE1956E LINUX1: device 0700 (VSWITCH SYSTEM VSW2) cannot be "
                     "connected on M1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_eligible");
    TCase *tc = tcase_create("eligible");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, nothing_is_in_the_way);
    tcase_add_loop_test(tc, each_row_gives_its_message, 0, (int)ARRAY_LEN(rows));
    tcase_add_loop_test(tc, force_overrides_its_own_rows, 0, (int)ARRAY_LEN(rows));
    tcase_add_test(tc, all_are_told_at_once);
    tcase_add_test(tc, each_device_is_told);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
