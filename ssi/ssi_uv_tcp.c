/* TCP connections of a member on libuv, in TLS when it has keys. What the socket takes at once is
 * never copied; the rest is copied once and queued. An accepted connection that does not begin with
 * a TLS handshake is taken as plain, for the core to refuse it in words that it can read. One that
 * is closed with `flush` sends its end of file and lingers until the peer's, so that a refusal is
 * read before the connection is reset. Bulk streams in TLS, once they are up, have a thread each
 * (ssi_uv_pump.c): their handle is then only kept, until that has ended. Plain ones have not: it
 * would be no faster, and take a fifth more processor time, for what another processor has in its
 * cache. */
#include "ssi/ssi_uv_internal.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem/base/msg.h"

#define IOV_MAX_HERE 16

struct write_req {
    uv_write_t req;
    struct uv_conn *conn;
    struct ssi_sent sent; /* fn NULL: all bytes are here */
    u8 data[];
};

static u64 now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void conn_free_if(struct uv_conn *conn)
{
    struct ssi_uv *uv = conn->uv;
    if (!conn->closed || conn->resolving)
        return;
    struct uv_conn **at = &uv->conns;
    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    ssi_tls_end(conn->tls);
    free(conn);
    ssi_uv_handle_closed(uv);
}

static void conn_closed_cb(uv_handle_t *handle)
{
    struct uv_conn *conn = (struct uv_conn *)handle;
    conn->closed = true;
    conn_free_if(conn);
}

static void conn_close_now(struct uv_conn *conn)
{
    if (conn->linger_until_ms)
        conn->uv->lingering--;
    conn->linger_until_ms = 0;
    conn->dead = true;
    if (conn->closing)
        return;
    conn->closing = true;
    if (conn->resolving)
        uv_cancel((uv_req_t *)&conn->lookup);
    if (conn->pump)
        ssi_pump_end(conn->pump, false); /* pump_over goes on */
    else
        uv_close((uv_handle_t *)&conn->tcp, conn_closed_cb);
}

static void shutdown_cb(uv_shutdown_t *req, int status)
{
    if (status < 0 && status != UV_ECANCELED)
        conn_close_now(req->data);
}

static void conn_close_flushed(struct uv_conn *conn)
{
    struct ssi_uv *uv = conn->uv;
    conn->dead = true;
    conn->shutdown.data = conn;
    if (uv->lingering >= UV_LINGERING_MAX || conn->resolving ||
        (!conn->pump &&
         uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp, shutdown_cb) != 0)) {
        conn_close_now(conn);
        return;
    }
    conn->linger_until_ms = now_ms() + UV_LINGER_MS;
    uv->lingering++;
    if (conn->pump)
        ssi_pump_end(conn->pump, true); /* pump_over goes on */
}

/* Report the end to the core, unless the core ended it. */
static void conn_lost(struct uv_conn *conn, int error)
{
    bool tell = !conn->dead;
    struct ssi *ssi = conn->uv->ssi;
    ssi_conn id = conn->id;
    conn_close_now(conn);
    if (tell)
        ssi_conn_closed(ssi, id,
                        error == UV_EOF ? "it closed the connection" : uv_strerror(error));
}

/* It failed a check of TLS, ours or its own. */
static void conn_refused(struct uv_conn *conn, const char *why)
{
    bool tell = !conn->dead;
    struct ssi *ssi = conn->uv->ssi;
    conn_close_flushed(conn);
    if (tell)
        ssi_conn_refused(ssi, conn->id, why);
}

static struct uv_conn *conn_new(struct ssi_uv *uv)
{
    struct uv_conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        return NULL;
    if (uv_tcp_init(uv->loop, &conn->tcp) != 0) {
        free(conn);
        return NULL;
    }
    conn->uv = uv;
    conn->id = ++uv->last_id;
    conn->next = uv->conns;
    uv->conns = conn;
    uv->open_handles++;
    return conn;
}

