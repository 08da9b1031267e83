/* Making certificates with OpenSSL: ECDSA on P-256, cluster as organization, member as common
 * name. A private key is in a file of mode 0600 from its first byte on. */
#include "cli/cluster/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 1200

static void path_of(const char *dir, const char *name, const char *end, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s%s", dir, name, end);
}

bool keys_there(const char *dir, const char *member)
{
    char pem[PATH_BYTES], key[PATH_BYTES];
    path_of(dir, member, ".pem", pem);
    path_of(dir, member, ".key", key);
    return access(pem, F_OK) == 0 || access(key, F_OK) == 0;
}

#ifdef HAVE_OPENSSL
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define SERIAL_BITS 127
#define BACKDATE_S (-3600l) /* clocks of two hosts differ a little */
#define DAY_S 86400l

/* A certificate and its key, both ours. */
struct pair {
    X509 *cert;
    EVP_PKEY *key;
};

static void pair_free(struct pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
    *p = (struct pair){NULL, NULL};
}

static int openssl_cause(const char *what, struct cause *cause)
{
    char why[160];
    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    ERR_clear_error();
    return cause_set(cause, ST_IO, "%s: %s", what, why);
}

/* --- files ----------------------------------------------------------------------------------- */

/* A file beside `path`, to be put in its place; NULL with a cause. */
static FILE *file_begin(const char *path, char temp[PATH_BYTES + 8], struct cause *cause)
{
    snprintf(temp, PATH_BYTES + 8, "%s.new", path);
    unlink(temp);
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file)
        return file;
    cause_set(cause, errno == EACCES || errno == EROFS ? ST_PERM : ST_IO, "%s: %s", temp,
              strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}

static int file_end(FILE *file, const char *temp, const char *path, bool good,
                    struct cause *cause)
{
    good = fflush(file) == 0 && good && fsync(fileno(file)) == 0;
    good = fclose(file) == 0 && good && rename(temp, path) == 0;
    if (good)
        return ST_OK;
    cause_set(cause, ST_IO, "%s: %s", path, errno ? strerror(errno) : "cannot be written");
    unlink(temp);
    return ST_IO;
}

/* The certificate and then the key, so that a key without its certificate is never in use. */
static int pair_write(const struct keys_request *r, const char *name, const struct pair *p,
                      struct cause *cause)
{
    char path[PATH_BYTES], temp[PATH_BYTES + 8];
    for (int i = 0; i < 2; i++) {
        path_of(r->dir, name, i ? ".pem" : ".key", path);
        errno = 0;
        FILE *file = file_begin(path, temp, cause);
        if (!file)
            return cause->status;
        bool good = i ? PEM_write_X509(file, p->cert) == 1
                      : PEM_write_PrivateKey(file, p->key, NULL, NULL, 0, NULL, NULL) == 1;
        if (file_end(file, temp, path, good, cause))
            return ST_IO;
        if (r->wrote)
            r->wrote(r->ctx, path);
    }
    return ST_OK;
}

static int authority_read(const struct keys_request *r, struct pair *p, struct cause *cause)
{
    char pem[PATH_BYTES], key[PATH_BYTES], of[64] = "";
    path_of(r->dir, "ca", ".pem", pem);
    path_of(r->dir, "ca", ".key", key);
    FILE *a = fopen(pem, "re"), *b = fopen(key, "re");
    if (a && b) {
        p->cert = PEM_read_X509(a, NULL, NULL, NULL);
        p->key = PEM_read_PrivateKey(b, NULL, NULL, NULL);
    }
    int error = errno;
    if (a)
        fclose(a);
    if (b)
        fclose(b);
    if (!a || !b)
        return cause_set(cause, ST_IO,
                         "%s: %s; certificates are made where the authority's key is",
                         a ? key : pem, strerror(error));
    if (!p->cert || !p->key || X509_check_private_key(p->cert, p->key) != 1)
        return openssl_cause(pem, cause);
    X509_NAME_get_text_by_NID(X509_get_subject_name(p->cert), NID_organizationName, of,
                              sizeof of);
    if (strcmp(of, r->cluster))
        return cause_set(cause, ST_CONFIG, "%s is the authority of cluster %s, not of %s", pem,
                         of, r->cluster);
    return ST_OK;
}

/* --- certificates ---------------------------------------------------------------------------- */

static bool serial_set(X509 *cert)
{
    BIGNUM *n = BN_new();
    bool good = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
                BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
    BN_free(n);
    return good;
}

static bool name_add(X509_NAME *name, const char *field, const char *value)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value,
                                      -1, -1, 0) == 1;
}

static bool extension_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool good = e && X509_add_ext(cert, e, -1) == 1;
    X509_EXTENSION_free(e);
    return good;
}

