/* Inside of a console, shared by its text, watcher and relocation parts.
 * Internal to hyp/ and its unit tests. */
#ifndef ENDICOTT_HYP_CONSOLE_INTERNAL_H
#define ENDICOTT_HYP_CONSOLE_INTERNAL_H

#include <stdatomic.h>

#include "hyp/console.h"
#include "mem/base/lock.h"

struct stored_line {
    char *text;
    size_t len;
    u64 wall_ns;
    bool relayed;
};

struct typed_line {
    char *text;
    size_t len;
};

struct console_watch; /* a wait or an observer */

/* Located by: cp_user. Created at logon, destroyed at logoff. Serialised by `lock`, the watch
 * list by the loop thread. */
struct console {
    struct console_ports ports;
    struct lock lock;
    struct stored_line ring[CONSOLE_LINES_MAX]; /* line n at n % MAX */
    u64 next;                                   /* number of the line being written */
    u64 lost; /* lines up to this one were not carried along by a relocation */
    char partial[CONSOLE_LINE_BYTES_MAX + 1];
    size_t partial_len;
    u64 partial_ns;
    unsigned partial_chars; /* of the text; without its time stamp */
    unsigned linesize;      /* characters of a line; 0: as many as fit */
    bool timestamp;         /* lines begin with the time */
    bool cr;                /* a carriage return waits for its line feed */
    bool news;              /* text came since the last poll */
    bool echo;
    bool held; /* loop thread */
    struct typed_line inputs[CONSOLE_INPUTS_MAX];
    unsigned input_first, input_count;
    void (*notify)(void *ctx);
    void *notify_ctx;
    struct console_watch *watches;
    u64 last_id;
    atomic_uint observers;
};

/** The console goes away: every wait and observer is told. */
void console_end_watchers(struct console *console);

#endif
