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
#include "hyp/event.h"
#include "lgr/lgr_core.h"
#include "lgr/lgr_pages.h"
#include "lgr/lgr_wire.h"
#include "mem/base/ergo.h"
#include "mem/base/msg.h"
#include "ssi/ssi.h"

#define LGR_TURN_BYTES (1u << 20) /* sent in one turn of the loop */
#define LGR_REPLY_MS 60000        /* an answer that does not come */
#define LGR_WINDOW_WAIT_MS 1000   /* a turn even if the link never said writable */
#define LGR_QUIESCE_RETRY_MS 2
#define LGR_QUIESCE_TRIES_MAX 1000
#define LGR_DOUBT_POLL_MS 50
#define LGR_READY_POLL_MS 500                 /* while the link lives */
#define LGR_CLOCK_ROUND_NS_MAX 10000000000ull /* an answer that took longer tells no time */
#define LGR_LOCKED_POLL_MS 20                 /* the PDR, which another member writes */
#define LGR_LOCKED_MS 10000                   /* no longer than that, and within MAXQUIESCE */
#define LGR_RESUMED_WAIT_MS 10000             /* figures only; the guest is gone by then */

#define LGR_NOT_KNOWN "the outcome is not known here"

enum rlo_state {
#define ST(id, stage, status, cancel) RLO_##id,
#include "lgr/lgr_states.def"
#undef ST
    RLO_STATE_COUNT
};

/* Events are the message types, and: */
#define LGR_MSG_TURN 255 /* our turn on the loop, a poll, the link has room again */
#define LGR_MSG_EXIT 254 /* a CP exit has answered: code and text, LGR_COMPLETED = go on */

enum rlo_timer_kind {
    TIMER_TURN,
    TIMER_REPLY,
    TIMER_TOTAL,
    TIMER_QUIESCE,
    TIMER_GOVERN,
    TIMER_HOLD,
    TIMER_KINDS
};

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
    struct {          /* lgr_clock.c: the source */
        u64 asked_ns; /* 0: no question is open */
        bool known;
        u64 round_ns; /* of the best answer */
        s64 ahead_ns; /* the destination's clock of ours */
    } clock;
    u64 locked_ns; /* the source: since when it finds the PDR locked; 0 = it does not */
    void *guest;
    bool quiesced, test, told_destination, link_lost;
    bool announced;               /* its beginning, as an event */
    bool reachable;               /* the source: the destination is a member that is joined */
    bool plain;                   /* the source: so is the link, and encryption is required */
    bool vdisks_changed;          /* the source: they are not those of `space` any more */
    bool asked_again, good_again; /* the source: whether it still may move, and VERDICT came */
    u16 asked_pass;               /* ... and with which pass */
    bool rechecked;               /* the source: VERDICT came, after the guest was stopped */
    struct lgr_guest_info info;
    struct lgr_reasons reasons;
    struct lgr_watch watch;
    void *exit;   /* a CP exit that runs, of the table of guests; NULL: none */
    bool by_rule; /* the source: a rule of eligibility is violated, whatever exits say */
    u8 exit_code; /* the source: what a CP exit of either side said; 0 = go on */
    u64 claim;    /* the source's generation; after the move the destination's */

    /* storage: both sides */
    struct storage *st;
    struct lgr_space space; /* it, and its virtual disks */
    u64 *hash; /* of every frame as last sent or stored: the worker's while it works */
    u64 hash_bytes;
    u64 digest; /* sum of hash[] */
    u16 pass;   /* number of the current one */
    u64 pass_start_ns, pass_messages;
    struct lgr_pass tally;
    struct lgr_slots slots; /* chunks between the worker and the link */

    /* source */
    struct lgr_vdisk vdisk[LGR_VDISKS_MAX]; /* as the destination was told */
    u32 vdisks;
    u64 *set; /* frames still to be sent in this pass: the worker's while it works */
    u64 set_count, last_count;
    struct lgr_encoder encoder;
    bool passing;   /* a pass is being sent */
    bool set_empty; /* all of it is encoded */
    bool blocked;   /* the link, or the pace, is what it waits for */
    struct lgr_link_rate link;
    u64 link_sent, link_gone,
        link_ns; /* given to it, of that gone when last looked, and when */
    unsigned quiesce_tries;
    double bytes_per_ns; /* measured, to the acknowledgement */
    double ns_per_frame; /* the same, of what a pass sends; 0 = not yet (lgr_plan.c) */
    struct {             /* lgr_govern.c */
        bool on;
        unsigned passes;            /* that were governed */
        u64 since_ns;               /* on: accounted until then */
        u64 granted, pass_refused;  /* of this pass; `refused` when it began */
        unsigned idle_ticks;        /* of TIMER_GOVERN, since a grant */
        struct lgr_governed before; /* counts of the storage before this relocation */
    } govern;
    struct { /* lgr_spare.c */
        bool on, vain;
        struct lgr_crowd there;  /* as the destination has told last */
        u64 looked_ns, taken_ns; /* the last look, and what had been taken then */
        u64 debt_ns;             /* then: how long nothing is to be sent */
        u64 wait_ns;             /* since when nothing is; 0 = it is not that */
    } spare;
    struct { /* lgr_short.c, both sides */
        bool on;
        u64 since_ns, began_ns;
        size_t unseen; /* bytes of storage that have come since memory was looked at */
    } hold;
    struct codec_out out;
    size_t out_at;
    bool told_early;

    /* destination */
    bool ending; /* PASS_END has come, not all of its chunks */
    u64 end_pages, end_zeros, end_messages, received;
    u64 seen_bytes; /* when TIMER_REPLY was started */
    u8 *state_bytes;
    size_t state_len, state_room;
    bool restored, aborted;
};

