/* The PDR on a disk without locks: members that begin, commit and end sessions of the real record
 * over a disk whose writes come late, are torn, or are lost with the server's host, while members
 * stand still, are cut off and end at any place. One stack for each member, of which one runs at a
 * time; all is drawn from the seed. Looked at: what was granted has one owner and is never lost, no
 * session is shown less than what was granted before it began, a change of which its member has
 * been shown that it did not take place never takes place. [B1], [B2], [B3] and [B5] are each found
 * when they are left out. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "ssi/ssi_internal.h"
#include "ssi/ssi_lease_internal.h"

#define MEMBERS 3
#define NAMES 2
#define LIVES 12
#define SESSIONS 40 /* of a history, all members together */
#define LATE_MAX 64
#define LOG_MAX 4096
#define UNIQUES_MAX 1024
#define KIND_NAME 1
#define KIND_UNIQUE 2
#define STACK_BYTES (512u << 10)

/** A rule that is left out; what stands for it is done by the disk. */
enum mutation {
    NOTHING,
    NO_SETTLING, /* [B1] a write lands long after its connection has ended */
    NO_FLAG,     /* [B2] others are never seen UP */
    NO_OVER,     /* [B3] nobody is told that he was passed over */
    NO_SEAL,     /* [B5] */
};

struct late {
    u64 at, when_ms;
    size_t len;
    u8 *bytes;
};

struct logged { /* a write that may be lost with the server's host */
    u64 at;
    size_t len;
    bool durable;
    u8 *old;
};

struct member {
    ucontext_t context;
    void *stack, *fiber;
    unsigned slot;
    bool over;
    u64 wake_ms;
    bool dead; /* every request fails from here on */
    bool connected, doubt;
    u64 epoch; /* of the server */
    u64 life;
    struct lease *lease;
    struct ssi *ssi;
    struct ssi_ports ports;
    u64 seq_before;
    u64 doubtful; /* unique number of the claim whose commit is in doubt; 0: none */
    unsigned doubtful_name;
};

enum standing { FREE, GRANTED, GOING };

static struct world {
    ucontext_t context;
    void *fiber;
    u64 random, now_ms, epoch, lives;
    bool same_host, alive[LIVES * 8], faults;
    enum mutation mutation;
    u8 *disk;
    u64 disk_bytes;
    struct member m[MEMBERS];
    struct late late[LATE_MAX];
    unsigned n_late;
    struct logged log[LOG_MAX];
    unsigned n_log;
    unsigned sessions;
    /* the model */
    struct {
        enum standing standing;
        u8 owner;
        u64 life, unique;
    } name[NAMES];
    u64 granted_seq, uniques;
    bool forbidden[UNIQUES_MAX];
    char violation[200];
    unsigned granted, passed, refused, resolved;
} w;

static u64 draw(u64 n)
{
    w.random += 0x9e3779b97f4a7c15ull;
    u64 z = w.random;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (z ^ (z >> 31)) % n;
}

static void violated(const char *what, u64 a, u64 b)
{
    if (!w.violation[0])
        snprintf(w.violation, sizeof w.violation, "%s (%llu, %llu)", what,
                 (unsigned long long)a, (unsigned long long)b);
}

/* --- the disk --- */

static void log_clear(void)
{
    for (unsigned i = 0; i < w.n_log; i++)
        free(w.log[i].old);
    w.n_log = 0;
}

static void land(u64 at, const u8 *bytes, size_t len, bool durable)
{
    if (w.n_log == LOG_MAX)
        log_clear();
    struct logged *l = &w.log[w.n_log++];
    *l = (struct logged){at, len, durable, malloc(len)};
    memcpy(l->old, w.disk + at, len);
    memcpy(w.disk + at, bytes, len);
}

static void late_add(u64 at, const u8 *bytes, size_t len, u64 when_ms)
{
    if (w.n_late == LATE_MAX)
        return;
    struct late *l = &w.late[w.n_late++];
    *l = (struct late){at, when_ms, len, malloc(len)};
    memcpy(l->bytes, bytes, len);
}

static void late_land(void)
{
    for (unsigned i = 0; i < w.n_late;) {
        struct late *l = &w.late[i];
        if (l->when_ms > w.now_ms) {
            i++;
            continue;
        }
        land(l->at, l->bytes, l->len, false);
        free(l->bytes);
        *l = w.late[--w.n_late];
    }
}

