/* A running channel program met at each of its points: before every command, while it waits, is
 * suspended, has told of itself. HALT, CLEAR, CANCEL, resets, a path that goes and the relocation
 * codec come in between; each time the subchannel ends as the Principles of Operation have it, with
 * status presented once, and can be used as ever afterwards. */
#include "tests/unit/io/io_fixture.h"

#define POINTS_MAX 24u
#define PROGRAM 0x1000u
#define AREA 0x4000u
#define OUT_AT 0x47fcu /* what is written and read last: over a boundary of 2K */
#define IN_AT 0x57fcu
#define LISTS 0x6000u
#define READ 0x02
#define WRITE 0x01
#define WAIT 0x0b /* a command that waits for the host once */

static struct machine m;
static u32 id;

/* What the device knows moves with it, as of every device. */
static struct device {
    u8 waits; /* a WAIT is under way, and the host has not come yet */
    u8 came;
    u32 commands, cancels;
    u8 written[64];
    u32 len;
} one;

static int dev_start(void *dev, struct dev_io *io)
{
    struct device *d = dev;
    u8 byte = 0xa5;
    if (dev_io_command(io) == WAIT && !d->came) {
        d->waits = 1;
        return DEV_WAIT;
    }
    d->waits = d->came = 0;
    d->commands++;
    if (dev_io_command(io) == READ)
        for (unsigned i = 0; i < 8; i++)
            dev_io_put(io, &byte, 1);
    if (dev_io_command(io) == WRITE)
        d->len += (u32)dev_io_get(io, d->written + d->len, sizeof d->written - d->len);
    return DS_NORMAL;
}

static void dev_cancel(void *dev)
{
    struct device *d = dev;
    d->waits = d->came = 0;
    d->cancels++;
}

static void dev_save(void *dev, struct codec_out *out)
{
    codec_put_bytes(out, 1, dev, sizeof(struct device));
}

static int dev_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    (void)cause;
    ck_assert(codec_next(in, &row) && row.len == sizeof(struct device));
    memcpy(dev, row.p, row.len);
    return ST_OK;
}

static const struct dev_ops ops = {.name = "points",
                                   .chpid = 0x30,
                                   .paths = 2,
                                   .start = dev_start,
                                   .cancel = dev_cancel,
                                   .save = dev_save,
                                   .restore = dev_restore};

static struct subchannel *sub(void)
{
    lock_take(&m.css->lock);
    struct subchannel *s = css_sub_locked(m.css, id);
    lock_drop(&m.css->lock);
    return s;
}

static void build(struct machine *to, struct device *d)
{
    *d = (struct device){0};
    machine_init(to);
    ck_assert_int_eq(css_attach(to->css, 0x300, &ops, d, false, &id, NULL), ST_OK);
    enable(to, id, 3);
    to->defer = true;
}

/* How the program finds its data: by its CCWs, IDAWs of format 1, or MIDAWs. */
static enum form { DIRECT, BY_IDAW, BY_MIDAW, FORMS } form;

/* A CCW for the 8 bytes at 0x..7fc. */
static void ccw_over(u32 ccw, u8 command, u8 flags, u32 area)
{
    u32 list = LISTS + (area == IN_AT ? 0x100 : 0);
    u8 idaws[8], midaws[32] = {0};
    be32_store(idaws, area);
    be32_store(idaws + 4, area + 4);
    be16_store(midaws + 6, 4);
    be64_store(midaws + 8, area);
    midaws[16 + 5] = 0x80; /* the last */
    be16_store(midaws + 16 + 6, 4);
    be64_store(midaws + 16 + 8, area + 4);
    if (form == BY_IDAW)
        storage_write(m.storage, list, idaws, sizeof idaws);
    else
        storage_write(m.storage, list, midaws, sizeof midaws);
    flags |= form == BY_IDAW ? CCW_IDA : form == BY_MIDAW ? CCW_MIDA : 0;
    ccw1(&m, ccw, command, flags, 8, form == DIRECT ? area : list);
}

