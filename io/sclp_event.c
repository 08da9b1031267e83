/* SCLP events: masks, console output (messages, VT220), commands, quiesce, state change.
 * An event buffer is length(2) type flags reserved(2) data; a message holds a data block. */
#include <stdlib.h>

#include "io/sclp_internal.h"

#define MASK_LENGTH 10u
#define MASK_DATA 12u
#define MDB_HEADER 12u      /* length, type, tag, revision */
#define MDB_TAG 0xd4c4c240u /* "MDB " */
#define MTO_HEADER 10u      /* length, type, line type flags, alarm, reserved(3) */
#define OBJECT_MTO 4
#define VT220_INPUT_MAX 512u
#define TYPED_EVENTS_MAX 16u   /* more typed text is not taken while so many wait */
#define STATE_CHANGE_BYTES 38u /* header, flags, length, 3 masks of 8, function mask of 4 */
#define GDS_MDSMU 0x1310
#define GDS_CPMSU 0x1212
#define GDS_TEXT_COMMAND 0x1320
#define KEY_SELF_DEFINING_TEXT 0x31
#define KEY_TEXT 0x30

static enum ebcdic_page page_of(const struct sclp *sclp)
{
    return sclp->config.code_page_500 ? EBCDIC_500 : EBCDIC_037;
}

u64 sclp_takes_locked(const struct sclp *sclp)
{
    return (sclp->config.line_mode ? EVENT_BIT(EVT_MESSAGE) | EVENT_BIT(EVT_PRIORITY_MESSAGE)
                                   : 0) |
           (sclp->config.vt220 ? EVENT_BIT(EVT_VT220) : 0);
}

u64 sclp_sends_locked(const struct sclp *sclp)
{
    return EVENT_BIT(EVT_STATE_CHANGE) | EVENT_BIT(EVT_SIGNAL_QUIESCE) |
           (sclp->ports->cpu_configure ? EVENT_BIT(EVT_CONFIGURATION) : 0) |
           (sclp->config.line_mode
                ? EVENT_BIT(EVT_OPERATOR_COMMAND) | EVENT_BIT(EVT_PRIORITY_MESSAGE)
                : 0) |
           (sclp->config.vt220 ? EVENT_BIT(EVT_VT220) : 0);
}

static bool wanted(const struct sclp *sclp, const struct sclp_event *e)
{
    return sclp->s.receive_mask & EVENT_BIT(e->bytes[2]);
}

bool sclp_event_waits_locked(const struct sclp *sclp)
{
    const struct sclp_event *e = sclp->first;
    while (e && !wanted(sclp, e))
        e = e->next;
    return e != NULL;
}

int sclp_event_add_locked(struct sclp *sclp, const u8 *event, u32 len)
{
    if (!(sclp->s.receive_mask & EVENT_BIT(event[2])))
        return ST_REFUSED;
    if (sclp->events == SCLP_EVENTS_QUEUED_MAX)
        return ST_LIMIT;
    struct sclp_event *e = malloc(sizeof *e + len);
    if (!e)
        return ST_NOMEM;
    e->next = NULL;
    e->len = (u16)len;
    memcpy(e->bytes, event, len);
    if (sclp->last)
        sclp->last->next = e;
    else
        sclp->first = e;
    sclp->last = e;
    sclp->events++;
    return ST_OK;
}

static int event_signal(struct sclp *sclp, const u8 *event, u32 len)
{
    lock_take(&sclp->lock);
    int rc = sclp_event_add_locked(sclp, event, len);
    if (rc == ST_OK)
        sclp_pend_locked(sclp, 1);
    lock_drop(&sclp->lock);
    return rc;
}

static void out(struct sclp *sclp, u32 where, const char *text, size_t len, bool newline)
{
    if (sclp->ports->console_write)
        sclp->ports->console_write(sclp->ctx, where, text, len, newline);
}

/** A message data block: each message text object is one line. */
static u16 write_message(struct sclp *sclp, const u8 *event, u32 len)
{
    char text[2 * SCCB_BYTES_MAX];
    const u8 *mdb = event + EVENT_HEADER;
    u32 room = len - EVENT_HEADER;
    if (room < MDB_HEADER || be16_load(mdb) < MDB_HEADER || be16_load(mdb) > room ||
        be32_load(mdb + 4) != MDB_TAG)
        return RC_EVENT_SYNTAX;
    u32 end = be16_load(mdb);
    for (u32 at = MDB_HEADER; at < end;) {
        u32 size = end - at < 4 ? 0 : be16_load(mdb + at);
        if (size < 4 || size > end - at)
            return RC_EVENT_SYNTAX;
        if (be16_load(mdb + at + 2) == OBJECT_MTO && size >= MTO_HEADER) {
            size_t n =
                ebcdic_to_utf8(page_of(sclp), mdb + at + MTO_HEADER, size - MTO_HEADER, text);
            out(sclp, IO_CONSOLE_SCLP, text, n, true);
        }
        at += size;
    }
    return RC_NORMAL;
}

