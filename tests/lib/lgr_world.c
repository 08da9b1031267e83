/* The simulated cluster with fake guests that lgr_world.h describes. */
#include "tests/lib/lgr_world.h"

#include <unistd.h>

#include "ssi/ssi_wire.h"

const char *const users[USERS] = {"LINUX1", "LINUX2", "LINUX3"};

void world_fault(const struct world *w, const char *what)
{
    char text[256];
    int n =
        snprintf(text, sizeof text, "LGR_SIM_SEED=%llu at %llu ms: %s",
                 (unsigned long long)w->seed, (unsigned long long)ssi_sim_now_ms(w->sim), what);
    if (w->fault_fd) {
        ssize_t put =
            write(w->fault_fd, text, (size_t)n < sizeof text ? (size_t)n : sizeof text);
        _exit(put > 0 ? 1 : 2);
    }
    ck_abort_msg("%s", text);
}

u64 pick(struct world *w, u64 n)
{
    return ssi_sim_random(w->sim) % n;
}

static unsigned user_index(const char *name)
{
    for (unsigned u = 0; u < USERS; u++)
        if (!strcmp(name, users[u]))
            return u;
    return USERS;
}

bool running(struct world *w, unsigned slot, unsigned u)
{
    const struct fake *g = &w->actors[slot].guest[u];
    return ssi_sim_member(w->sim, slot) && g->here && !g->incoming && !g->quiesced;
}

static struct truth truth_of(const struct world *w, const struct fake *g)
{
    u64 h = lgr_bytes_hash(g->st->base, w->store_bytes);
    h ^= 3 * lgr_bytes_hash(g->disk->base, g->disk->bytes);
    return (struct truth){h ^ lgr_bytes_hash((const u8 *)g->st->skey, g->st->frames),
                          g->counter};
}

static void fake_free(struct fake *g)
{
    storage_destroy(g->st);
    area_unref(g->disk);
    free(g->told);
    *g = (struct fake){0};
}

/* --- the PDR, looked at from outside --- */

static int claim_owner(const struct ssi_pdr *pdr, const char *user)
{
    for (u32 i = 0; i < pdr->n_claims; i++)
        if (!strcmp(pdr->claims[i].name, user))
            return pdr->claims[i].owner;
    return -1;
}

/* The state in the file, looked at again when something has been written. */
static const struct ssi_pdr *pdr_newest(struct world *w)
{
    if (w->pdr_writes == ssi_sim_pdr_writes(w->sim))
        return &w->pdr;
    if (!ssi_sim_pdr_look(w->sim, &w->pdr))
        ssi_claims_clear(&w->pdr);
    w->pdr_writes = ssi_sim_pdr_writes(w->sim);
    for (unsigned u = 0; u < USERS; u++)
        w->owner[u] = claim_owner(&w->pdr, users[u]);
    return &w->pdr;
}

int pdr_owner(struct world *w, unsigned u)
{
    (void)pdr_newest(w);
    return w->owner[u];
}

bool pdr_expelled(struct world *w, unsigned slot)
{
    const struct pdr_row *row = &pdr_newest(w)->rows[slot];
    return row->state == SSI_DOWN && row->down_reason != DOWN_LEFT;
}

void check_runners(struct world *w)
{
    for (unsigned u = 0; u < USERS; u++) {
        int runner = -1;
        for (unsigned s = 0; s < w->n; s++)
            if (running(w, s, u)) {
                CHECK(w, runner == -1); /* [I1] */
                runner = (int)s;
            }
        int owner = pdr_owner(w, u);
        CHECK(w, runner == -1 || runner == owner);
        if (owner >= 0 && !ssi_sim_member(w->sim, (unsigned)owner))
            w->alive[u] = false; /* handed over to a member that had just died */
    }
}

/* --- guests as the engine sees them --- */

static void *fake_find(void *ctx, const char *user)
{
    struct actor *a = ctx;
    unsigned u = user_index(user);
    return u < USERS && a->guest[u].here && !a->guest[u].incoming ? &a->guest[u] : NULL;
}

