/* The simulated world: one event queue ordered by (time, number), byte pipes, seeded delays.
 * A dead member's code may still run to its return; every port it calls then does nothing. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "ssi/ssi_sim.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem/base/ergo.h"
#include "mem/base/large.h"
#include "ssi/ssi_ports.h"

#define SIM_TICK_MS 25
#define SIM_DELAY_MS_MAX 8
#define SIM_STALL_RETRY_MS 20
#define SIM_EPOCH_MS 1700000000000ull

enum event_kind { EV_TICK, EV_CONNECT, EV_DELIVER, EV_WORK, EV_WORKED };

struct event {
    u64 at_ms, number;
    enum event_kind kind;
    unsigned slot; /* EV_TICK, EV_WORK, EV_WORKED */
    u64 life;      /* likewise: of that life only */
    u64 work;      /* EV_WORK, EV_WORKED: which */
    ssi_conn conn; /* EV_CONNECT: initiator's; EV_DELIVER: receiver's */
};

/* Bytes on their way; len 0 = opened (first) or end of file. */
struct chunk {
    struct chunk *next;
    enum { CHUNK_OPENED, CHUNK_DATA, CHUNK_EOF } kind;
    size_t len, off;
    u8 data[];
};

struct sim_conn {
    ssi_conn id, peer; /* peer 0: gone */
    unsigned slot, peer_slot;
    bool dead; /* its member has forgotten it */
    bool paused;
    struct chunk *head, **tail;
    u64 last_at_ms;
    size_t inbound;
};

struct sim_member {
    struct ssi_sim *sim;
    struct ssi *ssi;
    struct ssi_ports ports;
    unsigned slot, host;
    u64 life;
    bool running, dying, listening, life_lock;
    void (*work)(void *arg); /* beside its loop; NULL: none, or it has ended */
    void *work_arg;
    u64 n_work;
    bool worked; /* it has ended, and that has not been reported */
};

struct ssi_sim {
    u64 now_ms, random, number, pdr_writes;
    struct event *events;
    size_t n_events, room_events;
    struct sim_conn **conns;
    size_t n_conns;
    ssi_conn last_conn;
    struct sim_member members[SSI_SLOTS_MAX];
    bool stalled[SSI_SLOTS_MAX][SSI_SLOTS_MAX];     /* from, to */
    unsigned slow_ms[SSI_SLOTS_MAX][SSI_SLOTS_MAX]; /* likewise */
    bool flip[SSI_SLOTS_MAX][SSI_SLOTS_MAX];        /* likewise: the next bytes */
    bool pdr_cut[SSI_SLOTS_MAX], frozen[SSI_SLOTS_MAX];
    u8 *pdr;
    bool pdr_locked, verbose;
    unsigned work_ms; /* work beside the loop takes up to so long; 0: it is done on the loop */
    enum ssi_sim_fault fault;
    unsigned fault_count, read_faults, errors;
    u64 held_until_ms;
};

