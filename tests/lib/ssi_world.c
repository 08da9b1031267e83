/* The simulated cluster of ssi_world.h: what its members, guests and operator do, what goes wrong,
 * and what must hold after every event.
 *
 * [W1] No name is in use on two members; who uses it owns it in the PDR.
 * [W2] A held request is answered once, soon after its member has left In-flux.
 * [W3] A member that lives and reaches the PDR is never declared down.
 * [W4] Services hear of each other in turn, and messages come in order, none lost [S3].
 * [W5] After everything has healed: all Joined and Stable in all eyes, without an operator, and
 *      whoever owns a name uses it [I2].
 * [W6] No member meets an event without a row.
 * [W7] The slot of a member that runs is not given to another.
 * [W8] Links: ssi_world_links.c. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/ssi_world_internal.h"

#define HELD_LATE_MS 200  /* from the end of In-flux to the answer */
#define CHAOS_MS 12000    /* of virtual time */
#define CALM_MS_MAX 30000 /* until all is Stable */
#define PDR_QUIET_MS 4000 /* after trouble with the PDR heartbeats may be late for so long */

void ssi_world_fault(struct world *w, const char *fmt, ...)
{
    va_list ap;
    int at = snprintf(w->fault, 256, "seed %llu, %llu ms: ", (unsigned long long)w->seed,
                      (unsigned long long)ssi_sim_now_ms(w->sim));
    va_start(ap, fmt);
    vsnprintf(w->fault + at, 256 - (size_t)at, fmt, ap);
    va_end(ap);
}

void ssi_world_note(const struct world *w, unsigned slot, const char *fmt, ...)
{
    va_list ap;
    if (!w->verbose)
        return;
    fprintf(stderr, "%8llu M%u   ", (unsigned long long)ssi_sim_now_ms(w->sim), slot);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

/* The last two are addresses of adapters. */
static const struct {
    u16 kind;
    const char *name;
} names[NAMES] = {{1, "LINUX1"},
                  {1, "LINUX2"},
                  {1, "LINUX3"},
                  {1, "LINUX4"},
                  {2, "02-00-00-00-00-01"},
                  {2, "02-00-00-00-00-02"}};

static unsigned slot_of(const char *member)
{
    return (unsigned)(member[1] - '0');
}

u64 ssi_world_pick(struct world *w, u64 n)
{
    return n ? ssi_sim_random(w->sim) % n : 0;
}

struct ssi *ssi_world_ssi(const struct actor *a)
{
    return ssi_sim_member(a->world->sim, a->slot);
}

static void lose_all(struct actor *a)
{
    memset(a->hold, 0, sizeof a->hold);
    memset(a->expecting, 0, sizeof a->expecting);
    memset(a->links, 0, sizeof a->links);
}

/* --- service and events --- */

static int on_check(void *ctx, const char *member, const void *data, size_t len,
                    struct cause *cause)
{
    struct actor *a = ctx;
    (void)member;
    (void)cause;
    CHECK(a->world, len == 7 && be16_load(data) == 5,
          "the data of a join is not what was sent");
    return ST_OK;
}

static void on_export(void *ctx, struct codec_out *out)
{
    (void)ctx;
    codec_put_u8(out, 5, 42);
}

static void on_joined(void *ctx, const char *member)
{
    struct actor *a = ctx;
    unsigned from = slot_of(member);
    CHECK(a->world, !a->linked[from], "[W4] M%u hears twice that %s is joined", a->slot,
          member);
    a->linked[from] = true;
    a->next_in[from] = a->next_out[from] = 0;
}

static void on_left(void *ctx, const char *member, enum ssi_left how)
{
    struct actor *a = ctx;
    CHECK(a->world, a->linked[slot_of(member)] || how != SSI_LEFT_LOST,
          "[W4] M%u hears twice that %s is lost", a->slot, member);
    a->linked[slot_of(member)] = false;
}

static void on_receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct actor *a = ctx;
    unsigned slot = slot_of(from);
    (void)type;
    CHECK(a->world, a->linked[slot] && len >= 4, "[W4] a message of %s, who is not joined",
          from);
    CHECK(a->world, be32_load(data) == a->next_in[slot]++, "[W4] a message of %s out of order",
          from);
}

