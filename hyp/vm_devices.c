/* Devices of a machine that come and go while it runs: disks, tapes, unit record, displays.
 * The guest is told by channel reports. Loop thread; the machine is held where others look at
 * what changes. */
#include <stdio.h>

#include "hyp/spool/spool_device.h"
#include "hyp/vm_internal.h"
#include "io/net/ctca.h"
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

int vm_tape_rewind(struct vm *vm, u16 vdev, struct cause *cause)
{
    vm_hold(vm);
    struct tape *tape = tape_find(vm->css, vdev);
    int rc = tape ? ST_OK : cause_set(cause, ST_NOENT, "device %04X is not a tape drive", vdev);
    if (tape && css_activity(vm->css, css_find_devno(vm->css, vdev)) == CSS_BUSY)
        rc = cause_set(cause, ST_BUSY, "its channel program runs");
    if (rc == ST_OK)
        rc = tape_rewind(tape, cause);
    vm_release(vm);
    return rc;
}

/* --- network adapters ----------------------------------------------------------------------- */

int vm_nic_attach(struct vm *vm, u16 vdev, const u8 mac[6], const struct vm_nic_kind *kind,
                  bool announce, struct cause *cause)
{
    struct osa_config config = {.kind = kind->hipersockets ? OSA_HIPERSOCKETS : OSA_QDIO,
                                .devno = vdev,
                                .guest_lan = true};
    memcpy(config.mac, mac, sizeof config.mac);
    snprintf(config.owner, sizeof config.owner, "%s", vm->config.name);
    return osa_create(vm->css, &config, NULL, announce, NULL, cause);
}

int vm_nic_couple(struct vm *vm, u16 vdev, struct lan *lan, const struct lan_rules *rules,
                  struct cause *cause)
{
    struct osa *osa = osa_find(vm->css, vdev);
    if (!osa)
        return cause_set(cause, ST_NOENT, "there is no adapter at %04X", vdev);
    if (lan)
        return osa_couple(osa, lan, rules, cause);
    osa_uncouple(osa);
    return ST_OK;
}

bool vm_nic_info(struct vm *vm, u16 vdev, struct vm_nic_info *out)
{
    struct osa_counts c;
    struct osa *osa = osa_find(vm->css, vdev);
    if (!osa)
        return false;
    osa_counts(osa, &c);
    *out = (struct vm_nic_info){.received = c.lan.received,
                                .received_bytes = c.lan.received_bytes,
                                .no_room = c.no_buffer,
                                .sent = c.lan.frames,
                                .sent_bytes = c.lan.bytes,
                                .discarded = c.lan.discarded,
                                .errors = c.lan.malformed + c.bad_output,
                                .started = c.started,
                                .promiscuous = c.promiscuous,
                                .layer = c.layer};
    return true;
}

bool vm_nic_rules(struct vm *vm, u16 vdev, const struct lan_rules *rules)
{
    struct osa *osa = osa_find(vm->css, vdev);
    if (osa)
        osa_set_rules(osa, rules);
    return osa != NULL;
}

bool vm_nic_ip(struct vm *vm, u16 vdev, unsigned i, u8 ip[16])
{
    struct osa *osa = osa_find(vm->css, vdev);
    return osa && osa_ip_address(osa, i, ip);
}

bool vm_nic_address(struct vm *vm, u16 vdev, bool group, unsigned i, u8 mac[6])
{
    struct osa *osa = osa_find(vm->css, vdev);
    return osa && osa_address(osa, group, i, mac);
}

/* --- channel-to-channel adapters ------------------------------------------------------------ */

int vm_ctca_attach(struct vm *vm, u16 vdev, u8 type, bool announce, struct cause *cause)
{
    return ctca_create(vm->css, vm->host->ctcs, vdev, (enum ctca_type)type, announce, cause);
}

struct ctca *vm_ctca(struct vm *vm, u16 vdev)
{
    return ctca_find(vm->css, vdev);
}

void vm_ctca_set_remote(struct vm *vm, u16 vdev, struct ctc_remote *remote)
{
    struct ctca *ctca = ctca_find(vm->css, vdev);
    if (!ctca)
        return;
    if (!vm->quiesced)
        css_quiesce(vm->css);
    ctca_set_remote(ctca, remote);
    if (!vm->quiesced)
        css_resume(vm->css);
}

/* --- unit record devices, console, displays ------------------------------------------------ */

static struct vm_spooled *spooled_row(struct vm *vm, u16 vdev)
{
    const struct vm_spooled *row = vm_spooled_find(vm, vdev);
    return row ? &vm->config.spooled[row - vm->config.spooled] : NULL;
}

/* A free place for a reader, a punch or a printer; or NULL. */
static u16 *spooled_place(struct vm *vm, enum vm_unitrec_kind kind, enum printer_type printer)
{
    struct vm_spooled *row = spooled_row(vm, 0);
    if (!row)
        return NULL;
    *row = (struct vm_spooled){.kind = kind, .printer = printer};
    return &row->vdev;
}

