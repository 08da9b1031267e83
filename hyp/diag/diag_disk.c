/* DIAGNOSE X'18' and X'A4': disks read and written while the CPU waits. X'18' takes channel
 * programs of one form, as CMS makes them for a 3390; X'A4' a list of blocks of a disk that CMS or
 * Linux has formatted.
 * Guarantee: what is wrong with the request is told before anything moves; of a list of blocks the
 * parameter list says how many have moved. Sources: the VM/SP System Programmer's Guide for X'18'
 * and its codes, z/VM's control blocks SBIOP and SBILIST for X'A4'; that the codes behind X'A4' are
 * those of X'18', and that its blocks are counted from 1, is from memory. */
#include "hyp/diag/diag.h"
#include "hyp/diag/diag_block_internal.h"
#include "io/dasd/dasd.h"

#define R15 15
enum code {
    NOT_ATTACHED = 1,
    NO_DISK = 2,
    READ_ONLY = 3,
    OUT_OF_RANGE = 4,
    BUSY = 5,      /* with condition code 1 */
    ALIGNMENT = 5, /* with condition code 2 */
    ARGUMENTS = 6,
    COMMAND = 7,
    NO_BYTES = 8,
    TOO_MANY_BYTES = 9,
    BUFFER = 10,
    COUNT = 11,
    OTHER_CYLINDER = 12,
    IO_ERROR = 13,
};

static void end(struct vcpu *v, unsigned cc, enum code code)
{
    if (cc)
        diag_gr32(v, R15, (u32)code);
    cpu_finish_cc(v->cpu, cc);
}

static bool ended(struct vcpu *v, unsigned cc, enum code code)
{
    end(v, cc, code);
    return true;
}

/* ---- X'18' ---- */

#define MOVES_MAX 15
#define CCWS_MAX 256
#define MOVE_BYTES_MAX 4096
enum {
    CMD_WRITE_DATA = 0x05,
    CMD_READ_DATA = 0x06,
    CMD_SEEK = 0x07,
    CMD_TIC = 0x08,
    CMD_SEEK_CYLINDER = 0x0b,
    CMD_SEEK_HEAD = 0x1b,
    CMD_SET_SECTOR = 0x23,
    CMD_SEARCH_ID = 0x31,
};

/* What is looked at of a channel program. */
struct form {
    struct vcpu *v;
    const struct image_geometry *g;
    bool read_only;
    unsigned moves; /* that are still to come */
    bool sought;
    u16 cylinder; /* of the first seek */
    unsigned cc;  /* how it is refused; 0: it is not */
    enum code code;
};

static bool refuse(struct form *f, unsigned cc, enum code code)
{
    f->cc = cc;
    f->code = code;
    return false;
}

/* What a channel program names, which is where the channel subsystem finds it: absolute addresses,
 * though they stand for the guest's real ones. Where prefixing makes the two differ nothing is. */
static bool fetch(struct form *f, u64 at, void *out, size_t len)
{
    return cpu_real_to_abs(f->v->cpu, at) == at &&
           cpu_real_to_abs(f->v->cpu, at + len - 1) == at + len - 1 &&
           diag_fetch(f->v, at, out, len);
}

/* Bytes of the guest's, which need not be in one frame. None that are moved here are so many that
 * the area at the prefix, or that at 0, has room between the first and the last. */
static bool there(struct form *f, u64 at, size_t len)
{
    u8 byte;
    return fetch(f, at, &byte, 1) && fetch(f, at + len - 1, &byte, 1);
}

static bool seek_is_well(struct form *f, u8 command, u32 at)
{
    u8 argument[6]; /* 0 0 cylinder head */
    if (!fetch(f, at, argument, sizeof argument))
        return refuse(f, 2, ARGUMENTS);
    u16 cylinder = be16_load(argument + 2);
    if (f->sought && command == CMD_SEEK_HEAD && cylinder != f->cylinder)
        return refuse(f, 2, OTHER_CYLINDER);
    if (command != CMD_SEEK_HEAD && cylinder >= f->g->tracks / f->g->heads)
        return refuse(f, 1, OUT_OF_RANGE);
    f->cylinder = f->sought ? f->cylinder : cylinder;
    f->sought = true;
    return true;
}

static bool move_is_well(struct form *f, u8 command, u32 at, u16 count)
{
    if (!count)
        return refuse(f, 2, NO_BYTES);
    if (count > MOVE_BYTES_MAX)
        return refuse(f, 2, TOO_MANY_BYTES);
    if (!there(f, at, count))
        return refuse(f, 2, BUFFER);
    if (command == CMD_WRITE_DATA && f->read_only)
        return refuse(f, 1, READ_ONLY);
    if (!f->moves--)
        return refuse(f, 2, COUNT);
    return true;
}

