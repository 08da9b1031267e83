/* What CP does with a user's console: SECUSER and OBSERVER, SET EMSG, lines of a machine with
 * several CPUs, CPU and SILENTLY in front of commands, PF keys, line editing at a terminal.
 * Run alone: tests/run unit/hyp_console_cmd_test */
#include <check.h>
#include <stdio.h>

#include "hyp/cp_move.h"
#include "hyp/cp_terminal.h"
#include "tests/lib/cp_world.h"

static struct console *console_of(const char *userid)
{
    return cp_user_console(cp_user_find(cps[0], userid));
}

/* The next line that was typed for the guest; NULL: none. */
static const char *guest_line(const char *userid)
{
    static char line[256];
    return console_input_take(console_of(userid), line, sizeof line) < 0 ? NULL : line;
}

static const char *left; /* of what was typed: not taken */

static void world(void)
{
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON LINUX1 SECRET");
    on(0, "", "LOGON GUEST PASS");
}

/* A secondary user sees the console of a disconnected user, and types there. */
START_TEST(secondary_user)
{
    ck_assert_str_eq(on(0, "LINUX1", "SET SECUSER GUEST"), "");
    console_write_line(console_of("LINUX1"), "while connected");
    cp_poll_consoles(cps[0]);
    REFUSED(on(0, "GUEST", "SEND LINUX1 ls"), 65, "HCPSND065E");
    on(0, "LINUX1", "DISCONNECT");
    console_write_line(console_of("LINUX1"), "from the guest");
    console_write(console_of("LINUX1"), "guest# ", 7);
    cp_poll_consoles(cps[0]);
    ck_assert(console_has(0, "GUEST", "^LINUX1  : from the guest$"));
    ck_assert(!console_has(0, "GUEST", "while connected"));
    ck_assert(!console_has(0, "GUEST", "guest#"));
    ck_assert(!console_has(0, "OPERATOR", "from the guest"));
    ck_assert_str_eq(on(0, "GUEST", "SEND LINUX1 ls -l"), "");
    ck_assert_str_eq(guest_line("LINUX1"), "ls -l");
    on(0, "LINUX1", "SET SECUSER OFF");
    console_write_line(console_of("LINUX1"), "no more");
    cp_poll_consoles(cps[0]);
    ck_assert(!console_has(0, "GUEST", "no more"));
    REFUSED(on(0, "GUEST", "SEND LINUX1 ls"), 65, "HCPSND065E");
    REFUSED(on(0, "GUEST", "SET SECUSER LINUX1 GUEST"), 3, "HCPCSE003E");
    REFUSED(on(0, "GUEST", "SET SECUSER NOBODY"), 53, "HCPAUT053E");
}
END_TEST

static void noted(void *ctx, const char *text, size_t len)
{
    char *all = ctx;
    size_t n = strlen(all);
    snprintf(all + n, 256 - n, "%.*s", (int)len, text);
}

/* Who keeps a log of a console keeps its own lines, not those of other consoles. */
START_TEST(log_of_own_lines)
{
    char own[256] = "", all[256] = "";
    struct console *c = console_of("GUEST");
    u64 first = console_observe_own(c, console_next_number(c), noted, own);
    u64 second = console_observe(c, console_next_number(c), noted, all);
    console_write_line(c, "before");
    console_relay_line(c, "LINUX1  : secret");
    console_write_line(c, "after");
    console_poll(c);
    ck_assert_str_eq(own, "before\nafter\n");
    ck_assert_str_eq(all, "before\nLINUX1  : secret\nafter\n");
    console_unobserve(c, first);
    console_unobserve(c, second);
}
END_TEST

/* An observer sees it all the time and types nothing; two that observe each other do not loop; the
 * last line of a session is seen. */
