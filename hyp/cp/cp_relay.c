/* SECUSER and OBSERVER: what a console shows is shown to another user, too, each line behind
 * the name of the user it is from. A line goes one step only: users that observe each other do not
 * loop.
 * Source: z/VM "CP Commands and Utilities Reference", SET SECUSER, SET OBSERVER. */
#include <stdio.h>

#include "hyp/cp/cp_internal.h"

/* Who is to see the user's console: here, or on another member of the cluster. */
struct viewer {
    const char *userid;
    struct cp_user *here;
    char member[CONFIG_NAME_BYTES]; /* "": on none */
};

static struct viewer viewer_of(struct cp_user *user, const char *userid)
{
    struct cp *cp = user->cp;
    struct viewer v = {.userid = userid};
    if (!*userid || !strcmp(userid, user->userid))
        return v;
    v.here = cp_user_find(cp, userid);
    if (!v.here && cp->cluster &&
        (!cp->cluster->locate(cp->cluster_ctx, userid, v.member) ||
         !strcasecmp(v.member, cp->config->member)))
        v.member[0] = 0;
    return v;
}

static void show(struct cp *cp, const struct viewer *v, const char *text)
{
    if (v->here)
        console_relay_line(v->here->console, text);
    else if (*v->member)
        cp_remote_relay(cp, v->member, v->userid, text);
}

static bool sees(const struct viewer *v)
{
    return v->here || *v->member;
}

/* A line is looked for a viewer only when there is one: to locate one may need the PDR. */
static bool news(struct cp_user *user)
{
    return user->relay_cursor < console_next_number(user->console);
}

void cp_relay(struct cp_user *user)
{
    bool watched = *user->observer || (user->disconnected && *user->secuser);
    struct console_line line;
    char text[DIR_NAME_BYTES + 2 + sizeof line.text];
    if (cp_user_frozen(user) || user->incoming)
        return; /* where it goes on */
    if (!watched) {
        user->relay_cursor = console_next_number(user->console);
        return;
    }
    if (!news(user))
        return;
    const struct viewer observer = viewer_of(user, user->observer);
    const struct viewer second = viewer_of(user, user->disconnected ? user->secuser : "");
    while (console_read(user->console, &user->relay_cursor, &line)) {
        if (line.relayed)
            continue;
        snprintf(text, sizeof text, "%-8s: %s", user->userid, line.text);
        if (sees(&observer))
            show(user->cp, &observer, text);
        if (sees(&second) && strcmp(user->observer, user->secuser) != 0)
            show(user->cp, &second, text);
    }
}
