/* The lease of a slot, and the record's lock, on a disk that has no locks, does not compare before
 * it writes, and may carry out a write long after its sender was given up: an NBD export. The
 * chunks of the PDR are in ssi_lease_chunk.c.
 *
 * Time decides how long somebody waits, and never what is true: a member that was stopped in the
 * middle of a session for an hour can write then what it likes.
 *
 * [B1] A sector and a copy of a chunk are written by the member of their slot alone, one request at
 *      a time. Who has had no answer to a write, or takes over a slot that was not given up, writes
 *      neither before LEASE_SETTLE_MS on a new connection: till then the old request has been
 *      carried out or is gone with its connection. This is the one thing that is assumed of the
 *      server's time; it counts while the server answers.
 * [B2] A session begins when its member is UP, and has seen each other slot as no rival in a
 *      reading made after that was written (J. E. Burns' one-bit algorithm; who has the greater
 *      ticket gives way). No rival: FREE; or passed over, [B3]. So of two sessions the one has
 *      ended before the other reads anything, or was passed over by it.
 * [B3] Passed over is who has LEFT, whose process is known to have ended, or whose sector stands
 *      still for LEASE_STILL_MS by the observer's own clock. The observer writes the ballot that it
 *      passes over into its own sector (`over`), reads once more, and then begins.
 * [B4] A session has a ballot, greater than those of all before it. What it writes has the ballot
 *      on it, and of a chunk's copies the one with the greatest counts. After each write it reads
 *      all sectors: only if nobody has passed over its ballot the write stands. For who passes it
 *      over later reads all chunks later, and finds it; and whatever is written by a session before
 *      it has a smaller ballot. Else the session is lost, its member knows nothing of the write.
 * [B5] A session that passed over another, or whose member's last one did not end well, seals: a
 *      header or block that it reads by itself it writes back with its own ballot. From then on
 *      what the other one had under way, and what lands late, counts for nothing; where it has
 *      landed before it was read it stands for good (Disk Paxos of Gafni and Lamport, with one
 *      disk, is the argument). That is enough: a change that is under way follows the last one that
 *      stands, so it is that one or the next, and both are read by themselves. Claims of a
 *      checkpoint are not sealed: a late one damages the older checkpoint at most, whose crc tells
 *      ([P2] in ssi_pdr.c). A copy that is sealed anew in its place keeps its bytes: only its first
 *      sector changes, so no write that is torn can lose it. A session that did not seal what it
 *      had to has LEFT, and not ended.
 * [B6] Before its first chunk a session has its sector on stable storage: no chunk has a ballot
 *      that the sectors do not know of after the server's host has failed. A reader that finds such
 *      a ballot all the same is lost, and takes a greater one.
 * [B7] A session is its connection's: with another connection it is lost. A server that was started
 *      anew may have forgotten what nobody was told of. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "ssi/ssi_lease_internal.h"

#define TORN_TRIES 20u
#define TURNS_MAX 64u /* of one call without a wait */

void lease_init(struct lease *l, const struct lease_disk *disk, unsigned slot,
                const struct ssi_process *process)
{
    memset(l, 0, sizeof *l);
    l->disk = *disk;
    l->slot = slot;
    l->process = *process;
}

static u64 now(const struct lease *l)
{
    return l->disk.now_ms(l->disk.ctx);
}

int lease_failed(struct lease *l, int rc)
{
    if (rc)
        l->failed = true;
    return rc;
}

/* --- sectors --- */

int lease_own_write(struct lease *l, bool durable, struct cause *cause)
{
    u8 sector[LEASE_SECTOR_BYTES];
    if (now(l) < l->quiet_ms)
        return cause_set(cause, ST_BUSY,
                         "a write without an answer is waited for, it may still come");
    l->own.count++;
    lease_sector_encode(sector, l->format, &l->own);
    l->written_ms = now(l);
    int rc = l->disk.write(l->disk.ctx, LEASE_SECTORS_AT + (u64)l->slot * LEASE_SECTOR_BYTES,
                           sector, sizeof sector, durable, cause);
    l->stale = rc != ST_OK;
    return rc;
}