START_TEST(observer)
{
    on(0, "OPERATOR", "SET OBSERVER LINUX1 GUEST");
    on(0, "OPERATOR", "SET OBSERVER GUEST LINUX1");
    console_write_line(console_of("LINUX1"), "seen");
    for (int i = 0; i < 8; i++)
        cp_poll_consoles(cps[0]);
    ck_assert(console_has(0, "GUEST", "^LINUX1  : seen$"));
    ck_assert(!console_has(0, "LINUX1", "GUEST *: LINUX1"));
    REFUSED(on(0, "GUEST", "SEND LINUX1 ls"), 65, "HCPSND065E");
    cp_console_input(cps[0], "LINUX1", "#CP LOGOFF");
    ck_assert(console_has(0, "GUEST", "^LINUX1  : LOGOFF AT"));
}
END_TEST

/* A secondary user who is logged on at another member sees it there. */
START_TEST(secondary_user_elsewhere)
{
    on(0, "GUEST", "LOGOFF");
    on(1, "", "LOGON GUEST PASS");
    on(0, "LINUX1", "SET SECUSER GUEST");
    console_write_line(console_of("LINUX1"), "not yet: it is connected");
    cp_poll_consoles(cps[0]);
    on(0, "LINUX1", "DISC");
    console_write_line(console_of("LINUX1"), "seen elsewhere");
    cp_poll_consoles(cps[0]);
    ck_assert(console_has(1, "GUEST", "^LINUX1  : seen elsewhere$"));
    ck_assert(!console_has(1, "GUEST", "not yet"));
    on(1, "GUEST", "LOGOFF");
    console_write_line(console_of("LINUX1"), "nobody sees this");
    cp_poll_consoles(cps[0]);
    link_up = false;
    on(1, "", "LOGON GUEST PASS");
    console_write_line(console_of("LINUX1"), "lost with the link");
    cp_poll_consoles(cps[0]);
    ck_assert(!console_has(1, "GUEST", "LINUX1"));
}
END_TEST

/* SEND goes to where the user is: class C, or its secondary user. */
START_TEST(send_elsewhere)
{
    on(0, "GUEST", "LOGOFF");
    on(1, "", "LOGON GUEST PASS");
    ck_assert_str_eq(on(1, "OPERATOR", "SEND LINUX1 AT night"), ""); /* a text */
    ck_assert_str_eq(guest_line("LINUX1"), "AT night");
    REFUSED(on(1, "GUEST", "SEND LINUX1 ls"), 65, "HCPSND065E");
    on(0, "LINUX1", "SET SECUSER GUEST");
    on(0, "LINUX1", "DISC");
    ck_assert_str_eq(on(1, "GUEST", "SEND LINUX1 AT MEMBERA Ls -l"), "");
    ck_assert_str_eq(guest_line("LINUX1"), "Ls -l");
    ck_assert_str_eq(on(1, "GUEST", "SEND CP LINUX1 SET MSG OFF"), "");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "QUERY SET"), "MSG OFF"));
    REFUSED(on(1, "GUEST", "SEND LINUX1 AT MEMBERB ls"), 45, "HCPCMD045E");
    REFUSED(on(1, "OPERATOR", "SEND NEVER ls"), 45, "HCPCMD045E");
    on(0, "LINUX1", "SET SECUSER OPERATOR"); /* the one here, without class C */
    cp_response_fini(&resp);
    cp_command_as(cps[1], "OPERATOR", CP_CLASS('G'), "SEND LINUX1 who", &resp);
    ck_assert_int_eq(resp.rc, 65);
    ck_assert_ptr_null(guest_line("LINUX1"));
    link_up = false;
    on(1, "GUEST", "SEND LINUX1 ls");
    ck_assert_int_ne(resp.rc, 0);
    ck_assert_ptr_null(guest_line("LINUX1"));
}
END_TEST

START_TEST(relayed_lines_that_are_damaged)
{
    static const u8 bad[] = {0x80, 0x07, 0xff, 0xff, 0xff, 0xff, 1};
    cp_remote_receive(cps[0], "MEMBERB", 3, bad, sizeof bad);
    cp_remote_receive(cps[0], "MEMBERB", 3, "", 0);
    cp_remote_receive(cps[0], "MEMBERB", 9, bad, sizeof bad);
}
END_TEST

