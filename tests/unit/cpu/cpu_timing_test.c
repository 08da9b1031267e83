/* The clocks of several CPUs together. Rules: PoP chapter 4, "Timing"; chapter 10, STORE CLOCK,
 * SET CLOCK, SET CLOCK PROGRAMMABLE FIELD, PERFORM TIMING FACILITY FUNCTION. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"

#define DATA HARNESS_DATA
#define VALUES 0x200000u /* of CPU 0; those of CPU 1 are behind them */
#define VALUES_BYTES 0x10000u
#define VALUES_COUNT 8000u
#define EXT_HANDLER 0x1d000u
#define UNITS_PER_INSN 20u /* TOD units an instruction takes when time is counted */

static struct cpu_harness h;
static struct cpu *other;
static u64 woken; /* one bit per CPU address */

static void note_wake(void *ctx, unsigned cpu_address)
{
    (void)ctx;
    woken |= 1ull << cpu_address;
}

static u64 frozen_tod(void *ctx)
{
    return ((struct cpu_harness *)ctx)->now_tod;
}

/* As in deterministic mode: time is the number of instructions executed. */
static u64 counted_tod(void *ctx)
{
    struct cpu_harness *own = ctx;
    return own->now_tod + UNITS_PER_INSN * cpu_instructions(own->cpu);
}

static void use_ports(const struct cpu_ports *ports)
{
    h.set->ports = ports;
    for (unsigned i = 0; i < h.set->count; i++)
        h.set->cpus[i]->ports = ports;
}

static const struct cpu_ports frozen = {.tod = frozen_tod, .wake = note_wake};
static const struct cpu_ports counted = {.tod = counted_tod, .wake = note_wake};

static void setup(void)
{
    harness_init(&h, "z10", 2);
    use_ports(&frozen);
    other = cpu_set_get(h.set, 1);
    cpu_psw_set(other, HARNESS_PSW64, HARNESS_CODE);
    cpu_start(other);
    cpu_run(other, 0);
    cpu_gr(h.cpu)[1] = cpu_gr(other)[1] = DATA;
    woken = 0;
}

static void teardown(void)
{
    harness_fini(&h);
}

/* One instruction on CPU `c`; what it stored at DATA + offset. */
static u64 stored_by(struct cpu *c, const char *hex, unsigned offset)
{
    harness_put(&h, HARNESS_CODE, hex);
    cpu_psw_set(c, HARNESS_PSW64, HARNESS_CODE);
    cpu_run(c, 1);
    return harness_load(&h, DATA + offset, 8);
}

/* ---- TOD clock ---- */

START_TEST(ordered_across_cpus)
{
    struct cpu *cpus[] = {h.cpu, other};
    u64 last = 0;
    for (unsigned i = 0; i < 64; i++) {
        u64 v = i & 4 ? stored_by(cpus[i & 1], "b278 1000", 1)
                      : stored_by(cpus[i & 1], "b205 1000", 0);
        ck_assert_uint_gt(v, last);
        last = v;
        if (i == 32)
            h.now_tod -= 1000000; /* the host's clock is put back */
        ck_assert_uint_ge(stored_by(cpus[~i & 1], "b27c 1000", 0), last); /* stckf */
    }
}
END_TEST

static void *store_clocks(void *arg)
{
    struct cpu *c = arg;
    cpu_psw_set(c, HARNESS_PSW64, HARNESS_CODE);
    cpu_gr(c)[2] = VALUES + VALUES_BYTES * c->addr;
    for (unsigned left = 3 * VALUES_COUNT; left; left -= 3)
        cpu_run(c, 3);
    return NULL;
}

static int compare_u64(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return x < y ? -1 : x > y;
}

