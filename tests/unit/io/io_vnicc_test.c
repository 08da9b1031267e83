/* What a program in layer 2 gets besides frames for its addresses: VLANs it has named, VNIC
 * characteristics, bridge ports, the diagnostic assist. And what of it relocates.
 * Run alone: tests/run unit/io_vnicc_test */
#include "tests/unit/io/osa_fixture.h"

#define FLOODING VNICC_FLOODING
#define MCAST_FLOODING VNICC_MCAST_FLOODING
#define LEARNING VNICC_LEARNING
#define QUERY 1u
#define ENABLE 2u
#define DISABLE 4u
#define SET_TIMEOUT 8u
#define GET_TIMEOUT 16u
#define TRIES 4u /* input buffers */

static const u8 stranger[6] = {2, 0, 0, 0, 9, 9}, far[6] = {2, 0, 0, 0, 8, 8},
                group[6] = {1, 0, 0x5e, 0, 0, 1}, all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Two more ports: an uplink, and a station. */
static struct other {
    struct lan_port *port;
    unsigned frames, changes;
} outside, third;

static u64 now_ms;

static u64 test_clock(void *arg)
{
    (void)arg;
    return now_ms;
}

static bool other_deliver(void *arg, const u8 *frame, size_t len)
{
    (void)frame;
    (void)len;
    ((struct other *)arg)->frames++;
    return true;
}

static void other_changed(void *arg)
{
    ((struct other *)arg)->changes++;
}

static const struct lan_port_ops other_ops = {.deliver = other_deliver,
                                              .bridge_changed = other_changed};

static void setup_of(enum osa_kind kind)
{
    setup_kind(kind);
    now_ms = 5000;
    lan_clock(lan, test_clock, NULL);
    outside = third = (struct other){0};
    outside.port = lan_port_add(lan, LAN_UPLINK, &other_ops, &outside);
    third.port = lan_port_add(lan, LAN_STATION, &other_ops, &third);
}

static void setup_osa(void)
{
    setup_of(OSA_QDIO);
}

static void setup_iqd(void)
{
    setup_of(OSA_HIPERSOCKETS);
}

static void teardown_all(void)
{
    lan_port_remove(outside.port);
    lan_port_remove(third.port);
    teardown();
}

/* up() of the fixture, for HiperSockets, too. */
static void comes_up(void)
{
    u8 qdr[QDR_BYTES];
    session();
    indicators(SUMMARY, INDICATOR);
    qdr_make(qdr);
    qdr[0] = osa->config.kind == OSA_HIPERSOCKETS ? 2 : 0;
    ck_assert_uint_eq(establish(qdr), DS_NORMAL);
    activate();
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0);
    ck_assert_uint_eq(ipa_mac(0x21, own), 0);
}

/* Does the program get a frame to this address that a port sends, from an address, with a tag
 * (0: none)? */
static bool gets(struct lan_port *by, const u8 *to, const u8 *from, u16 tag)
{
    u8 frame[64] = {0};
    unsigned b = osa->q.s.next[0];
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    be16_store(frame + 12, tag ? ETHER_TYPE_VLAN : 0x0800);
    be16_store(frame + 14, tag);
    element(0, b, 0, 0x40, 4096, DATA + b * 4096);
    state_put(0, b, 0x41);
    lan_send(by, frame, sizeof frame);
    bool got = state(0, b) == 0x82;
    ck_assert(got || state(0, b) == 0x41);
    interruptions();
    return got;
}

/* The program sends a frame from this address. */
static void sends(const u8 *from, const u8 *to)
{
    unsigned b = osa->q.s.next[1];
    u8 header[32] = {2}, frame[64] = {0};
    be16_store(header + 6, sizeof frame);
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    be16_store(frame + 12, 0x0800);
    storage_write(m.storage, DATA + 0x400000, header, 32);
    storage_write(m.storage, DATA + 0x400020, frame, sizeof frame);
    element(1, b, 0, 0x40, 32 + sizeof frame, DATA + 0x400000);
    state_put(1, b, 0x62);
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x80000000, 0), 0);
    ck_assert_uint_eq(state(1, b), 0xa1);
}

