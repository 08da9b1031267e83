/* DIAGNOSE X'308': resets and loads that a program asks for, and the IPL parameter block.
 * Guarantees: a reset or load is carried out on the loop thread, with the machine held, while the
 * CPU that asked waits for it; a load that cannot be begun changes nothing and says so.
 * The block of the last IPL from a device is kept, and replaced by subcode 5; there is none after
 * an IPL from files of the host. It moves with the machine.
 * Source: Linux arch/s390/kernel/ipl.c and uapi/asm/ipl.h as the function's user. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/diag/diag.h"
#include "io/ebcdic.h"

#define BLOCK_ALIGN 4096
#define BLOCK_VERSION 0
#define COMMAND_BYTES 256
#define TEXT_BYTES 256

enum subcode {
    RESET_CLEAR = 0,  /* modified-clear reset, then the PSW at absolute 0 */
    RESET_NORMAL = 1, /* load-normal reset, then the PSW at absolute 0 */
    LOAD_CLEAR = 3,
    LOAD_NORMAL = 4,
    SET_BLOCK = 5,
    STORE_BLOCK = 6,
};

enum { RC_OK = 0x0001, RC_NO_CONFIGURATION = 0x0102, RC_INVALID_BLOCK = 0x0402 };

/* The list header and block 0 of a channel-attached device. */
enum block_offset {
    AT_LENGTH = 0,
    AT_VERSION = 7,
    AT_BLOCK_LENGTH = 8,
    AT_TYPE = 12,
    AT_FLAGS = 13,
    AT_LOADPARM = 16,
    AT_SSID = 109,
    AT_DEVNO = 110,
    AT_VM_FLAGS = 112,
    AT_PARM_LENGTH = 116,
    AT_PARM = 128,
};
#define TYPE_CCW 2
#define FLAG_LOADPARM 0x80u
#define VM_FLAG_PARM 0x40u
#define LOADPARM_BYTES 8
#define BLOCK_0_BYTES (IPL_BLOCK_BYTES - AT_BLOCK_LENGTH)
_Static_assert(AT_PARM + VM_PARM_BYTES_MAX + 8 == IPL_BLOCK_BYTES,
               "block 0 ends with eight zeros");

/* ---- the block ---- */

bool ipl_block_valid(const u8 *block)
{
    return be32_load(block + AT_LENGTH) >= IPL_BLOCK_BYTES &&
           be32_load(block + AT_LENGTH) <= BLOCK_ALIGN && block[AT_VERSION] == BLOCK_VERSION &&
           block[AT_TYPE] == TYPE_CCW && (block[AT_SSID] & 7) == 0 &&
           be32_load(block + AT_PARM_LENGTH) <= VM_PARM_BYTES_MAX;
}

void ipl_block_make(struct vm *vm, u16 devno, const char *loadparm, const char *parm)
{
    u8 *b = vm->ipl_block;
    memset(b, 0, IPL_BLOCK_BYTES);
    be32_store(b + AT_LENGTH, IPL_BLOCK_BYTES);
    be32_store(b + AT_BLOCK_LENGTH, BLOCK_0_BYTES);
    b[AT_TYPE] = TYPE_CCW;
    be16_store(b + AT_DEVNO, devno);
    ebcdic_pad(loadparm ? loadparm : "", LOADPARM_BYTES, b + AT_LOADPARM);
    if (loadparm)
        b[AT_FLAGS] = FLAG_LOADPARM;
    if (parm) {
        size_t n =
            ebcdic_from_utf8(EBCDIC_037, parm, strlen(parm), b + AT_PARM, VM_PARM_BYTES_MAX);
        be32_store(b + AT_PARM_LENGTH, (u32)n);
        b[AT_VM_FLAGS] = VM_FLAG_PARM;
    }
    vm->has_ipl_block = true;
}

