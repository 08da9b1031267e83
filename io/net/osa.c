/* The three devices of an OSA adapter. Control messages go out on the write device and their
 * answers come in on the read device, whose read command waits for one; the data device has the
 * queues, and its channel program stays active as long as they are. */
#include "io/net/osa.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/io_state.h"
#include "io/net/osa_internal.h"

#define CHP_TYPE_OSD 0x11
#define CHP_TYPE_IQD 0x24
#define FORMAT_OSD 0
#define FORMAT_IQD 2
#define CMD_WRITE 0x01
#define CMD_READ 0x02
#define CMD_ESTABLISH 0x1e
#define CMD_ACTIVATE 0x1f
#define CMD_CONFIGURATION 0x72
#define CONFIGURATION_BYTES 128u
#define CIW(type) (0x40 | (type)) /* command information word of sense id */
#define CIW_CONFIGURATION 0
#define CIW_ESTABLISH 3
#define CIW_ACTIVATE 4

void osa_counts(struct osa *osa, struct osa_counts *out)
{
    *out = (struct osa_counts){
        .filtered = osa->filtered, .no_buffer = osa->no_buffer, .bad_output = osa->bad_output};
    lock_take(&osa->lock);
    if (osa->port)
        lan_port_counts(osa->port, &out->lan);
    out->started = osa->s.lan;
    out->promiscuous = osa->s.promiscuous;
    out->layer = osa->s.layer;
    lock_drop(&osa->lock);
}

bool osa_address(struct osa *osa, bool group, unsigned i, u8 mac[MAC_BYTES])
{
    lock_take(&osa->lock);
    const struct osa_state *s = &osa->s;
    bool there = i < (group ? s->groups : s->macs);
    if (there)
        memcpy(mac, group ? s->group[i] : s->mac[i], MAC_BYTES);
    lock_drop(&osa->lock);
    return there;
}

void osa_mac(struct osa *osa, u8 mac[MAC_BYTES])
{
    lock_take(&osa->lock);
    memcpy(mac, osa->s.own, MAC_BYTES);
    lock_drop(&osa->lock);
}

/* --- commands -------------------------------------------------------------------------------- */

/** Is it one that CP makes? One of HiperSockets whose network is of layer 2 says that it is the
 *  machine's: on CP's Linux knows layer 3 only. */
static bool says_cp(struct osa *osa)
{
    lock_take(&osa->lock);
    bool layer2 = osa->config.kind == OSA_HIPERSOCKETS && osa->layer == OSA_LAYER2;
    lock_drop(&osa->lock);
    return osa->config.guest_lan && !layer2;
}

/** Node descriptors, as far as programs look: channel path, unit address, who offers it. */
static int read_configuration(struct osa_dev *dev, struct dev_io *io)
{
    u8 data[CONFIGURATION_BYTES] = {0};
    data[30] = dev->osa->config.kind == OSA_HIPERSOCKETS ? CHPID_IQD : CHPID_OSA;
    data[31] = (u8)(dev->osa->config.devno + dev->role);
    data[63] = 0;
    if (says_cp(dev->osa)) {
        data[16] = 0xe5; /* VM */
        data[17] = 0xd4;
    }
    dev_io_put(io, data, sizeof data);
    return DS_NORMAL;
}

u32 osa_read_schid(const struct osa *osa)
{
    return css_find_devno(osa->css, osa->config.devno + OSA_READ);
}

static int control_write(struct osa_dev *dev, struct dev_io *io)
{
    u8 msg[OSA_MESSAGE_MAX];
    size_t len = dev_io_get(io, msg, sizeof msg);
    if (!osa_message(dev->osa, dev->role, msg, (u32)len))
        return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    if (dev->role == OSA_WRITE)
        css_device_ready(dev->osa->css, osa_read_schid(dev->osa));
    return DS_NORMAL;
}

/** The answer that the device has for its program; NULL: none. */
static struct osa_reply *answer_take(struct osa_dev *dev)
{
    struct osa *osa = dev->osa;
    lock_take(&osa->lock);
    struct osa_reply *r = osa->idx[dev->role];
    osa->idx[dev->role] = NULL;
    if (!r && dev->role == OSA_READ && osa->replies) {
        r = osa->reply[0];
        memmove(osa->reply, osa->reply + 1, --osa->replies * sizeof osa->reply[0]);
    }
    lock_drop(&osa->lock);
    return r;
}

static int control_read(struct osa_dev *dev, struct dev_io *io)
{
    struct osa_reply *r = answer_take(dev);
    if (!r)
        return DEV_WAIT;
    dev_io_put(io, r->bytes, r->len);
    free(r);
    return DS_NORMAL;
}

