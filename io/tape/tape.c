/* 3480 and 3490 tape drives: commands, unit status, sense. A command is done when `start` returns:
 * nothing is buffered but by the host's page cache, which SYNCHRONIZE and a tape mark write out.
 * Sources: what Linux's tape_std.c and tape_34xx.c issue and expect; error codes (ERPA) as they
 * name them. */
#include "io/tape/tape.h"

#include <stdlib.h>

#include "io/css_internal.h"
#include "io/io_state.h"
#include "mem/base/log.h"

#define TAPE_CHPID 0x14

/* Sense byte 1. */
#define SENSE1_LOCATE_FAILURE 0x80
#define SENSE1_ONLINE 0x40
#define SENSE1_LOAD_POINT 0x08
#define SENSE1_WRITE_PROTECTED 0x02
/* Sense byte 3: error recovery procedure and action. */
#define ERPA_DATA 0x23
#define ERPA_PROTECTED 0x30
#define ERPA_VOID 0x31
#define ERPA_COMMAND_REJECT 0x27
#define ERPA_EQUIPMENT 0x2c
#define ERPA_BACKWARD_AT_LOAD_POINT 0x39
#define ERPA_LOCATE 0x44
#define ERPA_NOT_READY 0x43

#define BLOCK_NUMBER 0x003fffffu
#define PATH_GROUP_BYTES 12u
#define PATH_GROUPED 0xc0

/** Located by css (devno); tape_create, detach; `lock` guards file and state. */
struct tape {
    struct css *css;
    u16 devno;
    struct lock lock;
    struct tape_state s;
    struct tape_file *file; /* NULL: no volume */
    u8 buf[TAPE_BLOCK_BYTES_MAX];
};

/* ---- sense ---- */

static void sense_fill(struct tape *tape, u8 sense[SENSE_BYTES_MAX], u8 byte0, u8 erpa)
{
    memset(sense, 0, SENSE_BYTES_MAX);
    sense[0] = byte0;
    sense[3] = erpa;
    sense[7] = 0x20; /* format */
    if (!tape->file)
        return;
    sense[1] = SENSE1_ONLINE;
    if (!tape_file_block(tape->file))
        sense[1] |= SENSE1_LOAD_POINT;
    if (tape_file_read_only(tape->file))
        sense[1] |= SENSE1_WRITE_PROTECTED;
}

static int unit_check(struct tape *tape, struct dev_io *io, u8 byte0, u8 erpa)
{
    u8 sense[SENSE_BYTES_MAX];
    sense_fill(tape, sense, byte0, erpa);
    dev_io_sense(io, sense, sizeof sense);
    return DS_NORMAL | DS_UNIT_CHECK;
}

/* The host's file is damaged or cannot be written: the operator is told, the guest gets a check. */
static int host_check(struct tape *tape, struct dev_io *io, const struct cause *cause)
{
    log_line("tape %04X: %s", tape->devno, cause->text);
    if (cause->status == ST_PROTO)
        return unit_check(tape, io, SENSE_DATA_CHECK, ERPA_DATA);
    return unit_check(tape, io, SENSE_EQUIPMENT_CHECK, ERPA_EQUIPMENT);
}

static void tape_idle_sense(void *dev, u8 sense[SENSE_BYTES_MAX])
{
    struct tape *tape = dev;
    lock_take(&tape->lock);
    sense_fill(tape, sense, tape->file ? 0 : SENSE_INTERVENTION, 0);
    lock_drop(&tape->lock);
}

/* ---- commands that move the tape ---- */

typedef int tape_command(struct tape *tape, struct dev_io *io);

static int forward_status(struct tape *tape, struct dev_io *io, enum tape_item item,
                          const struct cause *cause)
{
    switch (item) {
    case TAPE_BLOCK: return DS_NORMAL;
    case TAPE_MARK: return DS_NORMAL | DS_UNIT_EXCEPTION;
    case TAPE_EDGE: return unit_check(tape, io, SENSE_DATA_CHECK, ERPA_VOID);
    default: return host_check(tape, io, cause);
    }
}

