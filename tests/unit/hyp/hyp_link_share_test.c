/* LINK over two members: every mode against every mode gives what it gives on one member, by the
 * shares of the cluster, also for extents that overlap; whole volumes (ATTACH); who has it is told
 * by name and member; Safe mode; what is given back; a guest that is relocated; links from before
 * the join. Run alone: tests/run unit/hyp_link_share_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp_move.h"
#include "io/image/hold.h"
#include "io/image/track.h"
#include "tests/lib/cp_images.h"
#include "tests/lib/cp_world_links.h"

static char devices[256];
static struct cause cause;

static const char users[] =
    "USER OWNER PW 64M 64M G\n MDISK 200 3390 1 2 VOL001 MR ALL ALL ALL\n"
    " MDISK 210 3390 1 1 CCK001 MR ALL ALL ALL\n MDISK 211 3390 2 1 CCK001 MR ALL ALL ALL\n"
    "USER HOLDS PW 64M 64M G\n OPTION LNKNOPAS LNKSTABL LNKEXCLU\n"
    "USER WANTS PW 64M 64M G\n OPTION LNKNOPAS LNKSTABL LNKEXCLU\n"
    "USER FULL PW 64M 64M G\n MDISK 123 3390 0 END VOL001 MR\n MDISK 124 3390 T-DISK 1\n"
    " MDISK 125 FB-512 V-DISK 8\n"
    "USER EARLY PW 64M 64M G\n MDISK 200 3390 1 2 VOL001 W\n MDISK 201 3390 3 1 VOL001 RR\n"
    "USER MOVER PW 64M 64M G\n MDISK 200 3390 1 2 VOL001 MR\n MDISK 201 3390 3 1 VOL001 RR\n";

static void setup(void)
{
    images_begin();
    image_make("one", IMAGE_CKD, 4, "VOL001");
    image_make("two", IMAGE_CCKD, 4, "CCK001");
    snprintf(devices, sizeof devices, "200 3390 %s/one\n201 3390 %s/two\n", images_dir,
             images_dir);
    cp_world_users = users;
    cp_world_devices = devices;
    cp_world_config = "USER_VOLUME_LIST CCK001\n";
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    cp_world_links();
}

static void teardown(void)
{
    cp_world_links_end();
    images_end();
}

static void logon(int member, const char *user)
{
    char command[64];
    snprintf(command, sizeof command, "LOGON %s PW", user);
    on(member, "", command);
    ck_assert_int_eq(resp.rc, 0);
}

/* OPERATOR of that member. */
static const char *oper_at(int member, const char *command)
{
    if (!cp_user_find(cps[member], "OPERATOR"))
        on(member, "", "LOGON OPERATOR OPER");
    return on(member, "OPERATOR", command);
}

static const char *const modes[] = {
#define MODE(name, first, otherwise, keeps, help) #name,
#include "hyp/rdev/link_mode.def"
#undef MODE
};

/* What HOLDS, in one mode, and then WANTS of `member`, in another one, of that disk, get: 'W', 'R'
 * or '-'. */
static char gets(int member, const char *held, const char *disk, const char *wanted)
{
    char command[64];
    snprintf(command, sizeof command, "LINK OWNER 200 300 %s", held);
    is(on(0, "HOLDS", command), "");
    snprintf(command, sizeof command, "LINK %s 300 %s", disk, wanted);
    on(member, "WANTS", command);
    const struct vlink *l = link_find(cp_rdevs(cps[member]), "WANTS", 0x300);
    char got = !l ? '-' : l->write ? 'W' : 'R';
    if (l)
        on(member, "WANTS", "DETACH 300");
    on(0, "HOLDS", "DETACH 300");
    return got;
}

/* As on one member, of the same minidisk and of one that overlaps it, though nothing is told. Only
 * where both would write the locks on the file keep the second one away. */
