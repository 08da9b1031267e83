/* endicott start, endicott up: members as processes of their own. The child reports to the
 * parent when it is ready (joined), or why it is not; nothing waits by the clock. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_member.h"
#include "cli/member.h"
#include "cli/rundir.h"

#define START_USAGE                                                                            \
    "start DIR MEMBER [--repair] [--spool warm|force|cold|clean] [--foreground] [--while PID]"
#define UP_USAGE "up DIR [--while PID]"
#define WHILE_HELP "end when this process does, however it ends"
#define REPORT_BYTES 2048

bool cli_folder(const char *command, const char *dir, char out[CONFIG_PATH_BYTES])
{
    char path[PATH_MAX];
    if (!realpath(dir, path) || strlen(path) >= CONFIG_PATH_BYTES) {
        fprintf(stderr, "endicott %s: %s: %s\n", command, dir, strerror(errno));
        return false;
    }
    strcpy(out, path);
    return true;
}

/* ---- one member in the background ---- */

static int open_log(const char *member)
{
    char path[RUNDIR_PATH_BYTES + 16];
    struct cause cause;
    if (rundir_file(member, "log", path, &cause)) {
        fprintf(stderr, "endicott: %s\n", cause.text);
        return -1;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        fprintf(stderr, "endicott: %s: %s\n", path, strerror(errno));
    return fd;
}

static void child(const struct member_options *options, int log)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    setsid();
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    _exit(member_run(options));
}

/* What the child says about itself: an exit status and a text. */
static int read_report(int fd, char text[REPORT_BYTES])
{
    size_t n = 0;
    ssize_t got;
    int status = EXIT_INTERNAL, at = 0;
    while (n < REPORT_BYTES - 1 && ((got = read(fd, text + n, REPORT_BYTES - 1 - n)) > 0 ||
                                    (got < 0 && errno == EINTR)))
        n += got > 0 ? (size_t)got : 0;
    text[n] = 0;
    text[strcspn(text, "\n")] = 0;
    if (sscanf(text, "%d %n", &status, &at) == 1)
        memmove(text, text + at, strlen(text + at) + 1);
    else
        strcpy(text, "the process ended without a word; see its log");
    return status;
}

static int start_background(struct member_options *options)
{
    char text[REPORT_BYTES];
    int pipefd[2], log = open_log(options->member);
    if (log < 0 || pipe2(pipefd, O_CLOEXEC)) {
        if (log >= 0)
            close(log);
        return EXIT_RESOURCE;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(pipefd[0]);
        options->report_fd = pipefd[1];
        child(options, log);
    }
    close(pipefd[1]);
    close(log);
    int status = pid < 0 ? EXIT_RESOURCE : read_report(pipefd[0], text);
    if (pid < 0)
        snprintf(text, sizeof text, "no new process: %s", strerror(errno));
    close(pipefd[0]);
    if (status)
        fprintf(stderr, "endicott: %s: %s\n", options->member, text);
    else
        printf("%s is ready (process %ld)\n", options->member, (long)pid);
    if (status && pid > 0)
        waitpid(pid, NULL, 0); /* its end is under way */
    return status;
}

/* Of --while; false after complaining. */
static bool take_pid(const char *command, const char *text, long *pid)
{
    char *end = NULL;
    *pid = text ? strtol(text, &end, 10) : 0;
    if (!text || (*pid > 0 && *pid <= INT_MAX && !*end))
        return true;
    fprintf(stderr, "endicott %s: --while %s: not a process number\n", command, text);
    return false;
}