u64 ssi_sim_random(struct ssi_sim *sim)
{
    u64 z = sim->random += 0x9e3779b97f4a7c15ull; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static void event_add(struct ssi_sim *sim, struct event event)
{
    if (sim->n_events == sim->room_events) {
        sim->room_events = sim->room_events * 2 + 64;
        sim->events = realloc(sim->events, sim->room_events * sizeof *sim->events);
        ERGO(sim->events);
    }
    event.number = sim->number++;
    sim->events[sim->n_events++] = event;
}

static void conn_event(struct ssi_sim *sim, u64 at_ms, enum event_kind kind, ssi_conn conn)
{
    event_add(sim, (struct event){.at_ms = at_ms, .kind = kind, .conn = conn});
}

static struct event event_take(struct ssi_sim *sim)
{
    PRE(sim->n_events);
    struct event *best = sim->events, event;
    for (struct event *a = best; a < sim->events + sim->n_events; a++)
        if (a->at_ms < best->at_ms || (a->at_ms == best->at_ms && a->number < best->number))
            best = a;
    event = *best;
    *best = sim->events[--sim->n_events];
    return event;
}

static struct sim_conn *conn_find(struct ssi_sim *sim, ssi_conn id)
{
    for (size_t i = 0; i < sim->n_conns; i++)
        if (sim->conns[i]->id == id && id)
            return sim->conns[i];
    return NULL;
}

static struct sim_conn *conn_new(struct ssi_sim *sim, unsigned slot, unsigned peer_slot)
{
    struct sim_conn *conn = calloc(1, sizeof *conn);
    sim->conns = realloc(sim->conns, (sim->n_conns + 1) * sizeof(struct sim_conn *));
    ERGO(conn && sim->conns);
    sim->conns[sim->n_conns++] = conn;
    conn->id = ++sim->last_conn;
    conn->slot = slot;
    conn->peer_slot = peer_slot;
    conn->tail = &conn->head;
    return conn;
}

static void chunks_drop(struct sim_conn *conn)
{
    while (conn->head) {
        struct chunk *chunk = conn->head;
        conn->head = chunk->next;
        free(chunk);
    }
    conn->tail = &conn->head;
    conn->inbound = 0;
}

static void conns_sweep(struct ssi_sim *sim)
{
    size_t kept = 0;
    for (size_t i = 0; i < sim->n_conns; i++) {
        struct sim_conn *conn = sim->conns[i];
        if (conn->dead) {
            chunks_drop(conn);
            free(conn);
        } else {
            sim->conns[kept++] = conn;
        }
    }
    sim->n_conns = kept;
}

static u64 arrival_ms(struct ssi_sim *sim, unsigned from, unsigned to)
{
    return sim->now_ms + ssi_sim_random(sim) % (SIM_DELAY_MS_MAX + sim->slow_ms[from][to]);
}

/* Put a chunk on its way to `to`. */
static void chunk_add(struct ssi_sim *sim, struct sim_conn *to, int kind, const u8 *data,
                      size_t len)
{
    struct chunk *chunk = calloc(1, sizeof *chunk + len);
    ERGO(chunk);
    chunk->kind = kind;
    chunk->len = len;
    if (len)
        memcpy(chunk->data, data, len);
    *to->tail = chunk;
    to->tail = &chunk->next;
    to->inbound += len;
    u64 at = arrival_ms(sim, to->peer_slot, to->slot);
    to->last_at_ms = at > to->last_at_ms ? at : to->last_at_ms;
    conn_event(sim, to->last_at_ms, EV_DELIVER, to->id);
}

/* --- ports --- */

static struct sim_member *alive(void *ctx)
{
    struct sim_member *m = ctx;
    return m->running && !m->dying ? m : NULL;
}

static u64 port_now_ms(void *ctx)
{
    return ((struct sim_member *)ctx)->sim->now_ms;
}

static u64 port_wall_ms(void *ctx)
{
    return SIM_EPOCH_MS + ((struct sim_member *)ctx)->sim->now_ms;
}

static u64 port_random(void *ctx)
{
    return ssi_sim_random(((struct sim_member *)ctx)->sim);
}

static u64 port_host_id(void *ctx)
{
    return 1000 + ((struct sim_member *)ctx)->host;
}

static int port_listen(void *ctx, const char *addr, const char *advertise, char *actual,
                       struct cause *cause)
{
    struct sim_member *m = ctx;
    (void)addr;
    (void)advertise;
    (void)cause;
    m->listening = true;
    snprintf(actual, SSI_ADDR_BYTES, "sim:%u", m->slot);
    return ST_OK;
}

static void port_listen_stop(void *ctx)
{
    ((struct sim_member *)ctx)->listening = false;
}

static ssi_conn port_connect(void *ctx, const char *addr, struct cause *cause)
{
    struct sim_member *m = alive(ctx);
    unsigned slot;
    if (!m || sscanf(addr, "sim:%u", &slot) != 1 || slot >= SSI_SLOTS_MAX) {
        cause_set(cause, ST_INVAL, "%s is no address", addr);
        return 0;
    }
    struct sim_conn *conn = conn_new(m->sim, m->slot, slot);
    conn_event(m->sim, arrival_ms(m->sim, m->slot, slot), EV_CONNECT, conn->id);
    return conn->id;
}

/* One bit of the message of which all pieces have been put on their way, from `first` on. */
static void flip_one(struct ssi_sim *sim, struct sim_conn *to, struct chunk *first, size_t len)
{
    size_t at = ssi_sim_random(sim) % len;
    while (at >= first->len) {
        at -= first->len;
        first = first->next;
    }
    first->data[at] ^= (u8)(1u << ssi_sim_random(sim) % 8);
    sim->flip[to->peer_slot][to->slot] = false;
}

static void port_send(void *ctx, ssi_conn id, const struct ssi_iov *iov, unsigned n)
{
    struct sim_member *m = alive(ctx);
    struct sim_conn *conn = m ? conn_find(m->sim, id) : NULL;
    struct sim_conn *peer = conn ? conn_find(m->sim, conn->peer) : NULL;
    struct chunk **first = peer ? peer->tail : NULL;
    size_t len = 0;
    for (unsigned i = 0; peer && i < n; i++)
        if (iov[i].len) {
            chunk_add(m->sim, peer, CHUNK_DATA, iov[i].p, iov[i].len);
            len += iov[i].len;
        }
    if (len && m->sim->flip[peer->peer_slot][peer->slot])
        flip_one(m->sim, peer, *first, len);
}

static size_t port_backlog(void *ctx, ssi_conn id)
{
    struct sim_member *m = ctx;
    struct sim_conn *conn = conn_find(m->sim, id);
    struct sim_conn *peer = conn ? conn_find(m->sim, conn->peer) : NULL;
    return peer ? peer->inbound : 0;
}

static void port_pause(void *ctx, ssi_conn id, bool paused)
{
    struct sim_conn *conn = conn_find(((struct sim_member *)ctx)->sim, id);
    if (conn)
        conn->paused = paused;
}

static void conn_end(struct ssi_sim *sim, struct sim_conn *conn, bool lose)
{
    struct sim_conn *peer = conn_find(sim, conn->peer);
    conn->dead = true;
    conn->peer = 0;
    if (!peer || peer->dead)
        return;
    peer->peer = 0;
    if (lose)
        chunks_drop(peer);
    chunk_add(sim, peer, CHUNK_EOF, NULL, 0);
}

static void port_close(void *ctx, ssi_conn id, bool flush)
{
    struct sim_member *m = ctx;
    struct sim_conn *conn = conn_find(m->sim, id);
    if (conn)
        conn_end(m->sim, conn, !flush && ssi_sim_random(m->sim) % 2);
}

static int port_pdr_lock(void *ctx, unsigned wait_ms, struct cause *cause)
{
    struct sim_member *m = alive(ctx);
    (void)wait_ms;
    if (!m)
        return cause_set(cause, ST_IO, "dead");
    if (m->sim->pdr_cut[m->slot])
        return cause_set(cause, ST_IO, "the volume cannot be reached");
    if (ssi_sim_random(m->sim) % 50 == 0 || m->sim->now_ms < m->sim->held_until_ms)
        return cause_set(cause, ST_BUSY, "the PDR is locked");
    ERGO(!m->sim->pdr_locked);
    m->sim->pdr_locked = true;
    return ST_OK;
}

static void port_pdr_unlock(void *ctx)
{
    ((struct sim_member *)ctx)->sim->pdr_locked = false;
}

static int port_pdr_reserve(void *ctx, u64 bytes, struct cause *cause)
{
    ERGO(bytes == PDR_FILE_BYTES);
    return alive(ctx) ? ST_OK : cause_set(cause, ST_IO, "dead");
}

static int port_pdr_read(void *ctx, u64 offset, void *data, size_t len, size_t *got,
                         struct cause *cause)
{
    struct sim_member *m = alive(ctx);
    if (!m || m->sim->pdr_cut[m->slot])
        return cause_set(cause, ST_IO, m ? "the volume cannot be reached" : "dead");
    if (m->sim->read_faults) {
        m->sim->read_faults--;
        return cause_set(cause, ST_IO, "injected read error");
    }
    ERGO(offset + len <= PDR_FILE_BYTES);
    memcpy(data, m->sim->pdr + offset, len);
    *got = len;
    return ST_OK;
}

static int port_pdr_write(void *ctx, u64 offset, const void *data, size_t len, bool durable,
                          struct cause *cause)
{
    struct sim_member *m = alive(ctx);
    if (!m || m->sim->pdr_cut[m->slot])
        return cause_set(cause, ST_IO, m ? "the volume cannot be reached" : "dead");
    struct ssi_sim *sim = m->sim;
    ERGO(offset + len <= PDR_FILE_BYTES);
    ERGO(!durable || sim->pdr_locked);
    sim->pdr_writes += offset >= PDR_HEADER_AT(0);
    enum ssi_sim_fault fault = sim->fault_count ? sim->fault : SIM_FAULT_NONE;
    size_t part = len;
    if (fault == SIM_FAULT_BEFORE || fault == SIM_FAULT_LIE)
        part = 0;
    else if (fault == SIM_FAULT_TORN || fault == SIM_FAULT_CRASH)
        part = ssi_sim_random(sim) % len;
    else if (fault == SIM_FAULT_GONE)
        part = ssi_sim_random(sim) % 2 ? len : 0;
    memcpy(sim->pdr + offset, data, part);
    if (fault == SIM_FAULT_NONE)
        return ST_OK;
    sim->fault_count--;
    if (fault == SIM_FAULT_LIE)
        return ST_OK;
    m->dying = fault == SIM_FAULT_CRASH;
    sim->read_faults += fault == SIM_FAULT_DOUBT;
    sim->pdr_cut[m->slot] = sim->pdr_cut[m->slot] || fault == SIM_FAULT_GONE;
    return cause_set(cause, ST_IO, "injected write error");
}

static void work_event(const struct sim_member *m, enum event_kind kind)
{
    struct ssi_sim *sim = m->sim;
    event_add(sim, (struct event){.at_ms = sim->now_ms + ssi_sim_random(sim) % sim->work_ms,
                                  .kind = kind,
                                  .slot = m->slot,
                                  .life = m->life,
                                  .work = m->n_work});
}

static void port_pdr_work(void *ctx, void (*work)(void *arg), void *arg)
{
    struct sim_member *m = ctx;
    ERGO(!m->work && !m->worked);
    m->work = work;
    m->work_arg = arg;
    m->n_work++;
    work_event(m, EV_WORK);
}

static void work_do(struct sim_member *m)
{
    void (*work)(void *arg) = m->work;
    m->work = NULL;
    work(m->work_arg);
}

/* What has not been done when its member dies is not done any more. */
static bool port_pdr_wait(void *ctx, unsigned wait_ms)
{
    struct sim_member *m = ctx;
    bool slow = m->work && wait_ms != UINT_MAX && ssi_sim_random(m->sim) % 8 == 0;
    if (slow && alive(m))
        return false;
    if (m->work && alive(m))
        work_do(m);
    m->work = NULL;
    m->worked = false;
    return true;
}

static void work_step(struct ssi_sim *sim, const struct event *event)
{
    struct sim_member *m = &sim->members[event->slot];
    if (!alive(m) || m->life != event->life || m->n_work != event->work)
        return;
    if (event->kind == EV_WORK && m->work) {
        work_do(m);
        m->worked = true;
        work_event(m, EV_WORKED);
    } else if (event->kind == EV_WORKED && m->worked) {
        m->worked = false;
        ssi_pdr_worked(m->ssi);
    }
}

static int port_life_hold(void *ctx, unsigned slot, struct cause *cause)
{
    struct sim_member *m = alive(ctx);
    (void)slot;
    if (!m)
        return cause_set(cause, ST_IO, "dead");
    m->life_lock = true;
    return ST_OK;
}

static void port_life_drop(void *ctx, unsigned slot)
{
    (void)slot;
    ((struct sim_member *)ctx)->life_lock = false;
}

static bool port_life_held(void *ctx, unsigned slot)
{
    const struct sim_member *m = &((struct sim_member *)ctx)->sim->members[slot];
    return m->running && !m->dying && m->life_lock;
}

static void port_message(void *ctx, const char *text)
{
    struct sim_member *m = ctx;
    m->sim->errors += strncmp(text, "HCPPLM1717E", 11) == 0;
    if (m->sim->verbose && !m->dying)
        fprintf(stderr, "%8llu M%u %s\n", (unsigned long long)m->sim->now_ms, m->slot, text);
}

static const struct ssi_ports sim_ports = {
    .now_ms = port_now_ms,
    .wall_ms = port_wall_ms,
    .random = port_random,
    .host_id = port_host_id,
    .listen = port_listen,
    .listen_stop = port_listen_stop,
    .connect = port_connect,
    .send = port_send,
    .backlog = port_backlog,
    .pause = port_pause,
    .close = port_close,
    .pdr_lock = port_pdr_lock,
    .pdr_unlock = port_pdr_unlock,
    .pdr_reserve = port_pdr_reserve,
    .pdr_read = port_pdr_read,
    .pdr_write = port_pdr_write,
    .life_hold = port_life_hold,
    .life_drop = port_life_drop,
    .life_held = port_life_held,
    .operator_message = port_message,
    .pdr_work = port_pdr_work,
    .pdr_wait = port_pdr_wait,
};

struct ssi_sim *ssi_sim_create(u64 seed)
{
    struct ssi_sim *sim = calloc(1, sizeof *sim);
    u8 *pdr = large_map_sparse(PDR_FILE_BYTES);
    if (!sim || !pdr) {
        free(sim);
        if (pdr)
            large_unmap(pdr, PDR_FILE_BYTES);
        return NULL;
    }
    sim->pdr = pdr;
    sim->random = seed;
    sim->now_ms = 1000;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        sim->members[i].sim = sim;
        sim->members[i].slot = i;
    }
    return sim;
}

