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

int vm_reader_attach(struct vm *vm, u16 vdev, bool announce, struct cause *cause)
{
    struct spool *spool = vm->host->spool;
    vm->reader = reader_create(vm->css, vdev, announce, cause);
    if (!vm->reader)
        return cause->status;
    reader_set_news(vm->reader, reader_news, vm);
    spool_reader_attach(spool, vm->config.name, vm->reader);
    struct spool_device *dev =
        spool_device_create(spool, vm->config.name, SPOOL_DEV_RDR, vdev,
                            *vm->config.reader_class ? *vm->config.reader_class : '*');
    if (!dev)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", vdev);
    spool_device_changed(dev);
    if (announce) /* the machine runs already */
        spool_deliver(spool, vm->config.name);
    return ST_OK;
}

int vm_out_attach(struct vm *vm, u16 vdev, bool printer, bool announce, struct cause *cause)
{
    const char *classes = printer ? vm->config.printer_class : vm->config.punch_class;
    struct spool_device *dev =
        spool_device_create(vm->host->spool, vm->config.name,
                            printer ? SPOOL_DEV_PRT : SPOOL_DEV_PUN, vdev, class_of(classes));
    if (!dev)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", vdev);
    return (printer ? printer_create : punch_create)(vm->css, vdev, announce, spool_device_sink,
                                                     dev, cause);
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
