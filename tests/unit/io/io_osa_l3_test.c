/* Network adapters in layer 3: addresses, neighbours, packets both ways, assists, what the adapter
 * computes, HiperSockets, and that all of it relocates. */
#include "tests/unit/io/osa_fixture.h"

#define SECOND (4096ull * 1000000)
#define OUT (DATA + 0x400000)

static const u8 here[4] = {10, 0, 0, 1}, there[4] = {10, 0, 0, 2};
static const u8 here6[16] = {0xfd, [15] = 1}, there6[16] = {0xfd, [15] = 2};

static u16 set_ip(const u8 ip[4], u32 flags)
{
    u8 op[12] = {0};
    memcpy(op, ip, 4);
    be32_store(op + 8, flags);
    return ipa(0xb1, op, sizeof op, NULL);
}

static u16 set_ip6(u8 cmd, const u8 ip[16])
{
    u8 op[36] = {0};
    memcpy(op, ip, 16);
    ipa_protocol = 6;
    u16 rc = ipa(cmd, op, sizeof op, NULL);
    ipa_protocol = 4;
    return rc;
}

static u16 group4(u8 cmd, u8 last)
{
    u8 op[24] = {[20] = 224, [23] = last};
    return ipa(cmd, op, sizeof op, NULL);
}

/** SETASSPARMS; its own return code, what comes with it in `out`. */
static u16 assist(u32 bit, u16 command, const u8 *operand, u16 n, u8 *out)
{
    u8 op[128] = {0}, a[256];
    be32_store(op, bit);
    be16_store(op + 4, (u16)(8 + n));
    be16_store(op + 6, command);
    if (n)
        memcpy(op + 12, operand, n);
    ck_assert_uint_eq(ipa(0xb3, op, (u16)(12 + n), a), 0);
    if (out)
        memcpy(out, a + 12, 64);
    return be16_load(a + 8);
}

static void up3(unsigned inputs)
{
    u8 qdr[QDR_BYTES];
    session_of(3);
    indicators(SUMMARY, INDICATOR);
    qdr_make(qdr);
    qdr[0] = osa->config.kind == OSA_HIPERSOCKETS ? 2 : 0;
    ck_assert_uint_eq(establish(qdr), DS_NORMAL);
    activate();
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0);
    ck_assert_uint_eq(set_ip(here, 0), 0);
    peer.frames = 0;
    for (unsigned b = 0; b < inputs; b++) {
        element(0, b, 0, 0x40, 4096, DATA + b * 4096);
        state_put(0, b, 0x41);
    }
}

/** ARP from the peer. */
static void arp(u16 operation, const u8 sender[4], const u8 target[4])
{
    u8 f[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    memcpy(f + 6, peer_mac, 6);
    be16_store(f + 12, 0x0806);
    be16_store(f + 14, 1);
    be16_store(f + 16, 0x0800);
    f[18] = 6;
    f[19] = 4;
    be16_store(f + 20, operation);
    memcpy(f + 22, peer_mac, 6);
    memcpy(f + 28, sender, 4);
    memcpy(f + 38, target, 4);
    lan_send(peer.port, f, sizeof f);
}

static u16 packet4(u8 *p, u16 len, const u8 from[4], const u8 to[4])
{
    memset(p, 0, len);
    p[0] = 0x45;
    be16_store(p + 2, len);
    p[8] = 64;
    p[9] = 17;
    memcpy(p + 12, from, 4);
    memcpy(p + 16, to, 4);
    be16_store(p + 24, (u16)(len - 20));
    return len;
}

/** A packet for output buffer `b` of queue 0, its header given. */
static void output3(unsigned b, u8 *header, const u8 *packet, u16 len)
{
    u32 at = OUT + b * 0x12000, more = header[0] == 3 ? 64 : 32;
    be16_store(header + 8, len);
    storage_write(m.storage, at, header, more);
    storage_write(m.storage, at + 4096, packet, len);
    element(1, b, 0, 0, more, at);
    element(1, b, 1, 0x40, len, at + 4096);
    state_put(1, b, 0x62);
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x80000000, 0), 0);
}

