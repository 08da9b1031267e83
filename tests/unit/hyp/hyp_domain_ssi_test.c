/* Service DOMAIN on a simulated cluster: members know what the other one offers from the join on,
 * one that comes back as another machine, domains that were defined before a join, while links were
 * lost, on both sides; any bytes as messages. Run alone: tests/run unit/hyp_domain_ssi_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_domain.h"
#include "tests/lib/cp_world.h"
#include "tests/lib/sim_until.h"

#define LIMIT_MS 60000

static struct ssi_sim *sim;
static struct ssi *ssis[2];
static bool joined[2];
static struct cause cause;
static const char *const names[] = {"MEMBERA", "MEMBERB"};

static struct system_config *config_of(int i)
{
    return (struct system_config *)(uintptr_t)cp_config(cps[i]);
}

static void setup(void)
{
    cp_world_config = "RELOCATION_DOMAIN ALPHA MEMBERS MEMBERA MEMBERB\n";
    cp_world_setup();
    config_of(1)->hardware.model = cpu_model_find("z10");
    sim = ssi_sim_create(1);
    ck_assert_ptr_nonnull(sim);
    for (int i = 0; i < 2; i++)
        on(i, "", "LOGON OPERATOR OPER");
}

static void teardown(void)
{
    for (int i = 0; i < 2; i++) {
        cp_domain_ssi_destroy(cps[i]->domain_ssi);
        cps[i]->domain_ssi = NULL;
        joined[i] = false;
    }
    ssi_sim_destroy(sim);
    cp_world_teardown();
}

static void on_joined(void *ctx, int status, const struct cause *why)
{
    ck_assert_msg(status == ST_OK, "%s", why->text);
    *(bool *)ctx = true;
}

#define UNTIL(cond) SIM_UNTIL(sim, LIMIT_MS, cond)

static void joins(int i)
{
    struct ssi_config config;
    ssi_sim_config(&config, (unsigned)i, 2);
    for (int k = 0; k < 2; k++)
        strcpy(config.slots[k], names[k]);
    strcpy(config.member, names[i]);
    ssis[i] = ssi_sim_start(sim, &config, (unsigned)i, &cause);
    ck_assert_msg(ssis[i] != NULL, "%s", cause.text);
    cps[i]->domain_ssi = cp_domain_ssi_create(cps[i], ssis[i], &cause);
    ck_assert_msg(cps[i]->domain_ssi != NULL, "%s", cause.text);
    ssi_join(ssis[i], on_joined, &joined[i]);
    UNTIL(joined[i]);
}

static void on_left(void *ctx, int status, const struct cause *why)
{
    (void)status;
    (void)why;
    *(bool *)ctx = true;
}

static void leaves(int i)
{
    bool left = false;
    ssi_leave(ssis[i], on_left, &left);
    UNTIL(left);
    cp_domain_ssi_destroy(cps[i]->domain_ssi);
    cps[i]->domain_ssi = NULL;
    ssi_sim_crash(sim, (unsigned)i);
    joined[i] = false;
    UNTIL(ssi_mode(ssis[!i]) == SSI_MODE_STABLE);
}

/* The model that a member thinks a domain has; "" = none. */
static const char *model(int i, const char *domain)
{
    struct arch arch;
    return cp_domain_common(cps[i], domain, &arch) ? arch.model->name : "";
}

static bool both(const char *domain, const char *members)
{
    char command[32], want[64];
    bool same = true;
    snprintf(command, sizeof command, "QUERY RELODOMAIN %s", domain);
    snprintf(want, sizeof want, "DOMAIN %-8s MEMBERS: %s", domain, members);
    for (int i = 0; i < 2; i++)
        same &= !strcmp(on(i, "OPERATOR", command), want);
    return same;
}

/* On the one member, which does not reach the other one. */
static void defines(int i, const char *domain, const char *members)
{
    char command[64];
    link_up = false;
    snprintf(command, sizeof command, "DEFINE RELODOMAIN %s MEMBERS %s", domain, members);
    ck_assert_ptr_nonnull(strstr(on(i, "OPERATOR", command), "efined"));
    link_up = true;
}

