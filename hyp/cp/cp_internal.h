/* Inside of CP: the member's block, sessions of logged-on users, requests under way.
 * Internal to hyp/ and its unit tests. Loop thread throughout. */
#ifndef ENDICOTT_HYP_CP_INTERNAL_H
#define ENDICOTT_HYP_CP_INTERNAL_H

#include "hyp/config/directory_edit.h"
#include "hyp/config/loaddev.h"
#include "hyp/event.h"
#include "hyp/cp_move.h"
#include "hyp/cp_terminal.h"
#include "ssi/ssi.h"

#define CP_WORDS_MAX 512
#define CP_TIME_TEXT_BYTES 64
#define CP_SAMPLE_NS                                                                           \
    (30 * 1000000000ull) /* figures of INDICATE LOAD are over so long at least */
#define CP_LEVEL_TEXT "Endicott CP Version 0 Release 1.0, Service Level 0001 (64-bit)"

/** Settings of a session, one bit each; SET name ON|OFF. */
enum cp_setting {
    CP_SET_MSG = 1 << 0,
    CP_SET_WNG = 1 << 1,
    CP_SET_EMSG = 1 << 2,
    CP_SET_ACNT = 1 << 3,
    CP_SET_RUN = 1 << 4,
    CP_SET_IMSG = 1 << 5,
    CP_SET_SMSG = 1 << 6,
    CP_SET_LINEDIT = 1 << 7,
    CP_SET_CONCEAL = 1 << 8,
    CP_SET_EMSG_TEXT = 1 << 9,   /* SET EMSG TEXT: without the number */
    CP_SET_EMSG_CODE = 1 << 10,  /* SET EMSG CODE: the number alone */
    CP_SET_DATE_SHORT = 1 << 11, /* SET DATEFORMAT; none of them: the system's */
    CP_SET_DATE_FULL = 1 << 12,
    CP_SET_DATE_ISO = 1 << 13,
    CP_SET_MSG_IUCV = 1 << 14, /* SET MSG IUCV ...: to the program, by *MSG */
    CP_SET_WNG_IUCV = 1 << 15,
    CP_SET_SMSG_IUCV = 1 << 16,
    CP_SET_CLASSES_LOCKED = 1 << 17, /* SET PRIVCLASS LOCK */
};
#define CP_SET_DEFAULT (CP_SET_MSG | CP_SET_WNG | CP_SET_EMSG | CP_SET_IMSG | CP_SET_LINEDIT)

/** TERMINAL options that are kept for the session. */
struct cp_terminal {
    unsigned more_s, more_warn_s, linesize; /* 0 = OFF */
    bool hold, breakin_guest, no_autocr, timestamp;
    int break_pf;                                   /* BRKKEY, as in cp_terminal_view */
    char linend, linedel, chardel, escape, tabchar; /* ISO 8859-1; 0: none */
};

/** A command that is issued when the time is over; cp_timebomb.c. */
struct cp_timebomb {
    u64 timer, due_ns; /* 0: there is none */
    bool conceal;
    char command[VM_TIMEBOMB_BYTES_MAX + 1]; /* several: one a line */
};

