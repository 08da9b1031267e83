/* A member of a single-system-image cluster: joining, links, services, cluster-wide claims.
 * Knows members and names, never guests; time, sockets and the PDR come through ssi_ports.h. */
#ifndef ENDICOTT_SSI_SSI_H
#define ENDICOTT_SSI_SSI_H

/* Every function here runs on the member's loop thread. Callbacks come on that thread too; they
 * may call anything but ssi_destroy. A program uses ssi_uv.h to make a struct ssi. Source of
 * the concepts: z/VM CP Planning and Administration, "Setting up z/VM Single System Image
 * Clusters"; wire format and states: ssi_wire.def, ssi_member.c. Struct ssi: created by
 * ssi_create, destroyed by ssi_destroy, serialised by the loop thread. */

#include "mem/base/bytes.h"
#include "mem/base/codec.h"
#include "mem/base/status.h"

#define SSI_SLOTS_MAX 8
#define SSI_NAME_BYTES 9  /* cluster or member name: 8 characters and a NUL */
#define SSI_ADDR_BYTES 64 /* "host:port" and a NUL */
#define SSI_PATH_BYTES 1024
#define SSI_CLAIM_NAME_BYTES 24 /* 23 characters and a NUL */
#define SSI_CLAIMS_MAX 65536    /* claims and shares of the whole cluster */
#define SSI_SERVICES_MAX 16
#define SSI_STREAMS_MAX 4                   /* bulk connections of a link */
#define SSI_PAYLOAD_BYTES_MAX (1u << 20)    /* of one message, of one service's join data */
#define SSI_BACKLOG_HIGH_BYTES (4u << 20)   /* past this, `writable` is promised */
#define SSI_BACKLOG_LOW_BYTES (1u << 20)    /* ... when the backlog falls to this */
#define SSI_BACKLOG_LIMIT_BYTES (64u << 20) /* ssi_send answers ST_BUSY */

struct ssi;
struct ssi_ports;

/** State of a member, codes as in z/VM's PMSBK; SSI_AVAILABLE marks a slot without a member. A
 * member is Suspended while another one that is not Down cannot be reached from it. */
enum ssi_state {
#define S(id, code, text) SSI_##id = (code),
#include "ssi/ssi_states.def"
};

/** Mode of the cluster as this member sees it; ISOLATED when this member is not joined. */
enum ssi_mode {
#define N(id, text) SSI_MODE_##id,
#include "ssi/ssi_states.def"
    SSI_MODES
};

/** How a member went: LOST = state Unknown, may still run, its claims stand; DOWN = it is gone
 * or was declared down and its claims are released (may follow LOST). */
enum ssi_left { SSI_LEFT_ORDERLY, SSI_LEFT_LOST, SSI_LEFT_DOWN };

/** Plain value; ssi_config_init gives defaults. A slot whose name is "" is AVAILABLE. */
struct ssi_config {
    char cluster[SSI_NAME_BYTES];
    char member[SSI_NAME_BYTES];
    unsigned slot; /* own slot, 0-based; slots[slot] must be `member` */
    char slots[SSI_SLOTS_MAX][SSI_NAME_BYTES];
    char listen[SSI_ADDR_BYTES];    /* "127.0.0.1:0"; port 0 = any */
    char advertise[SSI_ADDR_BYTES]; /* host other members reach us by; "" = that of `listen` */
    char pdr_path[SSI_PATH_BYTES];
    char keys_dir[SSI_PATH_BYTES]; /* certificates of the links (TLS); "": they are plain */
    unsigned heartbeat_ms;         /* by message */
    unsigned silence_ms;           /* no byte for so long: the link is lost */
    unsigned pdr_beat_ms;          /* heartbeat into the PDR and look at the others' rows */
    unsigned handshake_ms; /* from connection to identification, and for each later step */
    unsigned join_ms;      /* a join that has not come about by then is refused */
    unsigned leave_ms;     /* an orderly leave waits so long for others */
    unsigned pdr_lock_ms;  /* bounded wait for the PDR lock */
    bool repair;           /* IPL option REPAIR: up alone, Isolated, if no other member is */
    unsigned keepalive_ms; /* TCP asks a peer that says nothing, after so long */
    unsigned streams;      /* bulk connections of each link, beside the one for control */
    unsigned wire_max;     /* for tests: the newest version of the wire spoken; 0: the newest */
};