START_TEST(terminal_form)
{
    struct console *c = console_of("LINUX1");
    ck_assert_str_eq(on(0, "LINUX1", "TERMINAL LINESIZE 10 TIMESTAMP ON"), "");
    console_write_line(c, "0123456789abc");
    ck_assert(console_has(0, "LINUX1", "^17:13:22 0123456789$"));
    ck_assert(console_has(0, "LINUX1", "^17:13:22 abc$"));
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q TERM"), "LINESIZE 010, ATTN OFF"));
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q TERM"), "TIMESTAMP ON "));
    on(0, "LINUX1", "TERM LINESIZE OFF TIMESTAMP OFF");
    console_write_line(c, "0123456789abcdef");
    ck_assert(console_has(0, "LINUX1", "^0123456789abcdef$"));
    struct vm *vm = cp_user_vm(cp_user_find(cps[0], "LINUX1"));
    ck_assert(vm->autocr); /* at logon */
    on(0, "LINUX1", "TERMINAL AUTOCR OFF");
    ck_assert(!vm->autocr);
}
END_TEST

/* TABCHAR; what a terminal has not is refused by its name, unless it is what it is set to. */
START_TEST(terminal_options_refused)
{
    char line[64];
    on(0, "LINUX1", "TERMINAL TABCHAR !");
    on(0, "LINUX1", "BEGIN");
    ck_assert_int_eq(cp_terminal_input(cps[0], "LINUX1", "a!b", &left), ST_OK);
    ck_assert_int_eq(console_input_take(console_of("LINUX1"), line, sizeof line), 3);
    ck_assert_str_eq(line, "a\tb");
    REFUSED(on(0, "LINUX1", "TERMINAL APL ON"), 6,
            "HCPTEA006E Invalid device type - this terminal has no APL ON");
    REFUSED(on(0, "LINUX1", "TERM MODE CP"), 6, "HCPTEA006E");
    REFUSED(on(0, "LINUX1", "TERM SCRNSAVE OFF"), 6, "HCPTEA006E");
    REFUSED(on(0, "LINUX1", "TERM PROMPT TTY"), 6, "HCPTEA006E");
    REFUSED(on(0, "LINUX1", "TERM HILIGHT MAYBE"), 2, "HCPCMD002E");
    ck_assert_str_eq(on(0, "LINUX1", "TERM APL OFF TEXT OFF HI OFF ATTN OFF MODE VM"), "");
    ck_assert_int_eq(resp.rc, 0);
}
END_TEST

/* TERMINAL options go along with a relocation. */
START_TEST(terminal_options_move)
{
    struct codec_out out;
    struct codec_in in;
    struct cp_user *user = cp_user_find(cps[0], "LINUX1");
    on(0, "LINUX1", "TERM LINESIZE 132 AUTOCR OFF TABCHAR ! MORE 7 8 HOLD OFF");
    codec_out_init(&out);
    cp_user_save(user, &out);
    on(0, "LINUX1", "TERM LINESIZE OFF AUTOCR ON TABCHAR OFF MORE 50 10 HOLD ON");
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(cp_user_restore(user, &in, &(struct cause){0}), ST_OK);
    codec_out_fini(&out);
    const char *text = on(0, "LINUX1", "Q TERM");
    ck_assert_ptr_nonnull(strstr(text, "TABCHAR !|LINESIZE 132,"));
    ck_assert_ptr_nonnull(strstr(text, "AUTOCR OFF , MORE 007 008, HOLD OFF,"));
    ck_assert(!cp_user_vm(user)->autocr);
}
END_TEST

