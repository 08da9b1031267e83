/* DIRMAINT: what each function makes of the file, who may use it, locks, history, what becomes
 * online when; nothing else in the file changes.
 * Run alone: tests/run unit/hyp_dirmaint_test */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hyp/config/directory_edit.h"
#include "hyp/cp/cp_internal.h"
#include "hyp/cp/cp_spool.h"
#include "io/ebcdic.h"
#include "io/image/image.h"
#include "tests/lib/cp_world.h"

static char folder[512], path[544];

/* As cp_world has them, with comments and a layout of their own. */
static const char base[] =
    "* First, a comment.\n"
    "IDENTITY OPERATOR OPER 32M 64M ABCDEFG\n CONSOLE 9 3215\n\n"
    "* About LINUX1\n"
    "USER LINUX1 SECRET 512M 2G G\n"
    "    MACHINE ESA 4      \n"
    "    MDISK 0191 3390 1 10 VOL001 MR RPW WPW\n"
    "* of the disk above\n"
    "    MINIOPT NOCACHE\n"
    "    LINK GUEST 0200 0200 RR\n"
    "    LOGONBY GUEST,\n"
    "            OPERATOR\n"
    "* About GUEST\n"
    "user guest pass 64M\n mdisk 200 3390 100 10 VOL001\n console 9 3215\n";

static char *content(const char *name)
{
    static char text[2][8192];
    static int which;
    char file[600];
    which ^= 1;
    snprintf(file, sizeof file, "%s%s", path, name);
    FILE *f = fopen(file, "r");
    size_t n = f ? fread(text[which], 1, sizeof text[0] - 1, f) : 0;
    if (f)
        fclose(f);
    text[which][n] = 0;
    return text[which];
}

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

/* A 3390 of 300 cylinders, which takes no space where it is empty. */
static void volume(void)
{
    struct cause cause;
    static char device[700];
    const struct image_create what = {
        .format = IMAGE_CCKD, .cylinders = 300, .volume = "VOL001"};
    char file[600];
    snprintf(file, sizeof file, "%s/vol001", folder);
    ck_assert_msg(image_create(file, &what, &cause) == ST_OK, "%s", cause.text);
    snprintf(device, sizeof device, "200 3390 %s\n", file);
    cp_world_devices = device;
}

static void setup(void)
{
    const char *tmp = getenv("TEST_TMP");
    snprintf(folder, sizeof folder, "%s/endicott-dirmaint-XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/user.direct", folder);
    write_file(base);
    volume();
    cp_world_setup();
    for (int i = 0; i < 2; i++) {
        struct cause cause;
        cp_set_directory_file(cps[i], path);
        ck_assert_msg(!cp_directory_load(cps[i], &cause), "%s", cause.text);
    }
    on(0, "", "LOGON OPERATOR OPER");
}

static void teardown(void)
{
    static const char *const names[] = {"", ".lock", ".locks", ".history", ".new"};
    char file[600];
    cp_world_teardown();
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(file, sizeof file, "%s%s", path, names[i]);
        unlink(file);
    }
    snprintf(file, sizeof file, "%s/vol001", folder);
    unlink(file);
    rmdir(folder);
}

/* The file is `base` with `from` in place of `to`, or else what differs is told. */
static void changed(const char *from, const char *to)
{
    const char *at = strstr(base, from), *now = content("");
    char want[8192];
    ck_assert_ptr_nonnull(at);
    snprintf(want, sizeof want, "%.*s%s%s", (int)(at - base), base, to, at + strlen(from));
    ck_assert_str_eq(now, want);
}

static void well(const char *command)
{
    const char *text = oper(command);
    ck_assert_msg(resp.rc == 0, "%s: %s", command, text);
}

/* A response with long messages in one line again. */
static char *unfolded(const char *text)
{
    static char out[8192];
    size_t n = 0;
    for (const char *p = text; *p && n < sizeof out - 1;) {
        bool more =
            *p == '|' &&
            (!strncmp(p + 1, "HCPDRM600E ", 11) || !strncmp(p + 1, "HCPDRM602I ", 11)) &&
            strncmp(p + 12, "Directory", 9) != 0;
        out[n++] = more ? ' ' : *p;
        p += more ? 12 : 1;
    }
    out[n] = 0;
    return out;
}

static void refused(const char *command, int rc, const char *why)
{
    const char *text = unfolded(oper(command));
    ck_assert_msg(resp.rc == rc, "%s: %d %s", command, resp.rc, text);
    ck_assert_msg(strstr(text, why) != NULL, "%s: %s", command, text);
}

