/* Minidisks that DIRMAINT copies (CLONEDISK, CMDISK) on real images: what the copy has, when the
 * directory changes, who may have the disks meanwhile, what ends it; QUERY DATAMOVE, DASD QUERY.
 * Run alone: tests/run unit/hyp_datamove_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/config/directory_edit.h"
#include "hyp/cp/cp_internal.h"
#include "hyp/rdev/rdev.h"
#include "io/image/image.h"
#include "io/image/track.h"
#include "tests/lib/cp_world.h"

#define CYLINDERS 60
#define HEADS TRACK_HEADS_3390
#define BLOCKS 4096

static char folder[512], path[544];

static const char base[] =
    "IDENTITY OPERATOR OPER 32M 64M ABCDEFG\n CONSOLE 9 3215\n\n"
    "USER LINUX1 SECRET 512M 2G G\n"
    "  MDISK 0191 3390 1 10 VOL001 MR RPW WPW\n"
    "  MINIOPT NOCACHE\n"
    "  MDISK 0192 FB-512 16 1000 FBA001 W ALL\n"
    "USER GUEST PASS 64M\n MDISK 0200 3390 20 10 VOL001\n MDISK 0201 3390 30 5 VOL001\n";

static void write_file(const char *name, const char *text)
{
    char file[600];
    snprintf(file, sizeof file, "%s/%s", folder, name);
    FILE *f = fopen(file, "w");
    fputs(text, f);
    fclose(f);
}

static char *content(void)
{
    static char text[8192];
    FILE *f = fopen(path, "r");
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

static void volumes(void)
{
    struct cause cause;
    static char devices[1300];
    const struct image_create ckd = {
        .format = IMAGE_CCKD, .cylinders = CYLINDERS, .volume = "VOL001"};
    const struct image_create fba = {.format = IMAGE_FBA_RAW, .blocks = BLOCKS};
    char file[2][600];
    snprintf(file[0], sizeof file[0], "%s/vol001", folder);
    snprintf(file[1], sizeof file[1], "%s/fba001", folder);
    ck_assert_msg(image_create(file[0], &ckd, &cause) == ST_OK, "%s", cause.text);
    ck_assert_msg(image_create(file[1], &fba, &cause) == ST_OK, "%s", cause.text);
    snprintf(devices, sizeof devices, "200 3390 %s\n201 9336 %s volid=FBA001\n", file[0],
             file[1]);
    cp_world_devices = devices;
}

static void setup(void)
{
    const char *tmp = getenv("TEST_TMP");
    struct cause cause;
    snprintf(folder, sizeof folder, "%s/endicott-datamove-XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/user.direct", folder);
    write_file("user.direct", base);
    volumes();
    cp_world_setup();
    cp_set_directory_file(cps[0], path);
    ck_assert_msg(!cp_directory_load(cps[0], &cause), "%s", cause.text);
    on(0, "", "LOGON OPERATOR OPER");
}

static void teardown(void)
{
    static const char *const names[] = {"vol001", "fba001", "extent.control"};
    static const char *const suffixes[] = {"", ".lock", ".locks", ".history", ".new"};
    char file[640];
    cp_world_teardown();
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(file, sizeof file, "%s/%s", folder, names[i]);
        unlink(file);
    }
    rmdir(folder);
}

/* ---- disks ---- */

static struct vlink *linked(u16 type, u64 start, u64 count, enum link_mode mode)
{
    struct cause cause = {0};
    struct link_others others;
    struct vlink *l = NULL;
    struct dir_mdisk m = {.vdev = 0x999,
                          .type = type,
                          .kind = DIR_MDISK_EXTENT,
                          .start = start,
                          .count = count,
                          .no_cache = true};
    strcpy(m.volid, type == 0x3390 ? "VOL001" : "FBA001");
    const struct link_request q = {"TEST", 0x999, "TEST", &m, mode};
    return link_mdisk(cp_rdevs(cps[0]), &q, &l, &others, &cause) == LINK_DONE ? l : NULL;
}

