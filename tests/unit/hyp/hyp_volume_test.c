/* Volumes of the system, temporary disks on them: CP_OWNED, DEFINE CPOWNED, ATTACH, DETACH; whose
 * space is given out and whose is not, what a T-disk shows of who had its space before, and
 * QUERY ALLOC. Run alone: tests/run unit/hyp_volume_test
 * waits: for space that is being cleared */
#include <check.h>
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hyp/rdev/rdev.h"
#include "io/image/track.h"
#include "tests/lib/cp_images.h"

static char devices[1024];
static struct cause cause;
static u8 buf[IMAGE_TRACK_BYTES_MAX];

static const char users[] = "USER ONE PW 64M 64M G\n MDISK 200 3390 20 4 TMP001 MR\n"
                            " MDISK 210 3390 1 5 LATE01 MR\n MDISK 220 3390 T-DISK 99\n"
                            " MDISK 230 FB-512 T-DISK 20\n"
                            "USER READER PW 64M 64M G\n MDISK 200 3390 20 4 TMP001 RR\n"
                            "USER TWO PW 64M 64M G\n"
                            "USER FULL PW 64M 64M G\n MDISK 123 3390 0 END TMP001 MR\n"
                            " MDISK 124 FB-512 0 END TMPFBA MR\n";

static const char config[] = "CP_OWNED SLOT 1 TMP001 OWN\nCP_OWNED SLOT 3 TMP002 SHARED\n"
                             "CP_OWNED SLOT 5 NOVOL\nCP_OWNED SLOT 6 TMPFBA\n";

static void image(const char *name, enum image_format format, u32 units, const char *volume,
                  struct alloc_map map)
{
    char path[128];
    struct image *img;
    image_make(name, format, units, volume);
    if (!map.count)
        return;
    snprintf(path, sizeof path, "%s/%s", images_dir, name);
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_OK);
    ck_assert_msg(alloc_map_write(img, &map, volume, &cause) == ST_OK, "%s", cause.text);
    image_unref(img);
}

static void begin(const char *more)
{
    static char text[512];
    images_begin();
    image("one", IMAGE_CKD, 30, "TMP001",
          (struct alloc_map){
              .count = 3,
              .extent = {{ALLOC_TDSK, 1, 9}, {ALLOC_SPOL, 10, 19}, {ALLOC_TDSK, 20, 29}}});
    image("two", IMAGE_CCKD, 30, "TMP002",
          (struct alloc_map){.system = "MEMBERB", .count = 1, .extent = {{ALLOC_TDSK, 5, 29}}});
    image("fba", IMAGE_FBA_RAW, 400, "TMPFBA",
          (struct alloc_map){.count = 1, .extent = {{ALLOC_TDSK, 10, 14}}});
    image("late", IMAGE_CKD, 10, "LATE01", (struct alloc_map){0});
    snprintf(devices, sizeof devices,
             "300 3390 %s/one\n301 3390 %s/two\n302 9336 %s/fba\n303 3390 %s/late\n",
             images_dir, images_dir, images_dir, images_dir);
    snprintf(text, sizeof text, "%s%s", config, more);
    cp_world_users = users;
    cp_world_devices = devices;
    cp_world_config = text;
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON TWO PW");
}

static void setup(void)
{
    begin("");
}

static void setup_clearing(void)
{
    begin("FEATURES ENABLE CLEAR_TDISK\n");
}

static bool has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fprintf(stderr, "%s: not in: %s\n", part, text);
    return strstr(text, part);
}

/* --- the list --- */

