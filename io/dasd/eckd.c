/* The ECKD device: a 3390 on a 3990-6 storage control. Dispatch of commands, unit checks, state.
 * Guarantee: when a channel program's status is presented, what it wrote is in the image's file. */
#include <stdlib.h>

#include "io/dasd/eckd_internal.h"
#include "mem/base/log.h"

#define SENSE_24 0x80 /* byte 27: the 24 bytes of the 3990 follow their old layout */

int eckd_check(struct eckd *d, struct dev_io *io, u8 sense0, u8 sense1)
{
    u8 cchh[4];
    track_cchh(d->s.track, d->v->heads, cchh);
    memset(d->sense, 0, sizeof d->sense);
    d->sense[0] = sense0;
    d->sense[1] = sense1;
    d->sense[4] = (u8)d->devno;
    d->sense[5] = cchh[1];
    d->sense[6] = (u8)(cchh[0] << 4 | (cchh[3] & 0x0f));
    d->sense[27] = SENSE_24;
    dev_io_sense(io, d->sense, sizeof d->sense);
    return DS_NORMAL | DS_UNIT_CHECK;
}

int eckd_reject(struct eckd *d, struct dev_io *io, enum eckd_message message)
{
    int us = eckd_check(d, io, SENSE_COMMAND_REJECT, 0);
    d->sense[7] = (u8)message;
    dev_io_sense(io, d->sense, sizeof d->sense);
    return us;
}

/* ---- commands ---- */

/** Commands that only move the heads or tell where they are. */
static int control(struct eckd *d, struct dev_io *io)
{
    u8 sector = 0;
    switch (dev_io_command(io)) {
    case ECKD_SEEK:
    case ECKD_SEEK_CYLINDER:
    case ECKD_SEEK_HEAD:
    case ECKD_RECALIBRATE: return eckd_seek(d, io);
    case ECKD_SET_FILE_MASK: return eckd_set_file_mask(d, io);
    case ECKD_SET_SECTOR: dev_io_get(io, &sector, 1); return DS_NORMAL;
    case ECKD_READ_SECTOR: dev_io_put(io, &sector, 1); return DS_NORMAL;
    case ECKD_RESTORE: return DS_NORMAL;
    case ECKD_DEFINE_EXTENT: return eckd_define_extent(d, io);
    case ECKD_LOCATE:
    case ECKD_LOCATE_EXTENDED: return eckd_locate(d, io);
    case ECKD_PREFIX: return eckd_prefix(d, io);
    default: return eckd_reject(d, io, MESSAGE_COMMAND);
    }
}

static int perform(struct eckd *d, struct dev_io *io)
{
    u8 command = dev_io_command(io);
    if (eckd_identifies(command))
        return eckd_identify(d, io);
    if (command == ECKD_READ_TRACK || command == ECKD_READ_TRACK_DATA)
        return eckd_read(d, io);
    if (command == ECKD_WRITE_FULL_TRACK || command == ECKD_WRITE_TRACK_DATA)
        return eckd_write(d, io);
    switch (command & (u8)~ECKD_MULTI_TRACK) {
    case ECKD_READ_IPL:
    case ECKD_READ:
    case ECKD_READ_KD:
    case ECKD_READ_COUNT:
    case ECKD_READ_R0:
    case ECKD_READ_HA:
    case ECKD_READ_CKD:
    case ECKD_READ_MULTIPLE: return eckd_read(d, io);
    case ECKD_WRITE:
    case ECKD_WRITE_KD:
    case ECKD_ERASE:
    case ECKD_WRITE_R0:
    case ECKD_WRITE_CKD: return eckd_write(d, io);
    case ECKD_SEARCH_KEY_EQUAL:
    case ECKD_SEARCH_ID_EQUAL:
    case ECKD_SEARCH_HA_EQUAL:
    case ECKD_SEARCH_KEY_HIGH:
    case ECKD_SEARCH_ID_HIGH:
    case ECKD_SEARCH_KEY_EQUAL_HIGH:
    case ECKD_SEARCH_ID_EQUAL_HIGH: return eckd_search(d, io);
    default: return control(d, io);
    }
}