static void unlinked(struct vlink *l)
{
    ck_assert_ptr_nonnull(l);
    link_drop(cp_rdevs(cps[0]), l);
}

/* A record on each track that says which it is. */
static void fill(u64 start, u64 cylinders)
{
    struct vlink *l = linked(0x3390, start, cylinders, LINK_W);
    u8 *buf = malloc(IMAGE_TRACK_BYTES_MAX), data[64];
    struct cause cause;
    for (u32 t = 0; t < cylinders * HEADS; t++) {
        u32 len = track_make_null(TRACK_NULL_EMPTY, t, HEADS, buf);
        memset(data, 'a' + (int)(t % 26), sizeof data);
        be32_store(data, t);
        len = track_append(buf, len, 1, 0, sizeof data, NULL, data);
        ck_assert_int_eq(image_write_track(l->img, t, buf, len, &cause), ST_OK);
    }
    free(buf);
    unlinked(l);
}

/* Those of `filled` cylinders, and nothing behind them. */
static void has(u64 start, u64 cylinders, u64 filled)
{
    struct vlink *l = linked(0x3390, start, cylinders, LINK_RR);
    u8 *buf = malloc(IMAGE_TRACK_BYTES_MAX);
    struct track_layout layout;
    struct cause cause;
    u32 len;
    for (u32 t = 0; t < cylinders * HEADS; t++) {
        ck_assert_int_eq(image_read_track(l->img, t, buf, &len, &cause), ST_OK);
        ck_assert_int_eq(track_scan(buf, len, t, HEADS, &layout, &cause), ST_OK);
        ck_assert_uint_eq(layout.count, t < filled * HEADS ? 2 : 1);
        const u8 *record = buf + layout.offset[1] + TRACK_COUNT_BYTES;
        ck_assert(layout.count == 1 ||
                  (be32_load(record) == t && record[63] == 'a' + (int)(t % 26)));
    }
    free(buf);
    unlinked(l);
}

/* ---- commands ---- */

static const char *well(const char *command)
{
    const char *text = oper(command);
    ck_assert_msg(resp.rc == 0, "%s: %s", command, text);
    return text;
}

static void refused(const char *command, const char *why)
{
    const char *text = oper(command);
    ck_assert_msg(resp.rc == 600, "%s: %d %s", command, resp.rc, text);
    ck_assert_msg(strstr(text, why) != NULL, "%s: %s", command, text);
    ck_assert_str_eq(content(), base);
}

static bool active(void)
{
    return strstr(well("DIRM QUERY DATAMOVE *"), "Status: ACTIVE");
}

static void copied(void)
{
    while (active())
        run_notes();
}

static void now(const char *from, const char *to)
{
    char want[4096];
    const char *at = strstr(base, from);
    ck_assert_ptr_nonnull(at);
    snprintf(want, sizeof want, "%.*s%s%s", (int)(at - base), base, to, at + strlen(from));
    ck_assert_str_eq(content(), want);
}

