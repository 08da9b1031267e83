/* AT {member | ALL}: of CMD, of the commands that take the phrase (cp_at.def), in front of texts;
 * whose answers are collected, who is named when it gives none, the return code; who asks too much.
 * Run alone: tests/run unit/hyp_at_test */
#include <stdio.h>

#include "hyp/cp/cp_internal.h"
#include "hyp/vmcf.h"
#include "tests/lib/cp_world.h"

static void setup(void)
{
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    on(1, "", "LOGON LINUX1 SECRET");
}

START_TEST(cmd_at_all)
{
    is(oper("AT ALL CMD QUERY USERID"),
       "MEMBERA : OPERATOR AT MEMBERA|MEMBERB : OPERATOR AT MEMBERB");
    is(on(1, "LINUX1", "cp at all cmd q userid"),
       "MEMBERA : LINUX1   AT MEMBERA|MEMBERB : LINUX1   AT MEMBERB");
    REFUSED(oper("AT ALL"), 26, "HCPCMD026E");
    REFUSED(oper("AT ALL CMD"), 26, "HCPCMD026E");
    REFUSED(oper("AT ALL FROB"), 3, "HCPCMD003E");
    ck_assert_str_eq(oper("AT MEMBERB CMD AT ALL CMD Q USERID"),
                     "HCPATC1851E No answer from ALL: sent on already");
}
END_TEST

/* The greatest return code; what went well stands beside what did not, and messages are told. */
START_TEST(worst_return_code)
{
    ck_assert_str_eq(
        oper("AT ALL CMD FORCE LINUX1 AT MEMBERB"),
        "MEMBERA : HCPATC1851E No answer from MEMBERB: sent on already|"
        "MEMBERB : USER L0001 LOGOFF AS  LINUX1   USERS = 0    FORCED BY OPERATOR");
    ck_assert_int_eq(resp.rc, 1851);
    ck_assert_uint_eq(resp.message_count, 1);
    ck_assert_str_eq(resp.messages[0].id, "HCPATC1851E");
    on(1, "LINUX1", "AT ALL CMD SHUTDOWN"); /* with the classes of who issues it */
    ck_assert_int_eq(resp.rc, 1);
    ck_assert_int_eq(shutdowns, 0);
}
END_TEST

START_TEST(query_userid)
{
    is(oper("QUERY LINUX1"), "LINUX1   - SSI");
    is(oper("QUERY LINUX1 AT MEMBERB"), "LINUX1   - L0001");
    is(oper("QUERY USERS LINUX1 AT MEMBERB"), "LINUX1   - L0001");
    is(on(1, "LINUX1", "Q LINUX1 AT MEMBERB"), "LINUX1   - L0001");
    REFUSED(oper("QUERY LINUX1 AT MEMBERA"), 45, "HCPCQU045E LINUX1 not logged on");
    ck_assert_str_eq(oper("Q OPERATOR AT ALL"),
                     "MEMBERA : OPERATOR - L0001|MEMBERB : HCPCQU045E OPERATOR not logged on");
    ck_assert_int_eq(resp.rc, 45);
    on(1, "", "LOGON OPERATOR OPER");
    is(oper("Q OPERATOR AT ALL"), "MEMBERA : OPERATOR - L0001|MEMBERB : OPERATOR - L0002");
    is(oper("Q USERS AT ALL"), "MEMBERA :    1 USERS,    0 DIALED,    0 NET|"
                               "MEMBERB :    2 USERS,    0 DIALED,    0 NET");
    is(oper("Q NAMES AT MEMBERA"), "OPERATOR - L0001");
    ck_assert_str_eq(oper("AT MEMBERA CMD Q NAMES"), oper("Q NAMES")); /* as if typed there */
    REFUSED(oper("QUERY LINUX1 AT NOWHERE"), 1850, "HCPATC1850E NOWHERE is not a member");
    REFUSED(oper("QUERY NAMES FROB"), 3, "HCPCQV003E");
    REFUSED(oper("QUERY NAMES AT"), 3, "HCPCQV003E");
}
END_TEST

