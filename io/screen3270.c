/* The presentation space of a 3270: orders that write it, keys that change it. Streams come from
 * guests and from terminals, both hostile: every address is checked against the size in effect. */
#include "io/screen3270.h"

#include "io/screen3270_internal.h"

void screen_out_put(struct screen_out *out, const void *bytes, size_t len)
{
    if (out->len < out->room) {
        size_t fits = out->room - out->len;
        memcpy(out->bytes + out->len, bytes, len < fits ? len : fits);
    }
    out->len += len;
}

bool screen_size_ok(unsigned rows, unsigned cols)
{
    return rows >= 1 && cols >= 20 && rows <= SCREEN_LINE_MAX && cols <= SCREEN_LINE_MAX &&
           rows * cols >= SCREEN_DEFAULT_ROWS * SCREEN_DEFAULT_COLS &&
           rows * cols <= SCREEN_CELLS_MAX;
}

u8 screen_graphic(unsigned six)
{
    static const u8 tenth[] = {0x40, 0x50, 0x60, 0xf0};
    unsigned low = six & 15, high = six >> 4 & 3;
    if ((six & 0x3f) == 0x21)
        return 0x61;
    if (low == 0)
        return tenth[high];
    if (low <= 9)
        return (u8)((high == 3 ? 0xf0 : 0xc0 + (high << 4)) | low);
    return (u8)(0x40 | (six & 0x3f));
}

unsigned screen_address(const u8 *p)
{
    if (p[0] & 0xc0)
        return (unsigned)(p[0] & 0x3f) << 6 | (p[1] & 0x3f);
    return (unsigned)p[0] << 8 | p[1];
}

/* ---- the buffer ---- */

static void clear(struct screen *s)
{
    memset(s->cell, 0, sizeof s->cell);
    s->s.cursor = s->s.address = 0;
}

void screen_reset(struct screen *s, unsigned alt_rows, unsigned alt_cols)
{
    s->s = (struct screen_state){.rows = SCREEN_DEFAULT_ROWS,
                                 .cols = SCREEN_DEFAULT_COLS,
                                 .alt_rows = (u16)alt_rows,
                                 .alt_cols = (u16)alt_cols,
                                 .aid = AID_NONE};
    clear(s);
}

static void erase(struct screen *s, bool alternate)
{
    s->s.rows = alternate ? s->s.alt_rows : SCREEN_DEFAULT_ROWS;
    s->s.cols = alternate ? s->s.alt_cols : SCREEN_DEFAULT_COLS;
    clear(s);
}

int screen_field_of(const struct screen *s, unsigned at)
{
    unsigned cells = screen_cells(s);
    for (unsigned i = 0; i < cells; i++) {
        if (s->cell[at].field)
            return (int)at;
        at = at ? at - 1 : cells - 1;
    }
    return -1;
}

static void reset_modified(struct screen *s)
{
    for (unsigned i = 0; i < screen_cells(s); i++)
        if (s->cell[i].field && !(s->cell[i].field & FA_PROTECTED))
            s->cell[i].field &= (u8)~FA_MDT;
}

/* ---- orders ---- */

struct writer {
    struct screen *s;
    const u8 *p, *end;
    struct screen_cell attributes; /* of SET ATTRIBUTE; ch and field unused */
    bool after_data;               /* the last thing was a character: PROGRAM TAB clears on */
};

static void advance(struct writer *w)
{
    w->s->s.address = (u16)((w->s->s.address + 1u) % screen_cells(w->s));
}

static void put_char(struct writer *w, u8 ch, u8 charset)
{
    struct screen_cell *cell = &w->s->cell[w->s->s.address];
    *cell = w->attributes;
    cell->ch = ch;
    cell->field = 0;
    if (charset)
        cell->charset = charset;
    advance(w);
    w->after_data = true;
}

static bool set_attribute(struct screen_cell *cell, u8 type, u8 value)
{
    switch (type) {
    case 0x00: cell->highlight = cell->color = cell->background = cell->charset = 0; break;
    case XA_HIGHLIGHT: cell->highlight = value == 0xf0 ? 0 : value; break;
    case XA_COLOR: cell->color = value; break;
    case XA_CHARSET: cell->charset = value; break;
    case XA_BACKGROUND: cell->background = value; break;
    case XA_FIELD: cell->field = SCREEN_FIELD | (value & FA_BITS); break;
    case XA_VALIDATION:
    case XA_OUTLINING:
    case XA_TRANSPARENCY: break;
    default: return false;
    }
    return true;
}

/* START FIELD EXTENDED and MODIFY FIELD: count, then pairs. */
static bool attribute_pairs(struct writer *w, struct screen_cell *cell)
{
    if (w->p == w->end)
        return false;
    unsigned pairs = *w->p++;
    if ((size_t)(w->end - w->p) < 2u * pairs)
        return false;
    for (; pairs; pairs--, w->p += 2)
        if (!set_attribute(cell, w->p[0], w->p[1]))
            return false;
    return true;
}

