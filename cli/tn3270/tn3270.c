/* TN3270 server: listening, connections, their end. What terminals show and do stands in
 * tn3270_logon.c and tn3270_console.c. A connection without news has no timer and costs nothing;
 * hostile bytes cost their sender the connection at most. */
#include "cli/tn3270/tn3270.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/tn3270/tn3270_internal.h"
#include "mem/base/log.h"

#define LISTEN_BACKLOG 64

/* ---- the end of connections and of it all ---- */

static void maybe_free(struct tn3270 *s)
{
    if (!s->closing || !s->listener_closed || s->conns)
        return;
    tn_tls_server_destroy(s->tls);
    free(s);
}

static void conn_closed(uv_handle_t *handle)
{
    struct tn_conn *c = handle->data;
    struct tn3270 *s = c->server;
    struct tn_conn **link = &s->conns;
    if (--c->handles)
        return;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    s->conn_count -= !c->away.standin;
    tn_tls_end(c->tls);
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
    tn_display_end(c);
    if (c->mode == TN_CONSOLE)
        tn_console_end(c, !c->server->closing);
    tn_away_end(c);
    if (!c->away.standin)
        uv_close((uv_handle_t *)&c->tcp, conn_closed);
    uv_close((uv_handle_t *)&c->clock, conn_closed);
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
    tn_away_close(s);
    for (struct tn_conn *c = s->conns; c; c = c->next)
        tn_conn_close(c);
    uv_close((uv_handle_t *)&s->listener, listener_closed);
}

/* ---- timer: one for each connection ---- */

void tn_conn_timer_stop(struct tn_conn *c)
{
    if (c->timer)
        uv_timer_stop(&c->clock);
    c->timer = false;
}

static void fired(uv_timer_t *clock)
{
    struct tn_conn *c = clock->data;
    c->timer = false;
    c->fire(c);
}

void tn_conn_timer(struct tn_conn *c, u64 ms, void (*fire)(struct tn_conn *c))
{
    if (c->closing)
        return;
    c->fire = fire;
    c->timer = true;
    uv_timer_start(&c->clock, fired, ms, 0);
}

/* ---- sending ---- */

struct tn_write_req {
    uv_write_t req;
    struct tn_conn *conn;
    u8 bytes[];
};

size_t tn_conn_backlog(const struct tn_conn *c)
{
    return c->away.standin ? (size_t)(c->away.given - c->away.taken)
                           : uv_stream_get_write_queue_size((const uv_stream_t *)&c->tcp);
}

void tn_conn_recheck(struct tn_conn *c)
{
    if (c->away.frozen || c->mode == TN_AWAY || tn_display_dropped(c))
        return;
    c->dirty &= c->mode != TN_DISPLAY;
    if (c->mode == TN_DISPLAY)
        tn_display_show(c);
    else
        tn_console_recheck(c);
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
        tn_conn_recheck(c);
    if (!c->closing && !tn_conn_backlog(c))
        tn_away_sent(c);
}

