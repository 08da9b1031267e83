/* Inside lgr: the relocation block and what its parts do. Internal to lgr/ and its tests.
 * Invariants, kept by lgr_handover.c and checked by tests/unit/lgr/lgr_sim_test.c:
 * [I1] a guest never runs on two members; [I2] it runs somewhere unless its owner crashed;
 * [I3] when it resumes, storage and state are those it was quiesced with;
 * [I4] the source changes the PDR in one place only, source_hand_over;
 * [I5] a destination that said READY discards only on the word of the PDR. */
#ifndef ENDICOTT_LGR_LGR_INTERNAL_H
#define ENDICOTT_LGR_LGR_INTERNAL_H

#ifndef ENDICOTT_ALWAYS_ASSERT
#error "lgr keeps its assertions: define ENDICOTT_ALWAYS_ASSERT before the first include"
#endif
#include "lgr/lgr_core.h"
#include "lgr/lgr_wire.h"
#include "mem/base/ergo.h"
#include "mem/base/msg.h"
#include "ssi/ssi.h"

#define LGR_TURN_BYTES (1u << 20) /* work of one turn of the loop */
#define LGR_TURN_WORDS 65536u     /* of the bitmap looked at in one turn */
#define LGR_REPLY_MS 60000        /* an answer that does not come */
#define LGR_WINDOW_WAIT_MS 1000   /* a turn even if the link never said writable */
#define LGR_QUIESCE_RETRY_MS 2
#define LGR_QUIESCE_TRIES_MAX 1000
#define LGR_DOUBT_POLL_MS 50
#define LGR_READY_POLL_MS 500     /* while the link lives */
#define LGR_RESUMED_WAIT_MS 10000 /* figures only; the guest is gone by then */

enum rlo_state {
#define ST(id, stage, status, cancel) RLO_##id,
#include "lgr/lgr_states.def"
#undef ST
    RLO_STATE_COUNT
};

/* Events are the message types, and: */
#define LGR_MSG_TURN 255 /* our turn on the loop, a poll, the link has room again */

enum rlo_timer_kind { TIMER_TURN, TIMER_REPLY, TIMER_TOTAL, TIMER_QUIESCE, TIMER_KINDS };

struct rlobk;
struct rlo_timer {
    struct rlobk *r;
    u64 id; /* 0 = not running */
    enum rlo_timer_kind kind;
};

/* One relocation. Located by: lgr->active by (id, peer). Created by rlo_create at lgr_start or on
 * SKELETON, destroyed by lgr_reap after rlo_end. Serialised by: the loop thread. */
struct rlobk {
    struct rlobk *next;
    struct lgr *lgr;
    struct lgr_view v; /* names, limits, passes, outcome */
    enum rlo_state state;
    u32 seq_out, seq_in;
    struct rlo_timer timer[TIMER_KINDS];
    u64 start_ns, quiesce_ns, moved_ns;
    void *guest;
    bool quiesced, test, told_destination, link_lost;
    unsigned throttle; /* of the source's guest, per cent; 0 = it has all of its time */
    struct lgr_guest_info info;
    struct lgr_reasons reasons;
    struct lgr_watch watch;
    u64 claim; /* the source's generation; after the move the destination's */

    /* storage: both sides */
    struct storage *st;
    u64 *hash; /* of every frame as last sent or stored */
    u64 hash_bytes;
    u64 digest; /* sum of hash[] */
    u16 pass;   /* number of the current one */
    u64 pass_start_ns, pass_messages;
    struct lgr_pass tally;

    /* source */
    u64 *set;     /* frames still to be sent in this pass */
    u64 set_word; /* where the scan stands */
    u64 set_count, last_count;
    u8 *batch; /* LGR_BATCH_HEAD_BYTES, frame numbers, LGR_BATCH_FRAMES frames */
    u8 *zeros;
    unsigned batch_count, zero_count;
    unsigned quiesce_tries;
    double bytes_per_ns; /* measured, to the acknowledgement */
    struct codec_out out;
    size_t out_at;

    /* destination */
    u8 *state_bytes;
    size_t state_len, state_room;
    bool restored, aborted;
};

struct lgr {
    struct ssi *ssi;
    const struct lgr_ports *ports;
    const struct lgr_guests *guests;
    void *guests_ctx;
    bool verify, stopped;
    u32 pace_mb_s; /* 0: as fast as the link takes it */
    struct rlobk *active, *dead;
    unsigned active_count, depth;
    u64 last_id;
    struct lgr_view history[LGR_HISTORY_MAX];
    unsigned history_count, history_next;
    struct lgr_cmd *cmd; /* lgr_cp.c; NULL in the simulation */
};

