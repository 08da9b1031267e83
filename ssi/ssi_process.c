/* Processes told apart (ssi_process.h), by boot_id, /proc/self/ns/pid and /proc/PID/stat. What is
 * said of another is said from evidence that it has ended, never from a lack of it. */
#include "ssi/ssi_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

u64 ssi_host_id(void)
{
    char id[64] = "";
    u64 hash = 0xcbf29ce484222325ull; /* FNV-1a */
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    bool got = file && fgets(id, sizeof id, file);
    if (file)
        fclose(file);
    if (!got && getrandom(id, sizeof id, 0) < 0) /* not to be told from other hosts: */
        memset(id, getpid() & 0xff, sizeof id);  /* nobody is ever buried on our word */
    const char *test =
        getenv("ENDICOTT_TEST_HOST"); /* tests/chaos: one host stands for several */
    for (; test && *test; test++)
        hash = (hash ^ (u8)*test) * 0x100000001b3ull;
    for (size_t i = 0; i < sizeof id; i++)
        hash = (hash ^ (u8)id[i]) * 0x100000001b3ull;
    return hash;
}

/* The namespaces of process numbers, and of the times since the host's start. */
static u64 space_here(void)
{
    struct stat pid, time;
    if (stat("/proc/self/ns/pid", &pid) < 0)
        return 0;
    u64 since = stat("/proc/self/ns/time", &time) == 0 ? (u64)time.st_ino : 0;
    return (u64)pid.st_ino << 32 | (since & 0xffffffff);
}

/* State, threads and start of a process; false: it cannot be looked at. */
static bool stat_read(u64 pid, char *state, long *threads, u64 *start)
{
    char path[48], text[1024] = "";
    unsigned long long began = 0;
    snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[n] = 0;
    const char *end = strrchr(text, ')'); /* of the name, which may have anything in it */
    int got = end ? sscanf(end + 1,
                           " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
                           "%*d %ld %*d %llu",
                           state, threads, &began)
                  : 0;
    *start = began;
    return got == 3;
}

void ssi_process_self(struct ssi_process *out)
{
    char state;
    long threads;
    *out = (struct ssi_process){
        .host_id = ssi_host_id(), .space = space_here(), .pid = (u64)getpid()};
    if (!stat_read(out->pid, &state, &threads, &out->start))
        out->space = 0; /* nobody can tell */
}

int ssi_process_here(const struct ssi_process *process)
{
    bool here = process->space && process->host_id == ssi_host_id() &&
                process->space == space_here() && process->pid - 1 < 0x7fffffff;
    return here ? (int)process->pid : -1;
}

bool ssi_process_gone(const struct ssi_process *process)
{
    int pid = ssi_process_here(process);
    char state;
    long threads;
    u64 start;
    if (pid < 0)
        return false;
    if (kill(pid, 0) < 0)
        return errno == ESRCH;
    if (!stat_read((u64)pid, &state, &threads, &start))
        return false;
    /* A process that has ended and was not waited for has closed its files. */
    return start != process->start || ((state == 'Z' || state == 'X') && threads <= 1);
}
