/* Inside of ssi/: the member, its links, the PDR in memory. For the folder and its tests only.
 * Invariants [S1]..[S4] stand in ssi_member.c. */
#ifndef ENDICOTT_SSI_SSI_INTERNAL_H
#define ENDICOTT_SSI_SSI_INTERNAL_H

#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "mem/base/msg.h"
#include "ssi/ssi_pdr.h"
#include "ssi/ssi_ports.h"
#include "ssi/ssi_wire.h"

#define SSI_LINKS_MAX 64               /* links, their streams, those not yet identified */
#define SSI_STRANGERS_MAX 16           /* of them, not yet identified */
#define SSI_PENDING_MAX SSI_CLAIMS_MAX /* releases that wait for the PDR */
#define SSI_COMPLAINTS_PER_MIN_MAX 6
#define SSI_STALL_MS 2000 /* a gap between ticks so long: we slept, not the others */
#define SSI_RETRY_MS 100
#define SSI_HEAL_MS 500
#define SSI_RX_STRANGER_BYTES (SSI_WIRE_HEADER_BYTES + SSI_HELLO_BYTES_MAX)
#define SSI_RX_BYTES (2u << 20)
#define SSI_PEER_BYTES 80
#define SSI_SAID_LINES 8 /* messages of one look into the PDR, kept for the loop */

/** What happens to a member, as in ssi_states.def. */
enum ssi_event {
#define V(id, text) SSI_EV_##id,
#include "ssi/ssi_states.def"
    SSI_EVENTS
};

/** How far a link has come. Diagram in ssi_link.c. */
enum link_state {
    LINK_CLOSED,
    LINK_CONNECTING, /* we asked; TCP is not up */
    LINK_ACCEPTED,   /* they asked; HELLO awaited */
    LINK_GREETING,   /* our HELLO is out; theirs awaited */
    LINK_EXCHANGE,   /* identified; service data and votes */
    LINK_AGREED,     /* both voted yes; JOINED awaited */
    LINK_READY,
    LINK_STREAM, /* identified as one more connection of a link */
};

/** One connection: a link's first, which is its state, or a bulk stream of it. Created by
 * ssi_link_new, freed by ssi_link_reap; serialised by the loop. */
struct ssi_link {
    ssi_conn conn;
    enum link_state state;
    bool initiator; /* we connected */
    int slot;       /* -1: not identified */
    u8 purpose;
    char peer[SSI_PEER_BYTES];
    struct ssi_peer id; /* what TLS says of it; zeros on a plain connection */
    u64 peer_incarnation;
    u64 deadline_ms, rx_ms;
    u8 *rx;
    size_t rx_off, rx_len, rx_room;
    u32 tx_seq, rx_seq;
    u64 tx_bytes, rx_bytes;
    u16 version; /* of the wire, once HELLO has come */
    u64 number;  /* HELLO's `link`: tells the streams of this link from those of one before */
    struct ssi_link *owner; /* of a stream */
    struct ssi_link *streams[SSI_STREAMS_MAX];
    u8 n_streams;     /* of a link: those it is to have */
    u8 stream;        /* of a stream: which */
    bool streams_up;  /* of a link: all are there, on both sides */
    bool paused;      /* a stream is not read before its link is ready */
    u64 data_seen[4]; /* services whose data came, by id */
    bool vote_in, vote_out, vetoed, above_high;
    struct cause veto;
};

/** What we know of the member in one slot; empty name = available. */
struct ssi_member {
    char name[SSI_NAME_BYTES];
    enum ssi_state state;
    struct ssi_link *link; /* identified, or ours on the way there */
    u64 incarnation;       /* the one `state` speaks of */
    enum { TOLD_NOTHING, TOLD_JOINED, TOLD_LOST } told; /* what services know */
    u64 pdr_beat_ms, rx_beat_ms;                        /* wall clock */
    u64 pdr_beat_seen_ms; /* own clock, when pdr_beat_ms last changed */
    u64 next_heal_ms;
    u64 since_ms;  /* wall clock of the last change of `state` */
    u64 events;    /* what has happened to it and its link: their number */
    bool inactive; /* ssi_link_deactivate: no link until it is activated */
};

