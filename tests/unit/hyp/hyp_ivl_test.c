/* Networks over members: three members in one process, each with a switch of the same name. Who
 * gets which frame, addresses that move, whose uplink is in use, links that are lost, queues
 * that are full, messages that are none. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "hyp/net/ivl.h"

#define MEMBERS 3u
#define SMALL_BYTES 60u
#define MESSAGES_MAX 8192u

struct station {
    struct lan_port *port;
    unsigned got;
    u8 last;
    bool tagged;
};

struct member {
    struct ivls *ivls;
    struct lan *lan;
    struct ivl *ivl;
    struct station guest, up; /* an adapter, and what the uplink would be */
    _Atomic bool news;
    bool no_room;
};

struct message {
    unsigned from, to;
    enum ivl_message type;
    size_t len;
    u8 *data;
};

static struct member member[MEMBERS];
static bool linked[MEMBERS][MEMBERS];
static struct message message[MESSAGES_MAX];
static unsigned messages, frames_messages;

static const u8 mac[MEMBERS][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 3}},
                all_macs[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                outside[6] = {0x52, 0x55, 10, 0, 2, 2};

static unsigned number(const void *ctx)
{
    return (unsigned)((const struct member *)ctx - member);
}

static bool port_send(void *ctx, unsigned slot, enum ivl_message type, const void *data,
                      size_t len)
{
    unsigned from = number(ctx);
    if (slot >= MEMBERS || !linked[from][slot])
        return false;
    ck_assert_uint_lt(messages, MESSAGES_MAX);
    struct message *m = &message[messages++];
    *m = (struct message){from, slot, type, len, malloc(len)};
    memcpy(m->data, data, len);
    frames_messages += type == IVL_FRAMES;
    return true;
}

static bool port_room(void *ctx, unsigned slot)
{
    (void)slot;
    return !((struct member *)ctx)->no_room;
}

static void wakeup(void *ctx)
{
    ((struct member *)ctx)->news = true;
}

static bool deliver(void *arg, const u8 *frame, size_t len)
{
    struct station *s = arg;
    s->tagged = be16_load(frame + 12) == ETHER_TYPE_VLAN;
    s->last = len > 20 ? frame[20] : 0;
    s->got++;
    return true;
}

static const struct lan_port_ops ops = {.deliver = deliver};

/* Until nothing is to be done any more. */
static void settle(void)
{
    for (bool again = true; again;) {
        again = false;
        for (unsigned i = 0; i < MEMBERS; i++)
            if (atomic_exchange(&member[i].news, false)) {
                ivls_poll(member[i].ivls);
                again = true;
            }
        for (unsigned i = 0; i < messages; i++) { /* handling may add more */
            struct message m = message[i];
            if (linked[m.from][m.to])
                ivls_receive(member[m.to].ivls, m.from, (u16)m.type, m.data, m.len);
            free(m.data);
            again = true;
        }
        messages = 0;
    }
}

static void link_set(unsigned a, unsigned b, bool there)
{
    linked[a][b] = linked[b][a] = there;
    ivls_member(member[a].ivls, b, there);
    ivls_member(member[b].ivls, a, there);
    settle();
}

static void station_add(struct member *m, struct station *s, enum lan_role role)
{
    *s = (struct station){0};
    s->port = lan_port_add(m->lan, role, &ops, s);
}

static void member_make(unsigned i)
{
    struct member *m = &member[i];
    *m = (struct member){0};
    const struct ivl_ports ports = {m, port_send, port_room, wakeup, m};
    m->ivls = ivls_create(i, &ports);
    m->lan = lan_create();
    station_add(m, &m->guest, LAN_STATION);
    station_add(m, &m->up, LAN_UPLINK);
    ck_assert_int_eq(lan_mac_add(m->guest.port, mac[i]), ST_OK);
}

static void uplink(unsigned i, bool up)
{
    ivl_uplink(member[i].ivl, up);
}

static void setup(void)
{
    messages = frames_messages = 0;
    memset(linked, 0, sizeof linked);
    for (unsigned i = 0; i < MEMBERS; i++)
        member_make(i);
    for (unsigned i = 0; i < MEMBERS; i++)
        for (unsigned k = 0; k < i; k++)
            link_set(i, k, true);
    for (unsigned i = 0; i < MEMBERS; i++) {
        member[i].ivl = ivl_add(member[i].ivls, "VSW1", 0, member[i].lan);
        uplink(i, true);
    }
    settle();
}

static void teardown(void)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct member *m = &member[i];
        ivl_remove(m->ivl);
        lan_port_remove(m->guest.port);
        lan_port_remove(m->up.port);
        lan_destroy(m->lan);
        settle();
    }
    for (unsigned i = 0; i < MEMBERS; i++)
        ivls_destroy(member[i].ivls);
}

