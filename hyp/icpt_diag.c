/* DIAGNOSE codes: the table, X'08' and device information. One row per code in diag.def; a code
 * without a row is a specification exception, as z/VM presents it; one for other privilege classes
 * a privileged-operation exception. hyp/diag has most of the others.
 * Source: z/VM "CP Programming Services"; Linux arch/s390 as their user. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/diag/diag.h"
#include "hyp/directory.h"
#include "io/ebcdic.h"
#include "mem/base/ergo.h"

#define VIRTUAL_READ_ONLY 0x80 /* virtual device flags of X'210' */
#define DIAG8_COMMAND_BYTES_MAX 2048
#define DIAG8_RESPONSE_BYTES_MAX 65536
#define DIAG8_RESPONSE_FLAG 0x40000000u
#define EBCDIC_NL 0x15
#define EBCDIC_LF 0x25

void vcpu_block(struct vcpu *v)
{
    atomic_fetch_add(&v->vm->notes, 1);
    atomic_fetch_add(&v->vm->blocked, 1);
    dispatch_block(v);
}

/* ---- X'08': virtual console function ----
 * The CPU is blocked while the loop thread issues the commands, one after another until one fails;
 * the answer goes into its registers and storage there. A command that resets or ends the machine
 * (SYSTEM, IPL, LOGOFF) leaves nothing to answer to: `resets` tells. Without a response buffer the
 * console shows it. */

struct diag8 {
    struct vcpu *v;
    u64 resets; /* of the machine, when it was issued */
    u8 r1, r3;
    u32 failed;             /* what R3 gets when a command fails; 0: its return code */
    bool alone;             /* a line end in it ends nothing */
    bool issuing, answered; /* a command; and it has been answered before it came back */
    int rc;
    u8 *text; /* what was answered, in EBCDIC; NULL: it is shown, or no memory */
    size_t text_len;
    char *next; /* command; NULL: that was the last */
    char command[DIAG8_COMMAND_BYTES_MAX + 1];
};

static void diag8_free(struct diag8 *d)
{
    free(d->text);
    free(d);
}

static bool diag8_alive(const struct diag8 *d)
{
    return !d->v->vm->dead && d->v->vm->resets == d->resets;
}

static void diag8_respond(struct diag8 *d)
{
    struct vcpu *v = d->v;
    u64 *gr = cpu_gr(v->cpu);
    size_t n = d->text_len;
    u32 room = (u32)gr[d->r3 + 1];
    size_t fits = n < room ? n : room;
    u64 abs = cpu_real_to_abs(v->cpu, gr[d->r1 + 1]);
    if (fits && !storage_write(v->vm->st, abs, d->text, fits)) {
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
    } else {
        u64 left = n > room ? n - room : n;
        gr[d->r3 + 1] = (gr[d->r3 + 1] & ~0xffffffffull) | left;
        cpu_finish_cc(v->cpu, n > room ? 1 : 0);
    }
}

static void diag8_finish(struct diag8 *d)
{
    struct vcpu *v = d->v;
    struct vm *vm = v->vm;
    if (diag8_alive(d)) {
        diag_gr32(v, d->r3, d->rc && d->failed ? d->failed : (u32)d->rc);
        if (d->r1 < 16)
            diag8_respond(d);
        else
            cpu_finish_cc(v->cpu, 0);
        atomic_fetch_sub(&vm->blocked, 1);
        dispatch_unblock(v);
    }
    vm_note_done(vm);
    diag8_free(d);
}

static void diag8_deliver(void *arg);

/* The next command. The loop has its turn before the one behind it: there may be a thousand. */
static void diag8_go_on(struct diag8 *d)
{
    const struct vm_host_events *events = &d->v->vm->host->events;
    const struct vm_host_ports *ports = &d->v->vm->host->ports;
    if (!diag8_alive(d) || !events->command || !d->next || d->rc) {
        diag8_finish(d);
        return;
    }
    char *command = d->next;
    d->next = d->alone ? NULL : strchr(command, '\n');
    if (d->next)
        *d->next++ = 0;
    if (d->next && !*d->next)
        d->next = NULL;
    d->answered = false;
    d->issuing = true;
    events->command(events->ctx, d->v->vm, command, d);
    d->issuing = false;
    if (d->answered && d->next && !d->rc)
        ports->post(ports->ctx, diag8_deliver, d);
    else if (d->answered)
        diag8_finish(d);
}

