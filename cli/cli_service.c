/* endicott service apply: service for all members of a cluster, one after the other.
 *
 *   each member: wait for Stable -> evacuate -> SHUTDOWN -> command -> start -> wait -> return
 *
 * Guarantees: a member is not ended while a guest that can be elsewhere is logged on there; nothing
 * of a member is moved before every guest has a member that takes it, and what was moved goes back
 * when one cannot be; the next member is begun only when all that run are Stable and the last one
 * is joined again; after the first failure nothing more is done. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_member.h"
#include "cli/service.h"

#define SERVICE_USAGE                                                                          \
    "service apply DIR [--to PROGRAM] [--command CMD] [--evacuate CMD] [--only MEMBER...] [--stay]"
#define LOOK_MS 100
#define WAIT_S_DEFAULT 300
#define NO_ANSWER 1851 /* HCPATC1851E: return code of AT */

extern char **environ;
static volatile sig_atomic_t interrupted;

struct service {
    struct service_cluster c;
    const char *to, *command, *evacuate, *only[CLI_MANY_MAX + 1];
    bool json, stay;
    long wait_s;
    struct timespec begun;
    struct service_guest guests[SERVICE_GUESTS_MAX];
    unsigned guest_count;
};

/* --- telling -------------------------------------------------------------------------------- */

static double seconds_since(const struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - t->tv_sec) + (double)(now.tv_nsec - t->tv_nsec) / 1e9;
}

/* A line of progress: a member, what is done, and more about it. */
__attribute__((format(printf, 4, 5))) static void tell(const struct service *s,
                                                       const char *member, const char *step,
                                                       const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text[strcspn(text, "\n")] = 0;
    if (!s->json) {
        printf("%-8s  %-8s  %s\n", member, step, text);
    } else {
        json_t *row = json_pack("{s:s, s:s, s:s, s:f}", "member", member, "step", step, "text",
                                text, "seconds", seconds_since(&s->begun));
        json_dumpf(row, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        putchar('\n');
        json_decref(row);
    }
    fflush(stdout);
}

/* --- waiting -------------------------------------------------------------------------------- */

static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* Nobody on this host is left to say otherwise, or all say that it is so. */
static bool is_so(struct service *s, const char *member, bool joined)
{
    unsigned here = 0;
    for (unsigned i = 0; i < s->c.count; i++)
        here += s->c.member[i].here;
    if (!here)
        return !joined;
    return s->c.stable && service_find(&s->c, member)->joined == joined;
}

/* Until the member is joined (or is not any more), and all are Stable. */
static int await(struct service *s, const char *member, bool joined)
{
    struct timespec from;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (;;) {
        int status = service_look(&s->c);
        if (status)
            return status;
        if (is_so(s, member, joined))
            return EXIT_WELL;
        if (seconds_since(&from) > (double)s->wait_s)
            break;
        pause_ms(LOOK_MS);
    }
    tell(s, member, "failed", "the cluster is not Stable with %s %s within %ld s", member,
         joined ? "joined" : "gone", s->wait_s);
    return EXIT_TIMEOUT;
}

/* --- programs ------------------------------------------------------------------------------- */

/* Its exit status; 128 and more: it did not end by itself. */
static int run(char *const argv[])
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    int error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        fprintf(stderr, "endicott service: %s: %s\n", argv[0], strerror(error));
        return 127;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A command of the user's, by the shell, which is told what it is about. */
static int run_command(struct service *s, const char *command, const char *member,
                       const char *step)
{
    char *const argv[] = {"/bin/sh", "-c", (char *)(uintptr_t)command, NULL};
    setenv("ENDICOTT_MEMBER", member, 1);
    setenv("ENDICOTT_DIR", s->c.dir, 1);
    setenv("ENDICOTT_STEP", step, 1);
    fflush(stdout);
    int status = run(argv);
    if (status)
        tell(s, member, "failed", "%s: the command ended with status %d: %s", step, status,
             command);
    return status;
}

/* --- guests --------------------------------------------------------------------------------- */

static int guests_at(struct service *s, const char *member)
{
    struct cause cause = {0};
    int n = service_guests(&s->c, member, s->guests, &cause);
    s->guest_count = n < 0 ? 0 : (unsigned)n;
    if (n < 0)
        tell(s, member, "failed", "who is logged on: %s", cause.text);
    return n < 0 ? EXIT_INTERNAL : EXIT_WELL;
}

/* VMRELOCATE verb; well with the last line told of what is moved. */
static int relocate(struct service *s, const char *verb, const char *userid, const char *from,
                    const char *to, char **answer)
{
    char command[80];
    struct cause cause = {0};
    snprintf(command, sizeof command, "VMRELOCATE %s USER %s TO %s", verb, userid, to);
    int rc = service_cp(&s->c, from, command, answer, &cause);
    if (rc < 0)
        *answer = strdup(cause.text);
    return rc;
}

/* How many of them are to go there already. */
static unsigned load_of(const struct service *s, const char *member)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->guest_count; i++)
        n += !strcmp(s->guests[i].to, member);
    return n;
}

