/* TN3270 server: listening, connections, their end. What terminals show and do stands in
 * tn3270_logon.c and tn3270_console.c. A connection without news has no timer and costs nothing;
 * hostile bytes cost their sender the connection at most. */
#include "cli/tn3270/tn3270.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/tn3270/tn3270_internal.h"
#include "mem/base/log.h"

#define LISTEN_BACKLOG 64

/* ---- the end of connections and of it all ---- */

static void maybe_free(struct tn3270 *s)
{
    if (s->closing && s->listener_closed && !s->conns)
        free(s);
}

static void conn_closed(uv_handle_t *handle)
{
    struct tn_conn *c = handle->data;
    struct tn3270 *s = c->server;
    struct tn_conn **link = &s->conns;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    s->conn_count--;
    explicit_bzero(c, sizeof *c); /* a password may have been typed */
    free(c);
    maybe_free(s);
}

void tn_conn_close(struct tn_conn *c)
{
    if (c->closing)
        return;
    c->closing = true;
    telnet_stop(&c->telnet);
    tn_conn_timer_stop(c);
    tn_logon_abandon(c);
    if (c->mode == TN_CONSOLE)
        tn_console_end(c, !c->server->closing);
    uv_close((uv_handle_t *)&c->tcp, conn_closed);
}

static void listener_closed(uv_handle_t *handle)
{
    struct tn3270 *s = handle->data;
    s->listener_closed = true;
    maybe_free(s);
}

void tn3270_destroy(struct tn3270 *s)
{
    if (!s)
        return;
    s->closing = true;
    for (struct tn_conn *c = s->conns; c; c = c->next)
        tn_conn_close(c);
    uv_close((uv_handle_t *)&s->listener, listener_closed);
}

/* ---- timer: one for each connection ---- */

void tn_conn_timer_stop(struct tn_conn *c)
{
    if (c->timer)
        member_timer_cancel(c->server->member, c->timer);
    c->timer = 0;
}

void tn_conn_timer(struct tn_conn *c, u64 ms, void (*fire)(void *conn))
{
    tn_conn_timer_stop(c);
    c->timer = member_timer_start(c->server->member, ms, fire, c);
}

static void time_is_up(void *conn)
{
    struct tn_conn *c = conn;
    c->timer = 0;
    tn_conn_close(c);
}

/* ---- sending ---- */

struct tn_write_req {
    uv_write_t req;
    struct tn_conn *conn;
    u8 bytes[];
};

size_t tn_conn_backlog(const struct tn_conn *c)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&c->tcp);
}

static void sent(uv_write_t *req, int status)
{
    struct tn_write_req *w = req->data;
    struct tn_conn *c = w->conn;
    free(w);
    if (c->closing)
        return;
    if (status || (c->goodbye && !tn_conn_backlog(c)))
        tn_conn_close(c);
    else if (c->dirty && !tn_conn_backlog(c))
        tn_console_recheck(c);
}

static void send_bytes(void *ctx, const u8 *bytes, size_t len)
{
    struct tn_conn *c = ctx;
    if (c->closing)
        return;
    struct tn_write_req *w = NULL;
    if (tn_conn_backlog(c) < TN3270_BACKLOG_MAX_BYTES)
        w = malloc(sizeof *w + len);
    if (!w) {
        tn_conn_close(c);
        return;
    }
    w->conn = c;
    w->req.data = w;
    memcpy(w->bytes, bytes, len);
    uv_buf_t buf = uv_buf_init((char *)w->bytes, (unsigned)len);
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &buf, 1, sent)) {
        free(w);
        tn_conn_close(c);
    }
}

void tn_conn_send(struct tn_conn *c, const struct tn_out *out)
{
    telnet_send_record(&c->telnet, out->bytes, out->len);
}

/* ---- what telnet tells ---- */

static void ready(void *ctx, struct tn_size size)
{
    struct tn_conn *c = ctx;
    struct tn_out out;
    tn_conn_timer_stop(c);
    c->size = size;
    if (!c->turned_away) {
        tn_logo_show(c, "", false);
        return;
    }
    c->mode = TN_NOTICE;
    tn_notice_draw(size, c->server->member->config->member,
                   "No terminal address is free: try again later", &out);
    tn_conn_send(c, &out);
    tn_conn_timer(c, TN3270_TURNED_AWAY_MS, time_is_up);
}

