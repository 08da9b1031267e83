/* Save and restore of the channel subsystem, by the rows of io_state.def.
 * A stream is hostile: all of it is checked against the devices here before it counts. */
#include <stdlib.h>

#include "io/css_internal.h"
#include "io/io_state.h"

#define STATE_VERSION 4

static void save_subchannel(const struct subchannel *sub, struct codec_out *out)
{
    codec_begin(out, IO_TAG_SUBCHANNEL, STATE_VERSION);
    codec_put_u32(out, IO_TAG_NUMBER, (u32)sub->ssid << 16 | sub->number);
    codec_put_bytes(out, IO_TAG_TYPE, sub->ops->name, strlen(sub->ops->name));
    io_rows_put(out, &sub_rows, &sub->s);
    if (sub->ops->save) {
        codec_begin(out, IO_TAG_DEVICE, STATE_VERSION);
        sub->ops->save(sub->dev, out);
        codec_end(out);
    }
    codec_end(out);
}

static int settle_locked(struct css *css, struct cause *cause)
{
    u32 at = 0;
    int rc = ST_OK;
    for (struct subchannel *sub; rc == ST_OK && (sub = css_next_locked(css, &at)) != NULL;)
        if (sub_has_device(sub) && sub->ops->settle)
            rc = sub->ops->settle(sub->dev, cause);
    return rc;
}

int css_save(struct css *css, u16 tag, struct codec_out *out, struct cause *cause)
{
    lock_take(&css->lock);
    int rc = settle_locked(css, cause);
    if (rc) {
        lock_drop(&css->lock);
        return rc;
    }
    codec_begin(out, tag, STATE_VERSION);
    codec_begin(out, IO_TAG_CSS, STATE_VERSION);
    u32 counts[CSS_SETS];
    for (unsigned i = 0; i < CSS_SETS; i++)
        counts[i] = css->set[i].count;
    codec_put_array(out, IO_TAG_SUB_COUNT, counts, 4, CSS_SETS);
    codec_put_array(out, IO_TAG_CRW, css->crw, 4, css->crw_count);
    codec_put_array(out, IO_TAG_EVENTS, css->event, 4, css->event_count);
    io_rows_put(out, &css_rows, &css->s);
    codec_end(out);
    u32 at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;)
        if (sub_has_device(sub))
            save_subchannel(sub, out);
    codec_end(out);
    lock_drop(&css->lock);
    return ST_OK;
}

static int bad(struct cause *cause, const char *what)
{
    return cause_set(cause, ST_PROTO, "channel subsystem state: %s", what);
}

/** The new order of the subchannels of one set. */
struct restore_set {
    struct subchannel **to;
    u64 *order; /* queue_order of to[] */
    u32 count;
};

/** What css_restore builds. */
struct restore {
    struct css *css;
    struct restore_set set[CSS_SETS];
    u32 devices;
    bool have_css;
    u32 crw[CRWS_MAX];
    u32 crw_count;
    u32 event[EVENTS_MAX];
    u32 event_count;
    struct css_state s;
    u64 seen;
};

static bool restore_counts(struct restore *r, const struct codec_row *row)
{
    u32 counts[CSS_SETS];
    if (r->set[0].to || row->len != sizeof counts || !codec_get_array(row, counts, 4, CSS_SETS))
        return false;
    for (unsigned i = 0; i < CSS_SETS; i++) {
        struct restore_set *set = &r->set[i];
        if (counts[i] > CSS_SUBCHANNELS_MAX)
            return false;
        set->count = counts[i];
        set->to = calloc(set->count + 1, sizeof(*set->to));
        set->order = calloc(set->count + 1, sizeof(*set->order));
        if (!set->to || !set->order)
            return false;
    }
    return true;
}

static bool restore_words(const struct codec_row *row, u32 *words, u32 max, u32 *count)
{
    *count = row->len / 4;
    return row->len % 4 == 0 && *count <= max && codec_get_array(row, words, 4, *count);
}