START_TEST(answers)
{
    ck_assert_str_eq(oper("DIRM FOR LINUX1 IPL 190"),
                     "DVHXMT1191I Your IPL request has been sent for processing to DIRMAINT at|"
                     "DVHXMT1191I MEMBERA.|"
                     "DVHREQ2288I Your IPL request for LINUX1 at * has been accepted.|"
                     "HCPDRM600E Directory not changed--line 14:5: LINUX1 has no device 0190|"
                     "HCPDRM600E to IPL from|"
                     "DVHREQ2289E Your IPL request for LINUX1 at * has failed; with RC = 600.");
    ck_assert_str_eq(content(""), base);
    ck_assert_str_eq(content(".history"), "");
    ck_assert_str_eq(
        oper("DIRM FOR LINUX1 IPL 191"),
        "DVHXMT1191I Your IPL request has been sent for processing to DIRMAINT at|"
        "DVHXMT1191I MEMBERA.|"
        "DVHREQ2288I Your IPL request for LINUX1 at * has been accepted.|"
        "DVHBIU3450I The source for directory entry LINUX1 has been updated.|"
        "DVHBIU3424I The next ONLINE will take place immediately.|"
        "DVHBIU3428I Changes made to directory entry LINUX1 have been placed|"
        "DVHBIU3428I online.|"
        "DVHREQ2289I Your IPL request for LINUX1 at * has completed; with RC = 0.");
}
END_TEST

/* command, what it replaces, by what */
static const struct {
    const char *command, *from, *to;
} edits[] = {
    {"FOR LINUX1 IPL 191 PARM Quiet", "OPERATOR\n* About G",
     "OPERATOR\n    IPL 191 PARM Quiet\n* About G"},
    {"FOR LINUX1 MACHINE ESA 8", "    MACHINE ESA 4      \n", "    MACHINE ESA 8\n"},
    {"FOR LINUX1 MACHINE DELETE", "    MACHINE ESA 4      \n", ""},
    {"FOR LINUX1 STORAGE 1G", "USER LINUX1 SECRET 512M 2G G\n", "USER LINUX1 SECRET 1G 2G G\n"},
    {"FOR GUEST MAXSTOR 128M", "user guest pass 64M\n", "user guest pass 64M 128M\n"},
    {"FOR GUEST CLASS BG", "user guest pass 64M\n", "user guest pass 64M 64M BG\n"},
    {"FOR LINUX1 PW NOLOG", "USER LINUX1 SECRET", "USER LINUX1 NOLOG"},
    {"FOR LINUX1 LOGONBY DELETE GUEST OPERATOR", "    LOGONBY GUEST,\n            OPERATOR\n",
     ""},
    {"FOR GUEST LOGONBY ADD LINUX1", " console 9 3215\n", " console 9 3215\n LOGONBY LINUX1\n"},
    {"FOR GUEST COMMAND ADD Set Run On", " console 9 3215\n",
     " console 9 3215\n COMMAND Set Run On\n"},
    {"FOR GUEST AMDISK 201 3390 200 5 VOL001 MR PW R W M", " console 9 3215\n",
     " console 9 3215\n MDISK 201 3390 200 5 VOL001 MR R W M\n"},
    {"FOR GUEST RMDISK 200 3390 300 20 VOL001 MR PW R W", " mdisk 200 3390 100 10 VOL001\n",
     " MDISK 200 3390 300 20 VOL001 MR R W\n"},
    {"FOR GUEST AMDISK 201 3390 AUTOV 5 VOL001 MR PW R W M", " console 9 3215\n",
     " console 9 3215\n MDISK 201 3390 11 5 VOL001 MR R W M\n"},
    {"FOR GUEST AMDISK 201 3390 AUTOV 95 VOL001", " console 9 3215\n",
     " console 9 3215\n MDISK 201 3390 110 95 VOL001\n"},
    {"FOR LINUX1 DMDISK 191",
     "    MDISK 0191 3390 1 10 VOL001 MR RPW WPW\n* of the disk above\n    MINIOPT NOCACHE\n",
     ""},
    {"FOR LINUX1 LINK GUEST 200 200 DELETE", "    LINK GUEST 0200 0200 RR\n", ""},
    {"FOR LINUX1 LINK GUEST 200 0200 MR", "    LINK GUEST 0200 0200 RR\n",
     "    LINK GUEST 200 0200 MR\n"},
    {"FOR GUEST CPU 01 TYPE IFL", " console 9 3215\n", " console 9 3215\n CPU 01 TYPE IFL\n"},
    {"FOR GUEST NICDEF 600 TYPE QDIO", " console 9 3215\n",
     " console 9 3215\n NICDEF 600 TYPE QDIO\n"},
    {"FOR GUEST NICDEF 600 LAN SYSTEM SW PORTTYPE TRUNK VLAN 10 20-30 PORTNUMBER 7",
     " console 9 3215\n",
     " console 9 3215\n NICDEF 600 LAN SYSTEM SW PORTTYPE TRUNK VLAN 10 20-30 PORTNUMBER 7\n"},
    {"PURGE LINUX1",
     "USER LINUX1 SECRET 512M 2G G\n    MACHINE ESA 4      \n"
     "    MDISK 0191 3390 1 10 VOL001 MR RPW WPW\n* of the disk above\n    MINIOPT NOCACHE\n"
     "    LINK GUEST 0200 0200 RR\n    LOGONBY GUEST,\n            OPERATOR\n",
     ""},
    {"ADD NEWONE LIKE OPERATOR", " console 9 3215\n",
     " console 9 3215\n\nIDENTITY NEWONE NOLOG 32M 64M ABCDEFG\n CONSOLE 9 3215\n"},
};