/* Each CPU's values ascend, and no value is there twice, though time stands still. */
START_TEST(unique_across_threads)
{
    static u64 all[2 * VALUES_COUNT];
    pthread_t thread;
    harness_put(&h, HARNESS_CODE, "b205 2000 4120 2008 a7f4 fffc"); /* stck, la, j */
    ck_assert_int_eq(pthread_create(&thread, NULL, store_clocks, other), 0);
    store_clocks(h.cpu);
    pthread_join(thread, NULL);
    for (unsigned i = 0; i < 2 * VALUES_COUNT; i++) {
        unsigned k = i % VALUES_COUNT;
        all[i] = harness_load(&h, VALUES + VALUES_BYTES * (i / VALUES_COUNT) + 8 * k, 8);
        ck_assert(k == 0 || all[i] > all[i - 1]);
    }
    qsort(all, 2 * VALUES_COUNT, sizeof *all, compare_u64);
    for (unsigned i = 1; i < 2 * VALUES_COUNT; i++)
        ck_assert_uint_ne(all[i], all[i - 1]);
}
END_TEST

START_TEST(ascends_over_relocation)
{
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    struct cpu_harness to;
    u64 before = 0;
    for (unsigned i = 0; i < 10; i++)
        before = stored_by(h.cpu, "b205 1000", 0);
    harness_init(&to, "z10", 2);
    codec_out_init(&out);
    cpu_set_save(h.set, &out, 0x9001);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_int_eq(cpu_set_restore(to.set, &in, NULL), ST_OK);
    codec_out_fini(&out);
    teardown();
    h = to;
    ck_assert_uint_gt(stored_by(h.cpu, "b205 1000", 0), before);
}
END_TEST

/* Setting the clock moves nobody's CPU timer, and wakes who sleeps until a comparator value. */
START_TEST(set_clock)
{
    cpu_timer_set(h.cpu, 1000);
    cpu_timer_set(other, 2000);
    harness_store(&h, DATA, 8, 0x1234567800000000ull);
    ck_assert_int_eq(harness_insn(&h, "b204 1000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(cpu_guest_tod(other), 0x1234567800000000ull);
    ck_assert_uint_eq(cpu_timer_get(h.cpu), 1000);
    ck_assert_uint_eq(cpu_timer_get(other), 2000);
    ck_assert_uint_eq(woken, 2);
    ck_assert_uint_lt(stored_by(other, "b205 1000", 0), 0x1234567800001000ull);
    ck_assert_int_eq(harness_insn(&h, "b204 1004"), PGM_SPECIFICATION);
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
}
END_TEST

START_TEST(programmable_field)
{
    cpu_gr(h.cpu)[0] = 0xffffffff00001234ull; /* bits 0-31 do not count */
    ck_assert_int_eq(harness_insn(&h, "0107"), 0);
    ck_assert_int_eq(harness_insn(&h, "b278 1000"), 0);
    ck_assert_uint_eq(harness_load(&h, DATA, 1), 0); /* no epoch index */
    ck_assert_uint_ne(harness_load(&h, DATA + 9, 5), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 14, 2), 0x1234);
    cpu_gr(h.cpu)[0] = 0x80000000u;
    ck_assert_int_eq(harness_insn(&h, "0107"), PGM_SPECIFICATION);
    ck_assert_uint_eq(h.cpu->todpr, 0x1234);
}
END_TEST

START_TEST(store_at_the_end_of_storage)
{
    static const char *const insns[] = {"b205 1000", "b27c 1000", "b278 1000"};
    u64 at = HARNESS_STORAGE - 4;
    cpu_gr(h.cpu)[1] = at;
    for (unsigned i = 0; i < ARRAY_LEN(insns); i++) {
        h.cpu->cc = 2;
        ck_assert_int_eq(harness_insn(&h, insns[i]), PGM_ADDRESSING);
        ck_assert_uint_eq(harness_load(&h, at, 4), 0);
    }
}
END_TEST

/* ---- clock comparator and CPU timer ---- */

/* Without the multiple-epoch facility CR0 bit 10 changes nothing: the comparison is unsigned. */
START_TEST(comparator_sign_control)
{
    for (unsigned bit = 0; bit < 2; bit++) {
        cpu_cr(h.cpu)[0] |= (u64)bit << (63 - 10);
        h.cpu->ckc = 0x7fffffffffffffffull;
        ck_assert(cpu_comparator_due(h.cpu));
        h.cpu->ckc = ~0ull;
        ck_assert(!cpu_comparator_due(h.cpu));
    }
}
END_TEST

/* A CPU timer that ends behind the end of the epoch is no deadline that has passed. */
START_TEST(far_timer_is_no_deadline)
{
    cpu_cr(h.cpu)[0] |= CR_BIT(53);
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_EXT | PSW_WAIT, 0);
    cpu_timer_set(h.cpu, 0x7fffffffffffffffull);
    ck_assert_uint_gt(cpu_wait_left(h.cpu), 1ull << 62);
    cpu_timer_set(h.cpu, 500);
    ck_assert_uint_eq(cpu_wait_left(h.cpu), 500);
    cpu_timer_set(h.cpu, ~0ull);
    ck_assert_uint_eq(cpu_wait_left(h.cpu), 0);
}
END_TEST