/* Data chaining, PCI, a wait, a suspension, a transfer in channel, a write. */
static void program(void)
{
    const u8 text[8] = "abcdefg", none[8] = {0};
    storage_write(m.storage, OUT_AT, text, sizeof text);
    storage_write(m.storage, IN_AT, none, sizeof none);
    ccw1(&m, PROGRAM, READ, CCW_CD, 3, AREA);
    ccw1(&m, PROGRAM + 8, 0, CCW_CC, 5, AREA + 16);
    ccw1(&m, PROGRAM + 16, 0x03, CCW_CC | CCW_PCI | CCW_SLI, 1, 0);
    ccw1(&m, PROGRAM + 24, WAIT, CCW_CC | CCW_SLI, 1, 0);
    ccw_over(PROGRAM + 32, WRITE, CCW_CC, OUT_AT);
    ccw_over(PROGRAM + 40, WRITE, CCW_CC | CCW_SUSPEND, OUT_AT);
    ccw1(&m, PROGRAM + 48, 0x08, 0, 0, PROGRAM + 64);
    ccw_over(PROGRAM + 64, READ, 0, IN_AT);
}

static void begin(void)
{
    program();
    ck_assert_int_eq(start(&m, id, ORB_F | ORB_S | ORB_D, PROGRAM), 0);
}

/* One step of the executor; where it stands still the host or the guest lets it go on. */
static void step(void)
{
    struct device *d = sub()->dev;
    struct irb irb;
    if (!chan_execute(sub(), 1))
        return;
    u32 scsw = sub()->s.scsw0;
    if (d->waits && sub()->s.waiting) {
        d->came = 1;
        css_device_ready(m.css, id);
    } else if (scsw & AC_SUSPENDED) {
        if (scsw & SC_PENDING)
            ck_assert_int_eq(tsch(&m, id, &irb), 0);
        ccw_over(PROGRAM + 40, WRITE, CCW_CC, OUT_AT); /* it is fetched again */
        ck_assert_int_eq(css_rsch(m.css, id), 0);
    }
}

static bool over(void)
{
    return sub()->s.scsw0 & (SC_PRIMARY | SC_SECONDARY) ||
           !(sub()->s.scsw0 & (FC_ANY | AC_ANY));
}

/* To the end; what jobs are left find nothing to do. */
static void finish(void)
{
    for (unsigned i = 0; i < 4 * POINTS_MAX && !over(); i++)
        step();
    ck_assert(over());
    machine_run(&m);
}

/* How many steps the program has from its start to its end. */
static u32 points(void)
{
    u32 n = 0;
    build(&m, &one);
    for (begin(); !over(); n++)
        step();
    ck_assert_uint_lt(n, POINTS_MAX);
    machine_run(&m);
    machine_fini(&m);
    return n;
}

static void at_point(u32 n)
{
    build(&m, &one);
    begin();
    for (u32 i = 0; i < n && !over(); i++)
        step();
}

static void ended_well(void)
{
    struct irb irb;
    const struct device *d = sub()->dev;
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    ck_assert_uint_eq(irb.ss & ~SS_PCI, 0);
    ck_assert_uint_eq(irb.ccw, PROGRAM + 72);
    ck_assert_uint_eq(irb.scsw0 & (AC_ANY | FC_ANY), FC_START);
    ck_assert_int_eq(tsch(&m, id, &irb), 1); /* once */
    ck_assert_uint_eq(d->len, 16);
    ck_assert_mem_eq(d->written, "abcdefg\0abcdefg", 16);
    ck_assert_mem_eq(storage_host(m.storage, IN_AT, 8), "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5", 8);
}

/* Nothing is left of what was: the program runs as on the first day. */
static void usable(void)
{
    struct device *d = sub()->dev;
    struct irb irb;
    machine_run(&m);
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
    ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY | SC_ANY), 0);
    ck_assert_uint_eq(m.isc_mask, 0);
    *d = (struct device){0};
    begin();
    finish();
    ended_well();
    machine_fini(&m);
}

START_TEST(clear_at_each_point)
{
    struct irb irb;
    for (u32 n = 0, end = points(); n <= end; n++) {
        at_point(n);
        bool active = sub()->s.active;
        ck_assert_int_eq(css_csch(m.css, id), 0);
        ck_assert_uint_eq(m.isc_mask, 0); /* what was pending is not any more */
        ck_assert_int_eq(css_ssch(m.css, id, (u8[ORB_BYTES]){[6] = 0xff}), 2);
        machine_run(&m);
        ck_assert_uint_eq(m.isc_mask, 0x10);
        ck_assert_int_eq(tsch(&m, id, &irb), 0);
        ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY | SC_ANY), FC_CLEAR | SC_PENDING);
        ck_assert_uint_eq(irb.ds | irb.ss | irb.count, 0);
        ck_assert_uint_eq(one.cancels, active);
        usable();
    }
}
END_TEST

