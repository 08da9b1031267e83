/* An OSA adapter as its driver sees it: control session, IP assist commands, queues, indicators,
 * and all that a program can get wrong with them. */
#include "tests/unit/io/osa_fixture.h"

START_TEST(sense_id_names_the_adapter)
{
    u8 id[20];
    ck_assert_uint_eq(command(data, 0xe4, ANSWER, 32), DS_NORMAL);
    storage_read(m.storage, ANSWER, id, sizeof id);
    ck_assert_mem_eq(id, "\xff\x17\x31\x01\x17\x32\x01", 7);
    ck_assert_uint_eq(id[8] & 0xc0, 0x40); /* command information words follow */
    ck_assert_uint_eq(command(rd, 0x72, ANSWER, 128), DS_NORMAL);
    ck_assert_uint_eq(command(rd, 0x63, ANSWER, 1), DS_NORMAL | DS_UNIT_CHECK);
}
END_TEST

/* A channel path is of one type, so disks have other ones. */
START_TEST(its_path_is_no_disk_path)
{
    u8 schib[52];
    ck_assert_int_eq(css_stsch(m.css, data, schib), 0);
    ck_assert_uint_eq(schib[16], CHPID_OSA);
    ck_assert(schib[16] < CHPID_DASD || schib[16] >= CHPID_DASD + 8);
}
END_TEST

START_TEST(the_control_session)
{
    u8 a[OSA_MESSAGE_MAX];
    session();
    ck_assert_uint_eq(osa->s.layer, OSA_LAYER2);
    ck_assert(!answer(rd, a)); /* a read without an answer waits */
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0);
    ck_assert_uint_eq(ipa(0xff, NULL, 0, NULL), 0x2003);
    idx_on(rd, 0x19); /* a new session forgets the old one */
    ck_assert_uint_eq(osa->s.lan, 0);
}
END_TEST

START_TEST(a_read_gets_an_answer_that_comes_later)
{
    struct irb irb;
    u8 msg[256];
    session();
    ccw1(&m, PROGRAM + 64, READ, CCW_SLI, OSA_MESSAGE_MAX, ANSWER);
    ck_assert_int_eq(start(&m, rd, ORB_F, PROGRAM + 64), 0);
    ck_assert_int_eq(tsch(&m, rd, &irb), 1);
    u16 len = control(msg, 0xc1, 0, 0x40 + 20);
    msg[0x40] = 0x01;
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL);
    ck_assert_int_eq(tsch(&m, rd, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
}
END_TEST

START_TEST(bad_messages_are_rejected)
{
    u8 msg[OSA_MESSAGE_MAX];
    u16 len = control(msg, 0x81, 0x4102, 0x63);
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL | DS_UNIT_CHECK); /* before IDX */
    session();
    ck_assert_uint_eq(message(rd, msg, len), DS_NORMAL | DS_UNIT_CHECK);
    ck_assert_uint_eq(message(wr, msg, 10), DS_NORMAL | DS_UNIT_CHECK);
    ck_assert_uint_eq(message(wr, msg, 0x50), DS_NORMAL | DS_UNIT_CHECK); /* no room for it */
    len = control(msg, 0x81, 0x4199, 0x63);
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL | DS_UNIT_CHECK);
    len = control(msg, 0x81, 0x4102, 0x63);
    msg[0x0b] = 0xff;
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL | DS_UNIT_CHECK);
    for (unsigned i = 0; i < OSA_REPLIES_MAX; i++) { /* answers that nobody reads */
        len = control(msg, 0xc1, 0, 0x40 + 20);
        ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL);
    }
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL | DS_UNIT_CHECK);
}
END_TEST

