/* A CPU that waits for the disk it has started something on: its own processor's thread reads
 * (hyp/dispatch/attempt.c). External interruptions, holds and quiesces come at any moment and are
 * not lost, nor is an end of a program. For make tsan, too.
 * Run alone: tests/run unit/hyp_attempt_test */
#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/vm_internal.h"
#include "io/image/track.h"
#include "tests/lib/ipled_machine.h"

#define SCHID 0x00010000u
#define DEVNO 0x0200u
#define TRACK 3u
#define ROUNDS 2000u
#define TIMES 60u
#define PATTERN 0x6b

#define STOP_AT 0x5f0u /* the guest ends when it is not zero */
#define KEYS_AT 0x5f8u /* interruptions by the interrupt key that it had */
#define AREA 0x10000u
#define RECORD_BYTES 4096u

static const u8 start_psw[] = {0x00, 0x08, 0, 0, 0x80, 0, 0x04, 0x00};
static const u8 external_new[] = {0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0x66};
static const u8 io_new[] = {0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0x38};
static const u8 code[] = {
    0xa7, 0x18, 0x00, 0x01,             /* 400 LHI 1,1 */
    0xae, 0x10, 0x00, 0x12,             /* 404 SIGP 1,0,X'12' */
    0x01, 0x0e,                         /* 408 SAM64 */
    0xeb, 0x00, 0x06, 0x00, 0x00, 0x2f, /* 40A LCTLG 0,0,X'600' */
    0xeb, 0x66, 0x06, 0x08, 0x00, 0x2f, /* 410 LCTLG 6,6,X'608' */
    0xc0, 0x1f, 0x00, 0x01, 0x00, 0x00, /* 416 LLILF 1,X'10000' */
    0xb2, 0x34, 0x06, 0x80,             /* 41C STSCH X'680' */
    0x96, 0x80, 0x06, 0x85,             /* 420 OI X'685',X'80' */
    0xb2, 0x32, 0x06, 0x80,             /* 424 MSCH X'680' */
    0xa7, 0x74, 0x00, 0x1d,             /* 428 JNE 462 */
    0xb2, 0x33, 0x06, 0x40,             /* 42C SSCH X'640' */
    0xa7, 0x74, 0x00, 0x19,             /* 430 JNE 462 */
    0xb2, 0xb2, 0x06, 0x10,             /* 434 LPSWE X'610': waits */
    0xb2, 0x35, 0x07, 0x00,             /* 438 TSCH X'700' */
    0xa7, 0x74, 0x00, 0x13,             /* 43C JNE 462 */
    0xd5, 0x01, 0x07, 0x08, 0x06, 0x60, /* 440 CLC X'708'(2),X'660' */
    0xa7, 0x74, 0x00, 0x0e,             /* 446 JNE 462 */
    0x58, 0x20, 0x05, 0xf4,             /* 44A L 2,X'5F4' */
    0xa7, 0x2a, 0x00, 0x01,             /* 44E AHI 2,1 */
    0x50, 0x20, 0x05, 0xf4,             /* 452 ST 2,X'5F4' */
    0x95, 0x00, 0x05, 0xf0,             /* 456 CLI X'5F0',0 */
    0xa7, 0x84, 0xff, 0xe9,             /* 45A JE 42C */
    0xb2, 0xb2, 0x06, 0x20,             /* 45E LPSWE X'620': well */
    0xb2, 0xb2, 0x06, 0x30,             /* 462 LPSWE X'630': not well */
    0x58, 0x20, 0x05, 0xf8,             /* 466 L 2,X'5F8' */
    0xa7, 0x2a, 0x00, 0x01,             /* 46A AHI 2,1 */
    0x50, 0x20, 0x05, 0xf8,             /* 46E ST 2,X'5F8' */
    0xb2, 0xb2, 0x01, 0x30,             /* 472 LPSWE X'130' */
};
static const u8 control_registers[] = {0, 0, 0, 0, 0,    0, 0, 0x40, /* interrupt key */
                                       0, 0, 0, 0, 0xff, 0, 0, 0};
static const u8 psws[] = {
    0x03, 0x02, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 610 */
    0x00, 0x02, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 620 */
    0x00, 0x02, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, /* 630 */
};
static const u8 orb[] = {0, 0, 0, 0, 0, 0x80, 0xff, 0, 0, 0, 0x08, 0};
static const u8 normal[] = {0x0c, 0x00};
static const u8 ccws[] = {
    0x63, 0x40, 0,    16,   0, 0, 0x09, 0x00, /* define extent */
    0x47, 0x40, 0,    16,   0, 0, 0x09, 0x10, /* locate record */
    0x86, 0x00, 0x10, 0x00, 0, 1, 0x00, 0x00, /* read data */
};
static const u8 parameters[] = {
    0x40, 0xc0, 0x10, 0, 0, 0, 0, 0,     0, 0, 0, TRACK, 0, 0, 0,    TRACK, /* 900 */
    0x06, 0x80, 0,    1, 0, 0, 0, TRACK, 0, 0, 0, TRACK, 1, 0, 0x10, 0,     /* 910 */
};
static const struct ipled_piece pieces[] = {{0, start_psw, sizeof start_psw},
                                            {0x1b0, external_new, sizeof external_new},
                                            {0x1f0, io_new, sizeof io_new},
                                            {0x400, code, sizeof code},
                                            {0x600, control_registers, 16},
                                            {0x610, psws, sizeof psws},
                                            {0x640, orb, sizeof orb},
                                            {0x660, normal, sizeof normal},
                                            {0x800, ccws, sizeof ccws},
                                            {0x900, parameters, sizeof parameters},
                                            {0, NULL, 0}};

