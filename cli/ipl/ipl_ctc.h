/* Channel-to-channel adapters of `endicott ipl`, whose other side is in another program:
 * --ctc DEVNO=listen:ADDR[,type=TYPE] in one, --ctc DEVNO=connect:ADDR[,type=TYPE] in the other.
 * ADDR is a path of a Unix socket (it has a slash), or [HOST:]PORT on 127.0.0.1. A connection that
 * goes uncouples both; the one that connects tries again. */
#ifndef ENDICOTT_CLI_IPL_CTC_H
#define ENDICOTT_CLI_IPL_CTC_H

#include <uv.h>

#include "cli/post_uv.h"
#include "hyp/vm.h"
#include "io/net/ctca.h"

#define IPL_CTC_ADDRESS_BYTES 108 /* of a Unix socket */

struct ipl_ctcs;
struct ipl_ctc_wire;

/** One adapter. Its connection is a handle of its own, closed when it goes. */
struct ipl_ctc {
    struct ipl_ctcs *all;
    u16 devno;
    enum ctca_type type;
    bool listens;
    char address[IPL_CTC_ADDRESS_BYTES];
    uv_timer_t again;          /* of the one that connects */
    uv_stream_t *listener;     /* NULL: it connects */
    struct ipl_ctc_wire *wire; /* NULL: nobody is there */
};

struct ipl_ctcs {
    struct ipl_ctc ctc[VM_CTCAS_MAX];
    unsigned count;
    bool opened;
    uv_loop_t *loop;
    struct post_uv *post;
    struct vm *vm;
};

/** Read each option (`option` ends with NULL), put its device into `vc`. ST_INVAL. */
int ipl_ctcs_read(const char *const *option, struct vm_config *vc, struct ipl_ctcs *ctcs,
                  struct cause *cause);
/** [loop] The machine is there: listen, and begin to connect. As the socket's trouble is. */
int ipl_ctcs_open(struct ipl_ctcs *ctcs, uv_loop_t *loop, struct post_uv *post, struct vm *vm,
                  struct cause *cause);
/** [loop] Uncoupled, closed as the loop goes round; the machine is still there. */
void ipl_ctcs_close(struct ipl_ctcs *ctcs);

#endif