/* A CCW of format 0 at `at`. */
static bool ccw_is_well(struct form *f, const u8 ccw[8], u32 at)
{
    u32 data = be32_load(ccw) & 0xffffff;
    switch (ccw[0]) {
    case CMD_SEEK:
    case CMD_SEEK_CYLINDER:
    case CMD_SEEK_HEAD: return seek_is_well(f, ccw[0], data);
    case CMD_SEARCH_ID: return there(f, data, 5) || refuse(f, 2, ARGUMENTS);
    case CMD_SET_SECTOR: return there(f, data, 1) || refuse(f, 2, ARGUMENTS);
    case CMD_TIC: return data == at - 8 || refuse(f, 2, COMMAND);
    case CMD_READ_DATA:
    case CMD_WRITE_DATA: return move_is_well(f, ccw[0], data, be16_load(ccw + 6));
    default: return refuse(f, 2, COMMAND);
    }
}

/* Has it the form that this code takes? The channel subsystem looks at it again. */
static bool form_is_well(struct form *f, u32 at)
{
    u8 ccw[8];
    for (unsigned i = 0; i < CCWS_MAX; i++, at += sizeof ccw) {
        if (!fetch(f, at, ccw, sizeof ccw))
            return refuse(f, 2, COMMAND);
        if (!ccw_is_well(f, ccw, at))
            return false;
        if (ccw[0] != CMD_TIC && !(ccw[4] & CCW_CC))
            return f->moves == 0 || refuse(f, 2, COUNT);
    }
    return refuse(f, 2, COUNT);
}

struct standard {
    struct css_program p;
    u16 devno;
    enum css_run how;
};

static void work_18(struct vcpu *v, void *data)
{
    struct standard *s = data;
    s->how = css_run(v->vm->css, s->devno, &s->p);
}

static void answer_18(struct vcpu *v, const struct cpu_icpt *k, void *data)
{
    const struct standard *s = data;
    (void)k;
    if (s->how != CSS_RUN_DONE)
        end(v, 1, s->how == CSS_RUN_BUSY ? BUSY : NOT_ATTACHED);
    else
        end(v, s->p.unit_status == DS_NORMAL && !s->p.channel_status ? 0 : 3, IO_ERROR);
}

/* Rx: device number, Ry: address of the CCWs, register 15: how many of them read or write. */
bool diag_18(struct vcpu *v, const struct cpu_icpt *k)
{
    u16 devno = (u16)cpu_gr(v->cpu)[k->r1];
    u32 at = (u32)cpu_gr(v->cpu)[k->r3] & 0xffffff, moves = (u32)cpu_gr(v->cpu)[R15];
    const struct dev_ops *ops;
    void *dev = css_find_device(v->vm->css, devno, &ops);
    const struct image_geometry *g = dev ? dasd_geometry(ops, dev) : NULL;
    if (!g || !g->tracks)
        return ended(v, 1, dev ? NO_DISK : NOT_ATTACHED);
    if (at % 8)
        return ended(v, 2, ALIGNMENT);
    if (!moves || moves > MOVES_MAX)
        return ended(v, 2, COUNT);
    struct form f = {.v = v, .g = g, .read_only = dasd_read_only(ops, dev), .moves = moves};
    if (!form_is_well(&f, at))
        return ended(v, f.cc, f.code);
    struct standard s = {.devno = devno, .p = {.storage = v->vm->st, .ccw = at}};
    return diag_on_worker(v, k, work_18, answer_18, &s, sizeof s);
}

/* ---- X'A4' ---- */

#define LIST_BYTES 88
#define BLOCKS_MAX 500
#define PAIR_BYTES 8
enum list {
    AT_DEVNO = 0,
    AT_KEY = 2,
    AT_REQUEST = 3,
    AT_BLOCK_BYTES = 4,
    AT_PAIRS = 8,
    AT_PAIR_COUNT = 12,
    AT_MOVED = 16,
    AT_DEVICE_STATUS = 20,
    AT_CHANNEL_STATUS = 21,
    AT_RESIDUAL = 22,
    AT_SENSE_COUNT = 30,
    AT_SENSE = 56,
};
#define SENSE_BYTES 32
#define CHANNEL_PROTECTION 0x10
enum request { REQUEST_WRITE = 1, REQUEST_READ = 2 };

struct blocks {
    struct block_list list;
    u64 at;
    u8 status;
};
_Static_assert(sizeof(struct blocks) <= DIAG_WORK_BYTES, "it is kept while the CPU waits");

