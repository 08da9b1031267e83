/* CPUs that come and go at any address: what is listed, what SIGP finds, what STSI counts, and that
 * it goes along with a relocation. Run alone: tests/run unit/hyp_cpus_test */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/config.h"
#include "hyp/directory.h"
#include "hyp/vm_internal.h"
#include "io/sclp_internal.h"
#include "tests/lib/ipled_machine.h"

#define CPUS 4
#define HCPUA_AT 120 /* of READ SCP INFO */
#define TURNS_MAX 1000

static struct vm_host *host;
static struct vm *vm;
static const struct vm_host_events events;

/* SIGP sense of CPU 2, its condition code into register 7; STSI 1.2.2; a disabled wait. */
static const u8 ipl[] = {0x00, 0x08, 0, 0, 0x80, 0, 0x04, 0x00};
static const u8 code[] = {0xa7, 0x38, 0x00, 0x02,  /* LHI 3,2 */
                          0xae, 0x13, 0x00, 0x01,  /* SIGP 1,3,sense */
                          0xb2, 0x22, 0x00, 0x70,  /* IPM 7 */
                          0x58, 0x00, 0x06, 0x00,  /* L 0,600 */
                          0x58, 0x10, 0x06, 0x04,  /* L 1,604 */
                          0xa7, 0x88, 0x10, 0x00,  /* LHI 8,X'1000' */
                          0xb2, 0x7d, 0x80, 0x00,  /* STSI 0(8) */
                          0xb2, 0xb2, 0x05, 0x00}; /* LPSWE 500 */
static const u8 wait[16] = {0, 0x02, 0, 1, 0x80};
static const u8 level[] = {0x10, 0, 0, 2, 0, 0, 0, 2};
static const struct ipled_piece pieces[] = {{0, ipl, sizeof ipl},
                                            {0x400, code, sizeof code},
                                            {0x500, wait, sizeof wait},
                                            {0x600, level, sizeof level},
                                            {0, NULL, 0}};

static void setup(void)
{
    ipled_machine((struct vm_host_config){.deterministic = true}, ipled_at_once, &events, CPUS,
                  pieces, &host, &vm);
    vm->config.cpus_max = CPUS;
}

static void teardown(void)
{
    vm_destroy(vm);
    vm_host_destroy(host);
}

/* The addresses that are listed, as digits. */
static const char *listed(struct vm *of)
{
    static char text[VM_CPUS_MAX + 1];
    struct vm_cpu_info info;
    unsigned n = 0;
    for (; vm_host_ops()->cpu_info(of, n, &info); n++) {
        ck_assert(info.base == (info.addr == 0));
        text[n] = (char)('0' + info.addr);
    }
    text[n] = 0;
    struct vm_info all = {0};
    vm_host_ops()->info(of, &all);
    ck_assert_uint_eq(all.cpu_count, n);
    return text;
}

static void detach(unsigned addr)
{
    ck_assert_int_eq(vm_host_ops()->detach_cpu(vm, (u8)addr, &(struct cause){0}), ST_OK);
}

static int define(unsigned addr)
{
    return vm_host_ops()->define_cpu(vm, (u8)addr, 0, &(struct cause){0});
}

/* What the program finds: condition code of SIGP, CPUs of the machine and in standby. */
static void program(unsigned *cc, unsigned *total, unsigned *standby)
{
    u8 counts[8];
    ipled_pieces(vm, pieces);
    for (unsigned turns = 0; vm_host_run(host); turns++) {
        u8 pgm[4];
        storage_read(vm_storage(vm), 0x8c, pgm, 4);
        ck_assert_msg(turns < TURNS_MAX, "program interruption %02X%02X", pgm[2], pgm[3]);
    }
    *cc = (unsigned)(cpu_gr(vm->vcpu[0].cpu)[7] >> 28 & 3);
    storage_read(vm_storage(vm), 0x1000 + 36, counts, sizeof counts);
    *total = be16_load(counts);
    *standby = be16_load(counts + 4);
    ck_assert_uint_eq(be16_load(counts + 2), *total - *standby);
}

