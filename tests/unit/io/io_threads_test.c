/* The channel subsystem under threads: device work on threads of its own, a typist, clear, halt
 * and quiesce at any moment. Every start ends in exactly one status; run it with TSan too. */
#include <sched.h>

#include "tests/unit/io/io_fixture.h"

#define ROUNDS 600

struct job {
    void (*fn)(void *);
    void *arg;
};

static struct machine m;
static struct con3215 *con;
static _Atomic u8 pending;
static _Atomic bool stop;
static _Atomic unsigned live;

static void *job_main(void *arg)
{
    struct job job = *(struct job *)arg;
    free(arg);
    job.fn(job.arg);
    live--;
    return NULL;
}

static void run_thread(void *ctx, void (*fn)(void *), void *arg)
{
    pthread_t thread;
    struct job *job = malloc(sizeof *job);
    (void)ctx;
    *job = (struct job){fn, arg};
    live++;
    ck_assert_int_eq(pthread_create(&thread, NULL, job_main, job), 0);
    pthread_detach(thread);
}

static void note_pending(void *ctx, u8 mask)
{
    (void)ctx;
    pending = mask;
}

static const struct io_ports thread_ports = {.io_pending = note_pending, .run = run_thread};

static void *typist(void *arg)
{
    (void)arg;
    while (!stop) {
        con3215_input(con, "hello", 5);
        sched_yield();
    }
    return NULL;
}

/** Take interruptions until one ends the start (not attention); its SCSW word 0. */
static u32 await_end(u32 id)
{
    for (;;) {
        struct io_interruption in;
        struct irb irb;
        if (!pending || !css_take_interruption(m.css, 0xff, &in)) {
            sched_yield();
            continue;
        }
        ck_assert_int_eq(tsch(&m, id, &irb), 0);
        if (!(irb.scsw0 & SC_ALERT))
            return irb.scsw0;
        ck_assert_uint_eq(irb.ds, DS_ATTENTION);
    }
}

static void take_attention(u32 id)
{
    struct irb irb;
    tsch(&m, id, &irb);
}

START_TEST(every_start_ends_once)
{
    pthread_t thread;
    struct cause cause;
    ck_assert_int_eq(storage_create(&m.storage, STORAGE_BYTES, &cause), ST_OK);
    m.css = css_create(m.storage, &thread_ports, &m);
    con = con3215_create(m.css, 0x0009, false, NULL);
    u32 id = css_find_devno(m.css, 0x0009);
    enable(&m, id, 3);
    ccw1(&m, 0x1000, 0x0a, CCW_SLI, 160, 0x2000);
    ccw1(&m, 0x1100, 0x01, CCW_SLI, 16, 0x3000);
    ck_assert_int_eq(pthread_create(&thread, NULL, typist, NULL), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        while (start(&m, id, ORB_F | ORB_L, i & 1 ? 0x1000 : 0x1100) == 1)
            take_attention(id);
        if (i % 17 == 0)
            ck_assert_int_eq(css_csch(m.css, id), 0);
        else if (i % 23 == 0)
            css_hsch(m.css, id);
        if (i % 50 == 0) {
            css_quiesce(m.css);
            css_resume(m.css);
        }
        u32 scsw0 = await_end(id);
        ck_assert_uint_ne(scsw0 & FC_ANY, 0);
        ck_assert_uint_eq(scsw0 & FC_CLEAR, i % 17 == 0 ? FC_CLEAR : 0);
    }
    stop = true;
    pthread_join(thread, NULL);
    while (live)
        sched_yield();
    css_destroy(m.css);
    storage_destroy(m.storage);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_threads");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_start_ends_once);
    return run_suite(suite);
}
