/* Messages between users, on whatever member they are: MESSAGE, MSGNOH, WARNING, SMSG, SEND.
 * A message for a user of another member is the same command, issued there. */
#include <stdio.h>

#include "hyp/cp/cp_internal.h"
#include "hyp/iucv/iucv_service.h"

struct message {
    const char *command, *word; /* "WARNING", "WNG" */
    u32 setting, iucv;          /* by SET: on; to the program */
    bool header;
    enum iucv_service_class kind;
};

static bool deliver(struct cp_request *req, const struct message *m, struct cp_user *user,
                    const char *text)
{
    char clock[CP_TIME_TEXT_BYTES];
    if (!(user->settings & m->setting))
        return false;
    if (user->settings & m->iucv &&
        req->cp->ports.vm->iucv_message(user->vm, m->kind, req->userid, text) == VMCF_SENT)
        return true; /* else there is nobody but the console */
    if (m->header)
        cp_user_tell(user, " %s  * %s FROM %-8s: %s", cp_clock_text(cp_now(req->cp), clock),
                     m->word, req->userid, text);
    else
        cp_user_tell(user, "%s", text);
    return true;
}

/* To the user's program, by VMCF or IUCV. */
static int special(struct cp_request *req, struct cp_user *user, const char *text)
{
    static const char *const why[] = {[VMCF_NOT_AUTHORIZED] = "not authorized",
                                      [VMCF_QUIESCED] = "quiesced",
                                      [VMCF_TOO_LARGE] = "its buffer is too small",
                                      [VMCF_TOO_MANY] = "too many messages wait"};
    if (!(user->settings & CP_SET_SMSG))
        return cp_fail(req, MSG_MFS057E, user->userid, "SMSG off");
    const struct vm_ops *vm = req->cp->ports.vm;
    int sent = user->settings & CP_SET_SMSG_IUCV
                   ? vm->iucv_message(user->vm, IUCV_CLASS_SPECIAL, req->userid, text)
                   : vm->smsg(user->vm, req->userid, text);
    return sent == VMCF_SENT ? 0 : cp_fail(req, MSG_MFS057E, user->userid, why[sent]);
}

static int to_all(struct cp_request *req, const struct message *m, const char *text)
{
    if (!(req->classes & (CP_CLASS('A') | CP_CLASS('B'))))
        return cp_fail(req, MSG_MFS045E, "ALL");
    for (struct cp_user *u = cp_user_next(req->cp, NULL); u; u = cp_user_next(req->cp, u))
        deliver(req, m, u, text);
    return 0;
}

static int send_on(struct cp_request *req, const struct message *m, const char *member,
                   const char *userid, const char *text)
{
    char command[CP_COMMAND_BYTES_MAX];
    snprintf(command, sizeof command, "%s %s %.1900s", m->command, userid, text);
    return cp_remote_command(req, member, command);
}

static int one_user(struct cp_request *req, const struct message *m, const char *userid,
                    const char *text)
{
    char member[CONFIG_NAME_BYTES];
    struct cp *cp = req->cp;
    struct cp_user *user = cp_user_find(cp, userid);
    if (user && m->setting == CP_SET_SMSG)
        return special(req, user, text);
    if (user)
        return deliver(req, m, user, text) ? 0
                                           : cp_fail(req, MSG_MFS057E, userid, "messages off");
    if (!req->remote && !req->here && cp->cluster &&
        cp->cluster->locate(cp->cluster_ctx, userid, member) &&
        strcmp(member, cp->config->member))
        return send_on(req, m, member, userid, text);
    return cp_fail(req, MSG_MFS045E, userid);
}

/* {userid | * | OPERATOR | ALL} [AT member] text; AT is behind us (cp_at.c) */
static int message(struct cp_request *req, const struct message *m)
{
    const char *userid = cp_operand(req);
    if (!userid || (strcmp(userid, "*") && !cp_userid_ok(userid)))
        return cp_fail(req, MSG_LGA020E);
    const char *text = cp_operand_rest(req);
    if (!*text)
        return cp_fail(req, MSG_MFS020E);
    if (!strcmp(userid, "*"))
        userid = req->userid;
    if (!strcmp(userid, "ALL"))
        return to_all(req, m, text);
    if (!strcmp(userid, "OP") || !strcmp(userid, "OPERATOR"))
        userid = req->cp->config->features.operator_userid;
    return one_user(req, m, userid, text);
}

int cp_cmd_message(struct cp_request *req, void *ctx)
{
    static const struct message m = {"MESSAGE",       "MSG", CP_SET_MSG,
                                     CP_SET_MSG_IUCV, true,  IUCV_CLASS_MESSAGE};
    (void)ctx;
    return message(req, &m);
}

