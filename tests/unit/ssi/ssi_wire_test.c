/* Frames and HELLO against hostile bytes: truncation, damage, lies about lengths.
 * The parser must never look past the bytes it was given (run with make asan). */
#include <check.h>
#include <stdlib.h>

#include "mem/base/crc32c.h"
#include "ssi/ssi_internal.h"

static const u8 payload[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static size_t frame_make(u8 *out, u16 type, u32 length)
{
    struct wire_frame frame = {
        .version = SSI_WIRE_VERSION_MAX, .type = type, .mtype = 77, .length = length, .seq = 5};
    ssi_wire_header(out, &frame);
    memcpy(out + SSI_WIRE_HEADER_BYTES, payload, sizeof payload);
    return SSI_WIRE_HEADER_BYTES + sizeof payload;
}

/* Parse from a heap block of exactly `len` bytes, so that asan sees every step too far. */
static enum wire_parse parse_exact(const u8 *p, size_t len, struct wire_frame *frame,
                                   size_t *need)
{
    const char *why = NULL;
    u8 *copy = malloc(len ? len : 1);
    memcpy(copy, p, len);
    enum wire_parse got = ssi_wire_parse(copy, len, SSI_PAYLOAD_BYTES_MAX, frame, need, &why);
    ck_assert((got == WIRE_BAD) == (why != NULL));
    free(copy);
    return got;
}

START_TEST(a_frame_is_found_when_it_is_complete)
{
    u8 bytes[64];
    struct wire_frame frame;
    size_t need = 0, len = frame_make(bytes, WIRE_MESSAGE, sizeof payload);
    for (size_t i = 1; i < len; i++) {
        ck_assert_int_eq(parse_exact(bytes, i, &frame, &need), WIRE_MORE);
        ck_assert_uint_gt(need, i);
    }
    ck_assert_int_eq(parse_exact(bytes, len, &frame, &need), WIRE_FRAME);
    ck_assert_uint_eq(need, len);
    ck_assert_uint_eq(frame.length, sizeof payload);
    ck_assert_uint_eq(frame.mtype, 77);
    ck_assert_uint_eq(frame.seq, 5);
}
END_TEST

START_TEST(every_damaged_header_bit_is_noticed)
{
    u8 bytes[64];
    struct wire_frame frame;
    size_t need = 0, len = frame_make(bytes, WIRE_MESSAGE, sizeof payload);
    for (unsigned bit = 0; bit < SSI_WIRE_HEADER_BYTES * 8; bit++) {
        bytes[bit / 8] ^= (u8)(1u << bit % 8);
        ck_assert_int_eq(parse_exact(bytes, len, &frame, &need), WIRE_BAD);
        bytes[bit / 8] ^= (u8)(1u << bit % 8);
    }
}
END_TEST

static size_t checked_make(u8 *out, u16 version, u32 length)
{
    struct wire_frame frame = {.version = version,
                               .type = WIRE_MESSAGE,
                               .length = length,
                               .checked = true,
                               .check = crc32c(0, payload, length)};
    size_t head = ssi_wire_header(out, &frame);
    memcpy(out + head, payload, length);
    return head + length;
}

START_TEST(every_damaged_bit_of_a_checked_message_is_noticed)
{
    u8 bytes[64];
    struct wire_frame frame;
    size_t need = 0, len = checked_make(bytes, SSI_WIRE_VERSION_CHECKS, sizeof payload);
    ck_assert_int_eq(parse_exact(bytes, len, &frame, &need), WIRE_FRAME);
    ck_assert(need == len && frame.checked && frame.length == sizeof payload);
    ck_assert_uint_eq(frame.type, WIRE_MESSAGE);
    for (size_t i = 1; i < len; i++)
        ck_assert_int_eq(parse_exact(bytes, i, &frame, &need), WIRE_MORE);
    for (size_t bit = 0; bit < len * 8; bit++) {
        bytes[bit / 8] ^= (u8)(1u << bit % 8);
        ck_assert_int_eq(parse_exact(bytes, len, &frame, &need), WIRE_BAD);
        bytes[bit / 8] ^= (u8)(1u << bit % 8);
    }
    len = checked_make(bytes, SSI_WIRE_VERSION_CHECKS, 0); /* nothing to be checked */
    ck_assert_int_eq(parse_exact(bytes, len, &frame, &need), WIRE_FRAME);
    ck_assert(need == len && frame.length == 0);
}
END_TEST

START_TEST(checks_belong_to_their_version_and_have_their_length)
{
    u8 bytes[64];
    struct wire_frame frame, small = {.version = SSI_WIRE_VERSION_CHECKS,
                                      .type = WIRE_MESSAGE | SSI_WIRE_CHECKED,
                                      .length = SSI_WIRE_CHECK_BYTES - 1};
    size_t need = 0, len = checked_make(bytes, SSI_WIRE_VERSION_CHECKS - 1, sizeof payload);
    ck_assert_int_eq(parse_exact(bytes, len, &frame, &need), WIRE_FRAME);
    ck_assert_str_eq(ssi_wire_check(&frame, LINK_READY), "a message has an unknown type");
    ssi_wire_header(bytes, &small);
    ck_assert_int_eq(parse_exact(bytes, 64, &frame, &need), WIRE_BAD);
    small = (struct wire_frame){.version = SSI_WIRE_VERSION_CHECKS,
                                .type = WIRE_MESSAGE,
                                .length = SSI_PAYLOAD_BYTES_MAX,
                                .checked = true};
    ssi_wire_header(bytes, &small);
    ck_assert_int_eq(parse_exact(bytes, 64, &frame, &need), WIRE_MORE);
    small.length++;
    ssi_wire_header(bytes, &small);
    ck_assert_int_eq(parse_exact(bytes, 64, &frame, &need), WIRE_BAD);
}
END_TEST

/* RFC 3720 B.4 */
START_TEST(the_check_is_crc_32c)
{
    u8 bytes[32];
    ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (u8)i;
    ck_assert_uint_eq(crc32c(0, bytes, sizeof bytes), 0x46dd794e);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        u32 begun = crc32c(0, bytes, cut);
        ck_assert_uint_eq(begun, crc32c_plain(0, bytes, cut));
        ck_assert_uint_eq(crc32c(begun, bytes + cut, sizeof bytes - cut), 0x46dd794e);
    }
}
END_TEST