START_TEST(addresses)
{
    static const u8 group[6] = {1, 0, 0x5e, 0, 0, 1};
    u8 bad[10] = {0, 0, 0, 5};
    session();
    ck_assert_uint_eq(ipa_mac(0x21, peer_mac), 0x2005); /* the other side's */
    ck_assert_uint_eq(ipa_mac(0x21, own), 0);
    ck_assert_uint_eq(ipa_mac(0x21, own), 0x2005);
    ck_assert_uint_eq(ipa_mac(0x21, group), 6);
    ck_assert_uint_eq(ipa(0x21, bad, 10, NULL), 6);
    ck_assert_uint_eq(ipa(0x21, bad, 9, NULL), 6);
    ck_assert_uint_eq(ipa_mac(0x23, group), 0);
    ck_assert_uint_eq(ipa_mac(0x23, group), 0x2005);
    ck_assert_uint_eq(ipa_mac(0x23, own), 6);
    ck_assert_uint_eq(ipa_mac(0x24, group), 0);
    ck_assert_uint_eq(ipa_mac(0x24, group), 0x200b);
    ck_assert_uint_eq(ipa_mac(0x22, own), 0);
    ck_assert_uint_eq(ipa_mac(0x22, own), 0x2010);
    for (unsigned i = 0; i < OSA_MACS_MAX; i++)
        ck_assert_uint_eq(ipa_mac(0x21, (u8[6]){2, 1, 0, 0, 0, (u8)i}), 0);
    ck_assert_uint_eq(ipa_mac(0x21, own), 0x2006);
}
END_TEST

START_TEST(vlans)
{
    session();
    ck_assert_uint_eq(ipa(0x25, (u8[2]){0, 100}, 2, NULL), 0);
    ck_assert_uint_eq(ipa(0x25, (u8[2]){0, 100}, 2, NULL), 0x2016);
    ck_assert_uint_eq(ipa(0x26, (u8[2]){0, 100}, 2, NULL), 0);
    ck_assert_uint_eq(ipa(0x26, (u8[2]){0, 100}, 2, NULL), 0x2017);
    ck_assert_uint_eq(ipa(0x25, (u8[2]){0x0f, 0xff}, 2, NULL), 0x2015);
    ck_assert_uint_eq(ipa(0x25, (u8[2]){0xff, 0xff}, 2, NULL), 0x2015);
}
END_TEST

START_TEST(adapter_parameters)
{
    u8 out[64], op[32] = {0};
    session();
    ck_assert_uint_eq(adapter(1, op, 0, out), 0);
    ck_assert_uint_eq(be32_load(out + 8), 0x00192c03);
    ck_assert_uint_eq(adapter(2, op, 18, out), 0);
    ck_assert_mem_eq(out + 12, own, 6);
    ck_assert_uint_eq(adapter(2, op, 17, out), 6);
    ck_assert_uint_eq(adapter(0x400, op, 0, out), 0);
    ck_assert_uint_eq(out[0], 0xb1);
    ck_assert_uint_eq(adapter(0x4000, op, 0, out), 4);
    op[3] = 1;
    ck_assert_uint_eq(adapter(0x800, op, 4, out), 0);
    ck_assert_uint_eq(osa->s.promiscuous, 1);
    op[3] = 2;
    ck_assert_uint_eq(adapter(0x800, op, 4, out), 6);
}
END_TEST

START_TEST(queues_that_are_none)
{
    u8 qdr[QDR_BYTES];
    static const struct {
        u16 at;
        u8 value;
    } wrong[] = {{0, 2},     {5, 2},         {7, 5},       {9, 7},       {11, 9},
                 {48, 0xff}, {64 + 8, 0x80}, {64 + 16, 1}, {64 + 15, 1}, {64 + 128 + 16, 0xff}};
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        qdr_make(qdr);
        qdr[wrong[i].at] = wrong[i].value;
        ck_assert_uint_eq(establish(qdr), DS_NORMAL | DS_UNIT_CHECK);
    }
    ck_assert_uint_eq(command(data, 0x1f, 0, 0), DS_NORMAL | DS_UNIT_CHECK); /* none yet */
    qdr_make(qdr);
    ck_assert_uint_eq(establish(qdr), DS_NORMAL);
    u8 ac;
    storage_read(m.storage, QIB + 3, &ac, 1);
    ck_assert_uint_eq(ac, 0x40);
    ck_assert_uint_eq(establish(qdr),
                      DS_NORMAL); /* once more, after a clear of an idle device */
    ck_assert_int_eq(css_siga(m.css, 0, data, 0x80000000, 0), 1); /* not active */
}
END_TEST

