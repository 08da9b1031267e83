/* The network in memory: who gets which frame, addresses that move, ports that go while frames are
 * on their way. */
#include <pthread.h>
#include <sched.h>

#include "io/net/lan.h"
#include "tests/unit/io/io_fixture.h"

#define FRAME_BYTES_MIN 60u

struct station {
    struct lan_port *port;
    _Atomic unsigned got; /* two threads may send */
    _Atomic u8 last;      /* byte 14 of the last frame, behind its tag */
    _Atomic u16 tag;      /* of the last frame, 0: it had none */
    _Atomic size_t len;
    bool full;
};

static struct lan *lan;
static struct station one, two, three, up;

static const u8 mac1[6] = {2, 0, 0, 0, 0, 1}, mac2[6] = {2, 0, 0, 0, 0, 2},
                stranger[6] = {2, 0, 0, 0, 0, 9}, group[6] = {1, 0, 0x5e, 0, 0, 1};

static bool deliver(void *arg, const u8 *frame, size_t len)
{
    struct station *s = arg;
    ck_assert_uint_ge(len, ETHER_HEADER_BYTES);
    if (s->full)
        return false;
    s->got++;
    s->tag = be16_load(frame + 12) == ETHER_TYPE_VLAN ? be16_load(frame + 14) : 0;
    s->last = frame[s->tag ? 18 : 14];
    s->len = len;
    return true;
}

static const struct lan_port_ops ops = {.deliver = deliver};

static void setup(void)
{
    lan = lan_create();
    ck_assert_ptr_nonnull(lan);
    one = two = three = up = (struct station){0};
    one.port = lan_port_add(lan, LAN_STATION, &ops, &one);
    two.port = lan_port_add(lan, LAN_STATION, &ops, &two);
    three.port = lan_port_add(lan, LAN_STATION, &ops, &three);
    up.port = lan_port_add(lan, LAN_UPLINK, &ops, &up);
    ck_assert_int_eq(lan_mac_add(one.port, mac1), ST_OK);
    ck_assert_int_eq(lan_mac_add(two.port, mac2), ST_OK);
}

static void teardown(void)
{
    lan_port_remove(one.port);
    lan_port_remove(two.port);
    lan_port_remove(three.port);
    lan_port_remove(up.port);
    lan_destroy(lan);
}

static void send(struct station *from, const u8 *to, u8 mark)
{
    u8 frame[FRAME_BYTES_MIN] = {0};
    memcpy(frame, to, 6);
    memcpy(frame + 6, mac1, 6);
    frame[14] = mark;
    lan_send(from->port, frame, sizeof frame);
}

/* The same with a tag. */
static void send_tagged(struct station *from, const u8 *to, u16 tag, u8 mark)
{
    u8 frame[FRAME_BYTES_MIN + VLAN_TAG_BYTES] = {0};
    memcpy(frame, to, 6);
    memcpy(frame + 6, mac1, 6);
    be16_store(frame + 12, ETHER_TYPE_VLAN);
    be16_store(frame + 14, tag);
    frame[18] = mark;
    lan_send(from->port, frame, sizeof frame);
}

static void got(unsigned n1, unsigned n2, unsigned n3, unsigned nup)
{
    ck_assert_uint_eq(one.got, n1);
    ck_assert_uint_eq(two.got, n2);
    ck_assert_uint_eq(three.got, n3);
    ck_assert_uint_eq(up.got, nup);
}

START_TEST(a_frame_goes_to_its_receiver)
{
    send(&one, mac2, 7);
    got(0, 1, 0, 0);
    ck_assert_uint_eq(two.last, 7);
    send(&up, mac1, 8);
    got(1, 1, 0, 0);
    send(&one, mac1, 9); /* to itself: to nobody */
    got(1, 1, 0, 0);
}
END_TEST

START_TEST(what_nobody_has_goes_up)
{
    send(&one, stranger, 1);
    got(0, 0, 0, 1);
    send(&up, stranger, 1); /* and not back */
    got(0, 0, 0, 1);
}
END_TEST

START_TEST(a_group_is_all_others)
{
    static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    send(&two, group, 1);
    got(1, 0, 1, 1);
    send(&up, all, 1);
    got(2, 1, 2, 1);
}
END_TEST