/* Located by: cp->users. Created by cp_session_begin, destroyed by cp_session_end. */
struct cp_user {
    struct cp_user *next;
    struct cp *cp;
    char userid[DIR_NAME_BYTES];
    const struct dir_entry *entry;
    struct console *console;
    struct vm *vm;
    u32 classes;
    u32 settings;
    struct cp_terminal terminal;
    struct cp_pf pf[CP_PF_KEYS];
    bool disconnected, ending, cp_read;
    bool incoming; /* arriving by relocation: not logged on here before the claim is */
    unsigned ldev;
    u64 logon_ns;
    u64 claim; /* generation, 0 = none */
    char secuser[DIR_NAME_BYTES], observer[DIR_NAME_BYTES];
    u64 relay_cursor;                /* next line of its console for them */
    struct share share;              /* SET SHARE; at logon as in the directory */
    bool quickdsp;                   /* SET QUICKDSP; likewise */
    u64 reserved_bytes;              /* SET RESERVED; likewise */
    char iplsys[DIR_NAME_BYTES + 4]; /* "DEV 000C": what was IPLed; "" = nothing */
    bool relocate;                   /* SET VMRELOCATE; at logon as in the directory */
    char domain[DIR_NAME_BYTES];
    bool forced;  /* FORCE ARCHITECTURE has taken facilities from it */
    u64 go_timer; /* it waits for its disks: cp_user_go */
    unsigned go_tries;
    void (*go)(struct cp_user *user, void *arg);
    void *go_arg;
    u64 signal_timer; /* SIGNAL SHUTDOWN under way */
    unsigned signal_within_s;
    char signal_by[DIR_NAME_BYTES];
    u64 signal_due_ns;                   /* when its time is over */
    char by[DIR_NAME_BYTES];             /* who logged it on with BY; "" */
    struct console_spool *console_spool; /* SPOOL CONSOLE START; cp_spool_device.c */
    u64 console_observer;
    struct cp_trace *trace; /* cp_trace.c; NULL: none */
    struct cp_timebomb timebomb;
    struct loaddev loaddev; /* SET LOADDEV; at logon as in the directory */
    struct cp_nic *nics;    /* cp_net.c */
    struct cp_ctca *ctcas;  /* cp_ctca.c */
    u64 lost_timer;         /* its terminal was lost: DISCONNECT_TIMEOUT, */
    u64 lost_due_ns;        /* which is over then */
    struct cp_carry *carry; /* cp_carry.c; NULL: it is not between two members */
};

#define CP_LOGMSG_LINES 20
#define CP_LOGMSG_BYTES 77
#define CP_SIGNAL_MAX_S 65535

#define CP_LOGON_SLOTS 256         /* of user ids: several may share one */
#define CP_LOGON_FAILURES_FREE 3   /* without a wait for the next */
#define CP_LOGON_WAIT_MS 5000      /* between attempts from then on */
#define CP_LOGON_WAIT_MAX_MS 60000 /* more than this is refused at once */
#define CP_LOGON_FORGET_MS 900000  /* after the last failure */

/* LOGONs of a user id that have failed. Located by: cp->logons. */
struct cp_logon_slot {
    unsigned failures;
    u64 last_ns, free_ns; /* last failure; when the next attempt is looked at */
};

/* One command. Created by cp_command_as, destroyed when complete. */
struct cp_request {
    struct cp_request *next;
    struct cp *cp;
    struct cp_response *resp;
    char userid[DIR_NAME_BYTES];
    u32 classes;
    bool remote;    /* came from another member: is not sent on, but once by cp_forward */
    bool forwarded; /* that has happened */
    char origin[CONFIG_NAME_BYTES]; /* the member where it was issued; "" = here */
    bool here;                      /* AT named this member: it is about this one only */
    bool in_handler, completed;
    bool on_cpu; /* CPU command: each line says which one */
    u8 cpu;
    bool silent; /* SILENTLY: lines from `quiet` on are shown if it fails */
    unsigned quiet;
    bool halted;                                     /* by CPHX */
    void (*halt)(struct cp_request *req, void *ctx); /* cp_on_halt */
    void *halt_ctx;
    int rc;
    u64 timer; /* SLEEP; LOGON that has to wait */
    struct ssi_held
        hold; /* cp_cluster.c: it waits for the end of In-flux, to go on with this: */
    cp_handler hold_handler;
    void *hold_ctx;
    size_t hold_at;
    void *asked; /* cp_foresee.c: what the cluster is to answer first */
    bool foreseen;
    cp_handler foresee_then;
    void *foresee_ctx;
    size_t foresee_at;
    size_t from; /* where the operands of a LOGON that waits begin */
    char raw[CP_COMMAND_BYTES_MAX], upper[CP_COMMAND_BYTES_MAX];
    size_t at, len;
    unsigned depth;   /* AT, CP in front of commands */
    const char *word; /* the operand of QUERY or SET as it was typed */
    char command[16]; /* full name, for messages and shared handlers */
    char buffer[MSG_LINE_BYTES];
};

struct cp_registered {
    char prefix[12];
    struct cp_cmd_row row;
    const char *held; /* cp_register_held; "": never */
    cp_handler handler;
    void *ctx;
};

struct cp_table_row;     /* below */
struct cp_remote_call;   /* cp_remote.c */
struct cp_old_directory; /* cp_directory.c */
struct work_unit;        /* cp_datamove.c */