static void send4(unsigned b, const u8 to[4], u8 cast)
{
    u8 header[32] = {1, cast}, p[100];
    memcpy(header + 28, to, 4);
    packet4(p, sizeof p, here, to);
    output3(b, header, p, sizeof p);
    ck_assert_uint_eq(state(1, b), 0xa1);
}

START_TEST(addresses_of_layer_3)
{
    u8 op[8] = {0};
    session_of(3);
    ck_assert_uint_eq(set_ip(here, 0), 0xe008); /* no LAN */
    ck_assert_uint_eq(ipa(0x21, op, 8, NULL), 1);
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0);
    ck_assert_uint_eq(ipa(0xb1, op, 8, NULL), 6);
    ck_assert_uint_eq(set_ip(here, 0), 0);
    ck_assert_uint_eq(set_ip(here, 0), 0xe005);
    ck_assert_uint_eq(set_ip6(0xb1, here6), 0);
    ck_assert_uint_eq(set_ip6(0xb7, here6), 0);
    ck_assert_uint_eq(set_ip6(0xb7, here6), 0xe010);
    for (u8 i = 0; i < OSA_IPS_MAX - 1; i++)
        ck_assert_uint_eq(set_ip((u8[4]){10, 1, 0, i}, 1), 0);
    ck_assert_uint_eq(set_ip(there, 0), 0xe006);
    ck_assert_uint_eq(group4(0xb4, 1), 0);
    ck_assert_uint_eq(group4(0xb4, 1), 0xe013);
    ck_assert_uint_eq(group4(0xb5, 1), 0);
    ck_assert_uint_eq(group4(0xb5, 1), 0xe00b);
    ck_assert_uint_eq(ipa(0xb6, (u8[1]){6}, 1, NULL), 0xe012);
    ck_assert_uint_eq(ipa(0xb6, (u8[1]){0x11}, 1, NULL), 0);
    u8 unique[256];
    ck_assert_uint_eq(ipa(0xc3, op, 8, unique), 0);
    ck_assert_mem_eq(unique, own, 6);
    ck_assert_uint_eq(ipa(0xc4, op, 8, NULL), 0);
    ck_assert_int_eq(lan_mac_add(peer.port, own), ST_EXIST); /* the station is the adapter's */
}
END_TEST

START_TEST(an_address_is_announced_and_answered_for)
{
    up3(0);
    ck_assert_uint_eq(set_ip((u8[4]){10, 0, 0, 7}, 2), 0); /* taken over: nobody is asked */
    ck_assert_uint_eq(peer.frames, 1);
    ck_assert_mem_eq(peer.frame + 28, peer.frame + 38, 4);
    ck_assert_uint_eq(peer.frame[41], 7);
    arp(1, there, here);
    ck_assert_uint_eq(peer.frames, 2);
    ck_assert_mem_eq(peer.frame, peer_mac, 6);
    ck_assert_uint_eq(be16_load(peer.frame + 20), 2);
    ck_assert_mem_eq(peer.frame + 22, own, 6);
    ck_assert_mem_eq(peer.frame + 28, here, 4);
    arp(1, there, there); /* not ours */
    ck_assert_uint_eq(set_ip((u8[4]){10, 0, 0, 8}, 1), 0);
    arp(1, there, (u8[4]){10, 0, 0, 8}); /* ours, but virtual */
    ck_assert_uint_eq(peer.frames, 2);
    send4(0, there, 6); /* who asked is known */
    ck_assert_uint_eq(peer.frames, 3);
    ck_assert_mem_eq(peer.frame, peer_mac, 6);
}
END_TEST

/** Another adapter on the network, that answers. */
static bool other_deliver(void *arg, const u8 *frame, size_t len)
{
    (void)len;
    if (be16_load(frame + 12) == 0x0806 && be16_load(frame + 20) == 1)
        arp(2, frame + 38, frame + 28);
    return arg != NULL;
}

START_TEST(an_address_that_another_has)
{
    static const struct lan_port_ops ops = {.deliver = other_deliver};
    up3(0);
    struct lan_port *other = lan_port_add(lan, LAN_STATION, &ops, NULL);
    ck_assert_uint_eq(set_ip(there, 0), 0xe00a);
    ck_assert_uint_eq(set_ip(there, 2), 0);
    lan_port_remove(other);
    ck_assert_uint_eq(set_ip((u8[4]){10, 0, 0, 9}, 0), 0);
}
END_TEST

