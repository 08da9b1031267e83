/* Tape drives 3480, 3490, 3590: commands and unit status. A command is done when `start` returns:
 * nothing is buffered but by the host's page cache, which SYNCHRONIZE and a tape mark write out,
 * and every write when the program asks for immediate writing. Sources: what Linux's tape_std.c,
 * tape_34xx.c and tape_3590.c issue and expect. */
#include "io/tape/tape.h"

#include <stdlib.h>

#include "io/tape/tape_internal.h"

#define BLOCK_NUMBER_34XX 0x003fffffu /* behind the segment and format of a block id */
#define PATH_GROUP_BYTES 12u
#define PATH_GROUPED 0xc0
#define MODE_WRITE_IMMEDIATE 0x20
#define DISPLAY_BYTES 17u

/* PERFORM SUBSYSTEM FUNCTION: what READ SUBSYSTEM DATA is to give. */
#define ORDER_BYTES 12u
#define ORDER_PREPARE_READ 0x18
#define PREPARE_ATTENTION_MESSAGE 0x03
#define MESSAGE_NONE_BYTES 8u

/* ---- commands that move the tape ---- */

typedef int tape_command(struct tape *tape, struct dev_io *io);

static int forward_status(struct tape *tape, struct dev_io *io, enum tape_item item,
                          const struct cause *cause)
{
    switch (item) {
    case TAPE_BLOCK: return DS_NORMAL;
    case TAPE_MARK: return DS_NORMAL | DS_UNIT_EXCEPTION;
    case TAPE_EDGE: return tape_unit_check(tape, io, TAPE_CHECK_END_DATA);
    default: return tape_host_check(tape, io, cause);
    }
}