static int control_start(void *arg, struct dev_io *io)
{
    struct osa_dev *dev = arg;
    switch (dev_io_command(io)) {
    case CMD_WRITE: return control_write(dev, io);
    case CMD_READ: return control_read(dev, io);
    case CMD_CONFIGURATION: return read_configuration(dev, io);
    default: return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    }
}

static const struct dev_qdio osa_qdio, iqd_qdio;

static int establish(struct osa_dev *dev, struct dev_io *io)
{
    struct osa *osa = dev->osa;
    u8 qdr[QDR_BYTES];
    if (dev_io_get(io, qdr, sizeof qdr) < sizeof qdr)
        return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    lock_take(&osa->lock);
    bool iqd = osa->config.kind == OSA_HIPERSOCKETS;
    const char *wrong = qdio_establish(&osa->q, qdr, iqd ? &iqd_qdio : &osa_qdio);
    lock_drop(&osa->lock);
    return wrong ? dev_io_unit_check(io, SENSE_COMMAND_REJECT) : DS_NORMAL;
}

/** The queues work until the channel program is ended. */
static int activate(struct osa_dev *dev, struct dev_io *io)
{
    lock_take(&dev->osa->lock);
    bool active = qdio_activate(&dev->osa->q);
    lock_drop(&dev->osa->lock);
    return active ? DEV_WAIT : dev_io_unit_check(io, SENSE_COMMAND_REJECT);
}

static int data_start(void *arg, struct dev_io *io)
{
    switch (dev_io_command(io)) {
    case CMD_ESTABLISH: return establish(arg, io);
    case CMD_ACTIVATE: return activate(arg, io);
    case CMD_CONFIGURATION: return read_configuration(arg, io);
    default: return dev_io_unit_check(io, SENSE_COMMAND_REJECT);
    }
}

/** Halt, clear or reset of the data device: the queues are no more. */
static void data_cancel(void *arg)
{
    struct osa *osa = ((struct osa_dev *)arg)->osa;
    lock_take(&osa->lock);
    qdio_stop(&osa->q);
    osa_backlog_drop_locked(osa);
    lock_drop(&osa->lock);
}

static void data_reset(void *arg)
{
    struct osa *osa = ((struct osa_dev *)arg)->osa;
    data_cancel(arg);
    lock_take(&osa->lock);
    osa->q.s = (struct qdio_state){0};
    osa_session_end_locked(osa);
    lock_drop(&osa->lock);
}

/* --- queues ---------------------------------------------------------------------------------- */

static void flush(struct osa *osa)
{
    lock_take(&osa->lock);
    u8 isc = osa->q.s.isc;
    bool interrupt = osa_flush_locked(osa);
    lock_drop(&osa->lock);
    if (interrupt)
        css_adapter_interruption(osa->css, isc);
}

static int data_signal(void *arg, u8 function, u32 mask, u32 mask2)
{
    struct osa *osa = ((struct osa_dev *)arg)->osa;
    (void)mask2;
    lock_take(&osa->lock);
    bool active = osa->q.s.phase == QDIO_ACTIVE;
    lock_drop(&osa->lock);
    if (!active)
        return 1;
    switch (function) {
    case SIGA_WRITE: osa_send(osa, mask); return 0;
    case SIGA_READ: flush(osa); return 0;
    case SIGA_SYNC: return 0; /* nothing of the queues is anywhere but in storage */
    default: return 1;
    }
}

static void data_indicate(void *arg, const struct qdio_indicators *to)
{
    struct osa *osa = ((struct osa_dev *)arg)->osa;
    lock_take(&osa->lock);
    struct qdio_state *s = &osa->q.s;
    s->summary = to->summary;
    s->subchannel = to->subchannel;
    s->summary_key = to->summary_key;
    s->subchannel_key = to->subchannel_key;
    s->isc = to->isc;
    lock_drop(&osa->lock);
}

#define QDIO_OF(of)                                                                            \
    {                                                                                          \
        .format = of,                                                                          \
        .characteristics =                                                                     \
            QDIO_SIGA_INPUT | QDIO_SIGA_OUTPUT | QDIO_AUTO_SYNC_AI | QDIO_AUTO_SYNC_PCI,       \
        .inputs = 1, .outputs = OSA_OUTPUTS, .signal = data_signal, .indicate = data_indicate, \
    }

static const struct dev_qdio osa_qdio = QDIO_OF(FORMAT_OSD), iqd_qdio = QDIO_OF(FORMAT_IQD);

