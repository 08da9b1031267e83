/* DATAMOVE. z/VM has a user of that name who copies minidisks for DirMaint; here CP does it by
 * itself: a thread copies from one link to another, which nobody but CP has. Guarantees: nothing of
 * the directory changes before all is copied and on the host's disk, so that whatever ends this
 * member leaves the old minidisk; while it is copied nobody writes the old one, nor has the new
 * one. The end of CP ends it. Messages as DirMaint has them where those were at hand. */
#include "hyp/cp/cp_datamove.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/image/copy.h"

#define MOVER "*DATAMOV" /* has the links; no user can be called so */
#define AGAIN_MS 500     /* somebody else changes the directory */
#define REMOVED_BYTES 1024

/* Located by: cp->datamove, in the order in which they are done. Created by datamove_add, destroyed
 * when it is done. Serialised by: the loop thread; while `running` is set the thread has the two
 * images, `status` and `cause`. */
struct work_unit {
    struct work_unit *next;
    struct cp *cp; /* NULL: CP has ended, and only its note is to come */
    unsigned number;
    char who[DIR_NAME_BYTES], entry[DIR_NAME_BYTES], what[DIR_WHAT_BYTES];
    struct dir_mdisk to;
    struct vlink *from_link, *to_link;
    char was[REMOVED_BYTES], statement[DATAMOVE_STATEMENT_BYTES];
    bool running;
    u64 timer; /* 0: none */
    atomic_bool stop;
    pthread_t thread;
    int status;
    struct cause cause;
};

/* ---- links ---- */

static u16 free_vdev(struct rdevs *r)
{
    u16 vdev = 0x100;
    while (link_find(r, MOVER, vdev))
        vdev++;
    return vdev;
}

static int linked(struct dirm *d, const char *owner, const struct dir_mdisk *m,
                  enum link_mode mode, struct vlink **out)
{
    struct cause cause = {0};
    struct link_others others;
    struct dir_mdisk disk = *m;
    char text[160];
    struct rdevs *r = cp_rdevs(d->cp);
    disk.no_cache = true;
    const struct link_request q = {MOVER, r ? free_vdev(r) : 0, owner, &disk, mode};
    enum link_result rc = r ? link_mdisk(r, &q, out, &others, &cause) : LINK_NOT_MOUNTED;
    if (rc == LINK_DONE)
        return 0;
    snprintf(text, sizeof text, "%s %04X is in use", owner, m->vdev);
    if (rc == LINK_NOT_MOUNTED)
        snprintf(text, sizeof text, "volume %.6s is not online here", m->volid);
    else if (rc != LINK_REFUSED)
        snprintf(text, sizeof text, "%.150s", cause.text);
    return dirm_refused(d, text);
}

static void unlinked(struct work_unit *u)
{
    struct rdevs *r = cp_rdevs(u->cp);
    if (u->from_link)
        link_drop(r, u->from_link);
    if (u->to_link)
        link_drop(r, u->to_link);
    u->from_link = u->to_link = NULL;
}

static int links_make(struct dirm *d, struct work_unit *u, const struct datamove *w)
{
    int rc = linked(d, w->owner, w->from, w->moves ? LINK_ER : LINK_SR, &u->from_link);
    return rc ? rc : linked(d, d->user, &u->to, LINK_EW, &u->to_link);
}

/* ---- the end of one ---- */

static void unit_free(struct work_unit *u)
{
    explicit_bzero(u, sizeof *u); /* statements have passwords */
    free(u);
}

/* The entry's statement for the device, if it is still what it was. */
static int change(struct dirm *d, const struct work_unit *u)
{
    char vdev[8];
    struct dir_span span;
    if (!dir_text_entry(d->f.text, u->entry, &d->entry))
        return dirm_refused(d, "there is no such entry any more");
    snprintf(vdev, sizeof vdev, "%04X", u->to.vdev);
    bool there = dir_text_find(d->f.text, d->entry, DIR_STMT_MDISK, 1, vdev, &span);
    size_t len = strlen(u->was);
    bool same =
        there && span.to - span.from == len && !memcmp(d->f.text + span.from, u->was, len);
    if (*u->was ? !same : there)
        return dirm_refused(d, "the minidisk has been changed meanwhile");
    int rc = dirm_put(d, there ? &span : NULL, u->statement);
    return rc ? rc : dirm_change(d);
}

/* 0, a number, or ST_BUSY: not now. */
static int finish(struct dirm *d, const struct work_unit *u)
{
    struct cause cause = {0};
    if (u->status)
        return dirm_refused(d, u->cause.text);
    if (!*u->statement)
        return 0;
    int status = dir_file_open(d->cp->directory_path, &d->f, &cause);
    d->f.online = d->cp->online.versions.now;
    int rc = status == ST_BUSY ? ST_BUSY : status ? dirm_refused(d, cause.text) : change(d, u);
    dirm_end(d);
    return rc;
}

static void next_one(struct cp *cp);

static void done(void *arg)
{
    struct work_unit *u = arg;
    struct cp *cp = u->cp;
    struct dirm d = {.cp = cp, .who = u->who, .f.lock = -1};
    snprintf(d.user, sizeof d.user, "%s", u->entry);
    snprintf(d.what, sizeof d.what, "%s", u->what);
    u->timer = 0;
    int rc = finish(&d, u);
    if (rc == ST_BUSY) {
        u->timer = cp->ports.timer_start(cp->ports.ctx, AGAIN_MS, done, u);
        return;
    }
    unlinked(u);
    dirm_tell_own(&d, rc ? MSG_DRM605E : MSG_DRM604I, u->number, u->what);
    cp->datamove = u->next; /* it was the first */
    unit_free(u);
    next_one(cp);
}

