/* endicott capture: what goes over a virtual switch, as pcapng, to a file or to standard output for
 * `| tshark -i -`. Ends by SIGINT or SIGTERM, or when the member or the reader does. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_member.h"
#include "cli/rpc.h"

#define USAGE "capture [-m MEMBER] [options] VSWITCH"
#define COPY_BYTES (256u << 10)

struct capturing {
    const char *member, *file, *port, *userid, *mac;
    char vswitch[CONFIG_NAME_BYTES];
    char name[40], path[sizeof((struct sockaddr_un *)0)->sun_path];
    int listener, from, to, signals;
    unsigned long long bytes;
};

static int upper(const char *text, char *out, size_t room)
{
    size_t i = 0;
    for (; text[i] && i + 1 < room; i++)
        out[i] = (char)toupper((unsigned char)text[i]);
    out[i] = 0;
    return text[i] ? -1 : 0;
}

/* Where the member will connect to. */
static int reader_listen(struct capturing *c, struct cause *cause)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char folder[RUNDIR_PATH_BYTES];
    if (rundir_path(folder, cause))
        return cause->status;
    snprintf(c->name, sizeof c->name, "capture-%ld", (long)getpid());
    if (snprintf(c->path, sizeof c->path, "%s/%s", folder, c->name) >= (int)sizeof c->path)
        return cause_set(cause, ST_INVAL, "%s: too long", folder);
    strcpy(un.sun_path, c->path);
    unlink(c->path);
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->listener < 0 || bind(c->listener, (struct sockaddr *)&un, sizeof un) ||
        listen(c->listener, 1))
        return cause_set(cause, ST_IO, "%s: %s", c->path, strerror(errno));
    return ST_OK;
}

static void add(json_t *params, const char *name, const char *text)
{
    char word[64];
    if (text && upper(text, word, sizeof word) == 0)
        json_object_set_new(params, name, json_string(word));
    else if (text)
        json_object_set_new(params, name, json_string("?"));
}

static int ask(struct capturing *c, struct cause *cause)
{
    struct rpc *rpc = rpc_choose(c->member, NULL, cause);
    json_t *params = json_pack("{s:s, s:s}", "vswitch", c->vswitch, "socket", c->name);
    add(params, "port", c->port);
    add(params, "userid", c->userid);
    add(params, "mac", c->mac);
    if (!rpc) {
        json_decref(params);
        return cause->status;
    }
    json_t *answer = rpc_call(rpc, "net.capture", params, cause);
    rpc_close(rpc);
    if (!answer)
        return cause->status;
    json_decref(answer);
    c->from = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
    return c->from < 0 ? cause_set(cause, ST_IO, "%s: %s", c->path, strerror(errno)) : ST_OK;
}

static int write_all(struct capturing *c, const char *data, size_t len, struct cause *cause)
{
    while (len) {
        ssize_t n = write(c->to, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cause_set(cause, errno == EPIPE ? ST_LOST : ST_IO, "%s: %s",
                             c->file ? c->file : "standard output", strerror(errno));
        data += n;
        len -= (size_t)n;
        c->bytes += (size_t)n;
    }
    return ST_OK;
}

/* Until something ends. A reader that has gone is as good an end as a signal. */
static int copy(struct capturing *c, struct cause *cause)
{
    static char data[COPY_BYTES];
    for (;;) {
        struct pollfd fd[] = {{.fd = c->from, .events = POLLIN},
                              {.fd = c->signals, .events = POLLIN},
                              {.fd = c->to}};
        if (poll(fd, 3, -1) < 0 && errno != EINTR)
            return cause_set(cause, ST_IO, "poll: %s", strerror(errno));
        if (fd[1].revents || fd[2].revents & POLLERR)
            return ST_OK;
        if (!fd[0].revents)
            continue;
        ssize_t n = read(c->from, data, sizeof data);
        if (n <= 0)
            return cause_set(cause, ST_LOST, "the switch has gone, or its member has");
        int rc = write_all(c, data, (size_t)n, cause);
        if (rc)
            return rc == ST_LOST ? ST_OK : rc;
    }
}

static int out_open(struct capturing *c, struct cause *cause)
{
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGINT);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);
    signal(SIGPIPE, SIG_IGN);
    c->signals = signalfd(-1, &end, SFD_CLOEXEC);
    c->to =
        c->file ? open(c->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : STDOUT_FILENO;
    if (c->to < 0)
        return cause_set(cause, ST_IO, "%s: %s", c->file, strerror(errno));
    if (!c->file && isatty(STDOUT_FILENO))
        return cause_set(cause, ST_INVAL, "a capture is no text: -w FILE, or a pipe to tshark");
    return ST_OK;
}

int cli_capture(int argc, char **argv)
{
    struct capturing c = {.listener = -1, .from = -1, .to = -1};
    struct cause cause;
    const struct cli_option options[] = {
        {"m", "MEMBER", "the member", &c.member, NULL},
        {"w", "FILE", "where to; standard output unless given", &c.file, NULL},
        {"port", "NUMBER", "what this port of the switch sends and gets", &c.port, NULL},
        {"userid", "USERID", "what adapters of this user send and get", &c.userid, NULL},
        {"mac", "ADDRESS", "what this address sends or gets, as 02-00-00-00-00-01", &c.mac,
         NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    int first = cli_parse(argc, argv, USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (argc < 2 || !argv[1] || (argc > 2 && argv[2]) ||
        upper(argv[1], c.vswitch, sizeof c.vswitch)) {
        fprintf(stderr, "usage: endicott %s\n", USAGE);
        return EXIT_USAGE;
    }
    int rc = out_open(&c, &cause);
    rc = rc ? rc : reader_listen(&c, &cause);
    rc = rc ? rc : ask(&c, &cause);
    unlink(c.path);
    rc = rc ? rc : copy(&c, &cause);
    if (!rc)
        fprintf(stderr, "endicott capture: %llu bytes\n", c.bytes);
    return rc ? cli_complain("capture", &cause) : EXIT_WELL;
}