static const struct ssi_service service = {.id = 3,
                                           .name = "SIM",
                                           .export_join = on_export,
                                           .check_join = on_check,
                                           .member_joined = on_joined,
                                           .member_left = on_left,
                                           .receive = on_receive};

static void on_expelled(void *ctx, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)cause;
    lose_all(a);
    a->world->sum.expelled++;
    a->joined = false;
    a->restart = true;
}

static const struct ssi_events events = {.expelled = on_expelled};

static void slots_mend(struct world *w);

static void join_done(void *ctx, int status, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)cause;
    a->joining = false;
    a->joined = status == ST_OK;
    a->world->sum.joins += a->joined;
    a->world->sum.refused += !a->joined;
    if (status == ST_REFUSED) /* HCPPLM1700E says which slot system.config has wrong */
        slots_mend(a->world);
    a->restart = !a->joined;
}

static void leave_done(void *ctx, int status, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)status;
    (void)cause;
    a->leaving = a->joined = false;
    a->restart = true; /* end the process */
    a->world->sum.leaves++;
}

/* --- what must hold --- */

/* The state in the file, looked at again when something has been written. */
void ssi_world_look(struct world *w)
{
    if (w->pdr_writes == ssi_sim_pdr_writes(w->sim))
        return;
    w->pdr_writes = ssi_sim_pdr_writes(w->sim);
    if (!ssi_sim_pdr_look(w->sim, &w->pdr))
        ssi_claims_clear(&w->pdr);
}

static int owner_of(struct world *w, unsigned k)
{
    int owner = -1;
    for (u32 i = 0; i < w->pdr.n_claims; i++) {
        const struct pdr_claim *claim = &w->pdr.claims[i];
        if (claim->kind != names[k].kind || strcmp(claim->name, names[k].name) != 0)
            continue;
        CHECK(w, owner == -1, "[W1] %s is claimed twice in the PDR", names[k].name);
        owner = claim->owner;
    }
    return owner;
}

static void check_claims(struct world *w)
{
    ssi_world_look(w);
    for (unsigned k = 0; k < NAMES; k++) {
        int user = -1, owner = owner_of(w, k);
        for (unsigned s = 0; s < w->n; s++) {
            if (w->actors[s].hold[k] != HOLD_RUN)
                continue;
            CHECK(w, user == -1, "[W1] %s is in use on M%d and M%u", names[k].name, user, s);
            user = (int)s;
        }
        CHECK(w, user == -1 || user == owner, "[W1] %s is in use on M%d, the PDR says M%d",
              names[k].name, user, owner);
    }
}

/* A request that nothing holds up is answered with the next ticks. */
static void check_held(struct world *w)
{
    u64 now = ssi_sim_now_ms(w->sim);
    for (unsigned s = 0; s < w->n; s++) {
        const struct ssi *ssi = ssi_sim_member(w->sim, s);
        for (unsigned i = 0; ssi && i < HELD_MAX; i++) {
            struct request *r = &w->actors[s].requests[i];
            if (!r->open)
                continue;
            if (ssi_mode(ssi) == SSI_MODE_IN_FLUX || ssi_sim_is_frozen(w->sim, s))
                r->free_ms = now;
            CHECK(w, now <= r->free_ms + HELD_LATE_MS, "[W2] a request held on M%u is lost", s);
        }
    }
}

/* --- requests --- */

/* Of what was asked for beside the loop one hears later than it was given out. */
static void new_generation(struct world *w, u64 generation, bool late)
{
    u64 *seen = &w->generations[generation / 64 % ARRAY_LEN(w->generations)];
    u64 bit = (u64)1 << generation % 64;
    CHECK(w, generation < GENERATIONS_MAX && !(*seen & bit), "a generation is given out twice");
    CHECK(w, late || generation > w->last_generation, "a generation is not greater");
    *seen |= bit;
    if (generation > w->last_generation)
        w->last_generation = generation;
}