START_TEST(promiscuous_sees_all)
{
    lan_port_promiscuous(three.port, true);
    send(&one, mac2, 1);
    send(&one, stranger, 1);
    got(0, 1, 2, 1);
    lan_port_promiscuous(three.port, false);
    send(&one, mac2, 1);
    got(0, 2, 2, 1);
}
END_TEST

START_TEST(addresses_have_one_owner)
{
    ck_assert_int_eq(lan_mac_add(two.port, mac1), ST_EXIST);
    ck_assert_int_eq(lan_mac_add(one.port, mac1), ST_OK);
    ck_assert_int_eq(lan_mac_remove(two.port, mac1), ST_NOENT);
    ck_assert_int_eq(lan_mac_take(three.port, mac1), ST_OK);
    send(&two, mac1, 1);
    got(0, 0, 1, 0);
    ck_assert_int_eq(lan_mac_remove(one.port, mac1), ST_NOENT);
    ck_assert_int_eq(lan_mac_remove(three.port, mac1), ST_OK);
    send(&two, mac1, 1);
    got(0, 0, 1, 1);
}
END_TEST

START_TEST(counts_say_what_happened)
{
    struct lan_counts c;
    u8 runt[ETHER_HEADER_BYTES - 1] = {0};
    two.full = true;
    send(&one, mac2, 1);
    two.full = false;
    send(&one, mac2, 1);
    lan_send(one.port, runt, sizeof runt);
    lan_port_counts(one.port, &c);
    ck_assert_uint_eq(c.frames, 2);
    ck_assert_uint_eq(c.bytes, 2 * FRAME_BYTES_MIN);
    ck_assert_uint_eq(c.malformed, 1);
    lan_port_counts(two.port, &c);
    ck_assert_uint_eq(c.received, 1);
    ck_assert_uint_eq(c.dropped, 1);
}
END_TEST

START_TEST(more_ports_than_one_look_finds)
{
    static struct station many[200];
    memset(many, 0, sizeof many);
    for (unsigned i = 0; i < ARRAY_LEN(many); i++)
        ck_assert_ptr_nonnull(many[i].port = lan_port_add(lan, LAN_STATION, &ops, &many[i]));
    send(&many[100], group, 1);
    got(1, 1, 1, 1);
    for (unsigned i = 0; i < ARRAY_LEN(many); i++) {
        ck_assert_uint_eq(many[i].got, i != 100);
        lan_port_remove(many[i].port);
    }
    send(&one, group, 1);
    got(1, 2, 2, 2);
}
END_TEST

START_TEST(a_muted_port_is_not_there)
{
    lan_port_mute(up.port, true);
    send(&one, stranger, 1);
    send(&one, group, 1);
    send(&up, mac1, 1);
    got(0, 1, 1, 0);
    lan_port_mute(up.port, false);
    send(&one, stranger, 1);
    got(0, 1, 1, 1);
}
END_TEST

struct looker {
    unsigned ways[3];
    u64 last;
    char label[LAN_LABEL_BYTES];
};

static void see(void *arg, const struct lan_sight *sight)
{
    struct looker *l = arg;
    l->ways[sight->way]++;
    l->last = sight->port;
    strcpy(l->label, sight->label);
}

START_TEST(who_looks_on_sees_all)
{
    struct looker l = {0};
    struct lan_watch *w = lan_watch_add(lan, see, &l);
    lan_port_label(two.port, "LINUX1.0600");
    ck_assert_ptr_nonnull(w);
    send(&one, mac2, 1);
    ck_assert_str_eq(l.label, "LINUX1.0600");
    ck_assert_uint_eq(l.last, lan_port_number(two.port));
    two.full = true;
    send(&one, mac2, 1);
    two.full = false;
    send(&one, group, 1);
    ck_assert_uint_eq(l.ways[LAN_FROM_PORT], 3);
    ck_assert_uint_eq(l.ways[LAN_TO_PORT], 4);
    ck_assert_uint_eq(l.ways[LAN_NO_ROOM], 1);
    lan_watch_remove(w);
    send(&one, group, 1);
    ck_assert_uint_eq(l.ways[LAN_FROM_PORT], 3);
}
END_TEST

static _Atomic bool stop;

static void *sender(void *arg)
{
    while (!stop)
        send(arg, group, 1);
    return NULL;
}

