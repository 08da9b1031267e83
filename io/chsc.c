/* CHANNEL SUBSYSTEM CALL: the commands that Linux issues when it looks for devices.
 * A page holds the request block (length, code, operands) and behind it the response block. */
#include "io/css_internal.h"

#define CHSC_OK 0x0001
#define CHSC_INVALID_REQUEST 0x0003
#define CHSC_NOT_PROVIDED 0x0004
#define CHSC_NO_EVENT 0x0005
#define CHSC_INVALID_FORMAT 0x0007
#define CHSC_UNSUPPORTED_OPERATION 0x0101
#define REQUEST_BYTES 16u
#define INDICATORS_BYTES 48u /* operands of set channel-subsystem indicators */
#define SSQD_BYTES 32u
#define SSQD_QDIO 0xc0 /* valid, and it has queues */
#define SSD_BYTES 32u
/* Bits of the general characteristics, and of those of CHSC behind them. */
#define GENERAL_ADAPTER_INTERRUPTIONS 41
#define GENERAL_EXTENDED_BLOCK 48
#define GENERAL_THIN_INTERRUPTIONS 67 /* of OSA and FCP */
#define CHSC_CHARACTERISTICS 2040u    /* they begin at this byte */
#define CHSC_SET_INDICATORS 107
#define OPERATION_SUBCHANNEL_SETS 2
#define NOTIFICATION_TYPE_0 0x80
#define EVENT_MORE 0x80
#define EVENT_OVERFLOW 0x40
#define EVENT_CONTENT 16u
#define EVENT_BYTES (EVENT_CONTENT + 40)
#define SOURCE_CHANNEL_PATH 4
#define LINK_EVENT_BYTES (EVENT_CONTENT + 100)
#define LINK_BIT_ERRORS 2 /* incident codes, as of Fibre Channel link services */
#define LINK_SIGNAL_LOST 3
#define DESCRIBES_NONE 0x40    /* of a node descriptor */
#define CHP_TYPE_EMULATED 0x1a /* a type that Linux takes as an I/O path */

struct chsc {
    struct css *css;
    const u8 *req; /* request block: REQUEST_BYTES, or as far as `req_bytes` goes */
    u32 req_bytes;
    u8 *data; /* behind the response header of 8 bytes */
    u32 room; /* bytes at data */
    u32 len;  /* bytes of data in the response */
    u16 code;
};

typedef void chsc_fn(struct chsc *c);

/** One subchannel description: validity, devno, path mask, CHPIDs. */
static u32 describe_subchannel(struct css *css, unsigned ssid, u32 number, u8 *out)
{
    memset(out, 0, SSD_BYTES);
    struct subchannel *sub =
        css_sub_locked(css, SCHID_ONE | (u32)ssid << SCHID_SET_SHIFT | number);
    be16_store(out + 6, (u16)number);
    if (!sub)
        return SSD_BYTES;
    out[0] = 0x80;
    if (!sub_has_device(sub))
        return SSD_BYTES;
    out[0] |= 0x40;
    out[1] = (u8)sub->s.devno; /* unit address */
    be16_store(out + 2, sub->s.devno);
    out[4] = path_installed(sub);
    out[5] = out[4]; /* full link addresses valid: zeros */
    for (unsigned path = 0; path < 8; path++)
        if (out[4] & 0x80 >> path)
            out[8 + path] = path_chpid(sub, path);
    return SSD_BYTES;
}

static void store_subchannel_description(struct chsc *c)
{
    u32 first = be16_load(c->req + 6);
    u32 last = be16_load(c->req + 10);
    u8 ssid = c->req[5] >> 4 & 3;
    if (first > last || c->req[4] & 0x0f || (ssid && !c->css->s.sets)) {
        c->code = CHSC_INVALID_REQUEST;
        return;
    }
    for (u32 n = first; n <= last && c->len + SSD_BYTES <= c->room; n++)
        c->len += describe_subchannel(c->css, ssid, n, c->data + c->len);
}

/** CHPIDs that devices are on, as 256 bits. */
static void chpids_in_use(struct css *css, u8 bits[32])
{
    u32 at = 0;
    memset(bits, 0, 32);
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;)
        for (unsigned path = 0; sub_has_device(sub) && path < 8; path++)
            if (path_installed(sub) & 0x80 >> path)
                bits[path_chpid(sub, path) / 8] |= (u8)(0x80 >> path_chpid(sub, path) % 8);
}