START_TEST(all_modes)
{
    char one[ARRAY_LEN(modes)][ARRAY_LEN(modes)];
    const char *disk = _i ? "FULL 123" : "OWNER 200";
    unsigned read = 0, write = 0, none = 0;
    links_deaf = true;
    for (int member = 0; member < 2; member++) {
        logon(0, "HOLDS");
        logon(member, "WANTS");
        for (size_t i = 0; i < ARRAY_LEN(modes); i++)
            for (size_t k = 0; k < ARRAY_LEN(modes); k++) {
                char got = gets(member, modes[i], disk, modes[k]);
                if (!member) {
                    one[i][k] = got;
                    continue;
                }
                enum link_mode held;
                ck_assert(link_mode_find(modes[i], &held));
                bool both = link_mode_writes(held) && one[i][k] == 'W';
                ck_assert_msg(got == (both ? '-' : one[i][k]), "%s, then %s: %c and %c",
                              modes[i], modes[k], one[i][k], got);
                read += got == 'R';
                write += got == 'W';
                none += got == '-';
            }
        on(0, "HOLDS", "LOGOFF");
        on(member, "WANTS", "LOGOFF");
        ck_assert_uint_eq(fake_shares_held(), 0);
    }
    ck_assert(read > 20 && write > 5 && none > 50);
}
END_TEST

/* The shares decide by themselves, also while the file can be locked and nothing was told. */
START_TEST(shares_decide)
{
    logon(0, "HOLDS");
    logon(1, "WANTS");
    links_deaf = true;
    is(on(0, "HOLDS", "LINK OWNER 200 300 R"), "");
    REFUSED(on(1, "WANTS", "LINK OWNER 200 300 W"), 105,
            "HCPLNM105E OWNER 0200 not linked; R/W by user AT MEMBERA");
    on(1, "WANTS", "LINK OWNER 200 300 WR");
    ck_assert_int_eq(resp.rc, 102);
    ck_assert_str_eq(resp.lines[0], "HCPLNM102E DASD 0300 forced R/O; R/W by user AT MEMBERA");
    is(on(1, "WANTS", "QUERY LINKS 300"), "WANTS    0300 R/O");
    REFUSED(on(0, "HOLDS", "LINK OWNER 200 301 ER"), 104, "HCPLNM104E");
    on(0, "HOLDS", "DETACH 300");
    REFUSED(on(0, "HOLDS", "LINK OWNER 200 301 ER"), 105, "HCPLNM105E");
    on(1, "WANTS", "DETACH 300");
    is(on(0, "HOLDS", "LINK OWNER 200 301 ER"), "");
    REFUSED(on(1, "WANTS", "LINK OWNER 200 300 RR"), 105, "HCPLNM105E");
}
END_TEST

START_TEST(told_by_name)
{
    logon(0, "HOLDS");
    logon(1, "WANTS");
    is(on(0, "HOLDS", "LINK OWNER 200 300 MR"), "");
    is(on(1, "WANTS", "LINK OWNER 200 300 RR"),
       "DASD 0300 LINKED R/O; R/W BY HOLDS AT MEMBERA");
    REFUSED(on(1, "WANTS", "LINK OWNER 200 301 M"), 106,
            "HCPLNM106E OWNER 0200 not linked; R/W by HOLDS AT MEMBERA; R/O by WANTS");
    is(on(1, "WANTS", "QUERY LINKS 300"), "WANTS    0300 R/O|HOLDS    0300 R/W AT MEMBERA");
    is(on(0, "HOLDS", "QUERY LINKS 300"), "HOLDS    0300 R/W|WANTS    0300 R/O AT MEMBERB");
    on(1, "WANTS", "REDEFINE 300 AS 310");
    is(on(0, "HOLDS", "QUERY LINKS 300"), "HOLDS    0300 R/W|WANTS    0310 R/O AT MEMBERB");
    on(1, "WANTS", "LOGOFF");
    is(on(0, "HOLDS", "QUERY LINKS 300"), "HOLDS    0300 R/W");
    ck_assert_uint_eq(fake_shares_held(), 1);
}
END_TEST

