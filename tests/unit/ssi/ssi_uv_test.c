/* Three members over real loopback TCP and one PDR file: join, bulk transfer, strangers, loss.
 * Waits for events only; a watchdog timer ends a hanging test. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <signal.h>
#include <sys/wait.h>
#include <sys/resource.h>

#include "tests/lib/ssi_nodes.h"

START_TEST(three_members_join_transfer_and_leave)
{
    struct node n[3];
    for (unsigned i = 0; i < 3; i++) {
        node_open(&n[i], i);
        node_join_begin(&n[i]); /* all at once: they take turns */
    }
    RUN_UNTIL(n[0].peers == 2 && n[1].peers == 2 && n[2].peers == 2);
    u64 start = uv_hrtime();
    node_pump(&n[0]);
    RUN_UNTIL(n[1].got_all);
    double s = (double)(uv_hrtime() - start) / 1e9;
    fprintf(stderr, "200 MiB in %.3f s, %.2f GB/s\n", s, BULK_BYTES / s / 1e9);
    ck_assert_uint_eq(n[0].lost + n[1].lost + n[2].lost, 0);
    RUN_UNTIL(ssi_mode(n[0].ssi) == SSI_MODE_STABLE);
    node_leave(&n[1]);
    RUN_UNTIL(n[1].leave_done && n[0].peers == 1 && n[2].peers == 1);
    ck_assert_int_eq(n[1].leave_status, ST_OK);
    RUN_UNTIL(ssi_mode(n[0].ssi) == SSI_MODE_STABLE && ssi_mode(n[2].ssi) == SSI_MODE_STABLE);
    ck_assert_int_eq(ssi_member_state(n[0].ssi, "B"), SSI_DOWN);
    for (unsigned i = 0; i < 3; i++)
        node_close(&n[i]);
}
END_TEST

/* [S2] A member that ends without leaving on this host is buried, and its claims with it. */
START_TEST(a_crashed_member_is_buried)
{
    struct node a, b;
    u64 generation, other;
    struct cause cause;
    node_open(&a, 0);
    node_open(&b, 1);
    node_join(&a);
    node_join(&b);
    RUN_UNTIL(a.peers == 1 && b.peers == 1);
    ck_assert_int_eq(ssi_claim(b.ssi, 1, "LINUX1", &generation, &cause), ST_OK);
    ck_assert_int_eq(ssi_claim(a.ssi, 1, "LINUX1", &other, &cause), ST_EXIST);
    ck_assert_str_eq(cause.text, "B");
    node_close(&b); /* no ssi_leave */
    RUN_UNTIL(a.told_down);
    ck_assert_int_eq(ssi_mode(a.ssi), SSI_MODE_STABLE);
    ck_assert_ptr_nonnull(strstr(a.text, "HCPPLM1703W"));
    ck_assert_int_eq(ssi_claim(a.ssi, 1, "LINUX1", &other, &cause), ST_OK);
    ck_assert_uint_gt(other, generation);
    node_close(&a);
}
END_TEST

/* The same with a process of its own, whose kernel takes everything away at once. */
START_TEST(a_killed_process_is_buried)
{
    struct node a, b;
    u64 generation;
    struct cause cause;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        uv_loop_init(&node_loop); /* a new one: the parent's is not ours */
        node_open(&b, 1);
        node_join_begin(&b);
        RUN_UNTIL(b.peers == 1);
        if (ssi_claim(b.ssi, 1, "LINUX1", &generation, &cause) != ST_OK)
            _exit(1);
        ssi_send(b.ssi, "A", NODE_SERVICE, NODE_TYPE, "\0\0\0", 4);
        for (;;)
            uv_run(&node_loop, UV_RUN_ONCE);
    }
    node_open(&a, 0);
    node_join(&a);
    RUN_UNTIL(a.received == 4);
    ck_assert_int_eq(ssi_claim(a.ssi, 1, "LINUX1", &generation, &cause), ST_EXIST);
    kill(child, SIGKILL);
    u64 start = uv_hrtime();
    RUN_UNTIL(a.told_down);
    fprintf(stderr, "buried after %.1f ms\n", (double)(uv_hrtime() - start) / 1e6);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(ssi_claim(a.ssi, 1, "LINUX1", &generation, &cause), ST_OK);
    node_close(&a);
}
END_TEST

START_TEST(a_second_instance_is_refused)
{
    struct node a, again;
    node_open(&a, 0);
    node_join(&a);
    node_open(&again, 0);
    node_join_begin(&again);
    RUN_UNTIL(again.joined_done);
    ck_assert_int_eq(again.join_status, ST_EXIST);
    ck_assert_int_eq(ssi_member_state(a.ssi, "A"), SSI_JOINED);
    node_close(&again);
    node_close(&a);
}
END_TEST

START_TEST(the_pdr_of_another_cluster_is_refused)
{
    struct node a, b;
    node_open(&a, 0);
    node_join(&a);
    struct ssi_config config;
    node_config(&config, 1);
    strcpy(config.cluster, "OTHERSSI");
    node_open_with(&b, &config);
    node_join_begin(&b);
    RUN_UNTIL(b.joined_done);
    ck_assert_int_eq(b.join_status, ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(b.cause.text, "TESTSSI"));
    ck_assert_int_eq(ssi_mode(a.ssi), SSI_MODE_STABLE);
    node_close(&b);
    node_close(&a);
}
END_TEST