static void send_from(struct station *s, const u8 *from, const u8 *to, u8 mark)
{
    u8 frame[SMALL_BYTES] = {0};
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    frame[20] = mark;
    lan_send(s->port, frame, sizeof frame);
    settle();
}

static void guest_sends(unsigned i, const u8 *to)
{
    send_from(&member[i].guest, mac[i], to, 7);
}

/* What guests and uplinks have got since the last time: three digits each. */
static void got(const char *guests, const char *uplinks)
{
    char g[MEMBERS + 1] = "", u[MEMBERS + 1] = "";
    for (unsigned i = 0; i < MEMBERS; i++) {
        g[i] = (char)('0' + member[i].guest.got);
        u[i] = (char)('0' + member[i].up.got);
        member[i].guest.got = member[i].up.got = 0;
    }
    ck_assert_str_eq(g, guests);
    ck_assert_str_eq(u, uplinks);
}

static unsigned in_use(unsigned i)
{
    struct ivl_info info;
    ivl_info(member[i].ivl, &info);
    ck_assert(info.own == (info.in_use == i));
    return info.in_use;
}

START_TEST(a_frame_goes_to_the_member_that_has_its_receiver)
{
    frames_messages = 0;
    guest_sends(0, mac[2]);
    got("001", "000");
    ck_assert_uint_eq(frames_messages, 1);
    guest_sends(2, mac[0]);
    got("100", "000");
    guest_sends(1, mac[1]);
    got("000", "000");
}
END_TEST

START_TEST(a_group_is_all_once)
{
    frames_messages = 0;
    guest_sends(1, all_macs);
    got("101", "100"); /* one uplink of all, and nobody twice */
    ck_assert_uint_eq(frames_messages, 2);
}
END_TEST

START_TEST(what_nobody_has_goes_to_the_uplink_in_use)
{
    frames_messages = 0;
    guest_sends(2, outside);
    got("000", "100");
    ck_assert_uint_eq(frames_messages, 1);
    guest_sends(0, outside); /* its own: nothing leaves */
    got("000", "100");
    ck_assert_uint_eq(frames_messages, 1);
    send_from(&member[0].up, outside, mac[2], 1);
    got("001", "000");
    send_from(&member[1].up, outside, mac[2], 1); /* one that is not in use says nothing */
    got("000", "000");
}
END_TEST

/* A station behind a bridge port moves behind that of another member, and back; each time only what
 * it sends tells so. */
START_TEST(a_station_behind_bridge_ports_moves)
{
    static const u8 far[6] = {2, 0, 0, 0, 7, 7};
    struct lan *lan[2] = {lan_create(), lan_create()};
    struct lan_join *join[2];
    struct station s[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        join[i] = lan_join(member[i].lan, lan[i]);
        s[i].port = lan_port_add(lan[i], LAN_STATION, &ops, &s[i]);
    }
    settle();
    for (unsigned round = 0; round < 4; round++) {
        unsigned at = round & 1;
        lan_mac_clear(s[!at].port);
        ck_assert_int_eq(lan_mac_take(s[at].port, far), ST_OK);
        send_from(&s[at], far, all_macs, 1);
        got("111", "100");
        for (unsigned i = 0; i < MEMBERS; i++) {
            s[at].got = 0;
            s[!at].got = 0;
            guest_sends(i, far);
            ck_assert_msg(s[at].got == 1, "round %u, from %u: %u", round, i, s[at].got);
            ck_assert_uint_eq(s[!at].got, 0);
        }
        got("000", "000");
    }
    for (unsigned i = 0; i < 2; i++) {
        lan_part(join[i]);
        lan_port_remove(s[i].port);
        lan_destroy(lan[i]);
    }
    settle();
}
END_TEST