static void alloc_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct uv_conn *conn = (struct uv_conn *)handle;
    size_t room = 0;
    bool plain = !conn->dead && !conn->tls && !conn->sniff;
    u8 *p = plain ? ssi_conn_space(conn->uv->ssi, conn->id, &room) : NULL;
    (void)suggested;
    if (!plain && !conn->dead) {
        p = conn->uv->cipher;
        room = sizeof conn->uv->cipher;
    }
    if (!p) {
        p = conn->uv->sink;
        room = sizeof conn->uv->sink;
    }
    *buf = uv_buf_init((char *)p, (unsigned)room);
}

static void pump_begin(struct uv_conn *conn);

static void written_cb(uv_write_t *req, int status)
{
    struct uv_conn *conn = ((struct write_req *)req)->conn;
    const struct ssi_sent sent = ((struct write_req *)req)->sent;
    free(req);
    if (sent.fn)
        sent.fn(sent.arg);
    if (conn->dead)
        return;
    if (status < 0) {
        conn_lost(conn, status);
        return;
    }
    pump_begin(conn);
    ssi_conn_drained(conn->uv->ssi, conn->id);
}

/* Bytes are lost: the link must die, and it is reported from the loop. */
static void conn_break(struct uv_conn *conn)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&conn->tcp, &fd) == 0)
        shutdown(fd, SHUT_RDWR);
}

/* Queue a copy of everything after the first `skip` bytes. */
static void send_rest(struct uv_conn *conn, const struct ssi_iov *iov, unsigned n, size_t skip)
{
    size_t len = 0;
    for (unsigned i = 0; i < n; i++)
        len += iov[i].len;
    struct write_req *req = malloc(sizeof *req + len - skip);
    size_t at = 0;
    for (unsigned i = 0; i < n && req; i++) {
        size_t off = skip < iov[i].len ? skip : iov[i].len;
        skip -= off;
        if (iov[i].len > off)
            memcpy(req->data + at, (const u8 *)iov[i].p + off, iov[i].len - off);
        at += iov[i].len - off;
    }
    uv_buf_t buf = uv_buf_init(req ? (char *)req->data : NULL, (unsigned)at);
    if (req) {
        req->conn = conn;
        req->sent = (struct ssi_sent){NULL, NULL};
    }
    if (req && uv_write(&req->req, (uv_stream_t *)&conn->tcp, &buf, 1, written_cb) == 0)
        return;
    free(req);
    conn_break(conn);
}

/* Queue everything after the first `skip` bytes; only what is of the first piece is copied. */
static bool keep_rest(struct uv_conn *conn, const struct ssi_iov *iov, unsigned n, size_t skip,
                      const struct ssi_sent *sent)
{
    uv_buf_t bufs[IOV_MAX_HERE];
    unsigned used = 0;
    struct write_req *req = malloc(sizeof *req + iov[0].len);
    for (unsigned i = 0; i < n && req; i++) {
        size_t off = skip < iov[i].len ? skip : iov[i].len;
        const u8 *p = (const u8 *)iov[i].p + off;
        skip -= off;
        if (iov[i].len == off)
            continue;
        if (i == 0)
            p = memcpy(req->data, p, iov[i].len - off);
        bufs[used++] = uv_buf_init((char *)(uintptr_t)p, (unsigned)(iov[i].len - off));
    }
    if (req) {
        req->conn = conn;
        req->sent = *sent;
    }
    if (req && uv_write(&req->req, (uv_stream_t *)&conn->tcp, bufs, used, written_cb) == 0)
        return true;
    free(req);
    conn_break(conn);
    return false;
}

/* `keep` NULL: what cannot go at once is copied. True: it is kept. */
static bool conn_write(struct uv_conn *conn, const struct ssi_iov *iov, unsigned n,
                       const struct ssi_sent *keep)
{
    uv_buf_t bufs[IOV_MAX_HERE];
    size_t len = 0;
    bufs[0] = uv_buf_init(NULL, 0);
    for (unsigned i = 0; i < n; i++) {
        bufs[i] = uv_buf_init((char *)(uintptr_t)iov[i].p, (unsigned)iov[i].len);
        len += iov[i].len;
    }
    int sent = uv_try_write((uv_stream_t *)&conn->tcp, bufs, n);
    size_t gone = sent < 0 ? 0 : (size_t)sent;
    if (gone == len)
        return false;
    if (keep)
        return keep_rest(conn, iov, n, gone, keep);
    send_rest(conn, iov, n, gone);
    return false;
}

