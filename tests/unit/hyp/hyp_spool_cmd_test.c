/* Spool commands on fake machines: SPOOL, CLOSE, TAG, TRANSFER, CHANGE, ORDER, PURGE and
 * QUERY, with the columns that vmur cuts out of their responses, privilege classes, and
 * refusals. */
#include "tests/lib/cp_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void begin(void)
{
    cp_world_setup();
    on(0, "", "LOGON GUEST PASS");
}

static struct spool_device *device(u16 vdev)
{
    struct spool_device *dev = spool_device_find(fake_spool, "GUEST", vdev);
    ck_assert_ptr_nonnull(dev);
    return dev;
}

static void punch(u16 vdev, unsigned records)
{
    while (records--)
        ck_assert_int_eq(spool_device_sink(device(vdev), vdev, vdev == 0xe ? 0x09 : 0x41,
                                           (const u8 *)"\xc1\xc2", 2),
                         ST_OK);
}

static const char *guest(const char *command)
{
    return on(0, "GUEST", command);
}

/* One file in the reader of GUEST; its id. */
static u16 reader_file(const char *name)
{
    char command[96];
    unsigned id = 0;
    punch(0xd, 2);
    snprintf(command, sizeof command, "CLOSE D TO * RDR NAME %s", name);
    ck_assert_int_eq(sscanf(guest(command), "RDR FILE %u", &id), 1);
    return (u16)id;
}

START_TEST(close_and_columns)
{
    punch(0xd, 3);
    const char *text = guest("CLOSE 00D TO * RDR NAME notes txt");
    ck_assert_str_eq(text, "RDR FILE 0004 SENT FROM GUEST    PUN WAS 0004 RECS 0003 CPY  001 "
                           "A NOHOLD NOKEEP");
    /* Lines joined by one character, as by DIAGNOSE X'08'. */
    text = guest("QUERY RDR * 4 ALL SHORTDATE");
    ck_assert_uint_eq(resp.line_count, 2);
    ck_assert_mem_eq(text + 77, "GUEST    0004 A PUN 00000003 001 NONE ", 38);
    ck_assert_int_eq(text[91], 'A');
    ck_assert_mem_eq(text + 110, "NONE", 4);
    ck_assert_mem_eq(text + 130, "notes   ", 8);
    ck_assert_mem_eq(text + 140, "txt     ", 8);
    ck_assert_str_eq(guest("Q FILES"), "FILES: 0001 RDR,   NO PRT,   NO PUN");
    ck_assert_str_eq(guest("CLOSE 00D"), ""); /* nothing is open */
    punch(0xe, 1);
    ck_assert_str_eq(guest("CLOSE PRT NAME list"),
                     "PRT FILE 0005 SENT FROM GUEST    PRT WAS 0005 RECS 0001 CPY  001 A "
                     "NOHOLD NOKEEP");
    ck_assert_ptr_nonnull(strstr(guest("Q PRT ALL"), "|GUEST    0005 A PRT 00000001 001 NONE"));
    punch(0xd, 1);
    ck_assert_str_eq(guest("CLOSE PUN PURGE"), "");
    ck_assert_str_eq(guest("Q PUN ALL"), "NO PUN FILES");
    guest("SET IMSG OFF");
    punch(0xd, 1);
    ck_assert_str_eq(guest("CLOSE PUN"), "");
    ck_assert_str_eq(guest("Q FILES"), "FILES: 0001 RDR, 0001 PRT, 0001 PUN");
}
END_TEST

