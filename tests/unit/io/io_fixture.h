/* What the unit tests of io/ share: a machine with storage, recording ports, small CCW helpers.
 * Everything static, so that a test that uses half of it still compiles. */
#ifndef ENDICOTT_TESTS_UNIT_IO_FIXTURE_H
#define ENDICOTT_TESTS_UNIT_IO_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/con3215.h"
#include "io/css.h"
#include "io/css_internal.h"
#include "io/io_state.h"
#include "io/sclp.h"
#include "io/unitrec/unitrec.h"

#define UNUSED __attribute__((unused))
#define STORAGE_BYTES (16u << 20)
#define JOBS_MAX 32

struct machine {
    struct storage *storage;
    struct css *css;
    u8 isc_mask;
    unsigned crw_calls;
    bool crw_pending;
    u32 signal_parm;
    bool quiesce;
    unsigned rooms;   /* how often there was room for typed text again */
    char text[65536]; /* console output, a line feed for each newline */
    size_t text_len;
    u64 tod;
    bool defer; /* keep device work until machine_run */
    struct {
        void (*fn)(void *);
        void *arg;
    } job[JOBS_MAX];
    unsigned jobs;
    struct lock mail; /* of the CPU that machine_holds_code speaks for */
    unsigned code_stored;
};

static void fx_pending(void *ctx, u8 mask)
{
    ((struct machine *)ctx)->isc_mask = mask;
}

static void fx_signal(void *ctx, u32 parm)
{
    ((struct machine *)ctx)->signal_parm = parm;
}

static void fx_crw(void *ctx, bool pending)
{
    struct machine *m = ctx;
    m->crw_calls++;
    m->crw_pending = pending;
}

static void fx_run(void *ctx, void (*fn)(void *), void *arg)
{
    struct machine *m = ctx;
    if (!m->defer) {
        fn(arg);
        return;
    }
    ck_assert_uint_lt(m->jobs, JOBS_MAX);
    m->job[m->jobs].fn = fn;
    m->job[m->jobs++].arg = arg;
}

static void fx_console(void *ctx, u32 devno, const char *utf8, size_t len, bool newline)
{
    struct machine *m = ctx;
    (void)devno;
    ck_assert_uint_lt(m->text_len + len + 2, sizeof m->text);
    memcpy(m->text + m->text_len, utf8, len);
    m->text_len += len;
    if (newline)
        m->text[m->text_len++] = '\n';
    m->text[m->text_len] = 0;
}

static u64 fx_tod(void *ctx)
{
    return ((struct machine *)ctx)->tod;
}

static void fx_quiesce(void *ctx, bool capable)
{
    ((struct machine *)ctx)->quiesce = capable;
}

static void fx_room(void *ctx)
{
    ((struct machine *)ctx)->rooms++;
}

static const struct io_ports fx_ports = {
    .io_pending = fx_pending,
    .service_signal = fx_signal,
    .mchk_crw = fx_crw,
    .run = fx_run,
    .console_write = fx_console,
    .console_room = fx_room,
    .quiesce_capable = fx_quiesce,
    .tod = fx_tod,
};

static UNUSED void machine_run(struct machine *m)
{
    for (unsigned i = 0; i < m->jobs; i++)
        m->job[i].fn(m->job[i].arg);
    m->jobs = 0;
}

static UNUSED void machine_init(struct machine *m)
{
    struct cause cause;
    memset(m, 0, sizeof *m);
    ck_assert_int_eq(storage_create(&m->storage, STORAGE_BYTES, &cause), ST_OK);
    m->css = css_create(m->storage, &fx_ports, m);
    ck_assert_ptr_nonnull(m->css);
}

static void fx_code_stored(void *ctx, u64 abs, u64 len)
{
    struct machine *m = ctx;
    (void)abs;
    (void)len;
    lock_take(&m->mail);
    m->code_stored++;
    lock_drop(&m->mail);
}

/** A CPU holds decoded instructions of a frame, and takes its mail_lock when told of a store. */
static UNUSED void machine_holds_code(struct machine *m, u64 abs)
{
    lock_init(&m->mail, LOCK_MAIL);
    storage_observe_code(m->storage, fx_code_stored, m);
    m->storage->code[abs / FRAME_BYTES] = 1;
}

static UNUSED void machine_fini(struct machine *m)
{
    css_destroy(m->css);
    storage_destroy(m->storage);
}

/** Format-1 and format-0 CCWs. */
static UNUSED void ccw1(struct machine *m, u32 at, u8 cmd, u8 flags, u16 count, u32 addr)
{
    u8 raw[8] = {cmd, flags};
    be16_store(raw + 2, count);
    be32_store(raw + 4, addr);
    ck_assert(storage_write(m->storage, at, raw, sizeof raw));
}

static UNUSED void ccw0(struct machine *m, u32 at, u8 cmd, u8 flags, u16 count, u32 addr)
{
    u8 raw[8];
    be32_store(raw, addr);
    raw[0] = cmd;
    raw[4] = flags;
    raw[5] = 0;
    be16_store(raw + 6, count);
    ck_assert(storage_write(m->storage, at, raw, sizeof raw));
}

static UNUSED void enable(struct machine *m, u32 schid, u8 isc)
{
    u8 schib[SCHIB_BYTES];
    ck_assert_int_eq(css_stsch(m->css, schid, schib), 0);
    schib[4] = (u8)(isc << 3);
    schib[5] |= PMCW_E;
    schib[27] = PMCW_S;
    ck_assert_int_eq(css_msch(m->css, schid, schib), 0);
}

/** Start with an ORB of word 1 `flags` (LPM added); returns the condition code. */
static UNUSED int start(struct machine *m, u32 schid, u32 flags, u32 cpa)
{
    u8 orb[ORB_BYTES] = {0};
    be32_store(orb, 0xcafe0000u);
    be32_store(orb + 4, flags | 0xff00u);
    be32_store(orb + 8, cpa);
    return css_ssch(m->css, schid, orb);
}

struct irb {
    u8 raw[IRB_BYTES];
    u32 scsw0, ccw;
    u8 ds, ss;
    u16 count;
};

static UNUSED int tsch(struct machine *m, u32 schid, struct irb *irb)
{
    size_t len;
    int cc = css_tsch(m->css, schid, irb->raw, &len);
    irb->scsw0 = be32_load(irb->raw);
    irb->ccw = be32_load(irb->raw + 4);
    irb->ds = irb->raw[8];
    irb->ss = irb->raw[9];
    irb->count = be16_load(irb->raw + 10);
    return cc;
}

static UNUSED int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define SUITE_BEGIN(name)                                                                      \
    Suite *suite = suite_create(name);                                                         \
    TCase *tc = tcase_create(name);                                                            \
    suite_add_tcase(suite, tc)

#endif