START_TEST(a_veto_refuses_the_join_with_its_reason)
{
    struct node a, b;
    node_open(&a, 0);
    node_join(&a);
    strcpy(a.veto, "LINUX7 is logged on twice");
    node_open(&b, 1);
    node_join_begin(&b);
    RUN_UNTIL(b.joined_done && ssi_mode(a.ssi) == SSI_MODE_STABLE);
    ck_assert_int_eq(b.join_status, ST_REFUSED);
    ck_assert_ptr_nonnull(strstr(b.cause.text, "LINUX7"));
    ck_assert_ptr_nonnull(strstr(a.text, "HCPPLM1715W"));
    ck_assert_int_eq(ssi_member_state(a.ssi, "B"), SSI_DOWN);
    node_close(&b);
    node_close(&a);
}
END_TEST

static unsigned times_said(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

START_TEST(garbage_on_the_port_disturbs_nothing)
{
    struct node a, b;
    node_open(&a, 0);
    node_open(&b, 1);
    node_join(&a);
    node_join(&b);
    for (unsigned i = 0; i < 40; i++) {
        struct stranger s = {.bytes = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", .len = 27};
        stranger_call(&s, &a);
        RUN_UNTIL(s.ended);
    }
    unsigned complaints = times_said(a.text, "HCPPLM1706W");
    ck_assert_uint_ge(complaints, 1);
    ck_assert_uint_le(complaints, 10 * (1 + times_said(a.text, "HCPPLM1709I"))); /* a minute */
    ck_assert_int_eq(ssi_mode(a.ssi), SSI_MODE_STABLE);
    ck_assert_uint_eq(a.lost + b.lost, 0);
    node_close(&b);
    node_close(&a);
}
END_TEST

/* A well-formed HELLO with one lie in it. */
static void lie(struct node *node, const struct wire_hello *hello, const char *expect)
{
    struct codec_out out;
    u8 bytes[SSI_WIRE_HEADER_BYTES + SSI_HELLO_BYTES_MAX];
    codec_out_init(&out);
    ssi_hello_encode(&out, hello);
    struct wire_frame frame = {
        .version = SSI_WIRE_BASE, .type = WIRE_HELLO, .length = (u32)out.len};
    ssi_wire_header(bytes, &frame);
    memcpy(bytes + SSI_WIRE_HEADER_BYTES, out.data, out.len);
    struct stranger s = {.bytes = bytes, .len = SSI_WIRE_HEADER_BYTES + out.len};
    codec_out_fini(&out);
    node->text[0] = 0;
    stranger_call(&s, node);
    RUN_UNTIL(s.ended);
    ck_assert_msg(strstr(node->text, "HCPPLM1705W") && strstr(node->text, expect), "%s",
                  node->text);
}

START_TEST(a_peer_with_a_wrong_identity_is_refused)
{
    struct node a, b;
    struct wire_hello hello = {.cluster = "WRONGSSI", .member = "B", .slot = 1, .purpose = 1};
    node_open(&a, 0);
    node_open(&b, 1);
    node_join(&a);
    node_join(&b);
    lie(&a, &hello, "(WRONGSSI.B)");
    strcpy(hello.cluster, "TESTSSI");
    lie(&a, &hello, "SSI statement differs");
    hello.slot = 2;
    lie(&a, &hello, "not in that slot");
    ck_assert_int_eq(ssi_mode(a.ssi), SSI_MODE_STABLE);
    ck_assert_uint_eq(a.lost + b.lost, 0);
    node_close(&b);
    node_close(&a);
}
END_TEST

START_TEST(a_full_disk_under_the_pdr_refuses_the_join)
{
    struct node a;
    struct ssi_config config;
    struct rlimit was, little;
    node_config(&config, 0);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    little = (struct rlimit){.rlim_cur = 4096, .rlim_max = was.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    node_open_with(&a, &config);
    node_join_begin(&a);
    RUN_UNTIL(a.joined_done);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
    ck_assert_int_eq(a.join_status, ST_IO);
    ck_assert_ptr_nonnull(strstr(a.text, "HCPPLM1707E"));
    node_close(&a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_uv");
    TCase *tc = tcase_create("loopback");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, nodes_setup, nodes_teardown);
    tcase_add_test(tc, three_members_join_transfer_and_leave);
    tcase_add_test(tc, a_crashed_member_is_buried);
    tcase_add_test(tc, a_killed_process_is_buried);
    tcase_add_test(tc, a_second_instance_is_refused);
    tcase_add_test(tc, the_pdr_of_another_cluster_is_refused);
    tcase_add_test(tc, a_veto_refuses_the_join_with_its_reason);
    tcase_add_test(tc, garbage_on_the_port_disturbs_nothing);
    tcase_add_test(tc, a_peer_with_a_wrong_identity_is_refused);
    tcase_add_test(tc, a_full_disk_under_the_pdr_refuses_the_join);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
