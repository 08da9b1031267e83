/* A user goes from one member of member_world.h to another one in the same process, through the
 * blocks that a relocation sends. */
#ifndef ENDICOTT_TESTS_LIB_MEMBER_MOVE_H
#define ENDICOTT_TESTS_LIB_MEMBER_MOVE_H

#include "tests/lib/member_world.h"

/** The user must be logged on at `from` and not at `to`, which is the other way round afterwards.
 *  Aborts when anything is refused. */
struct cp_user *member_move(struct member *from, struct member *to, const char *userid);

#endif
