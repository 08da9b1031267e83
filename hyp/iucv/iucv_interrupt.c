/* Interruptions of IUCV that wait: in order of coming, those of priority messages before those
 * of others; which CPU gets them, by its buffer and masks. Several CPUs may be asked to look;
 * who comes first presents one, the others find none. The list and the masks are guarded by
 * host->lock. */
#include "hyp/iucv/iucv_internal.h"

#include <stdlib.h>

#include "io/ebcdic.h"

#define EXT_IUCV 0x4000

/* Bits of SET MASK by type; a control interruption has one in SET CONTROL MASK, too. */
static const u8 masks[] = {[IUCV_PENDING] = 0x80,
                           [IUCV_PENDING_PRIORITY] = 0x40,
                           [IUCV_COMPLETE] = 0x20,
                           [IUCV_COMPLETE_PRIORITY] = 0x10};
#define MASK_CONTROL 0x08
static const u8 controls[] = {[IUCV_CONNECT_PENDING] = 0x80,
                              [IUCV_CONNECTED] = 0x40,
                              [IUCV_SEVERED] = 0x20,
                              [IUCV_WAS_QUIESCED] = 0x10,
                              [IUCV_RESUMED] = 0x08};

static bool enabled(const struct iucv_cpu *cpu, u8 type)
{
    if (!cpu->declared)
        return false;
    return type > IUCV_RESUMED ? cpu->mask & masks[type]
                               : cpu->mask & MASK_CONTROL && cpu->control & controls[type];
}

static bool of_message(u8 type, bool priority)
{
    return priority ? type == IUCV_COMPLETE_PRIORITY || type == IUCV_PENDING_PRIORITY
                    : type == IUCV_COMPLETE || type == IUCV_PENDING;
}

/* Where the one is that comes next on this CPU; NULL: none. */
static struct iucv_item **pick_locked(struct iucv *u, const struct iucv_cpu *cpu)
{
    struct iucv_item **found = NULL;
    for (struct iucv_item **at = &u->first; cpu->declared && *at; at = &(*at)->next) {
        u8 type = (*at)->data[AT_TYPE];
        if (!enabled(cpu, type))
            continue;
        if (of_message(type, true) || (!found && !of_message(type, false)))
            return at;
        found = found ? found : at;
        if (!u->priorities)
            break;
    }
    return found;
}

static void append_locked(struct iucv *u, struct iucv_item *item)
{
    item->next = NULL;
    *(u->end ? u->end : &u->first) = item;
    u->end = &item->next;
    u->priorities += of_message(item->data[AT_TYPE], true);
}

static struct iucv_item *unlink_locked(struct iucv *u, struct iucv_item **at)
{
    struct iucv_item *item = *at;
    *at = item->next;
    u->priorities -= of_message(item->data[AT_TYPE], true);
    if (!item->next)
        u->end = at == &u->first ? NULL : at;
    if (item->counts) {
        item->path->outstanding--;
        u->outstanding--;
    }
    return item;
}

/* CPUs that could present one. */
static u64 able_locked(struct iucv *u)
{
    u64 cpus = 0;
    for (unsigned i = 0; u->first && i < VM_CPUS_MAX; i++)
        if (pick_locked(u, &u->cpu[i]))
            cpus |= 1ull << i;
    return cpus;
}

static void raise(struct vm *vm, u64 cpus)
{
    for (unsigned i = 0; cpus && i < cpu_set_count(vm->cpus); i++)
        if (cpus >> i & 1)
            cpu_external(vm->vcpu[i].cpu, EXT_IUCV, 0, 0);
}

struct iucv_item *iucv_item_make(struct iucv_path *path, enum iucv_type type)
{
    struct iucv_item *item = calloc(1, sizeof *item);
    if (!item)
        return NULL;
    item->path = path;
    item->vm = path->own->vm;
    be16_store(item->data + AT_PATH, path->id);
    item->data[AT_TYPE] = (u8)type;
    return item;
}

void iucv_item_queue(struct iucv_item *item)
{
    struct iucv *u = item->path->own;
    struct lock *lock = &u->vm->host->lock;
    lock_take(lock);
    append_locked(u, item);
    u64 cpus = able_locked(u);
    lock_drop(lock);
    raise(u->vm, cpus);
}

void iucv_tell(struct iucv_path *path, enum iucv_type type, u8 flags, const u8 *user)
{
    struct iucv_item *item = iucv_item_make(path, type);
    if (!item)
        return;
    item->data[AT_FLAGS] = flags;
    if (type == IUCV_CONNECT_PENDING || type == IUCV_CONNECTED)
        be16_store(item->data + AT_LIMIT, path->limit);
    if (type == IUCV_CONNECT_PENDING)
        ebcdic_pad(path->other, 8, item->data + AT_USERID);
    if (user)
        memcpy(item->data + AT_USER, user, IUCV_USER_BYTES);
    iucv_item_queue(item);
}

