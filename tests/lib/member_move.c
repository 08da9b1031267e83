/* A user's move between two members of member_world.h: what a relocation does with guests, without
 * its messages. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "tests/lib/member_move.h"

#include <string.h>

#include "hyp/cp_move.h"
#include "lgr/lgr_cmd.h"
#include "lgr/lgr_space.h"
#include "mem/base/ergo.h"

static void encode(struct lgr_cmd *from, struct cp_user *user, struct codec_out *out)
{
    struct cause cause = {0};
    codec_out_init(out);
    ERGO(lgr_cp_guests.save(from, user, NULL, out, &cause) == ST_OK && !out->failed);
}

static struct cp_user *decode(struct lgr_cmd *to, const struct lgr_guest_info *info,
                              const struct codec_out *state)
{
    struct codec_in in;
    void *user = NULL;
    struct cause cause = {0};
    ERGO(lgr_cp_guests.arrive(to, info, &user, &cause) == ST_OK);
    codec_in_init(&in, state->data, state->len);
    ERGO(lgr_cp_guests.restore(to, user, &in, &cause) == ST_OK);
    return user;
}

static void space_of(struct lgr_cmd *c, struct cp_user *user, struct lgr_space *space)
{
    struct area *a;
    lgr_space_init(space, lgr_cp_guests.storage(c, user));
    for (unsigned i = 0; (a = lgr_cp_guests.area(c, user, i)) != NULL; i++)
        ERGO(lgr_space_add(space, a));
}

static void copy_pages(struct lgr_cmd *a, struct cp_user *from, struct lgr_cmd *b,
                       struct cp_user *to)
{
    static const u8 zeros[FRAME_BYTES];
    struct lgr_space source, target;
    space_of(a, from, &source);
    space_of(b, to, &target);
    ERGO(source.frames == target.frames && source.areas == target.areas);
    for (u64 f = 0; f < source.frames; f++) {
        const u8 *bytes = lgr_space_bytes(&source, f);
        if (!memcmp(bytes, zeros, FRAME_BYTES))
            continue;
        if (lgr_space_in_storage(&target, f))
            storage_mark_frame(target.st, f << FRAME_SHIFT);
        else
            lgr_space_mark(&target, f);
        memcpy(lgr_space_bytes(&target, f), bytes, FRAME_BYTES);
    }
    lgr_space_fini(&source);
    lgr_space_fini(&target);
}

struct cp_user *member_move(struct member *from, struct member *to, const char *userid)
{
    struct lgr_cmd a = {.cp = from->cp}, b = {.cp = to->cp};
    struct cp_user *user = cp_user_find(from->cp, userid), *arrived;
    static struct lgr_guest_info info;
    struct codec_out state;
    memset(&info, 0, sizeof info);
    ERGO(lgr_cp_guests.quiesce(&a, user));
    lgr_cp_guests.info(&a, user, "MEMBERA", &info);
    ERGO(!info.bad_device.count && !info.bad_vdisk.count && !info.bad_segment.count);
    encode(&a, user, &state);
    arrived = decode(&b, &info, &state);
    codec_out_fini(&state);
    copy_pages(&a, user, &b, arrived);
    lgr_cp_guests.let_go(&a, user);
    lgr_cp_guests.depart(&a, user);
    lgr_cp_guests.run(&b, arrived, 2);
    return arrived;
}
