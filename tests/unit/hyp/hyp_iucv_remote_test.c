/* IUCV over two members: connecting, who may, messages both ways with text and replies, limits of
 * what is under way, PURGE, SEVER, a link that is lost; and messages that make no sense.
 * Run alone: tests/run unit/hyp_iucv_remote_test */
#include "hyp/iucv/iucv_service.h"
#include "tests/lib/iucv_machine.h"

static const char *const names[] = {"MEMBERA", "MEMBERB"};
static struct vm_host *hosts[2];
static bool link_up;
static unsigned under_way;

struct sent {
    unsigned to;
    size_t len;
    u8 bytes[];
};

static void arrive(void *arg)
{
    struct sent *s = arg;
    under_way--;
    if (link_up)
        iucv_remote_receive(hosts[s->to], names[!s->to], s->bytes, s->len);
    free(s);
}

static int send_over(void *ctx, const char *member, const void *data, size_t len)
{
    (void)ctx;
    struct sent *s = malloc(sizeof *s + len);
    s->to = !strcmp(member, "MEMBERB");
    s->len = len;
    memcpy(s->bytes, data, len);
    under_way++;
    post(NULL, arrive, s);
    return link_up ? ST_OK : (run_notes(), ST_LOST);
}

static bool locate(void *ctx, const char *userid, char member[IUCV_MEMBER_BYTES])
{
    struct vm_host *here = ctx;
    for (unsigned i = 0; i < guest_count; i++)
        if (!strcmp(vm_name(guests[i]), userid) && guests[i]->host != here) {
            strcpy(member, names[guests[i]->host == hosts[1]]);
            return true;
        }
    return false;
}

static void begin_two(void)
{
    for (unsigned i = 0; i < 2; i++) {
        begin();
        hosts[i] = host;
        const struct iucv_wire wire = {host, locate, send_over};
        iucv_remote_wire(host, &wire);
    }
    link_up = true;
}

static void end_two(void)
{
    while (guest_count)
        vm_destroy(guests[--guest_count]);
    run_notes();
    vm_host_destroy(hosts[0]);
    vm_host_destroy(hosts[1]);
}

static void apart(const struct vm_config *first, const struct vm_config *second)
{
    host = hosts[0];
    alice = guest("ALICE", first);
    host = hosts[1];
    bob = guest("BOB", second);
    declare(alice), declare(bob);
}

static void connected_apart(u8 flags)
{
    apart(&anybody, &anybody);
    alices = connect_to(alice, "BOB", flags, 100);
    ck_assert_uint_eq(interrupted(bob), 1);
    ck_assert_mem_eq(irq + 8, "\xc1\xd3\xc9\xc3\xc5\x40\x40\x40", 8); /* ALICE */
    ck_assert_mem_eq(irq + 16, "user data of it!", 16);
    ck_assert_uint_eq(be16_load(irq + 4), 100);
    bobs = be16_load(irq);
    accept_path(bobs, flags);
    ck_assert_uint_eq(interrupted(alice), 2);
    ck_assert_uint_eq(be16_load(irq), alices);
}

START_TEST(there_and_back)
{
    connected_apart(0);
    text_at(alice, OUT_AT, "question");
    send_to(alices, 0, OUT_AT, 8);
    p32(8, 77), p32(20, 88), p32(24, 99), p32(28, ANSWER_AT), p32(32, 32);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    u32 id = be32_load(parm + 4);
    text_at(alice, OUT_AT, "changed!"); /* it has been taken */
    ck_assert_uint_eq(interrupted(bob), 9);
    ck_assert_uint_eq(be32_load(irq + 32), 32);
    receive_parm(bobs, id, 77, IN_AT, 5);
    ck_assert_uint_eq(iucv(bob, RECEIVE), RC(5));
    receive_parm(bobs, id, 77, IN_AT + 5, 5);
    ck_assert_uint_eq(iucv(bob, RECEIVE), 0);
    ck_assert_mem_eq(of(bob, IN_AT), "question", 8);
    text_at(bob, OUT_AT, "the answer");
    reply_parm(bobs, id, 77, OUT_AT, 10);
    ck_assert_uint_eq(iucv(bob, REPLY), 0);
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be32_load(irq + 4), id);
    ck_assert_uint_eq(be16_load(irq + 8), 0);
    ck_assert_uint_eq(be32_load(irq + 20), 88);
    ck_assert_uint_eq(be32_load(irq + 24), 99);
    ck_assert_uint_eq(be32_load(irq + 32), 22);
    ck_assert_mem_eq(of(alice, ANSWER_AT), "the answer\0", 11);
    text_at(bob, OUT_AT, "one way");
    send_to(bobs, ONE_WAY, OUT_AT, 7);
    ck_assert_uint_eq(iucv(bob, SEND), 0);
    ck_assert_uint_eq(interrupted(alice), 9);
    receive_parm(alices, be32_load(irq + 4), 0, IN_AT, 64);
    ck_assert_uint_eq(iucv(alice, RECEIVE), 0);
    ck_assert_mem_eq(of(alice, IN_AT), "one way\0", 8);
    ck_assert_uint_eq(interrupted(bob), 7);
}
END_TEST

