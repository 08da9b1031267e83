/* DIAGNOSE codes that ask CP about the user or his disks: X'08' with several commands, X'54',
 * X'5C', X'E4', X'26C', and of X'14' what waits for the cluster. What CP answers is
 * unit/hyp_disk_test, what files say scenario/cp_diag14.
 * Run alone: tests/run unit/hyp_diag_user_test */
#include <stdlib.h>

#include "io/ebcdic.h"
#include "ssi/ssi.h"
#include "tests/lib/diag_machine.h"

/* ---- X'08' ---- */

#define RESPONSE_AT 0x6000
#define RESPONSE 0x40000000u

/* Commands with | between them; what is in the response buffer, or NULL without one. */
static const char *issue(const char *text, u32 room)
{
    static char response[256];
    u8 out[128];
    size_t n = ebcdic_from_utf8(EBCDIC_037, text, strlen(text), out, sizeof out);
    for (size_t i = 0; i < n; i++)
        out[i] = text[i] == '|' ? 0x15 : out[i];
    bool later = commands.later;
    memset(&commands, 0, sizeof commands);
    commands.later = later;
    load(0x08);
    put(DATA_AT, out, n);
    *gr(RX) = DATA_AT;
    *gr(RX + 1) = RESPONSE_AT;
    *gr(RY) = n | (room ? RESPONSE : 0);
    *gr(RY + 1) = room;
    unsigned cc = run();
    u32 len = (u32)*gr(RY + 1);
    if (!room || cc)
        return NULL;
    response[ebcdic_to_utf8(EBCDIC_037, got(RESPONSE_AT), len, response)] = 0;
    for (char *p = response; *p; p++)
        *p = *p == '\n' ? '|' : *p;
    return response;
}

/* One after another; all that they answer comes back. _i: are they answered later? */
START_TEST(several_commands)
{
    commands.later = _i;
    ck_assert_str_eq(issue("Q TIME|Q USERID|SET X", 200), "<Q TIME>|<Q USERID>|<SET X>|");
    ck_assert_uint_eq((u32)*gr(RY), 0);
    ck_assert_uint_eq(commands.count, 3);
    ck_assert_str_eq(issue("Q TIME", 200), "<Q TIME>|");
    ck_assert_str_eq(issue("Q TIME|", 200), "<Q TIME>|");
    ck_assert_ptr_null(issue("A|B|C", 0));
    ck_assert_uint_eq(commands.count, 3);
}
END_TEST

/* The first that fails is the last. */
START_TEST(a_command_that_fails_ends_them)
{
    commands.later = _i;
    ck_assert_str_eq(issue("A|!B|C", 200), "<A>|<!B>|");
    ck_assert_uint_eq((u32)*gr(RY), 99);
    ck_assert_uint_eq(commands.count, 2);
    ck_assert_ptr_null(issue("A|B|C", 6)); /* no room: how many bytes did not fit */
    ck_assert_uint_eq((u32)*gr(RY + 1), 6);
}
END_TEST

/* ---- X'54', X'5C' ---- */

START_TEST(nothing_for_the_pa2_key)
{
    ck_assert_uint_eq(diag(0x54, 1, 0, 0, 0), 0);
    ck_assert_uint_eq(*gr(RX), 1);
}
END_TEST

/* The message is edited as SET EMSG has it; what is to be shown comes back. */
static void edited(enum vm_emsg emsg, const char *message, const char *want)
{
    u8 text[64];
    char shown[128] = "";
    size_t n = ebcdic_from_utf8(EBCDIC_037, message, strlen(message), text, sizeof text);
    user_settings.emsg = emsg;
    load(0x5c);
    put(DATA_AT, text, n);
    *gr(RX) = DATA_AT;
    *gr(RY) = 0xabcd00000000ull | n;
    run();
    u32 len = (u32)*gr(RY);
    ck_assert_uint_le(len, n);
    ck_assert_uint_eq(*gr(RY) >> 32, 0xabcd);
    shown[ebcdic_to_utf8(EBCDIC_037, got(*gr(RX)), len, shown)] = 0;
    ck_assert_str_eq(shown, want);
}