/* The rest of the file is as it was, byte for byte. */
START_TEST(edit)
{
    char command[256];
    snprintf(command, sizeof command, "DIRMAINT %s", edits[_i].command);
    if (!strncmp(edits[_i].command, "FOR GUEST CPU", 13))
        refused(command, 600, "has no CPU 00"); /* CPU 01 alone */
    else {
        well(command);
        changed(edits[_i].from, edits[_i].to);
        ck_assert_msg(strstr(content(".history"), " MEMBERA OPERATOR FOR ") != NULL, "%s",
                      content(".history"));
    }
}
END_TEST

static const struct {
    const char *command;
    int rc;
    const char *why;
} bad[] = {
    {"FOR NOBODY IPL 191", 53, "HCPDRM053E NOBODY not in CP directory"},
    {"FOR LINUX1 IPL", 26, "HCPCMD026E"},
    {"FOR LINUX1 FROB", 2, "HCPCMD002E Invalid operand - FROB"},
    {"FOR LINUX1 STORAGE 4G", 600, "expected a maximum of at least the initial storage"},
    {"FOR LINUX1 STORAGE LOTS", 600, "expected a storage size (512M, 2G), found LOTS"},
    {"FOR LINUX1 CLASS ?", 600, "privilege classes"},
    {"FOR LINUX1 PW NINECHARS", 600, "1-8 characters"},
    {"FOR GUEST AMDISK 200 3390 1 1 VOL001", 600, "there is a minidisk with this number"},
    {"FOR GUEST AMDISK 201 3390 5 1 VOL001", 600, "overlaps 0191 of LINUX1"},
    {"FOR GUEST AMDISK 201 3390 5 1 VOL009", 600, "volume VOL009 is in no volume list"},
    {"FOR GUEST DMDISK 201", 600, "no such minidisk"},
    {"FOR GUEST RMDISK 201 3390 300 5 VOL001", 600, "no such minidisk"},
    {"FOR GUEST RMDISK 200 3390 5 1 VOL001", 600, "overlaps 0191 of LINUX1"},
    {"FOR GUEST AMDISK 201 3390 AUTOV 5 VOL009", 600, "not online here"},
    {"FOR GUEST AMDISK 201 3390 AUTOV 900 VOL001", 600, "the volume is smaller"},
    {"FOR GUEST AMDISK 201 3390 AUTOV 299 VOL001", 600, "no such gap"},
    {"FOR GUEST AMDISK 201 3390 AUTOV LOTS VOL001", 600, "a size is a number"},
    {"FOR GUEST LINK LINUX1 999 999", 600, "there is no such minidisk"},
    {"FOR GUEST IPL DELETE", 600, "no such statement"},
    {"FOR GUEST COMMAND DELETE X", 600, "no such statement"},
    {"FOR LINUX1 LOGONBY ADD GUEST OPERATOR", 600, "there already"},
    {"FOR GUEST CONSOLE 9 9999", 600, "expected 3215 or 3270"},
    {"FOR GUEST INCLUDE NIX", 600, "expected the name of a PROFILE"},
    {"ADD GUEST LIKE LINUX1", 54, "HCPDRM054E GUEST is in the CP directory already"},
    {"ADD OTHER LIKE NOBODY", 53, "HCPDRM053E NOBODY"},
    {"ADD OTHER LIKE LINUX1", 600, "overlaps"},
    {"ADD OTHER", 42, "HCPDRM042E File OTHER is not in your reader"},
    {"PURGE NOBODY", 53, "HCPDRM053E"},
    {"FOR LINUX1 UNLOCK", 3601, "DVHLOC3601E Directory entry LINUX1 is already unlocked."},
};

