/* The stop rule, the wire format, hostile input, and limits: parts of lgr by themselves.
 * Members and guests as in tests/lib/lgr_world.h. Replay: LGR_SIM_SEED is printed on failure. */
#include "tests/lib/lgr_world.h"

#define GB_PER_S 1.0 /* bytes per ns */

/* --- the planner --- */

/* Four passes of a guest that dirties 64 MB (16384 frames) again and again: one field changed. */
static const struct lgr_plan writer = {.passes_done = 4,
                                       .remaining = 16000,
                                       .previous = 16384,
                                       .bytes_per_ns = GB_PER_S,
                                       .total_left_ns = ~0ull,
                                       .maxquiesce_s = 10};

#define DECIDES(decision, ...)                                                                 \
    do {                                                                                       \
        struct lgr_plan p = writer;                                                            \
        __VA_ARGS__;                                                                           \
        ck_assert_int_eq(lgr_decide(&p), decision);                                            \
    } while (0)

START_TEST(stops_when_the_rest_is_small)
{
    DECIDES(LGR_QUIESCE_NOW, p.passes_done = 1, p.previous = 30000, p.remaining = 1000);
    DECIDES(LGR_ANOTHER_PASS, p.passes_done = 1, p.previous = 30000, p.remaining = 10000);
    DECIDES(LGR_QUIESCE_NOW, p.passes_done = 1, p.previous = 30000, p.remaining = 10000,
            p.bytes_per_ns = 10 * GB_PER_S);
}
END_TEST

/* More passes while they converge; when they do not, only a quiesce that fits with a margin. */
START_TEST(stops_without_progress_if_the_limit_allows)
{
    DECIDES(LGR_QUIESCE_NOW, );
    DECIDES(LGR_ANOTHER_PASS, p.passes_done = 1);
    DECIDES(LGR_ANOTHER_PASS, p.previous = 20000);
    DECIDES(LGR_QUIESCE_NOW, p.bytes_per_ns = 0.009); /* 7.3 s of 10 */
    DECIDES(LGR_QUIESCE_NOW, p.bytes_per_ns = 0.001, p.maxquiesce_s = LGR_NOLIMIT);
}
END_TEST

/* Too long for MAXQUIESCE and half of a pass or more dirty again: less processor time for it. */
START_TEST(slows_down_a_guest_that_would_stand_still_too_long)
{
    DECIDES(LGR_SLOW_DOWN, p.bytes_per_ns = 0.007); /* 9.4 s of 10 */
    DECIDES(LGR_ANOTHER_PASS, p.bytes_per_ns = 0.007, p.passes_done = 1);
    DECIDES(LGR_ANOTHER_PASS, p.bytes_per_ns = 0.007, p.previous = 33000);
    DECIDES(LGR_SLOW_DOWN, p.bytes_per_ns = 0.007, p.throttle = 95);
    DECIDES(LGR_SLOW_DOWN, p.bytes_per_ns = 0.006, p.passes_done = 8, p.previous = 33000);
    DECIDES(LGR_ANOTHER_PASS, p.bytes_per_ns = 0.006, p.throttle = 99, p.previous = 20000);
    DECIDES(LGR_QUIESCE_NOW, p.bytes_per_ns = 0.009, p.throttle = 20); /* 7.3 s */
    unsigned percent = 0, steps = 0;
    for (unsigned next; (next = lgr_throttle_next(percent)) != percent; percent = next, steps++)
        ck_assert_uint_gt(next, percent);
    ck_assert(percent == 99 && steps > 3 && steps < 10);
}
END_TEST

/* After eight passes, twenty of a slowed guest, or when slowing it down is of no use, the limits
 * decide: it is not stopped for longer than MAXQUIESCE. */
START_TEST(gives_up_at_the_cap_if_the_guest_would_stand_still_too_long)
{
    DECIDES(LGR_QUIESCE_NOW, p.passes_done = 8, p.previous = 30000);
    DECIDES(LGR_QUIESCE_NOW, p.passes_done = 20, p.throttle = 40, p.bytes_per_ns = 0.007);
    DECIDES(LGR_OVER_MAXQUIESCE, p.passes_done = 20, p.throttle = 40, p.bytes_per_ns = 0.006);
    DECIDES(LGR_QUIESCE_NOW, p.passes_done = 9, p.throttle = 99, p.bytes_per_ns = 0.007);
    DECIDES(LGR_OVER_MAXQUIESCE, p.passes_done = 9, p.throttle = 99, p.bytes_per_ns = 0.006);
    DECIDES(LGR_QUIESCE_NOW, p.passes_done = 8, p.bytes_per_ns = 0.006,
            p.maxquiesce_s = LGR_NOLIMIT);
    struct lgr_plan p = writer;
    ck_assert(lgr_plan_quiesce_ns(&p) > 65e6 && lgr_plan_quiesce_ns(&p) < 70e6);
}
END_TEST