static void fake_info(void *ctx, void *guest, const char *to, struct lgr_guest_info *out)
{
    struct actor *a = ctx;
    (void)to;
    snprintf(out->user, sizeof out->user, "%s", users[(struct fake *)guest - a->guest]);
    out->storage_bytes = a->world->guest_bytes;
    out->touched_bytes = storage_set_count(((struct fake *)guest)->st, NULL) * FRAME_BYTES;
    out->cpus = 1;
    out->vdisk[out->vdisks++] = (struct lgr_vdisk){
        .vdev = 0x200, .owner = "LINUX", .owner_vdev = 0x200, .blocks = DISK_BLOCKS};
    out->relocatable = out->in_domain = true;
    out->ending = a->world->stopped == STOPPED_ENDING && ((struct fake *)guest)->quiesced;
}

static u64 fake_claim(void *ctx, void *guest)
{
    (void)ctx;
    return ((struct fake *)guest)->claim;
}

static struct storage *fake_storage(void *ctx, void *guest)
{
    (void)ctx;
    return ((struct fake *)guest)->st;
}

static struct area *fake_area(void *ctx, void *guest, unsigned i)
{
    (void)ctx;
    return i ? NULL : ((struct fake *)guest)->disk;
}

static void disk_make(const struct world *w, struct fake *g)
{
    CHECK(w, area_create(DISK_BLOCKS * LGR_BLOCK_BYTES, &g->disk, NULL) == ST_OK);
}

/* A device has stored into its disk. */
static void disk_store(struct fake *g, u64 value)
{
    u64 at = value % (g->disk->bytes - sizeof value);
    memcpy(g->disk->base + at, &value, sizeof value);
    area_mark(g->disk, at, sizeof value);
}

static u64 fake_epoch(void *ctx, void *guest, u64 *set)
{
    struct actor *a = ctx;
    u64 dirty = storage_epoch(((struct fake *)guest)->st, set);
    if (a->world->plant == PLANT_LOST_STORE)
        *set &= *set - 1;
    return dirty;
}

/* Whoever waits tries again in the next step. */
static void fake_stores_go_on(void *ctx, void *guest)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    CHECK(a->world, g->here && !g->incoming);
}

static bool fake_waits(void *ctx, void *guest)
{
    struct actor *a = ctx;
    (void)guest;
    return a->world->waits;
}

static bool fake_quiesce(void *ctx, void *guest)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    CHECK(a->world, g->here && !g->incoming && !g->quiesced);
    if (!a->world->smooth && pick(a->world, 4) == 0)
        return false;
    g->quiesced = true;
    return true;
}

static void fake_unquiesce(void *ctx, void *guest)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    CHECK(a->world, g->here && !g->incoming && g->quiesced);
    g->quiesced = a->world->plant == PLANT_NO_UNQUIESCE;
}

static void fake_tell(struct fake *g, const void *keys)
{
    free(g->told);
    g->told = malloc(g->st->frames);
    memcpy(g->told, keys, g->st->frames);
}

static void fake_save_early(void *ctx, void *guest, struct codec_out *out)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    CHECK(a->world, g->here && !g->incoming && !g->quiesced);
    if (!a->world->smooth && pick(a->world, 8) == 0)
        return; /* nothing can go ahead */
    fake_tell(g, (const void *)g->st->skey);
    codec_put_bytes(out, 2, g->told, g->st->frames);
}

static void fake_early_end(void *ctx, void *guest)
{
    struct fake *g = guest;
    (void)ctx;
    free(g->told);
    g->told = NULL;
}

/* Keys: all of them, or those that are not as they were told before. */
static void fake_save_keys(struct fake *g, struct codec_out *out)
{
    const u8 *keys = (const void *)g->st->skey;
    if (!g->told)
        codec_put_bytes(out, 2, keys, g->st->frames);
    for (u32 f = 0; g->told && f < g->st->frames; f++)
        if (keys[f] != g->told[f])
            codec_put_u32(out, 3, f << 8 | keys[f]);
}

