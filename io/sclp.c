/* The SCLP's life, SERVICE CALL, the service signal, state. The commands: sclp_info.c and
 * sclp_event.c. A command completes before SERVICE CALL returns; its signal is pending then. */
#include "io/sclp_internal.h"

#include <stdlib.h>

#define CMD_MASK 0xffff00ffu /* without the number of what the command is about */
#define SIGNAL_EVENT 0x1u
#define SIGNAL_SCCB 0xfffffff8u
#define PGM_ADDRESSING (-0x05)
#define PGM_SPECIFICATION (-0x06)

static const struct {
    u32 command;
    sclp_command *fn;
} sclp_commands[] = {
    {0x00020001, sclp_read_scp_info},    {0x00120001, sclp_read_scp_info},
    {0x00110001, sclp_configure_cpu},    {0x00100001, sclp_deconfigure_cpu},
    {0x00040001, sclp_read_element},     {0x00080001, sclp_attach_element},
    {0x000f0001, sclp_configure_chp},    {0x000e0001, sclp_deconfigure_chp},
    {0x00030001, sclp_read_chp_info},    {0x000d0001, sclp_assign},
    {0x000c0001, sclp_unassign},         {0x00010001, sclp_read_cpu_info},
    {0x00760005, sclp_write_event_data}, {0x00770005, sclp_read_event_data},
    {0x00780005, sclp_write_event_mask},
};

struct sclp *sclp_create(struct storage *storage, const struct io_ports *ports, void *ctx,
                         const struct sclp_config *config)
{
    struct sclp *sclp = calloc(1, sizeof *sclp);
    if (!sclp)
        return NULL;
    sclp->storage = storage;
    sclp->ports = ports;
    sclp->ctx = ctx;
    sclp->config = *config;
    if (sclp->config.cpus > SCLP_CPUS_MAX)
        sclp->config.cpus = SCLP_CPUS_MAX;
    lock_init(&sclp->lock, LOCK_SCLP);
    return sclp;
}

void sclp_events_drop_locked(struct sclp *sclp)
{
    while (sclp->first) {
        struct sclp_event *e = sclp->first;
        sclp->first = e->next;
        free(e);
    }
    sclp->last = NULL;
    sclp->events = 0;
}

void sclp_destroy(struct sclp *sclp)
{
    if (!sclp)
        return;
    sclp_events_drop_locked(sclp);
    lock_fini(&sclp->lock);
    free(sclp);
}

static void tell_quiesce_locked(struct sclp *sclp)
{
    if (sclp->ports->quiesce_capable)
        sclp->ports->quiesce_capable(sclp->ctx,
                                     sclp->s.receive_mask & EVENT_BIT(EVT_SIGNAL_QUIESCE));
}

void sclp_set_esop(struct sclp *sclp, bool esop)
{
    lock_take(&sclp->lock);
    sclp->config.esop = esop;
    lock_drop(&sclp->lock);
}

void sclp_reset(struct sclp *sclp)
{
    lock_take(&sclp->lock);
    sclp_events_drop_locked(sclp);
    sclp->s = (struct sclp_state){0};
    tell_quiesce_locked(sclp);
    lock_drop(&sclp->lock);
}

void sclp_pend_locked(struct sclp *sclp, u32 parm)
{
    sclp->s.signal_parm |= parm;
    sclp->s.signal_pending = 1;
    if (sclp->ports->service_signal)
        sclp->ports->service_signal(sclp->ctx, sclp->s.signal_parm);
}

static u16 perform(struct sclp *sclp, u32 command, u8 *sccb, u32 len)
{
    for (size_t i = 0; i < ARRAY_LEN(sclp_commands); i++)
        if (sclp_commands[i].command == (command & CMD_MASK))
            return sclp_commands[i].fn(sclp, sccb, len);
    return RC_INVALID_COMMAND;
}

static void complete(struct sclp *sclp, u64 sccb_abs)
{
    lock_take(&sclp->lock);
    u32 event = sclp_event_waits_locked(sclp) ? SIGNAL_EVENT : 0;
    sclp->busy = false;
    sclp_pend_locked(sclp, (u32)sccb_abs | event);
    lock_drop(&sclp->lock);
}

