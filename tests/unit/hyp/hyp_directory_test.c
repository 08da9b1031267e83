/* USER DIRECT: entries as one member sees them, and every bad line with its place.
 * Run alone: tests/run unit/hyp_directory_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config.h"
#include "hyp/config/directory_internal.h"
#include "hyp/config/syntax.h"
#include "hyp/password.h"
#include "tests/lib/faults_text.h"

static struct directory *dir;
static struct cause cause;

static void teardown(void)
{
    directory_free(dir);
    dir = NULL;
}

static int parse(const char *text, const char *member)
{
    return directory_parse("user.direct", text, member, &dir, &cause);
}

/* MACHINE says how many CPUs there may be; those that there are at logon have CPU statements, or
 * are the base CPU. The entry's own statements come before its profile's. */
START_TEST(cpus_at_logon)
{
    ck_assert_msg(parse("PROFILE P\n CPU 0 BASE CPUID 111111\n CPU 1\n"
                        "USER ONE NOPASS 1M 1M\n MACHINE ESA 4\n"
                        "USER TWO NOPASS 1M 1M\n INCLUDE P\n MACHINE ESA 8\n CPU 2 BASE\n"
                        " CPU 0 CPUID 222222\n",
                        "A") == ST_OK,
                  "%s", cause.text);
    const struct dir_entry *e = directory_find(dir, "ONE");
    ck_assert_uint_eq(e->cpu_count, 1);
    ck_assert_uint_eq(e->cpus_max, 4);
    ck_assert(e->cpus[0].base && e->cpus[0].addr == 0);
    e = directory_find(dir, "TWO");
    ck_assert_uint_eq(e->cpu_count, 3);
    ck_assert(!e->cpus[0].base && !e->cpus[1].base && e->cpus[2].base);
    ck_assert_uint_eq(e->cpus[0].cpuid, 0x222222);
    ck_assert_uint_eq(e->cpus[2].addr, 2);
    directory_free(dir);
    dir = NULL;
    ck_assert_int_eq(parse("USER A NOPASS 1M 1M\n CPU 1\n CPU 1\n", "A"), ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(cause.text, "each CPU once"));
    ck_assert_int_eq(parse("USER A NOPASS 1M 1M\n CPU 0 BASE\n CPU 1 BASE\n", "A"), ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(cause.text, "one BASE CPU"));
}
END_TEST

static const char good[] =
    "* a comment\nDIRECTORY 0123 3390 540RES\n"
    "PROFILE LIN\n CPU 0 BASE\n CPU 1\n SPOOL 00C 2540 READER *\n SPOOL 00E 1403 A\n"
    " SHARE REL 200\n"
    "IDENTITY OPER sesame 32M 64M ABCDEFG\n  build on A using subconfig OPER-1\n"
    "  BUILD ON * USING SUBCONFIG OPER-2\n  CONSOLE 009 3215 T\n"
    "SUBCONFIG OPER-1\n ACCOUNT ONE\n"
    "SUBCONFIG OPER-2\n ACCOUNT TWO\n CPU 3\n"
    "USER LINUX1 secret 512M 2G G\n INCLUDE LIN\n MACHINE Z 8\n"
    " IPL 00C LOADPARM abc PARM ro Quiet  x=1\n CONSOLE 0009 3215 T OPER\n"
    " OPTION LNKNOPAS MAXCONN 128 TODENABLE\n SHARE ABS 10.5% 20% LIMITHARD\n"
    " ACCOUNT 1234\n COMMAND SET RUN ON\n COMMAND MSG * Hello World\n"
    " VMRELOCATE ON DOMAIN ALPHA\n XAUTOLOG OPER LINUX2\n"
    "USER AUTO AUTOONLY\nUSER NOP NOPASS 1M 1M\n VMRELOCATE OFF\nUSER A_B NOLOG\n";