static void late_clear(void)
{
    while (w.n_late)
        free(w.late[--w.n_late].bytes);
}

/* The server's host fails: of each place what was not on stable storage may be lost, the newest
 * first. All connections end. */
static void power_loss(void)
{
    bool kept[LOG_MAX] = {false};
    late_clear();
    for (unsigned i = w.n_log; i-- > 0;) {
        struct logged *l = &w.log[i];
        for (unsigned k = i + 1; k < w.n_log; k++)
            kept[i] |=
                kept[k] && w.log[k].at < l->at + l->len && l->at < w.log[k].at + w.log[k].len;
        if (!kept[i] && !l->durable && draw(2))
            memcpy(w.disk + l->at, l->old, l->len);
        else
            kept[i] = true;
    }
    log_clear();
    w.epoch++;
}

/* --- one runs at a time --- */

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define fiber_self() __tsan_get_current_fiber()
#define fiber_new() __tsan_create_fiber(0)
#define fiber_end(fiber) __tsan_destroy_fiber(fiber)
#define fiber_switch(fiber) __tsan_switch_to_fiber(fiber, 0)
#else
#define fiber_self() NULL
#define fiber_new() NULL
#define fiber_end(fiber) (void)(fiber)
#define fiber_switch(fiber) (void)(fiber)
#endif

static void yield(struct member *m, u64 ms)
{
    m->wake_ms = w.now_ms + ms;
    fiber_switch(w.fiber);
    swapcontext(&m->context, &w.context);
}

static void cut(struct member *m, bool doubt)
{
    m->connected = false;
    m->doubt |= doubt;
    lease_disconnected(m->lease);
}

static int failing(struct cause *cause)
{
    return cause_set(cause, ST_IO, "cut off");
}

static bool reached(struct member *m)
{
    if (m->connected && m->epoch != w.epoch)
        cut(m, false);
    return m->connected && !m->dead;
}

static u64 late_ms(void)
{
    return w.mutation == NO_SETTLING ? draw(10 * LEASE_SETTLE_MS) : draw(LEASE_SETTLE_MS);
}

static int sim_read(void *ctx, u64 at, void *data, size_t len, struct cause *cause)
{
    struct member *m = ctx;
    if (at < LEASE_CHUNKS_AT || !draw(4))
        yield(m, draw(3));
    if (!reached(m))
        return failing(cause);
    if (w.faults && !draw(3000)) {
        cut(m, false);
        return failing(cause);
    }
    memcpy(data, w.disk + at, len);
    if (w.mutation == NO_FLAG && at == LEASE_SECTORS_AT && !m->lease->locked)
        for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
            struct lease_sector s;
            u8 *p = (u8 *)data + (size_t)i * LEASE_SECTOR_BYTES;
            if (i == m->slot || !lease_sector_decode(&s, m->lease->format, p))
                continue;
            s.flag = LEASE_FREE;
            lease_sector_encode(p, m->lease->format, &s);
        }
    if (at < LEASE_CHUNKS_AT || !draw(4))
        yield(m, draw(3));
    return ST_OK;
}

/* A write that is not answered: carried out before, later, in two pieces, or never. */
static void doubtful_write(u64 at, const u8 *bytes, size_t len, u64 limit_ms)
{
    size_t first = draw(2) ? len : LEASE_SECTOR_BYTES;
    if (!draw(5))
        return;
    late_add(at, bytes, first, w.now_ms + limit_ms);
    if (first < len)
        late_add(at + first, bytes + first, len - first, w.now_ms + limit_ms);
}

static void crash(struct member *m)
{
    m->dead = true;
    w.alive[m->life] = false;
}

