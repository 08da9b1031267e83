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

/* Pieces of storage in two frames at most. */
struct entry {
    bool write;
    u8 status;
    u64 block; /* 0 is the first of the disk */
    u64 abs[2];
    u32 in_first; /* bytes at abs[0] */
    u64 status_abs;
};

struct request {
    struct vcpu *v;
    u64 resets; /* of the machine, when it was issued */
    u8 r1;
    bool asynchronous, wide;
    u64 parm;
    struct block_disk disk;
    u32 count;
    u8 *data; /* of all blocks */
    struct entry entry[];
};

static void request_free(struct request *q)
{
    free(q->data);
    free(q);
}

/* Does the key allow it? */
static bool key_fits(struct storage *st, u64 abs, u8 key, bool store)
{
    u8 skey = storage_key_get(st, abs);
    return !key || (skey & SKEY_ACC) == key || (!store && !(skey & SKEY_F));
}

static u8 buffer_status(struct vcpu *v, const struct request *q, struct entry *e, u64 real,
                        u8 key)
{
    struct storage *st = v->vm->st;
    u32 left = q->disk.block_bytes;
    e->in_first = FRAME_BYTES - (u32)(real % FRAME_BYTES);
    e->in_first = e->in_first < left ? e->in_first : left;
    e->abs[0] = cpu_real_to_abs(v->cpu, real);
    e->abs[1] = cpu_real_to_abs(v->cpu, real + e->in_first);
    left -= e->in_first;
    if (!storage_holds(st, e->abs[0], e->in_first) ||
        (left && !storage_holds(st, e->abs[1], left)))
        return BLOCK_ADDRESSING;
    if (!e->write && (!storage_storable(st, e->abs[0], e->in_first) ||
                      (left && !storage_storable(st, e->abs[1], left))))
        return BLOCK_PROTECTION;
    if (!key_fits(st, e->abs[0], key, !e->write) ||
        (left && !key_fits(st, e->abs[1], key, !e->write)))
        return BLOCK_PROTECTION;
    return BLOCK_OK;
}

/* False: the entry itself is not in storage. */
static bool entry_take(struct vcpu *v, struct request *q, u32 i, u64 at, u64 offset, u8 key)
{
    u8 p[ENTRY_BYTES] = {0};
    struct entry *e = &q->entry[i];
    if (!diag_fetch(v, at, p, q->wide ? ENTRY_BYTES : ENTRY_NARROW_BYTES))
        return false;
    u64 number = q->wide ? be64_load(p + 8) : be32_load(p + 4);
    u64 buffer = q->wide ? be64_load(p + 16) : be32_load(p + 12);
    e->write = p[0] == TYPE_WRITE;
    e->block = number + offset - 1;
    e->status_abs = cpu_real_to_abs(v->cpu, at + 1);
    if (p[0] != TYPE_WRITE && p[0] != TYPE_READ)
        e->status = BLOCK_IO_ERROR;
    else if (e->block >= q->disk.blocks)
        e->status = BLOCK_NUMBER_WRONG;
    else if (e->write && q->disk.read_only)
        e->status = BLOCK_READ_ONLY;
    else
        e->status = buffer_status(v, q, e, buffer, key);
    return true;
}

static void entry_copy(struct storage *st, const struct entry *e, u8 *data, u32 len, bool fetch)
{
    for (unsigned i = 0; i < 2; i++) {
        u32 n = i ? len - e->in_first : e->in_first;
        u8 *p = data + (i ? e->in_first : 0);
        if (n && fetch)
            storage_read(st, e->abs[i], p, n);
        else if (n)
            storage_write(st, e->abs[i], p, n);
    }
}

/* How many entries from `i` on are in a row on the disk and can be moved together. */
static u32 in_a_row(const struct request *q, u32 i)
{
    u32 n = 1;
    while (i + n < q->count && q->entry[i + n].status == BLOCK_OK &&
           q->entry[i + n].write == q->entry[i].write &&
           q->entry[i + n].block == q->entry[i].block + n)
        n++;
    return n;
}

static u8 move(struct request *q, u32 i, u32 n)
{
    struct storage *st = q->v->vm->st;
    u32 len = q->disk.block_bytes;
    u8 *data = q->data + (size_t)i * len;
    bool write = q->entry[i].write;
    for (u32 k = i; write && k < i + n; k++)
        entry_copy(st, &q->entry[k], q->data + (size_t)k * len, len, true);
    u8 status = block_disk_move(&q->disk, q->entry[i].block, n, write, data);
    for (u32 k = i; !write && status == BLOCK_OK && k < i + n; k++)
        entry_copy(st, &q->entry[k], q->data + (size_t)k * len, len, false);
    return status;
}

/* All of it; together those in a row, and one by one when that went wrong. The status of the first
 * that failed. */
static u8 carry_out(struct request *q)
{
    u8 worst = BLOCK_OK;
    for (u32 i = 0, n; i < q->count; i += n) {
        n = q->entry[i].status == BLOCK_OK ? in_a_row(q, i) : 1;
        u8 status = q->entry[i].status == BLOCK_OK ? move(q, i, n) : q->entry[i].status;
        for (u32 k = i; k < i + n; k++) {
            struct entry *e = &q->entry[k];
            e->status = status && n > 1 ? move(q, k, 1) : status;
            storage_write(q->v->vm->st, e->status_abs, &e->status, 1);
            worst = worst ? worst : e->status;
        }
    }
    return worst;
}

/* On the loop thread: the CPU that waited goes on. */
static void answer(void *arg)
{
    struct request *q = arg;
    struct vcpu *v = q->v;
    struct vm *vm = v->vm;
    if (!vm->dead && vm->resets == q->resets) {
        bool failed = false;
        for (u32 i = 0; i < q->count; i++)
            failed |= q->entry[i].status;
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
    struct vm *vm = q->v->vm;
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
    struct request *q = calloc(1, sizeof *q + count * sizeof q->entry[0]);
    u8 *data = q ? malloc((size_t)count * disk->block_bytes) : NULL;
    if (!data) {
        free(q);
        return NULL;
    }
    bool wide = p[2] & FLAG_64BIT;
    *q = (struct request){.v = v,
                          .resets = v->vm->resets,
                          .r1 = k->r1,
                          .asynchronous = p[25] & FLAG_ASYNCHRONOUS,
                          .wide = wide,
                          .parm = wide ? be64_load(p + 40) : be32_load(p + 40),
                          .disk = *disk,
                          .count = count,
                          .data = data};
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
        if (!entry_take(v, q, i, at, env.offset, p[24])) {
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