/* A thread that sends from the first station until `stop`; it has begun when this returns. */
static pthread_t sender_start(void)
{
    pthread_t thread;
    struct lan_counts before, now;
    stop = false;
    lan_port_counts(one.port, &before);
    ck_assert_int_eq(pthread_create(&thread, NULL, sender, &one), 0);
    do {
        sched_yield();
        lan_port_counts(one.port, &now);
    } while (now.frames + now.discarded == before.frames + before.discarded);
    return thread;
}

START_TEST(ports_go_while_frames_come)
{
    pthread_t thread = sender_start();
    for (unsigned i = 0; i < 2000; i++) {
        struct station *guest = calloc(1, sizeof *guest);
        guest->port = lan_port_add(lan, LAN_STATION, &ops, guest);
        lan_mac_add(guest->port, stranger);
        lan_port_remove(guest->port);
        memset(guest, 0xff, sizeof *guest); /* nobody may look at it any more */
        free(guest);
    }
    stop = true;
    pthread_join(thread, NULL);
    ck_assert_int_eq(lan_mac_remove(one.port, stranger), ST_NOENT);
}
END_TEST

/* --- networks that are joined ----------------------------------------------------------------- */

/* A network with one station. */
static struct lan *other_network(struct station *far)
{
    struct lan *there = lan_create();
    *far = (struct station){.port = lan_port_add(there, LAN_STATION, &ops, far)};
    return there;
}

static void other_end(struct lan *there, const struct station *far)
{
    lan_port_remove(far->port);
    lan_destroy(there);
}

START_TEST(joined_networks_are_one)
{
    struct station far;
    struct lan *there = other_network(&far);
    ck_assert_int_eq(lan_mac_add(far.port, stranger), ST_OK);
    struct lan_join *join = lan_join(lan, there);
    send(&one, group, 1);
    got(0, 1, 1, 1);
    ck_assert_uint_eq(far.got, 1);
    send(&two, stranger, 2); /* nobody here has it */
    ck_assert_uint_eq(far.got, 2);
    send(&far, mac2, 3);
    got(0, 2, 1, 2);
    u8 frame[FRAME_BYTES_MIN] = {0}; /* from its own address: it is known from now on */
    memcpy(frame, mac1, 6);
    memcpy(frame + 6, stranger, 6);
    lan_send(far.port, frame, sizeof frame);
    got(1, 2, 1, 2);
    send(&one, stranger, 4);
    got(1, 2, 1, 2);
    ck_assert_uint_eq(far.got, 3);
    ck_assert_int_eq(lan_mac_add(three.port, stranger), ST_OK); /* it is here now */
    send(&one, stranger, 5);
    got(1, 2, 2, 2);
    send(&up, stranger, 5);
    got(1, 2, 3, 2);
    ck_assert_uint_eq(far.got, 3);
    lan_part(join);
    send(&one, group, 6);
    ck_assert_uint_eq(far.got, 3);
    other_end(there, &far);
}
END_TEST

START_TEST(an_isolated_network_keeps_its_bridge_apart)
{
    struct station far;
    struct lan *there = other_network(&far);
    struct lan_join *join = lan_join(lan, there);
    lan_set_options(lan, &(struct lan_options){.isolated = true});
    send(&one, group, 1);
    ck_assert_uint_eq(far.got, 0);
    send(&up, group, 1);
    ck_assert_uint_eq(far.got, 1);
    send(&far, group, 1);
    got(1, 1, 1, 2);
    lan_part(join);
    other_end(there, &far);
}
END_TEST

/* Both sides send all the while. */
START_TEST(they_are_parted_while_frames_come)
{
    struct station far;
    struct lan *there = other_network(&far);
    pthread_t thread = sender_start(), other;
    ck_assert_int_eq(pthread_create(&other, NULL, sender, &far), 0);
    for (unsigned i = 0; i < 500; i++) {
        struct lan_join *join = lan_join(lan, there);
        ck_assert_ptr_nonnull(join);
        lan_part(join);
    }
    stop = true;
    pthread_join(thread, NULL);
    pthread_join(other, NULL);
    other_end(there, &far);
}
END_TEST

/* --- VLANs and other rules of a port ---------------------------------------------------------- */

static void aware(u16 native)
{
    lan_set_options(lan, &(struct lan_options){.vlan_aware = true, .native = native});
}

static void access_port(struct station *s, u16 vlan)
{
    lan_port_rules(s->port, &(struct lan_rules){.type = LAN_ACCESS, .vlan = vlan});
}