static int sim_write(void *ctx, u64 at, const void *data, size_t len, bool durable,
                     struct cause *cause)
{
    struct member *m = ctx;
    const u8 *bytes = data;
    u8 sector[LEASE_SECTOR_BYTES];
    struct lease_sector s;
    if (w.mutation == NO_OVER && at >= LEASE_SECTORS_AT && at < LEASE_BEATS_AT &&
        len == sizeof sector && lease_sector_decode(&s, m->lease->format, bytes)) {
        memset(s.over, 0, sizeof s.over);
        lease_sector_encode(sector, m->lease->format, &s);
        bytes = sector;
    }
    yield(m, draw(3));
    u64 dice = w.faults ? draw(250) : 99;
    if (dice == 0 && m->slot) { /* stands still, with the request on its way or not sent yet */
        yield(m, draw(6 * LEASE_STILL_MS));
    } else if (dice <= 2 && reached(m)) {
        doubtful_write(at, bytes, len, late_ms());
        cut(m, true);
    } else if (dice == 3 && reached(m)) {
        doubtful_write(at, bytes, len, late_ms());
        crash(m);
    } else if (dice == 4 && !draw(3)) {
        power_loss();
    } else if (dice == 5 && reached(m)) { /* the end comes between the write and its answer */
        land(at, bytes, len, durable);
        crash(m);
    }
    if (!reached(m))
        return failing(cause);
    land(at, bytes, len, durable);
    yield(m, w.faults && !draw(300) ? draw(4 * LEASE_STILL_MS) : draw(3));
    return reached(m) ? ST_OK : (cut(m, true), failing(cause));
}

static int sim_flush(void *ctx, struct cause *cause)
{
    struct member *m = ctx;
    yield(m, draw(3));
    if (!reached(m))
        return failing(cause);
    log_clear();
    return ST_OK;
}

static u64 sim_now(void *ctx)
{
    (void)ctx;
    return w.now_ms;
}

static u64 sim_random(void *ctx)
{
    (void)ctx;
    return draw(~0ull);
}

static void sim_pause(void *ctx, unsigned ms)
{
    yield(ctx, ms);
}

static bool sim_gone(void *ctx, const struct ssi_process *process)
{
    (void)ctx;
    return w.same_host && process->pid && !w.alive[process->pid];
}

static const struct lease_disk sim_disk = {.read = sim_read,
                                           .write = sim_write,
                                           .flush = sim_flush,
                                           .now_ms = sim_now,
                                           .random = sim_random,
                                           .pause = sim_pause,
                                           .gone = sim_gone};

/* --- the ports of the record --- */

static int connect_(struct member *m, struct cause *cause)
{
    if (reached(m))
        return ST_OK;
    if (m->dead)
        return failing(cause);
    lease_disconnected(m->lease);
    m->connected = true;
    m->epoch = w.epoch;
    int rc = lease_reconnected(m->lease, m->doubt, cause);
    if (rc == ST_OK)
        m->doubt = false;
    else
        m->connected = false;
    return rc;
}

static int port_lock(void *ctx, unsigned wait_ms, struct cause *cause)
{
    struct member *m = ctx;
    m->seq_before = w.granted_seq;
    int rc = connect_(m, cause);
    if (rc == ST_OK)
        rc = lease_lock(m->lease, wait_ms, cause);
    if (rc == ST_OK && w.mutation == NO_SEAL)
        m->lease->seals = false;
    if (rc == ST_OK && m->lease->seals)
        w.passed++;
    return rc;
}

static void port_unlock(void *ctx)
{
    lease_unlock(((struct member *)ctx)->lease);
}

static int port_read(void *ctx, u64 offset, void *data, size_t len, size_t *got,
                     struct cause *cause)
{
    *got = len;
    return lease_read(((struct member *)ctx)->lease, offset, data, len, cause);
}

static int port_write(void *ctx, u64 offset, const void *data, size_t len, bool durable,
                      struct cause *cause)
{
    return lease_write(((struct member *)ctx)->lease, offset, data, len, durable, cause);
}

static bool port_held(void *ctx, unsigned slot)
{
    (void)ctx, (void)slot;
    return true;
}

