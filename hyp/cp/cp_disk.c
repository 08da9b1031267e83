/* Minidisks: linked at logon as the directory says, and by LINK; what QUERY VIRTUAL tells of
 * them. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_internal.h"
#include "hyp/cp/cp_net.h"

#define LINKS_FOLLOWED_MAX 8u /* LINK to a LINK in the directory */

struct rdevs *cp_rdevs(const struct cp *cp)
{
    return cp->ports.rdevs;
}

static const char *devno_text(u16 devno, char out[8])
{
    snprintf(out, 8, "%04X", devno);
    return out;
}

#define USERS_BYTES 32

/* "LINUX2", "3 users"; of a member that has not told yet: "user AT MEMBERB" */
static void users_text(unsigned n, const char *name, const struct link_others *o,
                       char out[USERS_BYTES])
{
    if (n == 1)
        snprintf(out, USERS_BYTES, "%s", name);
    else if (n)
        snprintf(out, USERS_BYTES, "%u users", n);
    else if (o->member[0])
        snprintf(out, USERS_BYTES, "user AT %s", o->member);
    else
        snprintf(out, USERS_BYTES, "another system");
}

/* --- linking -------------------------------------------------------------------------------- */

/* Why there is no link, as a message; its number. */
static int refused(const struct link_others *o, const char *owner, const char *vdev, char *text)
{
    char readers[USERS_BYTES], writers[USERS_BYTES];
    users_text(o->readers, o->reader, o, readers);
    users_text(o->writers, o->writer, o, writers);
    if (o->writers && o->readers)
        return msg_format(text, MSG_LINE_BYTES, MSG_LNM106E, owner, vdev, writers, readers);
    if (o->readers && !o->elsewhere)
        return msg_format(text, MSG_LINE_BYTES, MSG_LNM104E, owner, vdev, readers);
    return msg_format(text, MSG_LINE_BYTES, MSG_LNM105E, owner, vdev, writers);
}

/* Write access was asked for, read access given. */
static int forced(const struct link_others *o, const char *vdev, char *text)
{
    char readers[USERS_BYTES], writers[USERS_BYTES];
    users_text(o->readers, o->reader, o, readers);
    users_text(o->writers, o->writer, o, writers);
    if (!o->readers && !o->writers && !o->elsewhere)
        return msg_format(text, MSG_LINE_BYTES, MSG_LNM117E, vdev);
    if (o->writers && o->readers)
        return msg_format(text, MSG_LINE_BYTES, MSG_LNM103E, vdev, writers, readers);
    if (o->readers && !o->elsewhere)
        return msg_format(text, MSG_LINE_BYTES, MSG_LNM101E, vdev, readers);
    return msg_format(text, MSG_LINE_BYTES, MSG_LNM102E, vdev, writers);
}

/* It was linked, others have it too. */
static void linked(const struct vlink *l, const struct link_others *o, char *text)
{
    char readers[USERS_BYTES], writers[USERS_BYTES];
    users_text(o->readers, o->reader, o, readers);
    users_text(o->writers, o->writer, o, writers);
    int n = snprintf(text, MSG_LINE_BYTES, "DASD %04X LINKED %s", l->vdev,
                     l->write ? "R/W" : "R/O");
    if (o->writers)
        n += snprintf(text + n, MSG_LINE_BYTES - (size_t)n, "; R/W BY %s", writers);
    if (o->readers)
        snprintf(text + n, MSG_LINE_BYTES - (size_t)n, "; R/O BY %s", readers);
    for (char *p = text; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 32);
}

static int not_linked(const struct link_request *q, enum link_result result,
                      const struct link_others *o, const struct cause *cause, char *text)
{
    char vdev[8];
    devno_text(q->mdisk->vdev, vdev);
    switch (result) {
    case LINK_REFUSED: return refused(o, q->owner, vdev, text);
    case LINK_NOT_MOUNTED:
        return msg_format(text, MSG_LINE_BYTES, MSG_LNM108E, q->owner, vdev,
                          q->mdisk->kind == DIR_MDISK_DEVNO ? "of its device"
                                                            : q->mdisk->volid);
    case LINK_NO_SPACE: return msg_format(text, MSG_LINE_BYTES, MSG_LNM091E, vdev);
    default: return msg_format(text, MSG_LINE_BYTES, MSG_LNM119E, q->owner, vdev, cause->text);
    }
}

