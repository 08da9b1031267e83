/* VMDUMP: the user's machine into a file of the host, in the member's folder for dumps. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "hyp/cp/cp_internal.h"

#define DUMPS_MAX 9999

void cp_set_dump_folder(struct cp *cp, const char *path)
{
    snprintf(cp->dump_folder, sizeof cp->dump_folder, "%s", path);
}

/* VMDUMP */
int cp_cmd_vmdump(struct cp_request *req, void *ctx)
{
    struct cp *cp = req->cp;
    struct cause cause = {0};
    struct cp_user *user = cp_own_machine(req);
    char path[sizeof cp->dump_folder + 32];
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (!cp->dump_folder[0] || (mkdir(cp->dump_folder, 0777) && errno != EEXIST))
        return cp_fail(req, MSG_VMD440E, "there is no folder for it");
    int status = ST_EXIST;
    for (unsigned i = 1; status == ST_EXIST && i <= DUMPS_MAX; i++) {
        snprintf(path, sizeof path, "%s/%s.%04u", cp->dump_folder, user->userid, i);
        status = cp->ports.vm->dump(user->vm, path, &cause);
    }
    if (status)
        return cp_fail(req, MSG_VMD440E, cause.text);
    cp_line(req, "%s dumped to %s", user->userid, path);
    return 0;
}
