/* Client of a member's control socket. Answers of a member are bounded; a member that sends
 * something else than JSON is an error, never a crash. */
#include "cli/rpc.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/control.h"

#define READ_BYTES 65536
#define ANSWER_BYTES_MAX (64u << 20)

struct rpc {
    char member[CONFIG_NAME_BYTES];
    int fd;
    pid_t pid;
    json_int_t last_id;
    char *buf;
    size_t len, room;
};

static int dial(const char *path, pid_t *pid)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct ucred cred;
    socklen_t n = sizeof cred;
    if (strlen(path) >= sizeof addr.sun_path)
        return -1;
    strcpy(addr.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) || cred.uid != geteuid()) {
        close(fd);
        return -1;
    }
    *pid = cred.pid;
    return fd;
}

struct rpc *rpc_open(const char *member, struct cause *cause)
{
    char path[RUNDIR_PATH_BYTES + 16];
    struct rundir_member who;
    if (rundir_file(member, "sock", path, cause))
        return NULL;
    struct rpc *rpc = calloc(1, sizeof *rpc);
    if (!rpc) {
        cause_set(cause, ST_NOMEM, "out of memory");
        return NULL;
    }
    snprintf(rpc->member, sizeof rpc->member, "%s", member);
    rpc->fd = dial(path, &rpc->pid);
    if (rpc->fd >= 0)
        return rpc;
    free(rpc);
    if (rundir_find(member, &who))
        cause_set(cause, ST_BUSY, "%s is starting or stopping (process %ld)", member,
                  (long)who.pid);
    else
        cause_set(cause, ST_NOENT, "%s is not running", member);
    return NULL;
}

void rpc_close(struct rpc *rpc)
{
    if (!rpc)
        return;
    close(rpc->fd);
    free(rpc->buf);
    free(rpc);
}

int rpc_fd(const struct rpc *rpc)
{
    return rpc->fd;
}

const char *rpc_member(const struct rpc *rpc)
{
    return rpc->member;
}

pid_t rpc_pid(const struct rpc *rpc)
{
    return rpc->pid;
}

