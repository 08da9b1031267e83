/* TLS over two memory buffers: the network's bytes in one, those for the network in the other. */
#include "cli/tn3270/tn3270_tls.h"

#include <stdlib.h>

#ifdef HAVE_OPENSSL
#include <openssl/err.h>
#include <openssl/ssl.h>

struct tn_tls_server {
    SSL_CTX *ctx;
};

/* Located by its connection, which creates and ends it. */
struct tn_tls {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    bool broken;
};

static int failed(struct tn_tls_server *s, const char *pem, struct cause *cause)
{
    char why[160];
    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    ERR_clear_error();
    tn_tls_server_destroy(s);
    return cause_set(cause, ST_CONFIG, "%s: no certificate with its private key: %s", pem, why);
}

int tn_tls_server_create(const char *pem, struct tn_tls_server **out, struct cause *cause)
{
    struct tn_tls_server *s = calloc(1, sizeof *s);
    if (!s || !(s->ctx = SSL_CTX_new(TLS_server_method()))) {
        free(s);
        return cause_set(cause, ST_NOMEM, "out of memory");
    }
    SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(s->ctx, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_use_certificate_chain_file(s->ctx, pem) != 1 ||
        SSL_CTX_use_PrivateKey_file(s->ctx, pem, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(s->ctx) != 1)
        return failed(s, pem, cause);
    *out = s;
    return ST_OK;
}

void tn_tls_server_destroy(struct tn_tls_server *s)
{
    if (s)
        SSL_CTX_free(s->ctx);
    free(s);
}

struct tn_tls *tn_tls_begin(struct tn_tls_server *s)
{
    struct tn_tls *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->ssl = SSL_new(s->ctx);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->in || !t->out) {
        BIO_free(t->in);
        BIO_free(t->out);
        SSL_free(t->ssl);
        free(t);
        return NULL;
    }
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_accept_state(t->ssl);
    return t;
}

void tn_tls_end(struct tn_tls *t)
{
    if (t)
        SSL_free(t->ssl);
    free(t);
}

/* After a call that returned `rc` <= 0: does it only wait for more? */
static bool waits(struct tn_tls *t, int rc)
{
    int error = SSL_get_error(t->ssl, rc);
    ERR_clear_error();
    t->broken |= error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
    return !t->broken;
}

bool tn_tls_receive(struct tn_tls *t, const u8 *bytes, size_t len)
{
    if (t->broken || BIO_write(t->in, bytes, (int)len) != (int)len)
        return false;
    if (SSL_is_init_finished(t->ssl))
        return true;
    int rc = SSL_do_handshake(t->ssl);
    return rc == 1 || waits(t, rc);
}

bool tn_tls_ready(struct tn_tls *t)
{
    return SSL_is_init_finished(t->ssl) && !t->broken;
}

size_t tn_tls_read(struct tn_tls *t, u8 *out, size_t room)
{
    int rc = t->broken ? 0 : SSL_read(t->ssl, out, (int)room);
    if (rc > 0)
        return (size_t)rc;
    if (!t->broken)
        waits(t, rc);
    return 0;
}

bool tn_tls_write(struct tn_tls *t, const u8 *bytes, size_t len)
{
    int rc = t->broken ? 0 : SSL_write(t->ssl, bytes, (int)len);
    if (rc <= 0 && !t->broken)
        waits(t, rc);
    return rc == (int)len;
}

size_t tn_tls_output(struct tn_tls *t, u8 *out, size_t room)
{
    int n = BIO_read(t->out, out, (int)room);
    return n > 0 ? (size_t)n : 0;
}

#else

struct tn_tls {
    int none;
};

int tn_tls_server_create(const char *pem, struct tn_tls_server **out, struct cause *cause)
{
    (void)out;
    return cause_set(cause, ST_REFUSED, "%s: this build has no TLS (libssl-dev)", pem);
}

void tn_tls_server_destroy(struct tn_tls_server *server)
{
    (void)server;
}

struct tn_tls *tn_tls_begin(struct tn_tls_server *server)
{
    (void)server;
    return NULL;
}

void tn_tls_end(struct tn_tls *tls)
{
    (void)tls;
}

bool tn_tls_receive(struct tn_tls *tls, const u8 *bytes, size_t len)
{
    (void)tls;
    (void)bytes;
    (void)len;
    return false;
}

bool tn_tls_ready(struct tn_tls *tls)
{
    (void)tls;
    return false;
}

size_t tn_tls_read(struct tn_tls *tls, u8 *out, size_t room)
{
    (void)tls;
    (void)out;
    (void)room;
    return 0;
}

bool tn_tls_write(struct tn_tls *tls, const u8 *bytes, size_t len)
{
    (void)tls;
    (void)bytes;
    (void)len;
    return false;
}

size_t tn_tls_output(struct tn_tls *tls, u8 *out, size_t room)
{
    (void)tls;
    (void)out;
    (void)room;
    return 0;
}

#endif