static u16 write_event(struct sclp *sclp, u8 *event, u32 len, u64 takes)
{
    u8 type = event[2];
    u16 rc;
    if (!type || type > 64 || !(takes & EVENT_BIT(type)))
        return RC_INVALID_FUNCTION;
    if (type == EVT_VT220) {
        out(sclp, IO_CONSOLE_VT220, (const char *)event + EVENT_HEADER, len - EVENT_HEADER,
            false);
        rc = RC_NORMAL;
    } else {
        rc = write_message(sclp, event, len);
    }
    if (rc == RC_NORMAL)
        event[3] |= EVENT_ACCEPTED;
    return rc;
}

/** All event buffers must lie in the SCCB before any of them is acted on. */
static u16 check_events(const u8 *sccb, u32 len)
{
    u32 at = SCCB_HEADER;
    if (at == len)
        return RC_INCONSISTENT_LENGTHS;
    while (at < len) {
        u32 size = len - at < EVENT_HEADER ? 0 : be16_load(sccb + at);
        if (size < EVENT_HEADER || size > len - at)
            return RC_INCONSISTENT_LENGTHS;
        at += size;
    }
    return RC_NORMAL;
}

u16 sclp_write_event_data(struct sclp *sclp, u8 *sccb, u32 len)
{
    lock_take(&sclp->lock);
    u64 takes = sclp_takes_locked(sclp);
    lock_drop(&sclp->lock);
    u16 rc = check_events(sccb, len);
    for (u32 at = SCCB_HEADER; rc == RC_NORMAL && at < len; at += be16_load(sccb + at))
        rc = write_event(sclp, sccb + at, be16_load(sccb + at), takes);
    return rc;
}

u16 sclp_read_event_data(struct sclp *sclp, u8 *sccb, u32 len)
{
    u16 rc = RC_NO_EVENTS;
    lock_take(&sclp->lock);
    struct sclp_event **at = &sclp->first, *before = NULL;
    while (*at && !wanted(sclp, *at)) {
        before = *at;
        at = &(*at)->next;
    }
    struct sclp_event *e = *at;
    if (e && e->len > len - SCCB_HEADER) {
        rc = RC_EVENT_TOO_LONG;
    } else if (e) {
        memset(sccb + SCCB_HEADER, 0, len - SCCB_HEADER);
        memcpy(sccb + SCCB_HEADER, e->bytes, e->len);
        if (sccb[5] & SCCB_VARIABLE_RESPONSE)
            be16_store(sccb, (u16)(SCCB_HEADER + e->len));
        *at = e->next;
        if (sclp->last == e)
            sclp->last = before;
        sclp->events--;
        free(e);
        rc = RC_NORMAL;
    }
    lock_drop(&sclp->lock);
    if (rc == RC_NORMAL && sclp->ports->console_room)
        sclp->ports->console_room(sclp->ctx);
    return rc;
}

/** A mask of any length from or to 64 bits, leftmost first. */
static u64 mask_load(const u8 *p, u32 bytes)
{
    u64 mask = 0;
    for (u32 i = 0; i < bytes && i < 8; i++)
        mask |= (u64)p[i] << (56 - 8 * i);
    return mask;
}

static void mask_store(u8 *p, u32 bytes, u64 mask)
{
    for (u32 i = 0; i < bytes; i++)
        p[i] = i < 8 ? (u8)(mask >> (56 - 8 * i)) : 0;
}

u16 sclp_write_event_mask(struct sclp *sclp, u8 *sccb, u32 len)
{
    if (len < MASK_DATA)
        return RC_SHORT_SCCB;
    u32 n = be16_load(sccb + MASK_LENGTH);
    if (!n || n > SCLP_MASK_BYTES_MAX)
        return RC_MASK_LENGTH;
    if (len < MASK_DATA + 4 * n)
        return RC_SHORT_SCCB;
    lock_take(&sclp->lock);
    u64 before = sclp->s.receive_mask;
    sclp->s.receive_mask = mask_load(sccb + MASK_DATA, n);
    sclp->s.send_mask = mask_load(sccb + MASK_DATA + n, n);
    sclp->s.mask_bytes = n;
    mask_store(sccb + MASK_DATA + 2 * n, n, sclp_takes_locked(sclp));
    mask_store(sccb + MASK_DATA + 3 * n, n, sclp_sends_locked(sclp));
    u64 quiesce = EVENT_BIT(EVT_SIGNAL_QUIESCE);
    if ((before ^ sclp->s.receive_mask) & quiesce && sclp->ports->quiesce_capable)
        sclp->ports->quiesce_capable(sclp->ctx, sclp->s.receive_mask & quiesce);
    lock_drop(&sclp->lock);
    return RC_NORMAL;
}