START_TEST(a_frame_comes_in)
{
    u8 raw[32], body[8];
    up(4);
    arrives(5000, own, 0x5a);
    ck_assert_uint_eq(state(0, 0), 0x82);
    ck_assert_uint_eq(state(0, 1), 0x41);
    ck_assert_uint_ne(indicator(), 0);
    storage_read(m.storage, SUMMARY, raw, 1);
    ck_assert_uint_ne(raw[0], 0);
    ck_assert_uint_eq(interruptions(), 1);
    storage_read(m.storage, DATA, raw, 32);
    ck_assert_uint_eq(raw[0], 2);
    ck_assert_uint_eq(be16_load(raw + 6), 5000);
    storage_read(m.storage, sbal(0, 0), raw, 32);
    ck_assert_uint_eq(be32_load(raw + 4), 4096); /* what went into each */
    ck_assert_uint_eq(be32_load(raw + 20), 5032 - 4096);
    ck_assert_uint_eq(raw[0], 0);
    ck_assert_uint_eq(raw[16], 0x40);
    storage_read(m.storage, DATA + 0x100000 + 5032 - 4096 - 8, body, 8);
    ck_assert_mem_eq(body, "\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a", 8);
    arrives(60, own, 1);
    arrives(60, own, 1); /* two frames, one interruption: it had not been taken */
    ck_assert_uint_eq(state(0, 2), 0x82);
    ck_assert_uint_eq(interruptions(), 1);
}
END_TEST

START_TEST(a_frame_over_code)
{
    up(4);
    machine_holds_code(&m, DATA);
    arrives(60, own, 1);
    ck_assert_uint_eq(state(0, 0), 0x82);
    ck_assert_uint_ge(m.code_stored, 1);
}
END_TEST

START_TEST(frames_for_others_do_not)
{
    static const u8 other[6] = {2, 0, 0, 0, 9, 9}, group[6] = {1, 0, 0x5e, 0, 0, 1},
                    all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    up(4);
    arrives(60, other, 1);
    arrives(60, group, 1);
    ck_assert_uint_eq(state(0, 0), 0x41);
    arrives(60, all, 1);
    ck_assert_uint_eq(state(0, 0), 0x82);
    ck_assert_uint_eq(ipa_mac(0x23, group), 0);
    arrives(60, group, 1);
    ck_assert_uint_eq(state(0, 1), 0x82);
    ck_assert_uint_eq(ipa(0x02, NULL, 0, NULL), 0); /* the LAN is stopped */
    arrives(60, all, 1);
    ck_assert_uint_eq(state(0, 2), 0x41);
}
END_TEST

START_TEST(frames_wait_for_buffers)
{
    struct osa_counts c;
    up(1);
    for (u8 i = 0; i < 3; i++)
        arrives(60, own, i);
    ck_assert_uint_eq(state(0, 0), 0x82);
    indicator_clear();
    interruptions();
    element(0, 1, 0, 0, 4096, DATA + 4096);
    state_put(0, 1, 0x41);
    ck_assert_int_eq(css_siga(m.css, SIGA_READ, data, 0x80000000, 0), 0);
    ck_assert_uint_eq(state(0, 1), 0x82);
    ck_assert_uint_eq(interruptions(), 1);
    u8 mark;
    storage_read(m.storage, DATA + 4096 + 32 + 20, &mark, 1);
    ck_assert_uint_eq(mark, 1); /* in their order */
    for (unsigned i = 0; i < OSA_BACKLOG_FRAMES + 10; i++)
        arrives(60, own, 9);
    osa_counts(osa, &c);
    ck_assert_uint_eq(c.no_buffer, 11); /* one waited before */
}
END_TEST

START_TEST(input_buffers_that_are_none)
{
    up(4);
    element(0, 0, 0, 0x40, 64, DATA); /* too small */
    element(0, 1, 0, 0, 4096, STORAGE_BYTES - 100);
    put64(LISTS + 2 * 8, STORAGE_BYTES + 256);
    for (unsigned i = 0; i < 4; i++)
        arrives(1000, own, 1);
    ck_assert_uint_eq(state(0, 0), 0x8f);
    ck_assert_uint_eq(state(0, 1), 0x8f);
    ck_assert_uint_eq(state(0, 2), 0x8f);
    ck_assert_uint_eq(state(0, 3), 0x82);
}
END_TEST