static bool start_field(struct writer *w, bool extended)
{
    struct screen_cell cell = {.field = SCREEN_FIELD};
    if (extended) {
        if (!attribute_pairs(w, &cell))
            return false;
    } else {
        if (w->p == w->end)
            return false;
        cell.field |= *w->p++ & FA_BITS;
    }
    w->s->cell[w->s->s.address] = cell;
    advance(w);
    return true;
}

static bool modify_field(struct writer *w)
{
    struct screen_cell *cell = &w->s->cell[w->s->s.address];
    struct screen_cell changed = *cell;
    if (!attribute_pairs(w, &changed) || !cell->field)
        return false;
    *cell = changed;
    advance(w);
    return true;
}

/* Two bytes of address; false: cut off, or outside of the screen. */
static bool take_address(struct writer *w, unsigned *at)
{
    if (w->end - w->p < 2)
        return false;
    *at = screen_address(w->p);
    w->p += 2;
    return *at < screen_cells(w->s);
}

static bool repeat_to(struct writer *w)
{
    unsigned stop;
    u8 charset = 0;
    if (!take_address(w, &stop) || w->p == w->end)
        return false;
    u8 ch = *w->p++;
    if (ch == ORDER_GE) {
        if (w->p == w->end)
            return false;
        charset = CHARSET_GRAPHIC_ESCAPE;
        ch = *w->p++;
    }
    do
        put_char(w, ch, charset);
    while (w->s->s.address != stop);
    return true;
}

static void erase_cell(struct screen_cell *cell)
{
    *cell = (struct screen_cell){0};
}

static bool erase_unprotected_to(struct writer *w)
{
    unsigned stop;
    if (!take_address(w, &stop))
        return false;
    int field = screen_field_of(w->s, w->s->s.address);
    do {
        struct screen_cell *cell = &w->s->cell[w->s->s.address];
        if (cell->field)
            field = w->s->s.address;
        else if (field < 0 || !(w->s->cell[field].field & FA_PROTECTED))
            erase_cell(cell);
        advance(w);
    } while (w->s->s.address != stop);
    return true;
}

/* To the first character of the next unprotected field, or 0 when the end comes first. */
static void program_tab(struct writer *w)
{
    unsigned cells = screen_cells(w->s), at = w->s->s.address;
    bool clearing = w->after_data;
    for (; at < cells; at++) {
        struct screen_cell *cell = &w->s->cell[at];
        if (cell->field && !(cell->field & FA_PROTECTED)) {
            w->s->s.address = (u16)((at + 1) % cells);
            return;
        }
        clearing &= !cell->field;
        if (clearing)
            erase_cell(cell);
    }
    w->s->s.address = 0;
}

static bool set_buffer_address(struct writer *w)
{
    unsigned at;
    if (!take_address(w, &at))
        return false;
    w->s->s.address = (u16)at;
    return true;
}

static bool graphic_escape(struct writer *w)
{
    if (w->p == w->end)
        return false;
    put_char(w, *w->p++, CHARSET_GRAPHIC_ESCAPE);
    return true;
}

static bool set_character_attribute(struct writer *w)
{
    if (w->end - w->p < 2)
        return false;
    w->p += 2;
    return w->p[-2] != XA_FIELD && set_attribute(&w->attributes, w->p[-2], w->p[-1]);
}

static bool order(struct writer *w, u8 code)
{
    switch (code) {
    case ORDER_SBA: return set_buffer_address(w);
    case ORDER_SF: return start_field(w, false);
    case ORDER_SFE: return start_field(w, true);
    case ORDER_MF: return modify_field(w);
    case ORDER_SA: return set_character_attribute(w);
    case ORDER_IC: w->s->s.cursor = w->s->s.address; return true;
    case ORDER_PT: program_tab(w); return true;
    case ORDER_RA: return repeat_to(w);
    case ORDER_EUA: return erase_unprotected_to(w);
    case ORDER_GE: return graphic_escape(w);
    }
    return false;
}

/* Format controls that are displayed: null, FF, CR, NL, EM, DUP, FM, SUB, EO. */
static bool is_character(u8 code)
{
    switch (code) {
    case 0x00:
    case 0x0c:
    case 0x0d:
    case 0x15:
    case 0x19:
    case 0x1c:
    case 0x1e:
    case 0x3f: return true;
    default: return code >= 0x40;
    }
}

static bool orders(struct screen *s, const u8 *p, size_t len)
{
    struct writer w = {.s = s, .p = p, .end = p + len};
    while (w.p < w.end) {
        u8 code = *w.p++;
        if (is_character(code)) {
            put_char(&w, code, 0);
            continue;
        }
        if (!order(&w, code))
            return false;
        /* PROGRAM TAB that clears goes on clearing when another follows. */
        w.after_data = (code == ORDER_PT || code == ORDER_SA) && w.after_data;
    }
    return true;
}

