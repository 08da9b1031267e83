/* The smallest cluster that something moves in: lgr_world.h. */
#include "tests/lib/lgr_world.h"

struct world *members_join(struct world *w)
{
    w->smooth = true;
    for (unsigned s = 0; s < 2; s++) {
        actor_start(&w->actors[s]);
        while (!w->actors[s].joined)
            world_step(w);
    }
    user_logon(&w->actors[0], 0);
    for (unsigned i = 0; i < 100; i++)
        world_step(w);
    return w;
}

struct world *members_of(u64 seed, unsigned silence_ms, u64 guest_bytes)
{
    struct world *w = world_create(seed, 2);
    w->guest_bytes = guest_bytes;
    w->silence_ms = silence_ms;
    return members_join(w);
}

struct world *two_members(unsigned silence_ms, u64 guest_bytes)
{
    return members_of(99, silence_ms, guest_bytes);
}
