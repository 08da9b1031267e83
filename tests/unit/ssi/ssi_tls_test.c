/* Links in TLS between real members: certificates of `endicott cluster keys`, and every way in
 * which they may not fit, each with its message on the side that must know it. Peers that are no
 * members: tests/scenario/cluster_keys.sh. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cluster/keys.h"
#include "ssi/ssi_internal.h"
#include "ssi/ssi_uv_internal.h"
#include "tests/lib/ssi_nodes.h"

/* A folder with an authority, and a certificate of `member` good for `days`; "" = no member. */
static const char *keys(const char *name, const char *cluster, const char *member, int days)
{
    static char path[4][SSI_PATH_BYTES];
    static unsigned next;
    char *dir = path[next++ % 4];
    struct cause cause;
    snprintf(dir, SSI_PATH_BYTES, "%s/%s", node_folder, name);
    const struct keys_request r = {.dir = dir, .cluster = cluster, .days = days};
    ck_assert_msg(keys_authority(&r, &cause) == ST_OK, "%s", cause.text);
    if (member[0])
        ck_assert_msg(keys_member(&r, member, &cause) == ST_OK, "%s", cause.text);
    return dir;
}

static void node_open_keyed(struct node *node, unsigned slot, const char *keys_dir)
{
    struct ssi_config config;
    node_config(&config, slot);
    strcpy(config.keys_dir, keys_dir);
    node_open_with(node, &config);
}

#define CONTAINS(text, part)                                                                   \
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in: %s", part, text)

START_TEST(keyed_members_join_transfer_and_leave)
{
    struct node a, b;
    keys("keys", "TESTSSI", "A", 30);
    const char *dir = keys("keys", "TESTSSI", "B", 30);
    node_open_keyed(&a, 0, dir);
    node_open_keyed(&b, 1, dir);
    node_join(&a);
    node_join(&b);
    RUN_UNTIL(a.peers == 1 && b.peers == 1);
    u64 start = uv_hrtime();
    node_pump(&a);
    RUN_UNTIL(b.got_all);
    double s = (double)(uv_hrtime() - start) / 1e9;
    fprintf(stderr, "200 MiB in TLS in %.3f s, %.2f GB/s\n", s, BULK_BYTES / s / 1e9);
    ck_assert_uint_eq(a.lost + b.lost, 0);
    node_leave(&b);
    RUN_UNTIL(b.leave_done && a.peers == 0);
    ck_assert_int_eq(b.leave_status, ST_OK);
    node_close(&b);
    node_close(&a);
}
END_TEST

/* The link is lost and heals: a new handshake each time, no session is taken up again. */
START_TEST(a_lost_link_heals_in_tls)
{
    struct node a, b;
    struct cause cause;
    keys("keys", "TESTSSI", "A", 30);
    const char *dir = keys("keys", "TESTSSI", "B", 30);
    node_open_keyed(&a, 0, dir);
    node_open_keyed(&b, 1, dir);
    node_join(&a);
    node_join(&b);
    RUN_UNTIL(a.peers == 1 && b.peers == 1);
    ck_assert_int_eq(ssi_link_deactivate(a.ssi, "B", &cause), ST_OK);
    RUN_UNTIL(a.lost == 1 && b.lost == 1);
    ck_assert_int_eq(ssi_link_activate(a.ssi, "B", &cause), ST_OK);
    RUN_UNTIL(a.peers == 1 && b.peers == 1);
    node_close(&b);
    node_close(&a);
}
END_TEST

