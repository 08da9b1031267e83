/* A simulated cluster with fake guests: real lgr on real ssi over ssi_sim, virtual time.
 * Every step checks [I1] one runner at most, and that the PDR names it; every resume checks [I3]
 * storage, keys and state as quiesced; world_check_calm checks [I2]. */
#ifndef ENDICOTT_TESTS_LIB_LGR_WORLD_H
#define ENDICOTT_TESTS_LIB_LGR_WORLD_H

#define ENDICOTT_ALWAYS_ASSERT 1
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "lgr/lgr_internal.h"
#include "ssi/ssi_sim.h"

#define MEMBERS_MAX 3
#define USERS 3
#define TIMERS_MAX 256
#define GUEST_BYTES (1u << 20)

struct world;

struct fake {
    bool here, incoming, quiesced;
    unsigned throttle; /* per cent */
    struct storage *st;
    u64 claim, counter;
};

struct fake_timer {
    u64 id, at_ms;
    void (*fire)(void *arg);
    void *arg;
};

struct actor {
    struct world *world;
    unsigned slot;
    bool joined, joining, restart;
    struct lgr *lgr;
    struct lgr_ports ports;
    struct fake guest[USERS];
    struct fake_timer timers[TIMERS_MAX];
    u64 last_timer;
};

struct truth {
    u64 storage, counter;
};

struct world {
    struct ssi_sim *sim;
    u64 seed;
    unsigned n;
    bool calm, smooth; /* smooth: fakes do not fail by themselves */
    u64 guest_bytes;   /* GUEST_BYTES or more */
    bool disks_fail;   /* no guest can be saved */
    unsigned busy;     /* frames more that a guest that runs stores into in a millisecond */
    bool stubborn;     /* as many when it is throttled, too */
    u64 busy_ms;       /* until when that has been done */
    bool alive[USERS]; /* logged on, and its owner has not crashed */
    u64 next_op_ms;
    unsigned silence_ms; /* 0: that of the simulation */
    struct truth truth[USERS];
    struct actor actors[MEMBERS_MAX];
    unsigned outcomes[16], moves, crashes, doubts, resumed;
};

#define CHECK(w, cond)                                                                         \
    ck_assert_msg(cond, "LGR_SIM_SEED=%llu at %llu ms: %s", (unsigned long long)(w)->seed,     \
                  (unsigned long long)ssi_sim_now_ms((w)->sim), #cond)

extern const char *const users[USERS];

/** A number below n, from the seed. */
u64 pick(struct world *w, u64 n);
/** Does member `slot` run guest `u`? */
bool running(struct world *w, unsigned slot, unsigned u);
void check_runners(struct world *w);
/** Start a member, and join. */
void actor_start(struct actor *a);
void bury_dead(struct world *w);
/** n members that are not started yet; everything random comes from the seed. */
struct world *world_create(u64 seed, unsigned n);
void world_destroy(struct world *w);
/** The next event of the simulation; then all invariants are checked. */
void world_step(struct world *w);
/** Log a guest on, if its name is free. */
void user_logon(struct actor *a, unsigned u);
void user_logoff(struct actor *a, unsigned u);
/** VMRELOCATE MOVE; the outcome is counted in w->outcomes. */
int user_move(struct actor *a, unsigned u, unsigned to, const struct lgr_options *options);
/** Everybody is joined, nothing is under way, every guest whose owner did not crash runs [I2]. */
void world_check_calm(struct world *w);
/** Faults end; members that are gone come back; so many milliseconds pass. */
void world_calm_down(struct world *w, u64 ms);

#endif
