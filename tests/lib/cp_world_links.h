/* Links to minidisks over the two members of cp_world.h: shares as the cluster keeps them, and what
 * members tell each other of their links. */
#ifndef ENDICOTT_TESTS_LIB_CP_WORLD_LINKS_H
#define ENDICOTT_TESTS_LIB_CP_WORLD_LINKS_H

#include "hyp/rdev/rdev.h"

#define FAKE_SHARES_MAX 64

/** What members have of a name. */
struct fake_share {
    char name[SSI_CLAIM_NAME_BYTES];
    struct ssi_part part; /* count 0: of none */
    u8 bits[2];           /* by member; both 0: free */
};
extern struct fake_share fake_shares[FAKE_SHARES_MAX];
extern unsigned fake_share_calls;
extern bool links_deaf;       /* what a member tells of its links does not arrive */
extern bool links_of_old;     /* parts that overlap are not one another's business */
extern bool links_slow;       /* what writes waits for link_heard */
extern bool links_in_touch;   /* as rdev_cluster has it */
extern const char *links_why; /* why no share is given ("Safe mode"); NULL: they are */

/** After cp_world_setup: the members are in one cluster. */
void cp_world_links(void);
/** Before the world ends: its members are gone one after the other. */
void cp_world_links_end(void);
/** Shares that are held. */
unsigned fake_shares_held(void);

#endif