/**
 * What hyp or lgr registers: votes and data at a join, messages afterwards. `id` is 1 to 255
 * and the same on all members. Callbacks other than `receive` may be NULL. The struct and
 * `name` must outlive the ssi.
 */
struct ssi_service {
    u8 id;
    const char *name; /* for the operator: "LOGON" */
    /** Much data: all messages of this service go over one bulk stream, ordered among themselves
     * and not with those of other services; else over the connection for control. */
    bool bulk;
    /** It sends over all bulk streams (ssi_stream_send): `drained` and `writable` tell of each. */
    bool spread;
    /** Write what another member must know before it and we are in one cluster. */
    void (*export_join)(void *ctx, struct codec_out *out);
    /** Vote on `member`'s data (data NULL, len 0: it sent none): ST_OK, or refuse with a cause.
     * Called on both sides, at a join and when a lost link heals. Must change nothing that
     * matters before member_joined. */
    int (*check_join)(void *ctx, const char *member, const void *data, size_t len,
                      struct cause *cause);
    /** The link is ready: ssi_send works from here on. */
    void (*member_joined)(void *ctx, const char *member);
    void (*member_left)(void *ctx, const char *member, enum ssi_left how);
    /** This member leaves: the PDR says so, no claim is moved to it any more, and those that it has
     * are dropped next. False: what it was given is not known yet; called again, for a bounded
     * time. After that, as after a crash, others drop them. */
    bool (*leaving)(void *ctx);
    /** A message; `data` lives until the return. In order; nothing after member_left. */
    void (*receive)(void *ctx, const char *from, u16 type, const void *data, size_t len);
    /** The backlog to `member` was above HIGH and has fallen to LOW. */
    void (*writable)(void *ctx, const char *member);
    /** The backlog to `member` has become smaller. */
    void (*drained)(void *ctx, const char *member);
};

/** `status` ST_OK: joined, or left. Otherwise `cause` (valid during the call) tells why not. */
typedef void (*ssi_done_cb)(void *ctx, int status, const struct cause *cause);

/** Told to the owner of the ssi (hyp). All may be NULL. */
struct ssi_events {
    void (*mode_changed)(void *ctx, enum ssi_mode before, enum ssi_mode now);
    /** The state of a member, this one or another; called where it changes: change nothing. */
    void (*state_changed)(void *ctx, const char *member, enum ssi_state before,
                          enum ssi_state now);
    /** Another member is in a slot, or none any more (SET SSI SLOT, here or elsewhere). */
    void (*slots_changed)(void *ctx);
    /** Others declared this member down while it ran: its claims are gone, it is Isolated, and
     * it must stop its guests. */
    void (*expelled)(void *ctx, const struct cause *cause);
};

struct ssi_iov {
    const void *p;
    size_t len;
};

/** Told when bytes that were kept have gone, or never will. */
struct ssi_sent {
    void (*fn)(void *arg);
    void *arg;
};

/** Defaults for timeouts; everything else zero. */
void ssi_config_init(struct ssi_config *config);

/** Check names, slots and ranges; ST_CONFIG with the cause. ssi_create does this too. */
int ssi_config_check(const struct ssi_config *config, struct cause *cause);

/** A member, Down, with nothing opened. Copies `config`; `ports` must outlive it. NULL with
 * the cause otherwise. */
struct ssi *ssi_create(const struct ssi_config *config, const struct ssi_ports *ports,
                       struct cause *cause);

/** Close everything without saying goodbye (use ssi_leave first) and free; no
 * callback comes. */
void ssi_destroy(struct ssi *ssi);

/** Register a service, before ssi_join. ST_EXIST, ST_LIMIT, ST_INVAL. */
int ssi_register_service(struct ssi *ssi, const struct ssi_service *service, void *ctx);

/** Who is told of modes and expulsion; NULL = nobody. `events` must outlive the ssi. */
void ssi_set_events(struct ssi *ssi, const struct ssi_events *events, void *ctx);

/**
 * Start joining; `done` is called once, later, never from inside. Statuses given to `done`:
 * ST_EXIST another instance of this member runs, ST_CONFIG the PDR belongs to another cluster,
 * ST_REFUSED a vote or an identity check said no, ST_TIMEOUT, ST_IO. The own state is Isolated
 * then: ssi_join may be tried again, or ssi_leave makes it Down. With `repair` ST_OK means up alone
 * and Isolated; ST_REFUSED: another member is up.
 */
void ssi_join(struct ssi *ssi, ssi_done_cb done, void *ctx);