void ssi_sim_destroy(struct ssi_sim *sim)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        ssi_sim_crash(sim, i);
    for (size_t i = 0; i < sim->n_conns; i++)
        sim->conns[i]->dead = true;
    conns_sweep(sim);
    free(sim->conns);
    free(sim->events);
    large_unmap(sim->pdr, PDR_FILE_BYTES);
    free(sim);
}

void ssi_sim_config(struct ssi_config *config, unsigned slot, unsigned n)
{
    PRE(slot < n && n <= SSI_SLOTS_MAX);
    ssi_config_init(config);
    snprintf(config->cluster, sizeof config->cluster, "SIMSSI");
    for (unsigned i = 0; i < n; i++) {
        config->slots[i][0] = 'M';
        config->slots[i][1] = (char)('0' + i);
    }
    memcpy(config->member, config->slots[slot], sizeof config->member);
    snprintf(config->pdr_path, sizeof config->pdr_path, "sim");
    config->slot = slot;
}

static void tick_event(const struct sim_member *m, u64 in_ms)
{
    u64 at_ms = m->sim->now_ms + in_ms;
    event_add(m->sim, (struct event){
                          .at_ms = at_ms, .kind = EV_TICK, .slot = m->slot, .life = m->life});
}

struct ssi *ssi_sim_start(struct ssi_sim *sim, const struct ssi_config *config, unsigned host,
                          struct cause *cause)
{
    struct sim_member *m = &sim->members[config->slot];
    PRE(!m->running);
    m->ports = sim_ports;
    m->ports.ctx = m;
    if (!sim->work_ms)
        m->ports.pdr_work = NULL;
    m->work = NULL;
    m->worked = false;
    m->host = host;
    m->dying = m->listening = m->life_lock = false;
    m->ssi = ssi_create(config, &m->ports, cause);
    if (!m->ssi)
        return NULL;
    m->running = true;
    sim->frozen[m->slot] = false;
    m->life++;
    tick_event(m, ssi_sim_random(sim) % SIM_TICK_MS);
    return m->ssi;
}

