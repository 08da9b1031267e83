/* 3270 orders to bytes, terminal records to fields. Records are hostile: addresses outside the
 * screen, cut-off orders and unknown AIDs make a record that is ignored. */
#include "cli/tn3270/tn3270_stream.h"

#include "io/ebcdic.h"

enum { CMD_WRITE = 0xf1, CMD_ERASE_WRITE = 0xf5, CMD_ERASE_WRITE_ALTERNATE = 0x7e };
enum { WCC_RESET_MDT = 1 };
enum { ORDER_SBA = 0x11, ORDER_IC = 0x13, ORDER_SF = 0x1d, ORDER_RA = 0x3c };
enum { CELL_BLANK = 0x40, CELL_SUB = 0x3f, CELL_QUESTION = 0x6f };

#define TAB_COLUMNS 8
#define TN_INPUT_CELLS 1024 /* of one field */
#define TN_CELLS_12_BITS 4096
#define DEFAULT_ROWS 24
#define DEFAULT_COLS 80

/* Six bits as a character (GA23-0059, table of buffer addresses and control characters). */
static u8 graphic(unsigned six)
{
    static const u8 high[] = {0x40, 0x50, 0x60, 0xf0}; /* 0-9 differ by the upper two bits */
    unsigned low = six & 15;
    if (six == 0x21)
        return 0x61; /* slash, the only one out of line */
    if (low >= 1 && low <= 9)
        return (u8)((six >> 4 == 3 ? 0xf0 : 0xc0 + (six >> 4 << 4)) | low);
    if (low == 0)
        return high[six >> 4];
    return (u8)(0x40 | (six & 0x3f));
}

/* ---- output ---- */

static void put(struct tn_out *o, const u8 *bytes, size_t n)
{
    if (n > sizeof o->bytes - o->len)
        return;
    memcpy(o->bytes + o->len, bytes, n);
    o->len += n;
}

void tn_out_begin(struct tn_out *o, struct tn_size size, enum tn_write how, unsigned wcc)
{
    bool standard = size.rows == DEFAULT_ROWS && size.cols == DEFAULT_COLS;
    u8 erase = standard ? CMD_ERASE_WRITE : CMD_ERASE_WRITE_ALTERNATE;
    if (how == TN_ERASE_WRITE)
        wcc |= WCC_RESET_MDT;
    o->size = size;
    o->len = 0;
    put(o, (const u8[]){how == TN_ERASE_WRITE ? erase : CMD_WRITE, graphic(wcc)}, 2);
}

/* SBA address, or RA address null. Addresses of 12 bits as long as these reach the whole screen. */
static void put_address(struct tn_out *o, u8 order, unsigned cell)
{
    bool wide = o->size.rows * o->size.cols > TN_CELLS_12_BITS;
    cell %= o->size.rows * o->size.cols;
    const u8 bytes[4] = {order, wide ? (u8)(cell >> 8) : graphic(cell >> 6 & 0x3f),
                         wide ? (u8)cell : graphic(cell & 0x3f), 0};
    put(o, bytes, order == ORDER_RA ? 4 : 3);
}

void tn_out_at(struct tn_out *o, unsigned cell)
{
    put_address(o, ORDER_SBA, cell);
}

void tn_out_clear_to(struct tn_out *o, unsigned cell)
{
    put_address(o, ORDER_RA, cell);
}

void tn_out_field(struct tn_out *o, enum tn_attribute attribute)
{
    put(o, (const u8[]){ORDER_SF, (u8)attribute}, 2);
}

void tn_out_cursor(struct tn_out *o)
{
    put(o, (const u8[]){ORDER_IC}, 1);
}

void tn_out_cells(struct tn_out *o, const u8 *cells, size_t count)
{
    put(o, cells, count);
}

void tn_out_text(struct tn_out *o, const char *text)
{
    u8 cells[256];
    put(o, cells, tn_cells(text, strlen(text), cells, sizeof cells));
}

/* ---- text ---- */

/* Length of the escape sequence at `text` (which is ESC): CSI ... final, or ESC and one more. */
static size_t escape_len(const char *text, size_t len)
{
    size_t n = 2;
    if (len < 2 || text[1] != '[')
        return len < 2 ? len : 2;
    while (n < len && (text[n] < 0x40 || text[n] > 0x7e))
        n++;
    return n < len ? n + 1 : len;
}

/* Length of the UTF-8 character at `text`, or 1. */
static size_t char_len(const char *text, size_t len)
{
    u8 c = (u8)text[0];
    size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    return n <= len ? n : 1;
}

/* Between code page 037 and "bracket", the terminals' default, which has the brackets where
 * most programs of the field put them (those of code page 1047); either way. */
