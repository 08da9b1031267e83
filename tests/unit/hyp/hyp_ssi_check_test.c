/* Cross-checks at a join: for each row of ssi_check.def two members that differ in that and in
 * nothing else, both of which tell it; what another release sends; garbage; what is told twice.
 * Run alone: tests/run unit/hyp_ssi_check_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_ssi_check.h"
#include "io/image/alloc_map.h"
#include "tests/lib/cp_images.h"

static struct codec_out out;
static struct cause cause;
static u64 told[2];

/* --- making them differ --------------------------------------------------------------*/

static struct system_config *config_of(int member)
{
    return (struct system_config *)(uintptr_t)cp_config(cps[member]);
}

static void other_pdr(void)
{
    strcpy(config_of(1)->pdr_volid, "COM002");
}

static bool one_more_slot(void *ctx, unsigned i, struct cp_cluster_member *m)
{
    if (!fake_cluster.member(ctx, i, m))
        return false;
    if (i == 2)
        strcpy(m->name, "MEMBERC");
    return true;
}

static void other_slots(void)
{
    static struct cp_cluster_ops ops;
    ops = fake_cluster;
    ops.member = one_more_slot;
    cp_set_cluster(cps[1], &ops, (void *)1);
}

static void same_name(void)
{
    strcpy(config_of(1)->member, "MEMBERA");
}

static struct directory *other;

static void directory_is(const char *text)
{
    ck_assert_msg(directory_parse("d", text, "MEMBERB", &other, &cause) == ST_OK, "%s",
                  cause.text);
    cps[1]->directory = other;
}

static void other_directory(void)
{
    directory_is("IDENTITY OPERATOR OPER 32M 64M ABCDEFG\n* a comment\n\n   CONSOLE 9 3215\n"
                 "USER LINUX1 SECRET 256M 2G G\n MACHINE ESA 4\n CPU 0\n IPL C PARM ro\n"
                 " CONSOLE 9 3215 T\n COMMAND SET RUN ON\n COMMAND CP SLEEP 2 SEC\n"
                 " COMMAND Q USERID\n XAUTOLOG GUEST\n"
                 "USER GUEST PASS 64M 64M G\n CONSOLE 9 3215 T\n SPOOL C 2540 READER *\n"
                 " SPOOL D 2540 PUNCH A\n SPOOL E 1403 A\nUSER NEVER NOLOG\nUSER NEW NOLOG\n"
                 "USER SHORT NOPASS\n COMMAND LOGOFF\n COMMAND Q TIME\n IPL C\n");
}

static void other_switch(void)
{
    is(on(0, "OPERATOR", "DEFINE VSWITCH VSW1 ETHERNET"), "VSWITCH SYSTEM VSW1 is created");
    is(on(0, "OPERATOR", "DEFINE VSWITCH VSW2 IP"), "VSWITCH SYSTEM VSW2 is created");
    on(1, "", "LOGON OPERATOR OPER");
    is(on(1, "OPERATOR", "DEFINE VSWITCH VSW1 ETHERNET VLAN AWARE"),
       "VSWITCH SYSTEM VSW1 is created");
}

static void later(void)
{
    pass_time(SSI_CHECK_NEAR_MS + 1000);
}