START_TEST(clone_to_a_new_one)
{
    fill(1, 10);
    const char *text = well("DIRM FOR GUEST CLONEDISK 202 LINUX1 191");
    ck_assert_msg(
        strstr(text, "DVHREQ2288I Your CLONEDISK request for GUEST at * has been accepted.|"
                     "DVHSCU3541I Work unit 26171322 has been built and queued for processing.|"
                     "DVHSHN3541I Processing work unit 26171322 as OPERATOR from MEMBERA,|"
                     "DVHSHN3541I notifying OPERATOR at MEMBERA, request 1 for GUEST sysaffin|"
                     "DVHSHN3541I *; to: CLONEDISK 0202 LINUX1 0191|"
                     "DVHRLA3891I Your DMVCTL request has been relayed for processing.|"
                     "DVHREQ2289I Your CLONEDISK request for GUEST at * has completed; with"),
        "%s", text);
    ck_assert_ptr_nonnull(
        strstr(well("DIRM QUERY DATAMOVE"),
               "DVHQRY3389I DATAMOVE DATAMOVE at MEMBERA Status: ACTIVE WUCF:26171322|"
               "DVHQRY3389I Pending: 0 Autologs: 0|"));
    ck_assert_str_eq(content(), base);
    ck_assert_ptr_null(linked(0x3390, 1, 10, LINK_MW)); /* nobody writes it */
    ck_assert_ptr_null(linked(0x3390, 35, 1, LINK_RR)); /* nor has what is new */
    unlinked(linked(0x3390, 1, 10, LINK_RR));
    copied();
    now(" MDISK 0201 3390 30 5 VOL001\n",
        " MDISK 0201 3390 30 5 VOL001\n MDISK 0202 3390 35 10 VOL001 MR\n");
    has(35, 10, 10);
    has(1, 10, 10);
    ck_assert(console_has(0, "OPERATOR", "DVHBIU3428I Changes made to directory entry GUEST"));
    ck_assert(console_has(0, "OPERATOR", "HCPDRM604I Work unit 26171322 .FOR GUEST CLONEDISK"));
    ck_assert_ptr_nonnull(strstr(well("DIRM QUERY DATAMOVE"), "Status: INACTIVE WUCF:NONE|"));
    unlinked(linked(0x3390, 1, 10, LINK_W));
}
END_TEST

/* One that is there: as large, of that type. */
START_TEST(clone_into_one)
{
    fill(1, 10);
    refused("DIRM FOR GUEST CLONEDISK 201 LINUX1 191", "of another size");
    refused("DIRM FOR GUEST CLONEDISK 200 LINUX1 192", "of another size");
    refused("DIRM FOR GUEST CLONEDISK 200 LINUX1 191 AUTOV VOL001", "with this number");
    refused("DIRM FOR GUEST CLONEDISK 200 LINUX1 193", "no such minidisk to clone");
    struct vlink *l = linked(0x3390, 20, 1, LINK_RR);
    refused("DIRM FOR GUEST CLONEDISK 200 LINUX1 191", "GUEST 0200 is in use");
    unlinked(l);
    l = linked(0x3390, 10, 1, LINK_W);
    refused("DIRM FOR GUEST CLONEDISK 200 LINUX1 191", "LINUX1 0191 is in use");
    unlinked(l);
    well("DIRM FOR GUEST CLONEDISK 200 LINUX1 191");
    copied();
    ck_assert_str_eq(content(), base);
    has(20, 10, 10);
}
END_TEST

/* Passwords and mode stay, or are others; MINIOPT stays behind it. */
START_TEST(move)
{
    fill(1, 10);
    refused("DIRM FOR LINUX1 CMDISK 191 3390 AUTOV 9 VOL001", "smaller");
    refused("DIRM FOR LINUX1 CMDISK 191 FB-512 AUTOV 2000 FBA001",
            "the new place is smaller, or of");
    refused("DIRM FOR LINUX1 CMDISK 193 3390 AUTOV 9 VOL001", "no such minidisk");
    refused("DIRM FOR LINUX1 CMDISK 191 3390 5 10 VOL001", "LINUX1 0191 is in use"); /* by us */
    struct vlink *l = linked(0x3390, 1, 1, LINK_RR);
    refused("DIRM FOR LINUX1 CMDISK 191 3390 AUTOV 15 VOL001", "LINUX1 0191 is in use");
    unlinked(l);
    well("DIRM FOR LINUX1 CMDISK 191 3390 AUTOV 15 VOL001");
    ck_assert_ptr_null(linked(0x3390, 1, 10, LINK_RR));
    copied();
    now("  MDISK 0191 3390 1 10 VOL001 MR RPW WPW\n",
        "  MDISK 191 3390 35 15 VOL001 MR RPW WPW\n");
    has(35, 15, 10);
    well("DIRM FOR LINUX1 CMDISK 191 3390 1 15 VOL001 W PW ALL");
    copied();
    now("  MDISK 0191 3390 1 10 VOL001 MR RPW WPW\n", "  MDISK 191 3390 1 15 VOL001 W ALL\n");
    has(1, 15, 10);
}
END_TEST

