/* Channel paths, subchannel sets, monitoring, address limits, initial status: a device with four
 * paths whose commands take as long as the test says. Principles of Operation chapters 13 to 17. */
#include "tests/unit/io/io_fixture.h"

#define CMD_WRITE 0x01
#define CMD_READ 0x02
#define CMD_WAIT 0x0b /* a control command that waits for `ready` */
#define CHPID 0x40
#define PROGRAM 0x1000u
#define DATA 0x2000u
#define BLOCK 0x3000u
#define UNITS(n) ((u64)(n) << 19) /* of 128 microseconds */

struct slow {
    struct machine *m;
    u64 takes; /* TOD units that a command keeps the device */
    bool ready;
    bool busy;    /* with another system */
    bool attends; /* has status, when it is busy */
    bool frees;   /* is not busy any more when it is cancelled */
    bool clears;  /* its next command is cleared while it is performed */
    int told;     /* condition code of TSCH in its last command */
    u8 path;      /* of the last command */
    unsigned cancelled;
};

static struct machine m;
static struct slow slow;
static u32 id;

static int slow_start(void *dev, struct dev_io *io)
{
    struct slow *s = dev;
    u8 byte = 0xa5;
    if (s->busy && s->attends) {
        css_attention(s->m->css, id, DS_DEVICE_END);
        css_device_ready(s->m->css, id);
    }
    s->attends = false;
    if (s->busy)
        return DS_BUSY;
    if (s->clears)
        ck_assert_int_eq(css_csch(s->m->css, id), 0);
    s->clears = false;
    s->path = dev_io_path(io);
    if (dev_io_command(io) == CMD_WAIT) {
        struct irb irb;
        s->told = tsch(s->m, id, &irb);
    }
    if (dev_io_command(io) == CMD_WAIT && !s->ready)
        return DEV_WAIT;
    s->m->tod += s->takes;
    if (dev_io_command(io) == CMD_READ)
        dev_io_put(io, &byte, 1);
    if (dev_io_command(io) == CMD_WRITE)
        dev_io_get(io, &byte, 1);
    return DS_NORMAL;
}

static void slow_cancel(void *dev)
{
    struct slow *s = dev;
    s->cancelled++;
    if (!s->frees)
        return;
    s->busy = false;
    css_device_ready(s->m->css, id);
}

static void slow_save(void *dev, struct codec_out *out)
{
    (void)dev;
    codec_put_u8(out, 1 | CODEC_MANDATORY, 0);
}

static int slow_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    (void)dev;
    while (codec_next(in, &row))
        ;
    return in->failed ? cause_set(cause, ST_PROTO, "slow device") : ST_OK;
}

static const struct dev_ops slow_ops = {
    .name = "slow",
    .chpid = CHPID,
    .paths = 4,
    .status_first = true,
    .start = slow_start,
    .cancel = slow_cancel,
    .save = slow_save,
    .restore = slow_restore,
};

static void setup(void)
{
    machine_init(&m);
    m.tod = UNITS(1000);
    slow = (struct slow){.m = &m};
    ck_assert_int_eq(css_attach(m.css, 0x0200, &slow_ops, &slow, false, &id, NULL), ST_OK);
    enable(&m, id, 3);
    ccw1(&m, PROGRAM, CMD_READ, CCW_SLI, 1, DATA);
}

static void teardown(void)
{
    machine_fini(&m);
}

static u8 schib_byte(unsigned at)
{
    u8 schib[SCHIB_BYTES];
    ck_assert_int_eq(css_stsch(m.css, id, schib), 0);
    return schib[at];
}

static void halt_it(void)
{
    ck_assert_int_eq(css_hsch(m.css, id), 0);
}

static void clear_it(void)
{
    ck_assert_int_eq(css_csch(m.css, id), 0);
}

static void crw_is(u32 want)
{
    u8 crw[CRW_BYTES];
    ck_assert_int_eq(css_stcrw(m.css, crw), 0);
    ck_assert_uint_eq(be32_load(crw), want);
}

static void no_crw(void)
{
    u8 crw[CRW_BYTES];
    ck_assert_int_eq(css_stcrw(m.css, crw), 1);
}

/* ---- paths ---- */