START_TEST(to_another_user)
{
    on(0, "", "LOGON LINUX1 SECRET");
    punch(0xd, 12000);
    ck_assert_str_eq(guest("CLOSE D TO LINUX1 NAME for you"),
                     "PUN FILE 0004 SENT TO   LINUX1   RDR AS  0005 RECS 012K CPY  001 A "
                     "NOHOLD NOKEEP");
    ck_assert(
        console_has(0, "LINUX1", "^RDR FILE 0005 SENT FROM GUEST    PUN WAS 0004 RECS 012K"));
    ck_assert_ptr_nonnull(
        strstr(on(0, "LINUX1", "Q RDR ALL"), "|GUEST    0005 A PUN 00012000"));
    REFUSED(guest("CLOSE D TO NOBODY"), 0 + 53, "HCPCSP053E NOBODY not in CP directory");
    guest("SPOOL PUN TO LINUX1 CLASS K COPY 2 HOLD");
    punch(0xd, 1);
    guest("CLOSE D");
    ck_assert_ptr_nonnull(
        strstr(on(0, "LINUX1", "Q RDR ALL"), "GUEST    0007 K PUN 00000001 002 USER"));
    /* what was sent can be taken back; others' files are nobody else's business */
    ck_assert_ptr_nonnull(
        strstr(guest("TRANSFER RDR 7 FROM LINUX1"), "0000001 FILE TRANSFERRED"));
    ck_assert_ptr_nonnull(strstr(guest("Q RDR"), " K PUN 00000001 002 USER STANDARD"));
    guest("PURGE LINUX1 RDR ALL");
    ck_assert_int_eq(resp.rc, 3);
    guest("Q RDR LINUX1");
    ck_assert_int_eq(resp.rc, 3);
    ck_assert_str_eq(on(0, "OPERATOR", "PURGE LINUX1 RDR ALL"), "0000004 FILES PURGED");
}
END_TEST

START_TEST(change_order_purge)
{
    u16 a = reader_file("a"), b = reader_file("b"), c = reader_file("c");
    char command[96];
    snprintf(command, sizeof command, "ORDER * READER %u", c);
    ck_assert_str_eq(guest(command), "0000001 FILE ORDERED");
    const char *text = guest("Q RDR ALL");
    ck_assert(strstr(text, " c  ") < strstr(text, " a  "));
    snprintf(command, sizeof command,
             "CHANGE RDR %u %u CLASS M NOHOLD KEEP FORM PLAIN NAME New nAme", a, b);
    ck_assert_str_eq(guest(command), "0000002 FILES CHANGED");
    ck_assert_ptr_nonnull(
        strstr(guest("Q RDR CLASS M"), " 001 NONE PLAIN    PLAIN    OFF      ON "));
    ck_assert_uint_eq(resp.line_count, 3);
    ck_assert_ptr_nonnull(strstr(guest("Q RDR ALL CLASS M"), "New       nAme"));
    snprintf(command, sizeof command, "CHANGE RDR %u CLASS MM", a);
    REFUSED(guest(command), 28, "HCPCSP028E");
    REFUSED(guest("CHANGE RDR ALL COPY 0"), 30, "HCPCSP030E");
    REFUSED(guest("CHANGE RDR ALL NAME onetwothreefour five"), 29, "HCPCSP029E");
    ck_assert_str_eq(guest("CHANGE RDR ALL CLASS N"), "0000003 FILES CHANGED");
    ck_assert_str_eq(guest("CHANGE RDR CLASS N CLASS M"), "0000003 FILES CHANGED");
    REFUSED(guest("CHANGE RDR"), 27, "HCPCSP027E");
    REFUSED(guest("ORDER RDR 1234"), 42, "HCPCSU042E Spoolid 1234 does not exist");
    REFUSED(guest("PURGE RDR 1234"), 42, "HCPCSU042E");
    REFUSED(guest("PURGE FROB ALL"), 3, "HCPCMD003E");
    ck_assert_str_eq(guest("PURGE * RDR CLASS M FORM PLAIN"), "0000002 FILES PURGED");
    ck_assert_str_eq(guest("PURGE RDR CLASS M"), "0000001 FILE PURGED");
    ck_assert_str_eq(guest("PURGE RDR CLASS M"), "NO FILES PURGED");
    reader_file("d");
    ck_assert_ptr_nonnull(
        strstr(guest("TRANSFER RDR ALL TO * PUN"), "0000001 FILE TRANSFERRED"));
    ck_assert_str_eq(guest("Q FILES"), "FILES:   NO RDR,   NO PRT, 0001 PUN");
    ck_assert_str_eq(guest("PURGE ALL"), "0000001 FILE PURGED");
}
END_TEST

