/* Reading a 3270 display: read buffer, read modified, query replies, and the whole screen as orders
 * for a terminal that joins late. */
#include "io/screen3270.h"

#include "io/screen3270_internal.h"

#define FOURTEEN_BITS_FROM 4096u
#define SF_HEAD 3u /* length and identifier */

static void put_byte(struct screen_out *out, u8 byte)
{
    screen_out_put(out, &byte, 1);
}

static void put_address(struct screen_out *out, unsigned at, unsigned cells)
{
    if (cells > FOURTEEN_BITS_FROM) {
        put_byte(out, (u8)(at >> 8));
        put_byte(out, (u8)at);
    } else {
        put_byte(out, screen_graphic(at >> 6 & 0x3f));
        put_byte(out, screen_graphic(at & 0x3f));
    }
}

static void put_sba(struct screen_out *out, unsigned at, unsigned cells)
{
    put_byte(out, ORDER_SBA);
    put_address(out, at, cells);
}

/* ---- attributes ---- */

static void put_pair(struct screen_out *out, u8 type, u8 value)
{
    const u8 pair[2] = {type, value};
    screen_out_put(out, pair, 2);
}

static void put_field(struct screen_out *out, const struct screen_cell *cell, bool extended)
{
    u8 attribute = screen_graphic(cell->field & FA_BITS);
    if (!extended) {
        put_pair(out, ORDER_SF, attribute);
        return;
    }
    u8 pairs =
        (u8)(1 + !!cell->highlight + !!cell->color + !!cell->charset + !!cell->background);
    put_pair(out, ORDER_SFE, pairs);
    put_pair(out, XA_FIELD, attribute);
    if (cell->highlight)
        put_pair(out, XA_HIGHLIGHT, cell->highlight);
    if (cell->color)
        put_pair(out, XA_COLOR, cell->color);
    if (cell->charset)
        put_pair(out, XA_CHARSET, cell->charset);
    if (cell->background)
        put_pair(out, XA_BACKGROUND, cell->background);
}

static void put_change(struct screen_out *out, u8 type, u8 *now, u8 wanted)
{
    if (*now == wanted)
        return;
    put_byte(out, ORDER_SA);
    put_pair(out, type, wanted);
    *now = wanted;
}

static u8 charset_of(const struct screen_cell *cell)
{
    return cell->charset == CHARSET_GRAPHIC_ESCAPE ? 0 : cell->charset;
}

/* SET ATTRIBUTE from `now` to what the cell has. */
static void put_changes(struct screen_out *out, struct screen_cell *now,
                        const struct screen_cell *cell)
{
    put_change(out, XA_HIGHLIGHT, &now->highlight, cell->highlight);
    put_change(out, XA_COLOR, &now->color, cell->color);
    put_change(out, XA_CHARSET, &now->charset, charset_of(cell));
    put_change(out, XA_BACKGROUND, &now->background, cell->background);
}

static void put_graphic(struct screen_out *out, const struct screen_cell *cell)
{
    if (cell->charset == CHARSET_GRAPHIC_ESCAPE)
        put_byte(out, ORDER_GE);
    put_byte(out, cell->ch);
}

/* ---- read ---- */

static void mode_changes(const struct screen *s, struct screen_out *out,
                         struct screen_cell *now, const struct screen_cell *cell)
{
    if (s->s.reply_mode != 2)
        return;
    for (unsigned i = 0; i < s->s.mode_attributes; i++) {
        switch (s->s.reply_types[i]) {
        case XA_HIGHLIGHT:
            put_change(out, XA_HIGHLIGHT, &now->highlight, cell->highlight);
            break;
        case XA_COLOR: put_change(out, XA_COLOR, &now->color, cell->color); break;
        case XA_CHARSET: put_change(out, XA_CHARSET, &now->charset, charset_of(cell)); break;
        }
    }
}

static void read_buffer(const struct screen *s, unsigned start, struct screen_out *out)
{
    struct screen_cell now = {0};
    for (unsigned i = start; i < screen_cells(s); i++) {
        const struct screen_cell *cell = &s->cell[i];
        if (cell->field) {
            put_field(out, cell, s->s.reply_mode > 0);
            continue;
        }
        mode_changes(s, out, &now, cell);
        put_graphic(out, cell);
    }
}

static void read_characters(const struct screen *s, unsigned from, struct screen_out *out)
{
    struct screen_cell now = {0};
    unsigned cells = screen_cells(s);
    for (unsigned n = 0, i = from; n < cells && !s->cell[i].field; n++, i = (i + 1) % cells) {
        const struct screen_cell *cell = &s->cell[i];
        if (!cell->ch)
            continue;
        mode_changes(s, out, &now, cell);
        put_graphic(out, cell);
    }
}

