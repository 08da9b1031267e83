/* SERVICE CALL: configuration, masks, messages, operator commands, quiesce, response codes.
 * Offsets are those that Linux's SCLP drivers read. */
#include "tests/unit/io/io_fixture.h"

#include "io/sclp_internal.h"

#define SCCB 0x8000u

static struct machine m;
static struct sclp *sclp;

static void setup(void)
{
    struct sclp_config config = {.storage_bytes = STORAGE_BYTES,
                                 .cpus = 2,
                                 .cpus_max = 4,
                                 .loadparm = "LINUX1",
                                 .line_mode = true,
                                 .vt220 = true,
                                 .code_page_500 = true};
    machine_init(&m);
    sclp = sclp_create(m.storage, &fx_ports, &m, &config);
    ck_assert_ptr_nonnull(sclp);
}

static void teardown(void)
{
    sclp_destroy(sclp);
    machine_fini(&m);
}

static u8 *sccb(void)
{
    return storage_host(m.storage, SCCB, 4096);
}

/** Issue a command on a prepared SCCB; returns the response code. */
static u16 call(u32 command, u16 len)
{
    u32 parm;
    be16_store(sccb(), len);
    ck_assert_int_eq(sclp_service_call(sclp, command, SCCB), 0);
    ck_assert_uint_eq(m.signal_parm & ~1u, SCCB);
    ck_assert(sclp_take_signal(sclp, &parm));
    ck_assert(!sclp_take_signal(sclp, &parm));
    return be16_load(sccb() + 6);
}

static u16 set_masks(u32 receive, u32 send)
{
    memset(sccb(), 0, 4096);
    be16_store(sccb() + 10, 4);
    be32_store(sccb() + 12, receive);
    be32_store(sccb() + 16, send);
    return call(0x00780005, 28);
}

START_TEST(channel_paths_are_configured)
{
    u16 none = call(0x000f1001, 16);
    ck_assert_uint_eq(none, 0x01f0); /* no such command without a channel subsystem */
    ck_assert_ptr_nonnull(con3215_create(m.css, 0x0009, false, NULL));
    struct sclp_config config = {.storage_bytes = STORAGE_BYTES, .cpus = 1, .css = m.css};
    sclp_destroy(sclp);
    sclp = sclp_create(m.storage, &fx_ports, &m, &config);
    memset(sccb(), 0, 4096);
    ck_assert_uint_eq(call(0x00020001, 4096), 0x0010);
    ck_assert_uint_eq(sccb()[48] & 0xa0, 0xa0); /* facilities: information, configuration */
    ck_assert_uint_eq(call(0x000e1101, 16), 0x09f0); /* path 11 is absent */
    ck_assert_uint_eq(call(0x000f1001, 16), 0x0120); /* path 10 is configured already */
    ck_assert_uint_eq(call(0x000e1001, 16), 0x0020);
    ck_assert_uint_eq(call(0x00030001, 100), 0x0300);
    ck_assert_uint_eq(call(0x00030001, 112), 0x0010);
    ck_assert_uint_eq(sccb()[8 + 2], 0x80);  /* recognized */
    ck_assert_uint_eq(sccb()[40 + 2], 0x80); /* standby */
    ck_assert_uint_eq(sccb()[72 + 2], 0);    /* configured */
    ck_assert_uint_eq(call(0x000f1001, 16), 0x0020);
    ck_assert_int_eq(css_chp_state(m.css, 0x10), CSS_CHP_CONFIGURED);
}
END_TEST

START_TEST(scp_info_layout)
{
    memset(sccb(), 0xee, 4096);
    ck_assert_uint_eq(call(0x00020001, 4096), 0x0010);
    const u8 *b = sccb();
    ck_assert_uint_eq(be16_load(b + 8), 16); /* increments */
    ck_assert_uint_eq(b[10], 1);             /* of 1 MiB */
    ck_assert_uint_eq(be16_load(b + 16), 2);
    ck_assert_uint_eq(be16_load(b + 18), 128);
    ck_assert_mem_eq(b + 24, "\xd3\xc9\xd5\xe4\xe7\xf1\x40\x40", 8);
    ck_assert_uint_eq(be64_load(b + 48), 0x0800000000000000ull);
    ck_assert_uint_eq(be16_load(b + 120), 3);
    ck_assert_uint_eq(b[128], 0);
    ck_assert_uint_eq(b[144], 1);
    ck_assert_uint_eq(call(0x00120001, 4096), 0x0010);
    ck_assert_uint_eq(call(0x00020001, 159), 0x0300);
    ck_assert_uint_eq(call(0x00010001, 4096), 0x0010);
    ck_assert_uint_eq(be64_load(b + 8), 0x0002001000000030ull);
    ck_assert_uint_eq(b[32], 1);
    ck_assert_uint_eq(call(0x00550001, 4096), 0x01f0);
}
END_TEST

