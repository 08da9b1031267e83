/* endicott stop, endicott status. Stopping waits for the end of the processes, by pidfd. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_member.h"

#define STOP_USAGE "stop DIR | MEMBER"
#define STATUS_USAGE "status [--json]"
#define STOP_SLACK_S 60 /* beyond the time that guests are given */

int cli_complain(const char *command, const struct cause *cause)
{
    fprintf(stderr, "endicott %s: %s\n", command, cause->text);
    return cause->status == ST_NOENT ? EXIT_INTERNAL : cli_exit_of(cause->status);
}

bool cli_userid(const char *command, const char *text, char out[CONFIG_NAME_BYTES])
{
    if (rpc_userid(text, out))
        return true;
    fprintf(stderr, "endicott %s: %s: not a user id\n", command, text);
    return false;
}

char *cli_join(char **words)
{
    size_t len = 0;
    for (char **w = words; *w; w++)
        len += strlen(*w) + 1;
    char *text = len ? malloc(len) : NULL, *p = text;
    for (char **w = words; text && *w; w++)
        p += sprintf(p, "%s%s", *w, w[1] ? " " : "");
    return text;
}

void cli_put_line(const char *text)
{
    size_t n = strlen(text);
    fputs(text, stdout);
    if (!n || text[n - 1] != '\n')
        putchar('\n');
}

/* ---- stop ---- */

struct stopping {
    const char *name;
    pid_t pid;
    int pidfd;
    long grace_s;
};

/* Ask one member to stop. Not running any more is well. */
static int ask(struct stopping *s, bool immediate)
{
    struct rundir_member who;
    struct cause cause;
    s->pidfd = -1;
    if (!rundir_find(s->name, &who))
        return EXIT_WELL;
    s->pid = who.pid;
    s->pidfd = (int)syscall(SYS_pidfd_open, who.pid, 0);
    s->grace_s = STOP_SLACK_S;
    struct rpc *rpc = rpc_open(s->name, &cause);
    json_t *answer = rpc ? rpc_call(rpc, "member.shutdown",
                                    json_pack("{s:b}", "immediate", immediate), &cause)
                         : NULL;
    s->grace_s += (long)json_integer_value(json_object_get(answer, "grace_seconds"));
    if (!answer && cause.status == ST_BUSY) /* not ready yet, or ending already */
        kill(who.pid, SIGTERM);
    json_decref(answer);
    rpc_close(rpc);
    return EXIT_WELL;
}

static int await(struct stopping *s, bool quiet)
{
    struct pollfd p = {.fd = s->pidfd, .events = POLLIN};
    int n;
    if (s->pidfd < 0)
        return EXIT_WELL;
    do {
        n = poll(&p, 1, (int)s->grace_s * 1000);
    } while (n < 0 && errno == EINTR);
    close(s->pidfd);
    if (n > 0) {
        if (!quiet)
            printf("%s has ended\n", s->name);
        return EXIT_WELL;
    }
    fprintf(stderr, "endicott stop: %s (process %ld) has not ended in %ld seconds\n", s->name,
            (long)s->pid, s->grace_s);
    return EXIT_TIMEOUT;
}

int cli_stop_members(const char *const *names, unsigned count, bool immediate)
{
    struct stopping s[RUNDIR_MEMBERS_MAX];
    int status = EXIT_WELL;
    for (unsigned i = 0; i < count; i++) {
        s[i] = (struct stopping){.name = names[i]};
        ask(&s[i], immediate);
    }
    for (unsigned i = 0; i < count; i++) {
        int one = await(&s[i], false);
        status = status ? status : one;
    }
    return status;
}

int cli_stop_quietly(const char *name)
{
    struct stopping s = {.name = name};
    ask(&s, false);
    return await(&s, true);
}

