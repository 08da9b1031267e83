/* Save and restore of the channel subsystem, generated from io_state.def.
 * A stream is hostile: all of it is checked against the devices here before it counts. */
#include "io/io_state.h"

#include <stdlib.h>

#include "io/css_internal.h"

#define STATE_VERSION 1

#define ROW_ENTRY(type, tag, width, member)                                                    \
    {(tag) | CODEC_MANDATORY, offsetof(struct type, member),                                   \
     sizeof(((struct type *)0)->member), width},
/* A forgotten member fails the build: the rows must cover every byte of the struct. */
#define ROW_SIZE(type, tag, width, member) +sizeof(((struct type *)0)->member)

#define CSS_ROWS
#define ROW ROW_ENTRY
static const struct io_row sub_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct sub_state),
               "sub_state: every member needs a row");
#undef CSS_ROWS

#define CON3215_ROWS
#define ROW ROW_ENTRY
static const struct io_row con3215_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct con3215_state),
               "con3215_state: every member needs a row");
#undef CON3215_ROWS

#define READER_ROWS
#define ROW ROW_ENTRY
static const struct io_row reader_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct reader_state),
               "reader_state: every member needs a row");
#undef READER_ROWS

#define SCLP_ROWS
#define ROW ROW_ENTRY
static const struct io_row sclp_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct sclp_state),
               "sclp_state: every member needs a row");
#undef SCLP_ROWS

#define ROWS(table, type)                                                                      \
    {                                                                                          \
        table, ARRAY_LEN(table), sizeof(struct type)                                           \
    }
const struct io_rows sub_rows = ROWS(sub_table, sub_state);
const struct io_rows con3215_rows = ROWS(con3215_table, con3215_state);
const struct io_rows reader_rows = ROWS(reader_table, reader_state);
const struct io_rows sclp_rows = ROWS(sclp_table, sclp_state);

void io_rows_put(struct codec_out *out, const struct io_rows *rows, const void *state)
{
    for (unsigned i = 0; i < rows->count; i++) {
        const struct io_row *r = &rows->row[i];
        codec_put_array(out, r->tag, (const u8 *)state + r->offset, r->width,
                        r->bytes / r->width);
    }
}

bool io_rows_get(const struct codec_row *row, const struct io_rows *rows, void *state,
                 u64 *seen)
{
    for (unsigned i = 0; i < rows->count; i++) {
        const struct io_row *r = &rows->row[i];
        if (r->tag != row->tag)
            continue;
        if (*seen >> i & 1)
            return false;
        *seen |= 1ull << i;
        return codec_get_array(row, (u8 *)state + r->offset, r->width, r->bytes / r->width);
    }
    return !(row->tag & CODEC_MANDATORY);
}

bool io_rows_complete(const struct io_rows *rows, u64 seen)
{
    return seen == (rows->count == 64 ? ~0ull : (1ull << rows->count) - 1);
}

static void save_subchannel(const struct subchannel *sub, struct codec_out *out)
{
    codec_begin(out, IO_TAG_SUBCHANNEL, STATE_VERSION);
    codec_put_u32(out, IO_TAG_NUMBER, sub->number);
    codec_put_bytes(out, IO_TAG_TYPE, sub->ops->name, strlen(sub->ops->name));
    io_rows_put(out, &sub_rows, &sub->s);
    if (sub->ops->save) {
        codec_begin(out, IO_TAG_DEVICE, STATE_VERSION);
        sub->ops->save(sub->dev, out);
        codec_end(out);
    }
    codec_end(out);
}

void css_save(struct css *css, u16 tag, struct codec_out *out)
{
    lock_take(&css->lock);
    codec_begin(out, tag, STATE_VERSION);
    codec_begin(out, IO_TAG_CSS, STATE_VERSION);
    codec_put_u32(out, IO_TAG_SUB_COUNT, css->sub_count);
    codec_put_array(out, IO_TAG_CRW, css->crw, 4, css->crw_count);
    codec_end(out);
    for (u32 i = 0; i < css->sub_count; i++)
        if (sub_has_device(css->sub[i]))
            save_subchannel(css->sub[i], out);
    codec_end(out);
    lock_drop(&css->lock);
}

static int bad(struct cause *cause, const char *what)
{
    return cause_set(cause, ST_PROTO, "channel subsystem state: %s", what);
}

/** What css_restore builds: the new order of the subchannels. */
struct restore {
    struct css *css;
    struct subchannel **to;
    u64 *order; /* queue_order of to[] */
    u32 to_count;
    u32 devices;
    bool have_css;
    u32 crw[CRWS_MAX];
    u32 crw_count;
};