START_TEST(data_in_the_parameter_list)
{
    connected_apart(DATA);
    send_to(alices, DATA, 0, 0);
    memcpy(parm + 12, "12345678", 8);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    u32 id = be32_load(parm + 4);
    ck_assert_uint_eq(interrupted(bob), 9);
    ck_assert_mem_eq(irq + 12, "12345678", 8);
    reply_parm(bobs, id, 0, 0, 0);
    parm[2] = DATA;
    memcpy(parm + 12, "87654321", 8);
    ck_assert_uint_eq(iucv(bob, REPLY), 0);
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(irq[2], DATA);
    ck_assert_mem_eq(irq + 12, "87654321", 8);
    send_to(alices, DATA | ONE_WAY, 0, 0);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    ck_assert_uint_eq(interrupted(bob), 9);
    ck_assert_uint_eq(interrupted(alice), 7);
}
END_TEST

/* Refused by severing, with the IPRCODE. */
static void refused(const char *to, u8 rc)
{
    u16 path = connect_to(alice, to, 0, 0);
    ck_assert_uint_eq(interrupted(alice), 3);
    ck_assert_uint_eq(be16_load(irq), path);
    ck_assert_uint_eq(irq[31], rc);
    path_parm(path, NULL);
    ck_assert_uint_eq(iucv(alice, SEVER), 0);
}

START_TEST(who_may_connect)
{
    struct vm_config none = {0}, allow = {0};
    strcpy(allow.iucv[0].name, "ALLOW");
    allow.iucvs = 1;
    apart(&none, &none);
    refused("BOB", 15);
    host = hosts[1];
    struct vm *carol = guest("CAROL", &allow);
    refused("CAROL", 12);
    declare(carol);
    connect_to(alice, "CAROL", 0, 0);
    ck_assert_uint_eq(interrupted(carol), 1);
    ck_assert_uint_eq(connect_rc(alice, "NOBODY"), RC(11));
    connect_parm("CAROL", IUCV_LOCAL, 0);
    ck_assert_uint_eq(iucv(alice, CONNECT), RC(11));
    link_up = false;
    ck_assert_uint_eq(connect_rc(alice, "CAROL"), RC(11));
}
END_TEST

START_TEST(what_is_refused)
{
    connected_apart(0);
    send_to(alices, ONE_WAY | DATA, 0, 0);
    ck_assert_uint_eq(iucv(alice, SEND), RC(21));
    send_to(alices, ONE_WAY, 0x100000, IUCV_REMOTE_BYTES_MAX + 1);
    ck_assert_uint_eq(iucv(alice, SEND), RC(10));
    for (unsigned i = 0; i < IUCV_REMOTE_PATH_BYTES_MAX / IUCV_REMOTE_BYTES_MAX; i++) {
        send_to(alices, ONE_WAY, 0x100000, IUCV_REMOTE_BYTES_MAX);
        ck_assert_uint_eq(iucv(alice, SEND), 0);
    }
    send_to(alices, ONE_WAY, 0x100000, 1);
    ck_assert_uint_eq(iucv(alice, SEND), RC(3));
    ck_assert_uint_eq(interrupted(bob), 9);
    receive_parm(bobs, be32_load(irq + 4), 0, 0x100000, IUCV_REMOTE_BYTES_MAX);
    ck_assert_uint_eq(iucv(bob, RECEIVE), 0);
    ck_assert_uint_eq(interrupted(alice), 7);
    send_to(alices, ONE_WAY, 0x100000, 1);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    send_to(alices, ONE_WAY, STORAGE_BYTES, 1);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be16_load(irq + 8), 0x2000);
    path_parm(bobs, NULL);
    ck_assert_uint_eq(iucv(bob, QUIESCE), 0);
    ck_assert_uint_eq(interrupted(alice), 4);
    send_to(alices, ONE_WAY, OUT_AT, 1);
    ck_assert_uint_eq(iucv(alice, SEND), RC(2));
    path_parm(bobs, NULL);
    ck_assert_uint_eq(iucv(bob, RESUME), 0);
    ck_assert_uint_eq(interrupted(alice), 5);
}
END_TEST

