/* Devices that come and go: DEFINE and DETACH of virtual ones, ATTACH, DETACH and VARY of
 * real ones. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_ctca.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_net.h"

#define DEFINE_UNITS_MAX 0xffffffffull

static const struct vm_ops *ops(const struct cp_request *req)
{
    return req->cp->ports.vm;
}

static bool is_devno(const char *word, u16 *out)
{
    u64 v;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &v))
        return false;
    *out = (u16)v;
    return true;
}

const char *rdev_class_name(enum rdev_class klass)
{
    static const char *const names[] = {"DASD", "TAPE", "GRAF", "UR", "OSA"};
    return names[klass];
}

/* --- whole real devices --------------------------------------------------------------------- */

/* Why this device cannot be attached: a message, or 0. */
int cp_rdev_busy(const struct cp *cp, const struct rdev *d, char *text)
{
    switch (d->state) {
    case RDEV_OFFLINE:
        return msg_format(text, MSG_LINE_BYTES, MSG_ATR046E, rdev_class_name(d->klass),
                          d->devno);
    case RDEV_SYSTEM:
        return msg_format(text, MSG_LINE_BYTES, MSG_ATR123E, rdev_class_name(d->klass),
                          d->devno);
    case RDEV_ATTACHED:
        return msg_format(text, MSG_LINE_BYTES, MSG_ATR122E, rdev_class_name(d->klass),
                          d->devno, d->user);
    case RDEV_FREE: break;
    }
    unsigned n = rdev_links(cp_rdevs(cp), d);
    return n ? msg_format(text, MSG_LINE_BYTES, MSG_ATR124E, rdev_class_name(d->klass),
                          d->devno, n)
             : 0;
}

int cp_attach_real(struct cp_user *user, struct rdev *d, u16 vdev, bool read_only, char *text)
{
    struct cp *cp = user->cp;
    struct cause cause = {0};
    struct vlink *l = NULL;
    text[0] = 0;
    if (!d)
        return msg_format(text, MSG_LINE_BYTES, MSG_ATR120E, user->userid, vdev,
                          "there is no such real device");
    int rc = cp_rdev_busy(cp, d, text);
    if (rc)
        return rc;
    if (cp->ports.vm->subchannel(user->vm, vdev) >= 0)
        return msg_format(text, MSG_LINE_BYTES, MSG_ATR128E, rdev_class_name(d->klass),
                          d->devno, user->userid, vdev);
    rc = link_real(cp_rdevs(cp), d, user->userid, vdev, read_only, &l, &cause);
    if (rc == ST_OK)
        rc = l->kind == VLINK_TAPE
                 ? cp->ports.vm->tape_attach(user->vm, vdev, d->type, l->tape, true, &cause)
                 : cp->ports.vm->disk_attach(user->vm, vdev, l->img, true, &cause);
    if (rc == ST_OK)
        return 0;
    if (l)
        link_drop(cp_rdevs(cp), l);
    return msg_format(text, MSG_LINE_BYTES, MSG_ATR120E, user->userid, vdev, cause.text);
}

struct attach_operands {
    u16 first, last, vdev;
    struct cp_user *user; /* NULL: the system */
    const char *volid;    /* what its label is to be; NULL: as it is */
    bool read_only;
};

/* "rdev" or "rdev-rdev". */
static bool range_operand(const char *word, u16 *first, u16 *last)
{
    char one[8];
    if (!word)
        return false;
    const char *dash = strchr(word, '-');
    snprintf(one, sizeof one, "%.*s", (int)strcspn(word, "-"), word);
    *last = 0;
    if (!is_devno(one, first) || (dash && !is_devno(dash + 1, last)))
        return false;
    *last = dash ? *last : *first;
    return *first <= *last;
}