START_TEST(blocks)
{
    u8 block[IMAGE_BLOCK_BYTES] = "the last one", got[IMAGE_BLOCK_BYTES];
    struct cause cause;
    struct vlink *l = linked(0x9336, 16, 1000, LINK_W);
    ck_assert_int_eq(image_write_blocks(l->img, 999, 1, block, &cause), ST_OK);
    unlinked(l);
    well("DIRM FOR LINUX1 CMDISK 192 FB-512 AUTOV 1200 FBA001");
    copied();
    now(" MDISK 0192 FB-512 16 1000 FBA001 W ALL\n",
        " MDISK 192 FB-512 1016 1200 FBA001 W ALL\n");
    l = linked(0x9336, 1016, 1200, LINK_R);
    ck_assert_int_eq(image_read_blocks(l->img, 999, 1, got, &cause), ST_OK);
    ck_assert_mem_eq(got, block, sizeof got);
    unlinked(l);
}
END_TEST

/* One after another; what waits has its place already. */
START_TEST(several)
{
    fill(30, 5);
    well("DIRM FOR LINUX1 CLONEDISK 300 GUEST 201");
    well("DIRM FOR LINUX1 CLONEDISK 301 GUEST 201 W PW R W");
    ck_assert_ptr_nonnull(strstr(well("DIRM QUERY DATAMOVE"), "Pending: 1"));
    ck_assert_ptr_nonnull(strstr(well("DIRM USEDEXT VOL001"), "LINUX1   0301"));
    copied();
    has(11, 5, 5);
    has(35, 5, 5);
    ck_assert_ptr_nonnull(strstr(content(), " MDISK 0300 3390 11 5 VOL001 W\n"));
    ck_assert_ptr_nonnull(strstr(content(), " MDISK 0301 3390 35 5 VOL001 W R W\n"));
}
END_TEST

/* Somebody else has the directory; somebody has changed the statement. */
START_TEST(directory_meanwhile)
{
    struct dir_file f;
    struct cause cause;
    fill(1, 10);
    well("DIRM FOR LINUX1 CMDISK 191 3390 AUTOV 10 VOL001");
    ck_assert_int_eq(dir_file_open(path, &f, &cause), ST_OK);
    while (!run_notes())
        ;
    ck_assert(active());
    ck_assert_ptr_null(linked(0x3390, 1, 10, LINK_RR));
    dir_file_close(&f);
    pass_time(500);
    ck_assert(!active());
    ck_assert_ptr_nonnull(strstr(content(), " MDISK 191 3390 35 10 VOL001 MR RPW WPW\n"));
    well("DIRM FOR LINUX1 CMDISK 191 3390 AUTOV 10 VOL001");
    well("DIRM FOR LINUX1 RMDISK 191 3390 45 10 VOL001");
    copied();
    ck_assert_ptr_nonnull(strstr(content(), " MDISK 191 3390 45 10 VOL001\n"));
    ck_assert(console_has(0, "OPERATOR", "the minidisk has been changed"));
    ck_assert(console_has(0, "OPERATOR", "HCPDRM605E Work unit"));
}
END_TEST

/* The end of CP in the middle: the directory is as it was. */
START_TEST(ended)
{
    fill(1, 10);
    well("DIRM FOR LINUX1 CMDISK 191 3390 AUTOV 10 VOL001");
    well("DIRM FOR GUEST CLONEDISK 300 GUEST 201");
    cp_datamove_end(cps[0]);
    ck_assert_str_eq(content(), base);
    has(1, 10, 10);
    ck_assert(!active());
} /* teardown: the note of its thread comes */
END_TEST

