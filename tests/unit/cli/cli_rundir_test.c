/* The run-time folder: who holds a member's name, and option parsing as scripts rely on it.
 * Rules: DESIGN.md sections 5 and 6. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/rundir.h"

static char folder[64];
static struct cause cause;

static void setup(void)
{
    strcpy(folder, "/tmp/endicott-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("ENDICOTT_RUN", folder, 1);
    cause = (struct cause){0};
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(folder_is_made_and_closed_to_others)
{
    char sub[96], path[RUNDIR_PATH_BYTES];
    struct stat st;
    snprintf(sub, sizeof sub, "%s/deep", folder);
    setenv("ENDICOTT_RUN", sub, 1);
    ck_assert_int_eq(rundir_path(path, &cause), ST_OK);
    ck_assert_str_eq(path, sub);
    ck_assert_int_eq(stat(sub, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
    ck_assert_int_eq(chmod(sub, 0755), 0);
    ck_assert_int_eq(rundir_path(path, &cause), ST_OK);
    ck_assert_int_eq(stat(sub, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
}
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_refused)
{
    char path[RUNDIR_PATH_BYTES], name[200];
    memset(name, 'x', sizeof name);
    name[0] = '/';
    name[sizeof name - 1] = 0;
    setenv("ENDICOTT_RUN", name, 1);
    ck_assert_int_eq(rundir_path(path, &cause), ST_CONFIG);
}
END_TEST

/* Another process takes `member` and holds it until the pipe is closed. */
static pid_t holder(const char *member, const char *dir, int *hold)
{
    int ready[2], done[2];
    char c;
    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(pipe(done), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(done[1]);
        c = rundir_take(member, dir, &cause) == ST_OK ? 'y' : 'n';
        if (write(ready[1], &c, 1) != 1 || read(done[0], &c, 1) < 0)
            _exit(1);
        _exit(0);
    }
    close(done[0]);
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    ck_assert_int_eq(c, 'y');
    close(ready[0]);
    *hold = done[1];
    return pid;
}

START_TEST(a_name_is_held_once_and_freed_by_the_end_of_its_process)
{
    struct rundir_member who, list[RUNDIR_MEMBERS_MAX];
    char text[64];
    int hold;
    ck_assert(!rundir_find("MEMBERA", &who));
    pid_t pid = holder("MEMBERA", "/some/cluster", &hold);
    ck_assert(rundir_find("MEMBERA", &who));
    ck_assert_int_eq(who.pid, pid);
    ck_assert_str_eq(who.dir, "/some/cluster");
    ck_assert_int_eq(rundir_take("MEMBERA", "/other", &cause), ST_EXIST);
    snprintf(text, sizeof text, "process %ld, folder /some/cluster", (long)pid);
    ck_assert_ptr_nonnull(strstr(cause.text, text));
    ck_assert_uint_eq(rundir_list(list, &cause), 1);
    ck_assert_str_eq(list[0].name, "MEMBERA");
    close(hold);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert(!rundir_find("MEMBERA", &who));
    ck_assert_uint_eq(rundir_list(list, &cause), 0);
    ck_assert_int_eq(rundir_take("MEMBERA", "/other", &cause), ST_OK);
}
END_TEST

/* A member with much storage is still ending when kill has returned: who starts it again waits. */
#define BALLAST_BYTES (256u << 20)
START_TEST(a_killed_holder_is_waited_for)
{
    int ready[2], hold;
    char c;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char *ballast = malloc(BALLAST_BYTES);
        if (!ballast || rundir_take("MEMBERA", "/some/cluster", &cause) != ST_OK)
            _exit(1);
        memset(ballast, 1, BALLAST_BYTES);
        if (write(ready[1], ballast, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    pid_t next = holder("MEMBERA", "/some/cluster", &hold);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    close(hold);
    ck_assert_int_eq(waitpid(next, NULL, 0), next);
    close(ready[0]);
    close(ready[1]);
}
END_TEST

START_TEST(names_are_upper_case_and_short)
{
    char name[CONFIG_NAME_BYTES];
    ck_assert(rundir_name("memberA", name));
    ck_assert_str_eq(name, "MEMBERA");
    ck_assert(!rundir_name("", name));
    ck_assert(!rundir_name("NINECHARS", name));
    ck_assert(!rundir_name("../evil", name));
    ck_assert(!rundir_name("A/B", name));
}
END_TEST

START_TEST(options_are_spelled_in_full_and_operands_stay)
{
    const char *member = NULL;
    bool json = false;
    const struct cli_option options[] = {
        {"m", "MEMBER", "", &member, NULL},
        {"json", NULL, "", NULL, &json},
        {NULL, NULL, NULL, NULL, NULL},
    };
    char *a[] = {"cp", "-m", "MEMBERB", "--json", "SET", "-x", "ON", NULL};
    ck_assert_int_eq(cli_parse(7, a, "cp", options, true), 1);
    ck_assert_str_eq(member, "MEMBERB");
    ck_assert(json);
    ck_assert_str_eq(a[1], "SET");
    ck_assert_str_eq(a[2], "-x");
    ck_assert_ptr_null(a[4]);
    char *b[] = {"cp", "--js", "X", NULL};
    ck_assert_int_eq(cli_parse(3, b, "cp", options, true), -1);
    char *c[] = {"cp", "-m", NULL};
    ck_assert_int_eq(cli_parse(2, c, "cp", options, true), -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cli_rundir");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, folder_is_made_and_closed_to_others);
    tcase_add_test(t, a_path_too_long_for_a_socket_is_refused);
    tcase_add_test(t, a_name_is_held_once_and_freed_by_the_end_of_its_process);
    tcase_add_loop_test(t, a_killed_holder_is_waited_for, 0, 2);
    tcase_add_test(t, names_are_upper_case_and_short);
    tcase_add_test(t, options_are_spelled_in_full_and_operands_stay);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