START_TEST(paths_take_turns)
{
    struct irb irb;
    ck_assert_uint_eq(schib_byte(8), 0xf0);  /* LPM */
    ck_assert_uint_eq(schib_byte(11), 0xf0); /* PIM */
    ck_assert_uint_eq(schib_byte(15), 0xf0); /* PAM */
    ck_assert_uint_eq(schib_byte(16), CHPID);
    ck_assert_uint_eq(schib_byte(19), CHPID + 3);
    ck_assert_uint_eq(schib_byte(20), 0);
    static const u8 order[] = {0x80, 0x40, 0x20, 0x10, 0x80};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
        ck_assert_int_eq(tsch(&m, id, &irb), 0);
        ck_assert_uint_eq(slow.path, order[i]);
        ck_assert_uint_eq(irb.raw[13], order[i]); /* ESW: LPUM */
    }
}
END_TEST

START_TEST(standby_paths_are_not_used)
{
    struct irb irb;
    ck_assert_int_eq(css_chp_state(m.css, CHPID + 9), CSS_CHP_ABSENT);
    ck_assert(css_chp_configure(m.css, CHPID, false, true));
    ck_assert(!css_chp_configure(m.css, CHPID, false, true));
    ck_assert_int_eq(css_chp_state(m.css, CHPID), CSS_CHP_STANDBY);
    crw_is(0x04060000 | CHPID);
    no_crw();
    ck_assert_uint_eq(schib_byte(11), 0xf0);
    ck_assert_uint_eq(schib_byte(15), 0x70);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(slow.path, 0x40);
    for (u8 path = 1; path < 4; path++)
        ck_assert(css_chp_configure(m.css, CHPID + path, false, false));
    no_crw(); /* the guest did that itself */
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 3);
    ck_assert(css_chp_configure(m.css, CHPID + 2, true, true));
    crw_is(0x04020000 | (CHPID + 2));
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(slow.path, 0x20);
    css_reset(m.css); /* an I/O reset configures nothing */
    ck_assert_uint_eq(schib_byte(15), 0x20);
}
END_TEST

static void all_paths(bool on)
{
    for (u8 path = 0; path < 4; path++)
        ck_assert(css_chp_configure(m.css, CHPID + path, on, false));
}

START_TEST(no_path_is_deferred_condition_code_3)
{
    struct irb irb;
    m.defer = true;
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    all_paths(false);
    machine_run(&m);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & SCSW_CC, SCSW_CC);
    ck_assert_uint_eq(irb.scsw0 & (SCSW_N | FC_ANY | SC_ANY | AC_ANY),
                      SCSW_N | FC_START | SC_ALERT | SC_PRIMARY | SC_SECONDARY | SC_PENDING);
    ck_assert_uint_eq(schib_byte(9), 0xf0); /* PNOM: all that are installed of the ORB's mask */
    all_paths(true);
    ck_assert_uint_eq(schib_byte(9), 0);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    machine_run(&m);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & (SCSW_CC | SCSW_N), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
}
END_TEST

START_TEST(a_waiting_program_changes_its_path_or_ends)
{
    struct irb irb;
    ccw1(&m, PROGRAM, CMD_WAIT, CCW_SLI, 1, DATA);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_uint_eq(slow.path, 0x80);
    ck_assert(css_chp_configure(m.css, CHPID, false, false));
    ck_assert_uint_eq(slow.path, 0x40); /* started again over the next */
    slow.ready = true;
    css_device_ready(m.css, id);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    slow.ready = false;
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    for (u8 path = 1; path < 4; path++)
        ck_assert(css_chp_configure(m.css, CHPID + path, false, false));
    ck_assert_uint_eq(slow.cancelled, 1);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ss, SS_INTERFACE_CHECK);
    ck_assert_uint_eq(irb.scsw0 & (SCSW_L | SC_ALERT), SCSW_L | SC_ALERT);
    ck_assert_uint_eq(be32_load(irb.raw + 12) & 0x00ffc000, 0x00104000); /* LPUM, valid */
}
END_TEST

START_TEST(reset_channel_path_reports)
{
    ck_assert_int_eq(css_rchp(m.css, CHPID + 1), 0);
    crw_is(0x44020000 | (CHPID + 1));
    ck_assert_int_eq(css_rchp(m.css, CHPID + 4), 3);
    ck_assert_int_eq(css_rchp(m.css, 0x100), CSS_PGM_OPERAND);
    ck_assert_int_eq(css_rchp(m.css, 0xffffffff00000000ull | CHPID), 0);
}
END_TEST

