/* Adapters whose other side is in another program. On a connection each message of ctc_remote.h
 * stands behind its length, four bytes; the first of each side is HELLO with the type. The one that
 * listens has the adapter, the other one's device sends its commands. What arrives is decoded as
 * hostile: what makes no sense ends the connection. */
#include "cli/ipl/ipl_ctc.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/ipl/ipl_disks.h"
#include "mem/base/log.h"

#define FORM "DEVNO=listen:ADDR or DEVNO=connect:ADDR, with ,type=CTCA, SCTC, BCTC, CNC or FCTC"
#define AGAIN_MS 500
#define HEAD_BYTES 4u
#define HELLO "ECTC1"
#define HELLO_BYTES 6u             /* and the type */
#define QUEUE_BYTES_MAX (4u << 20) /* that the other program does not read */
#define READ_BYTES (CTC_MESSAGE_BYTES_MAX + HEAD_BYTES)

/** A connection. Located by ctc->wire, its handle, and notes of other threads; freed with the last
 *  of them. Loop thread, but for ipl_ctc_send. */
struct ipl_ctc_wire {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    };
    uv_connect_t connect;
    struct ipl_ctc *ctc; /* NULL: it has ended */
    struct post_uv *post;
    _Atomic u32 refs;
    bool greeted;
    struct ctc_remote *remote;
    struct ctc_stub *stub;
    size_t got;
    u8 in[READ_BYTES];
};

struct note {
    uv_write_t req;
    struct ipl_ctc_wire *wire;
    size_t len;
    u8 bytes[];
};

static struct ctca *device(const struct ipl_ctc *ctc)
{
    return vm_host_ops()->ctca(ctc->all->vm, ctc->devno);
}

static bool is_path(const char *address)
{
    return strchr(address, '/') != NULL;
}

static void unref(struct ipl_ctc_wire *wire)
{
    if (atomic_fetch_sub(&wire->refs, 1) == 1)
        free(wire);
}

static void closed(uv_handle_t *handle)
{
    unref(handle->data);
}

/* The connection goes; both sides are uncoupled. */
static void wire_end(struct ipl_ctc_wire *wire, const char *why)
{
    struct ipl_ctc *ctc = wire->ctc;
    if (!ctc)
        return;
    wire->ctc = NULL;
    ctc->wire = NULL;
    if (wire->remote)
        vm_host_ops()->ctca_set_remote(ctc->all->vm, ctc->devno, NULL);
    ctc_remote_destroy(wire->remote);
    ctc_stub_destroy(wire->stub);
    if (why && wire->greeted)
        log_line("CTCA %04X: not coupled any more: %s", ctc->devno, why);
    uv_close(&wire->handle, closed);
}

/* --- sending -------------------------------------------------------------------------------- */

static void written(uv_write_t *req, int status)
{
    struct note *n = (struct note *)req;
    if (status < 0)
        wire_end(n->wire, uv_strerror(status));
    unref(n->wire);
    free(n);
}

static void deliver(void *arg)
{
    struct note *n = arg;
    struct ipl_ctc_wire *wire = n->wire;
    uv_buf_t buf = uv_buf_init((char *)n->bytes, (unsigned)n->len);
    if (wire->ctc && uv_stream_get_write_queue_size(&wire->stream) > QUEUE_BYTES_MAX)
        wire_end(wire, "the other program does not read");
    int rc = wire->ctc ? uv_write(&n->req, &wire->stream, &buf, 1, written) : UV_ECANCELED;
    if (rc)
        written(&n->req, rc);
}

/* Any thread. Without host memory the program of the guest gives up its command. */
static void ipl_ctc_send(void *arg, const u8 *message, size_t len)
{
    struct ipl_ctc_wire *wire = arg;
    struct note *n = malloc(sizeof *n + HEAD_BYTES + len);
    if (!n)
        return;
    n->wire = wire;
    n->len = HEAD_BYTES + len;
    be32_store(n->bytes, (u32)len);
    memcpy(n->bytes + HEAD_BYTES, message, len);
    wire->refs++;
    post_uv(wire->post, deliver, n);
}