/* Class D: files that wait for a printer or punch are held, beside what their owner has done. */
START_TEST(system_hold)
{
    punch(0xd, 1);
    guest("CLOSE D");
    punch(0xe, 1);
    guest("CLOSE E");
    reader_file("mine");
    REFUSED(guest("HOLD GUEST"), 1, "HCPCMD001E");
    is(oper("HOLD GUEST PRT"), "0000001 FILE HELD");
    ck_assert_ptr_nonnull(strstr(guest("QUERY PRT"), " 001 SYS  "));
    ck_assert_ptr_nonnull(strstr(guest("QUERY PUN"), " 001 NONE "));
    guest("CHANGE PRT ALL HOLD");
    ck_assert_ptr_nonnull(strstr(guest("QUERY PRT"), " 001 USYS "));
    guest("CHANGE PRT ALL NOHOLD"); /* its own hold only */
    ck_assert_ptr_nonnull(strstr(guest("QUERY PRT"), " 001 SYS  "));
    REFUSED(guest("CHANGE PRT ALL NOSYSHOLD"), 2, "HCPCMD002E");
    is(oper("HOLD SYSTEM"), "0000001 FILE HELD");
    is(oper("HOLD SYSTEM ALL"), "NO FILES HELD");
    ck_assert_ptr_nonnull(strstr(guest("QUERY RDR"), " 001 NONE "));
    is(oper("FREE GUEST PUN"), "0000001 FILE FREED");
    is(oper("CHANGE GUEST PRT ALL NOSYSHOLD"), "0000001 FILE CHANGED");
    ck_assert_ptr_nonnull(strstr(guest("QUERY PRT"), " 001 NONE "));
    REFUSED(oper("CHANGE GUEST RDR ALL SYSHOLD"), 437, "HCPCSP437E");
    is(oper("CHANGE GUEST PRT ALL SYSHOLD"), "0000001 FILE CHANGED");
    guest("TRANSFER PRT ALL TO * RDR"); /* it is not put out from there */
    ck_assert_ptr_null(strstr(guest("QUERY RDR"), "SYS "));
    REFUSED(oper("HOLD"), 20, "HCPLGA020E");
    REFUSED(oper("HOLD NOBODY"), 3, "HCPCMD003E");
    REFUSED(oper("HOLD GUEST RDR"), 3, "HCPCMD003E");
    REFUSED(oper("FREE GUEST PRT NOW"), 3, "HCPCMD003E");
}
END_TEST

/* What contradicts itself changes nothing. */
START_TEST(conflicting_options)
{
    const struct spool_options *o = spool_device_options(device(0xd));
    REFUSED(guest("SPOOL PUN KEEP CLASS Q NOKEEP"), 13,
            "HCPCMD013E Conflicting option - NOKEEP");
    REFUSED(guest("SPOOL PUN NOHOLD HOLD"), 13, "HCPCMD013E Conflicting option - HOLD");
    REFUSED(guest("SPOOL PUN TO * SYSTEM"), 13, "HCPCMD013E Conflicting option - SYSTEM");
    REFUSED(guest("SPOOL PUN NAME a b NONAME"), 29, "HCPCSP029E"); /* the rest is the name */
    REFUSED(guest("SPOOL CONS START STOP"), 13, "HCPCMD013E");
    REFUSED(guest("CLOSE RDR PURGE HOLD"), 13, "HCPCMD013E Conflicting option - HOLD");
    REFUSED(guest("CLOSE PUN KEEP PURGE"), 13, "HCPCMD013E");
    ck_assert(o->class_ == 'A' && !o->keep && !o->hold && !*o->to);
    is(guest("SPOOL PUN KEEP KEEP"), "");
    ck_assert(o->keep);
}
END_TEST

