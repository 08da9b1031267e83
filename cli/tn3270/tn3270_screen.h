/* The screens of a 3270 console. The logon screen; and CP's: an output area that is filled from
 * the top and not scrolled, an input area of two lines, the status at the lower right.
 * What does not fit stays in the console until the screen is cleared: nothing is buffered here. */
#ifndef ENDICOTT_CLI_TN3270_SCREEN_H
#define ENDICOTT_CLI_TN3270_SCREEN_H

#include "cli/tn3270/tn3270_stream.h"
#include "hyp/console.h"

#define TN_STATUS_CELLS 20 /* at the end of the last line */
#define TN_INPUT_BYTES 512 /* the input area as UTF-8 text, with room to spare */

/** A row of a console's output: of line `line`, the part that begins `row` screen rows in. */
struct tn_place {
    u64 line;
    unsigned row;
};

/** CP's screen of one terminal. Owner: its connection. */
struct tn_screen {
    struct tn_size size;
    struct tn_place top, end; /* first row shown; the first one that is not */
    bool more;                /* there is something at `end`, and the screen is full */
    bool drawn;               /* `cells` and `status` are what the terminal shows */
    bool alarm;               /* sounds with what is drawn next */
    bool key_waits;           /* for its turn: nothing unlocks the keyboard before it */
    u8 cells[TN_CELLS_MAX];   /* output area; 0 = nothing there */
    char status[TN_STATUS_CELLS + 1];
};

/** Begin with the last lines of `console`, as many as fit in `rows`. */
void tn_screen_begin(struct tn_screen *s, struct tn_size size, struct console *console,
                     unsigned rows);
/** The next page, or an empty one: what is shown now goes. */
void tn_screen_next(struct tn_screen *s);

enum tn_draw {
    TN_DRAW_CHANGES, /* the input area is left alone: somebody may be typing */
    TN_DRAW_INPUT,   /* changes, and the input area anew */
    TN_DRAW_ALL,     /* the terminal's screen is empty, or was another one */
};

/** Take in what `console` has, and make the record that shows it. The keyboard is unlocked with the
 *  input area, not with what changes beside it. False: nothing changed and
 *  `out` is not made. `status`: NULL-ended, at most TN_STATUS_CELLS; MORE... and the like replace
 *  it by what `choose` of the new state says. */
bool tn_screen_draw(struct tn_screen *s, struct console *console, enum tn_draw how,
                    const char *(*choose)(void *ctx, bool more), void *ctx, const char *system,
                    const char *input, struct tn_out *out);
/** Where the input area begins. */
unsigned tn_screen_input(struct tn_size size);

/** The logon screen. `userid`: already in its field ("" = none); `message` may be "". */
void tn_logo_draw(struct tn_size size, const char *system, const char *message,
                  const char *userid, bool alarm, struct tn_out *out);
/** The screen that asks for a command. `hidden`: for a password, in the same place
 *  (tn_screen_input). */
void tn_form_draw(struct tn_size size, const char *system, const char *message, bool hidden,
                  bool alarm, struct tn_out *out);
/** Its fields. */
unsigned tn_logo_userid(struct tn_size size);
unsigned tn_logo_password(struct tn_size size);
unsigned tn_logo_command(struct tn_size size);
/** A screen that only says something. */
void tn_notice_draw(struct tn_size size, const char *system, const char *text,
                    struct tn_out *out);

#endif