/* A full-pack minidisk is another part of the volume. */
START_TEST(overlapping)
{
    logon(0, "HOLDS");
    is(on(0, "HOLDS", "LINK OWNER 200 300 MR"), "");
    logon(1, "FULL");
    ck_assert(
        console_has(1, "FULL", "^HCPLNM102E DASD 0123 forced R/O; R/W by HOLDS AT MEMBERA$"));
    ck_assert_uint_eq(fake_shares_held(), 2); /* not those of temporary and virtual disks */
    remote_links_forget(cp_rdevs(cps[1]), "MEMBERA");
    REFUSED(on(1, "FULL", "LINK FULL 123 400 M"), 105, /* the share */
            "HCPLNM105E FULL 0123 not linked; R/W by user AT MEMBERA");
    links_of_old = true;
    REFUSED(on(1, "FULL", "LINK FULL 123 400 M"), 105, /* the lock on the file */
            "HCPLNM105E FULL 0123 not linked; R/W by another system");
}
END_TEST

/* A volume that a user has as a whole: one writes, others read. */
START_TEST(attached)
{
    logon(0, "HOLDS");
    logon(1, "WANTS");
    oper_at(1, "DETACH 200 FROM SYSTEM");
    is(on(0, "HOLDS", "LINK OWNER 200 300 MR"), "");
    REFUSED(oper_at(1, "ATTACH 200 TO WANTS 400"), 120,
            "HCPATR120E WANTS 0400 not attached; HOLDS AT MEMBERA has it");
    links_deaf = true;
    remote_links_forget(cp_rdevs(cps[1]), "MEMBERA");
    REFUSED(oper_at(1, "ATTACH 200 TO WANTS 400"), 120,
            "HCPATR120E WANTS 0400 not attached; system MEMBERA has part of it");
    ck_assert_uint_eq(fake_shares_held(), 1);
    oper_at(1, "ATTACH 200 TO WANTS 400 R/O");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_uint_eq(fake_shares_held(), 2);
    on(1, "WANTS", "DETACH 400");
    ck_assert_uint_eq(fake_shares_held(), 1);
    on(0, "HOLDS", "DETACH 300");
    oper_at(1, "ATTACH 200 TO WANTS 400");
    ck_assert_int_eq(resp.rc, 0);
    REFUSED(on(0, "HOLDS", "LINK OWNER 200 300 M"), 105,
            "HCPLNM105E OWNER 0200 not linked; R/W by user AT MEMBERB");
    REFUSED(on(0, "HOLDS", "LINK OWNER 200 300 R"), 105, "HCPLNM105E");
    REFUSED(on(0, "HOLDS", "LINK OWNER 200 300 ER"), 105, "HCPLNM105E");
    is(on(0, "HOLDS", "LINK OWNER 200 300 RR"), "");
    on(1, "WANTS", "LOGOFF");
    is(on(0, "HOLDS", "LINK OWNER 200 301 M"), "DASD 0301 LINKED R/W; R/O BY HOLDS");
}
END_TEST

/* Of a file that moves its tracks one writes, or some read. */
START_TEST(attached_as_a_whole)
{
    logon(0, "HOLDS");
    logon(1, "WANTS");
    links_deaf = true;
    oper_at(1, "DETACH 201 FROM SYSTEM");
    is(on(0, "HOLDS", "LINK OWNER 210 300 RR"), "");
    REFUSED(oper_at(1, "ATTACH 201 TO WANTS 400"), 120, "HCPATR120E");
    oper_at(1, "ATTACH 201 TO WANTS 400 R/O");
    ck_assert_int_eq(resp.rc, 0);
    REFUSED(on(0, "HOLDS", "LINK OWNER 211 301 MW"), 105, "HCPLNM105E");
    on(1, "WANTS", "DETACH 400");
    on(0, "HOLDS", "DETACH 300");
    oper_at(1, "ATTACH 201 TO WANTS 400");
    ck_assert_int_eq(resp.rc, 0);
    REFUSED(on(0, "HOLDS", "LINK OWNER 210 300 RR"), 105, "HCPLNM105E");
    links_why = "Safe mode: contact with MEMBERA is lost"; /* it can be given back */
    on(1, "WANTS", "DETACH 400");
    ck_assert_uint_eq(fake_shares_held(), 0);
    REFUSED(oper_at(1, "ATTACH 201 TO WANTS 400"), 120,
            "HCPATR120E WANTS 0400 not attached; Safe mode: contact with MEMBERA is lost");
}
END_TEST

