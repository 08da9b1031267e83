/* Machine checks and the order of external interruptions: conditions, masks, what is stored, the
 * check-stop state, what survives a relocation. Rules: PoP chapters 6 and 11. */
#include <check.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"

#define EXT_HANDLER 0x1e200u
#define MCK_HANDLER 0x1e400u
#define ENABLED (HARNESS_PSW64 | PSW_EXT | PSW_MCHK)
#define VALID 0x00000f1d40330000ull
#define BIT(n) (1ull << (63 - (n)))
#define CR14_ALL 0x1f000000u

static struct cpu_harness h;

static void setup(void)
{
    harness_init(&h, "z196", 3);
    harness_store(&h, 0x1b0, 8, HARNESS_PSW64);
    harness_store(&h, 0x1b8, 8, EXT_HANDLER);
    harness_store(&h, 0x1e0, 8, HARNESS_PSW64);
    harness_store(&h, 0x1e8, 8, MCK_HANDLER);
    cpu_cr(h.cpu)[14] |= CR14_ALL;
    h.cpu->ckc = ~0ull;
    cpu_timer_set(h.cpu, 1ull << 62);
}

static void teardown(void)
{
    harness_fini(&h);
}

static bool take(u64 mask)
{
    cpu_psw_set(h.cpu, mask, HARNESS_CODE);
    bool pending = cpu_interruption_pending(h.cpu);
    bool taken = cpu_take_interruption(h.cpu);
    ck_assert_int_eq(pending, taken);
    return taken;
}

static u64 mcic(void)
{
    ck_assert_uint_eq(harness_psw_addr(&h), MCK_HANDLER);
    return harness_load(&h, 0xe8, 8);
}

static void inject(u64 bits)
{
    cpu_machine_check(h.cpu, &(struct cpu_machine_check){.mcic = bits});
}

/* Each subclass with its mask in CR14; exigent ones (bit 0 of the mask: none) have no mask. */
START_TEST(subclasses)
{
    static const struct {
        unsigned bit, mask;
    } kinds[] = {{0, 0},  {1, 0},  {2, 36}, {4, 38},  {5, 38},
                 {7, 37}, {8, 39}, {9, 35}, {10, 38}, {11, 38}};
    u64 bit = BIT(kinds[_i].bit);
    inject(bit);
    if (kinds[_i].mask) {
        cpu_cr(h.cpu)[14] &= ~BIT(kinds[_i].mask);
        ck_assert(!take(ENABLED));
        cpu_cr(h.cpu)[14] = BIT(kinds[_i].mask);
        ck_assert(!take(HARNESS_PSW64 | PSW_EXT));
    } else {
        cpu_cr(h.cpu)[14] = 0;
    }
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(mcic(), VALID | bit);
    ck_assert_uint_eq(harness_load(&h, 0x160, 8), ENABLED);
    ck_assert_uint_eq(harness_load(&h, 0x168, 8), HARNESS_CODE);
    ck_assert_uint_eq(harness_load(&h, 0xa3, 1), 1);
    ck_assert(!take(ENABLED));
}
END_TEST

START_TEST(save_areas)
{
    for (unsigned i = 0; i < 16; i++) {
        cpu_gr(h.cpu)[i] = 0x1000 + i;
        cpu_ar(h.cpu)[i] = 0x2000 + i;
        *cpu_fpr(h.cpu, i) = 0x3000 + i;
    }
    h.cpu->fpc = 0x00080300;
    h.cpu->todpr = 0x1234;
    h.cpu->ckc = 0xffeeddccbbaa9988ull;
    harness_store(&h, 0x1300, 8, 0x77);
    harness_store(&h, 0x1318, 4, 0x88);
    inject(BIT(8));
    ck_assert(take(ENABLED));
    for (unsigned i = 0; i < 16; i++) {
        ck_assert_uint_eq(harness_load(&h, 0x1200 + 8 * i, 8), 0x3000 + i);
        ck_assert_uint_eq(harness_load(&h, 0x1280 + 8 * i, 8), 0x1000 + i);
        ck_assert_uint_eq(harness_load(&h, 0x1340 + 4 * i, 4), 0x2000 + i);
        ck_assert_uint_eq(harness_load(&h, 0x1380 + 8 * i, 8), cpu_cr(h.cpu)[i]);
    }
    ck_assert_uint_eq(harness_load(&h, 0x131c, 4), 0x00080300);
    ck_assert_uint_eq(harness_load(&h, 0x1324, 4), 0x1234);
    ck_assert_uint_eq(harness_load(&h, 0x1328, 8), cpu_timer_get(h.cpu));
    ck_assert_uint_eq(harness_load(&h, 0x1330, 8), 0xffeeddccbbaa99ull);
    ck_assert_uint_eq(harness_load(&h, 0x1300, 8), 0x77); /* of store status only */
    ck_assert_uint_eq(harness_load(&h, 0x1318, 4), 0x88);
}
END_TEST