/** Leave in order: state Leaving, then Down, own claims dropped, links closed; then `done`,
 * with a status other than ST_OK only if the PDR could not be told. During a join: gives it
 * up. */
void ssi_leave(struct ssi *ssi, ssi_done_cb done, void *ctx);

/** Time passes: call at least every 50 ms (ssi_uv.h does). */
void ssi_tick(struct ssi *ssi);

/**
 * Send one message of at most SSI_PAYLOAD_BYTES_MAX to a joined member: ordered, reliable while
 * the link lives. The bytes are copied or on their way when this returns. ST_LOST not joined or
 * link lost, ST_NOENT no such member, ST_INVAL too long, ST_BUSY backlog at its limit.
 */
int ssi_send(struct ssi *ssi, const char *member, u8 service, u16 type, const void *data,
             size_t len);

/** The same from up to 8 pieces, which are not gathered first. */
int ssi_send_vec(struct ssi *ssi, const char *member, u8 service, u16 type,
                 const struct ssi_iov *iov, unsigned n);

/** Bulk streams of the link with `member`, at least 1; 0 when not joined. */
unsigned ssi_streams(struct ssi *ssi, const char *member);
/** As ssi_send_vec, over one of them: 0 is that of the service, and a message is in order only with
 *  what goes over the same one. `*kept`: the bytes were not copied and must stay as they are until
 *  sent->fn comes, from the loop, which it does even when the link is lost. */
int ssi_stream_send(struct ssi *ssi, const char *member, u8 service, unsigned stream, u16 type,
                    const struct ssi_iov *iov, unsigned n, const struct ssi_sent *sent,
                    bool *kept);
/** As ssi_backlog, of one of them. */
size_t ssi_stream_backlog(struct ssi *ssi, const char *member, u8 service, unsigned stream);

/** Does that member run on this host, as far as the PDR tells? */
bool ssi_same_host(struct ssi *ssi, const char *member);

/** Bytes accepted for `member` on the connection that `service` uses, and not yet taken by the
 *  host's network; 0 when not joined. */
size_t ssi_backlog(struct ssi *ssi, const char *member, u8 service);
/** All bytes accepted there since the link is there; with ssi_backlog: whether a message has gone.
 *  0 when not joined. */
u64 ssi_accepted(struct ssi *ssi, const char *member, u8 service);

/* --- requests while a member joins or leaves --- */

#define SSI_HELD_MAX 1024

/** A request for a resource of the cluster that waits. Its owner's memory, zero but for `go` and
 *  `ctx`, until `go` has been called or it has been dropped. */
struct ssi_held {
    void (*go)(void *ctx);
    void *ctx;
    struct ssi_held *next;
    bool held;
};

/** Hold a request while the cluster is In-flux; then, however the transition has ended, `go` is
 * called, once, from ssi_tick, in the order of the requests. ST_OK: held. ST_NOENT: there is
 * nothing to wait for. ST_LIMIT: SSI_HELD_MAX are held. */
int ssi_hold(struct ssi *ssi, struct ssi_held *held);
/** `go` will not be called; nothing when it is not held. */
void ssi_hold_drop(struct ssi *ssi, struct ssi_held *held);
/** How many are held. */
unsigned ssi_held(const struct ssi *ssi);

/* --- claims: who owns a name, cluster-wide. Synchronous, under the PDR lock (bounded wait).
 * `kind` is the caller's (user id, MAC, minidisk ...). Every claim and every move gets a
 * new, greater generation. Common statuses: ST_BUSY the PDR lock was not to be had, ST_IO the
 * PDR cannot be read or written (nothing changed), ST_REFUSED own state or mode forbids it,
 * ST_LOST this member was declared down or, from ssi_move_claim alone, the outcome is not
 * known. */

/** Take a free name. ST_EXIST: another member (or we) own it, the cause names the owner.
 * Refused in Safe mode and when not joined. ST_LIMIT: SSI_CLAIMS_MAX. */
int ssi_claim(struct ssi *ssi, u16 kind, const char *name, u64 *generation,
              struct cause *cause);

/** Give it back if we own it in this generation, else ST_NOENT. In any mode. If the PDR fails
 * now, the release is remembered and repeated until done: callers need not retry. */
int ssi_release(struct ssi *ssi, u16 kind, const char *name, u64 generation);