struct cp {
    const struct system_config *config;
    const struct directory *directory;
    struct cp_ports ports;
    const struct cp_cluster_ops *cluster;
    void *cluster_ctx;
    struct cp_ssi *ssi; /* cp_ssi.c */
    struct cp_link_ssi *link_ssi;
    struct cp_domain_ssi *domain_ssi;
    struct cp_told_arch *told; /* CONFIG_SLOTS_MAX of them; cp_domain.c */
    struct cp_user *users;
    unsigned user_count;
    struct cp_request *requests;
    struct cp_remote_call *calls;
    u32 last_call;
    unsigned jobs; /* commands of other members under way here */
    unsigned last_ldev;
    u64 ipl_ns, generated_ns; /* of this start; of the program file */
    struct cp_mdc_sample {
        u64 ns, reads, hits, writes;
    } mdc_sample; /* INDICATE LOAD tells what came since */
    struct cp_paging_sample {
        u64 ns, reads;
    } paging_sample;
    struct cp_registered registered[CP_REGISTERED_MAX];
    unsigned registered_count;
    struct {
        void (*cb)(void *ctx, struct cp_user *user, enum cp_user_event event);
        void *ctx;
    } observers[CP_OBSERVERS_MAX];
    unsigned observer_count;
    bool shutting_down, shutdown_reipl;
    bool shut;                     /* SHUTDOWN has logged everybody off */
    bool terminals_disabled;       /* DISABLE ALL */
    enum vm_dateformat dateformat; /* of users who have set none */
    u64 shutdown_timer;
    unsigned signal_s; /* SET SIGNAL SHUTDOWNTIME; at start as system.config says */
    struct {
        char line[CP_LOGMSG_LINES][CP_LOGMSG_BYTES];
        u64 set_ns;
    } logmsg;                    /* SET LOGMSG */
    struct vswitches *nets;      /* hyp/net; NULL: none yet */
    u64 nics_timer;              /* cp_nics_reclaim; 0: none */
    struct ivl_ssi *ivls;        /* cp_ssi.c; NULL: no cluster */
    struct spool_ssi *spool_ssi; /* likewise */
    struct events *events;       /* what happens here */
    struct exits *exits;         /* cp_exit.c; NULL: no memory */
    struct cp_ctcs *ctcs;        /* cp_ctca_remote.c; NULL: none yet */
    struct cp_unit *units;       /* cp_unit.c: real printers and punches */
    u64 duplex_timer;            /* volumes are being copied for DUPLEX RESUME; 0: none */
    struct cp_logon_slot logons[CP_LOGON_SLOTS];
    char directory_path[CONFIG_PATH_BYTES + 16]; /* "": cannot be changed */
    char capture_folder[CONFIG_PATH_BYTES + 32]; /* "": none */
    char dump_folder[CONFIG_PATH_BYTES + 32];    /* of VMDUMP; "": none */
    u64 directory_stamp[3];                      /* of the file that is online */
    struct cp_old_directory *directories;        /* that were online, read by CP itself */
    struct {
        struct dir_versions versions;
        char *text;
        char from[CONFIG_NAME_BYTES]; /* the member that it came from; "": it is the file's */
        bool by_hand;                 /* no change that the history tells of has made it */
        bool yields; /* it is not what is online in the cluster that was joined */
    } online;
    struct cp_directory_incoming *incoming; /* cp_directory_ssi.c; NULL: none */
    u8 path_offline[32];                    /* VARY CHPID: one bit each, from the left */
    struct work_unit *datamove;             /* minidisks that are being copied */
    unsigned datamove_requests;
    const struct cp_terminal_ops *terminals; /* cp_carry.c; NULL: there are none */
    void *terminals_ctx;
};

/* --- cp_core.c --------------------------------------------------------------------------- */
u64 cp_now(struct cp *cp);
/** "17:13:22" */
const char *cp_clock_text(u64 wall_ns, char out[CP_TIME_TEXT_BYTES]);
/** 512M, 2G, 1T: the largest unit that fits. */
const char *cp_size_text(u64 bytes, char out[CP_TIME_TEXT_BYTES]);
void cp_line_text(struct cp_request *req, const char *text);
/** A line (and message, if it is one) for a response without a request. */
void cp_response_add(struct cp_response *resp, const char *text);
/** Only the message, if `text` is one. */
void cp_response_message(struct cp_response *resp, const char *text);
/** The user whose machine a command is about; NULL after HCPCMD045E. */
struct cp_user *cp_own_machine(struct cp_request *req);
/** The CPU that a CPU command in front names; -1 without one. */
int cp_request_cpu(const struct cp_request *req);
/** Length of the "HCPxxxnnnns" that a line begins with, 0: it is no message. */
size_t cp_message_id_len(const char *text);
/** ST_OK, or the message number after HCPCMD003E for what is left on the line. */
int cp_no_more(struct cp_request *req);
bool cp_userid_ok(const char *word);
void cp_notify_observers(struct cp_user *user, enum cp_user_event event);

