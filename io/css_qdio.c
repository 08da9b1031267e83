/* Queued direct I/O in the channel subsystem: SIGNAL ADAPTER, adapter interruptions. What the
 * queues hold belongs to the device (io/net/qdio.h). No manual describes QDIO; source: what
 * Linux (drivers/s390/cio) does and expects. */
#include "io/css_internal.h"

/** The device takes signals; a quiesced css waits for no new ones: CPUs do not run then. */
static struct subchannel *signal_begin(struct css *css, u32 schid)
{
    lock_take(&css->lock);
    struct subchannel *sub = css_sub_locked(css, schid);
    bool takes = sub_has_device(sub) && sub_enabled(sub) && sub->ops->qdio;
    if (takes) {
        sub->signals++;
        css->executing++;
    }
    lock_drop(&css->lock);
    return takes ? sub : NULL;
}

static void signal_end(struct subchannel *sub)
{
    struct css *css = sub->css;
    lock_take(&css->lock);
    sub->signals--;
    css->executing--;
    pthread_cond_broadcast(&css->idle);
    lock_drop(&css->lock);
}

int css_siga(struct css *css, u32 function, u32 schid, u32 mask, u32 mask2)
{
    if (function > 0xff || !css_schid_valid(css, schid))
        return CSS_PGM_OPERAND;
    struct subchannel *sub = signal_begin(css, schid);
    if (!sub)
        return 3;
    int cc = sub->ops->qdio->signal(sub->dev, (u8)function, mask, mask2);
    signal_end(sub);
    return cc;
}

void css_adapter_interruption(struct css *css, u8 isc)
{
    u8 bit = (u8)(0x80 >> (isc & 7));
    lock_take(&css->lock);
    if (!(css->s.adapter & bit)) {
        css->s.adapter |= bit;
        css_notify_locked(css);
    }
    lock_drop(&css->lock);
}