static void claim_now(struct actor *a, struct ssi *ssi, unsigned k)
{
    struct world *w = a->world;
    u64 generation;
    struct cause cause;
    if (a->hold[k] == HOLD_RUN) {
        a->hold[k] = HOLD_NONE;
        int gone = ssi_world_pick(w, 2)
                       ? ssi_release(ssi, names[k].kind, names[k].name, a->generation[k])
                       : ssi_release_soon(ssi, names[k].kind, names[k].name, a->generation[k]);
        ssi_world_note(w, a->slot, "releases %s: %s", names[k].name, status_name(gone));
        return;
    }
    if (a->hold[k] != HOLD_NONE || a->expecting[k])
        return;
    bool safe = ssi_mode(ssi) == SSI_MODE_SAFE;
    int rc = ssi_claim(ssi, names[k].kind, names[k].name, &generation, &cause);
    ssi_world_note(w, a->slot, "claims %s: %s", names[k].name, status_name(rc));
    w->sum.claims += rc == ST_OK;
    w->sum.claims_refused += rc != ST_OK;
    if (rc != ST_OK)
        return;
    CHECK(w, !safe || a->answered, "M%u is given %s in Safe mode", a->slot, names[k].name);
    new_generation(w, generation, true);
    a->hold[k] = HOLD_RUN;
    a->generation[k] = generation;
}

static void asked_go(void *ctx)
{
    struct asking *q = ctx;
    struct actor *a = q->actor;
    struct ssi *ssi = ssi_world_ssi(a);
    struct ssi_asked *asked = q->asked;
    CHECK(a->world, asked, "[W2] an answer on M%u comes twice", a->slot);
    q->asked = NULL;
    a->answered = true;
    if (ssi && a->joined && !a->leaving && ssi_world_pick(a->world, 8))
        q->now(a, ssi, q->what);
    a->answered = false;
    if (asked && ssi_world_ssi(a)) /* else it has died in a write, and all is freed with it */
        ssi_asked_end(ssi, asked);
}

void ssi_world_foresee(struct actor *a, struct ssi *ssi, const struct ssi_want *want,
                       request_fn *now, unsigned what)
{
    struct asking *q = a->asking;
    while (q < a->asking + ASKED_MAX && q->asked)
        q++;
    if (q == a->asking + ASKED_MAX || ssi_world_pick(a->world, 2)) {
        now(a, ssi, what);
        return;
    }
    *q = (struct asking){.actor = a, .now = now, .what = what};
    q->asked = ssi_ask(ssi, want, 1, asked_go, q);
    a->world->sum.asked++;
}

static void claim_ask(struct actor *a, struct ssi *ssi, unsigned k)
{
    struct ssi_want want = {.kind = names[k].kind};
    strcpy(want.name, names[k].name);
    ssi_world_foresee(a, ssi, &want, claim_now, k);
}

/* Who asked gives it up. */
static void act_unask(struct actor *a, struct ssi *ssi)
{
    struct asking *q = &a->asking[ssi_world_pick(a->world, ASKED_MAX)];
    if (q->asked)
        ssi_asked_end(ssi, q->asked);
    q->asked = NULL;
}

static void request_go(void *ctx)
{
    struct request *r = ctx;
    struct actor *a = r->actor;
    struct ssi *ssi = ssi_world_ssi(a);
    CHECK(a->world, r->open, "[W2] a request on M%u is answered twice", a->slot);
    r->open = false;
    if (ssi)
        r->now(a, ssi, r->what);
    if (a->world->plant == PLANT_HELD_TWICE && ssi_world_pick(a->world, 20) == 0)
        request_go(ctx);
}

