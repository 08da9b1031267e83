/* endicott wait: until a line of a console matches. Without -m every running member is asked,
 * and a user that is relocated during the wait is found again where it arrives: line numbers
 * belong to the virtual machine, so that the wait goes on where it was. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/cli_member.h"

#define USAGE "wait [-m MEMBER] [-u USERID] --match REGEX [--since-start] [--timeout SECONDS]"
#define GUARD_MS 3000 /* beyond the members' own limit */

struct asked {
    struct rpc *rpc;
    bool present; /* the user was logged on there */
    json_int_t next;
};

struct wait {
    const char *match, *user;
    bool since_start, follow;
    double seconds;
    struct asked asked[RUNDIR_MEMBERS_MAX];
    unsigned count;
};

static void drop(struct asked *a)
{
    rpc_close(a->rpc);
    a->rpc = NULL;
    a->present = false;
}

static int open_members(struct wait *w, const char *member, struct cause *cause)
{
    struct rundir_member list[RUNDIR_MEMBERS_MAX];
    if (member) {
        w->asked[0].rpc = rpc_choose(member, NULL, cause);
        w->count = w->asked[0].rpc != NULL;
        return w->count ? ST_OK : cause->status;
    }
    unsigned n = rundir_list(list, cause);
    for (unsigned i = 0; i < n; i++) {
        struct rpc *rpc = rpc_open(list[i].name, cause);
        if (rpc)
            w->asked[w->count++].rpc = rpc;
    }
    if (w->count)
        return ST_OK;
    return n ? cause->status : cause_set(cause, ST_NOENT, "no member is running");
}

/* Where the user is, and how far its console has come. */
static int locate(struct wait *w, struct cause *cause)
{
    bool known = false;
    for (unsigned i = 0; i < w->count; i++) {
        struct asked *a = &w->asked[i];
        json_t *info =
            rpc_call(a->rpc, "console.info", json_pack("{s:s}", "user", w->user), cause);
        if (json_is_true(json_object_get(info, "known")))
            known = true;
        else
            drop(a);
        a->present = json_is_true(json_object_get(info, "logged_on"));
        a->next = json_integer_value(json_object_get(info, "next"));
        json_decref(info);
    }
    return known ? ST_OK : cause_set(cause, ST_NOENT, "%s is not in the CP directory", w->user);
}

static void ask(struct wait *w)
{
    json_int_t elsewhere = 0;
    for (unsigned i = 0; i < w->count; i++)
        if (w->asked[i].present && w->asked[i].next > elsewhere)
            elsewhere = w->asked[i].next;
    for (unsigned i = 0; i < w->count; i++) {
        struct asked *a = &w->asked[i];
        json_int_t from = w->since_start ? 0 : a->present ? a->next : elsewhere;
        if (a->rpc &&
            !rpc_send(a->rpc, "console.wait",
                      json_pack("{s:s, s:s, s:I, s:b, s:f}", "user", w->user, "match", w->match,
                                "from", from, "follow", w->follow, "timeout", w->seconds)))
            drop(a);
    }
}

static bool anybody(const struct wait *w, bool present_only)
{
    for (unsigned i = 0; i < w->count; i++)
        if (w->asked[i].rpc && (w->asked[i].present || !present_only))
            return true;
    return false;
}

static int ended(const struct wait *w, const char *why)
{
    fprintf(stderr, "endicott wait: %s %s\n", w->user, why);
    return EXIT_INTERNAL;
}

/* An answer: an exit status, or -1 to go on waiting. */
static int answered(struct wait *w, struct asked *a, json_t *answer)
{
    json_t *result = json_object_get(answer, "result");
    const char *line = json_string_value(json_object_get(result, "line"));
    struct cause cause;
    if (line) {
        cli_put_line(line);
        return EXIT_WELL;
    }
    if (result) {
        bool off = json_is_true(json_object_get(result, "logged_off"));
        drop(a);
        return anybody(w, true) ? -1 : ended(w, off ? "has logged off" : "has left the member");
    }
    int status = rpc_error(answer, &cause);
    drop(a);
    if (status == ST_TIMEOUT || status == ST_INVAL || !anybody(w, false))
        return cli_complain("wait", &cause);
    return -1;
}

static int read_one(struct wait *w, struct asked *a)
{
    int status, result = -1;
    do {
        json_t *answer = rpc_next(a->rpc, 0, &status);
        if (answer && json_object_get(answer, "id"))
            result = answered(w, a, answer);
        json_decref(answer);
    } while (result < 0 && a->rpc && rpc_has_line(a->rpc));
    if (result < 0 && a->rpc && (status == ST_LOST || status == ST_PROTO)) {
        bool was_here = a->present;
        drop(a);
        if (!anybody(w, false) || (was_here && !w->follow))
            result = ended(w, "cannot be watched: the member has ended");
    }
    return result;
}

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int poll_members(struct wait *w, long until)
{
    struct pollfd p[RUNDIR_MEMBERS_MAX];
    long left = until ? until - now_ms() : -1;
    for (unsigned i = 0; i < w->count; i++)
        p[i] = (struct pollfd){.fd = w->asked[i].rpc ? rpc_fd(w->asked[i].rpc) : -1,
                               .events = POLLIN};
    int n = poll(p, w->count, until ? (int)(left > 0 ? left : 0) : -1);
    if (n == 0) {
        fprintf(stderr, "endicott wait: no line of %s matched in time\n", w->user);
        return EXIT_TIMEOUT;
    }
    int result = -1;
    for (unsigned i = 0; i < w->count && n > 0 && result < 0; i++)
        if (p[i].revents)
            result = read_one(w, &w->asked[i]);
    return result;
}

static int run(struct wait *w, const char *member)
{
    struct cause cause = {0};
    long until = w->seconds > 0 ? now_ms() + (long)(w->seconds * 1000) + GUARD_MS : 0;
    if (open_members(w, member, &cause) || locate(w, &cause))
        return cli_complain("wait", &cause);
    ask(w);
    int result = anybody(w, false) ? -1 : ended(w, "cannot be watched: no member answers");
    while (result < 0)
        result = poll_members(w, until);
    return result;
}

int cli_wait(int argc, char **argv)
{
    struct wait w = {.user = "OPERATOR"};
    const char *member = NULL, *user = NULL, *timeout = NULL;
    char userid[CONFIG_NAME_BYTES];
    const struct cli_option options[] = {
        {"m", "MEMBER", "the member; all unless given", &member, NULL},
        {"u", "USERID", "whose console; the operator's unless given", &user, NULL},
        {"match", "REGEX", "extended regular expression", &w.match, NULL},
        {"since-start", NULL, "lines that are there already count, too", NULL, &w.since_start},
        {"timeout", "SECONDS", "give up after so long, with status 8", &timeout, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    char *end = "";
    int first = cli_parse(argc, argv, USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (timeout)
        w.seconds = strtod(timeout, &end);
    if (!w.match || (argc > 1 && argv[1]) || *end || (timeout && !(w.seconds > 0))) {
        fprintf(stderr, "usage: endicott %s\n", USAGE);
        return EXIT_USAGE;
    }
    if (user && !cli_userid("wait", user, userid))
        return EXIT_USAGE;
    if (user)
        w.user = userid;
    w.follow = !member;
    int status = run(&w, member);
    for (unsigned i = 0; i < w.count; i++)
        rpc_close(w.asked[i].rpc);
    return status;
}