/* EBCDIC of the block as text, blanks at its end left off. */
static void block_text(const u8 *from, size_t len, char *out)
{
    size_t n = ebcdic_to_utf8(EBCDIC_037, from, len, out);
    while (n && (out[n - 1] == ' ' || out[n - 1] == 0))
        n--;
    out[n] = 0;
}

struct block_ipl {
    u16 devno;
    char loadparm[TEXT_BYTES], parm[TEXT_BYTES]; /* "" = none */
};

static void block_read(const u8 *b, struct block_ipl *out)
{
    *out = (struct block_ipl){.devno = be16_load(b + AT_DEVNO)};
    if (b[AT_FLAGS] & FLAG_LOADPARM)
        block_text(b + AT_LOADPARM, LOADPARM_BYTES, out->loadparm);
    if (b[AT_VM_FLAGS] & VM_FLAG_PARM)
        block_text(b + AT_PARM, be32_load(b + AT_PARM_LENGTH), out->parm);
    for (const char *p = out->loadparm; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '.')
            out->loadparm[0] = 0; /* none that the IPL command takes */
}

void ipl_block_loadparm(struct vm *vm)
{
    struct block_ipl ipl;
    block_read(vm->ipl_block, &ipl);
    sclp_set_loadparm(vm->sclp, ipl.loadparm);
}

/* A copy: CPUs set it while they run. */
static bool block_get(struct vm *vm, u8 *out)
{
    lock_take(&vm->host->lock);
    bool has = vm->has_ipl_block;
    memcpy(out, vm->ipl_block, IPL_BLOCK_BYTES);
    lock_drop(&vm->host->lock);
    return has;
}

static void answer(struct vcpu *v, unsigned r1, u32 rc)
{
    u64 *gr = &cpu_gr(v->cpu)[r1 + 1];
    *gr = (*gr & ~0xffffffffull) | rc;
    cpu_finish_cc(v->cpu, 0);
}

static void block_set(struct vcpu *v, const struct cpu_icpt *k, u64 real)
{
    u8 block[IPL_BLOCK_BYTES];
    if (!storage_read(v->vm->st, cpu_real_to_abs(v->cpu, real), block, sizeof block)) {
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
        return;
    }
    if (!ipl_block_valid(block)) {
        answer(v, k->r1, RC_INVALID_BLOCK);
        return;
    }
    be32_store(block + AT_LENGTH, IPL_BLOCK_BYTES);
    lock_take(&v->vm->host->lock);
    memcpy(v->vm->ipl_block, block, sizeof block);
    v->vm->has_ipl_block = true;
    lock_drop(&v->vm->host->lock);
    answer(v, k->r1, RC_OK);
}

static void block_store(struct vcpu *v, const struct cpu_icpt *k, u64 real)
{
    u8 block[IPL_BLOCK_BYTES];
    bool has = block_get(v->vm, block);
    if (!storage_holds(v->vm->st, cpu_real_to_abs(v->cpu, real), BLOCK_ALIGN)) {
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
        return;
    }
    if (has)
        storage_write(v->vm->st, cpu_real_to_abs(v->cpu, real), block, sizeof block);
    answer(v, k->r1, has ? RC_OK : RC_NO_CONFIGURATION);
}

static void block_function(struct vcpu *v, const struct cpu_icpt *k, bool set)
{
    u64 real = cpu_gr(v->cpu)[k->r1];
    if (real % BLOCK_ALIGN)
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
    else if (set)
        block_set(v, k, real);
    else
        block_store(v, k, real);
}

/* ---- resets and loads, on the loop thread ---- */

struct request {
    struct vcpu *v;
    u64 resets; /* of the machine, when it was made */
    enum subcode subcode;
    u8 r1;
};

static void tell(struct vm *vm, enum vm_event event)
{
    const struct vm_host_events *events = &vm->host->events;
    if (events->event)
        events->event(events->ctx, vm, event, 0, 0);
}

