/* The wire format, hostile input, and limits: parts of lgr by themselves.
 * Members and guests as in tests/lib/lgr_world.h. Replay: LGR_SIM_SEED is printed on failure. */
#include "tests/lib/lgr_world.h"

#include "ssi/ssi_internal.h"

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
                             .crowd = {3, 1, 300},
                             .reasons = reasons};
    strcpy(v->info.user, "LINUX1");
    strcpy(v->info.domain, "SSI");
    v->info.storage_bytes = 512u << 20;
    v->info.cpus = 2;
    arch_of(cpu_model_find("z114"), CP_LEVEL, &v->info.arch);
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
    LGR_MSG_READY,  LGR_MSG_RESUMED,  LGR_MSG_FAILED,   LGR_MSG_ASK,         LGR_MSG_LIMITS};

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
            ck_assert(arch_same(&out.info.arch, &in.info.arch));
            ck_assert(out.info.storage_bytes == 512u << 20 && out.generation == 77);
        } else if (control[i] == LGR_MSG_VERDICT) {
            ck_assert(got.count == 2 && got.number == 1941);
            ck_assert_str_eq(got.line[0], "HCPRLE1941E one line");
        } else if (control[i] == LGR_MSG_PASS_END) {
            ck_assert(out.pass == 3 && out.pages == 1 && out.zeros == 2 && out.messages == 3);
        } else if (control[i] == LGR_MSG_SKELETON_OK || control[i] == LGR_MSG_PASS_ACK) {
            ck_assert(out.crowd.others == 3 && out.crowd.own == 1 &&
                      out.crowd.processors == 300);
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

/* MODIFY: both sides know the limits of MOVE, and those that it is given later. */
START_TEST(both_sides_know_the_limits)
{
    struct world *w = two_members(0, 2 * GUEST_BYTES);
    const struct lgr_options o = {
        .synchronous = true, .maxquiesce_ms = 1500, .maxtotal_ms = 90000};
    struct lgr_view v = {0};
    w->actors[0].lgr->pace_mb_s = 1;
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (!lgr_core_status(w->actors[1].lgr, 0, &v))
        world_step(w);
    CHECK(w, v.maxquiesce_ms == 1500 && v.maxtotal_ms == 90000);
    CHECK(w, v.synchronous && !v.immediate && v.incoming);
    CHECK(w, lgr_modify(w->actors[0].lgr, users[0], LGR_NOLIMIT, 99999000) == ST_OK);
    while (lgr_core_status(w->actors[1].lgr, 0, &v) && v.code == LGR_ACTIVE &&
           v.maxquiesce_ms == 1500)
        world_step(w);
    CHECK(w, v.maxquiesce_ms == 99999000 && v.maxtotal_ms == LGR_NOLIMIT);
    while (w->actors[0].lgr->active)
        world_step(w);
    CHECK(w, w->outcomes[LGR_COMPLETED] == 1 && running(w, 1, 0));
    world_destroy(w);
}
END_TEST

START_TEST(limits_are_told_in_the_unit_they_have)
{
    char text[LGR_LIMIT_TEXT_BYTES];
    ck_assert_str_eq(lgr_limit_text(10000, text), "10 SEC");
    ck_assert_str_eq(lgr_limit_text(1500, text), "1500 MSEC");
    ck_assert_str_eq(lgr_limit_text(LGR_NOLIMIT, text), "NOLIMIT");
    ck_assert_str_eq(lgr_limit_text(LGR_LIMIT_MS_MAX, text), "99999999 SEC");
}
END_TEST

/* The link stands still while the guest is stopped: MAXQUIESCE lets it go on at the source. */
START_TEST(maxquiesce_lets_the_guest_go_on)
{
    struct world *w = two_members(20000, GUEST_BYTES);
    struct actor *a = &w->actors[0];
    const struct lgr_options o = {.maxquiesce_ms = 1000};
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

/* Governed it moves: each pass leaves at most what was allowed, and the last one little. */
START_TEST(governing_moves_a_guest_that_dirties_too_much)
{
    struct world *w = busy_guest();
    const struct lgr_options o = {.maxquiesce_ms = 1000};
    struct lgr_view v;
    unsigned governed = 0;
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    until_ended(w);
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v));
    ck_assert_msg(v.code == LGR_COMPLETED, "%s", v.text);
    CHECK(w, running(w, 1, 0) && v.quiesce_ns < 500000000);
    CHECK(w, !v.passes[0].governed && v.passes[0].dirtied > 250);
    for (unsigned i = 1; i < v.pass_count; i++) {
        const struct lgr_pass *p = &v.passes[i];
        if (p->quiesced)
            continue;
        CHECK(w, p->governed && p->allowed <= 64 + (p->pages + p->zeros) * 3 / 10 + 128);
        CHECK(w, p->dirtied <= p->allowed + 1 && p->waits);
        governed++;
    }
    CHECK(w, governed >= 2 && v.governed.ns && v.governed.waits && v.predicted_ns);
    CHECK(w, !storage_rationed(w->actors[1].guest[0].st));
    world_calm_down(w, 20000);
    world_check_calm(w);
    world_destroy(w);
}
END_TEST

