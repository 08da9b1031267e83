/* Messages of IUCV. One that is sent waits in the list of the path's other end and in that of
 * its own; its text stays in the sender's storage until RECEIVE takes it, at once or in pieces.
 * A one-way message is over then, another one with its REPLY; the sender gets an interruption,
 * or asks by TEST COMPLETION. Data in the parameter list is received with the interruption that
 * brings it.
 * Guarantees: a message is completed once, or its path ends; how many are outstanding is
 * bounded by path and by machine. */
#include "hyp/iucv/iucv_internal.h"

#include <stdlib.h>

/* --- lists ------------------------------------------------------------------------------------ */

static void in_append(struct iucv_path *to, struct iucv_message *m)
{
    *(to->in_end ? to->in_end : &to->in) = m;
    to->in_end = &m->in_next;
    m->to = to;
}

static void out_append(struct iucv_path *from, struct iucv_message *m)
{
    *(from->out_end ? from->out_end : &from->out) = m;
    from->out_end = &m->out_next;
    m->from = from;
}

static void in_remove(struct iucv_message *m)
{
    struct iucv_path *to = m->to;
    struct iucv_message **at = &to->in;
    while (*at != m)
        at = &(*at)->in_next;
    *at = m->in_next;
    if (!*at)
        to->in_end = at == &to->in ? NULL : at;
    iucv_item_drop_pending(to, m->id);
    if (!m->from && to->kind == IUCV_TO_MEMBER) {
        to->held_bytes -= m->held;
        to->held_count--;
    }
    m->to = NULL;
}

static void out_remove(struct iucv_message *m)
{
    struct iucv_path *from = m->from;
    struct iucv_message **at = &from->out;
    while (*at != m)
        at = &(*at)->out_next;
    *at = m->out_next;
    if (!*at)
        from->out_end = at == &from->out ? NULL : at;
    from->sent_bytes -= m->held;
    m->held = 0;
    m->from = NULL;
}

/* How many of a path are outstanding, now one more or less. False: that would be too many. */
static bool count_one(struct iucv_path *path, int by)
{
    struct iucv *u = path->own;
    lock_take(&u->vm->host->lock);
    bool fits =
        by < 0 || (path->outstanding < path->limit && u->outstanding < IUCV_OUTSTANDING_MAX);
    if (fits) {
        path->outstanding += (u32)by;
        u->outstanding += (u32)by;
    }
    lock_drop(&u->vm->host->lock);
    return fits;
}

void iucv_message_free(struct iucv_message *m)
{
    if (m->from)
        count_one(m->from, -1);
    if (m->from)
        out_remove(m);
    if (m->to)
        in_remove(m);
    free(m->bytes);
    free(m);
}

void iucv_message_end(struct iucv_message *m, u16 audit, u32 residual, const u8 *data)
{
    struct iucv_path *from = m->from;
    bool priority = m->flags & IUCV_PRIORITY;
    if (!from && m->to && m->to->kind == IUCV_TO_MEMBER)
        iucv_remote_done(m, audit, residual, data);
    struct iucv_item *item =
        from ? iucv_item_make(from, priority ? IUCV_COMPLETE_PRIORITY : IUCV_COMPLETE) : NULL;
    if (!item) {
        iucv_message_free(m);
        return;
    }
    u8 *p = item->data;
    p[AT_FLAGS] = (u8)((m->flags & (IUCV_PRIORITY | IUCV_ONE_WAY)) | (data ? IUCV_DATA : 0));
    be32_store(p + AT_MESSAGE, m->id);
    be16_store(p + AT_AUDIT, audit);
    if (data)
        memcpy(p + AT_DATA, data, 8);
    be32_store(p + AT_SOURCE_CLASS, m->source_class);
    be32_store(p + AT_TAG, m->tag);
    be32_store(p + AT_ANSWER_LENGTH, residual);
    item->counts = true;
    out_remove(m); /* it is outstanding until then */
    iucv_message_free(m);
    iucv_item_queue(item);
}

