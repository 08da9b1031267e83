/* Paths whose other end is on another member: what is done at one end goes over the link and is
 * done at the other as if it were here. Text is taken from the sender's storage with SEND and kept
 * at the receiver's member until it is received; how much of it a path may have under way is
 * bounded. What arrives is decoded as hostile; a path whose other end makes no sense is severed,
 * and so are all when the link is lost. A CONNECT is refused by severing, with the IPRCODE in the
 * last byte of IPUSER. */
#include "hyp/iucv/iucv_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define ROW(n) (CODEC_MANDATORY | (n))
enum {
    ROW_KIND = ROW(1),
    ROW_LINK = ROW(2), /* the one who connects gave it */
    ROW_TO = ROW(3),   /* 1: for the one who was asked */
    ROW_FROM = ROW(4), /* CONNECT: user ids */
    ROW_USER = ROW(5),
    ROW_BY = ROW(6), /* CONNECT: by its own statement */
    ROW_FLAGS = ROW(7),
    ROW_LIMIT = ROW(8),
    ROW_WORDS = ROW(9), /* IPUSER */
    ROW_ID = ROW(10),   /* of a message */
    ROW_CLASS = ROW(11),
    ROW_ANSWER = ROW(12), /* room for it; of DONE: what is left of that */
    ROW_AUDIT = ROW(13),
    ROW_DATA = ROW(14), /* 8 bytes */
    ROW_BYTES = ROW(15),
};
enum kind { CONNECT = 1, ACCEPTED, SEVER, QUIESCE, RESUME, MESSAGE, DONE, PURGE, KINDS };

struct wire {
    u8 kind, to, by, flags;
    u32 link, id, target_class, answer;
    u16 limit, audit;
    char from[VM_NAME_BYTES], user[VM_NAME_BYTES];
    const u8 *words, *data, *bytes;
    u32 length;
};

/* --- sending ---------------------------------------------------------------------------------- */

static void begin(struct codec_out *out, enum kind kind, u32 link, bool to_asked)
{
    codec_out_init(out);
    codec_put_u8(out, ROW_KIND, (u8)kind);
    codec_put_u32(out, ROW_LINK, link);
    codec_put_u8(out, ROW_TO, to_asked);
}

static bool put_out(struct vm_host *host, const char *member, struct codec_out *out)
{
    const struct iucv_wire *wire = &host->iucv_wire;
    bool sent =
        !out->failed && wire->send && !wire->send(wire->ctx, member, out->data, out->len);
    codec_out_fini(out);
    return sent;
}

static bool send_to(const struct iucv_path *path, struct codec_out *out)
{
    return put_out(path->own->vm->host, path->member, out);
}

static void begin_for(struct codec_out *out, enum kind kind, const struct iucv_path *path)
{
    begin(out, kind, path->link, !path->asked);
}

bool iucv_remote_connect(struct iucv_path *path, bool by, u8 flags, const u8 *user)
{
    struct codec_out out;
    const char *name = path->own->vm->config.name;
    begin_for(&out, CONNECT, path);
    codec_put_bytes(&out, ROW_FROM, name, strlen(name));
    codec_put_bytes(&out, ROW_USER, path->other, strlen(path->other));
    codec_put_u8(&out, ROW_BY, by);
    codec_put_u8(&out, ROW_FLAGS, flags);
    codec_put_u16(&out, ROW_LIMIT, path->limit);
    codec_put_bytes(&out, ROW_WORDS, user, IUCV_USER_BYTES);
    return send_to(path, &out);
}

void iucv_remote_tell(struct iucv_path *path, enum iucv_type type, u8 flags, const u8 *user)
{
    static const u8 kinds[] = {[IUCV_CONNECTED] = ACCEPTED,
                               [IUCV_SEVERED] = SEVER,
                               [IUCV_WAS_QUIESCED] = QUIESCE,
                               [IUCV_RESUMED] = RESUME};
    struct codec_out out;
    begin_for(&out, kinds[type], path);
    codec_put_u8(&out, ROW_FLAGS, flags);
    if (user)
        codec_put_bytes(&out, ROW_WORDS, user, IUCV_USER_BYTES);
    send_to(path, &out);
}

int iucv_remote_send(struct iucv_message *m)
{
    struct codec_out out;
    struct iucv_path *path = m->from;
    bool text = !(m->flags & IUCV_DATA);
    u32 length = text ? m->length : 0;
    if (length > IUCV_REMOTE_BYTES_MAX)
        return IUCV_BAD_LENGTH;
    if (length > IUCV_REMOTE_PATH_BYTES_MAX - path->sent_bytes)
        return IUCV_LIMIT_REACHED;
    u8 *bytes = malloc(length ? length : 1);
    if (!bytes)
        return IUCV_STORAGE;
    const struct iucv_area area = {path->own->vm, m->key, m->flags & IUCV_LIST, m->at, length};
    int pgm = iucv_area_load(&area, 0, bytes, length);
    if (pgm) { /* as when it were received */
        iucv_message_end(
            m, pgm == PGM_PROTECTION_CODE ? AUDIT_SEND_PROTECTION : AUDIT_SEND_ADDRESSING, 0,
            NULL);
        free(bytes);
        return IUCV_DONE;
    }
    begin_for(&out, MESSAGE, path);
    codec_put_u32(&out, ROW_ID, m->id);
    codec_put_u32(&out, ROW_CLASS, m->target_class);
    codec_put_u8(&out, ROW_FLAGS, m->flags & (IUCV_DATA | IUCV_PRIORITY | IUCV_ONE_WAY));
    codec_put_u32(&out, ROW_ANSWER, m->answer_length);
    if (text)
        codec_put_bytes(&out, ROW_BYTES, bytes, length);
    else
        codec_put_bytes(&out, ROW_DATA, m->data, sizeof m->data);
    free(bytes);
    path->sent_bytes += length;
    m->held = length;
    send_to(path, &out); /* a link that is lost severs the path */
    return IUCV_DONE;
}