/* Where time is counted in instructions the timer is exact at each end of a budget. */
START_TEST(timer_exact_to_the_budget)
{
    static const unsigned budgets[] = {1, 7, 100, 4096, 10000};
    use_ports(&counted);
    harness_put(&h, HARNESS_CODE, "a7f4 0000");
    cpu_timer_set(h.cpu, 1ull << 40);
    for (unsigned i = 0; i < ARRAY_LEN(budgets); i++) {
        u64 before = cpu_timer_get(h.cpu);
        cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
        ck_assert_int_eq(cpu_run(h.cpu, budgets[i]), CPU_EXIT_BUDGET);
        ck_assert_uint_eq(before - cpu_timer_get(h.cpu), UNITS_PER_INSN * budgets[i]);
    }
}
END_TEST

START_TEST(timer_interrupts_on_the_instruction)
{
    use_ports(&counted);
    harness_put(&h, HARNESS_CODE, "a7f4 0000");
    harness_put(&h, EXT_HANDLER, "a7f4 0000");
    harness_store(&h, 0x1b0, 8, HARNESS_PSW64);
    harness_store(&h, 0x1b8, 8, EXT_HANDLER);
    cpu_cr(h.cpu)[0] |= CR_BIT(53);
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_EXT, HARNESS_CODE);
    cpu_timer_set(h.cpu, 1000ull * UNITS_PER_INSN);
    for (unsigned i = 0; i < 1000; i++) {
        cpu_run(h.cpu, 1);
        ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_CODE); /* zero is not negative */
    }
    cpu_run(h.cpu, 1);
    ck_assert_uint_eq(harness_psw_addr(&h), EXT_HANDLER);
    ck_assert_uint_eq(harness_load(&h, 0x86, 2), 0x1005);
}
END_TEST

/* ---- PERFORM TIMING FACILITY FUNCTION ---- */

/* PTFF with the parameter block at DATA; the interruption code, or the negative CC less one. */
static int ptff(u64 function)
{
    cpu_gr(h.cpu)[0] = function;
    int rc = harness_insn(&h, "0104");
    return rc ? rc : -1 - (int)harness_cc(&h);
}

static void fill_block(void)
{
    for (unsigned i = 0; i < 64; i += 8)
        harness_store(&h, DATA + i, 8, ~0ull);
}

/* Each query stores its block in full and nothing behind it; bits 0-31 of GR0 do not count. */
START_TEST(ptff_queries)
{
    static const unsigned lengths[] = {16, 32, 56, 8};
    for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
        fill_block();
        ck_assert_int_eq(ptff(0xffffffff00000000ull | i), -1);
        ck_assert_uint_ne(harness_load(&h, DATA + lengths[i] - 8, 8), ~0ull);
        ck_assert_uint_eq(harness_load(&h, DATA + lengths[i], 8), ~0ull);
        if (i)
            ck_assert_uint_eq(harness_load(&h, DATA, 8), h.now_tod);
    }
    ck_assert_int_eq(ptff(0), -1);
    for (unsigned code = 0; code < 128; code++) { /* what is offered is there, no more */
        bool offered = harness_load(&h, DATA + code / 8, 1) & (0x80u >> code % 8);
        cpu_gr(h.cpu)[1] = DATA + 0x100;
        ck_assert_int_eq(ptff(code), offered ? -1 : -4);
        cpu_gr(h.cpu)[1] = DATA;
    }
}
END_TEST