/* The members that may take it, those with the fewest of them first. */
static bool find_place(struct service *s, struct service_guest *g, const char *from)
{
    bool tried[CONFIG_SLOTS_MAX] = {false};
    char *answer = NULL;
    for (unsigned round = 0; round < s->c.count; round++) {
        struct service_member *best = NULL;
        for (unsigned i = 0; i < s->c.count; i++) {
            struct service_member *m = &s->c.member[i];
            if (!tried[i] && m->joined && strcmp(m->name, from) != 0 &&
                (!best || load_of(s, m->name) < load_of(s, best->name)))
                best = m;
        }
        if (!best)
            break;
        tried[best - s->c.member] = true;
        free(answer);
        if (!relocate(s, "TEST", g->userid, from, best->name, &answer)) {
            strcpy(g->to, best->name);
            free(answer);
            return true;
        }
        for (char *line, *rest = answer; (line = strsep(&rest, "\n"));)
            if (*line)
                tell(s, from, "evacuate", "%s", line);
    }
    free(answer);
    tell(s, from, "failed", "no member takes %s; nothing of %s has been moved", g->userid,
         from);
    return false;
}

static int move(struct service *s, const struct service_guest *g, const char *from,
                const char *to, const char *step)
{
    char *answer = NULL, *rest, *line, *last = NULL;
    int rc = relocate(s, "MOVE", g->userid, from, to, &answer);
    const char *where = step[0] == 'r' ? to : from;
    for (rest = answer; (line = strsep(&rest, "\n"));) {
        if (*line && rc)
            tell(s, where, "failed", "%s", line);
        last = *line ? line : last;
    }
    if (!rc)
        tell(s, where, step, "%s", last ? last : g->userid);
    free(answer);
    return rc ? EXIT_RELOCATION : EXIT_WELL;
}

/* Those that are elsewhere come back. */
static int bring_back(struct service *s, const char *member)
{
    int status = EXIT_WELL;
    for (unsigned i = 0; i < s->guest_count; i++) {
        struct service_guest *g = &s->guests[i];
        int one = g->moved ? move(s, g, g->to, member, "return") : EXIT_WELL;
        g->moved = g->moved && one;
        status = status ? status : one;
    }
    return status;
}

static int evacuate_by_command(struct service *s, const char *member)
{
    if (run_command(s, s->evacuate, member, "evacuate") || guests_at(s, member))
        return EXIT_RELOCATION;
    for (unsigned i = 0; i < s->guest_count; i++) {
        if (!s->guests[i].single)
            continue;
        tell(s, member, "failed", "%s is still logged on after: %s", s->guests[i].userid,
             s->evacuate);
        return EXIT_RELOCATION;
    }
    return EXIT_WELL;
}