/* A command about one characteristic; what comes back at `20` in *value. */
static u16 about(u32 command, u32 which, u32 *value)
{
    u8 op[24] = {0}, out[256];
    be16_store(op + 8, 16);
    be32_store(op + 12, command);
    be32_store(op + 16, which);
    if (value)
        be32_store(op + 20, *value);
    u16 rc = ipa(0x2a, op, sizeof op, out);
    if (value)
        *value = be32_load(out + 20);
    if (rc == 0) {
        ck_assert_uint_eq(be32_load(out), 0xfe000000);
        ck_assert_uint_eq(be32_load(out + 4), osa_vnicc(osa));
    }
    return rc;
}

static void enable_one(u32 which, bool on)
{
    ck_assert_uint_eq(about(on ? ENABLE : DISABLE, which, NULL), 0);
}

/* ---- VLANs ---- */

START_TEST(vlans_that_were_not_named_are_not_heard)
{
    u8 op[4] = {0, 0, 0, 1};
    comes_up();
    ck_assert(gets(peer.port, own, peer_mac, 0));
    ck_assert(!gets(peer.port, own, peer_mac, 7));
    ck_assert(!gets(peer.port, all, peer_mac, 7));
    ck_assert(gets(peer.port, own, peer_mac, 0x6000)); /* a priority is no VLAN */
    ck_assert_uint_eq(ipa(0x25, (u8[2]){0, 7}, 2, NULL), 0);
    ck_assert(gets(peer.port, own, peer_mac, 7));
    ck_assert(gets(peer.port, own, peer_mac, 0xe007));
    ck_assert(gets(peer.port, all, peer_mac, 7));
    ck_assert(!gets(peer.port, own, peer_mac, 8));
    ck_assert_uint_eq(ipa(0x26, (u8[2]){0, 7}, 2, NULL), 0);
    ck_assert(!gets(peer.port, own, peer_mac, 7));
    bool osd = osa->config.kind == OSA_QDIO; /* it may want to see everything */
    ck_assert_uint_eq(adapter(0x800, op, 4, NULL), osd ? 0 : 4);
    ck_assert_uint_eq(gets(peer.port, own, peer_mac, 7), osd);
    ck_assert_uint_eq(gets(outside.port, peer_mac, far, 7), osd);
}
END_TEST

/* ---- characteristics ---- */

START_TEST(what_there_is_can_be_asked)
{
    u8 op[16] = {0}, out[256];
    u32 value = 0;
    session();
    be16_store(op + 8, 8);
    ck_assert_uint_eq(ipa(0x2a, op, sizeof op, out), 0);
    ck_assert_uint_eq(be32_load(out), 0xfe000000);
    ck_assert_uint_eq(be32_load(out + 4), VNICC_RX_BCAST);
    for (u32 which = VNICC_RX_BCAST; which; which <<= 1) {
        ck_assert_uint_eq(about(QUERY, which, &value), 0);
        ck_assert_uint_eq(value, which == LEARNING ? 0x1f : 0x07);
    }
    ck_assert_uint_eq(about(QUERY, 0x01000000, &value), 6); /* there is no such */
    ck_assert_uint_eq(about(QUERY, 0, &value), 6);
    ck_assert_uint_eq(about(ENABLE, FLOODING | LEARNING, NULL), 6);
    ck_assert_uint_eq(about(0x20, FLOODING, NULL), 4);
    ck_assert_uint_eq(ipa(0x2a, op, 15, NULL), 6);
    be32_store(op + 12, ENABLE);
    ck_assert_uint_eq(ipa(0x2a, op, sizeof op, NULL), 6); /* which? */
}
END_TEST