/* What tells about the damage comes with it, and with nothing else; lost registers are named. */
START_TEST(details)
{
    struct cpu_machine_check m = {.mcic = BIT(2) | BIT(5) | BIT(17) | BIT(24) | BIT(26),
                                  .invalid = BIT(28),
                                  .failing_storage = 0x123456000,
                                  .external_damage = 0x800000};
    cpu_machine_check(h.cpu, &m);
    cpu_cr(h.cpu)[14] = BIT(36); /* recovery only */
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(mcic(), (VALID & ~BIT(28)) | BIT(2) | BIT(17) | BIT(24));
    ck_assert_uint_eq(harness_load(&h, 0xf8, 8), 0x123456000);
    ck_assert_uint_eq(harness_load(&h, 0xf4, 4), 0);
    cpu_cr(h.cpu)[14] = BIT(38);
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(mcic(), VALID | BIT(5) | BIT(26));
    ck_assert_uint_eq(harness_load(&h, 0xf4, 4), 0x800000);
    ck_assert(!take(ENABLED));
}
END_TEST

/* All that are enabled come with one interruption, before an external one. */
START_TEST(several_at_once)
{
    cpu_interrupt_key(h.cpu);
    cpu_cr(h.cpu)[0] |= 0x40;
    inject(BIT(1) | BIT(7) | BIT(8));
    cpu_set_crw_pending(h.set);
    cpu_cr(h.cpu)[14] &= ~BIT(39);
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(mcic(), VALID | BIT(1) | BIT(7) | BIT(9));
    cpu_cr(h.cpu)[14] |= BIT(39);
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(mcic(), VALID | BIT(8));
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(harness_psw_addr(&h), EXT_HANDLER);
}
END_TEST

START_TEST(floating_goes_to_one)
{
    struct cpu *other = cpu_set_get(h.set, 1);
    other->cr[14] = CR14_ALL;
    inject(BIT(8));
    cpu_psw_set(other, ENABLED, HARNESS_CODE);
    cpu_start(other);
    ck_assert(cpu_take_interruption(other));
    ck_assert(!take(ENABLED));
    inject(BIT(7)); /* a local one does not */
    cpu_psw_set(other, ENABLED, HARNESS_CODE);
    ck_assert(!cpu_take_interruption(other));
    ck_assert(take(ENABLED));
}
END_TEST

/* An exigent condition on a disabled CPU: check-stop, and a malfunction alert for the others. */
START_TEST(check_stop)
{
    struct cpu *other = cpu_set_get(h.set, 2);
    inject(BIT(2) | BIT(7));
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_EXT, HARNESS_CODE);
    harness_put(&h, HARNESS_CODE, "0700 0700 0700 0700");
    ck_assert_int_eq(cpu_run(h.cpu, 2), CPU_EXIT_BUDGET); /* repressible: goes on */
    inject(BIT(_i));
    ck_assert_int_eq(cpu_run(h.cpu, 2), CPU_EXIT_CHECK_STOP);
    ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_CODE + 4);
    ck_assert(!h.cpu->cputm_running);
    other->cr[0] = 0x7fff;
    other->ckc = ~0ull;
    cpu_psw_set(other, HARNESS_PSW64 | PSW_EXT, HARNESS_CODE);
    cpu_start(other);
    ck_assert(!cpu_take_interruption(other));
    other->cr[0] |= 0x8000;
    ck_assert(cpu_take_interruption(other));
    ck_assert_uint_eq(harness_load(&h, 0x84, 4), 0x1200); /* from CPU 0 */
    cpu_psw_set(other, HARNESS_PSW64 | PSW_EXT, HARNESS_CODE);
    ck_assert(!cpu_take_interruption(other));
}
END_TEST

/* It is kept while the CPU is stopped, and a reset clears it. */
START_TEST(stopped_and_reset)
{
    cpu_stop_now(h.cpu);
    inject(BIT(0));
    ck_assert_int_eq(cpu_run(h.cpu, 2), CPU_EXIT_STOPPED);
    cpu_start(h.cpu);
    ck_assert(take(ENABLED));
    inject(BIT(0) | BIT(8));
    harness_reset(&h);
    cpu_cr(h.cpu)[14] |= CR14_ALL;
    ck_assert(!take(ENABLED));
}
END_TEST

/* Real 4544 names the area of the vector registers, where there are any. */
START_TEST(extended_save_area)
{
    u8 facilities[FACILITY_BYTES];
    h.cpu->vr[17][1] = 0x1717;
    harness_store(&h, 0x11c0, 8, 0x30005);
    inject(BIT(8));
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(mcic(), VALID | BIT(8));
    memcpy(facilities, h.set->facilities, sizeof facilities);
    facilities[FAC_VX / 8] |= 0x80 >> FAC_VX % 8;
    cpu_set_facilities(h.set, facilities);
    inject(BIT(8));
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(mcic(), VALID | BIT(8) | BIT(25));
    ck_assert_uint_eq(harness_load(&h, 0x30000 + 17 * 16 + 8, 8), 0x1717);
}
END_TEST

/* ---- external ---- */