static void send_raw(struct tn_conn *c, const u8 *bytes, size_t len)
{
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

/* What TLS has for the network. */
static void send_cipher(struct tn_conn *c)
{
    struct tn3270 *s = c->server;
    size_t n;
    while (!c->closing && (n = tn_tls_output(c->tls, s->cipher, sizeof s->cipher)) > 0)
        send_raw(c, s->cipher, n);
}

static void send_bytes(void *ctx, const u8 *bytes, size_t len)
{
    struct tn_conn *c = ctx;
    if (!c->tls) {
        send_raw(c, bytes, len);
        return;
    }
    if (!c->closing && !tn_tls_write(c->tls, bytes, len))
        tn_conn_close(c);
    send_cipher(c);
}

void tn_conn_send(struct tn_conn *c, const struct tn_out *out)
{
    tn_conn_send_record(c, out->bytes, out->len);
}

void tn_conn_send_record(struct tn_conn *c, const u8 *bytes, size_t len)
{
    if (c->closing)
        return;
    tn_away_send(c, bytes, len);
    if (!c->away.standin)
        telnet_send_record(&c->telnet, bytes, len);
}

void tn_conn_notice(struct tn_conn *c, const char *text)
{
    struct tn_out out;
    c->mode = TN_NOTICE;
    tn_notice_draw(c->size, c->server->config.system, text, &out);
    tn_conn_send(c, &out);
    tn_conn_timer(c, TN3270_TURNED_AWAY_MS, tn_conn_close);
}

/* ---- what telnet tells ---- */

static void ready(void *ctx, struct tn_size size)
{
    struct tn_conn *c = ctx;
    tn_conn_timer_stop(c);
    c->size = size;
    if (c->turned_away)
        tn_conn_notice(c, "No terminal address is free: try again later");
    else if (c->server->member && !cp_terminals_enabled(c->server->member->cp))
        tn_conn_notice(c, "Terminals are disabled: try again later");
    else if (c->server->member)
        tn_logo_show(c, "", false);
    else
        tn_display_begin(c);
}

/* No key that we know: nothing else would unlock the keyboard again. */
static void unlock(struct tn_conn *c)
{
    struct tn_out out;
    if ((c->mode != TN_CONSOLE && c->mode != TN_LOGO) || tn_away_key_waits(c))
        return;
    tn_out_begin(&out, c->size, TN_WRITE, TN_RESTORE);
    tn_conn_send(c, &out);
}

static void pressed(struct tn_conn *c, const u8 *bytes, size_t len)
{
    struct tn_in in;
    if (c->mode == TN_DISPLAY || (c->full && len && !tn_console_break_key(c, bytes[0]))) {
        tn_display_key(c, bytes, len);
        return;
    }
    if (!tn_in_parse(bytes, len, c->size, &in)) {
        unlock(c);
        return;
    }
    switch (c->mode) {
    case TN_NEGOTIATING:
    case TN_LOGGING_ON: return;
    case TN_NOTICE: tn_conn_close(c); return;
    case TN_LOGO: tn_logo_key(c, &in); return;
    case TN_CONSOLE: tn_console_key(c, &in); return;
    case TN_DISPLAY:
    case TN_AWAY: return;
    }
}

static void attention(struct tn_conn *c)
{
    if (c->mode == TN_CONSOLE)
        tn_console_attention(c);
    else if (c->mode == TN_DISPLAY && tn_display_of(c))
        con3270_attention(tn_display_of(c));
}

void tn_conn_key(struct tn_conn *c, const u8 *record, size_t len)
{
    if (c->goodbye || tn_display_dropped(c))
        return;
    if (record)
        pressed(c, record, len);
    else
        attention(c);
}

static void on_record(void *ctx, const u8 *bytes, size_t len)
{
    struct tn_conn *c = ctx;
    if (!c->goodbye && !tn_away_key(c, bytes, len))
        tn_conn_key(c, bytes, len);
}

static void on_attention(void *ctx)
{
    struct tn_conn *c = ctx;
    if (!c->goodbye && !tn_away_key(c, NULL, 0))
        tn_conn_key(c, NULL, 0);
}

/* RFC 2355 reason codes. */
enum { DEVICE_IN_USE = 1, INVALID_DEVICE_NAME = 3 };

static u8 device(void *ctx, char lu[TELNET_LU_BYTES])
{
    struct tn_conn *c = ctx;
    struct tn3270 *s = c->server;
    if (s->member) {
        if (!*lu)
            snprintf(lu, TELNET_LU_BYTES, "L%04X", ++s->last_lu & 0xffff);
        return 0;
    }
    return tn_display_name(c, lu) ? 0
           : *lu ? tn_display_known(s, lu) ? DEVICE_IN_USE : INVALID_DEVICE_NAME
                 : 0;
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

static void start(struct tn_conn *c)
{
    const struct telnet_ports ports = {c,      send_bytes, ready, on_record, on_attention,
                                       device, refuse};
    c->begun = true;
    telnet_begin(&c->telnet, &ports);
}

static void read_cipher(struct tn_conn *c, const u8 *bytes, size_t len)
{
    struct tn3270 *s = c->server;
    bool well = tn_tls_receive(c->tls, bytes, len);
    size_t n;
    send_cipher(c);
    if (!c->begun && tn_tls_ready(c->tls))
        start(c);
    while (!c->closing && c->begun && (n = tn_tls_read(c->tls, s->plain, sizeof s->plain)) > 0)
        telnet_feed(&c->telnet, s->plain, n);
    explicit_bzero(s->plain, sizeof s->plain);
    if (!well || (c->begun && !tn_tls_ready(c->tls)))
        tn_conn_close(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct tn_conn *c = stream->data;
    if (n < 0) {
        tn_conn_close(c);
    } else if (n > 0 && c->tls) {
        read_cipher(c, (const u8 *)buf->base, (size_t)n);
    } else if (n > 0) {
        telnet_feed(&c->telnet, (const u8 *)buf->base, (size_t)n);
        explicit_bzero(buf->base, (size_t)n);
    }
}

/* A terminal whose host vanished says nothing more: find out. */
static void notice_the_gone(struct tn_conn *c)
{
    unsigned ms = TN3270_GONE_S * 1000;
    uv_os_fd_t fd;
    uv_tcp_nodelay(&c->tcp, 1);
    uv_tcp_keepalive(&c->tcp, 1, TN3270_GONE_S / 2);
    if (!uv_fileno((const uv_handle_t *)&c->tcp, &fd))
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

static struct tn_conn *conn_new(struct tn3270 *s)
{
    struct tn_conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->server = s;
    c->next = s->conns;
    s->conns = c;
    c->away.id = ++s->last_id;
    uv_timer_init(s->listener.loop, &c->clock);
    c->clock.data = c;
    c->handles = 1;
    return c;
}

struct tn_conn *tn_conn_standin(struct tn3270 *s)
{
    struct tn_conn *c = s->closing ? NULL : conn_new(s);
    if (c)
        c->away.standin = true;
    return c;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct tn3270 *s = listener->data;
    struct tn_conn *c = status ? NULL : conn_new(s);
    if (!c)
        return;
    c->turned_away = s->conn_count++ >= TN3270_TERMINALS_MAX;
    uv_tcp_init(listener->loop, &c->tcp);
    c->handles = 2;
    c->tcp.data = c;
    if (s->tls && !(c->tls = tn_tls_begin(s->tls))) {
        tn_conn_close(c);
        return;
    }
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) || s->closing ||
        s->conn_count > TN3270_TERMINALS_MAX + TN3270_TURNED_AWAY_MAX ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read)) {
        tn_conn_close(c);
        return;
    }
    notice_the_gone(c);
    tn_conn_timer(c, TN3270_NEGOTIATE_MS, tn_conn_close);
    if (!c->tls)
        start(c);
}

/* ---- the server ---- */

/* PORT, IPV4:PORT or [IPV6]:PORT; the host as text is left in `host`. */
static bool address_parse(const char *text, char host[64], struct sockaddr_storage *out)
{
    const char *colon = strrchr(text, ':'), *digits = colon ? colon + 1 : text;
    size_t n = colon ? (size_t)(colon - text) : 0;
    bool six = n > 2 && text[0] == '[' && colon[-1] == ']';
    unsigned port;
    int used = 0;
    if (sscanf(digits, "%5u%n", &port, &used) != 1 || digits[used] || *digits == '+' ||
        *digits == '-' || port > 65535 || (colon && !n) || n >= 63)
        return false;
    snprintf(host, 64, "%.*s", n ? (int)n - 2 * six : 9, n ? text + six : "127.0.0.1");
    return six ? !uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)out)
               : !uv_ip4_addr(host, (int)port, (struct sockaddr_in *)out);
}

