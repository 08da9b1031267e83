/* Privilege classes over the whole table of commands, on each way that a command comes to CP:
 * console, DIAGNOSE X'08' and control socket (both cp_command), another member (AT), behind CP and
 * SILENTLY; and that a user of class G gets at nothing of another user's.
 * scenario/cp_classes goes the same ways between processes.
 * Run alone: tests/run unit/hyp_classes_test */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_internal.h"
#include "tests/lib/cp_world.h"

static const struct {
    const char *prefix, *name, *classes;
} rows[] = {
#define R(prefix, name, classes, handler, help) {prefix, name, classes},
#include "hyp/cp/cp_cmd.def"
#undef R
};

static const char users[] = "USER NONE NOPASS 64M 64M H\n CONSOLE 9 3215\n";

static void setup(void)
{
    cp_world_users = users;
    cp_world_config = "FEATURES ENABLE SET_PRIVCLASS\n";
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON NONE");
}

static void teardown(void)
{
    cp_world_teardown();
    cp_world_users = cp_world_config = "";
}

static u32 mask_of(const char *classes)
{
    u32 mask = 0;
    for (const char *c = classes; *c; c++)
        mask |= *c == '*' ? CP_CLASS_ANY : CP_CLASS(*c);
    return mask;
}

/* The name in capitals, a number for nn. */
static const char *name_of(unsigned i)
{
    static char name[32];
    snprintf(name, sizeof name, "%s", rows[i].name);
    char *nn = strstr(name, "nn");
    if (nn)
        strcpy(nn, "01");
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return name;
}

static bool for_classes(unsigned i)
{
    return rows[i].classes[0] && rows[i].classes[0] != '*';
}

/* Classes of all rows with this name. */
static u32 all_classes(unsigned i)
{
    u32 mask = 0;
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        if (!strcmp(rows[k].prefix, rows[i].prefix) && !strcasecmp(rows[k].name, rows[i].name))
            mask |= mask_of(rows[k].classes);
    return mask;
}

/* Each letter of a row opens it, all others together do not. */
START_TEST(every_row_is_for_its_classes)
{
    struct cp_table_row row;
    unsigned checked = 0;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (!for_classes(i))
            continue;
        for (const char *c = rows[i].classes; *c; c++)
            ck_assert_msg(cp_table_find(cps[0], rows[i].prefix, name_of(i), CP_CLASS(*c), &row),
                          "%s %s %c", rows[i].prefix, rows[i].name, *c);
        bool found = cp_table_find(cps[0], rows[i].prefix, name_of(i), ~all_classes(i), &row);
        ck_assert_msg(!found || strcasecmp(rows[i].name, row.row.name),
                      "%s %s without its classes", rows[i].prefix, rows[i].name);
        ck_assert_uint_eq(all_classes(i) & CP_CLASS('H'), 0); /* as USER NONE has it */
        checked++;
    }
    ck_assert_uint_gt(checked, 100);
}
END_TEST

static const char *refusal(unsigned i)
{
    return *rows[i].prefix == 'Q' ? "HCPCQV003E" : *rows[i].prefix ? "HCPC" : "HCPCMD001E";
}

static void is_refused(unsigned i, const char *way, const char *answer)
{
    ck_assert_msg(strstr(answer, refusal(i)) != NULL && resp.rc != 0, "%s: %s %s: %s", way,
                  rows[i].prefix, rows[i].name, answer);
}

/* Without any class of the table's, by each way. */
static const char *const ways[] = {"%s %s", "CP %s %s", "SILENTLY %s %s",
                                   "AT MEMBERB CMD %s %s", "CP CP AT MEMBERB CMD %s %s"};

START_TEST(nothing_without_a_class)
{
    char command[128];
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (!for_classes(i))
            continue;
        snprintf(command, sizeof command, ways[_i], rows[i].prefix, name_of(i));
        is_refused(i, ways[_i], on(0, "NONE", command));
    }
    ck_assert_int_eq(shutdowns, 0);
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "NONE"));
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "OPERATOR"));
}
END_TEST

