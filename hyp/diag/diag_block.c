/* DIAGNOSE X'250', block I/O: INIT establishes an environment for a disk and a block size, RW moves
 * blocks at once or asynchronously (external interruption 2603, subcode 07 or 03 and the status),
 * TERM removes the environment.
 * Guarantees: everything is checked and every address is made absolute before a request begins; a
 * block has moved completely or its status says why not; environments and interruptions that wait
 * relocate, after requests under way have ended. Blocks of a list that follow each other are moved
 * together. Source: Linux drivers/s390/block/dasd_diag.[ch] as the user; status codes from z/VM's
 * control block BELBK; return codes other than 0, 4 and 8 are from memory. */
#include <stdlib.h>

#include "hyp/diag/diag.h"
#include "hyp/diag/diag_block_internal.h"
#include "hyp/io_worker.h"

#define BLOCKS_MAX 2048
#define INIT_BYTES 64
#define LIST_BYTES 64
#define ENTRY_BYTES 24
#define ENTRY_NARROW_BYTES 16
#define FLAG_64BIT 0x80
#define FLAG_ASYNCHRONOUS 0x02
enum function { FUNCTION_INIT = 0, FUNCTION_RW = 1, FUNCTION_TERM = 2 };
enum { TYPE_WRITE = 1, TYPE_READ = 2 };
enum return_code {
    RC_OK = 0,
    RC_READ_ONLY = 4,
    RC_STARTED = 8,
    RC_SOME_FAILED = 12,
    RC_NO_DEVICE = 16,
    RC_NO_DISK = 20,
    RC_BLOCK_SIZE = 24,
    RC_ENVIRONMENT = 28, /* there already, or not there */
    RC_LIST = 32,
    RC_TOO_MANY = 36,
};

static bool finish(struct vcpu *v, unsigned r1, enum return_code rc)
{
    diag_gr32(v, r1 + 1, (u32)rc);
    return diag_cc(v, rc > RC_STARTED);
}

/* ---- INIT, TERM ---- */

static enum return_code establish(struct vm *vm, const struct block_environment *wanted,
                                  struct block_disk *disk)
{
    struct block_environment there;
    if (!block_bytes_valid(wanted->block_bytes))
        return RC_BLOCK_SIZE;
    if (css_find_devno(vm->css, wanted->devno) == 0)
        return RC_NO_DEVICE;
    if (!block_disk_look(vm->css, wanted->devno, wanted->block_bytes, disk))
        return RC_NO_DISK;
    if (block_environment_find(&vm->block, wanted->devno, &there))
        return RC_ENVIRONMENT;
    if (!block_environment_add(&vm->block, wanted))
        return RC_TOO_MANY;
    return disk->read_only ? RC_READ_ONLY : RC_OK;
}

/* The first and last block numbers of requests come back. */
static bool init(struct vcpu *v, unsigned r1)
{
    u8 p[INIT_BYTES];
    struct block_disk disk;
    u64 at = cpu_gr(v->cpu)[r1];
    if (!diag_fetch(v, at, p, sizeof p))
        return diag_pgm(v, PGM_ADDRESSING_CODE);
    bool wide = p[2] & FLAG_64BIT;
    struct block_environment wanted = {
        .devno = be16_load(p),
        .block_bytes = be32_load(p + 24),
        .offset = wide ? be64_load(p + 32) : (u64)(int64_t)(int32_t)be32_load(p + 28)};
    enum return_code rc = establish(v->vm, &wanted, &disk);
    if (rc != RC_OK && rc != RC_READ_ONLY)
        return finish(v, r1, rc);
    u64 first = 1 - wanted.offset, last = disk.blocks - wanted.offset;
    if (wide) {
        be64_store(p + 40, first);
        be64_store(p + 48, last);
    } else {
        be32_store(p + 32, (u32)first);
        be32_store(p + 36, (u32)last);
    }
    if (diag_store(v, at, p, sizeof p))
        return finish(v, r1, rc);
    block_environment_remove(&v->vm->block, wanted.devno);
    return diag_pgm(v, PGM_ADDRESSING_CODE);
}

static bool term(struct vcpu *v, unsigned r1)
{
    u8 devno[2];
    if (!diag_fetch(v, cpu_gr(v->cpu)[r1], devno, sizeof devno))
        return diag_pgm(v, PGM_ADDRESSING_CODE);
    bool was = block_environment_remove(&v->vm->block, be16_load(devno));
    return finish(v, r1, was ? RC_OK : RC_ENVIRONMENT);
}

/* ---- RW ---- */

struct request {
    u64 resets; /* of the machine, when it was issued */
    u8 r1;
    bool asynchronous, wide;
    u64 parm;
    struct block_list list;
};