static void top_raise(struct lease *l, u64 ballot)
{
    l->top = ballot > l->top ? ballot : l->top;
}

static void seen_take(struct lease *l, unsigned i, const struct lease_sector *sector)
{
    struct lease_sector *seen = &l->seen[i];
    if (!l->seen_ms[i] || seen->nonce != sector->nonce || seen->count != sector->count)
        l->seen_ms[i] = now(l);
    *seen = *sector;
    top_raise(l, sector->ballot);
    for (unsigned k = 0; k < SSI_SLOTS_MAX; k++)
        top_raise(l, sector->over[k]);
}

int lease_look(struct lease *l, struct cause *cause)
{
    u8 sectors[SSI_SLOTS_MAX * LEASE_SECTOR_BYTES];
    struct lease_sector sector;
    unsigned i = 0;
    for (unsigned tries = 0; tries < TORN_TRIES; tries++) {
        l->asked_ms = now(l);
        int rc = l->disk.read(l->disk.ctx, LEASE_SECTORS_AT, sectors, sizeof sectors, cause);
        if (rc)
            return rc;
        for (i = 0; i < SSI_SLOTS_MAX; i++) {
            if (!lease_sector_decode(&sector, l->format,
                                     sectors + (size_t)i * LEASE_SECTOR_BYTES))
                break;
            seen_take(l, i, &sector);
        }
        if (i == SSI_SLOTS_MAX)
            return ST_OK;
        l->disk.pause(l->disk.ctx, LEASE_POLL_MS); /* it is being written */
    }
    return cause_set(cause, ST_PROTO, "the lease of slot %u is damaged", i + 1);
}

/* Before something is written after a while: is the slot ours? A life that only asks is told that
 * it is taken; one that has it has won. */
static int own_look(struct lease *l, struct cause *cause)
{
    int rc = lease_look(l, cause);
    const struct lease_sector *own = &l->seen[l->slot];
    if (rc || own->nonce == l->nonce)
        return rc;
    l->lost = true;
    if (own->life == LEASE_ASKS)
        return lease_own_write(l, false, cause);
    l->life = LIFE_NONE;
    return cause_set(cause, ST_LOST, "another system has taken slot %u", l->slot + 1);
}

/** [B4] */
int lease_verify(struct lease *l, struct cause *cause)
{
    int rc = own_look(l, cause);
    const struct lease_sector *own = &l->seen[l->slot];
    if (rc)
        return rc;
    l->lost |= own->count != l->own.count;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        l->lost |= l->seen[i].over[l->slot] >= l->own.ballot;
    return l->lost ? lease_lost(l, cause) : ST_OK;
}

int lease_lost(struct lease *l, struct cause *cause)
{
    l->lost = true;
    return cause_set(cause, ST_IO,
                     "this system stood still, or was cut off, while it had the lock, and was "
                     "passed over");
}

int lease_keep(struct lease *l, struct cause *cause)
{
    if (l->lost)
        return lease_lost(l, cause);
    int rc = now(l) < l->asked_ms + LEASE_RENEW_MS ? ST_OK : lease_verify(l, cause);
    if (rc || now(l) < l->written_ms + LEASE_RENEW_MS)
        return rc;
    return lease_own_write(l, false, cause);
}

int lease_renew(struct lease *l, struct cause *cause)
{
    bool due = l->life == LIFE_OURS && !l->locked && now(l) >= l->quiet_ms &&
               now(l) >= l->written_ms + LEASE_RENEW_MS / 2;
    if (!due)
        return ST_OK;
    int rc = own_look(l, cause);
    return rc ? rc : lease_own_write(l, false, cause);
}

/* --- the disk --- */

