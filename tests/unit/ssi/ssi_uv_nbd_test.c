/* The PDR on an NBD export, with real servers (nbdkit, qemu-nbd): exports that cannot hold one,
 * members that share one, a server that ends or hangs and comes again, FORMSSI. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ssi/ssi_formssi.h"
#include "ssi/ssi_lease.h"
#include "tests/lib/ssi_nodes.h"

static char uri[SSI_PATH_BYTES];
static struct node a, b;
static struct cause cause;

static int shell(const char *form)
{
    char command[1000];
    snprintf(command, sizeof command, form, node_folder, node_folder, node_folder);
    return system(command);
}

#define NBDKIT "nbdkit -U %s/socket -P %s/pid "

static void serve(const char *form)
{
    ck_assert_int_eq(shell(form), 0);
}

static void serve_file(void)
{
    serve(NBDKIT "file %s/export");
}

static void server_signal(const char *form)
{
    ck_assert_int_eq(shell(form), 0);
}

static void server_end(void)
{
    server_signal(
        "kill -9 $(cat %s/pid); while kill -0 $(cat %s/pid) 2>/dev/null; do sleep 0.01; "
        "done; cd %s && rm -f socket pid");
}

static void setup(void)
{
    nodes_setup();
    snprintf(uri, sizeof uri, "nbd+unix:///?socket=%s/socket", node_folder);
    serve("truncate -s 90M %s/export && : %s %s");
}

static void teardown(void)
{
    shell("[ ! -e %s/pid ] || kill -9 $(cat %s/pid); rm -f %s/*");
    nodes_teardown();
}

static void open_node(struct node *node, unsigned slot)
{
    struct ssi_config config;
    node_config(&config, slot);
    strcpy(config.pdr_path, uri);
    node_open_with(node, &config);
}

static void refused(int status, const char *text)
{
    open_node(&a, 0);
    node_join_begin(&a);
    RUN_UNTIL(a.joined_done);
    ck_assert_int_eq(a.join_status, status);
    ck_assert_msg(strstr(a.cause.text, text), "%s", a.cause.text);
    ck_assert_msg(strstr(a.cause.text, uri), "%s", a.cause.text);
    node_close(&a);
}

static void make(void)
{
    ck_assert_msg(formssi_create(uri, "TESTSSI", false, 1000, &cause) == ST_OK, "%s",
                  cause.text);
}

START_TEST(exports_that_cannot_hold_a_PDR_are_refused)
{
    refused(ST_IO, "connect");
    serve_file();
    refused(ST_CONFIG, "there is no PDR on it; endicott formssi create makes one");
    make();
    server_end();
    serve(NBDKIT "-r file %s/export");
    refused(ST_PERM, "read-only");
    server_end();
    serve(NBDKIT "--filter=multi-conn file %s/export multi-conn-mode=disable");
    refused(ST_CONFIG, "multi-conn");
    server_end();
    serve(NBDKIT "--filter=truncate file %s/export truncate=1M");
    refused(ST_CONFIG, "the export has 1048576 bytes");
    server_end();
    serve(NBDKIT "--filter=blocksize-policy file %s/export blocksize-minimum=4096");
    refused(ST_CONFIG, "blocks of 4096 bytes");
    ck_assert_int_eq(formssi_create(uri, "TESTSSI", true, 0, &cause), ST_CONFIG);
}
END_TEST

static int claim(struct node *node, const char *name)
{
    u64 generation;
    return ssi_claim(node->ssi, 1, name, &generation, &cause);
}

static bool claimed(struct node *node, const char *name, int status)
{
    int rc = claim(node, name);
    ck_assert_msg(rc == status || rc == ST_BUSY || rc == ST_IO || rc == ST_REFUSED, "%s",
                  cause.text);
    return rc == status;
}

#define TLS_SERVER 2
static const char *const servers[] = {
    NBDKIT "file %s/export",
    "qemu-nbd -f raw -t -e 8 --fork -k %s/socket --pid-file %s/pid %s/export",
    "cd %s && printf 'member:00112233445566778899aabbccddeeff' >psk && "
    "nbdkit --tls=require --tls-psk=psk -U %s/socket -P %s/pid file $PWD/export",
};
#define SERVERS ((int)(sizeof servers / sizeof *servers))

static void two_joined(void)
{
    make();
    open_node(&a, 0);
    open_node(&b, 1);
    node_join(&a);
    node_join(&b);
    RUN_UNTIL(a.peers == 1 && b.peers == 1);
}

static void both_close(void)
{
    node_close(&a);
    node_close(&b);
}

START_TEST(members_share_one_and_a_name_has_one_owner)
{
    struct formssi_view view;
    serve(servers[_i]);
    if (_i == TLS_SERVER) {
        refused(ST_IO, "TLS");
        snprintf(uri, sizeof uri, "nbds+unix://member@/?socket=%s/socket&tls-psk-file=%s/psk",
                 node_folder, node_folder);
    }
    two_joined();
    RUN_UNTIL(claimed(&a, "X", ST_OK));
    RUN_UNTIL(claimed(&b, "X", ST_EXIST));
    RUN_UNTIL(claimed(&b, "Y", ST_OK));
    ck_assert_msg(formssi_look(uri, &view, &cause) == ST_OK, "%s", cause.text);
    ck_assert_str_eq(view.cluster, "TESTSSI");
    ck_assert_int_eq(view.slots[0].pid, getpid());
    ck_assert_int_eq(view.slots[1].state, SSI_JOINED);
    ck_assert_uint_eq(view.slots[0].claims, 1);
    ck_assert_uint_eq(view.slots[1].claims, 1);
    ck_assert_int_eq(formssi_create(uri, "TESTSSI", true, 0, &cause), ST_BUSY);
    node_leave(&b);
    RUN_UNTIL(b.leave_done);
    ck_assert_int_eq(b.leave_status, ST_OK);
    RUN_UNTIL(claimed(&a, "Y", ST_OK));
    node_close(&a); /* without a word: its slot is nobody's, and b may bury it */
    b.joined_done = false;
    node_join(&b);
    RUN_UNTIL(claimed(&b, "X", ST_OK));
    node_close(&b);
}
END_TEST

