/* CP of one member: who is logged on, commands and their responses, consoles. All functions are
 * for the member's loop thread; processor threads bring DIAGNOSE X'08' there by mailbox.
 * Everything hangs off struct cp. Source: z/VM "CP Commands and Utilities Reference". */
#ifndef ENDICOTT_HYP_CP_H
#define ENDICOTT_HYP_CP_H

#include "hyp/config.h"
#include "hyp/console.h"
#include "hyp/directory.h"
#include "hyp/vm_asks.h"
#include "hyp/vm_needs.h"
#include "mem/base/codec.h"
#include "mem/base/msg.h"

#define CP_COMMAND_BYTES_MAX 2048
#define CP_RESPONSE_LINES_MAX 20000
#define CP_USERS_MAX 10000
#define CP_REMOTE_TIMEOUT_MS 10000
#define CP_REMOTE_ALL_TIMEOUT_MS 30000    /* AT ALL CMD: each member */
#define CP_REMOTE_LONG_TIMEOUT_MS 3600000 /* AT ... CMD: as long as the command takes */
#define CP_REMOTE_HALT_TIMEOUT_MS 2000    /* CPHX: for the other member to end it */
#define CP_OBSERVERS_MAX 8
#define CP_REGISTERED_MAX 32

#define CP_HOLDER_BYTES 80

struct cp;
struct ssi_held;
struct ssi_want;
struct cp_user;
struct cp_request;
struct ssi;
struct rdevs;

/* --- Responses --------------------------------------------------------------------------- */

struct cp_message {
    char id[16]; /* "HCPCQU045E" */
    char *text;
};

/** Response of one command: lines in order; messages are its HCP lines by themselves. */
struct cp_response {
    int rc; /* 0, or the number of the message that refused the command */
    bool done;
    char **lines;
    unsigned line_count;
    struct cp_message *messages;
    unsigned message_count;
    bool prefixed;  /* lines say which CPU they are about (CPU command) */
    bool truncated; /* memory or CP_RESPONSE_LINES_MAX */
    bool may_wait;  /* the issuer's: nothing is spoilt when done_cb comes later than it might */
    void (*done_cb)(struct cp_response *resp, void *ctx); /* may be NULL */
    void *done_ctx;
};

void cp_response_init(struct cp_response *resp);
/** Free what a response holds. Not while its command is pending. */
void cp_response_fini(struct cp_response *resp);

/* --- Surroundings ------------------------------------------------------------------------ */

/** One connection of a link to another member: the first is for control, the others for data. */
struct cp_cluster_stream {
    char address[80], cipher[32]; /* of the other end; of TLS, "" = plain */
    u64 sent, received, waiting;  /* bytes; waiting: not taken by the network yet */
    u64 silent_ms;                /* since the last byte came */
};
#define CP_CLUSTER_STREAMS_MAX 5

/** A member as the cluster sees it now. */
struct cp_cluster_member {
    unsigned slot;
    char name[CONFIG_NAME_BYTES];                /* "" = available */
    char state[12];                              /* "Joined" */
    u64 pdr_heartbeat_ns, received_heartbeat_ns; /* wall clock; 0 = none */
    bool local;
    bool reachable;    /* joined, and a link is there */
    bool inactive;     /* its link has been deactivated here */
    const char *link;  /* "Up", "Connecting", "Inactive", "Down" */
    unsigned protocol; /* version of the wire; 0: none yet */
    unsigned streams;
    struct cp_cluster_stream stream[CP_CLUSTER_STREAMS_MAX];
};