/* Saving may store into the guest, as finishing a device's work does. */
static int fake_save(void *ctx, void *guest, const s64 *ahead_ns, struct codec_out *out,
                     struct cause *cause)
{
    struct actor *a = ctx;
    a->world->saved_ahead_ns = *ahead_ns;
    struct fake *g = guest;
    CHECK(a->world, g->quiesced);
    if (a->world->disks_fail || (!a->world->smooth && pick(a->world, 40) == 0))
        return cause_set(cause, ST_IO, "the fake's disk fails");
    u64 noise = pick(a->world, ~0ull);
    storage_write(g->st, pick(a->world, a->world->store_bytes - 8), &noise, 8);
    codec_put_u64(out, 1, g->counter);
    fake_save_keys(g, out);
    a->world->truth[g - a->guest] = g->saved = truth_of(a->world, g);
    return ST_OK;
}

static void fake_here(void *ctx, const struct lgr_guest_info *info, struct lgr_here *out)
{
    struct actor *a = ctx;
    unsigned u = user_index(info->user);
    const struct fake *g = u < USERS ? &a->guest[u] : NULL;
    bool stopped = !g || !g->here || g->incoming; /* and its source has stopped it */
    for (unsigned s = 0; g && stopped && s < a->world->n; s++)
        stopped = s == a->slot || a->world->actors[s].guest[u].quiesced ||
                  !a->world->actors[s].guest[u].here;
    *out = (struct lgr_here){.known = g && (a->world->stopped != STOPPED_UNKNOWN || !stopped)};
    out->logged_on = g && g->here && !g->incoming;
    out->storage_max_bytes = 1u << 30;
}

static void fake_room(void *ctx, struct lgr_room *out)
{
    const struct actor *a = ctx;
    *out = a->world->room;
}

static void fake_crowd(void *ctx, const void *guest, struct lgr_crowd *out)
{
    const struct actor *a = ctx;
    (void)guest;
    *out = a->world->crowd[a->slot];
}

static int fake_arrive(void *ctx, const struct lgr_guest_info *info, void **guest,
                       struct cause *cause)
{
    struct actor *a = ctx;
    struct fake *g = &a->guest[user_index(info->user)];
    CHECK(a->world, !g->here);
    if (!a->world->smooth && pick(a->world, 30) == 0)
        return cause_set(cause, ST_NOMEM, "the fake refuses");
    g->here = g->incoming = g->quiesced = true;
    a->let[g - a->guest] = LGR_ACTIVE;
    *guest = g;
    disk_make(a->world, g);
    return storage_create(&g->st, info->storage_bytes, cause);
}

static int fake_restore_early(void *ctx, void *guest, struct codec_in *in, struct cause *cause)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    struct codec_row row;
    CHECK(a->world, g->incoming);
    if (!a->world->smooth && pick(a->world, 60) == 0)
        return cause_set(cause, ST_PROTO, "the fake refuses");
    while (codec_next(in, &row))
        if (row.tag == 2 && row.len == g->st->frames)
            fake_tell(g, row.p);
    return in->failed ? ST_PROTO : ST_OK;
}

static int fake_restore(void *ctx, void *guest, struct codec_in *in, struct cause *cause)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    struct codec_row row;
    u32 key;
    CHECK(a->world, g->incoming);
    if (!a->world->smooth && pick(a->world, 40) == 0)
        return cause_set(cause, ST_PROTO, "the fake refuses");
    if (g->told)
        memcpy((void *)g->st->skey, g->told, g->st->frames);
    while (codec_next(in, &row)) {
        if (row.tag == 1)
            codec_get_u64(&row, &g->counter);
        else if (row.tag == 2 && row.len == g->st->frames)
            memcpy((void *)g->st->skey, row.p, row.len);
        else if (row.tag == 3 && codec_get_u32(&row, &key) && key >> 8 < g->st->frames)
            g->st->skey[key >> 8] = (u8)key;
    }
    if (a->world->plant == PLANT_BAD_RESTORE)
        g->st->base[pick(a->world, g->st->size)] ^= 1;
    return in->failed ? ST_PROTO : ST_OK;
}

