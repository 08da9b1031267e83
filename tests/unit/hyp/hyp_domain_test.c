/* Relocation domains: DEFINE and QUERY RELODOMAIN on both members, which of two definitions counts,
 * what domains offer as members come, go and come back as other machines, what users are given and
 * keep. Run alone: tests/run unit/hyp_domain_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_domain.h"
#include "tests/lib/cp_world.h"

static void setup(void)
{
    cp_world_users = "USER ALPHA PASS 64M 64M G\n VMRELOCATE ON DOMAIN ALPHA\n"
                     "USER OWN PASS 64M 64M G\n VMRELOCATE OFF DOMAIN MEMBERA\n"
                     "USER OFF PASS 64M 64M G\n VMRELOCATE OFF\n"
                     "USER FAR PASS 64M 64M G\n VMRELOCATE ON DOMAIN MEMBERB\n"
                     "USER LOST PASS 64M 64M G\n VMRELOCATE ON DOMAIN NOWHERE\n";
    cp_world_config = "RELOCATION_DOMAIN ALPHA MEMBERS MEMBERA MEMBERB\n";
    cp_world_setup();
    oper("LOGON OPERATOR OPER");
    on(1, "", "LOGON OPERATOR OPER");
}

static void member_is(const char *model, unsigned level)
{
    struct arch arch;
    arch_of(cpu_model_find(model), level, &arch);
    struct cp_domains_before *before = cp_domains_remember(cps[0]);
    cp_member_told(cps[0], "MEMBERB", &arch);
    cp_domains_tell(cps[0], before);
}

static struct cp_user *user(const char *userid)
{
    return cp_user_find(cps[0], userid);
}

static const struct arch *has(const char *userid)
{
    return &cp_user_vm(user(userid))->arch;
}

/* The user is fenced to what these have in common. */
static void is_fenced(const char *userid, const char *model, unsigned level)
{
    struct arch want;
    arch_of(cpu_model_find(model), level, &want);
    ck_assert_msg(arch_same(has(userid), &want), "%s has a %s", userid,
                  has(userid)->model->name);
}

/* --- commands ------------------------------------------------------------------------------- */

START_TEST(define)
{
    is(oper("DEFINE RELODOMAIN BOTH MEMBERS MEMBERA MEMBERB"),
       "MEMBERA : Relocation domain BOTH defined|MEMBERB : Relocation domain BOTH defined");
    for (int i = 0; i < 2; i++)
        ck_assert_str_eq(on(i, "OPERATOR", "QUERY RELODOMAIN BOTH"),
                         "DOMAIN BOTH     MEMBERS: MEMBERA MEMBERB");
    REFUSED(oper("DEFINE RELODOMAIN SSI MEMBERS MEMBERA"), 600, "HCPDFR600E");
    REFUSED(oper("DEFINE RELODOMAIN MEMBERB MEMBERS MEMBERA"), 600, "HCPDFR600E");
    REFUSED(oper("DEFINE RELODOMAIN MORE MEMBERS MOON"), 601, "HCPDFR601E MOON");
    REFUSED(oper("DEFINE RELODOMAIN MORE MEMBERS MEMBERA MEMBERA"), 2, "HCPCMD002E");
    REFUSED(oper("DEFINE RELODOMAIN MORE MEMBERS"), 26, "HCPCMD026E");
    REFUSED(oper("DEFINE RELODOMAIN MORE"), 26, "HCPCMD026E");
    REFUSED(oper("DEFINE RELODOMAIN MORE STAMP 7 MEMBERA MEMBERS MEMBERA"), 3, "HCPCMD003E");
    on(0, "", "LOGON GUEST PASS");
    REFUSED(on(0, "GUEST", "DEFINE RELODOMAIN MORE MEMBERS MEMBERA"), 3, "HCPCMD003E");
    ck_assert_ptr_null(strstr(oper("QUERY RELODOMAIN"), "MORE"));
}
END_TEST