START_TEST(good_entries)
{
    ck_assert_msg(parse(good, "A") == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(directory_count(dir), 5);
    const struct dir_entry *e = directory_find(dir, "linux1");
    ck_assert_ptr_nonnull(e);
    ck_assert_uint_eq(e->storage_bytes, 512ull << 20);
    ck_assert_uint_eq(e->storage_max_bytes, 2ull << 30);
    ck_assert_uint_eq(e->classes, CP_CLASS('G'));
    ck_assert_uint_eq(e->cpus_max, 8);
    ck_assert_uint_eq(e->cpu_count, 2);
    ck_assert(e->cpus[0].base && !e->cpus[1].base);
    ck_assert(e->ipl.present && e->ipl.vdev == 0xc && !e->ipl.is_name);
    ck_assert_str_eq(e->ipl.parm, "ro Quiet  x=1");
    ck_assert_str_eq(e->ipl.loadparm, "ABC");
    ck_assert_uint_eq(e->spool_count, 2);
    ck_assert_uint_eq(e->spools[0].kind, DIR_SPOOL_READER);
    ck_assert_uint_eq(e->spools[1].devtype, 0x1403);
    ck_assert_uint_eq(e->options, DIR_OPT_LNKNOPAS | DIR_OPT_TODENABLE);
    ck_assert_uint_eq(e->maxconn, 128);
    ck_assert(e->share.least.absolute && e->share.least.n == 105 && e->share.most.n == 200);
    ck_assert_int_eq(e->share.limit, SHARE_LIMITHARD);
    ck_assert_uint_eq(e->command_count, 2);
    ck_assert_str_eq(e->commands[1], "MSG * Hello World");
    ck_assert_str_eq(e->domain, "ALPHA");
    ck_assert_str_eq(e->console_secuser, "OPER");
    ck_assert_uint_eq(e->xautolog_count, 2);
    ck_assert(e->relocate);
    ck_assert_ptr_nonnull(directory_find(dir, "a_b"));
    ck_assert_ptr_null(directory_find(dir, "OPER-1"));
    ck_assert_ptr_null(directory_find(dir, "NOBODYATALL"));
}
END_TEST

START_TEST(disks_and_other_devices)
{
    ck_assert_msg(parse("PROFILE P\n LINK MAINT 0190 0190\n SPECIAL 20 3270\n"
                        "USER A X\n INCLUDE P\n"
                        " MDISK 191 3390 0005 010 vol001 MR All wr\n MINIOPT NOCACHE\n"
                        " MDISK 192 FB-512 V-DISK 2000\n MDISK 193 3390 T-DISK 5 W\n"
                        " MDISK 194 3390 DEVNO 0A00 MW\n MDISK 195 3390 100 END VOL002\n"
                        " LINK * 191 291 MW\n DEDICATE 181 580 R/O\n"
                        " DEDICATE 300 VOLID VOL003\n",
                        "A") == ST_OK,
                  "%s", cause.text);
    const struct dir_entry *e = directory_find(dir, "A");
    const struct dir_mdisk *m = e->mdisks;
    ck_assert_uint_eq(e->mdisk_count, 5);
    ck_assert(m[0].vdev == 0x191 && m[0].start == 5 && m[0].count == 10 &&
              m[0].mode == LINK_MR);
    ck_assert_str_eq(m[0].volid, "VOL001");
    ck_assert_str_eq(m[0].password[0], "ALL");
    ck_assert_str_eq(m[0].password[1], "WR");
    ck_assert_str_eq(m[0].password[2], "");
    ck_assert(m[1].kind == DIR_MDISK_VIRTUAL && m[1].count == 2000 && m[1].type == 0x9336);
    ck_assert(m[2].kind == DIR_MDISK_TEMP && m[2].mode == LINK_W);
    ck_assert(m[3].kind == DIR_MDISK_DEVNO && m[3].rdev == 0xa00);
    ck_assert(m[4].start == 100 && m[4].count == DIR_MDISK_END && m[4].mode == LINK_W);
    ck_assert_uint_eq(e->link_count, 2);
    ck_assert(e->links[0].vdev == 0x190 && e->links[0].mode == LINK_R);
    ck_assert(e->links[1].owner_vdev == 0x191 && e->links[1].vdev == 0x291);
    ck_assert_str_eq(e->links[1].owner, "*");
    ck_assert_uint_eq(e->dedicate_count, 2);
    ck_assert(e->dedicates[0].read_only && e->dedicates[0].rdev == 0x580);
    ck_assert_str_eq(e->dedicates[1].volid, "VOL003");
    ck_assert(e->special_count == 1 && e->specials[0] == 0x20);
}
END_TEST

static char told[8192];

/* Faults of a check, one a line: severity, place, text. */
static const char *check_text(const char *text, const struct dir_check_for *whom,
                              unsigned members)
{
    struct faults faults = {0};
    directory_check("f", text, whom, members, &faults);
    return faults_text(&faults, told, sizeof told);
}

/* Good statements that do not go together. */
START_TEST(what_does_not_go_together)
{
    ck_assert_str_eq(
        check_text("USER A NOLOG\n CONSOLE 9 3215 T NIX\n MDISK 200 3390 0 END V\n"
                   " MDISK 201 3390 10 10 V\n MDISK 202 3390 20 5 V\n"
                   "USER B NOLOG\n MDISK 300 3390 24 2 V\n MDISK 301 3390 15 1 V\n"
                   " MDISK 302 3390 24 2 W\n LINK A 201 401\n LINK A 299 402\n"
                   "  LINK NOBODY 1 403\n LINK * 300 404\n LINK A 401 405\n"
                   "USER C LBYONLY\n SPOOL C 2540 READER\n MDISK C 3390 30 1 V\n"
                   " DEDICATE D 580\n LINK B 401 D\n IPL 777\n"
                   "USER D NOPASS\n LINK D 2 1\n LINK * 1 2\n CPU 1\n CPU 3\n XAUTOLOG A NIX\n"
                   "USER E D\n LOGONBY A\n LOGONBY NIX\n MDISK 1 3390 1 1 X MR R ALL\n",
                   NULL, 0),
        "w 2:2: CONSOLE of A: there is no user NIX|"
        "n 3:2: minidisk 0200 of A is all of V, over 5 others|"
        "w 7:2: minidisk 0300 of B overlaps 0202 of A (line 5) on V|"
        "w 8:2: minidisk 0301 of B overlaps 0201 of A (line 4) on V|"
        "w 11:2: LINK of B to A 0299: there is no such minidisk|"
        "w 12:3: LINK of B to NOBODY 0001: there is no such user|"
        "w 14:2: LINK of B to A 0401: there is no such minidisk|"
        "w 15:1: nobody can log on C: LBYONLY without LOGONBY|"
        "w 17:2: device 000C of C is defined more than once (line 16)|"
        "w 19:2: device 000D of C is defined more than once (line 18)|"
        "w 20:2: C has no device 0777 to IPL from|"
        "w 21:1: D has no CPU 00: there are as many CPUs from 00 on|"
        "n 21:1: D logs on without a password|"
        "w 22:2: LINK of D to D 0002: links lead in a circle or through too many users|"
        "w 23:2: LINK of D to * 0001: links lead in a circle or through too many users|"
        "w 26:13: XAUTOLOG of D: there is no user NIX|"
        "n 27:1: 1 password is in clear; `endicott directory hash` hides them|"
        "w 28:10: LOGONBY of E: A has no password|"
        "w 29:10: LOGONBY of E: there is no user NIX|"
        "n 30:2: everybody may write on minidisk 0001 of E|");
}
END_TEST

/* A second CONSOLE, which is not one instead of a profile's; an adapter takes three numbers. */
START_TEST(consoles_and_adapters)
{
    ck_assert_str_eq(
        check_text("PROFILE P\n CONSOLE 9 3215 T A\nUSER A NOLOG\n INCLUDE P\n"
                   " CONSOLE 9 3215 T B OBSERVER\n CONSOLE 1F 3270\n NICDEF 600 TYPE QDIO\n"
                   " NICDEF 600 LAN SYSTEM V\n SPECIAL 602 3270\nUSER B NOLOG\n INCLUDE P\n"
                   " CONSOLE 9 3215\n",
                   NULL, 0),
        "w 6:2: A has a CONSOLE before this one, which counts no more|"
        "w 9:2: device 0602 of A is defined more than once (line 7)|");
}
END_TEST

/* All pairs, not only neighbours. */
START_TEST(every_overlap)
{
    ck_assert_str_eq(check_text("USER A NOLOG\n MDISK 1 3390 1 100 V\n MDISK 2 3390 5 2 V\n"
                                " MDISK 3 3390 6 9 V\n MDISK 4 3390 101 1 V\n",
                                NULL, 0),
                     "w 3:2: minidisk 0002 of A overlaps 0001 of A (line 2) on V|"
                     "w 4:2: minidisk 0003 of A overlaps 0001 of A (line 2) on V|"
                     "w 4:2: minidisk 0003 of A overlaps 0002 of A (line 3) on V|");
}
END_TEST

static const char identities[] =
    "PROFILE UNUSED\nIDENTITY OP NOLOG\n BUILD ON A USING SUBCONFIG S1\n"
    " BUILD ON B USING SUBCONFIG S2\n MDISK 200 3390 50 5 V\n"
    "IDENTITY OQ NOLOG\n BUILD ON A USING SUBCONFIG S1\n BUILD ON A USING SUBCONFIG S4\n"
    "SUBCONFIG S1\n MDISK 191 3390 10 10 V\nSUBCONFIG S2\n MDISK 191 3390 19 10 V\n"
    "SUBCONFIG S3\nSUBCONFIG S4\nUSER X NOLOG\n LINK OP 191 291\n";

/* An extent that two members see is one; extents of two members' parts are compared. */
START_TEST(identities_of_members)
{
    ck_assert_str_eq(check_text(identities, NULL, 0),
                     "w 1:1: PROFILE UNUSED is used by nobody|"
                     "w 7:2: SUBCONFIG S1 is built on A for OP, too (line 3)|"
                     "w 8:2: OQ has been built on A in line 7|"
                     "w 12:2: minidisk 0191 of OP at B overlaps 0191 of OP at A (line 10) on V|"
                     "w 13:1: SUBCONFIG S3 is used by nobody|");
}
END_TEST

/* With a member's configuration: volumes, domains, members. */
START_TEST(looked_up_in_the_configuration)
{
    struct system_config *config = calloc(1, sizeof *config);
    const struct dir_check_for whom = {"MEMBERA", config};
    strcpy(config->member, "MEMBERA");
    ck_assert_msg(!config_parse_system(config, "c",
                                       "SSI C PDR_VOLUME P SLOT 1 MEMBERA\nUSER_VOLUME_LIST P\n"
                                       "USER_VOLUME_INCLUDE LX*\n",
                                       &cause),
                  "%s", cause.text);
    ck_assert_str_eq(check_text("IDENTITY A NOLOG\n BUILD ON NIX USING SUBCONFIG S\n"
                                "SUBCONFIG S\nUSER B NOLOG\n MDISK 1 3390 1 1 P\n"
                                " MDISK 2 3390 1 1 LX7\n MDISK 3 3390 1 1 Q\n"
                                " VMRELOCATE ON DOMAIN FAR\nUSER C NOLOG\n"
                                " VMRELOCATE ON DOMAIN SSI\n",
                                &whom, 1),
                     "w 2:2: BUILD ON of A: there is no member NIX|"
                     "w 7:2: minidisk 0003 of B: volume Q is in no volume list of MEMBERA|"
                     "w 8:23: VMRELOCATE of B: there is no domain FAR|");
    free(config);
}
END_TEST

/* Not the first bad statement only; those of a PROFILE once, whoever includes it. */
START_TEST(every_bad_statement)
{
    ck_assert_str_eq(
        check_text("PROFILE P\n FROB\nUSER A NOLOG\n INCLUDE P\n INCLUDE NIX\n"
                   "USER B\n MACHINE 370\nUSER C NOLOG\n INCLUDE P\n SYSAFFIN A\n"
                   "USER A NOLOG\nUSER LONGUSERID X\n FROB\nUSER D LONGPASSWORD\n",
                   NULL, 0),
        "e 2:2: expected a directory statement, found FROB|"
        "e 5:10: expected the name of a PROFILE in this directory, found NIX|"
        "e 6:7: expected a password, NOPASS, AUTOONLY, LBYONLY or NOLOG, found end "
        "of statement|"
        "e 7:10: expected ESA, XA or Z, found 370|"
        "e 10:2: statement SYSAFFIN not available yet|"
        "e 11:1: expected each user id once, found A again|"
        "e 12:6: expected a user id of 1-8 characters, found LONGUSERID|"
        "e 13:2: expected a directory statement, found FROB|"
        "e 14:8: expected a password of 1-8 characters, found a longer one|");
}
END_TEST

START_TEST(iucv_statements)
{
    static const struct dir_iucv rows[] = {
        {"ALLOW", false, 100}, {"ANY", true, 0}, {"*MSG", false, 65535}, {"LINUX2", true, 7}};
    ck_assert_msg(parse("USER A X\n IUCV ALLOW MSGLIMIT 100\n IUCV any PRIORITY\n"
                        " IUCV *MSG MSGLIMIT 65535\n IUCV LINUX2 PRIORITY MSGLIMIT 7\n",
                        "A") == ST_OK,
                  "%s", cause.text);
    const struct dir_entry *e = directory_find(dir, "A");
    ck_assert_uint_eq(e->iucv_count, ARRAY_LEN(rows));
    ck_assert_uint_eq(e->maxconn, 64);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        ck_assert_str_eq(e->iucv[i].name, rows[i].name);
        ck_assert(e->iucv[i].priority == rows[i].priority);
        ck_assert_uint_eq(e->iucv[i].limit, rows[i].limit);
    }
}
END_TEST

