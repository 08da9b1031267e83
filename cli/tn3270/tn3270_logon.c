/* The logon screen of a 3270 terminal: USERID and PASSWORD, or COMMAND; LOGON through CP. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/tn3270/tn3270_internal.h"
#include "mem/base/msg.h"

#define PASSWORD_BYTES 32
#define ASK_PASSWORD "Enter your password and press ENTER"
#define HOW_TO "Enter one of the following commands:  LOGON userid, DIAL userid or LOGOFF"

/* Freed when CP has answered; outlives its connection. */
struct tn_logon {
    struct tn_conn *conn; /* NULL: gone */
    struct member *m;
    struct cp_response resp;
    char user[DIR_NAME_BYTES];
};

static void draw(struct tn_conn *c, const char *message, bool alarm)
{
    struct tn_out out;
    c->mode = TN_LOGO;
    if (c->form)
        tn_form_draw(c->size, c->server->config.system, message, c->ask.waits, alarm, &out);
    else
        tn_logo_draw(c->size, c->server->config.system, message, c->ask.userid, alarm, &out);
    tn_conn_send(c, &out);
}

void tn_logo_show(struct tn_conn *c, const char *message, bool alarm)
{
    c->ask = (struct tn_ask){0};
    if (c->away.standin) {
        tn_away_leave(c, message, alarm);
        return;
    }
    if (c->mode == TN_AWAY)
        tn_conn_timer_stop(c);
    tn_away_forget(c);
    draw(c, message, alarm);
}

static void ask_password(struct tn_conn *c)
{
    c->ask.waits = true;
    draw(c, ASK_PASSWORD, false);
}

static void refused(struct tn_conn *c, const struct cp_response *resp)
{
    const char *text = resp->line_count ? resp->lines[resp->line_count - 1] : "LOGON failed";
    if (resp->rc == msg_number(MSG_LGA050E) && ++c->bad_logons >= TN3270_BAD_LOGONS_MAX)
        c->goodbye = true; /* once the screen is sent */
    tn_logo_show(c, text, true);
}

static void logon_done(struct cp_response *resp, void *ctx)
{
    struct tn_logon *l = ctx;
    struct tn_conn *c = l->conn;
    struct cp_user *user = resp->rc ? NULL : cp_user_find(l->m->cp, l->user);
    if (c)
        c->logon = NULL;
    if (!c && user)
        tn_disconnect(l->m, l->user);
    else if (c && user)
        tn_console_begin(c, user);
    else if (c && resp->rc)
        refused(c, resp);
    else if (c)
        tn_logo_show(c, "", false); /* a COMMAND statement logged it off */
    cp_response_fini(&l->resp);
    free(l);
}

void tn_logon_abandon(struct tn_conn *c)
{
    if (c->logon)
        c->logon->conn = NULL;
    c->logon = NULL;
}

static void start(struct tn_conn *c, const char *userid, const char *command)
{
    struct tn_logon *l = calloc(1, sizeof *l);
    if (!l) {
        tn_logo_show(c, "No storage is free for a logon; try again later", true);
        return;
    }
    l->conn = c;
    l->m = c->server->member;
    snprintf(l->user, sizeof l->user, "%s", userid);
    c->logon = l;
    c->mode = TN_LOGGING_ON;
    cp_response_init(&l->resp);
    l->resp.may_wait = true;
    l->resp.done_cb = logon_done;
    l->resp.done_ctx = l;
    cp_command_as(l->m->cp, l->user, 0, command, &l->resp);
}

static void message(struct tn_conn *c, enum msg_id id)
{
    char text[MSG_LINE_BYTES];
    msg_format(text, sizeof text, id);
    tn_logo_show(c, text, true);
}

/* The words behind userid [BY userid]. True: one of them is a password. */
static bool options(struct tn_ask *ask, const char *rest)
{
    char word[PASSWORD_BYTES];
    bool password = false;
    for (int used; sscanf(rest, "%31s%n", word, &used) == 1; rest += used) {
        if (!strcasecmp(word, "HERE"))
            ask->here = true;
        else if (!strcasecmp(word, "NOIPL"))
            ask->noipl = true;
        else
            password = true;
    }
    explicit_bzero(word, sizeof word);
    return password;
}