/* A domain of a statement, and one that was defined, can be defined anew. */
START_TEST(redefine)
{
    for (int times = 0; times < 2; times++) {
        const char *one = times ? "MEMBERA" : "MEMBERB";
        char command[64], row[64];
        snprintf(command, sizeof command, "DEFINE RELODOMAIN ALPHA MEMBERS %s", one);
        snprintf(row, sizeof row, "DOMAIN ALPHA    MEMBERS: %s", one);
        is(on(times, "OPERATOR", command), "MEMBERA : Relocation domain ALPHA redefined|"
                                           "MEMBERB : Relocation domain ALPHA redefined");
        for (int i = 0; i < 2; i++)
            ck_assert_str_eq(on(i, "OPERATOR", "QUERY RELODOMAIN ALPHA"), row);
    }
    ck_assert_str_eq(oper("QUERY RELODOMAIN"), "DOMAIN SSI      MEMBERS: MEMBERA MEMBERB|"
                                               "DOMAIN MEMBERA  MEMBERS: MEMBERA|"
                                               "DOMAIN MEMBERB  MEMBERS: MEMBERB|"
                                               "DOMAIN ALPHA    MEMBERS: MEMBERA");
}
END_TEST

START_TEST(as_many_as_can_be)
{
    char command[64];
    for (unsigned i = 0; i < CONFIG_DOMAINS_MAX; i++) {
        snprintf(command, sizeof command, "DEFINE RELODOMAIN D%u MEMBERS MEMBERA", i);
        oper(command);
        ck_assert_int_eq(resp.rc, 0);
    }
    oper("DEFINE RELODOMAIN MORE MEMBERS MEMBERA");
    ck_assert_int_eq(resp.rc, 602);
    is(oper("DEFINE RELODOMAIN D3 MEMBERS MEMBERB"),
       "MEMBERA : Relocation domain D3 redefined|MEMBERB : Relocation domain D3 redefined");
}
END_TEST

/* Members that have not seen one another: the later definition counts, in whatever order they hear
 * of it; with the same stamp that of the greater name. */
START_TEST(latest_counts)
{
    const struct config_domain some[] = {
        {"NEW", {"MEMBERA"}, 1, 3, "MEMBERA"},
        {"NEW", {"MEMBERB"}, 1, 4, "MEMBERA"},
        {"NEW", {"MEMBERA", "MEMBERB"}, 2, 4, "MEMBERB"},
    };
    static const u8 orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned k = 0; k < 3; k++)
        cp_domain_merge(cps[0], &some[orders[_i][k]]);
    ck_assert_int_eq(cp_domain_merge(cps[0], &some[2]), ST_EXIST);
    ck_assert_str_eq(oper("QUERY RELODOMAIN NEW"), "DOMAIN NEW      MEMBERS: MEMBERA MEMBERB");
    const struct config_domain ssi = {"SSI", {"MEMBERA"}, 1, 9, "MEMBERA"};
    ck_assert_int_eq(cp_domain_merge(cps[0], &ssi), ST_EXIST);
    ck_assert_str_eq(oper("QUERY RELODOMAIN SSI"), "DOMAIN SSI      MEMBERS: MEMBERA MEMBERB");
}
END_TEST

/* A member whose slot is somebody else's is in no domain any more; a domain without members is
 * none. */
START_TEST(slots_change)
{
    struct system_config *config = (struct system_config *)(uintptr_t)cp_config(cps[0]);
    is(oper("DEFINE RELODOMAIN ONE MEMBERS MEMBERB"),
       "MEMBERA : Relocation domain ONE defined|MEMBERB : Relocation domain ONE defined");
    config_slot_set(config, 2, "MEMBERC");
    ck_assert_str_eq(oper("QUERY RELODOMAIN"), "DOMAIN SSI      MEMBERS: MEMBERA MEMBERC|"
                                               "DOMAIN MEMBERA  MEMBERS: MEMBERA|"
                                               "DOMAIN MEMBERC  MEMBERS: MEMBERC|"
                                               "DOMAIN ALPHA    MEMBERS: MEMBERA");
    REFUSED(oper("QUERY RELODOMAIN ONE"), 1821, "HCPRLS1821E Relocation domain ONE");
    config_slot_set(config, 2, "ONE"); /* the member's own goes before one of its name */
    ck_assert_str_eq(oper("QUERY RELODOMAIN ONE"), "DOMAIN ONE      MEMBERS: ONE");
    ck_assert_str_eq(oper("QUERY RELODOMAIN"), "DOMAIN SSI      MEMBERS: MEMBERA ONE|"
                                               "DOMAIN MEMBERA  MEMBERS: MEMBERA|"
                                               "DOMAIN ONE      MEMBERS: ONE|"
                                               "DOMAIN ALPHA    MEMBERS: MEMBERA");
}
END_TEST