static void read_modified(const struct screen *s, unsigned start, struct screen_out *out)
{
    unsigned cells = screen_cells(s);
    if (screen_field_of(s, 0) < 0) {
        for (unsigned i = start; i < cells; i++)
            if (s->cell[i].ch)
                put_graphic(out, &s->cell[i]);
        return;
    }
    for (unsigned i = start; i < cells; i++) {
        if (!(s->cell[i].field & FA_MDT))
            continue;
        unsigned first = (i + 1) % cells;
        put_sba(out, first, cells);
        read_characters(s, first, out);
    }
}

void screen_read(struct screen *s, u8 command, unsigned start, struct screen_out *out)
{
    if (s->s.reply_bytes && command != SCREEN_READ_BUFFER) {
        put_byte(out, AID_STRUCTURED_FIELD);
        screen_out_put(out, s->s.reply, s->s.reply_bytes);
        return;
    }
    put_byte(out, s->s.aid);
    if (command == SCREEN_READ_MODIFIED && screen_short_read(s->s.aid))
        return;
    put_address(out, s->s.cursor, screen_cells(s));
    if (command == SCREEN_READ_BUFFER)
        read_buffer(s, start, out);
    else
        read_modified(s, start, out);
}

/* ---- query replies ---- */

enum query_code {
    QR_SUMMARY = 0x80,
    QR_USABLE_AREA = 0x81,
    QR_CHARACTER_SETS = 0x85,
    QR_COLOR = 0x86,
    QR_HIGHLIGHT = 0x87,
    QR_REPLY_MODES = 0x88,
    QR_IMPLICIT_PARTITION = 0xa6,
    QR_NULL = 0xff,
};

static const u8 query_codes[] = {QR_SUMMARY,   QR_USABLE_AREA, QR_CHARACTER_SETS,    QR_COLOR,
                                 QR_HIGHLIGHT, QR_REPLY_MODES, QR_IMPLICIT_PARTITION};

static void reply_field(struct screen *s, u8 code, const u8 *data, unsigned len)
{
    u8 *at = s->s.reply + s->s.reply_bytes;
    unsigned bytes = len + 4;
    if (s->s.reply_bytes + bytes > SCREEN_REPLY_BYTES_MAX)
        return;
    be16_store(at, (u16)bytes);
    at[2] = 0x81;
    at[3] = code;
    if (data)
        memcpy(at + 4, data, len);
    s->s.reply_bytes = (u16)(s->s.reply_bytes + bytes);
}

static void reply_usable_area(struct screen *s)
{
    u8 d[19] = {0x01}; /* 12 and 14 bit addresses */
    be16_store(d + 2, s->s.alt_cols);
    be16_store(d + 4, s->s.alt_rows);
    d[6] = 0x01; /* millimetres: a fraction of two halfwords for each direction */
    be32_store(d + 7, 0x000a02e5);
    be32_store(d + 11, 0x0002006f);
    d[15] = 9; /* a cell is 9 by 12 */
    d[16] = 12;
    be16_store(d + 17, (u16)(s->s.alt_rows * s->s.alt_cols));
    reply_field(s, QR_USABLE_AREA, d, sizeof d);
}

static void reply_implicit_partition(struct screen *s)
{
    u8 d[13] = {0, 0, 0x0b, 0x01, 0};
    be16_store(d + 5, SCREEN_DEFAULT_COLS);
    be16_store(d + 7, SCREEN_DEFAULT_ROWS);
    be16_store(d + 9, s->s.alt_cols);
    be16_store(d + 11, s->s.alt_rows);
    reply_field(s, QR_IMPLICIT_PARTITION, d, sizeof d);
}

static bool reply_one(struct screen *s, u8 code)
{
    static const u8 sets[] = {0x82, 0x00, 9,    12,   0,    0,    0,    0,
                              7,    0,    0x10, 0x00, 0x02, 0xb9, 0x00, 0x25,
                              0x01, 0x00, 0xf1, 0x03, 0xc3, 0x01, 0x36};
    static const u8 colors[] = {0x00, 8,    0x00, 0xf4, 0xf1, 0xf1, 0xf2, 0xf2, 0xf3,
                                0xf3, 0xf4, 0xf4, 0xf5, 0xf5, 0xf6, 0xf6, 0xf7, 0xf7};
    static const u8 highlights[] = {4, 0x00, 0xf0, 0xf1, 0xf1, 0xf2, 0xf2, 0xf4, 0xf4};
    static const u8 modes[] = {0, 1, 2};
    switch (code) {
    case QR_SUMMARY: reply_field(s, code, query_codes, sizeof query_codes); return true;
    case QR_USABLE_AREA: reply_usable_area(s); return true;
    case QR_CHARACTER_SETS: reply_field(s, code, sets, sizeof sets); return true;
    case QR_COLOR: reply_field(s, code, colors, sizeof colors); return true;
    case QR_HIGHLIGHT: reply_field(s, code, highlights, sizeof highlights); return true;
    case QR_REPLY_MODES: reply_field(s, code, modes, sizeof modes); return true;
    case QR_IMPLICIT_PARTITION: reply_implicit_partition(s); return true;
    }
    return false;
}

