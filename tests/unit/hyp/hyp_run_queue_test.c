/* Shares of the run queue, simulated: processors and users in virtual time, no threads.
 * [Q1] to [Q4] of hyp/dispatch/run_queue.c; and the text of shares.
 * Run alone: tests/run unit/hyp_run_queue_test */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/dispatch/run_queue.h"

#define MS 1000000ull
#define TEN_S (10000 * MS)
#define USERS_MAX 8
#define CPUS_MAX 4
#define PROCESSORS_MAX 8
#define TOLERANCE 0.03

#define U(share_, cpus_, ...)                                                                  \
    {                                                                                          \
        .share = share_, .cpus = cpus_, __VA_ARGS__                                            \
    }

/* A user of the simulation: its CPUs run for `work_ns` of processor time, then sleep. */
struct user {
    const char *share;
    unsigned cpus;
    u64 work_ns, sleep_ns; /* work_ns 0: they never sleep */
    u64 from_ns;           /* not before */
    struct rq_user rq;
    u64 had_ns;
};

struct sim_cpu {
    struct rq_cpu rq;
    struct user *user;
    u64 left_ns;  /* until it sleeps */
    u64 wakes_ns; /* asleep: then */
    bool asleep;
};

struct sim {
    struct run_queue q;
    struct user *users;
    struct sim_cpu cpu[USERS_MAX * CPUS_MAX];
    unsigned cpus, processors;
    struct sim_cpu *on[PROCESSORS_MAX];
    u64 began[PROCESSORS_MAX], until[PROCESSORS_MAX], busy_ns;
    u64 now;
    u32 random;
};

static struct share share_of(const char *text)
{
    char copy[64];
    const char *words[SHARE_WORDS_MAX];
    unsigned n = 0, bad;
    struct share share;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
        words[n++] = w;
    ck_assert_ptr_null(share_parse(words, n, &share, &bad));
    return share;
}

/* Slices differ: 0.5 to 1.5 ms. */
static u64 slice_ns(struct sim *s)
{
    s->random = s->random * 1664525u + 1013904223u;
    return MS / 2 + (s->random >> 8) % MS;
}

static void give_back(struct sim *s, unsigned p)
{
    struct sim_cpu *c = s->on[p];
    u64 used = s->now - s->began[p];
    s->on[p] = NULL;
    s->busy_ns += used;
    c->user->had_ns += used;
    rq_ran(&c->rq, used, s->now);
    if (c->user->work_ns && used >= c->left_ns) {
        c->asleep = true;
        c->wakes_ns = s->now + c->user->sleep_ns;
        c->left_ns = c->user->work_ns;
        return;
    }
    c->left_ns -= c->user->work_ns ? used : 0;
    rq_put(&c->user->rq, &c->rq);
}

static void take(struct sim *s, unsigned p)
{
    struct rq_cpu *c = rq_pick(&s->q, s->now);
    if (!c)
        return;
    s->on[p] = (struct sim_cpu *)((u8 *)c - offsetof(struct sim_cpu, rq));
    u64 slice = slice_ns(s), left = s->on[p]->left_ns;
    s->began[p] = s->now;
    s->until[p] = s->now + (s->on[p]->user->work_ns && left < slice ? left : slice);
}

static u64 next_event(struct sim *s)
{
    u64 at = rq_due(&s->q, s->now);
    for (unsigned p = 0; p < s->processors; p++)
        if (s->on[p] && s->until[p] < at)
            at = s->until[p];
    for (unsigned i = 0; i < s->cpus; i++)
        if (s->cpu[i].asleep && s->cpu[i].wakes_ns < at)
            at = s->cpu[i].wakes_ns;
    return at;
}

static void step(struct sim *s)
{
    s->now = next_event(s);
    for (unsigned p = 0; p < s->processors; p++)
        if (s->on[p] && s->until[p] <= s->now)
            give_back(s, p);
    for (unsigned i = 0; i < s->cpus; i++)
        if (s->cpu[i].asleep && s->cpu[i].wakes_ns <= s->now) {
            s->cpu[i].asleep = false;
            rq_put(&s->cpu[i].user->rq, &s->cpu[i].rq);
        }
    for (unsigned p = 0; p < s->processors; p++)
        if (!s->on[p])
            take(s, p);
}