static void work_a4(struct vcpu *v, void *data)
{
    struct blocks *b = data;
    (void)v;
    b->status = block_list_run(&b->list);
    block_list_free(&b->list);
}

static void end_a4(struct vcpu *v, const struct blocks *b)
{
    const struct css_program *how = &b->list.how;
    switch ((enum block_status)b->status) {
    case BLOCK_OK: end(v, 0, (enum code)0); break;
    case BLOCK_NUMBER_WRONG: end(v, 1, OUT_OF_RANGE); break;
    case BLOCK_READ_ONLY: end(v, 1, READ_ONLY); break;
    case BLOCK_ADDRESSING: end(v, 2, BUFFER); break;
    case BLOCK_IO_ERROR:
        if (!how->unit_status && !how->channel_status) {
            end(v, 1, BUSY); /* nothing was run */
            break;
        }
        /* fall through */
    case BLOCK_SIZE_WRONG:
    case BLOCK_PROTECTION: end(v, 3, IO_ERROR); break;
    }
}

static void answer_a4(struct vcpu *v, const struct cpu_icpt *k, void *data)
{
    const struct blocks *b = data;
    const struct css_program *how = &b->list.how;
    u8 list[LIST_BYTES];
    u8 sense = how->unit_status & DS_UNIT_CHECK ? how->sense_bytes : 0;
    sense = sense < SENSE_BYTES ? sense : SENSE_BYTES;
    (void)k;
    if (!diag_fetch(v, b->at, list, sizeof list)) {
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
        return;
    }
    be32_store(list + AT_MOVED, b->list.moved);
    list[AT_DEVICE_STATUS] = b->status ? how->unit_status : DS_NORMAL;
    list[AT_CHANNEL_STATUS] =
        b->status == BLOCK_PROTECTION ? CHANNEL_PROTECTION : how->channel_status;
    be16_store(list + AT_RESIDUAL, how->residual);
    be16_store(list + AT_SENSE_COUNT, sense);
    memset(list + AT_SENSE, 0, SENSE_BYTES);
    memcpy(list + AT_SENSE, how->sense, sense);
    if (diag_store(v, b->at, list, sizeof list))
        end_a4(v, b);
    else
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
}

/* The pairs of block number and address. False: they are not all in storage. */
static bool pairs_take(struct vcpu *v, struct block_list *l, const u8 *list)
{
    u64 at = be32_load(list + AT_PAIRS);
    for (u32 i = 0; i < l->count; i++, at += PAIR_BYTES) {
        u8 pair[PAIR_BYTES];
        if (!diag_fetch(v, at, pair, sizeof pair))
            return false;
        l->entry[i].write = list[AT_REQUEST] == REQUEST_WRITE;
        l->entry[i].block = (u64)be32_load(pair) - 1;
        block_list_check(l, i, be32_load(pair + 4), list[AT_KEY]);
    }
    return true;
}

static bool start_a4(struct vcpu *v, const struct cpu_icpt *k, const u8 *list)
{
    struct blocks b = {.at = cpu_gr(v->cpu)[k->r1]};
    const struct dev_ops *ops;
    struct block_disk disk;
    u32 count = be32_load(list + AT_PAIR_COUNT), bytes = be32_load(list + AT_BLOCK_BYTES);
    u16 devno = be16_load(list + AT_DEVNO);
    if (!block_bytes_valid(bytes))
        return ended(v, 2, TOO_MANY_BYTES);
    if (!count || count > BLOCKS_MAX)
        return ended(v, 2, COUNT);
    if (!block_disk_look(v->vm->css, devno, bytes, &disk))
        return ended(v, 1, css_find_device(v->vm->css, devno, &ops) ? NO_DISK : NOT_ATTACHED);
    if (!block_list_init(&b.list, v, &disk, count)) {
        cpu_finish_again(v->cpu);
        return true;
    }
    b.list.stops = true;
    if (!pairs_take(v, &b.list, list)) {
        block_list_free(&b.list);
        return ended(v, 2, ARGUMENTS);
    }
    bool not_begun = diag_on_worker(v, k, work_a4, answer_a4, &b, sizeof b);
    if (not_begun)
        block_list_free(&b.list);
    return not_begun;
}

/* Rx: where the parameter list is. */
bool diag_a4(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 list[LIST_BYTES];
    u64 at = cpu_gr(v->cpu)[k->r1];
    if (at % 8)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    if (!diag_fetch(v, at, list, sizeof list))
        return diag_pgm(v, PGM_ADDRESSING_CODE);
    if (list[AT_KEY] & 0x0f ||
        (list[AT_REQUEST] != REQUEST_WRITE && list[AT_REQUEST] != REQUEST_READ))
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    return start_a4(v, k, list);
}
