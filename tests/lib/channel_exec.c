/* The interpreter of fuzzed channel-subsystem operations. Device work is queued and done a bounded
 * number of turns at a time, so that channel programs that loop end with the input. */
#include "tests/lib/channel_exec.h"

#include <stdlib.h>

#include "io/con3215.h"
#include "io/css_internal.h"
#include "io/net/ctca.h"
#include "io/unitrec/unitrec.h"
#include "mem/base/ergo.h"

#define STORAGE_BYTES (1u << 20)
#define USED_BYTES (1u << 16) /* where pieces of storage go, and what moves */
#define JOBS_MAX 64u
#define TURNS_PER_OPERATION 4
#define DEVICES 6
#define SLOW_CHPID 0x40
#define OPERATIONS_MAX 4000

struct job {
    void (*fn)(void *arg);
    void *arg;
};

struct world {
    struct storage *storage;
    struct css *css;
    struct con3215 *con;
    struct ctc_hub *ctcs;
    struct job job[JOBS_MAX];
    unsigned jobs;
    bool ready; /* of the slow device */
    u8 isc_mask;
    u64 tod;
};

struct input {
    const u8 *p, *end;
};

/* ---- ports and the device with four paths ---- */

static void port_pending(void *ctx, u8 isc_mask)
{
    ((struct world *)ctx)->isc_mask = isc_mask;
}

static void port_run(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct world *w = ctx;
    PRE(w->jobs < JOBS_MAX); /* a subchannel is scheduled once */
    w->job[w->jobs++] = (struct job){fn, arg};
}

static u64 port_tod(void *ctx)
{
    return ((struct world *)ctx)->tod += 1 << 18;
}

static void port_console(void *ctx, u32 devno, const char *utf8, size_t len, bool newline)
{
    (void)ctx;
    (void)devno;
    (void)newline;
    for (size_t i = 0; i < len; i++)
        PRE(utf8[i] != 0);
}

static const struct io_ports ports = {.io_pending = port_pending,
                                      .run = port_run,
                                      .tod = port_tod,
                                      .console_write = port_console};

static int slow_start(void *dev, struct dev_io *io)
{
    struct world *w = dev;
    u8 bytes[300] = {0};
    switch (dev_io_command(io) & 3) {
    case 1: dev_io_get(io, bytes, dev_io_count(io) % sizeof bytes); return DS_NORMAL;
    case 2: dev_io_put(io, bytes, dev_io_count(io) % sizeof bytes); return DS_NORMAL;
    case 3:
        if (!w->ready)
            return DEV_WAIT;
        w->ready = false;
        return DS_NORMAL | (dev_io_command(io) & 0x40 ? DS_STATUS_MODIFIER : 0);
    default: return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    }
}

static void slow_save(void *dev, struct codec_out *out)
{
    codec_put_u8(out, 1 | CODEC_MANDATORY, ((struct world *)dev)->ready);
}

static int slow_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    while (codec_next(in, &row))
        if (row.tag == (1 | CODEC_MANDATORY) && row.len == 1)
            ((struct world *)dev)->ready = row.p[0];
    return in->failed ? cause_set(cause, ST_PROTO, "slow device") : ST_OK;
}

static const struct dev_ops slow_ops = {.name = "slow",
                                        .chpid = SLOW_CHPID,
                                        .paths = 4,
                                        .start = slow_start,
                                        .save = slow_save,
                                        .restore = slow_restore};

/* Two adapters, each the other's side. */
static void ctcas_create(struct world *w)
{
    struct cause cause;
    w->ctcs = ctc_hub_create();
    for (u16 i = 0; i < 2; i++)
        POST(ctca_create(w->css, w->ctcs, 0x0500 + i, CTCA_3088, false, &cause) == ST_OK);
    POST(
        ctc_couple(ctca_side(ctca_find(w->css, 0x0500)), ctca_side(ctca_find(w->css, 0x0501))));
}