bool tn3270_address_ok(const char *address)
{
    struct sockaddr_storage at;
    char host[64];
    return address_parse(address, host, &at);
}

static int listen_on(struct tn3270 *s, struct cause *cause)
{
    struct sockaddr_storage at = {0};
    char host[64];
    int len = sizeof at;
    int rc = address_parse(s->config.address, host, &at) ? 0 : UV_EINVAL;
    if (!rc)
        rc = uv_tcp_bind(&s->listener, (const struct sockaddr *)&at, 0);
    if (!rc)
        rc = uv_listen((uv_stream_t *)&s->listener, LISTEN_BACKLOG, on_connection);
    if (!rc)
        rc = uv_tcp_getsockname(&s->listener, (struct sockaddr *)&at, &len);
    if (rc)
        return cause_set(cause, ST_PERM, "TN3270 at %s: %s", s->config.address,
                         uv_strerror(rc));
    bool six = at.ss_family == AF_INET6;
    s->port = be16_load(six ? (void *)&((struct sockaddr_in6 *)&at)->sin6_port
                            : (void *)&((struct sockaddr_in *)&at)->sin_port);
    log_line("TN3270 consoles%s: %s%s%s:%u", s->tls ? " (TLS)" : "", six ? "[" : "", host,
             six ? "]" : "", s->port);
    return ST_OK;
}

struct tn3270 *tn3270_create(const struct tn3270_config *config, struct cause *cause)
{
    struct tn3270 *s = calloc(1, sizeof *s);
    if (!s) {
        cause_set(cause, ST_NOMEM, "out of memory");
        return NULL;
    }
    s->config = *config;
    s->member = config->member;
    uv_tcp_init(config->loop, &s->listener);
    s->listener.data = s;
    s->last_id = uv_hrtime();
    if (!config->address)
        return s; /* none of its own: terminals of other members only */
    if ((!config->pem || tn_tls_server_create(config->pem, &s->tls, cause) == ST_OK) &&
        listen_on(s, cause) == ST_OK)
        return s;
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
            tn_conn_recheck(c);
}
