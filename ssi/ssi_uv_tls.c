/* TLS 1.3 over memory: the network's bytes are read where they are, those for the network are
 * collected in one buffer (OpenSSL's own memory BIO clears and moves what it holds: a third of the
 * processor time of a relocation in TLS).
 * Replay: there are no tickets, no resumption and no early data, so that every connection has a
 * handshake of its own with fresh keys, and HELLO carries the session's exporter value (RFC 9266):
 * what was recorded of one connection means nothing on another. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "ssi/ssi_uv_tls.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef HAVE_OPENSSL
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem/base/ergo.h"

#define TLS_CERTIFICATES_BYTES_MAX (16l << 10) /* of a peer: one certificate, or two */
#define TLS_DEPTH_MAX 1                        /* the authority signs members itself */
#define EXPORTER "EXPORTER-Channel-Binding"    /* RFC 9266 */
/* The fastest one first: AES-256 takes a quarter more, and both are good for decades. */
#define CIPHERS "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define TLS_OUT_BYTES_FIRST (20u << 10) /* a record and what belongs to it */

#define TLS_FILES 4

/* When the files that were read last have been written. */
struct tls_stamp {
    ino_t inode[TLS_FILES];
    struct timespec time[TLS_FILES];
};

struct ssi_tls {
    SSL_CTX *ctx;
    BIO_METHOD *memory; /* of connections: struct ssi_tls_conn's bytes */
    char dir[SSI_PATH_BYTES], cluster[SSI_NAME_BYTES], member[SSI_NAME_BYTES];
    struct tls_stamp stamp;
    bool revokes; /* there is a list of revoked certificates */
};

/* Located by its uv_conn, which creates and ends it. */
struct ssi_tls_conn {
    SSL *ssl;
    const u8 *in; /* the caller's, good until all of it is read */
    size_t in_len;
    u8 *out;
    size_t out_len, out_room;
    X509 *cert; /* the peer's, and who that is, once TLS is up */
    struct ssi_peer peer;
    bool failed;
    int verify; /* X509_V_...: what was wrong with the peer's certificate */
    char who[2 * SSI_NAME_BYTES + 4]; /* whose it was, for that message */
    char why[TLS_WHY_BYTES];
};

/* --- names ----------------------------------------------------------------------------------- */

/* The one entry `nid` of a subject; false when there is none, more than one, or it does not fit. */
static bool subject_entry(X509_NAME *subject, int nid, char out[SSI_NAME_BYTES])
{
    int at = X509_NAME_get_index_by_NID(subject, nid, -1);
    unsigned char *text = NULL;
    memset(out, 0, SSI_NAME_BYTES);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, nid, at) >= 0)
        return false;
    ASN1_STRING *entry = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    int len = ASN1_STRING_to_UTF8(&text, entry);
    bool good = len > 0 && len < SSI_NAME_BYTES;
    for (int i = 0; good && i < len; i++)
        good = text[i] > ' ' && text[i] <= '~';
    if (good)
        memcpy(out, text, (size_t)len);
    OPENSSL_free(text);
    return good;
}

static bool names_of(X509 *cert, char cluster[SSI_NAME_BYTES], char member[SSI_NAME_BYTES])
{
    X509_NAME *subject = cert ? X509_get_subject_name(cert) : NULL;
    bool good = subject && subject_entry(subject, NID_organizationName, cluster) &&
                subject_entry(subject, NID_commonName, member);
    if (!good)
        cluster[0] = member[0] = 0;
    return good;
}

/* --- this member's keys ---------------------------------------------------------------------- */

static int private_file(const char *path, const char *advice, bool must, struct cause *cause)
{
    struct stat st;
    if (stat(path, &st))
        return must || errno != ENOENT
                   ? cause_set(cause, ST_CONFIG, "%s: %s: %s", path, strerror(errno), advice)
                   : ST_OK;
    if (st.st_mode & 077)
        return cause_set(cause, ST_PERM, "others may read %s: chmod go= %s", path, path);
    return ST_OK;
}

static int openssl_cause(const char *path, const char *what, struct cause *cause)
{
    char why[160];
    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    ERR_clear_error();
    return cause_set(cause, ST_CONFIG, "%s: %s: %s", path, what, why);
}

/* X509_V_...: what is wrong with a certificate today. */
static int cert_verify(const struct ssi_tls *tls, X509 *cert)
{
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    int error = X509_V_ERR_OUT_OF_MEM;
    if (check && X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(tls->ctx), cert, NULL))
        error = X509_verify_cert(check) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(check);
    X509_STORE_CTX_free(check);
    ERR_clear_error();
    return error;
}

