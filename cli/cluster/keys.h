/* The certificates of a cluster's links: an authority of its own and one certificate for each
 * member, in a folder that only its owner may read. What reads them: ssi/ssi_uv_tls.h. */
#ifndef ENDICOTT_CLI_CLUSTER_KEYS_H
#define ENDICOTT_CLI_CLUSTER_KEYS_H

#include <stdbool.h>

#include "mem/base/status.h"

#define KEYS_DAYS 730
#define KEYS_DAYS_MAX 36500
#define KEYS_AUTHORITY_DAYS 7300

struct keys_request {
    const char *dir;     /* the folder, made when it is not there (mode 0700) */
    const char *cluster; /* name of the cluster */
    bool force;          /* renew certificates that are there */
    int days;            /* until they expire; not above 0: they have, for tests */
    /** Told of each file that was written; may be NULL. */
    void (*wrote)(void *ctx, const char *path);
    void *ctx;
};

/** Is there a certificate or a key of that member? */
bool keys_there(const char *dir, const char *member);

/** The authority: ca.pem and ca.key; left as it is when it is there and of this cluster. */
int keys_authority(const struct keys_request *request, struct cause *cause);

/** MEMBER.pem and MEMBER.key, signed by the authority, which is there. ST_EXIST without `force`
 *  when one of them is; a file is put in place as a whole. */
int keys_member(const struct keys_request *request, const char *member, struct cause *cause);

/** Put all certificates that were made for the member so far (file `issued`, and the one that is
 *  there) on the authority's list, crl.pem; `*count`: how many are new there. ST_NOENT: none was
 *  made. A certificate that is made afterwards is good. */
int keys_revoke(const struct keys_request *request, const char *member, unsigned *count,
                struct cause *cause);

#endif
