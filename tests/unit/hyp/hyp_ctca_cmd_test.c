/* CP's commands about channel-to-channel adapters, on one member and over two whose link is lost,
 * deaf, or brings what makes no sense; pairs and who is told when a side goes. The adapters are
 * real (tests/lib/cp_world_ctca.c). */
#include <stdlib.h>

#include "hyp/cp/cp_ctca.h"
#include "tests/lib/cp_world.h"

#define WRITE 0x01
#define READ 0x02
#define NOP 0x03
#define EXTENDED 0xc3
#define NORMAL 0x0c

static void setup(void)
{
    cp_world_users = "USER CTC1 PASS 64M 64M G\n CONSOLE 9 3215\n SPECIAL 500 CTCA\n"
                     " SPECIAL 501 3088 CTC2\n SPECIAL 502 SCTC *\n"
                     "USER CTC2 PASS 64M 64M G\n CONSOLE 9 3215\n SPECIAL 600 CTCA\n"
                     " SPECIAL 602 CNC CTC1\n";
    cp_world_setup();
}

static void teardown(void)
{
    cp_world_teardown();
    cp_world_users = "";
}

static void take_status(const char *user, u16 vdev)
{
    while (ctca_status(user, vdev, NULL) >= 0)
        continue;
}

static void logon(int member2)
{
    on(0, "OPERATOR", "XAUTOLOG CTC1");
    on(member2, "OPERATOR", "XAUTOLOG CTC2");
    while (run_notes())
        continue;
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "CTC1"));
    ck_assert_ptr_nonnull(cp_user_find(cps[member2], "CTC2"));
}

#define SAYS(member, user, command, line) ck_assert_str_eq(on(member, user, command), line)

/* A block goes over and comes back. */
static void talk(const char *from, u16 vdev, const char *to, u16 vdev2)
{
    for (unsigned i = 0; i < 2; i++) {
        ctca_start(from, vdev, WRITE, "a block");
        take_status(to, vdev2); /* attention */
        ctca_start(to, vdev2, READ, "");
        ck_assert_int_eq(ctca_status(to, vdev2, NULL), NORMAL);
        ck_assert_int_eq(ctca_status(from, vdev, NULL), NORMAL);
        ck_assert_str_eq(ctca_text(to, vdev2), "a block");
        const char *user = from;
        u16 device = vdev;
        from = to, vdev = vdev2, to = user, vdev2 = device;
    }
}

START_TEST(define_and_query)
{
    logon(0);
    SAYS(0, "CTC1", "QUERY VIRTUAL CTCA",
         "CTCA 0500 NOT COUPLED 3088 SUBCHANNEL = 0000|"
         "CTCA 0501 NOT COUPLED 3088 SUBCHANNEL = 0001|"
         "CTCA 0502 NOT COUPLED SCTC SUBCHANNEL = 0002");
    SAYS(0, "CTC2", "DEFINE CTCA 700", "CTCA 0700 DEFINED");
    SAYS(0, "CTC2", "DEFINE FCTC AS 701 USER *", "FCTC 0701 DEFINED");
    REFUSED(on(0, "CTC2", "DEFINE CTCA 700"), 92, "HCPDEF092E");
    REFUSED(on(0, "CTC2", "DEFINE CTCA"), 22, "HCPDEF022E");
    REFUSED(on(0, "CTC2", "DEFINE CTCA XYZ"), 22, "HCPDEF022E");
    REFUSED(on(0, "CTC2", "DEFINE CTCA 702 USER"), 26, "HCPCMD026E");
    REFUSED(on(0, "CTC2", "DEFINE CTCA 702 CTC1"), 3, "HCPCMD003E");
    SAYS(0, "CTC2", "DETACH 700-701", "CTCA 0700 DETACHED|CTCA 0701 DETACHED");
    REFUSED(on(0, "CTC2", "QUERY VIRTUAL 700"), 40, "HCPQVD040E");
    SAYS(0, "CTC2", "DETACH 600", "CTCA 0600 DETACHED");
    SAYS(0, "CTC2", "DETACH 602", "CTCA 0602 DETACHED");
    REFUSED(on(0, "CTC2", "QUERY VIRTUAL CTCA"), 40, "HCPQVD040E");
}
END_TEST

