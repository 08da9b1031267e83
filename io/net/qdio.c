/* Queues in guest storage. A program may change every byte of them at any time: each address and
 * length is looked at when it is used, and what was looked at is what is used. */
#include "io/net/qdio.h"

#define QDR_DESCRIPTORS 64u
#define DESCRIPTOR_BYTES 32u
#define DESCRIPTOR_WORDS (DESCRIPTOR_BYTES / 4)
#define QIB_AC 3u /* adapter characteristics, set by the adapter */
#define QIB_AC_OUTPUT_PCI 0x40
#define SBAL_BYTES 256u
#define SBALE_BYTES 16u
#define SBALE_LAST 0x40 /* in byte 0: the last element that counts */
#define SBALE_PCI 0x40  /* in byte 3 of element 0 */
#define SBALE_ERROR_AT (15u * SBALE_BYTES + 3)
#define INDICATOR_SUMMARY 0x01

/* States of a buffer. */
#define SLSB_INPUT_EMPTY 0x41
#define SLSB_INPUT_PRIMED 0x82
#define SLSB_INPUT_ERROR 0x8f
#define SLSB_OUTPUT_PRIMED 0x62
#define SLSB_OUTPUT_EMPTY 0xa1
#define SLSB_OUTPUT_ERROR 0xaf

/* Reasons of an error, in element 15. */
#define REASON_ACCESS 0x01 /* ours: a list or a buffer is not storage, or protected */

/** May storage with key `key` be reached there? */
static bool reachable(const struct qdio *q, u64 abs, u64 len, u8 key, bool store)
{
    if (!len)
        return true;
    if (!storage_holds(q->st, abs, len) || (store && !storage_storable(q->st, abs, len)))
        return false;
    for (u64 at = abs; key && at < abs + len; at = (at | (FRAME_BYTES - 1)) + 1) {
        u8 is = storage_key_get(q->st, at);
        if ((is & SKEY_ACC) != key && (store || is & SKEY_F))
            return false;
    }
    return true;
}

static bool fetch(const struct qdio *q, u64 abs, void *to, u32 len, u8 key)
{
    return reachable(q, abs, len, key, false) && storage_read(q->st, abs, to, len);
}

static bool store(const struct qdio *q, u64 abs, const void *from, u32 len, u8 key)
{
    return reachable(q, abs, len, key, true) && storage_write(q->st, abs, from, len);
}

/** The state of a buffer; 0 when the block is not storage. (Increments of storage come and go while
 *  this runs; the host's memory stays.) */
static u8 state_get(const struct qdio *q, unsigned queue, unsigned buffer)
{
    u64 abs = q->s.slsb[queue] + buffer;
    u8 *p = storage_host(q->st, abs, 1);
    if (!p || !reachable(q, abs, 1, q->s.slsb_key[queue], false))
        return 0;
    return atomic_load((_Atomic u8 *)p);
}

/** Store one byte that the program looks at without asking: what was stored before is seen by who
 *  sees it. Marked behind the store, too: this thread is no CPU, which a relocation pass stops. */
static void flag_set(const struct qdio *q, u64 abs, u8 key, u8 value)
{
    u8 *p = storage_host(q->st, abs, 1);
    if (!p || !reachable(q, abs, 1, key, true))
        return;
    storage_mark_frame(q->st, abs);
    atomic_store((_Atomic u8 *)p, value);
    storage_mark_frame(q->st, abs);
    storage_code_stored(q->st, abs, 1);
}

static void state_set(const struct qdio *q, unsigned queue, unsigned buffer, u8 state)
{
    flag_set(q, q->s.slsb[queue] + buffer, q->s.slsb_key[queue], state);
}

/** The address of a buffer's list of elements; false: the storage list is not storage. */
static bool sbal_address(const struct qdio *q, unsigned queue, unsigned buffer, u64 *sbal)
{
    u8 raw[8];
    if (!fetch(q, q->s.sl[queue] + buffer * 8u, raw, sizeof raw, q->s.sl_key[queue]))
        return false;
    *sbal = be64_load(raw);
    return *sbal % SBAL_BYTES == 0;
}

static void descriptor_read(struct qdio_state *s, unsigned queue, const u8 *d)
{
    s->sl[queue] = be64_load(d + 8);
    s->slsb[queue] = be64_load(d + 16);
    s->sl_key[queue] = (u8)(d[28] << 4);
    s->sbal_key[queue] = d[29] & 0xf0;
    s->slsb_key[queue] = (u8)(d[29] << 4);
}

