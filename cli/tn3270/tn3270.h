/* TN3270 server of a member: operator and guest consoles on 3270 terminals, on 127.0.0.1 only.
 * Port: CNSLPORT of the hardware file. Screens and keys: docs/tn3270.md. Loop thread. */
#ifndef ENDICOTT_CLI_TN3270_H
#define ENDICOTT_CLI_TN3270_H

#include "mem/base/status.h"

#define TN3270_TERMINALS_MAX 64
#define TN3270_TURNED_AWAY_MAX 8    /* further ones are told so; beyond them, hung up on */
#define TN3270_TURNED_AWAY_MS 10000 /* how long they may read it */
#define TN3270_NEGOTIATE_MS 30000   /* from connection to a 3270 terminal */
#define TN3270_BACKLOG_BYTES 65536  /* unread output: the terminal waits for its own screen */
#define TN3270_BACKLOG_MAX_BYTES 1048576 /* unread output: the terminal is hung up on */
#define TN3270_BAD_LOGONS_MAX 5          /* of one connection */

struct member;
struct tn3270;

/** Listen on 127.0.0.1:port (0: any free one). The member's CP exists and outlives it. */
struct tn3270 *tn3270_create(struct member *member, unsigned port, struct cause *cause);
/** Hang up on all terminals; memory is freed as the loop goes round. NULL is fine. */
void tn3270_destroy(struct tn3270 *server);

/** The port it listens on; 0 = there is no server. */
unsigned tn3270_port(const struct tn3270 *server);
/** Some console has news: show it, and notice who was disconnected. NULL is fine. */
void tn3270_recheck(struct tn3270 *server);

#endif