START_TEST(spool_options)
{
    u16 id;
    ck_assert_str_eq(
        guest("SPOOL PUN CLASS Q CONT TO * COPY 3 DIST BIN7 FORM PLAIN NAME the one"), "");
    const struct spool_options *o = spool_device_options(device(0xd));
    ck_assert(o->class_ == 'Q' && o->cont && o->copies == 3 && o->to_queue == SPOOL_RDR);
    ck_assert_str_eq(o->to, "GUEST");
    ck_assert_str_eq(o->dist, "BIN7");
    ck_assert_str_eq(o->name, "the");
    punch(0xd, 1);
    ck_assert_str_eq(guest("CLOSE PUN"), ""); /* CONT: it goes on */
    ck_assert(spool_device_open(device(0xd), &id));
    guest("SPOOL PUN NOCONT CLOSE");
    ck_assert(!spool_device_open(device(0xd), &id));
    guest("SPOOL PUN SYSTEM FORM OFF DIST OFF NONAME");
    ck_assert_str_eq(o->form, "STANDARD");
    ck_assert(!*o->to && o->to_queue == SPOOL_PUN && !*o->name);
    guest("SPOOL RDR CLASS * CONT HOLD");
    ck_assert(spool_device_options(device(0xc))->cont);
    REFUSED(guest("SPOOL RDR COPY 3"), 3, "HCPCMD003E Invalid option - COPY");
    REFUSED(guest("SPOOL PUN CLASS *"), 28, "HCPCSP028E");
    REFUSED(guest("SPOOL 00F NOCONT"), 40, "HCPCSP040E Device 000F does not exist");
    REFUSED(guest("SPOOL XYZZY NOCONT"), 22, "HCPCSP022E");
    REFUSED(guest("SPOOL PUN"), 26, "HCPCMD026E");
    REFUSED(guest("SPOOL PUN NOCONT FROB"), 3, "HCPCMD003E Invalid option - FROB");
    guest("TAG DEV D node7 and more");
    ck_assert_str_eq(guest("TAG QUERY DEV PUN"), "node7 and more");
    id = reader_file("tagged");
    char command[32];
    snprintf(command, sizeof command, "TAG QUERY FILE %u", id);
    ck_assert_str_eq(guest(command), "node7 and more");
    REFUSED(guest("TAG FILE 9999 x"), 42, "HCPCSU042E");
}
END_TEST

/* The console's lines become records of a printer file; LOGOFF closes it. */
START_TEST(console_file)
{
    struct spool_data data;
    struct spool_place place = {0};
    struct spool_record r;
    struct spool_file *file = NULL;
    console_write_line(cp_user_console(cp_user_find(cps[0], "GUEST")), "before");
    ck_assert_ptr_nonnull(strstr(guest("QUERY CONSOLE"), "  TERM STOP|"));
    ck_assert_str_eq(guest("SPOOL CONSOLE START CLASS C"), "");
    const char *console = guest("QUERY CONSOLE");
    ck_assert_ptr_nonnull(strstr(console, "  TERM START|"));
    ck_assert_ptr_nonnull(
        strstr(console, " CL C NOCONT NOHOLD COPY 001    READY FORM STANDARD|"));
    ck_assert_ptr_nonnull(strstr(console, " 3215   NOEOF "));
    console_write_line(cp_user_console(cp_user_find(cps[0], "GUEST")), "HELLO");
    cp_poll_consoles(cps[0]);
    guest("LOGOFF");
    while ((file = spool_next(fake_spool, file)) && strcmp(spool_desc(file)->owner, "GUEST"))
        ;
    ck_assert_ptr_nonnull(file);
    ck_assert(spool_desc(file)->queue == SPOOL_PRT && spool_desc(file)->class_ == 'C');
    ck_assert_str_eq(spool_desc(file)->device, "CON");
    ck_assert_int_eq(spool_load(fake_spool, file, &data, NULL), ST_OK);
    ck_assert(spool_data_next(&data, &place, &r));
    ck_assert(r.command == 9 && r.len == 5 && !memcmp(r.bytes, "\xc8\xc5\xd3\xd3\xd6", 5));
    spool_data_fini(&data);
}
END_TEST

/* Real printers: the second member's, which hears of the spool last. */
static char list[64];

static void begin_printers(void)
{
    static char devices[512];
    strcpy(list, "/tmp/hyp_spool_cmd_XXXXXX");
    int fd = mkstemp(list);
    ck_assert_int_ge(fd, 0);
    close(fd);
    snprintf(devices, sizeof devices,
             "000E 1403 %s class=AB\n000F 3211 %s asa form=plain\n001D 3525 %s\n0100 3270\n",
             list, list, list);
    cp_world_devices = devices;
    begin();
    on(1, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "OPERATOR", "DRAIN UR"); /* the two share the spool */
    ck_assert_int_eq(resp.rc, 0);
}

static void end_printers(void)
{
    cp_world_teardown();
    cp_world_devices = "";
    unlink(list);
}

static const char *operator(const char *command)
{
    return on(1, "OPERATOR", command);
}

static void listed(const char *want)
{
    char text[256] = "";
    FILE *f = fopen(list, "r");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    ck_assert_str_eq(text, want);
}

/* As many as it takes: each is a timer. */
static void steps(void)
{
    for (unsigned i = 0; i < 10; i++)
        pass_time(1000);
}