void ssi_sim_crash(struct ssi_sim *sim, unsigned slot)
{
    struct sim_member *m = &sim->members[slot];
    if (!m->running)
        return;
    m->dying = true;
    ssi_destroy(m->ssi);
    m->ssi = NULL;
    m->running = m->listening = m->life_lock = false;
    for (size_t i = 0; i < sim->n_conns; i++)
        if (sim->conns[i]->slot == slot && !sim->conns[i]->dead)
            conn_end(sim, sim->conns[i], ssi_sim_random(sim) % 2);
}

struct ssi *ssi_sim_member(struct ssi_sim *sim, unsigned slot)
{
    return alive(&sim->members[slot]) ? sim->members[slot].ssi : NULL;
}

void ssi_sim_cut(struct ssi_sim *sim, unsigned a, unsigned b)
{
    for (size_t i = 0; i < sim->n_conns; i++) {
        struct sim_conn *conn = sim->conns[i];
        bool between = (conn->slot == a && conn->peer_slot == b) ||
                       (conn->slot == b && conn->peer_slot == a);
        if (!between || conn->dead || !conn->peer)
            continue;
        struct sim_conn *peer = conn_find(sim, conn->peer);
        conn->peer = 0;
        chunks_drop(conn);
        chunk_add(sim, conn, CHUNK_EOF, NULL, 0);
        if (!peer)
            continue;
        peer->peer = 0;
        chunks_drop(peer);
        chunk_add(sim, peer, CHUNK_EOF, NULL, 0);
    }
}

