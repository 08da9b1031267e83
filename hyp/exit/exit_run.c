/* One run of an exit, on its own thread: the programs of its entry points, one after the other, in
 * a process group each. What they write goes into a pipe; the first line of it is told, the rest
 * read and forgotten. A program that does not end in time is killed with its group, and what has
 * not worked counts as a failure: an exit that is out of order lets nobody through.
 * Source: posix_spawn(3), waitpid(2). */
#include "hyp/exit/exit_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_BYTES 4096 /* that are looked at */
#define LOOK_MS 2         /* between two looks whether it has ended */
#define ENVIRONMENT_MAX 512

extern char **environ;

/* A program that has been started. */
struct program {
    pid_t pid;
    int fd; /* its output; -1: that is closed */
    size_t len;
    char output[OUTPUT_BYTES];
};

static u64 now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

/* Facts go first: getenv finds them even if the member has such names in its own. */
static void environment(const struct exit_run *run, char *env[ENVIRONMENT_MAX])
{
    unsigned n = 0;
    for (unsigned i = 0; i < run->fact_count; i++)
        env[n++] = (char *)(uintptr_t)run->facts[i];
    for (char **e = environ; *e && n < ENVIRONMENT_MAX - 1; e++)
        env[n++] = *e;
    env[n] = NULL;
}

static int spawn(const struct exit_run *run, const char *path, int out, pid_t *pid)
{
    char *env[ENVIRONMENT_MAX], *argv[] = {(char *)(uintptr_t)path, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, usual;
    environment(run, env);
    sigemptyset(&none);
    sigfillset(&usual);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, 1);
    posix_spawn_file_actions_adddup2(&files, out, 2);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETPGROUP);
    int rc = posix_spawn(pid, path, &files, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

/* An errno value, or 0. */
static int start(const struct exit_run *run, const char *path, struct program *p)
{
    int fd[2];
    p->len = 0;
    p->fd = -1;
    if (pipe2(fd, O_CLOEXEC))
        return errno;
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    int rc = spawn(run, path, fd[1], &p->pid);
    close(fd[1]);
    if (rc)
        close(fd[0]);
    else
        p->fd = fd[0];
    return rc;
}

/* What is there of its output. False: there is none any more. */
static bool take_output(struct program *p)
{
    char rest[OUTPUT_BYTES] = "";
    for (;;) {
        bool room = p->len < sizeof p->output;
        ssize_t n = read(p->fd, room ? p->output + p->len : rest,
                         room ? sizeof p->output - p->len : sizeof rest);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        p->len += room ? (size_t)n : 0;
    }
}

static void wait_little(struct program *p)
{
    struct pollfd fd = {.fd = p->fd, .events = POLLIN};
    poll(&fd, p->fd >= 0, LOOK_MS); /* -1: it is just the time */
    if (p->fd < 0 || !(fd.revents & (POLLIN | POLLHUP | POLLERR)) || take_output(p))
        return;
    close(p->fd);
    p->fd = -1;
}

/* False: it was killed, as it had not ended at `deadline_ms`, or nobody wants to know. */
static bool wait_for(const struct exit_run *run, struct program *p, u64 deadline_ms,
                     int *status)
{
    bool in_time = true;
    pid_t pid;
    while ((pid = waitpid(p->pid, status, WNOHANG)) == 0) {
        in_time = now_ms() < deadline_ms && !atomic_load(&run->stop);
        if (!in_time) {
            kill(-p->pid, SIGKILL);
            waitpid(p->pid, status, 0);
            break;
        }
        wait_little(p);
    }
    if (p->fd >= 0) {
        take_output(p);
        close(p->fd);
    }
    return in_time;
}

/* The first line that says anything, printable. */
static void first_line(const struct program *p, char out[EXIT_TEXT_BYTES - EXIT_NAME_BYTES])
{
    size_t at = 0, n = 0;
    while (at < p->len && (p->output[at] == ' ' || p->output[at] == '\n'))
        at++;
    for (; at < p->len && p->output[at] != '\n' && n < EXIT_TEXT_BYTES - EXIT_NAME_BYTES - 2;
         at++, n++)
        out[n] = p->output[at] >= 0x20 && p->output[at] < 0x7f ? p->output[at] : '.';
    out[n] = 0;
}

static void judge(struct exit_run *run, const char *name, const struct program *p, int status)
{
    char line[EXIT_TEXT_BYTES - EXIT_NAME_BYTES];
    bool ended = WIFEXITED(status);
    int number = ended ? WEXITSTATUS(status) : WTERMSIG(status);
    if (ended && !number)
        return;
    run->result.verdict = ended && number <= EXIT_STATUS_MAX ? EXIT_REJECTED : EXIT_FAILED;
    first_line(p, line);
    if (run->result.verdict == EXIT_REJECTED && *line)
        snprintf(run->result.text, sizeof run->result.text, "%s: %s", name, line);
    else
        snprintf(run->result.text, sizeof run->result.text, "%s: %s %d%s%.80s", name,
                 ended ? "exit status" : "ended by signal", number, *line ? ": " : "", line);
}

static void run_one(struct exit_run *run, const char *name, u64 deadline_ms)
{
    char path[EXIT_FOLDER_BYTES + EXIT_NAME_BYTES];
    struct program p;
    int status = 0;
    snprintf(path, sizeof path, "%s/%s", run->folder, name);
    int rc = start(run, path, &p);
    if (rc) {
        run->result.verdict = EXIT_FAILED;
        snprintf(run->result.text, sizeof run->result.text, "%s: %s", name, strerror(rc));
    } else if (wait_for(run, &p, deadline_ms, &status)) {
        judge(run, name, &p, status);
    } else {
        run->result.verdict = EXIT_FAILED;
        snprintf(run->result.text, sizeof run->result.text, "%s: it has not ended in %u %s",
                 name, run->limit_ms >= 1000 ? run->limit_ms / 1000 : run->limit_ms,
                 run->limit_ms >= 1000 ? "seconds" : "ms");
    }
}

void exit_run_programs(struct exit_run *run)
{
    u64 deadline_ms = now_ms() + run->limit_ms;
    for (unsigned i = 0; i < run->count && run->result.verdict == EXIT_GO_ON; i++)
        run_one(run, run->name[i], deadline_ms);
}
