/* A guest's 3270 display on a terminal. What the guest writes goes to the terminal as it is,
 * while their screens have the same size; else, and for a terminal that joins or fell behind,
 * the whole screen is drawn. Every record unlocks the keyboard, unless a key waits to be read
 * by the guest, or to come to it: then none that follows could overtake it. */
#include <stdio.h>

#include "cli/tn3270/tn3270_internal.h"
#include "hyp/vm.h"
#include "mem/base/msg.h"

#define ADDRESS_BYTES 3 /* an order and an address */

struct con3270 *tn_display_of(struct tn_conn *c)
{
    const struct tn3270 *s = c->server;
    if (c->mode == TN_DISPLAY && s->member) {
        struct cp_user *dialed = c->dialed ? cp_user_find(s->member->cp, c->user) : NULL;
        return dialed ? vm_display(cp_user_vm(dialed), c->dialed) : NULL;
    }
    if (c->mode == TN_DISPLAY)
        return c->display && *s->config.vm
                   ? vm_display(*s->config.vm, s->config.displays[c->display - 1].devno)
                   : NULL;
    struct cp_user *user = c->mode == TN_CONSOLE ? cp_user_find(s->member->cp, c->user) : NULL;
    return user ? vm_console_display(cp_user_vm(user)) : NULL;
}

/* ---- output ---- */

static bool standard(struct tn_size size)
{
    return size.rows == SCREEN_DEFAULT_ROWS && size.cols == SCREEN_DEFAULT_COLS;
}

static bool same(struct tn_size a, struct tn_size b)
{
    return a.rows == b.rows && a.cols == b.cols;
}

/* Can the terminal carry out the guest's write itself? */
static bool passes(const struct tn_conn *c, u8 command, struct tn_size size)
{
    bool unlocks = command == SCREEN_ERASE_UNPROTECTED; /* always */
    return c->telnet.extended && (standard(size) || same(size, c->size)) &&
           !(unlocks && tn_away_key_waits(c));
}

static u8 command_byte(u8 command, struct tn_size size)
{
    switch (command) {
    case SCREEN_WRITE: return SCREEN_SNA_WRITE;
    case SCREEN_ERASE_UNPROTECTED: return SCREEN_SNA_ERASE_UNPROTECTED;
    default: return standard(size) ? SCREEN_SNA_ERASE_WRITE : SCREEN_SNA_ERASE_WRITE_ALTERNATE;
    }
}

static void send_to(struct tn_conn *c, u8 command, struct tn_size size,
                    const struct con3270_record *r)
{
    u8 *out = c->server->record; /* one byte in front of r->bytes is ours */
    size_t len = 1;
    out[0] = command_byte(command, size);
    if (command != SCREEN_ERASE_UNPROTECTED) {
        u8 wcc = r->len ? r->bytes[0] : WCC_RESET;
        bool stays = r->unread || tn_away_key_waits(c);
        out[1] = (u8)(stays ? wcc & ~WCC_RESTORE : wcc | WCC_RESTORE);
        len = r->len ? 1 + r->len : 2;
    }
    tn_conn_send_record(c, out, len);
}

static void redraw(struct tn_conn *c, struct con3270 *con)
{
    struct con3270_record r;
    struct tn_size on = c->size;
    con3270_connect(con, c->size.rows, c->size.cols); /* it may be another one than before */
    con3270_redraw(con, &c->cursor, c->telnet.extended, on.rows, on.cols, c->server->record + 1,
                   &r);
    c->shown = (struct tn_size){r.rows, r.cols};
    if (standard(c->shown) && !same(c->shown, on)) { /* in the standard size, then */
        on = c->shown;
        con3270_redraw(con, &c->cursor, c->telnet.extended, on.rows, on.cols,
                       c->server->record + 1, &r);
    }
    send_to(c, SCREEN_ERASE_WRITE, on, &r);
}

void tn_display_show(struct tn_conn *c)
{
    struct con3270 *con = tn_display_of(c);
    struct con3270_record r;
    enum con3270_next next = CON3270_RECORD;
    while (con && next != CON3270_NOTHING && !c->closing) {
        if (tn_conn_backlog(c) > TN3270_BACKLOG_BYTES) {
            c->dirty = true; /* again when that has been sent */
            return;
        }
        next = con3270_take(con, &c->cursor, c->server->record + 1, &r);
        struct tn_size size = {r.rows, r.cols};
        if (next == CON3270_RECORD && passes(c, r.command, size) &&
            (same(size, c->shown) || r.command > SCREEN_WRITE)) {
            c->shown = size;
            send_to(c, r.command, size, &r);
        } else if (next != CON3270_NOTHING) {
            redraw(c, con);
        }
    }
}

/* ---- input ---- */

