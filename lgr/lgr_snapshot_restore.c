/* Restoring a guest, and looking at a file. A thread reads the file's head (and all of it, to
 * verify); on the loop eligibility is evaluated as at the destination of a relocation, the claim
 * on the user id is taken as by LOGON, a machine arrives, its storage is fed from the file, its
 * state is put in, and it goes on. Guarantee: what cannot be restored leaves no session, no claim
 * and no link behind. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/cp_move.h"
#include "hyp/rdev/rdev.h"
#include "hyp/vm.h"
#include "lgr/lgr_snapshot_internal.h"
#include "mem/storage_source.h"

/** Located by: s->restores. Created by snapshot_restore_begin, destroyed by `opened`, which comes
 *  behind its thread, or when what is held then goes on or is dropped. The thread has `file` and
 *  `cause` until `opened`. */
struct snapshot_restore {
    struct snapshot_restore *next;
    struct lgr_snapshots *s; /* NULL: this system ends */
    const struct lgr_ports *ports;
    struct cp_request *req;
    struct snapshot_order order;
    u64 start_ns;
    pthread_t thread;
    struct snapshot *file;
    struct cause cause;
    bool halted, held; /* by CPHX; for the end of In-flux, with the file read */
};

/* ---- looking ---- */

static int info_lines(struct cp_request *req, const struct snapshot_info *info, bool verified)
{
    char when[32];
    time_t seconds = (time_t)(info->when_ns / 1000000000u);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(when, sizeof when, "%F %T UTC", &tm);
    cp_line(req, "User %s of %s, saved %s", info->user, *info->member ? info->member : "-",
            when);
    cp_line(req, "Storage %lluM, %u CPUs, %u disks written to",
            (unsigned long long)(info->storage_bytes >> 20), info->cpus, info->disks);
    cp_line(req, "%llu pages in %llu bytes (%s), state %llu bytes, file %llu bytes",
            (unsigned long long)info->frames, (unsigned long long)info->stored_bytes,
            info->compressed ? "LZ4" : "stored", (unsigned long long)info->state_len,
            (unsigned long long)info->file_bytes);
    if (verified)
        cp_line(req, "All checksums are right");
    return 0;
}

/* ---- storage that cannot be had ---- */

/** Freed by `tell_lost`; holds the anchor. */
struct lost_note {
    struct snapshot_anchor *anchor;
    char user[LGR_NAME_BYTES];
    struct vm *vm; /* to compare */
    struct cause cause;
};

static void tell_lost(void *arg)
{
    struct lost_note *note = arg;
    struct lgr_snapshots *s = note->anchor->owner;
    struct cp_user *user = s ? cp_user_find(s->cp, note->user) : NULL;
    char line[MSG_LINE_BYTES];
    bool its = user && cp_user_vm(user) == note->vm;
    enum storage_whole state = its ? storage_source_state(vm_storage(note->vm)) : STORAGE_WHOLE;
    if (state == STORAGE_COMING) { /* who found it is about to write it down */
        s->ports->post(s->ports->ctx, tell_lost, note);
        return;
    }
    if (state == STORAGE_LOST && !cp_user_leaving(user)) {
        msg_format(line, sizeof line, MSG_SNP1970E, note->user, note->cause.text);
        cp_operator_tell(s->cp, "%s", line);
        cp_user_tell(user, "%s", line);
        cp_user_end(user, "SYSTEM");
    }
    snapshot_anchor_drop(note->anchor);
    free(note);
}

/** ctx of a feed: ends with it; holds the anchor. */
struct feed_ctx {
    struct snapshot_anchor *anchor;
    const struct lgr_ports *ports;
    char user[LGR_NAME_BYTES];
    struct vm *vm;
};

static void feed_lost(void *ctx, const struct cause *cause)
{
    const struct feed_ctx *f = ctx;
    struct lost_note *note = calloc(1, sizeof *note);
    if (!note)
        return; /* the chunk is outside storage all the same */
    note->anchor = f->anchor;
    atomic_fetch_add(&f->anchor->holds, 1);
    strcpy(note->user, f->user);
    note->vm = f->vm;
    note->cause = *cause;
    f->ports->post(f->ports->ctx, tell_lost, note);
}

static void feed_end(void *ctx)
{
    struct feed_ctx *f = ctx;
    snapshot_anchor_drop(f->anchor);
    free(f);
}

/* The file is storage's from here on, whatever comes. */
static int feed(struct snapshot_restore *j, struct cp_user *user, struct cause *cause)
{
    struct feed_ctx *f = calloc(1, sizeof *f);
    if (!f)
        return cause_set(cause, ST_NOMEM, "no memory");
    f->anchor = j->s->anchor;
    atomic_fetch_add(&f->anchor->holds, 1);
    f->ports = j->ports;
    strcpy(f->user, j->order.user);
    f->vm = cp_user_vm(user);
    const struct snapshot_feed to = {feed_lost, feed_end, f};
    struct snapshot *file = j->file;
    j->file = NULL;
    int rc = snapshot_feed(file, vm_storage(f->vm), &to, cause);
    if (rc)
        feed_end(f);
    return rc;
}

