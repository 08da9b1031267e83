/* A virtual machine's unit record devices and the spool: made together, gone together. */
#include <stdatomic.h>

#include "hyp/spool/spool_device.h"
#include "hyp/vm_internal.h"

static char class_of(const char *classes)
{
    return classes && *classes ? *classes : 'A';
}

/* The guest opened or finished a reader file: the spool takes note on the loop thread. */
static void take_note(void *arg)
{
    struct vm *vm = arg;
    if (!vm->dead)
        spool_sync(vm->host->spool, vm->config.name);
    vm_note_done(vm);
}

static void reader_news(void *arg)
{
    struct vm *vm = arg;
    atomic_fetch_add(&vm->notes, 1);
    vm->host->ports.post(vm->host->ports.ctx, take_note, vm);
}

static int reader_attach(struct vm *vm, const struct vm_spooled *row, bool announce,
                         struct cause *cause)
{
    struct spool *spool = vm->host->spool;
    struct reader *beside = spool_reader(spool, vm->config.name, 0);
    struct reader *reader = reader_create_beside(vm->css, row->vdev, beside, announce, cause);
    if (!reader)
        return cause->status;
    reader_set_news(reader, reader_news, vm);
    if (spool_reader_attach(spool, vm->config.name, row->vdev, reader, cause))
        return cause->status;
    struct spool_device *dev = spool_device_create(
        spool, vm->config.name, SPOOL_DEV_RDR, row->vdev, *row->classes ? *row->classes : '*');
    if (!dev)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", row->vdev);
    reader_set_counts(reader, spool_device_read(dev));
    spool_device_changed(dev);
    if (announce) /* the machine runs already */
        spool_deliver(spool, vm->config.name);
    return ST_OK;
}

static int out_attach(struct vm *vm, const struct vm_spooled *row, bool announce,
                      struct cause *cause)
{
    bool printer = row->kind == VM_PRINTER;
    struct spool_device *dev = spool_device_create(vm->host->spool, vm->config.name,
                                                   printer ? SPOOL_DEV_PRT : SPOOL_DEV_PUN,
                                                   row->vdev, class_of(row->classes));
    if (!dev)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", row->vdev);
    if (printer)
        return printer_create(vm->css, row->vdev, row->printer, announce, spool_device_sink,
                              dev, cause);
    return punch_create(vm->css, row->vdev, announce, spool_device_sink, dev, cause);
}

int vm_spooled_attach(struct vm *vm, const struct vm_spooled *row, bool announce,
                      struct cause *cause)
{
    return (row->kind == VM_READER ? reader_attach : out_attach)(vm, row, announce, cause);
}

const struct vm_spooled *vm_spooled_find(const struct vm *vm, u16 vdev)
{
    const struct vm_spooled *row = vm->config.spooled;
    for (unsigned i = 0; i < VM_SPOOLED_MAX; i++)
        if (row[i].vdev == vdev)
            return &row[i];
    return NULL;
}

void vm_spool_end(struct vm *vm)
{
    spool_devices_end(vm->host->spool, vm->config.name, vm->quiesced);
}

struct spool *vm_host_spool(struct vm_host *host)
{
    return host->spool;
}

int vm_host_punch(struct vm_host *host, const char *userid, const char *origin,
                  const char *name, const char *type, const void *bytes, size_t len, u16 *id,
                  struct cause *cause)
{
    struct spool_desc desc;
    struct spool_data data;
    struct spool_file *file;
    spool_desc_init(&desc, userid, SPOOL_RDR);
    strncpy(desc.origin, origin, sizeof desc.origin - 1);
    strncpy(desc.name, name, sizeof desc.name - 1);
    strncpy(desc.type, type, sizeof desc.type - 1);
    spool_data_init(&data);
    if (!spool_data_add_cards(&data, bytes, len))
        return cause_set(cause, ST_LIMIT, "%zu bytes are too many for a spool file", len);
    int rc = spool_add(host->spool, &desc, &data, &file, cause);
    spool_data_fini(&data);
    if (rc == ST_OK && id)
        *id = spool_desc(file)->id;
    return rc;
}