/* No share is given, in Safe mode for instance: the reason is told, what there is stays, and can be
 * given back. */
START_TEST(not_granted)
{
    logon(0, "HOLDS");
    is(on(0, "HOLDS", "LINK OWNER 200 300 RR"), "");
    links_why = "Safe mode: contact with MEMBERB is lost";
    REFUSED(on(0, "HOLDS", "LINK OWNER 200 301 M"), 119,
            "HCPLNM119E OWNER 0200 not linked; Safe mode: contact with MEMBERB is lost");
    ck_assert_uint_eq(fake_shares_held(), 1);
    is(on(0, "HOLDS", "DEFINE T3390 402 1"), "DASD 0402 DEFINED");
    is(on(0, "HOLDS", "DETACH 300"), "DASD 0300 DETACHED");
    ck_assert_uint_eq(fake_shares_held(), 0);
}
END_TEST

/* What one user has goes, what the other one has here stays. */
START_TEST(together)
{
    logon(0, "HOLDS");
    logon(0, "WANTS");
    is(on(0, "HOLDS", "LINK OWNER 200 300 SM"), "");
    is(on(0, "WANTS", "LINK OWNER 200 300 RR"), "DASD 0300 LINKED R/O; R/W BY HOLDS");
    ck_assert_uint_eq(fake_shares[0].bits[0], LINK_HAS_READ | LINK_HAS_WRITE | LINK_HAS_STABLE);
    on(0, "HOLDS", "DETACH 300");
    ck_assert_uint_eq(fake_shares[0].bits[0], LINK_HAS_READ);
    on(0, "WANTS", "DETACH 300");
    ck_assert_uint_eq(fake_shares_held(), 0);
}
END_TEST

/* [L1] Both have it while the guest is on its way, so that nobody else gets it; then one. */
START_TEST(relocated)
{
    struct codec_out out;
    struct codec_in none, in;
    struct cp_user *there;
    bool given_up = _i;
    logon(0, "MOVER");
    codec_out_init(&out);
    cp_user_save_devices(cp_user_find(cps[0], "MOVER"), &out);
    codec_in_init(&none, "", 0);
    codec_in_init(&in, out.data, out.len);
    ck_assert_msg(cp_user_arrive(cps[1], "MOVER", &none, &there, &cause) == ST_OK, "%s",
                  cause.text);
    ck_assert_msg(cp_user_restore_devices(there, &in, &cause) == ST_OK, "%s", cause.text);
    codec_out_fini(&out);
    ck_assert_uint_eq(fake_shares_held(), 4);
    logon(0, "WANTS");
    logon(1, "HOLDS");
    REFUSED(on(0, "WANTS", "LINK OWNER 200 300 M"), 105,
            "HCPLNM105E OWNER 0200 not linked; R/W by MOVER");
    REFUSED(on(1, "HOLDS", "LINK OWNER 200 300 M"), 105,
            "HCPLNM105E OWNER 0200 not linked; R/W by MOVER");
    cp_user_depart(given_up ? there : cp_user_find(cps[0], "MOVER"));
    ck_assert_uint_eq(fake_shares_held(), 2);
    for (unsigned i = 0; i < FAKE_SHARES_MAX; i++)
        ck_assert_uint_eq(fake_shares[i].bits[given_up], 0);
    REFUSED(on(!given_up ? 0 : 1, !given_up ? "WANTS" : "HOLDS", "LINK OWNER 200 300 M"), 105,
            given_up ? "HCPLNM105E OWNER 0200 not linked; R/W by MOVER AT MEMBERA"
                     : "HCPLNM105E OWNER 0200 not linked; R/W by MOVER AT MEMBERB");
    if (given_up)
        on(0, "MOVER", "LOGOFF");
    else
        cp_user_depart(there);
    ck_assert_uint_eq(fake_shares_held(), 0);
}
END_TEST

