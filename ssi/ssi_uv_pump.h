/* The thread of a bulk stream in TLS: it reads and decrypts what comes, encrypts and writes what is
 * to go, so that the loop does not. The loop has a queue to it, a ring from it, and never waits for
 * it but for its end. Functions are the loop thread's. */
#ifndef ENDICOTT_SSI_SSI_UV_PUMP_H
#define ENDICOTT_SSI_SSI_UV_PUMP_H

#include "ssi/ssi_uv_tls.h"

struct ssi_pump;

/* How it ended: 0 it was to, errno negated, or: */
#define PUMP_EOF 1     /* of the peer */
#define PUMP_REFUSED 2 /* TLS has failed: ssi_tls_why */

/** Take over a connection that is up: its socket (not blocking; the caller's to close, after the
 *  pump) and its session, which nobody else uses until the pump is freed. `note` is called, on any
 *  thread, when there is something for the loop. NULL: no memory, or no thread; nothing has
 *  changed. */
struct ssi_pump *ssi_pump_start(int fd, struct ssi_tls_conn *tls, void (*note)(void *arg),
                                void *arg);

/** Queue bytes behind those that wait, copied but for `sent`, with which only the first piece is:
 *  true, and the others stay as they are until sent->fn is called, by ssi_pump_sent or
 *  ssi_pump_free. Little is sent at once when nothing waits. Without memory the pump ends. */
bool ssi_pump_send(struct ssi_pump *pump, const struct ssi_iov *iov, unsigned n,
                   const struct ssi_sent *sent);
/** Bytes that wait. */
size_t ssi_pump_backlog(struct ssi_pump *pump);
/** Give back what has gone. True: some has, since the last call. */
bool ssi_pump_sent(struct ssi_pump *pump);

/** What has come and is not consumed, in one piece, until ssi_pump_consumed. */
size_t ssi_pump_received(struct ssi_pump *pump, const u8 **bytes);
void ssi_pump_consumed(struct ssi_pump *pump, size_t len);
/** Take no more from the network until told to go on. */
void ssi_pump_pause(struct ssi_pump *pump, bool paused);

/** It is to end: when all has gone that waits (`flush`), or now. */
void ssi_pump_end(struct ssi_pump *pump, bool flush);
/** Has it? Then `*error`; what it has received by then is there. */
bool ssi_pump_ended(struct ssi_pump *pump, int *error);
/** After its end: what it kept is given back. NULL is nothing. */
void ssi_pump_free(struct ssi_pump *pump);

#endif
