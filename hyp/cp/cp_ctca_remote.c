/* Pairs of adapters on two members. The member that is asked has the adapter, with a stub for the
 * side of the one that asks (io/net/ctc_remote.h); between them go ASK, ANSWER, then DATA, and BYE.
 * At most one command is under way for each pair, so that little waits in a link. Device threads
 * leave what they send to the loop thread. What arrives is decoded as hostile; a pair whose other
 * end makes no sense ends. A link that is lost ends its pairs, and the operator is told. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_ctca.h"

enum { TYPE_ASK = CP_CTC_TYPES, TYPE_ANSWER, TYPE_DATA, TYPE_BYE };
enum {
    ROW_ID = CODEC_MANDATORY | 1, /* the one who asks gave it */
    ROW_TO = CODEC_MANDATORY | 2, /* 1: for the one who was asked */
    ROW_BY = CODEC_MANDATORY | 3, /* user, device */
    ROW_BY_VDEV = CODEC_MANDATORY | 4,
    ROW_USER = CODEC_MANDATORY | 5, /* whose adapter is asked for */
    ROW_VDEV = CODEC_MANDATORY | 6,
    ROW_KIND = CODEC_MANDATORY | 7,
    ROW_NO = CODEC_MANDATORY | 8,    /* enum cp_ctc_no */
    ROW_BYTES = CODEC_MANDATORY | 9, /* a message of ctc_remote */
};

/** One end of a pair. Located by all->first and ctca->link. */
struct cp_ctc_link {
    struct cp_ctc_link *next;
    struct cp_ctcs *all;
    struct cp_ctca *ctca;
    char member[CONFIG_NAME_BYTES]; /* the other one */
    u32 id;
    bool asked; /* this end has the adapter and the stub */
    char userid[DIR_NAME_BYTES];
    u16 vdev;
    struct ctc_remote *remote;
    struct ctc_stub *stub;
    struct cp_request *req; /* COUPLE, which waits for the answer */
    u64 timer;
};

/** Located by cp->ctcs, and by notes to the loop thread, the last of which may come when CP has
 *  gone. */
struct cp_ctcs {
    struct cp *cp; /* NULL: gone */
    struct cp_ctc_link *first;
    u32 last_id;
    _Atomic u32 refs;
};

static struct cp_ctcs *all_of(struct cp *cp)
{
    if (!cp->ctcs && (cp->ctcs = calloc(1, sizeof *cp->ctcs))) {
        cp->ctcs->cp = cp;
        cp->ctcs->refs = 1;
    }
    return cp->ctcs;
}

static void unref(struct cp_ctcs *all)
{
    if (atomic_fetch_sub(&all->refs, 1) == 1)
        free(all);
}

void cp_ctcs_fini(struct cp *cp)
{
    if (!cp->ctcs)
        return;
    cp->ctcs->cp = NULL;
    unref(cp->ctcs);
    cp->ctcs = NULL;
}

const char *cp_ctc_user(const struct cp_ctc_link *link)
{
    return link->userid;
}

u16 cp_ctc_vdev(const struct cp_ctc_link *link)
{
    return link->vdev;
}

bool cp_ctc_open(const struct cp_ctc_link *link)
{
    return link->remote || link->stub;
}

static struct cp_ctc_link *find(struct cp *cp, const char *member, u32 id, bool asked)
{
    struct cp_ctc_link *l = cp->ctcs ? cp->ctcs->first : NULL;
    while (l && (l->id != id || l->asked != asked || strcasecmp(l->member, member)))
        l = l->next;
    return l;
}

/* --- sending -------------------------------------------------------------------------------- */

struct note {
    struct cp_ctcs *all;
    char member[CONFIG_NAME_BYTES];
    u32 id;
    bool asked; /* it is from the one who was */
    size_t len;
    u8 bytes[];
};

static int send_out(struct cp *cp, const char *member, u16 type, struct codec_out *out)
{
    int status = out->failed ? ST_NOMEM
                 : !cp->cluster
                     ? ST_LOST
                     : cp->cluster->send(cp->cluster_ctx, member, type, out->data, out->len);
    codec_out_fini(out);
    return status;
}

