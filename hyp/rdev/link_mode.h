/* Modes of LINK and MDISK: what access is asked for, and what is taken instead or refused
 * when others have the disk already. Source: z/VM "CP Commands and Utilities Reference",
 * LINK. */
#ifndef ENDICOTT_HYP_LINK_MODE_H
#define ENDICOTT_HYP_LINK_MODE_H

#include "mem/base/bytes.h"

enum link_mode {
#define MODE(name, first, otherwise, keeps, help) LINK_##name,
#include "hyp/rdev/link_mode.def"
#undef MODE
    LINK_MODES
};

enum link_access { LINK_NONE, LINK_READ, LINK_WRITE };

/** What a link keeps others from while it is there. */
enum link_keeps { LINK_KEEPS_NOTHING, LINK_KEEPS_STABLE, LINK_KEEPS_EXCLUSIVE };

/** By name (upper case); false: no such mode. */
bool link_mode_find(const char *name, enum link_mode *mode);
const char *link_mode_name(enum link_mode mode);
/** Does it ask for write access? */
bool link_mode_writes(enum link_mode mode);
enum link_keeps link_mode_keeps(enum link_mode mode);
/** Which password it takes: R, W or M. */
char link_mode_letter(enum link_mode mode);
/** What users have of a minidisk, together. These go to other members: none changes its value. */
enum link_has {
    LINK_HAS_READ = 1,
    LINK_HAS_WRITE = 2,
    LINK_HAS_STABLE = 4,
    LINK_HAS_EXCLUSIVE = 8,
};
/** What a link in this mode has that got this access. */
u8 link_mode_has(enum link_mode mode, bool write);
/** What of others keeps a new link from this access. */
u8 link_mode_refuses(enum link_mode mode, enum link_access access);
/** What a new link gets when others have `has`. */
enum link_access link_mode_decide(enum link_mode mode, u8 has);
/** What it gets where writing is impossible. */
enum link_access link_mode_read_only(enum link_mode mode);

#endif