/* ---- may it be restored here? ---- */

static int damaged(struct snapshot_restore *j, const char *what)
{
    char text[MSG_LINE_BYTES];
    snprintf(text, sizeof text, "%.200s: %s", j->order.path, what);
    return cp_fail(j->req, MSG_SNP1962E, j->order.user, text);
}

/* The guest as the file tells. False: it does not fit together. */
static bool guest_get(const struct snapshot_info *info, struct lgr_values *v)
{
    u8 *offer =
        calloc(1, LGR_HEAD_BYTES + info->guest_len); /* a message begins with a header */
    if (!offer)
        return false;
    memcpy(offer + LGR_HEAD_BYTES, info->guest, info->guest_len);
    bool good = lgr_values_get(offer, LGR_HEAD_BYTES + info->guest_len, LGR_MSG_OFFER, v, NULL);
    free(offer);
    return good && !v->info.vdisks && !strcmp(v->info.user, info->user) &&
           v->info.storage_bytes == info->storage_bytes && v->info.cpus == info->cpus;
}

static void reasons_find(struct snapshot_restore *j, struct lgr_guest_info *g,
                         struct lgr_reasons *out)
{
    struct lgr_snapshots *s = j->s;
    const struct snapshot_info *info = snapshot_info(j->file);
    struct lgr alone = {.guests = &lgr_cp_guests, .guests_ctx = &s->cmd};
    struct lgr_here here = {0};
    char line[MSG_LINE_BYTES];
    lgr_cp_guests.here(&s->cmd, g, &here);
    if (j->order.force & SNAPSHOT_FORCE_ENTRY && here.known)
        g->entry_digest = here.entry_digest;
    struct lgr_fit fit;
    lgr_eligible_here(s->cmd.lgr ? s->cmd.lgr : &alone, g, 0,
                      *info->member ? info->member : "the snapshot", j->order.force & 7u, false,
                      &fit, out);
    if (!(j->order.force & SNAPSHOT_FORCE_DISKS))
        snapshot_disks_check(s->cp, j->order.user, info, out);
    if (!(j->order.force & SNAPSHOT_FORCE_CLOCK) && snapshot_wall_ns() < info->when_ns) {
        int number = msg_format(line, sizeof line, MSG_SNP1967E, j->order.user);
        lgr_reason_add(out, number, line);
    }
}

static int check(struct snapshot_restore *j, struct lgr_guest_info *g)
{
    const struct snapshot_info *info = snapshot_info(j->file);
    struct lgr_reasons reasons = {0};
    struct lgr_values *v = calloc(1, sizeof *v);
    int rc = 0;
    if (strcmp(info->user, j->order.user) != 0)
        rc = cp_fail(j->req, MSG_SNP1971E, j->order.path, info->user, j->order.user);
    else if (!v || !guest_get(info, v))
        rc = damaged(j, "what it says of the guest is not acceptable");
    if (!rc && v) {
        *g = v->info;
        reasons_find(j, g, &reasons);
        if (reasons.count)
            rc = snapshot_reasons(j->req, cp_fail(j->req, MSG_SNP1964E, j->order.user),
                                  &reasons);
    }
    free(v);
    return rc;
}

/* ---- it comes ---- */

static int links_join(struct cp *cp, const char *user, struct cause *cause)
{
    struct rdevs *r = cp_rdevs(cp);
    int rc = ST_OK;
    for (struct vlink *l = link_next(r, user, NULL); !rc && l; l = link_next(r, user, l))
        rc = link_join(r, l, cause);
    return rc;
}

/* Storage and state into a machine that has arrived. */
static int fill(struct snapshot_restore *j, struct cp_user *user,
                const struct lgr_guest_info *g, struct cause *cause)
{
    const struct snapshot_info *info = snapshot_info(j->file);
    struct codec_in in;
    size_t len = info->state_len;
    u8 *state = malloc(len ? len : 1); /* the file is closed when all of storage is there */
    if (!state)
        return cause_set(cause, ST_NOMEM, "no memory for its state");
    memcpy(state, info->state, len);
    int rc = feed(j, user, cause);
    if (!rc && g->segments && !storage_source_all(vm_storage(cp_user_vm(user))))
        rc = cause_set(cause, ST_IO, "%s is damaged",
                       j->order.path); /* before they are mapped */
    codec_in_init(&in, state, len);
    rc = rc ? rc : lgr_cp_guests.restore(&j->s->cmd, user, &in, cause);
    free(state);
    rc = rc ? rc : links_join(j->s->cp, j->order.user, cause);
    return rc ? rc : cp_nics_claim(user, cause);
}

static void went(struct snapshot_restore *j, struct cp_user *user)
{
    char line[MSG_LINE_BYTES];
    const struct lgr_ports *ports = j->ports;
    vm_storage_go(cp_user_vm(user));
    msg_format(line, sizeof line, MSG_SNP1969I, j->order.user, j->order.path);
    snapshot_tell(j->s, j->req, line);
    cp_user_tell(user, "%s", line);
    cp_line(j->req, "%.1f ms", (double)(ports->now_ns(ports->ctx) - j->start_ns) / 1e6);
    cp_user_logged_on(user);
}