START_TEST(bad_iucv_statements)
{
    char many[1024] = "USER A X\n";
    ck_assert_int_eq(parse("USER A X\n IUCV ALLOW MSGLIMIT 0\n", "A"), ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(cause.text, "user.direct:2:22: expected a number from 1"));
    ck_assert_int_eq(parse("USER A X\n IUCV LONGUSERID\n", "A"), ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(cause.text, "found LONGUSERID"));
    for (unsigned i = 0; i <= DIR_IUCV_MAX; i++)
        strcat(many, " IUCV ANY\n");
    ck_assert_int_eq(parse(many, "A"), ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(cause.text, "at most 32 IUCV statements"));
}
END_TEST

/* Said once each, with the place of the first. */
START_TEST(no_effect_yet)
{
    ck_assert_str_eq(check_text("USER A NOLOG\n NICDEF 600 TYPE QDIO LAN SYSTEM VSW1\n"
                                " NICDEF 700 TYPE QDIO\n OPTION LNKNOPAS ACCT MAXCONN 8\n"
                                " CPU 0 NODEDICATE\n SPECIAL 800 TIMER\n DISTRIB BIN1\n"
                                "USER B NOLOG\n OPTION ACCT\n",
                                NULL, 0),
                     "n 4:18: OPTION ACCT is accepted and has no effect yet|"
                     "n 6:14: SPECIAL TIMER is accepted and has no effect yet|");
}
END_TEST