static void record(void *ctx, const u8 *bytes, size_t len)
{
    struct tn_conn *c = ctx;
    struct tn_in in;
    if (!tn_in_parse(bytes, len, c->size, &in) || c->goodbye)
        return;
    switch (c->mode) {
    case TN_NEGOTIATING:
    case TN_LOGGING_ON: return;
    case TN_NOTICE: tn_conn_close(c); return;
    case TN_LOGO: tn_logo_key(c, &in); return;
    case TN_CONSOLE: tn_console_key(c, &in); return;
    }
}

static void attention(void *ctx)
{
    struct tn_conn *c = ctx;
    if (c->mode == TN_CONSOLE)
        tn_console_attention(c);
}

static void refuse(void *ctx, const char *why)
{
    struct tn_conn *c = ctx;
    char text[160];
    int n = snprintf(text, sizeof text, "endicott: %s\r\n", why);
    c->goodbye = true;
    send_bytes(c, (const u8 *)text, (size_t)n);
}

/* ---- connections ---- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct tn_conn *c = handle->data;
    (void)size;
    *buf = uv_buf_init((char *)c->server->in, sizeof c->server->in);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct tn_conn *c = stream->data;
    if (n < 0) {
        tn_conn_close(c);
    } else if (n > 0) {
        telnet_feed(&c->telnet, (const u8 *)buf->base, (size_t)n);
        explicit_bzero(buf->base, (size_t)n);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct tn3270 *s = listener->data;
    struct tn_conn *c = status ? NULL : calloc(1, sizeof *c);
    const struct telnet_ports ports = {c, send_bytes, ready, record, attention, refuse};
    if (!c)
        return;
    c->server = s;
    c->next = s->conns;
    s->conns = c;
    c->turned_away = s->conn_count++ >= TN3270_TERMINALS_MAX;
    uv_tcp_init(listener->loop, &c->tcp);
    c->tcp.data = c;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) || s->closing ||
        s->conn_count > TN3270_TERMINALS_MAX + TN3270_TURNED_AWAY_MAX ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read)) {
        tn_conn_close(c);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    tn_conn_timer(c, TN3270_NEGOTIATE_MS, time_is_up);
    telnet_begin(&c->telnet, &ports);
}

/* ---- the server ---- */

static int listen_on(struct tn3270 *s, unsigned port, struct cause *cause)
{
    struct sockaddr_in at;
    int len = sizeof at, rc = uv_ip4_addr("127.0.0.1", (int)port, &at);
    if (!rc)
        rc = uv_tcp_bind(&s->listener, (const struct sockaddr *)&at, 0);
    if (!rc)
        rc = uv_listen((uv_stream_t *)&s->listener, LISTEN_BACKLOG, on_connection);
    if (!rc)
        rc = uv_tcp_getsockname(&s->listener, (struct sockaddr *)&at, &len);
    if (rc)
        return cause_set(cause, ST_PERM, "CNSLPORT 127.0.0.1:%u: %s", port, uv_strerror(rc));
    s->port = be16_load(&at.sin_port);
    return ST_OK;
}

struct tn3270 *tn3270_create(struct member *member, unsigned port, struct cause *cause)
{
    struct tn3270 *s = calloc(1, sizeof *s);
    if (!s) {
        cause_set(cause, ST_NOMEM, "out of memory");
        return NULL;
    }
    s->member = member;
    uv_tcp_init(&member->loop, &s->listener);
    s->listener.data = s;
    if (listen_on(s, port, cause) == ST_OK) {
        log_line("TN3270 consoles: 127.0.0.1:%u", s->port);
        return s;
    }
    tn3270_destroy(s);
    return NULL;
}

unsigned tn3270_port(const struct tn3270 *s)
{
    return s ? s->port : 0;
}

void tn3270_recheck(struct tn3270 *s)
{
    for (struct tn_conn *c = s ? s->conns : NULL; c; c = c->next)
        if (!c->closing)
            tn_console_recheck(c);
}