START_TEST(service_call_refuses)
{
    ck_assert_int_eq(sclp_service_call(sclp, 0x00020001, SCCB + 4), -6);
    ck_assert_int_eq(sclp_service_call(sclp, 0x00020001, 0x80000000), -6);
    ck_assert_int_eq(sclp_service_call(sclp, 0x00020001, 0), -6);
    ck_assert_int_eq(sclp_service_call(sclp, 0x00020001, STORAGE_BYTES), -5);
    be16_store(sccb(), 7);
    ck_assert_int_eq(sclp_service_call(sclp, 0x00020001, SCCB), -6);
    be16_store(sccb(), 4096);
    ck_assert_int_eq(sclp_service_call(sclp, 0x00020001, SCCB), 0);
    ck_assert_int_eq(sclp_service_call(sclp, 0x00020001, SCCB), 2); /* signal not taken */
    u32 parm;
    sclp_take_signal(sclp, &parm);
    u8 *late = storage_host(m.storage, SCCB + 8, 8);
    be16_store(late, 4096); /* crosses the page */
    ck_assert_int_eq(sclp_service_call(sclp, 0x00020001, SCCB + 8), 0);
    ck_assert_uint_eq(be16_load(late + 6), 0x0100);
}
END_TEST

START_TEST(masks)
{
    ck_assert_uint_eq(set_masks(0x80000008, 0x40000000), 0x0020);
    ck_assert_uint_eq(be32_load(sccb() + 20), 0x40800040); /* message, priority, vt220 */
    ck_assert_uint_eq(be32_load(sccb() + 24), 0x81800048);
    ck_assert(m.quiesce);
    ck_assert_uint_eq(set_masks(0, 0), 0x0020);
    ck_assert(!m.quiesce);
    be16_store(sccb() + 10, 0);
    ck_assert_uint_eq(call(0x00780005, 28), 0x74f0);
    be16_store(sccb() + 10, 8);
    ck_assert_uint_eq(call(0x00780005, 28), 0x0300);
    be32_store(sccb() + 12, 0x80000000);
    ck_assert_uint_eq(call(0x00780005, 44), 0x0020);
    ck_assert_uint_eq(be64_load(sccb() + 28), 0x4080004000000000ull);
}
END_TEST

/** A message of two lines, as sclp_early_printk builds it. */
static u16 message(const char *one, const char *two)
{
    u8 *b = sccb();
    memset(b, 0, 4096);
    u8 *mdb = b + 14;
    u8 *at = mdb + 12;
    be16_store(at, 56);
    be16_store(at + 2, 1); /* general object */
    at += 56;
    const char *line[] = {one, two};
    for (int i = 0; i < 2; i++) {
        u16 n = (u16)ebcdic_from_utf8(EBCDIC_500, line[i], strlen(line[i]), at + 10, 80);
        be16_store(at, 10 + n);
        be16_store(at + 2, 4);
        at += 10 + n;
    }
    be16_store(mdb, (u16)(at - mdb));
    be16_store(mdb + 2, 1);
    be32_store(mdb + 4, 0xd4c4c240);
    be16_store(b + 8, (u16)(at - b - 8));
    b[10] = 2;
    return (u16)(at - b);
}

START_TEST(line_mode_output)
{
    u16 len = message("Linux version 6.1 [x]!", "B\xc3\xa9");
    ck_assert_uint_eq(call(0x00760005, len), 0x0020);
    ck_assert_str_eq(m.text, "Linux version 6.1 [x]!\nB\xc3\xa9\n");
    ck_assert_uint_eq(sccb()[11], 0x80);
    message("a", "b");
    be16_store(sccb() + 8, len); /* longer than the SCCB */
    ck_assert_uint_eq(call(0x00760005, len), 0x72f0);
    len = message("a", "b");
    be16_store(sccb() + 14 + 12, 3); /* an object shorter than its header */
    ck_assert_uint_eq(call(0x00760005, len), 0x73f0);
    len = message("a", "b");
    sccb()[10] = 0x1c;
    ck_assert_uint_eq(call(0x00760005, len), 0x40f0);
    ck_assert_uint_eq(call(0x00760005, 8), 0x72f0);
}
END_TEST

START_TEST(vt220_both_ways)
{
    u8 *b = sccb();
    memset(b, 0, 4096);
    be16_store(b + 8, 6 + 5);
    b[10] = 0x1a;
    memcpy(b + 14, "a\r\nb$", 5);
    ck_assert_uint_eq(call(0x00760005, 8 + 11), 0x0020);
    ck_assert_str_eq(m.text, "a\r\nb$");
    ck_assert_int_eq(sclp_console_input(sclp, "ls\r", 3, true), ST_REFUSED);
    set_masks(0x40, 0x40);
    ck_assert_int_eq(sclp_console_input(sclp, "ls\r", 3, true), ST_OK);
    memset(b, 0, 4096);
    b[5] = 0x80;
    ck_assert_uint_eq(m.signal_parm, 1);
    ck_assert_uint_eq(call(0x00770005, 4096), 0x0020);
    ck_assert_uint_eq(be16_load(b), 8 + 10);
    ck_assert_mem_eq(b + 8, "\0\x0a\x1a\0\0\0\0ls\r", 10);
    ck_assert_uint_eq(call(0x00770005, 4096), 0x60f0);
}
END_TEST