START_TEST(frames_go_out)
{
    up(0);
    output(0, 0, 60, 0);
    output(0, 1, 1514, 0);
    output(3, 0, 100, 0);
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x80000000, 0), 0);
    ck_assert_uint_eq(peer.frames, 2);
    ck_assert_uint_eq(peer.len, 1514);
    ck_assert_uint_eq(state(1, 0), 0xa1);
    ck_assert_uint_eq(state(1, 1), 0xa1);
    ck_assert_uint_eq(state(4, 0), 0x62);
    ck_assert_uint_eq(interruptions(), 0);
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x10000000, 0), 0);
    ck_assert_uint_eq(peer.frames, 3);
    output(0, 2, 60, 0x40); /* the program wants to hear of it */
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x80000000, 0), 0);
    ck_assert_uint_eq(interruptions(), 1);
}
END_TEST

START_TEST(two_frames_in_a_buffer)
{
    u8 header[32] = {2}, frame[256];
    up(0);
    be16_store(header + 6, 100);
    frame_make(frame, 100, peer_mac, 7);
    storage_write(m.storage, DATA, header, 32);
    storage_write(m.storage, DATA + 32, frame, 100);
    storage_write(m.storage, DATA + 4096, header, 32);
    storage_write(m.storage, DATA + 4096 + 32, frame, 100);
    element(1, 0, 0, 0, 132 + 4, DATA); /* and some bytes behind it */
    element(1, 0, 1, 0x40, 132, DATA + 4096);
    state_put(1, 0, 0x62);
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x80000000, 0), 0);
    ck_assert_uint_eq(peer.frames, 2);
    ck_assert_uint_eq(state(1, 0), 0xa1);
}
END_TEST

START_TEST(output_that_is_none)
{
    u8 reason;
    up(0);
    output(0, 0, 60, 0);
    element(1, 0, 0, 0, 32, STORAGE_BYTES + 4096); /* not storage */
    output(0, 1, 60, 0);
    element(1, 1, 1, 0x40, 0x7fffffff, DATA); /* more than a buffer has */
    output(0, 2, 60, 0);
    element(1, 2, 1, 0x40, 59, DATA); /* less than the header says */
    output(0, 3, 60, 0);
    put64(LISTS + 1024 + 3 * 8, 0x123); /* not a list */
    output(0, 4, 60, 0);
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x80000000, 0), 0);
    for (unsigned b = 0; b < 4; b++)
        ck_assert_uint_eq(state(1, b), 0xaf);
    ck_assert_uint_eq(state(1, 4), 0xa1);
    ck_assert_uint_eq(peer.frames, 1);
    storage_read(m.storage, sbal(1, 0) + 15 * 16 + 3, &reason, 1);
    ck_assert_uint_eq(reason, 1);
    ck_assert_uint_eq(interruptions(), 1);
}
END_TEST

START_TEST(storage_keys_are_heeded)
{
    u8 qdr[QDR_BYTES];
    session();
    qdr_make(qdr);
    qdr[64 + 29] = 0x20; /* buffers of the input queue by key 2 */
    ck_assert_uint_eq(establish(qdr), DS_NORMAL);
    activate();
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0);
    ck_assert_uint_eq(ipa_mac(0x21, own), 0);
    for (unsigned b = 0; b < 2; b++) {
        element(0, b, 0, 0x40, 4096, DATA + b * 4096);
        state_put(0, b, 0x41);
    }
    storage_key_set(m.storage, sbal(0, 0), 0x20);
    storage_key_set(m.storage, DATA, 0x30);
    storage_key_set(m.storage, DATA + 4096, 0x20);
    arrives(60, own, 1);
    arrives(60, own, 1);
    ck_assert_uint_eq(state(0, 0), 0x8f);
    ck_assert_uint_eq(state(0, 1), 0x82);
}
END_TEST