START_TEST(ptff_offsets)
{
    harness_store(&h, DATA, 8, 0x5000);
    ck_assert_int_eq(ptff(0x41), -1); /* STO */
    ck_assert_uint_eq(cpu_guest_tod(other), h.now_tod + 0x5000);
    ck_assert_uint_eq(woken, 2);
    harness_store(&h, DATA, 8, (u64)-0x7000ll);
    ck_assert_int_eq(ptff(0x40), -1); /* ATO: signed */
    ck_assert_uint_eq(cpu_guest_tod(h.cpu), h.now_tod - 0x2000);
    ck_assert_int_eq(ptff(1), -1);
    ck_assert_uint_eq(harness_load(&h, DATA + 8, 8), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 16, 8), (u64)-0x2000ll);
    ck_assert_uint_eq(harness_load(&h, DATA + 24, 8), (u64)-0x2000ll);
}
END_TEST

START_TEST(ptff_refusals)
{
    ck_assert_int_eq(ptff(0x81), PGM_SPECIFICATION); /* bit 56 */
    ck_assert_int_eq(ptff(4), -4);                   /* QUI: not before the z13 */
    ck_assert_int_eq(ptff(0x49), -4);                /* STOE: multiple-epoch facility */
    cpu_gr(h.cpu)[1] = HARNESS_STORAGE - 8;
    harness_store(&h, HARNESS_STORAGE - 8, 8, ~0ull);
    ck_assert_int_eq(ptff(2), PGM_ADDRESSING);
    ck_assert_uint_eq(harness_load(&h, HARNESS_STORAGE - 8, 8), ~0ull);
    cpu_gr(h.cpu)[1] = HARNESS_STORAGE - 4;
    ck_assert_int_eq(ptff(0x41), PGM_ADDRESSING);
    ck_assert_uint_eq(cpu_get_epoch(h.set), 0);
    cpu_gr(h.cpu)[1] = DATA;
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_PROB, HARNESS_CODE);
    ck_assert_int_eq(ptff(1), -1);
    for (unsigned control = 0x40; control <= 0x43; control++)
        ck_assert_int_eq(ptff(control), PGM_PRIVILEGED);
    ck_assert_int_eq(ptff(0xc0), PGM_SPECIFICATION);
    ck_assert_uint_eq(cpu_get_epoch(h.set), 0);
}
END_TEST

static int set_rate(unsigned function, s32 rate)
{
    harness_store(&h, DATA, 4, (u32)rate);
    return ptff(function);
}

/* Rates are parts of 2**44, fine and gross add up; an episode begins without a step. */
START_TEST(steering)
{
    u64 begin = h.now_tod;
    ck_assert_int_eq(set_rate(0x42, 1 << 20), -1);
    h.now_tod += 1ull << 30;
    ck_assert_uint_eq(cpu_guest_tod(other) - begin, (1ull << 30) + (1u << 6));
    ck_assert_int_eq(set_rate(0x43, -(1 << 21)), -1);
    ck_assert_uint_eq(cpu_guest_tod(other) - begin, (1ull << 30) + (1u << 6));
    h.now_tod += 1ull << 30;
    ck_assert_uint_eq(cpu_guest_tod(other) - begin, 1ull << 31);
    fill_block();
    ck_assert_int_eq(ptff(2), -1);
    const u64 block[] = {begin + (1ull << 31),
                         begin,
                         0,
                         1ull << 52,
                         begin + (1ull << 30),
                         1u << 6,
                         (1ull << 52) | (u32)(-(1 << 21))};
    for (unsigned i = 0; i < ARRAY_LEN(block); i++)
        ck_assert_uint_eq(harness_load(&h, DATA + 8 * i, 8), block[i]);
    ck_assert_uint_eq(harness_load(&h, DATA + 56, 8), ~0ull);
}
END_TEST

