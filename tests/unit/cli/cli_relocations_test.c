/* What `vm.relocations` tells of a relocation: the capacity rules' checks, and how long it was held
 * up, beside the rest. Run alone: tests/run unit/cli_relocations_test */
#include "tests/lib/lgr_world.h"

#include "cli/member_internal.h"

#define MB (1u << 20)

static struct world *w;

static void setup(void)
{
    w = world_create(5, 2);
    w->calm = w->smooth = true;
    w->guest_bytes = 40 * MB;
    for (unsigned s = 0; s < 2; s++) {
        actor_start(&w->actors[s]);
        while (!w->actors[s].joined)
            world_step(w);
    }
    for (unsigned i = 0; i < 200; i++) /* they know each other */
        world_step(w);
    user_logon(&w->actors[0], 0);
    for (u64 at = 0; at < w->guest_bytes; at += FRAME_BYTES)
        storage_write(w->actors[0].guest[0].st, at, &at, sizeof at);
}

static void teardown(void)
{
    world_destroy(w);
}

static double number(const json_t *from, const char *name)
{
    const json_t *value = json_object_get(from, name);
    ck_assert_msg(json_is_number(value), "%s", name);
    return json_number_value(value);
}

/* The destination is short of memory on the way, for two seconds. */
static void held_move(void)
{
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    struct lgr_view v = {0};
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (!w->actors[1].guest[0].incoming) {
        CHECK(w, w->actors[0].lgr->active);
        world_step(w);
    }
    w->room.real_free_bytes = 30 * MB;
    while (!v.holds) {
        CHECK(w, w->actors[0].lgr->active);
        world_step(w);
        CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v));
    }
    u64 until = ssi_sim_now_ms(w->sim) + 2000;
    while (ssi_sim_now_ms(w->sim) < until)
        world_step(w);
}

START_TEST(capacity_and_holds)
{
    held_move();
    for (unsigned over = 0; over < 2; over++) {
        for (unsigned s = 0; s < 2; s++) {
            struct member m = {.lgr = w->actors[s].lgr};
            json_t *list = member_lgr_status(&m, "linux1"), *row = json_array_get(list, 0);
            const json_t *held = json_object_get(row, "held");
            const json_t *capacity = json_object_get(row, "capacity");
            const json_t *checks = json_object_get(capacity, "checks");
            ck_assert_uint_eq(json_array_size(list), 1);
            ck_assert(number(held, "count") == 1 && number(held, "ms") > 1900 &&
                      number(held, "ms") < 3500);
            double count = number(capacity, "count");
            ck_assert(json_array_size(checks) == (count < 8 ? count : 8) && count > over);
            ck_assert(number(capacity, "bits") == 0);
            for (size_t i = 0; i < json_array_size(checks); i++) { /* the latest first */
                const json_t *c = json_array_get(checks, i), *d = json_array_get(checks, i + 1);
                ck_assert(!d || number(c, "pass") >= number(d, "pass"));
                ck_assert(number(c, "now") > 40e6 && number(c, "now") < 43e6 &&
                          number(c, "available") >= 30e6 && number(c, "paging") == 0 &&
                          number(c, "maximum") == number(c, "pageable") &&
                          number(c, "bits") == 0 && number(c, "forced") == 0);
            }
            json_decref(list);
        }
        w->room.real_free_bytes = 1ull << 31;
        while (w->actors[0].lgr->active || w->actors[1].lgr->active)
            world_step(w);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_relocations");
    TCase *tc = tcase_create("relocations");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, capacity_and_holds);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