/* IMMEDIATE: one pass, then quiesce; a limit that was given with it still holds. */
START_TEST(immediate_takes_one_pass)
{
    DECIDES(LGR_QUIESCE_NOW, p.passes_done = 1, p.immediate = true);
    DECIDES(LGR_QUIESCE_NOW, p.passes_done = 1, p.immediate = true, p.bytes_per_ns = 0.0001,
            p.maxquiesce_s = LGR_NOLIMIT);
    DECIDES(LGR_OVER_MAXQUIESCE, p.passes_done = 1, p.immediate = true, p.bytes_per_ns = 0.03,
            p.maxquiesce_s = 1);
}
END_TEST

/* MAXTOTAL: quiesce while there is time for it, never when MAXTOTAL would end it half-way. */
START_TEST(minds_what_is_left_of_maxtotal)
{
    DECIDES(LGR_QUIESCE_NOW, p.previous = 30000, p.total_left_ns = 100000000);
    DECIDES(LGR_ANOTHER_PASS, p.previous = 30000, p.total_left_ns = 1000000000);
    DECIDES(LGR_SLOW_DOWN, p.total_left_ns = 50000000);
    DECIDES(LGR_ANOTHER_PASS, p.passes_done = 1, p.total_left_ns = 50000000);
    DECIDES(LGR_OVER_MAXTOTAL, p.passes_done = 8, p.total_left_ns = 50000000);
}
END_TEST

/* --- wire --- */

static void fill_values(struct lgr_values *v, struct lgr_reasons *reasons)
{
    *v = (struct lgr_values){.pass = 3,
                             .test = true,
                             .force = 5,
                             .generation = 77,
                             .pages = 1,
                             .zeros = 2,
                             .messages = 3,
                             .digest = ~0ull,
                             .bytes = 5,
                             .hash = 6,
                             .resumed_ns = 7,
                             .code = 8,
                             .by = "OPERATOR",
                             .text = "a text",
                             .reasons = reasons};
    strcpy(v->info.user, "LINUX1");
    strcpy(v->info.domain, "SSI");
    v->info.storage_bytes = 512u << 20;
    v->info.cpus = 2;
    lgr_reason_add(reasons, 1941, "HCPRLE1941E one\nline");
    lgr_reason_add(reasons, 1942, "HCPRLE1942E two");
}

static size_t encode(u16 type, const struct lgr_values *v, u8 *out, size_t room)
{
    struct codec_out rows;
    const struct lgr_head head = {1, LGR_WIRE_VERSION, 3, 0};
    codec_out_init(&rows);
    lgr_values_put(&rows, type, v);
    ck_assert(!rows.failed && rows.len + LGR_HEAD_BYTES <= room);
    lgr_head_store(out, &head);
    if (rows.len)
        memcpy(out + LGR_HEAD_BYTES, rows.data, rows.len);
    size_t len = LGR_HEAD_BYTES + rows.len;
    codec_out_fini(&rows);
    return len;
}

static const u16 control[] = {
    LGR_MSG_OFFER,  LGR_MSG_SKELETON, LGR_MSG_PASS_END, LGR_MSG_STATE_END,   LGR_MSG_FINISH,
    LGR_MSG_COMMIT, LGR_MSG_ABORT,    LGR_MSG_VERDICT,  LGR_MSG_SKELETON_OK, LGR_MSG_PASS_ACK,
    LGR_MSG_READY,  LGR_MSG_RESUMED,  LGR_MSG_FAILED,   LGR_MSG_ASK};

START_TEST(messages_come_out_as_they_went_in)
{
    u8 bytes[4096];
    for (unsigned i = 0; i < ARRAY_LEN(control); i++) {
        struct lgr_reasons put = {0}, got = {0};
        struct lgr_values in, out;
        fill_values(&in, &put);
        size_t len = encode(control[i], &in, bytes, sizeof bytes);
        ck_assert(lgr_values_get(bytes, len, control[i], &out, &got));
        if (control[i] == LGR_MSG_SKELETON) {
            ck_assert_str_eq(out.info.user, "LINUX1");
            ck_assert(out.info.storage_bytes == 512u << 20 && out.generation == 77);
        } else if (control[i] == LGR_MSG_VERDICT) {
            ck_assert(got.count == 2 && got.number == 1941);
            ck_assert_str_eq(got.line[0], "HCPRLE1941E one line");
        } else if (control[i] == LGR_MSG_PASS_END) {
            ck_assert(out.pass == 3 && out.pages == 1 && out.zeros == 2 && out.messages == 3);
        } else if (control[i] == LGR_MSG_FAILED) {
            ck_assert(out.code == 8 && !strcmp(out.text, "a text"));
        }
    }
}
END_TEST