void ssi_sim_stall(struct ssi_sim *sim, unsigned a, unsigned b, bool stalled)
{
    sim->stalled[a][b] = sim->stalled[b][a] = stalled;
}

void ssi_sim_stall_way(struct ssi_sim *sim, unsigned from, unsigned to, bool stalled)
{
    sim->stalled[from][to] = stalled;
}

void ssi_sim_slow(struct ssi_sim *sim, unsigned a, unsigned b, unsigned delay_ms)
{
    sim->slow_ms[a][b] = sim->slow_ms[b][a] = delay_ms;
}

void ssi_sim_flip(struct ssi_sim *sim, unsigned from, unsigned to)
{
    sim->flip[from][to] = true;
}

void ssi_sim_pdr_cut(struct ssi_sim *sim, unsigned slot, bool cut)
{
    sim->pdr_cut[slot] = cut;
}

void ssi_sim_pdr_hold(struct ssi_sim *sim, u64 ms)
{
    sim->held_until_ms = sim->now_ms + ms;
}

void ssi_sim_pdr_fault(struct ssi_sim *sim, enum ssi_sim_fault fault, unsigned count)
{
    sim->fault = fault;
    sim->fault_count = count;
    sim->read_faults = 0;
}

void ssi_sim_freeze(struct ssi_sim *sim, unsigned slot, bool frozen)
{
    sim->frozen[slot] = frozen;
}

