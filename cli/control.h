/* The control socket of a member: JSON-RPC 2.0, one object a line, on a Unix socket that only
 * its owner (and root) may use. Methods: docs/control_socket.md, control.def. Loop thread. */
#ifndef ENDICOTT_CLI_CONTROL_H
#define ENDICOTT_CLI_CONTROL_H

#include <stdbool.h>

#include "mem/base/status.h"

#define CONTROL_REQUEST_BYTES_MAX (256u << 10)
#define CONTROL_BACKLOG_BYTES_MAX (32u << 20) /* a client that does not read is dropped */
#define CONTROL_EVENTS_BYTES_MAX (64u << 10)  /* beyond it events stay in their stream */
#define CONTROL_CONNECTIONS_MAX 128
#define CONTROL_CALLS_MAX 64 /* outstanding, of one connection */
#define CONTROL_WATCHES_MAX 64
#define CONTROL_ERROR_STATUS (-32000) /* an error's code is this plus a value of enum status */

struct control;
struct console;
struct cp_user;
struct member;

/** Listen on `path`; the name's lock is held, so that what is there is left over. */
struct control *control_create(struct member *member, const char *path, struct cause *cause);
/** Close all connections; memory is freed as the loop goes round. */
void control_destroy(struct control *control);

/** A user logged on, logs off (its console still lives). */
void control_user_event(struct control *control, struct cp_user *user, bool logon);
/** Some console has news: users may have arrived from another member. */
void control_recheck(struct control *control);

#endif