static void sim_init(struct sim *s, unsigned processors, struct user *users, unsigned count)
{
    *s = (struct sim){.users = users, .processors = processors, .random = 1};
    rq_processors(&s->q, processors);
    for (unsigned i = 0; i < count; i++) {
        struct share share = share_of(users[i].share);
        rq_user_init(&users[i].rq, &s->q, &share);
        for (unsigned c = 0; c < users[i].cpus; c++)
            s->cpu[s->cpus++] = (struct sim_cpu){.user = &users[i],
                                                 .left_ns = users[i].work_ns,
                                                 .wakes_ns = users[i].from_ns,
                                                 .asleep = true};
    }
}

static void run_until(struct sim *s, u64 end)
{
    while (s->now < end)
        step(s);
}

/* What the user has had of `processors` in `ns`, against what it is to have. */
static void had(const struct user *u, u64 ns, unsigned processors, double portion)
{
    double got = (double)u->had_ns / ((double)ns * processors);
    ck_assert_msg(fabs(got - portion) <= TOLERANCE * portion, "%s: %.4f, wanted %.4f", u->share,
                  got, portion);
}

static void contest(unsigned processors, struct user *users, unsigned count,
                    const double *portions)
{
    struct sim s;
    sim_init(&s, processors, users, count);
    run_until(&s, TEN_S);
    for (unsigned i = 0; i < count; i++)
        had(&users[i], s.now, processors, portions[i]);
}

START_TEST(four_users_on_two_processors)
{
    contest(2,
            (struct user[]){U("RELATIVE 100", 1), U("RELATIVE 200", 1), U("RELATIVE 300", 1),
                            U("RELATIVE 400", 1)},
            4, (double[]){.1, .2, .3, .4});
    contest(2,
            (struct user[]){U("RELATIVE 100", 4), U("RELATIVE 100", 1), U("RELATIVE 100", 2),
                            U("RELATIVE 700", 4)},
            4, (double[]){.1, .1, .1, .7});
}
END_TEST

START_TEST(absolute_shares_come_first)
{
    contest(2,
            (struct user[]){U("ABSOLUTE 40%", 2), U("RELATIVE 100", 2), U("RELATIVE 200", 2),
                            U("RELATIVE 300", 2)},
            4, (double[]){.4, .1, .2, .3});
    contest(1,
            (struct user[]){U("ABSOLUTE 100%", 1), U("ABSOLUTE 65%", 1), U("RELATIVE 100", 1)},
            3, (double[]){.6, .39, .01});
    contest(1, (struct user[]){U("ABSOLUTE 1%", 1), U("ABSOLUTE 3%", 1)}, 2,
            (double[]){.25, .75});
}
END_TEST

/* [Q2] A user with one CPU uses one processor at most: the others have the rest. */
START_TEST(what_cannot_be_used_goes_to_the_others)
{
    contest(2,
            (struct user[]){U("RELATIVE 10000", 1), U("RELATIVE 100", 1), U("RELATIVE 300", 1)},
            3, (double[]){.5, .125, .375});
}
END_TEST

/* [Q3] Who has slept for five seconds gets its share from then on, not more. */
START_TEST(sleeping_saves_up_nothing)
{
    struct user users[] = {U("RELATIVE 100", 1), U("RELATIVE 100", 1, .from_ns = TEN_S / 2),
                           U("RELATIVE 200", 2, .from_ns = TEN_S / 2)};
    struct sim s;
    sim_init(&s, 1, users, 3);
    run_until(&s, TEN_S / 2);
    had(&users[0], s.now, 1, 1);
    users[0].had_ns = 0;
    run_until(&s, TEN_S);
    for (unsigned i = 0; i < 3; i++)
        had(&users[i], TEN_S / 2, 1, i == 2 ? .5 : .25);
}
END_TEST