static int arrive(struct snapshot_restore *j, const struct lgr_guest_info *g)
{
    struct lgr_snapshots *s = j->s;
    char owner[CONFIG_NAME_BYTES] = "";
    struct cause cause = {0};
    void *guest = NULL;
    u64 claim = 0;
    int rc = cp_claim_take(s->cp, j->order.user, &claim, owner, &cause);
    if (rc == ST_EXIST)
        cause_set(&cause, rc, "user is logged on or arriving at %s", owner);
    if (!rc) {
        rc = lgr_cp_guests.arrive(&s->cmd, g, &guest, &cause);
        rc = rc ? rc : fill(j, guest, g, &cause);
        if (rc && guest)
            lgr_cp_guests.depart(&s->cmd, guest);
        if (rc)
            cp_claim_free(s->cp, j->order.user, claim);
    }
    if (rc)
        return cp_fail(j->req, MSG_SNP1962E, j->order.user, cause.text);
    lgr_cp_guests.run(&s->cmd, guest, claim);
    went(j, guest);
    return 0;
}

static int restore(struct snapshot_restore *j)
{
    struct lgr_guest_info *g = calloc(1, sizeof *g);
    int rc = g ? check(j, g) : damaged(j, "no memory");
    rc = rc ? rc : arrive(j, g);
    free(g);
    return rc;
}

/* ---- the thread that reads ---- */

static void restore_free(struct snapshot_restore *j)
{
    struct snapshot_restore **at = j->s ? &j->s->restores : NULL;
    while (at && *at != j)
        at = &(*at)->next;
    if (at)
        *at = j->next;
    snapshot_close(j->file);
    free(j);
}

static void restore_end(struct snapshot_restore *j, int rc)
{
    struct cp_request *req = j->req;
    restore_free(j);
    cp_complete(req, rc);
}

/* A handler: In-flux has ended. */
static int restore_held(struct cp_request *req, void *ctx)
{
    struct snapshot_restore *j = ctx;
    (void)req;
    j->held = false;
    int rc = restore(j);
    restore_free(j);
    return rc;
}

/* The file is read. A member may have begun to join or leave meanwhile. */
static void act(struct snapshot_restore *j)
{
    int rc;
    if (j->halted)
        rc = cp_fail(j->req, MSG_SNP1962E, j->order.user, "halted by CPHX");
    else if (j->cause.status && j->order.info)
        rc = cp_fail(j->req, MSG_SNP1965E, j->cause.text);
    else if (j->cause.status)
        rc = cp_fail(j->req, MSG_SNP1962E, j->order.user, j->cause.text);
    else if (j->order.info)
        rc = info_lines(j->req, snapshot_info(j->file), j->order.verify);
    else if ((rc = cp_hold_again(j->req, restore_held, j)) == CP_LATER)
        j->held = true;
    else
        rc = rc ? rc : restore(j);
    if (!j->held)
        restore_end(j, rc);
}

static void opened(void *arg)
{
    struct snapshot_restore *j = arg;
    pthread_join(j->thread, NULL);
    if (j->s)
        act(j);
    else
        restore_free(j);
}

/* CPHX, or its user's session ends while it is held. */
static void halt(struct cp_request *req, void *ctx)
{
    struct snapshot_restore *j = ctx;
    j->halted = true;
    if (j->held)
        restore_end(j, cp_fail(req, MSG_SNP1962E, j->order.user, "halted"));
}

static void *read_thread(void *arg)
{
    struct snapshot_restore *j = arg;
    if (snapshot_open(j->order.path, &j->file, &j->cause) == ST_OK && j->order.verify)
        snapshot_verify(j->file, &j->cause);
    j->ports->post(j->ports->ctx, opened, j);
    return NULL;
}

int snapshot_restore_begin(struct lgr_snapshots *s, struct cp_request *req,
                           const struct snapshot_order *order)
{
    struct snapshot_restore *j = calloc(1, sizeof *j);
    if (!j)
        return cp_fail(req, MSG_SNP1965E, "no memory");
    *j = (struct snapshot_restore){.s = s, .ports = s->ports, .req = req, .order = *order};
    j->start_ns = s->ports->now_ns(s->ports->ctx);
    if (pthread_create(&j->thread, NULL, read_thread, j)) {
        free(j);
        return cp_fail(req, MSG_SNP1965E, "no thread");
    }
    j->next = s->restores;
    s->restores = j;
    cp_on_halt(req, halt, j);
    return CP_LATER;
}

void snapshot_restores_drop(struct lgr_snapshots *s)
{
    for (struct snapshot_restore *j = s->restores, *next; j; j = next) {
        next = j->next;
        if (j->held)
            restore_end(j, cp_fail(j->req, MSG_CMD052E, "this system ends"));
        else
            j->s = NULL; /* CP answers */
    }
    s->restores = NULL;
}