/* When its stores cannot wait it stays, and is not governed any more. */
START_TEST(governing_in_vain_ends_and_is_given_back)
{
    struct world *w = busy_guest();
    const struct lgr_options o = {.maxquiesce_ms = 1000};
    struct lgr_view v;
    w->stubborn = true;
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    until_ended(w);
    CHECK(w, w->outcomes[LGR_MAXQUIESCE] == 1 && running(w, 0, 0));
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v) && !v.quiesce_ns && v.governed.ns);
    CHECK(w, !storage_rationed(w->actors[0].guest[0].st));
    world_destroy(w);
}
END_TEST

/* A virtual disk that is another one since its blocks began to go: the guest stays with that. */
START_TEST(a_virtual_disk_that_changes_stays)
{
    struct world *w = two_members(0, GUEST_BYTES);
    struct fake *g = &w->actors[0].guest[0];
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (w->actors[0].lgr->active->state < RLO_S_PASS)
        world_step(w);
    area_unref(g->disk);
    CHECK(w, area_create(DISK_BLOCKS * LGR_BLOCK_BYTES, &g->disk, NULL) == ST_OK);
    until_ended(w);
    CHECK(w, w->outcomes[LGR_NOT_ELIGIBLE] == 1 && running(w, 0, 0) && !running(w, 1, 0));
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    until_ended(w);
    CHECK(w, w->outcomes[LGR_COMPLETED] == 1);
    world_destroy(w);
}
END_TEST

START_TEST(cancel_ends_governing)
{
    struct world *w = busy_guest();
    const struct lgr_options o = {.maxquiesce_ms = 1000};
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (!storage_rationed(w->actors[0].guest[0].st))
        world_step(w);
    CHECK(w, lgr_cancel(w->actors[0].lgr, users[0], LGR_CANCELLED, "canceled") == ST_OK);
    CHECK(w, !storage_rationed(w->actors[0].guest[0].st) && running(w, 0, 0));
    world_destroy(w);
}
END_TEST

/* A link that stands still does not stop the guest: it is advanced some tokens. */
START_TEST(a_governed_guest_goes_on_when_the_link_stands_still)
{
    struct world *w = busy_guest();
    const struct lgr_options o = {.maxquiesce_ms = 1000};
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (!storage_rationed(w->actors[0].guest[0].st))
        world_step(w);
    w->actors[0].lgr->pace_mb_s = 0;
    ssi_sim_stall(w->sim, 0, 1, true);
    u64 stored = w->actors[0].guest[0].counter;
    for (unsigned i = 0; w->actors[0].lgr->active && i < 3000; i++)
        world_step(w);
    CHECK(w, w->actors[0].guest[0].counter > stored + 200);
    world_destroy(w);
}
END_TEST