/* The address of a cell here as one of the display; false: it is not there. */
static bool map_address(const struct tn_conn *c, u8 *p)
{
    unsigned cols = standard(c->shown) ? c->shown.cols : c->size.cols;
    unsigned at = screen_address(p), row = at / cols, col = at % cols;
    if (row >= c->shown.rows || col >= c->shown.cols)
        return false;
    be16_store(p, (u16)(row * c->shown.cols + col));
    return true;
}

static bool map_record(const struct tn_conn *c, u8 *record, size_t len)
{
    if (len < ADDRESS_BYTES)
        return true;
    if (!map_address(c, record + 1))
        return false;
    for (size_t i = ADDRESS_BYTES; i + ADDRESS_BYTES <= len; i++) {
        if (record[i] != 0x11)
            continue;
        if (!map_address(c, record + i + 1))
            return false;
        i += ADDRESS_BYTES - 1;
    }
    return true;
}

void tn_display_key(struct tn_conn *c, const u8 *record, size_t len)
{
    struct con3270 *con = tn_display_of(c);
    u8 *mapped = c->server->record;
    if (!con || !len || len > sizeof c->server->record)
        return;
    memcpy(mapped, record, len);
    /* 14-bit addresses of a big screen look like 12-bit ones: only if it must be. */
    if (!standard(c->shown) && !same(c->shown, c->size) && !map_record(c, mapped, len))
        len = 0;
    if (!con3270_key(con, mapped, len)) {
        c->cursor = 0; /* no key that we know: the keyboard is unlocked again */
        tn_display_show(c);
    }
}

/* ---- which display ---- */

static bool taken(const struct tn3270 *s, unsigned display)
{
    for (const struct tn_conn *c = s->conns; c; c = c->next)
        if (c->display == display && !c->closing)
            return true;
    return false;
}

static unsigned choose(const struct tn_conn *c, const char *lu)
{
    const struct tn3270 *s = c->server;
    for (unsigned i = 0; i < s->config.display_count; i++)
        if (!taken(s, i + 1) && (!*lu || !strcasecmp(lu, s->config.displays[i].lu)))
            return i + 1;
    return 0;
}

bool tn_display_name(const struct tn_conn *c, char lu[TN3270_LU_BYTES])
{
    unsigned display = choose(c, lu);
    if (display)
        memcpy(lu, c->server->config.displays[display - 1].lu, TN3270_LU_BYTES);
    return display;
}

bool tn_display_known(const struct tn3270 *s, const char *lu)
{
    for (unsigned i = 0; i < s->config.display_count; i++)
        if (!strcasecmp(lu, s->config.displays[i].lu))
            return true;
    return false;
}

void tn_display_begin(struct tn_conn *c)
{
    struct con3270 *con;
    c->mode = TN_DISPLAY;
    c->display = choose(c, c->telnet.lu);
    con = tn_display_of(c);
    if (!con) {
        tn_conn_notice(c, "No terminal address is free: try again later");
        return;
    }
    c->cursor = 0;
    tn_display_show(c);
}

void tn_display_end(struct tn_conn *c)
{
    struct con3270 *con = tn_display_of(c);
    if (con && (c->full || c->mode == TN_DISPLAY))
        con3270_disconnect(con);
    c->display = 0;
    c->dialed = 0;
    c->full = false;
}

/* ---- DIAL ---- */

static bool dialed_already(const struct tn3270 *s, const char *userid, u16 vdev)
{
    for (const struct tn_conn *c = s->conns; c; c = c->next)
        if (c->mode == TN_DISPLAY && !c->closing && c->dialed == vdev &&
            !strcmp(c->user, userid))
            return true;
    return false;
}

bool tn_display_dial(struct tn_conn *c, const char *userid, u16 vdev, char *text)
{
    const struct tn3270 *s = c->server;
    struct cp_user *user = cp_user_find(s->member->cp, userid);
    struct vm_device_row row;
    bool busy = false;
    if (!user) {
        msg_format(text, MSG_LINE_BYTES, MSG_DIA045E, userid);
        return false;
    }
    for (unsigned i = 0; vm_host_ops()->device_row(cp_user_vm(user), i, &row); i++) {
        if (strcmp(row.klass, "GRAF") || (vdev && row.devno != vdev))
            continue;
        busy = dialed_already(s, cp_user_id(user), row.devno);
        if (busy)
            continue;
        c->mode = TN_DISPLAY;
        strcpy(c->user, cp_user_id(user));
        c->dialed = row.devno;
        c->cursor = 0;
        return true;
    }
    if (vdev && busy)
        msg_format(text, MSG_LINE_BYTES, MSG_DIA056E, vdev, userid);
    else
        msg_format(text, MSG_LINE_BYTES, MSG_DIA055E, userid);
    return false;
}

bool tn_display_dropped(struct tn_conn *c)
{
    char text[48];
    if (c->mode != TN_DISPLAY || !c->dialed || tn_display_of(c))
        return false;
    snprintf(text, sizeof text, "DROPPED FROM %s %04X", c->user, c->dialed);
    c->dialed = 0;
    tn_logo_show(c, text, true);
    return true;
}