START_TEST(query_architecture)
{
    member_is("z10", CP_LEVEL);
    const char *got = oper("QUERY RELODOMAIN ALPHA ARCHITECTURE");
    ck_assert_msg(!strncmp(got,
                           "DOMAIN ALPHA    MEMBERS: MEMBERA MEMBERB|  Model: z10 (2097)|"
                           "  Facilities: 0-4, 6-11, ",
                           80),
                  "%s", got);
    ck_assert_msg(strstr(got, "DIAGNOSE X'250'"), "%s", got);
    ck_assert_msg(
        strstr(oper("Q RELODOM ALL ARCH"), "DOMAIN MEMBERA  MEMBERS: MEMBERA|  Model: z196"),
        "ALL");
    REFUSED(oper("QUERY RELODOMAIN ALPHA MORE"), 3, "HCPCMD003E Invalid option - MORE");
}
END_TEST

/* --- what users are given ------------------------------------------------------------------- */

START_TEST(users_are_fenced)
{
    static const struct {
        const char *userid, *model;
    } rows[] = {{"ALPHA", "z10"}, {"OWN", "z196"},  {"OFF", "z10"},
                {"FAR", "z10"},   {"GUEST", "z10"}, {"LOST", "z196"}};
    char command[32];
    member_is("z10", CP_LEVEL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(command, sizeof command, "LOGON %s PASS", rows[i].userid);
        on(0, "", command);
        is_fenced(rows[i].userid, rows[i].model, CP_LEVEL);
    }
    is_fenced("OPERATOR", "z196", CP_LEVEL); /* an IDENTITY: of its member's own domain */
    ck_assert_msg(strstr(on(0, "FAR", "QUERY VIRTUAL CPUS"), "20978000"), "%s", "no z10");
    is(on(0, "FAR", "QUERY CPUID"), "CPUID = FF0A000120978000");
    is(on(0, "OWN", "QUERY CPUID"), "CPUID = FF0A000128178000");
    member_is("z900", CP_LEVEL);
    cp_user_fence(user("FAR"));
    is(on(0, "FAR", "QUERY CPUID"), "CPUID = FF0A000120640000");
}
END_TEST

/* Another level of CP: functions that it does not have, and facilities that need it. */
START_TEST(fenced_by_level)
{
    member_is("z196", 1);
    on(0, "", "LOGON ALPHA PASS");
    is_fenced("ALPHA", "z196", 1);
    ck_assert(!arch_diag(has("ALPHA"), 0x250) && arch_diag(has("ALPHA"), 0x08));
}
END_TEST

/* What is not known any more of a member that is down is as its hardware was; one that comes back
 * as another machine counts as that at once, and users keep what they have. */
