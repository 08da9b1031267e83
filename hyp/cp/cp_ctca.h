/* Channel-to-channel adapters of users: between cp_ctca.c, which has the commands,
 * cp_ctca_remote.c, for pairs of which one is on another member, and the rest of CP. Internal to
 * hyp/. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_CTCA_H
#define ENDICOTT_HYP_CP_CP_CTCA_H

#include "hyp/cp/cp_internal.h"
#include "io/net/ctca.h"

struct cp_ctc_link;

/** An adapter. Located by user->ctcas; ends with its session or DETACH. */
struct cp_ctca {
    struct cp_ctca *next;
    struct cp_user *user;
    u16 vdev;
    u8 type;                   /* enum ctca_type */
    char only[DIR_NAME_BYTES]; /* who may couple with it; "": everybody */
    struct cp_ctca *peer;      /* the other one, on this member */
    struct cp_ctc_link *link;  /* the way to one on another member, or to be asked for */
};

/* --- cp_ctca.c --------------------------------------------------------------------------- */
int cp_ctca_create(struct cp_user *user, u16 vdev, u8 type, const char *only, bool announce,
                   struct cause *cause);
struct cp_ctca *cp_ctca_at(struct cp_user *user, u16 vdev);
/** The adapter that the next operand names, which is taken; NULL: it names none, and stays. */
struct cp_ctca *cp_ctca_at_operand(struct cp_request *req, struct cp_user *user);
struct ctca *cp_ctca_device(struct cp_ctca *c);
/** SPECIAL statements; what fails goes to the console. */
void cp_ctcas_logon(struct cp_user *user);
/** The machine goes: before, and behind it. */
void cp_ctcas_leave(struct cp_user *user);
void cp_ctcas_end(struct cp_user *user);
/** For a relocation: a row for each, and one of them, which the user has then. */
void cp_ctcas_save(const struct cp_user *user, u16 tag, struct codec_out *out);
int cp_ctca_restore(struct cp_user *user, const struct codec_row *row, struct cause *cause);
/** Lines of QUERY VIRTUAL; how many. */
void cp_ctca_row(struct cp_request *req, struct cp_ctca *c);
unsigned cp_ctca_rows(struct cp_request *req, struct cp_user *user);
/** Commands, behind the operand that is the adapter. */
int cp_define_ctca(struct cp_request *req, struct cp_user *user, enum ctca_type type);
int cp_detach_ctca(struct cp_request *req, struct cp_ctca *c);
int cp_couple_ctca(struct cp_request *req, struct cp_ctca *c);
int cp_uncouple_ctca(struct cp_request *req, struct cp_ctca *c);

/** Why two do not couple. */
enum cp_ctc_no {
    CP_CTC_OK,
    CP_CTC_NOT_LOGGED_ON,
    CP_CTC_NO_DEVICE,
    CP_CTC_NO_CTCA,
    CP_CTC_NOT_FOR,
    CP_CTC_NO_FIT,
    CP_CTC_COUPLED,
    CP_CTC_NO_MEMORY,
};
/** May this user's adapter of a type couple with `userid` `vdev` of this member? *out: it. */
enum cp_ctc_no cp_ctc_check(struct cp *cp, const char *by, u8 type, const char *userid,
                            u16 vdev, struct cp_ctca **out);
/** The message; its number. */
int cp_ctc_refuse(struct cp_request *req, enum cp_ctc_no no, struct cp_ctca *c,
                  const char *userid, u16 vdev);

/* --- cp_ctca_remote.c ----------------------------------------------------------------------- */
/** Ask another member; CP_LATER, or the number of a message. */
int cp_ctc_ask(struct cp_request *req, struct cp_ctca *c, const char *member,
               const char *userid, u16 vdev);
/** The pair is no more; the other member is told. */
void cp_ctc_drop(struct cp_ctc_link *link);
/** Who and what is at the other end. */
const char *cp_ctc_user(const struct cp_ctc_link *link);
u16 cp_ctc_vdev(const struct cp_ctc_link *link);
/** Is it there, not only asked for? */
bool cp_ctc_open(const struct cp_ctc_link *link);
/** Messages of service CP from this type on are of adapters. */
#define CP_CTC_TYPES 16
void cp_ctc_receive(struct cp *cp, const char *member, u16 type, const void *data, size_t len);
void cp_ctc_lost(struct cp *cp, const char *member);
/** CP ends; nobody is logged on. */
void cp_ctcs_fini(struct cp *cp);

#endif