START_TEST(owned_volumes)
{
    is(oper("QUERY CPOWNED"),
       "Slot  Vol-ID Rdev  Type   Status|   1  TMP001 0300  Own    Online and attached|"
       "   3  TMP002 0301  Share  Online and attached, of another system|"
       "   5  NOVOL  ----  Own    Offline|   6  TMPFBA 0302  Own    Online and attached");
    is(oper("QUERY 300"), "DASD 0300 CP OWNED  TMP001    0");
    is(oper("QUERY 303"), "DASD 0303 LATE01");
    REFUSED(oper("DEFINE CPOWNED SLOT 1 LATE01"), 6730,
            "HCPDEF6730E CP-owned slot 1 not changed; its volume is attached to the system");
    REFUSED(oper("DEFINE CPOWNED SLOT 9 TMP002"), 6730,
            "HCPDEF6730E CP-owned slot 9 not changed; another slot has the volume");
    REFUSED(oper("DEFINE CPOWNED SLOT 256 LATE01"), 2, "HCPCMD002E");
    REFUSED(oper("DEFINE CPOWNED SLOT 9"), 26, "HCPCMD026E");
    REFUSED(oper("DEFINE CPOWNED SLOT 9 TOOLONG"), 2, "HCPCMD002E");
    REFUSED(oper("DEFINE CPOWNED SLOT 9 LATE01 FOO"), 2, "HCPCMD002E");
    REFUSED(on(0, "TWO", "DEFINE CPOWNED SLOT 9 LATE01"), 3, "HCPCMD003E");
    is(oper("DEFINE CPOWNED SLOT 9 LATE01 SHARED"), "CP-owned slot 9 is LATE01");
    ck_assert(has(oper("QUERY CPOWNED"), "   9  LATE01 0303  Share  Online but not attached"));
    is(oper("ATTACH 303 SYSTEM"), "DASD 0303 ATTACHED TO SYSTEM LATE01");
    is(oper("QUERY 303"), "DASD 0303 CP OWNED  LATE01    0");
    ck_assert(
        has(oper("QUERY CPOWNED"), "LATE01 0303  Share  Online and attached, no CP volume"));
    is(oper("DETACH 303 SYSTEM"), "DASD 0303 DETACHED SYSTEM LATE01");
    is(oper("DEFINE CPOWNED 9 RESERVED"), "CP-owned slot 9 is reserved");
    ck_assert(!strstr(oper("QUERY CPOWNED"), "LATE01"));
}
END_TEST

/* A minidisk is there when its volume is; the label is what is on the volume now. */
START_TEST(attached_later)
{
    struct image *img;
    char path[128];
    on(0, "", "LOGON ONE PW");
    ck_assert(
        console_has(0, "ONE", "^HCPLNM108E ONE 0210 not linked; volid LATE01 not mounted$"));
    REFUSED(on(0, "ONE", "LINK * 210 210 MR"), 108, "HCPLNM108E");
    REFUSED(oper("ATTACH 303 SYSTEM AS OTHER1"), 120,
            "HCPATR120E SYSTEM 0303 not attached; its label is LATE01");
    is(oper("ATTACH 303 TO SYSTEM LATE01"), "DASD 0303 ATTACHED TO SYSTEM LATE01");
    is(on(0, "ONE", "LINK * 210 210 MR"), "");
    REFUSED(oper("DETACH 303 SYSTEM"), 124, "HCPATR124E DASD 0303 in use by 1 users");
    is(on(0, "ONE", "DETACH 210"), "DASD 0210 DETACHED");
    is(oper("DETACH 303 FROM SYSTEM"), "DASD 0303 DETACHED SYSTEM LATE01");
    REFUSED(oper("DETACH 303 SYSTEM"), 121, "HCPDTR121E DASD 0303 not attached to SYSTEM");
    snprintf(path, sizeof path, "%s/late", images_dir); /* somebody gives it another label */
    unlink(path);
    image("late", IMAGE_CKD, 12, "TMP001", (struct alloc_map){0});
    REFUSED(oper("ATTACH 303 SYSTEM"), 120,
            "HCPATR120E SYSTEM 0303 not attached; a volume with its label is there already");
    unlink(path);
    REFUSED(oper("ATTACH 303 SYSTEM"), 120, "HCPATR120E SYSTEM 0303 not attached; ");
    image("late", IMAGE_CKD, 12, NULL, (struct alloc_map){0});
    REFUSED(oper("ATTACH 303 SYSTEM"), 120,
            "HCPATR120E SYSTEM 0303 not attached; it has no label");
    snprintf(path, sizeof path, "%s/late", images_dir);
    unlink(path);
    image("late", IMAGE_CKD, 12, "LATE02", (struct alloc_map){0});
    is(oper("ATTACH 303 SYSTEM"), "DASD 0303 ATTACHED TO SYSTEM LATE02");
    ck_assert_int_eq(image_open(path, IMAGE_READ_ONLY, &img, &cause),
                     ST_OK); /* nobody has it */
    image_unref(img);
}
END_TEST