START_TEST(a_length_is_bounded)
{
    u8 bytes[64];
    struct wire_frame frame;
    size_t need = 0, len = frame_make(bytes, WIRE_MESSAGE, SSI_PAYLOAD_BYTES_MAX);
    ck_assert_int_eq(parse_exact(bytes, len, &frame, &need), WIRE_MORE);
    len = frame_make(bytes, WIRE_MESSAGE, SSI_PAYLOAD_BYTES_MAX + 1);
    ck_assert_int_eq(parse_exact(bytes, len, &frame, &need), WIRE_BAD);
    len = frame_make(bytes, WIRE_MESSAGE, 0xffffffffu);
    ck_assert_int_eq(parse_exact(bytes, len, &frame, &need), WIRE_BAD);
}
END_TEST

START_TEST(frames_out_of_turn_are_refused)
{
    struct wire_frame frame = {.type = WIRE_MESSAGE, .length = 10};
    ck_assert_ptr_null(ssi_wire_check(&frame, LINK_READY));
    ck_assert_ptr_nonnull(ssi_wire_check(&frame, LINK_ACCEPTED));
    ck_assert_ptr_nonnull(ssi_wire_check(&frame, LINK_AGREED));
    frame.type = WIRE_BEAT;
    ck_assert_ptr_nonnull(ssi_wire_check(&frame, LINK_READY)); /* its length is 8 */
    for (unsigned type = 0; type < 70000; type++) {
        frame.type = (u16)type;
        if (!ssi_wire_name(frame.type))
            ck_assert_ptr_nonnull(ssi_wire_check(&frame, LINK_READY));
    }
}
END_TEST

static void hello_make(struct codec_out *out)
{
    struct wire_hello hello = {.cluster = "TESTSSI",
                               .member = "MEMBERA1",
                               .slot = 3,
                               .purpose = PURPOSE_JOIN,
                               .digest = 0x12345678,
                               .incarnation = 0x1122334455667788,
                               .expected = 9};
    codec_out_init(out);
    ssi_hello_encode(out, &hello);
    ck_assert(!out->failed);
}

static int decode_exact(struct wire_hello *hello, const u8 *p, size_t len)
{
    u8 *copy = malloc(len ? len : 1);
    memcpy(copy, p, len);
    int rc = ssi_hello_decode(hello, copy, len);
    free(copy);
    return rc;
}