START_TEST(xautolog_and_force)
{
    is(oper("XAUTOLOG GUEST AT MEMBERB"), "Command accepted");
    ck_assert_ptr_nonnull(cp_user_find(cps[1], "GUEST"));
    ck_assert_ptr_null(cp_user_find(cps[0], "GUEST"));
    REFUSED(oper("XAUTOLOG GUEST AT MEMBERA"), 54,
            "HCPAUT054E GUEST already logged on MEMBERB");
    REFUSED(oper("FORCE GUEST AT MEMBERA"), 45, "HCPFOR045E GUEST not logged on");
    ck_assert_ptr_nonnull(cp_user_find(cps[1], "GUEST"));
    ck_assert_ptr_nonnull(strstr(oper("FORCE GUEST AT MEMBERB"), "FORCED BY OPERATOR"));
    ck_assert_ptr_null(cp_user_find(cps[1], "GUEST"));
    is(oper("XAUTOLOG GUEST AT MEMBERA"), "Command accepted");
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "GUEST"));
    REFUSED(oper("FORCE GUEST AT"), 3, "HCPCMD003E Invalid option - AT");
    REFUSED(oper("FORCE GUEST AT ALL"), 1850, "HCPATC1850E ALL"); /* it takes one */
    link_up = false;
    REFUSED(oper("FORCE LINUX1 AT MEMBERB"), 1850, "HCPATC1850E MEMBERB");
}
END_TEST

START_TEST(indicate)
{
    const char *all = oper("INDICATE AT ALL");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_ptr_nonnull(strstr(all, "MEMBERA : AVGPROC-"));
    ck_assert_ptr_nonnull(strstr(all, "|MEMBERB : AVGPROC-"));
    ck_assert_ptr_nonnull(strstr(oper("IND USER LINUX1 AT MEMBERB"), "LINUX1"));
    ck_assert_int_eq(resp.rc, 0);
    oper("INDICATE USER LINUX1 AT MEMBERA");
    ck_assert_int_eq(resp.rc, 45);
}
END_TEST

START_TEST(messages)
{
    on(1, "", "LOGON OPERATOR OPER");
    is(oper("MSG OP AT ALL Good  night"), "");
    ck_assert(console_has(0, "OPERATOR", "MSG FROM OPERATOR: Good  night$"));
    ck_assert(console_has(1, "OPERATOR", "MSG FROM OPERATOR: Good  night$"));
    is(oper("WNG ALL AT ALL down at ten"), "");
    ck_assert(console_has(1, "LINUX1", "WNG FROM OPERATOR: down at ten$"));
    ck_assert(console_has(0, "OPERATOR", "WNG FROM OPERATOR: down at ten$"));
    is(oper("MSG LINUX1 at all costs"), ""); /* a USER is on one member: it is a text */
    ck_assert(console_has(1, "LINUX1", "MSG FROM OPERATOR: at all costs$"));
    is(oper("MSG LINUX1 at night"), "");
    ck_assert(console_has(1, "LINUX1", "MSG FROM OPERATOR: at night$"));
    REFUSED(oper("MSG LINUX1 AT MEMBERA hello"), 45, "HCPMFS045E LINUX1 not logged on");
    is(oper("MSGNOH LINUX1 AT MEMBERB bare"), "");
    ck_assert(console_has(1, "LINUX1", "^bare$"));
    REFUSED(on(1, "LINUX1", "MSG ALL AT MEMBERA boo"), 45, "HCPMFS045E ALL");
    REFUSED(oper("MSG LINUX1 AT MEMBERB"), 20, "HCPMFS020E");
    REFUSED(oper("SMSG LINUX1 hello"), 57, "HCPMFS057E LINUX1 not receiving; SMSG off");
    cp_smsg_on(cps[1], "LINUX1");
    is(oper("SMSG LINUX1 Hello you"), "");
    struct vm *program = cp_user_vm(cp_user_find(cps[1], "LINUX1"));
    ck_assert_str_eq(program->smsg, "OPERATOR: Hello you");
    program->smsg_sent = VMCF_NOT_AUTHORIZED;
    REFUSED(oper("SMSG LINUX1 hello"), 57, "HCPMFS057E LINUX1 not receiving; not authorized");
    program->smsg_sent = VMCF_TOO_MANY;
    REFUSED(oper("SMSG LINUX1 hello"), 57,
            "HCPMFS057E LINUX1 not receiving; too many messages wait");
    is(on(1, "LINUX1", "SET SMSG IUCV"), "");
    is(on(1, "LINUX1", "SET MSG IUCV"), "");
    is(oper("SMSG LINUX1 Hello program"), "");
    ck_assert_str_eq(program->iucv, "4 OPERATOR: Hello program");
    is(oper("MSG LINUX1 a message"), "");
    ck_assert_str_eq(program->iucv, "1 OPERATOR: a message");
    ck_assert(!console_has(1, "LINUX1", "a message"));
    program->iucv_sent = VMCF_NOT_AUTHORIZED;
    REFUSED(oper("SMSG LINUX1 hello"), 57, "HCPMFS057E LINUX1 not receiving; not authorized");
    is(oper("MSG LINUX1 to the console"), "");
    ck_assert(console_has(1, "LINUX1", "MSG FROM OPERATOR: to the console$"));
    is(on(1, "LINUX1", "SET MSG ON"), "");
    REFUSED(oper("SMSG LINUX1 AT MEMBERA hello"), 45, "HCPMFS045E LINUX1 not logged on");
    REFUSED(oper("SMSG GUEST hello"), 45, "HCPMFS045E GUEST not logged on");
    link_up = false;
    REFUSED(oper("MSG LINUX1 AT MEMBERB hello"), 1850, "HCPATC1850E MEMBERB");
}
END_TEST

