/* CPHX, which ends a command that takes long; HALT, which ends the I/O of a real device.
 * Source: z/VM "CP Commands and Utilities Reference"; answers and the number of HCPCPX are ours. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"

void cp_on_halt(struct cp_request *req, void (*halt)(struct cp_request *req, void *ctx),
                void *ctx)
{
    req->halt = halt;
    req->halt_ctx = ctx;
}

void cp_halt_still(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_user_find(req->cp, req->userid);
    (void)ctx;
    if (user)
        req->cp->ports.vm->still_stop(user->vm);
}

bool cp_waits(const struct cp *cp, const struct cp_request *req)
{
    const struct cp_request *r = cp->requests;
    while (r && r != req)
        r = r->next;
    return r;
}

/* A command that waits for a time only: it just ends. */
void cp_halt_request(struct cp_request *req)
{
    req->halted = true;
    if (req->halt) {
        req->halt(req, req->halt_ctx);
        return;
    }
    cp_complete(req, cp_fail(req, MSG_CPX601E, req->command));
}

/* The next of the user's commands that wait, but for the one that asks; NULL: no more. */
static struct cp_request *waiting(struct cp *cp, const char *userid,
                                  const struct cp_request *self)
{
    for (struct cp_request *r = cp->requests; r; r = r->next)
        if (r != self && !r->in_handler && !r->halted && !strcmp(r->userid, userid))
            return r;
    return NULL;
}

/* CPHX [userid | *]: another's commands for class A */
int cp_cmd_cphx(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    const char *userid = word && strcmp(word, "*") ? word : req->userid;
    struct cp_request *r;
    unsigned n = 0;
    (void)ctx;
    if (strcmp(userid, req->userid) && !(req->classes & CP_CLASS('A')))
        return cp_fail(req, MSG_CMD003E, userid);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    while ((r = waiting(req->cp, userid, req))) {
        cp_halt_request(r);
        n++;
    }
    if (!n)
        return cp_fail(req, MSG_CPX600E, userid);
    cp_line(req, "%u command(s) of %s halted", n, userid);
    return 0;
}

/* --- HALT ----------------------------------------------------------------------------------- */

/* HALT rdev: the channel programs of guests on it end, which they learn as on a machine */
int cp_cmd_halt(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    struct rdevs *r = cp_rdevs(req->cp);
    u64 devno;
    unsigned n = 0;
    (void)ctx;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &devno))
        return cp_fail(req, MSG_ATR021E);
    int rc = cp_no_more(req);
    const struct rdev *d = r ? rdev_find(r, (u16)devno) : NULL;
    if (rc || !d)
        return rc ? rc : cp_fail(req, MSG_ATR040E, word);
    for (const struct vlink *l = link_next(r, "", NULL); l; l = link_next(r, "", l)) {
        struct cp_user *user = l->rdev == d ? cp_user_find(req->cp, l->user) : NULL;
        if (user && req->cp->ports.vm->device_halt(user->vm, l->vdev))
            n++;
    }
    if (n)
        cp_line(req, "HALT was initiated to device %04X", (unsigned)devno);
    else
        cp_line(req, "Device %04X is not active", (unsigned)devno);
    return 0;
}