static void diag8_deliver(void *arg)
{
    diag8_go_on(arg);
}

static bool diag8_fetch(struct vcpu *v, u64 real, u32 len, char *out)
{
    u8 text[DIAG8_COMMAND_BYTES_MAX];
    if (!storage_read(v->vm->st, cpu_real_to_abs(v->cpu, real), text, len))
        return false;
    for (u32 i = 0; i < len; i++)
        text[i] = text[i] == EBCDIC_NL ? EBCDIC_LF : text[i];
    size_t n = 0;
    char utf8[2 * DIAG8_COMMAND_BYTES_MAX];
    n = ebcdic_to_utf8(EBCDIC_037, text, len, utf8);
    if (n > DIAG8_COMMAND_BYTES_MAX)
        n = DIAG8_COMMAND_BYTES_MAX;
    memcpy(out, utf8, n);
    out[n] = 0;
    return true;
}

bool diag_08(struct vcpu *v, const struct cpu_icpt *k)
{
    const struct vm_host_ports *ports = &v->vm->host->ports;
    const u64 *gr = cpu_gr(v->cpu);
    u32 len = (u32)gr[k->r3] & 0xffffff;
    bool response = (u32)gr[k->r3] & DIAG8_RESPONSE_FLAG;
    if (len > DIAG8_COMMAND_BYTES_MAX || (response && ((k->r1 | k->r3) & 1))) {
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
        return true;
    }
    struct diag8 *d = calloc(1, sizeof *d);
    if (!d) {
        cpu_finish_again(v->cpu);
        return true;
    }
    *d = (struct diag8){.v = v, .resets = v->vm->resets, .r1 = k->r1, .r3 = k->r3};
    d->next = d->command;
    if (!diag8_fetch(v, gr[k->r1], len, d->command)) {
        diag8_free(d);
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
        return true;
    }
    if (!response)
        d->r1 = 16; /* nothing to store */
    vcpu_block(v);
    ports->post(ports->ctx, diag8_deliver, d);
    return false;
}

void diag8_command(struct vcpu *v, const char *command, unsigned r, u32 failed)
{
    struct vm *vm = v->vm;
    struct diag8 *d = calloc(1, sizeof *d);
    ERGO(d);
    *d = (struct diag8){
        .v = v, .resets = vm->resets, .r1 = 16, .r3 = (u8)r, .failed = failed, .alone = true};
    snprintf(d->command, sizeof d->command, "%s", command);
    d->next = d->command;
    atomic_fetch_add(&vm->notes, 1);
    diag8_go_on(d);
}

/* Response text in EBCDIC, lines ended by X'15'; at most DIAG8_RESPONSE_BYTES_MAX. */
static void diag8_keep(struct diag8 *d, char *const *lines, unsigned count)
{
    if (!d->text && !(d->text = malloc(DIAG8_RESPONSE_BYTES_MAX)))
        return;
    for (unsigned i = 0; i < count && d->text_len < DIAG8_RESPONSE_BYTES_MAX - 1; i++) {
        d->text_len +=
            ebcdic_from_utf8(EBCDIC_037, lines[i], strlen(lines[i]), d->text + d->text_len,
                             DIAG8_RESPONSE_BYTES_MAX - 1 - d->text_len);
        d->text[d->text_len++] = EBCDIC_NL;
    }
}

static void diag8_show(struct vm *vm, char *const *lines, unsigned count)
{
    for (unsigned i = 0; vm->config.console && i < count; i++)
        console_write_line(vm->config.console, lines[i]);
}

void diag8_abandon(struct vm *vm)
{
    vm->resets++;
    atomic_store(&vm->blocked, 0);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        if (dispatch_blocked(&vm->vcpu[i]))
            dispatch_unblock(&vm->vcpu[i]);
}

void vm_diag8_done(struct vm *vm, void *token, int rc, char *const *lines, unsigned count)
{
    struct diag8 *d = token;
    if (diag8_alive(d) && d->r1 < 16)
        diag8_keep(d, lines, count);
    else if (diag8_alive(d))
        diag8_show(vm, lines, count);
    d->rc = rc;
    d->answered = true;
    if (!d->issuing)
        diag8_go_on(d);
}