START_TEST(real_printers)
{
    const char all[] = "PRT  000E STARTED CLASS AB       FORM STANDARD IDLE|"
                       "PRT  000F STARTED CLASS *        FORM PLAIN    IDLE|"
                       "PUN  001D STARTED CLASS *        FORM STANDARD IDLE";
    ck_assert_str_eq(operator("QUERY UR"), all);
    ck_assert_str_eq(operator("QUERY UR ALL"), all);
    ck_assert_str_eq(operator("QUERY 00E"),
                     "PRT  000E STARTED CLASS AB       FORM STANDARD IDLE");
    ck_assert_str_eq(operator("DRAIN 00E"),
                     "PRT  000E DRAINED CLASS AB       FORM STANDARD IDLE");
    punch(0xe, 1);
    guest("CLOSE PRT");
    steps();
    listed("");
    ck_assert_str_eq(guest("Q FILES"), "FILES:   NO RDR, 0001 PRT,   NO PUN");
    ck_assert_str_eq(operator("START 00E CLASS XYZ FORM STANDARD"),
                     "PRT  000E STARTED CLASS XYZ      FORM STANDARD IDLE");
    steps();
    listed("");
    operator("START UR CLASS *");
    steps();
    listed("AB\n");
    ck_assert_str_eq(guest("Q FILES"), "FILES:   NO RDR,   NO PRT,   NO PUN");
    punch(0xe, 1);
    guest("CLOSE PRT HOLD");
    steps();
    listed("AB\n");
    guest("CHANGE PRT ALL NOHOLD"); /* news for the printer */
    steps();
    listed("AB\n\fAB\n");
    REFUSED(operator("FLUSH 00E"), 46, "HCPUNR046E Device 000E has no file");
    REFUSED(operator("FLUSH 00E NOW"), 3, "HCPCMD003E");
    REFUSED(operator("BACKSPACE 00E 2"), 46, "HCPUNR046E");
    REFUSED(operator("BACKSPACE 00E BACK"), 3, "HCPCMD003E");
    REFUSED(operator("START 00E CLASS AA"), 28, "HCPCSP028E");
    REFUSED(operator("START 00E WITH"), 3, "HCPCMD003E");
    REFUSED(operator("START"), 26, "HCPCMD026E");
    REFUSED(operator("START XYZ"), 22, "HCPUNR022E");
    REFUSED(operator("DRAIN 0FE"), 40, "HCPQRD040E");
    REFUSED(operator("DRAIN 100"), 6, "HCPUNR006E Invalid device type - 100");
    guest("START 00E");
    ck_assert_int_eq(resp.rc, 1); /* not for class G */
}
END_TEST

/* System hold, by HOLD and by CHANGE: nothing comes out before FREE and NOSYSHOLD. */
START_TEST(held_from_printers)
{
    punch(0xe, 1);
    guest("CLOSE PRT HOLD");
    ck_assert_str_eq(operator("HOLD GUEST PRT"), "0000001 FILE HELD");
    guest("CHANGE PRT ALL NOHOLD");
    operator("START UR CLASS *");
    steps();
    listed("");
    ck_assert_str_eq(operator("FREE GUEST PRT"), "0000001 FILE FREED");
    steps();
    listed("AB\n");
    punch(0xe, 1);
    guest("CLOSE PRT HOLD");
    ck_assert_str_eq(operator("CHANGE GUEST PRT ALL SYSHOLD"), "0000001 FILE CHANGED");
    guest("CHANGE PRT ALL NOHOLD");
    steps();
    listed("AB\n");
    operator("CHANGE GUEST PRT ALL NOSYSHOLD");
    steps();
    listed("AB\n\fAB\n");
    ck_assert_str_eq(guest("Q FILES"), "FILES:   NO RDR,   NO PRT,   NO PUN");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_spool_cmd");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, begin, cp_world_teardown);
    tcase_add_test(tc, close_and_columns);
    tcase_add_test(tc, to_another_user);
    tcase_add_test(tc, change_order_purge);
    tcase_add_test(tc, system_hold);
    tcase_add_test(tc, conflicting_options);
    tcase_add_test(tc, spool_options);
    tcase_add_test(tc, console_file);
    suite_add_tcase(suite, tc);
    TCase *printers = tcase_create("printers");
    tcase_add_checked_fixture(printers, begin_printers, end_printers);
    tcase_add_test(printers, real_printers);
    tcase_add_test(printers, held_from_printers);
    suite_add_tcase(suite, printers);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
