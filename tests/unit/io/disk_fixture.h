/* What the unit tests of disk devices share: a machine with one disk on an image in /tmp, a channel
 * program made command by command at PROGRAM and run, moving to another machine, a full host. */
#ifndef ENDICOTT_TESTS_UNIT_IO_DISK_FIXTURE_H
#define ENDICOTT_TESTS_UNIT_IO_DISK_FIXTURE_H

#include "tests/unit/io/io_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/dasd/dasd.h"

#define PROGRAM 0x1000u
#define EXTENT 0x2000u
#define LOCATE 0x2040u
#define AREA 0x10000u
#define CC CCW_CC
#define SLI CCW_SLI

static struct machine m;
static char path[64];
static struct image *img;
static u32 id, at;

/** Another machine with a disk on the image. */
static void attach_to(struct machine *to, u16 devno)
{
    struct cause cause;
    machine_init(to);
    ck_assert_int_eq(dasd_create(to->css, devno, img, false, &cause), ST_OK);
}

static void open_disk(u16 devno, unsigned flags)
{
    struct cause cause;
    ck_assert_msg(image_open(path, flags, &img, &cause) == ST_OK, "%s", cause.text);
    attach_to(&m, devno);
    id = css_find_devno(m.css, devno);
    enable(&m, id, 3);
    at = PROGRAM;
}

static void make_disk(const char *name, u16 devno, const struct image_create *what)
{
    struct cause cause;
    snprintf(path, sizeof path, "/tmp/io_%s_%d.img", name, getpid());
    unlink(path);
    ck_assert_msg(image_create(path, what, &cause) == ST_OK, "%s", cause.text);
    open_disk(devno, 0);
}

static void close_disk(void)
{
    machine_fini(&m);
    image_unref(img);
}

static void teardown(void)
{
    close_disk();
    unlink(path);
}

static UNUSED void ccw(u8 command, u8 flags, u16 count, u32 addr)
{
    ccw1(&m, at, command, flags, count, addr);
    at += 8;
}

static struct irb run_on(u32 schid)
{
    struct irb irb;
    at = PROGRAM;
    ck_assert_int_eq(start(&m, schid, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, schid, &irb), 0);
    return irb;
}

static struct irb run(void)
{
    return run_on(id);
}

static void expect_good(struct irb irb)
{
    ck_assert_msg(irb.ds == 0x0c && irb.ss == 0, "ds %02x ss %02x sense %02x%02x %02x", irb.ds,
                  irb.ss, irb.raw[32], irb.raw[33], irb.raw[39]);
}

static UNUSED struct irb good(void)
{
    struct irb irb = run();
    expect_good(irb);
    return irb;
}

static void expect_bad(struct irb irb, u8 sense0, u8 sense1, u8 sense7)
{
    ck_assert_uint_eq(irb.ds, 0x0e);
    ck_assert_uint_eq(irb.raw[32], sense0);
    ck_assert_uint_eq(irb.raw[33], sense1);
    ck_assert_uint_eq(irb.raw[39], sense7);
}

static UNUSED void bad(u8 sense0, u8 sense1, u8 sense7)
{
    expect_bad(run(), sense0, sense1, sense7);
}

static UNUSED void fill(u32 where, u8 byte, u32 len)
{
    memset(storage_host(m.storage, where, len), byte, len);
}

/** State and storage go to `to`, which becomes the machine. */
static UNUSED void move_to(struct machine *to)
{
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    struct cause cause = {0};
    css_quiesce(m.css);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 5, &out, NULL), ST_OK);
    ck_assert(!out.failed);
    css_quiesce(to->css);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_msg(css_restore(to->css, &in, &cause) == ST_OK, "%s", cause.text);
    codec_out_fini(&out);
    memcpy(storage_host(to->storage, 0, STORAGE_BYTES),
           storage_host(m.storage, 0, STORAGE_BYTES), STORAGE_BYTES);
    machine_fini(&m);
    m = *to;
    css_resume(m.css);
}

/** The host refuses writes behind byte `bytes` of a file; 0: it does not any more. */
static UNUSED void host_is_full(rlim_t bytes)
{
    static struct rlimit was;
    signal(SIGXFSZ, SIG_IGN);
    if (bytes)
        getrlimit(RLIMIT_FSIZE, &was);
    struct rlimit now = {bytes ? bytes : was.rlim_cur, was.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &now), 0);
}

#endif