/* What TLS wants to send goes to the socket; the core learns of errors from the loop. */
static void tls_flush(struct uv_conn *conn)
{
    struct ssi_iov iov;
    const u8 *p;
    iov.len = ssi_tls_output(conn->tls, &p);
    iov.p = p;
    if (!iov.len)
        return;
    conn_write(conn, &iov, 1, NULL);
    ssi_tls_output_done(conn->tls);
}

static void tls_failed(struct uv_conn *conn)
{
    tls_flush(conn); /* the alert */
    conn_refused(conn, ssi_tls_why(conn->tls));
}

/* Everything that can be read goes to the core. */
static void tls_deliver(struct uv_conn *conn)
{
    size_t room, n;
    u8 *p;
    while (!conn->dead && (p = ssi_conn_space(conn->uv->ssi, conn->id, &room)) != NULL &&
           (n = ssi_tls_read(conn->tls, p, room)) > 0)
        ssi_conn_received(conn->uv->ssi, conn->id, n);
    if (!conn->dead && ssi_tls_failed(conn->tls))
        tls_failed(conn);
}

static void tls_go_on(struct uv_conn *conn)
{
    if (!conn->ready) {
        enum tls_step step = ssi_tls_step(conn->tls);
        if (step == TLS_FAILED) {
            tls_failed(conn);
            return;
        }
        tls_flush(conn);
        if (step == TLS_MORE)
            return;
        conn->ready = true;
        if (!conn->accepted)
            ssi_conn_opened(conn->uv->ssi, conn->id);
    }
    conn->delivering = true;
    tls_deliver(conn);
    if (!conn->dead)
        tls_flush(conn); /* answers to updates of keys */
    conn->delivering = false;
    ERGO(conn->dead || !ssi_tls_unread(conn->tls));
    pump_begin(conn);
}

static void tls_received(struct uv_conn *conn, const u8 *bytes, size_t len)
{
    ssi_tls_receive(conn->tls, bytes, len);
    tls_go_on(conn);
}

/* The first bytes of an accepted connection are plain. */
static void plain_deliver(struct uv_conn *conn, const u8 *bytes, size_t len)
{
    size_t room, n;
    u8 *p;
    for (; len && !conn->dead; bytes += n, len -= n) {
        p = ssi_conn_space(conn->uv->ssi, conn->id, &room);
        n = len < room ? len : room;
        memcpy(p, bytes, n);
        ssi_conn_received(conn->uv->ssi, conn->id, n);
    }
}

/* A peer that has no keys refuses ours in plain words. */
static bool answers_plainly(const struct uv_conn *conn, const u8 *bytes, size_t len)
{
    return !conn->ready && !conn->accepted && len >= 4 && memcmp(bytes, "ESSI", 4) == 0;
}

static void received(struct uv_conn *conn, const u8 *bytes, size_t len)
{
    bool tls = conn->tls || (conn->sniff && bytes[0] == TLS_FIRST_BYTE);
    if (tls && !conn->tls)
        conn->tls = ssi_tls_begin(conn->uv->tls, true);
    conn->sniff = false;
    if (!tls)
        plain_deliver(conn, bytes, len);
    else if (!conn->tls)
        conn_lost(conn, UV_ENOMEM);
    else if (answers_plainly(conn, bytes, len))
        conn_refused(conn, "it answers without TLS: it has no keys");
    else
        tls_received(conn, bytes, len);
}

static void read_cb(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct uv_conn *conn = (struct uv_conn *)stream;
    if (n < 0)
        conn_lost(conn, (int)n);
    else if (n > 0 && !conn->dead && (conn->tls || conn->sniff))
        received(conn, (const u8 *)buf->base, (size_t)n);
    else if (n > 0 && !conn->dead)
        ssi_conn_received(conn->uv->ssi, conn->id, (size_t)n);
}