/** cp_command_as for a request of another member. */
/** Who has issued it, where (origin "": here); forwarded: by that member through another one. */
struct cp_issuer {
    const char *userid, *origin;
    u32 classes;
    bool forwarded;
};
void cp_command_remote(struct cp *cp, const struct cp_issuer *by, const char *text,
                       struct cp_response *resp);

/** Go on with a request that was held: its handler, from the operand on that it was held at. */
void cp_request_resume(struct cp_request *req);

/* --- cp_cluster.c ------------------------------------------------------------------------ */
/** Hold the request if its row says so and the cluster is In-flux. 0: go on; else what a handler
 *  returns. */
int cp_hold(struct cp_request *req, const struct cp_table_row *row);

/* --- cp_foresee.c ------------------------------------------------------------------------ */
/** What a command will ask the cluster for. Zeros at first; `want` is the owner's to free. */
struct cp_wants {
    struct ssi_want *want;
    unsigned n, room;
};
/** All that a user's entry asks for at a logon; one link. Without memory, less. */
void cp_want_user(struct cp *cp, struct cp_wants *w, const struct dir_entry *e);
struct link_request;
void cp_want_link(struct cp *cp, struct cp_wants *w, const struct link_request *q);
/** Ask for it, then call `then` with req->foreseen and operands from `at` on. Returns what that
 *  does, or CP_LATER. `wants` stay the caller's. */
int cp_foresee(struct cp_request *req, const struct cp_wants *wants, size_t at, cp_handler then,
               void *ctx);
/** The request ends before that. */
void cp_foresee_drop(struct cp_request *req);
/** It has given something back: cp_request_finish comes when that is written. */
bool cp_gives_back(struct cp_request *req);
/** A handler that was called anew has returned `rc`. */
void cp_request_go(struct cp_request *req, int rc);
void cp_request_finish(struct cp_request *req);

/* --- cp_cluster.c ------------------------------------------------------------------------ */
/** Is this system a member of a cluster now? If not, the response says so. */
bool cp_clustered(struct cp_request *req);
/** A user's session ends: what is held for it is dropped, and told. */
void cp_held_drop(struct cp *cp, const char *userid);

/* --- cp_date.c --------------------------------------------------------------------------- */
/** "02/26/16", "02/26/2016" or "2016-02-26". Returns out. */
const char *cp_date_text(enum vm_dateformat format, u64 wall_ns, char out[CP_TIME_TEXT_BYTES]);
/** "17:13:22 UTC MONDAY 02/26/16" */
const char *cp_time_text(enum vm_dateformat format, u64 wall_ns, char out[CP_TIME_TEXT_BYTES]);
/** "02/26/16 17:13:22" */
const char *cp_stamp_text(enum vm_dateformat format, u64 wall_ns, char out[CP_TIME_TEXT_BYTES]);
/** How the user, or who issues a command, wants dates. */
enum vm_dateformat cp_user_dateformat(const struct cp_user *user);
enum vm_dateformat cp_request_dateformat(struct cp_request *req);
/** SHORTDATE, FULLDATE, ISODATE, VMDATE as an operand; false: it is something else. */
bool cp_dateformat_word(struct cp_request *req, const char *word, enum vm_dateformat *out);
/** The bits of `settings` at logon. */
u32 cp_dateformat_at_logon(const struct dir_entry *entry);

/* --- cp_exit.c --------------------------------------------------------------------------- */
void cp_exits_open(struct cp *cp);
/** ENABLE and DISABLE, behind the word EXITS. */
int cp_exits_switch(struct cp_request *req, bool on);

/* --- cp_cmd.c ---------------------------------------------------------------------------- */
/** Dispatch the command at the request's position. */
int cp_dispatch(struct cp_request *req);
/** Dispatch an operand of QUERY or SET. */
int cp_dispatch_operand(struct cp_request *req, const char *prefix);

