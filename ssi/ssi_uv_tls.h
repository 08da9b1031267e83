/* Mutual TLS 1.3 of SSI links, by OpenSSL where it was found at build time. No sockets: bytes
 * from the network go in, bytes for it come out. Both sides show a certificate of the cluster's
 * own authority, whose subject names cluster (O) and member (CN). One thread at a time for each
 * connection; the rest is the loop thread's. */
#ifndef ENDICOTT_SSI_SSI_UV_TLS_H
#define ENDICOTT_SSI_SSI_UV_TLS_H

#include "ssi/ssi_ports.h"

#define TLS_WHY_BYTES 200

/** Certificate, key and authority of this member. */
struct ssi_tls;
/** One connection. */
struct ssi_tls_conn;

/**
 * Read ca.pem, MEMBER.pem, MEMBER.key and, when it is there, crl.pem (what the authority has
 * revoked) in folder `dir`. ST_PERM: others may read the folder or a key; ST_CONFIG: missing, of
 * another member or cluster, expired, revoked, or no pair; ST_REFUSED: this build has no TLS. The
 * cause says how to mend it. `*out` is the caller's (ssi_tls_close).
 */
int ssi_tls_open(const char *dir, const char *cluster, const char *member, struct ssi_tls **out,
                 struct cause *cause);
void ssi_tls_close(struct ssi_tls *tls);
/**
 * Have the files changed since they were read? Then read them again, for new connections; those
 * that are there keep what they have. Fails as ssi_tls_open, or because crl.pem has gone, once for
 * each change: the old keys stay in use.
 */
int ssi_tls_refresh(struct ssi_tls *tls, struct cause *cause);

/** Would the certificate that this connection began with be taken now? If not: `why`. Loop thread,
 *  whoever uses the connection. */
bool ssi_tls_still_good(const struct ssi_tls *tls, const struct ssi_tls_conn *conn,
                        char why[TLS_WHY_BYTES]);

/** A connection, as the side that accepted it or that called; NULL without memory. */
struct ssi_tls_conn *ssi_tls_begin(struct ssi_tls *tls, bool accepted);
void ssi_tls_end(struct ssi_tls_conn *conn);

/** Bytes from the network, when none are unread; they stay until they are read. */
void ssi_tls_receive(struct ssi_tls_conn *conn, const u8 *bytes, size_t len);
/** How many of them are. A handshake or ssi_tls_read that waits for more leaves none. */
size_t ssi_tls_unread(const struct ssi_tls_conn *conn);

enum tls_step { TLS_MORE, TLS_READY, TLS_FAILED };
/** Go on with the handshake. TLS_FAILED: ssi_tls_why tells why. */
enum tls_step ssi_tls_step(struct ssi_tls_conn *conn);

/** What the peer said: bytes copied; 0: no more now, or it failed (ssi_tls_failed). */
size_t ssi_tls_read(struct ssi_tls_conn *conn, u8 *out, size_t room);
/** Encrypt at most TLS_SLICE_BYTES; ssi_tls_output has them then. False: not ready, or failed. */
#define TLS_SLICE_BYTES (128u << 10)
bool ssi_tls_write(struct ssi_tls_conn *conn, const void *bytes, size_t len);
/** What is to go to the network, until the next call of anything here; 0: nothing. */
size_t ssi_tls_output(struct ssi_tls_conn *conn, const u8 **bytes);
/** All of it has been taken. */
void ssi_tls_output_done(struct ssi_tls_conn *conn);

/** Much will be read and written: keep its buffers. */
void ssi_tls_bulk(struct ssi_tls_conn *conn);

bool ssi_tls_failed(const struct ssi_tls_conn *conn);
/** In words that go behind "SSI connection from X closed:". */
const char *ssi_tls_why(const struct ssi_tls_conn *conn);
/** After TLS_READY: who the peer's certificate says it is, and the session's binding. */
void ssi_tls_peer(const struct ssi_tls_conn *conn, struct ssi_peer *out);

#endif