static void trunk_port(struct station *s, const u16 *vlans, unsigned n)
{
    struct lan_rules r = {.type = LAN_TRUNK};
    for (unsigned i = 0; i < n; i++)
        vlan_put(&r.allowed, vlans[i], true);
    lan_port_rules(s->port, &r);
}

static u64 discarded(struct station *s)
{
    struct lan_counts c;
    lan_port_counts(s->port, &c);
    return c.discarded;
}

START_TEST(an_unaware_network_passes_tags)
{
    access_port(&one, 10);
    access_port(&two, 20);
    send_tagged(&one, mac2, 30, 1);
    got(0, 1, 0, 0);
    ck_assert_uint_eq(two.tag, 30);
    ck_assert_uint_eq(two.len, FRAME_BYTES_MIN + VLAN_TAG_BYTES);
    send_tagged(&one, group, 4095, 1);
    got(0, 2, 1, 1);
}
END_TEST

START_TEST(access_ports_of_one_vlan_hear_each_other)
{
    aware(1);
    access_port(&one, 10);
    access_port(&two, 10);
    access_port(&three, 20);
    send(&one, group, 1);
    got(0, 1, 0, 1);
    ck_assert_uint_eq(two.tag, 0);
    ck_assert_uint_eq(up.tag, 10); /* an uplink is a trunk */
    ck_assert_uint_eq(up.last, 1);
    ck_assert_uint_eq(up.len, FRAME_BYTES_MIN + VLAN_TAG_BYTES);
    send(&one, mac2, 2);
    got(0, 2, 0, 1);
    send(&three, mac2, 3); /* nobody of VLAN 20 has it */
    got(0, 2, 0, 2);
    ck_assert_uint_eq(up.tag, 20);
    ck_assert_uint_eq(discarded(&one) + discarded(&three), 0);
}
END_TEST

START_TEST(an_access_port_may_not_tag)
{
    aware(1);
    access_port(&one, 10);
    access_port(&two, 10);
    send_tagged(&one, mac2, 10, 1);
    send_tagged(&one, mac2, 20, 1);
    got(0, 0, 0, 0);
    ck_assert_uint_eq(discarded(&one), 2);
    send_tagged(&one, mac2, 0x6000, 1); /* a priority and no VLAN */
    got(0, 1, 0, 0);
    ck_assert_uint_eq(two.tag, 0);
    ck_assert_uint_eq(two.len, FRAME_BYTES_MIN);
}
END_TEST

START_TEST(a_port_without_rules_hears_nothing)
{
    aware(1);
    access_port(&one, 10);
    send(&one, group, 1);
    send(&two, group, 1);
    got(0, 0, 0, 1);
    ck_assert_uint_eq(discarded(&two), 1);
}
END_TEST

START_TEST(a_trunk_port_has_its_set)
{
    static const u16 set[] = {10, 20};
    aware(1);
    trunk_port(&one, set, 2);
    access_port(&two, 20);
    access_port(&three, 30);
    send_tagged(&one, mac2, 20, 5);
    got(0, 1, 0, 0);
    ck_assert_uint_eq(two.tag, 0);
    ck_assert_uint_eq(two.last, 5);
    send_tagged(&one, group, 30, 1); /* not in its set */
    send(&one, group, 1);            /* the native one is not either */
    got(0, 1, 0, 0);
    ck_assert_uint_eq(discarded(&one), 2);
    send(&two, mac1, 6);
    got(1, 1, 0, 0);
    ck_assert_uint_eq(one.tag, 20);
    ck_assert_uint_eq(one.last, 6);
    send(&three, mac1, 7);
    got(1, 1, 0, 1);
}
END_TEST

START_TEST(the_native_vlan_has_no_tag_on_a_trunk)
{
    static const u16 set[] = {1, 10}, both[] = {1, 10, 20};
    aware(1);
    trunk_port(&one, set, 2);
    trunk_port(&two, both, 3);
    access_port(&three, 1);
    send(&one, group, 1);
    got(0, 1, 1, 1);
    ck_assert_uint_eq(two.tag + three.tag + up.tag, 0);
    send_tagged(&one, group, 1, 1); /* a tag of the native one is allowed, and goes off */
    got(0, 2, 2, 2);
    ck_assert_uint_eq(two.tag + three.tag + up.tag, 0);
    send_tagged(&one, group, 0x200a, 1); /* with a priority, which stays */
    got(0, 3, 2, 3);
    ck_assert_uint_eq(two.tag, 0x200a);
    aware(0); /* no native VLAN: frames without a tag are not for a trunk */
    send(&one, group, 1);
    got(0, 3, 2, 3);
    ck_assert_uint_eq(discarded(&one), 1);
}
END_TEST

