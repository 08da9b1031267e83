/* The stream of events: numbers, readers at their own pace, what a slow one is told, the end; the
 * *VMEVENT records of z/VM. And that CP tells of users.
 * Run alone: tests/run unit/hyp_event_test */
#include <check.h>
#include <string.h>

#include "hyp/event.h"
#include "tests/lib/cp_world.h"

static u64 wall;

static u64 wall_ns(void *ctx)
{
    (void)ctx;
    return wall;
}

static void count(void *ctx)
{
    ++*(unsigned *)ctx;
}

static void post(struct events *e, u8 code)
{
    const struct event what = {
        .id = EVENT_OUT_ENDED, .user = "LINUX1", .system = "MEMBERB", .code = code};
    wall += 1000;
    events_post(e, &what);
}

START_TEST(readers_stand_where_they_are)
{
    struct events *e = events_create(wall_ns, NULL);
    struct event event;
    u64 missed = 1;
    unsigned news = 0, late_news = 0;
    struct event_reader *r = events_subscribe(e, 0, count, &news);
    ck_assert(!events_read(r, &event, &missed) && !missed);
    post(e, 1);
    post(e, 2);
    ck_assert_uint_eq(news, 2);
    ck_assert(events_read(r, &event, &missed));
    ck_assert(event.number == 1 && event.code == 1 && event.wall_ns == 1000 && !missed);
    struct event_reader *late = events_subscribe(e, 0, count, &late_news);
    struct event_reader *again = events_subscribe(e, 1, count, &late_news);
    ck_assert(!events_read(late, &event, &missed));
    ck_assert(events_read(again, &event, &missed) && event.number == 1);
    ck_assert(events_read(r, &event, &missed) && event.number == 2);
    post(e, 3);
    ck_assert(events_read(late, &event, &missed) && event.number == 3);
    events_unsubscribe(again);
    post(e, 4);
    ck_assert_uint_eq(late_news, 3);
    events_destroy(e);
    ck_assert(!events_read(r, &event, &missed));
    events_unsubscribe(r);
    events_unsubscribe(late);
}
END_TEST

/* However slow it is, nothing is kept for it but its place; it learns how many it has missed. */
START_TEST(slow_readers_are_told)
{
    struct events *e = events_create(wall_ns, NULL);
    struct event event;
    u64 missed;
    unsigned news = 0;
    struct event_reader *r = events_subscribe(e, 0, count, &news);
    for (unsigned i = 0; i < EVENTS_KEPT + 10; i++)
        post(e, (u8)i);
    ck_assert(events_read(r, &event, &missed));
    ck_assert(missed == 10 && event.number == 11);
    for (unsigned i = 1; i < EVENTS_KEPT; i++)
        ck_assert(events_read(r, &event, &missed) && !missed && event.number == 11 + i);
    ck_assert(!events_read(r, &event, &missed));
    struct event_reader *first = events_subscribe(e, 1, count, &news);
    ck_assert(events_read(first, &event, &missed) && missed == 10 && event.number == 11);
    events_unsubscribe(r);
    events_unsubscribe(first);
    events_destroy(e);
}
END_TEST

/* Lengths, class and type as tools take them apart; texts in EBCDIC, padded with blanks. */
START_TEST(records)
{
    static const u8 linux1[8] = {0xd3, 0xc9, 0xd5, 0xe4, 0xe7, 0xf1, 0x40, 0x40};
    static const u8 memberb[8] = {0xd4, 0xc5, 0xd4, 0xc2, 0xc5, 0xd9, 0xc2, 0x40};
    struct event event = {.user = "LINUX1",
                          .system = "MEMBERB",
                          .cluster = "LINUX1",
                          .code = 4,
                          .before = 2,
                          .now = 0x80};
    static const struct {
        enum event_id id;
        u16 type;
        size_t len;
    } rows[] = {
        {EVENT_LOGON, 0, 8},        {EVENT_LOGOFF, 1, 8},     {EVENT_OUT_STARTED, 9, 16},
        {EVENT_IN_STARTED, 10, 16}, {EVENT_OUT_DONE, 11, 16}, {EVENT_IN_DONE, 12, 16},
        {EVENT_OUT_ENDED, 13, 9},   {EVENT_IN_ENDED, 14, 9},  {EVENT_MODE, 7, 10},
        {EVENT_STATE, 8, 18},
    };
    ck_assert_uint_eq(ARRAY_LEN(rows), EVENT_IDS);
    for (unsigned i = 0; i < EVENT_IDS; i++) {
        u8 out[EVENT_RECORD_BYTES_MAX];
        event.id = rows[i].id;
        ck_assert_uint_eq(event_record(&event, 2, out), 4 + rows[i].len);
        ck_assert(be16_load(out) == 2 && be16_load(out + 2) == rows[i].type);
        ck_assert(event_type(rows[i].id) == rows[i].type);
        ck_assert_mem_eq(out + 4, linux1, 8);
        if (rows[i].len >= 16)
            ck_assert_mem_eq(out + 12, memberb, 8);
        if (rows[i].len == 9)
            ck_assert_uint_eq(out[12], 4);
        if (rows[i].len == 10 || rows[i].len == 18)
            ck_assert(out[2 + rows[i].len] == 2 && out[3 + rows[i].len] == 0x80);
    }
    ck_assert(event_in_class(EVENT_IN_STARTED, 1) && !event_in_class(EVENT_IN_DONE, 1));
    ck_assert(event_in_class(EVENT_MODE, 2) && event_in_class(EVENT_STATE, 3));
    ck_assert(!event_in_class(EVENT_STATE, 0) && !event_in_class(EVENT_LOGON, 16));
}
END_TEST

START_TEST(users_log_on_and_off)
{
    struct event event;
    u64 missed;
    unsigned news = 0;
    cp_world_setup();
    struct event_reader *r = events_subscribe(cp_events(cps[1]), 0, count, &news);
    on(1, "", "LOGON LINUX1 SECRET");
    on(1, "LINUX1", "LOGOFF");
    ck_assert(events_read(r, &event, &missed) && event.id == EVENT_LOGON);
    ck_assert_str_eq(event.user, "LINUX1");
    ck_assert(events_read(r, &event, &missed) && event.id == EVENT_LOGOFF);
    ck_assert(!events_read(r, &event, &missed) && news == 2);
    events_unsubscribe(r);
    cp_world_teardown();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_event");
    TCase *tc = tcase_create("event");
    tcase_add_test(tc, readers_stand_where_they_are);
    tcase_add_test(tc, slow_readers_are_told);
    tcase_add_test(tc, records);
    tcase_add_test(tc, users_log_on_and_off);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