/**
 * The one write that hands a name over: only if we own it in `generation` and `to_member` is
 * joined with us. ST_OK: moved. ST_LOST: outcome not known (PDR failed while writing); ask
 * ssi_claim_find until it answers. Any other status: not moved, and certainly
 * so; ST_BUSY: somebody else has the lock.
 */
int ssi_move_claim(struct ssi *ssi, u16 kind, const char *name, u64 generation,
                   const char *to_member, u64 *new_generation, struct cause *cause);

/** Who owns the name now, from the PDR. ST_NOENT: nobody, or it was ours (see ssi_counts), or it
 *  is, by ssi_ask, and none of its callers has it yet. */
int ssi_claim_find(struct ssi *ssi, u16 kind, const char *name, char owner[SSI_NAME_BYTES],
                   u64 *generation);

/** Is this member one of the cluster's, as the PDR was read last? If not its claims have been
 * dropped, and the PDR does not tell any more what was its own. */
bool ssi_counts(const struct ssi *ssi);

/** Call `fn` for every claim of `kind` from one reading of the PDR; `fn` must not call claim
 * functions. */
int ssi_claim_each(struct ssi *ssi, u16 kind,
                   void (*fn)(void *ctx, const char *name, const char *owner, u64 generation),
                   void *ctx);

/* --- shares: what the users of each member hold of a name together, as bits whose meaning is the
 * caller's (minidisk links: read, write, exclusive ...). Statuses as for claims; shares of a
 * member go with its claims. */

/**
 * Set what this member holds of `name` to `mode`; 0: nothing. ST_EXIST: another member's share
 * has a bit of `refuse`; the cause names it, and nothing is changed. To give bits back is
 * possible in any mode of the cluster, and is repeated when the PDR fails now, as ssi_release
 * is: callers need not retry. To take bits, or to keep them on condition that nobody has one of
 * `refuse`, needs what ssi_claim needs. When bits are exchanged for others, this member has both
 * in between.
 */
int ssi_share_set(struct ssi *ssi, u16 kind, const char *name, u8 mode, u8 refuse,
                  struct cause *cause);

/** Units first to first + count - 1 of something that `whole` tells from all else, as of a volume
 * its cylinders; at most 6 characters of `label`, which may be "", tell two of them apart that
 * have the same `whole`. */
struct ssi_part {
    const char *label;
    u64 whole, first, count;
};

/** The name of its share: the same for the same part. */
void ssi_part_name(const struct ssi_part *part, char out[SSI_CLAIM_NAME_BYTES]);

/** As ssi_share_set of that name; and in the way is also what other members' shares have of parts
 * that overlap it, of the same `whole` and label (or where one has no label). Units beyond 2^32 are
 * not compared: there only the same part counts. */
int ssi_share_part(struct ssi *ssi, u16 kind, const struct ssi_part *part, u8 mode, u8 refuse,
                   struct cause *cause);

/** Call `fn` for every member's share of `kind`, as ssi_claim_each. */
int ssi_share_each(struct ssi *ssi, u16 kind,
                   void (*fn)(void *ctx, const char *name, const char *owner, u8 mode),
                   void *ctx);

/* --- the same without waiting for the disk: all that is asked for meanwhile is written at once
 * --- */

/** A claim (mode 0), or bits of a share that are to be added to what this member has. */
struct ssi_want {
    u16 kind;
    char name[SSI_CLAIM_NAME_BYTES];
    struct ssi_part part; /* count not 0: of that part, `name` is made from it */
    u8 mode, refuse;
};

struct ssi_asked;
typedef void (*ssi_asked_cb)(void *ctx);

/**
 * Ask for `n` claims and bits of shares, in order; 0: for nothing, but behind all that was asked
 * for and given back before. `done` comes once, later. From then on ssi_claim, and ssi_share_set or
 * ssi_share_part in the same mode and refusal, give each at once, with the status that it got, to
 * the first who calls; until ssi_asked_end, which gives back what nobody has taken. NULL: no
 * memory.
 */
struct ssi_asked *ssi_ask(struct ssi *ssi, const struct ssi_want *wants, unsigned n,
                          ssi_asked_cb done, void *ctx);
/** The same at once: it is answered when this returns, if the PDR can be had at all. */
struct ssi_asked *ssi_ask_now(struct ssi *ssi, const struct ssi_want *wants, unsigned n);
/** Always due; before `done` it will not come any more. */
void ssi_asked_end(struct ssi *ssi, struct ssi_asked *asked);

/** ssi_release without waiting; it is carried out before what is asked for later. ST_INVAL,
 *  ST_NOMEM (it stays ours), ST_REFUSED own state. */
