/* What a 3270 display holds: character buffer, attributes, cursor, keyboard; the data stream writes
 * and reads it. Source: "3270 Data Stream Programmer's Reference" (GA23-0059). Pure: no locks, no
 * host, no device; whoever owns a struct screen serialises it. */
#ifndef ENDICOTT_IO_SCREEN3270_H
#define ENDICOTT_IO_SCREEN3270_H

#include "mem/base/bytes.h"

#define SCREEN_CELLS_MAX 16383u /* what 14-bit addresses reach */
#define SCREEN_LINE_MAX 255u    /* rows, or columns */
#define SCREEN_DEFAULT_ROWS 24u
#define SCREEN_DEFAULT_COLS 80u
#define SCREEN_REPLY_BYTES_MAX 256u

/** Commands, as a local channel has them and as they stand in front of a TN3270 record. */
enum screen_command {
    SCREEN_WRITE = 0x01,
    SCREEN_READ_BUFFER = 0x02,
    SCREEN_ERASE_WRITE = 0x05,
    SCREEN_READ_MODIFIED = 0x06,
    SCREEN_SELECT = 0x0b,
    SCREEN_ERASE_WRITE_ALTERNATE = 0x0d,
    SCREEN_READ_MODIFIED_ALL = 0x0e,
    SCREEN_ERASE_UNPROTECTED = 0x0f,
    SCREEN_WRITE_STRUCTURED_FIELD = 0x11,
};
enum {
    SCREEN_SNA_WRITE = 0xf1,
    SCREEN_SNA_ERASE_WRITE = 0xf5,
    SCREEN_SNA_ERASE_WRITE_ALTERNATE = 0x7e,
    SCREEN_SNA_ERASE_UNPROTECTED = 0x6f,
    SCREEN_SNA_WRITE_STRUCTURED_FIELD = 0xf3,
};

/** Write control character. */
enum { WCC_RESET = 0x40, WCC_ALARM = 0x04, WCC_RESTORE = 0x02, WCC_RESET_MDT = 0x01 };
/** Field attribute. */
enum {
    FA_PROTECTED = 0x20,
    FA_NUMERIC = 0x10,
    FA_HIDDEN = 0x0c,
    FA_MDT = 0x01,
    FA_BITS = 0x3f
};
enum { AID_NONE = 0x60, AID_STRUCTURED_FIELD = 0x88, AID_CLEAR = 0x6d, AID_ENTER = 0x7d };

struct screen_cell {
    u8 ch;    /* 0: null */
    u8 field; /* SCREEN_FIELD | attribute bits: a field begins here; 0: a character */
    u8 highlight, color, background, charset; /* 0: default */
};
#define SCREEN_CELL_BYTES 6u
#define SCREEN_FIELD 0x80

/** Everything that relocates but the cells; rows in io_state.def. */
struct screen_state {
    u16 rows, cols;         /* now */
    u16 alt_rows, alt_cols; /* from the next erase/write alternate on */
    u16 cursor, address;
    u16 reply_bytes; /* of a query reply that waits to be read */
    u8 aid;          /* of the last key, until the keyboard is restored */
    u8 unread;       /* ... and the program has not read it */
    u8 reply_mode;   /* 0 field, 1 extended field, 2 character */
    u8 locked;       /* keyboard */
    u8 mode_attributes;
    u8 reply_types[3]; /* character attributes that reply mode 2 tells */
    u8 reply[SCREEN_REPLY_BYTES_MAX];
};

struct screen {
    struct screen_state s;
    struct screen_cell cell[SCREEN_CELLS_MAX + 1];
};

/** A sink of bytes; screen_out_put counts what does not fit, too. */
struct screen_out {
    u8 *bytes;
    size_t room, len;
};
void screen_out_put(struct screen_out *out, const void *bytes, size_t len);

/** Is this a possible size of a display? */
bool screen_size_ok(unsigned rows, unsigned cols);
/** Power on: cleared, default size, keyboard unlocked, alternate size as given. */
void screen_reset(struct screen *s, unsigned alt_rows, unsigned alt_cols);
/**
 * A write-type command with its data (WCC first; EAU has none). False: an order or an address is
 * wrong (operation check); what came before it is done.
 */
bool screen_write(struct screen *s, u8 command, const u8 *data, size_t len);
/**
 * Structured fields. Outbound 3270DS fields are handed to `write` as commands with their data (it
 * calls screen_write); queries are answered into s->reply (then reply_bytes is not 0).
 */
bool screen_structured_fields(struct screen *s, const u8 *data, size_t len,
                              bool (*write)(void *ctx, u8 command, const u8 *data, size_t len),
                              void *ctx);
/** What read buffer, read modified or read modified all answer, from `start` on. */
void screen_read(struct screen *s, u8 command, unsigned start, struct screen_out *out);
/** The program has read the display. */
void screen_was_read(struct screen *s);
/**
 * A record from a terminal: AID, cursor, modified fields. False: it is none that a key sends, and
 * nothing was changed. The keyboard is locked then, and the AID waits to be read.
 */
bool screen_key(struct screen *s, const u8 *record, size_t len);
/** Orders that draw the whole screen, after a WCC: for a terminal that may have been away. Extended
 *  attributes are left out when `extended` is false. `rows` and `cols` are the terminal's: what is
 *  outside is not shown. */
void screen_redraw(const struct screen *s, bool extended, unsigned rows, unsigned cols,
                   struct screen_out *out);
/** Six bits as a character. */
u8 screen_graphic(unsigned six);
/** Decode a two-byte address of 12 or 14 bits; at least `cells`: none. */
unsigned screen_address(const u8 *p);
/** Are cells and state consistent (after a restore)? */
bool screen_valid(const struct screen *s);

#endif