/* What may be coupled is the same on one member and over two (loop: member of CTC2). */
START_TEST(who_may_couple)
{
    logon(_i);
    REFUSED(on(0, "CTC1", "COUPLE 500"), 26, "HCPCMD026E");
    REFUSED(on(0, "CTC1", "COUPLE 500 TO CTC2"), 22, "HCPCPL022E");
    REFUSED(on(0, "CTC1", "COUPLE 500 CTC2 600 601"), 3, "HCPCMD003E");
    REFUSED(on(0, "CTC1", "COUPLE 500 NOBODY 600"), 45, "HCPCPL045E NOBODY");
    REFUSED(on(0, "CTC1", "COUPLE 500 CTC2 777"), 47, "HCPCPL047E CTC2 0777");
    REFUSED(on(0, "CTC1", "COUPLE 501 NOBODY 600"), 2793, "HCPCPL2793E");
    REFUSED(on(0, "CTC1", "COUPLE 502 CTC2 602"), 2793, "HCPCPL2793E"); /* is its own alone */
    REFUSED(on(0, "CTC1", "COUPLE 500 CTC2 602"), 2794, "HCPCPL2794E CTCA 0500");
    REFUSED(on(0, "CTC1", "COUPLE 500 * 500"), 2795, "HCPCPL2795E");
    REFUSED(on(0, "CTC1", "UNCOUPLE 500"), 2796, "HCPCPL2796E");
    SAYS(_i, "CTC2", "DEFINE CTCA 700 USER OPERATOR", "CTCA 0700 DEFINED");
    REFUSED(on(0, "CTC1", "COUPLE 500 CTC2 700"), 2793, "HCPCPL2793E CTCA CTC2 0700");
    SAYS(0, "CTC1", "COUPLE 500 TO CTC2 600", "CTCA 0500 COUPLED TO CTC2 0600");
    ck_assert(console_has(_i, "CTC2", "CTCA 0600 COUPLED BY CTC1 0500"));
    REFUSED(on(0, "CTC1", "COUPLE 501 CTC2 600"), 2795, "HCPCPL2795E CTCA CTC2 0600");
    SAYS(0, "CTC1", "QUERY VIRTUAL 500",
         "CTCA 0500 COUPLED TO CTC2     0600 3088 SUBCHANNEL = 0000");
    SAYS(_i, "CTC2", "QUERY VIRTUAL 600",
         "CTCA 0600 COUPLED TO CTC1     0500 3088 SUBCHANNEL = 0000");
    talk("CTC1", 0x500, "CTC2", 0x600);
    SAYS(0, "CTC1", "COUPLE 500 CTC2 600",
         "CTCA 0500 DROP FROM CTC2 0600|CTCA 0500 COUPLED TO CTC2 0600");
    talk("CTC2", 0x600, "CTC1", 0x500);
    SAYS(_i, "CTC2", "UNCOUPLE 600", "CTCA 0600 DROP FROM CTC1 0500");
    ck_assert(console_has(0, "CTC1", "CTCA 0500 DROP BY CTC2 0600"));
    SAYS(0, "CTC1", "QUERY VIRTUAL 500", "CTCA 0500 NOT COUPLED 3088 SUBCHANNEL = 0000");
    SAYS(_i, "CTC2", "COUPLE 600 CTC1 500", "CTCA 0600 COUPLED TO CTC1 0500");
    talk("CTC1", 0x500, "CTC2", 0x600);
}
END_TEST

