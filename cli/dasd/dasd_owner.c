/* endicott dasd owner: the processes that have an image open, and how it is locked; and the system
 * that a CP volume is marked for (CPFMTXA OWNER of z/VM). The kernel tells of locks that go with
 * an open file in /proc/PID/fdinfo only; of others' processes, to root. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/dasd/dasd_tool.h"
#include "io/image/alloc_map.h"

#define COMMAND_BYTES 256

struct looking {
    const char *path;
    struct stat file;
    json_t *found;
    struct alloc_map map; /* of a CP volume; none while it cannot be read */
};

/** "WRITE" or "READ" of the lock that the descriptor has, or "". */
static void lock_of(long pid, const char *fd, char out[16])
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%ld/fdinfo/%.10s", pid, fd);
    FILE *f = fopen(path, "re");
    out[0] = 0;
    while (f && fgets(line, sizeof line, f))
        if (!out[0] || strcmp(out, "READ") == 0)
            sscanf(line, "lock: %*s %*s %*s %15s", out);
    if (f)
        fclose(f);
}

static void command_of(long pid, char out[COMMAND_BYTES])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(out, 1, COMMAND_BYTES - 1, f) : 0;
    if (f)
        fclose(f);
    while (n && !out[n - 1])
        n--;
    out[n] = 0;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)out[i] < ' ' ? ' ' : out[i];
}

/** Does the process have the file open with a lock? */
static void look_at(struct looking *l, long pid)
{
    char path[320], lock[16], command[COMMAND_BYTES];
    struct stat sb;
    snprintf(path, sizeof path, "/proc/%ld/fd", pid);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        snprintf(path, sizeof path, "/proc/%ld/fd/%s", pid, e->d_name);
        if (stat(path, &sb) || sb.st_dev != l->file.st_dev || sb.st_ino != l->file.st_ino)
            continue;
        lock_of(pid, e->d_name, lock);
        if (!lock[0])
            continue;
        command_of(pid, command);
        json_array_append_new(l->found,
                              json_pack("{s:I, s:b, s:s}", "pid", (json_int_t)pid, "writes",
                                        strcmp(lock, "WRITE") == 0, "command", command));
    }
    if (dir)
        closedir(dir);
}

static void look_everywhere(struct looking *l)
{
    DIR *dir = opendir("/proc");
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char *end;
        long pid = strtol(e->d_name, &end, 10);
        if (pid > 0 && !*end)
            look_at(l, pid);
    }
    if (dir)
        closedir(dir);
}

static void told(const struct looking *l, bool json)
{
    const struct alloc_map *m = &l->map;
    size_t i;
    json_t *one;
    if (json) {
        json_t *out =
            json_pack("{s:s, s:O, s:b, s:s, s:s}", "file", l->path, "owners", l->found,
                      "cpVolume", m->cp_volume, "cluster", m->cluster, "system", m->system);
        json_dumpf(out, stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(out);
        return;
    }
    if (!json_array_size(l->found))
        printf("%s: nobody\n", l->path);
    json_array_foreach(l->found, i, one)
    {
        printf("%s: %s by process %lld: %s\n", l->path,
               json_is_true(json_object_get(one, "writes")) ? "written" : "read",
               (long long)json_integer_value(json_object_get(one, "pid")),
               json_string_value(json_object_get(one, "command")));
    }
    if (m->cp_volume && !m->cluster[0] && !m->system[0])
        printf("%s: CP volume of no certain system\n", l->path);
    else if (m->cp_volume)
        printf("%s: CP volume of %s.%s\n", l->path, m->cluster[0] ? m->cluster : "NOSSI",
               m->system[0] ? m->system : "*");
}

/** --ssi and --system into the mark; what is not said stays. NULL, or what is wrong. */
static const char *mark(struct alloc_map *map, const struct dasd_options *o)
{
    const size_t max = ALLOC_OWNER_BYTES - 1;
    if (o->ssi && !dasd_name(o->ssi, strlen(o->ssi), max, map->cluster))
        return o->ssi;
    if (o->ssi && strcmp(map->cluster, "NOSSI") == 0)
        map->cluster[0] = 0;
    if (o->system && strcmp(o->system, "*") == 0)
        map->system[0] = 0;
    else if (o->system && !dasd_name(o->system, strlen(o->system), max, map->system))
        return o->system;
    return NULL;
}

/** 0, or an exit status. */
static int change(struct looking *l, const struct dasd_options *o)
{
    struct image *img;
    struct cause cause, why = {0};
    int rc = image_open(l->path, 0, &img, &cause);
    if (rc)
        return dasd_fail(rc, &cause);
    rc = alloc_map_read(img, &l->map, &why);
    if (rc == ST_OK && !l->map.cp_volume)
        rc = cause_set(&why, ST_INVAL, "it is no CP volume: endicott dasd alloc makes it one");
    const char *wrong = rc ? NULL : mark(&l->map, o);
    if (rc == ST_OK && !wrong)
        rc = alloc_map_write(img, &l->map, NULL, &why);
    if (rc)
        cause_set(&cause, rc, "%s: %s", l->path, why.text);
    rc = wrong ? ST_OK : dasd_written(img, rc, &cause);
    image_unref(img);
    if (wrong)
        return dasd_usage("a name has 1 to 8 characters", wrong);
    return rc ? dasd_fail(rc, &cause) : EXIT_WELL;
}

static void look_at_map(struct looking *l)
{
    struct image *img;
    struct cause ignored;
    if (image_open(l->path, IMAGE_READ_ONLY, &img, &ignored))
        return;
    (void)alloc_map_read(img, &l->map, &ignored);
    image_unref(img);
}

int dasd_owner(const char *const *operand, unsigned operands, const void *options)
{
    const struct dasd_options *o = options;
    struct cause cause;
    if (operands != 1)
        return dasd_usage("one file is needed", "owner");
    struct looking l = {.path = operand[0]};
    if (stat(l.path, &l.file))
        return dasd_fail(cause_set(&cause, ST_CONFIG, "%s: %s", l.path, strerror(errno)),
                         &cause);
    int status = o->ssi || o->system ? change(&l, o) : EXIT_WELL;
    if (status)
        return status;
    l.found = json_array();
    look_everywhere(&l);
    look_at_map(&l);
    told(&l, o->json);
    json_decref(l.found);
    return EXIT_WELL;
}