/* Is our own certificate the one of this member, and good today? Else no peer would take it. */
static int own_check(struct ssi_tls *tls, const char *path, const char *name,
                     const char *advice, struct cause *cause)
{
    char cluster[SSI_NAME_BYTES], member[SSI_NAME_BYTES], both[2 * SSI_NAME_BYTES + 2];
    X509 *cert = SSL_CTX_get0_certificate(tls->ctx);
    int error = cert_verify(tls, cert);
    names_of(cert, cluster, member);
    snprintf(both, sizeof both, "%s.%s", cluster, member);
    if (strcmp(both, name))
        return cause_set(cause, ST_CONFIG, "%s is the certificate of %s, not of %s", path,
                         cluster[0] ? both : "nobody", name);
    if (error != X509_V_OK)
        return cause_set(cause, ST_CONFIG, "%s: %s: %s", path,
                         X509_verify_cert_error_string(error), advice);
    return ST_OK;
}

static int ctx_verify(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct ssi_tls_conn *conn = ssl ? SSL_get_app_data(ssl) : NULL;
    char cluster[SSI_NAME_BYTES], member[SSI_NAME_BYTES];
    if (good || !conn)
        return good;
    conn->verify = X509_STORE_CTX_get_error(store);
    if (names_of(X509_STORE_CTX_get0_cert(store), cluster, member))
        snprintf(conn->who, sizeof conn->who, " (%s.%s)", cluster, member);
    return 0;
}

static void ctx_policy(SSL_CTX *ctx)
{
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(ctx, CIPHERS);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(ctx, 0);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_cert_list(ctx, TLS_CERTIFICATES_BYTES_MAX);
    SSL_CTX_set_verify_depth(ctx, TLS_DEPTH_MAX);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, ctx_verify);
}

/* What the authority has revoked, when it has told so; its list counts for peers and for us. */
static int revoked_load(struct ssi_tls *tls, const char *dir, struct cause *cause)
{
    char path[SSI_PATH_BYTES + 32];
    X509_STORE *store = SSL_CTX_get_cert_store(tls->ctx);
    X509_LOOKUP *file = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    snprintf(path, sizeof path, "%s/crl.pem", dir);
    if (access(path, F_OK) && errno == ENOENT)
        return ST_OK;
    if (!file || X509_load_crl_file(file, path, X509_FILETYPE_PEM) != 1)
        return openssl_cause(path, "no list of revoked certificates", cause);
    tls->revokes = true;
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return ST_OK;
}