START_TEST(ranges)
{
    while (spool_next(fake_spool, NULL)) /* no files on 300 */
        spool_purge(fake_spool, spool_next(fake_spool, NULL));
    is(oper("DETACH 300-302 SYSTEM"),
       "DASD 0300 DETACHED SYSTEM TMP001|DASD 0301 DETACHED SYSTEM TMP002|"
       "DASD 0302 DETACHED SYSTEM TMPFBA");
    is(oper("ATTACH 300-301 TWO 500"),
       "DASD 0300 ATTACHED TO TWO 0500|DASD 0301 ATTACHED TO TWO 0501");
    ck_assert(has(oper("ATTACH 300-301 TWO"),
                  "HCPATR122E DASD 0300 already attached to TWO|HCPATR122E DASD 0301"));
    ck_assert_int_eq(resp.rc, 122);
    is(oper("DETACH 300-301 TWO"), "DASD 0300 DETACHED TWO 0500|DASD 0301 DETACHED TWO 0501");
    oper("ATTACH 300-304 SYSTEM");
    ck_assert_int_eq(resp.rc, 40); /* there is no 304 */
    ck_assert(has(oper("QUERY DASD"), "DASD 0303 CP SYSTEM LATE01    0"));
    REFUSED(oper("ATTACH 301-300 SYSTEM"), 21, "HCPATR021E");
    REFUSED(oper("ATTACH 300-30G SYSTEM"), 21, "HCPATR021E");
    REFUSED(oper("ATTACH 300-301 SYSTEM AS X"), 3, "HCPCMD003E");
    REFUSED(oper("ATTACH 300-301 TWO FFFF"), 21, "HCPATR021E"); /* 0000 does not follow */
}
END_TEST

/* Those of a range that are there, however wide it is. */
START_TEST(a_range_of_devices_goes)
{
    on(0, "TWO", "DEFINE T3390 401 2");
    on(0, "TWO", "DEFINE T3390 FFFF 2");
    is(on(0, "TWO", "DETACH 400-FFFF"), "DASD 0401 DETACHED|DASD FFFF DETACHED");
    REFUSED(on(0, "TWO", "DETACH 400-FFFF"), 40, "HCPDTV040E");
    REFUSED(on(0, "TWO", "DETACH 401"), 40, "HCPDTV040E");
}
END_TEST

/* --- temporary disks --- */

START_TEST(space_is_given_out_once)
{
    is(on(0, "TWO", "DEFINE T3390 401 5"), "DASD 0401 DEFINED");
    is(on(0, "TWO", "DEFINE T3390 402 8"), "DASD 0402 DEFINED");
    is(on(0, "TWO", "DEFINE T3390 403 4"), "DASD 0403 DEFINED");
    is(on(0, "TWO", "QUERY VIRTUAL DASD"),
       "DASD 0401 3390 TMP001 R/W          5 CYL ON DASD  0300 SUBCHANNEL = 0000|"
       "DASD 0402 3390 TMP001 R/W          8 CYL ON DASD  0300 SUBCHANNEL = 0001|"
       "DASD 0403 3390 TMP001 R/W          4 CYL ON DASD  0300 SUBCHANNEL = 0002");
    ck_assert(has(on(0, "TWO", "QUERY MDISK 401"), "TMP001 0300          1          5"));
    ck_assert(has(on(0, "TWO", "QUERY MDISK 402"), "TMP001 0300         20          8"));
    ck_assert(has(on(0, "TWO", "QUERY MDISK 403"), "TMP001 0300          6          4"));
    REFUSED(on(0, "TWO", "DEFINE T3390 404 3"), 91,
            "HCPDEF091E Device 0404 not defined; temporary space not available");
    ck_assert(has(oper("QUERY ALLOC"),
                  "DASD 0300 TMP001 3390 CKD-ECKD (UNITS IN CYLINDERS)|"
                  "     TDISK TOTAL=00000000019 INUSE=00000000017 AVAIL=00000000002|"
                  "     PAGE  TOTAL=00000000000 INUSE=00000000000 AVAIL=00000000000|"
                  "     SPOOL TOTAL=00000000010 INUSE=00000000001 AVAIL=00000000009"));
    REFUSED(oper("DETACH 300 SYSTEM"), 124, "HCPATR124E DASD 0300 in use by 3 users");
    on(0, "TWO", "DETACH 401");
    is(on(0, "TWO", "DEFINE T3390 404 3"), "DASD 0404 DEFINED");
    ck_assert(has(on(0, "TWO", "QUERY MDISK 404"), "TMP001 0300          1          3"));
    on(0, "TWO", "LOGOFF");
    ck_assert(has(oper("QUERY ALLOC"), "TDISK TOTAL=00000000019 INUSE=00000000000"));
}
END_TEST