/* Its disks are open; unless its member has ended it meanwhile. */
static void fake_runs(void *arg)
{
    struct fake *g = arg;
    struct actor *a = g->runs_at;
    if (!a || a->restart || !a->lgr)
        return;
    g->runs_at = NULL;
    g->quiesced = false;
    fake_early_end(a, g);
    a->world->resumed++;
    lgr_guest_runs(a->lgr, users[g - a->guest]);
}

static void fake_run(void *ctx, void *guest, u64 generation)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    unsigned u = (unsigned)(g - a->guest);
    if (a->world->plant == PLANT_LOST_KEY) /* earlier than here, the digest of keys finds it */
        storage_key_set(g->st, pick(a->world, g->st->size), 0xf0);
    struct truth now = truth_of(a->world, g), then = a->world->truth[u];
    CHECK(a->world, g->incoming);
    CHECK(a->world, now.storage == then.storage && now.counter == then.counter); /* [I3] */
    CHECK(a->world, (a->let[u] == LGR_ACTIVE || a->let[u] == LGR_COMPLETED) &&
                        "[I6] a CP exit has kept it");
    g->incoming = false;
    g->claim = generation;
    g->runs_at = a;
    if (a->leaving) /* everybody has been logged off: so is who comes now */
        user_logoff(a, u);
    else if (a->world->smooth || pick(a->world, 4))
        fake_runs(g);
    else
        a->ports.timer_start(a, pick(a->world, 40), fake_runs, g);
    for (unsigned s = 0; s < a->world->n; s++)
        CHECK(a->world, s == a->slot || !running(a->world, s, u)); /* [I1] */
}

static void fake_let_go(void *ctx, void *guest)
{
    struct actor *a = ctx;
    struct fake *g = guest;
    CHECK(a->world, g->here && g->quiesced && !g->incoming && !g->gone);
    g->gone = true;
}

static void fake_depart(void *ctx, void *guest)
{
    struct actor *a = ctx;
    const struct fake *g = guest;
    struct truth now = truth_of(a->world, g), then = g->saved;
    CHECK(a->world, g->quiesced);
    if (!g->incoming) /* it has not gone on since it was saved [I3] */
        CHECK(a->world, now.storage == then.storage && now.counter == then.counter);
    fake_free(guest);
}

/* --- CP exits --- */

static u64 port_cpu(void *ctx)
{
    struct actor *a = ctx;
    return a->world->cpu_gone_ns += a->world->cpu_step_ns;
}

static u64 port_timer(void *ctx, u64 delay_ms, void (*fire)(void *arg), void *arg);
static void port_cancel(void *ctx, u64 id);

static bool fake_exit_active(void *ctx, enum lgr_exit point)
{
    struct actor *a = ctx;
    return a->exit[point].active;
}

static void fake_exit_ends(void *arg)
{
    struct fake_exit e = *(struct fake_exit *)arg;
    ((struct fake_exit *)arg)->done = NULL;
    if (e.point == LGR_EXIT_RESTART && e.u < USERS)
        e.a->let[e.u] = (u8)e.code;
    e.done(e.arg, e.code, e.code ? "FAKE: not this one" : "");
}

static void *fake_exit_begin(void *ctx, enum lgr_exit point, const struct lgr_exit_facts *facts,
                             void (*done)(void *arg, enum lgr_code code, const char *text),
                             void *arg)
{
    struct actor *a = ctx;
    struct world *w = a->world;
    struct fake_answer answer = a->exit[point];
    unsigned i = 0;
    while (i < EXITS_MAX && a->exits[i].done)
        i++;
    CHECK(w, i < EXITS_MAX && facts->info->user[0] && facts->from[0] && facts->to[0]);
    CHECK(w, !strcmp(ssi_member_name(a->lgr->ssi), facts->source ? facts->from : facts->to));
    if (w->exits) {
        static const enum lgr_code bad[] = {LGR_EXIT_REJECTED, LGR_EXIT_INVALID};
        answer.code = pick(w, 6) ? LGR_COMPLETED : bad[pick(w, 2)];
        answer.ms = (unsigned)(pick(w, 12) ? pick(w, 60) : pick(w, 10000));
        if (pick(w, 50) == 0)
            return NULL;
    }
    unsigned u = user_index(facts->info->user);
    if (point == LGR_EXIT_RESTART && u < USERS)
        a->let[u] = LGR_EXIT_INVALID; /* until it has said something else */
    a->exits[i] = (struct fake_exit){
        .a = a, .u = u, .point = point, .code = answer.code, .done = done, .arg = arg};
    a->exits[i].timer = port_timer(a, answer.ms, fake_exit_ends, &a->exits[i]);
    w->exits_asked++;
    return &a->exits[i];
}