START_TEST(emsg)
{
    static const struct {
        const char *setting, *shown, *query;
    } rows[] = {{"ON", "^HCPCMD001E Unknown CP command: FROBON$", "EMSG ON ,"},
                {"TEXT", "^Unknown CP command: FROBTEXT$", "EMSG TEXT,"},
                {"CODE", "^HCPCMD001E$", "EMSG CODE,"},
                {"OFF", "", "EMSG OFF,"}};
    char command[64];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(command, sizeof command, "SET EMSG %s", rows[i].setting);
        ck_assert_str_eq(on(0, "LINUX1", command), "");
        ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q SET"), rows[i].query));
        u64 before = console_next_number(console_of("LINUX1"));
        snprintf(command, sizeof command, "#CP FROB%s", rows[i].setting);
        cp_console_input(cps[0], "LINUX1", command);
        u64 lines = console_next_number(console_of("LINUX1")) - before;
        ck_assert_uint_eq(lines, *rows[i].shown ? 2 : 1); /* what was typed, the answer */
        ck_assert(!*rows[i].shown || console_has(0, "LINUX1", rows[i].shown));
    }
    cp_console_input(cps[0], "LINUX1", "#CP Q USERID"); /* answers are no error messages */
    ck_assert(console_has(0, "LINUX1", "^LINUX1   AT MEMBERA$"));
    REFUSED(on(0, "LINUX1", "SET EMSG SOME"), 3, "HCPCSE003E");
}
END_TEST

/* CP's lines say which CPU they are about when there are several; a response in a buffer not. */
START_TEST(several_cpus)
{
    cp_console_input(cps[0], "LINUX1", "#CP Q USERID");
    ck_assert(console_has(0, "LINUX1", "^LINUX1   AT MEMBERA$"));
    on(0, "LINUX1", "DEFINE CPU 1");
    cp_console_input(cps[0], "LINUX1", "#CP Q USERID");
    ck_assert(console_has(0, "LINUX1", "^00: LINUX1   AT MEMBERA$"));
    ck_assert_str_eq(on(0, "LINUX1", "Q USERID"), "LINUX1   AT MEMBERA");
    cp_console_input(cps[0], "LINUX1", "#CP");
    ck_assert(console_has(0, "LINUX1", "^00: CP$"));
    cp_console_input(cps[0], "LINUX1", "CPU 1 D X1");
    ck_assert(console_has(0, "LINUX1", "^01: ECR  1 =  0000000000001001$"));
    ck_assert_str_eq(on(0, "LINUX1", "CPU ALL D X2"),
                     "00: ECR  2 =  0000000000000002|01: ECR  2 =  0000000000001002");
    REFUSED(on(0, "LINUX1", "CPU 3 D X"), 163, "HCPDIS163E CPU 3 is not defined");
    REFUSED(on(0, "LINUX1", "CPU"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "CPU 1"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "CPU ZZ D X"), 2, "HCPCMD002E");
    on(0, "LINUX1", "CPU 1 FROB");
    ck_assert_int_eq(resp.rc, 1);
    ck_assert_str_eq(resp.messages[0].id, "HCPCMD001E");
    ck_assert_int_eq(strncmp(on(0, "LINUX1", "CPU ALL LOGOFF"), "00: CONNECT= ", 13), 0);
    ck_assert_uint_eq(resp.line_count, 2); /* once */
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
}
END_TEST

START_TEST(silently)
{
    ck_assert_str_eq(on(0, "GUEST", "SILENTLY Q USERID"), "");
    ck_assert_int_eq(resp.rc, 0);
    REFUSED(on(0, "GUEST", "SILENTLY FROB"), 1, "HCPCMD001E Unknown CP command: FROB");
    REFUSED(on(0, "GUEST", "SILENTLY SHUTDOWN"), 1, "HCPCMD001E");
    REFUSED(on(0, "GUEST", "SILENTLY"), 26, "HCPCMD026E");
}
END_TEST