void ssi_world_ask(struct actor *a, struct ssi *ssi, request_fn *now, unsigned what)
{
    struct world *w = a->world;
    struct request *r = a->requests;
    while (r < a->requests + HELD_MAX && r->open)
        r++;
    if (r == a->requests + HELD_MAX)
        return;
    *r = (struct request){
        .held = {.go = request_go, .ctx = r}, .actor = a, .now = now, .what = what};
    if (ssi_hold(ssi, &r->held) != ST_OK) {
        now(a, ssi, what);
        return;
    }
    r->open = true;
    r->free_ms = ssi_sim_now_ms(w->sim);
    w->sum.held++;
    if (w->plant == PLANT_HELD_LOST && ssi_world_pick(w, 20) == 0)
        ssi_hold_drop(ssi, &r->held);
}

static void act_claim(struct actor *a, struct ssi *ssi, unsigned k)
{
    if (a->hold[k] == HOLD_RUN)
        claim_now(a, ssi, k);
    else
        ssi_world_ask(a, ssi, claim_ask, k);
}

/* Its user has logged off. */
static void act_drop(struct actor *a, struct ssi *ssi)
{
    struct request *r = &a->requests[ssi_world_pick(a->world, HELD_MAX)];
    if (!r->open)
        return;
    ssi_hold_drop(ssi, &r->held);
    r->open = false;
    a->world->sum.dropped++;
}

/* --- what else members and operators do --- */

static void act_start(struct actor *a)
{
    struct world *w = a->world;
    struct ssi_config config;
    struct cause cause;
    if (!w->slots[a->slot][0])
        return;
    ssi_sim_config(&config, a->slot, w->n);
    memcpy(config.slots, w->slots, sizeof w->slots);
    memcpy(config.member, w->slots[a->slot], sizeof config.member);
    config.heartbeat_ms = 200;
    config.silence_ms = 1000;
    config.pdr_beat_ms = 300;
    config.handshake_ms = 800;
    config.join_ms = 5000;
    config.leave_ms = 600;
    config.repair = !w->calm && ssi_world_pick(w, 20) == 0;
    w->sum.repairs += config.repair;
    struct ssi *ssi = ssi_sim_start(w->sim, &config, w->one_host ? 0 : a->slot, &cause);
    CHECK(w, ssi != NULL, "M%u cannot be made: %s", a->slot, cause.text);
    if (!ssi)
        return;
    lose_all(a);
    memset(a->linked, 0, sizeof a->linked);
    a->joining = true;
    a->joined = a->leaving = a->restart = false;
    ssi_register_service(ssi, &service, a);
    ssi_set_events(ssi, &events, a);
    ssi_join(ssi, join_done, a);
}

static void act_dead(struct actor *a)
{
    lose_all(a);
    memset(a->linked, 0, sizeof a->linked);
    memset(a->requests, 0, sizeof a->requests);
    memset(a->asking, 0, sizeof a->asking);
    a->joined = a->joining = a->leaving = a->restart = false;
}

static void act_move(struct actor *a, struct ssi *ssi, unsigned k)
{
    struct world *w = a->world;
    struct actor *to = &w->actors[ssi_world_pick(w, w->n)];
    u64 generation, again;
    const char *name = w->slots[to->slot];
    if (a->hold[k] != HOLD_RUN || to == a || !to->joined)
        return;
    to->expecting[k] = true;
    int rc = ssi_move_claim(ssi, names[k].kind, names[k].name, a->generation[k], name,
                            &generation, NULL);
    ssi_world_note(w, a->slot, "moves %s to %s: %s", names[k].name, name, status_name(rc));
    if (rc == ST_LOST) {
        a->hold[k] = HOLD_DOUBT;
        w->sum.doubts++;
    }
    if (rc != ST_OK)
        return;
    new_generation(w, generation, false);
    a->hold[k] = HOLD_NONE;
    w->sum.moves++;
    rc =
        ssi_move_claim(ssi, names[k].kind, names[k].name, a->generation[k], name, &again, NULL);
    CHECK(w, rc != ST_OK, "[W1] %s is handed over twice", names[k].name);
}