void ssi_sim_work(struct ssi_sim *sim, unsigned ms_max)
{
    sim->work_ms = ms_max;
}

bool ssi_sim_is_frozen(const struct ssi_sim *sim, unsigned slot)
{
    return sim->frozen[slot];
}

bool ssi_sim_pdr_is_cut(const struct ssi_sim *sim, unsigned slot)
{
    return sim->pdr_cut[slot];
}

static void deliver_data(struct ssi_sim *sim, struct sim_conn *conn, struct chunk *chunk)
{
    struct sim_member *m = &sim->members[conn->slot];
    while (chunk->off < chunk->len && !conn->dead && !m->dying) {
        size_t room = 0, left = chunk->len - chunk->off;
        u8 *p = ssi_conn_space(m->ssi, conn->id, &room);
        if (!p)
            return;
        size_t n = left < room ? left : room;
        if (n > 1 && ssi_sim_random(sim) % 4 == 0)
            n = 1 + ssi_sim_random(sim) % (n - 1);
        memcpy(p, chunk->data + chunk->off, n);
        chunk->off += n;
        ssi_conn_received(m->ssi, conn->id, n);
    }
}

static void deliver(struct ssi_sim *sim, struct sim_conn *conn)
{
    struct sim_member *m = &sim->members[conn->slot];
    struct chunk *chunk = conn->head;
    if (!chunk || conn->dead || !alive(m))
        return;
    conn->head = chunk->next;
    if (!conn->head)
        conn->tail = &conn->head;
    conn->inbound -= chunk->len;
    if (chunk->kind == CHUNK_OPENED) {
        ssi_conn_opened(m->ssi, conn->id);
    } else if (chunk->kind == CHUNK_EOF) {
        conn->dead = true;
        ssi_conn_closed(m->ssi, conn->id, "it closed the connection");
    } else {
        deliver_data(sim, conn, chunk);
        struct sim_conn *peer = conn_find(sim, conn->peer);
        if (peer && alive(&sim->members[peer->slot]))
            ssi_conn_drained(sim->members[peer->slot].ssi, peer->id);
    }
    free(chunk);
}

