/* Inside the simulated cluster of ssi_world.h. */
#ifndef ENDICOTT_TESTS_LIB_SSI_WORLD_INTERNAL_H
#define ENDICOTT_TESTS_LIB_SSI_WORLD_INTERNAL_H

#include "hyp/rdev/link_mode.h"
#include "ssi/ssi_pdr.h"
#include "ssi/ssi_sim.h"
#include "tests/lib/sim_faults.h"
#include "tests/lib/ssi_world.h"

#define MEMBERS_MAX 4
#define NAMES 6
#define HELD_MAX 6  /* of one member, at a time */
#define ASKED_MAX 4 /* likewise */
#define GENERATIONS_MAX 65536u
#define LINKS_MAX 6 /* of one member, at a time */

enum hold { HOLD_NONE, HOLD_RUN, HOLD_DOUBT };

struct world;
struct actor;

/* What is done when nothing holds it up any more. */
typedef void request_fn(struct actor *a, struct ssi *ssi, unsigned what);

/* A command that allocates: asked once, answered once. */
struct request {
    struct ssi_held held;
    struct actor *actor;
    request_fn *now;
    unsigned what; /* for it */
    bool open;
    u64 free_ms; /* since when nothing holds it up */
};

/* A command that asks for its claim or link first, and goes on when that has been answered. */
struct asking {
    struct ssi_asked *asked;
    struct actor *actor;
    request_fn *now;
    unsigned what;
};

/* A user's link to a minidisk; `serial` names it, also where its user has moved to. 0: none. */
struct link {
    u64 serial;
    unsigned disk;
    enum link_mode mode;
    bool write;
    bool arriving; /* of a user who is still on another member */
    bool foreseen; /* it was granted before its user had it */
};

/* One member as hyp and lgr would use it: what it believes it owns, and so runs. */
struct actor {
    struct world *world;
    unsigned slot;
    bool joined, joining, leaving, restart;
    enum hold hold[NAMES];
    u64 generation[NAMES];
    bool expecting[NAMES]; /* destination: has the state and said READY */
    bool linked[MEMBERS_MAX];
    u32 next_in[MEMBERS_MAX], next_out[MEMBERS_MAX];
    struct request requests[HELD_MAX];
    struct asking asking[ASKED_MAX];
    bool answered; /* what it does now was asked for before */
    struct link links[LINKS_MAX];
};

struct world {
    struct ssi_sim *sim;
    u64 seed;
    unsigned n;
    enum ssi_world_plant plant;
    bool one_host, calm, verbose;
    u64 last_generation; /* the greatest; and all that have been given out: */
    u64 generations[GENERATIONS_MAX / 64];
    u64 last_serial, next_op_ms;
    struct sim_faults faults;
    struct actor actors[MEMBERS_MAX];
    char slots[MEMBERS_MAX][SSI_NAME_BYTES]; /* SSI statement of system.config */
    struct ssi_world_sum sum;
    char *fault;
    u64 pdr_writes;
    struct ssi_pdr pdr;
};

#define CHECK(w, cond, ...)                                                                    \
    do {                                                                                       \
        if (!(cond) && !*(w)->fault)                                                           \
            ssi_world_fault(w, "" __VA_ARGS__);                                                \
    } while (0)

/** The first thing that does not hold is the fault of the history. */
void ssi_world_fault(struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/** With verbose: what happens between the operators' messages. */
void ssi_world_note(const struct world *w, unsigned slot, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** At random: 0 to n - 1. */
u64 ssi_world_pick(struct world *w, u64 n);
struct ssi *ssi_world_ssi(const struct actor *a); /**< NULL: it does not run */
/** w->pdr as the file says it now, looked at again when something has been written. */
void ssi_world_look(struct world *w);
/** A command that allocates: now, or when its member has left In-flux. */
void ssi_world_ask(struct actor *a, struct ssi *ssi, request_fn *now, unsigned what);

/** Now, or when the PDR has answered `want` beside the loop. */
void ssi_world_foresee(struct actor *a, struct ssi *ssi, const struct ssi_want *want,
                       request_fn *now, unsigned what);

/* ssi_world_links.c */
/** One of the users of a member does something with a link. */
void links_act(struct actor *a, struct ssi *ssi);
/** All users log off. */
void links_end(struct actor *a, struct ssi *ssi);
void links_check(struct world *w);
/** What keeps the cluster from being whole; NULL: nothing. */
const char *links_unrest(struct world *w);

#endif