/* Those who cannot know ask the PDR. */
static void act_find(struct actor *a, struct ssi *ssi, unsigned k)
{
    char owner[SSI_NAME_BYTES] = "";
    u64 generation = 0;
    if (!a->expecting[k] && a->hold[k] != HOLD_DOUBT)
        return;
    int rc = ssi_claim_find(ssi, names[k].kind, names[k].name, owner, &generation);
    if (rc != ST_OK && rc != ST_NOENT)
        return;
    ssi_world_note(a->world, a->slot, "finds %s on %s", names[k].name,
                   rc ? "no member" : owner);
    bool mine = rc == ST_OK && slot_of(owner) == a->slot;
    a->hold[k] = mine ? HOLD_RUN : HOLD_NONE;
    a->generation[k] = generation;
    a->expecting[k] = false;
}

static void act_send(struct actor *a, struct ssi *ssi, unsigned to)
{
    static u8 data[3000];
    struct ssi_view view; /* by the name that this member knows it by */
    ssi_query(ssi, &view);
    const char *name = view.slots[to].name;
    if (to == a->slot)
        return;
    be32_store(data, a->next_out[to]);
    int rc = ssi_send(ssi, name, 3, 1, data, 4 + ssi_world_pick(a->world, sizeof data - 4));
    CHECK(a->world, (rc == ST_OK) == a->linked[to], "[W4] M%u cannot send to %s, or can",
          a->slot, name);
    a->next_out[to] += rc == ST_OK;
}

/* An operator does it when he knows that the member is down; when it lives, it must be refused, but
 * for heartbeats that the PDR's trouble has kept back. */
static void act_set_down(struct actor *a, struct ssi *ssi, unsigned target)
{
    struct world *w = a->world;
    const char *name = w->slots[target];
    const struct actor *t = &w->actors[target];
    bool lives = ssi_sim_member(w->sim, target) && (t->joined || t->leaving);
    if (lives && (ssi_sim_now_ms(w->sim) < w->faults.pdr_trouble_ms + PDR_QUIET_MS ||
                  ssi_sim_is_frozen(w->sim, target)))
        return;
    int rc = ssi_set_down(ssi, name, NULL);
    ssi_world_note(w, a->slot, "declares %s down: %s", name, status_name(rc));
    w->sum.declared += rc == ST_OK;
    CHECK(w, !lives || rc != ST_OK, "[W3] %s lives and is declared down", name);
}

/* system.config says what the PDR does, once that says something. */
static void slots_mend(struct world *w)
{
    bool said = false;
    ssi_world_look(w);
    for (unsigned s = 0; s < w->n; s++)
        said = said || w->pdr.rows[s].name[0];
    for (unsigned s = 0; said && s < w->n; s++)
        memcpy(w->slots[s], w->pdr.rows[s].name, sizeof w->slots[s]);
}

/* The operator replaces a member that does not run, or takes it out, or puts one in; then
 * system.config says what the PDR does. */
static void act_slot(struct actor *a, struct ssi *ssi, unsigned slot)
{
    struct world *w = a->world;
    char name[SSI_NAME_BYTES] = {w->slots[slot][0] == 'M' ? 'N' : 'M', (char)('0' + slot)};
    if (w->slots[slot][0] && ssi_world_pick(w, 2))
        name[0] = 0;
    const struct actor *t = &w->actors[slot]; /* who leaves may be Down already */
    const bool runs = ssi_sim_member(w->sim, slot) && t->joined && !t->leaving;
    int rc = ssi_slot_set(ssi, slot, name, NULL);
    ssi_world_note(w, a->slot, "sets slot %u to %s: %s", slot, name, status_name(rc));
    CHECK(w, !runs || rc != ST_OK, "[W7] the slot of M%u, which runs, is another's", slot);
    w->sum.slots += rc == ST_OK;
    slots_mend(w);
}

