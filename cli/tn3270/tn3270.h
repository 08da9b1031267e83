/* TN3270 server: operator and guest consoles of a member on 3270 terminals (CNSLPORT of the
 * hardware file), or the 3270 displays of the one machine of `endicott ipl`. Screens, keys,
 * negotiation: docs/tn3270.md. Loop thread. */
#ifndef ENDICOTT_CLI_TN3270_H
#define ENDICOTT_CLI_TN3270_H

#include <uv.h>

#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define TN3270_TERMINALS_MAX 64
#define TN3270_TURNED_AWAY_MAX 8    /* further ones are told so; beyond them, hung up on */
#define TN3270_TURNED_AWAY_MS 10000 /* how long they may read it */
#define TN3270_NEGOTIATE_MS 30000   /* from connection to a 3270 terminal */
#define TN3270_BACKLOG_BYTES 65536  /* unread output: the terminal waits for its own screen */
#define TN3270_BACKLOG_MAX_BYTES 1048576 /* unread output: the terminal is hung up on */
#define TN3270_BAD_LOGONS_MAX 5          /* of one connection */
#define TN3270_GONE_S 20  /* a terminal that does not even acknowledge is gone after so long */
#define TN3270_LU_BYTES 9 /* a name of 8 characters */
#define TN3270_DISPLAYS_MAX 16

struct member;
struct ssi;
struct tn3270;
struct vm;

/** A display of the machine, by LU name. */
struct tn3270_display {
    u16 devno;
    char lu[TN3270_LU_BYTES];
};

struct tn3270_config {
    uv_loop_t *loop;
    const char *system;  /* its name on screens */
    const char *address; /* PORT, IPV4:PORT or [IPV6]:PORT; port 0: any free one; NULL: does not
                            * listen, and shows terminals of other members only */
    const char *pem;     /* TLS: certificate and private key; NULL: in clear */
    struct member *member; /* consoles of its users; NULL: displays of a machine */
    struct vm **vm;        /* the machine: may be another one each time it is looked at */
    const struct tn3270_display *displays;
    unsigned display_count;
};

/** Is this an address to listen on? */
bool tn3270_address_ok(const char *address);
/** Listen. What `config` points to outlives the server. */
struct tn3270 *tn3270_create(const struct tn3270_config *config, struct cause *cause);
/** Hang up on all terminals; memory is freed as the loop goes round. NULL is fine. */
void tn3270_destroy(struct tn3270 *server);

/** A member's: its users' terminals go along with them over the cluster. Before the join; `ssi`
 *  NULL: there is none. */
int tn3270_away_open(struct tn3270 *server, struct ssi *ssi, struct cause *cause);

/** The port it listens on; 0 = there is no server. */
unsigned tn3270_port(const struct tn3270 *server);
/** Some console or display has news: show it, and notice who was disconnected. NULL is fine. */
void tn3270_recheck(struct tn3270 *server);

#endif