/* Eligible until it is stopped, and not after that, as either side finds: it goes on. */
START_TEST(eligibility_is_looked_at_when_it_is_stopped)
{
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    struct lgr_view v;
    for (int side = STOPPED_ENDING; side <= STOPPED_UNKNOWN; side++) {
        struct world *w = two_members(0, GUEST_BYTES);
        w->stopped = side;
        CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
        until_ended(w);
        CHECK(w, w->outcomes[LGR_NOT_ELIGIBLE] == 1 && running(w, 0, 0));
        CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v) && v.stage >= 4);
        world_calm_down(w, 20000);
        world_check_calm(w);
        world_destroy(w);
    }
}
END_TEST

/* A disk of the host fails when the last writes are to be on it: the guest stays. */
START_TEST(a_guest_whose_disk_fails_stays)
{
    struct world *w = two_members(0, GUEST_BYTES);
    const struct lgr_options o = {.maxquiesce_ms = 10000};
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

/* The same of one that is READY: it may not be discarded without the source's word. */
START_TEST(who_is_ready_asks_too)
{
    struct world *w = two_members(0, GUEST_BYTES);
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    struct actor *a = &w->actors[0], *b = &w->actors[1];
    CHECK(w, user_move(a, 0, 1, &o) == ST_OK);
    while (!b->lgr->active || b->lgr->active->state != RLO_D_READY)
        world_step(w);
    a->lgr->active->told_destination = false;
    CHECK(w, lgr_cancel(a->lgr, users[0], LGR_CANCELLED, "canceled") == ST_OK);
    u64 from_ms = ssi_sim_now_ms(w->sim);
    while (b->lgr->active && ssi_sim_now_ms(w->sim) < from_ms + 4 * LGR_READY_POLL_MS)
        world_step(w);
    CHECK(w, !b->lgr->active && running(w, 0, 0));
    world_destroy(w);
}
END_TEST

/* ABORT does not come: the destination asks, and does not keep the skeleton for ever. */
START_TEST(a_skeleton_that_nobody_sends_to_ends)
{
    struct world *w = two_members(0, 2 * GUEST_BYTES);
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    struct actor *a = &w->actors[0], *b = &w->actors[1];
    a->lgr->pace_mb_s = 1;
    CHECK(w, user_move(a, 0, 1, &o) == ST_OK);
    while (!b->lgr->active)
        world_step(w);
    a->lgr->active->told_destination = false; /* as if the link had not taken it */
    CHECK(w, lgr_cancel(a->lgr, users[0], LGR_CANCELLED, "canceled") == ST_OK);
    u64 from_ms = ssi_sim_now_ms(w->sim);
    while (b->lgr->active && ssi_sim_now_ms(w->sim) < from_ms + 3 * LGR_REPLY_MS)
        world_step(w);
    CHECK(w, !b->lgr->active && running(w, 0, 0));
    CHECK(w, ssi_sim_now_ms(w->sim) >= from_ms + LGR_REPLY_MS / 3);
    a->lgr->pace_mb_s = 0;
    CHECK(w, user_move(a, 0, 1, &o) == ST_OK);
    while (a->lgr->active)
        world_step(w);
    CHECK(w, running(w, 1, 0));
    world_destroy(w);
}
END_TEST

/* The destination leaves the cluster when it is READY, which the source hears, or does not. */
static void leaves_when_ready(u64 seed, bool heard)
{
    struct world *w = members_of(seed, 0, GUEST_BYTES);
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    struct actor *a = &w->actors[0], *b = &w->actors[1];
    CHECK(w, user_move(a, 0, 1, &o) == ST_OK);
    while (!b->lgr->active || b->lgr->active->state != RLO_D_READY)
        world_step(w);
    ssi_sim_stall_way(w->sim, 1, 0, !heard);
    actor_leave(b);
    while (ssi_sim_member(w->sim, 1) || a->lgr->active) {
        world_step(w);
        bury_dead(w);
    }
    CHECK(w, running(w, 0, 0) == !heard && w->alive[0] == !heard);
    CHECK(w, (pdr_owner(w, 0) == 0) == !heard);
    CHECK(w, w->outcomes[LGR_COMPLETED] == heard);
    world_calm_down(w, 20000);
    world_check_calm(w);
    world_destroy(w);
}

/* A guest that is handed over still goes with the member that it belongs to, and the source says
 * that it has gone; one that is not stays. Neither runs twice, nor is left behind. */
START_TEST(a_member_may_leave_while_it_is_ready)
{
    for (u64 seed = 1; seed <= 4; seed++) {
        leaves_when_ready(seed, true);
        leaves_when_ready(seed, false);
    }
}
END_TEST

/* --- damage on the way --- */

#define FOUND_MS 2000 /* some round trips of the simulation; far less than LGR_REPLY_MS */
#define FLIP_SEEDS 8

/* One bit, the seed says which, of what `from` sends next when the source is in `state`. */
static void flip_in(u64 seed, enum rlo_state state, unsigned from)
{
    struct world *w = members_of(seed, 0, GUEST_BYTES);
    const struct lgr_options o = {.maxquiesce_ms = 10000};
    struct actor *a = &w->actors[0];
    CHECK(w, user_move(a, 0, 1, &o) == ST_OK);
    while (a->lgr->active && a->lgr->active->state < state)
        world_step(w);
    ssi_sim_flip(w->sim, from, 1 - from);
    u64 flipped_ms = ssi_sim_now_ms(w->sim);
    while (a->lgr->active || w->actors[1].lgr->active) {
        world_step(w);
        CHECK(w, ssi_sim_now_ms(w->sim) < flipped_ms + FOUND_MS);
    }
    CHECK(w, running(w, 0, 0) != running(w, 1, 0));
    world_destroy(w);
}

START_TEST(a_flipped_bit_is_found_at_once)
{
    static const enum rlo_state waits[] = {RLO_S_OFFERED, RLO_S_SKELETON, RLO_S_PASS_END,
                                           RLO_S_RECHECK, RLO_S_VERIFY,   RLO_S_MOVED};
    for (u64 seed = 1; seed <= FLIP_SEEDS; seed++)
        for (unsigned i = 0; i < ARRAY_LEN(waits); i++)
            for (unsigned from = 0; from < 2; from++)
                flip_in(seed, waits[i], from);
}
END_TEST

/* What takes the destination some time before the guest is stopped goes with a pass, and a governed
 * guest, which has no tokens while it waits for that, gets another one before it is stopped. */
START_TEST(the_last_wait_is_a_short_one)
{
    for (u64 seed = 1; seed <= 8; seed++) {
        struct world *w = members_of(seed, 0, 16 * GUEST_BYTES);
        struct actor *a = &w->actors[0];
        const struct lgr_options o = {.maxquiesce_ms = 1000};
        unsigned with = 0, last = 0;
        a->lgr->fixed_ns = 20000000; /* of a quiesce: a pass of 10 ms is a short one */
        w->busy = _i ? 2000 : 0;     /* in a pass all of it, if it may */
        CHECK(w, user_move(a, 0, 1, &o) == ST_OK);
        for (const struct rlobk *r; (r = a->lgr->active) && !r->quiesced; world_step(w)) {
            with = r->asked_again ? r->asked_pass : 0;
            last = r->pass;
        }
        CHECK(w, a->lgr->active && with && last == with + (_i != 0));
        CHECK(w, a->lgr->active->v.passes[with - 1].governed == (_i != 0));
        until_ended(w);
        world_destroy(w);
    }
}
END_TEST

/* --- clocks --- */

/* What is taken out of the guest's clock is the difference of the hosts' clocks, as well as answers
 * tell it: the guest sees the time that has passed. With one clock, or none told, it is nothing. */
START_TEST(clocks_of_hosts_differ)
{
    static const struct {
        s64 ahead_ns;
        bool apart, silent;
    } hosts[] = {{7500000000, true, false},
                 {-7500000000, true, false},
                 {-4000000000000000, true, false}, /* 46 days */
                 {0, true, false},
                 {7500000000, false, false},
                 {7500000000, true, true}};
    for (u64 seed = 1; seed <= 20; seed++) {
        struct world *w = world_create(seed, 2);
        const struct lgr_options o = {.maxquiesce_ms = 10000};
        w->apart = hosts[_i].apart;
        w->silent_clocks = hosts[_i].silent;
        w->actors[1].ahead_ns = hosts[_i].ahead_ns;
        members_join(w);
        w->saved_ahead_ns = -1;
        CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
        u64 round_ns = 0;
        while (w->actors[0].lgr->active) {
            round_ns = w->actors[0].lgr->active->clock.round_ns;
            world_step(w);
        }
        CHECK(w, running(w, 1, 0));
        bool known = w->apart && !w->silent_clocks;
        s64 error = w->saved_ahead_ns - (known ? hosts[_i].ahead_ns : 0);
        CHECK(w, (round_ns != 0) == known && round_ns <= 1000000000);
        CHECK(w, 2 * (u64)(error < 0 ? -error : error) <= round_ns);
        world_destroy(w);
    }
}
END_TEST

/* The quickest answer counts, and one that nobody asked for does not. */
START_TEST(the_quickest_clock_counts)
{
    struct world *w = world_create(5, 2);
    w->apart = true;
    members_join(w);
    struct lgr *lgr = w->actors[0].lgr;
    struct rlobk r = {.lgr = lgr, .v.to = "M1"};
    u64 now = lgr_wall(lgr);
    struct lgr_values v = {.clock_in = now + 105, .clock_out = now + 106};
    lgr_clock_told(&r, &v);
    ck_assert(!r.clock.known);
    r.clock.asked_ns = now - 40; /* a round trip of 39, there 20 and back 19 */
    v.clock_in = now - 20 + 1000;
    v.clock_out = v.clock_in + 1;
    lgr_clock_told(&r, &v);
    ck_assert(r.clock.known && r.clock.round_ns == 39 && r.clock.ahead_ns == 1000);
    r.clock.asked_ns = now - 5000;
    v.clock_in = v.clock_out = now - 100;
    lgr_clock_told(&r, &v);
    ck_assert(r.clock.round_ns == 39 && r.clock.ahead_ns == 1000 && !r.clock.asked_ns);
    r.clock.asked_ns = now - 10;
    v.clock_in = v.clock_out = now - 5 - 1000;
    lgr_clock_told(&r, &v);
    ck_assert(r.clock.round_ns == 10 && r.clock.ahead_ns == -1000);
    world_destroy(w);
}
END_TEST

/* --- versions --- */

static bool told_version;

static void version_receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct lgr_values v;
    (void)ctx;
    (void)from;
    told_version = type == LGR_MSG_FAILED && ((const u8 *)data)[8] == 1 &&
                   lgr_values_get(data, len, type, &v, NULL) &&
                   strstr(v.text, "it speaks version 2 of relocations, M0 version 1");
}