/* What must stand before a statement of this name, and what takes the place of its operands. */
static const struct {
    const char *name, *before, *operands;
} set_up[] = {{"MINIopt", " MDISK 191 3390 1 1 V\n", NULL},
              {"MDisk", "", "0191 3390 1 10 VOL001 MR RPW WPW MPW"},
              {"IPL", "", "NAME1 LOADPARM WORD PARM TEXT"},
              {"SHAre", "", "RELATIVE 100 200 LIMITSOFT"},
              {"CLass", "", "BG"},
              {"CONsole", "", "0009 3215 T USER1 OBSERVER"},
              {"SPool", "", "000C 2540 READER A"},
              {"LInk", "", "USER1 0191 0192 RR"},
              {"CPU", "", "0A"},
              {"SPEcial", "", "0500"},
              {"User", NULL, NULL},
              {"IDEntity", NULL, NULL},
              {"SUBconfig", NULL, NULL},
              {"PROFile", NULL, NULL},
              {"BUILD", NULL, NULL},
              {"INClude", NULL, NULL}};

/* An entry with the statement of row i, for an operand row with these; "" = not by itself. */
static void row_text(unsigned i, char *out, size_t room)
{
    char operands[1024], more[512] = "";
    const struct stmt_row *row = &dir_statements.rows[i], *head = row;
    const char *before = "";
    while (!head->name)
        head--;
    syntax_example(head->operands, operands, sizeof operands);
    for (size_t k = 0; k < ARRAY_LEN(set_up); k++) {
        if (strcmp(set_up[k].name, head->name))
            continue;
        before = set_up[k].before;
        if (set_up[k].operands)
            snprintf(operands, sizeof operands, "%s", set_up[k].operands);
    }
    if (row != head)
        syntax_example(row->operands, more, sizeof more);
    else if (!*operands && !head[1].name && head[1].stmt == head->stmt)
        syntax_example(head[1].operands, more, sizeof more);
    else if (!strcmp(head->name, "SPEcial"))
        strcpy(more, "3270");
    out[0] = 0;
    if (before)
        snprintf(out, room, "USER A NOLOG 1M 4M\n%s %s %s %s\n", before, head->name, operands,
                 more);
}