START_TEST(a_neighbour_is_looked_for)
{
    up3(0);
    send4(0, there, 6);
    send4(1, there, 6);
    ck_assert_uint_eq(peer.frames, 1); /* it is asked for once */
    ck_assert_uint_eq(be16_load(peer.frame + 12), 0x0806);
    ck_assert_mem_eq(peer.frame + 28, here, 4);
    ck_assert_mem_eq(peer.frame + 38, there, 4);
    arp(2, there, here);
    ck_assert_uint_eq(peer.frames, 3); /* both packets went */
    ck_assert_uint_eq(be16_load(peer.frame + 12), 0x0800);
    ck_assert_mem_eq(peer.frame, peer_mac, 6);
    ck_assert_mem_eq(peer.frame + 6, own, 6);
    m.tod += 250 * SECOND; /* old: used, and asked for again */
    send4(2, there, 6);
    ck_assert_uint_eq(peer.frames, 5);
    m.tod += 100 * SECOND; /* too old */
    send4(3, there, 6);
    ck_assert_uint_eq(peer.frames, 6);
    m.tod += 2 * SECOND;
    send4(4, there, 6); /* no answer yet: asked again after a second */
    ck_assert_uint_eq(peer.frames, 7);
    for (unsigned i = 0; i < OSA_WAITING_FRAMES + 5; i++)
        send4(5 + i % 100, (u8[4]){10, 0, 1, 1}, 6);
    ck_assert_uint_eq(osa->waiting.count, OSA_WAITING_FRAMES);
    ck_assert_uint_eq(ipa(0x02, NULL, 0, NULL), 0);
}
END_TEST

START_TEST(groups_and_all_need_no_neighbour)
{
    up3(0);
    send4(0, (u8[4]){10, 0, 0, 255}, 5);
    ck_assert_uint_eq(peer.frame[0], 0xff);
    send4(1, (u8[4]){224, 129, 2, 3}, 4);
    ck_assert_mem_eq(peer.frame, "\x01\x00\x5e\x01\x02\x03", 6);
    ck_assert_uint_eq(peer.frames, 2);
}
END_TEST

/** A packet for the program, in a frame to `mac`; what the first four buffers' headers say. */
static void comes4(const u8 *mac, const u8 to[4], u16 vlan)
{
    u8 f[118], *p = f + 14;
    memcpy(f, mac, 6);
    memcpy(f + 6, peer_mac, 6);
    if (vlan) {
        be16_store(f + 12, 0x8100);
        be16_store(f + 14, vlan);
        p += 4;
    }
    be16_store(p - 2, 0x0800);
    packet4(p, 100, there, to);
    osa_checksum_set(f, (u32)(p + 100 - f), 0x30);
    lan_send(peer.port, f, (size_t)(p + 100 - f));
}

static const u8 *header_at(unsigned b)
{
    static u8 h[64];
    storage_read(m.storage, DATA + b * 4096, h, sizeof h);
    return h;
}

START_TEST(packets_come_in)
{
    static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                    group[6] = {1, 0, 0x5e, 0, 0, 5};
    up3(8);
    comes4(own, here, 0);
    const u8 *h = header_at(0);
    ck_assert_uint_eq(state(0, 0), 0x82);
    ck_assert_uint_eq(h[0], 1);
    ck_assert_uint_eq(h[1], 6);
    ck_assert_uint_eq(be16_load(h + 8), 100);
    ck_assert_uint_eq(h[11], 0);
    ck_assert_uint_eq(h[32], 0x45);
    comes4(own, (u8[4]){9, 9, 9, 9}, 0); /* for somebody else, and we are no router */
    comes4(all, (u8[4]){10, 0, 0, 255}, 0);
    comes4(group, (u8[4]){224, 0, 0, 5}, 0);
    ck_assert_uint_eq(state(0, 1), 0x41);
    ck_assert_uint_eq(ipa(0xb6, (u8[1]){1}, 1, NULL), 0);
    comes4(own, (u8[4]){9, 9, 9, 9}, 0);
    ck_assert_uint_eq(state(0, 1), 0x82);
    ck_assert_uint_eq(assist(0x10, 1, NULL, 0, NULL), 0);
    comes4(all, (u8[4]){10, 0, 0, 255}, 0);
    ck_assert_uint_eq(header_at(2)[1], 5);
    ck_assert_uint_eq(group4(0xb4, 5), 0);
    ck_assert_uint_eq(assist(0x10000, 1, NULL, 0, NULL), 0); /* who sent it */
    comes4(group, (u8[4]){224, 0, 0, 5}, 0x2007);
    h = header_at(3);
    ck_assert_uint_eq(h[1], 4);
    ck_assert_uint_eq(h[11], 0x09);
    ck_assert_uint_eq(be16_load(h + 12), 0x2007);
    ck_assert_mem_eq(h + 18, peer_mac, 6);
    ck_assert_uint_eq(h[32], 0x45);
    ck_assert_uint_eq(assist(2, 4, (u8[4]){0, 0, 0, 0x1a}, 4, NULL), 0);
    comes4(own, here, 0);
    ck_assert_uint_eq(header_at(4)[11], 0x38); /* its checksums are right */
}
END_TEST