bool iucv_message_arrive(struct iucv_message *m, struct iucv_path *to)
{
    bool priority = m->flags & IUCV_PRIORITY;
    struct iucv_item *item =
        iucv_item_make(to, priority ? IUCV_PENDING_PRIORITY : IUCV_PENDING);
    if (!item) {
        iucv_message_free(m);
        return false;
    }
    u8 *p = item->data;
    p[AT_FLAGS] = m->flags & (IUCV_DATA | IUCV_PRIORITY | IUCV_ONE_WAY);
    be32_store(p + AT_MESSAGE, m->id);
    be32_store(p + AT_TARGET_CLASS, m->target_class);
    if (m->flags & IUCV_DATA)
        memcpy(p + AT_DATA, m->data, 8);
    else
        be32_store(p + AT_LENGTH, m->length);
    if (!(m->flags & IUCV_ONE_WAY))
        be32_store(p + AT_ANSWER_LENGTH, m->answer_length);
    item->tells = m->flags & IUCV_DATA;
    m->arrival = ++to->own->arrivals;
    in_append(to, m);
    iucv_item_queue(item);
    return true;
}

static struct iucv_message *by_number(const struct iucv_path *path, u32 id)
{
    struct iucv_message *m = path->in;
    while (m && m->id != id)
        m = m->in_next;
    return m;
}

void iucv_message_shown(struct vm *vm, u16 path, u32 message)
{
    struct iucv_path *to = vm->iucv ? iucv_path_find(vm->iucv, path) : NULL;
    struct iucv_message *m = to ? by_number(to, message) : NULL;
    if (!m || !(m->flags & IUCV_DATA))
        return;
    if (m->flags & IUCV_ONE_WAY)
        iucv_message_end(m, 0, 0, NULL);
    else
        m->received = true;
}

/* --- SEND ------------------------------------------------------------------------------------- */

static bool other_quiesced(const struct iucv_path *path)
{
    return path->peer ? path->peer->quiesced : path->peer_quiesced;
}

/* Does the other end take data in parameter lists? */
static bool other_takes_data(const struct iucv_path *path)
{
    return path->peer ? path->peer->takes_data
                      : path->kind != IUCV_TO_MEMBER || path->peer_takes_data;
}

static int may_send(const struct iucv_path *path, u8 flags, u32 length)
{
    if (!path || path->state != IUCV_OPEN)
        return IUCV_BAD_PATH;
    if (other_quiesced(path))
        return IUCV_PATH_QUIESCED;
    if (flags & IUCV_PRIORITY && !path->priority)
        return IUCV_NO_PRIORITY;
    if (flags & IUCV_DATA)
        return other_takes_data(path) ? IUCV_DONE : IUCV_DATA_NOT_TAKEN;
    return length > IUCV_MESSAGE_BYTES_MAX ? IUCV_BAD_LENGTH : IUCV_DONE;
}

/* On its way to the other end. */
static int go(struct iucv_path *path, struct iucv_message *m)
{
    if (path->kind == IUCV_TO_MEMBER) {
        int rc = iucv_remote_send(m);
        if (rc)
            iucv_message_free(m);
        return rc;
    }
    if (path->peer)
        return iucv_message_arrive(m, path->peer) ? IUCV_DONE : IUCV_STORAGE;
    iucv_message_end(m, AUDIT_REJECTED, 0, NULL); /* a service of CP, which wants none */
    return IUCV_DONE;
}

int iucv_fn_send(struct iucv_call *c)
{
    u8 *p = c->p, flags = p[AT_FLAGS];
    struct iucv_path *path = iucv_path_find(c->u, be16_load(p + AT_PATH));
    int rc = may_send(path, flags, be32_load(p + AT_LENGTH));
    if (!rc && !(flags & IUCV_ONE_WAY) && be32_load(p + AT_ANSWER_LENGTH) >> 31)
        rc = IUCV_BAD_LENGTH;
    if (rc)
        return rc;
    struct iucv_message *m = calloc(1, sizeof *m);
    if (!m || !count_one(path, 1)) {
        free(m);
        return m ? IUCV_LIMIT_REACHED : IUCV_STORAGE;
    }
    *m = (struct iucv_message){.id = ++c->u->last_message,
                               .target_class = be32_load(p + AT_TARGET_CLASS),
                               .source_class = be32_load(p + AT_SOURCE_CLASS),
                               .tag = be32_load(p + AT_TAG),
                               .flags = flags,
                               .key = c->key,
                               .at = be32_load(p + AT_BUFFER) & 0x7fffffff,
                               .length = be32_load(p + AT_LENGTH),
                               .answer = be32_load(p + AT_ANSWER) & 0x7fffffff,
                               .answer_length = be32_load(p + AT_ANSWER_LENGTH)};
    memcpy(m->data, p + AT_DATA, sizeof m->data);
    u32 id = m->id;
    out_append(path, m);
    rc = go(path, m);
    if (!rc)
        be32_store(p + AT_MESSAGE, id);
    return rc;
}