/** The type of a channel path: that of a device on it. */
static u8 chp_type(struct css *css, u8 chpid)
{
    u32 at = 0;
    for (struct subchannel *sub; (sub = css_next_locked(css, &at)) != NULL;) {
        unsigned path = (u8)(chpid - (sub_has_device(sub) ? sub->ops->chpid : 0));
        if (sub_has_device(sub) && path < 8 && path_installed(sub) & 0x80 >> path)
            return sub->ops->chp_type ? sub->ops->chp_type : CHP_TYPE_EMULATED;
    }
    return CHP_TYPE_EMULATED;
}

static void store_channel_path_description(struct chsc *c)
{
    u32 first = c->req[7];
    u32 last = c->req[11];
    u8 format = c->req[6] & 0x0f;
    u32 size = format ? 32 : 8;
    if (first > last) {
        c->code = CHSC_INVALID_REQUEST;
        return;
    }
    if (format > 1) {
        c->code = CHSC_INVALID_FORMAT;
        return;
    }
    u8 used[32];
    chpids_in_use(c->css, used);
    for (u32 id = first; id <= last && c->len + size <= c->room; id++) {
        u8 *out = c->data + c->len;
        memset(out, 0, size);
        if (used[id / 8] & 0x80 >> id % 8) {
            out[0] = 0x80;
            out[2] = chp_type(c->css, (u8)id);
        }
        out[3] = (u8)id;
        c->len += size;
    }
}

static void characteristic(struct chsc *c, u32 byte, u32 bit)
{
    if (byte + bit / 8 < c->len)
        c->data[byte + bit / 8] |= 0x80 >> bit % 8;
}

/** General and CHSC characteristics: of what is optional, the extended measurement block and the
 *  interruptions of adapters. */
static void store_characteristics(struct chsc *c)
{
    c->len = 4 * (510 + 508);
    if (c->len > c->room)
        c->len = c->room;
    memset(c->data, 0, c->len);
    characteristic(c, 0, GENERAL_ADAPTER_INTERRUPTIONS);
    characteristic(c, 0, GENERAL_EXTENDED_BLOCK);
    characteristic(c, 0, GENERAL_THIN_INTERRUPTIONS);
    characteristic(c, CHSC_CHARACTERISTICS, CHSC_SET_INDICATORS);
}

/** The subchannel of a request, in the set that its bits name; NULL: none with a device. */
static struct subchannel *sub_of(struct css *css, unsigned ssid, u32 number)
{
    struct subchannel *sub =
        css_sub_locked(css, SCHID_ONE | (u32)ssid << SCHID_SET_SHIFT | number);
    return sub_has_device(sub) ? sub : NULL;
}

/** Store subchannel QDIO data. */
static void store_qdio_data(struct chsc *c)
{
    u32 first = be16_load(c->req + 6);
    u32 last = be16_load(c->req + 10);
    u8 ssid = c->req[5] >> 4 & 3;
    if (first > last || c->req[5] & 0x0f || (ssid && !c->css->s.sets)) {
        c->code = CHSC_INVALID_REQUEST;
        return;
    }
    for (u32 n = first; n <= last && c->len + SSQD_BYTES <= c->room; n++) {
        u8 *out = c->data + c->len;
        memset(out, 0, SSQD_BYTES);
        be16_store(out + 2, (u16)n);
        struct subchannel *sub = sub_of(c->css, ssid, n);
        const struct dev_qdio *qdio = sub ? sub->ops->qdio : NULL;
        if (qdio) {
            out[0] = SSQD_QDIO;
            out[4] = qdio->format;
            out[6] = qdio->characteristics;
            out[9] = qdio->inputs;
            out[11] = qdio->outputs;
        }
        c->len += SSQD_BYTES;
    }
}

/** Set channel-subsystem indicators: where a subchannel's adapter tells of changes. */
static void set_indicators(struct chsc *c)
{
    if (c->req_bytes < INDICATORS_BYTES || be16_load(c->req + 4)) {
        c->code =
            c->req_bytes < INDICATORS_BYTES ? CHSC_INVALID_REQUEST : CHSC_UNSUPPORTED_OPERATION;
        return;
    }
    struct qdio_indicators to = {.summary = be64_load(c->req + 16),
                                 .subchannel = be64_load(c->req + 24),
                                 .summary_key = c->req[32] & 0xf0,
                                 .subchannel_key = (u8)(c->req[32] << 4),
                                 .isc = c->req[35] & 7};
    u32 schid = be32_load(c->req + 44);
    struct subchannel *sub = css_sub_locked(c->css, schid);
    if (!sub_has_device(sub) || !sub->ops->qdio ||
        (to.summary && !storage_holds(c->css->storage, to.summary, 1)) ||
        (to.subchannel && !storage_holds(c->css->storage, to.subchannel, 4))) {
        c->code = CHSC_INVALID_REQUEST;
        return;
    }
    sub->ops->qdio->indicate(sub->dev, &to);
}

