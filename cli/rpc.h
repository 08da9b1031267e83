/* Client of a member's control socket: JSON-RPC 2.0, one object a line (docs/control_socket.md).
 * Blocking, for the commands of the command line; one thread. */
#ifndef ENDICOTT_CLI_RPC_H
#define ENDICOTT_CLI_RPC_H

#include <jansson.h>

#include "cli/rundir.h"

struct rpc;

/** Connect to a running member. NULL with a cause: ST_NOENT it does not run. */
struct rpc *rpc_open(const char *member, struct cause *cause);
void rpc_close(struct rpc *rpc);
int rpc_fd(const struct rpc *rpc);
const char *rpc_member(const struct rpc *rpc);
pid_t rpc_pid(const struct rpc *rpc);

/** Send a request; takes `params` (may be NULL). Returns its id, 0 when the member is gone. */
json_int_t rpc_send(struct rpc *rpc, const char *method, json_t *params);
/**
 * Next object from the member, a new reference: an answer or a notification. `timeout_ms` -1 =
 * as long as it takes. NULL: `*status` is ST_TIMEOUT, ST_LOST or ST_PROTO.
 */
json_t *rpc_next(struct rpc *rpc, int timeout_ms, int *status);
/** rpc_next would return without waiting for the member. */
bool rpc_has_line(const struct rpc *rpc);

/** Call and wait for the answer; notifications meanwhile are dropped. A new reference to the
 *  result; NULL with a cause in which an error of the member stands. */
json_t *rpc_call(struct rpc *rpc, const char *method, json_t *params, struct cause *cause);

/** An error object as cause; its status comes from the code. */
int rpc_error(const json_t *answer, struct cause *cause);

/**
 * The member a command is for: `member` as typed, or (NULL) the only one that runs, or the one
 * where `userid` (may be NULL) is logged on. Opened; NULL with a cause.
 */
struct rpc *rpc_choose(const char *member, const char *userid, struct cause *cause);
/** Is `userid` logged on at this member? */
bool rpc_has_user(struct rpc *rpc, const char *userid);

/** Upper case copy of a user id; false when it is none. */
#define rpc_userid(text, out) rundir_name(text, out)

#endif