START_TEST(one_in_the_middle)
{
    unsigned cc, total, standby;
    u64 value;
    program(&cc, &total, &standby);
    ck_assert_uint_eq(cc, 1); /* stopped: status stored */
    ck_assert_uint_eq(total, 4);
    detach(2);
    ck_assert_str_eq(listed(vm), "013");
    ck_assert_int_eq(vm_host_ops()->reg_get(vm, 2, VM_REG_GR, 0, &value), ST_NOENT);
    ck_assert_int_eq(vm_host_ops()->reg_get(vm, 3, VM_REG_GR, 0, &value), ST_OK);
    program(&cc, &total, &standby);
    ck_assert_uint_eq(cc, 3); /* not operational */
    ck_assert_uint_eq(total, 3);
    ck_assert_uint_eq(standby, 0);
    ck_assert_int_eq(define(2), ST_OK);
    ck_assert_str_eq(listed(vm), "0123");
    program(&cc, &total, &standby);
    ck_assert_uint_eq(cc, 1);
    ck_assert_uint_eq(total, 4);
}
END_TEST

/* The processor that a CPU had to itself is everybody's again. */
START_TEST(it_gives_its_processor_back)
{
    struct cause cause = {0};
    struct vm_processor_info p;
    teardown();
    ipled_machine((struct vm_host_config){.deterministic = true, .processors = 2},
                  ipled_at_once, &events, CPUS, pieces, &host, &vm);
    ck_assert_int_eq(vm_host_ops()->dedicate(vm, 2, true, &cause), ST_OK);
    detach(2);
    ck_assert(vm_host_ops()->processor(host, 1, &p));
    ck_assert_str_eq(p.dedicated, "");
    ck_assert_int_eq(vm_host_ops()->dedicate(vm, 1, true, &cause), ST_OK);
}
END_TEST

START_TEST(the_last_takes_gaps_along)
{
    detach(1);
    detach(2);
    ck_assert_str_eq(listed(vm), "03");
    detach(3);
    ck_assert_str_eq(listed(vm), "0");
    ck_assert_uint_eq(cpu_set_count(vm->cpus), 1);
    ck_assert_uint_eq(vm->undefined, 0);
    ck_assert_int_eq(define(3), ST_OK);
    ck_assert_str_eq(listed(vm), "03");
    ck_assert_int_eq(define(3), ST_EXIST);
    ck_assert_int_eq(define(CPUS), ST_LIMIT);
    ck_assert_int_eq(vm_host_ops()->detach_cpu(vm, 0, &(struct cause){0}), ST_INVAL);
    ck_assert_int_eq(vm_host_ops()->detach_cpu(vm, 1, &(struct cause){0}), ST_INVAL);
}
END_TEST

START_TEST(it_moves)
{
    struct codec_out out;
    struct codec_in in;
    struct cause cause = {0};
    unsigned cc, total, standby;
    detach(2);
    program(&cc, &total, &standby);
    ck_assert(vm_quiesce(vm));
    codec_out_init(&out);
    ck_assert_int_eq(vm_save(vm, &out, &cause), ST_OK);
    struct vm *other = ipled_another(host, CPUS, SHARE_DEFAULT, pieces);
    vm_system_reset(other, true);
    ck_assert(vm_quiesce(other));
    codec_in_init(&in, out.data, out.len);
    ck_assert_msg(vm_restore(other, &in, &cause) == ST_OK, "%s", cause.text);
    codec_out_fini(&out);
    ck_assert_str_eq(listed(other), "013");
    ck_assert(!cpu_set_configured(other->cpus, 2));
    ck_assert(!vm_undefined_restored(other, 1));
    ck_assert(!vm_undefined_restored(other, 8));
    vm_destroy(other);
    vm_unquiesce(vm);
}
END_TEST