static void say_hello(struct ipl_ctc_wire *wire)
{
    u8 hello[HELLO_BYTES] = HELLO;
    hello[HELLO_BYTES - 1] = (u8)wire->ctc->type;
    ipl_ctc_send(wire, hello, sizeof hello);
}

/* --- receiving ------------------------------------------------------------------------------ */

static bool couple(struct ipl_ctc_wire *wire, enum ctca_type other)
{
    struct ipl_ctc *ctc = wire->ctc;
    const struct ctc_wire out = {ipl_ctc_send, wire};
    bool extended = other == CTCA_SCTC || other == CTCA_CNC || other == CTCA_FCTC;
    if (!ctca_types_fit(ctc->type, other)) {
        log_line("CTCA %04X: %s and %s do not fit", ctc->devno, ctca_type_name(ctc->type),
                 ctca_type_name(other));
        return false;
    }
    if (ctc->listens) {
        wire->stub =
            ctc_stub_create(vm_host_ops()->ctc_hub(vm_host_of(ctc->all->vm)), extended, &out);
        if (wire->stub)
            ctc_couple(ctca_side(device(ctc)), ctc_stub_side(wire->stub));
    } else {
        wire->remote = ctca_remote_create(device(ctc), &out);
        if (wire->remote)
            vm_host_ops()->ctca_set_remote(ctc->all->vm, ctc->devno, wire->remote);
    }
    wire->greeted = wire->stub || wire->remote;
    if (wire->greeted)
        log_line("CTCA %04X: coupled over %s", ctc->devno, ctc->address);
    return wire->greeted;
}

/* False: it makes no sense. */
static bool take(struct ipl_ctc_wire *wire, const u8 *message, size_t len)
{
    if (wire->stub)
        return ctc_stub_receive(wire->stub, message, len);
    if (wire->remote)
        return ctc_remote_receive(wire->remote, message, len);
    return len == HELLO_BYTES && !memcmp(message, HELLO, HELLO_BYTES - 1) &&
           message[HELLO_BYTES - 1] < CTCA_TYPES &&
           couple(wire, (enum ctca_type)message[HELLO_BYTES - 1]);
}

static void take_all(struct ipl_ctc_wire *wire)
{
    size_t at = 0;
    while (wire->ctc && wire->got - at >= HEAD_BYTES) {
        size_t len = be32_load(wire->in + at);
        if (!len || len > CTC_MESSAGE_BYTES_MAX) {
            wire_end(wire, "the other program sends what makes no sense");
            return;
        }
        if (wire->got - at < HEAD_BYTES + len)
            break;
        if (!take(wire, wire->in + at + HEAD_BYTES, len))
            wire_end(wire, "the other program sends what makes no sense");
        at += HEAD_BYTES + len;
    }
    wire->got -= at;
    memmove(wire->in, wire->in + at, wire->got);
}

static void room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct ipl_ctc_wire *wire = handle->data;
    (void)size;
    *buf = uv_buf_init((char *)wire->in + wire->got, (unsigned)(sizeof wire->in - wire->got));
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct ipl_ctc_wire *wire = stream->data;
    (void)buf;
    if (n < 0)
        wire_end(wire, n == UV_EOF ? "the other program has gone" : uv_strerror((int)n));
    if (n <= 0)
        return;
    wire->got += (size_t)n;
    take_all(wire);
}

/* --- connections ---------------------------------------------------------------------------- */

static struct ipl_ctc_wire *wire_new(struct ipl_ctc *ctc)
{
    struct ipl_ctc_wire *wire = calloc(1, sizeof *wire);
    if (!wire)
        return NULL;
    int rc = is_path(ctc->address) ? uv_pipe_init(ctc->all->loop, &wire->pipe, 0)
                                   : uv_tcp_init(ctc->all->loop, &wire->tcp);
    if (rc) {
        free(wire);
        return NULL;
    }
    wire->handle.data = wire;
    wire->ctc = ctc;
    wire->post = ctc->all->post;
    wire->refs = 1;
    ctc->wire = wire;
    return wire;
}