static void set_domain_attributes(struct chsc *c)
{
    if (be16_load(c->req + 6) == OPERATION_SUBCHANNEL_SETS)
        c->css->s.sets = 1;
    else
        c->code = CHSC_UNSUPPORTED_OPERATION;
}

/** The CHPID as one of 256 bits, and what is wanted of it. */
static void path_configuration(u8 *out, u32 event)
{
    u8 chpid = (u8)event;
    out[chpid / 8] = (u8)(0x80 >> chpid % 8);
    out[32] = (u8)(event >> 16);
}

/** A link-incident record: qualifier, code, then the nodes at both ends, which have no names. */
static void link_incident(u8 *data, u32 event)
{
    u8 class = (u8)(event >> 16), *record = data + EVENT_CONTENT;
    data[2] = SOURCE_CHANNEL_PATH;
    be16_store(data + 6, (u8)event);
    record[0] = (u8)(class << 2);
    record[1] = class == LINK_STOPPED ? LINK_SIGNAL_LOST : LINK_BIT_ERRORS;
    record[4] = record[36] = DESCRIBES_NONE;
}

/** The oldest event; its layout is that of notification type 0. */
static void store_event_information(struct chsc *c)
{
    struct css *css = c->css;
    if (!css->event_count || !(c->req[8] & NOTIFICATION_TYPE_0)) {
        c->code = CHSC_NO_EVENT;
        return;
    }
    u32 event = css->event[0];
    css->event_count--;
    memmove(css->event, css->event + 1, css->event_count * sizeof css->event[0]);
    c->len = event >> 24 == EVENT_LINK ? LINK_EVENT_BYTES : EVENT_BYTES;
    memset(c->data, 0, c->len);
    c->data[0] =
        (u8)((css->event_count ? EVENT_MORE : 0) | (css->s.lost_events ? EVENT_OVERFLOW : 0));
    css->s.lost_events = 0;
    c->data[3] = (u8)(event >> 24);
    if (event >> 24 == EVENT_LINK)
        link_incident(c->data, event);
    else
        path_configuration(c->data + EVENT_CONTENT, event);
}

static const struct {
    u16 code;
    chsc_fn *fn;
} chsc_commands[] = {
    {0x0002, store_channel_path_description},
    {0x0004, store_subchannel_description},
    {0x000e, store_event_information},
    {0x0010, store_characteristics},
    {0x0021, set_indicators},
    {0x0024, store_qdio_data},
    {0x0031, set_domain_attributes},
};

static chsc_fn *find_command(u16 code)
{
    for (size_t i = 0; i < ARRAY_LEN(chsc_commands); i++)
        if (chsc_commands[i].code == code)
            return chsc_commands[i].fn;
    return NULL;
}

int css_chsc(struct css *css, u8 *page)
{
    u32 len = be16_load(page);
    if (len < REQUEST_BYTES || len > CHSC_BYTES - 8 || len % 8)
        return CSS_PGM_OPERAND;
    u8 req[INDICATORS_BYTES] = {0};
    u32 req_bytes = len < sizeof req ? len : (u32)sizeof req;
    memcpy(req, page, req_bytes);
    u8 *response = page + len;
    struct chsc c = {.css = css,
                     .req = req,
                     .req_bytes = req_bytes,
                     .data = response + 8,
                     .room = CHSC_BYTES - len - 8,
                     .code = CHSC_OK};
    memset(response, 0, 8);
    chsc_fn *fn = find_command(be16_load(req + 2));
    if (!fn) {
        c.code = CHSC_NOT_PROVIDED;
    } else {
        lock_take(&css->lock);
        fn(&c);
        lock_drop(&css->lock);
    }
    be16_store(response, (u16)(8 + (c.code == CHSC_OK ? c.len : 0)));
    be16_store(response + 2, c.code);
    return 0;
}
