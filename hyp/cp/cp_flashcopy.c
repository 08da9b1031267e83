/* FLASHCOPY: cylinders or blocks of one disk of the user's onto another of its disks. No storage
 * server copies by itself: CP does, while the user's machine stands still, so that the copy is of
 * one moment; a disk that anybody else writes is refused. Operands and answer from memory of z/VM
 * "CP Commands and Utilities Reference"; blocks (FB-512) are ours. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"

/* One of the two: cylinders or blocks `first` to `last`. */
struct side {
    u16 vdev;
    u64 first, last;
    struct vlink *link;
};

struct flashcopy {
    struct cp *cp;
    struct cp_request *req;
    struct side from, to;
};

static int refused(struct cp_request *req, const char *why)
{
    return cp_fail(req, MSG_ABS600E, req->command, why);
}

static u64 units_of(const struct vlink *l)
{
    const struct image_geometry *g = image_geometry(l->img);
    return g->tracks ? g->cylinders : g->blocks;
}

/* ALL, or first and {last | END} */
static int extent_take(struct cp_request *req, struct side *side)
{
    const char *word = cp_operand(req);
    const u64 units = units_of(side->link);
    side->first = 0;
    side->last = units - 1;
    if (word && !strcmp(word, "ALL"))
        return 0;
    if (!word || !scan_number(word, 0, units - 1, &side->first))
        return word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
    word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strcmp(word, "END") && !scan_number(word, side->first, units - 1, &side->last))
        return cp_fail(req, MSG_CMD002E, word);
    return 0;
}

static int side_take(struct cp_request *req, struct side *side)
{
    const char *word = cp_operand(req);
    u64 vdev;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &vdev))
        return cp_fail(req, MSG_DEF022E);
    side->vdev = (u16)vdev;
    side->link =
        cp_rdevs(req->cp) ? link_find(cp_rdevs(req->cp), req->userid, side->vdev) : NULL;
    if (!side->link || !side->link->img)
        return cp_fail(req, MSG_QVD040E, word);
    return extent_take(req, side);
}

/* Does anybody else write it, here or on another member? */
static bool others_write(struct cp *cp, const struct vlink *l)
{
    struct rdevs *r = cp_rdevs(cp);
    for (const struct vlink *o = link_next(r, "", NULL); o; o = link_next(r, "", o))
        if (o->write && strcmp(o->user, l->user) && link_same_disk(o, l))
            return true;
    for (const struct remote_link *o = remote_link_next(r, NULL); o; o = remote_link_next(r, o))
        if (o->write && remote_link_same_disk(l, o))
            return true;
    return false;
}

static int check(struct cp_request *req, const struct flashcopy *f)
{
    const struct image_geometry *has = image_geometry(f->from.link->img);
    const struct image_geometry *gets = image_geometry(f->to.link->img);
    if (has->type != gets->type)
        return refused(req, "the two disks are of different types");
    if (f->from.last - f->from.first != f->to.last - f->to.first)
        return refused(req, "the two extents are of different sizes");
    if (has->tracks && f->from.first != f->to.first)
        return refused(req, "both have to begin at one cylinder");
    if (f->from.link == f->to.link || link_same_disk(f->from.link, f->to.link))
        return refused(req, "the two disks have space in common");
    if (!f->to.link->write)
        return refused(req, "the disk that is copied to is read-only");
    if (others_write(req->cp, f->from.link) || others_write(req->cp, f->to.link))
        return refused(req, "somebody else writes one of the disks");
    return 0;
}

static void side_text(const struct side *s, char out[64])
{
    snprintf(out, 64, "%04X %llu %llu", s->vdev, (unsigned long long)s->first,
             (unsigned long long)s->last);
}

static void copied(void *ctx, int status, const struct cause *cause)
{
    struct flashcopy *f = ctx;
    char from[64], to[64];
    if (cp_waits(f->cp, f->req)) {
        side_text(&f->from, from);
        side_text(&f->to, to);
        int rc = status ? refused(f->req, cause->text) : 0;
        if (!rc)
            cp_line(f->req, "Command complete: FLASHCOPY %s TO %s", from, to);
        cp_complete(f->req, rc);
    }
    free(f);
}

static int begin(struct cp_request *req, struct cp_user *user, struct flashcopy *f)
{
    const struct image_geometry *g = image_geometry(f->from.link->img);
    const u64 unit = g->tracks ? g->heads : 1;
    struct cause cause = {0};
    const struct vm_copy what = {.from = f->from.link->img,
                                 .to = f->to.link->img,
                                 .part = {.from = f->from.first * unit,
                                          .to = f->to.first * unit,
                                          .count = (f->from.last - f->from.first + 1) * unit}};
    if (user->cp->ports.vm->disk_copy(user->vm, &what, copied, f, &cause))
        return refused(req, cause.text);
    cp_on_halt(req, cp_halt_still, NULL);
    return CP_LATER;
}

/* FLASHCOPY vdev {first last | ALL} [TO] vdev {first last | ALL} */
int cp_cmd_flashcopy(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    struct flashcopy *f = user ? calloc(1, sizeof *f) : NULL;
    const char *word;
    (void)ctx;
    if (!f)
        return user ? refused(req, "no memory") : msg_number(MSG_CMD045E);
    f->cp = req->cp;
    f->req = req;
    int rc = side_take(req, &f->from);
    if (!rc && (word = cp_operand_peek(req)) && !strcmp(word, "TO"))
        cp_operand(req);
    rc = rc ? rc : side_take(req, &f->to);
    rc = rc ? rc : cp_no_more(req);
    rc = rc ? rc : check(req, f);
    rc = rc ? rc : begin(req, user, f);
    if (rc != CP_LATER)
        free(f);
    return rc;
}