static const char *queues_check(const struct qdio *q)
{
    for (unsigned i = 0; i < q->s.inputs + (unsigned)q->s.outputs; i++) {
        if (q->s.sl[i] % 8 ||
            !reachable(q, q->s.sl[i], QDIO_BUFFERS * 8, q->s.sl_key[i], false))
            return "a storage list is not in storage";
        if (!reachable(q, q->s.slsb[i], QDIO_BUFFERS, q->s.slsb_key[i], true))
            return "a state block is not in storage";
    }
    return NULL;
}

const char *qdio_establish(struct qdio *q, const u8 *qdr, const struct dev_qdio *what)
{
    struct qdio fresh = {.st = q->st};
    struct qdio_state *s = &fresh.s;
    if (qdr[0] != what->format)
        return "another format of queues";
    if (qdr[5] > what->inputs || qdr[7] > what->outputs || !(qdr[5] + qdr[7]))
        return "so many queues are not here";
    if ((qdr[5] && qdr[9] != DESCRIPTOR_WORDS) || (qdr[7] && qdr[11] != DESCRIPTOR_WORDS))
        return "another size of descriptors";
    s->inputs = qdr[5];
    s->outputs = qdr[7];
    s->qib = be64_load(qdr + 48);
    u8 qib_key = qdr[60] & 0xf0, ac;
    for (unsigned i = 0; i < s->inputs + (unsigned)s->outputs; i++)
        descriptor_read(s, i, qdr + QDR_DESCRIPTORS + i * DESCRIPTOR_BYTES);
    const char *wrong = queues_check(&fresh);
    if (wrong)
        return wrong;
    if (!fetch(q, s->qib + QIB_AC, &ac, 1, qib_key))
        return "the queue information block is not in storage";
    ac |= QIB_AC_OUTPUT_PCI;
    if (!store(q, s->qib + QIB_AC, &ac, 1, qib_key))
        return "the queue information block cannot be stored into";
    s->phase = QDIO_ESTABLISHED;
    s->summary = q->s.summary; /* told before the queues */
    s->subchannel = q->s.subchannel;
    s->summary_key = q->s.summary_key;
    s->subchannel_key = q->s.subchannel_key;
    s->isc = q->s.isc;
    q->s = *s;
    q->generation++;
    return NULL;
}

bool qdio_activate(struct qdio *q)
{
    if (q->s.phase != QDIO_NONE)
        q->s.phase = QDIO_ACTIVE;
    return q->s.phase == QDIO_ACTIVE;
}

void qdio_stop(struct qdio *q)
{
    q->s.phase = QDIO_NONE;
    q->s.inputs = q->s.outputs = 0;
}

static void advance(struct qdio *q, unsigned queue)
{
    q->s.next[queue] = (u8)((q->s.next[queue] + 1) % QDIO_BUFFERS);
}

/** End an output buffer in error, if its list can be written to with the reason. */
static void give(struct qdio *q, unsigned queue, u8 reason)
{
    u64 sbal;
    if (reason && sbal_address(q, queue, q->s.next[queue], &sbal))
        store(q, sbal + SBALE_ERROR_AT, &reason, 1, q->s.sbal_key[queue]);
    state_set(q, queue, q->s.next[queue], reason ? SLSB_OUTPUT_ERROR : SLSB_OUTPUT_EMPTY);
    advance(q, queue);
}

void qdio_give(struct qdio *q, unsigned output, const struct qdio_buffer *b, u8 reason)
{
    if (q->s.phase == QDIO_ACTIVE && b->generation == q->generation)
        give(q, q->s.inputs + output, reason);
}

/** Copy the elements of a list; false: one is out of reach, or too much in all. */
static bool gather(const struct qdio *q, const u8 *sbal, u8 key, struct qdio_buffer *b)
{
    u32 at = 0;
    b->elements = 0;
    b->generation = q->generation;
    b->interrupt = sbal[3] & SBALE_PCI;
    for (unsigned i = 0; i < QDIO_ELEMENTS; i++) {
        const u8 *e = sbal + i * SBALE_BYTES;
        u32 len = be32_load(e + 4);
        if (len > b->room - at || !fetch(q, be64_load(e + 8), b->data + at, len, key))
            return false;
        b->at[b->elements++] = at;
        at += len;
        if (e[0] & SBALE_LAST)
            break;
    }
    b->at[b->elements] = at;
    return true;
}