static int restore_totals(struct restore *r, const struct codec_row *block, struct cause *cause)
{
    struct codec_in in;
    struct codec_row row;
    if (r->have_css || !codec_open(block, &in) || in.version != STATE_VERSION)
        return bad(cause, "totals");
    while (codec_next(&in, &row)) {
        bool ok = true;
        if (row.tag == IO_TAG_SUB_COUNT)
            ok = restore_counts(r, &row);
        else if (row.tag == IO_TAG_CRW)
            ok = restore_words(&row, r->crw, CRWS_MAX, &r->crw_count);
        else if (row.tag == IO_TAG_EVENTS)
            ok = restore_words(&row, r->event, EVENTS_MAX, &r->event_count);
        else
            ok = io_rows_get(&row, &css_rows, &r->s, &r->seen);
        if (!ok)
            return bad(cause, "totals row");
    }
    r->have_css = r->set[0].to && !in.failed && io_rows_complete(&css_rows, r->seen) &&
                  r->s.schm <= 3 && r->s.sets <= 1;
    return r->have_css ? ST_OK : bad(cause, "totals incomplete");
}

/** Nothing in a restored subchannel may break an assumption of the executor. */
static bool sub_state_valid(const struct sub_state *s)
{
    bool flags = s->active <= 1 && s->waiting <= 1 && s->chained <= 1 && s->accepted <= 1 &&
                 !(s->marks & ~(MARK_PCI | MARK_RESET | MARK_TAKEN)) &&
                 !(s->waiting && !s->active);
    bool sense = s->sense_bytes <= SENSE_BYTES_MAX && s->ecw_bytes <= SENSE_BYTES_MAX;
    bool fc = (s->scsw0 & AC_ANY) == 0 || (s->scsw0 & FC_ANY);
    bool queue = !s->queue_order || (s->scsw0 & SC_PENDING && s->pmcw_mode & PMCW_E);
    return flags && sense && fc && queue && s->isc < 8 && !(s->orb_flags & ORB_RESERVED) &&
           !(s->pmcw_mode & ~(PMCW_E | PMCW_LM | PMCW_MM | PMCW_D)) &&
           !(s->pmcw_chars & ~(PMCW_F | PMCW_X | PMCW_S)) &&
           (!s->waiting || s->scsw0 & (FC_START | FC_CLEAR));
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

/** The device that a saved subchannel belongs to; NULL with cause. */
static struct subchannel *find_device(struct restore *r, const struct sub_in *si,
                                      struct cause *cause)
{
    u32 ssid = si->number >> 16;
    struct subchannel *sub = css_device_locked(r->css, CSS_DEVICE(ssid, si->s.devno));
    if (!sub_has_device(sub)) {
        cause_set(cause, ST_NOENT, "device %04X is not here", si->s.devno);
        return NULL;
    }
    if (strcmp(si->type, sub->ops->name) != 0) {
        cause_set(cause, ST_PROTO, "device %04X is a %s here, a %s there", si->s.devno,
                  sub->ops->name, si->type);
        return NULL;
    }
    if (sub->restored || !!si->have_device != !!sub->ops->restore) {
        bad(cause, sub->restored ? "device twice" : "device rows");
        return NULL;
    }
    return sub;
}

static int restore_device(struct subchannel *sub, const struct sub_in *si, struct cause *cause)
{
    struct codec_in dev;
    if (!si->have_device)
        return ST_OK;
    if (!codec_open(&si->device, &dev) || dev.version != STATE_VERSION)
        return bad(cause, "device version");
    return sub->ops->restore(sub->dev, &dev, cause);
}

static int restore_subchannel(struct restore *r, const struct codec_row *block,
                              struct cause *cause)
{
    struct codec_in in;
    struct sub_in si;
    if (!r->have_css || !codec_open(block, &in) || in.version != STATE_VERSION ||
        !read_subchannel(&in, &si))
        return bad(cause, "broken subchannel");
    u32 ssid = si.number >> 16, n = si.number & 0xffff;
    if (ssid >= CSS_SETS || n >= r->set[ssid].count || r->set[ssid].to[n])
        return bad(cause, "subchannel number");
    struct subchannel *sub = find_device(r, &si, cause);
    if (!sub)
        return cause->status;
    int rc = restore_device(sub, &si, cause);
    if (rc != ST_OK)
        return rc;
    sub->restored = true;
    sub->s = si.s;
    sub->s.queue_order = 0;
    r->set[ssid].order[n] = si.s.queue_order;
    r->set[ssid].to[n] = sub;
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
    u32 here = 0, at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(r->css, &at)) != NULL;)
        here += sub_has_device(sub);
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
static bool fill_table(const struct restore_set *rs, const struct sub_set *set,
                       struct subchannel **table, u32 count)
{
    u32 spare = 0;
    if (rs->count > 0)
        memcpy(table, rs->to, rs->count * sizeof(*table));
    for (u32 i = 0; i < set->count; i++) {
        if (sub_has_device(set->sub[i]))
            continue;
        while (table[spare])
            spare++;
        table[spare] = set->sub[i];
    }
    for (; spare < count; spare++)
        if (!table[spare] && !(table[spare] = calloc(1, sizeof **table)))
            return false;
    return true;
}