static u16 chsc(u8 *page, u16 bytes, u16 code)
{
    be16_store(page, bytes);
    be16_store(page + 2, code);
    ck_assert_int_eq(css_chsc(m.css, page), 0);
    return be16_load(page + bytes + 2);
}

/* CLEAR puts the masks of path management back to what they are at first. */
START_TEST(clear_initializes_the_masks)
{
    struct irb irb;
    u8 schib[SCHIB_BYTES];
    ck_assert_int_eq(css_stsch(m.css, id, schib), 0);
    schib[14] = 0x60; /* POM */
    ck_assert_int_eq(css_msch(m.css, id, schib), 0);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(slow.path, 0x40);
    ck_assert_uint_eq(schib_byte(10), 0x40);
    ck_assert_uint_eq(schib_byte(14), 0x60);
    ck_assert_int_eq(css_csch(m.css, id), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(schib_byte(9), 0);
    ck_assert_uint_eq(schib_byte(10), 0);
    ck_assert_uint_eq(schib_byte(14), 0xff);
}
END_TEST

/* Another system has the device: the start function is pending, and begins when it is free. */
START_TEST(a_busy_device_keeps_the_start_pending)
{
    struct irb irb;
    ccw1(&m, PROGRAM, CMD_READ, CCW_SLI | CCW_PCI, 1, DATA);
    slow.busy = true;
    ck_assert_int_eq(start(&m, id, ORB_F | ORB_I, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb),
                     1); /* no PCI, no initial status: nothing was accepted */
    ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY), FC_START | AC_START);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 2);
    css_device_ready(m.css, id); /* not yet */
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
    ck_assert_int_eq(css_xsch(m.css, id), 0); /* it can be taken back */
    ck_assert_uint_eq(slow.cancelled, 1);
    css_device_ready(m.css, id);
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
    ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY), 0);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(css_hsch(m.css, id), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY | SC_ANY),
                      FC_START | FC_HALT | SC_PRIMARY | SC_PENDING);
    ck_assert_uint_eq(irb.ds, 0);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    all_paths(false); /* it looks for a path anew */
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & SCSW_CC, SCSW_CC);
    all_paths(true);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    slow.busy = false;
    css_device_ready(m.css, id);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    ck_assert_uint_eq(irb.ss, SS_PCI);
}
END_TEST

/* What is told instead of the start function, with nothing done; false: nothing is pending. */
static bool told_instead(u8 ds)
{
    struct irb irb;
    if (tsch(&m, id, &irb))
        return false;
    ck_assert_uint_eq(irb.scsw0 & SCSW_CC, SCSW_CC_STATUS);
    ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY | SC_ANY), FC_START | SC_ALERT | SC_PENDING);
    ck_assert_uint_eq(irb.ds, ds);
    ck_assert_uint_eq(irb.ss, 0);
    ck_assert_uint_eq(slow.path, 0);
    return true;
}

/* Status of the device comes after condition code 0 and before the first command: the start
 * function is not initiated, and its status is that one, with deferred condition code 1. It can be
 * started again at once. A halt or a clear comes first, and then the status. */
START_TEST(status_before_the_start_is_deferred_condition_code_1)
{
    struct irb irb;
    slow.path = 0;
    m.defer = true; /* the start stays pending */
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    css_attention(m.css, id, DS_ATTENTION);
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
    ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY), FC_START | AC_START);
    machine_run(&m);
    ck_assert(told_instead(DS_ATTENTION));
    m.defer = false;
    ck_assert_int_eq(tsch(&m, id, &irb), 1); /* once */
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & SCSW_CC, 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    ck_assert_uint_eq(slow.path, 0x40);
    void (*const other[])(void) = {halt_it, clear_it};
    for (size_t i = 0; i < ARRAY_LEN(other); i++) {
        m.defer = true;
        ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
        css_attention(m.css, id, DS_DEVICE_END);
        other[i]();
        machine_run(&m);
        m.defer = false;
        ck_assert_int_eq(tsch(&m, id, &irb), 0);
        ck_assert_uint_ne(irb.scsw0 & (FC_HALT | FC_CLEAR), 0);
        ck_assert_uint_eq(irb.scsw0 & SCSW_CC, 0);
        ck_assert_uint_eq(irb.ds, 0);
        ck_assert_int_eq(tsch(&m, id, &irb), 0);
        ck_assert_uint_eq(irb.scsw0 & (SCSW_CC | SC_ANY), SC_ALERT | SC_PENDING);
        ck_assert_uint_eq(irb.ds, DS_DEVICE_END);
    }
}
END_TEST

