/* The network adapters of `endicott ipl`: --net DEVNO=UPLINK[,mac=MAC][,capture=FILE], each with
 * a network of its own, or --net DEVNO=lan:NAME, adapters of one guest on one network. An
 * adapter whose uplink leads nowhere has no link. */
#ifndef ENDICOTT_CLI_IPL_NET_H
#define ENDICOTT_CLI_IPL_NET_H

#include "hyp/vm.h"
#include "io/net/capture.h"
#include "io/net/uplink.h"

struct post_uv;

#define IPL_LAN_NAME_BYTES 17

struct ipl_net {
    struct lan *lan;
    struct uplink *uplink;         /* NULL: none */
    struct capture *capture;       /* NULL: none */
    char name[IPL_LAN_NAME_BYTES]; /* of a network without one */
    u16 devno;
    bool coupled; /* the machine's adapter has a link */
    bool told;    /* that it has */
};

/** What --net has opened; all zero at first. Outlives `post`. */
struct ipl_nets {
    struct ipl_net net[VM_NETS_MAX];
    unsigned count;
    bool within; /* no uplinks */
    struct post_uv *post;
    struct vm *vm; /* NULL: not yet, or no more */
};

/** Open each network (`option` ends with NULL), put its adapter into `vc` and say on stderr what
 *  it is. `within`: networks without an uplink only. ST_INVAL for a bad option, or as
 *  uplink_open; then nothing is open. */
int ipl_nets_open(const char *const *option, struct vm_config *vc, struct ipl_nets *nets,
                  bool within, struct post_uv *post, struct cause *cause);
/** The machine is there: its adapters, as they were made, get their links. So does one that goes on
 *  in place of another, before it has state. NULL: it goes. */
void ipl_nets_machine(struct ipl_nets *nets, struct vm *vm);
/** After the machine. */
void ipl_nets_close(struct ipl_nets *nets);

#endif