/* Cut short or spoilt messages are refused or decoded to values in range; never a crash. */
START_TEST(spoilt_messages_do_no_harm)
{
    u8 bytes[4096];
    u64 random = 42;
    for (unsigned round = 0; round < 20000; round++) {
        u16 type = control[round % ARRAY_LEN(control)];
        struct lgr_reasons put = {0}, got = {0};
        struct lgr_values in, out;
        fill_values(&in, &put);
        size_t len = encode(type, &in, bytes, sizeof bytes);
        for (unsigned k = 0; k <= round % 3; k++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            bytes[(random >> 33) % len] = (u8)(random >> 25);
        }
        size_t cut = round % 5 ? len : (random >> 40) % (len + 1);
        if (!lgr_values_get(bytes, cut, type, &out, &got))
            continue;
        ck_assert(strnlen(out.text, sizeof out.text) < sizeof out.text);
        ck_assert(!out.has_info || (out.info.cpus && out.info.cpus <= LGR_CPUS_MAX));
    }
}
END_TEST

START_TEST(frame_hashes_tell_frames_and_bytes_apart)
{
    static u8 frame[FRAME_BYTES];
    ck_assert(lgr_frame_hash(1, frame) == 0);
    frame[4095] = 1;
    u64 one = lgr_frame_hash(1, frame);
    ck_assert(one && one != lgr_frame_hash(2, frame));
    frame[4095] = 2;
    ck_assert(one != lgr_frame_hash(1, frame));
}
END_TEST

/* --- members --- */

static struct world *two_members(unsigned silence_ms, u64 guest_bytes)
{
    struct world *w = world_create(99, 2);
    w->smooth = true;
    w->guest_bytes = guest_bytes;
    w->silence_ms = silence_ms;
    for (unsigned s = 0; s < 2; s++) {
        actor_start(&w->actors[s]);
        while (!w->actors[s].joined)
            world_step(w);
    }
    user_logon(&w->actors[0], 0);
    for (unsigned i = 0; i < 100; i++)
        world_step(w);
    return w;
}

/* The link stands still while the guest is stopped: MAXQUIESCE lets it go on at the source. */
START_TEST(maxquiesce_lets_the_guest_go_on)
{
    struct world *w = two_members(20000, GUEST_BYTES);
    struct actor *a = &w->actors[0];
    const struct lgr_options o = {.maxquiesce_s = 1};
    CHECK(w, user_move(a, 0, 1, &o) == ST_OK);
    while (a->lgr->active->state < RLO_S_PENULTIMATE)
        world_step(w);
    ssi_sim_stall(w->sim, 0, 1, true);
    u64 from_ms = ssi_sim_now_ms(w->sim);
    while (a->lgr->active)
        world_step(w);
    CHECK(w, w->outcomes[LGR_MAXQUIESCE] == 1 && running(w, 0, 0));
    CHECK(w, ssi_sim_now_ms(w->sim) - from_ms < 1200);
    world_calm_down(w, 20000);
    world_check_calm(w);
    CHECK(w, w->alive[0]);
    world_destroy(w);
}
END_TEST

/* A guest that stores into all of its storage faster than the link takes it, a megabyte a second:
 * it would stand still for longer than MAXQUIESCE however often it were sent. */
static struct world *busy_guest(void)
{
    struct world *w = two_members(0, 2 * GUEST_BYTES);
    w->actors[0].lgr->pace_mb_s = 1;
    w->busy = 10; /* 40 MB a second */
    for (unsigned i = 0; i < 1000; i++)
        world_step(w);
    return w;
}

static void until_ended(struct world *w)
{
    while (w->actors[0].lgr->active)
        world_step(w);
}

/* Slowed down step by step it moves; the time is not given back to what is left at the source. */
START_TEST(throttling_moves_a_guest_that_dirties_too_much)
{
    struct world *w = busy_guest();
    const struct lgr_options o = {.maxquiesce_s = 1};
    struct lgr_view v;
    unsigned last = 0, steps = 0;
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (w->actors[0].lgr->active) {
        const struct fake *g = &w->actors[0].guest[0];
        if (g->here && g->throttle != last) {
            CHECK(w, g->throttle > last);
            CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v) && v.throttle == g->throttle);
            last = g->throttle;
            steps++;
        }
        world_step(w);
    }
    CHECK(w, w->outcomes[LGR_COMPLETED] == 1 && running(w, 1, 0));
    CHECK(w, steps >= 2 && !w->actors[1].guest[0].throttle);
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v) && v.throttle == last);
    CHECK(w, v.quiesce_ns < 1000000000);
    CHECK(w, v.passes[0].throttle == 0 && v.passes[v.pass_count - 3].throttle == last);
    world_calm_down(w, 20000);
    world_check_calm(w);
    world_destroy(w);
}
END_TEST