/* VEPA: guests' frames go to the uplink in use, and come back from there, to all but the sender. */
START_TEST(vepa_over_members)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        lan_set_options(member[i].lan, &(struct lan_options){.vepa = true});
        ivl_vepa(member[i].ivl, true);
    }
    frames_messages = 0;
    guest_sends(1, mac[2]);
    got("000", "100");
    guest_sends(1, all_macs);
    got("000", "100");
    guest_sends(0, mac[2]); /* where the uplink is: nothing leaves */
    got("000", "100");
    ck_assert_uint_eq(frames_messages, 2);
    send_from(&member[0].up, mac[1], mac[2], 1);
    got("001", "000");
    send_from(&member[0].up, mac[1], all_macs, 1);
    got("101", "000");
    send_from(&member[0].up, mac[0], all_macs, 1);
    got("011", "000");
    uplink(0, false);
    settle();
    guest_sends(0, mac[2]);
    got("000", "010");
    uplink(1, false);
    uplink(2, false);
    settle();
    frames_messages = 0;
    guest_sends(0, mac[2]);
    ck_assert_uint_eq(frames_messages, 0);
}
END_TEST

/* A bridge port here, flooding there: what nobody has told of goes to those members, too. */
START_TEST(stations_that_take_strangers)
{
    const struct lan_traits floods = {.flooding = true}, none = {0};
    ck_assert_int_eq(lan_port_bridge(member[1].guest.port, LAN_BRIDGE_PRIMARY), ST_OK);
    settle();
    guest_sends(0, outside);
    got("010", "100");
    guest_sends(2, outside);
    got("010", "100");
    send_from(&member[0].up, outside, (const u8[6]){2, 0, 0, 9, 9, 9}, 1);
    got("010", "000");
    lan_port_traits(member[2].guest.port, &floods);
    ck_assert_int_eq(lan_port_bridge(member[1].guest.port, LAN_BRIDGE_NONE), ST_OK);
    settle();
    guest_sends(1, outside);
    got("001", "100");
    guest_sends(1, mac[0]);
    got("100", "000");
    lan_port_traits(member[2].guest.port, &none);
    settle();
    guest_sends(1, outside);
    got("000", "100");
}
END_TEST

START_TEST(another_uplink_takes_over)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        ck_assert_uint_eq(in_use(i), 0);
    uplink(0, false); /* its device has gone */
    settle();
    for (unsigned i = 0; i < MEMBERS; i++)
        ck_assert_uint_eq(in_use(i), 1);
    guest_sends(0, outside);
    got("000", "010");
    link_set(0, 1, false);
    link_set(2, 1, false); /* that member has gone */
    ck_assert_uint_eq(in_use(2), 2);
    ck_assert_uint_eq(in_use(1), 1);
    guest_sends(0, outside);
    got("000", "001");
    uplink(0, true);
    settle();
    ck_assert_uint_eq(in_use(2), 0);
    link_set(0, 1, true);
    link_set(2, 1, true);
    ck_assert_uint_eq(in_use(1), 0);
    guest_sends(1, outside);
    got("000", "100");
    uplink(0, false);
    uplink(1, false);
    uplink(2, false);
    settle();
    ck_assert_uint_eq(in_use(1), IVL_SLOTS_MAX);
}
END_TEST

START_TEST(a_lost_link_leaves_the_rest_alone)
{
    struct ivl_info info;
    link_set(0, 1, false);
    ivl_info(member[0].ivl, &info);
    ck_assert_uint_eq(info.members, 1);
    guest_sends(0, mac[1]); /* nobody it can see has it: the uplink, which it is itself */
    got("000", "100");
    guest_sends(0, mac[2]);
    got("001", "000");
    guest_sends(2, all_macs);
    got("110", "110");                            /* 1 does not see 0, and uses its own */
    send_from(&member[1].up, outside, mac[2], 1); /* which 2 does not listen to */
    got("000", "000");
    send_from(&member[0].up, outside, mac[2], 1);
    got("001", "000");
    link_set(0, 1, true);
    guest_sends(0, mac[1]);
    got("010", "000");
}
END_TEST