/* A start function that a busy device keeps pending ends so, too, at once. */
START_TEST(status_of_a_busy_device_ends_the_start)
{
    struct irb irb;
    slow.path = 0;
    slow.busy = true;
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert(!told_instead(0));
    css_attention(m.css, id, DS_ATTENTION | DS_DEVICE_END);
    ck_assert(told_instead(DS_ATTENTION | DS_DEVICE_END));
    ck_assert_uint_eq(slow.cancelled, 1);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    slow.busy = false;
    css_device_ready(m.css, id);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
}
END_TEST

/* A program of CP's that is given up is not gone on with, though its device is ready just then;
 * what the device has to tell the guest hears; and without a path nothing was done. */
START_TEST(programs_of_cp_that_do_not_run)
{
    struct irb irb;
    struct css_program p = {.storage = m.storage, .orb_flags = ORB_F, .ccw = PROGRAM};
    slow.path = 0;
    slow.busy = slow.frees = true;
    ck_assert_int_eq(css_run(m.css, 0x0200, &p), CSS_RUN_BUSY);
    ck_assert_uint_eq(slow.cancelled, 1);
    ck_assert_uint_eq(slow.path, 0);
    slow.frees = false;
    slow.busy = slow.attends = true;
    ck_assert_int_eq(css_run(m.css, 0x0200, &p), CSS_RUN_BUSY);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & (SCSW_CC | FC_ANY | SC_ANY), SC_ALERT | SC_PENDING);
    ck_assert_uint_eq(irb.ds, DS_DEVICE_END);
    slow.busy = false;
    for (u8 path = 0; path < 4; path++)
        ck_assert(css_chp_configure(m.css, CHPID + path, false, false));
    ck_assert_int_eq(css_run(m.css, 0x0200, &p), CSS_RUN_NO_DEVICE);
    ck_assert_uint_eq(slow.path, 0);
    for (u8 path = 0; path < 4; path++)
        ck_assert(css_chp_configure(m.css, CHPID + path, true, false));
    ck_assert_int_eq(css_run(m.css, 0x0200, &p), CSS_RUN_DONE);
    ck_assert_uint_eq(p.unit_status, DS_NORMAL);
    ck_assert_uint_ne(slow.path, 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
}
END_TEST

/* What a program of CP's makes pending is not the guest's to take, nor is it its end. */
START_TEST(programs_of_cp_have_their_own_status)
{
    struct css_program p = {.storage = m.storage, .orb_flags = ORB_F, .ccw = PROGRAM};
    ccw1(&m, PROGRAM, CMD_READ, CCW_SLI | CCW_CC | CCW_PCI, 1, DATA);
    ccw1(&m, PROGRAM + 8, CMD_WAIT, CCW_SLI, 1, DATA);
    ck_assert_int_eq(css_run(m.css, 0x0200, &p), CSS_RUN_BUSY);
    ck_assert_int_eq(slow.told, 1);
    ck_assert_uint_eq(slow.cancelled, 1);
    slow.ready = true;
    ck_assert_int_eq(css_run(m.css, 0x0200, &p), CSS_RUN_DONE);
    ck_assert_int_eq(slow.told, 1);
}
END_TEST

/* A program that has begun ends as it would; the status comes behind it. */
START_TEST(status_during_a_program_is_kept)
{
    struct irb irb;
    ccw1(&m, PROGRAM, CMD_WAIT, CCW_SLI, 1, DATA);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    css_attention(m.css, id, DS_ATTENTION);
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
    slow.ready = true;
    css_device_ready(m.css, id);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    ck_assert_uint_eq(irb.scsw0 & SCSW_CC, 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_ATTENTION);
    ck_assert_uint_eq(irb.scsw0 & (SCSW_CC | FC_ANY), 0);
}
END_TEST

/* A command that waits is started again, and its PCI is not told again. */
START_TEST(pci_is_told_once)
{
    struct irb irb;
    ccw1(&m, PROGRAM, CMD_WAIT, CCW_SLI | CCW_PCI, 1, DATA);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ss, SS_PCI);
    css_device_ready(m.css, id); /* for nothing */
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
    slow.ready = true;
    css_device_ready(m.css, id);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ss, 0);
}
END_TEST