static void port_message(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

static u64 port_host(void *ctx)
{
    (void)ctx;
    return 1;
}

/* --- what members do --- */

static void unique_name(u64 unique, char out[SSI_CLAIM_NAME_BYTES])
{
    snprintf(out, SSI_CLAIM_NAME_BYTES, "U%llu", (unsigned long long)unique);
}

static void name_of(unsigned i, char out[SSI_CLAIM_NAME_BYTES])
{
    snprintf(out, SSI_CLAIM_NAME_BYTES, "NAME%u", i);
}

static const struct pdr_claim *row_of(struct member *m, u64 unique)
{
    char name[SSI_CLAIM_NAME_BYTES];
    unique_name(unique, name);
    return ssi_claim_row(m->ssi->pdr, KIND_UNIQUE, name);
}

/* The session has begun: what does it show? */
static void shown(struct member *m)
{
    char name[SSI_CLAIM_NAME_BYTES];
    const struct ssi_pdr *pdr = m->ssi->pdr;
    if (pdr->seq < m->seq_before)
        violated("a session is shown less than was granted before", pdr->seq, m->seq_before);
    for (u64 u = 1; u <= w.uniques; u++)
        if (w.forbidden[u] && row_of(m, u))
            violated("a change took place after all", u, pdr->seq);
    for (unsigned i = 0; i < NAMES; i++) {
        name_of(i, name);
        const struct pdr_claim *row = ssi_claim_row(pdr, KIND_NAME, name);
        if (w.name[i].standing == GRANTED && w.name[i].owner == m->slot &&
            w.name[i].life == m->life &&
            (!row || row->owner != m->slot || !row_of(m, w.name[i].unique)))
            violated("what was granted is lost", i, pdr->seq);
    }
}

static void granted(struct member *m, unsigned i, u64 unique)
{
    if (w.name[i].standing == GRANTED)
        violated("a name has two owners", w.name[i].owner, m->slot);
    w.name[i].standing = GRANTED;
    w.name[i].owner = (u8)m->slot;
    w.name[i].life = m->life;
    w.name[i].unique = unique;
    w.granted++;
}

/* A commit that came about; what it says is true from now on. */
static void stands(struct member *m)
{
    if (m->ssi->pdr->seq > w.granted_seq)
        w.granted_seq = m->ssi->pdr->seq;
}

/* The claim whose commit was in doubt: it is there, or will never be. */
static void resolve(struct member *m)
{
    const struct pdr_claim *row = row_of(m, m->doubtful);
    u64 unique = m->doubtful;
    m->doubtful = 0;
    w.resolved++;
    if (!row)
        w.forbidden[unique] = true;
    else
        granted(m, m->doubtful_name, unique);
}

static void claim(struct member *m, unsigned i)
{
    char name[SSI_CLAIM_NAME_BYTES], unique[SSI_CLAIM_NAME_BYTES];
    struct cause cause = {0};
    u64 generation, number = w.uniques + 1;
    if (number >= UNIQUES_MAX)
        return;
    name_of(i, name);
    int rc = ssi_claim_put_new(m->ssi, KIND_NAME, name, &generation, &cause);
    w.refused += rc == ST_EXIST;
    if (rc)
        return;
    w.uniques = number;
    unique_name(number, unique);
    rc = ssi_claim_put_new(m->ssi, KIND_UNIQUE, unique, &generation, &cause);
    if (rc == ST_OK)
        rc = ssi_pdr_commit(m->ssi, &cause);
    if (rc == ST_OK) {
        granted(m, i, number);
        stands(m);
    } else if (rc == ST_LOST) {
        m->doubtful = number;
        m->doubtful_name = i;
    } else {
        w.forbidden[number] = true;
    }
}

/* Take out what `owner` has: ourselves, or a life that is known to have ended. */
static void give_back(struct member *m, unsigned i, unsigned owner)
{
    char name[SSI_CLAIM_NAME_BYTES];
    name_of(i, name);
    const struct pdr_claim *row = ssi_claim_row(m->ssi->pdr, KIND_NAME, name);
    if (!row || row->owner != owner || w.name[i].standing == FREE)
        return;
    const struct pdr_claim *unique = row_of(m, w.name[i].unique);
    if (!unique)
        return;
    ssi_claim_remove(m->ssi->pdr, unique);
    ssi_claim_remove(m->ssi->pdr, ssi_claim_row(m->ssi->pdr, KIND_NAME, name));
    w.name[i].standing = GOING; /* from here on another may have it */
    if (ssi_pdr_commit(m->ssi, NULL) == ST_OK)
        stands(m);
}

static bool session(struct member *m)
{
    struct cause cause = {0};
    m->ssi->pdr->valid &= draw(20) != 0; /* now and then all is read anew */
    int rc = ssi_pdr_enter(m->ssi, (unsigned)draw(2) * 1000, &cause);
    if (rc == ST_CONFIG || strstr(cause.text, "damaged") || strstr(cause.text, "older"))
        violated(cause.text, m->slot, 0);
    if (rc)
        return false;
    w.sessions++;
    shown(m);
    unsigned i = (unsigned)draw(NAMES);
    if (m->doubtful)
        resolve(m);
    else if (draw(8) == 0)
        ; /* a look */
    else if (w.name[i].standing == GRANTED && w.name[i].owner == m->slot)
        give_back(m, i, m->slot);
    else if (w.name[i].standing == GRANTED && !w.alive[w.name[i].life])
        give_back(m, i, w.name[i].owner);
    else
        claim(m, i);
    ssi_pdr_exit(m->ssi);
    return true;
}

static bool slot_held(struct member *m)
{
    struct cause cause = {0};
    int rc = ST_BUSY;
    while (rc == ST_BUSY && !m->dead) {
        rc = connect_(m, &cause);
        if (rc == ST_OK)
            rc = lease_life_hold(m->lease, &cause);
        if (rc)
            yield(m, 100);
        if (rc == ST_IO ||
            rc == ST_EXIST) /* what the server has forgotten looks like a change */
            rc = ST_BUSY;
    }
    return rc == ST_OK;
}

/* What a claim in doubt has become is nobody's to know when its member has ended. */
static void life_end(struct member *m)
{
    for (unsigned i = 0; i < NAMES && m->doubtful; i++)
        if (i == m->doubtful_name && w.name[i].standing != GRANTED)
            w.name[i].standing = GOING;
    ssi_destroy(m->ssi);
    free(m->lease);
}

static void life_begin(struct member *m)
{
    struct ssi_config config;
    struct ssi_process process = {.host_id = 1, .space = 1, .start = 1};
    struct lease_disk disk = sim_disk;
    m->life = process.pid = ++w.lives;
    w.alive[m->life] = true;
    m->dead = m->connected = m->doubt = false;
    m->doubtful = 0;
    disk.ctx = m;
    m->lease = calloc(1, sizeof *m->lease);
    lease_init(m->lease, &disk, m->slot, &process);
    ssi_config_init(&config);
    strcpy(config.cluster, "SIM");
    for (unsigned i = 0; i < MEMBERS; i++)
        snprintf(config.slots[i], sizeof config.slots[i], "M%u", i);
    config.slot = m->slot;
    strcpy(config.member, config.slots[m->slot]);
    strcpy(config.listen, "127.0.0.1:0");
    strcpy(config.pdr_path, "nbd://sim/");
    m->ports = (struct ssi_ports){.ctx = m,
                                  .now_ms = sim_now,
                                  .wall_ms = sim_now,
                                  .random = sim_random,
                                  .host_id = port_host,
                                  .pdr_lock = port_lock,
                                  .pdr_unlock = port_unlock,
                                  .pdr_read = port_read,
                                  .pdr_write = port_write,
                                  .life_held = port_held,
                                  .operator_message = port_message};
    struct cause cause = {0};
    m->ssi = ssi_create(&config, &m->ports, &cause);
    ck_assert_msg(m->ssi != NULL, "%s", cause.text);
}

static bool goes_on(void)
{
    return w.sessions < SESSIONS && !w.violation[0] && w.lives < LIVES;
}

static void member_run(unsigned slot)
{
    struct member *m = &w.m[slot];
    while (goes_on()) {
        life_begin(m);
        if (slot_held(m))
            while (!m->dead && goes_on()) {
                yield(m, session(m) ? draw(40) : draw(3000));
            }
        life_end(m);
        yield(m, draw(LEASE_STILL_MS));
    }
    m->over = true;
    fiber_switch(w.fiber);
    setcontext(&w.context);
}

static void member_make(unsigned slot)
{
    struct member *m = &w.m[slot];
    m->slot = slot;
    m->wake_ms = draw(50);
    m->stack = malloc(STACK_BYTES);
    m->fiber = fiber_new();
    ck_assert(m->stack && getcontext(&m->context) == 0);
    m->context.uc_stack.ss_sp = m->stack;
    m->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&m->context, (void (*)(void))member_run, 1, slot);
}