/* Refused, with nothing changed and no line in the history. */
START_TEST(bad_edit)
{
    char command[256];
    snprintf(command, sizeof command, "DIRMAINT %s", bad[_i].command);
    refused(command, bad[_i].rc, bad[_i].why);
    ck_assert_str_eq(content(""), base);
    ck_assert_str_eq(content(".history"), "");
}
END_TEST

/* What goes is told, and goes. */
START_TEST(purge_tells_of_links)
{
    const char *text = unfolded(oper("DIRM PURGE GUEST"));
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_msg(strstr(text, "LINK of LINUX1 to GUEST 0200: there is no such user ") != NULL,
                  "%s", text);
}
END_TEST

/* Its own entry, and of that the password; class G. */
START_TEST(who_may)
{
    on(0, "", "LOGON GUEST PASS");
    on(0, "GUEST", "DIRM FOR LINUX1 REVIEW");
    ck_assert_int_eq(resp.rc, 603);
    on(0, "GUEST", "DIRM STORAGE 128M");
    ck_assert_int_eq(resp.rc, 603);
    on(0, "GUEST", "DIRM PURGE GUEST");
    ck_assert_int_eq(resp.rc, 603);
    on(0, "GUEST", "DIRM DIRECT");
    ck_assert_int_eq(resp.rc, 603);
    on(0, "GUEST", "DIRM PW NOPASS");
    ck_assert_int_eq(resp.rc, 2);
    ck_assert_str_eq(content(""), base);
    ck_assert_ptr_nonnull(strstr(on(0, "GUEST", "DIRM REVIEW"),
                                 "|user guest ******** 64M| mdisk 200 3390 100 10 VOL001|"));
    on(0, "GUEST", "DIRM PW better");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_ptr_null(strcasestr(content(""), "better"));
    ck_assert_ptr_null(strcasestr(content(".history"), "better"));
    on(0, "GUEST", "LOGOFF");
    REFUSED(on(0, "", "LOGON GUEST PASS"), 50, "HCPLGA050E");
    on(0, "", "LOGON GUEST BETTER");
    ck_assert_int_eq(resp.rc, 0);
}
END_TEST

START_TEST(review_hides_passwords)
{
    const char *text = oper("DIRM FOR LINUX1 REVIEW");
    ck_assert_ptr_nonnull(strstr(text, "|USER LINUX1 ******** 512M 2G G| MACHINE ESA 4|"));
    ck_assert_ptr_nonnull(strstr(text, " MDISK 0191 3390 1 10 VOL001 MR ******** ********|"));
    ck_assert_ptr_null(strstr(text, "SECRET"));
    well("DIRM FOR LINUX1 AMDISK 300 FB-512 V-DISK 100 MR PW READPW WRITPW MULTPW");
    well("DIRM FOR LINUX1 AMDISK 301 3390 T-DISK 10 MR PW READPW ALL");
    text = oper("DIRM FOR LINUX1 REVIEW");
    ck_assert_ptr_nonnull(strstr(text, " V-DISK 100 MR ******** ******** ********|"));
    ck_assert_ptr_nonnull(strstr(text, " T-DISK 10 MR ******** ALL|"));
    ck_assert_ptr_null(strstr(text, "READPW"));
}
END_TEST

/* A session keeps what it had; the next one, and the other member, see the change. */
START_TEST(online_at_the_next_logon)
{
    on(0, "", "LOGON GUEST PASS");
    const struct dir_entry *e = cp_user_entry(cp_user_find(cps[0], "GUEST"));
    well("DIRM FOR GUEST CLASS BG");
    well("DIRM FOR GUEST STORAGE 32M");
    ck_assert_ptr_eq(cp_user_entry(cp_user_find(cps[0], "GUEST")), e);
    ck_assert_uint_eq(e->storage_bytes, 64u << 20);
    on(0, "GUEST", "LOGOFF");
    on(1, "", "LOGON GUEST PASS");
    e = cp_user_entry(cp_user_find(cps[1], "GUEST"));
    ck_assert_uint_eq(e->storage_bytes, 32u << 20);
    ck_assert_uint_eq(e->classes, CP_CLASS('B') | CP_CLASS('G'));
    well("DIRM ADD THIRD LIKE OPERATOR PW WORD");
    on(1, "", "LOGON THIRD WORD");
    ck_assert_int_eq(resp.rc, 0);
    well("DIRM PURGE THIRD");
    REFUSED(on(0, "", "LOGON THIRD WORD"), 50, "HCPLGA050E");
}
END_TEST