/* All that can be elsewhere are; or everybody is where he was. */
static int evacuate(struct service *s, const char *member)
{
    int status = guests_at(s, member);
    if (status || s->evacuate)
        return status ? status : evacuate_by_command(s, member);
    for (unsigned i = 0; i < s->guest_count; i++)
        if (s->guests[i].single && !find_place(s, &s->guests[i], member))
            return EXIT_RELOCATION;
    for (unsigned i = 0; i < s->guest_count && !status; i++) {
        struct service_guest *g = &s->guests[i];
        if (g->single)
            status = move(s, g, member, g->to, "evacuate");
        g->moved = g->single && !status;
    }
    if (status)
        bring_back(s, member);
    return status;
}

/* Machines of IDENTITYs, which ended with the member, and had nobody at their console. */
static void log_on_again(struct service *s, const char *member)
{
    char command[64], *answer;
    struct cause cause = {0};
    for (unsigned i = 0; i < s->guest_count; i++) {
        const struct service_guest *g = &s->guests[i];
        if (g->single || !g->disconnected)
            continue;
        snprintf(command, sizeof command, "XAUTOLOG %s", g->userid);
        int rc = service_cp(&s->c, member, command, &answer, &cause);
        tell(s, member, "logon", "%s: %s", g->userid,
             rc < 0   ? cause.text
             : answer ? answer
                      : "");
        free(answer);
    }
}

/* --- one member ----------------------------------------------------------------------------- */

static int end_member(struct service *s, struct service_member *m)
{
    struct cause cause = {0};
    tell(s, m->name, "shutdown", "SHUTDOWN");
    if (m->here)
        return cli_stop_quietly(m->name);
    int rc = service_cp(&s->c, m->name, "SHUTDOWN", NULL, &cause);
    bool answered = rc >= 0 && rc != NO_ANSWER; /* the link may be lost before */
    return answered && rc ? EXIT_INTERNAL : EXIT_WELL;
}

static int start_member(struct service *s, const char *member, bool here)
{
    const char *program = s->to ? s->to : "/proc/self/exe";
    char *const argv[] = {(char *)(uintptr_t)program, "start", (char *)(uintptr_t)s->c.dir,
                          (char *)(uintptr_t)member, NULL};
    if (!here)
        return EXIT_WELL; /* the command has */
    tell(s, member, "start", "%s", s->to ? s->to : "as before");
    fflush(stdout);
    int status = run(argv);
    if (status)
        tell(s, member, "failed",
             "it does not start, status %d; its guests stay where they are", status);
    return status > EXIT_MISMATCH ? EXIT_INTERNAL : status;
}

static int restart(struct service *s, const char *member)
{
    struct service_member *m = service_find(&s->c, member);
    bool here = m->here;
    unsigned others = service_joined(&s->c) - 1;
    int status = end_member(s, m);
    if (status)
        tell(s, member, "failed", "it does not end");
    if (!status && others)
        status = await(s, member, false);
    if (!status && s->command && run_command(s, s->command, member, "command"))
        status = EXIT_INTERNAL;
    status = status ? status : start_member(s, member, here);
    return status ? status : await(s, member, true);
}

static void tell_level(struct service *s, const char *member)
{
    struct cause cause = {0};
    char *answer = NULL, *line;
    service_cp(&s->c, member, "QUERY CPLEVEL", &answer, &cause);
    line = answer ? strstr(answer, "Generated") : NULL;
    tell(s, member, "joined", "%s", line ? line : "");
    free(answer);
}

static int serve(struct service *s, const char *member)
{
    int status = await(s, member, true);
    status = status ? status : evacuate(s, member);
    status = status ? status : restart(s, member);
    if (status)
        return status;
    tell_level(s, member);
    log_on_again(s, member);
    if (s->stay)
        return EXIT_WELL;
    return s->evacuate
               ? run_command(s, s->evacuate, member, "return") ? EXIT_RELOCATION : EXIT_WELL
               : bring_back(s, member);
}

/* --- all of them ----------------------------------------------------------------------------- */