/* ---- channel programs, resets ---- */

/** What others have written since the cache was filled is read again. */
static void look_again(struct eckd *d)
{
    if (!d->v->img)
        return;
    u64 changes = image_changes(d->v->img);
    if (changes != d->changes) {
        eckd_forget(d);
        eckd_forget_plain(d->v);
    }
    d->changes = changes;
}

/** An alias knows what it is, and waits for the prefix that names a base. */
static int without_volume(struct eckd *d, struct dev_io *io)
{
    u8 command = dev_io_command(io);
    if (eckd_identifies(command) || command == ECKD_PREFIX || command == ECKD_RESTORE)
        return perform(d, io);
    return eckd_reject(d, io, MESSAGE_SEQUENCE);
}

/** A command that says what the program will do, before it touches a track. */
static bool prepares(u8 command)
{
    return eckd_identifies(command) || command == ECKD_PREFIX ||
           command == ECKD_DEFINE_EXTENT || command == ECKD_SET_FILE_MASK ||
           command == ECKD_RESTORE;
}

/** Where others write what this device writes, each command is done with the image's own
 * tracks, and what it wrote is there before another device has its turn. */
static int eckd_start(void *dev, struct dev_io *io)
{
    struct eckd *d = dev;
    struct cause cause;
    int lost;
    if (!d->v->img)
        return without_volume(d, io);
    if (eckd_reserve_lost(d, io, &lost))
        return lost;
    if (eckd_identifies(dev_io_command(io)))
        return perform(d, io); /* no track, and others may be told: no turn is held */
    if (!reserve_admitted(&d->reserve, d->v->img))
        return reserve_busy(io);
    if (!prepares(dev_io_command(io)) && !eckd_claim(d))
        return DEV_WAIT;
    if (d->attempt || !image_turn_begin(d->v->img))
        return perform(d, io);
    int rc = eckd_flush(d, &cause); /* of the time before there were others */
    look_again(d);
    int us = perform(d, io);
    if ((eckd_flush(d, &cause) || rc) && us != DEV_WAIT)
        us = eckd_check(d, io, SENSE_EQUIPMENT_CHECK, SENSE1_PERMANENT);
    image_turn_end(d->v->img);
    return us;
}

/** The command comes again; its claim stays. */
static int elsewhere(struct eckd *d, const struct eckd_state *before)
{
    u8 claimed = d->s.claimed;
    d->s = *before;
    d->s.claimed = claimed;
    return DEV_ELSEWHERE;
}

/** Reads, and what says what is to be read. */
static int eckd_attempt(void *dev, struct dev_io *io)
{
    struct eckd *d = dev;
    const struct eckd_state before = d->s;
    u8 command = dev_io_command(io);
    if (!d->v->img || !image_may_try(d->v->img) || eckd_identifies(command))
        return DEV_ELSEWHERE;
    d->attempt = true;
    int us = eckd_start(d, io);
    d->attempt = false;
    return us == DEV_ELSEWHERE ? elsewhere(d, &before) : us;
}

/** The end of an alias's program may be the last use of a volume that was detached meanwhile. */
static bool eckd_attempts(const void *dev)
{
    const struct eckd *d = dev;
    return d->type == ECKD_UNIT_BASE;
}

void eckd_program_forget(struct eckd_state *s)
{
    s->extent = s->mask_set = s->file_mask = 0;
    s->extent_first = s->extent_last = 0;
    s->block_bytes = 0;
    s->locate_count = s->locate_first = s->locate_operation = 0;
    s->locate_auxiliary = s->locate_extended = 0;
    s->locate_length = 0;
    s->orient = ORIENT_INDEX;
    s->record = 0;
    s->index_seen = s->searched = s->prepared = 0;
}

static void eckd_begin(void *dev)
{
    struct eckd *d = dev;
    struct eckd_state *s = &d->s;
    if (!d->claiming) { /* else it waited, and begins again */
        reserve_admitted_end(&d->reserve);
        eckd_unbind(d);
        if (d->type == ECKD_UNIT_ALIAS)
            (void)eckd_bind(d, eckd_lcu_base(d)); /* without it there is no volume */
    }
    look_again(d);
    d->lost = false;
    eckd_program_forget(s);
}

