/* What the device and its storage control say of themselves, and who may use them: characteristics,
 * configuration data, subsystem data, path groups, reserve and release. Layouts: GA32-0274 and
 * Linux's dasd_eckd.h as their reader; serial numbers follow from the device number. */
#include <stdio.h>

#include "io/dasd/eckd_internal.h"
#include "io/ebcdic.h"

#define CHARACTERISTICS_BYTES 64u
#define CONFIGURATION_BYTES 256u
#define ELEMENT_BYTES 32u /* of configuration data: one descriptor or qualifier */
#define PATH_GROUP_BYTES 12u
#define LOG_BYTES 32u
#define PSF_BYTES_MIN 2u
#define PSF_BYTES_MAX 66u
#define PSF_PREPARE 0x18 /* prepare for read subsystem data */
#define PSF_SET_CHARACTERISTICS 0x1d
#define SUBORDER_AT 6
#define SUBSYSTEM_BYTES 44u
#define CYLINDERS_16BIT_MAX 65520u
#define CYLINDERS_IN_32BITS 0xfffeu

/** What read subsystem data gives next. */
enum suborder {
    SUBORDER_STATISTICS = 0x01,
    SUBORDER_MESSAGE = 0x03,
    SUBORDER_UNIT_CONFIGURATION = 0x0e,
    SUBORDER_HOST_ACCESS = 0x1c,
    SUBORDER_FEATURES = 0x41,
};
#define STATISTICS_BYTES 96u
#define FEATURES_BYTES 256u
#define MESSAGE_BYTES 9u
#define ACCESS_HOSTS_AT 16 /* a header before it: format, lengths */
#define ACCESS_ENTRIES_AT (ACCESS_HOSTS_AT + 4)
#define ACCESS_ENTRY_BYTES 32u
#define ACCESS_GROUPED 0x10 /* of an entry: the path group is established */

/** Path-group state in the first byte of sense path group id, function codes of set. */
#define GROUP_RESET 0x00
#define GROUP_UNGROUPED 0x80
#define GROUP_GROUPED 0xc0
#define GROUP_RESERVED_SELF 0x30
#define GROUP_RESERVED_ELSEWHERE 0x20
#define GROUP_MULTIPATH 0x08
#define SET_GROUP_MULTIPATH 0x80
#define SET_GROUP_RESIGN 0x40
#define SET_GROUP_DISBAND 0x20

static int characteristics(struct eckd *d, struct dev_io *io)
{
    u8 c[CHARACTERISTICS_BYTES] = {
        0x39,        0x90, 0xe9, 0x33, 0x90, 0x0a, /* 3990-6, 3390 */
        0xd0,        0x00, 0x00, 0x02,             /* read track and data in a domain */
        0x20,        0x26,                         /* class DASD, 3390 */
        [16] = 224,  0x00, 0xe5, 0xa2,             /* sectors, bytes of a track: 58786 */
        0x05,        0x94, 0x02,                   /* of its home address; formula 2 */
        34,          19,   9,    6,    116,        /* its factors */
        [40] = 0x26, 0x26, 0x0e, 0x80,             /* MDR, OBR, real control unit, track sets */
        0xdf,        0xee, 0x00, 0x01, 0x00, 0x77, 0x08, 0x0f, 0x00, 0x7f, [56] = 0x0e, 0xff};
    u32 cylinders = d->v->tracks / d->v->heads;
    bool large = cylinders > CYLINDERS_16BIT_MAX;
    c[5] = cylinders <= 1113   ? 0x02
           : cylinders <= 2226 ? 0x06
           : cylinders <= 3339 ? 0x0a
                               : 0x0c;
    be16_store(c + 12, (u16)(large ? CYLINDERS_IN_32BITS : cylinders));
    be16_store(c + 14, (u16)d->v->heads);
    be32_store(c + 60, cylinders);
    dev_io_put(io, c, sizeof c);
    return DS_NORMAL;
}

/** A descriptor: flags, type, then "TTTTTTMMMENDEC" and a serial number in EBCDIC. */
static void element(u8 *p, u32 head, const char *type, const char *serial)
{
    char text[64];
    snprintf(text, sizeof text, "%-9.9sEND01%12.12s", type, serial);
    be32_store(p, head);
    ebcdic_pad(text, 26, p + 4);
}

