/* Networks over members on struct ssi: service LAN (id 3). Loop thread. */
#ifndef ENDICOTT_HYP_NET_IVL_SSI_H
#define ENDICOTT_HYP_NET_IVL_SSI_H

#include "hyp/net/ivl.h"
#include "ssi/ssi.h"

#define IVL_SSI_SERVICE 3
#define IVL_IN_FLIGHT_BYTES (256u << 10) /* frames never keep other messages waiting for more */

struct ivl_ssi;

/** Register the service, before ssi_join. `wakeup` as in ivl_ports. NULL with cause. */
struct ivl_ssi *ivl_ssi_create(struct ssi *ssi, void (*wakeup)(void *ctx), void *ctx,
                               struct cause *cause);
/** All switches have gone; nothing more comes from the ssi. */
void ivl_ssi_destroy(struct ivl_ssi *s);
struct ivls *ivl_ssi_ivls(struct ivl_ssi *s);

#endif