static int restore_totals(struct restore *r, const struct codec_row *block, struct cause *cause)
{
    struct codec_in in;
    struct codec_row row;
    if (r->have_css || !codec_open(block, &in) || in.version != STATE_VERSION)
        return bad(cause, "totals");
    while (codec_next(&in, &row)) {
        bool ok = true;
        if (row.tag == IO_TAG_SUB_COUNT)
            ok = !r->to && codec_get_u32(&row, &r->to_count) &&
                 r->to_count <= CSS_SUBCHANNELS_MAX &&
                 (r->to = calloc(r->to_count + 1, sizeof(*r->to))) != NULL &&
                 (r->order = calloc(r->to_count + 1, sizeof(*r->order))) != NULL;
        else if (row.tag == IO_TAG_CRW)
            ok = row.len % 4 == 0 && row.len / 4 <= CRWS_MAX &&
                 codec_get_array(&row, r->crw, 4, r->crw_count = row.len / 4);
        else
            ok = !(row.tag & CODEC_MANDATORY);
        if (!ok)
            return bad(cause, "totals row");
    }
    r->have_css = r->to && !in.failed;
    return r->have_css ? ST_OK : bad(cause, "totals incomplete");
}

/** Nothing in a restored subchannel may break an assumption of the executor. */
static bool sub_state_valid(const struct sub_state *s)
{
    bool flags =
        s->active <= 1 && s->waiting <= 1 && s->chained <= 1 && !(s->waiting && !s->active);
    bool sense = s->sense_bytes <= SENSE_BYTES_MAX && s->ecw_bytes <= SENSE_BYTES_MAX;
    bool fc = (s->scsw0 & AC_ANY) == 0 || (s->scsw0 & FC_ANY);
    bool queue = !s->queue_order || (s->scsw0 & SC_PENDING && s->pmcw_mode & PMCW_E);
    return flags && sense && fc && queue && s->isc < 8 && !(s->orb_flags & ORB_RESERVED) &&
           !(s->pmcw_mode & ~(PMCW_E | PMCW_LM | PMCW_MM | PMCW_D)) &&
           !(s->pmcw_chars & ~(PMCW_F | PMCW_X | PMCW_S)) &&
           (!s->active || s->scsw0 & FC_START);
}

struct sub_in {
    struct sub_state s;
    u64 seen;
    u32 number;
    char type[16];
    struct codec_row device;
    bool have_device;
};

static bool read_subchannel(struct codec_in *in, struct sub_in *si)
{
    struct codec_row row;
    *si = (struct sub_in){.number = ~0u};
    while (codec_next(in, &row)) {
        bool ok;
        if (row.tag == IO_TAG_NUMBER) {
            ok = codec_get_u32(&row, &si->number);
        } else if (row.tag == IO_TAG_TYPE) {
            ok = row.len < sizeof si->type && !memchr(row.p, 0, row.len);
            if (ok)
                memcpy(si->type, row.p, row.len);
        } else if (row.tag == IO_TAG_DEVICE) {
            ok = !si->have_device;
            si->device = row;
            si->have_device = true;
        } else {
            ok = io_rows_get(&row, &sub_rows, &si->s, &si->seen);
        }
        if (!ok)
            return false;
    }
    return !in->failed && io_rows_complete(&sub_rows, si->seen) && sub_state_valid(&si->s);
}

static struct subchannel *find_unrestored(struct restore *r, u16 devno)
{
    struct subchannel *sub = css_sub_locked(r->css, r->css->by_devno[devno]);
    return sub_has_device(sub) ? sub : NULL;
}

static int restore_subchannel(struct restore *r, const struct codec_row *block,
                              struct cause *cause)
{
    struct codec_in in;
    struct sub_in si;
    if (!r->have_css || !codec_open(block, &in) || in.version != STATE_VERSION ||
        !read_subchannel(&in, &si))
        return bad(cause, "broken subchannel");
    if (si.number >= r->to_count || r->to[si.number])
        return bad(cause, "subchannel number");
    struct subchannel *sub = find_unrestored(r, si.s.devno);
    if (!sub)
        return cause_set(cause, ST_NOENT, "device %04X is not here", si.s.devno);
    if (strcmp(si.type, sub->ops->name) != 0)
        return cause_set(cause, ST_PROTO, "device %04X is a %s here, a %s there", si.s.devno,
                         sub->ops->name, si.type);
    for (u32 i = 0; i < r->to_count; i++)
        if (r->to[i] == sub)
            return bad(cause, "device twice");
    if (!!si.have_device != !!sub->ops->restore)
        return bad(cause, "device rows");
    if (si.have_device) {
        struct codec_in dev;
        if (!codec_open(&si.device, &dev) || dev.version != STATE_VERSION)
            return bad(cause, "device version");
        int rc = sub->ops->restore(sub->dev, &dev, cause);
        if (rc != ST_OK)
            return rc;
    }
    sub->s = si.s;
    sub->s.queue_order = 0;
    r->order[si.number] = si.s.queue_order;
    r->to[si.number] = sub;
    r->devices++;
    return ST_OK;
}