static void put_address(struct codec_out *out, u32 id, bool asked)
{
    codec_out_init(out);
    codec_put_u32(out, ROW_ID, id);
    codec_put_u8(out, ROW_TO, !asked);
}

static void lost(struct cp_ctc_link *l);

static void deliver(void *arg)
{
    struct note *n = arg;
    struct cp *cp = n->all->cp;
    struct cp_ctc_link *l = cp ? find(cp, n->member, n->id, n->asked) : NULL;
    struct codec_out out;
    if (l) { /* else the pair has ended meanwhile */
        put_address(&out, n->id, n->asked);
        codec_put_bytes(&out, ROW_BYTES, n->bytes, n->len);
        if (send_out(cp, n->member, TYPE_DATA, &out))
            lost(l);
    }
    unref(n->all);
    free(n);
}

/* Any thread. Without memory for a message the command that waits is given up by its program. */
static void wire_send(void *arg, const u8 *message, size_t len)
{
    struct cp_ctc_link *l = arg;
    const struct cp_ports *ports = &l->all->cp->ports;
    struct note *n = malloc(sizeof *n + len);
    if (!n)
        return;
    *n = (struct note){.all = l->all, .id = l->id, .asked = l->asked, .len = len};
    memcpy(n->member, l->member, sizeof n->member);
    memcpy(n->bytes, message, len);
    l->all->refs++;
    ports->post(ports->ctx, deliver, n);
}

/* --- life ----------------------------------------------------------------------------------- */

static struct cp_ctc_link *link_new(struct cp_ctca *c, const char *member, u32 id, bool asked,
                                    const char *userid, u16 vdev)
{
    struct cp_ctcs *all = all_of(c->user->cp);
    struct cp_ctc_link *l = all ? calloc(1, sizeof *l) : NULL;
    if (!l)
        return NULL;
    *l = (struct cp_ctc_link){
        .next = all->first, .all = all, .ctca = c, .id = id, .asked = asked, .vdev = vdev};
    snprintf(l->member, sizeof l->member, "%.8s", member);
    snprintf(l->userid, sizeof l->userid, "%.8s", userid);
    all->first = l;
    c->link = l;
    return l;
}

/* Nothing of it is left; a command that waits is not answered. */
static void link_free(struct cp_ctc_link *l)
{
    struct cp *cp = l->all->cp;
    struct cp_ctc_link **at = &l->all->first;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    l->ctca->link = NULL;
    if (l->timer)
        cp->ports.timer_cancel(cp->ports.ctx, l->timer);
    ctc_stub_destroy(l->stub);
    if (l->remote)
        cp->ports.vm->ctca_set_remote(l->ctca->user->vm, l->ctca->vdev, NULL);
    ctc_remote_destroy(l->remote);
    free(l);
}

static void say_bye(struct cp_ctc_link *l)
{
    struct codec_out out;
    put_address(&out, l->id, l->asked);
    send_out(l->all->cp, l->member, TYPE_BYE, &out);
}

/* COUPLE has its answer: it is refused. */
static void fail(struct cp_ctc_link *l, const char *why)
{
    struct cp_request *req = l->req;
    u16 vdev = l->ctca->vdev;
    link_free(l);
    cp_complete(req, cp_fail(req, MSG_CPL2797E, vdev, why));
}

void cp_ctc_drop(struct cp_ctc_link *l)
{
    say_bye(l);
    if (l->req)
        fail(l, "it was given up");
    else
        link_free(l);
}

static void lost(struct cp_ctc_link *l)
{
    struct cp *cp = l->all->cp;
    struct cp_user *user = l->ctca->user;
    u16 vdev = l->ctca->vdev, other = l->vdev;
    char text[MSG_LINE_BYTES], userid[DIR_NAME_BYTES];
    if (l->req) {
        fail(l, "the link with the other member is lost");
        return;
    }
    msg_format(text, sizeof text, MSG_CPL2798I, vdev, user->userid, l->member);
    strcpy(userid, l->userid);
    link_free(l);
    cp_operator_tell(cp, "%s", text);
    cp_user_tell(user, "CTCA %04X DROP FROM %s %04X", vdev, userid, other);
}

