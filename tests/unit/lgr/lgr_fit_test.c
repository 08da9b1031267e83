/* Capacity of the destination: one test for each rule, what the host tells of its memory, the
 * checks of a whole relocation, and a destination that is short of memory.
 * Run alone: tests/run unit/lgr_fit_test */
#include "tests/lib/lgr_world.h"

#include "lgr/lgr_host.h"

#define MB (1ull << 20)
#define TABLES(bytes) ((bytes) + (bytes) / FRAME_BYTES * 24)

/* A guest of 1024 MB that uses 256; a member with 2048 free and as much paging space. */
static const struct lgr_guest_info guest = {.storage_bytes = 1024 * MB,
                                            .touched_bytes = 256 * MB};
static const struct lgr_room roomy = {.real_bytes = 4096 * MB,
                                      .real_free_bytes = 2048 * MB,
                                      .paging_bytes = 2048 * MB,
                                      .paging_free_bytes = 2048 * MB};

static struct lgr_fit judged(const struct lgr_guest_info *g, const struct lgr_room *room,
                             u64 arrived, u64 promised, unsigned force)
{
    struct lgr_fit fit;
    lgr_fit_fill(&fit, g, room, arrived, promised);
    lgr_fit_judge(&fit, force);
    return fit;
}

START_TEST(who_has_room_takes_it)
{
    struct lgr_fit fit = judged(&guest, &roomy, 0, 0, 0);
    ck_assert_uint_eq(fit.bits, 0);
    ck_assert_uint_eq(fit.now, TABLES(256 * MB));
    ck_assert_uint_eq(fit.maximum, TABLES(1024 * MB));
    ck_assert_uint_eq(fit.available, 4096 * MB);
}
END_TEST

/* Rule 1: what it uses now; nothing overrides that. */
START_TEST(storage_of_now_must_be_available)
{
    struct lgr_room room = {.real_free_bytes = 200 * MB, .paging_bytes = MB};
    struct lgr_fit fit = judged(&guest, &room, 0, 0, LGR_FORCE_STORAGE);
    ck_assert_uint_eq(fit.bits, LGR_FIT_NOW | LGR_FIT_MAXIMUM | LGR_FIT_PAGEABLE);
    ck_assert_uint_eq(fit.forced, LGR_FIT_MAXIMUM | LGR_FIT_PAGEABLE);
    room.real_free_bytes = TABLES(256 * MB);
    ck_assert_uint_eq(judged(&guest, &room, 0, 0, 0).bits & LGR_FIT_NOW, 0);
    ck_assert_uint_ne(judged(&guest, &room, 0, 1, 0).bits & LGR_FIT_NOW, 0); /* promised */
    room.real_free_bytes -= 100 * MB;
    ck_assert_uint_ne(judged(&guest, &room, 0, 0, 0).bits & LGR_FIT_NOW, 0);
    ck_assert_uint_eq(judged(&guest, &room, 100 * MB, 0, 0).bits & LGR_FIT_NOW, 0); /* here */
    room.paging_free_bytes = 100 * MB; /* counts as well */
    ck_assert_uint_eq(judged(&guest, &room, 0, 0, 0).bits & LGR_FIT_NOW, 0);
}
END_TEST

/* Rule 2: all that it may use; FORCE STORAGE overrides that. */
START_TEST(the_most_it_may_use_must_be_available)
{
    const struct lgr_room room = {.real_free_bytes = 1000 * MB};
    struct lgr_fit fit = judged(&guest, &room, 0, 0, LGR_FORCE_DOMAIN);
    ck_assert_uint_eq(fit.bits, LGR_FIT_MAXIMUM);
    ck_assert_uint_eq(fit.forced, 0);
    ck_assert_uint_eq(judged(&guest, &room, 0, 0, LGR_FORCE_STORAGE).forced, LGR_FIT_MAXIMUM);
}
END_TEST