/* Behind SYSTEM: [[AS] volid]; behind a user id: [[AS] vdev] [R/O] */
static int attach_tail(struct cp_request *req, struct attach_operands *o)
{
    const char *word = cp_operand(req);
    if (word && !strcmp(word, "AS"))
        word = cp_operand(req);
    if (!o->user) {
        o->volid = word;
        return word && o->first != o->last ? cp_fail(req, MSG_CMD003E, word) : cp_no_more(req);
    }
    o->vdev = o->first;
    if (is_devno(word, &o->vdev))
        word = cp_operand(req);
    if (o->vdev + (o->last - o->first) > 0xffff)
        return cp_fail(req, MSG_ATR021E);
    o->read_only = word && !strcmp(word, "R/O");
    return word && !o->read_only ? cp_fail(req, MSG_CMD003E, word) : cp_no_more(req);
}

/* rdev[-rdev] [TO] {userid | * | SYSTEM} ... */
static int attach_operands(struct cp_request *req, struct attach_operands *o)
{
    const char *word = cp_operand(req);
    *o = (struct attach_operands){0};
    if (!range_operand(word, &o->first, &o->last))
        return cp_fail(req, MSG_ATR021E);
    word = cp_operand(req);
    if (word && !strcmp(word, "TO"))
        word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_LGA020E);
    if (strcmp(word, "SYSTEM")) {
        o->user = cp_user_find(req->cp, strcmp(word, "*") ? word : req->userid);
        if (!o->user)
            return cp_fail(req, MSG_CMD045E, word);
    }
    return attach_tail(req, o);
}

static int attach_user(struct cp_request *req, const struct attach_operands *o, struct rdev *d)
{
    char text[MSG_LINE_BYTES];
    u16 vdev = (u16)(o->vdev + d->devno - o->first);
    int rc = cp_attach_real(o->user, d, vdev, o->read_only, text);
    if (rc)
        return cp_line_text(req, text), rc;
    cp_line(req, "%s %04X ATTACHED TO %s %04X%s", rdev_class_name(d->klass), d->devno,
            o->user->userid, vdev, o->read_only ? " R/O" : "");
    if (strcmp(o->user->userid, req->userid))
        cp_user_tell(o->user, "%s %04X ATTACHED BY %s", rdev_class_name(d->klass), vdev,
                     req->userid);
    return 0;
}

/* ATTACH rdev[-rdev] [TO] {{userid | *} [[AS] vdev] [R/O] | SYSTEM [[AS] volid]} */
int cp_cmd_attach(struct cp_request *req, void *ctx)
{
    struct attach_operands o;
    char text[8];
    int rc = attach_operands(req, &o), failed = 0;
    (void)ctx;
    for (u32 n = o.first; rc == 0 && n <= o.last; n++) {
        struct rdev *d = cp_rdevs(req->cp) ? rdev_find(cp_rdevs(req->cp), (u16)n) : NULL;
        snprintf(text, sizeof text, "%04X", n);
        int one = !d       ? cp_fail(req, MSG_ATR040E, text)
                  : o.user ? attach_user(req, &o, d)
                           : cp_attach_system(req, d, o.volid);
        failed = one ? one : failed;
    }
    return rc ? rc : failed;
}

/* --- DETACH --------------------------------------------------------------------------------- */

int cp_take_away(struct cp_user *user, u16 vdev, char klass[8], struct cause *cause)
{
    struct cp *cp = user->cp;
    struct vlink *l = link_find(cp_rdevs(cp), user->userid, vdev);
    struct vm_device_row row;
    snprintf(klass, 8, "%s", l ? l->kind == VLINK_TAPE ? "TAPE" : "DASD" : "DEV");
    for (unsigned i = 0; !l && cp->ports.vm->device_row(user->vm, i, &row); i++)
        if (row.devno == vdev)
            snprintf(klass, 8, "%s", row.klass);
    int rc = cp->ports.vm->device_detach(user->vm, vdev, true, cause);
    if (rc == ST_OK && l)
        link_drop(cp_rdevs(cp), l);
    if (rc == ST_OK && cp->ports.console_wakeup)
        cp->ports.console_wakeup(cp->ports.ctx, NULL); /* a terminal may have dialed it */
    return rc;
}

