/* The directory that is online, and those before it: a session keeps the entry of its logon, so
 * that a directory stays as long as one of its entries is in use. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/directory_edit.h"
#include "hyp/cp/cp_internal.h"

/* Located by: cp->directories, the one online first. Created by cp_directory_load; destroyed
 * there when no session has an entry of it, or by cp_directory_fini. */
struct cp_old_directory {
    struct cp_old_directory *next;
    struct directory *dir;
};

static void note_stamp(struct cp *cp, const struct dir_stamp *stamp)
{
    const u64 values[3] = {stamp->inode, stamp->size, stamp->mtime_ns};
    memcpy(cp->directory_stamp, values, sizeof values);
}

static bool is_online(const struct cp *cp, const struct dir_stamp *stamp)
{
    return cp->directory_stamp[0] == stamp->inode && cp->directory_stamp[1] == stamp->size &&
           cp->directory_stamp[2] == stamp->mtime_ns;
}

void cp_set_directory_file(struct cp *cp, const char *path)
{
    struct dir_stamp stamp;
    snprintf(cp->directory_path, sizeof cp->directory_path, "%s", path);
    if (dir_file_stamp(path, &stamp))
        note_stamp(cp, &stamp);
}

static bool in_use(const struct cp *cp, const struct directory *dir)
{
    for (const struct cp_user *u = cp->users; u; u = u->next)
        if (directory_find(dir, u->userid) == u->entry)
            return true;
    return false;
}

/* Those behind the first that nobody needs. */
static void sweep(struct cp *cp)
{
    struct cp_old_directory **link = &cp->directories->next;
    while (*link) {
        struct cp_old_directory *old = *link;
        if (in_use(cp, old->dir)) {
            link = &old->next;
            continue;
        }
        *link = old->next;
        directory_free(old->dir);
        free(old);
    }
}

int cp_directory_load(struct cp *cp, struct cause *cause)
{
    struct cp_old_directory *new = calloc(1, sizeof *new);
    struct dir_stamp stamp;
    if (!new || !dir_file_stamp(cp->directory_path, &stamp)) {
        free(new);
        return cause_set(cause, ST_IO, "%s: cannot be read", cp->directory_path);
    }
    int status = directory_load(cp->directory_path, cp->config->member, &new->dir, cause);
    if (status) {
        free(new);
        return status;
    }
    new->next = cp->directories;
    cp->directories = new;
    cp->directory = new->dir;
    note_stamp(cp, &stamp);
    sweep(cp);
    return ST_OK;
}

void cp_directory_refresh(struct cp *cp)
{
    struct dir_stamp stamp;
    struct cause cause;
    if (!cp->directory_path[0] || !dir_file_stamp(cp->directory_path, &stamp) ||
        is_online(cp, &stamp) || !dir_file_online(cp->directory_path, &stamp))
        return;
    if (cp_directory_load(cp, &cause))
        cp_operator_tell(cp, "THE DIRECTORY IS NOT ONLINE: %s", cause.text);
    else
        cp_operator_tell(cp, "THE DIRECTORY HAS BEEN CHANGED, AND IS ONLINE");
}

void cp_directory_fini(struct cp *cp)
{
    struct cp_old_directory *old;
    while ((old = cp->directories)) {
        cp->directories = old->next;
        directory_free(old->dir);
        free(old);
    }
}