int cli_start(int argc, char **argv)
{
    bool repair = false, foreground = false;
    const char *process = NULL, *spool = "warm";
    enum spool_start spool_start;
    long pid;
    char dir[CONFIG_PATH_BYTES], member[CONFIG_NAME_BYTES];
    const struct cli_option options[] = {
        {"repair", NULL, "up alone and Isolated, if no other member is up", NULL, &repair},
        {"spool", "START",
         "what becomes of spool files: warm (they are there), force (without damaged ones), "
         "cold, clean (they are purged)",
         &spool, NULL},
        {"foreground", NULL, "stay, with the log on standard error", NULL, &foreground},
        {"while", "PID", WHILE_HELP, &process, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    int first = cli_parse(argc, argv, START_USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (argc < 3 || !argv[1] || !argv[2] || (argc > 3 && argv[3]) ||
        !rundir_name(argv[2], member)) {
        fprintf(stderr,
                "endicott start: a folder and a member are needed\nusage: endicott %s\n",
                START_USAGE);
        return EXIT_USAGE;
    }
    if (!spool_start_find(spool, &spool_start)) {
        fprintf(stderr, "endicott start: --spool %s: expected warm, force, cold or clean\n",
                spool);
        return EXIT_USAGE;
    }
    if (!take_pid("start", process, &pid) || !cli_folder("start", argv[1], dir))
        return EXIT_USAGE;
    struct member_options o = {.dir = dir,
                               .member = member,
                               .repair = repair,
                               .spool_start = spool_start,
                               .while_pid = pid,
                               .report_fd = -1};
    return foreground ? member_run(&o) : start_background(&o);
}

/* ---- every member of a folder ---- */

static bool has_hardware(const char *dir, const char *member)
{
    char path[CONFIG_PATH_BYTES + 32];
    snprintf(path, sizeof path, "%s/hardware/%s.cnf", dir, member);
    return access(path, F_OK) == 0;
}

/* The first hardware file by name: whose system.config we read to learn of the others. */
static bool any_member(const char *dir, char out[CONFIG_NAME_BYTES], unsigned *count)
{
    char path[CONFIG_PATH_BYTES + 16], name[CONFIG_NAME_BYTES];
    snprintf(path, sizeof path, "%s/hardware", dir);
    DIR *d = opendir(path);
    const struct dirent *e;
    *count = 0;
    while (d && (e = readdir(d))) {
        size_t n = strlen(e->d_name);
        if (n < 5 || n > 12 || strcmp(e->d_name + n - 4, ".cnf"))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(n - 4), e->d_name);
        if (!(*count)++ || strcmp(name, out) < 0)
            strcpy(out, name);
    }
    if (d)
        closedir(d);
    return *count > 0;
}

unsigned cli_members_of(const char *dir, char names[CONFIG_SLOTS_MAX][CONFIG_NAME_BYTES],
                        struct faults *faults, struct cause *cause)
{
    char first[CONFIG_NAME_BYTES] = "";
    struct system_config *config;
    unsigned count, n = 0;
    if (!any_member(dir, first, &count)) {
        cause_set(cause, ST_CONFIG, "%s: not a cluster: no hardware/MEMBER.cnf is there", dir);
        return 0;
    }
    if (faults)
        config = config_check(dir, first, faults);
    else if (config_load(dir, first, &config, cause))
        return 0;
    if (!config)
        return strcpy(names[0], first), 1;
    if (!config->in_ssi && (count == 1 || faults))
        strcpy(names[n++], first);
    else if (!config->in_ssi)
        cause_set(cause, ST_CONFIG,
                  "%s: %u systems that are not members of a cluster: start one of them", dir,
                  count);
    for (unsigned i = 0; config->in_ssi && i < CONFIG_SLOTS_MAX; i++)
        if (config->slots[i].member[0] && has_hardware(dir, config->slots[i].member))
            strcpy(names[n++], config->slots[i].member);
    config_free(config);
    return n;
}

static int up(const char *dir, long pid, char names[][CONFIG_NAME_BYTES], unsigned n)
{
    const char *started[CONFIG_SLOTS_MAX];
    unsigned count = 0;
    int status = EXIT_WELL;
    for (unsigned i = 0; i < n && !status; i++) {
        struct member_options o = {
            .dir = dir, .member = names[i], .while_pid = pid, .report_fd = -1};
        struct rundir_member who;
        if (rundir_find(names[i], &who) && !strcmp(who.dir, dir)) {
            printf("%s is running already (process %ld)\n", names[i], (long)who.pid);
            continue;
        }
        status = start_background(&o);
        if (!status)
            started[count++] = names[i];
    }
    if (status && count) {
        fprintf(stderr, "endicott up: not all members could be started; those that were are "
                        "stopped again\n");
        cli_stop_members(started, count, true);
    }
    return status;
}

int cli_up(int argc, char **argv)
{
    char dir[CONFIG_PATH_BYTES], names[CONFIG_SLOTS_MAX][CONFIG_NAME_BYTES];
    const char *process = NULL;
    long pid;
    const struct cli_option options[] = {{"while", "PID", WHILE_HELP, &process, NULL},
                                         {NULL, NULL, NULL, NULL, NULL}};
    struct cause cause = {0};
    int first = cli_parse(argc, argv, UP_USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (argc < 2 || !argv[1] || (argc > 2 && argv[2])) {
        fprintf(stderr, "endicott up: a cluster's folder is needed\nusage: endicott %s\n",
                UP_USAGE);
        return EXIT_USAGE;
    }
    if (!take_pid("up", process, &pid) || !cli_folder("up", argv[1], dir))
        return EXIT_USAGE;
    unsigned n = cli_members_of(dir, names, NULL, &cause);
    if (!n) {
        fprintf(stderr, "endicott up: %s\n", cause.text);
        return EXIT_USAGE;
    }
    return up(dir, pid, names, n);
}