json_int_t rpc_send(struct rpc *rpc, const char *method, json_t *params)
{
    json_int_t id = ++rpc->last_id;
    json_t *req = json_pack("{s:s, s:I, s:s, s:o*}", "jsonrpc", "2.0", "id", id, "method",
                            method, "params", params);
    char *text = req ? json_dumps(req, JSON_COMPACT) : NULL;
    size_t len = text ? strlen(text) : 0, at = 0;
    json_decref(req);
    if (text)
        text[len++] = '\n'; /* in place of the NUL */
    while (at < len) {
        ssize_t n = send(rpc->fd, text + at, len - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    free(text);
    return len && at == len ? id : 0;
}

/* One read into the buffer: 1, 0 at the end, -1. */
static int fill(struct rpc *rpc)
{
    if (rpc->room - rpc->len < READ_BYTES) {
        size_t room = rpc->room ? 2 * rpc->room : 2 * READ_BYTES;
        char *more = room <= ANSWER_BYTES_MAX ? realloc(rpc->buf, room) : NULL;
        if (!more)
            return -1;
        rpc->buf = more;
        rpc->room = room;
    }
    ssize_t n;
    do {
        n = recv(rpc->fd, rpc->buf + rpc->len, READ_BYTES, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        rpc->len += (size_t)n;
    return n > 0 ? 1 : (int)n;
}

static int wait_readable(const struct rpc *rpc, int timeout_ms)
{
    struct pollfd p = {.fd = rpc->fd, .events = POLLIN};
    int n = poll(&p, 1, timeout_ms);
    if (n < 0 && errno == EINTR)
        return ST_BUSY;
    return n > 0 ? ST_OK : n == 0 ? ST_TIMEOUT : ST_LOST;
}

bool rpc_has_line(const struct rpc *rpc)
{
    return rpc->len && memchr(rpc->buf, '\n', rpc->len);
}

static json_t *take_line(struct rpc *rpc, int *status)
{
    char *end = memchr(rpc->buf, '\n', rpc->len);
    size_t len = (size_t)(end - rpc->buf);
    json_error_t error;
    json_t *v = json_loadb(rpc->buf, len, 0, &error);
    rpc->len -= len + 1;
    memmove(rpc->buf, end + 1, rpc->len);
    *status = json_is_object(v) ? ST_OK : ST_PROTO;
    if (*status) {
        json_decref(v);
        v = NULL;
    }
    return v;
}

json_t *rpc_next(struct rpc *rpc, int timeout_ms, int *status)
{
    while (!rpc_has_line(rpc)) {
        *status = wait_readable(rpc, timeout_ms);
        if (*status == ST_BUSY)
            continue;
        if (*status)
            return NULL;
        if (fill(rpc) <= 0) {
            *status = ST_LOST;
            return NULL;
        }
    }
    return take_line(rpc, status);
}

int rpc_error(const json_t *answer, struct cause *cause)
{
    const json_t *error = json_object_get(answer, "error");
    json_int_t code = json_integer_value(json_object_get(error, "code"));
    const char *text = json_string_value(json_object_get(error, "message"));
    int status = code <= CONTROL_ERROR_STATUS && code > CONTROL_ERROR_STATUS - 100
                     ? (int)(code - CONTROL_ERROR_STATUS)
                     : ST_PROTO;
    return cause_set(cause, status, "%s", text ? text : "the member sent an error");
}

json_t *rpc_call(struct rpc *rpc, const char *method, json_t *params, struct cause *cause)
{
    int status = ST_LOST;
    json_int_t id = rpc_send(rpc, method, params);
    json_t *answer = NULL;
    while (id && (answer = rpc_next(rpc, -1, &status))) {
        if (json_integer_value(json_object_get(answer, "id")) == id)
            break;
        json_decref(answer);
    }
    if (!answer) {
        cause_set(cause, status, "%s: %s", rpc->member,
                  status == ST_LOST ? "the member has ended" : status_name(status));
        return NULL;
    }
    json_t *result = json_object_get(answer, "result");
    if (result)
        json_incref(result);
    else
        rpc_error(answer, cause);
    json_decref(answer);
    return result;
}

bool rpc_has_user(struct rpc *rpc, const char *userid)
{
    struct cause ignored;
    json_t *info = rpc_call(rpc, "console.info", json_pack("{s:s}", "user", userid), &ignored);
    bool yes = json_is_true(json_object_get(info, "logged_on"));
    json_decref(info);
    return yes;
}

/* ---- which member ---- */

static struct rpc *open_named(const char *member, struct cause *cause)
{
    char name[CONFIG_NAME_BYTES];
    if (rundir_name(member, name))
        return rpc_open(name, cause);
    cause_set(cause, ST_INVAL, "%.40s: not a member name", member);
    return NULL;
}

static void several(const struct rundir_member *list, unsigned n, const char *userid,
                    struct cause *cause)
{
    char names[RUNDIR_MEMBERS_MAX * CONFIG_NAME_BYTES + 1] = "";
    for (unsigned i = 0; i < n; i++) {
        strcat(names, " ");
        strcat(names, list[i].name);
    }
    if (userid)
        cause_set(cause, ST_INVAL,
                  "%s is not logged on at exactly one of the members that "
                  "run (%.200s): say which with -m",
                  userid, names + 1);
    else
        cause_set(cause, ST_INVAL, "several members run (%.200s): say which with -m",
                  names + 1);
}

struct rpc *rpc_choose(const char *member, const char *userid, struct cause *cause)
{
    struct rundir_member list[RUNDIR_MEMBERS_MAX];
    struct rpc *found = NULL;
    unsigned hits = 0;
    if (member)
        return open_named(member, cause);
    unsigned n = rundir_list(list, cause);
    if (n == 1)
        return rpc_open(list[0].name, cause);
    if (!n) {
        if (!cause->status)
            cause_set(cause, ST_NOENT, "no member is running");
        return NULL;
    }
    for (unsigned i = 0; userid && i < n; i++) {
        struct rpc *rpc = rpc_open(list[i].name, cause);
        if (rpc && rpc_has_user(rpc, userid) && !hits++)
            found = rpc;
        else
            rpc_close(rpc);
    }
    if (hits == 1)
        return found;
    rpc_close(found);
    several(list, n, userid, cause);
    return NULL;
}
