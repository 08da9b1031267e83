/* Service LINK on a simulated cluster: what two members tell each other of their links, at once and
 * at a join, also of whole volumes; a link that writes waits for the answer, also of a member that
 * is lost meanwhile or ends; nothing is cached while one is out of touch; any bytes as messages.
 * Run alone: tests/run unit/hyp_link_ssi_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_link_ssi.h"
#include "tests/lib/cp_images.h"
#include "tests/lib/sim_until.h"

#define LIMIT_MS 60000
#define DEAF_MS 15000 /* of cp_link_ssi.c */

static struct ssi_sim *sim;
static struct ssi *ssis[2];
static bool joined[2];
static struct cause cause;

static const char users[] =
    "USER OWNER PW 64M 64M G\n MDISK 200 3390 1 2 VOL001 MR ALL ALL ALL\n"
    "USER HOLDS PW 64M 64M G\n OPTION LNKNOPAS\nUSER WANTS PW 64M 64M G\n OPTION LNKNOPAS\n";

static void setup(void)
{
    static char devices[128];
    images_begin();
    image_make("one", IMAGE_CKD, 4, "VOL001");
    snprintf(devices, sizeof devices, "200 3390 %s/one\n", images_dir);
    cp_world_users = users;
    cp_world_devices = devices;
    cp_world_setup();
    sim = ssi_sim_create(1);
    ck_assert_ptr_nonnull(sim);
    on(0, "", "LOGON HOLDS PW");
    on(1, "", "LOGON WANTS PW");
}

static void teardown(void)
{
    for (int i = 0; i < 2; i++) {
        cp_link_ssi_destroy(cps[i]->link_ssi);
        cps[i]->link_ssi = NULL;
        joined[i] = false;
    }
    ssi_sim_destroy(sim);
    images_end();
}

static void on_joined(void *ctx, int status, const struct cause *why)
{
    ck_assert_msg(status == ST_OK, "%s", why->text);
    *(bool *)ctx = true;
}

#define UNTIL(cond) SIM_UNTIL(sim, LIMIT_MS, cond)

static unsigned known_members(int i)
{
    char names[SSI_SLOTS_MAX][SSI_NAME_BYTES];
    return ssi_members(ssis[i], names);
}

static void starts(int i, bool repair)
{
    struct ssi_config config;
    ssi_sim_config(&config, (unsigned)i, 2);
    config.repair = repair;
    ssis[i] = ssi_sim_start(sim, &config, (unsigned)i, &cause);
    ck_assert_ptr_nonnull(ssis[i]);
    cps[i]->link_ssi = cp_link_ssi_create(cps[i], ssis[i], &cause);
    ck_assert_msg(cps[i]->link_ssi != NULL, "%s", cause.text);
    ssi_join(ssis[i], on_joined, &joined[i]);
    UNTIL(joined[i]);
}

static void joins(int i)
{
    starts(i, false);
    UNTIL(!joined[!i] || (ssi_member_state(ssis[0], "M1") == SSI_JOINED &&
                          ssi_mode(ssis[0]) == SSI_MODE_STABLE && known_members(0) == 1));
    cp_links_join(cps[i]);
}

/* The simulated PDR may be locked by the other member just now; here nobody waits for it. */
static void links(int i, const char *command)
{
    for (int k = 0; k < 2; k++)
        UNTIL(!ssi_sim_member(sim, (unsigned)k) || !ssi_owes(ssis[k])); /* DETACH is over */
    UNTIL((on(i, i ? "WANTS" : "HOLDS", command),
           !resp.line_count || !strstr(resp.lines[0], "is locked")));

    ck_assert_msg(!resp.rc, "%s: %s", command, resp.lines[0]);
}

static const struct vlink *link_of(int i)
{
    return link_find(cp_rdevs(cps[i]), i ? "WANTS" : "HOLDS", 0x300);
}

static unsigned known(int i)
{
    unsigned n = 0;
    for (const struct remote_link *m = remote_link_next(cp_rdevs(cps[i]), NULL); m;
         m = remote_link_next(cp_rdevs(cps[i]), m))
        n++;
    return n;
}

