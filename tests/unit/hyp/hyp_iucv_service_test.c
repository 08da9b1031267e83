/* Messages of CP by IUCV, to *MSG: their layout and classes, limits, quiescing; what waits
 * relocates, with buffers, masks and numbers; paths to other machines are severed in what is
 * saved; rows of state that make no sense. Run alone: tests/run unit/hyp_iucv_service_test */
#include "hyp/iucv/iucv_service.h"
#include "tests/lib/iucv_machine.h"

#define STATE_TAG 0x9031

static u16 service; /* the number of the path */

static void listening(u16 limit)
{
    alice = guest("ALICE", &anybody);
    declare(alice);
    service = connect_to(alice, "*MSG", 0, limit);
    ck_assert_uint_eq(interrupted(alice), 2);
    ck_assert_uint_eq(be16_load(irq), service);
}

static void gets(u32 kind, const char *user, const char *text)
{
    char utf8[300];
    ck_assert_uint_eq(interrupted(alice), 9);
    ck_assert_uint_eq(be16_load(irq), service);
    ck_assert_uint_eq(irq[2], ONE_WAY);
    ck_assert_uint_eq(be32_load(irq + 8), kind);
    ck_assert_uint_eq(be32_load(irq + 16), 8 + strlen(text));
    receive_parm(service, be32_load(irq + 4), kind, IN_AT, 256);
    ck_assert_uint_eq(iucv(alice, RECEIVE), 0);
    utf8[ebcdic_to_utf8(EBCDIC_037, (const u8 *)of(alice, IN_AT), 8, utf8)] = 0;
    ck_assert_str_eq(utf8, user);
    utf8[ebcdic_to_utf8(EBCDIC_037, (const u8 *)of(alice, IN_AT + 8), strlen(text), utf8)] = 0;
    ck_assert_str_eq(utf8, text);
}

START_TEST(messages_of_cp)
{
    listening(0);
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_SPECIAL, "OPERATOR", "APP Hello"),
                     VMCF_SENT);
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_MESSAGE, "BOB", "2"), VMCF_SENT);
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_WARNING, "X", ""), VMCF_SENT);
    gets(4, "OPERATOR", "APP Hello");
    gets(1, "BOB     ", "2");
    gets(2, "X       ", "");
    ck_assert(!comes(alice)); /* nobody else is to be told */
    send_to(service, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be16_load(irq + 8), 0x0400); /* CP wants none */
}
END_TEST

START_TEST(not_taken)
{
    listening(2);
    struct vm *b = guest("BOB", &anybody);
    ck_assert_int_eq(iucv_service_send(b, IUCV_CLASS_SPECIAL, "X", "y"), VMCF_NOT_AUTHORIZED);
    declare(b);
    ck_assert_int_eq(iucv_service_send(b, IUCV_CLASS_SPECIAL, "X", "y"), VMCF_NOT_AUTHORIZED);
    path_parm(service, NULL);
    ck_assert_uint_eq(iucv(alice, QUIESCE), 0);
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_SPECIAL, "X", "y"), VMCF_QUIESCED);
    path_parm(service, NULL);
    ck_assert_uint_eq(iucv(alice, RESUME), 0);
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_SPECIAL, "X", "1"), VMCF_SENT);
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_SPECIAL, "X", "2"), VMCF_SENT);
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_SPECIAL, "X", "3"), VMCF_TOO_MANY);
    gets(4, "X       ", "1");
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_SPECIAL, "X", "3"), VMCF_SENT);
    path_parm(service, NULL);
    ck_assert_uint_eq(iucv(alice, SEVER), 0);
    ck_assert(!comes(alice));
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_SPECIAL, "X", "y"),
                     VMCF_NOT_AUTHORIZED);
}
END_TEST

