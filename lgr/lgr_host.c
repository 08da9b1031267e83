/* Memory of the host: /proc/meminfo, and the control group's limits of either version. */
#include "lgr/lgr_host.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_BYTES 8192
#define PATH_BYTES 512

static bool read_text(const char *path, char text[FILE_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, FILE_BYTES - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    return n > 0;
}

/* The number behind `name` at the begin of a line; 0 when it is not there. */
static u64 number_of(const char *text, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, name, len))
            return strtoull(line + len, NULL, 10);
    }
    return 0;
}

void lgr_host_meminfo(const char *text, struct lgr_room *out)
{
    *out = (struct lgr_room){.real_bytes = number_of(text, "MemTotal:") << 10,
                             .real_free_bytes = number_of(text, "MemAvailable:") << 10,
                             .paging_bytes = number_of(text, "SwapTotal:") << 10,
                             .paging_free_bytes = number_of(text, "SwapFree:") << 10};
}

void lgr_host_limit(u64 limit, u64 used, u64 cache, struct lgr_room *out)
{
    used = used > cache ? used - cache : 0;
    u64 left = limit > used ? limit - used : 0;
    if (limit == ~0ull)
        return;
    out->real_bytes = limit < out->real_bytes ? limit : out->real_bytes;
    out->real_free_bytes = left < out->real_free_bytes ? left : out->real_free_bytes;
}

/* Where the memory controller has this process: version 2 "0::/x", version 1 "4:memory:/x". */
static bool group_path(const char *text, bool unified, char path[PATH_BYTES])
{
    const char *mark = unified ? "\n0::" : ":memory:";
    const char *at = strstr(text, mark);
    if (!at)
        return false;
    at += strlen(mark);
    snprintf(path, PATH_BYTES, "/sys/fs/cgroup%s%.*s", unified ? "" : "/memory",
             (int)strcspn(at, "\n"), at);
    return true;
}

static u64 file_number(const char *folder, const char *name, u64 other)
{
    char path[PATH_BYTES + 64], text[FILE_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!read_text(path, text) || *text < '0' || *text > '9') /* "max" */
        return other;
    return strtoull(text, NULL, 10);
}

static void group_limit(const char *groups, bool unified, struct lgr_room *out)
{
    char folder[PATH_BYTES], path[PATH_BYTES + 64], text[FILE_BYTES];
    if (!group_path(groups, unified, folder))
        return;
    u64 limit = file_number(folder, unified ? "memory.max" : "memory.limit_in_bytes", ~0ull);
    u64 used = file_number(folder, unified ? "memory.current" : "memory.usage_in_bytes", 0);
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    u64 cache = read_text(path, text)
                    ? number_of(text, unified ? "inactive_file " : "total_inactive_file ")
                    : 0;
    lgr_host_limit(limit, used, cache, out);
}

void lgr_host_room(struct lgr_room *out)
{
    char text[FILE_BYTES], groups[FILE_BYTES + 1] = "\n";
    *out = (struct lgr_room){.real_bytes = ~0ull >> 1, .real_free_bytes = ~0ull >> 1};
    if (read_text("/proc/meminfo", text) && strstr(text, "MemAvailable:"))
        lgr_host_meminfo(text, out);
    if (!read_text("/proc/self/cgroup", text))
        return;
    memcpy(groups + 1, text, sizeof text);
    group_limit(groups, false, out);
    group_limit(groups, true, out);
}

unsigned lgr_host_processors(void)
{
    cpu_set_t set;
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
    return n > 1 ? (unsigned)n : 1;
}