START_TEST(details)
{
    on(0, "TWO", "DEFINE T3390 401 5");
    on(0, "TWO", "DEFINE TFB-512 402 9"); /* two pages */
    is(oper("QUERY ALLOC TDISK"),
       "                EXTENT     EXTENT  TOTAL   UNIT   HIGH    %|"
       "VOLID  RDEV      START        END  UNITS IN USE   UNIT USED|"
       "------ ---- ---------- ---------- ------ ------ ------ ----|"
       "TMP001 0300          1          9      9      5      6  55%|"
       "TMP001 0300         20         29     10      0      0   0%|"
       "TMP002 0301          5         29     25      0      0   0%|"
       "TMPFBA 0302         10         14      5      2     12  40%|"
       "                                  ------ ------        ----|"
       "SUMMARY                               49      7         14%|"
       "USABLE                                24      7         29%");
    ck_assert(has(oper("QUERY ALLOC SPOOL"),
                  "TMP001 0300         10         19   1800      3      3   0%"));
    ck_assert(has(oper("QUERY ALLOC MAP"), "TMP001 0300         10         19     10      1"
                                           "      1  10% SPOL"));
    REFUSED(oper("QUERY ALLOC FROB"), 3, "HCPCQV003E");
}
END_TEST

/* Without CLEAR_TDISK the volume keeps what was there; another T-disk does not show it. */
START_TEST(nobody_sees_what_was_there)
{
    on(0, "TWO", "DEFINE T3390 401 5");
    on(0, "TWO", "DEFINE TFB-512 402 40");
    for (u32 t = 0; t < 75; t++)
        image_fill(image_of(0, "TWO", 0x401), t, 0xaa);
    for (u32 b = 0; b < 40; b++)
        image_fill(image_of(0, "TWO", 0x402), b, 0xaa);
    ck_assert_uint_eq(image_byte(image_of(0, "TWO", 0x401), 74), 0xaa);
    on(0, "TWO", "DETACH 401");
    on(0, "TWO", "DETACH 402");
    on(0, "", "LOGON FULL PW");
    ck_assert_uint_eq(image_byte(image_of(0, "FULL", 0x123), 15), 0xaa);
    ck_assert_uint_eq(image_byte(image_of(0, "FULL", 0x124), 80), 0xaa);
    on(0, "TWO", "DEFINE T3390 401 5");
    on(0, "TWO", "DEFINE TFB-512 402 40");
    for (u32 t = 0; t < 75; t++)
        ck_assert_uint_eq(image_byte(image_of(0, "TWO", 0x401), t), 0);
    ck_assert_int_eq(image_read_blocks(image_of(0, "TWO", 0x402), 0, 40, buf, &cause), ST_OK);
    for (u32 i = 0; i < 40 * IMAGE_BLOCK_BYTES; i++)
        ck_assert_uint_eq(buf[i], 0);
    image_fill(image_of(0, "TWO", 0x401), 7, 0xbb);
    image_fill(image_of(0, "TWO", 0x402), 7, 0xbb);
    for (u32 t = 0; t < 20; t++) {
        ck_assert_uint_eq(image_byte(image_of(0, "TWO", 0x401), t), t == 7 ? 0xbb : 0);
        ck_assert_uint_eq(image_byte(image_of(0, "TWO", 0x402), t), t == 7 ? 0xbb : 0);
    }
}
END_TEST

static void cleared(void)
{
    while (tdisk_clearings(cp_rdevs(cps[0]), NULL))
        sched_yield();
}

START_TEST(cleared_behind_the_user)
{
    on(0, "TWO", "DEFINE T3390 401 5");
    on(0, "TWO", "DEFINE TFB-512 402 40");
    image_fill(image_of(0, "TWO", 0x401), 3, 0xaa);
    image_fill(image_of(0, "TWO", 0x402), 3, 0xaa);
    on(0, "TWO", "LOGOFF");
    cleared();
    ck_assert(has(oper("QUERY ALLOC"), "TDISK TOTAL=00000000019 INUSE=00000000000"));
    on(0, "", "LOGON FULL PW");
    ck_assert_uint_eq(image_byte(image_of(0, "FULL", 0x123), 15 + 3), 0);
    ck_assert_uint_eq(image_byte(image_of(0, "FULL", 0x124), 80 + 3), 0);
}
END_TEST