START_TEST(each_is_turned_on_and_off)
{
    session();
    for (u32 which = VNICC_RX_BCAST; which; which <<= 1) {
        bool first = which != VNICC_RX_BCAST; /* which is on */
        enable_one(which, first);
        ck_assert_uint_eq(!(osa_vnicc(osa) & which), !first);
        ck_assert_uint_eq(about(first ? ENABLE : DISABLE, which, NULL), 5);
        enable_one(which, !first);
    }
    ck_assert_uint_eq(osa_vnicc(osa), VNICC_DEFAULT);
    enable_one(FLOODING, true);
    idx_on(rd, 0x19); /* a new session begins as the first did */
    ck_assert_uint_eq(osa_vnicc(osa), VNICC_DEFAULT);
}
END_TEST

START_TEST(groups_and_broadcasts)
{
    comes_up();
    ck_assert(gets(peer.port, all, peer_mac, 0));
    enable_one(VNICC_RX_BCAST, false);
    ck_assert(!gets(peer.port, all, peer_mac, 0));
    ck_assert(!gets(peer.port, group, peer_mac, 0));
    enable_one(MCAST_FLOODING, true);
    ck_assert(gets(peer.port, group, peer_mac, 0));
    ck_assert(!gets(peer.port, all, peer_mac, 0));
    enable_one(VNICC_RX_BCAST, true);
    ck_assert(gets(peer.port, all, peer_mac, 0));
}
END_TEST

/* An OSA floods what comes from the cable, HiperSockets what comes from anybody. */
START_TEST(flooding)
{
    bool iqd = osa->config.kind == OSA_HIPERSOCKETS;
    comes_up();
    ck_assert(!gets(outside.port, stranger, peer_mac, 0));
    enable_one(FLOODING, true);
    ck_assert(gets(outside.port, stranger, far, 0));
    ck_assert_uint_eq(gets(peer.port, stranger, peer_mac, 0), iqd);
    ck_assert(!gets(outside.port, peer_mac, far, 0)); /* it is known whose that is */
    ck_assert(gets(outside.port, stranger, far, 7));  /* behind it there may be any VLAN */
    enable_one(FLOODING, false);
    ck_assert(!gets(outside.port, stranger, far, 0));
}
END_TEST

START_TEST(learning)
{
    u32 seconds = 59;
    comes_up();
    ck_assert(!gets(peer.port, far, peer_mac, 0));
    sends(far, peer_mac);
    ck_assert(!gets(peer.port, far, peer_mac, 0));
    enable_one(LEARNING, true);
    sends(far, peer_mac);
    sends(group, peer_mac); /* nobody has a group for an address */
    ck_assert(gets(peer.port, far, peer_mac, 0));
    ck_assert(!gets(peer.port, group, peer_mac, 0));
    unsigned up_frames = outside.frames;
    now_ms += 599999;
    ck_assert(gets(peer.port, far, peer_mac, 0));
    now_ms += 1; /* ten minutes since it sent */
    ck_assert(!gets(peer.port, far, peer_mac, 0));
    ck_assert_uint_eq(outside.frames, up_frames + 1); /* it is unknown again */
    ck_assert_uint_eq(about(SET_TIMEOUT, LEARNING, &seconds), 6);
    seconds = 60;
    ck_assert_uint_eq(about(SET_TIMEOUT, LEARNING, &seconds), 0);
    ck_assert_uint_eq(about(SET_TIMEOUT, FLOODING, &seconds), 4);
    seconds = 0;
    ck_assert_uint_eq(about(GET_TIMEOUT, LEARNING, &seconds), 0);
    ck_assert_uint_eq(seconds, 60);
    sends(far, peer_mac);
    now_ms += 59000;
    sends(far, peer_mac); /* seen again */
    now_ms += 59000;
    ck_assert(gets(peer.port, far, peer_mac, 0));
    enable_one(LEARNING, false); /* and what was learnt is forgotten */
    ck_assert(!gets(peer.port, far, peer_mac, 0));
    ck_assert(gets(peer.port, own, peer_mac, 0)); /* not what was told */
}
END_TEST