/* However slow the clock: STCK gives each value once, and never an older one. */
START_TEST(steering_is_monotonic)
{
    u64 last = 0;
    ck_assert_int_eq(set_rate(0x42, INT32_MIN), -1);
    ck_assert_int_eq(set_rate(0x43, INT32_MIN), -1);
    for (unsigned i = 0; i < 20000; i++) {
        h.now_tod += i % 3;
        u64 v = stored_by(i & 1 ? h.cpu : other, "b205 1000", 0);
        ck_assert_uint_gt(v, last);
        last = v;
        if (i == 9000)
            ck_assert_int_eq(set_rate(0x43, INT32_MAX), -1);
    }
}
END_TEST

static void other_model(const char *name)
{
    teardown();
    harness_init(&h, name, 2);
    use_ports(&frozen);
    other = cpu_set_get(h.set, 1);
    cpu_gr(h.cpu)[1] = DATA;
    woken = 0;
}

static void relocate(const char *model)
{
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    struct cpu_harness to;
    harness_init(&to, model, 2);
    to.now_tod = h.now_tod;
    codec_out_init(&out);
    cpu_set_save(h.set, &out, 0x9001);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_int_eq(cpu_set_restore(to.set, &in, NULL), ST_OK);
    codec_out_fini(&out);
    harness_fini(&h);
    h = to;
    h.set->ports_ctx = &h;
    for (unsigned i = 0; i < h.set->count; i++)
        h.set->cpus[i]->ports_ctx = &h;
    use_ports(&frozen);
    other = cpu_set_get(h.set, 1);
    cpu_gr(h.cpu)[1] = DATA;
}

START_TEST(episodes_move_along)
{
    u8 before[96];
    other_model("z14");
    harness_store(&h, DATA, 8, 0x123456789);
    ck_assert_int_eq(ptff(0x45), -1);
    ck_assert_int_eq(set_rate(0x42, 77), -1);
    h.now_tod += 1000000;
    ck_assert_int_eq(set_rate(0x43, -99), -1);
    h.now_tod += 1000000;
    ck_assert_int_eq(ptff(10), -1);
    ck_assert(storage_read(h.st, DATA, before, sizeof before));
    relocate("z14");
    ck_assert_int_eq(ptff(10), -1);
    for (unsigned i = 0; i < sizeof before; i++)
        ck_assert_uint_eq(harness_load(&h, DATA + i, 1), before[i]);
    ck_assert_int_eq(ptff(5), -1);
    ck_assert_uint_eq(harness_load(&h, DATA + 24, 8), 0x123456789);
}
END_TEST

/* The user-specified difference is a part of the offset; setting it anew replaces that part. */
START_TEST(user_functions)
{
    other_model("z13");
    fill_block();
    ck_assert_int_eq(ptff(4), -1);
    for (unsigned i = 0; i < 64; i += 8) /* QUI: local mode, no leap seconds */
        ck_assert_uint_eq(harness_load(&h, DATA + i, 8), 0);
    harness_store(&h, DATA, 8, 0x1000);
    ck_assert_int_eq(ptff(0x41), -1);
    harness_store(&h, DATA, 8, 0x700);
    ck_assert_int_eq(ptff(0x45), -1);
    ck_assert_uint_eq(cpu_guest_tod(other), h.now_tod + 0x1700);
    harness_store(&h, DATA, 8, (u64)-0x300);
    ck_assert_int_eq(ptff(0x45), -1);
    ck_assert_uint_eq(cpu_guest_tod(other), h.now_tod + 0xd00);
    ck_assert_int_eq(ptff(5), -1);
    ck_assert_uint_eq(harness_load(&h, DATA, 8), h.now_tod);
    ck_assert_uint_eq(harness_load(&h, DATA + 16, 8), 0xd00);
    ck_assert_uint_eq(harness_load(&h, DATA + 24, 8), (u64)-0x300);
    ck_assert_int_eq(ptff(10), -4); /* QSIE: no multiple-epoch facility */
}
END_TEST

