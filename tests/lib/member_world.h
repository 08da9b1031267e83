/* A member in one process and on one thread, without files but a control socket: CP over real
 * virtual machines whose time stands still unless it is told to go on. For what takes bytes from
 * terminals, guests and clients. */
#ifndef ENDICOTT_TESTS_LIB_MEMBER_WORLD_H
#define ENDICOTT_TESTS_LIB_MEMBER_WORLD_H

#include "cli/member_internal.h"

#define MEMBER_WORLD_USERS 3 /* OPERATOR, LINUX1, GUEST; the first two are logged on */

/** Aborts when it cannot be made. */
struct member *member_world_create(void);
/** CP, machines and control socket end; what they have under way does too. */
void member_world_destroy(struct member *m);
/** Users by number, any number. */
const char *member_world_user(unsigned n);
/** Let guests have some turns of a processor, and the loop do what there is to do. */
void member_world_turn(struct member *m);

/** Bytes as lines of commands: the first byte of each says by whom; then a turn. Anything may be
 *  refused; a response is complete at once or before the end. Aborts when that is not so. */
void cp_exec_run(const u8 *data, size_t size);
/** Bytes as what two clients of the control socket send; a byte of 0 changes to the other one. What
 *  they get are JSON objects, one a line. Aborts when that is not so. */
void control_exec_run(const u8 *data, size_t size);

#endif