START_TEST(member_is_replaced)
{
    member_is("z10", CP_LEVEL);
    on(0, "", "LOGON ALPHA PASS");
    cp_member_gone(cps[0], "MEMBERB");
    on(0, "", "LOGON GUEST PASS");
    is_fenced("GUEST", "z10", CP_LEVEL); /* it may come back */
    member_is("zEC12", CP_LEVEL);
    ck_assert(console_has(0, "OPERATOR",
                          "^HCPRLD1824I Relocation domain ALPHA has gained: 13-14, 36-37, 45"));
    is_fenced("ALPHA", "z10", CP_LEVEL);
    on(0, "", "LOGON OFF PASS");
    is_fenced("OFF", "z196", CP_LEVEL);
    member_is("z9", CP_LEVEL);
    ck_assert(
        console_has(0, "OPERATOR",
                    "^HCPRLD1825I 2 user.s. of relocation domain SSI keep what it has lost"));
    ck_assert(
        console_has(0, "OPERATOR", "^HCPRLD1824I Relocation domain ALPHA has lost: 8, 11"));
    is_fenced("ALPHA", "z10", CP_LEVEL);
    is_fenced("OFF", "z196", CP_LEVEL);
    cp_member_told(cps[0], "MEMBERB", NULL); /* an older release, of unknown hardware */
    struct arch arch;
    ck_assert(!cp_member_arch(cps[0], "MEMBERB", &arch));
    ck_assert(cp_domain_common(cps[0], "ALPHA", &arch) && !strcmp(arch.model->name, "z196"));
    ck_assert(!cp_domain_common(cps[0], "MEMBERB", &arch));
}
END_TEST

/* Redefinition takes nothing from users; they are counted. */
START_TEST(redefined_under_users)
{
    member_is("z10", CP_LEVEL);
    oper("DEFINE RELODOMAIN BIG MEMBERS MEMBERA");
    on(0, "", "LOGON ALPHA PASS");
    cp_user_set_relocation(user("ALPHA"), true, "BIG");
    cp_user_fence(user("ALPHA"));
    is_fenced("ALPHA", "z196", CP_LEVEL);
    is(oper("DEFINE RELODOMAIN BIG MEMBERS MEMBERA MEMBERB"),
       "MEMBERA : Relocation domain BIG redefined|"
       "MEMBERA : 1 user(s) of it keep a variant architecture|"
       "MEMBERB : Relocation domain BIG redefined");
    is_fenced("ALPHA", "z196", CP_LEVEL);
}
END_TEST

/* --- QUERY VMRELOCATE's lines --------------------------------------------------------------- */

static int variant_lines(struct cp_request *req, void *ctx)
{
    (void)ctx;
    cp_user_variant_lines(req, user("ALPHA"));
    return 0;
}

START_TEST(variants)
{
    static const struct cp_cmd_row row = {
        .name = "VARIANT", .classes = CP_CLASS_ANY, .help = "QUERY VARIANT"};
    ck_assert_int_eq(cp_register_command(cps[0], "QUERY", &row, variant_lines, NULL), ST_OK);
    member_is("z196", CP_LEVEL);
    on(0, "", "LOGON ALPHA PASS");
    is(oper("QUERY VARIANT"), "");
    member_is("z10", CP_LEVEL);
    is(oper("QUERY VARIANT"), "Virtual architecture is a variant|"
                              "Beyond the domain: 13-14, 36-37, 45, 47, 52, 66, 75|"
                              "Excluded members: MEMBERB");
    cp_user_fence(user("ALPHA"));
    is(oper("QUERY VARIANT"), "");
    member_is("z196", CP_LEVEL);
    cp_user_set_forced(user("ALPHA"), true);
    is(oper("QUERY VARIANT"), "Virtual architecture is a variant, forced|"
                              "Lacks of the domain: 13-14, 36-37, 45, 47, 52, 66, 75");
    oper("DEFINE RELODOMAIN ALPHA MEMBERS MEMBERB");
    is(oper("QUERY VARIANT"), "Out of Domain ALPHA|"
                              "Virtual architecture is a variant, forced|"
                              "Lacks of the domain: 13-14, 36-37, 45, 47, 52, 66, 75");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_domain");
    TCase *tc = tcase_create("domains");
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(tc, setup, cp_world_teardown);
    tcase_add_test(tc, define);
    tcase_add_test(tc, redefine);
    tcase_add_test(tc, as_many_as_can_be);
    tcase_add_loop_test(tc, latest_counts, 0, 6);
    tcase_add_test(tc, slots_change);
    tcase_add_test(tc, query_architecture);
    tcase_add_test(tc, users_are_fenced);
    tcase_add_test(tc, fenced_by_level);
    tcase_add_test(tc, member_is_replaced);
    tcase_add_test(tc, redefined_under_users);
    tcase_add_test(tc, variants);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
