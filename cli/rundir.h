/* The run-time folder: one lock file and one control socket for each running member.
 * A member's name is taken by a record lock, which vanishes with the process. */
#ifndef ENDICOTT_CLI_RUNDIR_H
#define ENDICOTT_CLI_RUNDIR_H

#include <sys/types.h>

#include "hyp/config.h"

#define RUNDIR_MEMBERS_MAX 64
#define RUNDIR_PATH_BYTES 104 /* what a Unix socket address holds, with room for the name */

/** A running member as its lock file tells. */
struct rundir_member {
    char name[CONFIG_NAME_BYTES];
    pid_t pid;
    char dir[CONFIG_PATH_BYTES]; /* its cluster folder, absolute; "" = not written yet */
};

/** The folder: $ENDICOTT_RUN, else $XDG_RUNTIME_DIR/endicott, else endicott-UID in the
 *  temporary folder. Made when missing; ST_PERM when it is not ours alone. */
int rundir_path(char out[RUNDIR_PATH_BYTES], struct cause *cause);

/** RUNDIR/MEMBER.suffix; `member` is upper case. */
int rundir_file(const char *member, const char *suffix, char out[RUNDIR_PATH_BYTES + 16],
                struct cause *cause);

/** Take the name `member` for this process until it ends. ST_EXIST: the cause says who has it.
 *  Waits for a holder that has been killed and has not quite ended. */
int rundir_take(const char *member, const char *dir, struct cause *cause);

/** Is `member` running, and not about to be gone after it has been killed? Fills `*out`. */
bool rundir_find(const char *member, struct rundir_member *out);

/** All running members, by name. Returns their number; 0 with a cause when the folder fails. */
unsigned rundir_list(struct rundir_member out[RUNDIR_MEMBERS_MAX], struct cause *cause);

/** A member name as typed, in upper case; false when it is none. */
bool rundir_name(const char *text, char out[CONFIG_NAME_BYTES]);

#endif
