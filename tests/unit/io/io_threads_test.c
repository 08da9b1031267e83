/* The channel subsystem under threads: device work on threads of its own, a typist, clear, halt
 * and quiesce at any moment. Every start ends in exactly one status; run it with TSan too. */
#include "tests/unit/io/io_threads.h"

#define ROUNDS 600

static struct machine m;
static struct con3215 *con;
static _Atomic u8 pending;
static _Atomic bool stop;

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
    thread_jobs_end();
    css_destroy(m.css);
    storage_destroy(m.storage);
}
END_TEST

/* ---- several processors ---- */

#define RACERS 3
#define DEVICES 4

static u32 device_id[DEVICES];
static _Atomic unsigned taken, statuses;

/* One takes interruptions, one tests for them, one only tests subchannels: what one has the others
 * have not. A status that was taken with TSCH before anybody took its interruption has none. */
static void *racer(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; !stop; i++) {
        struct io_interruption in = {.schid = device_id[i % DEVICES]};
        struct irb irb;
        bool got = me == 0   ? css_take_interruption(m.css, 0xff, &in)
                   : me == 1 ? css_tpi(m.css, 0xff, &in) == 1
                             : false;
        taken += got;
        if ((got || me == 2) && tsch(&m, in.schid, &irb) == 0) {
            ck_assert_uint_eq(irb.scsw0 & (FC_ANY | SC_ANY),
                              FC_START | SC_PRIMARY | SC_SECONDARY | SC_PENDING);
            statuses++;
        }
        sched_yield();
    }
    return NULL;
}

START_TEST(each_status_is_taken_once)
{
    pthread_t thread[RACERS];
    struct cause cause;
    unsigned started = 0;
    stop = false;
    ck_assert_int_eq(storage_create(&m.storage, STORAGE_BYTES, &cause), ST_OK);
    m.css = css_create(m.storage, &thread_ports, &m);
    for (u32 i = 0; i < DEVICES; i++) {
        ck_assert_ptr_nonnull(con3215_create(m.css, 0x20 + i, false, NULL));
        device_id[i] = css_find_devno(m.css, 0x20 + i);
        enable(&m, device_id[i], (u8)i);
    }
    ccw1(&m, 0x1100, 0x01, CCW_SLI, 16, 0x3000);
    for (uintptr_t i = 0; i < RACERS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, racer, (void *)i), 0);
    for (unsigned i = 0; i < ROUNDS * DEVICES; i++) {
        while (start(&m, device_id[i % DEVICES], ORB_F, 0x1100) != 0)
            sched_yield(); /* the last one's status is pending, or it is under way */
        started++;
    }
    while (statuses < started)
        sched_yield();
    stop = true;
    for (unsigned i = 0; i < RACERS; i++)
        pthread_join(thread[i], NULL);
    thread_jobs_end();
    ck_assert_uint_eq(statuses, started);
    ck_assert_uint_le(taken, started);
    ck_assert_uint_eq(css_pending(m.css), 0);
    css_destroy(m.css);
    storage_destroy(m.storage);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_threads");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_start_ends_once);
    tcase_add_test(tc, each_status_is_taken_once);
    return run_suite(suite);
}
