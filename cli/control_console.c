/* Consoles over the control socket: reading, typing, waiting, attaching, events.
 * A watch is bound to a console, or waits for its user to log on or to arrive from another
 * member. Watches of a closed connection go when its handle has closed, never inside a
 * callback of a console. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/control_internal.h"
#include "hyp/event.h"

#define READ_LINES_MAX 4096
#define EVENT_LINE_BYTES (CONSOLE_LINE_BYTES_MAX + 1)

enum watch_kind { WATCH_WAIT, WATCH_ATTACH, WATCH_EVENTS };

/* Located by: control->watches. Serialised by the loop thread. */
struct control_watch {
    struct control_watch *next;
    struct control *control;
    struct control_conn *conn;
    enum watch_kind kind;
    u64 id;
    char user[DIR_NAME_BYTES];
    struct console *console; /* NULL: the user is not here (now) */
    u64 console_id;
    u64 from;
    bool follow; /* a user who moves away may come back: keep the watch */
    bool logging_off;
    bool starting, over;       /* the wait ended before console_wait_start returned */
    struct control_call *call; /* WATCH_WAIT */
    u64 timer;
    char match[CONSOLE_REGEX_BYTES_MAX + 1];
    char line[EVENT_LINE_BYTES];
    size_t line_len;
    struct event_reader *reader; /* WATCH_EVENTS */
    bool no_lines;               /* WATCH_EVENTS: not what the console shows */
};

static void watch_unlink(struct control_watch *w)
{
    struct control_watch **link = &w->control->watches;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    w->conn->watch_count--;
    if (w->timer)
        member_timer_cancel(w->control->member, w->timer);
    w->timer = 0;
}

static void watch_free(struct control_watch *w)
{
    if (w->console && w->console_id)
        console_wait_cancel(w->console, w->console_id);
    events_unsubscribe(w->reader);
    watch_unlink(w);
    if (w->call)
        control_drop(w->call);
    free(w);
}

void control_drop_watches(struct control *control, struct control_conn *conn)
{
    struct control_watch *next;
    for (struct control_watch *w = control->watches; w; w = next) {
        next = w->next;
        if (w->conn == conn)
            watch_free(w);
    }
}

/* The console is going away. True when the watch stays, for the user may come again. */
static bool watch_left(struct control_watch *w)
{
    u64 next = console_next_number(w->console);
    bool stays = w->follow && !w->logging_off;
    w->console = NULL;
    w->console_id = 0;
    w->from = next;
    if (w->kind == WATCH_ATTACH)
        control_notify(w->conn, "console.gone",
                       json_pack("{s:I, s:s, s:b, s:I}", "attach", (json_int_t)w->id, "user",
                                 w->user, "logged_off", w->logging_off, "next",
                                 (json_int_t)next));
    if (w->logging_off && w->kind == WATCH_EVENTS)
        w->from = 0;
    w->logging_off = false;
    return stays || w->kind == WATCH_EVENTS;
}

static void wait_over(void *ctx, const struct console_line *line)
{
    struct control_watch *w = ctx;
    bool logged_off = w->logging_off;
    u64 next = console_next_number(w->console);
    if (!line && watch_left(w))
        return;
    struct control_call *call = w->call;
    w->call = NULL;
    w->console_id = 0;
    if (line)
        control_reply(call, json_pack("{s:s, s:s, s:I, s:o}", "member",
                                      w->control->member->config->member, "user", w->user,
                                      "number", (json_int_t)line->number, "line",
                                      control_text(line->text, line->len)));
    else
        control_reply(call,
                      json_pack("{s:s, s:s, s:b, s:b, s:I}", "member",
                                w->control->member->config->member, "user", w->user, "gone",
                                true, "logged_off", logged_off, "next", (json_int_t)next));
    w->over = true;
    if (!w->starting)
        watch_free(w);
}

static void event_text(struct control_watch *w, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n' && w->line_len < sizeof w->line) {
            w->line[w->line_len++] = text[i];
            continue;
        }
        control_notify(w->conn, "event",
                       json_pack("{s:s, s:o}", "type", "line", "text",
                                 control_text(w->line, w->line_len)));
        w->line_len = 0;
    }
}

static void observed(void *ctx, const char *text, size_t len)
{
    struct control_watch *w = ctx;
    if (!len) {
        if (!watch_left(w))
            watch_free(w);
    } else if (w->kind == WATCH_EVENTS) {
        event_text(w, text, len);
    } else {
        size_t at;
        u64 line = console_observed_line(w->console, w->console_id, &at);
        control_notify(w->conn, "console.output",
                       json_pack("{s:I, s:o, s:I, s:I}", "attach", (json_int_t)w->id, "text",
                                 control_text(text, len), "line", (json_int_t)line, "at",
                                 (json_int_t)at));
    }
}