START_TEST(two_of_ones_own)
{
    logon(0);
    SAYS(0, "CTC1", "DEFINE CTCA 503", "CTCA 0503 DEFINED");
    SAYS(0, "CTC1", "COUPLE 500 * 503", "CTCA 0500 COUPLED TO CTC1 0503");
    talk("CTC1", 0x500, "CTC1", 0x503);
    SAYS(0, "CTC1", "DETACH 503", "CTCA 0503 DROP FROM CTC1 0500|CTCA 0503 DETACHED");
    SAYS(0, "CTC1", "DEFINE CNC 504", "CNC 0504 DEFINED");
    SAYS(0, "CTC1", "COUPLE 502 * 504", "CTCA 0502 COUPLED TO CTC1 0504");
}
END_TEST

/* CTC1 waits in extended mode: it is told when the other side goes, whatever the way. */
static void wait_for_ctc2(void)
{
    SAYS(0, "CTC1", "COUPLE 500 CTC2 600", "CTCA 0500 COUPLED TO CTC2 0600");
    for (unsigned i = 0; i < 2; i++) {
        take_status("CTC2", 0x600);
        ctca_start("CTC2", 0x600, NOP, NULL);
        take_status("CTC2", 0x600);
        take_status("CTC1", 0x500);
        ctca_start("CTC1", 0x500, EXTENDED, NULL);
        take_status("CTC1", 0x500);
    }
    ctca_start("CTC1", 0x500, READ, "");
    ck_assert_int_eq(ctca_status("CTC1", 0x500, NULL), -1);
}

static void told_gone(void)
{
    u8 sense = 0;
    int status = ctca_status("CTC1", 0x500, &sense);
    ck_assert_int_eq(status, 0x0e);
    ck_assert_uint_eq(sense, 0x41);
    SAYS(0, "CTC1", "QUERY VIRTUAL 500", "CTCA 0500 NOT COUPLED 3088 SUBCHANNEL = 0000");
}

START_TEST(a_side_goes)
{
    logon(_i);
    wait_for_ctc2();
    SAYS(_i, "CTC2", "DETACH 600", "CTCA 0600 DROP FROM CTC1 0500|CTCA 0600 DETACHED");
    told_gone();
    SAYS(_i, "CTC2", "DEFINE CTCA 600", "CTCA 0600 DEFINED");
    wait_for_ctc2();
    on(_i, "OPERATOR", "FORCE CTC2");
    while (run_notes())
        continue;
    ck_assert_ptr_null(cp_user_find(cps[_i], "CTC2"));
    told_gone();
    ck_assert(console_has(0, "CTC1", "CTCA 0500 DROP BY CTC2 0600"));
}
END_TEST

/* The one who asked, and the one who was asked, lose the link. */
START_TEST(the_link_is_lost)
{
    logon(1);
    wait_for_ctc2();
    on(0, "OPERATOR", "LOGON");
    link_up = false;
    cp_remote_lost(cps[0], "MEMBERB");
    cp_remote_lost(cps[1], "MEMBERA");
    told_gone();
    SAYS(1, "CTC2", "QUERY VIRTUAL 600", "CTCA 0600 NOT COUPLED 3088 SUBCHANNEL = 0000");
    ck_assert(console_has(0, "CTC1", "CTCA 0500 DROP FROM CTC2 0600"));
    ck_assert(console_has(1, "CTC2", "CTCA 0600 DROP FROM CTC1 0500"));
    REFUSED(on(0, "CTC1", "COUPLE 500 CTC2 600"), 2797, "HCPCPL2797E CTCA 0500");
    link_up = true;
    SAYS(1, "CTC2", "COUPLE 600 CTC1 500", "CTCA 0600 COUPLED TO CTC1 0500");
}
END_TEST

/* A message that cannot be sent ends the pair, too. */
START_TEST(a_message_is_refused)
{
    logon(1);
    wait_for_ctc2();
    link_up = false;
    ctca_clear("CTC1", 0x500);
    ck_assert_int_eq(ctca_status("CTC1", 0x500, NULL), 0);
    SAYS(0, "CTC1", "QUERY VIRTUAL 500", "CTCA 0500 NOT COUPLED 3088 SUBCHANNEL = 0000");
}
END_TEST