/* A member without keys calls one that has some, and the other way round. */
START_TEST(plain_and_keyed_members_refuse_each_other)
{
    struct node a, b;
    const char *dir = keys("keys", "TESTSSI", "A", 30);
    keys("keys", "TESTSSI", "B", 30);
    node_open_keyed(&a, 0, dir);
    node_join(&a);
    node_open(&b, 1);
    node_join_begin(&b);
    RUN_UNTIL(b.joined_done && strstr(a.text, "HCPPLM1705W"));
    ck_assert_int_eq(b.join_status, ST_REFUSED);
    CONTAINS(b.cause.text, "A refuses the connection: it does not use TLS");
    CONTAINS(b.cause.text, "endicott cluster keys");
    CONTAINS(a.text, "it does not use TLS");
    node_close(&b);
    node_close(&a);
    node_open(&a, 0);
    node_join(&a);
    node_open_keyed(&b, 1, dir);
    node_join_begin(&b);
    RUN_UNTIL(b.joined_done && strstr(a.text, "HCPPLM1705W"));
    ck_assert_int_eq(b.join_status, ST_REFUSED);
    CONTAINS(b.cause.text, "A: it answers without TLS: it has no keys");
    CONTAINS(a.text, "it uses TLS and the system called has no keys");
    RUN_UNTIL(ssi_mode(a.ssi) == SSI_MODE_STABLE);
    node_close(&b);
    node_close(&a);
}
END_TEST

/* B's certificate is of an authority that A does not know, although it has the cluster's name. */
START_TEST(another_authority_is_refused)
{
    struct node a, b;
    node_open_keyed(&a, 0, keys("keys", "TESTSSI", "A", 30));
    node_join(&a);
    node_open_keyed(&b, 1, keys("other", "TESTSSI", "B", 30));
    node_join_begin(&b);
    RUN_UNTIL(b.joined_done);
    ck_assert_int_eq(b.join_status, ST_REFUSED);
    CONTAINS(b.cause.text, "A: its certificate (TESTSSI.A) is not of this cluster's authority");
    CONTAINS(b.cause.text, "keys/ca.pem");
    RUN_UNTIL(strstr(a.text, "HCPPLM1706W"));
    CONTAINS(a.text, "it does not take this system's certificate: unknown CA");
    RUN_UNTIL(ssi_mode(a.ssi) == SSI_MODE_STABLE);
    node_close(&b);
    node_close(&a);
}
END_TEST

static void open_fails(const char *dir, const char *member, int status, const char *text)
{
    struct ssi_tls *tls = NULL;
    struct cause cause = {0};
    ck_assert_int_eq(ssi_tls_open(dir, "TESTSSI", member, &tls, &cause), status);
    CONTAINS(cause.text, text);
}

START_TEST(what_is_wrong_with_ones_own_keys_is_told)
{
    char path[SSI_PATH_BYTES + 16];
    struct ssi_tls *tls;
    struct cause cause;
    const char *dir = keys("keys", "TESTSSI", "A", 30);
    ck_assert_int_eq(ssi_tls_open(dir, "TESTSSI", "A", &tls, &cause), ST_OK);
    ssi_tls_close(tls);
    open_fails(dir, "B", ST_CONFIG, "endicott cluster keys DIR B");
    open_fails(keys("expired", "TESTSSI", "A", -1), "A", ST_CONFIG, "certificate has expired");
    open_fails(keys("expired", "TESTSSI", "", 1), "A", ST_CONFIG, "--force renews it");
    open_fails(keys("cluster", "OTHERSSI", "A", 30), "A", ST_CONFIG,
               "is the certificate of OTHERSSI.A, not of TESTSSI.A");
    snprintf(path, sizeof path, "%s/A.key", dir);
    chmod(path, 0640);
    open_fails(dir, "A", ST_PERM, "others may read");
    open_fails(dir, "A", ST_PERM, "chmod go=");
    chmod(path, 0600);
    snprintf(path, sizeof path, "%s/ca.key", dir);
    chmod(path, 0604);
    open_fails(dir, "A", ST_PERM, "ca.key");
    chmod(path, 0600);
    chmod(dir, 0755);
    open_fails(dir, "A", ST_PERM, "others may read");
    chmod(dir, 0700);
    unlink(path); /* the authority's key may be elsewhere */
    ck_assert_int_eq(ssi_tls_open(dir, "TESTSSI", "A", &tls, &cause), ST_OK);
    ssi_tls_close(tls);
    snprintf(path, sizeof path, "%s/A.pem", dir);
    unlink(path);
    open_fails(dir, "A", ST_CONFIG, "A.pem");
}
END_TEST

