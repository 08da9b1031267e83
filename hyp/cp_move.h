/* What relocation needs of CP's sessions: rows, arriving, leaving, the claim on a user id.
 * For the member's loop thread, as cp.h. */
#ifndef ENDICOTT_HYP_CP_MOVE_H
#define ENDICOTT_HYP_CP_MOVE_H

#include "hyp/arch.h"
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
void cp_user_go(struct cp_user *user, void (*go)(struct cp_user *user, void *arg), void *arg);
/** It is another member's: give up its disks, which that one waits for. cp_user_depart follows. */
void cp_user_let_go(struct cp_user *user);
/** Its machine is quiesced, and its state is saved next: from here on its terminals and what is
 *  typed wait, until it stays here (thaw) or has gone (depart). */
void cp_user_freeze(struct cp_user *user);
void cp_user_thaw(struct cp_user *user);
/** It was frozen, or not, and logs off here now: what is spooled ends as usual. */
void cp_user_ends_here(struct cp_user *user);
/** End a session here without freeing the claim: the source after hand-over, or a
 *  destination that gives up. */
void cp_user_depart(struct cp_user *user);

/** For a session that comes from a file: take the claim on the user id before it arrives, as
 *  LOGON does (0: there is no cluster); give it back when it did not come to be; tell that it is
 *  logged on. ST_EXIST with the owner; else a cause. */
int cp_claim_take(struct cp *cp, const char *userid, u64 *generation,
                  char owner[CONFIG_NAME_BYTES], struct cause *cause);
void cp_claim_free(struct cp *cp, const char *userid, u64 generation);
void cp_user_logged_on(struct cp_user *user);
/** Addresses of its adapters are claimed; ST_EXIST: another has one, and none is. */
int cp_nics_claim(struct cp_user *user, struct cause *cause);
/** Log off. `by` NULL: the user itself. */
void cp_user_end(struct cp_user *user, const char *by);

/** Is a logoff pending: SIGNAL SHUTDOWN or SHUTDOWN under way? */
bool cp_user_leaving(const struct cp_user *user);
/** SHUTDOWN is under way: nobody arrives any more. Who has arrived and is not logged on yet is left
 *  to its relocation, and logged off in cp_user_go when all others have been. */
bool cp_shutting_down(const struct cp *cp);
/** SET VMRELOCATE: may the user be relocated, within which domain. From the directory at logon;
 *  goes with the user. Set with domain NULL: as it was. */
bool cp_user_relocatable(const struct cp_user *user);
const char *cp_user_domain(const struct cp_user *user);
void cp_user_set_relocation(struct cp_user *user, bool relocate, const char *domain);

/** Relocation domains (hyp/cp/cp_domain.c): is there one of that name, is the member in it? */
bool cp_domain_known(const struct cp *cp, const char *domain);
bool cp_domain_has(const struct cp *cp, const char *domain, const char *member);
/** What this member offers guests; what a guest of a domain has here: what all its members offer
 *  and this one does. */
void cp_own_arch(const struct cp *cp, struct arch *out);
void cp_domain_arch(const struct cp *cp, const char *domain, struct arch *out);
/** Has FORCE ARCHITECTURE taken something from the user that it had? Goes with it. */
bool cp_user_forced(const struct cp_user *user);
void cp_user_set_forced(struct cp_user *user, bool forced);
/** QUERY VMRELOCATE: lines of what the user has that its domain has not, and the reverse; of
 *  members that it can go to by FORCE ARCHITECTURE only. None when all is as the domain has it. */
void cp_user_variant_lines(struct cp_request *req, const struct cp_user *user);

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
    bool guest_lan;             /* one that the member has alone */
    u8 need[CP_NIC_NEED_BYTES]; /* what its port may there, for cp_nic_here */
};
bool cp_user_nic(struct cp_user *user, unsigned i, struct cp_nic_row *out);
/** The i-th channel-to-channel adapter, in no order. */
bool cp_user_ctca(struct cp_user *user, unsigned i, u16 *vdev, bool *coupled);
/** Can this member couple it as it was? Else `why` it cannot, in `room` bytes. */
bool cp_nic_here(struct cp *cp, const char *userid, const char *lan,
                 const u8 need[CP_NIC_NEED_BYTES], char *why, size_t room);

#endif