/* False: the entry itself is not in storage. */
static bool entry_take(struct request *q, u32 i, u64 at, u64 offset, u8 key)
{
    u8 p[ENTRY_BYTES] = {0};
    struct vcpu *v = q->list.v;
    struct block_entry *e = &q->list.entry[i];
    if (!diag_fetch(v, at, p, q->wide ? ENTRY_BYTES : ENTRY_NARROW_BYTES))
        return false;
    u64 number = q->wide ? be64_load(p + 8) : be32_load(p + 4);
    u64 buffer = q->wide ? be64_load(p + 16) : be32_load(p + 12);
    e->write = p[0] == TYPE_WRITE;
    e->block = number + offset - 1;
    e->status_abs = cpu_real_to_abs(v->cpu, at + 1);
    if (p[0] != TYPE_WRITE && p[0] != TYPE_READ)
        e->status = BLOCK_IO_ERROR;
    else
        block_list_check(&q->list, i, buffer, key);
    return true;
}

/* What became of each goes into its entry. The status of the first that failed. */
static u8 carry_out(struct request *q)
{
    u8 worst = block_list_run(&q->list);
    for (u32 i = 0; i < q->list.count; i++) {
        struct block_entry *e = &q->list.entry[i];
        storage_write(q->list.v->vm->st, e->status_abs, &e->status, 1);
    }
    return worst;
}

static void request_free(struct request *q)
{
    block_list_free(&q->list);
    free(q);
}

/* On the loop thread: the CPU that waited goes on. */
static void answer(void *arg)
{
    struct request *q = arg;
    struct vcpu *v = q->list.v;
    struct vm *vm = v->vm;
    if (!vm->dead && vm->resets == q->resets) {
        bool failed = false;
        for (u32 i = 0; i < q->list.count; i++)
            failed |= q->list.entry[i].status;
        finish(v, q->r1, failed ? RC_SOME_FAILED : RC_OK);
        atomic_fetch_sub(&vm->blocked, 1);
        dispatch_unblock(v);
    }
    vm_note_done(vm);
    request_free(q);
}

/* On a thread for device work. */
static void work(void *arg)
{
    struct request *q = arg;
    struct vm *vm = q->list.v->vm;
    u8 status = carry_out(q);
    const struct vm_host_ports *ports = &vm->host->ports;
    if (!q->asynchronous) {
        ports->post(ports->ctx, answer, q);
        block_request_end(&vm->block, NULL);
        return;
    }
    struct block_done done = {q->parm, status, q->wide};
    request_free(q);
    block_request_end(&vm->block, &done);
    cpu_set_service_signal(vm->cpus);
}

static struct request *request_new(struct vcpu *v, const struct cpu_icpt *k, const u8 *p,
                                   u32 count, const struct block_disk *disk)
{
    struct request *q = calloc(1, sizeof *q);
    if (!q || !block_list_init(&q->list, v, disk, count)) {
        free(q);
        return NULL;
    }
    bool wide = p[2] & FLAG_64BIT;
    q->resets = v->vm->resets;
    q->r1 = k->r1;
    q->asynchronous = p[25] & FLAG_ASYNCHRONOUS;
    q->wide = wide;
    q->parm = wide ? be64_load(p + 40) : be32_load(p + 40);
    return q;
}

static bool start(struct vcpu *v, struct request *q)
{
    bool asynchronous = q->asynchronous;
    if (!block_request_begin(&v->vm->block)) {
        u8 r1 = q->r1;
        request_free(q);
        return finish(v, r1, RC_TOO_MANY);
    }
    if (asynchronous)
        finish(v, q->r1, RC_STARTED);
    else
        vcpu_block(v);
    io_worker_add(v->vm->worker, work, q);
    return asynchronous;
}

static bool read_write(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 p[LIST_BYTES];
    struct block_environment env;
    struct block_disk disk;
    if (!diag_fetch(v, cpu_gr(v->cpu)[k->r1], p, sizeof p))
        return diag_pgm(v, PGM_ADDRESSING_CODE);
    if (!block_environment_find(&v->vm->block, be16_load(p), &env))
        return finish(v, k->r1, RC_ENVIRONMENT);
    if (!block_disk_look(v->vm->css, env.devno, env.block_bytes, &disk))
        return finish(v, k->r1, RC_NO_DEVICE);
    u32 count = be32_load(p + 28);
    if (!count || count > BLOCKS_MAX)
        return finish(v, k->r1, RC_LIST);
    struct request *q = request_new(v, k, p, count, &disk);
    if (!q)
        return finish(v, k->r1, RC_TOO_MANY);
    u64 at = q->wide ? be64_load(p + 48) : be32_load(p + 36);
    for (u32 i = 0; i < count; i++) {
        if (!entry_take(q, i, at, env.offset, p[24])) {
            request_free(q);
            return diag_pgm(v, PGM_ADDRESSING_CODE);
        }
        at += q->wide ? ENTRY_BYTES : ENTRY_NARROW_BYTES;
    }
    return start(v, q);
}

/* Rx: where the parameter list is, Rx+1 gets the return code, Ry: the function. */
bool diag_250(struct vcpu *v, const struct cpu_icpt *k)
{
    if (k->r1 == 15 || cpu_gr(v->cpu)[k->r1] % 8)
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    switch ((enum function)cpu_gr(v->cpu)[k->r3]) {
    case FUNCTION_INIT: return init(v, k->r1);
    case FUNCTION_RW: return read_write(v, k);
    case FUNCTION_TERM: return term(v, k->r1);
    default: return diag_pgm(v, PGM_SPECIFICATION_CODE);
    }
}
