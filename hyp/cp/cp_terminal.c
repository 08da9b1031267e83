/* A user's session as a display terminal sees it. */
#include "hyp/cp_terminal.h"

#include "hyp/cp/cp_internal.h"

struct cp_terminal_view cp_terminal_view(const struct cp_user *user)
{
    return (struct cp_terminal_view){
        .ldev = user->ldev,
        .connected = !user->disconnected && !user->ending,
        .more_s = user->terminal.more_s,
        .more_warn_s = user->terminal.more_warn_s,
        .linend = user->terminal.linend,
        .cp_read = user->cp_read,
    };
}
