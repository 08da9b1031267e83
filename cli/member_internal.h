/* Inside of a member's process. struct member: created by member_run, destroyed there;
 * serialised by the loop thread, but for `post`. */
#ifndef ENDICOTT_CLI_MEMBER_INTERNAL_H
#define ENDICOTT_CLI_MEMBER_INTERNAL_H

#include <jansson.h>
#include <stdatomic.h>
#include <uv.h>

#include "cli/control.h"
#include "cli/member.h"
#include "cli/post_uv.h"
#include "cli/rundir.h"
#include "cli/tn3270/tn3270.h"
#include "hyp/cp.h"
#include "hyp/rdev/rdev.h"
#include "hyp/vm.h"
#include "lgr/lgr.h"
#include "lgr/lgr_snapshot.h"
#include "ssi/ssi_uv.h"

struct member_timer;

enum member_phase { MEMBER_STARTING, MEMBER_JOINING, MEMBER_RUNNING, MEMBER_STOPPING };

struct member {
    struct member_options opt;
    uv_loop_t loop;
    struct post_uv *post;
    atomic_bool news;     /* a note about consoles is posted and not delivered */
    atomic_bool net_news; /* one about networks is */
    struct system_config *config;
    struct directory *directory;
    struct vm_host *host;
    struct rdevs *rdevs;
    struct cp *cp;
    struct ssi_uv *ssi;
    struct lgr *lgr;
    struct lgr_ports lgr_ports;
    struct lgr_snapshots *snapshots;
    struct control *control;
    struct tn3270 *tn3270; /* without CNSLPORT: for terminals of other members */
    char tn3270_address[CONFIG_HOST_BYTES + 8];
    uv_signal_t term, intr;
    uv_poll_t while_poll; /* of the process that this member ends with */
    int while_fd;         /* -1: none */
    struct member_timer *timers;
    u64 last_timer;
    u64 start_ns; /* wall clock */
    enum member_phase phase;
    bool signalled; /* SIGTERM or SIGINT came before */
    bool reipl;
    int status;
    char log_text[CONSOLE_LINE_BYTES_MAX]; /* line of the operator's console so far */
    size_t log_len;
};

/* ---- member_ports.c ---- */
u64 member_timer_start(void *member, u64 delay_ms, void (*fire)(void *arg), void *arg);
void member_timer_cancel(void *member, u64 id);
void member_timers_cancel(struct member *m);
u64 member_wall_ns(void *member);
/** CP's surroundings over this member. */
void member_cp_ports(struct member *m, struct cp_ports *ports);
int member_host_create(struct member *m, struct cause *cause);

/* ---- member.c ---- */
/** Begin an orderly end: guests are signalled, then logged off, then the cluster is left. */
void member_shutdown(struct member *m, bool now, const char *by);
/** SHUTDOWN has logged everybody off: leave the cluster and end. */
void member_finish(struct member *m);
const char *member_phase_name(enum member_phase phase);

/* ---- member_while.c ---- */
/** Watch the process that the member is to end with, if there is one. ST_NOENT: it is gone. */
int member_while_open(struct member *m, struct cause *cause);
void member_while_close(struct member *m);

/* ---- member_ssi.c ---- */
/** Make the cluster's end of this member and attach CP and relocation to it. */
int member_ssi_open(struct member *m, struct cause *cause);
/** Join; member_joined or member_failed is called later. */
void member_ssi_join(struct member *m);
/** Leave, then call `member_left` from a callback of the ssi, later. */
void member_ssi_leave(struct member *m);
/** Close; `member_closed` is called later. */
void member_ssi_close(struct member *m);
void member_joined(struct member *m);
void member_failed(struct member *m, int exit_status, const char *text);
void member_left(struct member *m);
void member_closed(struct member *m);

/* ---- member_lgr.c ---- */
int member_lgr_open(struct member *m, struct cause *cause);
/** After member_lgr_open, if there is a cluster. */
int member_snapshots_open(struct member *m, struct cause *cause);
void member_lgr_stop(struct member *m);
void member_lgr_destroy(struct member *m);
/** Relocations of `userid` (NULL: all) as JSON, active ones first, then the latest. */
json_t *member_lgr_status(struct member *m, const char *userid);

#endif