int lease_reconnected(struct lease *l, bool doubt, struct cause *cause)
{
    u8 super[LEASE_SECTOR_BYTES];
    bool newer;
    int rc = l->disk.read(l->disk.ctx, 0, super, sizeof super, cause);
    if (rc)
        return rc;
    u64 format = lease_super_decode(super, &newer);
    if (newer)
        return cause_set(cause, ST_CONFIG,
                         "it is of a version that this release does not know");
    if (!format)
        return cause_set(cause, ST_CONFIG,
                         "there is no PDR on it; endicott formssi create makes one");
    if (l->format && l->format != format)
        return cause_set(cause, ST_IO, "another PDR was made there while this system uses it");
    l->format = format;
    memset(l->buried, 0, sizeof l->buried);
    if (l->life == LIFE_OURS) {
        rc = lease_look(l, cause);
        if (rc == ST_OK && l->seen[l->slot].nonce == l->nonce) /* what the server knows */
            memcpy(l->own.over, l->seen[l->slot].over, sizeof l->own.over);
    } else {
        l->life = LIFE_NONE;
    }
    if (doubt)
        l->quiet_ms = now(l) + LEASE_SETTLE_MS;
    return rc;
}

void lease_disconnected(struct lease *l)
{
    l->lost = true;
    l->unclean |= l->own.flag == LEASE_UP;
}

void lease_forget(struct lease *l)
{
    PRE(!l->locked || l->lost);
    l->locked = false;
    l->life = LIFE_NONE;
    l->format = 0;
}

/* --- the slot --- */

static int taken(struct lease *l, struct cause *cause)
{
    int pid = ssi_process_here(&l->seen[l->slot].process);
    l->life = LIFE_NONE;
    if (pid > 0)
        return cause_set(cause, ST_EXIST, "a system in slot %u runs already (process %d)",
                         l->slot + 1, pid);
    return cause_set(cause, ST_EXIST, "a system in slot %u runs already, elsewhere",
                     l->slot + 1);
}

/* [B1]. One that has ended may have had one write under way, which is seen as one change. */
static int life_watch(struct lease *l, struct cause *cause)
{
    const struct lease_sector *there = &l->seen[l->slot];
    bool new = l->life == LIFE_NONE;
    bool moved = !new && (there->nonce != l->own.nonce || there->count != l->own.count);
    if (there->life == LEASE_NOBODY || there->nonce == l->nonce) /* or we asked before */
        return ST_OK;
    if (new &&ssi_process_here(&there->process) > 0 &&
        !l->disk.gone(l->disk.ctx, &there->process))
        return taken(l, cause);
    l->moves = new ? 0 : l->moves + moved;
    if (l->moves > 1)
        return taken(l, cause);
    if (new || moved) {
        l->life = LIFE_WATCH;
        l->life_ms = now(l);
        l->own = *there;
    }
    if (l->asked_ms >= l->life_ms + LEASE_SETTLE_MS)
        return ST_OK;
    return cause_set(cause, ST_BUSY, "waiting whether a system in slot %u runs", l->slot + 1);
}

static int life_ask(struct lease *l, struct cause *cause)
{
    const struct lease_sector *there = &l->seen[l->slot];
    l->nonce = l->disk.random(l->disk.ctx) | 1;
    l->unclean = there->flag != LEASE_FREE;
    l->own = *there;
    l->own.nonce = l->nonce;
    l->own.ticket = 0;
    l->own.life = LEASE_ASKS;
    l->own.flag = l->unclean ? LEASE_LEFT : LEASE_FREE;
    l->own.process = l->process;
    int rc = lease_own_write(l, true, cause);
    l->life = rc ? LIFE_NONE : LIFE_CONFIRM;
    l->life_ms = now(l);
    return rc ? rc : cause_set(cause, ST_BUSY, "asking for slot %u", l->slot + 1);
}

static int life_confirm(struct lease *l, struct cause *cause)
{
    if (l->seen[l->slot].nonce != l->nonce)
        return taken(l, cause);
    if (l->asked_ms < l->life_ms + LEASE_CONFIRM_MS)
        return cause_set(cause, ST_BUSY, "asking for slot %u", l->slot + 1);
    l->own.life = LEASE_HELD;
    int rc = lease_own_write(l, true, cause);
    l->life = rc ? LIFE_NONE : LIFE_OURS;
    return rc;
}

/* It was ours when it was looked at last. */
static int life_kept(struct lease *l, struct cause *cause)
{
    int rc = own_look(l, cause);
    return rc == ST_LOST ? taken(l, cause) : rc;
}