/* What another member has told of itself before it was taken into the cluster. */
struct lgr_told {
    char member[SSI_NAME_BYTES];
    u8 version; /* of relocations; 0: nothing, as those of version 1 */
};

struct lgr {
    struct ssi *ssi;
    u8 version; /* that this one tells: LGR_WIRE_VERSION, but in tests */
    struct lgr_told told[SSI_SLOTS_MAX];
    const struct lgr_ports *ports;
    const struct lgr_guests *guests;
    void *guests_ctx;
    bool verify, stopped, hold, encrypt_required;
    bool spare;    /* passes are slower where other guests compute */
    bool leaving;  /* no guest is handed over to this member any more */
    bool settled;  /* ... and it knows of each whether it was */
    u64 heard_ns;  /* clock of the host when the message came that is being handled */
    u32 pace_mb_s; /* 0: as fast as the link takes it */
    u64 fixed_ns;  /* of a quiesce from here, whatever is left to send; 0 = not measured */
    struct rlobk *active, *dead;
    struct lgr_asked *asked; /* offers whose answer waits for a CP exit (lgr_exit.c) */
    unsigned active_count, depth;
    u64 last_id;
    struct lgr_view history[LGR_HISTORY_MAX];
    unsigned history_count, history_next;
    struct lgr_keep *keep; /* the file of the history; NULL: there is none */
    struct events *events; /* of the member; NULL: nobody is told */
    struct lgr_cmd *cmd;   /* lgr_cp.c; NULL in the simulation */
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
/** Write down when a step was done; the first time counts. */
void rlo_at(struct rlobk *r, enum lgr_stamp step);
const char *rlo_peer(const struct rlobk *r);
/** Send; a failure ends the relocation as LINK_LOST later, by member_left or the reply timer. */
int rlo_send(struct rlobk *r, u16 type, const struct lgr_values *v);
int rlo_send_raw(struct rlobk *r, u16 type, u8 *head, size_t head_len, const void *data,
                 size_t len);
/** A chunk: in no order with other messages, counted at the end of its pass. */
int rlo_send_chunk(struct rlobk *r, unsigned stream, struct lgr_slot *s, size_t head_len);
/** Wait for the worker: nothing of the relocation touches the guest's storage any more. */
void rlo_pages_stop(struct rlobk *r);
/** May more be sent now? If not, `writable` gives a turn. */
bool rlo_window_open(struct rlobk *r);
/** The end: outcome into the history, watchers told. The guest has been dealt with. */
void rlo_end(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool rlo_may_cancel(const struct rlobk *r);
/** One that has ended, the latest from now on. */
void lgr_history_add(struct lgr *lgr, const struct lgr_view *v);

/* --- lgr_clock.c --- */
/** The clock of this host, nanoseconds since 1970; 0: there is none. */
u64 lgr_wall(const struct lgr *lgr);
/** A message that asks is sent, or an answer is there. */
void lgr_clock_asked(struct rlobk *r, u16 type);
void lgr_clock_told(struct rlobk *r, const struct lgr_values *v);

/* --- lgr_keep.c --- */
/** It is in the history already; into the file, if there is one. */
void lgr_keep_add(struct lgr *lgr, const struct lgr_view *v);
void lgr_keep_close(struct lgr *lgr);

/* --- lgr_told.c: what members tell each other when they join or links heal --- */
void lgr_told_export(void *ctx, struct codec_out *out);
int lgr_told_check(void *ctx, const char *member, const void *data, size_t len,
                   struct cause *cause);
/** The version of relocations that a member which is joined speaks; 1 when it has told none. */
u8 lgr_told_version(const struct lgr *lgr, const char *member);

/* --- lgr_hold.c; for tests --- */
/** The process stops here if it has been asked to. Only when `lgr->hold`. */
void lgr_hold(enum rlo_state state);

/* --- lgr_event.c --- */
/** The relocation has begun on this side, or it has ended after that. */
void rlo_event_started(struct rlobk *r);
void rlo_event_ended(const struct rlobk *r);

/* --- lgr_eligible.c --- */
/** Are all connections of the link with that member encrypted? */
bool lgr_link_encrypted(const struct lgr *lgr, const char *peer);
/** Is encryption required, and the link with that member without? */
bool lgr_link_refused(const struct lgr *lgr, const char *peer);
void lgr_eligible_source(struct rlobk *r, struct lgr_reasons *out);
void lgr_eligible_here(struct lgr *lgr, const struct lgr_guest_info *info, u64 id,
                       const char *from, unsigned force, bool again, struct lgr_fit *fit,
                       struct lgr_reasons *out);

/** Message lines for the rules of capacity that are violated and not forced. */
void lgr_eligible_fit(struct lgr *lgr, const struct lgr_guest_info *info, unsigned force,
                      const struct lgr_fit *fit, struct lgr_reasons *out);

/* --- lgr_fit.c --- */
/** What the guest needs and the member has; `arrived` of it is here, `promised` is to others. */
void lgr_fit_fill(struct lgr_fit *fit, const struct lgr_guest_info *guest,
                  const struct lgr_room *room, u64 arrived, u64 promised);
/** The rules: bits and forced. */
void lgr_fit_judge(struct lgr_fit *fit, unsigned force);
/** Both, for a guest that is to arrive here (`self` NULL) or does. */
void lgr_fit_here(struct lgr *lgr, const struct lgr_guest_info *guest, const struct rlobk *self,
                  unsigned force, struct lgr_fit *fit);
/** Into the history of checks. */
void lgr_fit_note(struct lgr_view *v, const struct lgr_fit *fit);
/** Is there less than so many times what a member keeps free? */
bool lgr_room_short(const struct lgr_room *room, unsigned times);

/* --- lgr_short.c: a destination that is short of memory --- */
/** Storage has come: ask the source to wait when there is little memory left. */
void dest_hold_look(struct rlobk *r, size_t bytes);
/** TIMER_HOLD */
void dest_hold_tick(struct rlobk *r);
/** No storage is to be sent now; another turn comes. */
bool source_held(struct rlobk *r);

/* --- lgr_exit.c: CP exits 1230 and 1231 --- */
/** If that exit is enabled here it is asked, and r waits in `state` for LGR_MSG_EXIT (or has had
 *  it). False: there is nobody to ask. */
bool rlo_exit_asked(struct rlobk *r, enum lgr_exit point, enum rlo_state state);
/** Its answer is not wanted any more. */
void rlo_exit_forget(struct rlobk *r);
/** OFFER: if exit 1230 is enabled here it is asked, and `verdict` sent with what it says. False:
 *  there is nobody to ask. */
bool dest_exit_asked(struct lgr *lgr, const char *from, u64 id, const struct lgr_values *offer,
                     const struct lgr_values *verdict);
/** The source has gone (NULL: this member ends): it gets no answer. */
void dest_exits_forget(struct lgr *lgr, const char *from);
/** The line that tells what an exit has said. */
void lgr_exit_reason(struct lgr_reasons *to, const char *user, enum lgr_exit point,
                     const char *member, enum lgr_code code, const char *text);

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

/** The worker's part, and what follows when it has done some. */
void pass_run(struct lgr_job *job);
void pass_wake(void *arg);
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
    unsigned passes_done, governed; /* of these, passes in which the guest was governed */
    bool in_vain;            /* the last pass was slow to spare others: try a quick one */
    u64 governed_ns;         /* how long it has been */
    u64 remaining, previous; /* frames: dirtied since the last pass began, sent in it */
    double ns_per_frame;     /* measured; 0 = not yet */
    u64 fixed_ns;            /* of every quiesce; 0 = not measured */
    u64 total_left_ns;       /* of MAXTOTAL; ~0 = no limit */
    u64 maxquiesce_ms;
    bool immediate;
};
enum lgr_decision {
    LGR_ANOTHER_PASS,
    LGR_GOVERN_PASS, /* another pass, in which first stores into frames are rationed */
    LGR_QUIESCE_NOW,
    LGR_OVER_MAXQUIESCE, /* give up: the guest would stand still for longer */
    LGR_OVER_MAXTOTAL,   /* give up: MAXTOTAL would end it while the guest stands still */
};
/* --- lgr_plan.c; pure --- */
enum lgr_decision lgr_decide(const struct lgr_plan *p);
/** Is there time for one more pass, as short as those get, before the guest is stopped? */
bool lgr_plan_time_for_pass(const struct lgr_plan *p);
/** How long the guest is predicted to stand still if it were stopped now. */
double lgr_plan_quiesce_ns(const struct lgr_plan *p);
/** The pace `ns_per_frame` measured until now, and another pass. */
double lgr_plan_pace(double ns_per_frame, const struct lgr_pass *pass);
/** What a quiesce costs whatever is left to send, as known until now (0 = not), and one more. */
u64 lgr_plan_fixed_ns(u64 fixed_ns, const struct lgr_view *done, double ns_per_frame);
/** Tokens of a governed pass that has sent so many frames, in all. */
u64 lgr_plan_tokens(u64 frames);

/* --- lgr_govern.c; nothing happens where it is not on --- */
/** The pass that begins is governed. */
void govern_pass(struct rlobk *r);
/** The pass has sent something: tokens for it. */
void govern_sent(struct rlobk *r);
/** TIMER_GOVERN: little has been sent for some time. */
void govern_tick(struct rlobk *r);
/** Before the frames dirtied in a pass are collected: no more become dirty until the next one. */
void govern_collect(struct rlobk *r);
/** Figures of the pass that has ended, in which `dirtied` frames were stored into. */
void govern_account(struct rlobk *r, u64 dirtied);
/** All stores are free again. */
void govern_end(struct rlobk *r);

/* --- lgr_spare.c: other guests keep their processors --- */
/** Who computes on this member beside `guest` (NULL: beside nobody). */
void lgr_crowd_here(struct lgr *lgr, const void *guest, struct lgr_crowd *out);
/** Would a pass take processors from guests on either side? `one_host`: the sides share them. */
bool lgr_crowded(const struct lgr_crowd *here, const struct lgr_crowd *there, bool one_host);
/** A pass begins. */
void spare_pass(struct rlobk *r);
/** At every turn of a pass: does somebody have to be spared, and is there something owed? */
void spare_look(struct rlobk *r);
/** For so long nothing is to be sent. */
u64 spare_ahead_ms(const struct rlobk *r);
/** The same as yes or no, and the pass waits from now on. */
bool spare_waits(struct rlobk *r);
/** The pass waited, and its guest has dirtied too much meanwhile: none is spared any more. */
bool spare_in_vain(struct rlobk *r, const struct lgr_pass *pass, u64 dirtied);

/* --- lgr_recv.c --- */
/** What the worker has stored is counted. False: the relocation has ended. */
bool recv_collect(struct rlobk *r);
/** The same, and wait for all of it. */
bool recv_drain(struct rlobk *r);
void recv_run(struct lgr_job *job);
void recv_wake(void *arg);

/** A message without a block. */
void dest_reply(struct lgr *lgr, const char *to, u64 id, u16 type, const struct lgr_values *v);
/** READY is said: everything is here, and an exit that there is lets it restart. */
void dest_ready(struct rlobk *r);
/** OFFER and SKELETON, which come before there is a block. */
void dest_offer(struct lgr *lgr, const char *from, const struct lgr_head *head,
                const struct lgr_values *v);
/** OFFER once more: of a guest that is arriving. */
void dest_offer_again(struct rlobk *r, const struct lgr_head *head, const struct lgr_values *v);
void dest_skeleton(struct lgr *lgr, const char *from, const struct lgr_head *head,
                   const struct lgr_values *v);
/** TIMER_REPLY: has anything come since it was started? If not the source is asked. */
void dest_silent(struct rlobk *r);
/** The source's stage, as its messages tell. */
void dest_stage(struct rlobk *r, unsigned stage);
/** Give the skeleton up. Not after READY, see dest_resolve. */
void dest_discard(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** The same, and tell the source. */
void dest_fail(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** The guest runs: tell the source. */
void dest_runs(struct rlobk *r);
/** This member leaves, the PDR says so: whose are those that are READY? False: not known of all. */
bool dest_settle_all(struct lgr *lgr);
/** The member has left, or ends. */
void dest_ends(struct rlobk *r);
void dest_link_lost(struct rlobk *r, bool down);
void dest_link_back(struct rlobk *r);
/** A message of the destination for a relocation that is not known here (any more). */
void source_answer_unknown(struct lgr *lgr, const char *from, const struct lgr_head *head,
                           u16 type);

#endif