/* What is saved of `vm`, and its storage, in a machine of another host that takes its place. */
static void moved(struct vm *vm)
{
    struct codec_out out;
    struct codec_in in;
    struct cause cause = {0};
    u8 *storage = malloc(STORAGE_BYTES);
    vm_stop(vm, -1);
    ck_assert(storage_read(vm_storage(vm), 0, storage, STORAGE_BYTES));
    codec_out_init(&out);
    ck_assert(vm_quiesce(vm));
    ck_assert_int_eq(iucv_service_send(vm, IUCV_CLASS_SPECIAL, "X", "late"), VMCF_QUIESCED);
    ck_assert_int_eq(vm_save(vm, &out, &cause), ST_OK);
    vm_unquiesce(vm);
    end();
    begin();
    alice = guest("ALICE", &anybody);
    vm_stop(alice, -1);
    storage_write(vm_storage(alice), 0, storage, STORAGE_BYTES);
    codec_in_init(&in, out.data, out.len);
    vm_hold(alice);
    ck_assert_msg(vm_restore(alice, &in, &cause) == ST_OK, "%s", cause.text);
    vm_release(alice);
    codec_out_fini(&out);
    free(storage);
}

START_TEST(what_waits_relocates)
{
    static const char *const texts[] = {"1", "2", "3"};
    listening(0);
    for (unsigned k = 0; k < 3; k++)
        ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_SPECIAL, "OPERATOR", texts[k]),
                         VMCF_SENT);
    gets(4, "OPERATOR", "1");
    memset(parm, 0, sizeof parm); /* the next, as far as its user id */
    p32(12, IN_AT), p32(16, 8);
    ck_assert_uint_eq(iucv(alice, RECEIVE), RC(5));
    u32 id = be32_load(parm + 4);
    set_mask(alice, SET_CONTROL, 0);
    const char *other;
    ck_assert(!iucv_stays(alice, 0, &other));
    moved(alice);
    ck_assert_uint_eq(iucv(alice, DECLARE), RC(19));
    receive_parm(service, id, 4, IN_AT, 9);
    ck_assert_uint_eq(iucv(alice, RECEIVE), 0);
    ck_assert_uint_eq((u8)*of(alice, IN_AT), 0xf2);
    gets(4, "OPERATOR", "3");
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_MESSAGE, "OPERATOR", "4"), VMCF_SENT);
    gets(1, "OPERATOR", "4");
    ck_assert_uint_gt(be32_load(irq + 4), id);
    ck_assert_uint_eq(connect_rc(alice, "ALICE"), 0);
    ck_assert_uint_ne(be16_load(parm), service);
    ck_assert(!comes(alice)); /* by SET CONTROL MASK */
}
END_TEST