/** The cluster as CP uses it; cp_ssi.c has the one over struct ssi. */
struct cp_cluster_ops {
    /* "Stable", "In-flux", "Safe"; NULL = not a member of a cluster now. */
    const char *(*mode)(void *ctx);
    bool (*member)(void *ctx, unsigned i, struct cp_cluster_member *out); /* 0 based */
    /* Take, give back and find single-logon names. claim: ST_OK; ST_EXIST with the owner;
     * anything else with a cause. locate: false when nobody has it, or nobody can tell. */
    int (*claim)(void *ctx, const char *userid, u64 *generation, char owner[CONFIG_NAME_BYTES],
                 struct cause *cause);
    void (*release)(void *ctx, const char *userid, u64 generation);
    bool (*locate)(void *ctx, const char *userid, char member[CONFIG_NAME_BYTES]);
    /* The same for addresses of network adapters, as 12 hexadecimal digits; all NULL: there is no
     * such thing. mac_release: if it is ours. mac_follow: to the member that this user is on. */
    int (*mac_claim)(void *ctx, const char *mac, char owner[CONFIG_NAME_BYTES],
                     struct cause *cause);
    void (*mac_release)(void *ctx, const char *mac);
    void (*mac_follow)(void *ctx, const char *mac, const char *userid);
    /* Every claimed user id of the cluster. */
    void (*each)(void *ctx, void (*fn)(void *arg, const char *userid, const char *member),
                 void *arg);
    /* Send to service CP of a member; the other side gets cp_remote_receive. */
    int (*send)(void *ctx, const char *member, u16 type, const void *data, size_t len);
    /* A request waits while a member joins or leaves (ssi_hold, ssi_hold_drop); may be NULL. */
    int (*hold)(void *ctx, struct ssi_held *held);
    void (*drop)(void *ctx, struct ssi_held *held);
    /* ssi_ask; `done` NULL: at once. ask_end is due; owes: ssi_owes. May be NULL, all three. */
    void *(*ask)(void *ctx, const struct ssi_want *wants, unsigned n, void (*done)(void *arg),
                 void *arg);
    void (*ask_end)(void *ctx, void *asked);
    bool (*owes)(void *ctx);
    /* Which member keeps the mode from being Stable, and how; "" none. May be NULL. */
    void (*holder)(void *ctx, char out[CP_HOLDER_BYTES]);
    /* SET SSI SLOT: slot from 1, name "" = AVAILABLE; may be NULL. */
    int (*slot)(void *ctx, unsigned slot, const char *name, struct cause *cause);
    /* SET SSI member DOWN; may be NULL. */
    int (*declare_down)(void *ctx, const char *member, struct cause *cause);
    /* ACTIVATE and DEACTIVATE ISLINK; may be NULL. ST_EXIST: it is so already. */
    int (*link)(void *ctx, const char *member, bool active, struct cause *cause);
};

struct cp_ports {
    void *ctx;
    u64 (*wall_ns)(void *ctx); /* since 1970; any thread */
    /* One-shot timer; returns an id that is never 0. */
    u64 (*timer_start)(void *ctx, u64 delay_ms, void (*fire)(void *arg), void *arg);
    void (*timer_cancel)(void *ctx, u64 id);
    /* Have fn(arg) called on the loop thread, also when CP is gone by then. Any thread. */
    void (*post)(void *ctx, void (*fn)(void *arg), void *arg);
    /* SHUTDOWN has logged everybody off: stop this member (reipl: start it again). */
    void (*shutdown)(void *ctx, bool reipl);
    /* A console has news: have cp_poll_consoles called on the loop thread. Any thread; do not
     * keep `console`, it may be gone by then. NULL: the owner polls. */
    void (*console_wakeup)(void *ctx, struct console *console);
    /* A network has news: have cp_net_poll called on the loop thread. Any thread. */
    void (*net_wakeup)(void *ctx);
    const struct vm_ops *vm;
    void *vm_host;
    struct rdevs *rdevs; /* real devices; NULL: there are none */
};

/** `config` and `directory` stay the caller's and outlive the CP. */
struct cp *cp_create(const struct system_config *config, const struct directory *directory,
                     const struct cp_ports *ports);
/** Log off everybody without ceremony, complete pending commands with an error, free. */
void cp_destroy(struct cp *cp);
const struct system_config *cp_config(const struct cp *cp);
/** What is online now: another one after DIRMAINT. */
const struct directory *cp_directory(const struct cp *cp);
/** The file that cp_create's directory was read from: it can be changed. */
void cp_set_directory_file(struct cp *cp, const char *path);
/** Where VMDUMP puts its files; the folder is made when it is needed. */
void cp_set_dump_folder(struct cp *cp, const char *path);
/** Where captures of virtual switches are kept; the folder is made when it is needed. */
void cp_set_capture_folder(struct cp *cp, const char *path);
/** A capture of a virtual switch, of all or of what is named (NULL: not so; upper case). */
struct cp_capture {
    const char *vswitch, *port, *userid, *mac;
};
/** Have it written to `fd`, until that breaks; it is CP's from then on, also on failure. */
int cp_capture(struct cp *cp, const struct cp_capture *what, int fd, struct cause *cause);
/** The networks of system.config; what fails is told to the operator. Once, at the start. */
void cp_net_start(struct cp *cp);
/** After net_wakeup, on the loop: the operator hears of uplinks that went or came. */
void cp_net_poll(struct cp *cp);
/** This system has joined: what users have since before is asked for, links to minidisks and
 *  addresses of adapters. */