enum join_phase { JOIN_IDLE, JOIN_START, JOIN_TURN, JOIN_LINKS, LEAVE_START, LEAVE_WAIT };

/** What could not be given back yet: a claim in its generation, or a share down to `mode`. */
struct ssi_pending {
    u16 kind;
    bool share;
    u8 mode;
    char name[SSI_CLAIM_NAME_BYTES];
    u64 generation;
};

/** A change of a name that waits for the next job, or has been carried out. Of a list of the ssi
 *  until then; of the one who asked for it afterwards. */
struct ssi_change {
    struct ssi_change *next;
    struct ssi_asked *asked; /* NULL: something is given back, and nobody is told */
    enum { CHANGE_ADD, CHANGE_RELEASE, CHANGE_LOWER } what;
    struct ssi_want want;
    u64 generation;
    u8 had;       /* of a share, before */
    bool written; /* in the block that is being made */
    bool gone;    /* taken by a caller, or void */
    int status;
    struct cause cause;
};

/** What is done beside the loop: made on the loop, read by it when the job is over. */
struct ssi_job {
    bool out;    /* the PDR is the job's */
    bool over;   /* there is something to be taken */
    bool forget; /* meanwhile this life has ended */
    bool want_look, want_beat;
    bool gives; /* among its changes is something that is given back */
    bool look, beat, alone;
    u64 incarnation;
    u32 ready;
    u64 events[SSI_SLOTS_MAX]; /* when it began: what came later may be newer than the rows */
    struct ssi_change *list;
    /* what it found */
    bool looked, expelled, beats_known;
    u64 beat_ms, beats[SSI_SLOTS_MAX];
};

struct ssi {
    struct ssi_config cfg;
    const struct ssi_ports *ports;
    u32 digest;
    enum ssi_state own_state;
    enum ssi_mode mode;
    u64 incarnation;
    char addr[SSI_ADDR_BYTES];
    bool listening, life, expelled, in_tick;
    bool alone;            /* up by REPAIR: Isolated, own row Isolated */
    bool let_go;           /* In-flux has ended */
    struct ssi_held *held; /* the oldest first */
    unsigned n_held;
    struct ssi_member members[SSI_SLOTS_MAX];
    struct ssi_link *links[SSI_LINKS_MAX];

    struct {
        const struct ssi_service *svc;
        void *ctx;
    } services[SSI_SERVICES_MAX];
    unsigned n_services;
    const struct ssi_events *events;
    void *events_ctx;

    enum join_phase phase;
    u64 phase_deadline_ms, phase_next_ms;
    u64 repair_from_ms; /* when the heartbeats of the others were first looked at */
    ssi_done_cb join_done, leave_done;
    void *join_ctx, *leave_ctx;
    struct cause obstacle; /* what the join waits for, or why it is refused */
    bool refused;          /* obstacle is final */
    u8 leave_ok;           /* mask of slots that answered LEAVING */

    struct pdr_row rows[SSI_SLOTS_MAX]; /* as last read, for the loop */
    bool rows_valid;
    struct ssi_job job;
    struct ssi_change *changes, **changes_end; /* that wait for a job, in order */
    struct ssi_asked *asked;                   /* all that have not ended */

    /* The PDR's own: nobody's on the loop while a job is out ([T1] in ssi_job.c). */
    struct ssi_pdr *pdr; /* as last read */
    u8 *pdr_io;          /* of ssi_pdr_io.c */
    bool pdr_valid, pdr_failing, pdr_locked;
    bool pdr_outside; /* this member is Down, and may mend what others left behind */
    u64 pdr_seq_seen;
    u64 pdr_checkpoint_seq, pdr_checkpoint_ms; /* the newest one, and since when it is behind */
    struct ssi_pending *pending;               /* releases to be repeated */
    unsigned n_pending, room_pending;
    char said[SSI_SAID_LINES][MSG_LINE_BYTES];
    unsigned n_said;
    /* ... up to here */

