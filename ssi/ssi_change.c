/* Changes of names that wait for a job (ssi_job.c): what is asked for, and answered; and what is
 * given back, which nobody waits for.
 *
 * [A1] What was asked for and granted is had by this member, and by no user of it, until a caller
 *      takes it (ssi_claim, ssi_share_set) or the one who asked ends it. It is void, for a caller
 *      then asks the PDR anew, as soon as the share is set or lowered in another way, since bits
 *      may be gone which nobody else was kept from taking meanwhile.
 * [A2] A share that is asked for only ever gets more bits, so that two who ask at the same time
 *      take nothing from each other. */
#include "ssi/ssi_internal.h"

#include <stdlib.h>

struct ssi_asked {
    struct ssi_asked *next;
    ssi_asked_cb done; /* NULL: told, or dropped */
    void *ctx;
    unsigned n, open; /* changes, and those of them without an answer */
    bool ended;
    struct ssi_change changes[];
};

/* --- in the job, or under the lock on the loop --- */

static void put(struct ssi *ssi, struct ssi_change *c)
{
    const struct ssi_want *w = &c->want;
    if (c->what == CHANGE_RELEASE)
        c->status = ssi_claim_out(ssi, w->kind, w->name, c->generation);
    else if (c->what == CHANGE_LOWER)
        ssi_share_lower_to(ssi, w->kind, w->name, w->mode);
    else if (!w->name[0])
        c->status = ST_OK; /* it waits for what is before it, no more */
    else if (w->mode)
        c->status = ssi_share_add(ssi, w, &c->had, &c->cause);
    else
        c->status = ssi_claim_put_new(ssi, w->kind, w->name, &c->generation, &c->cause);
    c->written = c->status == ST_OK;
}

/* `rc` of a commit, or why there was none: what has been given back is so later, what may have been
 * granted is taken back. */
static void failed(struct ssi *ssi, struct ssi_change *c, int rc, const struct cause *cause)
{
    const struct ssi_want *w = &c->want;
    bool doubt = rc == ST_LOST && c->written; /* it may stand in the PDR */
    if (c->what == CHANGE_LOWER)
        ssi_share_lower_later(ssi, w->kind, w->name, w->mode);
    else if (c->what == CHANGE_RELEASE)
        ssi_release_later(ssi, w->kind, w->name, c->generation);
    else if (w->name[0] && w->mode && c->written)
        ssi_share_lower_later(ssi, w->kind, w->name, c->had);
    else if (w->name[0] && doubt)
        ssi_release_later(ssi, w->kind, w->name, c->generation);
    c->status = rc == ST_LOST && c->written ? ST_IO : rc;
    c->cause = *cause;
    c->cause.status = c->status;
}

/* The last one first: what a share had before all of them is what counts. */
static void block_failed(struct ssi *ssi, struct ssi_change **block, unsigned n, int rc,
                         const struct cause *cause)
{
    while (n--)
        if (block[n]->written)
            failed(ssi, block[n], rc, cause);
}

static struct ssi_change *block_run(struct ssi *ssi, struct ssi_change *c, int *rc,
                                    struct cause *cause)
{
    struct ssi_change *block[PDR_OPS_MAX];
    unsigned n = 0;
    for (; c && n < PDR_OPS_MAX && ssi->pdr->n_ops < PDR_OPS_MAX; c = c->next) {
        put(ssi, c);
        block[n++] = c;
    }
    *rc = ssi_pdr_commit(ssi, cause);
    if (*rc)
        block_failed(ssi, block, n, *rc, cause);
    return c;
}

void ssi_changes_run(struct ssi *ssi, struct ssi_change *list)
{
    struct cause cause = {0};
    int rc = ST_OK;
    while (list && rc == ST_OK)
        list = block_run(ssi, list, &rc, &cause);
    if (rc == ST_LOST)
        cause_set(&cause, ST_IO, "the PDR cannot be written");
    ssi_changes_fail(ssi, list, &cause);
}

void ssi_changes_fail(struct ssi *ssi, struct ssi_change *list, const struct cause *cause)
{
    bool over = cause->status == ST_LOST; /* declared Down: there is nothing to give back */
    for (struct ssi_change *c = list; c; c = c->next) {
        if (!over)
            failed(ssi, c, cause->status, cause);
        c->status = cause->status;
        c->cause = *cause;
    }
}

void ssi_changes_now(struct ssi *ssi)
{
    struct ssi_change *list = ssi->changes;
    ssi->changes = NULL;
    ssi->changes_end = &ssi->changes;
    ssi_changes_run(ssi, list);
    ssi_changes_answered(ssi, list);
}

/* --- on the loop --- */