static int eckd_end(void *dev, struct dev_io *io, int us)
{
    struct eckd *d = dev;
    struct cause cause;
    if (eckd_flush(d, &cause) || d->lost)
        us = eckd_check(d, io, SENSE_EQUIPMENT_CHECK, SENSE1_PERMANENT);
    eckd_unclaim(d);
    reserve_admitted_end(&d->reserve);
    eckd_unbind(d);
    return us;
}

static void eckd_cancel(void *dev)
{
    struct eckd *d = dev;
    struct cause cause;
    (void)eckd_flush(d, &cause); /* the operator was told */
    eckd_unclaim(d);
    reserve_cancel(&d->reserve, d->v->img);
}

static void eckd_reset(void *dev)
{
    struct eckd *d = dev;
    eckd_cancel(d);
    eckd_reserve_reset(d);
    eckd_unbind(d);
    d->s = (struct eckd_state){0};
}

static void eckd_detach(void *dev)
{
    struct eckd *d = dev;
    eckd_reserve_watch(d, false);
    if (d->v)
        eckd_cancel(d);
    if (d->lcu)
        eckd_lcu_leave(d);
    eckd_volume_unref(d->v);
    eckd_cache_free(d);
    free(d);
}

/* ---- state ---- */

/** The destination reads the file. */
static int eckd_settle(void *dev, struct cause *cause)
{
    struct eckd *d = dev;
    struct cause why = {0};
    int rc = d->v->img ? eckd_flush(d, &why) : ST_OK;
    d->lost |= rc != ST_OK;
    return rc ? cause_set(cause, rc, "disk %04X of %s: %s", d->devno, css_owner(d->css),
                          why.text)
              : ST_OK;
}

static void eckd_save(void *dev, struct codec_out *out)
{
    struct eckd *d = dev;
    eckd_reserve_save(d);
    d->s.admitted = d->reserve.admitted;
    io_rows_put(out, &eckd_rows, &d->s);
}

static bool eckd_state_valid(const struct eckd *d, const struct eckd_state *s)
{
    return s->track < d->v->tracks && s->orient <= ORIENT_LAST && s->extent <= 1 &&
           s->bound <= 1 && s->claimed <= 1 && s->admitted <= 1 && s->mask_set <= 1 &&
           s->searched <= 1 && s->locate_first <= 1 && s->reserved <= 1 && s->lost <= 1 &&
           s->record < TRACK_RECORDS_MAX && s->extent_first <= s->extent_last &&
           s->extent_last < d->v->tracks && (!s->locate_count || s->extent);
}

/** [E2] The record must exist on its track, which is read here. */
static bool position_valid(struct eckd *d)
{
    u8 *bytes = malloc(IMAGE_TRACK_BYTES_MAX);
    struct track_layout layout;
    u32 len;
    bool ok = d->s.orient <= ORIENT_HA ||
              (bytes && image_read_track(d->v->img, d->s.track, bytes, &len, NULL) == ST_OK &&
               track_scan(bytes, len, d->s.track, d->v->heads, &layout, NULL) == ST_OK &&
               d->s.record < layout.count);
    free(bytes);
    return ok;
}

static int eckd_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct eckd *d = dev;
    struct eckd_state s = {0};
    struct codec_row row;
    u64 seen = 0;
    bool ok = true;
    while (ok && codec_next(in, &row))
        ok = io_rows_get(&row, &eckd_rows, &s, &seen);
    eckd_claim_restore(d, false);
    reserve_admitted_end(&d->reserve);
    eckd_unbind(d);
    ok = ok && !in->failed && io_rows_complete(&eckd_rows, seen) &&
         (!s.bound || (d->type != ECKD_UNIT_BASE && eckd_bind(d, s.base))) &&
         eckd_state_valid(d, &s);
    d->s = ok ? s : (struct eckd_state){0};
    d->lost = false;
    eckd_forget(d);
    eckd_forget_plain(d->v);
    eckd_claim_restore(d, d->s.claimed);
    if (d->s.admitted)
        (void)reserve_admitted(&d->reserve, d->v->img); /* else it waits, as if it began */
    eckd_reserve_restore(d);
    /* Offline: [E2] when it is read. */
    if (ok && (!d->v->img || image_offline(d->v->img) || position_valid(d)))
        return ST_OK;
    eckd_claim_restore(d, false);
    reserve_admitted_end(&d->reserve);
    eckd_unbind(d);
    d->s = (struct eckd_state){0};
    return cause_set(cause, ST_PROTO, "disk %04X: broken state", d->devno);
}