static void begin(struct ipl_ctc_wire *wire)
{
    if (!is_path(wire->ctc->address))
        uv_tcp_nodelay(&wire->tcp, 1);
    say_hello(wire);
    if (uv_read_start(&wire->stream, room, received))
        wire_end(wire, "it cannot be read");
}

/* One at a time; another one is closed at once. */
static void accepted(uv_stream_t *listener, int status)
{
    struct ipl_ctc *ctc = listener->data;
    struct ipl_ctc_wire *before = ctc->wire;
    struct ipl_ctc_wire *wire = status ? NULL : wire_new(ctc);
    if (!wire)
        return;
    bool good = uv_accept(listener, &wire->stream) == 0 && !before;
    if (good) {
        begin(wire);
        return;
    }
    wire->ctc = NULL;
    ctc->wire = before;
    uv_close(&wire->handle, closed);
}

static void connected(uv_connect_t *req, int status)
{
    struct ipl_ctc_wire *wire = req->handle->data;
    if (!wire->ctc)
        return;
    if (status)
        wire_end(wire, NULL);
    else
        begin(wire);
}

static bool tcp_address(const char *address, struct sockaddr_in *out)
{
    char host[IPL_CTC_ADDRESS_BYTES] = "127.0.0.1";
    const char *colon = strrchr(address, ':');
    const char *port = colon ? colon + 1 : address;
    char *end;
    unsigned long n = strtoul(port, &end, 10);
    if (colon)
        snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    return *port >= '0' && *port <= '9' && !*end && n && n <= 65535 &&
           uv_ip4_addr(host, (int)n, out) == 0;
}

static void try_connect(uv_timer_t *timer)
{
    struct ipl_ctc *ctc = timer->data;
    struct sockaddr_in to;
    struct ipl_ctc_wire *wire = ctc->wire ? NULL : wire_new(ctc);
    if (!wire)
        return;
    if (is_path(ctc->address))
        uv_pipe_connect(&wire->connect, &wire->pipe, ctc->address, connected);
    else if (!tcp_address(ctc->address, &to) ||
             uv_tcp_connect(&wire->connect, &wire->tcp, (struct sockaddr *)&to, connected))
        wire_end(wire, NULL);
}