/* --- lgr_core.c --- */
/** Callers from outside bracket their work; the last leave frees ended blocks. */
void lgr_enter(struct lgr *lgr);
void lgr_leave(struct lgr *lgr);
u64 lgr_now(struct lgr *lgr);
struct rlobk *rlo_create(struct lgr *lgr, u64 id, bool incoming);
/** Storage tables; ST_NOMEM. */
int rlo_prepare_storage(struct rlobk *r, struct storage *st);
void rlo_go(struct rlobk *r, enum rlo_state state);
/** Run the table's function for (state, event). */
void rlo_event(struct rlobk *r, u16 event, const struct lgr_values *v, const u8 *data,
               size_t len);
void rlo_timer(struct rlobk *r, enum rlo_timer_kind kind, u64 delay_ms);
void rlo_timer_stop(struct rlobk *r, enum rlo_timer_kind kind);
const char *rlo_peer(const struct rlobk *r);
/** Send; a failure ends the relocation as LINK_LOST later, by member_left or the reply timer. */
int rlo_send(struct rlobk *r, u16 type, const struct lgr_values *v);
int rlo_send_raw(struct rlobk *r, u16 type, u8 *head, size_t head_len, const void *data,
                 size_t len);
/** May more be sent now? If not, `writable` gives a turn. */
bool rlo_window_open(struct rlobk *r);
/** The end: outcome into the history, watchers told. The guest has been dealt with. */
void rlo_end(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool rlo_may_cancel(const struct rlobk *r);

/* --- lgr_eligible.c --- */
void lgr_eligible_source(struct rlobk *r, struct lgr_reasons *out);
void lgr_eligible_here(struct lgr *lgr, const struct lgr_guest_info *info, u64 id,
                       const char *from, unsigned force, bool again, struct lgr_reasons *out);

/* --- lgr_source.c, lgr_pass.c, lgr_dest.c, lgr_handover.c --- */
typedef void rlo_step(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len);
#define T(state, event, function) rlo_step function;
#include "lgr/lgr_steps.def"
#undef T

/** The guest stays here: undo quiesce, tell the destination, end. Before the hand-over only. */
void source_stay(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void source_begin(struct rlobk *r);
void source_link_lost(struct rlobk *r);

/** Add the frames dirtied since the last call to r->set; their number. */
u64 pass_collect(struct rlobk *r);
/** The next pass, over r->set. */
void pass_begin(struct rlobk *r, bool quiesced);
enum pass_result { PASS_MORE, PASS_SENT, PASS_ENDED /* with the relocation */ };
/** Send up to a turn's worth. At the end: counts too, and the pass is written down. */
enum pass_result pass_turn(struct rlobk *r);
/** The acknowledgement came: how long it took. */
void pass_acknowledged(struct rlobk *r, u16 pass);
/** A turn when there is room on the link. */
void rlo_turn_soon(struct rlobk *r);
/** Frames of r->set that differ from what was sent last: 0 unless recording missed a store. */
u64 pass_verify(struct rlobk *r);

/** What the planner goes by, after a pass has been acknowledged. */
struct lgr_plan {
    unsigned passes_done;
    u64 remaining, previous; /* frames: dirtied since the last pass began, sent in it */
    double bytes_per_ns;     /* measured; 0 = not yet */
    u64 total_left_ns;       /* of MAXTOTAL; ~0 = no limit */
    unsigned throttle;       /* per cent of processor time taken from the guest */
    u32 maxquiesce_s;
    bool immediate;
};
enum lgr_decision {
    LGR_ANOTHER_PASS,
    LGR_SLOW_DOWN, /* another pass, with lgr_throttle_next taken from the guest */
    LGR_QUIESCE_NOW,
    LGR_OVER_MAXQUIESCE, /* give up: the guest would stand still for longer */
    LGR_OVER_MAXTOTAL,   /* give up: MAXTOTAL would end it while the guest stands still */
};
/* --- lgr_plan.c; pure --- */
enum lgr_decision lgr_decide(const struct lgr_plan *p);
/** The next step of processor time taken away, per cent; the same when it is the last. */
unsigned lgr_throttle_next(unsigned percent);
/** How long the guest is predicted to stand still if it were stopped now. */
double lgr_plan_quiesce_ns(const struct lgr_plan *p);

/** OFFER and SKELETON, which come before there is a block. */
void dest_offer(struct lgr *lgr, const char *from, const struct lgr_head *head,
                const struct lgr_values *v);
void dest_skeleton(struct lgr *lgr, const char *from, const struct lgr_head *head,
                   const struct lgr_values *v);
/** The source's stage, as its messages tell. */
void dest_stage(struct rlobk *r, unsigned stage);
/** Give the skeleton up. Not after READY, see dest_resolve. */
void dest_discard(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** The same, and tell the source. */
void dest_fail(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void dest_link_lost(struct rlobk *r, bool down);
void dest_link_back(struct rlobk *r);
/** A message of the destination for a relocation that is not known here (any more). */
void source_answer_unknown(struct lgr *lgr, const char *from, const struct lgr_head *head,
                           u16 type);

#endif