START_TEST(clear_ends_the_queues)
{
    struct irb irb;
    up(4);
    ck_assert_int_eq(css_csch(m.css, data), 0);
    ck_assert_int_eq(tsch(&m, data, &irb), 0);
    arrives(60, own, 1);
    ck_assert_uint_eq(state(0, 0), 0x41);
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x80000000, 0), 1);
    css_reset(m.css);
    ck_assert_uint_eq(osa->s.macs, 0);
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x80000000, 0), 3); /* disabled */
    ck_assert_int_eq(lan_mac_add(peer.port, own), ST_OK);
}
END_TEST

START_TEST(siga_and_chsc_say_what_there_is)
{
    u8 page[CHSC_BYTES] = {0, 0x10, 0x00, 0x24};
    be16_store(page + 6, (u16)data);
    be16_store(page + 10, (u16)data);
    ck_assert_int_eq(css_chsc(m.css, page), 0);
    ck_assert_uint_eq(be16_load(page + 18), 1);
    ck_assert_uint_eq(page[24], 0xc0);
    ck_assert_uint_eq(page[24 + 6], 0x6c);
    ck_assert_uint_eq(page[24 + 9], 1);
    ck_assert_uint_eq(page[24 + 11], 4);
    ck_assert_int_eq(css_siga(m.css, 0x100, data, 0, 0), CSS_PGM_OPERAND);
    ck_assert_int_eq(css_siga(m.css, 0, rd, 0, 0), 3);
    ck_assert_int_eq(css_siga(m.css, 0, 0x12340000, 0, 0), CSS_PGM_OPERAND);
    memset(page, 0, sizeof page);
    be32_store(page, 0x0fe00021);
    be64_store(page + 24, STORAGE_BYTES); /* an indicator that is not storage */
    be32_store(page + 44, data);
    ck_assert_int_eq(css_chsc(m.css, page), 0);
    ck_assert_uint_eq(be16_load(page + 0xfe2), 3);
}
END_TEST

/** Everything moves: to a machine with the same storage, on the same network. */
START_TEST(an_adapter_relocates)
{
    static struct machine to;
    struct cause cause;
    struct codec_out out;
    struct codec_in in;
    struct osa_config config = {.devno = DEVNO, .mac = {2, 0, 0, 0, 6, 0}};
    up(2);
    arrives(60, own, 1);
    interruptions();
    indicator_clear();
    css_quiesce(m.css);
    arrives(60, own, 2); /* comes while nothing may touch storage */
    ck_assert_uint_eq(state(0, 1), 0x41);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 0x99, &out, &cause), ST_OK);
    machine_init(&to);
    ck_assert_int_eq(osa_create(to.css, &config, lan, false, NULL, &cause), ST_OK);
    for (u64 at = 0; at < STORAGE_BYTES; at += 4096)
        storage_write(to.storage, at, storage_host(m.storage, at, 4096), 4096);
    css_quiesce(to.css);
    struct codec_row row;
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row));
    struct codec_in block;
    ck_assert(codec_open(&row, &block));
    ck_assert_int_eq(css_restore(to.css, &block, &cause), ST_OK);
    css_resume(to.css);
    ck_assert_uint_eq(peer.frames, 1); /* the network hears of it */
    ck_assert_uint_eq(be16_load(peer.frame + 12), 0x8035);
    u8 there;
    storage_read(to.storage, STATES + 1, &there, 1);
    ck_assert_uint_eq(there, 0x82); /* the frame came along */
    ck_assert_uint_eq(state(0, 1), 0x41);
    struct io_interruption told; /* perhaps it was lost on the way */
    ck_assert(css_take_interruption(to.css, 0xff, &told) && told.int_word >> 31);
    arrives(60, own, 3);
    machine_fini(&m);
    m = to; /* for teardown */
    codec_out_fini(&out);
}
END_TEST

START_TEST(hostile_state_is_refused)
{
    struct cause cause;
    struct codec_out out;
    up(2);
    css_quiesce(m.css);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 0x99, &out, &cause), ST_OK);
    unsigned refused = 0;
    for (size_t i = 0; i < out.len; i += 61) {
        struct codec_in in, block;
        struct codec_row row;
        u8 was = out.data[i];
        out.data[i] ^= 0xff;
        codec_in_init(&in, out.data, out.len);
        bool ok = codec_next(&in, &row) && codec_open(&row, &block) &&
                  css_restore(m.css, &block, &cause) == ST_OK;
        refused += !ok;
        out.data[i] = was;
    }
    ck_assert_uint_gt(refused, 10);
    codec_out_fini(&out);
}
END_TEST