static void act_leave(struct actor *a, struct ssi *ssi)
{
    for (unsigned k = 0; k < NAMES; k++)
        if (a->hold[k] == HOLD_RUN)
            claim_now(a, ssi, k);
    links_end(a, ssi);
    lose_all(a);
    a->leaving = true;
    ssi_leave(ssi, leave_done, a);
}

static void act(struct world *w, unsigned slot)
{
    struct actor *a = &w->actors[slot];
    struct ssi *ssi = ssi_sim_is_frozen(w->sim, slot) ? NULL : ssi_world_ssi(a);
    unsigned k = (unsigned)ssi_world_pick(w, NAMES), other = (unsigned)ssi_world_pick(w, w->n);
    const char *name = w->slots[other];
    if (!ssi) {
        if (!ssi_world_ssi(a) && (w->calm || ssi_world_pick(w, 5) == 0))
            act_start(a);
        return;
    }
    if (!a->joined || a->leaving)
        return;
    if (w->calm && !name[0]) { /* in the end all slots are somebody's */
        act_slot(a, ssi, other);
        return;
    }
    if (w->calm && ssi_mode(ssi) == SSI_MODE_ISOLATED && ssi_world_pick(w, 10) == 0) {
        act_leave(a, ssi); /* up by REPAIR: in the end it is mended */
        return;
    }
    switch (ssi_world_pick(w, 60)) {
    case 0:
        if (!w->calm)
            act_leave(a, ssi);
        break;
    case 1: act_set_down(a, ssi, other); break;
    case 35:
        if (!w->calm)
            act_slot(a, ssi, other);
        break;
    case 31:
        if (!w->calm)
            ssi_link_deactivate(ssi, name, NULL);
        break;
    case 32 ... 34: ssi_link_activate(ssi, name, NULL); break;
    case 2 ... 12: act_claim(a, ssi, k); break;
    case 13 ... 20: act_move(a, ssi, k); break;
    case 21 ... 28: act_find(a, ssi, k); break;
    case 29 ... 30: act_drop(a, ssi); break;
    case 36: act_unask(a, ssi); break;
    case 40 ... 58: links_act(a, ssi); break;
    default: act_send(a, ssi, other); break;
    }
}

/* --- what goes wrong --- */

static void calamity(struct world *w)
{
    sim_faults_strike(&w->faults);
    if (w->plant == PLANT_LYING_DISK && ssi_world_pick(w, 10) == 0)
        ssi_sim_pdr_fault(w->sim, SIM_FAULT_LIE, 1);
}

/* --- a history --- */

static void bury(struct world *w)
{
    for (unsigned s = 0; s < w->n; s++)
        if (!ssi_sim_member(w->sim, s)) {
            ssi_sim_crash(w->sim, s); /* it died in a write: what it held lies with the actor */
            act_dead(&w->actors[s]);
        }
}

static void world_step(struct world *w)
{
    ssi_sim_step(w->sim);
    w->sum.events++;
    CHECK(w, ssi_sim_errors(w->sim) == 0, "[W6] an internal error was told");
    for (unsigned s = 0; s < w->n; s++)
        if (w->actors[s].restart)
            ssi_sim_crash(w->sim, s);
    bury(w);
    if (ssi_sim_now_ms(w->sim) >= w->next_op_ms) {
        w->next_op_ms = ssi_sim_now_ms(w->sim) + ssi_world_pick(w, 60);
        act(w, (unsigned)ssi_world_pick(w, w->n));
        bury(w); /* one may have died in a write */
        if (!w->calm)
            calamity(w);
        bury(w);
    }
    check_claims(w);
    check_held(w);
    links_check(w);
}