static void connect_now(struct ssi_sim *sim, struct sim_conn *conn)
{
    struct sim_member *to = &sim->members[conn->peer_slot];
    if (conn->dead)
        return;
    if (!alive(to) || !to->listening) {
        chunk_add(sim, conn, CHUNK_EOF, NULL, 0);
        return;
    }
    struct sim_conn *peer = conn_new(sim, conn->peer_slot, conn->slot);
    peer->peer = conn->id;
    conn->peer = peer->id;
    chunk_add(sim, conn, CHUNK_OPENED, NULL, 0);
    if (!ssi_conn_accepted(to->ssi, peer->id, "the simulator"))
        conn_end(sim, peer, false);
}

static void tick(struct ssi_sim *sim, unsigned slot, u64 life)
{
    struct sim_member *m = &sim->members[slot];
    if (!alive(m) || m->life != life)
        return;
    ssi_tick(m->ssi);
    tick_event(m, SIM_TICK_MS);
}

/* A connection goes from its initiator to the other; what is delivered comes from there. */
static bool on_stalled_way(const struct ssi_sim *sim, const struct sim_conn *conn,
                           enum event_kind kind)
{
    return kind == EV_CONNECT ? sim->stalled[conn->slot][conn->peer_slot]
                              : sim->stalled[conn->peer_slot][conn->slot];
}

/* Whom an event is for. */
static unsigned for_slot(const struct event *event, const struct sim_conn *conn)
{
    if (event->kind == EV_TICK || event->kind >= EV_WORK || !conn)
        return event->slot;
    return event->kind == EV_CONNECT ? conn->peer_slot : conn->slot;
}

void ssi_sim_step(struct ssi_sim *sim)
{
    if (!sim->n_events) {
        sim->now_ms += SIM_TICK_MS;
        return;
    }
    struct event event = event_take(sim);
    sim->now_ms = event.at_ms > sim->now_ms ? event.at_ms : sim->now_ms;
    struct sim_conn *conn = conn_find(sim, event.conn);
    if (sim->frozen[for_slot(&event, conn)]) {
        event.at_ms = sim->now_ms + SIM_STALL_RETRY_MS;
        event_add(sim, event);
    } else if (event.kind == EV_TICK) {
        tick(sim, event.slot, event.life);
    } else if (event.kind >= EV_WORK) {
        work_step(sim, &event);
    } else if (conn && (on_stalled_way(sim, conn, event.kind) || conn->paused)) {
        conn_event(sim, sim->now_ms + SIM_STALL_RETRY_MS, event.kind, conn->id);
    } else if (event.kind == EV_CONNECT && conn) {
        connect_now(sim, conn);
    } else if (event.kind == EV_DELIVER && conn) {
        deliver(sim, conn);
    }
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (sim->members[i].running && sim->members[i].dying)
            ssi_sim_crash(sim, i);
    conns_sweep(sim);
}

u64 ssi_sim_now_ms(const struct ssi_sim *sim)
{
    return sim->now_ms;
}

static int file_read(void *ctx, u64 offset, void *data, size_t len, struct cause *cause)
{
    struct ssi_sim *sim = ctx;
    (void)cause;
    memcpy(data, sim->pdr + offset, len);
    return ST_OK;
}

bool ssi_sim_pdr_look(struct ssi_sim *sim, struct ssi_pdr *pdr)
{
    struct pdr_file file = {sim, file_read};
    return ssi_pdr_follow(pdr, &file, NULL) == ST_OK && pdr->found == PDR_FOUND_GOOD;
}

u8 *ssi_sim_pdr(struct ssi_sim *sim)
{
    return sim->pdr;
}

u64 ssi_sim_pdr_writes(const struct ssi_sim *sim)
{
    return sim->pdr_writes;
}

unsigned ssi_sim_errors(const struct ssi_sim *sim)
{
    return sim->errors;
}

void ssi_sim_verbose(struct ssi_sim *sim, bool verbose)
{
    sim->verbose = verbose;
}
