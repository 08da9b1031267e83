/* Devices of a machine that come and go while it runs: disks, tapes, unit record, displays.
 * The guest is told by channel reports. Loop thread; the machine is held where others look at
 * what changes. */
#include <stdio.h>

#include "hyp/spool/spool_device.h"
#include "hyp/vm_internal.h"
#include "io/tape/tape.h"
#include "mem/base/ergo.h"

int vm_disk_attach(struct vm *vm, u16 vdev, struct image *img, bool announce,
                   struct cause *cause)
{
    return dasd_create(vm->css, vdev, img, announce, cause);
}

int vm_tape_attach(struct vm *vm, u16 vdev, u16 type, struct tape_loader *loader, bool announce,
                   struct cause *cause)
{
    char name[8];
    enum tape_type model = TAPE_3490;
    snprintf(name, sizeof name, "%04X", type);
    ERGO(tape_type_named(name, &model));
    return tape_create(vm->css, vdev, model, loader, announce, cause) ? ST_OK : cause->status;
}

/* --- unit record devices, console, displays ------------------------------------------------ */

static u16 *unit_place(struct vm *vm, enum vm_unit unit)
{
    struct vm_config *k = &vm->config;
    switch (unit) {
    case VM_UNIT_CONSOLE: return &k->console_vdev;
    case VM_UNIT_READER: return &k->reader_vdev;
    case VM_UNIT_PUNCH: return &k->punch_vdev;
    case VM_UNIT_PRINTER: return &k->printer_vdev;
    case VM_UNIT_DISPLAY: break;
    }
    for (unsigned i = 0; i < VM_DISPLAYS_MAX; i++)
        if (!k->display_vdev[i])
            return &k->display_vdev[i];
    return NULL;
}

static int unit_create(struct vm *vm, enum vm_unit unit, u16 vdev, bool announce,
                       struct cause *cause)
{
    bool made = false;
    switch (unit) {
    case VM_UNIT_CONSOLE: made = vm_console_create(vm, announce, cause) == ST_OK; break;
    case VM_UNIT_READER: return vm_reader_attach(vm, vdev, announce, cause);
    case VM_UNIT_PUNCH: return vm_out_attach(vm, vdev, false, announce, cause);
    case VM_UNIT_PRINTER: return vm_out_attach(vm, vdev, true, announce, cause);
    case VM_UNIT_DISPLAY: made = con3270_create(vm->css, vdev, announce, cause); break;
    }
    return made ? ST_OK : cause->status;
}

int vm_unit_attach(struct vm *vm, enum vm_unit unit, u16 vdev, bool announce,
                   struct cause *cause)
{
    u16 *place = unit_place(vm, unit);
    if (!place || *place)
        return cause_set(cause, ST_LIMIT, "%s has as many of these as are possible",
                         vm->config.name);
    if (css_find_devno(vm->css, vdev))
        return cause_set(cause, ST_EXIST, "device %04X exists", vdev);
    vm_hold(vm);
    *place = vdev;
    int rc = unit_create(vm, unit, vdev, announce, cause);
    if (rc)
        *place = 0;
    vm_release(vm);
    return rc;
}

/* What the machine knows of the device goes before it. */
static void forget(struct vm *vm, u16 vdev)
{
    struct vm_config *k = &vm->config;
    u16 *place[4 + VM_DISPLAYS_MAX] = {&k->console_vdev, &k->reader_vdev, &k->punch_vdev,
                                       &k->printer_vdev};
    for (unsigned i = 0; i < VM_DISPLAYS_MAX; i++)
        place[4 + i] = &k->display_vdev[i];
    if (k->console_vdev == vdev) {
        vm->console_dev = NULL;
        vm->console_display = NULL;
    }
    if (k->reader_vdev == vdev)
        vm->reader = NULL;
    for (size_t i = 0; i < ARRAY_LEN(place); i++)
        if (*place[i] == vdev)
            *place[i] = 0;
}

int vm_device_detach(struct vm *vm, u16 vdev, bool announce, struct cause *cause)
{
    if (!css_find_devno(vm->css, vdev))
        return cause_set(cause, ST_NOENT, "device %04X does not exist", vdev);
    vm_hold(vm);
    if (vdev && vm->config.reader_vdev == vdev)
        spool_reader_detach(vm->host->spool, vm->config.name, false);
    if (vdev)
        forget(vm, vdev);
    int rc = css_detach(vm->css, vdev, announce, cause);
    spool_device_remove(vm->host->spool, vm->config.name, vdev);
    vm_release(vm);
    return rc;
}

int vm_device_reset(struct vm *vm, u16 vdev, struct cause *cause)
{
    return css_device_reset(vm->css, vdev, cause);
}

int vm_device_subchannel(struct vm *vm, u16 vdev)
{
    u32 schid = css_find_devno(vm->css, vdev);
    return schid ? (int)(schid & 0xffff) : -1;
}

/* --- QUERY VIRTUAL -------------------------------------------------------------------------- */

bool vm_device_row(struct vm *vm, unsigned i, struct vm_device_row *out)
{
    const struct vm_config *k = &vm->config;
    const struct {
        u16 devno;
        const char *klass, *text;
    } rows[] = {
        {k->console_vdev, "CONS", "ON LDEV L0003  TERM START"},
        {k->reader_vdev, "RDR", "CL * NOCONT NOHOLD   EOF       READY"},
        {k->punch_vdev, "PUN", "CL A NOCONT NOHOLD COPY 001    READY FORM STANDARD"},
        {k->printer_vdev, "PRT", "CL A NOCONT NOHOLD COPY 001    READY FORM STANDARD"},
    };
    for (unsigned r = 0; r < ARRAY_LEN(rows) + VM_DISPLAYS_MAX; r++) {
        bool display = r >= ARRAY_LEN(rows);
        u16 devno = display ? k->display_vdev[r - ARRAY_LEN(rows)] : rows[r].devno;
        if (!devno || i--)
            continue;
        out->devno = devno;
        snprintf(out->klass, sizeof out->klass, "%s", display ? "GRAF" : rows[r].klass);
        snprintf(out->text, sizeof out->text, "%s SUBCHANNEL = %04X",
                 display ? "3270" : rows[r].text, vm_device_subchannel(vm, devno) & 0xffff);
        return true;
    }
    return false;
}