static int detach_virtual(struct cp_request *req, struct cp_user *user, u16 vdev)
{
    char klass[8], text[8];
    struct cause cause;
    snprintf(text, sizeof text, "%04X", vdev);
    if (cp_nic_at(user, vdev))
        return cp_fail(req, MSG_NIC2786E, vdev, cp_nic_at(user, vdev)->vdev);
    if (cp_ctca_at(user, vdev))
        return cp_detach_ctca(req, cp_ctca_at(user, vdev));
    if (cp_take_away(user, vdev, klass, &cause))
        return cp_fail(req, MSG_DTV040E, text);
    cp_line(req, "%s %04X DETACHED", klass, vdev);
    return 0;
}

/* DETACH rdev [FROM] userid */
static int detach_user(struct cp_request *req, struct rdev *d, const char *word)
{
    struct cp_user *user = cp_user_find(req->cp, strcmp(word, "*") ? word : req->userid);
    char text[8], klass[8];
    struct cause cause;
    if (!user)
        return cp_fail(req, MSG_CMD045E, word);
    if (d->state != RDEV_ATTACHED || strcmp(d->user, user->userid))
        return cp_fail(req, MSG_DTR121E, rdev_class_name(d->klass), d->devno, user->userid);
    u16 vdev = d->vdev;
    snprintf(text, sizeof text, "%04X", d->devno);
    if (cp_take_away(user, vdev, klass, &cause))
        return cp_fail(req, MSG_DTV040E, text);
    cp_line(req, "%s %04X DETACHED %s %04X", rdev_class_name(d->klass), d->devno, user->userid,
            vdev);
    if (strcmp(user->userid, req->userid))
        cp_user_tell(user, "%s %04X DETACHED BY %s", klass, vdev, req->userid);
    return 0;
}

/* DETACH rdev[-rdev] [FROM] {userid | SYSTEM} */
static int detach_real(struct cp_request *req, u16 first, u16 last, const char *word)
{
    int failed = 0;
    char text[8];
    if (!(req->classes & CP_CLASS('B')))
        return cp_fail(req, MSG_CMD003E, word);
    for (u32 n = first; n <= last; n++) {
        struct rdev *d = cp_rdevs(req->cp) ? rdev_find(cp_rdevs(req->cp), (u16)n) : NULL;
        snprintf(text, sizeof text, "%04X", n);
        int one = !d                       ? cp_fail(req, MSG_DTV040E, text)
                  : strcmp(word, "SYSTEM") ? detach_user(req, d, word)
                                           : cp_detach_system(req, d);
        failed = one ? one : failed;
    }
    return failed;
}

static void nearer(u16 vdev, u32 from, u16 last, u32 *next)
{
    if (vdev >= from && vdev <= last && vdev < *next)
        *next = vdev;
}

/* The first of the user's devices from `from` to `last`, or one behind all there are. */
static u32 next_device(struct cp_user *user, u32 from, u16 last)
{
    struct rdevs *r = cp_rdevs(user->cp);
    struct vm_device_row row;
    u32 next = 0x10000;
    for (unsigned i = 0; user->cp->ports.vm->device_row(user->vm, i, &row); i++)
        nearer(row.devno, from, last, &next);
    for (struct vlink *l = link_next(r, user->userid, NULL); l;
         l = link_next(r, user->userid, l))
        nearer(l->vdev, from, last, &next);
    for (const struct cp_ctca *c = user->ctcas; c; c = c->next)
        nearer(c->vdev, from, last, &next);
    for (const struct cp_nic *nic = user->nics; nic; nic = nic->next)
        for (u16 k = 0; k < CP_NIC_DEVICES; k++)
            nearer((u16)(nic->vdev + k), from, last, &next);
    return next;
}

/* vdev-vdev: those that are there. */
static int detach_range(struct cp_request *req, struct cp_user *user, u16 first, u16 last,
                        const char *word)
{
    u32 n = next_device(user, first, last);
    if (n > last)
        return cp_fail(req, MSG_DTV040E, word);
    int rc = 0;
    for (; n <= last; n = next_device(user, n + 1, last)) {
        int one = detach_virtual(req, user, (u16)n);
        rc = one ? one : rc;
    }
    return rc;
}