/* What the table shows is what is accepted, has a note when it has no effect yet, or is refused. */
START_TEST(row_of_the_table)
{
    const struct stmt_row *row = &dir_statements.rows[_i], *head = row;
    char text[2048];
    struct faults faults = {0};
    while (!head->name)
        head--;
    row_text((unsigned)_i, text, sizeof text);
    if (!*text || dir_before_entries(head->name)) /* other tests have these */
        return;
    directory_check("f", text, NULL, 0, &faults);
    bool refused = row->effect == STMT_REFUSED;
    ck_assert_msg(faults.of_kind[FAULT_ERROR] == (refused ? 1u : 0u), "%s%s", text,
                  faults.count ? faults.all[0].text : "");
    bool note = false;
    for (unsigned i = 0; i < faults.count; i++)
        note |= strstr(faults.all[i].text, "has no effect yet") != NULL;
    if (refused)
        ck_assert_ptr_nonnull(strstr(faults.all[0].text, "not available yet"));
    else if (head == row || row->effect == STMT_LATER)
        ck_assert_msg(note == (row->effect == STMT_LATER), "%s", text);
    faults_free(&faults);
}
END_TEST

START_TEST(identity_per_member)
{
    ck_assert_msg(parse(good, "a") == ST_OK, "%s", cause.text);
    const struct dir_entry *e = directory_find(dir, "OPER");
    ck_assert_int_eq(e->kind, DIR_IDENTITY);
    ck_assert_str_eq(e->subconfig, "OPER-1");
    ck_assert_str_eq(e->account, "ONE");
    ck_assert(!e->relocate);
    directory_free(dir);
    ck_assert_msg(parse(good, "B") == ST_OK, "%s", cause.text);
    e = directory_find(dir, "OPER");
    ck_assert_str_eq(e->account, "TWO");
    ck_assert_uint_eq(e->cpus[0].addr, 3);
    ck_assert(e->cpus[0].base);
    char text[33];
    ck_assert_str_eq(directory_classes_text(e->classes, text), "ABCDEFG");
}
END_TEST