/** A row of the table, of cp_cmd.def or registered. */
struct cp_table_row {
    const char *prefix; /* "", "QUERY", "SET" */
    struct cp_cmd_row row;
    const char *held; /* while In-flux: "*", with one of these operands, or "" never */
    cp_handler handler;
    void *ctx;
    bool anybody; /* also for who is not logged on */
};
/** i-th row; false behind the last. */
bool cp_table_row(const struct cp *cp, unsigned i, struct cp_table_row *out);
/** The row for an abbreviation within these classes. */
bool cp_table_find(const struct cp *cp, const char *prefix, const char *word, u32 classes,
                   struct cp_table_row *out);

#define CP_HANDLER(name) int name(struct cp_request *req, void *ctx)
#define R(prefix, name, classes, handler, help) CP_HANDLER(handler);
#include "hyp/cp/cp_cmd.def"
#undef R

/* --- cp_at.c ----------------------------------------------------------------------------- */
#define CP_AT_HERE (-2)
/** AT {member | ALL} of a command of cp_at.def, whose operands come next: CP_AT_HERE, it is for
 *  this member, and the phrase is gone; else what the handler is to return. `as`: its name as it is
 *  sent. */
int cp_at_route(struct cp_request *req, const char *prefix, const char *name, const char *as);

/* --- cp_logon.c, cp_session.c ------------------------------------------------------------- */
/** A new session with machine and console; no claim, no IPL. */
int cp_session_begin(struct cp *cp, const struct dir_entry *entry, struct cp_user **out,
                     struct cause *cause);
void cp_session_end(struct cp_user *user, bool release_claim);
/** Log off with the messages that belong to it. `by` NULL: the user itself. */
void cp_logoff(struct cp_user *user, const char *by);
/** "CONNECT= 00:01:27 VIRTCPU= 000:00.09 TOTCPU= 000:00.14" */
const char *cp_usage_text(struct cp_user *user, char out[96]);
const char *cp_where(const struct cp_user *user, char out[DIR_NAME_BYTES + 8]);
/** DISCONNECT_TIMEOUT runs on until lost_due_ns, if that is not 0. */
void cp_lost_goes_on(struct cp_user *user);

/* --- cp_directory.c ----------------------------------------------------------------------- */
/** Take note of a directory that another member, or an editor, has put online. */
void cp_directory_refresh(struct cp *cp);
/** Put the file online here. What sessions had at their logon they keep. */
int cp_directory_load(struct cp *cp, struct cause *cause);
void cp_directory_fini(struct cp *cp);

/* --- cp_password.c ------------------------------------------------------------------------ */
/** How long this LOGON has to wait because of those before it; its turn is taken. */
u64 cp_logon_wait_ms(struct cp *cp, const char *userid);
/** The message of SET LOGMSG, line by line, or that there is none (false). */
bool cp_logmsg(struct cp *cp, enum vm_dateformat format,
               void (*line)(void *ctx, const char *text), void *ctx);
/** Are these the credentials of `userid`; `by` NULL, or who logs it on with a password of its own?
 *  Counts failures, and tells the operator of too many. */
bool cp_logon_allowed(struct cp *cp, const char *userid, const char *by, const char *password);

/* --- cp_processor.c ---------------------------------------------------------------------- */
/** CPUs get the processors that the directory gives them; what fails goes to the console. */
void cp_dedicate_logon(struct cp_user *user);
/** VARY {ONLINE | OFFLINE} PROCESSOR: the number is the next operand. */
int cp_vary_processor(struct cp_request *req, bool online);

/* --- cp_unit.c --------------------------------------------------------------------------- */
/** Real printers and punches of the hardware file: they are started. */
void cp_units_open(struct cp *cp);
void cp_units_close(struct cp *cp);

/* --- cp_spool_device.c ------------------------------------------------------------------- */
/** Name of the i-th option that SPOOL keeps, with the one that takes it back ("" = none); NULL
 *  behind the last. */
const char *cp_spool_option_name(unsigned i, const char **off);
/** The session ends: what its console has shown goes into the console's spool file. */
void cp_spool_console_end(struct cp_user *user);
/** Its state is taken next: what its console is told is not spooled here until it stays (thaw);
 *  where the member that has it then goes on, as a row. */