static const struct difference {
    enum ssi_check_id row;
    const char *config;    /* statements of system.config */
    void (*make)(void);    /* NULL: nothing more */
    void (*between)(void); /* ... between the export and the comparison */
    const char *want;      /* in the message */
} differences[] = {
    {SSI_CHECK_CLUSTER, "", other_pdr, NULL,
     "PDR_VOLUME: COM001 on MEMBERA, COM002 on MEMBERB"},
    {SSI_CHECK_SLOTS, "", other_slots, NULL, "SLOT 3: none on MEMBERA, MEMBERC on MEMBERB"},
    {SSI_CHECK_IDENTITY, "", same_name, NULL, "System name"},
    {SSI_CHECK_DIRECTORY, "", other_directory, NULL,
     "LINUX1 NEW: 5 entries on MEMBERA, 6 entries "
     "on MEMBERB"},
    {SSI_CHECK_VOLUMES,
     "MEMBERA: CP_OWNED SLOT 1 SPL001\nMEMBERB: CP_OWNED SLOT 1 OTHER1\n"
     "MEMBERA: CP_OWNED SLOT 2 PAG001\nMEMBERB: CP_OWNED SLOT 2 PAG002\n",
     NULL, NULL, "SLOT 1: SPL001 on MEMBERA, OTHER1 on MEMBERB"},
    {SSI_CHECK_MACPREFIX, "VMLAN MACPREFIX 021111\n", NULL, NULL,
     "MACPREFIX: 021111 on MEMBERA"},
    {SSI_CHECK_MACPREFIX, "MEMBERB: VMLAN MACPREFIX 020000\n", NULL, NULL,
     "USERPREFIX and MACPREFIX: 020000 on MEMBERA"},
    {SSI_CHECK_USERPREFIX, "MEMBERB: VMLAN USERPREFIX 02AAAA\n", NULL, NULL,
     "USERPREFIX: 020000 on MEMBERA, 02AAAA on MEMBERB"},
    {SSI_CHECK_VSWITCH, "", other_switch, NULL,
     "VSW1: ETHERNET VLAN UNAWARE on MEMBERA, ETHERNET "
     "VLAN 0 NATIVE 1 PORTTYPE ACCESS on MEMBERB"},
    {SSI_CHECK_DOMAIN,
     "RELOCATION_DOMAIN BOTH MEMBERS MEMBERB MEMBERA\n"
     "MEMBERB: RELOCATION_DOMAIN ALPHA MEMBERS MEMBERA\n",
     NULL, NULL, "ALPHA: none on MEMBERA, MEMBERA on MEMBERB"},
    {SSI_CHECK_EQID,
     "MEMBERA: EQID DISK RDEV 300\nMEMBERB: EQID DISK RDEV 301\n"
     "MEMBERA: EQID OWN RDEV 301\n",
     NULL, NULL, "DISK: 3390 3 SPL001 on MEMBERA, 3390 2 PAG001 on MEMBERB"},
    {SSI_CHECK_CLOCK, "", NULL, later, "TOD clock: "},
};

/* --- the world ------------------------------------------------------------------------*/

static void volume(const char *name, u32 cylinders, const char *label, enum alloc_type type)
{
    char path[128];
    struct image *img;
    struct alloc_map map = {.count = 1, .extent = {{type, 1, cylinders - 1}}};
    image_make(name, IMAGE_CKD, cylinders, label);
    snprintf(path, sizeof path, "%s/%s", images_dir, name);
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_OK);
    ck_assert_msg(alloc_map_write(img, &map, NULL, &cause) == ST_OK, "%s", cause.text);
    image_unref(img);
}

static void begin(const char *config)
{
    static char devices[512];
    images_begin();
    volume("spl", 3, "SPL001", ALLOC_SPOL);
    volume("pag", 2, "PAG001", ALLOC_PAGE);
    snprintf(devices, sizeof devices, "300 3390 %s/spl\n301 3390 %s/pag\n", images_dir,
             images_dir);
    cp_world_users = "";
    cp_world_devices = devices;
    cp_world_config = config;
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    told[0] = told[1] = 0;
}

static void end(void)
{
    images_end();
    directory_free(other);
    other = NULL;
}

static void export_of(int member)
{
    codec_out_init(&out);
    ssi_check_export(cps[member], &out);
    ck_assert(!out.failed);
}

/* What `member` says of what the other one has exported. */
static int compare(int member)
{
    int status = ssi_check_compare(cps[member], member ? "MEMBERA" : "MEMBERB", out.data,
                                   out.len, &told[member], &cause);
    codec_out_fini(&out);
    return status;
}

/* Is a message on the operator's console of the first member. */
static bool shown(const char *id)
{
    char regex[32];
    snprintf(regex, sizeof regex, "^%s ", id);
    return console_has(0, "OPERATOR", regex);
}

