/* GIVE, which hands a tape drive on, REWIND, REDEFINE, which gives a disk or tape another number.
 * Source: z/VM "CP Commands and Utilities Reference"; the answers are from memory. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"

static bool devno_of(const char *word, u16 *out)
{
    u64 v;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &v))
        return false;
    *out = (u16)v;
    return true;
}

/* --- GIVE ----------------------------------------------------------------------------------- */

/* To whom, as what; a message when something is wrong. */
static int give_operands(struct cp_request *req, struct cp_user **to, u16 *vdev,
                         bool *read_only)
{
    const char *word = cp_operand(req);
    if (word && !strcmp(word, "TO"))
        word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_LGA020E);
    *to = cp_user_find(req->cp, word);
    if (!*to)
        return cp_fail(req, MSG_CMD045E, word);
    word = cp_operand(req);
    if (word && !strcmp(word, "AS"))
        word = cp_operand(req);
    if (devno_of(word, vdev))
        word = cp_operand(req);
    *read_only = word && !strcmp(word, "R/O");
    if (word && (*read_only || !strcmp(word, "R/W")))
        word = cp_operand(req);
    if (word && cp_abbrev(word, "LEAVE")) /* the volume stays where it is: as always */
        word = cp_operand(req);
    return word ? cp_fail(req, MSG_CMD003E, word) : 0;
}

static int give(struct cp_request *req, struct cp_user *from, struct cp_user *to,
                struct rdev *d, u16 vdev, bool read_only)
{
    char text[MSG_LINE_BYTES], klass[8];
    struct cause cause;
    u16 was = d->vdev;
    if (req->cp->ports.vm->subchannel(to->vm, vdev) >= 0)
        return cp_fail(req, MSG_ATR128E, "TAPE", d->devno, to->userid, vdev);
    if (cp_take_away(from, was, klass, &cause))
        return cp_fail(req, MSG_ATR120E, to->userid, vdev, cause.text);
    int rc = cp_attach_real(to, d, vdev, read_only, text);
    if (rc) {
        cp_line_text(req, text);
        if (cp_attach_real(from, d, was, false, text))
            cp_line_text(req, text);
        return rc;
    }
    cp_line(req, "TAPE %04X GIVEN TO %s %04X%s", d->devno, to->userid, vdev,
            read_only ? " R/O" : "");
    cp_user_tell(to, "TAPE %04X GIVEN BY %s", vdev, from->userid);
    return 0;
}

/* GIVE rdev [TO] userid [[AS] vdev] [R/O] [LEAVE]: a tape drive that is attached to you */
int cp_cmd_give(struct cp_request *req, void *ctx)
{
    struct cp_user *from = cp_own_machine(req), *to = NULL;
    const char *word = cp_operand(req);
    bool read_only = false;
    u16 rdev, vdev;
    (void)ctx;
    if (!from)
        return msg_number(MSG_CMD045E);
    if (!devno_of(word, &rdev))
        return cp_fail(req, MSG_ATR021E);
    struct rdev *d = cp_rdevs(req->cp) ? rdev_find(cp_rdevs(req->cp), rdev) : NULL;
    if (!d)
        return cp_fail(req, MSG_ATR040E, word);
    vdev = d->vdev;
    int rc = give_operands(req, &to, &vdev, &read_only);
    if (rc)
        return rc;
    if (d->klass != RDEV_TAPE || d->state != RDEV_ATTACHED || strcmp(d->user, from->userid))
        return cp_fail(req, MSG_DTR121E, "TAPE", rdev, from->userid);
    return give(req, from, to, d, vdev, read_only);
}

/* --- REWIND --------------------------------------------------------------------------------- */

/* REWIND vdev */
int cp_cmd_rewind(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    struct cause cause = {0};
    u16 vdev;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!devno_of(word, &vdev))
        return cp_fail(req, MSG_DEF022E);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    const struct vm_ops *ops = user->cp->ports.vm;
    if (ops->subchannel(user->vm, vdev) < 0)
        return cp_fail(req, MSG_QVD040E, word);
    rc = ops->tape_rewind(user->vm, vdev, &cause);
    if (rc)
        return rc == ST_NOENT ? cp_fail(req, MSG_REW006E, word)
                              : cp_fail(req, MSG_REW128E, vdev, cause.text);
    cp_line(req, "REWIND COMPLETE");
    return 0;
}

/* --- REDEFINE ------------------------------------------------------------------------------- */

/* The device under another number; what it was doing ends. */
static int move_device(struct cp_user *user, const struct vlink *l, u16 vdev,
                       struct cause *cause)
{
    const struct vm_ops *ops = user->cp->ports.vm;
    int rc = ops->device_detach(user->vm, l->vdev, true, cause);
    if (rc)
        return rc;
    return l->kind == VLINK_TAPE
               ? ops->tape_attach(user->vm, vdev, l->rdev->type, l->tape, true, cause)
               : ops->disk_attach(user->vm, vdev, l->img, true, cause);
}

/* REDEFINE [DEVICE] vdev [AS] vdev: a disk or tape */
int cp_cmd_redefine(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req), *from;
    struct cause cause = {0};
    u16 old, vdev;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (word && !strcmp(word, "DEVICE"))
        word = cp_operand(req);
    from = word;
    if (!devno_of(word, &old))
        return cp_fail(req, MSG_DEF022E);
    word = cp_operand(req);
    if (word && !strcmp(word, "AS"))
        word = cp_operand(req);
    if (!devno_of(word, &vdev))
        return cp_fail(req, MSG_DEF022E);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (user->cp->ports.vm->subchannel(user->vm, old) < 0)
        return cp_fail(req, MSG_DTV040E, from);
    if (user->cp->ports.vm->subchannel(user->vm, vdev) >= 0)
        return cp_fail(req, MSG_DEF092E, vdev, vdev);
    struct vlink *l =
        cp_rdevs(req->cp) ? link_find(cp_rdevs(req->cp), user->userid, old) : NULL;
    if (!l)
        return cp_fail(req, MSG_DEF091E, vdev, "only disks and tapes can be redefined");
    if (move_device(user, l, vdev, &cause))
        return cp_fail(req, MSG_DEF091E, vdev, cause.text);
    link_renumber(cp_rdevs(req->cp), l, vdev);
    cp_line(req, "%s %04X DEFINED", l->kind == VLINK_TAPE ? "TAPE" : "DASD", vdev);
    return 0;
}