/* Rule 3: of that, what may be paged out, into paging space, where there is any. */
START_TEST(pageable_storage_must_fit_into_paging_space)
{
    struct lgr_room room = roomy;
    struct lgr_guest_info locked = guest;
    room.paging_free_bytes = 1000 * MB;
    ck_assert_uint_eq(judged(&guest, &room, 0, 0, 0).bits, LGR_FIT_PAGEABLE);
    ck_assert_uint_eq(judged(&guest, &room, 0, 0, LGR_FORCE_STORAGE).forced, LGR_FIT_PAGEABLE);
    locked.locked_bytes = 100 * MB;
    ck_assert_uint_eq(judged(&locked, &room, 0, 0, 0).bits, 0);
    room.paging_free_bytes = 0;
    ck_assert_uint_eq(judged(&guest, &room, 0, 0, 0).bits, LGR_FIT_PAGEABLE);
    room.paging_bytes = 0; /* this host pages nothing out */
    ck_assert_uint_eq(judged(&guest, &room, 0, 0, 0).bits, 0);
}
END_TEST

START_TEST(bits_add_up_and_the_latest_checks_are_kept)
{
    struct lgr_view v = {0};
    for (unsigned i = 0; i < LGR_FITS_MAX + 3; i++) {
        const struct lgr_fit fit = {.pass = (u16)i, .bits = i == 2 ? LGR_FIT_MAXIMUM : 0};
        lgr_fit_note(&v, &fit);
    }
    ck_assert_uint_eq(v.fit_bits, LGR_FIT_MAXIMUM);
    ck_assert_uint_eq(v.fit_count, LGR_FITS_MAX + 3);
    for (unsigned i = 0; i < LGR_FITS_MAX; i++)
        ck_assert_uint_eq(v.fit[i].pass, LGR_FITS_MAX + 2 - i);
}
END_TEST

/* --- the host --- */

START_TEST(reads_what_the_kernel_tells)
{
    struct lgr_room room;
    lgr_host_meminfo("MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:   400 kB\n"
                     "SwapTotal: 300 kB\nSwapFree:  200 kB\n",
                     &room);
    ck_assert_uint_eq(room.real_bytes, 1000 << 10);
    ck_assert_uint_eq(room.real_free_bytes, 400 << 10);
    ck_assert_uint_eq(room.paging_bytes, 300 << 10);
    ck_assert_uint_eq(room.paging_free_bytes, 200 << 10);
    lgr_host_limit(~0ull, 900 << 10, 0, &room);
    ck_assert_uint_eq(room.real_free_bytes, 400 << 10);
    lgr_host_limit(500 << 10, 350 << 10, 50 << 10, &room);
    ck_assert_uint_eq(room.real_bytes, 500 << 10);
    ck_assert_uint_eq(room.real_free_bytes, 200 << 10);
    lgr_host_limit(100 << 10, 350 << 10, 0, &room);
    ck_assert_uint_eq(room.real_free_bytes, 0);
    lgr_host_room(&room);
    ck_assert(room.real_bytes && room.real_free_bytes <= room.real_bytes);
}
END_TEST

/* --- relocations --- */

/* Two members and a guest that uses all of its storage. */
static struct world *full_guest(u64 bytes)
{
    struct world *w = world_create(7, 2);
    w->calm = w->smooth = true;
    w->guest_bytes = bytes;
    for (unsigned s = 0; s < 2; s++)
        actor_start(&w->actors[s]);
    while (!w->actors[0].joined || !w->actors[1].joined)
        world_step(w);
    user_logon(&w->actors[0], 0);
    for (u64 at = 0; at < bytes; at += FRAME_BYTES)
        storage_write(w->actors[0].guest[0].st, at, &at, sizeof at);
    return w;
}

static struct lgr_view moved(struct world *w, const struct lgr_options *o)
{
    struct lgr_view v;
    CHECK(w, user_move(&w->actors[0], 0, 1, o) == ST_OK);
    while (w->actors[0].lgr->active)
        world_step(w);
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v));
    return v;
}

/* Before the first pass, after each one, before the quiesce and in it; both sides can show it. */
START_TEST(it_is_checked_again_and_again)
{
    struct world *w = full_guest(GUEST_BYTES);
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    struct lgr_view v = moved(w, &o), there;
    unsigned running = 0;
    for (unsigned i = 0; i < v.pass_count; i++)
        running += !v.passes[i].quiesced;
    ck_assert_int_eq(v.code, LGR_COMPLETED);
    CHECK(w, v.fit_count == running + 3 && v.fit[0].pass == running && !v.fit_bits);
    CHECK(w,
          v.fit[0].now >= TABLES(GUEST_BYTES) && v.fit[0].available >= w->room.real_free_bytes);
    CHECK(w, lgr_core_status(w->actors[1].lgr, 0, &there) && there.fit_count >= running + 1);
    world_destroy(w);
}
END_TEST

