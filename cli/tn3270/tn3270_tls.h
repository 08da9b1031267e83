/* TLS for terminals, by OpenSSL where it was found at build time. No sockets: bytes from the
 * network go in, bytes for it come out, and between them is what the terminal says. TLS 1.2 and
 * later; the terminal shows no certificate. Loop thread. */
#ifndef ENDICOTT_CLI_TN3270_TLS_H
#define ENDICOTT_CLI_TN3270_TLS_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

struct tn_tls_server;
struct tn_tls;

/** `pem`: a file with the certificate, those above it, and the private key. ST_CONFIG with cause;
 *  ST_REFUSED when this build has no TLS. */
int tn_tls_server_create(const char *pem, struct tn_tls_server **out, struct cause *cause);
void tn_tls_server_destroy(struct tn_tls_server *server);

/** A connection; NULL without memory. */
struct tn_tls *tn_tls_begin(struct tn_tls_server *server);
void tn_tls_end(struct tn_tls *tls);
/** Bytes from the network. False: this is no TLS, or it has ended. */
bool tn_tls_receive(struct tn_tls *tls, const u8 *bytes, size_t len);
/** Has the handshake been done? */
bool tn_tls_ready(struct tn_tls *tls);
/** What the terminal said: bytes copied, 0: no more now. */
size_t tn_tls_read(struct tn_tls *tls, u8 *out, size_t room);
/** Say something to the terminal; the connection is ready. */
bool tn_tls_write(struct tn_tls *tls, const u8 *bytes, size_t len);
/** What is to go to the network: bytes copied, 0: nothing. */
size_t tn_tls_output(struct tn_tls *tls, u8 *out, size_t room);

#endif
