/* What a display terminal needs to know of the user whose console it shows. Loop thread. */
#ifndef ENDICOTT_HYP_CP_TERMINAL_H
#define ENDICOTT_HYP_CP_TERMINAL_H

#include "hyp/cp.h"

struct cp_terminal_view {
    unsigned ldev;        /* a number of its own for each LOGON and reconnection */
    bool connected;       /* by that LOGON, and not disconnected since */
    unsigned more_s;      /* TERMINAL MORE: until the alarm */
    unsigned more_warn_s; /* and from it until the screen is cleared */
    char linend;          /* #; 0 = off */
    bool cp_read;         /* input goes to CP */
};

struct cp_terminal_view cp_terminal_view(const struct cp_user *user);
/** The terminal of this user is gone without DISCONNECT or LOGOFF: the user is disconnected, and
 *  logged off after DISCONNECT_TIMEOUT unless somebody logs on again. */
void cp_terminal_lost(struct cp *cp, const char *userid);

#endif