static bool cached(int i)
{
    return link_is_cached(link_of(i));
}

START_TEST(told_and_answered)
{
    joins(0);
    joins(1);
    links(0, "LINK OWNER 200 300 RR");
    UNTIL(known(1) == 1 && cached(0));
    ck_assert(!link_of(0)->gated); /* it only reads */
    links(1, "LINK OWNER 200 300 MR");
    ck_assert(link_of(1)->gated && cached(0));
    UNTIL(!link_of(1)->gated);
    ck_assert(!cached(0)); /* before the other one writes */
    is(on(0, "HOLDS", "QUERY LINKS 300"), "HOLDS    0300 R/O|WANTS    0300 R/W AT M1");
    on(1, "WANTS", "DETACH 300");
    UNTIL(cached(0) && !known(0));
}
END_TEST

START_TEST(told_at_the_join)
{
    joins(0);
    links(0, "LINK OWNER 200 300 MR");
    ck_assert(!link_of(0)->gated); /* nobody is there to answer */
    joins(1);
    UNTIL(known(1) == 1);
    REFUSED(on(1, "WANTS", "LINK OWNER 200 300 M"), 105,
            "HCPLNM105E OWNER 0200 not linked; R/W by HOLDS AT M0");
}
END_TEST

/* Until the PDR is not locked just now. */
static const char *answer(int i, const char *user, const char *command)
{
    UNTIL((on(i, user, command), !resp.line_count || !strstr(resp.lines[0], "is locked")));
    return resp.line_count ? resp.lines[0] : "";
}

/* A volume as a whole is told of, too, and the PDR keeps its parts from others; what its label is
 * does not count, as its user may write another one. */
START_TEST(a_whole_volume)
{
    joins(0);
    joins(1);
    on(1, "", "LOGON OPERATOR OPER");
    on(1, "OPERATOR", "DETACH 200 FROM SYSTEM");
    links(0, "LINK OWNER 200 300 MR");
    UNTIL(known(1) == 1);
    ck_assert_str_eq(answer(1, "OPERATOR", "ATTACH 200 TO WANTS 300"),
                     "HCPATR120E WANTS 0300 not attached; HOLDS AT M0 has it");
    on(0, "HOLDS", "DETACH 300");
    links(0, "LINK OWNER 200 300 RR");
    UNTIL(cached(0));
    answer(1, "OPERATOR", "ATTACH 200 TO WANTS 300");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert(link_of(1)->gated);
    UNTIL(!link_of(1)->gated);
    ck_assert(!cached(0)); /* before the other one writes */
    is(on(0, "HOLDS", "QUERY LINKS 300"), "HOLDS    0300 R/O|WANTS    0300 R/W AT M1");
    remote_links_forget(cp_rdevs(cps[0]), "M1"); /* the PDR says it, too */
    ck_assert_str_eq(answer(0, "HOLDS", "LINK OWNER 200 301 M"),
                     "HCPLNM105E OWNER 0200 not linked; R/W by user AT M1");
    on(1, "WANTS", "LOGOFF");
    links(0, "LINK OWNER 200 301 M");
}
END_TEST

/* REPAIR: what members have that cannot be reached stands, until the operator says that they are
 * down. */
START_TEST(up_alone)
{
    joins(0);
    links(0, "LINK OWNER 200 300 MR");
    ssi_sim_crash(sim, 0);
    cp_link_ssi_destroy(cps[0]->link_ssi);
    cps[0]->link_ssi = NULL;
    on(0, "HOLDS", "DETACH 300"); /* the locks of its process have ended */
    starts(1, true);
    ck_assert_str_eq(answer(1, "WANTS", "LINK OWNER 200 300 M"),
                     "HCPLNM105E OWNER 0200 not linked; R/W by user AT M0");
    UNTIL(ssi_set_down(ssis[1], "M0", &cause) == ST_OK);
    links(1, "LINK OWNER 200 300 M");
    links(1, "DETACH 300");
}
END_TEST