/* A carry out of bit 0 counts the epoch, which only the facility shows; SET CLOCK makes it 0. */
START_TEST(epoch_index)
{
    for (unsigned with = 0; with < 2; with++) {
        other_model(with ? "z14" : "z13");
        harness_store(&h, DATA, 8, ~0ull - 5);
        ck_assert_int_eq(harness_insn(&h, "b204 1000"), 0);
        ck_assert_uint_eq(stored_by(h.cpu, "b278 1000", 0) >> 56, 0);
        h.now_tod += 4096;
        ck_assert_uint_eq(stored_by(h.cpu, "b278 1000", 0) >> 56, with);
        ck_assert_uint_eq(harness_load(&h, DATA + 1, 8), 4096 - 6);
        relocate(with ? "z14" : "z13");
        ck_assert_uint_eq(stored_by(h.cpu, "b278 1000", 0) >> 56, with);
        harness_store(&h, DATA, 8, 5);
        ck_assert_int_eq(harness_insn(&h, "b204 1000"), 0);
        ck_assert_uint_eq(stored_by(h.cpu, "b278 1000", 0) >> 56, 0);
    }
    harness_store(&h, DATA, 8, 7); /* STOE: epoch 7 */
    harness_store(&h, DATA + 8, 8, 0);
    ck_assert_int_eq(ptff(0x49), -1);
    ck_assert_uint_eq(stored_by(h.cpu, "b278 1000", 0) >> 56, 7);
    harness_store(&h, DATA, 8, ~0ull); /* STOUE: one less */
    harness_store(&h, DATA + 8, 8, 0);
    ck_assert_int_eq(ptff(0x4d), -1);
    ck_assert_uint_eq(stored_by(h.cpu, "b278 1000", 0) >> 56, 6);
    ck_assert_int_eq(ptff(13), -1); /* QTOUE */
    ck_assert_uint_eq(harness_load(&h, DATA + 8, 8), h.now_tod);
    ck_assert_uint_eq(harness_load(&h, DATA + 32, 8), 6);
    ck_assert_uint_eq(harness_load(&h, DATA + 48, 8), ~0ull);
}
END_TEST

/* With the facility CR0 bit 10 makes the comparison a signed one. */
START_TEST(comparator_signed)
{
    other_model("z14");
    cpu_cr(h.cpu)[0] |= CR_BIT(10) | CR_BIT(52);
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_EXT | PSW_WAIT, 0);
    harness_store(&h, DATA, 8, 1000);
    cpu_set_epoch(h.set, 1000 - h.now_tod);
    h.cpu->ckc = ~0ull;
    ck_assert(cpu_comparator_due(h.cpu));
    ck_assert_uint_eq(cpu_wait_left(h.cpu), 0);
    h.cpu->ckc = 1007;
    ck_assert_uint_eq(cpu_wait_left(h.cpu), 7);
    h.cpu->ckc = ~0ull >> 1;
    ck_assert(!cpu_comparator_due(h.cpu));
    ck_assert_uint_eq(cpu_wait_left(h.cpu), ~0ull);
    cpu_set_epoch(h.set, (u64)-1000 - h.now_tod);
    h.cpu->ckc = 5;
    ck_assert_uint_eq(cpu_wait_left(h.cpu), 1005);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_timing");
    TCase *t = tcase_create("clocks");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, ordered_across_cpus);
    tcase_add_test(t, unique_across_threads);
    tcase_add_test(t, ascends_over_relocation);
    tcase_add_test(t, set_clock);
    tcase_add_test(t, programmable_field);
    tcase_add_test(t, store_at_the_end_of_storage);
    tcase_add_test(t, comparator_sign_control);
    tcase_add_test(t, far_timer_is_no_deadline);
    tcase_add_test(t, timer_exact_to_the_budget);
    tcase_add_test(t, timer_interrupts_on_the_instruction);
    tcase_add_test(t, ptff_queries);
    tcase_add_test(t, ptff_offsets);
    tcase_add_test(t, ptff_refusals);
    tcase_add_test(t, steering);
    tcase_add_test(t, steering_is_monotonic);
    tcase_add_test(t, episodes_move_along);
    tcase_add_test(t, user_functions);
    tcase_add_test(t, epoch_index);
    tcase_add_test(t, comparator_signed);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