START_TEST(passwords)
{
    ck_assert_int_eq(parse(good, "A"), ST_OK);
    const struct dir_entry *e = directory_find(dir, "LINUX1");
    ck_assert(directory_password_ok(e, "SECRET"));
    ck_assert(directory_password_ok(e, "secret"));
    ck_assert(!directory_password_ok(e, "SECRE"));
    ck_assert(!directory_password_ok(e, "SECRETX"));
    ck_assert(!directory_password_ok(e, "SECRETXXXXXX"));
    ck_assert(!directory_password_ok(e, ""));
    ck_assert(!directory_password_ok(directory_find(dir, "AUTO"), ""));
    ck_assert(!directory_password_ok(directory_find(dir, "AUTO"), "AUTOONLY"));
    ck_assert(!directory_password_ok(directory_find(dir, "A_B"), "NOLOG"));
    ck_assert(directory_password_ok(directory_find(dir, "NOP"), ""));
}
END_TEST

/* By either method, folded to capitals; the hash is kept as it is written. */
START_TEST(hashed_passwords)
{
    static const char *const methods[] = {NULL, "yescrypt", "sha512"};
    char hash[DIR_PASSWORD_BYTES], text[256];
    ck_assert_msg(!directory_hash("Secret", methods[_i], hash, &cause), "%s", cause.text);
    ck_assert(directory_hash_ok(hash));
    snprintf(text, sizeof text, "USER A %s 1M 2M G\nUSER B NOLOG\n", hash);
    ck_assert_msg(parse(text, "M") == ST_OK, "%s", cause.text);
    const struct dir_entry *e = directory_find(dir, "A");
    ck_assert_str_eq(e->password, hash);
    ck_assert(directory_password_ok(e, "secret") && directory_password_ok(e, "SECRET"));
    ck_assert(!directory_password_ok(e, "SECRE") && !directory_password_ok(e, ""));
    ck_assert(!directory_password_ok(e, hash) && !directory_password_ok(e, "SECRETXXX"));
    ck_assert_str_eq(check_text(text, NULL, 0), "");
    ck_assert_int_eq(directory_hash("", NULL, hash, &cause), ST_INVAL);
    ck_assert_int_eq(directory_hash("ninechars", NULL, hash, &cause), ST_INVAL);
    ck_assert_int_eq(directory_hash("a b", NULL, hash, &cause), ST_INVAL);
    ck_assert_int_eq(directory_hash("ok", "md5", hash, &cause), ST_INVAL);
}
END_TEST

/* Line-editing characters of USER: line end, line delete, character delete, escape. */
START_TEST(edit_characters)
{
    ck_assert_int_eq(parse("USER A X 1M 1M G 50 ON OFF ! 5F\nUSER B X\n", "M"), ST_OK);
    const struct dir_entry *e = directory_find(dir, "A");
    const char want[] = {DIR_EDIT_DEFAULT, 0, '!', DIR_EDIT_DEFAULT};
    ck_assert_mem_eq(e->edit, want, sizeof want);
    e = directory_find(dir, "B");
    ck_assert(e->edit[0] == DIR_EDIT_DEFAULT && e->edit[3] == DIR_EDIT_DEFAULT);
}
END_TEST

