/* The directory that is online, and how members come to the same one: between cp_directory.c,
 * cp_directory_ssi.c, DIRMAINT and service CP. Internal to hyp/. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_DIRECTORY_H
#define ENDICOTT_HYP_CP_CP_DIRECTORY_H

#include "hyp/cp/cp_internal.h"

/** Messages of service CP, from this number on. */
#define CP_DIRECTORY_TYPES 8
#define CP_DIRECTORY_TYPES_END 12
#define CP_DIRECTORY_BEHIND "the directory is being brought up to date"
#define CP_DIRECTORY_MEND                                                                      \
    "give both the right file, and issue DIRMAINT DIRECT on a member that runs"

/** A text that came from `from` is online from here on; kept as it is. */
int cp_directory_take(struct cp *cp, const char *text, const char *from,
                      const struct dir_versions *versions, struct cause *cause);
/** The file has got a new version, which is online here: it has its number, and all members are
 *  told. */
void cp_directory_changed(struct cp *cp);
/** Is what is online not the file here, but came from a member, which then makes the changes? */
bool cp_directory_satellite(struct cp *cp, char of[CONFIG_NAME_BYTES]);
/** Why nothing may be changed now; NULL: it may. */
const char *cp_directory_closed(struct cp *cp, char out[128]);

/* --- cp_directory_ssi.c --------------------------------------------------------------------- */
void cp_directory_tell_all(struct cp *cp);
/** Is a newer one known, which is on its way? */
bool cp_directory_behind(const struct cp *cp);
#define CP_DIRECTORY_SERVICE 9 /* of the cluster: the same directory for all, by vote */
/** Before the join. */
int cp_directory_register(struct cp *cp, struct ssi *ssi);
/** At a join: what others must know; their vote on it; the link is there. */
void cp_directory_export(struct cp *cp, struct codec_out *out);
int cp_directory_check(struct cp *cp, const char *member, const void *data, size_t len,
                       struct cause *cause);
void cp_directory_joined(struct cp *cp, const char *member);
void cp_directory_receive(struct cp *cp, const char *member, u16 type, const void *data,
                          size_t len);
void cp_directory_lost(struct cp *cp, const char *member);
void cp_directory_ssi_fini(struct cp *cp);

#endif