void cp_links_join(struct cp *cp);
/** Its real devices and the links to them; NULL: none. */
struct rdevs *cp_rdevs(const struct cp *cp);
const char *cp_system_name(const struct cp *cp);

/* --- Commands ---------------------------------------------------------------------------- */

enum cp_status { CP_DONE, CP_PENDING };

/**
 * Issue one command as `userid` (logged on, or the OPERATOR id of the system). With its
 * directory classes. CP_DONE: the response is complete and done_cb was called; CP_PENDING:
 * done_cb comes later. `resp` was initialised and stays valid until then.
 */
enum cp_status cp_command(struct cp *cp, const char *userid, const char *text,
                          struct cp_response *resp);
/** The same with classes of the caller's choosing (system console, control socket). */
enum cp_status cp_command_as(struct cp *cp, const char *userid, u32 classes, const char *text,
                             struct cp_response *resp);

/** Inside handlers: one request. Gone after cp_complete. */
struct cp *cp_request_cp(const struct cp_request *req);
const char *cp_request_userid(const struct cp_request *req);
u32 cp_request_classes(const struct cp_request *req);
struct cp_user *cp_request_user(const struct cp_request *req); /* NULL: not logged on */
/** Next operand in upper case (valid as long as the request), or NULL at the end. */
const char *cp_operand(struct cp_request *req);
/** The same without moving on. */
const char *cp_operand_peek(struct cp_request *req);
/** The rest of the line as typed, without leading blanks; "" at the end. */
const char *cp_operand_rest(struct cp_request *req);
/** Is `word` an abbreviation of `name`, at least as long as its leading capitals ("Query")? */
bool cp_abbrev(const char *word, const char *name);
void cp_line(struct cp_request *req, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/** Append a message of the catalogue; returns its number: `return cp_fail(req, MSG_X, ..)`. */
#define cp_fail(req, id, ...)                                                                  \
    cp_fail_formatted(req, id,                                                                 \
                      msg_format(cp_fail_buffer(req), MSG_LINE_BYTES, id, ##__VA_ARGS__))
char *cp_fail_buffer(struct cp_request *req);
int cp_fail_formatted(struct cp_request *req, enum msg_id id, int number);
/** Complete a request whose handler returned CP_LATER. */
void cp_complete(struct cp_request *req, int rc);
/** A command that waits: what CPHX does with it, which completes it now or soon. Without this it is
 *  completed, and must not be when `timer` fires. */
void cp_on_halt(struct cp_request *req, void (*halt)(struct cp_request *req, void *ctx),
                void *ctx);

#define CP_LATER (-1) /* a handler's return: cp_complete comes later */

/** A handler returns the return code (0 = well) or CP_LATER. */
typedef int (*cp_handler)(struct cp_request *req, void *ctx);

/** A command from outside hyp (lgr's VMRELOCATE). Name: leading capitals = abbreviation. */
struct cp_cmd_row {
    const char *name; /* "VMRELOcate" */
    u32 classes;      /* CP_CLASS bits; CP_CLASS_ANY */
    const char *help; /* one line, shown by HELP */
};
/** ST_LIMIT, ST_EXIST. `prefix` NULL for a command, "QUERY" or "SET" for an operand of it. */
int cp_register_command(struct cp *cp, const char *prefix, const struct cp_cmd_row *row,
                        cp_handler handler, void *ctx);
/** Requests of a registered command wait while the cluster is In-flux, as an RH row of cp_cmd.def
 *  says it: "*", or operands. `held` outlives cp. ST_NOENT. */
int cp_register_held(struct cp *cp, const char *prefix, const char *name, const char *held);

/* --- Users ------------------------------------------------------------------------------- */

struct cp_user *cp_user_find(const struct cp *cp, const char *userid);
/** In order of logon; after NULL: the first. */
struct cp_user *cp_user_next(const struct cp *cp, const struct cp_user *after);
const char *cp_user_id(const struct cp_user *user);
const struct dir_entry *cp_user_entry(const struct cp_user *user);
struct console *cp_user_console(const struct cp_user *user);
struct vm *cp_user_vm(const struct cp_user *user);
bool cp_user_disconnected(const struct cp_user *user);
u64 cp_user_logon_ns(const struct cp_user *user);
/** CP's view at the console: its input goes to CP (CP READ), not to the guest. */
bool cp_user_cp_read(const struct cp_user *user);

/** Write a line to a user's console (messages from other users, events). */
void cp_user_tell(struct cp_user *user, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/** Write to the system operator's console, if logged on. */
void cp_operator_tell(struct cp *cp, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * A person typed a line at `userid`'s console: `#CP cmd` and, in CP READ, every line is a
 * command whose response goes to the console; else it is input of the guest. ST_NOENT: not
 * logged on.
 */
int cp_console_input(struct cp *cp, const char *userid, const char *text);

/** May terminals that connect now log on? DISABLE. */
bool cp_terminals_enabled(const struct cp *cp);

/** Evaluate waits and observers of every console. Call it after console_wakeup, on the loop:
 *  that way a console that has gone meanwhile is never touched. */
void cp_poll_consoles(struct cp *cp);

/** The virtual machine of `userid` reports by itself. */
void cp_vm_event(struct cp *cp, const char *userid, enum vm_event event, u64 psw_mask,
                 u64 psw_addr);
/** A trap of TRACE: it is shown, and its command issued. */
struct vm_traced;
void cp_vm_traced(struct cp *cp, const char *userid, const struct vm_traced *what);

/** DIAGNOSE X'288': issue `command` as the user's in so many seconds, or with NULL the one that is
 *  set; 0 seconds: not at all. False: none is set. */
bool cp_timebomb(struct cp *cp, const char *userid, u32 seconds, const char *command,
                 bool conceal);

/** DIAGNOSE X'68': the user gets special messages from now on, as by SET SMSG ON. */
void cp_smsg_on(struct cp *cp, const char *userid);

/** What DIAGNOSE codes of the virtual machine of `userid` ask. */
void cp_settings(const struct cp *cp, const char *userid, struct vm_settings *out);
enum vm_minidisk_result cp_minidisk(struct cp *cp, const char *userid, struct vm_minidisk *io);
bool cp_nic_place(struct cp *cp, const char *userid, u16 vdev, struct vm_nic_place *out);

/** What happens here, for whoever wants to know (hyp/event.h). Not NULL. */
struct events *cp_events(const struct cp *cp);

enum cp_user_event { CP_USER_LOGON, CP_USER_LOGOFF, CP_USER_RESET };
/** Observe logon, logoff and reset, before the virtual machine goes (lgr). */
int cp_observe_users(struct cp *cp,
                     void (*cb)(void *ctx, struct cp_user *user, enum cp_user_event event),
                     void *ctx);

/* --- Cluster ----------------------------------------------------------------------------- */

#define CP_SSI_SERVICE 1  /* id of service CP */
#define CP_CLAIM_USERID 1 /* kind of claims on user ids */
#define CP_CLAIM_MAC 2    /* on addresses of network adapters */
#define CP_CLAIM_LINK 3   /* of shares of minidisks */

/** Join CP to a cluster: registers service CP (before ssi_join) and asks `ssi` from here on.
 *  `ssi` outlives the CP and is destroyed after it in the same turn of the loop. */
int cp_attach_ssi(struct cp *cp, struct ssi *ssi, struct cause *cause);
void cp_detach_ssi(struct cp *cp);
/** The same with another implementation (tests). */
void cp_set_cluster(struct cp *cp, const struct cp_cluster_ops *ops, void *ctx);
/** As ssi_hold, for what is no command. ST_NOENT also outside of a cluster. */
int cp_hold_other(struct cp *cp, struct ssi_held *held);
/** A command that has waited for something else waits for the end of In-flux, too: then `then` is
 *  called as a handler. 0: there is nothing to wait for; else what a handler returns. When it is
 *  dropped, what cp_on_halt says is done. */
int cp_hold_again(struct cp_request *req, cp_handler then, void *ctx);

/** The member that has the claim on a user id; false: none, or nobody can tell. */
bool cp_locate(struct cp *cp, const char *userid, char member[CONFIG_NAME_BYTES]);
/** From a handler, at its start: the command `text` is carried out on `member`, as if it had been
 *  typed there by the same user; its answer is the answer of this one, CPHX reaches it. What came
 *  from another member is forwarded once only. CP_LATER, or the number of a message. */
int cp_forward(struct cp_request *req, const char *member, const char *text);
/** The member where the command was issued; this one's own name when here. */
const char *cp_request_origin(const struct cp_request *req);
/** A line for who issued a command at `origin`, wherever that user is now. Lost with the link. */
void cp_tell(struct cp *cp, const char *userid, const char *origin, const char *text);

/** A message of service CP from another member. Hostile until decoded. */
void cp_remote_receive(struct cp *cp, const char *member, u16 type, const void *data,
                       size_t len);
/** A member is gone: its outstanding requests fail. */
void cp_remote_lost(struct cp *cp, const char *member);

#endif
