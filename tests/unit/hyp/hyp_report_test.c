/* What is told of a machine that nothing is heard of (hyp/vm_report.c), also when one of its CPUs
 * never leaves its processor. For make tsan, too. Run alone: tests/run unit/hyp_report_test */
#include <check.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/vm_internal.h"
#include "io/css.h"
#include "tests/lib/ipled_machine.h"

#define DEVNO 0x0200u
#define SCHID 0x00010000u

static const u8 start_psw[] = {0x00, 0x08, 0, 0, 0x80, 0, 0x04, 0x00};
static const u8 io_new[] = {0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0x2a};
static const u8 code[] = {
    0xa7, 0x18, 0x00, 0x01,             /* 400 LHI 1,1 */
    0xae, 0x10, 0x00, 0x12,             /* 404 SIGP 1,0,X'12' */
    0x01, 0x0e,                         /* 408 SAM64 */
    0xeb, 0x66, 0x06, 0x08, 0x00, 0x2f, /* 40A LCTLG 6,6,X'608' */
    0xc0, 0x1f, 0x00, 0x01, 0x00, 0x00, /* 410 LLILF 1,X'10000' */
    0xb2, 0x34, 0x06, 0x80,             /* 416 STSCH X'680' */
    0x96, 0x80, 0x06, 0x85,             /* 41A OI X'685',X'80' */
    0xb2, 0x32, 0x06, 0x80,             /* 41E MSCH X'680' */
    0xb2, 0x33, 0x06, 0x40,             /* 422 SSCH X'640' */
    0xb2, 0xb2, 0x06, 0x10,             /* 426 LPSWE X'610': waits */
    0xb2, 0x35, 0x07, 0x00,             /* 42A TSCH X'700' */
    0xa7, 0xf4, 0xff, 0xfa,             /* 42E J 422 */
};
static const u8 control_register[] = {0, 0, 0, 0, 0xff, 0, 0, 0};
static const u8 wait_psw[] = {0x03, 0x02, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
static const u8 orb[] = {0, 0, 0, 0, 0, 0x80, 0xff, 0, 0, 0, 0x08, 0};
static const u8 ccw[] = {0x01, 0x20, 0, 1, 0, 0, 0x09, 0x00};
static const struct ipled_piece pieces[] = {
    {0, start_psw, sizeof start_psw},   {0x1f0, io_new, sizeof io_new},
    {0x400, code, sizeof code},         {0x608, control_register, 8},
    {0x610, wait_psw, sizeof wait_psw}, {0x640, orb, sizeof orb},
    {0x800, ccw, sizeof ccw},           {0, NULL, 0}};

static struct vm_host *host;
static struct vm *vm;
static sem_t entered, may_return;
static atomic_bool stays;
static char told[8192];

/* What a processor does for its CPU, and does not return from until the test lets it. */
static int attempt(void *dev, struct dev_io *io)
{
    (void)dev;
    (void)io;
    if (atomic_exchange(&stays, false)) {
        sem_post(&entered);
        sem_wait(&may_return);
    }
    return DS_NORMAL;
}

static int start(void *dev, struct dev_io *io)
{
    (void)dev;
    (void)io;
    return DS_NORMAL;
}

static const struct dev_ops ops = {
    .name = "stuck", .chpid = 1, .start = start, .attempt = attempt};

static void line(void *ctx, const char *text)
{
    (void)ctx;
    size_t len = strlen(told);
    snprintf(told + len, sizeof told - len, "%s\n", text);
}

static void setup(void)
{
    struct cause cause = {0};
    sem_init(&entered, 0, 0);
    sem_init(&may_return, 0, 0);
    atomic_store(&stays, true);
    told[0] = 0;
    ipled_resting(&host, &vm);
    ck_assert_int_eq(css_attach(vm->css, DEVNO, &ops, NULL, false, NULL, &cause), ST_OK);
    ck_assert_uint_eq(css_find_devno(vm->css, DEVNO), SCHID);
    ipled_pieces(vm, pieces);
    sem_wait(&entered);
}

static void teardown(void)
{
    vm_destroy(vm);
    vm_host_destroy(host);
    sem_destroy(&entered);
    sem_destroy(&may_return);
}

/* The CPU comes back, however late: what is told then. */
static void comes_back(void)
{
    sem_post(&may_return);
    do
        told[0] = 0;
    while (!vm_report(vm, line, NULL));
    ck_assert_msg(strstr(told, "CPU 00 PSW 0"), "%s", told);
    ck_assert(!vm_held(vm));
}

START_TEST(a_cpu_that_stays)
{
    ck_assert(!vm_report(vm, line, NULL));
    ck_assert_msg(strstr(told, "CPU 00 runs, "), "%s", told);
    ck_assert_msg(strstr(told, "does not leave its processor"), "%s", told);
    ck_assert_msg(!strstr(told, "PSW 0"), "%s", told);
    ck_assert(!vm_held(vm));
    comes_back();
}
END_TEST

START_TEST(a_cpu_that_comes)
{
    comes_back();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_report");
    TCase *tc = tcase_create("report");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_cpu_that_stays);
    tcase_add_test(tc, a_cpu_that_comes);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