/* A source of version 1 is told so in words that it can read, and knows its relocation by. */
START_TEST(an_older_source_is_refused_in_words)
{
    struct world *w = two_members(0, GUEST_BYTES);
    struct ssi *from = ssi_sim_member(w->sim, 0);
    struct ssi_service listens = *from->services[0].svc;
    u8 old[LGR_HEAD_BYTES + 8] = {0};
    listens.receive = version_receive;
    from->services[0].svc = &listens;
    old[8] = 1;
    ck_assert(ssi_send(from, "M1", LGR_SSI_SERVICE, LGR_MSG_OFFER, old, sizeof old) == ST_OK);
    for (unsigned i = 0; i < 2000 && !told_version; i++)
        world_step(w);
    ck_assert(told_version);
    world_destroy(w);
}
END_TEST

/* A destination of version 1 would not answer at all: it has told so by telling nothing, and the
 * relocation ends at once. What it has told counts, also when its link heals. */
START_TEST(an_older_destination_is_not_waited_for)
{
    struct world *w = two_members(0, GUEST_BYTES);
    struct actor *a = &w->actors[0];
    const struct lgr_options o = {.maxquiesce_ms = 1000};
    struct lgr_view v;
    w->actors[1].lgr->version = 0;
    ssi_sim_cut(w->sim, 0, 1);
    while (ssi_streams(ssi_sim_member(w->sim, 0), "M1"))
        world_step(w);
    while (!ssi_streams(ssi_sim_member(w->sim, 0), "M1"))
        world_step(w);
    u64 from_ms = ssi_sim_now_ms(w->sim);
    CHECK(w, user_move(a, 0, 1, &o) == ST_OK);
    until_ended(w);
    CHECK(w, ssi_sim_now_ms(w->sim) == from_ms && lgr_core_status(a->lgr, 0, &v));
    ck_assert_str_eq(v.text, "M1 speaks version 1 of relocations, M0 version 2");
    CHECK(w, v.code == LGR_INTERNAL && running(w, 0, 0));
    world_destroy(w);
}
END_TEST

