/* Commands that allocate resources of the cluster wait while it is In-flux: answered once, with the
 * operands they came with; dropped by CPHX, LOGOFF and the end of CP; others do not wait.
 * Run alone: tests/run unit/hyp_held_test */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_internal.h"
#include "lgr/lgr_snapshot.h"
#include "tests/lib/cp_world.h"

#define HELD_MAX 4

static struct cp_cluster_ops ops;
static struct ssi_held *queue[HELD_MAX];
static unsigned n_queue;
static bool flux;
static struct lgr_snapshots *snapshots;

static int t_hold(void *ctx, struct ssi_held *held)
{
    (void)ctx;
    if (!flux)
        return ST_NOENT;
    if (n_queue == HELD_MAX)
        return ST_LIMIT;
    held->held = true;
    queue[n_queue++] = held;
    return ST_OK;
}

static void t_drop(void *ctx, struct ssi_held *held)
{
    unsigned i = 0;
    (void)ctx;
    while (queue[i] != held)
        ck_assert_uint_lt(++i, n_queue);
    held->held = false;
    for (n_queue--; i < n_queue; i++)
        queue[i] = queue[i + 1];
}

static void t_holder(void *ctx, char out[CP_HOLDER_BYTES])
{
    (void)ctx;
    strcpy(out, "MEMBERC is joining");
}

/* As ssi_hold_go does it. */
static void flux_ends(void)
{
    flux = false;
    while (n_queue) {
        struct ssi_held *held = queue[0];
        t_drop(NULL, held);
        held->go(held->ctx);
    }
}

static struct cp_response late;
static unsigned answers;

static void on_done(struct cp_response *r, void *ctx)
{
    (void)r;
    (void)ctx;
    answers++;
}

/* Issue a command that has to wait. */
static void waits(int member, const char *userid, const char *command)
{
    cp_response_init(&late);
    late.done_cb = on_done;
    answers = 0;
    ck_assert_int_eq(cp_command(cps[member], userid, command, &late), CP_PENDING);
    ck_assert_uint_eq(late.line_count, 0);
}

/* The one answer it has got. */
static void answered(int rc, const char *start)
{
    ck_assert_uint_eq(answers, 1);
    ck_assert_int_eq(late.rc, rc);
    ck_assert_msg(late.line_count && !strncmp(late.lines[0], start, strlen(start)), "%s",
                  late.line_count ? late.lines[0] : "nothing");
    cp_response_fini(&late);
}

static void setup(void)
{
    cp_world_setup();
    ops = fake_cluster;
    ops.hold = t_hold;
    ops.drop = t_drop;
    ops.holder = t_holder;
    for (int i = 0; i < 2; i++)
        cp_set_cluster(cps[i], &ops, (void *)(intptr_t)i);
    on(0, "", "LOGON OPERATOR OPER");
    flux = true;
    n_queue = 0;
}

static void teardown(void)
{
    flux = false;
    cp_world_teardown();
    lgr_snapshots_destroy(snapshots);
    snapshots = NULL;
    ck_assert_uint_eq(n_queue, 0);
}

START_TEST(a_logon_waits_for_the_end)
{
    waits(0, "OPERATOR", "XAUTOLOG LINUX1");
    ck_assert(console_has(0, "OPERATOR", "HCPPLM1602I XAUTOLOG is held: MEMBERC is joining"));
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
    is(oper("QUERY SSI HELD"), "OPERATOR XAUTOLOG|1 held: MEMBERC is joining");
    flux_ends();
    answered(0, "Command accepted");
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "LINUX1"));
    is(oper("QUERY SSI HELD"), "No requests are held");
}
END_TEST

/* Operands, behind CP and SILENTLY, and those of a LOGON, are as they came. */
START_TEST(operands_are_kept)
{
    waits(0, "OPERATOR", "CP CP XAUTOLOG GUEST");
    flux_ends();
    answered(0, "Command accepted");
    flux = true;
    waits(0, "", "LOGON LINUX1 SECRET NOIPL");
    ck_assert_ptr_null(strstr(oper("QUERY SSI HELD"), "SECRET"));
    flux_ends();
    answered(0, CP_LEVEL_TEXT);
    flux = true;
    waits(0, "OPERATOR", "SILENTLY XAUTOLOG NOBODY");
    flux_ends();
    answered(53, "HCPAUT053E");
}
END_TEST