START_TEST(addresses_are_taken_over_by_leave_only)
{
    const struct lan_traits learns = {.learning = true, .learning_s = 600};
    comes_up();
    lan_port_traits(third.port, &learns);
    ck_assert_int_eq(lan_mac_add(third.port, own), ST_EXIST);
    ck_assert(!gets(third.port, all, own, 7)); /* it sends from this address */
    ck_assert(gets(peer.port, own, peer_mac, 0));
    enable_one(VNICC_TAKEOVER_LEARNING, true);
    gets(third.port, all, own, 7);
    ck_assert(!gets(peer.port, own, peer_mac, 0)); /* the other one has it */
    ck_assert_uint_eq(third.frames, 1);
    lan_port_traits(third.port, &(struct lan_traits){0});
    ck_assert_uint_eq(ipa_mac(0x22, own), 0);
    ck_assert_uint_eq(ipa_mac(0x21, own), 0);
    ck_assert(gets(peer.port, own, peer_mac, 0));
    enable_one(VNICC_TAKEOVER_SETVMAC, true);
    ck_assert_int_eq(lan_mac_add(third.port, own), ST_OK);
    ck_assert(!gets(peer.port, own, peer_mac, 0));
}
END_TEST

START_TEST(what_is_learnt_has_a_limit)
{
    const struct lan_traits learns = {.learning = true, .learning_s = 600};
    u8 frame[64] = {2, 0, 0, 0, 7, 7, 2, 9};
    lan_port_traits(third.port, &learns);
    for (u32 i = 0; i < LAN_LEARNT_MAX + 10; i++) {
        be32_store(frame + 8, i);
        lan_send(third.port, frame, sizeof frame);
    }
    u8(*mac)[MAC_BYTES] = calloc(2 * LAN_LEARNT_MAX, sizeof *mac);
    ck_assert_uint_eq(lan_stations(lan, mac, 2 * LAN_LEARNT_MAX), LAN_LEARNT_MAX + 1);
    now_ms += 600000;
    ck_assert_uint_eq(lan_stations(lan, mac, 2 * LAN_LEARNT_MAX), 1); /* the peer's own */
    free(mac);
}
END_TEST

/* ---- bridge ports ---- */

static u16 bridge(u32 command, u8 *entry)
{
    bool iqd = osa->config.kind == OSA_HIPERSOCKETS;
    u8 op[32] = {0}, out[256];
    be16_store(op + 8, 16);
    be32_store(op + 12, command);
    u16 rc = ipa(iqd ? 0xbe : 0x2b, op, 24, out), own_rc = be16_load(out + 16);
    ck_assert_uint_eq(rc, iqd ? 0 : own_rc);
    if (command == 8) {
        ck_assert_mem_eq(out + 24, "\1\1\1\x0c", 4);
        ck_assert_uint_eq(be16_load(out + 32), DEVNO);
        memcpy(entry, out + 28, 2);
    } else if (command == 0) {
        be16_store(entry, (u16)be32_load(out + 24));
    }
    return own_rc & 0xff;
}

static void role_is(u8 role, u8 state_of)
{
    u8 entry[2];
    ck_assert_uint_eq(bridge(8, entry), 0);
    ck_assert_uint_eq(entry[0], role);
    ck_assert_uint_eq(entry[1], state_of);
}

/* The adapter tells, unasked, of its role and state; -1: it does not. */
static int event(void)
{
    u8 a[OSA_MESSAGE_MAX];
    if (!answer(rd, a))
        return -1;
    ck_assert_uint_eq(a[0x40], osa->config.kind == OSA_HIPERSOCKETS ? 0xbe : 0x2b);
    ck_assert_uint_eq(a[0x41], 1); /* the adapter's own command */
    ck_assert_uint_eq(be32_load(a + 0x54 + 12), 0x10);
    ck_assert_uint_eq(be16_load(a + 0x0e), 0x54 + 40);
    return be16_load(a + 0x54 + 28);
}

