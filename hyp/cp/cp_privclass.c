/* SET and QUERY PRIVCLASS: the privilege classes of a user who is logged on, until it logs off.
 * Guarantee: nobody but class C gets a class that the directory does not give. Operands from
 * memory of z/VM "CP Commands and Utilities Reference". */
#include "hyp/cp/cp_internal.h"

static bool class_c(const struct cp_request *req)
{
    return req->classes & CP_CLASS('C');
}

static void rows(struct cp_request *req, const char *userid, u32 now, bool locked)
{
    char text[33];
    const struct dir_entry *e = directory_find(req->cp->directory, userid);
    cp_line(req, "Privilege classes for user %s", userid);
    cp_line(req, "            Currently: %s", directory_classes_text(now, text));
    cp_line(req, "            Directory: %s", directory_classes_text(e ? e->classes : 0, text));
    cp_line(req, "The privilege classes are %slocked against changes.", locked ? "" : "not ");
}

static void user_rows(struct cp_request *req, const struct cp_user *user)
{
    rows(req, user->userid, user->classes, user->settings & CP_SET_CLASSES_LOCKED);
}

/* Another user for class C; NULL with *rc after a message. */
static struct cp_user *user_operand(struct cp_request *req, const char *word, int *rc)
{
    struct cp_user *own = cp_request_user(req);
    struct cp_user *user = strcmp(word, "*") ? cp_user_find(req->cp, word) : own;
    if (strcmp(word, "*") && user != own && !class_c(req))
        *rc = cp_fail(req, MSG_CMD003E, word);
    else if (!user)
        *rc = cp_fail(req, MSG_CQU045E, strcmp(word, "*") ? word : req->userid);
    return *rc ? NULL : user;
}

/* QUERY PRIVCLASS [* | userid]: others for class C */
int cp_query_privclass(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    struct cp_user *user = cp_request_user(req);
    int rc = 0;
    (void)ctx;
    if (word && !(user = user_operand(req, word, &rc)))
        return rc;
    if (cp_no_more(req))
        return msg_number(MSG_CMD003E);
    if (user)
        user_rows(req, user);
    else
        rows(req, req->userid, req->classes, false);
    return 0;
}

/* --- SET ------------------------------------------------------------------------------------ */

/* "=ABG", "+C", "-12": false, it is no such word. */
static bool apply(const char *word, u32 *classes)
{
    u32 bits = 0;
    if (!strchr("=+-", *word) || !word[1])
        return false;
    for (const char *p = word + 1; *p; p++) {
        bool good = (*p >= 'A' && *p <= 'Z') || (*p >= '1' && *p <= '6');
        if (!good)
            return false;
        bits |= CP_CLASS(*p);
    }
    *classes = *word == '=' ? bits : *word == '+' ? *classes | bits : *classes & ~bits;
    return true;
}

/* Words of the line that are left: what becomes of the user's classes and its lock. */
static int operands(struct cp_request *req, const struct cp_user *user, u32 *classes,
                    bool *locked)
{
    const char *word = cp_operand(req);
    const u32 most = class_c(req) ? CP_CLASS_ANY : user->entry->classes;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "RESET"))
        *classes = user->entry->classes;
    else if (!strcmp(word, "LOCK") || (!strcmp(word, "UNLOCK") && class_c(req)))
        *locked = *word == 'L';
    else
        for (; word; word = cp_operand(req))
            if (!apply(word, classes) || (*classes & ~most) || !*classes)
                return cp_fail(req, MSG_CMD002E, word);
    return cp_no_more(req);
}

/* No user id in front: one's own. */
static bool is_change(const char *word)
{
    return strchr("=+-", *word) || !strcmp(word, "RESET") || !strcmp(word, "LOCK") ||
           !strcmp(word, "UNLOCK");
}

/* SET PRIVCLASS [* | userid] {=classes | +classes | -classes | RESET | LOCK | UNLOCK} */
int cp_set_privclass(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand_peek(req);
    int rc = 0;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!req->cp->config->features.set_privclass)
        return cp_fail(req, MSG_ABS600E, req->command, "FEATURES has no ENABLE SET_PRIVCLASS");
    if (word && !is_change(word)) {
        cp_operand(req);
        user = user_operand(req, word, &rc);
    }
    if (rc)
        return rc;
    u32 classes = user->classes;
    bool locked = user->settings & CP_SET_CLASSES_LOCKED;
    if (locked && !class_c(req))
        return cp_fail(req, MSG_PRV600E, user->userid);
    if ((rc = operands(req, user, &classes, &locked)))
        return rc;
    user->settings &= ~(u32)CP_SET_CLASSES_LOCKED;
    user->settings |= locked ? CP_SET_CLASSES_LOCKED : 0;
    user->classes = classes;
    req->cp->ports.vm->privclass(user->vm, classes);
    user_rows(req, user);
    return 0;
}