/* What was changed by hand is online after DIRECT, or the next change; not before. */
START_TEST(changed_by_hand)
{
    char text[4096];
    snprintf(text, sizeof text, "%sUSER HAND X\n", base);
    write_file(text);
    REFUSED(on(1, "", "LOGON HAND X"), 50, "HCPLGA050E");
    well("DIRMAINT DIRECT");
    on(1, "", "LOGON HAND X");
    ck_assert_int_eq(resp.rc, 0);
    write_file("FROB\n");
    refused("DIRMAINT DIRECT", 600,
            "expected USER, IDENTITY, SUBCONFIG or PROFILE, found FROB");
    on(1, "HAND", "LOGOFF");
    on(1, "", "LOGON HAND X");
    ck_assert_int_eq(resp.rc, 0);
}
END_TEST

/* Another process holds the lock; somebody writes without it. */
START_TEST(one_at_a_time)
{
    struct dir_file f;
    struct cause cause;
    ck_assert_int_eq(dir_file_open(path, &f, &cause), ST_OK);
    refused("DIRM FOR GUEST STORAGE 32M", 600, "it is being changed by somebody else");
    write_file("USER A B\n");
    ck_assert_int_eq(dir_file_replace(&f, "USER X Y\n", "W", "w", &cause), ST_BUSY);
    ck_assert_str_eq(content(""), "USER A B\n");
    dir_file_close(&f);
    write_file(base);
    well("DIRM FOR GUEST STORAGE 32M");
}
END_TEST

START_TEST(history_is_kept)
{
    well("DIRM FOR GUEST STORAGE 32M");
    well("DIRM FOR GUEST PW HIDDEN");
    well("DIRM FOR GUEST AMDISK 201 3390 300 5 VOL001 MR RPASS");
    const char *text = oper("DIRM HISTORY 2");
    ck_assert_msg(strstr(text, "Z MEMBERA OPERATOR FOR GUEST PW #2|") != NULL, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "Z MEMBERA OPERATOR FOR GUEST AMDISK 201 #3"));
    ck_assert_ptr_null(strstr(text, "STORAGE"));
    ck_assert_ptr_null(strstr(text, "="));
    ck_assert_ptr_null(strstr(content(".history"), "RPASS"));
    ck_assert_ptr_null(strstr(content(".history"), "HIDDEN"));
}
END_TEST

/* --- entries as files ------------------------------------------------------------------------- */

/* A text into OPERATOR's reader: as a guest punches it, or as `endicott punch` sends it. */
static void punch(const char *name, const char *text, bool ebcdic)
{
    struct spool_desc desc;
    struct spool_data data;
    struct spool_file *file;
    struct cause cause;
    spool_desc_init(&desc, "OPERATOR", SPOOL_RDR);
    strcpy(desc.name, name);
    strcpy(desc.type, "DIRECT");
    spool_data_init(&data);
    while (ebcdic && *text) {
        u8 card[CARD_BYTES];
        size_t n = strcspn(text, "\n");
        memset(card, 0x40, sizeof card);
        ebcdic_from_utf8(EBCDIC_037, text, n, card, sizeof card);
        ck_assert(spool_data_add(&data, 0x41, card, sizeof card));
        text += n + 1;
    }
    if (!ebcdic)
        ck_assert(spool_data_add_cards(&data, text, strlen(text)));
    ck_assert_int_eq(spool_add(fake_spool, &desc, &data, &file, &cause), ST_OK);
    spool_data_fini(&data);
}

START_TEST(add_from_the_reader)
{
    /* the @ is what EBCDIC has for a blank, at the end of a card */
    static const char entry[] =
        "* It is n\xc3\xa9w.\nUSER NEWONE PW 32M 64M\n COMMAND MSG * 0123456789"
        "0123456789 @@\n COMMAND Q TIME\n";
    punch("NEWONE", entry, _i);
    well("DIRM ADD NEWONE");
    char want[4096];
    snprintf(want, sizeof want, "%s\n%s", base, entry);
    ck_assert_str_eq(content(""), want);
    ck_assert_uint_eq(spool_count(fake_spool, "OPERATOR", SPOOL_RDR), 0);
    punch("OTHER", entry, _i);
    refused("DIRM ADD OTHER", 600, "the file is not this entry");
    ck_assert_uint_eq(spool_count(fake_spool, "OPERATOR", SPOOL_RDR), 1);
}
END_TEST