START_TEST(a_machine_moves)
{
    struct station there;
    station_add(&member[1], &there, LAN_STATION);
    /* It goes on at 1, while 0 still has its old port. */
    ck_assert_int_eq(lan_mac_take(there.port, mac[0]), ST_OK);
    settle();
    guest_sends(2, mac[0]);
    ck_assert_uint_eq(there.got, 1);
    got("000", "000");
    /* Others' addresses change at 0: what it tells again does not count as new. */
    ck_assert_int_eq(lan_mac_add(member[0].guest.port, outside), ST_OK);
    settle();
    guest_sends(2, mac[0]);
    ck_assert_uint_eq(there.got, 2);
    lan_mac_clear(member[0].guest.port); /* the old port has gone */
    settle();
    guest_sends(2, mac[0]);
    send_from(&member[0].up, outside, mac[0], 1); /* from the uplink, which stays */
    ck_assert_uint_eq(there.got, 4);
    /* And back; logged on anew at 0 it need not even take it. */
    ck_assert_int_eq(lan_mac_add(member[0].guest.port, mac[0]), ST_OK);
    settle();
    lan_port_remove(there.port);
    settle();
    guest_sends(2, mac[0]);
    guest_sends(1, mac[0]);
    got("200", "000");
}
END_TEST

START_TEST(switches_come_and_go)
{
    ivl_remove(member[0].ivl);
    settle();
    ck_assert_uint_eq(in_use(1), 1);
    guest_sends(1, all_macs);
    got("001", "010");
    guest_sends(1, mac[0]);
    got("000", "010");
    member[0].ivl = ivl_add(member[0].ivls, "VSW1", 0, member[0].lan);
    settle();
    ck_assert_uint_eq(in_use(0), 1);
    guest_sends(1, mac[0]);
    got("100", "000");
    guest_sends(0, mac[2]);
    got("001", "000");
}
END_TEST

/* A name that is shorter than the bits of the kind is one, too. */
START_TEST(networks_of_one_name_and_other_kinds)
{
    ivl_remove(member[0].ivl);
    ivl_remove(member[1].ivl);
    settle();
    member[0].ivl = ivl_add(member[0].ivls, "V", 0xc2, member[0].lan);
    member[1].ivl = ivl_add(member[1].ivls, "V", 0xc3, member[1].lan);
    settle();
    guest_sends(0, all_macs);
    got("000", "100");
    ivl_remove(member[1].ivl);
    member[1].ivl = ivl_add(member[1].ivls, "V", 0xc2, member[1].lan);
    settle();
    guest_sends(0, all_macs);
    got("010", "110"); /* neither is told of, so none is muted */
    guest_sends(1, mac[0]);
    got("100", "000");
}
END_TEST

START_TEST(tags_pass)
{
    struct lan_options options = {.vlan_aware = true, .native = 1};
    struct lan_rules rules = {.type = LAN_ACCESS, .vlan = 42};
    for (unsigned i = 0; i < MEMBERS; i++) {
        lan_set_options(member[i].lan, &options);
        rules.vlan = i == 1 ? 43 : 42;
        lan_port_rules(member[i].guest.port, &rules);
    }
    settle();
    guest_sends(0, all_macs);
    got("001", "100");
    ck_assert(!member[2].guest.tagged && member[0].up.tagged);
    guest_sends(0, mac[2]);
    got("001", "000");
    guest_sends(0, mac[1]); /* not in its VLAN */
    got("000", "000");
}
END_TEST

START_TEST(isolated_stations_do_not_hear_each_other)
{
    const struct lan_options options = {.isolated = true};
    for (unsigned i = 0; i < MEMBERS; i++)
        lan_set_options(member[i].lan, &options);
    guest_sends(1, mac[2]);
    guest_sends(1, all_macs);
    got("000", "100");
    send_from(&member[0].up, outside, mac[2], 1);
    send_from(&member[0].up, outside, all_macs, 1);
    got("112", "000");
}
END_TEST