/* The same for one that is held, as a relocation does. */
START_TEST(being_held_saves_up_nothing)
{
    struct user users[] = {U("RELATIVE 100", 2), U("RELATIVE 100", 2)};
    struct sim s;
    sim_init(&s, 1, users, 2);
    rq_hold(&users[1].rq, true);
    run_until(&s, TEN_S / 2);
    ck_assert_uint_eq(users[1].had_ns, 0);
    rq_hold(&users[1].rq, false);
    users[0].had_ns = 0;
    run_until(&s, TEN_S);
    had(&users[0], TEN_S / 2, 1, .5);
    had(&users[1], TEN_S / 2, 1, .5);
}
END_TEST

/* Who wants less than it is due gets what it wants; who wakes does not wait long. */
START_TEST(a_user_that_sleeps_often_gets_what_it_wants)
{
    struct user users[] = {U("RELATIVE 100", 2), U("RELATIVE 100", 2),
                           U("RELATIVE 100", 1, .work_ns = MS / 5, .sleep_ns = 4 * MS)};
    struct sim s;
    sim_init(&s, 1, users, 3);
    run_until(&s, TEN_S);
    double wanted = .2 / (.2 + 4 + .5); /* half a slice of waiting */
    double got = (double)users[2].had_ns / (double)s.now;
    ck_assert_msg(got > wanted * .9, "%.4f, wanted %.4f", got, wanted);
    ck_assert(fabs((double)users[0].had_ns / (double)users[1].had_ns - 1) < TOLERANCE);
}
END_TEST

/* [Q4] Nobody else is there, and a hard limit holds; a soft one does not. */
START_TEST(limits_of_one_alone)
{
    contest(2, (struct user[]){U("RELATIVE 100 ABSOLUTE 20% LIMITHARD", 2)}, 1, (double[]){.2});
    contest(2, (struct user[]){U("RELATIVE 100 ABSOLUTE 20% LIMITSOFT", 2)}, 1, (double[]){1});
    contest(
        1,
        (struct user[]){U("ABSOLUTE 5% 7.5% LIMITHARD", 1, .work_ns = 3 * MS, .sleep_ns = MS)},
        1, (double[]){.075});
}
END_TEST

/* [Q4] In a contest both hold, and what they leave is divided by shares. */
START_TEST(limits_in_a_contest)
{
    static const char *const limited[] = {"RELATIVE 300 ABSOLUTE 10% LIMITHARD",
                                          "RELATIVE 300 ABSOLUTE 10% LIMITSOFT"};
    for (int i = 0; i < 2; i++)
        contest(2,
                (struct user[]){U(limited[i], 2), U("RELATIVE 100", 2), U("RELATIVE 200", 2)},
                3, (double[]){.1, .3, .6});
    /* as a share of 100 among 100 and 200: a quarter */
    contest(1,
            (struct user[]){U("RELATIVE 300 100 LIMITHARD", 1), U("RELATIVE 100", 1),
                            U("RELATIVE 200", 1)},
            3, (double[]){.25, .25, .5});
    /* the soft one has what nobody else can use */
    contest(2,
            (struct user[]){U("RELATIVE 100 ABSOLUTE 10% LIMITSOFT", 2), U("RELATIVE 100", 1)},
            2, (double[]){.5, .5});
}
END_TEST

START_TEST(another_share_holds_from_then_on)
{
    struct user users[] = {U("RELATIVE 100", 1), U("RELATIVE 300", 1)};
    struct sim s;
    sim_init(&s, 1, users, 2);
    run_until(&s, TEN_S / 2);
    had(&users[0], s.now, 1, .25);
    struct share share = share_of("ABSOLUTE 90%");
    rq_set_share(&users[0].rq, &share);
    users[0].had_ns = users[1].had_ns = 0;
    run_until(&s, TEN_S);
    had(&users[0], TEN_S / 2, 1, .9);
    rq_processors(&s.q, 2); /* and another number of processors: one for each */
    s.processors = 2;
    users[0].had_ns = users[1].had_ns = 0;
    run_until(&s, 2 * TEN_S);
    had(&users[0], TEN_S, 2, .5);
    had(&users[1], TEN_S, 2, .5);
}
END_TEST

