/* Requests for resources of the cluster that came while a member joins or leaves: held, in order.
 * Guarantees: [H1] each is gone on with once, or dropped by its owner, whatever becomes of the
 * transition; [H2] from the tick, never from inside another call; [H3] none overtakes another. */
#include "ssi/ssi_internal.h"

int ssi_hold(struct ssi *ssi, struct ssi_held *held)
{
    PRE(held->go && !held->held);
    if (ssi->mode != SSI_MODE_IN_FLUX && !ssi->held)
        return ST_NOENT;
    if (ssi->n_held == SSI_HELD_MAX)
        return ST_LIMIT;
    struct ssi_held **link = &ssi->held;
    while (*link)
        link = &(*link)->next;
    *link = held;
    held->next = NULL;
    held->held = true;
    ssi->n_held++;
    return ST_OK;
}

void ssi_hold_drop(struct ssi *ssi, struct ssi_held *held)
{
    struct ssi_held **link = &ssi->held;
    if (!held->held)
        return;
    while (*link != held) {
        ERGO(*link);
        link = &(*link)->next;
    }
    *link = held->next;
    held->held = false;
    ssi->n_held--;
}

unsigned ssi_held(const struct ssi *ssi)
{
    return ssi->n_held;
}

void ssi_hold_go(struct ssi *ssi)
{
    if (!ssi->let_go)
        return;
    ssi->let_go = false;
    while (ssi->held && ssi->mode != SSI_MODE_IN_FLUX) {
        struct ssi_held *held = ssi->held;
        ssi_hold_drop(ssi, held);
        held->go(held->ctx);
    }
}