/* Typed text waits with who types it while the guest has not read what came before. */
START_TEST(typed_text_finds_room_again)
{
    unsigned lines = 0;
    set_masks(0x80000008, 0);
    for (; sclp_room(sclp) && lines < 1000; lines++)
        ck_assert_int_eq(sclp_console_input(sclp, "ls", 2, false), ST_OK);
    ck_assert_uint_gt(lines, 1);
    ck_assert_uint_lt(lines, 1000);
    ck_assert_uint_eq(m.rooms, 0);
    memset(sccb(), 0, 4096);
    ck_assert_uint_eq(m.signal_parm, 1);
    ck_assert_uint_eq(call(0x00770005, 4096), 0x0020);
    ck_assert_uint_eq(m.rooms, 1);
    ck_assert(sclp_room(sclp));
}
END_TEST

START_TEST(operator_command_layout)
{
    u8 *b = sccb();
    set_masks(0x80000008, 0);
    ck_assert_int_eq(sclp_console_input(sclp, "ls", 2, false), ST_OK);
    ck_assert_int_eq(sclp_signal_quiesce(sclp), ST_OK);
    u32 parm;
    ck_assert(sclp_take_signal(sclp, &parm));
    ck_assert_uint_eq(parm, 1);
    memset(b, 0, 4096);
    be16_store(b, 20);
    ck_assert_int_eq(sclp_service_call(sclp, 0x00770005, SCCB), 0);
    ck_assert_uint_eq(be16_load(b + 6), 0x75f0);
    ck_assert_uint_eq(m.signal_parm, SCCB | 1); /* events wait still */
    sclp_take_signal(sclp, &parm);
    ck_assert_uint_eq(call(0x00770005, 4096), 0x0020);
    static const u8 want[] = {0,    24,   0x01, 0,    0,    0,    0,    18,
                              0x13, 0x10, 0,    14,   0x12, 0x12, 0,    10,
                              0x13, 0x20, 6,    0x31, 4,    0x30, 0x93, 0xa2};
    ck_assert_mem_eq(b + 8, want, sizeof want);
    ck_assert_uint_eq(call(0x00770005, 4096), 0x0020);
    ck_assert_uint_eq(b[10], 0x1d);
    ck_assert_uint_eq(call(0x00770005, 4096), 0x60f0);
}
END_TEST

START_TEST(state_change_tells_masks)
{
    u8 *b = sccb();
    set_masks(0x01000000, 0);
    sclp_set_consoles(sclp, true, false);
    ck_assert_uint_eq(call(0x00770005, 4096), 0x0020);
    ck_assert_uint_eq(b[10], 0x08);
    ck_assert_uint_eq(b[14], 0x60);
    ck_assert_uint_eq(be16_load(b + 16), 8);
    ck_assert_uint_eq(be64_load(b + 26), 0x4080000000000000ull);
    ck_assert_uint_eq(be64_load(b + 34), 0x8180000800000000ull);
}
END_TEST

START_TEST(state_survives)
{
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    struct cause cause;
    set_masks(0x80000008, 0);
    sclp_console_input(sclp, "date", 4, false);
    codec_out_init(&out);
    sclp_save(sclp, 7, &out);
    ck_assert(!out.failed);
    sclp_reset(sclp);
    ck_assert(!sclp_signal_pending(sclp));
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_int_eq(sclp_restore(sclp, &in, &cause), ST_OK);
    ck_assert(m.quiesce);
    ck_assert_uint_eq(m.signal_parm, 1);
    ck_assert_uint_eq(call(0x00770005, 4096), 0x0020);
    ck_assert_uint_eq(sccb()[10], 0x01);
    for (size_t i = 8; i < out.len; i++) { /* damaged: refused or harmless, never worse */
        u8 was = out.data[i];
        out.data[i] ^= 0x55;
        codec_in_init(&in, out.data, out.len);
        if (codec_next(&in, &row) && codec_open(&row, &in))
            sclp_restore(sclp, &in, &cause);
        out.data[i] = was;
    }
    codec_out_fini(&out);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_sclp");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, scp_info_layout);
    tcase_add_test(tc, channel_paths_are_configured);
    tcase_add_test(tc, service_call_refuses);
    tcase_add_test(tc, masks);
    tcase_add_test(tc, line_mode_output);
    tcase_add_test(tc, vt220_both_ways);
    tcase_add_test(tc, typed_text_finds_room_again);
    tcase_add_test(tc, operator_command_layout);
    tcase_add_test(tc, state_change_tells_masks);
    tcase_add_test(tc, state_survives);
    return run_suite(suite);
}