START_TEST(force_storage_is_for_two_of_the_rules)
{
    struct world *w = full_guest(GUEST_BYTES);
    struct lgr_options o = {.maxquiesce_ms = 10000};
    w->room = (struct lgr_room){.real_bytes = 64 * MB, .real_free_bytes = GUEST_BYTES};
    struct lgr_view v = moved(w, &o);
    ck_assert_int_eq(v.code, LGR_NOT_ELIGIBLE);
    o.force = LGR_FORCE_STORAGE;
    v = moved(w, &o);
    CHECK(w, v.code == LGR_NOT_ELIGIBLE && v.fit_bits & LGR_FIT_NOW);
    w->room.real_free_bytes = 2 * GUEST_BYTES;
    w->room.paging_bytes = 1;
    o.force = 0;
    CHECK(w, moved(w, &o).code == LGR_NOT_ELIGIBLE);
    o.force = LGR_FORCE_STORAGE;
    v = moved(w, &o);
    CHECK(w, v.code == LGR_COMPLETED && v.fit_bits == LGR_FIT_PAGEABLE);
    world_destroy(w);
}
END_TEST

/* Less than before while storage moves: code 06, and the guest has run all the time. */
START_TEST(a_later_violation_ends_it)
{
    struct world *w = full_guest(2 * GUEST_BYTES);
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    struct lgr_view v;
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (!w->actors[1].guest[0].incoming)
        world_step(w);
    w->room.real_free_bytes = 0;
    while (w->actors[0].lgr->active)
        world_step(w);
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v));
    CHECK(w, v.code == LGR_NOT_ELIGIBLE && running(w, 0, 0) && !v.quiesce_ns);
    world_destroy(w);
}
END_TEST

/* --- a destination that is short of memory --- */

static struct world *held_move(void)
{
    struct world *w = full_guest(40 * MB);
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    struct lgr_view v = {0};
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (!w->actors[1].guest[0].incoming)
        world_step(w);
    w->room.real_free_bytes = 30 * MB; /* short of 2 % of 4 GB */
    while (!v.holds) {
        CHECK(w, w->actors[0].lgr->active);
        world_step(w);
        CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v));
    }
    return w;
}

static void for_ms(struct world *w, u64 ms)
{
    u64 until = ssi_sim_now_ms(w->sim) + ms;
    while (ssi_sim_now_ms(w->sim) < until)
        world_step(w);
}

START_TEST(the_source_waits_and_goes_on)
{
    struct world *w = held_move();
    struct lgr_view v, later;
    for_ms(w, 100); /* what was on its way */
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v));
    for_ms(w, 2000);
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &later));
    CHECK(w, later.bytes == v.bytes && running(w, 0, 0));
    w->room.real_free_bytes = 1ull << 31;
    while (w->actors[0].lgr->active)
        world_step(w);
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v) && v.code == LGR_COMPLETED);
    CHECK(w, v.holds == 1 && v.held_ns > 1900000000 && v.held_ns < 3000000000);
    world_destroy(w);
}
END_TEST

START_TEST(not_for_ever)
{
    struct world *w = held_move();
    struct lgr_view v;
    while (w->actors[0].lgr->active)
        world_step(w);
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v) && v.code == LGR_NOT_ELIGIBLE);
    CHECK(w, strstr(v.text, "short of memory for 10 seconds") && running(w, 0, 0));
    world_destroy(w);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_fit");
    TCase *tc = tcase_create("fit");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, who_has_room_takes_it);
    tcase_add_test(tc, storage_of_now_must_be_available);
    tcase_add_test(tc, the_most_it_may_use_must_be_available);
    tcase_add_test(tc, pageable_storage_must_fit_into_paging_space);
    tcase_add_test(tc, bits_add_up_and_the_latest_checks_are_kept);
    tcase_add_test(tc, reads_what_the_kernel_tells);
    tcase_add_test(tc, it_is_checked_again_and_again);
    tcase_add_test(tc, force_storage_is_for_two_of_the_rules);
    tcase_add_test(tc, a_later_violation_ends_it);
    tcase_add_test(tc, the_source_waits_and_goes_on);
    tcase_add_test(tc, not_for_ever);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
