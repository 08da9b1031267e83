/* The network adapters of `endicott ipl`: --net DEVNO=slirp[,OPTION...][,mac=MAC], each with a
 * network of its own. */
#ifndef ENDICOTT_CLI_IPL_NET_H
#define ENDICOTT_CLI_IPL_NET_H

#include "hyp/vm.h"
#include "io/net/uplink.h"

/** What --net has opened; all zero at first. */
struct ipl_nets {
    struct lan *lan[VM_NETS_MAX];
    struct uplink *uplink[VM_NETS_MAX];
    unsigned count;
};

/** Open each network (`option` ends with NULL), put its adapter into `vc` and say on stderr what
 *  it is. ST_INVAL for a bad option, or as uplink_open; then nothing is open. */
int ipl_nets_open(const char *const *option, struct vm_config *vc, struct ipl_nets *nets,
                  struct cause *cause);
/** After the machine. */
void ipl_nets_close(struct ipl_nets *nets);

#endif