/* The next one: any of those that are awake, else the one that wakes first. */
static struct member *next_member(void)
{
    struct member *ready[MEMBERS], *first = NULL;
    unsigned n = 0;
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct member *m = &w.m[i];
        if (m->over)
            continue;
        if (m->wake_ms <= w.now_ms)
            ready[n++] = m;
        if (!first || m->wake_ms < first->wake_ms)
            first = m;
    }
    if (n)
        return ready[draw(n)];
    if (first)
        w.now_ms = first->wake_ms;
    return first;
}

static int bare_write(void *ctx, u64 at, const void *data, size_t len, bool durable,
                      struct cause *cause)
{
    (void)ctx, (void)durable, (void)cause;
    memcpy(w.disk + at, data, len);
    return ST_OK;
}

static void disk_form(void)
{
    struct lease *lease = calloc(1, sizeof *lease);
    struct lease_disk disk = sim_disk;
    struct ssi_pdr *pdr = calloc(1, sizeof *pdr);
    u8 header[PDR_HEADER_BYTES];
    disk.write = bare_write;
    lease_init(lease, &disk, 0, &(struct ssi_process){0});
    ck_assert_int_eq(lease_format(lease, NULL), ST_OK);
    strcpy(pdr->cluster, "SIM");
    pdr->seq = 1;
    pdr->id = 1;
    ssi_pdr_header_encode(pdr, 0, header);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(lease_form_write(lease, PDR_HEADER_AT(i), header, NULL), ST_OK);
    free(pdr);
    free(lease);
}