static bool enter(struct sclp *sclp)
{
    lock_take(&sclp->lock);
    bool free_now = !sclp->busy && !(sclp->s.signal_parm & SIGNAL_SCCB);
    if (free_now)
        sclp->busy = true;
    lock_drop(&sclp->lock);
    return free_now;
}

int sclp_service_call(struct sclp *sclp, u32 command, u64 sccb_abs)
{
    u8 sccb[SCCB_BYTES_MAX];
    if (!sccb_abs || sccb_abs & ~(u64)0x7ffffff8)
        return PGM_SPECIFICATION;
    if (!storage_read(sclp->storage, sccb_abs, sccb, SCCB_HEADER))
        return PGM_ADDRESSING;
    u32 len = be16_load(sccb);
    if (len < SCCB_HEADER)
        return PGM_SPECIFICATION;
    if (!storage_host(sclp->storage, sccb_abs, len))
        return PGM_ADDRESSING;
    if (!enter(sclp))
        return 2;
    sclp->command = command;
    u16 response = RC_BOUNDARY;
    u32 back = SCCB_HEADER;
    if (sccb_abs % FRAME_BYTES + len <= FRAME_BYTES) {
        storage_read(sclp->storage, sccb_abs, sccb, len);
        response = perform(sclp, command, sccb, len);
        back = len;
    }
    be16_store(sccb + SCCB_RESPONSE, response);
    storage_write(sclp->storage, sccb_abs, sccb, back);
    complete(sclp, sccb_abs);
    return 0;
}

bool sclp_take_signal(struct sclp *sclp, u32 *parm)
{
    lock_take(&sclp->lock);
    bool pending = sclp->s.signal_pending;
    *parm = sclp->s.signal_parm;
    sclp->s.signal_parm = 0;
    sclp->s.signal_pending = 0;
    lock_drop(&sclp->lock);
    return pending;
}

bool sclp_signal_pending(struct sclp *sclp)
{
    lock_take(&sclp->lock);
    bool pending = sclp->s.signal_pending;
    lock_drop(&sclp->lock);
    return pending;
}

void sclp_save(struct sclp *sclp, u16 tag, struct codec_out *out)
{
    lock_take(&sclp->lock);
    codec_begin(out, tag, 1);
    io_rows_put(out, &sclp_rows, &sclp->s);
    for (const struct sclp_event *e = sclp->first; e; e = e->next)
        codec_put_bytes(out, IO_TAG_EVENT, e->bytes, e->len);
    codec_end(out);
    lock_drop(&sclp->lock);
}

static bool state_valid(const struct sclp_state *s)
{
    return s->signal_pending <= 1 && s->mask_bytes <= SCLP_MASK_BYTES_MAX &&
           (s->signal_pending || !s->signal_parm) && s->signal_parm < 0x80000000u;
}

static bool event_valid(const struct codec_row *row)
{
    return row->len >= EVENT_HEADER && row->len <= SCLP_EVENT_BYTES_MAX &&
           be16_load(row->p) == row->len && row->p[2] >= 1 && row->p[2] <= 64;
}

static bool restore_locked(struct sclp *sclp, struct codec_in *in)
{
    struct sclp_state s = {0};
    struct codec_row row;
    u64 seen = 0;
    if (in->version != 1)
        return false;
    sclp_events_drop_locked(sclp);
    sclp->s.receive_mask = ~0ull; /* so that events are taken, whatever their type */
    while (codec_next(in, &row)) {
        bool ok =
            row.tag == IO_TAG_EVENT
                ? event_valid(&row) && sclp_event_add_locked(sclp, row.p, row.len) == ST_OK
                : io_rows_get(&row, &sclp_rows, &s, &seen);
        if (!ok)
            return false;
    }
    if (in->failed || !io_rows_complete(&sclp_rows, seen) || !state_valid(&s))
        return false;
    sclp->s = s;
    return true;
}

int sclp_restore(struct sclp *sclp, struct codec_in *in, struct cause *cause)
{
    lock_take(&sclp->lock);
    bool ok = restore_locked(sclp, in);
    if (!ok) {
        sclp_events_drop_locked(sclp);
        sclp->s = (struct sclp_state){0};
    } else if (sclp->s.signal_pending) {
        sclp_pend_locked(sclp, 0);
    }
    tell_quiesce_locked(sclp);
    lock_drop(&sclp->lock);
    return ok ? ST_OK : cause_set(cause, ST_PROTO, "SCLP state is broken");
}
