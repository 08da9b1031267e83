/* A 3270 display station: a guest writes and reads it by channel programs, at most one terminal
 * at a time shows it. The screen is kept here, so that a terminal may come, go and come back, and
 * a guest may run without one. Any thread. */
#ifndef ENDICOTT_IO_CON3270_H
#define ENDICOTT_IO_CON3270_H

#include "io/css.h"
#include "io/screen3270.h"

struct con3270;

#define CON3270_RECORD_BYTES_MAX 65536u
#define CON3270_RING_BYTES 65536u

/** Create and attach at `devno`; css owns it (destroyed by css_detach or css_destroy). */
struct con3270 *con3270_create(struct css *css, u16 devno, bool announce, struct cause *cause);

/** A terminal of this size shows the display from now on. The guest learns of the size when it asks
 *  (query, DIAGNOSE X'210') or the machine is reset. */
void con3270_connect(struct con3270 *con, unsigned rows, unsigned cols);
void con3270_disconnect(struct con3270 *con);
/** A record from the terminal; the guest gets attention. False: it is none that a key sends. */
bool con3270_key(struct con3270 *con, const u8 *record, size_t len);
/** The attention key alone: the guest reads that no key was pressed. */
void con3270_attention(struct con3270 *con);
/** Has the guest ever written to it since it was reset? */
bool con3270_written(struct con3270 *con);
/** The guest asks for the size: that of the terminal, which holds from its next erase on. */
void con3270_size(struct con3270 *con, unsigned *rows, unsigned *cols);

/** What a terminal is to be sent next. */
enum con3270_next { CON3270_NOTHING, CON3270_RECORD, CON3270_REDRAW };
struct con3270_record {
    u8 command;      /* SCREEN_WRITE, ..._ERASE_WRITE, ..._ALTERNATE, ..._ERASE_UNPROTECTED */
    u16 rows, cols;  /* of the display after it */
    bool unread;     /* a key waits to be read: the keyboard stays locked */
    const u8 *bytes; /* WCC and orders, in `room` of the caller */
    size_t len;
};
/**
 * The guest's next write after `*cursor` (0 at first), copied into `room`; `*cursor` moves on.
 * CON3270_REDRAW: writes were missed (or the screen changed otherwise): call con3270_redraw.
 */
enum con3270_next con3270_take(struct con3270 *con, u64 *cursor,
                               u8 room[CON3270_RECORD_BYTES_MAX], struct con3270_record *out);
/** The screen as it is, and *cursor behind the last write: see screen_redraw. */
void con3270_redraw(struct con3270 *con, u64 *cursor, bool extended, unsigned rows,
                    unsigned cols, u8 room[CON3270_RECORD_BYTES_MAX],
                    struct con3270_record *out);

/** Behind the last write: of a terminal that shows all of it, the `*cursor`. */
u64 con3270_position(struct con3270 *con);

/** For tests and DISPLAY: one row as EBCDIC, blanks for nulls and attributes; its length. */
size_t con3270_row(struct con3270 *con, unsigned row, u8 out[SCREEN_LINE_MAX]);

#endif