static bool cert_fill(struct pair *p, const char *cluster, const char *name, int days)
{
    X509_NAME *subject = X509_get_subject_name(p->cert);
    long begin = days > 0 ? BACKDATE_S : days * DAY_S - DAY_S;
    return X509_set_version(p->cert, X509_VERSION_3) && serial_set(p->cert) &&
           X509_gmtime_adj(X509_getm_notBefore(p->cert), begin) &&
           X509_time_adj_ex(X509_getm_notAfter(p->cert), days, days > 0 ? 0 : -60, NULL) &&
           name_add(subject, "O", cluster) && name_add(subject, "CN", name) &&
           X509_set_pubkey(p->cert, p->key);
}

static bool extensions(X509 *cert, X509 *issuer)
{
    bool authority = cert == issuer;
    return extension_add(cert, issuer, NID_basic_constraints,
                         authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
           extension_add(cert, issuer, NID_key_usage,
                         authority ? "critical,keyCertSign,cRLSign"
                                   : "critical,digitalSignature") &&
           (authority ||
            extension_add(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth")) &&
           extension_add(cert, issuer, NID_subject_key_identifier, "hash") &&
           extension_add(cert, issuer, NID_authority_key_identifier, "keyid:always");
}

/* `by` NULL: it signs itself. */
static int pair_make(struct pair *p, const struct pair *by, const char *cluster,
                     const char *name, int days, struct cause *cause)
{
    p->key = EVP_EC_gen("P-256");
    p->cert = X509_new();
    const struct pair *signer = by ? by : p;
    if (p->key && p->cert && cert_fill(p, cluster, name, days) &&
        X509_set_issuer_name(p->cert, X509_get_subject_name(signer->cert)) &&
        extensions(p->cert, signer->cert) && X509_sign(p->cert, signer->key, EVP_sha256()))
        return ST_OK;
    return openssl_cause(name, cause);
}

int keys_authority(const struct keys_request *r, struct cause *cause)
{
    struct pair ca = {NULL, NULL};
    if (mkdir(r->dir, 0700) && errno != EEXIST)
        return cause_set(cause, ST_IO, "%s: %s", r->dir, strerror(errno));
    int rc = keys_there(r->dir, "ca") ? authority_read(r, &ca, cause)
                                      : pair_make(&ca, NULL, r->cluster, "SSI authority",
                                                  KEYS_AUTHORITY_DAYS, cause);
    if (!rc && !keys_there(r->dir, "ca"))
        rc = pair_write(r, "ca", &ca, cause);
    pair_free(&ca);
    return rc;
}

/* --- what has been made, and revoked --------------------------------------------------------- */

/* A line for each certificate, so that all of a member can be revoked: serial number, member. */
static int issued_note(const struct keys_request *r, const char *member, const X509 *cert,
                       struct cause *cause)
{
    char path[PATH_BYTES];
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = n ? BN_bn2hex(n) : NULL;
    path_of(r->dir, "issued", "", path);
    int fd = hex ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    bool good = fd >= 0 && dprintf(fd, "%s %s\n", hex, member) > 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    OPENSSL_free(hex);
    BN_free(n);
    return good ? ST_OK : cause_set(cause, ST_IO, "%s: %s", path, strerror(error));
}

/* The list there is, or a new one; NULL: it cannot be read. */
static X509_CRL *revoked_read(const char *path, const struct pair *ca, struct cause *cause)
{
    FILE *file = fopen(path, "re");
    X509_CRL *crl = file ? PEM_read_X509_CRL(file, NULL, NULL, NULL) : NULL;
    int error = errno;
    if (file)
        fclose(file);
    if (!file && error != ENOENT) {
        cause_set(cause, ST_IO, "%s: %s", path, strerror(error));
        return NULL;
    }
    if (file && (!crl || X509_CRL_verify(crl, ca->key) != 1)) {
        X509_CRL_free(crl);
        cause_set(cause, ST_CONFIG, "%s: no list of this authority", path);
        return NULL;
    }
    if (!crl && (crl = X509_CRL_new()) &&
        (!X509_CRL_set_version(crl, X509_CRL_VERSION_2) ||
         !X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert)))) {
        X509_CRL_free(crl);
        crl = NULL;
    }
    if (!crl)
        openssl_cause(path, cause);
    return crl;
}

/* Add one serial number; it counts when it is not there yet. */
static bool revoked_add(X509_CRL *crl, const BIGNUM *serial, unsigned *count)
{
    X509_REVOKED *there = NULL, *entry;
    ASN1_INTEGER *n = BN_to_ASN1_INTEGER(serial, NULL);
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    bool good = n && now;
    if (good && X509_CRL_get0_by_serial(crl, &there, n) == 0) {
        entry = X509_REVOKED_new();
        good = entry && X509_REVOKED_set_serialNumber(entry, n) &&
               X509_REVOKED_set_revocationDate(entry, now) && X509_CRL_add0_revoked(crl, entry);
        if (!good)
            X509_REVOKED_free(entry);
        *count += good;
    }
    ASN1_INTEGER_free(n);
    ASN1_TIME_free(now);
    return good;
}

/* All of a member that `issued` tells of; `*seen` counts them. */
static bool revoked_add_issued(const struct keys_request *r, X509_CRL *crl, const char *member,
                               unsigned *count, unsigned *seen)
{
    char path[PATH_BYTES], hex[72], of[64];
    path_of(r->dir, "issued", "", path);
    FILE *file = fopen(path, "re");
    bool good = true;
    while (file && good && fscanf(file, "%71s %63s", hex, of) == 2) {
        BIGNUM *n = NULL;
        if (strcmp(of, member))
            continue;
        good = BN_hex2bn(&n, hex) && revoked_add(crl, n, count);
        BN_free(n);
        ++*seen;
    }
    if (file)
        fclose(file);
    return good;
}

/* And the one that is in place: it may be older than `issued`. */
static bool revoked_add_present(const struct keys_request *r, X509_CRL *crl, const char *member,
                                unsigned *count, unsigned *seen)
{
    char path[PATH_BYTES];
    path_of(r->dir, member, ".pem", path);
    FILE *file = fopen(path, "re");
    X509 *cert = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    BIGNUM *n = cert ? ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL) : NULL;
    bool good = !file || (n && revoked_add(crl, n, count));
    *seen += file != NULL;
    BN_free(n);
    X509_free(cert);
    if (file)
        fclose(file);
    return good;
}