/* Typed at the console: #CP, and in CP READ. */
START_TEST(nothing_at_the_console)
{
    char line[128], regex[128];
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (!for_classes(i))
            continue;
        snprintf(line, sizeof line, "%s%s %s", _i ? "#CP " : "", rows[i].prefix, name_of(i));
        ck_assert_int_eq(cp_console_input(cps[0], "NONE", line), ST_OK);
        snprintf(regex, sizeof regex, "^HCPC[A-Z]{2}00[13]E .*%s$",
                 *rows[i].prefix == 'S' ? "SET" : name_of(i));
        ck_assert_msg(console_has(0, "NONE", regex), "%s", line);
    }
}
END_TEST

/* A command of another member brings its classes along; what it claims to be is not asked again,
 * so the classes must be what is looked at. */
START_TEST(classes_of_a_remote_command)
{
    struct cp_response r;
    cp_response_init(&r);
    const struct cp_issuer by = {
        .userid = "OPERATOR", .origin = "MEMBERB", .classes = CP_CLASS('G')};
    cp_command_remote(cps[0], &by, "SHUTDOWN", &r);
    ck_assert_int_eq(r.rc, 1);
    cp_response_fini(&r);
    ck_assert_int_eq(shutdowns, 0);
}
END_TEST

/* --- SET PRIVCLASS --- */

/* Nobody without class C gets what the directory does not give; a lock is class C's to open. */
START_TEST(own_classes)
{
    on(0, "", "LOGON GUEST PASS");
    struct vm *vm = cp_user_vm(cp_user_find(cps[0], "GUEST"));
    REFUSED(on(0, "GUEST", "SET PRIVCLASS +C"), 2, "HCPCMD002E Invalid operand - +C");
    REFUSED(on(0, "GUEST", "SET PRIVCLASS * =ABG"), 2, "HCPCMD002E");
    REFUSED(on(0, "GUEST", "SET PRIVCLASS LINUX1 -G"), 3, "HCPCMD003E");
    REFUSED(on(0, "GUEST", "SET PRIVCLASS -G"), 2, "HCPCMD002E"); /* none would be left */
    REFUSED(on(0, "GUEST", "SET PRIVCLASS UNLOCK"), 2, "HCPCMD002E");
    REFUSED(on(0, "GUEST", "SET PRIVCLASS"), 26, "HCPCMD026E");
    REFUSED(on(0, "GUEST", "QUERY PRIVCLASS OPERATOR"), 3, "HCPCMD003E");
    is(oper("SET PRIVCLASS GUEST +BC -G"),
       "Privilege classes for user GUEST|            Currently: BC|"
       "            Directory: G|The privilege classes are not locked against changes.");
    ck_assert_uint_eq(vm->privclass, CP_CLASS('B') | CP_CLASS('C'));
    ck_assert_ptr_nonnull(strstr(on(0, "GUEST", "QUERY PRIVCLASS OPERATOR"), "ABCDEFG"));
    REFUSED(on(0, "GUEST", "QUERY VIRTUAL"), 3, "HCPCQV003E");
    on(0, "GUEST", "SET PRIVCLASS GUEST -C");
    REFUSED(on(0, "GUEST", "SET PRIVCLASS +C"), 2, "HCPCMD002E");
    is(on(0, "GUEST", "SET PRIVCLASS RESET"),
       "Privilege classes for user GUEST|            Currently: G|"
       "            Directory: G|The privilege classes are not locked against changes.");
    REFUSED(on(0, "GUEST", "SET PRIVCLASS =G LOCK"), 2, "HCPCMD002E");
    ck_assert_ptr_nonnull(strstr(oper("SET PRIVCLASS GUEST LOCK"), "classes are locked"));
    REFUSED(on(0, "GUEST", "SET PRIVCLASS RESET"), 600, "HCPPRV600E");
    ck_assert_ptr_nonnull(strstr(oper("QUERY PRIVCLASS GUEST"), "classes are locked"));
    ck_assert_ptr_nonnull(strstr(oper("SET PRIVCLASS GUEST UNLOCK"), "are not locked"));
    REFUSED(oper("SET PRIVCLASS NEVER +B"), 45, "HCPCQU045E NEVER not logged on");
    ck_assert_ptr_nonnull(strstr(oper("SET PRIVCLASS =G"), "Currently: G|"));
    REFUSED(oper("FORCE GUEST"), 1, "HCPCMD001E");
}
END_TEST