int ssi_release_soon(struct ssi *ssi, u16 kind, const char *name, u64 generation);
/** Give back all bits of a share, or of a part (not NULL: `name` is not looked at), but `mode`;
 *  likewise. */
int ssi_share_lower(struct ssi *ssi, u16 kind, const char *name, const struct ssi_part *part,
                    u8 mode);
/** Has something been given back that no job has carried out, or tried to, yet? */
bool ssi_owes(const struct ssi *ssi);

/** SET SSI member DOWN: ST_REFUSED when it shows a sign of life (link, process on this host,
 * PDR heartbeat advancing); otherwise its claims are released. */
int ssi_set_down(struct ssi *ssi, const char *member, struct cause *cause);

/** SET SSI SLOT: slot (from 0) is `name`'s from now on, or nobody's ("" = AVAILABLE), in all
 * members that run. ST_REFUSED: it holds a member that is not Down, or is the own one; the name is
 * in another slot. ST_EXIST: it is so already. Members that start must have it in their SSI
 * statement. */
int ssi_slot_set(struct ssi *ssi, unsigned slot, const char *name, struct cause *cause);

/** DEACTIVATE ISLINK: the link to a member is closed as one that was lost (it is Unknown, the
 * cluster in Safe mode), and none is made or taken, until it is activated or this member starts
 * anew. Nothing else changes: claims stand, so that no guest runs twice. ST_NOENT, ST_REFUSED this
 * system is not joined, ST_EXIST it is so already. */
int ssi_link_deactivate(struct ssi *ssi, const char *member, struct cause *cause);
/** ACTIVATE ISLINK: undoes that; the link heals soon. */
int ssi_link_activate(struct ssi *ssi, const char *member, struct cause *cause);

/** One slot of QUERY SSI. Times in milliseconds since 1970 UTC; 0 = none. */
struct ssi_slot_view {
    char name[SSI_NAME_BYTES]; /* "" when available */
    enum ssi_state state;
    bool connected; /* link up and ready (own slot: joined) */
    bool inactive;  /* ssi_link_deactivate */
    u64 pdr_heartbeat_ms, received_heartbeat_ms;
};

/** One connection of a link, as QUERY ISLINK shows it. */
struct ssi_stream_view {
    char peer[80];   /* address of the other end */
    char cipher[32]; /* of TLS; "": plain */
    u64 sent, received,
        waiting;   /* bytes: accepted, come, accepted and not taken by the network */
    u64 silent_ms; /* since the last byte came */
};

struct ssi_link_view {
    const char *state; /* "Up", "Connecting", "Inactive", "Down" */
    unsigned version;  /* of the wire; 0: not agreed yet */
    unsigned streams;  /* connections: control first, then bulk */
    struct ssi_stream_view stream[1 + SSI_STREAMS_MAX];
};

struct ssi_view {
    char cluster[SSI_NAME_BYTES], member[SSI_NAME_BYTES];
    unsigned own_slot;
    enum ssi_mode mode;
    enum ssi_state own_state;
    char listen[SSI_ADDR_BYTES]; /* as published; "" before the join */
    char pdr_path[SSI_PATH_BYTES];
    struct ssi_slot_view slots[SSI_SLOTS_MAX];
};

/** What QUERY SSI shows; from memory, no I/O. */
void ssi_query(const struct ssi *ssi, struct ssi_view *view);

/** The link to the member in another slot (0-based); from memory, no I/O. */
void ssi_link_query(const struct ssi *ssi, unsigned slot, struct ssi_link_view *view);

/** Members this one can send to (itself not among them). Returns their number. */
unsigned ssi_members(const struct ssi *ssi, char names[SSI_SLOTS_MAX][SSI_NAME_BYTES]);

const char *ssi_member_name(const struct ssi *ssi); /**< own name */
enum ssi_state ssi_member_state(const struct ssi *ssi, const char *member);
enum ssi_mode ssi_mode(const struct ssi *ssi);
const char *ssi_state_name(enum ssi_state state); /**< "Joined" */
const char *ssi_mode_name(enum ssi_mode mode);    /**< "Stable" */

#define SSI_HOLDER_BYTES 80
/** Which member keeps the cluster from being Stable, and how: "contact with MEMBERB is lost"; ""
 * when none does. */
void ssi_holder(const struct ssi *ssi, char out[SSI_HOLDER_BYTES]);

#endif
