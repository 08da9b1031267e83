/* DIAGNOSE X'14', input spool file manipulation, as far as the sources at hand describe it:
 * the pages of the file being read, its copies, and the descriptions of reader files. The CPU is
 * blocked while the loop thread looks into the spool. Sources: VM/370 System Programmer's Guide
 * (GC20-1807) and VM/SP System Programmer's Guide (SC19-6203) for the subcodes, VM/370 Data Areas
 * (SFBLOK); Linux drivers/s390/char/vmur.c as its user. */
#include <stdlib.h>
#include <time.h>

#include "hyp/spool/spool_device.h"
#include "hyp/diag/diag.h"
#include "io/ebcdic.h"
#include "ssi/ssi.h"

#define READ_NEXT 0x0000
#define NEXT_PRINT 0x0004
#define NEXT_PUNCH 0x0008
#define SELECT_FILE 0x000c
#define SET_COPIES 0x0010
#define RESTART 0x0014
#define BACKSPACE 0x0018
#define MONITOR_FILE 0x001c
#define MONITOR_RECORD 0x0020
#define POSITION 0x0028
#define NEXT_DESCRIPTOR 0x0fff
#define ERROR_ADDRESS 4 /* in Ry+1, with condition code 3 */
#define ERROR_TYPE 8
#define DESCRIPTOR_BYTES 252
#define SHORT_DESCRIPTOR_BYTES 104 /* 13 doublewords */
#define COPIES_MODULUS 256
#define MARK_PUNCHED 0x8000 /* with the id of the file that was told last */
#define SFB_IN_USE 0x80
#define SFB_USER_HOLD 0x20
#define SFB_DUMP 0x10
#define SFB_OPEN 0x08
#define SFB_PUNCH 0x80
#define SFB_PRINTER 0x40
#define STAMP_BYTES 64

struct diag14 {
    struct ssi_held held; /* it waits for the end of In-flux */
    struct vcpu *v;
    u64 resets; /* of the machine, when it was issued */
    u8 r1, r3;
    struct reader *reader; /* that Ry names */
};

enum { CC_ADDRESSING = -1, CC_SPECIFICATION = -2 }; /* instead of a condition code */

static u64 operand(const struct diag14 *d)
{
    return cpu_gr(d->v->cpu)[d->r1] & 0x7fffffff;
}

static int put(const struct diag14 *d, const u8 *bytes, size_t len)
{
    struct vm *vm = d->v->vm;
    return storage_write(vm->st, cpu_real_to_abs(d->v->cpu, operand(d)), bytes, len)
               ? 0
               : CC_ADDRESSING;
}

/* Its pages are handed out as they are. */
static bool is_dump(const struct spool_desc *s)
{
    return !strcmp(s->device, SPOOL_DEVICE_DUMP);
}

static struct spool_file *active_file(const struct diag14 *d)
{
    struct vm *vm = d->v->vm;
    u32 number = reader_current(d->reader);
    return number ? spool_by_number(vm->host->spool, vm->config.name, number) : NULL;
}

static int set_copies(const struct diag14 *d, struct spool_file *file, u32 copies)
{
    struct cause cause;
    struct spool_desc desc = *spool_desc(file);
    desc.copies = copies;
    return spool_change(d->v->vm->host->spool, file, &desc, &cause);
}

/* A reader with SPOOL CONT reads a file of several copies anew when it has come to its end. */
static void next_copy(const struct diag14 *d)
{
    struct vm *vm = d->v->vm;
    struct spool_device *dev =
        spool_device_find(vm->host->spool, vm->config.name, (u16)cpu_gr(d->v->cpu)[d->r3]);
    struct spool_file *file = active_file(d);
    if (!dev || !spool_device_options(dev)->cont || !file || spool_desc(file)->copies < 2 ||
        reader_set_page(d->reader, reader_page_number(d->reader)) != READER_PAGE_END)
        return;
    if (!set_copies(d, file, spool_desc(file)->copies - 1))
        reader_set_page(d->reader, 0);
}

/* The next page of the file that is being read, or of the first that can be. */
static int next_page(const struct diag14 *d)
{
    struct vm *vm = d->v->vm;
    struct spool *spool = vm->host->spool;
    u8 page[SPOOL_PAGE_BYTES];
    u32 number;
    next_copy(d);
    switch (reader_next_page(d->reader, page, &number)) {
    case READER_PAGE_END: return 1;
    case READER_PAGE_NO_FILE: return 2;
    case READER_PAGE_OK: break;
    }
    const struct spool_file *file = spool_by_number(spool, vm->config.name, number);
    if (!file || !is_dump(spool_desc(file)))
        be16_store(page + SPOOL_PAGE_ID, file ? spool_desc(file)->id : 0);
    return put(d, page, sizeof page);
}