START_TEST(error_messages_are_edited)
{
    edited(VM_EMSG_ON, "DMSXXX002E File not found", "DMSXXX002E File not found");
    edited(VM_EMSG_CODE, "DMSXXX002E File not found", "DMSXXX002E");
    edited(VM_EMSG_TEXT, "DMSXXX002E File not found", "File not found");
    edited(VM_EMSG_OFF, "DMSXXX002E File not found", "");
    edited(VM_EMSG_CODE, "HCPXXX6002E File not found", "HCPXXX6002E");
    edited(VM_EMSG_TEXT, "HCPXXX6002E File not found", "File not found");
    edited(VM_EMSG_TEXT, "DMSXXX002E", "");
    edited(VM_EMSG_TEXT, "short", "short");
    edited(VM_EMSG_CODE, "short", "short");
}
END_TEST

/* A message that is nowhere has no number. */
START_TEST(a_message_outside_storage)
{
    user_settings.emsg = VM_EMSG_CODE;
    diag(0x5c, STORAGE_BYTES, 0, 20, 0);
    ck_assert_uint_eq(*gr(RY), 20);
}
END_TEST

/* ---- X'E4' ---- */

#define LIST_BYTES 48
static u8 list[LIST_BYTES];

static unsigned ask(u8 function, u8 length, u16 vdev, const char *user)
{
    memset(list, 0, sizeof list);
    be16_store(list, 0xe4);
    list[2] = function;
    list[3] = length;
    be16_store(list + 4, vdev);
    ebcdic_pad(user, 8, list + 8);
    load(0xe4);
    put(DATA_AT, list, sizeof list);
    *gr(RX) = DATA_AT;
    *gr(RY) = 0xdead;
    return run();
}

static const char *text_at(u64 at, size_t n)
{
    static char text[64];
    text[ebcdic_to_utf8(EBCDIC_037, got(at), n, text)] = 0;
    return text;
}

START_TEST(where_a_minidisk_is)
{
    minidisk.how = VM_MINIDISK_FOUND;
    minidisk.answer = (struct vm_minidisk){.volid = "VOL001",
                                           .rdev = 0x201,
                                           .start = 11,
                                           .count = 10,
                                           .owner = "OWNER",
                                           .owner_vdev = 0x191};
    ck_assert_uint_eq(ask(1, LIST_BYTES, 0x291, "OTHER"), 0);
    ck_assert_uint_eq((u32)*gr(RY), 0);
    ck_assert_str_eq(minidisk.asked.user, "OTHER");
    ck_assert_uint_eq(minidisk.asked.vdev, 0x291);
    ck_assert(minidisk.asked.directory);
    ck_assert_str_eq(text_at(DATA_AT + 16, 6), "VOL001");
    ck_assert_uint_eq(be16_load(got(DATA_AT + 22)), 0x201);
    ck_assert_uint_eq(be32_load(got(DATA_AT + 24)), 11);
    ck_assert_uint_eq(be32_load(got(DATA_AT + 28)), 10);
    ck_assert_uint_eq(*got(DATA_AT + 32), 0x20);
    ck_assert_uint_eq(be16_load(got(DATA_AT + 34)), 0x191);
    ck_assert_str_eq(text_at(DATA_AT + 40, 8), "OWNER   ");
    minidisk.answer.dedicated = true;
    ck_assert_uint_eq(ask(0, LIST_BYTES, 0x291, ""), 0);
    ck_assert_str_eq(minidisk.asked.user, "");
    ck_assert(!minidisk.asked.directory);
    ck_assert_uint_eq(*got(DATA_AT + 32), 0x80);
    minidisk.answer.dedicated = false;
    minidisk.answer.full_pack = minidisk.answer.by_devno = true;
    ck_assert_uint_eq(ask(0, LIST_BYTES, 0x291, ""), 0);
    ck_assert_uint_eq(*got(DATA_AT + 32), 0x50);
}
END_TEST