START_TEST(reject_and_purge)
{
    connected_apart(0);
    send_to(alices, 0, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    u32 id = be32_load(parm + 4);
    ck_assert_uint_eq(interrupted(bob), 9);
    receive_parm(bobs, id, 0, 0, 0);
    ck_assert_uint_eq(iucv(bob, REJECT), 0);
    ck_assert_uint_eq(interrupted(alice), 7);
    ck_assert_uint_eq(be16_load(irq + 8), 0x0400);
    send_to(alices, 0, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    run_notes();
    path_parm(alices, NULL);
    parm[2] = BY_PATH;
    ck_assert_uint_eq(iucv(alice, PURGE), 0);
    run_notes();
    ck_assert(!comes(bob));
    ck_assert(!comes(alice));
}
END_TEST

static void both_severed(void)
{
    ck_assert_uint_eq(interrupted(alice), 7); /* hers, which bob has not received */
    ck_assert_uint_eq(be16_load(irq + 8), 0x0008);
    ck_assert_uint_eq(interrupted(alice), 3);
    send_to(alices, 0, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), RC(1));
    path_parm(alices, NULL);
    ck_assert_uint_eq(iucv(alice, SEVER), 0);
    run_notes();
    ck_assert_uint_eq(under_way, 0);
    ck_assert(!comes(alice));
}

static void one_waits(void)
{
    const char *other;
    connected_apart(0);
    send_to(alices, 0, OUT_AT, 4);
    ck_assert_uint_eq(iucv(alice, SEND), 0);
    run_notes();
    ck_assert(iucv_stays(alice, 0, &other));
    ck_assert_str_eq(other, "BOB");
}

START_TEST(severed)
{
    one_waits();
    path_parm(bobs, NULL);
    ck_assert_uint_eq(iucv(bob, SEVER), 0);
    both_severed();
    ck_assert(!comes(bob));
}
END_TEST

START_TEST(the_link_is_lost)
{
    one_waits();
    link_up = false;
    iucv_remote_lost(hosts[0], "MEMBERB");
    iucv_remote_lost(hosts[1], "MEMBERA");
    both_severed();
    ck_assert_uint_eq(interrupted(bob), 3);
    memset(parm, 0, sizeof parm);
    ck_assert_uint_eq(iucv(bob, RECEIVE), RC2);
}
END_TEST

START_TEST(a_reset_severs)
{
    one_waits();
    vm_system_reset(bob, false);
    run_notes();
    both_severed();
}
END_TEST

/* Bytes of a message, each changed in turn: nothing but a severed path may come of it. */
START_TEST(what_makes_no_sense)
{
    struct codec_out out;
    connected_apart(0);
    for (unsigned kind = 0; kind < 10; kind++)
        for (unsigned tag = 0; tag < 20; tag++) {
            codec_out_init(&out);
            codec_put_u8(&out, 0x8001, (u8)kind);
            codec_put_u32(&out, 0x8002, 1);
            codec_put_u8(&out, 0x8003, 1);
            codec_put_bytes(&out, (u16)(0x8000 | tag), "\1\2\3\4\5\6\7", tag % 9);
            iucv_remote_receive(hosts[1], "MEMBERA", out.data, out.len);
            for (size_t n = 0; n < out.len; n++)
                iucv_remote_receive(hosts[1], "MEMBERA", out.data, n);
            codec_out_fini(&out);
        }
    run_notes();
    ck_assert(comes(bob));
    ck_assert(irq[3] >= 3 && irq[3] <= 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_iucv_remote");
    TCase *tc = tcase_create("remote");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, begin_two, end_two);
    tcase_add_test(tc, there_and_back);
    tcase_add_test(tc, data_in_the_parameter_list);
    tcase_add_test(tc, who_may_connect);
    tcase_add_test(tc, what_is_refused);
    tcase_add_test(tc, reject_and_purge);
    tcase_add_test(tc, severed);
    tcase_add_test(tc, the_link_is_lost);
    tcase_add_test(tc, a_reset_severs);
    tcase_add_test(tc, what_makes_no_sense);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