static void fake_exit_forget(void *ctx, void *run)
{
    struct fake_exit *e = run;
    CHECK(e->a->world, e->done != NULL);
    port_cancel(ctx, e->timer);
    e->done = NULL;
}

static const struct lgr_guests fakes = {.find = fake_find,
                                        .info = fake_info,
                                        .claim = fake_claim,
                                        .storage = fake_storage,
                                        .area = fake_area,
                                        .epoch = fake_epoch,
                                        .stores_go_on = fake_stores_go_on,
                                        .waits = fake_waits,
                                        .quiesce = fake_quiesce,
                                        .unquiesce = fake_unquiesce,
                                        .save_early = fake_save_early,
                                        .early_end = fake_early_end,
                                        .save = fake_save,
                                        .here = fake_here,
                                        .room = fake_room,
                                        .crowd = fake_crowd,
                                        .arrive = fake_arrive,
                                        .restore_early = fake_restore_early,
                                        .restore = fake_restore,
                                        .run = fake_run,
                                        .let_go = fake_let_go,
                                        .depart = fake_depart,
                                        .exit_active = fake_exit_active,
                                        .exit_begin = fake_exit_begin,
                                        .exit_forget = fake_exit_forget};

/* --- time --- */

static u64 port_now(void *ctx)
{
    struct actor *a = ctx;
    return ssi_sim_now_ms(a->world->sim) * 1000000;
}

static u64 port_wall(void *ctx)
{
    const struct actor *a = ctx;
    return a->world->silent_clocks ? 0 : port_now(ctx) + WALL_NS + (u64)a->ahead_ns;
}

static u64 port_timer(void *ctx, u64 delay_ms, void (*fire)(void *arg), void *arg)
{
    struct actor *a = ctx;
    u64 at_ms = ssi_sim_now_ms(a->world->sim) + delay_ms;
    for (unsigned i = 0; i < TIMERS_MAX; i++)
        if (!a->timers[i].id) {
            a->timers[i] = (struct fake_timer){++a->last_timer, at_ms, fire, arg};
            a->timers_end = i < a->timers_end ? a->timers_end : i + 1;
            return a->last_timer;
        }
    CHECK(a->world, !"timers left");
    return 0;
}

static void port_cancel(void *ctx, u64 id)
{
    struct actor *a = ctx;
    for (unsigned i = 0; i < a->timers_end; i++)
        if (a->timers[i].id == id)
            a->timers[i].id = 0;
}

static void fire_timers(struct actor *a)
{
    u64 now = ssi_sim_now_ms(a->world->sim);
    for (unsigned i = 0; i < a->timers_end; i++) {
        struct fake_timer t = a->timers[i];
        if (!t.id || t.at_ms > now)
            continue;
        a->timers[i].id = 0;
        t.fire(t.arg);
    }
    while (a->timers_end && !a->timers[a->timers_end - 1].id)
        a->timers_end--;
}

/* --- members --- */

static void on_expelled(void *ctx, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)cause;
    a->restart = true;
    a->world->expelled++;
    for (unsigned u = 0; u < USERS; u++)
        a->guest[u].quiesced = true;
}

static void join_done(void *ctx, int status, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)cause;
    a->joining = false;
    a->joined = status == ST_OK;
    a->world->joins += a->joined;
    a->restart = !a->joined;
}

static void brisk(struct ssi_config *config)
{
    config->heartbeat_ms = 200;
    config->silence_ms = 1000;
    config->pdr_beat_ms = 300;
    config->handshake_ms = 800;
    config->join_ms = 5000;
    config->leave_ms = 600;
}