/* A member that sends garbage, before and during a relocation: it may fail, nothing else. */
START_TEST(garbage_from_a_member_does_no_harm)
{
    struct world *w = two_members(0, GUEST_BYTES);
    struct actor *a = &w->actors[0];
    const struct lgr_options o = {.maxquiesce_ms = 10000};
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
    world_calm_down(w, 80000); /* an answer may be waited for */
    world_check_calm(w);
    world_destroy(w);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_core");
    TCase *tc = tcase_create("core");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, messages_come_out_as_they_went_in);
    tcase_add_test(tc, spoilt_messages_do_no_harm);
    tcase_add_test(tc, frame_hashes_tell_frames_and_bytes_apart);
    tcase_add_test(tc, both_sides_know_the_limits);
    tcase_add_test(tc, limits_are_told_in_the_unit_they_have);
    tcase_add_test(tc, maxquiesce_lets_the_guest_go_on);
    tcase_add_test(tc, eligibility_is_looked_at_when_it_is_stopped);
    tcase_add_test(tc, governing_moves_a_guest_that_dirties_too_much);
    tcase_add_test(tc, governing_in_vain_ends_and_is_given_back);
    tcase_add_test(tc, a_virtual_disk_that_changes_stays);
    tcase_add_test(tc, cancel_ends_governing);
    tcase_add_test(tc, a_governed_guest_goes_on_when_the_link_stands_still);
    tcase_add_test(tc, a_guest_whose_disk_fails_stays);
    tcase_add_test(tc, a_skeleton_that_nobody_sends_to_ends);
    tcase_add_test(tc, who_is_ready_asks_too);
    tcase_add_test(tc, a_member_may_leave_while_it_is_ready);
    tcase_add_test(tc, a_flipped_bit_is_found_at_once);
    tcase_add_loop_test(tc, the_last_wait_is_a_short_one, 0, 2);
    tcase_add_loop_test(tc, clocks_of_hosts_differ, 0, 6);
    tcase_add_test(tc, the_quickest_clock_counts);
    tcase_add_test(tc, an_older_source_is_refused_in_words);
    tcase_add_test(tc, an_older_destination_is_not_waited_for);
    tcase_add_test(tc, garbage_from_a_member_does_no_harm);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
