/* Channel-to-channel adapters whose machines move at each step of a transfer, and on threads: no
 * block is lost, none comes twice. */
#include "tests/unit/io/ctca_fixture.h"
#include "tests/unit/io/io_threads.h"

/* --- relocation ------------------------------------------------------------------------------ */

/* A channel subsystem into one made anew. */
static void arrive(struct end *e, const struct codec_out *saved)
{
    struct codec_in in, block;
    struct codec_row row;
    struct cause cause;
    e->m.css = css_create(e->m.storage, &fx_ports, &e->m);
    ck_assert_ptr_nonnull(con3215_create(e->m.css, 0x400, false, &cause));
    ck_assert_int_eq(ctca_create(e->m.css, hub, 0x500, CTCA_3088, false, &cause), ST_OK);
    css_quiesce(e->m.css);
    codec_in_init(&in, saved->data, saved->len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &block));
    ck_assert_msg(css_restore(e->m.css, &block, &cause) == ST_OK, "%s", cause.text);
}

/* Another device, behind the adapter; where the machine arrives it is made before it, so that the
 * adapter's subchannel is not the one it was attached at. */
static void setup_moving(void)
{
    setup_near();
    ck_assert_ptr_nonnull(con3215_create(x.m.css, 0x400, false, NULL));
    ck_assert_ptr_nonnull(con3215_create(y.m.css, 0x400, false, NULL));
}

/* Both machines, as they are at one moment. */
static void move_both(void)
{
    struct end *ends[2] = {&x, &y};
    struct codec_out out[2];
    struct css *old[2];
    for (unsigned i = 0; i < 2; i++) {
        css_quiesce(ends[i]->m.css);
        machine_run(&ends[i]->m); /* gives back the channel subsystem, and does nothing else */
    }
    for (unsigned i = 0; i < 2; i++) {
        codec_out_init(&out[i]);
        ck_assert_int_eq(css_save(ends[i]->m.css, 1, &out[i], NULL), ST_OK);
        old[i] = ends[i]->m.css;
    }
    for (unsigned i = 0; i < 2; i++) {
        css_destroy(old[i]);
        arrive(ends[i], &out[i]);
        codec_out_fini(&out[i]);
    }
    ck_assert(ctc_couple(ctca_side(dev(&x)), ctca_side(dev(&y))));
    css_resume(x.m.css);
    css_resume(y.m.css);
}

static bool one_job(struct end *e)
{
    if (!e->m.jobs)
        return false;
    void (*fn)(void *) = e->m.job[0].fn;
    void *arg = e->m.job[0].arg;
    memmove(e->m.job, e->m.job + 1, --e->m.jobs * sizeof e->m.job[0]);
    fn(arg);
    return true;
}

/* The blocks of a transfer, with both machines moved before every n-th turn of device work. */
START_TEST(state_moves_at_each_step)
{
    unsigned every = _i < 5 ? (unsigned)_i + 1 : 10000, turns = 0; /* the last one: once */
    ready(true);
    x.m.defer = y.m.defer = true;
    for (unsigned i = 0; i < 12; i++) {
        fill(&x, AREA, 3000, (u8)i);
        fill(&y, AREA, 3000, 0x77);
        ccw1(&y.m, PROGRAM, PREPARE, CCW_CC | CCW_SLI, 0, 0);
        ccw1(&y.m, PROGRAM + 8, READ, CCW_SLI, 4000, AREA);
        ccw1(&x.m, PROGRAM, PREPARE, CCW_CC | CCW_SLI, 0, 0);
        ccw1(&x.m, PROGRAM + 8, WRITE, CCW_CC | CCW_SLI, 3000, AREA);
        ccw1(&x.m, PROGRAM + 16, NOP, CCW_SLI, 0, 0);
        ck_assert_int_eq(start(&x.m, x.id, F1, PROGRAM), 0);
        ck_assert_int_eq(start(&y.m, y.id, F1, PROGRAM), 0);
        struct irb at_x, at_y;
        bool x_over = false, y_over = false;
        for (unsigned n = 0; n < 200 && !(x_over && y_over); n++) {
            if (turns++ % every == 0)
                move_both();
            if (!one_job((i + n) & 1 ? &x : &y))
                one_job((i + n) & 1 ? &y : &x);
            x_over = x_over || tsch(&x.m, x.id, &at_x) == 0;
            y_over = y_over || tsch(&y.m, y.id, &at_y) == 0;
        }
        ck_assert(x_over && y_over);
        ck_assert_uint_eq(at_x.ds, NORMAL);
        ck_assert_uint_eq(at_y.ds, NORMAL);
        ck_assert_uint_eq(at_y.count, 1000);
        ck_assert_uint_eq(alike(&y, AREA, 3000, (u8)i), 3000);
    }
    x.m.defer = y.m.defer = false;
}
END_TEST