/* What SCLP tells in READ SCP INFO. */
static unsigned highest_cpu(const struct vm *of)
{
    u8 sccb[4096] = {0};
    be16_store(sccb, sizeof sccb);
    ck_assert_uint_eq(sclp_read_scp_info(of->sclp, sccb, sizeof sccb), 0x10);
    return be16_load(sccb + HCPUA_AT);
}

/* CPU statements: those of the addresses that they name, of their types. */
START_TEST(gaps_of_the_directory)
{
    struct directory *dir;
    struct cause cause = {0};
    struct vm *made;
    struct vm_cpu_info info;
    struct system_config *config = calloc(1, sizeof *config);
    vm_host_set_config(host, config);
    ck_assert_int_eq(directory_parse("d",
                                     "USER GAPS NOPASS 64M 64M G\n MACHINE ESA 9\n CPU 0 BASE\n"
                                     " CPU 5 TYPE IFL\n CPU 2\nUSER FEW NOPASS 64M\n CPU 3\n"
                                     "USER HIGH NOPASS 64M 64M G\n CPU 0\n CPU 5\n",
                                     "MEMBERA", &dir, &cause),
                     ST_OK);
    const struct vm_ops *ops = vm_host_ops();
    ck_assert_msg(ops->create(host, directory_find(dir, "GAPS"), NULL, &made, &cause) == ST_OK,
                  "%s", cause.text);
    ck_assert_str_eq(listed(made), "025");
    ck_assert(ops->cpu_info(made, 2, &info));
    ck_assert_uint_eq(info.addr, 5);
    ck_assert_int_eq(info.type, 3); /* IFL */
    ck_assert_int_eq(vm_reconfigure(made, 64 << 20, 3, &cause),
                     ST_OK); /* as one that arrives */
    ck_assert_uint_eq(cpu_set_count(made->cpus), 3);
    vm_destroy(made);
    ck_assert_int_eq(ops->create(host, directory_find(dir, "FEW"), NULL, &made, &cause), ST_OK);
    ck_assert_str_eq(listed(made), "0");
    vm_destroy(made);
    ck_assert_int_eq(ops->create(host, directory_find(dir, "HIGH"), NULL, &made, &cause),
                     ST_OK);
    ck_assert_str_eq(listed(made), "05");
    ck_assert_uint_eq(highest_cpu(made), 5);
    ck_assert_int_eq(ops->detach_cpu(made, 5, &cause), ST_OK);
    ck_assert_int_eq(ops->define_cpu(made, 5, 0, &cause), ST_OK);
    ck_assert_str_eq(listed(made), "05");
    ck_assert_int_eq(ops->define_cpu(made, 6, 0, &cause), ST_LIMIT);
    vm_destroy(made);
    directory_free(dir);
    free(config);
}
END_TEST

/* SET VTOD: a reset, and the clock is so far ahead. */
START_TEST(a_clock_is_set)
{
    u64 system, own;
    ck_assert(vm->ipled);
    ck_assert_int_eq(vm_host_ops()->set_tod(vm, 4096000000ull * 60), ST_OK);
    vm_host_ops()->tod(vm, &system, &own);
    ck_assert_uint_eq(own - system, 4096000000ull * 60);
    ck_assert(!vm->ipled);
    ck_assert_int_eq(vm_host_ops()->set_tod(vm, 0), ST_OK);
    vm_host_ops()->tod(vm, &system, &own);
    ck_assert_uint_eq(own, system);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_cpus");
    TCase *tc = tcase_create("cpus");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, one_in_the_middle);
    tcase_add_test(tc, it_gives_its_processor_back);
    tcase_add_test(tc, the_last_takes_gaps_along);
    tcase_add_test(tc, gaps_of_the_directory);
    tcase_add_test(tc, a_clock_is_set);
    tcase_add_test(tc, it_moves);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
