/* Define extent, locate record and its extended form, prefix: what a channel program says it will
 * do before it does it. GA32-0274, and Linux's dasd_eckd as the one who says it. */
#include "io/dasd/eckd_internal.h"

#define EXTENT_BYTES 16u
#define EXTENT_ECKD 0xc0 /* byte 1: ECKD mode */
#define LOCATE_BYTES 16u
#define LOCATE_EXTENDED_BYTES 20u
#define LOCATE_PARAMETERS_MAX 32u
#define PREFIX_BYTES 12u
#define PREFIX_EXTENT_BYTES 32u
#define PREFIX_MAX                                                                             \
    (PREFIX_BYTES + PREFIX_EXTENT_BYTES + LOCATE_EXTENDED_BYTES + LOCATE_PARAMETERS_MAX)
#define PREFIX_VALID_EXTENT 0x80
#define PREFIX_VERIFY_BASE 0x20
#define PREFIX_VALID_HYPERPAV 0x10
#define PREFIX_BASE_AT 2
#define PREFIX_LSS_AT 4

/* Locate record: where what is. */
enum locate_at {
    AT_OPERATION = 0,
    AT_AUXILIARY = 1,
    AT_COUNT = 3,
    AT_SEEK = 4,
    AT_SEARCH = 8,
    AT_LENGTH = 14,
    AT_EXTENDED_OPERATION = 17,
    AT_PARAMETER_BYTES = 18,
    AT_PARAMETERS = 20,
};

static int set_extent(struct eckd *d, struct dev_io *io, const u8 *p)
{
    u32 first, last;
    if (d->s.extent)
        return eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (p[0] & 0x20 || !track_of_cchh(p + 8, d->v->heads, &first) ||
        !track_of_cchh(p + 12, d->v->heads, &last) || first > last || last >= d->v->tracks)
        return eckd_reject(d, io, MESSAGE_PARAMETER);
    if ((p[1] & EXTENT_ECKD) != EXTENT_ECKD && p[1] & EXTENT_ECKD)
        return eckd_reject(d, io, MESSAGE_PARAMETER);
    d->s.extent = 1;
    d->s.extent_first = first;
    d->s.extent_last = last;
    d->s.file_mask = p[0];
    d->s.block_bytes = be16_load(p + 2);
    d->s.locate_count = 0;
    return 0;
}

int eckd_define_extent(struct eckd *d, struct dev_io *io)
{
    u8 p[EXTENT_BYTES];
    if (dev_io_get(io, p, sizeof p) < sizeof p)
        return eckd_reject(d, io, MESSAGE_COUNT);
    int us = set_extent(d, io, p);
    return us ? us : DS_NORMAL;
}

/** Go to the record that the search argument names. */
static int orient_to_record(struct eckd *d, struct dev_io *io, const u8 *argument)
{
    int us = 0;
    struct cached_track *t = eckd_counts(d, io, &us);
    if (!t)
        return us;
    for (u32 i = 0; i < t->layout.count; i++) {
        if (memcmp(t->bytes + t->layout.offset[i], argument, 5) != 0)
            continue;
        d->s.record = (u16)i;
        d->s.orient = ORIENT_COUNT;
        return 0;
    }
    return eckd_check(d, io, 0, SENSE1_NO_RECORD);
}

static int orient(struct eckd *d, struct dev_io *io, const u8 *p)
{
    int us = 0;
    switch (p[AT_OPERATION] >> 6) {
    case 0: us = orient_to_record(d, io, p + AT_SEARCH); break;
    case 1: d->s.orient = ORIENT_HA; break;
    case 2:
        us = orient_to_record(d, io, p + AT_SEARCH);
        d->s.orient = us ? d->s.orient : ORIENT_DATA;
        break;
    default: d->s.orient = ORIENT_INDEX; break;
    }
    return us;
}

static bool operation_known(u8 operation, u8 extended)
{
    switch (operation & 0x3f) {
    case LOCATE_ORIENT:
    case LOCATE_WRITE_DATA:
    case LOCATE_FORMAT_WRITE:
    case LOCATE_READ_DATA:
    case LOCATE_WRITE_TRACK:
    case LOCATE_READ_TRACKS:
    case LOCATE_READ: return true;
    case LOCATE_EXTENDED:
        return extended == LOCATE_EXT_FULL_TRACK || extended == LOCATE_EXT_TRACK_DATA;
    default: return false;
    }
}