static int page_again(const struct diag14 *d, u32 page)
{
    if (reader_set_page(d->reader, page) == READER_PAGE_NO_FILE)
        return 2;
    return next_page(d);
}

static int backspace(const struct diag14 *d)
{
    u32 page = reader_page_number(d->reader);
    return page_again(d, page >= 2 ? page - 2 : 0);
}

static int position(const struct diag14 *d)
{
    u64 record = operand(d);
    switch (reader_set_page(d->reader, record ? (u32)record - 1 : 0)) {
    case READER_PAGE_OK: return 0;
    case READER_PAGE_NO_FILE: return 2;
    case READER_PAGE_END: break;
    }
    return 3;
}

static int select_file(const struct diag14 *d)
{
    struct vm *vm = d->v->vm;
    struct cause cause;
    u64 id = operand(d);
    struct spool_file *file =
        id <= SPOOL_ID_MAX ? spool_find(vm->host->spool, vm->config.name, (u16)id) : NULL;
    if (!file || spool_desc(file)->queue != SPOOL_RDR)
        return 2;
    return spool_order(vm->host->spool, file, &cause) ? 3 : 0;
}

static int repeat_file(const struct diag14 *d)
{
    s32 copies = (s32)cpu_gr(d->v->cpu)[d->r1];
    struct spool_file *file = active_file(d);
    if (!file)
        return 2;
    if (copies <= 0 || copies % COPIES_MODULUS == 0)
        return CC_SPECIFICATION;
    return set_copies(d, file, (u32)copies % COPIES_MODULUS) ? 3 : 0;
}

/* SFBLOK. */
static void descriptor(const struct spool_desc *s, u8 *out)
{
    char stamp[STAMP_BYTES];
    time_t when = (time_t)(s->created_ns / 1000000000u);
    struct tm tm;
    memset(out, 0, DESCRIPTOR_BYTES);
    ebcdic_pad(s->owner, 8, out + 8);
    ebcdic_pad(s->origin, 8, out + 16);
    be32_store(out + 24, (u32)s->records);
    be16_store(out + 28, s->record_bytes);
    be16_store(out + 30, s->id);
    out[32] = (u8)((s->open ? SFB_IN_USE | SFB_OPEN : 0) | (s->hold ? SFB_USER_HOLD : 0) |
                   (is_dump(s) ? SFB_DUMP : 0));
    out[33] = strcmp(s->device, "PUN") ? SFB_PRINTER : SFB_PUNCH;
    ebcdic_pad(s->name, 12, out + 40);
    ebcdic_pad(s->type, 12, out + 52);
    gmtime_r(&when, &tm);
    strftime(stamp, sizeof stamp, "%m/%d/%y%H:%M:%S", &tm);
    ebcdic_pad(stamp, 16, out + 64);
    be16_store(out + 84, (u16)s->copies);
    ebcdic_pad((const char[2]){s->class_, 0}, 1, out + 86);
    ebcdic_pad(s->dist, 8, out + 88);
}

static bool is_punched(const struct spool_desc *s)
{
    return !strcmp(s->device, "PUN");
}

/* The reader file of the caller's behind that one. */
static struct spool_file *next_reader_file(const struct diag14 *d, struct spool_file *file)
{
    struct vm *vm = d->v->vm;
    while ((file = spool_next(vm->host->spool, file)))
        if (spool_desc(file)->queue == SPOOL_RDR &&
            !strcmp(spool_desc(file)->owner, vm->config.name))
            break;
    return file;
}

/* The description of the next reader file of a kind behind the one that the last such call gave. */
static int next_of_kind(const struct diag14 *d, bool punched)
{
    struct vm *vm = d->v->vm;
    u8 out[DESCRIPTOR_BYTES];
    u16 *mark =
        spool_reader_mark(vm->host->spool, vm->config.name, (u16)cpu_gr(d->v->cpu)[d->r3]);
    u16 kind = punched ? MARK_PUNCHED : 0;
    struct spool_file *file = NULL;
    if (*mark && (*mark & MARK_PUNCHED) == kind)
        file = spool_find(vm->host->spool, vm->config.name, *mark & ~MARK_PUNCHED);
    bool first = !file;
    if ((operand(d) & (SPOOL_PAGE_BYTES - 1)) + SHORT_DESCRIPTOR_BYTES > SPOOL_PAGE_BYTES)
        return CC_SPECIFICATION;
    spool_sync_again(vm->host->spool, vm->config.name);
    while ((file = next_reader_file(d, file)))
        if (!is_dump(spool_desc(file)) && is_punched(spool_desc(file)) == punched)
            break;
    if (!file)
        return first ? 2 : 1;
    *mark = spool_desc(file)->id | kind;
    descriptor(spool_desc(file), out);
    return put(d, out, SHORT_DESCRIPTOR_BYTES);
}