/* A member joins with links: what nobody objects to gets its share, the others end. */
START_TEST(before_the_join)
{
    rdevs_set_cluster(cp_rdevs(cps[1]), NULL);
    logon(1, "EARLY");
    logon(0, "HOLDS");
    links_deaf = true;
    is(on(0, "HOLDS", "LINK OWNER 200 300 R"), "");
    cp_world_links();
    cp_links_join(cps[0]);
    ck_assert_uint_eq(fake_shares_held(), 1);
    cp_links_join(cps[1]);
    ck_assert(console_has(1, "EARLY", "^DASD 0200 DETACHED; IN USE AT MEMBERA$"));
    ck_assert_ptr_null(link_find(cp_rdevs(cps[1]), "EARLY", 0x200));
    ck_assert_ptr_nonnull(link_find(cp_rdevs(cps[1]), "EARLY", 0x201));
    ck_assert_uint_eq(fake_shares_held(), 2);
}
END_TEST

/* What another member has told may be late: who has given it back keeps nobody away. */
START_TEST(told_late)
{
    logon(0, "HOLDS");
    logon(1, "WANTS");
    is(on(0, "HOLDS", "LINK OWNER 200 300 MR"), "");
    links_deaf = true;
    on(0, "HOLDS", "DETACH 300");
    is(on(1, "WANTS", "LINK OWNER 200 300 W"), "DASD 0300 LINKED R/W; R/W BY HOLDS AT MEMBERA");
}
END_TEST

/* A file that moves its tracks has one writer, or readers, whichever minidisks they have. */
START_TEST(whole_volumes)
{
    logon(0, "HOLDS");
    logon(1, "WANTS");
    is(on(0, "HOLDS", "LINK OWNER 210 300 MR"), "");
    links_deaf = true;
    REFUSED(on(1, "WANTS", "LINK OWNER 211 300 M"), 105,
            "HCPLNM105E OWNER 0211 not linked; R/W by user AT MEMBERA");
    REFUSED(on(1, "WANTS", "LINK OWNER 211 300 RR"), 105, "HCPLNM105E");
    is(on(0, "HOLDS", "LINK OWNER 211 301 MR"), "");
    ck_assert_uint_eq(fake_shares_held(), 3);
    on(0, "HOLDS", "DETACH 300");
    on(0, "HOLDS", "DETACH 301");
    ck_assert_uint_eq(fake_shares_held(), 0);
    is(on(0, "HOLDS", "LINK OWNER 210 300 RR"), "");
    on(1, "WANTS", "LINK OWNER 211 300 MR");
    ck_assert_int_eq(resp.rc, 102); /* it reads */
    is(on(1, "WANTS", "QUERY LINKS 300"), "WANTS    0300 R/O");
    ck_assert_uint_eq(fake_shares_held(), 4);
}
END_TEST

/* --- the minidisk cache ---------- */

static void mdcache(int member, const char *user, const char *state)
{
    char want[64];
    snprintf(want, sizeof want, "Minidisk cache %s for %s 0300", state, user);
    is(on(member, user, "QUERY MDCACHE MDISK 300"), want);
}

/* [L2] A minidisk is cached while nobody elsewhere writes it, and what is read behind a write of
 * the other member is what that wrote; full-pack minidisks count. */
START_TEST(cached_while_nobody_writes)
{
    const char *disk = _i ? "LINK FULL 123 300 MR" : "LINK OWNER 200 300 MR";
    u32 track = _i ? 15 : 0;
    logon(0, "HOLDS");
    logon(1, "WANTS");
    is(on(0, "HOLDS", "LINK OWNER 200 300 RR"), "");
    mdcache(0, "HOLDS", "ON");
    for (u8 byte = 1; byte < 4; byte++) {
        is(on(1, "WANTS", disk), "DASD 0300 LINKED R/W; R/O BY HOLDS AT MEMBERA");
        mdcache(0, "HOLDS", "INELIGIBLE");
        mdcache(1, "WANTS", "ON");
        image_fill(image_of(1, "WANTS", 0x300), track, byte);
        ck_assert_uint_eq(image_byte(image_of(0, "HOLDS", 0x300), 0), byte);
        image_fill(image_of(1, "WANTS", 0x300), track, byte + 100);
        ck_assert_uint_eq(image_byte(image_of(0, "HOLDS", 0x300), 0), byte + 100);
        on(1, "WANTS", "DETACH 300");
        mdcache(0, "HOLDS", "ON");
        for (int i = 0; i < 3; i++) /* now it comes from the cache */
            ck_assert_uint_eq(image_byte(image_of(0, "HOLDS", 0x300), 0), byte + 100);
    }
    links_in_touch = false; /* a member is lost */
    links_look(cp_rdevs(cps[0]));
    mdcache(0, "HOLDS", "INELIGIBLE");
    links_in_touch = true;
    links_look(cp_rdevs(cps[0]));
    mdcache(0, "HOLDS", "ON");
}
END_TEST