/* --- tests -----------------------------------------------------------------------------*/

START_TEST(each_row_by_itself)
{
    const struct difference *d = &differences[_i];
    const struct ssi_check_row *row = &ssi_checks[d->row];
    begin(d->config);
    if (d->make)
        d->make();
    export_of(1);
    if (d->between)
        d->between();
    bool refuses = row->severity == SSI_CHECK_ERROR;
    ck_assert_int_eq(compare(0), refuses ? ST_REFUSED : ST_OK);
    ck_assert_msg(shown(msg_name(row->message)), "%s: not told", row->name);
    for (unsigned i = 0; i < SSI_CHECKS; i++)
        ck_assert_msg(&ssi_checks[i] == row || !shown(msg_name(ssi_checks[i].message)),
                      "%s: %s is told, too", row->name, ssi_checks[i].name);
    ck_assert_msg(console_has(0, "OPERATOR", d->want), "%s: %s not told: %s", row->name,
                  d->want, cause.text);
    if (refuses)
        ck_assert_msg(strstr(cause.text, "1 difference between MEMBERA and MEMBERB: HCPPLM"),
                      "%s", cause.text);
    export_of(0); /* the other one says so, too */
    if (d->between)
        d->between();
    ck_assert_int_eq(compare(1), refuses ? ST_REFUSED : ST_OK);
    ck_assert_uint_ne(told[1], 0);
    end();
}
END_TEST

START_TEST(each_row_has_a_case)
{
    for (unsigned i = 0; i < SSI_CHECKS; i++) {
        unsigned n = 0;
        for (size_t k = 0; k < ARRAY_LEN(differences); k++)
            n += differences[k].row == i;
        ck_assert_msg(n, "row %s of ssi_check.def has no case here", ssi_checks[i].name);
        for (unsigned k = 0; k < i; k++)
            ck_assert_uint_ne(ssi_checks[i].tag, ssi_checks[k].tag);
    }
}
END_TEST

/* Members that are alike; with what may differ: volumes without spool space, switches that only one
 * has, EQIDs that only one has. */
START_TEST(alike)
{
    begin("CP_OWNED SLOT 1 SPL001\nMEMBERA: CP_OWNED SLOT 2 PAG001\n"
          "MEMBERB: CP_OWNED SLOT 3 PAG002\nMEMBERA: EQID OWN RDEV 301\n"
          "RELOCATION_DOMAIN BOTH MEMBERS MEMBERB MEMBERA\n");
    is(on(0, "OPERATOR", "DEFINE VSWITCH VSW2 IP"), "VSWITCH SYSTEM VSW2 is created");
    for (int member = 0; member < 2; member++) {
        export_of(!member);
        ck_assert_msg(compare(member) == ST_OK, "%s", cause.text);
        ck_assert_uint_eq(told[member], 0);
    }
    end();
}
END_TEST

/* What DEFINE RELODOMAIN has made or changed is no difference: members tell one another of it. */
START_TEST(defined_domains_are_brought_in_line)
{
    begin("RELOCATION_DOMAIN BOTH MEMBERS MEMBERA MEMBERB\n");
    is(on(0, "OPERATOR", "AT MEMBERA CMD DEFINE RELODOMAIN NEW MEMBERS MEMBERA"),
       "MEMBERA : Relocation domain NEW defined|MEMBERB : Relocation domain NEW defined");
    is(on(0, "OPERATOR", "DEFINE RELODOMAIN BOTH MEMBERS MEMBERB"),
       "MEMBERA : Relocation domain BOTH redefined|MEMBERB : Relocation domain BOTH redefined");
    config_of(1)->defined_domains->count = 0; /* it starts anew */
    for (int member = 0; member < 2; member++) {
        export_of(!member);
        ck_assert_msg(compare(member) == ST_OK, "%s", cause.text);
        ck_assert_uint_eq(told[member], 0);
    }
    end();
}
END_TEST