/* --- finding one that has come ---------------------------------------------------------------- */

static bool waits(const struct iucv_message *m, const struct iucv_call *c)
{
    u8 flags = c->p[AT_FLAGS];
    if (flags & IUCV_BY_MESSAGE)
        return m->id == be32_load(c->p + AT_MESSAGE);
    return !m->received &&
           (!(flags & IUCV_BY_CLASS) || m->target_class == be32_load(c->p + AT_TARGET_CLASS));
}

static struct iucv_message *first_of(const struct iucv_path *path, const struct iucv_call *c)
{
    struct iucv_message *m = path->in;
    while (m && !waits(m, c))
        m = m->in_next;
    return m;
}

/* The one that RECEIVE or REJECT is about; or what that comes to. */
static int find(struct iucv_call *c, struct iucv_message **out)
{
    u8 flags = c->p[AT_FLAGS];
    struct iucv_path *path = iucv_path_find(c->u, be16_load(c->p + AT_PATH));
    struct iucv_message *m = NULL;
    if (flags & IUCV_BY_MESSAGE && (~flags & (IUCV_BY_PATH | IUCV_BY_CLASS)))
        return IUCV_PGM(PGM_SPECIFICATION_CODE);
    if (flags & IUCV_BY_PATH && !path)
        return IUCV_BAD_PATH;
    if (flags & IUCV_BY_PATH)
        m = first_of(path, c);
    for (unsigned i = 0; !(flags & IUCV_BY_PATH) && i < c->u->path_max; i++) {
        struct iucv_message *other = c->u->path[i] ? first_of(c->u->path[i], c) : NULL;
        if (other && (!m || other->arrival < m->arrival))
            m = other;
    }
    if (!m)
        return IUCV_CC(2);
    if (flags & IUCV_BY_MESSAGE && m->target_class != be32_load(c->p + AT_TARGET_CLASS))
        return IUCV_BAD_CLASS;
    *out = m;
    return IUCV_DONE;
}

static void name_found(struct iucv_call *c, const struct iucv_message *m)
{
    u8 *p = c->p;
    be16_store(p + AT_PATH, m->to->id);
    be32_store(p + AT_MESSAGE, m->id);
    be32_store(p + AT_TARGET_CLASS, m->target_class);
    p[AT_FLAGS] = m->flags & (IUCV_DATA | IUCV_PRIORITY | IUCV_ONE_WAY);
}

/* --- RECEIVE, REJECT -------------------------------------------------------------------------- */

static void received(struct iucv_message *m)
{
    iucv_item_drop_pending(m->to, m->id);
    m->received = true;
    if (m->flags & IUCV_ONE_WAY)
        iucv_message_end(m, 0, 0, NULL);
}

/* The next `length` bytes of its text. 0, or what goes wrong in the sender's storage, which ends
 * it. */
static int text_load(struct iucv_message *m, u8 *out, u32 length)
{
    if (m->bytes) {
        memcpy(out, m->bytes + m->got, length);
        return IUCV_DONE;
    }
    const struct iucv_area area = {m->from->own->vm, m->key, m->flags & IUCV_LIST, m->at,
                                   m->length};
    int pgm = iucv_area_load(&area, m->got, out, length);
    if (!pgm)
        return IUCV_DONE;
    bool protection = pgm == PGM_PROTECTION_CODE;
    iucv_message_end(m, protection ? AUDIT_SEND_PROTECTION : AUDIT_SEND_ADDRESSING, 0, NULL);
    return protection ? IUCV_OTHER_PROTECTION : IUCV_OTHER_ADDRESSING;
}

