/* The threads of device work: devices of a machine work at the same time, one never on two threads
 * at once, jobs of a subchannel in their order; a quiesce stops them all. For make tsan, too.
 * Run alone: tests/run unit/hyp_io_worker_test */
#include <sched.h>

#include "hyp/io_worker.h"
#include "tests/unit/io/io_fixture.h"

#define DEVICES 8u
#define FIRST 0x0100
#define ROUNDS 300u
#define DATA 0x10000u

struct counting {
    atomic_uint inside; /* threads in start */
    atomic_uint starts;
    pthread_barrier_t *meet;
};

static struct machine m;
static struct io_worker *worker;
static struct counting counting[DEVICES];
static pthread_barrier_t meet;

static int count_start(void *dev, struct dev_io *io)
{
    struct counting *c = dev;
    u8 byte = (u8)c->starts;
    ck_assert_uint_eq(atomic_fetch_add(&c->inside, 1), 0);
    if (c->meet)
        pthread_barrier_wait(c->meet);
    dev_io_put(io, &byte, 1);
    c->starts++;
    atomic_fetch_sub(&c->inside, 1);
    return DS_NORMAL;
}

static const struct dev_ops counting_ops = {.name = "count", .chpid = 1, .start = count_start};

static void run_job(void *ctx, void (*fn)(void *), void *arg)
{
    (void)ctx;
    io_worker_add(worker, fn, arg);
}

static const struct io_ports ports = {.run = run_job};

static u32 unit(u32 n)
{
    return css_find_devno(m.css, FIRST + n);
}

static void make(unsigned threads, u32 devices)
{
    struct cause cause;
    ck_assert_int_eq(storage_create(&m.storage, STORAGE_BYTES, &cause), ST_OK);
    worker = io_worker_create(threads);
    m.css = css_create(m.storage, &ports, &m);
    for (u32 i = 0; i < devices; i++) {
        counting[i] = (struct counting){0};
        ck_assert_int_eq(
            css_attach(m.css, FIRST + i, &counting_ops, &counting[i], false, NULL, &cause),
            ST_OK);
        enable(&m, unit(i), 3);
    }
}

static void unmake(void)
{
    css_destroy(m.css);
    io_worker_destroy(worker);
    storage_destroy(m.storage);
}

/** A program of `commands` reads of one byte each. */
static void program(u32 at, u32 commands, u32 to)
{
    for (u32 i = 0; i < commands; i++)
        ccw1(&m, at + 8 * i, 0x02, i + 1 < commands ? CCW_CC : 0, 1, to + i);
}

static void await_end(u32 id)
{
    struct irb irb;
    while (tsch(&m, id, &irb) == 1)
        sched_yield();
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    ck_assert_uint_eq(irb.ss, 0);
}

/* Each waits in its command until all are in theirs: one thread would wait for ever. */
START_TEST(devices_work_at_the_same_time)
{
    make(DEVICES, DEVICES);
    pthread_barrier_init(&meet, NULL, DEVICES);
    for (u32 i = 0; i < DEVICES; i++) {
        counting[i].meet = &meet;
        program(0x1000 + 0x100 * i, 1, DATA + i);
        ck_assert_int_eq(start(&m, unit(i), ORB_F, 0x1000 + 0x100 * i), 0);
    }
    for (u32 i = 0; i < DEVICES; i++)
        await_end(unit(i));
    unmake();
    pthread_barrier_destroy(&meet);
}
END_TEST

/* Fewer threads than devices, halts and quiesces between: every command once, in its order. */
START_TEST(one_device_on_one_thread_in_order)
{
    make(3, DEVICES);
    for (u32 i = 0; i < DEVICES; i++)
        program(0x1000 + 0x100 * i, 20, DATA + 0x100 * i);
    for (u32 round = 0; round < ROUNDS; round++) {
        for (u32 i = 0; i < DEVICES; i++)
            ck_assert_int_eq(start(&m, unit(i), ORB_F, 0x1000 + 0x100 * i), 0);
        if (round % 10 == 0) {
            css_quiesce(m.css);
            for (u32 i = 0; i < DEVICES; i++)
                ck_assert_uint_eq(counting[i].inside, 0);
            css_resume(m.css);
        }
        for (u32 i = 0; i < DEVICES; i++)
            await_end(unit(i));
    }
    for (u32 i = 0; i < DEVICES; i++) {
        const u8 *last = storage_host(m.storage, DATA + 0x100 * i, 20);
        ck_assert_uint_eq(counting[i].starts, 20 * ROUNDS);
        for (u32 k = 0; k < 20; k++)
            ck_assert_uint_eq(last[k], (u8)(20 * (ROUNDS - 1) + k));
    }
    unmake();
}
END_TEST

static void count_job(void *arg)
{
    atomic_fetch_add((atomic_uint *)arg, 1);
}

START_TEST(jobs_that_are_queued_are_done)
{
    static atomic_uint done;
    struct io_worker *w = io_worker_create((unsigned)_i);
    done = 0;
    for (u32 i = 0; i < 1000; i++)
        io_worker_add(w, count_job, &done);
    if (_i == 0) {
        ck_assert_uint_eq(done, 0);
        ck_assert(io_worker_poll(w, 10));
        ck_assert_uint_eq(done, 10);
    }
    io_worker_destroy(w);
    ck_assert_uint_eq(done, 1000);
}
END_TEST

START_TEST(as_many_threads_as_the_host_can_use)
{
    ck_assert_uint_eq(io_worker_threads(1), 4);
    ck_assert_uint_eq(io_worker_threads(4), 8);
    ck_assert_uint_eq(io_worker_threads(64), 16);
    ck_assert_uint_eq(io_worker_threads(-1), 4);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_worker");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, devices_work_at_the_same_time);
    tcase_add_test(tc, one_device_on_one_thread_in_order);
    tcase_add_loop_test(tc, jobs_that_are_queued_are_done, 0, 4);
    tcase_add_test(tc, as_many_threads_as_the_host_can_use);
    return run_suite(suite);
}
