/* SET PF, QUERY PF: what the keys of a user's display terminal do. They belong to the user:
 * DISCONNECT, LOGON and a relocation leave them as they are.
 * Source: z/VM "CP Commands and Utilities Reference", SET PFnn. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

#define RETRIEVE_KEY 12 /* and twelve keys on, unless SET PF says otherwise */

static const char *const kinds[] = {[CP_PF_UNDEFINED] = "UNDEFINED",
                                    [CP_PF_IMMED] = "IMMED",
                                    [CP_PF_DELAYED] = "DELAYED",
                                    [CP_PF_RETRIEVE] = "RETRIEVE BACKWARD",
                                    [CP_PF_FORWARD] = "RETRIEVE FORWARD"};

static enum cp_pf_kind kind_at_logon(unsigned key)
{
    return key % RETRIEVE_KEY ? CP_PF_UNDEFINED : CP_PF_RETRIEVE;
}

void cp_pf_default(struct cp_user *user)
{
    for (unsigned key = 1; key <= CP_PF_KEYS; key++)
        user->pf[key - 1].kind = kind_at_logon(key);
}

const struct cp_pf *cp_terminal_pf(const struct cp_user *user, unsigned n)
{
    return &user->pf[n - 1];
}

/* The number in "PF12"; 0: there is no such key. */
static unsigned key_of(const char *word)
{
    u64 key = 0;
    return scan_number(word + 2, 1, CP_PF_KEYS, &key) ? (unsigned)key : 0;
}

static void show_key(struct cp_request *req, const struct cp_user *user, unsigned key)
{
    const struct cp_pf *pf = &user->pf[key - 1];
    cp_line(req, "PF%02u %s%s%s", key, kinds[pf->kind], *pf->text ? " " : "", pf->text);
}

/* QUERY PF, QUERY PFnn */
int cp_query_pf(struct cp_request *req, void *ctx)
{
    const struct cp_user *user = cp_own_machine(req);
    unsigned key = req->word[2] ? key_of(req->word) : 0;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (req->word[2] && !key)
        return cp_fail(req, MSG_CQV003E, req->word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    for (unsigned k = key ? key : 1; k <= (key ? key : CP_PF_KEYS); k++)
        show_key(req, user, k);
    return 0;
}

/* [FORWARD | BACKWARD] */
static int retrieve_operand(struct cp_request *req, struct cp_pf *pf)
{
    const char *word = cp_operand(req);
    pf->kind = word && cp_abbrev(word, "FORward") ? CP_PF_FORWARD : CP_PF_RETRIEVE;
    if (word && pf->kind != CP_PF_FORWARD && !cp_abbrev(word, "BACKward"))
        return cp_fail(req, MSG_CMD002E, word);
    return cp_no_more(req);
}

/* SET PFnn [[IMMED | DELAYED] text | RETRIEVE [FORWARD | BACKWARD]] */
int cp_set_pf(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand_peek(req);
    unsigned key = key_of(req->word);
    struct cp_pf pf = {.kind = CP_PF_DELAYED};
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!key)
        return cp_fail(req, MSG_CSE003E, req->word);
    bool retrieve = word && cp_abbrev(word, "RETrieve");
    if (word && cp_abbrev(word, "IMMed"))
        pf.kind = CP_PF_IMMED;
    if (word && (retrieve || pf.kind == CP_PF_IMMED || cp_abbrev(word, "DELayed")))
        cp_operand(req);
    const char *text = retrieve ? "" : cp_operand_rest(req);
    if (retrieve) {
        int rc = retrieve_operand(req, &pf);
        if (rc)
            return rc;
    } else if (!*text) {
        pf.kind = CP_PF_UNDEFINED;
    }
    if (strlen(text) > CP_PF_BYTES_MAX)
        return cp_fail(req, MSG_CMD002E, "text too long");
    strcpy(pf.text, text);
    user->pf[key - 1] = pf;
    return 0;
}

/* --- relocation: key, kind, text ----------------------------------------------------------- */

void cp_pf_save(const struct cp_user *user, u16 tag, struct codec_out *out)
{
    u8 row[2 + CP_PF_BYTES_MAX];
    for (unsigned key = 1; key <= CP_PF_KEYS; key++) {
        const struct cp_pf *pf = &user->pf[key - 1];
        size_t n = strlen(pf->text);
        if (pf->kind == kind_at_logon(key) && !n)
            continue;
        row[0] = (u8)key;
        row[1] = (u8)pf->kind;
        memcpy(row + 2, pf->text, n);
        codec_put_bytes(out, tag, row, 2 + n);
    }
}

bool cp_pf_take(struct cp_user *user, const struct codec_row *row)
{
    if (row->len < 2 || row->len > 2 + CP_PF_BYTES_MAX || !row->p[0] ||
        row->p[0] > CP_PF_KEYS || row->p[1] > CP_PF_FORWARD)
        return false;
    struct cp_pf *pf = &user->pf[row->p[0] - 1];
    *pf = (struct cp_pf){.kind = row->p[1]};
    memcpy(pf->text, row->p + 2, row->len - 2);
    return true;
}