/* The address in the PDR leads to another member: it is not told who calls. */
START_TEST(another_member_at_that_address_is_refused)
{
    struct node a, b, c;
    struct cause cause;
    keys("keys", "TESTSSI", "A", 30);
    keys("keys", "TESTSSI", "B", 30);
    const char *dir = keys("keys", "TESTSSI", "C", 30);
    node_open_keyed(&a, 0, dir);
    node_join(&a);
    node_open_keyed(&c, 2, dir);
    node_join(&c);
    RUN_UNTIL(a.peers == 1 && c.peers == 1);
    ck_assert_int_eq(ssi_pdr_begin(a.ssi, 1000, &cause), ST_OK);
    memcpy(ssi_pdr_own(a.ssi)->addr, c.ssi->addr, sizeof c.ssi->addr);
    ck_assert_int_eq(ssi_pdr_commit(a.ssi, &cause), ST_OK);
    ssi_pdr_end(a.ssi);
    node_open_keyed(&b, 1, dir);
    node_join_begin(&b);
    RUN_UNTIL(b.joined_done);
    ck_assert_int_eq(b.join_status, ST_REFUSED);
    CONTAINS(b.cause.text, "A: its certificate is that of another system (TESTSSI.C)");
    ck_assert_uint_eq(a.lost + c.lost, 0);
    node_close(&b);
    node_close(&c);
    node_close(&a);
}
END_TEST

/* Renewed while members run: the next connection has the new ones; bad ones are told and left. */
START_TEST(renewed_keys_count_from_the_next_connection)
{
    struct node a, b;
    struct cause cause;
    keys("keys", "TESTSSI", "A", 30);
    const char *dir = keys("keys", "TESTSSI", "B", 30);
    const struct keys_request r = {.dir = dir, .cluster = "TESTSSI", .days = 30, .force = true};
    const struct keys_request expired = {
        .dir = dir, .cluster = "TESTSSI", .days = -1, .force = true};
    node_open_keyed(&a, 0, dir);
    node_open_keyed(&b, 1, dir);
    node_join(&a);
    node_join(&b);
    RUN_UNTIL(a.peers == 1 && b.peers == 1);
    for (unsigned i = 1; i <= 2; i++) {
        ck_assert_int_eq(keys_member(i == 1 ? &r : &expired, "A", &cause), ST_OK);
        ck_assert_int_eq(ssi_link_deactivate(a.ssi, "B", &cause), ST_OK);
        RUN_UNTIL(a.lost == i && b.lost == i);
        ck_assert_int_eq(ssi_link_activate(a.ssi, "B", &cause), ST_OK);
        RUN_UNTIL(a.peers == 1 && b.peers == 1);
        ck_assert_int_eq(strstr(a.text, "HCPPLM1719W") != NULL, i == 2);
    }
    CONTAINS(a.text, "keys have changed and are not taken:");
    CONTAINS(a.text, "certificate has expired");
    node_close(&b);
    node_close(&a);
}
END_TEST

/* B's certificates are revoked while it is a member: its link ends, and it is not taken again until
 * it has a new one. A list that goes away is missed. */