/* CLEAR while a command is being performed: no PCI and no initial status come after it. */
START_TEST(clear_in_the_middle_of_a_command)
{
    struct irb irb;
    ccw1(&m, PROGRAM, CMD_WAIT, CCW_SLI | CCW_PCI, 1, DATA);
    slow.clears = true;
    m.defer = true;
    ck_assert_int_eq(start(&m, id, ORB_F | ORB_I, PROGRAM), 0);
    machine_run(&m);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY | SC_ANY | SCSW_Z), FC_CLEAR | SC_PENDING);
    ck_assert_uint_eq(irb.ss, 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
}
END_TEST

START_TEST(link_incidents_are_events)
{
    static u8 page[CHSC_BYTES];
    css_link_incident(m.css, CHPID, false);
    css_link_incident(m.css, CHPID + 1, true);
    crw_is(0x0b000000);
    page[8] = 0x80;
    ck_assert_uint_eq(chsc(page, 16, 0x000e), 1);
    ck_assert_uint_eq(be16_load(page + 16), 8 + 16 + 100);
    ck_assert_uint_eq(page[24], 0x80); /* there are more */
    ck_assert_uint_eq(page[26], 4);    /* reported by a channel path */
    ck_assert_uint_eq(page[27], 1);    /* link incident */
    ck_assert_uint_eq(be16_load(page + 30), CHPID);
    ck_assert_uint_eq(be16_load(page + 40), 0x0402); /* degraded: bit errors */
    ck_assert_uint_eq(page[44], 0x40);               /* neither node is known */
    ck_assert_uint_eq(page[76], 0x40);
    ck_assert_uint_eq(chsc(page, 16, 0x000e), 1);
    ck_assert_uint_eq(be16_load(page + 30), CHPID + 1);
    ck_assert_uint_eq(be16_load(page + 40), 0x0803); /* not operational: no signal */
    ck_assert_uint_eq(schib_byte(15), 0xf0); /* what becomes of paths is told otherwise */
}
END_TEST

START_TEST(requests_are_events)
{
    static u8 page[CHSC_BYTES];
    css_chp_request(m.css, CHPID + 1, false);
    css_chp_request(m.css, CHPID + 2, true);
    crw_is(0x0b000000);
    page[8] = 0x80; /* notification type 0 */
    ck_assert_uint_eq(chsc(page, 16, 0x000e), 1);
    ck_assert_uint_eq(page[24], 0x80); /* there are more */
    ck_assert_uint_eq(page[27], 8);
    ck_assert_uint_eq(page[24 + 16 + CHPID / 8], 0x40);
    ck_assert_uint_eq(page[24 + 16 + 32], 1); /* deconfigure */
    ck_assert_uint_eq(chsc(page, 16, 0x000e), 1);
    ck_assert_uint_eq(page[24], 0);
    ck_assert_uint_eq(page[24 + 16 + CHPID / 8], 0x20);
    ck_assert_uint_eq(page[24 + 16 + 32], 0);
    ck_assert_uint_eq(chsc(page, 16, 0x000e), 5);
    for (unsigned i = 0; i <= EVENTS_MAX; i++)
        css_chp_request(m.css, CHPID, true);
    ck_assert_uint_eq(chsc(page, 16, 0x000e), 1);
    ck_assert_uint_eq(page[24], 0xc0); /* more, and some were lost */
}
END_TEST

/* ---- subchannel sets ---- */

static void sets_enable(void)
{
    static u8 page[CHSC_BYTES];
    memset(page, 0, sizeof page);
    be16_store(page + 6, 2);
    ck_assert_uint_eq(chsc(page, 0x400, 0x0031), 1);
}