/* LOGON as typed: userid [BY userid] [password] [HERE] [NOIPL]. Nothing is kept of a password. */
static void typed_logon(struct tn_conn *c, const char *command, const char *rest)
{
    char word[PASSWORD_BYTES];
    int used = 0, by = 0, more = 0;
    struct tn_ask ask = {0};
    bool good = sscanf(rest, "%31s%n", word, &used) == 1 && rundir_name(word, ask.userid);
    if (good && sscanf(rest + used, "%31s%n", word, &by) == 1 && !strcasecmp(word, "BY")) {
        used += by;
        good = sscanf(rest + used, "%31s%n", word, &more) == 1 && rundir_name(word, ask.by);
        used += more;
    }
    explicit_bzero(word, sizeof word);
    if (!good) {
        message(c, MSG_LGA020E);
    } else if (options(&ask, rest + used)) {
        start(c, ask.userid, command);
    } else {
        c->ask = ask;
        ask_password(c);
    }
}

/* DIAL userid [vdev]: the terminal becomes a display of the user's machine. */
static void typed_dial(struct tn_conn *c, const char *rest)
{
    char word[PASSWORD_BYTES], number[8] = "", more[2], userid[CONFIG_NAME_BYTES];
    char text[MSG_LINE_BYTES], *end = number;
    int n = sscanf(rest, "%31s %7s %1s", word, number, more);
    unsigned long vdev = strtoul(number, &end, 16);
    if (n < 1 || !rundir_name(word, userid))
        message(c, MSG_LGA020E);
    else if (n > 2 || *end || vdev > 0xffff)
        message(c, MSG_DIA022E);
    else if (tn_display_dial(c, userid, (u16)vdev, text))
        tn_display_show(c);
    else
        tn_logo_show(c, text, true);
}

static void typed_command(struct tn_conn *c, const char *command)
{
    char word[16];
    int used = 0;
    if (sscanf(command, "%15s%n", word, &used) < 1) {
        tn_logo_show(c, c->form ? "" : HOW_TO, false);
    } else if (cp_abbrev(word, "Logon") || cp_abbrev(word, "LOGIN")) {
        typed_logon(c, command, command + used);
    } else if (cp_abbrev(word, "Dial")) {
        typed_dial(c, command + used);
    } else if (cp_abbrev(word, "LOGOff") || cp_abbrev(word, "LOGOUT")) {
        tn_conn_close(c);
    } else {
        message(c, MSG_CFC015E); /* without the word: it may be a password gone astray */
    }
}

static void with_password(struct tn_conn *c, const char *password)
{
    const struct tn_ask ask = c->ask;
    char command[128];
    c->ask = (struct tn_ask){0};
    if (strchr(password, ' ')) {
        message(c, MSG_LGA050E);
        return;
    }
    snprintf(command, sizeof command, "LOGON %s%s%s %s%s%s", ask.userid,
             ask.by[0] ? " BY " : "", ask.by, password, ask.here ? " HERE" : "",
             ask.noipl ? " NOIPL" : "");
    start(c, ask.userid, command);
    explicit_bzero(command, sizeof command);
}

static void by_fields(struct tn_conn *c, const char *typed_userid, const char *password)
{
    char userid[CONFIG_NAME_BYTES];
    while (*typed_userid == ' ')
        typed_userid++;
    if (!rundir_name(typed_userid, userid)) {
        message(c, MSG_LGA020E);
        return;
    }
    if (strcmp(userid, c->ask.userid) != 0)
        c->ask = (struct tn_ask){0};
    strcpy(c->ask.userid, userid);
    if (*password)
        with_password(c, password);
    else
        ask_password(c);
}

static void form_enter(struct tn_conn *c, const struct tn_in *in)
{
    char text[TN_INPUT_BYTES];
    tn_in_text(in, tn_screen_input(c->size), text, sizeof text);
    if (!c->ask.waits)
        typed_command(c, text);
    else if (*text)
        with_password(c, text);
    else
        ask_password(c);
    explicit_bzero(text, sizeof text);
}

static void logo_enter(struct tn_conn *c, const struct tn_in *in)
{
    char userid[PASSWORD_BYTES], password[PASSWORD_BYTES], command[TN_INPUT_BYTES];
    tn_in_text(in, tn_logo_userid(c->size), userid, sizeof userid);
    tn_in_text(in, tn_logo_password(c->size), password, sizeof password);
    tn_in_text(in, tn_logo_command(c->size), command, sizeof command);
    if (*command || !*userid)
        typed_command(c, command);
    else
        by_fields(c, userid, password);
    explicit_bzero(password, sizeof password);
    explicit_bzero(command, sizeof command);
}

void tn_logo_key(struct tn_conn *c, const struct tn_in *in)
{
    c->form |= in->aid == TN_AID_CLEAR;
    if (in->aid != TN_AID_ENTER)
        tn_logo_show(c, "", false);
    else if (c->form)
        form_enter(c, in);
    else
        logo_enter(c, in);
}