void cp_spool_console_freeze(struct cp_user *user);
void cp_spool_console_thaw(struct cp_user *user);
void cp_spool_console_save(struct cp_user *user, u16 tag, struct codec_out *out);
bool cp_spool_console_take(struct cp_user *user, const struct codec_row *row);
/** It has come here by relocation: spooling of its console goes on. */
void cp_spool_console_resume(struct cp_user *user);

/* --- cp_domain.c ------------------------------------------------------------------------- */
int cp_define_relodomain(struct cp_request *req);

/* --- cp_links.c -------------------------------------------------------------------------- */
int cp_define_cpowned(struct cp_request *req);
/** The limits of spool space are those of the volumes that CP has now. */
void cp_spool_space(struct cp *cp);

/* --- cp_carry.c -------------------------------------------------------------------------- */
/** The state of the user has been saved, and it is not decided where it goes on. */
bool cp_user_frozen(const struct cp_user *user);
/** A line typed at its console waits until that is known. ST_LIMIT, ST_NOMEM. */
int cp_carry_typed(struct cp_user *user, const char *text);
/** Rows of the session: is it connected; where it comes from, when somebody is to be told; one for
 *  each terminal. Nothing unless it is frozen. And taken from them. */
void cp_carry_save(struct cp_user *user, u16 connected, u16 from, u16 terminal,
                   struct codec_out *out);
bool cp_carry_take_connected(struct cp_user *user, const struct codec_row *row);
bool cp_carry_take_from(struct cp_user *user, const struct codec_row *row);
bool cp_carry_take_terminal(struct cp_user *user, const struct codec_row *row);
/** Source: it has gone; what waits is sent behind it. */
void cp_carry_depart(struct cp_user *user);
/** Destination: it is ours, its terminals are told; its machine goes on, what was typed is. */
void cp_carry_arrived(struct cp_user *user);
void cp_carry_goes_on(struct cp_user *user);
void cp_carry_end(struct cp_user *user);
/** What another member has sent behind a user. */
void cp_carry_take_typed(struct cp *cp, const char *userid, const char *text);
void cp_carry_take_written(struct cp *cp, const char *userid, const char *text);

/* --- cp_trace.c -------------------------------------------------------------------------- */
/** Its traps are forgotten; the machine keeps its own until it is told. */
void cp_trace_end(struct cp_user *user);
/** Its set of traps as rows of the session: `set` in front of one `trap` each. Behind the machine's
 *  state, which has how often each has matched. */
void cp_trace_save(const struct cp_user *user, u16 set, u16 trap, struct codec_out *out);
bool cp_trace_take_set(struct cp_user *user, const struct codec_row *row);
bool cp_trace_take_trap(struct cp_user *user, const struct codec_row *row);

/* --- cp_pf.c ----------------------------------------------------------------------------- */
/** PF keys at logon. */
void cp_pf_default(struct cp_user *user);
/** All keys as rows of a session; and one of them. */
void cp_pf_save(const struct cp_user *user, u16 tag, struct codec_out *out);
bool cp_pf_take(struct cp_user *user, const struct codec_row *row);

/* --- cp_console.c ------------------------------------------------------------------------ */
/** Issue a command as a user; the response goes to its console, now or later. */
int cp_console_command(struct cp *cp, const char *userid, const char *command);
/** One line typed at the user's console: to CP when it reads or `to_cp`, else to the guest. */
int cp_console_line(struct cp *cp, const char *userid, const char *text, bool to_cp);
/** Does the line begin with #CP? What is behind it, else NULL. */
const char *cp_console_escape(const struct cp_user *user, const char *text);
/** #CP alone: the terminal is CP's. */
int cp_console_attention(struct cp_user *user, const char *text);
/** The same with other privilege classes than the user's. */
int cp_console_command_as(struct cp *cp, const char *userid, u32 classes, const char *command);

/* --- cp_set.c ---------------------------------------------------------------------------- */
/** What TERMINAL says of the console and its device. */
void cp_terminal_apply(struct cp_user *user);
/** Name of the i-th option of TERMINAL that can be changed; NULL behind the last. */
const char *cp_terminal_option_name(unsigned i);

/* --- cp_relay.c -------------------------------------------------------------------------- */
/** What the user's console has shown since goes to its observer, and to its secondary user while
 *  it is disconnected. */