static void conn_start(struct uv_conn *conn)
{
    uv_tcp_nodelay(&conn->tcp, 1);
    uv_tcp_keepalive(&conn->tcp, 1, conn->uv->keepalive_s);
    int rc = uv_read_start((uv_stream_t *)&conn->tcp, alloc_cb, read_cb);
    if (rc)
        conn_lost(conn, rc);
}

static void connected_cb(uv_connect_t *req, int status)
{
    struct uv_conn *conn = req->data;
    if (conn->dead)
        return;
    if (status) {
        conn_lost(conn, status);
        return;
    }
    struct ssi_uv *uv = conn->uv;
    if (uv->tls && !(conn->tls = ssi_tls_begin(uv->tls, false))) {
        conn_lost(conn, UV_ENOMEM);
        return;
    }
    conn_start(conn);
    if (conn->tls && !conn->dead)
        tls_go_on(conn);
    else if (!conn->dead)
        ssi_conn_opened(uv->ssi, conn->id);
}

static int conn_connect(struct uv_conn *conn, const struct sockaddr *addr)
{
    conn->connect.data = conn;
    return uv_tcp_connect(&conn->connect, &conn->tcp, addr, connected_cb);
}

static void resolved_cb(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
    struct uv_conn *conn = req->data;
    conn->resolving = false;
    if (conn->closing) {
        uv_freeaddrinfo(res);
        conn_free_if(conn);
        return;
    }
    if (status == 0)
        status = conn_connect(conn, res->ai_addr);
    uv_freeaddrinfo(res);
    if (status)
        conn_lost(conn, status);
}

/* "host:port", "[v6]:port" -> host, port text. */
static bool addr_split(const char *addr, char host[UV_HOST_BYTES], char port[8])
{
    const char *colon = strrchr(addr, ':');
    size_t len = colon ? (size_t)(colon - addr) : 0;
    if (len == 0 || len >= UV_HOST_BYTES || strlen(colon + 1) > 5)
        return false;
    bool bracket = addr[0] == '[' && addr[len - 1] == ']' && len > 2;
    snprintf(host, UV_HOST_BYTES, "%.*s", (int)(bracket ? len - 2 : len), addr + bracket);
    snprintf(port, 8, "%s", colon + 1);
    return strspn(port, "0123456789") == strlen(port) && port[0];
}

static void tell(struct ssi_uv *uv, const char *text)
{
    char line[MSG_LINE_BYTES];
    struct ssi_view view;
    ssi_query(uv->ssi, &view);
    msg_format(line, sizeof line, MSG_PLM1719W, view.cluster, text);
    uv->ports.operator_message(uv, line);
}

/* Certificates that have been renewed count for the next connection. */
static void tls_refresh(struct ssi_uv *uv)
{
    struct cause cause, told;
    if (!uv->tls || ssi_tls_refresh(uv->tls, &cause) == ST_OK)
        return;
    cause_set(&told, ST_CONFIG, "keys have changed and are not taken: %s", cause.text);
    tell(uv, told.text);
}

/* A certificate that was good when the connection was made has expired since, or is revoked. */
static void tls_look(struct ssi_uv *uv, u64 ms)
{
    struct uv_conn *next;
    char why[TLS_WHY_BYTES];
    if (!uv->tls || ms < uv->look_ms)
        return;
    uv->look_ms = ms + UV_LOOK_MS;
    tls_refresh(uv);
    for (struct uv_conn *conn = uv->conns; conn; conn = next) {
        next = conn->next;
        if (!conn->dead && conn->ready && !ssi_tls_still_good(uv->tls, conn->tls, why))
            conn_refused(conn, why);
    }
}

