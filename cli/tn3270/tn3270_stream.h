/* The 3270 data stream as a console needs it: Write, Erase/Write (Alternate), SBA, SF, IC, RA out;
 * Read Modified in. Source: "3270 Data Stream Programmer's Reference" (GA23-0059). Pure. */
#ifndef ENDICOTT_CLI_TN3270_STREAM_H
#define ENDICOTT_CLI_TN3270_STREAM_H

#include "mem/base/bytes.h"

#define TN_CELLS_MAX 16384 /* of IBM-DYNAMIC: what 14-bit addresses reach (screen_size_ok) */
#define TN_OUT_BYTES_MAX 20480 /* a whole screen with an order before every row */
#define TN_FIELDS_MAX 8

struct tn_size {
    unsigned rows, cols;
};

/* ---- output ---- */

enum tn_write { TN_WRITE, TN_ERASE_WRITE }; /* erase: also choose the screen of this size */

/** Attributes of fields, as they are sent. */
enum tn_attribute {
    TN_INPUT = 0x40,
    TN_INPUT_MODIFIED = 0xc1, /* comes back though nobody typed in it */
    TN_INPUT_HIDDEN = 0x4c,
    TN_TEXT = 0x60,
    TN_TEXT_BRIGHT = 0xe8,
    TN_SKIP = 0xf0, /* the cursor jumps over it */
};

/** A record being made. What does not fit is left out, whole orders at a time. */
struct tn_out {
    struct tn_size size;
    size_t len;
    u8 bytes[TN_OUT_BYTES_MAX];
};

/** What a record does beside writing: bits of the write control character. */
enum tn_wcc {
    TN_ALARM = 4,
    TN_RESTORE = 2, /* the keyboard is unlocked at the end of the record */
};

/** Begin. `wcc`: TN_ bits. */
void tn_out_begin(struct tn_out *o, struct tn_size size, enum tn_write how, unsigned wcc);
/** Go to a cell (0 is the upper left; behind the last one comes the first). */
void tn_out_at(struct tn_out *o, unsigned cell);
void tn_out_field(struct tn_out *o, enum tn_attribute attribute);
void tn_out_cursor(struct tn_out *o);
/** Nulls from here up to, without, `cell`. */
void tn_out_clear_to(struct tn_out *o, unsigned cell);
/** Characters, code page 037 with the brackets at X'AD' and X'BD'. */
void tn_out_cells(struct tn_out *o, const u8 *cells, size_t count);
/** UTF-8 text. */
void tn_out_text(struct tn_out *o, const char *text);

/**
 * A line of text as a terminal shows it: UTF-8 to its code page, tabs widened, escape sequences
 * left out, backspace and carriage return obeyed, what cannot be shown as a blank or ?. At most
 * `room` cells. Returns how many.
 */
size_t tn_cells(const char *text, size_t len, u8 *cells, size_t room);

/* ---- input ---- */

enum tn_aid {
    TN_AID_ENTER = 0x7d,
    TN_AID_CLEAR = 0x6d,
    TN_AID_PA1 = 0x6c,
    TN_AID_PA2 = 0x6e,
    TN_AID_PA3 = 0x6b,
};

struct tn_field {
    unsigned cell;
    const u8 *data; /* into the record */
    size_t len;
};

struct tn_in {
    u8 aid;
    unsigned cursor;
    unsigned count;
    struct tn_field fields[TN_FIELDS_MAX]; /* further ones are dropped */
};

/** Decode a record from a terminal. False: it is none that a key sends; nothing is to be done. */
bool tn_in_parse(const u8 *record, size_t len, struct tn_size size, struct tn_in *out);
/** Text of the field that begins at `cell` ("" when it was not modified), without blanks at its
 *  end; always NUL-ended. */
void tn_in_text(const struct tn_in *in, unsigned cell, char *out, size_t room);
/** 1 to 24, or 0: no PF key. */
unsigned tn_aid_pf(u8 aid);

#endif