static int configuration(struct eckd *d, struct dev_io *io)
{
    u8 c[CONFIGURATION_BYTES] = {0};
    u8 unit = (u8)d->devno;
    u8 *q = c + CONFIGURATION_BYTES - ELEMENT_BYTES;
    char serial[16]; /* of the control unit: unit addresses tell its devices apart */
    snprintf(serial, sizeof serial, "0000000000%02X", d->devno >> 8);
    element(c, 0xdc010100u, "  339000A", serial);
    be16_store(c + 30, (u16)(d->devno >> 8 << 8 | unit));
    element(c + 32, 0xd4020000u, "  339000A", serial);
    element(c + 64, 0xd0000000u, "  3990006", serial);
    c[95] = (u8)(d->devno >> 8);
    element(c + 96, 0xf0000001u, "  3990   ", serial);
    c[128] = 0x40; /* specific qualifier: what the unit address is */
    c[131] = 0x01;
    c[136] = (u8)d->type;
    c[137] = eckd_lcu_base(d);
    q[0] = 0x80; /* general qualifier */
    q[6] = 0x1e; /* time to wait for an interruption, seconds */
    be16_store(q + 8, (u16)(d->devno & 0xff00));
    q[10] = 0x80;
    q[11] = q[12] = q[13] = unit;
    q[17] = 0x80;
    q[19] = unit;
    dev_io_put(io, c, sizeof c);
    return DS_NORMAL;
}

static int subsystem_status(struct eckd *d, struct dev_io *io)
{
    u8 c[SUBSYSTEM_BYTES] = {0x01, (u8)d->devno, 0x1f};
    be16_store(c + 38, (u16)(d->devno & 0xff00));
    dev_io_put(io, c, sizeof c);
    return DS_NORMAL;
}

/* ---- perform subsystem function, read subsystem data ---- */

static int perform_function(struct eckd *d, struct dev_io *io)
{
    u8 p[PSF_BYTES_MAX] = {0};
    size_t len = dev_io_get(io, p, sizeof p);
    d->s.prepared = 0;
    if (len < PSF_BYTES_MIN)
        return eckd_reject(d, io, MESSAGE_COUNT);
    if (p[0] == PSF_SET_CHARACTERISTICS)
        return DS_NORMAL; /* parallel access volumes may be on, and are */
    if (p[0] != PSF_PREPARE)
        return eckd_reject(d, io, MESSAGE_PARAMETER);
    switch (p[SUBORDER_AT]) {
    case SUBORDER_STATISTICS:
    case SUBORDER_MESSAGE:
    case SUBORDER_UNIT_CONFIGURATION:
    case SUBORDER_HOST_ACCESS:
    case SUBORDER_FEATURES: d->s.prepared = p[SUBORDER_AT]; return DS_NORMAL;
    default: return eckd_reject(d, io, MESSAGE_PARAMETER);
    }
}

/** The path groups that have the volume: one, once its guest has made it. */
static void host_access(const struct eckd *d, u8 *p)
{
    bool grouped = (d->s.group_state & GROUP_GROUPED) == GROUP_GROUPED;
    u8 *entry = p + ACCESS_ENTRIES_AT;
    p[ACCESS_HOSTS_AT + 1] = ACCESS_ENTRY_BYTES;
    be16_store(p + 2, (u16)(4 + (grouped ? ACCESS_ENTRY_BYTES : 0)));
    be16_store(p + ACCESS_HOSTS_AT + 2, grouped);
    if (!grouped)
        return;
    entry[0] = ACCESS_GROUPED;
    memcpy(entry + 1, d->s.group, sizeof d->s.group);
    be32_store(entry + 24, d->v->tracks / d->v->heads);
}