static void erase_all_unprotected(struct screen *s)
{
    int field = -1, first = -1;
    for (unsigned i = 0; i < screen_cells(s) && first < 0; i++)
        if (s->cell[i].field && !(s->cell[i].field & FA_PROTECTED))
            first = (int)i;
    field = screen_field_of(s, 0);
    for (unsigned i = 0; i < screen_cells(s); i++) {
        if (s->cell[i].field)
            field = (int)i;
        else if (field < 0 || !(s->cell[field].field & FA_PROTECTED))
            erase_cell(&s->cell[i]);
    }
    reset_modified(s);
    s->s.cursor = first < 0 ? 0 : (u16)((unsigned)(first + 1) % screen_cells(s));
}

static void restore_keyboard(struct screen *s)
{
    s->s.locked = s->s.unread;
    if (!s->s.unread)
        s->s.aid = AID_NONE;
}

bool screen_write(struct screen *s, u8 command, const u8 *data, size_t len)
{
    if (command == SCREEN_ERASE_UNPROTECTED) {
        erase_all_unprotected(s);
        restore_keyboard(s);
        return true;
    }
    if (command != SCREEN_WRITE)
        erase(s, command == SCREEN_ERASE_WRITE_ALTERNATE);
    s->s.address = s->s.cursor;
    if (!len)
        return true;
    if (data[0] & WCC_RESET && command != SCREEN_WRITE)
        s->s.reply_mode = 0;
    if (data[0] & WCC_RESET_MDT)
        reset_modified(s);
    bool ok = orders(s, data + 1, len - 1);
    if (data[0] & WCC_RESTORE)
        restore_keyboard(s);
    return ok;
}

void screen_was_read(struct screen *s)
{
    s->s.unread = 0;
}

/* ---- keys ---- */

static bool short_read(u8 aid)
{
    return aid == AID_CLEAR || aid == 0x6c || aid == 0x6e || aid == 0x6b;
}

bool screen_short_read(u8 aid)
{
    return short_read(aid);
}

static bool key_known(u8 aid)
{
    return short_read(aid) || aid == AID_ENTER || (aid >= 0xf1 && aid <= 0xf9) ||
           (aid >= 0x7a && aid <= 0x7c) || (aid >= 0xc1 && aid <= 0xc9) ||
           (aid >= 0x4a && aid <= 0x4c) || aid == 0xf0 || aid == 0x7e || aid == 0xe6 ||
           aid == 0xe7;
}

/* The characters of one field, as a terminal sends it: nulls are left out. */
static const u8 *key_field(struct screen *s, unsigned at, const u8 *p, const u8 *end)
{
    unsigned cells = screen_cells(s);
    int field = screen_field_of(s, at);
    unsigned left = cells;
    struct screen_cell attributes = {0};
    if (field >= 0 && (s->cell[field].field & FA_PROTECTED) == 0)
        s->cell[field].field |= FA_MDT;
    while (p < end && *p != ORDER_SBA) {
        if (*p == ORDER_SA && end - p >= 3) {
            set_attribute(&attributes, p[1], p[2]);
            attributes.field = 0;
            p += 3;
            continue;
        }
        u8 charset = *p == ORDER_GE && end - p >= 2 ? CHARSET_GRAPHIC_ESCAPE : 0;
        p += charset ? 1 : 0;
        if (left && !s->cell[at].field) {
            s->cell[at] = attributes;
            s->cell[at].ch = *p;
            if (charset)
                s->cell[at].charset = charset;
            at = (at + 1) % cells;
            left--;
        }
        p++;
    }
    for (; left && !s->cell[at].field && (field >= 0 || at); left--, at = (at + 1) % cells)
        erase_cell(&s->cell[at]);
    return p;
}

static bool key_fields_ok(const struct screen *s, const u8 *p, const u8 *end)
{
    while (p < end) {
        if (*p == ORDER_SBA) {
            if (end - p < 3 || screen_address(p + 1) >= screen_cells(s))
                return false;
            p += 3;
        } else {
            p++;
        }
    }
    return true;
}

bool screen_key(struct screen *s, const u8 *record, size_t len)
{
    if (!len || !key_known(record[0]))
        return false;
    bool full = !short_read(record[0]);
    const u8 *p = record + 3, *end = record + len;
    if (full &&
        (len < 3 || screen_address(record + 1) >= screen_cells(s) || !key_fields_ok(s, p, end)))
        return false;
    if (record[0] == AID_CLEAR)
        clear(s);
    if (full) {
        s->s.cursor = (u16)screen_address(record + 1);
        reset_modified(s);
        if (p < end && *p != ORDER_SBA && screen_field_of(s, 0) < 0)
            p = key_field(s, 0, p, end);
        while (end - p >= 3) {
            unsigned at = screen_address(p + 1);
            p = *p == ORDER_SBA ? key_field(s, at, p + 3, end) : p + 1;
        }
    }
    s->s.aid = record[0];
    s->s.unread = s->s.locked = 1;
    return true;
}

bool screen_valid(const struct screen *s)
{
    const struct screen_state *k = &s->s;
    return screen_size_ok(k->rows, k->cols) && screen_size_ok(k->alt_rows, k->alt_cols) &&
           k->cursor < screen_cells(s) && k->address < screen_cells(s) &&
           k->reply_bytes <= SCREEN_REPLY_BYTES_MAX && k->unread <= 1 && k->locked <= 1 &&
           k->reply_mode <= 2;
}