/* Of one user's CPUs each gets the same; whom rq_prefer names is next. */
START_TEST(cpus_of_one_user)
{
    struct run_queue q = {0};
    struct rq_user u;
    struct rq_cpu c[3] = {0};
    rq_processors(&q, 1);
    rq_user_init(&u, &q, &SHARE_DEFAULT);
    for (int i = 0; i < 3; i++)
        rq_put(&u, &c[i]);
    for (int i = 0; i < 6; i++) {
        struct rq_cpu *got = rq_pick(&q, 0);
        ck_assert_ptr_eq(got, &c[i % 3]);
        rq_ran(got, MS, 0);
        rq_put(&u, got);
    }
    rq_prefer(&c[2]);
    ck_assert_ptr_eq(rq_pick(&q, 0), &c[2]);
    rq_remove(&c[0]);
    ck_assert_ptr_eq(rq_pick(&q, 0), &c[1]);
    ck_assert_ptr_null(rq_pick(&q, 0));
    ck_assert(!rq_ready(&q, 0));
}
END_TEST

START_TEST(shares_as_text)
{
    static const struct {
        const char *text, *least, *most;
        enum share_limit limit;
    } good[] = {{"REL 250", "RELATIVE 250", NULL, SHARE_NOLIMIT},
                {"ABSOLUTE 12.5%", "ABSOLUTE 12.5%", NULL, SHARE_NOLIMIT},
                {"ABS 40 NOLIM", "ABSOLUTE 40%", NULL, SHARE_NOLIMIT},
                {"RELATIVE 100 200", "RELATIVE 100", "RELATIVE 200", SHARE_LIMITSOFT},
                {"REL 100 ABS 5% LIMITH", "RELATIVE 100", "ABSOLUTE 5%", SHARE_LIMITHARD},
                {"ABS 100% 100% LIMITSOFT", "ABSOLUTE 100%", "ABSOLUTE 100%", SHARE_LIMITSOFT}};
    static const struct {
        const char *text;
        unsigned bad;
    } wrong[] = {{"", 0},          {"100", 0},        {"REL", 1},        {"REL 0", 1},
                 {"REL 10001", 1}, {"ABS 0%", 1},     {"ABS 100.1%", 1}, {"ABS 1.25%", 1},
                 {"REL 5%", 1},    {"REL 1 X", 2},    {"REL 1 ABS", 3},  {"REL 1 2 NOW", 3},
                 {"ABS 1 2 3", 3}, {"REL 1 NOL 2", 3}};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        char text[SHARE_TEXT_BYTES];
        struct share share = share_of(good[i].text);
        ck_assert_str_eq(share_value_text(&share.least, text), good[i].least);
        ck_assert_int_eq(share.limit, good[i].limit);
        if (good[i].most)
            ck_assert_str_eq(share_value_text(&share.most, text), good[i].most);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char copy[32];
        const char *words[SHARE_WORDS_MAX];
        unsigned n = 0, bad;
        struct share share = SHARE_DEFAULT;
        strcpy(copy, wrong[i].text);
        for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
            words[n++] = w;
        ck_assert_ptr_nonnull(share_parse(words, n, &share, &bad));
        ck_assert_msg(bad == wrong[i].bad, "%s: word %u", wrong[i].text, bad);
        ck_assert_uint_eq(share.least.n, SHARE_RELATIVE_DEFAULT); /* as it was */
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_run_queue");
    TCase *tc = tcase_create("shares");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, four_users_on_two_processors);
    tcase_add_test(tc, absolute_shares_come_first);
    tcase_add_test(tc, what_cannot_be_used_goes_to_the_others);
    tcase_add_test(tc, sleeping_saves_up_nothing);
    tcase_add_test(tc, being_held_saves_up_nothing);
    tcase_add_test(tc, a_user_that_sleeps_often_gets_what_it_wants);
    tcase_add_test(tc, limits_of_one_alone);
    tcase_add_test(tc, limits_in_a_contest);
    tcase_add_test(tc, another_share_holds_from_then_on);
    tcase_add_test(tc, cpus_of_one_user);
    tcase_add_test(tc, shares_as_text);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