static int revoked_write(const struct keys_request *r, X509_CRL *crl, const struct pair *ca,
                         const char *path, struct cause *cause)
{
    char temp[PATH_BYTES + 8];
    ASN1_TIME *from = X509_gmtime_adj(NULL, BACKDATE_S);
    ASN1_TIME *until = X509_time_adj_ex(NULL, KEYS_AUTHORITY_DAYS, 0, NULL);
    bool good = from && until && X509_CRL_set1_lastUpdate(crl, from) &&
                X509_CRL_set1_nextUpdate(crl, until) && X509_CRL_sort(crl) &&
                X509_CRL_sign(crl, ca->key, EVP_sha256());
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    if (!good)
        return openssl_cause(path, cause);
    FILE *file = file_begin(path, temp, cause);
    if (!file)
        return cause->status;
    int rc = file_end(file, temp, path, PEM_write_X509_CRL(file, crl) == 1, cause);
    if (!rc && r->wrote)
        r->wrote(r->ctx, path);
    return rc;
}

int keys_revoke(const struct keys_request *r, const char *member, unsigned *count,
                struct cause *cause)
{
    struct pair ca = {NULL, NULL};
    char path[PATH_BYTES];
    unsigned seen = 0;
    path_of(r->dir, "crl", ".pem", path);
    *count = 0;
    int rc = authority_read(r, &ca, cause);
    if (!rc && !(X509_get_key_usage(ca.cert) & KU_CRL_SIGN))
        rc = cause_set(cause, ST_REFUSED,
                       "%s/ca.pem is of a release whose authorities cannot revoke: remove the "
                       "folder and make all keys anew",
                       r->dir);
    X509_CRL *crl = rc ? NULL : revoked_read(path, &ca, cause);
    if (!rc && !crl)
        rc = cause->status;
    if (!rc && (!revoked_add_issued(r, crl, member, count, &seen) ||
                !revoked_add_present(r, crl, member, count, &seen)))
        rc = openssl_cause(path, cause);
    if (!rc && !seen)
        rc = cause_set(cause, ST_NOENT, "no certificate of %s was made in %s", member, r->dir);
    if (!rc && *count)
        rc = revoked_write(r, crl, &ca, path, cause);
    X509_CRL_free(crl);
    pair_free(&ca);
    return rc;
}

int keys_member(const struct keys_request *r, const char *member, struct cause *cause)
{
    struct pair ca = {NULL, NULL}, own = {NULL, NULL};
    if (!r->force && keys_there(r->dir, member))
        return cause_set(cause, ST_EXIST, "%s/%s.pem is there: --force makes a new one", r->dir,
                         member);
    int rc = authority_read(r, &ca, cause);
    if (!rc)
        rc = pair_make(&own, &ca, r->cluster, member, r->days, cause);
    if (!rc)
        rc = issued_note(r, member, own.cert, cause);
    if (!rc)
        rc = pair_write(r, member, &own, cause);
    pair_free(&own);
    pair_free(&ca);
    return rc;
}

#else

int keys_authority(const struct keys_request *r, struct cause *cause)
{
    return cause_set(cause, ST_REFUSED, "%s: this build has no TLS (libssl-dev)", r->dir);
}

int keys_member(const struct keys_request *r, const char *member, struct cause *cause)
{
    return cause_set(cause, ST_REFUSED, "%s/%s: this build has no TLS (libssl-dev)", r->dir,
                     member);
}

int keys_revoke(const struct keys_request *r, const char *member, unsigned *count,
                struct cause *cause)
{
    *count = 0;
    return cause_set(cause, ST_REFUSED, "%s/%s: this build has no TLS (libssl-dev)", r->dir,
                     member);
}

#endif