void cp_ctc_lost(struct cp *cp, const char *member)
{
    struct cp_ctc_link *l = cp->ctcs ? cp->ctcs->first : NULL;
    while (l) {
        bool gone = !strcasecmp(l->member, member);
        if (gone)
            lost(l);
        l = gone ? cp->ctcs->first : l->next; /* the list may have changed */
    }
}

/* --- the one who asks ----------------------------------------------------------------------- */

static void timed_out(void *arg)
{
    struct cp_ctc_link *l = arg;
    l->timer = 0;
    say_bye(l);
    fail(l, "the other member does not answer");
}

static void halted(struct cp_request *req, void *ctx)
{
    struct cp_ctc_link *l = ctx;
    (void)req;
    say_bye(l);
    fail(l, "halted by CPHX");
}

int cp_ctc_ask(struct cp_request *req, struct cp_ctca *c, const char *member,
               const char *userid, u16 vdev)
{
    struct cp *cp = req->cp;
    struct cp_ctcs *all = all_of(cp);
    struct cp_ctc_link *l =
        all ? link_new(c, member, ++all->last_id, false, userid, vdev) : NULL;
    struct codec_out out;
    if (!l)
        return cp_fail(req, MSG_CPL2797E, c->vdev, "no memory");
    put_address(&out, l->id, false);
    codec_put_bytes(&out, ROW_BY, c->user->userid, strlen(c->user->userid));
    codec_put_u32(&out, ROW_BY_VDEV, c->vdev);
    codec_put_bytes(&out, ROW_USER, userid, strlen(userid));
    codec_put_u32(&out, ROW_VDEV, vdev);
    codec_put_u8(&out, ROW_KIND, c->type);
    l->req = req;
    l->timer = cp->ports.timer_start(cp->ports.ctx, CP_REMOTE_TIMEOUT_MS, timed_out, l);
    cp_on_halt(req, halted, l);
    int status = send_out(cp, member, TYPE_ASK, &out); /* the answer may be there behind it */
    if (!status)
        return CP_LATER;
    link_free(l);
    return cp_fail(req, MSG_CPL2797E, c->vdev, status_name(status));
}

struct wire {
    u32 id, by_vdev, vdev;
    u8 to, type, no;
    char by[DIR_NAME_BYTES], userid[DIR_NAME_BYTES];
    const u8 *bytes;
    size_t len;
};

static void take_answer(struct cp *cp, const char *member, const struct wire *w)
{
    struct cp_ctc_link *l = find(cp, member, w->id, false);
    if (!l || !l->req)
        return; /* it came too late */
    struct cp_request *req = l->req;
    struct cp_ctca *c = l->ctca;
    char userid[DIR_NAME_BYTES];
    strcpy(userid, l->userid);
    u16 vdev = l->vdev;
    if (!w->no) {
        const struct ctc_wire wire = {wire_send, l};
        l->remote = ctca_remote_create(cp_ctca_device(c), &wire);
    }
    if (!l->remote) {
        if (!w->no)
            say_bye(l);
        link_free(l);
        cp_complete(req, cp_ctc_refuse(req, w->no ? w->no : CP_CTC_NO_MEMORY, c, userid, vdev));
        return;
    }
    cp->ports.timer_cancel(cp->ports.ctx, l->timer);
    l->timer = 0;
    l->req = NULL;
    cp->ports.vm->ctca_set_remote(c->user->vm, c->vdev, l->remote);
    cp_line(req, "CTCA %04X COUPLED TO %s %04X", c->vdev, userid, vdev);
    cp_complete(req, 0);
}

/* --- the one who is asked ------------------------------------------------------------------- */