START_TEST(a_bridge_port_gets_what_nobody_has)
{
    u8 commands[2];
    comes_up();
    ck_assert_uint_eq(bridge(0, commands), 0);
    ck_assert_uint_eq(be16_load(commands), 0x0f);
    role_is(0, 0);
    ck_assert_uint_eq(bridge(1, NULL), 0x0c);
    ck_assert(!gets(peer.port, stranger, peer_mac, 0));
    ck_assert_uint_eq(bridge(2, NULL), 0);
    ck_assert_int_eq(event(), 0x0102);
    ck_assert_int_eq(event(), -1);
    role_is(1, 2);
    ck_assert(gets(peer.port, stranger, peer_mac, 0));
    ck_assert(gets(peer.port, stranger, peer_mac, 9));
    ck_assert(!gets(outside.port, peer_mac, far, 0));
    ck_assert_uint_eq(bridge(2, NULL), 0x24);
    ck_assert_uint_eq(bridge(4, NULL), 0x24);
    ck_assert_int_eq(lan_port_bridge(third.port, LAN_BRIDGE_PRIMARY), ST_EXIST);
    ck_assert_uint_eq(about(ENABLE, FLOODING, NULL), 0x20b0);
    ck_assert_uint_eq(bridge(1, NULL), 0);
    ck_assert_int_eq(event(), 0);
    role_is(0, 0);
    ck_assert(!gets(peer.port, stranger, peer_mac, 0));
}
END_TEST

START_TEST(the_primary_is_active_then_the_first_secondary)
{
    comes_up();
    ck_assert_int_eq(lan_port_bridge(third.port, LAN_BRIDGE_SECONDARY), ST_OK);
    lan_port_bridge_tell(third.port);
    ck_assert_uint_eq(third.changes, 1);
    ck_assert_uint_eq(bridge(4, NULL), 0);
    role_is(2, 1);
    ck_assert(!gets(peer.port, stranger, peer_mac, 0));
    ck_assert_uint_eq(third.frames, 1);
    ck_assert_int_eq(lan_port_bridge(peer.port, LAN_BRIDGE_PRIMARY), ST_OK);
    lan_port_bridge_tell(peer.port);
    ck_assert_uint_eq(third.changes, 2);
    ck_assert_int_eq(event(), -1); /* it was not and is not */
    ck_assert_int_eq(lan_port_bridge(peer.port, LAN_BRIDGE_NONE), ST_OK);
    lan_port_remove(third.port); /* nothing may be told there: with the next frame */
    third.port = lan_port_add(lan, LAN_STATION, &other_ops, &third);
    ck_assert(gets(peer.port, stranger, peer_mac, 0));
    ck_assert_int_eq(event(), 0x0202);
    role_is(2, 2);
}
END_TEST

START_TEST(four_are_secondary_at_most)
{
    struct lan_port *more[LAN_BRIDGE_SECONDARIES_MAX];
    comes_up();
    for (unsigned i = 0; i < ARRAY_LEN(more); i++) {
        more[i] = lan_port_add(lan, LAN_STATION, &other_ops, &third);
        ck_assert_int_eq(lan_port_bridge(more[i], LAN_BRIDGE_SECONDARY), ST_OK);
    }
    ck_assert_uint_eq(bridge(4, NULL), 0x1c);
    ck_assert_uint_eq(bridge(2, NULL), 0);
    ck_assert_int_eq(lan_port_bridge(third.port, LAN_BRIDGE_PRIMARY), ST_EXIST);
    for (unsigned i = 0; i < ARRAY_LEN(more); i++)
        lan_port_remove(more[i]);
}
END_TEST

START_TEST(who_is_invisible_has_no_bridge_port)
{
    comes_up();
    enable_one(VNICC_BRIDGE_INVISIBLE, true);
    ck_assert_uint_eq(bridge(2, NULL), 0x20); /* not with characteristics */
    ck_assert_int_eq(lan_port_bridge(third.port, LAN_BRIDGE_PRIMARY), ST_OK);
    sends(own, stranger);
    sends(own, all);
    ck_assert_uint_eq(third.frames, 0);
    ck_assert_uint_eq(outside.frames, 2);
    ck_assert(!gets(third.port, own, far, 0));
    ck_assert(gets(peer.port, own, peer_mac, 0));
    enable_one(VNICC_BRIDGE_INVISIBLE, false);
    sends(own, stranger);
    ck_assert_uint_eq(third.frames, 1);
    ck_assert(gets(third.port, own, far, 0));
}
END_TEST

