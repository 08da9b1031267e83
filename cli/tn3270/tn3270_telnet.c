/* Telnet bytes to records and back. A terminal may send anything: a wrong option is refused, a
 * record that is too long, or a type that is no 3270, ends the connection by `refuse`.
 *
 *   TN3270E asked --will--> tn3270_e.c --agreed--> ready: records with headers
 *        | will not, or speaks of types first
 *   type asked --is a 3270--> modes asked --all four agreed--> ready: records
 *        |  ^ another type        |
 *        +--+--refuse             +--one denied--refuse */
#include "cli/tn3270/tn3270_telnet.h"

#include <ctype.h>
#include <stdio.h>

#include "cli/tn3270/tn3270_telnet_internal.h"
#include "io/screen3270.h"

enum { IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250 };
enum { AO = 245, IP = 244, BRK = 243, SE = 240, EOR = 239 };
enum { OPT_BINARY = 0, OPT_TYPE = 24, OPT_EOR = 25 };
enum { TYPE_IS = 0, TYPE_SEND = 1 };
enum { AT_DATA, AT_IAC, AT_OPTION, AT_SUB, AT_SUB_IAC };

#define BOTH_WAYS (TELNET_HIS | TELNET_MINE)
#define NOT_3270 "this port serves 3270 terminals only (c3270, x3270 or any TN3270 client)"

bool telnet_device_size(const char *type, struct tn_size *out)
{
    static const struct tn_size models[] = {{24, 80}, {32, 80}, {43, 80}, {27, 132}};
    if (!strcasecmp(type, "IBM-DYNAMIC")) {
        *out = models[0];
        return true;
    }
    bool known = !strncasecmp(type, "IBM-3278-", 9) || !strncasecmp(type, "IBM-3279-", 9) ||
                 !strncasecmp(type, "IBM-3277-2", 10);
    if (!known || type[9] < '2' || type[9] > '5' || (type[10] && strcasecmp(type + 10, "-E")))
        return false;
    *out = models[type[9] - '2'];
    return true;
}

void telnet_stop(struct telnet *t)
{
    t->stopped = true;
}

static void refuse(struct telnet *t, const char *why)
{
    t->stopped = true;
    t->ports.refuse(t->ports.ctx, why);
}

static void send_option(struct telnet *t, u8 command, u8 option)
{
    t->ports.send(t->ports.ctx, (const u8[]){IAC, command, option}, 3);
}

static void ask_type(struct telnet *t)
{
    t->types_asked++;
    t->ports.send(t->ports.ctx, (const u8[]){IAC, SB, OPT_TYPE, TYPE_SEND, IAC, SE}, 6);
}

static void ask_both(struct telnet *t, u8 *bits, u8 option)
{
    if (!(*bits & TELNET_ASKED_HIM))
        send_option(t, DO, option);
    if (!(*bits & TELNET_ASKED_ME))
        send_option(t, WILL, option);
    *bits |= TELNET_ASKED_HIM | TELNET_ASKED_ME;
}

void telnet_begin(struct telnet *t, const struct telnet_ports *ports)
{
    *t = (struct telnet){.ports = *ports, .state = AT_DATA};
    send_option(t, DO, OPT_TN3270E);
    t->e_asked = true;
}

/* ---- options ---- */

static void ready(struct telnet *t)
{
    t->ready = true;
    t->record_len = 0;
    t->ports.ready(t->ports.ctx, t->size);
}

/* The reply to the query of a dynamic terminal: usable area; a key instead leaves it at model 2. */
static void take_size(struct telnet *t, const u8 *p, size_t len)
{
    t->dynamic = false;
    for (size_t at = 1, n; p[0] == AID_STRUCTURED_FIELD && at + 10 <= len; at += n) {
        n = be16_load(p + at);
        if (n < 4)
            break;
        unsigned cols = be16_load(p + at + 6), rows = be16_load(p + at + 8);
        if (p[at + 2] == 0x81 && p[at + 3] == 0x81 && screen_size_ok(rows, cols))
            t->size = (struct tn_size){rows, cols};
    }
    ready(t);
}

