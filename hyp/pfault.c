/* Page-fault interruptions, see pfault.h.
 * Guarantees: each initial interruption is followed by one completion with the same token, on any
 * CPU, unless the token is cancelled or the machine is reset; the initial one is presented first.
 * Assumes: no storage is awaited where a machine arrives, so that what was not told of yet can be
 * told there at once.
 * Source: z/VM CP Programming Services as Linux uses it (arch/s390/mm/pfault.c); in which states a
 * CPU is told also Linux's arch/s390/kvm/kvm-s390.c, which stands in for CP. */
#include "hyp/pfault.h"
#include "hyp/vm_internal.h"
#include "mem/storage_source.h"

#define SUBCODE_INITIAL 0x0600
#define SUBCODE_COMPLETION 0x0680
#define ROW_TOKEN_WORDS 4
#define ROW_CAME_WORDS 2

/* ---- requests ---- */

static void end_locked(struct vm *vm, struct pfault_request *r)
{
    *r = (struct pfault_request){0};
    atomic_fetch_sub(&vm->page_faults.count, 1);
}

static void forget(struct vm *vm, unsigned cpu)
{
    lock_take(&vm->host->lock);
    for (unsigned i = 0; i < PFAULT_REQUESTS_MAX; i++)
        if (vm->page_faults.of[i].used && vm->page_faults.of[i].cpu == cpu)
            end_locked(vm, &vm->page_faults.of[i]);
    lock_drop(&vm->host->lock);
}

/* False: it waits already, its program did not wait for it, or there are too many. */
static bool add(struct vm *vm, const struct pfault_request *what)
{
    struct pfault_request *place = NULL;
    bool twice = false;
    lock_take(&vm->host->lock);
    for (unsigned i = 0; i < PFAULT_REQUESTS_MAX; i++) {
        struct pfault_request *r = &vm->page_faults.of[i];
        place = !place && !r->used ? r : place;
        twice |= r->used && r->cpu == what->cpu && r->token == what->token;
    }
    if (place && !twice) {
        *place = *what;
        atomic_fetch_add(&vm->page_faults.count, 1);
    }
    lock_drop(&vm->host->lock);
    return place && !twice;
}

void pfault_came(void *ctx, u64 abs)
{
    struct vm *vm = ctx;
    bool any = false;
    lock_take(&vm->host->lock);
    for (unsigned i = 0; i < PFAULT_REQUESTS_MAX; i++) {
        struct pfault_request *r = &vm->page_faults.of[i];
        if (r->used && r->abs / STORAGE_CHUNK_BYTES == abs / STORAGE_CHUNK_BYTES)
            any = r->came = true;
    }
    lock_drop(&vm->host->lock);
    if (any)
        cpu_set_service_signal(vm->cpus);
}

bool pfault_take(struct vm *vm, struct cpu_service *out, bool *more)
{
    bool any = false;
    *more = false;
    if (!atomic_load(&vm->page_faults.count))
        return false;
    lock_take(&vm->host->lock);
    for (unsigned i = 0; i < PFAULT_REQUESTS_MAX && !*more; i++) {
        struct pfault_request *r = &vm->page_faults.of[i];
        if (!r->came)
            continue;
        *more = any;
        if (any)
            continue;
        any = true;
        *out = (struct cpu_service){
            .code = EXT_CP, .subcode = SUBCODE_COMPLETION, .wide = true, .parm64 = r->token};
        end_locked(vm, r);
    }
    lock_drop(&vm->host->lock);
    return any;
}

/* ---- of one CPU ---- */

static void token_put(struct vcpu *v, const struct pfault *to)
{
    v->pfault = *to;
    cpu_absence_set(v->cpu, &(struct cpu_absence){to->set, to->select, to->compare});
}

void pfault_set(struct vcpu *v, const struct pfault *to)
{
    token_put(v, to);
    if (!to->set)
        forget(v->vm, v->addr);
}

void pfault_begin(struct vcpu *v)
{
    struct vm *vm = v->vm;
    struct pfault_request r = {.used = true, .cpu = (u8)v->addr, .abs = cpu_absent_at(v->cpu)};
    u8 token[8];
    bool tells = storage_source_awaits(vm->st, r.abs) &&
                 storage_read(vm->st, cpu_real_to_abs(v->cpu, v->pfault.token_at), token, 8);
    if (tells)
        r.token = be64_load(token);
    if (!tells || !add(vm, &r)) {
        storage_need(vm->st, r.abs, 1);
        return;
    }
    cpu_external_now(v->cpu, EXT_CP, SUBCODE_INITIAL, r.token);
    if (!storage_source_want(vm->st, r.abs))
        pfault_came(vm, r.abs);
}

/* ---- rows ---- */

void pfault_save(struct vm *vm, u16 tag_token, u16 tag_came, struct codec_out *out)
{
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        const struct pfault *p = &vm->vcpu[i].pfault;
        const u64 row[ROW_TOKEN_WORDS] = {i, p->token_at, p->select, p->compare};
        if (p->set)
            codec_put_array(out, tag_token, row, 8, ROW_TOKEN_WORDS);
    }
    lock_take(&vm->host->lock);
    for (unsigned i = 0; i < PFAULT_REQUESTS_MAX; i++) {
        const struct pfault_request *r = &vm->page_faults.of[i];
        const u64 row[ROW_CAME_WORDS] = {r->cpu, r->token};
        if (r->used)
            codec_put_array(out, tag_came, row, 8, ROW_CAME_WORDS);
    }
    lock_drop(&vm->host->lock);
}

bool pfault_restore_token(struct vm *vm, const struct codec_row *row)
{
    u64 v[ROW_TOKEN_WORDS];
    if (!codec_get_array(row, v, 8, ARRAY_LEN(v)) || v[0] >= cpu_set_count(vm->cpus) ||
        v[1] % 8 || !storage_holds(vm->st, v[1], 8))
        return false;
    token_put(&vm->vcpu[v[0]], &(struct pfault){true, v[1], v[2], v[3]});
    return true;
}

bool pfault_restore_came(struct vm *vm, const struct codec_row *row)
{
    u64 v[ROW_CAME_WORDS];
    if (!codec_get_array(row, v, 8, ARRAY_LEN(v)) || v[0] >= cpu_set_count(vm->cpus))
        return false;
    return add(vm, &(struct pfault_request){
                       .used = true, .came = true, .cpu = (u8)v[0], .token = v[1]});
}