static void world_create(struct world *w)
{
    struct cause cause;
    static const char cards[] = "one card and\na second one\n";
    memset(w, 0, sizeof *w);
    POST(storage_create(&w->storage, STORAGE_BYTES, &cause) == ST_OK);
    w->css = css_create(w->storage, &ports, w);
    w->con = con3215_create(w->css, 0x0009, false, &cause);
    struct reader *reader = reader_create(w->css, 0x000c, false, &cause);
    POST(w->css && w->con && reader);
    POST(punch_create(w->css, 0x000d, false, NULL, NULL, &cause) == ST_OK);
    POST(printer_create(w->css, 0x000e, PRINTER_3211, false, NULL, NULL, &cause) == ST_OK);
    POST(css_attach(w->css, 0x0200, &slow_ops, w, false, NULL, &cause) == ST_OK);
    POST(css_attach(w->css, CSS_DEVICE(1, 0x0200), &slow_ops, w, false, NULL, &cause) == ST_OK);
    ctcas_create(w);
    for (unsigned i = 0; i < 2; i++)
        reader_add_file(reader, cards, sizeof cards - 1, NULL, &cause);
}

static void world_destroy(struct world *w)
{
    css_destroy(w->css);
    for (unsigned i = 0; i < w->jobs; i++) /* each holds a reference */
        w->job[i].fn(w->job[i].arg);
    ctc_hub_destroy(w->ctcs);
    storage_destroy(w->storage);
}

static void turns(struct world *w, unsigned n)
{
    while (n-- && w->jobs) {
        struct job job = w->job[0];
        w->jobs--;
        memmove(w->job, w->job + 1, w->jobs * sizeof w->job[0]);
        job.fn(job.arg);
    }
}

/* ---- input ---- */