int cp_detach_device(struct cp_request *req, const char *word)
{
    u16 first, last;
    if (!range_operand(word, &first, &last))
        return cp_fail(req, MSG_CMD002E, word);
    const char *from = cp_operand(req);
    if (from && !strcmp(from, "FROM"))
        from = cp_operand(req);
    if (from)
        return detach_real(req, first, last, from);
    struct cp_user *user = cp_own_machine(req);
    if (!user)
        return msg_number(MSG_CMD045E);
    return first == last ? detach_virtual(req, user, first)
                         : detach_range(req, user, first, last, word);
}

/* The only operand is a device of the user's own: do `fn` to it. */
static int to_device(struct cp_request *req, u16 *vdev,
                     int (*fn)(struct vm *vm, u16 vdev, struct cause *cause))
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    struct cause cause;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!is_devno(word, vdev))
        return cp_fail(req, MSG_DEF022E);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    return fn(user->vm, *vdev, &cause) ? cp_fail(req, MSG_DTV040E, word) : 0;
}

/* RESET vdev */
int cp_cmd_reset(struct cp_request *req, void *ctx)
{
    u16 vdev;
    (void)ctx;
    int rc = to_device(req, &vdev, ops(req)->device_reset);
    if (rc == 0)
        cp_line(req, "DEV %04X RESET", vdev);
    return rc;
}

/* READY vdev */
int cp_cmd_ready(struct cp_request *req, void *ctx)
{
    u16 vdev;
    (void)ctx;
    return to_device(req, &vdev, ops(req)->device_end);
}

/* --- DEFINE --------------------------------------------------------------------------------- */

static const struct define_row {
    const char *name;
    u16 type;          /* disks */
    bool virtual_disk; /* in storage */
    enum vm_unit unit; /* others */
    const char *klass;
} define_rows[] = {
    {"T3390", 0x3390, false, 0, "DASD"},
    {"T9336", 0x9336, false, 0, "DASD"},
    {"TFB-512", 0x9336, false, 0, "DASD"},
    {"VFB-512", 0x9336, true, 0, "DASD"},
    {"GRAF", 0, false, VM_UNIT_DISPLAY, "GRAF"},
    {"CONSole", 0, false, VM_UNIT_CONSOLE, "CONS"},
    {"READER", 0, false, VM_UNIT_READER, "RDR"},
    {"RDR", 0, false, VM_UNIT_READER, "RDR"},
    {"PUNch", 0, false, VM_UNIT_PUNCH, "PUN"},
    {"PCH", 0, false, VM_UNIT_PUNCH, "PUN"},
    {"PRinter", 0, false, VM_UNIT_PRINTER, "PRT"},
    {"PRT", 0, false, VM_UNIT_PRINTER, "PRT"},
    {"1403", 0, false, VM_UNIT_PRINTER, "PRT"},
    {"3203", 0, false, VM_UNIT_PRINTER_3203, "PRT"},
    {"3211", 0, false, VM_UNIT_PRINTER_3211, "PRT"},
};

static int define_disk(struct cp_request *req, struct cp_user *user,
                       const struct define_row *row, u16 vdev)
{
    const char *word = cp_operand(req), *unit = row->type == 0x3390 ? "CYL" : "BLK";
    struct dir_mdisk m = {.vdev = vdev,
                          .type = row->type,
                          .kind = row->virtual_disk ? DIR_MDISK_VIRTUAL : DIR_MDISK_TEMP,
                          .mode = LINK_MW};
    char text[MSG_LINE_BYTES];
    if (word && cp_abbrev(word, unit))
        word = cp_operand(req);
    if (!word || !scan_number(word, 1, DEFINE_UNITS_MAX, &m.count))
        return cp_fail(req, MSG_CMD026E);
    if (cp_no_more(req))
        return msg_number(MSG_CMD003E);
    const struct link_request q = {
        .user = user->userid, .vdev = vdev, .owner = user->userid, .mdisk = &m, .mode = LINK_W};
    if (!cp_rdevs(req->cp) || cp_link(user, &q, text))
        return cp_fail(req, MSG_DEF091E, vdev, strchr(text, ';') ? strchr(text, ';') + 2 : "");
    return 0;
}