START_TEST(told_at_the_join)
{
    defines(0, "NEW", "MEMBERB");
    joins(0);
    ck_assert_str_eq(model(0, "MEMBERB"), ""); /* nothing is known of it */
    ck_assert_str_eq(model(0, "SSI"), "z196");
    joins(1);
    ck_assert_str_eq(model(1, "SSI"), "z10"); /* before it has joined for anybody */
    UNTIL(both("NEW", "MEMBERB") && !strcmp(model(0, "SSI"), "z10"));
    ck_assert_str_eq(model(0, "NEW"), "z10");
    ck_assert_str_eq(model(1, "MEMBERA"), "z196");
    ck_assert(
        console_has(1, "OPERATOR", "^HCPRLD1826I Relocation domain NEW is now as MEMBERA"));
    ck_assert(
        console_has(0, "OPERATOR", "^HCPRLD1824I Relocation domain ALPHA has lost: 13-14"));
}
END_TEST

START_TEST(comes_back_as_another_machine)
{
    joins(0);
    joins(1);
    UNTIL(!strcmp(model(0, "ALPHA"), "z10"));
    leaves(1);
    ck_assert_str_eq(model(0, "ALPHA"), "z10"); /* it may come back */
    config_of(1)->hardware.model = cpu_model_find("zEC12");
    config_of(1)->features.cp_level = 1;
    joins(1);
    UNTIL(!strcmp(model(0, "MEMBERB"), "zEC12"));
    struct arch arch;
    ck_assert(cp_domain_common(cps[0], "ALPHA", &arch));
    ck_assert_str_eq(arch.model->name, "z196");
    ck_assert(!arch_diag(&arch, 0x250) && arch_diag(&arch, 0x08));
    ck_assert(
        console_has(0, "OPERATOR", "^HCPRLD1824I Relocation domain ALPHA has gained: 13-14"));
    ck_assert(console_has(0, "OPERATOR", "^HCPRLD1824I Relocation domain ALPHA has lost: 249"));
}
END_TEST

/* While they are out of touch each defines domains; what was defined later counts for both. */
START_TEST(out_of_touch)
{
    joins(0);
    joins(1);
    UNTIL(!strcmp(model(0, "MEMBERB"), "z10"));
    ssi_sim_stall(sim, 0, 1, true);
    UNTIL(ssi_mode(ssis[0]) == SSI_MODE_SAFE && ssi_mode(ssis[1]) == SSI_MODE_SAFE);
    ck_assert_str_eq(model(0, "ALPHA"), "z10"); /* it runs on as it is */
    defines(0, "ONE", "MEMBERA");
    defines(1, "TWO", "MEMBERB");
    defines(0, "ALPHA", "MEMBERA");
    defines(1, "ALPHA", "MEMBERB"); /* the same stamp: that of the greater name */
    defines(1, "ONE", "MEMBERB");
    defines(1, "ONE", "MEMBERA MEMBERB");
    ssi_sim_stall(sim, 0, 1, false);
    UNTIL(ssi_mode(ssis[0]) == SSI_MODE_STABLE && ssi_mode(ssis[1]) == SSI_MODE_STABLE);
    UNTIL(both("ONE", "MEMBERA MEMBERB") && both("TWO", "MEMBERB") && both("ALPHA", "MEMBERB"));
}
END_TEST

START_TEST(any_bytes)
{
    u8 message[128];
    joins(0);
    joins(1);
    UNTIL(ssi_mode(ssis[0]) == SSI_MODE_STABLE && !strcmp(model(0, "MEMBERB"), "z10"));
    for (unsigned n = 0; n < 3000; n++) {
        size_t len = ssi_sim_random(sim) % sizeof message;
        for (size_t i = 0; i < len; i++)
            message[i] = (u8)ssi_sim_random(sim);
        if (len >= 6 && n % 2) { /* a row that is long enough, of names now and then */
            be16_store(message, (u16)(1 + n % 3));
            be32_store(message + 2, (u32)len - 6);
            for (size_t i = 14; i < len && n % 4 == 1; i++)
                message[i] = (u8)("ABC"[message[i] % 3]);
        }
        ck_assert_int_eq(
            ssi_send(ssis[0], names[1], DOMAIN_SSI_SERVICE, (u16)(n % 3), message, len), ST_OK);
        for (u64 end = ssi_sim_now_ms(sim) + 5; ssi_sim_now_ms(sim) < end;)
            ssi_sim_step(sim);
    }
    ck_assert_int_eq(ssi_mode(ssis[1]), SSI_MODE_STABLE);
    ck_assert_uint_le(config_of(1)->defined_domains->count, CONFIG_DOMAINS_MAX);
    ck_assert_str_ne(model(1, "SSI"), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_domain_ssi");
    TCase *tc = tcase_create("hyp_domain_ssi");
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, told_at_the_join);
    tcase_add_test(tc, comes_back_as_another_machine);
    tcase_add_test(tc, out_of_touch);
    tcase_add_test(tc, any_bytes);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
