/* SET and QUERY SHARE, SET and QUERY QUICKDSP: what a virtual machine is due of the processors.
 * Sources: z/VM "CP Commands and Utilities Reference"; the form of the answers is from memory. */
#include "hyp/cp/cp_internal.h"

/* The user a command is about, "*" is who asks; NULL with *rc after a message. */
static struct cp_user *user_operand(struct cp_request *req, int *rc)
{
    const char *word = cp_operand(req);
    *rc = 0;
    if (!word)
        return *rc = cp_fail(req, MSG_CMD026E), NULL;
    struct cp_user *user =
        strcmp(word, "*") ? cp_user_find(req->cp, word) : cp_request_user(req);
    if (!user)
        *rc = cp_fail(req, MSG_CQU045E, word);
    return user;
}

static int share_rows(struct cp_request *req, const struct cp_user *user)
{
    static const char *const limits[] = {"NOLIMIT", "LIMITSOFT", "LIMITHARD"};
    const struct share *share = &user->share;
    char text[SHARE_TEXT_BYTES], most[SHARE_TEXT_BYTES] = "";
    share_value_text(&share->least, text);
    cp_line(req, "USER %-8s: %s SHARE = %s", user->userid,
            share->least.absolute ? "ABSOLUTE" : "RELATIVE", strchr(text, ' ') + 1);
    if (share->limit)
        share_value_text(&share->most, most);
    cp_line(req, "               MAXIMUM SHARE = %s%s%s", limits[share->limit],
            *most ? " " : "", most);
    return 0;
}

/* The words of the line that are left. */
static unsigned rest_words(struct cp_request *req, const char *words[SHARE_WORDS_MAX])
{
    unsigned n = 0;
    while (n < SHARE_WORDS_MAX && cp_operand_peek(req))
        words[n++] = cp_operand(req);
    return n;
}

/* SET SHARE userid {INITIAL | {ABSOLUTE | RELATIVE} n [max] [LIMITSOFT | LIMITHARD | NOLIMIT]} */
int cp_set_share(struct cp_request *req, void *ctx)
{
    int rc;
    struct cp_user *user = user_operand(req, &rc);
    const char *words[SHARE_WORDS_MAX];
    unsigned bad;
    (void)ctx;
    if (!user)
        return rc;
    unsigned n = rest_words(req, words);
    if (n == 1 && cp_abbrev(words[0], "INITial"))
        user->share = user->entry->share;
    else if (share_parse(words, n, &user->share, &bad))
        return bad < n ? cp_fail(req, MSG_CMD002E, words[bad]) : cp_fail(req, MSG_CMD026E);
    req->cp->ports.vm->share(user->vm, &user->share);
    return share_rows(req, user);
}

/* The same, and nothing may follow. */
static struct cp_user *user_alone(struct cp_request *req, int *rc)
{
    struct cp_user *user = user_operand(req, rc);
    if (user)
        *rc = cp_no_more(req);
    return *rc ? NULL : user;
}

/* QUERY SHARE userid */
int cp_query_share(struct cp_request *req, void *ctx)
{
    int rc;
    struct cp_user *user = user_alone(req, &rc);
    (void)ctx;
    return user ? share_rows(req, user) : rc;
}

/* SET QUICKDSP userid {ON | OFF} */
int cp_set_quickdsp(struct cp_request *req, void *ctx)
{
    int rc;
    struct cp_user *user = user_operand(req, &rc);
    (void)ctx;
    if (!user)
        return rc;
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strcmp(word, "ON") && strcmp(word, "OFF"))
        return cp_fail(req, MSG_CMD002E, word);
    rc = cp_no_more(req);
    if (rc)
        return rc;
    user->quickdsp = word[1] == 'N';
    req->cp->ports.vm->quickdsp(user->vm, user->quickdsp);
    return 0;
}

/* QUERY QUICKDSP userid */
int cp_query_quickdsp(struct cp_request *req, void *ctx)
{
    int rc;
    struct cp_user *user = user_alone(req, &rc);
    (void)ctx;
    if (user)
        cp_line(req, "USER %-8s: QUICKDSP = %s", user->userid, user->quickdsp ? "ON" : "OFF");
    return rc;
}