START_TEST(minidisks_that_are_not_told)
{
    minidisk.how = VM_MINIDISK_NOT_ALLOWED;
    ck_assert_uint_eq(ask(1, LIST_BYTES, 0x291, "OTHER"), 1);
    ck_assert_uint_eq((u32)*gr(RY), 4);
    ck_assert_uint_eq(*got(DATA_AT + 32), 0);
    minidisk.how = VM_MINIDISK_NO_DISK;
    ck_assert_uint_eq(ask(1, LIST_BYTES, 0x291, "OTHER"), 1);
    ck_assert_uint_eq((u32)*gr(RY), 16);
    ck_assert_uint_eq(ask(2, LIST_BYTES, 0x291, "OTHER"), PGM(SPECIFICATION));
    ck_assert_uint_eq(ask(0, LIST_BYTES - 8, 0x291, "OTHER"), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0xe4, DATA_AT + 4, 0, 0, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0xe4, STORAGE_BYTES, 0, 0, 0), PGM(ADDRESSING));
}
END_TEST

/* ---- X'26C' ---- */

#define ANSWER_AT 0x7000
#define VERSION 0x00020006u

/* A request about a device; the return code. */
static u32 ask_nic(u32 subcode, u16 format, u16 devno, const char *user, u32 room)
{
    u8 q[24] = {0}, none[256];
    memset(none, 0xee, sizeof none);
    be32_store(q, room);
    be32_store(q + 4, VERSION);
    be16_store(q + 8, format);
    if (subcode == 0x30) {
        be16_store(q + 10, devno);
    } else {
        ebcdic_pad(user, 8, q + 12);
        be16_store(q + 22, devno);
    }
    load(0x26c);
    put(DATA_AT, q, sizeof q);
    put(ANSWER_AT, none, sizeof none);
    *gr(RX) = DATA_AT;
    *gr(RX + 1) = ANSWER_AT;
    *gr(RY) = subcode;
    *gr(RY + 1) = 0xdead;
    run();
    return (u32)*gr(RY + 1);
}

START_TEST(an_adapter)
{
    the_nic = (struct vm_nic_place){.base = 0x600,
                                    .owner = "SYSTEM",
                                    .lan = "VSW1",
                                    .layer = 2,
                                    .port = 7,
                                    .mac = {2, 0, 0, 0, 0, 9}};
    ck_assert_uint_eq(ask_nic(0x24, 2, 0x601, "TESTER", 152), 0);
    ck_assert_uint_eq(be32_load(got(ANSWER_AT)), VERSION);
    ck_assert_uint_eq(be32_load(got(ANSWER_AT + 4)), 1);
    ck_assert_str_eq(text_at(ANSWER_AT + 12, 8), "TESTER  ");
    ck_assert_uint_eq(be16_load(got(ANSWER_AT + 20)), 0x601);
    ck_assert_str_eq(text_at(ANSWER_AT + 24, 16), "SYSTEM  VSW1    ");
    ck_assert_uint_eq(*got(ANSWER_AT + 49) & 3, 2);
    ck_assert_uint_eq(be16_load(got(ANSWER_AT + 50)), 0x600);
    ck_assert_uint_eq(be32_load(got(ANSWER_AT + 52)), 7);
    ck_assert_uint_eq(*got(ANSWER_AT + 152), 0xee);
    the_nic.layer = 3;
    ck_assert_uint_eq(ask_nic(0x24, 2, 0x600, "TESTER", 200), 0);
    ck_assert_uint_eq(*got(ANSWER_AT + 49) & 3, 1);
    the_nic.layer = 0;
    ck_assert_uint_eq(ask_nic(0x24, 2, 0x600, "TESTER", 152), 0);
    ck_assert_uint_eq(*got(ANSWER_AT + 49) & 3, 0);
    ck_assert_uint_eq(ask_nic(0x24, 2, 0x603, "TESTER", 152), 4);
    ck_assert_uint_eq(ask_nic(0x24, 2, 0x600, "TESTER", 151), 8);
    ck_assert_uint_eq(*got(ANSWER_AT), 0xee);
    ck_assert_uint_eq(ask_nic(0x24, 2, 0x600, "OTHER", 152), 12);
    ck_assert_uint_eq(ask_nic(0x24, 1, 0x600, "TESTER", 152), 12);
    ck_assert_uint_eq(ask_nic(0x30, 0, 0x600, "", 12), 0);
    ck_assert_mem_eq(got(ANSWER_AT + 4), the_nic.mac, 6);
    ck_assert_uint_eq(ask_nic(0x30, 0, 0x700, "", 12), 4);
    ck_assert_uint_eq(ask_nic(0x30, 0, 0x600, "", 11), 8);
    ck_assert_uint_eq(ask_nic(0x30, 1, 0x600, "", 12), 12);
    ck_assert_uint_eq(diag(0x26c, DATA_AT, 0, 0x25, 0), PGM(SPECIFICATION));
    ck_assert_uint_eq(diag(0x26c, STORAGE_BYTES, 0, 0x24, 0), PGM(ADDRESSING));
}
END_TEST