/* What keeps the cluster from being whole; NULL: nothing. */
static const char *unrest(struct world *w)
{
    for (unsigned s = 0; s < w->n; s++) {
        struct ssi *ssi = ssi_sim_member(w->sim, s);
        if (!ssi || !w->actors[s].joined)
            return "a member is not joined";
        if (ssi_mode(ssi) != SSI_MODE_STABLE)
            return "a member is not in mode Stable";
        for (unsigned t = 0; t < w->n; t++) {
            if (ssi_member_state(ssi, w->slots[t]) != SSI_JOINED)
                return "a member is not Joined in another's eyes";
            if (t != s && !w->actors[s].linked[t])
                return "a service knows nothing of another member";
        }
    }
    for (u32 i = 0; i < w->pdr.n_claims; i++)
        for (unsigned k = 0; k < NAMES; k++) {
            const struct actor *a = &w->actors[w->pdr.claims[i].owner];
            if (strcmp(names[k].name, w->pdr.claims[i].name) == 0 && a->hold[k] != HOLD_RUN &&
                !a->expecting[k])
                return "the owner of a name does not use it";
        }
    return links_unrest(w);
}

/* What an operator has taken away only an operator gives back. */
static void links_activate(struct world *w)
{
    for (unsigned s = 0; s < w->n; s++)
        for (unsigned t = 0; t < w->n; t++)
            if (ssi_sim_member(w->sim, s))
                ssi_link_activate(ssi_sim_member(w->sim, s), w->slots[t], NULL);
}

static void world_calm(struct world *w)
{
    const char *why = "";
    u64 until = ssi_sim_now_ms(w->sim) + CALM_MS_MAX;
    w->calm = true;
    sim_faults_heal(&w->faults);
    links_activate(w);
    if (w->plant == PLANT_NO_HEAL)
        ssi_sim_stall_way(w->sim, 0, 1, true);
    while (!*w->fault && (why = unrest(w)) && ssi_sim_now_ms(w->sim) < until)
        world_step(w);
    CHECK(w, !why, "[W5] all has healed, and %s", why ? why : "");
}

static void faults_count(struct world *w)
{
    const struct sim_faults *f = &w->faults;
    w->sum.crashes = f->crashes;
    w->sum.partitions = f->partitions;
    w->sum.one_way = f->one_way;
    w->sum.slow = f->slow;
    w->sum.pdr_faults = f->pdr_faults;
    w->sum.pdr_cuts = f->pdr_cuts;
    w->sum.frozen = f->frozen;
}

static void add_up(struct ssi_world_sum *to, const struct ssi_world_sum *from)
{
    const u64 *f = (const u64 *)from;
    u64 *t = (u64 *)to;
    for (size_t i = 0; i < sizeof *to / sizeof *t; i++)
        t[i] += f[i];
}

bool ssi_world_run(u64 seed, enum ssi_world_plant plant, bool verbose,
                   struct ssi_world_sum *sum, char fault[256])
{
    struct world *w = calloc(1, sizeof *w);
    fault[0] = 0;
    w->fault = fault;
    w->seed = seed;
    w->plant = plant;
    w->sim = ssi_sim_create(seed);
    ssi_sim_verbose(w->sim, verbose);
    w->verbose = verbose;
    w->n = 2 + (unsigned)ssi_world_pick(w, 2) + (unsigned)ssi_world_pick(w, 2);
    w->one_host = ssi_world_pick(w, 2);
    if (ssi_world_pick(w, 3))
        ssi_sim_work(w->sim, 1 + (unsigned)ssi_world_pick(w, 60));
    w->faults = (struct sim_faults){.sim = w->sim, .n = w->n};
    w->sum.histories = 1;
    for (unsigned s = 0; s < w->n; s++) {
        w->actors[s].world = w;
        w->actors[s].slot = s;
        w->slots[s][0] = 'M';
        w->slots[s][1] = (char)('0' + s);
    }
    while (!*fault && ssi_sim_now_ms(w->sim) < CHAOS_MS)
        world_step(w);
    if (!*fault)
        world_calm(w);
    faults_count(w);
    add_up(sum, &w->sum);
    for (unsigned s = 0; s < w->n; s++) /* requests lie in the world */
        ssi_sim_crash(w->sim, s);
    ssi_sim_destroy(w->sim);
    ssi_pdr_fini(&w->pdr);
    free(w);
    return !*fault;
}