static void noted(void *arg)
{
    struct work_unit *u = arg;
    if (!u->cp) {
        unit_free(u);
        return;
    }
    pthread_join(u->thread, NULL);
    u->running = false;
    done(u);
}

static void *work(void *arg)
{
    struct work_unit *u = arg;
    const struct cp_ports *ports = &u->cp->ports;
    u->status = image_copy(u->from_link->img, u->to_link->img, &u->stop, &u->cause);
    ports->post(ports->ctx, noted, u);
    return NULL;
}

static void next_one(struct cp *cp)
{
    struct work_unit *u = cp->datamove;
    if (!u || u->running || u->timer)
        return;
    u->running = pthread_create(&u->thread, NULL, work, u) == 0;
    if (u->running)
        return;
    u->status = cause_set(&u->cause, ST_NOMEM, "there is no thread for it");
    u->timer = cp->ports.timer_start(cp->ports.ctx, 0, done, u);
}

/* ---- for DIRMAINT ---- */

/* DDHHMMSS, as DirMaint numbers them; none is there twice. */
static unsigned new_number(struct cp *cp)
{
    struct tm tm;
    time_t now = (time_t)(cp_now(cp) / 1000000000u);
    gmtime_r(&now, &tm);
    unsigned n =
        (unsigned)(((tm.tm_mday * 100 + tm.tm_hour) * 100 + tm.tm_min) * 100 + tm.tm_sec);
    for (const struct work_unit *u = cp->datamove; u; u = u->next)
        n = u->number >= n ? u->number + 1 : n;
    return n;
}

static void told(struct dirm *d, const struct work_unit *u)
{
    const char *member = d->cp->config->member;
    const char *request = strchr(u->what + strlen("FOR "), ' '); /* FOR entry request */
    dirm_tell(d, "DVHSCU3541I", "Work unit %08u has been built and queued for processing.",
              u->number);
    dirm_tell(d, "DVHSHN3541I",
              "Processing work unit %08u as %s from %s, notifying %s at %s, request %u for %s "
              "sysaffin *; to: %s",
              u->number, d->who, member, d->who, member, ++d->cp->datamove_requests, d->user,
              request ? request + 1 : u->what);
    dirm_tell(d, "DVHRLA3891I", "Your DMVCTL request has been relayed for processing.");
}

int datamove_add(struct dirm *d, const struct datamove *w)
{
    struct work_unit **end = &d->cp->datamove, *u;
    unsigned count = 0;
    for (; *end; end = &(*end)->next)
        count++;
    if (count >= DATAMOVE_UNITS_MAX)
        return dirm_refused(d, "DATAMOVE has too much to do");
    if (!(u = calloc(1, sizeof *u)))
        return dirm_refused(d, "no memory");
    u->cp = d->cp;
    u->number = new_number(d->cp);
    u->to = w->to;
    snprintf(u->who, sizeof u->who, "%s", d->who);
    snprintf(u->entry, sizeof u->entry, "%s", d->user);
    snprintf(u->what, sizeof u->what, "%s", w->what);
    snprintf(u->was, sizeof u->was, "%s", w->was ? w->was : "");
    snprintf(u->statement, sizeof u->statement, "%s", w->statement ? w->statement : "");
    int rc = links_make(d, u, w);
    if (rc) {
        unlinked(u);
        unit_free(u);
        return rc;
    }
    *end = u;
    told(d, u);
    next_one(d->cp);
    return 0;
}

void datamove_query(struct dirm *d)
{
    const struct work_unit *first = d->cp->datamove;
    char number[16] = "NONE";
    unsigned waiting = 0;
    if (first)
        snprintf(number, sizeof number, "%08u", first->number);
    for (const struct work_unit *u = first ? first->next : NULL; u; u = u->next)
        waiting++;
    dirm_tell(d, "DVHQRY3389I",
              "DATAMOVE DATAMOVE at %s Status: %s WUCF:%s Pending: %u Autologs: 0",
              d->cp->config->member, first ? "ACTIVE" : "INACTIVE", number, waiting);
}

const struct dir_mdisk *datamove_taken(const struct cp *cp, const char *volid, u64 from,
                                       const char **owner)
{
    const struct dir_mdisk *first = NULL;
    for (const struct work_unit *u = cp->datamove; u; u = u->next) {
        if (strcmp(u->to.volid, volid) || u->to.start + u->to.count <= from ||
            (first && u->to.start >= first->start))
            continue;
        first = &u->to;
        *owner = u->entry;
    }
    return first;
}

void cp_datamove_end(struct cp *cp)
{
    struct work_unit *u;
    while ((u = cp->datamove)) {
        cp->datamove = u->next;
        if (u->timer)
            cp->ports.timer_cancel(cp->ports.ctx, u->timer);
        atomic_store(&u->stop, true);
        if (u->running)
            pthread_join(u->thread, NULL);
        unlinked(u);
        u->cp = NULL;
        if (!u->running)
            unit_free(u);
    }
}