START_TEST(pf_keys)
{
    struct codec_out out;
    struct codec_in in;
    struct cause cause;
    struct cp_user *user = cp_user_find(cps[0], "LINUX1"), *there;
    ck_assert_str_eq(on(0, "LINUX1", "Q PF1"), "PF01 UNDEFINED");
    ck_assert_str_eq(on(0, "LINUX1", "Q PF12"), "PF12 RETRIEVE BACKWARD");
    ck_assert_str_eq(on(0, "LINUX1", "SET PF1 IMMED Q UserId"), "");
    on(0, "LINUX1", "SET PF02 DELAYED MSG OP ");
    on(0, "LINUX1", "SET PF3 QUERY TIME");
    on(0, "LINUX1", "SET PF11 RETRIEVE FORWARD");
    on(0, "LINUX1", "SET PF24");
    ck_assert_str_eq(on(0, "LINUX1", "Q PF1"), "PF01 IMMED Q UserId");
    ck_assert_str_eq(on(0, "LINUX1", "Q PF03"), "PF03 DELAYED QUERY TIME");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "QUERY PF"), "|PF24 UNDEFINED"));
    ck_assert_uint_eq(resp.line_count, CP_PF_KEYS);
    ck_assert_int_eq(cp_terminal_pf(user, 2)->kind, CP_PF_DELAYED);
    ck_assert_str_eq(cp_terminal_pf(user, 1)->text, "Q UserId");
    REFUSED(on(0, "LINUX1", "SET PF25 X"), 3, "HCPCSE003E Invalid option - PF25");
    REFUSED(on(0, "LINUX1", "SET PF0 X"), 3, "HCPCSE003E");
    REFUSED(on(0, "LINUX1", "SET PF X"), 3, "HCPCSE003E");
    REFUSED(on(0, "LINUX1", "QUERY PF99"), 3, "HCPCQV003E");
    REFUSED(on(0, "LINUX1", "SET PF1 RETRIEVE SIDEWAYS"), 2, "HCPCMD002E");
    codec_out_init(&out); /* they go along with a relocation */
    cp_user_save(user, &out);
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(cp_user_arrive(cps[1], "LINUX1", &in, &there, &cause), ST_OK);
    ck_assert_int_eq(cp_terminal_pf(there, 11)->kind, CP_PF_FORWARD);
    ck_assert_int_eq(cp_terminal_pf(there, 24)->kind, CP_PF_UNDEFINED);
    ck_assert_str_eq(cp_terminal_pf(there, 3)->text, "QUERY TIME");
    cp_user_depart(there);
    codec_out_fini(&out);
}
END_TEST

static void typed(const char *text)
{
    ck_assert_int_eq(cp_terminal_input(cps[0], "LINUX1", text, &left), ST_OK);
}