START_TEST(a_queue_is_bounded)
{
    struct ivl_info info;
    struct lan_counts counts;
    u8 frame[1400] = {0};
    memcpy(frame, mac[1], 6);
    memcpy(frame + 6, mac[0], 6);
    member[0].no_room = true;
    for (unsigned i = 0; i < 10000; i++)
        lan_send(member[0].guest.port, frame, sizeof frame);
    settle();
    ivl_info(member[0].ivl, &info);
    ck_assert_uint_eq(info.sent, IVL_QUEUE_FRAMES);
    ck_assert_uint_eq(info.sent + info.dropped, 10000);
    ck_assert_uint_eq(member[1].guest.got, 0);
    member[0].no_room = false;
    ivls_poll(member[0].ivls);
    settle();
    ck_assert_uint_eq(member[1].guest.got, IVL_QUEUE_FRAMES);
    lan_port_counts(member[0].guest.port, &counts);
    ck_assert_uint_eq(counts.frames, 10000);
    member[0].no_room = true; /* what waits when a link is lost goes with it */
    lan_send(member[0].guest.port, frame, sizeof frame);
    settle();
    link_set(0, 1, false);
    member[0].no_room = false;
    link_set(0, 1, true);
    ck_assert_uint_eq(member[1].guest.got, IVL_QUEUE_FRAMES);
    member[1].guest.got = 0;
    guest_sends(0, mac[1]);
    got("010", "000");
}
END_TEST

START_TEST(messages_that_are_none)
{
    static const u8 whole[80] = "VSW1\0\0\0\0";
    u8 data[80];
    for (unsigned type = 0; type < 5; type++)
        for (unsigned len = 0; len < sizeof data; len++)
            for (unsigned fill = 0; fill < 256; fill += 51) {
                memset(data, (int)fill, sizeof data);
                memcpy(data, whole, 8);
                ivls_receive(member[0].ivls, 1, (u16)type, data, len);
                ivls_receive(member[0].ivls, 0, (u16)type, data, len);
                ivls_receive(member[0].ivls, 9, (u16)type, data, len);
            }
    settle();
    link_set(0, 1, false);
    link_set(0, 1, true);
    member[0].guest.got = member[0].up.got = 0;
    guest_sends(0, mac[1]);
    got("010", "000");
}
END_TEST

static _Atomic bool stop;

static void *sender(void *arg)
{
    u8 frame[SMALL_BYTES] = {0};
    memcpy(frame, all_macs, 6);
    while (!stop)
        lan_send(((struct member *)arg)->guest.port, frame, sizeof frame);
    return NULL;
}

START_TEST(senders_and_the_loop)
{
    pthread_t thread;
    stop = false;
    ck_assert_int_eq(pthread_create(&thread, NULL, sender, &member[0]), 0);
    for (unsigned i = 0; i < 200; i++) {
        link_set(0, 1, i % 2 == 0);
        lan_mac_add(member[0].guest.port, outside);
        settle();
        lan_mac_remove(member[0].guest.port, outside);
        uplink(0, i % 3 == 0);
    }
    stop = true;
    pthread_join(thread, NULL);
    settle();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_ivl");
    TCase *tc = tcase_create("hyp_ivl");
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_frame_goes_to_the_member_that_has_its_receiver);
    tcase_add_test(tc, a_group_is_all_once);
    tcase_add_test(tc, what_nobody_has_goes_to_the_uplink_in_use);
    tcase_add_test(tc, stations_that_take_strangers);
    tcase_add_test(tc, vepa_over_members);
    tcase_add_test(tc, a_station_behind_bridge_ports_moves);
    tcase_add_test(tc, another_uplink_takes_over);
    tcase_add_test(tc, a_lost_link_leaves_the_rest_alone);
    tcase_add_test(tc, a_machine_moves);
    tcase_add_test(tc, switches_come_and_go);
    tcase_add_test(tc, networks_of_one_name_and_other_kinds);
    tcase_add_test(tc, tags_pass);
    tcase_add_test(tc, isolated_stations_do_not_hear_each_other);
    tcase_add_test(tc, a_queue_is_bounded);
    tcase_add_test(tc, messages_that_are_none);
    tcase_add_test(tc, senders_and_the_loop);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