int cp_link(struct cp_user *user, const struct link_request *q, char *text)
{
    struct cp *cp = user->cp;
    struct link_others others;
    struct cause cause = {0};
    struct vlink *l;
    char vdev[8], at[8];
    text[0] = 0;
    if (cp->ports.vm->subchannel(user->vm, q->vdev) >= 0)
        return msg_format(text, MSG_LINE_BYTES, MSG_LNM110E, q->owner,
                          devno_text(q->mdisk->vdev, vdev), devno_text(q->vdev, at));
    enum link_result result =
        cp_rdevs(cp) ? link_mdisk(cp_rdevs(cp), q, &l, &others, &cause) : LINK_NOT_MOUNTED;
    if (result != LINK_DONE)
        return not_linked(q, result, &others, &cause, text);
    if (cp->ports.vm->disk_attach(user->vm, q->vdev, l->img, true, &cause)) {
        link_drop(cp_rdevs(cp), l);
        return msg_format(text, MSG_LINE_BYTES, MSG_LNM119E, q->owner,
                          devno_text(q->mdisk->vdev, vdev), cause.text);
    }
    if (!l->write && link_mode_writes(q->mode))
        return forced(&others, devno_text(q->vdev, at), text);
    if (others.readers || others.writers)
        linked(l, &others, text);
    return 0;
}

/* Links from before this system joined: what another member's users keep them from ends. Addresses
 * of adapters from before are claimed. */
void cp_links_join(struct cp *cp)
{
    struct rdevs *r = cp_rdevs(cp);
    for (struct vlink *l = link_next(r, "", NULL), *next; l; l = next) {
        struct cause cause = {0}, ignored;
        char klass[8], userid[DIR_NAME_BYTES], vdev[8];
        next = link_next(r, "", l);
        int rc = link_join(r, l, &cause);
        struct cp_user *user = rc ? cp_user_find(cp, l->user) : NULL;
        if (!user)
            continue;
        snprintf(userid, sizeof userid, "%s", l->user);
        devno_text(l->vdev, vdev);
        cp_take_away(user, l->vdev, klass, &ignored);
        cp_user_tell(user, "DASD %s DETACHED; %s AT %s", vdev,
                     rc == ST_EXIST ? "IN USE" : "NOT GRANTED", cause.text);
        cp_operator_tell(cp, "DASD %s of %s is detached: %s %s", vdev, userid,
                         rc == ST_EXIST ? "users have it at" : "", cause.text);
    }
    if (r)
        links_look(r);
    cp_nics_reclaim(cp);
}

const struct dir_mdisk *cp_mdisk_find(struct cp *cp, const char *self, const char **owner,
                                      u16 vdev)
{
    for (unsigned depth = 0; depth < LINKS_FOLLOWED_MAX; depth++) {
        *owner = strcmp(*owner, "*") ? *owner : self;
        const struct dir_entry *e = directory_find(cp->directory, *owner);
        const struct dir_link *next = NULL;
        for (unsigned i = 0; e && i < e->mdisk_count; i++)
            if (e->mdisks[i].vdev == vdev)
                return *owner = e->userid, &e->mdisks[i];
        for (unsigned i = 0; e && i < e->link_count && !next; i++)
            next = e->links[i].vdev == vdev ? &e->links[i] : NULL;
        if (!next)
            return NULL;
        self = e->userid;
        *owner = next->owner;
        vdev = next->owner_vdev;
    }
    return NULL;
}

/* --- at logon ------------------------------------------------------------------------------- */

static void tell(struct cp_user *user, const char *text)
{
    if (*text)
        console_write_line(user->console, text);
}

static void link_of_entry(struct cp_user *user, const struct dir_link *k)
{
    char text[MSG_LINE_BYTES], vdev[8];
    const char *owner = k->owner;
    const struct dir_mdisk *m = cp_mdisk_find(user->cp, user->userid, &owner, k->owner_vdev);
    const struct link_request q = {
        .user = user->userid, .vdev = k->vdev, .owner = owner, .mdisk = m, .mode = k->mode};
    if (m)
        cp_link(user, &q, text);
    else
        msg_format(text, sizeof text, MSG_LNM107E, k->owner, devno_text(k->owner_vdev, vdev));
    tell(user, text);
}