START_TEST(a_vlan_goes_out)
{
    u8 header[32] = {1, 6, [11] = 1, [12] = 0, [13] = 9}, p[60];
    up3(0);
    memcpy(header + 28, (u8[4]){224, 0, 0, 1}, 4);
    packet4(p, sizeof p, here, (u8[4]){224, 0, 0, 1});
    output3(0, header, p, sizeof p);
    ck_assert_uint_eq(peer.len, 78);
    ck_assert_uint_eq(be32_load(peer.frame + 12), 0x81000009);
    ck_assert_uint_eq(be16_load(peer.frame + 16), 0x0800);
}
END_TEST

START_TEST(ipv6_passes_thru)
{
    u8 f[94] = {0}, header[32] = {1, 0x96};
    up3(2);
    ck_assert_uint_eq(set_ip6(0xb1, here6), 0);
    ipa_protocol = 6;
    ck_assert_uint_eq(assist(0x1000, 1, NULL, 0, NULL), 0);
    memcpy(f, own, 6);
    memcpy(f + 6, peer_mac, 6);
    be16_store(f + 12, 0x86dd);
    f[14] = 0x60;
    f[14 + 5] = 40;
    memcpy(f + 14 + 24, here6, 16);
    lan_send(peer.port, f, sizeof f);
    const u8 *h = header_at(0);
    ck_assert_uint_eq(h[1], 0x96);
    ck_assert_uint_eq(be16_load(h + 8), 94);
    ck_assert_mem_eq(h + 32, own, 6); /* a frame */
    memcpy(f, peer_mac, 6);
    memcpy(f + 6, own, 6);
    output3(0, header, f, sizeof f);
    ck_assert_uint_eq(peer.len, 94);
    ck_assert_mem_eq(peer.frame, f, 94);
}
END_TEST

/** The ARP table as the program asks for it; entries in all, answers in *parts. */
static u32 query(unsigned *parts)
{
    u8 msg[256], a[OSA_MESSAGE_MAX];
    u16 len = control(msg, 0xc1, 0, 0x40 + 20 + 20);
    u32 n = 0;
    msg[0x40] = 0xb3;
    be16_store(msg + 0x4a, 4);
    be32_store(msg + 0x54, 1);
    be16_store(msg + 0x54 + 6, 0x0104);
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL);
    for (*parts = 0; answer(rd, a);) {
        ++*parts;
        ck_assert_uint_eq(a[0x54 + 11], *parts);
        ck_assert_uint_eq(be16_load(a + 0x54 + 12 + 2), 7);
        n += be32_load(a + 0x54 + 12 + 4);
    }
    ck_assert_uint_eq(a[0x54 + 10], *parts);
    return n;
}

