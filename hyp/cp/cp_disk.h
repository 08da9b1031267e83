/* Between the parts of CP that deal with disks and other devices. Internal to hyp/. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_DISK_H
#define ENDICOTT_HYP_CP_CP_DISK_H

#include "hyp/cp/cp_internal.h"
#include "hyp/rdev/rdev.h"

/** Link a disk and make its device. `text` (MSG_LINE_BYTES) gets what there is to be said, or "";
 *  returns the number of the message, 0 = well. */
int cp_link(struct cp_user *user, const struct link_request *q, char *text);
/** Whose minidisk is `vdev` of *owner, through LINK statements of the directory; NULL: nobody's. */
const struct dir_mdisk *cp_mdisk_find(struct cp *cp, const char *self, const char **owner,
                                      u16 vdev);
/** MDISK, LINK and DEDICATE statements of the user's entry; what fails goes to its console. */
void cp_disks_logon(struct cp_user *user);
/** The machine is gone. */
void cp_disks_end(struct cp *cp, const char *userid);
/** A whole real device (NULL: there is none) for a user; as cp_link. */
int cp_attach_real(struct cp_user *user, struct rdev *d, u16 vdev, bool read_only, char *text);
/** Why a device cannot be attached, as cp_link; 0: it can. */
int cp_rdev_busy(const struct cp *cp, const struct rdev *d, char *text);
const char *rdev_class_name(enum rdev_class klass);
/** A volume becomes the system's (its label is to be `volid`, unless that is NULL), or free. */
int cp_attach_system(struct cp_request *req, struct rdev *d, const char *volid);
int cp_detach_system(struct cp_request *req, struct rdev *d);
/** The operator hears of minidisks of the directory in T-disk space, which CP gives out while
 *  nobody has them linked. */
void cp_volumes_check(struct cp *cp);
/** Take a device from a machine, and end its link; `klass` gets what it was. */
int cp_take_away(struct cp_user *user, u16 vdev, char klass[8], struct cause *cause);
/** DRAIN or START of volumes, behind DASD or VOLID. */
int cp_drain_volume(struct cp_request *req, bool drain);
/** CP ends: volumes that DUPLEX RESUME copies are not looked after any more. */
void cp_duplex_end(struct cp *cp);
/** The line of INDICATE LOAD about the minidisk cache. */
void cp_mdcache_load(struct cp_request *req);
/** Lines of QUERY VIRTUAL: of one link; of all of a class ("" = all), how many. */
void cp_link_row(struct cp_request *req, struct cp_user *user, const struct vlink *l);
unsigned cp_link_rows(struct cp_request *req, struct cp_user *user, const char *klass);
/** Can the device be reached? And VARY PATH, VARY CHPID, behind these words. */
bool cp_path_online(struct cp *cp, const struct rdev *d);
int cp_vary_path(struct cp_request *req, bool on);
int cp_vary_chpid(struct cp_request *req, bool on);
/** QUERY rdev: 0, or the number of a message. */
int cp_query_rdev(struct cp_request *req, u16 devno);
/** DETACH and DEFINE behind their first operand, which is no CPU or storage. */
int cp_detach_device(struct cp_request *req, const char *word);
int cp_define_device(struct cp_request *req, const char *kind);

#endif