/* CHARDEL @, LINEDEL cent sign, ESCAPE ", LINEND #: of the physical line logical ones are made. */
START_TEST(line_editing)
{
    static const struct {
        const char *typed, *first, *second;
    } rows[] = {{"ls", "ls", NULL},
                {"lx@s", "ls", NULL},
                {"a@@@b", "b", NULL},
                {"\xc3\xa4@ls", "ls", NULL}, /* one character of two bytes */
                {"rm -r /\xc2\xa2ls", "ls", NULL},
                {"ls#pwd", "ls", "pwd"},
                {"echo \"#\"@\"\"", "echo #@\"", NULL},
                {"ends\"", "ends\"", NULL},
                {"", "", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        typed(rows[i].typed);
        ck_assert_str_eq(guest_line("LINUX1"), rows[i].first);
        const char *second = guest_line("LINUX1");
        if (rows[i].second)
            ck_assert_str_eq(second, rows[i].second);
        else
            ck_assert_ptr_null(second);
    }
    typed("#CP Q USERID#Q PF1");
    ck_assert(console_has(0, "LINUX1", "^LINUX1   AT MEMBERA$"));
    ck_assert(console_has(0, "LINUX1", "^PF01 UNDEFINED$"));
    ck_assert_ptr_null(guest_line("LINUX1"));
    typed("#CP");
    typed("BEGIN#Q PRIV"); /* CP read when it was typed: all of it is CP's */
    ck_assert(console_has(0, "LINUX1", "^Privilege classes for user LINUX1$"));
    ck_assert_ptr_null(guest_line("LINUX1"));
    typed("#CP SET PF1 IMMED Q TIME\"#Q USERID");
    ck_assert_str_eq(on(0, "LINUX1", "Q PF1"), "PF01 IMMED Q TIME#Q USERID");
    typed("#CP TERM CHARDEL OFF ESCAPE OFF LINEDEL \xc2\xa7 LINEND OFF");
    typed("a\"b@c#\xc2\xa2");
    ck_assert_str_eq(guest_line("LINUX1"), "a\"b@c#\xc2\xa2");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q TERM"), "LINEDEL \xc2\xa7 ,"));
    on(0, "LINUX1", "SET LINEDIT OFF");
    typed("x\xc2\xa7y");
    ck_assert_str_eq(guest_line("LINUX1"), "x\xc2\xa7y");
}
END_TEST

/* Of several lines those that there was no room for are left, each is taken once. */
START_TEST(lines_left)
{
    for (unsigned i = 1; i < CONSOLE_INPUTS_MAX; i++)
        typed("early");
    ck_assert_int_eq(cp_terminal_input(cps[0], "LINUX1", "one#tw@wo#three", &left), ST_LIMIT);
    ck_assert_str_eq(left, "tw@wo#three");
    ck_assert_int_eq(cp_terminal_input(cps[0], "LINUX1", left, &left), ST_LIMIT);
    ck_assert_str_eq(left, "tw@wo#three");
    for (unsigned i = 1; i < CONSOLE_INPUTS_MAX; i++)
        ck_assert_str_eq(guest_line("LINUX1"), "early");
    typed(left);
    ck_assert_str_eq(guest_line("LINUX1"), "one");
    ck_assert_str_eq(guest_line("LINUX1"), "two");
    ck_assert_str_eq(guest_line("LINUX1"), "three");
    ck_assert_ptr_null(guest_line("LINUX1"));
}
END_TEST

/* What of TERMINAL the terminal itself acts on. */
START_TEST(terminal_options)
{
    const struct cp_user *user = cp_user_find(cps[0], "LINUX1");
    ck_assert(cp_terminal_view(user).hold);
    on(0, "LINUX1", "TERMINAL HOLD OFF BREAKIN GUESTCTL BRKKEY PF3");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert(!cp_terminal_view(user).hold);
    ck_assert(cp_terminal_view(user).breakin_guest);
    ck_assert_int_eq(cp_terminal_view(user).break_pf, 3);
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q TERM"), "BRKKEY PF03 ,"));
    on(0, "LINUX1", "TERMINAL BRKKEY NONE");
    ck_assert_int_eq(cp_terminal_view(user).break_pf, -1);
    on(0, "LINUX1", "TERMINAL BRKKEY PA1 HOLD ON");
    ck_assert_int_eq(cp_terminal_view(user).break_pf, 0);
    REFUSED(on(0, "LINUX1", "TERMINAL BRKKEY PF25"), 2, "HCPCMD002E");
    on(0, "LINUX1", "DISCONNECT HOLD");
    ck_assert(console_line_held(console_of("LINUX1")));
    on(0, "", "LOGON LINUX1 SECRET");
    on(0, "LINUX1", "DISCONNECT");
    ck_assert(!console_line_held(console_of("LINUX1")));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_console_cmd");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, world, cp_world_teardown);
    tcase_add_test(t, secondary_user);
    tcase_add_test(t, observer);
    tcase_add_test(t, log_of_own_lines);
    tcase_add_test(t, secondary_user_elsewhere);
    tcase_add_test(t, send_elsewhere);
    tcase_add_test(t, relayed_lines_that_are_damaged);
    tcase_add_test(t, terminal_form);
    tcase_add_test(t, terminal_options_refused);
    tcase_add_test(t, terminal_options_move);
    tcase_add_test(t, emsg);
    tcase_add_test(t, several_cpus);
    tcase_add_test(t, silently);
    tcase_add_test(t, pf_keys);
    tcase_add_test(t, line_editing);
    tcase_add_test(t, lines_left);
    tcase_add_test(t, terminal_options);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