/* The socket of a program that was killed goes. False: it is in use, or another file. */
static bool path_free(const char *path)
{
    struct stat st;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (lstat(path, &st))
        return true;
    if (!S_ISSOCK(st.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    bool dead = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at);
    if (fd >= 0)
        close(fd);
    return dead && unlink(path) == 0;
}

/** What listens: a Unix socket or a port. */
union listener {
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tcp_t tcp;
};

static int bind_path(union listener *l, const char *path)
{
    return path_free(path) ? uv_pipe_bind(&l->pipe, path) : UV_EADDRINUSE;
}

static int bind_port(union listener *l, const char *address)
{
    struct sockaddr_in at;
    return tcp_address(address, &at) ? uv_tcp_bind(&l->tcp, (struct sockaddr *)&at, 0)
                                     : UV_EINVAL;
}

static int listen_on(struct ipl_ctc *ctc, struct cause *cause)
{
    bool path = is_path(ctc->address);
    union listener *l = calloc(1, sizeof *l);
    int rc = UV_ENOMEM;
    if (l)
        rc = path ? uv_pipe_init(ctc->all->loop, &l->pipe, 0)
                  : uv_tcp_init(ctc->all->loop, &l->tcp);
    if (rc) {
        free(l);
        return cause_set(cause, ST_NOMEM, "--ctc %04X: %s", ctc->devno, uv_strerror(rc));
    }
    l->stream.data = ctc;
    ctc->listener = &l->stream;
    rc = path ? bind_path(l, ctc->address) : bind_port(l, ctc->address);
    rc = rc ? rc : uv_listen(&l->stream, 1, accepted);
    return rc ? cause_set(cause, ST_PERM, "--ctc %04X: %s: %s", ctc->devno, ctc->address,
                          uv_strerror(rc))
              : ST_OK;
}

int ipl_ctcs_open(struct ipl_ctcs *ctcs, uv_loop_t *loop, struct post_uv *post, struct vm *vm,
                  struct cause *cause)
{
    int rc = ST_OK;
    ctcs->loop = loop;
    ctcs->post = post;
    ctcs->vm = vm;
    ctcs->opened = true;
    for (unsigned i = 0; rc == ST_OK && i < ctcs->count; i++) {
        struct ipl_ctc *ctc = &ctcs->ctc[i];
        if (ctc->listens) {
            rc = listen_on(ctc, cause);
            continue;
        }
        uv_timer_init(loop, &ctc->again);
        ctc->again.data = ctc;
        uv_timer_start(&ctc->again, try_connect, 0, AGAIN_MS);
    }
    return rc;
}

static void listener_closed(uv_handle_t *handle)
{
    free(handle);
}

void ipl_ctcs_close(struct ipl_ctcs *ctcs)
{
    for (unsigned i = 0; ctcs->opened && i < ctcs->count; i++) {
        struct ipl_ctc *ctc = &ctcs->ctc[i];
        if (ctc->again.data)
            uv_close((uv_handle_t *)&ctc->again, NULL);
        if (ctc->listener)
            uv_close((uv_handle_t *)ctc->listener, listener_closed);
        if (ctc->wire)
            wire_end(ctc->wire, NULL);
    }
    ctcs->opened = false;
}

/* --- options -------------------------------------------------------------------------------- */

static int read_option(const char *option, const struct vm_config *vc, struct ipl_ctc *ctc,
                       struct cause *cause)
{
    char number[8] = "", type[8] = "CTCA";
    struct sockaddr_in ignored;
    size_t len = strcspn(option, "=");
    if (len < sizeof number)
        memcpy(number, option, len);
    const char *how = option[len] ? option + len + 1 : "";
    const char *address = strchr(how, ':');
    const char *more = address ? strstr(address, ",type=") : NULL;
    size_t bytes = more ? (size_t)(more - address) : address ? strlen(address) : 0;
    ctc->listens = !strncmp(how, "listen:", 7);
    if (more)
        snprintf(type, sizeof type, "%s", more + strlen(",type="));
    if (!address || (!ctc->listens && strncmp(how, "connect:", 8)) || bytes < 2 ||
        bytes > sizeof ctc->address || !ipl_devno(number, &ctc->devno) ||
        !ctca_type_named(type, &ctc->type))
        return cause_set(cause, ST_INVAL, "%s: not " FORM, option);
    snprintf(ctc->address, sizeof ctc->address, "%.*s", (int)bytes - 1, address + 1);
    if (!is_path(ctc->address) && !tcp_address(ctc->address, &ignored))
        return cause_set(cause, ST_INVAL,
                         "%s: not a path with a slash, and not [HOST:]PORT with numbers",
                         option);
    if (ipl_devno_taken(vc, ctc->devno))
        return cause_set(cause, ST_INVAL, "%s: device %04X is there already", option,
                         ctc->devno);
    return ST_OK;
}

int ipl_ctcs_read(const char *const *option, struct vm_config *vc, struct ipl_ctcs *ctcs,
                  struct cause *cause)
{
    for (; *option; option++) {
        if (ctcs->count == VM_CTCAS_MAX)
            return cause_set(cause, ST_INVAL, "%s: %u such adapters are possible", *option,
                             VM_CTCAS_MAX);
        struct ipl_ctc *ctc = &ctcs->ctc[ctcs->count];
        int rc = read_option(*option, vc, ctc, cause);
        if (rc)
            return rc;
        ctc->all = ctcs;
        ctcs->count++;
        vc->ctca[vc->ctcas++] = (struct vm_ctca){ctc->devno, (u8)ctc->type};
    }
    return ST_OK;
}
