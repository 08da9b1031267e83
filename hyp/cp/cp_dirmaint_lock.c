/* Entries that somebody has taken out to change them: user.direct.locks has a line `entry owner`
 * for each. Read and replaced while the directory's own lock is held. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/cp/cp_dirmaint.h"

static void name_of(const struct dir_file *f, const char *suffix, char out[1100])
{
    snprintf(out, 1100, "%s.locks%s", f->path, suffix);
}

void dirm_lock_owner(const struct dir_file *f, const char *user, char out[DIR_NAME_BYTES])
{
    char name[1100], entry[DIR_NAME_BYTES], owner[DIR_NAME_BYTES];
    out[0] = 0;
    name_of(f, "", name);
    FILE *in = fopen(name, "re");
    while (in && fscanf(in, "%8s %8s", entry, owner) == 2)
        if (!strcmp(entry, user))
            strcpy(out, owner);
    if (in)
        fclose(in);
}

int dirm_lock_set(const struct dir_file *f, const char *user, const char *owner,
                  struct cause *cause)
{
    char name[1100], new[1100], entry[DIR_NAME_BYTES], other[DIR_NAME_BYTES];
    name_of(f, "", name);
    name_of(f, ".new", new);
    FILE *in = fopen(name, "re"), *out = fopen(new, "we");
    bool good = out != NULL;
    while (good && in && fscanf(in, "%8s %8s", entry, other) == 2)
        if (strcmp(entry, user) != 0)
            good = fprintf(out, "%s %s\n", entry, other) > 0;
    if (good && owner)
        good = fprintf(out, "%s %s\n", user, owner) > 0;
    good = good && !fflush(out) && !fsync(fileno(out));
    int error = errno;
    if (in)
        fclose(in);
    if (out)
        fclose(out);
    if (good && !rename(new, name))
        return ST_OK;
    return cause_set(cause, ST_IO, "%s: %s", name, strerror(good ? errno : error));
}