static int backward_status(struct tape *tape, struct dev_io *io, enum tape_item item,
                           const struct cause *cause)
{
    if (item == TAPE_EDGE)
        return unit_check(tape, io, 0, ERPA_BACKWARD_AT_LOAD_POINT);
    return forward_status(tape, io, item, cause);
}

static int do_read(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    u32 len = 0;
    enum tape_item item = tape_file_read(tape->file, tape->buf, &len, &cause);
    if (item == TAPE_BLOCK)
        dev_io_put(io, tape->buf, len);
    return forward_status(tape, io, item, &cause);
}

static int do_forward_block(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    return forward_status(tape, io, tape_file_forward(tape->file, &cause), &cause);
}

static int do_back_block(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    return backward_status(tape, io, tape_file_back(tape->file, &cause), &cause);
}

/* Over blocks until a mark was passed, which is no exception here. */
static int do_forward_file(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    enum tape_item item;
    do
        item = tape_file_forward(tape->file, &cause);
    while (item == TAPE_BLOCK);
    return item == TAPE_MARK ? DS_NORMAL : forward_status(tape, io, item, &cause);
}

static int do_back_file(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    enum tape_item item;
    do
        item = tape_file_back(tape->file, &cause);
    while (item == TAPE_BLOCK);
    return item == TAPE_MARK ? DS_NORMAL : backward_status(tape, io, item, &cause);
}

static int do_rewind(struct tape *tape, struct dev_io *io)
{
    (void)io;
    tape_file_rewind(tape->file);
    return DS_NORMAL;
}

static int do_unload(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    int us =
        tape_file_sync(tape->file, &cause) == ST_OK ? DS_NORMAL : host_check(tape, io, &cause);
    tape_file_close(tape->file);
    tape->file = NULL;
    return us;
}

static int do_locate(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    u8 id[4];
    if (dev_io_get(io, id, sizeof id) < sizeof id)
        return unit_check(tape, io, SENSE_COMMAND_REJECT, ERPA_COMMAND_REJECT);
    enum tape_item item = tape_file_locate(tape->file, be32_load(id) & BLOCK_NUMBER, &cause);
    if (item == TAPE_EDGE)
        return unit_check(tape, io, SENSE_DATA_CHECK, ERPA_LOCATE);
    return item == TAPE_DAMAGE ? host_check(tape, io, &cause) : DS_NORMAL;
}

/* ---- commands that write ---- */

static int write_status(struct tape *tape, struct dev_io *io, int rc, const struct cause *cause)
{
    return rc == ST_OK ? DS_NORMAL : host_check(tape, io, cause);
}

static int do_write(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    size_t len = 0, got;
    while (len < sizeof tape->buf &&
           (got = dev_io_get(io, tape->buf + len, sizeof tape->buf - len)) > 0)
        len += got;
    if (!len || len > 65535)
        return unit_check(tape, io, SENSE_COMMAND_REJECT, ERPA_COMMAND_REJECT);
    return write_status(tape, io, tape_file_write(tape->file, tape->buf, (u32)len, &cause),
                        &cause);
}

static int do_write_mark(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    int rc = tape_file_mark(tape->file, &cause);
    return write_status(tape, io, rc == ST_OK ? tape_file_sync(tape->file, &cause) : rc,
                        &cause);
}

static int do_erase(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    return write_status(tape, io, tape_file_erase(tape->file, &cause), &cause);
}

static int do_erase_gap(struct tape *tape, struct dev_io *io)
{
    (void)tape;
    (void)io;
    return DS_NORMAL; /* the file has no gaps */
}

static int do_synchronize(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    return write_status(tape, io, tape_file_sync(tape->file, &cause), &cause);
}

/* ---- commands that ask or set ---- */