static int receive_text(struct iucv_call *c, struct iucv_message *m, u8 *text, u32 n)
{
    u8 *p = c->p;
    u32 room = be32_load(p + AT_LENGTH), at = be32_load(p + AT_BUFFER) & 0x7fffffff;
    const struct iucv_area area = {c->u->vm, c->key, p[AT_FLAGS] & IUCV_LIST, at, room};
    int rc = text_load(m, text, n);
    if (rc)
        return rc;
    int pgm = iucv_area_store(&area, text, n);
    if (pgm)
        return IUCV_PGM(pgm);
    m->got += n;
    u32 left = m->length - m->got;
    bool whole = !left, list = area.list;
    name_found(c, m);
    if (!list)
        be32_store(p + AT_BUFFER, at + n);
    be32_store(p + AT_LENGTH, whole ? room - n : left);
    be32_store(p + AT_ANSWER_LENGTH, m->flags & IUCV_ONE_WAY ? 0 : m->answer_length);
    iucv_item_drop_pending(m->to, m->id);
    if (whole)
        received(m);
    return whole ? IUCV_DONE : IUCV_TOO_SHORT;
}

int iucv_fn_receive(struct iucv_call *c)
{
    struct iucv_message *m;
    int rc = find(c, &m);
    if (rc)
        return rc;
    if (m->flags & IUCV_DATA) {
        name_found(c, m);
        memcpy(c->p + AT_DATA, m->data, sizeof m->data);
        be32_store(c->p + AT_ANSWER_LENGTH, m->answer_length);
        received(m);
        return IUCV_DONE;
    }
    u32 room = be32_load(c->p + AT_LENGTH), left = m->length - m->got;
    if (room >> 31)
        return IUCV_BAD_LENGTH;
    u32 n = room < left ? room : left;
    u8 *text = malloc(n ? n : 1);
    if (!text)
        return IUCV_STORAGE;
    rc = receive_text(c, m, text, n);
    free(text);
    return rc;
}

int iucv_fn_reject(struct iucv_call *c)
{
    struct iucv_message *m;
    int rc = find(c, &m);
    if (rc)
        return rc;
    name_found(c, m);
    iucv_message_end(m, AUDIT_REJECTED, m->answer_length, NULL);
    return IUCV_DONE;
}

/* --- REPLY ------------------------------------------------------------------------------------ */

static int reply_data(struct iucv_call *c, struct iucv_message *m)
{
    if (!other_takes_data(m->to)) {
        iucv_message_end(m, AUDIT_DATA_NOT_TAKEN, m->answer_length, NULL);
        return IUCV_DATA_NOT_TAKEN;
    }
    iucv_message_end(m, 0, m->answer_length, c->p + AT_DATA);
    return IUCV_DONE;
}

/* `n` bytes of the answer into the sender's storage. */
static int answer_store(struct iucv_message *m, const u8 *text, u32 n)
{
    if (!m->from) { /* it goes with the end of the message */
        m->reply = text;
        m->reply_length = n;
        return IUCV_DONE;
    }
    const struct iucv_area area = {m->from->own->vm, m->key, m->flags & IUCV_ANSWER_LIST,
                                   m->answer, m->answer_length};
    int pgm = iucv_area_store(&area, text, n);
    bool protection = pgm == PGM_PROTECTION_CODE;
    if (!pgm)
        return IUCV_DONE;
    iucv_message_end(m, protection ? AUDIT_ANSWER_PROTECTION : AUDIT_ANSWER_ADDRESSING, 0,
                     NULL);
    return protection ? IUCV_OTHER_PROTECTION : IUCV_OTHER_ADDRESSING;
}

static int reply_text(struct iucv_call *c, struct iucv_message *m, u32 length, u8 *text)
{
    u8 *p = c->p;
    u32 at = be32_load(p + AT_ANSWER) & 0x7fffffff;
    u32 n = length < m->answer_length ? length : m->answer_length;
    const struct iucv_area area = {c->u->vm, c->key, p[AT_FLAGS] & IUCV_ANSWER_LIST, at,
                                   length};
    int pgm = iucv_area_load(&area, 0, text, n);
    if (pgm)
        return IUCV_PGM(pgm);
    int rc = answer_store(m, text, n);
    if (rc)
        return rc;
    if (!area.list)
        be32_store(p + AT_ANSWER, at + n);
    be32_store(p + AT_ANSWER_LENGTH, length - n);
    iucv_message_end(m, n < length ? AUDIT_REPLY_TOO_LONG : 0, m->answer_length - n, NULL);
    return n < length ? IUCV_TOO_SHORT : IUCV_DONE;
}