int lease_life_hold(struct lease *l, struct cause *cause)
{
    if (l->life == LIFE_OURS)
        return life_kept(l, cause);
    int rc = lease_look(l, cause);
    if (rc)
        return rc;
    if (l->life == LIFE_CONFIRM)
        return life_confirm(l, cause);
    rc = life_watch(l, cause);
    return rc ? rc : life_ask(l, cause);
}

void lease_life_drop(struct lease *l)
{
    bool ours = l->life == LIFE_OURS && own_look(l, NULL) == ST_OK;
    l->life = LIFE_NONE;
    if (!ours)
        return;
    l->own.life = LEASE_NOBODY;
    l->own.flag = l->unclean ? LEASE_LEFT : LEASE_FREE;
    lease_own_write(l, true, NULL);
}

bool lease_life_held(const struct lease *l, unsigned slot)
{
    const struct lease_sector *there = &l->seen[slot];
    return !l->seen_ms[slot] ||
           (there->life != LEASE_NOBODY && !l->disk.gone(l->disk.ctx, &there->process));
}

/* --- the lock --- */

static int up_write(struct lease *l, struct cause *cause)
{
    l->own.ballot = (l->top / SSI_SLOTS_MAX + 1) * SSI_SLOTS_MAX + l->slot;
    top_raise(l, l->own.ballot);
    if (!l->own.ticket)
        l->own.ticket = l->own.ballot;
    l->own.flag = LEASE_UP;
    return lease_own_write(l, false, cause);
}

static int withdraw(struct lease *l, struct cause *cause)
{
    l->clear = 0;
    l->upright = false;
    if (l->own.flag != LEASE_UP && !l->stale)
        return ST_OK;
    l->own.flag = l->unclean ? LEASE_LEFT : LEASE_FREE;
    return lease_own_write(l, false, cause);
}

/* FREE, or passed over by a session that ended well: [B3], [B5]. */
static bool is_free(const struct lease *l, unsigned i)
{
    const struct lease_sector *s = &l->seen[i];
    bool free = s->flag == LEASE_FREE || l->buried[i] >= s->ballot;
    for (unsigned k = 0; k < SSI_SLOTS_MAX && !free; k++)
        free = l->seen[k].flag == LEASE_FREE && l->seen[k].over[i] >= s->ballot;
    return free;
}

/** [B3] */
static bool may_pass(const struct lease *l, unsigned i)
{
    const struct lease_sector *s = &l->seen[i];
    return s->flag == LEASE_LEFT || l->asked_ms >= l->seen_ms[i] + LEASE_STILL_MS ||
           l->disk.gone(l->disk.ctx, &s->process);
}

static bool goes_first(const struct lease *l, unsigned i)
{
    const struct lease_sector *s = &l->seen[i];
    return s->ticket < l->own.ticket || (s->ticket == l->own.ticket && i < l->slot);
}

/** What stands between this member and its session: slots. */
struct rivals {
    u8 wait;  /* alive */
    u8 first; /* ... and before us */
    u8 pass;  /* to be passed over, which is not written yet */
};

static struct rivals rivals_find(struct lease *l)
{
    struct rivals r = {0};
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        u8 bit = (u8)(1u << i);
        if (i == l->slot || l->clear & bit)
            continue;
        u64 ballot = l->seen[i].ballot;
        if (!is_free(l, i) && !may_pass(l, i)) {
            r.wait |= bit;
            r.first |= goes_first(l, i) ? bit : 0;
            continue;
        }
        l->floor = ballot > l->floor ? ballot : l->floor;
        if (!is_free(l, i))
            r.pass |= l->own.over[i] < ballot ? bit : 0;
        else if (l->upright)
            l->clear |= bit;
    }
    return r;
}

static bool passed_over(const struct lease *l)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (l->seen[i].over[l->slot] >= l->own.ballot)
            return true;
    return false;
}

/* The sessions that are in the way of nobody any more. */
static int pass_write(struct lease *l, u8 pass, struct cause *cause)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (pass >> i & 1)
            l->own.over[i] = l->seen[i].ballot;
    l->seals |= pass != 0;
    l->unclean |= pass != 0;
    return up_write(l, cause);
}

