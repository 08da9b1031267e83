/* A member on libuv: TCP links, the PDR as a file with OFD locks, a timer.
 * The only header of ssi that knows libuv; everything runs on the loop's thread. */
#ifndef ENDICOTT_SSI_SSI_UV_H
#define ENDICOTT_SSI_SSI_UV_H

#include <uv.h>

#include "ssi/ssi.h"

struct ssi_uv;

/** Text of a complete operator message, "HCPPLM1699I ..."; lives until the return. */
typedef void (*ssi_message_cb)(void *ctx, const char *text);

/**
 * Make a member on `loop` (which must outlive it) and its ssi, Down; nothing is opened before
 * ssi_join. From here on the process ignores SIGPIPE. `message` NULL: messages go to the log.
 * NULL with a cause: bad configuration or memory. Destroyed by ssi_uv_close.
 */
struct ssi_uv *ssi_uv_open(uv_loop_t *loop, const struct ssi_config *config,
                           ssi_message_cb message, void *ctx, struct cause *cause);

/** The member; owned by `uv`. */
struct ssi *ssi_uv_ssi(struct ssi_uv *uv);

/** On the loop's next round destroy the ssi, then the rest; `closed` (may be NULL) is the last
 * thing that happens. May be called from any callback of the ssi. Without ssi_leave before,
 * other members see a crash; bytes already sent still arrive. */
void ssi_uv_close(struct ssi_uv *uv, void (*closed)(void *ctx), void *ctx);

#endif
