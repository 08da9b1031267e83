/* What a user has set goes along when it is relocated: each operand of SET and each option of
 * TERMINAL and SPOOL has a row here, is set to something else than before, and QUERY says the same
 * behind the move. A command without a row fails.
 * Run alone: tests/run unit/hyp_move_settings_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/cp/cp_internal.h"
#include "hyp/cp_terminal.h"
#include "hyp/spool/spool_device.h"
#include "io/ebcdic.h"
#include "io/image/image.h"
#include "tests/lib/member_move.h"

#define ANSWER_BYTES 8192
#define MEMBERS 2

static struct member *member[MEMBERS];

/* One setting: of which command and operand, how it is changed, and what shows it. */
struct setting {
    const char *command, *name, *change, *query;
};

static const struct setting settings[] = {
    {"SET", "ACNT", "SET ACNT ON", "QUERY SET"},
    {"SET", "CONCEAL", "SET CONCEAL ON", "QUERY SET"},
    {"SET", "DATEFormat", "SET DATEFORMAT ISODATE", "QUERY DATEFORMAT USER"},
    {"SET", "EMSG", "SET EMSG CODE", "QUERY SET"},
    {"SET", "IMSG", "SET IMSG OFF", "QUERY SET"},
    {"SET", "LINEDIT", "SET LINEDIT OFF", "QUERY SET"},
    {"SET", "LOADDEV", "SET LOADDEV PORTNAME 5005076300C20B8E LUN 5241000000000000",
     "QUERY LOADDEV"},
    {"SET", "MSG", "SET MSG OFF", "QUERY SET"},
    {"SET", "OBSERVER", "SET OBSERVER LINUX1 GUEST", "QUERY SET"},
    {"SET", "PFnn", "SET PF3 DELAYED hello", "QUERY PF"},
    {"SET", "PRIVclass", "SET PRIVCLASS LINUX1 =DFG", "QUERY PRIVCLASS"},
    {"SET", "PRIVclass", "SET PRIVCLASS LINUX1 LOCK", "QUERY PRIVCLASS"},
    {"SET", "QUICKDSP", "SET QUICKDSP LINUX1 ON", "QUERY QUICKDSP LINUX1"},
    {"SET", "RUN", "SET RUN ON", "QUERY SET"},
    {"SET", "SECUSER", "SET SECUSER GUEST", "QUERY SET"},
    {"SET", "RESERVED", "SET RESERVED LINUX1 8", "QUERY RESERVED LINUX1"},
    {"SET", "SHARE", "SET SHARE LINUX1 ABSOLUTE 7% ABSOLUTE 20% LIMITHARD",
     "QUERY SHARE LINUX1"},
    {"SET", "SMSG", "SET SMSG ON", "QUERY SET"},
    {"SET", "VTOD", "SET VTOD FOR LINUX1 2001-02-03 04:05:06", "QUERY VTOD FOR LINUX1"},
    {"SET", "WNG", "SET WNG OFF", "QUERY SET"},
    {"TERMINAL", "MORE", "TERMINAL MORE 7 8", "QUERY TERMINAL"},
    {"TERMINAL", "HOLD", "TERMINAL HOLD OFF", "QUERY TERMINAL"},
    {"TERMINAL", "TIMEStamp", "TERMINAL TIMESTAMP ON", "QUERY TERMINAL"},
    {"TERMINAL", "TABchar", "TERMINAL TABCHAR !", "QUERY TERMINAL"},
    {"TERMINAL", "LINENd", "TERMINAL LINEND +", "QUERY TERMINAL"},
    {"TERMINAL", "LINEDel", "TERMINAL LINEDEL OFF", "QUERY TERMINAL"},
    {"TERMINAL", "CHardel", "TERMINAL CHARDEL %", "QUERY TERMINAL"},
    {"TERMINAL", "EScape", "TERMINAL ESCAPE /", "QUERY TERMINAL"},
    {"TERMINAL", "LINESize", "TERMINAL LINESIZE 72", "QUERY TERMINAL"},
    {"TERMINAL", "AUTOCR", "TERMINAL AUTOCR OFF", "QUERY TERMINAL"},
    {"TERMINAL", "CONMODE", "TERMINAL CONMODE 3270", "QUERY TERMINAL"},
    {"TERMINAL", "BREAKIn", "TERMINAL BREAKIN GUESTCTL", "QUERY TERMINAL"},
    {"TERMINAL", "BRKkey", "TERMINAL BRKKEY PF7", "QUERY TERMINAL"},
    {"SPOOL", "HOld", "SPOOL 00E HOLD", "QUERY VIRTUAL UR"},
    {"SPOOL", "KEep", "SPOOL 00D KEEP", "QUERY VIRTUAL UR"},
    {"SPOOL", "CONt", "SPOOL 00C CONT", "QUERY VIRTUAL UR"},
    {"SPOOL", "EOF", "SPOOL 00C NOEOF", "QUERY VIRTUAL UR"},
    {"SPOOL", "MSG", "SPOOL 00E MSG", "QUERY VIRTUAL UR"},
    {"SPOOL", "CLass", "SPOOL 00C CLASS K", "QUERY VIRTUAL UR"},
    {"SPOOL", "To", "SPOOL 00D TO GUEST", "QUERY VIRTUAL UR"},
    {"SPOOL", "FOR", "SPOOL 00E FOR GUEST", "QUERY VIRTUAL UR"},
    {"SPOOL", "*", "SPOOL 00D * RDR", "QUERY VIRTUAL UR"},
    {"SPOOL", "FORM", "SPOOL 00E FORM BLUE", "QUERY VIRTUAL UR"},
    {"SPOOL", "DEST", "SPOOL 00E DEST ATTIC", "QUERY VIRTUAL UR"},
    {"SPOOL", "DIst", "SPOOL 00E DIST BIN12", "QUERY VIRTUAL UR"},
    {"SPOOL", "COpy", "SPOOL 00E COPY 3", "QUERY VIRTUAL UR"},
    {"SPOOL", "NAme", "SPOOL 00D NAME MY DECK", "QUERY VIRTUAL UR"},
    {"TAG", "DEV", "TAG DEV 00D to the attic", "TAG QUERY DEV 00D"},
    {"TRACE", "", "TRACE BRANCH RANGE 400-4FF SKIP 3 IDENT LOOK CMD QUERY TIME", "QUERY TRACE"},
    {"TRACE", "COUNT", "TRACE COUNT", "QUERY TRACE"},
    {"STORE", "", "STORE G7 00000123", "DISPLAY G7"},
    {"DEFINE", "CPU", "DETACH CPU 01", "QUERY VIRTUAL CPUS"},
};