static u8 take8(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

static u32 take32(struct input *in)
{
    u32 v = 0;
    for (unsigned i = 0; i < 4; i++)
        v = v << 8 | take8(in);
    return v;
}

static void take(struct input *in, u8 *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = take8(in);
}

static u32 take_schid(struct input *in)
{
    u8 which = take8(in);
    if (which >= 0xf8)
        return SCHID_ONE | (5 + which % 2); /* an adapter */
    if (which < 0xf0)
        return which % DEVICES < 5 ? SCHID_ONE | which % DEVICES
                                   : SCHID_ONE | 1u << SCHID_SET_SHIFT;
    return take32(in);
}

/* ---- operations ---- */

static void check(const struct world *w, int cc)
{
    POST(cc <= 3);
    POST(cc >= 0 || cc == CSS_PGM_OPERAND || cc == CSS_PGM_ADDRESSING ||
         cc == CSS_PGM_SPECIFICATION);
    POST(css_pending(w->css) == w->isc_mask);
}

static void op_store(struct world *w, struct input *in)
{
    u8 bytes[256];
    u32 at = take32(in) & (USED_BYTES - 1);
    size_t len = take8(in) + 1u;
    take(in, bytes, len);
    storage_write(w->storage, at, bytes, len); /* refused behind the end */
}

static void op_key(struct world *w, struct input *in)
{
    u32 at = take32(in) & (USED_BYTES - 1);
    storage_key_set(w->storage, at, take8(in) & 0xfe);
}

static void op_ssch(struct world *w, struct input *in)
{
    u8 orb[ORB_BYTES] = {0};
    u32 schid = take_schid(in);
    take(in, orb, 12);
    if (orb[6] < 0x80)
        orb[6] |= 0xf0; /* most have a path */
    orb[5] &= 0xfb;
    orb[7] &= 0xc0;
    check(w, css_ssch(w->css, schid, orb));
}

static void op_msch(struct world *w, struct input *in)
{
    u8 schib[SCHIB_BYTES];
    u32 schid = take_schid(in);
    if (css_stsch(w->css, schid, schib))
        return;
    schib[4] = take8(in) & 0x38;
    schib[5] ^= take8(in) & 0xf8;
    schib[8] = take8(in);
    schib[12] = take8(in);
    schib[14] = take8(in);
    schib[27] = take8(in) & 7;
    be64_store(schib + 40, take32(in) & 0xffffc0u);
    check(w, css_msch(w->css, schid, schib));
}

static void op_tsch(struct world *w, struct input *in)
{
    u8 irb[IRB_BYTES];
    size_t len = 0;
    int cc = css_tsch(w->css, take_schid(in), irb, &len);
    POST(cc == 3 || len == 64 || len == IRB_BYTES);
    check(w, cc);
}

static void op_simple(struct world *w, struct input *in)
{
    static int (*const fn[])(struct css *, u32) = {css_hsch, css_csch, css_rsch, css_xsch};
    u8 which = take8(in);
    check(w, fn[which & 3](w->css, take_schid(in)));
}

static void op_interruption(struct world *w, struct input *in)
{
    struct io_interruption what;
    u8 crw[CRW_BYTES], mask = take8(in);
    check(w, css_tpi(w->css, mask, &what));
    check(w, css_stcrw(w->css, crw));
}

static void op_chsc(struct world *w, struct input *in)
{
    static u8 page[CHSC_BYTES];
    memset(page, 0, sizeof page);
    be16_store(page, take8(in) & 0x80 ? 0x400 : 16);
    take(in, page + 3, 13);
    check(w, css_chsc(w->css, page));
}

static void op_paths(struct world *w, struct input *in)
{
    u8 what = take8(in), chpid = (u8)(take8(in) % 5 ? SLOW_CHPID + what % 4 : 0x10 + what % 3);
    u32 words = take32(in);
    switch (what >> 4 & 7) {
    case 0:
    case 1: css_chp_configure(w->css, chpid, what & 0x80, true); break;
    case 2: css_chp_request(w->css, chpid, what & 0x80); break;
    case 3: check(w, css_rchp(w->css, chpid)); break;
    case 4: check(w, css_schm(w->css, words & 0xf0000003u, words & 0xfffe0u)); break;
    case 5: check(w, css_sal(w->css, words & 0x7fff0000u)); break;
    case 6: css_attention(w->css, SCHID_ONE | (what & 3), DS_ATTENTION); break;
    default: w->ready = true; css_device_ready(w->css, SCHID_ONE | 4);
    }
}

static void op_type(struct world *w, struct input *in)
{
    char line[8];
    size_t len = take8(in) % sizeof line;
    take(in, (u8 *)line, len);
    if (len)
        con3215_input(w->con, line, len);
    else
        con3215_attention(w->con);
}

/* Into another machine with the same devices, which goes on. */
static void op_move(struct world *w)
{
    static struct world there;
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    struct cause cause = {0};
    css_quiesce(w->css);
    codec_out_init(&out);
    POST(css_save(w->css, 1, &out, &cause) == ST_OK && !out.failed);
    world_create(&there);
    css_quiesce(there.css);
    there.tod = w->tod;
    memcpy(storage_host(there.storage, 0, USED_BYTES), storage_host(w->storage, 0, USED_BYTES),
           USED_BYTES);
    codec_in_init(&in, out.data, out.len);
    POST(codec_next(&in, &row) && codec_open(&row, &in));
    POST(css_restore(there.css, &in, &cause) == ST_OK);
    POST(there.isc_mask == w->isc_mask);
    codec_out_fini(&out);
    world_destroy(w);
    *w = there;
    w->css->ctx = w;
    for (u32 at = 0;;) { /* the slow devices and the ports have moved with the struct */
        struct subchannel *sub = css_next_locked(w->css, &at);
        if (!sub)
            break;
        if (sub->ops == &slow_ops)
            sub->dev = w;
    }
    css_resume(w->css);
}

void channel_exec_run(const u8 *data, size_t size)
{
    static struct world w;
    struct input in = {data, data + size};
    unsigned moves = 0;
    world_create(&w);
    for (unsigned n = 0; in.p < in.end && n < OPERATIONS_MAX; n++) {
        switch (take8(&in) % 16) {
        case 0:
        case 1:
        case 2: op_store(&w, &in); break;
        case 3:
        case 4:
        case 5: op_ssch(&w, &in); break;
        case 6: op_msch(&w, &in); break;
        case 7:
        case 8: op_tsch(&w, &in); break;
        case 9: op_simple(&w, &in); break;
        case 10: op_interruption(&w, &in); break;
        case 11: op_chsc(&w, &in); break;
        case 12: op_paths(&w, &in); break;
        case 13: op_type(&w, &in); break;
        case 14: op_key(&w, &in); break;
        default:
            if (moves++ < 3)
                op_move(&w);
        }
        turns(&w, TURNS_PER_OPERATION);
    }
    world_destroy(&w);
}
