/* The directory that is online, and those before it: a session keeps the entry of its logon, so
 * that a directory stays as long as one of its entries is in use. It is that of the file here, or
 * one that came from another member (cp_directory_ssi.c). */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_directory.h"

/* Located by: cp->directories, the one online first. Created by put_online; destroyed there when
 * no session has an entry of it, or by cp_directory_fini. */
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

static void forget(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* Takes `text`, whatever comes of it. `from` "": it is the file's. */
static int put_online(struct cp *cp, char *text, const char *from,
                      const struct dir_versions *versions, struct cause *cause)
{
    struct cp_old_directory *new = calloc(1, sizeof *new);
    const char *name = *from ? "user.direct" : cp->directory_path;
    int status = new ? directory_parse(name, text, cp->config->member, &new->dir, cause)
                     : cause_set(cause, ST_NOMEM, "out of memory");
    if (status) {
        free(new);
        forget(text);
        return status;
    }
    new->next = cp->directories;
    cp->directories = new;
    cp->directory = new->dir;
    forget(cp->online.text);
    cp->online.text = text;
    cp->online.versions = *versions;
    snprintf(cp->online.from, sizeof cp->online.from, "%s", from);
    cp->online.by_hand = cp->online.yields = false;
    sweep(cp);
    return ST_OK;
}

/* A file that the history does not tell of was written by hand: a version without a number. */
static bool versions_of(const struct cp *cp, u64 digest, struct dir_versions *out)
{
    u64 online = cp->online.versions.now.generation;
    dir_file_versions(cp->directory_path, out);
    if (out->now.digest == digest)
        return false;
    out->now.digest = digest;
    out->now.generation = out->now.generation > online ? out->now.generation : online;
    return true;
}

int cp_directory_load(struct cp *cp, struct cause *cause)
{
    struct dir_stamp stamp;
    struct dir_versions versions;
    if (!dir_file_stamp(cp->directory_path, &stamp))
        return cause_set(cause, ST_IO, "%s: cannot be read", cp->directory_path);
    char *text = scan_file(cp->directory_path, cause);
    if (!text)
        return cause->status;
    bool by_hand = versions_of(cp, dir_text_digest(text), &versions);
    int status = put_online(cp, text, "", &versions, cause);
    if (status)
        return status;
    cp->online.by_hand = by_hand;
    note_stamp(cp, &stamp);
    return ST_OK;
}

int cp_directory_take(struct cp *cp, const char *text, const char *from,
                      const struct dir_versions *versions, struct cause *cause)
{
    char *copy = strdup(text);
    return copy ? put_online(cp, copy, from, versions, cause)
                : cause_set(cause, ST_NOMEM, "out of memory");
}

void cp_set_directory_file(struct cp *cp, const char *path)
{
    struct cause ignored; /* what the caller has read from it stays */
    snprintf(cp->directory_path, sizeof cp->directory_path, "%s", path);
    cp_directory_load(cp, &ignored);
}

void cp_directory_changed(struct cp *cp)
{
    cp->online.by_hand = versions_of(cp, cp->online.versions.now.digest, &cp->online.versions);
    cp_directory_tell_all(cp);
}

/* Not one that is older than what came from a member. */
static bool is_news(const struct cp *cp, struct dir_stamp *stamp)
{
    struct dir_versions versions;
    if (!cp->directory_path[0] || !dir_file_stamp(cp->directory_path, stamp) ||
        is_online(cp, stamp) || !dir_file_online(cp->directory_path, stamp))
        return false;
    dir_file_versions(cp->directory_path, &versions);
    return !cp->online.from[0] || versions.now.generation > cp->online.versions.now.generation;
}

void cp_directory_refresh(struct cp *cp)
{
    struct dir_stamp stamp;
    struct cause cause;
    u64 before = cp->online.versions.now.generation;
    if (!is_news(cp, &stamp))
        return;
    if (cp_directory_load(cp, &cause)) {
        cp_operator_tell(cp, "THE DIRECTORY IS NOT ONLINE: %s", cause.text);
        return;
    }
    cp_operator_tell(cp, "THE DIRECTORY HAS BEEN CHANGED, AND IS ONLINE");
    if (cp->online.versions.now.generation > before)
        cp_directory_tell_all(cp);
}

bool cp_directory_satellite(struct cp *cp, char of[CONFIG_NAME_BYTES])
{
    struct cause cause;
    if (!cp->online.from[0])
        return false;
    char *text = scan_file(cp->directory_path, &cause);
    if (text && dir_text_digest(text) == cp->online.versions.now.digest)
        cp->online.from[0] = 0; /* the file is seen by now */
    forget(text);
    snprintf(of, CONFIG_NAME_BYTES, "%s", cp->online.from);
    return *of;
}

const char *cp_directory_closed(struct cp *cp, char out[128])
{
    struct cp_cluster_member m;
    const char *mode = cp->cluster ? cp->cluster->mode(cp->cluster_ctx) : NULL;
    if (!mode || strcmp(mode, "Safe") != 0)
        return NULL;
    int n = snprintf(out, 128, "SSI cluster %s is in %s mode", cp->config->ssi_name, mode);
    for (unsigned i = 0; cp->cluster->member(cp->cluster_ctx, i, &m); i++)
        if (m.name[0] && !m.local && !m.reachable && strcmp(m.state, "Down") && n < 100)
            n += snprintf(out + n, 128 - (size_t)n, "; %s is %s", m.name, m.state);
    return out;
}

void cp_directory_fini(struct cp *cp)
{
    struct cp_old_directory *old;
    while ((old = cp->directories)) {
        cp->directories = old->next;
        directory_free(old->dir);
        free(old);
    }
    forget(cp->online.text);
    cp->online.text = NULL;
    cp_directory_ssi_fini(cp);
}