static void data_hold(void *arg, bool on)
{
    struct osa *osa = ((struct osa_dev *)arg)->osa;
    lock_take(&osa->lock);
    osa->held = on;
    lock_drop(&osa->lock);
    if (on)
        return;
    osa_take_addresses(osa);
    flush(osa);
    /* An interruption that was due may be where the machine was; one too many does no harm. */
    lock_take(&osa->lock);
    u8 isc = osa->q.s.isc;
    bool due = qdio_indicate(&osa->q);
    lock_drop(&osa->lock);
    if (due)
        css_adapter_interruption(osa->css, isc);
}

/* --- life ------------------------------------------------------------------------------------ */

static void osa_free(struct osa *osa)
{
    lan_port_remove(osa->port);
    pthread_cond_destroy(&osa->unused);
    while (osa->replies)
        free(osa->reply[--osa->replies]);
    for (unsigned i = 0; i < ARRAY_LEN(osa->idx); i++)
        free(osa->idx[i]);
    osa_backlog_drop_locked(osa);
    osa_frames_drop(&osa->waiting);
    lock_fini(&osa->lock);
    free(osa->out);
    free(osa->frame);
    free(osa);
}

static void osa_detach(void *arg)
{
    struct osa_dev *dev = arg;
    struct osa *osa = dev->osa;
    if (dev->role == OSA_DATA)
        data_reset(dev);
    lock_take(&osa->lock);
    bool last = --osa->attached == 0;
    lock_drop(&osa->lock);
    if (last)
        osa_free(osa);
}

#define OSA_SENSE_ID(model)                                                                    \
    {                                                                                          \
        0xff, 0x17, 0x31, model, 0x17, 0x32, model, 0, CIW(CIW_CONFIGURATION),                 \
            CMD_CONFIGURATION, 0, CONFIGURATION_BYTES, CIW(CIW_ESTABLISH), CMD_ESTABLISH,      \
            QDR_BYTES >> 8, 0, CIW(CIW_ACTIVATE), CMD_ACTIVATE, 0, 0                           \
    }
#define OSA_SENSE_ID_BYTES 20

#define CONTROL_OPS(label, path, type, model)                                                  \
    {                                                                                          \
        .name = label, .chpid = path, .chp_type = type, .sense_id = OSA_SENSE_ID(model),       \
        .sense_id_bytes = OSA_SENSE_ID_BYTES, .start = control_start, .detach = osa_detach,    \
    }
#define DATA_OPS(label, path, type, model, of)                                                 \
    {                                                                                          \
        .name = label, .chpid = path, .chp_type = type, .sense_id = OSA_SENSE_ID(model),       \
        .sense_id_bytes = OSA_SENSE_ID_BYTES, .qdio = of, .start = data_start,                 \
        .cancel = data_cancel, .reset = data_reset, .hold = data_hold, .save = osa_save,       \
        .restore = osa_restore, .detach = osa_detach,                                          \
    }

/* By enum osa_kind. */
static const struct dev_ops control_ops[] = {
    CONTROL_OPS("OSA", CHPID_OSA, CHP_TYPE_OSD, 0x01),
    CONTROL_OPS("HiperSockets", CHPID_IQD, CHP_TYPE_IQD, 0x05),
};
static const struct dev_ops data_ops[] = {
    DATA_OPS("OSA data", CHPID_OSA, CHP_TYPE_OSD, 0x01, &osa_qdio),
    DATA_OPS("IQD data", CHPID_IQD, CHP_TYPE_IQD, 0x05, &iqd_qdio),
};

struct osa *osa_find(struct css *css, u16 devno)
{
    const struct dev_ops *ops;
    struct osa_dev *dev = css_find_device(css, devno, &ops);
    bool is = ops == &control_ops[OSA_QDIO] || ops == &control_ops[OSA_HIPERSOCKETS];
    return dev && is && dev->role == OSA_READ ? dev->osa : NULL;
}

/* The program hears of it by its read device. */
static void lan_event(struct osa *osa, bool started)
{
    lock_take(&osa->lock);
    bool told = osa_lan_event_locked(osa, started);
    lock_drop(&osa->lock);
    if (told)
        css_device_ready(osa->css, osa_read_schid(osa));
}

/** What of the rules of its port is the adapter's own affair. */
static void adapter_rules_locked(struct osa *osa, const struct lan_rules *rules)
{
    osa->layer = rules ? rules->layer : 0;
    if (rules && rules->frame_kib)
        osa_mfs_of(rules->frame_kib, &osa->config.mfs);
}