/* All at once; they come in the order of priority, and each once. */
START_TEST(external_priority)
{
    static const u16 order[] = {0x0040, 0x1200, 0x1201, 0x1201, 0x1202, 0x1003, 0x1004,
                                0x1005, 0x1406, 0x1407, 0x2603, 0x4000, 0x4001};
    struct cpu *c = h.cpu;
    cpu_cr(c)[0] |= 0xffff;
    static const u16 others[] = {0x4001, 0x4000, 0x2603, 0x1407, 0x1406, 0x1003};
    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        cpu_external(c, others[i], others[i] * 2, others[i] * 3);
    c->ckc = 0;
    cpu_timer_set(c, ~0ull);
    c->external_call_from = 2;
    c->emergency_from = 6;
    c->malfunction_from = 2;
    atomic_fetch_or(&c->pending, PEND_EXTERNAL_CALL | PEND_EMERGENCY | PEND_MALFUNCTION);
    cpu_interrupt_key(c);
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        harness_store(&h, 0x80, 8, 0);
        ck_assert(take(ENABLED));
        ck_assert_uint_eq(harness_load(&h, 0x86, 2), order[i]);
        bool parm = order[i] == 0x1003 || order[i] > 0x1005 + 0x200;
        ck_assert_uint_eq(harness_load(&h, 0x80, 4), parm ? 2u * order[i] : 0);
        c->ckc = order[i] == 0x1004 ? ~0ull : c->ckc;
        if (order[i] == 0x1005)
            cpu_timer_set(c, 1ull << 60);
    }
    ck_assert_uint_eq(harness_load(&h, 0x11b8, 8), 0x2603 * 3);
    ck_assert(!take(ENABLED));
}
END_TEST

/* With its mask alone each source comes, whatever else waits. */
START_TEST(external_masks)
{
    static const struct {
        u16 code;
        unsigned bit;
    } masks[] = {{0x0040, 57}, {0x1200, 48}, {0x1201, 49}, {0x1202, 50},
                 {0x1003, 51}, {0x1004, 52}, {0x1005, 53}, {0x1406, 59},
                 {0x1407, 58}, {0x2603, 54}, {0x4000, 62}, {0x4001, 63}};
    static const u16 others[] = {0x4001, 0x4000, 0x2603, 0x1407, 0x1406, 0x1003};
    struct cpu *c = h.cpu;
    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        cpu_external(c, others[i], 0, 0);
    c->ckc = 0;
    cpu_timer_set(c, ~0ull);
    c->emergency_from = c->malfunction_from = 2;
    atomic_fetch_or(&c->pending, PEND_EXTERNAL_CALL | PEND_EMERGENCY | PEND_MALFUNCTION);
    cpu_interrupt_key(c);
    cpu_cr(c)[0] = 0;
    ck_assert(!take(ENABLED));
    for (unsigned i = 0; i < ARRAY_LEN(masks); i++) {
        cpu_cr(c)[0] = BIT(masks[i].bit);
        ck_assert(!take(HARNESS_PSW64 | PSW_MCHK));
        ck_assert(take(ENABLED));
        ck_assert_uint_eq(harness_load(&h, 0x86, 2), masks[i].code);
    }
}
END_TEST

/* ---- relocation ---- */

static void relocate(struct cpu_harness *to)
{
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    harness_init(to, "z196", 3);
    codec_out_init(&out);
    cpu_set_save(h.set, &out, 0x9001);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_int_eq(cpu_set_restore(to->set, &in, NULL), ST_OK);
    codec_out_fini(&out);
}

START_TEST(pending_survives)
{
    struct cpu_harness there;
    struct cpu_machine_check m = {
        .mcic = BIT(2) | BIT(8) | BIT(24), .invalid = BIT(33), .failing_storage = 0x5000};
    cpu_machine_check(h.cpu, &m);
    cpu_external(h.cpu, 0x1406, 0x14, 0);
    h.cpu->malfunction_from = 2;
    atomic_fetch_or(&h.cpu->pending, PEND_MALFUNCTION);
    relocate(&there);
    teardown();
    h = there;
    harness_store(&h, 0x1e8, 8, MCK_HANDLER);
    harness_store(&h, 0x1e0, 8, HARNESS_PSW64);
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(mcic(), (VALID & ~BIT(33)) | BIT(2) | BIT(8) | BIT(24));
    ck_assert_uint_eq(harness_load(&h, 0xf8, 8), 0x5000);
    cpu_cr(h.cpu)[0] |= 0x8010;
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(harness_load(&h, 0x84, 4), 1 << 16 | 0x1200);
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(harness_load(&h, 0x80, 8), 0x1400001406);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_machine_check");
    TCase *t = tcase_create("machine checks, external interruptions");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, subclasses, 0, 10);
    tcase_add_test(t, save_areas);
    tcase_add_test(t, details);
    tcase_add_test(t, several_at_once);
    tcase_add_test(t, floating_goes_to_one);
    tcase_add_loop_test(t, check_stop, 0, 2);
    tcase_add_test(t, stopped_and_reset);
    tcase_add_test(t, extended_save_area);
    tcase_add_test(t, external_priority);
    tcase_add_test(t, external_masks);
    tcase_add_test(t, pending_survives);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
