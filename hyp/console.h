/* A console: what a guest or CP wrote, and what people typed. Lines are numbered from 1 for the
 * life of the virtual machine, on whatever member; the last one may still be unterminated.
 * Any thread may write and read; callbacks run on the loop thread, inside console_poll. */
#ifndef ENDICOTT_HYP_CONSOLE_H
#define ENDICOTT_HYP_CONSOLE_H

#include "mem/base/bytes.h"
#include "mem/base/codec.h"
#include "mem/base/status.h"

#define CONSOLE_LINES_MAX 4096
#define CONSOLE_LINE_BYTES_MAX 1024 /* longer lines are broken */
#define CONSOLE_INPUTS_MAX 64
#define CONSOLE_INPUT_BYTES_MAX 1024
#define CONSOLE_REGEX_BYTES_MAX 512

struct console;

/** What a console needs from outside. `wall_ns`: nanoseconds since 1970, any thread. */
struct console_ports {
    void *ctx;
    u64 (*wall_ns)(void *ctx);
    /* New text arrived since the last console_poll: make the loop call it. Called without
     * locks from any thread; may be NULL (then the owner polls by itself). */
    void (*wakeup)(void *ctx, struct console *console);
};

struct console *console_create(const struct console_ports *ports);
void console_destroy(struct console *console);

/** Append UTF-8 text. \n ends a line, \r\n too; other controls but \t are kept. Any thread. */
void console_write(struct console *console, const char *text, size_t len);
/** End a pending partial line, then append one whole line (CP's own output). Any thread. */
void console_write_line(struct console *console, const char *text);
/** The same with a line that another console showed: it is not to be passed on from here. */
void console_relay_line(struct console *console, const char *text);

/** One line, copied out. */
struct console_line {
    u64 number;
    u64 wall_ns; /* when it was completed; of a partial line: when it began */
    bool partial;
    bool relayed; /* by console_relay_line */
    size_t len;
    char text[CONSOLE_LINE_BYTES_MAX + 1];
};

/** Number of the line being written now: complete lines are below it. Any thread. */
u64 console_next_number(struct console *console);
/** Oldest line still held. */
u64 console_first_number(struct console *console);
/**
 * Copy the first complete line numbered `*cursor` or later, and set `*cursor` behind it.
 * False when there is none yet. Any thread.
 */
bool console_read(struct console *console, u64 *cursor, struct console_line *out);
/** Copy the unterminated line; false when it is empty. Any thread. */
bool console_partial(struct console *console, struct console_line *out);

/** Evaluate waits and feed observers. Loop thread only; called after a wakeup. */
void console_poll(struct console *console);

/** A wait ended: `line` matched; NULL when the console goes away. The wait is gone then. */
typedef void (*console_wait_cb)(void *ctx, const struct console_line *line);
/**
 * Call back once when a line matches the extended regular expression: complete lines from
 * number `from` on (0: all held; console_next_number: new ones only) and the partial line as it
 * stands. May call back before it returns. `*id` (may be NULL) names the wait for cancelling,
 * 0 if it is over already. ST_INVAL: bad expression. Loop thread.
 */
int console_wait_start(struct console *console, const char *regex, u64 from, console_wait_cb cb,
                       void *ctx, u64 *id, struct cause *cause);
/** Forget a wait without calling back. */
void console_wait_cancel(struct console *console, u64 id);

/** Everything written from `from` on, piecewise as it comes, partial lines included;
 *  len 0 = the console goes away. */
typedef void (*console_observer_cb)(void *ctx, const char *text, size_t len);
/** Observe (attach). Returns an id, 0 when memory is short. Loop thread. */
u64 console_observe(struct console *console, u64 from, console_observer_cb cb, void *ctx);
/** The same without lines of other consoles (console_relay_line). */
/** From a byte of line `from` on, what is before it having been seen. */
u64 console_observe_at(struct console *console, u64 from, size_t at, console_observer_cb cb,
                       void *ctx);
u64 console_observe_own(struct console *console, u64 from, console_observer_cb cb, void *ctx);
/** From inside of a callback: number of the line that the text is of, and how many of its bytes are
 *  in front of it. */
u64 console_observed_line(struct console *console, u64 id, size_t *at);
void console_unobserve(struct console *console, u64 id);

/** HOLD of LOGOFF and DISCONNECT: the terminal's line is held, it gets the logon screen again. Loop
 *  thread; off again with the next LOGON. */
void console_hold_line(struct console *console, bool hold);
bool console_line_held(const struct console *console);

/** Is somebody attached? Any thread. */
bool console_attached(struct console *console);

/** From now on: characters of a line, 0 = as many as fit; lines begin with the time of day. */
void console_set_form(struct console *console, unsigned linesize, bool timestamp);

/** Show typed lines in the output, as a typewriter does (default on); a full-duplex device
 *  (SCLP ASCII console) whose guest echoes turns it off. */
void console_set_echo(struct console *console, bool on);
/** A line typed for the guest, without \n. ST_LIMIT when the queue is full. Any thread. */
int console_input_put(struct console *console, const char *text, size_t len);
/** Take the oldest typed line: its length (text is NUL-ended), or -1 when there is none. */
int console_input_take(struct console *console, char *out, size_t room);
unsigned console_input_count(struct console *console);
/** Told (on the thread that types) that input is there: the device raises attention. */
void console_set_input_notify(struct console *console, void (*notify)(void *ctx), void *ctx);

/** History, numbering, partial line and pending input, as rows of one block. */
void console_save(struct console *console, struct codec_out *out);
/** Replace the content from such rows; ST_PROTO leaves the console unchanged. */
int console_restore(struct console *console, struct codec_in *in, struct cause *cause);

#endif