/* ---- the others ---- */

/* X'00': store extended identification code; the caller's buffer gets 40 bytes at most. */
bool diag_00(struct vcpu *v, const struct cpu_icpt *k)
{
    u64 *gr = cpu_gr(v->cpu);
    u8 id[40] = {0};
    u32 len = (u32)gr[k->r3];
    ebcdic_pad("z/VM", 8, id);
    id[8] = 7;
    id[9] = 3;
    be16_store(id + 14, (u16)v->addr);
    ebcdic_pad(v->vm->config.name, 8, id + 16);
    if (len > sizeof id)
        len = sizeof id;
    if (!storage_write(v->vm->st, cpu_real_to_abs(v->cpu, gr[k->r1]), id, len)) {
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
        return true;
    }
    gr[k->r3] -= len;
    cpu_finish_cc(v->cpu, 0);
    return true;
}

/* X'44', X'9C': give up the processor; the dispatcher's order does the rest. */
bool diag_yield(struct vcpu *v, const struct cpu_icpt *k)
{
    if ((u16)k->ea == 0x9c)
        dispatch_yield_to(v, cpu_gr(v->cpu)[k->r1]);
    cpu_request_exit(v->cpu);
    return true;
}

/* Class, type and model of a virtual device for X'24' and X'210'. */
/* Disks, tapes, adapters and displays that are no console; class and type codes are from memory. */
static bool other_kind(const struct vm *vm, u16 devno, u8 out[4])
{
    static const struct {
        const char *name;
        u8 klass, type;
    } kinds[] = {{"3390", 0x04, 0x82}, {"9336", 0x01, 0x40}, {"3480", 0x08, 0x01},
                 {"3490", 0x08, 0x81}, {"3590", 0x08, 0x83}, {"3270", 0x40, 0x01},
                 {"3088", 0x02, 0x80}};
    const struct dev_ops *ops;
    void *dev = css_find_device(vm->css, devno, &ops);
    for (size_t i = 0; dev && i < ARRAY_LEN(kinds); i++) {
        if (strcmp(ops->name, kinds[i].name) != 0)
            continue;
        memcpy(out, (u8[4]){kinds[i].klass, kinds[i].type, 0, 0}, 4);
        out[3] = dasd_read_only(ops, dev) ? VIRTUAL_READ_ONLY : 0;
        return true;
    }
    return false;
}

static bool device_kind(const struct vm *vm, u16 devno, u8 out[4])
{
    const struct vm_config *k = &vm->config;
    if (devno == 0)
        return false;
    if (devno == k->console_vdev && vm->console_display) {
        memcpy(out, (u8[4]){0x40, 0x01, 0x00, 0x00}, 4); /* CLASGRAF, 3278 */
        return true;
    }
    if (devno == k->console_vdev) {
        memcpy(out, (u8[4]){0x80, 0x00, 0x00, 0x00}, 4); /* CLAST, 3215 */
        return true;
    }
    const struct vm_spooled *row = vm_spooled_find(vm, devno);
    if (row) {
        static const u8 kinds[][2] = {
            [VM_READER] = {0x20, 0x80},   /* spooled input, 2540 reader */
            [VM_PUNCH] = {0x10, 0x80},    /* output, 2540 punch */
            [VM_PRINTER] = {0x10, 0x41}}; /* 1403 */
        static const u8 printers[] = {0x41, [PRINTER_3203] = 0x45, [PRINTER_3211] = 0x42};
        u8 type = row->kind == VM_PRINTER ? printers[row->printer] : kinds[row->kind][1];
        memcpy(out, (u8[4]){kinds[row->kind][0], type}, 4);
        return true;
    }
    return other_kind(vm, devno, out);
}

