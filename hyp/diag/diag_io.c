/* DIAGNOSE X'20' and X'A8': a channel program of the guest's that CP runs while the CPU waits,
 * without an interruption. The device's status, and sense data after a unit check, come back.
 * Guarantee: a thread for device work executes it; a device that is busy, or has something to tell
 * the guest, is not disturbed. Source: z/VM's control block SGIOP; the VM/370 System Programmer's
 * Guide for X'20' and its codes. Those in register 15 behind X'A8' are taken to be the same. */
#include "hyp/diag/diag.h"
#include "hyp/diag/diag_block_internal.h"

#define LIST_BYTES 88
enum list {
    AT_DEVNO = 0,
    AT_KEY = 2,
    AT_FLAGS = 3, /* bits 8 to 15 of word 1 of an ORB */
    AT_PROGRAM = 8,
    AT_CCW = 16,
    AT_DEVICE_STATUS = 20,
    AT_CHANNEL_STATUS = 21,
    AT_RESIDUAL = 22,
    AT_SENSE_COUNT = 30,
    AT_SENSE = 56,
};
#define FLAGS_KNOWN 0x83u /* formats of CCWs and IDAWs */
#define SENSE_BYTES 32
#define R15 15
enum code { NOT_ATTACHED = 1, UNIT_EXCEPTION = 2, WRONG_LENGTH = 3, BUSY = 5, IO_ERROR = 13 };
#define STATUS_LENGTH 0x40

/* What is run and how it ended; kept by diag_on_worker. */
struct io {
    struct css_program p;
    u16 devno;
    enum css_run how;
    u8 list[LIST_BYTES];
};
_Static_assert(sizeof(struct io) <= DIAG_WORK_BYTES, "it is kept while the CPU waits");

static void work(struct vcpu *v, void *data)
{
    struct io *io = data;
    io->how = css_run(v->vm->css, io->devno, &io->p);
}

static void finish(struct vcpu *v, const struct io *io)
{
    unsigned cc = 0;
    enum code code = (enum code)0;
    const struct css_program *p = &io->p;
    if (io->how != CSS_RUN_DONE) {
        cc = 1;
        code = io->how == CSS_RUN_BUSY ? BUSY : NOT_ATTACHED;
    } else if (p->unit_status & DS_UNIT_CHECK || p->channel_status & ~STATUS_LENGTH) {
        cc = 3;
        code = IO_ERROR;
    } else if (p->unit_status & DS_UNIT_EXCEPTION || p->channel_status) {
        cc = 2;
        code = p->channel_status ? WRONG_LENGTH : UNIT_EXCEPTION;
    }
    if (cc)
        diag_gr32(v, R15, (u32)code);
    cpu_finish_cc(v->cpu, cc);
}

/* ---- X'20' ---- */

static void answer_20(struct vcpu *v, const struct cpu_icpt *k, void *data)
{
    (void)k;
    finish(v, data);
}

/* Rx: device number, Ry: key and 24-bit address of the CCWs, which are of format 0. */
bool diag_20(struct vcpu *v, const struct cpu_icpt *k)
{
    u32 at = (u32)cpu_gr(v->cpu)[k->r3];
    struct io io = {
        .devno = (u16)cpu_gr(v->cpu)[k->r1],
        .p = {.storage = v->vm->st, .ccw = at & 0xffffff, .orb_flags = at & 0xf0000000u}};
    if (at % 8)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    return diag_on_worker(v, k, work, answer_20, &io, sizeof io);
}

/* ---- X'A8' ---- */

static void answer_a8(struct vcpu *v, const struct cpu_icpt *k, void *data)
{
    struct io *io = data;
    const struct css_program *p = &io->p;
    u8 *list = io->list;
    if (io->how == CSS_RUN_DONE) {
        u8 sense = p->unit_status & DS_UNIT_CHECK ? p->sense_bytes : 0;
        be32_store(list + AT_CCW, p->ccw_end);
        list[AT_DEVICE_STATUS] = p->unit_status;
        list[AT_CHANNEL_STATUS] = p->channel_status;
        be16_store(list + AT_RESIDUAL, p->residual);
        be16_store(list + AT_SENSE_COUNT, sense < SENSE_BYTES ? sense : SENSE_BYTES);
        memcpy(list + AT_SENSE, p->sense, sense < SENSE_BYTES ? sense : SENSE_BYTES);
    }
    if (diag_store(v, cpu_gr(v->cpu)[k->r1], list, LIST_BYTES))
        finish(v, io);
    else
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
}

/* Rx: where the parameter list is. */
bool diag_a8(struct vcpu *v, const struct cpu_icpt *k)
{
    struct io io = {.p = {.storage = v->vm->st}};
    u64 at = cpu_gr(v->cpu)[k->r1];
    if (at % 8)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    if (!diag_fetch(v, at, io.list, LIST_BYTES))
        return diag_pgm(v, PGM_ADDRESSING_CODE);
    if (io.list[AT_FLAGS] & ~FLAGS_KNOWN || io.list[AT_KEY] & 0x0f)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    io.devno = be16_load(io.list + AT_DEVNO);
    io.p.ccw = be32_load(io.list + AT_PROGRAM);
    io.p.orb_flags = (u32)io.list[AT_KEY] << 24 | (u32)io.list[AT_FLAGS] << 16;
    return diag_on_worker(v, k, work, answer_a8, &io, sizeof io);
}
