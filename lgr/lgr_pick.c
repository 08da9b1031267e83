/* Which encoding moves pages fastest, and how fast the link is: arithmetic, nothing else. */
#include "lgr/lgr_encode.h"

#define LINK_NS_DEFAULT                                                                        \
    0.5 /* a byte, until it is known: encoding has to be cheap to be worth it */
#define OTHER_WEIGHT 0.25   /* of what is not waited for */
#define WINDOW_NS 10000000u /* an estimate is of so long at least */
#define BLOCKED_TENTHS 5u   /* ... in half of which the link was waited for */

static double page_ns(const struct lgr_pick *p, enum lgr_kind kind)
{
    double link = p->bytes[kind] * p->link_ns, cost = p->cost_ns[kind];
    return link > cost ? link + OTHER_WEIGHT * cost : cost + OTHER_WEIGHT * link;
}

enum lgr_kind lgr_encode_pick(const struct lgr_pick *p)
{
    static const enum lgr_kind others[] = {LGR_DELTA, LGR_LZ4};
    enum lgr_kind best = LGR_RAW;
    for (unsigned i = 0; i < 2; i++)
        if (p->bytes[others[i]] && p->bytes[others[i]] < FRAME_BYTES &&
            page_ns(p, others[i]) < page_ns(p, best))
            best = others[i];
    return best;
}

void lgr_link_note(struct lgr_link_rate *l, u64 bytes, u64 ns, u64 blocked_ns)
{
    l->bytes += bytes;
    l->ns += ns;
    l->blocked_ns += blocked_ns;
    if (l->ns < WINDOW_NS)
        return;
    double rate = (double)l->bytes / (double)l->ns;
    if (l->blocked_ns * 10 >= l->ns * BLOCKED_TENTHS)
        l->bytes_per_ns = l->bytes_per_ns > 0 ? (l->bytes_per_ns + rate) / 2 : rate;
    else if (rate > l->bytes_per_ns)
        l->bytes_per_ns = l->bytes_per_ns > 0 ? rate : 0; /* never waited for: not known */
    l->bytes = l->ns = l->blocked_ns = 0;
}

double lgr_link_ns(const struct lgr_link_rate *l)
{
    return l->bytes_per_ns > 0 ? 1 / l->bytes_per_ns : LINK_NS_DEFAULT;
}
