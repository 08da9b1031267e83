/* What LOGON and LINK will ask the cluster for is asked for before they act, all at once and beside
 * the loop, so that the PDR is written once for it and nobody else waits for its disk; then they go
 * on, and get what was granted. What they do not take goes back.
 * And a command that has given something back is complete when that is written: who then asks
 * for it on another member gets it.
 * An issuer that cannot be answered later (console lines, whose next one is issued at once) has
 * both done before its command goes on, also in one write. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_disk.h"

/* Its answer is here, or it was not asked for. */
static void go_on(struct cp_request *req, void *asked)
{
    const struct cp_cluster_ops *ops = req->cp->cluster;
    void *ctx = req->cp->cluster_ctx;
    req->foreseen = true;
    req->at = req->foresee_at;
    int rc = req->foresee_then(req, req->foresee_ctx);
    if (asked)
        ops->ask_end(ctx, asked);
    cp_request_go(req, rc);
}

static void answered(void *arg)
{
    struct cp_request *req = arg;
    void *asked = req->asked;
    req->asked = NULL;
    req->in_handler = true;
    go_on(req, asked);
}

int cp_foresee(struct cp_request *req, const struct cp_wants *wants, size_t at, cp_handler then,
               void *ctx)
{
    const struct cp_cluster_ops *ops = req->cp->cluster;
    void *cluster = req->cp->cluster_ctx;
    req->foreseen = true;
    req->foresee_at = req->at = at;
    req->foresee_then = then;
    req->foresee_ctx = ctx;
    if (!ops || !ops->ask || !wants->n)
        return then(req, ctx);
    if (req->resp->may_wait) {
        req->asked = ops->ask(cluster, wants->want, wants->n, answered, req);
        return req->asked ? CP_LATER : then(req, ctx);
    }
    void *asked = ops->ask(cluster, wants->want, wants->n, NULL, NULL);
    int rc = then(req, ctx);
    if (asked)
        ops->ask_end(cluster, asked);
    return rc;
}

void cp_foresee_drop(struct cp_request *req)
{
    if (req->asked && req->cp->cluster)
        req->cp->cluster->ask_end(req->cp->cluster_ctx, req->asked);
    req->asked = NULL;
}

/* --- what is given back ----------------------------------------------------------------------- */

static void given_back(void *arg)
{
    struct cp_request *req = arg;
    cp_foresee_drop(req);
    cp_request_finish(req);
}

bool cp_gives_back(struct cp_request *req)
{
    const struct cp_cluster_ops *ops = req->cp->cluster;
    void *ctx = req->cp->cluster_ctx;
    if (!ops || !ops->ask || !ops->owes(ctx))
        return false;
    cp_foresee_drop(req);
    if (req->resp->may_wait) {
        req->in_handler = true; /* CPHX has nothing to halt */
        req->asked = ops->ask(ctx, NULL, 0, given_back, req);
        return req->asked;
    }
    void *asked = ops->ask(ctx, NULL, 0, NULL, NULL);
    if (asked)
        ops->ask_end(ctx, asked);
    return false;
}

/* --- what a user will need -------------------------------------------------------------------- */

static bool room(struct cp_wants *w, unsigned more)
{
    if (w->n + more <= w->room)
        return true;
    unsigned n = w->room * 2 + more + 16;
    struct ssi_want *want = realloc(w->want, n * sizeof *want);
    if (!want)
        return false;
    w->want = want;
    w->room = n;
    return true;
}

void cp_want_link(struct cp *cp, struct cp_wants *w, const struct link_request *q)
{
    if (!cp->cluster || !cp->cluster->ask || !cp_rdevs(cp) || !room(w, LINK_WANTS_MAX))
        return; /* it is asked for when it is needed */
    unsigned n = link_foresee(cp_rdevs(cp), q, w->want + w->n);
    for (unsigned i = 0; i < n; i++)
        w->want[w->n++].kind = CP_CLAIM_LINK;
}

void cp_want_user(struct cp *cp, struct cp_wants *w, const struct dir_entry *e)
{
    if (!cp->cluster || !cp->cluster->ask || !room(w, 1))
        return;
    if (e->kind != DIR_IDENTITY) {
        struct ssi_want *want = &w->want[w->n++];
        *want = (struct ssi_want){.kind = CP_CLAIM_USERID};
        snprintf(want->name, sizeof want->name, "%s", e->userid);
    }
    for (unsigned i = 0; i < e->mdisk_count; i++)
        cp_want_link(cp, w,
                     &(struct link_request){.user = e->userid,
                                            .vdev = e->mdisks[i].vdev,
                                            .owner = e->userid,
                                            .mdisk = &e->mdisks[i],
                                            .mode = e->mdisks[i].mode});
    for (unsigned i = 0; i < e->link_count; i++) {
        const struct dir_link *k = &e->links[i];
        const char *owner = k->owner;
        const struct dir_mdisk *m = cp_mdisk_find(cp, e->userid, &owner, k->owner_vdev);
        if (m)
            cp_want_link(cp, w,
                         &(struct link_request){.user = e->userid,
                                                .vdev = k->vdev,
                                                .owner = owner,
                                                .mdisk = m,
                                                .mode = k->mode});
    }
}