START_TEST(operands)
{
    ck_assert_ptr_nonnull(strstr(oper("DIRM FOR GUEST CLONEDISK"), "HCPCMD026E"));
    ck_assert_ptr_nonnull(strstr(oper("DIRM FOR GUEST CLONEDISK 12345"), "HCPCMD002E"));
    ck_assert_ptr_nonnull(strstr(oper("DIRM FOR GUEST CLONEDISK 1 LINUX1"), "HCPCMD026E"));
    ck_assert_ptr_nonnull(
        strstr(oper("DIRM FOR GUEST CLONEDISK 1 LINUX1 191 AUTOV"), "HCPCMD026E"));
    ck_assert_ptr_nonnull(
        strstr(oper("DIRM FOR GUEST CLONEDISK 1 LINUX1 191 MR X"), "HCPCMD003E"));
    ck_assert_ptr_nonnull(strstr(oper("DIRM FOR GUEST CMDISK"), "HCPCMD026E"));
    ck_assert_ptr_nonnull(strstr(oper("DIRM FOR GUEST CMDISK 200 3390"), "a type, a place"));
    ck_assert_ptr_nonnull(strstr(oper("DIRM QUERY"), "HCPCMD026E"));
    ck_assert_ptr_nonnull(strstr(oper("DIRM DASD ADD"), "HCPCMD002E"));
    on(0, "", "LOGON GUEST PASS");
    on(0, "GUEST", "DIRM CLONEDISK 300 LINUX1 191");
    ck_assert_int_eq(resp.rc, 603);
    on(0, "GUEST", "DIRM QUERY DATAMOVE");
    ck_assert_int_eq(resp.rc, 603);
}
END_TEST

START_TEST(regions)
{
    write_file("extent.control",
               ":REGIONS.\nLNX301 VOL001 1 END 3390-09\nR2 VOL001 1 40\n:END.\n"
               ":GROUPS.\nLINUX (ALLOCATE LINEAR) LNX301 R2\n:END.\n");
    ck_assert_ptr_nonnull(
        strstr(well("DIRM DASD QUERY REGION LNX301"),
               "DVHDSD3563I REGION   VOLUME    START      SIZE        END    DEV-TYPE|"
               "DVHDSD3563I COMMENTS|"
               "DVHDSD3564I LNX301   VOL001           1          59          59 3390-09|"));
    ck_assert_ptr_nonnull(strstr(well("DIRM DASD QUERY REGION *"), "3564I R2  "));
    ck_assert_ptr_nonnull(strstr(well("DIRM DASD QUERY GROUP LINUX"),
                                 "DVHDSD3561I GROUP=LINUX ALLOCATE=(LINEAR) REGIONS=2|"
                                 "DVHDSD3562I GROUP=LINUX REGIONS=LNX301   R2|"));
    ck_assert_ptr_nonnull(
        strstr(well("DIRM DASD QUERY REGION NONE"),
               "DVHDSD3558W Region NONE cannot be queried, there is no region "
               "by that|DVHDSD3558W name.|"));
    ck_assert_ptr_nonnull(strstr(well("DIRM RLDE"), "completed"));
    fill(30, 5);
    well("DIRM FOR LINUX1 CLONEDISK 300 GUEST 201 AUTOG LINUX");
    copied();
    ck_assert_ptr_nonnull(strstr(content(), "MDISK 0300 3390 11 5 VOL001"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_datamove");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, clone_to_a_new_one);
    tcase_add_test(t, clone_into_one);
    tcase_add_test(t, move);
    tcase_add_test(t, blocks);
    tcase_add_test(t, several);
    tcase_add_test(t, directory_meanwhile);
    tcase_add_test(t, ended);
    tcase_add_test(t, operands);
    tcase_add_test(t, regions);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