/* Not a user's own, or (MCHECK) an event, not a setting; and what undoes a setting. */
static const struct setting not_here[] = {
    {"SET", "MCHeck", "", ""},  {"SET", "MDCache", "", ""},     {"SET", "SRM", "", ""},
    {"SET", "SSI", "", ""},     {"SET", "LAN", "", ""},         {"SET", "VMLAN", "", ""},
    {"SET", "VSWITCH", "", ""}, {"SET", "NIC", "", ""}, /* scenario/net_members has adapters */
    {"SET", "LOGmsg", "", ""},  {"SET", "SIGnal", "", ""},      {"SPOOL", "SYStem", "", ""},
    {"SET", "MT", "", ""},      {"SET", "MULTITHread", "", ""}, /* refused, whoever it is */
    {"SET", "MACHine", "", ""}, {"SET", "VDISK", "", ""},       {"SPOOL", "OFF", "", ""},
    {"SPOOL", "STArt", "", ""}, /* spooled_consoles_go_along */
};

static const char *on(unsigned n, const char *userid, const char *command)
{
    static char answer[ANSWER_BYTES];
    struct cp_response resp;
    size_t at = 0;
    cp_response_init(&resp);
    ck_assert(cp_command_as(member[n]->cp, userid, CP_CLASS_ANY, command, &resp) == CP_DONE);
    answer[0] = 0;
    for (unsigned i = 0; i < resp.line_count && at < sizeof answer; i++)
        at += (size_t)snprintf(answer + at, sizeof answer - at, "%s|", resp.lines[i]);
    ck_assert_msg(!resp.rc, "%s: %s", command, answer);
    cp_response_fini(&resp);
    return answer;
}

static void setup(void)
{
    for (unsigned n = 0; n < MEMBERS; n++)
        member[n] = member_world_create();
    on(1, "OPERATOR", "FORCE LINUX1");
}

static void teardown(void)
{
    for (unsigned n = 0; n < MEMBERS; n++)
        member_world_destroy(member[n]);
}

static bool listed(const struct setting *rows, size_t count, const char *command,
                   const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(rows[i].command, command) && !strcmp(rows[i].name, name))
            return true;
    return false;
}

static void has_row(const char *command, const char *name)
{
    ck_assert_msg(listed(settings, ARRAY_LEN(settings), command, name) ||
                      listed(not_here, ARRAY_LEN(not_here), command, name),
                  "%s %s has no row in this test: does it go along with a relocation?", command,
                  name);
}