/* [L2] Who has the volume as a whole writes minidisks that are on it. */
START_TEST(not_cached_while_it_is_attached)
{
    logon(0, "HOLDS");
    logon(1, "WANTS");
    oper_at(1, "DETACH 200 FROM SYSTEM");
    is(on(0, "HOLDS", "LINK OWNER 200 300 RR"), "");
    image_byte(image_of(0, "HOLDS", 0x300), 0);
    mdcache(0, "HOLDS", "ON");
    oper_at(1, "ATTACH 200 TO WANTS 300");
    ck_assert_int_eq(resp.rc, 0);
    mdcache(0, "HOLDS", "INELIGIBLE");
    is(on(0, "HOLDS", "QUERY LINKS 300"), "HOLDS    0300 R/O|WANTS    0300 R/W AT MEMBERB");
    image_fill(image_of(1, "WANTS", 0x300), 15, 77);
    ck_assert_uint_eq(image_byte(image_of(0, "HOLDS", 0x300), 0), 77);
    on(1, "WANTS", "DETACH 300");
    mdcache(0, "HOLDS", "ON");
}
END_TEST

static unsigned told_to_go_on;

static void goes_on(void *arg)
{
    (void)arg;
    told_to_go_on++;
}

/* Before the other member has answered nothing moves: channel programs wait, and are told. */
START_TEST(writes_wait)
{
    u8 track[IMAGE_TRACK_BYTES_MAX];
    u32 len;
    told_to_go_on = 0;
    logon(0, "HOLDS");
    logon(1, "WANTS");
    is(on(0, "HOLDS", "LINK OWNER 200 300 RR"), "");
    links_slow = true;
    is(on(1, "WANTS", "LINK OWNER 200 300 MR"),
       "DASD 0300 LINKED R/W; R/O BY HOLDS AT MEMBERA");
    struct image *img = image_of(1, "WANTS", 0x300);
    struct hold *hold = image_hold(img);
    hold_watch(hold, goes_on, NULL);
    ck_assert(!hold_begin(hold) && !hold_reserve(hold, false));
    hold_forget(hold);
    ck_assert(!hold_begin(hold));
    ck_assert_int_eq(image_read_track(img, 0, track, &len, &cause), ST_BUSY);
    link_heard(cp_rdevs(cps[1]), "WANTS", 0x300);
    ck_assert_uint_eq(told_to_go_on, 1);
    ck_assert(hold_begin(hold));
    hold_end(hold);
    hold_watch(hold, NULL, NULL);
    ck_assert_int_eq(image_read_track(img, 0, track, &len, &cause), ST_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_link_share");
    TCase *tc = tcase_create("hyp_link_share");
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, all_modes, 0, 2);
    tcase_add_test(tc, shares_decide);
    tcase_add_test(tc, told_by_name);
    tcase_add_test(tc, overlapping);
    tcase_add_test(tc, attached);
    tcase_add_test(tc, attached_as_a_whole);
    tcase_add_test(tc, not_granted);
    tcase_add_test(tc, together);
    tcase_add_loop_test(tc, relocated, 0, 2);
    tcase_add_test(tc, before_the_join);
    tcase_add_test(tc, whole_volumes);
    tcase_add_test(tc, told_late);
    tcase_add_loop_test(tc, cached_while_nobody_writes, 0, 2);
    tcase_add_test(tc, not_cached_while_it_is_attached);
    tcase_add_test(tc, writes_wait);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