static int keys_load(struct ssi_tls *tls, const char *dir, const char *name, const char *member,
                     struct cause *cause)
{
    char pem[SSI_PATH_BYTES + 32], key[SSI_PATH_BYTES + 32], ca[SSI_PATH_BYTES + 32];
    char ca_key[SSI_PATH_BYTES + 32], advice[64];
    snprintf(pem, sizeof pem, "%s/%s.pem", dir, member);
    snprintf(key, sizeof key, "%s/%s.key", dir, member);
    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    snprintf(ca_key, sizeof ca_key, "%s/ca.key", dir);
    snprintf(advice, sizeof advice, "endicott cluster keys DIR %s makes it", member);
    int rc = private_file(dir, advice, true, cause);
    if (!rc)
        rc = private_file(key, advice, true, cause);
    if (!rc)
        rc = private_file(ca_key, "", false, cause);
    if (rc)
        return rc;
    if (SSL_CTX_load_verify_file(tls->ctx, ca) != 1)
        return openssl_cause(ca, "no certificate of an authority", cause);
    if ((rc = revoked_load(tls, dir, cause)))
        return rc;
    if (SSL_CTX_use_certificate_file(tls->ctx, pem, SSL_FILETYPE_PEM) != 1)
        return openssl_cause(pem, advice, cause);
    if (SSL_CTX_use_PrivateKey_file(tls->ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(tls->ctx) != 1)
        return openssl_cause(key, "no private key of that certificate", cause);
    snprintf(advice, sizeof advice, "endicott cluster keys DIR %s --force renews it", member);
    return own_check(tls, pem, name, advice, cause);
}

static struct tls_stamp stamp_of(const char *dir, const char *member)
{
    struct tls_stamp stamp = {0};
    const char *files[TLS_FILES][2] = {
        {member, ".pem"}, {member, ".key"}, {"ca", ".pem"}, {"crl", ".pem"}};
    for (unsigned i = 0; i < TLS_FILES; i++) {
        char path[SSI_PATH_BYTES + 32];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s%s", dir, files[i][0], files[i][1]);
        if (stat(path, &st))
            continue;
        stamp.inode[i] = st.st_ino;
        stamp.time[i] = st.st_mtim;
    }
    return stamp;
}

static bool stamps_equal(const struct tls_stamp *a, const struct tls_stamp *b)
{
    bool equal = true;
    for (unsigned i = 0; i < TLS_FILES; i++)
        equal = equal && a->inode[i] == b->inode[i] && a->time[i].tv_sec == b->time[i].tv_sec &&
                a->time[i].tv_nsec == b->time[i].tv_nsec;
    return equal;
}

/* --- the bytes of a connection --- */

static int memory_read(BIO *bio, char *to, size_t len, size_t *got)
{
    struct ssi_tls_conn *conn = BIO_get_data(bio);
    size_t n = len < conn->in_len ? len : conn->in_len;
    BIO_clear_retry_flags(bio);
    *got = n;
    if (!n) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(to, conn->in, n);
    conn->in += n;
    conn->in_len -= n;
    return 1;
}

static int memory_write(BIO *bio, const char *from, size_t len, size_t *written)
{
    struct ssi_tls_conn *conn = BIO_get_data(bio);
    size_t need = conn->out_len + len, room = conn->out_room ? conn->out_room : 1;
    BIO_clear_retry_flags(bio);
    *written = 0;
    while (room < need)
        room = room < TLS_OUT_BYTES_FIRST ? TLS_OUT_BYTES_FIRST : room * 2;
    u8 *out = room == conn->out_room ? conn->out : realloc(conn->out, room);
    if (!out)
        return 0;
    conn->out = out;
    conn->out_room = room;
    memcpy(out + conn->out_len, from, len);
    conn->out_len = need;
    *written = len;
    return 1;
}

static long memory_ctrl(BIO *bio, int command, long number, void *what)
{
    (void)bio;
    (void)number;
    (void)what;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *memory_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bytes of a link");
    if (m && BIO_meth_set_read_ex(m, memory_read) && BIO_meth_set_write_ex(m, memory_write) &&
        BIO_meth_set_ctrl(m, memory_ctrl))
        return m;
    BIO_meth_free(m);
    return NULL;
}

int ssi_tls_open(const char *dir, const char *cluster, const char *member, struct ssi_tls **out,
                 struct cause *cause)
{
    char name[2 * SSI_NAME_BYTES + 2];
    struct ssi_tls *tls = calloc(1, sizeof *tls);
    if (!tls || !(tls->ctx = SSL_CTX_new(TLS_method())) || !(tls->memory = memory_method())) {
        ssi_tls_close(tls);
        return cause_set(cause, ST_NOMEM, "out of memory");
    }
    ctx_policy(tls->ctx);
    snprintf(tls->dir, sizeof tls->dir, "%s", dir);
    snprintf(tls->cluster, sizeof tls->cluster, "%s", cluster);
    snprintf(tls->member, sizeof tls->member, "%s", member);
    tls->stamp = stamp_of(dir, member);
    snprintf(name, sizeof name, "%s.%s", cluster, member);
    int rc = keys_load(tls, dir, name, member, cause);
    if (rc) {
        ssi_tls_close(tls);
        return rc;
    }
    *out = tls;
    return ST_OK;
}

int ssi_tls_refresh(struct ssi_tls *tls, struct cause *cause)
{
    struct tls_stamp now = stamp_of(tls->dir, tls->member);
    struct ssi_tls *anew = NULL;
    if (stamps_equal(&now, &tls->stamp))
        return ST_OK;
    tls->stamp = now;
    int rc = ssi_tls_open(tls->dir, tls->cluster, tls->member, &anew, cause);
    if (rc)
        return rc;
    if (tls->revokes && !anew->revokes) {
        ssi_tls_close(anew);
        return cause_set(cause, ST_CONFIG,
                         "%s/crl.pem is gone: what it revoked would be taken again", tls->dir);
    }
    tls->revokes = anew->revokes;
    SSL_CTX *old = tls->ctx; /* connections that are there hold it */
    tls->ctx = anew->ctx;
    tls->stamp = anew->stamp;
    anew->ctx = old;
    ssi_tls_close(anew);
    return ST_OK;
}

void ssi_tls_close(struct ssi_tls *tls)
{
    if (tls) {
        SSL_CTX_free(tls->ctx);
        BIO_meth_free(tls->memory);
    }
    free(tls);
}

/* --- connections ----------------------------------------------------------------------------- */

struct ssi_tls_conn *ssi_tls_begin(struct ssi_tls *tls, bool accepted)
{
    struct ssi_tls_conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        return NULL;
    conn->ssl = SSL_new(tls->ctx);
    BIO *bio = BIO_new(tls->memory);
    if (!conn->ssl || !bio) {
        BIO_free(bio);
        SSL_free(conn->ssl);
        free(conn);
        return NULL;
    }
    BIO_set_data(bio, conn);
    BIO_set_init(bio, 1);
    SSL_set_app_data(conn->ssl, conn);
    SSL_set_bio(conn->ssl, bio, bio);
    if (accepted)
        SSL_set_accept_state(conn->ssl);
    else
        SSL_set_connect_state(conn->ssl);
    return conn;
}

void ssi_tls_end(struct ssi_tls_conn *conn)
{
    if (conn) {
        SSL_free(conn->ssl);
        X509_free(conn->cert);
        free(conn->out);
    }
    free(conn);
}

static const char *verify_text(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_REVOKED:
        return "has been revoked: endicott cluster keys DIR MEMBER --force makes another";
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "has expired: endicott cluster keys DIR MEMBER --force renews it there";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "is not valid yet: compare the clocks of both hosts";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "is not of this cluster's authority: copy keys/ca.pem and have it made anew";
    default: return X509_verify_cert_error_string(error);
    }
}