START_TEST(an_uplink_is_filtered_too)
{
    static const u16 set[] = {10};
    aware(1);
    trunk_port(&one, set, 1);
    access_port(&two, 20);
    access_port(&three, 1);
    send_tagged(&up, group, 10, 1);
    got(1, 0, 0, 0);
    ck_assert_uint_eq(one.tag, 10);
    send_tagged(&up, group, 20, 1);
    got(1, 1, 0, 0);
    send(&up, group, 1);
    got(1, 1, 1, 0);
    send_tagged(&up, mac1, 20, 1); /* who has that address is not in VLAN 20 */
    got(1, 1, 1, 0);
    send_tagged(&up, group, 4095, 1); /* no number of a VLAN */
    got(1, 1, 1, 0);
    ck_assert_uint_eq(discarded(&up), 1);
}
END_TEST

START_TEST(isolation_keeps_stations_apart)
{
    lan_set_options(lan, &(struct lan_options){.isolated = true});
    send(&one, mac2, 1);
    got(0, 0, 0, 0);
    ck_assert_uint_eq(discarded(&one), 1);
    send(&one, group, 1);
    got(0, 0, 0, 1);
    send(&one, stranger, 1);
    got(0, 0, 0, 2);
    send(&up, mac1, 1);
    send(&up, group, 1);
    got(2, 1, 1, 2);
    lan_set_options(lan, &(struct lan_options){0});
    send(&one, mac2, 1);
    got(2, 2, 1, 2);
}
END_TEST

/* What stations send goes up; what comes back goes to all but who has sent it. */
START_TEST(vepa_has_the_uplink_switch)
{
    lan_set_options(lan, &(struct lan_options){.vepa = true});
    send(&one, mac2, 1);
    got(0, 0, 0, 1);
    send(&up, mac2, 1);
    got(0, 1, 0, 1);
    send(&one, group, 2);
    got(0, 1, 0, 2);
    send(&up, group, 2); /* from mac1, whose station has sent it */
    got(0, 2, 1, 2);
    lan_port_promiscuous(three.port, true);
    send(&one, mac2, 3); /* seen when it comes back */
    got(0, 2, 1, 3);
    send(&up, mac2, 3);
    got(0, 3, 2, 3);
    lan_port_promiscuous(three.port, false);
    lan_port_isolate(two.port, LAN_ISOLATED);
    send(&one, mac2, 4);
    got(0, 3, 2, 3);
    lan_port_isolate(two.port, LAN_OPEN);
    lan_port_isolate(one.port, LAN_FORWARD);
    send(&one, mac2, 5);
    got(0, 3, 2, 4);
    lan_port_mute(up.port, true);
    send(&one, mac2, 6);
    got(0, 3, 2, 4);
}
END_TEST

START_TEST(seeing_all_needs_a_rule_and_ends_at_the_vlan)
{
    struct lan_rules r = {.type = LAN_ACCESS, .vlan = 10};
    lan_port_promiscuous(three.port, true);
    lan_port_rules(three.port, &r);
    send(&one, mac2, 1);
    got(0, 1, 0, 0);
    r.promiscuous = true;
    lan_port_rules(three.port, &r);
    send(&one, mac2, 1);
    got(0, 2, 1, 0);
    aware(1);
    access_port(&one, 10);
    access_port(&two, 10);
    send(&one, mac2, 1);
    got(0, 3, 2, 0);
    access_port(&one, 20);
    access_port(&two, 20);
    send(&one, mac2, 1);
    got(0, 4, 2, 0);
}
END_TEST

START_TEST(protection_leaves_a_port_its_own_address)
{
    struct lan_rules r = {.protect = true};
    memcpy(r.own, mac2, 6);
    ck_assert_int_eq(lan_mac_add(one.port, stranger), ST_OK);
    lan_port_rules(one.port, &r); /* mac1 and the stranger's go */
    send(&two, mac1, 1);
    send(&two, stranger, 1);
    got(0, 0, 0, 2);
    ck_assert_int_eq(lan_mac_add(one.port, mac1), ST_REFUSED);
    ck_assert_int_eq(lan_mac_take(one.port, mac1), ST_REFUSED);
    ck_assert_int_eq(lan_mac_take(one.port, mac2), ST_OK);
    send(&one, stranger, 1); /* from mac1, which is not its own */
    got(0, 0, 0, 2);
    ck_assert_uint_eq(discarded(&one), 1);
    memcpy(r.own, mac1, 6);
    lan_port_rules(one.port, &r);
    send(&one, stranger, 1);
    got(0, 0, 0, 3);
}
END_TEST