/** The parameters are complete: begin the domain. */
static int set_domain(struct eckd *d, struct dev_io *io, const u8 *p, bool extended)
{
    u8 operation = p[AT_OPERATION] & 0x3f;
    u32 track;
    if (!d->s.extent)
        return eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (!operation_known(operation, extended ? p[AT_EXTENDED_OPERATION] : 0) ||
        !track_of_cchh(p + AT_SEEK, d->v->heads, &track) ||
        (!p[AT_COUNT] && operation != LOCATE_ORIENT))
        return eckd_reject(d, io, MESSAGE_PARAMETER);
    int us = eckd_seek_to(d, io, track);
    if (us)
        return us;
    d->s.index_seen = 0;
    d->s.locate_first = 1;
    d->s.locate_operation = operation;
    d->s.locate_count = p[AT_COUNT];
    d->s.locate_auxiliary = p[AT_AUXILIARY];
    d->s.locate_length = be16_load(p + AT_LENGTH);
    d->s.locate_extended = extended ? p[AT_EXTENDED_OPERATION] : 0;
    us = orient(d, io, p);
    if (us)
        d->s.locate_count = 0;
    return us;
}

int eckd_locate(struct eckd *d, struct dev_io *io)
{
    u8 p[LOCATE_EXTENDED_BYTES + LOCATE_PARAMETERS_MAX] = {0};
    bool extended = dev_io_command(io) == ECKD_LOCATE_EXTENDED;
    size_t need = extended ? LOCATE_EXTENDED_BYTES : LOCATE_BYTES;
    if (dev_io_get(io, p, need) < need)
        return eckd_reject(d, io, MESSAGE_COUNT);
    u16 more = extended ? be16_load(p + AT_PARAMETER_BYTES) : 0;
    if (more > LOCATE_PARAMETERS_MAX)
        return eckd_reject(d, io, MESSAGE_PARAMETER);
    if (dev_io_get(io, p + need, more) < more)
        return eckd_reject(d, io, MESSAGE_COUNT);
    int us = set_domain(d, io, p, extended);
    return us ? us : DS_NORMAL;
}

int eckd_prefix(struct eckd *d, struct dev_io *io)
{
    u8 p[PREFIX_MAX] = {0};
    const u8 *locate = p + PREFIX_BYTES + PREFIX_EXTENT_BYTES;
    size_t len = dev_io_get(io, p, sizeof p);
    size_t need = PREFIX_BYTES + (p[1] & PREFIX_VALID_EXTENT ? PREFIX_EXTENT_BYTES : 0);
    if (p[0] == 1)
        need = PREFIX_BYTES + PREFIX_EXTENT_BYTES + LOCATE_EXTENDED_BYTES;
    if (dev_io_chained(io))
        return eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (len < need)
        return eckd_reject(d, io, MESSAGE_COUNT);
    bool verify = p[1] & PREFIX_VERIFY_BASE, hyper = p[1] & PREFIX_VALID_HYPERPAV;
    if (p[0] > 1 || (hyper && !verify) ||
        (verify && !eckd_prefix_base(d, p[PREFIX_LSS_AT], p[PREFIX_BASE_AT], hyper)))
        return eckd_reject(d, io, MESSAGE_PARAMETER);
    if (!d->v->img)
        return eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (!reserve_admitted(&d->reserve, d->v->img))
        return reserve_busy(io);
    int us = 0;
    if (p[1] & PREFIX_VALID_EXTENT)
        us = set_extent(d, io, p + PREFIX_BYTES);
    if (us == 0 && !eckd_claim(d))
        return DEV_WAIT; /* the first command of its program: all begins anew */
    if (us == 0 && p[0] == 1)
        us = set_domain(d, io, locate, true);
    return us ? us : DS_NORMAL;
}

static bool operation_allows(const struct eckd_state *s, enum eckd_kind kind)
{
    switch (s->locate_operation) {
    case LOCATE_WRITE_DATA: return kind == ECKD_KIND_UPDATE;
    case LOCATE_FORMAT_WRITE:
    case LOCATE_WRITE_TRACK: return kind == ECKD_KIND_FORMAT;
    case LOCATE_EXTENDED:
        return kind == (s->locate_extended == LOCATE_EXT_TRACK_DATA ? ECKD_KIND_UPDATE
                                                                    : ECKD_KIND_FORMAT);
    case LOCATE_READ_DATA:
    case LOCATE_READ_TRACKS:
    case LOCATE_READ: return kind == ECKD_KIND_READ;
    default: return false;
    }
}

int eckd_in_domain(struct eckd *d, struct dev_io *io, enum eckd_kind kind)
{
    if (!d->s.locate_count)
        return 0;
    if (!operation_allows(&d->s, kind))
        return eckd_reject(d, io, MESSAGE_SEQUENCE);
    return 0;
}