static int do_read_block_id(struct tape *tape, struct dev_io *io)
{
    u8 id[8];
    be32_store(id, tape_file_block(tape->file) & BLOCK_NUMBER); /* where the channel stands */
    be32_store(id + 4, tape_file_block(tape->file) & BLOCK_NUMBER); /* and the medium */
    dev_io_put(io, id, sizeof id);
    return DS_NORMAL;
}

static int do_mode_set(struct tape *tape, struct dev_io *io)
{
    dev_io_get(io, &tape->s.mode, 1);
    return DS_NORMAL;
}

/* Data that changes nothing here: assignment (one system), the display, access control. */
static int do_accept(struct tape *tape, struct dev_io *io)
{
    dev_io_get(io, tape->buf, 256);
    return DS_NORMAL;
}

static int do_set_path_group(struct tape *tape, struct dev_io *io)
{
    if (dev_io_get(io, tape->s.path_group, PATH_GROUP_BYTES) < PATH_GROUP_BYTES)
        return unit_check(tape, io, SENSE_COMMAND_REJECT, ERPA_COMMAND_REJECT);
    tape->s.path_group[0] = PATH_GROUPED;
    return DS_NORMAL;
}

static int do_sense_path_group(struct tape *tape, struct dev_io *io)
{
    dev_io_put(io, tape->s.path_group, PATH_GROUP_BYTES);
    return DS_NORMAL;
}

static int do_read_log(struct tape *tape, struct dev_io *io)
{
    u8 log[32];
    sense_fill(tape, log, 0, 0);
    dev_io_put(io, log, sizeof log);
    return DS_NORMAL;
}

#define NEEDS_VOLUME 1u
#define NEEDS_WRITE 3u

static const struct {
    u8 code;
    u8 needs;
    tape_command *fn;
} commands[] = {
    {0x01, NEEDS_WRITE, do_write},
    {0x02, NEEDS_VOLUME, do_read},
    {0x07, NEEDS_VOLUME, do_rewind},
    {0x0f, NEEDS_VOLUME, do_unload},
    {0x17, NEEDS_WRITE, do_erase_gap},
    {0x1f, NEEDS_WRITE, do_write_mark},
    {0x22, NEEDS_VOLUME, do_read_block_id},
    {0x24, 0, do_read_log},
    {0x27, NEEDS_VOLUME, do_back_block},
    {0x2f, NEEDS_VOLUME, do_back_file},
    {0x34, 0, do_sense_path_group},
    {0x37, NEEDS_VOLUME, do_forward_block},
    {0x3f, NEEDS_VOLUME, do_forward_file},
    {0x43, NEEDS_VOLUME, do_synchronize},
    {0x4f, NEEDS_VOLUME, do_locate},
    {0x5b, 0, do_accept}, /* suspend multipath reconnection */
    {0x97, NEEDS_WRITE, do_erase},
    {0x9f, 0, do_accept}, /* load display */
    {0xaf, 0, do_set_path_group},
    {0xb7, 0, do_accept}, /* assign */
    {0xc7, 0, do_accept}, /* unassign */
    {0xdb, 0, do_mode_set},
    {0xe3, 0, do_accept}, /* control access */
};

static int perform(struct tape *tape, struct dev_io *io, unsigned i)
{
    u8 needs = commands[i].needs;
    if (needs && !tape->file)
        return unit_check(tape, io, SENSE_INTERVENTION, ERPA_NOT_READY);
    if (needs == NEEDS_WRITE && tape_file_read_only(tape->file))
        return unit_check(tape, io, SENSE_COMMAND_REJECT, ERPA_PROTECTED);
    return commands[i].fn(tape, io);
}

static int tape_start(void *dev, struct dev_io *io)
{
    struct tape *tape = dev;
    int us = -1;
    lock_take(&tape->lock);
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].code == dev_io_command(io))
            us = perform(tape, io, i);
    if (us < 0)
        us = unit_check(tape, io, SENSE_COMMAND_REJECT, ERPA_COMMAND_REJECT);
    lock_drop(&tape->lock);
    return us;
}

/* ---- life ---- */