void iucv_items_drop(struct iucv_path *path)
{
    struct iucv *u = path->own;
    struct lock *lock = &u->vm->host->lock;
    struct iucv_item *gone = NULL;
    lock_take(lock);
    for (struct iucv_item **at = &u->first; *at;) {
        if ((*at)->path != path) {
            at = &(*at)->next;
            continue;
        }
        struct iucv_item *item = unlink_locked(u, at);
        item->next = gone;
        gone = item;
    }
    lock_drop(lock);
    for (struct iucv_item *next; gone; gone = next) {
        next = gone->next;
        free(gone);
    }
}

bool iucv_item_drop_pending(struct iucv_path *path, u32 message)
{
    struct iucv *u = path->own;
    struct lock *lock = &u->vm->host->lock;
    struct iucv_item *item = NULL;
    lock_take(lock);
    for (struct iucv_item **at = &u->first; *at && !item; at = &(*at)->next)
        if ((*at)->path == path && (*at)->data[AT_TYPE] >= IUCV_PENDING_PRIORITY &&
            be32_load((*at)->data + AT_MESSAGE) == message) {
            item = unlink_locked(u, at);
            break;
        }
    lock_drop(lock);
    free(item);
    return item;
}

bool iucv_item_find(struct iucv_call *c, enum iucv_type first, enum iucv_type last,
                    iucv_fits *fits, bool take, u8 data[IUCV_BYTES])
{
    struct iucv *u = c->u;
    struct lock *lock = &u->vm->host->lock;
    struct iucv_item *item = NULL;
    bool found = false;
    lock_take(lock);
    for (struct iucv_item **at = &u->first; *at && !found; at = &(*at)->next) {
        u8 type = (*at)->data[AT_TYPE];
        if (type < first || type > last || (fits && !fits(*at, c)))
            continue;
        found = true;
        memcpy(data, (*at)->data, IUCV_BYTES);
        if (take)
            item = unlink_locked(u, at);
        break;
    }
    lock_drop(lock);
    if (item && item->tells)
        iucv_message_shown(u->vm, item->path->id, be32_load(data + AT_MESSAGE));
    free(item);
    return found;
}

int iucv_waiting(struct vm *vm)
{
    int found = 0;
    lock_take(&vm->host->lock);
    const struct iucv *u = vm->iucv;
    for (const struct iucv_item *item = u ? u->first : NULL; item; item = item->next) {
        u8 type = item->data[AT_TYPE];
        found |= type >= IUCV_PENDING_PRIORITY ? IUCV_HAS_MESSAGES
                 : type > IUCV_RESUMED         ? IUCV_HAS_COMPLETIONS
                                               : 0;
        if (found == (IUCV_HAS_MESSAGES | IUCV_HAS_COMPLETIONS))
            break;
    }
    lock_drop(&vm->host->lock);
    return u ? found : -1;
}

/* --- presenting ------------------------------------------------------------------------------- */

/* On the loop thread: the message of an interruption that had it in it. */
static void shown(void *arg)
{
    struct iucv_item *item = arg;
    struct vm *vm = item->vm;
    if (!vm->dead)
        iucv_message_shown(vm, be16_load(item->data + AT_PATH),
                           be32_load(item->data + AT_MESSAGE));
    vm_note_done(vm);
    free(item);
}

bool iucv_take(struct vm *vm, unsigned cpu)
{
    struct vcpu *v = &vm->vcpu[cpu];
    const struct vm_host_ports *ports = &vm->host->ports;
    lock_take(&vm->host->lock);
    struct iucv *u = vm->iucv;
    struct iucv_item **at = u ? pick_locked(u, &u->cpu[cpu]) : NULL;
    struct iucv_item *item = at ? unlink_locked(u, at) : NULL;
    u32 buffer = item ? u->cpu[cpu].at : 0;
    bool more = item && pick_locked(u, &u->cpu[cpu]);
    lock_drop(&vm->host->lock);
    if (!item)
        return false;
    diag_store(v, buffer, item->data, IUCV_BYTES);
    if (more)
        cpu_external(v->cpu, EXT_IUCV, 0, 0);
    if (!item->tells) {
        free(item);
        return true;
    }
    atomic_fetch_add(&vm->notes, 1);
    ports->post(ports->ctx, shown, item);
    return true;
}

/* --- buffers and masks ------------------------------------------------------------------------ */

/* One of the masks of a CPU, which may let in what waits. */
static int mask_set(struct iucv_call *c, u8 *mask)
{
    lock_take(&c->u->vm->host->lock);
    *mask = c->p[AT_MASK];
    u64 cpus = able_locked(c->u);
    lock_drop(&c->u->vm->host->lock);
    raise(c->u->vm, cpus);
    return IUCV_DONE;
}

int iucv_fn_set_mask(struct iucv_call *c)
{
    return mask_set(c, &c->u->cpu[c->v->addr].mask);
}

int iucv_fn_set_control(struct iucv_call *c)
{
    return mask_set(c, &c->u->cpu[c->v->addr].control);
}