int iucv_fn_reply(struct iucv_call *c)
{
    u8 *p = c->p;
    struct iucv_path *path = iucv_path_find(c->u, be16_load(p + AT_PATH));
    u32 length = be32_load(p + AT_ANSWER_LENGTH);
    struct iucv_message *m = path ? by_number(path, be32_load(p + AT_MESSAGE)) : NULL;
    if (!path)
        return IUCV_BAD_PATH;
    if (!m || m->flags & IUCV_ONE_WAY)
        return IUCV_CC(2);
    if (m->target_class != be32_load(p + AT_TARGET_CLASS))
        return IUCV_BAD_CLASS;
    if (p[AT_FLAGS] & IUCV_DATA)
        return reply_data(c, m);
    if (length > IUCV_MESSAGE_BYTES_MAX)
        return IUCV_BAD_LENGTH;
    u8 *text = malloc(length ? length : 1);
    if (!text)
        return IUCV_STORAGE;
    int rc = reply_text(c, m, length, text);
    free(text);
    return rc;
}

/* --- what the sender asks --------------------------------------------------------------------- */

int iucv_fn_purge(struct iucv_call *c)
{
    u8 *p = c->p, flags = p[AT_FLAGS];
    struct iucv_path *path = iucv_path_find(c->u, be16_load(p + AT_PATH));
    if (!(flags & IUCV_BY_PATH) || (flags & IUCV_BY_MESSAGE && !(flags & IUCV_BY_CLASS)))
        return IUCV_PGM(PGM_SPECIFICATION_CODE);
    if (!path)
        return IUCV_BAD_PATH;
    bool by_class = flags & IUCV_BY_CLASS, by_message = flags & IUCV_BY_MESSAGE;
    struct iucv_message *m = path->out;
    while (m && (by_message ? m->id != be32_load(p + AT_MESSAGE)
                            : by_class && m->source_class != be32_load(p + AT_SOURCE_CLASS)))
        m = m->out_next;
    if (!m)
        return IUCV_CC(2);
    if (by_message && m->source_class != be32_load(p + AT_SOURCE_CLASS))
        return IUCV_BAD_CLASS;
    p[AT_FLAGS] = m->flags & (IUCV_PRIORITY | IUCV_ONE_WAY);
    be32_store(p + AT_MESSAGE, m->id);
    be32_store(p + AT_AUDIT, be32_load(p + AT_AUDIT) & 0xff); /* three bytes */
    be32_store(p + AT_SOURCE_CLASS, m->source_class);
    be32_store(p + AT_TAG, m->tag);
    if (path->kind == IUCV_TO_MEMBER)
        iucv_remote_purge(m);
    iucv_message_free(m);
    return IUCV_DONE;
}

static bool completion_fits(const struct iucv_item *item, const struct iucv_call *c)
{
    const u8 *p = c->p, *data = item->data;
    return (!(p[AT_FLAGS] & IUCV_BY_PATH) ||
            be16_load(data + AT_PATH) == be16_load(p + AT_PATH)) &&
           (!(p[AT_FLAGS] & IUCV_BY_MESSAGE) ||
            be32_load(data + AT_MESSAGE) == be32_load(p + AT_MESSAGE)) &&
           (!(p[AT_FLAGS] & IUCV_BY_CLASS) ||
            be32_load(data + AT_SOURCE_CLASS) == be32_load(p + AT_SOURCE_CLASS));
}

/* As the interruption would have it, which does not come any more; condition code 3 stores the
 * list, too. */
int iucv_fn_test_completion(struct iucv_call *c)
{
    u8 flags = c->p[AT_FLAGS];
    if (flags & IUCV_BY_PATH && !iucv_path_find(c->u, be16_load(c->p + AT_PATH)))
        return IUCV_BAD_PATH;
    if (!iucv_item_find(c, IUCV_COMPLETE_PRIORITY, IUCV_COMPLETE, completion_fits, true, c->p))
        return IUCV_CC(2);
    c->stored = be16_load(c->p + AT_AUDIT);
    return c->stored ? IUCV_CC(3) : IUCV_DONE;
}

int iucv_fn_describe(struct iucv_call *c)
{
    if (!iucv_item_find(c, IUCV_PENDING_PRIORITY, IUCV_PENDING, NULL, true, c->p))
        return IUCV_CC(2);
    c->p[AT_FLAGS] |= IUCV_BY_MESSAGE | IUCV_BY_PATH | IUCV_BY_CLASS;
    return IUCV_DONE;
}