/* X'24': device type and features; rx: device number (-1 the console), ry and ry+1 get data. */
bool diag_24(struct vcpu *v, const struct cpu_icpt *k)
{
    u64 *gr = cpu_gr(v->cpu);
    u32 devno = (u32)gr[k->r1];
    if (devno == 0xffffffffu) {
        devno = v->vm->config.console_vdev;
        gr[k->r1] = (gr[k->r1] & ~0xffffffffull) | devno;
    }
    u8 kind[4];
    if (devno > 0xffff || !device_kind(v->vm, (u16)devno, kind)) {
        cpu_finish_cc(v->cpu, 3);
        return true;
    }
    gr[k->r3] = (gr[k->r3] & ~0xffffffffull) | be32_load(kind);
    if (k->r3 != 15)
        gr[k->r3 + 1] &= ~0xffffffffull;
    cpu_finish_cc(v->cpu, 2);
    return true;
}

#define CLASS_FBA 0x01
#define CLASS_ECKD 0x04

/* Class, type, model of the real device: of a disk, the volume it is on, which is of its type; of a
 * console that is a display, its terminal, or what the guest was told of the last one. */
static bool real_kind(const struct vm *vm, u16 devno, u8 out[4])
{
    static const u16 models[][2] = {{24, 80}, {32, 80}, {43, 80}, {27, 132}};
    unsigned rows, cols, model = 0;
    if (other_kind(vm, devno, out) && (out[0] == CLASS_FBA || out[0] == CLASS_ECKD)) {
        out[2] = out[3] = 0;
        return true;
    }
    if (!vm->console_display || devno != vm->config.console_vdev)
        return false;
    con3270_size(vm->console_display, &rows, &cols);
    for (unsigned i = 0; i < ARRAY_LEN(models); i++)
        if (rows >= models[i][0] && cols >= models[i][1] && (rows < 43 || i != 1))
            model = i;
    memcpy(out, (u8[4]){0x40, 0x01, (u8)(model + 2), 0x00}, 4);
    return true;
}

/* X'210': device information block: devno at 0, length at 2; class, type ... from 4. */
bool diag_210(struct vcpu *v, const struct cpu_icpt *k)
{
    u8 head[4], info[20] = {0}, kind[4];
    u64 abs = cpu_real_to_abs(v->cpu, cpu_gr(v->cpu)[k->r1] & 0x7fffffffu);
    if (!storage_read(v->vm->st, abs, head, sizeof head)) {
        cpu_finish_pgm(v->cpu, PGM_ADDRESSING_CODE);
        return true;
    }
    u16 devno = be16_load(head), len = be16_load(head + 2);
    if (len < 12 || abs % 4) {
        cpu_finish_pgm(v->cpu, PGM_SPECIFICATION_CODE);
        return true;
    }
    if (!device_kind(v->vm, devno, kind)) {
        cpu_finish_cc(v->cpu, 3);
        return true;
    }
    memcpy(info, kind, 4);
    bool real = real_kind(v->vm, devno, info + 4);
    size_t room = (size_t)len - 4;
    storage_write(v->vm->st, abs + 4, info, room < sizeof info ? room : sizeof info);
    cpu_finish_cc(v->cpu, real ? 0 : 2);
    return true;
}

struct diag_row {
    u16 code;
    bool everywhere; /* not under CP only */
    const char *classes;
    diag_handler *handler;
};

#define WHERE_CP false
#define WHERE_ANY true

static const struct diag_row diag_rows[] = {
#define D(code, where, classes, handler, title, here) {code, WHERE_##where, classes, handler},
#include "hyp/diag.def"
#undef D
};

/* Has the guest one of the classes that the code asks for? */
static bool allowed(const struct vm *vm, const char *classes)
{
    u32 has = __atomic_load_n(&vm->config.privclass, __ATOMIC_RELAXED);
    bool any = *classes == '*';
    for (const char *p = classes; *p && !any; p++)
        any = has & CP_CLASS(*p);
    return any;
}

bool icpt_diag(struct vcpu *v, const struct cpu_icpt *k)
{
    u16 code = (u16)k->ea;
    bool under_cp = v->vm->config.personality == VM_UNDER_CP;
    const struct diag_row *row = NULL;
    for (size_t i = 0; i < ARRAY_LEN(diag_rows) && !row; i++)
        if (diag_rows[i].code == code && (under_cp || diag_rows[i].everywhere))
            row = &diag_rows[i];
    if (!row || !arch_diag(&v->vm->arch, code))
        return diag_refused(v, k);
    return allowed(v->vm, row->classes) ? row->handler(v, k) : diag_pgm(v, PGM_PRIVILEGED_CODE);
}
