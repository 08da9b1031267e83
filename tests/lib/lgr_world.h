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

#define MEMBERS_MAX 4
#define USERS 3
#define WALL_NS 1800000000000000000ull /* 2027 */
#define TIMERS_MAX 256
#define EXITS_MAX 64
#define GUEST_BYTES (1u << 20)
#define DISK_BLOCKS 20u /* not whole frames */

struct world;
struct actor;

struct truth {
    u64 storage, counter;
};

struct fake {
    bool here, incoming, quiesced, gone; /* gone: another member has it */
    struct actor *runs_at;               /* it is ours and waits for its disks there */
    struct storage *st;
    struct area *disk; /* in storage; goes along */
    u8 *told;          /* keys that went ahead, or that have come */
    u64 claim, counter;
    struct truth saved;
};

struct fake_timer {
    u64 id, at_ms;
    void (*fire)(void *arg);
    void *arg;
};

/** A CP exit that is being asked, of guest `u`. */
struct fake_exit {
    struct actor *a;
    u64 timer;
    unsigned u;
    enum lgr_exit point;
    enum lgr_code code;
    void (*done)(void *arg, enum lgr_code code, const char *text); /* NULL: free */
    void *arg;
};

/** What a member's CP exit answers, and after how long. */
struct fake_answer {
    bool active;
    enum lgr_code code;
    unsigned ms;
};

struct actor {
    struct world *world;
    unsigned slot;
    bool joined, joining, leaving, restart;
    s64 ahead_ns; /* its host's clock, of the time of the simulation */
    bool blind;   /* it has left, and could not write that into the PDR */
    u64 life;     /* counts its processes */
    struct lgr *lgr;
    struct lgr_ports ports;
    struct fake guest[USERS];
    struct fake_timer timers[TIMERS_MAX];
    unsigned timers_end; /* those behind are free */
    u64 last_timer;
    struct fake_answer exit[2];
    struct fake_exit exits[EXITS_MAX];
    u8 let[USERS]; /* what 1231 said of the guest that arrives; LGR_ACTIVE: it was not asked */
};

/** Faults of guests and disks, planted to see that the checks find them. */
enum world_plant {
    PLANT_NOTHING,
    PLANT_LYING_DISK,   /* PDR writes that say they are done and are not */
    PLANT_LOST_STORE,   /* change recording forgets a frame */
    PLANT_NO_QUIESCE,   /* a guest that has been stopped stores once more */
    PLANT_NO_UNQUIESCE, /* one that is to go on does not */
    PLANT_BAD_RESTORE,  /* restoring state stores into the guest */
    PLANT_LOST_KEY,     /* a storage key is not restored */
};

struct world {
    struct ssi_sim *sim;
    u64 seed;
    unsigned n;
    bool calm, smooth; /* smooth: fakes do not fail by themselves */
    bool brisk;        /* short times for links and members */
    bool apart;        /* each member on a host of its own */
    bool exits;        /* CP exits of members are enabled, and answer anything at any time */
    bool unchecked;    /* links of version 2, which do not check messages */
    enum world_plant plant;
    int fault_fd; /* 0: a test fails at once; else what did not hold goes there, and _exit(1) */
    u64 guest_bytes;                     /* GUEST_BYTES or more */
    struct lgr_room room;                /* of each member */
    struct lgr_crowd crowd[MEMBERS_MAX]; /* who computes there */
    u64 cpu_step_ns; /* processor time goes by so much at every look; 0: it is not measured */
    u64 cpu_gone_ns;
    u64 store_bytes; /* of these, what guests store into; GUEST_BYTES */
    bool disks_fail; /* no guest can be saved */
    bool waits;      /* guests have issued CP commands, and wait for the answer */
    enum {
        STOPPED_WELL,
        STOPPED_ENDING,
        STOPPED_UNKNOWN
    } stopped;     /* of one that is stopped: it is
                           to log off; the destination does not know it any more */
    unsigned busy; /* frames more that a guest that runs stores into in a millisecond */
    bool stubborn; /* stores of guests that run cannot be made to wait */
    u64 busy_ms;   /* until when that has been done */
    void (*last_words)(
        void *ctx); /* a member has left, and its relocations have ended; or NULL */
    void *last_ctx;
    struct lgr_view told; /* for whoever listens to them */
    bool alive[USERS];    /* logged on, and its owner has not crashed */
    u64 next_op_ms;
    bool silent_clocks;  /* nobody tells its clock, as releases before */
    s64 saved_ahead_ns;  /* what a guest was last saved with */
    unsigned silence_ms; /* 0: that of the simulation */
    struct truth truth[USERS];
    struct actor actors[MEMBERS_MAX];
    struct ssi_pdr pdr; /* as of pdr_writes */
    u64 pdr_writes;
    int owner[USERS]; /* likewise: slots, -1: nobody's */
    unsigned exits_asked, outcomes[16], moves, crashes, resumed, joins, expelled, logons;
};

#define CHECK(w, cond)                                                                         \
    do {                                                                                       \
        if (!(cond))                                                                           \
            world_fault(w, #cond);                                                             \
    } while (0)

/** Something does not hold: the test has failed. */
_Noreturn void world_fault(const struct world *w, const char *what);

extern const char *const users[USERS];

/** A number below n, from the seed. */
u64 pick(struct world *w, u64 n);
/** Who owns user `u` in the PDR; -1 = nobody. */
int pdr_owner(struct world *w, unsigned u);
/** Does the PDR say that member `slot` is down, without having left? */
bool pdr_expelled(struct world *w, unsigned slot);
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
/** The guest has been handed over: it is not here any more, whoever owns it. */
void world_forget(struct world *w, unsigned slot, unsigned u);
/** What arrives at `slot` is taken for what it should be. */
void world_believe(struct world *w, unsigned slot);
/** End the member: its guests are logged off, it leaves, relocations end, its process ends. */
void actor_leave(struct actor *a);
/** VMRELOCATE MOVE; the outcome is counted in w->outcomes. */
int user_move(struct actor *a, unsigned u, unsigned to, const struct lgr_options *options);
/** Start two members of it, and log the first guest on at the first; fakes do not fail. */
struct world *members_join(struct world *w);
/** Such a cluster. silence_ms 0: that of the simulation. */
struct world *members_of(u64 seed, unsigned silence_ms, u64 guest_bytes);
struct world *two_members(unsigned silence_ms, u64 guest_bytes);
/** What keeps the cluster from being at rest; NULL = nothing. */
const char *world_unrest(struct world *w);
/** Everybody is joined, nothing is under way, every guest whose owner did not crash runs [I2]. */
void world_check_calm(struct world *w);
/** Faults end; members that are gone come back; so many milliseconds pass. */
void world_calm_down(struct world *w, u64 ms);

#endif