/* All differences are told, once; again when they are others. */
START_TEST(all_are_told_once)
{
    begin(
        "MEMBERB: VMLAN USERPREFIX 02AAAA\nMEMBERB: RELOCATION_DOMAIN ALPHA MEMBERS MEMBERA\n");
    export_of(1);
    ck_assert_int_eq(compare(0), ST_REFUSED);
    ck_assert_msg(!strncmp(cause.text, "2 differences between", 21), "%s", cause.text);
    ck_assert(shown("HCPPLM1746E") && shown("HCPPLM1748E"));
    on(0, "OPERATOR", "LOGOFF");
    on(0, "", "LOGON OPERATOR OPER");
    export_of(1);
    ck_assert_int_eq(compare(0), ST_REFUSED);
    ck_assert(!shown("HCPPLM1746E") && !shown("HCPPLM1748E"));
    other_pdr();
    export_of(1);
    ck_assert_int_eq(compare(0), ST_REFUSED);
    ck_assert(shown("HCPPLM1740E") && shown("HCPPLM1746E") && shown("HCPPLM1748E"));
    end();
}
END_TEST

START_TEST(more_than_can_be_told)
{
    begin("");
    codec_out_init(&out);
    codec_begin(&out, ssi_checks[SSI_CHECK_DOMAIN].tag, 1);
    for (unsigned i = 0; i < SSI_CHECK_TOLD_MAX + 7; i++) {
        u8 item[16];
        int n = snprintf((char *)item + 1, sizeof item - 1, "D%03u", i);
        item[0] = 0;
        memcpy(item + 2 + n, "X", 1);
        codec_put_bytes(&out, 1, item, (size_t)n + 3);
    }
    codec_end(&out);
    ck_assert_int_eq(compare(0), ST_REFUSED);
    ck_assert(console_has(0, "OPERATOR", "^HCPPLM1759I 7 more differences"));
    end();
}
END_TEST

/* Rows of another release: passed over unless they say that they must be known. */
START_TEST(other_releases)
{
    begin("");
    export_of(1);
    codec_begin(&out, 0x7001, 1);
    codec_put_u32(&out, 1, 5);
    codec_end(&out);
    ck_assert_msg(compare(0) == ST_OK, "%s", cause.text);
    export_of(1);
    codec_put_u32(&out, CODEC_MANDATORY | 0x7002, 5);
    ck_assert_int_eq(compare(0), ST_PROTO);
    codec_out_init(&out); /* one that sends nothing */
    ck_assert_msg(compare(0) == ST_OK, "%s", cause.text);
    end();
}
END_TEST

/* Every way to cut what is sent, and bits of it turned round: an answer, and printable text. */
START_TEST(hostile)
{
    begin("RELOCATION_DOMAIN BOTH MEMBERS MEMBERB MEMBERA\n");
    export_of(1);
    for (size_t n = 0; n < out.len; n++) {
        u64 ignored = 0;
        ssi_check_compare(cps[0], "MEMBERB", out.data, n, &ignored, &cause);
    }
    for (size_t bit = 0; bit < out.len * 8; bit += 3) {
        u64 ignored = 1;
        out.data[bit / 8] ^= (u8)(1u << bit % 8);
        if (ssi_check_compare(cps[0], "MEMBERB", out.data, out.len, &ignored, &cause))
            for (const char *p = cause.text; *p; p++)
                ck_assert(*p >= ' ' && *p <= '~');
        out.data[bit / 8] ^= (u8)(1u << bit % 8);
    }
    codec_out_fini(&out);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_ssi_check");
    TCase *tc = tcase_create("hyp_ssi_check");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, each_row_has_a_case);
    tcase_add_loop_test(tc, each_row_by_itself, 0, (int)ARRAY_LEN(differences));
    tcase_add_test(tc, alike);
    tcase_add_test(tc, defined_domains_are_brought_in_line);
    tcase_add_test(tc, all_are_told_once);
    tcase_add_test(tc, more_than_can_be_told);
    tcase_add_test(tc, other_releases);
    tcase_add_test(tc, hostile);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