/* Bind a watch to the console of its user, if that is here. False: the watch is gone. */
static bool watch_bind(struct control_watch *w)
{
    const struct cp_user *user = cp_user_find(w->control->member->cp, w->user);
    struct cause cause;
    if (!user || w->console || w->no_lines)
        return true;
    w->console = cp_user_console(user);
    if (w->kind != WATCH_WAIT) {
        w->console_id = console_observe(w->console, w->from, observed, w);
        return true;
    }
    w->starting = true;
    int rc =
        console_wait_start(w->console, w->match, w->from, wait_over, w, &w->console_id, &cause);
    w->starting = false;
    if (rc) {
        struct control_call *call = w->call;
        w->call = NULL;
        control_fail(call, rc, "%s", cause.text);
    }
    if (rc || w->over) {
        watch_free(w);
        return false;
    }
    return true;
}

static void bind_all(struct control *control, const char *userid)
{
    struct control_watch *next;
    for (struct control_watch *w = control->watches; w; w = next) {
        next = w->next;
        if (!w->console && (!userid || !strcmp(userid, w->user)))
            watch_bind(w);
    }
}

void control_recheck(struct control *control)
{
    if (control)
        bind_all(control, NULL);
}

void control_user_event(struct control *control, struct cp_user *user, bool logon)
{
    const char *userid = cp_user_id(user);
    if (!control)
        return;
    for (struct control_watch *w = control->watches; w; w = w->next) {
        if (!strcmp(w->user, userid))
            w->logging_off = !logon;
    }
    if (logon)
        bind_all(control, userid);
}

/* ---- making watches ---- */

/* Where to begin: `since_start`, `from`, else what comes from now on. */
static u64 first_line(const struct control_call *call, struct console *console)
{
    const json_t *from = json_object_get(call->params, "from");
    const json_t *history = json_object_get(call->params, "history");
    if (json_is_true(json_object_get(call->params, "since_start")) || !console)
        return json_is_integer(from) ? (u64)json_integer_value(from) : 0;
    if (json_is_integer(from))
        return (u64)json_integer_value(from);
    u64 next = console_next_number(console);
    u64 back = json_is_integer(history) ? (u64)json_integer_value(history) : 0;
    return back < next ? next - back : 1;
}

/* A new, unbound watch; NULL after failing the call. */
static struct control_watch *watch_new(struct control_call *call, enum watch_kind kind)
{
    struct control *control = call->conn->control;
    char userid[DIR_NAME_BYTES];
    if (!control_userid(call, userid))
        return NULL;
    if (!directory_find(cp_directory(call->member->cp), userid)) {
        control_fail(call, ST_NOENT, "%s is not in the CP directory", userid);
        return NULL;
    }
    struct control_watch *w =
        call->conn->watch_count < CONTROL_WATCHES_MAX ? calloc(1, sizeof *w) : NULL;
    if (!w) {
        control_fail(call, ST_LIMIT, "too many watches");
        return NULL;
    }
    const struct cp_user *user = cp_user_find(call->member->cp, userid);
    *w = (struct control_watch){.next = control->watches,
                                .control = control,
                                .conn = call->conn,
                                .kind = kind,
                                .id = ++control->last_watch};
    strcpy(w->user, userid);
    w->from = first_line(call, user ? cp_user_console(user) : NULL);
    w->follow = json_is_true(json_object_get(call->params, "follow"));
    control->watches = w;
    call->conn->watch_count++;
    return w;
}

static void wait_timed_out(void *arg)
{
    struct control_watch *w = arg;
    struct control_call *call = w->call;
    w->timer = 0;
    w->call = NULL;
    control_fail(call, ST_TIMEOUT, "no line of %s matched in time", w->user);
    watch_free(w);
}

void control_console_wait(struct control_call *call)
{
    const char *match = control_string(call, "match");
    double seconds = json_number_value(json_object_get(call->params, "timeout"));
    if (!match || strlen(match) > CONSOLE_REGEX_BYTES_MAX) {
        control_fail(call, ST_INVAL, "match: an extended regular expression is needed");
        return;
    }
    struct control_watch *w = watch_new(call, WATCH_WAIT);
    if (!w)
        return;
    strcpy(w->match, match);
    w->call = call;
    if (seconds > 0 && seconds < 1e8)
        w->timer =
            member_timer_start(w->control->member, (u64)(seconds * 1000), wait_timed_out, w);
    watch_bind(w);
}

void control_console_attach(struct control_call *call)
{
    struct member *m = call->member;
    struct control_watch *w = watch_new(call, WATCH_ATTACH);
    if (!w)
        return;
    bool here = cp_user_find(m->cp, w->user) != NULL;
    if (!here && !w->follow) {
        control_fail(call, ST_NOENT, "HCPCQU045E %s not logged on", w->user);
        watch_free(w);
        return;
    }
    control_reply(call, json_pack("{s:I, s:s, s:s, s:b}", "attach", (json_int_t)w->id, "user",
                                  w->user, "member", m->config->member, "logged_on", here));
    watch_bind(w);
}