static u8 bracket(u8 cell)
{
    switch (cell) {
    case 0xad: return 0xba;
    case 0xba: return 0xad;
    case 0xbb: return 0xbd;
    case 0xbd: return 0xbb;
    default: return cell;
    }
}

static u8 cell_of(const char *text, size_t len)
{
    u8 cell = CELL_BLANK;
    if ((u8)text[0] >= 0x20 && text[0] != 0x7f)
        ebcdic_from_utf8(EBCDIC_037, text, len, &cell, 1);
    if (cell == CELL_SUB)
        return CELL_QUESTION;
    return cell < CELL_BLANK || cell == 0xff ? CELL_BLANK : bracket(cell);
}

/* A control character: the new number of cells. */
static size_t control(char c, size_t n, size_t room, bool last)
{
    if (c == '\b')
        return n ? n - 1 : 0;
    if (c == '\r')
        return last ? n : 0;
    if (c == '\t') {
        size_t to = (n / TAB_COLUMNS + 1) * TAB_COLUMNS;
        return to < room ? to : room;
    }
    return n;
}

size_t tn_cells(const char *text, size_t len, u8 *cells, size_t room)
{
    size_t n = 0, step;
    for (size_t i = 0; i < len && n < room; i += step) {
        if (text[i] == 0x1b) {
            step = escape_len(text + i, len - i);
        } else if ((u8)text[i] < 0x20) {
            size_t to = control(text[i], n, room, i + 1 == len);
            if (to > n)
                memset(cells + n, CELL_BLANK, to - n);
            n = to;
            step = 1;
        } else {
            step = char_len(text + i, len - i);
            cells[n++] = cell_of(text + i, step);
        }
    }
    return n;
}

/* ---- input ---- */

static bool address(const u8 *p, struct tn_size size, unsigned *cell)
{
    *cell =
        p[0] >> 6 ? (unsigned)(p[0] & 0x3f) << 6 | (p[1] & 0x3f) : (unsigned)p[0] << 8 | p[1];
    return *cell < size.rows * size.cols;
}

unsigned tn_aid_pf(u8 aid)
{
    static const u8 odd[] = {0x7a, 0x7b, 0x7c};  /* 10 to 12 */
    static const u8 high[] = {0x4a, 0x4b, 0x4c}; /* 22 to 24 */
    if (aid >= 0xf1 && aid <= 0xf9)
        return aid - 0xf0u;
    if (aid >= 0xc1 && aid <= 0xc9)
        return aid - 0xc0u + 12;
    for (unsigned i = 0; i < 3; i++) {
        if (aid == odd[i])
            return 10 + i;
        if (aid == high[i])
            return 22 + i;
    }
    return 0;
}

static bool fields(const u8 *p, const u8 *end, struct tn_size size, struct tn_in *out)
{
    while (p < end) {
        unsigned cell;
        if (end - p < 3 || *p != ORDER_SBA || !address(p + 1, size, &cell))
            return false;
        const u8 *data = p += 3;
        while (p < end && *p != ORDER_SBA)
            p++;
        if (out->count < TN_FIELDS_MAX)
            out->fields[out->count++] = (struct tn_field){cell, data, (size_t)(p - data)};
    }
    return true;
}

bool tn_in_parse(const u8 *record, size_t len, struct tn_size size, struct tn_in *out)
{
    *out = (struct tn_in){.aid = len ? record[0] : 0};
    switch (out->aid) {
    case TN_AID_CLEAR:
    case TN_AID_PA1:
    case TN_AID_PA2:
    case TN_AID_PA3: return true; /* short read: what follows says nothing */
    case TN_AID_ENTER: break;
    default:
        if (!tn_aid_pf(out->aid))
            return false;
    }
    return len >= 3 && address(record + 1, size, &out->cursor) &&
           fields(record + 3, record + len, size, out);
}

void tn_in_text(const struct tn_in *in, unsigned cell, char *out, size_t room)
{
    char text[2 * TN_INPUT_CELLS];
    u8 cells[TN_INPUT_CELLS];
    size_t len = 0;
    for (unsigned i = 0; i < in->count; i++) {
        const struct tn_field *f = &in->fields[i];
        if (f->cell != cell)
            continue;
        size_t n = f->len < TN_INPUT_CELLS ? f->len : TN_INPUT_CELLS;
        for (size_t k = 0; k < n; k++)
            cells[k] = bracket(f->data[k]);
        len = ebcdic_to_utf8(EBCDIC_037, cells, n, text);
    }
    for (size_t i = 0; i < len; i++)
        if ((u8)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
    while (len && text[len - 1] == ' ')
        len--;
    len = len < room ? len : room - 1;
    memcpy(out, text, len);
    out[len] = 0;
}