/* Why OpenSSL has given up, from its queue of errors. */
static void explain(struct ssi_tls_conn *conn)
{
    unsigned long error = ERR_peek_last_error();
    int reason = ERR_GET_REASON(error);
    if (conn->verify != X509_V_OK)
        snprintf(conn->why, sizeof conn->why, "its certificate%s %s", conn->who,
                 verify_text(conn->verify));
    else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        snprintf(conn->why, sizeof conn->why, "it shows no certificate");
    else if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
        snprintf(conn->why, sizeof conn->why, "it does not take this system's certificate: %s",
                 SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
    else
        snprintf(conn->why, sizeof conn->why, "it does not speak TLS 1.3 as members do: %s",
                 error ? ERR_reason_error_string(error) : "it ended too early");
    conn->failed = true;
}

/* After a call that returned `rc` <= 0: does it only wait for more? */
static bool waits(struct ssi_tls_conn *conn, int rc)
{
    int error = SSL_get_error(conn->ssl, rc);
    bool good = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_ZERO_RETURN) {
        snprintf(conn->why, sizeof conn->why, "it closed the connection");
        conn->failed = true;
    } else if (!good) {
        explain(conn);
    }
    ERR_clear_error();
    return good;
}

void ssi_tls_receive(struct ssi_tls_conn *conn, const u8 *bytes, size_t len)
{
    PRE(!conn->in_len || conn->failed);
    conn->in = bytes;
    conn->in_len = len;
}

size_t ssi_tls_unread(const struct ssi_tls_conn *conn)
{
    return conn->failed ? 0 : conn->in_len;
}

bool ssi_tls_still_good(const struct ssi_tls *tls, const struct ssi_tls_conn *conn,
                        char why[TLS_WHY_BYTES])
{
    X509 *cert = conn->cert;
    int error = cert_verify(tls, cert);
    if (error == X509_V_OK || error == X509_V_ERR_OUT_OF_MEM)
        return true;
    char cluster[SSI_NAME_BYTES], member[SSI_NAME_BYTES];
    names_of(cert, cluster, member);
    snprintf(why, TLS_WHY_BYTES, "its certificate (%s.%s) %s", cluster, member,
             verify_text(error));
    return false;
}

/* TLS is up: what else asks the session for would not do beside a thread that uses it. */
static void peer_keep(struct ssi_tls_conn *conn)
{
    struct ssi_peer *peer = &conn->peer;
    conn->cert = SSL_get1_peer_certificate(conn->ssl);
    if (names_of(conn->cert, peer->cluster, peer->member))
        peer->tls = SSL_export_keying_material(conn->ssl, peer->binding, sizeof peer->binding,
                                               EXPORTER, strlen(EXPORTER), NULL, 0, 0) == 1;
    snprintf(peer->cipher, sizeof peer->cipher, "%s", SSL_get_cipher_name(conn->ssl));
    ERR_clear_error();
}