static void count_done(struct cp_response *r, void *ctx)
{
    (void)r;
    ++*(int *)ctx;
}

/* Who does not answer in time, or has no link, is named; what the others say is shown. */
START_TEST(silent_members_are_named)
{
    int done = 0;
    struct cp_response late = {.done_cb = count_done, .done_ctx = &done};
    link_deaf = true;
    ck_assert_int_eq(cp_command(cps[0], "OPERATOR", "AT ALL CMD Q USERID", &late), CP_PENDING);
    pass_time(CP_REMOTE_ALL_TIMEOUT_MS - 1);
    ck_assert_int_eq(done, 0);
    pass_time(1);
    ck_assert_int_eq(done, 1);
    ck_assert_uint_eq(late.line_count, 2);
    ck_assert_str_eq(late.lines[0], "MEMBERA : OPERATOR AT MEMBERA");
    ck_assert_str_eq(late.lines[1],
                     "MEMBERB : HCPATC1851E No answer from MEMBERB: time limit reached");
    ck_assert_int_eq(late.rc, 1851);
    cp_response_fini(&late);
    link_up = false;
    ck_assert_str_eq(oper("AT ALL CMD Q USERID"),
                     "MEMBERA : OPERATOR AT MEMBERA|"
                     "MEMBERB : HCPATC1851E No answer from MEMBERB: there is no link to it");
    ck_assert_int_eq(resp.rc, 1851);
}
END_TEST

/* Without a cluster, ALL is this system. */
START_TEST(alone)
{
    cp_set_cluster(cps[0], NULL, NULL);
    is(oper("AT ALL CMD QUERY USERID"), "MEMBERA : OPERATOR AT MEMBERA");
    is(oper("QUERY NAMES AT ALL"), "MEMBERA : OPERATOR - L0001");
    is(oper("QUERY OPERATOR AT MEMBERA"), "OPERATOR - L0001");
    cp_set_cluster(cps[0], &fake_cluster, (void *)0);
}
END_TEST

/* A member that floods another one with commands that take long is told so. */
START_TEST(many_commands_of_a_member)
{
    enum { MANY = 300 };
    static struct cp_response late[MANY];
    int done = 0, refused = 0;
    for (int i = 0; i < MANY; i++) {
        late[i] = (struct cp_response){.done_cb = count_done, .done_ctx = &done};
        cp_command(cps[0], "OPERATOR", "AT MEMBERB CMD SLEEP 5 SEC", &late[i]);
    }
    ck_assert_int_eq(done, MANY - 256);
    pass_time(5000);
    ck_assert_int_eq(done, MANY);
    for (int i = 0; i < MANY; i++) {
        refused += late[i].rc == 52;
        cp_response_fini(&late[i]);
    }
    ck_assert_int_eq(refused, MANY - 256);
    is(oper("AT MEMBERB CMD QUERY USERID"), "OPERATOR AT MEMBERB");
}
END_TEST

/* Each row is one of a command that there is. */
START_TEST(rows)
{
    static const struct {
        const char *prefix, *name;
    } at[] = {
#define T(prefix, name, place, whom) {prefix, name},
#include "hyp/cp/cp_at.def"
#undef T
    };
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        struct cp_table_row row;
        bool found = !strcmp(at[i].name, "userid"); /* QUERY userid is in no table */
        for (unsigned k = 0; !found && cp_table_row(cps[0], k, &row); k++)
            found = !strcmp(row.prefix, at[i].prefix) && !strcmp(row.row.name, at[i].name);
        ck_assert_msg(found, "%s %s", at[i].prefix, at[i].name);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_at");
    TCase *tc = tcase_create("at");
    tcase_add_checked_fixture(tc, setup, cp_world_teardown);
    tcase_add_test(tc, cmd_at_all);
    tcase_add_test(tc, worst_return_code);
    tcase_add_test(tc, query_userid);
    tcase_add_test(tc, xautolog_and_force);
    tcase_add_test(tc, indicate);
    tcase_add_test(tc, messages);
    tcase_add_test(tc, silent_members_are_named);
    tcase_add_test(tc, alone);
    tcase_add_test(tc, many_commands_of_a_member);
    tcase_add_test(tc, rows);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