    u64 last_tick_ms, next_beat_ms, next_poll_ms;
    u64 complaint_minute_ms;
    unsigned complaints, complaints_held;
};

/** Send message `id` to the operator. */
#define ssi_say(ssi, ...)                                                                      \
    do {                                                                                       \
        char say_line_[MSG_LINE_BYTES];                                                        \
        msg_format(say_line_, sizeof say_line_, __VA_ARGS__);                                  \
        (ssi)->ports->operator_message((ssi)->ports->ctx, say_line_);                          \
    } while (0)

/** The same from code that may run in a job, which says it when it is over. */
#define ssi_pdr_say(ssi, ...)                                                                  \
    do {                                                                                       \
        char say_line_[MSG_LINE_BYTES];                                                        \
        msg_format(say_line_, sizeof say_line_, __VA_ARGS__);                                  \
        ssi_pdr_say_text(ssi, say_line_);                                                      \
    } while (0)
void ssi_pdr_say_text(struct ssi *ssi, const char *line);

static inline u64 ssi_now(const struct ssi *ssi)
{
    return ssi->ports->now_ms(ssi->ports->ctx);
}

/** Is this member in the cluster, and stays? Suspended is that, too. */
static inline bool ssi_joined(const struct ssi *ssi)
{
    return ssi->own_state == SSI_JOINED || ssi->own_state == SSI_SUSPENDED;
}

static inline bool ssi_active(const struct ssi *ssi)
{
    return ssi_joined(ssi) || ssi->own_state == SSI_LEAVING;
}

static inline bool ssi_slot_used(const struct ssi *ssi, unsigned slot)
{
    return ssi->members[slot].name[0] != 0;
}

int ssi_slot_find(const struct ssi *ssi, const char *member);
u32 ssi_config_digest(const struct ssi_config *config);
/** May an operator message about a stranger be written now? Counts those held back. */
bool ssi_may_complain(struct ssi *ssi);

/* ssi_pdr_io.c: every access to the PDR is begin ... [commit] ... end */
int ssi_pdr_begin(struct ssi *ssi, unsigned wait_ms, struct cause *cause);
/** Write ssi->pdr. ST_IO: certainly not written (ssi->pdr is re-read); ST_LOST: not known. */
int ssi_pdr_commit(struct ssi *ssi, struct cause *cause);
void ssi_pdr_end(struct ssi *ssi);
struct pdr_row *ssi_pdr_own(struct ssi *ssi);
/** Does our row still say that we, this incarnation, are in `state`? */
bool ssi_pdr_own_is(struct ssi *ssi, enum ssi_state state);
/** Write the heartbeat of an incarnation; returns its wall clock, 0: it could not be written. */
u64 ssi_pdr_beat_put(struct ssi *ssi, u64 incarnation);
void ssi_pdr_beat_write(struct ssi *ssi); /**< the same at once, on the loop */
/** Wall clocks of the heartbeats of the lives that the rows speak of, 0: none. Within begin/end.
 *  False when they cannot be read. */
bool ssi_pdr_beats_load(struct ssi *ssi, u64 beats[SSI_SLOTS_MAX]);
/** ... and what the loop knows of members follows them. */
bool ssi_pdr_beats_read(struct ssi *ssi);
void ssi_pdr_beats_take(struct ssi *ssi, const u64 beats[SSI_SLOTS_MAX]);
/** What begin and end do, of a job. */
int ssi_pdr_enter(struct ssi *ssi, unsigned wait_ms, struct cause *cause);
void ssi_pdr_exit(struct ssi *ssi);
/** The loop sees the rows as they were read last. */
void ssi_pdr_rows_take(struct ssi *ssi);
bool ssi_pdr_open(struct ssi *ssi); /**< false: memory; ssi_pdr_close is due all the same */
void ssi_pdr_close(struct ssi *ssi);