/** An operator command: MDS-MU > CP-MSU > text command > self-defining text > text. */
static u32 operator_command(const struct sclp *sclp, const char *utf8, size_t len, u8 *event)
{
    u8 *text = event + EVENT_HEADER + 4 + 4 + 4 + 2 + 2;
    u32 n = (u32)ebcdic_from_utf8(page_of(sclp), utf8, len, text, SCLP_LINE_CHARS_MAX);
    u8 *p = event;
    be16_store(p, (u16)(EVENT_HEADER + 16 + n));
    p[2] = EVT_OPERATOR_COMMAND;
    p[3] = p[4] = p[5] = 0;
    p += EVENT_HEADER;
    be16_store(p, (u16)(16 + n));
    be16_store(p + 2, GDS_MDSMU);
    be16_store(p + 4, (u16)(12 + n));
    be16_store(p + 6, GDS_CPMSU);
    be16_store(p + 8, (u16)(8 + n));
    be16_store(p + 10, GDS_TEXT_COMMAND);
    p[12] = (u8)(4 + n);
    p[13] = KEY_SELF_DEFINING_TEXT;
    p[14] = (u8)(2 + n);
    p[15] = KEY_TEXT;
    return EVENT_HEADER + 16 + n;
}

static int vt220_input(struct sclp *sclp, const char *bytes, size_t len)
{
    u8 event[EVENT_HEADER + 1 + VT220_INPUT_MAX] = {0};
    int rc = ST_OK;
    while (len && rc == ST_OK) {
        size_t n = len < VT220_INPUT_MAX ? len : VT220_INPUT_MAX;
        be16_store(event, (u16)(EVENT_HEADER + 1 + n));
        event[2] = EVT_VT220;
        event[EVENT_HEADER] = 0; /* session data */
        memcpy(event + EVENT_HEADER + 1, bytes, n);
        rc = event_signal(sclp, event, (u32)(EVENT_HEADER + 1 + n));
        bytes += n;
        len -= n;
    }
    return rc;
}

int sclp_console_input(struct sclp *sclp, const char *utf8, size_t len, bool vt220)
{
    u8 event[EVENT_HEADER + 16 + SCLP_LINE_CHARS_MAX];
    if (vt220)
        return vt220_input(sclp, utf8, len);
    return event_signal(sclp, event, operator_command(sclp, utf8, len, event));
}

bool sclp_room(struct sclp *sclp)
{
    lock_take(&sclp->lock);
    bool room = sclp->events < TYPED_EVENTS_MAX;
    lock_drop(&sclp->lock);
    return room;
}

int sclp_signal_quiesce(struct sclp *sclp)
{
    static const u8 event[] = {0, 9, EVT_SIGNAL_QUIESCE, 0, 0, 0, 0, 0, 0}; /* no time limit */
    return event_signal(sclp, event, sizeof event);
}

bool sclp_listens_quiesce(struct sclp *sclp)
{
    lock_take(&sclp->lock);
    bool listens = (sclp->s.receive_mask & EVENT_BIT(EVT_SIGNAL_QUIESCE)) != 0;
    lock_drop(&sclp->lock);
    return listens;
}

void sclp_set_consoles(struct sclp *sclp, bool line_mode, bool vt220)
{
    u8 event[STATE_CHANGE_BYTES] = {0};
    lock_take(&sclp->lock);
    sclp->config.line_mode = line_mode;
    sclp->config.vt220 = vt220;
    be16_store(event, sizeof event);
    event[2] = EVT_STATE_CHANGE;
    event[6] = 0x60;          /* receive and send masks are valid */
    be16_store(event + 8, 8); /* bytes of each mask */
    be64_store(event + 18, sclp_takes_locked(sclp));
    be64_store(event + 26, sclp_sends_locked(sclp));
    if (sclp_event_add_locked(sclp, event, sizeof event) == ST_OK)
        sclp_pend_locked(sclp, 1);
    lock_drop(&sclp->lock);
}
