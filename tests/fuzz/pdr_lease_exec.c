/* The disk without locks: two lives that want slot 0 and one of slot 1, as they lock, read, write,
 * stand still, lose their connections, while bytes of sectors and copies are changed below them.
 * All calls end. While no checksum was made right for what was changed, no write stands of a
 * session that another has begun behind, nor of a life whose slot another has taken; and what
 * stands is read. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "tests/fuzz/pdr_exec.h"

#include <zlib.h>

#define LIVES 3u
#define OPERATIONS_MAX 64u
#define HOLDS_MAX 400u
#define CHUNKS 4u
#define CRC_AT (LEASE_SECTOR_BYTES - 4)

struct world {
    struct lease lives[LIVES];
    bool connected[LIVES];
    u64 order, began[LIVES], held[LIVES]; /* when the session began, the slot was had */
    bool honest;                          /* nobody has forged a checksum */
    bool lost[CHUNKS];                    /* copies of it were changed */
    bool known[CHUNKS];
    u8 value[CHUNKS]; /* of the last write that stood, if nothing came behind it */
    struct spoiled spoiled;
};

static struct medium medium;
static struct world world;
static struct lease looker; /* who is no member */
static u64 now_ms, random_last;

static int disk_read(void *ctx, u64 at, void *data, size_t len, struct cause *cause)
{
    (void)ctx, (void)cause;
    PRE(at + len <= LEASE_BYTES);
    memcpy(data, medium.bytes + at, len);
    return ST_OK;
}

static int disk_write(void *ctx, u64 at, const void *data, size_t len, bool durable,
                      struct cause *cause)
{
    (void)ctx, (void)durable, (void)cause;
    PRE(at + len <= LEASE_BYTES);
    medium_write(&medium, at, data, len);
    return ST_OK;
}

static int disk_flush(void *ctx, struct cause *cause)
{
    (void)ctx, (void)cause;
    return ST_OK;
}

static u64 disk_now(void *ctx)
{
    (void)ctx;
    return now_ms;
}

static u64 disk_random(void *ctx)
{
    (void)ctx;
    return random_last += 0x9e3779b97f4a7c15ull;
}

static void disk_pause(void *ctx, unsigned ms)
{
    (void)ctx;
    now_ms += ms;
}

static bool disk_gone(void *ctx, const struct ssi_process *process)
{
    (void)ctx, (void)process;
    return false;
}

static unsigned slot_of(unsigned life)
{
    return life == 1;
}

static void connect_life(struct world *w, unsigned i, bool doubt)
{
    struct cause cause = {0};
    int rc = lease_reconnected(&w->lives[i], doubt, &cause);
    POST(rc == ST_OK || cause.text[0]);
    w->connected[i] = rc == ST_OK;
}

static void hold(struct world *w, unsigned i, unsigned tries)
{
    int rc = ST_BUSY;
    for (unsigned k = 0; k < tries && rc == ST_BUSY; k++) {
        bool had = w->lives[i].life == LIFE_OURS;
        rc = lease_life_hold(&w->lives[i], NULL);
        if (rc == ST_OK && !had)
            w->held[i] = ++w->order;
        now_ms += rc == ST_BUSY ? 100 : 0;
    }
}

static void begin(struct world *w)
{
    const struct lease_disk ops = {NULL,     disk_read,   disk_write, disk_flush,
                                   disk_now, disk_random, disk_pause, disk_gone};
    memset(w, 0, sizeof *w);
    medium_begin(&medium, LEASE_BYTES);
    now_ms = 1000;
    random_last = 77;
    w->honest = true;
    for (unsigned i = 0; i < LIVES; i++)
        lease_init(&w->lives[i], &ops, slot_of(i),
                   &(struct ssi_process){.pid = i + 1, .host_id = i + 1});
    lease_init(&looker, &ops, 0, &(struct ssi_process){.pid = 9, .host_id = 9});
    POST(lease_format(&w->lives[0], NULL) == ST_OK);
    POST(lease_reconnected(&looker, false, NULL) == ST_OK);
    for (unsigned i = 0; i < LIVES; i++)
        connect_life(w, i, false);
    for (unsigned i = 0; i < 2; i++) {
        hold(w, i, HOLDS_MAX);
        POST(w->held[i]);
    }
}

static u64 chunk_at(unsigned which)
{
    const u64 at[CHUNKS] = {PDR_HEADER_AT(0), PDR_HEADER_AT(1), PDR_CLAIMS_AT(0),
                            PDR_BLOCK_AT(5)};
    return at[which % CHUNKS];
}

/* A write of it stood: was it its place? */
static void stood(const struct world *w, unsigned i)
{
    for (unsigned k = 0; k < LIVES && w->honest; k++) {
        POST(k == i || !w->lives[k].locked || w->began[k] < w->began[i] || w->lives[k].lost);
        POST(k == i || slot_of(k) != slot_of(i) || w->lives[k].life != LIFE_OURS ||
             w->held[k] < w->held[i]);
    }
}

static void chunk_write(struct world *w, unsigned i, unsigned which, u8 value)
{
    u8 bytes[LEASE_CHUNK_BYTES];
    memset(bytes, value, sizeof bytes);
    int rc = lease_write(&w->lives[i], chunk_at(which), bytes, sizeof bytes, value & 1, NULL);
    w->known[which] = rc == ST_OK;
    w->value[which] = value;
    if (rc == ST_OK)
        stood(w, i);
}