/* ssi_pending.c */
void ssi_pending_add(struct ssi *ssi, const struct ssi_pending *pending);
/** The one for a share, or NULL; until the next call of these. */
struct ssi_pending *ssi_pending_share(struct ssi *ssi, u16 kind, const char *name);
void ssi_pending_forget(struct ssi *ssi, struct ssi_pending *pending);
/** Within begin/end: carry out as many as one block of `ops_max` changes takes; returns how many of
 *  the first. */
unsigned ssi_pending_apply(struct ssi *ssi, unsigned ops_max);
void ssi_pending_done(struct ssi *ssi, unsigned n); /**< the first n are in the PDR */

/* ssi_link.c */
struct ssi_link *ssi_link_connect(struct ssi *ssi, unsigned slot, const char *addr, u8 purpose,
                                  u64 peer_incarnation);
void ssi_link_send(struct ssi *ssi, struct ssi_link *link, enum wire_type type, u8 service,
                   u16 mtype, const struct ssi_iov *iov, unsigned n);
/** The same for a message of a service, whose bytes may be kept (ssi_stream_send). ST_BUSY. */
int ssi_link_message(struct ssi *ssi, struct ssi_link *link, u8 service, u16 mtype,
                     const struct ssi_iov *iov, unsigned n, const struct ssi_sent *sent,
                     bool *kept);
/** Close and forget; nobody is told. */
void ssi_link_drop(struct ssi *ssi, struct ssi_link *link, bool flush);
/** Ask the port who is at the other end. */
void ssi_link_identify(struct ssi *ssi, struct ssi_link *link);
/** Close because of `status`, and let the member's state follow. */
void ssi_link_fail(struct ssi *ssi, struct ssi_link *link, int status, const char *why);
void ssi_link_reap(struct ssi *ssi);
void ssi_link_timeouts(struct ssi *ssi, u64 now);
void ssi_link_state(struct ssi *ssi, struct ssi_link *link, enum link_state state);
/** An identified link gets buffers for messages of full size. ST_NOMEM. */
int ssi_link_grow(struct ssi_link *link);
u64 ssi_link_step_deadline(struct ssi *ssi);

/* ssi_stream.c */
/** Call the peer of an identified link once more for each stream. */
void ssi_streams_open(struct ssi *ssi, struct ssi_link *link);
/** A stream's HELLO, on the side that was called. */
void ssi_stream_accepted(struct ssi *ssi, struct ssi_link *stream,
                         const struct wire_hello *hello);
/** ... and the answer to ours. */
void ssi_stream_answered(struct ssi *ssi, struct ssi_link *stream,
                         const struct wire_hello *hello);
/** The link is ready, and services know it: what came on its streams is read. */
void ssi_streams_go(struct ssi *ssi, struct ssi_link *link);
/** The connection for messages of a service; `more`: so many bulk streams further on. */
struct ssi_link *ssi_stream_of(struct ssi *ssi, struct ssi_link *link, u8 service);
struct ssi_link *ssi_stream_nth(struct ssi *ssi, struct ssi_link *link, u8 service,
                                unsigned more);
/** A heartbeat on all connections of a link. */
void ssi_link_beat(struct ssi *ssi, struct ssi_link *link, const struct ssi_iov *iov);
/** Handle what has been received. */
void ssi_link_parse(struct ssi *ssi, struct ssi_link *link);

/* ssi_hello.c: identification, data, votes */
void ssi_hello_send(struct ssi *ssi, struct ssi_link *link);
void ssi_refuse(struct ssi *ssi, struct ssi_link *link, enum wire_reason reason,
                const char *detail);
/** Nothing against it but what the PDR must say: TLS, names, versions. 0 or the reason. */
enum wire_reason ssi_hello_check(struct ssi *ssi, struct ssi_link *link,
                                 const struct wire_hello *hello);
/** Refuse because of a HELLO, naming who says to be there. */
void ssi_hello_refuse(struct ssi *ssi, struct ssi_link *link, enum wire_reason reason,
                      const struct wire_hello *hello);