/* A written minidisk that lies in T-disk space by mistake is nobody's temporary disk. */
START_TEST(minidisks_are_not_given_out)
{
    on(0, "", "LOGON ONE PW"); /* 200 is cylinders 20 to 23 */
    ck_assert(console_has(0, "ONE", "^HCPLNM091E DASD 0220 not defined; temporary space not"));
    ck_assert(has(on(0, "ONE", "QUERY MDISK 230"), "9336  TMPFBA 0302         80         20"));
    on(0, "TWO", "DEFINE T3390 401 9");
    is(on(0, "TWO", "DEFINE T3390 402 5"), "DASD 0402 DEFINED");
    ck_assert(has(on(0, "TWO", "QUERY MDISK 402"), "TMP001 0300         24          5"));
    REFUSED(on(0, "TWO", "DEFINE T3390 403 2"), 91, "HCPDEF091E");
}
END_TEST

/* Who gives the volume to CP is told. */
START_TEST(minidisks_in_its_space_are_told)
{
    is(oper("DETACH 302 SYSTEM"), "DASD 0302 DETACHED SYSTEM TMPFBA");
    is(oper("ATTACH 302 SYSTEM"), "DASD 0302 ATTACHED TO SYSTEM TMPFBA"); /* a full pack only */
    while (spool_next(fake_spool, NULL))
        spool_purge(fake_spool, spool_next(fake_spool, NULL));
    is(oper("DETACH 300 SYSTEM"), "DASD 0300 DETACHED SYSTEM TMP001");
    is(oper("ATTACH 300 SYSTEM"),
       "DASD 0300 ATTACHED TO SYSTEM TMP001|"
       "MDISK 0200 of ONE is in T-disk space of volume TMP001 and 1 more");
}
END_TEST

START_TEST(minidisks_that_are_read_are_not_given_out)
{
    on(0, "", "LOGON READER PW");
    on(0, "TWO", "DEFINE T3390 401 9");
    is(on(0, "TWO", "DEFINE T3390 402 5"), "DASD 0402 DEFINED");
    ck_assert(has(on(0, "TWO", "QUERY MDISK 402"), "TMP001 0300         24          5"));
}
END_TEST

static void give_map(const char *name, const char *volume, struct alloc_map map)
{
    struct image *img;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", images_dir, name);
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_OK);
    ck_assert_msg(alloc_map_write(img, &map, volume, &cause) == ST_OK, "%s", cause.text);
    image_unref(img);
}

/* `dasd alloc` while the volume is attached and nobody has a part of it. */
START_TEST(the_map_is_read_again)
{
    give_map("one", NULL, (struct alloc_map){.count = 1, .extent = {{ALLOC_TDSK, 12, 14}}});
    REFUSED(on(0, "TWO", "DEFINE T3390 401 4"), 91, "HCPDEF091E");
    is(on(0, "TWO", "DEFINE T3390 401 3"), "DASD 0401 DEFINED");
    ck_assert(has(on(0, "TWO", "QUERY MDISK 401"), "TMP001 0300         12          3"));
    ck_assert(has(oper("QUERY ALLOC"), "TDISK TOTAL=00000000003 INUSE=00000000003"));
}
END_TEST

/* A volume whose file is gone does not keep the next slot's from being used. */
START_TEST(a_broken_volume_is_passed_over)
{
    char path[128];
    on(1, "", "LOGON ONE PW");
    on(1, "ONE", "DETACH 200");
    snprintf(path, sizeof path, "%s/one", images_dir);
    ck_assert_int_eq(unlink(path), 0);
    is(on(1, "ONE", "DEFINE T3390 401 2"), "DASD 0401 DEFINED");
    ck_assert(has(on(1, "ONE", "QUERY MDISK 401"), "TMP002 0301          5          2"));
}
END_TEST