static int restore_rows(struct restore *r, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    while (codec_next(in, &row)) {
        int rc = ST_OK;
        if (row.tag == IO_TAG_CSS)
            rc = restore_totals(r, &row, cause);
        else if (row.tag == IO_TAG_SUBCHANNEL)
            rc = restore_subchannel(r, &row, cause);
        else if (row.tag & CODEC_MANDATORY)
            rc = bad(cause, "unknown row");
        if (rc != ST_OK)
            return rc;
    }
    if (in->failed || !r->have_css)
        return bad(cause, "truncated");
    u32 here = 0;
    for (u32 i = 0; i < r->css->sub_count; i++)
        here += sub_has_device(r->css->sub[i]);
    return here == r->devices ? ST_OK : bad(cause, "a device here has no state there");
}

struct queued {
    u64 order;
    struct subchannel *sub;
};

static int by_order(const void *a, const void *b)
{
    u64 x = ((const struct queued *)a)->order;
    u64 y = ((const struct queued *)b)->order;
    return x < y ? -1 : x > y;
}

/** Fill table with the restored subchannels; unused slots get the structures that are left. */
static bool fill_table(struct restore *r, struct subchannel **table, u32 count)
{
    struct css *css = r->css;
    u32 spare = 0;
    if (r->to_count > 0)
        memcpy(table, r->to, r->to_count * sizeof(*table));
    for (u32 i = 0; i < css->sub_count; i++) {
        if (sub_has_device(css->sub[i]))
            continue;
        while (table[spare])
            spare++;
        table[spare] = css->sub[i];
    }
    for (; spare < count; spare++)
        if (!table[spare] && !(table[spare] = calloc(1, sizeof **table)))
            return false;
    return true;
}

/** Place the subchannels as in the source, and their pending interruptions in their order. */
static bool commit(struct restore *r)
{
    struct css *css = r->css;
    u32 n = 0;
    u32 count = r->to_count > css->sub_count ? r->to_count : css->sub_count;
    struct subchannel **table = calloc(count + 1, sizeof(*table));
    struct queued *list = calloc(count + 1, sizeof *list);
    if (!table || !list || !fill_table(r, table, count)) {
        free(table); /* structures not yet in the css are few and lost: no memory anyway */
        free(list);
        return false;
    }
    for (u32 i = 0; i < count; i++) {
        table[i]->css = css;
        table[i]->number = (u16)i;
        if (!table[i]->ops)
            continue;
        css->by_devno[table[i]->s.devno] = SCHID_ONE | i;
        if (i < r->to_count && r->order[i])
            list[n++] = (struct queued){r->order[i], table[i]};
    }
    free(css->sub);
    css->sub = table;
    css->sub_count = count;
    css->sub_room = count + 1; /* never 0: it doubles */
    memcpy(css->crw, r->crw, sizeof css->crw);
    css->crw_count = r->crw_count;
    qsort(list, n, sizeof *list, by_order);
    for (u32 i = 0; i < n; i++)
        css_enqueue_locked(list[i].sub);
    css_notify_locked(css);
    free(list);
    return true;
}

int css_restore(struct css *css, struct codec_in *in, struct cause *cause)
{
    struct restore r = {.css = css};
    lock_take(&css->lock);
    for (u32 i = 0; i < css->sub_count; i++)
        css_dequeue_locked(css->sub[i]);
    int rc = in->version == STATE_VERSION ? restore_rows(&r, in, cause) : bad(cause, "version");
    if (rc == ST_OK && !commit(&r))
        rc = cause_set(cause, ST_NOMEM, "channel subsystem state: no memory");
    if (rc == ST_OK && css->crw_count && css->ports->mchk_crw)
        css->ports->mchk_crw(css->ctx, true);
    lock_drop(&css->lock);
    free(r.to);
    free(r.order);
    return rc;
}