START_TEST(every_setting_has_a_row)
{
    struct cp_table_row row;
    const char *name, *off;
    for (unsigned i = 0; cp_table_row(member[0]->cp, i, &row); i++)
        if (!strcmp(row.prefix, "SET"))
            has_row("SET", row.row.name);
    for (unsigned i = 0; (name = cp_terminal_option_name(i)); i++)
        has_row("TERMINAL", name);
    for (unsigned i = 0; (name = cp_spool_option_name(i, &off)); i++)
        has_row("SPOOL", name);
}
END_TEST

/* There and back again by turns: nothing is left behind on the way either. Each is set on top of
 * those before it, so at the end all have gone along at once. */
START_TEST(settings_go_along)
{
    char before[ANSWER_BYTES], set[ANSWER_BYTES];
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        const struct setting *s = &settings[i];
        unsigned here = i % MEMBERS, there = (i + 1) % MEMBERS;
        strcpy(before, on(here, "LINUX1", s->query));
        on(here, "LINUX1", s->change);
        strcpy(set, on(here, "LINUX1", s->query));
        ck_assert_msg(strcmp(before, set) != 0, "%s changes nothing: %s", s->change, set);
        member_move(member[here], member[there], "LINUX1");
        ck_assert_str_eq(on(there, "LINUX1", s->query), set);
    }
}
END_TEST

static struct image *vdisk(unsigned n, u16 vdev)
{
    return link_find(member[n]->rdevs, "LINUX1", vdev)->img;
}

/* Lines of the closed console file, joined by |. */
static const char *console_file(unsigned n)
{
    static char text[ANSWER_BYTES];
    struct spool *spool = vm_host_spool(member[n]->host);
    struct spool_file *f = NULL;
    struct spool_data data;
    struct spool_place place = {0};
    struct spool_record record;
    struct cause cause;
    size_t at = 1;
    text[0] = '|';
    while ((f = spool_next(spool, f)) && strcmp(spool_desc(f)->device, "CON"))
        ;
    ck_assert(f && spool_load(spool, f, &data, &cause) == ST_OK);
    while (spool_data_next(&data, &place, &record) && at + 300 < sizeof text) {
        at += ebcdic_to_utf8(EBCDIC_037, record.bytes, record.len, text + at);
        text[at++] = '|';
    }
    text[at] = 0;
    spool_data_fini(&data);
    return text;
}