/* --- class G and what is another's --- */

static const char *const of_others[] = {
    "FORCE LINUX1",
    "FOR LINUX1 CMD QUERY TIME",
    "SEND LINUX1 ls",
    "SEND CP LINUX1 LOGOFF",
    "SET SECUSER LINUX1 GUEST",
    "SET OBSERVER LINUX1 GUEST",
    "SIGNAL SHUTDOWN LINUX1",
    "XAUTOLOG NEVER",
    "AUTOLOG LINUX1 SECRET",
    "QUERY RDR LINUX1",
    "PURGE LINUX1 RDR ALL",
    "TRANSFER LINUX1 RDR ALL TO GUEST",
    "CHANGE LINUX1 RDR ALL CLASS B",
    "ORDER LINUX1 RDR 1",
    "QUERY VTOD FOR LINUX1",
    "QUERY SHARE LINUX1",
    "SET SHARE LINUX1 RELATIVE 1",
    "QUERY MDISK USER LINUX1 200",
    "LINK LINUX1 200 300 RR",
    "DETACH 200 FROM LINUX1",
    "ATTACH 200 GUEST",
    "GIVE 580 LINUX1",
    "DEDICATE USER LINUX1 CPU ALL",
    "DIRMAINT FOR LINUX1 REVIEW",
    "DIRMAINT FOR LINUX1 GET",
    "DIRMAINT FOR LINUX1 PW KNOWN",
    "VARY OFF 200",
    "SET SSI MEMBERB DOWN",
    "DEACTIVATE ISLINK MEMBERB",
    "MESSAGE ALL BOO",
    "WARNING LINUX1 BOO",
    "MSGNOH LINUX1 BOO",
    "SET DATEFORMAT SYSTEM ISODATE",
    "AT MEMBERB CMD FORCE OPERATOR",
};

START_TEST(nothing_of_another_users)
{
    char command[128];
    on(0, "", "LOGON LINUX1 SECRET");
    on(0, "", "LOGON GUEST PASS");
    const struct cp_user *other = cp_user_find(cps[0], "LINUX1");
    on(0, "GUEST", of_others[_i]);
    ck_assert_msg(resp.rc != 0, "%s is allowed", of_others[_i]);
    snprintf(command, sizeof command, "AT MEMBERB CMD AT MEMBERA CMD %s", of_others[_i]);
    on(0, "GUEST", command);
    ck_assert_msg(resp.rc != 0, "%s is allowed elsewhere", of_others[_i]);
    ck_assert_ptr_eq(cp_user_find(cps[0], "LINUX1"), other);
    ck_assert(!cp_user_disconnected(other));
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "QUERY FILES"), "0003 RDR"));
    ck_assert(!console_has(0, "LINUX1", "BOO"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_classes");
    TCase *tc = tcase_create("classes");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_row_is_for_its_classes);
    tcase_add_test(tc, own_classes);
    tcase_add_loop_test(tc, nothing_without_a_class, 0, (int)ARRAY_LEN(ways));
    tcase_add_loop_test(tc, nothing_at_the_console, 0, 2);
    tcase_add_test(tc, classes_of_a_remote_command);
    tcase_add_loop_test(tc, nothing_of_another_users, 0, (int)ARRAY_LEN(of_others));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