enum tls_step ssi_tls_step(struct ssi_tls_conn *conn)
{
    if (conn->failed)
        return TLS_FAILED;
    int rc = SSL_do_handshake(conn->ssl);
    if (rc == 1 && !conn->cert)
        peer_keep(conn);
    if (rc == 1)
        return TLS_READY;
    return waits(conn, rc) ? TLS_MORE : TLS_FAILED;
}

size_t ssi_tls_read(struct ssi_tls_conn *conn, u8 *out, size_t room)
{
    size_t got = 0;
    int rc = conn->failed ? 0 : SSL_read_ex(conn->ssl, out, room, &got);
    if (rc == 1)
        return got;
    if (!conn->failed)
        waits(conn, rc);
    return 0;
}

bool ssi_tls_write(struct ssi_tls_conn *conn, const void *bytes, size_t len)
{
    if (conn->failed || !SSL_is_init_finished(conn->ssl))
        return false;
    int rc = SSL_write(conn->ssl, bytes, (int)len);
    if (rc <= 0)
        waits(conn, rc);
    return rc == (int)len;
}

size_t ssi_tls_output(struct ssi_tls_conn *conn, const u8 **bytes)
{
    *bytes = conn->out;
    return conn->out_len;
}

void ssi_tls_output_done(struct ssi_tls_conn *conn)
{
    conn->out_len = 0;
}

void ssi_tls_bulk(struct ssi_tls_conn *conn)
{
    SSL_clear_mode(conn->ssl, SSL_MODE_RELEASE_BUFFERS);
}

bool ssi_tls_failed(const struct ssi_tls_conn *conn)
{
    return conn->failed;
}

const char *ssi_tls_why(const struct ssi_tls_conn *conn)
{
    return conn->why;
}

void ssi_tls_peer(const struct ssi_tls_conn *conn, struct ssi_peer *out)
{
    *out = conn->peer;
}

#else

int ssi_tls_open(const char *dir, const char *cluster, const char *member, struct ssi_tls **out,
                 struct cause *cause)
{
    (void)cluster;
    (void)member;
    (void)out;
    return cause_set(cause, ST_REFUSED, "%s: this build has no TLS (libssl-dev)", dir);
}

void ssi_tls_close(struct ssi_tls *tls)
{
    (void)tls;
}

int ssi_tls_refresh(struct ssi_tls *tls, struct cause *cause)
{
    (void)tls;
    return cause_set(cause, ST_REFUSED, "this build has no TLS (libssl-dev)");
}

bool ssi_tls_still_good(const struct ssi_tls *tls, const struct ssi_tls_conn *conn,
                        char why[TLS_WHY_BYTES])
{
    (void)tls;
    (void)conn;
    snprintf(why, TLS_WHY_BYTES, "%s", ssi_tls_why(conn));
    return false;
}

struct ssi_tls_conn *ssi_tls_begin(struct ssi_tls *tls, bool accepted)
{
    (void)tls;
    (void)accepted;
    return NULL;
}

void ssi_tls_end(struct ssi_tls_conn *conn)
{
    (void)conn;
}

void ssi_tls_receive(struct ssi_tls_conn *conn, const u8 *bytes, size_t len)
{
    (void)conn;
    (void)bytes;
    (void)len;
}

size_t ssi_tls_unread(const struct ssi_tls_conn *conn)
{
    (void)conn;
    return 0;
}

enum tls_step ssi_tls_step(struct ssi_tls_conn *conn)
{
    (void)conn;
    return TLS_FAILED;
}

size_t ssi_tls_read(struct ssi_tls_conn *conn, u8 *out, size_t room)
{
    (void)conn;
    (void)out;
    (void)room;
    return 0;
}

bool ssi_tls_write(struct ssi_tls_conn *conn, const void *bytes, size_t len)
{
    (void)conn;
    (void)bytes;
    (void)len;
    return false;
}

size_t ssi_tls_output(struct ssi_tls_conn *conn, const u8 **bytes)
{
    (void)conn;
    (void)bytes;
    return 0;
}

void ssi_tls_output_done(struct ssi_tls_conn *conn)
{
    (void)conn;
}

void ssi_tls_bulk(struct ssi_tls_conn *conn)
{
    (void)conn;
}

bool ssi_tls_failed(const struct ssi_tls_conn *conn)
{
    (void)conn;
    return true;
}

const char *ssi_tls_why(const struct ssi_tls_conn *conn)
{
    (void)conn;
    return "this build has no TLS";
}

void ssi_tls_peer(const struct ssi_tls_conn *conn, struct ssi_peer *out)
{
    (void)conn;
    memset(out, 0, sizeof *out);
}

#endif