static unsigned times(const char *text, const char *what)
{
    unsigned n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

/* A spooled console: each line is in its file once, however often its user has moved; a line that
 * was half written when it did is one line, and what came between is there. */
START_TEST(spooled_consoles_go_along)
{
    char line[40];
    on(0, "LINUX1", "SPOOL CONSOLE START");
    for (unsigned i = 0; i < 4; i++) {
        unsigned here = i % MEMBERS, there = (i + 1) % MEMBERS;
        struct cp_user *user = cp_user_find(member[here]->cp, "LINUX1");
        struct console *console = cp_user_console(user);
        snprintf(line, sizeof line, "MSGNOH LINUX1 whole %u", i);
        on(here, "OPERATOR", line);
        if (i == 1) { /* it is to go, and stays */
            ck_assert(vm_quiesce(cp_user_vm(user)));
            cp_user_freeze(user);
            console_write_line(console, "between");
            vm_unquiesce(cp_user_vm(user));
            cp_user_thaw(user);
        }
        snprintf(line, sizeof line, "half %u ", i);
        console_write(console, line, strlen(line));
        user = member_move(member[here], member[there], "LINUX1");
        console_write(cp_user_console(user), "is whole\n", 9);
    }
    cp_poll_consoles(member[0]->cp);
    on(0, "LINUX1", "SPOOL CONSOLE STOP CLOSE");
    const char *text = console_file(0);
    for (unsigned i = 0; i < 4; i++) {
        snprintf(line, sizeof line, "|whole %u|", i);
        ck_assert_msg(times(text, line) == 1, "%s: %s", line, text);
        snprintf(line, sizeof line, "|half %u is whole|", i);
        ck_assert_msg(times(text, line) == 1, "%s: %s", line, text);
    }
    ck_assert_msg(times(text, "|between|") == 1, "%s", text);
}
END_TEST

/* Its blocks, its device, and nothing of it where it was. */
START_TEST(virtual_disks_go_along)
{
    u8 block[512], back[512];
    struct cause cause;
    on(0, "LINUX1", "DEFINE VFB-512 AS 0200 BLK 100");
    on(0, "LINUX1", "DEFINE VFB-512 AS 0203 BLK 70000");
    for (unsigned i = 0; i < 4; i++) {
        unsigned here = i % MEMBERS, there = (i + 1) % MEMBERS;
        memset(block, 0x41 + (int)i, sizeof block);
        ck_assert_int_eq(image_write_blocks(vdisk(here, 0x203), 69999 - i, 1, block, &cause),
                         0);
        ck_assert_int_eq(image_write_blocks(vdisk(here, 0x200), i, 1, block, &cause), 0);
        member_move(member[here], member[there], "LINUX1");
        ck_assert_ptr_null(link_next(member[here]->rdevs, "", NULL));
        for (unsigned k = 0; k <= i + 1; k++) {
            memset(block, k <= i ? 0x41 + (int)k : 0, sizeof block);
            ck_assert_int_eq(image_read_blocks(vdisk(there, 0x203), 69999 - k, 1, back, &cause),
                             0);
            ck_assert_mem_eq(back, block, sizeof back);
            ck_assert_int_eq(image_read_blocks(vdisk(there, 0x200), k, 1, back, &cause), 0);
            ck_assert_mem_eq(back, block, sizeof back);
        }
    }
    ck_assert_ptr_nonnull(
        strstr(on(0, "LINUX1", "QUERY VIRTUAL DASD"), "DASD 0203 9336 (VDSK) R/W"));
    on(0, "LINUX1", "DETACH 200");
    on(0, "LINUX1", "DETACH 203");
}
END_TEST

/* What its secondary user has been shown by the member that it has left is not shown again. */
START_TEST(observers_see_each_line_once)
{
    struct console_line line;
    u64 cursor = 0;
    unsigned old = 0, late = 0;
    on(0, "LINUX1", "SET SECUSER OPERATOR");
    on(0, "OPERATOR", "MSGNOH LINUX1 before it goes");
    cp_poll_consoles(member[0]->cp);
    member_move(member[0], member[1], "LINUX1");
    on(1, "OPERATOR", "MSGNOH LINUX1 behind it");
    cp_poll_consoles(member[1]->cp);
    struct console *console = cp_user_console(cp_user_find(member[1]->cp, "OPERATOR"));
    while (console_read(console, &cursor, &line)) {
        old += strstr(line.text, "before it goes") != NULL;
        late += strstr(line.text, "LINUX1  : behind it") != NULL;
    }
    ck_assert_uint_eq(old, 0);
    ck_assert_uint_eq(late, 1);
}
END_TEST

/* DISCONNECT_TIMEOUT runs on where the user is. */
START_TEST(a_lost_terminal_is_waited_for)
{
    member[0]->config->features.logoff_timeout_s = 600;
    struct cp_user *user = cp_user_find(member[0]->cp, "LINUX1");
    user->disconnected = false;
    cp_terminal_lost(member[0]->cp, "LINUX1");
    u64 due = user->lost_due_ns;
    ck_assert_uint_ne(due, 0);
    user = member_move(member[0], member[1], "LINUX1");
    ck_assert_uint_eq(user->lost_due_ns, due);
    ck_assert_uint_ne(user->lost_timer, 0);
}
END_TEST

/* Between the saving of its state and the end: what is typed waits, and comes once. */
START_TEST(typed_while_it_moves)
{
    struct cp_user *user = cp_user_find(member[0]->cp, "LINUX1");
    user->cp_read = true;
    ck_assert(vm_quiesce(cp_user_vm(user)));
    cp_user_freeze(user);
    ck_assert_int_eq(cp_console_input(member[0]->cp, "LINUX1", "SET IMSG OFF"), ST_OK);
    ck_assert(user->settings & CP_SET_IMSG);
    vm_unquiesce(cp_user_vm(user)); /* it stays */
    cp_user_thaw(user);
    ck_assert(!(user->settings & CP_SET_IMSG));
    ck_assert_int_eq(cp_console_input(member[0]->cp, "LINUX1", "SET IMSG ON"), ST_OK);
    ck_assert(user->settings & CP_SET_IMSG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_move_settings");
    TCase *tc = tcase_create("settings");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_setting_has_a_row);
    tcase_add_test(tc, settings_go_along);
    tcase_add_test(tc, spooled_consoles_go_along);
    tcase_add_test(tc, virtual_disks_go_along);
    tcase_add_test(tc, observers_see_each_line_once);
    tcase_add_test(tc, a_lost_terminal_is_waited_for);
    tcase_add_test(tc, typed_while_it_moves);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