static int stop_folder(const char *dir)
{
    struct rundir_member list[RUNDIR_MEMBERS_MAX];
    const char *names[RUNDIR_MEMBERS_MAX];
    char path[CONFIG_PATH_BYTES];
    struct cause cause;
    unsigned n, count = 0;
    if (!cli_folder("stop", dir, path))
        return EXIT_USAGE;
    n = rundir_list(list, &cause);
    if (!n && cause.status)
        return cli_complain("stop", &cause);
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(list[i].dir, path))
            names[count++] = list[i].name;
    if (!count)
        fprintf(stderr, "endicott stop: no member of %s is running\n", path);
    return cli_stop_members(names, count, false);
}

static bool is_folder(const char *text)
{
    struct stat st;
    return strchr(text, '/') || (stat(text, &st) == 0 && S_ISDIR(st.st_mode));
}

int cli_stop(int argc, char **argv)
{
    bool now = false;
    const struct cli_option options[] = {
        {"immediate", NULL, "do not let the guests shut down first", NULL, &now},
        {NULL, NULL, NULL, NULL, NULL},
    };
    struct rundir_member who;
    char name[CONFIG_NAME_BYTES];
    int first = cli_parse(argc, argv, STOP_USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (argc < 2 || !argv[1] || (argc > 2 && argv[2])) {
        fprintf(stderr, "endicott stop: a folder or a member is needed\nusage: endicott %s\n",
                STOP_USAGE);
        return EXIT_USAGE;
    }
    if (rundir_name(argv[1], name) && rundir_find(name, &who))
        return cli_stop_members(&(const char *){name}, 1, now);
    if (is_folder(argv[1]))
        return stop_folder(argv[1]);
    fprintf(stderr, "endicott stop: %s is not running\n", argv[1]);
    return EXIT_INTERNAL;
}

/* ---- status ---- */

/* What a member says of itself, or what is known of one that does not answer (yet). */
static json_t *status_of(const struct rundir_member *who)
{
    struct cause cause;
    struct rpc *rpc = rpc_open(who->name, &cause);
    json_t *row = rpc ? rpc_call(rpc, "member.status", NULL, &cause) : NULL;
    rpc_close(rpc);
    if (row)
        return row;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "member", who->name, "phase",
                     "starting", "cluster", "", "state", "", "mode", "", "users", 0, "pid",
                     (int)who->pid, "folder", who->dir);
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text && *text ? text : "-";
}

static void print_rows(const json_t *rows)
{
    size_t i;
    const json_t *row;
    printf("%-8s  %-8s  %-8s  %-10s  %-8s  %5s  %7s  %s\n", "MEMBER", "PHASE", "CLUSTER",
           "STATE", "MODE", "USERS", "PROCESS", "FOLDER");
    json_array_foreach((json_t *)(uintptr_t)rows, i, row)
        printf("%-8s  %-8s  %-8s  %-10s  %-8s  %5d  %7d  %s\n", text_of(row, "member"),
               text_of(row, "phase"), text_of(row, "cluster"), text_of(row, "state"),
               text_of(row, "mode"), (int)json_integer_value(json_object_get(row, "users")),
               (int)json_integer_value(json_object_get(row, "pid")), text_of(row, "folder"));
}

int cli_status(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {
        {"json", NULL, "as JSON", NULL, &json},
        {NULL, NULL, NULL, NULL, NULL},
    };
    struct rundir_member list[RUNDIR_MEMBERS_MAX];
    struct cause cause;
    int first = cli_parse(argc, argv, STATUS_USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    unsigned n = rundir_list(list, &cause);
    if (!n && cause.status)
        return cli_complain("status", &cause);
    json_t *rows = json_array();
    for (unsigned i = 0; i < n; i++)
        json_array_append_new(rows, status_of(&list[i]));
    if (json) {
        json_dumpf(rows, stdout, JSON_INDENT(1));
        putchar('\n');
    } else if (n) {
        print_rows(rows);
    } else {
        printf("no member is running\n");
    }
    json_decref(rows);
    return EXIT_WELL;
}