static void queue(struct ssi *ssi, struct ssi_change *c)
{
    if (!ssi->changes)
        ssi->changes_end = &ssi->changes;
    c->next = NULL;
    *ssi->changes_end = c;
    ssi->changes_end = &c->next;
}

static int give_back(struct ssi *ssi, const struct ssi_change *like)
{
    struct ssi_change *c = ssi_may_change(ssi) ? malloc(sizeof *c) : NULL;
    if (!c)
        return ssi_may_change(ssi) ? ST_NOMEM : ST_REFUSED;
    *c = *like;
    queue(ssi, c);
    ssi_job_go(ssi);
    return ST_OK;
}

int ssi_release_soon(struct ssi *ssi, u16 kind, const char *name, u64 generation)
{
    struct ssi_change c = {.what = CHANGE_RELEASE, .generation = generation};
    if (!ssi_claim_name_ok(name))
        return ST_INVAL;
    c.want.kind = kind;
    memcpy(c.want.name, name, strlen(name));
    return give_back(ssi, &c);
}

static int lower_soon(struct ssi *ssi, u16 kind, const char *name, u8 mode)
{
    struct ssi_change c = {.what = CHANGE_LOWER};
    c.want.kind = kind;
    c.want.mode = mode;
    memcpy(c.want.name, name, strlen(name));
    return give_back(ssi, &c);
}

int ssi_share_lower(struct ssi *ssi, u16 kind, const char *name, const struct ssi_part *part,
                    u8 mode)
{
    char of_part[SSI_CLAIM_NAME_BYTES];
    if (part)
        ssi_part_name(part, of_part);
    const char *share = part ? of_part : name;
    if (!ssi_claim_name_ok(share))
        return ST_INVAL;
    ssi_asked_void(ssi, kind, share);
    return lower_soon(ssi, kind, share, mode);
}

/* Granted, and nobody's yet. */
static bool is_live(const struct ssi_change *c, u16 kind, const char *name)
{
    return !c->gone && c->want.kind == kind && strcmp(c->want.name, name) == 0;
}

/* Who leaves takes nothing more, as ssi_claim_may has it; what was granted goes back. */
static bool takes(const struct ssi *ssi)
{
    return ssi_joined(ssi) || ssi->alone;
}

struct ssi_change *ssi_asked_claim(struct ssi *ssi, u16 kind, const char *name)
{
    if (!takes(ssi))
        return NULL;
    for (struct ssi_asked *a = ssi->asked; a; a = a->next)
        for (struct ssi_change *c = a->changes; !a->open && c < a->changes + a->n; c++)
            if (is_live(c, kind, name) && !c->want.mode) {
                c->gone = true;
                return c;
            }
    return NULL;
}

bool ssi_asked_has(const struct ssi *ssi, u16 kind, const char *name, u64 generation)
{
    for (const struct ssi_asked *a = ssi->asked; a; a = a->next)
        for (const struct ssi_change *c = a->changes; c < a->changes + a->n; c++)
            if (is_live(c, kind, name) && !c->want.mode && c->generation == generation)
                return true;
    return false;
}

/* Of another share, or of more bits, than `taken`: that is what the share is from now on. */
static bool differs(const struct ssi_change *c, const struct ssi_change *taken)
{
    return c != taken && is_live(c, taken->want.kind, taken->want.name) &&
           c->want.mode != taken->want.mode;
}

/* Others who have asked for just that keep it, too; what has not been carried out yet is nobody's
 * business here, unless bits are taken away after it. */
static void others_follow(struct ssi *ssi, const struct ssi_change *taken)
{
    bool more = taken->had & ~taken->want.mode;
    for (struct ssi_asked *a = ssi->asked; a; a = a->next)
        for (struct ssi_change *c = a->changes; !a->open && c < a->changes + a->n; c++) {
            more |= differs(c, taken);
            if (is_live(c, taken->want.kind, taken->want.name))
                c->had |= taken->want.mode;
        }
    if (!more)
        return;
    for (struct ssi_asked *a = ssi->asked; a; a = a->next)
        for (struct ssi_change *c = a->changes; c < a->changes + a->n; c++)
            c->gone |= differs(c, taken);
    lower_soon(ssi, taken->want.kind, taken->want.name, taken->want.mode);
}

struct ssi_change *ssi_asked_share(struct ssi *ssi, u16 kind, const char *name, u8 mode,
                                   u8 refuse)
{
    if (!takes(ssi))
        return NULL;
    for (struct ssi_asked *a = ssi->asked; a; a = a->next)
        for (struct ssi_change *c = a->changes; !a->open && c < a->changes + a->n; c++) {
            if (!is_live(c, kind, name) || c->want.mode != mode || c->want.refuse != refuse)
                continue;
            c->gone = true;
            if (c->status == ST_OK)
                others_follow(ssi, c);
            return c;
        }
    return NULL;
}

