/* The uplink through libvdeplug: a VDE switch, VXVDE (a distributed switch over multicast), or
 * whatever else the library has a module for. A switch that goes is looked for until it is back. */
#include "io/net/uplink_internal.h"

#ifdef HAVE_VDEPLUG
#include <errno.h>
#include <fcntl.h>
#include <libvdeplug.h>
#include <stdio.h>
#include <stdlib.h>

#define VDE_URI_BYTES 192

/** Located by up->own; the uplink's thread has it. */
struct vde {
    VDECONN *conn; /* NULL: the switch has gone */
    char uri[VDE_URI_BYTES];
    int at; /* its place in up->fd, and of its control connection */
    u8 frame[LAN_FRAME_MAX];
};

static bool plug(struct vde *vde)
{
    static char description[] = "endicott";
    vde->conn = vde_open(vde->uri, description, NULL);
    if (!vde->conn)
        return false;
    int fd = vde_datafd(vde->conn);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return true;
}

static int vde_open_uplink(struct uplink *up, const char *rest, struct cause *cause)
{
    struct vde *vde = calloc(1, sizeof *vde);
    if (!vde)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    up->own = vde;
    if (*rest != ':' || !rest[1] || strlen(rest + 1) >= VDE_URI_BYTES)
        return cause_set(cause, ST_INVAL, "vde%s: not vde:URI, as vde:vde:///run/switch", rest);
    strcpy(vde->uri, rest + 1);
    errno = 0;
    up->up = plug(vde);
    return up->up ? ST_OK
                  : cause_set(cause, errno == EACCES || errno == EPERM ? ST_PERM : ST_NOENT,
                              "vde:%s: %s", vde->uri,
                              errno ? strerror(errno) : "there is no such switch");
}

static enum uplink_sent vde_output(struct uplink *up, const u8 *frame, size_t len)
{
    const struct vde *vde = up->own;
    bool sent = vde->conn && vde_send(vde->conn, frame, len, 0) == (ssize_t)len;
    return sent ? UPLINK_SENT : UPLINK_DROPPED; /* the switch does not keep up */
}

static u32 vde_fill(struct uplink *up)
{
    struct vde *vde = up->own;
    vde->at = -1;
    if (!vde->conn)
        return UPLINK_WAIT_MAX_MS;
    int control = vde_ctlfd(vde->conn);
    vde->at = uplink_poll(up, vde_datafd(vde->conn), POLLIN);
    if (vde->at >= 0 && control >= 0 && uplink_poll(up, control, POLLIN) < 0)
        vde->at = -1;
    return UPLINK_WAIT_MAX_MS;
}

/** A switch that ends closes the control connection; nothing else comes over it. */
static bool control_ended(const struct uplink *up)
{
    const struct vde *vde = up->own;
    return vde_ctlfd(vde->conn) >= 0 && up->fd[vde->at + 1].revents;
}

/** Is there a frame? Modules with several sockets (VXVDE) wait for one in vde_recv, whatever their
 *  descriptors' flags are, and with them would what is to be sent. */
static bool readable(struct vde *vde)
{
    struct pollfd p = {.fd = vde_datafd(vde->conn), .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

static void vde_work(struct uplink *up, bool failed)
{
    struct vde *vde = up->own;
    if (!vde->conn && plug(vde)) {
        uplink_link(up, true, "");
        return;
    }
    if (failed || vde->at < 0)
        return;
    bool more = up->fd[vde->at].revents;
    for (unsigned i = 0; more && i < UPLINK_ROUND_FRAMES; i++, more = readable(vde)) {
        ssize_t n = vde_recv(vde->conn, vde->frame, sizeof vde->frame, 0);
        if (n <= 0)
            break;
        if (n > 1) /* one byte: somebody else's frame, says the library */
            lan_send(up->port, vde->frame, (size_t)n);
    }
    if (!control_ended(up) && !(up->fd[vde->at].revents & (POLLERR | POLLHUP)))
        return;
    vde_close(vde->conn);
    vde->conn = NULL;
    uplink_link(up, false, "");
}

static void vde_words(const struct uplink *up, char out[UPLINK_WORDS_MAX])
{
    const struct vde *vde = up->own;
    snprintf(out, UPLINK_WORDS_MAX, "VDE switch %s%s", vde->uri,
             up->up ? "" : ", which has gone");
}

static void vde_close_uplink(struct uplink *up)
{
    struct vde *vde = up->own;
    if (vde && vde->conn)
        vde_close(vde->conn);
    free(vde);
}

const struct uplink_kind uplink_vde = {vde_open_uplink, vde_output, vde_fill,
                                       vde_work,        vde_words,  vde_close_uplink};

#else

static int absent_open(struct uplink *up, const char *rest, struct cause *cause)
{
    (void)up;
    return cause_set(cause, ST_REFUSED, "vde%s: this program was built without libvdeplug",
                     rest);
}

static void absent_close(struct uplink *up)
{
    (void)up;
}

const struct uplink_kind uplink_vde = {.open = absent_open, .close = absent_close};
#endif
