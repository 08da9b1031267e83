/* The disks and tapes of `endicott ipl`: --disk DEVNO=FILE[,ro][,sync] and
 * --tape DEVNO=FILE[,ro][,size=N][,3480], as often as needed. */
#ifndef ENDICOTT_CLI_IPL_DISKS_H
#define ENDICOTT_CLI_IPL_DISKS_H

#include "hyp/vm.h"

/** "0200" or "200": 1 to 4 hexadecimal digits; false: something else. */
bool ipl_devno(const char *text, u16 *devno);
/** Is the number taken by a disk, tape, alias or network adapter so far? */
bool ipl_devno_taken(const struct vm_config *vc, u16 devno);
/** Open each image (`option` ends with NULL) and put it into `vc`. ST_INVAL for a bad option, or
 *  as image_open; then nothing is open. */
int ipl_disks_open(const char *const *option, struct vm_config *vc, struct cause *cause);
/** Give them back, after the machine. */
/** --alias DEVNO[=BASE]: further device numbers of 3390s. */
int ipl_aliases_read(const char *const *option, struct vm_config *vc, struct cause *cause);
void ipl_disks_close(struct vm_config *vc);
/** Likewise the volumes of tape drives; `--tape DEVNO` alone is a drive without one. */
int ipl_tapes_open(const char *const *option, struct vm_config *vc, struct cause *cause);
void ipl_tapes_close(struct vm_config *vc);

#endif
