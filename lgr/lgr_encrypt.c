/* SET RELOCATION ENCRYPT: relocations go over the links of the members, in TLS when the
 * cluster has keys. REQUIRED refuses those over a link without, in both directions. Ours, as
 * OPTION of the member that it is said on; off when it starts. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>

#include "lgr/lgr_cmd.h"
#include "lgr/lgr_internal.h"

static void tell(struct cp_request *req, const struct lgr *lgr)
{
    cp_line(req, "Encryption of relocations: %s", lgr->encrypt_required ? "REQUIRED" : "OFF");
}

/* The word ENCRYPT, which is the only setting. */
static int take_word(struct cp_request *req)
{
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    return cp_abbrev(word, "ENCRYPT") ? 0 : cp_fail(req, MSG_CMD003E, word);
}

/* SET RELOCATION ENCRYPT {REQUIRED | OFF} */
int lgr_set_relocation(struct cp_request *req, void *ctx)
{
    const struct lgr_cmd *c = ctx;
    int rc = take_word(req);
    const char *word = rc ? NULL : cp_operand(req);
    if (rc)
        return rc;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    bool required = cp_abbrev(word, "REQuired");
    if (!required && strcmp(word, "OFF"))
        return cp_fail(req, MSG_CMD003E, word);
    rc = lgr_no_more(req);
    if (rc)
        return rc;
    c->lgr->encrypt_required = required;
    tell(req, c->lgr);
    return 0;
}

/* QUERY RELOCATION ENCRYPT, behind the word RELOCATION */
int lgr_query_encrypt(struct cp_request *req, void *ctx)
{
    const struct lgr_cmd *c = ctx;
    int rc = take_word(req);
    if (!rc)
        rc = lgr_no_more(req);
    if (!rc)
        tell(req, c->lgr);
    return rc;
}
