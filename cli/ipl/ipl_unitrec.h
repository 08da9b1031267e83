/* Unit record devices of `endicott ipl` and their host files: --reader DEVNO=FILE[,ascii],
 * --punch DEVNO=FILE[,ebcdic][,append], --printer
 * DEVNO=FILE[,text|asa|machine][,ebcdic][,append][,3211]. */
#ifndef ENDICOTT_CLI_IPL_UNITREC_H
#define ENDICOTT_CLI_IPL_UNITREC_H

#include "hyp/vm.h"

/** The options as given; each list ends with NULL. */
struct ipl_unitrec {
    const char *const *reader, *const *punch, *const *printer;
};

/** Read the decks, open the files, put the devices into `vc`. ST_INVAL for a bad option, or
 *  why a file cannot be used; then nothing is open. */
int ipl_unitrec_open(const struct ipl_unitrec *options, struct vm_config *vc,
                     struct cause *cause);
/** After the machine: what is printed is complete then. */
void ipl_unitrec_close(struct vm_config *vc);

#endif