static void reset(struct vm *vm, struct vcpu *v, bool clear)
{
    struct cause cause = {0};
    tell(vm, VM_EVENT_RESET);
    vm_hold(vm);
    vm_reset_channels(vm);
    cpu_set_reset_for(vm->cpus, v->addr, clear);
    vm_reset_ended(vm);
    int rc = cpu_ipl_psw(v->cpu, &cause);
    vm_started(vm, v->addr);
    vm_release(vm);
    if (rc)
        tell(vm, VM_EVENT_STOPPED);
}

/* A guest of CP is IPLed by CP's command, so that all who must know of it do. */
static void load_command(const struct request *q, const struct block_ipl *ipl, bool clear)
{
    char command[COMMAND_BYTES + 2 * TEXT_BYTES];
    snprintf(command, sizeof command, "IPL %04X%s%s%s%s%s", ipl->devno, clear ? " CLEAR" : "",
             ipl->loadparm[0] ? " LOADPARM " : "", ipl->loadparm, ipl->parm[0] ? " PARM " : "",
             ipl->parm);
    diag8_command(q->v, command, q->r1 + 1, RC_NO_CONFIGURATION);
}

/* False when nothing could be loaded. */
static bool load(struct vm *vm, const struct request *q)
{
    const struct vm_host_events *events = &vm->host->events;
    struct block_ipl ipl;
    u8 block[IPL_BLOCK_BYTES];
    bool clear = q->subcode == LOAD_CLEAR;
    if (!block_get(vm, block))
        return events->reload && events->reload(events->ctx, vm) == ST_OK;
    block_read(block, &ipl);
    if (vm->config.personality == VM_UNDER_CP && events->command) {
        load_command(q, &ipl, clear);
        return true;
    }
    return vm_ipl_device(vm, ipl.devno, clear, ipl.loadparm[0] ? ipl.loadparm : NULL,
                         ipl.parm[0] ? ipl.parm : NULL, NULL) == ST_OK;
}

static void load_failed(struct vm *vm, const struct request *q)
{
    if (vm->resets != q->resets) { /* it went wrong behind the reset */
        tell(vm, VM_EVENT_STOPPED);
        return;
    }
    answer(q->v, q->r1, RC_NO_CONFIGURATION);
    atomic_fetch_sub(&vm->blocked, 1);
    dispatch_unblock(q->v);
}

static void deliver(void *arg)
{
    struct request *q = arg;
    struct vm *vm = q->v->vm;
    bool loads = q->subcode == LOAD_CLEAR || q->subcode == LOAD_NORMAL;
    if (vm->dead || vm->resets != q->resets) {
        /* somebody else was faster */
    } else if (!loads) {
        reset(vm, q->v, q->subcode == RESET_CLEAR);
    } else if (!load(vm, q)) {
        load_failed(vm, q);
    }
    vm_note_done(vm);
    free(q);
}

static bool post(struct vcpu *v, const struct cpu_icpt *k, enum subcode subcode)
{
    const struct vm_host_ports *ports = &v->vm->host->ports;
    struct request *q = malloc(sizeof *q);
    if (!q) {
        cpu_finish_again(v->cpu);
        return true;
    }
    *q = (struct request){.v = v, .resets = v->vm->resets, .subcode = subcode, .r1 = k->r1};
    vcpu_block(v);
    ports->post(ports->ctx, deliver, q);
    return false;
}

bool diag_308(struct vcpu *v, const struct cpu_icpt *k)
{
    u64 subcode = cpu_gr(v->cpu)[k->r3];
    if (subcode > RESET_NORMAL && (k->r1 & 1))
        subcode = ~0ull; /* the answer goes into the register behind r1 */
    switch (subcode) {
    case RESET_CLEAR:
    case RESET_NORMAL:
    case LOAD_CLEAR:
    case LOAD_NORMAL: return post(v, k, (enum subcode)subcode);
    case SET_BLOCK:
    case STORE_BLOCK: block_function(v, k, subcode == SET_BLOCK); return true;
    default: cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE); return true;
    }
}
