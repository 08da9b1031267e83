/* Files of the host that hardware files name: where they are, and whether they are there. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "hyp/config/config_internal.h"
#include "io/image/remote.h"

/* Where the name of another layer, or of a second file, begins. */
static const char *next_name(const char *file, const char **mark)
{
    static const char *const marks[] = {",shadow=", ",mirror="};
    const char *first = NULL;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        const char *at = strstr(file, marks[i]);
        if (!at || (first && at > first))
            continue;
        first = at;
        *mark = marks[i];
    }
    return first;
}

bool config_full_path(const char *dir, const char *file, char out[CONFIG_PATH_BYTES])
{
    const char *before = "", *mark = "";
    size_t at = 0;
    while (*file && at < CONFIG_PATH_BYTES) {
        const char *next = next_name(file, &mark);
        size_t len = next ? (size_t)(next - file) : strlen(file);
        bool whole = *file == '/' || remote_named(file);
        int n = snprintf(out + at, CONFIG_PATH_BYTES - at, "%s%s%s%.*s", before,
                         whole ? "" : dir, whole ? "" : "/", (int)len, file);
        at += n > 0 ? (size_t)n : 0;
        before = mark;
        file = next ? next + strlen(mark) : file + len;
    }
    return at < CONFIG_PATH_BYTES;
}

/* Only a file can be looked for, and a printer makes its own. */
static void check_file(const struct config_hardware *hw, const struct config_device *d,
                       const char *file, unsigned col, struct faults *faults)
{
    bool disk = d->type == 0x3390 || d->type == 0x9336;
    if (remote_named(file) || !access(file, F_OK))
        return;
    faults_add(faults, FAULT_WARNING, hw->path, d->line, col, "device %04X: %s: %s%s", d->devno,
               file, strerror(errno), disk ? "; the member does not start without it" : "");
}

static void check_device(const struct system_config *cfg, const struct config_device *d,
                         struct faults *faults)
{
    char path[CONFIG_PATH_BYTES], one[CONFIG_PATH_BYTES];
    const char *mark = "";
    if (!d->file[0] || config_is_output(d) || d->type == CONFIG_OSA ||
        !config_full_path(cfg->dir, d->file, path))
        return;
    unsigned k = 0;
    for (const char *file = path, *next; file; k++) {
        next = next_name(file, &mark);
        snprintf(one, sizeof one, "%.*s", next ? (int)(next - file) : (int)strlen(file), file);
        check_file(&cfg->hardware, d, one,
                   d->file_col[k < CONFIG_FILES_MAX ? k : CONFIG_FILES_MAX - 1], faults);
        file = next ? next + strlen(mark) : NULL;
    }
}

void config_check_files(const struct system_config *cfg, struct faults *faults)
{
    for (unsigned i = 0; i < cfg->hardware.device_count; i++)
        check_device(cfg, &cfg->hardware.devices[i], faults);
}