static bool chosen(const struct service *s, const char *member)
{
    for (unsigned i = 0; s->only[i]; i++)
        if (!strcasecmp(s->only[i], member))
            return true;
    return !s->only[0];
}

static int usage_error(const char *what, const char *about)
{
    fprintf(stderr, "endicott service: %s%s\nusage: endicott %s\n", about, what, SERVICE_USAGE);
    return EXIT_USAGE;
}

/* Is it clear what is to be done, before anything is? */
static int check(struct service *s)
{
    unsigned here = 0;
    int status = service_look(&s->c);
    if (status)
        return status;
    for (unsigned i = 0; s->only[i]; i++)
        if (!service_find(&s->c, s->only[i]))
            return usage_error(": not a member of this cluster", s->only[i]);
    for (unsigned i = 0; i < s->c.count; i++) {
        const struct service_member *m = &s->c.member[i];
        here += m->here;
        if (m->joined && !m->here && chosen(s, m->name) && !s->command)
            return usage_error(" runs on another host: --command has to start it there",
                               m->name);
    }
    if (!here)
        return usage_error(": no member of it runs on this host", s->c.dir);
    if (s->to && access(s->to, X_OK)) {
        fprintf(stderr, "endicott service: %s: %s\n", s->to, strerror(errno));
        return EXIT_USAGE;
    }
    return EXIT_WELL;
}

static int apply(struct service *s)
{
    char names[CONFIG_SLOTS_MAX][CONFIG_NAME_BYTES];
    unsigned count = 0, done = 0;
    int status = check(s);
    for (unsigned i = 0; i < s->c.count && !status; i++) {
        const struct service_member *m = &s->c.member[i];
        if (chosen(s, m->name) && m->joined)
            strcpy(names[count++], m->name);
        else if (chosen(s, m->name))
            tell(s, m->name, "skipped", "it is not joined");
    }
    while (done < count && !status && !interrupted) {
        status = serve(s, names[done]);
        done += !status;
    }
    if (done < count && !status) {
        tell(s, names[done], "failed", "interrupted; what comes here and behind is as it was");
        status = EXIT_INTERNAL;
    }
    if (count)
        tell(s, "*", status ? "failed" : "done", "%u of %u members", done, count);
    return status;
}

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

int cli_service(int argc, char **argv)
{
    static struct service s; /* with all guests */
    char dir[CONFIG_PATH_BYTES];
    const char *seconds = NULL;
    s = (struct service){.wait_s = WAIT_S_DEFAULT};
    const struct cli_option options[] = {
        {"to", "PROGRAM", "the members are started with this program from now on", &s.to, NULL},
        {"command", "CMD", "run while a member is ended (ENDICOTT_MEMBER, ENDICOTT_DIR)",
         &s.command, NULL},
        {"evacuate", "CMD", "run instead of VMRELOCATE; ENDICOTT_STEP is evacuate or return",
         &s.evacuate, NULL},
        {"only", "MEMBER...", "this member; else all that are joined, by slots", s.only, NULL},
        {"stay", NULL, "guests stay on the members that took them", NULL, &s.stay},
        {"timeout", "SECONDS", "for a member to end, to join, to be Stable (300)", &seconds,
         NULL},
        {"json", NULL, "progress as JSON, one object a line", NULL, &s.json},
        {NULL, NULL, NULL, NULL, NULL},
    };
    int first = cli_parse(argc, argv, SERVICE_USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (argc < 3 || !argv[1] || strcmp(argv[1], "apply") || !argv[2] || (argc > 3 && argv[3]))
        return usage_error(": expected apply and a folder", argv[1] ? argv[1] : "");
    if (seconds && (s.wait_s = strtol(seconds, NULL, 10)) <= 0)
        return usage_error(": not a number of seconds", seconds);
    if (!cli_folder("service", argv[2], dir))
        return EXIT_USAGE;
    s.c.dir = dir;
    clock_gettime(CLOCK_MONOTONIC, &s.begun);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    return apply(&s);
}
