/* What relocation needs of CP's sessions: rows, arriving, leaving, the claim on a user id.
 * For the member's loop thread, as cp.h. */
#ifndef ENDICOTT_HYP_CP_MOVE_H
#define ENDICOTT_HYP_CP_MOVE_H

#include "hyp/cp.h"

/** Rows of the session: logon time, settings, console history. */
void cp_user_save(struct cp_user *user, struct codec_out *out);
/** Destination: a session without claim and without logon; its machine is created, idle. */
int cp_user_arrive(struct cp *cp, const char *userid, struct codec_in *in, struct cp_user **out,
                   struct cause *cause);
/** Rows into a session that has arrived: what has changed since. */
int cp_user_restore(struct cp_user *user, struct codec_in *in, struct cause *cause);
/** The devices that the machine has: units and minidisks, and a machine that has these. Before its
 *  state is restored; the disks can be used from cp_user_go on. */
void cp_user_save_devices(struct cp_user *user, struct codec_out *out);
int cp_user_restore_devices(struct cp_user *user, struct codec_in *in, struct cause *cause);
/** The user is ours: open its disks for writing, which the other member has to have closed, then
 *  `go`; again and again until that is possible. */
void cp_user_go(struct cp_user *user, void (*go)(struct cp_user *user));
/** End a session here without freeing the claim: the source after hand-over, or a
 *  destination that gives up. */
void cp_user_depart(struct cp_user *user);

/** Is a logoff pending: SIGNAL SHUTDOWN or SHUTDOWN under way? */
bool cp_user_leaving(const struct cp_user *user);
/** Has it traps of TRACE? */
bool cp_user_traced(const struct cp_user *user);
/** SET VMRELOCATE: may the user be relocated, within which domain. From the directory at logon;
 *  goes with the user. Set with domain NULL: as it was. */
bool cp_user_relocatable(const struct cp_user *user);
const char *cp_user_domain(const struct cp_user *user);
void cp_user_set_relocation(struct cp_user *user, bool relocate, const char *domain);

/** Reader files that waited here until the user came go into its virtual reader. */
void cp_user_take_files(struct cp_user *user);

/** Generation of the claim on this user's id; 0 = none (IDENTITY, or no cluster). */
u64 cp_user_claim(const struct cp_user *user);
/** After a relocation moved the claim here: only now cp_user_find and commands see the user. */
void cp_user_set_claim(struct cp_user *user, u64 generation);

/** Has this member that saving of a segment or system? */
bool cp_segment_here(const struct cp *cp, const char *name,
                     const u8 identity[VM_IDENTITY_BYTES]);

#define CP_NIC_NEED_BYTES 40

/** The i-th network adapter of a user, in no order; false: there are not so many. */
struct cp_nic_row {
    u16 vdev;
    char lan[DIR_NAME_BYTES];   /* what it is coupled with, "": nothing */
    bool guest_lan;             /* which has the member alone */
    u8 need[CP_NIC_NEED_BYTES]; /* what its port may there, for cp_nic_here */
};
bool cp_user_nic(struct cp_user *user, unsigned i, struct cp_nic_row *out);
/** The i-th channel-to-channel adapter, in no order. */
bool cp_user_ctca(struct cp_user *user, unsigned i, u16 *vdev, bool *coupled);
/** Can this member couple it as it was? Else `why` it cannot, in `room` bytes. */
bool cp_nic_here(struct cp *cp, const char *userid, const char *lan,
                 const u8 need[CP_NIC_NEED_BYTES], char *why, size_t room);

#endif