START_TEST(sets_are_there_when_asked_for)
{
    static u8 page[CHSC_BYTES];
    u8 schib[SCHIB_BYTES];
    u32 second;
    struct irb irb;
    ck_assert_int_eq(
        css_attach(m.css, CSS_DEVICE(2, 0x0200), &slow_ops, &slow, true, &second, NULL), ST_OK);
    ck_assert_uint_eq(second, 0x00050000);
    crw_is(0x03040000);
    ck_assert_int_eq(css_stsch(m.css, second, schib), CSS_PGM_OPERAND);
    sets_enable();
    ck_assert_int_eq(css_stsch(m.css, second, schib), 0);
    ck_assert_int_eq(css_stsch(m.css, second + 1, schib), 3);
    ck_assert_int_eq(css_stsch(m.css, 0x00090000, schib), CSS_PGM_OPERAND);
    enable(&m, second, 2);
    ck_assert_int_eq(start(&m, second, ORB_F, PROGRAM), 0);
    struct io_interruption in;
    ck_assert(css_take_interruption(m.css, 0xff, &in));
    ck_assert_uint_eq(in.schid, second);
    ck_assert_int_eq(tsch(&m, second, &irb), 0);
    page[5] = 2 << 4;
    ck_assert_uint_eq(chsc(page, 16, 0x0004), 1);
    ck_assert_uint_eq(be16_load(page + 24 + 2), 0x0200);
    ck_assert_uint_eq(page[24 + 4], 0xf0);
    ck_assert_int_eq(css_detach(m.css, CSS_DEVICE(2, 0x0200), true, NULL), ST_OK);
    crw_is(0x13040000); /* chained: the set is in the second */
    crw_is(0x03040020);
    css_reset(m.css);
    ck_assert_int_eq(css_stsch(m.css, second, schib), CSS_PGM_OPERAND);
}
END_TEST

START_TEST(a_set_holds_65536)
{
    struct cause cause;
    for (u32 n = 0; n < CSS_SUBCHANNELS_MAX; n++)
        ck_assert_int_eq(
            css_attach(m.css, CSS_DEVICE(3, n), &slow_ops, &slow, false, NULL, NULL), ST_OK);
    u32 schid = css_find_devno(m.css, CSS_DEVICE(3, 0xffff));
    ck_assert_uint_eq(schid, 0x0007ffff);
    ck_assert_int_eq(css_attach(m.css, CSS_DEVICE(3, 7), &slow_ops, &slow, false, NULL, &cause),
                     ST_EXIST);
    ck_assert_int_eq(css_detach(m.css, CSS_DEVICE(3, 7), false, NULL), ST_OK);
    ck_assert_int_eq(css_attach(m.css, CSS_DEVICE(3, 7), &slow_ops, &slow, false, &schid, NULL),
                     ST_OK);
    ck_assert_uint_eq(schid, 0x00070007);
}
END_TEST

/* ---- monitoring ---- */

static void measured(u8 mode, u8 chars)
{
    u8 schib[SCHIB_BYTES];
    ck_assert_int_eq(css_stsch(m.css, id, schib), 0);
    schib[5] |= mode;
    schib[27] = chars;
    be16_store(schib + 12, 2); /* index */
    be64_store(schib + 40, chars & PMCW_F ? BLOCK : 0);
    ck_assert_int_eq(css_msch(m.css, id, schib), 0);
}

static void one_program(u64 pending, u64 connected)
{
    struct irb irb;
    slow.takes = connected;
    m.defer = true;
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    m.tod += pending;
    machine_run(&m);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
}

static u32 word(u32 at)
{
    u8 raw[4];
    ck_assert(storage_read(m.storage, at, raw, sizeof raw));
    return be32_load(raw);
}

START_TEST(format_0_blocks)
{
    measured(PMCW_MM, 0);
    one_program(UNITS(3), UNITS(5)); /* not active: nothing is stored */
    ck_assert_int_eq(css_schm(m.css, 3, BLOCK + 16), CSS_PGM_OPERAND);
    ck_assert_int_eq(css_schm(m.css, 3, BLOCK), 0);
    ck_assert_uint_eq(word(BLOCK + 64), 0);
    one_program(UNITS(3), UNITS(5));
    one_program(UNITS(4), UNITS(6));
    ck_assert_uint_eq(word(BLOCK + 64), 0x00020002); /* starts, samples */
    ck_assert_uint_eq(word(BLOCK + 68), 11);         /* connected */
    ck_assert_uint_eq(word(BLOCK + 72), 7);          /* pending */
    ck_assert_uint_eq(word(BLOCK + 76), 0);          /* disconnected */
    ck_assert_int_eq(css_schm(m.css, 0, 0), 0);
    one_program(UNITS(4), UNITS(6));
    ck_assert_uint_eq(word(BLOCK + 64), 0x00020002);
}
END_TEST

START_TEST(a_block_among_code)
{
    measured(PMCW_MM, 0);
    ck_assert_int_eq(css_schm(m.css, 3, BLOCK), 0);
    machine_holds_code(&m, BLOCK);
    one_program(UNITS(3), UNITS(5));
    ck_assert_uint_eq(word(BLOCK + 64), 0x00010001);
    ck_assert_uint_ge(m.code_stored, 2);
}
END_TEST