START_TEST(halt_at_each_point)
{
    struct irb irb;
    for (u32 n = 0, end = points(); n <= end; n++) {
        at_point(n);
        bool ended = over(), active = sub()->s.active, begun = n > 0;
        bool suspended = sub()->s.scsw0 & AC_SUSPENDED;
        int cc = css_hsch(m.css, id);
        ck_assert_int_eq(cc, ended ? 1 : 0);
        if (ended) {
            machine_run(&m);
            ended_well();
            usable();
            continue;
        }
        ck_assert_int_eq(css_hsch(m.css, id), 2);
        machine_run(&m);
        ck_assert_int_eq(tsch(&m, id, &irb), 0);
        ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY), FC_START | FC_HALT);
        ck_assert_uint_eq(irb.scsw0 & SC_ANY, active && !suspended
                                                  ? SC_PRIMARY | SC_SECONDARY | SC_PENDING
                                                  : SC_PRIMARY | SC_PENDING);
        ck_assert_uint_eq(irb.ds, active && !suspended ? DS_NORMAL : 0);
        ck_assert_uint_eq(one.cancels, active);
        ck_assert(begun || !one.commands); /* a start that was pending was never begun */
        usable();
    }
}
END_TEST

START_TEST(cancel_at_each_point)
{
    struct irb irb;
    for (u32 n = 0, end = points(); n <= end; n++) {
        at_point(n);
        u32 scsw = sub()->s.scsw0;
        int cc = css_xsch(m.css, id);
        if (cc == 0) { /* only what has not begun, or stands still */
            ck_assert(n == 0 || scsw & AC_SUSPENDED);
            ck_assert_int_eq(tsch(&m, id, &irb), 1);
            machine_run(&m);
            ck_assert_uint_eq(one.cancels, n > 0); /* the device had begun, and forgets */
            usable();
            continue;
        }
        ck_assert_int_eq(cc, scsw & SC_PENDING ? 1 : 2);
        finish();
        ended_well();
        usable();
    }
}
END_TEST

/* From a machine that is quiesced already into one made anew, as on another member. */
static void move(void)
{
    static u8 kept[0x8000];
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    struct cause cause;
    machine_run(&m); /* finds that nothing may begin */
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 7, &out, NULL), ST_OK);
    memcpy(kept, storage_host(m.storage, 0, sizeof kept), sizeof kept);
    machine_fini(&m);
    build(&m, &one);
    memcpy(storage_host(m.storage, 0, sizeof kept), kept, sizeof kept);
    css_quiesce(m.css);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_msg(css_restore(m.css, &in, &cause) == ST_OK, "%s", cause.text);
    codec_out_fini(&out);
    css_resume(m.css);
}

/* The codec takes it to another machine, where it goes on: nothing is done twice or not at all. */
START_TEST(relocation_at_each_point)
{
    form = (enum form)_i;
    for (u32 n = 0, end = points(); n <= end; n++) {
        at_point(n);
        css_quiesce(m.css);
        move();
        finish();
        ended_well();
        usable();
    }
}
END_TEST

/* HALT, CLEAR and CANCEL came after quiesce: what they asked for is done where the machine goes. */
START_TEST(functions_pending_relocate)
{
    struct irb irb;
    form = (enum form)_i;
    for (u32 n = 0, end = points(); n <= end; n++) {
        at_point(n);
        css_quiesce(m.css);
        ck_assert_int_eq(css_csch(m.css, id), 0);
        move();
        machine_run(&m);
        ck_assert_int_eq(tsch(&m, id, &irb), 0);
        ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY | SC_ANY), FC_CLEAR | SC_PENDING);
        usable();
        at_point(n);
        css_quiesce(m.css);
        bool halted = css_hsch(m.css, id) == 0;
        move();
        machine_run(&m);
        if (halted) {
            ck_assert_int_eq(tsch(&m, id, &irb), 0);
            ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY), FC_START | FC_HALT);
        } else {
            ended_well();
        }
        usable();
        at_point(n);
        css_quiesce(m.css);
        bool cancelled = css_xsch(m.css, id) == 0;
        move();
        if (!cancelled) {
            finish();
            ended_well();
        }
        usable();
    }
}
END_TEST

/* The device is taken away: nothing is told, the subchannel is there without a device, and a
 * device attached anew works. */