START_TEST(the_table_of_neighbours)
{
    unsigned parts;
    u8 entry[64] = {2, 0, 0, 0, 0, 9};
    up3(0);
    ck_assert_uint_eq(query(&parts), 0);
    ck_assert_uint_eq(parts, 1);
    for (u8 i = 0; i < 200; i++)
        arp(1, (u8[4]){10, 0, 1, i}, here);
    ck_assert_uint_eq(query(&parts), 200);
    ck_assert_uint_eq(parts, 3);
    memcpy(entry + 8, there, 4);
    ck_assert_uint_eq(assist(1, 5, entry, 56, NULL), 0);
    lan_port_promiscuous(peer.port, true);
    arp(2, there, here); /* what the program entered stays */
    send4(0, there, 6);
    ck_assert_mem_eq(peer.frame, entry, 6);
    ck_assert_uint_eq(query(&parts), 201);
    ck_assert_uint_eq(assist(1, 6, entry, 56, NULL), 0);
    ck_assert_uint_eq(query(&parts), 200);
    entry[0] = 1;
    ck_assert_uint_eq(assist(1, 5, entry, 56, NULL), 3); /* a group has no neighbours */
    for (unsigned i = 0; i < 300; i++)
        arp(1, (u8[4]){10, 1, (u8)(i >> 8), (u8)i}, here);
    ck_assert_uint_eq(query(&parts), OSA_NEIGHBOURS_MAX);
    ck_assert_uint_eq(assist(1, 7, NULL, 0, NULL), 0);
    ck_assert_uint_eq(query(&parts), 0);
}
END_TEST

START_TEST(assists_are_what_the_adapter_has)
{
    u8 out[64];
    session_of(3);
    ck_assert_uint_eq(osa_assists(osa, OSA_IPV4), 0x00114c77);
    ck_assert_uint_eq(osa_assists(osa, OSA_IPV6), 0x00d05c60);
    ck_assert_uint_eq(assist(4, 1, NULL, 0, out), 0);
    ck_assert_uint_eq(be32_load(out), 0x3a);
    ck_assert_uint_eq(osa->s.assists[0], 0);
    ck_assert_uint_eq(assist(4, 4, (u8[4]){0, 0, 0, 0x1a}, 4, out), 0);
    ck_assert_uint_eq(be32_load(out + 4), 0x1a);
    ck_assert_uint_eq(osa->s.assists[0], 4);
    ck_assert_uint_eq(assist(4, 2, NULL, 0, NULL), 0);
    ck_assert_uint_eq(osa->s.assists[0], 0);
    ck_assert_uint_eq(assist(0x100000, 1, NULL, 0, out), 0);
    ck_assert_uint_gt(be32_load(out), 1500);
    ck_assert_uint_eq(assist(0x80, 1, NULL, 0, NULL), 4);
    ck_assert_uint_eq(assist(4, 9, NULL, 0, NULL), 4);
    ck_assert_uint_eq(ipa(0x2a, out, 32, NULL), 1); /* characteristics of a VNIC */
    ck_assert_uint_eq(ipa(0x2b, out, 32, NULL), 1); /* bridge ports */
    session();
    ck_assert_uint_eq(osa_assists(osa, OSA_IPV4), 0x00100426);
    ck_assert_uint_eq(ipa(0x2f, out, 32, NULL), 0x2003);
    ck_assert_uint_eq(ipa(0xbe, out, 32, NULL), 0x2003); /* bridge ports of HiperSockets */
}
END_TEST

static struct {
    unsigned frames;
    u32 bytes, sequence, payload;
    u8 flags, all_right;
} pieces;

static bool piece_deliver(void *arg, const u8 *f, size_t len)
{
    const u8 *tcp = f + 34;
    (void)arg;
    pieces.frames++;
    ck_assert_uint_eq(be16_load(f + 16), len - 14);
    ck_assert_uint_eq(be32_load(tcp + 4), pieces.sequence);
    pieces.sequence += (u32)len - 54;
    for (size_t i = 54; i < len; i++)
        ck_assert_uint_eq(f[i], (u8)pieces.bytes++);
    pieces.flags = tcp[13];
    pieces.all_right &= osa_checksum_right(f, (u32)len) == 0x30;
    ck_assert(pieces.frames == 6 || !(tcp[13] & 9)); /* the end comes last */
    ck_assert(pieces.frames == 1 || !(tcp[13] & 0x80));
    return true;
}