static void history(u64 seed, enum mutation mutation, bool faults)
{
    if (w.disk)
        munmap(w.disk, LEASE_BYTES);
    memset(&w, 0, sizeof w);
    w.disk = mmap(NULL, LEASE_BYTES, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert(w.disk != MAP_FAILED);
    w.random = seed;
    w.mutation = mutation;
    w.faults = faults;
    w.now_ms = 1000;
    w.same_host = draw(2);
    w.fiber = fiber_self();
    disk_form();
    for (unsigned i = 0; i < MEMBERS; i++)
        member_make(i);
    for (struct member *m; (m = next_member());) {
        late_land();
        fiber_switch(m->fiber);
        swapcontext(&w.context, &m->context);
    }
    for (unsigned i = 0; i < MEMBERS; i++) {
        fiber_end(w.m[i].fiber);
        free(w.m[i].stack);
    }
    late_clear();
    log_clear();
}

static u64 histories(u64 least)
{
    const char *n = getenv("ENDICOTT_LEASE_HISTORIES");
    return n ? strtoull(n, NULL, 0) : least;
}

START_TEST(what_is_granted_stands_whatever_happens)
{
    u64 seed = getenv("ENDICOTT_SEED") ? strtoull(getenv("ENDICOTT_SEED"), NULL, 0) : 1;
    u64 end = seed + histories(getenv("ENDICOTT_SEED") ? 1 : 100);
    unsigned granted_all = 0, passed = 0, resolved = 0, refused = 0;
    for (; seed < end; seed++) {
        history(seed, NOTHING, true);
        ck_assert_msg(!w.violation[0], "%s; once more: ENDICOTT_SEED=%llu", w.violation,
                      (unsigned long long)seed);
        granted_all += w.granted;
        passed += w.passed;
        resolved += w.resolved;
        refused += w.refused;
    }
    printf("%u grants, %u refusals, %u sessions that sealed, %u doubts resolved\n", granted_all,
           refused, passed, resolved);
    if (end > 50)
        ck_assert(granted_all && passed && resolved && refused);
}
END_TEST

START_TEST(without_faults_nobody_is_passed_over)
{
    for (u64 seed = 1; seed <= 20; seed++) {
        history(seed, NOTHING, false);
        ck_assert_msg(!w.violation[0], "%s", w.violation);
        ck_assert_uint_eq(w.passed, 0);
        ck_assert_uint_eq(w.resolved, 0);
        ck_assert_uint_ge(w.sessions, SESSIONS);
    }
}
END_TEST

START_TEST(a_rule_left_out_is_found)
{
    u64 seed = 1, end = 3000;
    for (; seed < end; seed++) {
        history(seed, (enum mutation)_i, true);
        if (w.violation[0])
            break;
    }
    printf("mutation %d, seed %llu: %s\n", _i, (unsigned long long)seed, w.violation);
    ck_assert_msg(seed < end, "mutation %d is not found", _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_lease_sim");
    TCase *tc = tcase_create("lease");
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, what_is_granted_stands_whatever_happens);
    tcase_add_test(tc, without_faults_nobody_is_passed_over);
    tcase_add_loop_test(tc, a_rule_left_out_is_found, NO_SETTLING, NO_SEAL + 1);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
