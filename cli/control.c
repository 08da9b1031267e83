/* Control socket: listening, connections, lines, JSON-RPC. Hostile input costs its sender the
 * connection at most: requests, calls and unread answers have limits. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/control_internal.h"
#include "mem/base/log.h"

#define LISTEN_BACKLOG 64
#define READ_BYTES 16384
#define RPC_PARSE_ERROR (-32700)
#define RPC_INVALID_REQUEST (-32600)
#define RPC_NO_METHOD (-32601)

static const struct {
    const char *name;
    void (*run)(struct control_call *call);
} methods[] = {
#define METHOD(name, handler) {name, handler},
#include "cli/control.def"
#undef METHOD
};

/* ---- the end of connections and of it all ---- */

static void maybe_free(struct control *c)
{
    if (c->closing && c->listener_closed && !c->conns)
        free(c);
}

static void conn_closed(uv_handle_t *handle)
{
    struct control_conn *conn = handle->data;
    struct control *c = conn->control;
    struct control_conn **link = &c->conns;
    control_drop_watches(c, conn); /* here, where no console is calling us */
    while (*link != conn)
        link = &(*link)->next;
    *link = conn->next;
    c->conn_count--;
    free(conn->in);
    free(conn);
    maybe_free(c);
}

static void conn_close(struct control_conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = true;
    for (struct control_call *call = conn->calls; call; call = call->next)
        call->conn = NULL; /* CP finishes them for nobody */
    conn->calls = NULL;
    uv_close((uv_handle_t *)&conn->pipe, conn_closed);
}

static void listener_closed(uv_handle_t *handle)
{
    struct control *c = handle->data;
    c->listener_closed = true;
    maybe_free(c);
}

void control_destroy(struct control *c)
{
    if (!c)
        return;
    c->closing = true;
    unlink(c->path);
    for (struct control_conn *conn = c->conns; conn; conn = conn->next)
        conn_close(conn);
    uv_close((uv_handle_t *)&c->listener, listener_closed);
}

/* ---- sending ---- */

struct out {
    uv_write_t req;
    struct control_conn *conn;
    char *text;
};

static void sent(uv_write_t *req, int status)
{
    struct out *out = req->data;
    struct control_conn *conn = out->conn;
    free(out->text);
    free(out);
    if (status)
        conn_close(conn);
    else if (!conn->closing)
        control_writable(conn);
}

size_t control_backlog(const struct control_conn *conn)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&conn->pipe);
}

/* Takes the object. */
static void send_object(struct control_conn *conn, json_t *object)
{
    struct out *out = calloc(1, sizeof *out);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!out || !text || conn->closing || control_backlog(conn) > CONTROL_BACKLOG_BYTES_MAX) {
        free(out);
        free(text);
        conn_close(conn);
        return;
    }
    size_t len = strlen(text);
    text[len++] = '\n';
    *out = (struct out){.conn = conn, .text = text};
    out->req.data = out;
    uv_buf_t buf = uv_buf_init(text, (unsigned)len);
    if (uv_write(&out->req, (uv_stream_t *)&conn->pipe, &buf, 1, sent)) {
        free(text);
        free(out);
        conn_close(conn);
    }
}

static void send_error(struct control_conn *conn, json_t *id, int code, const char *text)
{
    send_object(conn, json_pack("{s:s, s:O?, s:{s:i, s:s}}", "jsonrpc", "2.0", "id", id,
                                "error", "code", code, "message", text));
}

void control_drop(struct control_call *call)
{
    struct control_conn *conn = call->conn;
    if (conn) {
        struct control_call **link = &conn->calls;
        while (*link && *link != call)
            link = &(*link)->next;
        if (*link)
            *link = call->next;
        conn->call_count--;
    }
    json_decref(call->id);
    json_decref(call->params);
    free(call);
}

void control_reply(struct control_call *call, json_t *result)
{
    if (!result) {
        control_fail(call, ST_NOMEM, "out of memory");
        return;
    }
    if (call->conn && call->id)
        send_object(call->conn, json_pack("{s:s, s:O, s:O}", "jsonrpc", "2.0", "id", call->id,
                                          "result", result));
    json_decref(result);
    control_drop(call);
}

void control_fail(struct control_call *call, int status, const char *fmt, ...)
{
    char text[CAUSE_TEXT_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (call->conn && call->id)
        send_error(call->conn, call->id, CONTROL_ERROR_STATUS + status, text);
    control_drop(call);
}

void control_notify(struct control_conn *conn, const char *method, json_t *params)
{
    if (conn->closing)
        json_decref(params);
    else
        send_object(conn, json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method,
                                    "params", params));
}

/* ---- parameters ---- */

json_t *control_text(const char *text, size_t len)
{
    json_t *s = json_stringn(text, len);
    if (s)
        return s;
    char *copy = malloc(len + 1);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < len; i++) /* not UTF-8: what is not ASCII is shown as ? */
        copy[i] = (signed char)text[i] < 0 ? '?' : text[i];
    s = json_stringn(copy, len);
    free(copy);
    return s;
}

const char *control_string(const struct control_call *call, const char *name)
{
    return json_string_value(json_object_get(call->params, name));
}

