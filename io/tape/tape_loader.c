/* Volumes for tape drives (tape_loader.h). The names in a folder are read anew for each request,
 * so that volumes may come and go while a machine runs. */
#include "io/tape/tape_loader.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_MAX_BYTES 4096u

struct tape_loader {
    _Atomic unsigned refs;
    unsigned flags;
    u64 capacity;
    char *folder; /* with its slash, or nothing: the one where the program was started */
    char *only;   /* the only volume that is asked for, or NULL: all of the folder */
    char *last;   /* name of the file that was loaded last; NULL: none was */
    struct tape_file *volume;
};

struct tape_loader *tape_loader_ref(struct tape_loader *loader)
{
    loader->refs++;
    return loader;
}

void tape_loader_close(struct tape_loader *loader)
{
    if (!loader || --loader->refs)
        return;
    tape_loader_clear(loader);
    free(loader->folder);
    free(loader->only);
    free(loader->last);
    free(loader);
}

struct tape_file *tape_loader_volume(struct tape_loader *loader)
{
    return loader->volume;
}

void tape_loader_clear(struct tape_loader *loader)
{
    tape_file_close(loader->volume);
    loader->volume = NULL;
}

static int load(struct tape_loader *loader, const char *name, struct cause *cause)
{
    char path[PATH_MAX_BYTES];
    struct tape_file *t;
    if ((size_t)snprintf(path, sizeof path, "%s%s", loader->folder, name) >= sizeof path)
        return cause_set(cause, ST_CONFIG, "%s: its name is too long", name);
    int rc = tape_file_open(path, loader->flags | tape_file_flags_of(path), &t, cause);
    if (rc)
        return rc;
    char *last = strdup(name);
    if (!last) {
        tape_file_close(t);
        return cause_set(cause, ST_NOMEM, "%s: no memory", path);
    }
    tape_file_set_capacity(t, loader->capacity);
    tape_loader_clear(loader);
    free(loader->last);
    loader->last = last;
    loader->volume = t;
    return ST_OK;
}

static int is_volume(const struct dirent *d)
{
    return d->d_name[0] != '.' && d->d_type != DT_DIR;
}

/* As bytes: the same order under every locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The files that are volumes of this loader. */
static int names_read(const struct tape_loader *loader, struct dirent ***names,
                      struct cause *cause)
{
    int n = scandir(loader->folder[0] ? loader->folder : ".", names, is_volume, by_name);
    if (n < 0)
        cause_set(cause, ST_IO, "%s: cannot be read", loader->folder);
    return n;
}

static void names_free(struct dirent **names, int n)
{
    while (n > 0)
        free(names[--n]);
    free(names);
}

int tape_loader_next(struct tape_loader *loader, struct cause *cause)
{
    struct dirent **names;
    int n = names_read(loader, &names, cause);
    if (n < 0)
        return ST_IO;
    int rc = cause_set(cause, ST_NOENT, "%s: no further volume", loader->folder);
    for (int i = 0; i < n && rc; i++) {
        const char *name = names[i]->d_name;
        if ((loader->last && strcmp(name, loader->last) <= 0) ||
            (loader->only && strcmp(name, loader->only) != 0))
            continue;
        rc = load(loader, name, cause);
    }
    names_free(names, n);
    return rc ? ST_NOENT : ST_OK;
}

static bool is_called(const char *file, const char *name)
{
    const char *dot = strrchr(file, '.');
    size_t len = dot ? (size_t)(dot - file) : strlen(file);
    return len == strlen(name) && strncasecmp(file, name, len) == 0;
}

int tape_loader_named(struct tape_loader *loader, const char *name, struct cause *cause)
{
    struct dirent **names;
    int n = names_read(loader, &names, cause);
    if (n < 0)
        return ST_IO;
    int rc = cause_set(cause, ST_NOENT, "%s: no volume %s", loader->folder, name);
    for (int i = 0; i < n; i++)
        if (is_called(names[i]->d_name, name) &&
            (!loader->only || strcmp(names[i]->d_name, loader->only) == 0)) {
            rc = load(loader, names[i]->d_name, cause);
            break;
        }
    names_free(names, n);
    return rc;
}

static struct tape_loader *loader_new(const char *path, bool folder)
{
    struct tape_loader *loader = calloc(1, sizeof *loader);
    const char *slash = strrchr(path, '/');
    if (!loader)
        return NULL;
    loader->refs = 1;
    if (folder) {
        if (asprintf(&loader->folder, "%s/", path) < 0)
            loader->folder = NULL;
    } else {
        loader->folder = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
        loader->only = strdup(slash ? slash + 1 : path);
    }
    if (loader->folder && (folder || loader->only))
        return loader;
    tape_loader_close(loader);
    return NULL;
}

int tape_loader_open(const char *path, unsigned flags, u64 capacity, struct tape_loader **out,
                     struct cause *cause)
{
    struct stat sb;
    bool folder = stat(path, &sb) == 0 && S_ISDIR(sb.st_mode);
    struct tape_loader *loader = loader_new(path, folder);
    if (!loader)
        return cause_set(cause, ST_NOMEM, "%s: no memory", path);
    loader->flags = flags;
    loader->capacity = capacity;
    int rc = folder ? tape_loader_next(loader, cause) : load(loader, loader->only, cause);
    if (rc == ST_NOENT && folder)
        rc = ST_OK; /* an empty drive */
    if (rc) {
        tape_loader_close(loader);
        return rc;
    }
    *out = loader;
    return ST_OK;
}
