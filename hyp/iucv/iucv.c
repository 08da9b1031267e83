/* The IUCV instruction: its operands, its functions by iucv_function.def, what they come to;
 * and the buffers by which a program comes and goes. QUERY and TEST MESSAGE are answered on
 * the processor thread. A program interruption leaves everything as it was. */
#include "hyp/iucv/iucv_internal.h"

#include <stdlib.h>

#define QUERY 0
#define TEST_MESSAGE 1
#define MASKS_ALL 0xf8
#define PSW_KEY_SHIFT 52 /* of bits 8-11, as 0xK0 in a byte: 48 less 4 */

struct function {
    iucv_function *fn;
    bool list, buffer;
};

#define FLAG_LIST true
#define FLAG_NO_LIST false
#define FLAG_BUFFER true
#define FLAG_ALWAYS false

static const struct function functions[] = {
#define F(code, list, buffer, handler, title) [code] = {handler, FLAG_##list, FLAG_##buffer},
#include "hyp/iucv/iucv_function.def"
#undef F
};

/* --- buffers ---------------------------------------------------------------------------------- */

struct iucv *iucv_create(struct vm *vm)
{
    struct iucv *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->vm = vm;
    u->path_max = vm->config.maxconn ? vm->config.maxconn : IUCV_CONNECTIONS;
    u->path = calloc(u->path_max, sizeof(struct iucv_path *));
    if (!u->path) {
        free(u);
        return NULL;
    }
    lock_take(&vm->host->lock);
    vm->iucv = u;
    lock_drop(&vm->host->lock);
    return u;
}

void iucv_end(struct vm *vm)
{
    struct iucv *u = vm->iucv;
    if (!u)
        return;
    iucv_sever_all(u);
    lock_take(&vm->host->lock);
    vm->iucv = NULL;
    lock_drop(&vm->host->lock);
    free(u->path);
    free(u);
}

int iucv_fn_declare(struct iucv_call *c)
{
    struct vm *vm = c->v->vm;
    struct iucv *u = c->u;
    u32 at = be32_load(c->p + AT_BUFFER) & 0x7fffffff;
    if (u && u->cpu[c->v->addr].declared)
        return IUCV_DECLARED;
    int pgm = iucv_storage_check(vm, cpu_real_to_abs(c->v->cpu, at), IUCV_BYTES, c->key, true);
    if (pgm)
        return IUCV_PGM(pgm);
    if (!u && !(u = iucv_create(vm)))
        return IUCV_STORAGE;
    lock_take(&vm->host->lock);
    u->cpu[c->v->addr] = (struct iucv_cpu){true, MASKS_ALL, MASKS_ALL, at};
    lock_drop(&vm->host->lock);
    u->declared++;
    return IUCV_DONE;
}

/* The last one's end is the end of all paths. */
int iucv_fn_retrieve(struct iucv_call *c)
{
    struct iucv *u = c->u;
    if (!u->cpu[c->v->addr].declared)
        return IUCV_PGM(PGM_OPERATION_CODE);
    if (u->declared == 1) {
        iucv_end(u->vm);
        return IUCV_DONE;
    }
    lock_take(&u->vm->host->lock);
    u->cpu[c->v->addr] = (struct iucv_cpu){0};
    lock_drop(&u->vm->host->lock);
    u->declared--;
    return IUCV_DONE;
}

/* --- the instruction -------------------------------------------------------------------------- */

static void finish(struct vcpu *v, u64 abs, struct iucv_call *c, bool list, int result)
{
    if (result <= IUCV_PGM(0)) {
        cpu_finish_pgm(v->cpu, (unsigned)-result & 0xff);
        return;
    }
    if (list && (result >= 0 || c->stored)) {
        c->p[AT_RCODE] = result > 0 ? (u8)result : 0;
        storage_write(v->vm->st, abs, c->p, IUCV_BYTES);
    }
    cpu_finish_cc(v->cpu, result > 0 ? 1 : (unsigned)-result);
}

static void answer(struct vcpu *v, const struct cpu_icpt *k)
{
    u64 mask, psw_addr;
    struct vm *vm = v->vm;
    const struct function *f = &functions[(u32)cpu_gr(v->cpu)[0]];
    struct iucv_call c = {.v = v, .u = vm->iucv};
    cpu_psw_get(v->cpu, &mask, &psw_addr);
    c.key = (u8)(mask >> PSW_KEY_SHIFT << 4);
    u64 abs = f->list ? cpu_real_to_abs(v->cpu, k->ea) : 0;
    int pgm = f->list ? iucv_storage_check(vm, abs, IUCV_BYTES, c.key, true) : 0;
    if (f->list && k->ea % 8)
        pgm = PGM_SPECIFICATION_CODE;
    if (!pgm && f->buffer && !c.u)
        pgm = PGM_OPERATION_CODE;
    if (!pgm && f->list && !storage_read(vm->st, abs, c.p, IUCV_BYTES))
        pgm = PGM_ADDRESSING_CODE;
    finish(v, abs, &c, f->list, pgm ? IUCV_PGM(pgm) : f->fn(&c));
}

/* Nothing waits: the program does, the instruction is executed again. Not by way of the loop
 * thread, which would find its CPU blocked whenever it wants to hold the machine. */
static bool test_message(struct vcpu *v)
{
    int found = iucv_waiting(v->vm);
    if (found < 0)
        return diag_pgm(v, PGM_OPERATION_CODE);
    if (found)
        return diag_cc(v, (unsigned)found);
    cpu_finish_again(v->cpu);
    cpu_request_exit(v->cpu);
    return true;
}

bool icpt_iucv(struct vcpu *v, const struct cpu_icpt *k)
{
    u64 *gr = cpu_gr(v->cpu);
    u32 function = (u32)gr[0], max = v->vm->config.maxconn;
    if (v->vm->config.personality != VM_UNDER_CP)
        return diag_pgm(v, PGM_OPERATION_CODE);
    if (function == QUERY) {
        diag_gr32(v, 0, IUCV_BYTES);
        diag_gr32(v, 1, max ? max : IUCV_CONNECTIONS);
        return diag_cc(v, 0);
    }
    if (function == TEST_MESSAGE)
        return test_message(v);
    if (function >= ARRAY_LEN(functions))
        return diag_pgm(v, PGM_SPECIFICATION_CODE);
    return diag_on_loop(v, k, answer);
}