/* GET locks, REPLACE unlocks; what comes back as it was changes nothing. */
START_TEST(get_and_replace)
{
    well("DIRM FOR LINUX1 GET");
    ck_assert_uint_eq(spool_count(fake_spool, "OPERATOR", SPOOL_RDR), 1);
    cp_command_as(cps[0], "MAINT", CP_CLASS_ANY, "DIRM FOR LINUX1 STORAGE 1G", &resp);
    ck_assert_int_eq(resp.rc, 601);
    well("DIRM FOR LINUX1 REPLACE");
    changed("    MACHINE ESA 4      \n", "    MACHINE ESA 4\n"); /* cards end in blanks */
    ck_assert_uint_eq(spool_count(fake_spool, "OPERATOR", SPOOL_RDR), 0);
    punch("LINUX1", "USER LINUX1 NEWPW 1G 2G\n MDISK 191 3390 1 10 VOL001\n", true);
    well("DIRM FOR LINUX1 REPLACE");
    ck_assert_ptr_nonnull(strstr(content(""),
                                 "* About LINUX1\nUSER LINUX1 NEWPW 1G 2G\n MDISK 191 "
                                 "3390 1 10 VOL001\n* About GUEST\nuser guest"));
    punch("LINUX1", "USER LINUX1 X\nUSER LINUX2 X\n", true);
    refused("DIRM FOR LINUX1 REPLACE", 600, "the file is not this entry");
    well("DIRM FOR LINUX1 LOCK");
    well("DIRM FOR LINUX1 UNLOCK");
    refused("DIRM FOR LINUX1 UNLOCK", 3601, "already unlocked");
}
END_TEST

/* --- the process ends at any moment ----------------------------------------------------------- */

/* Half of a long file is never seen, and what is there is one of those that were asked for. */
START_TEST(killed_at_any_moment)
{
    static char two[200000], one[100000];
    memset(one, '*', sizeof one - 2);
    memset(two, '*', sizeof two - 2);
    one[sizeof one - 2] = two[sizeof two - 2] = '\n';
    write_file(one);
    pid_t pid = fork();
    if (!pid) {
        struct dir_file f;
        struct cause cause;
        for (int i = 0;; i++) {
            if (dir_file_open(path, &f, &cause) ||
                dir_file_replace(&f, i % 2 ? one : two, "T", "t", &cause))
                _exit(1);
            dir_file_close(&f);
        }
    }
    u64 seen = 0;
    while (seen < 40) { /* until it has replaced it so often */
        struct dir_stamp stamp;
        ck_assert(dir_file_stamp(path, &stamp));
        ck_assert(stamp.size == sizeof one - 1 || stamp.size == sizeof two - 1);
        char *h = content(".history");
        for (seen = 0; *h; h++)
            seen += *h == '\n';
    }
    kill(pid, SIGKILL);
    int status;
    waitpid(pid, &status, 0);
    ck_assert(WIFSIGNALED(status));
    struct dir_file f;
    struct cause cause;
    ck_assert_int_eq(dir_file_open(path, &f, &cause), ST_OK);
    ck_assert(!strcmp(f.text, one) || !strcmp(f.text, two));
    ck_assert_int_eq(dir_file_replace(&f, base, "T", "t", &cause), ST_OK);
    dir_file_close(&f);
    struct dir_stamp stamp;
    ck_assert(dir_file_stamp(path, &stamp) && dir_file_online(path, &stamp));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_dirmaint");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, answers);
    tcase_add_loop_test(t, edit, 0, (int)ARRAY_LEN(edits));
    tcase_add_loop_test(t, bad_edit, 0, (int)ARRAY_LEN(bad));
    tcase_add_test(t, purge_tells_of_links);
    tcase_add_test(t, who_may);
    tcase_add_test(t, review_hides_passwords);
    tcase_add_test(t, online_at_the_next_logon);
    tcase_add_test(t, changed_by_hand);
    tcase_add_test(t, one_at_a_time);
    tcase_add_test(t, history_is_kept);
    tcase_add_loop_test(t, add_from_the_reader, 0, 2);
    tcase_add_test(t, get_and_replace);
    tcase_add_test(t, killed_at_any_moment);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