static u16 *unit_place(struct vm *vm, enum vm_unit unit)
{
    struct vm_config *k = &vm->config;
    switch (unit) {
    case VM_UNIT_CONSOLE: return &k->console_vdev;
    case VM_UNIT_READER: return spooled_place(vm, VM_READER, 0);
    case VM_UNIT_PUNCH: return spooled_place(vm, VM_PUNCH, 0);
    case VM_UNIT_PRINTER: return spooled_place(vm, VM_PRINTER, PRINTER_1403);
    case VM_UNIT_PRINTER_3203: return spooled_place(vm, VM_PRINTER, PRINTER_3203);
    case VM_UNIT_PRINTER_3211: return spooled_place(vm, VM_PRINTER, PRINTER_3211);
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
    case VM_UNIT_READER:
    case VM_UNIT_PUNCH:
    case VM_UNIT_PRINTER:
    case VM_UNIT_PRINTER_3203:
    case VM_UNIT_PRINTER_3211:
        return vm_spooled_attach(vm, vm_spooled_find(vm, vdev), announce, cause);
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
    u16 *place[1 + VM_DISPLAYS_MAX] = {&k->console_vdev};
    for (unsigned i = 0; i < VM_DISPLAYS_MAX; i++)
        place[1 + i] = &k->display_vdev[i];
    struct vm_spooled *row = spooled_row(vm, vdev);
    if (k->console_vdev == vdev) {
        vm->console_dev = NULL;
        vm->console_display = NULL;
    }
    if (row)
        row->vdev = 0;
    for (size_t i = 0; i < ARRAY_LEN(place); i++)
        if (*place[i] == vdev)
            *place[i] = 0;
}

int vm_device_detach(struct vm *vm, u16 vdev, bool announce, struct cause *cause)
{
    if (!css_find_devno(vm->css, vdev))
        return cause_set(cause, ST_NOENT, "device %04X does not exist", vdev);
    vm_hold(vm);
    if (vdev) {
        spool_reader_detach(vm->host->spool, vm->config.name, vdev);
        forget(vm, vdev);
    }
    int rc = css_detach(vm->css, vdev, announce, cause);
    spool_device_remove(vm->host->spool, vm->config.name, vdev);
    vm_release(vm);
    return rc;
}

int vm_device_reset(struct vm *vm, u16 vdev, struct cause *cause)
{
    vm_hold(vm); /* a CPU that signals an adapter leaves it */
    int rc = css_device_reset(vm->css, vdev, cause);
    vm_release(vm);
    return rc;
}

int vm_device_end(struct vm *vm, u16 vdev, struct cause *cause)
{
    u32 schid = css_find_devno(vm->css, vdev);
    if (!schid)
        return cause_set(cause, ST_NOENT, "device %04X does not exist", vdev);
    css_attention(vm->css, schid, DS_DEVICE_END);
    return ST_OK;
}

int vm_device_subchannel(struct vm *vm, u16 vdev)
{
    u32 schid = css_find_devno(vm->css, vdev);
    return schid ? (int)(schid & 0xffff) : -1;
}

/* --- QUERY VIRTUAL -------------------------------------------------------------------------- */

struct place {
    u16 devno;
    enum vm_unit unit;
    const char *klass, *text;
};

#define PLACES_MAX (1 + VM_SPOOLED_MAX + VM_DISPLAYS_MAX)

static unsigned add_place(struct place *places, unsigned n, const struct place *place,
                          u16 devno)
{
    places[n] = *place;
    places[n].devno = devno;
    return n + (devno != 0);
}

static const struct place *spooled_text(const struct vm_spooled *row)
{
#define OUTPUT_TEXT "CL A NOCONT NOHOLD COPY 001    READY FORM STANDARD"
    static const struct place printers[] = {
        [PRINTER_1403] = {0, VM_UNIT_PRINTER, "PRT", OUTPUT_TEXT},
        [PRINTER_3203] = {0, VM_UNIT_PRINTER_3203, "PRT", OUTPUT_TEXT},
        [PRINTER_3211] = {0, VM_UNIT_PRINTER_3211, "PRT", OUTPUT_TEXT}};
    static const struct place others[] = {
        [VM_READER] = {0, VM_UNIT_READER, "RDR", "CL * NOCONT NOHOLD   EOF       READY"},
        [VM_PUNCH] = {0, VM_UNIT_PUNCH, "PUN", OUTPUT_TEXT}};
#undef OUTPUT_TEXT
    return row->kind == VM_PRINTER ? &printers[row->printer] : &others[row->kind];
}

/* Console, readers, punches, printers, displays. */
static unsigned device_places(const struct vm_config *k, struct place places[PLACES_MAX + 1])
{
    static const struct place console = {0, VM_UNIT_CONSOLE, "CONS", "3215"};
    static const struct place display = {0, VM_UNIT_DISPLAY, "GRAF", "3270"};
    unsigned n = add_place(places, 0, &console, k->console_vdev);
    for (unsigned kind = 0; kind <= VM_PRINTER; kind++)
        for (unsigned i = 0; i < VM_SPOOLED_MAX; i++)
            if (k->spooled[i].kind == kind)
                n = add_place(places, n, spooled_text(&k->spooled[i]), k->spooled[i].vdev);
    for (unsigned i = 0; i < VM_DISPLAYS_MAX; i++)
        n = add_place(places, n, &display, k->display_vdev[i]);
    return n;
}

bool vm_device_row(struct vm *vm, unsigned i, struct vm_device_row *out)
{
    struct place places[PLACES_MAX + 1];
    if (i >= device_places(&vm->config, places))
        return false;
    out->devno = places[i].devno;
    out->unit = places[i].unit;
    snprintf(out->klass, sizeof out->klass, "%s", places[i].klass);
    snprintf(out->text, sizeof out->text, "%s SUBCHANNEL = %04X", places[i].text,
             vm_device_subchannel(vm, places[i].devno) & 0xffff);
    return true;
}