START_TEST(detaching_at_each_point)
{
    u8 schib[SCHIB_BYTES], crw[CRW_BYTES];
    struct irb irb;
    struct cause cause;
    for (u32 n = 0, end = points(); n <= end; n++) {
        at_point(n);
        ck_assert_int_eq(css_detach(m.css, 0x300, true, &cause), ST_OK);
        ck_assert_uint_eq(m.isc_mask, 0);
        ck_assert_int_eq(css_stcrw(m.css, crw), 0);
        ck_assert_uint_eq(be32_load(crw), 0x03040000);
        ck_assert_int_eq(css_stsch(m.css, id, schib), 0);
        ck_assert_uint_eq(schib[5], 0);
        ck_assert_int_eq(tsch(&m, id, &irb), 3);
        ck_assert_int_eq(css_csch(m.css, id), 3);
        machine_run(&m);
        ck_assert_uint_eq(m.isc_mask, 0);
        one = (struct device){0};
        ck_assert_int_eq(css_attach(m.css, 0x300, &ops, &one, true, NULL, &cause), ST_OK);
        ck_assert_int_eq(css_stcrw(m.css, crw), 0);
        enable(&m, id, 3);
        usable();
    }
}
END_TEST

/* RESET CHANNEL PATH ends what is under way on that path, whatever others there are; what has not
 * begun or is suspended, and what is on another path, goes on. */
START_TEST(path_reset_at_each_point)
{
    struct irb irb;
    for (u32 n = 0, end = points(); n <= end; n++) {
        at_point(n);
        u32 scsw = sub()->s.scsw0;
        ck_assert_int_eq(css_rchp(m.css, sub()->s.lpum & 0x40 ? 0x30 : 0x31), 0);
        finish();
        ended_well();
        usable();
        at_point(n);
        ck_assert_int_eq(css_rchp(m.css, sub()->s.lpum & 0x40 ? 0x31 : 0x30), 0);
        finish();
        if (scsw & (AC_SUBCHANNEL | AC_DEVICE)) {
            ck_assert_int_eq(tsch(&m, id, &irb), 0);
            ck_assert_uint_ne(irb.ss & SS_INTERFACE_CHECK, 0);
            ck_assert_uint_eq(irb.scsw0 & (SCSW_L | SC_ALERT), SCSW_L | SC_ALERT);
            ck_assert_uint_eq(one.cancels, 1);
        } else {
            ended_well();
        }
        usable();
    }
}
END_TEST

START_TEST(resets_at_each_point)
{
    struct cause cause;
    for (u32 n = 0, end = points(); n <= end; n++) {
        at_point(n);
        ck_assert_int_eq(css_device_reset(m.css, 0x300, &cause), ST_OK);
        usable();
        at_point(n);
        css_reset(m.css);
        machine_run(&m);
        enable(&m, id, 3);
        usable();
    }
}
END_TEST

/* One of two paths goes: nobody notices. The other one goes as well: an interface-control check,
 * or a deferred condition code 3 for what has not begun. */
START_TEST(paths_go_at_each_point)
{
    struct irb irb;
    for (u32 n = 0, end = points(); n <= end; n++) {
        at_point(n);
        ck_assert(css_chp_configure(m.css, 0x30, false, false));
        finish();
        ended_well();
        ck_assert(css_chp_configure(m.css, 0x30, true, false));
        usable();
        at_point(n);
        bool ended = over();
        ck_assert(css_chp_configure(m.css, 0x30, false, false));
        ck_assert(css_chp_configure(m.css, 0x31, false, false));
        finish();
        if (ended) {
            ended_well();
        } else {
            ck_assert_int_eq(tsch(&m, id, &irb), 0);
            ck_assert_uint_ne(irb.scsw0 & SC_ALERT, 0);
            ck_assert(n ? irb.ss & SS_INTERFACE_CHECK : (irb.scsw0 & SCSW_CC) == SCSW_CC);
        }
        ck_assert(css_chp_configure(m.css, 0x30, true, false));
        ck_assert(css_chp_configure(m.css, 0x31, true, false));
        usable();
    }
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_points");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, clear_at_each_point);
    tcase_add_test(tc, halt_at_each_point);
    tcase_add_test(tc, cancel_at_each_point);
    tcase_add_loop_test(tc, relocation_at_each_point, DIRECT, FORMS);
    tcase_add_loop_test(tc, functions_pending_relocate, DIRECT, FORMS);
    tcase_add_test(tc, detaching_at_each_point);
    tcase_add_test(tc, path_reset_at_each_point);
    tcase_add_test(tc, resets_at_each_point);
    tcase_add_test(tc, paths_go_at_each_point);
    return run_suite(suite);
}