void iucv_remote_done(const struct iucv_message *m, u16 audit, u32 residual, const u8 *data)
{
    struct codec_out out;
    begin_for(&out, DONE, m->to);
    codec_put_u32(&out, ROW_ID, m->id);
    codec_put_u16(&out, ROW_AUDIT, audit);
    codec_put_u32(&out, ROW_ANSWER, residual);
    if (data)
        codec_put_bytes(&out, ROW_DATA, data, 8);
    if (m->reply)
        codec_put_bytes(&out, ROW_BYTES, m->reply, m->reply_length);
    send_to(m->to, &out);
}

void iucv_remote_purge(const struct iucv_message *m)
{
    struct codec_out out;
    begin_for(&out, PURGE, m->from);
    codec_put_u32(&out, ROW_ID, m->id);
    send_to(m->from, &out);
}

/* --- what arrives ----------------------------------------------------------------------------- */

static struct iucv_path *path_of(struct vm_host *host, const char *member, u32 link, bool asked)
{
    for (struct vm *vm = host->vms; vm; vm = vm->next)
        for (unsigned i = 0; vm->iucv && i < vm->iucv->path_max; i++) {
            struct iucv_path *path = vm->iucv->path[i];
            if (path && path->kind == IUCV_TO_MEMBER && path->state != IUCV_CUT &&
                path->link == link && path->asked == asked && !strcasecmp(path->member, member))
                return path;
        }
    return NULL;
}

/* The other end is gone; this one waits for its program's SEVER. */
static void cut(struct iucv_path *path, const u8 *user)
{
    while (path->in)
        iucv_message_free(path->in);
    while (path->out)
        iucv_message_end(path->out, AUDIT_SEVERED, 0, NULL);
    path->state = IUCV_CUT;
    iucv_tell(path, IUCV_SEVERED, 0, user);
}

static void take_connect(struct vm_host *host, const char *member, const struct wire *w)
{
    u8 user[IUCV_USER_BYTES] = {0};
    struct codec_out out;
    struct iucv_path *path = NULL;
    if (!*w->from || !*w->user || !w->words || path_of(host, member, w->link, true))
        return;
    int rc = iucv_path_asked(host, w->user, w->from, w->by, &path);
    if (!rc) {
        snprintf(path->member, sizeof path->member, "%s", member);
        path->link = w->link;
        path->asked = true;
        path->peer_takes_data = w->flags & IUCV_DATA;
        path->peer_quiesced = w->flags & IUCV_QUIESCED;
        path->priority = w->flags & IUCV_PRIORITY;
        path->limit = w->limit ? w->limit : IUCV_LIMIT_DEFAULT;
        iucv_tell(path, IUCV_CONNECT_PENDING, w->flags, w->words);
        return;
    }
    user[IUCV_USER_BYTES - 1] = (u8)rc;
    begin(&out, SEVER, w->link, false);
    codec_put_u8(&out, ROW_FLAGS, 0);
    codec_put_bytes(&out, ROW_WORDS, user, sizeof user);
    put_out(host, member, &out);
}

static bool take_accepted(struct iucv_path *path, const struct wire *w)
{
    if (path->state != IUCV_ASKED)
        return false;
    path->state = IUCV_OPEN;
    path->peer_takes_data = w->flags & IUCV_DATA;
    path->peer_quiesced = w->flags & IUCV_QUIESCED;
    path->priority = path->priority && w->flags & IUCV_PRIORITY;
    iucv_tell(path, IUCV_CONNECTED, w->flags, w->words);
    return true;
}

static bool take_message(struct iucv_path *path, const struct wire *w)
{
    bool text = !(w->flags & IUCV_DATA);
    if (path->state != IUCV_OPEN || (text ? !w->bytes : !w->data) ||
        path->held_count >= UINT16_MAX ||
        w->length > IUCV_REMOTE_PATH_BYTES_MAX - path->held_bytes)
        return false;
    struct iucv_message *m = calloc(1, sizeof *m);
    u8 *bytes = malloc(w->length ? w->length : 1);
    if (!m || !bytes) {
        free(m);
        free(bytes);
        return false;
    }
    if (text)
        memcpy(bytes, w->bytes, w->length);
    *m = (struct iucv_message){.id = w->id,
                               .target_class = w->target_class,
                               .flags = w->flags,
                               .length = text ? w->length : 0,
                               .answer_length = w->answer,
                               .held = text ? w->length : 0,
                               .bytes = bytes};
    if (!text)
        memcpy(m->data, w->data, sizeof m->data);
    path->held_bytes += m->held;
    path->held_count++;
    return iucv_message_arrive(m, path);
}