static int subsystem_data(struct eckd *d, struct dev_io *io)
{
    u8 p[2 * ECKD_UNITS] = {0};
    u8 prepared = d->s.prepared;
    d->s.prepared = 0;
    switch (prepared) {
    case SUBORDER_STATISTICS: dev_io_put(io, p, STATISTICS_BYTES); return DS_NORMAL;
    case SUBORDER_UNIT_CONFIGURATION:
        eckd_lcu_units(d, p);
        dev_io_put(io, p, sizeof p);
        return DS_NORMAL;
    case SUBORDER_MESSAGE: /* there is never one */
        p[1] = MESSAGE_BYTES;
        dev_io_put(io, p, MESSAGE_BYTES);
        return DS_NORMAL;
    case SUBORDER_HOST_ACCESS:
        host_access(d, p);
        dev_io_put(io, p, ACCESS_ENTRIES_AT + ACCESS_ENTRY_BYTES);
        return DS_NORMAL;
    case SUBORDER_FEATURES:
        p[8] = 0x01;  /* prefix */
        p[9] = 0x20;  /* read track data */
        p[12] = 0x40; /* write track data */
        p[14] = 0x80; /* query host access */
        dev_io_put(io, p, FEATURES_BYTES);
        return DS_NORMAL;
    default: return eckd_reject(d, io, MESSAGE_SEQUENCE);
    }
}

/* ---- path groups ---- */

static int sense_path_group(struct eckd *d, struct dev_io *io)
{
    u8 p[PATH_GROUP_BYTES] = {d->s.group_state};
    bool elsewhere;
    if (eckd_reserved(d, &elsewhere))
        p[0] |= GROUP_RESERVED_SELF;
    else if (elsewhere)
        p[0] |= GROUP_RESERVED_ELSEWHERE;
    memcpy(p + 1, d->s.group, sizeof d->s.group);
    dev_io_put(io, p, sizeof p);
    return DS_NORMAL;
}

static int set_path_group(struct eckd *d, struct dev_io *io)
{
    u8 p[PATH_GROUP_BYTES];
    if (dev_io_get(io, p, sizeof p) < sizeof p)
        return eckd_reject(d, io, MESSAGE_COUNT);
    bool known = memcmp(d->s.group, (u8[11]){0}, sizeof d->s.group) != 0;
    if (known && memcmp(d->s.group, p + 1, sizeof d->s.group) != 0)
        return eckd_reject(d, io, MESSAGE_PARAMETER); /* an id stays until a reset */
    memcpy(d->s.group, p + 1, sizeof d->s.group);
    if (p[0] & (SET_GROUP_RESIGN | SET_GROUP_DISBAND))
        d->s.group_state = GROUP_UNGROUPED;
    else
        d->s.group_state = GROUP_GROUPED | (p[0] & SET_GROUP_MULTIPATH ? GROUP_MULTIPATH : 0);
    return DS_NORMAL;
}

static int buffered_log(struct dev_io *io)
{
    u8 log[LOG_BYTES] = {0};
    dev_io_put(io, log, sizeof log);
    return DS_NORMAL;
}

bool eckd_identifies(u8 command)
{
    switch (command) {
    case ECKD_READ_CHARACTERISTICS:
    case ECKD_READ_CONFIGURATION:
    case ECKD_SENSE_SUBSYSTEM:
    case ECKD_PSF:
    case ECKD_READ_SUBSYSTEM_DATA:
    case ECKD_SENSE_PATH_GROUP:
    case ECKD_SET_PATH_GROUP:
    case ECKD_RESERVE:
    case ECKD_UNCONDITIONAL_RESERVE:
    case ECKD_RELEASE:
    case ECKD_READ_BUFFERED_LOG: return true;
    default: return false;
    }
}

int eckd_identify(struct eckd *d, struct dev_io *io)
{
    switch (dev_io_command(io)) {
    case ECKD_READ_CHARACTERISTICS: return characteristics(d, io);
    case ECKD_READ_CONFIGURATION: return configuration(d, io);
    case ECKD_SENSE_SUBSYSTEM: return subsystem_status(d, io);
    case ECKD_PSF: return perform_function(d, io);
    case ECKD_READ_SUBSYSTEM_DATA: return subsystem_data(d, io);
    case ECKD_SENSE_PATH_GROUP: return sense_path_group(d, io);
    case ECKD_SET_PATH_GROUP: return set_path_group(d, io);
    case ECKD_READ_BUFFERED_LOG: return buffered_log(io);
    default: return eckd_reserve(d, io);
    }
}