START_TEST(others_are_severed)
{
    const char *other;
    connected(0);
    service = connect_to(alice, "*MSG", 0, 0);
    ck_assert_uint_eq(interrupted(alice), 2);
    send_to(alices, ONE_WAY, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    connect_to(bob, "ALICE", 0, 0); /* she has not been told */
    ck_assert(iucv_stays(alice, 0, &other));
    ck_assert_str_eq(other, "BOB");
    ck_assert(iucv_stays(alice, 1, &other));
    ck_assert(!iucv_stays(alice, 2, &other));
    moved(alice);
    ck_assert_uint_eq(interrupted(alice), 3);
    ck_assert_uint_eq(be16_load(irq), alices);
    ck_assert(!comes(alice));
    path_parm(alices, NULL);
    ck_assert_uint_eq(iucv(alice, SEVER), 0);
    ck_assert(!iucv_stays(alice, 0, &other));
    ck_assert_int_eq(iucv_service_send(alice, IUCV_CLASS_SPECIAL, "BOB", "here"), VMCF_SENT);
    gets(4, "BOB     ", "here");
}
END_TEST

struct bad {
    u16 tag;
    u64 v[7];
    unsigned words;
    unsigned rest;
};

/* A row behind good ones: a buffer of CPU 0, path 0 to *MSG, path 1 that has been severed. */
static bool takes(const struct bad *row)
{
    static const struct bad good[] = {{0x8001, {0, 0xf8, 0xf8, BUFFER_AT}, 4, 0},
                                      {0x8002, {0, 2, 1, 10}, 7, 0},
                                      {0x8002, {1, 3, 0, 10}, 7, 0}};
    struct codec_out out;
    struct codec_in in, block;
    struct codec_row all;
    struct vm *vm = guest("X", &anybody);
    codec_out_init(&out);
    codec_begin(&out, STATE_TAG, 1);
    for (unsigned i = 0; i <= ARRAY_LEN(good); i++) {
        const struct bad *r = i < ARRAY_LEN(good) ? &good[i] : row;
        u8 bytes[56 + 8192] = {0};
        for (unsigned k = 0; k < r->words; k++)
            be64_store(bytes + 8 * k, r->v[k]);
        if (r->rest == IUCV_BYTES)
            bytes[8 * r->words + 3] = (u8)r->v[6];
        if (r->tag)
            codec_put_bytes(&out, r->tag, bytes, 8 * r->words + r->rest);
    }
    codec_end(&out);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &all) && codec_open(&all, &block));
    bool good_row = iucv_restore(vm, &block);
    codec_out_fini(&out);
    vm_destroy(vm);
    guest_count--;
    return good_row;
}

START_TEST(rows_of_state)
{
    static const struct bad good[] = {{0},
                                      {0x8005, {7}, 1, 0},
                                      {0x8003, {0, 1, 4, 9}, 4, 9},
                                      {0x8004, {0, 0, 0, 0, 0, 0, 9}, 1, 40},
                                      {0x0099, {0}, 0, 3}};
    static const struct bad bad[] = {
        {0x8099, {0}, 0, 3},                /* it must be known */
        {0x8001, {0, 0xf8, 0xf8, 8}, 4, 0}, /* there is one */
        {0x8001, {1, 0xf8, 0xf8, 8}, 4, 0}, /* no such CPU */
        {0x8001, {64}, 4, 0},
        {0x8001, {0}, 3, 0},
        {0x8002, {0, 2, 1}, 7, 0},  /* there is one */
        {0x8002, {64, 2, 1}, 7, 0}, /* more than MAXCONN */
        {0x8002, {2, 2, 0}, 7, 0},  /* to nobody, and open */
        {0x8002, {2, 0, 1}, 7, 0},
        {0x8002, {2, 4, 1}, 7, 0},
        {0x8002, {2, 2, 2}, 7, 0},
        {0x8002, {2, 2, 1, 0x10000}, 7, 0},
        {0x8003, {1, 1, 4, 0}, 4, 9},  /* not of *MSG */
        {0x8003, {5, 1, 4, 0}, 4, 9},  /* no such path */
        {0x8003, {0, 1, 4, 10}, 4, 9}, /* more received than there is */
        {0x8003, {0, 1, 4, 0}, 4, 4097},
        {0x8004, {0, 0, 0, 0, 0, 0, 0}, 1, 40}, /* no such type */
        {0x8004, {0, 0, 0, 0, 0, 0, 10}, 1, 40},
        {0x8004, {1, 0, 0, 0, 0, 0, 9}, 1, 40}, /* it says another path */
        {0x8004, {0}, 1, 39},
        {0x8005, {0x100000000}, 1, 0},
    };
    for (unsigned i = 0; i < ARRAY_LEN(good); i++)
        ck_assert_msg(takes(&good[i]), "good row %u", i);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!takes(&bad[i]), "bad row %u", i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_iucv_service");
    TCase *tc = tcase_create("service");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, begin, end);
    tcase_add_test(tc, messages_of_cp);
    tcase_add_test(tc, not_taken);
    tcase_add_test(tc, what_waits_relocates);
    tcase_add_test(tc, others_are_severed);
    tcase_add_test(tc, rows_of_state);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