START_TEST(a_slot_has_one_life)
{
    serve_file();
    make();
    open_node(&a, 0);
    node_join(&a);
    open_node(&b, 0);
    node_join_begin(&b);
    RUN_UNTIL(b.joined_done);
    ck_assert_int_eq(b.join_status, ST_EXIST);
    ck_assert_msg(strstr(b.cause.text, "a system in slot 1 runs already (process"), "%s",
                  b.cause.text);
    ck_assert_int_eq(claim(&a, "X"), ST_OK);
    both_close();
}
END_TEST

START_TEST(a_server_ends_and_comes_again)
{
    serve_file();
    two_joined();
    RUN_UNTIL(claimed(&a, "X", ST_OK));
    server_end();
    ck_assert_int_eq(claim(&a, "Y"), ST_IO);
    ck_assert_msg(strstr(cause.text, uri), "%s", cause.text);
    ck_assert_int_eq(claim(&b, "Y"), ST_IO);
    ck_assert_int_eq(ssi_member_state(a.ssi, "A"), SSI_JOINED);
    RUN_UNTIL(strstr(a.text, "HCPPLM1707E") && strstr(b.text, "HCPPLM1707E"));
    serve_file();
    RUN_UNTIL(claimed(&b, "X", ST_EXIST));
    RUN_UNTIL(claimed(&b, "Y", ST_OK));
    RUN_UNTIL(claimed(&a, "Y", ST_EXIST));
    both_close();
}
END_TEST

START_TEST(a_server_that_hangs_is_waited_for_no_longer_than_named)
{
    serve_file();
    two_joined();
    RUN_UNTIL(claimed(&a, "X", ST_OK));
    server_signal("kill -STOP $(cat %s/pid); : %s %s");
    u64 from = uv_hrtime();
    ck_assert_int_ne(claim(&a, "Y"), ST_OK);
    ck_assert_int_ne(claim(&a, "Z"), ST_OK);
    printf("two claims while it hung: %llu ms\n",
           (unsigned long long)((uv_hrtime() - from) / 1000000));
    RUN_UNTIL(strstr(a.text, "no answer for") || strstr(a.text, "does not answer"));
    ck_assert_int_eq(ssi_member_state(a.ssi, "A"), SSI_JOINED);
    server_signal("kill -CONT $(cat %s/pid); : %s %s");
    RUN_UNTIL(claimed(&a, "Y", ST_OK));
    RUN_UNTIL(claimed(&b, "X", ST_EXIST));
    both_close();
}
END_TEST

START_TEST(a_PDR_that_was_made_anew_is_not_the_one_of_before)
{
    serve_file();
    make();
    open_node(&a, 0);
    node_join(&a);
    server_end();
    shell("truncate -s 0 %s/export && truncate -s 90M %s/export; : %s");
    serve_file();
    make();
    RUN_UNTIL(claimed(&a, "X", ST_IO) && strstr(cause.text, "another PDR was made there"));
    node_close(&a);
}
END_TEST

START_TEST(formssi_writes_over_nothing_unasked)
{
    struct formssi_view view;
    serve("printf x | dd of=%s/export bs=1 seek=70000000 conv=notrunc status=none; : %s %s");
    serve_file();
    ck_assert_int_eq(formssi_look(uri, &view, &cause), ST_CONFIG);
    ck_assert_int_eq(formssi_create(uri, "TESTSSI", false, 0, &cause), ST_EXIST);
    ck_assert_int_eq(formssi_create(uri, "TESTSSI", true, 0, &cause), ST_OK);
    ck_assert_int_eq(formssi_create(uri, "OTHER", false, 0, &cause), ST_EXIST);
    ck_assert_msg(strstr(cause.text, "the PDR of SSI cluster TESTSSI"), "%s", cause.text);
    ck_assert_int_eq(formssi_look(uri, &view, &cause), ST_OK);
    ck_assert(view.consistent && view.lock_pid == 0);
    ck_assert_int_eq(formssi_create(uri, "OTHER", true, 0, &cause), ST_OK);
    refused(ST_CONFIG, "is the PDR of SSI cluster OTHER");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_uv_nbd");
    TCase *tc = tcase_create("nbd");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, exports_that_cannot_hold_a_PDR_are_refused);
    tcase_add_loop_test(tc, members_share_one_and_a_name_has_one_owner, 0, SERVERS);
    tcase_add_test(tc, a_slot_has_one_life);
    tcase_add_test(tc, a_server_ends_and_comes_again);
    tcase_add_test(tc, a_server_that_hangs_is_waited_for_no_longer_than_named);
    tcase_add_test(tc, a_PDR_that_was_made_anew_is_not_the_one_of_before);
    tcase_add_test(tc, formssi_writes_over_nothing_unasked);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