enum qdio_taken qdio_take(struct qdio *q, unsigned output, struct qdio_buffer *b)
{
    unsigned queue = q->s.inputs + output;
    u64 at;
    u8 sbal[SBAL_BYTES], key;
    if (q->s.phase != QDIO_ACTIVE || output >= q->s.outputs)
        return QDIO_EMPTY;
    if (state_get(q, queue, q->s.next[queue]) != SLSB_OUTPUT_PRIMED)
        return QDIO_EMPTY;
    key = q->s.sbal_key[queue];
    if (sbal_address(q, queue, q->s.next[queue], &at) && fetch(q, at, sbal, sizeof sbal, key) &&
        gather(q, sbal, key, b))
        return QDIO_TAKEN;
    give(q, queue, REASON_ACCESS);
    return QDIO_BAD;
}

/** Where the next byte of the pieces comes from. */
struct cursor {
    const struct qdio_piece *piece;
    unsigned left;
    u32 done; /* of the first piece */
};

/** Move up to `room` bytes to `abs`; false: it is out of reach. */
static bool scatter(const struct qdio *q, struct cursor *c, u64 abs, u32 room, u8 key,
                    u32 *moved)
{
    *moved = 0;
    while (c->left && room) {
        u32 n = c->piece->len - c->done;
        n = n < room ? n : room;
        if (!store(q, abs, (const u8 *)c->piece->p + c->done, n, key))
            return false;
        abs += n;
        room -= n;
        *moved += n;
        c->done += n;
        if (c->done == c->piece->len) {
            c->piece++;
            c->left--;
            c->done = 0;
        }
    }
    return true;
}

/** Fill the elements of a list, each with what went into it; the last one used is marked. */
static bool fill(const struct qdio *q, u8 *sbal, u8 key, struct cursor *c)
{
    for (unsigned i = 0; i < QDIO_ELEMENTS && c->left; i++) {
        u8 *e = sbal + i * SBALE_BYTES;
        u32 moved;
        bool last = e[0] & SBALE_LAST;
        if (!scatter(q, c, be64_load(e + 8), be32_load(e + 4), key, &moved))
            return false;
        be32_store(e + 4, moved);
        e[0] = c->left ? 0 : SBALE_LAST;
        if (last)
            break;
    }
    return c->left == 0;
}

enum qdio_put qdio_put(struct qdio *q, unsigned input, const struct qdio_piece *piece,
                       unsigned pieces)
{
    u64 at;
    u8 sbal[SBAL_BYTES];
    if (q->s.phase != QDIO_ACTIVE || input >= q->s.inputs)
        return QDIO_FULL;
    unsigned buffer = q->s.next[input];
    u8 key = q->s.sbal_key[input];
    if (state_get(q, input, buffer) != SLSB_INPUT_EMPTY)
        return QDIO_FULL;
    struct cursor c = {piece, pieces, 0};
    bool list = sbal_address(q, input, buffer, &at) && fetch(q, at, sbal, sizeof sbal, key);
    bool ok = list && fill(q, sbal, key, &c) && store(q, at, sbal, sizeof sbal, key);
    const u8 reason = REASON_ACCESS;
    if (list && !ok)
        store(q, at + SBALE_ERROR_AT, &reason, 1, key);
    state_set(q, input, buffer, ok ? SLSB_INPUT_PRIMED : SLSB_INPUT_ERROR);
    advance(q, input);
    return ok ? QDIO_PUT : QDIO_MISFIT;
}

bool qdio_indicate(struct qdio *q)
{
    const struct qdio_state *s = &q->s;
    u32 one;
    be32_store((u8 *)&one, 1);
    if (!s->subchannel || s->phase != QDIO_ACTIVE ||
        !store(q, s->subchannel, &one, sizeof one, s->subchannel_key))
        return false;
    if (s->summary)
        flag_set(q, s->summary, s->summary_key, INDICATOR_SUMMARY);
    return true;
}

bool qdio_state_valid(const struct qdio_state *s)
{
    if (s->phase > QDIO_ACTIVE || s->isc > 7 || s->inputs > QDIO_QUEUES_MAX ||
        s->outputs > QDIO_QUEUES_MAX || s->inputs + s->outputs > (int)QDIO_QUEUES_MAX)
        return false;
    for (unsigned i = 0; i < QDIO_QUEUES_MAX; i++)
        if (s->next[i] >= QDIO_BUFFERS || s->sl[i] % 8)
            return false;
    return true;
}