void ssi_asked_void(struct ssi *ssi, u16 kind, const char *name)
{
    for (struct ssi_asked *a = ssi->asked; a; a = a->next)
        for (struct ssi_change *c = a->changes; c < a->changes + a->n; c++)
            c->gone |= !name || (c->want.mode && is_live(c, kind, name));
}

static void change_take_back(struct ssi *ssi, const struct ssi_change *c)
{
    if (c->gone || c->status || !c->want.name[0])
        return;
    if (c->want.mode)
        ssi_share_lower(ssi, c->want.kind, c->want.name, NULL, c->had);
    else
        ssi_release_soon(ssi, c->want.kind, c->want.name, c->generation);
}

static void asked_free(struct ssi *ssi, struct ssi_asked *asked)
{
    struct ssi_asked **at = &ssi->asked;
    while (*at != asked)
        at = &(*at)->next;
    *at = asked->next;
    for (unsigned i = 0; i < asked->n; i++)
        change_take_back(ssi, &asked->changes[i]);
    free(asked);
}

void ssi_changes_answered(struct ssi *ssi, struct ssi_change *list)
{
    (void)ssi;
    while (list) {
        struct ssi_change *c = list;
        list = c->next;
        if (c->asked)
            c->asked->open--;
        else
            free(c);
    }
}

static struct ssi_asked *to_be_told(struct ssi *ssi)
{
    struct ssi_asked *oldest = NULL;
    for (struct ssi_asked *a = ssi->asked; a; a = a->next)
        if (!a->open && (a->done || a->ended))
            oldest = a;
    return oldest;
}

void ssi_changes_tell(struct ssi *ssi)
{
    for (struct ssi_asked *a; (a = to_be_told(ssi));) {
        if (a->ended) {
            asked_free(ssi, a);
            continue;
        }
        ssi_asked_cb done = a->done;
        a->done = NULL;
        done(a->ctx);
    }
}

static int want_name(struct ssi *ssi, struct ssi_change *c, struct cause *cause)
{
    struct ssi_want *w = &c->want;
    if (w->part.count)
        ssi_part_name(&w->part, w->name);
    if (!ssi_may_change(ssi))
        return ssi_claim_outside(ssi, cause);
    return ssi_claim_may(ssi, w->name, cause);
}

static struct ssi_asked *ask(struct ssi *ssi, const struct ssi_want *wants, unsigned n,
                             ssi_asked_cb done, void *ctx)
{
    unsigned changes = n ? n : 1;
    struct ssi_asked *a = calloc(1, sizeof *a + changes * sizeof a->changes[0]);
    if (!a)
        return NULL;
    *a = (struct ssi_asked){
        .next = ssi->asked, .done = done, .ctx = ctx, .n = changes, .open = 0};
    ssi->asked = a;
    for (unsigned i = 0; i < changes; i++) {
        struct ssi_change *c = &a->changes[i];
        *c = (struct ssi_change){.asked = a, .what = CHANGE_ADD};
        if (n)
            c->want = wants[i];
        if (n && (c->status = want_name(ssi, c, &c->cause)))
            continue;
        if (!n && !ssi_may_change(ssi))
            continue;
        a->open++;
        queue(ssi, c);
    }
    return a;
}

struct ssi_asked *ssi_ask(struct ssi *ssi, const struct ssi_want *wants, unsigned n,
                          ssi_asked_cb done, void *ctx)
{
    struct ssi_asked *a = ask(ssi, wants, n, done, ctx);
    ssi_job_go(ssi);
    return a;
}

struct ssi_asked *ssi_ask_now(struct ssi *ssi, const struct ssi_want *wants, unsigned n)
{
    struct ssi_asked *a = ask(ssi, wants, n, NULL, NULL);
    if (a && a->open && ssi_claim_begin(ssi, NULL) == ST_OK)
        ssi_pdr_end(ssi);
    return a;
}

void ssi_asked_end(struct ssi *ssi, struct ssi_asked *asked)
{
    asked->done = NULL;
    asked->ended = true;
    if (!asked->open)
        asked_free(ssi, asked);
}

bool ssi_owes(const struct ssi *ssi)
{
    for (const struct ssi_change *c = ssi->changes; c; c = c->next)
        if (!c->asked)
            return true;
    return ssi->job.gives;
}

void ssi_job_close(struct ssi *ssi)
{
    struct ssi_change *lists[] = {ssi->changes, ssi->job.list};
    for (unsigned i = 0; i < ARRAY_LEN(lists); i++)
        ssi_changes_answered(ssi, lists[i]);
    ssi->changes = ssi->job.list = NULL;
    for (struct ssi_asked *a; (a = ssi->asked);) {
        ssi->asked = a->next;
        free(a);
    }
}