/** Both have voted, and all streams are there: go on. */
void ssi_link_agree(struct ssi *ssi, struct ssi_link *link);
#define W(id, code, min, max, states)                                                          \
    void ssi_on_##id(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame);
#include "ssi/ssi_wire.def"

/* ssi_states.c: the only place where states change */
void ssi_event(struct ssi *ssi, unsigned slot, enum ssi_event event, const char *why);
/** The row for an event in a state; false: there is none. */
bool ssi_transition(bool own, enum ssi_state state, enum ssi_event event, enum ssi_state *next);
const char *ssi_event_text(enum ssi_event event);
void ssi_mode_update(struct ssi *ssi);

/* ssi.c */
/** Tell all members now that this one lives, and its state. */
void ssi_beat_send(struct ssi *ssi);

/* ssi_member.c */
/** May this member change claims: is it joined, leaving, or up alone? */
bool ssi_may_change(const struct ssi *ssi);
/** PDR locked: does the own row say so, too? */
bool ssi_pdr_own_active(struct ssi *ssi);
/** The own state has become Isolated because others have declared this member down. */
void ssi_expelled(struct ssi *ssi, const char *why);
/** Bring what we think of `slot` in line with link and PDR row (ssi->pdr must be fresh, and
 * the lock free: services are called). */
void ssi_member_settle(struct ssi *ssi, unsigned slot, const char *why);
void ssi_member_ready(struct ssi *ssi, unsigned slot);
void ssi_member_gone(struct ssi *ssi, unsigned slot, enum ssi_left how);
/** Ask for a look at all rows when it is time; often while something is unsettled. */
void ssi_member_poll(struct ssi *ssi, u64 now);
/** After that: what the rows say. */
void ssi_member_looked(struct ssi *ssi, u64 now);
void ssi_member_look(struct ssi *ssi, unsigned slot, const char *why);
/** Within begin/end: if the process of a row is gone from this host, mark the row Down and drop
 * its claims. True when the row was changed (commit is the caller's). */
bool ssi_row_bury(struct ssi *ssi, unsigned slot);
/** Within begin/end: bury all dead rows (but live links) and commit; tells the operator. */
/** PDR locked: the process of that Joined row runs on this host no more. */
bool ssi_row_dead(struct ssi *ssi, unsigned slot);
int ssi_rows_bury(struct ssi *ssi, struct cause *cause);
/** The same from a job: `ready` are the slots with a ready link. */
int ssi_rows_bury_but(struct ssi *ssi, u32 ready, struct cause *cause);
u32 ssi_links_ready(const struct ssi *ssi);
unsigned ssi_row_down(struct ssi *ssi, unsigned slot, u8 reason);

/* ssi_join.c, ssi_leave.c */
void ssi_join_step(struct ssi *ssi, u64 now);
void ssi_leave_step(struct ssi *ssi, u64 now);
/** A link of the joining member failed. */
void ssi_join_link_failed(struct ssi *ssi, int status, const char *why);
/** Not a member any more: links closed, locks dropped; `event` says of the own state why. */
void ssi_close_all(struct ssi *ssi, bool flush, enum ssi_event event);
/** Give the join up with ssi->obstacle: row Down, links refused, `done` called. */
void ssi_join_refuse(struct ssi *ssi);
/** Another slot whose row says Joining, Leaving or Isolated, or -1. */
int ssi_transition_slot(const struct ssi *ssi);

/* ssi_slot.c */
/** PDR locked, at a join: do the SSI statement here and the cluster agree on slots? With no other
 *  member up the PDR takes the statement's (commit is the caller's); REPAIR asks for its own slot
 *  only. ST_REFUSED. */
int ssi_slots_agree(struct ssi *ssi, struct cause *cause);
/** After a reading, lock free: take over what the PDR says of slots. */
void ssi_slots_sync(struct ssi *ssi);
/** A name as the SSI statement may have it? */
bool ssi_name_ok(const char name[SSI_NAME_BYTES]);