static void dedicate_of_entry(struct cp_user *user, const struct dir_dedicate *k)
{
    struct rdevs *r = cp_rdevs(user->cp);
    struct rdev *d = r && !k->volid[0] ? rdev_find(r, k->rdev) : NULL;
    char text[MSG_LINE_BYTES];
    for (unsigned i = 0; r && k->volid[0] && !d && rdev_at(r, i); i++)
        if (rdev_at(r, i)->state != RDEV_OFFLINE && !strcmp(rdev_at(r, i)->volid, k->volid))
            d = rdev_at(r, i);
    cp_attach_real(user, d, k->vdev, k->read_only, text);
    tell(user, text);
}

void cp_disks_logon(struct cp_user *user)
{
    const struct dir_entry *e = user->entry;
    char text[MSG_LINE_BYTES];
    for (unsigned i = 0; i < e->mdisk_count; i++) {
        const struct dir_mdisk *m = &e->mdisks[i];
        const struct link_request q = {.user = user->userid,
                                       .vdev = m->vdev,
                                       .owner = user->userid,
                                       .mdisk = m,
                                       .mode = m->mode};
        cp_link(user, &q, text);
        tell(user, text);
    }
    for (unsigned i = 0; i < e->link_count; i++)
        link_of_entry(user, &e->links[i]);
    for (unsigned i = 0; i < e->dedicate_count; i++)
        dedicate_of_entry(user, &e->dedicates[i]);
}

void cp_disks_end(struct cp *cp, const char *userid)
{
    struct rdevs *r = cp_rdevs(cp);
    struct vlink *l;
    while (r && (l = link_next(r, userid, NULL)))
        link_drop(r, l);
}

/* --- LINK ----------------------------------------------------------------------------------- */

/* A password for this mode; 0, or the number of the message that refuses. */
static int may_link(struct cp_request *req, struct cp_user *user, const struct dir_mdisk *m,
                    const char *owner, enum link_mode mode, const char *password)
{
    unsigned which = link_mode_letter(mode) == 'R' ? 0 : link_mode_letter(mode) == 'W' ? 1 : 2;
    static const enum msg_id none[] = {MSG_LNM111E, MSG_LNM112E, MSG_LNM113E};
    const char *want = m->password[which];
    char vdev[8];
    enum link_keeps keeps = link_mode_keeps(mode);
    u32 stable = DIR_OPT_LNKSTABL | DIR_OPT_LNKEXCLU;
    if ((keeps && !(user->entry->options & stable)) ||
        (keeps == LINK_KEEPS_EXCLUSIVE && !(user->entry->options & DIR_OPT_LNKEXCLU)))
        return cp_fail(req, MSG_LNM298E, owner, devno_text(m->vdev, vdev));
    if (!strcmp(owner, user->userid) || user->entry->options & DIR_OPT_LNKNOPAS ||
        !strcmp(want, "ALL"))
        return 0;
    devno_text(m->vdev, vdev);
    if (!want[0])
        return cp_fail(req, none[which], owner, vdev);
    return password && !strcmp(password, want) ? 0 : cp_fail(req, MSG_LNM114E, owner, vdev);
}

struct link_operands {
    const char *owner, *password;
    u16 owner_vdev, vdev;
    enum link_mode mode;
};

static bool take_vdev(struct cp_request *req, u16 *out)
{
    const char *word = cp_operand(req);
    u64 v;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &v))
        return false;
    *out = (u16)v;
    return true;
}

static void skip_word(struct cp_request *req, const char *word)
{
    const char *next = cp_operand_peek(req);
    if (next && !strcmp(next, word))
        cp_operand(req);
}