static ssi_conn port_connect(void *ctx, const char *addr, struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    char host[UV_HOST_BYTES], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct uv_conn *conn = addr_split(addr, host, port) ? conn_new(uv) : NULL;
    tls_refresh(uv);
    if (!conn) {
        cause_set(cause, ST_INVAL, "cannot connect to %s", addr);
        return 0;
    }
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } sa;
    int rc;
    if (uv_ip4_addr(host, atoi(port), &sa.v4) == 0 ||
        uv_ip6_addr(host, atoi(port), &sa.v6) == 0) {
        rc = conn_connect(conn, &sa.any);
    } else {
        conn->lookup.data = conn;
        rc = uv_getaddrinfo(uv->loop, &conn->lookup, resolved_cb, host, port, &hints);
        conn->resolving = rc == 0;
    }
    if (rc == 0)
        return conn->id;
    cause_set(cause, ST_IO, "connecting to %s: %s", addr, uv_strerror(rc));
    conn_close_now(conn);
    return 0;
}

/* --- bulk streams --- */

static void pump_note(void *arg)
{
    uv_async_send(&((struct ssi_uv *)arg)->pumped);
}

/* It waits until libuv has written what it has, and until what has been read is delivered: order is
 * kept, and TLS has one user (a message in the middle may be what wants the pump). */
static void pump_begin(struct uv_conn *conn)
{
    uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
    uv_os_fd_t fd;
    if (!conn->bulk || conn->dead || conn->pump || conn->delivering ||
        uv_stream_get_write_queue_size(stream) ||
        uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0)
        return;
    uv_read_stop(stream);
    conn->bulk = false;
    conn->pump = ssi_pump_start(fd, conn->tls, pump_note, conn->uv);
    if (conn->pump && conn->paused)
        ssi_pump_pause(conn->pump, true);
    else if (!conn->pump && !conn->paused && uv_read_start(stream, alloc_cb, read_cb) != 0)
        conn_break(conn);
}

/* What the pump has received goes to the core, or nowhere. */
static void pump_deliver(struct uv_conn *conn)
{
    const u8 *bytes;
    size_t len = ssi_pump_received(conn->pump, &bytes), at = 0, n = 1;
    while (!conn->dead && at < len && n) {
        n = ssi_conn_take(conn->uv->ssi, conn->id, bytes + at, len - at);
        at += n;
    }
    if (conn->dead)
        at = len;
    if (at)
        ssi_pump_consumed(conn->pump, at);
}

/* Its thread has ended: the core is told, and the handle is closed, or lingers. */
static void pump_over(struct uv_conn *conn, int error)
{
    uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
    if (!conn->dead && error == PUMP_REFUSED)
        conn_refused(conn, ssi_tls_why(conn->tls));
    else if (!conn->dead)
        conn_lost(conn, error < 0 ? error : UV_EOF);
    ssi_pump_free(conn->pump);
    conn->pump = NULL;
    if (!conn->closing && (uv_shutdown(&conn->shutdown, stream, shutdown_cb) != 0 ||
                           uv_read_start(stream, alloc_cb, read_cb) != 0))
        conn_close_now(conn);
    else if (conn->closing)
        uv_close((uv_handle_t *)&conn->tcp, conn_closed_cb);
}

static void pump_look(struct uv_conn *conn)
{
    int error;
    bool ended = ssi_pump_ended(conn->pump, &error);
    if (ssi_pump_sent(conn->pump) && !conn->dead)
        ssi_conn_drained(conn->uv->ssi, conn->id);
    pump_deliver(conn);
    if (ended)
        pump_over(conn, error);
}

void ssi_uv_tcp_pumped(uv_async_t *async)
{
    struct ssi_uv *uv = async->data;
    for (struct uv_conn *conn = uv->conns; conn; conn = conn->next)
        if (conn->pump)
            pump_look(conn);
}

static struct uv_conn *conn_find(struct ssi_uv *uv, ssi_conn id)
{
    for (struct uv_conn *conn = uv->conns; conn; conn = conn->next)
        if (conn->id == id && !conn->dead)
            return conn;
    return NULL;
}