START_TEST(hello_survives_the_way)
{
    struct codec_out out;
    struct wire_hello hello;
    hello_make(&out);
    ck_assert_uint_le(out.len, SSI_HELLO_BYTES_MAX);
    ck_assert_int_eq(decode_exact(&hello, out.data, out.len), ST_OK);
    ck_assert_str_eq(hello.cluster, "TESTSSI");
    ck_assert_str_eq(hello.member, "MEMBERA1");
    ck_assert_uint_eq(hello.slot, 3);
    ck_assert_uint_eq(hello.purpose, PURPOSE_JOIN);
    ck_assert_uint_eq(hello.digest, 0x12345678);
    ck_assert_uint_eq(hello.incarnation, 0x1122334455667788);
    ck_assert_uint_eq(hello.expected, 9);
    codec_out_fini(&out);
}
END_TEST

/* Does a row that may be missing begin at `at`, as all behind it? */
static bool between_rows(const u8 *p, size_t len, size_t at)
{
    struct codec_in in;
    struct codec_row row;
    bool found = false;
    codec_in_init(&in, p, len);
    while (codec_next(&in, &row)) {
        found |= row.p - 6 == p + at; /* tag and length */
        if (found && (row.tag & CODEC_MANDATORY))
            return false;
    }
    return found;
}

START_TEST(hello_truncated_doubled_or_strange_is_refused)
{
    struct codec_out out;
    struct wire_hello hello;
    hello_make(&out);
    size_t len = out.len;
    for (size_t i = 0; i < len; i++)
        ck_assert_int_eq(decode_exact(&hello, out.data, i),
                         between_rows(out.data, len, i) ? ST_OK : ST_PROTO);
    codec_put_u8(&out, 0x0099, 1); /* unknown, may be ignored */
    ck_assert_int_eq(decode_exact(&hello, out.data, out.len), ST_OK);
    codec_put_u8(&out, 0x8099, 1); /* unknown and mandatory */
    ck_assert_int_eq(decode_exact(&hello, out.data, out.len), ST_PROTO);
    out.len = len;
    codec_put_u8(&out, 0x8003, 1); /* slot, again */
    ck_assert_int_eq(decode_exact(&hello, out.data, out.len), ST_PROTO);
    codec_out_fini(&out);
}
END_TEST

START_TEST(hello_with_a_bad_name_is_refused)
{
    struct codec_out out;
    struct wire_hello hello;
    hello_make(&out);
    u8 *name = memmem(out.data, out.len, "TESTSSI", 7);
    ck_assert_ptr_nonnull(name);
    name[3] = 0;
    ck_assert_int_eq(decode_exact(&hello, out.data, out.len), ST_PROTO);
    name[3] = 0x1b;
    ck_assert_int_eq(decode_exact(&hello, out.data, out.len), ST_PROTO);
    codec_out_fini(&out);
}
END_TEST

START_TEST(random_bytes_break_nothing)
{
    unsigned seed = 1;
    u8 bytes[256];
    struct wire_frame frame;
    struct wire_hello hello;
    size_t need;
    for (unsigned run = 0; run < 20000; run++) {
        size_t len = (size_t)rand_r(&seed) % sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (u8)rand_r(&seed);
        parse_exact(bytes, len, &frame, &need);
        ck_assert_int_eq(decode_exact(&hello, bytes, len), ST_PROTO);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_wire");
    TCase *tc = tcase_create("wire");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_frame_is_found_when_it_is_complete);
    tcase_add_test(tc, every_damaged_header_bit_is_noticed);
    tcase_add_test(tc, every_damaged_bit_of_a_checked_message_is_noticed);
    tcase_add_test(tc, checks_belong_to_their_version_and_have_their_length);
    tcase_add_test(tc, the_check_is_crc_32c);
    tcase_add_test(tc, a_length_is_bounded);
    tcase_add_test(tc, frames_out_of_turn_are_refused);
    tcase_add_test(tc, hello_survives_the_way);
    tcase_add_test(tc, hello_truncated_doubled_or_strange_is_refused);
    tcase_add_test(tc, hello_with_a_bad_name_is_refused);
    tcase_add_test(tc, random_bytes_break_nothing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