static int backward_status(struct tape *tape, struct dev_io *io, enum tape_item item,
                           const struct cause *cause)
{
    if (item == TAPE_EDGE)
        return tape_unit_check(tape, io, TAPE_CHECK_LOAD_POINT);
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

/* READ BACKWARD and READ PREVIOUS: of the first the channel stores from high addresses to low
 * ones. */
static int do_read_back(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    u32 len = 0;
    enum tape_item item = tape_file_read_back(tape->file, tape->buf, &len, &cause);
    if (item == TAPE_BLOCK)
        dev_io_put(io, tape->buf, len);
    return backward_status(tape, io, item, &cause);
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

static void tape_empty(struct tape *tape)
{
    tape_file_close(tape->file);
    tape->file = NULL;
    if (tape->loader)
        tape_loader_clear(tape->loader);
}

static int do_unload(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    int us = tape_file_sync(tape->file, &cause) == ST_OK ? DS_NORMAL
                                                         : tape_host_check(tape, io, &cause);
    tape_empty(tape);
    tape_mount_wanted(tape);
    return us;
}

static u32 block_number_mask(const struct tape *tape)
{
    return tape->type == TAPE_3590 ? 0xffffffffu : BLOCK_NUMBER_34XX;
}

static int do_locate(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    u8 id[4];
    if (dev_io_get(io, id, sizeof id) < sizeof id)
        return tape_unit_check(tape, io, TAPE_CHECK_REJECT);
    enum tape_item item =
        tape_file_locate(tape->file, be32_load(id) & block_number_mask(tape), &cause);
    if (item == TAPE_EDGE)
        return tape_unit_check(tape, io, TAPE_CHECK_LOCATE);
    return item == TAPE_DAMAGE ? tape_host_check(tape, io, &cause) : DS_NORMAL;
}

/* ---- commands that write ---- */

static int write_status(struct tape *tape, struct dev_io *io, int rc, const struct cause *cause)
{
    return rc == ST_OK ? DS_NORMAL : tape_host_check(tape, io, cause);
}

/* A block or mark was written, or not; with unit exception where the volume is nearly full. */
static int written_status(struct tape *tape, struct dev_io *io, int rc, struct cause *cause)
{
    if (rc == ST_OK && (tape->s.immediate || tape->s.mode & MODE_WRITE_IMMEDIATE))
        rc = tape_file_sync(tape->file, cause);
    int us = write_status(tape, io, rc, cause);
    return rc == ST_OK && tape_file_near_end(tape->file) ? us | DS_UNIT_EXCEPTION : us;
}

static int do_write(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    size_t len = 0, got;
    while (len < sizeof tape->buf &&
           (got = dev_io_get(io, tape->buf + len, sizeof tape->buf - len)) > 0)
        len += got;
    u8 more;
    if (!len || dev_io_get(io, &more, 1))
        return tape_unit_check(tape, io, TAPE_CHECK_REJECT);
    return written_status(tape, io, tape_file_write(tape->file, tape->buf, (u32)len, &cause),
                          &cause);
}

static int do_write_mark(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    int rc = tape_file_mark(tape->file, &cause);
    return written_status(tape, io, rc == ST_OK ? tape_file_sync(tape->file, &cause) : rc,
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
    u32 block = tape->file ? tape_file_block(tape->file) & block_number_mask(tape) : 0;
    be32_store(id, block);     /* where the channel stands */
    be32_store(id + 4, block); /* and the medium */
    dev_io_put(io, id, sizeof id);
    return DS_NORMAL;
}

static int do_mode_set(struct tape *tape, struct dev_io *io)
{
    dev_io_get(io, &tape->s.mode, 1);
    return DS_NORMAL;
}

/* Until the end of the channel program, writes are on the host's disk when they end. */
static int do_write_immediate(struct tape *tape, struct dev_io *io)
{
    struct cause cause = {0};
    tape->s.immediate = 1;
    return write_status(tape, io, tape_file_sync(tape->file, &cause), &cause);
}

static int do_load_display(struct tape *tape, struct dev_io *io)
{
    tape_display(tape, tape->buf, dev_io_get(io, tape->buf, DISPLAY_BYTES));
    return DS_NORMAL;
}

static int do_characteristics(struct tape *tape, struct dev_io *io)
{
    u8 out[TAPE_CHARACTERISTICS_BYTES];
    tape_characteristics(tape, out);
    dev_io_put(io, out, sizeof out);
    return DS_NORMAL;
}

static int do_medium_sense(struct tape *tape, struct dev_io *io)
{
    u8 out[TAPE_MEDIUM_BYTES];
    tape_medium(tape, out);
    dev_io_put(io, out, sizeof out);
    return DS_NORMAL;
}

static int do_subsystem_function(struct tape *tape, struct dev_io *io)
{
    u8 order[ORDER_BYTES];
    if (dev_io_get(io, order, sizeof order) < sizeof order || order[0] != ORDER_PREPARE_READ ||
        order[6] != PREPARE_ATTENTION_MESSAGE)
        return tape_unit_check(tape, io, TAPE_CHECK_REJECT);
    tape->s.prepared = 1;
    return DS_NORMAL;
}

/* There is never a message: nothing here breaks without a unit check. */
static int do_subsystem_data(struct tape *tape, struct dev_io *io)
{
    u8 message[MESSAGE_NONE_BYTES] = {0, MESSAGE_NONE_BYTES};
    if (!tape->s.prepared)
        return tape_unit_check(tape, io, TAPE_CHECK_REJECT);
    tape->s.prepared = 0;
    dev_io_put(io, message, sizeof message);
    return DS_NORMAL;
}

/* Data that changes nothing here: assignment (one system), access control. */
static int do_accept(struct tape *tape, struct dev_io *io)
{
    dev_io_get(io, tape->buf, 256);
    return DS_NORMAL;
}

static int do_set_path_group(struct tape *tape, struct dev_io *io)
{
    if (dev_io_get(io, tape->s.path_group, PATH_GROUP_BYTES) < PATH_GROUP_BYTES)
        return tape_unit_check(tape, io, TAPE_CHECK_REJECT);
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
    u8 log[SENSE_BYTES_MAX];
    tape_sense_idle(tape, log);
    log[0] = 0;
    dev_io_put(io, log, sizeof log);
    return DS_NORMAL;
}

#define NEEDS_VOLUME 1u
#define NEEDS_WRITE 3u
#define ONLY_3590 4u

static const struct {
    u8 code;
    u8 needs;
    tape_command *fn;
} commands[] = {
    {0x01, NEEDS_WRITE, do_write},
    {0x02, NEEDS_VOLUME, do_read},
    {0x06, NEEDS_VOLUME | ONLY_3590, do_read},
    {0x07, NEEDS_VOLUME, do_rewind},
    {0x0a, NEEDS_VOLUME | ONLY_3590, do_read_back}, /* read previous */
    {0x0c, NEEDS_VOLUME, do_read_back},
    {0x0f, NEEDS_VOLUME, do_unload},
    {0x17, NEEDS_WRITE, do_erase_gap},
    {0x1f, NEEDS_WRITE, do_write_mark},
    {0x22, 0, do_read_block_id},
    {0x24, 0, do_read_log},
    {0x27, NEEDS_VOLUME, do_back_block},
    {0x2f, NEEDS_VOLUME, do_back_file},
    {0x34, 0, do_sense_path_group},
    {0x37, NEEDS_VOLUME, do_forward_block},
    {0x3e, ONLY_3590, do_subsystem_data},
    {0x3f, NEEDS_VOLUME, do_forward_file},
    {0x43, NEEDS_VOLUME, do_synchronize},
    {0x4f, NEEDS_VOLUME, do_locate},
    {0x5b, 0, do_accept}, /* suspend multipath reconnection */
    {0x64, 0, do_characteristics},
    {0x77, ONLY_3590, do_subsystem_function},
    {0x97, NEEDS_WRITE, do_erase},
    {0x9f, 0, do_load_display},
    {0xaf, 0, do_set_path_group},
    {0xb7, 0, do_accept}, /* assign */
    {0xc2, ONLY_3590, do_medium_sense},
    {0xc3, NEEDS_VOLUME, do_write_immediate},
    {0xc7, 0, do_accept}, /* unassign */
    {0xdb, 0, do_mode_set},
    {0xe3, 0, do_accept}, /* control access */
};

static int perform(struct tape *tape, struct dev_io *io, unsigned i)
{
    u8 needs = commands[i].needs & NEEDS_WRITE;
    if (commands[i].needs & ONLY_3590 && tape->type != TAPE_3590)
        return tape_unit_check(tape, io, TAPE_CHECK_REJECT);
    if (needs && !tape->file)
        return tape_unit_check(tape, io, TAPE_CHECK_NOT_READY);
    if (needs == NEEDS_WRITE && tape_file_read_only(tape->file))
        return tape_unit_check(tape, io, TAPE_CHECK_PROTECTED);
    return commands[i].fn(tape, io);
}

static void tape_tell_ready(struct tape *tape)
{
    css_attention(tape->css, css_find_devno(tape->css, tape->devno),
                  DS_ATTENTION | DS_DEVICE_END | DS_UNIT_EXCEPTION); /* not ready to ready */
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
        us = tape_unit_check(tape, io, TAPE_CHECK_REJECT);
    bool ready = tape->ready;
    tape->ready = false;
    lock_drop(&tape->lock);
    if (ready)
        tape_tell_ready(tape);
    return us;
}

static void tape_begin(void *dev)
{
    struct tape *tape = dev;
    lock_take(&tape->lock);
    tape->s.immediate = tape->s.prepared = 0;
    lock_drop(&tape->lock);
}

static void tape_idle_sense(void *dev, u8 sense[SENSE_BYTES_MAX])
{
    struct tape *tape = dev;
    lock_take(&tape->lock);
    tape_sense_idle(tape, sense);
    lock_drop(&tape->lock);
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
    if (in->failed || !io_rows_complete(&tape_rows, seen) || s.loaded > 1 ||
        s.want_volume[TAPE_VOLUME_CHARS])
        return cause_set(cause, ST_PROTO, "tape %04X: broken state", tape->devno);
    if (s.loaded && !tape->file)
        return cause_set(cause, ST_NOENT, "tape %04X: the volume is not here", tape->devno);
    tape->s = s;
    if (!s.loaded && tape->file)
        tape_empty(tape);
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
    tape_loader_close(tape->loader);
    lock_fini(&tape->lock);
    free(tape);
}

#define TAPE_OPS(type, cu_model, dev_model)                                                    \
    {                                                                                          \
        .name = #type, .chpid = CHPID_TAPE, .status_first = true,                              \
        .sense_id = {0xff,          0x##type >> 8,   0x##type & 0xff, cu_model,                \
                     0x##type >> 8, 0x##type & 0xff, dev_model},                               \
        .sense_id_bytes = 7, .start = tape_start, .begin = tape_begin,                         \
        .idle_sense = tape_idle_sense, .reset = tape_reset, .save = tape_save,                 \
        .restore = tape_restore, .detach = tape_detach,                                        \
    }

static const struct dev_ops tape_ops[] = {
    [TAPE_3480] = TAPE_OPS(3480, 0x22, 0x04),
    [TAPE_3490] = TAPE_OPS(3490, 0x10, 0x40),
    [TAPE_3590] = TAPE_OPS(3590, 0x50, 0x10),
};

bool tape_type_named(const char *name, enum tape_type *type)
{
    for (unsigned i = 0; i < ARRAY_LEN(tape_ops); i++)
        if (strcmp(tape_ops[i].name, name) == 0) {
            *type = (enum tape_type)i;
            return true;
        }
    return false;
}

const u8 *tape_type_sense_id(enum tape_type type)
{
    return tape_ops[type].sense_id;
}

struct tape *tape_create(struct css *css, u16 devno, enum tape_type type,
                         struct tape_loader *loader, bool announce, struct cause *cause)
{
    struct tape *tape = calloc(1, sizeof *tape);
    if (!tape) {
        cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
        return NULL;
    }
    tape->css = css;
    tape->type = type;
    tape->devno = devno;
    lock_init(&tape->lock, LOCK_DEVICE);
    if (loader) {
        struct tape_file *t = tape_loader_volume(loader);
        tape->loader = tape_loader_ref(loader);
        tape->file = t ? tape_file_ref(t) : NULL;
    }
    if (css_attach(css, devno, &tape_ops[type], tape, announce, NULL, cause) != ST_OK) {
        tape_detach(tape);
        return NULL;
    }
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
    tape_tell_ready(tape);
    return ST_OK;
}

struct tape *tape_find(struct css *css, u16 devno)
{
    const struct dev_ops *ops;
    struct tape *tape = css_find_device(css, devno, &ops);
    return tape && ops->start == tape_start ? tape : NULL;
}

int tape_rewind(struct tape *tape, struct cause *cause)
{
    lock_take(&tape->lock);
    bool there = tape->file != NULL;
    if (there)
        tape_file_rewind(tape->file);
    lock_drop(&tape->lock);
    return there ? ST_OK : cause_set(cause, ST_REFUSED, "it has no volume");
}

bool tape_loaded(struct tape *tape)
{
    lock_take(&tape->lock);
    bool loaded = tape->file != NULL;
    lock_drop(&tape->lock);
    return loaded;
}