static const struct {
    const char *text, *cause;
} bad[] = {
    {"", "user.direct:1:1: expected a USER, found end of file"},
    {"MACHINE ESA\n",
     "user.direct:1:1: expected USER, IDENTITY, SUBCONFIG or PROFILE, found MACHINE"},
    {"USER\n", "user.direct:1:5: expected a user id of 1-8 characters, found end of statement"},
    {"USER LONGUSERID X\n",
     "user.direct:1:6: expected a user id of 1-8 characters, found LONGUSERID"},
    {"USER A\n", "user.direct:1:7: expected a password, NOPASS, AUTOONLY, LBYONLY or NOLOG, "
                 "found end of statement"},
    {"USER A VERYSECRETWORD\n",
     "user.direct:1:8: expected a password of 1-8 characters, found a longer one"},
    {"USER A X 512\n", "user.direct:1:10: expected a storage size (512M, 2G), found 512"},
    {"USER A X 2G 1G\n",
     "user.direct:1:13: expected a maximum of at least the initial storage, found 1G"},
    {"USER A X 1M 1M G?\n", "user.direct:1:16: expected privilege classes A-Z, 1-6, found G?"},
    {"USER A X\nUSER B X\nUSER a X\n", "user.direct:3:1: expected each user id once, found A "
                                       "again"},
    {"USER A X\n FROB 1\n", "user.direct:2:2: expected a directory statement, found FROB"},
    {"USER A X\n MDISK 191 3380 1 10 VOL\n",
     "user.direct:2:12: expected device type 3390, 9336 or FB-512, found 3380"},
    {"USER A X\n MDISK 191 3390 ONE 10 VOL\n",
     "user.direct:2:17: expected where the minidisk begins, T-DISK, V-DISK or DEVNO, found ONE"},
    {"USER A X\n MDISK 191 3390 1 0 VOL\n",
     "user.direct:2:19: expected a number of cylinders or blocks, or END, found 0"},
    {"USER A X\n MDISK 191 3390 1 10\n",
     "user.direct:2:21: expected a volume identifier of 1-6 characters, found end of statement"},
    {"USER A X\n MDISK 191 3390 1 10 VOL MX\n",
     "user.direct:2:26: expected mode R, RR, W, WR, M, MR, MW, SR, SW, SM, ER, EW, with V of a "
     "write mode, found MX"},
    {"USER A X\n MDISK 191 3390 1 10 VOL MR ALL TOOLONGPW\n",
     "user.direct:2:33: expected a password of 1-8 characters, found a longer one"},
    {"USER A X\n MDISK 191 3390 V-DISK 10\n",
     "user.direct:2:12: expected FB-512 for a V-DISK, found 3390"},
    {"USER A X\n MDISK 191 3390 1 1 V\n MDISK 191 3390 2 1 V\n",
     "user.direct:3:8: expected each virtual device number once, found 191"},
    {"USER A X\n MINIOPT NOCACHE\n",
     "user.direct:2:2: expected an MDISK before MINIOPT, found MINIOPT"},
    {"USER A X\n MDISK 191 3390 1 1 V\n MINIOPT FAST\n",
     "user.direct:3:10: expected CACHE, NOCACHE, RECORDMDC or TRACKMDC, found FAST"},
    {"USER A X\n LINK MAINT XYZ\n", "user.direct:2:13: expected a device number, found XYZ"},
    {"USER A X\n LINK MAINT 190 190 QQ\n",
     "user.direct:2:21: expected mode R, RR, W, WR, M, MR, MW, SR, SW, SM, ER or EW, found QQ"},
    {"USER A X\n SPECIAL 20 3215\n",
     "user.direct:2:13: expected an operand of SPECIAL, found 3215"},
    {"USER A X\n NICDEF 600 TYPE FAST\n",
     "user.direct:2:18: expected HIPERSOCKETS or QDIO or IEDN or INMN, found FAST"},
    {"USER A X\n NICDEF\n",
     "user.direct:2:8: expected a virtual device number, found end of statement"},
    {"USER A X\n NICDEF 600 VLAN 10 4095\n",
     "user.direct:2:21: expected an operand of NICDEF, found 4095"},
    {"USER A X\n NICDEF 600 PORTNUMBER 2049\n",
     "user.direct:2:24: expected a port number from 1 to 2048, found 2049"},
    {"USER A X\n CRYPTO\n",
     "user.direct:2:8: expected an operand of CRYPTO, found end of statement"},
    {"USER A X\n MACHINE XC\n", "user.direct:2:10: statement MACHINE XC not available yet"},
    {"USER A X\n SYSAFFIN A\n", "user.direct:2:2: statement SYSAFFIN not available yet"},
    {"USER A $7$abcdefghijk\n",
     "user.direct:1:8: expected a hashed password that crypt(3) knows, found another one"},
    {"USER A X 1M 1M G 50 ONE\n",
     "user.direct:1:21: expected ON, OFF, a character or its code, found ONE"},
    {"USER A X\n DEDICATE 1 XYZ\n", "user.direct:2:13: expected a device number, found XYZ"},
    {"USER A X\n DEDICATE 1 2 R/W\n",
     "user.direct:2:15: expected MULTIUSER or NOQIOASSIST or NOIOASSIST or SYSCTL or USERCTL, "
     "found R/W"},
    {"USER A X\n MACHINE 370\n", "user.direct:2:10: expected ESA, XA or Z, found 370"},
    {"USER A X\n MACHINE ESA 65\n",
     "user.direct:2:14: expected a number of CPUs from 1 to 64, found 65"},
    {"USER A X\n CPU ZZ\n", "user.direct:2:6: expected a CPU address from 0 to 3F, found ZZ"},
    {"USER A X\n CPU 0\n CPU 0\n", "user.direct:3:6: expected each CPU once, found 0"},
    {"USER A X\n CPU 0 BASE\n CPU 1 BASE\n", "user.direct:3:6: expected one BASE CPU, found 1"},
    {"USER A X\n CPU 0 FAST\n",
     "user.direct:2:8: expected BASE, CPUID, DEDICATE, NODEDICATE or TYPE, found FAST"},
    {"USER A X\n CPU 0 TYPE GP\n",
     "user.direct:2:13: expected CP, ZAAP, IFL, ICF or ZIIP, found GP"},
    {"USER A X\n IPL\n", "user.direct:2:5: expected a virtual device number or the name of a "
                         "saved system, found end of statement"},
    {"USER A X\n IPL 00C FAST\n", "user.direct:2:10: expected LOADPARM or PARM, found FAST"},
    {"USER A X\n IPL 00C LOADPARM\n", "user.direct:2:18: expected a load parameter of 1-8 "
                                      "characters, found end of statement"},
    {"USER A X\n CONSOLE XYZ 3215\n",
     "user.direct:2:10: expected a virtual device number, found XYZ"},
    {"USER A X\n CONSOLE 9 3277\n", "user.direct:2:12: expected 3215 or 3270, found 3277"},
    {"USER A X\n SPOOL C 2540\n",
     "user.direct:2:14: expected READER or PUNCH, found end of statement"},
    {"USER A X\n SPOOL C 9999\n", "found 9999"},
    {"USER A X\n OPTION FOO\n", "user.direct:2:9: expected an operand of OPTION, found FOO"},
    {"USER A X\n SHARE REL 0\n", "user.direct:2:12: expected a share from 1 to 10000, found 0"},
    {"USER A X\n SHARE ABS 101%\n",
     "user.direct:2:12: expected a percentage (0.1% to 100%), found 101%"},
    {"USER A X\n COMMAND\n",
     "user.direct:2:9: expected a CP command of at most 255 characters, "
     "found end of statement"},
    {"USER A X\n VMRELOCATE MAYBE\n",
     "user.direct:2:13: expected ON, OFF or DOMAIN, found MAYBE"},
    {"USER A X\n INCLUDE NIX\n",
     "user.direct:2:10: expected the name of a PROFILE in this directory, found NIX"},
    {"USER A X\n BUILD ON A USING SUBCONFIG S\n",
     "user.direct:2:2: expected BUILD in an IDENTITY only, found BUILD"},
    {"IDENTITY A X\n BUILD ON A USING SUBCONFIG S\n",
     "user.direct:2:29: expected the name of a SUBCONFIG in this directory, found S"},
    {"IDENTITY A X\n BUILD ON A SUBCONFIG S\n",
     "user.direct:2:13: expected USING, found SUBCONFIG"},
    {"SUBCONFIG S\n FOO\nUSER A X\n",
     "user.direct:2:2: expected a directory statement, found FOO"},
    {"PROFILE S\nPROFILE S\n", "user.direct:2:9: expected a name that is not in use, found S"},
    {"SUBCONFIG S\nUSER S X\n",
     "user.direct:2:6: expected a user id that is no SUBCONFIG, found S"},
};