/* The other member takes what is asked, and never answers. */
START_TEST(nobody_answers)
{
    struct cp_response late;
    cp_response_init(&late);
    logon(1);
    link_deaf = true;
    ck_assert_int_eq(cp_command(cps[0], "CTC1", "COUPLE 500 CTC2 600", &late), CP_PENDING);
    pass_time(CP_REMOTE_TIMEOUT_MS + 1);
    ck_assert(late.done);
    ck_assert_int_eq(late.rc, 2797);
    cp_response_fini(&late);
    cp_response_init(&late);
    ck_assert_int_eq(cp_command(cps[0], "CTC1", "COUPLE 500 CTC2 600", &late), CP_PENDING);
    link_deaf = false;
    cp_remote_lost(cps[0], "MEMBERB");
    ck_assert(late.done);
    cp_response_fini(&late);
    SAYS(0, "CTC1", "COUPLE 500 CTC2 600", "CTCA 0500 COUPLED TO CTC2 0600");
}
END_TEST

/* Whoever goes while the answer is not there. */
START_TEST(the_asker_goes)
{
    struct cp_response late;
    cp_response_init(&late);
    logon(1);
    link_deaf = true;
    ck_assert_int_eq(cp_command(cps[0], "CTC1", "COUPLE 500 CTC2 600", &late), CP_PENDING);
    link_deaf = false;
    on(0, "OPERATOR", "FORCE CTC1");
    while (run_notes())
        continue;
    ck_assert(late.done);
    cp_response_fini(&late);
}
END_TEST

/* --- what a member may be sent --------------------------------------------------------------- */

static u64 noise(void)
{
    static u64 seed = 88172645463325252ull;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* Rows of the protocol with values of all kinds, and bytes that are none. */
START_TEST(messages_of_a_hostile_member)
{
    logon(1);
    SAYS(0, "CTC1", "COUPLE 500 CTC2 600", "CTCA 0500 COUPLED TO CTC2 0600");
    for (unsigned i = 0; i < 20000; i++) {
        struct codec_out out;
        u8 junk[64];
        codec_out_init(&out);
        for (size_t k = 0; k < sizeof junk; k++)
            junk[k] = (u8)noise();
        for (unsigned n = (unsigned)(noise() % 10); n; n--) {
            u16 tag = (u16)(CODEC_MANDATORY | noise() % 11);
            switch (noise() % 4) {
            case 0: codec_put_u32(&out, tag, (u32)(noise() % 4 ? noise() % 3 : noise())); break;
            case 1: codec_put_u8(&out, tag, (u8)(noise() % 9)); break;
            case 2: codec_put_bytes(&out, tag, noise() % 2 ? "CTC2" : "CTC1", 4); break;
            default:
                junk[0] %= 11;
                codec_put_bytes(&out, tag, junk, noise() % sizeof junk);
                break;
            }
        }
        cp_ctc_receive(cps[1], "MEMBERA", (u16)(CP_CTC_TYPES + noise() % 5), out.data,
                       noise() % 8 ? out.len : noise() % (out.len + 1));
        codec_out_fini(&out);
        while (run_notes())
            continue;
    }
    on(0, "CTC1", "UNCOUPLE 500");
    on(1, "CTC2", "UNCOUPLE 600");
    on(1, "CTC2", "UNCOUPLE 602");
    while (run_notes())
        continue;
    SAYS(0, "CTC1", "COUPLE 500 CTC2 600", "CTCA 0500 COUPLED TO CTC2 0600");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_ctca_cmd");
    TCase *tc = tcase_create("ctca");
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, define_and_query);
    tcase_add_loop_test(tc, who_may_couple, 0, 2);
    tcase_add_test(tc, two_of_ones_own);
    tcase_add_loop_test(tc, a_side_goes, 0, 2);
    tcase_add_test(tc, the_link_is_lost);
    tcase_add_test(tc, a_message_is_refused);
    tcase_add_test(tc, nobody_answers);
    tcase_add_test(tc, the_asker_goes);
    tcase_add_test(tc, messages_of_a_hostile_member);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