static const struct dev_ops eckd_ops = {
    .name = "3390",
    .chpid = CHPID_DASD,
    .status_first = true,
    /* control unit 3990-6, device 3390; read configuration data, set interface id, read id */
    .sense_id = {0xff, 0x39, 0x90, 0xe9, 0x33, 0x90, 0x0a, 0x00, 0x40, 0xfa,
                 0x01, 0x00, 0x41, 0x27, 0x00, 0x04, 0x42, 0x3e, 0x00, 0x40},
    .sense_id_bytes = 20,
    .start = eckd_start,
    .attempt = eckd_attempt,
    .attempts = eckd_attempts,
    .cancel = eckd_cancel,
    .begin = eckd_begin,
    .end = eckd_end,
    .reset = eckd_reset,
    .settle = eckd_settle,
    .save = eckd_save,
    .restore = eckd_restore,
    .detach = eckd_detach,
};

/** `v` is taken over; an alias has none. */
static int unit_create(struct css *css, u16 devno, enum eckd_unit_type type, u8 base,
                       struct eckd_volume *v, bool announce, struct cause *cause)
{
    struct eckd *d = calloc(1, sizeof *d);
    if (!d) {
        eckd_volume_unref(v);
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
    }
    d->css = css;
    d->devno = devno;
    d->type = type;
    d->v = v;
    int rc = css_find_devno(css, devno)
                 ? cause_set(cause, ST_EXIST, "device %04X exists", devno)
                 : eckd_lcu_join(d, &eckd_ops, base, cause);
    d->joined = rc == ST_OK;
    if (rc == ST_OK)
        rc = css_attach(css, devno, &eckd_ops, d, announce, NULL, cause);
    if (rc)
        eckd_detach(d);
    else
        eckd_reserve_watch(d, true);
    return rc;
}

int eckd_create(struct css *css, u16 devno, struct image *img, bool announce,
                struct cause *cause)
{
    struct eckd_volume *v = eckd_volume_create(img);
    if (!v)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
    return unit_create(css, devno, ECKD_UNIT_BASE, (u8)devno, v, announce, cause);
}

int eckd_alias_create(struct css *css, u16 devno, u16 base, bool announce, struct cause *cause)
{
    if (base && base >> 8 != devno >> 8)
        return cause_set(cause, ST_CONFIG, "device %04X: %04X is on another control unit",
                         devno, base);
    return unit_create(css, devno, base ? ECKD_UNIT_ALIAS : ECKD_UNIT_HYPER, (u8)base, NULL,
                       announce, cause);
}

bool eckd_read_only(const struct dev_ops *ops, void *dev)
{
    struct eckd *d = dev;
    return ops == &eckd_ops && d->v->img && image_read_only(d->v->img);
}

int dasd_create(struct css *css, u16 devno, struct image *img, bool announce,
                struct cause *cause)
{
    return image_geometry(img)->tracks ? eckd_create(css, devno, img, announce, cause)
                                       : fba_create(css, devno, img, announce, cause);
}

bool dasd_read_only(const struct dev_ops *ops, void *dev)
{
    return eckd_read_only(ops, dev) || fba_read_only(ops, dev);
}

const struct image_geometry *eckd_geometry(const struct dev_ops *ops, void *dev)
{
    const struct eckd *d = dev;
    return ops == &eckd_ops && d->v->img ? image_geometry(d->v->img) : NULL;
}

const struct image_geometry *dasd_geometry(const struct dev_ops *ops, void *dev)
{
    const struct image_geometry *g = eckd_geometry(ops, dev);
    return g ? g : fba_geometry(ops, dev);
}