static enum cp_ctc_no open_asked(struct cp *cp, const char *member, const struct wire *w)
{
    struct cp_ctca *c;
    enum cp_ctc_no no = w->type < CTCA_TYPES
                            ? cp_ctc_check(cp, w->by, w->type, w->userid, (u16)w->vdev, &c)
                            : CP_CTC_NO_FIT;
    if (no)
        return no;
    struct cp_ctc_link *l = link_new(c, member, w->id, true, w->by, (u16)w->by_vdev);
    if (!l)
        return CP_CTC_NO_MEMORY;
    const struct ctc_wire wire = {wire_send, l};
    bool extended = w->type == CTCA_SCTC || w->type == CTCA_CNC || w->type == CTCA_FCTC;
    l->stub = ctc_stub_create(cp->ports.vm->ctc_hub(cp->ports.vm_host), extended, &wire);
    if (!l->stub) {
        link_free(l);
        return CP_CTC_NO_MEMORY;
    }
    ctc_couple(ctca_side(cp_ctca_device(c)), ctc_stub_side(l->stub));
    cp_user_tell(c->user, "CTCA %04X COUPLED BY %s %04X", c->vdev, l->userid, l->vdev);
    return CP_CTC_OK;
}

static void take_ask(struct cp *cp, const char *member, const struct wire *w)
{
    struct codec_out out;
    if (!w->id || !*w->by || !*w->userid || w->by_vdev > 0xffff || w->vdev > 0xffff ||
        find(cp, member, w->id, true))
        return;
    enum cp_ctc_no no = open_asked(cp, member, w);
    put_address(&out, w->id, true);
    codec_put_u8(&out, ROW_NO, (u8)no);
    struct cp_ctc_link *l = find(cp, member, w->id, true);
    if (send_out(cp, member, TYPE_ANSWER, &out) && l)
        lost(l);
}

/* --- both ----------------------------------------------------------------------------------- */

static void take_data(struct cp *cp, const char *member, const struct wire *w)
{
    struct cp_ctc_link *l = find(cp, member, w->id, w->to);
    bool good = true;
    if (!l || !w->bytes)
        return;
    if (l->stub)
        good = ctc_stub_receive(l->stub, w->bytes, w->len);
    else if (l->remote)
        good = ctc_remote_receive(l->remote, w->bytes, w->len);
    if (good)
        return;
    say_bye(l);
    lost(l);
}

static void take_bye(struct cp *cp, const char *member, const struct wire *w)
{
    struct cp_ctc_link *l = find(cp, member, w->id, w->to);
    if (!l || l->req)
        return;
    struct cp_user *user = l->ctca->user;
    cp_user_tell(user, "CTCA %04X DROP BY %s %04X", l->ctca->vdev, l->userid, l->vdev);
    link_free(l);
}

static bool take_name(const struct codec_row *row, char out[DIR_NAME_BYTES])
{
    return codec_get_text(row, out, DIR_NAME_BYTES) && cp_userid_ok(out);
}

static bool take_row(void *ctx, const struct codec_row *row)
{
    struct wire *w = ctx;
    switch (row->tag) {
    case ROW_ID: return codec_get_u32(row, &w->id);
    case ROW_TO: return codec_get_u8(row, &w->to) && w->to <= 1;
    case ROW_BY: return take_name(row, w->by);
    case ROW_BY_VDEV: return codec_get_u32(row, &w->by_vdev);
    case ROW_USER: return take_name(row, w->userid);
    case ROW_VDEV: return codec_get_u32(row, &w->vdev);
    case ROW_KIND: return codec_get_u8(row, &w->type);
    case ROW_NO: return codec_get_u8(row, &w->no) && w->no <= CP_CTC_NO_MEMORY;
    case ROW_BYTES:
        w->bytes = row->p;
        w->len = row->len;
        return row->len <= CTC_MESSAGE_BYTES_MAX;
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

void cp_ctc_receive(struct cp *cp, const char *member, u16 type, const void *data, size_t len)
{
    struct wire w = {0};
    if (!codec_take_all(data, len, take_row, &w))
        return;
    if (type == TYPE_ASK)
        take_ask(cp, member, &w);
    else if (type == TYPE_ANSWER)
        take_answer(cp, member, &w);
    else if (type == TYPE_DATA)
        take_data(cp, member, &w);
    else if (type == TYPE_BYE)
        take_bye(cp, member, &w);
}
