/* The spool of a cluster: each member keeps the files that are made there in its folder, and sees
 * the folders of all. What is on disk is the truth; a member's list of files is what it saw there.
 * [C1] The file in the folder is the authority: it is changed under its lock (spool_lock.c) by
 * whichever member a command was given on.
 * [C2] Who changes a file tells the others, who read it again. What was not told is seen at the
 * next look, which each command begins with, because the folder has another time then.
 * [C3] Files in the folder of a member that may run and cannot be reached are shown, and neither
 * changed nor opened. Those of one that is down are everybody's.
 * [C4] What a member writes, closes after a crash, purges by COLD or CLEAN, and accounts as space
 * is its own folder alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hyp/spool/spool_internal.h"
#include "mem/base/log.h"

#define SETTLED_NS                                                                             \
    1000000000ull /* a time this long ago: what comes now shows by another time */

int spool_reached(const struct spool *spool, const struct spool_file *f, struct cause *cause)
{
    const char *member = spool->home[f->home].member;
    if (!f->home ||
        (spool->cluster && spool->cluster->reach(spool->cluster->ctx, member) == SPOOL_REACHED))
        return ST_OK;
    return cause_set(cause, ST_REFUSED, "spool file %04u is %s's, which cannot be reached",
                     f->desc.id, member);
}

unsigned spool_home_of(const struct spool *spool, const char *member)
{
    for (unsigned i = 0; i < spool->homes; i++)
        if (!strcmp(spool->home[i].member, member))
            return i;
    return SPOOL_HOMES_MAX;
}

struct spool_file *spool_at(const struct spool *spool, unsigned home, u64 serial)
{
    struct spool_file *f = spool->first;
    while (f && (f->home != home || f->serial != serial))
        f = f->next;
    return f;
}

struct spool_file *spool_by_serial(const struct spool *spool, const char *member, u64 serial)
{
    unsigned home = spool_home_of(spool, member);
    return home < SPOOL_HOMES_MAX ? spool_at(spool, home, serial) : NULL;
}

void spool_changed(const struct spool *spool, unsigned home, u64 serial)
{
    if (spool->cluster && spool->homes)
        spool->cluster->changed(spool->cluster->ctx, spool->home[home].member, serial);
}

void spool_sent(struct spool *spool, const char *owner, u16 id, enum spool_queue from, u16 was)
{
    const struct spool_file *f = spool_find(spool, owner, id);
    if (f && spool->cluster && spool->homes)
        spool->cluster->sent(spool->cluster->ctx, spool->home[f->home].member, f->serial, from,
                             was);
}

/* ---- which folders ---- */

#define TOKEN_NAME ".token"

static bool token_path(const struct spool *spool, const char *member, struct spool_path *out)
{
    const char *last = strrchr(spool->folder, '/');
    int root = last ? (int)(last - spool->folder) : 0;
    int n = snprintf(out->text, sizeof out->text, "%.*s/%s/" TOKEN_NAME, root, spool->folder,
                     member);
    return last && n < (int)sizeof out->text;
}

u64 spool_token(struct spool *spool)
{
    struct spool_path path = {""};
    if (!spool->homes || spool->token || !token_path(spool, spool->home[0].member, &path))
        return spool->token;
    FILE *f = fopen(path.text, "we");
    if (getentropy(&spool->token, sizeof spool->token))
        spool->token = 0;
    if (!f || fwrite(&spool->token, sizeof spool->token, 1, f) != 1)
        log_line("%s: %s", path.text, strerror(errno));
    if (f && fclose(f))
        log_line("%s: %s", path.text, strerror(errno));
    return spool->token;
}

bool spool_beside(const struct spool *spool, const char *member, u64 token)
{
    struct spool_path path = {""};
    u64 found = 0;
    if (!spool->homes || !token)
        return !spool->homes && !token;
    FILE *f = token_path(spool, member, &path) ? fopen(path.text, "re") : NULL;
    bool good = f && fread(&found, sizeof found, 1, f) == 1 && found == token;
    if (f)
        fclose(f);
    return good;
}