/* ---- the rest ---- */

/* A port of CP's without PROMISCUOUS: what nobody has told of is not its program's. */
START_TEST(under_cp_as_far_as_the_port_may)
{
    struct lan_rules may = {.promiscuous = true}, may_not = {0};
    osa->config.guest_lan = true;
    osa_set_rules(osa, &may_not);
    comes_up();
    ck_assert_uint_eq(bridge(2, NULL), 0x20);
    ck_assert_uint_eq(bridge(4, NULL), 0x20);
    enable_one(FLOODING, true);
    ck_assert(!gets(outside.port, stranger, far, 0));
    ck_assert(!lan_takes_strangers(lan));
    osa_set_rules(osa, &may);
    ck_assert(gets(outside.port, stranger, far, 0));
    ck_assert(lan_takes_strangers(lan));
    enable_one(FLOODING, false);
    ck_assert_uint_eq(bridge(2, NULL), 0);
    ck_assert_int_eq(event(), 0x0102);
    ck_assert(lan_takes_strangers(lan));
    osa_set_rules(osa, &may_not); /* told with the next frame; the role stays */
    ck_assert(!gets(peer.port, stranger, peer_mac, 0));
    ck_assert_int_eq(event(), 0x0101);
    role_is(1, 1);
    osa_set_rules(osa, &may);
    ck_assert(gets(peer.port, stranger, peer_mac, 0));
    ck_assert_int_eq(event(), 0x0102);
    role_is(1, 2);
}
END_TEST

START_TEST(protection_is_of_what_is_learnt_too)
{
    struct lan_rules own_only = {.promiscuous = true, .protect = true};
    memcpy(own_only.own, own, 6);
    osa_set_rules(osa, &own_only);
    comes_up();
    enable_one(LEARNING, true);
    sends(stranger, all);
    ck_assert_uint_eq(third.frames, 0);
    ck_assert(!gets(peer.port, stranger, peer_mac, 0));
}
END_TEST

START_TEST(a_trap)
{
    u8 op[88] = {0}, out[256];
    session();
    be16_store(op + 8, 16);
    be32_store(op + 12, 1);
    ck_assert_uint_eq(ipa(0xb9, op, 24, out), 0);
    ck_assert_uint_eq(be32_load(out + 20), 2); /* traps, no traces */
    be32_store(op + 12, 2);
    op[16] = 1;
    op[17] = 4;
    ck_assert_uint_eq(ipa(0xb9, op, sizeof op, NULL), 3); /* it is not armed */
    op[17] = 1;
    ck_assert_uint_eq(ipa(0xb9, op, sizeof op, NULL), 0);
    op[17] = 4;
    ck_assert_uint_eq(ipa(0xb9, op, sizeof op, NULL), 0); /* the log has it */
    op[17] = 2;
    ck_assert_uint_eq(ipa(0xb9, op, sizeof op, NULL), 0);
    op[17] = 8;
    ck_assert_uint_eq(ipa(0xb9, op, sizeof op, NULL), 2);
    be32_store(op + 12, 4);
    ck_assert_uint_eq(ipa(0xb9, op, sizeof op, NULL), 2);
    ck_assert_uint_eq(ipa(0xb9, op, 23, NULL), 6);
}
END_TEST

START_TEST(switch_attributes)
{
    u8 op[4] = {0}, out[64];
    session();
    ck_assert_uint_eq(adapter(0x100000, op, 0, out), 0);
    ck_assert_uint_eq(be32_load(out + 4), 1);
    ck_assert_uint_eq(be32_load(out + 8), 1);
}
END_TEST

