/* Inside of the control socket: connections, calls under way, watches of consoles.
 * A call lives from its request to control_reply or control_fail; it outlives its connection. */
#ifndef ENDICOTT_CLI_CONTROL_INTERNAL_H
#define ENDICOTT_CLI_CONTROL_INTERNAL_H

#include <jansson.h>
#include <uv.h>

#include "cli/control.h"
#include "cli/member_internal.h"

struct control_watch; /* control_console.c */

/* One client. Located by: control->conns. Created by on_connection, destroyed when its handle
 * has closed. */
struct control_conn {
    struct control_conn *next;
    struct control *control;
    uv_pipe_t pipe;
    bool closing;
    struct control_call *calls;
    unsigned call_count, watch_count;
    char *in;
    size_t in_len, in_room;
};

struct control_call {
    struct control_call *next;
    struct control_conn *conn; /* NULL: the client has gone */
    struct member *member;
    json_t *id, *params; /* params is an object, or NULL */
};

struct control {
    struct member *member;
    uv_pipe_t listener;
    char path[128];
    struct control_conn *conns;
    unsigned conn_count;
    bool closing, listener_closed;
    struct control_watch *watches;
    u64 last_watch;
};

/** Answer and free the call. Takes `result`; NULL counts as lack of memory. */
void control_reply(struct control_call *call, json_t *result);
void control_fail(struct control_call *call, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Free a call without an answer: its connection has gone. */
void control_drop(struct control_call *call);
/** Bytes that wait to be sent to the client. */
size_t control_backlog(const struct control_conn *conn);
/** Send a notification; takes `params`. */
void control_notify(struct control_conn *conn, const char *method, json_t *params);

/** Text that may not be UTF-8 as a JSON string. */
json_t *control_text(const char *text, size_t len);
/** A string parameter, or NULL. */
const char *control_string(const struct control_call *call, const char *name);
/** The user id of parameter `user` in upper case, the operator's by default; false after
 *  failing the call. */
bool control_userid(struct control_call *call, char out[DIR_NAME_BYTES]);

struct event;
/** An event as a notification has it: a new object. */
json_t *control_event(const struct event *event);
/** What had been waiting to be sent to this client has become less. */
void control_writable(struct control_conn *conn);

/** The client of these watches goes away. */
void control_drop_watches(struct control *control, struct control_conn *conn);

#define METHOD(name, handler) void handler(struct control_call *call);
#include "cli/control.def"
#undef METHOD

#endif
