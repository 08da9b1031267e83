/* TN3270E (RFC 2355): device type and LU name, functions, headers. Of the functions SYSREQ is
 * agreed to; without the others there are no responses, no BIND images and no printers.
 *
 *   DO TN3270E, WILL -> SEND DEVICE-TYPE -> REQUEST type [CONNECT lu] -> IS type CONNECT lu
 *                                              |                    FUNCTIONS REQUEST list
 *                                              +-> REJECT REASON             |
 *                                              FUNCTIONS IS list (or REQUEST of what we have) */
#include <ctype.h>

#include "cli/tn3270/tn3270_telnet_internal.h"

enum { E_CONNECT = 1, E_DEVICE_TYPE = 2, E_FUNCTIONS = 3, E_IS = 4, E_REASON = 5 };
enum { E_REJECT = 6, E_REQUEST = 7, E_SEND = 8 };
enum { REASON_INVALID_DEVICE_TYPE = 4, REASON_UNSUPPORTED = 7 };
enum { FUNCTION_SYSREQ = 4 };
enum { DATA_3270 = 0 };

#define E_MESSAGE_BYTES_MAX 128

struct message {
    u8 bytes[E_MESSAGE_BYTES_MAX];
    size_t len;
};

static void put(struct message *m, const void *bytes, size_t len)
{
    if (len > sizeof m->bytes - m->len)
        return;
    memcpy(m->bytes + m->len, bytes, len);
    m->len += len;
}

static void put_byte(struct message *m, u8 byte)
{
    put(m, &byte, 1);
}

static void begin(struct message *m, u8 what, u8 verb)
{
    const u8 head[] = {TELNET_IAC, TELNET_SB, OPT_TN3270E, what, verb};
    m->len = 0;
    put(m, head, sizeof head);
}

static void end(struct telnet *t, struct message *m)
{
    put_byte(m, TELNET_IAC);
    put_byte(m, TELNET_SE);
    t->ports.send(t->ports.ctx, m->bytes, m->len);
}

void telnet_e_begin(struct telnet *t)
{
    struct message m;
    begin(&m, E_SEND, E_DEVICE_TYPE);
    end(t, &m);
}

static void reject(struct telnet *t, u8 reason)
{
    struct message m;
    begin(&m, E_DEVICE_TYPE, E_REJECT);
    put_byte(&m, E_REASON);
    put_byte(&m, reason);
    end(t, &m);
}

/* Printable text up to `stop` or the end. */
static size_t word(const u8 *p, size_t len, char *out, size_t room)
{
    size_t n = 0;
    for (; n < len && p[n] > ' '; n++)
        if (n + 1 < room)
            out[n] = isgraph(p[n]) ? (char)p[n] : '?';
    out[n < room ? n : room - 1] = 0;
    return n;
}

static void device_type(struct telnet *t, const u8 *p, size_t len)
{
    char type[TELNET_SUBOPTION_BYTES_MAX], lu[TELNET_LU_BYTES] = "";
    struct message m;
    size_t n = word(p, len, type, sizeof type);
    if (!telnet_take_type(t, type)) {
        reject(t, REASON_INVALID_DEVICE_TYPE);
        return;
    }
    if (n < len && p[n] == E_CONNECT)
        word(p + n + 1, len - n - 1, lu, sizeof lu);
    else if (n < len) {
        reject(t, REASON_UNSUPPORTED); /* ASSOCIATE: printers */
        return;
    }
    u8 reason = t->ports.device ? t->ports.device(t->ports.ctx, lu) : 0;
    if (reason) {
        reject(t, reason);
        return;
    }
    memcpy(t->lu, lu, sizeof lu);
    t->e_typed = true;
    begin(&m, E_DEVICE_TYPE, E_IS);
    put(&m, type, strlen(type));
    put_byte(&m, E_CONNECT);
    put(&m, lu, strlen(lu));
    end(t, &m);
}

static void functions(struct telnet *t, u8 verb, const u8 *list, size_t len)
{
    struct message m;
    bool all = true;
    begin(&m, E_FUNCTIONS, E_IS);
    for (size_t i = 0; i < len; i++) {
        if (list[i] == FUNCTION_SYSREQ)
            put_byte(&m, list[i]);
        else
            all = false;
    }
    m.bytes[4] = all ? E_IS : E_REQUEST;
    if (verb == E_REQUEST || !all)
        end(t, &m);
    if (all)
        telnet_agreed(t);
}

void telnet_e_sub(struct telnet *t)
{
    const u8 *p = t->sub + 3;
    size_t len = t->sub_len - 3;
    if (t->sub_len < 3 || t->sub_len > sizeof t->sub || !t->e || t->ready)
        return;
    if (t->sub[1] == E_DEVICE_TYPE && t->sub[2] == E_REQUEST)
        device_type(t, p, len);
    else if (t->sub[1] == E_FUNCTIONS && t->e_typed &&
             (t->sub[2] == E_REQUEST || t->sub[2] == E_IS))
        functions(t, t->sub[2], p, len);
}

const u8 *telnet_e_data(const u8 *record, size_t *len)
{
    if (*len <= TN3270E_HEADER_BYTES || record[0] != DATA_3270)
        return NULL;
    *len -= TN3270E_HEADER_BYTES;
    return record + TN3270E_HEADER_BYTES;
}