START_TEST(hostile_state_is_refused)
{
    static const struct ctc_state bad[] = {
        {.does = 5},
        {.extended = 2},
        {.ready = 2},
        {.gone = 9},
        {.eof = 3},
        {.told = 2},
        {.calling = 2},
        {.program = 4},
        {.parted = 2},
        {.done = 0x0c},
        {.does = CTC_WRITE, .taken = 65537},
    };
    static const struct ctc_state reads = {.does = CTC_READ}, writes = {.does = CTC_WRITE};
    static u8 block[65537];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert(!ctc_restore(ctca_side(dev(&x)), &bad[i], NULL, -1));
    ck_assert(!ctc_restore(ctca_side(dev(&x)), &reads, block, 4));
    ck_assert(!ctc_restore(ctca_side(dev(&x)), &writes, block, sizeof block));
}
END_TEST

/* --- threads --------------------------------------------------------------------------------- */

#define ROUNDS 400

static const struct io_ports thread_ports = {.run = run_thread};

static void thread_end(struct end *e)
{
    struct cause cause;
    memset(e, 0, sizeof *e);
    ck_assert_int_eq(storage_create(&e->m.storage, STORAGE_BYTES, &cause), ST_OK);
    e->m.css = css_create(e->m.storage, &thread_ports, &e->m);
    ck_assert_int_eq(ctca_create(e->m.css, hub, 0x500, CTCA_3088, false, &cause), ST_OK);
    e->id = css_find_devno(e->m.css, 0x500);
    enable(&e->m, e->id, 3);
}

/* Take status until one ends the program; busy, attention and device end are passed over. */
static struct irb await(struct end *e)
{
    struct irb irb;
    for (;;) {
        if (tsch(&e->m, e->id, &irb) != 0)
            sched_yield();
        else if ((irb.scsw0 & SC_ANY) != (SC_ALERT | SC_PENDING) || irb.scsw0 & FC_ANY)
            return irb;
    }
}

static struct irb perform(struct end *e)
{
    while (start(&e->m, e->id, F1, PROGRAM) != 0) {
        struct irb irb;
        tsch(&e->m, e->id, &irb);
    }
    return await(e);
}

/* Reads blocks; each has its number in front and must be the next one. */
static void *reader(void *arg)
{
    struct end *e = arg;
    u32 next = 0;
    while (next < ROUNDS) {
        u8 head[4];
        ccw1(&e->m, PROGRAM, PREPARE, CCW_CC | CCW_SLI, 0, 0);
        ccw1(&e->m, PROGRAM + 8, READ, CCW_SLI, 65535, AREA);
        struct irb irb = perform(e);
        if (irb.ds != NORMAL)
            continue;
        storage_read(e->m.storage, AREA, head, 4);
        u32 number = be32_load(head), len = 65535u - irb.count;
        ck_assert_uint_eq(number, next);
        ck_assert_uint_eq(alike(e, AREA + 4, len - 4, (u8)number), len - 4);
        next++;
    }
    return NULL;
}

START_TEST(a_flood_on_threads)
{
    pthread_t thread;
    uncouple();
    machine_fini(&x.m);
    machine_fini(&y.m);
    thread_end(&x);
    thread_end(&y);
    ck_assert(ctc_couple(ctca_side(dev(&x)), ctca_side(dev(&y))));
    ck_assert_int_eq(pthread_create(&thread, NULL, reader, &y), 0);
    for (u32 i = 0; i < ROUNDS; i++) {
        u8 head[4];
        u32 len = 4 + i * 7919u % (i % 8 ? 300 : 60000);
        be32_store(head, i);
        storage_write(x.m.storage, AREA, head, 4);
        fill(&x, AREA + 4, len - 4, (u8)i);
        ccw1(&x.m, PROGRAM, PREPARE, CCW_CC | CCW_SLI, 0, 0);
        ccw1(&x.m, PROGRAM + 8, WRITE, CCW_SLI, (u16)len, AREA);
        if (i % 29 ==
            3) { /* halted somewhere, then again: the block is there once or not yet */
            ccw1(&x.m, PROGRAM, PREPARE, CCW_SLI, 0, 0);
            if (start(&x.m, x.id, F1, PROGRAM) == 0) {
                while (css_csch(x.m.css, x.id) != 0)
                    continue;
                await(&x);
            }
            ccw1(&x.m, PROGRAM, PREPARE, CCW_CC | CCW_SLI, 0, 0);
        }
        struct irb irb;
        do
            irb = perform(&x);
        while (irb.ds != NORMAL);
        ck_assert_uint_eq(irb.count, 0);
    }
    pthread_join(thread, NULL);
    thread_jobs_end();
}
END_TEST

int main(void)
{
    SUITE_BEGIN("ctca state");
    tcase_add_checked_fixture(tc, setup_moving, teardown);
    tcase_add_loop_test(tc, state_moves_at_each_step, 0, 6);
    tcase_add_test(tc, hostile_state_is_refused);
    tcase_add_test(tc, a_flood_on_threads);
    return run_suite(suite);
}