START_TEST(large_segments_are_cut)
{
    static const struct lan_port_ops ops = {.deliver = piece_deliver};
    u8 header[64] = {3, 6}, p[5240] = {0x45};
    memset(&pieces, 0, sizeof pieces);
    pieces.sequence = 0xfffffff0;
    pieces.all_right = 1;
    up3(0);
    arp(1, there, here);
    lan_mac_clear(peer.port);
    struct lan_port *port = lan_port_add(lan, LAN_STATION, &ops, NULL);
    ck_assert_int_eq(lan_mac_add(port, peer_mac), ST_OK);
    memcpy(header + 28, there, 4);
    be16_store(header + 44, 1000);
    p[9] = 6; /* TCP, and no length: that is the adapter's */
    memcpy(p + 12, here, 4);
    memcpy(p + 16, there, 4);
    be32_store(p + 24, pieces.sequence);
    p[32] = 0x50;
    p[33] = 0x99;
    for (unsigned i = 0; i < 5200; i++)
        p[40 + i] = (u8)i;
    output3(0, header, p, sizeof p);
    ck_assert_uint_eq(pieces.frames, 6);
    ck_assert_uint_eq(pieces.bytes, 5200);
    ck_assert_uint_eq(pieces.flags, 0x19);
    ck_assert_uint_eq(pieces.all_right, 1);
    be16_store(header + 44, 0); /* segments of nothing */
    output3(1, header, p, sizeof p);
    ck_assert_uint_eq(state(1, 1), 0xaf);
    lan_port_remove(port);
}
END_TEST

START_TEST(checksums_of_every_length)
{
    for (u16 len = 28; len < 120; len++) {
        u8 f[200] = {0};
        be16_store(f + 12, 0x0800);
        packet4(f + 14, len, here, there);
        for (u16 i = 28; i < len; i++)
            f[14 + i] = (u8)(i * 7);
        osa_checksum_set(f, 14u + len, 0x30);
        ck_assert_uint_eq(osa_checksum_right(f, 14u + len), 0x30);
        f[14 + len - 1] ^= 0x40;
        ck_assert_uint_eq(osa_checksum_right(f, 14u + len), 0x10);
    }
    /* RFC 1071's example as a header would not be one; this one is known. */
    u8 known[34] = {[12] = 8, [14] = 0x45, 0,    0,    0x73, 0, 0,    0x40, 0, 0x40, 0x11,
                    0,        0,           0xc0, 0xa8, 0,    1, 0xc0, 0xa8, 0, 0xc7};
    osa_checksum_set(known, sizeof known, 0x10);
    ck_assert_uint_eq(be16_load(known + 24), 0xb861);
}
END_TEST

START_TEST(the_address_table)
{
    u8 op[16] = {0}, msg[256], a[OSA_MESSAGE_MAX];
    up3(0);
    ck_assert_uint_eq(set_ip6(0xb1, here6), 0);
    ck_assert_uint_eq(group4(0xb4, 1), 0);
    ck_assert_uint_eq(adapter(0x80000, op, 16, NULL), 0); /* its level */
    op[3] = 2;
    ck_assert_uint_eq(adapter(0x80000, op, 16, NULL), 8);
    u16 len = control(msg, 0xc1, 0, 0x40 + 20 + 40);
    msg[0x40] = 0xb8;
    be32_store(msg + 0x54 + 12, 0x80000);
    be32_store(msg + 0x54 + 24, 1);
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL);
    ck_assert(answer(rd, a));
    const u8 *p = a + 0x54 + 40;
    ck_assert_uint_eq(be16_load(a + 0x54 + 8), 32 + 80 + 96 + 4 * 48 + 8 + 16 + 24 + 8);
    ck_assert_uint_eq(be16_load(p), 4);
    ck_assert_mem_eq(p + 16 + 10, own, 6);
    ck_assert_uint_eq(be16_load(p + 80), 8);
    ck_assert_uint_eq(be16_load(p + 80 + 16 + 64), 4); /* kinds of entries */
    ck_assert_uint_eq(be32_load(p + 80 + 96 + 16), 1);
    ck_assert_mem_eq(p + 80 + 96 + 48, here, 4);
    for (u8 i = 0; i < 120; i++)
        ck_assert_uint_eq(set_ip((u8[4]){10, 1, 0, i}, 1), 0);
    for (u8 i = 2; i < 255; i++)
        ck_assert_uint_eq(group4(0xb4, i), 0);
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL);
    ck_assert(answer(rd, a)); /* as much as an answer holds */
    ck_assert_uint_le(be16_load(a + 0x0e), OSA_MESSAGE_MAX);
}
END_TEST

