/* SECUSER and OBSERVER: what a console shows is shown to another user, too, each line behind
 * the name of the user it is from. A line goes one step only: users that observe each other do not
 * loop.
 * Source: z/VM "CP Commands and Utilities Reference", SET SECUSER, SET OBSERVER. */
#include <stdio.h>

#include "hyp/cp/cp_internal.h"

/* Who is to see the user's console; NULL: nobody, or not logged on here. */
static struct cp_user *viewer(struct cp_user *user, const char *userid)
{
    struct cp_user *other = *userid ? cp_user_find(user->cp, userid) : NULL;
    return other == user ? NULL : other;
}

void cp_relay(struct cp_user *user)
{
    struct cp_user *observer = viewer(user, user->observer);
    struct cp_user *second = user->disconnected ? viewer(user, user->secuser) : NULL;
    struct console_line line;
    char text[DIR_NAME_BYTES + 2 + sizeof line.text];
    if (!observer && !second) {
        user->relay_cursor = console_next_number(user->console);
        return;
    }
    while (console_read(user->console, &user->relay_cursor, &line)) {
        if (line.relayed)
            continue;
        snprintf(text, sizeof text, "%-8s: %s", user->userid, line.text);
        if (observer)
            console_relay_line(observer->console, text);
        if (second && second != observer)
            console_relay_line(second->console, text);
    }
}
