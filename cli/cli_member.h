/* What the commands about running members share: folders, stopping, complaints.
 * Everything prints to standard error as `endicott COMMAND: text`. */
#ifndef ENDICOTT_CLI_CLI_MEMBER_H
#define ENDICOTT_CLI_CLI_MEMBER_H

#include "cli/rpc.h"
#include "hyp/config.h"

/** Absolute path of a folder; false after printing why not. */
bool cli_folder(const char *command, const char *dir, char out[CONFIG_PATH_BYTES]);
/** Members of a cluster folder that have hardware files, in the order of their slots; 0 with a
 *  cause. With `faults` bad files are told there, and it is the members that can be found. */
unsigned cli_members_of(const char *dir, char names[CONFIG_SLOTS_MAX][CONFIG_NAME_BYTES],
                        struct faults *faults, struct cause *cause);
/** Stop members and wait until their processes have ended. Returns an exit status. */
int cli_stop_members(const char *const *names, unsigned count, bool immediate);
/** One, without a word. */
int cli_stop_quietly(const char *name);
/** Print a cause; returns the exit status that goes with it. */
int cli_complain(const char *command, const struct cause *cause);
/** A user id operand in upper case; false after complaining. */
bool cli_userid(const char *command, const char *text, char out[CONFIG_NAME_BYTES]);
/** Operands joined by blanks; the caller frees. NULL without any. */
char *cli_join(char **words);
/** Print text that ends in a newline, or give it one. */
void cli_put_line(const char *text);

#endif