START_TEST(isolated_stations_hear_uplinks_only)
{
    u8 op[32] = {[3] = 2};
    up3(1);
    arp(1, there, here);
    peer.frames = 0;
    ck_assert_uint_eq(adapter(0x10000, op, 12, NULL), 0);
    send4(0, there, 6);
    arp(1, there, here);
    comes4(own, here, 0);
    ck_assert_uint_eq(peer.frames, 0);
    ck_assert_uint_eq(state(0, 0), 0x41);
    op[3] = 0;
    ck_assert_uint_eq(adapter(0x10000, op, 12, NULL), 0);
    send4(1, there, 6);
    ck_assert_uint_eq(peer.frames, 1);
    op[3] = 3;
    ck_assert_uint_eq(adapter(0x10000, op, 12, NULL), 4);
}
END_TEST

START_TEST(layer_3_relocates)
{
    static struct machine to;
    struct cause cause;
    struct codec_out out;
    struct codec_in in, block;
    struct codec_row row;
    struct osa_config config = {.devno = DEVNO, .mac = {2, 0, 0, 0, 6, 0}};
    up3(2);
    arp(1, there, here);
    ck_assert_uint_eq(set_ip6(0xb1, here6), 0);
    css_quiesce(m.css);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 0x99, &out, &cause), ST_OK);
    machine_init(&to);
    struct osa *second;
    ck_assert_int_eq(osa_create(to.css, &config, lan, false, &second, &cause), ST_OK);
    for (u64 at = 0; at < STORAGE_BYTES; at += 4096)
        storage_write(to.storage, at, storage_host(m.storage, at, 4096), 4096);
    css_quiesce(to.css);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &block));
    ck_assert_int_eq(css_restore(to.css, &block, &cause), ST_OK);
    peer.frames = 0;
    css_resume(to.css);
    ck_assert_uint_eq(peer.frames, 3); /* station, IPv4, IPv6 */
    ck_assert_uint_eq(second->s.ips, 2);
    ck_assert_uint_eq(second->s.nears, 1);
    ck_assert_int_eq(osa_uncouple(osa), true); /* the source has ended */
    arp(1, there, here);
    ck_assert_uint_eq(peer.frames, 4);
    machine_fini(&m);
    m = to;
    osa = second;
    send4(0, there, 6);
    ck_assert_uint_eq(peer.frames, 5);
    ck_assert_mem_eq(peer.frame, peer_mac, 6);
    codec_out_fini(&out);
}
END_TEST

/* --- HiperSockets ---------------------------------------------------------------------------- */

static void setup_iqd(void)
{
    setup_kind(OSA_HIPERSOCKETS);
}

START_TEST(hipersockets_say_what_they_are)
{
    u8 id[20], page[CHSC_BYTES] = {0, 0x10, 0x00, 0x02};
    ck_assert_uint_eq(command(data, 0xe4, ANSWER, 32), DS_NORMAL);
    storage_read(m.storage, ANSWER, id, sizeof id);
    ck_assert_mem_eq(id, "\xff\x17\x31\x05\x17\x32\x05", 7);
    page[7] = page[11] = CHPID_IQD;
    ck_assert_int_eq(css_chsc(m.css, page), 0);
    ck_assert_uint_eq(page[26], 0x24);
    memset(page, 0, sizeof page);
    be32_store(page, 0x00100024);
    be16_store(page + 6, (u16)data);
    be16_store(page + 10, (u16)data);
    ck_assert_int_eq(css_chsc(m.css, page), 0);
    ck_assert_uint_eq(page[24 + 4], 2);              /* format */
    ck_assert_uint_eq(be32_load(page + 24 + 12), 0); /* no completion queues */
    u8 qdr[QDR_BYTES];
    qdr_make(qdr);
    ck_assert_uint_eq(establish(qdr), DS_NORMAL | DS_UNIT_CHECK); /* queues of an OSA */
    session_of(3);
    ck_assert_uint_eq(osa_assists(osa, OSA_IPV4), 0x00014c71);
    ck_assert_uint_eq(osa_assists(osa, OSA_IPV6), 0x00004c60);
    ck_assert_uint_eq(css_siga(m.css, 4, data, 0x80000000, 0), 1); /* asynchronous */
}
END_TEST