/* What does not dirty less when it is slowed down stays, and has all of its time again. */
START_TEST(throttling_in_vain_ends_and_is_given_back)
{
    struct world *w = busy_guest();
    const struct lgr_options o = {.maxquiesce_s = 1};
    struct lgr_view v;
    w->stubborn = true;
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    until_ended(w);
    CHECK(w, w->outcomes[LGR_MAXQUIESCE] == 1 && running(w, 0, 0));
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v) && v.throttle == 99 && !v.quiesce_ns);
    CHECK(w, !w->actors[0].guest[0].throttle);
    world_destroy(w);
}
END_TEST

START_TEST(cancel_gives_the_processor_time_back)
{
    struct world *w = busy_guest();
    const struct lgr_options o = {.maxquiesce_s = 1};
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (!w->actors[0].guest[0].throttle)
        world_step(w);
    CHECK(w, lgr_cancel(w->actors[0].lgr, users[0], LGR_CANCELLED, "canceled") == ST_OK);
    CHECK(w, !w->actors[0].guest[0].throttle && running(w, 0, 0));
    world_destroy(w);
}
END_TEST

/* A disk of the host fails when the last writes are to be on it: the guest stays. */
START_TEST(a_guest_whose_disk_fails_stays)
{
    struct world *w = two_members(0, GUEST_BYTES);
    const struct lgr_options o = {.maxquiesce_s = 10};
    struct lgr_view v;
    w->disks_fail = true;
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    until_ended(w);
    CHECK(w, w->outcomes[LGR_INTERNAL] == 1 && running(w, 0, 0));
    CHECK(w,
          lgr_core_status(w->actors[0].lgr, 0, &v) && strstr(v.text, "the fake's disk fails"));
    w->disks_fail = false;
    world_calm_down(w, 20000);
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    until_ended(w);
    CHECK(w, w->outcomes[LGR_COMPLETED] == 1 && running(w, 1, 0));
    world_calm_down(w, 20000);
    world_check_calm(w);
    world_destroy(w);
}
END_TEST

/* A member that sends garbage, before and during a relocation: it may fail, nothing else. */
START_TEST(garbage_from_a_member_does_no_harm)
{
    struct world *w = two_members(0, GUEST_BYTES);
    struct actor *a = &w->actors[0];
    const struct lgr_options o = {.maxquiesce_s = 10};
    static u8 bytes[20000];
    for (unsigned round = 0; round < 3000; round++) {
        struct ssi *from = ssi_sim_member(w->sim, 0);
        size_t len = pick(w, 8) ? pick(w, 400) : pick(w, sizeof bytes);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (u8)pick(w, 256);
        const struct rlobk *r = a->lgr->active;
        const struct lgr_head head = {r ? r->v.id : pick(w, 4), LGR_WIRE_VERSION, 3,
                                      r ? r->seq_out : 0};
        if (len >= LGR_HEAD_BYTES && pick(w, 4))
            lgr_head_store(bytes, &head);
        if (pick(w, 3) == 0)
            ssi_send(from, "M1", LGR_SSI_SERVICE, (u16)(1 + pick(w, 40)), bytes, len);
        if (!r && running(w, 0, 0))
            user_move(a, 0, 1, &o);
        if (running(w, 1, 0)) /* it has come through: start again */
            user_logoff(&w->actors[1], 0);
        user_logon(a, 0);
        world_step(w);
    }
    world_calm_down(w, 20000);
    world_check_calm(w);
    world_destroy(w);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_core");
    TCase *tc = tcase_create("core");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, stops_when_the_rest_is_small);
    tcase_add_test(tc, stops_without_progress_if_the_limit_allows);
    tcase_add_test(tc, slows_down_a_guest_that_would_stand_still_too_long);
    tcase_add_test(tc, gives_up_at_the_cap_if_the_guest_would_stand_still_too_long);
    tcase_add_test(tc, immediate_takes_one_pass);
    tcase_add_test(tc, minds_what_is_left_of_maxtotal);
    tcase_add_test(tc, messages_come_out_as_they_went_in);
    tcase_add_test(tc, spoilt_messages_do_no_harm);
    tcase_add_test(tc, frame_hashes_tell_frames_and_bytes_apart);
    tcase_add_test(tc, maxquiesce_lets_the_guest_go_on);
    tcase_add_test(tc, throttling_moves_a_guest_that_dirties_too_much);
    tcase_add_test(tc, throttling_in_vain_ends_and_is_given_back);
    tcase_add_test(tc, cancel_gives_the_processor_time_back);
    tcase_add_test(tc, a_guest_whose_disk_fails_stays);
    tcase_add_test(tc, garbage_from_a_member_does_no_harm);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