void telnet_agreed(struct telnet *t)
{
    static const u8 query[] = {SCREEN_SNA_WRITE_STRUCTURED_FIELD, 0, 5, 1, 255, 2};
    t->record_len = 0;
    if (t->dynamic)
        telnet_send_record(t, query, sizeof query);
    else
        ready(t);
}

static void check_ready(struct telnet *t)
{
    if (t->ready || t->e || t->agreed || t->stopped || !t->size.rows ||
        (t->eor & BOTH_WAYS) != BOTH_WAYS || (t->binary & BOTH_WAYS) != BOTH_WAYS)
        return;
    t->agreed = true;
    telnet_agreed(t);
}

static u8 *option_bits(struct telnet *t, u8 option)
{
    switch (option) {
    case OPT_TYPE: return &t->type;
    case OPT_EOR: return &t->eor;
    case OPT_BINARY: return &t->binary;
    }
    return NULL;
}

/* He offers; answered once, by what we asked for or by DO. */
static void on_will(struct telnet *t, u8 option)
{
    u8 *bits = option_bits(t, option);
    if (option == OPT_TN3270E && t->e_asked && !t->type) {
        t->e = true;
        t->e_asked = false;
        telnet_e_begin(t);
        return;
    }
    if (!bits) {
        send_option(t, DONT, option);
        return;
    }
    if (*bits & TELNET_HIS)
        return;
    if (!(*bits & TELNET_ASKED_HIM))
        send_option(t, DO, option);
    *bits |= TELNET_ASKED_HIM | TELNET_HIS;
    if (option == OPT_TYPE)
        ask_type(t);
}

static void on_do(struct telnet *t, u8 option)
{
    u8 *bits = option == OPT_TYPE ? NULL : option_bits(t, option);
    if (!bits) {
        send_option(t, WONT, option);
        return;
    }
    if (*bits & TELNET_MINE)
        return;
    if (!(*bits & TELNET_ASKED_ME))
        send_option(t, WILL, option);
    *bits |= TELNET_ASKED_ME | TELNET_MINE;
}

/* The classic way, then. */
static void no_tn3270e(struct telnet *t)
{
    if (!t->e_asked)
        return;
    t->e_asked = false;
    if (!t->type) {
        t->type = TELNET_ASKED_HIM;
        send_option(t, DO, OPT_TYPE);
    }
}

static void on_option(struct telnet *t, u8 command, u8 option)
{
    if (command == WILL)
        on_will(t, option);
    else if (command == WONT && option == OPT_TN3270E)
        no_tn3270e(t);
    else if (command == DO)
        on_do(t, option);
    else if (option_bits(t, option) && !(command == DONT && option == OPT_TYPE))
        refuse(t, NOT_3270); /* DONT, WONT of what we cannot do without */
    check_ready(t);
}

/* ---- the terminal type ---- */

bool telnet_take_type(struct telnet *t, const char *type)
{
    char name[TELNET_SUBOPTION_BYTES_MAX];
    snprintf(name, sizeof name, "%s", type);
    char *at = strchr(name, '@');
    if (at) {
        *at = 0;
        snprintf(t->lu, sizeof t->lu, "%.8s", at + 1);
    }
    size_t n = strlen(name);
    t->dynamic = !strcasecmp(name, "IBM-DYNAMIC");
    t->extended = t->dynamic || (n > 2 && !strcasecmp(name + n - 2, "-E"));
    return telnet_device_size(name, &t->size);
}

static void on_type(struct telnet *t, const char *type)
{
    if (t->size.rows)
        return;
    if (telnet_take_type(t, type)) {
        ask_both(t, &t->eor, OPT_EOR);
        ask_both(t, &t->binary, OPT_BINARY);
    } else if (!strcasecmp(type, t->last_type) || t->types_asked >= TELNET_TYPES_MAX) {
        refuse(t, NOT_3270); /* the last one is repeated */
    } else {
        snprintf(t->last_type, sizeof t->last_type, "%s", type);
        ask_type(t);
    }
}