/* DEFINE disk [AS] vdev [CYL | BLK] n; DEFINE unit [AS] vdev */
int cp_define_device(struct cp_request *req, const char *kind)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    struct cause cause;
    u16 vdev;
    size_t i = 0;
    int rc = 0;
    if (!user)
        return msg_number(MSG_CMD045E);
    while (i < ARRAY_LEN(define_rows) && !cp_abbrev(kind, define_rows[i].name))
        i++;
    if (i == ARRAY_LEN(define_rows))
        return cp_fail(req, MSG_CMD003E, kind);
    if (word && !strcmp(word, "AS"))
        word = cp_operand(req);
    if (!is_devno(word, &vdev))
        return cp_fail(req, MSG_DEF022E);
    if (ops(req)->subchannel(user->vm, vdev) >= 0)
        return cp_fail(req, MSG_DEF092E, vdev, vdev);
    if (define_rows[i].type)
        rc = define_disk(req, user, &define_rows[i], vdev);
    else if ((rc = cp_no_more(req)) == 0 &&
             ops(req)->unit_attach(user->vm, define_rows[i].unit, vdev, true, &cause))
        rc = cp_fail(req, MSG_DEF091E, vdev, cause.text);
    if (rc == 0)
        cp_line(req, "%s %04X DEFINED", define_rows[i].klass, vdev);
    return rc;
}

/* --- VARY ----------------------------------------------------------------------------------- */

static bool vary_one(struct cp_request *req, u16 devno, bool on, int *rc)
{
    struct rdev *d = cp_rdevs(req->cp) ? rdev_find(cp_rdevs(req->cp), devno) : NULL;
    struct cause cause = {0};
    char text[8];
    snprintf(text, sizeof text, "%04X", devno);
    if (!d)
        return *rc = cp_fail(req, MSG_CPN040E, text), false;
    if (on && !cp_path_online(req->cp, d))
        return *rc = cp_fail(req, MSG_CPN126E, text, "its channel path is offline"), false;
    if (rdev_vary(cp_rdevs(req->cp), d, on, &cause))
        return *rc = cp_fail(req, on ? MSG_CPN126E : MSG_CPN124E, text, cause.text), false;
    cp_line(req, "%s varied %s", text, on ? "online" : "offline");
    return true;
}

/* VARY {ON | OFF}[LINE] rdev[-rdev] ... */
int cp_cmd_vary(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    unsigned asked = 0, done = 0;
    int rc = 0;
    (void)ctx;
    bool on = word && (cp_abbrev(word, "ONline"));
    if (!word || (!on && !cp_abbrev(word, "OFFline")))
        return cp_fail(req, word ? MSG_CMD002E : MSG_CMD026E, word);
    word = cp_operand_peek(req);
    if (word && cp_abbrev(word, "PROCessor"))
        return cp_operand(req), cp_vary_processor(req, on);
    if (word && !strcmp(word, "PATH"))
        return cp_operand(req), cp_vary_path(req, on);
    if (word && !strcmp(word, "CHPID"))
        return cp_operand(req), cp_vary_chpid(req, on);
    while ((word = cp_operand(req))) {
        char first[8] = "";
        const char *dash = strchr(word, '-');
        u16 from, to;
        snprintf(first, sizeof first, "%.*s", (int)strcspn(word, "-"), word);
        if (!is_devno(first, &from) || (dash && !is_devno(dash + 1, &to)))
            return cp_fail(req, MSG_CMD002E, word);
        for (u32 n = from; n <= (dash ? to : from); n++, asked++)
            done += vary_one(req, (u16)n, on, &rc);
    }
    if (!asked)
        return cp_fail(req, MSG_CMD026E);
    cp_line(req, "%u device(s) specified; %u device(s) successfully varied %s", asked, done,
            on ? "online" : "offline");
    return rc;
}