/* ---- X'14' while the cluster is In-flux ---- */

#define NEXT_PRINT 0x004
#define SELECT_FILE 0x00c
#define SET_COPIES 0x010
#define RESTART 0x014
#define TURNS 200

/* The program runs until it can go on no further. */
static void begin_14(u16 subcode)
{
    load(0x14);
    *gr(RX) = DATA_AT;
    *gr(RY) = 0x00c;
    *gr(RY + 1) = subcode;
    for (unsigned i = 0; i < TURNS && vm_state(vm) != VM_DISABLED_WAIT; i++) {
        vm_host_run(host);
        run_notes();
    }
}

/* As ssi_hold_go does it. */
static void flux_ends(void)
{
    struct ssi_held *held = cluster.held;
    cluster.flux = false;
    cluster.held = NULL;
    held->go(held->ctx);
}

/* What changes files that other members see, too, is answered when In-flux is over (there is no
 * reader: condition code 3), once. */
START_TEST(files_of_the_cluster_wait)
{
    cluster.flux = true;
    begin_14(_i ? SET_COPIES : SELECT_FILE);
    ck_assert_ptr_nonnull(cluster.held);
    ck_assert_int_ne(vm_state(vm), VM_DISABLED_WAIT);
    flux_ends();
    ck_assert_uint_eq(run(), 3);
    ck_assert_ptr_null(cluster.held);
}
END_TEST

START_TEST(looking_at_files_does_not_wait)
{
    static const u16 subcodes[] = {NEXT_PRINT, RESTART};
    cluster.flux = true;
    begin_14(subcodes[_i]);
    ck_assert_ptr_null(cluster.held);
    ck_assert_uint_eq(run(), 3);
}
END_TEST

/* The answer comes to nobody, and what waited is freed. */
START_TEST(a_machine_that_is_reset_gets_no_answer)
{
    cluster.flux = true;
    begin_14(SELECT_FILE);
    ck_assert_ptr_nonnull(cluster.held);
    cluster.flux = false;
    ck_assert_uint_eq(diag(0x44, 0, 0, 0, 0), 0); /* IPLed anew */
    u64 before = *gr(CC_REGISTER);
    flux_ends();
    ck_assert_int_eq(vm_state(vm), VM_DISABLED_WAIT);
    ck_assert_uint_eq(*gr(CC_REGISTER), before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_diag_user");
    TCase *tc = tcase_create("codes");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, an_adapter);
    tcase_add_loop_test(tc, several_commands, 0, 2);
    tcase_add_loop_test(tc, a_command_that_fails_ends_them, 0, 2);
    tcase_add_test(tc, nothing_for_the_pa2_key);
    tcase_add_test(tc, error_messages_are_edited);
    tcase_add_test(tc, a_message_outside_storage);
    tcase_add_loop_test(tc, files_of_the_cluster_wait, 0, 2);
    tcase_add_loop_test(tc, looking_at_files_does_not_wait, 0, 2);
    tcase_add_test(tc, a_machine_that_is_reset_gets_no_answer);
    tcase_add_test(tc, where_a_minidisk_is);
    tcase_add_test(tc, minidisks_that_are_not_told);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