enum turn { TURN_HAD, TURN_AGAIN, TURN_WAIT };

/* [B2]: one reading, and at most one write. *rc: what failed. */
static enum turn turn(struct lease *l, bool patient, int *rc, struct cause *cause)
{
    *rc = own_look(l, cause);
    if (*rc)
        return TURN_WAIT;
    struct rivals r = rivals_find(l);
    if (!l->upright && (r.first || (r.wait && !patient)))
        return TURN_WAIT;
    if (!l->upright || passed_over(l) || l->seen[l->slot].count != l->own.count) {
        l->clear = 0;
        l->upright = true;
        *rc = up_write(l, cause);
        return TURN_AGAIN;
    }
    if (r.first) {
        *rc = withdraw(l, cause);
        return TURN_WAIT;
    }
    if (r.wait)
        return TURN_WAIT;
    if (!r.pass && l->own.ballot > l->floor)
        return TURN_HAD;
    *rc = pass_write(l, r.pass, cause);
    return TURN_AGAIN;
}

static int turn_await(struct lease *l, unsigned wait_ms, struct cause *cause)
{
    u64 until = now(l) + wait_ms;
    unsigned pause_ms = LEASE_POLL_MS;
    int rc = own_look(l, cause);
    if (rc == ST_OK)
        rc = withdraw(l, cause); /* what the last session could not write */
    for (unsigned turns = 0; turns < TURNS_MAX && rc == ST_OK; turns++) {
        enum turn t = turn(l, wait_ms != 0, &rc, cause);
        if (rc == ST_OK && t == TURN_HAD)
            return ST_OK; /* its own sector was as it wrote it, and nobody's `over` has it */
        if (rc || t == TURN_AGAIN)
            continue;
        if (now(l) >= until)
            break;
        l->disk.pause(l->disk.ctx, pause_ms);
        pause_ms = pause_ms < LEASE_POLL_MS_MAX ? pause_ms * 2 : pause_ms;
        turns = 0;
    }
    if (rc == ST_OK)
        rc = withdraw(l, cause);
    return rc ? rc : cause_set(cause, ST_BUSY, "it is locked by another system");
}

int lease_lock(struct lease *l, unsigned wait_ms, struct cause *cause)
{
    PRE(!l->locked);
    if (l->life != LIFE_OURS)
        return cause_set(cause, ST_LOST, "slot %u is not this system's any more", l->slot + 1);
    if (now(l) < l->quiet_ms)
        return cause_set(cause, ST_BUSY,
                         "a write without an answer is waited for, it may still come");
    l->clear = l->read = 0;
    l->floor = 0;
    l->lost = l->failed = l->unflushed = l->durable = false;
    l->seals = l->unclean;
    int rc = turn_await(l, wait_ms, cause);
    if (rc) {
        l->unclean |= l->own.flag == LEASE_UP;
        return rc;
    }
    l->locked = true;
    l->lost = false;
    l->own.ticket = 0;
    return ST_OK;
}

/* A lost session may have stood still until the slot was another's: then nothing is written. What
 * could not be is for the next session (`withdraw`). */
static int down_write(struct lease *l)
{
    int rc = l->lost ? own_look(l, NULL) : ST_OK;
    l->stale |= rc != ST_OK;
    if (rc)
        return rc;
    return l->life == LIFE_OURS ? lease_own_write(l, false, NULL) : ST_LOST;
}

void lease_unlock(struct lease *l)
{
    PRE(l->locked);
    bool well =
        lease_keep(l, NULL) == ST_OK && !l->failed && (!l->seals || l->read == LEASE_READ_ALL);
    l->locked = false;
    l->own.flag = well ? LEASE_FREE : LEASE_LEFT;
    if (down_write(l) == ST_OK && well)
        memcpy(l->buried, l->own.over, sizeof l->buried);
    else
        well = false;
    l->unclean = !well;
}

int lease_locked_by(const struct lease *l)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (l->seen_ms[i] && l->seen[i].flag == LEASE_UP && !is_free(l, i))
            return (int)i;
    return -1;
}