/* The reply goes where the sender has room for it. */
static bool take_done(struct iucv_path *path, const struct wire *w)
{
    struct iucv_message *m = path->out;
    u16 audit = w->audit;
    while (m && m->id != w->id)
        m = m->out_next;
    if (!m)
        return true; /* it was purged */
    if (w->bytes && (w->length > m->answer_length || m->flags & IUCV_ONE_WAY))
        return false;
    const struct iucv_area area = {path->own->vm, m->key, m->flags & IUCV_ANSWER_LIST,
                                   m->answer, m->answer_length};
    int pgm = w->bytes ? iucv_area_store(&area, w->bytes, w->length) : 0;
    if (pgm)
        audit |= pgm == PGM_PROTECTION_CODE ? AUDIT_ANSWER_PROTECTION : AUDIT_ANSWER_ADDRESSING;
    iucv_message_end(m, audit, w->answer, w->data);
    return true;
}

static void take_purge(struct iucv_path *path, u32 id)
{
    struct iucv_message *m = path->in;
    while (m && m->id != id)
        m = m->in_next;
    if (m)
        iucv_message_free(m);
}

static bool take(struct iucv_path *path, const struct wire *w)
{
    switch ((enum kind)w->kind) {
    case ACCEPTED: return take_accepted(path, w);
    case SEVER: cut(path, w->words); return true;
    case QUIESCE:
    case RESUME:
        path->peer_quiesced = w->kind == QUIESCE;
        iucv_tell(path, w->kind == QUIESCE ? IUCV_WAS_QUIESCED : IUCV_RESUMED, 0, w->words);
        return true;
    case MESSAGE: return take_message(path, w);
    case DONE: return take_done(path, w);
    case PURGE: take_purge(path, w->id); return true;
    default: return false;
    }
}

static bool take_name(const struct codec_row *row, char out[VM_NAME_BYTES])
{
    return row->len && codec_get_text(row, out, VM_NAME_BYTES);
}

static bool take_row(void *ctx, const struct codec_row *row)
{
    struct wire *w = ctx;
    switch (row->tag) {
    case ROW_KIND: return codec_get_u8(row, &w->kind) && w->kind && w->kind < KINDS;
    case ROW_LINK: return codec_get_u32(row, &w->link);
    case ROW_TO: return codec_get_u8(row, &w->to) && w->to <= 1;
    case ROW_FROM: return take_name(row, w->from);
    case ROW_USER: return take_name(row, w->user);
    case ROW_BY: return codec_get_u8(row, &w->by) && w->by <= 1;
    case ROW_FLAGS: return codec_get_u8(row, &w->flags);
    case ROW_LIMIT: return codec_get_u16(row, &w->limit);
    case ROW_WORDS: w->words = row->p; return row->len == IUCV_USER_BYTES;
    case ROW_ID: return codec_get_u32(row, &w->id);
    case ROW_CLASS: return codec_get_u32(row, &w->target_class);
    case ROW_ANSWER: return codec_get_u32(row, &w->answer) && !(w->answer >> 31);
    case ROW_AUDIT: return codec_get_u16(row, &w->audit);
    case ROW_DATA: w->data = row->p; return row->len == 8;
    case ROW_BYTES:
        w->bytes = row->p;
        w->length = row->len;
        return row->len <= IUCV_REMOTE_BYTES_MAX;
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

void iucv_remote_receive(struct vm_host *host, const char *member, const void *data, size_t len)
{
    struct wire w = {0};
    if (!codec_take_all(data, len, take_row, &w) || !w.kind)
        return;
    w.flags &= w.kind == MESSAGE ? IUCV_DATA | IUCV_PRIORITY | IUCV_ONE_WAY
                                 : IUCV_DATA | IUCV_PRIORITY | IUCV_QUIESCED;
    if (w.kind == CONNECT) {
        take_connect(host, member, &w);
        return;
    }
    struct iucv_path *path = path_of(host, member, w.link, w.to);
    if (!path || take(path, &w))
        return;
    iucv_remote_tell(path, IUCV_SEVERED, 0, NULL);
    cut(path, NULL);
}

void iucv_remote_lost(struct vm_host *host, const char *member)
{
    for (struct vm *vm = host->vms; vm; vm = vm->next)
        for (unsigned i = 0; vm->iucv && i < vm->iucv->path_max; i++) {
            struct iucv_path *path = vm->iucv->path[i];
            if (path && path->kind == IUCV_TO_MEMBER && path->state != IUCV_CUT &&
                !strcasecmp(path->member, member))
                cut(path, NULL);
        }
}

void iucv_remote_wire(struct vm_host *host, const struct iucv_wire *wire)
{
    host->iucv_wire = wire ? *wire : (struct iucv_wire){0};
}