/* ssi_hold.c */
/** In-flux has ended: what is held goes on. */
void ssi_hold_go(struct ssi *ssi);

/* ssi_part.c */
/** What the PDR keeps of it beside its name; 0: that cannot be written. */
u64 ssi_part_pack(const struct ssi_part *part);
/** Another's share of a part that overlaps this one, whose mode has a bit of `refuse`, or NULL. */
const struct pdr_claim *ssi_part_against(const struct ssi_pdr *pdr, u16 kind,
                                         const struct ssi_part *part, unsigned owner,
                                         u8 refuse);

/* ssi_job.c */
/** Is the PDR the loop's? Waits for the job that is out, at most wait_ms. */
bool ssi_job_idle(struct ssi *ssi, unsigned wait_ms);
/** Begin a job if there is something to do, and none is out. */
void ssi_job_go(struct ssi *ssi);
void ssi_job_turn(struct ssi *ssi); /**< the same, from the tick */
/** From the tick: what the last job has brought. */
void ssi_job_taken(struct ssi *ssi);
/** This life is over: what waits is not carried out. */
void ssi_job_forget(struct ssi *ssi);
/** No callback comes any more; frees all that was asked. */
void ssi_job_close(struct ssi *ssi);

/* ssi_change.c */
/** Within begin/end, the own row says active: carry out the changes of a list in order, as many
 *  blocks as it takes. Each gets its status. */
void ssi_changes_run(struct ssi *ssi, struct ssi_change *list);
/** They could not be: each gets this. */
void ssi_changes_fail(struct ssi *ssi, struct ssi_change *list, const struct cause *cause);
/** On the loop: those that were asked have their answers. */
void ssi_changes_answered(struct ssi *ssi, struct ssi_change *list);
void ssi_changes_tell(struct ssi *ssi); /**< ... and who asked is told */
/** Carry out at once what waits, before something that is not asked for. Within begin/end. */
void ssi_changes_now(struct ssi *ssi);
/** A claim that was asked for and granted to nobody yet: it is the caller's now. */
struct ssi_change *ssi_asked_claim(struct ssi *ssi, u16 kind, const char *name);
/** Is the claim of this generation one that was asked for, and that no user has taken? */
bool ssi_asked_has(const struct ssi *ssi, u16 kind, const char *name, u64 generation);
/** A share that was asked for, whose bits cover `mode` and which was refused by as much. */
struct ssi_change *ssi_asked_share(struct ssi *ssi, u16 kind, const char *name, u8 mode,
                                   u8 refuse);
/** The share is set in another way: [A1]. */
void ssi_asked_void(struct ssi *ssi, u16 kind, const char *name);

/* ssi_claim.c */
/** What a change asks of the table, PDR locked; and what becomes of it if that could not be
 *  written: `rc` of the commit. */
int ssi_claim_put_new(struct ssi *ssi, u16 kind, const char *name, u64 *generation,
                      struct cause *cause);
void ssi_release_later(struct ssi *ssi, u16 kind, const char *name, u64 generation);
/** Take the claim out if it is ours in that generation; ST_NOENT. */
int ssi_claim_out(struct ssi *ssi, u16 kind, const char *name, u64 generation);
/* ssi_share.c */
/** Add bits to what we have; *had: what that was. */
int ssi_share_add(struct ssi *ssi, const struct ssi_want *want, u8 *had, struct cause *cause);
void ssi_share_lower_to(struct ssi *ssi, u16 kind, const char *name, u8 mode);
void ssi_share_lower_later(struct ssi *ssi, u16 kind, const char *name, u8 mode);
bool ssi_claim_name_ok(const char *name);
int ssi_claim_outside(const struct ssi *ssi, struct cause *cause); /**< ST_REFUSED */
/** Lock the PDR for a change of names by us: joined, and still so in the PDR. What waits is carried
 *  out first. */
int ssi_claim_begin(struct ssi *ssi, struct cause *cause);
/** May this member take more than it has? */
int ssi_claim_may(struct ssi *ssi, const char *name, struct cause *cause);

#endif