/* Another program has nearly all of the space: the search goes on where that ends. */
START_TEST(what_others_have_is_passed_over)
{
    struct share *share;
    struct image *img;
    char path[128];
    snprintf(path, sizeof path, "%s/fba", images_dir);
    ck_assert_int_eq(share_create(path, 0, &share, &cause), ST_OK);
    ck_assert_int_eq(window_create(share, (struct window_extent){80, 27}, true, &img, &cause),
                     ST_OK);
    ck_assert_int_eq(window_activate(img, &cause), ST_OK);
    is(on(0, "TWO", "DEFINE TFB-512 401 8"), "DASD 0401 DEFINED");
    ck_assert(has(on(0, "TWO", "QUERY MDISK 401"), "TMPFBA 0302        112          8"));
    REFUSED(on(0, "TWO", "DEFINE TFB-512 402 8"), 91, "HCPDEF091E");
    image_unref(img);
    is(on(0, "TWO", "DEFINE TFB-512 402 8"), "DASD 0402 DEFINED");
    ck_assert(has(on(0, "TWO", "QUERY MDISK 402"), "TMPFBA 0302         80          8"));
    share_unref(share);
}
END_TEST

/* --- clearing --- */

/* Also what a member left that ended before it had cleared it. */
START_TEST(what_was_left_is_cleared)
{
    on(0, "", "LOGON FULL PW");
    image_fill(image_of(0, "FULL", 0x123), 15 + 3, 0xaa);
    image_fill(image_of(0, "FULL", 0x124), 80 + 3, 0xaa);
    on(0, "FULL", "LOGOFF");
    on(0, "TWO", "DEFINE T3390 401 5");
    on(0, "TWO", "DEFINE TFB-512 402 40");
    on(0, "TWO", "LOGOFF");
    cleared();
    on(0, "", "LOGON FULL PW");
    ck_assert_uint_eq(image_byte(image_of(0, "FULL", 0x123), 15 + 3), 0);
    ck_assert_uint_eq(image_byte(image_of(0, "FULL", 0x124), 80 + 3), 0);
}
END_TEST

