/* Bytes as what clients of the control socket send: see member_world.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mem/base/ergo.h"
#include "tests/lib/member_world.h"

#define CLIENTS 2
#define ANSWER_BYTES_MAX (1u << 20)
#define ROUNDS 8
#define ROUNDS_MAX 10000

struct client {
    int fd;
    char *got;
    size_t len;
};

static void client_open(struct client *c, const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->len = 0;
    c->got = malloc(ANSWER_BYTES_MAX);
    ERGO(c->got && c->fd >= 0);
    ERGO(connect(c->fd, (const struct sockaddr *)&at, sizeof at) == 0);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

/* What there is; false: the member has closed. */
static bool client_read(struct client *c)
{
    ssize_t n = 0;
    while (c->len < ANSWER_BYTES_MAX &&
           (n = read(c->fd, c->got + c->len, ANSWER_BYTES_MAX - c->len)) > 0)
        c->len += (size_t)n;
    return c->len < ANSWER_BYTES_MAX && n < 0;
}

/* Whole lines, each one object of JSON-RPC. */
static void client_judge(const struct client *c)
{
    for (size_t at = 0; at < c->len;) {
        const char *line = c->got + at, *nl = memchr(line, '\n', c->len - at);
        if (!nl)
            return; /* it was cut off: the client read too late */
        json_t *object = json_loadb(line, (size_t)(nl - line), 0, NULL);
        POST(object && json_is_object(object));
        POST(!strcmp(json_string_value(json_object_get(object, "jsonrpc")), "2.0"));
        json_decref(object);
        at += (size_t)(nl - line) + 1;
    }
}

static void turns(struct member *m, struct client *clients)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        member_world_turn(m);
        for (unsigned k = 0; k < CLIENTS; k++)
            client_read(&clients[k]);
    }
}

static void client_end(struct member *m, struct client *c)
{
    shutdown(c->fd, SHUT_WR);
    for (unsigned i = 0; client_read(c); i++) {
        POST(i < ROUNDS_MAX);
        uv_run(&m->loop, UV_RUN_NOWAIT);
    }
    client_judge(c);
    close(c->fd);
    free(c->got);
}

void control_exec_run(const u8 *data, size_t size)
{
    struct member *m = member_world_create();
    struct client clients[CLIENTS];
    struct cause cause = {0};
    char path[64];
    const u8 *end = data + size;
    snprintf(path, sizeof path, "/tmp/control_exec.%d", (int)getpid());
    m->control = control_create(m, path, &cause);
    ERGO(m->control);
    for (unsigned i = 0; i < CLIENTS; i++)
        client_open(&clients[i], path);
    for (unsigned k = 0; data < end; k++) {
        const u8 *zero = memchr(data, 0, (size_t)(end - data));
        size_t len = (size_t)((zero ? zero : end) - data);
        if (len && send(clients[k % CLIENTS].fd, data, len, MSG_NOSIGNAL) > 0)
            turns(m, clients);
        data += len + 1;
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        client_end(m, &clients[i]);
    member_world_destroy(m);
}