void actor_start(struct actor *a)
{
    static const struct ssi_events events = {.expelled = on_expelled};
    struct world *w = a->world;
    struct ssi_config config;
    struct cause cause;
    ssi_sim_config(&config, a->slot, w->n);
    if (w->silence_ms)
        config.silence_ms = w->silence_ms;
    if (w->brisk)
        brisk(&config);
    if (w->unchecked)
        config.wire_max = SSI_WIRE_VERSION_CHECKS - 1;
    struct ssi *ssi = ssi_sim_start(w->sim, &config, w->apart ? a->slot : 0, &cause);
    CHECK(w, ssi != NULL);
    for (unsigned i = 0; w->exits && i < 2; i++)
        a->exit[i].active = pick(w, 2);
    a->joining = true;
    a->joined = a->leaving = a->restart = a->blind = false;
    a->life++;
    a->ports =
        (struct lgr_ports){a, port_now, port_wall, port_timer, port_cancel, NULL, port_cpu};
    CHECK(w, lgr_core_create(ssi, &a->ports, &fakes, a, !w->plant, &a->lgr, &cause) == ST_OK);
    ssi_set_events(ssi, &events, a);
    ssi_join(ssi, join_done, a);
}

/* The process has gone: its memory with it. Guests that the PDR says it owned are lost. */
static void actor_bury(struct actor *a)
{
    struct world *w = a->world;
    if (!a->lgr)
        return;
    while (a->lgr->active) {
        struct rlobk *r = a->lgr->active;
        a->lgr->active = r->next;
        r->next = a->lgr->dead;
        a->lgr->dead = r;
        free(r->watch.ctx);
    }
    lgr_enter(a->lgr);
    dest_exits_forget(a->lgr, NULL);
    lgr_leave(a->lgr);
    free(a->lgr);
    a->lgr = NULL;
    for (unsigned u = 0; u < USERS; u++) {
        int owner = pdr_owner(w, u);
        if (owner == -1 || owner == (int)a->slot)
            w->alive[u] = false;
        fake_free(&a->guest[u]);
    }
    memset(a->exits, 0, sizeof a->exits);
    memset(a->timers, 0, sizeof a->timers);
    a->timers_end = 0;
    w->crashes += !a->leaving;
    a->joined = a->joining = a->leaving = a->restart = false;
}

static void leave_done(void *ctx, int status, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)cause;
    a->blind = status != ST_OK;
    lgr_core_stop(a->lgr);
    if (a->world->last_words)
        a->world->last_words(a->world->last_ctx);
    a->restart = true;
}

void actor_leave(struct actor *a)
{
    for (unsigned u = 0; u < USERS; u++)
        user_logoff(a, u);
    struct ssi *ssi = ssi_sim_member(a->world->sim, a->slot);
    if (!ssi) /* it has died in a write */
        return;
    a->joined = false;
    a->leaving = true;
    ssi_leave(ssi, leave_done, a);
}

void bury_dead(struct world *w)
{
    for (unsigned s = 0; s < w->n; s++) {
        if (w->actors[s].restart)
            ssi_sim_crash(w->sim, s);
        if (!ssi_sim_member(w->sim, s))
            actor_bury(&w->actors[s]);
    }
}

struct world *world_create(u64 seed, unsigned n)
{
    struct world *w = calloc(1, sizeof *w);
    w->seed = seed;
    w->sim = ssi_sim_create(seed);
    ck_assert(w->sim != NULL);
    ssi_sim_verbose(w->sim, getenv("LGR_SIM_VERBOSE") != NULL);
    w->n = n;
    w->guest_bytes = w->store_bytes = GUEST_BYTES;
    w->room = (struct lgr_room){.real_bytes = 1ull << 32, .real_free_bytes = 1ull << 31};
    for (unsigned u = 0; u < USERS; u++)
        w->owner[u] = -1;
    for (unsigned s = 0; s < n; s++) {
        w->actors[s].world = w;
        w->actors[s].slot = s;
    }
    return w;
}