START_TEST(what_allocates_nothing_does_not_wait)
{
    on(0, "OPERATOR", "QUERY NAMES");
    on(0, "OPERATOR", "DEFINE STORAGE 16M");
    on(0, "OPERATOR", "MESSAGE * HELLO");
    waits(0, "OPERATOR", "DEFINE NIC 600");
    flux_ends();
    ck_assert_uint_eq(answers, 1);
    cp_response_fini(&late);
}
END_TEST

/* Real devices, networks, and spool files that other members have in their lists, too. */
START_TEST(what_others_share_waits)
{
    static const char *const waiting[] = {
        "ATTACH 200 TO LINUX1",   "ATTA 200 SYSTEM",
        "CHANGE RDR ALL HOLD",    "ORDER PRT 1",
        "PURGE RDR ALL",          "TRANSFER RDR ALL TO LINUX1",
        "TAG FILE 1 HELLO",       "DEFINE VSWITCH SW",
        "DEFINE VSW SW",          "DEFINE LAN L",
        "SET VSWITCH SW GRANT X", "MODIFY LAN L GRANT X",
        "SET LAN L GRANT X",      "SET VMLAN LIMIT PERSISTENT 1"};
    for (unsigned i = 0; i < ARRAY_LEN(waiting); i++) {
        flux = true;
        waits(0, "OPERATOR", waiting[i]);
        ck_assert_uint_eq(n_queue, 1);
        flux_ends();
        ck_assert_uint_eq(answers, 1);
        ck_assert_msg(late.line_count, "%s", waiting[i]);
        cp_response_fini(&late);
    }
    flux = true;
    on(0, "OPERATOR", "TAG DEV PRT HELLO"); /* its own device */
    on(0, "OPERATOR", "DEFINE STORAGE 16M");
    on(0, "OPERATOR", "CLOSE PRT");
    on(0, "OPERATOR", "DETACH VSWITCH SW"); /* what is given back never waits */
    ck_assert_uint_eq(n_queue, 0);
}
END_TEST

/* A snapshot's user is logged on, and its disks are linked; others that SNAPSHOT does are not. */
START_TEST(a_restore_waits)
{
    struct cause cause;
    ck_assert_int_eq(lgr_snapshots_create(cps[0], NULL, NULL, "/proc/none", &snapshots, &cause),
                     ST_OK);
    on(0, "OPERATOR", "SNAPSHOT SAVE LINUX1 TO x");
    ck_assert_uint_eq(n_queue, 0);
    waits(0, "OPERATOR", "SNAPSHOT REST LINUX1 FORCE NOTHING FROM x");
    ck_assert_uint_eq(n_queue, 1);
    flux_ends();
    answered(26, "HCPCMD026E"); /* FORCE what? */
    lgr_snapshots_stop(snapshots);
}
END_TEST

static struct cp_request *reads;
static unsigned went_on, halts;

static int read_first(struct cp_request *req, void *ctx)
{
    (void)ctx;
    reads = req;
    return CP_LATER;
}

static int go_on(struct cp_request *req, void *ctx)
{
    (void)ctx;
    went_on++;
    cp_line(req, "gone on");
    return 0;
}

static void halted(struct cp_request *req, void *ctx)
{
    (void)ctx;
    halts++;
    cp_complete(req, cp_fail(req, MSG_CPX601E, "READ"));
}

static const struct cp_cmd_row reader = {"READFIRST", CP_CLASS_ANY, "reads a file, then acts"};