/* Adapter state into one made anew on the same network, as where a machine goes on. */
static int moves(u8 change_at, u8 change)
{
    struct cause cause;
    struct codec_out out;
    struct codec_in in;
    css_quiesce(m.css);
    osa->s.layer2[change_at] ^= change;
    codec_out_init(&out);
    osa_save(&osa->dev[OSA_DATA], &out);
    osa->s.layer2[change_at] ^= change;
    codec_in_init(&in, out.data, out.len);
    int rc = osa_restore(&osa->dev[OSA_DATA], &in, &cause);
    codec_out_fini(&out);
    css_resume(m.css);
    return rc;
}

START_TEST(all_of_it_relocates)
{
    u32 seconds = 100;
    comes_up();
    enable_one(LEARNING, true);
    enable_one(FLOODING, true);
    ck_assert_uint_eq(about(SET_TIMEOUT, LEARNING, &seconds), 0);
    ck_assert_int_eq(moves(OSA_L2_CHANGED, 0), ST_OK);
    ck_assert_uint_eq(osa_vnicc(osa), VNICC_DEFAULT | LEARNING | FLOODING);
    ck_assert(gets(outside.port, stranger, peer_mac, 0));
    sends(far, peer_mac);
    now_ms += 99999;
    ck_assert(gets(peer.port, far, peer_mac, 0));
    enable_one(LEARNING, false);
    enable_one(FLOODING, false);
    ck_assert_uint_eq(bridge(2, NULL), 0);
    ck_assert_int_eq(event(), 0x0102);
    ck_assert_int_eq(moves(OSA_L2_CHANGED, 0), ST_OK);
    ck_assert_int_eq(event(), 0x0102); /* on another network it might be another */
    role_is(1, 2);
    ck_assert_int_eq(lan_port_bridge(osa->port, LAN_BRIDGE_NONE), ST_OK);
    ck_assert_int_eq(lan_port_bridge(third.port, LAN_BRIDGE_PRIMARY), ST_OK);
    lan_port_bridge_tell(third.port);
    ck_assert_int_eq(event(), 0x0101);
    ck_assert_int_eq(moves(OSA_L2_CHANGED, 0), ST_OK); /* where another one is primary */
    ck_assert_int_eq(event(), 0);
    role_is(0, 0);
    ck_assert_int_eq(lan_port_bridge(third.port, LAN_BRIDGE_NONE), ST_OK);
    ck_assert_int_eq(moves(OSA_L2_BRIDGE, 7), ST_PROTO);
    ck_assert_int_eq(moves(OSA_L2_TRAP, 2), ST_PROTO);
    ck_assert_int_eq(moves(OSA_L2_LEARNING, 0xff), ST_PROTO);
}
END_TEST

static TCase *tcase_of(Suite *suite, const char *name, void (*make)(void))
{
    TCase *tc = tcase_create(name);
    tcase_add_checked_fixture(tc, make, teardown_all);
    tcase_add_test(tc, vlans_that_were_not_named_are_not_heard);
    tcase_add_test(tc, what_there_is_can_be_asked);
    tcase_add_test(tc, each_is_turned_on_and_off);
    tcase_add_test(tc, groups_and_broadcasts);
    tcase_add_test(tc, flooding);
    tcase_add_test(tc, learning);
    tcase_add_test(tc, addresses_are_taken_over_by_leave_only);
    tcase_add_test(tc, what_is_learnt_has_a_limit);
    tcase_add_test(tc, a_bridge_port_gets_what_nobody_has);
    tcase_add_test(tc, the_primary_is_active_then_the_first_secondary);
    tcase_add_test(tc, four_are_secondary_at_most);
    tcase_add_test(tc, who_is_invisible_has_no_bridge_port);
    tcase_add_test(tc, under_cp_as_far_as_the_port_may);
    tcase_add_test(tc, protection_is_of_what_is_learnt_too);
    tcase_add_test(tc, a_trap);
    tcase_add_test(tc, switch_attributes);
    tcase_add_test(tc, all_of_it_relocates);
    suite_add_tcase(suite, tc);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("io_vnicc");
    tcase_of(suite, "OSA", setup_osa);
    tcase_of(suite, "HiperSockets", setup_iqd);
    return run_suite(suite);
}