static void reply_all(struct screen *s)
{
    for (unsigned i = 0; i < ARRAY_LEN(query_codes); i++)
        reply_one(s, query_codes[i]);
}

/* Read Partition: partition, type; of a query list: which, and the codes. */
static bool read_partition(struct screen *s, const u8 *p, size_t len)
{
    if (len < 2 || p[0] != 0xff)
        return false;
    s->s.reply_bytes = 0;
    if (p[1] == 0x02) {
        reply_all(s);
        return true;
    }
    if (p[1] != 0x03 || len < 3)
        return false;
    if (p[2] & 0xc0) {
        reply_all(s); /* equivalent and list, or all */
        return true;
    }
    for (size_t i = 3; i < len; i++)
        reply_one(s, p[i]);
    if (!s->s.reply_bytes)
        reply_field(s, QR_NULL, NULL, 0);
    return true;
}

static bool set_reply_mode(struct screen *s, const u8 *p, size_t len)
{
    if (len < 2 || p[0] || p[1] > 2 || len - 2 > sizeof s->s.reply_types)
        return false;
    s->s.reply_mode = p[1];
    s->s.mode_attributes = (u8)(len - 2);
    memcpy(s->s.reply_types, p + 2, len - 2);
    return true;
}

typedef bool screen_write_cb(void *ctx, u8 command, const u8 *data, size_t len);

static bool outbound(const u8 *p, size_t len, screen_write_cb *write, void *ctx)
{
    if (len < 2 || p[0])
        return false;
    switch (p[1]) {
    case SCREEN_SNA_WRITE: return write(ctx, SCREEN_WRITE, p + 2, len - 2);
    case SCREEN_SNA_ERASE_WRITE: return write(ctx, SCREEN_ERASE_WRITE, p + 2, len - 2);
    case SCREEN_SNA_ERASE_WRITE_ALTERNATE:
        return write(ctx, SCREEN_ERASE_WRITE_ALTERNATE, p + 2, len - 2);
    case SCREEN_SNA_ERASE_UNPROTECTED: return write(ctx, SCREEN_ERASE_UNPROTECTED, NULL, 0);
    }
    return false;
}

static bool structured_field(struct screen *s, u8 id, const u8 *p, size_t len,
                             screen_write_cb *write, void *ctx)
{
    switch (id) {
    case 0x01: return read_partition(s, p, len);
    case 0x03:
        if (len != 1)
            return false;
        return write(ctx, *p & 0x80 ? SCREEN_ERASE_WRITE_ALTERNATE : SCREEN_ERASE_WRITE, NULL,
                     0);
    case 0x09: return set_reply_mode(s, p, len);
    case 0x40: return outbound(p, len, write, ctx);
    }
    return false;
}

bool screen_structured_fields(struct screen *s, const u8 *data, size_t len,
                              screen_write_cb *write, void *ctx)
{
    while (len) {
        size_t n = len >= 2 ? be16_load(data) : 0;
        n = n ? n : len; /* 0: the rest */
        if (n < SF_HEAD || n > len ||
            !structured_field(s, data[2], data + SF_HEAD, n - SF_HEAD, write, ctx))
            return false;
        data += n;
        len -= n;
    }
    return true;
}

/* ---- the whole screen ---- */

static bool is_blank(const struct screen_cell *cell)
{
    return !cell->field && !cell->ch && !cell->highlight && !cell->color && !cell->background;
}

struct redraw {
    struct screen_out *out;
    struct screen_cell now;
    unsigned next, cells; /* where the terminal is; its size */
    bool extended;
};

static void redraw_cell(struct redraw *r, const struct screen_cell *cell, unsigned to)
{
    if (is_blank(cell))
        return;
    if (to != r->next)
        put_sba(r->out, to, r->cells);
    r->next = (to + 1) % r->cells;
    if (cell->field) {
        put_field(r->out, cell, r->extended);
        return;
    }
    if (r->extended)
        put_changes(r->out, &r->now, cell);
    put_graphic(r->out, cell);
}

void screen_redraw(const struct screen *s, bool extended, unsigned rows, unsigned cols,
                   struct screen_out *out)
{
    struct redraw r = {.out = out, .next = 0, .cells = rows * cols, .extended = extended};
    for (unsigned row = 0; row < s->s.rows && row < rows; row++)
        for (unsigned col = 0; col < s->s.cols && col < cols; col++)
            redraw_cell(&r, &s->cell[row * s->s.cols + col], row * cols + col);
    unsigned row = s->s.cursor / s->s.cols, col = s->s.cursor % s->s.cols;
    row = row < rows ? row : rows - 1;
    col = col < cols ? col : cols - 1;
    put_sba(out, row * cols + col, r.cells);
    put_byte(out, ORDER_IC);
}