START_TEST(frames_at_the_edges_of_a_tag)
{
    u8 frame[LAN_FRAME_MAX] = {0};
    struct lan_counts c;
    aware(1);
    access_port(&one, 10);
    access_port(&two, 10);
    memcpy(frame, group, 6);
    lan_send(one.port, frame, LAN_FRAME_MAX); /* has no room for a tag */
    got(0, 1, 0, 0);
    lan_uplink_counts(lan, &c);
    ck_assert_uint_eq(c.dropped, 1);
    lan_send(one.port, frame, LAN_FRAME_MAX - VLAN_TAG_BYTES);
    got(0, 2, 0, 1);
    ck_assert_uint_eq(up.len, LAN_FRAME_MAX);
    be16_store(frame + 12, ETHER_TYPE_VLAN);
    lan_send(up.port, frame, ETHER_HEADER_BYTES + VLAN_TAG_BYTES - 1); /* half a tag */
    lan_uplink_counts(lan, &c);
    ck_assert_uint_eq(c.malformed, 1);
    be16_store(frame + 14, 10);
    lan_send(up.port, frame, ETHER_HEADER_BYTES + VLAN_TAG_BYTES); /* nothing but a tag */
    got(1, 3, 0, 1);
    ck_assert_uint_eq(two.len, ETHER_HEADER_BYTES);
}
END_TEST

/* What a port may changes while frames are on their way, in each form. */
START_TEST(rules_change_while_frames_come)
{
    static const u16 set[] = {1, 10};
    aware(1);
    pthread_t thread = sender_start();
    for (unsigned i = 0; i < 3000; i++) {
        aware((u16)(i & 1));
        access_port(&two, (u16)(10 + (i & 1)));
        trunk_port(&one, set, 1 + (i & 1));
        lan_set_options(lan, &(struct lan_options){.isolated = i & 1});
    }
    stop = true;
    pthread_join(thread, NULL);
    aware(1);
    access_port(&one, 10);
    access_port(&two, 10);
    unsigned before = two.got;
    send(&one, mac2, 7);
    ck_assert_uint_eq(two.got, before + 1);
    ck_assert_uint_eq(two.last, 7);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_lan");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_frame_goes_to_its_receiver);
    tcase_add_test(tc, what_nobody_has_goes_up);
    tcase_add_test(tc, a_group_is_all_others);
    tcase_add_test(tc, promiscuous_sees_all);
    tcase_add_test(tc, addresses_have_one_owner);
    tcase_add_test(tc, counts_say_what_happened);
    tcase_add_test(tc, more_ports_than_one_look_finds);
    tcase_add_test(tc, a_muted_port_is_not_there);
    tcase_add_test(tc, who_looks_on_sees_all);
    tcase_add_test(tc, ports_go_while_frames_come);
    tcase_add_test(tc, joined_networks_are_one);
    tcase_add_test(tc, an_isolated_network_keeps_its_bridge_apart);
    tcase_add_test(tc, they_are_parted_while_frames_come);
    tcase_add_test(tc, an_unaware_network_passes_tags);
    tcase_add_test(tc, access_ports_of_one_vlan_hear_each_other);
    tcase_add_test(tc, an_access_port_may_not_tag);
    tcase_add_test(tc, a_port_without_rules_hears_nothing);
    tcase_add_test(tc, a_trunk_port_has_its_set);
    tcase_add_test(tc, the_native_vlan_has_no_tag_on_a_trunk);
    tcase_add_test(tc, an_uplink_is_filtered_too);
    tcase_add_test(tc, isolation_keeps_stations_apart);
    tcase_add_test(tc, vepa_has_the_uplink_switch);
    tcase_add_test(tc, seeing_all_needs_a_rule_and_ends_at_the_vlan);
    tcase_add_test(tc, protection_leaves_a_port_its_own_address);
    tcase_add_test(tc, frames_at_the_edges_of_a_tag);
    tcase_add_test(tc, rules_change_while_frames_come);
    return run_suite(suite);
}