bool control_userid(struct control_call *call, char out[DIR_NAME_BYTES])
{
    const char *text = control_string(call, "user");
    if (!text || !*text)
        text = call->member->config->features.operator_userid;
    if (rundir_name(text, out))
        return true;
    control_fail(call, ST_INVAL, "%.40s: not a user id", text);
    return false;
}

/* ---- requests ---- */

static void run_request(struct control_conn *conn, json_t *req)
{
    json_t *id = json_object_get(req, "id"), *params = json_object_get(req, "params");
    const char *name = json_string_value(json_object_get(req, "method"));
    size_t i = 0;
    if (!json_is_object(req) || !name || (params && !json_is_object(params))) {
        send_error(conn, id, RPC_INVALID_REQUEST, "not a JSON-RPC request");
        return;
    }
    while (i < ARRAY_LEN(methods) && strcmp(methods[i].name, name))
        i++;
    if (i == ARRAY_LEN(methods)) {
        send_error(conn, id, RPC_NO_METHOD, "no such method");
        return;
    }
    struct control_call *call =
        conn->call_count < CONTROL_CALLS_MAX ? calloc(1, sizeof *call) : NULL;
    if (!call) {
        send_error(conn, id, CONTROL_ERROR_STATUS + ST_LIMIT, "too many calls at once");
        return;
    }
    *call = (struct control_call){.next = conn->calls,
                                  .conn = conn,
                                  .member = conn->control->member,
                                  .id = json_incref(id),
                                  .params = json_incref(params)};
    conn->calls = call;
    conn->call_count++;
    methods[i].run(call);
}

static void run_line(struct control_conn *conn, const char *line, size_t len)
{
    json_error_t error;
    json_t *req = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
    if (req)
        run_request(conn, req);
    else
        send_error(conn, NULL, RPC_PARSE_ERROR, error.text);
    json_decref(req);
}

static void run_lines(struct control_conn *conn)
{
    size_t at = 0;
    char *end;
    while (!conn->closing && (end = memchr(conn->in + at, '\n', conn->in_len - at))) {
        size_t len = (size_t)(end - (conn->in + at));
        if (len)
            run_line(conn, conn->in + at, len);
        at += len + 1;
    }
    conn->in_len -= at;
    memmove(conn->in, conn->in + at, conn->in_len);
    if (conn->in_len >= CONTROL_REQUEST_BYTES_MAX) {
        send_error(conn, NULL, RPC_INVALID_REQUEST, "request too long");
        conn_close(conn);
    }
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct control_conn *conn = handle->data;
    (void)size;
    if (conn->in_room - conn->in_len < READ_BYTES) {
        size_t room = conn->in_room ? 2 * conn->in_room : 2 * READ_BYTES;
        char *more = realloc(conn->in, room);
        if (more) {
            conn->in = more;
            conn->in_room = room;
        }
    }
    *buf = uv_buf_init(conn->in + conn->in_len, (unsigned)(conn->in_room - conn->in_len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct control_conn *conn = stream->data;
    (void)buf;
    if (n < 0) {
        conn_close(conn);
    } else if (n > 0) {
        conn->in_len += (size_t)n;
        run_lines(conn);
    }
}

/* ---- listening ---- */

static bool peer_allowed(const uv_pipe_t *pipe)
{
    struct ucred cred;
    socklen_t n = sizeof cred;
    uv_os_fd_t fd;
    if (uv_fileno((const uv_handle_t *)pipe, &fd) ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n))
        return false;
    return cred.uid == 0 || cred.uid == geteuid();
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct control *c = listener->data;
    struct control_conn *conn = status ? NULL : calloc(1, sizeof *conn);
    if (!conn)
        return;
    conn->control = c;
    conn->next = c->conns;
    c->conns = conn;
    c->conn_count++;
    uv_pipe_init(listener->loop, &conn->pipe, 0);
    conn->pipe.data = conn;
    if (uv_accept(listener, (uv_stream_t *)&conn->pipe) || c->closing ||
        c->conn_count > CONTROL_CONNECTIONS_MAX || !peer_allowed(&conn->pipe) ||
        uv_read_start((uv_stream_t *)&conn->pipe, on_alloc, on_read))
        conn_close(conn);
}

static int listen_on(struct control *c, struct cause *cause)
{
    unlink(c->path);
    mode_t mask = umask(077);
    int rc = uv_pipe_bind(&c->listener, c->path);
    umask(mask);
    if (!rc)
        rc = uv_listen((uv_stream_t *)&c->listener, LISTEN_BACKLOG, on_connection);
    return rc ? cause_set(cause, ST_PERM, "control socket %s: %s", c->path, uv_strerror(rc))
              : ST_OK;
}

struct control *control_create(struct member *member, const char *path, struct cause *cause)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c) {
        cause_set(cause, ST_NOMEM, "out of memory");
        return NULL;
    }
    c->member = member;
    snprintf(c->path, sizeof c->path, "%s", path);
    uv_pipe_init(&member->loop, &c->listener, 0);
    c->listener.data = c;
    if (listen_on(c, cause) == ST_OK)
        return c;
    control_destroy(c);
    return NULL;
}