void osa_set_rules(struct osa *osa, const struct lan_rules *rules)
{
    lock_take(&osa->lock);
    adapter_rules_locked(osa, rules);
    struct lan_port *port = osa_port_use_locked(osa);
    bool held = osa->held;
    lock_drop(&osa->lock);
    if (!port)
        return;
    lan_port_rules(port, rules);
    if (!held)                   /* else when it is resumed */
        osa_take_addresses(osa); /* those that it may have again */
    lock_take(&osa->lock);
    osa_port_done_locked(osa);
    lock_drop(&osa->lock);
}

bool osa_ip_address(struct osa *osa, unsigned i, u8 ip[16])
{
    lock_take(&osa->lock);
    bool there = osa->s.layer == OSA_LAYER3 && i < osa->s.ips;
    if (there)
        memcpy(ip, osa->s.ip[i], IP_BYTES);
    lock_drop(&osa->lock);
    return there;
}

int osa_couple(struct osa *osa, struct lan *lan, const struct lan_rules *rules,
               struct cause *cause)
{
    char label[LAN_LABEL_BYTES];
    struct lan_port *port = lan_port_add(lan, LAN_STATION, &osa_port_ops, osa);
    if (!port)
        return cause_set(cause, ST_NOMEM, "device %04X: no room on the network",
                         osa->config.devno);
    snprintf(label, sizeof label, "%s%s%04X", osa->config.owner,
             osa->config.owner[0] ? "." : "", osa->config.devno);
    lan_port_label(port, label);
    if (rules)
        lan_port_rules(port, rules);
    lock_take(&osa->lock);
    bool coupled = osa->port != NULL;
    if (!coupled) {
        osa->port = port;
        adapter_rules_locked(osa, rules);
    }
    lock_drop(&osa->lock);
    if (coupled) {
        lan_port_remove(port);
        return cause_set(cause, ST_EXIST, "device %04X is coupled", osa->config.devno);
    }
    osa_take_addresses(osa);
    lan_event(osa, true);
    return ST_OK;
}

bool osa_uncouple(struct osa *osa)
{
    lock_take(&osa->lock);
    struct lan_port *port = osa->port;
    osa->port = NULL;
    osa->layer = 0;
    osa->s.lan = 0;
    while (osa->port_users)
        lock_wait(&osa->unused, &osa->lock);
    osa_backlog_drop_locked(osa);
    lock_drop(&osa->lock);
    if (!port)
        return false;
    lan_port_remove(port);
    lan_event(osa, false);
    return true;
}

static struct osa *osa_new(struct css *css, const struct osa_config *config)
{
    struct osa *osa = calloc(1, sizeof *osa);
    if (!osa)
        return NULL;
    osa->css = css;
    osa->config = *config;
    osa->q.st = css_storage(css);
    osa_frames_init(&osa->backlog);
    osa_frames_init(&osa->waiting);
    osa->out = malloc(OSA_BUFFER_ROOM);
    osa->frame = malloc(LAN_FRAME_MAX);
    if (!osa->out || !osa->frame) {
        free(osa->out);
        free(osa->frame);
        free(osa);
        return NULL;
    }
    memcpy(osa->s.own, config->mac, MAC_BYTES);
    lock_init(&osa->lock, LOCK_NIC);
    pthread_cond_init(&osa->unused, NULL);
    for (unsigned i = 0; i < OSA_ROLES; i++)
        osa->dev[i] = (struct osa_dev){.osa = osa, .role = i};
    return osa;
}

int osa_create(struct css *css, const struct osa_config *config, struct lan *lan, bool announce,
               struct osa **out, struct cause *cause)
{
    if (config->devno > 0xfffd)
        return cause_set(cause, ST_INVAL, "device %04X: three device numbers are needed",
                         config->devno);
    struct osa *osa = osa_new(css, config);
    if (!osa)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", config->devno);
    int rc = lan ? osa_couple(osa, lan, NULL, cause) : ST_OK;
    if (rc) {
        osa_free(osa);
        return rc;
    }
    unsigned n = 0;
    for (; rc == ST_OK && n < OSA_ROLES; n++) {
        osa->attached++;
        rc = css_attach(css, config->devno + n,
                        (n == OSA_DATA ? data_ops : control_ops) + config->kind, &osa->dev[n],
                        announce, NULL, cause);
    }
    if (rc) {
        struct cause ignored;
        osa->attached = n--; /* one more than attached: it goes below */
        for (unsigned i = 0; i < n; i++)
            css_detach(css, config->devno + i, announce, &ignored);
        osa_detach(&osa->dev[n]);
        return rc;
    }
    if (out)
        *out = osa;
    return ST_OK;
}