START_TEST(frame_sizes)
{
    static const struct {
        const char *name;
        u16 frame;
    } size[] = {{"16K", 0x4000}, {"24", 0x6000}, {"40K", 0xa000}, {"64", 0xffff}};
    u8 msg[256], a[OSA_MESSAGE_MAX];
    for (unsigned i = 0; i < ARRAY_LEN(size); i++) {
        ck_assert(osa_mfs_named(size[i].name, &osa->config.mfs));
        idx_on(rd, 0x19);
        idx_on(wr, 0x15);
        u16 len = control(msg, 0x41, 0x4102, 0x6b);
        msg[0x50] = 3;
        ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL);
        ck_assert(answer(rd, a));
        ck_assert_uint_eq(be16_load(a + 0x5f), size[i].frame);
    }
    ck_assert(!osa_mfs_named("17K", &osa->config.mfs));
    ck_assert(!osa_mfs_named("16KB", &osa->config.mfs));
    ck_assert(!osa_mfs_named("", &osa->config.mfs));
}
END_TEST

static void solicitation(void)
{
    u8 f[86] = {0x33, 0x33, 0xff, 0, 0, 1}, *ip = f + 14;
    memcpy(f + 6, peer_mac, 6);
    be16_store(f + 12, 0x86dd);
    ip[0] = 0x60;
    ip[5] = 32;
    ip[6] = 58;
    ip[7] = 255;
    memcpy(ip + 8, there6, 16);
    memcpy(ip + 24, "\xff\x02\0\0\0\0\0\0\0\0\0\1\xff\0\0\1", 16);
    ip[40] = 135;
    memcpy(ip + 48, here6, 16);
    ip[64] = 1;
    ip[65] = 1;
    memcpy(ip + 66, peer_mac, 6);
    lan_send(peer.port, f, sizeof f);
}

START_TEST(hipersockets_find_ipv6_neighbours)
{
    u8 header[32] = {1, 0x86}, p[60] = {0x60};
    up3(1);
    ck_assert_uint_eq(set_ip6(0xb1, here6), 0);
    peer.frames = 0;
    memcpy(header + 16, there6, 16);
    p[5] = 20;
    output3(0, header, p, sizeof p);
    ck_assert_uint_eq(peer.frames, 1);
    ck_assert_uint_eq(peer.frame[54], 135);
    ck_assert_mem_eq(peer.frame, "\x33\x33\xff\0\0\2", 6);
    solicitation(); /* it is answered, and the packet goes */
    ck_assert_uint_eq(peer.frames, 3);
    ck_assert_uint_eq(state(0, 0), 0x41); /* the program hears nothing of it */
    output3(1, header, p, sizeof p);
    ck_assert_mem_eq(peer.frame, peer_mac, 6);
    ck_assert_uint_eq(be16_load(peer.frame + 12), 0x86dd);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_osa_l3");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, addresses_of_layer_3);
    tcase_add_test(tc, an_address_is_announced_and_answered_for);
    tcase_add_test(tc, an_address_that_another_has);
    tcase_add_test(tc, a_neighbour_is_looked_for);
    tcase_add_test(tc, groups_and_all_need_no_neighbour);
    tcase_add_test(tc, packets_come_in);
    tcase_add_test(tc, a_vlan_goes_out);
    tcase_add_test(tc, ipv6_passes_thru);
    tcase_add_test(tc, the_table_of_neighbours);
    tcase_add_test(tc, assists_are_what_the_adapter_has);
    tcase_add_test(tc, large_segments_are_cut);
    tcase_add_test(tc, checksums_of_every_length);
    tcase_add_test(tc, the_address_table);
    tcase_add_test(tc, isolated_stations_hear_uplinks_only);
    tcase_add_test(tc, layer_3_relocates);
    TCase *iqd = tcase_create("iqd");
    suite_add_tcase(suite, iqd);
    tcase_add_checked_fixture(iqd, setup_iqd, teardown);
    tcase_set_timeout(iqd, 60);
    tcase_add_test(iqd, hipersockets_say_what_they_are);
    tcase_add_test(iqd, frame_sizes);
    tcase_add_test(iqd, hipersockets_find_ipv6_neighbours);
    return run_suite(suite);
}