/* Who does not answer is given the time in which it notices that it is out of touch, and caches
 * nothing from then on. */
START_TEST(lost_before_the_answer)
{
    joins(0);
    joins(1);
    links(0, "LINK OWNER 200 300 RR");
    UNTIL(cached(0) && known(1));
    ssi_sim_stall(sim, 0, 1, true);
    links(1, "LINK OWNER 200 300 MR");
    UNTIL(ssi_mode(ssis[0]) == SSI_MODE_SAFE && ssi_mode(ssis[1]) == SSI_MODE_SAFE);
    ck_assert(!cached(0) && link_of(1)->gated);
    struct cp_response refused;
    cp_response_init(&refused);
    cp_command(cps[0], "HOLDS", "LINK OWNER 200 301 RR", &refused);
    ck_assert_int_eq(refused.rc, 119);
    ck_assert_msg(strstr(refused.lines[0], "Safe mode") != NULL, "%s", refused.lines[0]);
    cp_response_fini(&refused);
    pass_time(DEAF_MS + 1);
    ck_assert(!link_of(1)->gated);
    on(1, "WANTS", "DETACH 300");
    ssi_sim_stall(sim, 0, 1, false);
    UNTIL(ssi_mode(ssis[0]) == SSI_MODE_STABLE && ssi_mode(ssis[1]) == SSI_MODE_STABLE);
    UNTIL(cached(0) && !known(0) && known(1) == 1);
}
END_TEST

/* Who ends need not be waited for, and has nothing any more. */
START_TEST(ends_before_the_answer)
{
    joins(0);
    joins(1);
    links(1, "LINK OWNER 200 300 RR");
    UNTIL(known(0) == 1);
    ssi_sim_stall(sim, 0, 1, true);
    links(0, "LINK OWNER 200 300 M");
    ck_assert(link_of(0)->gated);
    cp_link_ssi_destroy(cps[1]->link_ssi);
    cps[1]->link_ssi = NULL;
    ssi_sim_crash(sim, 1);
    UNTIL(ssi_member_state(ssis[0], "M1") == SSI_UNKNOWN);
    ck_assert(link_of(0)->gated && known(0) == 1);
    sim_passes(sim, 30000); /* its heartbeat stands still for so long */
    UNTIL(ssi_set_down(ssis[0], "M1", &cause) != ST_BUSY);
    ck_assert_msg(!known(0) || ssi_member_state(ssis[0], "M1") == SSI_DOWN, "%s", cause.text);
    UNTIL(!known(0));
    ck_assert(!link_of(0)->gated);
}
END_TEST

START_TEST(any_bytes)
{
    u8 message[96];
    joins(0);
    joins(1);
    links(1, "LINK OWNER 200 300 MR");
    for (unsigned n = 0; n < 3000; n++) {
        size_t len = ssi_sim_random(sim) % sizeof message;
        for (size_t i = 0; i < len; i++)
            message[i] = (u8)ssi_sim_random(sim);
        if (len >= 6 && n % 2) { /* a row that is long enough, and its rest */
            be16_store(message, (u16)(1 + n % 3));
            be32_store(message + 2, (u32)len - 6);
        }
        ck_assert_int_eq(ssi_send(ssis[0], "M1", LINK_SSI_SERVICE, (u16)(n % 7), message, len),
                         ST_OK);
        sim_passes(sim, 5);
    }
    ck_assert_uint_le(known(1), 3000);
    ck_assert_int_eq(ssi_mode(ssis[1]), SSI_MODE_STABLE);
    is(on(1, "WANTS", "DETACH 300"), "DASD 0300 DETACHED");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_link_ssi");
    TCase *tc = tcase_create("hyp_link_ssi");
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, told_and_answered);
    tcase_add_test(tc, told_at_the_join);
    tcase_add_test(tc, a_whole_volume);
    tcase_add_test(tc, up_alone);
    tcase_add_test(tc, lost_before_the_answer);
    tcase_add_test(tc, ends_before_the_answer);
    tcase_add_test(tc, any_bytes);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