/** Place the subchannels of one set as in the source; pending ones go to `list`. */
static bool commit_set(struct restore *r, unsigned ssid, struct queued *list, u32 *n)
{
    const struct restore_set *rs = &r->set[ssid];
    struct sub_set *set = &r->css->set[ssid];
    u32 count = rs->count > set->count ? rs->count : set->count;
    struct subchannel **table = calloc(count + 1, sizeof(*table));
    if (!table || !fill_table(rs, set, table, count)) {
        free(table); /* structures not yet in the css are few and lost: no memory anyway */
        return false;
    }
    for (u32 i = 0; i < count; i++) {
        table[i]->css = r->css;
        table[i]->number = (u16)i;
        table[i]->ssid = (u8)ssid;
        if (!table[i]->ops)
            continue;
        set->by_devno[table[i]->s.devno] = sub_schid(table[i]);
        if (i < rs->count && rs->order[i])
            list[(*n)++] = (struct queued){rs->order[i], table[i]};
    }
    free(set->sub);
    set->sub = table;
    set->count = count;
    set->room = count + 1;
    set->lowest_free = 0;
    return true;
}

/** All sets, then the pending interruptions in their order. */
static bool commit(struct restore *r)
{
    struct css *css = r->css;
    u32 n = 0;
    struct queued *list = calloc(r->devices + 1, sizeof *list);
    bool ok = list != NULL;
    for (unsigned ssid = 0; ok && ssid < CSS_SETS; ssid++)
        ok = commit_set(r, ssid, list, &n);
    if (!ok) {
        free(list);
        return false;
    }
    css->s = r->s;
    memcpy(css->crw, r->crw, sizeof css->crw);
    css->crw_count = r->crw_count;
    memcpy(css->event, r->event, sizeof css->event);
    css->event_count = r->event_count;
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
    u32 at = 0;
    lock_take(&css->lock);
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;) {
        css_dequeue_locked(sub);
        sub->restored = false;
    }
    int rc = in->version == STATE_VERSION ? restore_rows(&r, in, cause) : bad(cause, "version");
    if (rc == ST_OK && !commit(&r))
        rc = cause_set(cause, ST_NOMEM, "channel subsystem state: no memory");
    if (rc == ST_OK && css->crw_count && css->ports->mchk_crw)
        css->ports->mchk_crw(css->ctx, true);
    lock_drop(&css->lock);
    for (unsigned i = 0; i < CSS_SETS; i++) {
        free(r.set[i].to);
        free(r.set[i].order);
    }
    return rc;
}