/* As SNAPSHOT RESTORE: a member begins to join while the file is being read. */
START_TEST(what_has_read_its_file_waits_again)
{
    ck_assert_int_eq(cp_register_command(cps[0], NULL, &reader, read_first, NULL), ST_OK);
    went_on = halts = 0;
    flux = false;
    waits(0, "OPERATOR", "READFIRST");
    ck_assert_int_eq(cp_hold_again(reads, go_on, NULL), 0); /* nothing to wait for */
    flux = true;
    ck_assert_int_eq(cp_hold_again(reads, go_on, NULL), CP_LATER);
    ck_assert(console_has(0, "OPERATOR", "HCPPLM1602I READFIRST is held: MEMBERC is joining"));
    ck_assert_uint_eq(went_on, 0);
    flux_ends();
    answered(0, "gone on");
    ck_assert_uint_eq(went_on, 1);
    waits(0, "OPERATOR", "READFIRST");
    flux = true;
    cp_on_halt(reads, halted, NULL);
    ck_assert_int_eq(cp_hold_again(reads, go_on, NULL), CP_LATER);
    oper("CPHX");
    ck_assert_uint_eq(n_queue, 0);
    ck_assert_uint_eq(halts, 1);
    answered(601, "HCPCPX601E");
    ck_assert_uint_eq(went_on, 1);
}
END_TEST

START_TEST(logoff_drops_it)
{
    flux = false;
    on(0, "", "LOGON LINUX1 SECRET");
    flux = true;
    waits(0, "LINUX1", "LINK GUEST 191 291 RR");
    on(0, "LINUX1", "LOGOFF");
    ck_assert_uint_eq(n_queue, 0);
    answered(1604, "HCPPLM1604E LINK was held and is dropped: LINUX1");
}
END_TEST

START_TEST(cphx_drops_it)
{
    waits(0, "OPERATOR", "XAUTOLOG LINUX1");
    oper("CPHX");
    ck_assert_uint_eq(n_queue, 0);
    answered(601, "HCPCPX601E");
    flux_ends();
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
}
END_TEST

/* AT: the other member holds it, and the answer comes when it has gone on. */
START_TEST(at_another_member)
{
    waits(0, "OPERATOR", "AT MEMBERB CMD XAUTOLOG LINUX1");
    ck_assert_uint_eq(n_queue, 1);
    flux_ends();
    answered(0, "Command accepted");
    ck_assert_ptr_nonnull(cp_user_find(cps[1], "LINUX1"));
}
END_TEST

START_TEST(no_more_than_a_number)
{
    static struct cp_response r[HELD_MAX];
    for (unsigned i = 0; i < HELD_MAX; i++) {
        cp_response_init(&r[i]);
        ck_assert_int_eq(cp_command(cps[0], "OPERATOR", "XAUTOLOG LINUX1", &r[i]), CP_PENDING);
    }
    REFUSED(oper("XAUTOLOG GUEST"), 1603, "HCPPLM1603E");
    flux_ends(); /* in order: the first has it */
    ck_assert_int_eq(r[0].rc, 0);
    for (unsigned i = 0; i < HELD_MAX; i++) {
        ck_assert(r[i].done && (i == 0 || r[i].rc == 54));
        cp_response_fini(&r[i]);
    }
}
END_TEST

/* CP ends: it is told, and nothing comes afterwards. */
START_TEST(the_end_of_cp)
{
    waits(1, "", "LOGON LINUX1 SECRET");
    cp_destroy(cps[1]);
    cps[1] = NULL;
    ck_assert_uint_eq(n_queue, 0);
    answered(52, "HCPCMD052E");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_held");
    TCase *tc = tcase_create("held");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_logon_waits_for_the_end);
    tcase_add_test(tc, operands_are_kept);
    tcase_add_test(tc, what_allocates_nothing_does_not_wait);
    tcase_add_test(tc, what_others_share_waits);
    tcase_add_test(tc, a_restore_waits);
    tcase_add_test(tc, what_has_read_its_file_waits_again);
    tcase_add_test(tc, logoff_drops_it);
    tcase_add_test(tc, cphx_drops_it);
    tcase_add_test(tc, at_another_member);
    tcase_add_test(tc, no_more_than_a_number);
    tcase_add_test(tc, the_end_of_cp);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
