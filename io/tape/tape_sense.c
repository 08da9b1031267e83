/* What a tape drive tells of itself and its volume: sense data, characteristics, medium sense. A
 * 3480 and 3490 name an error recovery procedure, a 3590 the reason and a message; one row of
 * tape_sense.def has both. Sources: what Linux's tape_34xx and tape_3590 read of it. */
#include "io/tape/tape_internal.h"
#include "mem/base/log.h"

/* Sense byte 1. */
#define SENSE1_ONLINE 0x40
#define SENSE1_LOAD_POINT 0x08
#define SENSE1_WRITE_PROTECTED 0x02
/* Sense byte 7: the layout of what lies behind. */
#define FORMAT_34XX 0x20
#define FORMAT_3590_IDLE 0x40
#define FORMAT_3590_REJECT 0x41
#define FORMAT_3590_EXECUTION 0x50
#define RECOVERY_READ_OPPOSITE 0x26

#define MEDIUM_NONE 0x40
#define MEDIUM_LOADED 0x80

static const struct {
    u8 byte0, erpa;
    u16 reason;
    u8 message;
} checks[] = {
#define C(name, byte0, erpa, reason, message, help)                                            \
    [TAPE_CHECK_##name] = {byte0, erpa, reason, message},
#include "io/tape/tape_sense.def"
};

static void sense_common(const struct tape *tape, u8 sense[SENSE_BYTES_MAX])
{
    memset(sense, 0, SENSE_BYTES_MAX);
    sense[7] = tape->type == TAPE_3590 ? FORMAT_3590_IDLE : FORMAT_34XX;
    if (!tape->file)
        return;
    sense[1] = SENSE1_ONLINE;
    if (!tape_file_block(tape->file))
        sense[1] |= SENSE1_LOAD_POINT;
    if (tape_file_read_only(tape->file))
        sense[1] |= SENSE1_WRITE_PROTECTED;
}

void tape_sense_idle(const struct tape *tape, u8 sense[SENSE_BYTES_MAX])
{
    sense_common(tape, sense);
    sense[0] = tape->file ? 0 : SENSE_INTERVENTION;
}

int tape_unit_check(const struct tape *tape, struct dev_io *io, enum tape_check why)
{
    u8 sense[SENSE_BYTES_MAX];
    sense_common(tape, sense);
    sense[0] = checks[why].byte0;
    if (tape->type == TAPE_3590) {
        sense[3] = why == TAPE_CHECK_DATA ? RECOVERY_READ_OPPOSITE : 0;
        be16_store(sense + 4, checks[why].reason);
        sense[6] = checks[why].message;
        sense[7] = sense[0] & SENSE_COMMAND_REJECT ? FORMAT_3590_REJECT : FORMAT_3590_EXECUTION;
    } else {
        sense[3] = checks[why].erpa;
    }
    dev_io_sense(io, sense, sizeof sense);
    return DS_NORMAL | DS_UNIT_CHECK;
}

int tape_host_check(const struct tape *tape, struct dev_io *io, const struct cause *cause)
{
    if (cause->status == ST_LIMIT)
        return tape_unit_check(tape, io, TAPE_CHECK_END_TAPE);
    log_operator('E', "tape %04X: %s", tape->devno, cause->text);
    return tape_unit_check(tape, io,
                           cause->status == ST_PROTO ? TAPE_CHECK_DATA : TAPE_CHECK_WRITE);
}

void tape_characteristics(const struct tape *tape, u8 out[TAPE_CHARACTERISTICS_BYTES])
{
    static const u8 record_types[][2] = {
        /* of the error recording data sets */
        [TAPE_3480] = {0x41, 0x80},
        [TAPE_3490] = {0x42, 0x81},
        [TAPE_3590] = {0x46, 0x83},
    };
    const u8 *id = tape_type_sense_id(tape->type);
    memset(out, 0, TAPE_CHARACTERISTICS_BYTES);
    memcpy(out, id + 1, 6); /* types and models of control unit and drive */
    out[40] = record_types[tape->type][0];
    out[41] = record_types[tape->type][1];
}

void tape_medium(const struct tape *tape, u8 out[TAPE_MEDIUM_BYTES])
{
    memset(out, 0, TAPE_MEDIUM_BYTES);
    out[0] = tape->file ? MEDIUM_LOADED : MEDIUM_NONE;
}