/* In slices, so that what is encrypted and not sent yet stays small. */
static void tls_send(struct uv_conn *conn, const struct ssi_iov *iov, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (size_t at = 0; at < iov[i].len;) {
            size_t len = iov[i].len - at < TLS_SLICE_BYTES ? iov[i].len - at : TLS_SLICE_BYTES;
            if (!ssi_tls_write(conn->tls, (const u8 *)iov[i].p + at, len)) {
                conn_break(conn);
                return;
            }
            at += len;
            tls_flush(conn);
        }
}

static bool port_send_kept(void *ctx, ssi_conn id, const struct ssi_iov *iov, unsigned n,
                           const struct ssi_sent *sent)
{
    struct uv_conn *conn = conn_find(ctx, id);
    PRE(n >= 1 && n <= IOV_MAX_HERE);
    if (conn && conn->pump)
        return ssi_pump_send(conn->pump, iov, n, sent);
    if (conn && !conn->tls)
        return conn_write(conn, iov, n, sent);
    if (conn)
        tls_send(conn, iov, n);
    return false;
}

static void port_send(void *ctx, ssi_conn id, const struct ssi_iov *iov, unsigned n)
{
    port_send_kept(ctx, id, iov, n, NULL);
}

static void port_peer(void *ctx, ssi_conn id, struct ssi_peer *out)
{
    struct uv_conn *conn = conn_find(ctx, id);
    memset(out, 0, sizeof *out);
    if (conn && conn->tls && conn->ready)
        ssi_tls_peer(conn->tls, out);
}

static void port_pause(void *ctx, ssi_conn id, bool paused)
{
    struct uv_conn *conn = conn_find(ctx, id);
    if (!conn || conn->paused == paused)
        return;
    conn->paused = paused;
    if (conn->pump)
        ssi_pump_pause(conn->pump, paused);
    else if (paused)
        uv_read_stop((uv_stream_t *)&conn->tcp);
    else if (uv_read_start((uv_stream_t *)&conn->tcp, alloc_cb, read_cb) != 0)
        conn_break(conn);
}

static void port_bulk(void *ctx, ssi_conn id)
{
    struct uv_conn *conn = conn_find(ctx, id);
    if (!conn || !conn->tls || conn->pump)
        return;
    conn->bulk = true;
    pump_begin(conn);
}

static size_t port_backlog(void *ctx, ssi_conn id)
{
    struct uv_conn *conn = conn_find(ctx, id);
    if (conn && conn->pump)
        return ssi_pump_backlog(conn->pump);
    return conn ? uv_stream_get_write_queue_size((uv_stream_t *)&conn->tcp) : 0;
}

static void port_close(void *ctx, ssi_conn id, bool flush)
{
    struct uv_conn *conn = conn_find(ctx, id);
    if (conn && flush)
        conn_close_flushed(conn);
    else if (conn)
        conn_close_now(conn);
}