static void chunk_read(struct world *w, unsigned i, unsigned which)
{
    u8 bytes[LEASE_CHUNK_BYTES];
    struct lease *l = &w->lives[i];
    int rc = lease_read(l, chunk_at(which), bytes, sizeof bytes, NULL);
    bool last = rc == ST_OK && w->honest && w->known[which] && !w->lost[which];
    for (unsigned k = 0; k < LIVES; k++)
        last = last && (k == i || !w->lives[k].locked || w->began[k] < w->began[i]);
    POST(!last || bytes[77] == w->value[which]);
}

static void peek(unsigned which)
{
    u8 once[2 * LEASE_CHUNK_BYTES], twice[2 * LEASE_CHUNK_BYTES];
    struct lease *l = &looker;
    POST(lease_peek(l, chunk_at(which) - 99, once, sizeof once, NULL) == ST_OK);
    POST(lease_peek(l, chunk_at(which) - 99, twice, sizeof twice, NULL) == ST_OK);
    POST(memcmp(once, twice, sizeof once) == 0);
    (void)lease_look(l, NULL);
    POST(lease_locked_by(l) < (int)SSI_SLOTS_MAX);
    for (unsigned k = 0; k < SSI_SLOTS_MAX; k++)
        (void)lease_life_held(l, k);
}

/* Bytes 4 to 7 of a byte: whose, or which; a byte that follows says of what. */
static void spoil(struct world *w, struct input *in, u8 op)
{
    u8 what = pdr_take(in), slot = op >> 4 & 7, which = what >> 2 & 3;
    u64 at = 0;
    size_t size = LEASE_SECTOR_BYTES;
    if ((what & 3) == 1)
        at = LEASE_SECTORS_AT + (u64)slot * LEASE_SECTOR_BYTES;
    if ((what & 3) >= 2) {
        size = what & 1 ? LEASE_COPY_BYTES : LEASE_SECTOR_BYTES;
        at = LEASE_CHUNKS_AT + chunk_at(which) / LEASE_CHUNK_BYTES * LEASE_ROW_BYTES +
             (u64)slot * LEASE_COPY_BYTES;
        w->lost[which] = true;
    }
    medium_write(&medium, at, medium.bytes + at, LEASE_COPY_BYTES);
    pdr_spoil(medium.bytes, at, size, what & 0x20, what & 0x40 ? KEEP_NOTHING : CRC_AT, in,
              &w->spoiled);
    if (!(what & 0x40))
        return;
    u8 *p = medium.bytes + at;
    u32 crc = (u32)crc32(0, p, CRC_AT);
    if ((what & 3) >= 2)
        crc = (u32)crc32(crc, p + LEASE_SECTOR_BYTES, LEASE_CHUNK_BYTES);
    be32_store(p + CRC_AT, crc);
    w->honest = false;
}

static void lock(struct world *w, unsigned i, unsigned wait_ms)
{
    if (lease_lock(&w->lives[i], wait_ms, NULL) == ST_OK)
        w->began[i] = ++w->order;
}

/* What needs a session, or that there is none. */
static void session(struct world *w, struct input *in, u8 op, unsigned i)
{
    struct lease *l = &w->lives[i];
    u8 beat[PDR_BEAT_BYTES] = {0}, arg = pdr_take(in);
    switch (op & 7) {
    case 0:
    case 1:
        if (!l->locked)
            lock(w, i, arg * 100u);
        break;
    case 2:
        if (l->locked)
            lease_unlock(l);
        break;
    case 3:
    case 4:
        if (l->locked)
            chunk_write(w, i, arg & 3, arg);
        break;
    case 5:
        if (l->locked)
            chunk_read(w, i, arg & 3);
        break;
    case 6:
        (void)lease_write(l, (u64)slot_of(i) * sizeof beat, beat, sizeof beat, false, NULL);
        break;
    default: hold(w, i, arg); break;
    }
}

static void operation(struct world *w, struct input *in)
{
    u8 op = pdr_take(in);
    unsigned i = (op >> 4) % LIVES;
    struct lease *l = &w->lives[i];
    switch (op & 15) {
    case 8: now_ms += pdr_take(in) * 100u; break;
    case 9: now_ms += pdr_take16(in) * 10u; break;
    case 10:
    case 11: spoil(w, in, op); break;
    case 12: pdr_heal(medium.bytes, &w->spoiled); break;
    case 13:
        lease_disconnected(l);
        if (l->locked)
            lease_unlock(l);
        if (op & 0x80)
            lease_forget(l);
        connect_life(w, i, op & 0x40);
        break;
    case 14:
        if (!l->locked && w->connected[i])
            lease_life_drop(l);
        break;
    case 15: peek(pdr_take(in) & 3); break;
    default:
        if (w->connected[i])
            session(w, in, op, i);
        else
            connect_life(w, i, true);
        break;
    }
}

void pdr_lease_exec(struct input *in)
{
    begin(&world);
    for (unsigned i = 0; i < OPERATIONS_MAX && in->p < in->end; i++)
        operation(&world, in);
}