static void file_limit(rlim_t bytes)
{
    struct rlimit r;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* Space that could not be overwritten is nobody's until the volume leaves the system. */
START_TEST(what_cannot_be_cleared_is_kept)
{
    signal(SIGXFSZ, SIG_IGN);
    on(0, "TWO", "DEFINE TFB-512 402 24");
    image_fill(image_of(0, "TWO", 0x402), 3, 0xaa);
    file_limit(80 * IMAGE_BLOCK_BYTES);
    on(0, "TWO", "DETACH 402");
    cleared();
    file_limit(RLIM_INFINITY);
    ck_assert(has(oper("QUERY ALLOC TDISK"),
                  "TMPFBA 0302         10         14      5      3      0  60%"));
    REFUSED(on(0, "TWO", "DEFINE TFB-512 402 24"), 91, "HCPDEF091E");
    is(oper("DETACH 302 SYSTEM"), "DASD 0302 DETACHED SYSTEM TMPFBA");
    is(oper("ATTACH 302 SYSTEM"), "DASD 0302 ATTACHED TO SYSTEM TMPFBA");
    is(on(0, "TWO", "DEFINE TFB-512 402 24"), "DASD 0402 DEFINED");
}
END_TEST

static unsigned threads(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

START_TEST(one_thread_clears_all)
{
    char command[40];
    for (unsigned i = 0; i < 19; i++) {
        snprintf(command, sizeof command, "DEFINE T3390 %X 1", 0x500 + i);
        on(0, "TWO", command);
        ck_assert_int_eq(resp.rc, 0);
        for (u32 t = 0; t < 15; t++)
            image_fill(image_of(0, "TWO", (u16)(0x500 + i)), t, 0xaa);
    }
    unsigned before = threads();
    on(0, "TWO", "LOGOFF");
    ck_assert_uint_le(threads(), before + 1);
    cleared();
    on(0, "", "LOGON FULL PW");
    for (u32 t = 15; t < 10 * 15; t++)
        ck_assert_uint_eq(image_byte(image_of(0, "FULL", 0x123), t), 0);
}
END_TEST

/* Two members with one volume: each has its own space, by the locks on the file. */
START_TEST(members_share_a_volume)
{
    on(1, "", "LOGON ONE PW");
    on(0, "TWO", "DEFINE T3390 401 4");
    is(on(1, "ONE", "DEFINE T3390 401 4"), "DASD 0401 DEFINED");
    ck_assert(has(on(0, "TWO", "QUERY MDISK 401"), "TMP001 0300          1          4"));
    ck_assert(has(on(1, "ONE", "QUERY MDISK 401"), "TMP001 0300          5          4"));
    is(on(1, "ONE", "DEFINE T3390 402 20"), "DASD 0402 DEFINED"); /* TMP002 is MEMBERB's */
    ck_assert(has(on(1, "ONE", "QUERY MDISK 402"), "TMP002 0301          5         20"));
    REFUSED(on(0, "TWO", "DEFINE T3390 402 20"), 91, "HCPDEF091E");
}
END_TEST

/* --- spool space --- */

static u16 added; /* its id */

static int add_file(void)
{
    struct spool_desc desc;
    struct spool_data data;
    spool_desc_init(&desc, "NOBODY", SPOOL_PUN);
    spool_data_init(&data);
    ck_assert(spool_data_add_cards(&data, "card", 4));
    struct spool_file *f;
    int rc = spool_add(fake_spool, &desc, &data, &f, &cause);
    if (rc)
        spool_data_fini(&data);
    else
        added = spool_desc(f)->id;
    return rc;
}

START_TEST(spool_volumes)
{
    is(oper("DETACH 302 SYSTEM"), "DASD 0302 DETACHED SYSTEM TMPFBA");
    ck_assert(has(oper("QUERY ALLOC SPOOL"), "TMP001 0300         10         19   1800      3"
                                             "      3   0%"));
    ck_assert(has(oper("QUERY ALLOC"), "SPOOL TOTAL=00000000010 INUSE=00000000001"));
    REFUSED(oper("DETACH 300 SYSTEM"), 122,
            "HCPDTR122E DASD 0300 not detached; spool files are on it");
    is(oper("DRAIN DASD 300 SPOOL"), "Command complete");
    ck_assert(has(oper("QUERY ALLOC"), "SPOOL TOTAL=00000000010 INUSE=00000000001"
                                       " AVAIL=00000000009 DRAINING"));
    ck_assert_int_eq(add_file(), ST_LIMIT); /* there is no other volume */
    ck_assert_str_eq(cause.text, "spool space is full");
    is(on(0, "TWO", "DEFINE T3390 401 2"), "DASD 0401 DEFINED");
    is(oper("DRAIN VOLID TMP001 TDISK"), "Command complete");
    REFUSED(on(0, "TWO", "DEFINE T3390 402 2"), 91, "HCPDEF091E");
    is(oper("START VOLID TMP001"), "Command complete");
    is(on(0, "TWO", "DEFINE T3390 402 2"), "DASD 0402 DEFINED");
    ck_assert_int_eq(add_file(), ST_OK);
    ck_assert(has(oper("QUERY ALLOC SPOOL"), " 1800      4"));
    ck_assert(spool_purge(fake_spool, spool_find(fake_spool, "NOBODY", added)));
    ck_assert(has(oper("QUERY ALLOC SPOOL"), " 1800      3"));
    REFUSED(oper("DRAIN DASD 303"), 40, "HCPDRN040E Volume 303 is not CP-owned");
    REFUSED(oper("DRAIN VOLID NOVOL"), 40, "HCPDRN040E Volume NOVOL is not CP-owned");
    REFUSED(oper("DRAIN DASD 300 FROB"), 3, "HCPCMD003E");
    REFUSED(oper("DRAIN DASD"), 26, "HCPCMD026E");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_volume");
    TCase *t = tcase_create("volumes");
    tcase_add_checked_fixture(t, setup, images_end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, owned_volumes);
    tcase_add_test(t, attached_later);
    tcase_add_test(t, ranges);
    tcase_add_test(t, a_range_of_devices_goes);
    tcase_add_test(t, space_is_given_out_once);
    tcase_add_test(t, details);
    tcase_add_test(t, nobody_sees_what_was_there);
    tcase_add_test(t, minidisks_are_not_given_out);
    tcase_add_test(t, minidisks_that_are_read_are_not_given_out);
    tcase_add_test(t, minidisks_in_its_space_are_told);
    tcase_add_test(t, the_map_is_read_again);
    tcase_add_test(t, a_broken_volume_is_passed_over);
    tcase_add_test(t, what_others_have_is_passed_over);
    tcase_add_test(t, members_share_a_volume);
    tcase_add_test(t, spool_volumes);
    suite_add_tcase(s, t);
    t = tcase_create("clearing");
    tcase_add_checked_fixture(t, setup_clearing, images_end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, cleared_behind_the_user);
    tcase_add_test(t, what_was_left_is_cleared);
    tcase_add_test(t, what_cannot_be_cleared_is_kept);
    tcase_add_test(t, one_thread_clears_all);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