START_TEST(bad_line)
{
    ck_assert_int_eq(parse(bad[_i].text, "A"), ST_CONFIG);
    ck_assert_ptr_null(dir);
    size_t want = strlen(bad[_i].cause), have = strlen(cause.text);
    ck_assert_msg(have >= want && !strcmp(cause.text + have - want, bad[_i].cause),
                  "expected ...%s\n got %s", bad[_i].cause, cause.text);
    ck_assert_ptr_null(strstr(cause.text, "VERYSECRET"));
}
END_TEST

START_TEST(samples_load)
{
    static const char *const paths[] = {"docs/samples/two/user.direct",
                                        "docs/samples/four/user.direct"};
    for (int m = 0; m < 2 + 2 * _i; m++) {
        char member[] = "MEMBERA";
        member[6] = (char)('A' + m);
        ck_assert_msg(!directory_load(paths[_i], member, &dir, &cause), "%s", cause.text);
        const struct dir_entry *e = directory_find(dir, "OPERATOR");
        ck_assert_str_eq(e->account, member);
        ck_assert_uint_eq(e->classes, 0x7f);
        e = directory_find(dir, "LINUX2");
        ck_assert(e->relocate && e->ipl.vdev == 0xc && e->storage_bytes == 512u << 20);
        ck_assert_str_eq(e->domain, _i ? "ALPHA" : "SSI");
        directory_free(dir);
        dir = NULL;
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_directory");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, good_entries);
    tcase_add_test(t, cpus_at_logon);
    tcase_add_test(t, disks_and_other_devices);
    tcase_add_test(t, what_does_not_go_together);
    tcase_add_test(t, consoles_and_adapters);
    tcase_add_test(t, every_overlap);
    tcase_add_test(t, identities_of_members);
    tcase_add_test(t, looked_up_in_the_configuration);
    tcase_add_test(t, every_bad_statement);
    tcase_add_test(t, iucv_statements);
    tcase_add_test(t, bad_iucv_statements);
    tcase_add_test(t, no_effect_yet);
    tcase_add_loop_test(t, row_of_the_table, 0, (int)dir_statements.count);
    tcase_add_test(t, identity_per_member);
    tcase_add_test(t, passwords);
    tcase_add_loop_test(t, hashed_passwords, 0, 3);
    tcase_add_test(t, edit_characters);
    tcase_add_loop_test(t, bad_line, 0, (int)ARRAY_LEN(bad));
    tcase_add_loop_test(t, samples_load, 0, 2);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