START_TEST(format_1_blocks_count_the_wait)
{
    struct irb irb;
    measured(PMCW_MM, PMCW_F | PMCW_X);
    ck_assert_int_eq(css_schm(m.css, 3, 0), 0);
    ccw1(&m, PROGRAM, CMD_WAIT, CCW_SLI, 1, DATA);
    slow.takes = UNITS(2);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    m.tod += UNITS(9);
    slow.ready = true;
    css_device_ready(m.css, id);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    static const u32 want[] = {1, 1, 2, 0, 9, 0, 0, 0, 0};
    for (u32 i = 0; i < ARRAY_LEN(want); i++)
        ck_assert_uint_eq(word(BLOCK + i * 4), want[i]);
    ck_assert_uint_eq(be32_load(irb.raw + 64), 2); /* extended-measurement word */
    ck_assert_uint_eq(be32_load(irb.raw + 72), 9);
    ck_assert_uint_eq(be32_load(irb.raw + 12),
                      0x00800002); /* ESW format 2: LPUM, connect time */
    slow.takes = UNITS(0x12345);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(be16_load(irb.raw + 14), 0xffff);
    ck_assert_int_eq(css_schm(m.css, 2, 0), 0);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(be32_load(irb.raw + 12), 0x00200000); /* format 1: not active */
}
END_TEST

START_TEST(a_block_out_of_reach_ends_measuring)
{
    struct irb irb;
    measured(PMCW_MM, 0);
    ck_assert_int_eq(css_schm(m.css, 0x30000003, BLOCK), 0); /* key 3, storage has key 0 */
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & SCSW_L, SCSW_L);
    ck_assert_uint_eq(be32_load(irb.raw + 12) >> 24, 0x08); /* protection check */
    ck_assert_uint_eq(irb.ds, DS_NORMAL);
    ck_assert_uint_eq(schib_byte(5) & PMCW_MM, PMCW_MM_CONNECT);
    ck_assert_uint_eq(word(BLOCK + 64), 0);
    measured(PMCW_MM, 0);
    ck_assert_int_eq(css_schm(m.css, 3, STORAGE_BYTES), 0);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(be32_load(irb.raw + 12) >> 24, 0x20); /* program check */
}
END_TEST

/* ---- ORB bits ---- */

START_TEST(address_limits)
{
    struct irb irb;
    ck_assert_int_eq(css_sal(m.css, 0x1234), CSS_PGM_OPERAND);
    ck_assert_int_eq(css_sal(m.css, 0x10000), 0);
    static const struct {
        u8 mode;
        u32 addr;
        u8 ss;
    } cases[] = {{0, DATA, 0},
                 {PMCW_LM_BELOW, 0xffff, 0},
                 {PMCW_LM_BELOW, 0x10000, SS_PROGRAM_CHECK},
                 {PMCW_LM_ABOVE, 0x10000, 0},
                 {PMCW_LM_ABOVE, 0xffff, SS_PROGRAM_CHECK}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        u8 schib[SCHIB_BYTES];
        css_stsch(m.css, id, schib);
        schib[5] = (u8)((schib[5] & ~PMCW_LM) | cases[i].mode);
        ck_assert_int_eq(css_msch(m.css, id, schib), 0);
        ccw1(&m, PROGRAM, CMD_READ, CCW_SLI, 1, cases[i].addr);
        ck_assert_int_eq(start(&m, id, ORB_F | ORB_A, PROGRAM), 0);
        ck_assert_int_eq(tsch(&m, id, &irb), 0);
        ck_assert_uint_eq(irb.ss, cases[i].ss);
        ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0); /* A is zero: no limit */
        ck_assert_int_eq(tsch(&m, id, &irb), 0);
        ck_assert_uint_eq(irb.ss, 0);
    }
}
END_TEST

START_TEST(initial_status_interruption)
{
    struct irb irb;
    ccw1(&m, PROGRAM, CMD_WAIT, CCW_SLI, 1, DATA);
    ck_assert_int_eq(start(&m, id, ORB_F | ORB_I, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & (SCSW_Z | SC_ANY), SCSW_Z | SC_INTERMEDIATE | SC_PENDING);
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
    slow.ready = true;
    css_device_ready(m.css, id);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & (SCSW_Z | SC_ANY), SC_PRIMARY | SC_SECONDARY | SC_PENDING);
}
END_TEST

/* ---- relocation ---- */