static void tape_save(void *dev, struct codec_out *out)
{
    struct tape *tape = dev;
    lock_take(&tape->lock);
    tape->s.loaded = tape->file != NULL;
    tape->s.block = tape->file ? tape_file_block(tape->file) : 0;
    io_rows_put(out, &tape_rows, &tape->s);
    lock_drop(&tape->lock);
}

static int tape_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct tape *tape = dev;
    struct codec_row row;
    u64 seen = 0;
    struct tape_state s;
    while (codec_next(in, &row))
        if (!io_rows_get(&row, &tape_rows, &s, &seen))
            return cause_set(cause, ST_PROTO, "tape %04X: unknown row", tape->devno);
    if (in->failed || !io_rows_complete(&tape_rows, seen) || s.loaded > 1)
        return cause_set(cause, ST_PROTO, "tape %04X: broken state", tape->devno);
    if (s.loaded && !tape->file)
        return cause_set(cause, ST_NOENT, "tape %04X: the volume is not here", tape->devno);
    tape->s = s;
    if (!s.loaded && tape->file) {
        tape_file_close(tape->file);
        tape->file = NULL;
    }
    if (s.loaded && tape_file_locate(tape->file, s.block, cause) != TAPE_BLOCK)
        return cause_set(cause, ST_PROTO, "tape %04X: the volume is shorter here", tape->devno);
    return ST_OK;
}

static void tape_reset(void *dev)
{
    struct tape *tape = dev;
    lock_take(&tape->lock);
    tape->s = (struct tape_state){0}; /* the volume stays where it is */
    lock_drop(&tape->lock);
}

static void tape_detach(void *dev)
{
    struct tape *tape = dev;
    tape_file_close(tape->file);
    lock_fini(&tape->lock);
    free(tape);
}

#define TAPE_OPS(type, cu_model, dev_model)                                                    \
    {                                                                                          \
        .name = #type, .chpid = TAPE_CHPID,                                                    \
        .sense_id = {0xff,          0x##type >> 8,   0x##type & 0xff, cu_model,                \
                     0x##type >> 8, 0x##type & 0xff, dev_model},                               \
        .sense_id_bytes = 7, .start = tape_start, .idle_sense = tape_idle_sense,               \
        .reset = tape_reset, .save = tape_save, .restore = tape_restore,                       \
        .detach = tape_detach,                                                                 \
    }

static const struct dev_ops tape_ops[] = {
    [TAPE_3480] = TAPE_OPS(3480, 0x22, 0x04),
    [TAPE_3490] = TAPE_OPS(3490, 0x10, 0x40),
};

struct tape *tape_create(struct css *css, u16 devno, enum tape_type type, struct tape_file *t,
                         bool announce, struct cause *cause)
{
    struct tape *tape = calloc(1, sizeof *tape);
    if (!tape) {
        cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
        return NULL;
    }
    tape->css = css;
    tape->devno = devno;
    lock_init(&tape->lock, LOCK_DEVICE);
    if (css_attach(css, devno, &tape_ops[type], tape, announce, NULL, cause) != ST_OK) {
        lock_fini(&tape->lock);
        free(tape);
        return NULL;
    }
    tape->file = t ? tape_file_ref(t) : NULL;
    return tape;
}

int tape_load(struct tape *tape, struct tape_file *t, struct cause *cause)
{
    lock_take(&tape->lock);
    bool busy = tape->file != NULL;
    if (!busy)
        tape->file = tape_file_ref(t);
    lock_drop(&tape->lock);
    if (busy)
        return cause_set(cause, ST_BUSY, "tape %04X has a volume", tape->devno);
    css_attention(tape->css, css_find_devno(tape->css, tape->devno),
                  DS_ATTENTION | DS_DEVICE_END | DS_UNIT_EXCEPTION); /* not ready to ready */
    return ST_OK;
}

bool tape_loaded(struct tape *tape)
{
    lock_take(&tape->lock);
    bool loaded = tape->file != NULL;
    lock_drop(&tape->lock);
    return loaded;
}