static void peer_text(const uv_tcp_t *tcp, char *out, size_t room)
{
    struct sockaddr_storage sa;
    int len = sizeof sa;
    char host[INET6_ADDRSTRLEN] = "?";
    unsigned port = 0;
    if (uv_tcp_getpeername(tcp, (struct sockaddr *)&sa, &len) == 0) {
        uv_ip_name((struct sockaddr *)&sa, host, sizeof host);
        port = be16_load(&((struct sockaddr_in *)&sa)->sin_port);
    }
    snprintf(out, room, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

static void accept_cb(uv_stream_t *listener, int status)
{
    struct ssi_uv *uv = listener->data;
    struct uv_conn *conn = status == 0 && uv->ssi ? conn_new(uv) : NULL;
    if (!conn)
        return;
    char peer[64];
    tls_refresh(uv);
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0) {
        conn_close_now(conn);
        return;
    }
    conn->accepted = true;
    conn->sniff = uv->tls != NULL;
    peer_text(&conn->tcp, peer, sizeof peer);
    if (!ssi_conn_accepted(uv->ssi, conn->id, peer))
        conn_close_now(conn);
    else
        conn_start(conn);
}

static void listener_closed(uv_handle_t *handle)
{
    struct ssi_uv *uv = handle->data;
    free(handle);
    ssi_uv_handle_closed(uv);
}

static void port_listen_stop(void *ctx)
{
    struct ssi_uv *uv = ctx;
    if (uv->listener)
        uv_close((uv_handle_t *)uv->listener, listener_closed);
    uv->listener = NULL;
}

/* The address to publish: the advertised host, or what we listen on, or the host's name. */
static void publish(const uv_tcp_t *tcp, const char *host, const char *advertise, char *actual)
{
    struct sockaddr_storage sa;
    int len = sizeof sa;
    char own[SSI_ADDR_BYTES - 10] = "";
    uv_tcp_getsockname(tcp, (struct sockaddr *)&sa, &len);
    if (advertise[0])
        snprintf(own, sizeof own, "%.53s", advertise);
    else if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        gethostname(own, sizeof own - 1);
    else
        snprintf(own, sizeof own, "%.53s", host);
    bool v6 = strchr(own, ':') != NULL && own[0] != '[';
    snprintf(actual, SSI_ADDR_BYTES, v6 ? "[%s]:%u" : "%s:%u", own,
             be16_load(&((struct sockaddr_in *)&sa)->sin_port));
}

static int listener_bind(struct ssi_uv *uv, const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
    uv_getaddrinfo_t lookup;
    int rc = uv_getaddrinfo(uv->loop, &lookup, NULL, host, port, &hints);
    if (rc)
        return rc;
    rc = uv_tcp_bind(uv->listener, lookup.addrinfo->ai_addr, 0);
    uv_freeaddrinfo(lookup.addrinfo);
    return rc ? rc : uv_listen((uv_stream_t *)uv->listener, SSI_SLOTS_MAX * 4, accept_cb);
}

static bool loopback(const uv_tcp_t *tcp)
{
    struct sockaddr_storage sa;
    int len = sizeof sa;
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&sa, &len) != 0)
        return false;
    if (sa.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&sa)->sin6_addr);
    return be32_load(&((struct sockaddr_in *)&sa)->sin_addr) >> 24 == 127;
}

static void plain_warning(struct ssi_uv *uv, const char *addr)
{
    struct cause cause;
    cause_set(
        &cause, ST_OK,
        "links at %s are not encrypted, nor members authenticated (endicott cluster keys)",
        addr);
    tell(uv, cause.text);
}

static int port_listen(void *ctx, const char *addr, const char *advertise, char *actual,
                       struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    char host[UV_HOST_BYTES], port[8];
    PRE(!uv->listener);
    if (!addr_split(addr, host, port))
        return cause_set(cause, ST_CONFIG, "%s is not host:port", addr);
    uv->listener = calloc(1, sizeof *uv->listener);
    if (!uv->listener)
        return cause_set(cause, ST_NOMEM, "out of memory");
    uv_tcp_init(uv->loop, uv->listener);
    uv->listener->data = uv;
    uv->open_handles++;
    int rc = listener_bind(uv, host, port);
    if (rc) {
        port_listen_stop(uv);
        return cause_set(cause, rc == UV_EACCES ? ST_PERM : ST_IO, "listening on %s: %s", addr,
                         uv_strerror(rc));
    }
    publish(uv->listener, host, advertise, actual);
    if (!uv->tls && !loopback(uv->listener))
        plain_warning(uv, actual);
    return ST_OK;
}

void ssi_uv_tcp_ports(struct ssi_ports *ports)
{
    ports->listen = port_listen;
    ports->listen_stop = port_listen_stop;
    ports->connect = port_connect;
    ports->send = port_send;
    ports->send_kept = port_send_kept;
    ports->backlog = port_backlog;
    ports->pause = port_pause;
    ports->bulk = port_bulk;
    ports->peer = port_peer;
    ports->close = port_close;
}

void ssi_uv_tcp_sweep(struct ssi_uv *uv, bool now)
{
    struct uv_conn *next;
    u64 ms = now_ms();
    for (struct uv_conn *conn = uv->conns; conn; conn = next) {
        next = conn->next;
        if (now || (conn->linger_until_ms && ms >= conn->linger_until_ms))
            conn_close_now(conn);
    }
    if (!now)
        tls_look(uv, ms);
}