START_TEST(paths_sets_and_monitoring_move)
{
    struct machine there;
    struct slow slow2 = {.m = &there};
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    struct cause cause = {0};
    struct irb irb;
    u32 second;
    ck_assert_int_eq(
        css_attach(m.css, CSS_DEVICE(1, 0x300), &slow_ops, &slow, false, &second, NULL), ST_OK);
    sets_enable();
    measured(PMCW_MM, 0);
    ck_assert_int_eq(css_schm(m.css, 3, BLOCK), 0);
    ck_assert(css_chp_configure(m.css, CHPID, false, false));
    css_chp_request(m.css, CHPID, true);
    ccw1(&m, PROGRAM, CMD_WAIT, CCW_SLI, 1, DATA);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    m.tod += UNITS(4);
    css_quiesce(m.css);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 7, &out, NULL), ST_OK);

    machine_init(&there);
    ck_assert_int_eq(
        css_attach(there.css, CSS_DEVICE(1, 0x300), &slow_ops, &slow2, false, NULL, NULL),
        ST_OK);
    ck_assert_int_eq(css_attach(there.css, 0x0200, &slow_ops, &slow2, false, NULL, NULL),
                     ST_OK);
    css_quiesce(there.css);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row));
    struct codec_in block;
    ck_assert(codec_open(&row, &block));
    ck_assert_msg(css_restore(there.css, &block, &cause) == ST_OK, "%s", cause.text);
    codec_out_fini(&out);
    there.tod = m.tod;
    slow2.ready = true;
    slow2.takes = UNITS(3);
    ccw1(&there, PROGRAM, CMD_WAIT, CCW_SLI, 1, DATA);
    css_resume(there.css);
    ck_assert_uint_eq(slow2.path, 0x40);
    ck_assert_int_eq(tsch(&there, id, &irb), 0);
    u8 raw[16];
    storage_read(there.storage, BLOCK + 64, raw, sizeof raw);
    ck_assert_uint_eq(be32_load(raw), 0x00000001); /* the start was counted there */
    ck_assert_uint_eq(be32_load(raw + 4), 3);      /* connected */
    ck_assert_uint_eq(be32_load(raw + 12), 4);     /* waited before and during the move */
    ck_assert_int_eq(css_chp_state(there.css, CHPID), CSS_CHP_STANDBY);
    ck_assert_uint_eq(css_find_devno(there.css, CSS_DEVICE(1, 0x300)), second);
    static u8 page[CHSC_BYTES];
    page[8] = 0x80;
    be16_store(page, 16);
    be16_store(page + 2, 0x000e);
    ck_assert_int_eq(css_chsc(there.css, page), 0);
    ck_assert_uint_eq(be16_load(page + 18), 1);
    machine_fini(&there);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_paths");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, paths_take_turns);
    tcase_add_test(tc, standby_paths_are_not_used);
    tcase_add_test(tc, no_path_is_deferred_condition_code_3);
    tcase_add_test(tc, a_waiting_program_changes_its_path_or_ends);
    tcase_add_test(tc, reset_channel_path_reports);
    tcase_add_test(tc, clear_initializes_the_masks);
    tcase_add_test(tc, a_busy_device_keeps_the_start_pending);
    tcase_add_test(tc, status_before_the_start_is_deferred_condition_code_1);
    tcase_add_test(tc, status_of_a_busy_device_ends_the_start);
    tcase_add_test(tc, programs_of_cp_that_do_not_run);
    tcase_add_test(tc, programs_of_cp_have_their_own_status);
    tcase_add_test(tc, status_during_a_program_is_kept);
    tcase_add_test(tc, pci_is_told_once);
    tcase_add_test(tc, clear_in_the_middle_of_a_command);
    tcase_add_test(tc, requests_are_events);
    tcase_add_test(tc, link_incidents_are_events);
    tcase_add_test(tc, sets_are_there_when_asked_for);
    tcase_add_test(tc, a_set_holds_65536);
    tcase_add_test(tc, format_0_blocks);
    tcase_add_test(tc, a_block_among_code);
    tcase_add_test(tc, format_1_blocks_count_the_wait);
    tcase_add_test(tc, a_block_out_of_reach_ends_measuring);
    tcase_add_test(tc, address_limits);
    tcase_add_test(tc, initial_status_interruption);
    tcase_add_test(tc, paths_sets_and_monitoring_move);
    return run_suite(suite);
}