/** What the review of this adapter asked: each was a way to lose something. */
START_TEST(an_idle_data_device_is_cleared)
{
    struct irb irb;
    u8 qdr[QDR_BYTES];
    qdr_make(qdr);
    ck_assert_uint_eq(establish(qdr), DS_NORMAL);
    ck_assert_int_eq(css_csch(m.css, data), 0);
    ck_assert_int_eq(tsch(&m, data, &irb), 0);
    ck_assert_uint_eq(establish(qdr), DS_NORMAL);
}
END_TEST

START_TEST(a_queue_that_is_filled_while_it_is_emptied)
{
    up(0);
    for (unsigned b = 0; b < QDIO_BUFFERS; b++)
        output(0, b, 60, 0);
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x80000000, 0), 0);
    ck_assert_uint_eq(peer.frames, QDIO_BUFFERS);
    ck_assert_uint_eq(osa->sending, 0);
}
END_TEST

START_TEST(a_data_device_goes_alone)
{
    struct cause cause;
    up(2);
    ck_assert_int_eq(css_detach(m.css, DEVNO + 2, false, &cause), ST_OK);
    arrives(60, own, 1);
    ck_assert_uint_eq(state(0, 0), 0x41);
    css_reset(m.css);
}
END_TEST

START_TEST(storage_that_goes_is_not_touched)
{
    up(2);
    storage_increment_set(m.storage, STATES / m.storage->increment_bytes, false);
    arrives(60, own, 1);
    ck_assert_int_eq(css_siga(m.css, SIGA_WRITE, data, 0x80000000, 0), 0);
    storage_increment_set(m.storage, STATES / m.storage->increment_bytes, true);
}
END_TEST

START_TEST(coupling_takes_nobodys_address)
{
    static const u8 wanted[6] = {2, 0, 0, 0, 7, 7};
    struct cause cause;
    up(2);
    ck_assert(osa_uncouple(osa));
    ck_assert(!osa_uncouple(osa));
    u8 a[OSA_MESSAGE_MAX]; /* the program hears of it */
    ck_assert(answer(rd, a) && a[0x40] == 0x02 && a[0x41] == 0x01);
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0xe080); /* no LAN to start */
    ck_assert_uint_eq(ipa_mac(0x21, wanted), 0);         /* nobody asks now */
    ck_assert_int_eq(osa_couple(osa, lan, NULL, &cause), ST_OK);
    ck_assert_int_eq(osa_couple(osa, lan, NULL, &cause), ST_EXIST);
    ck_assert(answer(rd, a) && a[0x40] == 0x01 && a[0x41] == 0x01);
    ck_assert_int_eq(lan_mac_add(peer.port, wanted), ST_OK); /* it has stayed the peer's */
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0);
    arrives(60, own, 1);
    ck_assert_uint_eq(state(0, 0), 0x82);
}
END_TEST

START_TEST(the_rules_of_its_port)
{
    static const u8 wanted[6] = {2, 0, 0, 0, 7, 8};
    struct lan_rules rules = {.protect = true};
    struct osa_counts c;
    struct cause cause;
    u8 mac[6], a[OSA_MESSAGE_MAX];
    up(2);
    ck_assert(osa_uncouple(osa));
    memcpy(rules.own, own, 6);
    ck_assert_int_eq(osa_couple(osa, lan, &rules, &cause), ST_OK);
    ck_assert(answer(rd, a) && answer(rd, a));        /* it has gone, and come */
    ck_assert_uint_eq(ipa_mac(0x21, wanted), 0x200c); /* its host does not permit it */
    ck_assert(osa_address(osa, false, 0, mac) && !memcmp(mac, own, 6));
    ck_assert(!osa_address(osa, false, 1, mac));
    rules.protect = false;
    osa_set_rules(osa, &rules);
    ck_assert_uint_eq(ipa_mac(0x21, wanted), 0);
    ck_assert(osa_address(osa, false, 1, mac) && !memcmp(mac, wanted, 6));
    rules.protect = true;
    osa_set_rules(osa, &rules);
    ck_assert_int_eq(lan_mac_add(peer.port, wanted), ST_OK); /* nobody has it any more */
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0);
    osa_counts(osa, &c);
    ck_assert(c.started && c.layer == 2 && !c.promiscuous);
}
END_TEST

