/* SET RELOCATION: options of the member that it is said on, which do not outlive it. Ours.
 * ENCRYPT: relocations go over the links of the members, in TLS when the cluster has keys; REQUIRED
 * refuses those over a link without, in both directions. SPARE: passes are slower where other
 * guests compute (lgr_spare.c). */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>

#include "lgr/lgr_cmd.h"
#include "lgr/lgr_internal.h"

static const struct option {
    const char *name, *what; /* as it is said; as it is shown */
    const char *yes, *shown; /* its one value, likewise; the other one is OFF */
    size_t at;               /* of its bool in struct lgr */
} options[] = {
    {"ENCrypt", "Encryption of relocations", "REQuired", "REQUIRED",
     offsetof(struct lgr, encrypt_required)},
    {"SPAre", "Sparing of guests that compute", "ON", "ON", offsetof(struct lgr, spare)},
};

static bool *value(struct lgr *lgr, const struct option *o)
{
    return (bool *)((u8 *)lgr + o->at);
}

static void tell(struct cp_request *req, struct lgr *lgr, const struct option *o)
{
    cp_line(req, "%s: %s", o->what, *value(lgr, o) ? o->shown : "OFF");
}

static const struct option *named(const char *word)
{
    for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
        if (cp_abbrev(word, options[i].name))
            return &options[i];
    return NULL;
}

bool lgr_is_option(const char *word)
{
    return named(word) != NULL;
}

/* SET RELOCATION {ENCRYPT {REQUIRED | OFF} | SPARE {ON | OFF}} */
int lgr_set_relocation(struct cp_request *req, void *ctx)
{
    const struct lgr_cmd *c = ctx;
    const char *word = cp_operand(req);
    const struct option *o = word ? named(word) : NULL;
    if (word && !o)
        return cp_fail(req, MSG_CMD003E, word);
    word = o ? cp_operand(req) : NULL;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    bool yes = cp_abbrev(word, o->yes);
    if (!yes && strcmp(word, "OFF"))
        return cp_fail(req, MSG_CMD003E, word);
    int rc = lgr_no_more(req);
    if (rc)
        return rc;
    *value(c->lgr, o) = yes;
    tell(req, c->lgr, o);
    return 0;
}

/* QUERY RELOCATION option, behind the word RELOCATION */
int lgr_query_option(struct cp_request *req, void *ctx)
{
    const struct lgr_cmd *c = ctx;
    const struct option *o = named(cp_operand(req));
    int rc = lgr_no_more(req);
    if (!rc)
        tell(req, c->lgr, o);
    return rc;
}