START_TEST(revoked_keys_end_a_link)
{
    struct node a, b;
    struct cause cause;
    char path[SSI_PATH_BYTES + 16];
    unsigned count = 0;
    keys("keys", "TESTSSI", "A", 30);
    const char *dir = keys("keys", "TESTSSI", "B", 30);
    const struct keys_request r = {.dir = dir, .cluster = "TESTSSI", .days = 30, .force = true};
    ck_assert_int_eq(keys_member(&r, "B", &cause), ST_OK);
    ck_assert_int_eq(keys_revoke(&r, "C", &count, &cause), ST_NOENT);
    node_open_keyed(&a, 0, dir);
    node_open_keyed(&b, 1, dir);
    node_join(&a);
    node_join(&b);
    RUN_UNTIL(a.peers == 1 && b.peers == 1);
    ck_assert_int_eq(keys_revoke(&r, "B", &count, &cause), ST_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(keys_revoke(&r, "B", &count, &cause), ST_OK);
    ck_assert_uint_eq(count, 0);
    a.uv->look_ms = 0; /* not in some seconds: now */
    RUN_UNTIL(a.lost == 1 && b.lost == 1);
    CONTAINS(a.text, "its certificate (TESTSSI.B) has been revoked");
    open_fails(dir, "B", ST_CONFIG, "certificate revoked");
    ck_assert_int_eq(keys_member(&r, "B", &cause), ST_OK);
    RUN_UNTIL(a.peers == 1 && b.peers == 1);
    snprintf(path, sizeof path, "%s/crl.pem", dir);
    unlink(path);
    a.uv->look_ms = 0;
    RUN_UNTIL(strstr(a.text, "crl.pem is gone"));
    ck_assert_uint_eq(a.lost, 1);
    node_close(&b);
    node_close(&a);
}
END_TEST

/* The same, or the end of the member, while all that fits is on its way. */
START_TEST(a_transfer_ends_with_its_link)
{
    struct node a, b;
    struct cause cause;
    unsigned count = 0;
    keys("keys", "TESTSSI", "A", 30);
    const char *dir = keys("keys", "TESTSSI", "B", 30);
    const struct keys_request r = {.dir = dir, .cluster = "TESTSSI", .days = 30, .force = true};
    node_open_keyed(&a, 0, dir);
    node_open_keyed(&b, 1, dir);
    node_join(&a);
    node_join(&b);
    RUN_UNTIL(a.peers == 1 && b.peers == 1);
    node_pump(&a);
    RUN_UNTIL(b.received > 0);
    if (_i == 0) {
        ck_assert_int_eq(keys_revoke(&r, "B", &count, &cause), ST_OK);
        a.uv->look_ms = 0;
        RUN_UNTIL(a.lost == 1 && b.lost == 1);
        CONTAINS(a.text, "its certificate (TESTSSI.B) has been revoked");
    } else if (_i == 1) {
        ck_assert_int_eq(ssi_link_deactivate(a.ssi, "B", &cause), ST_OK);
        RUN_UNTIL(a.lost == 1 && b.lost == 1);
    }
    a.pumping = false;
    node_close(&b);
    node_close(&a);
}
END_TEST

/* A key is never there without protection, an authority is never replaced, nor a key unasked. */
START_TEST(keys_are_made_once)
{
    char path[SSI_PATH_BYTES + 16];
    struct stat st, again;
    struct cause cause;
    const char *dir = keys("keys", "TESTSSI", "A", 30);
    struct keys_request r = {.dir = dir, .cluster = "TESTSSI", .days = 30};
    ck_assert_int_eq(stat(dir, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
    snprintf(path, sizeof path, "%s/A.key", dir);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(keys_member(&r, "A", &cause), ST_EXIST);
    CONTAINS(cause.text, "--force");
    ck_assert_int_eq(stat(path, &again), 0);
    ck_assert_uint_eq(st.st_ino, again.st_ino);
    r.force = true;
    ck_assert_int_eq(keys_authority(&r, &cause), ST_OK);
    ck_assert_int_eq(keys_member(&r, "A", &cause), ST_OK);
    ck_assert_int_eq(stat(path, &again), 0);
    ck_assert_uint_eq(again.st_mode & 0777, 0600);
    r.cluster = "OTHERSSI";
    ck_assert_int_eq(keys_member(&r, "A", &cause), ST_CONFIG);
    CONTAINS(cause.text, "is the authority of cluster TESTSSI");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_tls");
    TCase *tc = tcase_create("loopback");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, nodes_setup, nodes_teardown);
    tcase_add_test(tc, keyed_members_join_transfer_and_leave);
    tcase_add_test(tc, a_lost_link_heals_in_tls);
    tcase_add_test(tc, plain_and_keyed_members_refuse_each_other);
    tcase_add_test(tc, another_authority_is_refused);
    tcase_add_test(tc, what_is_wrong_with_ones_own_keys_is_told);
    tcase_add_test(tc, another_member_at_that_address_is_refused);
    tcase_add_test(tc, renewed_keys_count_from_the_next_connection);
    tcase_add_test(tc, revoked_keys_end_a_link);
    tcase_add_loop_test(tc, a_transfer_ends_with_its_link, 0, 3);
    tcase_add_test(tc, keys_are_made_once);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