void cp_relay(struct cp_user *user);

/* --- cp_segment.c ------------------------------------------------------------------------- */
/** PURGE NSS: the name is the next operand. */
int cp_purge_nss(struct cp_request *req);
/** May the user IPL this saved system, in this machine, with this PARM? 0, or the number of the
 *  message in `line`. */
int cp_ipl_system_check(const struct cp_user *user, const struct vm_ipl *ipl,
                        char line[MSG_LINE_BYTES]);

/* --- cp_reserved.c ------------------------------------------------------------------------ */
/** SET RESERVED as a row of the session; this member's host may refuse it. */
void cp_reserved_save(const struct cp_user *user, u16 tag, struct codec_out *out);
bool cp_reserved_take(struct cp_user *user, const struct codec_row *row);

/* --- cp_datamove.c ------------------------------------------------------------------------ */
/** CP ends: what is being copied is not to be. */
void cp_datamove_end(struct cp *cp);

/* --- cp_halt.c ---------------------------------------------------------------------------- */
/** For cp_on_halt: what the user's machine stands still for ends. */
void cp_halt_still(struct cp_request *req, void *ctx);
/** Does it wait still? CP may have ended it: this system ends. */
bool cp_waits(const struct cp *cp, const struct cp_request *req);

/* --- cp_timebomb.c ------------------------------------------------------------------------ */
/** There is none any more: reset, end of the session. */
void cp_timebomb_end(struct cp_user *user);
/** A row of the session, if there is one; and taken from it. */
void cp_timebomb_save(const struct cp_user *user, u16 tag, struct codec_out *out);
bool cp_timebomb_take(struct cp_user *user, const struct codec_row *row);

/* --- cp_loaddev.c ------------------------------------------------------------------------- */
/** As a row of the session, and taken from it. */
void cp_loaddev_save(const struct cp_user *user, u16 tag, struct codec_out *out);
bool cp_loaddev_take(struct cp_user *user, const struct codec_row *row);

/* --- cp_echo.c --------------------------------------------------------------------------- */
/** A command that was typed at the user's console is shown there, without passwords. */
void cp_echo(struct cp_user *user, const char *text);

/* --- cp_shutdown.c ----------------------------------------------------------------------- */
/** A CPU of the guest stands still for good; `reported`: it says that the guest has shut down.
 * Logs the user off when it was asked to shut down or when the system waits for nothing else. */
void cp_guest_stopped(struct cp_user *user, bool reported);
/** A user has gone: when it was the last to be waited for, the system ends. */
void cp_shutdown_goes_on(struct cp *cp);

/* --- cp_halt.c ----------------------------------------------------------------------------- */
/** What CPHX does with one command that waits, once; it may be complete afterwards. */
void cp_halt_request(struct cp_request *req);

/* --- cp_remote.c ------------------------------------------------------------------------- */
/** Run `command` on a member for req; its response becomes req's. Returns CP_LATER or a rc. */
int cp_remote_command(struct cp_request *req, const char *member, const char *command);
/** The same with a time limit of the caller's. */
int cp_remote_command_within(struct cp_request *req, const char *member, const char *command,
                             u64 within_ms);
/** A command; with `phrase` AT and the name of who gets it stand between head and tail. */
struct cp_remote_text {
    const char *head, *tail;
    bool phrase;
};
int cp_remote_text(struct cp_request *req, const char *member,
                   const struct cp_remote_text *text, u64 within_ms);
/** The same on all joined members and here, each line with the member's name in front; who may run
 *  and does not answer is named. The return code is the greatest. */
int cp_remote_all(struct cp_request *req, const struct cp_remote_text *text, u64 within_ms);
void cp_remote_drop(struct cp *cp);
/** A line of another user's console for one who is logged on at a member; lost with the link. */
void cp_remote_relay(struct cp *cp, const char *member, const char *userid, const char *text);
/** What was typed for a user, or written to its console, while it went to that member. */
void cp_remote_typed(struct cp *cp, const char *member, const char *userid, const char *text);
void cp_remote_written(struct cp *cp, const char *member, const char *userid, const char *text);
/** Is a name a member to which things can be sent (or this one: `*local`)? */
bool cp_member_reachable(struct cp *cp, const char *name, bool *local);

#endif