/* ---- one file ---- */

static void hide(const struct spool *spool, struct spool_file *f)
{
    f->hidden = f->home && spool->cluster &&
                spool->cluster->per_member(spool->cluster->ctx, f->desc.owner);
}

/* Out of the queue of its owner's readers. False: it is being read. */
static bool leave_reader(struct spool *spool, struct spool_file *f)
{
    struct reader *reader = f->number ? spool_reader(spool, f->desc.owner, 0) : NULL;
    if (reader && !reader_remove(reader, f->number))
        return false;
    f->number = 0;
    return true;
}

static void came(struct spool *spool, struct spool_file *f)
{
    hide(spool, f);
    if (!f->home)
        spool_space_have(&spool->space, &f->space, spool_disk_pages(spool, f));
    spool_insert(spool, f);
    spool_file_deliver(spool, f);
}

/* Another member has purged it, or read it to its end. */
static void went(struct spool *spool, struct spool_file *f)
{
    if (f->desc.open)
        return; /* nobody else may: it goes when it has been read here */
    leave_reader(spool, f);
    spool_take_out(spool, f);
    spool_file_free(spool, f);
}

/* What the description says now. */
static void became(struct spool *spool, struct spool_file *f, const struct spool_file *now)
{
    bool moved = strcmp(f->desc.owner, now->desc.owner) || f->desc.queue != now->desc.queue;
    bool placed = f->order != now->order, open = f->desc.open;
    if (moved && !leave_reader(spool, f))
        return;
    f->desc = now->desc;
    f->desc.open = open;
    f->order = now->order;
    f->version = now->version;
    hide(spool, f);
    if (placed) {
        spool_take_out(spool, f);
        spool_insert(spool, f);
    }
    struct reader *reader = f->number ? spool_reader(spool, f->desc.owner, 0) : NULL;
    if (reader && placed && spool->first == f)
        reader_order(reader, f->number);
    spool_file_shown(spool, f);
    spool_file_deliver(spool, f);
}

void spool_refresh(struct spool *spool, unsigned home, u64 serial)
{
    struct cause cause = {0};
    struct spool_file *f = spool_at(spool, home, serial);
    if (f && f->version == spool_disk_version(spool, home, serial))
        return;
    struct spool_file *now = spool_disk_meta(spool, home, serial, &cause);
    if (!now && cause.status != ST_NOENT) {
        log_line("spool: %s", cause.text);
        return;
    }
    if (f && (!now || f->desc.created_ns != now->desc.created_ns)) {
        went(spool, f);
        f = spool_at(spool, home, serial);
    }
    if (!now)
        return;
    if (f) {
        became(spool, f, now);
        free(now);
    } else {
        came(spool, now);
    }
}

void spool_notice(struct spool *spool, const char *member, u64 serial)
{
    unsigned home = spool_home_of(spool, member);
    if (home == SPOOL_HOMES_MAX) {
        spool_look_anew(spool); /* it has come to the cluster since */
        return;
    }
    spool_refresh(spool, home, serial);
    spool_tell(spool);
}

/* ---- a folder ---- */

/* What of a folder was known before, by serial numbers. */
struct known {
    struct spool_file **file;
    unsigned count;
};