int cp_cmd_msgnoh(struct cp_request *req, void *ctx)
{
    static const struct message m = {"MSGNOH",        "MSG", CP_SET_MSG,
                                     CP_SET_MSG_IUCV, false, IUCV_CLASS_MESSAGE};
    (void)ctx;
    return message(req, &m);
}

int cp_cmd_warning(struct cp_request *req, void *ctx)
{
    static const struct message m = {"WARNING",       "WNG", CP_SET_WNG,
                                     CP_SET_WNG_IUCV, true,  IUCV_CLASS_WARNING};
    (void)ctx;
    return message(req, &m);
}

void cp_smsg_on(struct cp *cp, const char *userid)
{
    struct cp_user *user = cp_user_find(cp, userid);
    if (user)
        user->settings |= CP_SET_SMSG;
}

/* SMSG userid text */
int cp_cmd_smsg(struct cp_request *req, void *ctx)
{
    static const struct message m = {"SMSG",           "SMSG", CP_SET_SMSG,
                                     CP_SET_SMSG_IUCV, false,  IUCV_CLASS_SPECIAL};
    const char *userid = cp_operand(req);
    (void)ctx;
    if (!cp_userid_ok(userid))
        return cp_fail(req, MSG_LGA020E);
    const char *text = cp_operand_rest(req);
    if (!*text)
        return cp_fail(req, MSG_MFS020E);
    return one_user(req, &m, userid, text);
}

/* A user id that another member has told of names somebody else there than here, perhaps, when it
 * is that of a multiconfiguration user. */
static bool same_person(const struct cp_request *req)
{
    const struct dir_entry *e = directory_find(req->cp->directory, req->userid);
    return !req->remote || (e && e->kind == DIR_USER);
}

/* A user of this member: class C, or as secondary user of a disconnected one. */
static int send_here(struct cp_request *req, struct cp_user *user, bool to_cp)
{
    char command[CP_COMMAND_BYTES_MAX];
    bool second = user->disconnected && !strcmp(user->secuser, req->userid) && same_person(req);
    if (!(req->classes & CP_CLASS('C')) && !second)
        return cp_fail(req, MSG_SND065E, user->userid);
    snprintf(command, sizeof command, "%s%.2000s", to_cp ? "#CP " : "", cp_operand_rest(req));
    if (cp_console_input(req->cp, user->userid, command))
        return cp_fail(req, MSG_SND066E, user->userid);
    return 0;
}

/* SEND [CP] userid [AT member] text: issued where the user is. */
int cp_cmd_send(struct cp_request *req, void *ctx)
{
    const char *userid = cp_operand(req);
    char member[CONFIG_NAME_BYTES], command[CP_COMMAND_BYTES_MAX];
    struct cp *cp = req->cp;
    (void)ctx;
    bool to_cp = userid && !strcmp(userid, "CP");
    if (to_cp)
        userid = cp_operand(req);
    if (!cp_userid_ok(userid))
        return cp_fail(req, MSG_LGA020E);
    struct cp_user *user = cp_user_find(cp, userid);
    if (user)
        return send_here(req, user, to_cp);
    if (req->here || req->remote || !cp->cluster ||
        !cp->cluster->locate(cp->cluster_ctx, userid, member) ||
        !strcmp(member, cp->config->member))
        return cp_fail(req, MSG_CMD045E, userid);
    snprintf(command, sizeof command, "SEND %s%s %.1900s", to_cp ? "CP " : "", userid,
             cp_operand_rest(req));
    return cp_remote_command(req, member, command);
}

/* ECHO text */
int cp_cmd_echo(struct cp_request *req, void *ctx)
{
    (void)ctx;
    cp_line_text(req, cp_operand_rest(req));
    return 0;
}

/* FOR userid CMD command: as that user, with its classes; the response is the issuer's. */
int cp_cmd_for(struct cp_request *req, void *ctx)
{
    const char *userid = cp_operand(req), *word = cp_operand(req);
    (void)ctx;
    if (!cp_userid_ok(userid))
        return cp_fail(req, MSG_LGA020E);
    if (!word || strcmp(word, "CMD"))
        return cp_fail(req, MSG_CMD003E, word ? word : "CMD");
    const struct cp_user *user = cp_user_find(req->cp, userid);
    if (!user)
        return cp_fail(req, MSG_CMD045E, userid);
    strcpy(req->userid, user->userid);
    req->classes = user->classes;
    return cp_dispatch(req);
}