static void on_sub(struct telnet *t)
{
    char type[TELNET_SUBOPTION_BYTES_MAX];
    if (t->sub_len && t->sub[0] == OPT_TN3270E) {
        telnet_e_sub(t);
        return;
    }
    if (t->sub_len < 2 || t->sub_len > sizeof t->sub || t->sub[0] != OPT_TYPE ||
        t->sub[1] != TYPE_IS || !(t->type & TELNET_HIS))
        return;
    size_t n = t->sub_len - 2;
    for (size_t i = 0; i < n; i++)
        type[i] = isgraph(t->sub[i + 2]) ? (char)t->sub[i + 2] : '?';
    type[n] = 0;
    on_type(t, type);
    check_ready(t);
}

/* ---- bytes ---- */

static void put_data(struct telnet *t, u8 byte)
{
    if (!t->ready && !t->dynamic)
        return;
    if (t->record_len == sizeof t->record)
        refuse(t, "a record is too long");
    else
        t->record[t->record_len++] = byte;
}

static void put_sub(struct telnet *t, u8 byte)
{
    if (t->sub_len < sizeof t->sub)
        t->sub[t->sub_len] = byte;
    if (t->sub_len <= sizeof t->sub)
        t->sub_len++;
}

static void end_record(struct telnet *t)
{
    size_t len = t->record_len;
    const u8 *record = t->record;
    t->record_len = 0;
    if (t->e)
        record = telnet_e_data(record, &len);
    if (!record || !len)
        return;
    if (t->ready)
        t->ports.record(t->ports.ctx, record, len);
    else if (t->dynamic && t->size.rows && (t->agreed || t->e_typed))
        take_size(t, record, len);
}

/* The byte behind IAC. */
static void on_command(struct telnet *t, u8 byte)
{
    t->state = AT_DATA;
    switch (byte) {
    case IAC: put_data(t, byte); return;
    case EOR: end_record(t); return;
    case SB:
        t->sub_len = 0;
        t->state = AT_SUB;
        return;
    case WILL:
    case WONT:
    case DO:
    case DONT:
        t->command = byte;
        t->state = AT_OPTION;
        return;
    case AO: /* SYSREQ */
    case IP:
    case BRK:
        if (t->ready)
            t->ports.attention(t->ports.ctx);
        return;
    }
}

static void feed_one(struct telnet *t, u8 byte)
{
    switch (t->state) {
    case AT_DATA:
        if (byte == IAC)
            t->state = AT_IAC;
        else
            put_data(t, byte);
        return;
    case AT_IAC: on_command(t, byte); return;
    case AT_OPTION:
        t->state = AT_DATA;
        on_option(t, t->command, byte);
        return;
    case AT_SUB:
        if (byte == IAC)
            t->state = AT_SUB_IAC;
        else
            put_sub(t, byte);
        return;
    case AT_SUB_IAC:
        t->state = byte == IAC ? AT_SUB : AT_DATA;
        if (byte == IAC)
            put_sub(t, byte);
        else if (byte == SE)
            on_sub(t);
        return;
    }
}

void telnet_feed(struct telnet *t, const u8 *bytes, size_t len)
{
    for (size_t i = 0; i < len && !t->stopped; i++)
        feed_one(t, bytes[i]);
}

void telnet_send_record(struct telnet *t, const u8 *bytes, size_t len)
{
    u8 out[TELNET_PIECE_BYTES];
    size_t n = t->e ? TN3270E_HEADER_BYTES : 0;
    memset(out, 0, TN3270E_HEADER_BYTES); /* 3270 data, no response wanted */
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == IAC)
            out[n++] = IAC;
        out[n++] = bytes[i];
        if (n >= sizeof out - 4) {
            t->ports.send(t->ports.ctx, out, n);
            n = 0;
        }
    }
    out[n++] = IAC;
    out[n++] = EOR;
    t->ports.send(t->ports.ctx, out, n);
}