void world_destroy(struct world *w)
{
    for (unsigned s = 0; s < w->n; s++) {
        if (ssi_sim_member(w->sim, s))
            ssi_sim_crash(w->sim, s);
        actor_bury(&w->actors[s]);
    }
    ssi_sim_destroy(w->sim);
    ssi_pdr_fini(&w->pdr);
    free(w);
}

/* A store of a guest's CPU; false: it has to wait. */
static bool guest_store(struct world *w, struct fake *g, u64 abs, const void *src, u64 len)
{
    u64 last = (abs + len - 1) / FRAME_BYTES * FRAME_BYTES;
    if (!w->stubborn && (!storage_mark_frame_rationed(g->st, abs) ||
                         (last > abs && !storage_mark_frame_rationed(g->st, last))))
        return false;
    storage_write(g->st, abs, src, len);
    return true;
}

/* Guests that run store into storage, sometimes zeros. */
static void guests_run(struct world *w)
{
    static const u8 zeros[FRAME_BYTES];
    for (unsigned s = 0; s < w->n; s++)
        for (unsigned u = 0; u < USERS; u++) {
            struct fake *g = &w->actors[s].guest[u];
            bool on = running(w, s, u) && !ssi_sim_is_frozen(w->sim, s);
            on = on || (w->plant == PLANT_NO_QUIESCE && g->here && g->quiesced && !g->incoming);
            for (unsigned i = 0; on && i < 3; i++) {
                u64 value = pick(w, ~0ull);
                guest_store(w, g, pick(w, w->store_bytes - 8), &value, 8);
                if (pick(w, 8) == 0)
                    guest_store(w, g, pick(w, w->store_bytes / FRAME_BYTES) * FRAME_BYTES,
                                zeros, FRAME_BYTES);
                if (pick(w, 8) == 0)
                    storage_key_set(g->st, pick(w, w->store_bytes), (u8)(pick(w, 16) << 4));
                if (g->counter++ % 4 == 0 && !w->busy)
                    disk_store(g, value);
            }
        }
}

/* A frame of noise: no encoding makes it shorter. */
static void fill_frame(struct fake *g, u64 frame, u64 value)
{
    u64 noise[FRAME_BYTES / 8];
    for (unsigned i = 0; i < ARRAY_LEN(noise); i++)
        noise[i] = value = value * 6364136223846793005ull + 1442695040888963407ull;
    storage_write(g->st, frame << FRAME_SHIFT, noise, sizeof noise);
}

/* A busy guest goes through its storage in order, as fast as it gets processor time. */
static void guests_work(struct world *w)
{
    u64 now_ms = ssi_sim_now_ms(w->sim), ms = now_ms - w->busy_ms;
    w->busy_ms = now_ms;
    if (!w->busy)
        return;
    for (unsigned s = 0; s < w->n; s++)
        for (unsigned u = 0; u < USERS; u++) {
            struct fake *g = &w->actors[s].guest[u];
            u64 count = running(w, s, u) ? ms * w->busy : 0;
            for (; count; count--, g->counter++) {
                u64 frame = g->counter % (w->guest_bytes >> FRAME_SHIFT);
                if (!w->stubborn && !storage_mark_frame_rationed(g->st, frame << FRAME_SHIFT))
                    break;
                fill_frame(g, frame, g->counter);
            }
        }
}

void world_step(struct world *w)
{
    ssi_sim_step(w->sim);
    bury_dead(w);
    for (unsigned s = 0; s < w->n; s++)
        if (w->actors[s].lgr && !ssi_sim_is_frozen(w->sim, s))
            fire_timers(&w->actors[s]);
    bury_dead(w);
    guests_run(w);
    guests_work(w);
    check_runners(w);
}