static int by_serial_number(const void *a, const void *b)
{
    const struct spool_file *x = *(struct spool_file *const *)a,
                            *y = *(struct spool_file *const *)b;
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static bool known_get(const struct spool *spool, unsigned home, struct known *k)
{
    unsigned n = 0;
    *k = (struct known){0};
    for (struct spool_file *f = spool->first; f; f = f->next)
        n += f->home == home;
    if (!(k->file = calloc(n + 1, sizeof(struct spool_file *))))
        return false;
    for (struct spool_file *f = spool->first; f; f = f->next)
        if (f->home == home)
            k->file[k->count++] = f;
    qsort(k->file, k->count, sizeof(struct spool_file *), by_serial_number);
    return true;
}

static bool known_has(const struct known *k, u64 serial)
{
    struct spool_file key = {.serial = serial}, *at = &key;
    return bsearch(&at, k->file, k->count, sizeof(struct spool_file *), by_serial_number) !=
           NULL;
}

/* 0: it cannot be seen, or has changed so lately that a change now would not show. */
static u64 state_of(const char *folder)
{
    struct stat st;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (stat(folder, &st))
        return 0;
    u64 at = (u64)st.st_mtim.tv_sec * 1000000000u + (u64)st.st_mtim.tv_nsec;
    u64 here = (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
    return at + SETTLED_NS < here ? at : 0;
}

static void look_at(struct spool *spool, unsigned home)
{
    struct spool_home *h = &spool->home[home];
    struct known known;
    unsigned long long serial;
    u64 state = state_of(h->folder);
    if (state && state == h->looked)
        return;
    DIR *dir = opendir(h->folder);
    if (!dir || !known_get(spool, home, &known)) {
        if (dir)
            closedir(dir);
        return; /* what was seen last is shown */
    }
    for (struct dirent *e; (e = readdir(dir));) {
        int at = 0;
        if (sscanf(e->d_name, "%8llx.meta%n", &serial, &at) != 1 || !at || e->d_name[at])
            continue;
        if (!known_has(&known, serial))
            spool_refresh(spool, home, serial);
    }
    closedir(dir);
    for (unsigned i = 0; i < known.count; i++) {
        serial = known.file[i]->serial;
        if (known.file[i]->version != spool_disk_version(spool, home, serial))
            spool_refresh(spool, home, serial);
    }
    free(known.file);
    h->looked = state;
}

static bool is_member(const char *name)
{
    size_t n = strlen(name);
    return n && n < SPOOL_WORD_BYTES && name[0] != '.' && !strchr(name, '/');
}

static void home_add(struct spool *spool, const char *root, const char *member)
{
    struct spool_home *h = &spool->home[spool->homes];
    struct stat st;
    if (!is_member(member) || spool_home_of(spool, member) < SPOOL_HOMES_MAX ||
        spool->homes == SPOOL_HOMES_MAX || asprintf(&h->folder, "%s/%s", root, member) < 0)
        return;
    if (stat(h->folder, &st) || !S_ISDIR(st.st_mode)) {
        free(h->folder);
        return;
    }
    strcpy(h->member, member);
    h->looked = 0;
    spool->homes++;
}

/* The folders beside ours: of members that are, and of those that were. */
static void find_homes(struct spool *spool)
{
    char *root = strdup(spool->folder), *slash = root ? strrchr(root, '/') : NULL;
    DIR *dir = NULL;
    if (slash) {
        *slash = 0;
        dir = opendir(*root ? root : "/");
    }
    for (struct dirent *e; dir && (e = readdir(dir));)
        home_add(spool, root, e->d_name);
    if (dir)
        closedir(dir);
    free(root);
}

void spool_look(struct spool *spool)
{
    if (!spool->shared)
        return;
    for (unsigned i = 0; i < spool->homes; i++)
        look_at(spool, i);
    spool_tell(spool);
}

void spool_look_anew(struct spool *spool)
{
    if (!spool->shared)
        return;
    find_homes(spool);
    for (unsigned i = 0; i < spool->homes; i++)
        spool->home[i].looked = 0;
    spool_look(spool);
}

void spool_reach_changed(struct spool *spool)
{
    struct cause cause;
    if (!spool->shared)
        return;
    for (struct spool_file *f = spool->first; f; f = f->next)
        if (f->home && f->number && spool_reached(spool, f, &cause))
            leave_reader(spool, f); /* what is open is read to its end */
        else
            spool_file_deliver(spool, f);
}

void spool_set_cluster(struct spool *spool, const struct spool_cluster *cluster)
{
    if (!spool->homes)
        return;
    spool->cluster = cluster;
    spool->shared |= cluster != NULL;
    if (cluster)
        spool_look_anew(spool);
    else
        spool_reach_changed(spool);
}