void control_console_detach(struct control_call *call)
{
    u64 id = (u64)json_integer_value(json_object_get(call->params, "attach"));
    struct control_watch *w = call->conn->control->watches;
    while (w && (w->id != id || w->conn != call->conn || w->kind == WATCH_WAIT))
        w = w->next;
    if (!w) {
        control_fail(call, ST_NOENT, "no such attachment");
        return;
    }
    watch_free(w);
    control_reply(call, json_object());
}

/* As many as the client takes now; what it is too slow for is counted by the stream. */
static void events_news(void *ctx)
{
    struct control_watch *w = ctx;
    struct event event;
    u64 missed;
    while (!w->conn->closing && control_backlog(w->conn) < CONTROL_EVENTS_BYTES_MAX &&
           events_read(w->reader, &event, &missed)) {
        if (missed)
            control_notify(
                w->conn, "event",
                json_pack("{s:s, s:I}", "type", "missed", "count", (json_int_t)missed));
        control_notify(w->conn, "event", control_event(&event));
    }
}

void control_writable(struct control_conn *conn)
{
    for (struct control_watch *w = conn->control->watches; w; w = w->next)
        if (w->conn == conn && w->reader)
            events_news(w);
}

void control_events(struct control_call *call)
{
    json_int_t from = json_integer_value(json_object_get(call->params, "since"));
    bool no_lines = json_is_false(json_object_get(call->params, "lines"));
    json_object_del(call->params, "user");
    struct control_watch *w = watch_new(call, WATCH_EVENTS);
    if (!w)
        return;
    w->no_lines = no_lines;
    w->reader =
        events_subscribe(cp_events(call->member->cp), from > 0 ? (u64)from : 0, events_news, w);
    if (!w->reader) {
        control_fail(call, ST_NOMEM, "out of memory");
        watch_free(w);
        return;
    }
    control_reply(call, json_pack("{s:I, s:s}", "attach", (json_int_t)w->id, "user", w->user));
    watch_bind(w);
    events_news(w);
}

/* ---- without watches ---- */

/* The session of parameter `user`; NULL after failing the call. */
static struct cp_user *session(struct control_call *call, char userid[DIR_NAME_BYTES])
{
    if (!control_userid(call, userid))
        return NULL;
    struct cp_user *user = cp_user_find(call->member->cp, userid);
    if (!user)
        control_fail(call, ST_NOENT, "HCPCQU045E %s not logged on", userid);
    return user;
}

void control_console_info(struct control_call *call)
{
    char userid[DIR_NAME_BYTES];
    if (!control_userid(call, userid))
        return;
    const struct cp_user *user = cp_user_find(call->member->cp, userid);
    struct console *console = user ? cp_user_console(user) : NULL;
    control_reply(call,
                  json_pack("{s:s, s:b, s:b, s:I}", "user", userid, "known",
                            directory_find(cp_directory(call->member->cp), userid) != NULL,
                            "logged_on", user != NULL, "next",
                            (json_int_t)(console ? console_next_number(console) : 0)));
}

void control_console_read(struct control_call *call)
{
    char userid[DIR_NAME_BYTES];
    struct console_line line;
    struct cp_user *user = session(call, userid);
    if (!user)
        return;
    struct console *console = cp_user_console(user);
    u64 cursor = (u64)json_integer_value(json_object_get(call->params, "from"));
    json_t *lines = json_array();
    for (unsigned i = 0; i < READ_LINES_MAX && console_read(console, &cursor, &line); i++)
        json_array_append_new(lines, json_pack("{s:I, s:o}", "number", (json_int_t)line.number,
                                               "text", control_text(line.text, line.len)));
    bool partial = console_partial(console, &line);
    control_reply(call,
                  json_pack("{s:s, s:o, s:I, s:o}", "user", userid, "lines", lines, "next",
                            (json_int_t)cursor, "partial",
                            partial ? control_text(line.text, line.len) : json_string("")));
}

void control_console_write(struct control_call *call)
{
    char userid[DIR_NAME_BYTES], line[CONSOLE_INPUT_BYTES_MAX + 1];
    const char *text = control_string(call, "text");
    if (!text) {
        control_fail(call, ST_INVAL, "text: what to type is missing");
        return;
    }
    if (!session(call, userid))
        return;
    int rc = ST_OK;
    for (bool more = true; more && !rc;) { /* several lines are typed one after another */
        size_t n = strcspn(text, "\n");
        more = text[n] == '\n' && text[n + 1];
        rc = n < sizeof line ? ST_OK : ST_INVAL;
        if (!rc) {
            memcpy(line, text, n);
            line[n] = 0;
            rc = cp_console_input(call->member->cp, userid, line);
        }
        text += n + more;
    }
    cp_poll_consoles(call->member->cp); /* what it caused at once is sent before the answer */
    if (rc)
        control_fail(call, rc, "console of %s: %s", userid,
                     rc == ST_LIMIT ? "too much waits to be read"
                     : rc == ST_INVAL
                         ? "the line is longer than the 255 characters of a console"
                         : status_name(rc));
    else
        control_reply(call, json_pack("{s:s, s:s}", "user", userid, "member",
                                      call->member->config->member));
}
