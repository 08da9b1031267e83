/* The uplink through a tap device that the user has made:
 *   ip tuntap add dev NAME mode tap user USER
 * Nothing here needs a privilege. A device that goes is looked for until it is there again; one
 * whose descriptor was passed to us does not come back. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "io/net/uplink_internal.h"

#define DEVICE "/dev/net/tun"

/** Located by up->own; the uplink's thread has it. */
struct tap {
    int fd; /* -1: the device has gone */
    bool passed;
    char name[IFNAMSIZ];
    int at; /* its place in up->fd */
    u8 frame[LAN_FRAME_MAX];
};

/** ST_NOENT: there is no such device. */
static int device_open(struct tap *tap, struct cause *cause)
{
    struct ifreq req = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    if (!if_nametoindex(tap->name)) /* or it would be made, by one who may */
        return cause_set(cause, ST_NOENT,
                         "tap:%s: there is no such device (ip tuntap add dev %s mode tap user "
                         "USER makes one)",
                         tap->name, tap->name);
    int fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return cause_set(cause, errno == ENOENT ? ST_NOENT : ST_PERM, "tap:%s: " DEVICE ": %s",
                         tap->name, strerror(errno));
    memcpy(req.ifr_name, tap->name, IFNAMSIZ);
    if (ioctl(fd, TUNSETIFF, &req) == 0) {
        tap->fd = fd;
        return ST_OK;
    }
    int error = errno;
    close(fd);
    return cause_set(cause,
                     error == EBUSY    ? ST_BUSY
                     : error == EINVAL ? ST_INVAL
                                       : ST_PERM,
                     "tap:%s: %s%s", tap->name, strerror(error),
                     error == EINVAL ? "; it is no tap device, or one of several queues" : "");
}

/** A descriptor that whoever started us has opened. */
static int passed_take(struct tap *tap, const char *text, struct cause *cause)
{
    char *end;
    struct ifreq req = {0};
    long fd = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || fd > 0xffff)
        return cause_set(cause, ST_INVAL, "tap:fd=%s: not the number of a descriptor", text);
    if (ioctl((int)fd, TUNGETIFF, &req) < 0)
        return cause_set(cause, ST_INVAL, "tap:fd=%s: no tap device: %s", text,
                         strerror(errno));
    if (!(req.ifr_flags & IFF_TAP) || !(req.ifr_flags & IFF_NO_PI) ||
        req.ifr_flags & IFF_VNET_HDR)
        return cause_set(cause, ST_INVAL, "tap:fd=%s: %s is not a tap device without headers",
                         text, req.ifr_name);
    fcntl((int)fd, F_SETFL, fcntl((int)fd, F_GETFL) | O_NONBLOCK);
    fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    memcpy(tap->name, req.ifr_name, IFNAMSIZ);
    tap->passed = true;
    tap->fd = (int)fd;
    return ST_OK;
}

static int tap_open(struct uplink *up, const char *rest, struct cause *cause)
{
    struct tap *tap = calloc(1, sizeof *tap);
    if (!tap)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    up->own = tap;
    tap->fd = -1;
    if (*rest != ':' || !rest[1] || strlen(rest + 1) >= IFNAMSIZ || strpbrk(rest + 1, "/, "))
        return cause_set(cause, ST_INVAL, "tap%s: not tap:NAME or tap:fd=N", rest);
    snprintf(tap->name, sizeof tap->name, "%s", rest + 1);
    int rc =
        !strncmp(rest, ":fd=", 4) ? passed_take(tap, rest + 4, cause) : device_open(tap, cause);
    up->up = rc == ST_OK;
    return rc;
}

static void gone(struct uplink *up)
{
    struct tap *tap = up->own;
    close(tap->fd);
    tap->fd = -1;
    uplink_link(up, false, "");
}

static enum uplink_sent tap_output(struct uplink *up, const u8 *frame, size_t len)
{
    const struct tap *tap = up->own;
    if (tap->fd < 0 || write(tap->fd, frame, len) != (ssize_t)len)
        return UPLINK_DROPPED; /* it is down, or its queue is full */
    return UPLINK_SENT;
}

static u32 tap_fill(struct uplink *up)
{
    struct tap *tap = up->own;
    tap->at = tap->fd < 0 ? -1 : uplink_poll(up, tap->fd, POLLIN);
    return UPLINK_WAIT_MAX_MS;
}

static void come_back(struct uplink *up)
{
    struct cause why;
    if (device_open(up->own, &why) == ST_OK)
        uplink_link(up, true, "");
}

static void tap_work(struct uplink *up, bool failed)
{
    struct tap *tap = up->own;
    if (tap->fd < 0 && !tap->passed)
        come_back(up);
    if (failed || tap->at < 0 || !up->fd[tap->at].revents)
        return;
    for (unsigned i = 0; i < UPLINK_ROUND_FRAMES; i++) {
        ssize_t n = read(tap->fd, tap->frame, sizeof tap->frame);
        if (n < 0 && (errno == EAGAIN || errno == EINTR) &&
            !(up->fd[tap->at].revents & (POLLERR | POLLHUP)))
            return;
        if (n < 0) {
            gone(up);
            return;
        }
        lan_send(up->port, tap->frame, (size_t)n);
    }
}

static void tap_words(const struct uplink *up, char out[UPLINK_WORDS_MAX])
{
    const struct tap *tap = up->own;
    snprintf(out, UPLINK_WORDS_MAX, "tap device %s%s%s", tap->name,
             tap->passed ? " (passed descriptor)" : "", up->up ? "" : ", which has gone");
}

static void tap_close(struct uplink *up)
{
    struct tap *tap = up->own;
    if (tap && tap->fd >= 0)
        close(tap->fd);
    free(tap);
}

const struct uplink_kind uplink_tap = {tap_open, tap_output, tap_fill,
                                       tap_work, tap_words,  tap_close};