/* A program of layer 2 on a network of layer 3: the control session ends, with a cause that Linux
 * knows; and no LAN is started if it comes to the network later. */
START_TEST(the_layer_of_its_network)
{
    struct lan_rules rules = {.layer = 3};
    struct cause cause;
    u8 a[OSA_MESSAGE_MAX];
    up(2);
    ck_assert(osa_uncouple(osa));
    ck_assert_int_eq(osa_couple(osa, lan, &rules, &cause), ST_OK);
    ck_assert(answer(rd, a) && answer(rd, a));
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0xe080);
    rules.layer = 2;
    osa_set_rules(osa, &rules);
    ck_assert_uint_eq(ipa(0x01, NULL, 0, NULL), 0);
    rules.layer = 3;
    osa_set_rules(osa, &rules);
    idx_on(rd, 0x19);
    idx_on(wr, 0x15);
    u8 msg[256];
    u16 len = control(msg, 0x41, 0x4102, 0x6b);
    msg[0x50] = 8;
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL);
    ck_assert(answer(rd, a));
    ck_assert(a[2] == 0xc0 && a[4] == 0xf6);
    msg[0x50] = 3;
    ck_assert_uint_eq(message(wr, msg, len), DS_NORMAL);
    ck_assert(answer(rd, a));
    ck_assert(a[2] != 0xc0);
}
END_TEST

START_TEST(an_idle_subchannel_has_its_turn)
{
    struct io_interruption i;
    struct irb irb;
    up(2);
    css_adapter_interruption(m.css, 3);
    ck_assert_int_eq(css_csch(m.css, rd), 0);
    ck_assert(css_take_interruption(m.css, 0xff, &i) && i.int_word >> 31);
    css_adapter_interruption(m.css, 3);
    ck_assert(css_take_interruption(m.css, 0xff, &i) && i.schid == rd);
    ck_assert(css_take_interruption(m.css, 0xff, &i) && i.int_word >> 31);
    ck_assert_int_eq(tsch(&m, rd, &irb), 0);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_osa");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, sense_id_names_the_adapter);
    tcase_add_test(tc, the_control_session);
    tcase_add_test(tc, a_read_gets_an_answer_that_comes_later);
    tcase_add_test(tc, bad_messages_are_rejected);
    tcase_add_test(tc, addresses);
    tcase_add_test(tc, vlans);
    tcase_add_test(tc, adapter_parameters);
    tcase_add_test(tc, queues_that_are_none);
    tcase_add_test(tc, a_frame_comes_in);
    tcase_add_test(tc, a_frame_over_code);
    tcase_add_test(tc, frames_for_others_do_not);
    tcase_add_test(tc, frames_wait_for_buffers);
    tcase_add_test(tc, input_buffers_that_are_none);
    tcase_add_test(tc, frames_go_out);
    tcase_add_test(tc, two_frames_in_a_buffer);
    tcase_add_test(tc, output_that_is_none);
    tcase_add_test(tc, storage_keys_are_heeded);
    tcase_add_test(tc, clear_ends_the_queues);
    tcase_add_test(tc, siga_and_chsc_say_what_there_is);
    tcase_add_test(tc, an_adapter_relocates);
    tcase_add_test(tc, hostile_state_is_refused);
    tcase_add_test(tc, an_idle_data_device_is_cleared);
    tcase_add_test(tc, a_queue_that_is_filled_while_it_is_emptied);
    tcase_add_test(tc, a_data_device_goes_alone);
    tcase_add_test(tc, storage_that_goes_is_not_touched);
    tcase_add_test(tc, coupling_takes_nobodys_address);
    tcase_add_test(tc, the_rules_of_its_port);
    tcase_add_test(tc, the_layer_of_its_network);
    tcase_add_test(tc, an_idle_subchannel_has_its_turn);
    tcase_add_test(tc, its_path_is_no_disk_path);
    return run_suite(suite);
}