void user_logon(struct actor *a, unsigned u)
{
    struct world *w = a->world;
    struct ssi *ssi = ssi_sim_member(w->sim, a->slot);
    struct fake *g = &a->guest[u];
    u64 generation;
    if (!ssi || !a->joined || g->here ||
        ssi_claim(ssi, LGR_CLAIM_KIND, users[u], &generation, NULL) != ST_OK)
        return;
    lgr_guest_logon(a->lgr, users[u]);
    *g = (struct fake){.here = true, .claim = generation};
    CHECK(w, storage_create(&g->st, w->guest_bytes, NULL) == ST_OK);
    disk_make(w, g);
    w->alive[u] = true;
    w->logons++;
}

void world_forget(struct world *w, unsigned slot, unsigned u)
{
    fake_free(&w->actors[slot].guest[u]);
}

void world_believe(struct world *w, unsigned slot)
{
    for (unsigned u = 0; u < USERS; u++) {
        const struct fake *g = &w->actors[slot].guest[u];
        if (g->st && g->st->size >= w->store_bytes)
            w->truth[u] = truth_of(w, g);
    }
}

void user_logoff(struct actor *a, unsigned u)
{
    struct world *w = a->world;
    struct fake *g = &a->guest[u];
    struct ssi *ssi = ssi_sim_member(w->sim, a->slot);
    if (!ssi || !g->here || g->incoming)
        return;
    bool doubt = g->quiesced; /* the destination may get it, or not */
    int owner = pdr_owner(w, u);
    lgr_guest_gone(a->lgr, users[u]);
    ssi_release(ssi, LGR_CLAIM_KIND, users[u], g->claim);
    fake_free(g);
    if (!doubt || owner == (int)a->slot)
        w->alive[u] = false;
}

static void move_ended(void *ctx, const struct lgr_view *v, const struct lgr_reasons *reasons)
{
    struct world **w = ctx;
    (void)reasons;
    (*w)->outcomes[v->code & 15]++;
    free(w);
}

int user_move(struct actor *a, unsigned u, unsigned to, const struct lgr_options *options)
{
    struct world **box = malloc(sizeof *box);
    char name[SSI_NAME_BYTES] = {'M', (char)('0' + to)};
    const struct lgr_watch watch = {NULL, move_ended, box};
    *box = a->world;
    int rc = lgr_start(a->lgr, users[u], name, "OPERATOR", options, &watch, NULL);
    if (rc)
        free(box);
    else
        a->world->moves++;
    return rc;
}

const char *world_unrest(struct world *w)
{
    for (unsigned s = 0; s < w->n; s++) {
        const struct actor *a = &w->actors[s];
        if (!a->joined || !a->lgr)
            return "a member is not joined";
        if (a->lgr->active)
            return "a relocation is under way";
        for (unsigned u = 0; u < USERS; u++)
            if (a->guest[u].incoming)
                return "a skeleton is left";
    }
    for (unsigned u = 0; u < USERS; u++) {
        int owner = pdr_owner(w, u);
        if (owner < 0 && w->alive[u])
            return "nobody owns a guest that lives";
        if (owner >= 0 && !running(w, (unsigned)owner, u))
            return "a guest does not run where it is owned"; /* [I2] */
        if (owner >= 0 && storage_rationed(w->actors[owner].guest[u].st))
            return "a guest is governed for ever";
    }
    return NULL;
}

void world_check_calm(struct world *w)
{
    const char *why = world_unrest(w);
    if (why)
        world_fault(w, why);
}

/* Faults end; members that are gone come back. */
void world_calm_down(struct world *w, u64 ms)
{
    w->calm = true;
    ssi_sim_pdr_fault(w->sim, SIM_FAULT_NONE, 0);
    ssi_sim_pdr_hold(w->sim, 0);
    for (unsigned a = 0; a < w->n; a++)
        ssi_sim_pdr_cut(w->sim, a, false);
    for (unsigned a = 0; a < w->n; a++)
        for (unsigned b = 0; b < w->n; b++)
            if (a != b)
                ssi_sim_stall(w->sim, a, b, false);
    for (u64 end = ssi_sim_now_ms(w->sim) + ms; ssi_sim_now_ms(w->sim) < end;) {
        for (unsigned s = 0; s < w->n; s++)
            if (!ssi_sim_member(w->sim, s))
                actor_start(&w->actors[s]);
        world_step(w);
    }
}