/* The description of the reader file behind the one with the id in Ry; 0: of the first. */
static int next_descriptor(const struct diag14 *d)
{
    struct vm *vm = d->v->vm;
    struct spool *spool = vm->host->spool;
    u8 out[DESCRIPTOR_BYTES];
    u32 id = (u32)cpu_gr(d->v->cpu)[d->r3];
    struct spool_file *file = NULL;
    spool_sync_again(spool, vm->config.name);
    if (id && (id > SPOOL_ID_MAX || !(file = spool_find(spool, vm->config.name, (u16)id))))
        return 2;
    file = next_reader_file(d, file);
    if (!file)
        return 1;
    descriptor(spool_desc(file), out);
    return put(d, out, sizeof out);
}

/* Condition code 3 with the reason in Ry+1, when Ry is not a reader. */
static bool not_a_reader(struct diag14 *d)
{
    struct vm *vm = d->v->vm;
    u64 *gr = cpu_gr(d->v->cpu);
    const struct dev_ops *ops;
    u32 vdev = (u32)gr[d->r3];
    d->reader = vdev && vdev <= 0xffff
                    ? spool_reader(vm->host->spool, vm->config.name, (u16)vdev)
                    : NULL;
    if (d->reader)
        return false;
    bool other = vdev <= 0xffff && css_find_device(vm->css, (u16)vdev, &ops);
    gr[d->r3 + 1] = (gr[d->r3 + 1] & ~0xffffffffull) | (other ? ERROR_TYPE : ERROR_ADDRESS);
    return true;
}

static int perform(struct diag14 *d)
{
    u16 subcode = (u16)cpu_gr(d->v->cpu)[d->r3 + 1];
    if (subcode == NEXT_DESCRIPTOR)
        return next_descriptor(d);
    if (not_a_reader(d))
        return 3;
    if (subcode == NEXT_PRINT || subcode == NEXT_PUNCH)
        return next_of_kind(d, subcode == NEXT_PUNCH);
    *spool_reader_mark(d->v->vm->host->spool, d->v->vm->config.name,
                       (u16)cpu_gr(d->v->cpu)[d->r3]) = 0;
    switch (subcode) {
    case MONITOR_FILE:
    case MONITOR_RECORD: return 2; /* CP writes none */
    case SET_COPIES: return repeat_file(d);
    case READ_NEXT: return next_page(d);
    case SELECT_FILE: return select_file(d);
    case RESTART: return page_again(d, 0);
    case BACKSPACE: return backspace(d);
    default: return position(d);
    }
}

static void deliver(void *arg);

/* Files that the whole cluster sees are changed, as by ORDER and CHANGE (cp_cmd.def, RH). */
static bool is_held(struct diag14 *d)
{
    struct vm *vm = d->v->vm;
    const struct vm_host_events *events = &vm->host->events;
    u16 subcode = (u16)cpu_gr(d->v->cpu)[d->r3 + 1];
    if (vm->dead || vm->resets != d->resets || !events->hold || d->held.go ||
        (subcode != SELECT_FILE && subcode != SET_COPIES))
        return false;
    d->held = (struct ssi_held){.go = deliver, .ctx = d};
    return events->hold(events->ctx, &d->held) == ST_OK;
}

static void deliver(void *arg)
{
    struct diag14 *d = arg;
    struct vm *vm = d->v->vm;
    if (is_held(d))
        return;
    if (!vm->dead && vm->resets == d->resets) {
        int cc = perform(d);
        if (cc < 0)
            cpu_finish_pgm(d->v->cpu,
                           cc == CC_ADDRESSING ? PGM_ADDRESSING_CODE : PGM_SPECIFICATION_CODE);
        else
            cpu_finish_cc(d->v->cpu, (unsigned)cc);
        atomic_fetch_sub(&vm->blocked, 1);
        dispatch_unblock(d->v);
    }
    vm_note_done(vm);
    free(d);
}

static bool known(u16 subcode)
{
    switch (subcode) {
    case READ_NEXT:
    case NEXT_PRINT:
    case NEXT_PUNCH:
    case SELECT_FILE:
    case SET_COPIES:
    case RESTART:
    case BACKSPACE:
    case MONITOR_FILE:
    case MONITOR_RECORD:
    case POSITION:
    case NEXT_DESCRIPTOR: return true;
    default: return false;
    }
}

bool diag_14(struct vcpu *v, const struct cpu_icpt *k)
{
    const struct vm_host_ports *ports = &v->vm->host->ports;
    if ((k->r3 & 1) || !known((u16)cpu_gr(v->cpu)[k->r3 + 1])) {
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
        return true;
    }
    struct diag14 *d = calloc(1, sizeof *d);
    if (!d) {
        cpu_finish_again(v->cpu);
        return true;
    }
    *d = (struct diag14){.v = v, .resets = v->vm->resets, .r1 = k->r1, .r3 = k->r3};
    vcpu_block(v);
    ports->post(ports->ctx, deliver, d);
    return false;
}