static struct vm_host *host;
static struct vm *vm;
static struct image *img;
static char path[64];

/** Record 1 of the track has the pattern. */
static void make_image(void)
{
    const struct image_create what = {
        .format = IMAGE_CKD_RAW, .cylinders = 1, .linux_tracks = true};
    static u8 bytes[IMAGE_TRACK_BYTES_MAX];
    struct track_layout layout;
    struct cause cause = {0};
    u32 len;
    snprintf(path, sizeof path, "/tmp/hyp_attempt_%d.img", getpid());
    unlink(path);
    ck_assert_msg(image_create(path, &what, &cause) == ST_OK, "%s", cause.text);
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_OK);
    ck_assert_int_eq(image_read_track(img, TRACK, bytes, &len, &cause), ST_OK);
    ck_assert_int_eq(track_scan(bytes, len, TRACK, 15, &layout, &cause), ST_OK);
    memset(bytes + layout.offset[1] + TRACK_COUNT_BYTES, PATTERN, RECORD_BYTES);
    ck_assert_int_eq(image_write_track(img, TRACK, bytes, len, &cause), ST_OK);
}

static void setup(void)
{
    struct cause cause = {0};
    make_image();
    ipled_resting(&host, &vm);
    ck_assert_int_eq(dasd_create(vm->css, DEVNO, img, false, &cause), ST_OK);
    ck_assert_uint_eq(css_find_devno(vm->css, DEVNO), SCHID);
    ipled_pieces(vm, pieces);
}

static void teardown(void)
{
    vm_destroy(vm);
    vm_host_destroy(host);
    image_unref(img);
    unlink(path);
}

static void check_running(void)
{
    ck_assert_msg(!ipled_ended(vm), "the guest has ended");
    sched_yield();
}

static void await_programs(u64 count)
{
    while (atomic_load(&vm->io_count) < count)
        check_running();
}

/** The guest's storage is looked at while it is held. */
static u32 keys(void)
{
    vm_hold(vm);
    u32 count = be32_load(storage_host(vm->st, KEYS_AT, 4));
    vm_release(vm);
    return count;
}

static void end_well(void)
{
    u64 mask, addr;
    vm_hold(vm);
    *storage_host(vm->st, STOP_AT, 1) = 1;
    vm_release(vm);
    while (!ipled_ended(vm))
        sched_yield();
    vm_hold(vm);
    cpu_psw_get(vm->vcpu[0].cpu, &mask, &addr);
    ck_assert_uint_eq(addr, 0);
    const u8 *data = storage_host(vm->st, AREA, RECORD_BYTES);
    for (u32 i = 0; i < RECORD_BYTES; i++)
        ck_assert_uint_eq(data[i], PATTERN);
    vm_release(vm);
}

START_TEST(its_own_thread_reads)
{
    await_programs(ROUNDS);
    end_well();
    u64 slept = host->processor[0].sleeps;
    ck_assert_uint_lt(slept, ROUNDS / 2); /* for each of them, if another thread had read */
}
END_TEST

START_TEST(interruptions_come_meanwhile)
{
    for (u32 i = 1; i <= TIMES; i++) {
        await_programs(atomic_load(&vm->io_count) + 20);
        cpu_interrupt_key(vm->vcpu[0].cpu);
        while (keys() < i)
            check_running();
    }
    end_well();
    ck_assert_uint_eq(keys(), TIMES);
}
END_TEST

START_TEST(holds_and_quiesces_come_meanwhile)
{
    for (u32 i = 1; i <= TIMES; i++) {
        await_programs(atomic_load(&vm->io_count) + 10);
        vm_hold(vm);
        css_quiesce(vm->css);
        ck_assert_ptr_null(vm->vcpu[0].starts.left); /* [A1] */
        css_resume(vm->css);
        vm_release(vm);
    }
    end_well();
}
END_TEST

/* Another machine's CPU gets the processor while this one's program is executed again and again. */
START_TEST(another_machine_runs_beside_it)
{
    static const u8 psw[] = {0x00, 0x08, 0, 0, 0x80, 0, 0x04, 0x00};
    static const u8 loop[] = {0x50, 0x00, 0x08, 0x00, 0xa7, 0xf4, 0xff, 0xfe}; /* ST; J */
    static const struct ipled_piece loops[] = {
        {0, psw, sizeof psw}, {0x400, loop, sizeof loop}, {0, NULL, 0}};
    await_programs(100);
    struct vm *other = ipled_another(host, 1, SHARE_DEFAULT, loops);
    for (u32 i = 0; i < 5; i++) {
        u64 before = vm_instructions(other);
        u64 programs = atomic_load(&vm->io_count);
        while (vm_instructions(other) == before)
            sched_yield();
        await_programs(programs + 1);
    }
    vm_destroy(other);
    end_well();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("attempt");
    TCase *tc = tcase_create("attempt");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, its_own_thread_reads);
    tcase_add_test(tc, interruptions_come_meanwhile);
    tcase_add_test(tc, holds_and_quiesces_come_meanwhile);
    tcase_add_test(tc, another_machine_runs_beside_it);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