/* [TO] {userid | *} vdev1 [AS] vdev2 [mode] [[PASS=] password] */
static int link_operands(struct cp_request *req, struct link_operands *o)
{
    skip_word(req, "TO");
    o->owner = cp_operand(req);
    o->mode = LINK_R;
    if (!o->owner || (strcmp(o->owner, "*") && !cp_userid_ok(o->owner)))
        return cp_fail(req, MSG_LNM020E);
    if (!strcmp(o->owner, "*"))
        o->owner = req->userid;
    cp_directory_refresh(req->cp);
    if (!directory_find(req->cp->directory, o->owner)) /* vmur asks with LINK userid alone */
        return cp_fail(req, MSG_LNM053E, o->owner);
    if (!take_vdev(req, &o->owner_vdev))
        return cp_fail(req, MSG_LNM022E);
    skip_word(req, "AS");
    if (!take_vdev(req, &o->vdev))
        return cp_fail(req, MSG_LNM022E);
    const char *word = cp_operand(req);
    if (word && link_mode_find(word, &o->mode))
        word = cp_operand(req);
    if (word && !strcmp(word, "PASS="))
        word = cp_operand(req);
    else if (word && !strncmp(word, "PASS=", 5))
        word += 5;
    o->password = word;
    return cp_no_more(req);
}

int cp_cmd_link(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    struct link_operands o = {0};
    struct cp_wants wants = {0};
    char text[MSG_LINE_BYTES], vdev[8];
    const size_t from = req->at;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    int rc = link_operands(req, &o);
    if (rc)
        return rc;
    const char *owner = o.owner;
    const struct dir_mdisk *m = cp_mdisk_find(req->cp, req->userid, &owner, o.owner_vdev);
    if (!m)
        return cp_fail(req, MSG_LNM107E, o.owner, devno_text(o.owner_vdev, vdev));
    rc = may_link(req, user, m, owner, o.mode, o.password);
    if (rc)
        return rc;
    const struct link_request q = {
        .user = user->userid, .vdev = o.vdev, .owner = owner, .mdisk = m, .mode = o.mode};
    if (!req->foreseen) {
        cp_want_link(req->cp, &wants, &q);
        rc = cp_foresee(req, &wants, from, cp_cmd_link, NULL);
        free(wants.want);
        return rc;
    }
    rc = cp_link(user, &q, text);
    if (*text)
        cp_line_text(req, text);
    return rc;
}

/* --- QUERY VIRTUAL -------------------------------------------------------------------------- */

static void disk_text(const struct vlink *l, char *out, size_t room)
{
    const struct image_geometry *g = image_geometry(l->img);
    bool virt = l->kind == VLINK_VIRTUAL;
    const char *volume = l->rdev ? l->rdev->volid : virt ? "(VDSK)" : "(TEMP)";
    char real[8];
    if (l->rdev)
        devno_text(l->rdev->devno, real);
    else
        strcpy(real, virt ? "VDSK" : "TEMP");
    if (l->kind == VLINK_DEDICATED)
        snprintf(out, room, "ON DASD  %s %-6s %s", real, volume, l->write ? "R/W" : "R/O");
    else
        snprintf(out, room, "%04X %-6s %s %10llu %s ON DASD  %s", g->type, volume,
                 l->write ? "R/W" : "R/O",
                 (unsigned long long)(g->tracks ? g->cylinders : g->blocks),
                 g->tracks ? "CYL" : "BLK", real);
}

void cp_link_row(struct cp_request *req, struct cp_user *user, const struct vlink *l)
{
    char text[128];
    int n = req->cp->ports.vm->subchannel(user->vm, l->vdev);
    if (l->kind == VLINK_TAPE)
        snprintf(text, sizeof text, "ON DEV  %04X %04X %s", l->rdev->devno, l->rdev->type,
                 l->write ? "R/W" : "R/O");
    else
        disk_text(l, text, sizeof text);
    cp_line(req, "%s %04X %s SUBCHANNEL = %04X", l->kind == VLINK_TAPE ? "TAPE" : "DASD",
            l->vdev, text, (unsigned)n & 0xffff);
}

unsigned cp_link_rows(struct cp_request *req, struct cp_user *user, const char *klass)
{
    unsigned n = 0;
    for (struct vlink *l = link_next(cp_rdevs(req->cp), user->userid, NULL); l;
         l = link_next(cp_rdevs(req->cp), user->userid, l)) {
        if (*klass && strcmp(klass, l->kind == VLINK_TAPE ? "TAPE" : "DASD") != 0)
            continue;
        cp_link_row(req, user, l);
        n++;
    }
    return n;
}
